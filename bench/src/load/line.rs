//! What a subscriber's bytes go through: a TCP connection, plain or with TLS on it.

use std::io::{ErrorKind, Read, Result, Write};
use std::sync::Arc;

use mio::net::TcpStream;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme};

/// A connection to the server.
pub struct Line {
    stream: TcpStream,
    session: Option<Box<ClientConnection>>,
}

impl Line {
    /// `tls`: what [`trust`] has made; without it the connection is plain.
    pub fn new(stream: TcpStream, tls: Option<&Arc<ClientConfig>>) -> std::result::Result<Self, String> {
        let name = ServerName::try_from("localhost").map_err(|error| error.to_string())?;
        let session = tls
            .map(|config| ClientConnection::new(Arc::clone(config), name).map(Box::new))
            .transpose()
            .map_err(|error| error.to_string())?;
        Ok(Self { stream, session })
    }

    pub fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }
}

/// A read that leaves room has taken all that had come, with TLS too.
impl Read for Line {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let Some(session) = &mut self.session else { return self.stream.read(buffer) };
        let mut filled = 0;
        let ended = loop {
            match session.reader().read(&mut buffer[filled..]) {
                // The end, or no room.
                Ok(0) => break Ok(()),
                Ok(bytes) => {
                    filled += bytes;
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => break Err(error),
            }
            match receive(session, &mut self.stream) {
                Ok(0) => break Ok(()),
                Ok(_) => {}
                Err(error) => break Err(error),
            }
        };
        // What ended it comes again with the next read.
        if filled > 0 { Ok(filled) } else { ended.map(|()| 0) }
    }
}

/// Takes what the connection has for the session. 0 at its end.
fn receive(session: &mut ClientConnection, stream: &mut TcpStream) -> Result<usize> {
    let got = session.read_tls(stream)?;
    session.process_new_packets().map_err(std::io::Error::other)?;
    send(session, stream)?;
    Ok(got)
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let Some(session) = &mut self.session else { return self.stream.write(bytes) };
        send(session, &mut self.stream)?;
        if session.wants_write() {
            return Err(ErrorKind::WouldBlock.into());
        }
        // Before the end of the handshake it is kept, and goes out with its last message.
        let taken = session.writer().write(bytes)?;
        send(session, &mut self.stream)?;
        Ok(taken)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Sends what the session has for the server, as far as the connection takes it.
fn send(session: &mut ClientConnection, stream: &mut TcpStream) -> Result<()> {
    while session.wants_write() {
        match session.write_tls(stream) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Trusts the one certificate of a PEM file, whichever names it has, and no other.
pub fn trust(file: &str) -> std::result::Result<Arc<ClientConfig>, String> {
    let wrong = |error: &dyn std::fmt::Display| format!("{file}: {error}");
    let certificate = CertificateDer::from_pem_file(file).map_err(|error| wrong(&error))?;
    let provider = Arc::new(ring::default_provider());
    let only = OnlyOne { certificate, provider: Arc::clone(&provider) };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(&error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(only))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

#[derive(Debug)]
struct OnlyOne {
    certificate: CertificateDer<'static>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for OnlyOne {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, Error> {
        if *end_entity == self.certificate {
            return Ok(ServerCertVerified::assertion());
        }
        Err(Error::General("the server shows another certificate than the one that is trusted".to_owned()))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

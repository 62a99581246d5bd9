//! A WebSocket to a server: opened in a thread of its own, read in slices of time.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::Duration;

use tungstenite::client::{IntoClientRequest, client_with_config};
use tungstenite::http::HeaderValue;
use tungstenite::http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{HandshakeError, WebSocket};

use crate::Error;
use crate::address::Address;
use crate::token::Asked;

/// The subprotocol of the feed.
const SUBPROTOCOL: &str = "depthwire.v1";

/// The greatest message that is taken.
const MESSAGE_BYTES_MAX: usize = 64 << 20;

/// What a socket reads at once.
const READ_BYTES: usize = 128 << 10;

/// Bytes to and from a server.
#[derive(Debug)]
pub(crate) enum Wire {
    Plain(TcpStream),
    #[cfg(feature = "tls")]
    Tls(Box<rustls::StreamOwned<rustls::ClientConnection, TcpStream>>),
}

impl Wire {
    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            #[cfg(feature = "tls")]
            Self::Tls(tls) => &tls.sock,
        }
    }

    /// How long a read waits at most.
    pub fn wait_at_most(&self, slice: Duration) -> io::Result<()> {
        self.tcp().set_read_timeout(Some(slice))
    }
}

impl Read for Wire {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.read(into),
            #[cfg(feature = "tls")]
            Self::Tls(tls) => tls.read(into),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.write(bytes),
            #[cfg(feature = "tls")]
            Self::Tls(tls) => tls.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(tcp) => tcp.flush(),
            #[cfg(feature = "tls")]
            Self::Tls(tls) => tls.flush(),
        }
    }
}

/// What it takes to open one.
#[derive(Clone)]
pub(crate) struct Door {
    pub address: Address,
    pub timeout: Duration,
    #[cfg(feature = "tls")]
    pub tls: Option<std::sync::Arc<rustls::ClientConfig>>,
}

/// Why none was opened.
pub(crate) enum Refusal {
    /// There is no token that could be offered; whether another attempt may bring one.
    Token { error: Error, may_come: bool },
    /// The server answered with an HTTP status.
    Status(u16),
    /// Nobody answered, or not as a feed does.
    Failed(String),
}

pub(crate) type Opened = Result<WebSocket<Wire>, Refusal>;

impl Door {
    /// Opens a socket in a thread of its own, which ends with the attempt.
    pub fn open(&self, token: Asked) -> Receiver<Opened> {
        let (give, take) = sync_channel(1);
        let door = self.clone();
        // Whoever waited may have left.
        thread::spawn(move || drop(give.send(door.open_now(&token))));
        take
    }

    fn open_now(&self, token: &Asked) -> Opened {
        let token = token.ask()?;
        let failed = |error: io::Error| Refusal::Failed(error.to_string());
        let Address { host, port, url, .. } = &self.address;
        let mut last = io::Error::other("the host has no address");
        let mut opened = None;
        for address in (host.as_str(), *port).to_socket_addrs().map_err(failed)? {
            match TcpStream::connect_timeout(&address, self.timeout) {
                Ok(tcp) => {
                    opened = Some(tcp);
                    break;
                }
                Err(error) => last = error,
            }
        }
        let tcp = opened.ok_or_else(|| failed(last))?;
        tcp.set_nodelay(true).map_err(failed)?;
        tcp.set_read_timeout(Some(self.timeout)).map_err(failed)?;
        tcp.set_write_timeout(Some(self.timeout)).map_err(failed)?;
        let wire = self.wire(tcp)?;
        let invalid = || Refusal::Failed("this address or token is no text of HTTP".to_owned());
        let mut request = url.as_str().into_client_request().map_err(|_| invalid())?;
        request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
        if let Some(token) = token {
            let mut bearer = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| invalid())?;
            bearer.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, bearer);
        }
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BYTES)
            .write_buffer_size(0)
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX));
        match client_with_config(request, wire, Some(config)) {
            Ok((socket, _)) => Ok(socket),
            Err(HandshakeError::Failure(tungstenite::Error::Http(answer))) => {
                Err(Refusal::Status(answer.status().as_u16()))
            }
            Err(HandshakeError::Failure(error)) => Err(Refusal::Failed(error.to_string())),
            Err(HandshakeError::Interrupted(_)) => Err(Refusal::Failed("no answer in time".to_owned())),
        }
    }

    #[cfg(feature = "tls")]
    fn wire(&self, tcp: TcpStream) -> Result<Wire, Refusal> {
        use rustls::pki_types::ServerName;
        if !self.address.is_tls {
            return Ok(Wire::Plain(tcp));
        }
        let failed = |error: rustls::Error| Refusal::Failed(error.to_string());
        let config = match &self.tls {
            Some(config) => std::sync::Arc::clone(config),
            None => crate::trust::trust_in_the_web().map_err(failed)?,
        };
        let name = ServerName::try_from(self.address.host.clone());
        let name = name.map_err(|_| Refusal::Failed("the host is no name of a certificate".to_owned()))?;
        let client = rustls::ClientConnection::new(config, name).map_err(failed)?;
        Ok(Wire::Tls(Box::new(rustls::StreamOwned::new(client, tcp))))
    }

    #[cfg(not(feature = "tls"))]
    fn wire(&self, tcp: TcpStream) -> Result<Wire, Refusal> {
        if self.address.is_tls {
            return Err(Refusal::Failed("this build has no TLS: its feature `tls` is off".to_owned()));
        }
        Ok(Wire::Plain(tcp))
    }
}

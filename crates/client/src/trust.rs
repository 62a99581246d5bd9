//! Whose certificates a feed over TLS trusts. The cryptography is ring's.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::Error;

/// As browsers do: Mozilla's roots.
pub(crate) fn trust_in_the_web() -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    with_roots(roots)
}

/// The certificates of a PEM file alone.
pub(crate) fn trust_in(pem: &[u8]) -> Result<Arc<ClientConfig>, Error> {
    let refuse = |got: &str| {
        let (what, fix) =
            ("no certificate can be read of this", "give a PEM file with -----BEGIN CERTIFICATE-----");
        Error::new("client.bad_certificate", what, "options.trusting", "certificates as PEM", got, fix)
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| refuse(&error.to_string()))?;
        roots.add(certificate).map_err(|error| refuse(&error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(refuse("none"));
    }
    with_roots(roots).map_err(|error| refuse(&error.to_string()))
}

fn with_roots(roots: RootCertStore) -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

#[cfg(test)]
mod tests {
    use crate::Options;

    #[test]
    fn what_is_no_certificate_is_refused() {
        let wrong = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
        for pem in ["", "hello", wrong, "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"] {
            let error = Options::default().trusting(pem.as_bytes()).err().unwrap();
            assert_eq!(error.code, "client.bad_certificate", "{pem:?}");
        }
    }
}

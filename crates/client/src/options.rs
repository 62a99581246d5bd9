//! What can be chosen of a feed.

use std::time::Duration;

use crate::{Pauses, Token};

/// How a feed is kept.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// What the server knows this client by; none by default.
    pub token: Option<Token>,
    /// Pauses between attempts to connect: 100 ms at first, 800 ms at most, so that a server which is there again is found within
    /// 1 s. A server that asks for another window, or for a rest, is heeded.
    pub pauses: Pauses,
    /// Pauses between requests for an image: 250 ms at first, 10 s at most.
    pub resync: Pauses,
    /// How long to rest after the server closed for being too slow (half of it) or for asking too often: 10 s.
    pub rest: Duration,
    /// How long an attempt may take, greeting included: 5 s.
    pub open_within: Duration,
    /// A ping each so often, 2 s. A server that sends nothing at all for three of these, or for three of its own heartbeats, is left.
    pub ping_each: Duration,
    /// TLS of your own, with roots or a client's certificate; by default Mozilla's roots.
    #[cfg(feature = "tls")]
    pub tls: Option<std::sync::Arc<rustls::ClientConfig>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            token: None,
            pauses: Pauses { first: Duration::from_millis(100), longest: Duration::from_millis(800) },
            resync: Pauses { first: Duration::from_millis(250), longest: Duration::from_secs(10) },
            rest: Duration::from_secs(10),
            open_within: Duration::from_secs(5),
            ping_each: Duration::from_secs(2),
            #[cfg(feature = "tls")]
            tls: None,
        }
    }
}

impl Options {
    /// With TLS that trusts the certificates of a PEM file, and no others: those of an authority of your own, or of the server itself,
    /// unless it is marked as an authority.
    ///
    /// # Errors
    /// `client.bad_certificate` where there is none in it, or one that cannot be read.
    #[cfg(feature = "tls")]
    pub fn trusting(mut self, pem: &[u8]) -> Result<Self, crate::Error> {
        self.tls = Some(crate::trust::trust_in(pem)?);
        Ok(self)
    }

    /// With a token that stays the same.
    #[must_use]
    pub fn token(mut self, token: &str) -> Self {
        self.token = Some(Token::Fixed(token.to_owned()));
        self
    }

    /// With a token that is asked for before each attempt.
    #[must_use]
    pub fn token_from(mut self, give: impl Fn() -> Result<String, String> + Send + Sync + 'static) -> Self {
        self.token = Some(Token::Asked(std::sync::Arc::new(give)));
        self
    }
}

//! What a server knows a client by.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::Error;
use crate::socket::Refusal;

type Give = dyn Fn() -> Result<String, String> + Send + Sync;

/// A token, or what is asked for one before each attempt to connect.
#[derive(Clone)]
pub enum Token {
    /// Always the same.
    Fixed(String),
    /// Asked before each attempt, in the attempt's thread; an error is told and asked again.
    Asked(Arc<Give>),
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What is given is a secret, so it is never part of a text.
        f.write_str(match self {
            Self::Fixed(_) => "Token::Fixed",
            Self::Asked(_) => "Token::Asked",
        })
    }
}

/// The token of one feed, which is not offered again once the server has refused it.
#[derive(Clone, Default)]
pub(crate) struct Asked {
    token: Option<Token>,
    /// The last one that was offered, and the last one that was refused.
    offered: Arc<Mutex<[Option<String>; 2]>>,
}

impl Asked {
    pub fn new(token: Option<Token>) -> Self {
        Self { token, offered: Arc::default() }
    }

    /// Whether there can be another one.
    pub fn can_renew(&self) -> bool {
        matches!(self.token, Some(Token::Asked(_)))
    }

    pub fn ask(&self) -> Result<Option<String>, Refusal> {
        let refuse = |code: &str, what: &str, expected: &str, got: &str, fix: &str, may_come| {
            let error = Error::new(code, what, "Options.token", expected, got, fix);
            Refusal::Token { error, may_come }
        };
        let token = match &self.token {
            None => return Ok(None),
            Some(Token::Fixed(token)) => token.clone(),
            Some(Token::Asked(give)) => give().map_err(|got| {
                let (what, fix) = ("there is no token", "it is asked for again with the next attempt");
                refuse("client.token_failed", what, "a token", &got, fix, true)
            })?,
        };
        let is_token = |c: u8| c.is_ascii_alphanumeric() || b"_.~+/=-".contains(&c);
        if token.is_empty() || token.len() > 8_192 || !token.bytes().all(is_token) {
            let expected = "a JWT of at most 8192 characters";
            let fix = "pass the token alone, without Bearer and spaces";
            return Err(refuse(
                "client.bad_token",
                "this is no token",
                expected,
                "a text that is none",
                fix,
                false,
            ));
        }
        let mut offered = self.offered.lock().unwrap_or_else(PoisonError::into_inner);
        if offered[1].as_ref() == Some(&token) {
            let what = "the server has refused this token already";
            let fix = "give a new one each time, and check its expiry and issuer";
            return Err(refuse("client.token_refused", what, "another one", "the same", fix, false));
        }
        offered[0] = Some(token.clone());
        Ok(Some(token))
    }

    /// The server does not accept the last one, or not any more.
    pub fn refused(&self) {
        let mut offered = self.offered.lock().unwrap_or_else(PoisonError::into_inner);
        offered[1] = offered[0].clone();
    }
}

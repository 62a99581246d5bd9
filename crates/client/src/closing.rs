//! What the end of a connection means.

use crate::Error;

/// What the client does afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// Another attempt, by the usual pauses.
    Again,
    /// The same, after half of the longest rest.
    Rested,
    /// The same, after the longest rest.
    Later,
    /// The same, with another token.
    Token,
    /// Nothing more: the same connection would be closed again.
    End,
}

/// How a connection ended, or was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Closing {
    pub error: Error,
    pub after: After,
}

impl Closing {
    /// By the server's close code, with its reason or the system's words.
    pub fn of_code(code: u16, got: &str, url: &str) -> Self {
        use After::{Again, End, Later, Rested, Token};
        let (name, what, fix, after) = match code {
            1001 => (
                "feed.server_stops",
                "the server stops or restarts",
                "nothing to do: the client comes back by itself",
                Again,
            ),
            1008 => ("feed.policy", "the server does not accept this client", "see the reason", End),
            1009 => (
                "feed.control_too_big",
                "a control message was longer than the server takes",
                "use shorter names",
                End,
            ),
            4400 => (
                "feed.bad_request",
                "the server does not understand this client",
                "update the client or the server: they speak different versions of the protocol",
                End,
            ),
            4401 => (
                "feed.auth",
                "the server wants a token, or another one",
                "pass a valid token; a function is asked for a new one each time",
                Token,
            ),
            4403 => (
                "feed.not_entitled",
                "the token does not allow this feed",
                "use a token whose entitlements cover it",
                End,
            ),
            4408 => (
                "feed.too_slow",
                "the client did not take the feed as fast as it came",
                "call Feed::next more often, or subscribe to fewer instruments or to a depth with an interval",
                Rested,
            ),
            4429 => {
                ("feed.rate", "the client sent more than the server allows", "subscribe less often", Later)
            }
            _ => (
                "feed.disconnected",
                "the connection was lost",
                "check that the server runs and answers",
                Again,
            ),
        };
        let error = Error::new(
            name,
            what,
            url,
            "an open depthwire.v1 feed",
            &format!("close code {code}, {got}"),
            fix,
        );
        Self { error, after }
    }

    /// A handshake that the server refused.
    pub fn of_status(status: u16, url: &str) -> Self {
        match status {
            401 => Self::of_code(4401, "HTTP status 401", url),
            403 => Self::of_code(4403, "HTTP status 403", url),
            429 => Self::of_code(4429, "HTTP status 429", url),
            _ => Self::of_failure(&format!("HTTP status {status}"), url),
        }
    }

    /// It was not opened.
    pub fn of_failure(got: &str, url: &str) -> Self {
        let (what, fix) = ("the connection could not be opened", "check that the server runs and answers");
        let error = Error::new("feed.connect_failed", what, url, "an open depthwire.v1 feed", got, fix);
        Self { error, after: After::Again }
    }

    /// It was left because what it brings cannot be trusted, or brings nothing.
    pub const fn by_client(error: Error) -> Self {
        Self { error, after: After::Again }
    }
}

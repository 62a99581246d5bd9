//! The one error of this crate.

use std::fmt;

use depthwire_core::replica::ReplicaError;

/// What is wrong, where, what was expected and came instead, and what to do about it. `code` is stable; the server's own errors
/// keep the server's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Stable code: `client.…` of this crate, `feed.…` of the server and of the connection, `replica.…` of frames.
    pub code: String,
    /// What is wrong.
    pub what: String,
    /// Where.
    pub place: String,
    /// What was expected.
    pub expected: String,
    /// What came.
    pub got: String,
    /// What helps.
    pub fix: String,
}

impl Error {
    pub(crate) fn new(code: &str, what: &str, place: &str, expected: &str, got: &str, fix: &str) -> Self {
        let [code, what, place, expected, got, fix] =
            [code, what, place, expected, got, fix].map(str::to_owned);
        Self { code, what, place, expected, got, fix }
    }

    /// Of bytes that are no frames, or frames that cannot be held.
    pub(crate) fn of_frame(error: ReplicaError, place: &str) -> Self {
        let account = error.account();
        Self::new(error.code(), &account.what, place, &account.expected, &account.got, error.fix())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, what, place, expected, got, fix } = self;
        write!(f, "{place}: {what} ({code}); expected {expected}, got {got}. {fix}")
    }
}

impl std::error::Error for Error {}

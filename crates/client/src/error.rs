//! The one error of this crate.

use std::fmt;
use std::ops::Deref;

use depthwire_core::replica::ReplicaError;

/// What is wrong, where, what was expected and came instead, and what to do about it: its parts are its fields, `error.code`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Box<ErrorParts>);

/// The parts of an [`Error`]. `code` is stable; the server's own errors keep the server's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorParts {
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
        ErrorParts { code, what, place, expected, got, fix }.into()
    }

    /// Of bytes that are no frames, or frames that cannot be held.
    pub(crate) fn of_frame(error: ReplicaError, place: &str) -> Self {
        let account = error.account();
        Self::new(error.code(), &account.what, place, &account.expected, &account.got, error.fix())
    }
}

impl From<ErrorParts> for Error {
    fn from(parts: ErrorParts) -> Self {
        Self(Box::new(parts))
    }
}

impl Deref for Error {
    type Target = ErrorParts;

    fn deref(&self) -> &ErrorParts {
        &self.0
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ErrorParts { code, what, place, expected, got, fix } = &**self;
        write!(f, "{place}: {what} ({code}); expected {expected}, got {got}. {fix}")
    }
}

impl std::error::Error for Error {}

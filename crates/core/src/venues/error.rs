//! Why a room refuses bytes.

use core::fmt;

use crate::decode::DecodeError;
use crate::framing::dbn::DbnError;
use crate::framing::itch::ItchError;
use crate::framing::mold::MoldError;
use crate::types::Account;

/// Why bytes of a venue had no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// Text that is no message of the venue.
    Decode(DecodeError),
    /// A packet's payload is no packet of the feed.
    Mold(MoldError),
    /// A message is none.
    Itch(ItchError),
    /// A record is none.
    Dbn(DbnError),
}

impl FrameError {
    /// Stable code, which reaches JavaScript as `err.code`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Decode(error) => error.code(),
            Self::Mold(error) => error.code(),
            Self::Itch(error) => error.code(),
            Self::Dbn(error) => error.code(),
        }
    }

    /// What to do about it, in one line.
    #[must_use]
    pub const fn fix(&self) -> &'static str {
        match self {
            Self::Decode(error) => error.fix(),
            Self::Mold(error) => error.fix(),
            Self::Itch(error) => error.fix(),
            Self::Dbn(error) => error.fix(),
        }
    }

    /// What, expected and got.
    #[must_use]
    pub fn account(&self) -> Account {
        match self {
            Self::Decode(error) => error.account(),
            Self::Mold(error) => error.account(),
            Self::Itch(error) => error.account(),
            Self::Dbn(error) => error.account(),
        }
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.account().fmt(f)
    }
}

impl std::error::Error for FrameError {}

impl From<DecodeError> for FrameError {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

impl From<MoldError> for FrameError {
    fn from(error: MoldError) -> Self {
        Self::Mold(error)
    }
}

impl From<ItchError> for FrameError {
    fn from(error: ItchError) -> Self {
        Self::Itch(error)
    }
}

impl From<DbnError> for FrameError {
    fn from(error: DbnError) -> Self {
        Self::Dbn(error)
    }
}

//! Why bytes are not an ITCH message.

use core::fmt;

use crate::types::{Account, Byte};

/// Why one message is refused. It concerns that message only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItchError {
    /// No byte at all.
    Empty,
    /// A message type that TotalView-ITCH 5.0 does not have.
    UnknownType {
        /// The type byte.
        got: u8,
    },
    /// The message is shorter or longer than its type is.
    WrongLength {
        /// The type byte.
        message_type: u8,
        /// Bytes of a message of this type.
        expected: usize,
        /// Bytes that came.
        got: usize,
    },
    /// A side that is neither `B` nor `S`.
    BadSide {
        /// The side byte.
        got: u8,
    },
    /// A printable flag that is neither `Y` nor `N`: whether the execution is volume is not known.
    BadPrintable {
        /// The flag byte.
        got: u8,
    },
}

impl ItchError {
    /// Stable code, which reaches JavaScript as `err.code`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "itch.empty",
            Self::UnknownType { .. } => "itch.unknown_type",
            Self::WrongLength { .. } => "itch.wrong_length",
            Self::BadSide { .. } => "itch.bad_side",
            Self::BadPrintable { .. } => "itch.bad_printable",
        }
    }

    /// What to do about it, in one line.
    #[must_use]
    pub const fn fix(&self) -> &'static str {
        match self {
            Self::Empty => "pass whole messages; an empty one ends a BinaryFILE session and is no message",
            Self::UnknownType { .. } | Self::WrongLength { .. } => {
                "check that the feed is TotalView-ITCH 5.0 and not another ITCH, OUCH or BBO feed of the venue"
            }
            Self::BadSide { .. } | Self::BadPrintable { .. } => {
                "check the source for damage; the orders of this book are not known any more"
            }
        }
    }

    /// What, expected and got.
    #[must_use]
    pub fn account(&self) -> Account {
        match *self {
            Self::Empty => Account::new("empty message", "a type byte", "nothing"),
            Self::UnknownType { got } => {
                Account::new("unknown message type", "one of TotalView-ITCH 5.0", Byte(got))
            }
            Self::WrongLength { message_type, expected, got } => Account::new(
                format_args!("wrong length of message {}", Byte(message_type)),
                format_args!("{expected} bytes"),
                got,
            ),
            Self::BadSide { got } => Account::new("bad side", "'B' or 'S'", Byte(got)),
            Self::BadPrintable { got } => Account::new("bad printable flag", "'Y' or 'N'", Byte(got)),
        }
    }
}

impl fmt::Display for ItchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.account().fmt(f)
    }
}

impl std::error::Error for ItchError {}

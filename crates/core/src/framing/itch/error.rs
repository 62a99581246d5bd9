//! Why bytes are not an ITCH message.

use core::fmt;

use crate::decode::Byte;

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
}

/// What, expected and got. The code and the remedy stand beside it, not in it.
impl fmt::Display for ItchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Empty => f.write_str("empty message; expected a type byte, got nothing"),
            Self::UnknownType { got } => {
                write!(f, "unknown message type; expected one of TotalView-ITCH 5.0, got {}", Byte(got))
            }
            Self::WrongLength { message_type, expected, got } => {
                write!(
                    f,
                    "wrong length of message {}; expected {expected} bytes, got {got}",
                    Byte(message_type)
                )
            }
            Self::BadSide { got } => {
                write!(f, "bad side; expected 'B' or 'S', got {}", Byte(got))
            }
            Self::BadPrintable { got } => {
                write!(f, "bad printable flag; expected 'Y' or 'N', got {}", Byte(got))
            }
        }
    }
}

impl std::error::Error for ItchError {}

//! Why bytes are not a SoupBinTCP packet, or not one that may come now.

use core::fmt;

use crate::types::{Account, Byte};

/// Why a packet is refused. It concerns that packet only; one that was a sequenced message is missing from the count,
/// so a refusal of an unknown type or length should end the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SoupError {
    /// A packet without a type byte.
    Empty,
    /// A packet type that SoupBinTCP does not have.
    UnknownType {
        /// The type byte.
        got: u8,
    },
    /// The payload is shorter or longer than that of its type.
    WrongLength {
        /// The type byte.
        packet_type: u8,
        /// Bytes of its payload.
        expected: usize,
        /// Bytes that came.
        got: usize,
    },
    /// A sequence in a login packet that is no number of 64 bits.
    BadSequence,
    /// A packet that the server does not send, or not at this point of a session.
    Unexpected {
        /// What the session waits for.
        expected: &'static str,
        /// The packet that came.
        got: &'static str,
    },
}

impl SoupError {
    /// Stable code, which reaches JavaScript as `err.code`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "soup.empty",
            Self::UnknownType { .. } => "soup.unknown_type",
            Self::WrongLength { .. } => "soup.wrong_length",
            Self::BadSequence => "soup.bad_sequence",
            Self::Unexpected { .. } => "soup.unexpected",
        }
    }

    /// What to do about it, in one line.
    #[must_use]
    pub const fn fix(&self) -> &'static str {
        match self {
            Self::Empty | Self::UnknownType { .. } | Self::WrongLength { .. } | Self::BadSequence => {
                "check that the port speaks SoupBinTCP 3.00, then log in again at the next sequence"
            }
            Self::Unexpected { .. } => "log in again at the next sequence",
        }
    }

    /// What, expected and got.
    #[must_use]
    pub fn account(&self) -> Account {
        match *self {
            Self::Empty => Account::new("empty packet", "a type byte", "nothing"),
            Self::UnknownType { got } => {
                Account::new("unknown packet type", "one of SoupBinTCP 3.00", Byte(got))
            }
            Self::WrongLength { packet_type, expected, got } => Account::new(
                format_args!("wrong length of packet {}", Byte(packet_type)),
                format_args!("{expected} bytes of payload"),
                got,
            ),
            Self::BadSequence => {
                Account::new("bad sequence in a login packet", "digits of a 64-bit number", "other text")
            }
            Self::Unexpected { expected, got } => Account::new("packet out of place", expected, got),
        }
    }
}

impl fmt::Display for SoupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.account().fmt(f)
    }
}

impl std::error::Error for SoupError {}

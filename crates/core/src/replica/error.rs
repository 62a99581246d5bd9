//! Why bytes are no frames, or none that a reader can hold.

use core::fmt;

use super::{REPLICA_BOOKS_MAX, REPLICA_LEVELS_MAX, REPLICA_ORDERS_MAX};
use crate::types::Account;

/// Why bytes are no frames. What stood before them has been taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplicaError {
    /// Fewer bytes than a frame's size says.
    Truncated {
        /// Offset of the frame.
        at: usize,
    },
    /// The bytes are no valid frame of this schema, or lack what the protocol asks of their kind.
    Invalid {
        /// Offset of the frame.
        at: usize,
    },
    /// More than [`REPLICA_BOOKS_MAX`] instruments, [`REPLICA_LEVELS_MAX`] levels or [`REPLICA_ORDERS_MAX`] orders, or a quantity
    /// below zero.
    Full {
        /// Offset of the frame.
        at: usize,
    },
}

impl ReplicaError {
    /// Stable code, which reaches JavaScript as `err.code`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Truncated { .. } => "replica.truncated",
            Self::Invalid { .. } => "replica.invalid",
            Self::Full { .. } => "replica.full",
        }
    }

    /// What to do about it, in one line.
    #[must_use]
    pub const fn fix(self) -> &'static str {
        match self {
            Self::Truncated { .. } | Self::Invalid { .. } => "resync from a new image",
            Self::Full { .. } => "follow fewer instruments with one replica, and resync from a new image",
        }
    }

    /// What, expected and got.
    #[must_use]
    pub fn account(&self) -> Account {
        match self {
            Self::Truncated { at } => Account::new(
                format_args!("the frame at byte {at} is cut off"),
                "as many bytes as it says",
                "fewer",
            ),
            Self::Invalid { at } => Account::new(
                format_args!("the bytes at {at} are no feed frame"),
                "a frame of this protocol's schema",
                "something else",
            ),
            Self::Full { at } => Account::new(
                format_args!("the frame at byte {at} is beyond the replica's limits"),
                format_args!(
                    "at most {REPLICA_BOOKS_MAX} books of {REPLICA_LEVELS_MAX} levels and {REPLICA_ORDERS_MAX} orders, and quantities of 0 or more"
                ),
                "more, or a quantity below 0",
            ),
        }
    }
}

impl fmt::Display for ReplicaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.account().fmt(f)
    }
}

impl std::error::Error for ReplicaError {}

/// Why a frame cannot be applied; where it stood is known further out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It lacks what the protocol asks of its kind.
    Invalid,
    /// It is more than is held, or below zero.
    Full,
}

impl Refusal {
    pub(super) const fn at(self, at: usize) -> ReplicaError {
        match self {
            Self::Invalid => ReplicaError::Invalid { at },
            Self::Full => ReplicaError::Full { at },
        }
    }
}

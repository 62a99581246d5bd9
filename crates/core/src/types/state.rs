//! The state that a book is always in and that every reader sees.

/// Whether a book may be trusted. Only `Synced` publishes deltas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookState {
    /// No book yet: waiting for a snapshot and for the updates that bridge onto it.
    Syncing,
    /// Exactly the venue's book at the stated sequence.
    Synced,
    /// Its truth is lost, or could not be had, until a new snapshot is in.
    Stale(StaleReason),
}

/// Why a book lost its truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum StaleReason {
    /// Updates are missing between the last one applied and the one received.
    Gap = 1,
    /// Nothing arrived for `silence_ms`.
    Silence = 2,
    /// The book would hold more levels than its limit.
    LevelsLimit = 3,
    /// A message of an order feed contradicts the book: an unknown or repeated order, more executed than was left.
    Contradiction = 4,
    /// The order feed would hold more orders than its limit.
    OrdersLimit = 5,
}

impl BookState {
    /// The state's number on the wire: 1 syncing, 2 synced, 3 stale.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Syncing => 1,
            Self::Synced => 2,
            Self::Stale(_) => 3,
        }
    }

    /// The reason's number on the wire, 0 when there is none.
    #[must_use]
    pub const fn reason_code(self) -> u8 {
        match self {
            Self::Stale(reason) => reason as u8,
            _ => 0,
        }
    }

    /// The reason's word, as it stands in JSON; `none` when there is none.
    #[must_use]
    pub const fn reason_name(self) -> &'static str {
        match self {
            Self::Stale(StaleReason::Gap) => "gap",
            Self::Stale(StaleReason::Silence) => "silence",
            Self::Stale(StaleReason::LevelsLimit) => "levels_limit",
            Self::Stale(StaleReason::Contradiction) => "contradiction",
            Self::Stale(StaleReason::OrdersLimit) => "orders_limit",
            _ => "none",
        }
    }

    /// The state's word, as it stands in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Syncing => "syncing",
            Self::Synced => "synced",
            Self::Stale(_) => "stale",
        }
    }
}

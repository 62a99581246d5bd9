//! Whether what a reader has may be trusted, and why not.

use crate::types::{BookState, StaleReason};

/// Whether what a reader has of a stream may be trusted. Only [`ReplicaState::Synced`] is exactly the server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplicaState {
    /// No image has come yet, or the server itself has no whole book yet.
    Syncing,
    /// Exact at the stated epoch and sequence.
    Synced,
    /// The last that was known.
    Stale(ReplicaReason),
}

/// Why a reader's copy is stale: the server says so, or the reader found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplicaReason {
    /// The server's own book is.
    Server(StaleReason),
    /// The server says so without a reason that this reader knows.
    Unknown,
    /// Frames are missing.
    SequenceGap,
    /// Checksums differ, or a change does not fit.
    CheckFailed,
    /// A frame could not be applied.
    BadFrame,
    /// The connection is lost, or what was missed meanwhile has not been brought yet.
    Disconnected,
    /// The server holds back changes until this reader, which is slow, has taken what waits for it.
    Behind,
}

impl ReplicaState {
    /// What a state and a reason on the wire say; a state that is not known is not to be trusted.
    #[must_use]
    pub fn of_codes(state: u8, reason: u8) -> Self {
        if state == BookState::Synced.code() {
            return Self::Synced;
        }
        if state == BookState::Syncing.code() {
            return Self::Syncing;
        }
        let known = StaleReason::ALL.into_iter().find(|known| *known as u8 == reason);
        Self::Stale(known.map_or(ReplicaReason::Unknown, ReplicaReason::Server))
    }

    /// The state's word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Syncing => "syncing",
            Self::Synced => "synced",
            Self::Stale(_) => "stale",
        }
    }

    /// The reason's word; `none` where there is none.
    #[must_use]
    pub const fn reason_name(self) -> &'static str {
        match self {
            Self::Syncing | Self::Synced => "none",
            Self::Stale(reason) => reason.name(),
        }
    }
}

impl ReplicaReason {
    /// The reason's word, the same as in every client.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Server(reason) => reason.name(),
            Self::Unknown => "unknown",
            Self::SequenceGap => "sequence_gap",
            Self::CheckFailed => "check_failed",
            Self::BadFrame => "bad_frame",
            Self::Disconnected => "disconnected",
            Self::Behind => "behind",
        }
    }
}

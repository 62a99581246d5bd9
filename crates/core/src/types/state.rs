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
    /// The venue contradicts the book: by its checksum, by its own top of book at the same sequence, by a level that it
    /// says comes, changes or goes, or by an order message that does not fit.
    Contradiction = 4,
    /// The feed would hold more orders than its limit.
    OrdersLimit = 5,
    /// A message of the book could not be read.
    Unreadable = 6,
    /// The source failed: a file that is damaged or cut, a connection that is gone for good.
    SourceFailed = 7,
    /// The book came from a snapshot that names no instrument, and the source carries several.
    Unattributed = 8,
    /// Bytes of the feed were skipped.
    Skipped = 9,
    /// The venue, or whoever delivers its data, doubts the book.
    VenueDoubt = 10,
}

impl StaleReason {
    /// Every reason, in the order of their numbers.
    pub const ALL: [Self; 10] = [
        Self::Gap,
        Self::Silence,
        Self::LevelsLimit,
        Self::Contradiction,
        Self::OrdersLimit,
        Self::Unreadable,
        Self::SourceFailed,
        Self::Unattributed,
        Self::Skipped,
        Self::VenueDoubt,
    ];

    /// The reason's word, as it stands in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gap => "gap",
            Self::Silence => "silence",
            Self::LevelsLimit => "levels_limit",
            Self::Contradiction => "contradiction",
            Self::OrdersLimit => "orders_limit",
            Self::Unreadable => "unreadable",
            Self::SourceFailed => "source_failed",
            Self::Unattributed => "unattributed",
            Self::Skipped => "skipped",
            Self::VenueDoubt => "venue_doubt",
        }
    }

    /// What the word means, as half a sentence.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Gap => "updates are missing",
            Self::Silence => "nothing arrived for too long",
            Self::LevelsLimit => "the book grew beyond the levels that the engine holds",
            Self::Contradiction => "the venue's messages do not fit its own book",
            Self::OrdersLimit => "the feed grew beyond the orders that the engine holds",
            Self::Unreadable => "a message of the book could not be read",
            Self::SourceFailed => "the file is damaged or gone, or the connection is lost for good",
            Self::Unattributed => "a snapshot did not say which instrument it is of",
            Self::Skipped => "bytes of an order feed were passed over",
            Self::VenueDoubt => "the venue or supplier itself says that the book may be wrong",
        }
    }

    /// Whether the venue's own numbers can clear it: an update that continues the book shows that nothing was missed.
    #[must_use]
    pub const fn is_doubt(self) -> bool {
        matches!(self, Self::Silence | Self::Unreadable | Self::SourceFailed | Self::Skipped)
    }
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

    /// The state that a state's and a reason's numbers on the wire are of; none where one is not known.
    #[must_use]
    pub fn of_codes(state: u8, reason: u8) -> Option<Self> {
        match state {
            1 => Some(Self::Syncing),
            2 => Some(Self::Synced),
            3 => StaleReason::ALL.into_iter().find(|known| *known as u8 == reason).map(Self::Stale),
            _ => None,
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
            Self::Stale(reason) => reason.name(),
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

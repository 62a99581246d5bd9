//! Is this update the next one? Order is judged by the venue's own numbers and by nothing else.
//!
//! A few machines serve all venues; which one a product follows stands in its room. A gap is an outcome here, not an
//! error: markets lose frames. What happens then is the engine's business.

mod counter;
mod line;
mod linked;
mod messages;
mod pending;
mod pending_orders;
mod range;
mod time;
mod waits;

pub use line::{Arrival, HELD_BYTES_MAX, HELD_PACKETS_MAX, LINES_MAX, LineArbiter, LineGap, WAIT_NS};
pub use messages::MessageCounter;
pub use pending::{PENDING_LEVELS_MAX, PENDING_UPDATES_MAX, Pending};
pub use pending_orders::{PENDING_ORDER_CHANGES_MAX, PENDING_ORDER_UPDATES_MAX, PendingOrders};
pub use waits::{Hole, Waiting, Waits};

use crate::types::VenueSeq;

/// What an update is to a book at a known place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeqOutcome {
    /// It continues the book: apply it.
    Next,
    /// The book already holds it: ignore it.
    Old,
    /// Something between the book and it is missing.
    Gap {
        /// The number that was due.
        expected: u64,
        /// The one that came.
        received: u64,
    },
}

/// How a venue numbers the changes of a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Rule {
    /// A range that runs on; see `range`.
    Range,
    /// A link to the update before; see `linked`.
    Linked,
    /// One by one; see `counter`.
    Counter,
    /// By a time alone; see `time`.
    Time,
    /// Not at all: each update is next. A loss shows by a checksum, by the connection's own counter, or not at all.
    Unnumbered,
    /// As [`Self::Linked`] where a book has a number, as [`Self::Unnumbered`] where it has none: a venue that began to number
    /// what it says, and has recordings of before that. A book goes on as it began: what is numbered otherwise contradicts it.
    LinkedIfNumbered,
}

impl Rule {
    /// Whether an update is numbered so. One that is not is of another product, whose symbols and form may be alike.
    #[inline]
    #[must_use]
    pub const fn fits(self, seq: &VenueSeq) -> bool {
        matches!(self, Self::LinkedIfNumbered) || seq.prev.is_some() == matches!(self, Self::Linked)
    }

    /// Whether a message is placed by its number.
    #[must_use]
    pub const fn places(self, seq: &VenueSeq) -> bool {
        match self {
            Self::Range | Self::Linked | Self::Counter | Self::Time => true,
            Self::LinkedIfNumbered => seq.last != 0,
            Self::Unnumbered => false,
        }
    }

    /// The rule of a book that begins at a number.
    const fn of_book(self, number: u64) -> Self {
        match self {
            Self::LinkedIfNumbered if number == 0 => Self::Unnumbered,
            Self::LinkedIfNumbered => Self::Linked,
            rule => rule,
        }
    }
}

/// A book's place in its venue's numbering.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Chain {
    rule: Rule,
    /// The snapshot's number until the first update is applied, then that of the last update.
    last: u64,
    bridged: bool,
}

impl Chain {
    /// A chain that starts at a snapshot.
    #[must_use]
    pub const fn new(rule: Rule, snapshot: u64) -> Self {
        Self { rule: rule.of_book(snapshot), last: snapshot, bridged: false }
    }

    /// Whether its updates are numbered.
    #[must_use]
    pub const fn is_numbered(&self) -> bool {
        !matches!(self.rule, Rule::Unnumbered)
    }

    /// Whether an update is numbered as it is.
    #[inline]
    #[must_use]
    pub const fn fits(&self, seq: &VenueSeq) -> bool {
        self.rule.fits(seq)
    }

    /// The number that the book stands at.
    #[must_use]
    pub const fn last(&self) -> u64 {
        self.last
    }

    /// Whether an update has been applied on top of the snapshot. Until then a gap means that the snapshot is too old.
    #[must_use]
    pub const fn is_bridged(&self) -> bool {
        self.bridged
    }

    /// Judges an update. Changes nothing. Constant time.
    #[inline]
    #[must_use]
    pub const fn check(&self, seq: &VenueSeq) -> SeqOutcome {
        match self.rule {
            Rule::Range => range::check(self.last, seq),
            Rule::Linked | Rule::LinkedIfNumbered => linked::check(self.last, self.bridged, seq),
            Rule::Counter => counter::check(self.last, seq),
            Rule::Time => time::check(self.last, seq),
            Rule::Unnumbered => SeqOutcome::Next,
        }
    }

    /// Moves on to an update that [`Chain::check`] called `Next`.
    #[inline]
    pub fn advance(&mut self, seq: &VenueSeq) {
        debug_assert_eq!(self.check(seq), SeqOutcome::Next);
        self.last = seq.last;
        self.bridged = true;
    }
}

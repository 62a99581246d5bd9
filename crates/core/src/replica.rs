//! The way back: feed frames into a book, by the reader's rules of the protocol and from nothing else.
//!
//! [`Replica`] follows the books of many instruments: `verify` proves with it that what was emitted is what the engine holds. Who
//! reads single streams, as a client does, keeps a [`ReplicaBook`], [`ReplicaOrders`], [`ReplicaTape`], [`ReplicaFacts`],
//! [`ReplicaVolumes`], [`ReplicaCosts`] or [`ReplicaSignals`] for each and hands it the frames of [`feed_frames`] that are its.

mod book;
mod error;
mod facts;
mod feed_frame;
mod follow;
mod orders;
mod rows;
mod standing;
mod state;
mod tape;
mod volumes;

use std::collections::HashMap;

use crate::encode::{Kind, Stream};
use crate::types::{InstrumentId, TimeNs};

pub use book::ReplicaBook;
pub use error::ReplicaError;
pub use facts::ReplicaFacts;
pub use feed_frame::{FeedFrame, FeedFrames, feed_frames};
pub use orders::{REPLICA_ORDERS_MAX, ReplicaOrder, ReplicaOrders};
pub use rows::{ReplicaCosts, ReplicaRows, ReplicaSignals, WholeRow};
pub use standing::{STANDING_HOLES_MAX, STANDING_HOURS_MAX, Standing, StandingHole, StandingHour};
pub use state::{ReplicaReason, ReplicaState};
pub use tape::{ReplicaTape, TapeGap, TapeOutcome};
pub use volumes::{REPLICA_VOLUMES_MAX, ReplicaVolumes};

/// Most instruments that one replica follows; frames of further ones are an error.
pub const REPLICA_BOOKS_MAX: usize = 4_096;

/// Most levels that a replica's book or an image in several chunks may hold.
pub const REPLICA_LEVELS_MAX: u32 = 1 << 20;

/// What a frame did to a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The content is the image's, which is whole and agrees with its checksums.
    Image,
    /// A chunk of an image that is not whole yet was kept.
    Chunk,
    /// A chunk out of turn: those before it are dropped.
    Discarded,
    /// The content moved on.
    Applied,
    /// The content has it already.
    Old,
    /// Frames are missing: stale until an image comes, or where changes are absolute a frame that reaches back.
    Gap {
        /// The sequence that the content holds.
        expected: u64,
        /// The one that the frame follows.
        received: u64,
    },
    /// The checksums agree.
    Checked,
    /// They do not, or a change does not fit: stale until an image comes.
    CheckFailed,
    /// The server's word on the instrument was taken.
    Status,
    /// Not for this content: another stream, another epoch, an unknown kind, or nothing before an image.
    Ignored,
}

/// Books rebuilt from frames, one an instrument: of the `book` stream, and of the stream `orders` where it is read.
#[derive(Debug, Default)]
pub struct Replica {
    books: HashMap<InstrumentId, ReplicaBook>,
    orders: HashMap<InstrumentId, ReplicaOrders>,
    /// Where it is asked for, and the time of the last frame.
    standings: Option<(HashMap<InstrumentId, Standing>, TimeNs)>,
}

impl Replica {
    /// One that counts what readers have of each book, hour by hour. Costs some ns a frame.
    #[must_use]
    pub fn with_standings() -> Self {
        Self { standings: Some((HashMap::new(), 0)), ..Self::default() }
    }

    /// Takes frames that stand back to back; returns what the last one did.
    ///
    /// Each frame is verified before it is read (constant time: its vectors hold structs) and applies whole or not at all.
    /// # Errors
    /// [`ReplicaError`] names the frame that is wrong; those before it have been applied.
    pub fn apply(&mut self, bytes: &[u8]) -> Result<Outcome, ReplicaError> {
        let mut outcome = Outcome::Ignored;
        for frame in feed_frames(bytes) {
            let frame = frame?;
            outcome = self.apply_one(&frame)?;
            self.count(&frame, outcome);
        }
        Ok(outcome)
    }

    fn apply_one(&mut self, frame: &FeedFrame<'_>) -> Result<Outcome, ReplicaError> {
        let (id, stream) = (frame.instrument(), frame.stream());
        let full = ReplicaError::Full { at: frame.at() };
        if stream == Stream::ORDERS {
            if self.orders.len() >= REPLICA_BOOKS_MAX && !self.orders.contains_key(&id) {
                return Err(full);
            }
            return self.orders.entry(id).or_default().apply(frame);
        }
        if stream != Stream::BOOK && stream != Stream::STATUS {
            return Ok(Outcome::Ignored);
        }
        if frame.kind() == Kind::Status as u8
            && let Some(orders) = self.orders.get_mut(&id)
        {
            orders.apply(frame)?;
        }
        if self.books.len() >= REPLICA_BOOKS_MAX && !self.books.contains_key(&id) {
            return Err(full);
        }
        self.books.entry(id).or_default().apply(frame)
    }

    fn count(&mut self, frame: &FeedFrame<'_>, outcome: Outcome) {
        let (id, Some((standings, latest))) = (frame.instrument(), &mut self.standings) else { return };
        *latest = frame.ts_recv().max(*latest);
        if let Some(book) = self.books.get(&id) {
            let is_of_book = matches!(frame.stream(), Stream::BOOK | Stream::STATUS);
            let outcome = if is_of_book { outcome } else { Outcome::Ignored };
            standings.entry(id).or_default().take(frame, outcome, book.state());
        }
    }

    /// What readers had of each book up to the last frame of any; none unless asked for.
    pub fn standings(&mut self) -> impl Iterator<Item = (InstrumentId, &Standing)> {
        self.standings.iter_mut().flat_map(|(standings, latest)| {
            let latest = *latest;
            standings.iter_mut().map(move |(&id, standing)| {
                standing.count_to(latest);
                (id, &*standing)
            })
        })
    }

    /// An instrument's orders.
    #[must_use]
    pub fn orders(&self, id: InstrumentId) -> Option<&ReplicaOrders> {
        self.orders.get(&id)
    }

    /// An instrument's book.
    #[must_use]
    pub fn book(&self, id: InstrumentId) -> Option<&ReplicaBook> {
        self.books.get(&id)
    }

    /// All books.
    pub fn books(&self) -> impl Iterator<Item = (InstrumentId, &ReplicaBook)> {
        self.books.iter().map(|(&id, book)| (id, book))
    }
}

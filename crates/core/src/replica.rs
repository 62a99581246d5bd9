//! The way back: feed frames into a book, by the reader's rules of the protocol and from nothing else.
//!
//! `verify` proves with it that what was emitted is what the engine holds; a client, gateway or cluster node reads with it.

mod orders;

use std::collections::HashMap;
use std::fmt;

use crate::aggregate::checksums;
use crate::book::{BookSpec, L2Book, digest};
use crate::encode::generated::{Check, FRAME_IDENTIFIER, Frame, size_prefixed_root_as_frame};
use crate::encode::{Kind, Stream};
use crate::types::{Account, BookState, InstrumentId, KnownTo, Level, Levels, Price, Side};

pub use orders::{REPLICA_ORDERS_MAX, ReplicaOrder, ReplicaOrders};

/// Most instruments that one replica follows; frames of further ones are an error.
pub const REPLICA_BOOKS_MAX: usize = 4_096;

/// Most levels that a replica's book or an image in several chunks may hold.
pub const REPLICA_LEVELS_MAX: u32 = 1 << 20;

/// What a frame did to a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The book is the image's (at its last chunk), or a chunk was kept.
    Image,
    /// The book moved on.
    Applied,
    /// The book has it already.
    Old,
    /// Frames are missing: the book is stale until an image comes.
    Gap {
        /// The sequence that the book holds.
        expected: u64,
        /// The one that the frame follows.
        received: u64,
    },
    /// The checksums agree.
    Checked,
    /// They do not: the book is stale until an image comes.
    CheckFailed,
    /// Not for this book: another stream, another epoch, an unknown kind.
    Ignored,
}

/// Why bytes are no frames. What stood before them has been taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplicaError {
    /// Fewer bytes than a frame's size says.
    Truncated {
        /// Offset of the frame.
        at: usize,
    },
    /// The bytes are no valid frame of this schema.
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

/// One instrument's book as the feed told it.
#[derive(Debug)]
pub struct ReplicaBook {
    state: BookState,
    epoch: u64,
    seq: u64,
    venue_seq: u64,
    price_exponent: i8,
    qty_exponent: i8,
    book: L2Book,
    /// Chunks of an image that is not whole yet: its epoch, sequence and next chunk.
    chunks: Option<(u64, u64, u32)>,
    chunk_levels: Levels,
    checks: u64,
    check_failures: u64,
    gaps: u64,
}

impl ReplicaBook {
    fn new() -> Self {
        Self {
            state: BookState::Syncing,
            epoch: 0,
            seq: 0,
            venue_seq: 0,
            price_exponent: 0,
            qty_exponent: 0,
            // The feed names no tick; the book finds it in the levels.
            book: L2Book::new(BookSpec { tick_size: 0, levels_max: REPLICA_LEVELS_MAX }),
            chunks: None,
            chunk_levels: Levels::default(),
            checks: 0,
            check_failures: 0,
            gaps: 0,
        }
    }

    /// `Synced` while every frame since the image has been applied and none said otherwise.
    #[must_use]
    pub const fn state(&self) -> BookState {
        self.state
    }

    /// Epoch of the last image.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Sequence that the book holds.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// The venue's sequence that the book holds.
    #[must_use]
    pub const fn venue_seq(&self) -> u64 {
        self.venue_seq
    }

    /// The levels.
    #[must_use]
    pub const fn book(&self) -> &L2Book {
        &self.book
    }

    /// Checksums compared, images included, and how many of them disagreed.
    #[must_use]
    pub const fn checks(&self) -> (u64, u64) {
        (self.checks, self.check_failures)
    }

    /// Gaps seen.
    #[must_use]
    pub const fn gaps(&self) -> u64 {
        self.gaps
    }

    /// SHA-256 of the book's text form; see [`digest`].
    #[must_use]
    pub fn digest(&self) -> String {
        let (bids, asks) = (self.book.levels(Side::Bid), self.book.levels(Side::Ask));
        digest(bids, asks, self.price_exponent, self.qty_exponent)
    }

    fn apply(&mut self, frame: &Frame<'_>, levels: &mut Levels) -> Option<Outcome> {
        let header = frame.header();
        if header.kind() == Kind::Image as u8 {
            return self.image(frame, levels);
        }
        if header.epoch() > self.epoch && self.state == BookState::Synced {
            // The image that opens that epoch was missed: what is held is no longer the latest.
            return Some(self.gap(header.seq()));
        }
        if header.epoch() != self.epoch || self.state != BookState::Synced {
            return Some(Outcome::Ignored);
        }
        match header.kind() {
            kind if kind == Kind::Status as u8 => {
                // Only bad news is taken from a status: `synced` is told by the image of the new epoch.
                if frame.status().is_some_and(|status| status.state() != BookState::Synced.code()) {
                    self.state = BookState::Syncing;
                }
                Some(Outcome::Ignored)
            }
            kind if kind == Kind::Check as u8 => Some(match frame.check() {
                Some(check) if header.seq() == self.seq => self.check(check, levels),
                _ if header.seq() > self.seq => self.gap(header.seq()),
                _ => Outcome::Ignored,
            }),
            kind if kind == Kind::Delta as u8 => self.delta(frame, levels),
            _ => Some(Outcome::Ignored),
        }
    }

    /// Rule 1: replaces everything at the last chunk; a chunk out of turn discards those before it.
    fn image(&mut self, frame: &Frame<'_>, levels: &mut Levels) -> Option<Outcome> {
        let (header, Some(info)) = (frame.header(), frame.info()) else { return Some(Outcome::Ignored) };
        let turn = (header.epoch(), header.seq(), info.chunk_index());
        if info.chunk_index() == 0 {
            self.chunk_levels.clear();
        } else if self.chunks != Some(turn) {
            self.chunks = None;
            return Some(Outcome::Ignored);
        }
        copy_levels(frame, levels);
        if self.chunk_levels.len() + levels.len() > REPLICA_LEVELS_MAX as usize {
            self.chunks = None;
            return None;
        }
        self.chunk_levels.bids.extend_from_slice(&levels.bids);
        self.chunk_levels.asks.extend_from_slice(&levels.asks);
        if info.chunk_index() + 1 < info.chunk_count() {
            self.chunks = Some((turn.0, turn.1, turn.2 + 1));
            return Some(Outcome::Image);
        }
        self.chunks = None;
        let known_to = KnownTo { bid: Price(info.bid_known_to()), ask: Price(info.ask_known_to()) };
        self.book.load(self.chunk_levels.view(), known_to).ok()?;
        (self.epoch, self.seq, self.venue_seq) = (header.epoch(), header.seq(), header.venue_seq());
        (self.price_exponent, self.qty_exponent) = (info.price_exponent(), info.qty_exponent());
        self.state =
            if info.state() == BookState::Synced.code() { BookState::Synced } else { BookState::Syncing };
        Some(match frame.check() {
            Some(check) if self.check(check, levels) == Outcome::CheckFailed => Outcome::CheckFailed,
            _ => Outcome::Image,
        })
    }

    /// Rule 3.
    fn delta(&mut self, frame: &Frame<'_>, levels: &mut Levels) -> Option<Outcome> {
        let header = frame.header();
        if header.seq() <= self.seq {
            return Some(Outcome::Old);
        }
        if header.prev_seq() > self.seq {
            return Some(self.gap(header.prev_seq()));
        }
        copy_levels(frame, levels);
        self.book.apply(levels.view()).ok()?;
        (self.seq, self.venue_seq) = (header.seq(), header.venue_seq());
        Some(Outcome::Applied)
    }

    fn gap(&mut self, received: u64) -> Outcome {
        self.gaps += 1;
        self.state = BookState::Syncing;
        Outcome::Gap { expected: self.seq, received }
    }

    /// Rule 5.
    fn check(&mut self, check: &Check, levels: &mut Levels) -> Outcome {
        levels.clear();
        self.book.levels(Side::Bid).append_to(usize::MAX, &mut levels.bids);
        self.book.levels(Side::Ask).append_to(usize::MAX, &mut levels.asks);
        let Levels { bids, asks } = levels;
        let own = (checksums(bids, asks), bids.len(), asks.len());
        let told =
            ((check.top_crc(), check.all_crc()), check.bid_count() as usize, check.ask_count() as usize);
        self.checks += 1;
        if own == told {
            return Outcome::Checked;
        }
        self.check_failures += 1;
        self.state = BookState::Syncing;
        Outcome::CheckFailed
    }
}

/// Books rebuilt from frames, one an instrument: of the `book` stream, and of the stream `orders` where it is read.
#[derive(Debug, Default)]
pub struct Replica {
    books: HashMap<InstrumentId, ReplicaBook>,
    orders: HashMap<InstrumentId, ReplicaOrders>,
    levels: Levels,
}

impl Replica {
    /// Takes frames that stand back to back; returns what the last one did.
    ///
    /// Each frame is verified before it is read (constant time: its vectors hold structs) and applies whole or not at all.
    /// # Errors
    /// [`ReplicaError`] names the frame that is wrong; those before it have been applied.
    pub fn apply(&mut self, bytes: &[u8]) -> Result<Outcome, ReplicaError> {
        let mut at = 0;
        let mut outcome = Outcome::Ignored;
        while at < bytes.len() {
            let rest = &bytes[at..];
            let size = rest.first_chunk::<4>().map(|size| u32::from_le_bytes(*size) as usize);
            let size = size.ok_or(ReplicaError::Truncated { at })?.saturating_add(4);
            let frame = rest.get(..size).ok_or(ReplicaError::Truncated { at })?;
            outcome = self.apply_one(frame, at)?;
            at += size;
        }
        Ok(outcome)
    }

    fn apply_one(&mut self, bytes: &[u8], at: usize) -> Result<Outcome, ReplicaError> {
        // The identifier names the structs' layout: another one is another protocol.
        if bytes.get(8..12) != Some(FRAME_IDENTIFIER.as_bytes()) {
            return Err(ReplicaError::Invalid { at });
        }
        let frame = size_prefixed_root_as_frame(bytes).map_err(|_| ReplicaError::Invalid { at })?;
        let (id, stream) = (InstrumentId(frame.header().instrument()), Stream(frame.header().stream()));
        if stream == Stream::ORDERS {
            return self.apply_orders(id, &frame).ok_or(ReplicaError::Full { at });
        }
        if stream != Stream::BOOK && stream != Stream::STATUS {
            return Ok(Outcome::Ignored);
        }
        if self.books.len() >= REPLICA_BOOKS_MAX && !self.books.contains_key(&id) {
            return Err(ReplicaError::Full { at });
        }
        let book = self.books.entry(id).or_insert_with(ReplicaBook::new);
        let outcome = book.apply(&frame, &mut self.levels);
        if outcome.is_none() {
            // What could not be held must not leave an older state looking true.
            book.state = BookState::Syncing;
        }
        outcome.ok_or(ReplicaError::Full { at })
    }

    fn apply_orders(&mut self, id: InstrumentId, frame: &Frame<'_>) -> Option<Outcome> {
        if self.orders.len() >= REPLICA_BOOKS_MAX && !self.orders.contains_key(&id) {
            return None;
        }
        let orders = self.orders.entry(id).or_insert_with(ReplicaOrders::new);
        let outcome = orders.apply(frame);
        if outcome.is_none() {
            orders.lost();
        }
        outcome
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

fn copy_levels(frame: &Frame<'_>, levels: &mut Levels) {
    levels.clear();
    let level = |level: &crate::encode::generated::Level| Level::new(level.price(), level.qty());
    levels.bids.extend(frame.bids().iter().flatten().map(level));
    levels.asks.extend(frame.asks().iter().flatten().map(level));
}

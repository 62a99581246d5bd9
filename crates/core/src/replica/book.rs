//! Levels of one stream: `book`, `depth` and both kinds of `bbo`.

use super::error::Refusal;
use super::follow::{Follow, Turn};
use super::{FeedFrame, Outcome, REPLICA_LEVELS_MAX, ReplicaError, ReplicaReason, ReplicaState};
use crate::aggregate::checksums;
use crate::book::{BookSpec, L2Book, QtyAt, digest};
use crate::encode::generated::Check;
use crate::encode::{Flags, Kind, Stream};
use crate::types::{KnownTo, Level, Levels, Place, Price, Qty, Side, TimeNs};

/// The book of one (instrument, stream) as the feed told it. It is never `Synced` unless it is exactly the server's at its place.
#[derive(Debug)]
pub struct ReplicaBook {
    follow: Follow,
    book: L2Book,
    depth: u32,
    /// Levels of an image that is not whole yet.
    staged: Levels,
    /// Levels of the frame in hand, or of the book while it is checked.
    levels: Levels,
}

impl Default for ReplicaBook {
    fn default() -> Self {
        Self::new()
    }
}

impl ReplicaBook {
    /// A book of which nothing is known.
    #[must_use]
    pub fn new() -> Self {
        Self {
            follow: Follow::new(),
            // The feed names no tick; the book finds it in the levels.
            book: L2Book::new(BookSpec { tick_size: 0, levels_max: REPLICA_LEVELS_MAX }),
            depth: 0,
            staged: Levels::default(),
            levels: Levels::default(),
        }
    }

    /// Whether the levels may be trusted.
    #[must_use]
    pub const fn state(&self) -> ReplicaState {
        self.follow.state
    }

    /// The stream of the last image; 0 before the first.
    #[must_use]
    pub const fn stream(&self) -> Stream {
        self.follow.stream
    }

    /// Epoch of the last image.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.follow.place.epoch
    }

    /// Sequence that the book holds.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.follow.place.seq
    }

    /// The venue's sequence that the book holds.
    #[must_use]
    pub const fn venue_seq(&self) -> u64 {
        self.follow.venue_seq
    }

    /// Of the last frame that changed the levels: the venue's time, when the server received it, and when it wrote the frame; ns,
    /// 0 = not given.
    #[must_use]
    pub const fn times(&self) -> [TimeNs; 3] {
        [self.follow.ts_event, self.follow.ts_recv, self.follow.ts_send]
    }

    /// Flags of that frame; what is doubted of the book, of the last check.
    #[must_use]
    pub const fn flags(&self) -> Flags {
        self.follow.flags
    }

    /// Powers of ten of prices and quantities.
    #[must_use]
    pub const fn exponents(&self) -> (i8, i8) {
        (self.follow.price_exponent, self.follow.qty_exponent)
    }

    /// Levels a side that the stream carries at most; 0 = all.
    #[must_use]
    pub const fn depth(&self) -> u32 {
        self.depth
    }

    /// The levels.
    #[must_use]
    pub const fn book(&self) -> &L2Book {
        &self.book
    }

    /// The best level of a side.
    #[must_use]
    pub fn best(&self, side: Side) -> Option<Level> {
        match side {
            Side::Bid => self.book.best_bid(),
            Side::Ask => self.book.best_ask(),
        }
    }

    /// How much stands at a price: unknown where neither the venue nor this stream reaches that far.
    #[must_use]
    pub fn qty_at(&self, side: Side, price: Price) -> QtyAt {
        let known = self.book.qty_at(side, price);
        let is_full = self.depth > 0 && self.book.len(side) >= self.depth as usize;
        if known != QtyAt::Known(Qty(0)) || !is_full {
            return known;
        }
        let worst = self.book.levels(side).last().map(|level| level.price);
        if worst.is_some_and(|worst| side.is_better(worst, price)) { QtyAt::Unknown } else { known }
    }

    /// Checksums compared, images included, and how many of them disagreed.
    #[must_use]
    pub const fn checks(&self) -> (u64, u64) {
        (self.follow.checks, self.follow.check_failures)
    }

    /// Gaps seen.
    #[must_use]
    pub const fn gaps(&self) -> u64 {
        self.follow.gaps
    }

    /// SHA-256 of the book's text form; see [`digest`].
    #[must_use]
    pub fn digest(&self) -> String {
        let (bids, asks) = (self.book.levels(Side::Bid), self.book.levels(Side::Ask));
        digest(bids, asks, self.follow.price_exponent, self.follow.qty_exponent)
    }

    /// Where the levels are exact, if frames can go on from there: what to resume from.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        self.follow.resume_place()
    }

    /// What follows is not arriving for now.
    pub fn doubt(&mut self, reason: ReplicaReason) {
        self.follow.doubt(reason);
    }

    /// Nothing can be trusted until the next image.
    pub fn lose(&mut self, reason: ReplicaReason) {
        self.follow.lose(reason);
    }

    /// The server brings the levels to a place by what follows. `server` is the state of its own book.
    pub fn bring_to(&mut self, to: Place, server: ReplicaState) {
        self.follow.bring_to(to, (!self.is_venue_top()).then_some(server));
    }

    /// The venue's own top of book, which the state of the engine's book does not touch.
    fn is_venue_top(&self) -> bool {
        self.follow.stream == Stream::VENUE_BBO
    }

    /// Applies a frame of this stream, or a status frame of its instrument: whole or not at all.
    ///
    /// Costs some nanoseconds a level; a check and the last chunk of an image are linear in the book.
    ///
    /// # Errors
    /// `Invalid` and `Full`; the book is then stale and waits for an image.
    pub fn apply(&mut self, frame: &FeedFrame<'_>) -> Result<Outcome, ReplicaError> {
        let applied = match frame.kind() {
            kind if kind == Kind::Image as u8 => self.image(frame),
            kind if kind == Kind::Delta as u8 || kind == Kind::Bbo as u8 => self.change(frame),
            kind if kind == Kind::Check as u8 => self.check_frame(frame),
            kind if kind == Kind::Status as u8 && !self.is_venue_top() => self.follow.take_status(frame),
            _ => Ok(Outcome::Ignored),
        };
        applied.map_err(|refusal| {
            self.follow.refuse();
            refusal.at(frame.at())
        })
    }

    /// Rule 1.
    fn image(&mut self, frame: &FeedFrame<'_>) -> Result<Outcome, Refusal> {
        let info = *frame.table.info().ok_or(Refusal::Invalid)?;
        let check = frame.table.check().ok_or(Refusal::Invalid)?;
        match self.follow.take_chunk(frame, &info)? {
            Turn::First => self.staged.clear(),
            Turn::Next => {}
            Turn::Wrong => return Ok(Outcome::Discarded),
        }
        self.staged.bids.extend(frame.bids());
        self.staged.asks.extend(frame.asks());
        if self.staged.len() > REPLICA_LEVELS_MAX as usize {
            return Err(Refusal::Full);
        }
        if info.chunk_index() + 1 < info.chunk_count() {
            return Ok(Outcome::Chunk);
        }
        let known_to = KnownTo { bid: Price(info.bid_known_to()), ask: Price(info.ask_known_to()) };
        self.book.load(self.staged.view(), known_to).map_err(|_| Refusal::Full)?;
        self.depth = info.depth();
        self.follow.take_image(frame, &info);
        if !self.agrees(check) {
            return Ok(self.follow.check_failed());
        }
        if self.is_venue_top() {
            self.follow.awaits_image = false;
            self.follow.settle(frame.flags());
        } else {
            self.follow.take_image_state(&info);
        }
        Ok(Outcome::Image)
    }

    /// Rule 3. A top of book replaces both sides, a delta changes levels.
    fn change(&mut self, frame: &FeedFrame<'_>) -> Result<Outcome, Refusal> {
        if let Some(outcome) = self.follow.pass_over(frame) {
            return Ok(outcome);
        }
        if frame.seq() <= self.follow.place.seq {
            return Ok(Outcome::Old);
        }
        if frame.prev_seq() > self.follow.place.seq {
            return Ok(self.follow.missed(frame.prev_seq()));
        }
        self.levels.clear();
        self.levels.bids.extend(frame.bids());
        self.levels.asks.extend(frame.asks());
        if frame.kind() == Kind::Bbo as u8 {
            self.book.load(self.levels.view(), self.book.known_to()).map_err(|_| Refusal::Full)?;
        } else {
            self.book.apply(self.levels.view()).map_err(|_| Refusal::Full)?;
        }
        self.follow.take_header(frame);
        self.follow.settle(frame.flags());
        Ok(Outcome::Applied)
    }

    /// Rule 5.
    fn check_frame(&mut self, frame: &FeedFrame<'_>) -> Result<Outcome, Refusal> {
        if let Some(outcome) = self.follow.pass_over(frame) {
            return Ok(outcome);
        }
        if frame.seq() > self.follow.place.seq {
            return Ok(self.follow.missed(frame.seq()));
        }
        if frame.seq() < self.follow.place.seq {
            return Ok(Outcome::Ignored);
        }
        let check = frame.table.check().ok_or(Refusal::Invalid)?;
        if !self.agrees(check) {
            return Ok(self.follow.check_failed());
        }
        // The server's doubt may begin or end while the content stays as it is.
        let own = self.follow.flags.without(Flags::CROSSED).without(Flags::BEYOND_KNOWN);
        self.follow.flags = own.with(frame.flags().doubts());
        Ok(Outcome::Checked)
    }

    fn agrees(&mut self, check: &Check) -> bool {
        let levels = &mut self.levels;
        levels.clear();
        self.book.levels(Side::Bid).append_to(usize::MAX, &mut levels.bids);
        self.book.levels(Side::Ask).append_to(usize::MAX, &mut levels.asks);
        let Levels { bids, asks } = levels;
        let own = (checksums(bids, asks), bids.len(), asks.len());
        self.follow.checks += 1;
        own == ((check.top_crc(), check.all_crc()), check.bid_count() as usize, check.ask_count() as usize)
    }
}

//! The venue: a clock, four instruments and the frames that they send.

use std::collections::VecDeque;

use crate::dialects::binance_spot as wire;
use crate::error::SimError;
use crate::market::book::{LEVELS_PER_SIDE_MAX, Side};
use crate::market::flow::{Flow, WINDOW_MS};
use crate::market::instrument::{PROFILES, Profile, SYMBOLS};
use crate::market::{Bbo, Trade};

/// Market time that a caller may be behind, in milliseconds. Beyond it, see [`Market::next`].
pub const CATCH_UP_MS_MAX: u64 = 5_000;

/// The end of time, in milliseconds since the epoch: in the year 2248, so that nanoseconds fit 63 bits. Later
/// times count as this one.
pub const TIME_MS_MAX: u64 = 1 << 43;

/// Levels a side of the deepest REST answer, as on the venue. No book here is deeper.
pub const SNAPSHOT_LIMIT_MAX: usize = LEVELS_PER_SIDE_MAX;

/// A venue that trades while it is asked for frames, and stands still otherwise.
///
/// Market time runs in milliseconds, instrument after instrument and action after action; it stops after
/// each action that produced frames, until they are fetched. So the bytes depend on the seed and the start
/// alone, and whenever the last frame of an action is handed out, the true book is that frame's.
#[derive(Clone, Debug)]
pub struct Market {
    listings: [Listing; PROFILES.len()],
    start_ms: u64,
    /// Milliseconds that the market has lived through.
    elapsed_ms: u64,
    /// Milliseconds that passed outside while the market stood still for good.
    dropped_ms: u64,
    /// The instrument whose turn it is within this millisecond.
    turn: usize,
    /// Actions left in the turn; `None` before they are drawn.
    actions_left: Option<u32>,
    outbox: Outbox,
    frame_time_ms: u64,
}

impl Market {
    /// A market that opens at `start_ms` (milliseconds since the epoch, at most [`TIME_MS_MAX`]) with full books.
    ///
    /// Builds about 14,000 orders, in some milliseconds.
    #[must_use]
    pub fn new(seed: u64, start_ms: u64) -> Self {
        Self {
            listings: std::array::from_fn(|index| Listing::new(&PROFILES[index], seed, index as u64)),
            start_ms: start_ms.min(TIME_MS_MAX),
            elapsed_ms: 0,
            dropped_ms: 0,
            turn: 0,
            actions_left: None,
            outbox: Outbox::default(),
            frame_time_ms: start_ms.min(TIME_MS_MAX),
        }
    }

    /// The symbols traded here.
    #[must_use]
    pub const fn symbols(&self) -> [&'static str; 4] {
        SYMBOLS
    }

    /// Replaces `out` with the next frame due at or before `now_ms`. False, and `out` empty, where none is.
    ///
    /// Frames come in the order of their times. A `now_ms` below an earlier one is legal and finds nothing new.
    ///
    /// Where the caller is more than [`CATCH_UP_MS_MAX`] behind (a laptop slept, a debugger held it), the
    /// market does not live through the difference: it counts as time in which nobody traded. Ids stay
    /// contiguous, later frames carry later times, and the content of the frames is the same as ever.
    ///
    /// Costs about a microsecond for each frame; at most [`CATCH_UP_MS_MAX`] of market time for the first one.
    pub fn next(&mut self, now_ms: u64, out: &mut Vec<u8>) -> bool {
        let now_ms = now_ms.min(TIME_MS_MAX);
        let behind_ms = now_ms.saturating_sub(self.now_ms());
        self.dropped_ms += behind_ms.saturating_sub(CATCH_UP_MS_MAX);
        out.clear();
        loop {
            if let Some(time_ms) = self.outbox.time_ms() {
                if time_ms > now_ms {
                    return false;
                }
                self.frame_time_ms = time_ms;
                self.outbox.pop(out);
                return true;
            }
            if self.now_ms() > now_ms {
                return false;
            }
            self.advance();
        }
    }

    /// Replaces `out` with the next frame, whenever it is due, for those who have no clock.
    pub fn next_frame(&mut self, out: &mut Vec<u8>) {
        while self.outbox.time_ms().is_none() {
            self.advance();
        }
        self.frame_time_ms = self.outbox.time_ms().unwrap_or(self.frame_time_ms);
        out.clear();
        self.outbox.pop(out);
    }

    /// The time of the last frame handed out, in milliseconds since the epoch.
    #[must_use]
    pub const fn frame_time_ms(&self) -> u64 {
        self.frame_time_ms
    }

    /// Milliseconds that were never lived through, because the caller was too far behind.
    #[must_use]
    pub const fn dropped_ms(&self) -> u64 {
        self.dropped_ms
    }

    /// Replaces `out` with the REST depth answer at this moment: `limit` levels a side, brought into
    /// 1..=[`SNAPSHOT_LIMIT_MAX`] as the venue does.
    ///
    /// # Errors
    /// [`SimError::UnknownSymbol`].
    pub fn snapshot(&self, symbol: &str, limit: usize, out: &mut Vec<u8>) -> Result<(), SimError> {
        let listing = self.listing(symbol)?;
        out.clear();
        wire::snapshot(out, listing.profile, listing.flow.book(), limit.clamp(1, SNAPSHOT_LIMIT_MAX));
        Ok(())
    }

    /// The venue's own book at this moment, to compare others with.
    ///
    /// # Errors
    /// [`SimError::UnknownSymbol`].
    pub fn true_book(&self, symbol: &str) -> Result<TrueBook<'_>, SimError> {
        self.listing(symbol).map(|listing| TrueBook { flow: &listing.flow })
    }

    fn listing(&self, symbol: &str) -> Result<&Listing, SimError> {
        self.listings.iter().find(|listing| listing.profile.symbol == symbol).ok_or(SimError::UnknownSymbol)
    }

    const fn now_ms(&self) -> u64 {
        self.start_ms + self.dropped_ms + self.elapsed_ms
    }

    /// One action of one instrument, or the end of its turn.
    fn advance(&mut self) {
        let time_ms = self.now_ms();
        let listing = &mut self.listings[self.turn];
        match self.actions_left {
            None => self.actions_left = Some(listing.flow.actions_due()),
            Some(0) => {
                // Instruments send their depth at moments of their own, 25 ms apart.
                if self.elapsed_ms % WINDOW_MS == self.turn as u64 * 25 + 8 {
                    listing.end_window(time_ms, &mut self.outbox);
                }
                self.actions_left = None;
                self.turn += 1;
                if self.turn == self.listings.len() {
                    self.turn = 0;
                    self.elapsed_ms += 1;
                }
            }
            Some(left) => {
                listing.act(time_ms, &mut self.outbox);
                self.actions_left = Some(left - 1);
            }
        }
    }
}

/// The venue's book of one instrument at one id.
#[derive(Clone, Copy, Debug)]
pub struct TrueBook<'a> {
    flow: &'a Flow,
}

impl<'a> TrueBook<'a> {
    /// The id of the last change.
    #[must_use]
    pub const fn id(&self) -> u64 {
        self.flow.book().id()
    }

    /// Bids as mantissas of price and quantity, best first.
    pub fn bids(&self) -> impl Iterator<Item = (i64, i64)> + use<'a> {
        self.flow.book().levels(Side::Bid).map(|level| (level.price, level.qty))
    }

    /// Asks as mantissas of price and quantity, best first.
    pub fn asks(&self) -> impl Iterator<Item = (i64, i64)> + use<'a> {
        self.flow.book().levels(Side::Ask).map(|level| (level.price, level.qty))
    }

    /// Orders that stand on both sides together.
    #[must_use]
    pub fn orders_len(&self) -> usize {
        self.flow.book().orders_len(Side::Bid) + self.flow.book().orders_len(Side::Ask)
    }
}

/// One instrument and what it has told so far.
#[derive(Clone, Debug)]
struct Listing {
    profile: &'static Profile,
    flow: Flow,
    /// The last id that a depth message covered.
    depth_id: u64,
    bbo: Option<Bbo>,
    trade_id: u64,
    touched: Vec<(Side, i64)>,
}

impl Listing {
    fn new(profile: &'static Profile, seed: u64, stream: u64) -> Self {
        let flow = Flow::new(profile, seed, stream);
        let bbo = flow.bbo();
        let trade_id = profile.trade_id;
        Self { profile, flow, depth_id: profile.update_id, bbo, trade_id, touched: Vec::new() }
    }

    /// One action; its trades, then the best price where it changed.
    fn act(&mut self, time_ms: u64, outbox: &mut Outbox) {
        if let Some(aggressor) = self.flow.act() {
            for fill in self.flow.book().fills() {
                self.trade_id += 1;
                let buyer_is_maker = aggressor == Side::Ask;
                let trade = Trade { id: self.trade_id, price: fill.price, qty: fill.qty, buyer_is_maker };
                outbox.push(time_ms, |out| wire::trade(out, self.profile, time_ms, trade));
            }
        }
        let bbo = self.flow.bbo();
        if let (true, Some(bbo)) = (bbo != self.bbo, bbo) {
            let id = self.flow.book().id();
            outbox.push(time_ms, |out| wire::book_ticker(out, self.profile, id, bbo));
        }
        self.bbo = bbo;
    }

    /// The depth message of the window that ends, where anything changed in it.
    fn end_window(&mut self, time_ms: u64, outbox: &mut Outbox) {
        self.flow.begin_window();
        self.flow.book_mut().take_touched(&mut self.touched);
        if self.touched.is_empty() {
            return;
        }
        let (first_id, book) = (self.depth_id + 1, self.flow.book());
        outbox.push(time_ms, |out| wire::depth(out, self.profile, time_ms, first_id, book, &self.touched));
        self.depth_id = book.id();
    }
}

/// Frames of the last action that were not fetched yet: at most one for each trade of an order, and one more.
#[derive(Clone, Debug, Default)]
struct Outbox {
    bytes: Vec<u8>,
    read: usize,
    frames: VecDeque<(u64, usize)>,
}

impl Outbox {
    fn push(&mut self, time_ms: u64, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        self.frames.push_back((time_ms, self.bytes.len()));
    }

    fn time_ms(&self) -> Option<u64> {
        self.frames.front().map(|frame| frame.0)
    }

    fn pop(&mut self, out: &mut Vec<u8>) {
        let Some((_, end)) = self.frames.pop_front() else { return };
        out.extend_from_slice(&self.bytes[self.read..end]);
        self.read = end;
        if self.frames.is_empty() {
            self.bytes.clear();
            self.read = 0;
        }
    }
}

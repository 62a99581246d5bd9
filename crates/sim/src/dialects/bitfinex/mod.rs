//! Bitfinex, version 2 of its WebSocket: `book` of precision `P0` or `R0`, trades, ticker and, of derivatives, `status` of one
//! pair.
//!
//! Source: docs.bitfinex.com, "Books", "Raw Books", "Trades", "Ticker", "Status", "Configuration"; recorded frames decide the order of
//! members and the printed digits. In short:
//! 1. `subscribed` gives a channel its number, another one each time. Arrays have it first and end with the connection's
//!    number of the array and its time in ms, as far as `conf` has switched them on.
//! 2. A book is cut to its length. What leaves it is removed by a row of its own, before what comes in its place. A row a
//!    message, or with bulk updates all rows of a moment in one.
//!    Of `R0` rows are of orders, and the length is one of orders; at one price the lower number counts first. An order that
//!    moves keeps its number.
//!    With checksums `cs` follows the last row of a moment.
//! 3. A trade is told by `te` and some moments later by `tu`.
//! 4. Numbers are printed as JavaScript prints them.
//! 5. A channel that says nothing for 15 seconds says `hb`.

mod book;
mod orders;
mod pair;
mod rows;
mod wire;

use std::collections::VecDeque;

use super::clock::{Clock, moment_ns};
use super::crc32::crc32;
use super::{Channel, Counts, Dialect, Frames, TrueOrders, Truth};
use crate::market::Trade;
use crate::market::exchange::Exchange;

use book::{Row, Told};
use orders::Orders;
pub use pair::BitfinexPair;
use rows::Rows;
use wire::{Channels, Wire};

/// Milliseconds of silence after which a channel says that it lives.
const HEARTBEAT_MS: u64 = 15_000;

/// Milliseconds from one ticker to the next, and from one status to the next.
const TICKER_MS: u64 = 10_000;

/// Milliseconds from `te` to `tu`.
const TOLD_AGAIN_MS: u64 = 40;

/// Trades that a subscription begins with.
const RECENT_TRADES: usize = 30;

/// What `conf` has switched on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BitfinexFlags {
    /// Numbers of arrays.
    Counted,
    /// And their times.
    CountedAndTimed,
    /// And rows of a moment in one message.
    CountedTimedAndBulk,
    /// Numbers, times and checksums.
    CountedTimedAndChecked,
}

impl BitfinexFlags {
    const fn bits(self) -> u64 {
        match self {
            Self::Counted => 65_536,
            Self::CountedAndTimed => 65_536 + 32_768,
            Self::CountedTimedAndBulk => 65_536 + 32_768 + 536_870_912,
            Self::CountedTimedAndChecked => 65_536 + 32_768 + 131_072,
        }
    }
}

/// One pair on one connection.
#[derive(Clone, Debug)]
pub struct Bitfinex {
    pair: BitfinexPair,
    len: usize,
    flags: BitfinexFlags,
    exchange: Exchange,
    clock: Clock,
    told: Told,
    /// When the rows that are still to be told came about.
    rows_ns: u64,
    /// Whether rows were told that no checksum has covered.
    is_check_due: bool,
    wire: Wire,
    recent: VecDeque<(Trade, u64)>,
    /// Trades that are told again.
    again: VecDeque<(Trade, u64)>,
    volume: i64,
    next_ticker_ms: u64,
    counts: Counts,
}

impl Bitfinex {
    /// A market before its first connection, whose book has `len` levels a side.
    #[must_use]
    pub fn new(seed: u64, pair: BitfinexPair, len: usize, flags: BitfinexFlags) -> Self {
        Self::of(seed, pair, len, flags, (Told::Levels(Rows::default()), 5_000))
    }

    /// The same whose book has `len` orders a side.
    #[must_use]
    pub fn raw(seed: u64, pair: BitfinexPair, len: usize, flags: BitfinexFlags) -> Self {
        Self::of(seed, pair, len, flags, (Told::Orders(Orders::default()), 6_000))
    }

    fn of(
        seed: u64,
        pair: BitfinexPair,
        len: usize,
        flags: BitfinexFlags,
        (told, stream): (Told, u64),
    ) -> Self {
        let exchange = Exchange::new(pair.profile(), seed, stream + len as u64).drowsy();
        let (precision, channel) =
            if told.is_by_order() { ("R0", Channel::Orders) } else { ("P0", Channel::Book) };
        Self {
            pair,
            len,
            flags,
            exchange,
            clock: Clock::default(),
            rows_ns: 0,
            is_check_due: false,
            wire: Wire::new(pair, flags.bits(), (precision, len, channel), seed),
            told,
            recent: VecDeque::new(),
            again: VecDeque::new(),
            volume: 0,
            next_ticker_ms: 0,
            counts: Counts::default(),
        }
    }

    fn live(&mut self, time_ms: u64) {
        self.exchange.live();
        for &trade in self.exchange.trades() {
            self.volume += trade.qty;
            self.recent.push_back((trade, time_ms));
            self.again.push_back((trade, time_ms + TOLD_AGAIN_MS));
        }
        while self.recent.len() > RECENT_TRADES {
            self.recent.pop_front();
        }
    }

    /// Trades that were told before are told again.
    fn live_unheard(&mut self, now_ns: u64) {
        let told = self.again.len();
        for _ in 0..self.clock.start(now_ns) {
            self.live(now_ns / 1_000_000);
        }
        self.again.truncate(told);
    }

    /// Subscribes the book and tells all of it.
    fn begin_book(&mut self, now_ns: u64, out: &mut Frames) {
        let rows = self.told.begin(self.exchange.book(), self.len);
        self.is_check_due = false;
        self.wire.subscribed(now_ns, Channels::Book, out);
        self.counts.control += 1;
        self.wire.rows(now_ns, &rows, true, out);
        self.counts.snapshots += 1;
        self.count(&rows);
    }

    fn count(&mut self, rows: &[Row]) {
        let counted = if self.told.is_by_order() { &mut self.counts.orders } else { &mut self.counts.levels };
        *counted += rows.len() as u64;
    }

    fn tickers(&mut self, time_ns: u64, out: &mut Frames) {
        let last = self.recent.back().map_or(self.pair.profile().reference_price, |(trade, _)| trade.price);
        let bbo = self.exchange.book().bbo();
        self.wire.ticker(time_ns, bbo, last, self.volume, out);
        self.counts.tickers += 1;
        if self.pair.is_derivative() {
            self.wire.status(time_ns, last, out);
            self.counts.tickers += 1;
        }
        self.next_ticker_ms = time_ns / 1_000_000 + TICKER_MS;
    }

    fn trades(&mut self, time_ns: u64, out: &mut Frames) {
        let time_ms = time_ns / 1_000_000;
        while let Some((trade, at_ms)) = self.again.front().copied().filter(|(_, at_ms)| *at_ms <= time_ms) {
            self.again.pop_front();
            self.wire.trade(time_ns, "tu", (trade, at_ms - TOLD_AGAIN_MS), out);
            self.counts.not_executions += 1;
        }
        for &trade in self.exchange.trades() {
            self.wire.trade(time_ns, "te", (trade, time_ms), out);
            self.counts.trades += 1;
        }
    }

    /// Tells the next row of what has changed, or all of them, or the checksum of what they have left.
    fn tell_rows(&mut self, out: &mut Frames) {
        let rows: Vec<Row> = if self.flags == BitfinexFlags::CountedTimedAndBulk {
            std::iter::from_fn(|| self.told.next()).collect()
        } else {
            self.told.next().into_iter().collect()
        };
        if !rows.is_empty() {
            let is_list = self.flags == BitfinexFlags::CountedTimedAndBulk;
            self.wire.rows(self.rows_ns, &rows, is_list, out);
            self.counts.updates += 1;
            self.count(&rows);
            self.is_check_due = self.flags == BitfinexFlags::CountedTimedAndChecked;
        } else if std::mem::take(&mut self.is_check_due) {
            let text = self.told.checked(self.pair.profile());
            self.wire.check(self.rows_ns, crc32(&text), out);
            self.counts.checksums += 1;
        }
    }
}

impl Dialect for Bitfinex {
    fn venue(&self) -> &'static str {
        "bitfinex"
    }

    fn code(&self) -> &str {
        self.pair.code()
    }

    fn depth(&self) -> Option<usize> {
        Some(self.len)
    }

    fn open(&mut self, now_ns: u64, out: &mut Frames) {
        self.live_unheard(now_ns);
        self.again.clear();
        self.wire.opened(now_ns, out);
        self.counts.control += 2;
        self.wire.subscribed(now_ns, Channels::Trades, out);
        self.wire.subscribed(now_ns, Channels::Ticker, out);
        self.counts.control += 2;
        if self.pair.is_derivative() {
            self.wire.subscribed(now_ns, Channels::Status, out);
            self.counts.control += 1;
        }
        self.wire.recent(now_ns, &self.recent, out);
        self.counts.trades += self.recent.len() as u64;
        self.tickers(now_ns, out);
        self.begin_book(now_ns, out);
    }

    fn step(&mut self, now_ns: u64, out: &mut Frames) {
        let begun = out.len();
        while out.len() == begun {
            self.tell_rows(out);
            if out.len() > begun {
                return;
            }
            let Some(time_ms) = self.clock.take(now_ns) else { return };
            let time_ns = moment_ns(time_ms);
            self.live(time_ms);
            self.trades(time_ns, out);
            if time_ms >= self.next_ticker_ms {
                self.tickers(time_ns, out);
            }
            if !self.exchange.changes().is_empty() {
                self.told.changed(self.exchange.book(), self.len);
                self.rows_ns = time_ns;
                self.tell_rows(out);
            }
            self.counts.heartbeats += self.wire.heartbeats(time_ns, HEARTBEAT_MS, out);
        }
    }

    fn snapshot(&mut self, out: &mut Vec<u8>) -> bool {
        out.clear();
        false
    }

    fn resubscribe(&mut self, now_ns: u64, out: &mut Frames) {
        self.live_unheard(now_ns);
        self.wire.unsubscribed(now_ns, out);
        self.counts.control += 1;
        self.begin_book(now_ns, out);
    }

    fn truth(&self, out: &mut Truth) {
        self.told.truth(out);
    }

    fn orders(&self, out: &mut TrueOrders) -> bool {
        self.told.true_orders(out)
    }

    fn exponents(&self) -> (i8, i8) {
        self.pair.profile().exponents()
    }

    fn sent(&self) -> Counts {
        self.counts
    }
}

//! Bybit v5: `orderbook`, `publicTrade`, `tickers` and, of contracts, `allLiquidation` of one symbol.
//!
//! Source: bybit-exchange.github.io, v5, "Orderbook", "Trade", "Ticker", "All Liquidation"; recorded frames decide the order
//! of the fields and the printed digits. In short:
//! 1. A depth is told at its own pace: what has changed since the last message, `u` one higher. A level that has left the
//!    depth is told with 0, one that has come into it whole.
//! 2. Now and then a snapshot comes again; with `u` = 1 where the service began anew.
//! 3. Depth 1 has snapshots alone; after 3 s without a change the last one comes again, with its `u`.
//! 4. Statistics of contracts are told once whole, then as far as they have changed; all others whole each time.

mod wire;

use super::clock::{Clock, moment_ns};
use super::shown::Shown;
use super::{Channel, Counts, Dialect, Frames, Truth};
use crate::curve::Curve;
use crate::market::book::Side;
use crate::market::exchange::Exchange;
use crate::market::instrument::Profile;

use wire::{Form, Moment};

/// A category of the venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BybitCategory {
    /// `BTCUSDT`.
    Spot,
    /// The contract `BTCUSDT`.
    Linear,
    /// The contract `BTCUSD`, of one US dollar.
    Inverse,
    /// The option `BTC-27MAR26-100000-C-USDT`.
    Option,
}

static SPOT: Profile = Profile {
    symbol: "BTCUSDT",
    price_exponent: -1,
    qty_exponent: -6,
    reference_price: 651_404,
    actions_per_s: 160,
    fair_step: 6 * 256,
    shape: Curve(&[(0, 0), (16, 40), (128, 330), (512, 1_900), (1_200, 9_000), (2_000, 60_000)]),
    levels: 1_300,
    join_weight: 0,
    qty_quarters: 7,
    update_id: 0,
    trade_id: 2_290_000_001_189_048_100,
};

static LINEAR: Profile = Profile {
    qty_exponent: -3,
    reference_price: 651_142,
    actions_per_s: 300,
    fair_step: 9 * 256,
    shape: Curve(&[(0, 0), (16, 20), (128, 180), (512, 1_000), (1_200, 4_000), (2_000, 20_000)]),
    qty_quarters: 1,
    trade_id: 88_114_300,
    ..SPOT
};

static INVERSE: Profile = Profile {
    symbol: "BTCUSD",
    qty_exponent: 0,
    actions_per_s: 120,
    qty_quarters: 3,
    trade_id: 41_007_113,
    ..LINEAR
};

static OPTION: Profile = Profile {
    symbol: "BTC-27MAR26-100000-C-USDT",
    price_exponent: 0,
    qty_exponent: -2,
    reference_price: 4_985,
    actions_per_s: 70,
    fair_step: 200,
    shape: Curve(&[(0, 0), (40, 60), (150, 900)]),
    levels: 130,
    trade_id: 7_300_210,
    ..SPOT
};

/// Milliseconds from one message of statistics to the next.
const TICKER_MS: u64 = 100;
/// … of depth 1 beside another.
const TOP_MS: u64 = 10;
/// … from a message of depth 1 to the same again.
const RESTATED_MS: u64 = 3_000;
/// … from one ping of the client to the next.
const PING_MS: u64 = 20_000;
/// Of so many changes of the book one is told as a snapshot (rule 2), every other time with `u` = 1.
const CHANGES_PER_SNAPSHOT: u64 = 499;

impl BybitCategory {
    fn profile(self) -> &'static Profile {
        match self {
            Self::Spot => &SPOT,
            Self::Linear => &LINEAR,
            Self::Inverse => &INVERSE,
            Self::Option => &OPTION,
        }
    }

    const fn venue(self) -> &'static str {
        match self {
            Self::Spot => "bybit",
            Self::Linear => "bybit-linear",
            Self::Inverse => "bybit-inverse",
            Self::Option => "bybit-option",
        }
    }

    /// Milliseconds from one look at a depth to the next.
    const fn pace_ms(self, depth: usize) -> u64 {
        match (self, depth) {
            (_, 1) => TOP_MS,
            (_, 25 | 50) => 20,
            (_, 1_000) => 200,
            _ => 100,
        }
    }

    /// The least depth that has `depth` levels, or the deepest.
    fn depth(self, depth: usize) -> usize {
        let has: &[usize] = if self == Self::Option { &[25, 100] } else { &[1, 50, 200, 1_000] };
        has.iter().copied().find(|&has| has >= depth).unwrap_or(has[has.len() - 1])
    }
}

/// One symbol on a public connection.
#[derive(Clone, Debug)]
pub struct Bybit {
    category: BybitCategory,
    depth: usize,
    form: Form,
    exchange: Exchange,
    clock: Clock,
    shown: Shown,
    /// Depth 1 beside the book.
    top: Shown,
    /// Number of the last message of the book, and of depth 1.
    number: u64,
    top_number: u64,
    /// The matching engine's.
    seq: u64,
    changes: u64,
    told_at_ms: u64,
    next_ping_ms: u64,
    /// Best prices in the last statistics, and the last trade's price.
    ticker: Option<[(i64, i64); 2]>,
    last_price: i64,
    counts: Counts,
}

impl Bybit {
    /// A market before its first connection, whose book is subscribed at the least depth of the category that has `depth`
    /// levels.
    #[must_use]
    pub fn new(seed: u64, category: BybitCategory, depth: usize) -> Self {
        let depth = category.depth(depth);
        let profile = category.profile();
        let exchange = Exchange::new(profile, seed, 3_000 + 8 * depth as u64 + category as u64).drowsy();
        Self {
            category,
            depth,
            form: Form::new(category, profile),
            shown: Shown::new(exchange.book(), depth),
            top: Shown::new(exchange.book(), 1),
            exchange,
            clock: Clock::default(),
            number: 15_076_952 + seed % 1_000,
            top_number: 62_505_425,
            seq: 753_843_913_870,
            changes: 0,
            told_at_ms: 0,
            next_ping_ms: 0,
            ticker: None,
            last_price: profile.reference_price,
            counts: Counts::default(),
        }
    }

    /// One millisecond of market.
    fn live(&mut self) {
        self.exchange.live();
        self.seq += self.exchange.changes().len() as u64 * 3;
        if let Some(trade) = self.exchange.trades().last() {
            self.last_price = trade.price;
        }
    }

    /// What passed unheard is told by nobody; the venue's looks at the book went on.
    fn live_unheard(&mut self, now_ns: u64) {
        let unheard_ms = self.clock.start(now_ns);
        for _ in 0..unheard_ms {
            self.live();
        }
        if unheard_ms > 0 {
            self.number += unheard_ms / self.category.pace_ms(self.depth) + 1;
            self.shown.update(self.exchange.book());
            self.top.update(self.exchange.book());
        }
    }

    const fn moment(&self, time_ns: u64) -> Moment {
        Moment { time_ms: time_ns / 1_000_000, seq: self.seq }
    }

    fn has_top(&self) -> bool {
        self.depth > 1 && self.category != BybitCategory::Option
    }

    /// The book, whole or what has changed of it.
    fn book(&mut self, is_snapshot: bool, time_ns: u64, out: &mut Frames) {
        let sides = if is_snapshot { self.shown.levels() } else { self.shown.changes() };
        let (form, depth, number, moment) = (&self.form, self.depth, self.number, self.moment(time_ns));
        out.push(time_ns, Channel::Book, |out| form.book(out, depth, is_snapshot, sides, number, moment));
        *(if is_snapshot { &mut self.counts.snapshots } else { &mut self.counts.updates }) += 1;
        self.counts.levels += sides.iter().map(|side| side.len() as u64).sum::<u64>();
        self.told_at_ms = moment.time_ms;
    }

    /// What a look at the book finds.
    fn look(&mut self, time_ns: u64, out: &mut Frames) {
        let time_ms = time_ns / 1_000_000;
        if !self.shown.update(self.exchange.book()) {
            // Rule 3.
            if self.depth == 1 && time_ms - self.told_at_ms >= RESTATED_MS {
                self.book(true, time_ns, out);
            }
            return;
        }
        self.changes += 1;
        self.number += 1;
        let is_told_whole = self.changes.is_multiple_of(CHANGES_PER_SNAPSHOT);
        if is_told_whole && self.changes.is_multiple_of(2 * CHANGES_PER_SNAPSHOT) {
            self.number = 1;
        }
        self.book(self.depth == 1 || is_told_whole, time_ns, out);
    }

    fn look_at_top(&mut self, time_ns: u64, out: &mut Frames) {
        if self.top.update(self.exchange.book()) {
            self.top_number += 1;
            let (form, sides) = (&self.form, self.top.levels());
            let (number, moment) = (self.top_number, self.moment(time_ns));
            out.push(time_ns, Channel::Ticker, |out| form.book(out, 1, true, sides, number, moment));
            self.counts.tickers += 1;
        }
    }

    fn trades(&mut self, time_ns: u64, out: &mut Frames) {
        let (form, moment) = (&self.form, self.moment(time_ns));
        let trades = self.exchange.trades();
        let Some(last) = trades.last() else { return };
        self.counts.trades += trades.len() as u64;
        out.push(time_ns, Channel::Trade, |out| form.trades(out, trades, moment, false));
        if last.id.is_multiple_of(32) {
            out.push(time_ns, Channel::Trade, |out| {
                form.trades(out, core::slice::from_ref(last), moment, true)
            });
            self.counts.not_executions += 1;
        }
        let is_contract = matches!(self.category, BybitCategory::Linear | BybitCategory::Inverse);
        if is_contract && last.id.is_multiple_of(16) {
            out.push(time_ns, Channel::Trade, |out| form.liquidation(out, *last, moment));
            self.counts.not_executions += 1;
        }
    }

    fn statistics(&mut self, time_ns: u64, out: &mut Frames) {
        let best = [Side::Bid, Side::Ask].map(|side| self.top.best(side));
        let before = self.ticker.replace(best);
        if before != Some(best) {
            let (form, last, moment) = (&self.form, self.last_price, self.moment(time_ns));
            out.push(time_ns, Channel::Ticker, |out| form.ticker(out, before, best, last, moment));
            self.counts.tickers += 1;
        }
    }

    /// The snapshots that follow a subscription, and its acknowledgement.
    fn subscribed(&mut self, now_ns: u64, out: &mut Frames) {
        self.book(true, now_ns, out);
        if self.has_top() {
            let (form, sides) = (&self.form, self.top.levels());
            let (number, moment) = (self.top_number, self.moment(now_ns));
            out.push(now_ns, Channel::Ticker, |out| form.book(out, 1, true, sides, number, moment));
            self.counts.tickers += 1;
        }
        let form = &self.form;
        out.push(now_ns, Channel::Control, |out| form.acknowledged(out, "subscribe"));
        self.counts.control += 1;
    }
}

impl Dialect for Bybit {
    fn venue(&self) -> &'static str {
        self.category.venue()
    }

    fn code(&self) -> &str {
        self.exchange.profile().symbol
    }

    fn depth(&self) -> Option<usize> {
        Some(self.depth)
    }

    fn open(&mut self, now_ns: u64, out: &mut Frames) {
        self.live_unheard(now_ns);
        self.ticker = None;
        self.statistics(now_ns, out);
        self.subscribed(now_ns, out);
        self.next_ping_ms = now_ns / 1_000_000 + PING_MS;
    }

    fn step(&mut self, now_ns: u64, out: &mut Frames) {
        let begun = out.len();
        while out.len() == begun {
            let Some(time_ms) = self.clock.take(now_ns) else { return };
            let time_ns = moment_ns(time_ms);
            self.live();
            self.trades(time_ns, out);
            if time_ms.is_multiple_of(TOP_MS) && self.has_top() {
                self.look_at_top(time_ns, out);
            }
            if time_ms.is_multiple_of(self.category.pace_ms(self.depth)) {
                self.look(time_ns, out);
            }
            if time_ms.is_multiple_of(TICKER_MS) {
                if !self.has_top() {
                    self.top.update(self.exchange.book());
                }
                self.statistics(time_ns, out);
            }
            if time_ms >= self.next_ping_ms {
                let form = &self.form;
                out.push(time_ns, Channel::Heartbeat, |out| form.pong(out, time_ms));
                self.counts.heartbeats += 1;
                self.next_ping_ms = time_ms + PING_MS;
            }
        }
    }

    fn snapshot(&mut self, out: &mut Vec<u8>) -> bool {
        out.clear();
        false
    }

    fn resubscribe(&mut self, now_ns: u64, out: &mut Frames) {
        self.live_unheard(now_ns);
        let form = &self.form;
        out.push(now_ns, Channel::Control, |out| form.acknowledged(out, "unsubscribe"));
        self.counts.control += 1;
        self.subscribed(now_ns, out);
    }

    fn truth(&self, out: &mut Truth) {
        self.shown.truth(self.number, out);
    }

    fn exponents(&self) -> (i8, i8) {
        self.exchange.profile().exponents()
    }

    fn sent(&self) -> Counts {
        self.counts
    }
}

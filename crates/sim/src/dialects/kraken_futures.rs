//! Kraken Futures: `book`, `trade`, `ticker` and `heartbeat` of one contract.
//!
//! Source: docs.kraken.com, Derivatives WebSocket v1, "Book", "Trade", "Ticker", "Heartbeat"; recorded frames decide the order of the
//! fields and the printed digits. In short:
//! 1. A book begins whole; then each message has one level and the number after the last one's.
//! 2. Trades count for themselves; the last ones are repeated to who subscribes, newest first.
//! 3. A ticker comes each second, whole, without a funding rate where that is zero.
//! 4. Numbers are printed as programs print their binary ones, whole ones with `.0`.

use std::collections::VecDeque;

use super::clock::{Clock, moment_ns};
use super::text::{integer, scientific};
use super::told::Told;
use super::{Channel, Counts, Dialect, Frames, Truth};
use crate::curve::Curve;
use crate::market::Trade;
use crate::market::book::{Book, ChangeKind, Side};
use crate::market::exchange::Exchange;
use crate::market::instrument::Profile;

/// A contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KrakenFuturesContract {
    /// A perpetual that is margined in bitcoin and worth a dollar.
    Inverse,
    /// A perpetual on ether that is margined in several currencies.
    Flexible,
    /// A future on bitcoin with few levels, whose whole book is a short message.
    ThinFuture,
}

static INVERSE: Profile = Profile {
    symbol: "PI_XBTUSD",
    price_exponent: -1,
    qty_exponent: 0,
    reference_price: 64_340,
    actions_per_s: 60,
    fair_step: 2 * 256,
    shape: Curve(&[(0, 0), (16, 30), (128, 250), (512, 1_500), (1_024, 6_000), (1_400, 30_000)]),
    levels: 350,
    join_weight: 24,
    qty_quarters: 1,
    update_id: 326_072_249,
    trade_id: 653_355,
};

static FLEXIBLE: Profile = Profile {
    symbol: "PF_ETHUSD",
    qty_exponent: -3,
    reference_price: 38_215,
    actions_per_s: 90,
    levels: 500,
    qty_quarters: 4,
    update_id: 41_780_312,
    trade_id: 1_204_877,
    ..INVERSE
};

static THIN_FUTURE: Profile = Profile {
    symbol: "FI_XBTUSD_261225",
    actions_per_s: 3,
    levels: 10,
    update_id: 13_502_800,
    trade_id: 14_865,
    ..INVERSE
};

const TICKER_MS: u64 = 1_000;
const HEARTBEAT_MS: u64 = 10_000;
/// Trades between two that close a position by force.
const LIQUIDATION_EVERY: u64 = 40;
/// … between two that were agreed elsewhere.
const BLOCK_EVERY: u64 = 16;

impl KrakenFuturesContract {
    fn profile(self) -> &'static Profile {
        match self {
            Self::Inverse => &INVERSE,
            Self::Flexible => &FLEXIBLE,
            Self::ThinFuture => &THIN_FUTURE,
        }
    }

    /// By how much the market's prices and quantities go up: half dollars where it is inverse.
    const fn steps(self) -> (i64, i64) {
        match self {
            Self::Inverse | Self::ThinFuture => (5, 1),
            Self::Flexible => (1, 1),
        }
    }

    /// When it ends, in ms.
    const fn ends(self) -> Option<u64> {
        match self {
            Self::ThinFuture => Some(1_798_185_600_000),
            Self::Inverse | Self::Flexible => None,
        }
    }
}

/// One contract on a connection.
#[derive(Clone, Debug)]
pub struct KrakenFutures {
    contract: KrakenFuturesContract,
    exchange: Exchange,
    clock: Clock,
    /// Levels changed in the last millisecond.
    touched: Vec<(Side, i64)>,
    told: Told,
    /// Levels that are still to be told, and when.
    waiting: VecDeque<(Side, i64, i64)>,
    waiting_ns: u64,
    /// The number of the last level told.
    seq: u64,
    last_trade: Option<Trade>,
    next_ticker_ms: u64,
    next_heartbeat_ms: u64,
    counts: Counts,
}

impl KrakenFutures {
    /// A market before its first connection.
    #[must_use]
    pub fn new(seed: u64, contract: KrakenFuturesContract) -> Self {
        let exchange = Exchange::new(contract.profile(), seed, 7_000 + contract as u64);
        let mut told = Told::default();
        told.load(exchange.book());
        Self {
            contract,
            clock: Clock::default(),
            touched: Vec::new(),
            told,
            waiting: VecDeque::new(),
            waiting_ns: 0,
            seq: contract.profile().update_id,
            last_trade: None,
            next_ticker_ms: 0,
            next_heartbeat_ms: 0,
            exchange,
            counts: Counts::default(),
        }
    }

    /// One millisecond of market, and what is to be told of it.
    fn live(&mut self, time_ns: u64) {
        self.exchange.live();
        for change in self.exchange.changes() {
            self.touched.push((change.side, change.price));
            if let ChangeKind::Moved { from, .. } = change.kind {
                self.touched.push((change.side, from));
            }
        }
        Book::sort_touched(&mut self.touched);
        let book = self.exchange.book();
        // What goes is told first, so that no side is told beyond the other.
        let (goes, stays): (Vec<_>, Vec<_>) = self
            .touched
            .drain(..)
            .map(|(side, price)| (side, price, book.qty_at(side, price)))
            .partition(|(_, _, qty)| *qty == 0);
        self.waiting.extend(goes.into_iter().chain(stays));
        self.waiting_ns = time_ns;
        self.last_trade = self.exchange.trades().last().copied().or(self.last_trade);
    }

    /// The next level that is told, if its quantity is another.
    fn next_level(&mut self) -> Option<(Side, i64, i64)> {
        while let Some((side, price, qty)) = self.waiting.pop_front() {
            if self.told.tell(side, price, qty).is_some() {
                self.seq += 1;
                return Some((side, price, qty));
            }
        }
        None
    }

    /// What passed unheard is numbered, too.
    fn live_unheard(&mut self, now_ns: u64) {
        while self.next_level().is_some() {}
        for _ in 0..self.clock.start(now_ns) {
            self.live(now_ns);
            while self.next_level().is_some() {}
        }
    }

    fn price(&self, out: &mut Vec<u8>, price: i64) {
        scientific(out, price * self.contract.steps().0, self.contract.profile().price_exponent);
    }

    fn qty(&self, out: &mut Vec<u8>, qty: i64) {
        scientific(out, qty * self.contract.steps().1, self.contract.profile().qty_exponent);
    }

    fn answered(&mut self, event: &str, feed: &str, now_ns: u64, out: &mut Frames) {
        let code = self.code();
        out.push(now_ns, Channel::Control, |out| {
            let parts =
                ["{\"event\":\"", event, "\",\"feed\":\"", feed, "\",\"product_ids\":[\"", code, "\"]}"];
            texts(out, &parts);
        });
        self.counts.control += 1;
    }

    fn whole(&mut self, now_ns: u64, out: &mut Frames) {
        let sides = [Side::Bid, Side::Ask].map(|side| self.told.levels(side).collect::<Vec<_>>());
        out.push(now_ns, Channel::Book, |out| {
            texts(out, &["{\"feed\":\"book_snapshot\",\"product_id\":\"", self.code(), "\""]);
            number(out, ",\"timestamp\":", now_ns / 1_000_000);
            number(out, ",\"seq\":", self.seq);
            for (key, levels) in [(",\"tickSize\":null,\"bids\":[", &sides[0]), ("],\"asks\":[", &sides[1])] {
                texts(out, &[key]);
                for (position, &(price, qty)) in levels.iter().enumerate() {
                    texts(out, &[if position == 0 { "{\"price\":" } else { ",{\"price\":" }]);
                    self.price(out, price);
                    texts(out, &[",\"qty\":"]);
                    self.qty(out, qty);
                    out.push(b'}');
                }
            }
            texts(out, &["]}"]);
        });
        self.counts.snapshots += 1;
        self.counts.levels += (sides[0].len() + sides[1].len()) as u64;
    }

    fn level(&self, out: &mut Vec<u8>, (side, price, qty): (Side, i64, i64)) {
        let side = if side == Side::Bid { "buy" } else { "sell" };
        texts(out, &["{\"feed\":\"book\",\"product_id\":\"", self.code(), "\",\"side\":\"", side, "\""]);
        number(out, ",\"seq\":", self.seq);
        texts(out, &[",\"price\":"]);
        self.price(out, price);
        texts(out, &[",\"qty\":"]);
        self.qty(out, qty);
        number(out, ",\"timestamp\":", self.waiting_ns / 1_000_000);
        out.push(b'}');
    }

    fn trade(&self, out: &mut Vec<u8>, trade: &Trade, kind: &str, time_ms: u64) {
        let side = if trade.buyer_is_maker { "sell" } else { "buy" };
        let uid = format!("a4cce96f-e061-46ef-9205-{:012x}", trade.id);
        texts(
            out,
            &["{\"feed\":\"trade\",\"product_id\":\"", self.code(), "\",\"uid\":\"", &uid, "\",\"side\":\""],
        );
        texts(out, &[side, "\",\"type\":\"", kind, "\""]);
        number(out, ",\"seq\":", trade.id);
        number(out, ",\"time\":", time_ms);
        texts(out, &[",\"qty\":"]);
        self.qty(out, trade.qty);
        texts(out, &[",\"price\":"]);
        self.price(out, trade.price);
        out.push(b'}');
    }

    fn trades(&mut self, time_ns: u64, out: &mut Frames) {
        for trade in self.exchange.trades() {
            let kind = if trade.id.is_multiple_of(LIQUIDATION_EVERY) { "liquidation" } else { "fill" };
            out.push(time_ns, Channel::Trade, |out| self.trade(out, trade, kind, time_ns / 1_000_000));
            self.counts.trades += 1;
            if trade.id.is_multiple_of(BLOCK_EVERY) {
                out.push(time_ns, Channel::Trade, |out| self.trade(out, trade, "block", time_ns / 1_000_000));
                self.counts.not_executions += 1;
            }
        }
    }

    fn trades_before(&mut self, now_ns: u64, out: &mut Frames) {
        out.push(now_ns, Channel::Control, |out| {
            texts(out, &["{\"feed\":\"trade_snapshot\",\"product_id\":\"", self.code(), "\",\"trades\":["]);
            if let Some(last) = &self.last_trade {
                self.trade(out, last, "fill", now_ns / 1_000_000 - 1);
            }
            texts(out, &["]}"]);
        });
        self.counts.control += 1;
    }

    fn ticker(&mut self, time_ms: u64, time_ns: u64, out: &mut Frames) {
        if time_ms < self.next_ticker_ms {
            return;
        }
        self.next_ticker_ms = time_ms + TICKER_MS;
        out.push(time_ns, Channel::Ticker, |out| self.ticker_message(out, time_ms));
        self.counts.tickers += 1;
    }

    fn ticker_message(&self, out: &mut Vec<u8>, time_ms: u64) {
        let book = self.exchange.book();
        number(out, "{\"time\":", time_ms);
        texts(out, &[",\"product_id\":\"", self.code(), "\""]);
        if self.contract.ends().is_none() {
            // A rate of zero is not told.
            let rate = time_ms / TICKER_MS % 4;
            if rate > 0 {
                number(
                    out,
                    ",\"funding_rate\":-6.2604214e-11,\"relative_funding_rate\":-1.38038472222",
                    rate,
                );
                texts(out, &["e-06"]);
            }
            number(out, ",\"next_funding_rate_time\":", time_ms.next_multiple_of(3_600_000));
        }
        texts(out, &[",\"feed\":\"ticker\""]);
        for (side, keys) in
            [(Side::Bid, [",\"bid\":", ",\"bid_size\":"]), (Side::Ask, [",\"ask\":", ",\"ask_size\":"])]
        {
            if let Some(best) = book.best(side) {
                texts(out, &[keys[0]]);
                self.price(out, best.price);
                texts(out, &[keys[1]]);
                self.qty(out, best.qty);
            }
        }
        let last = self.last_trade.map_or(self.contract.profile().reference_price, |trade| trade.price);
        texts(out, &[",\"volume\":31403908.0,\"dtm\":0,\"leverage\":\"50x\",\"index\":"]);
        self.price(out, last + 1);
        texts(out, &[",\"premium\":-0.0,\"last\":"]);
        self.price(out, last);
        texts(out, &[",\"change\":1.9974017538161748,\"suspended\":false,\"tag\":\"perpetual\""]);
        texts(out, &[",\"openInterest\":30072580.0,\"markPrice\":21979.68641534714"]);
        number(out, ",\"maturityTime\":", self.contract.ends().unwrap_or(0));
        texts(out, &[",\"post_only\":false,\"volumeQuote\":31403908.0}"]);
    }

    fn heartbeat(&mut self, time_ms: u64, time_ns: u64, out: &mut Frames) {
        if time_ms < self.next_heartbeat_ms {
            return;
        }
        self.next_heartbeat_ms = time_ms + HEARTBEAT_MS;
        out.push(time_ns, Channel::Heartbeat, |out| {
            number(out, "{\"feed\":\"heartbeat\",\"time\":", time_ms);
            out.push(b'}');
        });
        self.counts.heartbeats += 1;
    }
}

fn texts(out: &mut Vec<u8>, texts: &[&str]) {
    texts.iter().for_each(|text| out.extend_from_slice(text.as_bytes()));
}

fn number(out: &mut Vec<u8>, key: &str, value: u64) {
    out.extend_from_slice(key.as_bytes());
    integer(out, value);
}

impl Dialect for KrakenFutures {
    fn venue(&self) -> &'static str {
        "kraken-futures"
    }

    fn code(&self) -> &str {
        self.contract.profile().symbol
    }

    fn depth(&self) -> Option<usize> {
        None
    }

    fn open(&mut self, now_ns: u64, out: &mut Frames) {
        self.live_unheard(now_ns);
        out.push(now_ns, Channel::Control, |out| texts(out, &["{\"event\":\"info\",\"version\":1}"]));
        self.counts.control += 1;
        self.answered("subscribed", "book", now_ns, out);
        self.whole(now_ns, out);
        self.answered("subscribed", "trade", now_ns, out);
        self.trades_before(now_ns, out);
        let now_ms = now_ns / 1_000_000;
        (self.next_ticker_ms, self.next_heartbeat_ms) = (now_ms, now_ms + HEARTBEAT_MS / 4);
    }

    fn step(&mut self, now_ns: u64, out: &mut Frames) {
        let begun = out.len();
        while out.len() == begun {
            if let Some(level) = self.next_level() {
                out.push(self.waiting_ns, Channel::Book, |out| self.level(out, level));
                self.counts.updates += 1;
                self.counts.levels += 1;
                return;
            }
            let Some(time_ms) = self.clock.take(now_ns) else { return };
            let time_ns = moment_ns(time_ms);
            self.live(time_ns);
            self.trades(time_ns, out);
            self.ticker(time_ms, time_ns, out);
            self.heartbeat(time_ms, time_ns, out);
        }
    }

    /// The book of REST has no number.
    fn snapshot(&mut self, out: &mut Vec<u8>) -> bool {
        out.clear();
        false
    }

    fn resubscribe(&mut self, now_ns: u64, out: &mut Frames) {
        self.live_unheard(now_ns);
        self.answered("unsubscribed", "book", now_ns, out);
        self.answered("subscribed", "book", now_ns, out);
        self.whole(now_ns, out);
    }

    fn truth(&self, out: &mut Truth) {
        self.told.truth(self.seq, self.contract.steps(), out);
    }

    fn exponents(&self) -> (i8, i8) {
        self.contract.profile().exponents()
    }

    fn sent(&self) -> Counts {
        self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_read_like_recorded_ones() {
        let mut dialect = KrakenFutures::new(1, KrakenFuturesContract::Inverse);
        (dialect.seq, dialect.waiting_ns) = (5_160_372, 1_626_994_958_174_000_000);
        let mut level = Vec::new();
        dialect.level(&mut level, (Side::Bid, 64_220, 551));
        assert_eq!(
            String::from_utf8_lossy(&level),
            "{\"feed\":\"book\",\"product_id\":\"PI_XBTUSD\",\"side\":\"buy\",\"seq\":5160372,\"price\":32110.0,\"qty\":551.0,\
             \"timestamp\":1626994958174}"
        );
        let trade = Trade { id: 103_832, price: 64_221, qty: 40, buyer_is_maker: false };
        let mut told = Vec::new();
        dialect.trade(&mut told, &trade, "fill", 1_626_994_936_490);
        assert_eq!(
            String::from_utf8_lossy(&told),
            "{\"feed\":\"trade\",\"product_id\":\"PI_XBTUSD\",\"uid\":\"a4cce96f-e061-46ef-9205-000000019598\",\"side\":\"buy\",\
             \"type\":\"fill\",\"seq\":103832,\"time\":1626994936490,\"qty\":40.0,\"price\":32110.5}"
        );
        let mut frames = Frames::new();
        dialect.open(1_626_994_958_174_000_000, &mut frames);
        let begun: Vec<_> =
            frames.iter().map(|frame| String::from_utf8_lossy(frame.bytes).into_owned()).collect();
        assert!(
            begun[2].starts_with(
                "{\"feed\":\"book_snapshot\",\"product_id\":\"PI_XBTUSD\",\"timestamp\":1626994958174,\"seq\":5160372,\
                 \"tickSize\":null,\"bids\":[{\"price\":321"
            ),
            "{}",
            begun[2]
        );
    }
}

//! Bitstamp, version 2 of its WebSocket: `diff_order_book` and `live_trades` of one pair, and the book over HTTP.
//!
//! Source: bitstamp.net/websocket/v2, bitstamp.net/api; recorded frames decide the order of members and the printed digits:
//! 1. A difference tells the levels that were touched since the one before, with their digits in full, and its time in
//!    microseconds; quantity 0 removes. Nothing is numbered.
//! 2. The book over HTTP has the time of the difference that it was taken behind.
//! 3. A trade has its numbers as JSON numbers and as texts.

use std::collections::{BTreeMap, BTreeSet};

use super::clock::{Clock, moment_ns};
use super::text::{decimal, integer, shortest};
use super::{Channel, Counts, Dialect, Frames, Truth};
use crate::curve::Curve;
use crate::market::Trade;
use crate::market::book::{ChangeKind, Side};
use crate::market::exchange::Exchange;
use crate::market::instrument::Profile;

/// Milliseconds from one difference to the next.
const WINDOW_MS: u64 = 100;

/// Milliseconds from one answer to the client's question whether the venue lives to the next.
const HEARTBEAT_MS: u64 = 20_000;

static BTC_USD: Profile = Profile {
    symbol: "btcusd",
    price_exponent: -2,
    qty_exponent: -8,
    reference_price: 7_870_359,
    // A difference of some ten levels in most tenths of a second, as recorded.
    actions_per_s: 120,
    fair_step: 40 * 256,
    shape: Curve(&[(0, 0), (16, 600), (128, 4_000), (512, 15_000), (1_024, 45_000), (2_000, 300_000)]),
    levels: 1_200,
    join_weight: 0,
    qty_quarters: 4_321,
    update_id: 0,
    trade_id: 412_345_678,
};

/// One pair on one connection.
#[derive(Clone, Debug)]
pub struct Bitstamp {
    exchange: Exchange,
    clock: Clock,
    /// What differences have told, by [`Side`] and [`Side::key`].
    told: [BTreeMap<i64, i64>; 2],
    /// Prices touched since.
    touched: BTreeSet<(Side, i64)>,
    told_us: u64,
    next_heartbeat_ms: u64,
    counts: Counts,
}

impl Bitstamp {
    /// A market before its first connection.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            exchange: Exchange::new(&BTC_USD, seed, 6_000).drowsy(),
            clock: Clock::default(),
            told: Default::default(),
            touched: BTreeSet::new(),
            told_us: 0,
            next_heartbeat_ms: 0,
            counts: Counts::default(),
        }
    }

    fn live(&mut self) {
        self.exchange.live();
        for change in self.exchange.changes() {
            if let ChangeKind::Moved { from, .. } = change.kind {
                self.touched.insert((change.side, from));
            }
            self.touched.insert((change.side, change.price));
        }
    }

    /// All that stands is told as if by differences.
    fn tell_all(&mut self, now_ns: u64) {
        for side in [Side::Bid, Side::Ask] {
            let levels = self.exchange.book().levels(side);
            self.told[side as usize] = levels.map(|level| (side.key(level.price), level.qty)).collect();
        }
        self.touched.clear();
        self.told_us = now_ns / 1_000;
    }

    fn subscribed(&mut self, now_ns: u64, out: &mut Frames) {
        for channel in ["diff_order_book_", "live_trades_"] {
            acknowledge(channel, &BTC_USD, now_ns, out);
            self.counts.control += 1;
        }
        self.next_heartbeat_ms = now_ns / 1_000_000 + HEARTBEAT_MS;
    }

    /// Levels that are told at a time: those that differ from what was told before.
    fn tell(&mut self, time_ns: u64) -> [Vec<(i64, i64)>; 2] {
        let book = self.exchange.book();
        let mut sides: [Vec<(i64, i64)>; 2] = Default::default();
        for (side, price) in std::mem::take(&mut self.touched) {
            let (qty, told) = (book.qty_at(side, price), &mut self.told[side as usize]);
            let key = side.key(price);
            let before = if qty == 0 { told.remove(&key) } else { told.insert(key, qty) };
            if before.unwrap_or(0) != qty {
                sides[side as usize].push((price, qty));
            }
        }
        if sides.iter().any(|side| !side.is_empty()) {
            self.told_us = time_ns / 1_000;
        }
        sides
    }

    fn difference(&mut self, time_ns: u64, out: &mut Frames) {
        let sides = self.tell(time_ns);
        if sides.iter().all(Vec::is_empty) {
            return;
        }
        self.counts.updates += 1;
        self.counts.levels += sides.iter().map(|side| side.len() as u64).sum::<u64>();
        let us = self.told_us;
        out.push(time_ns, Channel::Book, |out| {
            out.extend_from_slice(b"{\"data\":");
            book_of(out, us, sides);
            for text in [",\"channel\":\"diff_order_book_", BTC_USD.symbol, "\",\"event\":\"data\"}"] {
                out.extend_from_slice(text.as_bytes());
            }
        });
    }
}

/// The answer to a subscription.
pub(super) fn acknowledge(channel: &str, pair: &Profile, now_ns: u64, out: &mut Frames) {
    out.push(now_ns, Channel::Control, |out| {
        for text in [
            "{\"event\":\"bts:subscription_succeeded\",\"channel\":\"",
            channel,
            pair.symbol,
            "\",\"data\":{}}",
        ] {
            out.extend_from_slice(text.as_bytes());
        }
    });
}

/// The answer to the client's question whether the venue lives.
pub(super) fn heartbeat(time_ns: u64, out: &mut Frames) {
    out.push(time_ns, Channel::Heartbeat, |out| {
        out.extend_from_slice(
            b"{\"event\":\"bts:heartbeat\",\"channel\":\"\",\"data\":{\"status\":\"success\"}}",
        );
    });
}

/// Appends the beginning of a book, its times.
pub(super) fn time_of(out: &mut Vec<u8>, us: u64) {
    out.extend_from_slice(b"{\"timestamp\":\"");
    integer(out, us / 1_000_000);
    out.extend_from_slice(b"\",\"microtimestamp\":\"");
    integer(out, us);
}

/// Appends times and levels.
fn book_of(out: &mut Vec<u8>, us: u64, sides: [impl IntoIterator<Item = (i64, i64)>; 2]) {
    time_of(out, us);
    for (name, side) in [&b"\",\"bids\":["[..], b"],\"asks\":["].into_iter().zip(sides) {
        out.extend_from_slice(name);
        for (position, (price, qty)) in side.into_iter().enumerate() {
            out.extend_from_slice(if position == 0 { b"[\"" } else { b",[\"" });
            decimal(out, price, BTC_USD.price_exponent, BTC_USD.price_exponent.unsigned_abs());
            out.extend_from_slice(b"\",\"");
            decimal(out, qty, BTC_USD.qty_exponent, BTC_USD.qty_exponent.unsigned_abs());
            out.extend_from_slice(b"\"]");
        }
    }
    out.extend_from_slice(b"]}");
}

/// Appends a trade.
pub(super) fn trade_of(out: &mut Vec<u8>, pair: &Profile, time_ns: u64, trade: Trade) {
    let (price, qty) = (pair.price_exponent, pair.qty_exponent);
    out.extend_from_slice(b"{\"data\":{\"id\":");
    integer(out, trade.id);
    out.extend_from_slice(b",\"timestamp\":\"");
    integer(out, time_ns / 1_000_000_000);
    out.extend_from_slice(b"\",\"amount\":");
    shortest(out, trade.qty, qty);
    out.extend_from_slice(b",\"amount_str\":\"");
    decimal(out, trade.qty, qty, qty.unsigned_abs());
    out.extend_from_slice(b"\",\"price\":");
    shortest(out, trade.price, price);
    out.extend_from_slice(b",\"price_str\":\"");
    decimal(out, trade.price, price, price.unsigned_abs());
    out.extend_from_slice(if trade.buyer_is_maker { b"\",\"type\":1" } else { b"\",\"type\":0" });
    out.extend_from_slice(b",\"microtimestamp\":\"");
    integer(out, time_ns / 1_000);
    out.extend_from_slice(b"\",\"buy_order_id\":1,\"sell_order_id\":2},\"channel\":\"live_trades_");
    out.extend_from_slice(pair.symbol.as_bytes());
    out.extend_from_slice(b"\",\"event\":\"trade\"}");
}

impl Dialect for Bitstamp {
    fn venue(&self) -> &'static str {
        "bitstamp"
    }

    fn code(&self) -> &str {
        BTC_USD.symbol
    }

    fn depth(&self) -> Option<usize> {
        None
    }

    fn open(&mut self, now_ns: u64, out: &mut Frames) {
        let unheard_ms = self.clock.start(now_ns);
        if self.counts.control == 0 {
            self.tell_all(now_ns);
        }
        // Whether or not anybody hears it, the venue tells.
        for before_ms in (0..unheard_ms).rev() {
            self.live();
            let time_ms = now_ns / 1_000_000 - before_ms;
            if time_ms.is_multiple_of(WINDOW_MS) {
                self.tell(moment_ns(time_ms));
            }
        }
        self.subscribed(now_ns, out);
    }

    fn step(&mut self, now_ns: u64, out: &mut Frames) {
        let begun = out.len();
        while out.len() == begun {
            let Some(time_ms) = self.clock.take(now_ns) else { return };
            let time_ns = moment_ns(time_ms);
            self.live();
            for &trade in self.exchange.trades() {
                out.push(time_ns, Channel::Trade, |out| trade_of(out, &BTC_USD, time_ns, trade));
                self.counts.trades += 1;
            }
            if time_ms.is_multiple_of(WINDOW_MS) {
                self.difference(time_ns, out);
            }
            if time_ms >= self.next_heartbeat_ms {
                heartbeat(time_ns, out);
                self.counts.heartbeats += 1;
                self.next_heartbeat_ms = time_ms + HEARTBEAT_MS;
            }
        }
    }

    fn snapshot(&mut self, out: &mut Vec<u8>) -> bool {
        out.clear();
        let sides = [Side::Bid, Side::Ask].map(|side| {
            self.told[side as usize].iter().map(move |(key, qty)| (side.key(*key), *qty)).collect::<Vec<_>>()
        });
        self.counts.levels += sides.iter().map(|side| side.len() as u64).sum::<u64>();
        book_of(out, self.told_us, sides);
        self.counts.snapshots += 1;
        true
    }

    fn resubscribe(&mut self, now_ns: u64, out: &mut Frames) {
        self.open(now_ns, out);
    }

    fn truth(&self, out: &mut Truth) {
        out.seq = self.told_us;
        for (side, levels) in [(Side::Bid, &mut out.bids), (Side::Ask, &mut out.asks)] {
            levels.clear();
            levels.extend(self.told[side as usize].iter().map(|(key, qty)| (side.key(*key), *qty)));
        }
    }

    fn exponents(&self) -> (i8, i8) {
        BTC_USD.exponents()
    }

    fn sent(&self) -> Counts {
        self.counts
    }
}

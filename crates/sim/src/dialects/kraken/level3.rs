//! Kraken's WebSocket version 2: `level3`, every order of one pair, and `trade`.
//!
//! 1. A message names orders with `add`, `modify` and `delete`. Within a level they stand in the order in which the
//!    messages named them: a `modify` to less keeps its place, one to another price joins the end there.
//! 2. When a level comes into sight, all its orders follow as `add`, with the times that they have.
//! 3. The checksum covers every order of the best ten levels in the order of the queue.

use super::super::clock::{Clock, moment_ns};
use super::super::text::{date_time, decimal, integer, scientific, shortest};
use super::super::{Channel, Counts, Dialect, Frames, TrueOrder, TrueOrders, Truth};
use super::day::Day;
use super::orders::{Entry, Event, Orders};
use super::wire::{Subscription, instruments, kraken_order_id, status};
use super::{HEARTBEAT_MS, KrakenPair, WARM_MS, truth, venue_depth};
use crate::market::book::Side;
use crate::market::exchange::Exchange;

/// How decimals are printed. Checksums do not depend on it: they take the pair's digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// With all the pair's digits: `6390.19338000`, as the `book` channel is recorded.
    Fixed,
    /// With no zero at the end: `6390.19338`, as the examples of the `level3` page are.
    Shortest,
    /// As binary floating point numbers are printed: `14084.5`, `5.0`, `1e-05`. A public client of the channel has
    /// such a message of 2026 among its tests.
    Scientific,
}

/// One pair on a connection that is allowed to see orders.
#[derive(Clone, Debug)]
pub struct KrakenLevel3 {
    pair: KrakenPair,
    depth: usize,
    numbers: Numbers,
    seed: u64,
    exchange: Exchange,
    clock: Clock,
    orders: Orders,
    day: Day,
    next_heartbeat_ms: u64,
    counts: Counts,
}

impl KrakenLevel3 {
    /// A market before its first connection, on which `level3` is subscribed at the least depth of
    /// [`super::KRAKEN_DEPTHS`] that has `depth` levels.
    #[must_use]
    pub fn new(seed: u64, pair: KrakenPair, depth: usize, numbers: Numbers) -> Self {
        let depth = venue_depth(depth);
        let exchange = Exchange::new(pair.profile(), seed, 3_000 + depth as u64).drowsy();
        Self {
            pair,
            depth,
            numbers,
            seed,
            orders: Orders::new(exchange.book(), depth, 0),
            exchange,
            clock: Clock::default(),
            day: Day::new(pair),
            next_heartbeat_ms: 0,
            counts: Counts::default(),
        }
    }

    fn live(&mut self, time_ns: u64) {
        self.exchange.live();
        self.day.traded(self.exchange.trades(), time_ns);
        for change in self.exchange.changes() {
            self.orders.apply(change, time_ns);
        }
    }

    fn live_unheard(&mut self, now_ns: u64) {
        for _ in 0..self.clock.start(now_ns) {
            self.live(now_ns);
        }
        self.orders.told();
    }

    fn subscription(&self) -> Subscription {
        Subscription { channel: "level3", depth: Some(self.depth), symbol: Some(self.pair.code()) }
    }

    fn snapshot_frame(&mut self, time_ns: u64, out: &mut Frames) {
        let [bids, asks] = [Side::Bid, Side::Ask].map(|side| self.orders.shown(side).collect::<Vec<_>>());
        out.push(time_ns, Channel::Orders, |out| self.message(out, true, [&bids, &asks], time_ns));
        self.counts.snapshots += 1;
        self.counts.checksums += 1;
        self.counts.orders += (bids.len() + asks.len()) as u64;
        self.orders.told();
    }

    fn message(&self, out: &mut Vec<u8>, is_snapshot: bool, [bids, asks]: [&[Entry]; 2], time_ns: u64) {
        let kind = if is_snapshot { "snapshot" } else { "update" };
        for text in [
            "{\"channel\":\"level3\",\"type\":\"",
            kind,
            "\",\"data\":[{\"symbol\":\"",
            self.pair.code(),
            "\"",
        ] {
            out.extend_from_slice(text.as_bytes());
        }
        for (key, entries) in [(",\"bids\":[", bids), ("],\"asks\":[", asks)] {
            out.extend_from_slice(key.as_bytes());
            for (position, entry) in entries.iter().enumerate() {
                out.extend_from_slice(if position == 0 { b"{" } else { b",{" });
                if !is_snapshot {
                    out.extend_from_slice(match entry.event {
                        Event::Add => b"\"event\":\"add\",",
                        Event::Modify => b"\"event\":\"modify\",",
                        Event::Delete => b"\"event\":\"delete\",",
                    });
                }
                self.order(out, entry);
            }
        }
        out.extend_from_slice(b"],\"checksum\":");
        integer(out, u64::from(self.orders.checksum((0, 0))));
        out.extend_from_slice(b",\"timestamp\":\"");
        date_time(out, time_ns, 6);
        out.extend_from_slice(b"\"}]}");
    }

    fn order(&self, out: &mut Vec<u8>, entry: &Entry) {
        let profile = self.pair.profile();
        let number = |out: &mut Vec<u8>, mantissa, exponent: i32| match self.numbers {
            Numbers::Fixed => decimal(out, mantissa, exponent, exponent.unsigned_abs()),
            Numbers::Shortest => shortest(out, mantissa, exponent),
            Numbers::Scientific => scientific(out, mantissa, exponent),
        };
        out.extend_from_slice(b"\"order_id\":\"");
        kraken_order_id(entry.id, out);
        out.extend_from_slice(b"\",\"limit_price\":");
        number(out, entry.price, profile.price_exponent);
        out.extend_from_slice(b",\"order_qty\":");
        number(out, entry.qty, profile.qty_exponent);
        out.extend_from_slice(b",\"timestamp\":\"");
        date_time(out, entry.time_ns, 9);
        out.extend_from_slice(b"\"}");
    }
}

impl Dialect for KrakenLevel3 {
    fn venue(&self) -> &'static str {
        "kraken"
    }

    fn code(&self) -> &str {
        self.pair.code()
    }

    fn depth(&self) -> Option<usize> {
        Some(self.depth)
    }

    fn open(&mut self, now_ns: u64, out: &mut Frames) {
        let first = self.counts.control == 0;
        self.live_unheard(now_ns);
        if first {
            let begin_ns = now_ns.saturating_sub(WARM_MS * 1_000_000);
            self.orders = Orders::new(self.exchange.book(), self.depth, begin_ns);
            for before_ms in (1..=WARM_MS).rev() {
                self.live(now_ns.saturating_sub(before_ms * 1_000_000));
            }
        }
        let connection_id = 2_950_167_385_101_900_187 ^ self.seed << 20 ^ self.counts.control;
        out.push(now_ns, Channel::Control, |out| status(out, connection_id));
        let instrument = Subscription { channel: "instrument", depth: None, symbol: None };
        out.push(now_ns, Channel::Control, |out| instrument.subscribed(out, now_ns));
        out.push(now_ns, Channel::Definition, |out| instruments(out, self.pair));
        let level3 = self.subscription();
        out.push(now_ns, Channel::Control, |out| level3.subscribed(out, now_ns));
        self.snapshot_frame(now_ns, out);
        let trade = Subscription { channel: "trade", depth: None, symbol: Some(self.pair.code()) };
        out.push(now_ns, Channel::Control, |out| trade.subscribed(out, now_ns));
        let recent = self.day.recent();
        self.counts.trades += recent.len() as u64;
        out.push(now_ns, Channel::Trade, |out| self.day.trades(out, "snapshot", recent));
        self.counts.control += 4;
        self.counts.definitions += 1;
        self.next_heartbeat_ms = now_ns / 1_000_000 + HEARTBEAT_MS;
    }

    fn step(&mut self, now_ns: u64, out: &mut Frames) {
        let begun = out.len();
        while out.len() == begun {
            let Some(time_ms) = self.clock.take(now_ns) else { return };
            let time_ns = moment_ns(time_ms);
            self.live(time_ns);
            let trades = self.exchange.trades().iter().map(|&trade| (trade, time_ns));
            if trades.len() > 0 {
                self.counts.trades += trades.len() as u64;
                out.push(time_ns, Channel::Trade, |out| self.day.trades(out, "update", trades));
            }
            let entries = [Side::Bid, Side::Ask].map(|side| self.orders.entries(side));
            let orders = (entries[0].len() + entries[1].len()) as u64;
            if orders > 0 {
                out.push(time_ns, Channel::Orders, |out| self.message(out, false, entries, time_ns));
                self.counts.updates += 1;
                self.counts.checksums += 1;
                self.counts.orders += orders;
                self.orders.told();
            }
            if time_ms >= self.next_heartbeat_ms {
                out.push(time_ns, Channel::Heartbeat, |out| {
                    out.extend_from_slice(b"{\"channel\":\"heartbeat\"}");
                });
                self.counts.heartbeats += 1;
                self.next_heartbeat_ms = time_ms + HEARTBEAT_MS;
            }
        }
    }

    fn snapshot(&mut self, out: &mut Vec<u8>) -> bool {
        out.clear();
        false
    }

    fn resubscribe(&mut self, now_ns: u64, out: &mut Frames) {
        self.live_unheard(now_ns);
        let level3 = self.subscription();
        out.push(now_ns, Channel::Control, |out| level3.unsubscribed(out, now_ns));
        out.push(now_ns, Channel::Control, |out| level3.subscribed(out, now_ns));
        self.counts.control += 2;
        self.snapshot_frame(now_ns, out);
    }

    fn truth(&self, out: &mut Truth) {
        truth(self.exchange.book(), self.depth, out);
    }

    fn orders(&self, out: &mut TrueOrders) -> bool {
        let book = self.exchange.book();
        for (side, orders) in [(Side::Bid, &mut out.bids), (Side::Ask, &mut out.asks)] {
            orders.clear();
            let Some(worst) = book.levels(side).take(self.depth).last() else { continue };
            let shown = book.orders(side).take_while(|order| side.key(order.0) <= side.key(worst.price));
            orders.extend(shown.map(|(price, id, qty)| TrueOrder { id, price, qty }));
        }
        true
    }

    fn exponents(&self) -> (i8, i8) {
        self.pair.exponents()
    }

    fn sent(&self) -> Counts {
        self.counts
    }
}

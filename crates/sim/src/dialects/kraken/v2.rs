//! Kraken's WebSocket version 2: `book`, `trade` and `ticker` of one pair.

use super::super::clock::{Clock, moment_ns};
use super::super::text::{date_time, decimal, integer};
use super::super::{Channel, Counts, Dialect, Frames, Truth};
use super::day::Day;
use super::levels::{Entry, Levels};
use super::wire::{Subscription, instruments, status};
use super::{HEARTBEAT_MS, KrakenPair, WARM_MS, truth, venue_depth};
use crate::market::Bbo;
use crate::market::book::Side;
use crate::market::exchange::Exchange;

/// By how much the venue's stamps are before the arrival, in nanoseconds.
const TRANSIT_NS: u64 = 137_000;

/// One pair on a public connection of version 2.
#[derive(Clone, Debug)]
pub struct KrakenV2 {
    pair: KrakenPair,
    depth: usize,
    seed: u64,
    exchange: Exchange,
    clock: Clock,
    levels: Levels,
    day: Day,
    bbo: Bbo,
    next_heartbeat_ms: u64,
    counts: Counts,
}

impl KrakenV2 {
    /// A market before its first connection, on which `book` is subscribed at the least depth of
    /// [`super::KRAKEN_DEPTHS`] that has `depth` levels.
    #[must_use]
    pub fn new(seed: u64, pair: KrakenPair, depth: usize) -> Self {
        let depth = venue_depth(depth);
        let exchange = Exchange::new(pair.profile(), seed, 1_000 + depth as u64).drowsy();
        Self {
            pair,
            depth,
            seed,
            levels: Levels::new(exchange.book(), depth, 0),
            exchange,
            clock: Clock::default(),
            day: Day::new(pair),
            bbo: NOBODY,
            next_heartbeat_ms: 0,
            counts: Counts::default(),
        }
    }

    fn live(&mut self, time_ns: u64) {
        self.exchange.live();
        self.day.traded(self.exchange.trades(), time_ns.saturating_sub(TRANSIT_NS));
        for change in self.exchange.changes() {
            self.levels.apply(change, time_ns);
        }
    }

    fn live_unheard(&mut self, now_ns: u64) {
        for _ in 0..self.clock.start(now_ns) {
            self.live(now_ns);
        }
        self.levels.told();
    }

    fn book_subscription(&self) -> Subscription {
        Subscription { channel: "book", depth: Some(self.depth), symbol: Some(self.pair.code()) }
    }

    fn snapshot_frame(&mut self, time_ns: u64, out: &mut Frames) {
        let [bids, asks] = [Side::Bid, Side::Ask].map(|side| self.levels.shown(side).collect::<Vec<_>>());
        out.push(time_ns, Channel::Book, |out| self.book(out, "snapshot", [&bids, &asks], time_ns));
        self.counts.snapshots += 1;
        self.counts.checksums += 1;
        self.counts.levels += (bids.len() + asks.len()) as u64;
        self.levels.told();
    }

    fn book(&self, out: &mut Vec<u8>, kind: &str, [bids, asks]: [&[Entry]; 2], time_ns: u64) {
        for text in
            ["{\"channel\":\"book\",\"type\":\"", kind, "\",\"data\":[{\"symbol\":\"", self.pair.code(), "\""]
        {
            out.extend_from_slice(text.as_bytes());
        }
        let profile = self.pair.profile();
        for (key, entries) in [(",\"bids\":[", bids), ("],\"asks\":[", asks)] {
            out.extend_from_slice(key.as_bytes());
            for (position, entry) in entries.iter().enumerate() {
                out.extend_from_slice(if position == 0 { b"{\"price\":" } else { b",{\"price\":" });
                decimal(out, entry.price, profile.price_exponent, profile.price_exponent.unsigned_abs());
                out.extend_from_slice(b",\"qty\":");
                decimal(out, entry.qty, profile.qty_exponent, profile.qty_exponent.unsigned_abs());
                out.push(b'}');
            }
        }
        out.extend_from_slice(b"],\"checksum\":");
        integer(out, u64::from(self.levels.checksum((0, 0))));
        out.extend_from_slice(b",\"timestamp\":\"");
        date_time(out, time_ns.saturating_sub(TRANSIT_NS), 6);
        out.extend_from_slice(b"\"}]}");
    }

    fn trades(&mut self, time_ns: u64, out: &mut Frames) {
        let stamp_ns = time_ns.saturating_sub(TRANSIT_NS);
        let trades = self.exchange.trades().iter().map(|&trade| (trade, stamp_ns));
        if trades.len() > 0 {
            self.counts.trades += trades.len() as u64;
            out.push(time_ns, Channel::Trade, |out| self.day.trades(out, "update", trades));
        }
    }

    fn ticker(&mut self, time_ns: u64, out: &mut Frames) {
        let bbo = self.best();
        if bbo != self.bbo {
            let stamp_ns = time_ns.saturating_sub(TRANSIT_NS);
            out.push(time_ns, Channel::Ticker, |out| self.day.ticker(out, "update", bbo, stamp_ns));
            self.counts.tickers += 1;
            self.bbo = bbo;
        }
    }

    /// The best of both sides; zeros where a side is empty.
    fn best(&self) -> Bbo {
        let best = |side| self.exchange.book().best(side).map_or((0, 0), |level| (level.price, level.qty));
        let ((bid_price, bid_qty), (ask_price, ask_qty)) = (best(Side::Bid), best(Side::Ask));
        Bbo { bid_price, bid_qty, ask_price, ask_qty }
    }
}

const NOBODY: Bbo = Bbo { bid_price: 0, bid_qty: 0, ask_price: 0, ask_qty: 0 };

impl Dialect for KrakenV2 {
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
            self.levels = Levels::new(self.exchange.book(), self.depth, begin_ns);
            for before_ms in (1..=WARM_MS).rev() {
                self.live(now_ns.saturating_sub(before_ms * 1_000_000));
            }
        }
        let connection_id = 7_204_881_492_680_171_915 ^ self.seed << 20 ^ self.counts.control;
        out.push(now_ns, Channel::Control, |out| status(out, connection_id));
        let symbol = Some(self.pair.code());
        let subscribed = |channel, symbol| Subscription { channel, depth: None, symbol };
        let instrument = subscribed("instrument", None);
        out.push(now_ns, Channel::Control, |out| instrument.subscribed(out, now_ns));
        out.push(now_ns, Channel::Definition, |out| instruments(out, self.pair));
        let book = self.book_subscription();
        out.push(now_ns, Channel::Control, |out| book.subscribed(out, now_ns));
        self.snapshot_frame(now_ns, out);
        let trade = subscribed("trade", symbol);
        out.push(now_ns, Channel::Control, |out| trade.subscribed(out, now_ns));
        let recent = self.day.recent();
        self.counts.trades += recent.len() as u64;
        out.push(now_ns, Channel::Trade, |out| self.day.trades(out, "snapshot", recent));
        let ticker = subscribed("ticker", symbol);
        out.push(now_ns, Channel::Control, |out| ticker.subscribed(out, now_ns));
        self.bbo = self.best();
        out.push(now_ns, Channel::Ticker, |out| self.day.ticker(out, "snapshot", self.bbo, now_ns));
        self.counts.control += 5;
        self.counts.definitions += 1;
        self.counts.tickers += 1;
        self.next_heartbeat_ms = now_ns / 1_000_000 + HEARTBEAT_MS;
    }

    fn step(&mut self, now_ns: u64, out: &mut Frames) {
        let begun = out.len();
        while out.len() == begun {
            let Some(time_ms) = self.clock.take(now_ns) else { return };
            let time_ns = moment_ns(time_ms);
            self.live(time_ns);
            self.trades(time_ns, out);
            let entries = [Side::Bid, Side::Ask].map(|side| self.levels.entries(side));
            let levels = (entries[0].len() + entries[1].len()) as u64;
            if levels > 0 {
                out.push(time_ns, Channel::Book, |out| self.book(out, "update", entries, time_ns));
                self.counts.updates += 1;
                self.counts.checksums += 1;
                self.counts.levels += levels;
                self.levels.told();
            }
            self.ticker(time_ns, out);
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
        let book = self.book_subscription();
        out.push(now_ns, Channel::Control, |out| book.unsubscribed(out, now_ns));
        out.push(now_ns, Channel::Control, |out| book.subscribed(out, now_ns));
        self.counts.control += 2;
        self.snapshot_frame(now_ns, out);
    }

    fn cut(&self, depth: usize) -> Option<Box<dyn Dialect>> {
        let depth = venue_depth(depth);
        Some(Box::new(Self { depth, levels: Levels::new(self.exchange.book(), depth, 0), ..self.clone() }))
    }

    fn truth(&self, out: &mut Truth) {
        truth(self.exchange.book(), self.depth, out);
    }

    fn exponents(&self) -> (i8, i8) {
        self.pair.exponents()
    }

    fn sent(&self) -> Counts {
        self.counts
    }
}

//! Kraken's WebSocket version 1: `book-N` and `trade` of one pair, as arrays of texts.
//!
//! 1. A snapshot has both sides (`as`, `bs`) and no checksum. An update has one object a side, asks first; the last
//!    one ends with the checksum `c`, a number in quotes.
//! 2. A level is price, quantity, the time of its last change and, where it only came into sight again, `r`. Levels
//!    stand in the order in which they changed, not in that of their times.

use super::super::clock::{Clock, moment_ns};
use super::super::text::{decimal, integer, seconds};
use super::super::{Channel, Counts, Dialect, Frames, Truth};
use super::levels::{Entry, Levels, Padding};
use super::{HEARTBEAT_MS, KrakenPair, truth, venue_depth};
use crate::market::book::Side;
use crate::market::exchange::Exchange;

/// Decimals of quantities, whatever the pair.
const QTY_DECIMALS: u32 = 8;

/// One pair on a connection of version 1.
#[derive(Clone, Debug)]
pub struct KrakenV1 {
    pair: KrakenPair,
    depth: usize,
    seed: u64,
    exchange: Exchange,
    clock: Clock,
    levels: Levels,
    next_heartbeat_ms: u64,
    counts: Counts,
}

impl KrakenV1 {
    /// A market before its first connection, on which `book` is subscribed at the least depth of
    /// [`super::KRAKEN_DEPTHS`] that has `depth` levels.
    #[must_use]
    pub fn new(seed: u64, pair: KrakenPair, depth: usize) -> Self {
        let depth = venue_depth(depth);
        let exchange = Exchange::new(pair.profile(), seed, 2_000 + depth as u64).drowsy();
        Self {
            pair,
            depth,
            seed,
            levels: Levels::new(exchange.book(), depth, 0),
            exchange,
            clock: Clock::default(),
            next_heartbeat_ms: 0,
            counts: Counts::default(),
        }
    }

    fn live(&mut self, time_ns: u64) {
        self.exchange.live();
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

    fn padding(&self) -> Padding {
        let profile = self.pair.profile();
        let price = self.pair.price_decimals_v1() - profile.price_exponent.unsigned_abs();
        (price, QTY_DECIMALS - profile.qty_exponent.unsigned_abs())
    }

    /// Appends a price and a quantity in quotes.
    fn price_and_qty(&self, out: &mut Vec<u8>, price: i64, qty: i64) {
        let profile = self.pair.profile();
        out.push(b'"');
        decimal(out, price, profile.price_exponent, self.pair.price_decimals_v1());
        out.extend_from_slice(b"\",\"");
        decimal(out, qty, profile.qty_exponent, QTY_DECIMALS);
        out.push(b'"');
    }

    fn levels(&self, out: &mut Vec<u8>, levels: impl Iterator<Item = Entry>) {
        for (position, level) in levels.enumerate() {
            out.extend_from_slice(if position == 0 { b"[" } else { b",[" });
            self.price_and_qty(out, level.price, level.qty);
            out.extend_from_slice(b",\"");
            seconds(out, level.time_ns);
            out.extend_from_slice(if level.is_republished { b"\",\"r\"]" } else { b"\"]" });
        }
    }

    /// Appends what a frame ends with: the name of its channel and the pair.
    fn close(&self, out: &mut Vec<u8>, channel: &str, depth: Option<usize>) {
        out.extend_from_slice(b",\"");
        out.extend_from_slice(channel.as_bytes());
        if let Some(depth) = depth {
            out.push(b'-');
            integer(out, depth as u64);
        }
        for text in ["\",\"", self.pair.code_v1(), "\"]"] {
            out.extend_from_slice(text.as_bytes());
        }
    }

    fn subscription(
        &self,
        out: &mut Vec<u8>,
        number: u64,
        channel: &str,
        depth: Option<usize>,
        status: &str,
    ) {
        out.extend_from_slice(b"{\"channelID\":");
        integer(out, number);
        out.extend_from_slice(b",\"channelName\":\"");
        out.extend_from_slice(channel.as_bytes());
        if let Some(depth) = depth {
            out.push(b'-');
            integer(out, depth as u64);
        }
        for text in [
            "\",\"event\":\"subscriptionStatus\",\"pair\":\"",
            self.pair.code_v1(),
            "\",\"status\":\"",
            status,
            "\",\"subscription\":{",
        ] {
            out.extend_from_slice(text.as_bytes());
        }
        if let Some(depth) = depth {
            out.extend_from_slice(b"\"depth\":");
            integer(out, depth as u64);
            out.push(b',');
        }
        for text in ["\"name\":\"", channel, "\"}}"] {
            out.extend_from_slice(text.as_bytes());
        }
    }

    fn snapshot_frame(&mut self, time_ns: u64, out: &mut Frames) {
        out.push(time_ns, Channel::Book, |out| {
            out.push(b'[');
            integer(out, self.pair.channel_v1());
            out.extend_from_slice(b",{\"as\":[");
            self.levels(out, self.levels.shown(Side::Ask));
            out.extend_from_slice(b"],\"bs\":[");
            self.levels(out, self.levels.shown(Side::Bid));
            out.extend_from_slice(b"]}");
            self.close(out, "book", Some(self.depth));
        });
        self.counts.snapshots += 1;
        let shown = [Side::Bid, Side::Ask].map(|side| self.levels.shown(side).count() as u64);
        self.counts.levels += shown[0] + shown[1];
        self.levels.told();
    }

    fn update(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        integer(out, self.pair.channel_v1());
        let [asks, bids] = [Side::Ask, Side::Bid].map(|side| self.levels.entries(side));
        if !asks.is_empty() {
            out.extend_from_slice(b",{\"a\":[");
            self.levels(out, asks.iter().copied());
            out.extend_from_slice(if bids.is_empty() { b"]" } else { b"]}" });
        }
        if !bids.is_empty() {
            out.extend_from_slice(b",{\"b\":[");
            self.levels(out, bids.iter().copied());
            out.push(b']');
        }
        out.extend_from_slice(b",\"c\":\"");
        integer(out, u64::from(self.levels.checksum(self.padding())));
        out.extend_from_slice(b"\"}");
        self.close(out, "book", Some(self.depth));
    }

    fn trades(&mut self, time_ns: u64, out: &mut Frames) {
        let trades = self.exchange.trades();
        if trades.is_empty() {
            return;
        }
        out.push(time_ns, Channel::Trade, |out| {
            out.push(b'[');
            integer(out, self.pair.channel_v1() + 1);
            for (position, trade) in trades.iter().enumerate() {
                out.extend_from_slice(if position == 0 { b",[[" } else { b",[" });
                self.price_and_qty(out, trade.price, trade.qty);
                out.extend_from_slice(b",\"");
                seconds(out, time_ns);
                out.extend_from_slice(if trade.buyer_is_maker { b"\",\"s\"" } else { b"\",\"b\"" });
                out.extend_from_slice(b",\"m\",\"\"]");
            }
            out.push(b']');
            self.close(out, "trade", None);
        });
        self.counts.trades += trades.len() as u64;
    }
}

impl Dialect for KrakenV1 {
    fn venue(&self) -> &'static str {
        "kraken"
    }

    fn code(&self) -> &str {
        self.pair.code_v1()
    }

    fn depth(&self) -> Option<usize> {
        Some(self.depth)
    }

    fn open(&mut self, now_ns: u64, out: &mut Frames) {
        if self.counts.control == 0 {
            self.levels = Levels::new(self.exchange.book(), self.depth, now_ns);
        }
        self.live_unheard(now_ns);
        let connection_id = 17_413_893_361_151_983_591 ^ self.seed << 20 ^ self.counts.control;
        out.push(now_ns, Channel::Control, |out| {
            out.extend_from_slice(b"{\"connectionID\":");
            integer(out, connection_id);
            out.extend_from_slice(
                b",\"event\":\"systemStatus\",\"status\":\"online\",\"version\":\"1.8.3\"}",
            );
        });
        let (number, depth) = (self.pair.channel_v1(), Some(self.depth));
        out.push(now_ns, Channel::Control, |out| self.subscription(out, number, "book", depth, "subscribed"));
        self.snapshot_frame(now_ns, out);
        out.push(now_ns, Channel::Control, |out| {
            self.subscription(out, number + 1, "trade", None, "subscribed");
        });
        self.counts.control += 3;
        self.next_heartbeat_ms = now_ns / 1_000_000 + HEARTBEAT_MS;
    }

    fn step(&mut self, now_ns: u64, out: &mut Frames) {
        let begun = out.len();
        while out.len() == begun {
            let Some(time_ms) = self.clock.take(now_ns) else { return };
            let time_ns = moment_ns(time_ms);
            self.live(time_ns);
            self.trades(time_ns, out);
            let levels = [Side::Bid, Side::Ask].map(|side| self.levels.entries(side).len() as u64);
            if levels != [0, 0] {
                out.push(time_ns, Channel::Book, |out| self.update(out));
                self.counts.updates += 1;
                self.counts.checksums += 1;
                self.counts.levels += levels[0] + levels[1];
                self.levels.told();
            }
            if time_ms >= self.next_heartbeat_ms {
                out.push(time_ns, Channel::Heartbeat, |out| {
                    out.extend_from_slice(b"{\"event\":\"heartbeat\"}")
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
        let (number, depth) = (self.pair.channel_v1(), Some(self.depth));
        for status in ["unsubscribed", "subscribed"] {
            out.push(now_ns, Channel::Control, |out| self.subscription(out, number, "book", depth, status));
        }
        self.counts.control += 2;
        self.snapshot_frame(now_ns, out);
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

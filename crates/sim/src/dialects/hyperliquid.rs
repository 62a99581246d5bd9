//! Hyperliquid: `l2Book`, `bbo`, `trades` and `activeAssetCtx` of one perpetual.
//!
//! Source: hyperliquid.gitbook.io, "WebSocket", "Subscriptions"; the order of members as in the recording of 2025-01-26, in which
//! a book comes each 0.6 s.

use super::clock::{Clock, moment_ns};
use super::text::{integer, shortest};
use super::{Channel, Counts, Dialect, Frames, Truth};
use crate::curve::Curve;
use crate::market::Bbo;
use crate::market::book::Side;
use crate::market::exchange::Exchange;
use crate::market::instrument::Profile;

static BTC: Profile = Profile {
    symbol: "BTC",
    price_exponent: 0,
    qty_exponent: -5,
    reference_price: 105_055,
    actions_per_s: 60,
    fair_step: 256,
    shape: Curve(&[(0, 0), (16, 18), (128, 300), (512, 1_500), (1_024, 4_500)]),
    levels: 300,
    join_weight: 16,
    qty_quarters: 2,
    update_id: 1,
    trade_id: 121_451_470_284_048,
};

/// Levels a side of a message.
const DEPTH: usize = 20;
const BOOK_MS: u64 = 600;
/// A block: tops are told once in it.
const BLOCK_MS: u64 = 70;
const CONTEXT_MS: u64 = 3_000;
const PONG_MS: u64 = 50_000;

/// One coin on a public connection.
#[derive(Clone, Debug)]
pub struct Hyperliquid {
    exchange: Exchange,
    clock: Clock,
    next_block_ms: u64,
    next_context_ms: u64,
    next_pong_ms: u64,
    bbo: Option<Bbo>,
    told: Truth,
    counts: Counts,
}

impl Hyperliquid {
    /// A market before its first connection.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            exchange: Exchange::new(&BTC, seed, 600),
            clock: Clock::default(),
            next_block_ms: 0,
            next_context_ms: 0,
            next_pong_ms: 0,
            bbo: None,
            told: Truth::default(),
            counts: Counts::default(),
        }
    }

    fn book(&mut self, time_ms: u64, time_ns: u64, out: &mut Frames) {
        let book = self.exchange.book();
        let best = |side| book.levels(side).take(DEPTH).map(|level| (level.price, level.qty));
        self.told.seq = time_ms;
        self.told.bids.clear();
        self.told.bids.extend(best(Side::Bid));
        self.told.asks.clear();
        self.told.asks.extend(best(Side::Ask));
        let told = &self.told;
        out.push(time_ns, Channel::Book, |out| {
            out.extend_from_slice(b"{\"channel\":\"l2Book\",\"data\":{\"coin\":\"BTC\",\"levels\":[[");
            for (at, side) in [&told.bids, &told.asks].into_iter().enumerate() {
                if at == 1 {
                    out.extend_from_slice(b"],[");
                }
                for (at, &(price, qty)) in side.iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    level(out, price, qty);
                }
            }
            out.extend_from_slice(b"]],\"time\":");
            integer(out, time_ms);
            out.extend_from_slice(b"}}");
        });
        self.counts.updates += 1;
        self.counts.levels += (self.told.bids.len() + self.told.asks.len()) as u64;
    }

    fn trades(&mut self, time_ms: u64, time_ns: u64, out: &mut Frames) {
        let trades = self.exchange.trades();
        if trades.is_empty() {
            return;
        }
        out.push(time_ns, Channel::Trade, |out| {
            out.extend_from_slice(b"{\"channel\":\"trades\",\"data\":[");
            for (at, trade) in trades.iter().enumerate() {
                let open: &[u8] = if at == 0 { b"" } else { b"," };
                out.extend_from_slice(open);
                out.extend_from_slice(b"{\"coin\":\"BTC\",\"hash\":\"0xde47\",\"px\":\"");
                price(out, trade.price);
                out.extend_from_slice(b"\",\"side\":\"");
                out.push(if trade.buyer_is_maker { b'A' } else { b'B' });
                out.extend_from_slice(b"\",\"sz\":\"");
                shortest(out, trade.qty, BTC.qty_exponent);
                out.extend_from_slice(b"\",\"tid\":");
                // A hash of the trade, of fifty bits.
                integer(out, trade.id.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 14);
                out.extend_from_slice(b",\"time\":");
                integer(out, time_ms);
                out.push(b'}');
            }
            out.extend_from_slice(b"]}");
        });
        self.counts.trades += trades.len() as u64;
    }

    fn bbo(&mut self, time_ms: u64, time_ns: u64, out: &mut Frames) {
        if time_ms < self.next_block_ms {
            return;
        }
        self.next_block_ms = time_ms + BLOCK_MS;
        let bbo = self.exchange.book().bbo();
        if let (true, Some(bbo)) = (bbo != self.bbo, bbo) {
            out.push(time_ns, Channel::Ticker, |out| {
                out.extend_from_slice(b"{\"channel\":\"bbo\",\"data\":{\"coin\":\"BTC\",\"time\":");
                integer(out, time_ms);
                out.extend_from_slice(b",\"bbo\":[");
                level(out, bbo.bid_price, bbo.bid_qty);
                out.push(b',');
                level(out, bbo.ask_price, bbo.ask_qty);
                out.extend_from_slice(b"]}}");
            });
            self.counts.tickers += 1;
        }
        self.bbo = bbo;
    }

    fn context(&mut self, time_ms: u64, time_ns: u64, out: &mut Frames) {
        let (true, Some(bbo)) = (time_ms >= self.next_context_ms, self.bbo) else { return };
        self.next_context_ms = time_ms + CONTEXT_MS;
        out.push(time_ns, Channel::Control, |out| {
            out.extend_from_slice(
                b"{\"channel\":\"activeAssetCtx\",\"data\":{\"coin\":\"BTC\",\"ctx\":{\"funding\":\"-0.0000125\",\"openInterest\":\"18617.5\",\"oraclePx\":\"",
            );
            price(out, bbo.bid_price);
            out.extend_from_slice(b"\",\"markPx\":\"");
            price(out, bbo.ask_price);
            out.extend_from_slice(b"\"}}}");
        });
        self.counts.control += 1;
    }

    fn answered(&mut self, time_ns: u64, method: &str, name: &str, out: &mut Frames) {
        out.push(time_ns, Channel::Control, |out| {
            for text in [
                "{\"channel\":\"subscriptionResponse\",\"data\":{\"method\":\"",
                method,
                "\",\"subscription\":{\"type\":\"",
                name,
                "\",\"coin\":\"BTC\",\"nSigFigs\":null,\"mantissa\":null}}}",
            ] {
                out.extend_from_slice(text.as_bytes());
            }
        });
        self.counts.control += 1;
    }
}

fn level(out: &mut Vec<u8>, at: i64, qty: i64) {
    out.extend_from_slice(b"{\"n\":1,\"px\":\"");
    price(out, at);
    out.extend_from_slice(b"\",\"sz\":\"");
    shortest(out, qty, BTC.qty_exponent);
    out.extend_from_slice(b"\"}");
}

/// A whole price, which the venue prints with one decimal.
fn price(out: &mut Vec<u8>, price: i64) {
    integer(out, price.unsigned_abs());
    out.extend_from_slice(b".0");
}

impl Dialect for Hyperliquid {
    fn venue(&self) -> &'static str {
        "hyperliquid"
    }

    fn code(&self) -> &str {
        BTC.symbol
    }

    fn depth(&self) -> Option<usize> {
        Some(DEPTH)
    }

    fn open(&mut self, now_ns: u64, out: &mut Frames) {
        for _ in 0..self.clock.start(now_ns) {
            self.exchange.live();
        }
        for name in ["l2Book", "trades", "bbo", "activeAssetCtx"] {
            self.answered(now_ns, "subscribe", name, out);
        }
        self.book(now_ns / 1_000_000, now_ns, out);
        self.next_pong_ms = now_ns / 1_000_000 + PONG_MS;
    }

    fn step(&mut self, now_ns: u64, out: &mut Frames) {
        let begun = out.len();
        while out.len() == begun {
            let Some(time_ms) = self.clock.take(now_ns) else { return };
            self.exchange.live();
            let time_ns = moment_ns(time_ms);
            self.trades(time_ms, time_ns, out);
            self.bbo(time_ms, time_ns, out);
            self.context(time_ms, time_ns, out);
            if time_ms.is_multiple_of(BOOK_MS) {
                self.book(time_ms, time_ns, out);
            }
            if time_ms >= self.next_pong_ms {
                self.next_pong_ms = time_ms + PONG_MS;
                out.push(time_ns, Channel::Heartbeat, |out| out.extend_from_slice(b"{\"channel\":\"pong\"}"));
                self.counts.heartbeats += 1;
            }
        }
    }

    fn snapshot(&mut self, out: &mut Vec<u8>) -> bool {
        out.clear();
        false
    }

    fn resubscribe(&mut self, now_ns: u64, out: &mut Frames) {
        for _ in 0..self.clock.start(now_ns) {
            self.exchange.live();
        }
        self.answered(now_ns, "unsubscribe", "l2Book", out);
        self.answered(now_ns, "subscribe", "l2Book", out);
        self.book(now_ns / 1_000_000, now_ns, out);
    }

    fn truth(&self, out: &mut Truth) {
        out.clone_from(&self.told);
    }

    fn exponents(&self) -> (i8, i8) {
        BTC.exponents()
    }

    fn sent(&self) -> Counts {
        self.counts
    }
}

//! KuCoin: `level2`, tops, trades and statistics of one symbol, spot or futures.
//!
//! Source: kucoin.com/docs, "Level 2 Market Data", "Ticker", "Match Execution Data" of spot and "Level 2 Market Data", "Get Ticker V2",
//! "Execution data", "Contract Market Data" of futures; recorded and published messages decide the order of the fields. In short:
//! 1. A message of spot tells changes from `sequenceStart` to `sequenceEnd`, each row with its own sequence, which rise by one. Now and
//!    then a row of price 0 moves the sequence alone.
//! 2. A message of futures tells one change, and its sequence is that of the one before plus one.
//! 3. A book is asked for: of spot the best 100 levels, of futures all of it, at the sequence told last.
//! 4. A top has the sequence of the book that it belongs to.

use std::collections::VecDeque;

use super::clock::{Clock, moment_ns};
use super::shown::Shown;
use super::text::{integer, shortest};
use super::told::Told;
use super::{Channel, Counts, Dialect, Frames, Truth};
use crate::curve::Curve;
use crate::market::Trade;
use crate::market::book::Side;
use crate::market::exchange::Exchange;
use crate::market::instrument::Profile;

/// A product of the venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KucoinProduct {
    /// `BTC-USDT`.
    Spot,
    /// The perpetual `XBTUSDTM`.
    Futures,
}

static SPOT: Profile = SPOT_PROFILE;

const SPOT_PROFILE: Profile = Profile {
    symbol: "BTC-USDT",
    price_exponent: -1,
    qty_exponent: -8,
    reference_price: 767_411,
    actions_per_s: 90,
    fair_step: 7 * 256,
    shape: Curve(&[(0, 0), (16, 30), (128, 250), (400, 1_500), (1_000, 9_000), (2_000, 60_000)]),
    levels: 500,
    join_weight: 0,
    qty_quarters: 4_321,
    update_id: 1_636_276,
    trade_id: 455_391_760_226_305,
};

static FUTURES: Profile = Profile {
    symbol: "XBTUSDTM",
    qty_exponent: 0,
    actions_per_s: 60,
    qty_quarters: 1,
    trade_id: 1_701_197_946_092,
    ..SPOT_PROFILE
};

/// Milliseconds from one message of spot to the next.
const PACE_MS: u64 = 20;
/// … from one message of the best prices to the next, where they have changed.
const TOP_MS: u64 = 100;
/// … from one message of statistics of futures to the next.
const STATISTICS_MS: u64 = 1_000;
/// … from one ping of the client to the next.
const PING_MS: u64 = 18_000;
/// Of so many messages of spot one has a row of price 0.
const MESSAGES_PER_ZERO: u64 = 3;
/// Levels a side of an answer of spot.
const ANSWERED_LEVELS: usize = 100;

/// One symbol on a connection.
#[derive(Clone, Debug)]
pub struct Kucoin {
    product: KucoinProduct,
    exchange: Exchange,
    clock: Clock,
    shown: Shown,
    /// Changes of futures that are still to be told.
    waiting: VecDeque<(Side, i64, i64)>,
    /// When they were made, or those that were told last.
    changed_ns: u64,
    told: Told,
    /// Sequence of the last change told.
    last: u64,
    /// The best prices were told at it.
    told_top: [(i64, i64); 2],
    last_price: i64,
    next_ping_ms: u64,
    counts: Counts,
}

impl Kucoin {
    /// A market before its first connection.
    #[must_use]
    pub fn new(seed: u64, product: KucoinProduct) -> Self {
        let profile = match product {
            KucoinProduct::Spot => &SPOT,
            KucoinProduct::Futures => &FUTURES,
        };
        let exchange = Exchange::new(profile, seed, 7_000 + product as u64).drowsy();
        let mut told = Told::default();
        told.load(exchange.book());
        Self {
            product,
            clock: Clock::default(),
            shown: Shown::new(exchange.book(), usize::MAX),
            waiting: VecDeque::new(),
            changed_ns: 0,
            told,
            last: profile.update_id * 1_000_000 + seed % 1_000 * 100_000,
            told_top: [(0, 0); 2],
            last_price: profile.reference_price,
            next_ping_ms: 0,
            counts: Counts::default(),
            exchange,
        }
    }

    const fn is_spot(&self) -> bool {
        matches!(self.product, KucoinProduct::Spot)
    }

    fn live(&mut self) {
        self.exchange.live();
        if let Some(trade) = self.exchange.trades().last() {
            self.last_price = trade.price;
        }
    }

    /// What passed unheard is told by nobody, but has its sequences.
    fn live_unheard(&mut self, now_ns: u64) {
        let unheard_ms = self.clock.start(now_ns);
        for _ in 0..unheard_ms {
            self.live();
            self.last += self.exchange.changes().len() as u64;
        }
        if unheard_ms > 0 {
            self.shown.update(self.exchange.book());
            self.last += self.waiting.len() as u64;
            self.waiting.clear();
            self.told.load(self.exchange.book());
        }
    }

    fn price(&self, out: &mut Vec<u8>, price: i64) {
        shortest(out, price, self.exchange.profile().price_exponent);
    }

    fn qty(&self, out: &mut Vec<u8>, qty: i64) {
        shortest(out, qty, self.exchange.profile().qty_exponent);
    }

    /// A message but for what stands in `data`.
    fn message(&self, out: &mut Vec<u8>, topic: &str, subject: &str, data: impl FnOnce(&mut Vec<u8>)) {
        let family = if topic == "instrument" {
            "/contract/"
        } else if self.is_spot() {
            "/market/"
        } else {
            "/contractMarket/"
        };
        texts(out, &["{\"topic\":\"", family, topic, ":", self.code(), "\",\"type\":\"message\","]);
        texts(out, &["\"subject\":\"", subject, "\",\"data\":{"]);
        data(out);
        texts(out, &["}}"]);
    }

    /// Rows of one side, the first with the sequence `first`.
    fn rows(&self, out: &mut Vec<u8>, levels: &[(i64, i64)], first: u64) {
        for (sequence, &(price, qty)) in (first..).zip(levels) {
            texts(out, &[if sequence == first { "[\"" } else { ",[\"" }]);
            self.price(out, price);
            texts(out, &["\",\""]);
            self.qty(out, qty);
            number(out, "\",\"", sequence);
            texts(out, &["\"]"]);
        }
    }

    /// Rule 1. `first` is the sequence of the first row.
    fn changes(&self, out: &mut Vec<u8>, [bids, asks]: &[Vec<(i64, i64)>; 2], first: u64, time_ms: u64) {
        self.message(out, "level2", "trade.l2update", |out| {
            texts(out, &["\"changes\":{\"asks\":["]);
            self.rows(out, asks, first);
            texts(out, &["],\"bids\":["]);
            self.rows(out, bids, first + asks.len() as u64);
            number(out, "]},\"sequenceEnd\":", self.last);
            number(out, ",\"sequenceStart\":", first);
            texts(out, &[",\"symbol\":\"", self.code(), "\""]);
            number(out, ",\"time\":", time_ms);
        });
    }

    fn push_changes(&mut self, time_ns: u64, time_ms: u64, out: &mut Frames) {
        self.changed_ns = time_ns;
        let mut sides = self.shown.changes().clone();
        for (side, changes) in [Side::Bid, Side::Ask].into_iter().zip(&sides) {
            for &(price, qty) in changes {
                let _ = self.told.tell(side, price, qty);
            }
        }
        if self.counts.updates.is_multiple_of(MESSAGES_PER_ZERO) {
            sides[(self.counts.updates % 2) as usize].push((0, 0));
        }
        let first = self.last + 1;
        let rows = (sides[0].len() + sides[1].len()) as u64;
        self.last += rows;
        out.push(time_ns, Channel::Book, |out| self.changes(out, &sides, first, time_ms));
        self.counts.updates += 1;
        self.counts.levels += rows;
    }

    /// What goes is told first, so that no side is told beyond the other.
    fn wait(&mut self, time_ns: u64) {
        self.changed_ns = time_ns;
        let [bids, asks] = self.shown.changes();
        let all =
            bids.iter().map(|level| (Side::Bid, level)).chain(asks.iter().map(|level| (Side::Ask, level)));
        let all: Vec<_> = all.map(|(side, &(price, qty))| (side, price, qty)).collect();
        for goes in [true, false] {
            self.waiting.extend(all.iter().filter(|change| (change.2 == 0) == goes));
        }
    }

    /// Rule 2.
    fn push_change(&mut self, (side, price, qty): (Side, i64, i64), out: &mut Frames) {
        let _ = self.told.tell(side, price, qty);
        self.last += 1;
        let time_ns = self.changed_ns;
        out.push(time_ns, Channel::Book, |out| {
            self.message(out, "level2", "level2", |out| {
                number(out, "\"sequence\":", self.last);
                texts(out, &[",\"change\":\""]);
                self.price(out, price);
                texts(out, &[if side == Side::Bid { ",buy," } else { ",sell," }]);
                self.qty(out, qty);
                number(out, "\",\"timestamp\":", time_ns / 1_000_000);
            });
        });
        self.counts.updates += 1;
        self.counts.levels += 1;
    }

    /// Rule 4.
    fn push_top(&mut self, time_ns: u64, out: &mut Frames) {
        let best = |side| self.told.levels(side).next().unwrap_or((0, 0));
        let top = [best(Side::Bid), best(Side::Ask)];
        if top == self.told_top {
            return;
        }
        self.told_top = top;
        let keys = match self.is_spot() {
            true => ["\"bestBid\":\"", "\",\"bestBidSize\":\"", "\",\"bestAsk\":\"", "\",\"bestAskSize\":\""],
            false => {
                ["\"bestBidPrice\":\"", "\",\"bestBidSize\":", ",\"bestAskPrice\":\"", "\",\"bestAskSize\":"]
            }
        };
        let (topic, subject) =
            if self.is_spot() { ("ticker", "trade.ticker") } else { ("tickerV2", "tickerV2") };
        out.push(time_ns, Channel::Ticker, |out| {
            self.message(out, topic, subject, |out| {
                for (at, (price, qty)) in top.into_iter().enumerate() {
                    texts(out, &[keys[2 * at]]);
                    self.price(out, price);
                    texts(out, &[keys[2 * at + 1]]);
                    self.qty(out, qty);
                }
                if self.is_spot() {
                    texts(out, &["\",\"price\":\""]);
                    self.price(out, self.last_price);
                    number(out, "\",\"sequence\":\"", self.last);
                    number(out, "\",\"time\":", time_ns / 1_000_000);
                } else {
                    number(out, ",\"sequence\":", self.last);
                    number(out, ",\"ts\":", time_ns);
                }
            });
        });
        self.counts.tickers += 1;
    }

    fn trade(&self, out: &mut Vec<u8>, trade: Trade, time_ns: u64) {
        let side = if trade.buyer_is_maker { "sell" } else { "buy" };
        let topic = if self.is_spot() { ("match", "trade.l3match") } else { ("execution", "match") };
        self.message(out, topic.0, topic.1, |out| {
            texts(out, &["\"symbol\":\"", self.code(), "\",\"side\":\"", side, "\",\"price\":\""]);
            self.price(out, trade.price);
            texts(out, &[if self.is_spot() { "\",\"size\":\"" } else { "\",\"size\":" }]);
            self.qty(out, trade.qty);
            number(out, if self.is_spot() { "\",\"tradeId\":\"" } else { ",\"tradeId\":\"" }, trade.id);
            number(out, if self.is_spot() { "\",\"time\":\"" } else { "\",\"ts\":" }, time_ns);
            texts(out, &[if self.is_spot() { "\"" } else { "" }]);
        });
    }

    fn push_statistics(&mut self, time_ns: u64, time_ms: u64, out: &mut Frames) {
        out.push(time_ns, Channel::Ticker, |out| {
            self.message(out, "instrument", "mark.index.price", |out| {
                texts(out, &["\"markPrice\":"]);
                self.price(out, self.last_price);
                texts(out, &[",\"indexPrice\":39615.4,\"granularity\":1000"]);
                number(out, ",\"timestamp\":", time_ms);
            });
        });
        out.push(time_ns, Channel::Ticker, |out| {
            self.message(out, "instrument", "funding.rate", |out| {
                texts(out, &["\"granularity\":28800000,\"fundingRate\":3.8e-05"]);
                number(out, ",\"timestamp\":", time_ms);
            });
        });
        self.counts.tickers += 2;
    }

    fn push_control(&mut self, now_ns: u64, kind: &str, out: &mut Frames) {
        out.push(now_ns, Channel::Control, |out| {
            texts(out, &["{\"id\":\"1545910660739\",\"type\":\"", kind, "\"}"]);
        });
        self.counts.control += 1;
    }
}

fn texts(out: &mut Vec<u8>, texts: &[&str]) {
    texts.iter().for_each(|text| out.extend_from_slice(text.as_bytes()));
}

fn number(out: &mut Vec<u8>, key: &str, value: u64) {
    texts(out, &[key]);
    integer(out, value);
}

impl Dialect for Kucoin {
    fn venue(&self) -> &'static str {
        if self.is_spot() { "kucoin" } else { "kucoin-futures" }
    }

    fn code(&self) -> &str {
        self.exchange.profile().symbol
    }

    fn depth(&self) -> Option<usize> {
        None
    }

    fn open(&mut self, now_ns: u64, out: &mut Frames) {
        self.live_unheard(now_ns);
        for kind in ["welcome", "ack"] {
            self.push_control(now_ns, kind, out);
        }
        self.push_top(now_ns, out);
        self.next_ping_ms = now_ns / 1_000_000 + PING_MS;
    }

    fn step(&mut self, now_ns: u64, out: &mut Frames) {
        let begun = out.len();
        while out.len() == begun {
            if let Some(change) = self.waiting.pop_front() {
                return self.push_change(change, out);
            }
            let Some(time_ms) = self.clock.take(now_ns) else { return };
            let time_ns = moment_ns(time_ms);
            self.live();
            for at in 0..self.exchange.trades().len() {
                let trade = self.exchange.trades()[at];
                out.push(time_ns, Channel::Trade, |out| self.trade(out, trade, time_ns));
                self.counts.trades += 1;
            }
            if self.is_spot() {
                if time_ms.is_multiple_of(PACE_MS) && self.shown.update(self.exchange.book()) {
                    self.push_changes(time_ns, time_ms, out);
                }
            } else if !self.exchange.changes().is_empty() && self.shown.update(self.exchange.book()) {
                self.wait(time_ns);
            }
            if time_ms.is_multiple_of(TOP_MS) && self.waiting.is_empty() {
                self.push_top(time_ns, out);
            }
            if !self.is_spot() && time_ms.is_multiple_of(STATISTICS_MS) {
                self.push_statistics(time_ns, time_ms, out);
            }
            if time_ms >= self.next_ping_ms {
                self.next_ping_ms = time_ms + PING_MS;
                out.push(time_ns, Channel::Heartbeat, |out| {
                    texts(out, &["{\"id\":\"1545910590801\",\"type\":\"pong\"}"]);
                });
                self.counts.heartbeats += 1;
            }
        }
    }

    /// Rule 3.
    fn snapshot(&mut self, out: &mut Vec<u8>) -> bool {
        out.clear();
        let limit = if self.is_spot() { ANSWERED_LEVELS } else { usize::MAX };
        texts(out, &["{\"code\":\"200000\",\"data\":{"]);
        if self.is_spot() {
            number(out, "\"time\":", self.changed_ns / 1_000_000);
            number(out, ",\"sequence\":\"", self.last);
            texts(out, &["\""]);
        } else {
            number(out, "\"sequence\":", self.last);
            texts(out, &[",\"symbol\":\"", self.code(), "\""]);
        }
        let quote = if self.is_spot() { "\"" } else { "" };
        for (key, side) in [(",\"bids\":[", Side::Bid), ("],\"asks\":[", Side::Ask)] {
            texts(out, &[key]);
            for (position, (price, qty)) in self.told.levels(side).take(limit).enumerate() {
                texts(out, &[if position == 0 { "[" } else { ",[" }, quote]);
                self.price(out, price);
                texts(out, &[quote, ",", quote]);
                self.qty(out, qty);
                texts(out, &[quote, "]"]);
                self.counts.levels += 1;
            }
        }
        texts(out, &["]}}"]);
        self.counts.snapshots += 1;
        true
    }

    fn resubscribe(&mut self, now_ns: u64, out: &mut Frames) {
        self.live_unheard(now_ns);
        for _ in 0..2 {
            self.push_control(now_ns, "ack", out);
        }
    }

    fn truth(&self, out: &mut Truth) {
        self.told.truth(self.last, (1, 1), out);
    }

    fn exponents(&self) -> (i8, i8) {
        self.exchange.profile().exponents()
    }

    fn sent(&self) -> Counts {
        self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn messages_read_like_published_ones() {
        let mut spot = Kucoin::new(1, KucoinProduct::Spot);
        spot.last = 8_005_280_397;
        let changes = [vec![(273_098, 35_127_929)], vec![(0, 0)]];
        assert_eq!(
            text(|out| spot.changes(out, &changes, 8_005_280_396, 1_685_578_980_002)),
            "{\"topic\":\"/market/level2:BTC-USDT\",\"type\":\"message\",\"subject\":\"trade.l2update\",\"data\":{\"changes\":{\"asks\":\
             [[\"0\",\"0\",\"8005280396\"]],\"bids\":[[\"27309.8\",\"0.35127929\",\"8005280397\"]]},\"sequenceEnd\":8005280397,\
             \"sequenceStart\":8005280396,\"symbol\":\"BTC-USDT\",\"time\":1685578980002}}"
        );
        let trade = Trade { id: 1_701_197_946_092, price: 396_150, qty: 10, buyer_is_maker: true };
        assert_eq!(
            text(|out| Kucoin::new(1, KucoinProduct::Futures).trade(out, trade, 1_705_708_799_998_000_000)),
            "{\"topic\":\"/contractMarket/execution:XBTUSDTM\",\"type\":\"message\",\"subject\":\"match\",\"data\":{\"symbol\":\"XBTUSDTM\",\
             \"side\":\"sell\",\"price\":\"39615\",\"size\":10,\"tradeId\":\"1701197946092\",\"ts\":1705708799998000000}}"
        );
    }

    #[test]
    fn futures_tell_one_change_a_message_and_what_goes_first() {
        let (mut futures, mut frames) = (Kucoin::new(3, KucoinProduct::Futures), Frames::new());
        futures.open(1_000_000_000_000, &mut frames);
        let mut truth = Truth::default();
        while futures.counts.updates < 500 {
            frames.clear();
            let before = futures.last;
            futures.step(u64::MAX, &mut frames);
            let books = frames.iter().filter(|frame| frame.channel == Channel::Book).count() as u64;
            assert!(books <= 1 && futures.last == before + books);
            futures.truth(&mut truth);
            if let (Some(bid), Some(ask)) = (truth.bids.first(), truth.asks.first()) {
                assert!(bid.0 < ask.0);
            }
        }
    }
}

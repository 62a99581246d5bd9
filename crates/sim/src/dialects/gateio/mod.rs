//! Gate.io v4: `obu`, or of deliveries `order_book_update` with the book over REST; `book_ticker`, `trades` and `tickers` of one
//! symbol.
//!
//! Source: gate.io, "Spot WebSocket v4", "Futures WebSocket v4", the announcements of `spot.obu` and `futures.obu`; published messages
//! decide the order of the fields. In short:
//! 1. The first message of `obu` is the book, with `full`; others tell what has changed from `U`, the number after the last
//!    one's, to `u`. 50 levels are told each 20 ms, 400 each 100 ms. Now and then the book comes whole again.
//! 2. Levels that have left the depth are told with 0 here; the venue does not say.
//! 3. Quantities of futures are contracts.
//! 4. `order_book_update` tells each 100 ms what has changed from `U` to `u`, of all levels; REST gives the best of them at their `id`.

mod updates;

use super::clock::{Clock, moment_ns};
use super::shown::Shown;
use super::text::{integer, shortest};
use super::{Channel, Counts, Dialect, Frames, Truth};
use crate::curve::Curve;
use crate::market::Trade;
use crate::market::book::Side;
use crate::market::exchange::Exchange;
use crate::market::instrument::Profile;

/// A product of the venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GateioProduct {
    /// `BTC_USDT`.
    Spot,
    /// The contract `BTC_USDT`.
    Futures,
    /// `BTC_USDT_20261225`, which ends on that day.
    Delivery,
}

static SPOT: Profile = Profile {
    symbol: "BTC_USDT",
    price_exponent: -1,
    qty_exponent: -6,
    reference_price: 1_157_651,
    actions_per_s: 150,
    fair_step: 7 * 256,
    shape: Curve(&[(0, 0), (16, 30), (128, 250), (400, 1_500), (1_000, 9_000), (2_000, 60_000)]),
    levels: 900,
    join_weight: 0,
    qty_quarters: 5,
    update_id: 25_847_113_075,
    trade_id: 5_541_729_598,
};

static FUTURES: Profile = Profile {
    qty_exponent: 0,
    actions_per_s: 220,
    qty_quarters: 1,
    update_id: 73_777_715_168,
    trade_id: 376_991,
    ..SPOT
};

static DELIVERY: Profile = Profile {
    symbol: "BTC_USDT_20261225",
    actions_per_s: 60,
    levels: 220,
    update_id: 90_062_644,
    trade_id: 12_401,
    ..FUTURES
};

/// Milliseconds from one message of statistics to the next.
const TICKER_MS: u64 = 500;
/// … from one ping of the client to the next.
const PING_MS: u64 = 15_000;
/// Of so many changes of the book one is told as a whole book.
const CHANGES_PER_SNAPSHOT: u64 = 487;

/// One symbol on a connection.
#[derive(Clone, Debug)]
pub struct Gateio {
    product: GateioProduct,
    depth: usize,
    exchange: Exchange,
    clock: Clock,
    shown: Shown,
    top: Shown,
    /// Number of the last change told.
    last: u64,
    changes: u64,
    last_price: i64,
    next_ping_ms: u64,
    counts: Counts,
}

impl Gateio {
    /// A market before its first connection, whose book is subscribed with 50 levels where `depth` is no more, else with 400.
    /// Deliveries tell of all levels.
    #[must_use]
    pub fn new(seed: u64, product: GateioProduct, depth: usize) -> Self {
        let (profile, depth) = match product {
            GateioProduct::Spot => (&SPOT, if depth <= 50 { 50 } else { 400 }),
            GateioProduct::Futures => (&FUTURES, if depth <= 50 { 50 } else { 400 }),
            GateioProduct::Delivery => (&DELIVERY, usize::MAX),
        };
        let stream = 5_000 + 2 * depth.min(1_000) as u64 + product as u64;
        let exchange = Exchange::new(profile, seed, stream).drowsy();
        Self {
            product,
            depth,
            clock: Clock::default(),
            shown: Shown::new(exchange.book(), depth),
            top: Shown::new(exchange.book(), 1),
            last: exchange.book().id(),
            exchange,
            changes: 0,
            last_price: profile.reference_price,
            next_ping_ms: 0,
            counts: Counts::default(),
        }
    }

    fn live(&mut self) {
        self.exchange.live();
        if let Some(trade) = self.exchange.trades().last() {
            self.last_price = trade.price;
        }
    }

    /// What passed unheard is told by nobody.
    fn live_unheard(&mut self, now_ns: u64) {
        let unheard_ms = self.clock.start(now_ns);
        for _ in 0..unheard_ms {
            self.live();
        }
        if unheard_ms > 0 {
            self.shown.update(self.exchange.book());
            self.top.update(self.exchange.book());
            self.last = self.exchange.book().id();
        }
    }

    const fn is_spot(&self) -> bool {
        matches!(self.product, GateioProduct::Spot)
    }

    const fn is_delivery(&self) -> bool {
        matches!(self.product, GateioProduct::Delivery)
    }

    const fn pace_ms(&self) -> u64 {
        if self.depth == 50 { 20 } else { 100 }
    }

    fn price(&self, out: &mut Vec<u8>, price: i64) {
        shortest(out, price, self.exchange.profile().price_exponent);
    }

    fn qty(&self, out: &mut Vec<u8>, qty: i64) {
        shortest(out, qty, self.exchange.profile().qty_exponent);
    }

    /// `{"time":…,"time_ms":…,"channel":"PRODUCT.NAME","event":"EVENT",`.
    fn head(&self, out: &mut Vec<u8>, name: &str, event: &str, time_ms: u64) {
        number(out, "{\"time\":", time_ms / 1_000);
        number(out, ",\"time_ms\":", time_ms);
        let product = if self.is_spot() { "spot." } else { "futures." };
        texts(out, &[",\"channel\":\"", product, name, "\",\"event\":\"", event, "\","]);
    }

    fn book(&self, out: &mut Vec<u8>, is_whole: bool, first: u64, time_ms: u64) {
        let product = if self.is_spot() { "spot" } else { "futures" };
        texts(out, &["{\"channel\":\"", product, ".obu\",\"result\":{"]);
        number(out, "\"t\":", time_ms);
        texts(out, &[if is_whole { ",\"full\":true" } else { "" }, ",\"s\":\"ob.", self.code(), "."]);
        integer(out, self.depth as u64);
        number(out, "\",\"u\":", self.last);
        if !is_whole {
            number(out, ",\"U\":", first);
        }
        let sides = if is_whole { self.shown.levels() } else { self.shown.changes() };
        for (key, levels) in [(",\"b\":[", &sides[0]), ("],\"a\":[", &sides[1])] {
            out.extend_from_slice(key.as_bytes());
            for (position, &(price, qty)) in levels.iter().enumerate() {
                out.extend_from_slice(if position == 0 { b"[\"" } else { b",[\"" });
                self.price(out, price);
                out.extend_from_slice(b"\",\"");
                self.qty(out, qty);
                out.extend_from_slice(b"\"]");
            }
        }
        number(out, "]},\"time_ms\":", time_ms + 3);
        out.extend_from_slice(b",\"event\":\"update\"}");
    }

    fn push_update(&mut self, first: u64, time_ns: u64, out: &mut Frames) {
        let (time_ms, changes) = (time_ns / 1_000_000, self.shown.changes());
        out.push(time_ns, Channel::Book, |out| {
            self.head(out, "order_book_update", "update", time_ms);
            updates::update(out, self.exchange.profile(), (first, self.last), changes, time_ms);
        });
        self.counts.levels += changes.iter().map(|side| side.len() as u64).sum::<u64>();
        self.counts.updates += 1;
    }

    fn push_book(&mut self, is_whole: bool, first: u64, time_ns: u64, out: &mut Frames) {
        out.push(time_ns, Channel::Book, |out| self.book(out, is_whole, first, time_ns / 1_000_000));
        let sides = if is_whole { self.shown.levels() } else { self.shown.changes() };
        self.counts.levels += sides.iter().map(|side| side.len() as u64).sum::<u64>();
        *(if is_whole { &mut self.counts.snapshots } else { &mut self.counts.updates }) += 1;
    }

    fn top(&self, out: &mut Vec<u8>, time_ms: u64) {
        self.head(out, "book_ticker", "update", time_ms);
        number(out, "\"result\":{\"t\":", time_ms - 1);
        number(out, ",\"u\":", self.exchange.book().id());
        texts(out, &[",\"s\":\"", self.code(), "\""]);
        for (side, keys) in [(Side::Bid, [",\"b\":\"", ",\"B\":"]), (Side::Ask, [",\"a\":\"", ",\"A\":"])] {
            let (price, qty) = self.top.best(side);
            out.extend_from_slice(keys[0].as_bytes());
            if qty > 0 {
                self.price(out, price);
            }
            texts(out, &["\"", keys[1], if self.is_spot() { "\"" } else { "" }]);
            self.qty(out, qty);
            out.extend_from_slice(if self.is_spot() { b"\"" } else { b"" });
        }
        out.extend_from_slice(b"}}");
    }

    /// One trade of spot.
    fn trade(&self, out: &mut Vec<u8>, trade: Trade, time_ms: u64) {
        self.head(out, "trades", "update", time_ms);
        number(out, "\"result\":{\"id\":", trade.id);
        number(out, ",\"create_time\":", time_ms / 1_000);
        number(out, ",\"create_time_ms\":\"", time_ms);
        let side = if trade.buyer_is_maker { "sell" } else { "buy" };
        texts(out, &[".120\",\"side\":\"", side, "\",\"currency_pair\":\"", self.code(), "\",\"amount\":\""]);
        self.qty(out, trade.qty);
        out.extend_from_slice(b"\",\"price\":\"");
        self.price(out, trade.price);
        out.extend_from_slice(b"\"}}");
    }

    /// Trades of futures, or one that was none of the book's.
    fn trades(&self, out: &mut Vec<u8>, trades: &[Trade], is_internal: bool, time_ms: u64) {
        self.head(out, "trades", "update", time_ms);
        out.extend_from_slice(b"\"result\":[");
        for (position, trade) in trades.iter().enumerate() {
            let sign = if trade.buyer_is_maker { "-" } else { "" };
            texts(out, &[if position == 0 { "{" } else { ",{" }, "\"size\":", sign]);
            self.qty(out, trade.qty);
            number(out, ",\"id\":", trade.id);
            number(out, ",\"create_time\":", time_ms / 1_000);
            number(out, ",\"create_time_ms\":", time_ms);
            out.extend_from_slice(b",\"price\":\"");
            self.price(out, trade.price);
            texts(
                out,
                &[
                    "\",\"contract\":\"",
                    self.code(),
                    "\"",
                    if is_internal { ",\"is_internal\":true" } else { "" },
                ],
            );
            out.push(b'}');
        }
        out.extend_from_slice(b"]}");
    }

    fn all_trades(&mut self, time_ns: u64, out: &mut Frames) {
        let (time_ms, trades) = (time_ns / 1_000_000, self.exchange.trades());
        let Some(last) = trades.last().copied() else { return };
        self.counts.trades += trades.len() as u64;
        if self.is_spot() {
            for &trade in trades {
                out.push(time_ns, Channel::Trade, |out| self.trade(out, trade, time_ms));
            }
            return;
        }
        out.push(time_ns, Channel::Trade, |out| self.trades(out, trades, false, time_ms));
        if last.id.is_multiple_of(16) {
            self.counts.not_executions += 1;
            out.push(time_ns, Channel::Trade, |out| self.trades(out, &[last], true, time_ms));
        }
    }

    fn statistics(&self, out: &mut Vec<u8>, time_ms: u64) {
        self.head(out, "tickers", "update", time_ms);
        let keys = if self.is_spot() { ["{\"currency_pair", "}"] } else { ["[{\"contract", "}]"] };
        texts(out, &["\"result\":", keys[0], "\":\"", self.code(), "\",\"last\":\""]);
        self.price(out, self.last_price);
        out.extend_from_slice(if self.is_spot() {
            b"\",\"change_percentage\":\"-5.3731\",\"base_volume\":\"10676.3278590512\""
        } else {
            b"\",\"total_size\":\"754413619\",\"volume_24h\":\"337595135\",\"mark_price\":\"115765.1\",\
              \"index_price\":\"115764.9\",\"funding_rate\":\"-0.00004\""
        });
        texts(out, &[keys[1], "}"]);
    }

    /// The answer to a subscription or to its end, and the book.
    fn answered(&mut self, event: &str, now_ns: u64, out: &mut Frames) {
        let time_ms = now_ns / 1_000_000;
        out.push(now_ns, Channel::Control, |out| {
            if self.is_delivery() {
                self.head(out, "order_book_update", event, time_ms);
                texts(out, &["\"payload\":[\"", self.code(), "\",\"100ms"]);
            } else {
                self.head(out, "obu", event, time_ms);
                texts(out, &["\"payload\":[\"ob.", self.code(), "."]);
                integer(out, self.depth as u64);
            }
            out.extend_from_slice(b"\"],\"result\":{\"status\":\"success\"}}");
        });
        self.counts.control += 1;
    }
}

fn texts(out: &mut Vec<u8>, texts: &[&str]) {
    texts.iter().for_each(|text| out.extend_from_slice(text.as_bytes()));
}

fn number(out: &mut Vec<u8>, key: &str, value: u64) {
    out.extend_from_slice(key.as_bytes());
    integer(out, value);
}

impl Dialect for Gateio {
    fn venue(&self) -> &'static str {
        match self.product {
            GateioProduct::Spot => "gateio",
            GateioProduct::Futures => "gateio-futures",
            GateioProduct::Delivery => "gateio-delivery",
        }
    }

    fn code(&self) -> &str {
        self.exchange.profile().symbol
    }

    fn depth(&self) -> Option<usize> {
        (!self.is_delivery()).then_some(self.depth)
    }

    fn open(&mut self, now_ns: u64, out: &mut Frames) {
        self.live_unheard(now_ns);
        self.answered("subscribe", now_ns, out);
        if !self.is_delivery() {
            self.push_book(true, 0, now_ns, out);
        }
        out.push(now_ns, Channel::Ticker, |out| self.statistics(out, now_ns / 1_000_000));
        self.counts.tickers += 1;
        self.next_ping_ms = now_ns / 1_000_000 + PING_MS;
    }

    fn step(&mut self, now_ns: u64, out: &mut Frames) {
        let begun = out.len();
        while out.len() == begun {
            let Some(time_ms) = self.clock.take(now_ns) else { return };
            let time_ns = moment_ns(time_ms);
            self.live();
            self.all_trades(time_ns, out);
            if self.top.update(self.exchange.book()) {
                out.push(time_ns, Channel::Ticker, |out| self.top(out, time_ms));
                self.counts.tickers += 1;
            }
            if time_ms.is_multiple_of(self.pace_ms()) && self.shown.update(self.exchange.book()) {
                let first = self.last + 1;
                self.last = self.exchange.book().id();
                self.changes += 1;
                if self.is_delivery() {
                    self.push_update(first, time_ns, out);
                } else {
                    self.push_book(self.changes.is_multiple_of(CHANGES_PER_SNAPSHOT), first, time_ns, out);
                }
            }
            if time_ms.is_multiple_of(TICKER_MS) {
                out.push(time_ns, Channel::Ticker, |out| self.statistics(out, time_ms));
                self.counts.tickers += 1;
            }
            if time_ms >= self.next_ping_ms {
                out.push(time_ns, Channel::Heartbeat, |out| {
                    self.head(out, "pong", "", time_ms);
                    out.extend_from_slice(b"\"result\":null}");
                });
                self.counts.heartbeats += 1;
                self.next_ping_ms = time_ms + PING_MS;
            }
        }
    }

    fn snapshot(&mut self, out: &mut Vec<u8>) -> bool {
        out.clear();
        if self.is_delivery() {
            // As it was told: updates do not name levels that changed and changed back between them.
            let sides = self.shown.levels();
            updates::answer(out, self.exchange.profile(), self.last, sides);
            self.counts.snapshots += 1;
            self.counts.levels +=
                sides.iter().map(|side| side.len().min(updates::REST_LEVELS) as u64).sum::<u64>();
        }
        self.is_delivery()
    }

    fn resubscribe(&mut self, now_ns: u64, out: &mut Frames) {
        self.live_unheard(now_ns);
        self.answered("unsubscribe", now_ns, out);
        self.answered("subscribe", now_ns, out);
        if !self.is_delivery() {
            self.push_book(true, 0, now_ns, out);
        }
    }

    fn truth(&self, out: &mut Truth) {
        self.shown.truth(self.last, out);
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
        let mut spot = Gateio::new(1, GateioProduct::Spot, 400);
        spot.last = 25_847_113_075;
        let book = text(|out| spot.book(out, true, 0, 1_754_006_400_261));
        assert!(
            book.starts_with(
                "{\"channel\":\"spot.obu\",\"result\":{\"t\":1754006400261,\"full\":true,\"s\":\"ob.BTC_USDT.400\",\
                 \"u\":25847113075,\"b\":[[\"1157"
            ),
            "{book}"
        );
        assert!(book.ends_with("]]},\"time_ms\":1754006400264,\"event\":\"update\"}"));
        let trade = Trade { id: 376_991, price: 290_099, qty: 7, buyer_is_maker: true };
        let futures = Gateio::new(1, GateioProduct::Futures, 50);
        assert_eq!(
            text(|out| futures.trades(out, &[trade], false, 1_653_808_101_120)),
            "{\"time\":1653808101,\"time_ms\":1653808101120,\"channel\":\"futures.trades\",\"event\":\"update\",\
             \"result\":[{\"size\":-7,\"id\":376991,\"create_time\":1653808101,\"create_time_ms\":1653808101120,\
             \"price\":\"29009.9\",\"contract\":\"BTC_USDT\"}]}"
        );
        assert_eq!(
            text(|out| spot.trade(out, trade, 1_682_689_046_123)),
            "{\"time\":1682689046,\"time_ms\":1682689046123,\"channel\":\"spot.trades\",\"event\":\"update\",\
             \"result\":{\"id\":376991,\"create_time\":1682689046,\"create_time_ms\":\"1682689046123.120\",\
             \"side\":\"sell\",\"currency_pair\":\"BTC_USDT\",\"amount\":\"0.000007\",\"price\":\"29009.9\"}}"
        );
    }
}

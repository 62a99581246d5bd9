//! Coinbase Advanced Trade on one connection: `level2`, `market_trades`, `ticker`, `status`, `candles` and `heartbeats`.
//!
//! Source: docs.cdp.coinbase.com, "Advanced Trade WebSocket Channels"; recorded frames decide the order of fields and the
//! printed digits.
//! 1. `sequence_num` counts all messages of a connection from 0, whatever they are of.
//! 2. A snapshot is the whole book. Changes of some 50 ms come together, each level once, all with one time.
//! 3. A message is followed by its acknowledgement, which names all that is subscribed.
//! 4. Trades are told from the newest to the oldest; their side is the maker's.
//! 5. Another product stands among the tickers, in `status`, and alone in `candles`.
//! 6. Now and then a change has no time: it prints the year 1 or 1970.

use super::super::clock::{Clock, moment_ns};
use super::super::text::{integer, shortest};
use super::super::{Channel, Counts, Dialect, Frames, Truth};
use super::{BTC_USD, HEARTBEAT_MS, put, stamp};
use crate::market::Trade;
use crate::market::book::{Book, ChangeKind, Side};
use crate::market::exchange::Exchange;

/// Milliseconds whose changes are told together.
const BATCH_MS: u64 = 50;

/// Milliseconds from one message of candles to the next.
const CANDLES_MS: u64 = 5_000;

/// Trades of a snapshot.
const RECENT_TRADES: usize = 50;

/// By how much the venue's stamps of changes are before the arrival, in nanoseconds.
const TRANSIT_NS: u64 = 31_000_000;

/// Of so many updates one has no time.
const UNTIMED: u64 = 97;

/// One product on a public connection.
#[derive(Clone, Debug)]
pub struct CoinbaseAdvanced {
    exchange: Exchange,
    clock: Clock,
    /// The next message's number.
    number: u64,
    next_heartbeat_ms: u64,
    next_candles_ms: u64,
    /// Channels that are subscribed, in alphabetical order.
    subscribed: Vec<&'static str>,
    /// Levels changed since the last update.
    touched: Vec<(Side, i64)>,
    /// Oldest first.
    recent: Vec<(Trade, u64)>,
    volume: i64,
    told: Truth,
    counts: Counts,
}

impl CoinbaseAdvanced {
    /// A market before its first connection.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            exchange: Exchange::new(&BTC_USD, seed, 5_000).drowsy(),
            clock: Clock::default(),
            number: 0,
            next_heartbeat_ms: 0,
            next_candles_ms: 0,
            subscribed: Vec::new(),
            touched: Vec::new(),
            recent: Vec::new(),
            volume: 0,
            told: Truth::default(),
            counts: Counts::default(),
        }
    }

    fn live(&mut self, time_ns: u64) {
        self.exchange.live();
        for change in self.exchange.changes() {
            self.touched.push((change.side, change.price));
            if let ChangeKind::Moved { from, .. } = change.kind {
                self.touched.push((change.side, from));
            }
        }
        for &trade in self.exchange.trades() {
            self.volume = self.volume.saturating_add(trade.qty);
            self.recent.push((trade, time_ns));
        }
        let old = self.recent.len().saturating_sub(RECENT_TRADES);
        self.recent.drain(..old);
    }

    /// Appends a message of a channel with its number; `events` appends what its events hold.
    fn message(
        &mut self,
        out: &mut Frames,
        time_ns: u64,
        (kind, channel): (Channel, &str),
        events: impl FnOnce(&Self, &mut Vec<u8>),
    ) {
        out.push(time_ns, kind, |out| {
            put(out, &["{\"channel\":\"", channel, "\",\"timestamp\":\""]);
            stamp(out, time_ns, 9);
            put(out, &["\",\"sequence_num\":"]);
            integer(out, self.number);
            put(out, &[",\"events\":["]);
            events(self, out);
            put(out, &["]}"]);
        });
        self.number += 1;
    }

    fn subscribed(&mut self, channel: &'static str, time_ns: u64, out: &mut Frames) {
        self.subscribed.push(channel);
        self.subscribed.sort_unstable();
        self.acknowledge(time_ns, out);
    }

    fn acknowledge(&mut self, time_ns: u64, out: &mut Frames) {
        self.message(out, time_ns, (Channel::Control, "subscriptions"), |own, out| {
            put(out, &["{\"subscriptions\":{"]);
            for (position, channel) in own.subscribed.iter().enumerate() {
                let comma = if position == 0 { "\"" } else { ",\"" };
                put(out, &[comma, channel, "\":[\"", BTC_USD.symbol, "\"]"]);
            }
            put(out, &["}}"]);
        });
        self.counts.control += 1;
    }

    /// What an `l2_data` message leaves known.
    fn tell(&mut self) {
        let book = self.exchange.book();
        for (side, levels) in [(Side::Bid, &mut self.told.bids), (Side::Ask, &mut self.told.asks)] {
            levels.clear();
            levels.extend(book.levels(side).map(|level| (level.price, level.qty)));
        }
        self.touched.clear();
    }

    fn snapshot_frame(&mut self, time_ns: u64, out: &mut Frames) {
        self.tell();
        self.message(out, time_ns, (Channel::Book, "l2_data"), |own, out| {
            let levels = [("bid", &own.told.bids), ("offer", &own.told.asks)];
            let levels = levels
                .into_iter()
                .flat_map(|(side, levels)| levels.iter().map(move |&(price, qty)| (side, price, qty)));
            l2_event(out, "snapshot", own.event_time(time_ns), levels);
        });
        self.counts.snapshots += 1;
        self.counts.levels += (self.told.bids.len() + self.told.asks.len()) as u64;
    }

    fn update(&mut self, time_ns: u64, out: &mut Frames) {
        let mut touched = std::mem::take(&mut self.touched);
        Book::sort_touched(&mut touched);
        self.tell();
        self.message(out, time_ns, (Channel::Book, "l2_data"), |own, out| {
            let book = own.exchange.book();
            let levels = touched.iter().map(|&(side, price)| {
                let name = if side == Side::Bid { "bid" } else { "offer" };
                (name, price, book.qty_at(side, price))
            });
            l2_event(out, "update", own.event_time(time_ns), levels);
        });
        self.counts.updates += 1;
        self.counts.levels += touched.len() as u64;
        touched.clear();
        self.touched = touched;
    }

    /// When the changes of the message under way were made.
    fn event_time(&self, time_ns: u64) -> EventTime {
        match (self.number % UNTIMED, self.number % 2) {
            (5, 0) => EventTime::Year1,
            (5, _) => EventTime::Year1970,
            _ => EventTime::At(time_ns.saturating_sub(TRANSIT_NS)),
        }
    }

    fn trades(&mut self, kind: &str, count: usize, time_ns: u64, out: &mut Frames) {
        self.message(out, time_ns, (Channel::Trade, "market_trades"), |own, out| {
            put(out, &["{\"type\":\"", kind, "\",\"trades\":["]);
            for (position, (trade, time_ns)) in own.recent.iter().rev().take(count).enumerate() {
                let comma = if position == 0 { "" } else { "," };
                put(out, &[comma, "{\"product_id\":\"", BTC_USD.symbol, "\",\"trade_id\":\""]);
                integer(out, trade.id);
                put(out, &["\",\"price\":\""]);
                shortest(out, trade.price, BTC_USD.price_exponent);
                put(out, &["\",\"size\":\""]);
                shortest(out, trade.qty, BTC_USD.qty_exponent);
                put(out, &["\",\"time\":\""]);
                stamp(out, *time_ns, 6);
                let maker = if trade.buyer_is_maker { "BUY" } else { "SELL" };
                put(out, &["\",\"side\":\"", maker, "\"}"]);
            }
            put(out, &["]}"]);
        });
        self.counts.trades += self.recent.len().min(count) as u64;
    }

    fn ticker(&mut self, kind: &str, time_ns: u64, out: &mut Frames) {
        self.message(out, time_ns, (Channel::Ticker, "ticker"), |own, out| {
            if own.number % 3 == 0 {
                put(
                    out,
                    &[
                        "{\"type\":\"",
                        kind,
                        "\",\"tickers\":[{\"type\":\"ticker\",\"product_id\":\"ETH-USD\",\"price\":\"1919.41\",\
                         \"volume_24_h\":\"19976.09208272\",\"best_bid\":\"1919.44\",\"best_ask\":\"1919.49\",\
                         \"best_bid_quantity\":\"0.02858092\",\"best_ask_quantity\":\"0.07814824\"}]},",
                    ],
                );
            }
            put(out, &["{\"type\":\"", kind, "\",\"tickers\":[{\"type\":\"ticker\",\"product_id\":\""]);
            put(out, &[BTC_USD.symbol]);
            let book = own.exchange.book();
            let best = |side| book.best(side).map_or((0, 0), |level| (level.price, level.qty));
            let (bid, ask) = (best(Side::Bid), best(Side::Ask));
            let last = own.recent.last().map_or(BTC_USD.reference_price, |(trade, _)| trade.price);
            for (key, mantissa, exponent) in [
                ("\",\"price\":\"", last, BTC_USD.price_exponent),
                ("\",\"volume_24_h\":\"", own.volume, BTC_USD.qty_exponent),
                ("\",\"low_24_h\":\"", last - 40_864, BTC_USD.price_exponent),
                ("\",\"high_24_h\":\"", last + 16_913, BTC_USD.price_exponent),
                ("\",\"best_bid\":\"", bid.0, BTC_USD.price_exponent),
                ("\",\"best_ask\":\"", ask.0, BTC_USD.price_exponent),
                ("\",\"best_bid_quantity\":\"", bid.1, BTC_USD.qty_exponent),
                ("\",\"best_ask_quantity\":\"", ask.1, BTC_USD.qty_exponent),
            ] {
                put(out, &[key]);
                shortest(out, mantissa, exponent);
            }
            put(out, &["\"}]}"]);
        });
        self.counts.tickers += 1;
    }

    fn status(&mut self, time_ns: u64, out: &mut Frames) {
        self.message(out, time_ns, (Channel::Definition, "status"), |_, out| {
            put(out, &["{\"type\":\"snapshot\",\"products\":["]);
            for (position, name) in ["ETH-USD", BTC_USD.symbol].into_iter().enumerate() {
                let comma = if position == 0 { "" } else { "," };
                put(out, &[comma, "{\"product_type\":\"SPOT\",\"id\":\"", name]);
                put(
                    out,
                    &["\",\"quote_currency\":\"USD\",\"base_increment\":\"0.00000001\",\
                       \"quote_increment\":\"0.01\",\"status\":\"online\",\"status_message\":\"\",\
                       \"min_market_funds\":\"1\"}"],
                );
            }
            put(out, &["]}"]);
        });
        self.counts.definitions += 1;
    }

    fn candles(&mut self, kind: &str, time_ns: u64, out: &mut Frames) {
        self.message(out, time_ns, (Channel::Control, "candles"), |_, out| {
            put(out, &["{\"type\":\"", kind, "\",\"candles\":[{\"start\":\""]);
            integer(out, time_ns / 300_000_000_000 * 300);
            put(
                out,
                &["\",\"high\":\"1919.6\",\"low\":\"1919.27\",\"open\":\"1919.58\",\"close\":\"1919.41\",\
                   \"volume\":\"36.36630914\",\"product_id\":\"ETH-USD\"}]}"],
            );
        });
        self.counts.control += 1;
    }

    fn heartbeat(&mut self, time_ns: u64, out: &mut Frames) {
        self.message(out, time_ns, (Channel::Heartbeat, "heartbeats"), |own, out| {
            put(out, &["{\"current_time\":\""]);
            stamp(out, time_ns, 9);
            put(out, &["\",\"heartbeat_counter\":"]);
            integer(out, 41_691 + own.counts.heartbeats);
            put(out, &["}"]);
        });
        self.counts.heartbeats += 1;
    }
}

/// What a change prints as its time.
#[derive(Clone, Copy, Debug)]
enum EventTime {
    At(u64),
    Year1,
    Year1970,
}

/// Appends an event of `l2_data`.
fn l2_event(
    out: &mut Vec<u8>,
    kind: &str,
    event_time: EventTime,
    levels: impl Iterator<Item = (&'static str, i64, i64)>,
) {
    put(out, &["{\"type\":\"", kind, "\",\"product_id\":\"", BTC_USD.symbol, "\",\"updates\":["]);
    for (position, (side, price, qty)) in levels.enumerate() {
        let open = if position == 0 { "{\"side\":\"" } else { ",{\"side\":\"" };
        put(out, &[open, side, "\",\"event_time\":\""]);
        match event_time {
            EventTime::At(time_ns) => stamp(out, time_ns, 6),
            EventTime::Year1 => put(out, &["0001-01-01T00:00:00Z"]),
            EventTime::Year1970 => put(out, &["1970-01-01T00:00:00Z"]),
        }
        put(out, &["\",\"price_level\":\""]);
        shortest(out, price, BTC_USD.price_exponent);
        put(out, &["\",\"new_quantity\":\""]);
        shortest(out, qty, BTC_USD.qty_exponent);
        put(out, &["\"}"]);
    }
    put(out, &["]}"]);
}

impl Dialect for CoinbaseAdvanced {
    fn venue(&self) -> &'static str {
        "coinbase"
    }

    fn code(&self) -> &str {
        BTC_USD.symbol
    }

    fn depth(&self) -> Option<usize> {
        None
    }

    fn open(&mut self, now_ns: u64, out: &mut Frames) {
        for _ in 0..self.clock.start(now_ns) {
            self.live(now_ns);
        }
        self.number = 0;
        self.subscribed.clear();
        self.trades("snapshot", RECENT_TRADES, now_ns, out);
        self.subscribed("market_trades", now_ns, out);
        self.status(now_ns, out);
        self.subscribed("status", now_ns, out);
        self.candles("snapshot", now_ns, out);
        self.subscribed("candles", now_ns, out);
        self.ticker("snapshot", now_ns, out);
        self.subscribed("ticker", now_ns, out);
        self.snapshot_frame(now_ns, out);
        self.subscribed("level2", now_ns, out);
        self.subscribed("heartbeats", now_ns, out);
        let now_ms = now_ns / 1_000_000;
        self.next_heartbeat_ms = now_ms + HEARTBEAT_MS;
        self.next_candles_ms = now_ms + CANDLES_MS;
    }

    fn step(&mut self, now_ns: u64, out: &mut Frames) {
        let begun = out.len();
        while out.len() == begun {
            let Some(time_ms) = self.clock.take(now_ns) else { return };
            let time_ns = moment_ns(time_ms);
            self.live(time_ns);
            let trades = self.exchange.trades().len();
            if trades > 0 {
                self.trades("update", trades, time_ns, out);
                self.ticker("update", time_ns, out);
            }
            if time_ms.is_multiple_of(BATCH_MS) && !self.touched.is_empty() {
                self.update(time_ns, out);
            }
            if time_ms >= self.next_candles_ms {
                self.candles("update", time_ns, out);
                self.next_candles_ms = time_ms + CANDLES_MS;
            }
            if time_ms >= self.next_heartbeat_ms {
                self.heartbeat(time_ns, out);
                self.next_heartbeat_ms = time_ms + HEARTBEAT_MS;
            }
        }
    }

    fn snapshot(&mut self, out: &mut Vec<u8>) -> bool {
        out.clear();
        false
    }

    fn resubscribe(&mut self, now_ns: u64, out: &mut Frames) {
        for _ in 0..self.clock.start(now_ns) {
            self.live(now_ns);
        }
        self.subscribed.retain(|channel| *channel != "level2");
        self.acknowledge(now_ns, out);
        self.snapshot_frame(now_ns, out);
        self.subscribed("level2", now_ns, out);
    }

    fn truth(&self, out: &mut Truth) {
        out.clone_from(&self.told);
    }

    fn exponents(&self) -> (i8, i8) {
        BTC_USD.exponents()
    }

    fn sent(&self) -> Counts {
        self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_reads_like_a_recorded_one() {
        let mut out = Vec::new();
        let levels = [("bid", 6_506_250, 583_000), ("offer", 6_510_654, 0)];
        l2_event(&mut out, "update", EventTime::At(1_786_309_548_210_883_000), levels.into_iter());
        assert_eq!(
            String::from_utf8_lossy(&out),
            "{\"type\":\"update\",\"product_id\":\"BTC-USD\",\"updates\":[{\"side\":\"bid\",\
             \"event_time\":\"2026-08-09T21:05:48.210883Z\",\"price_level\":\"65062.5\",\
             \"new_quantity\":\"0.00583\"},{\"side\":\"offer\",\"event_time\":\"2026-08-09T21:05:48.210883Z\",\
             \"price_level\":\"65106.54\",\"new_quantity\":\"0\"}]}"
        );
    }
}

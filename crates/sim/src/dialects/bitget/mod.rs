//! Bitget: `books`, `books1`, trades and `ticker` of one symbol, in the forms of versions 3, 2 and 1.
//!
//! Source: bitget.com/api-doc, "Depth Channel", "Order Book Channel", "Public Trades Channel", "Tickers Channel"; recorded and
//! published messages decide the order of the fields and how numbers are printed. In short:
//! 1. A snapshot is the whole book; updates tell what has changed, each 200 ms of spot, each 150 ms of futures.
//! 2. `checksum`: CRC-32 over the best 25 bids and asks in turn, the longer side going on alone, `price:quantity` joined by `:`, as
//!    printed, as a signed number. 0 in a snapshot, but for version 1.
//! 3. Version 3 has `seq`, with holes, and `pseq`, that of the message before, 0 in a snapshot. Its sides are `a` and `b`.
//! 4. Version 3 prints as few digits as it takes; before it decimals are as many as the symbol's, and what is gone is `0`.
//! 5. The last trades come as a snapshot behind the subscription; they were told before.

mod form;

pub use form::BitgetBook;

use super::clock::{Clock, moment_ns};
use super::crc32::crc32;
use super::shown::Shown;
use super::text::{decimal, integer, shortest};
use super::{Channel, Counts, Dialect, Frames, Truth};
use crate::market::Trade;
use crate::market::exchange::Exchange;

/// Levels a side that a checksum covers.
const CHECKED_LEVELS: usize = 25;
/// Milliseconds from one message of statistics to the next.
const TICKER_MS: u64 = 500;
/// … from one ping of the client to the next.
const PING_MS: u64 = 20_000;
/// Numbers that one change takes: those between belong to other symbols.
const NUMBERS_PER_CHANGE: u64 = 31;

/// One symbol on a connection.
#[derive(Clone, Debug)]
pub struct Bitget {
    book: BitgetBook,
    exchange: Exchange,
    clock: Clock,
    shown: Shown,
    top: Shown,
    /// Number of the last message of the book; 0 where there is none.
    last: u64,
    last_trade: Option<Trade>,
    next_ping_ms: u64,
    counts: Counts,
}

impl Bitget {
    /// A market before its first connection.
    #[must_use]
    pub fn new(seed: u64, book: BitgetBook) -> Self {
        let exchange = Exchange::new(book.profile(), seed, 6_000 + book as u64).drowsy();
        let mut bitget = Self {
            book,
            clock: Clock::default(),
            shown: Shown::new(exchange.book(), usize::MAX),
            top: Shown::new(exchange.book(), 1),
            exchange,
            last: 0,
            last_trade: None,
            next_ping_ms: 0,
            counts: Counts::default(),
        };
        bitget.last = bitget.number();
        bitget
    }

    /// The number of the book as it stands.
    fn number(&self) -> u64 {
        if self.book.is_numbered() { self.exchange.book().id() * NUMBERS_PER_CHANGE } else { 0 }
    }

    fn live(&mut self) {
        self.exchange.live();
        self.last_trade = self.exchange.trades().last().copied().or(self.last_trade);
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
            self.last = self.number();
        }
    }

    fn price(&self, out: &mut Vec<u8>, price: i64) {
        self.digits(out, price, self.exchange.profile().price_exponent);
    }

    fn qty(&self, out: &mut Vec<u8>, qty: i64) {
        match qty {
            0 => out.push(b'0'),
            _ => self.digits(out, qty, self.exchange.profile().qty_exponent),
        }
    }

    /// Rule 4.
    fn digits(&self, out: &mut Vec<u8>, mantissa: i64, exponent: i32) {
        if self.book.is_numbered() {
            shortest(out, mantissa, exponent);
        } else {
            decimal(out, mantissa, exponent, exponent.unsigned_abs());
        }
    }

    fn arg(&self, out: &mut Vec<u8>, channel: &str) {
        let [inst_type, topic, symbol] = self.book.arg();
        texts(out, &["\"arg\":{", inst_type, ",\"", topic, "\":\"", channel, "\",\"", symbol, "\":\""]);
        texts(out, &[self.code(), "\"}"]);
    }

    /// A message but for what stands in `data`.
    fn message(
        &self,
        out: &mut Vec<u8>,
        action: &str,
        channel: &str,
        time_ms: u64,
        data: impl FnOnce(&mut Vec<u8>),
    ) {
        texts(out, &["{\"action\":\"", action, "\","]);
        self.arg(out, channel);
        texts(out, &[",\"data\":["]);
        data(out);
        if self.book == BitgetBook::Version1 {
            return texts(out, &["]}"]);
        }
        number(out, "],\"ts\":", time_ms);
        out.push(b'}');
    }

    /// A book or what has changed of it, of which each message of a channel has one.
    fn sides(&self, out: &mut Vec<u8>, [bids, asks]: &[Vec<(i64, i64)>; 2]) {
        let keys =
            if self.book.is_numbered() { ["{\"a\":[", "],\"b\":["] } else { ["{\"asks\":[", "],\"bids\":["] };
        for (key, levels) in [(keys[0], asks), (keys[1], bids)] {
            texts(out, &[key]);
            for (position, &(price, qty)) in levels.iter().enumerate() {
                texts(out, &[if position == 0 { "[\"" } else { ",[\"" }]);
                self.price(out, price);
                texts(out, &["\",\""]);
                self.qty(out, qty);
                texts(out, &["\"]"]);
            }
        }
        out.push(b']');
    }

    /// What proves a message, and its time.
    fn proof(&self, out: &mut Vec<u8>, check: i32, before: u64, time_ms: u64) {
        texts(out, &[",\"checksum\":", &check.to_string()]);
        if self.book.is_numbered() {
            number(out, ",\"seq\":", self.last);
            number(out, ",\"pseq\":", before);
        }
        number(out, ",\"ts\":\"", time_ms.saturating_sub(2));
        texts(out, &["\"}"]);
    }

    /// Rule 2.
    fn checksum(&self) -> i32 {
        let (mut text, [bids, asks]) = (Vec::new(), self.shown.levels());
        for place in 0..CHECKED_LEVELS {
            for &(price, qty) in [bids.get(place), asks.get(place)].into_iter().flatten() {
                if !text.is_empty() {
                    text.push(b':');
                }
                self.price(&mut text, price);
                text.push(b':');
                self.qty(&mut text, qty);
            }
        }
        crc32(&text).cast_signed()
    }

    fn push_snapshot(&mut self, now_ns: u64, out: &mut Frames) {
        let is_checked = self.book == BitgetBook::Version1;
        let check = if is_checked { self.checksum() } else { 0 };
        let time_ms = now_ns / 1_000_000;
        out.push(now_ns, Channel::Book, |out| {
            self.message(out, "snapshot", "books", time_ms, |out| {
                self.sides(out, self.shown.levels());
                self.proof(out, check, 0, time_ms);
            });
        });
        self.counts.snapshots += 1;
        self.counts.checksums += u64::from(is_checked);
        self.counts.levels += count(self.shown.levels());
    }

    fn push_update(&mut self, time_ns: u64, time_ms: u64, out: &mut Frames) {
        let before = self.last;
        self.last = self.number();
        let check = self.checksum();
        out.push(time_ns, Channel::Book, |out| {
            self.message(out, "update", "books", time_ms, |out| {
                self.sides(out, self.shown.changes());
                self.proof(out, check, before, time_ms);
            });
        });
        self.counts.updates += 1;
        self.counts.checksums += 1;
        self.counts.levels += count(self.shown.changes());
    }

    fn push_top(&mut self, time_ns: u64, time_ms: u64, out: &mut Frames) {
        out.push(time_ns, Channel::Ticker, |out| {
            self.message(out, "snapshot", "books1", time_ms, |out| {
                self.sides(out, self.top.levels());
                self.proof(out, 0, 0, time_ms);
            });
        });
        self.counts.tickers += 1;
    }

    fn trade(&self, out: &mut Vec<u8>, trade: Trade, time_ms: u64) {
        let side = if trade.buyer_is_maker { "sell" } else { "buy" };
        let keys = match self.book {
            BitgetBook::Version1 => ["[\"", "\",\"", "\",\"", "\",\""],
            BitgetBook::Version2 => ["{\"ts\":\"", "\",\"price\":\"", "\",\"size\":\"", "\",\"side\":\""],
            _ => ["{\"T\":\"", "\",\"p\":\"", "\",\"v\":\"", "\",\"S\":\""],
        };
        number(out, keys[0], time_ms);
        texts(out, &[keys[1]]);
        self.price(out, trade.price);
        texts(out, &[keys[2]]);
        self.qty(out, trade.qty);
        texts(out, &[keys[3], side]);
        match self.book {
            BitgetBook::Version1 => texts(out, &["\"]"]),
            BitgetBook::Version2 => number(out, "\",\"tradeId\":\"", trade.id),
            _ => number(out, "\",\"isRPI\":\"no\",\"i\":\"", trade.id),
        }
        if self.book != BitgetBook::Version1 {
            texts(out, &["\"}"]);
        }
    }

    fn push_trades(&self, time_ns: u64, action: &str, trades: &[Trade], out: &mut Frames) {
        let time_ms = time_ns / 1_000_000;
        let channel = if self.book.is_numbered() { "publicTrade" } else { "trade" };
        out.push(time_ns, Channel::Trade, |out| {
            self.message(out, action, channel, time_ms, |out| {
                // The newest first.
                for (position, &trade) in trades.iter().rev().enumerate() {
                    if position > 0 {
                        out.push(b',');
                    }
                    self.trade(out, trade, time_ms);
                }
            });
        });
    }

    fn push_statistics(&mut self, time_ns: u64, time_ms: u64, out: &mut Frames) {
        let price = self.last_trade.map_or(self.exchange.profile().reference_price, |trade| trade.price);
        out.push(time_ns, Channel::Ticker, |out| {
            self.message(out, "snapshot", "ticker", time_ms, |out| {
                let key = match self.book {
                    BitgetBook::Version1 => "last",
                    BitgetBook::Version2 => "lastPr",
                    _ => "lastPrice",
                };
                texts(out, &["{\"", key, "\":\""]);
                self.price(out, price);
                let rest = match self.book {
                    BitgetBook::Spot => "\",\"volume24h\":\"37764.7894\"",
                    BitgetBook::Version1 => "\",\"baseVolume\":\"24658.6272\"",
                    BitgetBook::Version2 => {
                        "\",\"fundingRate\":\"0.0001\",\"nextFundingTime\":\"1730361600000\",\"holdingAmount\":\"8572031.1\""
                    }
                    _ => {
                        "\",\"fundingRate\":\"-0.00003\",\"nextFundingTime\":\"1777363200000\",\"openInterest\":\"29539.38\",\"deliveryTime\":\"\""
                    }
                };
                texts(out, &[rest]);
                if !self.book.is_numbered() {
                    number(out, ",\"ts\":\"", time_ms);
                    out.push(b'"');
                }
                out.push(b'}');
            });
        });
        self.counts.tickers += 1;
    }

    fn push_event(&mut self, now_ns: u64, event: &str, channel: &str, out: &mut Frames) {
        out.push(now_ns, Channel::Control, |out| {
            texts(out, &["{\"event\":\"", event, "\","]);
            self.arg(out, channel);
            out.push(b'}');
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

fn count(sides: &[Vec<(i64, i64)>; 2]) -> u64 {
    sides.iter().map(|side| side.len() as u64).sum()
}

impl Dialect for Bitget {
    fn venue(&self) -> &'static str {
        self.book.venue()
    }

    fn code(&self) -> &str {
        self.exchange.profile().symbol
    }

    fn depth(&self) -> Option<usize> {
        None
    }

    fn open(&mut self, now_ns: u64, out: &mut Frames) {
        self.live_unheard(now_ns);
        let time_ms = now_ns / 1_000_000;
        for channel in ["books", "books1", "ticker"] {
            self.push_event(now_ns, "subscribe", channel, out);
        }
        self.push_snapshot(now_ns, out);
        self.push_top(now_ns, time_ms, out);
        if let Some(trade) = self.last_trade {
            self.push_trades(now_ns, "snapshot", &[trade], out);
            self.counts.not_executions += 1;
        }
        self.push_statistics(now_ns, time_ms, out);
        self.next_ping_ms = time_ms + PING_MS;
    }

    fn step(&mut self, now_ns: u64, out: &mut Frames) {
        let begun = out.len();
        while out.len() == begun {
            let Some(time_ms) = self.clock.take(now_ns) else { return };
            let time_ns = moment_ns(time_ms);
            self.live();
            let trades = self.exchange.trades();
            if !trades.is_empty() {
                self.push_trades(time_ns, "update", trades, out);
                self.counts.trades += trades.len() as u64;
            }
            if self.top.update(self.exchange.book()) {
                self.push_top(time_ns, time_ms, out);
            }
            if time_ms.is_multiple_of(self.book.pace_ms()) && self.shown.update(self.exchange.book()) {
                self.push_update(time_ns, time_ms, out);
            }
            if time_ms.is_multiple_of(TICKER_MS) {
                self.push_statistics(time_ns, time_ms, out);
            }
            if time_ms >= self.next_ping_ms {
                self.next_ping_ms = time_ms + PING_MS;
                out.push(time_ns, Channel::Heartbeat, |out| texts(out, &["pong"]));
                self.counts.heartbeats += 1;
            }
        }
    }

    fn snapshot(&mut self, out: &mut Vec<u8>) -> bool {
        out.clear();
        false
    }

    fn resubscribe(&mut self, now_ns: u64, out: &mut Frames) {
        self.live_unheard(now_ns);
        self.push_event(now_ns, "unsubscribe", "books", out);
        self.push_event(now_ns, "subscribe", "books", out);
        self.push_snapshot(now_ns, out);
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
        let mut latest = Bitget::new(1, BitgetBook::Spot);
        latest.last = 451_057_502_090;
        let changes = [vec![(7_664_690, 39_140), (7_643_978, 0)], vec![(7_667_999, 0), (7_668_149, 26_085)]];
        let update = text(|out| {
            latest.message(out, "update", "books", 1_777_358_880_013, |out| {
                latest.sides(out, &changes);
                latest.proof(out, 1_153_969_492, 451_057_497_631, 1_777_358_880_013);
            });
        });
        assert_eq!(
            update,
            "{\"action\":\"update\",\"arg\":{\"instType\":\"spot\",\"topic\":\"books\",\"symbol\":\"BTCUSDT\"},\"data\":[{\"a\":[[\"76679.99\",\"0\"],\
             [\"76681.49\",\"0.026085\"]],\"b\":[[\"76646.9\",\"0.03914\"],[\"76439.78\",\"0\"]],\"checksum\":1153969492,\"seq\":451057502090,\
             \"pseq\":451057497631,\"ts\":\"1777358880011\"}],\"ts\":1777358880013}"
        );
        let trade = Trade { id: 1_235_671_058, price: 25_330, qty: 4_134, buyer_is_maker: false };
        for (book, expected) in [
            (BitgetBook::Version1, "[\"1653873778747\",\"2.5330\",\"0.4134\",\"buy\"]"),
            (
                BitgetBook::Version2,
                "{\"ts\":\"1653873778747\",\"price\":\"253.30\",\"size\":\"41.34\",\"side\":\"buy\",\"tradeId\":\"1235671058\"}",
            ),
        ] {
            assert_eq!(text(|out| Bitget::new(1, book).trade(out, trade, 1_653_873_778_747)), expected);
        }
    }

    #[test]
    fn a_checksum_covers_the_best_levels_of_both_sides_as_printed() {
        for (book, printed) in
            [(BitgetBook::Version1, ("2.5300", "1.0000")), (BitgetBook::CoinFutures, ("2530", "10"))]
        {
            let bitget = Bitget::new(1, book);
            assert_eq!((text(|out| bitget.price(out, 25_300)), text(|out| bitget.qty(out, 10_000))), {
                let (price, qty) = printed;
                (price.to_owned(), qty.to_owned())
            });
        }
        let bitget = Bitget::new(2, BitgetBook::Version1);
        let [bids, asks] = bitget.shown.levels();
        let level = |&(price, qty): &(i64, i64)| {
            text(|out| {
                bitget.price(out, price);
                out.push(b':');
                bitget.qty(out, qty);
            })
        };
        assert!(bids.len() > 25 && asks.len() > 25);
        let both: Vec<_> = (0..25).flat_map(|at| [level(&bids[at]), level(&asks[at])]).collect();
        assert_eq!(bitget.checksum(), crc32(both.join(":").as_bytes()).cast_signed());
    }
}

//! A plain subscriber of Bitfinex's version 2.

use std::collections::{BTreeMap, HashMap};

use depthwire_sim::dialects::{Counts, Frame, TrueOrders, Truth};

use super::Side;
use super::bitfinex_orders::OrderBook;
use super::json::{Json, crc32, mantissa};

pub struct Client {
    code: String,
    exponents: (i8, i8),
    len: usize,
    flags: u64,
    /// Names of channels by number.
    channels: HashMap<u64, &'static str>,
    number: u64,
    last_ms: u64,
    /// Bids and asks.
    sides: [Side; 2],
    /// The same as they are printed, amounts of asks below zero: price and amount.
    texts: [BTreeMap<i64, [String; 2]>; 2],
    /// In place of them, where the book is raw.
    orders: Option<OrderBook>,
    /// Whether the book of the channel has begun.
    is_begun: bool,
    trade_id: u64,
    told: Vec<String>,
    counts: Counts,
}

impl Client {
    pub fn new(code: &str, exponents: (i8, i8), len: usize) -> Self {
        Self {
            code: code.to_owned(),
            exponents,
            len,
            flags: 0,
            channels: HashMap::new(),
            number: 0,
            last_ms: 0,
            sides: [Side::new(), Side::new()],
            texts: [BTreeMap::new(), BTreeMap::new()],
            orders: None,
            is_begun: false,
            trade_id: 0,
            told: Vec::new(),
            counts: Counts::default(),
        }
    }

    fn event(&mut self, event: &Json<'_>) {
        self.counts.control += 1;
        match event.get("event").text() {
            "info" => {
                assert_eq!(event.get("version").integer(), 2);
                self.channels.clear();
                (self.number, self.is_begun) = (0, false);
                self.told.clear();
            }
            "conf" => {
                assert_eq!(event.get("status").text(), "OK");
                self.flags = event.get("flags").integer();
            }
            "subscribed" => {
                let id = event.get("chanId").integer();
                let name = match event.get("channel").text() {
                    "status" => {
                        assert_eq!(event.get("key").text(), format!("deriv:{}", self.code));
                        "status"
                    }
                    channel => {
                        assert_eq!(event.get("symbol").text(), self.code);
                        ["book", "trades", "ticker"].into_iter().find(|name| *name == channel).unwrap()
                    }
                };
                if name == "book" {
                    assert_eq!(event.get("len").text(), self.len.to_string());
                    self.orders = (event.get("prec").text() == "R0").then(OrderBook::default);
                    self.is_begun = false;
                }
                assert!(self.channels.insert(id, name).is_none(), "a number of its own");
            }
            "unsubscribed" => assert_eq!(self.channels.remove(&event.get("chanId").integer()), Some("book")),
            event => panic!("unknown event {event}"),
        }
    }

    fn row(&mut self, row: &[Json<'_>]) {
        if let Some(orders) = &mut self.orders {
            self.counts.orders += 1;
            return orders.row(row, self.exponents, self.len);
        }
        let [price, count, amount] = row else { panic!("a row of three") };
        let texts = [price.number(), amount.number()].map(str::to_owned);
        let (side, amount) = match amount.number().strip_prefix('-') {
            Some(amount) => (1, amount),
            None => (0, amount.number()),
        };
        let price = mantissa(price.number(), self.exponents.0);
        let key = if side == 0 { -price } else { price };
        if count.integer() == 0 {
            assert_eq!(amount, "1");
            assert!(self.sides[side].remove(&key).is_some(), "{price} does not stand");
            self.texts[side].remove(&key);
        } else {
            self.sides[side].insert(key, mantissa(amount, self.exponents.1));
            self.texts[side].insert(key, texts);
            assert!(self.sides[side].len() <= self.len);
        }
        let [bid, ask] = self.sides.each_ref().map(|side| side.first_key_value().map(|level| *level.0));
        assert!(bid.zip(ask).is_none_or(|(bid, ask)| -bid < ask), "never crossed");
        self.counts.levels += 1;
    }

    fn book(&mut self, rows: &[Json<'_>]) {
        let is_list = rows.first().is_none_or(|first| matches!(first, Json::List(_)));
        if !self.is_begun {
            assert!(is_list);
            self.sides = [Side::new(), Side::new()];
            self.texts = [BTreeMap::new(), BTreeMap::new()];
            self.is_begun = true;
            self.counts.snapshots += 1;
        } else {
            assert_eq!(is_list, self.flags & 536_870_912 != 0);
            self.counts.updates += 1;
        }
        if is_list {
            rows.iter().for_each(|row| self.row(row.list()));
        } else {
            self.row(rows);
        }
    }

    fn check(&mut self, told: &str) {
        let checked = match &self.orders {
            Some(orders) => orders.checked(),
            None => self.texts.each_ref().map(|side| side.values().cloned().collect::<Vec<_>>()),
        };
        let texts = (0..25).flat_map(|place| checked.each_ref().map(|side| side.get(place))).flatten();
        let joined = texts.map(|texts| texts.join(":")).collect::<Vec<_>>().join(":");
        assert_eq!(told, (crc32(joined.as_bytes()) as i32).to_string(), "{joined}");
        self.counts.checksums += 1;
    }

    fn trade(&mut self, row: &Json<'_>) {
        let [id, time, amount, price] = row.list() else { panic!("a trade of four") };
        assert!(id.integer() > self.trade_id && time.integer() > 0);
        self.trade_id = id.integer();
        assert!(mantissa(amount.number().trim_start_matches('-'), self.exponents.1) > 0);
        assert!(mantissa(price.number(), self.exponents.0) > 0);
        self.counts.trades += 1;
    }

    fn array(&mut self, parts: &[Json<'_>]) {
        let counted = usize::from(self.flags & 65_536 != 0);
        let timed = usize::from(self.flags & 32_768 != 0);
        let (said, behind) = parts.split_at(parts.len() - counted - timed);
        if counted > 0 {
            assert_eq!(behind[0].integer(), self.number + 1);
            self.number += 1;
        }
        if let Some(ms) = behind.get(counted) {
            assert!(ms.integer() >= self.last_ms);
            self.last_ms = ms.integer();
        }
        match (self.channels[&said[0].integer()], &said[1..]) {
            (_, [Json::Text("hb")]) => self.counts.heartbeats += 1,
            ("book", [Json::List(rows)]) => self.book(rows),
            ("book", [Json::Text("cs"), check]) => {
                assert_ne!(self.flags & 131_072, 0);
                self.check(check.number());
            }
            ("trades", [Json::List(rows)]) => {
                // A new connection: what the old one had still to tell again is lost with it.
                self.trade_id = 0;
                self.told.clear();
                rows.iter().rev().for_each(|row| self.trade(row));
            }
            ("trades", [Json::Text("te"), row]) => {
                self.trade(row);
                self.told.push(format!("{row:?}"));
            }
            ("trades", [Json::Text("tu"), row]) => {
                assert_eq!(self.told.remove(0), format!("{row:?}"), "told again as it was told");
                self.counts.not_executions += 1;
            }
            ("ticker", [Json::List(row)]) => {
                assert_eq!(row.len(), 10);
                self.counts.tickers += 1;
            }
            ("status", [Json::List(row)]) => {
                assert_eq!(row.len(), 23);
                self.counts.tickers += 1;
            }
            (channel, said) => panic!("{channel} says {said:?}"),
        }
    }
}

impl super::Client for Client {
    fn frame(&mut self, frame: &Frame<'_>) {
        match Json::read(frame.bytes) {
            Json::List(parts) => self.array(&parts),
            event => self.event(&event),
        }
    }

    fn is_whole(&self) -> bool {
        self.is_begun
    }

    fn compare(&self, truth: &Truth, orders: Option<&TrueOrders>) {
        assert_eq!(orders.is_some(), self.orders.is_some());
        if let (Some(own), Some(orders)) = (&self.orders, orders) {
            return own.compare(truth, orders);
        }
        let levels = |side: usize, sign: i64| {
            self.sides[side].iter().map(|(key, qty)| (key * sign, *qty)).collect::<Vec<_>>()
        };
        assert_eq!((levels(0, -1), levels(1, 1)), (truth.bids.clone(), truth.asks.clone()));
    }

    fn counts(&self) -> Counts {
        self.counts
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let Some(orders) = self.orders.as_ref().filter(|_| self.counts.updates > 2_000) else { return };
        if !std::thread::panicking() {
            assert!(orders.met.iter().all(|&count| count > 5), "{:?}", orders.met);
        }
    }
}

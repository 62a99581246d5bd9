//! Reads the simulator's frames strictly: one character out of place fails the test.
#![allow(dead_code, reason = "each test program uses its part of this file")]

use std::collections::BTreeMap;

/// Name, price exponent and quantity exponent of the four instruments.
pub const INSTRUMENTS: [(&str, u32, u32); 4] =
    [("BTCUSDT", 2, 5), ("ETHUSDT", 2, 4), ("SOLUSDT", 2, 3), ("DOGEUSDT", 5, 0)];

/// The start of every market in these tests, in milliseconds.
pub const START_MS: u64 = 1_723_161_254_000;

/// Price and quantity, as mantissas.
pub type Level = (i64, i64);
pub type Levels = Vec<Level>;

#[derive(Debug, PartialEq, Eq)]
pub enum Body {
    Depth { time_ms: u64, first_id: u64, last_id: u64, bids: Levels, asks: Levels },
    Ticker { id: u64, bid: Level, ask: Level },
    Trade { time_ms: u64, id: u64, price: i64, qty: i64, buyer_is_maker: bool },
}

#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    /// Index in [`INSTRUMENTS`].
    pub instrument: usize,
    pub body: Body,
}

pub fn read_frame(bytes: &[u8]) -> Frame {
    let mut text = Cursor(std::str::from_utf8(bytes).unwrap());
    text.expect("{\"stream\":\"");
    let instrument = INSTRUMENTS.iter().position(|row| text.0.starts_with(&row.0.to_lowercase())).unwrap();
    let (symbol, price, qty) = INSTRUMENTS[instrument];
    text.expect(&symbol.to_lowercase());
    let symbol = format!(",\"s\":\"{symbol}\"");
    let body = if text.took("@depth@100ms\",\"data\":{\"e\":\"depthUpdate\",\"E\":") {
        let time_ms = text.integer();
        text.expect(&symbol);
        let first_id = text.after(",\"U\":").integer();
        let last_id = text.after(",\"u\":").integer();
        let bids = text.after(",\"b\":").levels(price, qty);
        let asks = text.after(",\"a\":").levels(price, qty);
        Body::Depth { time_ms, first_id, last_id, bids, asks }
    } else if text.took("@bookTicker\",\"data\":{\"u\":") {
        let id = text.integer();
        text.expect(&symbol);
        let bid = (text.after(",\"b\":").decimal(price), text.after(",\"B\":").decimal(qty));
        let ask = (text.after(",\"a\":").decimal(price), text.after(",\"A\":").decimal(qty));
        Body::Ticker { id, bid, ask }
    } else {
        let time_ms = text.after("@trade\",\"data\":{\"e\":\"trade\",\"E\":").integer();
        text.expect(&symbol);
        let id = text.after(",\"t\":").integer();
        let (price, qty) = (text.after(",\"p\":").decimal(price), text.after(",\"q\":").decimal(qty));
        assert_eq!(text.after(",\"T\":").integer(), time_ms);
        let buyer_is_maker = text.took(",\"m\":true");
        text.expect(if buyer_is_maker { ",\"M\":true" } else { ",\"m\":false,\"M\":true" });
        Body::Trade { time_ms, id, price, qty, buyer_is_maker }
    };
    text.expect("}}");
    assert_eq!(text.0, "");
    Frame { instrument, body }
}

/// Id, bids and asks of a REST depth answer.
pub fn read_snapshot(bytes: &[u8], instrument: usize) -> (u64, Levels, Levels) {
    let (_, price, qty) = INSTRUMENTS[instrument];
    let mut text = Cursor(std::str::from_utf8(bytes).unwrap());
    let id = text.after("{\"lastUpdateId\":").integer();
    let bids = text.after(",\"bids\":").levels(price, qty);
    let asks = text.after(",\"asks\":").levels(price, qty);
    text.expect("}");
    assert_eq!(text.0, "");
    (id, bids, asks)
}

struct Cursor<'a>(&'a str);

impl Cursor<'_> {
    fn took(&mut self, literal: &str) -> bool {
        let rest = self.0.strip_prefix(literal);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn expect(&mut self, literal: &str) {
        assert!(self.took(literal), "expected {literal} at {:.60}", self.0);
    }

    fn after(&mut self, literal: &str) -> &mut Self {
        self.expect(literal);
        self
    }

    fn integer(&mut self) -> u64 {
        let end = self.0.find(|c: char| !c.is_ascii_digit()).unwrap();
        let (digits, rest) = self.0.split_at(end);
        assert!(digits == "0" || !digits.starts_with('0'), "leading zero at {:.60}", self.0);
        self.0 = rest;
        digits.parse().unwrap()
    }

    /// A number in quotes with eight decimals, of which all beyond `decimals` are 0.
    fn decimal(&mut self, decimals: u32) -> i64 {
        let whole = self.after("\"").integer();
        self.expect(".");
        let (fraction, rest) = self.0.split_at(8);
        self.0 = rest;
        self.expect("\"");
        let all: i64 = whole as i64 * 100_000_000 + fraction.parse::<i64>().unwrap();
        let unit = 10_i64.pow(8 - decimals);
        assert_eq!(all % unit, 0, "off the grid");
        all / unit
    }

    fn levels(&mut self, price: u32, qty: u32) -> Levels {
        self.expect("[");
        let mut levels = Vec::new();
        while !self.took("]") {
            if !levels.is_empty() {
                self.expect(",");
            }
            levels.push((self.after("[").decimal(price), self.after(",").decimal(qty)));
            self.expect("]");
        }
        levels
    }
}

/// A book rebuilt from the wire alone.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Rebuilt {
    pub bids: BTreeMap<i64, i64>,
    pub asks: BTreeMap<i64, i64>,
}

impl Rebuilt {
    pub fn apply(&mut self, bids: &Levels, asks: &Levels) {
        for (side, changes) in [(&mut self.bids, bids), (&mut self.asks, asks)] {
            for &(price, qty) in changes {
                if qty == 0 {
                    side.remove(&price)
                } else {
                    side.insert(price, qty)
                };
            }
        }
    }

    pub fn best_bid(&self) -> Level {
        self.bids.last_key_value().map(|(&price, &qty)| (price, qty)).unwrap()
    }

    pub fn best_ask(&self) -> Level {
        self.asks.first_key_value().map(|(&price, &qty)| (price, qty)).unwrap()
    }
}

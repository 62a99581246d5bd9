//! A plain subscriber of BitMEX: rows of levels by their names, or the best ten of them each time.

use std::collections::BTreeMap;

use depthwire_sim::dialects::{Channel, Counts, Frame, TrueOrders, Truth};

use super::Side;
use super::json::{Json, mantissa};

pub struct Client {
    code: String,
    exponents: (i8, i8),
    depth: Option<usize>,
    /// Of `orderBookL2`: side and id, with price and size.
    rows: BTreeMap<(String, u64), (i64, i64)>,
    /// Of `orderBook10`.
    top: [Side; 2],
    is_whole: bool,
    counts: Counts,
}

impl Client {
    pub fn new(code: &str, exponents: (i8, i8), depth: Option<usize>) -> Self {
        let (rows, top) = (BTreeMap::new(), [Side::new(), Side::new()]);
        Self {
            code: code.to_owned(),
            exponents,
            depth,
            rows,
            top,
            is_whole: false,
            counts: Counts::default(),
        }
    }

    fn price(&self, number: &str) -> i64 {
        mantissa(number, self.exponents.0)
    }

    fn size(&self, row: &Json<'_>) -> i64 {
        mantissa(row.get("size").number(), self.exponents.1)
    }

    fn level(&mut self, action: &str, row: &Json<'_>) {
        let name = (row.get("side").text().to_owned(), row.get("id").integer());
        let said = row.find("price").map(|price| self.price(price.number()));
        let known = self.rows.get(&name).copied();
        assert!(said.is_none() || known.is_none_or(|known| Some(known.0) == said), "an id is of one price");
        match action {
            "partial" | "insert" => {
                assert_eq!(known, None, "what comes was not there");
                self.rows.insert(name, (said.unwrap(), self.size(row)));
            }
            "update" => {
                let (price, size) = known.expect("what changes was there");
                assert_ne!(size, self.size(row));
                self.rows.insert(name, (price, self.size(row)));
            }
            "delete" => assert!(self.rows.remove(&name).is_some(), "what goes was there"),
            other => panic!("{other}"),
        }
        self.counts.levels += 1;
    }

    fn book(&mut self, action: &str, data: &[Json<'_>]) {
        let is_whole = action == "partial";
        if is_whole {
            self.rows.clear();
        }
        assert!(self.is_whole || is_whole);
        self.is_whole = true;
        for row in data {
            assert_eq!(row.get("symbol").text(), self.code);
            if self.depth != Some(10) {
                self.level(action, row);
                continue;
            }
            for (side, key, sign) in [(0, "bids", -1), (1, "asks", 1)] {
                let level = |level: &Json<'_>| {
                    let [price, size] = level.list() else { panic!("{key}") };
                    (sign * self.price(price.number()), mantissa(size.number(), self.exponents.1))
                };
                self.top[side] = row.get(key).list().iter().map(level).collect();
                self.counts.levels += self.top[side].len() as u64;
            }
        }
        if is_whole {
            self.counts.snapshots += 1;
        } else {
            self.counts.updates += 1;
        }
    }

    fn trades(&mut self, data: &[Json<'_>]) {
        for row in data {
            assert!(self.price(row.get("price").number()) > 0 && self.size(row) > 0);
            match row.get("trdType").text() {
                "Regular" => {
                    assert!(["Buy", "Sell"].contains(&row.get("side").text()));
                    self.counts.trades += 1;
                }
                "Settlement" => self.counts.not_executions += 1,
                other => panic!("{other}"),
            }
        }
    }
}

impl super::Client for Client {
    fn frame(&mut self, frame: &Frame<'_>) {
        let message = Json::read(frame.bytes);
        let Some(table) = message.find("table") else {
            assert!(message.find("info").is_some() || message.find("success").is_some());
            self.counts.control += 1;
            return;
        };
        let (action, data) = (message.get("action").text(), message.get("data").list());
        match (table.text(), frame.channel) {
            ("orderBookL2" | "orderBookL2_25" | "orderBook10", Channel::Book) => self.book(action, data),
            ("trade", Channel::Trade) => self.trades(data),
            ("instrument", Channel::Definition) => {
                assert_eq!((action, data.len()), ("partial", 1));
                self.counts.definitions += 1;
            }
            ("quote" | "instrument" | "liquidation", Channel::Ticker) => self.counts.tickers += 1,
            (other, _) => panic!("{other}"),
        }
    }

    fn is_whole(&self) -> bool {
        self.is_whole
    }

    fn reconnected(&mut self) {
        self.is_whole = false;
    }

    fn compare(&self, truth: &Truth, orders: Option<&TrueOrders>) {
        assert!(orders.is_none() && truth.seq == 0);
        let mut sides = [Side::new(), Side::new()];
        for ((side, _), &(price, size)) in &self.rows {
            let at = if side == "Buy" { (0, -price) } else { (1, price) };
            assert_eq!(sides[at.0].insert(at.1, size), None, "one level a price");
        }
        let told = |side: &[(i64, i64)], sign: i64| -> Side {
            side.iter().map(|level| (sign * level.0, level.1)).collect()
        };
        let truth = [told(&truth.bids, -1), told(&truth.asks, 1)];
        assert_eq!(if self.depth == Some(10) { &self.top } else { &sides }, &truth);
    }

    fn counts(&self) -> Counts {
        self.counts
    }
}

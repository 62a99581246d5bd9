//! A plain subscriber of Bitget: by the chain of numbers where there are any, and by checksums.

use std::collections::BTreeMap;

use depthwire_sim::dialects::{Channel, Counts, Frame, TrueOrders, Truth};

use super::json::{Json, crc32, mantissa};

/// Levels a side that a checksum covers.
const CHECKED_LEVELS: usize = 25;

pub struct Client {
    code: String,
    exponents: (i8, i8),
    /// Bids and asks, by a key that rises away from the best: the texts of price and quantity, and the quantity.
    sides: [BTreeMap<i64, (String, String, i64)>; 2],
    is_whole: bool,
    number: u64,
    /// Names of the trades of all messages but the snapshots.
    trade_id: u64,
    counts: Counts,
}

impl Client {
    pub fn new(code: &str, exponents: (i8, i8)) -> Self {
        Self {
            code: code.to_owned(),
            exponents,
            sides: [BTreeMap::new(), BTreeMap::new()],
            is_whole: false,
            number: 0,
            trade_id: 0,
            counts: Counts::default(),
        }
    }

    fn book(&mut self, is_snapshot: bool, data: &Json<'_>) {
        let is_latest = data.find("a").is_some();
        if is_snapshot {
            self.sides.iter_mut().for_each(BTreeMap::clear);
            self.is_whole = true;
            self.counts.snapshots += 1;
        } else {
            self.counts.updates += 1;
        }
        for (side, key) in (if is_latest { ["b", "a"] } else { ["bids", "asks"] }).into_iter().enumerate() {
            for level in data.get(key).list() {
                self.counts.levels += 1;
                let [price, qty] = level.list() else { panic!("{level:?}") };
                let (price, qty) = (price.text(), qty.text());
                let place = mantissa(price, self.exponents.0) * if side == 0 { -1 } else { 1 };
                if qty == "0" {
                    let gone = self.sides[side].remove(&place);
                    assert!(gone.is_some() || !self.is_whole, "removes {price}");
                } else {
                    let number = mantissa(qty, self.exponents.1);
                    self.sides[side].insert(place, (price.to_owned(), qty.to_owned(), number));
                }
            }
        }
        if is_latest {
            let (number, before) = (data.get("seq").integer(), data.get("pseq").integer());
            assert_eq!(before, if is_snapshot { 0 } else { self.number });
            assert!(is_snapshot || number > before);
            self.number = number;
        }
        let check = data.get("checksum").number();
        if check != "0" {
            assert_eq!(check, crc32(self.text().as_bytes()).cast_signed().to_string());
            self.counts.checksums += 1;
        } else {
            assert!(is_snapshot);
        }
    }

    fn text(&self) -> String {
        let mut sides = self.sides.each_ref().map(|side| side.values().take(CHECKED_LEVELS));
        let mut rows = Vec::new();
        for _ in 0..CHECKED_LEVELS {
            for side in &mut sides {
                rows.extend(side.next().map(|(price, qty, _)| format!("{price}:{qty}")));
            }
        }
        rows.join(":")
    }

    fn trades(&mut self, data: &[Json<'_>]) {
        for trade in data.iter().rev() {
            self.counts.trades += 1;
            let Json::Map(_) = trade else { continue };
            let id = trade.find("i").unwrap_or_else(|| trade.get("tradeId")).text().parse().unwrap();
            assert!(id > self.trade_id);
            self.trade_id = id;
        }
    }
}

impl super::Client for Client {
    fn frame(&mut self, frame: &Frame<'_>) {
        if frame.bytes == b"pong" {
            assert_eq!(frame.channel, Channel::Heartbeat);
            self.counts.heartbeats += 1;
            return;
        }
        let message = Json::read(frame.bytes);
        let arg = message.get("arg");
        let [channel, symbol] = match arg.find("topic") {
            Some(topic) => [topic, arg.get("symbol")],
            None => [arg.get("channel"), arg.get("instId")],
        };
        assert_eq!(symbol.text(), self.code);
        if let Some(event) = message.find("event") {
            assert!(["subscribe", "unsubscribe"].contains(&event.text()));
            self.counts.control += 1;
            return;
        }
        let (is_snapshot, data) = (message.get("action").text() == "snapshot", message.get("data").list());
        match channel.text() {
            "books" => {
                assert_eq!(frame.channel, Channel::Book);
                self.book(is_snapshot, &data[0]);
            }
            "trade" | "publicTrade" if is_snapshot => self.counts.not_executions += 1,
            "trade" | "publicTrade" => self.trades(data),
            "books1" | "ticker" => self.counts.tickers += 1,
            other => panic!("{other}"),
        }
    }

    fn reconnected(&mut self) {
        self.is_whole = false;
    }

    fn is_whole(&self) -> bool {
        self.is_whole
    }

    fn compare(&self, truth: &Truth, orders: Option<&TrueOrders>) {
        assert!(orders.is_none());
        assert_eq!(self.number, truth.seq);
        for (side, levels, sign) in [(0, &truth.bids, -1), (1, &truth.asks, 1)] {
            let own = self.sides[side].iter().map(|(key, level)| (key * sign, level.2));
            assert!(own.eq(levels.iter().copied()), "side {side}");
        }
    }

    fn counts(&self) -> Counts {
        self.counts
    }
}

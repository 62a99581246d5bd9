//! A plain subscriber of Bybit's `orderbook`.

use std::collections::BTreeMap;

use depthwire_sim::dialects::{Channel, Counts, Frame, TrueOrders, Truth};

use super::Side;
use super::json::{Json, mantissa};

pub struct Client {
    code: String,
    exponents: (i8, i8),
    depth: usize,
    /// Bids and asks.
    sides: [Side; 2],
    number: u64,
    is_whole: bool,
    /// Each key that statistics have told of a contract.
    known: BTreeMap<String, String>,
    last_seq: u64,
    counts: Counts,
}

impl Client {
    pub fn new(code: &str, exponents: (i8, i8), depth: usize) -> Self {
        Self {
            code: code.to_owned(),
            exponents,
            depth,
            sides: [Side::new(), Side::new()],
            number: 0,
            is_whole: false,
            known: BTreeMap::new(),
            last_seq: 0,
            counts: Counts::default(),
        }
    }

    fn book(&mut self, message: &Json<'_>) {
        let data = message.get("data");
        assert_eq!(data.get("s").text(), self.code);
        let number = data.get("u").integer();
        if let Some(seq) = data.find("seq") {
            assert!(seq.integer() >= self.last_seq, "of a later moment");
            self.last_seq = seq.integer();
            assert!(message.get("cts").integer() <= message.get("ts").integer());
        }
        if message.get("type").text() == "snapshot" {
            self.sides = [Side::new(), Side::new()];
            self.is_whole = true;
            self.counts.snapshots += 1;
        } else {
            assert!(self.depth > 1 && number == self.number + 1, "{} then {number}", self.number);
            self.counts.updates += 1;
        }
        self.number = number;
        for (side, key) in ["b", "a"].into_iter().enumerate() {
            let mut last = i64::MIN;
            for level in data.get(key).list() {
                let [price, qty] = level.list() else { panic!("{level:?}") };
                let price = mantissa(price.text(), self.exponents.0);
                let key = if side == 0 { -price } else { price };
                assert!(key > last, "sorted, best first");
                last = key;
                match mantissa(qty.text(), self.exponents.1) {
                    0 => assert!(
                        self.sides[side].remove(&key).is_some(),
                        "removes {price}, which does not stand"
                    ),
                    qty => drop(self.sides[side].insert(key, qty)),
                }
                self.counts.levels += 1;
            }
            assert!(self.sides[side].len() <= self.depth, "what leaves the depth is told");
        }
    }

    fn trades(&mut self, message: &Json<'_>) {
        for trade in message.get("data").list() {
            assert_eq!(trade.get("s").text(), self.code);
            assert!(mantissa(trade.get("v").text(), self.exponents.1) > 0);
            assert!(mantissa(trade.get("p").text(), self.exponents.0) > 0);
            assert!(["Buy", "Sell"].contains(&trade.get("S").text()));
            let is_execution = trade.find("BT").is_some_and(|block| !block.is_true());
            *(if is_execution { &mut self.counts.trades } else { &mut self.counts.not_executions }) += 1;
        }
    }

    fn statistics(&mut self, message: &Json<'_>) {
        let data = message.get("data");
        for key in data.keys() {
            self.known.insert(key.to_owned(), data.get(key).text().to_owned());
        }
        assert_eq!(self.known.get("symbol"), Some(&self.code));
        assert!(self.known.contains_key("lastPrice"), "told once at least");
        self.counts.tickers += 1;
    }
}

impl super::Client for Client {
    fn frame(&mut self, frame: &Frame<'_>) {
        let message = Json::read(frame.bytes);
        let Some(topic) = message.find("topic").map(Json::text) else {
            let is_pong = frame.channel == Channel::Heartbeat;
            *(if is_pong { &mut self.counts.heartbeats } else { &mut self.counts.control }) += 1;
            return;
        };
        match topic.split('.').collect::<Vec<_>>()[..] {
            ["orderbook", depth, _] if depth == self.depth.to_string() => self.book(&message),
            ["orderbook", "1", _] => {
                assert_eq!(message.get("type").text(), "snapshot");
                self.counts.tickers += 1;
            }
            ["publicTrade" | "allLiquidation", _] => self.trades(&message),
            ["tickers", _] => self.statistics(&message),
            _ => panic!("unknown topic {topic}"),
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
        let told =
            |side: &[(i64, i64)], sign: i64| side.iter().map(|level| (sign * level.0, level.1)).collect();
        let truth: [Side; 2] = [told(&truth.bids, -1), told(&truth.asks, 1)];
        assert_eq!(self.sides, truth);
    }

    fn counts(&self) -> Counts {
        self.counts
    }
}

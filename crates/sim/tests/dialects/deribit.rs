//! A plain subscriber of Deribit: whole books, then changes by the number of the one before, each level as it is said.

use std::collections::BTreeMap;

use depthwire_sim::dialects::{Channel, Counts, Frame, TrueOrders, Truth};

use super::json::{Json, mantissa};

pub struct Client {
    code: String,
    exponents: (i8, i8),
    /// Bids and asks by price.
    sides: [BTreeMap<i64, i64>; 2],
    last: Option<u64>,
    trade_seq: u64,
    counts: Counts,
}

impl Client {
    pub fn new(code: &str, exponents: (i8, i8)) -> Self {
        let (sides, counts) = Default::default();
        Self { code: code.to_owned(), exponents, sides, last: None, trade_seq: 0, counts }
    }

    fn book(&mut self, data: &Json<'_>) {
        let is_whole = data.get("type").text() == "snapshot";
        let before = data.find("prev_change_id").map(Json::integer);
        if is_whole {
            assert_eq!(before, None);
            self.sides = Default::default();
            self.counts.snapshots += 1;
        } else {
            assert_eq!(data.get("type").text(), "change");
            assert!(before.is_some() && before == self.last, "{before:?} {:?}", self.last);
            self.counts.updates += 1;
        }
        let number = data.get("change_id").integer();
        assert!(before.is_none_or(|before| before < number));
        self.last = Some(number);
        for (side, key) in self.sides.iter_mut().zip(["bids", "asks"]) {
            for level in data.get(key).list() {
                let [verb, price, amount] = level.list() else { panic!("{level:?}") };
                let price = mantissa(price.number(), self.exponents.0);
                let amount = mantissa(amount.number(), self.exponents.1);
                match verb.text() {
                    "new" => assert!(amount > 0 && side.insert(price, amount).is_none()),
                    "change" => {
                        assert!(amount > 0 && side.insert(price, amount).is_some_and(|was| was != amount))
                    }
                    "delete" => assert!(amount == 0 && side.remove(&price).is_some()),
                    other => panic!("{other}"),
                }
                assert!(!is_whole || verb.text() == "new");
                self.counts.levels += 1;
            }
        }
    }

    fn notification(&mut self, channel: &str, data: &Json<'_>) {
        let of = |data: &Json<'_>| assert_eq!(data.get("instrument_name").text(), self.code);
        match channel.split('.').collect::<Vec<_>>()[..] {
            ["book", code, "raw" | "100ms"] => {
                assert_eq!(code, self.code);
                of(data);
                self.book(data);
            }
            ["trades", _, "raw"] => {
                for trade in data.list() {
                    of(trade);
                    let number = trade.get("trade_seq").integer();
                    assert!(number > self.trade_seq, "{number}");
                    self.trade_seq = number;
                    assert!(mantissa(trade.get("price").number(), self.exponents.0) > 0);
                    assert!(["buy", "sell"].contains(&trade.get("direction").text()));
                    self.counts.trades += 1;
                }
            }
            ["ticker", _, "raw"] => {
                of(data);
                assert_eq!(data.find("greeks").is_some(), self.code.ends_with("-C"));
                self.counts.tickers += 1;
            }
            ["quote", _] => {
                of(data);
                self.counts.tickers += 1;
            }
            _ => panic!("{channel}"),
        }
    }
}

impl super::Client for Client {
    fn frame(&mut self, frame: &Frame<'_>) {
        let message = Json::read(frame.bytes);
        assert_eq!(message.get("jsonrpc").text(), "2.0");
        if let Some(result) = message.find("result") {
            assert_eq!((frame.channel, result.list().len()), (Channel::Control, 4));
            self.counts.control += 1;
            return;
        }
        let params = message.get("params");
        if message.get("method").text() == "heartbeat" {
            assert!(["heartbeat", "test_request"].contains(&params.get("type").text()));
            self.counts.heartbeats += 1;
            return;
        }
        assert_eq!(message.get("method").text(), "subscription");
        self.notification(params.get("channel").text(), params.get("data"));
    }

    fn is_whole(&self) -> bool {
        self.last.is_some()
    }

    fn compare(&self, truth: &Truth, orders: Option<&TrueOrders>) {
        assert_eq!((Some(truth.seq), orders.is_none()), (self.last, true));
        let [bids, asks] = &self.sides;
        assert!(bids.iter().rev().map(|(price, qty)| (*price, *qty)).eq(truth.bids.iter().copied()));
        assert!(asks.iter().map(|(price, qty)| (*price, *qty)).eq(truth.asks.iter().copied()));
    }

    fn counts(&self) -> Counts {
        self.counts
    }
}

//! A plain subscriber of Gate.io's `obu`.

use depthwire_sim::dialects::{Channel, Counts, Frame, TrueOrders, Truth};

use super::Side;
use super::json::{Json, mantissa};

pub struct Client {
    code: String,
    exponents: (i8, i8),
    depth: usize,
    /// Bids and asks.
    sides: [Side; 2],
    id: u64,
    trade_id: u64,
    is_whole: bool,
    counts: Counts,
}

impl Client {
    pub fn new(code: &str, exponents: (i8, i8), depth: usize) -> Self {
        let sides = [Side::new(), Side::new()];
        let code = code.to_owned();
        Self { code, exponents, depth, sides, id: 0, trade_id: 0, is_whole: false, counts: Counts::default() }
    }

    fn book(&mut self, result: &Json<'_>) {
        assert_eq!(result.get("s").text(), format!("ob.{}.{}", self.code, self.depth));
        let last = result.get("u").integer();
        if result.find("full").is_some_and(Json::is_true) {
            self.sides = [Side::new(), Side::new()];
            self.is_whole = true;
            self.counts.snapshots += 1;
        } else {
            assert_eq!(result.get("U").integer(), self.id + 1, "it runs on");
            assert!(last > self.id);
            self.counts.updates += 1;
        }
        self.id = last;
        for (side, key) in ["b", "a"].into_iter().enumerate() {
            for level in result.get(key).list() {
                let [price, qty] = level.list() else { panic!("{level:?}") };
                let price = mantissa(price.text(), self.exponents.0);
                let key = if side == 0 { -price } else { price };
                match mantissa(qty.text(), self.exponents.1) {
                    0 => drop(self.sides[side].remove(&key)),
                    qty => drop(self.sides[side].insert(key, qty)),
                }
                self.counts.levels += 1;
            }
            while self.sides[side].len() > self.depth {
                self.sides[side].pop_last();
            }
        }
    }

    fn trade(&mut self, trade: &Json<'_>) {
        if trade.find("is_internal").is_some() {
            self.counts.not_executions += 1;
            return;
        }
        let id = trade.get("id").integer();
        assert!(id > self.trade_id);
        self.trade_id = id;
        let named = trade.find("contract").unwrap_or_else(|| trade.get("currency_pair"));
        assert_eq!(named.text(), self.code);
        self.counts.trades += 1;
    }
}

impl super::Client for Client {
    fn frame(&mut self, frame: &Frame<'_>) {
        let message = Json::read(frame.bytes);
        let result = message.get("result");
        let (_, kind) = message.get("channel").text().split_once('.').unwrap();
        match (kind, message.get("event").text()) {
            ("pong", _) => self.counts.heartbeats += 1,
            (_, "subscribe" | "unsubscribe") => {
                assert_eq!(result.get("status").text(), "success");
                self.counts.control += 1;
            }
            ("obu", _) => self.book(result),
            ("trades", _) if matches!(result, Json::List(_)) => {
                result.list().iter().for_each(|trade| self.trade(trade));
            }
            ("trades", _) => self.trade(result),
            ("book_ticker" | "tickers", _) => {
                assert_eq!(frame.channel, Channel::Ticker);
                self.counts.tickers += 1;
            }
            other => panic!("{other:?}"),
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
        assert_eq!(self.id, truth.seq);
        let told =
            |side: &[(i64, i64)], sign: i64| side.iter().map(|level| (sign * level.0, level.1)).collect();
        let truth: [Side; 2] = [told(&truth.bids, -1), told(&truth.asks, 1)];
        assert_eq!(self.sides, truth);
    }

    fn counts(&self) -> Counts {
        self.counts
    }
}

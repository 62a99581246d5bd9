//! A plain subscriber of Binance: spot by contiguous ids, futures by the id of the message before.

use std::collections::BTreeMap;

use depthwire_sim::dialects::{Counts, Frame, TrueOrders, Truth};

use super::Side;
use super::json::{Json, mantissa};

type Level = (i64, i64);

#[derive(Clone, Debug)]
struct Update {
    first: u64,
    last: u64,
    before: Option<u64>,
    levels: [Vec<Level>; 2],
}

pub struct Client {
    venue: &'static str,
    code: String,
    exponents: (i8, i8),
    /// Bids and asks, by a key that rises away from the best.
    sides: [Side; 2],
    /// The key of the worst level that the answer told, by side.
    known_to: [i64; 2],
    /// Id of the answer, and of the last update applied.
    answer_id: Option<u64>,
    last: Option<u64>,
    waiting: Vec<Update>,
    ticker: Option<(u64, [Level; 2])>,
    compared_tickers: u64,
    trade_id: u64,
    counts: Counts,
}

impl Client {
    pub fn new(venue: &'static str, code: &str, exponents: (i8, i8)) -> Self {
        Self {
            // It speaks as spot does.
            venue: if venue == "binance-us" { "binance" } else { venue },
            code: code.to_owned(),
            exponents,
            sides: [Side::new(), Side::new()],
            known_to: [0; 2],
            answer_id: None,
            last: None,
            waiting: Vec::new(),
            ticker: None,
            compared_tickers: 0,
            trade_id: 0,
            counts: Counts::default(),
        }
    }

    fn levels(&mut self, levels: &Json<'_>) -> Vec<Level> {
        let read = |level: &Json<'_>, at: usize, exponent| mantissa(level.list()[at].text(), exponent);
        let levels = levels.list().iter();
        let (price, qty) = self.exponents;
        let levels: Vec<_> = levels.map(|level| (read(level, 0, price), read(level, 1, qty))).collect();
        self.counts.levels += levels.len() as u64;
        levels
    }

    fn set(&mut self, side: usize, (price, qty): Level) {
        let key = if side == 0 { -price } else { price };
        if qty == 0 {
            self.sides[side].remove(&key);
        } else {
            self.sides[side].insert(key, qty);
        }
    }

    fn update(&mut self, update: Update) {
        let Some(answer_id) = self.answer_id else {
            self.waiting.push(update);
            return;
        };
        if self.last.is_none() {
            let is_spot = update.before.is_none();
            if update.last < answer_id + u64::from(is_spot) {
                return;
            }
            let bridges = if is_spot {
                update.first <= answer_id + 1
            } else {
                update.first <= answer_id || update.before == Some(answer_id)
            };
            assert!(bridges, "{update:?} does not meet {answer_id}");
        } else if let Some(last) = self.last {
            match update.before {
                None => assert_eq!(update.first, last + 1),
                Some(before) => {
                    assert_eq!(before, last);
                    assert!(update.first > last);
                }
            }
        }
        self.last = Some(update.last);
        for side in 0..2 {
            for level in &update.levels[side] {
                self.set(side, *level);
            }
        }
        if let Some((id, tops)) = self.ticker.filter(|ticker| ticker.0 == update.last) {
            let top = |side: usize, sign: i64| {
                self.sides[side].first_key_value().map(|(key, qty)| (key * sign, *qty))
            };
            assert_eq!((top(0, -1), top(1, 1)), (Some(tops[0]), Some(tops[1])), "at {id}");
            self.compared_tickers += 1;
        }
    }

    fn depth(&mut self, data: &Json<'_>) {
        let keys: &[&str] = match self.venue {
            "binance" => &["e", "E", "s", "U", "u", "b", "a"],
            "binance-usdm" => &["e", "E", "T", "s", "U", "u", "pu", "b", "a"],
            _ => &["e", "E", "T", "s", "ps", "U", "u", "pu", "b", "a"],
        };
        assert_eq!(data.keys(), keys);
        self.counts.updates += 1;
        let levels = [self.levels(data.get("b")), self.levels(data.get("a"))];
        let (first, last) = (data.get("U").integer(), data.get("u").integer());
        assert!(first <= last);
        self.update(Update { first, last, before: data.find("pu").map(Json::integer), levels });
    }

    fn trade(&mut self, data: &Json<'_>) {
        let id = data.get("t").integer();
        assert!(id > self.trade_id);
        self.trade_id = id;
        let kind = data.find("X").map_or("MARKET", Json::text);
        if kind == "MARKET" {
            assert!(mantissa(data.get("p").text(), self.exponents.0) > 0);
            self.counts.trades += 1;
        } else {
            assert!(["INSURANCE_FUND", "ADL", "NA"].contains(&kind));
            self.counts.not_executions += 1;
        }
    }
}

impl super::Client for Client {
    fn frame(&mut self, frame: &Frame<'_>) {
        let message = Json::read(frame.bytes);
        let stream = message.get("stream").text();
        let data = message.get("data");
        assert_eq!(data.get("s").text(), self.code);
        let (name, kind) = stream.split_once('@').unwrap();
        assert_eq!(name, self.code.to_lowercase());
        match kind {
            "depth@100ms" | "depth@0ms" => self.depth(data),
            "trade" => self.trade(data),
            "bookTicker" => {
                assert_eq!(data.find("e").is_some(), self.venue != "binance");
                let (price, qty) = self.exponents;
                let read = |key, exponent| mantissa(data.get(key).text(), exponent);
                let tops = [(read("b", price), read("B", qty)), (read("a", price), read("A", qty))];
                assert!(tops[0].0 < tops[1].0);
                self.ticker = Some((data.get("u").integer(), tops));
                self.counts.tickers += 1;
            }
            _ => panic!("unknown stream {stream}"),
        }
    }

    fn answer(&mut self, bytes: &[u8]) {
        let answer = Json::read(bytes);
        let has_pair = answer.find("pair").is_some();
        assert_eq!(has_pair, self.venue == "binance-coinm");
        self.counts.snapshots += 1;
        let levels = [self.levels(answer.get("bids")), self.levels(answer.get("asks"))];
        for (side, levels) in levels.into_iter().enumerate() {
            self.sides[side].clear();
            for level in levels {
                self.set(side, level);
            }
            self.known_to[side] = self.sides[side].last_key_value().map_or(i64::MIN, |last| *last.0);
        }
        self.answer_id = Some(answer.get("lastUpdateId").integer());
        for update in std::mem::take(&mut self.waiting) {
            self.update(update);
        }
    }

    fn reconnected(&mut self) {
        (self.answer_id, self.last, self.ticker) = (None, None, None);
    }

    fn is_whole(&self) -> bool {
        self.last.is_some()
    }

    fn compare(&self, truth: &Truth, orders: Option<&TrueOrders>) {
        assert!(orders.is_none());
        assert_eq!(self.last, Some(truth.seq));
        for (side, levels, sign) in [(0, &truth.bids, -1), (1, &truth.asks, 1)] {
            let whole: BTreeMap<i64, i64> = levels.iter().map(|&(price, qty)| (price * sign, qty)).collect();
            let known_to = self.known_to[side];
            assert!(self.sides[side].range(..=known_to).eq(whole.range(..=known_to)), "side {side}");
            assert!(self.sides[side].iter().all(|(key, qty)| whole.get(key) == Some(qty)));
        }
    }

    fn counts(&self) -> Counts {
        self.counts
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if !std::thread::panicking() && self.counts.updates > 100 {
            assert!(self.compared_tickers > 3, "{}", self.compared_tickers);
        }
    }
}

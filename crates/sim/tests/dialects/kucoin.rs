//! A plain subscriber of KuCoin: changes that run on from a book that is asked for.

use depthwire_sim::dialects::{Channel, Counts, Frame, TrueOrders, Truth};

use super::Side;
use super::json::{Json, mantissa};

/// Levels a side of an answer that was cut.
const CUT_LEVELS: usize = 100;

/// Sides, keys and quantities.
type Levels = Vec<(usize, i64, i64)>;

pub struct Client {
    code: String,
    exponents: (i8, i8),
    is_futures: bool,
    /// Bids and asks.
    sides: [Side; 2],
    /// Up to which key a side is known.
    known_to: [i64; 2],
    number: u64,
    is_whole: bool,
    /// Changes that came before the book: first and last number, and levels.
    waiting: Vec<(u64, u64, Levels)>,
    trade_id: u64,
    counts: Counts,
}

impl Client {
    pub fn new(code: &str, exponents: (i8, i8), is_futures: bool) -> Self {
        Self {
            code: code.to_owned(),
            exponents,
            is_futures,
            sides: [Side::new(), Side::new()],
            known_to: [i64::MAX; 2],
            number: 0,
            is_whole: false,
            waiting: Vec::new(),
            trade_id: 0,
            counts: Counts::default(),
        }
    }

    fn level(&self, side: usize, price: &str, qty: &str) -> (usize, i64, i64) {
        let key = mantissa(price, self.exponents.0) * if side == 0 { -1 } else { 1 };
        (side, key, mantissa(qty, self.exponents.1))
    }

    fn update(&mut self, first: u64, last: u64, levels: Levels) {
        self.counts.updates += 1;
        if !self.is_whole {
            self.waiting.push((first, last, levels));
            return;
        }
        assert!(first <= self.number + 1, "it runs on");
        if last > self.number {
            self.apply(last, &levels);
        }
    }

    fn apply(&mut self, last: u64, levels: &[(usize, i64, i64)]) {
        self.number = last;
        for &(side, key, qty) in levels.iter().filter(|(_, key, _)| *key != 0) {
            if key > self.known_to[side] {
                continue;
            }
            match qty {
                0 => drop(self.sides[side].remove(&key)),
                qty => drop(self.sides[side].insert(key, qty)),
            }
        }
    }

    fn spot_changes(&mut self, data: &Json<'_>) {
        assert_eq!(data.get("symbol").text(), self.code);
        let (first, last) = (data.get("sequenceStart").integer(), data.get("sequenceEnd").integer());
        let mut levels = Vec::new();
        let mut sequences = Vec::new();
        for (side, key) in [(1, "asks"), (0, "bids")] {
            for row in data.get("changes").get(key).list() {
                let [price, qty, sequence] = [0, 1, 2].map(|at| row.list()[at].text());
                sequences.push(sequence.parse::<u64>().unwrap());
                levels.push(self.level(side, price, qty));
                self.counts.levels += 1;
            }
        }
        assert!(sequences.into_iter().eq(first..=last), "a row a sequence");
        self.update(first, last, levels);
    }

    fn futures_change(&mut self, data: &Json<'_>) {
        let number = data.get("sequence").integer();
        let parts: Vec<_> = data.get("change").text().split(',').collect();
        let [price, side, qty] = parts[..] else { panic!("{parts:?}") };
        let side = match side {
            "buy" => 0,
            "sell" => 1,
            other => panic!("{other}"),
        };
        self.counts.levels += 1;
        let level = self.level(side, price, qty);
        self.update(number, number, vec![level]);
    }
}

/// A number that stands in a text or not.
fn printed<'a>(value: &Json<'a>) -> &'a str {
    match value {
        Json::Number(text) | Json::Text(text) => text,
        other => panic!("{other:?}"),
    }
}

impl super::Client for Client {
    fn frame(&mut self, frame: &Frame<'_>) {
        let message = Json::read(frame.bytes);
        match message.get("type").text() {
            "welcome" | "ack" => return self.counts.control += 1,
            "pong" => return self.counts.heartbeats += 1,
            kind => assert_eq!(kind, "message"),
        }
        let (topic, symbol) = message.get("topic").text().split_once(':').unwrap();
        assert_eq!(symbol, self.code);
        let data = message.get("data");
        match topic {
            "/market/level2" => self.spot_changes(data),
            "/contractMarket/level2" => self.futures_change(data),
            "/market/match" | "/contractMarket/execution" => {
                let id = data.get("tradeId").text().parse().unwrap();
                assert!(id > self.trade_id);
                self.trade_id = id;
                self.counts.trades += 1;
            }
            "/market/ticker" => {
                self.counts.tickers += 1;
                if self.is_whole && data.get("sequence").text() == self.number.to_string() {
                    for (side, [price, qty]) in
                        [["bestBid", "bestBidSize"], ["bestAsk", "bestAskSize"]].into_iter().enumerate()
                    {
                        let (_, key, qty) = self.level(side, data.get(price).text(), data.get(qty).text());
                        let best =
                            self.sides[side].first_key_value().map_or((0, 0), |(key, qty)| (*key, *qty));
                        // The market may have left what a cut answer had told.
                        assert!((key, qty) == best || key > self.known_to[side], "{key} {qty} {best:?}");
                    }
                }
            }
            "/contractMarket/tickerV2" | "/contract/instrument" => self.counts.tickers += 1,
            other => panic!("{other}"),
        }
        assert!(frame.channel != Channel::Orders);
    }

    fn answer(&mut self, bytes: &[u8]) {
        let answer = Json::read(bytes);
        assert_eq!(answer.get("code").text(), "200000");
        let data = answer.get("data");
        self.number = printed(data.get("sequence")).parse().unwrap();
        for (side, key) in ["bids", "asks"].into_iter().enumerate() {
            let rows = data.get(key).list();
            let levels =
                rows.iter().map(|row| self.level(side, printed(&row.list()[0]), printed(&row.list()[1])));
            self.sides[side] = levels.map(|(_, key, qty)| (key, qty)).collect();
            self.counts.levels += rows.len() as u64;
            let worst = self.sides[side].last_key_value().map(|(key, _)| *key);
            let is_cut = !self.is_futures && rows.len() == CUT_LEVELS;
            self.known_to[side] = worst.filter(|_| is_cut).unwrap_or(i64::MAX);
        }
        self.counts.snapshots += 1;
        self.is_whole = true;
        for (first, last, levels) in std::mem::take(&mut self.waiting) {
            if last > self.number {
                assert!(first <= self.number + 1);
                self.apply(last, &levels);
            }
        }
    }

    fn reconnected(&mut self) {
        self.is_whole = false;
        self.waiting.clear();
    }

    fn is_whole(&self) -> bool {
        self.is_whole
    }

    fn compare(&self, truth: &Truth, orders: Option<&TrueOrders>) {
        assert!(orders.is_none());
        assert_eq!(self.number, truth.seq);
        for (side, levels, sign) in [(0, &truth.bids, -1), (1, &truth.asks, 1)] {
            let known = levels.iter().map(|level| (sign * level.0, level.1));
            let known = known.filter(|level| level.0 <= self.known_to[side]);
            assert!(known.eq(self.sides[side].iter().map(|(key, qty)| (*key, *qty))), "side {side}");
        }
    }

    fn counts(&self) -> Counts {
        self.counts
    }
}

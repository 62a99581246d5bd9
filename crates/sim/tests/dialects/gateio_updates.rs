//! A plain subscriber of Gate.io's `order_book_update`, which asks REST for the book.

use depthwire_sim::dialects::{Channel, Counts, Frame, TrueOrders, Truth};

use super::Side;
use super::json::{Json, mantissa};

/// First number, last number, bids and asks.
type Update = (u64, u64, [Vec<(i64, i64)>; 2]);

pub struct Client {
    code: String,
    exponents: (i8, i8),
    /// Bids and asks, by a key that rises away from the best.
    sides: [Side; 2],
    /// The key of the worst level that the answer told, by side.
    known_to: [i64; 2],
    /// Number of the book, once there is one.
    id: Option<u64>,
    /// Whether an update has met it.
    is_met: bool,
    waiting: Vec<Update>,
    trade_id: u64,
    counts: Counts,
}

impl Client {
    pub fn new(code: &str, exponents: (i8, i8)) -> Self {
        Self {
            code: code.to_owned(),
            exponents,
            sides: [Side::new(), Side::new()],
            known_to: [0; 2],
            id: None,
            is_met: false,
            waiting: Vec::new(),
            trade_id: 0,
            counts: Counts::default(),
        }
    }

    fn levels(&mut self, levels: &Json<'_>) -> Vec<(i64, i64)> {
        let (price, qty) = self.exponents;
        let read = |level: &Json<'_>| {
            (mantissa(level.get("p").text(), price), mantissa(level.get("s").number(), qty))
        };
        let levels: Vec<_> = levels.list().iter().map(read).collect();
        self.counts.levels += levels.len() as u64;
        levels
    }

    fn set(&mut self, sides: [Vec<(i64, i64)>; 2]) {
        for (side, levels) in sides.into_iter().enumerate() {
            for (price, qty) in levels {
                let key = if side == 0 { -price } else { price };
                if qty == 0 {
                    self.sides[side].remove(&key);
                } else {
                    self.sides[side].insert(key, qty);
                }
            }
        }
    }

    fn update(&mut self, (first, last, sides): Update) {
        let Some(id) = self.id else { return self.waiting.push((first, last, sides)) };
        if !self.is_met && last < id + 1 {
            return;
        }
        if self.is_met {
            assert_eq!(first, id + 1, "it runs on");
        } else {
            assert!(first <= id + 1, "{first} does not meet {id}");
        }
        (self.id, self.is_met) = (Some(last), true);
        self.set(sides);
    }
}

impl super::Client for Client {
    fn frame(&mut self, frame: &Frame<'_>) {
        let message = Json::read(frame.bytes);
        let result = message.get("result");
        match (message.get("channel").text(), message.get("event").text()) {
            ("futures.pong", _) => self.counts.heartbeats += 1,
            ("futures.order_book_update", "subscribe" | "unsubscribe") => {
                assert_eq!(message.get("payload").list()[0].text(), self.code);
                self.counts.control += 1;
            }
            ("futures.order_book_update", _) => {
                assert_eq!(result.get("s").text(), self.code);
                let (first, last) = (result.get("U").integer(), result.get("u").integer());
                assert!(first <= last);
                let sides = [self.levels(result.get("b")), self.levels(result.get("a"))];
                self.counts.updates += 1;
                self.update((first, last, sides));
            }
            ("futures.trades", _) => {
                for trade in result.list() {
                    assert_eq!(trade.get("contract").text(), self.code);
                    if trade.find("is_internal").is_some() {
                        self.counts.not_executions += 1;
                        continue;
                    }
                    assert!(trade.get("id").integer() > self.trade_id);
                    self.trade_id = trade.get("id").integer();
                    self.counts.trades += 1;
                }
            }
            ("futures.book_ticker" | "futures.tickers", _) => {
                assert_eq!(frame.channel, Channel::Ticker);
                self.counts.tickers += 1;
            }
            other => panic!("{other:?}"),
        }
    }

    fn answer(&mut self, bytes: &[u8]) {
        let answer = Json::read(bytes);
        self.counts.snapshots += 1;
        let sides = [self.levels(answer.get("bids")), self.levels(answer.get("asks"))];
        self.sides = [Side::new(), Side::new()];
        self.set(sides);
        self.known_to =
            self.sides.each_ref().map(|side| side.last_key_value().map_or(i64::MIN, |last| *last.0));
        self.id = Some(answer.get("id").integer());
        for update in std::mem::take(&mut self.waiting) {
            self.update(update);
        }
    }

    fn reconnected(&mut self) {
        (self.id, self.is_met) = (None, false);
        self.waiting.clear();
    }

    fn is_whole(&self) -> bool {
        self.is_met
    }

    fn compare(&self, truth: &Truth, orders: Option<&TrueOrders>) {
        assert!(orders.is_none());
        assert_eq!(self.id, Some(truth.seq));
        for (side, levels, sign) in [(0, &truth.bids, -1), (1, &truth.asks, 1)] {
            let whole: Side = levels.iter().map(|&(price, qty)| (price * sign, qty)).collect();
            let bound = self.known_to[side];
            assert!(self.sides[side].range(..=bound).eq(whole.range(..=bound)), "side {side}");
            assert!(
                self.sides[side].range(bound..).all(|(key, qty)| whole.get(key) == Some(qty)),
                "side {side}"
            );
        }
    }

    fn counts(&self) -> Counts {
        self.counts
    }
}

//! A plain subscriber of Bitstamp's differences.

use depthwire_sim::dialects::{Counts, Frame, TrueOrders, Truth};

use super::Side;
use super::json::{Json, mantissa};

type Levels = Vec<(usize, i64, i64)>;

pub struct Client {
    code: String,
    exponents: (i8, i8),
    sides: [Side; 2],
    /// The time that the book stands at, once it is whole.
    at_us: Option<u64>,
    /// Differences that wait for a book.
    waiting: Vec<(u64, Levels)>,
    last_us: u64,
    trade_id: u64,
    counts: Counts,
}

impl Client {
    pub fn new(code: &str, exponents: (i8, i8)) -> Self {
        Self {
            code: code.to_owned(),
            exponents,
            sides: [Side::new(), Side::new()],
            at_us: None,
            waiting: Vec::new(),
            last_us: 0,
            trade_id: 0,
            counts: Counts::default(),
        }
    }

    fn levels(&mut self, book: &Json<'_>) -> (u64, Levels) {
        let us: u64 = book.get("microtimestamp").text().parse().unwrap();
        assert_eq!(book.get("timestamp").text(), (us / 1_000_000).to_string());
        let mut levels = Levels::new();
        for (side, name) in ["bids", "asks"].into_iter().enumerate() {
            for level in book.get(name).list() {
                let [price, qty] = level.list() else { panic!("a level of two") };
                let price = mantissa(price.text(), self.exponents.0);
                levels.push((side, price, mantissa(qty.text(), self.exponents.1)));
            }
        }
        self.counts.levels += levels.len() as u64;
        (us, levels)
    }

    fn apply(&mut self, us: u64, levels: &Levels, must_stand: bool) {
        for &(side, price, qty) in levels {
            let key = if side == 0 { -price } else { price };
            if qty == 0 {
                let stood = self.sides[side].remove(&key).is_some();
                assert!(stood || !must_stand, "{price} does not stand");
            } else {
                self.sides[side].insert(key, qty);
            }
        }
        self.at_us = Some(us);
    }
}

impl super::Client for Client {
    fn frame(&mut self, frame: &Frame<'_>) {
        let message = Json::read(frame.bytes);
        let channel = message.get("channel").text();
        match message.get("event").text() {
            "bts:subscription_succeeded" => self.counts.control += 1,
            "bts:heartbeat" => self.counts.heartbeats += 1,
            "trade" => {
                assert_eq!(channel, format!("live_trades_{}", self.code));
                let data = message.get("data");
                assert!(data.get("id").integer() > self.trade_id);
                self.trade_id = data.get("id").integer();
                for (number, text, exponent) in
                    [("price", "price_str", self.exponents.0), ("amount", "amount_str", self.exponents.1)]
                {
                    let exact = mantissa(data.get(text).text(), exponent);
                    assert_eq!(exact, mantissa(data.get(number).number(), exponent));
                }
                self.counts.trades += 1;
            }
            "data" => {
                assert_eq!(channel, format!("diff_order_book_{}", self.code));
                let (us, levels) = self.levels(message.get("data"));
                assert!(us > self.last_us, "times rise");
                self.last_us = us;
                self.counts.updates += 1;
                match self.at_us {
                    Some(at) if us > at => self.apply(us, &levels, true),
                    Some(_) => {}
                    None => self.waiting.push((us, levels)),
                }
            }
            event => panic!("unknown event {event}"),
        }
    }

    fn answer(&mut self, answer: &[u8]) {
        let (us, levels) = self.levels(&Json::read(answer));
        assert!(self.waiting.first().is_none_or(|first| us >= first.0), "it reaches what waits");
        self.sides = [Side::new(), Side::new()];
        self.apply(us, &levels, true);
        for (us, levels) in std::mem::take(&mut self.waiting) {
            if self.at_us.is_some_and(|at| us > at) {
                self.apply(us, &levels, true);
            }
        }
        self.counts.snapshots += 1;
    }

    fn reconnected(&mut self) {
        self.at_us = None;
        self.waiting.clear();
    }

    fn is_whole(&self) -> bool {
        self.at_us.is_some()
    }

    fn compare(&self, truth: &Truth, orders: Option<&TrueOrders>) {
        assert!(orders.is_none());
        let levels = |side: usize, sign: i64| {
            self.sides[side].iter().map(|(key, qty)| (key * sign, *qty)).collect::<Vec<_>>()
        };
        assert_eq!((levels(0, -1), levels(1, 1)), (truth.bids.clone(), truth.asks.clone()));
        assert_eq!(self.at_us, Some(truth.seq));
    }

    fn counts(&self) -> Counts {
        self.counts
    }
}

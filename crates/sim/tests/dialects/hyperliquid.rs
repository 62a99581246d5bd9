//! A plain subscriber of Hyperliquid: every message is the whole book.

use depthwire_sim::dialects::{Counts, Frame, TrueOrders, Truth};

use super::json::{Json, mantissa};

pub struct Client {
    exponents: (i8, i8),
    sides: [Vec<(i64, i64)>; 2],
    time: u64,
    counts: Counts,
}

impl Client {
    pub fn new(exponents: (i8, i8)) -> Self {
        Self { exponents, sides: Default::default(), time: 0, counts: Counts::default() }
    }

    fn levels(&self, levels: &Json<'_>) -> Vec<(i64, i64)> {
        let levels = levels.list().iter();
        levels
            .map(|level| {
                let price = level.get("px").text();
                assert!(price.ends_with(".0"), "{price}");
                (
                    mantissa(price, self.exponents.0 - 1) / 10,
                    mantissa(level.get("sz").text(), self.exponents.1),
                )
            })
            .collect()
    }
}

impl super::Client for Client {
    fn frame(&mut self, frame: &Frame<'_>) {
        let message = Json::read(frame.bytes);
        match message.get("channel").text() {
            "l2Book" => {
                let data = message.get("data");
                let time = data.get("time").integer();
                assert!(time >= self.time, "time goes on");
                self.time = time;
                for (side, levels) in data.get("levels").list().iter().enumerate() {
                    self.sides[side] = self.levels(levels);
                    assert!(self.sides[side].len() <= 20);
                    self.counts.levels += self.sides[side].len() as u64;
                }
                self.counts.updates += 1;
            }
            "bbo" => {
                assert_eq!(message.get("data").get("bbo").list().len(), 2);
                self.counts.tickers += 1;
            }
            "trades" => self.counts.trades += message.get("data").list().len() as u64,
            "pong" => self.counts.heartbeats += 1,
            _ => self.counts.control += 1,
        }
    }

    fn is_whole(&self) -> bool {
        self.time > 0
    }

    fn compare(&self, truth: &Truth, orders: Option<&TrueOrders>) {
        assert!(orders.is_none());
        assert_eq!((&self.sides[0], &self.sides[1]), (&truth.bids, &truth.asks));
        assert_eq!(self.time, truth.seq);
    }

    fn counts(&self) -> Counts {
        self.counts
    }
}

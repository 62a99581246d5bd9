//! A plain subscriber of Kraken Futures: a whole book, then one level at a time, counted.

use depthwire_sim::dialects::{Channel, Counts, Frame, TrueOrders, Truth};

use super::Side;
use super::json::{Json, mantissa};

pub struct Client {
    code: String,
    exponents: (i8, i8),
    /// Bids and asks.
    sides: [Side; 2],
    seq: Option<u64>,
    trade_seq: u64,
    counts: Counts,
}

impl Client {
    pub fn new(code: &str, exponents: (i8, i8)) -> Self {
        let sides = [Side::new(), Side::new()];
        Self { code: code.to_owned(), exponents, sides, seq: None, trade_seq: 0, counts: Counts::default() }
    }

    fn set(&mut self, side: usize, level: &Json<'_>) {
        let price = mantissa(level.get("price").number(), self.exponents.0);
        let key = if side == 0 { -price } else { price };
        match mantissa(level.get("qty").number(), self.exponents.1) {
            0 => assert!(self.sides[side].remove(&key).is_some(), "what goes was there"),
            qty => assert_ne!(self.sides[side].insert(key, qty), Some(qty), "what is told has changed"),
        }
        self.counts.levels += 1;
    }

    fn feed(&mut self, feed: &str, message: &Json<'_>) {
        match feed {
            "book_snapshot" => {
                self.sides = [Side::new(), Side::new()];
                for (side, key) in ["bids", "asks"].into_iter().enumerate() {
                    message.get(key).list().iter().for_each(|level| self.set(side, level));
                }
                self.seq = Some(message.get("seq").integer());
                self.counts.snapshots += 1;
            }
            "book" => {
                let seq = message.get("seq").integer();
                assert_eq!(self.seq.map(|last| last + 1), Some(seq));
                self.seq = Some(seq);
                let side = ["buy", "sell"].iter().position(|side| *side == message.get("side").text());
                self.set(side.unwrap(), message);
                self.counts.updates += 1;
            }
            "trade" if message.get("type").text() == "block" => self.counts.not_executions += 1,
            "trade" => {
                assert!(["fill", "liquidation"].contains(&message.get("type").text()));
                let seq = message.get("seq").integer();
                assert!(seq > self.trade_seq);
                self.trade_seq = seq;
                self.counts.trades += 1;
            }
            "trade_snapshot" => self.counts.control += 1,
            "ticker" => {
                assert!(mantissa(message.get("last").number(), self.exponents.0) > 0);
                self.counts.tickers += 1;
            }
            other => panic!("{other}"),
        }
    }
}

impl super::Client for Client {
    fn frame(&mut self, frame: &Frame<'_>) {
        let message = Json::read(frame.bytes);
        if let Some(event) = message.find("event") {
            assert!(["info", "subscribed", "unsubscribed"].contains(&event.text()));
            self.counts.control += 1;
            return;
        }
        let feed = message.get("feed").text();
        if feed == "heartbeat" {
            assert_eq!(frame.channel, Channel::Heartbeat);
            self.counts.heartbeats += 1;
            return;
        }
        assert_eq!(message.get("product_id").text(), self.code);
        self.feed(feed, &message);
    }

    fn is_whole(&self) -> bool {
        self.seq.is_some()
    }

    fn compare(&self, truth: &Truth, orders: Option<&TrueOrders>) {
        assert_eq!((Some(truth.seq), orders.is_none()), (self.seq, true));
        let told =
            |side: &[(i64, i64)], sign: i64| side.iter().map(|level| (sign * level.0, level.1)).collect();
        let truth: [Side; 2] = [told(&truth.bids, -1), told(&truth.asks, 1)];
        assert_eq!(self.sides, truth);
    }

    fn counts(&self) -> Counts {
        self.counts
    }
}

//! A plain subscriber of Lighter: updates by the nonce of the one before, or by their offsets.

use depthwire_sim::dialects::{Channel, Counts, Frame, TrueOrders, Truth};

use super::Side;
use super::json::{Json, mantissa};

pub struct Client {
    exponents: (i8, i8),
    sides: [Side; 2],
    /// Nonce and offset of the last message of the book.
    at: Option<(u64, u64)>,
    trade_id: u64,
    counts: Counts,
}

impl Client {
    pub fn new(exponents: (i8, i8)) -> Self {
        Self {
            exponents,
            sides: [Side::new(), Side::new()],
            at: None,
            trade_id: 0,
            counts: Counts::default(),
        }
    }

    fn set(&mut self, book: &Json<'_>) {
        for (side, key) in [(0, "bids"), (1, "asks")] {
            for level in book.get(key).list() {
                let price = mantissa(level.get("price").text(), self.exponents.0);
                let qty = mantissa(level.get("size").text(), self.exponents.1);
                let key = if side == 0 { -price } else { price };
                if qty == 0 {
                    self.sides[side].remove(&key);
                } else {
                    self.sides[side].insert(key, qty);
                }
                self.counts.levels += 1;
            }
        }
    }

    fn book(&mut self, message: &Json<'_>, is_first: bool) {
        let book = message.get("order_book");
        let (nonce, offset) = (book.get("nonce").integer(), book.get("offset").integer());
        assert_eq!(message.get("offset").integer(), offset);
        if is_first {
            self.sides.iter_mut().for_each(Side::clear);
            self.counts.snapshots += 1;
        } else {
            let (last_nonce, last_offset) = self.at.unwrap();
            match book.find("begin_nonce") {
                Some(begin) => {
                    assert_eq!(begin.integer(), last_nonce);
                    self.counts.updates += 1;
                }
                None if offset == last_offset => {
                    let before = self.sides.clone();
                    self.set(book);
                    assert_eq!(self.sides, before, "what is told again is known");
                    self.counts.control += 1;
                    return;
                }
                None => {
                    assert_eq!(offset, last_offset + 1);
                    self.counts.updates += 1;
                }
            }
        }
        self.set(book);
        self.at = Some((nonce, offset));
    }
}

impl super::Client for Client {
    fn frame(&mut self, frame: &Frame<'_>) {
        let message = Json::read(frame.bytes);
        let kind = message.get("type").text();
        match kind.split_once('/') {
            Some((when, "order_book")) => {
                assert!(message.get("channel").text().starts_with("order_book:"));
                self.book(&message, when == "subscribed");
            }
            Some(("subscribed", "trade")) | Some((_, "market_stats")) | None if kind != "ping" => {
                self.counts.control += 1;
            }
            Some((_, "trade")) => {
                for trade in message.get("trades").list().iter().rev() {
                    let id = trade.get("trade_id").integer();
                    assert!(id > self.trade_id);
                    self.trade_id = id;
                    self.counts.trades += 1;
                }
            }
            Some((_, "ticker")) => self.counts.tickers += 1,
            _ => {
                assert_eq!(frame.channel, Channel::Heartbeat);
                self.counts.heartbeats += 1;
            }
        }
    }

    fn is_whole(&self) -> bool {
        self.at.is_some()
    }

    fn compare(&self, truth: &Truth, orders: Option<&TrueOrders>) {
        assert!(orders.is_none());
        for (side, levels, sign) in [(0, &truth.bids, -1), (1, &truth.asks, 1)] {
            assert!(self.sides[side].iter().map(|(key, qty)| (key * sign, *qty)).eq(levels.iter().copied()));
        }
        let (nonce, offset) = self.at.unwrap();
        assert!(truth.seq == nonce || truth.seq == offset);
    }

    fn counts(&self) -> Counts {
        self.counts
    }
}

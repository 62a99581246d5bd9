//! A plain subscriber of Coinbase Advanced Trade.

use depthwire_sim::dialects::{Channel, Counts, Frame, TrueOrders, Truth};

use super::Side;
use super::json::{Json, mantissa};

pub struct Client {
    code: String,
    exponents: (i8, i8),
    /// The next message's number; `None` on a new connection.
    due: Option<u64>,
    /// Bids and offers, by a key that rises away from the best.
    sides: [Side; 2],
    is_whole: bool,
    trade_id: u64,
    untimed: u64,
    of_others: u64,
    counts: Counts,
}

impl Client {
    pub fn new(code: &str, exponents: (i8, i8)) -> Self {
        Self {
            code: code.to_owned(),
            exponents,
            due: None,
            sides: [Side::new(), Side::new()],
            is_whole: false,
            trade_id: 0,
            untimed: 0,
            of_others: 0,
            counts: Counts::default(),
        }
    }

    fn l2_event(&mut self, event: &Json<'_>) {
        assert_eq!(event.keys(), ["type", "product_id", "updates"]);
        assert_eq!(event.get("product_id").text(), self.code);
        match event.get("type").text() {
            "snapshot" => {
                self.sides.iter_mut().for_each(Side::clear);
                self.is_whole = true;
                self.counts.snapshots += 1;
            }
            kind => {
                assert!(kind == "update" && self.is_whole, "a snapshot comes first");
                self.counts.updates += 1;
            }
        }
        let updates = event.get("updates").list();
        for update in updates {
            assert_eq!(update.keys(), ["side", "event_time", "price_level", "new_quantity"]);
            let price = mantissa(update.get("price_level").text(), self.exponents.0);
            let qty = mantissa(update.get("new_quantity").text(), self.exponents.1);
            let (side, key) = match update.get("side").text() {
                "bid" => (0, -price),
                side => {
                    assert_eq!(side, "offer");
                    (1, price)
                }
            };
            if qty == 0 {
                self.sides[side].remove(&key);
            } else {
                self.sides[side].insert(key, qty);
            }
            self.untimed += u64::from(!update.get("event_time").text().starts_with("2026-"));
        }
        self.counts.levels += updates.len() as u64;
    }

    fn trades(&mut self, event: &Json<'_>) {
        let ids = event.get("trades").list().iter().map(|trade| {
            assert_eq!(trade.get("product_id").text(), self.code);
            assert!(mantissa(trade.get("size").text(), self.exponents.1) > 0);
            assert!(["BUY", "SELL"].contains(&trade.get("side").text()));
            trade.get("trade_id").text().parse::<u64>().unwrap()
        });
        let ids: Vec<_> = ids.collect();
        assert!(ids.is_sorted_by(|one, next| one > next), "the newest first");
        if event.get("type").text() == "update" {
            assert!(*ids.last().unwrap() > self.trade_id);
        }
        self.trade_id = ids.first().copied().unwrap_or(self.trade_id);
        self.counts.trades += ids.len() as u64;
    }

    fn tickers(&mut self, event: &Json<'_>) {
        for ticker in event.get("tickers").list() {
            if ticker.get("product_id").text() != self.code {
                self.of_others += 1;
                continue;
            }
            let price = |key| mantissa(ticker.get(key).text(), self.exponents.0);
            let (bid, ask) = (price("best_bid"), price("best_ask"));
            assert!(bid < ask || ask == 0);
            self.counts.tickers += 1;
        }
    }
}

impl super::Client for Client {
    fn frame(&mut self, frame: &Frame<'_>) {
        let message = Json::read(frame.bytes);
        assert_eq!(message.keys(), ["channel", "timestamp", "sequence_num", "events"]);
        let number = message.get("sequence_num").integer();
        assert_eq!(number, self.due.unwrap_or(0), "all messages are counted");
        self.due = Some(number + 1);
        for event in message.get("events").list() {
            match message.get("channel").text() {
                "l2_data" => self.l2_event(event),
                "market_trades" => self.trades(event),
                "ticker" => self.tickers(event),
                "status" => {
                    let products = event.get("products").list();
                    let own = products.iter().find(|product| product.get("id").text() == self.code).unwrap();
                    assert_eq!(mantissa(own.get("quote_increment").text(), self.exponents.0), 1);
                    assert_eq!(mantissa(own.get("base_increment").text(), self.exponents.1), 1);
                    self.counts.definitions += 1;
                }
                "heartbeats" => self.counts.heartbeats += 1,
                channel => {
                    assert!(
                        ["subscriptions", "candles"].contains(&channel) && frame.channel == Channel::Control
                    );
                    self.counts.control += 1;
                }
            }
        }
    }

    fn reconnected(&mut self) {
        self.due = None;
        self.is_whole = false;
    }

    fn is_whole(&self) -> bool {
        self.is_whole
    }

    fn compare(&self, truth: &Truth, orders: Option<&TrueOrders>) {
        assert!(orders.is_none());
        assert_eq!(truth.seq, 0, "numbers are those of a connection");
        for (side, levels, sign) in [(0, &truth.bids, -1), (1, &truth.asks, 1)] {
            let own = self.sides[side].iter().map(|(key, qty)| (key * sign, *qty));
            assert!(own.eq(levels.iter().copied()), "side {side}");
        }
    }

    fn counts(&self) -> Counts {
        self.counts
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if !std::thread::panicking() && self.counts.updates > 1_000 {
            assert!(self.untimed > 0 && self.of_others > 0);
        }
    }
}

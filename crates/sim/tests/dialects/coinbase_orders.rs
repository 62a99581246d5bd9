//! A plain subscriber of Coinbase Exchange's `full`.

use std::collections::{BTreeMap, HashMap, HashSet};

use depthwire_sim::dialects::{Channel, Counts, Frame, TrueOrders, Truth, coinbase_order_id};

use super::json::{Json, mantissa};

/// Name and quantity of an order.
type Queue = Vec<(String, i64)>;

pub struct Client {
    code: String,
    exponents: (i8, i8),
    /// Bids and asks, by a key that rises away from the best.
    sides: [BTreeMap<i64, Queue>; 2],
    /// Sides and keys of the orders' levels.
    places: HashMap<String, (usize, i64)>,
    received: HashSet<String>,
    number: Option<u64>,
    /// Whether the book was asked for and is followed.
    is_whole: bool,
    waiting: Vec<(u64, Vec<u8>)>,
    trade_id: u64,
    /// Messages of each type.
    types: HashMap<String, u64>,
    /// Orders that were done and never rested, changes of orders that do not rest, orders that were moved.
    rare: [u64; 3],
    counts: Counts,
}

impl Client {
    pub fn new(code: &str, exponents: (i8, i8)) -> Self {
        Self {
            code: code.to_owned(),
            exponents,
            sides: [BTreeMap::new(), BTreeMap::new()],
            places: HashMap::new(),
            received: HashSet::new(),
            number: None,
            is_whole: false,
            waiting: Vec::new(),
            trade_id: 0,
            types: HashMap::new(),
            rare: [0; 3],
            counts: Counts::default(),
        }
    }

    fn price(&self, text: &str) -> i64 {
        mantissa(text, self.exponents.0)
    }

    fn qty(&self, text: &str) -> i64 {
        mantissa(text, self.exponents.1)
    }

    fn add(&mut self, id: &str, side: usize, price: i64, qty: i64) {
        assert!(qty > 0);
        let key = if side == 0 { -price } else { price };
        assert!(self.places.insert(id.to_owned(), (side, key)).is_none(), "{id} rests already");
        self.sides[side].entry(key).or_default().push((id.to_owned(), qty));
    }

    /// Changes what is left of an order; 0 removes.
    fn set(&mut self, id: &str, change: impl Fn(i64) -> i64) {
        let (side, key) = self.places[id];
        let queue = self.sides[side].get_mut(&key).unwrap();
        let at = queue.iter().position(|order| order.0 == id).unwrap();
        queue[at].1 = change(queue[at].1);
        assert!(queue[at].1 >= 0);
        if queue[at].1 == 0 {
            queue.remove(at);
            if queue.is_empty() {
                self.sides[side].remove(&key);
            }
            self.places.remove(id);
        }
    }

    fn apply(&mut self, message: &Json<'_>) {
        let id = |key| message.get(key).text();
        let side = usize::from(message.get("side").text() == "sell");
        match message.get("type").text() {
            "received" => drop(self.received.insert(id("order_id").to_owned())),
            "open" => {
                let price = self.price(message.get("price").text());
                self.add(id("order_id"), side, price, self.qty(message.get("remaining_size").text()));
            }
            "match" => {
                let (maker, qty) = (id("maker_order_id"), self.qty(message.get("size").text()));
                let price = self.price(message.get("price").text());
                assert_eq!(self.places[maker], (side, if side == 0 { -price } else { price }));
                self.set(maker, |left| left - qty);
            }
            "change" => {
                let id = id("order_id");
                let Some(&(_, key)) = self.places.get(id) else {
                    self.rare[1] += 1;
                    return;
                };
                let price = message.find("new_price").unwrap_or_else(|| message.get("price")).text();
                let (price, qty) = (self.price(price), self.qty(message.get("new_size").text()));
                if price == key.abs() {
                    self.set(id, |_| qty);
                } else {
                    self.set(id, |_| 0);
                    self.add(id, side, price, qty);
                    self.rare[2] += 1;
                }
            }
            "done" => {
                let id = id("order_id");
                if self.places.contains_key(id) {
                    self.set(id, |_| 0);
                } else {
                    self.rare[0] += u64::from(self.received.contains(id));
                }
            }
            kind => assert_eq!(kind, "activate"),
        }
    }

    /// A message of `full`.
    fn full(&mut self, message: &Json<'_>, bytes: &[u8]) {
        let number = message.get("sequence").integer();
        if let Some(last) = self.number {
            assert_eq!(number, last + 1, "all messages of a product are counted");
        }
        self.number = Some(number);
        self.counts.updates += 1;
        let kind = message.get("type").text();
        if kind == "match" {
            let trade = message.get("trade_id").integer();
            assert!(trade > self.trade_id);
            self.trade_id = trade;
            self.counts.trades += 1;
        }
        *self.types.entry(kind.to_owned()).or_default() += 1;
        self.counts.orders += u64::from(matches!(kind, "open" | "match"));
        if self.is_whole {
            self.apply(message);
        } else {
            self.waiting.push((number, bytes.to_vec()));
        }
    }
}

impl super::Client for Client {
    fn frame(&mut self, frame: &Frame<'_>) {
        let message = Json::read(frame.bytes);
        match message.get("type").text() {
            "subscriptions" => self.counts.control += 1,
            "status" => self.counts.definitions += 1,
            kind => {
                assert_eq!(message.get("product_id").text(), self.code);
                match kind {
                    "heartbeat" => {
                        assert_eq!(frame.channel, Channel::Heartbeat);
                        let number = message.get("sequence").integer();
                        assert!(self.number.is_none_or(|last| last == number));
                        self.counts.heartbeats += 1;
                    }
                    "ticker" => self.counts.tickers += 1,
                    _ => self.full(&message, frame.bytes),
                }
            }
        }
    }

    fn answer(&mut self, bytes: &[u8]) {
        let answer = Json::read(bytes);
        let number = answer.get("sequence").integer();
        self.sides.iter_mut().for_each(BTreeMap::clear);
        self.places.clear();
        for (side, key) in ["bids", "asks"].into_iter().enumerate() {
            for order in answer.get(key).list() {
                let [price, qty, id] = order.list() else { panic!("{order:?}") };
                let (price, qty) = (self.price(price.text()), self.qty(qty.text()));
                self.add(id.text(), side, price, qty);
                self.counts.orders += 1;
            }
        }
        self.counts.snapshots += 1;
        let waiting = std::mem::take(&mut self.waiting);
        assert!(waiting.first().is_none_or(|first| first.0 <= number + 1), "the first must be the next");
        for (_, bytes) in waiting.iter().filter(|(waits, _)| *waits > number) {
            self.apply(&Json::read(bytes));
        }
        self.is_whole = true;
    }

    fn reconnected(&mut self) {
        (self.number, self.is_whole) = (None, false);
        self.waiting.clear();
        self.received.clear();
    }

    fn is_whole(&self) -> bool {
        self.is_whole
    }

    fn compare(&self, truth: &Truth, orders: Option<&TrueOrders>) {
        assert_eq!(self.number, Some(truth.seq));
        let orders = orders.unwrap();
        for (side, levels, orders) in [(0, &truth.bids, &orders.bids), (1, &truth.asks, &orders.asks)] {
            let sums = self.sides[side].iter();
            let sums = sums.map(|(key, queue)| (key.abs(), queue.iter().map(|order| order.1).sum::<i64>()));
            assert!(sums.eq(levels.iter().copied()), "side {side}");
            let own = self.sides[side].iter();
            let own =
                own.flat_map(|(key, queue)| queue.iter().map(|(id, qty)| (id.as_bytes(), key.abs(), *qty)));
            // Writing all names each time would take most of the test's time.
            let named = if self.counts.updates.is_multiple_of(50) { usize::MAX } else { 20 };
            let mut name = Vec::new();
            assert_eq!(own.clone().count(), orders.len());
            for (at, ((id, price, qty), order)) in own.zip(orders).enumerate() {
                assert_eq!((price, qty), (order.price, order.qty), "order {at} of side {side}");
                if at < named {
                    name.clear();
                    coinbase_order_id(order.id, &mut name);
                    assert_eq!(id, name, "order {at} of side {side}");
                }
            }
        }
    }

    fn counts(&self) -> Counts {
        self.counts
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if !std::thread::panicking() && self.counts.updates > 1_000 {
            assert_eq!(self.types.len(), 6, "{:?}", self.types);
            assert!(self.types.values().all(|&count| count > 5), "{:?}", self.types);
            assert!(self.rare.iter().all(|&count| count > 0), "{:?}", self.rare);
        }
    }
}

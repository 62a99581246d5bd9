//! A plain subscriber of Kraken's `level3`.

use std::collections::{BTreeMap, HashMap};

use depthwire_sim::dialects::{Counts, Frame, TrueOrders, Truth, kraken_order_id};

use super::json::{Json, checked_digits, crc32, mantissa};

/// Name and quantity of an order.
type Queue = Vec<(String, i64)>;

pub struct Client {
    code: String,
    exponents: (i8, i8),
    depth: usize,
    /// Bids and asks, by a key that rises away from the best.
    sides: [BTreeMap<i64, Queue>; 2],
    /// Keys of the orders' levels.
    keys: [HashMap<String, i64>; 2],
    is_whole: bool,
    /// Adds, modifies that move, other modifies, deletes.
    events: [u64; 4],
    counts: Counts,
}

impl Client {
    pub fn new(code: &str, exponents: (i8, i8), depth: usize) -> Self {
        Self {
            code: code.to_owned(),
            exponents,
            depth,
            sides: [BTreeMap::new(), BTreeMap::new()],
            keys: [HashMap::new(), HashMap::new()],
            is_whole: false,
            events: [0; 4],
            counts: Counts::default(),
        }
    }

    fn remove(&mut self, side: usize, id: &str) -> (i64, i64) {
        let levels = &mut self.sides[side];
        let key = self.keys[side].remove(id).unwrap_or_else(|| panic!("{id} does not stand"));
        let queue = levels.get_mut(&key).unwrap();
        let at = queue.iter().position(|order| order.0 == id).unwrap();
        let (_, qty) = queue.remove(at);
        if queue.is_empty() {
            levels.remove(&key);
        }
        (key, qty)
    }

    fn event(&mut self, side: usize, order: &Json<'_>, is_snapshot: bool) {
        let id = order.get("order_id").text();
        let price = mantissa(order.get("limit_price").number(), self.exponents.0);
        let qty = mantissa(order.get("order_qty").number(), self.exponents.1);
        let key = if side == 0 { -price } else { price };
        match order.find("event").map_or("add", Json::text) {
            "add" => {
                assert!(qty > 0);
                assert!(self.keys[side].insert(id.to_owned(), key).is_none(), "{id} stands already");
                self.sides[side].entry(key).or_default().push((id.to_owned(), qty));
                self.events[0] += 1;
            }
            "modify" => {
                let queue = self.sides[side].get_mut(&key);
                match queue.and_then(|queue| queue.iter_mut().find(|order| order.0 == id)) {
                    Some(order) => {
                        assert!(qty < order.1, "to less");
                        order.1 = qty;
                        self.events[2] += 1;
                    }
                    None => {
                        self.remove(side, id);
                        self.keys[side].insert(id.to_owned(), key);
                        self.sides[side].entry(key).or_default().push((id.to_owned(), qty));
                        self.events[1] += 1;
                    }
                }
            }
            "delete" => {
                assert_eq!(self.remove(side, id).0, key);
                self.events[3] += 1;
            }
            event => panic!("unknown event {event}"),
        }
        assert_eq!(order.find("event").is_none(), is_snapshot);
        self.counts.orders += 1;
    }

    /// A decimal with all the pair's digits, without its point and its leading zeros.
    fn digits(mantissa: i64, exponent: i8) -> String {
        let places = usize::from(exponent.unsigned_abs());
        let text = format!("{mantissa:0>width$}", width = places + 1);
        let (whole, fraction) = text.split_at(text.len() - places);
        checked_digits(&format!("{whole}.{fraction}"))
    }

    fn checksum(&self) -> u32 {
        let mut text = String::new();
        for side in [1, 0] {
            for (key, queue) in self.sides[side].iter().take(10) {
                for (_, qty) in queue {
                    text += &Self::digits(key.abs(), self.exponents.0);
                    text += &Self::digits(*qty, self.exponents.1);
                }
            }
        }
        crc32(text.as_bytes())
    }

    fn level3(&mut self, is_snapshot: bool, data: &Json<'_>) {
        assert_eq!(data.get("symbol").text(), self.code);
        if is_snapshot {
            self.sides.iter_mut().for_each(BTreeMap::clear);
            self.keys.iter_mut().for_each(HashMap::clear);
            self.is_whole = true;
            self.counts.snapshots += 1;
        } else {
            self.counts.updates += 1;
        }
        for (side, key) in ["bids", "asks"].into_iter().enumerate() {
            for order in data.get(key).list() {
                self.event(side, order, is_snapshot);
            }
        }
        for (side, keys) in self.sides.iter_mut().zip(&mut self.keys) {
            while side.len() > self.depth {
                for (id, _) in side.pop_last().unwrap().1 {
                    keys.remove(&id);
                }
            }
        }
        assert_eq!(u64::from(self.checksum()), data.get("checksum").integer());
        self.counts.checksums += 1;
    }
}

impl super::Client for Client {
    fn frame(&mut self, frame: &Frame<'_>) {
        let message = Json::read(frame.bytes);
        if message.find("method").is_some() {
            self.counts.control += 1;
            return;
        }
        match message.get("channel").text() {
            "status" => self.counts.control += 1,
            "heartbeat" => self.counts.heartbeats += 1,
            "instrument" => self.counts.definitions += 1,
            "trade" => self.counts.trades += message.get("data").list().len() as u64,
            "level3" => self.level3(message.get("type").text() == "snapshot", &message.get("data").list()[0]),
            channel => panic!("unknown channel {channel}"),
        }
    }

    fn is_whole(&self) -> bool {
        self.is_whole
    }

    fn compare(&self, truth: &Truth, orders: Option<&TrueOrders>) {
        let orders = orders.unwrap();
        for (side, levels, orders, sign) in
            [(0, &truth.bids, &orders.bids, -1), (1, &truth.asks, &orders.asks, 1)]
        {
            let own = self.sides[side].iter();
            let own = own.map(|(key, queue)| (key * sign, queue.iter().map(|order| order.1).sum::<i64>()));
            assert!(own.eq(levels.iter().copied()), "levels of side {side}");
            let own = self.sides[side].iter().flat_map(|(key, queue)| {
                queue.iter().map(move |(id, qty)| (id.as_bytes(), key * sign, *qty))
            });
            assert_eq!(own.clone().count(), orders.len());
            // Writing all names each time would take most of the test's time.
            let named = if self.counts.updates.is_multiple_of(50) { usize::MAX } else { 50 };
            let mut name = Vec::new();
            for (at, ((id, price, qty), order)) in own.zip(orders).enumerate() {
                assert_eq!((price, qty), (order.price, order.qty), "order {at} of side {side}");
                if at < named {
                    name.clear();
                    kraken_order_id(order.id, &mut name);
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
        if !std::thread::panicking() && self.counts.updates > 2_000 {
            assert!(self.events.iter().all(|&count| count > 5), "{:?}", self.events);
        }
    }
}

//! A plain subscriber of Bitstamp's orders: what it has heard is said to the book once more, whatever the book holds.

use std::collections::{BTreeMap, HashMap};

use depthwire_sim::dialects::{Counts, Frame, TrueOrder, TrueOrders, Truth};

use super::json::{Json, mantissa};

/// An event: an order's number, and where it rests with how much; none where it is gone.
type Event = (u64, Option<(usize, i64, i64)>);

pub struct Client {
    code: String,
    exponents: (i8, i8),
    /// Bids and asks, by a key that rises away from the best and the order's number, which is the place in its queue.
    sides: [BTreeMap<(i64, u64), i64>; 2],
    places: HashMap<u64, (usize, i64)>,
    /// Text, time in ns and place of the last event.
    last: Option<(String, u64, u64)>,
    is_whole: bool,
    waiting: Vec<Event>,
    trade_id: u64,
    /// Events of each name, takers, orders that a book did not hold yet.
    names: HashMap<String, u64>,
    takers: u64,
    late: u64,
    counts: Counts,
}

impl Client {
    pub fn new(code: &str, exponents: (i8, i8)) -> Self {
        Self {
            code: code.to_owned(),
            exponents,
            sides: [BTreeMap::new(), BTreeMap::new()],
            places: HashMap::new(),
            last: None,
            is_whole: false,
            waiting: Vec::new(),
            trade_id: 0,
            names: HashMap::new(),
            takers: 0,
            late: 0,
            counts: Counts::default(),
        }
    }

    /// Whether anything was there before or is now.
    fn say(&mut self, (id, rests): Event) -> (bool, bool) {
        let before = self.places.remove(&id).map(|(side, key)| self.sides[side].remove(&(key, id)));
        if let Some((side, price, qty)) = rests {
            let key = if side == 0 { -price } else { price };
            self.places.insert(id, (side, key));
            self.sides[side].insert((key, id), qty);
        }
        (before.is_some(), rests.is_some())
    }

    fn event(&mut self, message: &Json<'_>, name: &str) {
        let data = message.get("data");
        let us: u64 = data.get("microtimestamp").text().parse().unwrap();
        let id = message.get("event_id").text();
        let nth = match &self.last {
            Some((last, at, nth)) => {
                assert_eq!(message.get("pre_event_id").text(), last, "events are linked");
                if *at == us * 1_000 { nth + 1 } else { 0 }
            }
            None => u64::from_str_radix(&id[19..23], 16).unwrap(),
        };
        let hex = format!("{us:016x}");
        assert_eq!(id, format!("{}-{}-{}-{nth:04x}-000102000020", &hex[..8], &hex[8..12], &hex[12..]));
        self.last = Some((id.to_owned(), us * 1_000, nth));
        let number = |text: &str, number: &str, exponent| {
            let exact = mantissa(data.get(text).text(), exponent);
            assert_eq!(exact, mantissa(data.get(number).number(), exponent));
            exact
        };
        let order = data.get("id").integer();
        assert_eq!(data.get("id_str").text(), order.to_string());
        let price = number("price_str", "price", self.exponents.0);
        let qty = number("amount_str", "amount", self.exponents.1);
        let is_taker = data.get("order_subtype").integer() == 4;
        self.takers += u64::from(is_taker);
        *self.names.entry(name.to_owned()).or_default() += 1;
        (self.counts.updates, self.counts.orders) = (self.counts.updates + 1, self.counts.orders + 1);
        let rests =
            (name != "order_deleted").then_some((data.get("order_type").integer() as usize, price, qty));
        if self.is_whole {
            let was = name != "order_created";
            assert_eq!(self.say((order, rests)), (was, rests.is_some()), "{name} {order}");
        } else {
            self.waiting.push((order, rests));
        }
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
                let id = message.get("data").get("id").integer();
                assert!(id > self.trade_id);
                self.trade_id = id;
                self.counts.trades += 1;
            }
            name => {
                assert_eq!(channel, format!("live_orders_{}", self.code));
                self.event(&message, name);
            }
        }
    }

    fn answer(&mut self, answer: &[u8]) {
        let answer = Json::read(answer);
        self.sides.iter_mut().for_each(BTreeMap::clear);
        self.places.clear();
        for (side, name) in ["bids", "asks"].into_iter().enumerate() {
            for order in answer.get(name).list() {
                let [price, qty, id] = order.list() else { panic!("{order:?}") };
                let price = mantissa(price.text(), self.exponents.0);
                let qty = mantissa(qty.text(), self.exponents.1);
                self.say((id.text().parse().unwrap(), Some((side, price, qty))));
                self.counts.orders += 1;
            }
        }
        self.counts.snapshots += 1;
        for event in std::mem::take(&mut self.waiting) {
            let (was, is) = self.say(event);
            self.late += u64::from(was != is);
        }
        self.is_whole = true;
    }

    fn reconnected(&mut self) {
        (self.last, self.is_whole) = (None, false);
        self.waiting.clear();
    }

    fn is_whole(&self) -> bool {
        self.is_whole
    }

    fn compare(&self, truth: &Truth, orders: Option<&TrueOrders>) {
        let number = self.last.as_ref().map(|(_, at, nth)| at + 2 * nth);
        assert_eq!(number, Some(truth.seq));
        let orders = orders.unwrap();
        for (side, levels, orders) in [(0, &truth.bids, &orders.bids), (1, &truth.asks, &orders.asks)] {
            let own = self.sides[side].iter();
            let own = own.map(|(&(key, id), &qty)| TrueOrder { id, price: key.abs(), qty });
            assert!(own.eq(orders.iter().copied()), "side {side}");
            let mut sums: Vec<(i64, i64)> = Vec::new();
            for (&(key, _), qty) in &self.sides[side] {
                match sums.last_mut() {
                    Some(level) if level.0 == key.abs() => level.1 += qty,
                    _ => sums.push((key.abs(), *qty)),
                }
            }
            assert_eq!(sums, *levels, "side {side}");
        }
    }

    fn counts(&self) -> Counts {
        self.counts
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if !std::thread::panicking() && self.counts.updates > 1_000 {
            assert_eq!(self.names.len(), 3, "{:?}", self.names);
            assert!(self.takers > 5 && self.late > 0, "{} {}", self.takers, self.late);
        }
    }
}

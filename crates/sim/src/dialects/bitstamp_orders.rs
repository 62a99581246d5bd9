//! Bitstamp, version 2 of its WebSocket, order by order: `live_orders` and `live_trades` of one pair, and its book of orders over HTTP.
//!
//! Source: bitstamp.net/websocket/v2, "Live orders"; bitstamp.net/api, "Order book" with `group=2`; recorded frames decide the rest:
//! 1. Each event names itself and the one before. An id is the event's time in microseconds, its place among those of that time, and what
//!    does not change from one to the next.
//! 2. Events of one moment have one time, in whole milliseconds.
//! 3. A taker's order is told, too: created, and deleted in the same moment with nothing left, before the changes of what it met.
//! 4. An order that goes to another price is another order.
//! 5. The book over HTTP has a time of another clock, and is behind the events by some milliseconds. Best price first, in each level
//!    first in the queue first.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::bitstamp::{acknowledge, heartbeat, time_of, trade_of};
use super::clock::{Clock, moment_ns};
use super::text::{decimal, integer, shortest};
use super::{Channel, Counts, Dialect, Frames, TrueOrder, TrueOrders, Truth};
use crate::curve::Curve;
use crate::market::Trade;
use crate::market::book::{Change, ChangeKind, Side};
use crate::market::exchange::Exchange;
use crate::market::instrument::Profile;

/// The number of the first order.
const FIRST_ID: u64 = 2_043_024_875_446_273;

/// From one answer to the client's question whether the venue lives to the next.
const HEARTBEAT_MS: u64 = 20_000;

/// How far the book over HTTP is behind.
const BEHIND_NS: u64 = 20_000_000;

static BTC_USD: Profile = Profile {
    symbol: "btcusd",
    price_exponent: -2,
    qty_exponent: -8,
    reference_price: 7_870_359,
    actions_per_s: 90,
    fair_step: 40 * 256,
    shape: Curve(&[(0, 0), (16, 600), (128, 4_000), (512, 15_000), (1_024, 45_000), (2_000, 300_000)]),
    levels: 160,
    join_weight: 24,
    qty_quarters: 4_321,
    update_id: 0,
    trade_id: 412_345_678,
};

/// A side by keys that rise away from the best: the orders of a level by their number, which is that of their queue.
type Orders = BTreeMap<i64, BTreeMap<u64, i64>>;

/// An order as an event tells it.
#[derive(Clone, Copy, Debug)]
struct Order {
    id: u64,
    side: Side,
    price: i64,
    left: i64,
}

/// An event that is to be told. What is left of its order in the book is 0 where it is deleted.
#[derive(Clone, Copy, Debug)]
struct Event {
    time_ns: u64,
    name: &'static str,
    order: Order,
    rests: i64,
    traded: i64,
    is_taker: bool,
}

/// One pair on one connection.
#[derive(Clone, Debug)]
pub struct BitstampOrders {
    exchange: Exchange,
    clock: Clock,
    /// By the market's numbers: the venue's number of an order, and how it rests.
    resting: HashMap<u64, Order>,
    next_id: u64,
    waiting: VecDeque<Event>,
    trades: VecDeque<(u64, Trade)>,
    told: [Orders; 2],
    /// The book over HTTP, and what it does not hold yet.
    image: [Orders; 2],
    behind: VecDeque<(u64, Order)>,
    /// Time in ns and place of the last event and of the one before.
    last: (u64, u64),
    next_heartbeat_ms: u64,
    counts: Counts,
}

/// An order rests with so much; with 0 it does not.
fn put(sides: &mut [Orders; 2], order: Order, rests: i64) {
    let (levels, key) = (&mut sides[order.side as usize], order.side.key(order.price));
    let queue = levels.entry(key).or_default();
    if rests == 0 {
        queue.remove(&order.id);
    } else {
        queue.insert(order.id, rests);
    }
    if queue.is_empty() {
        levels.remove(&key);
    }
}

impl BitstampOrders {
    /// A market before its first connection.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let exchange = Exchange::new(&BTC_USD, seed, 5_100).drowsy();
        let mut own = Self {
            exchange,
            clock: Clock::default(),
            resting: HashMap::new(),
            next_id: FIRST_ID,
            waiting: VecDeque::new(),
            trades: VecDeque::new(),
            told: Default::default(),
            image: Default::default(),
            behind: VecDeque::new(),
            last: (1_785_552_832_000_000_000, 0),
            next_heartbeat_ms: 0,
            counts: Counts::default(),
        };
        for side in [Side::Bid, Side::Ask] {
            for (price, number, left) in own.exchange.book().orders(side) {
                let order = Order { id: own.next_id, side, price, left };
                own.next_id += 131;
                own.resting.insert(number, order);
                put(&mut own.told, order, left);
                put(&mut own.image, order, left);
            }
        }
        own
    }

    fn id(&mut self) -> u64 {
        self.next_id += 131;
        self.next_id
    }

    fn say(&mut self, time_ns: u64, name: &'static str, order: Order, traded: i64) {
        let rests = if name == "deleted" { 0 } else { order.left };
        self.waiting.push_back(Event { time_ns, name, order, rests, traded, is_taker: false });
    }

    /// One millisecond of market, as events.
    fn live(&mut self, time_ns: u64) {
        self.exchange.live();
        let (changes, trades) = (self.exchange.changes().to_vec(), self.exchange.trades().to_vec());
        let (mut trades, mut met) = (trades.iter().peekable(), Vec::new());
        for change in &changes {
            let before = self.resting.get(&change.order_id).copied();
            let is_fill = |trade: &&&Trade| {
                let maker = if trade.buyer_is_maker { Side::Bid } else { Side::Ask };
                let left = before.map(|order| order.left - change.order_qty);
                let is_less = matches!(change.kind, ChangeKind::Reduced | ChangeKind::Removed);
                is_less && maker == change.side && trade.price == change.price && left == Some(trade.qty)
            };
            if let Some(trade) = trades.next_if(|trade| is_fill(&trade)) {
                if met.last().is_some_and(|(other, _): &(Change, Trade)| other.side != change.side) {
                    self.take(&met, time_ns);
                    met.clear();
                }
                met.push((*change, *trade));
            } else {
                self.take(&met, time_ns);
                met.clear();
                self.change(change, before, time_ns);
            }
        }
        self.take(&met, time_ns);
    }

    /// Rule 3: a taker's order and those that it met.
    fn take(&mut self, met: &[(Change, Trade)], time_ns: u64) {
        let Some((worst, _)) = met.last() else { return };
        let (side, traded) = (worst.side.other(), met.iter().map(|(_, trade)| trade.qty).sum());
        let taker = Order { id: self.id(), side, price: worst.price, left: traded };
        let event =
            Event { time_ns, name: "created", order: taker, rests: traded, traded: 0, is_taker: true };
        self.waiting.push_back(event);
        let gone = Order { left: 0, ..taker };
        self.waiting.push_back(Event { name: "deleted", order: gone, rests: 0, traded, ..event });
        for (change, trade) in met {
            let Some(mut order) = self.resting.remove(&change.order_id) else { continue };
            order.left = change.order_qty;
            if order.left == 0 {
                self.say(time_ns, "deleted", order, trade.qty);
            } else {
                self.resting.insert(change.order_id, order);
                self.say(time_ns, "changed", order, trade.qty);
            }
            self.trades.push_back((time_ns, *trade));
        }
    }

    fn change(&mut self, change: &Change, before: Option<Order>, time_ns: u64) {
        let Change { side, price, order_id: number, order_qty: left, .. } = *change;
        match (before, change.kind) {
            (Some(before), ChangeKind::Removed) => {
                self.resting.remove(&number);
                self.say(time_ns, "deleted", before, 0);
            }
            (Some(before), ChangeKind::Reduced) => {
                let order = Order { left, ..before };
                self.resting.insert(number, order);
                self.say(time_ns, "changed", order, 0);
            }
            // Rule 4.
            (before, _) => {
                if let Some(before) = before {
                    self.say(time_ns, "deleted", before, 0);
                }
                let order = Order { id: self.id(), side, price, left };
                self.resting.insert(number, order);
                self.say(time_ns, "created", order, 0);
            }
        }
    }

    /// An event has come about: its time and place follow the last one's.
    fn happen(&mut self, event: &Event) {
        // Rule 2.
        let time_ns = event.time_ns / 1_000_000 * 1_000_000;
        self.last = if time_ns == self.last.0 { (time_ns, self.last.1 + 1) } else { (time_ns, 0) };
        put(&mut self.told, event.order, event.rests);
        self.behind.push_back((event.time_ns, Order { left: event.rests, ..event.order }));
        while self.behind.front().is_some_and(|(time_ns, _)| time_ns + BEHIND_NS < event.time_ns) {
            if let Some((_, order)) = self.behind.pop_front() {
                put(&mut self.image, order, order.left);
            }
        }
    }

    fn tell(&mut self, event: &Event, out: &mut Frames) {
        let before = self.last;
        self.happen(event);
        let Event { time_ns, name, order, traded, is_taker, .. } = *event;
        out.push(time_ns, Channel::Orders, |out| {
            let mut text = |text: &str| out.extend_from_slice(text.as_bytes());
            text("{\"data\":{\"id\":");
            text(&format!("{0},\"id_str\":\"{0}\",\"order_type\":{1}", order.id, order.side as usize));
            text(if is_taker { ",\"order_subtype\":4" } else { ",\"order_subtype\":5" });
            let (second, us) = (time_ns / 1_000_000_000, self.last.0 / 1_000);
            text(&format!(",\"datetime\":\"{second}\",\"microtimestamp\":\"{us}\",\"amount\":"));
            let (price, qty) = (BTC_USD.price_exponent, BTC_USD.qty_exponent);
            shortest(out, order.left, qty);
            out.extend_from_slice(b",\"amount_str\":\"");
            decimal(out, order.left, qty, qty.unsigned_abs());
            out.extend_from_slice(b"\",\"amount_traded\":\"");
            decimal(out, traded, qty, qty.unsigned_abs());
            out.extend_from_slice(b"\",\"price\":");
            shortest(out, order.price, price);
            out.extend_from_slice(b",\"price_str\":\"");
            decimal(out, order.price, price, price.unsigned_abs());
            let mut text = |text: &str| out.extend_from_slice(text.as_bytes());
            text("\",\"is_liquidation\":false},\"channel\":\"live_orders_");
            text(&format!("{}\",\"event\":\"order_{name}\",\"event_id\":\"", BTC_USD.symbol));
            text(&event_id(self.last));
            text("\",\"pre_event_id\":\"");
            text(&event_id(before));
            text("\",\"order_source\":\"orderbook\"}");
        });
        self.counts.updates += 1;
        self.counts.orders += 1;
    }

    fn orders_of(&self, sides: &[Orders; 2], side: Side) -> Vec<TrueOrder> {
        let order = |key: i64, (&id, &qty): (&u64, &i64)| TrueOrder { id, price: side.key(key), qty };
        let levels = sides[side as usize].iter();
        levels.flat_map(|(&key, queue)| queue.iter().map(move |resting| order(key, resting))).collect()
    }
}

/// Rule 1.
fn event_id((time_ns, nth): (u64, u64)) -> String {
    let us = time_ns / 1_000;
    let (high, middle, low) = (us >> 32, us >> 16 & 0xFFFF, us & 0xFFFF);
    format!("{high:08x}-{middle:04x}-{low:04x}-{nth:04x}-000102000020")
}

impl Dialect for BitstampOrders {
    fn venue(&self) -> &'static str {
        "bitstamp-orders"
    }

    fn code(&self) -> &str {
        BTC_USD.symbol
    }

    fn depth(&self) -> Option<usize> {
        None
    }

    fn open(&mut self, now_ns: u64, out: &mut Frames) {
        let unheard_ms = self.clock.start(now_ns);
        // What waited is told to nobody, as is what comes about meanwhile.
        for before_ms in (0..unheard_ms).rev() {
            self.live(moment_ns(now_ns / 1_000_000 - before_ms));
        }
        for event in std::mem::take(&mut self.waiting) {
            self.happen(&event);
        }
        self.trades.clear();
        for channel in ["live_orders_", "live_trades_"] {
            acknowledge(channel, &BTC_USD, now_ns, out);
            self.counts.control += 1;
        }
        self.next_heartbeat_ms = now_ns / 1_000_000 + HEARTBEAT_MS;
    }

    fn step(&mut self, now_ns: u64, out: &mut Frames) {
        while self.waiting.is_empty() && self.trades.is_empty() {
            let Some(time_ms) = self.clock.take(now_ns) else { return };
            let time_ns = moment_ns(time_ms);
            self.live(time_ns);
            if time_ms >= self.next_heartbeat_ms {
                heartbeat(time_ns, out);
                self.counts.heartbeats += 1;
                self.next_heartbeat_ms = time_ms + HEARTBEAT_MS;
                return;
            }
        }
        if let Some(event) = self.waiting.pop_front() {
            self.tell(&event, out);
        } else if let Some((time_ns, trade)) = self.trades.pop_front() {
            out.push(time_ns, Channel::Trade, |out| trade_of(out, &BTC_USD, time_ns, trade));
            self.counts.trades += 1;
        }
    }

    fn snapshot(&mut self, out: &mut Vec<u8>) -> bool {
        out.clear();
        // Rule 5.
        time_of(out, self.last.0 / 1_000 + 764);
        for (side, name) in [(Side::Bid, &b"\",\"bids\":["[..]), (Side::Ask, b"],\"asks\":[")] {
            out.extend_from_slice(name);
            for (position, order) in self.orders_of(&self.image, side).iter().enumerate() {
                out.extend_from_slice(if position == 0 { b"[\"" } else { b",[\"" });
                decimal(out, order.price, BTC_USD.price_exponent, BTC_USD.price_exponent.unsigned_abs());
                out.extend_from_slice(b"\",\"");
                decimal(out, order.qty, BTC_USD.qty_exponent, BTC_USD.qty_exponent.unsigned_abs());
                out.extend_from_slice(b"\",\"");
                integer(out, order.id);
                out.extend_from_slice(b"\"]");
                self.counts.orders += 1;
            }
        }
        out.extend_from_slice(b"]}");
        self.counts.snapshots += 1;
        true
    }

    fn resubscribe(&mut self, now_ns: u64, out: &mut Frames) {
        self.open(now_ns, out);
    }

    fn truth(&self, out: &mut Truth) {
        out.seq = self.last.0 + 2 * self.last.1;
        for (side, levels) in [(Side::Bid, &mut out.bids), (Side::Ask, &mut out.asks)] {
            levels.clear();
            let told = self.told[side as usize].iter();
            levels.extend(told.map(|(&key, queue)| (side.key(key), queue.values().sum::<i64>())));
        }
    }

    fn orders(&self, out: &mut TrueOrders) -> bool {
        out.bids = self.orders_of(&self.told, Side::Bid);
        out.asks = self.orders_of(&self.told, Side::Ask);
        true
    }

    fn exponents(&self) -> (i8, i8) {
        BTC_USD.exponents()
    }

    fn sent(&self) -> Counts {
        self.counts
    }
}

//! Coinbase Exchange on one connection: `full`, `heartbeat`, `ticker` and `status` of one product, and its book of level 3.
//!
//! Source: docs.cdp.coinbase.com, Exchange, "WebSocket Channels", "Get product book"; the documents' examples decide the order of
//! fields.
//! 1. `sequence` counts a product's messages one by one. A connection does not begin it anew.
//! 2. An order is `received`, rests by `open`, and ends by `done`; some never rest. A taker is `received`, then told by a `match` for
//!    each order that it meets, and `done`. A maker that is filled is `done` behind its `match`.
//! 3. An order that becomes less, or goes to another price, is told by `change`: of both forms.
//! 4. A heartbeat has the number of the last message.
//! 5. The book of level 3 has that number, too, and every order with its name, best price first, in each level first in the queue
//!    first.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::super::clock::{Clock, moment_ns};
use super::super::text::{decimal, integer, shortest};
use super::super::{Channel, Counts, Dialect, Frames, TrueOrder, TrueOrders, Truth};
use super::{BTC_ORDERS, HEARTBEAT_MS, put, stamp};
use crate::market::Trade;
use crate::market::book::{Change, ChangeKind, Side};
use crate::market::exchange::Exchange;

/// The number of the last message before the first connection.
const FIRST: u64 = 38_292_760_990;

/// Takers and other orders that never rest have numbers from here on.
const NEVER_RESTS: u64 = 1 << 40;

/// Of so many messages one is about an order that never rests, and one about a stop order.
const PASSING: u64 = 41;

/// What a message does to the book.
#[derive(Clone, Copy, Debug)]
enum Effect {
    None,
    Add(Side, i64, u64, i64),
    /// To this quantity; 0 removes.
    Set(u64, i64),
    Move(u64, i64, i64),
}

/// A message that is to be told.
#[derive(Clone, Debug)]
struct Message {
    time_ns: u64,
    channel: Channel,
    /// The text up to the number, which is appended with the rest.
    text: Vec<u8>,
    effect: Effect,
    is_trade: bool,
}

/// The book as it was told.
#[derive(Clone, Debug, Default)]
struct Book {
    /// By keys that rise away from the best: the orders of a level in their queue.
    sides: [BTreeMap<i64, Vec<(u64, i64)>>; 2],
    places: HashMap<u64, (Side, i64)>,
}

impl Book {
    fn apply(&mut self, effect: Effect) {
        match effect {
            Effect::None => {}
            Effect::Add(side, price, id, qty) => {
                let key = side.key(price);
                self.sides[side as usize].entry(key).or_default().push((id, qty));
                self.places.insert(id, (side, key));
            }
            Effect::Set(id, 0) => drop(self.remove(id)),
            Effect::Set(id, qty) => {
                let Some(&(side, key)) = self.places.get(&id) else { return };
                let queue = self.sides[side as usize].get_mut(&key);
                if let Some(order) = queue.and_then(|queue| queue.iter_mut().find(|order| order.0 == id)) {
                    order.1 = qty;
                }
            }
            Effect::Move(id, price, qty) => {
                if let Some(side) = self.remove(id) {
                    self.apply(Effect::Add(side, price, id, qty));
                }
            }
        }
    }

    fn remove(&mut self, id: u64) -> Option<Side> {
        let (side, key) = self.places.remove(&id)?;
        let levels = &mut self.sides[side as usize];
        let queue = levels.get_mut(&key)?;
        queue.retain(|order| order.0 != id);
        if queue.is_empty() {
            levels.remove(&key);
        }
        Some(side)
    }

    fn orders(&self, side: Side) -> impl Iterator<Item = TrueOrder> {
        self.sides[side as usize].iter().flat_map(move |(&key, queue)| {
            queue.iter().map(move |&(id, qty)| TrueOrder { id, price: side.key(key), qty })
        })
    }
}

/// One product on a public connection.
#[derive(Clone, Debug)]
pub struct CoinbaseExchange {
    exchange: Exchange,
    clock: Clock,
    next_heartbeat_ms: u64,
    /// What is left of each resting order, as the market has it.
    resting: HashMap<u64, (i64, i64)>,
    waiting: VecDeque<Message>,
    told: Book,
    /// The number of the last message.
    sequence: u64,
    last_trade: Trade,
    passing: u64,
    counts: Counts,
}

impl CoinbaseExchange {
    /// A market before its first connection.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let exchange = Exchange::new(&BTC_ORDERS, seed, 5_100).drowsy();
        let (mut told, mut resting) = (Book::default(), HashMap::new());
        for side in [Side::Bid, Side::Ask] {
            for (price, id, qty) in exchange.book().orders(side) {
                told.apply(Effect::Add(side, price, id, qty));
                resting.insert(id, (price, qty));
            }
        }
        let price = BTC_ORDERS.reference_price;
        Self {
            exchange,
            clock: Clock::default(),
            next_heartbeat_ms: 0,
            resting,
            waiting: VecDeque::new(),
            told,
            sequence: FIRST,
            last_trade: Trade { id: BTC_ORDERS.trade_id, price, qty: 1, buyer_is_maker: true },
            passing: 0,
            counts: Counts::default(),
        }
    }

    /// One millisecond of market, as messages.
    fn live(&mut self, time_ns: u64) {
        self.exchange.live();
        let changes = self.exchange.changes().to_vec();
        let trades = self.exchange.trades().to_vec();
        let (mut trades, mut taker) = (trades.iter().peekable(), None);
        for change in &changes {
            let before = self.resting.get(&change.order_id).copied();
            let is_fill = |trade: &&&Trade| {
                let maker = if trade.buyer_is_maker { Side::Bid } else { Side::Ask };
                let left = before.map(|(_, qty)| qty - change.order_qty);
                let is_less = matches!(change.kind, ChangeKind::Reduced | ChangeKind::Removed);
                is_less && maker == change.side && trade.price == change.price && left == Some(trade.qty)
            };
            match trades.next_if(|trade| is_fill(&trade)) {
                Some(trade) => {
                    let (id, side) = match taker {
                        Some((id, side)) if side == change.side => (id, side),
                        _ => {
                            self.finish(taker, time_ns);
                            (self.taker(change.side, time_ns), change.side)
                        }
                    };
                    taker = Some((id, side));
                    self.execution(change, trade, id, time_ns);
                }
                None => {
                    self.finish(taker.take(), time_ns);
                    self.change(change, before, time_ns);
                }
            }
        }
        self.finish(taker, time_ns);
        if (self.sequence + self.waiting.len() as u64) % PASSING == 7 {
            self.passes(time_ns);
        }
    }

    /// Queues a message of `full`; `more` appends its members behind the first four.
    fn full(&mut self, kind: &str, time_ns: u64, effect: Effect, more: impl FnOnce(&mut Vec<u8>)) {
        let mut text = Vec::new();
        put(&mut text, &["{\"type\":\"", kind, "\",\"time\":\""]);
        stamp(&mut text, time_ns, 6);
        put(&mut text, &["\",\"product_id\":\"", BTC_ORDERS.symbol, "\""]);
        more(&mut text);
        put(&mut text, &[",\"sequence\":"]);
        let is_trade = kind == "match";
        self.waiting.push_back(Message { time_ns, channel: Channel::Orders, text, effect, is_trade });
    }

    fn taker(&mut self, maker: Side, time_ns: u64) -> u64 {
        self.passing += 1;
        let id = NEVER_RESTS + self.passing;
        self.full("received", time_ns, Effect::None, |out| {
            order(out, id, maker.other());
            put(out, &[",\"order_type\":\"market\",\"funds\":\"3000.234\""]);
        });
        id
    }

    fn finish(&mut self, taker: Option<(u64, Side)>, time_ns: u64) {
        let Some((id, maker)) = taker else { return };
        self.full("done", time_ns, Effect::None, |out| {
            order(out, id, maker.other());
            put(out, &[",\"reason\":\"filled\""]);
        });
    }

    fn execution(&mut self, change: &Change, trade: &Trade, taker: u64, time_ns: u64) {
        let Change { side, price, order_id: id, order_qty: left, .. } = *change;
        self.last_trade = *trade;
        self.full("match", time_ns, Effect::Set(id, left), |out| {
            put(out, &[",\"trade_id\":"]);
            integer(out, trade.id);
            put(out, &[",\"maker_order_id\":\""]);
            coinbase_order_id(id, out);
            put(out, &["\",\"taker_order_id\":\""]);
            coinbase_order_id(taker, out);
            put(out, &["\",\"side\":\"", name(side), "\""]);
            qty(out, "size", trade.qty);
            price_of(out, "price", trade.price);
        });
        if left == 0 {
            self.resting.remove(&id);
            self.full("done", time_ns, Effect::None, |out| {
                order(out, id, side);
                put(out, &[",\"reason\":\"filled\""]);
                price_of(out, "price", price);
                qty(out, "remaining_size", 0);
            });
        } else {
            self.resting.insert(id, (price, left));
        }
    }

    fn change(&mut self, change: &Change, before: Option<(i64, i64)>, time_ns: u64) {
        let Change { side, price, order_id: id, order_qty: left, .. } = *change;
        let (old_price, old_qty) = before.unwrap_or((price, left));
        match change.kind {
            ChangeKind::Added => {
                self.full("received", time_ns, Effect::None, |out| {
                    order(out, id, side);
                    put(out, &[",\"order_type\":\"limit\",\"client_oid\":\"\""]);
                    qty(out, "size", left);
                    price_of(out, "price", price);
                });
                self.full("open", time_ns, Effect::Add(side, price, id, left), |out| {
                    order(out, id, side);
                    price_of(out, "price", price);
                    qty(out, "remaining_size", left);
                });
            }
            ChangeKind::Reduced if id % 2 == 0 => {
                self.full("change", time_ns, Effect::Set(id, left), |out| {
                    put(out, &[",\"reason\":\"STP\""]);
                    order(out, id, side);
                    price_of(out, "price", price);
                    qty(out, "old_size", old_qty);
                    qty(out, "new_size", left);
                });
            }
            ChangeKind::Reduced | ChangeKind::Moved { .. } => {
                let is_moved = old_price != price;
                let effect = if is_moved { Effect::Move(id, price, left) } else { Effect::Set(id, left) };
                self.full("change", time_ns, effect, |out| {
                    put(out, &[",\"reason\":\"modify_order\""]);
                    order(out, id, side);
                    price_of(out, "old_price", old_price);
                    price_of(out, "new_price", price);
                    qty(out, "old_size", old_qty);
                    qty(out, "new_size", left);
                });
            }
            ChangeKind::Removed => {
                self.full("done", time_ns, Effect::Set(id, 0), |out| {
                    order(out, id, side);
                    put(out, &[",\"reason\":\"canceled\""]);
                    price_of(out, "price", price);
                    qty(out, "remaining_size", old_qty);
                });
            }
        }
        if change.kind == ChangeKind::Removed {
            self.resting.remove(&id);
        } else {
            self.resting.insert(id, (price, left));
        }
    }

    /// Orders that are never in the book: one that is cancelled at once, a market order that loses funds, a stop order.
    fn passes(&mut self, time_ns: u64) {
        self.passing += 1;
        let id = NEVER_RESTS + self.passing;
        self.full("activate", time_ns, Effect::None, |out| {
            order(out, id, Side::Bid);
            put(out, &[",\"stop_type\":\"entry\",\"stop_price\":\"80\",\"size\":\"2\",\"funds\":\"50\""]);
        });
        self.full("received", time_ns, Effect::None, |out| {
            order(out, id, Side::Bid);
            put(out, &[",\"order_type\":\"market\",\"funds\":\"50\""]);
        });
        self.full("change", time_ns, Effect::None, |out| {
            put(out, &[",\"reason\":\"STP\""]);
            order(out, id, Side::Bid);
            put(out, &[",\"price\":null,\"old_funds\":\"50\",\"new_funds\":\"40\""]);
        });
        self.full("done", time_ns, Effect::None, |out| {
            order(out, id, Side::Bid);
            put(out, &[",\"reason\":\"canceled\",\"cancel_reason\":\"102:Self Trade Prevention\""]);
        });
    }

    fn heartbeat(&self) -> Vec<u8> {
        let mut text = Vec::new();
        put(&mut text, &["{\"type\":\"heartbeat\",\"last_trade_id\":"]);
        integer(&mut text, self.last_trade.id);
        put(&mut text, &[",\"product_id\":\"", BTC_ORDERS.symbol, "\",\"sequence\":"]);
        text
    }

    fn ticker(&self, time_ns: u64) -> Vec<u8> {
        let mut text = Vec::new();
        put(&mut text, &["{\"type\":\"ticker\",\"product_id\":\"", BTC_ORDERS.symbol, "\""]);
        let book = self.exchange.book();
        let best = |side| book.best(side).map_or((0, 0), |level| (level.price, level.qty));
        let (bid, ask) = (best(Side::Bid), best(Side::Ask));
        price_of(&mut text, "price", self.last_trade.price);
        qty(&mut text, "volume_24h", self.last_trade.qty);
        price_of(&mut text, "best_bid", bid.0);
        qty(&mut text, "best_bid_size", bid.1);
        price_of(&mut text, "best_ask", ask.0);
        qty(&mut text, "best_ask_size", ask.1);
        let taker = if self.last_trade.buyer_is_maker { "sell" } else { "buy" };
        put(&mut text, &[",\"side\":\"", taker, "\",\"time\":\""]);
        stamp(&mut text, time_ns, 6);
        put(&mut text, &["\",\"trade_id\":"]);
        integer(&mut text, self.last_trade.id);
        qty(&mut text, "last_size", self.last_trade.qty);
        put(&mut text, &[",\"sequence\":"]);
        text
    }

    /// Queues a message that changes no book.
    fn queue(&mut self, channel: Channel, text: Vec<u8>, time_ns: u64) {
        self.waiting.push_back(Message { time_ns, channel, text, effect: Effect::None, is_trade: false });
    }

    /// Tells the next message.
    fn tell(&mut self, message: &Message, out: &mut Frames) {
        let is_order = message.channel == Channel::Orders;
        self.sequence += u64::from(is_order);
        self.told.apply(message.effect);
        out.push(message.time_ns, message.channel, |out| {
            out.extend_from_slice(&message.text);
            integer(out, self.sequence);
            out.push(b'}');
        });
        match message.channel {
            Channel::Heartbeat => self.counts.heartbeats += 1,
            Channel::Ticker => self.counts.tickers += 1,
            _ => {
                self.counts.updates += 1;
                self.counts.trades += u64::from(message.is_trade);
                let is_open = matches!(message.effect, Effect::Add(..));
                self.counts.orders += u64::from(is_open || message.is_trade);
            }
        }
    }

    fn live_unheard(&mut self, now_ns: u64) {
        for _ in 0..self.clock.start(now_ns) {
            self.live(now_ns);
        }
        for message in std::mem::take(&mut self.waiting) {
            self.sequence += u64::from(message.channel == Channel::Orders);
            self.told.apply(message.effect);
        }
    }
}

/// Appends the text of an order's number, as a UUID of version 4. Different for different numbers.
pub fn coinbase_order_id(id: u64, out: &mut Vec<u8>) {
    // An odd factor permutes the numbers of 128 bits, so that neighbours look unlike.
    let mixed = u128::from(id + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    let digits = format!("{mixed:032x}");
    for (position, digit) in digits.bytes().enumerate() {
        if matches!(position, 8 | 12 | 16 | 20) {
            out.push(b'-');
        }
        out.push(digit);
    }
}

const fn name(side: Side) -> &'static str {
    match side {
        Side::Bid => "buy",
        Side::Ask => "sell",
    }
}

fn order(out: &mut Vec<u8>, id: u64, side: Side) {
    put(out, &[",\"order_id\":\""]);
    coinbase_order_id(id, out);
    put(out, &["\",\"side\":\"", name(side), "\""]);
}

fn price_of(out: &mut Vec<u8>, key: &str, price: i64) {
    put(out, &[",\"", key, "\":\""]);
    decimal(out, price, BTC_ORDERS.price_exponent, BTC_ORDERS.price_exponent.unsigned_abs());
    out.push(b'"');
}

fn qty(out: &mut Vec<u8>, key: &str, qty: i64) {
    put(out, &[",\"", key, "\":\""]);
    shortest(out, qty, BTC_ORDERS.qty_exponent);
    out.push(b'"');
}

impl Dialect for CoinbaseExchange {
    fn venue(&self) -> &'static str {
        "coinbase-exchange"
    }

    fn code(&self) -> &str {
        BTC_ORDERS.symbol
    }

    fn depth(&self) -> Option<usize> {
        None
    }

    fn open(&mut self, now_ns: u64, out: &mut Frames) {
        self.live_unheard(now_ns);
        out.push(now_ns, Channel::Control, |out| {
            put(out, &["{\"type\":\"subscriptions\",\"channels\":["]);
            for (position, channel) in ["status", "full", "heartbeat", "ticker"].into_iter().enumerate() {
                let comma = if position == 0 { "" } else { "," };
                let product = if channel == "status" { "" } else { "\"BTC-USD\"" };
                put(out, &[comma, "{\"name\":\"", channel, "\",\"product_ids\":[", product, "]}"]);
            }
            put(out, &["]}"]);
        });
        out.push(now_ns, Channel::Definition, |out| {
            put(out, &["{\"type\":\"status\",\"products\":["]);
            for (position, name) in ["ETH-USD", BTC_ORDERS.symbol].into_iter().enumerate() {
                let comma = if position == 0 { "" } else { "," };
                put(out, &[comma, "{\"id\":\"", name]);
                put(
                    out,
                    &["\",\"quote_currency\":\"USD\",\"base_increment\":\"0.00000001\",\
                       \"quote_increment\":\"0.01\",\"status\":\"online\",\"status_message\":null,\
                       \"post_only\":false,\"limit_only\":false,\"cancel_only\":false}"],
                );
            }
            put(out, &["],\"currencies\":[{\"id\":\"USD\",\"max_precision\":\"0.01\"}]}"]);
        });
        self.counts.control += 1;
        self.counts.definitions += 1;
        self.next_heartbeat_ms = now_ns / 1_000_000 + HEARTBEAT_MS;
    }

    fn step(&mut self, now_ns: u64, out: &mut Frames) {
        while self.waiting.is_empty() {
            let Some(time_ms) = self.clock.take(now_ns) else { return };
            let time_ns = moment_ns(time_ms);
            self.live(time_ns);
            if !self.exchange.trades().is_empty() {
                let ticker = self.ticker(time_ns);
                self.queue(Channel::Ticker, ticker, time_ns);
            }
            if time_ms >= self.next_heartbeat_ms {
                let heartbeat = self.heartbeat();
                self.queue(Channel::Heartbeat, heartbeat, time_ns);
                self.next_heartbeat_ms = time_ms + HEARTBEAT_MS;
            }
        }
        if let Some(message) = self.waiting.pop_front() {
            self.tell(&message, out);
        }
    }

    fn snapshot(&mut self, out: &mut Vec<u8>) -> bool {
        out.clear();
        for (side, key) in [(Side::Bid, "{\"bids\":["), (Side::Ask, "],\"asks\":[")] {
            put(out, &[key]);
            for (position, order) in self.told.orders(side).enumerate() {
                put(out, &[if position == 0 { "[\"" } else { ",[\"" }]);
                shortest(out, order.price, BTC_ORDERS.price_exponent);
                put(out, &["\",\""]);
                shortest(out, order.qty, BTC_ORDERS.qty_exponent);
                put(out, &["\",\""]);
                coinbase_order_id(order.id, out);
                put(out, &["\"]"]);
                self.counts.orders += 1;
            }
        }
        put(out, &["],\"sequence\":"]);
        integer(out, self.sequence);
        put(out, &[",\"auction_mode\":false,\"auction\":null}"]);
        self.counts.snapshots += 1;
        true
    }

    fn resubscribe(&mut self, now_ns: u64, out: &mut Frames) {
        self.open(now_ns, out);
    }

    fn truth(&self, out: &mut Truth) {
        out.seq = self.sequence;
        for (side, levels) in [(Side::Bid, &mut out.bids), (Side::Ask, &mut out.asks)] {
            levels.clear();
            levels.extend(
                self.told.sides[side as usize]
                    .iter()
                    .map(|(&key, queue)| (side.key(key), queue.iter().map(|order| order.1).sum())),
            );
        }
    }

    fn orders(&self, out: &mut TrueOrders) -> bool {
        for (side, orders) in [(Side::Bid, &mut out.bids), (Side::Ask, &mut out.asks)] {
            orders.clear();
            orders.extend(self.told.orders(side));
        }
        true
    }

    fn exponents(&self) -> (i8, i8) {
        BTC_ORDERS.exponents()
    }

    fn sent(&self) -> Counts {
        self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_have_different_names_of_the_venues_shape() {
        let mut names: Vec<Vec<u8>> = Vec::new();
        for id in (0..5_000).chain(NEVER_RESTS..NEVER_RESTS + 5_000) {
            let mut name = Vec::new();
            coinbase_order_id(id, &mut name);
            assert_eq!((name.len(), name[8], name[23]), (36, b'-', b'-'));
            names.push(name);
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 10_000);
    }
}

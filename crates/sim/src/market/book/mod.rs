//! One instrument's orders, matched by price and time.

mod amend;
mod journal;

use std::collections::BTreeMap;

use crate::market::Bbo;

pub(crate) use journal::{Change, ChangeKind};

/// Levels that one side may hold, as deep as the deepest REST answer. At the limit the worst-priced level is
/// shed for a better one, and an order worse than all of them is refused.
pub const LEVELS_PER_SIDE_MAX: usize = 5_000;

/// Orders that one side may hold; the same policy as [`LEVELS_PER_SIDE_MAX`].
pub const ORDERS_PER_SIDE_MAX: usize = 20_000;

/// Levels that no cancel and no trade may go below, so that a side always has a best price.
pub(crate) const LEVELS_PER_SIDE_MIN: usize = 16;

/// Resting orders that one incoming order may trade with; what remains of it then is cancelled.
pub(crate) const FILLS_PER_ORDER_MAX: usize = 64;

const NONE: u32 = u32::MAX;

/// A side of the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    Bid,
    Ask,
}

impl Side {
    /// The side that an order of this side trades with.
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Bid => Self::Ask,
            Self::Ask => Self::Bid,
        }
    }

    /// `price` as a key that rises away from the best, and back again.
    pub(crate) const fn key(self, price: i64) -> i64 {
        match self {
            Self::Bid => -price,
            Self::Ask => price,
        }
    }
}

/// What becomes of the part of an order that finds nobody to trade with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remainder {
    Rests,
    Cancelled,
}

/// One trade: an incoming order met one resting order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fill {
    pub(crate) price: i64,
    pub(crate) qty: i64,
}

/// What stands at one price.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Level {
    pub(crate) price: i64,
    /// Sum of the orders, above 0.
    pub(crate) qty: i64,
    /// Number of orders, above 0.
    pub(crate) orders: u32,
    oldest: u32,
    newest: u32,
}

#[derive(Clone, Copy, Debug)]
struct Order {
    id: u64,
    qty: i64,
    older: u32,
    newer: u32,
}

#[derive(Clone, Debug, Default)]
struct Ladder {
    /// By [`Side::key`], so that the first entry is the best.
    levels: BTreeMap<i64, Level>,
    orders: usize,
}

/// Limits of a book, each per side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) levels: usize,
    pub(crate) orders: usize,
}

/// Bids and asks of one instrument, never crossed or locked.
///
/// Every change of a level raises [`Book::id`] by one and notes the level as touched, until
/// [`Book::take_touched`] collects them for a message.
#[derive(Clone, Debug)]
pub(crate) struct Book {
    bids: Ladder,
    asks: Ladder,
    pool: Vec<Order>,
    free: Vec<u32>,
    id: u64,
    touched: Vec<(Side, i64)>,
    fills: Vec<Fill>,
    limits: Limits,
    /// The id of the last order that came to rest.
    order_id: u64,
    /// What happened to orders, for those who asked for it.
    journal: Option<Vec<Change>>,
}

impl Book {
    /// An empty book, its ids counted from 0.
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            bids: Ladder::default(),
            asks: Ladder::default(),
            pool: Vec::new(),
            free: Vec::new(),
            id: 0,
            touched: Vec::new(),
            fills: Vec::with_capacity(FILLS_PER_ORDER_MAX),
            limits,
            order_id: 0,
            journal: None,
        }
    }

    /// Ends the laying out of a new book: its changes so far are forgotten, the next one gets `id` + 1.
    pub(crate) fn open(&mut self, id: u64) {
        self.touched.clear();
        self.id = id;
    }

    /// The id of the last change.
    pub(crate) const fn id(&self) -> u64 {
        self.id
    }

    /// The trades of the last [`Book::submit`].
    pub(crate) fn fills(&self) -> &[Fill] {
        &self.fills
    }

    /// Level changes noted since the last [`Book::take_touched`].
    pub(crate) fn touched_len(&self) -> usize {
        self.touched.len()
    }

    /// The best level of a side.
    pub(crate) fn best(&self, side: Side) -> Option<Level> {
        self.ladder(side).levels.first_key_value().map(|entry| *entry.1)
    }

    /// The best of both sides, where neither is empty.
    pub(crate) fn bbo(&self) -> Option<Bbo> {
        let (bid, ask) = (self.best(Side::Bid)?, self.best(Side::Ask)?);
        Some(Bbo { bid_price: bid.price, bid_qty: bid.qty, ask_price: ask.price, ask_qty: ask.qty })
    }

    /// The first level of a side from `price` to fewer than `width` ticks further from the best.
    pub(crate) fn nearest(&self, side: Side, price: i64, width: i64) -> Option<Level> {
        let key = side.key(price);
        self.ladder(side).levels.range(key..key + width).next().map(|entry| *entry.1)
    }

    /// The quantity at a price, 0 where nothing stands.
    pub(crate) fn qty_at(&self, side: Side, price: i64) -> i64 {
        self.ladder(side).levels.get(&side.key(price)).map_or(0, |level| level.qty)
    }

    /// The levels of a side, best first.
    pub(crate) fn levels(&self, side: Side) -> impl Iterator<Item = &Level> {
        self.ladder(side).levels.values()
    }

    /// Number of levels of a side.
    pub(crate) fn levels_len(&self, side: Side) -> usize {
        self.ladder(side).levels.len()
    }

    /// Number of orders of a side.
    pub(crate) fn orders_len(&self, side: Side) -> usize {
        self.ladder(side).orders
    }

    /// Enters an order: it trades with better or equal prices of the other side, oldest order first, then
    /// rests or is cancelled. At most [`FILLS_PER_ORDER_MAX`] trades, which [`Book::fills`] then holds.
    pub(crate) fn submit(&mut self, side: Side, price: i64, qty: i64, remainder: Remainder) {
        let left = self.trade(side, price, qty);
        let crosses = self.best(side.other()).is_some_and(|best| side.key(price) <= side.key(best.price));
        if left > 0 && remainder == Remainder::Rests && !crosses {
            self.rest(side, price, left);
        }
    }

    /// Cancels the order with `newer_than` older ones before it (the newest one where there are fewer).
    /// Does nothing where no level stands, or where the side would become too thin.
    pub(crate) fn cancel(&mut self, side: Side, price: i64, newer_than: u32) {
        let key = side.key(price);
        let levels_len = self.levels_len(side);
        let Some(level) = self.ladder(side).levels.get(&key).copied() else { return };
        if level.orders == 1 && levels_len <= LEVELS_PER_SIDE_MIN {
            return;
        }
        let mut slot = level.oldest;
        for _ in 0..newer_than.min(level.orders - 1) {
            slot = self.pool[slot as usize].newer;
        }
        self.remove(side, key, slot);
        self.note(side, price);
    }

    /// Moves the touched levels into `out`, one entry a price, bids then asks, best first.
    pub(crate) fn take_touched(&mut self, out: &mut Vec<(Side, i64)>) {
        out.clear();
        out.append(&mut self.touched);
        Self::sort_touched(out);
    }

    /// Brings touched levels into the order of the wire: one entry a price, bids then asks, best first.
    pub(crate) fn sort_touched(touched: &mut Vec<(Side, i64)>) {
        touched.sort_unstable_by_key(|&(side, price)| (side, side.key(price)));
        touched.dedup();
    }

    /// Drops the touched levels, for those who take each change instead.
    pub(crate) fn forget_touched(&mut self) {
        self.touched.clear();
    }

    fn trade(&mut self, side: Side, price: i64, qty: i64) -> i64 {
        self.fills.clear();
        let other = side.other();
        let mut left = qty;
        while left > 0 && self.levels_len(other) > LEVELS_PER_SIDE_MIN {
            let Some(level) = self.best(other) else { break };
            if side.key(price) > side.key(level.price) || self.fills.len() == FILLS_PER_ORDER_MAX {
                break;
            }
            left = self.trade_level(other, level, left);
            self.note(other, level.price);
        }
        left
    }

    fn trade_level(&mut self, resting: Side, level: Level, mut left: i64) -> i64 {
        let key = resting.key(level.price);
        let mut slot = level.oldest;
        while slot != NONE && left > 0 && self.fills.len() < FILLS_PER_ORDER_MAX {
            let order = self.pool[slot as usize];
            let qty = left.min(order.qty);
            self.fills.push(Fill { price: level.price, qty });
            left -= qty;
            if qty == order.qty {
                self.remove(resting, key, slot);
            } else {
                self.reduce(resting, key, slot, qty);
            }
            slot = order.newer;
        }
        left
    }

    fn rest(&mut self, side: Side, price: i64, qty: i64) {
        if !self.make_room(side, price) {
            return;
        }
        self.order_id += 1;
        self.link(side, price, Order { id: self.order_id, qty, older: NONE, newer: NONE });
        self.note(side, price);
    }

    /// Appends an order to the queue of its price.
    fn link(&mut self, side: Side, price: i64, order: Order) {
        let Order { id, qty, .. } = order;
        let slot = self.free.pop().unwrap_or(self.pool.len() as u32);
        match self.pool.get_mut(slot as usize) {
            Some(place) => *place = order,
            None => self.pool.push(order),
        }
        let ladder = self.ladder_mut(side);
        ladder.orders += 1;
        let mut older = NONE;
        ladder
            .levels
            .entry(side.key(price))
            .and_modify(|level| {
                older = level.newest;
                level.newest = slot;
                level.qty += qty;
                level.orders += 1;
            })
            .or_insert(Level { price, qty, orders: 1, oldest: slot, newest: slot });
        if older != NONE {
            self.pool[slot as usize].older = older;
            self.pool[older as usize].newer = slot;
        }
        self.record(side, price, ChangeKind::Added, id, qty);
    }

    /// Takes part of an order away; it keeps its place.
    fn reduce(&mut self, side: Side, key: i64, slot: u32, qty: i64) {
        let order = &mut self.pool[slot as usize];
        order.qty -= qty;
        let (id, left) = (order.id, order.qty);
        if let Some(level) = self.ladder_mut(side).levels.get_mut(&key) {
            level.qty -= qty;
        }
        self.record(side, side.key(key), ChangeKind::Reduced, id, left);
    }

    /// Sheds at most one level. False where the new order itself is the one to refuse.
    fn make_room(&mut self, side: Side, price: i64) -> bool {
        let key = side.key(price);
        let ladder = self.ladder(side);
        let is_new = !ladder.levels.contains_key(&key);
        let is_full =
            ladder.orders >= self.limits.orders || is_new && ladder.levels.len() >= self.limits.levels;
        if !is_full {
            return true;
        }
        let Some((&worst_key, &worst)) = ladder.levels.last_key_value() else { return false };
        if key >= worst_key {
            return false;
        }
        let mut slot = worst.oldest;
        while slot != NONE {
            let newer = self.pool[slot as usize].newer;
            self.remove(side, worst_key, slot);
            slot = newer;
        }
        self.note(side, worst.price);
        true
    }

    /// Unlinks one order, and its level with the last one.
    fn remove(&mut self, side: Side, key: i64, slot: u32) {
        let Order { id, qty, older, newer } = self.pool[slot as usize];
        if older != NONE {
            self.pool[older as usize].newer = newer;
        }
        if newer != NONE {
            self.pool[newer as usize].older = older;
        }
        let ladder = self.ladder_mut(side);
        ladder.orders -= 1;
        if let Some(level) = ladder.levels.get_mut(&key) {
            level.qty -= qty;
            level.orders -= 1;
            if older == NONE {
                level.oldest = newer;
            }
            if newer == NONE {
                level.newest = older;
            }
            if level.orders == 0 {
                ladder.levels.remove(&key);
            }
        }
        self.free.push(slot);
        self.record(side, side.key(key), ChangeKind::Removed, id, 0);
    }

    fn note(&mut self, side: Side, price: i64) {
        self.id += 1;
        self.touched.push((side, price));
    }

    fn ladder(&self, side: Side) -> &Ladder {
        match side {
            Side::Bid => &self.bids,
            Side::Ask => &self.asks,
        }
    }

    fn ladder_mut(&mut self, side: Side) -> &mut Ladder {
        match side {
            Side::Bid => &mut self.bids,
            Side::Ask => &mut self.asks,
        }
    }
}

#[cfg(test)]
mod tests;

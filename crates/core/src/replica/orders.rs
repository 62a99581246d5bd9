//! Books of orders from the stream `orders` alone, which says itself when they are lost.

mod changes;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use super::Outcome;
use crate::book::l3::QueuePosition;
use crate::encode::generated::Frame;
use crate::encode::{Flags, Kind, OrderAction, OrderName};
use crate::types::{BookState, Level, Price, Qty, Side};

/// Most orders that a replica's book may hold.
pub const REPLICA_ORDERS_MAX: usize = 1 << 20;

/// A resting order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplicaOrder {
    /// Its side.
    pub side: Side,
    /// Its price.
    pub price: Price,
    /// What is left of it.
    pub qty: Qty,
}

/// One instrument's orders as the feed told them.
#[derive(Debug)]
pub struct ReplicaOrders {
    state: BookState,
    epoch: u64,
    seq: u64,
    venue_seq: u64,
    is_event_whole: bool,
    orders: HashMap<OrderName, ReplicaOrder>,
    /// By price, the first to trade first.
    queues: [BTreeMap<Price, Vec<OrderName>>; 2],
    /// Longer texts by their numbers, and numbers of orders that have left; the latter reused.
    texts: HashMap<u64, Vec<u8>>,
    left: Vec<u64>,
    /// The chunk that an image goes on with: its epoch, sequence and place.
    chunk: Option<(u64, u64, u32)>,
    checks: u64,
    check_failures: u64,
    gaps: u64,
}

impl ReplicaOrders {
    pub(super) fn new() -> Self {
        Self {
            state: BookState::Syncing,
            epoch: 0,
            seq: 0,
            venue_seq: 0,
            is_event_whole: true,
            orders: HashMap::new(),
            queues: Default::default(),
            texts: HashMap::new(),
            left: Vec::new(),
            chunk: None,
            checks: 0,
            check_failures: 0,
            gaps: 0,
        }
    }

    /// `Synced` while every frame since the image has been applied and none said otherwise.
    #[must_use]
    pub const fn state(&self) -> BookState {
        self.state
    }

    /// Epoch and sequence that the orders are at.
    #[must_use]
    pub const fn place(&self) -> (u64, u64) {
        (self.epoch, self.seq)
    }

    /// The venue's sequence that they are at.
    #[must_use]
    pub const fn venue_seq(&self) -> u64 {
        self.venue_seq
    }

    /// Whether the last frame ended the venue's event: else the orders are between two states of the venue.
    #[must_use]
    pub const fn is_event_whole(&self) -> bool {
        self.is_event_whole
    }

    /// Images whose checksums were compared, and how many of them disagreed, or changes that contradicted the orders.
    #[must_use]
    pub const fn checks(&self) -> (u64, u64) {
        (self.checks, self.check_failures)
    }

    /// Gaps seen.
    #[must_use]
    pub const fn gaps(&self) -> u64 {
        self.gaps
    }

    /// How many orders rest.
    #[must_use]
    pub fn len(&self) -> usize {
        self.orders.len()
    }

    /// Whether none does.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.orders.is_empty()
    }

    /// A resting order.
    #[must_use]
    pub fn order(&self, name: OrderName) -> Option<ReplicaOrder> {
        self.orders.get(&name).copied()
    }

    /// The name of the order that its venue calls so: a look at each longer text where 16 bytes do not hold it.
    #[must_use]
    pub fn named(&self, text: &[u8]) -> Option<OrderName> {
        let number = || self.texts.iter().find(|(_, known)| *known == text).map(|(number, _)| *number);
        OrderName::of_text(text).or_else(|| number().map(OrderName::Named))
    }

    /// The longer text of a name.
    #[must_use]
    pub fn text(&self, number: u64) -> Option<&[u8]> {
        self.texts.get(&number).map(Vec::as_slice)
    }

    /// What stands before an order in its queue. Costs a look at each order before it.
    #[must_use]
    pub fn orders_ahead(&self, name: OrderName) -> Option<QueuePosition> {
        let order = self.order(name)?;
        let mut position = QueuePosition::default();
        for ahead in self.queue(order.side, order.price).take_while(|(ahead, _)| *ahead != name) {
            position.orders_ahead += 1;
            position.qty_ahead.0 += ahead.1.0;
        }
        Some(position)
    }

    /// The orders at a price, the first to trade first.
    pub fn queue(&self, side: Side, price: Price) -> impl Iterator<Item = (OrderName, Qty)> + '_ {
        let queue = self.queues[side as usize].get(&price).map_or(&[][..], Vec::as_slice);
        queue.iter().map(|name| (*name, self.orders.get(name).map_or(Qty(0), |order| order.qty)))
    }

    /// The orders' sum at each price of a side, best first.
    pub fn levels(&self, side: Side) -> impl Iterator<Item = Level> + '_ {
        let queues = &self.queues[side as usize];
        let bids = (side == Side::Bid).then(|| queues.keys().rev()).into_iter().flatten();
        let asks = (side == Side::Ask).then(|| queues.keys()).into_iter().flatten();
        bids.chain(asks).map(move |&price| {
            let qty = self.queue(side, price).map(|(_, qty)| qty.0).sum();
            Level { price, qty: Qty(qty) }
        })
    }

    /// `None` where the orders are more than a replica holds, or a number is none that an order can have.
    pub(super) fn apply(&mut self, frame: &Frame<'_>) -> Option<Outcome> {
        let header = frame.header();
        let is_stale = header.flags() & Flags::STALE.0 != 0;
        if header.kind() == Kind::Image as u8 {
            return self.image(frame, is_stale);
        }
        if header.epoch() > self.epoch && self.state == BookState::Synced {
            // The image that opens that epoch was missed.
            return Some(self.gap(header.prev_seq()));
        }
        let is_orders = header.kind() == Kind::Orders as u8;
        if header.epoch() != self.epoch || self.state != BookState::Synced || !is_orders {
            return Some(Outcome::Ignored);
        }
        if header.seq() <= self.seq {
            return Some(Outcome::Old);
        }
        if header.prev_seq() != self.seq {
            return Some(self.gap(header.prev_seq()));
        }
        self.know_texts(frame);
        for order in frame.orders().iter().flatten() {
            if self.change(order).is_none() {
                return Some(self.contradicted());
            }
        }
        self.forget_texts();
        if self.orders.len() > REPLICA_ORDERS_MAX {
            return None;
        }
        (self.seq, self.venue_seq) = (header.seq(), header.venue_seq());
        self.is_event_whole = header.flags() & Flags::LAST.0 != 0;
        if is_stale {
            self.state = BookState::Syncing;
        }
        Some(Outcome::Applied)
    }

    /// Replaces everything. Between its chunks nothing is known.
    fn image(&mut self, frame: &Frame<'_>, is_stale: bool) -> Option<Outcome> {
        let (header, Some(info)) = (frame.header(), frame.info()) else { return Some(Outcome::Ignored) };
        let chunk = (header.epoch(), header.seq(), info.chunk_index());
        if info.chunk_index() == 0 {
            self.clear();
        } else if self.chunk != Some(chunk) {
            self.chunk = None;
            return Some(Outcome::Ignored);
        }
        (self.state, self.chunk) = (BookState::Syncing, None);
        self.know_texts(frame);
        for order in frame.orders().iter().flatten() {
            if order.action() != OrderAction::Add as u8 || self.change(order).is_none() {
                return Some(self.contradicted());
            }
        }
        if self.orders.len() > REPLICA_ORDERS_MAX {
            return None;
        }
        (self.epoch, self.seq, self.venue_seq) = (header.epoch(), header.seq(), header.venue_seq());
        self.is_event_whole = header.flags() & Flags::LAST.0 != 0;
        if info.chunk_index() + 1 < info.chunk_count() {
            self.chunk = Some((chunk.0, chunk.1, chunk.2 + 1));
            return Some(Outcome::Image);
        }
        let Some(check) = frame.check() else { return Some(Outcome::Ignored) };
        self.checks += 1;
        let counts = [Side::Bid, Side::Ask].map(|side| self.list(side).count() as u32);
        let all = [Side::Bid, Side::Ask].into_iter().fold(0, |crc, side| {
            self.list(side).fold(crc, |crc, (name, order)| {
                let crc = crc32c::crc32c_append(crc, &name.bytes());
                let crc = crc32c::crc32c_append(crc, &order.price.0.to_le_bytes());
                crc32c::crc32c_append(crc, &order.qty.0.to_le_bytes())
            })
        });
        if (all, counts) != (check.all_crc(), [check.bid_count(), check.ask_count()]) {
            return Some(self.contradicted());
        }
        if info.state() == BookState::Synced.code() && !is_stale {
            self.state = BookState::Synced;
        }
        Some(Outcome::Image)
    }

    /// One side's orders in the order of an image.
    pub fn list(&self, side: Side) -> impl Iterator<Item = (OrderName, ReplicaOrder)> + '_ {
        self.levels(side).flat_map(move |Level { price, .. }| {
            self.queue(side, price).map(move |(name, qty)| (name, ReplicaOrder { side, price, qty }))
        })
    }

    fn gap(&mut self, received: u64) -> Outcome {
        self.gaps += 1;
        self.state = BookState::Syncing;
        Outcome::Gap { expected: self.seq, received }
    }

    fn contradicted(&mut self) -> Outcome {
        self.check_failures += 1;
        (self.state, self.chunk) = (BookState::Syncing, None);
        Outcome::CheckFailed
    }

    pub(super) fn lost(&mut self) {
        (self.state, self.chunk) = (BookState::Syncing, None);
    }
}

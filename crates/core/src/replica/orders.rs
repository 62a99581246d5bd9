//! Books of orders: the stream `orders`, and the status frames that end it.

mod queues;
#[cfg(test)]
mod tests;

use super::error::Refusal;
use super::follow::{Follow, Turn};
use super::{FeedFrame, Outcome, ReplicaError, ReplicaReason, ReplicaState};
use crate::book::l3::QueuePosition;
use crate::encode::generated::{Check, Order};
use crate::encode::{Flags, Kind, OrderAction, OrderName};
use crate::types::{Level, Place, Price, Qty, Side};
use queues::OrderQueues;

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
    follow: Follow,
    is_event_whole: bool,
    now: OrderQueues,
    /// Orders of an image that is not whole yet.
    staged: OrderQueues,
}

impl Default for ReplicaOrders {
    fn default() -> Self {
        Self::new()
    }
}

impl ReplicaOrders {
    /// Orders of which nothing is known.
    #[must_use]
    pub fn new() -> Self {
        Self {
            follow: Follow::new(),
            is_event_whole: true,
            now: OrderQueues::default(),
            staged: OrderQueues::default(),
        }
    }

    /// Whether the orders may be trusted.
    #[must_use]
    pub const fn state(&self) -> ReplicaState {
        self.follow.state
    }

    /// Epoch and sequence that the orders are at.
    #[must_use]
    pub const fn place(&self) -> Place {
        self.follow.place
    }

    /// Where the orders are exact, if frames can go on from there: what to resume from.
    #[must_use]
    pub fn resume_place(&self) -> Option<Place> {
        self.follow.resume_place()
    }

    /// What follows is not arriving for now.
    pub fn doubt(&mut self, reason: ReplicaReason) {
        self.follow.doubt(reason);
    }

    /// The server brings the orders to a place by what follows. `server` is the state of its own book.
    pub fn bring_to(&mut self, to: Place, server: ReplicaState) {
        self.follow.bring_to(to, Some(server));
    }

    /// The venue's sequence that they are at.
    #[must_use]
    pub const fn venue_seq(&self) -> u64 {
        self.follow.venue_seq
    }

    /// Powers of ten of prices and quantities.
    #[must_use]
    pub const fn exponents(&self) -> (i8, i8) {
        (self.follow.price_exponent, self.follow.qty_exponent)
    }

    /// Whether the last frame ended the venue's event: else the orders are between two states of the venue.
    #[must_use]
    pub const fn is_event_whole(&self) -> bool {
        self.is_event_whole
    }

    /// Images whose checksums were compared, and how many of them disagreed, or changes that contradicted the orders.
    #[must_use]
    pub const fn checks(&self) -> (u64, u64) {
        (self.follow.checks, self.follow.check_failures)
    }

    /// Gaps seen.
    #[must_use]
    pub const fn gaps(&self) -> u64 {
        self.follow.gaps
    }

    /// How many orders rest.
    #[must_use]
    pub fn len(&self) -> usize {
        self.now.orders.len()
    }

    /// Whether none does.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.now.orders.is_empty()
    }

    /// A resting order.
    #[must_use]
    pub fn order(&self, name: OrderName) -> Option<ReplicaOrder> {
        self.now.orders.get(&name).copied()
    }

    /// The name of the order that its venue calls so: a look at each longer text where 16 bytes do not hold it.
    #[must_use]
    pub fn named(&self, text: &[u8]) -> Option<OrderName> {
        let number = || self.now.texts.iter().find(|(_, known)| *known == text).map(|(number, _)| *number);
        OrderName::of_text(text).or_else(|| number().map(OrderName::Named))
    }

    /// The longer text of a name.
    #[must_use]
    pub fn text(&self, number: u64) -> Option<&[u8]> {
        self.now.texts.get(&number).map(Vec::as_slice)
    }

    /// What stands before an order in its queue; a sum beyond 64 bits is their greatest. Costs a look at each order before it.
    #[must_use]
    pub fn orders_ahead(&self, name: OrderName) -> Option<QueuePosition> {
        let order = self.order(name)?;
        let mut position = QueuePosition::default();
        for ahead in self.queue(order.side, order.price).take_while(|(ahead, _)| *ahead != name) {
            position.orders_ahead += 1;
            position.qty_ahead.0 = position.qty_ahead.0.saturating_add(ahead.1.0);
        }
        Some(position)
    }

    /// The orders at a price, the first to trade first.
    pub fn queue(&self, side: Side, price: Price) -> impl Iterator<Item = (OrderName, Qty)> + '_ {
        let queue = self.now.queues[side as usize].get(&price).map_or(&[][..], Vec::as_slice);
        queue.iter().map(|name| (*name, self.now.orders.get(name).map_or(Qty(0), |order| order.qty)))
    }

    /// The orders' sum at each price of a side, best first; a sum beyond 64 bits is their greatest.
    pub fn levels(&self, side: Side) -> impl Iterator<Item = Level> + '_ {
        self.prices(side).map(move |price| {
            let qty = self.queue(side, price).fold(0i64, |sum, (_, qty)| sum.saturating_add(qty.0));
            Level { price, qty: Qty(qty) }
        })
    }

    /// One side's orders in the order of an image.
    pub fn list(&self, side: Side) -> impl Iterator<Item = (OrderName, ReplicaOrder)> + '_ {
        self.prices(side).flat_map(move |price| {
            self.queue(side, price).map(move |(name, qty)| (name, ReplicaOrder { side, price, qty }))
        })
    }

    fn prices(&self, side: Side) -> impl Iterator<Item = Price> + '_ {
        let queues = &self.now.queues[side as usize];
        let bids = (side == Side::Bid).then(|| queues.keys().rev()).into_iter().flatten();
        let asks = (side == Side::Ask).then(|| queues.keys()).into_iter().flatten();
        bids.chain(asks).copied()
    }

    /// Applies a frame of the stream, or a status frame of its instrument.
    ///
    /// # Errors
    /// `Invalid` and `Full`; the orders are then stale and wait for an image.
    pub fn apply(&mut self, frame: &FeedFrame<'_>) -> Result<Outcome, ReplicaError> {
        let applied = match frame.kind() {
            kind if kind == Kind::Image as u8 => self.image(frame),
            kind if kind == Kind::Orders as u8 => self.changes(frame),
            kind if kind == Kind::Status as u8 => self.follow.take_status(frame),
            _ => Ok(Outcome::Ignored),
        };
        applied.map_err(|refusal| {
            self.follow.refuse();
            refusal.at(frame.at())
        })
    }

    /// Rule 4.
    fn changes(&mut self, frame: &FeedFrame<'_>) -> Result<Outcome, Refusal> {
        if let Some(outcome) = self.follow.pass_over(frame) {
            return Ok(outcome);
        }
        if frame.seq() <= self.follow.place.seq {
            return Ok(Outcome::Old);
        }
        if frame.prev_seq() != self.follow.place.seq {
            let outcome = self.follow.missed(frame.prev_seq());
            self.follow.lose(ReplicaReason::SequenceGap);
            return Ok(outcome);
        }
        if self.now.take(frame).is_none() {
            return Ok(self.follow.check_failed());
        }
        check_size(&self.now)?;
        self.follow.take_header(frame);
        self.is_event_whole = frame.flags().0 & Flags::LAST.0 != 0;
        self.follow.settle(frame.flags());
        // A stream that ends says so, and an image begins it again.
        self.follow.awaits_image = self.follow.flags.0 & Flags::STALE.0 != 0;
        Ok(Outcome::Applied)
    }

    /// Rule 1.
    fn image(&mut self, frame: &FeedFrame<'_>) -> Result<Outcome, Refusal> {
        let info = *frame.table.info().ok_or(Refusal::Invalid)?;
        let check = frame.table.check().ok_or(Refusal::Invalid)?;
        match self.follow.take_chunk(frame, &info)? {
            Turn::First => self.staged.clear(),
            Turn::Next => {}
            Turn::Wrong => return Ok(Outcome::Discarded),
        }
        let only_adds = |order: &Order| order.action() == OrderAction::Add as u8;
        if !frame.table.orders().iter().flatten().all(only_adds) || self.staged.take(frame).is_none() {
            return Ok(self.follow.check_failed());
        }
        check_size(&self.staged)?;
        if info.chunk_index() + 1 < info.chunk_count() {
            return Ok(Outcome::Chunk);
        }
        std::mem::swap(&mut self.now, &mut self.staged);
        self.staged.clear();
        self.follow.take_image(frame, &info);
        self.is_event_whole = frame.flags().0 & Flags::LAST.0 != 0;
        self.follow.checks += 1;
        if !self.agrees(check) {
            return Ok(self.follow.check_failed());
        }
        self.follow.take_image_state(&info);
        Ok(Outcome::Image)
    }

    /// Whether the orders are those of a check: of all of them, and of the best ten of each side.
    fn agrees(&self, check: &Check) -> bool {
        let counts = [Side::Bid, Side::Ask].map(|side| self.list(side).count() as u32);
        let crc = |most: usize| {
            [Side::Bid, Side::Ask].into_iter().fold(0, |crc, side| {
                self.list(side).take(most).fold(crc, |crc, (name, order)| {
                    let crc = crc32c::crc32c_append(crc, &name.bytes());
                    let crc = crc32c::crc32c_append(crc, &order.price.0.to_le_bytes());
                    crc32c::crc32c_append(crc, &order.qty.0.to_le_bytes())
                })
            })
        };
        let own = (crc(10), crc(usize::MAX), counts);
        own == (check.top_crc(), check.all_crc(), [check.bid_count(), check.ask_count()])
    }
}

fn check_size(queues: &OrderQueues) -> Result<(), Refusal> {
    if queues.orders.len() > REPLICA_ORDERS_MAX { Err(Refusal::Full) } else { Ok(()) }
}

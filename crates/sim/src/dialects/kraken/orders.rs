//! The book of orders as a subscriber of some depth sees it change.

use super::super::crc32::crc32;
use super::super::window::Window;
use super::levels::{Padding, append_checked};
use super::{CHECKED_LEVELS, rests_since};
use crate::market::book::{Book, Change, ChangeKind, Side};

/// What befell an order that is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Add,
    Modify,
    Delete,
}

/// One order of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) event: Event,
    pub(super) id: u64,
    pub(super) price: i64,
    pub(super) qty: i64,
    pub(super) time_ns: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Order {
    id: u64,
    qty: i64,
    time_ns: u64,
}

/// Both sides of a cut book with its queues, and what is to be told of them.
#[derive(Clone, Debug)]
pub(super) struct Orders {
    /// By [`Side`]; first in the queue first.
    sides: [Window<Vec<Order>>; 2],
    entries: [Vec<Entry>; 2],
}

impl Orders {
    /// A copy of a market's book at `time_ns`, shown to `depth` levels.
    pub(super) fn new(book: &Book, depth: usize, time_ns: u64) -> Self {
        let mut orders = Self { sides: [Window::new(depth), Window::new(depth)], entries: [vec![], vec![]] };
        for side in [Side::Bid, Side::Ask] {
            for (price, id, qty) in book.orders(side) {
                let time_ns = rests_since(id, time_ns);
                orders.enter(side, side.key(price), Order { id, qty, time_ns });
            }
        }
        orders
    }

    /// One step of the market. An order that moves within what is shown is a `modify`; one that moves out of it is
    /// told as gone, one that moves into it as new.
    pub(super) fn apply(&mut self, change: &Change, time_ns: u64) {
        let Change { side, price, order_id: id, order_qty: qty, .. } = *change;
        let key = side.key(price);
        let entry = |event, qty| Entry { event, id, price, qty, time_ns };
        match change.kind {
            ChangeKind::Added => {
                if self.enter(side, key, Order { id, qty, time_ns }) {
                    self.tell(side, entry(Event::Add, qty));
                }
            }
            ChangeKind::Reduced => {
                let window = &mut self.sides[side as usize];
                let queue = window.get_mut(key);
                if let Some(order) = queue.and_then(|queue| queue.iter_mut().find(|order| order.id == id)) {
                    (order.qty, order.time_ns) = (qty, time_ns);
                }
                if window.is_known(key) {
                    self.tell(side, entry(Event::Modify, qty));
                }
            }
            ChangeKind::Removed => {
                if let Some(gone) = self.leave(side, key, id, |order| entry(Event::Delete, order.qty)) {
                    self.tell_entered(side, gone);
                }
            }
            ChangeKind::Moved { from, .. } => self.shift(side, from, entry(Event::Modify, qty)),
        }
    }

    fn shift(&mut self, side: Side, from: i64, to: Entry) {
        let from_key = side.key(from);
        let was_known = self.sides[side as usize].is_known(from_key);
        let entered = self.remove(side, from_key, to.id).1;
        if let Some(entered) = entered {
            self.tell_entered(side, Some(entered));
        }
        let order = Order { id: to.id, qty: to.qty, time_ns: to.time_ns };
        match (was_known, self.enter(side, side.key(to.price), order)) {
            (true, true) => self.tell(side, to),
            (true, false) => self.tell(side, Entry { event: Event::Delete, price: from, ..to }),
            (false, true) => self.tell(side, Entry { event: Event::Add, ..to }),
            (false, false) => {}
        }
    }

    /// Puts an order at the end of its queue. Whether it is to be told.
    fn enter(&mut self, side: Side, key: i64, order: Order) -> bool {
        let window = &mut self.sides[side as usize];
        match window.get_mut(key) {
            Some(queue) => {
                queue.push(order);
                window.is_known(key)
            }
            None => window.insert(key, vec![order]),
        }
    }

    /// Takes an order out, and its level with the last one. The order, and the level that is shown instead.
    fn remove(&mut self, side: Side, key: i64, id: u64) -> (Option<Order>, Option<i64>) {
        let window = &mut self.sides[side as usize];
        let Some(queue) = window.get_mut(key) else { return (None, None) };
        let Some(at) = queue.iter().position(|order| order.id == id) else { return (None, None) };
        let order = queue.remove(at);
        let is_empty = queue.is_empty();
        (Some(order), if is_empty { window.remove(key) } else { None })
    }

    /// Takes an order out and tells it. `None`: it was not known.
    fn leave(
        &mut self,
        side: Side,
        key: i64,
        id: u64,
        entry: impl FnOnce(Order) -> Entry,
    ) -> Option<Option<i64>> {
        let was_known = self.sides[side as usize].is_known(key);
        let (order, entered) = self.remove(side, key, id);
        if was_known && let Some(order) = order {
            self.tell(side, entry(order));
        }
        was_known.then_some(entered)
    }

    /// Tells all orders of a level that came into sight.
    fn tell_entered(&mut self, side: Side, key: Option<i64>) {
        let Some(key) = key else { return };
        for order in self.sides[side as usize].get(key).into_iter().flatten() {
            let Order { id, qty, time_ns } = *order;
            let entry = Entry { event: Event::Add, id, price: side.key(key), qty, time_ns };
            self.entries[side as usize].push(entry);
        }
    }

    fn tell(&mut self, side: Side, entry: Entry) {
        self.entries[side as usize].push(entry);
    }

    /// What is to be told of a side since [`Orders::told`].
    pub(super) fn entries(&self, side: Side) -> &[Entry] {
        &self.entries[side as usize]
    }

    /// Forgets what was to be told: a message has ended.
    pub(super) fn told(&mut self) {
        self.entries.iter_mut().for_each(Vec::clear);
        self.sides.iter_mut().for_each(Window::end_message);
    }

    /// The orders shown, best price first, first in the queue first.
    pub(super) fn shown(&self, side: Side) -> impl Iterator<Item = Entry> {
        self.shown_levels(side, usize::MAX)
    }

    fn shown_levels(&self, side: Side, levels: usize) -> impl Iterator<Item = Entry> {
        self.sides[side as usize].shown().take(levels).flat_map(move |(key, queue)| {
            queue.iter().map(move |&Order { id, qty, time_ns }| Entry {
                event: Event::Add,
                id,
                price: side.key(key),
                qty,
                time_ns,
            })
        })
    }

    /// The checksum of what is shown: as of levels (rule 4), each order by itself in the order of the queue.
    pub(super) fn checksum(&self, padding: Padding) -> u32 {
        let mut text = Vec::new();
        for side in [Side::Ask, Side::Bid] {
            for order in self.shown_levels(side, CHECKED_LEVELS) {
                append_checked(&mut text, order.price, order.qty, padding);
            }
        }
        crc32(&text)
    }
}

#[cfg(test)]
#[path = "orders_tests.rs"]
mod tests;

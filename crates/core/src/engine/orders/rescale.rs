//! Orders of an instrument whose prices and quantities get another scale. Cost: a new list of all its orders, and each added anew.

use super::OrderBooks;
use crate::types::{Level, Levels, OrderChange, Side, Slot};

impl OrderBooks {
    /// What is held of an instrument with other prices and quantities: its orders in the order of their queues, as new ones,
    /// and what the event under way has touched. `None` where a number has no other.
    pub(in crate::engine) fn rewritten(
        &self,
        slot: Slot,
        rewrite: impl Fn(Level) -> Option<Level>,
    ) -> Option<(Vec<OrderChange>, Levels)> {
        let (mut orders, mut touched) = (Vec::new(), Levels::default());
        let Some(book) = self.books.get(slot.0 as usize).copied().flatten() else {
            return Some((orders, touched));
        };
        for side in [Side::Bid, Side::Ask] {
            for Level { price, .. } in self.l3.levels(book, side) {
                for order in self.l3.queue(book, side, price) {
                    let Level { price, qty } = rewrite(Level { price, qty: order.qty })?;
                    orders.push(OrderChange::Add { id: order.id, side, price, qty });
                }
            }
            for level in self.touched[book.0 as usize].side(side) {
                touched.side_mut(side).push(rewrite(*level)?);
            }
        }
        Some((orders, touched))
    }

    /// Puts that in the place of what is held.
    pub(in crate::engine) fn rewrite(&mut self, slot: Slot, (orders, touched): (Vec<OrderChange>, Levels)) {
        let Some(book) = self.books.get(slot.0 as usize).copied().flatten() else { return };
        // The numbers stay, and with them the texts.
        let cleared = self.l3.clear(book);
        debug_assert!(cleared.is_ok(), "an open book can be cleared");
        self.tops[book.0 as usize].forget();
        for order in &orders {
            let added = self.apply_seldom(book, order);
            debug_assert!(added.is_ok(), "they rested before");
        }
        self.touched[book.0 as usize] = touched;
    }
}

//! What frames do to the orders that rest, and to the texts that name them.
//!
//! Cost of a change: a look at each order of its queue that stands before it, and a move of those behind it.

use std::collections::BTreeMap;

use super::{ReplicaOrder, ReplicaOrders};
use crate::encode::generated::{Frame, Order};
use crate::encode::{NAME_GOES_ON, NAME_TEXT_BYTES, OrderAction, OrderName, PLACE_LAST};
use crate::types::{Price, Qty, Side};

impl ReplicaOrders {
    /// `None` where it contradicts what rests.
    pub(super) fn change(&mut self, told: &Order) -> Option<()> {
        let words = u128::from(told.id_high()) << 64 | u128::from(told.id_low());
        let name = OrderName::of_bytes(told.id_kind(), words.to_le_bytes())?;
        let action = OrderAction::ALL.into_iter().find(|action| *action as u8 == told.action())?;
        let side = match told.side() {
            1 => Side::Bid,
            2 => Side::Ask,
            _ if action == OrderAction::Clear => {
                self.clear();
                return Some(());
            }
            _ => return None,
        };
        let order = ReplicaOrder { side, price: Price(told.price()), qty: Qty(told.qty()) };
        if (order.qty.0 > 0) == (action == OrderAction::Remove) || name == OrderName::None {
            return None;
        }
        match action {
            OrderAction::Add => {
                if let OrderName::Named(number) = name {
                    self.texts.get(&number)?;
                }
                self.put(name, order, told.place())?;
            }
            OrderAction::Change => {
                let known = self.orders.get_mut(&name)?;
                if (known.side, known.price) != (side, order.price) {
                    return None;
                }
                known.qty = order.qty;
            }
            OrderAction::Move => {
                self.take(name, side)?;
                self.put(name, order, told.place())?;
            }
            OrderAction::Remove => {
                self.take(name, side)?;
                if let OrderName::Named(number) = name {
                    self.left.push(number);
                }
            }
            OrderAction::Clear => self.clear(),
        }
        Some(())
    }

    fn put(&mut self, name: OrderName, order: ReplicaOrder, place: u32) -> Option<()> {
        if self.orders.insert(name, order).is_some() {
            return None;
        }
        let queue = self.queues[order.side as usize].entry(order.price).or_default();
        let at = if place == PLACE_LAST { queue.len() } else { place as usize };
        if at > queue.len() {
            return None;
        }
        queue.insert(at, name);
        Some(())
    }

    fn take(&mut self, name: OrderName, side: Side) -> Option<()> {
        let order = self.orders.remove(&name).filter(|order| order.side == side)?;
        let queue = self.queues[side as usize].get_mut(&order.price)?;
        let at = queue.iter().position(|queued| *queued == name)?;
        queue.remove(at);
        if queue.is_empty() {
            self.queues[side as usize].remove(&order.price);
        }
        Some(())
    }

    pub(super) fn know_texts(&mut self, frame: &Frame<'_>) {
        let mut goes_on = None;
        for name in frame.names().iter().flatten() {
            let number = name.number();
            let text = self.texts.entry(number).or_default();
            if goes_on != Some(number) {
                text.clear();
            }
            let len = usize::from(name.size()).min(NAME_TEXT_BYTES);
            text.extend(name.text().iter().take(len));
            goes_on = (name.size() == NAME_GOES_ON).then_some(number);
        }
    }

    /// Forgets the texts of orders that have left, and have not come again in the same frame.
    pub(super) fn forget_texts(&mut self) {
        for number in self.left.drain(..) {
            if !self.orders.contains_key(&OrderName::Named(number)) {
                self.texts.remove(&number);
            }
        }
    }

    pub(super) fn clear(&mut self) {
        self.orders.clear();
        self.queues.iter_mut().for_each(BTreeMap::clear);
        self.texts.clear();
        self.left.clear();
    }
}

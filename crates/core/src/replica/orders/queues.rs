//! The orders that rest and the texts that name them, and what frames do to both.
//!
//! Cost of a change: a look at each order of its queue that stands before it, and a move of those behind it.

use std::collections::{BTreeMap, HashMap};

use super::ReplicaOrder;
use crate::encode::generated::{Frame, Order};
use crate::encode::{NAME_GOES_ON, NAME_TEXT_BYTES, OrderAction, OrderName, PLACE_LAST};
use crate::replica::FeedFrame;
use crate::types::{Price, Qty, Side};

/// Texts that are kept without an order that they name.
const TEXTS_SPARE: usize = 4_096;

#[derive(Debug, Default)]
pub(super) struct OrderQueues {
    pub orders: HashMap<OrderName, ReplicaOrder>,
    /// By price, the first to trade first.
    pub queues: [BTreeMap<Price, Vec<OrderName>>; 2],
    /// Longer texts by their numbers, and numbers of orders that have left; the latter reused.
    pub texts: HashMap<u64, Vec<u8>>,
    left: Vec<u64>,
}

impl OrderQueues {
    /// All changes of a frame, in their order, with the texts that they bring. `None` where one contradicts what rests.
    pub fn take(&mut self, frame: &FeedFrame<'_>) -> Option<()> {
        self.know_texts(&frame.table);
        for order in frame.table.orders().iter().flatten() {
            self.change(order)?;
        }
        self.forget_texts();
        Some(())
    }

    /// `None` where it contradicts what rests.
    fn change(&mut self, told: &Order) -> Option<()> {
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
                self.pull(name, side)?;
                self.put(name, order, told.place())?;
            }
            OrderAction::Remove => {
                self.pull(name, side)?;
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

    fn pull(&mut self, name: OrderName, side: Side) -> Option<()> {
        let order = self.orders.remove(&name).filter(|order| order.side == side)?;
        let queue = self.queues[side as usize].get_mut(&order.price)?;
        let at = queue.iter().position(|queued| *queued == name)?;
        queue.remove(at);
        if queue.is_empty() {
            self.queues[side as usize].remove(&order.price);
        }
        Some(())
    }

    fn know_texts(&mut self, frame: &Frame<'_>) {
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
    fn forget_texts(&mut self) {
        for number in self.left.drain(..) {
            if !self.orders.contains_key(&OrderName::Named(number)) {
                self.texts.remove(&number);
            }
        }
        if self.texts.len() > self.orders.len() + TEXTS_SPARE {
            self.texts.retain(|number, _| self.orders.contains_key(&OrderName::Named(*number)));
        }
    }

    pub fn clear(&mut self) {
        self.orders.clear();
        self.queues.iter_mut().for_each(BTreeMap::clear);
        self.texts.clear();
        self.left.clear();
    }
}

//! The true books: per symbol and side the levels, per level the orders in time priority.
//!
//! Prices are in ticks of the symbol. Orders and levels live in two pools for the whole market; what dies is
//! used again, so memory follows the greatest population.

use crate::market::book::Side;

pub(crate) const NONE: u32 = u32::MAX;

/// A resting order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order {
    pub(crate) reference: u64,
    /// Shares left, above 0.
    pub(crate) qty: u32,
    pub(crate) level: u32,
    older: u32,
    newer: u32,
}

/// What stands at one price.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Level {
    pub(crate) price: u32,
    pub(crate) symbol: u16,
    pub(crate) side: Side,
    /// Sum of the orders' shares.
    pub(crate) qty: u64,
    /// Number of orders, above 0.
    pub(crate) orders: u32,
    /// The order that trades first.
    pub(crate) oldest: u32,
    newest: u32,
}

/// A level in its side's list, by a key that rises towards the best.
#[derive(Clone, Copy, Debug)]
struct Entry {
    key: u32,
    level: u32,
}

/// One side of a book. Its best price stands beside the list, so that most questions need no look into it.
#[derive(Clone, Debug, Default)]
struct Ladder {
    /// The best last.
    entries: Vec<Entry>,
    /// Meaningless where there are no entries.
    best_price: u32,
}

/// All books of the market.
#[derive(Clone, Debug)]
pub(crate) struct Queues {
    orders: Vec<Order>,
    orders_free: Vec<u32>,
    levels: Vec<Level>,
    levels_free: Vec<u32>,
    /// Per symbol bids and asks.
    ladders: Vec<[Ladder; 2]>,
}

const fn key(side: Side, price: u32) -> u32 {
    match side {
        Side::Bid => price,
        Side::Ask => !price,
    }
}

/// Entries next to the best that are looked at one by one: most orders stand there, on one or two cache lines.
const NEAR: usize = 8;

impl Ladder {
    /// The place of the first entry that is not worse than `key`.
    fn place(&self, key: u32) -> usize {
        let near = self.entries.len().saturating_sub(NEAR);
        match self.entries[near..].iter().rposition(|entry| entry.key < key) {
            Some(worse) => near + worse + 1,
            None => self.entries[..near].partition_point(|entry| entry.key < key),
        }
    }
}

impl Queues {
    pub(crate) fn new(symbols: usize) -> Self {
        Self {
            orders: Vec::new(),
            orders_free: Vec::new(),
            levels: Vec::new(),
            levels_free: Vec::new(),
            ladders: vec![[Ladder::default(), Ladder::default()]; symbols],
        }
    }

    /// Orders resting in all books.
    pub(crate) fn orders_len(&self) -> usize {
        self.orders.len() - self.orders_free.len()
    }

    /// Levels of all books.
    pub(crate) fn levels_len(&self) -> usize {
        self.levels.len() - self.levels_free.len()
    }

    pub(crate) fn order(&self, slot: u32) -> Order {
        self.orders[slot as usize]
    }

    /// The level of an order.
    pub(crate) fn level_of(&self, slot: u32) -> Level {
        self.levels[self.order(slot).level as usize]
    }

    /// The best level of a side.
    pub(crate) fn best(&self, symbol: usize, side: Side) -> Option<Level> {
        self.ladders[symbol][side as usize].entries.last().map(|entry| self.levels[entry.level as usize])
    }

    /// The best price of a side.
    pub(crate) fn best_price(&self, symbol: usize, side: Side) -> Option<u32> {
        let ladder = &self.ladders[symbol][side as usize];
        (!ladder.entries.is_empty()).then_some(ladder.best_price)
    }

    /// The levels of a side, best first.
    pub(crate) fn levels(&self, symbol: usize, side: Side) -> impl Iterator<Item = Level> {
        self.ladders[symbol][side as usize]
            .entries
            .iter()
            .rev()
            .map(|entry| self.levels[entry.level as usize])
    }

    /// The orders of a level, first in time first.
    pub(crate) fn orders(&self, level: Level) -> impl Iterator<Item = Order> {
        let order = |slot: u32| self.orders.get(slot as usize).copied();
        std::iter::successors(order(level.oldest), move |last| order(last.newer))
    }

    /// Puts an order at the end of its queue and returns its slot. Costs a binary search, and the moving of
    /// better levels where its price is a new one.
    pub(crate) fn add(&mut self, symbol: usize, side: Side, price: u32, qty: u32, reference: u64) -> u32 {
        let key = key(side, price);
        let ladder = &mut self.ladders[symbol][side as usize];
        let at = ladder.place(key);
        let level = match ladder.entries.get(at) {
            Some(entry) if entry.key == key => entry.level,
            _ => {
                let new = Level {
                    price,
                    symbol: symbol as u16,
                    side,
                    qty: 0,
                    orders: 0,
                    oldest: NONE,
                    newest: NONE,
                };
                let level = store(&mut self.levels, &mut self.levels_free, new);
                if at == ladder.entries.len() {
                    ladder.best_price = price;
                }
                ladder.entries.insert(at, Entry { key, level });
                level
            }
        };
        let queue = &mut self.levels[level as usize];
        let newest = queue.newest;
        let order = Order { reference, qty, level, older: newest, newer: NONE };
        let slot = store(&mut self.orders, &mut self.orders_free, order);
        queue.qty += u64::from(qty);
        queue.orders += 1;
        queue.newest = slot;
        match newest {
            NONE => queue.oldest = slot,
            newest => self.orders[newest as usize].newer = slot,
        }
        slot
    }

    /// Takes shares off an order. True: none are left, and the order is gone.
    pub(crate) fn reduce(&mut self, slot: u32, qty: u32) -> bool {
        let order = &mut self.orders[slot as usize];
        if qty >= order.qty {
            self.remove(slot);
            return true;
        }
        order.qty -= qty;
        self.levels[order.level as usize].qty -= u64::from(qty);
        false
    }

    /// Takes an order out of its queue, and its level out of the book where it was the last one.
    pub(crate) fn remove(&mut self, slot: u32) {
        let Order { qty, level, older, newer, .. } = self.order(slot);
        let queue = &mut self.levels[level as usize];
        queue.qty -= u64::from(qty);
        queue.orders -= 1;
        match older {
            NONE => queue.oldest = newer,
            older => self.orders[older as usize].newer = newer,
        }
        match newer {
            NONE => queue.newest = older,
            newer => self.orders[newer as usize].older = older,
        }
        if queue.orders == 0 {
            let key = key(queue.side, queue.price);
            let ladder = &mut self.ladders[usize::from(queue.symbol)][queue.side as usize];
            let at = ladder.place(key);
            ladder.entries.remove(at);
            if let Some(best) = ladder.entries.last().filter(|_| at == ladder.entries.len()) {
                ladder.best_price = self.levels[best.level as usize].price;
            }
            self.levels_free.push(level);
        }
        self.orders_free.push(slot);
    }
}

fn store<T>(pool: &mut Vec<T>, free: &mut Vec<u32>, item: T) -> u32 {
    match free.pop() {
        Some(slot) => {
            pool[slot as usize] = item;
            slot
        }
        None => {
            pool.push(item);
            pool.len() as u32 - 1
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    fn book(queues: &Queues, side: Side) -> Vec<(u32, u64, Vec<u64>)> {
        let level = |level: Level| {
            assert_eq!(queues.orders(level).count(), level.orders as usize);
            assert_eq!(queues.orders(level).map(|order| u64::from(order.qty)).sum::<u64>(), level.qty);
            (level.price, level.qty, queues.orders(level).map(|order| order.reference).collect())
        };
        queues.levels(1, side).map(level).collect()
    }

    #[test]
    fn levels_stand_best_first_and_orders_in_time_priority() {
        for (side, prices) in [(Side::Bid, [7, 9, 8]), (Side::Ask, [9, 7, 8])] {
            let mut queues = Queues::new(2);
            let slots: Vec<u32> =
                (0..6).map(|at| queues.add(1, side, prices[at % 3], 100, at as u64)).collect();
            assert_eq!(
                book(&queues, side),
                [(prices[1], 200, vec![1, 4]), (8, 200, vec![2, 5]), (prices[0], 200, vec![0, 3])]
            );
            assert!(!queues.reduce(slots[4], 99));
            queues.remove(slots[1]);
            assert_eq!(queues.best(1, side).map(|best| (best.qty, best.orders)), Some((1, 1)));
            assert!(queues.reduce(slots[4], 1));
            queues.remove(slots[5]);
            queues.remove(slots[0]);
            assert_eq!(book(&queues, side), [(8, 100, vec![2]), (prices[0], 100, vec![3])]);
            assert_eq!((queues.orders_len(), queues.levels_len()), (2, 2));
            let slot = queues.add(1, side, 8, 5, 10);
            assert_eq!(slot, slots[0], "the last to go is used first");
            assert_eq!(book(&queues, side)[0], (8, 105, vec![2, 10]));
            assert!(queues.best(0, side).is_none());
        }
    }
}

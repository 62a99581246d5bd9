//! The orders of a length as their subscribers have them, and the rows that make them the market's again.

use std::collections::{BTreeMap, VecDeque};

use super::super::{TrueOrder, TrueOrders, Truth};
use crate::market::book::{Book, Side};

/// One row: where an order rests. A price of 0 removes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) side: Side,
    pub(super) id: u64,
    pub(super) price: i64,
    pub(super) qty: i64,
}

/// Number and quantity of orders at one price.
type Queue = Vec<(u64, i64)>;

/// Both sides as told, and what is still to be told.
#[derive(Clone, Debug, Default)]
pub(super) struct Orders {
    /// By [`Side`], by [`Side::key`]; in a queue the first told first.
    told: [BTreeMap<i64, Queue>; 2],
    waiting: VecDeque<Row>,
}

/// The best orders of a side: by price, then by number.
fn shown(book: &Book, side: Side, len: usize) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (price, id, qty) in book.orders(side) {
        if rows.len() >= len && rows.last().is_some_and(|last| last.price != price) {
            break;
        }
        rows.push(Row { side, id, price, qty });
    }
    rows.sort_by_key(|row| (side.key(row.price), row.id));
    rows.truncate(len);
    rows
}

impl Orders {
    /// The book is told whole.
    pub(super) fn begin(&mut self, book: &Book, len: usize) {
        *self = Self::default();
        for row in [Side::Bid, Side::Ask].into_iter().flat_map(|side| shown(book, side, len)) {
            self.tell(row);
        }
    }

    /// The market has changed, and all rows were told. What leaves is told first, so that no side is longer than it may be.
    pub(super) fn changed(&mut self, book: &Book, len: usize) {
        debug_assert!(self.waiting.is_empty());
        let mut changed = Vec::new();
        for side in [Side::Bid, Side::Ask] {
            let now = shown(book, side, len);
            let told: BTreeMap<_, _> = self.told(side).map(|row| (row.id, row)).collect();
            let is_gone = |row: &Row| now.iter().all(|other| other.id != row.id);
            self.waiting.extend(told.values().filter(|row| is_gone(row)).map(|row| Row { price: 0, ..*row }));
            changed.extend(now.into_iter().filter(|row| told.get(&row.id) != Some(row)));
        }
        self.waiting.extend(changed);
    }

    /// The next row, which is told from now on.
    pub(super) fn next(&mut self) -> Option<Row> {
        let row = self.waiting.pop_front()?;
        self.tell(row);
        Some(row)
    }

    /// An order that is told anew at its price keeps its place unless it grows; else it stands last.
    fn tell(&mut self, row: Row) {
        let told = &mut self.told[row.side as usize];
        let key = row.side.key(row.price);
        let rests = told.iter().find_map(|(key, queue)| {
            queue.iter().position(|(id, _)| *id == row.id).map(|place| (*key, place))
        });
        if let Some((at, place)) = rests {
            let queue = told.entry(at).or_default();
            if at == key && queue[place].1 >= row.qty {
                queue[place].1 = row.qty;
                return;
            }
            queue.remove(place);
            if queue.is_empty() {
                told.remove(&at);
            }
        }
        if row.price != 0 {
            told.entry(key).or_default().push((row.id, row.qty));
        }
    }

    /// What is told of a side, the best first.
    pub(super) fn told(&self, side: Side) -> impl Iterator<Item = Row> {
        self.told[side as usize].iter().flat_map(move |(key, queue)| {
            queue.iter().map(move |&(id, qty)| Row { side, id, price: side.key(*key), qty })
        })
    }

    pub(super) fn truth(&self, out: &mut Truth) {
        out.seq = 0;
        for (side, levels) in [(Side::Bid, &mut out.bids), (Side::Ask, &mut out.asks)] {
            levels.clear();
            let sum = |queue: &Queue| queue.iter().map(|(_, qty)| qty).sum();
            levels.extend(self.told[side as usize].iter().map(|(key, queue)| (side.key(*key), sum(queue))));
        }
    }

    pub(super) fn true_orders(&self, out: &mut TrueOrders) {
        for (side, orders) in [(Side::Bid, &mut out.bids), (Side::Ask, &mut out.asks)] {
            orders.clear();
            orders.extend(self.told(side).map(|Row { id, price, qty, .. }| TrueOrder { id, price, qty }));
        }
    }
}

//! The levels of a length as their subscribers have them, and the rows that make them the market's again.

use std::collections::{BTreeMap, VecDeque};

use super::Truth;
use crate::market::book::{Book, Side};

/// One row: what stands at a price. A count of 0 removes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) side: Side,
    pub(super) price: i64,
    pub(super) count: u32,
    pub(super) qty: i64,
}

/// Both sides as told, and what is still to be told.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    /// By [`Side`], by [`Side::key`].
    told: [BTreeMap<i64, Row>; 2],
    waiting: VecDeque<Row>,
}

fn shown(book: &Book, side: Side, len: usize) -> impl Iterator<Item = (i64, Row)> {
    let row = move |price, qty, count| (side.key(price), Row { side, price, count, qty });
    book.levels(side).take(len).map(move |level| row(level.price, level.qty, level.orders))
}

impl Rows {
    /// The book is told whole.
    pub(super) fn begin(&mut self, book: &Book, len: usize) {
        self.waiting.clear();
        for side in [Side::Bid, Side::Ask] {
            self.told[side as usize] = shown(book, side, len).collect();
        }
    }

    /// The market has changed, and all rows were told. What leaves is told first, so that no book is crossed or longer than
    /// it may be between two rows.
    pub(super) fn changed(&mut self, book: &Book, len: usize) {
        debug_assert!(self.waiting.is_empty());
        let mut changed = Vec::new();
        for side in [Side::Bid, Side::Ask] {
            let told = &self.told[side as usize];
            let now: BTreeMap<_, _> = shown(book, side, len).collect();
            let gone = told.iter().filter(|(key, _)| !now.contains_key(key));
            self.waiting.extend(gone.map(|(_, row)| Row { count: 0, ..*row }));
            changed.extend(now.iter().filter(|(key, row)| told.get(key) != Some(row)).map(|(_, row)| *row));
        }
        self.waiting.extend(changed);
    }

    /// The next row, which is told from now on.
    pub(super) fn next(&mut self) -> Option<Row> {
        let row = self.waiting.pop_front()?;
        let told = &mut self.told[row.side as usize];
        let key = row.side.key(row.price);
        if row.count == 0 {
            told.remove(&key);
        } else {
            told.insert(key, row);
        }
        Some(row)
    }

    /// What is told: bids, then asks, the best first.
    pub(super) fn told(&self) -> impl Iterator<Item = Row> {
        self.told.iter().flat_map(BTreeMap::values).copied()
    }

    pub(super) fn truth(&self, out: &mut Truth) {
        out.seq = 0;
        for (told, levels) in self.told.iter().zip([&mut out.bids, &mut out.asks]) {
            levels.clear();
            levels.extend(told.values().map(|row| (row.price, row.qty)));
        }
    }
}

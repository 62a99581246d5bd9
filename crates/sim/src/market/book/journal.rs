//! What happens to single orders, in order, for formats that tell each step.

use super::{Book, NONE, Side};

/// What happened to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChangeKind {
    /// It came to rest, behind the others of its price.
    Added,
    /// Part of it traded or was taken back; it keeps its place.
    Reduced,
    /// It is gone.
    Removed,
    /// It went to another price, behind the others there.
    Moved {
        /// The price that it left.
        from: i64,
        /// What stands there since.
        from_level_qty: i64,
    },
}

/// One step of one order, and its level after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) side: Side,
    pub(crate) price: i64,
    /// What stands at the price after this step; 0 where nothing does.
    pub(crate) level_qty: i64,
    pub(crate) kind: ChangeKind,
    pub(crate) order_id: u64,
    /// What is left of the order; 0 where it is gone.
    pub(crate) order_qty: i64,
}

impl Book {
    /// From now on every step is kept until [`Book::take_changes`].
    pub(crate) fn keep_journal(&mut self) {
        self.journal = Some(Vec::new());
    }

    /// Appends the steps since the last call to `out`.
    pub(crate) fn take_changes(&mut self, out: &mut Vec<Change>) {
        if let Some(journal) = &mut self.journal {
            out.append(journal);
        }
    }

    /// The orders of a side as price, id and quantity: best price first, oldest first.
    pub(crate) fn orders(&self, side: Side) -> impl Iterator<Item = (i64, u64, i64)> {
        self.levels(side).flat_map(move |level| {
            let mut slot = level.oldest;
            std::iter::from_fn(move || {
                (slot != NONE).then(|| {
                    let order = self.pool[slot as usize];
                    slot = order.newer;
                    (level.price, order.id, order.qty)
                })
            })
        })
    }

    pub(super) fn record(&mut self, side: Side, price: i64, kind: ChangeKind, order_id: u64, order_qty: i64) {
        if self.journal.is_some() {
            let level_qty = self.qty_at(side, price);
            let change = Change { side, price, level_qty, kind, order_id, order_qty };
            self.journal.get_or_insert_default().push(change);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Limits, Remainder};
    use super::*;

    fn changes(book: &mut Book) -> Vec<(i64, i64, ChangeKind, u64, i64)> {
        let mut taken = Vec::new();
        book.take_changes(&mut taken);
        taken.iter().map(|of| (of.price, of.level_qty, of.kind, of.order_id, of.order_qty)).collect()
    }

    #[test]
    fn every_step_is_told_with_its_level_after_it() {
        let mut book = Book::new(Limits { levels: 50, orders: 100 });
        for distance in 0..20 {
            book.submit(Side::Ask, 1_000 + distance, 10, Remainder::Rests);
        }
        book.submit(Side::Ask, 1_000, 5, Remainder::Rests);
        book.keep_journal();
        book.submit(Side::Bid, 1_001, 18, Remainder::Cancelled);
        assert_eq!(
            changes(&mut book),
            [
                (1_000, 5, ChangeKind::Removed, 1, 0),
                (1_000, 0, ChangeKind::Removed, 21, 0),
                (1_001, 7, ChangeKind::Reduced, 2, 7),
            ]
        );
        book.submit(Side::Ask, 1_001, 3, Remainder::Rests);
        assert_eq!(changes(&mut book), [(1_001, 10, ChangeKind::Added, 22, 3)]);
        assert!(book.orders(Side::Ask).take(3).eq([(1_001, 2, 7), (1_001, 22, 3), (1_002, 3, 10)]));
    }
}

//! The best levels of a book as they were told last, and what is to be told of them now.

use super::Truth;
use crate::market::book::{Book, Side};

/// Prices and quantities of a side, best first.
type Levels = Vec<(i64, i64)>;

/// What a venue shows that tells of its best `depth` levels at times, each with its new quantity: one that has left them
/// with 0.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    depth: usize,
    /// By [`Side`].
    told: [Levels; 2],
    changes: [Levels; 2],
}

impl Shown {
    /// The best levels of a book.
    pub(super) fn new(book: &Book, depth: usize) -> Self {
        let mut shown = Self { depth, told: [vec![], vec![]], changes: [vec![], vec![]] };
        shown.update(book);
        shown
    }

    /// Looks again. Whether anything has changed.
    pub(super) fn update(&mut self, book: &Book) -> bool {
        for side in [Side::Bid, Side::Ask] {
            let (told, changes) = (&mut self.told[side as usize], &mut self.changes[side as usize]);
            changes.clear();
            let mut before = told.iter().copied().peekable();
            let mut now = book.levels(side).take(self.depth).map(|level| (level.price, level.qty)).peekable();
            loop {
                let key = |level: Option<&(i64, i64)>| level.map_or(i64::MAX, |level| side.key(level.0));
                let (old, new) = (key(before.peek()), key(now.peek()));
                match (old.cmp(&new), old) {
                    (core::cmp::Ordering::Equal, i64::MAX) => break,
                    (core::cmp::Ordering::Equal, _) => {
                        let (old, new) = (before.next(), now.next());
                        changes.extend(new.filter(|_| new != old));
                    }
                    (core::cmp::Ordering::Less, _) => {
                        changes.extend(before.next().map(|(price, _)| (price, 0)));
                    }
                    (core::cmp::Ordering::Greater, _) => changes.extend(now.next()),
                }
            }
            told.clear();
            told.extend(book.levels(side).take(self.depth).map(|level| (level.price, level.qty)));
        }
        self.changes.iter().any(|side| !side.is_empty())
    }

    /// The levels, bids and asks.
    pub(super) const fn levels(&self) -> &[Levels; 2] {
        &self.told
    }

    /// Replaces `out` with the levels, at a number of the venue.
    pub(super) fn truth(&self, seq: u64, out: &mut Truth) {
        let [bids, asks] = &self.told;
        out.seq = seq;
        out.bids.clone_from(bids);
        out.asks.clone_from(asks);
    }

    /// What the last [`Shown::update`] found, bids and asks.
    pub(super) const fn changes(&self) -> &[Levels; 2] {
        &self.changes
    }

    /// The best of a side; zeros where it is empty.
    pub(super) fn best(&self, side: Side) -> (i64, i64) {
        self.told[side as usize].first().copied().unwrap_or((0, 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::book::{Limits, Remainder};

    #[test]
    fn what_is_told_is_what_differs() {
        let mut book = Book::new(Limits { levels: 50, orders: 50 });
        // A book that trades keeps some levels.
        for price in 81..=100 {
            book.submit(Side::Bid, price, 105 - price, Remainder::Rests);
        }
        book.submit(Side::Ask, 101, 4, Remainder::Rests);
        let mut shown = Shown::new(&book, 2);
        assert_eq!(shown.levels(), &[vec![(100, 5), (99, 6)], vec![(101, 4)]]);
        assert!(!shown.update(&book));
        book.submit(Side::Ask, 100, 5, Remainder::Rests);
        book.submit(Side::Bid, 99, 1, Remainder::Rests);
        assert!(shown.update(&book));
        assert_eq!(shown.changes(), &[vec![(100, 0), (99, 7), (98, 7)], vec![]]);
        assert_eq!((shown.best(Side::Bid), shown.best(Side::Ask)), ((99, 7), (101, 4)));
        book.submit(Side::Bid, 100, 1, Remainder::Rests);
        assert!(shown.update(&book));
        assert_eq!(shown.changes(), &[vec![(100, 1), (98, 0)], vec![]]);
    }
}

//! What subscribers have been told of a book, for venues that say of each level whether it comes, changes or goes.

use std::collections::BTreeMap;

use super::Truth;
use crate::market::book::{Book, Side};

/// What happens to a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    New,
    Change,
    Delete,
}

/// Both sides as they were told, by keys that rise away from the best.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    sides: [BTreeMap<i64, i64>; 2],
}

impl Told {
    /// The whole book is told.
    pub(super) fn load(&mut self, book: &Book) {
        for side in [Side::Bid, Side::Ask] {
            self.sides[side as usize] =
                book.levels(side).map(|level| (side.key(level.price), level.qty)).collect();
        }
    }

    /// What is to be said of a level that has become so. `None` where that is nothing.
    pub(super) fn verb(&self, side: Side, price: i64, qty: i64) -> Option<Verb> {
        match self.sides[side as usize].get(&side.key(price)) {
            None => (qty != 0).then_some(Verb::New),
            Some(_) if qty == 0 => Some(Verb::Delete),
            Some(before) => (*before != qty).then_some(Verb::Change),
        }
    }

    /// A level is told anew. `None` where nothing is to be said of it.
    pub(super) fn tell(&mut self, side: Side, price: i64, qty: i64) -> Option<Verb> {
        let verb = self.verb(side, price, qty);
        let levels = &mut self.sides[side as usize];
        match qty {
            0 => levels.remove(&side.key(price)),
            _ => levels.insert(side.key(price), qty),
        };
        verb
    }

    /// The levels of a side, best first.
    pub(super) fn levels(&self, side: Side) -> impl ExactSizeIterator<Item = (i64, i64)> {
        self.sides[side as usize].iter().map(move |(&key, &qty)| (side.key(key), qty))
    }

    /// Replaces `out` with the best levels of what was told, in steps of so many.
    pub(super) fn truth(&self, seq: u64, (price, qty): (i64, i64), out: &mut Truth) {
        out.seq = seq;
        for (side, levels) in [(Side::Bid, &mut out.bids), (Side::Ask, &mut out.asks)] {
            levels.clear();
            levels.extend(self.levels(side).map(|level| (level.0 * price, level.1 * qty)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_comes_changes_and_goes() {
        let mut told = Told::default();
        for (qty, verb) in [
            (0, None),
            (5, Some(Verb::New)),
            (5, None),
            (6, Some(Verb::Change)),
            (0, Some(Verb::Delete)),
            (0, None),
        ] {
            assert_eq!(told.tell(Side::Bid, 100, qty), verb, "{qty}");
        }
    }
}

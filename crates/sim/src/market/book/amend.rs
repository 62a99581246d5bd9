//! Orders that change, and sides that vanish.

use super::{Book, ChangeKind, NONE, Order, Side};

impl Book {
    /// Takes `qty` from the order with `newer_than` older ones before it; it keeps its place. Does nothing where
    /// no level stands or nothing would be left.
    pub(crate) fn amend_qty(&mut self, side: Side, price: i64, newer_than: u32, qty: i64) {
        if let Some(slot) = self.slot_at(side, price, newer_than)
            && qty > 0
            && self.pool[slot as usize].qty > qty
        {
            self.reduce(side, side.key(price), slot, qty);
            self.note(side, price);
        }
    }

    /// Moves the order with `newer_than` older ones before it behind those of the price `to`, under its id. Does
    /// nothing where no level stands, where it would meet the other side, or where a limit is reached.
    pub(crate) fn amend_price(&mut self, side: Side, price: i64, newer_than: u32, to: i64) {
        let crosses = self.best(side.other()).is_some_and(|best| side.key(to) <= side.key(best.price));
        let is_full = self.levels_len(side) >= self.limits.levels;
        let Some(slot) = self.slot_at(side, price, newer_than) else { return };
        if crosses || is_full || to == price || to <= 0 {
            return;
        }
        let order = self.pool[slot as usize];
        let journal = self.journal.take();
        self.remove(side, side.key(price), slot);
        self.link(side, to, Order { older: NONE, newer: NONE, ..order });
        self.journal = journal;
        let from_level_qty = self.qty_at(side, price);
        self.record(side, to, ChangeKind::Moved { from: price, from_level_qty }, order.id, order.qty);
        self.note(side, price);
        self.note(side, to);
    }

    /// Cancels every order of the best `levels` levels of a side, the last ones too.
    pub(crate) fn strip(&mut self, side: Side, levels: usize) {
        for _ in 0..levels {
            let Some(best) = self.best(side) else { return };
            while let Some(slot) = self.slot_at(side, best.price, 0) {
                self.remove(side, side.key(best.price), slot);
            }
            self.note(side, best.price);
        }
    }

    /// The order with `newer_than` older ones before it, or the newest where there are fewer.
    fn slot_at(&self, side: Side, price: i64, newer_than: u32) -> Option<u32> {
        let level = self.ladder(side).levels.get(&side.key(price))?;
        let mut slot = level.oldest;
        for _ in 0..newer_than.min(level.orders - 1) {
            slot = self.pool[slot as usize].newer;
        }
        Some(slot)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Limits, Remainder};
    use super::*;

    fn book() -> Book {
        let mut book = Book::new(Limits { levels: 30, orders: 100 });
        for distance in 0..20 {
            book.submit(Side::Bid, 1_000 - distance, 10, Remainder::Rests);
            book.submit(Side::Ask, 1_001 + distance, 10, Remainder::Rests);
        }
        book.submit(Side::Bid, 1_000, 4, Remainder::Rests);
        book.keep_journal();
        book
    }

    fn kinds(book: &mut Book) -> Vec<ChangeKind> {
        let mut taken = Vec::new();
        book.take_changes(&mut taken);
        taken.iter().map(|change| change.kind).collect()
    }

    #[test]
    fn less_keeps_the_place_and_another_price_goes_to_the_end() {
        let mut book = book();
        book.amend_qty(Side::Bid, 1_000, 0, 3);
        assert!(book.orders(Side::Bid).take(2).eq([(1_000, 1, 7), (1_000, 41, 4)]));
        book.amend_price(Side::Bid, 999, 0, 1_000);
        assert!(book.orders(Side::Bid).take(4).eq([
            (1_000, 1, 7),
            (1_000, 41, 4),
            (1_000, 3, 10),
            (998, 5, 10)
        ]));
        let moved = ChangeKind::Moved { from: 999, from_level_qty: 0 };
        assert_eq!(kinds(&mut book), [ChangeKind::Reduced, moved]);
        assert_eq!(book.qty_at(Side::Bid, 1_000), 21);
    }

    #[test]
    fn what_makes_no_sense_changes_nothing() {
        let mut book = book();
        let id = book.id();
        book.amend_qty(Side::Bid, 1_000, 0, 10);
        book.amend_qty(Side::Bid, 5_000, 0, 1);
        book.amend_price(Side::Bid, 1_000, 0, 1_001);
        book.amend_price(Side::Bid, 1_000, 0, 1_000);
        assert_eq!((book.id(), kinds(&mut book).len()), (id, 0));
    }

    #[test]
    fn a_side_can_be_stripped_to_nothing() {
        let mut book = book();
        book.strip(Side::Bid, 2);
        assert_eq!(book.best(Side::Bid).map(|best| best.price), Some(998));
        assert_eq!(kinds(&mut book), [ChangeKind::Removed; 3]);
        book.strip(Side::Bid, usize::MAX);
        assert!(book.best(Side::Bid).is_none() && book.orders_len(Side::Bid) == 0);
    }
}

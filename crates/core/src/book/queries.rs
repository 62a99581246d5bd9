//! What is asked of a book.

use super::entries::LevelIter;
use super::side::BookSide;
use super::{L2Book, QtyAt, Taken};
use crate::types::{KnownTo, Level, Price, Qty, Side};

impl L2Book {
    /// The highest bid. It may lie beyond [`Self::known_to`] when everything nearer was removed.
    #[inline]
    #[must_use]
    pub fn best_bid(&self) -> Option<Level> {
        self.bids.best().map(|entry| self.bids.level(entry))
    }

    /// The lowest ask. It may lie beyond [`Self::known_to`] when everything nearer was removed.
    #[inline]
    #[must_use]
    pub fn best_ask(&self) -> Option<Level> {
        self.asks.best().map(|entry| self.asks.level(entry))
    }

    /// Whether the best bid is above the best ask; equality is locked, not crossed.
    #[inline]
    #[must_use]
    pub fn is_crossed(&self) -> bool {
        matches!((self.best_bid(), self.best_ask()), (Some(bid), Some(ask)) if bid.price > ask.price)
    }

    /// One side's levels, best first.
    #[must_use]
    pub fn levels(&self, side: Side) -> LevelIter<'_> {
        self.side(side).levels()
    }

    /// Number of levels of one side.
    #[inline]
    #[must_use]
    pub fn len(&self, side: Side) -> usize {
        self.side(side).len()
    }

    /// Whether neither side has a level.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.levels_total() == 0
    }

    /// How much stands at a price. A price beyond [`Self::known_to`] without a level is unknown, not empty.
    #[inline]
    #[must_use]
    pub fn qty_at(&self, side: Side, price: Price) -> QtyAt {
        match self.side(side).qty_at(price) {
            0 if !self.known_to.covers(side, price) => QtyAt::Unknown,
            qty => QtyAt::Known(Qty(qty)),
        }
    }

    /// Sum of the quantities from the best level to a price, that one included. Whether the book is known so far is
    /// told by [`Self::known_to`].
    ///
    /// Costs an addition for every 64 ticks of the range, up to 64 more for its edge, and one for each level outside the
    /// window; an addition for every tick while a quantity of the side is 2^52 or more.
    #[inline]
    #[must_use]
    pub fn qty_to(&self, side: Side, price: Price) -> i128 {
        let book_side = self.side(side);
        // At most 2^32 levels of 2^63.
        book_side.qty_from(book_side.key(price)) as i128
    }

    /// Sum of the quantities from one price of a side to another that is not better, both included; 0 when it is
    /// better. Costs as [`Self::qty_to`] does.
    #[inline]
    #[must_use]
    pub fn qty_between(&self, side: Side, from: Price, to: Price) -> i128 {
        let book_side = self.side(side);
        book_side.qty_between(book_side.key(to), book_side.key(from)) as i128
    }

    /// The best level that is worse than a price.
    #[inline]
    #[must_use]
    pub fn best_beyond(&self, side: Side, price: Price) -> Option<Level> {
        let book_side = self.side(side);
        book_side.best_below(book_side.key(price)).map(|entry| book_side.level(entry))
    }

    /// What the best levels hold, up to a quantity; nothing for one of 0 or less.
    ///
    /// Costs a few additions for every 64 ticks and a few nanoseconds for each level of the first, of the last and of
    /// the far levels' blocks; a few nanoseconds for each level while a quantity of the side is 2^52 or more.
    #[must_use]
    pub fn take(&self, side: Side, qty: Qty) -> Taken {
        let book_side = self.side(side);
        let part = book_side.take(u64::try_from(qty.0).unwrap_or(0));
        // Keys of asks are −1 − price.
        let value = if side == Side::Bid { part.weighted } else { -part.weighted - i128::from(part.qty) };
        let worst = part.worst.map(|key| Price(key ^ book_side.flip));
        Taken { qty: Qty(part.qty as i64), value, worst }
    }

    /// Gives the best price buckets `width` apart that hold a level, by their worst prices and sums, while `take` says so.
    /// `end` is the worst price of the bucket of the best level.
    ///
    /// It may stop short at any bucket, where the quick sums end; the rest is for [`Self::best_beyond`] and
    /// [`Self::qty_between`].
    #[inline]
    pub(crate) fn bucket_run(
        &self,
        side: Side,
        end: Price,
        width: i64,
        mut take: impl FnMut(Price, i128) -> bool,
    ) {
        let book_side = self.side(side);
        book_side.bucket_run(book_side.key(end), width, |key, qty| {
            take(Price(key ^ book_side.flip), i128::from(qty))
        });
    }

    /// How deep the last snapshot, or the last cut to a depth, has left the book known.
    #[inline]
    #[must_use]
    pub fn known_to(&self) -> KnownTo {
        self.known_to
    }

    #[inline]
    fn side(&self, side: Side) -> &BookSide {
        match side {
            Side::Bid => &self.bids,
            Side::Ask => &self.asks,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::l2_book::tests::{SPEC, book, levels, run_of, whole};
    use super::*;

    #[test]
    fn says_unknown_where_the_venue_has_not_made_the_book_known() {
        let mut book = L2Book::new(SPEC);
        assert_eq!(book.qty_at(Side::Bid, Price(600)), QtyAt::Unknown);
        let known_to = KnownTo { bid: Price(590), ask: Price(710) };
        book.load(levels(&[(600, 1), (590, 2)], &[(700, 1), (710, 2)]).view(), known_to).unwrap();
        book.apply(levels(&[(500, 7)], &[(905, 8)]).view()).unwrap();
        for (side, price, expected) in [
            (Side::Bid, 595, QtyAt::Known(Qty(0))),
            (Side::Bid, 590, QtyAt::Known(Qty(2))),
            (Side::Bid, 580, QtyAt::Unknown),
            (Side::Bid, 500, QtyAt::Known(Qty(7))),
            (Side::Ask, 705, QtyAt::Known(Qty(0))),
            (Side::Ask, 711, QtyAt::Unknown),
            (Side::Ask, 905, QtyAt::Known(Qty(8))),
        ] {
            assert_eq!(book.qty_at(side, Price(price)), expected, "{side:?} {price}");
        }
        assert_eq!(book.known_to(), known_to);
        book.clear();
        assert!(book.is_empty());
        assert_eq!(book.qty_at(Side::Bid, Price(600)), QtyAt::Unknown);
    }

    #[test]
    fn locked_is_not_crossed() {
        assert!(!book(SPEC, &[(600, 1)], &[(600, 1)]).is_crossed());
        assert!(book(SPEC, &[(601, 1)], &[(600, 1)]).is_crossed());
        assert!(!book(SPEC, &[(601, 1)], &[]).is_crossed());
    }

    #[test]
    fn merges_the_window_and_the_far_store_best_first() {
        // Off the grid, and far outside the window.
        let (mut bids, mut asks) = (run_of(616_000, -10), run_of(616_010, 10));
        bids.extend([(10, 4), (616_005, 2), (615_995, 3)]);
        asks.extend([(90_000_000, 4), (616_015, 2)]);
        let book = book(SPEC, &bids, &asks);
        assert_eq!(book.layout().far_levels, 5);
        bids.sort_by_key(|level| -level.0);
        asks.sort_by_key(|level| level.0);
        let expected = levels(&bids, &asks);
        assert_eq!(whole(&book), [expected.bids, expected.asks]);
        assert_eq!(book.best_bid(), Some(Level::new(616_005, 2)));
        assert_eq!((book.len(Side::Bid), book.len(Side::Ask)), (103, 102));
        assert_eq!(book.check_invariants(), Ok(()));
    }
}

//! Price buckets: levels grouped by a multiple of the tick.

use super::{Reach, View};
use crate::book::L2Book;
use crate::types::{KnownTo, Level, Price, Side};

/// Most buckets a side.
pub const BUCKETS_MAX: u32 = 1_000;

/// The view of the best buckets of both sides.
///
/// A bucket's price is a whole multiple of its width. Bids round down to it and asks up, so a bucket promises no better
/// price than each of its levels has, and the two sides of an uncrossed book never share one. Only buckets with a
/// level are given. At the ends of what an `i64` holds, where the multiple lies beyond, the price is the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buckets {
    width: i64,
    count: u32,
}

/// One bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// The worst price that belongs to it.
    pub price: Price,
    /// Sum of the quantities of its levels, in quantity mantissas.
    pub qty: i128,
    /// Whether the venue has made the book known to the bucket's end. If not there may be more in it, and buckets
    /// before the next one may be missing.
    pub is_known: bool,
}

/// The buckets of both sides, best first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BucketSides {
    /// Of the bids.
    pub bids: Vec<Bucket>,
    /// Of the asks.
    pub asks: Vec<Bucket>,
}

impl Buckets {
    /// The best `count` buckets a side, up to [`BUCKETS_MAX`], each `width` mantissa units wide: commonly a multiple
    /// of the tick, but any above 0 will do. None for others, and for no bucket.
    #[must_use]
    pub const fn new(width: i64, count: u32) -> Option<Self> {
        if width > 0 && count > 0 && count <= BUCKETS_MAX { Some(Self { width, count }) } else { None }
    }

    /// How wide each is, in mantissa units.
    #[must_use]
    pub const fn width(&self) -> i64 {
        self.width
    }

    /// The worst price of the bucket of a price.
    #[inline]
    fn end_of(self, side: Side, price: Price) -> Price {
        let over = price.0.rem_euclid(self.width);
        Price(match side {
            Side::Bid => price.0.saturating_sub(over),
            Side::Ask if over == 0 => price.0,
            Side::Ask => price.0.saturating_add(self.width - over),
        })
    }

    /// Fills one side's buckets and returns the worst price that matters to them.
    #[inline]
    pub(super) fn fill(self, book: &L2Book, side: Side, out: &mut Vec<Bucket>) -> Price {
        out.clear();
        // A side with fewer buckets takes any level.
        let best = if side == Side::Bid { book.best_bid() } else { book.best_ask() };
        let Some(best) = best else { return KnownTo::WHOLE.side(side) };
        let (known_to, count) = (book.known_to(), self.count as usize);
        let mut push = |end: Price, qty: i128| {
            out.push(Bucket { price: end, qty, is_known: known_to.covers(side, end) });
            out.len() < count
        };
        let first_end = self.end_of(side, best.price);
        book.bucket_run(side, first_end, self.width, &mut push);
        if out.len() < count {
            return self.fill_rest(book, side, best, out);
        }
        out.last().map_or(first_end, |last| last.price)
    }

    /// As [`Self::fill`], from where the quick sums have stopped. Not inlined, so that these have the registers.
    #[inline(never)]
    fn fill_rest(self, book: &L2Book, side: Side, best: Level, out: &mut Vec<Bucket>) -> Price {
        let (known_to, first_end) = (book.known_to(), self.end_of(side, best.price));
        while out.len() < self.count as usize {
            let (first, end) = match out.last() {
                None => (best, first_end),
                Some(last) => match book.best_beyond(side, last.price) {
                    None => return KnownTo::WHOLE.side(side),
                    Some(first) => (first, self.end_of(side, first.price)),
                },
            };
            let qty = book.qty_between(side, first.price, end);
            out.push(Bucket { price: end, qty, is_known: known_to.covers(side, end) });
        }
        out.last().map_or(first_end, |last| last.price)
    }
}

impl View for Buckets {
    type Answer = BucketSides;

    /// Costs one look-up of a level and one sum for each bucket.
    fn compute(&self, book: &L2Book, answer: &mut BucketSides) -> Reach {
        Reach {
            bid: self.fill(book, Side::Bid, &mut answer.bids),
            ask: self.fill(book, Side::Ask, &mut answer.asks),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bids_round_down_and_asks_up() {
        let buckets = Buckets::new(50, 10).unwrap();
        for (price, bid, ask) in [
            (6_160_000, 6_160_000, 6_160_000),
            (6_160_001, 6_160_000, 6_160_050),
            (6_160_049, 6_160_000, 6_160_050),
            (-1, -50, 0),
            (-50, -50, -50),
            (i64::MAX, i64::MAX - 7, i64::MAX),
            (i64::MIN, i64::MIN, i64::MIN + 8),
        ] {
            assert_eq!(buckets.end_of(Side::Bid, Price(price)).0, bid, "bid {price}");
            assert_eq!(buckets.end_of(Side::Ask, Price(price)).0, ask, "ask {price}");
        }
    }

    #[test]
    fn refuses_what_is_no_width_or_too_many() {
        assert_eq!(Buckets::new(0, 1), None);
        assert_eq!(Buckets::new(-5, 1), None);
        assert_eq!(Buckets::new(1, 0), None);
        assert_eq!(Buckets::new(1, BUCKETS_MAX + 1), None);
        assert!(Buckets::new(i64::MAX, BUCKETS_MAX).is_some());
    }
}

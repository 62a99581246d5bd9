//! Books with few levels, of which there are thousands: both sides compact, or both loose, and no window.

use super::compact::Compact;
use super::ladder::BLOCK_SLOTS;
use super::placement::THIN_LEVELS_MAX;
use super::side::{BookSide, flip_of};
use super::{BookError, L2Book, Touched};
use crate::types::{Level, Side, Sides};

impl L2Book {
    /// Replaces two sides without windows by few levels, which become compact where they can.
    pub(super) fn replace_few(&mut self, levels: Sides<'_>) {
        let grid = |levels: &[Level], side: &BookSide| {
            Compact::grid_for(levels.iter().map(|level| side.key(level.price)), side.flip, self.tick_size)
        };
        if self.may_be_compact()
            && let Some(bids) = grid(levels.bids, &self.bids)
            && let Some(asks) = grid(levels.asks, &self.asks)
        {
            self.bids.replace_compact(levels.bids, bids);
            self.asks.replace_compact(levels.asks, asks);
        } else {
            self.bids.replace_few(levels.bids);
            self.asks.replace_few(levels.asks);
        }
    }

    /// Whether two compact sides, however full, keep the limit, and no depth is cut.
    const fn may_be_compact(&self) -> bool {
        !self.is_cut && self.levels_max as usize >= 2 * BLOCK_SLOTS
    }

    /// Makes a thin book compact, if both of its sides fit one block each. Called when as many levels have changed as
    /// there are, which pays for the passes over them, here and when a level without a slot undoes it.
    #[cold]
    #[inline(never)]
    fn make_compact(&mut self) {
        if self.may_be_compact()
            && let Some(bids) = self.bids.compact_grid(self.tick_size)
            && let Some(asks) = self.asks.compact_grid(self.tick_size)
        {
            self.bids.make_compact(bids);
            self.asks.make_compact(asks);
        }
        self.bids.forget_changes();
        self.asks.forget_changes();
    }

    /// Undoes [`Self::make_compact`].
    #[cold]
    #[inline(never)]
    fn make_loose(&mut self) {
        self.bids.make_loose();
        self.asks.make_loose();
    }

    /// Applies a frame of which a level has no slot in a compact book, or which is to be refused.
    #[cold]
    #[inline(never)]
    pub(super) fn apply_loose(
        &mut self,
        bid_levels: &[Level],
        ask_levels: &[Level],
    ) -> Result<Touched, BookError> {
        self.make_loose();
        self.apply_slices(bid_levels, ask_levels)
    }

    /// Applies a frame to a compact book; nothing, and no change, when a level has no slot or a quantity is below 0.
    #[inline]
    pub(super) fn apply_compact(&mut self, bid_levels: &[Level], ask_levels: &[Level]) -> Option<Touched> {
        const BID: i64 = flip_of(Side::Bid);
        const ASK: i64 = flip_of(Side::Ask);
        let bids = self.bids.scan_compact(bid_levels, BID)?;
        let asks = self.asks.scan_compact(ask_levels, ASK)?;
        if bids.qty_bits | asks.qty_bits < 0 {
            return None;
        }
        self.bids.apply_compact(bid_levels, BID);
        self.asks.apply_compact(ask_levels, ASK);
        Some(Touched { bid: bids.nearest(BID), ask: asks.nearest(ASK) })
    }

    /// Applies a frame to two thin sides that stay thin whatever it holds; nothing, and no change, where anything else
    /// needs a look.
    #[inline]
    pub(super) fn apply_thin(&mut self, bid_levels: &[Level], ask_levels: &[Level]) -> Option<Touched> {
        let (bids, asks) = (self.bids.scan_thin(bid_levels), self.asks.scan_thin(ask_levels));
        let bids_len_max = self.bids.far_len() + bid_levels.len();
        let asks_len_max = self.asks.far_len() + ask_levels.len();
        if bids.qty_bits | asks.qty_bits < 0
            || bids_len_max > THIN_LEVELS_MAX
            || asks_len_max > THIN_LEVELS_MAX
            || bids_len_max + asks_len_max > self.levels_max as usize
        {
            return None;
        }
        self.bids.apply_thin(bid_levels);
        self.asks.apply_thin(ask_levels);
        if self.bids.changes_since_anchor() + self.asks.changes_since_anchor() >= bids_len_max + asks_len_max
        {
            self.make_compact();
        }
        Some(Touched { bid: bids.nearest(self.bids.flip), ask: asks.nearest(self.asks.flip) })
    }

    /// From now on the worst levels are asked for, after each message as a rule: the book is not compact any more.
    #[inline]
    pub(super) fn begin_cut(&mut self) {
        self.is_cut = true;
        if self.bids.is_compact() {
            self.make_loose();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::BookSpec;
    use super::super::l2_book::tests::{SPEC, book, levels, whole};
    use super::*;
    use crate::types::{KnownTo, Price};

    #[test]
    fn a_thin_book_is_compact_as_long_as_every_level_has_a_slot() {
        let (bids, asks) = ([(600, 1), (590, 2), (300, 3)], [(610, 4), (700, 5)]);
        let mut book = book(SPEC, &bids, &asks);
        let compact_levels = |book: &L2Book| {
            assert_eq!(book.check_invariants(), Ok(()));
            book.layout().compact_levels
        };
        assert_eq!(compact_levels(&book), 5);
        // 15 ticks above the best is the last slot, 48 below it the first.
        let touched = book.apply(levels(&[(750, 7), (120, 8), (300, 0)], &[]).view()).unwrap();
        assert_eq!((touched.bid, touched.ask, compact_levels(&book)), (Some(Price(750)), None, 6));
        assert_eq!(book.best_bid(), Some(Level::new(750, 7)));
        assert_eq!(book.layout().far_levels, 0);
        // A price off the grid has no slot. When it has gone and as much has changed as there is, the book is compact again.
        book.apply(levels(&[(595, 9)], &[]).view()).unwrap();
        assert_eq!((compact_levels(&book), book.layout().far_levels), (0, 7));
        book.apply(levels(&[(595, 0), (750, 0)], &[]).view()).unwrap();
        for qty in 1..8 {
            book.apply(levels(&[], &[(610, qty)]).view()).unwrap();
        }
        assert_eq!(compact_levels(&book), 5);
        let expected = levels(&[(600, 1), (590, 2), (120, 8)], &[(610, 7), (700, 5)]);
        assert_eq!(whole(&book), [expected.bids, expected.asks]);
        // One that is cut to a depth is asked for its worst level again and again, which costs more here.
        assert_eq!((book.truncate(2), compact_levels(&book), book.len(Side::Bid)), (1, 0, 2));
        book.load(levels(&bids, &asks).view(), KnownTo::WHOLE).unwrap();
        assert_eq!(compact_levels(&book), 0);
    }

    #[test]
    fn a_book_whose_limit_two_blocks_exceed_is_not_compact() {
        for (levels_max, compact_levels) in [(127, 0), (128, 2)] {
            let book = book(BookSpec { levels_max, ..SPEC }, &[(600, 1)], &[(610, 1)]);
            assert_eq!(book.layout().compact_levels, compact_levels);
        }
    }
}

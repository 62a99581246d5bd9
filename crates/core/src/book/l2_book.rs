//! The book that serves: two sides, one limit, one frame at a time.

use super::placement::THIN_LEVELS_MAX;
use super::prefetch::prefetch;
use super::side::BookSide;
use super::staging::Staging;
use super::{BookError, BookLayout, BookSpec, KNOWN_TO_NOTHING, Touched};
use crate::types::{KnownTo, Level, Price, Side, Sides};

/// Most far-store entries that one frame may move when its levels are applied one by one; a frame that could move
/// more is merged in one pass. Bounds a frame on a book without a window to 64 MiB of moves.
const FAR_MOVES_MAX: usize = 1 << 22;

/// A power of two: fewer levels than this, in a frame and in the far stores, cannot move more than [`FAR_MOVES_MAX`].
const FAR_FEW_END: usize = 1 << 10;

const _: () = assert!(FAR_FEW_END * 2 * FAR_FEW_END <= FAR_MOVES_MAX);

/// A book of absolute quantities per price.
///
/// In plain words: look up the slot of each price and store its quantity; prices without a slot go to an ordered
/// list; the best is the better of both bests; when the best comes near an edge of the window, move the window. Where
/// all levels of both sides lie within 48 ticks of the best, the book is compact: it has 64 slots a side, and these alone
/// until a level has none.
#[derive(Clone, Debug)]
pub struct L2Book {
    pub(super) bids: BookSide,
    pub(super) asks: BookSide,
    pub(super) levels_max: u32,
    /// Whether the book has ever been cut to a depth.
    pub(super) is_cut: bool,
    /// As the catalogue says; 0 or below: inferred from the levels when a window is placed.
    pub(super) tick_size: i64,
    pub(super) known_to: KnownTo,
    /// How often updates have moved a window.
    recentres: u64,
    /// Where messages are merged and windows are moved. Only here to keep its memory; absent from a thin book.
    staging: Option<Box<[Staging; 2]>>,
}

impl L2Book {
    /// An empty book, of which nothing is known. Allocates nothing before the first level.
    #[must_use]
    pub fn new(spec: BookSpec) -> Self {
        Self {
            bids: BookSide::new(Side::Bid),
            asks: BookSide::new(Side::Ask),
            levels_max: spec.levels_max,
            is_cut: false,
            tick_size: spec.tick_size,
            known_to: KNOWN_TO_NOTHING,
            recentres: 0,
            staging: None,
        }
    }

    /// Replaces the book by a snapshot and places both windows on its best levels.
    ///
    /// Order and duplicates do not matter: of two levels at one price the last wins, 0 is no level. Costs a sort of
    /// the snapshot and a pass over the old book; allocates only when the snapshot is larger than any before.
    ///
    /// # Errors
    /// See [`BookError`]; the book is then unchanged.
    pub fn load(&mut self, levels: Sides<'_>, known_to: KnownTo) -> Result<(), BookError> {
        check_quantities(levels)?;
        let is_few =
            |side: &BookSide, levels: &[Level]| !side.has_window() && levels.len() <= THIN_LEVELS_MAX;
        if is_few(&self.bids, levels.bids)
            && is_few(&self.asks, levels.asks)
            && levels.len() <= self.levels_max as usize
        {
            self.replace_few(levels);
        } else {
            self.replace(levels, false)?;
        }
        self.known_to = known_to;
        Ok(())
    }

    /// Applies one whole frame of absolute quantities.
    ///
    /// 0 removes, removing an unknown level is legal, and of two levels at one price the last wins. Costs a few
    /// nanoseconds a level within the window, outside it a binary search and a move of the better far levels, and at
    /// most one re-centring a side, which is a pass over its levels. A frame that may exceed the limit, or that could move
    /// more than 2^22 far entries, is merged with the whole book in one pass instead.
    ///
    /// # Errors
    /// See [`BookError`]; the book is then unchanged.
    #[inline]
    pub fn apply(&mut self, levels: Sides<'_>) -> Result<Touched, BookError> {
        self.apply_slices(levels.bids, levels.asks)
    }

    /// As [`Self::apply`]. Two slices are passed in registers, the sides together in memory.
    pub(super) fn apply_slices(
        &mut self,
        bid_levels: &[Level],
        ask_levels: &[Level],
    ) -> Result<Touched, BookError> {
        if self.bids.is_compact() {
            return match self.apply_compact(bid_levels, ask_levels) {
                Some(touched) => Ok(touched),
                None => self.apply_loose(bid_levels, ask_levels),
            };
        }
        if !self.bids.has_window()
            && !self.asks.has_window()
            && let Some(touched) = self.apply_thin(bid_levels, ask_levels)
        {
            return Ok(touched);
        }
        let (bids, asks) = (self.bids.scan(bid_levels), self.asks.scan(ask_levels));
        if bids.qty_bits | asks.qty_bits < 0 {
            return Err(negative_qty(Sides { bids: bid_levels, asks: ask_levels }));
        }
        let count = bid_levels.len() + ask_levels.len();
        let levels = self.bids.loose_len() + self.asks.loose_len();
        if levels.saturating_add(count) > self.levels_max as usize
            || (count | self.bids.far_len() | self.asks.far_len()) >= FAR_FEW_END
                && (far_moves(&self.bids, bid_levels) > FAR_MOVES_MAX
                    || far_moves(&self.asks, ask_levels) > FAR_MOVES_MAX)
        {
            self.replace(Sides { bids: bid_levels, asks: ask_levels }, true)?;
        } else {
            if self.bids.apply(bid_levels, bids) | self.asks.apply(ask_levels, asks) {
                self.recentre();
            }
        }
        Ok(Touched { bid: bids.nearest(self.bids.flip), ask: asks.nearest(self.asks.flip) })
    }

    /// Asks for the memory that any change of the book needs.
    #[inline]
    pub(crate) fn prefetch(&self) {
        prefetch(&self.bids);
        prefetch(&self.asks);
    }

    /// Keeps the best `depth` levels of each side, for feeds that tell exactly those; returns how many levels left. To be
    /// called after each message of such a feed, snapshots included.
    ///
    /// What lies behind is unknown from then on: a side of `depth` levels is known to the worst of them. Of a side with
    /// fewer the feed would have told more, so it is known whole. A book of which nothing is known stays so.
    ///
    /// Costs a few nanoseconds when nothing leaves, some more for each level that leaves the window, and one move of the
    /// levels outside the window that stay: 1 KiB at most of a thin side.
    #[inline]
    pub fn truncate(&mut self, depth: usize) -> usize {
        self.truncate_with(depth, |_, _| {})
    }

    /// As [`Self::truncate`]; `left` is told of each level that leaves, the worst of a side first.
    #[inline]
    pub fn truncate_with(&mut self, depth: usize, mut left: impl FnMut(Side, Level)) -> usize {
        self.begin_cut();
        let removed = self.bids.truncate(depth, |level| left(Side::Bid, level))
            + self.asks.truncate(depth, |level| left(Side::Ask, level));
        if self.known_to != KNOWN_TO_NOTHING {
            self.known_to =
                KnownTo { bid: self.bids.known_to_depth(depth), ask: self.asks.known_to_depth(depth) };
        }
        removed
    }

    /// For feeds that tell the best so many orders: a side that is `cut` to them, bids first, is known to the price before its
    /// worst level, of which a part may have been told; one that is not is known whole.
    #[inline]
    pub fn know_before_worst(&mut self, cut: [bool; 2]) {
        self.begin_cut();
        let [bid, ask] = cut;
        self.known_to = KnownTo {
            bid: if bid { self.bids.before_worst() } else { KnownTo::WHOLE.bid },
            ask: if ask { self.asks.before_worst() } else { KnownTo::WHOLE.ask },
        };
    }

    /// Says how far the book is known, where its owner knows that of itself.
    #[inline]
    pub const fn know_to(&mut self, known_to: KnownTo) {
        self.known_to = known_to;
    }

    #[cold]
    fn recentre(&mut self) {
        let [bids, asks] = &mut **self.staging.get_or_insert_default();
        for (side, staging) in [(&mut self.bids, bids), (&mut self.asks, asks)] {
            if side.wants_anchor() {
                self.recentres += u64::from(side.recentre(self.tick_size, staging));
            }
        }
        self.release_staging();
    }

    /// Merges a message with the book, or replaces the book by it, unless the result exceeds the limit.
    #[cold]
    fn replace(&mut self, levels: Sides<'_>, keep: bool) -> Result<(), BookError> {
        let [bids, asks] = &mut **self.staging.get_or_insert_default();
        let total = self.bids.stage(levels.bids, keep, bids) + self.asks.stage(levels.asks, keep, asks);
        let is_over = total > self.levels_max as usize;
        if !is_over {
            self.bids.commit(self.tick_size, bids);
            self.asks.commit(self.tick_size, asks);
        }
        self.release_staging();
        if is_over {
            return Err(BookError::LevelsLimit { levels: total, levels_max: self.levels_max });
        }
        debug_assert_eq!(self.check_invariants(), Ok(()));
        Ok(())
    }

    /// A thin book keeps no memory for merging.
    fn release_staging(&mut self) {
        let is_thin = |side: &BookSide| !side.has_window() && side.len() <= THIN_LEVELS_MAX;
        if is_thin(&self.bids) && is_thin(&self.asks) {
            self.staging = None;
        }
    }

    /// Forgets all levels and what was known; keeps the memory.
    pub fn clear(&mut self) {
        self.bids.clear();
        self.asks.clear();
        self.known_to = KNOWN_TO_NOTHING;
    }

    /// Where the levels stand.
    #[must_use]
    pub fn layout(&self) -> BookLayout {
        BookLayout {
            slots: self.bids.slots() + self.asks.slots(),
            far_levels: self.bids.far_len() + self.asks.far_len(),
            compact_levels: if self.bids.is_compact() { self.levels_total() } else { 0 },
            recentres: self.recentres,
        }
    }

    /// Bytes that the book occupies: itself and its heap, as reserved. Pages of a window that no level has touched are
    /// counted although most systems give them no memory.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let staging = self
            .staging
            .as_deref()
            .map_or(0, |[bids, asks]| 2 * size_of::<Staging>() + bids.heap_bytes() + asks.heap_bytes());
        size_of::<Self>() + self.bids.heap_bytes() + self.asks.heap_bytes() + staging
    }

    /// Checks what must hold between messages, in time linear in the windows; for tests and debug builds.
    ///
    /// # Errors
    /// The rule that does not hold.
    pub fn check_invariants(&self) -> Result<(), &'static str> {
        self.bids.check_invariants()?;
        self.asks.check_invariants()?;
        if self.bids.is_compact() != self.asks.is_compact() {
            return Err("both sides are compact, or none");
        }
        if self.levels_total() > self.levels_max as usize {
            return Err("the book keeps its limit of levels");
        }
        Ok(())
    }

    #[inline]
    pub(super) fn levels_total(&self) -> usize {
        self.bids.len() + self.asks.len()
    }
}

/// Most far entries that these levels can move when they are applied one by one.
#[inline]
fn far_moves(side: &BookSide, levels: &[Level]) -> usize {
    levels.len().saturating_mul(side.far_len().saturating_add(levels.len()))
}

/// Refuses a message with a quantity below zero before any of it is applied.
fn check_quantities(levels: Sides<'_>) -> Result<(), BookError> {
    let has_negative = levels.bids.iter().chain(levels.asks).any(|level| level.qty.0 < 0);
    if has_negative { Err(negative_qty(levels)) } else { Ok(()) }
}

#[cold]
fn negative_qty(levels: Sides<'_>) -> BookError {
    let first = |side: Side| levels.side(side).iter().find(|level| level.qty.0 < 0);
    match (first(Side::Bid), first(Side::Ask)) {
        (Some(level), _) => BookError::NegativeQty { side: Side::Bid, price: level.price },
        (None, level) => {
            BookError::NegativeQty { side: Side::Ask, price: level.map_or(Price(0), |level| level.price) }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::book::QtyAt;
    use crate::types::{Levels, Qty};

    pub(in crate::book) const SPEC: BookSpec = BookSpec { tick_size: 10, levels_max: 1_000 };

    pub(in crate::book) fn levels(bids: &[(i64, i64)], asks: &[(i64, i64)]) -> Levels {
        let all = |pairs: &[(i64, i64)]| pairs.iter().map(|&(price, qty)| Level::new(price, qty)).collect();
        Levels { bids: all(bids), asks: all(asks) }
    }

    pub(in crate::book) fn book(spec: BookSpec, bids: &[(i64, i64)], asks: &[(i64, i64)]) -> L2Book {
        let mut book = L2Book::new(spec);
        book.load(levels(bids, asks).view(), KnownTo::WHOLE).unwrap();
        book
    }

    pub(in crate::book) fn whole(book: &L2Book) -> [Vec<Level>; 2] {
        [Side::Bid, Side::Ask].map(|side| book.levels(side).collect())
    }

    /// Levels at every tick from a price on, enough for a window.
    pub(in crate::book) fn run_of(first: i64, step: i64) -> Vec<(i64, i64)> {
        (0..100).map(|i| (first + i * step, 1 + i)).collect()
    }

    #[test]
    fn a_snapshot_does_not_depend_on_the_order_of_its_levels() {
        let sorted = book(SPEC, &[(616_000, 1), (500_000, 2), (7, 3)], &[]);
        let shuffled = book(SPEC, &[(7, 3), (616_000, 9), (500_000, 2), (616_000, 1), (3, 1), (3, 0)], &[]);
        assert_eq!(whole(&sorted), whole(&shuffled));
        assert_eq!(sorted.layout(), shuffled.layout());
    }

    #[test]
    fn an_error_leaves_the_book_as_it_was() {
        let mut book = book(BookSpec { levels_max: 3, ..SPEC }, &[(600, 1)], &[(700, 1), (705, 1)]);
        let before = whole(&book);
        let limit = BookError::LevelsLimit { levels: 4, levels_max: 3 };
        let negative = BookError::NegativeQty { side: Side::Ask, price: Price(710) };
        assert_eq!(book.apply(levels(&[(590, 1)], &[(700, 2)]).view()), Err(limit));
        assert_eq!(book.apply(levels(&[(600, 5)], &[(710, -1)]).view()), Err(negative));
        let four = levels(&[(1, 1), (2, 1), (3, 1), (4, 1)], &[]);
        assert_eq!(book.load(four.view(), KnownTo { bid: Price(1), ask: Price(1) }), Err(limit));
        assert_eq!(book.known_to(), KnownTo::WHOLE);
        assert_eq!(whole(&book), before);
        // At the limit a frame counts by what it leaves: one in, one out, one named twice.
        assert!(book.apply(levels(&[(590, 1), (600, 0), (590, 2)], &[(700, 2)]).view()).is_ok());
        assert_eq!(book.best_bid(), Some(Level::new(590, 2)));
        assert_eq!((limit.code(), negative.code()), ("book.levels_limit", "book.negative_qty"));
    }

    #[test]
    fn what_falls_out_of_a_depth_is_unknown_from_then_on() {
        let mut book = book(SPEC, &[(600, 1), (590, 2), (580, 3)], &[(700, 1)]);
        assert_eq!(book.truncate(3), 0);
        assert_eq!(book.known_to(), KnownTo { bid: Price(580), ask: Price(i64::MAX) });
        assert_eq!(book.truncate(2), 1);
        assert_eq!(book.known_to(), KnownTo { bid: Price(590), ask: Price(i64::MAX) });
        for (side, price, expected) in [
            (Side::Bid, 590, QtyAt::Known(Qty(2))),
            (Side::Bid, 595, QtyAt::Known(Qty(0))),
            (Side::Bid, 580, QtyAt::Unknown),
            (Side::Ask, 900, QtyAt::Known(Qty(0))),
        ] {
            assert_eq!(book.qty_at(side, Price(price)), expected, "{side:?} {price}");
        }
        assert_eq!((book.truncate(0), book.best_bid(), book.best_ask()), (3, None, None));
        assert_eq!(book.qty_at(Side::Ask, Price(700)), QtyAt::Unknown);
        let mut unknown = L2Book::new(SPEC);
        unknown.apply(levels(&[(600, 1), (590, 1)], &[]).view()).unwrap();
        assert_eq!((unknown.truncate(1), unknown.qty_at(Side::Ask, Price(700))), (1, QtyAt::Unknown));
    }

    #[test]
    fn a_price_that_moves_within_the_slack_moves_no_window() {
        // 1,024 slots: the best may rise by 192 ticks and fall by 256.
        let bids = run_of(1_000_000, -30);
        let mut book = book(SPEC, &bids, &[]);
        assert_eq!(book.layout().slots, 1 << 10);
        for price in [1_000_010, 1_001_910] {
            book.apply(levels(&[(price, 1)], &[]).view()).unwrap();
            book.apply(levels(&[(price, 0)], &[]).view()).unwrap();
        }
        let removed: Vec<_> = bids[..85].iter().map(|level| (level.0, 0)).collect();
        book.apply(levels(&removed, &[]).view()).unwrap();
        assert_eq!((book.best_bid().unwrap().price, book.layout().recentres), (Price(997_450), 0));
        book.apply(levels(&[(997_450, 0)], &[]).view()).unwrap();
        assert_eq!((book.best_bid().unwrap().price, book.layout().recentres), (Price(997_420), 1));
        assert_eq!(book.check_invariants(), Ok(()));
    }

    #[test]
    fn a_window_opens_grows_and_is_given_back() {
        let mut book = book(BookSpec { levels_max: 10_000, ..SPEC }, &[(1_000_000, 1)], &[]);
        let mut slots = Vec::new();
        for tick in 1..5_000 {
            book.apply(levels(&[(1_000_000 - tick * 10, 1)], &[]).view()).unwrap();
            if slots.last() != Some(&book.layout().slots) {
                slots.push(book.layout().slots);
            }
        }
        assert_eq!(slots, [0, 1 << 10, 1 << 11, 1 << 12, 1 << 13]);
        assert_eq!(book.check_invariants(), Ok(()));
        for (count, slots) in [(33, 1 << 13), (32, 0), (64, 0), (65, 1 << 10), (33, 1 << 10)] {
            let bids: Vec<_> = (0..count).map(|tick| (1_000_000 - tick * 10, 1)).collect();
            book.load(levels(&bids, &[]).view(), KnownTo::WHOLE).unwrap();
            assert_eq!((book.layout().slots, book.len(Side::Bid)), (slots, count as usize));
            assert_eq!(book.check_invariants(), Ok(()));
        }
    }

    #[test]
    fn an_unknown_tick_is_found_in_the_levels() {
        let mut book = L2Book::new(BookSpec { tick_size: 0, ..SPEC });
        book.load(levels(&run_of(616_000, -50), &run_of(616_050, 50)).view(), KnownTo::WHOLE).unwrap();
        assert_eq!((book.layout().far_levels, book.layout().slots), (0, 2 << 10));
        // A finer grid shows itself by levels between: they stand outside until they are many.
        for i in 0..65 {
            assert_eq!(book.layout().far_levels, i);
            book.apply(levels(&[(615_990 - 50 * i as i64, 7)], &[]).view()).unwrap();
        }
        assert_eq!(book.layout().far_levels, 0);
        assert_eq!(book.check_invariants(), Ok(()));
        assert_eq!(book.qty_at(Side::Bid, Price(615_940)), QtyAt::Known(Qty(7)));
    }

    #[test]
    fn a_price_that_jumps_to_and_fro_cannot_make_the_window_thrash() {
        let bids: Vec<_> = (1..900).map(|tick| (tick * 10, 1)).collect();
        let mut book = book(SPEC, &bids, &[]);
        for round in 0..1_000 {
            book.apply(levels(&[(50_000_000, 1 - round % 2)], &[]).view()).unwrap();
            assert_eq!(book.best_bid().unwrap().price.0, if round % 2 == 0 { 50_000_000 } else { 8_990 });
        }
        // 1,000 changes pay for 4,000 moved levels.
        assert!((1..=5).contains(&book.layout().recentres), "{:?}", book.layout());
        assert_eq!(book.check_invariants(), Ok(()));
    }

    #[test]
    fn names_the_price_nearest_the_top_that_a_frame_touched() {
        let mut book = book(SPEC, &[(600, 1)], &[(700, 1)]);
        let touched = book.apply(levels(&[(500, 1), (650, 0), (40, 2)], &[]).view()).unwrap();
        assert_eq!(touched, Touched { bid: Some(Price(650)), ask: None });
        let touched = book.apply(levels(&[], &[(900, 1), (705, 2), (800, 1)]).view()).unwrap();
        assert_eq!(touched, Touched { bid: None, ask: Some(Price(705)) });
    }
}

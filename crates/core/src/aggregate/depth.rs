//! The first N levels of both sides, or price buckets of them, published as net changes.

use super::{Bucket, Buckets};
use crate::book::L2Book;
use crate::types::{KnownTo, Level, Levels, Price, Side, TimeNs};

/// Most levels a side of a depth view.
pub const DEPTH_MAX: u32 = 100;

/// A top-N view: what was published last, and whether the book has touched it since.
///
/// Most updates land deep (on recorded streams four in five behind rank 8), so a view is skipped with one compare a side
/// when the best price that a message touched lies behind the view's last level.
///
/// A view with a grouping shows the best [`Buckets`] as levels: the bucket's worst price, and the sum of its levels. A sum
/// beyond 64 bits is told as the greatest quantity that there is.
#[derive(Debug)]
pub struct DepthView {
    depth: u32,
    interval_ns: u64,
    /// Of a view that groups, what it shows.
    buckets: Option<Buckets>,
    filled: Vec<Bucket>,
    /// As published, best first; at most `depth` a side.
    published: Levels,
    current: Levels,
    changes: Levels,
    /// Updates that touched the view since it was published.
    touches: u32,
    flushed_at: TimeNs,
}

impl DepthView {
    /// A view of `depth` levels a side (1 to [`DEPTH_MAX`]) that publishes at most once every `interval_ns` (0 = on each change).
    #[must_use]
    pub fn new(depth: u32, interval_ns: u64) -> Self {
        Self::grouped(depth, interval_ns, 0)
    }

    /// The same of buckets that are `grouping` mantissa units wide; 0 = levels as they are.
    #[must_use]
    pub fn grouped(depth: u32, interval_ns: u64, grouping: i64) -> Self {
        debug_assert!((1..=DEPTH_MAX).contains(&depth));
        let buckets = Buckets::new(grouping, depth);
        let side = || Vec::with_capacity(depth as usize);
        let levels = || Levels { bids: side(), asks: side() };
        Self {
            depth,
            interval_ns,
            buckets,
            filled: Vec::with_capacity(if buckets.is_some() { depth as usize } else { 0 }),
            published: levels(),
            current: levels(),
            changes: levels(),
            touches: 0,
            flushed_at: 0,
        }
    }

    /// Levels a side.
    #[must_use]
    pub const fn depth(&self) -> u32 {
        self.depth
    }

    /// Least time between two publications, ns.
    #[must_use]
    pub const fn interval_ns(&self) -> u64 {
        self.interval_ns
    }

    /// Width of its buckets in mantissa units; 0 = levels as they are.
    #[must_use]
    pub const fn grouping(&self) -> i64 {
        match &self.buckets {
            Some(buckets) => buckets.width(),
            None => 0,
        }
    }

    /// Other buckets from now on. What is published stays as it is until the next [`Self::image`].
    pub fn regroup(&mut self, grouping: i64) {
        self.buckets = Buckets::new(grouping, self.depth);
    }

    /// Notes a message by the price nearest the top that it named on each side.
    #[inline]
    pub fn touch(&mut self, bid: Option<Price>, ask: Option<Price>) {
        let reaches = |side: Side, price: Option<Price>| {
            let levels = self.published.side(side);
            let full = levels.len() == self.depth as usize;
            match (price, levels.last()) {
                (None, _) => false,
                (Some(price), Some(last)) if full => !side.is_better(last.price, price),
                _ => true,
            }
        };
        if reaches(Side::Bid, bid) || reaches(Side::Ask, ask) {
            self.touches += 1;
        }
    }

    /// Whether the published state is the book's: nothing has touched it since.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.touches == 0
    }

    /// Whether a published level lies beyond what the venue has made known, so that others may be missing before it.
    #[must_use]
    pub fn is_beyond(&self, known_to: KnownTo) -> bool {
        [Side::Bid, Side::Ask].into_iter().any(|side| {
            self.published.side(side).last().is_some_and(|level| !known_to.covers(side, level.price))
        })
    }

    /// Whether a publication is due.
    #[must_use]
    pub const fn is_due(&self, now: TimeNs) -> bool {
        // A clock that was set back must not hold the view until it has caught up.
        self.touches > 0 && (now < self.flushed_at || now - self.flushed_at >= self.interval_ns)
    }

    /// Takes the book's levels as published state, whole: the view's image.
    pub fn image(&mut self, now: TimeNs, book: &L2Book) -> &Levels {
        collect(&mut self.published, self.depth, self.buckets, book, &mut self.filled);
        self.touches = 0;
        self.flushed_at = now;
        &self.published
    }

    /// What the last flush changed.
    #[must_use]
    pub const fn changes(&self) -> &Levels {
        &self.changes
    }

    /// The state as published.
    #[must_use]
    pub const fn published(&self) -> &Levels {
        &self.published
    }

    /// The net change since the last publication and the number of updates that it merges. No changes: the touched
    /// levels are as they were.
    pub fn flush(&mut self, now: TimeNs, book: &L2Book) -> (&Levels, u32) {
        collect(&mut self.current, self.depth, self.buckets, book, &mut self.filled);
        self.changes.clear();
        difference(Side::Bid, &self.published.bids, &self.current.bids, &mut self.changes.bids);
        difference(Side::Ask, &self.published.asks, &self.current.asks, &mut self.changes.asks);
        std::mem::swap(&mut self.published, &mut self.current);
        self.flushed_at = now;
        (&self.changes, std::mem::take(&mut self.touches))
    }
}

#[inline]
fn collect(out: &mut Levels, depth: u32, buckets: Option<Buckets>, book: &L2Book, filled: &mut Vec<Bucket>) {
    out.clear();
    for side in [Side::Bid, Side::Ask] {
        match buckets {
            None => book.levels(side).append_to(depth as usize, out.side_mut(side)),
            Some(buckets) => {
                buckets.fill(book, side, filled);
                let level = |bucket: &Bucket| {
                    Level::new(bucket.price.0, i64::try_from(bucket.qty).unwrap_or(i64::MAX))
                };
                out.side_mut(side).extend(filled.iter().map(level));
            }
        }
    }
}

/// What turns `old` into `new`, both best first: changed and new levels, and quantity 0 for those that left.
#[inline]
fn difference(side: Side, mut old: &[Level], mut new: &[Level], changes: &mut Vec<Level>) {
    while let (Some((was, old_rest)), Some((is, new_rest))) = (old.split_first(), new.split_first()) {
        if was.price == is.price {
            // Most levels are as they were, which costs one well predicted branch more.
            if was.qty != is.qty {
                changes.push(*is);
            }
            (old, new) = (old_rest, new_rest);
        } else if side.is_better(was.price, is.price) {
            changes.push(Level::new(was.price.0, 0));
            old = old_rest;
        } else {
            changes.push(*is);
            new = new_rest;
        }
    }
    changes.extend(old.iter().map(|was| Level::new(was.price.0, 0)));
    changes.extend_from_slice(new);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::{BookSpec, L2Book};

    fn levels(pairs: &[(i64, i64)]) -> Vec<Level> {
        pairs.iter().map(|&(price, qty)| Level::new(price, qty)).collect()
    }

    fn book(bids: &[(i64, i64)], asks: &[(i64, i64)]) -> L2Book {
        let mut book = L2Book::new(BookSpec { tick_size: 1, levels_max: 100 });
        book.load(Levels { bids: levels(bids), asks: levels(asks) }.view(), KnownTo::WHOLE).unwrap();
        book
    }

    fn image(view: &mut DepthView, now: TimeNs, book: &L2Book) {
        view.image(now, book);
    }

    fn view(bids: &[(i64, i64)], asks: &[(i64, i64)]) -> DepthView {
        let mut view = DepthView::new(2, 0);
        image(&mut view, 0, &book(bids, asks));
        view
    }

    #[test]
    fn net_change_turns_one_state_into_the_other() {
        let mut view = view(&[(10, 1), (9, 1)], &[(11, 1), (12, 1)]);
        view.touch(Some(Price(10)), None);
        let book = book(&[(10, 5), (8, 1), (7, 1)], &[(11, 1), (12, 1), (13, 1)]);
        let (changes, merged) = view.flush(1, &book);
        assert_eq!((changes.bids.as_slice(), merged), (levels(&[(10, 5), (9, 0), (8, 1)]).as_slice(), 1));
        assert!(changes.asks.is_empty());
    }

    #[test]
    fn a_grouped_view_tells_sums() {
        let mut view = DepthView::grouped(2, 0, 5);
        let before = book(&[(104, 1), (101, 2), (99, 4), (94, 8)], &[(105, 1), (106, 2), (110, 4), (111, 8)]);
        image(&mut view, 0, &before);
        let Levels { bids, asks } = view.published();
        assert_eq!((bids, asks), (&levels(&[(100, 3), (95, 4)]), &levels(&[(105, 1), (110, 6)])));
        view.touch(Some(Price(94)), Some(Price(111)));
        assert!(view.is_clean(), "both lie behind the last bucket");
        view.touch(Some(Price(95)), None);
        assert!(view.is_due(0), "the end of the last bucket is in it");
        let after = book(&[(102, 3), (94, 8)], &[(105, 1), (106, 2), (110, 4), (111, 8)]);
        let (changes, _) = view.flush(1, &after);
        assert_eq!(changes.bids, levels(&[(95, 0), (90, 8)]), "what left one price for another is no change");
        let huge = book(&[(102, i64::MAX), (101, 1)], &[]);
        view.touch(Some(Price(102)), None);
        assert_eq!(view.flush(2, &huge).0.bids[0], Level::new(100, i64::MAX));
    }

    #[test]
    fn deep_updates_are_skipped() {
        let mut full = view(&[(10, 1), (9, 1), (8, 1)], &[(11, 1), (12, 1)]);
        full.touch(Some(Price(8)), Some(Price(13)));
        assert!(!full.is_due(0), "both lie behind the view");
        full.touch(Some(Price(9)), None);
        assert!(full.is_due(0), "the last level is in the view");
        let mut thin = view(&[(10, 1)], &[(11, 1), (12, 1)]);
        thin.touch(Some(Price(1)), None);
        assert!(thin.is_due(0), "a side that is not full takes any level");
    }

    #[test]
    fn an_interval_merges_updates() {
        let mut view = DepthView::new(1, 100);
        image(&mut view, 1_000, &book(&[(10, 1)], &[(11, 1)]));
        for qty in 2..5 {
            view.touch(Some(Price(10)), None);
            assert!(!view.is_due(1_000 + qty));
        }
        assert!(view.is_due(1_100));
        let book = book(&[(10, 4)], &[(11, 1)]);
        let (changes, merged) = view.flush(1_100, &book);
        assert_eq!((changes.bids.as_slice(), merged), (levels(&[(10, 4)]).as_slice(), 3));
        assert!(!view.is_due(9_999), "nothing touched it since");
        view.touch(Some(Price(10)), None);
        assert!(view.is_due(1_099), "the clock was set back");
    }

    #[test]
    fn says_when_it_reaches_beyond_what_is_known() {
        let view = view(&[(10, 1), (9, 1)], &[(11, 1), (12, 1)]);
        let known_to = |bid, ask| KnownTo { bid: Price(bid), ask: Price(ask) };
        assert!(!view.is_beyond(known_to(9, 12)));
        assert!(view.is_beyond(known_to(10, 12)));
        assert!(view.is_beyond(known_to(9, 11)));
    }
}

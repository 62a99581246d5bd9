//! The first N levels of both sides, published as net changes.

use crate::book::LevelIter;
use crate::types::{KnownTo, Level, Levels, Price, Side, TimeNs};

/// Most levels a side of a depth view.
pub const DEPTH_MAX: u32 = 100;

/// A top-N view: what was published last, and whether the book has touched it since.
///
/// Most updates land deep (on recorded streams four in five behind rank 8), so a view is skipped with one compare a side
/// when the best price that a message touched lies behind the view's last level.
#[derive(Debug)]
pub struct DepthView {
    depth: u32,
    interval_ns: u64,
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
        debug_assert!((1..=DEPTH_MAX).contains(&depth));
        let side = || Vec::with_capacity(depth as usize);
        let levels = || Levels { bids: side(), asks: side() };
        Self {
            depth,
            interval_ns,
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

    /// Takes the book's levels as published state, whole: the view's image. Both begin at the best level.
    pub fn image(&mut self, now: TimeNs, bids: LevelIter<'_>, asks: LevelIter<'_>) -> &Levels {
        collect(&mut self.published, self.depth, bids, asks);
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
    pub fn flush(&mut self, now: TimeNs, bids: LevelIter<'_>, asks: LevelIter<'_>) -> (&Levels, u32) {
        collect(&mut self.current, self.depth, bids, asks);
        self.changes.clear();
        difference(Side::Bid, &self.published.bids, &self.current.bids, &mut self.changes.bids);
        difference(Side::Ask, &self.published.asks, &self.current.asks, &mut self.changes.asks);
        std::mem::swap(&mut self.published, &mut self.current);
        self.flushed_at = now;
        (&self.changes, std::mem::take(&mut self.touches))
    }
}

fn collect(out: &mut Levels, depth: u32, bids: LevelIter<'_>, asks: LevelIter<'_>) {
    out.clear();
    bids.append_to(depth as usize, &mut out.bids);
    asks.append_to(depth as usize, &mut out.asks);
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
        view.image(now, book.levels(Side::Bid), book.levels(Side::Ask));
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
        let (changes, merged) = view.flush(1, book.levels(Side::Bid), book.levels(Side::Ask));
        assert_eq!((changes.bids.as_slice(), merged), (levels(&[(10, 5), (9, 0), (8, 1)]).as_slice(), 1));
        assert!(changes.asks.is_empty());
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
        let (changes, merged) = view.flush(1_100, book.levels(Side::Bid), book.levels(Side::Ask));
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

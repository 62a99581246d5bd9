//! Snapshots of a book: what becomes of one, and how far it makes the book known.

use super::instrument::{Context, InstrumentState};
use super::recovery::{SnapshotOrigin, Verdict};
use super::streams::Stamp;
use crate::aggregate::Bbo;
use crate::types::{
    Clock, Coverage, KnownTo, Level, Levels, Qty, Side, Sides, Stage, StaleReason, TimeNs, VenueSeq,
};

/// A snapshot that came while the book was synced.
#[derive(Debug)]
pub(super) struct Spare {
    number: u64,
    /// Where the book stood.
    book_at: u64,
    levels: Levels,
    coverage: Coverage,
    pub(super) origin: SnapshotOrigin,
    stamp: Stamp,
}

impl InstrumentState {
    /// A whole book, as levels.
    pub(super) fn on_book<C: Clock>(
        &mut self,
        levels: Sides<'_>,
        coverage: Coverage,
        origin: SnapshotOrigin,
        check: Option<u32>,
        stamp: Stamp,
        cx: &mut Context<'_, C>,
    ) {
        self.leads_by_orders = false;
        self.recount(cx.stats);
        self.tells_levels = true;
        let widens = self.is_beyond_known() && self.knows_more(known_to(levels, coverage));
        if origin == SnapshotOrigin::Stream {
            self.pending.clear();
        }
        let number = stamp.venue_seq;
        let at = (number, stamp.ts_event);
        let (verdict, dropped) = self.recovery.snapshot(at, origin, &self.pending, widens, stamp.ts_recv);
        cx.clock.stamp(Stage::Sequenced);
        if origin == SnapshotOrigin::Restated && verdict != Verdict::Ignore {
            self.pending.clear();
        }
        cx.stats.snapshots += u64::from(verdict != Verdict::Apply);
        let is_here = matches!(verdict, Verdict::Keep | Verdict::Widen) && self.recovery.is_at(number);
        if is_here && self.differs(levels, coverage, cx.scratch) {
            return self.contradicted(stamp.ts_recv, cx);
        }
        match verdict {
            Verdict::Replace => self.replace(levels, coverage, origin, check, stamp, cx),
            // Told to another depth than before it is another book.
            Verdict::Apply if self.depth != coverage.depth() => {
                self.replace(levels, coverage, origin, check, stamp, cx);
            }
            Verdict::Apply => self.restate(levels, check, stamp, cx),
            Verdict::Widen => self.take_wider(levels, coverage, None, stamp.ts_recv, cx),
            Verdict::Keep if self.is_left_behind(number) => {
                cx.stats.gaps += 1;
                let due = self.book_cursor.at.venue_seq.saturating_add(1);
                self.lose(StaleReason::Gap, (due, number), stamp.ts_recv, cx);
                self.on_book(levels, coverage, origin, check, stamp, cx);
            }
            Verdict::Keep => {
                let book_at = self.book_cursor.at.venue_seq;
                let mut spare = self.spare.take().unwrap_or_else(|| {
                    Box::new(Spare { number, book_at, levels: Levels::default(), coverage, origin, stamp })
                });
                spare.levels.clear();
                spare.levels.bids.extend_from_slice(levels.bids);
                spare.levels.asks.extend_from_slice(levels.asks);
                *spare = Spare { number, book_at, levels: spare.levels, coverage, origin, stamp };
                self.spare = Some(spare);
            }
            Verdict::Lost => {
                cx.stats.gaps += 1;
                for _ in 0..dropped {
                    self.pending.pop(cx.scratch);
                }
                cx.stats.snapshots_old += 1;
            }
            _ => cx.stats.snapshots_old += 1,
        }
    }

    /// Whether the book of the venue has gone on without this one: two that came while it was synced lie ahead of it, the second
    /// ahead of the first, and nothing came between them. What led there is missing, or is not told to this connection at all.
    #[cold]
    fn is_left_behind(&self, number: u64) -> bool {
        let at = self.book_cursor.at.venue_seq;
        let is_behind = |spare: &Spare| spare.book_at == at && spare.number > at && number > spare.number;
        self.recovery.is_numbered() && self.spare.as_ref().is_some_and(|spare| is_behind(spare))
    }

    /// The venue tells a synced book whole: what differs has changed.
    fn restate<C: Clock>(
        &mut self,
        levels: Sides<'_>,
        check: Option<u32>,
        stamp: Stamp,
        cx: &mut Context<'_, C>,
    ) {
        cx.stats.book_messages += 1;
        cx.stats.level_changes += levels.len() as u64;
        let mut changes = std::mem::take(cx.scratch);
        changes.clear();
        for side in [Side::Bid, Side::Ask] {
            let told = self.levels.side_mut(side);
            told.clear();
            told.extend_from_slice(levels.side(side));
            differences(self.book.levels(side), told, side, changes.side_mut(side));
        }
        let bbo = self.bbo;
        let is_taken = self.take(changes.view(), stamp, cx);
        self.recovery.goes_on(stamp.venue_seq, stamp.ts_event);
        if !is_taken {
            self.lose(StaleReason::LevelsLimit, (0, 0), stamp.ts_recv, cx);
        } else {
            self.cut(true);
            let agreed = self.cross_check.applied(stamp.venue_seq, self.bbo);
            if self.is_refuted(agreed, cx.stats) {
                self.contradicted(stamp.ts_recv, cx);
            } else if self.agrees(check, stamp.ts_recv, cx) && !changes.is_empty() {
                cx.clock.stamp(Stage::Applied);
                self.publish_changes(changes.view(), self.bbo != bbo, true, stamp.ts_recv, cx);
            }
        }
        *cx.scratch = changes;
    }

    /// Whether a snapshot of the book's own number says something else of what both know.
    #[cold]
    fn differs(&self, levels: Sides<'_>, coverage: Coverage, scratch: &mut Levels) -> bool {
        self.differs_from(levels, known_to(levels, coverage), scratch)
    }

    /// The same of levels that are known to given bounds.
    pub(super) fn differs_from(&self, levels: Sides<'_>, other: KnownTo, scratch: &mut Levels) -> bool {
        let own = self.book.known_to();
        [Side::Bid, Side::Ask].into_iter().any(|side| {
            let in_both = |level: &Level| own.covers(side, level.price) && other.covers(side, level.price);
            let told = scratch.side_mut(side);
            told.clear();
            told.extend(levels.side(side).iter().filter(|level| level.qty.0 != 0 && in_both(level)));
            told.sort_unstable_by_key(|level| if side == Side::Bid { -level.price.0 } else { level.price.0 });
            !self.book.levels(side).filter(in_both).eq(told.iter().copied())
        })
    }

    /// The book is lost: perhaps the snapshot that came before is where it goes on.
    pub(super) fn use_spare<C: Clock>(&mut self, cx: &mut Context<'_, C>) {
        let Some(spare) = self.spare.take() else { return };
        let now = self.pending.front().map_or(spare.stamp.ts_recv, |waiting| waiting.ts_recv);
        let at = (spare.number, spare.stamp.ts_event);
        let (verdict, _) = self.recovery.snapshot(at, spare.origin, &self.pending, false, now);
        if verdict == Verdict::Replace {
            self.replace(
                spare.levels.view(),
                spare.coverage,
                spare.origin,
                None,
                Stamp { ts_recv: now, ..spare.stamp },
                cx,
            );
        }
    }

    /// The snapshot is the book; what waits follows it.
    fn replace<C: Clock>(
        &mut self,
        levels: Sides<'_>,
        coverage: Coverage,
        origin: SnapshotOrigin,
        check: Option<u32>,
        stamp: Stamp,
        cx: &mut Context<'_, C>,
    ) {
        self.spare = None;
        if self.book.load(levels, known_to(levels, coverage)).is_err() {
            self.recovery.failed(stamp.ts_recv);
            return self.lose(StaleReason::LevelsLimit, (0, 0), stamp.ts_recv, cx);
        }
        self.depth = coverage.depth();
        self.is_depth_exact = matches!(coverage, Coverage::ExactDepth(_));
        self.cut(true);
        if let Some(proof) = &mut self.proof {
            proof.begun();
        }
        self.book_cursor.at = stamp;
        self.applied_at = stamp.ts_recv;
        self.recovery.replaced(stamp.venue_seq, stamp.ts_event, origin);
        if !self.agrees(check, stamp.ts_recv, cx) {
            return;
        }
        let top = Bbo { bid: self.book.best_bid(), ask: self.book.best_ask() };
        if self.product.top_proof {
            let agreed = self.cross_check.applied(stamp.venue_seq, top);
            if self.is_refuted(agreed, cx.stats) {
                return self.contradicted(stamp.ts_recv, cx);
            }
        }
        while let Some(waiting) = self.pending.pop(cx.scratch) {
            if self.recovery.follows(&waiting.seq) {
                let levels = std::mem::take(cx.scratch);
                let at = Stamp { venue_seq: 0, ts_event: waiting.ts_event, ts_recv: waiting.ts_recv };
                let is_applied = self.apply_waiting(&waiting.seq, levels.view(), at, cx);
                *cx.scratch = levels;
                if !is_applied {
                    return;
                }
                self.cut(true);
                if !self.agrees(waiting.check, stamp.ts_recv, cx) {
                    return;
                }
            }
        }
        cx.clock.stamp(Stage::Applied);
        self.become_synced(stamp.ts_recv, cx);
    }

    /// Whether a snapshot that was kept is at the place of the update just applied and shows more of a book whose best
    /// price has passed beyond what it knows; if so it was taken.
    #[cold]
    pub(super) fn widen<C: Clock>(
        &mut self,
        seq: &VenueSeq,
        levels: Sides<'_>,
        stamp: Stamp,
        cx: &mut Context<'_, C>,
    ) -> bool {
        let Some(spare) = &self.spare else { return false };
        // The update runs on from the snapshot, or ends where it is.
        let is_here = spare.number <= seq.last && spare.number.saturating_add(1) >= seq.first;
        if !is_here
            || !self.is_beyond_known()
            || !self.knows_more(known_to(spare.levels.view(), spare.coverage))
        {
            return false;
        }
        let Some(spare) = self.spare.take() else { return false };
        self.take_wider(spare.levels.view(), spare.coverage, Some(levels), stamp.ts_recv, cx);
        true
    }

    /// Takes from a snapshot at the book's own place what lies beyond what the book knows. `update`: what came behind the
    /// snapshot, and stands over it.
    fn take_wider<C: Clock>(
        &mut self,
        levels: Sides<'_>,
        coverage: Coverage,
        update: Option<Sides<'_>>,
        now: TimeNs,
        cx: &mut Context<'_, C>,
    ) {
        let (before, more) = (self.book.known_to(), known_to(levels, coverage));
        self.collect_book();
        for side in [Side::Bid, Side::Ask] {
            let own = self.levels.side_mut(side);
            let len = own.len();
            for level in levels.side(side).iter().filter(|level| !before.covers(side, level.price)) {
                let is_named = |known: &Level| known.price == level.price;
                let is_changed = update.is_some_and(|update| update.side(side).iter().any(is_named));
                if !is_changed && !own[..len].iter().any(is_named) {
                    own.push(*level);
                }
            }
        }
        let known_to = KnownTo { bid: before.bid.min(more.bid), ask: before.ask.max(more.ask) };
        let collected = std::mem::take(&mut self.levels);
        let loaded = self.book.load(collected.view(), known_to);
        self.levels = collected;
        if loaded.is_err() {
            return self.lose(StaleReason::LevelsLimit, (0, 0), now, cx);
        }
        self.recovery.satisfied(now);
        self.become_synced(now, cx);
    }

    /// Whether the best price of a synced book has passed beyond what the venue has made known.
    pub(super) fn is_beyond_known(&self) -> bool {
        self.lead().is_synced() && self.top_is_beyond(self.book.known_to())
    }

    /// Whether the best price of a side is worse than a bound.
    #[inline]
    pub(super) fn top_is_beyond(&self, known_to: KnownTo) -> bool {
        // Of a side that is known to a bound and has nothing up to there, the best lies behind it.
        let is_bounded = |side| match side {
            Side::Bid => known_to.bid != KnownTo::WHOLE.bid,
            Side::Ask => known_to.ask != KnownTo::WHOLE.ask,
        };
        let beyond = |side, best: Option<Level>| {
            best.map_or_else(|| is_bounded(side), |level| !known_to.covers(side, level.price))
        };
        beyond(Side::Bid, self.bbo.bid) || beyond(Side::Ask, self.bbo.ask)
    }

    fn knows_more(&self, other: KnownTo) -> bool {
        let own = self.book.known_to();
        other.bid < own.bid || other.ask > own.ask
    }

    /// Levels of the snapshot that is kept.
    pub(super) fn spare_levels(&self) -> impl Iterator<Item = &Level> {
        self.spare.iter().flat_map(|spare| spare.levels.bids.iter().chain(&spare.levels.asks))
    }

    /// The same, to be changed in place.
    pub(super) fn spare_levels_mut(&mut self) -> impl Iterator<Item = &mut Level> {
        self.spare.iter_mut().flat_map(|spare| spare.levels.bids.iter_mut().chain(&mut spare.levels.asks))
    }
}

/// What makes one side of a book, best level first, what a message tells of it. `told` is sorted on the way; of two levels at
/// one price the last counts, as everywhere.
fn differences(own: impl Iterator<Item = Level>, told: &mut [Level], side: Side, changes: &mut Vec<Level>) {
    let rank = |level: &Level| if side == Side::Bid { -level.price.0 } else { level.price.0 };
    told.sort_by_key(rank);
    let mut own = own.peekable();
    let mut told = told.iter().peekable();
    while let Some(level) = told.next() {
        if told.peek().is_some_and(|next| next.price == level.price) {
            continue;
        }
        while let Some(gone) = own.next_if(|held| rank(held) < rank(level)) {
            changes.push(Level { qty: Qty(0), ..gone });
        }
        let held = own.next_if(|held| held.price == level.price).map_or(Qty(0), |held| held.qty);
        if held != level.qty {
            changes.push(*level);
        }
    }
    changes.extend(own.map(|gone| Level { qty: Qty(0), ..gone }));
}

/// How far a snapshot makes each side known.
///
/// One that was cut is taken as cut on each side unless the side is empty: what lies behind its worst level is unknown
/// until a change names it.
pub(super) fn known_to(levels: Sides<'_>, coverage: Coverage) -> KnownTo {
    let worst = KnownTo {
        bid: levels.bids.iter().map(|level| level.price).min().unwrap_or(KnownTo::WHOLE.bid),
        ask: levels.asks.iter().map(|level| level.price).max().unwrap_or(KnownTo::WHOLE.ask),
    };
    match coverage {
        // Of orders, what their numbers say is told where these are counted.
        Coverage::Whole | Coverage::Orders(_) => KnownTo::WHOLE,
        Coverage::ToWorst => worst,
        Coverage::Depth(depth) | Coverage::ExactDepth(depth) => {
            let is_cut = |side: &[Level]| side.len() >= depth as usize;
            KnownTo {
                bid: if is_cut(levels.bids) { worst.bid } else { KnownTo::WHOLE.bid },
                ask: if is_cut(levels.asks) { worst.ask } else { KnownTo::WHOLE.ask },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Price;

    #[test]
    fn a_book_that_is_told_again_changes_where_it_differs() {
        let differ = |side, own: &[(i64, i64)], told: &[(i64, i64)]| {
            let levels = |of: &[(i64, i64)]| of.iter().map(|&(p, q)| Level::new(p, q)).collect::<Vec<_>>();
            let mut changes = Vec::new();
            differences(levels(own).into_iter(), &mut levels(told), side, &mut changes);
            changes.iter().map(|level| (level.price.0, level.qty.0)).collect::<Vec<_>>()
        };
        let bids = [(9, 1), (8, 2), (7, 3)];
        assert_eq!(differ(Side::Bid, &bids, &[(7, 3), (9, 1), (8, 2)]), []);
        assert_eq!(differ(Side::Bid, &bids, &[(10, 4), (8, 5), (7, 3)]), [(10, 4), (9, 0), (8, 5)]);
        assert_eq!(differ(Side::Ask, &[(1, 1), (2, 2)], &[(2, 9), (2, 2), (3, 0)]), [(1, 0)]);
        assert_eq!(differ(Side::Ask, &[(1, 1)], &[]), [(1, 0)]);
        assert_eq!(differ(Side::Ask, &[], &[(1, 1)]), [(1, 1)]);
    }

    #[test]
    fn a_snapshot_is_known_as_far_as_it_goes() {
        let side = |prices: &[i64]| prices.iter().map(|&price| Level::new(price, 1)).collect::<Vec<_>>();
        let levels = Levels { bids: side(&[9, 7, 8]), asks: side(&[11, 13]) };
        let worst = KnownTo { bid: Price(7), ask: Price(13) };
        assert_eq!(known_to(levels.view(), Coverage::ToWorst), worst);
        assert_eq!(known_to(levels.view(), Coverage::Whole), KnownTo::WHOLE);
        assert_eq!(known_to(levels.view(), Coverage::Depth(2)), worst);
        assert_eq!(known_to(levels.view(), Coverage::ExactDepth(2)), worst);
        let whole_asks = KnownTo { ask: KnownTo::WHOLE.ask, ..worst };
        assert_eq!(known_to(levels.view(), Coverage::Depth(3)), whole_asks);
        assert_eq!(known_to(Sides::default(), Coverage::ToWorst), KnownTo::WHOLE);
    }
}

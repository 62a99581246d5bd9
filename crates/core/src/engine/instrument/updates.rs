//! Updates of the book: levels that changed. Each is applied in the venue's order, waits for a book that it continues, or
//! is refused; what it changed is published when it has been applied and nothing has contradicted it.
//!
//! Cost of one that goes on: that of [`L2Book::apply`](crate::book::L2Book::apply) for its levels, then one frame. It allocates
//! nothing once warm; one that waits is copied.

use super::{Context, End, InstrumentState};
use crate::aggregate::Bbo;
use crate::engine::recovery::Verdict;
use crate::engine::streams::Stamp;
use crate::sequence::{Rule, Waiting, Waits};
use crate::types::{Clock, Level, Qty, Side, Sides, Stage, StaleReason, TimeNs, VenueSeq, Verb};

impl InstrumentState {
    /// A change of the book, whatever the state.
    #[inline]
    pub(in crate::engine) fn on_levels<C: Clock>(
        &mut self,
        seq: VenueSeq,
        levels: Sides<'_>,
        stamp: Stamp,
        end: End<'_>,
        cx: &mut Context<'_, C>,
    ) {
        cx.stats.book_messages += 1;
        cx.stats.level_changes += levels.len() as u64;
        if !self.recovery.fits(&seq) {
            return self.numbered_otherwise(stamp.ts_recv, cx);
        }
        let verdict = self.recovery.update(&seq, stamp.ts_event, stamp.ts_recv);
        cx.clock.stamp(Stage::Sequenced);
        if verdict != Verdict::Apply {
            return self.on_levels_aside(verdict, seq, levels, stamp, end, cx);
        }
        let bbo = self.bbo;
        if self.fits(&seq, levels, end.verbs, stamp.ts_recv, cx) && self.apply(&seq, levels, stamp, cx) {
            if self.spare.is_some() && self.widen(&seq, levels, stamp, cx) {
                return;
            }
            self.cut(end.is_last);
            if self.agrees(end.check, stamp.ts_recv, cx) {
                cx.clock.stamp(Stage::Applied);
                self.publish_changes(levels, self.bbo != bbo, end.is_last, stamp.ts_recv, cx);
                if !self.pending.is_empty() {
                    self.follow_waiting(stamp.ts_recv, cx);
                }
            }
        }
    }

    /// A change that is not numbered as the book is: of another product, whose symbols and form may be alike, or of a venue
    /// that contradicts itself.
    #[cold]
    fn numbered_otherwise<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        match self.product.rule {
            Rule::LinkedIfNumbered => self.contradicted(now, cx),
            _ => cx.stats.foreign += 1,
        }
    }

    /// A change that does not simply go on.
    #[cold]
    fn on_levels_aside<C: Clock>(
        &mut self,
        verdict: Verdict,
        seq: VenueSeq,
        levels: Sides<'_>,
        stamp: Stamp,
        end: End<'_>,
        cx: &mut Context<'_, C>,
    ) {
        self.tells_levels = true;
        let Stamp { ts_event, ts_recv, .. } = stamp;
        let waiting = Waiting { seq, ts_event, ts_recv, check: end.check };
        match verdict {
            Verdict::Resume => {
                if self.fits(&seq, levels, end.verbs, ts_recv, cx) && self.apply(&seq, levels, stamp, cx) {
                    self.cut(end.is_last);
                    if self.agrees(end.check, ts_recv, cx) {
                        cx.clock.stamp(Stage::Applied);
                        self.become_synced(ts_recv, cx);
                    }
                }
            }
            Verdict::Lost => {
                cx.stats.gaps += 1;
                self.pending.clear();
                self.say_state(stamp.ts_recv, cx);
                self.hold(waiting, levels, end.verbs, cx);
                self.use_spare(cx);
            }
            Verdict::Hold => self.hold(waiting, levels, end.verbs, cx),
            Verdict::Wait => {
                self.hold(waiting, levels, end.verbs, cx);
                self.miss_waiting(stamp.ts_recv, cx);
            }
            _ => cx.stats.ignored += 1,
        }
        self.ask(stamp.ts_recv, cx);
    }

    /// Keeps an update for the snapshot that is to come.
    fn hold<C: Clock>(
        &mut self,
        waiting: Waiting,
        levels: Sides<'_>,
        verbs: &[Verb],
        cx: &mut Context<'_, C>,
    ) {
        self.held += 1;
        let dropped = self.pending.dropped();
        self.pending.push(waiting, levels, verbs);
        cx.stats.pending_dropped += self.pending.dropped() - dropped;
    }

    /// Whether what the venue says of each level fits the book. A book that it contradicts is stale.
    #[inline]
    fn fits<C: Clock>(
        &mut self,
        seq: &VenueSeq,
        levels: Sides<'_>,
        verbs: &[Verb],
        now: TimeNs,
        cx: &mut Context<'_, C>,
    ) -> bool {
        let fits =
            verbs.is_empty() || !self.recovery.is_joined(seq) || self.verbs.fits(levels, verbs, &self.book);
        if !fits {
            self.contradicted(now, cx);
        }
        fits
    }

    /// Applies an update that the recovery allowed. False when the book could not take it, or the venue contradicts what
    /// it then is.
    #[inline]
    pub(in crate::engine) fn apply<C: Clock>(
        &mut self,
        seq: &VenueSeq,
        levels: Sides<'_>,
        stamp: Stamp,
        cx: &mut Context<'_, C>,
    ) -> bool {
        let at = Stamp { venue_seq: seq.last, ..stamp };
        if !self.take(levels, at, cx) {
            self.lose(StaleReason::LevelsLimit, (0, 0), stamp.ts_recv, cx);
            return false;
        }
        self.recovery.applied(seq, stamp.ts_event);
        let agreed = self.cross_check.applied(seq.last, self.bbo);
        if self.is_refuted(agreed, cx.stats) {
            self.contradicted(stamp.ts_recv, cx);
            return false;
        }
        true
    }

    /// Applies an update that has waited, if it fits; see [`Self::apply`].
    #[cold]
    pub(in crate::engine) fn apply_waiting<C: Clock>(
        &mut self,
        seq: &VenueSeq,
        levels: Sides<'_>,
        stamp: Stamp,
        cx: &mut Context<'_, C>,
    ) -> bool {
        let verbs = self.pending.take_verbs();
        let fits = self.fits(seq, levels, &verbs, stamp.ts_recv, cx);
        self.pending.reuse_verbs(verbs);
        fits && self.apply(seq, levels, stamp, cx)
    }

    /// Puts levels into the book, which then stands at `at`. False when the book cannot take them.
    #[inline]
    pub(in crate::engine) fn take<C: Clock>(
        &mut self,
        levels: Sides<'_>,
        at: Stamp,
        cx: &mut Context<'_, C>,
    ) -> bool {
        let Ok(touched) = self.book.apply(levels) else { return false };
        if let Some(proof) = &mut self.proof {
            proof.touched(touched);
        }
        cx.stats.applied += 1;
        cx.stats.applied_level_changes += levels.len() as u64;
        let bbo = Bbo { bid: self.book.best_bid(), ask: self.book.best_ask() };
        let crossed = if self.leads_by_orders { &mut cx.stats.orders.crossed } else { &mut cx.stats.crossed };
        *crossed += u64::from(bbo.is_crossed());
        self.views.touch(touched, self.book_cursor.at);
        if let Some(costs) = &mut self.costs {
            costs.touch(touched);
        }
        self.book_cursor.at = at;
        self.applied_at = at.ts_recv;
        self.bbo = bbo;
        true
    }

    /// Cuts the book to the depth that the venue makes known, where its event ends. What leaves is in `cut`.
    #[inline]
    pub(in crate::engine) fn cut(&mut self, is_last: bool) {
        let Some(depth) = self.depth.filter(|_| is_last) else { return };
        let cut = &mut self.cut;
        cut.clear();
        let count = self.book.truncate_with(depth as usize, |side, level| cut.side_mut(side).push(level));
        if count > 0
            && let Some(proof) = &mut self.proof
            && (depth as usize) < proof.levels()
        {
            proof.replaced();
        }
    }

    /// Publishes what an update changed, and what left the book by a cut.
    #[inline]
    pub(in crate::engine) fn publish_changes<C: Clock>(
        &mut self,
        levels: Sides<'_>,
        bbo_changed: bool,
        is_last: bool,
        now: TimeNs,
        cx: &mut Context<'_, C>,
    ) {
        if self.cut.is_empty() || self.depth.is_none() || !is_last {
            return self.publish(levels, bbo_changed, is_last, now, cx);
        }
        // Of two levels at one price the last counts.
        let mut changes = std::mem::take(&mut self.changes);
        changes.clear();
        for side in [Side::Bid, Side::Ask] {
            let of = changes.side_mut(side);
            of.extend_from_slice(levels.side(side));
            of.extend(self.cut.side(side).iter().map(|level| Level { qty: Qty(0), ..*level }));
        }
        self.publish(changes.view(), bbo_changed, is_last, now, cx);
        self.changes = changes;
    }
}

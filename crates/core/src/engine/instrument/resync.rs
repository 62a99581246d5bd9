//! How the book ceases to be exact, what is asked for to mend it, and how it is exact again: in a new epoch.
//!
//! Whether it may be trusted is decided by [`Recovery`](crate::engine::recovery::Recovery); here is what follows from that for its
//! readers.

use super::{Context, InstrumentState};
use crate::aggregate::Bbo;
use crate::encode::{Stream, Want};
use crate::engine::loss;
use crate::engine::recovery::{Gap, SnapshotOrigin};
use crate::engine::streams::Stamp;
use crate::types::{BookState, Clock, StaleReason, TimeNs};
use crate::venues::Resync;

impl InstrumentState {
    /// The venue contradicts the book.
    #[cold]
    pub(in crate::engine) fn contradicted<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        cx.stats.contradictions += 1;
        self.lose(StaleReason::Contradiction, (0, 0), now, cx);
        self.ask(now, cx);
    }

    /// The truth of the book of levels is lost, or in doubt: say so, publish no more, want a cure.
    #[cold]
    pub(in crate::engine) fn lose<C: Clock>(
        &mut self,
        reason: StaleReason,
        gap: Gap,
        now: TimeNs,
        cx: &mut Context<'_, C>,
    ) {
        self.pending.clear();
        if self.recovery.lose(reason, gap, now) && !self.leads_by_orders {
            self.say_state(now, cx);
        }
    }

    /// The same of the book that readers see.
    #[cold]
    pub(in crate::engine) fn lose_lead<C: Clock>(
        &mut self,
        reason: StaleReason,
        gap: Gap,
        now: TimeNs,
        cx: &mut Context<'_, C>,
    ) {
        if !self.leads_by_orders {
            return self.lose(reason, gap, now, cx);
        }
        if self.orders.lose(reason, gap, now) {
            self.say_state(now, cx);
        }
    }

    /// The source has spoken of another instrument; see rule 8 of `recovery`.
    pub(in crate::engine) fn on_foreign<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        if self.spare.as_ref().is_some_and(|spare| spare.origin == SnapshotOrigin::Anonymous) {
            self.spare = None;
        }
        if self.recovery.lose_anonymous(now) && !self.leads_by_orders {
            self.say_state(now, cx);
        }
    }

    /// The venue starts anew: forget the book and all numbers.
    pub(in crate::engine) fn on_restart<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        self.recovery.restart();
        self.orders.restart();
        self.pending.clear();
        self.waiting_orders.clear();
        self.spare = None;
        self.cross_check.reset();
        self.book.clear();
        self.bbo = Bbo::default();
        self.book_cursor.at = Stamp::default();
        self.last_trade = None;
        self.say_state(now, cx);
        self.restart_volumes(now, cx);
        self.lose_signal_trades();
        self.forget_venue_top(now, cx);
    }

    /// Tells readers the state.
    pub(in crate::engine) fn say_state<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        // To run to another time is no loss.
        if self.was_synced && !self.is_held && self.state() != BookState::Synced {
            self.mending.lost(now);
            let last =
                loss::Told { epoch: self.epoch(cx.config), seq: self.book_cursor.seq, ts_recv: self.told_at };
            self.loss.lost(self.state(), self.lead().gap(), last, now);
        }
        if self.was_synced && !self.lead().is_synced() {
            self.doubt_volumes(now, cx);
        }
        self.feed_anew(now, cx);
        self.recount(cx.stats);
        self.publish_image(Stream::STATUS, now, cx);
        self.say_orders_lost(now, cx);
        // A source that fails is silent: that is told in its place.
        let has_failed = self.lead().state() == BookState::Stale(StaleReason::SourceFailed);
        if self.was_synced && !self.lead().is_synced() && !has_failed {
            self.doubt_tapes(now, cx);
        }
    }

    /// Whether anybody tells a book of levels, as far as is known: where the venue tells orders, their sums are the levels unless
    /// it has told levels, too.
    fn wants_levels(&self) -> bool {
        self.tells_levels || !(self.uses_orders || self.product.numbers_orders())
    }

    /// Whether a snapshot with this ticket is the answer that is waited for.
    pub(in crate::engine) const fn awaits(&self, ticket: u32) -> bool {
        self.recovery.awaits(ticket) || self.orders.awaits(ticket)
    }

    /// Asks for what mends the book, if it is time to.
    pub(in crate::engine) fn ask<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        let levels = self.wants_levels().then_some(&mut self.recovery);
        for recovery in levels.into_iter().chain([&mut self.orders]) {
            if let Some(ticket) = recovery.ask(now) {
                cx.stats.snapshot_requests += 1;
                let reason = recovery.state().reason_code();
                let kind = self.product.resync as u8;
                cx.out.want(Want { instrument: self.id, ticket, kind, reason });
            }
        }
    }

    /// What was asked for cannot be had.
    pub(in crate::engine) fn on_failed(&mut self, now: TimeNs) {
        self.recovery.failed(now);
        self.orders.failed(now);
    }

    /// What was asked for has come, and its place among what waits does not show.
    pub(in crate::engine) fn on_unplaced(&mut self, now: TimeNs) {
        self.recovery.unplaced(&self.pending, now);
        self.orders.unplaced(&self.waiting_orders, now);
    }

    /// A connection that was made brings its book. One that nothing is known of is wanted where it does not come by itself: its
    /// market may be quiet for long.
    pub(in crate::engine) fn want_first(&mut self, now: TimeNs) {
        if self.product.resync == Resync::Snapshot && self.state() == BookState::Syncing {
            let wanted = if self.wants_levels() { &mut self.recovery } else { &mut self.orders };
            wanted.want_more(now);
        }
    }

    /// The book is exact: a new epoch, and in it an image of every stream.
    pub(in crate::engine) fn become_synced<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        let lead = if self.leads_by_orders { &mut self.orders } else { &mut self.recovery };
        cx.stats.resyncs += u64::from(lead.synced(now));
        self.mending.synced(now, &mut cx.stats.mending);
        self.loss.mended(now);
        self.told_at = self.book_cursor.at.ts_recv;
        self.was_synced = true;
        self.trades.mended();
        self.market.liquidations.mended();
        self.open_epoch(now, cx);
    }

    /// An image of every stream, as each now is, in a new epoch.
    pub(in crate::engine) fn open_epoch<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        self.begin_epoch(now, cx);
        self.recount(cx.stats);
        self.publish_images(now, cx);
    }

    /// Every stream begins again; nothing is published.
    pub(in crate::engine) fn begin_epoch<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        self.resets = self.resets.wrapping_add(1);
        self.feed_anew(now, cx);
        self.bbo = Bbo { bid: self.book.best_bid(), ask: self.book.best_ask() };
        (self.book_cursor.seq, self.bbo_cursor.seq) = (1, 1);
        self.trades.open_epoch();
        self.venue_top.open_epoch();
        self.market.open_epoch();
        self.book_check.done(now);
        self.bbo_doubts = self.doubts();
        self.views.open_epoch(now, &self.book, self.bbo.is_crossed());
        self.open_volumes_epoch(now);
        if let Some(costs) = &mut self.costs {
            costs.open_epoch(now, &self.book, self.bbo_doubts);
        }
        self.open_signals_epoch(now);
        self.open_orders_epoch(cx);
    }
}

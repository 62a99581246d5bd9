//! Changes of orders that their venue numbers, and the books that they continue: these are asked for.
//!
//! As with levels `recovery` decides. What continues the book is applied; what comes behind a gap makes it stale, and waits for a
//! book that it continues.

use super::super::instrument::{Context, End, InstrumentState};
use super::super::recovery::{SnapshotOrigin, StandsAt, Verdict};
use super::super::streams::Stamp;
use super::{OrderBooks, reason_of};
use crate::book::l3::{BookIndex, Touched};
use crate::sequence::Waiting;
use crate::types::{Absent, Clock, OrderChange, Stage, StaleReason, TimeNs, ToldOrders, VenueSeq};

impl OrderBooks {
    /// Orders that changed, whatever the state.
    pub(in crate::engine) fn on_numbered<C: Clock>(
        &mut self,
        instrument: &mut InstrumentState,
        (seq, told, absent): (VenueSeq, ToldOrders<'_>, Absent),
        end: End<'_>,
        stamp: Stamp,
        cx: &mut Context<'_, C>,
    ) {
        instrument.uses_orders = true;
        cx.stats.orders.untouching += u64::from(told.list.is_empty());
        for change in told.list {
            cx.stats.orders.count(change);
        }
        let verdict = instrument.orders.update(&seq, stamp.ts_event, stamp.ts_recv);
        cx.clock.stamp(Stage::Sequenced);
        match verdict {
            Verdict::Apply | Verdict::Resume => {
                let Some(book) = self.book_of(instrument, cx) else { return };
                if self.apply_numbered(instrument, book, told, absent, stamp, cx) {
                    instrument.orders.applied(&seq, stamp.ts_event);
                    cx.clock.stamp(Stage::Applied);
                    if verdict == Verdict::Resume {
                        cx.stats.orders.events += 1;
                        self.whole(instrument, book, stamp, cx);
                    } else if end.is_last {
                        self.event_end(instrument, end, stamp, cx);
                    }
                    self.count_resting(cx);
                }
            }
            Verdict::Lost => {
                cx.stats.gaps += 1;
                self.on_restart(instrument.slot);
                instrument.waiting_orders.clear();
                if instrument.leads_by_orders {
                    instrument.say_state(stamp.ts_recv, cx);
                }
                instrument.say_orders_lost(stamp.ts_recv, cx);
                instrument.hold_orders(seq, told, absent, stamp, cx);
            }
            Verdict::Hold => instrument.hold_orders(seq, told, absent, stamp, cx),
            _ => cx.stats.ignored += 1,
        }
        instrument.ask(stamp.ts_recv, cx);
    }

    /// Applies changes. False where one contradicts the book, whose truth is lost with it.
    fn apply_numbered<C: Clock>(
        &mut self,
        instrument: &mut InstrumentState,
        book: BookIndex,
        told: ToldOrders<'_>,
        absent: Absent,
        stamp: Stamp,
        cx: &mut Context<'_, C>,
    ) -> bool {
        let numbered = self.numbers(book, told);
        let changes = numbered.as_deref().unwrap_or(told.list);
        let is_applied = self.apply_all(instrument, book, changes, absent, stamp, cx);
        self.release(numbered);
        is_applied
    }

    fn apply_all<C: Clock>(
        &mut self,
        instrument: &mut InstrumentState,
        book: BookIndex,
        changes: &[OrderChange],
        absent: Absent,
        stamp: Stamp,
        cx: &mut Context<'_, C>,
    ) -> bool {
        for change in changes {
            let change = change.with_ids(|id| self.number(instrument.slot, id));
            if absent == Absent::Passes
                && let OrderChange::Modify { id, .. } | OrderChange::Delete { id } = change
                && self.l3.order(id).is_none_or(|order| order.book != book)
            {
                continue;
            }
            let applied = if instrument.tells_orders {
                self.apply_told(instrument, book, &change)
            } else {
                self.apply_seldom(book, &change)
            };
            let touched = &mut self.touched[book.0 as usize];
            match applied {
                Ok(Touched::One { side, now }) => touched.side_mut(side).push(now),
                Ok(Touched::Two { side, left, joined }) => touched.side_mut(side).extend([left, joined]),
                Ok(Touched::Book) => touched.clear(),
                Err(error) => {
                    self.contradicted(instrument, book, error, stamp.ts_recv, cx);
                    return false;
                }
            }
        }
        true
    }

    /// A whole book of orders that was asked for: `orders` are new ones, in the order of their queues.
    pub(in crate::engine) fn on_asked<C: Clock>(
        &mut self,
        instrument: &mut InstrumentState,
        orders: ToldOrders<'_>,
        origin: SnapshotOrigin,
        stamp: Stamp,
        cx: &mut Context<'_, C>,
    ) {
        cx.stats.snapshots += 1;
        instrument.uses_orders = true;
        let at = (stamp.venue_seq, stamp.ts_event);
        let waiting = &instrument.waiting_orders;
        let (verdict, dropped) = instrument.orders.snapshot(at, origin, waiting, false, stamp.ts_recv);
        cx.clock.stamp(Stage::Sequenced);
        match verdict {
            Verdict::Replace => self.take_asked(instrument, orders, origin, stamp, cx),
            // A book that is exact has no use for it.
            Verdict::Keep => cx.stats.ignored += 1,
            Verdict::Lost => {
                cx.stats.gaps += 1;
                cx.stats.snapshots_old += 1;
                (0..dropped).for_each(|_| instrument.waiting_orders.drop_oldest());
            }
            _ => cx.stats.snapshots_old += 1,
        }
    }

    /// The orders are the book; what waits follows them.
    fn take_asked<C: Clock>(
        &mut self,
        instrument: &mut InstrumentState,
        told: ToldOrders<'_>,
        origin: SnapshotOrigin,
        stamp: Stamp,
        cx: &mut Context<'_, C>,
    ) {
        let now = stamp.ts_recv;
        let Some(book) = self.fill(instrument, told, now, cx) else { return };
        instrument.orders.replaced(stamp.venue_seq, stamp.ts_event, origin);
        let mut at = stamp;
        let (mut changes, mut texts) = (std::mem::take(&mut self.changes), std::mem::take(&mut self.texts));
        let mut is_applied = true;
        while let Some((waiting, absent)) = instrument.waiting_orders.pop(&mut changes, &mut texts) {
            if !instrument.orders.follows(&waiting.seq) {
                continue;
            }
            at = Stamp { venue_seq: waiting.seq.last, ts_event: waiting.ts_event, ts_recv: now };
            let told = ToldOrders { list: &changes, texts: &texts };
            is_applied = self.apply_numbered(instrument, book, told, absent, at, cx);
            if !is_applied {
                break;
            }
            instrument.orders.applied(&waiting.seq, waiting.ts_event);
        }
        (self.changes, self.texts) = (changes, texts);
        if !is_applied {
            return;
        }
        self.count_resting(cx);
        self.whole(instrument, book, at, cx);
    }
    /// Makes a book of new orders, in the order of their queues. `None` where that cannot be: its truth is lost.
    fn fill<C: Clock>(
        &mut self,
        instrument: &mut InstrumentState,
        told: ToldOrders<'_>,
        now: TimeNs,
        cx: &mut Context<'_, C>,
    ) -> Option<BookIndex> {
        let Some(book) = self.book_of(instrument, cx) else {
            instrument.orders.failed(now);
            instrument.lose_orders(StaleReason::OrdersLimit, (0, 0), now, cx);
            return None;
        };
        self.forget(book);
        let numbered = self.numbers(book, told);
        let orders = numbered.as_deref().unwrap_or(told.list);
        let contradiction = orders.iter().find_map(|order| {
            cx.stats.orders.count(order);
            self.apply_seldom(book, &order.with_ids(|id| self.number(instrument.slot, id))).err()
        });
        if contradiction.is_some() {
            self.forget(book);
        }
        self.release(numbered);
        if let Some(error) = contradiction {
            instrument.orders.failed(now);
            cx.stats.orders.contradictions += 1;
            instrument.lose_orders(reason_of(error), (0, 0), now, cx);
            return None;
        }
        instrument.leads_by_orders = !instrument.recovery.has_book();
        instrument.recount(cx.stats);
        Some(book)
    }

    /// The orders of a checkpoint are the book.
    pub(in crate::engine) fn take_restored<C: Clock>(
        &mut self,
        instrument: &mut InstrumentState,
        told: ToldOrders<'_>,
        stands_at: StandsAt,
        stamp: Stamp,
        cx: &mut Context<'_, C>,
    ) {
        let Some(book) = self.fill(instrument, told, stamp.ts_recv, cx) else { return };
        instrument.orders.restored(stands_at);
        self.count_resting(cx);
        self.whole(instrument, book, stamp, cx);
    }
}

impl InstrumentState {
    /// Keeps changes of orders for a book that is to come.
    fn hold_orders<C: Clock>(
        &mut self,
        seq: VenueSeq,
        told: ToldOrders<'_>,
        absent: Absent,
        Stamp { ts_event, ts_recv, .. }: Stamp,
        cx: &mut Context<'_, C>,
    ) {
        self.held += 1;
        let dropped = self.waiting_orders.dropped();
        self.waiting_orders.push(Waiting { seq, ts_event, ts_recv, check: None }, told, absent);
        cx.stats.pending_dropped += self.waiting_orders.dropped() - dropped;
    }
}

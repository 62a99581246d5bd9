//! Whole books of orders, as their venue tells them at once or order by order in many messages, and what they make of the levels
//! that readers see.
//!
//! Cost: that of adding every order, and of loading every level.

use super::OrderBooks;
use crate::book::l3::BookIndex;
use crate::engine::instrument::{Context, End, InstrumentState};
use crate::engine::snapshots::known_to;
use crate::engine::streams::Stamp;
use crate::types::{
    BookState, Clock, OrderChange, Part, Side, Sides, Stage, StaleReason, TimeNs, ToldOrders,
};

impl OrderBooks {
    /// A whole book of orders, or a part of one.
    pub(in crate::engine) fn on_order_book<C: Clock>(
        &mut self,
        instrument: &mut InstrumentState,
        part: Part,
        told: ToldOrders<'_>,
        end: End<'_>,
        stamp: Stamp,
        cx: &mut Context<'_, C>,
    ) {
        instrument.uses_orders = true;
        let Some(book) = self.book_of(instrument, cx) else {
            return instrument.lose_orders(StaleReason::OrdersLimit, (0, 0), stamp.ts_recv, cx);
        };
        if matches!(part, Part::Whole | Part::First) {
            self.forget(book);
            if let Some(proof) = &mut instrument.proof {
                proof.begun();
            }
            instrument.are_orders_cut = [false; 2];
            instrument.begin_orders(stamp.ts_recv, cx);
        }
        let numbered = self.numbers(book, told);
        for change in numbered.as_deref().unwrap_or(told.list) {
            cx.stats.orders.count(change);
            if !instrument.orders.is_building() {
                cx.stats.orders.passed_over += 1;
            } else if *change != OrderChange::Clear
                && let Err(error) =
                    self.apply_seldom(book, &change.with_ids(|id| self.number(instrument.slot, id)))
            {
                self.contradicted(instrument, book, error, stamp.ts_recv, cx);
            }
        }
        self.release(numbered);
        self.count_resting(cx);
        if matches!(part, Part::Whole | Part::Last) {
            cx.stats.orders.events += u64::from(part == Part::Last && end.is_last);
            if instrument.orders.orders_whole(stamp.venue_seq) {
                self.cut(instrument, book);
                if self.is_within(instrument, book, stamp.ts_recv, cx)
                    && self.agrees(instrument, book, end.check, stamp.ts_recv, cx)
                {
                    self.whole(instrument, book, stamp, cx);
                }
            }
        }
    }

    /// The orders are the whole book.
    pub(super) fn whole<C: Clock>(
        &mut self,
        instrument: &mut InstrumentState,
        book: BookIndex,
        stamp: Stamp,
        cx: &mut Context<'_, C>,
    ) {
        self.touched[book.0 as usize].clear();
        self.levels.clear();
        self.levels.bids.extend(self.l3.levels(book, Side::Bid));
        self.levels.asks.extend(self.l3.levels(book, Side::Ask));
        if !instrument.on_orders_whole(self.levels.view(), stamp, cx) {
            self.forget(book);
        } else if instrument.order_stream.is_open() {
            self.publish_image(instrument, stamp, cx);
        }
    }
}

impl InstrumentState {
    /// A book of orders begins. It is what readers see as long as the venue sends no levels.
    fn begin_orders<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        let led = self.leads_by_orders;
        self.leads_by_orders = !self.recovery.has_book();
        let before = if led { self.orders.state() } else { self.recovery.state() };
        self.orders.begin_orders();
        self.recount(cx.stats);
        if self.leads_by_orders && before != BookState::Syncing {
            self.say_state(now, cx);
        }
        self.say_orders_lost(now, cx);
    }

    /// The book of orders is whole, and `levels` are its sums. False when the book cannot take them.
    fn on_orders_whole<C: Clock>(
        &mut self,
        levels: Sides<'_>,
        stamp: Stamp,
        cx: &mut Context<'_, C>,
    ) -> bool {
        if !self.leads_by_orders {
            self.orders.synced(stamp.ts_recv);
            return true;
        }
        if self.book.load(levels, known_to(levels, self.orders_coverage)).is_err() {
            self.lose_orders(StaleReason::LevelsLimit, (0, 0), stamp.ts_recv, cx);
            return false;
        }
        self.depth = self.orders_coverage.depth();
        self.know_orders();
        self.book_cursor.at = stamp;
        self.applied_at = stamp.ts_recv;
        cx.clock.stamp(Stage::Applied);
        self.become_synced(stamp.ts_recv, cx);
        true
    }
}

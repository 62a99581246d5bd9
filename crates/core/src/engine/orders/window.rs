//! Books of which the venue tells the best so many orders a side: how far they are known, and that they have no more.

use super::super::instrument::{Context, InstrumentState};
use super::OrderBooks;
use crate::book::l3::BookIndex;
use crate::types::{Clock, Coverage, Side, TimeNs};

impl OrderBooks {
    /// Notes which sides have as many orders as are told. False where one has more, which the venue would have taken away: the
    /// book's truth is lost. Costs a look at each level.
    pub(super) fn is_within<C: Clock>(
        &mut self,
        instrument: &mut InstrumentState,
        book: BookIndex,
        now: TimeNs,
        cx: &mut Context<'_, C>,
    ) -> bool {
        let Coverage::Orders(orders_max) = instrument.orders_coverage else { return true };
        let count =
            |side| self.l3.levels_with_orders(book, side).map(|level| u64::from(level.orders)).sum::<u64>();
        let counts = [Side::Bid, Side::Ask].map(count);
        for (is_cut, count) in instrument.are_orders_cut.iter_mut().zip(counts) {
            *is_cut |= count >= u64::from(orders_max);
        }
        let is_within = counts.iter().all(|count| *count <= u64::from(orders_max));
        if !is_within {
            self.disproven(instrument, book, now, cx);
        }
        is_within
    }
}

impl InstrumentState {
    /// Says how far the levels are known that such orders make.
    #[inline]
    pub(super) fn know_orders(&mut self) {
        if let Coverage::Orders(_) = self.orders_coverage {
            self.book.know_before_worst(self.are_orders_cut);
        }
    }
}

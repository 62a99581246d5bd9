//! The venue's checksums of orders: each is compared with the best orders as they stand, and a book that differs is lost.

use super::{OrderBooks, own_number};
use crate::book::l3::BookIndex;
use crate::engine::instrument::{Context, InstrumentState};
use crate::types::{Clock, TimeNs};

impl OrderBooks {
    /// The venue's checksum of the orders as they stand.
    pub(in crate::engine) fn on_check<C: Clock>(
        &mut self,
        instrument: &mut InstrumentState,
        check: u32,
        now: TimeNs,
        cx: &mut Context<'_, C>,
    ) {
        let Some(Some(book)) = self.books.get(instrument.slot.0 as usize).copied() else { return };
        if instrument.orders.is_synced() {
            // Nobody has noted what was touched since the last one.
            self.tops[book.0 as usize].forget();
            self.agrees(instrument, book, Some(check), now, cx);
        }
    }

    /// Whether the venue's checksum, where one came, is that of the orders. A book that it contradicts is stale.
    pub(super) fn agrees<C: Clock>(
        &mut self,
        instrument: &mut InstrumentState,
        book: BookIndex,
        check: Option<u32>,
        now: TimeNs,
        cx: &mut Context<'_, C>,
    ) -> bool {
        let (Some(check), Some(proof)) = (check, &mut instrument.proof) else { return true };
        // Its inverse is itself.
        let (slot, has_own_numbers) = (instrument.slot, self.has_own_numbers);
        let named = |id| own_number(slot, id, has_own_numbers);
        let is_agreed = self.tops[book.0 as usize].agree(check, proof, (&self.l3, book), named);
        instrument.count_checksum(is_agreed, cx);
        if !is_agreed {
            self.disproven(instrument, book, now, cx);
        }
        is_agreed
    }
}

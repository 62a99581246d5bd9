//! The venue's own top of book: a stream of its own, and where the product allows, a proof of the book.

use super::{Context, InstrumentState};
use crate::encode::Stream;
use crate::engine::streams::Stamp;
use crate::types::{Clock, VenueBbo};

/// Tops of book in a row that are older than the last one before that one is doubted.
const OLD_TOPS_IN_ROW_MAX: u32 = 3;

impl InstrumentState {
    /// The venue's own top of book.
    pub(in crate::engine) fn on_bbo<C: Clock>(
        &mut self,
        bbo: VenueBbo,
        stamp: Stamp,
        cx: &mut Context<'_, C>,
    ) {
        // One without a number belongs to no book in particular.
        if self.product.top_proof && bbo.venue_seq != 0 {
            let at = self.recovery.number();
            let agreed = self.cross_check.top(bbo, at, self.bbo);
            if self.is_refuted(agreed, cx.stats) && self.recovery.is_synced() {
                self.contradicted(stamp.ts_recv, cx);
            }
        }
        if let Some(held) = self.venue_bbo.filter(|held| held.venue_seq > bbo.venue_seq) {
            self.old_tops_in_row += 1;
            let is_later = held.ts_event > 0 && bbo.ts_event > held.ts_event;
            if !is_later && self.old_tops_in_row < OLD_TOPS_IN_ROW_MAX {
                cx.stats.ignored += 1;
                return;
            }
        }
        self.old_tops_in_row = 0;
        let is_first = self.venue_bbo.is_none();
        self.venue_bbo = Some(bbo);
        self.venue_bbo_cursor.seq += 1;
        self.venue_bbo_cursor.at = Stamp { venue_seq: bbo.venue_seq, ..stamp };
        if is_first {
            self.publish_image(Stream::VENUE_BBO, stamp.ts_recv, cx);
        } else {
            self.publish_venue_bbo(&bbo, cx);
        }
    }
}

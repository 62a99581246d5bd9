//! What the venue itself calls the top of the book, in messages of its own.
//!
//! It does not follow the engine's book: it goes on while that is lost. But it, too, may be the present no more: the connection
//! that told it is lost, or the venue begins anew. Then it is told once more as it was, as stale, and the next one that comes is
//! the present again.

use super::instrument::{Context, InstrumentState};
use super::streams::{Cursor, Stamp};
use crate::encode::Stream;
use crate::types::{Clock, TimeNs, VenueBbo};

/// Tops in a row that are older than the last one before that one is doubted.
const OLD_IN_ROW_MAX: u32 = 3;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct VenueTop {
    /// The last one; none before the first.
    pub(super) told: Option<VenueBbo>,
    pub(super) cursor: Cursor,
    /// Whether readers were told that it may be the present no more.
    pub(super) is_old: bool,
    /// Who told it.
    source: usize,
    old_in_row: u32,
}

impl VenueTop {
    /// The stream begins again: with an image at 1 where there is a top.
    pub(super) fn open_epoch(&mut self) {
        self.cursor.seq = u64::from(self.told.is_some());
    }
}

impl InstrumentState {
    /// The venue's own top of book, from a source.
    pub(super) fn on_bbo<C: Clock>(
        &mut self,
        bbo: VenueBbo,
        source: usize,
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
        let top = &mut self.venue_top;
        if let Some(held) = top.told.filter(|held| held.venue_seq > bbo.venue_seq) {
            top.old_in_row += 1;
            let is_later = held.ts_event > 0 && bbo.ts_event > held.ts_event;
            if !is_later && top.old_in_row < OLD_IN_ROW_MAX {
                cx.stats.ignored += 1;
                return;
            }
        }
        let is_first = top.told.replace(bbo).is_none();
        (top.is_old, top.source, top.old_in_row) = (false, source, 0);
        top.cursor = Cursor { seq: top.cursor.seq + 1, at: Stamp { venue_seq: bbo.venue_seq, ..stamp } };
        if is_first {
            self.publish_image(Stream::VENUE_BBO, stamp.ts_recv, cx);
        } else {
            self.publish_venue_top(&bbo, cx);
        }
    }

    /// A source tells nothing more for now: a top that it told is not known to be the present.
    pub(super) fn lose_venue_top<C: Clock>(&mut self, source: usize, now: TimeNs, cx: &mut Context<'_, C>) {
        if self.venue_top.source == source {
            self.doubt_venue_top(now, cx);
        }
    }

    /// The venue begins anew: the top is not known, and numbers say nothing of the next one.
    pub(super) fn forget_venue_top<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        self.doubt_venue_top(now, cx);
        if let Some(told) = &mut self.venue_top.told {
            (told.venue_seq, told.ts_event) = (0, 0);
        }
    }

    /// Says that the top may be the present no more.
    #[cold]
    pub(super) fn doubt_venue_top<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        let top = &mut self.venue_top;
        let Some(told) = top.told.filter(|_| !top.is_old) else { return };
        top.is_old = true;
        top.cursor = Cursor { seq: top.cursor.seq + 1, at: Stamp { ts_recv: now, ..top.cursor.at } };
        self.publish_venue_top(&told, cx);
    }
}

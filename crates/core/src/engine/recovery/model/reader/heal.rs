//! What anybody would try to mend a book, and that it helps in the end.

use super::super::super::{OLD_IN_ROW_MAX, SnapshotOrigin};
use super::super::venue::Venue;
use super::{Broken, Reader};
use crate::types::StaleReason;
use crate::venues::Resync;

impl Reader {
    /// The next updates, answers, and time.
    pub(in super::super) fn heal(&mut self, venue: &mut Venue) -> Result<(), Broken> {
        for round in 0..24 {
            self.now += 40_000_000_000;
            if self.kind.by_order {
                self.order_book(venue, true)?;
                self.order_book(venue, false)?;
            } else {
                // In the end even those are enough whom no time tells that the numbers are lower.
                for _ in 0..if round == 9 { OLD_IN_ROW_MAX + 1 } else { 1 } {
                    let update = venue.update(1 + round % 2, round);
                    self.update(venue, update)?;
                }
                if self.is_synced() && self.place >= self.heard && !self.is_foreign {
                    return Ok(());
                }
                match self.kind.product.resync {
                    Resync::Snapshot if !self.is_synced() => {
                        // No pause is longer than 320 s. Where the clock was set back, one may still be on.
                        let mut ask_later = || {
                            self.now += 321_000_000_000;
                            self.machine.ask(self.now)
                        };
                        let Some(ticket) = ask_later().or_else(ask_later) else {
                            return Err("a book that is lost asks for nothing");
                        };
                        let snapshot = venue.snapshot();
                        self.answer(venue, ticket, snapshot)?;
                    }
                    Resync::Snapshot => {
                        self.lose(venue, StaleReason::Contradiction)?;
                    }
                    _ => {
                        let snapshot = venue.snapshot();
                        self.snapshot(venue, snapshot, SnapshotOrigin::Stream, false)?;
                    }
                }
            }
            if self.is_synced() && self.place >= self.heard && !self.is_foreign {
                return Ok(());
            }
        }
        Err("nothing mends the book")
    }
}

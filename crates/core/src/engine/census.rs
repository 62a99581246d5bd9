//! What is counted of all books as it changes, so that nobody who asks has to look at each.

use super::instrument::InstrumentState;
use crate::stats::{BookStats, Stats};
use crate::types::BookState;

impl BookStats {
    const fn of(&mut self, state: BookState) -> &mut u64 {
        match state {
            BookState::Syncing => &mut self.syncing,
            BookState::Synced => &mut self.synced,
            BookState::Stale(_) => &mut self.stale,
        }
    }
}

impl InstrumentState {
    /// A source carries it.
    pub(super) const fn count_in(&mut self, stats: &mut Stats) {
        if self.counted.is_none() {
            let state = self.state();
            *stats.books.of(state) += 1;
            self.counted = Some(state);
        }
    }

    /// No source carries it any more.
    pub(super) const fn count_out(&mut self, stats: &mut Stats) {
        if let Some(state) = self.counted.take() {
            *stats.books.of(state) -= 1;
        }
    }

    /// Its state may be another than the one it is counted by.
    pub(super) const fn recount(&mut self, stats: &mut Stats) {
        if self.counted.is_some() {
            self.count_out(stats);
            self.count_in(stats);
        }
    }

    /// Counts the tops of the venue that were compared just now, if any were: whether one of them is not the book's.
    #[inline]
    pub(super) fn is_refuted(&mut self, agreed: Option<bool>, stats: &mut Stats) -> bool {
        if agreed.is_some() {
            let (checked, matched) = self.tops_counted;
            stats.bbo_checked += self.cross_check.checked - checked;
            stats.bbo_matched += self.cross_check.matched - matched;
            self.tops_counted = (self.cross_check.checked, self.cross_check.matched);
        }
        agreed == Some(false)
    }
}

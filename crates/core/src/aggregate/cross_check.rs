//! The book against the venue's own best bid and ask: a free proof that parser, sequence and book are right.
//!
//! A top of book names the update id that it belongs to. Where that id is the last one of a depth update, the two must agree
//! to the last digit, whichever of them arrives first.

use std::collections::VecDeque;

use super::Bbo;
use crate::types::{Level, VenueBbo};

/// Most tops that wait for their depth update. A spot stream of 100 ms brings some dozens between two updates;
/// before a snapshot is in, the oldest go.
pub const TOPS_MAX: usize = 4_096;

/// Compares and counts.
#[derive(Debug, Default)]
pub struct CrossCheck {
    /// Tops whose id no depth update has reached.
    waiting: VecDeque<VenueBbo>,
    /// Comparisons made.
    pub checked: u64,
    /// Comparisons that agreed.
    pub matched: u64,
    /// Tops dropped at [`TOPS_MAX`].
    pub dropped: u64,
}

impl CrossCheck {
    /// A top of book arrived. `last_id` is that of the depth update applied last (none before the first), `bbo` the book's top.
    /// Returns whether they agreed, if they could be compared.
    pub fn top(&mut self, top: VenueBbo, last_id: Option<u64>, bbo: Bbo) -> Option<bool> {
        match last_id {
            Some(last_id) if top.venue_seq == last_id => return Some(self.compare(&top, bbo)),
            Some(last_id) if top.venue_seq < last_id => return None,
            _ => {}
        }
        // Ids rise. One that falls says that those before it belong to another numbering, or to a damaged frame.
        if self.waiting.back().is_some_and(|last| last.venue_seq > top.venue_seq) {
            self.dropped += self.waiting.len() as u64;
            self.waiting.clear();
        }
        if self.waiting.len() == TOPS_MAX {
            self.waiting.pop_front();
            self.dropped += 1;
        }
        self.waiting.push_back(top);
        None
    }

    /// A depth update was applied; the book now stands at `last_id`. Returns whether the waiting tops of that id
    /// agreed, if there were any.
    pub fn applied(&mut self, last_id: u64, bbo: Bbo) -> Option<bool> {
        let mut agreed = None;
        while let Some(top) = self.waiting.front().copied() {
            if top.venue_seq > last_id {
                break;
            }
            self.waiting.pop_front();
            if top.venue_seq == last_id {
                agreed = Some(agreed.unwrap_or(true) & self.compare(&top, bbo));
            }
        }
        agreed
    }

    /// Forgets what waits: the venue's numbering starts anew.
    pub fn reset(&mut self) {
        self.waiting.clear();
    }

    fn compare(&mut self, top: &VenueBbo, bbo: Bbo) -> bool {
        // A side without interest is told as quantity 0.
        let side = |level: Level| (level.qty.0 != 0).then_some(level);
        let equal = side(top.bid) == bbo.bid && side(top.ask) == bbo.ask;
        self.checked += 1;
        self.matched += u64::from(equal);
        equal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn top(venue_seq: u64, bid: i64) -> VenueBbo {
        VenueBbo { venue_seq, bid: Level::new(bid, 1), ask: Level::new(200, 1), ts_event: 0 }
    }

    fn bbo(bid: i64) -> Bbo {
        Bbo { bid: Some(Level::new(bid, 1)), ask: Some(Level::new(200, 1)) }
    }

    #[test]
    fn compares_whichever_comes_first() {
        let mut check = CrossCheck::default();
        assert_eq!(check.top(top(9, 100), None, Bbo::default()), None, "waits before the first update");
        assert_eq!(check.top(top(10, 100), None, Bbo::default()), None);
        assert_eq!(check.applied(10, bbo(100)), Some(true), "9 lies inside the update and proves nothing");
        assert_eq!(check.top(top(10, 100), Some(10), bbo(100)), Some(true));
        assert_eq!(check.top(top(10, 99), Some(10), bbo(100)), Some(false));
        assert_eq!(check.top(top(8, 1), Some(10), bbo(100)), None, "older ones are not compared");
        assert_eq!(check.top(top(12, 7), Some(10), bbo(100)), None);
        assert_eq!(check.applied(12, bbo(8)), Some(false));
        assert_eq!((check.checked, check.matched), (4, 2));
    }

    #[test]
    fn one_id_out_of_turn_does_not_stop_the_comparisons() {
        let mut check = CrossCheck::default();
        check.top(top(u64::MAX, 1), Some(5), bbo(1));
        check.top(top(7, 1), Some(5), bbo(1));
        assert_eq!((check.applied(7, bbo(1)), check.dropped), (Some(true), 1));
    }

    #[test]
    fn a_side_without_interest_agrees_with_an_empty_side() {
        let mut check = CrossCheck::default();
        let mut empty = top(5, 0);
        empty.bid = Level::new(0, 0);
        check.top(empty, Some(5), Bbo { bid: None, ask: Some(Level::new(200, 1)) });
        assert_eq!((check.checked, check.matched), (1, 1));
    }

    #[test]
    fn at_the_limit_the_oldest_goes() {
        let mut check = CrossCheck::default();
        for id in 0..=TOPS_MAX as u64 {
            check.top(top(id, 1), None, Bbo::default());
        }
        assert_eq!((check.waiting.len(), check.dropped), (TOPS_MAX, 1));
    }
}

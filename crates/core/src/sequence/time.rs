//! Updates that state a time and no number.
//!
//! Whoever hears a connection knows the time of the update before on it, since a connection keeps its order. So an update covers
//! the time behind that one up to its own: `first` is the time before plus one, or its own time where it is the first that
//! was heard. With `last` the time that the book stands at (a snapshot's, or that of the update before):
//! * T1. An update that ends at `last` or before is old.
//! * T2. One that begins at `last + 1` or before is next: nothing was said on its connection between the two.
//! * T3. One that begins later is a gap: a snapshot is older than the first update that was heard, or another connection goes on.
//! * T4. A message that is lost within a connection shows nowhere: the next one seems to cover its time.

use super::{SeqOutcome, range};
use crate::types::VenueSeq;

/// Judges an update. Constant time.
#[inline]
pub(super) const fn check(last: u64, seq: &VenueSeq) -> SeqOutcome {
    range::check(last, seq)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_covers_the_time_since_the_one_before() {
        let judge = |last, first, to| check(last, &VenueSeq { first, last: to, prev: None });
        // The first update that was heard, at 500: the snapshot must not be older.
        assert_eq!(judge(499, 500, 500), SeqOutcome::Next);
        assert_eq!(judge(498, 500, 500), SeqOutcome::Gap { expected: 499, received: 500 });
        assert_eq!(judge(500, 500, 500), SeqOutcome::Old);
        assert_eq!(judge(620, 500, 500), SeqOutcome::Old);
        // The next one, at 700.
        assert_eq!(judge(500, 501, 700), SeqOutcome::Next);
        assert_eq!(judge(620, 501, 700), SeqOutcome::Next);
        assert_eq!(judge(700, 501, 700), SeqOutcome::Old);
        assert_eq!(judge(400, 501, 700), SeqOutcome::Gap { expected: 401, received: 501 });
    }
}

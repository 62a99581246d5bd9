//! Updates that state a range of numbers, first to last, which runs on without a hole.
//!
//! With `last` the number that the book stands at (a snapshot's, or that of the update before):
//! * R1. An update that ends at `last` or below is old.
//! * R2. One that begins at `last + 1` or below is next. It may reach back: quantities are absolute, so what the book holds
//!   already does no harm.
//! * R3. One that begins beyond `last + 1` is a gap.

use super::SeqOutcome;
use crate::types::VenueSeq;

/// Judges an update. Constant time.
#[inline]
pub(super) const fn check(last: u64, seq: &VenueSeq) -> SeqOutcome {
    if seq.last <= last {
        SeqOutcome::Old
    } else if seq.first <= last.saturating_add(1) {
        SeqOutcome::Next
    } else {
        SeqOutcome::Gap { expected: last + 1, received: seq.first }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const L: u64 = 1_000;

    const fn gap(expected: u64, received: u64) -> SeqOutcome {
        SeqOutcome::Gap { expected, received }
    }

    fn judge(first: u64, last: u64) -> SeqOutcome {
        check(L, &VenueSeq { first, last, prev: None })
    }

    #[test]
    fn an_update_is_judged_by_its_ends() {
        use SeqOutcome::{Next, Old};
        for (first, last, outcome) in [
            (L - 50, L - 1, Old),
            (L - 50, L, Old),
            (L - 50, L + 1, Next),
            (L, L + 50, Next),
            (L + 1, L + 50, Next),
            (L + 1, L + 1, Next),
            (L + 2, L + 50, gap(L + 1, L + 2)),
        ] {
            assert_eq!(judge(first, last), outcome, "{first}..={last}");
        }
        assert_eq!(check(u64::MAX, &VenueSeq::at(u64::MAX)), Old);
    }
}

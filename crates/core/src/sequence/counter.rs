//! Updates that are counted: each has one number, the one after it the next.

use super::SeqOutcome;
use crate::types::VenueSeq;

/// Judges an update against the number that the book stands at. Constant time.
#[inline]
pub(super) const fn check(last: u64, seq: &VenueSeq) -> SeqOutcome {
    if seq.last <= last {
        SeqOutcome::Old
    } else if seq.last - last == 1 {
        SeqOutcome::Next
    } else {
        SeqOutcome::Gap { expected: last + 1, received: seq.last }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_number_is_next() {
        assert_eq!(check(7, &VenueSeq::at(7)), SeqOutcome::Old);
        assert_eq!(check(7, &VenueSeq::at(8)), SeqOutcome::Next);
        assert_eq!(check(7, &VenueSeq::at(9)), SeqOutcome::Gap { expected: 8, received: 9 });
        assert_eq!(check(u64::MAX, &VenueSeq::at(0)), SeqOutcome::Old);
    }
}

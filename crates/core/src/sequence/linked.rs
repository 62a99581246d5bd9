//! Updates that name the one before them.
//!
//! With `last` the number that the book stands at:
//! * L1. On a snapshot, an update that ends below it is old.
//! * L2. The first one kept must straddle the snapshot, `first ≤ last ≤ its end`, or continue it exactly, `prev = last`.
//! * L3. Afterwards `prev = last` and nothing else: the numbers between two updates have holes. A repeated or older
//!   update is old.

use super::SeqOutcome;
use crate::types::VenueSeq;

/// Judges an update. `bridged`: one has been applied on top of the snapshot. Constant time.
#[inline]
pub(super) const fn check(last: u64, bridged: bool, seq: &VenueSeq) -> SeqOutcome {
    // The link is looked at first: a venue that restarts may lower its numbers, and then only the link tells.
    let links = matches!(seq.prev, Some(prev) if prev == last);
    if links {
        return SeqOutcome::Next;
    }
    if bridged {
        if seq.last <= last {
            return SeqOutcome::Old;
        }
    } else {
        if seq.last < last {
            return SeqOutcome::Old;
        }
        if seq.first <= last {
            return SeqOutcome::Next;
        }
    }
    let received = match seq.prev {
        Some(prev) => prev,
        None => seq.first,
    };
    SeqOutcome::Gap { expected: last, received }
}

#[cfg(test)]
mod tests {
    use super::SeqOutcome::{Gap, Next, Old};
    use super::*;

    const L: u64 = 1_000;

    const fn seq(first: u64, last: u64, prev: Option<u64>) -> VenueSeq {
        VenueSeq { first, last, prev }
    }

    #[test]
    fn a_snapshot_is_straddled_or_continued() {
        for (first, last, prev, outcome) in [
            (L - 50, L - 1, Some(L - 60), Old),
            (L - 50, L, Some(L - 60), Next),
            (L - 50, L + 1, Some(L - 60), Next),
            (L, L + 50, Some(L - 1), Next),
            (L + 1, L + 50, Some(L), Next),
            (L + 9, L + 50, Some(L), Next),
            (10, 20, Some(L), Next),
            (L + 1, L + 50, Some(L + 40), Gap { expected: L, received: L + 40 }),
            (L + 6, L + 99, None, Gap { expected: L, received: L + 6 }),
        ] {
            assert_eq!(check(L, false, &seq(first, last, prev)), outcome, "{first}..={last} after {prev:?}");
        }
    }

    #[test]
    fn then_only_the_link_counts() {
        for (first, last, prev, outcome) in [
            (L - 3, L, Some(L - 4), Old),
            (L + 90, L + 99, Some(L), Next),
            (L + 1, L + 99, Some(L + 1), Gap { expected: L, received: L + 1 }),
            (L + 1, L + 99, None, Gap { expected: L, received: L + 1 }),
            (10, 20, Some(L), Next),
        ] {
            assert_eq!(check(L, true, &seq(first, last, prev)), outcome, "{first}..={last} after {prev:?}");
        }
    }
}

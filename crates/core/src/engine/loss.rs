//! What was lost of a book when it last was: the gap that status frames carry.

use crate::encode::GapBody;
use crate::types::{BookState, TimeNs};

/// The last loss of one book; none before the first.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Loss {
    gap: Option<GapBody>,
}

/// The last place of the `book` stream, and when the input arrived that it holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub(super) epoch: u64,
    pub(super) seq: u64,
    pub(super) ts_recv: TimeNs,
}

impl Loss {
    /// The book is not exact any more. Said again before it is mended, for a worse reason, only the reason changes: what
    /// was exact last stays so.
    pub(super) fn lost(
        &mut self,
        state: BookState,
        (expected, received): (u64, u64),
        last: Told,
        now: TimeNs,
    ) {
        let reason = state.reason_code();
        self.gap = Some(match self.gap.filter(|gap| gap.mended == 0) {
            Some(gap) if state == BookState::Syncing => gap,
            Some(gap) => GapBody { expected, received, reason, ..gap },
            None => GapBody {
                expected,
                received,
                lost_from: last.ts_recv,
                noticed: now,
                mended: 0,
                epoch_before: last.epoch,
                seq_before: last.seq,
                reason,
            },
        });
    }

    /// The book is exact again.
    pub(super) fn mended(&mut self, now: TimeNs) {
        if let Some(gap) = self.gap.as_mut().filter(|gap| gap.mended == 0) {
            // 0 says that it is not.
            gap.mended = now.max(1);
        }
    }

    /// The last loss is this one.
    pub(super) const fn told(&mut self, gap: Option<GapBody>) {
        self.gap = gap;
    }

    pub(super) const fn gap(&self) -> Option<&GapBody> {
        self.gap.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::StaleReason;

    #[test]
    fn a_loss_keeps_what_was_exact_last_until_it_is_mended() {
        let at = |epoch, seq, ts_recv| Told { epoch, seq, ts_recv };
        let mut loss = Loss::default();
        loss.mended(1);
        assert_eq!(loss.gap(), None, "nothing was lost");
        loss.lost(BookState::Stale(StaleReason::Silence), (0, 0), at(7, 3, 10), 20);
        loss.lost(BookState::Stale(StaleReason::Gap), (5, 9), at(7, 4, 11), 30);
        let lost = GapBody {
            expected: 5,
            received: 9,
            lost_from: 10,
            noticed: 20,
            mended: 0,
            epoch_before: 7,
            seq_before: 3,
            reason: StaleReason::Gap as u8,
        };
        assert_eq!(loss.gap(), Some(&lost));
        loss.lost(BookState::Syncing, (0, 0), at(7, 4, 11), 35);
        assert_eq!(loss.gap(), Some(&lost), "a new beginning does not undo why it is needed");
        loss.mended(40);
        loss.mended(50);
        assert_eq!(loss.gap(), Some(&GapBody { mended: 40, ..lost }));
        loss.lost(BookState::Syncing, (0, 0), at(8, 1, 60), 70);
        assert_eq!(
            loss.gap().map(|gap| (gap.lost_from, gap.noticed, gap.mended, gap.reason)),
            Some((60, 70, 0, 0))
        );
    }
}

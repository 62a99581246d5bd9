//! How long a book was not to be trusted, each time that its truth was lost.

use crate::stats::MendingStats;
use crate::types::TimeNs;

/// What one book has gone through since it was first synced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mending {
    /// Times that its truth was lost.
    pub losses: u64,
    /// When it was lost last; 0 = never.
    pub lost_at: TimeNs,
    /// How long it took to be exact again, the last time and the longest.
    pub last_ns: u64,
    /// See `last_ns`.
    pub max_ns: u64,
    /// Whether it is lost at this moment.
    pub is_lost: bool,
}

impl Mending {
    /// The book is not exact any more. Told again while it is not, changes nothing.
    pub(super) const fn lost(&mut self, now: TimeNs) {
        if !self.is_lost {
            (self.is_lost, self.lost_at) = (true, now);
            self.losses += 1;
        }
    }

    /// The book is exact.
    pub(super) fn synced(&mut self, now: TimeNs, stats: &mut MendingStats) {
        if std::mem::take(&mut self.is_lost) {
            // A clock that was set back tells nothing about how long it took.
            self.last_ns = now.saturating_sub(self.lost_at);
            self.max_ns = self.max_ns.max(self.last_ns);
            stats.count(self.last_ns);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_loss_counts_once_and_ends_with_the_next_sync() {
        let (mut mending, mut stats) = (Mending::default(), MendingStats::default());
        mending.synced(5, &mut stats);
        assert_eq!((mending, stats.counts.iter().sum()), (Mending::default(), 0), "nothing was lost");
        mending.lost(1_000_000_000);
        mending.lost(1_500_000_000);
        mending.synced(1_200_000_000, &mut stats);
        mending.lost(2_000_000_000);
        mending.synced(2_100_000_000, &mut stats);
        let told = (mending.losses, mending.lost_at, mending.last_ns, mending.max_ns, mending.is_lost);
        assert_eq!(told, (2, 2_000_000_000, 100_000_000, 200_000_000, false));
        assert_eq!((stats.counts[1], stats.counts[2], stats.sum_ns), (1, 1, 300_000_000));
    }
}

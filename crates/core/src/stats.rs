//! Counters of an engine: plain integers, each with one meaning.

use crate::types::OrderChange;

/// What an engine has counted since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Venue frames handed in, snapshot answers included, whether or not they could be decoded.
    pub frames: u64,
    /// Depth updates decoded.
    pub book_messages: u64,
    /// Depth updates applied to a book.
    pub applied: u64,
    /// Levels in the depth updates decoded.
    pub level_changes: u64,
    /// Levels in the depth updates applied.
    pub applied_level_changes: u64,
    /// Snapshots decoded.
    pub snapshots: u64,
    /// Snapshots refused because the waiting updates do not bridge onto them.
    pub snapshots_old: u64,
    /// Snapshots asked for.
    pub snapshot_requests: u64,
    /// Trade messages decoded.
    pub trades: u64,
    /// Breaks in a venue's sequence.
    pub gaps: u64,
    /// Times that a stale book became synced again.
    pub resyncs: u64,
    /// Books that turned stale because nothing arrived.
    pub silences: u64,
    /// Applied updates that left a book crossed.
    pub crossed: u64,
    /// Frames that could not be decoded.
    pub decode_errors: u64,
    /// Frames that change nothing here: acknowledgements, repetitions, types not used.
    pub ignored: u64,
    /// Frames of instruments that are not carried.
    pub foreign: u64,
    /// Snapshots that name no instrument, of sources that speak of several.
    pub unattributed: u64,
    /// Books that the venue contradicts: by its own top of book or by a checksum.
    pub contradictions: u64,
    /// Entries of a recording whose time of receipt is before that of the entry before them, by a second or more.
    pub backward: u64,
    /// Parts of a recording that are not of its form.
    pub recording_errors: u64,
    /// Statistics of instruments told.
    pub tickers: u64,
    /// Trades that closed a position by force.
    pub liquidations: u64,
    /// Changes of trading status.
    pub statuses: u64,
    /// Updates dropped at the limit of those that wait for a snapshot.
    pub pending_dropped: u64,
    /// Comparisons of a book's top with the venue's own.
    pub bbo_checked: u64,
    /// Those that agreed.
    pub bbo_matched: u64,
    /// Checksums of the venue compared.
    pub checksums_checked: u64,
    /// Those that agreed.
    pub checksums_matched: u64,
    /// What order feeds told of orders.
    pub orders: OrderStats,
    /// How long books took to be exact again.
    pub mending: MendingStats,
    /// Feed frames written.
    pub feed_frames: u64,
    /// Bytes of feed frames written.
    pub feed_bytes: u64,
    /// Books by state.
    pub books: BookStats,
    /// Time from the receipt of an input to the frame that it causes.
    pub latency: LatencyStats,
    /// Frames that are kept for readers who come back.
    pub history: HistoryStats,
    /// What brought readers to the present.
    pub brought: BroughtStats,
}

/// Books that a source carries, by the state that readers were told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BookStats {
    /// No book yet.
    pub syncing: u64,
    /// Exactly the venue's.
    pub synced: u64,
    /// The truth is lost.
    pub stale: u64,
}

/// Time from the receipt of an input to the frame of the `book` or `trades` stream that it causes; live only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LatencyStats {
    /// Frames by that time: up to each of [`LATENCY_NS`], and longer.
    pub counts: [u64; LATENCY_NS.len() + 1],
    /// The times together.
    pub sum_ns: u64,
}

impl Default for LatencyStats {
    fn default() -> Self {
        Self { counts: [0; LATENCY_NS.len() + 1], sum_ns: 0 }
    }
}

/// Bounds of the counts in [`LatencyStats`]: each twice the one before, from half a microsecond to 17 s.
pub const LATENCY_NS: [u64; 26] = {
    let mut bounds = [0; 26];
    let mut at = 0;
    while at < bounds.len() {
        bounds[at] = (1 << (9 + at)) - 1;
        at += 1;
    }
    bounds
};

/// What is kept of the frames published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HistoryStats {
    /// Memory that kept frames use now.
    pub bytes: u64,
    /// The most that they may use.
    pub bytes_max: u64,
    /// Memory taken from the oldest of all, ever, because all was in use: what one stream loses at its own bounds is not
    /// counted.
    pub evicted_bytes: u64,
}

/// Readers brought to the present of a stream, by what it took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BroughtStats {
    /// They were there, or were told that the book is not synced.
    pub nothing: u64,
    /// Every frame that they missed.
    pub range: u64,
    /// The net change.
    pub net: u64,
    /// An image.
    pub image: u64,
}

/// How long books whose truth was lost took to be exact again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MendingStats {
    /// Books by that time: up to each of [`MENDED_NS`], and longer.
    pub counts: [u64; MENDED_NS.len() + 1],
    /// The times together.
    pub sum_ns: u64,
}

/// Bounds of the counts in [`MendingStats`]: from what a hole takes that the other line fills to what a ban takes.
pub const MENDED_NS: [u64; 9] = [
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    10_000_000_000,
    60_000_000_000,
    600_000_000_000,
];

impl LatencyStats {
    /// Counts a frame. A clock that was set back has taken no time.
    #[inline]
    pub(crate) const fn count(&mut self, received: u64, sent: u64) {
        let ns = sent.saturating_sub(received);
        let at = (u64::BITS - (ns >> 9).leading_zeros()) as usize;
        let at = if at < LATENCY_NS.len() { at } else { LATENCY_NS.len() };
        self.counts[at] += 1;
        self.sum_ns = self.sum_ns.wrapping_add(ns);
    }
}

impl MendingStats {
    /// Counts a book.
    pub(crate) fn count(&mut self, ns: u64) {
        let at = MENDED_NS.iter().position(|bound| ns <= *bound).unwrap_or(MENDED_NS.len());
        self.counts[at] += 1;
        self.sum_ns = self.sum_ns.saturating_add(ns);
    }
}

/// What order feeds have told of the orders of carried instruments, whether or not it could be applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrderStats {
    /// New orders.
    pub adds: u64,
    /// Cancels of a part or of all that is left, by quantity.
    pub reduces: u64,
    /// Executions of resting orders.
    pub executes: u64,
    /// Orders that left for one with a new number.
    pub replaces: u64,
    /// New prices or quantities under the same number. Where the venue does not say whether an order is new, what was told of
    /// books that were not known whole is counted here.
    pub modifies: u64,
    /// Orders that left whole.
    pub deletes: u64,
    /// Books emptied.
    pub clears: u64,
    /// Records about orders that never touch a book: fills, carriers of flags.
    pub untouching: u64,
    /// Ends of a venue's event, where the feed marks them.
    pub events: u64,
    /// Changes of books that were not known whole at the time.
    pub passed_over: u64,
    /// Events that left a book crossed, as books are before an auction.
    pub crossed: u64,
    /// Changes that contradict their book, such as of an unknown order.
    pub contradictions: u64,
    /// Records by which the venue itself doubts their book.
    pub doubts: u64,
    /// Most orders that rested at once, all books of a feed together.
    pub resting_max: u64,
}

impl OrderStats {
    /// Counts a change by its kind.
    #[inline]
    pub(crate) const fn count(&mut self, change: &OrderChange) {
        let counter = match change {
            OrderChange::Add { .. } => &mut self.adds,
            OrderChange::Reduce { .. } | OrderChange::Cancel { .. } => &mut self.reduces,
            OrderChange::Execute { .. } => &mut self.executes,
            OrderChange::Replace { .. } => &mut self.replaces,
            OrderChange::Modify { .. } | OrderChange::Upsert { .. } => &mut self.modifies,
            OrderChange::Delete { .. } => &mut self.deletes,
            OrderChange::Clear => &mut self.clears,
        };
        *counter += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_counted_below_the_first_bound_that_it_does_not_pass() {
        let mut stats = LatencyStats::default();
        let mut counts = stats.counts;
        for (at, bound) in LATENCY_NS.into_iter().enumerate() {
            for ns in [bound, bound + 1] {
                stats.count(1_000, 1_000 + ns);
            }
            counts[at] += 1;
            counts[at + 1] += 1;
            assert_eq!(stats.counts, counts, "{bound}");
        }
        assert_eq!(stats.sum_ns, LATENCY_NS.iter().map(|bound| 2 * bound + 1).sum::<u64>());
        stats.count(5, 4);
        stats.count(0, u64::MAX);
        assert_eq!((stats.counts[0], stats.counts[26]), (2, 2));
    }
}

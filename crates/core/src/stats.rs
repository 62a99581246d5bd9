//! Counters of an engine: plain integers, each with one meaning.

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
    /// Updates dropped at the limit of those that wait for a snapshot.
    pub pending_dropped: u64,
    /// Comparisons of a book's top with the venue's own.
    pub bbo_checked: u64,
    /// Those that agreed.
    pub bbo_matched: u64,
    /// Checksums of the venue compared. Binance sends none.
    pub checksums_checked: u64,
    /// Those that agreed.
    pub checksums_matched: u64,
    /// Feed frames written.
    pub feed_frames: u64,
    /// Bytes of feed frames written.
    pub feed_bytes: u64,
}

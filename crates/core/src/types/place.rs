//! Where a stream of the feed stands.

/// A place in a stream. Zeros: before everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Epoch of the instrument: start id of the server (high 32 bits) and count of its resets.
    pub epoch: u64,
    /// Sequence of the stream within it.
    pub seq: u64,
}

//! What was published lately, kept for readers that come back.

/// Bytes of a slab, the piece in which memory is given to a stream and taken from it.
pub const SLAB_BYTES: usize = 4_096;

/// Most bytes that may be kept.
pub const HISTORY_BYTES_MAX: u64 = 1 << 36;

/// How much is kept. Limits are rounded down to whole slabs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HistoryConfig {
    /// Bytes of all streams together, at most [`HISTORY_BYTES_MAX`]; 0 = nothing is kept.
    pub bytes: u64,
    /// Bytes of one stream.
    pub stream_bytes: u64,
    /// Age of what is kept, by the times of sending.
    pub age_ns: u64,
}

//! What the writer and the reader of the output ring agree on: its control block, its size, the bits that an input returns.

/// Bytes of the control block, which stands before the ring.
pub const CONTROL_BYTES: usize = 128;

/// Smallest ring. The largest record must fit twice: a delta of the decoder's most levels takes 1.6 MB.
pub const RING_BYTES_MIN: usize = 1 << 22;

/// Largest ring.
pub const RING_BYTES_MAX: usize = 1 << 30;

/// Words of the control block, each a u32. Positions count bytes and wrap at 2^32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum ControlWord {
    /// Where the next record will be written.
    Write = 0,
    /// Where the next record will be read.
    Read = 1,
    /// Bytes of the ring, a power of two.
    Capacity = 2,
    /// Bytes of a recording that the last input used.
    Consumed = 3,
    /// Time of the recording's next line, ns: this is its low half, the high one follows. 0 = no further whole line.
    NextTs = 4,
    /// Time of the recording's last line, ns, as [`Self::NextTs`].
    LastTs = 6,
    /// Number of the engine whose memory it is.
    Owner = 8,
    /// Messages with stage stamps that wait to be published.
    Stamped = 9,
}

/// Return bit of an input: records wait in the ring.
pub const OUTPUT: u32 = 1;

/// Return bit of an input: more waits outside the ring: drain, then pump.
pub const MORE: u32 = 2;

/// Return bit of an input: it had no effect, and the last error says why.
pub const ERROR: u32 = 4;

//! Venue bytes to typed events: one pass over each frame, exact numbers, no allocation once the buffers are warm.
//!
//! The decoder knows formats and nothing of books or sequences: it reads one frame at a time and keeps nothing
//! between frames. Every byte sequence gives an event or a [`DecodeError`]; none panics, loops or allocates beyond
//! the limits below. An error concerns its own frame only.

pub(crate) mod date_time;
mod digits;
mod error;
pub(crate) mod json;
pub(crate) mod levels;
pub(crate) mod members;
mod plain_items;
pub(crate) mod printed;
pub(crate) mod signed_check;
pub(crate) mod varied;

pub(crate) use digits::{decimal_digits, eight_printed, leading_digits};
pub use error::{DecodeError, Scaled, SymbolText};
pub use json::NESTING_MAX;

/// Largest frame that is read, in bytes. The largest seen on any venue is a 5 MB snapshot.
pub const FRAME_BYTES_MAX: usize = 8 << 20;

/// Largest list of instruments that is read, in bytes. The longest known has 15 MB.
pub const INSTRUMENTS_BYTES_MAX: usize = 64 << 20;

/// Most levels, both sides together, that one frame may carry.
pub const FRAME_LEVELS_MAX: usize = 100_000;

/// Longest symbol that is looked up, in bytes.
pub const SYMBOL_BYTES_MAX: usize = 40;

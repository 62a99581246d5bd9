//! Venue bytes to typed events: one pass over each frame, exact numbers, no allocation once the buffers are warm.
//!
//! The decoder knows formats and nothing of books or sequences: it reads one frame at a time and keeps nothing
//! between frames. Every byte sequence gives an event or a [`DecodeError`]; none panics, loops or allocates beyond
//! the limits below. An error concerns its own frame only.
//!
//! Binary feeds have modules of their own, each with its error: the messages ([`itch`], [`dbn`]) and what they come in
//! ([`binary_file`], [`mold`], [`soup`], [`pcap`]). A framing that is fed in chunks keeps no bytes: what it has not
//! consumed goes in again.

mod binance;
pub mod binary_file;
pub mod dbn;
mod detect;
mod digits;
mod error;
mod format;
pub mod itch;
mod json;
mod levels;
pub mod mold;
pub mod pcap;
mod printed;
mod recording;
pub mod soup;

pub use binance::{decode, decode_snapshot};
pub use detect::{DETECT_BYTES_MAX, DETECT_LEN_MAX, detect};
pub use error::{DecodeError, SymbolText};
pub use format::{FORMAT_BYTES, Format, detect_format};
pub use json::NESTING_MAX;
pub use recording::{LINE_BYTES_MAX, Line, LineFramer, Lines};

use crate::types::InstrumentId;

/// Largest frame that is read, in bytes. The largest seen on any venue is a 5 MB snapshot.
pub const FRAME_BYTES_MAX: usize = 8 << 20;

/// Most levels, both sides together, that one frame may carry.
pub const FRAME_LEVELS_MAX: usize = 100_000;

/// Longest symbol that is looked up, in bytes.
pub const SYMBOL_BYTES_MAX: usize = 40;

/// What the decoder must know of an instrument: its number and the scale of its mantissas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The instrument's number.
    pub id: InstrumentId,
    /// Power of ten of its price mantissas, −18 to 18.
    pub price_exponent: i8,
    /// Power of ten of its quantity mantissas, −18 to 18.
    pub qty_exponent: i8,
}

/// The instruments that a connection may speak for.
pub trait Listings {
    /// The instrument of the venue's own symbol, as printed in the message. Called up to
    /// four times a frame, once for frames in the venue's own form.
    fn find(&self, symbol: &[u8]) -> Option<Listing>;

    /// The only instrument of the connection, if there is just one. It owns a snapshot that names no symbol.
    fn sole(&self) -> Option<Listing>;
}

//! Stage 4: what is derived from a book: its top, its first levels, its checksums, its agreement with the venue.

mod bbo;
mod checksum;
mod cross_check;
mod depth;

pub use bbo::Bbo;
pub use checksum::checksums;
pub use cross_check::{CrossCheck, TICKERS_MAX};
pub use depth::{DEPTH_MAX, DepthView};

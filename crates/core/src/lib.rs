//! The order-book engine: venue bytes in, exact books and feed frames out.
//!
//! The modules stand in the order of the data path. The crate opens nothing, spawns nothing, reads no clock of its
//! own and holds no float on the book path.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![deny(unsafe_code)]

pub mod types;

pub mod aggregate;
pub mod book;
pub mod checksum;
pub mod decode;
pub mod encode;
pub mod framing;
pub mod journal;
pub mod recording;
pub mod sequence;
pub mod signal;
pub mod venues;

pub mod engine;
pub mod replica;
mod stats;

pub use stats::{
    BookStats, BroughtStats, HistoryStats, LATENCY_NS, LatencyStats, MENDED_NS, MendingStats, OrderStats,
    Stats,
};

//! A deterministic market that speaks the Binance spot wire format, for the demo, tests and benchmarks.
//!
//! Four instruments trade in a real order-driven book each: limit, cancel and market orders, matched by
//! price and time. What happens is decided by a seed alone, in integers, so the same seed gives the same
//! bytes on every machine. [`Market::next`] hands out combined-stream frames (`depthUpdate` each 100 ms,
//! `bookTicker`, `trade`), [`Market::snapshot`] the REST depth answer, [`Market::true_book`] the truth to
//! compare a rebuilt book with, [`recording`] a collector's text file and [`faults`] the damage to do to it.
//!
//! The crate depends on nothing, least of all on the engine that it tests.

mod book;
mod curve;
mod error;
pub mod faults;
mod flow;
mod frame;
mod instrument;
mod market;
mod recording;
mod rng;

pub use book::{LEVELS_PER_SIDE_MAX, ORDERS_PER_SIDE_MAX};
pub use error::SimError;
pub use frame::{FRAME_BYTES_MAX, SNAPSHOT_BYTES_MAX};
pub use instrument::SYMBOLS;
pub use market::{CATCH_UP_MS_MAX, Market, SNAPSHOT_LIMIT_MAX, TrueBook};
pub use recording::{RECORDING_MS_MAX, recording};

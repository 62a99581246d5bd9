//! Deterministic markets for the demo, tests and benchmarks: one speaks the Binance spot wire format, one ITCH 5.0.
//!
//! Four instruments trade in a real order-driven book each: limit, cancel and market orders, matched by
//! price and time. What happens is decided by a seed alone, in integers, so the same seed gives the same
//! bytes on every machine. [`Market::next`] hands out combined-stream frames (`depthUpdate` each 100 ms,
//! `bookTicker`, `trade`), [`Market::snapshot`] the REST depth answer, [`Market::true_book`] the truth to
//! compare a rebuilt book with, [`recording`] a collector's text file and [`faults`] the damage to do to it.
//!
//! # How much it resembles a real market
//! Matched to the recorded Binance spot BTCUSDT of 2024-08-08/09 (650 s), by `tests/statistics.rs`, which
//! measures 1,300 s of the simulated BTCUSDT and holds it to within 20 % of the recording:
//!
//! | statistic | recorded | simulated |
//! |---|---|---|
//! | levels a depth message, p10 / p50 / p90 / p99 | 7 / 22 / 104 / 386 | 6 / 21 / 102 / 368 |
//! | rank of a changed level, p50 / p75 / p90 | 88 / 311 / 673 | 88 / 300 / 679 |
//! | share of ranks below 8 / 32 / 128, percent | 17 / 33 / 57 | 16 / 33 / 56 |
//!
//! The other three have the same distribution of ranks, but denser books and smaller messages. Frames a
//! second, depth / bookTicker / trade (BTCUSDT recorded: 10 / 112 / 31):
//! BTCUSDT 10 / 80 / 21, ETHUSDT 10 / 66 / 17, SOLUSDT 9.8 / 36 / 9.5, DOGEUSDT 9.4 / 17 / 4.7.
//! Books settle at about 3,000 levels a side. Not matched: the sizes of trades (larger here), the rate at
//! which the best price moves (about twice the recorded), round prices, correlation between instruments.
//!
//! [`itch`] is another market beside it: a NASDAQ day, order by order, as TotalView-ITCH 5.0 bytes.
//!
//! [`dialects`] are for tests of everything that reads a venue: one instrument each, in the frames of Binance spot,
//! USD-M and COIN-M, Kraken (both versions, levels and orders, with true checksums) and NASDAQ, with the true book to
//! compare with after each frame. Their market has what is rare too: empty sides, sweeps, amended orders, quantities
//! of one lot and of a fortune.
//!
//! The crate depends on nothing, least of all on the engine that it tests.

mod curve;
pub mod dialects;
mod error;
pub mod faults;
pub mod itch;
mod limits;
mod market;
mod recording;
mod rng;
mod venue;

pub use dialects::binance_spot::{FRAME_BYTES_MAX, SNAPSHOT_BYTES_MAX};
pub use error::SimError;
pub use limits::RECORDING_MS_MAX;
pub use market::book::{LEVELS_PER_SIDE_MAX, ORDERS_PER_SIDE_MAX};
pub use market::instrument::SYMBOLS;
pub use recording::recording;
pub use venue::{CATCH_UP_MS_MAX, Market, SNAPSHOT_LIMIT_MAX, TIME_MS_MAX, TrueBook};

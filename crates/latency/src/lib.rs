//! Times between two points, measured honestly: a clock, planned sending, histograms, and what the machine itself adds.
//!
//! [`clock`] and [`stages`] are the addon's stage stamps.

#![allow(clippy::float_arithmetic, reason = "statistics of times are no book")]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::panic, reason = "a test says what went wrong by failing")
)]

pub mod arrivals;
pub mod clock;
mod connections;
pub mod cores;
mod cpu_time;
pub mod deliveries;
pub mod fault;
pub mod floor;
pub mod frames;
pub mod hiccup;
mod messages;
pub mod micro;
pub mod pipeline;
pub mod quantiles;
mod quiet;
pub mod race;
mod random;
pub mod scenario;
pub mod sender;
pub mod stages;
pub mod steps;
pub mod timeline;
pub mod updates;
pub mod websocket;
pub mod wire;

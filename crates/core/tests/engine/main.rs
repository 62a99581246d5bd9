//! What the engine does apart from the straight way: silence, resets, snapshots that do not fit, several connections, what a venue
//! does that no other one does, views, bad input; and thin books.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed unwrap is a failed test"
)]

mod bybit;
mod captured;
mod checkpoints;
mod consolidated;
mod costs;
mod definitions;
mod epochs;
mod gateio;
mod hand_over;
mod input;
mod kucoin;
mod left_behind;
#[path = "../naive_merge/mod.rs"]
mod naive_merge;
mod numbered_orders;
mod option_chain;
mod option_signals;
mod random;
mod recorded_lines;
mod rig;
mod signals;
mod signals_naive;
mod silence;
mod snapshots;
mod thin_books;
mod tops;
mod trades;
mod two_instruments;
mod two_sources;
mod views;
mod volumes;

//! What the engine does apart from the straight way: silence, resets, snapshots that do not fit, views, bad input.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed unwrap is a failed test")]

mod costs;
mod definitions;
mod epochs;
mod input;
mod rig;
mod silence;
mod snapshots;
mod tops;
mod trades;
mod views;
mod volumes;

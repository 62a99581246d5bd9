//! The engine's benchmarks over named workloads, as a library: the program beside it runs them, and the workspace of
//! peers adds contenders to the same comparisons. How to run and read them stands in `bench/README.md`.

#![allow(clippy::float_arithmetic, reason = "statistics of times are no book")]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::panic, reason = "a test says what went wrong by failing")
)]

pub mod allocations;
pub mod answer;
pub mod checked_feed;
pub mod checked_frame;
mod comparisons;
pub mod consolidated;
pub mod dbn_decode;
pub mod depth_views;
pub mod frame_journal;
pub mod frames;
mod gate;
pub mod itch_decode;
pub mod itch_engine;
pub mod itch_market;
pub mod journal;
pub mod l2_apply;
pub mod l3_answer;
pub mod l3_apply;
pub mod memory;
pub mod pipeline;
pub mod program;
pub mod raw_frame;
pub mod report;
pub mod stamps;
pub mod timing;
pub mod workload;

/// The tests count as the program does.
#[cfg(test)]
#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

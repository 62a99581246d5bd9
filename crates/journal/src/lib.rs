//! The files of a journal. [`depthwire_core::journal`] makes the bytes; here they are written, synced, packed and let go.
//!
//! [`Recorder`] takes records in the thread that has them, without a system call: whole blocks go to a thread that writes
//! them ([`files`]), and segments that are full to another one that packs them ([`seal`]) and lets the oldest go
//! ([`retention`]). What goes wrong with the files costs records, which are counted and stand in the journal as missed; it
//! never costs whoever records.
//!
//! A folder holds the segments of any number of runs, one after the other: `20261130T211500123Z-00000000.dwj`, the time of
//! the run's beginning and the number of the segment, so that the order of the names is that of time. A packed segment is
//! the same bytes in frames of zstd, `….dwj.zst`: any tool unpacks it.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

mod error;
pub mod files;
mod names;
mod recorder;
pub mod retention;
pub mod seal;
mod setups;

pub use error::{FileError, FileProblem};
pub use names::{SEALED, SEGMENT, run_name};
pub use recorder::{Options, Recorder, Status, Sync};

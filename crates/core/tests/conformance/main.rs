//! What every room of a venue owes, held for all of them by the table in `rooms`. A room gets the suite by one row: a dialect
//! of the simulator, or a source of frames that stands here.
//!
//! | point | file |
//! |---|---|
//! | 1 the table of venues is sane and covered, 7 a room recognises its own and nobody else's | `table` |
//! | 2 twin: the book is the simulated venue's after every frame | `twin` |
//! | 3 recordings end as an independent checker says | `recordings`, `kraken`, `transcripts`, `itch_recorded`, `dbn_orders` of `../recorded` |
//! | 4 faults | `faults` |
//! | 5 fuzz: all or nothing, both ways through the decoder agree | `bytes` |
//! | 6 no allocation once warm | `warm` |
//! | 8 lines A and B | `lines` |
//! | 9 snapshots while synced, two instruments, dropped and carried again | `carried` |
//! | 10 a journal read from a checkpoint on | `checkpoints` |

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed unwrap is a failed test"
)]
#![allow(unsafe_code, reason = "a global allocator is an unsafe trait")]

mod bytes;
mod carried;
mod checkpoints;
mod databento;
#[path = "../dbn_bytes/mod.rs"]
mod dbn_bytes;
mod embedded;
mod faults;
mod feed;
mod lines;
mod rig;
mod rooms;
mod table;
mod twin;
mod warm;

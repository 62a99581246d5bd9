//! The engine as a Node.js addon. Convert, forward, map the error: no market rule lives here.
//!
//! Every export runs inside `guard`. The release build of this crate is what the TypeScript tests load.

mod argument;
mod bound;
mod bringing;
mod calls;
mod clock;
mod computed;
mod connections;
mod consolidated;
mod contents;
mod dialect;
mod ending;
mod engine;
mod feed_frame;
mod frame_journal;
mod guard;
mod holders;
mod inflate;
mod info;
mod inspection;
mod instruments;
mod journal;
mod journal_parts;
mod levels;
mod measurement;
mod race;
mod record;
mod replica;
mod replica_thread;
mod ring;
mod segment_out;
mod shared_book;
mod shared_memory;
mod simulator;
mod stage_times;
mod state;
mod statistics;
mod venues;
mod weight;
mod zstd;

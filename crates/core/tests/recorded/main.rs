//! Recordings read, kept and published: what an independent checker found in them is what the engine makes of them. Beside each
//! stand the rules that its venue's recordings show. One program, so that the engine is compiled once for all of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed unwrap is a failed test"
)]

mod bitfinex;
mod bitget;
mod bitstamp;
mod consolidated;
#[path = "../dbn_bytes/mod.rs"]
mod dbn_bytes;
mod dbn_orders;
mod deribit;
mod deribit_greeks;
mod faults;
mod final_books;
mod fixtures;
mod itch_recorded;
mod kraken;
mod l3_recording;
mod lines_recorded;
#[path = "../naive_merge/mod.rs"]
mod naive_merge;
mod next_rest_book;
mod okx;
mod order_feed;
mod order_feed_doubtful;
#[path = "../order_rig/mod.rs"]
mod order_rig;
mod order_stream;
mod own_books;
mod pcap_recorded;
#[path = "../sets/proven.rs"]
mod proven;
mod published;
mod recorded_decode;
mod recordings;
mod recordings_file;
#[path = "../sets/mod.rs"]
mod sets;
mod transcripts;

use sets::{expected, files};

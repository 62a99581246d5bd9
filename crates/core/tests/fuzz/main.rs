//! Fuzzing on stable Rust: inputs that know the formats, outcomes that must hold for any bytes. `../corpus/README.md`
//! says how to run it for long and how the corpus is made.
//!
//! Each target states in its `check` what holds for every input, and what else than "no panic" that is: chunks cut
//! anywhere read the same, no byte is used twice and none is used that was not given, memory stays within a few times
//! the input, both ways through the JSON decoder agree, and what the engine says of an order feed is what a plain model
//! of the same says.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test panics")]
#![allow(unsafe_code, reason = "a global allocator is an unsafe trait")]

mod answers;
mod capture;
mod chunks;
mod connection;
mod dbn;
#[path = "../dbn_bytes/mod.rs"]
mod dbn_bytes;
mod detect;
#[path = "../sets/expected.rs"]
mod expected;
mod feeds;
#[path = "../sets/files.rs"]
mod files;
mod frames;
mod instruments;
mod itch;
mod journal;
mod json;
mod kept_frames;
mod memory;
mod model;
mod mutate;
mod packets;
mod random;
mod recorded;
mod refusals;
mod rooms;
mod rules;
mod run;
#[path = "../said/mod.rs"]
mod said;
mod streams;
mod transcript;

use connection::Connection;
use run::run;

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

#[test]
fn json_frames() {
    run(json::Json::default);
}

#[test]
fn binance_frames() {
    run(Connection::<rooms::Binance>::default);
}

#[test]
fn kraken_frames() {
    run(Connection::<rooms::Kraken>::default);
}

#[test]
fn bitmex_frames() {
    run(Connection::<rooms::Bitmex>::default);
}

#[test]
fn kraken_futures_frames() {
    run(Connection::<rooms::KrakenFutures>::default);
}

#[test]
fn coinbase_exchange_frames() {
    run(Connection::<rooms::CoinbaseExchange>::default);
}

#[test]
fn coinbase_frames() {
    run(Connection::<rooms::Coinbase>::default);
}

#[test]
fn lighter_frames() {
    run(Connection::<rooms::Lighter>::default);
}

#[test]
fn hyperliquid_frames() {
    run(Connection::<rooms::Hyperliquid>::default);
}

#[test]
fn bybit_frames() {
    run(Connection::<rooms::Bybit>::default);
}

#[test]
fn bitfinex_frames() {
    run(Connection::<rooms::Bitfinex>::default);
}

#[test]
fn bitstamp_frames() {
    run(Connection::<rooms::Bitstamp>::default);
}

#[test]
fn kucoin_frames() {
    run(Connection::<rooms::Kucoin>::default);
}

#[test]
fn bitget_frames() {
    run(Connection::<rooms::Bitget>::default);
}

#[test]
fn bitstamp_orders_frames() {
    run(Connection::<rooms::BitstampOrders>::default);
}

#[test]
fn deribit_frames() {
    run(Connection::<rooms::Deribit>::default);
}

#[test]
fn okx_frames() {
    run(Connection::<rooms::Okx>::default);
}

#[test]
fn gateio_frames() {
    run(Connection::<rooms::Gateio>::default);
}

#[test]
fn answers_of_venues() {
    run(answers::Answers::default);
}

#[test]
fn instrument_lists() {
    run(|| instruments::Lists);
}

#[test]
fn recording_lines() {
    run(json::Lines::default);
}

#[test]
fn recordings() {
    run(|| transcript::Recording);
}

#[test]
fn detection() {
    run(|| detect::Detect);
}

#[test]
fn itch_messages() {
    run(|| itch::Itch);
}

#[test]
fn binary_files_of_stated_lengths() {
    run(itch::file::<true>);
}

#[test]
fn binary_files_of_zero_prefixes() {
    run(itch::file::<false>);
}

#[test]
fn mold_packets() {
    run(|| packets::Mold);
}

#[test]
fn line_arbiters() {
    run(|| packets::Arbiter);
}

#[test]
fn soup_streams() {
    run(|| packets::Soup);
}

#[test]
fn pcap_files() {
    run(|| capture::Capture::<false>);
}

#[test]
fn pcapng_files() {
    run(|| capture::Capture::<true>);
}

#[test]
fn dbn_streams() {
    run(|| dbn::Dbn::<false>);
}

#[test]
fn dbn_fragments() {
    run(|| dbn::Dbn::<true>);
}

#[test]
fn itch_file_feeds() {
    run(feeds::feed::<streams::ItchFile>);
}

#[test]
fn itch_capture_feeds() {
    run(feeds::feed::<streams::ItchCapture>);
}

#[test]
fn dbn_feeds() {
    run(feeds::feed::<streams::DbnStream>);
}

#[test]
fn journals() {
    run(|| journal::Journal);
}

#[test]
fn journals_of_frames() {
    run(|| kept_frames::KeptFrames);
}

#[test]
fn feed_frames() {
    run(|| frames::Frames);
}

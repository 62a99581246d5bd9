//! Three venues' recordings, shifted to one start, as one consolidated book: after every message it is a naive merge of the books of
//! its members.
//!
//! The recordings are of different days. Each is told as if it began within a second of the same moment, by a seed, so that their
//! messages alternate.

use depthwire_core::encode::{Outbox, RECORD_HEADER_BYTES};
use depthwire_core::engine::{Engine, EngineConfig, SourceId};
use depthwire_core::replica::{Outcome, Replica, ReplicaState};
use depthwire_core::types::{BookState, InstrumentId, NoClock, Side, parse_decimal};
use depthwire_core::venues;

use crate::files;
use crate::naive_merge::assert_merged;

const SEED: u64 = 20_261_130;
/// When all begin, ns since the epoch.
const START_NS: u64 = 1_800_000_000_000_000_000;

/// Where a line of a capture has its time.
const TIME: &str = "\"ts\":";
/// The connection of a capture that brings the book.
const CONNECTION: &str = ".ws.2\"";

/// A capture of JSON lines that begins at `start_ns`.
fn shifted_lines(text: &str, start_ns: u64) -> Vec<u8> {
    let time = |line: &str| -> Option<(usize, usize, u64)> {
        let from = line.find(TIME)? + TIME.len();
        let len = line[from..].find([',', '}'])?;
        let ns = parse_decimal(&line.as_bytes()[from..from + len], -9).ok()?;
        Some((from, from + len, ns as u64))
    };
    // A capture tells one connection after the other, and lists that were asked for before all.
    let heard = || text.lines().filter(|line| line.contains(CONNECTION));
    let first = heard().find_map(time).unwrap().2;
    let mut out = Vec::with_capacity(text.len());
    for line in heard() {
        match time(line) {
            Some((from, to, at)) => {
                let ns = at - first + start_ns;
                let then = format!("{}.{:09}", ns / 1_000_000_000, ns % 1_000_000_000);
                out.extend([&line[..from], &then, &line[to..], "\n"].concat().into_bytes());
            }
            None => out.extend([line, "\n"].concat().into_bytes()),
        }
    }
    out
}

/// A capture whose first line has the time of its beginning.
fn shifted_head(bytes: &[u8], start_ns: u64) -> Vec<u8> {
    let head = bytes.iter().position(|byte| *byte == b'\n').unwrap();
    let words = std::str::from_utf8(&bytes[..head]).unwrap();
    let before = words.rsplit_once(' ').unwrap().0;
    [format!("{before} {start_ns}").as_bytes(), &bytes[head..]].concat()
}

/// A recording on its way into the engine.
struct Told {
    source: SourceId,
    bytes: Vec<u8>,
    at: usize,
    /// Time of its next entry; 0 at its end.
    next_ts: u64,
}

impl Told {
    fn go_on(&mut self, engine: &mut Engine<NoClock>, until: u64, replica: &mut Replica) {
        let drain = |outbox: &mut Outbox| {
            while let Some(record) = outbox.front() {
                let size = u32::from_le_bytes(*record.first_chunk().unwrap()) as usize;
                if record[4] == 1 {
                    let outcome =
                        replica.apply(&record[RECORD_HEADER_BYTES..RECORD_HEADER_BYTES + size]).unwrap();
                    assert!(!matches!(outcome, Outcome::Gap { .. } | Outcome::CheckFailed), "{outcome:?}");
                }
                outbox.take();
            }
            true
        };
        let progress = engine.replay(self.source, &self.bytes[self.at..], true, until, drain).unwrap();
        self.at += progress.consumed;
        self.next_ts = progress.next_ts;
    }
}

/// Where each of these books stands.
fn places(engine: &Engine<NoClock>, ids: &[InstrumentId]) -> Vec<(u64, u64, BookState)> {
    let place = |id: &InstrumentId| {
        let info = engine.book_info(*id, 0).unwrap();
        (info.epoch, info.seq, info.state)
    };
    ids.iter().map(place).collect()
}

#[test]
fn three_recordings_are_a_naive_merge_after_every_message() {
    let Some(root) = files::root("three_recordings_are_a_naive_merge_after_every_message") else { return };
    let file = |name: &str| files::read(&root.join(name)).unwrap();
    let mut random = SEED;
    // Within a second, by splitmix64.
    let mut start = || {
        random = random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (random ^ random >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        START_NS + (mixed ^ mixed >> 27) % 1_000_000_000
    };
    let lines = |name, start_ns| shifted_lines(std::str::from_utf8(&file(name)).unwrap(), start_ns);
    let recordings = [
        ("kraken", "BTC/USD", shifted_head(&file("kraken/kraken_btcusd_sample.cbcap"), start())),
        ("coinbase", "BTC-USD", lines("coinbase/coinbase_advanced_20260809.jsonl.zst", start())),
        ("bybit-linear", "BTCUSDT", lines("bybit/bybit_v5_20260809.jsonl.zst", start())),
    ];
    let config = EngineConfig { is_replay: true, ..EngineConfig::default() };
    let mut engine = Engine::new(config, venues::catalogue(), NoClock);
    let (mut members, mut told) = (Vec::new(), Vec::new());
    for (venue, symbol, bytes) in recordings {
        let venue = venues::from_name(venue).unwrap();
        let id = engine.add_instrument(venues::instrument(venue, symbol).unwrap()).unwrap();
        members.push(id);
        let source = engine.open_source(venue, &[id]).unwrap();
        told.push(Told { source, bytes, at: 0, next_ts: 0 });
    }
    let book = engine.consolidate("BTC-USD", &members, &[("USD", "USDT")]).unwrap();
    let mut replica = Replica::default();
    told.iter_mut().for_each(|told| told.go_on(&mut engine, START_NS - 1, &mut replica));
    let all: Vec<_> = members.iter().copied().chain([book]).collect();
    let (mut before, mut compared, mut whole) = (Vec::new(), 0, 0);
    while let Some(next) = told.iter_mut().filter(|told| told.next_ts > 0).min_by_key(|told| told.next_ts) {
        let until = next.next_ts;
        next.go_on(&mut engine, until, &mut replica);
        // Where nobody's book has moved there is nothing to compare that was not compared before.
        let now = places(&engine, &all);
        if now != before {
            compared += 1;
            whole += u64::from(assert_merged(&engine, book, &members) == members.len());
        }
        before = now;
    }
    let state = replica.book(book).unwrap();
    assert_eq!(state.state(), ReplicaState::Synced);
    assert_eq!(state.digest(), engine.digest(book).unwrap());
    let levels = [Side::Bid, Side::Ask].map(|side| engine.book(book).unwrap().len(side));
    println!(
        "seed {SEED}: {compared} messages that moved a book, {whole} of them while all three were in; {levels:?} levels"
    );
    assert!(whole > 1_000, "{whole} of {compared}");
    assert_eq!(engine.stats().contradictions, 0);
}

//! OKX from recorded bytes to proven books: by checksums, as before 2023, and by the numbers of today. What its dialect says,
//! and what faults do to it, stands in `conformance`.

use depthwire_core::checksum::crc32;
use depthwire_core::engine::{Engine, EngineConfig, SourceId};
use depthwire_core::types::{BookState, InstrumentId, NoClock, StaleReason};
use depthwire_core::venues::{self, OKX};

use crate::expected;
use crate::proven::{assert_proven, recording};

#[test]
fn options_and_others_that_are_subscribed_twice_are_proven() {
    let set = expected::checksums("okx-options");
    let Some(bytes) = recording("options_and_others_that_are_subscribed_twice_are_proven", set) else {
        return;
    };
    assert_proven(set, &bytes, 1 << 16);
}

#[test]
fn books_of_400_levels_are_proven() {
    let set = expected::checksums("okx-books");
    let Some(bytes) = recording("books_of_400_levels_are_proven", set) else { return };
    assert_proven(set, &bytes, 4_096);
}

#[test]
fn numbered_books_go_on_by_their_numbers() {
    let set = expected::checksums("okx-numbered");
    let Some(bytes) = recording("numbered_books_go_on_by_their_numbers", set) else { return };
    assert_proven(set, &bytes, 1 << 20);
}

/// An engine that carries one instrument.
struct Rig {
    engine: Engine<NoClock>,
    source: SourceId,
    id: InstrumentId,
    now: u64,
}

impl Rig {
    fn new() -> Self {
        let mut engine = Engine::new(EngineConfig::default(), venues::catalogue(), NoClock);
        let id = engine.add_instrument(venues::instrument(OKX, "BTC-USDT").unwrap()).unwrap();
        let source = engine.open_source(OKX, &[id]).unwrap();
        Self { engine, source, id, now: 1_700_000_000_000_000_000 }
    }

    /// A message of the book with one bid, and what proves it; the state behind it.
    fn hear(&mut self, action: &str, bid: &str, proof: &str) -> BookState {
        self.now += 1_000_000;
        let ts = self.now / 1_000_000;
        let frame = format!(
            "{{\"arg\":{{\"channel\":\"books\",\"instId\":\"BTC-USDT\"}},\"action\":\"{action}\",\"data\":[{{\"asks\":[],\"bids\":[{bid}],\"ts\":\"{ts}\",{proof}}}]}}"
        );
        self.ingest(&frame)
    }

    fn ingest(&mut self, frame: &str) -> BookState {
        let _ = self.engine.ingest(self.source, frame.as_bytes(), self.now);
        self.info().0
    }

    /// State, number, and best bid with its size.
    fn info(&self) -> (BookState, u64, Option<(i64, i64)>) {
        let info = self.engine.book_info(self.id, self.now).unwrap();
        (info.state, info.venue_seq, info.bbo.bid.map(|bid| (bid.price.0, bid.qty.0)))
    }
}

fn numbers(number: u64, before: i64) -> String {
    format!("\"checksum\":0,\"seqId\":{number},\"prevSeqId\":{before}")
}

/// The checksum of a book by its text.
fn sum(text: &str) -> String {
    format!("\"checksum\":{}", crc32(text.as_bytes()).cast_signed())
}

const SYNCED: BookState = BookState::Synced;
const GAP: BookState = BookState::Stale(StaleReason::Gap);
const CONTRADICTION: BookState = BookState::Stale(StaleReason::Contradiction);

#[test]
fn a_numbered_book_follows_its_chain_through_new_numbers_and_pauses() {
    let mut rig = Rig::new();
    assert_eq!(rig.hear("update", "[\"9\",\"1\",\"0\",\"1\"]", &numbers(90, 80)), BookState::Syncing);
    assert_eq!(rig.hear("snapshot", "[\"5\",\"1\",\"0\",\"1\"]", &numbers(100, -1)), SYNCED);
    assert_eq!(rig.hear("update", "[\"6\",\"2\",\"0\",\"1\"]", &numbers(145, 100)), SYNCED);
    // Nothing has changed, twice.
    assert_eq!(rig.hear("update", "", &numbers(145, 145)), SYNCED);
    assert_eq!(rig.hear("update", "", &numbers(145, 145)), SYNCED);
    // Numbers begin anew, and the chain goes on.
    assert_eq!(rig.hear("update", "[\"6\",\"3\",\"0\",\"1\"]", &numbers(3, 145)), SYNCED);
    assert_eq!(rig.hear("update", "[\"7\",\"4\",\"0\",\"1\"]", &numbers(15, 3)), SYNCED);
    assert_eq!(rig.info(), (SYNCED, 15, Some((7, 4))));
    assert_eq!(rig.hear("update", "[\"7\",\"9\",\"0\",\"1\"]", &numbers(40, 30)), GAP);
    // What follows a lost message is no snapshot.
    assert_eq!(rig.hear("update", "[\"7\",\"9\",\"0\",\"1\"]", &numbers(41, 40)), GAP);
    assert_eq!(rig.hear("snapshot", "[\"7\",\"1\",\"0\",\"1\"]", &numbers(41, -1)), SYNCED);
    assert_eq!(rig.info(), (SYNCED, 41, Some((7, 1))));
}

#[test]
fn a_repetition_is_ignored() {
    let mut rig = Rig::new();
    rig.hear("snapshot", "[\"5\",\"1\",\"0\",\"1\"]", &numbers(100, -1));
    rig.hear("update", "[\"5\",\"2\",\"0\",\"1\"]", &numbers(110, 100));
    rig.hear("update", "[\"5\",\"3\",\"0\",\"1\"]", &numbers(120, 110));
    // The same messages, of their own time.
    rig.now -= 2_000_000;
    assert_eq!(rig.hear("update", "[\"5\",\"2\",\"0\",\"1\"]", &numbers(110, 100)), SYNCED);
    assert_eq!(rig.hear("update", "[\"5\",\"3\",\"0\",\"1\"]", &numbers(120, 110)), SYNCED);
    assert_eq!(rig.info(), (SYNCED, 120, Some((5, 3))));
}

#[test]
fn a_book_without_numbers_is_proven_by_each_checksum() {
    let mut rig = Rig::new();
    assert_eq!(rig.hear("update", "[\"5\",\"1\",\"0\",\"1\"]", &sum("5:1")), BookState::Syncing);
    assert_eq!(rig.hear("snapshot", "[\"5\",\"1\",\"0\",\"1\"]", &sum("5:1")), SYNCED);
    assert_eq!(rig.hear("update", "[\"4.5\",\"0.25\",\"0\",\"1\"]", &sum("5:1:4.5:0.25")), SYNCED);
    assert_eq!(rig.hear("update", "[\"4\",\"1\",\"0\",\"1\"]", &sum("5:1:4:1")), CONTRADICTION);
    // Nothing joins to a book that comes later.
    assert_eq!(rig.hear("update", "[\"4\",\"1\",\"0\",\"1\"]", &sum("4:1")), CONTRADICTION);
    assert_eq!(rig.hear("snapshot", "[\"3\",\"1\",\"0\",\"1\"]", &sum("3:1")), SYNCED);
    // What cannot be read leaves a hole that no number shows.
    assert_eq!(
        rig.ingest("{\"arg\":{\"channel\":\"books\",\"instId\":\"BTC-USDT\"},\"action\":\"update\",\"da"),
        BookState::Stale(StaleReason::Unreadable)
    );
    assert_eq!(
        rig.hear("update", "[\"2\",\"1\",\"0\",\"1\"]", &sum("3:1:2:1")),
        BookState::Stale(StaleReason::Unreadable)
    );
}

#[test]
fn a_book_goes_on_as_it_began() {
    let mut rig = Rig::new();
    rig.hear("snapshot", "[\"5\",\"1\",\"0\",\"1\"]", &numbers(100, -1));
    assert_eq!(rig.hear("update", "[\"4\",\"1\",\"0\",\"1\"]", &sum("5:1:4:1")), CONTRADICTION, "no number");
    rig.hear("snapshot", "[\"5\",\"1\",\"0\",\"1\"]", &sum("5:1"));
    assert_eq!(rig.info(), (SYNCED, 0, Some((5, 1))));
    assert_eq!(
        rig.hear("update", "[\"4\",\"1\",\"0\",\"1\"]", &numbers(110, 100)),
        CONTRADICTION,
        "a number"
    );
    rig.hear("snapshot", "[\"5\",\"1\",\"0\",\"1\"]", &numbers(200, -1));
    assert_eq!(rig.hear("update", "[\"4\",\"1\",\"0\",\"1\"]", &numbers(210, 200)), SYNCED);
}

#[test]
fn the_venues_own_top_proves_a_numbered_book() {
    let top = |number: &str| {
        format!(
            "{{\"arg\":{{\"channel\":\"bbo-tbt\",\"instId\":\"BTC-USDT\"}},\"data\":[{{\"asks\":[],\"bids\":[[\"5\",\"1\",\"0\",\"1\"]],\"ts\":\"1700000000000\"{number}}}]}}"
        )
    };
    let mut rig = Rig::new();
    rig.hear("snapshot", "[\"5\",\"1\",\"0\",\"1\"]", &numbers(100, -1));
    assert_eq!(rig.ingest(&top(",\"seqId\":100")), SYNCED);
    rig.ingest(&top(",\"seqId\":110"));
    assert_eq!(rig.hear("update", "[\"5\",\"2\",\"0\",\"1\"]", &numbers(110, 100)), CONTRADICTION);
    assert_eq!((rig.engine.stats().bbo_checked, rig.engine.stats().bbo_matched), (2, 1));
    // One without a number proves nothing, of a book without numbers neither.
    rig.hear("snapshot", "[\"7\",\"1\",\"0\",\"1\"]", &sum("7:1"));
    assert_eq!(rig.ingest(&top("")), SYNCED);
    assert_eq!(rig.engine.stats().bbo_checked, 2);
}

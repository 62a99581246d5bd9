//! Bitget from recorded bytes to proven books, and its three forms of a book through the engine. What its dialects say, and what
//! faults do to it, stands in `conformance`.

use depthwire_core::checksum::crc32;
use depthwire_core::engine::{Engine, EngineConfig, SourceId};
use depthwire_core::types::{BookState, InstrumentId, NoClock, Price, StaleReason};
use depthwire_core::venues::{self, BITGET};

use crate::expected;
use crate::proven::{assert_proven, recording};

#[test]
fn spot_is_proven_by_each_checksum() {
    let set = expected::checksums("bitget-spot");
    let Some(bytes) = recording("spot_is_proven_by_each_checksum", set) else { return };
    assert_proven(set, &bytes, 1 << 16);
}

#[test]
fn futures_are_proven_by_each_checksum() {
    let set = expected::checksums("bitget-usdt-futures");
    let Some(bytes) = recording("futures_are_proven_by_each_checksum", set) else { return };
    assert_proven(set, &bytes, 4_096);
}

#[test]
fn an_index_with_sixteen_decimals_leaves_the_scale_of_the_book() {
    let mut engine = Engine::new(EngineConfig::default(), venues::catalogue(), NoClock);
    let venue = venues::BITGET_USDT_FUTURES;
    let id = engine.add_instrument(venues::instrument(venue, "BTCUSDT").unwrap()).unwrap();
    let source = engine.open_source(venue, &[id]).unwrap();
    let ticker = r#"{"action":"snapshot","arg":{"instType":"usdt-futures","topic":"ticker","symbol":"BTCUSDT"},"data":[{"lastPrice":"76631.3","bid1Price":"76631.2","ask1Price":"76631.3","bid1Size":"0.9608","ask1Size":"9.5716","indexPrice":"76671.4381686055379793","markPrice":"76631.3","fundingRate":"-0.00003","openInterest":"29539.3825","nextFundingTime":"1777363200000"}],"ts":1777358880084}"#;
    assert_eq!(engine.ingest(source, ticker.as_bytes(), 1), Ok(()));
    assert_eq!(engine.catalogue().get(id).unwrap().price_exponent, -1);
    let ticker = engine.ticker(id).unwrap();
    assert_eq!((ticker.last, ticker.index), (Some(Price(766_313)), Some(Price(766_714))));
}

/// An engine that carries one instrument.
struct Rig {
    engine: Engine<NoClock>,
    source: SourceId,
    id: InstrumentId,
    now: u64,
}

const SYNCED: BookState = BookState::Synced;
const GAP: BookState = BookState::Stale(StaleReason::Gap);
const CONTRADICTION: BookState = BookState::Stale(StaleReason::Contradiction);

impl Rig {
    fn new() -> Self {
        let mut engine = Engine::new(EngineConfig::default(), venues::catalogue(), NoClock);
        let id = engine.add_instrument(venues::instrument(BITGET, "BTCUSDT").unwrap()).unwrap();
        let source = engine.open_source(BITGET, &[id]).unwrap();
        Self { engine, source, id, now: 1_777_358_880_000_000_000 }
    }

    /// A message of version 3 with bids alone, and what proves it; the state behind it.
    fn hear(&mut self, topic: &str, action: &str, bids: &str, proof: &str) -> BookState {
        self.now += 1_000_000;
        let ts = self.now / 1_000_000;
        let frame = format!(
            "{{\"action\":\"{action}\",\"arg\":{{\"instType\":\"spot\",\"topic\":\"{topic}\",\"symbol\":\"BTCUSDT\"}},\
             \"data\":[{{\"a\":[],\"b\":[{bids}],{proof},\"ts\":\"{ts}\"}}],\"ts\":{ts}}}"
        );
        self.engine.ingest(self.source, frame.as_bytes(), self.now).unwrap();
        self.info().0
    }

    /// State, number and best bid.
    fn info(&self) -> (BookState, u64, Option<String>) {
        let info = self.engine.book_info(self.id, self.now).unwrap();
        (info.state, info.venue_seq, info.bbo.bid.map(|bid| format!("{} {}", bid.price.0, bid.qty.0)))
    }
}

/// Numbers, and the checksum of a book by its text; 0 of none.
fn proof(text: &str, number: u64, before: u64) -> String {
    let check = if text.is_empty() { 0 } else { crc32(text.as_bytes()).cast_signed() };
    format!("\"checksum\":{check},\"seq\":{number},\"pseq\":{before}")
}

#[test]
fn a_book_is_held_to_its_chain_and_to_its_checksums() {
    let mut rig = Rig::new();
    assert_eq!(rig.hear("books", "update", "[\"9\",\"1\"]", &proof("", 90, 80)), BookState::Syncing);
    assert_eq!(rig.hear("books", "snapshot", "[\"5\",\"1\"]", &proof("", 100, 0)), SYNCED, "0 is none");
    assert_eq!(rig.hear("books", "update", "[\"6\",\"2\"]", &proof("6:2:5:1", 145, 100)), SYNCED);
    assert_eq!(rig.info(), (SYNCED, 145, Some("6 2".to_owned())));
    assert_eq!(rig.hear("books", "update", "[\"6\",\"0\"]", &proof("", 150, 145)), SYNCED);
    assert_eq!(rig.hear("books", "update", "[\"6\",\"3\"]", &proof("6:3:5:1", 170, 160)), GAP);
    assert_eq!(rig.hear("books", "snapshot", "[\"5\",\"1\"]", &proof("", 200, 0)), SYNCED);
    assert_eq!(rig.hear("books", "update", "[\"6\",\"2\"]", &proof("6:3:5:1", 210, 200)), CONTRADICTION);
    let stats = rig.engine.stats();
    assert_eq!((stats.checksums_checked, stats.checksums_matched), (2, 1));
}

#[test]
fn best_levels_are_a_book_each_time() {
    let mut rig = Rig::new();
    for (bids, number, best) in [
        ("[\"5\",\"1\"],[\"4\",\"1\"]", 100, "5 1"),
        ("[\"6\",\"2\"],[\"5\",\"1\"]", 140, "6 2"),
        ("[\"4\",\"3\"]", 150, "4 3"),
    ] {
        assert_eq!(rig.hear("books15", "snapshot", bids, &proof("", number, 0)), SYNCED);
        assert_eq!(rig.info(), (SYNCED, number, Some(best.to_owned())));
    }
    let info = rig.engine.book_info(rig.id, rig.now).unwrap();
    assert_eq!((rig.engine.stats().snapshots, rig.engine.stats().book_messages), (1, 2));
    assert_eq!((info.bid_count, info.ask_count), (1, 0), "none of the books before");
}

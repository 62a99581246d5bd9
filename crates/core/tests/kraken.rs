//! Kraken from recorded bytes to proven books: every checksum of the recordings, and what a forgotten cut would cost. What
//! its dialects say, and what faults do to it, stands in `conformance`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed unwrap is a failed test"
)]

#[path = "sets/expected.rs"]
mod expected;
#[path = "sets/files.rs"]
mod files;

use depthwire_core::book::{BookSpec, L2Book};
use depthwire_core::checksum::{Printing, Scale, TOP_LEVELS};
use depthwire_core::engine::{Engine, EngineConfig, detect};
use depthwire_core::recording::{Entry, Heard, Transcript};
use depthwire_core::types::{
    Body, BookState, Events, InstrumentId, KnownTo, NoClock, Route, Routes, Side, Slot,
};
use depthwire_core::venues::{self, At, KRAKEN};
use expected::{Checksums, Text};

/// A recording; `None`, said on standard error as `test`'s skip, where it is not to be had.
fn recording(test: &str, set: &Checksums) -> Option<Vec<u8>> {
    let root = files::root(test)?;
    let mut bytes = Vec::new();
    for file in &set.files {
        bytes.extend(files::read(&root.join(file))?);
    }
    Some(bytes)
}

/// Every pair of a recording, replayed in chunks.
fn replay(bytes: &[u8], chunk_bytes: usize) -> (Engine<NoClock>, Vec<InstrumentId>) {
    let config = EngineConfig { silence_ns: None, is_replay: true, ..EngineConfig::default() };
    let mut engine = Engine::new(config, venues::catalogue(), NoClock);
    let found = detect(bytes).unwrap();
    let add = |(venue, symbol): &(_, String)| {
        assert_eq!(*venue, KRAKEN);
        engine.add_instrument(venues::instrument(*venue, symbol).unwrap()).unwrap()
    };
    let ids: Vec<_> = found.iter().map(add).collect();
    let source = engine.open_source(KRAKEN, &ids).unwrap();
    let mut at = 0;
    let mut more = chunk_bytes;
    while at < bytes.len() {
        let end = bytes.len().min(at + more);
        let drain = |outbox: &mut depthwire_core::encode::Outbox| {
            while outbox.front().is_some() {
                outbox.take();
            }
            true
        };
        let progress = engine.replay(source, &bytes[at..end], end == bytes.len(), u64::MAX, drain).unwrap();
        assert_eq!(progress.error, None);
        more = if progress.consumed == 0 { more * 2 } else { chunk_bytes };
        at += progress.consumed;
    }
    (engine, ids)
}

/// Replays a recording, and holds it to what is known: every checksum compared and right, and nothing else happened.
fn assert_proven(set: &Checksums, bytes: &[u8], chunk_bytes: usize) {
    let (engine, ids) = replay(bytes, chunk_bytes);
    let stats = engine.stats();
    assert_eq!(
        (stats.checksums_checked, stats.checksums_matched),
        (set.checksums, set.checksums),
        "{stats:?}"
    );
    assert_eq!(
        (stats.contradictions, stats.silences, stats.decode_errors, stats.foreign, stats.gaps),
        (0, 0, 0, 0, 0)
    );
    assert_eq!((stats.frames, stats.snapshots), (set.frames, set.snapshots));
    if let Some(messages) = set.book_messages {
        assert_eq!(stats.book_messages, messages);
    }
    let mut named: Vec<_> = set
        .instruments
        .iter()
        .map(|name| {
            let (venue, code) = venues::split_name(name).unwrap();
            venues::instrument(venue, code).unwrap().symbol
        })
        .collect();
    let mut found: Vec<_> =
        ids.iter().map(|id| engine.catalogue().get(*id).unwrap().symbol.clone()).collect();
    named.sort();
    found.sort();
    assert_eq!(found, named);
    for id in ids {
        let (info, book) = (engine.book_info(id, 0).unwrap(), engine.book(id).unwrap());
        assert_eq!(info.state, BookState::Synced);
        let levels = [Side::Bid, Side::Ask].map(|side| book.len(side));
        assert!(levels.iter().all(|levels| *levels <= set.depth), "{levels:?}");
        assert!(set.instruments.len() > 1 || levels == [set.depth; 2], "{levels:?}");
        if let Some(Text(time)) = set.book_time {
            assert_eq!(info.ts_event, time);
        }
    }
}

#[test]
fn version_2_at_depth_10_is_proven() {
    let set = expected::checksums("kraken-v2-depth-10");
    let Some(bytes) = recording("version_2_at_depth_10_is_proven", set) else { return };
    assert_proven(set, &bytes, 1 << 16);
}

#[test]
fn version_2_at_depth_25_is_proven() {
    let set = expected::checksums("kraken-btcusd");
    let Some(bytes) = recording("version_2_at_depth_25_is_proven", set) else { return };
    assert_proven(set, &bytes, 4_096);
}

#[test]
fn bare_frames_of_version_2_are_proven() {
    let set = expected::checksums("kraken-v2-bare-frames");
    let Some(bytes) = recording("bare_frames_of_version_2_are_proven", set) else { return };
    assert_proven(set, &bytes, 1 << 20);
}

#[test]
fn version_1_is_proven() {
    let set = expected::checksums("kraken-v1");
    let Some(bytes) = recording("version_1_is_proven", set) else { return };
    assert_proven(set, &bytes, 1 << 20);
}

/// Checksums of a recording at depth 25 that a book agrees with which is cut, or never is.
fn matches(bytes: &[u8], is_cut: bool) -> (u64, u64) {
    let mut routes = Routes::new();
    let route = Route { slot: Slot(0), price_exponent: -1, qty_exponent: -8 };
    assert!(routes.carry([&b"BTC/USD"[..]].into_iter(), route));
    let printing = Printing { price: Scale::Times(1), qty: Scale::Times(1) };
    let mut book = L2Book::new(BookSpec { tick_size: 1, levels_max: 10_000 });
    let (mut session, mut events) = (venues::session(KRAKEN), Events::default());
    let (mut transcript, mut at) = (Transcript::default(), 0);
    let (mut checked, mut matched) = (0, 0);
    while let Ok(Entry { end, heard, .. }) = transcript.next(bytes, at, true) {
        at = end;
        let bytes = match heard {
            Ok(Heard::Received { bytes, .. }) => bytes,
            Ok(Heard::Connected { .. }) => continue,
            other => panic!("{other:?}"),
        };
        events.clear();
        session.frame(bytes, At::default(), &routes, &mut events).unwrap();
        for event in events.list() {
            match event.body {
                Body::Book(_, span, ..) => book.load(events.levels(span), KnownTo::WHOLE).unwrap(),
                Body::Levels(_, span) => drop(book.apply(events.levels(span)).unwrap()),
                Body::Check(check) => {
                    if is_cut {
                        book.truncate(25);
                    }
                    let rows = |side| book.levels(side).take(TOP_LEVELS);
                    checked += 1;
                    let is = printing.crc32(rows(Side::Ask).chain(rows(Side::Bid)));
                    matched += u64::from(is == Some(check));
                }
                _ => {}
            }
        }
    }
    (checked, matched)
}

#[test]
fn a_forgotten_cut_shows() {
    let set = expected::checksums("kraken-btcusd");
    let Some(bytes) = recording("a_forgotten_cut_shows", set) else { return };
    assert_eq!(matches(&bytes, true), (set.checksums, set.checksums));
    assert_eq!(matches(&bytes, false), (set.checksums, set.checksums_uncut.unwrap()));
}

//! Kraken from recorded bytes to proven books: every checksum of the recordings, and what a forgotten cut would cost. What
//! its dialects say, and what faults do to it, stands in `conformance`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed unwrap is a failed test"
)]

use std::path::PathBuf;

use depthwire_core::Stats;
use depthwire_core::book::{BookSpec, L2Book};
use depthwire_core::checksum::{Printing, Scale, TOP_LEVELS};
use depthwire_core::engine::{Engine, EngineConfig, detect};
use depthwire_core::recording::{Entry, Heard, Transcript};
use depthwire_core::types::{
    Body, BookState, Events, InstrumentId, KnownTo, NoClock, Route, Routes, Side, Slot,
};
use depthwire_core::venues::{self, At, KRAKEN};

/// A recording; `None`, said on standard error as `test`'s skip, where it is not to be had.
fn recording(test: &str, folder: &str, file: &str) -> Option<Vec<u8>> {
    let root = match std::env::var_os("DEPTHWIRE_DATA") {
        Some(root) => PathBuf::from(root),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
    };
    if !root.join(folder).is_dir() {
        eprintln!("SKIPPED: {test}: {file}: no recordings here (set DEPTHWIRE_DATA)");
        return None;
    }
    let bytes = std::fs::read(root.join(folder).join(file)).unwrap();
    Some(if file.ends_with(".zst") { zstd::decode_all(&*bytes).unwrap() } else { bytes })
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

/// That every checksum was compared and right, and that nothing else happened.
fn assert_proven(stats: &Stats, checksums: u64) {
    assert_eq!((stats.checksums_checked, stats.checksums_matched), (checksums, checksums), "{stats:?}");
    assert_eq!(
        (stats.contradictions, stats.silences, stats.decode_errors, stats.foreign, stats.gaps),
        (0, 0, 0, 0, 0)
    );
}

#[test]
fn version_2_at_depth_10_is_proven() {
    let test = "version_2_at_depth_10_is_proven";
    let Some(bytes) = recording(test, "kraken", "kraken_btcusd_l2.cbcap") else { return };
    let (engine, ids) = replay(&bytes, 1 << 16);
    let stats = engine.stats();
    assert_proven(&stats, 301);
    assert_eq!((stats.frames, stats.snapshots, ids.len()), (377, 5, 1));
    let book = engine.book(ids[0]).unwrap();
    assert_eq!((book.len(Side::Bid), book.len(Side::Ask)), (10, 10));
    assert_eq!(engine.book_info(ids[0], 0).unwrap().state, BookState::Synced);
}

#[test]
fn version_2_at_depth_25_is_proven() {
    let test = "version_2_at_depth_25_is_proven";
    let Some(bytes) = recording(test, "kraken", "kraken_btcusd_sample.cbcap") else { return };
    let (engine, ids) = replay(&bytes, 4_096);
    let stats = engine.stats();
    assert_proven(&stats, 2_052);
    assert_eq!((stats.frames, ids.len()), (2_104, 1));
    let book = engine.book(ids[0]).unwrap();
    assert_eq!((book.len(Side::Bid), book.len(Side::Ask)), (25, 25));
}

#[test]
fn bare_frames_of_version_2_are_proven() {
    let test = "bare_frames_of_version_2_are_proven";
    let Some(bytes) = recording(test, "tickvault", "kraken_book.jsonl") else { return };
    let (engine, ids) = replay(&bytes, 1 << 20);
    assert_proven(&engine.stats(), 4);
    assert_eq!(engine.book_info(ids[0], 0).unwrap().ts_event, 1_787_610_118_345_080_000);
}

#[test]
fn version_1_is_proven() {
    let Some(bytes) = recording("version_1_is_proven", "kraken", "kraken_v1_20210405.txt.zst") else {
        return;
    };
    let (engine, ids) = replay(&bytes, 1 << 20);
    let stats = engine.stats();
    assert_proven(&stats, 14_496);
    assert_eq!((stats.snapshots, stats.book_messages, ids.len()), (10, 14_496, 10));
    for id in ids {
        let (info, book) = (engine.book_info(id, 0).unwrap(), engine.book(id).unwrap());
        assert_eq!(info.state, BookState::Synced);
        assert!(book.len(Side::Bid) <= 1_000 && book.len(Side::Ask) <= 1_000);
    }
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
    let test = "a_forgotten_cut_shows";
    let Some(bytes) = recording(test, "kraken", "kraken_btcusd_sample.cbcap") else { return };
    assert_eq!(matches(&bytes, true), (2_052, 2_052));
    assert_eq!(matches(&bytes, false), (2_052, 220));
}

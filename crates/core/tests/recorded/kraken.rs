//! Kraken from recorded bytes to proven books: every checksum of the recordings, and what a forgotten cut would cost. What
//! its dialects say, and what faults do to it, stands in `conformance`.

use depthwire_core::book::{BookSpec, L2Book};
use depthwire_core::checksum::{Printing, Scale, TOP_LEVELS};
use depthwire_core::recording::{Entry, Heard, Transcript};
use depthwire_core::types::{Body, Events, KnownTo, Route, Routes, Side, Slot};
use depthwire_core::venues::{self, At, KRAKEN};

use crate::expected;
use crate::proven::{assert_proven, recording};

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

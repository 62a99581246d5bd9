//! Recordings whose books are proven by their venue: replayed through the engine, and held to what is known of them.

use depthwire_core::engine::{Engine, EngineConfig, detect};
use depthwire_core::types::{BookState, InstrumentId, NoClock, Side, Venue};
use depthwire_core::venues;

use crate::expected::{Checksums, Text};
use crate::files;

/// A recording; `None`, said on standard error as `test`'s skip, where it is not to be had.
pub fn recording(test: &str, set: &Checksums) -> Option<Vec<u8>> {
    let root = files::root(test)?;
    let mut bytes = Vec::new();
    for file in &set.files {
        bytes.extend(files::read(&root.join(file))?);
    }
    Some(bytes)
}

/// Every instrument of a product in a recording, replayed in chunks; and whether it is of that product alone.
fn replay(venue: Venue, bytes: &[u8], chunk_bytes: usize) -> (Engine<NoClock>, Vec<InstrumentId>, bool) {
    let config = EngineConfig { silence_ns: None, is_replay: true, ..EngineConfig::default() };
    let mut engine = Engine::new(config, venues::catalogue(), NoClock);
    let found = detect(bytes).unwrap();
    let is_alone = found.iter().all(|(of, _)| *of == venue);
    let add = |(_, symbol): &(_, String)| {
        engine.add_instrument(venues::instrument(venue, symbol).unwrap()).unwrap()
    };
    let ids: Vec<_> = found.iter().filter(|(of, _)| *of == venue).map(add).collect();
    let source = engine.open_source(venue, &ids).unwrap();
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
    (engine, ids, is_alone)
}

/// Replays a recording, and holds it to what is known: every checksum compared and right, and nothing else happened.
pub fn assert_proven(set: &Checksums, bytes: &[u8], chunk_bytes: usize) {
    let (venue, _) = venues::split_name(&set.instruments[0]).unwrap();
    let (engine, ids, is_alone) = replay(venue, bytes, chunk_bytes);
    let stats = engine.stats();
    assert_eq!(
        (stats.checksums_checked, stats.checksums_matched),
        (set.checksums, set.checksums),
        "{stats:?}"
    );
    assert_eq!((stats.contradictions, stats.silences, stats.decode_errors, stats.gaps), (0, 0, 0, 0));
    assert_eq!(stats.foreign == 0, is_alone);
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
        if let Some(depth) = set.depth {
            assert!(levels.iter().all(|levels| *levels <= depth), "{levels:?}");
            assert!(set.instruments.len() > 1 || levels == [depth; 2], "{levels:?}");
        }
        if let Some(Text(time)) = set.book_time {
            assert_eq!(info.ts_event, time);
        }
    }
}

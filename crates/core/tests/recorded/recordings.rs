//! Whole recordings through the whole path: the counts and digests that an independent checker published, from the
//! engine's book and from a book that is rebuilt from the emitted frames alone.

use depthwire_core::encode::RECORD_HEADER_BYTES;
use depthwire_core::engine::{Engine, EngineConfig};
use depthwire_core::replica::{Replica, ReplicaState};
use depthwire_core::types::{BookState, NoClock, Side, parse_decimal};
use depthwire_core::venues;

use crate::sets::{SIMULATED, Set, recorded};

/// Replays a set in chunks of `chunk_bytes` and compares everything.
fn replay(set: &Set, text: &[u8], chunk_bytes: usize) -> (Engine<NoClock>, Replica) {
    let config = EngineConfig { silence_ns: Some(5_000_000_000), is_replay: true, ..EngineConfig::default() };
    let mut engine = Engine::new(config, venues::catalogue(), NoClock);
    let mut replica = Replica::default();
    let source = engine.open_source(set.venue, &[set.id()]).unwrap();
    let mut at = 0;
    while at < text.len() {
        let end = text.len().min(at + chunk_bytes);
        let chunk = &text[at..end];
        let progress = engine
            .replay(source, chunk, end == text.len(), u64::MAX, |outbox| {
                while let Some(record) = outbox.front() {
                    let size = u32::from_le_bytes(*record.first_chunk().unwrap()) as usize;
                    if record[4] == 1 {
                        replica.apply(&record[RECORD_HEADER_BYTES..RECORD_HEADER_BYTES + size]).unwrap();
                    }
                    outbox.take();
                }
                true
            })
            .unwrap();
        assert_eq!(progress.error, None);
        if progress.consumed == 0 {
            // The chunk ends within its first line: hand in more.
            return replay(set, text, chunk_bytes * 2);
        }
        at += progress.consumed;
    }
    (engine, replica)
}

fn check(set: &Set, text: &[u8], chunk_bytes: usize) {
    let (engine, replica) = replay(set, text, chunk_bytes);
    let stats = engine.stats();
    let info = engine.book_info(set.id(), 0).unwrap();
    assert_eq!(info.state, BookState::Synced, "{}", set.name);
    let told = replica.book(set.id()).unwrap();
    assert_eq!(told.state(), ReplicaState::Synced, "{}", set.name);
    assert_eq!(told.digest(), engine.digest(set.id()).unwrap(), "{}", set.name);
    assert_eq!((told.seq(), told.epoch()), (info.seq, info.epoch));
    let (checks, failures) = told.checks();
    assert!(checks > 50 && failures == 0, "{}: {checks} checks, {failures} failed", set.name);
    assert_eq!((stats.gaps, stats.resyncs, stats.decode_errors, stats.silences), (0, 0, 0, 0));
    assert_eq!((stats.crossed, stats.snapshots), (0, 1));
    assert_eq!(stats.bbo_checked, stats.bbo_matched, "{}", set.name);
    assert!(stats.bbo_checked > 10, "{}: {} comparisons", set.name, stats.bbo_checked);
    let Some(expected) = set.expected else { return };
    assert_eq!(engine.digest(set.id()).unwrap(), expected.digest, "{}", set.name);
    let book = engine.book(set.id()).unwrap();
    let levels = [Side::Bid, Side::Ask].map(|side| book.len(side));
    assert_eq!(levels, [expected.bids, expected.asks], "{}", set.name);
    let best = [(info.bbo.bid, &expected.best_bid), (info.bbo.ask, &expected.best_ask)];
    for (best, expected) in best {
        let expected = parse_decimal(expected.as_bytes(), set.route().price_exponent).unwrap();
        assert_eq!(best.unwrap().price.0, expected, "{}", set.name);
    }
    assert_eq!(
        (stats.frames, stats.book_messages, stats.applied),
        (expected.frames, expected.book_messages, expected.applied)
    );
    assert_eq!(
        (stats.level_changes, stats.applied_level_changes),
        (expected.level_changes, expected.applied_level_changes)
    );
    assert_eq!((stats.trades, stats.bbo_matched), (expected.trades, expected.tops), "{}", set.name);
}

#[test]
fn recorded_sets_end_as_published() {
    for set in recorded() {
        if let Some(text) = set.load("recorded_sets_end_as_published") {
            check(&set, &text, 1 << 20);
        }
    }
}

#[test]
fn simulated_sets_end_exact() {
    for set in &SIMULATED {
        check(set, &set.load("simulated_sets_end_exact").unwrap(), 1 << 20);
    }
}

/// Any chunking of the bytes gives the same frames, which the replica's digest and sequence stand for.
#[test]
fn chunks_may_end_anywhere() {
    let set = &SIMULATED[1];
    let text = set.load("chunks_may_end_anywhere").unwrap();
    for chunk_bytes in [4_096, 65_537, usize::MAX / 2] {
        check(set, &text, chunk_bytes.min(text.len()));
    }
}

//! Snapshots that do not fit: too old, of another time, with a hole behind them, too large, or untrue.

use depthwire_core::encode::Stream;
use depthwire_core::engine::{EngineConfig, EngineError, IngestError};
use depthwire_core::types::{BookState, StaleReason};

use crate::rig::{DELTA, MS, Rig, S, Seen, kinds};

#[test]
fn a_snapshot_that_does_not_bridge_is_refused_and_asked_for_again() {
    let mut rig = Rig::new(EngineConfig::default());
    rig.depth(110, 112, "[\"10.00\",\"1\"]", "");
    rig.seen();
    rig.snapshot(100, "[\"1.00\",\"1\"]", "[\"2.00\",\"1\"]").unwrap();
    assert_eq!(rig.state(), BookState::Syncing);
    assert_eq!(rig.engine.stats().snapshots_old, 1);
    rig.tick();
    assert_eq!(rig.seen(), [], "after a pause");
    rig.now += 250 * MS;
    rig.tick();
    assert_eq!(rig.seen(), [Seen::Request { ticket: 2 }]);
    rig.snapshot(111, "[\"10.00\",\"4\"]", "[\"11.00\",\"1\"]").unwrap();
    assert_eq!(rig.state(), BookState::Synced);
}

#[test]
fn a_hole_among_the_waiting_updates_needs_a_snapshot_beyond_it() {
    let mut rig = Rig::new(EngineConfig::default());
    rig.depth(100, 101, "[\"9.00\",\"1\"]", "");
    rig.depth(105, 106, "[\"9.50\",\"1\"]", "");
    rig.snapshot(100, "[\"8.00\",\"1\"]", "[\"11.00\",\"1\"]").unwrap();
    assert_eq!((rig.state(), rig.engine.stats().gaps), (BookState::Syncing, 1));
    assert!(kinds(&rig.seen()).is_empty(), "nothing of a book that is not whole is published");
    rig.snapshot(104, "[\"10.00\",\"1\"]", "[\"11.00\",\"1\"]").unwrap();
    assert_eq!(rig.state(), BookState::Synced);
    assert_eq!(rig.engine.book_info(rig.id, 0).unwrap().venue_seq, 106);
}

#[test]
fn an_answer_from_before_a_reset_is_void() {
    let mut rig = Rig::synced(EngineConfig::default());
    rig.depth(105, 105, "[\"9.00\",\"1\"]", "");
    rig.seen();
    let before = rig.ticket;
    rig.engine.reset_source(rig.source, rig.now).unwrap();
    rig.depth(1, 1, "[\"9.00\",\"1\"]", "");
    rig.seen();
    assert_ne!(rig.ticket, before);
    let late = b"{\"lastUpdateId\":104,\"bids\":[],\"asks\":[]}";
    let refused = rig.engine.answer(rig.id, before, late, rig.now);
    assert_eq!(refused, Err(IngestError::Engine(EngineError::StaleAnswer(before))));
    assert_eq!(rig.state(), BookState::Syncing);
    rig.snapshot(1, "[\"10.00\",\"1\"]", "[\"11.00\",\"1\"]").unwrap();
    assert_eq!((rig.state(), rig.engine.book_info(rig.id, 0).unwrap().venue_seq), (BookState::Synced, 1));
}

#[test]
fn an_answer_older_than_the_book_is_refused() {
    let mut rig = Rig::synced(EngineConfig { silence_ns: Some(5 * S), ..EngineConfig::default() });
    rig.depth(101, 200, "[\"10.00\",\"2\"]", "");
    rig.now += 6 * S;
    rig.tick();
    rig.snapshot(150, "[\"10.00\",\"1\"]", "[\"11.00\",\"1\"]").unwrap();
    assert_eq!((rig.state(), rig.engine.stats().snapshots_old), (BookState::Stale(StaleReason::Silence), 1));
    rig.snapshot(200, "[\"10.00\",\"1\"]", "[\"11.00\",\"1\"]").unwrap();
    assert_eq!(rig.state(), BookState::Synced);
}

#[test]
fn a_book_that_fails_to_sync_is_left_as_it_was() {
    let mut rig = Rig::synced(EngineConfig::default());
    rig.depth(105, 105, "[\"9.00\",\"1\"]", "");
    rig.depth(110, 110, "[\"9.00\",\"2\"]", "");
    let digest = rig.engine.digest(rig.id);
    rig.now += S;
    rig.tick();
    rig.snapshot(104, "[\"1.00\",\"1\"]", "[\"2.00\",\"1\"]").unwrap();
    assert_eq!(rig.state(), BookState::Stale(StaleReason::Gap));
    assert_eq!(rig.engine.digest(rig.id), digest, "a hole behind the snapshot: nothing was loaded");
    let mut rig = Rig::new(EngineConfig { levels_max: 1, ..EngineConfig::default() });
    rig.depth(1, 1, "", "");
    rig.snapshot(1, "[\"10.00\",\"1\"]", "[\"11.00\",\"1\"]").unwrap();
    assert_eq!(rig.state(), BookState::Stale(StaleReason::LevelsLimit));
    assert_eq!(rig.image(Stream::BOOK), [], "a book that never was has no image");
}

#[test]
fn a_snapshot_of_the_books_own_number_that_says_something_else_is_a_contradiction() {
    for (bids, asks, is_same) in [
        ("[\"10.00\",\"2\"]", "[\"11.00\",\"1\"]", true),
        ("[\"10.00\",\"2\"],[\"9.00\",\"5\"]", "[\"11.00\",\"1\"],[\"12.00\",\"1\"]", true),
        ("[\"10.00\",\"3\"]", "[\"11.00\",\"1\"]", false),
        ("[\"10.50\",\"1\"],[\"10.00\",\"2\"]", "[\"11.00\",\"1\"]", false),
        ("[\"10.00\",\"2\"]", "[\"10.90\",\"1\"],[\"11.00\",\"1\"]", false),
    ] {
        let mut rig = Rig::synced(EngineConfig::default());
        rig.depth(101, 101, "[\"10.00\",\"2\"]", "");
        let text =
            format!("{{\"symbol\":\"BTCUSDT\",\"lastUpdateId\":101,\"bids\":[{bids}],\"asks\":[{asks}]}}");
        rig.engine.ingest(rig.source, text.as_bytes(), rig.now).unwrap();
        let expected = if is_same { BookState::Synced } else { BookState::Stale(StaleReason::Contradiction) };
        assert_eq!(rig.state(), expected, "{bids} {asks}");
    }
}

#[test]
fn too_many_levels_make_the_book_stale_not_wrong() {
    let mut rig = Rig::synced(EngineConfig { levels_max: 3, ..EngineConfig::default() });
    rig.depth(101, 101, "[\"9.00\",\"1\"],[\"8.00\",\"1\"]", "");
    assert_eq!(rig.state(), BookState::Stale(StaleReason::LevelsLimit));
    assert!(!kinds(&rig.seen()).contains(&(DELTA, 1)));
    rig.now += S;
    rig.tick();
    rig.snapshot(101, "[\"9.00\",\"1\"],[\"8.00\",\"1\"]", "[\"11.00\",\"1\"],[\"12.00\",\"1\"]").unwrap();
    assert_eq!(rig.state(), BookState::Stale(StaleReason::LevelsLimit), "a snapshot over the limit as well");
}

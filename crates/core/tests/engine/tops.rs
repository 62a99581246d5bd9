//! Tops of book: crossed, the venue's own, and beyond what is known.

use depthwire_core::engine::EngineConfig;
use depthwire_core::types::{BookState, StaleReason};

use crate::rig::{Rig, S, STATUS, Seen, kinds};

#[test]
fn a_crossed_book_says_so_and_a_contradicted_one_is_stale() {
    let mut rig = Rig::synced(EngineConfig::default());
    rig.depth(101, 101, "[\"11.50\",\"1\"]", "");
    let flagged = |rig: &mut Rig| match rig.seen()[0] {
        Seen::Frame { flags, .. } => flags,
        Seen::Request { .. } => 0,
    };
    assert_eq!((flagged(&mut rig), rig.engine.stats().crossed), (32 | 8, 1));
    rig.depth(102, 102, "[\"11.50\",\"0\"]", "");
    assert_eq!(flagged(&mut rig), 32);
    rig.now += 2 * S;
    let ticker = b"{\"u\":102,\"s\":\"BTCUSDT\",\"b\":\"10.00\",\"B\":\"9\",\"a\":\"11.00\",\"A\":\"1\"}";
    rig.engine.ingest(rig.source, ticker, rig.now).unwrap();
    assert_eq!(rig.state(), BookState::Stale(StaleReason::Contradiction), "the venue says another top");
    let seen = rig.seen();
    assert!(kinds(&seen).contains(&(STATUS, 4)) && seen.contains(&Seen::Request { ticket: 2 }), "{seen:?}");
    rig.depth(103, 103, "[\"10.00\",\"9\"]", "");
    assert_eq!(rig.state(), BookState::Stale(StaleReason::Contradiction), "no update mends it");
    rig.snapshot(102, "[\"10.00\",\"9\"]", "[\"11.00\",\"1\"]").unwrap();
    assert_eq!(rig.state(), BookState::Synced);
    let stats = rig.engine.stats();
    assert_eq!((stats.bbo_checked, stats.bbo_matched, stats.contradictions), (1, 0, 1));
}

#[test]
fn the_venues_top_at_the_snapshots_own_number_is_compared() {
    let ticker = |bid: &str| {
        format!("{{\"u\":100,\"s\":\"BTCUSDT\",\"b\":\"{bid}\",\"B\":\"1\",\"a\":\"11.00\",\"A\":\"1\"}}")
    };
    for (bid, is_same) in [("10.00", true), ("9.00", false)] {
        let expected = if is_same { BookState::Synced } else { BookState::Stale(StaleReason::Contradiction) };
        let mut rig = Rig::synced(EngineConfig::default());
        rig.engine.ingest(rig.source, ticker(bid).as_bytes(), rig.now).unwrap();
        assert_eq!(rig.state(), expected, "after the snapshot");
        let mut rig = Rig::new(EngineConfig::default());
        rig.depth(99, 100, "", "");
        rig.engine.ingest(rig.source, ticker(bid).as_bytes(), rig.now).unwrap();
        rig.snapshot(100, "[\"10.00\",\"1\"]", "[\"11.00\",\"1\"]").unwrap();
        assert_eq!(rig.state() == BookState::Synced, is_same, "before it");
    }
}

#[test]
fn a_top_beyond_what_is_known_says_so() {
    let mut rig = Rig::synced(EngineConfig::default());
    rig.depth(101, 101, "[\"9.00\",\"1\"],[\"10.00\",\"0\"]", "");
    for seen in rig.seen() {
        let Seen::Frame { kind, flags, .. } = seen else { continue };
        assert_eq!(flags & 128, 128, "{seen:?} of kind {kind}: a bid between 9 and 10 may exist");
    }
    rig.depth(102, 102, "[\"10.00\",\"1\"]", "");
    let Seen::Frame { flags, .. } = rig.seen()[0] else { unreachable!() };
    assert_eq!(flags & 128, 0);
}

#[test]
fn a_side_with_nothing_up_to_its_bound_is_not_known_to_be_empty() {
    let mut rig = Rig::synced(EngineConfig::default());
    rig.depth(101, 101, "[\"10.00\",\"0\"]", "");
    assert_eq!(rig.state(), BookState::Synced);
    assert!(rig.engine.book_info(rig.id, rig.now).unwrap().is_beyond_known, "bids below 10 may exist");
}

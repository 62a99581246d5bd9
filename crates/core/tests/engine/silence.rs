//! Silence: what keeps a book alive, and clocks that are set back.

use depthwire_core::engine::EngineConfig;
use depthwire_core::types::{BookState, StaleReason};
use depthwire_core::venues;

use crate::rig::{CHECK, DELTA, IMAGE, MS, Rig, S, STATUS, Seen, kinds};

#[test]
fn silence_makes_a_book_stale_until_an_update_continues_it() {
    let mut rig = Rig::synced(EngineConfig { silence_ns: Some(5 * S), ..EngineConfig::default() });
    rig.now += 5 * S;
    rig.tick();
    assert_eq!(rig.state(), BookState::Synced, "not longer than the limit");
    rig.trade("trade", 1);
    rig.now += 1;
    rig.tick();
    assert_eq!(rig.state(), BookState::Stale(StaleReason::Silence), "trades do not keep a book alive");
    let seen = rig.seen();
    assert!(seen.contains(&Seen::Request { ticket: 2 }));
    assert!(kinds(&seen).contains(&(STATUS, 4)));
    rig.depth(101, 101, "[\"10.00\",\"7\"]", "");
    let images = [(IMAGE, 1), (IMAGE, 2), (IMAGE, 3), (IMAGE, 8), (STATUS, 4)];
    assert_eq!(kinds(&rig.seen()), images, "an update that continues the book shows that nothing was missed");
    assert_eq!(rig.state(), BookState::Synced);
    let stats = rig.engine.stats();
    assert_eq!((stats.silences, stats.resyncs, stats.gaps), (1, 1, 0));
    assert_eq!(rig.engine.book_info(rig.id, rig.now).unwrap().epoch & 0xFFFF_FFFF, 2, "a new epoch");
}

#[test]
fn a_venue_that_counts_anew_does_not_freeze_the_book() {
    let mut rig = Rig::synced(EngineConfig { silence_ns: Some(5 * S), ..EngineConfig::default() });
    for id in 1..=99 {
        rig.now += 100 * MS;
        rig.depth(id, id, "[\"10.00\",\"9\"]", "");
        rig.tick();
    }
    assert_eq!(rig.state(), BookState::Stale(StaleReason::Silence), "repetitions do not keep a book alive");
    let mut rig = Rig::synced(EngineConfig::default());
    for _ in 0..1_000 {
        rig.depth(50, 50, "[\"10.00\",\"9\"]", "");
    }
    assert_eq!(rig.state(), BookState::Stale(StaleReason::Gap), "nor are they ignored for ever");
}

#[test]
fn a_clock_that_is_set_back_holds_nothing_up() {
    let mut rig = Rig::synced(EngineConfig { silence_ns: Some(5 * S), ..EngineConfig::default() });
    let view = rig.engine.open_depth(rig.id, 5, 100 * MS, rig.now).unwrap();
    rig.now += 4_000 * S;
    rig.depth(101, 101, "[\"10.00\",\"2\"]", "");
    rig.seen();
    rig.now -= 4_000 * S;
    rig.depth(102, 102, "[\"10.00\",\"3\"]", "");
    let seen = kinds(&rig.seen());
    assert!(seen.contains(&(DELTA, view.0)) && seen.contains(&(CHECK, 1)), "{seen:?}");
    rig.tick();
    rig.now += 6 * S;
    rig.tick();
    assert_eq!(rig.state(), BookState::Stale(StaleReason::Silence));
}

#[test]
fn a_recording_ages_its_own_books_only() {
    let mut rig = Rig::synced(EngineConfig { silence_ns: Some(5 * S), ..EngineConfig::default() });
    let other = venues::catalogue().find(venues::BINANCE_SPOT, "ETHUSDT").unwrap();
    let recorded = rig.engine.open_source(venues::BINANCE_SPOT, &[other]).unwrap();
    let line = format!("{} {{\"result\":null,\"id\":1}}\n", 1_000_000 * S);
    rig.engine.replay(recorded, line.as_bytes(), false, u64::MAX, |_| true).unwrap();
    assert_eq!(rig.state(), BookState::Synced);
}

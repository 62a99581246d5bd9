//! Point 9: a snapshot in the stream while the book is synced; two instruments on one connection; an instrument that is
//! dropped and carried again.

use depthwire_core::engine::{Engine, EngineConfig};
use depthwire_core::types::{BookState, NoClock};
use depthwire_core::venues::{self, Resync};

use crate::feed::Feed;
use crate::rig::Rig;
use crate::rooms::{Row, rows};

const EVENTS: usize = if cfg!(debug_assertions) { 20 } else { 400 };

/// A rig whose book is exact after some events.
fn synced(row: &Row) -> (Feed, Rig) {
    let mut feed = Feed::open(row, 31);
    let mut rig = Rig::new(row, &feed);
    exact(row, &mut feed, &mut rig, 10);
    (feed, rig)
}

/// So many events, each of which leaves the venue's book.
fn exact(row: &Row, feed: &mut Feed, rig: &mut Rig, events: usize) {
    let mut compared = 0;
    for _ in 0..100_000 {
        let heard = feed.next();
        rig.hear(&heard).unwrap();
        if !rig.is_synced() {
            assert!(compared == 0, "{}: {:?}", row.name, rig.state());
            if rig.asked.is_some() {
                assert!(rig.cure(feed));
            }
            continue;
        }
        if heard.truth.is_none() {
            continue;
        }
        if let Some(right) = rig.right_levels(&heard) {
            assert_eq!(right, usize::MAX, "{}", row.name);
            compared += 1;
        }
        if compared == events {
            return;
        }
    }
    panic!("{}: {compared} compared, {:?}", row.name, rig.state());
}

#[test]
fn a_snapshot_while_synced_leaves_the_book_exact() {
    for row in rows() {
        let (mut feed, mut rig) = synced(&row);
        for _ in 0..3 {
            match venues::product(row.venue).resync {
                Resync::Snapshot => {
                    // As recorders write it among the frames; as the answer to nothing it is refused.
                    let mut answer = Vec::new();
                    assert!(feed.dialect.snapshot(&mut answer));
                    assert!(rig.answer(0, &answer, feed.now).is_err());
                    // Of orders it names nobody.
                    assert_eq!(rig.ingest(&answer, feed.now).is_ok(), !row.has_orders, "{}", row.name);
                }
                _ if row.are_datagrams => {}
                _ => {
                    feed.resubscribe();
                    while let Some(heard) = feed.told() {
                        rig.hear(&heard).unwrap();
                    }
                }
            }
            assert!(rig.is_synced(), "{}: {:?}", row.name, rig.state());
            exact(&row, &mut feed, &mut rig, EVENTS);
        }
        rig.assert_told();
        assert_eq!(rig.engine.stats().gaps, 0, "{}", row.name);
    }
}

#[test]
fn an_instrument_is_dropped_and_carried_again() {
    for row in rows() {
        let (mut feed, mut rig) = synced(&row);
        rig.engine.drop(rig.source, rig.id, feed.now).unwrap();
        assert_eq!(rig.state(), BookState::Syncing, "{}", row.name);
        for _ in 0..20 {
            // Of nobody, now.
            let heard = feed.next();
            let _ = rig.hear(&heard);
            assert_eq!(rig.state(), BookState::Syncing, "{}", row.name);
        }
        rig.engine.carry(rig.source, &[rig.id]).unwrap();
        assert_eq!(rig.state(), BookState::Syncing, "{}", row.name);
        rig.asked = None;
        // What was said meanwhile is not known: only a snapshot, or another beginning, makes a book.
        while feed.told().is_some() {}
        for _ in 0..40 {
            let heard = feed.next();
            let _ = rig.hear(&heard);
            assert!(!rig.is_synced() || row.is_restated, "{}", row.name);
        }
        if rig.cure(&mut feed) {
            exact(&row, &mut feed, &mut rig, EVENTS);
        } else {
            assert!(row.are_datagrams, "{}", row.name);
        }
    }
}

#[test]
fn two_instruments_of_one_connection_do_not_mix() {
    let rows = rows();
    let mut pairs = 0;
    for (nth, row) in rows.iter().enumerate() {
        let is_other = |other: &&Row| {
            other.venue == row.venue
                && other.symbol != row.symbol
                && other.has_orders == row.has_orders
                && !row.is_counted()
        };
        for other in rows[nth..].iter().filter(is_other) {
            let mut engine = Engine::new(EngineConfig::default(), venues::catalogue(), NoClock);
            let ids = [row, other]
                .map(|row| engine.add_instrument(venues::instrument(row.venue, &row.code).unwrap()).unwrap());
            let source = engine.open_source(row.venue, &ids).unwrap();
            let mut rigs = [row, other].map(synced_alone);
            let mut heard: Vec<_> = rigs.iter_mut().flat_map(|(_, heard, _)| std::mem::take(heard)).collect();
            // Each was told the number of a connection of its own.
            let names_connection =
                |bytes: &[u8]| bytes.windows(10).any(|word| word.eq_ignore_ascii_case(b"connection"));
            heard.retain(|(_, bytes)| !names_connection(bytes));
            heard.sort_by_key(|(now, _)| *now);
            for (now, bytes) in &heard {
                engine.ingest(source, bytes, *now).unwrap();
                while engine.outbox().front().is_some() {
                    engine.outbox().take();
                }
            }
            for (id, (alone, _, of_alone)) in ids.into_iter().zip(&rigs) {
                assert_eq!(engine.book_info(id, 0).unwrap().state, BookState::Synced, "{}", row.name);
                assert_eq!(engine.digest(id), alone.engine.digest(*of_alone), "{}", row.name);
            }
            pairs += 1;
        }
    }
    assert!(pairs >= 10, "{pairs}");
}

/// A rig that has heard an instrument alone, and what it has heard.
fn synced_alone(row: &Row) -> (Rig, Vec<(u64, Vec<u8>)>, depthwire_core::types::InstrumentId) {
    let mut feed = Feed::open(row, 12);
    let mut rig = Rig::new(row, &feed);
    let mut said = Vec::new();
    for _ in 0..EVENTS * 10 {
        let heard = feed.next();
        rig.hear(&heard).unwrap();
        said.push((heard.now, heard.bytes));
    }
    let id = rig.id;
    (rig, said, id)
}

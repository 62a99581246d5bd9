//! Recordings of several books through the whole path: which instruments they are found to hold, and what each book ends as,
//! by the engine's book and by a book that is rebuilt from the emitted frames alone. What is expected was counted by a program
//! that shares no code with the project.

use std::collections::BTreeSet;
use std::mem::discriminant;

use depthwire_core::encode::{Outbox, RECORD_HEADER_BYTES, RecordType};
use depthwire_core::engine::{Engine, EngineConfig, detect};
use depthwire_core::replica::{Replica, ReplicaState};
use depthwire_core::types::{BookState, InstrumentId, NoClock, Side, Venue, parse_decimal};
use depthwire_core::venues;

use crate::expected::{FinalBook, FinalBooks, expected};
use crate::files;

/// The books of one venue, replayed in chunks.
fn replay(
    venue: Venue,
    books: &[&FinalBook],
    bytes: &[u8],
    chunk_bytes: usize,
) -> (Engine<NoClock>, Replica, Vec<InstrumentId>) {
    let config = EngineConfig { is_replay: true, ..EngineConfig::default() };
    let (mut engine, mut replica) = (Engine::new(config, venues::catalogue(), NoClock), Replica::default());
    let mut add = |book: &&FinalBook| {
        let (_, symbol) = venues::split_name(&book.instrument).unwrap();
        engine.add_instrument(venues::instrument(venue, symbol).unwrap()).unwrap()
    };
    let ids: Vec<_> = books.iter().map(&mut add).collect();
    let source = engine.open_source(venue, &ids).unwrap();
    let mut drain = |outbox: &mut Outbox| {
        while let Some(record) = outbox.front() {
            if record[4] == RecordType::Frame as u8 {
                replica.apply(&record[RECORD_HEADER_BYTES..]).unwrap();
            }
            outbox.take();
        }
        true
    };
    let (mut at, mut more) = (0, chunk_bytes);
    while at < bytes.len() {
        let end = bytes.len().min(at + more);
        let is_last = end == bytes.len();
        let progress = engine.replay(source, &bytes[at..end], is_last, u64::MAX, &mut drain).unwrap();
        assert_eq!(progress.error, None);
        more = if progress.consumed == 0 { more * 2 } else { chunk_bytes };
        at += progress.consumed;
    }
    (engine, replica, ids)
}

fn assert_ends(venue: Venue, books: &[&FinalBook], bytes: &[u8], chunk_bytes: usize) {
    let (engine, replica, ids) = replay(venue, books, bytes, chunk_bytes);
    let stats = engine.stats();
    let name = venue.name();
    assert_eq!((stats.gaps, stats.contradictions, stats.resyncs), (0, 0, 0), "{name}");
    assert_eq!((stats.decode_errors, stats.silences, stats.crossed), (0, 0, 0), "{name}");
    let sum = |of: fn(&FinalBook) -> u64| books.iter().map(|book| of(book)).sum::<u64>();
    assert_eq!(stats.snapshots, sum(|book| book.snapshots), "{name}");
    assert_eq!(
        (stats.book_messages, stats.applied),
        (sum(|book| book.updates), sum(|book| book.applied)),
        "{name}"
    );
    assert_eq!(
        (stats.level_changes, stats.trades),
        (sum(|book| book.level_changes), sum(|book| book.trades)),
        "{name}"
    );
    for (id, expected) in ids.into_iter().zip(books) {
        let name = &expected.instrument;
        let (info, book) = (engine.book_info(id, 0).unwrap(), engine.book(id).unwrap());
        assert_eq!((info.state, info.venue_seq), (BookState::Synced, expected.venue_seq.0), "{name}");
        let levels = [Side::Bid, Side::Ask].map(|side| book.len(side));
        assert_eq!(levels, [expected.bids, expected.asks], "{name}");
        let exponent = engine.catalogue().get(id).unwrap().price_exponent;
        for (best, expected) in [(info.bbo.bid, &expected.best_bid), (info.bbo.ask, &expected.best_ask)] {
            let expected = expected.as_ref().map(|best| parse_decimal(best.as_bytes(), exponent).unwrap());
            assert_eq!(best.map(|best| best.price.0), expected, "{name}");
        }
        assert_eq!(engine.digest(id).unwrap(), expected.digest, "{name}");
        let told = replica.book(id).unwrap();
        assert_eq!((told.state(), told.checks().1), (ReplicaState::Synced, 0), "{name}");
        assert_eq!(told.digest(), expected.digest, "{name}");
    }
}

fn check(set: &FinalBooks) {
    let Some(root) = files::root("recorded_books_end_as_another_program_found") else { return };
    let mut bytes = Vec::new();
    for file in &set.files {
        bytes.extend(files::read(&root.join(file)).unwrap());
    }
    // Bare frames of products that speak alike are found to be of one of them.
    let has_address = bytes.windows(6).any(|text| text == b"wss://");
    let called = |venue: Venue, symbol: &str| match has_address {
        true => format!("{}:{symbol}", venue.name()),
        false => format!("{:?}:{symbol}", discriminant(&venues::session(venue))),
    };
    let found = detect(&bytes).unwrap();
    let found: BTreeSet<_> = found.iter().map(|(venue, symbol)| called(*venue, symbol)).collect();
    let named = set.books.iter().map(|book| venues::split_name(&book.instrument).unwrap());
    let named: BTreeSet<_> = named.map(|(venue, symbol)| called(venue, symbol)).collect();
    assert_eq!(found, named, "{}", set.name);
    for venue in venues::ALL {
        let is_its = |book: &&FinalBook| venues::split_name(&book.instrument).unwrap().0 == *venue;
        let books: Vec<_> = set.books.iter().filter(is_its).collect();
        if !books.is_empty() {
            for chunk_bytes in [1 << 12, 1 << 20] {
                assert_ends(*venue, &books, &bytes, chunk_bytes);
            }
        }
    }
}

#[test]
fn recorded_books_end_as_another_program_found() {
    expected().final_books.iter().for_each(check);
}

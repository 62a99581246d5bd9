//! What a checkpoint says that is not so, is of another form, or is damaged: told, and never a wrong book.

use depthwire_core::engine::{Engine, EngineConfig, SourceId};
use depthwire_core::journal::{Input, SegmentHeader, SetupKind, Writer};
use depthwire_core::types::{BookState, InstrumentId, NoClock, StaleReason};
use depthwire_core::venues::{self, BITSTAMP_ORDERS, SIM};

use crate::random::Random;

type Kept = Vec<(SourceId, SetupKind, Vec<u8>)>;

fn engine() -> (Engine<NoClock>, [InstrumentId; 2]) {
    let mut engine = Engine::new(EngineConfig::default(), venues::catalogue(), NoClock);
    let sim = engine.catalogue().find(SIM, "BTCUSDT").unwrap();
    let orders = venues::instrument(BITSTAMP_ORDERS, "btcusd").unwrap();
    let orders = engine.add_instrument(orders).unwrap();
    (engine, [sim, orders])
}

fn depth(first: u64, last: u64, bid: u64) -> String {
    format!(
        "{{\"e\":\"depthUpdate\",\"E\":1700000000{last},\"s\":\"BTCUSDT\",\"U\":{first},\"u\":{last},\"b\":[[\"{bid}.5\",\"2\"]],\"a\":[[\"90.25\",\"3\"]]}}"
    )
}

const SNAPSHOT: &str =
    "{\"lastUpdateId\":100,\"bids\":[[\"50.00\",\"1\"],[\"49.00\",\"4\"]],\"asks\":[[\"91.00\",\"1\"]]}";

/// What is kept of a book of levels that was synced, and its digest.
fn kept() -> (Kept, String) {
    let (mut engine, [sim, _]) = engine();
    let source = engine.open_source(SIM, &[sim]).unwrap();
    engine.opened(source, 1).unwrap();
    engine.ingest(source, depth(100, 101, 60).as_bytes(), 2).unwrap();
    let mut ticket = 0;
    while let Some(record) = engine.outbox().front() {
        if record[4] == depthwire_core::encode::RecordType::Ask as u8 {
            let payload = &record[depthwire_core::encode::RECORD_HEADER_BYTES..];
            ticket = u32::from_le_bytes(*payload.first_chunk().unwrap());
        }
        engine.outbox().take();
    }
    engine.answer(sim, ticket, SNAPSHOT.as_bytes(), 3).unwrap();
    assert_eq!(engine.book_info(sim, 3).unwrap().state, BookState::Synced);
    let mut kept = Vec::new();
    engine.checkpoint(|source, kind, text| kept.push((source, kind, text.to_vec())));
    assert_eq!(
        kept.iter().map(|(_, kind, _)| *kind).collect::<Vec<_>>(),
        [SetupKind::Session, SetupKind::Book]
    );
    (kept, engine.digest(sim).unwrap())
}

/// An engine that has read a segment of these, and then a message behind them; the codes of what was wrong.
fn read(kept: &Kept, frames: &[String]) -> (Engine<NoClock>, InstrumentId, Vec<&'static str>) {
    let mut segment = Vec::new();
    let header = SegmentHeader { journal: 1, number: 4, first_seq: 9, created: 1 };
    let mut writer = Writer::begin(header, &mut segment);
    let mut ends = Vec::new();
    let mut append = |input: &Input<'_>| {
        writer.append(0, 5, input, &mut segment).unwrap();
        writer.flush(&mut segment);
        ends.push(segment.len());
    };
    for (kind, text) in [(SetupKind::Venue, "sim"), (SetupKind::Carries, "sim:BTCUSDT")] {
        append(&Input::Setup { kind, text: text.as_bytes() });
    }
    for (_, kind, text) in kept {
        append(&Input::Setup { kind: *kind, text });
    }
    for frame in frames {
        append(&Input::Received(frame.as_bytes()));
    }
    let (mut engine, [sim, _]) = engine();
    let source = engine.open_recorded(&[sim]).unwrap();
    let (mut from, mut codes) = (0, Vec::new());
    for end in ends {
        let progress = engine.replay(source, &segment[from..end], false, u64::MAX, |outbox| {
            while outbox.front().is_some() {
                outbox.take();
            }
            true
        });
        let progress = progress.unwrap();
        codes.extend(progress.error.map(|error| error.code()));
        from += progress.consumed;
    }
    (engine, sim, codes)
}

#[test]
fn a_book_is_taken_and_goes_on() {
    let (kept, digest) = kept();
    let (engine, id, codes) = read(&kept, &[]);
    assert_eq!((engine.digest(id).unwrap(), codes), (digest, vec![]));
    let (engine, id, codes) = read(&kept, &[depth(102, 102, 61), depth(104, 104, 62)]);
    let info = engine.book_info(id, 5).unwrap();
    assert_eq!((info.state, info.venue_seq, codes), (BookState::Stale(StaleReason::Gap), 102, vec![]));
}

#[test]
fn without_what_its_connection_remembers_no_book_is_taken() {
    let (mut kept, _) = kept();
    let session = kept.remove(0);
    assert_eq!(read(&kept, &[]).0.book_info(read(&kept, &[]).1, 5).unwrap().state, BookState::Syncing);
    // In the other order neither.
    kept.push(session);
    let (engine, id, codes) = read(&kept, &[]);
    assert_eq!((engine.book_info(id, 5).unwrap().state, codes), (BookState::Syncing, vec![]));
}

#[test]
fn another_form_is_passed_over() {
    for at in [0, 1] {
        let (mut kept, _) = kept();
        let place = kept[at].2.windows(9).position(|bytes| bytes == b"\"form\":1,").unwrap();
        kept[at].2[place + 7] = b'9';
        let (engine, id, codes) = read(&kept, &[]);
        assert_eq!((engine.book_info(id, 5).unwrap().state, codes), (BookState::Syncing, vec![]));
    }
}

/// At the same place there is one book: another one is a contradiction, and told.
#[test]
fn a_book_that_contradicts_is_told_and_stale() {
    let (kept, digest) = kept();
    let mut again = kept.clone();
    again.push(kept[1].clone());
    let (engine, id, codes) = read(&again, &[]);
    assert_eq!((engine.digest(id).unwrap(), codes), (digest, vec![]));
    // The last byte is the quantity of the worst ask.
    let mut other = kept[1].clone();
    *other.2.last_mut().unwrap() ^= 1;
    again.push(other);
    let (engine, id, codes) = read(&again, &[]);
    let state = engine.book_info(id, 5).unwrap().state;
    assert_eq!((state, codes), (BookState::Stale(StaleReason::Contradiction), vec!["engine.checkpoint"]));
    assert_eq!(engine.stats().recording_errors, 1);
}

/// Whatever the bytes: an error, or a book that fits what they say; never an end of the process.
#[test]
fn damaged_bytes_are_an_error() {
    let (kept, _) = kept();
    let mut random = Random(3);
    let (mut refused, mut taken) = (0, 0);
    let rounds = 20_000;
    for _ in 0..rounds {
        let mut damaged = kept.clone();
        let text = &mut damaged[random.below(2) as usize].2;
        for _ in 0..=random.below(3) {
            let at = random.below(text.len() as u64) as usize;
            match random.below(4) {
                0 => text.truncate(at),
                1 => text.insert(at, random.below(256) as u8),
                2 => text[at] = b"0123456789-,:[]{}\"nulltruefalse"[random.below(31) as usize],
                _ => text[at] = random.below(256) as u8,
            }
            if text.is_empty() {
                break;
            }
        }
        let (mut engine, id, codes) = read(&damaged, &[depth(102, 102, 61), depth(103, 103, 62)]);
        engine.tick(1 << 40);
        refused += usize::from(!codes.is_empty());
        taken += usize::from(engine.book_info(id, 5).unwrap().state == BookState::Synced);
    }
    assert!(refused > rounds / 4 && taken > 0, "{refused} {taken}");
}

//! Bitfinex beyond what every room owes: what is said before a book is asked for anew.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed unwrap is a failed test")]

use depthwire_core::encode::{RECORD_HEADER_BYTES, RecordType};
use depthwire_core::engine::{Engine, EngineConfig};
use depthwire_core::types::{BookState, NoClock, StaleReason};
use depthwire_core::venues::{self, BITFINEX, Resync};

/// Records of an engine but for frames: the texts that are said, and the kinds of what is asked for.
fn said_and_asked(engine: &mut Engine<NoClock>) -> Vec<String> {
    let mut told = Vec::new();
    while let Some(record) = engine.outbox().front() {
        let size = u32::from_le_bytes(*record.first_chunk().unwrap()) as usize;
        let payload = &record[RECORD_HEADER_BYTES..RECORD_HEADER_BYTES + size];
        if record[4] == RecordType::Say as u8 {
            told.push(String::from_utf8(payload.to_vec()).unwrap());
        } else if record[4] == RecordType::Ask as u8 {
            told.push(format!("ask {}", payload[5]));
        }
        engine.outbox().take();
    }
    told
}

#[test]
fn a_subscription_ends_by_its_number_before_it_is_made_anew() {
    let mut engine = Engine::new(EngineConfig::default(), venues::catalogue(), NoClock);
    let id = engine.add_instrument(venues::instrument(BITFINEX, "tBTCUSD").unwrap()).unwrap();
    let source = engine.open_source(BITFINEX, &[id]).unwrap();
    let resubscribe = format!("ask {}", Resync::Resubscribe as u8);
    let unsubscribe = |channel: u32| format!("{{\"event\":\"unsubscribe\",\"chanId\":{channel}}}");
    let subscribed = |channel: u32| {
        format!(
            "{{\"event\":\"subscribed\",\"channel\":\"book\",\"chanId\":{channel},\"symbol\":\"tBTCUSD\",\"prec\":\"P0\",\"len\":\"25\"}}"
        )
    };
    let mut number = 0;
    for (round, channel) in [17, 18].into_iter().enumerate() {
        let now = |step: u64| (round as u64 * 10 + step) * 60_000_000_000;
        let state = |engine: &Engine<NoClock>| engine.book_info(id, 0).unwrap().state;
        let hear = |engine: &mut Engine<NoClock>, text: &str, step: u64| {
            engine.ingest(source, text.as_bytes(), now(step)).unwrap();
        };
        hear(&mut engine, "{\"event\":\"conf\",\"status\":\"OK\",\"flags\":65536}", 1);
        hear(&mut engine, &subscribed(channel), 1);
        hear(&mut engine, &format!("[{channel},[[100,1,1],[101,1,-1]],{}]", number + 1), 1);
        assert_eq!(state(&engine), BookState::Synced);
        assert_eq!(said_and_asked(&mut engine), [""; 0]);
        hear(&mut engine, &format!("[{channel},[100,1,2],{}]", number + 3), 2);
        number += 3;
        assert_eq!(state(&engine), BookState::Stale(StaleReason::Gap));
        assert_eq!(said_and_asked(&mut engine), [unsubscribe(channel), resubscribe.clone()]);
        // Asked for again after a pause, as long as the old one has not ended.
        engine.tick(now(4));
        assert_eq!(said_and_asked(&mut engine), [unsubscribe(channel), resubscribe.clone()]);
        hear(
            &mut engine,
            &format!("{{\"event\":\"unsubscribed\",\"status\":\"OK\",\"chanId\":{channel}}}"),
            5,
        );
        assert_eq!(said_and_asked(&mut engine), [&*resubscribe]);
    }
}

#[test]
fn subscriptions_of_an_instrument_that_is_dropped_end_by_their_numbers() {
    let mut engine = Engine::new(EngineConfig::default(), venues::catalogue(), NoClock);
    let ids = ["tBTCUSD", "tETHUSD"]
        .map(|code| engine.add_instrument(venues::instrument(BITFINEX, code).unwrap()).unwrap());
    let source = engine.open_source(BITFINEX, &ids).unwrap();
    for (channel, name, code) in [(1, "book", "tBTCUSD"), (2, "trades", "tBTCUSD"), (3, "book", "tETHUSD")] {
        let subscribed = format!(
            "{{\"event\":\"subscribed\",\"channel\":\"{name}\",\"chanId\":{channel},\"symbol\":\"{code}\",\"prec\":\"P0\",\"len\":\"25\"}}"
        );
        engine.ingest(source, subscribed.as_bytes(), 1).unwrap();
    }
    for channel in [1, 3] {
        let book = format!("[{channel},[[100,1,1],[101,1,-1]]]");
        engine.ingest(source, book.as_bytes(), 2).unwrap();
    }
    assert_eq!(said_and_asked(&mut engine), [""; 0]);
    engine.drop(source, ids[0], 3).unwrap();
    let left = [1, 2].map(|channel| format!("{{\"event\":\"unsubscribe\",\"chanId\":{channel}}}"));
    assert_eq!(said_and_asked(&mut engine), left);
    // What comes before the venue has heard of it is nobody's.
    assert!(engine.ingest(source, b"[1,[[100,1,1],[101,1,-1]]]", 4).is_err());
    engine.ingest(source, b"{\"event\":\"unsubscribed\",\"status\":\"OK\",\"chanId\":1}", 4).unwrap();
    let state = |id| engine.book_info(id, 5).unwrap().state;
    assert_eq!(ids.map(state), [BookState::Syncing, BookState::Synced]);
}

//! Bitfinex beyond what every room owes: what is said before a book is asked for anew, and the recorded book of orders.

use depthwire_core::book::QtyAt;
use depthwire_core::checksum::crc32;
use depthwire_core::encode::{RECORD_HEADER_BYTES, RecordType};
use depthwire_core::engine::{Engine, EngineConfig};
use depthwire_core::types::{BookState, NoClock, Price, Side, StaleReason, parse_decimal};
use depthwire_core::venues::{self, BITFINEX, Resync};

use crate::order_rig::Rig;
use crate::{expected, files};

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
    // What comes before the venue has heard of it is passed over.
    assert_eq!(engine.ingest(source, b"[1,[[100,1,1],[101,1,-1]]]", 4), Ok(()));
    assert_eq!((engine.stats().foreign, engine.stats().decode_errors), (0, 0));
    engine.ingest(source, b"{\"event\":\"unsubscribed\",\"status\":\"OK\",\"chanId\":1}", 4).unwrap();
    let state = |id| engine.book_info(id, 5).unwrap().state;
    assert_eq!(ids.map(state), [BookState::Syncing, BookState::Synced]);
}

/// An engine that was told a book of so many bids from 100 downwards, of one order each, in a book of `len` orders a side.
fn raw_book(len: usize, bids: usize) -> Rig {
    let mut rig = Rig::new(BITFINEX, &["tBTCUSD"]);
    let rows: Vec<_> = (0..bids).map(|nth| format!("[{},{},1]", 10 + nth, 100 - nth)).collect();
    for frame in [
        format!(
            "{{\"event\":\"subscribed\",\"channel\":\"book\",\"chanId\":1,\"symbol\":\"tBTCUSD\",\"prec\":\"R0\",\"len\":\"{len}\"}}"
        ),
        format!("[1,[{},[90,200,-1]]]", rows.join(",")),
    ] {
        rig.engine.ingest(rig.source, frame.as_bytes(), 1).unwrap();
    }
    assert_eq!(rig.state(0), BookState::Synced);
    rig
}

/// What stands at a price of the bids, as told by readers' eyes: none where nobody knows.
fn bid_at(rig: &Rig, price: i64) -> Option<i64> {
    let exponent = rig.engine.catalogue().get(rig.ids[0]).unwrap().price_exponent;
    let price = Price(parse_decimal(price.to_string().as_bytes(), exponent).unwrap());
    match rig.engine.book(rig.ids[0]).unwrap().qty_at(Side::Bid, price) {
        QtyAt::Known(qty) => Some(qty.0.signum()),
        QtyAt::Unknown => None,
    }
}

#[test]
fn a_side_that_has_had_its_length_is_known_to_the_price_before_its_worst() {
    let mut rig = raw_book(25, 24);
    let mut hear = |row: &str| {
        rig.engine.ingest(rig.source, format!("[1,{row}]").as_bytes(), 2).unwrap();
        let told = [100, 78, 77, 76, 50].map(|price| bid_at(&rig, price));
        assert!(rig.engine.book_info(rig.ids[0], 0).unwrap().known_to.covers(Side::Ask, Price(i64::MAX)));
        told
    };
    assert_eq!(hear("[33,77,2]"), [Some(1), Some(1), Some(1), Some(0), Some(0)], "whole");
    assert_eq!(hear("[34,76,1]"), [Some(1), Some(1), Some(1), Some(1), None], "its length");
    assert_eq!(
        hear("[34,0,1]"),
        [Some(1), Some(1), Some(1), None, None],
        "what comes in its place is not told yet"
    );
    assert_eq!(hear("[33,0,1]"), [Some(1), Some(1), None, None, None]);
}

#[test]
fn a_side_that_is_longer_than_its_length_contradicts_the_book() {
    let mut rig = raw_book(25, 25);
    rig.engine.ingest(rig.source, b"[1,[99,101,1]]", 2).unwrap();
    assert_eq!(rig.state(0), BookState::Stale(StaleReason::Contradiction));
    assert_eq!(rig.stats().contradictions, 1);
}

/// What is said of books of both forms at once, and the texts that their checksums are of: the venue's document, "WebSocket
/// Checksum", on three levels and four orders.
const CHECKED: [(&str, &str); 2] = [
    ("[1,[[6000,2,1.5],[5999.5,1,4e-7],[6000.5,1,-0.25]]]", "6000:1.5:6000.5:-0.25:5999.5:4e-7"),
    ("[2,[[9,6000,1],[7,6000,0.5],[8,5999.5,4e-7],[6,6000.5,-0.25]]]", "7:0.5:6:-0.25:9:1:8:4e-7"),
];

/// An engine that has heard both.
fn checked_books() -> Rig {
    // The second of a connection: its orders have other numbers among those of all books.
    let mut rig = Rig::new(BITFINEX, &["tETHUSD", "tBTCUSD"]);
    let subscribed = |channel: u32, prec: &str| {
        format!(
            "{{\"event\":\"subscribed\",\"channel\":\"book\",\"chanId\":{channel},\"symbol\":\"tBTCUSD\",\"prec\":\"{prec}\",\"len\":\"25\"}}"
        )
    };
    let frames = [subscribed(1, "P0"), subscribed(2, "R0"), CHECKED[0].0.to_owned(), CHECKED[1].0.to_owned()];
    for frame in frames {
        rig.engine.ingest(rig.source, frame.as_bytes(), 1).unwrap();
    }
    assert_eq!(rig.state(1), BookState::Synced);
    rig
}

fn check(rig: &mut Rig, channel: u32, text: &str) {
    let check = crc32(text.as_bytes()).cast_signed();
    rig.engine.ingest(rig.source, format!("[{channel},\"cs\",{check}]").as_bytes(), 2).unwrap();
}

#[test]
fn checksums_of_levels_and_of_orders_are_compared_as_they_come() {
    let mut rig = checked_books();
    let counts = |rig: &Rig| (rig.stats().checksums_checked, rig.stats().checksums_matched);
    check(&mut rig, 1, CHECKED[0].1);
    check(&mut rig, 2, CHECKED[1].1);
    assert_eq!(counts(&rig), (2, 2));
    for frame in ["[1,[5999.5,0,1]]", "[2,[8,0,1]]", "[2,[7,6000,0.75]]"] {
        rig.engine.ingest(rig.source, frame.as_bytes(), 2).unwrap();
    }
    check(&mut rig, 1, "6000:1.5:6000.5:-0.25");
    check(&mut rig, 2, "7:0.75:6:-0.25:9:1");
    assert_eq!((counts(&rig), rig.state(1)), ((4, 4), BookState::Synced));
}

#[test]
fn a_checksum_that_differs_makes_its_book_stale_and_asks_for_it_anew() {
    let mut rig = checked_books();
    check(&mut rig, 1, "another book");
    assert_eq!(rig.state(1), BookState::Stale(StaleReason::Contradiction));
    rig.engine.tick(10_000_000_000);
    let told = said_and_asked(&mut rig.engine);
    let unsubscribe = |channel: u32| format!("{{\"event\":\"unsubscribe\",\"chanId\":{channel}}}");
    assert_eq!(told, [unsubscribe(1), unsubscribe(2), format!("ask {}", Resync::Resubscribe as u8)]);
    // Of a book that is stale nothing is compared.
    check(&mut rig, 1, CHECKED[0].1);
    assert_eq!((rig.stats().checksums_checked, rig.stats().contradictions), (1, 1));
    check(&mut rig, 2, "another book");
    assert_eq!((rig.stats().checksums_checked, rig.stats().contradictions), (2, 2));
    check(&mut rig, 2, CHECKED[1].1);
    assert_eq!(rig.stats().checksums_checked, 2);
}

#[test]
fn the_recorded_book_of_orders_ends_as_another_program_found() {
    let test = "the_recorded_book_of_orders_ends_as_another_program_found";
    let set = expected::order_window("bitfinex-r0");
    let Some(root) = files::root(test) else { return };
    let Some(bytes) = files::read(&root.join(&set.files[0])) else { return };
    let (venue, symbol) = venues::split_name(&set.instrument).unwrap();
    for chunk_bytes in [1 << 13, 1 << 20] {
        let mut rig = Rig::new(venue, &[symbol]);
        rig.feed_file(&bytes, chunk_bytes);
        let stats = rig.stats();
        assert_eq!(stats.frames, set.frames);
        let orders = stats.orders;
        assert_eq!((orders.adds, orders.modifies, orders.deletes), (set.adds, set.modifies, set.deletes));
        assert_eq!((orders.crossed, orders.resting_max), (set.crossed, set.resting_max));
        assert_eq!((orders.passed_over, orders.contradictions, stats.contradictions), (0, 0, 0));
        assert_eq!((stats.decode_errors, stats.resyncs), (0, 0));
        assert_eq!((rig.state(0), &rig.agreed_digest(0)), (BookState::Synced, &set.digest));
        let (info, book) =
            (rig.engine.book_info(rig.ids[0], 0).unwrap(), rig.engine.book(rig.ids[0]).unwrap());
        let exponent = rig.engine.catalogue().get(rig.ids[0]).unwrap().price_exponent;
        for (side, levels, best) in
            [(Side::Bid, set.bids, &set.best_bid), (Side::Ask, set.asks, &set.best_ask)]
        {
            let best = Price(parse_decimal(best.as_bytes(), exponent).unwrap());
            assert_eq!((book.len(side), book.levels(side).next().unwrap().price), (levels, best));
            // More may stand at its worst price.
            let worst = book.levels(side).last().unwrap().price;
            assert!(info.known_to.covers(side, best) && !info.known_to.covers(side, worst));
        }
    }
}

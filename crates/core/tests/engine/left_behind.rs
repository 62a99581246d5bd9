//! Books that are told whole now and then, ahead of what is said of their changes: once is a book that waits for its updates, twice is
//! one that the venue has left.

use depthwire_core::engine::{Engine, EngineConfig};
use depthwire_core::types::{BookState, NoClock, Side, Venue};
use depthwire_core::venues::{self, BINANCE_SPOT, BINANCE_USDM, BITSTAMP, KUCOIN};

use crate::captured::drain;

/// After each line the state, the venue's number and the best bid; gaps in the end.
fn told(venue: Venue, symbol: &str, lines: &[String]) -> (Vec<(BookState, u64, Option<i64>)>, u64) {
    let mut engine = Engine::new(EngineConfig::default(), venues::catalogue(), NoClock);
    let id = engine.add_instrument(venues::instrument(venue, symbol).unwrap()).unwrap();
    let source = engine.open_source(venue, &[id]).unwrap();
    let mut after = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let text = format!("{}\n", line);
        let progress = engine.replay(source, text.as_bytes(), false, u64::MAX, drain).unwrap();
        assert_eq!((progress.error, progress.consumed), (None, text.len()), "{at}: {line}");
        let info = engine.book_info(id, 0).unwrap();
        let bid = engine.book(id).unwrap().levels(Side::Bid).next().map(|level| level.price.0);
        after.push((info.state, info.venue_seq, bid));
    }
    (after, engine.stats().gaps)
}

const SYNCED: BookState = BookState::Synced;

fn book(number: u64, bid: u32) -> String {
    format!(
        "https://api.binance.com/api/v3/depth?symbol=AUSDT -> {number}.5: {{\"lastUpdateId\":{number},\"bids\":[[\"{bid}\",\"1\"]],\"asks\":[[\"90\",\"1\"]]}}"
    )
}

fn update(number: u64, bid: u32) -> String {
    format!(
        "{number}.5: {{\"e\":\"depthUpdate\",\"E\":1,\"s\":\"AUSDT\",\"U\":{number},\"u\":{number},\"b\":[[\"{bid}\",\"1\"]],\"a\":[]}}"
    )
}

#[test]
fn a_book_without_updates_is_the_last_that_was_told() {
    let (after, gaps) =
        told(BINANCE_SPOT, "AUSDT", &[book(100, 5), book(200, 6), book(300, 7), book(400, 8), book(500, 9)]);
    let expected = [(100, 5), (100, 5), (300, 7), (300, 7), (500, 9)];
    assert_eq!(after, expected.map(|(number, bid)| (SYNCED, number, Some(bid))));
    assert_eq!(gaps, 2);
    // The best levels of a stream that names neither itself nor its symbol.
    let best = |number: u64, bid: u32| {
        format!("{{\"lastUpdateId\":{number},\"bids\":[[\"{bid}\",\"1\"]],\"asks\":[[\"90\",\"1\"]]}}")
    };
    let file = [best(100, 5), best(101, 6), best(102, 7), best(103, 7)].join("\n");
    let mut engine = Engine::new(EngineConfig::default(), venues::catalogue(), NoClock);
    let id = engine.add_instrument(venues::instrument(BINANCE_SPOT, "AUSDT").unwrap()).unwrap();
    let source = engine.open_source(BINANCE_SPOT, &[id]).unwrap();
    engine.replay(source, file.as_bytes(), true, u64::MAX, drain).unwrap();
    let info = engine.book_info(id, 0).unwrap();
    assert_eq!((info.state, info.venue_seq), (SYNCED, 102));
    let kucoin = |number: u64, bid: u32| {
        format!(
            "https://api.kucoin.com/api/v1/market/orderbook/level2_100?symbol=A-B -> {number}.5: {{\"code\":\"200000\",\"data\":{{\"sequence\":\"{number}\",\"bids\":[[\"{bid}\",\"1\"]],\"asks\":[]}}}}"
        )
    };
    let (after, _) = told(KUCOIN, "A-B", &[kucoin(10, 5), kucoin(20, 6), kucoin(30, 7)]);
    assert_eq!(after.last(), Some(&(SYNCED, 30, Some(7))));
    let bitstamp = |at: u64, bid: u32| {
        format!(
            "https://www.bitstamp.net/api/v2/order_book/ab/?group=1 -> {at}.5: {{\"microtimestamp\":\"{at}\",\"bids\":[[\"{bid}\",\"1\"]],\"asks\":[]}}"
        )
    };
    let (after, _) = told(BITSTAMP, "ab", &[bitstamp(10, 5), bitstamp(20, 6), bitstamp(30, 7)]);
    assert_eq!(after.last(), Some(&(SYNCED, 30, Some(7))));
}

#[test]
fn a_book_that_is_told_ahead_of_its_updates_loses_nothing() {
    let mut lines = vec![book(100, 5)];
    for number in 101..110 {
        // Told again each time, some of it ahead of what comes.
        lines.extend([book(number + 2, 7), update(number, 6)]);
    }
    let (after, gaps) = told(BINANCE_SPOT, "AUSDT", &lines);
    assert_eq!((after.last(), gaps), (Some(&(SYNCED, 109, Some(6))), 0));
    assert!(after.iter().all(|(state, ..)| *state == SYNCED));
    // The same answer twice shows nothing.
    let (after, gaps) =
        told(BINANCE_SPOT, "AUSDT", &[book(100, 5), book(102, 7), book(102, 7), update(101, 6)]);
    assert_eq!((after.last(), gaps), (Some(&(SYNCED, 101, Some(6))), 0));
}

#[test]
fn what_led_to_a_book_that_was_taken_is_old() {
    let linked = |prev: u64, last: u64, bid: u32| {
        format!(
            "{last}.5: {{\"e\":\"depthUpdate\",\"E\":{last},\"T\":{last},\"s\":\"AUSDT\",\"U\":{last},\"u\":{last},\"pu\":{prev},\"b\":[[\"{bid}\",\"1\"]],\"a\":[]}}"
        )
    };
    let futures = |number: u64, bid: u32| {
        format!(
            "https://fapi.binance.com/fapi/v1/depth?symbol=AUSDT -> {number}.5: {{\"lastUpdateId\":{number},\"E\":{number},\"T\":{number},\"bids\":[[\"{bid}\",\"1\"]],\"asks\":[]}}"
        )
    };
    let lines = [
        futures(100, 5),
        futures(102, 7),
        futures(104, 8),
        linked(100, 102, 6),
        linked(102, 104, 6),
        linked(104, 106, 9),
    ];
    let (after, gaps) = told(BINANCE_USDM, "AUSDT", &lines);
    assert_eq!((after.last(), gaps), (Some(&(SYNCED, 106, Some(9))), 1));
}

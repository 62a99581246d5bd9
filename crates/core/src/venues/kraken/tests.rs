use super::*;
use crate::types::{Route, Routes, Slot};

#[test]
fn another_connection_loses_what_the_one_before_told() {
    let mut routes = Routes::new();
    routes
        .carry([&b"BTC/USD"[..]].into_iter(), Route { slot: Slot(0), price_exponent: -1, qty_exponent: -8 });
    let status = |number: u64| {
        format!(
            "{{\"channel\":\"status\",\"type\":\"update\",\"data\":[{{\"connection_id\":{number},\"system\":\"online\"}}]}}"
        )
    };
    let book = "{\"channel\":\"book\",\"type\":\"snapshot\",\"data\":[{\"symbol\":\"BTC/USD\",\"bids\":[{\"price\":1.0,\"qty\":1.0}],\"asks\":[],\"checksum\":1,\"timestamp\":\"2026-08-01T00:00:00.000000Z\"}]}";
    let (mut room, mut events) = (Kraken::default(), Events::default());
    let lost = |events: &Events| {
        events.list().iter().filter(|event| matches!(event.body, Body::Lost { .. })).count()
    };
    for (frame, count) in [
        (status(7), 0),
        (book.to_owned(), 0),
        (status(7), 0),
        (status(8), 1),
        (status(9), 0),
        ("{\"connectionID\":10,\"event\":\"systemStatus\"}".to_owned(), 0),
    ] {
        events.clear();
        room.frame(frame.as_bytes(), At::default(), &routes, &mut events).unwrap();
        assert_eq!(lost(&events), count, "{frame}");
    }
}

#[test]
fn of_several_depths_of_a_pair_the_deepest_counts() {
    let mut routes = Routes::new();
    routes
        .carry([&b"XBT/USD"[..]].into_iter(), Route { slot: Slot(0), price_exponent: -1, qty_exponent: -8 });
    let level = "[\"5.0\",\"1.00000000\",\"1.0\"]";
    let whole = |depth: u32| format!("[1,{{\"as\":[{level}],\"bs\":[]}},\"book-{depth}\",\"XBT/USD\"]");
    let change = |depth: u32| format!("[1,{{\"a\":[{level}],\"c\":\"1\"}},\"book-{depth}\",\"XBT/USD\"]");
    let unsubscribed = |depth: u32| {
        format!(
            "{{\"event\":\"subscriptionStatus\",\"status\":\"unsubscribed\",\"pair\":\"XBT/USD\",\"channelName\":\"book-{depth}\"}}"
        )
    };
    let (mut room, mut events) = (Kraken::default(), Events::default());
    for (frame, counts) in [
        (whole(25), true),
        (change(25), true),
        (whole(10), false),
        (change(10), false),
        (unsubscribed(10), false),
        (change(25), true),
        (whole(100), true),
        (change(100), true),
        (whole(25), false),
        (change(25), false),
        (change(90), true),
        (unsubscribed(100), true),
        (whole(25), true),
    ] {
        events.clear();
        room.frame(frame.as_bytes(), At::default(), &routes, &mut events).unwrap();
        assert_eq!(!events.list().is_empty(), counts, "{frame}");
    }
}

#[test]
fn a_depth_that_is_told_late_and_differs_loses_the_book() {
    let mut routes = Routes::new();
    routes
        .carry([&b"BTC/USD"[..]].into_iter(), Route { slot: Slot(0), price_exponent: -1, qty_exponent: -8 });
    let side = |from: u32| {
        let level = |step: u32| format!("{{\"price\":{}.0,\"qty\":1.00000000}}", from + step);
        (0..25).map(level).collect::<Vec<_>>().join(",")
    };
    let book = format!(
        "{{\"channel\":\"book\",\"type\":\"snapshot\",\"data\":[{{\"symbol\":\"BTC/USD\",\"bids\":[{}],\"asks\":[{}],\"checksum\":1,\"timestamp\":\"2026-08-01T00:00:00.000000Z\"}}]}}",
        side(100),
        side(200)
    );
    for (depth, is_lost) in [(25, false), (100, true)] {
        let told = format!(
            "{{\"method\":\"subscribe\",\"result\":{{\"channel\":\"book\",\"symbol\":\"BTC/USD\",\"depth\":{depth}}},\"success\":true}}"
        );
        let (mut room, mut events) = (Kraken::default(), Events::default());
        for frame in [&book, &told] {
            events.clear();
            room.frame(frame.as_bytes(), At::default(), &routes, &mut events).unwrap();
        }
        let lost = events.list().iter().any(|event| matches!(event.body, Body::Lost { .. }));
        assert_eq!(lost, is_lost, "{depth}");
    }
}

#[test]
fn a_message_of_before_the_last_one_loses_its_book() {
    let mut routes = Routes::new();
    routes
        .carry([&b"BTC/USD"[..]].into_iter(), Route { slot: Slot(0), price_exponent: -1, qty_exponent: -8 });
    for channel in ["book", "level3"] {
        // The long way, too: a space more.
        for space in ["", " "] {
            let frame = |second: u32| {
                format!(
                    "{{\"channel\":\"{channel}\",\"type\":\"update\",\"data\":[{space}{{\"symbol\":\"BTC/USD\",\"bids\":[],\"asks\":[],\"checksum\":1,\"timestamp\":\"2026-08-01T00:00:0{second}.000000Z\"}}]}}"
                )
            };
            let (mut room, mut events) = (Kraken::default(), Events::default());
            for (second, is_lost) in [(1, false), (1, false), (3, false), (2, true), (3, false)] {
                events.clear();
                room.frame(frame(second).as_bytes(), At::default(), &routes, &mut events).unwrap();
                let first = events.list().first().unwrap().body;
                assert_eq!(matches!(first, Body::Lost { .. }), is_lost, "{channel} {second}");
            }
        }
    }
}

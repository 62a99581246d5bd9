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

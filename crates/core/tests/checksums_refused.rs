//! Checksums that are none: `null`, absent, 0 where the venue's document says that 0 stands for none, or of another type. None of them
//! counts as compared, and none lets through a message that nothing else proves.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use depthwire_core::types::{Body, Events, Route, Routes, Slot, Venue};
use depthwire_core::venues::{self, At, BITFINEX, BITGET, KRAKEN, OKX};

/// What a message says: whether it changes the book, and whether it has a checksum to compare; or why it is refused.
fn read(venue: Venue, code: &str, before: &[&str], message: &str) -> Result<(bool, bool), &'static str> {
    let mut routes = Routes::new();
    let route = Route { slot: Slot(0), price_exponent: -1, qty_exponent: -1 };
    assert!(routes.carry([code.as_bytes()].into_iter(), route));
    let mut session = venues::session(venue);
    for said in before {
        session.frame(said.as_bytes(), At::default(), &routes, &mut Events::default()).unwrap();
    }
    let mut out = Events::default();
    let read = session.frame(message.as_bytes(), At::default(), &routes, &mut out);
    read.map_err(|error| error.code())?;
    let has = |is: fn(&Body) -> bool| out.list().iter().any(|event| is(&event.body));
    let changes = has(|body| matches!(body, Body::Levels(..) | Body::Book(..) | Body::Orders(..)));
    let checks = has(|body| matches!(body, Body::Check(_) | Body::CheckLevels(_) | Body::CheckOrders(_)));
    Ok((changes, checks))
}

const BOOK: Result<(bool, bool), &str> = Ok((true, false));
const CHECKED: Result<(bool, bool), &str> = Ok((true, true));
const MISSING: Result<(bool, bool), &str> = Err("decode.missing_field");
const TYPE: Result<(bool, bool), &str> = Err("decode.wrong_type");
const NUMBER: Result<(bool, bool), &str> = Err("decode.bad_number");

#[test]
fn what_is_no_checksum_is_not_compared() {
    // Each way to print it: what a message makes of it that something else proves, and one that nothing does.
    for (printed, numbered, alone) in [
        (",\"checksum\":7", CHECKED, CHECKED),
        (",\"checksum\":-7", CHECKED, CHECKED),
        (",\"checksum\":0", BOOK, MISSING),
        ("", BOOK, MISSING),
        (",\"checksum\":null", TYPE, TYPE),
        (",\"checksum\":\"7\"", TYPE, TYPE),
        (",\"checksum\":\"\"", TYPE, TYPE),
        (",\"checksum\":true", TYPE, TYPE),
        (",\"checksum\":[7]", TYPE, TYPE),
        (",\"checksum\":7.5", NUMBER, NUMBER),
        (",\"checksum\":7e1", NUMBER, NUMBER),
        (",\"checksum\":4294967296", Err("decode.overflow"), Err("decode.overflow")),
    ] {
        let okx = |number: &str| {
            format!(
                r#"{{"arg":{{"channel":"books","instId":"A"}},"action":"update","data":[{{"asks":[],"bids":[["1","1","0","1"]],"ts":"5"{printed}{number}}}]}}"#
            )
        };
        assert_eq!(read(OKX, "A", &[], &okx(",\"seqId\":8,\"prevSeqId\":7")), numbered, "okx {printed}");
        assert_eq!(read(OKX, "A", &[], &okx("")), alone, "okx {printed}");
        let bitget = |number: &str| {
            format!(
                r#"{{"action":"update","arg":{{"instType":"SPOT","channel":"books","instId":"A"}},"data":[{{"asks":[],"bids":[["1","1"]]{printed}{number},"ts":"5"}}]}}"#
            )
        };
        assert_eq!(read(BITGET, "A", &[], &bitget(",\"seq\":8,\"pseq\":7")), numbered, "bitget {printed}");
        assert_eq!(read(BITGET, "A", &[], &bitget("")), alone, "bitget {printed}");
    }
    for (printed, expected) in [
        (",\"checksum\":7", CHECKED),
        (",\"checksum\":0", CHECKED),
        ("", MISSING),
        (",\"checksum\":null", TYPE),
        (",\"checksum\":\"7\"", TYPE),
        (",\"checksum\":-7", NUMBER),
        (",\"checksum\":4294967296", Err("decode.overflow")),
    ] {
        for channel in ["book", "level3"] {
            let bids = match channel {
                "book" => r#"{"price":1.5,"qty":1}"#,
                _ => r#"{"event":"add","order_id":"O","limit_price":1.5,"order_qty":1}"#,
            };
            let message = format!(
                r#"{{"channel":"{channel}","type":"update","data":[{{"symbol":"A","bids":[{bids}],"asks":[]{printed},"timestamp":"2026-01-01T00:00:00.5Z"}}]}}"#
            );
            assert_eq!(read(KRAKEN, "A", &[], &message), expected, "{channel} {printed}");
        }
    }
    // Of version 1 it is a number in quotes, in one of the objects.
    for (printed, expected) in [
        (",\"c\":\"7\"", CHECKED),
        (",\"c\":null", TYPE),
        (",\"c\":[]", TYPE),
        (",\"c\":\"\"", NUMBER),
        (",\"c\":\"x\"", NUMBER),
        (",\"c\":\"7\"},{\"a\":[[\"2\",\"1\",\"1.5\"]],\"c\":\"8\"", Err("decode.duplicate_field")),
    ] {
        let message = format!(r#"[1,{{"b":[["1","1","1.5"]]{printed}}},"book-10","A"]"#);
        assert_eq!(read(KRAKEN, "A", &[], &message), expected, "{printed}");
    }
    let begun = [
        r#"{"event":"subscribed","channel":"book","chanId":5,"symbol":"A","prec":"P0","len":"25"}"#,
        "[5,[[1,1,1],[2,1,-1]]]",
    ];
    for (printed, expected) in [
        ("7", Ok((false, true))),
        ("null", TYPE),
        ("\"7\"", TYPE),
        ("7.5", Err("decode.inexact")),
        ("", MISSING),
    ] {
        let message =
            if printed.is_empty() { "[5,\"cs\"]".to_owned() } else { format!("[5,\"cs\",{printed}]") };
        assert_eq!(read(BITFINEX, "A", &begun, &message), expected, "cs {printed}");
    }
}

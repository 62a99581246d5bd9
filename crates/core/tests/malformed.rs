//! Hostile bytes against the decoder: always an event or a typed error, never a panic, never a result from a cut frame.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first thing that is wrong")]

mod said;

use std::panic::catch_unwind;
use std::time::{Duration, Instant};

use depthwire_core::decode::{FRAME_LEVELS_MAX, NESTING_MAX};
use depthwire_core::engine::detect;
use depthwire_core::recording::{Heard, Transcript};
use depthwire_core::types::{Levels, Route, Routes, Slot};
use depthwire_core::venues::FrameError;
use said::{Said, answer, decode, routes};

const SPOT: Route = Route { slot: Slot(1), price_exponent: -2, qty_exponent: -8 };
const COINM: Route = Route { slot: Slot(2), price_exponent: -1, qty_exponent: 0 };

fn two() -> Routes {
    routes(&[("BTCUSDT", SPOT), ("BTCUSD_PERP", COINM)])
}

/// A whole frame of each kind.
const FRAMES: [&str; 14] = [
    r#"{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1723161255208,"s":"BTCUSDT","U":50093239189,"u":50093239202,"b":[["61737.63000000","0.00000000"],["56854.58000000","1.5"]],"a":[["61837.64000000","1.54698000"]]}}"#,
    r#"{"e":"depthUpdate","E":1723161257476,"T":1723161257462,"s":"BTCUSD_PERP","ps":"BTCUSD","U":1007198631847,"u":1007198631985,"pu":1007198631835,"b":[["61786.5","89"]],"a":[["61801.4","0"],["61817.7","44"]]}"#,
    // Levels before everything that says whose they are.
    r#"{"data":{"b":[["1.5","2"],[3,4.25,"x"]],"a":[ [ "5e1" , "0" ] ],"u":9,"U":8,"s":"BTCUSDT","e":"depthUpdate"},"stream":"btcusdt@depth"}"#,
    r#"{"lastUpdateId":50093239218,"bids":[["61837.63000000","3.78826000"],["61837.62","1"]],"asks":[["61837.64000000","1.54698000"]]}"#,
    r#"{"lastUpdateId":8,"E":1723161257835,"T":1723161257823,"symbol":"BTCUSD_PERP","pair":"BTCUSD","bids":[["61804.7","35"]],"asks":[["61804.8","1"]]}"#,
    r#"{"stream":"btcusdt@bookTicker","data":{"u":50093239212,"s":"BTCUSDT","b":"61837.63000000","B":"3.78826000","a":"61837.64000000","A":"1.54698000"}}"#,
    r#"{"u":6,"e":"bookTicker","s":"BTCUSD_PERP","ps":"BTCUSD","b":"61804.7","B":"35","a":"61804.8","A":"1645","T":1723161257465,"E":1723161257476}"#,
    r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"61837.63000000","q":"0.02000000","T":1723161255342000,"m":true,"M":true}}"#,
    r#"{"e":"aggTrade","E":1616201883458,"a":41045788,"s":"BTCUSD_PERP","p":"58570.1","q":"58","f":91864326,"l":91864327,"T":1616201883304,"m":false,"X":"MARKET"}"#,
    r#"{"result":null,"id":1}"#,
    r#"{"code":-1121,"msg":"Invalid \"symbol\"."}"#,
    r#"{"error":{"code":2,"msg":"Invalid request"},"id":null}"#,
    r#"{"e":"kline","E":1,"s":"BTCUSDT","k":{"t":1.5e+3,"x":[true,false,null,{"deep":[[[]]]}],"s":"caf\u00e9"}}"#,
    r#"{"stream":"!ticker@arr","data":[{"e":"24hrTicker","p":"-0.1"},{"e":"24hrTicker"}]}"#,
];

/// Feeds bytes to every entry. What comes out must keep its promises whatever went in.
fn feed(bytes: &[u8], out: &mut Levels) -> Result<Said, FrameError> {
    // Snapshots without symbol are let through by a connection of one.
    let one = routes(&[("BTCUSDT", SPOT)]);
    let is_anonymous = bytes.windows(12).any(|part| part == b"lastUpdateId")
        && !bytes.windows(6).any(|part| part == b"symbol");
    let said = decode(bytes, &if is_anonymous { one } else { two() }, out);
    match said {
        Ok(Said::Depth(_, seq)) => assert!(seq.first <= seq.last),
        Ok(Said::Snapshot(..)) => {}
        Ok(_) => assert!(out.is_empty()),
        Err(error) => {
            assert!(out.is_empty());
            assert!(error.code().starts_with("decode."));
            assert!(error.to_string().contains("expected"));
        }
    }
    for level in out.bids.iter().chain(&out.asks) {
        assert!(level.price.0 > 0 && level.qty.0 >= 0);
    }
    said
}

/// [`feed`], with the bytes named if it panics.
fn survives(bytes: &[u8], what: &str) {
    let caught = catch_unwind(|| {
        let mut out = Levels::default();
        let _ = feed(bytes, &mut out);
        let _ = answer(bytes, &routes(&[("BTCUSD_PERP", COINM)]), &mut out);
        let _ = detect(bytes);
        let (mut transcript, mut at) = (Transcript::default(), 0);
        while let Ok(entry) = transcript.next(bytes, at, true) {
            at = entry.end;
            if let Ok(Heard::Received { bytes, .. }) = entry.heard {
                let _ = feed(bytes, &mut out);
            }
        }
    });
    assert!(caught.is_ok(), "{what} panicked on {}", bytes.escape_ascii());
}

/// The splitmix64 generator.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

#[test]
fn whole_frames_decode() {
    for frame in FRAMES {
        let event = feed(frame.as_bytes(), &mut Levels::default());
        let refused = frame.contains(r#""code""#);
        assert_eq!(
            event.map_err(|error| error.code()).err(),
            refused.then_some("decode.venue_error"),
            "{frame}"
        );
    }
}

#[test]
fn a_frame_cut_at_any_byte_is_an_error() {
    let mut out = Levels::default();
    for frame in FRAMES {
        for cut in 0..frame.len() {
            let event = feed(&frame.as_bytes()[..cut], &mut out);
            assert!(event.is_err(), "cut at {cut} gave {event:?}: {frame}");
            survives(&frame.as_bytes()[..cut], "a cut frame");
        }
    }
}

#[test]
fn a_frame_with_any_byte_changed_is_survived() {
    for frame in FRAMES {
        let mut bytes = frame.as_bytes().to_vec();
        for at in 0..bytes.len() {
            let original = bytes[at];
            for changed in
                [0, b'"', b'\\', b'{', b'}', b'[', b']', b',', b'-', b'9', 0x80, 0xff, original ^ 1]
            {
                bytes[at] = changed;
                survives(&bytes, "a changed byte");
            }
            bytes[at] = original;
        }
    }
}

#[test]
fn random_damage_is_survived() {
    let inputs = if cfg!(debug_assertions) { 30_000 } else { 300_000 };
    let seed = 0x0dec_0de5;
    println!("seed {seed:#x}, {inputs} inputs");
    let mut random = Random(seed);
    let pieces: [&[u8]; 16] = [
        b"\"",
        b"\\",
        b"[",
        b"]",
        b"{",
        b"}",
        b",",
        b":",
        b"null",
        b"-1",
        b"1e999",
        b"\"e\":\"trade\"",
        b"\x00",
        b"\xef\xbb\xbf",
        b"99999999999999999999999999",
        b"\n1 ",
    ];
    for _ in 0..inputs {
        let mut bytes = FRAMES[random.below(FRAMES.len())].as_bytes().to_vec();
        if random.below(4) == 0 {
            bytes.splice(..0, *b"1723161255208000000 ");
        }
        for _ in 0..=random.below(4) {
            let (at, until) = (random.below(bytes.len() + 1), random.below(bytes.len() + 1));
            let (from, to) = (at.min(until), at.max(until));
            match random.below(6) {
                0 if at < bytes.len() => bytes[at] = random.next() as u8,
                1 => bytes.truncate(at),
                2 => drop(bytes.splice(at..at, pieces[random.below(pieces.len())].iter().copied())),
                3 => drop(bytes.drain(from..to)),
                4 if bytes.len() < 4_096 => {
                    let copy = bytes[from..to].to_vec();
                    bytes.splice(at..at, copy);
                }
                _ => {
                    let other = FRAMES[random.below(FRAMES.len())].as_bytes();
                    let start = random.below(other.len());
                    bytes.truncate(at);
                    bytes.extend_from_slice(&other[start..]);
                }
            }
        }
        survives(&bytes, "random damage");
    }
}

#[test]
fn bytes_that_are_no_frame_at_all_are_survived() {
    let mut random = Random(7);
    for len in 0..600 {
        let bytes: Vec<u8> = (0..len).map(|_| random.next() as u8).collect();
        survives(&bytes, "noise");
        assert!(feed(&bytes, &mut Levels::default()).is_err(), "noise is never a message");
    }
}

/// A depth update with one field's text replaced.
fn depth_with(from: &str, to: &str) -> &'static str {
    let frame = FRAMES[0].replacen(from, to, 1);
    assert_ne!(frame, FRAMES[0]);
    match feed(frame.as_bytes(), &mut Levels::default()) {
        Ok(event) => panic!("{frame} gave {event:?}"),
        Err(error) => error.code(),
    }
}

#[test]
fn hostile_numbers_are_named() {
    let digits = "9".repeat(10_000);
    let zeros = format!("0.{}", "0".repeat(10_000));
    for (price, code) in [
        ("1e308", "decode.overflow"),
        ("1e99999999999999999999", "decode.overflow"),
        ("1e-99999999999999999999", "decode.inexact"),
        ("-61737.63", "decode.negative"),
        ("-0", "decode.zero_price"),
        ("99999999999999999999", "decode.overflow"),
        (digits.as_str(), "decode.bad_number"),
        (zeros.as_str(), "decode.bad_number"),
        ("Infinity", "decode.bad_number"),
        ("6\\u0031", "decode.escaped"),
        ("6\x001", "decode.bad_number"),
        ("\u{feff}61737.63", "decode.bad_number"),
        ("٣", "decode.bad_number"),
    ] {
        assert_eq!(depth_with("61737.63000000", price), code, "{}", &price[..price.len().min(40)]);
    }
    for (id, code) in [
        ("1e3", "decode.bad_number"),
        ("-1", "decode.negative"),
        (digits.as_str(), "decode.overflow"),
        ("\"\"", "decode.bad_number"),
        ("[[[[", "decode.not_json"),
    ] {
        assert_eq!(depth_with("50093239189", id), code, "{}", &id[..id.len().min(40)]);
    }
}

#[test]
fn unknown_fields_change_nothing() {
    let mut plain = Levels::default();
    let mut extended = Levels::default();
    let event = feed(FRAMES[0].as_bytes(), &mut plain);
    for extra in [
        "1",
        "\"\\\"]}\\u0000\"",
        "[[[],{}],{\"b\":[[\"1\",\"1\"]]}]",
        "null",
        "{\"data\":{\"e\":1},\"U\":0}",
        "-1.5E+300",
    ] {
        let frame = FRAMES[0].replacen("\"s\":", &format!("\"new\" : {extra} ,\"s\":"), 1);
        assert_eq!(feed(frame.as_bytes(), &mut extended), event, "{frame}");
        assert_eq!(extended, plain);
    }
}

#[test]
fn nesting_has_an_end() {
    let nested = |depth: usize| {
        let value = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let frame = FRAMES[0].replacen("\"s\":", &format!("\"new\":{value},\"s\":"), 1);
        feed(frame.as_bytes(), &mut Levels::default()).map_err(|error| error.code())
    };
    // The frame and its data take two.
    let room = usize::from(NESTING_MAX) - 2;
    assert!(nested(room).is_ok());
    assert_eq!(nested(room + 1), Err("decode.too_deep"));
    assert_eq!(nested(2_000_000), Err("decode.too_deep"));
    assert_eq!(
        feed("[".repeat(1 << 20).as_bytes(), &mut Levels::default()).unwrap_err().code(),
        "decode.too_deep"
    );
    assert_eq!(
        feed("{\"data\":".repeat(9_999).as_bytes(), &mut Levels::default()).unwrap_err().code(),
        "decode.too_deep"
    );
}

#[test]
fn marks_and_nul_bytes_around_a_frame_are_errors() {
    for (head, tail, code) in [
        ("\u{feff}", "", "decode.not_json"),
        ("\0", "", "decode.not_json"),
        ("", "\0", "decode.trailing_bytes"),
        ("", "{}", "decode.trailing_bytes"),
        ("", ",", "decode.trailing_bytes"),
    ] {
        let frame = format!("{head}{}{tail}", FRAMES[0]);
        assert_eq!(feed(frame.as_bytes(), &mut Levels::default()).unwrap_err().code(), code);
    }
}

/// A snapshot of more than 5 MB when it has as many levels as are allowed.
fn large_snapshot(levels: usize) -> String {
    let side = |from: usize| {
        let pairs: Vec<String> = (0..levels / 2)
            .map(|i| format!(r#"["{}.{:0<10}","{}.{:0<12}"]"#, from + i, 25, 1 + i % 7, 5))
            .collect();
        pairs.join(",")
    };
    let pad = " ".repeat(1_200_000);
    format!(r#"{{"lastUpdateId":1,{pad}"bids":[{}],"asks":[{}]}}"#, side(1), side(1_000_000))
}

#[test]
fn a_frame_of_5_mb_decodes_or_is_refused_without_delay() {
    let mut out = Levels::default();
    let started = Instant::now();
    let frame = large_snapshot(FRAME_LEVELS_MAX);
    assert!(frame.len() > 5_000_000, "{}", frame.len());
    assert!(matches!(feed(frame.as_bytes(), &mut out), Ok(Said::Snapshot(..))));
    assert_eq!(out.len(), FRAME_LEVELS_MAX);
    for cut in [1, 1_000, 2_000_000] {
        let error = feed(&frame.as_bytes()[..frame.len() - cut], &mut out).unwrap_err();
        assert_eq!(error.code(), "decode.truncated");
    }
    let frame = large_snapshot(FRAME_LEVELS_MAX + 2);
    assert_eq!(feed(frame.as_bytes(), &mut out).unwrap_err().code(), "decode.too_many_levels");
    assert_eq!(feed(&vec![b'['; 9 << 20], &mut out).unwrap_err().code(), "decode.frame_too_large");
    // Linear work takes milliseconds; the bound is wide enough for a debug build on a busy machine.
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

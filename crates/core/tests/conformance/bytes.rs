//! Point 5: damaged frames give events or a typed error, all or nothing, and the short way through a decoder says what the
//! general one says. `fuzz` goes on where this ends.

use depthwire_core::types::{Body, Events, Level, Route, Routes, Slot};
use depthwire_core::venues::{self, At, Session};

use depthwire_sim::dialects::Channel;

use crate::feed::Feed;
use crate::rooms::{Row, rows};

/// Frames of a row that are damaged, and how often each.
const FRAMES: usize = if cfg!(debug_assertions) { 100 } else { 300 };
const TIMES: usize = if cfg!(debug_assertions) { 10 } else { 60 };

fn random(state: &mut u64, below: usize) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    ((u128::from(*state ^ (*state >> 31)) * below as u128) >> 64) as usize
}

/// Changes that keep most of a frame as it is.
fn damage(bytes: &mut Vec<u8>, other: &[u8], state: &mut u64) {
    for _ in 0..=random(state, 3) {
        if bytes.is_empty() {
            return bytes.extend_from_slice(other);
        }
        let at = random(state, bytes.len());
        match random(state, 8) {
            0 => bytes.truncate(at),
            1 => bytes[at] ^= 1 << random(state, 8),
            2 => drop(bytes.remove(at)),
            3 => bytes.insert(at, b"0123456789.-+eE\"\\,:[]{} \n\0\xff"[random(state, 27)]),
            4 => {
                bytes.splice(at.., other.iter().copied().skip(random(state, other.len() + 1))).for_each(drop)
            }
            5 => {
                // A piece twice.
                let end = bytes.len().min(at + 1 + random(state, 60));
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            6 => {
                // A digit for another.
                if let Some(digit) = bytes[at..].iter_mut().find(|byte| byte.is_ascii_digit()) {
                    *digit = b'0' + random(state, 10) as u8;
                }
            }
            _ => {
                let end = bytes.len().min(at + 1 + random(state, 30));
                bytes.drain(at..end);
            }
        }
    }
}

/// The same text with white space wherever JSON allows it, which takes it off the short way.
fn loosened(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() * 2);
    let (mut in_string, mut is_escaped) = (false, false);
    for &byte in bytes {
        let is_mark = !in_string && b"{}[],:".contains(&byte);
        if is_mark {
            out.push(b' ');
        }
        out.push(byte);
        if is_mark {
            out.push(b'\n');
        }
        in_string ^= byte == b'"' && !is_escaped;
        is_escaped = in_string && byte == b'\\' && !is_escaped;
    }
    out
}

/// All that a frame says, in words; the code of its error behind it.
fn words(session: &mut Session, bytes: &[u8], at: At, routes: &Routes, events: &mut Events) -> String {
    events.clear();
    let read = session.frame(bytes, at, routes, events);
    let mut words = String::new();
    for event in events.list() {
        match event.body {
            Body::Levels(seq, span) => {
                words += &format!("{} {seq:?} {:?}\n", event.slot.0, events.levels(span))
            }
            Body::VerbedLevels(seq, span, verbs) => {
                let (levels, verbs) = (events.levels(span), events.verbs_of(verbs));
                words += &format!("{} {seq:?} {levels:?} {verbs:?}\n", event.slot.0);
            }
            Body::Book(seq, span, coverage, origin) => {
                words += &format!("{seq:?} {coverage:?} {origin:?} {:?}\n", events.levels(span));
                let is_good = |level: &Level| level.price.0 > 0 && level.qty.0 >= 0;
                let sides = events.levels(span);
                assert!(sides.bids.iter().chain(sides.asks).all(is_good));
            }
            Body::Trades(span) => words += &format!("{:?}\n", events.trades_of(span)),
            Body::Orders(number, span) => words += &format!("{number} {:?}\n", events.order_changes(span)),
            Body::NumberedOrders(seq, span, _) => {
                words += &format!("{seq:?} {:?}\n", events.order_changes(span));
            }
            Body::OrderBook(number, part, coverage, span) => {
                words += &format!("{number} {part:?} {coverage:?} {:?}\n", events.order_changes(span));
            }
            body => words += &format!("{body:?}\n"),
        }
        assert!(read.is_ok() || at.is_datagram || matches!(event.body, Body::Lost { .. }), "all or nothing");
    }
    read.err().map_or(words.clone(), |error| words + error.code())
}

fn damaged(row: &Row) -> (u64, u64) {
    let mut feed = Feed::open(row, 61);
    let instrument = venues::instrument(row.venue, &row.code).unwrap();
    let mut routes = Routes::new();
    let (price_exponent, qty_exponent) = feed.dialect.exponents();
    let codes: Vec<&[u8]> = match instrument.codes.is_empty() {
        true => vec![instrument.symbol.as_bytes()],
        false => instrument.codes.iter().map(|code| &**code).collect(),
    };
    assert!(routes.carry(codes.into_iter(), Route { slot: Slot(0), price_exponent, qty_exponent }));
    let frames: Vec<_> = (0..FRAMES).map(|_| feed.next()).collect();
    let (mut events, mut state) = (Events::default(), 17);
    let (mut good, mut refused) = (0, 0);
    // Two connections that hear the same, each frame once as it is and then damaged.
    let mut sessions = [venues::session(row.venue), venues::session(row.venue)];
    for (nth, frame) in frames.iter().enumerate() {
        // What a connection says of itself changes what later frames mean: it is damaged apart.
        let mut apart = [venues::session(row.venue), venues::session(row.venue)];
        let is_text = matches!(frame.bytes.first(), Some(b'{' | b'['));
        let at = At { ts_recv: frame.now, line: 0, is_datagram: row.are_datagrams };
        for time in 0..=TIMES {
            let mut bytes = frame.bytes.clone();
            if time > 0 {
                let other = &frames[random(&mut state, frames.len())].bytes;
                damage(&mut bytes, other, &mut state);
            }
            let loose = if is_text { loosened(&bytes) } else { bytes.clone() };
            let is_apart = time > 0 && frame.channel == Channel::Control;
            let sessions = if is_apart { &mut apart } else { &mut sessions };
            let said = words(&mut sessions[0], &bytes, at, &routes, &mut events);
            let general = words(&mut sessions[1], &loose, at, &routes, &mut events);
            assert_eq!(said, general, "{}: {}", row.name, String::from_utf8_lossy(&bytes));
            let is_refused =
                said.lines().last().is_some_and(|last| last.contains('.') && !last.contains(' '));
            assert!(time > 0 || !is_refused, "{}: frame {nth}: {said}", row.name);
            good += u64::from(!is_refused);
            refused += u64::from(is_refused);
        }
    }
    assert!(good > FRAMES as u64 && refused > FRAMES as u64, "{}: {good}, {refused}", row.name);
    (good, refused)
}

#[test]
fn damaged_frames_are_read_whole_or_refused() {
    println!("{:<32} {:>9} {:>9}", "damaged frames", "read", "refused");
    for row in rows() {
        let (good, refused) = damaged(&row);
        println!("{:<32} {good:>9} {refused:>9}", row.name);
    }
}

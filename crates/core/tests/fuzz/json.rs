//! Venue JSON: depth updates, tickers, trades, snapshots; lines of recordings.

use std::sync::OnceLock;

use depthwire_core::decode::DecodeError;
use depthwire_core::recording::{Format, Heard, Transcript};
use depthwire_core::types::{Levels, Route, Routes, Slot};
use depthwire_core::venues::FrameError;
use depthwire_sim::Market;

use crate::chunks::in_chunks;
use crate::mutate::{Fields, Kind};
use crate::random::Random;
use crate::run::{Said, Target};
use crate::said::{self, answer, decode, routes};

/// A spot instrument and a COIN-M one, those of the simulated venue, and all scales of the decoder.
fn known() -> Routes {
    let route = |slot, price_exponent, qty_exponent| Route { slot: Slot(slot), price_exponent, qty_exponent };
    routes(&[
        ("BTCUSDT", route(1, -2, -8)),
        ("BTCUSD_PERP", route(2, -1, 0)),
        ("FINE", route(3, -18, -12)),
        ("COARSE", route(4, 3, 18)),
        ("ETHUSDT", route(5, -8, -8)),
        ("SOLUSDT", route(6, -8, -8)),
        ("DOGEUSDT", route(7, -8, -8)),
    ])
}

/// Fine enough for every symbol of the simulated venue, whose snapshots name none.
fn sole() -> Routes {
    routes(&[("SOLE", Route { slot: Slot(8), price_exponent: -8, qty_exponent: -8 })])
}

/// Frames of the simulated venue, and its snapshots.
pub fn frames() -> &'static [Vec<u8>] {
    static FRAMES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    FRAMES.get_or_init(|| {
        let mut market = Market::new(3, 1_723_161_255_000);
        let mut frames = Vec::new();
        while frames.len() < 2_000 {
            let mut frame = Vec::new();
            if frames.len() % 50 == 7 {
                market
                    .snapshot(market.symbols()[frames.len() % 4], 1 + frames.len() % 9, &mut frame)
                    .unwrap();
            } else {
                market.next_frame(&mut frame);
            }
            frames.push(frame);
        }
        frames.retain(|frame| frame.len() <= 1_500);
        frames
    })
}

/// A decimal as venues print it.
fn decimal(random: &mut Random, places: usize, most: usize) -> String {
    let whole = random.any_size() % 10u64.pow(most as u32);
    let fraction = random.next() % 10u64.pow(places as u32);
    let zeros = "0".repeat(random.below(2) * (8usize.saturating_sub(places)));
    if places == 0 { format!("{}", whole + 1) } else { format!("{}.{fraction:0places$}{zeros}", whole + 1) }
}

/// Levels of a side as they stand in a frame.
fn levels(random: &mut Random) -> String {
    let pairs: Vec<_> = (0..random.below(6))
        .map(|_| format!(r#"["{}","{}"]"#, decimal(random, 1, 6), decimal(random, 0, 6)))
        .collect();
    format!("[{}]", pairs.join(","))
}

/// A frame of the futures.
fn futures(random: &mut Random) -> String {
    let (first, last) = (random.any_size() >> 12, random.below(99) as u64);
    let time = 1_723_161_255_000 + random.below(99_999);
    match random.below(6) {
        0 => format!(
            r#"{{"e":"depthUpdate","E":{time},"T":{time},"s":"BTCUSD_PERP","ps":"BTCUSD","U":{first},"u":{},"pu":{last},"b":{},"a":{}}}"#,
            first + last,
            levels(random),
            levels(random)
        ),
        1 => format!(
            r#"{{"u":{first},"e":"bookTicker","s":"BTCUSD_PERP","ps":"BTCUSD","b":"{}","B":"{}","a":"{}","A":"{}","T":{time},"E":{time}}}"#,
            decimal(random, 1, 6),
            decimal(random, 0, 6),
            decimal(random, 1, 6),
            decimal(random, 0, 6)
        ),
        2 => format!(
            r#"{{"e":"trade","E":{time},"T":{time},"s":"BTCUSD_PERP","t":{first},"p":"{}","q":"{}","X":"MARKET","m":{}}}"#,
            decimal(random, 1, 6),
            decimal(random, 0, 6),
            random.one_in(2)
        ),
        3 => format!(
            r#"{{"e":"aggTrade","E":{time},"a":{first},"s":"BTCUSD_PERP","p":"{}","q":"{}","f":1,"l":2,"T":{time},"m":{}}}"#,
            decimal(random, 1, 6),
            decimal(random, 0, 6),
            random.one_in(2)
        ),
        4 => random
            .pick(&[
                r#"{"result":null,"id":1}"#,
                r#"{"e":"kline","E":1,"s":"BTCUSDT","k":{"t":1.5e+3,"x":[true,false,null,{"y":[[[]]]}],"s":"caf\u00e9"}}"#,
                r#"[{"e":"24hrMiniTicker","s":"BTCUSDT"}]"#,
                r#"{"e":"trade","E":1,"T":1,"s":"BTCUSD_PERP","t":9,"p":"0","q":"0","X":"NA","m":true}"#,
                r#"{"stream":"btcusdt@depth20","data":{"lastUpdateId":7,"bids":[],"asks":[]}}"#,
            ])
            .to_string(),
        _ => format!(
            r#"{{"lastUpdateId":{first},"E":{time},"T":{time},"symbol":"BTCUSD_PERP","pair":"BTCUSD","bids":{},"asks":{}}}"#,
            levels(random),
            levels(random)
        ),
    }
}

/// The offset behind a string that begins at `at`, or `to` where it has no end.
fn string_end(bytes: &[u8], at: usize, to: usize) -> usize {
    let mut at = at + 1;
    while let Some(len) = bytes.get(at..to).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += len + 1;
        if bytes[at - 1] == b'"' {
            return at;
        }
        at += 1;
    }
    to
}

/// Values, and what stands between brackets.
pub fn json_fields(fields: &mut Fields<'_>, from: usize, to: usize) {
    let (bytes, to) = (fields.bytes, to.min(fields.bytes.len()));
    let mut open = Vec::new();
    let mut at = from;
    while at < to {
        let start = at;
        at += 1;
        match bytes[start] {
            b'"' => {
                at = string_end(bytes, start, to);
                fields.note(Kind::Token, start, at - start);
            }
            b'{' | b'[' => open.push(start),
            b'}' | b']' => {
                if let Some(start) = open.pop() {
                    // With its comma, so that lists stay lists.
                    let comma = usize::from(bytes.get(at) == Some(&b','));
                    fields.note(Kind::Unit, start, at + comma - start);
                }
            }
            b'0'..=b'9' | b'-' | b'a'..=b'z' => {
                let is_more = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-');
                at += bytes[at..].iter().take_while(is_more).count();
                fields.note(Kind::Token, start, at - start);
            }
            _ => {}
        }
    }
}

/// The same message with white space wherever JSON allows it, which takes it off the short way through the decoder.
pub fn loosened(bytes: &[u8], out: &mut Vec<u8>) {
    out.clear();
    out.reserve(2 * bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        at += 1;
        match bytes[start] {
            b'"' => {
                at = string_end(bytes, start, bytes.len());
                out.extend_from_slice(&bytes[start..at]);
            }
            mark @ (b'{' | b'}' | b'[' | b']' | b',' | b':') => out.extend_from_slice(&[b' ', mark, b'\n']),
            byte => out.push(byte),
        }
    }
}

/// One frame.
pub struct Json {
    known: Routes,
    sole: Routes,
    levels: Levels,
    again: Levels,
    loose: Vec<u8>,
}

impl Default for Json {
    fn default() -> Self {
        let (levels, again, loose) = Default::default();
        Self { known: known(), sole: sole(), levels, again, loose }
    }
}

impl Target for Json {
    const NAME: &'static str = "json";

    fn generate(&mut self, random: &mut Random, out: &mut Vec<u8>) {
        if random.one_in(3) {
            out.extend(futures(random).bytes());
        } else {
            out.extend(random.pick(frames()));
        }
    }

    fn fields(fields: &mut Fields<'_>) {
        json_fields(fields, 0, fields.bytes.len());
    }

    fn check(&mut self, bytes: &[u8], random: &mut Random, said: &mut Said) {
        let Self { known, sole, levels, again, loose } = self;
        // Snapshots without symbol are let through by a connection of one.
        let has = |text: &[u8]| bytes.windows(text.len()).any(|part| part == text);
        let is_anonymous = has(b"lastUpdateId") && !has(b"symbol");
        let routes = if is_anonymous { &*sole } else { &*known };
        let event = decode(bytes, routes, levels);
        match &event {
            Ok(event) => {
                let good = |level: &depthwire_core::types::Level| level.price.0 > 0 && level.qty.0 >= 0;
                assert!(levels.bids.iter().chain(&levels.asks).all(good));
                let is_book = matches!(event, said::Said::Depth(..) | said::Said::Snapshot(..));
                assert!(is_book || levels.is_empty());
                said.ok(match event {
                    said::Said::Depth(_, seq) if seq.prev.is_some() => "futures depth",
                    said::Said::Depth(..) => "depth",
                    said::Said::Snapshot(..) => "snapshot",
                    said::Said::Bbo(..) => "top",
                    said::Said::Trade(..) => "trade",
                    said::Said::Other => "other",
                    said::Said::Nothing => "ignored",
                });
                said.size("levels", levels.len());
            }
            Err(error) => {
                assert!(levels.is_empty());
                said.error(error.code());
                match *error {
                    FrameError::Decode(
                        DecodeError::MissingField { field }
                        | DecodeError::BadNumber { field, .. }
                        | DecodeError::DuplicateField { field, .. }
                        | DecodeError::WrongType { field, .. },
                    ) => said.ok(field),
                    FrameError::Decode(DecodeError::NotJson { expected, .. }) => said.ok(expected),
                    _ => {}
                }
            }
        }
        loosened(bytes, loose);
        let general = decode(loose, routes, again);
        let code = |event: &Result<said::Said, FrameError>| event.map_err(|error| error.code());
        assert_eq!(code(&general), code(&event), "both ways through the decoder agree");
        assert_eq!(again, levels);
        if random.one_in(4) {
            let snapshot = answer(bytes, sole, again);
            assert!(snapshot.is_ok() || again.is_empty());
            assert!(snapshot.is_err() || matches!(snapshot, Ok(said::Said::Snapshot(..))));
        }
    }
}

/// A recording.
#[derive(Default)]
pub struct Lines;

impl Target for Lines {
    const NAME: &'static str = "lines";

    fn generate(&mut self, random: &mut Random, out: &mut Vec<u8>) {
        // Times of the day, in units of any size, or of a clock that begins at zero.
        let is_time_of_day = random.one_in(2);
        for _ in 0..1 + random.below(4) {
            let time = match is_time_of_day {
                true => {
                    (1_700_000_000_000_000_000 + (random.next() >> 8)) / 1_000u64.pow(random.below(4) as u32)
                }
                false => random.any_size() % 1_000_000_000,
            };
            out.extend(format!("{time} ").bytes());
            match random.one_in(2) {
                true => out.extend(random.pick(frames())),
                false => out.extend(b"{}"),
            }
            out.extend_from_slice(random.pick::<&[u8]>(&[b"\n", b"\r\n", b"\n\n"]));
        }
    }

    fn fields(fields: &mut Fields<'_>) {
        let mut at = 0;
        while at < fields.bytes.len() {
            let rest = &fields.bytes[at..];
            let len = rest.iter().position(|&byte| byte == b'\n').map_or(rest.len(), |len| len + 1);
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            fields.note(Kind::Unit, at, len);
            fields.note(Kind::Token, at, digits);
            fields.note(Kind::Text, at + digits, 1);
            fields.note(Kind::Text, at + len - 1, 1);
            at += len;
        }
    }

    fn check(&mut self, bytes: &[u8], random: &mut Random, said: &mut Said) {
        let read = |transcript: &mut Transcript, piece: &[u8], last: bool, taken: &mut Vec<_>| {
            let (mut at, mut end) = (0, 0);
            loop {
                match transcript.next(piece, at, last) {
                    Ok(entry) => {
                        assert!(entry.start >= end && entry.end > entry.start && entry.end <= piece.len());
                        (at, end) = (entry.end, entry.end);
                        taken.push(match entry.heard {
                            Ok(Heard::Received { line: 0, bytes }) => Ok((entry.ts, bytes.to_vec())),
                            Ok(other) => panic!("{other:?}"),
                            Err(error) => Err(error),
                        });
                    }
                    Err(consumed) => return consumed,
                }
            }
        };
        let mut whole = Vec::new();
        if Format::detect(bytes) != Some(Format::Collector) {
            return;
        }
        assert_eq!(read(&mut Transcript::default(), bytes, true, &mut whole), bytes.len());
        for taken in &whole {
            match taken {
                Ok((time, frame)) => {
                    assert!(!frame.is_empty() && !frame.contains(&b'\n'));
                    said.size("digits", time.checked_ilog10().unwrap_or(0) as usize);
                }
                Err(error) => said.error(error.code()),
            }
        }
        // The same lines, taken apart without haste.
        let mark = b"\xEF\xBB\xBF";
        let plain = bytes.trim_ascii_start().split(|&byte| byte == b'\n').map(|line| {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            line.strip_prefix(mark).unwrap_or(line)
        });
        let plain: Vec<_> = plain.filter(|line| !line.is_empty()).collect();
        assert_eq!(plain.len(), whole.len());
        // Whether the first time is one of the day: then the digits of each tell its unit.
        let mut is_time_of_day = None;
        for (line, taken) in plain.iter().zip(&whole) {
            let space = line.iter().position(|&byte| byte == b' ');
            let time = space
                .and_then(|at| std::str::from_utf8(&line[..at]).ok())
                .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
            let time: Option<u64> = time.and_then(|text| text.parse().ok());
            let expected = time.zip(space.map(|at| &line[at + 1..])).filter(|(_, frame)| !frame.is_empty());
            let expected = expected.and_then(|(time, frame)| {
                let power = [19, 16, 13, 10].iter().position(|digits| space == Some(*digits));
                let unit = power.map(|power| 1_000u64.pow(power as u32));
                match *is_time_of_day.get_or_insert(unit.is_some()) {
                    true => Some((time * unit?, frame)),
                    false => Some((time, frame)),
                }
            });
            assert_eq!(taken.as_ref().ok().map(|(time, frame)| (*time, &frame[..])), expected);
        }
        let (mut transcript, mut cut) = (Transcript::default(), Vec::new());
        in_chunks(bytes, random, |piece, last| read(&mut transcript, piece, last, &mut cut));
        assert_eq!(cut, whole, "cut anywhere it reads the same");
    }
}

//! What a frame of a recording shows of its pair, and of its time.

use super::codes;
use super::seconds::seconds;
use crate::decode::date_time::Minute;
use crate::decode::json::{Kind, Scanner, Token, unescape};
use crate::decode::members::{items, members, text};
use crate::decode::{DecodeError, SYMBOL_BYTES_MAX};
use crate::types::TimeNs;
use crate::venues::KRAKEN;
use crate::venues::room::{Sightings, Sureness};
use crate::venues::value_behind;

/// Channels of version 2 that name a pair.
const CHANNELS: [&[u8]; 5] = [b"book", b"level3", b"trade", b"ticker", b"ohlc"];

/// Notes the pairs of a frame.
///
/// 1. An object with `channel`, `type` and an array `data` whose entries have a `symbol` with a slash; the acknowledgement
///    of such a channel.
/// 2. An array that begins with a number and ends with a channel's name and a pair with a slash; what is said of such a
///    subscription.
/// 3. Heartbeats and statuses are read and name no pair.
pub(super) fn sight(bytes: &[u8], out: &mut Sightings) {
    let read = match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'[') => array(bytes, out),
        Some(b'{') => object(bytes, out),
        _ => Ok(()),
    };
    // What cannot be read shows nothing.
    let _ = read;
}

fn object(bytes: &[u8], out: &mut Sightings) -> Result<(), DecodeError> {
    let mut scanner = Scanner::new(bytes, 0);
    let keys = ["channel", "type", "data", "method", "result", "event", "pair", "channelName"];
    let [channel, kind, data, method, result, event, pair, channel_name] =
        members(&mut scanner, bytes, &keys)?;
    scanner.finish()?;
    match (channel.of(bytes), event.of(bytes)) {
        (b"heartbeat", _) if data.kind == Kind::Absent => out.readable(),
        (b"status" | b"instrument", _) if kind.kind == Kind::String && data.kind != Kind::Absent => {
            out.readable()
        }
        (name, _) if CHANNELS.contains(&name) && kind.kind == Kind::String && data.kind == Kind::Array => {
            items(data, bytes, "data", |scanner| {
                let [symbol] = members(scanner, bytes, &["symbol"])?;
                note(symbol, bytes, out);
                Ok(())
            })?;
        }
        (_, b"systemStatus") => out.readable(),
        (_, b"subscriptionStatus") if channel_name.kind == Kind::String => note(pair, bytes, out),
        _ if method.kind == Kind::String && result.kind == Kind::Object => {
            let keys = ["channel", "symbol"];
            let [channel, symbol] = members(&mut Scanner::new(bytes, result.start as usize), bytes, &keys)?;
            if CHANNELS.contains(&channel.of(bytes)) {
                note(symbol, bytes, out);
            }
        }
        _ => {}
    }
    Ok(())
}

fn array(bytes: &[u8], out: &mut Sightings) -> Result<(), DecodeError> {
    let mut scanner = Scanner::new(bytes, 0);
    scanner.open(b'[', "an array")?;
    let (mut first, mut last) = (None, [Token::default(); 2]);
    while scanner.more(first.is_none(), b']')? {
        let token = scanner.value()?;
        first.get_or_insert(token);
        last = [last[1], token];
    }
    scanner.finish()?;
    let [channel, pair] = last;
    let is_number = first.is_some_and(|first| first.kind == Kind::Number);
    let name = text(channel, bytes, "channelName")?;
    let kind = name.split(|byte| *byte == b'-').next().unwrap_or_default();
    if is_number && matches!(kind, b"book" | b"trade" | b"ticker" | b"spread" | b"ohlc") {
        note(pair, bytes, out);
    }
    Ok(())
}

/// Notes a pair by any of its names; one without a slash is nobody's.
fn note(token: Token, bytes: &[u8], out: &mut Sightings) {
    let mut plain = [0; SYMBOL_BYTES_MAX];
    if !matches!(token.kind, Kind::String | Kind::EscapedString) {
        return;
    }
    let Ok(plain) = unescape(token.of(bytes), &mut plain) else { return };
    match core::str::from_utf8(plain) {
        Ok(name) if name.contains('/') => {
            out.readable();
            out.add(KRAKEN, &codes::symbol(name), Sureness::Sure);
        }
        _ => {}
    }
}

/// The last time that a frame prints: its `timestamp`, that of an acknowledgement, or the latest of its levels.
pub(super) fn time(bytes: &[u8]) -> TimeNs {
    let behind = |key: &[u8]| {
        let text = value_behind::last(bytes, key)?.split(|byte| *byte == b'"').next()?;
        Minute::default().time(text)
    };
    if bytes.first() != Some(&b'[') {
        return behind(b"\"timestamp\"").or_else(|| behind(b"\"time_out\"")).unwrap_or(0);
    }
    /// Seconds of this age with six decimals.
    const LEN: usize = 17;
    let quotes = memchr::memchr_iter(b'"', bytes);
    let texts = quotes.filter_map(|at| bytes.get(at + 1..at + 1 + LEN));
    texts.filter(|text| text.get(10) == Some(&b'.')).filter_map(seconds).max().unwrap_or(0)
}

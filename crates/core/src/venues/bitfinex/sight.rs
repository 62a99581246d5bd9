//! What a frame of a recording shows of its pair, and of its time.

use crate::decode::json::{Kind, Scanner};
use crate::decode::members::members;
use crate::types::TimeNs;
use crate::venues::BITFINEX;
use crate::venues::room::{Sightings, Sureness};

/// Notes the pair that a subscription was made for: `subscribed` with a `chanId`. Arrays name none.
pub(super) fn sight(bytes: &[u8], out: &mut Sightings) {
    let keys = ["event", "chanId", "symbol", "serverId", "flags", "key"];
    let mut scanner = Scanner::new(bytes, 0);
    let Ok([event, id, symbol, server, flags, key]) = members(&mut scanner, bytes, &keys) else { return };
    match event.of(bytes) {
        b"info" if server.kind == Kind::String => out.readable(),
        b"conf" if flags.kind == Kind::Number => out.readable(),
        b"subscribed" if id.kind == Kind::Number => {
            out.readable();
            let derivative = key.of(bytes).strip_prefix(b"deriv:").unwrap_or_default();
            let name = if symbol.kind == Kind::String { symbol.of(bytes) } else { derivative };
            match core::str::from_utf8(name) {
                Ok(name) if name.starts_with('t') => out.add(BITFINEX, name, Sureness::Sure),
                _ => {}
            }
        }
        _ => {}
    }
}

/// Milliseconds of this age.
const MS: std::ops::Range<u64> = 1_000_000_000_000..10_000_000_000_000;

/// The time that stands at the end of an array.
pub(super) fn time(bytes: &[u8]) -> TimeNs {
    let text = bytes.trim_ascii_end().strip_suffix(b"]").unwrap_or_default().trim_ascii_end();
    let digits = text.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (rest, last) = text.split_at(text.len() - digits);
    let is_element = rest.trim_ascii_end().ends_with(b",");
    crate::decode::leading_digits(last)
        .filter(|(ms, _)| is_element && MS.contains(ms))
        .map_or(0, |(ms, _)| ms * 1_000_000)
}

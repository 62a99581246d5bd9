//! What a frame of a recording shows of its instrument, and of its time.

use super::topic::{FAMILIES, parts};
use crate::decode::DecodeError;
use crate::decode::json::{Kind, Scanner};
use crate::decode::leading_digits;
use crate::decode::members::{members, text};
use crate::types::TimeNs;
use crate::venues::room::{Sightings, Sureness};
use crate::venues::value_behind;

/// Notes the instrument of a message: an object with a `topic` of this venue that ends with a symbol.
pub(super) fn sight(bytes: &[u8], out: &mut Sightings) {
    // What cannot be read shows nothing.
    let _ = object(bytes, out);
}

fn object(bytes: &[u8], out: &mut Sightings) -> Result<(), DecodeError> {
    let mut scanner = Scanner::new(bytes, 0);
    let [kind, topic, subject] = members(&mut scanner, bytes, &["type", "topic", "subject"])?;
    scanner.finish()?;
    if text(kind, bytes, "type")? != b"message" || subject.kind == Kind::Absent {
        return Ok(());
    }
    let topic = text(topic, bytes, "topic")?;
    let Some((_, venue)) = FAMILIES.iter().find(|(family, _)| topic.starts_with(family)) else {
        return Ok(());
    };
    let Some((name, symbol)) = parts(topic) else { return Ok(()) };
    out.readable();
    let symbol = match symbol {
        b"all" => text(subject, bytes, "subject")?,
        symbol if name == b"/market/candles" || name == b"/contractMarket/candle" => {
            symbol.split(|byte| *byte == b'_').next().unwrap_or_default()
        }
        symbol => symbol,
    };
    if let Ok(symbol) = core::str::from_utf8(symbol)
        && !symbol.is_empty()
    {
        out.add(*venue, symbol, Sureness::Sure);
    }
    Ok(())
}

/// The first time that a frame prints: of milliseconds or, with more digits, of nanoseconds.
pub(super) fn time(bytes: &[u8]) -> TimeNs {
    const KEYS: [&[u8]; 3] = [b"\"time\"", b"\"timestamp\"", b"\"ts\""];
    let Some(digits) = KEYS.iter().find_map(|key| value_behind::first(bytes, key)) else { return 0 };
    match leading_digits(digits) {
        Some((ms, ..=13)) => ms.saturating_mul(1_000_000),
        Some((ns, _)) => ns,
        None => 0,
    }
}

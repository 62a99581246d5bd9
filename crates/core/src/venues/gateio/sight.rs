//! What a frame of a recording shows of its instrument, and of its time.

use super::events::stream;
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::members::{items, members, text};
use crate::decode::{DecodeError, leading_digits};
use crate::types::{TimeNs, Venue};
use crate::venues::room::{Sightings, Sureness};
use crate::venues::value_behind;
use crate::venues::{GATEIO, GATEIO_DELIVERY, GATEIO_FUTURES};

/// Notes the instruments of a frame: an object with a `channel` that begins with `spot.` or `futures.` and an `event`, whose result
/// names a symbol.
pub(super) fn sight(bytes: &[u8], out: &mut Sightings) {
    // What cannot be read shows nothing.
    let _ = object(bytes, out);
}

fn object(bytes: &[u8], out: &mut Sightings) -> Result<(), DecodeError> {
    let mut scanner = Scanner::new(bytes, 0);
    let [channel, event, result] = members(&mut scanner, bytes, &["channel", "event", "result"])?;
    scanner.finish()?;
    let channel = text(channel, bytes, "channel")?;
    let event = text(event, bytes, "event")?;
    let (venue, kind) = match (channel.strip_prefix(b"spot."), channel.strip_prefix(b"futures.")) {
        (Some(kind), _) => (GATEIO, kind),
        (_, Some(kind)) => (GATEIO_FUTURES, kind),
        _ => return Ok(()),
    };
    out.readable();
    if event != b"update" {
        return Ok(());
    }
    let key = match kind {
        b"obu" | b"order_book_update" | b"book_ticker" => "s",
        b"trades" | b"tickers" | b"public_liquidates" if venue == GATEIO => "currency_pair",
        b"trades" | b"tickers" | b"public_liquidates" => "contract",
        _ => return Ok(()),
    };
    let mut name = |scanner: &mut Scanner<'_>| {
        let [symbol] = members(scanner, bytes, &[key])?;
        note(venue, symbol, bytes, out);
        Ok(())
    };
    match result.kind {
        Kind::Object => name(&mut Scanner::new(bytes, result.start as usize)),
        _ => items(result, bytes, "result", name),
    }
}

fn note(venue: Venue, symbol: Token, bytes: &[u8], out: &mut Sightings) {
    if symbol.kind == Kind::String {
        let name = symbol.of(bytes);
        let name = stream(name).map_or(name, |(symbol, _)| symbol);
        let venue = if venue == GATEIO_FUTURES && has_end(name) { GATEIO_DELIVERY } else { venue };
        if let Ok(name) = core::str::from_utf8(name) {
            out.add(venue, name, Sureness::Sure);
        }
    }
}

/// Whether a symbol names the day on which its contract ends: `BTC_USDT_20261225`.
fn has_end(symbol: &[u8]) -> bool {
    let day = symbol.rsplit(|byte| *byte == b'_').next().unwrap_or_default();
    day.len() == 8 && day.iter().all(u8::is_ascii_digit)
}

/// The gateway's time of a message, or that of its result, in milliseconds; else its second.
pub(super) fn time(bytes: &[u8]) -> TimeNs {
    let behind = |key: &[u8]| {
        leading_digits(value_behind::first(bytes, key)?).map(|(value, _)| value).filter(|value| *value > 0)
    };
    let ms = behind(b"\"time_ms\"").or_else(|| behind(b"\"t\""));
    let ns = ms.and_then(|ms| ms.checked_mul(1_000_000));
    ns.or_else(|| behind(b"\"time\"")?.checked_mul(1_000_000_000)).unwrap_or(0)
}

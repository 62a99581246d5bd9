//! What a frame of a recording shows of its market, and of its time.

use super::instruments::symbol_of;
use super::parted;
use crate::decode::DecodeError;
use crate::decode::json::Scanner;
use crate::decode::members::{members, text};
use crate::types::TimeNs;
use crate::venues::LIGHTER;
use crate::venues::room::{Sightings, Sureness};

/// Channels that name a market.
const CHANNELS: [&[u8]; 4] = [b"order_book", b"trade", b"ticker", b"market_stats"];

/// Notes the market of a frame: an object whose `type` is `subscribed/CHANNEL` or `update/CHANNEL` and whose `channel` is
/// `CHANNEL:NUMBER`.
pub(super) fn sight(bytes: &[u8], out: &mut Sightings) {
    // What cannot be read shows nothing.
    let _ = market(bytes, out);
}

fn market(bytes: &[u8], out: &mut Sightings) -> Result<(), DecodeError> {
    let mut scanner = Scanner::new(bytes, 0);
    let [kind, channel, session] = members(&mut scanner, bytes, &["type", "channel", "session_id"])?;
    scanner.finish()?;
    let kind = text(kind, bytes, "type")?;
    if kind == b"connected" && !session.of(bytes).is_empty() {
        out.readable();
        return Ok(());
    }
    let Some((b"subscribed" | b"update", told)) = parted(kind, b'/') else { return Ok(()) };
    let Some((name, number)) = parted(text(channel, bytes, "channel")?, b':') else { return Ok(()) };
    if name != told || !CHANNELS.contains(&name) {
        return Ok(());
    }
    out.readable();
    let is_number = !number.is_empty() && number.iter().all(u8::is_ascii_digit);
    if let Some(number) = core::str::from_utf8(number).ok().filter(|_| is_number) {
        out.add(LIGHTER, symbol_of(number.as_bytes()).unwrap_or(number), Sureness::Sure);
    }
    Ok(())
}

/// A frame's `timestamp`, in milliseconds at its outer level, which is the last one that it prints.
pub(super) fn time(bytes: &[u8]) -> TimeNs {
    const KEY: &[u8] = b"\"timestamp\":";
    let Some(at) = memchr::memmem::rfind(bytes, KEY) else { return 0 };
    let digits = bytes.get(at + KEY.len()..).unwrap_or_default().trim_ascii_start();
    crate::decode::leading_digits(digits).map_or(0, |(millis, _)| millis.saturating_mul(1_000_000))
}

//! What a frame of a recording shows of its pair, and of its time.

use super::orders::Verb;
use super::v1;
use crate::decode::json::{Kind, Scanner};
use crate::decode::leading_digits;
use crate::decode::members::members;
use crate::types::{TimeNs, Venue};
use crate::venues::room::{Sightings, Sureness};
use crate::venues::{BITSTAMP, BITSTAMP_ORDERS};

/// Channels of a pair, and of which product they surely are.
const CHANNELS: [(&str, Venue, Sureness); 5] = [
    ("diff_order_book_", BITSTAMP, Sureness::Sure),
    ("live_orders_", BITSTAMP_ORDERS, Sureness::Sure),
    // Of either.
    ("live_trades_", BITSTAMP, Sureness::Maybe),
    ("detail_order_book_", BITSTAMP, Sureness::Maybe),
    ("order_book_", BITSTAMP, Sureness::Maybe),
];

/// Notes the pair at the end of a channel's name.
pub(super) fn sight(bytes: &[u8], out: &mut Sightings) {
    if v1::event(bytes).is_some_and(|(_, len)| bytes.get(len..).is_some_and(|rest| rest.starts_with(b" {"))) {
        out.readable();
        return out.add(BITSTAMP, "btcusd", Sureness::Sure);
    }
    let mut scanner = Scanner::new(bytes, 0);
    let Ok([event, channel, data]) = members(&mut scanner, bytes, &["event", "channel", "data"]) else {
        return;
    };
    if channel.kind != Kind::String || data.kind == Kind::Absent {
        return;
    }
    match event.of(bytes) {
        b"data" | b"trade" | b"bts:subscription_succeeded" => {}
        name if Verb::of(name).is_some() => {}
        name if name.starts_with(b"bts:") => return out.readable(),
        _ => return,
    }
    let Ok(channel) = core::str::from_utf8(channel.of(bytes)) else { return };
    let of = |(prefix, product, sureness)| Some((channel.strip_prefix(prefix)?, product, sureness));
    let found = CHANNELS.into_iter().find_map(of).filter(|(pair, ..)| !pair.is_empty());
    if let Some((pair, product, sureness)) = found {
        out.readable();
        out.add(product, pair, sureness);
    }
}

/// The time in microseconds that a message or an answer states.
pub(super) fn time(bytes: &[u8]) -> TimeNs {
    const KEY: &[u8] = b"\"microtimestamp\":";
    let at = memchr::memmem::find(bytes, KEY).map_or(bytes.len(), |at| at + KEY.len());
    let text = bytes.get(at..).unwrap_or_default().trim_ascii_start();
    let digits = text.strip_prefix(b"\"").unwrap_or(text);
    leading_digits(digits).map_or(0, |(us, _)| us.saturating_mul(1_000))
}

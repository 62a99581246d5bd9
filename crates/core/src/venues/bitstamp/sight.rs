//! What a frame of a recording shows of its pair, and of its time.

use super::v1;
use crate::decode::json::{Kind, Scanner};
use crate::decode::leading_digits;
use crate::decode::members::members;
use crate::types::TimeNs;
use crate::venues::BITSTAMP;
use crate::venues::room::{Sightings, Sureness};

/// Channels of a pair.
const CHANNELS: [&str; 5] =
    ["diff_order_book_", "live_trades_", "detail_order_book_", "order_book_", "live_orders_"];

/// Notes the pair at the end of a channel's name: of `data`, `trade` and `bts:subscription_succeeded`.
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
        name if name.starts_with(b"bts:") => return out.readable(),
        _ => return,
    }
    let Ok(channel) = core::str::from_utf8(channel.of(bytes)) else { return };
    let pair = CHANNELS.iter().find_map(|prefix| channel.strip_prefix(prefix));
    if let Some(pair) = pair.filter(|pair| !pair.is_empty()) {
        out.readable();
        out.add(BITSTAMP, pair, Sureness::Sure);
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

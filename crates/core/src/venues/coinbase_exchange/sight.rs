//! What a frame of a recording shows of its product, and of its time.

use crate::decode::DecodeError;
use crate::decode::date_time::Minute;
use crate::decode::json::{Kind, Scanner};
use crate::decode::members::members;
use crate::types::{TimeNs, is_symbol};
use crate::venues::COINBASE_EXCHANGE;
use crate::venues::room::{Sightings, Sureness};
use crate::venues::value_behind;

/// Types of messages that name a product, and a key beside it that no other venue's message of this type has.
const NAMED: [(&[u8], &str); 8] = [
    (b"received", "order_id"),
    (b"open", "order_id"),
    (b"change", "order_id"),
    (b"done", "order_id"),
    (b"match", "maker_order_id"),
    (b"last_match", "maker_order_id"),
    (b"heartbeat", "last_trade_id"),
    (b"ticker", "best_bid"),
];

/// Notes the product of a message.
pub(super) fn sight(bytes: &[u8], out: &mut Sightings) {
    // What cannot be read shows nothing.
    let _ = read(bytes, out);
}

fn read(bytes: &[u8], out: &mut Sightings) -> Result<(), DecodeError> {
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Ok(());
    }
    let mut scanner = Scanner::new(bytes, 0);
    let keys = ["type", "product_id", "channels", "products", "sequence"];
    let [kind, name, channels, products, number] = members(&mut scanner, bytes, &keys)?;
    scanner.finish()?;
    match kind.of(bytes) {
        b"subscriptions" if channels.kind == Kind::Array => out.readable(),
        b"status" if products.kind == Kind::Array => out.readable(),
        kind if number.kind == Kind::Number => {
            let Some((_, key)) = NAMED.iter().find(|(named, _)| *named == kind) else { return Ok(()) };
            let [mark] = members(&mut Scanner::new(bytes, 0), bytes, &[*key])?;
            if mark.kind == Kind::Absent || name.kind != Kind::String {
                return Ok(());
            }
            out.readable();
            if let Ok(name) = core::str::from_utf8(name.of(bytes))
                && is_symbol(name)
            {
                out.add(COINBASE_EXCHANGE, name, Sureness::Sure);
            }
        }
        _ => {}
    }
    Ok(())
}

/// When what a message tells happened.
pub(super) fn time(bytes: &[u8]) -> TimeNs {
    let text =
        value_behind::first(bytes, b"\"time\"").and_then(|text| text.split(|byte| *byte == b'"').next());
    text.and_then(|text| Minute::default().time(text)).unwrap_or(0)
}

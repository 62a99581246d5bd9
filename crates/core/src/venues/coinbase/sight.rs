//! What a frame of a recording shows of its products, and of its time.

use crate::decode::date_time::Minute;
use crate::decode::json::{Kind, Scanner, Token, unescape};
use crate::decode::members::{items, members};
use crate::decode::{DecodeError, SYMBOL_BYTES_MAX};
use crate::types::{TimeNs, is_symbol};
use crate::venues::COINBASE;
use crate::venues::room::{Sightings, Sureness};
use crate::venues::value_behind;

/// Notes the products of a message: of an object with `channel`, `sequence_num` and an array `events`, which no other venue
/// sends.
pub(super) fn sight(bytes: &[u8], out: &mut Sightings) {
    // What cannot be read shows nothing.
    let _ = read(bytes, out);
}

fn read(bytes: &[u8], out: &mut Sightings) -> Result<(), DecodeError> {
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Ok(());
    }
    let mut scanner = Scanner::new(bytes, 0);
    let [channel, number, events] = members(&mut scanner, bytes, &["channel", "sequence_num", "events"])?;
    scanner.finish()?;
    if channel.kind != Kind::String || number.kind != Kind::Number || events.kind != Kind::Array {
        return Ok(());
    }
    out.readable();
    let list = match channel.of(bytes) {
        b"l2_data" => {
            return items(events, bytes, "events", |scanner| {
                let [name] = members(scanner, bytes, &["product_id"])?;
                note(name, bytes, out);
                Ok(())
            });
        }
        b"market_trades" => "trades",
        b"ticker" | b"ticker_batch" => "tickers",
        _ => return Ok(()),
    };
    items(events, bytes, "events", |scanner| {
        let [entries] = members(scanner, bytes, &[list])?;
        items(entries, bytes, list, |scanner| {
            let [name] = members(scanner, bytes, &["product_id"])?;
            note(name, bytes, out);
            Ok(())
        })
    })
}

fn note(name: Token, bytes: &[u8], out: &mut Sightings) {
    let mut plain = [0; SYMBOL_BYTES_MAX];
    if !matches!(name.kind, Kind::String | Kind::EscapedString) {
        return;
    }
    let Ok(plain) = unescape(name.of(bytes), &mut plain) else { return };
    if let Ok(name) = core::str::from_utf8(plain)
        && is_symbol(name)
    {
        out.add(COINBASE, name, Sureness::Sure);
    }
}

/// When a message was sent.
pub(super) fn time(bytes: &[u8]) -> TimeNs {
    let text =
        value_behind::first(bytes, b"\"timestamp\"").and_then(|text| text.split(|byte| *byte == b'"').next());
    text.and_then(|text| Minute::default().time(text)).unwrap_or(0)
}

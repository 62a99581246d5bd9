//! What a frame of a recording shows of its coin, and of its time.

use crate::decode::DecodeError;
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::members::{items, members, text};
use crate::types::TimeNs;
use crate::venues::HYPERLIQUID;
use crate::venues::room::{Sightings, Sureness};

/// Notes the coins of a frame: an object of `channel` and `data`, in which these channels name a `coin`.
pub(super) fn sight(bytes: &[u8], out: &mut Sightings) {
    // What cannot be read shows nothing.
    let _ = coins(bytes, out);
}

fn coins(bytes: &[u8], out: &mut Sightings) -> Result<(), DecodeError> {
    let mut scanner = Scanner::new(bytes, 0);
    let [channel, data] = members(&mut scanner, bytes, &["channel", "data"])?;
    scanner.finish()?;
    match (text(channel, bytes, "channel")?, data.kind) {
        (b"pong", Kind::Absent) => out.readable(),
        (b"subscriptionResponse", Kind::Object) => {
            let keys = ["method", "subscription"];
            let [method, subscription] =
                members(&mut Scanner::new(bytes, data.start as usize), bytes, &keys)?;
            if method.kind == Kind::String && subscription.kind == Kind::Object {
                out.readable();
            }
        }
        (b"l2Book" | b"bbo" | b"activeAssetCtx" | b"activeSpotAssetCtx", Kind::Object) => {
            let [coin] = members(&mut Scanner::new(bytes, data.start as usize), bytes, &["coin"])?;
            note(coin, bytes, out);
        }
        (b"trades", Kind::Array) => items(data, bytes, "data", |scanner| {
            let [coin, id] = members(scanner, bytes, &["coin", "tid"])?;
            if id.kind == Kind::Number {
                note(coin, bytes, out);
            }
            Ok(())
        })?,
        _ => {}
    }
    Ok(())
}

fn note(coin: Token, bytes: &[u8], out: &mut Sightings) {
    if let Some(coin) = core::str::from_utf8(coin.of(bytes)).ok().filter(|_| coin.kind == Kind::String) {
        out.readable();
        out.add(HYPERLIQUID, coin, Sureness::Sure);
    }
}

/// The last `time` that a frame prints, in milliseconds.
pub(super) fn time(bytes: &[u8]) -> TimeNs {
    const KEY: &[u8] = b"\"time\":";
    let Some(at) = memchr::memmem::rfind(bytes, KEY) else { return 0 };
    let digits = bytes.get(at + KEY.len()..).unwrap_or_default().trim_ascii_start();
    crate::decode::leading_digits(digits).map_or(0, |(millis, _)| millis.saturating_mul(1_000_000))
}

//! What a frame of a recording shows of its instrument, and of its time.

use super::category::{Category, Shown};
use super::depth;
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::members::{items, members, text};
use crate::decode::{DecodeError, leading_digits};
use crate::types::TimeNs;
use crate::venues::room::{Sightings, Sureness};
use crate::venues::value_behind;

/// Notes the instruments of a frame.
///
/// 1. An object with `topic` and `type`, whose topic is one of this venue's, with a symbol in its data. The connection's
///    address tells the category; without one see `category`.
/// 2. Of what is said of the connection: acknowledgements, answers to a ping.
pub(super) fn sight(address: Option<Category>, bytes: &[u8], out: &mut Sightings) {
    // What cannot be read shows nothing.
    let _ = object(address, bytes, out);
}

fn object(address: Option<Category>, bytes: &[u8], out: &mut Sightings) -> Result<(), DecodeError> {
    let mut scanner = Scanner::new(bytes, 0);
    let keys = ["topic", "type", "ts", "data", "op", "success", "conn_id"];
    let [topic, kind, ts, data, op, success, connection] = members(&mut scanner, bytes, &keys)?;
    scanner.finish()?;
    if topic.kind == Kind::Absent {
        if connection.kind == Kind::String && (op.kind == Kind::String || success.kind != Kind::Absent) {
            out.readable();
        }
        return Ok(());
    }
    text(kind, bytes, "type")?;
    let mut words = text(topic, bytes, "topic")?.splitn(2, |byte| *byte == b'.');
    let (channel, name) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut note = |symbol: Token, shown: Option<Shown>, sureness| {
        if symbol.kind != Kind::String {
            return;
        }
        out.readable();
        let found = match address {
            Some(category) => Some((category, Sureness::Sure)),
            None => Category::of_symbol(symbol.of(bytes), shown).map(|category| (category, sureness)),
        };
        if let (Some((category, sureness)), Ok(symbol)) = (found, core::str::from_utf8(symbol.of(bytes))) {
            out.add(category.venue(), symbol, sureness);
        }
    };
    match channel {
        b"orderbook" if data.kind == Kind::Object => {
            let keys = ["s", "b", "a", "u"];
            let [symbol, bids, asks, number] =
                members(&mut Scanner::new(bytes, data.start as usize), bytes, &keys)?;
            let depth = name.split(|byte| *byte == b'.').next().and_then(depth::of_text);
            let is_book = bids.kind == Kind::Array && asks.kind == Kind::Array && number.kind == Kind::Number;
            if let Some(depth) = depth.filter(|_| is_book) {
                let order = if ts.start < kind.start { Shown::Spot } else { Shown::Contract };
                note(symbol, Some(order).filter(|_| depth > 1), Sureness::Maybe);
            }
        }
        b"publicTrade" | b"allLiquidation" => items(data, bytes, "data", |scanner| {
            let [symbol, id, tick, qty] = members(scanner, bytes, &["s", "i", "L", "v"])?;
            let is_number = leading_digits(id.of(bytes)).is_some_and(|(_, len)| len == id.of(bytes).len());
            let shown = match () {
                () if channel == b"allLiquidation" || tick.kind == Kind::String => Some(Shown::Contract),
                () if id.kind == Kind::String && is_number => Some(Shown::Spot),
                () => None,
            };
            if qty.kind == Kind::String {
                note(symbol, shown, Sureness::Sure);
            }
            Ok(())
        })?,
        b"tickers" if data.kind == Kind::Object => {
            let keys = [
                "symbol",
                "usdIndexPrice",
                "bid1Price",
                "ask1Price",
                "markPrice",
                "tickDirection",
                "lastPrice",
            ];
            let [symbol, usd_index, contract @ .., last] =
                members(&mut Scanner::new(bytes, data.start as usize), bytes, &keys)?;
            let is_there = |token: Token| token.kind == Kind::String;
            let is_contract = contract.into_iter().any(is_there);
            let shown = match () {
                () if is_there(usd_index) => Some(Shown::Spot),
                () if is_contract => Some(Shown::Contract),
                () => None,
            };
            if is_there(last) || shown.is_some() {
                note(symbol, shown, Sureness::Sure);
            }
        }
        _ => {}
    }
    Ok(())
}

/// The gateway's time of a message, the first `ts` in it.
pub(super) fn time(bytes: &[u8]) -> TimeNs {
    let ms = value_behind::first(bytes, b"\"ts\"").and_then(leading_digits);
    ms.and_then(|(ms, _)| ms.checked_mul(1_000_000)).unwrap_or(0)
}

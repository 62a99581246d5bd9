//! Increments of products, and whether they trade (rule 6).

use super::entries;
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::levels::decimal;
use crate::decode::members::{members, symbol, text};
use crate::decode::{DecodeError, Scaled, SymbolText, decimal_digits};
use crate::types::{Body, Definition, Events, Routes, TradingStatus};

/// Most decimals that an increment may have.
const DIGITS_MAX: usize = 18;

/// The events of a message.
pub(super) fn events(
    bytes: &[u8],
    events: Token,
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    match entries(events, bytes, "products", |scanner| product(bytes, scanner, routes, out)) {
        // It is of all products of the venue.
        Err(DecodeError::UnknownSymbol { .. }) => Ok(()),
        read => read,
    }
}

fn product(
    bytes: &[u8],
    scanner: &mut Scanner<'_>,
    routes: &Routes,
    out: &mut Events,
) -> Result<Option<SymbolText>, DecodeError> {
    let [name, tick, lot, status] =
        members(scanner, bytes, &["id", "quote_increment", "base_increment", "status"])?;
    let (route, symbol) = symbol(name, bytes, "id", routes)?;
    let Some(route) = route else { return Ok(Some(symbol)) };
    let (price_digits, tick_size) = increment(tick, bytes, "quote_increment")?;
    let (qty_digits, lot_size) = increment(lot, bytes, "base_increment")?;
    let definition = Definition { price_digits, qty_digits, tick_size, lot_size };
    out.push(route.slot, 0, Body::Definition(definition));
    out.push(route.slot, 0, Body::Trading(trading(text(status, bytes, "status")?)));
    Ok(None)
}

/// Decimals of an increment, and its mantissa; zeros where it is not told.
fn increment(token: Token, bytes: &[u8], field: &'static str) -> Result<(u8, i64), DecodeError> {
    if token.kind == Kind::Absent || token.of(bytes).is_empty() {
        return Ok((0, 0));
    }
    let digits = decimal_digits(token.of(bytes)).map_or(0, |(_, places)| places.min(DIGITS_MAX)) as u8;
    Ok((digits, decimal(token, bytes, field, -(digits as i8), Scaled::No)?))
}

/// What a status means.
pub(super) const fn trading(status: &[u8]) -> TradingStatus {
    match status {
        b"online" => TradingStatus::Trading,
        b"offline" | b"internal" => TradingStatus::Halted,
        b"delisted" => TradingStatus::Closed,
        _ => TradingStatus::Unknown,
    }
}

//! Increments of products, and whether they trade (rule 6).

use super::entries;
use crate::decode::json::{Scanner, Token};
use crate::decode::levels::increment;
use crate::decode::members::{members, symbol, text};
use crate::decode::{DecodeError, SymbolText};
use crate::types::{Body, Definition, Events, Routes, TradingStatus};

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

/// What a status means.
pub(super) const fn trading(status: &[u8]) -> TradingStatus {
    match status {
        b"online" => TradingStatus::Trading,
        b"offline" | b"internal" => TradingStatus::Halted,
        b"delisted" => TradingStatus::Closed,
        _ => TradingStatus::Unknown,
    }
}

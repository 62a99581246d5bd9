//! Books: the whole one, and one level of it.

use crate::decode::json::{Scanner, Token};
use crate::decode::levels::{decimal, price_above_zero};
use crate::decode::members::{items, members, milliseconds, symbol, text, unsigned};
use crate::decode::{DecodeError, FRAME_LEVELS_MAX, Scaled};
use crate::types::{Body, Coverage, Events, Level, Origin, Qty, Route, Routes, Scope, Slot, VenueSeq};

/// The contract that a message is of.
pub(super) fn carried(name: Token, bytes: &[u8], routes: &Routes) -> Result<Route, DecodeError> {
    let (route, symbol) = symbol(name, bytes, "product_id", routes)?;
    route.ok_or(DecodeError::UnknownSymbol { symbol })
}

/// A message of `book_snapshot`. Returns whose it is.
pub(super) fn whole(bytes: &[u8], routes: &Routes, out: &mut Events) -> Result<Slot, DecodeError> {
    let keys = ["product_id", "timestamp", "seq", "bids", "asks"];
    let [name, timestamp, seq, bids, asks] = members(&mut Scanner::new(bytes, 0), bytes, &keys)?;
    let route = carried(name, bytes, routes)?;
    out.concerns(Scope::Book(route.slot));
    out.speaks_of(route.slot);
    levels(bids, bytes, "bids", route, 0, out.bids())?;
    let taken = out.levels_added().len();
    levels(asks, bytes, "asks", route, taken, out.asks())?;
    let (number, ts_event) = (unsigned(seq, bytes, "seq")?, milliseconds(timestamp, bytes, "timestamp")?);
    let body = Body::Book(VenueSeq::at(number), out.levels_added(), Coverage::Whole, Origin::Stream);
    out.push(route.slot, ts_event, body);
    Ok(route.slot)
}

/// A message of `book`.
pub(super) fn level(bytes: &[u8], routes: &Routes, out: &mut Events) -> Result<(), DecodeError> {
    let keys = ["product_id", "side", "seq", "price", "qty", "timestamp"];
    let [name, side, seq, price, qty, timestamp] = members(&mut Scanner::new(bytes, 0), bytes, &keys)?;
    let route = carried(name, bytes, routes)?;
    out.concerns(Scope::Book(route.slot));
    out.speaks_of(route.slot);
    let level = level_of(price, qty, bytes, route)?;
    match text(side, bytes, "side")? {
        b"buy" => out.bids().push(level),
        b"sell" => out.asks().push(level),
        _ => {
            let (field, expected) = ("side", "buy or sell");
            return Err(DecodeError::WrongType { at: side.start, field, expected, got: "another text" });
        }
    }
    let (number, ts_event) = (unsigned(seq, bytes, "seq")?, milliseconds(timestamp, bytes, "timestamp")?);
    let body = Body::Levels(VenueSeq::at(number), out.levels_added());
    out.push(route.slot, ts_event, body);
    Ok(())
}

/// The levels of a side.
fn levels(
    token: Token,
    bytes: &[u8],
    field: &'static str,
    route: Route,
    taken: usize,
    out: &mut Vec<Level>,
) -> Result<(), DecodeError> {
    let start = out.len();
    items(token, bytes, field, |scanner| {
        if taken + (out.len() - start) >= FRAME_LEVELS_MAX {
            return Err(DecodeError::TooManyLevels { at: scanner.at() });
        }
        let [price, qty] = members(scanner, bytes, &["price", "qty"])?;
        out.push(level_of(price, qty, bytes, route)?);
        Ok(())
    })
}

pub(super) fn level_of(price: Token, qty: Token, bytes: &[u8], route: Route) -> Result<Level, DecodeError> {
    let price = price_above_zero(price, bytes, "price", route.price_exponent)?;
    Ok(Level { price, qty: Qty(decimal(qty, bytes, "qty", route.qty_exponent, Scaled::Qty)?) })
}

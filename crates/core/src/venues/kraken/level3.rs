//! Books of orders.

use super::Kraken;
use super::depth::{coverage, goes_back};
use super::v2::{lose, time};
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::levels::{decimal, price_above_zero};
use crate::decode::members::{is, items, members, order_text, symbol, text, unsigned_32};
use crate::decode::{DecodeError, FRAME_LEVELS_MAX, Scaled, SymbolText};
use crate::types::{Body, Events, OrderChange, Part, Price, Qty, Route, Routes, Scope, Side, StaleReason};

/// A book of orders, or what happened to some of them.
pub(super) fn orders(
    room: &mut Kraken,
    bytes: &[u8],
    scanner: &mut Scanner<'_>,
    is_snapshot: bool,
    routes: &Routes,
    out: &mut Events,
) -> Result<Option<SymbolText>, DecodeError> {
    let keys = ["symbol", "bids", "asks", "checksum", "timestamp"];
    let [name, bids, asks, checksum, timestamp] = members(scanner, bytes, &keys)?;
    let (route, symbol) = symbol(name, bytes, "symbol", routes)?;
    let Some(route) = route else { return Ok(Some(symbol)) };
    out.concerns(Scope::Book(route.slot));
    out.speaks_of(route.slot);
    let first = out.orders_added().len();
    debug_assert_eq!(first, 0, "what was appended before belongs to an event");
    let mut levels = [0; 2];
    for (side, token, field) in [(Side::Bid, bids, "bids"), (Side::Ask, asks, "asks")] {
        levels[side as usize] = orders_of(side, token, bytes, field, is_snapshot, route, out)?;
    }
    is(checksum, Kind::Number, "checksum", "a number")?;
    let check = unsigned_32(checksum, bytes, "checksum")?;
    let ts_event = time(room, timestamp, bytes)?;
    let span = out.orders_added();
    let body = if is_snapshot {
        let of = room.subscribed(route.slot);
        let coverage = coverage(of.orders, levels[0], levels[1])?;
        (of.has_book, of.orders_at) = (true, ts_event);
        Body::OrderBook(0, Part::Whole, coverage, span)
    } else if goes_back(&mut room.subscribed(route.slot).orders_at, ts_event) {
        lose(route.slot, StaleReason::Contradiction, out);
        return Ok(None);
    } else {
        Body::Orders(0, span)
    };
    out.push(route.slot, ts_event, body);
    out.push(route.slot, ts_event, Body::Check(check));
    Ok(None)
}

/// The orders of a side; returns how many prices they have, those of one price next to each other.
fn orders_of(
    side: Side,
    token: Token,
    bytes: &[u8],
    field: &'static str,
    is_snapshot: bool,
    route: Route,
    out: &mut Events,
) -> Result<usize, DecodeError> {
    let (mut levels, mut last) = (0, None);
    items(token, bytes, field, |scanner| {
        if out.orders_added().len() >= FRAME_LEVELS_MAX {
            return Err(DecodeError::TooManyLevels { at: scanner.at() });
        }
        let keys = ["event", "order_id", "limit_price", "order_qty"];
        let [event, id, price, qty] = members(scanner, bytes, &keys)?;
        let id = out.name(order_text(id, bytes, "order_id")?);
        let price = price_above_zero(price, bytes, "limit_price", route.price_exponent)?;
        let qty = || decimal(qty, bytes, "order_qty", route.qty_exponent, Scaled::Qty).map(Qty);
        levels += usize::from(last != Some(price));
        last = Some::<Price>(price);
        let name = match event.kind {
            Kind::Absent if is_snapshot => b"add",
            _ => text(event, bytes, "event")?,
        };
        let change = match name {
            b"add" => OrderChange::Add { id, side, price, qty: qty()? },
            b"modify" => OrderChange::Modify { id, side, price, qty: qty()? },
            b"delete" => OrderChange::Delete { id },
            _ => {
                let expected = "add, modify or delete";
                return Err(DecodeError::WrongType {
                    at: event.start,
                    field: "event",
                    expected,
                    got: "another",
                });
            }
        };
        out.orders().push(change);
        Ok(())
    })?;
    Ok(levels)
}

//! Books: a list of rows, and the rows that change it. Of levels a row is a price, a count and an amount.

use super::channel::{Channel, Channels, Kind};
use super::{lose, orders};
use crate::decode::json::{Kind as JsonKind, Scanner, Token};
use crate::decode::levels::{decimal, price_above_zero};
use crate::decode::members::{is, items, signed_32, unsigned, values};
use crate::decode::{DecodeError, FRAME_LEVELS_MAX, Scaled};
use crate::types::{
    Body, Coverage, Events, Level, Origin, Part, Qty, Route, Side, StaleReason, TimeNs, VenueSeq,
};

/// What a channel says of its book: `rows`, of which a list may be an update where updates are bulk.
pub(super) fn rows(
    channels: &mut Channels,
    id: u64,
    (rows, is_bulk): (Token, bool),
    (number, ts_event): (u64, TimeNs),
    bytes: &[u8],
    route: Route,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let Some(channel) = channels.get(id).copied() else { return Ok(()) };
    let is_list = is_list(rows, bytes);
    let is_snapshot = !channel.has_begun;
    if is_list && !is_snapshot && !is_bulk {
        if channel.is_followed {
            lose(route.slot, StaleReason::Contradiction, ts_event, out);
        }
        return Ok(());
    }
    if !is_list && is_snapshot {
        // Of a book that has not begun.
        return Err(DecodeError::NotSnapshot);
    }
    let mut read = |scanner: &mut Scanner<'_>| match channel.kind {
        Kind::Orders { .. } => orders::row(scanner, bytes, route, is_snapshot, out),
        _ => row(scanner, bytes, route, out),
    };
    if is_list {
        items(rows, bytes, "BOOK", read)?;
    } else {
        read(&mut Scanner::new(bytes, rows.start as usize))?;
    }
    let (levels, orders) = (out.levels_added(), out.orders_added());
    let seq = VenueSeq::at(number);
    let (body, longer, len) = match channel.kind {
        Kind::Orders { len } if is_snapshot => {
            let body = Body::OrderBook(number, Part::Whole, Coverage::Orders(len), orders);
            (body, orders::longer(out.order_changes(orders)), len)
        }
        Kind::Orders { len } => (Body::Orders(number, orders), 0, len),
        Kind::Levels { len } if is_snapshot => {
            let sides = out.levels(levels);
            let body = Body::Book(seq, levels, Coverage::Depth(len), Origin::Stream);
            (body, sides.bids.len().max(sides.asks.len()), len)
        }
        Kind::Levels { len } => (Body::Levels(seq, levels), 0, len),
        _ => return Ok(()),
    };
    if longer > len as usize {
        return Err(DecodeError::UnknownDepth { levels: longer as u32 });
    }
    if if is_snapshot { channels.begin(id) } else { channel.is_followed } {
        out.push(route.slot, ts_event, body);
    } else {
        out.forget_added();
    }
    Ok(())
}

/// The venue's checksum of a book that a channel has told.
pub(super) fn check(
    channel: &Channel,
    check: Token,
    ts_event: TimeNs,
    bytes: &[u8],
    route: Route,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let check = signed_32(check, bytes, "CHECKSUM")?.cast_unsigned();
    if channel.is_followed {
        let body = match channel.kind {
            Kind::Orders { .. } => Body::CheckOrders(check),
            _ => Body::CheckLevels(check),
        };
        out.push(route.slot, ts_event, body);
    }
    Ok(())
}

/// Whether rows stand in it, or it is one.
fn is_list(rows: Token, bytes: &[u8]) -> bool {
    let mut inner = rows.of(bytes).iter().skip(1).filter(|byte| !byte.is_ascii_whitespace());
    matches!(inner.next(), Some(b'[' | b']'))
}

/// One row.
fn row(scanner: &mut Scanner<'_>, bytes: &[u8], route: Route, out: &mut Events) -> Result<(), DecodeError> {
    let at = scanner.at();
    if out.levels_added().len() >= FRAME_LEVELS_MAX {
        return Err(DecodeError::TooManyLevels { at });
    }
    let ([price, count, amount], found) = values::<3>(scanner)?;
    if found < 3 {
        return Err(DecodeError::BadLevel { at });
    }
    let price = price_above_zero(price, bytes, "PRICE", route.price_exponent)?;
    let count = unsigned(count, bytes, "COUNT")?;
    let (side, amount) = signed(amount, bytes)?;
    let qty = decimal(amount, bytes, "AMOUNT", route.qty_exponent, Scaled::Qty)?;
    if qty == 0 {
        return Err(DecodeError::BadLevel { at });
    }
    let level = Level { price, qty: Qty(if count == 0 { 0 } else { qty }) };
    match side {
        Side::Bid => out.bids().push(level),
        Side::Ask => out.asks().push(level),
    }
    Ok(())
}

/// The side of an amount, and the amount without its sign.
pub(super) fn signed(amount: Token, bytes: &[u8]) -> Result<(Side, Token), DecodeError> {
    is(amount, JsonKind::Number, "AMOUNT", "a number")?;
    Ok(match amount.of(bytes).first() {
        Some(b'-') => (Side::Ask, Token { start: amount.start + 1, ..amount }),
        _ => (Side::Bid, amount),
    })
}

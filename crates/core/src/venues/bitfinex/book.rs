//! Books of levels: rows of price, count and amount.

use super::channel::{Channels, Kind};
use super::lose;
use crate::decode::json::{Kind as JsonKind, Scanner, Token};
use crate::decode::levels::{decimal, price_above_zero};
use crate::decode::members::{is, items, unsigned, values};
use crate::decode::{DecodeError, FRAME_LEVELS_MAX, Scaled};
use crate::types::{Body, Coverage, Events, Level, Origin, Qty, Route, Side, StaleReason, TimeNs, VenueSeq};

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
    if is_list {
        items(rows, bytes, "BOOK", |scanner| row(scanner, bytes, route, out))?;
    } else {
        row(&mut Scanner::new(bytes, rows.start as usize), bytes, route, out)?;
    }
    let span = out.levels_added();
    let seq = VenueSeq::at(number);
    if !is_snapshot {
        if channel.is_followed {
            out.push(route.slot, ts_event, Body::Levels(seq, span));
        } else {
            out.forget_added();
        }
        return Ok(());
    }
    let Kind::Levels { len } = channel.kind else { return Ok(()) };
    let sides = out.levels(span);
    let longer = sides.bids.len().max(sides.asks.len()) as u32;
    if longer > len {
        return Err(DecodeError::UnknownDepth { levels: longer });
    }
    if channels.begin(id) {
        out.push(route.slot, ts_event, Body::Book(seq, span, Coverage::Depth(len), Origin::Stream));
    } else {
        out.forget_added();
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

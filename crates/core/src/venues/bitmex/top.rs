//! `orderBook10`: rule 4.

use super::{Action, Bitmex, Message, is_filtered, lose};
use crate::decode::date_time::{Minute, time};
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::levels::{decimal, price_above_zero};
use crate::decode::members::{each, items, members, symbol, values};
use crate::decode::{DecodeError, Scaled};
use crate::types::{
    Body, Coverage, Events, Level, Origin, Qty, Route, Routes, Scope, Slot, StaleReason, VenueSeq,
};
use crate::venues::deepest::Deepest;
use crate::venues::room::At;

/// Levels a side.
pub(super) const DEPTH: u32 = 10;

/// What becomes of an instrument's book by a message, once all of it has been read.
pub(super) type Told = (Slot, Deepest, bool);

/// A message of the table.
pub(super) fn read(
    room: &mut Bitmex,
    bytes: &[u8],
    message: Message,
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let Bitmex { books, told, has_all, .. } = room;
    told.clear();
    let mut minute = Minute::default();
    let filter = message.symbol(bytes)?;
    each(message.data, bytes, "data", |scanner| {
        let keys = ["symbol", "bids", "asks", "timestamp"];
        let [name, bids, asks, timestamp] = members(scanner, bytes, &keys)?;
        is_filtered(filter.as_ref(), true, name, bytes, routes, out)?;
        let (route, symbol) = symbol(name, bytes, "symbol", routes)?;
        let Some(route) = route else { return Ok(Some(symbol)) };
        out.concerns(if *has_all { Scope::All } else { Scope::Book(route.slot) });
        out.speaks_of(route.slot);
        let ts_event = time(&mut minute, timestamp, bytes, "timestamp")?;
        let known = books.get(route.slot);
        let mut deepest = known.map_or_else(Deepest::default, |book| book.deepest);
        let is_whole = message.action == Action::Partial || deepest.depth().is_none();
        let counts = deepest.counts(DEPTH, is_whole);
        let is_over = message.action == Action::Delete;
        if is_over {
            if counts {
                lose(route.slot, StaleReason::SourceFailed, At::default(), out);
            }
        } else {
            let may_be_left_out = message.action != Action::Update;
            side(bids, bytes, ("bids", may_be_left_out), route, out.bids())?;
            side(asks, bytes, ("asks", may_be_left_out), route, out.asks())?;
            if counts {
                let seq = VenueSeq::at(ts_event / 1_000_000);
                // A subscription begins anew, whatever time was read before: a digit of that may have been damaged.
                let origin =
                    if message.action == Action::Partial { Origin::Stream } else { Origin::Restated };
                let body = Body::Book(seq, out.levels_added(), Coverage::Depth(DEPTH), origin);
                out.push(route.slot, ts_event, body);
            } else {
                out.forget_added();
            }
        }
        told.push((route.slot, deepest, counts && !is_over));
        Ok(None)
    })?;
    let mut told = std::mem::take(told);
    for (slot, deepest, is_begun) in told.drain(..) {
        let book = room.book(slot);
        book.deepest = deepest;
        book.is_begun |= is_begun;
    }
    room.told = told;
    Ok(())
}

/// The levels of a side.
fn side(
    token: Token,
    bytes: &[u8],
    (field, may_be_left_out): (&'static str, bool),
    route: Route,
    out: &mut Vec<Level>,
) -> Result<(), DecodeError> {
    if may_be_left_out && matches!(token.kind, Kind::Absent | Kind::Null) {
        return Ok(());
    }
    let mut left = DEPTH;
    items(token, bytes, field, |scanner: &mut Scanner<'_>| {
        let at = scanner.at();
        left = left.checked_sub(1).ok_or(DecodeError::TooManyLevels { at })?;
        let ([price, size], 2) = values(scanner)? else { return Err(DecodeError::BadLevel { at }) };
        let price = price_above_zero(price, bytes, "price", route.price_exponent)?;
        out.push(Level { price, qty: Qty(decimal(size, bytes, "size", route.qty_exponent, Scaled::Qty)?) });
        Ok(())
    })
}

//! Books of levels, and what changes of them (rule 2).

use super::{Coinbase, Envelope};
use crate::decode::date_time::time;
use crate::decode::json::{Scanner, Token};
use crate::decode::levels::{decimal, price_above_zero};
use crate::decode::members::{each, items, members, symbol, text};
use crate::decode::{DecodeError, FRAME_LEVELS_MAX, Scaled, SymbolText};
use crate::types::{
    Body, Coverage, Events, Level, LevelSpan, Origin, Qty, Route, Routes, Scope, Side, TimeNs, VenueSeq,
};

/// The events of a message.
pub(super) fn events(
    room: &mut Coinbase,
    bytes: &[u8],
    envelope: Envelope,
    events: Token,
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let mut taken = 0;
    each(events, bytes, "events", |scanner| event(room, bytes, envelope, scanner, &mut taken, routes, out))
}

fn event(
    room: &mut Coinbase,
    bytes: &[u8],
    Envelope { number, sent_at }: Envelope,
    scanner: &mut Scanner<'_>,
    taken: &mut usize,
    routes: &Routes,
    out: &mut Events,
) -> Result<Option<SymbolText>, DecodeError> {
    let [kind, name, updates] = members(scanner, bytes, &["type", "product_id", "updates"])?;
    let (route, symbol) = symbol(name, bytes, "product_id", routes)?;
    let Some(route) = route else { return Ok(Some(symbol)) };
    out.concerns(Scope::Book(route.slot));
    out.speaks_of(route.slot);
    let is_snapshot = match text(kind, bytes, "type")? {
        b"snapshot" => true,
        b"update" => false,
        _ => return Err(wrong(kind, "type", "snapshot or update")),
    };
    let (mut changed_at, mut is_first) = (0, true);
    items(updates, bytes, "updates", |scanner| {
        if *taken >= FRAME_LEVELS_MAX {
            return Err(DecodeError::TooManyLevels { at: scanner.at() });
        }
        *taken += 1;
        let (side, level, at) = change(bytes, scanner, route)?;
        if std::mem::take(&mut is_first) {
            changed_at = time(&mut room.minute, at, bytes, "event_time")?;
        }
        side_of(side, out).push(level);
        Ok(())
    })?;
    let body = body(is_snapshot, number, out.levels_added());
    out.push(route.slot, event_time(changed_at, sent_at), body);
    room.told(route.slot);
    Ok(None)
}

/// A change, and its time's place.
fn change(
    bytes: &[u8],
    scanner: &mut Scanner<'_>,
    route: Route,
) -> Result<(Side, Level, Token), DecodeError> {
    let keys = ["side", "event_time", "price_level", "new_quantity"];
    let [side, event_time, price, qty] = members(scanner, bytes, &keys)?;
    let price = price_above_zero(price, bytes, "price_level", route.price_exponent)?;
    let qty = Qty(decimal(qty, bytes, "new_quantity", route.qty_exponent, Scaled::Qty)?);
    let side = match text(side, bytes, "side")? {
        b"bid" => Side::Bid,
        b"offer" => Side::Ask,
        _ => return Err(wrong(side, "side", "bid or offer")),
    };
    Ok((side, Level { price, qty }, event_time))
}

/// The levels of a side, to be appended to.
#[inline]
pub(super) const fn side_of(side: Side, out: &mut Events) -> &mut Vec<Level> {
    match side {
        Side::Bid => out.bids(),
        Side::Ask => out.asks(),
    }
}

/// What levels of a message with this number say.
#[inline]
pub(super) const fn body(is_snapshot: bool, number: u64, span: LevelSpan) -> Body {
    if is_snapshot {
        Body::Book(VenueSeq::at(number), span, Coverage::Whole, Origin::Stream)
    } else {
        Body::Levels(VenueSeq::at(number), span)
    }
}

/// A word of which only some have a meaning.
const fn wrong(token: Token, field: &'static str, expected: &'static str) -> DecodeError {
    DecodeError::WrongType { at: token.start, field, expected, got: "another text" }
}

/// When a book changed: the time of its first change, else that of the message.
#[inline]
pub(super) const fn event_time(changed_at: TimeNs, sent_at: TimeNs) -> TimeNs {
    if changed_at == 0 { sent_at } else { changed_at }
}

//! Deltas of the book that counts, in the two forms in which the venue prints them: the short way through a frame.
//!
//! Anything else gives `None` and is read the general way.

use super::Bybit;
use crate::decode::printed::Printed;
use crate::decode::{FRAME_BYTES_MAX, SYMBOL_BYTES_MAX};
use crate::types::{Body, Events, Route, Routes, VenueSeq};

/// Appends the event of a whole frame. With `None`, `out` may hold levels that mean nothing.
#[inline]
pub(super) fn delta(room: &mut Bybit, bytes: &[u8], routes: &Routes, out: &mut Events) -> Option<()> {
    if bytes.len() > FRAME_BYTES_MAX {
        return None;
    }
    let mut text = Printed::new(bytes, 0);
    text.literal(b"{\"topic\":\"orderbook.")?;
    let depth = u32::try_from(text.integer()?).ok()?;
    text.literal(b".")?;
    let route = symbol_end(&mut text, routes)?;
    let ts = if text.literal(b",\"ts\":").is_some() {
        let ts = text.integer()?;
        text.literal(b",\"type\":\"delta\"")?;
        ts
    } else {
        text.literal(b",\"type\":\"delta\",\"ts\":")?;
        text.integer()?
    };
    text.literal(b",\"data\":{\"s\":\"")?;
    if symbol_end(&mut text, routes)?.slot != route.slot || !room.followed(route.slot).is_at(depth) {
        return None;
    }
    text.literal(b",\"b\":")?;
    text.levels(route, 0, out.bids())?;
    text.literal(b",\"a\":")?;
    let taken = out.levels_added().len();
    text.levels(route, taken, out.asks())?;
    text.literal(b",\"u\":")?;
    let number = text.integer()?;
    text.literal(b",\"seq\":")?;
    text.integer()?;
    text.literal(b"},\"cts\":")?;
    // Of the two times that of the matching engine counts, but both must be times.
    let ts_event = [ts, text.integer()?].map(|ms| ms.checked_mul(1_000_000));
    let [Some(_), Some(ts_event)] = ts_event else { return None };
    text.literal(b"}")?;
    if !text.is_at_end() {
        return None;
    }
    let body = Body::Levels(VenueSeq::at(number), out.levels_added());
    out.push(route.slot, ts_event, body);
    room.followed(route.slot).heard(depth);
    Some(())
}

/// The route of the symbol up to the quote.
#[inline]
fn symbol_end(text: &mut Printed<'_>, routes: &Routes) -> Option<Route> {
    if let Some(route) = routes.likely().and_then(|code| text.code_end(code)) {
        return Some(route);
    }
    let symbol = text.string_end()?;
    if symbol.len() > SYMBOL_BYTES_MAX { None } else { routes.find(symbol) }
}

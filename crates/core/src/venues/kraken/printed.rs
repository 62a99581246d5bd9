//! Updates of books of levels in the one form in which version 2 prints them: the short way through a frame.
//!
//! Anything else gives `None` and is read the general way.

use crate::decode::date_time::Minute;
use crate::decode::printed::Printed;
use crate::decode::{FRAME_BYTES_MAX, FRAME_LEVELS_MAX, SYMBOL_BYTES_MAX};
use crate::types::{Aggressor, Body, Events, Level, Route, Routes, Slot, TimeNs, VenueSeq};

/// A whole frame, whose levels are appended already.
pub(super) struct BookUpdate {
    pub(super) slot: Slot,
    pub(super) ts_event: TimeNs,
    checksum: u32,
}

impl BookUpdate {
    /// Appends its events.
    #[inline]
    pub(super) fn push(&self, out: &mut Events) {
        let span = out.levels_added();
        out.push(self.slot, self.ts_event, Body::Levels(VenueSeq::default(), span));
        out.push(self.slot, self.ts_event, Body::Check(self.checksum));
    }
}

/// Reads a whole frame and appends its levels. With `None`, `out` may hold levels that mean nothing.
#[inline]
pub(super) fn book_update(
    bytes: &[u8],
    minute: &mut Minute,
    routes: &Routes,
    out: &mut Events,
) -> Option<BookUpdate> {
    if bytes.len() > FRAME_BYTES_MAX {
        return None;
    }
    let mut text = Printed::new(bytes, 0);
    text.literal(b"{\"channel\":\"book\",\"type\":\"update\",\"data\":[{\"symbol\":\"")?;
    let symbol = text.string_end()?;
    if symbol.len() > SYMBOL_BYTES_MAX {
        return None;
    }
    let route = routes.find(symbol)?;
    text.literal(b",\"bids\":")?;
    levels(&mut text, route, FRAME_LEVELS_MAX, out.bids())?;
    let left = FRAME_LEVELS_MAX - out.levels_added().len();
    text.literal(b",\"asks\":")?;
    levels(&mut text, route, left, out.asks())?;
    text.literal(b",\"checksum\":")?;
    let checksum = u32::try_from(text.integer()?).ok()?;
    text.literal(b",\"timestamp\":\"")?;
    let ts_event = minute.time(text.string_end()?)?;
    text.literal(b"}]}")?;
    text.is_at_end().then_some(BookUpdate { slot: route.slot, ts_event, checksum })
}

/// An array of levels, at most `count`.
#[inline]
fn levels(text: &mut Printed<'_>, route: Route, count: usize, out: &mut Vec<Level>) -> Option<()> {
    text.literal(b"[")?;
    if text.literal(b"]").is_some() {
        return Some(());
    }
    let len_max = out.len() + count;
    loop {
        if out.len() >= len_max {
            return None;
        }
        text.literal(b"{\"price\":")?;
        let price = text.number(route.price_exponent).filter(|price| *price != 0)?;
        text.literal(b",\"qty\":")?;
        let qty = text.number(route.qty_exponent)?;
        out.push(Level::new(price, qty));
        if text.literal(b"},").is_none() {
            return text.literal(b"}]");
        }
    }
}

/// Who took, by the side of the trade.
pub(super) fn trade_side(side: &[u8]) -> Aggressor {
    match side {
        b"buy" | b"b" => Aggressor::Buy,
        b"sell" | b"s" => Aggressor::Sell,
        _ => Aggressor::Unknown,
    }
}

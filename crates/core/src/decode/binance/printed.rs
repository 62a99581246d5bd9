//! Depth updates, tickers and trades in the one form in which the venue prints each: the short way through a frame.
//!
//! The products differ by keys that come or do not: `T`, `ps` and `pu` are those of futures. Anything else, another
//! order of keys or an older form of a message among it, gives `None` and is read the general way.

use super::fields::time_ns;
use crate::decode::printed::Printed;
use crate::decode::{FRAME_BYTES_MAX, Listing, Listings, SYMBOL_BYTES_MAX};
use crate::types::{Aggressor, DepthUpdate, Event, Level, Levels, Price, Qty, Ticker, Trade, TradeKind};

/// The event of a whole frame. With `None`, `out` may hold levels that mean nothing.
#[inline]
pub(super) fn decode(bytes: &[u8], listings: &impl Listings, out: &mut Levels) -> Option<Event> {
    if bytes.len() > FRAME_BYTES_MAX {
        return None;
    }
    let mut text = Printed::new(bytes, 0);
    let is_combined = text.literal(b"{\"stream\":\"").is_some();
    let mut is_public_book = true;
    if is_combined {
        // Rule 3: the kind is what stands between the first `@` and the next, or the end.
        text.until_at_sign()?;
        is_public_book = text.is_next(b"@depth@") || text.is_next(b"@depth\"");
        text.string_end()?;
        text.literal(b",\"data\":")?;
    }
    text.literal(b"{")?;
    let event = if text.literal(b"\"u\":").is_some() {
        ticker(&mut text, listings)?
    } else {
        text.literal(b"\"e\":\"")?;
        if text.literal(b"bookTicker\",\"u\":").is_some() {
            ticker(&mut text, listings)?
        } else if is_public_book && text.literal(b"depthUpdate\",\"E\":").is_some() {
            depth_update(&mut text, listings, out)?
        } else {
            text.literal(b"trade\",\"E\":")?;
            trade(&mut text, listings)?
        }
    };
    text.literal(b"}")?;
    if is_combined {
        text.literal(b"}")?;
    }
    text.is_at_end().then_some(event)
}

/// From the value of `E` to the last level.
#[inline]
fn depth_update(text: &mut Printed<'_>, listings: &impl Listings, out: &mut Levels) -> Option<Event> {
    let mut time = text.integer()?;
    if text.literal(b",\"T\":").is_some() {
        time = text.integer()?;
    }
    text.literal(b",\"s\":\"")?;
    let listing = symbol_end(text, listings)?;
    if text.literal(b",\"ps\":\"").is_some() {
        text.string_end()?;
    }
    text.literal(b",\"U\":")?;
    let first_id = text.integer()?;
    text.literal(b",\"u\":")?;
    let last_id = text.integer()?;
    let prev_id = if text.literal(b",\"pu\":").is_some() { Some(text.integer()?) } else { None };
    text.literal(b",\"b\":")?;
    text.levels(listing, 0, &mut out.bids)?;
    text.literal(b",\"a\":")?;
    text.levels(listing, out.bids.len(), &mut out.asks)?;
    let ts_event = time_ns(time)?;
    let update = DepthUpdate { instrument: listing.id, first_id, last_id, prev_id, ts_event };
    (first_id <= last_id).then_some(Event::Depth(update))
}

/// From the value of `u` to the end.
#[inline]
fn ticker(text: &mut Printed<'_>, listings: &impl Listings) -> Option<Event> {
    let last_id = text.integer()?;
    if text.literal(b",\"e\":\"").is_some() {
        text.literal(b"bookTicker\"")?;
    }
    text.literal(b",\"s\":\"")?;
    let listing = symbol_end(text, listings)?;
    if text.literal(b",\"ps\":\"").is_some() {
        text.string_end()?;
    }
    text.literal(b",\"b\":\"")?;
    let bid_price = price_end(text, listing)?;
    text.literal(b",\"B\":\"")?;
    let bid = Level { price: bid_price, qty: qty_end(text, listing)? };
    text.literal(b",\"a\":\"")?;
    let ask_price = price_end(text, listing)?;
    text.literal(b",\"A\":\"")?;
    let ask = Level { price: ask_price, qty: qty_end(text, listing)? };
    let mut ts_event = 0;
    if text.literal(b",\"T\":").is_some() {
        ts_event = time_ns(text.integer()?)?;
        text.literal(b",\"E\":")?;
        text.integer()?;
    }
    Some(Event::Ticker(Ticker { instrument: listing.id, last_id, bid, ask, ts_event }))
}

/// From the value of `E` to the end. Futures print `T` before the symbol, spot behind the quantity.
#[inline]
fn trade(text: &mut Printed<'_>, listings: &impl Listings) -> Option<Event> {
    text.integer()?;
    let futures_time = if text.literal(b",\"T\":").is_some() { Some(text.integer()?) } else { None };
    text.literal(b",\"s\":\"")?;
    let listing = symbol_end(text, listings)?;
    text.literal(b",\"t\":")?;
    let id = text.integer()?;
    text.literal(b",\"p\":\"")?;
    let price = price_end(text, listing)?;
    text.literal(b",\"q\":\"")?;
    let qty = qty_end(text, listing)?;
    let time = match futures_time {
        Some(time) => {
            // Rule 5: only what is surely a trade.
            text.literal(b",\"X\":\"MARKET\"")?;
            time
        }
        None => {
            text.literal(b",\"T\":")?;
            text.integer()?
        }
    };
    text.literal(b",\"m\":")?;
    let aggressor = if text.literal(b"true").is_some() {
        Aggressor::Sell
    } else {
        text.literal(b"false")?;
        Aggressor::Buy
    };
    if futures_time.is_none() {
        text.literal(b",\"M\":true")?;
    }
    let (instrument, kind, ts_event) = (listing.id, TradeKind::Single, time_ns(time)?);
    Some(Event::Trade(Trade { instrument, kind, id, price, qty, aggressor, ts_event }))
}

/// The listing of the symbol whose opening quote has been read.
#[inline]
fn symbol_end(text: &mut Printed<'_>, listings: &impl Listings) -> Option<Listing> {
    let symbol = text.string_end()?;
    if symbol.len() > SYMBOL_BYTES_MAX { None } else { listings.find(symbol) }
}

/// A price above zero: the empty side of a ticker goes the general way.
#[inline]
fn price_end(text: &mut Printed<'_>, listing: Listing) -> Option<Price> {
    text.decimal_end(listing.price_exponent).filter(|&price| price != 0).map(Price)
}

#[inline]
fn qty_end(text: &mut Printed<'_>, listing: Listing) -> Option<Qty> {
    text.decimal_end(listing.qty_exponent).map(Qty)
}

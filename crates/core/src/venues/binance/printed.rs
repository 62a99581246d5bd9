//! Depth updates, tickers and trades in the one form in which the venue prints each: the short way through a frame.
//!
//! The products differ by keys that come or do not: `T`, `ps` and `pu` are those of futures. Anything else, another
//! order of keys or an older form of a message among it, gives `None` and is read the general way.

use super::fields::time_ns;
use crate::decode::printed::Printed;
use crate::decode::{FRAME_BYTES_MAX, SYMBOL_BYTES_MAX};
use crate::types::{
    Aggressor, Body, Events, Level, Price, Qty, Route, Routes, Trade, TradeId, VenueBbo, VenueSeq,
};

/// What a whole frame says.
pub(super) enum Said {
    /// A change of a book or its top.
    Event,
    /// A trade, of the kind `trade`.
    Trade(Route),
}

/// Appends the event of a whole frame. `is_spot`: a top or a trade of futures is another's. With `None`, `out` holds no event more, but levels that mean nothing.
#[inline]
pub(super) fn decode(bytes: &[u8], is_spot: bool, routes: &Routes, out: &mut Events) -> Option<Said> {
    if bytes.len() > FRAME_BYTES_MAX {
        return None;
    }
    let mut text = Printed::new(bytes, 0);
    let is_combined = text.literal(b"{\"stream\":\"").is_some();
    let mut kind = None;
    let mut of_stream = None;
    if is_combined {
        // Rule 3: the kind is what stands between the first `@` and the next, or the end.
        if routes.likely().and_then(|code| text.lower_code_until_at_sign(code)).is_none() {
            let from = text.at() as usize;
            text.until_at_sign()?;
            of_stream = Some(bytes.get(from..text.at() as usize)?);
        }
        kind = Some(text);
        text.string_end()?;
        text.literal(b",\"data\":")?;
    }
    let stream = Stream { is_combined, other: of_stream };
    text.literal(b"{")?;
    let is_public_book = || kind.is_none_or(|kind| kind.is_next(b"@depth@") || kind.is_next(b"@depth\""));
    let said = if text.literal(b"\"u\":").is_some() {
        bbo(&mut text, is_spot, stream, routes, out)?
    } else {
        text.literal(b"\"e\":\"")?;
        if text.literal(b"bookTicker\",\"u\":").is_some() {
            bbo(&mut text, is_spot, stream, routes, out)?
        } else if text.literal(b"depthUpdate\",\"E\":").is_some() {
            if !is_public_book() {
                return None;
            }
            depth_update(&mut text, stream, routes, out)?
        } else {
            text.literal(b"trade\",\"E\":")?;
            trade(&mut text, is_spot, stream, routes, out)?
        }
    };
    Some(said)
}

/// What a frame says before its event.
#[derive(Clone, Copy)]
struct Stream<'a> {
    is_combined: bool,
    /// Its symbol, in lower case, where that is not of the likely code.
    other: Option<&'a [u8]>,
}

/// The end of a whole frame.
#[inline]
fn end(text: &mut Printed<'_>, is_combined: bool) -> Option<()> {
    text.literal(b"}")?;
    if is_combined {
        text.literal(b"}")?;
    }
    text.is_at_end().then_some(())
}

/// From the value of `E` to the last level.
#[inline]
fn depth_update(
    text: &mut Printed<'_>,
    stream: Stream<'_>,
    routes: &Routes,
    out: &mut Events,
) -> Option<Said> {
    let mut time = text.integer()?;
    if text.literal(b",\"T\":").is_some() {
        time = text.integer()?;
    }
    text.literal(b",\"s\":\"")?;
    let route = symbol_end(text, stream, routes)?;
    if text.literal(b",\"ps\":\"").is_some() {
        text.string_end()?;
    }
    text.literal(b",\"U\":")?;
    let first = text.integer()?;
    text.literal(b",\"u\":")?;
    let last = text.integer()?;
    let prev = if text.literal(b",\"pu\":").is_some() { Some(text.integer()?) } else { None };
    text.literal(b",\"b\":")?;
    text.levels(route, 0, out.bids())?;
    text.literal(b",\"a\":")?;
    let span = out.levels_added();
    text.levels(route, span.len(), out.asks())?;
    let ts_event = time_ns(time)?;
    if first > last {
        return None;
    }
    end(text, stream.is_combined)?;
    let body = Body::Levels(VenueSeq { first, last, prev }, out.levels_added());
    out.push(route.slot, ts_event, body);
    Some(Said::Event)
}

/// A top of book, from the value of `u` to the end.
#[inline]
fn bbo(
    text: &mut Printed<'_>,
    is_spot: bool,
    stream: Stream<'_>,
    routes: &Routes,
    out: &mut Events,
) -> Option<Said> {
    let venue_seq = text.integer()?;
    if text.literal(b",\"e\":\"").is_some() {
        text.literal(b"bookTicker\"")?;
    }
    text.literal(b",\"s\":\"")?;
    let route = symbol_end(text, stream, routes)?;
    if text.literal(b",\"ps\":\"").is_some() {
        text.string_end()?;
    }
    text.literal(b",\"b\":\"")?;
    let bid_price = price_end(text, route)?;
    text.literal(b",\"B\":\"")?;
    let bid = Level { price: bid_price, qty: qty_end(text, route)? };
    text.literal(b",\"a\":\"")?;
    let ask_price = price_end(text, route)?;
    text.literal(b",\"A\":\"")?;
    let ask = Level { price: ask_price, qty: qty_end(text, route)? };
    let mut ts_event = 0;
    if !is_spot && text.literal(b",\"T\":").is_some() {
        ts_event = time_ns(text.integer()?)?;
        text.literal(b",\"E\":")?;
        text.integer()?;
    }
    end(text, stream.is_combined)?;
    out.push(route.slot, ts_event, Body::Bbo(VenueBbo { venue_seq, bid, ask, ts_event }));
    Some(Said::Event)
}

/// From the value of `E` to the end. Futures print `T` before the symbol, spot behind the quantity.
#[inline]
fn trade(
    text: &mut Printed<'_>,
    is_spot: bool,
    stream: Stream<'_>,
    routes: &Routes,
    out: &mut Events,
) -> Option<Said> {
    text.integer()?;
    let futures_time =
        if !is_spot && text.literal(b",\"T\":").is_some() { Some(text.integer()?) } else { None };
    text.literal(b",\"s\":\"")?;
    let route = symbol_end(text, stream, routes)?;
    text.literal(b",\"t\":")?;
    let id = TradeId::Number(text.integer()?);
    text.literal(b",\"p\":\"")?;
    let price = price_end(text, route)?;
    text.literal(b",\"q\":\"")?;
    let qty = qty_end(text, route)?;
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
    let ts_event = time_ns(time)?;
    end(text, stream.is_combined)?;
    out.trades().push(Trade { id, price, qty, aggressor, ts_event, resting: None });
    let body = Body::Trades(out.trades_added());
    out.push(route.slot, ts_event, body);
    Some(Said::Trade(route))
}

/// The route of the symbol whose opening quote has been read, which must be that of the stream.
#[inline]
fn symbol_end(text: &mut Printed<'_>, stream: Stream<'_>, routes: &Routes) -> Option<Route> {
    let found = routes.likely().and_then(|code| text.code_end(code));
    match (found, stream.other) {
        (Some(route), None) => Some(route),
        // A stream of the likely code and another symbol.
        (None, None) if stream.is_combined => None,
        (None, other) => {
            let symbol = text.string_end().filter(|symbol| symbol.len() <= SYMBOL_BYTES_MAX)?;
            let is_of_stream = other.is_none_or(|other| other.eq_ignore_ascii_case(symbol));
            routes.find(symbol).filter(|_| is_of_stream)
        }
        (Some(_), Some(_)) => None,
    }
}

/// A price above zero: the empty side of a ticker goes the general way.
#[inline]
fn price_end(text: &mut Printed<'_>, route: Route) -> Option<Price> {
    text.decimal_end(route.price_exponent).filter(|&price| price != 0).map(Price)
}

#[inline]
fn qty_end(text: &mut Printed<'_>, route: Route) -> Option<Qty> {
    text.decimal_end(route.qty_exponent).map(Qty)
}

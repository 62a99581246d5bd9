//! The best prices with the day's figures (rule 4).

use super::{Envelope, entries};
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::levels::decimal;
use crate::decode::members::{members, symbol};
use crate::decode::{DecodeError, Scaled, SymbolText};
use crate::types::{Body, Events, Level, Price, Qty, Routes, Ticker, VenueBbo};

/// The events of a message.
pub(super) fn events(
    bytes: &[u8],
    envelope: Envelope,
    events: Token,
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    entries(events, bytes, "tickers", |scanner| ticker(bytes, envelope, scanner, routes, out))
}

/// What the venue does not know is absent or an empty text.
fn ticker(
    bytes: &[u8],
    Envelope { sent_at, .. }: Envelope,
    scanner: &mut Scanner<'_>,
    routes: &Routes,
    out: &mut Events,
) -> Result<Option<SymbolText>, DecodeError> {
    let keys = [
        "product_id",
        "price",
        "volume_24_h",
        "best_bid",
        "best_bid_quantity",
        "best_ask",
        "best_ask_quantity",
    ];
    let [name, last, volume, bid, bid_qty, ask, ask_qty] = members(scanner, bytes, &keys)?;
    let (route, symbol) = symbol(name, bytes, "product_id", routes)?;
    let Some(route) = route else { return Ok(Some(symbol)) };
    out.speaks_of(route.slot);
    let number = |token: Token, field, exponent, scaled| {
        let is_told = token.kind != Kind::Absent && !token.of(bytes).is_empty();
        is_told.then(|| decimal(token, bytes, field, exponent, scaled)).transpose()
    };
    let price = |token, field| number(token, field, route.price_exponent, Scaled::Price);
    let qty = |token, field| number(token, field, route.qty_exponent, Scaled::Qty);
    let best = (
        price(bid, "best_bid")?,
        qty(bid_qty, "best_bid_quantity")?,
        price(ask, "best_ask")?,
        qty(ask_qty, "best_ask_quantity")?,
    );
    if let (Some(bid), Some(bid_qty), Some(ask), Some(ask_qty)) = best {
        let (bid, ask) = (Level::new(bid, bid_qty), Level::new(ask, ask_qty));
        out.push(route.slot, sent_at, Body::Bbo(VenueBbo { venue_seq: 0, bid, ask, ts_event: sent_at }));
    }
    let ticker = Ticker {
        last: price(last, "price")?.map(Price),
        volume: qty(volume, "volume_24_h")?.map(Qty),
        ..Ticker::default()
    };
    let at = out.ticker_added(ticker);
    out.push(route.slot, sent_at, Body::Ticker(at));
    Ok(None)
}

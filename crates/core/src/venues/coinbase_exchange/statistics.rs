//! The best prices with the day's figures, and what products are.

use super::CoinbaseExchange;
use super::instruments::trading;
use crate::decode::date_time::time;
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::levels::{decimal, increment};
use crate::decode::members::{items, members, symbol};
use crate::decode::{DecodeError, Scaled};
use crate::types::{Body, Definition, Events, Level, Price, Qty, Routes, Ticker, VenueBbo};

/// A match, and the best prices behind it. Older messages have these without sizes.
pub(super) fn ticker(
    room: &mut CoinbaseExchange,
    bytes: &[u8],
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let keys = [
        "product_id",
        "price",
        "volume_24h",
        "best_bid",
        "best_bid_size",
        "best_ask",
        "best_ask_size",
        "time",
    ];
    let [name, last, volume, bid, bid_size, ask, ask_size, at] =
        members(&mut Scanner::new(bytes, 0), bytes, &keys)?;
    let (route, symbol) = symbol(name, bytes, "product_id", routes)?;
    let Some(route) = route else { return Err(DecodeError::UnknownSymbol { symbol }) };
    out.speaks_of(route.slot);
    let ts_event = time(&mut room.minute, at, bytes, "time")?;
    let number = |token: Token, field, exponent, scaled| {
        let is_told = token.kind != Kind::Absent && !token.of(bytes).is_empty();
        is_told.then(|| decimal(token, bytes, field, exponent, scaled)).transpose()
    };
    let price = |token, field| number(token, field, route.price_exponent, Scaled::Price);
    let qty = |token, field| number(token, field, route.qty_exponent, Scaled::Qty);
    let best = (
        price(bid, "best_bid")?,
        qty(bid_size, "best_bid_size")?,
        price(ask, "best_ask")?,
        qty(ask_size, "best_ask_size")?,
    );
    if let (Some(bid), Some(bid_size), Some(ask), Some(ask_size)) = best {
        let (bid, ask) = (Level::new(bid, bid_size), Level::new(ask, ask_size));
        out.push(route.slot, ts_event, Body::Bbo(VenueBbo { venue_seq: 0, bid, ask, ts_event }));
    }
    let ticker = Ticker {
        last: price(last, "price")?.map(Price),
        volume: qty(volume, "volume_24h")?.map(Qty),
        ..Ticker::default()
    };
    let at = out.ticker_added(ticker);
    out.push(route.slot, ts_event, Body::Ticker(at));
    Ok(())
}

/// All products of the venue, of which those that are carried count.
pub(super) fn status(
    bytes: &[u8],
    products: Token,
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    items(products, bytes, "products", |scanner| {
        let keys = [
            "id",
            "quote_increment",
            "base_increment",
            "status",
            "trading_disabled",
            "auction_mode",
            "cancel_only",
            "limit_only",
            "post_only",
        ];
        let [name, tick, lot, status, marks @ ..] = members(scanner, bytes, &keys)?;
        let Some(route) = symbol(name, bytes, "id", routes)?.0 else { return Ok(()) };
        let (price_digits, tick_size) = increment(tick, bytes, "quote_increment")?;
        let (qty_digits, lot_size) = increment(lot, bytes, "base_increment")?;
        let definition = Definition { price_digits, qty_digits, tick_size, lot_size };
        out.push(route.slot, 0, Body::Definition(definition));
        out.push(route.slot, 0, Body::Trading(trading(status.of(bytes), marks)));
        Ok(())
    })
}

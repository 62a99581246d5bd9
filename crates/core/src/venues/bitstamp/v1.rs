//! Messages of version 1 of the venue's WebSocket, as recordings of it keep them: an event's name, a space, what it says.
//!
//! Source: bitstamp.net/websocket of 2013 to 2018 ("Live ticker", "Live order book", "Live orders"); recorded messages decide where
//! it is silent:
//! 1. The channels `live_trades`, `order_book` and `live_orders` speak of BTC/USD, and name no pair.
//! 2. `order_book` tells the best twenty levels a side whole. Nothing numbers or times it, nor anything else but the `datetime` of an
//!    order, which is when it was made.
//! 3. `order_created`, `order_changed` and `order_deleted` tell an order with what is left of it. A deletion may come before its
//!    creation. No image precedes them, so orders of before are never told: a book of them is never whole.
//! 4. `trade` has its price and amount as binary floating point numbers with all their digits: of two decimals and of eight, as orders
//!    have them. It may come behind one with a higher number, and has no time.

use super::orders::{self, Verb};
use super::reader::levels;
use super::{Bitstamp, scalars};
use crate::decode::json::{Scanner, Token};
use crate::decode::levels::decimal;
use crate::decode::members::{members, unsigned};
use crate::decode::{DecodeError, Scaled, SymbolText, decimal_digits};
use crate::types::{
    Aggressor, Body, Coverage, DecimalError, Events, Origin, POW10, Price, Qty, Route, Routes, Scope, Trade,
    VenueSeq,
};

/// Rule 1.
pub(super) const PAIR: &[u8] = b"btcusd";

/// Rule 2.
const DEPTH: u32 = 20;

/// Rule 4.
const PRICE_DIGITS: u8 = 2;
const QTY_DIGITS: u8 = 8;

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Book,
    Order(Verb),
    Trade,
}

/// The event of a message of this version, and where what it says begins.
pub(super) fn event(bytes: &[u8]) -> Option<(Event, usize)> {
    let len = bytes.iter().take_while(|byte| matches!(byte, b'a'..=b'z' | b'_')).count();
    let event = match bytes.get(..len)? {
        b"order_book" => Event::Book,
        b"trade" => Event::Trade,
        name => Event::Order(Verb::of(name)?),
    };
    Some((event, len))
}

/// Reads a message.
pub(super) fn message(
    room: &mut Bitstamp,
    (event, start): (Event, usize),
    bytes: &[u8],
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let route = routes.find(PAIR).ok_or(DecodeError::UnknownSymbol { symbol: SymbolText::new(PAIR) })?;
    if event == Event::Book {
        out.concerns(Scope::Book(route.slot));
    }
    out.speaks_of(route.slot);
    let mut scanner = Scanner::new(bytes, start);
    let body = match event {
        Event::Book => {
            let sides = members(&mut scanner, bytes, &["bids", "asks"])?;
            let span = levels(sides, route, bytes, out)?;
            room.heard(route.slot).is_whole = true;
            Body::Book(VenueSeq::default(), span, Coverage::Depth(DEPTH), Origin::Restated)
        }
        Event::Order(verb) => {
            let keys = ["id", "order_type", "price", "amount"];
            let [id, side, price, qty] = members(&mut scanner, bytes, &keys)?;
            let order = [(id, "id"), (side, "order_type"), (price, "price"), (qty, "amount")];
            let change = orders::change(verb, order, bytes, route)?;
            out.orders().push(change);
            Body::Orders(0, out.orders_added())
        }
        Event::Trade => {
            let trade = trade(&mut scanner, bytes, route, out)?;
            out.trades().push(trade);
            Body::Trades(out.trades_added())
        }
    };
    scanner.finish()?;
    scalars::are_whole(bytes, start)?;
    out.push(route.slot, 0, body);
    Ok(())
}

/// Rule 4. Numbers that go back, without a time, would be taken for repetitions: they name the trade as texts.
fn trade(
    scanner: &mut Scanner<'_>,
    bytes: &[u8],
    route: Route,
    out: &mut Events,
) -> Result<Trade, DecodeError> {
    let [id, price, qty] = members(scanner, bytes, &["id", "price", "amount"])?;
    unsigned(id, bytes, "id")?;
    let read =
        |token, field, digits, exponent, scaled| nearest(token, bytes, field, digits, exponent, scaled);
    let price = match read(price, "price", PRICE_DIGITS, route.price_exponent, Scaled::Price)? {
        0 => return Err(DecodeError::ZeroPrice { at: price.start }),
        price => Price(price),
    };
    let qty = Qty(read(qty, "amount", QTY_DIGITS, route.qty_exponent, Scaled::Qty)?);
    let (id, aggressor) = (out.trade_text(id.of(bytes)), Aggressor::Unknown);
    Ok(Trade { id, price, qty, aggressor, ts_event: 0, resting: None })
}

/// The decimal of so many digits that a binary floating point number stands for.
fn nearest(
    token: Token,
    bytes: &[u8],
    field: &'static str,
    digits: u8,
    exponent: i8,
    scaled: Scaled,
) -> Result<i64, DecodeError> {
    let places = decimal_digits(token.of(bytes)).map_or(0, |(_, places)| places);
    let Some(finer) = places.checked_sub(usize::from(digits)).filter(|finer| *finer > 0) else {
        return decimal(token, bytes, field, exponent, scaled);
    };
    let bad = |cause| DecodeError::BadNumber { at: token.start, field, cause, scaled };
    let printed = i8::try_from(places).map_err(|_| bad(DecimalError::Overflow))?;
    let exact = decimal(token, bytes, field, -printed, Scaled::No)?;
    // Below the last digit by so much it is nothing.
    let rounded = POW10.get(finer).map_or(0, |unit| exact / unit + i64::from(exact % unit >= unit / 2));
    let coarser = usize::from((exponent + digits as i8).unsigned_abs());
    let factor = *POW10.get(coarser).ok_or(bad(DecimalError::Overflow))?;
    if exponent <= -(digits as i8) {
        rounded.checked_mul(factor).ok_or(bad(DecimalError::Overflow))
    } else if rounded % factor == 0 {
        Ok(rounded / factor)
    } else {
        Err(bad(DecimalError::Inexact))
    }
}

//! Messages and answers.

use super::orders::{self, Verb};
use super::{Bitstamp, Heard, lose, scalars, v1};
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::levels::{decimal, price_above_zero, read_levels};
use crate::decode::members::{is, members, text, unsigned, values};
use crate::decode::{DecodeError, SYMBOL_BYTES_MAX, Scaled, SymbolText};
use crate::types::{
    Aggressor, Body, Coverage, Events, LevelSpan, Origin, Qty, Route, Routes, Scope, StaleReason, TimeNs,
    Trade, TradeId, VenueSeq,
};
use crate::venues::room::Asked;

const US_NS: u64 = 1_000;

const DIFFERENCES: &[u8] = b"diff_order_book_";
const BEST: &[u8] = b"order_book_";
const TRADES: &[u8] = b"live_trades_";
const ORDERS: &[u8] = b"live_orders_";

/// Levels a side of a book that is told whole (rule 8).
const DEPTH: u32 = 100;

/// A message, or a book as a recorder has put it among them.
pub(super) fn message(
    room: &mut Bitstamp,
    bytes: &[u8],
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    if let Some(event) = v1::event(bytes) {
        return v1::message(room, event, bytes, routes, out);
    }
    let mut scanner = Scanner::new(bytes, 0);
    let keys = ["event", "channel", "data", "microtimestamp", "bids", "asks", "event_id", "pre_event_id"];
    let [event, channel, data, time, bids, asks, id, before] = members(&mut scanner, bytes, &keys)?;
    scanner.finish()?;
    scalars::are_whole(bytes, 0)?;
    if event.kind == Kind::Absent && bids.kind == Kind::Array {
        let route = routes.sole().filter(|_| !room.has_orders).ok_or(DecodeError::AmbiguousSnapshot)?;
        return book([time, bids, asks], route, Origin::Anonymous, bytes, out);
    }
    let channel = text(channel, bytes, "channel")?;
    match text(event, bytes, "event")? {
        b"data" if !room.has_orders => {
            match (channel.strip_prefix(DIFFERENCES), channel.strip_prefix(BEST)) {
                (Some(pair), _) => differences(room, data, route_of(pair, routes)?, bytes, out),
                (_, Some(pair)) => best(room, data, route_of(pair, routes)?, bytes, out),
                _ => Ok(()),
            }
        }
        name @ (b"bts:subscription_succeeded" | b"bts:unsubscription_succeeded") => {
            if let Some(route) = channel.strip_prefix(DIFFERENCES).and_then(|pair| routes.find(pair)) {
                let heard = room.heard(route.slot);
                heard.has_differences = name == b"bts:subscription_succeeded";
                if std::mem::take(&mut heard.is_whole) {
                    out.push(route.slot, 0, Body::Restart(Scope::Book(route.slot)));
                }
            }
            Ok(())
        }
        b"trade" => match channel.strip_prefix(TRADES) {
            Some(pair) => trade(data, route_of(pair, routes)?, bytes, out),
            None => Ok(()),
        },
        b"bts:error" => {
            is(data, Kind::Object, "data", "an object")?;
            let [message] = members(&mut Scanner::new(bytes, data.start as usize), bytes, &["message"])?;
            Err(DecodeError::Refused { text: SymbolText::new(message.of(bytes)) })
        }
        event => match (Verb::of(event), channel.strip_prefix(ORDERS)) {
            (Some(verb), Some(pair)) if room.has_orders => {
                let route = route_of(pair, routes)?;
                orders::event(room, verb, [data, id, before], route, bytes, out)
            }
            // Acknowledgements, life, and channels that are not read.
            _ => Ok(()),
        },
    }
}

fn route_of(pair: &[u8], routes: &Routes) -> Result<Route, DecodeError> {
    routes.find(pair).ok_or(DecodeError::UnknownSymbol { symbol: SymbolText::new(pair) })
}

/// Where pairs are named in the way of channels of books in a message that cannot be read, with what comes next.
pub(super) fn named(bytes: &[u8], has_orders: bool) -> impl Iterator<Item = &[u8]> {
    let channel = if has_orders { ORDERS } else { BEST };
    memchr::memmem::find_iter(bytes, channel).filter_map(move |at| bytes.get(at + channel.len()..))
}

/// Rule 2.
fn differences(
    room: &mut Bitstamp,
    data: Token,
    route: Route,
    bytes: &[u8],
    out: &mut Events,
) -> Result<(), DecodeError> {
    out.concerns(Scope::Book(route.slot));
    out.speaks_of(route.slot);
    is(data, Kind::Object, "data", "an object")?;
    let keys = ["microtimestamp", "bids", "asks"];
    let [time, bids, asks] = members(&mut Scanner::new(bytes, data.start as usize), bytes, &keys)?;
    let time_us = unsigned(time, bytes, "microtimestamp")?;
    let heard = *room.heard(route.slot);
    *room.heard(route.slot) = Heard { unread: Some(time_us), ..heard };
    if heard.is_whole {
        out.push(route.slot, 0, Body::Restart(Scope::Book(route.slot)));
    }
    let span = levels([bids, asks], route, bytes, out)?;
    *room.heard(route.slot) =
        Heard { last: Some(time_us), unread: None, has_differences: true, is_whole: false };
    let ts_event = time_us.saturating_mul(US_NS);
    match heard.last {
        Some(before) if time_us < before => {
            room.heard(route.slot).forget();
            out.forget_added();
            lose(route.slot, StaleReason::Contradiction, ts_event, out);
        }
        before => {
            // Behind one that was never read nothing runs on.
            let before = before.filter(|_| heard.unread.is_none_or(|unread| unread == time_us));
            let first = before.map_or(time_us, |before| time_us.min(before.saturating_add(1)));
            out.push(route.slot, ts_event, Body::Levels(VenueSeq { first, last: time_us, prev: None }, span));
        }
    }
    Ok(())
}

/// Rule 8.
fn best(
    room: &mut Bitstamp,
    data: Token,
    route: Route,
    bytes: &[u8],
    out: &mut Events,
) -> Result<(), DecodeError> {
    if room.heard(route.slot).has_differences {
        return Ok(());
    }
    out.concerns(Scope::Book(route.slot));
    out.speaks_of(route.slot);
    is(data, Kind::Object, "data", "an object")?;
    let keys = ["microtimestamp", "bids", "asks"];
    let [time, bids, asks] = members(&mut Scanner::new(bytes, data.start as usize), bytes, &keys)?;
    let time_us = unsigned(time, bytes, "microtimestamp")?;
    let span = levels([bids, asks], route, bytes, out)?;
    room.heard(route.slot).is_whole = true;
    let body = Body::Book(VenueSeq::at(time_us), span, Coverage::Depth(DEPTH), Origin::Restated);
    out.push(route.slot, time_us.saturating_mul(US_NS), body);
    Ok(())
}

/// Both sides of a book.
pub(super) fn levels(
    sides: [Token; 2],
    route: Route,
    bytes: &[u8],
    out: &mut Events,
) -> Result<LevelSpan, DecodeError> {
    let [bids, asks] = sides;
    is(bids, Kind::Array, "bids", "an array")?;
    is(asks, Kind::Array, "asks", "an array")?;
    read_levels(&mut Scanner::new(bytes, bids.start as usize), bytes, route, 0, out.bids())?;
    let taken = out.levels_added().len();
    read_levels(&mut Scanner::new(bytes, asks.start as usize), bytes, route, taken, out.asks())?;
    Ok(out.levels_added())
}

/// Rule 3.
pub(super) fn answer(
    room: &mut Bitstamp,
    asked: &Asked<'_>,
    bytes: &[u8],
    out: &mut Events,
) -> Result<(), DecodeError> {
    let mut scanner = Scanner::new(bytes, 0);
    let answer = scanner.value()?;
    scanner.finish()?;
    scalars::are_whole(bytes, 0)?;
    if answer.kind != Kind::Object {
        return Err(DecodeError::NotSnapshot);
    }
    let keys = ["microtimestamp", "bids", "asks"];
    let [time, bids, asks] = members(&mut Scanner::new(bytes, 0), bytes, &keys)?;
    if [time, bids, asks].iter().any(|token| token.kind == Kind::Absent) {
        return Err(DecodeError::NotSnapshot);
    }
    let (route, origin) = match pair_of_address(asked.url) {
        Some(pair) => (route_of(pair, asked.routes)?, Origin::Answer),
        None => (asked.routes.sole().ok_or(DecodeError::AmbiguousSnapshot)?, Origin::Anonymous),
    };
    if room.has_orders {
        return orders::book(room.recent(route.slot), [time, bids, asks], route, bytes, out);
    }
    book([time, bids, asks], route, origin, bytes, out)
}

/// The pair of an address `…/order_book/PAIR/?group=1`.
fn pair_of_address(url: &[u8]) -> Option<&[u8]> {
    const BOOK: &[u8] = b"/order_book/";
    let at = memchr::memmem::find(url, BOOK)? + BOOK.len();
    let pair = url.get(at..)?.split(|byte| matches!(byte, b'/' | b'?')).next()?;
    (!pair.is_empty() && pair.len() <= SYMBOL_BYTES_MAX).then_some(pair)
}

fn book(
    [time, bids, asks]: [Token; 3],
    route: Route,
    origin: Origin,
    bytes: &[u8],
    out: &mut Events,
) -> Result<(), DecodeError> {
    if [bids, asks].into_iter().any(|side| names_orders(side, bytes)) {
        return Err(DecodeError::NotSnapshot);
    }
    out.speaks_of(route.slot);
    let time_us = unsigned(time, bytes, "microtimestamp")?;
    let span = levels([bids, asks], route, bytes, out)?;
    let sides = out.levels(span);
    let best_bid = sides.bids.iter().map(|level| level.price).max();
    let best_ask = sides.asks.iter().map(|level| level.price).min();
    if best_bid.zip(best_ask).is_some_and(|(bid, ask)| bid >= ask) {
        return Err(DecodeError::NotSnapshot);
    }
    let body = Body::Book(VenueSeq::at(time_us), span, Coverage::Whole, origin);
    out.push(route.slot, time_us.saturating_mul(US_NS), body);
    Ok(())
}

/// Whether the rows of a side are orders, by the first of them: of several at one price none is the level.
fn names_orders(side: Token, bytes: &[u8]) -> bool {
    let mut scanner = Scanner::new(bytes, side.start as usize);
    let opened = scanner.open(b'[', "an array").and_then(|()| scanner.more(true, b']'));
    opened == Ok(true) && values::<1>(&mut scanner).is_ok_and(|(_, count)| count > 2)
}

/// Rule 4.
fn trade(data: Token, route: Route, bytes: &[u8], out: &mut Events) -> Result<(), DecodeError> {
    out.speaks_of(route.slot);
    is(data, Kind::Object, "data", "an object")?;
    let keys = ["id", "price_str", "amount_str", "type", "microtimestamp"];
    let found = members(&mut Scanner::new(bytes, data.start as usize), bytes, &keys)?;
    let [id, price, amount, side, time] = found;
    let ts_event: TimeNs = unsigned(time, bytes, "microtimestamp")?.saturating_mul(US_NS);
    let trade = Trade {
        id: TradeId::Number(unsigned(id, bytes, "id")?),
        price: price_above_zero(price, bytes, "price_str", route.price_exponent)?,
        qty: Qty(decimal(amount, bytes, "amount_str", route.qty_exponent, Scaled::Qty)?),
        aggressor: match side.of(bytes) {
            b"0" => Aggressor::Buy,
            b"1" => Aggressor::Sell,
            _ => Aggressor::Unknown,
        },
        ts_event,
        resting: None,
    };
    out.trades().push(trade);
    let body = Body::Trades(out.trades_added());
    out.push(route.slot, ts_event, body);
    Ok(())
}

//! Objects: the messages of version 2, and what version 1 says beside its channels.

use super::Kraken;
use super::depth::{coverage, goes_back, told};
use super::level3;
use super::printed::trade_side;
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::levels::{decimal, price_above_zero};
use crate::decode::members::{each, is, items, level_objects, members, symbol, text, unsigned, unsigned_32};
use crate::decode::{DecodeError, Scaled, SymbolText};
use crate::types::{
    Body, Definition, Events, Level, Origin, Qty, Routes, Scope, Slot, StaleReason, Ticker, TimeNs, Trade,
    TradeId, TradingStatus, VenueBbo, VenueSeq,
};

/// Most decimals that a definition may name.
const DIGITS_MAX: u64 = 18;

/// A message that is an object.
pub(super) fn object(
    room: &mut Kraken,
    bytes: &[u8],
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let mut scanner = Scanner::new(bytes, 0);
    let keys = ["channel", "type", "data", "method", "success", "result", "event"];
    let [channel, kind, data, method, success, result, event] = members(&mut scanner, bytes, &keys)?;
    scanner.finish()?;
    if event.kind != Kind::Absent {
        return super::v1::event(room, bytes, text(event, bytes, "event")?, routes, out);
    }
    if method.kind != Kind::Absent {
        return acknowledged(room, bytes, text(method, bytes, "method")?, success, result, routes, out);
    }
    let is_snapshot = || match text(kind, bytes, "type")? {
        b"snapshot" => Ok(true),
        b"update" => Ok(false),
        _ => {
            let (field, expected) = ("type", "snapshot or update");
            Err(DecodeError::WrongType { at: kind.start, field, expected, got: "another text" })
        }
    };
    let name = match channel.kind {
        // An error that names nothing that was asked for.
        Kind::Absent => return refused(bytes).unwrap_or(Err(DecodeError::UnknownMessage)),
        _ => text(channel, bytes, "channel")?,
    };
    match name {
        b"book" => {
            let is_snapshot = is_snapshot()?;
            each(data, bytes, "data", |scanner| book(room, bytes, scanner, is_snapshot, routes, out))
        }
        b"level3" => {
            let is_snapshot = is_snapshot()?;
            each(data, bytes, "data", |scanner| {
                level3::orders(room, bytes, scanner, is_snapshot, routes, out)
            })
        }
        b"trade" => each(data, bytes, "data", |scanner| trade(room, bytes, scanner, routes, out)),
        b"ticker" => each(data, bytes, "data", |scanner| ticker(room, bytes, scanner, routes, out)),
        b"instrument" => instruments(bytes, data, routes, out),
        b"status" => items(data, bytes, "data", |scanner| {
            let [connection] = members(scanner, bytes, &["connection_id"])?;
            if connection.kind == Kind::Number {
                room.connected(unsigned(connection, bytes, "connection_id")?, out);
            }
            Ok(())
        }),
        // Life, and channels that are not used.
        _ => Ok(()),
    }
}

/// A book, or what changed of one.
fn book(
    room: &mut Kraken,
    bytes: &[u8],
    scanner: &mut Scanner<'_>,
    is_snapshot: bool,
    routes: &Routes,
    out: &mut Events,
) -> Result<Option<SymbolText>, DecodeError> {
    let keys = ["symbol", "bids", "asks", "checksum", "timestamp"];
    let [name, bids, asks, checksum, timestamp] = members(scanner, bytes, &keys)?;
    let (route, symbol) = symbol(name, bytes, "symbol", routes)?;
    let Some(route) = route else { return Ok(Some(symbol)) };
    out.concerns(Scope::Book(route.slot));
    out.speaks_of(route.slot);
    level_objects(bids, bytes, "bids", &["price", "qty"], route, 0, out.bids())?;
    let taken = out.levels_added().len();
    level_objects(asks, bytes, "asks", &["price", "qty"], route, taken, out.asks())?;
    is(checksum, Kind::Number, "checksum", "a number")?;
    let check = unsigned_32(checksum, bytes, "checksum")?;
    let ts_event = time(room, timestamp, bytes)?;
    let span = out.levels_added();
    let sides = out.levels(span);
    let body = if is_snapshot {
        let of = room.subscribed(route.slot);
        let coverage = coverage(of.levels, sides.bids.len(), sides.asks.len())?;
        (of.has_book, of.cut, of.levels_at) = (true, coverage.depth(), ts_event);
        Body::Book(VenueSeq::default(), span, coverage, Origin::Stream)
    } else if goes_back(&mut room.subscribed(route.slot).levels_at, ts_event) {
        lose(route.slot, StaleReason::Contradiction, out);
        return Ok(None);
    } else {
        Body::Levels(VenueSeq::default(), span)
    };
    out.push(route.slot, ts_event, body);
    out.push(route.slot, ts_event, Body::Check(check));
    Ok(None)
}

fn trade(
    room: &mut Kraken,
    bytes: &[u8],
    scanner: &mut Scanner<'_>,
    routes: &Routes,
    out: &mut Events,
) -> Result<Option<SymbolText>, DecodeError> {
    let keys = ["symbol", "side", "price", "qty", "trade_id", "timestamp"];
    let [name, side, price, qty, id, timestamp] = members(scanner, bytes, &keys)?;
    let (route, symbol) = symbol(name, bytes, "symbol", routes)?;
    let Some(route) = route else { return Ok(Some(symbol)) };
    out.speaks_of(route.slot);
    let ts_event = time(room, timestamp, bytes)?;
    let trade = Trade {
        id: TradeId::Number(unsigned(id, bytes, "trade_id")?),
        price: price_above_zero(price, bytes, "price", route.price_exponent)?,
        qty: Qty(decimal(qty, bytes, "qty", route.qty_exponent, Scaled::Qty)?),
        aggressor: trade_side(text(side, bytes, "side")?),
        ts_event,
        resting: None,
    };
    out.trades().push(trade);
    let body = Body::Trades(out.trades_added());
    out.push(route.slot, ts_event, body);
    Ok(None)
}

/// The best prices with the day's statistics. Of an empty side both numbers are 0.
fn ticker(
    room: &mut Kraken,
    bytes: &[u8],
    scanner: &mut Scanner<'_>,
    routes: &Routes,
    out: &mut Events,
) -> Result<Option<SymbolText>, DecodeError> {
    let keys = ["symbol", "bid", "bid_qty", "ask", "ask_qty", "last", "volume", "timestamp"];
    let [name, bid, bid_qty, ask, ask_qty, last, volume, timestamp] = members(scanner, bytes, &keys)?;
    let (route, symbol) = symbol(name, bytes, "symbol", routes)?;
    let Some(route) = route else { return Ok(Some(symbol)) };
    out.speaks_of(route.slot);
    let price = |token, field| decimal(token, bytes, field, route.price_exponent, Scaled::Price);
    let qty = |token, field| decimal(token, bytes, field, route.qty_exponent, Scaled::Qty);
    let ts_event = match timestamp.kind {
        Kind::Absent => 0,
        _ => time(room, timestamp, bytes)?,
    };
    let bbo = VenueBbo {
        venue_seq: 0,
        bid: Level::new(price(bid, "bid")?, qty(bid_qty, "bid_qty")?),
        ask: Level::new(price(ask, "ask")?, qty(ask_qty, "ask_qty")?),
        ts_event,
    };
    let is_there = |token: &Token| token.kind != Kind::Absent;
    let ticker = Ticker {
        last: Some(last)
            .filter(is_there)
            .map(|last| price(last, "last"))
            .transpose()?
            .map(crate::types::Price),
        volume: Some(volume).filter(is_there).map(|volume| qty(volume, "volume")).transpose()?.map(Qty),
        ..Ticker::default()
    };
    out.push(route.slot, ts_event, Body::Bbo(bbo));
    let at = out.ticker_added(ticker);
    out.push(route.slot, ts_event, Body::Ticker(at));
    Ok(None)
}

/// Rule 5: the pairs of the venue, of which those that are carried count.
fn instruments(bytes: &[u8], data: Token, routes: &Routes, out: &mut Events) -> Result<(), DecodeError> {
    is(data, Kind::Object, "data", "an object")?;
    let [pairs] = members(&mut Scanner::new(bytes, data.start as usize), bytes, &["pairs"])?;
    if pairs.kind == Kind::Absent {
        return Ok(());
    }
    items(pairs, bytes, "pairs", |scanner| {
        let keys =
            ["symbol", "status", "price_precision", "qty_precision", "price_increment", "qty_increment"];
        let [name, status, price_digits, qty_digits, tick, lot] = members(scanner, bytes, &keys)?;
        let Some(route) = symbol(name, bytes, "symbol", routes)?.0 else { return Ok(()) };
        let trading = match text(status, bytes, "status")? {
            b"online" => TradingStatus::Trading,
            b"cancel_only" | b"limit_only" | b"post_only" | b"reduce_only" => TradingStatus::Limited,
            b"maintenance" | b"work_in_progress" => TradingStatus::Halted,
            b"delisted" => TradingStatus::Closed,
            _ => TradingStatus::Unknown,
        };
        let digits = |token: Token, field| {
            let digits = unsigned(token, bytes, field)?;
            let got = "a greater one";
            let wrong = DecodeError::WrongType { at: token.start, field, expected: "a number up to 18", got };
            if digits > DIGITS_MAX { Err(wrong) } else { Ok(digits as u8) }
        };
        let (price_digits, qty_digits) =
            (digits(price_digits, "price_precision")?, digits(qty_digits, "qty_precision")?);
        let step = |token, field, digits: u8| decimal(token, bytes, field, -(digits as i8), Scaled::No);
        let definition = Definition {
            price_digits,
            qty_digits,
            tick_size: step(tick, "price_increment", price_digits)?,
            lot_size: step(lot, "qty_increment", qty_digits)?,
        };
        out.push(route.slot, 0, Body::Definition(definition));
        out.push(route.slot, 0, Body::Trading(trading));
        Ok(())
    })
}

/// What a subscription came to: its depth, or that a book ends.
fn acknowledged(
    room: &mut Kraken,
    bytes: &[u8],
    method: &[u8],
    success: Token,
    result: Token,
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    if success.kind == Kind::False {
        return refused(bytes).unwrap_or(Err(DecodeError::UnknownMessage));
    }
    if result.kind != Kind::Object {
        return Ok(());
    }
    let keys = ["channel", "symbol", "depth"];
    let [channel, name, depth] = members(&mut Scanner::new(bytes, result.start as usize), bytes, &keys)?;
    let is_orders = match channel.of(bytes) {
        b"book" => false,
        b"level3" => true,
        _ => return Ok(()),
    };
    let (Some(route), _) = symbol(name, bytes, "symbol", routes)? else { return Ok(()) };
    let of = room.subscribed(route.slot);
    if method == b"subscribe" {
        let depth = told(unsigned(depth, bytes, "depth")?);
        *(if is_orders { &mut of.orders } else { &mut of.levels }) = depth;
        // Told late: the book was cut to what its snapshot showed, and what lay behind is gone.
        if !is_orders && of.has_book && depth != of.cut {
            of.has_book = false;
            lose(route.slot, StaleReason::Contradiction, out);
        }
    } else if method == b"unsubscribe" && std::mem::take(&mut of.has_book) {
        lose(route.slot, StaleReason::SourceFailed, out);
    }
    Ok(())
}

/// A book is known no more.
pub(super) fn lose(slot: Slot, reason: StaleReason, out: &mut Events) {
    out.push(slot, 0, Body::Lost { scope: Scope::Book(slot), reason, expected: 0, received: 0 });
}

/// The words of a refusal. `None` where there are none.
pub(super) fn refused(bytes: &[u8]) -> Option<Result<(), DecodeError>> {
    let keys = ["error", "errorMessage"];
    let [error, message] = members(&mut Scanner::new(bytes, 0), bytes, &keys).ok()?;
    let words = [error, message].into_iter().find(|token| token.kind == Kind::String)?;
    Some(Err(DecodeError::Refused { text: SymbolText::new(words.of(bytes)) }))
}

/// A time of the venue.
pub(super) fn time(room: &mut Kraken, token: Token, bytes: &[u8]) -> Result<TimeNs, DecodeError> {
    let printed = text(token, bytes, "timestamp")?;
    let wrong = DecodeError::WrongType {
        at: token.start,
        field: "timestamp",
        expected: "a time of RFC 3339 in UTC",
        got: "another text",
    };
    room.minute.time(printed).ok_or(wrong)
}

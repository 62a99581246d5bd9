//! Messages in any form that JSON allows.

use super::{Gateio, Market};
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::levels::{decimal, price_above_zero, read_levels};
use crate::decode::members::{is, items, level_objects, members, signed, symbol, text, unsigned};
use crate::decode::{DecodeError, Scaled, SymbolText, leading_digits};
use crate::types::{
    Aggressor, Body, Coverage, DecimalError, Events, Level, Origin, Price, Qty, Route, Routes, Scope, Ticker,
    TimeNs, Trade, TradeId, VenueBbo, VenueSeq,
};

const MS_NS: u64 = 1_000_000;

/// Channels that say nothing of a book.
pub(super) const OTHERS: [&[u8]; 8] = [
    b"trades",
    b"trades_v2",
    b"tickers",
    b"book_ticker",
    b"public_liquidates",
    b"candlesticks",
    b"pong",
    b"order_book",
];

/// A message that is an object.
pub(super) fn object(
    room: &mut Gateio,
    bytes: &[u8],
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let mut scanner = Scanner::new(bytes, 0);
    let [channel, event, error, result] =
        members(&mut scanner, bytes, &["channel", "event", "error", "result"])?;
    scanner.finish()?;
    if error.kind == Kind::Object {
        let [words] = members(&mut Scanner::new(bytes, error.start as usize), bytes, &["message"])?;
        return Err(DecodeError::Refused { text: SymbolText::new(words.of(bytes)) });
    }
    if channel.kind == Kind::Absent {
        return recorded(bytes, routes, out);
    }
    let channel = text(channel, bytes, "channel")?;
    if event.of(bytes) != b"update" {
        return Ok(());
    }
    if !room.is_own(Market::of_channel(channel)) {
        return Err(DecodeError::UnknownSymbol { symbol: SymbolText::new(channel) });
    }
    match channel {
        b"spot.obu" | b"futures.obu" => obu(room, bytes, result, routes, out),
        b"spot.order_book_update" | b"futures.order_book_update" => update(room, bytes, result, routes, out),
        b"spot.book_ticker" | b"futures.book_ticker" => top(bytes, result, routes, out),
        b"spot.trades" => each(bytes, result, |scanner| spot_trade(bytes, scanner, routes, out)),
        b"futures.trades" => each(bytes, result, |scanner| futures_trade(bytes, scanner, routes, out)),
        b"spot.tickers" | b"futures.tickers" => {
            each(bytes, result, |scanner| statistics(bytes, scanner, routes, out))
        }
        b"futures.public_liquidates" => {
            each(bytes, result, |scanner| liquidation(bytes, scanner, routes, out))
        }
        _ => Ok(()),
    }
}

/// Gives each object of a result to `entry`: the result is one, or an array of them. Those of symbols that are not carried
/// are passed over, unless none is.
fn each(
    bytes: &[u8],
    result: Token,
    mut entry: impl FnMut(&mut Scanner<'_>) -> Result<Option<SymbolText>, DecodeError>,
) -> Result<(), DecodeError> {
    let (mut carried, mut others) = (false, None);
    let mut note = |foreign: Option<SymbolText>| match foreign {
        Some(symbol) => others = Some(symbol),
        None => carried = true,
    };
    if result.kind == Kind::Object {
        note(entry(&mut Scanner::new(bytes, result.start as usize))?);
    } else {
        items(result, bytes, "result", |scanner| {
            note(entry(scanner)?);
            Ok(())
        })?;
    }
    match others {
        Some(symbol) if !carried => Err(DecodeError::UnknownSymbol { symbol }),
        _ => Ok(()),
    }
}

/// The symbol and the depth of a name such as `ob.BTC_USDT.400`.
pub(super) fn stream(name: &[u8]) -> Option<(&[u8], u32)> {
    let name = name.strip_prefix(b"ob.")?;
    let point = memchr::memrchr(b'.', name)?;
    let (depth, len) = leading_digits(&name[point + 1..])?;
    let depth = u32::try_from(depth).ok().filter(|depth| *depth > 0 && point + 1 + len == name.len())?;
    Some((&name[..point], depth))
}

/// A time in milliseconds, whose decimals in a text count for nothing.
fn time(token: Token, bytes: &[u8], field: &'static str) -> Result<TimeNs, DecodeError> {
    let whole =
        token.of(bytes).iter().position(|byte| *byte == b'.').map_or(token.end, |at| token.start + at as u32);
    let cause = DecimalError::Overflow;
    let bad = DecodeError::BadNumber { at: token.start, field, cause, scaled: Scaled::No };
    unsigned(Token { end: whole, ..token }, bytes, field)?.checked_mul(MS_NS).ok_or(bad)
}

/// Rule 2.
fn obu(
    room: &mut Gateio,
    bytes: &[u8],
    result: Token,
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    is(result, Kind::Object, "result", "an object")?;
    let keys = ["s", "full", "U", "u", "t", "b", "a"];
    let [name, full, first, last, at, bids, asks] =
        members(&mut Scanner::new(bytes, result.start as usize), bytes, &keys)?;
    let (expected, got) = ("ob., a symbol, a point and a depth", "another text");
    let (code, depth) = stream(text(name, bytes, "s")?).ok_or(DecodeError::WrongType {
        at: name.start,
        field: "s",
        expected,
        got,
    })?;
    let Some(route) = routes.find(code) else {
        return Err(DecodeError::UnknownSymbol { symbol: SymbolText::new(code) });
    };
    let is_whole = full.kind == Kind::True;
    let last = unsigned(last, bytes, "u")?;
    let first = if is_whole { last } else { unsigned(first, bytes, "U")? };
    let ts_event = changes(bytes, route, (first, last), [at, bids, asks], out)?;
    if !room.deepest(route.slot).counts(depth, is_whole) {
        out.forget_added();
        return Ok(());
    }
    let span = out.levels_added();
    let seq = VenueSeq { first, last, prev: None };
    let body = match is_whole {
        true => Body::Book(seq, span, Coverage::Depth(depth), Origin::Stream),
        false => Body::Levels(seq, span),
    };
    out.push(route.slot, ts_event, body);
    Ok(())
}

/// Rule 3.
fn update(
    room: &Gateio,
    bytes: &[u8],
    result: Token,
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    is(result, Kind::Object, "result", "an object")?;
    let keys = ["s", "U", "u", "t", "b", "a"];
    let [name, first, last, at, bids, asks] =
        members(&mut Scanner::new(bytes, result.start as usize), bytes, &keys)?;
    let (route, symbol) = symbol(name, bytes, "s", routes)?;
    let Some(route) = route else { return Err(DecodeError::UnknownSymbol { symbol }) };
    let (first, last) = (unsigned(first, bytes, "U")?, unsigned(last, bytes, "u")?);
    let ts_event = changes(bytes, route, (first, last), [at, bids, asks], out)?;
    if room.has_obu(route.slot) {
        out.forget_added();
        return Ok(());
    }
    let body = Body::Levels(VenueSeq { first, last, prev: None }, out.levels_added());
    out.push(route.slot, ts_event, body);
    Ok(())
}

/// The levels of a message of a book, appended, and its time.
fn changes(
    bytes: &[u8],
    route: Route,
    (first, last): (u64, u64),
    [at, bids, asks]: [Token; 3],
    out: &mut Events,
) -> Result<TimeNs, DecodeError> {
    out.concerns(Scope::Book(route.slot));
    out.speaks_of(route.slot);
    if first > last {
        return Err(DecodeError::BackwardIds { first, last });
    }
    levels(bids, bytes, "b", route, 0, out.bids())?;
    let taken = out.levels_added().len();
    levels(asks, bytes, "a", route, taken, out.asks())?;
    time(at, bytes, "t")
}

/// A message without a channel: the book that REST gives, as recorders write it among messages.
#[cold]
fn recorded(bytes: &[u8], routes: &Routes, out: &mut Events) -> Result<(), DecodeError> {
    let [id, bids, asks] = members(&mut Scanner::new(bytes, 0), bytes, &["id", "bids", "asks"])?;
    if [id, bids, asks].iter().any(|token| token.kind == Kind::Absent) {
        return Err(DecodeError::UnknownMessage);
    }
    answer(routes.sole().ok_or(DecodeError::AmbiguousSnapshot)?, false, bytes, out)
}

/// The book that REST gives.
pub(super) fn answer(
    route: Route,
    is_named: bool,
    bytes: &[u8],
    out: &mut Events,
) -> Result<(), DecodeError> {
    let mut scanner = Scanner::new(bytes, 0);
    let [id, bids, asks] = members(&mut scanner, bytes, &["id", "bids", "asks"])?;
    scanner.finish()?;
    if id.kind != Kind::Number || bids.kind != Kind::Array || asks.kind != Kind::Array {
        return Err(DecodeError::NotSnapshot);
    }
    out.speaks_of(route.slot);
    levels(bids, bytes, "bids", route, 0, out.bids())?;
    let taken = out.levels_added().len();
    levels(asks, bytes, "asks", route, taken, out.asks())?;
    let seq = VenueSeq::at(unsigned(id, bytes, "id")?);
    let origin = if is_named { Origin::Answer } else { Origin::Anonymous };
    let body = Body::Book(seq, out.levels_added(), Coverage::ToWorst, origin);
    out.push(route.slot, 0, body);
    Ok(())
}

/// The levels of a side, as pairs or as objects (rule 5); none where there is no such member.
fn levels(
    token: Token,
    bytes: &[u8],
    field: &'static str,
    route: Route,
    taken: usize,
    out: &mut Vec<Level>,
) -> Result<(), DecodeError> {
    if token.kind == Kind::Absent || token.kind == Kind::Null {
        return Ok(());
    }
    is(token, Kind::Array, field, "an array of levels")?;
    let mut scanner = Scanner::new(bytes, token.start as usize);
    let is_of_objects = {
        let mut scanner = Scanner::new(bytes, token.start as usize + 1);
        scanner.peek()? == b'{'
    };
    if !is_of_objects {
        return read_levels(&mut scanner, bytes, route, taken, out);
    }
    level_objects(token, bytes, field, &["p", "s"], route, taken, out)
}

/// Rule 7.
fn top(bytes: &[u8], result: Token, routes: &Routes, out: &mut Events) -> Result<(), DecodeError> {
    is(result, Kind::Object, "result", "an object")?;
    let keys = ["s", "t", "b", "B", "a", "A"];
    let [name, at, bid, bid_qty, ask, ask_qty] =
        members(&mut Scanner::new(bytes, result.start as usize), bytes, &keys)?;
    let (route, symbol) = symbol(name, bytes, "s", routes)?;
    let Some(route) = route else { return Err(DecodeError::UnknownSymbol { symbol }) };
    out.speaks_of(route.slot);
    let level = |price: Token, qty: Token, fields: [&'static str; 2]| {
        if price.kind == Kind::String && price.start == price.end {
            return Ok(Level::new(0, 0));
        }
        let price = decimal(price, bytes, fields[0], route.price_exponent, Scaled::Price)?;
        Ok(Level::new(price, decimal(qty, bytes, fields[1], route.qty_exponent, Scaled::Qty)?))
    };
    let ts_event = time(at, bytes, "t")?;
    let (bid, ask) = (level(bid, bid_qty, ["b", "B"])?, level(ask, ask_qty, ["a", "A"])?);
    out.push(route.slot, ts_event, Body::Bbo(VenueBbo { venue_seq: 0, bid, ask, ts_event }));
    Ok(())
}

/// Rule 6.
fn spot_trade(
    bytes: &[u8],
    scanner: &mut Scanner<'_>,
    routes: &Routes,
    out: &mut Events,
) -> Result<Option<SymbolText>, DecodeError> {
    let keys = ["currency_pair", "id", "create_time_ms", "side", "amount", "price"];
    let [name, id, at, side, qty, price] = members(scanner, bytes, &keys)?;
    let (route, symbol) = symbol(name, bytes, "currency_pair", routes)?;
    let Some(route) = route else { return Ok(Some(symbol)) };
    let aggressor = match text(side, bytes, "side")? {
        b"buy" => Aggressor::Buy,
        b"sell" => Aggressor::Sell,
        _ => Aggressor::Unknown,
    };
    out.speaks_of(route.slot);
    let qty = decimal(qty, bytes, "amount", route.qty_exponent, Scaled::Qty)?;
    let trade = Trade {
        id: TradeId::Number(unsigned(id, bytes, "id")?),
        price: price_above_zero(price, bytes, "price", route.price_exponent)?,
        qty: Qty(qty),
        aggressor,
        ts_event: time(at, bytes, "create_time_ms")?,
        resting: None,
    };
    out.trades().push(trade);
    let body = Body::Trades(out.trades_added());
    out.push(route.slot, trade.ts_event, body);
    Ok(None)
}

/// Rule 6. Of old recordings without milliseconds the second counts.
fn futures_trade(
    bytes: &[u8],
    scanner: &mut Scanner<'_>,
    routes: &Routes,
    out: &mut Events,
) -> Result<Option<SymbolText>, DecodeError> {
    let keys = ["contract", "id", "create_time_ms", "create_time", "size", "price", "is_internal"];
    let [name, id, ms, seconds, size, price, is_internal] = members(scanner, bytes, &keys)?;
    let (route, symbol) = symbol(name, bytes, "contract", routes)?;
    let Some(route) = route else { return Ok(Some(symbol)) };
    if is_internal.kind == Kind::True {
        return Ok(None);
    }
    out.speaks_of(route.slot);
    let (aggressor, qty) = sized(size, bytes, route)?;
    let trade = Trade {
        id: TradeId::Number(unsigned(id, bytes, "id")?),
        price: price_above_zero(price, bytes, "price", route.price_exponent)?,
        qty,
        aggressor,
        ts_event: match ms.kind {
            Kind::Absent => time(seconds, bytes, "create_time")?.saturating_mul(1_000),
            _ => time(ms, bytes, "create_time_ms")?,
        },
        resting: None,
    };
    out.trades().push(trade);
    let body = Body::Trades(out.trades_added());
    out.push(route.slot, trade.ts_event, body);
    Ok(None)
}

/// A quantity that is below 0 where a seller took.
fn sized(size: Token, bytes: &[u8], route: Route) -> Result<(Aggressor, Qty), DecodeError> {
    let is_negative = size.of(bytes).first() == Some(&b'-');
    let magnitude = Token { start: size.start + u32::from(is_negative), ..size };
    let qty = Qty(decimal(magnitude, bytes, "size", route.qty_exponent, Scaled::Qty)?);
    Ok((if is_negative { Aggressor::Sell } else { Aggressor::Buy }, qty))
}

fn liquidation(
    bytes: &[u8],
    scanner: &mut Scanner<'_>,
    routes: &Routes,
    out: &mut Events,
) -> Result<Option<SymbolText>, DecodeError> {
    let [name, at, size, price] = members(scanner, bytes, &["contract", "time_ms", "size", "price"])?;
    let (route, symbol) = symbol(name, bytes, "contract", routes)?;
    let Some(route) = route else { return Ok(Some(symbol)) };
    out.speaks_of(route.slot);
    let trade = Trade {
        id: TradeId::None,
        price: price_above_zero(price, bytes, "price", route.price_exponent)?,
        qty: sized(size, bytes, route)?.1,
        aggressor: Aggressor::Unknown,
        ts_event: time(at, bytes, "time_ms")?,
        resting: None,
    };
    out.trades().push(trade);
    let body = Body::Liquidations(out.trades_added());
    out.push(route.slot, trade.ts_event, body);
    Ok(None)
}

fn statistics(
    bytes: &[u8],
    scanner: &mut Scanner<'_>,
    routes: &Routes,
    out: &mut Events,
) -> Result<Option<SymbolText>, DecodeError> {
    let keys = [
        "currency_pair",
        "contract",
        "last",
        "mark_price",
        "index_price",
        "base_volume",
        "volume_24h",
        "total_size",
        "funding_rate",
    ];
    let [pair, contract, last, mark, index, base_volume, contracts, total, rate] =
        members(scanner, bytes, &keys)?;
    let (name, field) =
        if pair.kind == Kind::Absent { (contract, "contract") } else { (pair, "currency_pair") };
    let (route, symbol) = symbol(name, bytes, field, routes)?;
    let Some(route) = route else { return Ok(Some(symbol)) };
    out.speaks_of(route.slot);
    let is_told = |token: &Token| !matches!(token.kind, Kind::Absent | Kind::Null) && token.start < token.end;
    let price = |token: Token, field| {
        let read = |token| decimal(token, bytes, field, route.price_exponent, Scaled::Price).map(Price);
        Some(token).filter(is_told).map(read).transpose()
    };
    // Volumes are sums of all that was traded: their digits say nothing of the instrument's.
    let qty = |token: Token, field| {
        let read = Some(token)
            .filter(is_told)
            .map(|token| decimal(token, bytes, field, route.qty_exponent, Scaled::No));
        match read.transpose() {
            Err(DecodeError::BadNumber { cause: DecimalError::Inexact, .. }) => Ok(None),
            other => other.map(|qty| qty.map(Qty)),
        }
    };
    let ticker = Ticker {
        last: price(last, "last")?,
        mark: price(mark, "mark_price")?,
        index: price(index, "index_price")?,
        volume: match base_volume.kind {
            Kind::Absent => qty(contracts, "volume_24h")?,
            _ => qty(base_volume, "base_volume")?,
        },
        open_interest: qty(total, "total_size")?,
        funding_rate_e9: Some(rate)
            .filter(is_told)
            .map(|rate| signed(rate, bytes, "funding_rate", -9))
            .transpose()?,
        ..Ticker::default()
    };
    let at = out.ticker_added(ticker);
    out.push(route.slot, 0, Body::Ticker(at));
    Ok(None)
}

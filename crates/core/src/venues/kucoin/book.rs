//! Changes of books, and the books that are asked for.

use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::levels::{decimal, read_levels};
use crate::decode::members::{is, items, members, text, unsigned, values};
use crate::decode::{DecodeError, FRAME_LEVELS_MAX, SYMBOL_BYTES_MAX, Scaled, SymbolText};
use crate::types::{Body, Coverage, Events, Level, Origin, Price, Qty, Route, Routes, TimeNs, VenueSeq};
use crate::venues::room::Asked;
use crate::venues::two_names::FirstName;

const MS_NS: u64 = 1_000_000;

/// Levels a side at which an answer is cut (rule 6).
const CUT_AT: [usize; 2] = [20, 100];

/// Rule 7. A time of milliseconds, or of nanoseconds: the year 2286 begins at 10^13 of the former. 0 where there is none.
pub(super) fn time(token: Token, bytes: &[u8], field: &'static str) -> Result<TimeNs, DecodeError> {
    match token.kind {
        Kind::Absent | Kind::Null => Ok(0),
        _ => match unsigned(token, bytes, field)? {
            ms @ 0..10_000_000_000_000 => Ok(ms * MS_NS),
            ns => Ok(ns),
        },
    }
}

/// Rule 2.
pub(super) fn changes(
    bytes: &[u8],
    data: Token,
    (route, named): (Route, FirstName<'_>),
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    is(data, Kind::Object, "data", "an object")?;
    let keys = ["sequenceStart", "sequenceEnd", "changes", "time", "symbol"];
    let [first, last, changes, at, again] =
        members(&mut Scanner::new(bytes, data.start as usize), bytes, &keys)?;
    named.agrees(again, bytes, "symbol", routes, out)?;
    let (first, last) = (unsigned(first, bytes, "sequenceStart")?, unsigned(last, bytes, "sequenceEnd")?);
    if last < first {
        return Err(DecodeError::BackwardIds { first, last });
    }
    let ts_event = time(at, bytes, "time")?;
    is(changes, Kind::Object, "changes", "an object")?;
    let [bids, asks] = members(&mut Scanner::new(bytes, changes.start as usize), bytes, &["bids", "asks"])?;
    rows(bids, "bids", bytes, route, 0, out.bids())?;
    let taken = out.levels_added().len();
    rows(asks, "asks", bytes, route, taken, out.asks())?;
    let span = out.levels_added();
    out.push(route.slot, ts_event, Body::Levels(VenueSeq { first, last, prev: None }, span));
    Ok(())
}

fn rows(
    token: Token,
    field: &'static str,
    bytes: &[u8],
    route: Route,
    taken: usize,
    out: &mut Vec<Level>,
) -> Result<(), DecodeError> {
    let begun = out.len();
    items(token, bytes, field, |scanner| {
        let at = scanner.at();
        if taken + (out.len() - begun) >= FRAME_LEVELS_MAX {
            return Err(DecodeError::TooManyLevels { at });
        }
        let ([price, qty], count) = values(scanner)?;
        if count < 2 {
            return Err(DecodeError::BadLevel { at });
        }
        out.extend(level([price, qty], bytes, route)?);
        Ok(())
    })
}

/// A level; none of price 0 (rule 3).
fn level([price, qty]: [Token; 2], bytes: &[u8], route: Route) -> Result<Option<Level>, DecodeError> {
    let price = match decimal(price, bytes, "price", route.price_exponent, Scaled::Price)? {
        0 => return Ok(None),
        price => Price(price),
    };
    Ok(Some(Level { price, qty: Qty(decimal(qty, bytes, "qty", route.qty_exponent, Scaled::Qty)?) }))
}

/// Rule 4.
pub(super) fn change(bytes: &[u8], data: Token, route: Route, out: &mut Events) -> Result<(), DecodeError> {
    is(data, Kind::Object, "data", "an object")?;
    let keys = ["sequence", "change", "timestamp"];
    let [number, change, at] = members(&mut Scanner::new(bytes, data.start as usize), bytes, &keys)?;
    let seq = VenueSeq::at(unsigned(number, bytes, "sequence")?);
    let ts_event = time(at, bytes, "timestamp")?;
    let words = text(change, bytes, "change")?;
    let bad = DecodeError::BadLevel { at: change.start };
    let mut commas = memchr::memchr_iter(b',', words).map(|at| change.start + at as u32);
    let (Some(first), Some(second), None) = (commas.next(), commas.next(), commas.next()) else {
        return Err(bad);
    };
    let part = |start, end| Token { start, end, ..change };
    let side = part(first + 1, second);
    let level = level([part(change.start, first), part(second + 1, change.end)], bytes, route)?;
    match side.of(bytes) {
        b"buy" => out.bids().extend(level),
        b"sell" => out.asks().extend(level),
        _ => return Err(bad),
    }
    let span = out.levels_added();
    out.push(route.slot, ts_event, Body::Levels(seq, span));
    Ok(())
}

/// Rules 5 and 6.
pub(super) fn answer(asked: &Asked<'_>, bytes: &[u8], out: &mut Events) -> Result<(), DecodeError> {
    // Books of orders are at other addresses, and look alike.
    if !asked.url.is_empty() && memchr::memmem::find(asked.url, b"/level2").is_none() {
        return Err(DecodeError::NotSnapshot);
    }
    let mut scanner = Scanner::new(bytes, 0);
    let whole = scanner.value()?;
    scanner.finish()?;
    if whole.kind != Kind::Object {
        return Err(DecodeError::NotSnapshot);
    }
    let [code, data] = members(&mut Scanner::new(bytes, 0), bytes, &["code", "data"])?;
    if code.of(bytes) != b"200000" || data.kind != Kind::Object {
        return Err(DecodeError::NotSnapshot);
    }
    let keys = ["symbol", "sequence", "bids", "asks", "time", "ts"];
    let [symbol, number, bids, asks, ms, ns] =
        members(&mut Scanner::new(bytes, data.start as usize), bytes, &keys)?;
    if [number, bids, asks].iter().any(|token| token.kind == Kind::Absent) {
        return Err(DecodeError::NotSnapshot);
    }
    let of_address = symbol_of_address(asked.url);
    if let Some(name) = of_address {
        FirstName { name, is_book: true }.agrees(symbol, bytes, "symbol", asked.routes, out)?;
    }
    let named = match symbol.kind {
        Kind::Absent => of_address,
        _ => Some(text(symbol, bytes, "symbol")?),
    };
    let route = match named {
        Some(symbol) => {
            let unknown = DecodeError::UnknownSymbol { symbol: SymbolText::new(symbol) };
            asked.routes.find(symbol).ok_or(unknown)?
        }
        None => asked.routes.sole().ok_or(DecodeError::AmbiguousSnapshot)?,
    };
    out.speaks_of(route.slot);
    let seq = VenueSeq::at(unsigned(number, bytes, "sequence")?);
    let ts_event = time(if ms.kind == Kind::Absent { ns } else { ms }, bytes, "time")?;
    is(bids, Kind::Array, "bids", "an array")?;
    is(asks, Kind::Array, "asks", "an array")?;
    read_levels(&mut Scanner::new(bytes, bids.start as usize), bytes, route, 0, out.bids())?;
    let taken = out.levels_added().len();
    read_levels(&mut Scanner::new(bytes, asks.start as usize), bytes, route, taken, out.asks())?;
    let span = out.levels_added();
    let sides = out.levels(span);
    let is_cut = [sides.bids.len(), sides.asks.len()].iter().any(|levels| CUT_AT.contains(levels));
    let coverage = if is_cut { Coverage::ToWorst } else { Coverage::Whole };
    let origin = if named.is_some() { Origin::Answer } else { Origin::Anonymous };
    out.push(route.slot, ts_event, Body::Book(seq, span, coverage, origin));
    Ok(())
}

/// The symbol of an address `…level2_100?symbol=BTC-USDT`.
fn symbol_of_address(url: &[u8]) -> Option<&[u8]> {
    const KEY: &[u8] = b"symbol=";
    let at = memchr::memmem::find(url, KEY)? + KEY.len();
    let symbol = url.get(at..)?.split(|byte| *byte == b'&').next()?;
    (!symbol.is_empty() && symbol.len() <= SYMBOL_BYTES_MAX).then_some(symbol)
}

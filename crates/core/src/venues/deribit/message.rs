//! JSON-RPC: what a message is, and who reads it.

use super::channel::{Named, named};
use super::{Deribit, book, instruments, statistics, trade};
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::members::{is, items, members, symbol, text, unsigned};
use crate::decode::{DecodeError, Scaled, SymbolText};
use crate::types::{DecimalError, Events, Route, Routes, TimeNs};
use crate::venues::two_names::FirstName;

/// A message of the venue.
pub(super) fn message(
    room: &mut Deribit,
    bytes: &[u8],
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let mut scanner = Scanner::new(bytes, 0);
    let keys = ["method", "params", "id", "result", "error"];
    let [method, params, id, result, error] = members(&mut scanner, bytes, &keys)?;
    scanner.finish()?;
    if error.kind != Kind::Absent {
        return Err(refused(error, bytes));
    }
    if result.kind != Kind::Absent {
        return answered(room, bytes, id, result, routes, out);
    }
    match text(method, bytes, "method")? {
        b"subscription" => notification(room, bytes, params, routes, out),
        b"heartbeat" => {
            let [kind] = members_of(params, bytes, "params", &["type"])?;
            room.is_tested = text(kind, bytes, "type")? == b"test_request";
            Ok(())
        }
        _ => Err(DecodeError::UnknownMessage),
    }
}

/// As [`members`], of a value that must be an object.
pub(super) fn members_of<const N: usize>(
    token: Token,
    bytes: &[u8],
    field: &'static str,
    keys: &[&'static str; N],
) -> Result<[Token; N], DecodeError> {
    is(token, Kind::Object, field, "an object")?;
    members(&mut Scanner::new(bytes, token.start as usize), bytes, keys)
}

/// Rule 1.
fn notification(
    room: &mut Deribit,
    bytes: &[u8],
    params: Token,
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let [channel, data] = members_of(params, bytes, "params", &["channel", "data"])?;
    let channel = text(channel, bytes, "channel")?;
    let mut parts = channel.split(|byte| *byte == b'.');
    let (kind, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let is_of_one = match kind {
        // `trades.KIND.CURRENCY.INTERVAL` is of all of a kind.
        b"trades" => parts.count() == 1,
        b"ticker" | b"incremental_ticker" | b"quote" => true,
        _ => false,
    };
    if is_of_one {
        one_name(name, bytes, data, routes, out)?;
    }
    match (named(channel), kind) {
        (Named::Book(name, of), _) => book::book(room, bytes, data, (name, of), routes, out),
        (Named::Unknown, _) => Err(DecodeError::UnknownMessage),
        (Named::Grouped, _) => Ok(()),
        (_, b"trades") => trade::trades(bytes, data, routes, out),
        (_, b"ticker" | b"incremental_ticker") => statistics::ticker(bytes, data, routes, out),
        (_, b"quote") => statistics::quote(bytes, data, routes, out),
        (_, b"instrument") => instruments::state(bytes, data, routes, out),
        // Indices and announcements: life.
        _ => Ok(()),
    }
}

/// That a notification is of the instrument of its channel.
fn one_name(
    name: &[u8],
    bytes: &[u8],
    data: Token,
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let name = FirstName { name, is_book: false };
    let mut agrees = |scanner: &mut Scanner<'_>| {
        let [again] = members(scanner, bytes, &["instrument_name"])?;
        match name.agrees(again, bytes, "instrument_name", routes, out) {
            // Said where it is read.
            Err(DecodeError::UnknownSymbol { .. }) => Ok(()),
            read => read,
        }
    };
    match data.kind {
        Kind::Array => items(data, bytes, "data", agrees),
        Kind::Object => agrees(&mut Scanner::new(bytes, data.start as usize)),
        _ => Ok(()),
    }
}

/// What was asked for came to something. Rule 13.
fn answered(
    room: &mut Deribit,
    bytes: &[u8],
    id: Token,
    result: Token,
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let asked = match id.kind {
        Kind::Number => {
            room.unsubscribes.iter().position(|asked| id.of(bytes) == asked.to_string().as_bytes())
        }
        _ => None,
    };
    let Some(asked) = asked else { return Ok(()) };
    if result.kind == Kind::Array {
        items(result, bytes, "result", |scanner| {
            let channel = scanner.value()?;
            if let Named::Book(name, of) = named(channel.of(bytes))
                && let Some(route) = routes.find(name)
            {
                room.ended(route.slot, of, out);
            }
            Ok(())
        })?;
    } else {
        let followed: Vec<_> = room.followed.iter().filter_map(|(slot, of)| Some((slot, (*of)?))).collect();
        for (slot, of) in followed {
            room.ended(slot, of, out);
        }
    }
    room.unsubscribes.swap_remove(asked);
    Ok(())
}

/// The number of a request to unsubscribe.
pub(super) fn unsubscribes(request: &[u8]) -> Option<u64> {
    let [method, id] = members(&mut Scanner::new(request, 0), request, &["method", "id"]).ok()?;
    let is_end =
        method.of(request).ends_with(b"/unsubscribe") || method.of(request).ends_with(b"/unsubscribe_all");
    is_end.then(|| unsigned(id, request, "id").ok())?
}

/// The answer to an HTTP request: a book, or instruments.
pub(super) fn answer(bytes: &[u8], routes: &Routes, out: &mut Events) -> Result<(), DecodeError> {
    let mut scanner = Scanner::new(bytes, 0);
    let [result, error] = members(&mut scanner, bytes, &["result", "error"])?;
    scanner.finish()?;
    if error.kind != Kind::Absent {
        return Err(refused(error, bytes));
    }
    match result.kind {
        Kind::Object => book::answer(bytes, result, routes, out),
        Kind::Array => instruments::definitions(bytes, result, routes, out),
        _ => Err(DecodeError::NotSnapshot),
    }
}

/// The words of a refusal.
fn refused(error: Token, bytes: &[u8]) -> DecodeError {
    match members_of(error, bytes, "error", &["message"]) {
        Ok([message]) if message.kind == Kind::String => {
            DecodeError::Refused { text: SymbolText::new(message.of(bytes)) }
        }
        _ => DecodeError::UnknownMessage,
    }
}

/// The way of the instrument that a message names.
pub(super) fn carried(name: Token, bytes: &[u8], routes: &Routes) -> Result<Route, DecodeError> {
    let (route, symbol) = symbol(name, bytes, "instrument_name", routes)?;
    route.ok_or(DecodeError::UnknownSymbol { symbol })
}

/// A time in milliseconds.
pub(super) fn time(token: Token, bytes: &[u8]) -> Result<TimeNs, DecodeError> {
    let (at, field) = (token.start, "timestamp");
    let overflow = DecodeError::BadNumber { at, field, cause: DecimalError::Overflow, scaled: Scaled::No };
    unsigned(token, bytes, field)?.checked_mul(1_000_000).ok_or(overflow)
}

//! Objects: what the venue says of the connection and of subscriptions.

use super::channel::{Channel, Kind};
use super::{Bitfinex, Counter, Flags, is_funding, lose};
use crate::decode::json::{Kind as JsonKind, Scanner, Token};
use crate::decode::members::{members, text, unsigned};
use crate::decode::{DecodeError, SYMBOL_BYTES_MAX, SymbolText};
use crate::types::{Events, Routes, StaleReason};

/// Levels or orders a side of a book that names no length.
const LEN: u32 = 25;

/// Another server takes over.
const RECONNECT: u64 = 20_051;
/// Books stand still.
const MAINTENANCE_BEGINS: u64 = 20_060;
/// Everything is to be subscribed anew.
const MAINTENANCE_ENDS: u64 = 20_061;

/// An event.
pub(super) fn object(
    room: &mut Bitfinex,
    bytes: &[u8],
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let mut scanner = Scanner::new(bytes, 0);
    let keys = [
        "event", "status", "flags", "channel", "chanId", "symbol", "key", "prec", "len", "version", "code",
        "msg",
    ];
    let found = members(&mut scanner, bytes, &keys)?;
    scanner.finish()?;
    let [event, status, flags, channel, id, symbol, key, prec, len, version, code, message] = found;
    match text(event, bytes, "event")? {
        b"info" if version.kind != JsonKind::Absent => {
            room.lose(StaleReason::SourceFailed, 0, out);
            *room = Bitfinex::default();
        }
        b"info" if code.kind != JsonKind::Absent => {
            let code = unsigned(code, bytes, "code")?;
            if matches!(code, RECONNECT | MAINTENANCE_BEGINS | MAINTENANCE_ENDS) {
                room.lose(StaleReason::SourceFailed, 0, out);
            }
        }
        b"conf" => {
            if text(status, bytes, "status")? != b"OK" {
                return Err(refused(message, bytes));
            }
            (room.flags, room.counter) = (Flags(unsigned(flags, bytes, "flags")?), Counter::default());
        }
        b"subscribed" => {
            let id = unsigned(id, bytes, "chanId")?;
            let (kind, symbol) = match text(channel, bytes, "channel")? {
                b"status" => of_status(text(key, bytes, "key")?),
                b"book" => (book(prec, len, bytes)?, name(symbol, bytes)?),
                b"trades" => (Kind::Trades, name(symbol, bytes)?),
                b"ticker" => (Kind::Ticker, name(symbol, bytes)?),
                _ => (Kind::Other, SymbolText::new(b"")),
            };
            let kind = if is_funding(&symbol) { Kind::Other } else { kind };
            ended(room, id, out);
            let slot = routes.find(symbol.as_bytes()).map(|route| route.slot);
            room.channels.add(Channel::new(id, kind, symbol, slot))?;
        }
        b"unsubscribed" => {
            let id = unsigned(id, bytes, "chanId")?;
            ended(room, id, out);
        }
        b"error" => return Err(refused(message, bytes)),
        _ => {}
    }
    Ok(())
}

/// A subscription has ended, and with it what is known of its book.
fn ended(room: &mut Bitfinex, id: u64, out: &mut Events) {
    if let Some(slot) = room.channels.remove(id) {
        lose(slot, StaleReason::SourceFailed, 0, out);
    }
}

/// What a channel of books brings. The length is a text, or a number.
fn book(prec: Token, len: Token, bytes: &[u8]) -> Result<Kind, DecodeError> {
    let len = match len.kind {
        JsonKind::Absent => LEN,
        _ => u32::try_from(unsigned(len, bytes, "len")?).unwrap_or(u32::MAX),
    };
    Ok(match prec.of(bytes) {
        b"P0" | b"" => Kind::Levels { len },
        b"R0" => Kind::Orders { len },
        _ => Kind::Other,
    })
}

/// What a channel of status brings, by its key.
fn of_status(key: &[u8]) -> (Kind, SymbolText) {
    match key.strip_prefix(b"deriv:") {
        Some(symbol) if symbol.len() <= SYMBOL_BYTES_MAX => (Kind::Derivative, SymbolText::new(symbol)),
        _ if key == b"liq:global" => (Kind::Liquidations, SymbolText::new(b"")),
        _ => (Kind::Other, SymbolText::new(b"")),
    }
}

fn name(token: Token, bytes: &[u8]) -> Result<SymbolText, DecodeError> {
    let name = text(token, bytes, "symbol")?;
    if name.len() > SYMBOL_BYTES_MAX {
        return Err(DecodeError::SymbolTooLong { at: token.start, len: name.len() as u32 });
    }
    Ok(SymbolText::new(name))
}

fn refused(message: Token, bytes: &[u8]) -> DecodeError {
    DecodeError::Refused { text: SymbolText::new(message.of(bytes)) }
}

//! The venue's list of its instruments, and what its names say where no list has come.
//!
//! Source: okx.com/docs-v5, "Get instruments" and "Instruments channel", which print the same objects: `tickSz` and `lotSz` are
//! the increments; a contract is `ctVal` × `ctMult` of `ctValCcy`; an inverse one is worth that much quote currency.

use crate::decode::DecodeError;
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::members::{exact, items, members, milliseconds, text, word};
use crate::types::{
    Body, Decimal, Definition, Definitions, Events, Instrument, InstrumentKind, OptionTerms, QtyUnit, Route,
    Terms, TradingStatus, Venue,
};
use crate::venues::entry::add;

/// An instrument of which only the name is known: `BTC-USDT`, `BTC-USD-SWAP`, `BTC-USD-240329`, `BTC-USD-240329-60000-C`.
pub(in crate::venues) fn instrument(venue: Venue, symbol: &str) -> Instrument {
    let mut parts = symbol.split('-').skip(1);
    let (quote, rest) = (parts.next().unwrap_or_default(), parts.count());
    Instrument {
        qty_unit: if rest == 0 { QtyUnit::Base } else { QtyUnit::Contracts },
        inverse: rest == 1 && quote == "USD",
        ..super::super::product(venue).scale.instrument(venue, symbol)
    }
}

/// Reads the answer of `instruments`.
pub(super) fn read(venue: Venue, bytes: &[u8], out: &mut Definitions) -> Result<(), DecodeError> {
    let mut scanner = Scanner::new(bytes, 0);
    let [code, data] = members(&mut scanner, bytes, &["code", "data"])?;
    scanner.finish()?;
    if code.of(bytes) != b"0" || data.kind != Kind::Array {
        return Err(DecodeError::NotInstruments);
    }
    items(data, bytes, "data", |scanner| add(one(venue, scanner, bytes)?, out))
}

/// None of one that has no increments yet.
fn one(venue: Venue, scanner: &mut Scanner<'_>, bytes: &[u8]) -> Result<Option<Instrument>, DecodeError> {
    let keys = [
        "instId",
        "instType",
        "baseCcy",
        "quoteCcy",
        "settleCcy",
        "uly",
        "ctVal",
        "ctMult",
        "ctType",
        "optType",
        "stk",
        "expTime",
        "tickSz",
        "lotSz",
        "state",
    ];
    let [
        name,
        kind,
        base,
        quote,
        settle,
        underlying,
        value,
        multiplier,
        direction,
        option,
        strike,
        expiry,
        tick,
        lot,
        state,
    ] = members(scanner, bytes, &keys)?;
    let is_there = |token: Token| token.kind != Kind::Absent && !token.of(bytes).is_empty();
    let Ok(symbol) = core::str::from_utf8(text(name, bytes, "instId")?) else { return Ok(None) };
    if !is_there(tick) || !is_there(lot) {
        return Ok(None);
    }
    let kind = match text(kind, bytes, "instType")? {
        b"SPOT" | b"MARGIN" => InstrumentKind::Spot,
        b"SWAP" => InstrumentKind::Perpetual,
        b"FUTURES" => InstrumentKind::Future,
        b"OPTION" => InstrumentKind::Option,
        _ => InstrumentKind::Unknown,
    };
    let pair = word(underlying, bytes);
    let pair = pair.split_once('-').unwrap_or_default();
    let or = |token: Token, other: &str| if is_there(token) { word(token, bytes) } else { other.into() };
    let option = match option.of(bytes) {
        side @ (b"C" | b"P") => {
            Some(OptionTerms { is_call: side == b"C", strike: exact(strike, bytes, "stk")? })
        }
        _ => None,
    };
    let terms = Terms {
        kind,
        base: or(base, pair.0),
        quote: or(quote, pair.1),
        settle: word(settle, bytes),
        expiry: if is_there(expiry) { milliseconds(expiry, bytes, "expTime")? } else { 0 },
        option,
        status: trading(state.of(bytes)),
    };
    let is_contract = is_there(value);
    let contract_size = if is_contract {
        let value = exact(value, bytes, "ctVal")?;
        let by = if is_there(multiplier) { exact(multiplier, bytes, "ctMult")? } else { Decimal::ONE };
        let Some(mantissa) = value.mantissa.checked_mul(by.mantissa) else { return Ok(None) };
        Decimal { mantissa, exponent: value.exponent.saturating_add(by.exponent) }
    } else {
        Decimal::ONE
    };
    let (tick, lot) = (exact(tick, bytes, "tickSz")?, exact(lot, bytes, "lotSz")?);
    Ok(Some(Instrument {
        contract_size,
        qty_unit: if is_contract { QtyUnit::Contracts } else { QtyUnit::Base },
        inverse: direction.of(bytes) == b"inverse",
        terms,
        ..instrument(venue, symbol).listed(tick, lot)
    }))
}

/// What the channel `instruments` says of one that is carried.
pub(super) fn defined(
    scanner: &mut Scanner<'_>,
    bytes: &[u8],
    route: Route,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let [tick, lot, state] = members(scanner, bytes, &["tickSz", "lotSz", "state"])?;
    let is_there = |token: Token| token.kind != Kind::Absent && !token.of(bytes).is_empty();
    if is_there(tick) && is_there(lot) {
        let (tick, lot) = (exact(tick, bytes, "tickSz")?, exact(lot, bytes, "lotSz")?);
        let definition = Definition {
            price_digits: tick.exponent.unsigned_abs(),
            qty_digits: lot.exponent.unsigned_abs(),
            tick_size: tick.mantissa,
            lot_size: lot.mantissa,
        };
        out.push(route.slot, 0, Body::Definition(definition));
    }
    out.push(route.slot, 0, Body::Trading(trading(text(state, bytes, "state")?)));
    Ok(())
}

fn trading(state: &[u8]) -> TradingStatus {
    match state {
        b"live" => TradingStatus::Trading,
        b"suspend" | b"preopen" | b"rebase" => TradingStatus::Halted,
        b"post_only" => TradingStatus::Limited,
        b"expired" | b"settling" => TradingStatus::Closed,
        _ => TradingStatus::Unknown,
    }
}

//! Instruments: what the venue says of their numbers and of their state.

use super::channel::is_inverse;
use super::message::{carried, members_of, time};
use crate::decode::DecodeError;
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::members::{exact, items, members, symbol, text, word};
use crate::types::{
    Body, Definition, Definitions, Events, Instrument, InstrumentKind, OptionTerms, QtyUnit, Routes, Terms,
    TradingStatus, Venue,
};
use crate::venues::entry::add;

/// The instrument of a name, of which nothing else is known. Where amounts are dollars, each of them is a contract.
pub(super) fn by_name(venue: Venue, name: &str) -> Instrument {
    let inverse = is_inverse(name.as_bytes());
    let qty_unit = if inverse { QtyUnit::Contracts } else { QtyUnit::Base };
    Instrument { inverse, qty_unit, ..super::ALL.scale.instrument(venue, name) }
}

/// A state of an instrument (`state` of tickers, instruments and `instrument.state`).
pub(super) fn trading_status(state: &[u8]) -> TradingStatus {
    match state {
        b"open" | b"started" => TradingStatus::Trading,
        b"created" | b"inactive" | b"deactivated" | b"halted" | b"locked" | b"settled" | b"settlement" => {
            TradingStatus::Halted
        }
        b"closed" | b"delivered" | b"terminated" | b"archivized" => TradingStatus::Closed,
        _ => TradingStatus::Unknown,
    }
}

/// A message of `instrument.state`.
pub(super) fn state(bytes: &[u8], data: Token, routes: &Routes, out: &mut Events) -> Result<(), DecodeError> {
    let keys = ["instrument_name", "state", "timestamp"];
    let [name, state, timestamp] = members_of(data, bytes, "data", &keys)?;
    let route = carried(name, bytes, routes)?;
    out.push(route.slot, time(timestamp, bytes)?, Body::Trading(trading_status(state.of(bytes))));
    Ok(())
}

/// A recorded answer to `public/get_instruments`, of which those that are carried count.
pub(super) fn definitions(
    bytes: &[u8],
    result: Token,
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let mut is_any = false;
    items(result, bytes, "result", |scanner| {
        let keys = ["instrument_name", "tick_size", "min_trade_amount", "state"];
        let [name, tick, lot, state] = members(scanner, bytes, &keys)?;
        if name.kind == Kind::Absent {
            return Err(DecodeError::NotSnapshot);
        }
        is_any = true;
        let Some(route) = symbol(name, bytes, "instrument_name", routes)?.0 else { return Ok(()) };
        let (tick, lot) = (exact(tick, bytes, "tick_size")?, exact(lot, bytes, "min_trade_amount")?);
        let definition = Definition {
            price_digits: tick.exponent.unsigned_abs(),
            qty_digits: lot.exponent.unsigned_abs(),
            tick_size: tick.mantissa,
            lot_size: lot.mantissa,
        };
        out.push(route.slot, 0, Body::Definition(definition));
        if state.kind == Kind::String {
            out.push(route.slot, 0, Body::Trading(trading_status(state.of(bytes))));
        }
        Ok(())
    })?;
    if is_any { Ok(()) } else { Err(DecodeError::NotSnapshot) }
}

/// The answer to `public/get_instruments`.
pub(super) fn read(venue: Venue, bytes: &[u8], out: &mut Definitions) -> Result<(), DecodeError> {
    let mut scanner = Scanner::new(bytes, 0);
    let [result] = members(&mut scanner, bytes, &["result"])?;
    scanner.finish()?;
    if result.kind != Kind::Array {
        return Err(DecodeError::NotInstruments);
    }
    items(result, bytes, "result", |scanner| add(listed(venue, scanner, bytes)?, out))
}

fn listed(venue: Venue, scanner: &mut Scanner<'_>, bytes: &[u8]) -> Result<Option<Instrument>, DecodeError> {
    let keys = [
        "instrument_name",
        "kind",
        "settlement_period",
        "base_currency",
        "quote_currency",
        "settlement_currency",
        "tick_size",
        "min_trade_amount",
        "expiration_timestamp",
        "option_type",
        "strike",
        "state",
        "is_active",
    ];
    let [
        name,
        kind,
        period,
        base,
        quote,
        settle,
        tick,
        lot,
        expiration,
        option_type,
        strike,
        state,
        is_active,
    ] = members(scanner, bytes, &keys)?;
    let Ok(name) = core::str::from_utf8(text(name, bytes, "instrument_name")?) else { return Ok(None) };
    let is_perpetual = period.of(bytes) == b"perpetual";
    let kind = match kind.of(bytes) {
        b"spot" => InstrumentKind::Spot,
        b"future" if is_perpetual => InstrumentKind::Perpetual,
        b"future" => InstrumentKind::Future,
        b"option" => InstrumentKind::Option,
        b"future_combo" | b"option_combo" => InstrumentKind::Spread,
        _ => InstrumentKind::Unknown,
    };
    // A perpetual's end is the year 3000, which stands for none.
    let ends = matches!(kind, InstrumentKind::Future | InstrumentKind::Option | InstrumentKind::Spread);
    let option = match kind {
        InstrumentKind::Option => Some(OptionTerms {
            is_call: text(option_type, bytes, "option_type")? == b"call",
            strike: exact(strike, bytes, "strike")?,
        }),
        _ => None,
    };
    let terms = Terms {
        kind,
        base: word(base, bytes),
        quote: word(quote, bytes),
        settle: word(settle, bytes),
        expiry: if ends { time(expiration, bytes)? } else { 0 },
        option,
        status: match (state.kind, is_active.kind) {
            (Kind::String, _) => trading_status(state.of(bytes)),
            (_, Kind::True) => TradingStatus::Trading,
            (_, Kind::False) => TradingStatus::Closed,
            _ => TradingStatus::Unknown,
        },
    };
    let instrument = Instrument { terms, ..by_name(venue, name) };
    Ok(Some(instrument.listed(exact(tick, bytes, "tick_size")?, exact(lot, bytes, "min_trade_amount")?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Decimal;
    use crate::venues::DERIBIT;

    const LIST: &str = r#"{"jsonrpc":"2.0","result":[
        {"tick_size":0.0005,"strike":40000.0,"settlement_period":"month","quote_currency":"BTC","option_type":"put","min_trade_amount":0.1,"kind":"option","is_active":true,"instrument_name":"BTC-24SEP21-40000-P","expiration_timestamp":1632470400000,"contract_size":1.0,"base_currency":"BTC"},
        {"tick_size":0.5,"settlement_period":"perpetual","quote_currency":"USD","min_trade_amount":10,"kind":"future","is_active":true,"instrument_name":"BTC-PERPETUAL","expiration_timestamp":32503708800000,"contract_size":10,"base_currency":"BTC","settlement_currency":"BTC"},
        {"state":"inactive","kind":"future_combo","instrument_name":"BTC-FS-19MAY26_PERP","expiration_timestamp":1779177600000,"is_active":true,"tick_size":0.5,"contract_size":10.0,"base_currency":"BTC","quote_currency":"USD","settlement_currency":"BTC","min_trade_amount":10.0,"settlement_period":"day","tick_size_steps":[]},
        {"tick_size":0.001,"settlement_period":"perpetual","settlement_currency":"USDC","quote_currency":"USDC","min_trade_amount":1,"kind":"future","is_active":false,"instrument_name":"UNI_USDC-PERPETUAL","future_type":"linear","expiration_timestamp":32503708800000,"contract_size":1,"base_currency":"UNI"}]}"#;

    #[test]
    fn instruments_have_their_terms() {
        let definitions = crate::venues::instruments(DERIBIT, LIST.as_bytes()).unwrap();
        let [put, perpetual, spread, linear] = definitions.list() else { panic!("{definitions:?}") };
        let strike = Decimal { mantissa: 40_000, exponent: 0 };
        assert_eq!(put.terms.option, Some(OptionTerms { is_call: false, strike }));
        assert_eq!((put.terms.kind, put.terms.expiry), (InstrumentKind::Option, 1_632_470_400_000_000_000));
        assert_eq!((put.price_exponent, put.tick_size, put.qty_exponent, put.lot_size), (-4, 5, -1, 1));
        assert_eq!((put.qty_unit, put.inverse), (QtyUnit::Base, false));
        assert_eq!((perpetual.terms.kind, perpetual.terms.expiry), (InstrumentKind::Perpetual, 0));
        assert_eq!(
            (perpetual.qty_unit, perpetual.inverse, perpetual.contract_size),
            (QtyUnit::Contracts, true, Decimal::ONE)
        );
        assert_eq!((&*perpetual.terms.settle, perpetual.terms.status), ("BTC", TradingStatus::Trading));
        assert_eq!((spread.terms.kind, spread.terms.status), (InstrumentKind::Spread, TradingStatus::Halted));
        assert_eq!((linear.inverse, linear.terms.status), (false, TradingStatus::Closed));
    }

    #[test]
    fn what_is_no_list_is_told() {
        let code = |text: &str| crate::venues::instruments(DERIBIT, text.as_bytes()).unwrap_err().code();
        assert_eq!(
            code(r#"{"jsonrpc":"2.0","error":{"code":10028,"message":"too_many_requests"}}"#),
            "decode.not_instruments"
        );
        assert_eq!(code(r#"{"jsonrpc":"2.0","result":[]}"#), "decode.no_instruments");
        assert_eq!(code(&LIST.replace("\"strike\":40000.0,", "")), "decode.missing_field");
        assert_eq!(code(&LIST.replace("UNI_USDC", "BTC")), "decode.instrument_twice");
        assert_eq!(code("<html>"), "decode.not_json");
    }
}

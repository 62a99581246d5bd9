//! The venue's list of its instruments.
//!
//! Source: API Explorer, `Instrument`: `tickSize` and `lotSize` are the increments of prices and of quantities. Of an inverse contract
//! `multiplier` by `underlyingToSettleMultiplier` is what it is worth, of any other that is no quanto one by
//! `underlyingToPositionMultiplier` what it holds. Types: `FF…` futures and, without an end, perpetuals, `IF…` spot, `MR…` indices.
//! A currency that ends in a small letter is the smallest unit of one: `XBt`, `USDt`.

use crate::decode::DecodeError;
use crate::decode::date_time::{Minute, time};
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::members::{exact, items, members, text, word};
use crate::types::{Decimal, Definitions, Instrument, InstrumentKind, POW10, Terms, TradingStatus, Venue};
use crate::venues::entry::add;

/// Reads the answer of `instrument/active`.
pub(super) fn read(venue: Venue, bytes: &[u8], out: &mut Definitions) -> Result<(), DecodeError> {
    let mut scanner = Scanner::new(bytes, 0);
    let list = scanner.value()?;
    scanner.finish()?;
    if list.kind != Kind::Array {
        return Err(DecodeError::NotInstruments);
    }
    items(list, bytes, "instruments", |scanner| add(listed(venue, scanner, bytes)?, out))
}

/// A `state` of an instrument.
pub(super) fn trading_status(state: &[u8]) -> TradingStatus {
    match state {
        b"Open" => TradingStatus::Trading,
        b"Closed" => TradingStatus::Halted,
        b"Settled" | b"Unlisted" | b"Delisted" => TradingStatus::Closed,
        _ => TradingStatus::Unknown,
    }
}

/// An instrument; `None` for an index or an option, and for one whose name is no text.
fn listed(venue: Venue, scanner: &mut Scanner<'_>, bytes: &[u8]) -> Result<Option<Instrument>, DecodeError> {
    let keys = [
        "symbol",
        "typ",
        "state",
        "expiry",
        "underlying",
        "quoteCurrency",
        "settlCurrency",
        "tickSize",
        "lotSize",
        "multiplier",
        "underlyingToPositionMultiplier",
        "underlyingToSettleMultiplier",
        "isInverse",
        "isQuanto",
    ];
    let [
        name,
        kind,
        state,
        expiry,
        base,
        quote,
        settle,
        tick,
        lot,
        multiplier,
        by_base,
        to_settle,
        is_inverse,
        is_quanto,
    ] = members(scanner, bytes, &keys)?;
    let Ok(name) = core::str::from_utf8(text(name, bytes, "symbol")?) else { return Ok(None) };
    let expiry = match expiry.kind {
        Kind::Null => 0,
        _ => time(&mut Minute::default(), expiry, bytes, "expiry")?,
    };
    let kind = match text(kind, bytes, "typ")? {
        kind if kind.starts_with(b"IF") => InstrumentKind::Spot,
        kind if !kind.starts_with(b"FF") => return Ok(None),
        _ if expiry > 0 => InstrumentKind::Future,
        _ => InstrumentKind::Perpetual,
    };
    let asset = |token: Token| word(token, bytes).to_ascii_uppercase().into();
    let terms = Terms {
        kind,
        base: asset(base),
        quote: asset(quote),
        settle: asset(settle),
        expiry,
        status: trading_status(state.of(bytes)),
        ..Terms::default()
    };
    let inverse = is_inverse.kind == Kind::True;
    let instrument = Instrument { terms, inverse, ..super::instrument(venue, name) };
    let size = match (inverse, is_quanto.kind) {
        (true, _) => worth(multiplier, to_settle, bytes),
        (_, Kind::True) => None,
        _ => holding(by_base, bytes),
    };
    Ok(Some(Instrument {
        contract_size: size.unwrap_or(instrument.contract_size),
        ..instrument.listed(exact(tick, bytes, "tickSize")?, exact(lot, bytes, "lotSize")?)
    }))
}

/// What an inverse contract is worth: both numbers are below 0.
fn worth(multiplier: Token, to_settle: Token, bytes: &[u8]) -> Option<Decimal> {
    let below = |token: Token| whole(token.of(bytes).strip_prefix(b"-")?);
    let (multiplier, unit) = (below(multiplier)?, below(to_settle)?);
    (multiplier.checked_rem(unit)? == 0).then_some(Decimal { mantissa: multiplier / unit, exponent: 0 })
}

/// What another contract holds: one part of so many.
fn holding(parts: Token, bytes: &[u8]) -> Option<Decimal> {
    let parts = whole(parts.of(bytes))?;
    let digits = POW10.iter().position(|power| *power == parts)?;
    Some(Decimal { mantissa: 1, exponent: -(digits as i8) })
}

fn whole(text: &[u8]) -> Option<i64> {
    Decimal::parse(text).ok().filter(|number| number.exponent == 0).map(|number| number.mantissa)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::QtyUnit;
    use crate::venues::BITMEX;

    const LIST: &str = r#"[
        {"symbol":"XBTUSD","rootSymbol":"XBT","state":"Open","typ":"FFWCSX","expiry":null,"underlying":"XBT","quoteCurrency":"USD","lotSize":100,"tickSize":0.5,"multiplier":-100000000,"settlCurrency":"XBt","underlyingToPositionMultiplier":null,"underlyingToSettleMultiplier":-100000000,"quoteToSettleMultiplier":null,"isQuanto":false,"isInverse":true},
        {"symbol":"ETHM19","state":"Closed","typ":"FFCCSX","expiry":"2019-06-28T12:00:00.000Z","underlying":"ETH","quoteCurrency":"XBT","lotSize":1,"tickSize":1e-05,"multiplier":100000000,"settlCurrency":"XBt","underlyingToPositionMultiplier":1,"underlyingToSettleMultiplier":null,"isQuanto":false,"isInverse":false},
        {"symbol":"XBTUSDT","state":"Open","typ":"FFWCSX","expiry":null,"underlying":"XBT","quoteCurrency":"USDT","lotSize":1000,"tickSize":0.5,"multiplier":1,"settlCurrency":"USDt","underlyingToPositionMultiplier":1000000,"underlyingToSettleMultiplier":null,"isQuanto":false,"isInverse":false},
        {"symbol":"ETHUSD","state":"Settled","typ":"FFWCSX","expiry":null,"underlying":"ETH","quoteCurrency":"USD","lotSize":1,"tickSize":0.05,"multiplier":100,"settlCurrency":"XBt","underlyingToPositionMultiplier":null,"isQuanto":true,"isInverse":false},
        {"symbol":"XBT_USDT","state":"Open","typ":"IFXXXP","expiry":null,"underlying":"XBT","quoteCurrency":"USDT","lotSize":1000,"tickSize":0.5,"multiplier":1,"settlCurrency":"","underlyingToPositionMultiplier":100000000,"isQuanto":false,"isInverse":false},
        {"symbol":".BXBT","state":"Unlisted","typ":"MRCXXX","expiry":null,"tickSize":0.01}]"#;

    #[test]
    fn instruments_have_their_terms() {
        let definitions = crate::venues::instruments(BITMEX, LIST.as_bytes()).unwrap();
        let [inverse, future, linear, quanto, spot] = definitions.list() else { panic!("{definitions:?}") };
        assert_eq!(definitions.passed_over(), 1, "an index");
        assert_eq!(inverse.to_string(), "bitmex:XBTUSD");
        assert_eq!(
            (inverse.price_exponent, inverse.tick_size, inverse.qty_exponent, inverse.lot_size),
            (-1, 5, 0, 100)
        );
        assert_eq!(
            (inverse.inverse, inverse.qty_unit, inverse.contract_size),
            (true, QtyUnit::Contracts, Decimal::ONE)
        );
        assert_eq!(
            (&*inverse.terms.base, &*inverse.terms.quote, &*inverse.terms.settle),
            ("XBT", "USD", "XBT")
        );
        assert_eq!(
            (inverse.terms.kind, inverse.terms.status),
            (InstrumentKind::Perpetual, TradingStatus::Trading)
        );
        assert_eq!(
            (future.terms.kind, future.terms.expiry, future.price_exponent, future.tick_size),
            (InstrumentKind::Future, 1_561_723_200_000_000_000, -5, 1)
        );
        assert_eq!((future.contract_size, future.terms.status), (Decimal::ONE, TradingStatus::Halted));
        assert_eq!(
            (linear.contract_size, &*linear.terms.settle),
            (Decimal { mantissa: 1, exponent: -6 }, "USDT")
        );
        assert_eq!((quanto.contract_size, quanto.inverse), (Decimal::ONE, false));
        assert_eq!((quanto.price_exponent, quanto.tick_size), (-2, 5));
        assert_eq!(
            (spot.terms.kind, spot.contract_size),
            (InstrumentKind::Spot, Decimal { mantissa: 1, exponent: -8 })
        );
    }

    #[test]
    fn what_is_no_list_is_told() {
        let code = |text: &str| crate::venues::instruments(BITMEX, text.as_bytes()).unwrap_err().code();
        for (text, expected) in [
            (
                r#"{"error":{"message":"Rate limit exceeded","name":"HTTPError"}}"#.to_owned(),
                "decode.not_instruments",
            ),
            ("[]".to_owned(), "decode.no_instruments"),
            (LIST.replace("\"tickSize\":0.5,", ""), "decode.missing_field"),
            (LIST.replace("2019-06-28", "soon"), "decode.wrong_type"),
            (LIST.replace("XBT_USDT", "XBTUSDT"), "decode.instrument_twice"),
            ("<html>".to_owned(), "decode.not_json"),
        ] {
            assert_eq!(code(&text), expected, "{text}");
        }
    }

    #[test]
    fn what_a_contract_is_worth_is_said_or_not_known() {
        let size = |from: &str, to: &str| {
            let list = LIST.replace(from, to);
            crate::venues::instruments(BITMEX, list.as_bytes()).unwrap().list()[0].contract_size
        };
        let of = |to: &str| size("\"multiplier\":-100000000", to);
        assert_eq!(of("\"multiplier\":-1000000000"), Decimal { mantissa: 10, exponent: 0 });
        for odd in ["\"multiplier\":-150000000", "\"multiplier\":null", "\"multiplier\":0.5"] {
            assert_eq!(of(odd), Decimal::ONE, "{odd}");
        }
        assert_eq!(size("Multiplier\":-100000000", "Multiplier\":0"), Decimal::ONE);
    }
}

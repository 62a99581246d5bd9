//! The venue's list of its contracts.
//!
//! Source: docs.kraken.com, Derivatives REST, "Get instruments": `tickSize` is the increment of prices, `contractValueTradePrecision`
//! the decimals of quantities, below 0 the zeros at their end; without one they are whole. `lastTradingTime` is a future's alone.
//! Indices stand in the list, too, with the type `spot index`.

use crate::decode::DecodeError;
use crate::decode::date_time::{Minute, time};
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::members::{exact, items, members, text, unsigned, word};
use crate::types::{Decimal, Definitions, Instrument, InstrumentKind, POW10, Terms, TradingStatus, Venue};
use crate::venues::entry::add;

/// Reads the answer of `instruments`.
pub(super) fn read(venue: Venue, bytes: &[u8], out: &mut Definitions) -> Result<(), DecodeError> {
    let mut scanner = Scanner::new(bytes, 0);
    let [list] = members(&mut scanner, bytes, &["instruments"])?;
    scanner.finish()?;
    if list.kind != Kind::Array {
        return Err(DecodeError::NotInstruments);
    }
    items(list, bytes, "instruments", |scanner| add(contract(venue, scanner, bytes)?, out))
}

/// A contract; `None` for an index, and for one whose name is no text.
fn contract(
    venue: Venue,
    scanner: &mut Scanner<'_>,
    bytes: &[u8],
) -> Result<Option<Instrument>, DecodeError> {
    let keys = [
        "symbol",
        "type",
        "tickSize",
        "contractSize",
        "contractValueTradePrecision",
        "lastTradingTime",
        "tradeable",
        "postOnly",
        "base",
        "quote",
    ];
    let [name, kind, tick, holds, digits, ends, tradeable, post_only, base, quote] =
        members(scanner, bytes, &keys)?;
    let Ok(name) = core::str::from_utf8(text(name, bytes, "symbol")?) else { return Ok(None) };
    if !text(kind, bytes, "type")?.ends_with(b"futures") && !kind.of(bytes).starts_with(b"futures") {
        return Ok(None);
    }
    let instrument = super::instrument(venue, name);
    // `PI_XBTUSD`, `FI_XBTUSD_210924`: lists of before 2022 name no assets.
    let pair = instrument.symbol.split('_').nth(1).unwrap_or_default();
    let pair = pair.split_at_checked(pair.len().saturating_sub(3)).unwrap_or_default();
    let asset = |token: Token, of_name: &str| match token.kind {
        Kind::String => word(token, bytes),
        _ => Box::<str>::from(of_name),
    };
    let (base, quote) = (asset(base, pair.0), asset(quote, pair.1));
    let expiry = time(&mut Minute::default(), ends, bytes, "lastTradingTime")?;
    let terms = Terms {
        kind: if expiry > 0 { InstrumentKind::Future } else { InstrumentKind::Perpetual },
        settle: if instrument.inverse { base.clone() } else { quote.clone() },
        base,
        quote,
        expiry,
        status: match (tradeable.kind, post_only.kind) {
            (Kind::True, Kind::True) => TradingStatus::Limited,
            (Kind::True, _) => TradingStatus::Trading,
            (Kind::False, _) => TradingStatus::Halted,
            _ => TradingStatus::Unknown,
        },
        ..Terms::default()
    };
    let (tick, contract_size) = (exact(tick, bytes, "tickSize")?, exact(holds, bytes, "contractSize")?);
    let lot = step(digits, bytes)?;
    Ok(Some(Instrument { terms, contract_size, ..instrument.listed(tick, lot) }))
}

/// The increment of quantities of so many decimals.
fn step(digits: Token, bytes: &[u8]) -> Result<Decimal, DecodeError> {
    let field = "contractValueTradePrecision";
    let is_coarse = digits.of(bytes).first() == Some(&b'-');
    let count = match digits.kind {
        Kind::Absent | Kind::Null => 0,
        _ => {
            let start = digits.start + u32::from(is_coarse);
            unsigned(Token { start, ..digits }, bytes, field)?
        }
    };
    let (expected, got) = ("a number from -18 to 18", "another");
    let wrong = DecodeError::WrongType { at: digits.start, field, expected, got };
    let by = usize::try_from(count).ok().and_then(|count| POW10.get(count)).ok_or(wrong)?;
    Ok(match is_coarse {
        true => Decimal { mantissa: *by, exponent: 0 },
        false => Decimal { mantissa: 1, exponent: -(count as i8) },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::QtyUnit;
    use crate::venues::KRAKEN_FUTURES;

    fn list(entries: &str) -> Result<Definitions, &'static str> {
        let text = format!("{{\"result\":\"success\",\"instruments\":[{entries}],\"serverTime\":\"x\"}}");
        crate::venues::instruments(KRAKEN_FUTURES, text.as_bytes()).map_err(|error| error.code())
    }

    #[test]
    fn contracts_of_every_list_have_their_terms() {
        let definitions = list(
            r#"{"symbol":"pi_xbtusd","type":"futures_inverse","underlying":"rr_xbtusd","tickSize":0.5,"contractSize":1,"tradeable":true},
               {"symbol":"fi_xrpusd_210924","type":"futures_inverse","lastTradingTime":"2021-09-24T15:00:00.000Z","tickSize":0.0001,"contractSize":1,"tradeable":false},
               {"symbol":"in_xbtusd","type":"spot index","tradeable":false},
               {"symbol":"PF_PEPEUSD","type":"flexible_futures","tickSize":1e-10,"contractSize":1,"tradeable":true,"contractValueTradePrecision":-3,"postOnly":true,"base":"PEPE","quote":"USD"},
               {"symbol":"PF_ETHUSD","type":"flexible_futures","tickSize":0.1,"contractSize":1,"tradeable":true,"contractValueTradePrecision":3,"postOnly":false,"base":"ETH","quote":"USD"}"#,
        );
        let definitions = definitions.unwrap();
        let [perpetual, future, coarse, linear] = definitions.list() else { panic!("{definitions:?}") };
        assert_eq!(perpetual.to_string(), "kraken-futures:PI_XBTUSD");
        assert_eq!((perpetual.price_exponent, perpetual.tick_size, perpetual.qty_exponent), (-1, 5, 0));
        assert_eq!(
            (perpetual.inverse, perpetual.qty_unit, perpetual.contract_size),
            (true, QtyUnit::Contracts, Decimal::ONE)
        );
        assert_eq!(
            (&*perpetual.terms.base, &*perpetual.terms.quote, &*perpetual.terms.settle),
            ("XBT", "USD", "XBT")
        );
        assert_eq!(
            (perpetual.terms.kind, perpetual.terms.status),
            (InstrumentKind::Perpetual, TradingStatus::Trading)
        );
        assert_eq!(
            (future.terms.kind, future.terms.expiry, future.terms.status),
            (InstrumentKind::Future, 1_632_495_600_000_000_000, TradingStatus::Halted)
        );
        assert_eq!((coarse.price_exponent, coarse.qty_exponent, coarse.lot_size), (-10, 0, 1_000));
        assert_eq!((coarse.inverse, coarse.terms.status), (false, TradingStatus::Limited));
        assert_eq!((linear.qty_exponent, &*linear.terms.settle), (-3, "USD"));
    }

    #[test]
    fn what_is_no_list_is_told() {
        let contract = r#"{"symbol":"A","type":"futures_inverse","tickSize":0.5,"contractSize":1"#;
        for (entries, code) in [
            (String::new(), "decode.no_instruments"),
            (format!("{contract},\"contractValueTradePrecision\":19}}"), "decode.wrong_type"),
            (format!("{contract},\"lastTradingTime\":\"soon\"}}"), "decode.wrong_type"),
            ("{\"symbol\":\"A\",\"type\":\"futures_inverse\"}".to_owned(), "decode.missing_field"),
            (format!("{contract}}},{}}}", contract.replace("0.5", "0.1")), "decode.instrument_twice"),
        ] {
            assert_eq!(list(&entries).unwrap_err(), code, "{entries}");
        }
        let refused = br#"{"result":"error","error":"apiLimitExceeded"}"#;
        let error = crate::venues::instruments(KRAKEN_FUTURES, refused).unwrap_err();
        assert_eq!(error.code(), "decode.not_instruments");
    }
}

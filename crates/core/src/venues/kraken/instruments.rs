//! The venue's list of its pairs.
//!
//! Source: docs.kraken.com, "Get Tradable Asset Pairs": `pair_decimals` and `lot_decimals` are the digits that are printed,
//! `tick_size` the increment of prices, `wsname` the pair's name in version 1. Pairs without one have no WebSocket.

use super::codes;
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::members::{exact, members, text, unsigned};
use crate::decode::{DecodeError, Scaled};
use crate::types::{
    Decimal, DecimalError, Definitions, Instrument, InstrumentKind, ScaleSource, Terms, TradingStatus, Venue,
};
use crate::venues::entry::add;

/// Most decimals that are printed of a number.
const DIGITS_MAX: u64 = 18;

/// Reads the answer of `AssetPairs`.
pub(super) fn read(venue: Venue, bytes: &[u8], out: &mut Definitions) -> Result<(), DecodeError> {
    let mut scanner = Scanner::new(bytes, 0);
    let [result] = members(&mut scanner, bytes, &["result"])?;
    scanner.finish()?;
    if result.kind != Kind::Object {
        return Err(DecodeError::NotInstruments);
    }
    let mut scanner = Scanner::new(bytes, result.start as usize);
    scanner.open(b'{', "an object")?;
    let mut first = true;
    while scanner.more(first, b'}')? {
        first = false;
        scanner.key()?;
        add(pair(venue, &mut scanner, bytes)?, out)?;
    }
    Ok(())
}

fn pair(venue: Venue, scanner: &mut Scanner<'_>, bytes: &[u8]) -> Result<Option<Instrument>, DecodeError> {
    let keys = ["wsname", "pair_decimals", "lot_decimals", "tick_size", "status"];
    let [name, price_digits, qty_digits, tick, status] = members(scanner, bytes, &keys)?;
    if name.kind == Kind::Absent {
        return Ok(None);
    }
    let name = text(name, bytes, "wsname")?;
    let Ok(name) = core::str::from_utf8(name) else { return Ok(None) };
    let price_digits = digits(price_digits, bytes, "pair_decimals")?;
    let qty_digits = digits(qty_digits, bytes, "lot_decimals")?;
    let lot = Decimal { mantissa: 1, exponent: -(qty_digits as i8) };
    let instrument = codes::instrument(venue, name);
    let (base, quote) = instrument.symbol.split_once('/').unwrap_or((&instrument.symbol, ""));
    let terms = Terms {
        kind: InstrumentKind::Spot,
        base: base.into(),
        quote: quote.into(),
        status: match status.of(bytes) {
            b"online" => TradingStatus::Trading,
            b"cancel_only" | b"post_only" | b"limit_only" | b"reduce_only" => TradingStatus::Limited,
            _ => TradingStatus::Unknown,
        },
        ..Terms::default()
    };
    let printed = Decimal { mantissa: 1, exponent: -(price_digits as i8) };
    let tick = if tick.kind == Kind::Absent { printed } else { exact(tick, bytes, "tick_size")? };
    // Prices are held as they are printed, which may be finer than the increment.
    let by = crate::types::POW10.get(usize::from((tick.exponent - printed.exponent).max(0).unsigned_abs()));
    let at_printed =
        by.and_then(|by| tick.mantissa.checked_mul(*by)).filter(|_| tick.exponent >= printed.exponent);
    let tick = at_printed.map_or(tick, |mantissa| Decimal { mantissa, ..printed });
    Ok(Some(Instrument {
        digits: Some((price_digits, qty_digits)),
        terms,
        scale_source: ScaleSource::Listed,
        ..instrument.listed(tick, lot)
    }))
}

fn digits(token: Token, bytes: &[u8], field: &'static str) -> Result<u8, DecodeError> {
    match unsigned(token, bytes, field)? {
        digits @ ..=DIGITS_MAX => Ok(digits as u8),
        _ => Err(DecodeError::BadNumber {
            at: token.start,
            field,
            cause: DecimalError::Overflow,
            scaled: Scaled::No,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::venues::KRAKEN;

    #[test]
    fn pairs_have_digits_increments_and_all_their_names() {
        let list = r#"{"error":[],"result":{
            "XXBTZUSD":{"altname":"XBTUSD","wsname":"XBT/USD","base":"XXBT","quote":"ZUSD","pair_decimals":1,"lot_decimals":8,"tick_size":"0.1","status":"online"},
            "MATICEUR":{"wsname":"MATIC/EUR","pair_decimals":4,"lot_decimals":8,"tick_size":"0.01","status":"cancel_only"},
            "DARK":{"altname":"DARK","pair_decimals":1,"lot_decimals":8}}}"#;
        let definitions = crate::venues::instruments(KRAKEN, list.as_bytes()).unwrap();
        assert_eq!((definitions.list().len(), definitions.passed_over()), (2, 1));
        let [bitcoin, matic] = definitions.list() else { panic!("two pairs") };
        assert_eq!((bitcoin.to_string(), bitcoin.digits), ("kraken:BTC/USD".to_owned(), Some((1, 8))));
        assert!(bitcoin.codes.iter().any(|code| &**code == b"XXBTZUSD"));
        assert_eq!((bitcoin.price_exponent, bitcoin.tick_size, bitcoin.qty_exponent), (-1, 1, -8));
        assert_eq!(
            (matic.price_exponent, matic.tick_size),
            (-4, 100),
            "an increment coarser than what is printed"
        );
        assert_eq!(matic.terms.status, TradingStatus::Limited);
    }

    #[test]
    fn refusals_and_other_answers_are_told() {
        let code = |text: &str| crate::venues::instruments(KRAKEN, text.as_bytes()).unwrap_err().code();
        assert_eq!(code(r#"{"error":["EGeneral:Too many requests"]}"#), "decode.not_instruments");
        assert_eq!(code(r#"{"error":[],"result":{}}"#), "decode.no_instruments");
        let wide = r#"{"result":{"A":{"wsname":"A/B","pair_decimals":19,"lot_decimals":8}}}"#;
        assert_eq!(code(wide), "decode.overflow");
    }
}

//! The venue's markets: numbers on the wire, symbols for people.
//!
//! Source: apidocs.lighter.xyz, "orderBookDetails": `order_book_details` are perpetuals, `spot_order_book_details` spot
//! markets; `size_decimals` and `price_decimals` are the digits of a size and of a price.

use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::members::{items, members, text, unsigned};
use crate::decode::{DecodeError, Scaled};
use crate::types::{
    Decimal, DecimalError, Definitions, Instrument, InstrumentKind, Terms, TradingStatus, Venue,
};
use crate::venues::LIGHTER;

/// Markets whose numbers are known without the list: those of the recordings (`market_stats` of 2026-04-20).
const KNOWN: [(&str, &str); 2] = [("ETH", "0"), ("BTC", "1")];

/// The market of a symbol or of a number.
pub(in crate::venues) fn instrument(venue: Venue, name: &str) -> Instrument {
    let known = KNOWN.iter().find(|(symbol, code)| name == *symbol || name == *code);
    let (symbol, code) = known.copied().unwrap_or((name, name));
    numbered(venue, symbol, code)
}

/// No market is listed here: scales come from the venue or from the digits.
pub(in crate::venues) fn listed() -> impl Iterator<Item = Instrument> {
    core::iter::empty()
}

fn numbered(venue: Venue, symbol: &str, code: &str) -> Instrument {
    Instrument { codes: vec![code.as_bytes().into()], ..super::MARKETS.scale.instrument(venue, symbol) }
}

/// The symbol of a market whose number is known.
pub(super) fn symbol_of(code: &[u8]) -> Option<&'static str> {
    KNOWN.iter().find(|(_, known)| known.as_bytes() == code).map(|(symbol, _)| *symbol)
}

/// Reads the answer of `orderBookDetails`.
pub(super) fn read(venue: Venue, bytes: &[u8], out: &mut Definitions) -> Result<(), DecodeError> {
    debug_assert_eq!(venue, LIGHTER);
    let mut scanner = Scanner::new(bytes, 0);
    let keys = ["order_book_details", "spot_order_book_details"];
    let [perpetuals, spots] = members(&mut scanner, bytes, &keys)?;
    scanner.finish()?;
    if perpetuals.kind != Kind::Array && spots.kind != Kind::Array {
        return Err(DecodeError::NotInstruments);
    }
    for (list, kind, field) in
        [(perpetuals, InstrumentKind::Perpetual, keys[0]), (spots, InstrumentKind::Spot, keys[1])]
    {
        if list.kind == Kind::Array {
            items(list, bytes, field, |scanner| {
                let instrument = market(venue, kind, scanner, bytes)?;
                // A number is one market: it alone tells whose a message is.
                let is_other =
                    |of: &Instrument| of.codes == instrument.codes && of.symbol != instrument.symbol;
                if out.list().iter().any(is_other) {
                    return Err(DecodeError::InstrumentTwice);
                }
                out.add(instrument).map_err(DecodeError::of_list)
            })?;
        }
    }
    Ok(())
}

fn market(
    venue: Venue,
    kind: InstrumentKind,
    scanner: &mut Scanner<'_>,
    bytes: &[u8],
) -> Result<Instrument, DecodeError> {
    let keys = ["symbol", "market_id", "status", "price_decimals", "size_decimals"];
    let [name, id, status, price_digits, qty_digits] = members(scanner, bytes, &keys)?;
    let symbol = String::from_utf8_lossy(text(name, bytes, "symbol")?);
    let number = unsigned(id, bytes, "market_id")?;
    let increment = |token, field| {
        Ok::<_, DecodeError>(Decimal { mantissa: 1, exponent: -(digits(token, bytes, field)? as i8) })
    };
    let (tick, lot) = (increment(price_digits, "price_decimals")?, increment(qty_digits, "size_decimals")?);
    // Of spot the symbol names both assets; perpetuals are all in USDC.
    let (base, quote) = symbol.split_once('/').unwrap_or((&symbol, "USDC"));
    let terms = Terms {
        kind,
        base: base.into(),
        quote: quote.into(),
        status: match text(status, bytes, "status")? {
            b"active" => TradingStatus::Trading,
            b"inactive" => TradingStatus::Halted,
            _ => TradingStatus::Unknown,
        },
        ..Terms::default()
    };
    Ok(Instrument { terms, ..numbered(venue, &symbol, &number.to_string()).listed(tick, lot) })
}

fn digits(token: Token, bytes: &[u8], field: &'static str) -> Result<u8, DecodeError> {
    const DIGITS_MAX: u64 = 18;
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

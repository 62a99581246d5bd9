//! The venue's list of its pairs.
//!
//! Source: bitstamp.net/api, "Trading pairs info": `counter_decimals` are the digits of prices, `base_decimals` those of amounts,
//! `url_symbol` is the pair's name on the wire and `name` the same with its assets apart.

use super::instrument;
use crate::decode::DecodeError;
use crate::decode::json::{Kind, Scanner};
use crate::decode::members::{items, members, text, unsigned, word};
use crate::types::{Decimal, Definitions, Instrument, InstrumentKind, Terms, TradingStatus, Venue};

/// Most decimals that a number may have.
const DIGITS_MAX: u64 = 18;

/// Reads the answer.
pub(super) fn read(venue: Venue, bytes: &[u8], out: &mut Definitions) -> Result<(), DecodeError> {
    let mut scanner = Scanner::new(bytes, 0);
    let list = scanner.value()?;
    scanner.finish()?;
    if list.kind != Kind::Array {
        return Err(DecodeError::NotInstruments);
    }
    items(list, bytes, "pairs", |scanner| {
        let keys = ["url_symbol", "name", "base_decimals", "counter_decimals", "trading"];
        let [symbol, name, qty_digits, price_digits, trading] = members(scanner, bytes, &keys)?;
        let price_digits = unsigned(price_digits, bytes, "counter_decimals")?;
        let qty_digits = unsigned(qty_digits, bytes, "base_decimals")?;
        let symbol = core::str::from_utf8(text(symbol, bytes, "url_symbol")?);
        let (Ok(symbol), true) = (symbol, price_digits.max(qty_digits) <= DIGITS_MAX) else {
            out.pass_over();
            return Ok(());
        };
        let name = word(name, bytes);
        let (base, quote) = name.split_once('/').unwrap_or((&name, ""));
        let terms = Terms {
            kind: InstrumentKind::Spot,
            base: base.into(),
            quote: quote.into(),
            status: match trading.of(bytes) {
                b"Enabled" => TradingStatus::Trading,
                b"Disabled" => TradingStatus::Halted,
                _ => TradingStatus::Unknown,
            },
            ..Terms::default()
        };
        let unit = |digits: u64| Decimal { mantissa: 1, exponent: -(digits as i8) };
        let listed = instrument(venue, symbol).listed(unit(price_digits), unit(qty_digits));
        out.add(Instrument { terms, ..listed }).map_err(DecodeError::of_list)
    })
}

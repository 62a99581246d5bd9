//! The venue's list of its pairs.
//!
//! Source: docs.bitfinex.com, "Configs", `pub:info:pair` and `pub:info:pair:futures`, asked for together or alone: a list for each,
//! of a pair's name and what holds of its orders. Nothing is said of the digits of prices and amounts, which are found from
//! those that occur. Names have six letters, or a colon between their assets; those of perpetual futures end with `F0`.

use super::instrument;
use crate::decode::DecodeError;
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::members::{items, text, values};
use crate::types::{Definitions, Instrument, InstrumentKind, Terms, TradingStatus, Venue};

/// Reads the answer.
pub(super) fn read(venue: Venue, bytes: &[u8], out: &mut Definitions) -> Result<(), DecodeError> {
    let mut scanner = Scanner::new(bytes, 0);
    let whole = scanner.value()?;
    scanner.finish()?;
    if whole.kind != Kind::Array {
        return Err(DecodeError::NotInstruments);
    }
    items(whole, bytes, "lists", |scanner| {
        let list = scanner.value()?;
        if list.kind != Kind::Array {
            return Err(DecodeError::NotInstruments);
        }
        items(list, bytes, "pairs", |scanner| pair(venue, scanner, bytes, out))
    })
}

fn pair(
    venue: Venue,
    scanner: &mut Scanner<'_>,
    bytes: &[u8],
    out: &mut Definitions,
) -> Result<(), DecodeError> {
    let ([name, _], _): ([Token; 2], _) = values(scanner)?;
    let Ok(name) = core::str::from_utf8(text(name, bytes, "pair")?) else {
        out.pass_over();
        return Ok(());
    };
    let (base, quote) = name.split_once(':').or_else(|| name.split_at_checked(3)).unwrap_or((name, ""));
    let assets = base.strip_suffix("F0").zip(quote.strip_suffix("F0"));
    let kind = if assets.is_some() { InstrumentKind::Perpetual } else { InstrumentKind::Spot };
    let (base, quote) = assets.unwrap_or((base, quote));
    let terms = Terms {
        kind,
        base: base.into(),
        quote: quote.into(),
        status: TradingStatus::Trading,
        ..Terms::default()
    };
    out.add(Instrument { terms, ..instrument(venue, &format!("t{name}")) }).map_err(DecodeError::of_list)
}

//! An instrument of the catalogue as a line of text, in which a journal keeps it: read back, its books have the same scale.

use core::fmt::Write as _;

use crate::types::{Decimal, Instrument, InstrumentKind, OptionTerms, QtyUnit, ScaleSource, TradingStatus};
use crate::venues;

/// Fields of a line, which tabs part. No name has one.
const FIELDS: usize = 19;
const KINDS: [InstrumentKind; 6] = [
    InstrumentKind::Unknown,
    InstrumentKind::Spot,
    InstrumentKind::Perpetual,
    InstrumentKind::Future,
    InstrumentKind::Option,
    InstrumentKind::Spread,
];
const UNITS: [QtyUnit; 3] = [QtyUnit::Base, QtyUnit::Contracts, QtyUnit::Shares];
const SOURCES: [ScaleSource; 3] = [ScaleSource::Format, ScaleSource::Listed, ScaleSource::Inferred];

/// The line of an instrument: name, exponents of prices and quantities, where they come from, tick, lot, digits printed,
/// unit, size of a contract, whether it is inverse, kind, base, quote, settle, expiry, option, status, codes in hexadecimal
/// digits. Empty is what nobody has said.
#[must_use]
pub fn listing_of(instrument: &Instrument) -> String {
    let Instrument { venue, symbol, price_exponent, qty_exponent, tick_size, lot_size, .. } = instrument;
    let terms = &instrument.terms;
    let digits = instrument.digits.map_or(String::new(), |(price, qty)| format!("{price},{qty}"));
    let option = terms.option.map_or(String::new(), |OptionTerms { is_call, strike }| {
        format!("{},{},{}", if is_call { 'C' } else { 'P' }, strike.mantissa, strike.exponent)
    });
    let mut codes = String::new();
    for code in &instrument.codes {
        codes.push(',');
        // Writing to memory cannot fail.
        for byte in code {
            let _ = write!(codes, "{byte:02x}");
        }
    }
    let source = SOURCES.iter().position(|source| *source == instrument.scale_source).unwrap_or_default();
    let Decimal { mantissa, exponent } = instrument.contract_size;
    format!(
        "{}:{symbol}\t{price_exponent}\t{qty_exponent}\t{source}\t{tick_size}\t{lot_size}\t{digits}\t{}\t{mantissa}\t{exponent}\t{}\t{}\t{}\t{}\t{}\t{}\t{option}\t{}\t{codes}",
        venue.name(),
        instrument.qty_unit.name(),
        u8::from(instrument.inverse),
        terms.kind.name(),
        terms.base,
        terms.quote,
        terms.settle,
        terms.expiry,
        terms.status.name(),
    )
}

/// The instrument of a line; None where the line is none.
#[must_use]
pub fn listed_as(line: &str) -> Option<Instrument> {
    let mut fields = [""; FIELDS];
    let mut parts = line.split('\t');
    for field in &mut fields {
        *field = parts.next()?;
    }
    if parts.next().is_some() {
        return None;
    }
    let [name, price_exponent, qty_exponent, source, tick, lot, digits, unit, size, size_exponent, ..] =
        fields;
    let [.., inverse, kind, base, quote, settle, expiry, option, status, codes] = fields;
    let (venue, symbol) = venues::split_name(name).ok()?;
    let mut made = venues::instrument(venue, symbol).ok()?;
    made.price_exponent = exponent_of(price_exponent)?;
    made.qty_exponent = exponent_of(qty_exponent)?;
    made.scale_source = *SOURCES.get(source.parse::<usize>().ok()?)?;
    made.tick_size = tick.parse().ok().filter(|size| *size >= 0)?;
    made.lot_size = lot.parse().ok().filter(|size| *size >= 0)?;
    made.digits = if digits.is_empty() {
        None
    } else {
        let (price, qty) = digits.split_once(',')?;
        Some((price.parse().ok()?, qty.parse().ok()?))
    };
    made.qty_unit = *UNITS.iter().find(|known| known.name() == unit)?;
    let mantissa = size.parse().ok().filter(|size| *size > 0)?;
    made.contract_size = Decimal { mantissa, exponent: exponent_of(size_exponent)? };
    made.inverse = match inverse {
        "0" => false,
        "1" => true,
        _ => return None,
    };
    made.terms.kind = *KINDS.iter().find(|known| known.name() == kind)?;
    (made.terms.base, made.terms.quote, made.terms.settle) = (base.into(), quote.into(), settle.into());
    made.terms.expiry = expiry.parse().ok()?;
    made.terms.option = if option.is_empty() { None } else { Some(option_of(option)?) };
    made.terms.status = *TradingStatus::ALL.iter().find(|known| known.name() == status)?;
    made.codes = codes.split(',').skip(1).map(code_of).collect::<Option<_>>()?;
    Some(made)
}

fn exponent_of(text: &str) -> Option<i8> {
    text.parse().ok().filter(|exponent| (-18..=0).contains(exponent))
}

fn option_of(text: &str) -> Option<OptionTerms> {
    let mut parts = text.split(',');
    let is_call = match parts.next()? {
        "C" => true,
        "P" => false,
        _ => return None,
    };
    let (mantissa, exponent) = (parts.next()?.parse().ok()?, exponent_of(parts.next()?)?);
    parts.next().is_none().then_some(OptionTerms { is_call, strike: Decimal { mantissa, exponent } })
}

fn code_of(text: &str) -> Option<Box<[u8]>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let byte = |pair: &[u8]| u8::from_str_radix(core::str::from_utf8(pair).ok()?, 16).ok();
    digits.chunks(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn option() -> Instrument {
        let mut made = venues::instrument(venues::ALL[0], "BTCUSDT").unwrap();
        (made.price_exponent, made.qty_exponent) = (-4, -8);
        made.scale_source = ScaleSource::Listed;
        (made.tick_size, made.lot_size, made.digits) = (5, 1, Some((4, 8)));
        made.codes = vec![b"BTC\t,X"[..].into(), b"\xff"[..].into()];
        made.qty_unit = QtyUnit::Contracts;
        made.contract_size = Decimal { mantissa: 10, exponent: -2 };
        made.inverse = true;
        made.terms.kind = InstrumentKind::Option;
        (made.terms.base, made.terms.quote) = ("BTC".into(), "USD".into());
        made.terms.expiry = 1_785_000_000_000_000_000;
        let strike = Decimal { mantissa: 60_000, exponent: 0 };
        made.terms.option = Some(OptionTerms { is_call: false, strike });
        made.terms.status = TradingStatus::Halted;
        made
    }

    #[test]
    fn lines_come_back() {
        let plain = venues::instrument(venues::ALL[0], "ETHUSDT").unwrap();
        for instrument in [option(), plain] {
            let line = listing_of(&instrument);
            assert!(!line.contains('\n'));
            assert_eq!(listed_as(&line).as_ref(), Some(&instrument), "{line}");
        }
    }

    /// Each field that is another is another instrument, or none.
    #[test]
    fn no_field_is_passed_over() {
        let line = listing_of(&option());
        let fields: Vec<_> = line.split('\t').collect();
        assert_eq!(fields.len(), FIELDS);
        for at in 0..FIELDS {
            for other in ["", "7", "-1", "x", "nowhere:X"] {
                let mut changed = fields.clone();
                if changed[at] == other {
                    continue;
                }
                changed[at] = other;
                assert_ne!(listed_as(&changed.join("\t")), Some(option()), "{at} {other}");
            }
            let mut short = fields.clone();
            short.remove(at);
            assert_eq!(listed_as(&short.join("\t")), None);
        }
        assert_eq!(listed_as(&format!("{line}\t")), None);
    }
}

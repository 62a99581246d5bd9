//! The venue's lists of its instruments.
//!
//! Source: REST v4, "List all currency pairs supported" (`precision` and `amount_precision` are decimals), "List all futures
//! contracts" (`order_price_round` is the increment of prices, `quanto_multiplier` what a contract holds; `type` `inverse` is worth one
//! unit of quote currency) and of deliveries (`expire_time`, in seconds).

use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::members::{exact, members, text, unsigned, word};
use crate::decode::{DecodeError, Scaled};
use crate::types::{
    Decimal, DecimalError, Definitions, Instrument, InstrumentKind, Terms, TradingStatus, Venue,
};
use crate::venues::GATEIO;

/// Most decimals that are printed of a number.
const DIGITS_MAX: u64 = 18;

/// Reads a list.
pub(super) fn read(venue: Venue, bytes: &[u8], out: &mut Definitions) -> Result<(), DecodeError> {
    let mut scanner = Scanner::new(bytes, 0);
    if scanner.peek()? != b'[' {
        return Err(DecodeError::NotInstruments);
    }
    scanner.open(b'[', "an array")?;
    let mut first = true;
    while scanner.more(first, b']')? {
        first = false;
        let instrument = if venue == GATEIO {
            pair(venue, &mut scanner, bytes)?
        } else {
            contract(venue, &mut scanner, bytes)?
        };
        out.add(instrument).map_err(DecodeError::of_list)?;
    }
    scanner.finish()
}

fn pair(venue: Venue, scanner: &mut Scanner<'_>, bytes: &[u8]) -> Result<Instrument, DecodeError> {
    let keys = ["id", "base", "quote", "precision", "amount_precision", "trade_status"];
    let [name, base, quote, price_digits, qty_digits, status] = members(scanner, bytes, &keys)?;
    let step = |token: Token, field| match unsigned(token, bytes, field)? {
        digits @ ..=DIGITS_MAX => Ok(Decimal { mantissa: 1, exponent: -(digits as i8) }),
        _ => Err(DecodeError::BadNumber {
            at: token.start,
            field,
            cause: DecimalError::Overflow,
            scaled: Scaled::No,
        }),
    };
    let terms = Terms {
        kind: InstrumentKind::Spot,
        base: word(base, bytes),
        quote: word(quote, bytes),
        status: match status.of(bytes) {
            b"tradable" => TradingStatus::Trading,
            b"untradable" => TradingStatus::Halted,
            b"buyable" | b"sellable" => TradingStatus::Limited,
            _ => TradingStatus::Unknown,
        },
        ..Terms::default()
    };
    let symbol = plain(text(name, bytes, "id")?);
    let (tick, lot) = (step(price_digits, "precision")?, step(qty_digits, "amount_precision")?);
    Ok(Instrument { terms, ..super::instrument(venue, &symbol).listed(tick, lot) })
}

fn contract(venue: Venue, scanner: &mut Scanner<'_>, bytes: &[u8]) -> Result<Instrument, DecodeError> {
    let keys = ["name", "type", "quanto_multiplier", "order_price_round", "in_delisting", "expire_time"];
    let [name, kind, holds, tick, in_delisting, ends] = members(scanner, bytes, &keys)?;
    let symbol = plain(text(name, bytes, "name")?);
    let mut parts = symbol.split('_');
    let (base, quote) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let inverse = kind.of(bytes) == b"inverse";
    let expiry = match ends.kind {
        Kind::Absent => 0,
        _ => unsigned(ends, bytes, "expire_time")?.saturating_mul(1_000_000_000),
    };
    let terms = Terms {
        kind: if expiry > 0 { InstrumentKind::Future } else { InstrumentKind::Perpetual },
        base: base.into(),
        quote: quote.into(),
        settle: if inverse { base.into() } else { quote.into() },
        expiry,
        status: match in_delisting.kind {
            Kind::True => TradingStatus::Limited,
            Kind::False => TradingStatus::Trading,
            _ => TradingStatus::Unknown,
        },
        ..Terms::default()
    };
    let holds = exact(holds, bytes, "quanto_multiplier")?;
    let contract_size = if holds.mantissa == 0 { Decimal::ONE } else { holds };
    let tick = exact(tick, bytes, "order_price_round")?;
    let listed = super::instrument(venue, &symbol).listed(tick, Decimal::ONE);
    Ok(Instrument { terms, contract_size, inverse, ..listed })
}

/// A name of the venue; one that is no text stands for itself with its odd bytes marked, and fits no catalogue.
fn plain(text: &[u8]) -> Box<str> {
    String::from_utf8_lossy(text).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::venues::GATEIO_FUTURES;

    fn read_one(venue: Venue, text: &str) -> Instrument {
        let definitions = crate::venues::instruments(venue, text.as_bytes()).unwrap();
        assert_eq!(definitions.list().len(), 1);
        definitions.list()[0].clone()
    }

    #[test]
    fn pairs_and_contracts_have_their_increments() {
        let pair = read_one(
            GATEIO,
            r#"[{"id":"ETH_USDT","base":"ETH","quote":"USDT","fee":"0.2","amount_precision":3,"precision":6,"trade_status":"tradable"}]"#,
        );
        assert_eq!(pair.to_string(), "gateio:ETH_USDT");
        assert_eq!(
            (pair.price_exponent, pair.qty_exponent, pair.terms.status),
            (-6, -3, TradingStatus::Trading)
        );
        let linear = read_one(
            GATEIO_FUTURES,
            r#"[{"name":"BTC_USDT","type":"direct","quanto_multiplier":"0.0001","order_price_round":"0.1","in_delisting":false}]"#,
        );
        let held = Decimal { mantissa: 1, exponent: -4 };
        assert_eq!((linear.contract_size, linear.inverse, linear.price_exponent), (held, false, -1));
        assert_eq!((linear.terms.kind, &*linear.terms.settle), (InstrumentKind::Perpetual, "USDT"));
        let inverse = read_one(
            GATEIO_FUTURES,
            r#"[{"name":"BTC_USD_20220603","type":"inverse","quanto_multiplier":"0","order_price_round":"0.1","expire_time":1654243200}]"#,
        );
        assert_eq!((inverse.contract_size, inverse.inverse), (Decimal::ONE, true));
        assert_eq!(
            (inverse.terms.kind, inverse.terms.expiry),
            (InstrumentKind::Future, 1_654_243_200_000_000_000)
        );
    }

    #[test]
    fn what_is_no_list_is_told() {
        let code = |text: &str| crate::venues::instruments(GATEIO, text.as_bytes()).unwrap_err().code();
        assert_eq!(code(r#"{"label":"TOO_MANY_REQUESTS","message":"x"}"#), "decode.not_instruments");
        assert_eq!(code("[]"), "decode.no_instruments");
        assert_eq!(code(r#"[{"id":"A_B","precision":19,"amount_precision":1}]"#), "decode.overflow");
    }
}

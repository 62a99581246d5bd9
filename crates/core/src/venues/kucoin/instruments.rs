//! The venue's lists of its instruments, one a product.
//!
//! Source: REST "Get Symbols List", whose prices step by `priceIncrement` and quantities by `baseIncrement`; "Get Active Contract List",
//! whose prices step by `tickSize` and quantities, in contracts, by `lotSize`. `multiplier` is what a contract holds in base units; of
//! inverse ones it is below zero, in units of quote currency.

use crate::decode::DecodeError;
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::members::{exact, items, members, milliseconds, text, word};
use crate::types::{Definitions, Instrument, InstrumentKind, Terms, TradingStatus, Venue};
use crate::venues::KUCOIN;

/// Reads a list.
pub(super) fn read(venue: Venue, bytes: &[u8], out: &mut Definitions) -> Result<(), DecodeError> {
    let mut scanner = Scanner::new(bytes, 0);
    let [code, data] = members(&mut scanner, bytes, &["code", "data"])?;
    scanner.finish()?;
    if code.of(bytes) != b"200000" || data.kind != Kind::Array {
        return Err(DecodeError::NotInstruments);
    }
    items(data, bytes, "data", |scanner| {
        let instrument =
            if venue == KUCOIN { pair(venue, scanner, bytes)? } else { contract(venue, scanner, bytes)? };
        out.add(instrument).map_err(DecodeError::of_list)
    })
}

fn pair(venue: Venue, scanner: &mut Scanner<'_>, bytes: &[u8]) -> Result<Instrument, DecodeError> {
    let keys =
        ["symbol", "baseCurrency", "quoteCurrency", "priceIncrement", "baseIncrement", "enableTrading"];
    let [name, base, quote, tick, lot, is_enabled] = members(scanner, bytes, &keys)?;
    if lot.kind == Kind::Absent {
        return Err(DecodeError::NotInstruments);
    }
    let terms = Terms {
        kind: InstrumentKind::Spot,
        base: word(base, bytes),
        quote: word(quote, bytes),
        status: match is_enabled.kind {
            Kind::True => TradingStatus::Trading,
            Kind::False => TradingStatus::Halted,
            _ => TradingStatus::Unknown,
        },
        ..Terms::default()
    };
    let symbol = String::from_utf8_lossy(text(name, bytes, "symbol")?);
    let (tick, lot) = (exact(tick, bytes, "priceIncrement")?, exact(lot, bytes, "baseIncrement")?);
    Ok(Instrument { terms, ..super::instrument(venue, &symbol).listed(tick, lot) })
}

fn contract(venue: Venue, scanner: &mut Scanner<'_>, bytes: &[u8]) -> Result<Instrument, DecodeError> {
    let keys = [
        "symbol",
        "type",
        "baseCurrency",
        "quoteCurrency",
        "settleCurrency",
        "tickSize",
        "lotSize",
        "multiplier",
        "isInverse",
        "expireDate",
        "status",
    ];
    let [name, kind, base, quote, settle, tick, lot, holds, is_inverse, ends, status] =
        members(scanner, bytes, &keys)?;
    if holds.kind == Kind::Absent {
        return Err(DecodeError::NotInstruments);
    }
    let is_below = holds.of(bytes).first() == Some(&b'-');
    let holds = exact(Token { start: holds.start + u32::from(is_below), ..holds }, bytes, "multiplier")?;
    let terms = Terms {
        kind: match kind.of(bytes) {
            b"FFWCSX" => InstrumentKind::Perpetual,
            b"FFICSX" => InstrumentKind::Future,
            _ => InstrumentKind::Unknown,
        },
        base: word(base, bytes),
        quote: word(quote, bytes),
        settle: word(settle, bytes),
        expiry: match ends.kind {
            Kind::Absent | Kind::Null => 0,
            _ => milliseconds(ends, bytes, "expireDate")?,
        },
        status: match status.of(bytes) {
            b"Open" => TradingStatus::Trading,
            b"CancelOnly" => TradingStatus::Limited,
            b"Paused" | b"Init" | b"BeingSettled" => TradingStatus::Halted,
            b"Settled" | b"Closed" => TradingStatus::Closed,
            _ => TradingStatus::Unknown,
        },
        ..Terms::default()
    };
    let symbol = String::from_utf8_lossy(text(name, bytes, "symbol")?);
    let (tick, lot) = (exact(tick, bytes, "tickSize")?, exact(lot, bytes, "lotSize")?);
    let listed = super::instrument(venue, &symbol).listed(tick, lot);
    Ok(Instrument { terms, contract_size: holds, inverse: is_inverse.kind == Kind::True, ..listed })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Decimal, QtyUnit};
    use crate::venues::KUCOIN_FUTURES;

    const PAIR: &str = r#"{"symbol":"REQ-ETH","name":"REQ-ETH","baseCurrency":"REQ","quoteCurrency":"ETH","baseMinSize":"1",
        "baseIncrement":"0.0001","quoteIncrement":"0.0000001","priceIncrement":"0.0000001","enableTrading":true}"#;
    const PERPETUAL: &str = r#"{"symbol":"XBTUSDTM","rootSymbol":"USDT","type":"FFWCSX","firstOpenDate":1585555200000,"expireDate":null,
        "baseCurrency":"XBT","quoteCurrency":"USDT","settleCurrency":"USDT","lotSize":1,"tickSize":0.1,"indexPriceTickSize":0.01,
        "multiplier":0.001,"isInverse":false,"status":"Open"}"#;
    const DELIVERY: &str = r#"{"symbol":"XBTMM22","type":"FFICSX","expireDate":1656057600000,"baseCurrency":"XBT","quoteCurrency":"USD",
        "settleCurrency":"XBT","lotSize":1,"tickSize":1.0,"multiplier":-1.0,"isInverse":true,"status":"Paused"}"#;

    fn list(entry: &str) -> String {
        format!("{{\"code\":\"200000\",\"data\":[{entry}]}}")
    }

    fn one(venue: Venue, entry: &str) -> Instrument {
        let definitions = crate::venues::instruments(venue, list(entry).as_bytes()).unwrap();
        assert_eq!((definitions.list().len(), definitions.passed_over()), (1, 0));
        definitions.list()[0].clone()
    }

    #[test]
    fn each_list_has_increments_and_terms() {
        let pair = one(KUCOIN, PAIR);
        assert_eq!((pair.price_exponent, pair.tick_size, pair.qty_exponent, pair.lot_size), (-7, 1, -4, 1));
        assert_eq!((pair.terms.kind, pair.terms.status), (InstrumentKind::Spot, TradingStatus::Trading));
        let perpetual = one(KUCOIN_FUTURES, PERPETUAL);
        assert_eq!(perpetual.to_string(), "kucoin-futures:XBTUSDTM");
        assert_eq!((perpetual.price_exponent, perpetual.qty_unit), (-1, QtyUnit::Contracts));
        assert_eq!(perpetual.contract_size, Decimal { mantissa: 1, exponent: -3 });
        assert_eq!((&*perpetual.terms.settle, perpetual.terms.expiry, perpetual.inverse), ("USDT", 0, false));
        let delivery = one(KUCOIN_FUTURES, DELIVERY);
        assert_eq!((delivery.contract_size, delivery.inverse), (Decimal::ONE, true));
        assert_eq!(delivery.terms.expiry, 1_656_057_600_000_000_000);
        assert_eq!(
            (delivery.terms.kind, delivery.terms.status),
            (InstrumentKind::Future, TradingStatus::Halted)
        );
    }

    #[test]
    fn a_list_of_another_product_and_a_refusal_are_none() {
        let code = |venue, text: &str| crate::venues::instruments(venue, text.as_bytes()).unwrap_err().code();
        assert_eq!(code(KUCOIN, &list(PERPETUAL)), "decode.not_instruments");
        assert_eq!(code(KUCOIN_FUTURES, &list(PAIR)), "decode.not_instruments");
        assert_eq!(code(KUCOIN, r#"{"code":"429000","msg":"too many requests"}"#), "decode.not_instruments");
        assert_eq!(code(KUCOIN, &list("")), "decode.no_instruments");
    }
}

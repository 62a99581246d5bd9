//! The venue's lists of its instruments, one a product.
//!
//! Source: "Get Symbol Info" of spot, whose increments are one of the last digit of `pricePrecision` and `quantityPrecision`; "Get
//! Contract Config" of futures, whose prices step by `priceEndStep` of the last of `pricePlace` digits and whose quantities step by
//! `sizeMultiplier`.

use super::inst_type::InstType;
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::members::{exact, items, members, milliseconds, text, unsigned, word};
use crate::decode::{DecodeError, Scaled};
use crate::types::{
    Decimal, DecimalError, Definitions, Instrument, InstrumentKind, Terms, TradingStatus, Venue,
};

/// Reads a list.
pub(super) fn read(venue: Venue, bytes: &[u8], out: &mut Definitions) -> Result<(), DecodeError> {
    let mut scanner = Scanner::new(bytes, 0);
    let [code, data] = members(&mut scanner, bytes, &["code", "data"])?;
    scanner.finish()?;
    if code.of(bytes) != b"00000" || data.kind != Kind::Array {
        return Err(DecodeError::NotInstruments);
    }
    items(data, bytes, "data", |scanner| {
        let instrument = entry(venue, scanner, bytes)?;
        out.add(instrument).map_err(DecodeError::of_list)
    })
}

fn entry(venue: Venue, scanner: &mut Scanner<'_>, bytes: &[u8]) -> Result<Instrument, DecodeError> {
    let keys = [
        "symbol",
        "baseCoin",
        "quoteCoin",
        "pricePrecision",
        "quantityPrecision",
        "status",
        "pricePlace",
        "priceEndStep",
        "sizeMultiplier",
        "symbolType",
        "symbolStatus",
        "deliveryTime",
    ];
    let [name, base, quote, price_digits, qty_digits, spot_status, tokens @ ..] =
        members(scanner, bytes, &keys)?;
    let [price_place, end_step, size_step, kind, status, delivery] = tokens;
    let is_spot = InstType::of_venue(venue) == Some(InstType::Spot);
    if is_spot != (price_place.kind == Kind::Absent) {
        return Err(DecodeError::NotInstruments);
    }
    let symbol = String::from_utf8_lossy(text(name, bytes, "symbol")?);
    let (tick, lot) = if is_spot {
        let step = |token, field| Ok(Decimal { mantissa: 1, exponent: places(token, bytes, field)? });
        (step(price_digits, "pricePrecision")?, step(qty_digits, "quantityPrecision")?)
    } else {
        let mantissa = exact(end_step, bytes, "priceEndStep")?;
        let exponent = mantissa.exponent.saturating_add(places(price_place, bytes, "pricePlace")?);
        (Decimal { exponent, ..mantissa }, exact(size_step, bytes, "sizeMultiplier")?)
    };
    let base = word(base, bytes);
    let terms = Terms {
        kind: match kind.of(bytes) {
            _ if is_spot => InstrumentKind::Spot,
            b"perpetual" => InstrumentKind::Perpetual,
            b"delivery" => InstrumentKind::Future,
            _ => InstrumentKind::Unknown,
        },
        settle: match InstType::of_venue(venue) {
            Some(InstType::CoinFutures) => base.clone(),
            Some(InstType::UsdtFutures | InstType::UsdcFutures) => word(quote, bytes),
            Some(InstType::Spot) | None => "".into(),
        },
        base,
        quote: word(quote, bytes),
        expiry: match delivery.of(bytes) {
            b"" => 0,
            _ => milliseconds(delivery, bytes, "deliveryTime")?,
        },
        option: None,
        status: match if is_spot { spot_status } else { status }.of(bytes) {
            b"online" | b"normal" => TradingStatus::Trading,
            b"gray" | b"limit_open" | b"restrictedAPI" => TradingStatus::Limited,
            b"halt" | b"maintain" | b"listed" => TradingStatus::Halted,
            b"offline" | b"off" => TradingStatus::Closed,
            _ => TradingStatus::Unknown,
        },
    };
    Ok(Instrument { terms, ..super::instrument(venue, &symbol).listed(tick, lot) })
}

/// A number of decimals, as an exponent.
fn places(token: Token, bytes: &[u8], field: &'static str) -> Result<i8, DecodeError> {
    let cause = DecimalError::Overflow;
    let bad = DecodeError::BadNumber { at: token.start, field, cause, scaled: Scaled::No };
    let places = i8::try_from(unsigned(token, bytes, field)?).map_err(|_| bad)?;
    Ok(-places)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::venues::{BITGET, BITGET_COIN_FUTURES, BITGET_USDC_FUTURES};

    const SPOT: &str = r#"{"symbol":"BTCUSDT","baseCoin":"BTC","quoteCoin":"USDT","minTradeAmount":"0","pricePrecision":"2",
        "quantityPrecision":"6","quotePrecision":"8","status":"online","minTradeUSDT":"1"}"#;
    const PERPETUAL: &str = r#"{"symbol":"BTCPERP","baseCoin":"BTC","quoteCoin":"USDC","minTradeNum":"0.001","priceEndStep":"5",
        "volumePlace":"3","pricePlace":"1","sizeMultiplier":"0.001","symbolType":"perpetual","symbolStatus":"maintain",
        "deliveryTime":""}"#;
    const DELIVERY: &str = r#"{"symbol":"BTCUSDZ24","baseCoin":"BTC","quoteCoin":"USD","priceEndStep":"1","volumePlace":"3",
        "pricePlace":"1","sizeMultiplier":"0.001","symbolType":"delivery","symbolStatus":"normal","deliveryTime":"1735286400000"}"#;

    fn list(entry: &str) -> String {
        format!("{{\"code\":\"00000\",\"msg\":\"success\",\"requestTime\":1730332858796,\"data\":[{entry}]}}")
    }

    fn one(venue: Venue, entry: &str) -> Instrument {
        let definitions = crate::venues::instruments(venue, list(entry).as_bytes()).unwrap();
        assert_eq!((definitions.list().len(), definitions.passed_over()), (1, 0));
        definitions.list()[0].clone()
    }

    #[test]
    fn each_list_has_increments_and_terms() {
        let spot = one(BITGET, SPOT);
        assert_eq!((spot.price_exponent, spot.tick_size, spot.qty_exponent, spot.lot_size), (-2, 1, -6, 1));
        assert_eq!((spot.terms.kind, spot.terms.status), (InstrumentKind::Spot, TradingStatus::Trading));
        let perpetual = one(BITGET_USDC_FUTURES, PERPETUAL);
        assert_eq!((perpetual.price_exponent, perpetual.tick_size, perpetual.qty_exponent), (-1, 5, -3));
        assert_eq!((&*perpetual.terms.settle, perpetual.terms.expiry), ("USDC", 0));
        assert_eq!(perpetual.terms.status, TradingStatus::Halted);
        let delivery = one(BITGET_COIN_FUTURES, DELIVERY);
        assert_eq!(delivery.to_string(), "bitget-coin-futures:BTCUSDZ24");
        assert_eq!((&*delivery.terms.settle, delivery.terms.kind), ("BTC", InstrumentKind::Future));
        assert_eq!((delivery.terms.expiry, delivery.inverse), (1_735_286_400_000_000_000, false));
    }

    #[test]
    fn a_list_of_another_product_and_a_refusal_are_none() {
        let code = |venue, text: &str| crate::venues::instruments(venue, text.as_bytes()).unwrap_err().code();
        assert_eq!(code(BITGET, &list(PERPETUAL)), "decode.not_instruments");
        assert_eq!(code(BITGET_COIN_FUTURES, &list(SPOT)), "decode.not_instruments");
        assert_eq!(
            code(BITGET, r#"{"code":"429","msg":"Too Many Requests","data":[]}"#),
            "decode.not_instruments"
        );
        assert_eq!(code(BITGET, &list("")), "decode.no_instruments");
        let fine = SPOT.replace("\"pricePrecision\":\"2\"", "\"pricePrecision\":\"200\"");
        assert_eq!(code(BITGET, &list(&fine)), "decode.overflow");
    }
}

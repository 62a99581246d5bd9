//! The venue's lists of its instruments, one a category, in pages.
//!
//! Source: "Get Instruments Info". Spot counts in `basePrecision`, the others in `qtyStep`. `deliveryTime` is when a future or an
//! option ends, and when a perpetual is taken from the list; 0 of one that stays. The strike of an option stands in its symbol
//! alone.

use super::category::Category;
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::members::{exact, items, members, text, unsigned, word};
use crate::decode::{DecodeError, Scaled};
use crate::types::{
    Decimal, DecimalError, Definitions, Instrument, InstrumentKind, OptionTerms, Terms, TradingStatus, Venue,
};

/// Reads a page.
pub(super) fn read(venue: Venue, bytes: &[u8], out: &mut Definitions) -> Result<(), DecodeError> {
    let mut scanner = Scanner::new(bytes, 0);
    let [result] = members(&mut scanner, bytes, &["result"])?;
    scanner.finish()?;
    if result.kind != Kind::Object {
        return Err(DecodeError::NotInstruments);
    }
    let keys = ["category", "list", "nextPageCursor"];
    let [category, list, next] = members(&mut Scanner::new(bytes, result.start as usize), bytes, &keys)?;
    let of_venue = Category::of(venue);
    let is_others = category.kind != Kind::Absent && Category::of_name(category.of(bytes)) != of_venue;
    let Some(of_venue) = of_venue.filter(|_| list.kind == Kind::Array && !is_others) else {
        return Err(DecodeError::NotInstruments);
    };
    items(list, bytes, "list", |scanner| {
        let instrument = entry(venue, of_venue, scanner, bytes)?;
        out.add(instrument).map_err(DecodeError::of_list)
    })?;
    if next.kind == Kind::String && next.start < next.end {
        out.set_next(&plain(next.of(bytes)));
    }
    Ok(())
}

fn entry(
    venue: Venue,
    category: Category,
    scanner: &mut Scanner<'_>,
    bytes: &[u8],
) -> Result<Instrument, DecodeError> {
    let keys = [
        "symbol",
        "contractType",
        "status",
        "baseCoin",
        "quoteCoin",
        "settleCoin",
        "optionsType",
        "deliveryTime",
        "priceFilter",
        "lotSizeFilter",
    ];
    let [name, kind, status, base, quote, settle, side, ends, prices, lots] = members(scanner, bytes, &keys)?;
    let symbol = text(name, bytes, "symbol")?;
    let [tick] = members(&mut Scanner::new(bytes, prices.start as usize), bytes, &["tickSize"])?;
    let keys = ["qtyStep", "basePrecision"];
    let [step, precision] = members(&mut Scanner::new(bytes, lots.start as usize), bytes, &keys)?;
    let lot = match category {
        Category::Spot => exact(precision, bytes, "basePrecision")?,
        _ => exact(step, bytes, "qtyStep")?,
    };
    let option = match category {
        Category::Option => Some(terms_of_option(name, symbol, text(side, bytes, "optionsType")?)?),
        _ => None,
    };
    let terms = Terms {
        kind: match (category, kind.of(bytes)) {
            (Category::Spot, _) => InstrumentKind::Spot,
            (Category::Option, _) => InstrumentKind::Option,
            (_, b"LinearPerpetual" | b"InversePerpetual") => InstrumentKind::Perpetual,
            (_, b"LinearFutures" | b"InverseFutures") => InstrumentKind::Future,
            _ => InstrumentKind::Unknown,
        },
        base: word(base, bytes),
        quote: word(quote, bytes),
        settle: word(settle, bytes),
        expiry: match ends.kind {
            Kind::Absent => 0,
            _ => unsigned(ends, bytes, "deliveryTime")?.saturating_mul(1_000_000),
        },
        option,
        status: match status.of(bytes) {
            b"Trading" => TradingStatus::Trading,
            b"PreLaunch" => TradingStatus::Halted,
            b"Delivering" | b"Closed" => TradingStatus::Closed,
            _ => TradingStatus::Unknown,
        },
    };
    let tick = exact(tick, bytes, "tickSize")?;
    Ok(Instrument { terms, ..super::instrument(venue, &plain(symbol)).listed(tick, lot) })
}

/// `BTC-27MAR26-70000-P-USDT` has a strike of 70,000.
fn terms_of_option(name: Token, symbol: &[u8], side: &[u8]) -> Result<OptionTerms, DecodeError> {
    let bad = |cause| DecodeError::BadNumber { at: name.start, field: "symbol", cause, scaled: Scaled::No };
    let strike = symbol.split(|byte| *byte == b'-').nth(2).ok_or_else(|| bad(DecimalError::Empty))?;
    Ok(OptionTerms { is_call: side == b"Call", strike: Decimal::parse(strike).map_err(bad)? })
}

/// A name of the venue; one that is no text stands for itself with its odd bytes marked, and fits no catalogue.
fn plain(text: &[u8]) -> Box<str> {
    String::from_utf8_lossy(text).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::venues::{BYBIT, BYBIT_INVERSE, BYBIT_LINEAR, BYBIT_OPTION};

    fn list(category: &str, entry: &str, next: &str) -> String {
        format!(
            "{{\"retCode\":0,\"retMsg\":\"OK\",\"result\":{{\"category\":\"{category}\",\"list\":[{entry}],\
             \"nextPageCursor\":\"{next}\"}},\"retExtInfo\":{{}},\"time\":1735809771618}}"
        )
    }

    fn read_one(venue: Venue, category: &str, entry: &str) -> Instrument {
        let definitions = crate::venues::instruments(venue, list(category, entry, "").as_bytes()).unwrap();
        assert_eq!((definitions.list().len(), definitions.next()), (1, None));
        definitions.list()[0].clone()
    }

    const LINEAR: &str = r#"{"symbol":"BTCUSDT-14AUG26","contractType":"LinearFutures","status":"Trading","baseCoin":"BTC",
        "quoteCoin":"USDT","deliveryTime":"1786694400000","priceScale":"1","priceFilter":{"minPrice":"0.1","tickSize":"0.10"},
        "lotSizeFilter":{"minOrderQty":"0.001","qtyStep":"0.001"},"settleCoin":"USDT","preListingInfo":null}"#;
    const SPOT: &str = r#"{"symbolId":9,"symbol":"BTCUSDT","baseCoin":"BTC","quoteCoin":"USDT","status":"Trading",
        "lotSizeFilter":{"basePrecision":"0.000001","quotePrecision":"0.0000001"},"priceFilter":{"tickSize":"0.1"}}"#;
    const INVERSE: &str = r#"{"symbol":"BTCUSD","contractType":"InversePerpetual","status":"PreLaunch","baseCoin":"BTC",
        "quoteCoin":"USD","deliveryTime":"0","priceFilter":{"tickSize":"0.50"},"lotSizeFilter":{"qtyStep":"1"},
        "settleCoin":"BTC"}"#;
    const OPTION: &str = r#"{"symbol":"BTC-27MAR26-70000-P-USDT","status":"Delivering","baseCoin":"BTC","quoteCoin":"USDT",
        "settleCoin":"USDT","optionsType":"Put","deliveryTime":"1774598400000","priceFilter":{"tickSize":"5"},
        "lotSizeFilter":{"qtyStep":"0.01"}}"#;

    #[test]
    fn contracts_have_kinds_ends_and_increments() {
        let future = read_one(BYBIT_LINEAR, "linear", LINEAR);
        assert_eq!(future.to_string(), "bybit-linear:BTCUSDT-14AUG26");
        assert_eq!((future.price_exponent, future.tick_size), (-1, 1));
        assert_eq!((future.qty_exponent, future.lot_size, future.inverse), (-3, 1, false));
        let terms = &future.terms;
        assert_eq!((terms.kind, terms.expiry), (InstrumentKind::Future, 1_786_694_400_000_000_000));
        assert_eq!((&*terms.base, &*terms.settle, terms.status), ("BTC", "USDT", TradingStatus::Trading));
        let perpetual = read_one(BYBIT_INVERSE, "inverse", INVERSE);
        assert_eq!((perpetual.price_exponent, perpetual.tick_size, perpetual.inverse), (-1, 5, true));
        assert_eq!((perpetual.terms.kind, perpetual.terms.expiry), (InstrumentKind::Perpetual, 0));
        assert_eq!((perpetual.contract_size, perpetual.terms.status), (Decimal::ONE, TradingStatus::Halted));
    }

    #[test]
    fn spot_and_options_have_what_is_theirs() {
        let spot = read_one(BYBIT, "spot", SPOT);
        assert_eq!((spot.terms.kind, spot.price_exponent, spot.qty_exponent), (InstrumentKind::Spot, -1, -6));
        let option = read_one(BYBIT_OPTION, "option", OPTION);
        let strike = Decimal { mantissa: 70_000, exponent: 0 };
        let terms = option.terms.option.unwrap();
        assert!(!terms.is_call);
        assert_eq!(
            (terms.strike.mantissa, option.terms.expiry),
            (strike.mantissa, 1_774_598_400_000_000_000)
        );
        assert_eq!(
            (option.tick_size, option.qty_exponent, option.terms.status),
            (5, -2, TradingStatus::Closed)
        );
    }

    #[test]
    fn a_page_names_the_next_and_its_category() {
        let page = list("linear", LINEAR, "first%3DBIOUSDT");
        let definitions = crate::venues::instruments(BYBIT_LINEAR, page.as_bytes()).unwrap();
        assert_eq!(definitions.next(), Some("first%3DBIOUSDT"));
        let code = |venue, text: &str| crate::venues::instruments(venue, text.as_bytes()).unwrap_err().code();
        assert_eq!(code(BYBIT, &page), "decode.not_instruments");
        assert_eq!(
            code(BYBIT, r#"{"retCode":10006,"retMsg":"Too many visits!","result":{}}"#),
            "decode.not_instruments"
        );
        assert_eq!(code(BYBIT, &list("spot", "", "")), "decode.no_instruments");
        let no_strike = OPTION.replace("BTC-27MAR26-70000-P-USDT", "BTC-27MAR26");
        assert_eq!(code(BYBIT_OPTION, &list("option", &no_strike, "")), "decode.bad_number");
    }
}

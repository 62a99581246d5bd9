//! The venue's list of its instruments.
//!
//! Source: binance-spot-api-docs, `rest-api.md`, "Exchange information" and `filters.md` (PRICE_FILTER, LOT_SIZE);
//! developers.binance.com, "Exchange Information" of USD-M (`contractType`, `deliveryDate`, `marginAsset`) and COIN-M
//! (`contractStatus`, `contractSize`). A perpetual's `deliveryDate` is the year 2100, which stands for none.

use crate::decode::DecodeError;
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::members::{exact, is, items, members, text, unsigned};
use crate::types::{Decimal, Definitions, Instrument, InstrumentKind, QtyUnit, Terms, TradingStatus, Venue};

/// Reads the answer of `exchangeInfo`.
pub(super) fn read(venue: Venue, bytes: &[u8], out: &mut Definitions) -> Result<(), DecodeError> {
    let mut scanner = Scanner::new(bytes, 0);
    let [symbols] = members(&mut scanner, bytes, &["symbols"])?;
    scanner.finish()?;
    if symbols.kind != Kind::Array {
        return Err(DecodeError::NotInstruments);
    }
    items(symbols, bytes, "symbols", |scanner| {
        let instrument = symbol(venue, scanner, bytes)?;
        out.add(instrument).map_err(DecodeError::of_list)
    })
}

fn symbol(venue: Venue, scanner: &mut Scanner<'_>, bytes: &[u8]) -> Result<Instrument, DecodeError> {
    let keys = [
        "symbol",
        "status",
        "contractStatus",
        "contractType",
        "contractSize",
        "deliveryDate",
        "baseAsset",
        "quoteAsset",
        "marginAsset",
        "filters",
    ];
    let [name, status, contract_status, kind, size, expiry, base, quote, margin, filters] =
        members(scanner, bytes, &keys)?;
    let (tick, lot) = increments(filters, bytes)?;
    let scale = crate::venues::product(venue).scale;
    let is_there = |token: &Token| token.kind != Kind::Absent;
    let status = if is_there(&status) { status } else { contract_status };
    let named = |token: Token, field| {
        if is_there(&token) { text(token, bytes, field).map(plain) } else { Ok("".into()) }
    };
    let kind = match Some(kind).filter(is_there).map(|kind| text(kind, bytes, "contractType")).transpose()? {
        None => InstrumentKind::Spot,
        Some(kind) if kind.ends_with(b"PERPETUAL") => InstrumentKind::Perpetual,
        Some(b"") => InstrumentKind::Unknown,
        Some(_) => InstrumentKind::Future,
    };
    let expiry = match kind {
        InstrumentKind::Future => unsigned(expiry, bytes, "deliveryDate")?.saturating_mul(1_000_000),
        _ => 0,
    };
    let terms = Terms {
        kind,
        base: named(base, "baseAsset")?,
        quote: named(quote, "quoteAsset")?,
        settle: named(margin, "marginAsset")?,
        expiry,
        option: None,
        status: trading(text(status, bytes, "status")?),
    };
    let contract_size = if is_there(&size) { exact(size, bytes, "contractSize")? } else { Decimal::ONE };
    let symbol = text(name, bytes, "symbol")?;
    Ok(Instrument {
        contract_size,
        inverse: scale.qty_unit == QtyUnit::Contracts,
        terms,
        ..scale.instrument(venue, &plain(symbol)).listed(tick, lot)
    })
}

/// The increments of price and quantity.
fn increments(filters: Token, bytes: &[u8]) -> Result<(Decimal, Decimal), DecodeError> {
    is(filters, Kind::Array, "filters", "an array")?;
    let (mut tick, mut lot) = (None, None);
    items(filters, bytes, "filters", |scanner| {
        let [kind, tick_size, step_size] = members(scanner, bytes, &["filterType", "tickSize", "stepSize"])?;
        match text(kind, bytes, "filterType")? {
            b"PRICE_FILTER" => tick = Some(exact(tick_size, bytes, "tickSize")?),
            b"LOT_SIZE" => lot = Some(exact(step_size, bytes, "stepSize")?),
            _ => {}
        }
        Ok(())
    })?;
    Ok((
        tick.ok_or(DecodeError::MissingField { field: "tickSize" })?,
        lot.ok_or(DecodeError::MissingField { field: "stepSize" })?,
    ))
}

fn trading(status: &[u8]) -> TradingStatus {
    match status {
        b"TRADING" => TradingStatus::Trading,
        b"HALT" | b"BREAK" | b"PENDING_TRADING" | b"PRE_TRADING" => TradingStatus::Halted,
        b"AUCTION_MATCH" => TradingStatus::Auction,
        b"END_OF_DAY" | b"POST_TRADING" | b"CLOSE" | b"SETTLING" | b"DELIVERED" | b"PRE_DELIVERING"
        | b"DELIVERING" | b"PRE_SETTLE" => TradingStatus::Closed,
        _ => TradingStatus::Unknown,
    }
}

/// A name of the venue; one that is no text stands for itself with its odd bytes marked, and fits no catalogue.
fn plain(text: &[u8]) -> Box<str> {
    String::from_utf8_lossy(text).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::venues::{BINANCE_COINM, BINANCE_SPOT, BINANCE_USDM};

    const SPOT: &str = r#"{"timezone":"UTC","serverTime":1565246363776,"rateLimits":[],"exchangeFilters":[],"symbols":[
        {"symbol":"ETHBTC","status":"TRADING","baseAsset":"ETH","baseAssetPrecision":8,"quoteAsset":"BTC","filters":[
        {"filterType":"PRICE_FILTER","minPrice":"0.00001000","maxPrice":"922327.00000000","tickSize":"0.00001000"},
        {"filterType":"LOT_SIZE","minQty":"0.00010000","maxQty":"100000.00000000","stepSize":"0.00010000"}]},
        {"symbol":"BAD SYMBOL","status":"BREAK","baseAsset":"B","quoteAsset":"A","filters":[
        {"filterType":"PRICE_FILTER","tickSize":"1"},{"filterType":"LOT_SIZE","stepSize":"1"}]}]}"#;

    fn read_one(venue: Venue, text: &str) -> Instrument {
        let definitions = crate::venues::instruments(venue, text.as_bytes()).unwrap();
        assert_eq!(definitions.list().len(), 1);
        definitions.list()[0].clone()
    }

    #[test]
    fn spot_has_increments_and_assets() {
        let instrument = read_one(BINANCE_SPOT, SPOT);
        assert_eq!(instrument.to_string(), "binance:ETHBTC");
        assert_eq!((instrument.price_exponent, instrument.tick_size), (-5, 1));
        assert_eq!((instrument.qty_exponent, instrument.lot_size), (-4, 1));
        let terms = &instrument.terms;
        assert_eq!((terms.kind, &*terms.base, &*terms.quote), (InstrumentKind::Spot, "ETH", "BTC"));
        assert_eq!((terms.status, terms.expiry), (TradingStatus::Trading, 0));
    }

    #[test]
    fn futures_have_kinds_ends_and_sizes() {
        let usdm = r#"{"symbols":[{"symbol":"BTCUSDT_240329","contractType":"CURRENT_QUARTER","deliveryDate":1711699200000,
            "status":"TRADING","baseAsset":"BTC","quoteAsset":"USDT","marginAsset":"USDT","filters":[
            {"tickSize":"0.10","filterType":"PRICE_FILTER"},{"stepSize":"0.001","filterType":"LOT_SIZE"}]}]}"#;
        let future = read_one(BINANCE_USDM, usdm);
        assert_eq!(
            (future.terms.kind, future.terms.expiry),
            (InstrumentKind::Future, 1_711_699_200_000_000_000)
        );
        assert_eq!((future.price_exponent, future.tick_size, future.qty_exponent), (-1, 1, -3));
        let coinm = r#"{"symbols":[{"symbol":"BTCUSD_PERP","contractType":"PERPETUAL","deliveryDate":4133404800000,
            "contractStatus":"TRADING","contractSize":100,"baseAsset":"BTC","quoteAsset":"USD","marginAsset":"BTC","filters":[
            {"filterType":"PRICE_FILTER","tickSize":"0.1"},{"filterType":"LOT_SIZE","stepSize":"1"}]}]}"#;
        let perpetual = read_one(BINANCE_COINM, coinm);
        assert_eq!((perpetual.terms.kind, perpetual.terms.expiry), (InstrumentKind::Perpetual, 0));
        assert_eq!(perpetual.contract_size, Decimal { mantissa: 100, exponent: 0 });
        assert!(perpetual.inverse && &*perpetual.terms.settle == "BTC");
    }

    #[test]
    fn what_is_no_list_is_told() {
        let code = |text: &str| crate::venues::instruments(BINANCE_SPOT, text.as_bytes()).unwrap_err().code();
        assert_eq!(code(r#"{"code":-1121,"msg":"Invalid symbol."}"#), "decode.not_instruments");
        assert_eq!(code(r#"{"symbols":[]}"#), "decode.no_instruments");
        assert_eq!(code("<html>"), "decode.not_json");
        assert_eq!(code(r#"{"symbols":[{"symbol":"A"}]}"#), "decode.missing_field");
        let twice = SPOT.replace("BAD SYMBOL", "ETHBTC");
        assert_eq!(code(&twice), "decode.instrument_twice");
        assert_eq!(code(&SPOT[..SPOT.len() - 9]), "decode.truncated");
    }
}

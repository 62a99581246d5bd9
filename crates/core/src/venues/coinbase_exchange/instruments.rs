//! The venue's list of its products.
//!
//! Source: docs.cdp.coinbase.com, Exchange REST, "Get all known trading pairs": increments are decimals.

use crate::decode::DecodeError;
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::members::{exact, items, members, text, word};
use crate::types::{Definitions, Instrument, InstrumentKind, Terms, TradingStatus, Venue};
use crate::venues::entry::add;

/// Reads the answer of `products`, which is an array.
pub(super) fn read(venue: Venue, bytes: &[u8], out: &mut Definitions) -> Result<(), DecodeError> {
    let mut scanner = Scanner::new(bytes, 0);
    let products = scanner.value()?;
    scanner.finish()?;
    if products.kind != Kind::Array {
        return Err(DecodeError::NotInstruments);
    }
    items(products, bytes, "products", |scanner| add(product(venue, scanner, bytes)?, out))
}

/// A product; `None` for one whose name is no text.
fn product(venue: Venue, scanner: &mut Scanner<'_>, bytes: &[u8]) -> Result<Option<Instrument>, DecodeError> {
    let keys = [
        "id",
        "base_currency",
        "quote_currency",
        "quote_increment",
        "base_increment",
        "status",
        "trading_disabled",
        "auction_mode",
        "cancel_only",
        "limit_only",
        "post_only",
    ];
    let [name, base, quote, tick, lot, status, marks @ ..] = members(scanner, bytes, &keys)?;
    let Ok(name) = core::str::from_utf8(text(name, bytes, "id")?) else { return Ok(None) };
    let (tick, lot) = (exact(tick, bytes, "quote_increment")?, exact(lot, bytes, "base_increment")?);
    let terms = Terms {
        kind: InstrumentKind::Spot,
        base: word(base, bytes),
        quote: word(quote, bytes),
        status: trading(status.of(bytes), marks),
        ..Terms::default()
    };
    Ok(Some(Instrument { terms, ..super::instrument(venue, name).listed(tick, lot) }))
}

/// Whether a product trades: by its status, and the marks of it that are true.
pub(super) fn trading(
    status: &[u8],
    [trading_disabled, auction_mode, cancel_only, limit_only, post_only]: [Token; 5],
) -> TradingStatus {
    let is = |mark: Token| mark.kind == Kind::True;
    match status {
        b"delisted" => TradingStatus::Closed,
        b"offline" | b"internal" => TradingStatus::Halted,
        _ if is(trading_disabled) => TradingStatus::Halted,
        _ if is(auction_mode) => TradingStatus::Auction,
        _ if is(cancel_only) || is(limit_only) || is(post_only) => TradingStatus::Limited,
        b"online" => TradingStatus::Trading,
        _ => TradingStatus::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::venues::COINBASE_EXCHANGE;

    #[test]
    fn products_have_increments_and_say_whether_they_trade() {
        let product = |name: &str, status: &str, more: &str| {
            format!(
                r#"{{"id":"{name}","base_currency":"BTC","quote_currency":"USD","quote_increment":"0.01","base_increment":"0.00000001","status":"{status}"{more}}}"#
            )
        };
        let statuses = [
            ("online", r#","post_only":false,"auction_mode":false"#, TradingStatus::Trading),
            ("online", r#","post_only":true"#, TradingStatus::Limited),
            ("online", r#","auction_mode":true,"limit_only":true"#, TradingStatus::Auction),
            ("online", r#","trading_disabled":true"#, TradingStatus::Halted),
            ("offline", "", TradingStatus::Halted),
            ("delisted", r#","trading_disabled":true"#, TradingStatus::Closed),
            ("new", "", TradingStatus::Unknown),
        ];
        let list: Vec<_> =
            statuses.iter().enumerate().map(|(nth, of)| product(&format!("P{nth}"), of.0, of.1)).collect();
        let list = format!("[{}]", list.join(","));
        let definitions = crate::venues::instruments(COINBASE_EXCHANGE, list.as_bytes()).unwrap();
        let told: Vec<_> = definitions.list().iter().map(|listed| listed.terms.status).collect();
        assert_eq!(told, statuses.map(|of| of.2));
        let first = &definitions.list()[0];
        assert_eq!((first.price_exponent, first.qty_exponent), (-2, -8));
        assert_eq!((&*first.terms.base, &*first.terms.quote), ("BTC", "USD"));
    }

    #[test]
    fn refusals_and_other_answers_are_told() {
        let code =
            |text: &str| crate::venues::instruments(COINBASE_EXCHANGE, text.as_bytes()).unwrap_err().code();
        assert_eq!(code(r#"{"message":"Public rate limit exceeded"}"#), "decode.not_instruments");
        assert_eq!(code("[]"), "decode.no_instruments");
    }
}

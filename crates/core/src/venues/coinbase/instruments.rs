//! The venue's list of its products.
//!
//! Source: docs.cdp.coinbase.com, Advanced Trade REST, "List Public Products": increments are decimals, `alias` names the
//! product that this one says the same as (rule 7), `future_product_details` is of futures alone. Recorded: 920 products of
//! 2026-08-09, of which 400 are aliases.

use crate::decode::DecodeError;
use crate::decode::date_time::Minute;
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::members::{exact, items, members, text, word};
use crate::types::{
    Decimal, Definitions, Instrument, InstrumentKind, QtyUnit, Terms, TimeNs, TradingStatus, Venue,
};
use crate::venues::entry::add;

/// Reads the answer of `products`.
pub(super) fn read(venue: Venue, bytes: &[u8], out: &mut Definitions) -> Result<(), DecodeError> {
    let mut scanner = Scanner::new(bytes, 0);
    let [products] = members(&mut scanner, bytes, &["products"])?;
    scanner.finish()?;
    if products.kind != Kind::Array {
        return Err(DecodeError::NotInstruments);
    }
    items(products, bytes, "products", |scanner| add(product(venue, scanner, bytes)?, out))
}

/// A product; `None` for an alias of another.
fn product(venue: Venue, scanner: &mut Scanner<'_>, bytes: &[u8]) -> Result<Option<Instrument>, DecodeError> {
    let keys = [
        "product_id",
        "alias",
        "price_increment",
        "base_increment",
        "base_currency_id",
        "quote_currency_id",
        "status",
        "is_disabled",
        "trading_disabled",
        "auction_mode",
        "cancel_only",
        "limit_only",
        "post_only",
        "future_product_details",
    ];
    let [name, alias, tick, lot, base, quote, status, marks @ .., future] = members(scanner, bytes, &keys)?;
    if !word(alias, bytes).is_empty() {
        return Ok(None);
    }
    let name = text(name, bytes, "product_id")?;
    let Ok(name) = core::str::from_utf8(name) else { return Ok(None) };
    let (tick, lot) = (exact(tick, bytes, "price_increment")?, exact(lot, bytes, "base_increment")?);
    let future = if future.kind == Kind::Object { Some(contract(future, bytes)?) } else { None };
    let terms = Terms {
        kind: future.map_or(InstrumentKind::Spot, |future| future.kind),
        base: word(base, bytes),
        quote: word(quote, bytes),
        expiry: future.map_or(0, |future| future.expiry),
        status: trading(status.of(bytes), marks),
        ..Terms::default()
    };
    let instrument = super::ADVANCED.scale.instrument(venue, name).listed(tick, lot);
    Ok(Some(Instrument {
        terms,
        qty_unit: if future.is_some() { QtyUnit::Contracts } else { QtyUnit::Base },
        contract_size: future.map_or(Decimal::ONE, |future| future.size),
        ..instrument
    }))
}

#[derive(Clone, Copy, Debug)]
struct Contract {
    kind: InstrumentKind,
    size: Decimal,
    expiry: TimeNs,
}

fn contract(future: Token, bytes: &[u8]) -> Result<Contract, DecodeError> {
    let keys = ["contract_size", "contract_expiry", "contract_expiry_type"];
    let [size, expiry, kind] = members(&mut Scanner::new(bytes, future.start as usize), bytes, &keys)?;
    let kind = match kind.of(bytes) {
        b"EXPIRING" => InstrumentKind::Future,
        b"PERPETUAL" => InstrumentKind::Perpetual,
        _ => InstrumentKind::Unknown,
    };
    let expiry = match kind {
        InstrumentKind::Future => Minute::default().time(expiry.of(bytes)).unwrap_or(0),
        _ => 0,
    };
    Ok(Contract { kind, size: exact(size, bytes, "contract_size")?, expiry })
}

/// Whether a product trades: by its status, and the marks of it that are true.
fn trading(
    status: &[u8],
    [is_disabled, trading_disabled, auction_mode, cancel_only, limit_only, post_only]: [Token; 6],
) -> TradingStatus {
    let is = |mark: Token| mark.kind == Kind::True;
    match () {
        () if status == b"delisted" => TradingStatus::Closed,
        () if is(is_disabled) || is(trading_disabled) => TradingStatus::Halted,
        () if is(auction_mode) => TradingStatus::Auction,
        () if is(cancel_only) || is(limit_only) || is(post_only) => TradingStatus::Limited,
        () => super::products::trading(status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::venues::COINBASE;

    fn product(name: &str, more: &str) -> String {
        format!(
            r#"{{"product_id":"{name}","price":"65086.18","base_increment":"0.00000001","price_increment":"0.01","base_currency_id":"BTC","quote_currency_id":"USD","status":"online"{more}}}"#
        )
    }

    #[test]
    fn products_have_increments_and_aliases_are_passed_over() {
        let future = r#","product_type":"FUTURE","alias":"","future_product_details":{"contract_size":"0.01","contract_expiry":"2026-08-28T15:00:00Z","contract_expiry_type":"EXPIRING"}"#;
        let list = [
            product("BTC-USD", r#","alias":"","alias_to":["BTC-USDC"],"future_product_details":null"#),
            product("BTC-USDC", r#","alias":"BTC-USD""#),
            product("BIT-28AUG26-CDE", future),
            product("A-USD", r#","cancel_only":true"#),
            product("B-USD", r#","trading_disabled":true,"auction_mode":true"#),
            product("C-USD", r#","is_disabled":false,"auction_mode":true"#),
            product("D-USD", "").replace("online", "delisted"),
        ];
        let list = format!(r#"{{"products":[{}],"num_products":7}}"#, list.join(","));
        let definitions = crate::venues::instruments(COINBASE, list.as_bytes()).unwrap();
        assert_eq!((definitions.list().len(), definitions.passed_over()), (6, 1));
        let [bitcoin, future, rest @ ..] = definitions.list() else { panic!("two products") };
        assert_eq!((bitcoin.price_exponent, bitcoin.tick_size), (-2, 1));
        assert_eq!((bitcoin.qty_exponent, bitcoin.lot_size), (-8, 1));
        assert_eq!(
            (bitcoin.terms.kind, bitcoin.terms.status),
            (InstrumentKind::Spot, TradingStatus::Trading)
        );
        assert_eq!((&*bitcoin.terms.base, &*bitcoin.terms.quote), ("BTC", "USD"));
        assert_eq!((future.terms.kind, future.qty_unit), (InstrumentKind::Future, QtyUnit::Contracts));
        assert_eq!(future.contract_size, Decimal { mantissa: 1, exponent: -2 });
        assert_eq!(future.terms.expiry, 1_787_929_200_000_000_000);
        let statuses: Vec<_> = rest.iter().map(|product| product.terms.status).collect();
        let (limited, halted) = (TradingStatus::Limited, TradingStatus::Halted);
        assert_eq!(statuses, [limited, halted, TradingStatus::Auction, TradingStatus::Closed]);
    }

    #[test]
    fn refusals_and_other_answers_are_told() {
        let code = |text: &str| crate::venues::instruments(COINBASE, text.as_bytes()).unwrap_err().code();
        assert_eq!(code(r#"{"error":"unknown","message":"Too many requests"}"#), "decode.not_instruments");
        assert_eq!(code(r#"{"products":[]}"#), "decode.no_instruments");
        assert_eq!(
            code(r#"{"products":[{"product_id":"A-USD","base_increment":"1"}]}"#),
            "decode.missing_field"
        );
    }
}

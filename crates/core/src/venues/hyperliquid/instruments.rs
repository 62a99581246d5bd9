//! The venue's lists of its coins: of perpetuals, and of spot pairs.
//!
//! Source: hyperliquid.gitbook.io, "Info endpoint": `meta` and `spotMeta`, which are posted to one address; "Tick and lot size". A
//! quantity has `szDecimals`, of a pair those of its first token. A price has at most 6 decimals less those, 8 of a pair, and no more than
//! five figures unless it is whole: the increment that is given here is the finest that there may be. `tokens` of a pair are
//! numbers of the list of tokens, by their `index`.

use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::members::{is, items, members, text, unsigned, values, word};
use crate::decode::{DecodeError, Scaled};
use crate::types::{
    Decimal, DecimalError, Definitions, Instrument, InstrumentKind, Terms, TradingStatus, Venue,
};
use crate::venues::entry::add;

/// Decimals that prices and quantities share, of perpetuals and of pairs.
const DIGITS: u64 = 6;
const SPOT_DIGITS: u64 = 8;
/// Most tokens that are remembered.
const TOKENS_MAX: usize = 100_000;

/// A token of spot.
#[derive(Debug)]
struct Asset {
    index: u64,
    name: Box<str>,
    qty_digits: u64,
}

/// Reads the answer to `meta` or to `spotMeta`.
pub(super) fn read(venue: Venue, bytes: &[u8], out: &mut Definitions) -> Result<(), DecodeError> {
    let mut scanner = Scanner::new(bytes, 0);
    if scanner.peek()? != b'{' {
        return Err(DecodeError::NotInstruments);
    }
    let [universe, tokens] = members(&mut scanner, bytes, &["universe", "tokens"])?;
    scanner.finish()?;
    if universe.kind != Kind::Array {
        return Err(DecodeError::NotInstruments);
    }
    if tokens.kind != Kind::Array {
        return items(universe, bytes, "universe", |scanner| add(perpetual(venue, scanner, bytes)?, out));
    }
    let mut assets = Vec::new();
    items(tokens, bytes, "tokens", |scanner| {
        if assets.len() < TOKENS_MAX {
            assets.push(asset(scanner, bytes)?);
            Ok(())
        } else {
            Err(DecodeError::NotInstruments)
        }
    })?;
    assets.sort_by_key(|asset| asset.index);
    items(universe, bytes, "universe", |scanner| add(pair(venue, &assets, scanner, bytes)?, out))
}

fn perpetual(
    venue: Venue,
    scanner: &mut Scanner<'_>,
    bytes: &[u8],
) -> Result<Option<Instrument>, DecodeError> {
    let [name, digits, is_delisted] = members(scanner, bytes, &["name", "szDecimals", "isDelisted"])?;
    let Ok(name) = core::str::from_utf8(text(name, bytes, "name")?) else { return Ok(None) };
    let (tick, lot) = increments(digits, unsigned(digits, bytes, "szDecimals")?, DIGITS)?;
    let terms = Terms {
        kind: InstrumentKind::Perpetual,
        base: name.into(),
        quote: "USD".into(),
        settle: "USDC".into(),
        status: if is_delisted.kind == Kind::True { TradingStatus::Closed } else { TradingStatus::Trading },
        ..Terms::default()
    };
    Ok(Some(Instrument { terms, ..super::instrument(venue, name).listed(tick, lot) }))
}

fn asset(scanner: &mut Scanner<'_>, bytes: &[u8]) -> Result<Asset, DecodeError> {
    let [name, index, digits] = members(scanner, bytes, &["name", "index", "szDecimals"])?;
    let index = unsigned(index, bytes, "index")?;
    Ok(Asset { index, name: word(name, bytes), qty_digits: unsigned(digits, bytes, "szDecimals")? })
}

fn pair(
    venue: Venue,
    assets: &[Asset],
    scanner: &mut Scanner<'_>,
    bytes: &[u8],
) -> Result<Option<Instrument>, DecodeError> {
    let [name, tokens] = members(scanner, bytes, &["name", "tokens"])?;
    let Ok(symbol) = core::str::from_utf8(text(name, bytes, "name")?) else { return Ok(None) };
    is(tokens, Kind::Array, "tokens", "an array")?;
    let ([base, quote], _): ([Token; 2], _) = values(&mut Scanner::new(bytes, tokens.start as usize))?;
    let asset = |token: Token| -> Result<Option<&Asset>, DecodeError> {
        let index = unsigned(token, bytes, "tokens")?;
        Ok(assets.binary_search_by_key(&index, |asset| asset.index).ok().and_then(|at| assets.get(at)))
    };
    let (Some(base), Some(quote)) = (asset(base)?, asset(quote)?) else { return Ok(None) };
    let (tick, lot) = increments(name, base.qty_digits, SPOT_DIGITS)?;
    let terms = Terms {
        kind: InstrumentKind::Spot,
        base: base.name.clone(),
        quote: quote.name.clone(),
        status: TradingStatus::Trading,
        ..Terms::default()
    };
    Ok(Some(Instrument { terms, ..super::instrument(venue, symbol).listed(tick, lot) }))
}

/// The finest steps of prices and quantities, where a quantity has so many decimals.
fn increments(at: Token, qty_digits: u64, shared: u64) -> Result<(Decimal, Decimal), DecodeError> {
    let price_digits = shared.checked_sub(qty_digits).ok_or(DecodeError::BadNumber {
        at: at.start,
        field: "szDecimals",
        cause: DecimalError::Overflow,
        scaled: Scaled::No,
    })?;
    let step = |digits: u64| Decimal { mantissa: 1, exponent: -(digits as i8) };
    Ok((step(price_digits), step(qty_digits)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::venues::HYPERLIQUID;

    const META: &str = r#"{"universe":[{"szDecimals":5,"name":"BTC","maxLeverage":40,"marginTableId":56},
        {"szDecimals":0,"name":"kPEPE","maxLeverage":10,"marginTableId":52},
        {"szDecimals":1,"name":"MATIC","maxLeverage":20,"marginTableId":20,"isDelisted":true}],
        "marginTables":[[50,{"description":"","marginTiers":[]}]],"collateralToken":0}"#;
    const SPOT: &str = r#"{"universe":[{"tokens":[1,0],"name":"PURR/USDC","index":0,"isCanonical":true},
        {"tokens":[150,0],"name":"@107","index":107,"isCanonical":false},
        {"tokens":[9,0],"name":"@2","index":2,"isCanonical":false}],
        "tokens":[{"name":"USDC","szDecimals":8,"weiDecimals":8,"index":0,"tokenId":"0x6d","isCanonical":true},
        {"name":"HYPE","szDecimals":2,"weiDecimals":8,"index":150,"tokenId":"0x0d"},
        {"name":"PURR","szDecimals":0,"weiDecimals":5,"index":1,"tokenId":"0xc4"}]}"#;

    fn list(text: &str) -> Result<Definitions, &'static str> {
        crate::venues::instruments(HYPERLIQUID, text.as_bytes()).map_err(|error| error.code())
    }

    #[test]
    fn coins_and_pairs_have_their_finest_steps() {
        let perpetuals = list(META).unwrap();
        let [bitcoin, pepe, matic] = perpetuals.list() else { panic!("{perpetuals:?}") };
        assert_eq!(bitcoin.to_string(), "hyperliquid:BTC");
        assert_eq!((bitcoin.price_exponent, bitcoin.qty_exponent), (-1, -5));
        assert_eq!((bitcoin.tick_size, bitcoin.lot_size), (1, 1));
        assert_eq!((bitcoin.terms.kind, &*bitcoin.terms.settle), (InstrumentKind::Perpetual, "USDC"));
        assert_eq!((pepe.price_exponent, pepe.qty_exponent), (-6, 0));
        assert_eq!(
            (matic.terms.status, bitcoin.terms.status),
            (TradingStatus::Closed, TradingStatus::Trading)
        );
        let pairs = list(SPOT).unwrap();
        let [purr, hype] = pairs.list() else { panic!("{pairs:?}") };
        assert_eq!(pairs.passed_over(), 1, "a token that is not told");
        assert_eq!((&*purr.symbol, purr.price_exponent, purr.qty_exponent), ("PURR/USDC", -8, 0));
        assert_eq!((&*hype.symbol, hype.price_exponent, hype.qty_exponent), ("@107", -6, -2));
        assert_eq!(
            (hype.terms.kind, &*hype.terms.base, &*hype.terms.quote),
            (InstrumentKind::Spot, "HYPE", "USDC")
        );
    }

    #[test]
    fn what_is_no_list_is_told() {
        for (text, code) in [
            ("null", "decode.not_instruments"),
            (r#"{"error":"x"}"#, "decode.not_instruments"),
            (r#"{"universe":[]}"#, "decode.no_instruments"),
            (r#"{"universe":[{"name":"A"}]}"#, "decode.missing_field"),
            (r#"{"universe":[{"name":"A","szDecimals":7}]}"#, "decode.overflow"),
            (
                r#"{"universe":[{"name":"A","szDecimals":1},{"name":"A","szDecimals":2}]}"#,
                "decode.instrument_twice",
            ),
        ] {
            assert_eq!(list(text).unwrap_err(), code, "{text}");
        }
    }
}

//! The names of a pair.
//!
//! Source: docs.kraken.com, "Get tradable asset pairs" (`altname`, `wsname`) and the symbols of version 2. Bitcoin is `BTC`
//! in version 2 and `XBT` before, Dogecoin `DOGE` and `XDG`. REST names a pair without the slash, and the pairs of the venue's
//! first assets with a letter before each, X for a currency of its own and Z for a state's: `XXBTZUSD` beside `XBTUSD`. Ours
//! is that of version 2.

use crate::types::{Instrument, Venue};

/// Names of one asset: ours, that of the older interfaces.
const RENAMED: [(&str, &str); 2] = [("BTC", "XBT"), ("DOGE", "XDG")];

/// Assets that have a letter before their names in REST, by their older names: `Get asset info`.
const LETTERED: [(&str, u8); 17] = [
    ("ETC", b'X'),
    ("ETH", b'X'),
    ("LTC", b'X'),
    ("MLN", b'X'),
    ("REP", b'X'),
    ("XBT", b'X'),
    ("XDG", b'X'),
    ("XLM", b'X'),
    ("XMR", b'X'),
    ("XRP", b'X'),
    ("ZEC", b'X'),
    ("AUD", b'Z'),
    ("CAD", b'Z'),
    ("EUR", b'Z'),
    ("GBP", b'Z'),
    ("JPY", b'Z'),
    ("USD", b'Z'),
];

/// Assets in which pairs are quoted, longer names before those that end alike.
const QUOTES: [&str; 20] = [
    "RLUSD", "PYUSD", "USDG", "USDQ", "USDR", "USDT", "USDC", "EURT", "EURQ", "EURR", "EURC", "USD", "EUR",
    "GBP", "CAD", "AUD", "CHF", "JPY", "XBT", "BTC",
];

/// The rest of the quotes, which are names of coins too.
const COIN_QUOTES: [&str; 3] = ["ETH", "DAI", "DOT"];

fn newer(asset: &str) -> &str {
    RENAMED.iter().find(|(_, older)| *older == asset).map_or(asset, |(newer, _)| newer)
}

fn older(asset: &str) -> &str {
    RENAMED.iter().find(|(newer, _)| *newer == asset).map_or(asset, |(_, older)| older)
}

fn letter(older: &str) -> Option<char> {
    LETTERED.iter().find(|(asset, _)| *asset == older).map(|(_, letter)| char::from(*letter))
}

/// An asset of which the letter before it may be there.
fn without_letter(name: &str) -> &str {
    match name.get(1..) {
        Some(asset) if letter(asset).is_some_and(|letter| name.starts_with(letter)) => asset,
        _ => name,
    }
}

/// The two assets of a pair by any of its names. `None` for one that cannot be taken apart.
fn assets(name: &str) -> Option<(&str, &str)> {
    if let Some(pair) = name.split_once('/') {
        return Some(pair);
    }
    // Eight letters, each half of them with a letter before it.
    if name.len() == 8
        && let (Some(base), Some(quote)) = (name.get(..4), name.get(4..))
        && without_letter(base) != base
        && without_letter(quote) != quote
    {
        return Some((without_letter(base), without_letter(quote)));
    }
    let quote = QUOTES
        .iter()
        .chain(&COIN_QUOTES)
        .find(|quote| name.len() > quote.len() && name.ends_with(**quote))?;
    name.split_at_checked(name.len() - quote.len())
}

/// Our symbol of a pair by any of its names.
pub(super) fn symbol(name: &str) -> String {
    match assets(name) {
        Some((base, quote)) => format!("{}/{}", newer(base), newer(quote)),
        None => name.to_owned(),
    }
}

/// All names of a pair by ours, ours first.
fn codes(symbol: &str) -> Vec<Box<[u8]>> {
    let mut codes: Vec<String> = vec![symbol.to_owned()];
    if let Some((base, quote)) = symbol.split_once('/') {
        let (base, quote) = (older(base), older(quote));
        codes.extend([format!("{base}/{quote}"), format!("{base}{quote}")]);
        if let (Some(base_letter), Some(quote_letter)) = (letter(base), letter(quote)) {
            codes.push(format!("{base_letter}{base}{quote_letter}{quote}"));
        }
    }
    codes.dedup();
    codes.into_iter().map(|code| code.into_bytes().into()).collect()
}

/// The pair of any of its names.
pub(in crate::venues) fn instrument(venue: Venue, name: &str) -> Instrument {
    let symbol = symbol(name);
    let codes = codes(&symbol);
    Instrument { codes, ..super::SPOT.scale.instrument(venue, &symbol) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::venues::KRAKEN;

    #[test]
    fn all_names_of_a_pair_find_it() {
        for (symbol, names) in [
            ("BTC/USD", &["BTC/USD", "XBT/USD", "XXBTZUSD", "XBTUSD", "BTCUSD"][..]),
            ("ETH/BTC", &["ETH/BTC", "ETH/XBT", "XETHXXBT", "ETHXBT"]),
            ("DOGE/EUR", &["DOGE/EUR", "XDG/EUR", "XXDGZEUR", "XDGEUR"]),
            ("BTC/USDT", &["BTC/USDT", "XBT/USDT", "XBTUSDT"]),
            ("XRP/JPY", &["XRP/JPY", "XXRPZJPY", "XRPJPY"]),
            ("AUD/USD", &["AUD/USD", "AUDUSD"]),
            ("PEPE/USD", &["PEPE/USD", "PEPEUSD"]),
            ("AAPLx/USD", &["AAPLx/USD", "AAPLxUSD"]),
            ("LINK/ETH", &["LINK/ETH", "LINKETH"]),
            ("ALGO/BTC", &["ALGO/BTC", "ALGO/XBT", "ALGOXBT"]),
            ("USDC/USDT", &["USDC/USDT", "USDCUSDT"]),
            ("XYZ", &["XYZ"]),
        ] {
            for name in names {
                let found = instrument(KRAKEN, name);
                assert_eq!(found.symbol, symbol, "{name}");
                let is_code = found.codes.iter().any(|code| **code == *name.as_bytes());
                // What nobody prints is read and not a code.
                assert!(is_code || *name == "BTCUSD", "{name}: {:?}", found.codes);
            }
        }
        assert_eq!(instrument(KRAKEN, "XYZ").codes.len(), 1);
    }
}

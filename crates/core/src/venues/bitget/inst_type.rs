//! The venue's words for its products. Version 1 has one for all futures, whose symbols tell them apart.

use crate::types::Venue;
use crate::venues::{BITGET, BITGET_COIN_FUTURES, BITGET_USDC_FUTURES, BITGET_USDT_FUTURES};

/// A product, as `instType` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum InstType {
    Spot,
    UsdtFutures,
    UsdcFutures,
    CoinFutures,
}

impl InstType {
    const ALL: [(Self, Venue, &'static [u8]); 4] = [
        (Self::Spot, BITGET, b"spot"),
        (Self::UsdtFutures, BITGET_USDT_FUTURES, b"usdt-futures"),
        (Self::UsdcFutures, BITGET_USDC_FUTURES, b"usdc-futures"),
        (Self::CoinFutures, BITGET_COIN_FUTURES, b"coin-futures"),
    ];

    /// That of a message's word and symbol, in either case of letters. None of a product that is not read, such as one for practice.
    #[inline]
    pub(super) fn of(word: &[u8], symbol: &[u8]) -> Option<Self> {
        let named = Self::ALL.iter().find(|(.., named)| word.eq_ignore_ascii_case(named));
        match named {
            Some((inst_type, ..)) => Some(*inst_type),
            None if word.eq_ignore_ascii_case(b"sp") => Some(Self::Spot),
            None if word.eq_ignore_ascii_case(b"mc") => Some(Self::of_contract(symbol)),
            None => None,
        }
    }

    /// `BTCUSDT` is margined in USDT, `BTCPERP` in USDC, `BTCUSD` and `BTCUSDZ24` in the coin.
    fn of_contract(symbol: &[u8]) -> Self {
        match () {
            () if symbol.ends_with(b"USDT") => Self::UsdtFutures,
            () if symbol.ends_with(b"PERP") => Self::UsdcFutures,
            () => Self::CoinFutures,
        }
    }

    /// That of a product of the table.
    pub(super) fn of_venue(venue: Venue) -> Option<Self> {
        Self::ALL.iter().find(|(_, of, _)| *of == venue).map(|(inst_type, ..)| *inst_type)
    }

    /// Its product.
    pub(super) fn venue(self) -> Venue {
        Self::ALL.iter().find(|(inst_type, ..)| *inst_type == self).map_or(BITGET, |(_, venue, _)| *venue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_has_its_words() {
        for (word, symbol, venue) in [
            ("SPOT", "BTCUSDT", Some(BITGET)),
            ("spot", "BTCUSDT", Some(BITGET)),
            ("sp", "BTCUSDT", Some(BITGET)),
            ("USDT-FUTURES", "BTCUSDT", Some(BITGET_USDT_FUTURES)),
            ("usdc-futures", "BTCPERP", Some(BITGET_USDC_FUTURES)),
            ("COIN-FUTURES", "BTCUSDZ24", Some(BITGET_COIN_FUTURES)),
            ("mc", "BTCUSDT", Some(BITGET_USDT_FUTURES)),
            ("MC", "BTCPERP", Some(BITGET_USDC_FUTURES)),
            ("mc", "BTCUSD", Some(BITGET_COIN_FUTURES)),
            ("SUSDT-FUTURES", "SBTCSUSDT", None),
            ("", "BTCUSDT", None),
        ] {
            let found = InstType::of(word.as_bytes(), symbol.as_bytes()).map(InstType::venue);
            assert_eq!(found, venue, "{word} {symbol}");
            assert!(venue.is_none_or(|venue| InstType::of_venue(venue).map(InstType::venue) == Some(venue)));
        }
    }
}

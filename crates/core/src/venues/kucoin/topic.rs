//! Topics that are read.

use crate::types::Venue;
use crate::venues::{KUCOIN, KUCOIN_FUTURES};

/// What a message is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    SpotBook,
    SpotTop,
    SpotTrades,
    FuturesBook,
    FuturesTop,
    FuturesTrades,
    FuturesStatistics,
}

const ALL: [(&[u8], Topic); 7] = [
    (b"/market/level2", Topic::SpotBook),
    (b"/market/ticker", Topic::SpotTop),
    (b"/market/match", Topic::SpotTrades),
    (b"/contractMarket/level2", Topic::FuturesBook),
    (b"/contractMarket/tickerV2", Topic::FuturesTop),
    (b"/contractMarket/execution", Topic::FuturesTrades),
    (b"/contract/instrument", Topic::FuturesStatistics),
];

/// How topics of the venue begin, and the product of each.
pub(super) const FAMILIES: [(&[u8], Venue); 4] = [
    (b"/market/", KUCOIN),
    (b"/spotMarket/", KUCOIN),
    (b"/contractMarket/", KUCOIN_FUTURES),
    (b"/contract/", KUCOIN_FUTURES),
];

/// The name of a topic and what stands behind its colon.
pub(super) fn parts(topic: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr::memchr(b':', topic)?;
    Some((topic.get(..colon)?, topic.get(colon + 1..)?))
}

impl Topic {
    /// The topic and the symbol. None of what is not read.
    pub(super) fn of<'a>(topic: &'a [u8], subject: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (name, symbol) = parts(topic)?;
        let (_, topic) = ALL.iter().find(|(named, _)| *named == name)?;
        Some((*topic, if symbol == b"all" { subject } else { symbol }))
    }

    pub(super) const fn venue(self) -> Venue {
        match self {
            Self::SpotBook | Self::SpotTop | Self::SpotTrades => KUCOIN,
            _ => KUCOIN_FUTURES,
        }
    }

    pub(super) const fn is_book(self) -> bool {
        matches!(self, Self::SpotBook | Self::FuturesBook)
    }
}

/// Whether a topic is one that says nothing of a book: one that is read, or another of the venue's.
pub(super) fn is_other(topic: &[u8]) -> bool {
    match Topic::of(topic, b"") {
        Some((topic, _)) => !topic.is_book(),
        None => {
            let name = parts(topic).map_or(topic, |(name, _)| name);
            OTHERS.contains(&name)
        }
    }
}

const OTHERS: [&[u8]; 9] = [
    b"/market/candles",
    b"/market/snapshot",
    b"/spotMarket/level2Depth5",
    b"/spotMarket/level2Depth50",
    b"/spotMarket/level1",
    b"/contractMarket/level2Depth5",
    b"/contractMarket/level2Depth50",
    b"/contractMarket/snapshot",
    b"/contractMarket/ticker",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_ends_with_its_symbol() {
        for (text, found) in [
            ("/market/level2:BTC-USDT", Some((Topic::SpotBook, "BTC-USDT"))),
            ("/market/ticker:all", Some((Topic::SpotTop, "ETH-BTC"))),
            ("/contractMarket/level2:XBTUSDTM", Some((Topic::FuturesBook, "XBTUSDTM"))),
            ("/contractMarket/level2Depth5:XBTUSDTM", None),
            ("/market/level2", None),
            ("", None),
        ] {
            let found = found.map(|(topic, symbol)| (topic, symbol.as_bytes()));
            assert_eq!(Topic::of(text.as_bytes(), b"ETH-BTC"), found, "{text}");
        }
        for (text, is_it) in [
            ("/market/level2:BTC-USDT", false),
            ("/market/match:BTC-USDT", true),
            ("/market/candles:BTC-USDT_1min", true),
            ("/market/leve", false),
        ] {
            assert_eq!(is_other(text.as_bytes()), is_it, "{text}");
        }
    }
}

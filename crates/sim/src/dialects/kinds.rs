//! Dialects by what a subscriber chooses: the venue, levels or orders, the instrument and the depth. Forms that a venue has given up
//! stand in [`super::all`] alone.

use std::sync::OnceLock;

use super::{
    Binance, BinanceProduct, Bitfinex, BitfinexFlags, BitfinexPair, Bitget, BitgetBook, Bitmex, BitmexBook,
    Bitstamp, BitstampOrders, Bybit, BybitCategory, CoinbaseAdvanced, CoinbaseExchange, Deribit, DeribitBook,
    DeribitOption, Dialect, Gateio, GateioProduct, Hyperliquid, KrakenFutures, KrakenFuturesContract,
    KrakenLevel3, KrakenPair, KrakenV2, Kucoin, KucoinProduct, Lighter, LighterForm, Maker, Nasdaq, Numbers,
    Okx, OkxBook, Renamed, TrueOrders,
};

/// A dialect that can be made.
#[derive(Clone, Debug)]
pub struct Kind {
    /// As [`Dialect::venue`].
    pub venue: &'static str,
    /// As [`Dialect::code`], unless it is to be another.
    pub code: String,
    /// As [`Dialect::depth`].
    pub depth: Option<usize>,
    /// Whether it tells orders rather than levels.
    pub is_by_order: bool,
    /// As [`Dialect::exponents`].
    pub exponents: (i8, i8),
    make: Maker,
}

impl Kind {
    /// The best kind for a subscription: of that code, else of the venue's first one, which another may then bear; of that depth,
    /// else the next deeper one, else the deepest. `None`: the venue has no dialect of orders, or of levels.
    #[must_use]
    pub fn of(venue: &str, is_by_order: bool, depth: usize, code: &str) -> Option<&'static Self> {
        let of_venue =
            || kinds().iter().filter(|kind| kind.venue == venue && kind.is_by_order == is_by_order);
        let first = of_venue().find(|kind| kind.code == code).or_else(|| of_venue().next())?;
        let rank = |kind: &&Self| match kind.depth {
            Some(has) if has < depth => usize::MAX - has,
            Some(has) => has - depth,
            None => 0,
        };
        of_venue().filter(|kind| kind.code == first.code).min_by_key(rank)
    }

    /// A market before its first connection, under that code.
    #[must_use]
    pub fn make(&self, seed: u64, code: &str) -> Box<dyn Dialect> {
        if code == self.code {
            return (self.make)(seed);
        }
        // One of a chain.
        let option = (self.venue == OPTIONS_VENUE).then(|| DeribitOption::new(seed, code)).flatten();
        option.map_or_else(
            || -> Box<dyn Dialect> { Box::new(Renamed::new((self.make)(seed), code)) },
            |option| Box::new(option),
        )
    }
}

/// Whose options are a chain.
const OPTIONS_VENUE: &str = "deribit";

/// Every kind, a venue's usual instrument first. The first call makes one market of each, in some milliseconds.
pub fn kinds() -> &'static [Kind] {
    static KINDS: OnceLock<Vec<Kind>> = OnceLock::new();
    KINDS.get_or_init(|| {
        let kind = |&make: &Maker| {
            let dialect = make(0);
            Kind {
                venue: dialect.venue(),
                code: dialect.code().to_owned(),
                depth: dialect.depth(),
                is_by_order: dialect.orders(&mut TrueOrders::default()),
                exponents: dialect.exponents(),
                make,
            }
        };
        makers().iter().map(kind).collect()
    })
}

fn makers() -> &'static [Maker] {
    use BitfinexFlags::CountedTimedAndChecked as Checked;
    use BitfinexPair::{BtcPerpetual, KncBtc};
    use BybitCategory::{Inverse, Linear, Option as BybitOption, Spot};
    use KrakenPair::{BtcUsd, PepeUsd};
    use Numbers::Fixed;
    makers![seed:
        Box::new(Binance::new(seed, BinanceProduct::Spot)),
        Box::new(Binance::new(seed, BinanceProduct::UsdM)),
        Box::new(Binance::new(seed, BinanceProduct::CoinM)),
        Box::new(Binance::new(seed, BinanceProduct::Us)),
        Box::new(KrakenV2::new(seed, BtcUsd, 10)),
        Box::new(KrakenV2::new(seed, BtcUsd, 25)),
        Box::new(KrakenV2::new(seed, BtcUsd, 100)),
        Box::new(KrakenV2::new(seed, BtcUsd, 500)),
        Box::new(KrakenV2::new(seed, BtcUsd, 1_000)),
        Box::new(KrakenV2::new(seed, PepeUsd, 10)),
        Box::new(KrakenV2::new(seed, PepeUsd, 25)),
        Box::new(KrakenV2::new(seed, PepeUsd, 100)),
        Box::new(KrakenV2::new(seed, PepeUsd, 500)),
        Box::new(KrakenV2::new(seed, PepeUsd, 1_000)),
        Box::new(KrakenLevel3::new(seed, BtcUsd, 10, Fixed)),
        Box::new(KrakenLevel3::new(seed, BtcUsd, 100, Fixed)),
        Box::new(KrakenLevel3::new(seed, BtcUsd, 1_000, Fixed)),
        Box::new(KrakenLevel3::new(seed, PepeUsd, 10, Fixed)),
        Box::new(KrakenLevel3::new(seed, PepeUsd, 100, Fixed)),
        Box::new(KrakenLevel3::new(seed, PepeUsd, 1_000, Fixed)),
        Box::new(CoinbaseAdvanced::new(seed)),
        Box::new(CoinbaseExchange::new(seed)),
        Box::new(Nasdaq::new(seed)),
        Box::new(Bybit::new(seed, Spot, 50)),
        Box::new(Bybit::new(seed, Spot, 200)),
        Box::new(Bybit::new(seed, Spot, 1_000)),
        Box::new(Bybit::new(seed, Linear, 50)),
        Box::new(Bybit::new(seed, Linear, 200)),
        Box::new(Bybit::new(seed, Linear, 1_000)),
        Box::new(Bybit::new(seed, Inverse, 50)),
        Box::new(Bybit::new(seed, Inverse, 200)),
        Box::new(Bybit::new(seed, Inverse, 1_000)),
        Box::new(Bybit::new(seed, BybitOption, 25)),
        Box::new(Bybit::new(seed, BybitOption, 100)),
        Box::new(Bitfinex::new(seed, BtcPerpetual, 25, Checked)),
        Box::new(Bitfinex::new(seed, BtcPerpetual, 100, Checked)),
        Box::new(Bitfinex::new(seed, BtcPerpetual, 250, Checked)),
        Box::new(Bitfinex::new(seed, KncBtc, 25, Checked)),
        Box::new(Bitfinex::new(seed, KncBtc, 100, Checked)),
        Box::new(Bitfinex::new(seed, KncBtc, 250, Checked)),
        Box::new(Bitfinex::raw(seed, BtcPerpetual, 25, Checked)),
        Box::new(Bitfinex::raw(seed, BtcPerpetual, 100, Checked)),
        Box::new(Bitfinex::raw(seed, BtcPerpetual, 250, Checked)),
        Box::new(Bitfinex::raw(seed, KncBtc, 25, Checked)),
        Box::new(Bitfinex::raw(seed, KncBtc, 100, Checked)),
        Box::new(Bitfinex::raw(seed, KncBtc, 250, Checked)),
        Box::new(Deribit::new(seed, DeribitBook::PerpetualRaw)),
        Box::new(Deribit::new(seed, DeribitBook::Future100Ms)),
        Box::new(Deribit::new(seed, DeribitBook::Option100Ms)),
        Box::new(Lighter::new(seed, LighterForm::Nonces)),
        Box::new(Hyperliquid::new(seed)),
        Box::new(Okx::new(seed, OkxBook::Books)),
        Box::new(Okx::new(seed, OkxBook::Fast50)),
        Box::new(Gateio::new(seed, GateioProduct::Spot, 50)),
        Box::new(Gateio::new(seed, GateioProduct::Spot, 400)),
        Box::new(Gateio::new(seed, GateioProduct::Futures, 50)),
        Box::new(Gateio::new(seed, GateioProduct::Futures, 400)),
        Box::new(Gateio::new(seed, GateioProduct::Delivery, 0)),
        Box::new(Bitstamp::new(seed)),
        Box::new(BitstampOrders::new(seed)),
        Box::new(KrakenFutures::new(seed, KrakenFuturesContract::Inverse)),
        Box::new(KrakenFutures::new(seed, KrakenFuturesContract::Flexible)),
        Box::new(Bitget::new(seed, BitgetBook::Spot)),
        Box::new(Bitget::new(seed, BitgetBook::UsdtFutures)),
        Box::new(Bitget::new(seed, BitgetBook::UsdcFutures)),
        Box::new(Bitget::new(seed, BitgetBook::CoinFutures)),
        Box::new(Bitmex::new(seed, BitmexBook::Best10)),
        Box::new(Bitmex::new(seed, BitmexBook::Best25)),
        Box::new(Bitmex::new(seed, BitmexBook::Whole)),
        Box::new(Kucoin::new(seed, KucoinProduct::Spot)),
        Box::new(Kucoin::new(seed, KucoinProduct::Futures)),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::{Frames, Truth};
    use super::*;

    #[test]
    fn a_subscription_finds_its_instrument_and_the_next_deeper_kind() {
        let found = |venue, is_by_order, depth, code| {
            Kind::of(venue, is_by_order, depth, code).map(|kind| (kind.code.as_str(), kind.depth))
        };
        for (asked, has) in [(10, 10), (11, 25), (25, 25), (500, 500), (1_000, 1_000), (5_000, 1_000)] {
            for (code, of) in [("BTC/USD", "BTC/USD"), ("PEPE/USD", "PEPE/USD"), ("QAA/USD", "BTC/USD")] {
                assert_eq!(found("kraken", false, asked, code), Some((of, Some(has))), "{code} {asked}");
            }
        }
        assert_eq!(found("kraken", true, 25, "PEPE/USD"), Some(("PEPE/USD", Some(100))));
        assert_eq!(found("binance", false, 10, ""), Some(("BTCUSDT", None)));
        assert_eq!(found("okx", false, 400, "ETH-USD-SWAP"), Some(("ETH-USD-SWAP", Some(50))));
        assert_eq!(found("binance", true, 10, ""), None);
        assert_eq!(found("nowhere", false, 10, ""), None);
    }

    fn made(venue: &str, code: &str) -> Option<Box<dyn Dialect>> {
        Kind::of(venue, false, 10, code).map(|kind| kind.make(7, "QAA/USD"))
    }

    /// The books of a market at ten levels, and cut to the least depth that has 26, after the same life.
    fn cut() -> Option<[Truth; 2]> {
        let (mut ten, mut frames) = (made("kraken", "PEPE/USD")?, Frames::new());
        ten.open(1_000_000_000, &mut frames);
        while frames.len() < 100 {
            ten.step(u64::MAX, &mut frames);
        }
        let mut hundred = ten.cut(26)?;
        assert_eq!((hundred.depth(), hundred.code()), (Some(100), "QAA/USD"));
        let until_ns = 5_000_000_000;
        for dialect in [&mut ten, &mut hundred] {
            let mut heard = usize::MAX;
            while heard != frames.len() {
                heard = frames.len();
                dialect.step(until_ns, &mut frames);
            }
        }
        let mut books = [Truth::default(), Truth::default()];
        ten.truth(&mut books[0]);
        hundred.truth(&mut books[1]);
        Some(books)
    }

    #[test]
    fn a_market_that_is_cut_to_another_depth_is_the_same_one() {
        let [few, many] = cut().unwrap_or_default();
        assert_eq!((few.bids.len(), many.bids.len()), (10, 100));
        assert_eq!((few.bids, few.asks), (many.bids[..10].to_vec(), many.asks[..10].to_vec()));
        assert!(made("binance", "").is_some_and(|whole| whole.cut(10).is_none()), "a book that is not cut");
    }

    #[test]
    fn every_product_has_a_kind_and_each_kind_once() {
        let all: BTreeSet<_> = super::super::all(0).iter().map(|dialect| dialect.venue()).collect();
        assert_eq!(all, kinds().iter().map(|kind| kind.venue).collect());
        let mut seen = BTreeSet::new();
        for kind in kinds() {
            let of = (kind.venue, &kind.code, kind.depth, kind.is_by_order);
            assert!(seen.insert(of), "{of:?} twice");
        }
    }
}

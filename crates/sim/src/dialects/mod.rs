//! How venues tell of a market: one simulated instrument as the frames of one venue's connection.
//!
//! A dialect owns its market, so its frames depend on its seed, and on the times at which it is asked, alone. The
//! rules of each venue stand in its file, with their source; checksums are computed here, independently of any
//! engine, and are true. [`all`] lists one of each kind, at several depths.
//!
//! | file | venue and products | channels |
//! |---|---|---|
//! | `binance_spot`, `binance_futures` | Binance spot, USD-M, COIN-M, Binance.US | depth, trade, bookTicker; REST depth |
//! | `bybit` | Bybit v5 spot, linear, inverse, option, `orderbook` 1 to 1000 | orderbook, orderbook.1, publicTrade, tickers, allLiquidation |
//! | `gateio` | Gate.io spot and futures, `obu` 50 and 400; a delivery | obu, or order_book_update and REST; book_ticker, trades, tickers |
//! | `kraken/v2` | Kraken WebSocket v2, `book` 10 to 1000 | status, instrument, book, trade, ticker, heartbeat |
//! | `kraken/level3` | Kraken WebSocket v2, `level3` | status, instrument, level3, trade, heartbeat |
//! | `kraken/v1` | Kraken WebSocket v1, `book-10` to `book-1000` | book, trade, heartbeat |
//! | `kraken_futures` | Kraken Futures, an inverse and a flexible perpetual | book, trade, ticker, heartbeat |
//! | `bitmex` | BitMEX, `orderBookL2` as it is and as it was until 2023, `orderBookL2_25`, `orderBook10` | info, answers, tables of books, trade, quote, instrument, liquidation |
//! | `bitfinex` | Bitfinex WebSocket version 2, `book` of `P0` and `R0` at 1 to 250 | info, conf, book with its checksums, trades, ticker, status, heartbeat |
//! | `coinbase/advanced` | Coinbase Advanced Trade | market_trades, ticker, level2, status, candles, heartbeats |
//! | `deribit` | Deribit, `book` raw and 100 ms, a perpetual, a future and an option | answers, book, trades, ticker, quote, heartbeat |
//! | `deribit_option` | the same, any option by its name, as one of a chain | the same |
//! | `lighter` | Lighter, both ways of linking updates | order_book, trade, ticker, market_stats |
//! | `hyperliquid` | Hyperliquid | l2Book, bbo, trades, activeAssetCtx |
//! | `okx` | OKX WebSocket v5, `books`, `books50-l2-tbt`, `books-l2-tbt` | book, bbo-tbt, trades, tickers, mark-price, instruments |
//! | `coinbase/exchange` | Coinbase Exchange, order by order | status, full, ticker, heartbeat; REST level 3 |
//! | `bitstamp` | Bitstamp WebSocket version 2 | diff_order_book, live_trades, heartbeat; the book over HTTP |
//! | `bitget` | Bitget spot and futures, `books` of versions 3, 2 and 1 | books, books1, trades, ticker |
//! | `kucoin` | KuCoin spot and futures | level2, ticker, match; tickerV2, execution, instrument; books over HTTP |
//! | `bitstamp_orders` | the same, order by order | live_orders, live_trades, heartbeat; the book of orders over HTTP |
//! | `nasdaq` | NASDAQ TotalView-ITCH 5.0 in MoldUDP64 | packets, heartbeats |
//!
//! Databento has no dialect: its records carry other venues' markets, and none of them is generated here. Two
//! lines of one feed are made by handing every frame out twice.

/// One function for each expression in which the name stands for the seed.
macro_rules! makers {
    ($seed:ident: $($dialect:expr),+ $(,)?) => {{
        const MAKERS: &[Maker] = &[$(|$seed| $dialect),+];
        MAKERS
    }};
}

mod binance;
mod binance_futures;
pub(crate) mod binance_spot;
mod bitfinex;
mod bitget;
mod bitmex;
mod bitstamp;
mod bitstamp_orders;
mod black;
mod bybit;
mod clock;
mod coinbase;
mod crc32;
mod deribit;
mod deribit_option;
mod frames;
mod gateio;
mod hyperliquid;
mod kinds;
mod kraken;
mod kraken_futures;
mod kucoin;
mod lighter;
mod nasdaq;
mod okx;
mod renamed;
mod shown;
mod text;
mod told;
mod window;

pub use binance::{Binance, BinanceProduct};
pub use bitfinex::{Bitfinex, BitfinexFlags, BitfinexPair};
pub use bitget::{Bitget, BitgetBook};
pub use bitmex::{Bitmex, BitmexBook};
pub use bitstamp::Bitstamp;
pub use bitstamp_orders::BitstampOrders;
pub use bybit::{Bybit, BybitCategory};
pub use coinbase::{CoinbaseAdvanced, CoinbaseExchange, coinbase_order_id};
pub use deribit::{Deribit, DeribitBook};
pub use deribit_option::DeribitOption;
pub use frames::{Channel, Counts, Frame, Frames};
pub use gateio::{Gateio, GateioProduct};
pub use hyperliquid::Hyperliquid;
pub use kinds::{Kind, kinds};
pub use kraken::{KRAKEN_DEPTHS, KrakenLevel3, KrakenPair, KrakenV1, KrakenV2, Numbers, kraken_order_id};
pub use kraken_futures::{KrakenFutures, KrakenFuturesContract};
pub use kucoin::{Kucoin, KucoinProduct};
pub use lighter::{Lighter, LighterForm};
pub use nasdaq::Nasdaq;
pub use okx::{Okx, OkxBook};
pub use renamed::Renamed;

/// A market that speaks one venue's format on one connection, about one instrument.
///
/// ```
/// use depthwire_sim::dialects::{Dialect, Frames, KrakenPair, KrakenV2, Truth};
///
/// let mut venue = KrakenV2::new(7, KrakenPair::BtcUsd, 10);
/// let (mut frames, mut truth) = (Frames::new(), Truth::default());
/// venue.open(1_000_000_000, &mut frames);
/// while frames.len() < 100 {
///     venue.step(u64::MAX, &mut frames);
/// }
/// venue.truth(&mut truth);
/// assert!(truth.bids.len() <= 10);
/// ```
pub trait Dialect: Fork {
    /// Our name of the venue and product, as instruments are named: `binance-usdm`.
    fn venue(&self) -> &'static str;

    /// The venue's own symbol, as its frames have it.
    fn code(&self) -> &str;

    /// Levels a side to which the venue cuts its book; `None` where it tells of all of them.
    fn depth(&self) -> Option<usize>;

    /// Begins a connection at `now_ns` (nanoseconds since the epoch, up to the year 2248): appends what the venue
    /// says at once, acknowledgements and snapshots included. Again later: the connection was lost and is new; the
    /// market has gone on unheard in between, for at most [`crate::CATCH_UP_MS_MAX`].
    fn open(&mut self, now_ns: u64, out: &mut Frames);

    /// Appends the frames of the next moment at which the venue says something, where that is at or before
    /// `now_ns`; nothing where it is not, and before [`Dialect::open`]. At most one of them changes the book, so
    /// that [`Dialect::truth`] is then the book of the last frame. Call it until it appends nothing.
    fn step(&mut self, now_ns: u64, out: &mut Frames);

    /// Replaces `out` with the answer to a request for the book. False, and `out` empty, where the venue has none.
    ///
    /// It may be of a moment between two frames of the book, as real ones are.
    fn snapshot(&mut self, out: &mut Vec<u8>) -> bool;

    /// Unsubscribes and subscribes again at `now_ns`: appends the acknowledgements and the new snapshot. Where a
    /// venue gives no snapshot for that, it is as a new connection.
    fn resubscribe(&mut self, now_ns: u64, out: &mut Frames);

    /// Another connection to the same market, in the state of this moment, on which the book is cut to the least depth of the
    /// venue's that has `depth` levels. `None` where each depth is a market of its own.
    fn cut(&self, depth: usize) -> Option<Box<dyn Dialect>> {
        let _ = depth;
        None
    }

    /// Replaces `out` with the venue's own book as the last frame about it left it.
    fn truth(&self, out: &mut Truth);

    /// Replaces `out` with the single orders of that book. False, and `out` empty, where the venue does not tell them.
    fn orders(&self, out: &mut TrueOrders) -> bool {
        out.bids.clear();
        out.asks.clear();
        false
    }

    /// Exponents of ten of prices and quantities in [`Truth`]. Printed digits may be more.
    fn exponents(&self) -> (i8, i8);

    /// What was sent since the beginning.
    fn sent(&self) -> Counts;
}

/// Several connections to one market.
pub trait Fork {
    /// A copy, in the state of this moment: another connection, on which the same is going to happen. To be opened at
    /// the end of the millisecond to which this one was stepped, so that neither hears what the other does not.
    fn fork(&self) -> Box<dyn Dialect>;
}

impl<T: Dialect + Clone + 'static> Fork for T {
    fn fork(&self) -> Box<dyn Dialect> {
        Box::new(self.clone())
    }
}

/// A book to compare others with: mantissas of price and quantity, best first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// The venue's number of the last change told; 0 where the venue has none.
    pub seq: u64,
    /// Buyers.
    pub bids: Vec<(i64, i64)>,
    /// Sellers.
    pub asks: Vec<(i64, i64)>,
}

/// One resting order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrueOrder {
    /// Number of the order. Kraken prints it as [`kraken_order_id`] does, Coinbase as [`coinbase_order_id`].
    pub id: u64,
    /// Mantissa of its price.
    pub price: i64,
    /// Mantissa of what is left of it.
    pub qty: i64,
}

/// The orders of a book, best price first, in each level first in the queue first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrueOrders {
    /// Buyers.
    pub bids: Vec<TrueOrder>,
    /// Sellers.
    pub asks: Vec<TrueOrder>,
}

/// Makes a dialect from a seed.
type Maker = fn(u64) -> Box<dyn Dialect>;

/// One of each dialect, at several depths, from one seed.
#[must_use]
pub fn all(seed: u64) -> Vec<Box<dyn Dialect>> {
    makers().iter().map(|make| make(seed)).collect()
}

fn makers() -> &'static [Maker] {
    use BitfinexFlags::{Counted, CountedAndTimed, CountedTimedAndBulk, CountedTimedAndChecked};
    use BitfinexPair::{BtcPerpetual, KncBtc};
    use BybitCategory::{Inverse, Linear, Option as BybitOption, Spot};
    use KrakenPair::{BtcUsd, PepeUsd};
    makers![seed:
        Box::new(Binance::new(seed, BinanceProduct::Spot)),
        Box::new(Binance::new(seed, BinanceProduct::UsdM)),
        Box::new(Binance::new(seed, BinanceProduct::CoinM)),
        Box::new(Binance::new(seed, BinanceProduct::Us)),
        Box::new(KrakenV2::new(seed, BtcUsd, 10)),
        Box::new(KrakenV2::new(seed, PepeUsd, 25)),
        Box::new(KrakenV2::new(seed, BtcUsd, 100)),
        Box::new(KrakenV2::new(seed, PepeUsd, 500)),
        Box::new(KrakenV2::new(seed, BtcUsd, 1_000)),
        Box::new(KrakenLevel3::new(seed, BtcUsd, 10, Numbers::Fixed)),
        Box::new(KrakenLevel3::new(seed, PepeUsd, 100, Numbers::Scientific)),
        Box::new(KrakenLevel3::new(seed, BtcUsd, 1_000, Numbers::Shortest)),
        Box::new(KrakenV1::new(seed, BtcUsd, 10)),
        Box::new(KrakenV1::new(seed, PepeUsd, 100)),
        Box::new(KrakenV1::new(seed, BtcUsd, 1_000)),
        Box::new(CoinbaseAdvanced::new(seed)),
        Box::new(CoinbaseExchange::new(seed)),
        Box::new(Nasdaq::new(seed)),
        Box::new(Bybit::new(seed, Spot, 50)),
        Box::new(Bybit::new(seed, Spot, 1_000)),
        Box::new(Bybit::new(seed, Linear, 200)),
        Box::new(Bybit::new(seed, Linear, 1_000)),
        Box::new(Bybit::new(seed, Inverse, 50)),
        Box::new(Bybit::new(seed, BybitOption, 25)),
        Box::new(Bybit::new(seed, BybitOption, 100)),
        Box::new(Bitfinex::new(seed, BtcPerpetual, 25, CountedTimedAndChecked)),
        Box::new(Bitfinex::new(seed, KncBtc, 100, Counted)),
        Box::new(Bitfinex::new(seed, BtcPerpetual, 250, CountedTimedAndBulk)),
        Box::new(Bitfinex::new(seed, KncBtc, 250, CountedTimedAndChecked)),
        Box::new(Bitfinex::raw(seed, BtcPerpetual, 25, CountedTimedAndChecked)),
        Box::new(Bitfinex::raw(seed, BtcPerpetual, 100, CountedAndTimed)),
        Box::new(Bitfinex::raw(seed, KncBtc, 100, CountedTimedAndBulk)),
        Box::new(Deribit::new(seed, DeribitBook::PerpetualRaw)),
        Box::new(Deribit::new(seed, DeribitBook::Future100Ms)),
        Box::new(Deribit::new(seed, DeribitBook::Option100Ms)),
        Box::new(Lighter::new(seed, LighterForm::Nonces)),
        Box::new(Lighter::new(seed, LighterForm::Offsets)),
        Box::new(Hyperliquid::new(seed)),
        Box::new(Okx::new(seed, OkxBook::Books)),
        Box::new(Okx::new(seed, OkxBook::Fast50)),
        Box::new(Okx::new(seed, OkxBook::Checked)),
        Box::new(Gateio::new(seed, GateioProduct::Spot, 50)),
        Box::new(Gateio::new(seed, GateioProduct::Spot, 400)),
        Box::new(Gateio::new(seed, GateioProduct::Futures, 50)),
        Box::new(Gateio::new(seed, GateioProduct::Futures, 400)),
        Box::new(Gateio::new(seed, GateioProduct::Delivery, 0)),
        Box::new(Bitstamp::new(seed)),
        Box::new(KrakenFutures::new(seed, KrakenFuturesContract::Inverse)),
        Box::new(KrakenFutures::new(seed, KrakenFuturesContract::Flexible)),
        Box::new(Bitget::new(seed, BitgetBook::Spot)),
        Box::new(Bitget::new(seed, BitgetBook::UsdtFutures)),
        Box::new(Bitget::new(seed, BitgetBook::UsdcFutures)),
        Box::new(Bitget::new(seed, BitgetBook::CoinFutures)),
        Box::new(Bitget::new(seed, BitgetBook::Version2)),
        Box::new(Bitget::new(seed, BitgetBook::Version1)),
        Box::new(Bitmex::new(seed, BitmexBook::Best10)),
        Box::new(Bitmex::new(seed, BitmexBook::Best25)),
        Box::new(Bitmex::new(seed, BitmexBook::Whole)),
        Box::new(Bitmex::new(seed, BitmexBook::WholeByIds)),
        Box::new(Kucoin::new(seed, KucoinProduct::Spot)),
        Box::new(Kucoin::new(seed, KucoinProduct::Futures)),
        Box::new(BitstampOrders::new(seed)),
    ]
}

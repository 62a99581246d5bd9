//! The rooms whose connections are fuzzed: their products, and where they differ from one another.

use depthwire_core::types::Venue;
use depthwire_core::venues::{
    BINANCE_COINM, BINANCE_SPOT, BINANCE_US, BINANCE_USDM, BITFINEX, BITGET, BITGET_COIN_FUTURES,
    BITGET_USDC_FUTURES, BITGET_USDT_FUTURES, BITMEX, BITSTAMP, BITSTAMP_ORDERS, BYBIT, BYBIT_INVERSE,
    BYBIT_LINEAR, BYBIT_OPTION, COINBASE, COINBASE_EXCHANGE, DERIBIT, GATEIO, GATEIO_DELIVERY,
    GATEIO_FUTURES, HYPERLIQUID, KRAKEN, KRAKEN_FUTURES, KUCOIN, KUCOIN_FUTURES, LIGHTER, OKX,
};
use depthwire_sim::dialects::{
    Bitmex as BitmexDialect, BitmexBook, Bybit as BybitDialect, BybitCategory, Deribit as DeribitDialect,
    DeribitBook, Dialect, KrakenFutures as KrakenFuturesDialect, KrakenFuturesContract,
};

/// A room, by its products.
pub trait Room {
    const NAME: &'static str;
    const PRODUCTS: &'static [Venue];
    /// Exponents of prices and quantities where the markets' own are not as fine as what is printed.
    const EXPONENTS: Option<(i8, i8)> = None;
    /// Frames at the beginning of a connection without which the others are not understood.
    const OPENING: usize = 0;
    /// Whether an answer may stand among its frames, as in recordings of bare frames.
    const TAKES_ANSWERS: bool = false;
    /// Whether it forgets what came before a frame that it cannot read.
    const FORGETS: bool = false;
    /// Frames of a form that no dialect speaks.
    const OTHER_FRAMES: &'static [&'static str] = &[];

    /// Markets that are small enough beside those of the conformance suite.
    fn more(seed: u64) -> Vec<Box<dyn Dialect>> {
        let _ = seed;
        Vec::new()
    }
}

pub struct Kraken;

impl Room for Kraken {
    const NAME: &'static str = "kraken";
    const PRODUCTS: &'static [Venue] = &[KRAKEN];
    const EXPONENTS: Option<(i8, i8)> = Some((-9, -8));
}

/// With numbers and with checksums.
pub struct Okx;

impl Room for Okx {
    const NAME: &'static str = "okx";
    const PRODUCTS: &'static [Venue] = &[OKX];
}

pub struct Bybit;

impl Room for Bybit {
    const NAME: &'static str = "bybit";
    const PRODUCTS: &'static [Venue] = &[BYBIT, BYBIT_LINEAR, BYBIT_INVERSE, BYBIT_OPTION];

    fn more(seed: u64) -> Vec<Box<dyn Dialect>> {
        use BybitCategory::{Inverse, Linear, Spot};
        let top = |category| Box::new(BybitDialect::new(seed, category, 1)) as Box<dyn Dialect>;
        [Spot, Linear, Inverse].map(top).into()
    }
}

pub struct Coinbase;

impl Room for Coinbase {
    const NAME: &'static str = "coinbase";
    const PRODUCTS: &'static [Venue] = &[COINBASE];
}

pub struct Deribit;

impl Room for Deribit {
    const NAME: &'static str = "deribit";
    const PRODUCTS: &'static [Venue] = &[DERIBIT];

    fn more(seed: u64) -> Vec<Box<dyn Dialect>> {
        vec![Box::new(DeribitDialect::new(seed, DeribitBook::ThinOption100Ms))]
    }
}

pub struct Lighter;

impl Room for Lighter {
    const NAME: &'static str = "lighter";
    const PRODUCTS: &'static [Venue] = &[LIGHTER];
}

pub struct Hyperliquid;

impl Room for Hyperliquid {
    const NAME: &'static str = "hyperliquid";
    const PRODUCTS: &'static [Venue] = &[HYPERLIQUID];
}

pub struct Gateio;

impl Room for Gateio {
    const NAME: &'static str = "gateio";
    const PRODUCTS: &'static [Venue] = &[GATEIO, GATEIO_FUTURES, GATEIO_DELIVERY];
}

pub struct Bitmex;

impl Room for Bitmex {
    const NAME: &'static str = "bitmex";
    const PRODUCTS: &'static [Venue] = &[BITMEX];

    fn more(seed: u64) -> Vec<Box<dyn Dialect>> {
        vec![Box::new(BitmexDialect::new(seed, BitmexBook::Thin))]
    }
}

pub struct KrakenFutures;

impl Room for KrakenFutures {
    const NAME: &'static str = "kraken_futures";
    const PRODUCTS: &'static [Venue] = &[KRAKEN_FUTURES];

    fn more(seed: u64) -> Vec<Box<dyn Dialect>> {
        vec![Box::new(KrakenFuturesDialect::new(seed, KrakenFuturesContract::ThinFuture))]
    }
}

pub struct Kucoin;

impl Room for Kucoin {
    const NAME: &'static str = "kucoin";
    const PRODUCTS: &'static [Venue] = &[KUCOIN, KUCOIN_FUTURES];
}

/// Of every version.
pub struct Bitget;

impl Room for Bitget {
    const NAME: &'static str = "bitget";
    const PRODUCTS: &'static [Venue] =
        &[BITGET, BITGET_USDT_FUTURES, BITGET_USDC_FUTURES, BITGET_COIN_FUTURES];
}

pub struct CoinbaseExchange;

impl Room for CoinbaseExchange {
    const NAME: &'static str = "coinbase_exchange";
    const PRODUCTS: &'static [Venue] = &[COINBASE_EXCHANGE];
}

pub struct Binance;

impl Room for Binance {
    const NAME: &'static str = "binance";
    const PRODUCTS: &'static [Venue] = &[BINANCE_SPOT, BINANCE_USDM, BINANCE_COINM, BINANCE_US];
    const TAKES_ANSWERS: bool = true;
}

pub struct Bitfinex;

impl Room for Bitfinex {
    const NAME: &'static str = "bitfinex";
    const PRODUCTS: &'static [Venue] = &[BITFINEX];
    const EXPONENTS: Option<(i8, i8)> = Some((-8, -8));
    const OPENING: usize = 10;
}

pub struct Bitstamp;

impl Room for Bitstamp {
    const NAME: &'static str = "bitstamp";
    const PRODUCTS: &'static [Venue] = &[BITSTAMP];
    const FORGETS: bool = true;
    const TAKES_ANSWERS: bool = true;
    const EXPONENTS: Option<(i8, i8)> = Some((-8, -8));
    const OTHER_FRAMES: &'static [&'static str] = &[
        r#"order_created {"price": "236.47", "amount": "2.00000000", "datetime": "1", "id": 65, "order_type": 0}"#,
        r#"order_book {"bids": [["236.47", "2.00000000"]], "asks": [["236.64", "3.79520000"]]}"#,
        r#"order_changed {"price": "236.47", "amount": "1.78855669", "datetime": "1", "id": 65, "order_type": 0}"#,
        r#"trade {"price": 236.47999999999999, "amount": 0.21144331, "id": 8111041}"#,
        r#"order_deleted {"price": "236.47", "amount": "0.00000000", "datetime": "1", "id": 65, "order_type": 0}"#,
    ];
}

/// The same venue, order by order.
pub struct BitstampOrders;

impl Room for BitstampOrders {
    const NAME: &'static str = "bitstamp-orders";
    const PRODUCTS: &'static [Venue] = &[BITSTAMP_ORDERS];
    const FORGETS: bool = true;
    const TAKES_ANSWERS: bool = true;
    const EXPONENTS: Option<(i8, i8)> = Some((-8, -8));
}

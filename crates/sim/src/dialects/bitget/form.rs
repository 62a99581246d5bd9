//! In which form a symbol is told, and the market behind it.

use crate::curve::Curve;
use crate::market::instrument::Profile;

/// A symbol of a product, and the form in which it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BitgetBook {
    /// `BTCUSDT` of spot, version 3.
    Spot,
    /// `BTCUSDT` of futures that are margined in USDT, version 3.
    UsdtFutures,
    /// `BTCPERP`, margined in USDC, version 3.
    UsdcFutures,
    /// `BTCUSD`, margined in the coin, version 3.
    CoinFutures,
    /// `ETHUSDT` of futures, version 2.
    Version2,
    /// `EOSUSDT` of spot, version 1.
    Version1,
}

static SPOT: Profile = BTC;

const BTC: Profile = Profile {
    symbol: "BTCUSDT",
    price_exponent: -2,
    qty_exponent: -6,
    reference_price: 7_667_122,
    actions_per_s: 120,
    fair_step: 9 * 256,
    shape: Curve(&[(0, 0), (16, 60), (128, 400), (512, 1_500), (1_024, 4_500), (1_824, 61_700)]),
    levels: 400,
    join_weight: 0,
    qty_quarters: 7,
    update_id: 14_550_000,
    trade_id: 1_432_912_488_536_195_072,
};

static USDT_FUTURES: Profile = BTC_FUTURES;

const BTC_FUTURES: Profile =
    Profile { price_exponent: -1, qty_exponent: -4, reference_price: 766_313, ..BTC };

static USDC_FUTURES: Profile =
    Profile { symbol: "BTCPERP", actions_per_s: 40, levels: 120, qty_exponent: -3, ..BTC_FUTURES };

static COIN_FUTURES: Profile =
    Profile { symbol: "BTCUSD", actions_per_s: 60, levels: 150, qty_exponent: -3, ..BTC_FUTURES };

static ETH_FUTURES: Profile =
    Profile { symbol: "ETHUSDT", price_exponent: -2, qty_exponent: -2, reference_price: 265_517, ..BTC };

static EOS_SPOT: Profile = Profile {
    symbol: "EOSUSDT",
    price_exponent: -4,
    qty_exponent: -4,
    reference_price: 25_331,
    actions_per_s: 50,
    levels: 90,
    ..BTC
};

impl BitgetBook {
    pub(super) const fn profile(self) -> &'static Profile {
        match self {
            Self::Spot => &SPOT,
            Self::UsdtFutures => &USDT_FUTURES,
            Self::UsdcFutures => &USDC_FUTURES,
            Self::CoinFutures => &COIN_FUTURES,
            Self::Version2 => &ETH_FUTURES,
            Self::Version1 => &EOS_SPOT,
        }
    }

    pub(super) const fn venue(self) -> &'static str {
        match self {
            Self::Spot | Self::Version1 => "bitget",
            Self::UsdtFutures | Self::Version2 => "bitget-usdt-futures",
            Self::UsdcFutures => "bitget-usdc-futures",
            Self::CoinFutures => "bitget-coin-futures",
        }
    }

    /// Members of `arg` that name the product, the channel and the symbol, each up to its value.
    pub(super) const fn arg(self) -> [&'static str; 3] {
        match self {
            Self::Spot => ["\"instType\":\"spot\"", "topic", "symbol"],
            Self::UsdtFutures => ["\"instType\":\"usdt-futures\"", "topic", "symbol"],
            Self::UsdcFutures => ["\"instType\":\"usdc-futures\"", "topic", "symbol"],
            Self::CoinFutures => ["\"instType\":\"coin-futures\"", "topic", "symbol"],
            Self::Version2 => ["\"instType\":\"USDT-FUTURES\"", "channel", "instId"],
            Self::Version1 => ["\"instType\":\"sp\"", "channel", "instId"],
        }
    }

    pub(super) const fn is_numbered(self) -> bool {
        !matches!(self, Self::Version1 | Self::Version2)
    }

    pub(super) const fn pace_ms(self) -> u64 {
        match self {
            Self::Spot | Self::Version1 => 200,
            _ => 150,
        }
    }
}

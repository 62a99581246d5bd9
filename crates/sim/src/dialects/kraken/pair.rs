//! Two pairs, in all the ways in which the venue writes them.

use crate::curve::Curve;
use crate::market::instrument::Profile;

/// A pair of currencies with its digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KrakenPair {
    /// `BTC/USD`, in version 1 `XBT/USD`: one decimal in prices, eight in quantities.
    BtcUsd,
    /// `PEPE/USD`: nine decimals in prices, so that their texts begin with zeros, and five in quantities.
    PepeUsd,
}

static BTC_USD: Profile = Profile {
    symbol: "BTC/USD",
    price_exponent: -1,
    qty_exponent: -8,
    reference_price: 630_049,
    actions_per_s: 205,
    // Restless enough to go through a window of 25 levels in a minute, as recorded: levels that nobody cut
    // then stand in the way.
    fair_step: 14 * 256,
    shape: Curve(&[
        (0, 0),
        (16, 60),
        (128, 400),
        (512, 1_500),
        (1_024, 4_500),
        (1_824, 61_700),
        (3_000, 300_000),
    ]),
    levels: 1_400,
    join_weight: 0,
    // Thousands of the least quantity, and not whole ones, so that all digits are used.
    qty_quarters: 4_321,
    update_id: 0,
    trade_id: 92_114_300,
};

static PEPE_USD: Profile = Profile {
    symbol: "PEPE/USD",
    price_exponent: -9,
    qty_exponent: -5,
    reference_price: 12_345,
    actions_per_s: 120,
    fair_step: 350,
    shape: Curve(&[(0, 0), (400, 420), (1_024, 1_600), (2_000, 7_000)]),
    levels: 1_200,
    join_weight: 48,
    qty_quarters: 12_345_677,
    update_id: 0,
    trade_id: 5_310_020,
};

impl KrakenPair {
    pub(super) fn profile(self) -> &'static Profile {
        match self {
            Self::BtcUsd => &BTC_USD,
            Self::PepeUsd => &PEPE_USD,
        }
    }

    /// The symbol of version 2.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::BtcUsd => "BTC/USD",
            Self::PepeUsd => "PEPE/USD",
        }
    }

    /// The symbol of version 1.
    #[must_use]
    pub const fn code_v1(self) -> &'static str {
        match self {
            Self::BtcUsd => "XBT/USD",
            Self::PepeUsd => "PEPE/USD",
        }
    }

    pub(super) fn exponents(self) -> (i8, i8) {
        self.profile().exponents()
    }

    pub(super) const fn base(self) -> &'static str {
        match self {
            Self::BtcUsd => "BTC",
            Self::PepeUsd => "PEPE",
        }
    }

    /// Decimals that version 1 prints of prices; of quantities it prints eight.
    pub(super) const fn price_decimals_v1(self) -> u32 {
        match self {
            Self::BtcUsd => 5,
            Self::PepeUsd => 9,
        }
    }

    /// The number of the book's channel in version 1.
    pub(super) const fn channel_v1(self) -> u64 {
        match self {
            Self::BtcUsd => 320,
            Self::PepeUsd => 2_720,
        }
    }
}

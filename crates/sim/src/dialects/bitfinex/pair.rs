//! A pair and a derivative, as the venue lists them.

use crate::curve::Curve;
use crate::market::instrument::Profile;

/// What is traded, with its digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BitfinexPair {
    /// `tKNCBTC`: prices of 8 decimals, so that small amounts are printed with an exponent.
    KncBtc,
    /// `tBTCF0:USTF0`: whole prices.
    BtcPerpetual,
}

static KNC_BTC: Profile = Profile {
    symbol: "tKNCBTC",
    price_exponent: -8,
    qty_exponent: -8,
    reference_price: 5_767,
    // Some 25 rows a second and book, as recorded.
    actions_per_s: 30,
    fair_step: 60,
    shape: Curve(&[(0, 0), (16, 20), (128, 170), (512, 900), (1_024, 2_600)]),
    levels: 300,
    join_weight: 24,
    qty_quarters: 91_234_567,
    update_id: 0,
    trade_id: 658_724_337,
};

static BTC_PERPETUAL: Profile = Profile {
    symbol: "tBTCF0:USTF0",
    price_exponent: 0,
    qty_exponent: -8,
    reference_price: 60_955,
    // A book of the venue's busiest pair: some 100 rows a second.
    actions_per_s: 120,
    fair_step: 250,
    shape: Curve(&[(0, 0), (16, 24), (128, 200), (512, 900), (1_024, 2_400), (2_000, 9_000)]),
    levels: 600,
    join_weight: 16,
    qty_quarters: 4_321,
    update_id: 0,
    trade_id: 647_256_282,
};

impl BitfinexPair {
    pub(super) fn profile(self) -> &'static Profile {
        match self {
            Self::KncBtc => &KNC_BTC,
            Self::BtcPerpetual => &BTC_PERPETUAL,
        }
    }

    /// The venue's symbol.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.profile().symbol
    }

    pub(super) const fn is_derivative(self) -> bool {
        matches!(self, Self::BtcPerpetual)
    }
}

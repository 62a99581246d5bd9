//! The four instruments: what is printed of them, and how lively and deep their markets are.

use crate::curve::Curve;

/// The symbols of the simulated venue, most active first.
pub const SYMBOLS: [&str; 4] =
    [PROFILES[0].symbol, PROFILES[1].symbol, PROFILES[2].symbol, PROFILES[3].symbol];

/// The character of one instrument. Prices are in ticks, quantities in lots; both equal the printed mantissa.
#[derive(Debug)]
pub(crate) struct Profile {
    pub(crate) symbol: &'static str,
    pub(crate) price_exponent: i32,
    pub(crate) qty_exponent: i32,
    /// The price to which the market always returns.
    pub(crate) reference_price: i64,
    /// Actions of traders in a usual second; bursts reach 30 times as many.
    pub(crate) actions_per_s: i64,
    /// Standard deviation of the fair price's step in a usual 100 ms, in 1/256 ticks.
    pub(crate) fair_step: i64,
    /// Rank of a level → its usual distance from the best price, in ticks.
    pub(crate) shape: Curve,
    /// Levels a side to begin with.
    pub(crate) levels: i64,
    /// How a level draws orders where every tick is one: one joins for every 16 × orders / weight that leave.
    pub(crate) join_weight: u64,
    /// Quarters that the quantities of [`RESTING_QTY`] and [`TAKING_QTY`] are multiplied by.
    pub(crate) qty_quarters: i64,
    /// Ids of the last change and the last trade before the market opens.
    pub(crate) update_id: u64,
    pub(crate) trade_id: u64,
}

impl Profile {
    /// Powers of ten of its price and quantity mantissas.
    pub(crate) const fn exponents(&self) -> (i8, i8) {
        (self.price_exponent as i8, self.qty_exponent as i8)
    }
}

/// Rank of the level that an action aims at, by quantile. Nearer than the ranks that come out (see the crate's
/// statistics test), because the changes of one window at the top fall together into one.
pub(crate) const AIMED_RANK: Curve = Curve(&[
    (0, 0),
    (110_000, 1),
    (290_000, 8),
    (415_000, 32),
    (545_000, 80),
    (615_000, 128),
    (775_000, 290),
    (905_000, 640),
    (955_000, 1_024),
    (988_000, 1_824),
    (1_000_000, 3_000),
]);

/// Lots of a resting order, by quantile: as recorded on Binance spot BTCUSDT.
pub(crate) const RESTING_QTY: Curve = Curve(&[
    (0, 5),
    (100_000, 59),
    (250_000, 1_010),
    (500_000, 5_396),
    (750_000, 32_058),
    (900_000, 76_304),
    (990_000, 200_000),
    (1_000_000, 1_000_000),
]);

/// Lots of a market order, by quantile: as recorded on Binance spot BTCUSDT.
pub(crate) const TAKING_QTY: Curve =
    Curve(&[(0, 5), (100_000, 9), (500_000, 67), (900_000, 5_763), (990_000, 32_425), (1_000_000, 200_000)]);

/// The instruments, in the order of [`SYMBOLS`].
pub(crate) const PROFILES: [Profile; 4] = [
    Profile {
        symbol: "BTCUSDT",
        price_exponent: -2,
        qty_exponent: -5,
        reference_price: 6_183_763,
        actions_per_s: 205,
        fair_step: 40 * 256,
        shape: Curve(&[
            (0, 0),
            (16, 600),
            (128, 4_000),
            (512, 15_000),
            (1_024, 45_000),
            (1_824, 617_000),
            (3_000, 3_000_000),
        ]),
        levels: 2_400,
        join_weight: 0,
        qty_quarters: 3,
        update_id: 50_093_239_188,
        trade_id: 3_735_683_258,
    },
    Profile {
        symbol: "ETHUSDT",
        price_exponent: -2,
        qty_exponent: -4,
        reference_price: 268_412,
        actions_per_s: 160,
        fair_step: 4 * 256,
        shape: Curve(&[
            (0, 0),
            (16, 30),
            (128, 220),
            (512, 1_000),
            (1_024, 4_000),
            (2_000, 40_000),
            (3_000, 130_000),
        ]),
        levels: 2_000,
        join_weight: 0,
        qty_quarters: 5,
        update_id: 38_201_554_019,
        trade_id: 1_560_338_120,
    },
    Profile {
        symbol: "SOLUSDT",
        price_exponent: -2,
        qty_exponent: -3,
        reference_price: 15_460,
        actions_per_s: 100,
        fair_step: 110,
        shape: Curve(&[(0, 0), (512, 540), (1_024, 1_500), (2_000, 6_000), (2_600, 11_000)]),
        levels: 1_500,
        join_weight: 32,
        qty_quarters: 8,
        update_id: 16_702_118_840,
        trade_id: 731_905_277,
    },
    Profile {
        symbol: "DOGEUSDT",
        price_exponent: -5,
        qty_exponent: 0,
        reference_price: 10_284,
        actions_per_s: 50,
        fair_step: 80,
        shape: Curve(&[(0, 0), (400, 420), (1_024, 1_600), (2_000, 7_000)]),
        levels: 1_200,
        join_weight: 48,
        qty_quarters: 12,
        update_id: 11_450_926_313,
        trade_id: 598_124_066,
    },
];

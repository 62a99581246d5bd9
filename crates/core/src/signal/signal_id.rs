//! Which signals there are: the number of each on the wire, its name, and what its value counts.

/// A signal of the feed. Numbers are never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
pub enum SignalId {
    /// Mid of the best bid and ask.
    Mid = 1,
    /// Best ask − best bid.
    Spread = 2,
    /// The same in basis points of the mid.
    SpreadBps = 3,
    /// The mid weighted by the other side's quantity.
    WeightedMid = 4,
    /// Where the mid is expected to be, by a fit to how the touch has changed.
    MicroPrice = 5,
    /// (bids − asks) / (bids + asks) of the best level.
    Imbalance1 = 6,
    /// Of the best five.
    Imbalance5 = 7,
    /// Of the best ten.
    Imbalance10 = 8,
    /// What the bids hold within 5 basis points of the mid.
    BidDepth5 = 9,
    /// What the asks hold there.
    AskDepth5 = 10,
    /// Within 10.
    BidDepth10 = 11,
    /// Likewise.
    AskDepth10 = 12,
    /// Within 25.
    BidDepth25 = 13,
    /// Likewise.
    AskDepth25 = 14,
    /// Within 50.
    BidDepth50 = 15,
    /// Likewise.
    AskDepth50 = 16,
    /// Order flow imbalance of the best level, over the window.
    OrderFlow1 = 17,
    /// Of the second.
    OrderFlow2 = 18,
    /// Of the third.
    OrderFlow3 = 19,
    /// Of the fourth.
    OrderFlow4 = 20,
    /// Of the fifth.
    OrderFlow5 = 21,
    /// Average mid of the window by time: TWAP.
    HeldPrice = 22,
    /// Changes of the book a second.
    BookRate = 23,
    /// Realised volatility of the mid.
    Volatility = 24,
    /// (bought − sold) / (bought + sold) of the window.
    TradeImbalance = 25,
    /// Bought − sold since counting began: the cumulative volume delta.
    VolumeDelta = 26,
    /// Average price of the window's trades by quantity: VWAP.
    TradedPrice = 27,
    /// Trades a second.
    TradeRate = 28,
    /// How one-sided trading is in buckets of equal volume.
    Vpin = 29,
    /// Kyle's lambda.
    PriceImpact = 30,
    /// Amihud's measure.
    Illiquidity = 31,
    /// Changes of the touch until it has recovered from a trade.
    RecoveryUpdates = 32,
    /// Time until then.
    RecoveryTime = 33,
    /// Share of those from which it has not.
    Unrecovered = 34,
    /// The price at which most has traded.
    PointOfControl = 35,
    /// The lowest price of the value area.
    ValueLow = 36,
    /// The highest.
    ValueHigh = 37,
    /// Volatility that the best bid of an option implies.
    BidVolatility = 40,
    /// That the best ask implies.
    AskVolatility = 41,
    /// That the mid implies.
    MidVolatility = 42,
    /// Change of the option's price with the forward, at that volatility.
    Delta = 43,
    /// The same of one whose price is paid in the underlying, less that price.
    PriceAdjustedDelta = 44,
    /// Change of delta with the forward.
    Gamma = 45,
    /// Change of the price with one hundredth of volatility.
    Vega = 46,
    /// Change of the price with a day.
    Theta = 47,
}

impl SignalId {
    /// Every signal, in the order of their numbers.
    pub const ALL: [Self; 45] = [
        Self::Mid,
        Self::Spread,
        Self::SpreadBps,
        Self::WeightedMid,
        Self::MicroPrice,
        Self::Imbalance1,
        Self::Imbalance5,
        Self::Imbalance10,
        Self::BidDepth5,
        Self::AskDepth5,
        Self::BidDepth10,
        Self::AskDepth10,
        Self::BidDepth25,
        Self::AskDepth25,
        Self::BidDepth50,
        Self::AskDepth50,
        Self::OrderFlow1,
        Self::OrderFlow2,
        Self::OrderFlow3,
        Self::OrderFlow4,
        Self::OrderFlow5,
        Self::HeldPrice,
        Self::BookRate,
        Self::Volatility,
        Self::TradeImbalance,
        Self::VolumeDelta,
        Self::TradedPrice,
        Self::TradeRate,
        Self::Vpin,
        Self::PriceImpact,
        Self::Illiquidity,
        Self::RecoveryUpdates,
        Self::RecoveryTime,
        Self::Unrecovered,
        Self::PointOfControl,
        Self::ValueLow,
        Self::ValueHigh,
        Self::BidVolatility,
        Self::AskVolatility,
        Self::MidVolatility,
        Self::Delta,
        Self::PriceAdjustedDelta,
        Self::Gamma,
        Self::Vega,
        Self::Theta,
    ];

    /// The signal of a number; none of one that is not known.
    #[must_use]
    pub fn of(number: u16) -> Option<Self> {
        let at = Self::ALL.binary_search_by_key(&number, |id| *id as u16).ok()?;
        Self::ALL.get(at).copied()
    }

    /// Its word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mid => "mid",
            Self::Spread => "spread",
            Self::SpreadBps => "spread_bps",
            Self::WeightedMid => "weighted_mid",
            Self::MicroPrice => "micro_price",
            Self::Imbalance1 => "imbalance_1",
            Self::Imbalance5 => "imbalance_5",
            Self::Imbalance10 => "imbalance_10",
            Self::BidDepth5 => "bid_depth_5bps",
            Self::AskDepth5 => "ask_depth_5bps",
            Self::BidDepth10 => "bid_depth_10bps",
            Self::AskDepth10 => "ask_depth_10bps",
            Self::BidDepth25 => "bid_depth_25bps",
            Self::AskDepth25 => "ask_depth_25bps",
            Self::BidDepth50 => "bid_depth_50bps",
            Self::AskDepth50 => "ask_depth_50bps",
            Self::OrderFlow1 => "order_flow_1",
            Self::OrderFlow2 => "order_flow_2",
            Self::OrderFlow3 => "order_flow_3",
            Self::OrderFlow4 => "order_flow_4",
            Self::OrderFlow5 => "order_flow_5",
            Self::HeldPrice => "twap",
            Self::BookRate => "book_rate",
            Self::Volatility => "volatility",
            Self::TradeImbalance => "trade_imbalance",
            Self::VolumeDelta => "cvd",
            Self::TradedPrice => "vwap",
            Self::TradeRate => "trade_rate",
            Self::Vpin => "vpin",
            Self::PriceImpact => "kyle_lambda",
            Self::Illiquidity => "amihud",
            Self::RecoveryUpdates => "recovery_updates",
            Self::RecoveryTime => "recovery_time",
            Self::Unrecovered => "unrecovered",
            Self::PointOfControl => "poc",
            Self::ValueLow => "value_low",
            Self::ValueHigh => "value_high",
            Self::BidVolatility => "bid_iv",
            Self::AskVolatility => "ask_iv",
            Self::MidVolatility => "mid_iv",
            Self::Delta => "delta",
            Self::PriceAdjustedDelta => "delta_price_adjusted",
            Self::Gamma => "gamma",
            Self::Vega => "vega",
            Self::Theta => "theta",
        }
    }

    /// What its value counts.
    #[must_use]
    pub const fn unit(self) -> SignalUnit {
        match self {
            Self::Mid
            | Self::Spread
            | Self::WeightedMid
            | Self::MicroPrice
            | Self::TradedPrice
            | Self::HeldPrice
            | Self::PointOfControl
            | Self::ValueLow
            | Self::ValueHigh => SignalUnit::Price,
            Self::SpreadBps => SignalUnit::Bps,
            Self::Imbalance1
            | Self::Imbalance5
            | Self::Imbalance10
            | Self::TradeImbalance
            | Self::Vpin
            | Self::Unrecovered
            | Self::Delta
            | Self::PriceAdjustedDelta => SignalUnit::Ratio,
            Self::BidDepth5
            | Self::BidDepth10
            | Self::BidDepth25
            | Self::BidDepth50
            | Self::AskDepth5
            | Self::AskDepth10
            | Self::AskDepth25
            | Self::AskDepth50
            | Self::OrderFlow1
            | Self::OrderFlow2
            | Self::OrderFlow3
            | Self::OrderFlow4
            | Self::OrderFlow5
            | Self::VolumeDelta => SignalUnit::Qty,
            Self::BookRate | Self::TradeRate => SignalUnit::PerSecond,
            Self::Volatility | Self::BidVolatility | Self::AskVolatility | Self::MidVolatility => {
                SignalUnit::PerRootYear
            }
            Self::Gamma => SignalUnit::PerStrike,
            Self::Vega => SignalUnit::StrikePerHundredth,
            Self::Theta => SignalUnit::StrikePerDay,
            Self::PriceImpact => SignalUnit::PricePerQty,
            Self::Illiquidity => SignalUnit::PerValue,
            Self::RecoveryUpdates => SignalUnit::Updates,
            Self::RecoveryTime => SignalUnit::Seconds,
        }
    }
}

/// What a signal's value counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalUnit {
    /// The instrument's price.
    Price,
    /// Basis points, 1/10,000 of the mid.
    Bps,
    /// A share of 1.
    Ratio,
    /// The instrument's quantity.
    Qty,
    /// Events a second.
    PerSecond,
    /// 1/√year; 0.5 = 50 % a year.
    PerRootYear,
    /// Price for a unit of the quantity.
    PricePerQty,
    /// 1 / (price × quantity).
    PerValue,
    /// Changes of the touch.
    Updates,
    /// Seconds.
    Seconds,
    /// 1 / the money of strike and forward.
    PerStrike,
    /// That money for one hundredth of volatility.
    StrikePerHundredth,
    /// That money a day.
    StrikePerDay,
}

impl SignalUnit {
    /// Its word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Price => "price",
            Self::Bps => "bps",
            Self::Ratio => "ratio",
            Self::Qty => "qty",
            Self::PerSecond => "1/s",
            Self::PerRootYear => "1/√year",
            Self::PricePerQty => "price/qty",
            Self::PerValue => "1/(price×qty)",
            Self::Updates => "updates",
            Self::Seconds => "s",
            Self::PerStrike => "1/strike",
            Self::StrikePerHundredth => "strike/0.01",
            Self::StrikePerDay => "strike/day",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_each_of_one() {
        assert!(SignalId::ALL.is_sorted_by(|a, b| a < b));
        for id in SignalId::ALL {
            assert_eq!(SignalId::of(id as u16), Some(id));
            assert_eq!(SignalId::ALL.iter().filter(|other| other.name() == id.name()).count(), 1);
        }
        for none in [0, 38, 39, 48, u16::MAX] {
            assert_eq!(SignalId::of(none), None);
        }
    }
}

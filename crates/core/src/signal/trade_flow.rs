//! Who takes: trade flow imbalance, cumulative volume delta, and the price that was paid on average.

use super::panes::Sums;
use crate::types::{Aggressor, Trade};

/// Sums over trades: of a session, or of a window as one of its panes.
///
/// Exact integers. A trade whose taker the venue does not name counts for the average price and for nothing else.
/// Where a sum would leave 128 bits, which takes prices and quantities far beyond any market's, all that is made of
/// it is absent from there on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TradeFlow {
    bought: i128,
    sold: i128,
    qty: i128,
    value: i128,
    is_over: bool,
}

impl TradeFlow {
    /// One trade.
    #[must_use]
    pub const fn of(trade: &Trade) -> Self {
        let qty = trade.qty.0 as i128;
        let (bought, sold) = match trade.aggressor {
            Aggressor::Buy => (qty, 0),
            Aggressor::Sell => (0, qty),
            Aggressor::Unknown => (0, 0),
        };
        // Below 2^126.
        let value = trade.price.0 as i128 * qty;
        Self { bought, sold, qty, value, is_over: false }
    }

    /// Bought − sold, in units of the quantity mantissa: over a session, the cumulative volume delta (CVD). None
    /// where it cannot be held.
    #[must_use]
    pub fn delta(&self) -> Option<i128> {
        (!self.is_over).then(|| self.bought - self.sold)
    }

    /// (bought − sold) / (bought + sold), from −1 to 1: the trade flow imbalance. None where nobody is known to have
    /// taken anything.
    #[must_use]
    pub fn imbalance(&self) -> Option<f64> {
        let taken = self.bought + self.sold;
        (!self.is_over && taken > 0).then(|| (self.bought - self.sold) as f64 / taken as f64)
    }

    /// Σ price·quantity / Σ quantity (VWAP), in units of the price mantissa. None without a trade.
    #[must_use]
    pub fn vwap(&self) -> Option<f64> {
        if self.is_over || self.qty <= 0 {
            return None;
        }
        // What lies behind the point is exact to the last step, however great the price.
        let (whole, rest) = (self.value.div_euclid(self.qty), self.value.rem_euclid(self.qty));
        Some(whole as f64 + rest as f64 / self.qty as f64)
    }

    /// What has traded, in units of the quantity mantissa. None where it cannot be held.
    #[must_use]
    pub fn volume(&self) -> Option<i128> {
        (!self.is_over).then_some(self.qty)
    }
}

impl Sums for TradeFlow {
    #[inline]
    fn add(&mut self, more: &Self) {
        let value = self.value.checked_add(more.value);
        self.is_over |= more.is_over || value.is_none();
        self.value = value.unwrap_or(0);
        // Quantities are below 2^63 each: it takes 2^64 trades to leave 128 bits.
        self.bought += more.bought;
        self.sold += more.sold;
        self.qty += more.qty;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Price, Qty, TradeId};

    fn flow(trades: &[(i64, i64, Aggressor)]) -> TradeFlow {
        let mut flow = TradeFlow::default();
        for &(price, qty, aggressor) in trades {
            flow.add(&TradeFlow::of(&Trade {
                id: TradeId::None,
                price: Price(price),
                qty: Qty(qty),
                aggressor,
                ts_event: 0,
                resting: None,
            }));
        }
        flow
    }

    #[test]
    fn bought_and_sold_are_held_against_each_other() {
        let flow = flow(&[
            (100, 5, Aggressor::Buy),
            (99, 2, Aggressor::Sell),
            (101, 1, Aggressor::Sell),
            (98, 2, Aggressor::Unknown),
        ]);
        assert_eq!((flow.delta(), flow.volume()), (Some(2), Some(10)));
        assert_eq!(flow.imbalance(), Some(0.25));
        assert_eq!(flow.vwap(), Some((500 + 198 + 101 + 196) as f64 / 10.0));
    }

    #[test]
    fn without_trades_there_is_nothing_to_say() {
        let none = TradeFlow::default();
        assert_eq!((none.delta(), none.imbalance(), none.vwap()), (Some(0), None, None));
        let unknown = flow(&[(-7, 2, Aggressor::Unknown)]);
        assert_eq!((unknown.imbalance(), unknown.vwap()), (None, Some(-7.0)));
        assert_eq!(flow(&[(100, 0, Aggressor::Buy)]).vwap(), None);
    }

    #[test]
    fn a_sum_that_cannot_be_held_is_absent() {
        let great = (i64::MAX, i64::MAX, Aggressor::Buy);
        assert_eq!(flow(&[great; 2]).delta(), Some(2 * i128::from(i64::MAX)));
        assert_eq!(flow(&[great; 2]).vwap(), Some(i64::MAX as f64));
        let over = flow(&[great; 3]);
        assert_eq!((over.delta(), over.imbalance(), over.vwap(), over.volume()), (None, None, None, None));
    }

    #[test]
    fn what_lies_behind_the_point_of_a_great_price_is_exact() {
        let price = 1 << 51;
        let flow = flow(&[(price, 3, Aggressor::Buy), (price + 1, 1, Aggressor::Sell)]);
        assert_eq!(flow.vwap(), Some(price as f64 + 0.25));
    }
}

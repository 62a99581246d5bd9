//! What the best bid and the best ask say together: mid, spread, imbalance, weighted mid.

use crate::aggregate::Bbo;
use crate::types::{Price, Qty};

/// Basis points of the whole.
const WHOLE_BPS: f64 = 10_000.0;

/// A best bid and a best ask, each with something at it, that are not crossed. Where a book has none, what is made of
/// it is absent.
///
/// Prices are in units of the instrument's price mantissa. Mids and spreads are exact; ratios are formed of integers
/// in the last step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touch {
    bid: Price,
    bid_qty: Qty,
    ask: Price,
    ask_qty: Qty,
}

impl Touch {
    /// Of a top of book; none where a side is empty or the book is crossed. A locked book has a touch, with a spread
    /// of 0.
    #[inline]
    #[must_use]
    pub fn of(top: Bbo) -> Option<Self> {
        let (bid, ask) = (top.bid?, top.ask?);
        let is_whole = bid.qty.0 > 0 && ask.qty.0 > 0 && bid.price <= ask.price;
        is_whole.then_some(Self { bid: bid.price, bid_qty: bid.qty, ask: ask.price, ask_qty: ask.qty })
    }

    /// Best bid price.
    #[must_use]
    pub const fn bid(self) -> Price {
        self.bid
    }

    /// What stands at the best bid, above 0.
    #[must_use]
    pub const fn bid_qty(self) -> Qty {
        self.bid_qty
    }

    /// What stands at the best ask, above 0.
    #[must_use]
    pub const fn ask_qty(self) -> Qty {
        self.ask_qty
    }

    /// Best ask price.
    #[must_use]
    pub const fn ask(self) -> Price {
        self.ask
    }

    /// Twice the mid price (best bid + best ask), which is an integer.
    #[inline]
    #[must_use]
    pub const fn mid_doubled(self) -> i128 {
        self.bid.0 as i128 + self.ask.0 as i128
    }

    /// The mid price.
    #[must_use]
    pub fn mid(self) -> f64 {
        self.mid_doubled() as f64 / 2.0
    }

    /// Best ask − best bid, 0 and above.
    #[inline]
    #[must_use]
    pub const fn spread(self) -> i128 {
        self.ask.0 as i128 - self.bid.0 as i128
    }

    /// The spread in basis points (1/10,000) of the mid; none where the mid is 0 or below, as of spreads of futures.
    #[must_use]
    pub fn spread_bps(self) -> Option<f64> {
        let mid_doubled = self.mid_doubled();
        (mid_doubled > 0).then(|| 2.0 * WHOLE_BPS * self.spread() as f64 / mid_doubled as f64)
    }

    /// The bid's share of what stands at the touch, above 0 and below 1 (Stoikov 2018, "The micro-price", SSRN
    /// 2970694).
    #[must_use]
    pub fn imbalance(self) -> f64 {
        self.bid_qty.0 as f64 / self.both() as f64
    }

    /// The mid weighted by the other side's quantity: nearer to the ask the more stands at the bid (the same).
    #[must_use]
    pub fn weighted_mid(self) -> f64 {
        // Within 2^127: each product is below 2^126. What lies above the bid is exact up to here, and far smaller
        // than the price.
        let above_bid = self.spread() * self.bid_qty.0 as i128;
        self.bid.0 as f64 + above_bid as f64 / self.both() as f64
    }

    const fn both(self) -> i128 {
        self.bid_qty.0 as i128 + self.ask_qty.0 as i128
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Level;

    fn touch(bid: (i64, i64), ask: (i64, i64)) -> Option<Touch> {
        let level = |(price, qty)| Some(Level::new(price, qty));
        Touch::of(Bbo { bid: level(bid), ask: level(ask) })
    }

    /// The output of the notebook of sstoikov/microprice, whose prices have two decimals.
    #[test]
    fn imbalance_and_weighted_mid_are_those_of_the_paper() {
        for (bid_qty, ask_qty, imbalance, weighted) in [
            (20, 471, 0.040_733, 14.330_407),
            (25, 148, 0.144_509, 14.331_445),
            (31, 95, 0.246_032, 14.332_460),
        ] {
            let touch = touch((1433, bid_qty), (1434, ask_qty)).unwrap();
            assert!((touch.imbalance() - imbalance).abs() < 5e-7, "{}", touch.imbalance());
            assert!((touch.weighted_mid() / 100.0 - weighted).abs() < 5e-7, "{}", touch.weighted_mid());
        }
    }

    #[test]
    fn mid_and_spread_are_exact_to_the_half() {
        let even = touch((100, 1), (103, 1)).unwrap();
        assert_eq!((even.mid_doubled(), even.mid(), even.spread()), (203, 101.5, 3));
        assert_eq!(even.spread_bps(), Some(3.0 / 101.5 * 10_000.0));
        assert_eq!((even.bid(), even.ask()), (Price(100), Price(103)));
        let locked = touch((100, 3), (100, 1)).unwrap();
        assert_eq!((locked.spread(), locked.spread_bps(), locked.weighted_mid()), (0, Some(0.0), 100.0));
    }

    #[test]
    fn without_a_price_above_zero_there_are_no_basis_points() {
        assert_eq!(touch((-3, 1), (3, 1)).unwrap().spread_bps(), None);
        assert_eq!(touch((-5, 1), (-3, 1)).unwrap().spread_bps(), None);
        assert_eq!(touch((-5, 1), (-3, 1)).unwrap().mid(), -4.0);
    }

    #[test]
    fn the_greatest_numbers_are_held() {
        let widest = touch((i64::MIN, i64::MAX), (i64::MAX, i64::MAX)).unwrap();
        assert_eq!((widest.mid_doubled(), widest.spread()), (-1, i128::from(u64::MAX)));
        assert_eq!(widest.imbalance(), 0.5);
        assert!(widest.weighted_mid().is_finite());
    }

    #[test]
    fn a_crossed_or_empty_side_has_no_touch() {
        assert_eq!(touch((101, 1), (100, 1)), None);
        assert_eq!(touch((100, 0), (101, 1)), None);
        assert_eq!(touch((100, 1), (101, 0)), None);
        let bid = Some(Level::new(100, 1));
        assert_eq!(Touch::of(Bbo { bid, ask: None }), None);
        assert_eq!(Touch::of(Bbo { bid: None, ask: bid }), None);
    }
}

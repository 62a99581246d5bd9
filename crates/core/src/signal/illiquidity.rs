//! How far the price moves for what is traded: Amihud's illiquidity.

use super::touch::Touch;
use crate::types::{TimeNs, Trade};

/// Bars over which the mean is taken.
pub const BARS: usize = 16;

/// Amihud's measure: the mean over the last [`BARS`] bars of |return| / notional, where a bar is as long as it is
/// told, a return is from the mid at the end of the bar before to that at its own end, and notional is Σ
/// price·quantity of its trades.
///
/// Unit: 1 / (price mantissa × quantity mantissa); who knows the exponents makes 1 / quote currency of it. A bar
/// without a trade, or without a mid at one of its ends, has no value and no part in the mean; without such a bar
/// there is none. (Y. Amihud, "Illiquidity and stock returns", J. Financial Markets 5 (2002), with bars in place of
/// days.)
///
/// Cost: an addition a trade, a division a bar. Allocates nothing.
#[derive(Clone, Debug)]
pub struct Illiquidity {
    bar_ns: u64,
    /// Of the last bars, a ring by their number.
    ring: [Option<f64>; BARS],
    /// The bar that is not over yet.
    now: Option<u64>,
    /// Twice the mid at the end of the bar before, and now; none where there is none, or it is 0 or below.
    opened: Option<i128>,
    mid_doubled: Option<i128>,
    /// Σ price·quantity; none where it cannot be held.
    notional: Option<i128>,
}

impl Illiquidity {
    /// By bars of so many ns; none where that is 0.
    #[must_use]
    pub const fn new(bar_ns: u64) -> Option<Self> {
        if bar_ns == 0 {
            return None;
        }
        Some(Self {
            bar_ns,
            ring: [None; BARS],
            now: None,
            opened: None,
            mid_doubled: None,
            notional: Some(0),
        })
    }

    /// Begins again, without a bar or a mid.
    pub const fn clear(&mut self) {
        self.ring = [None; BARS];
        (self.now, self.opened, self.mid_doubled, self.notional) = (None, None, None, Some(0));
    }

    /// From this time on the book has this touch, or none.
    #[inline]
    pub fn set(&mut self, touch: Option<Touch>, now: TimeNs) {
        self.pass(now);
        self.mid_doubled = touch.map(Touch::mid_doubled).filter(|mid| *mid > 0);
    }

    /// A trade.
    #[inline]
    pub fn trade(&mut self, trade: &Trade, now: TimeNs) {
        self.pass(now);
        let value = i128::from(trade.price.0) * i128::from(trade.qty.0);
        self.notional = self.notional.and_then(|sum| sum.checked_add(value));
    }

    /// Time passes. A time that is earlier than one before belongs to the bar of that one.
    pub fn pass(&mut self, now: TimeNs) {
        let bar = now / self.bar_ns;
        let Some(open) = self.now else {
            self.now = Some(bar);
            return;
        };
        if bar <= open {
            return;
        }
        self.ring[slot(open)] = self.value_of_bar();
        // Bars in which nothing happened have traded nothing.
        for empty in (open + 1..bar).take(BARS) {
            self.ring[slot(empty)] = None;
        }
        (self.now, self.opened, self.notional) = (Some(bar), self.mid_doubled, Some(0));
    }

    /// The mean over the bars that are over.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        let (sum, count) =
            self.ring.iter().flatten().fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
        (count > 0.0).then(|| sum / count)
    }

    fn value_of_bar(&self) -> Option<f64> {
        let (opened, closed, notional) = (self.opened?, self.mid_doubled?, self.notional?);
        (notional > 0).then(|| (closed - opened).unsigned_abs() as f64 / opened as f64 / notional as f64)
    }
}

#[inline]
const fn slot(bar: u64) -> usize {
    (bar % BARS as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::Bbo;
    use crate::types::{Aggressor, Level, Price, Qty, TradeId};

    fn touch(price: i64) -> Option<Touch> {
        let level = Some(Level::new(price, 1));
        Touch::of(Bbo { bid: level, ask: level })
    }

    fn trade(price: i64, qty: i64) -> Trade {
        let aggressor = Aggressor::Unknown;
        Trade { id: TradeId::None, price: Price(price), qty: Qty(qty), aggressor, ts_event: 0, resting: None }
    }

    #[test]
    fn a_bar_is_its_return_over_what_it_traded() {
        let mut measure = Illiquidity::new(100).unwrap();
        measure.set(touch(1_000), 50);
        measure.trade(&trade(1_000, 9), 60);
        assert_eq!(measure.value(), None);
        measure.pass(100);
        assert_eq!(measure.value(), None, "at the beginning of the first bar no mid is known");
        measure.trade(&trade(1_000, 2), 110);
        measure.set(touch(1_100), 120);
        measure.trade(&trade(1_100, 1), 130);
        measure.pass(200);
        let first = 0.1 / 3_100.0;
        assert_eq!(measure.value(), Some(first));
        measure.set(touch(990), 250);
        measure.pass(320);
        assert_eq!(measure.value(), Some(first), "a bar without a trade has no value");
        measure.trade(&trade(990, 1), 330);
        measure.pass(400);
        assert_eq!(measure.value(), Some(first / 2.0), "a bar without a return has that of 0");
    }

    #[test]
    fn bars_that_are_long_over_do_not_count() {
        let mut measure = Illiquidity::new(10).unwrap();
        measure.set(touch(100), 5);
        measure.trade(&trade(100, 1), 15);
        measure.set(touch(110), 16);
        measure.pass(20);
        assert!(measure.value().is_some());
        measure.pass(10 * (1 + BARS as u64));
        assert!(measure.value().is_some(), "it is the last that counts");
        measure.pass(10 * (2 + BARS as u64));
        assert_eq!(measure.value(), None);
        measure.pass(u64::MAX);
        assert_eq!(measure.value(), None);
    }

    #[test]
    fn what_cannot_be_said_is_absent() {
        assert!(Illiquidity::new(0).is_none());
        for (open, close) in [(touch(-5), touch(5)), (touch(5), None), (None, touch(5)), (touch(0), touch(5))]
        {
            let mut measure = Illiquidity::new(10).unwrap();
            measure.set(open, 5);
            measure.trade(&trade(5, 5), 11);
            measure.set(close, 12);
            measure.pass(20);
            assert_eq!(measure.value(), None);
        }
        let mut measure = Illiquidity::new(10).unwrap();
        measure.set(touch(5), 5);
        for _ in 0..4 {
            measure.trade(&trade(i64::MAX, i64::MAX), 11);
        }
        measure.pass(20);
        assert_eq!(measure.value(), None);
    }
}

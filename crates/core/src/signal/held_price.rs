//! Prices by how long they held: the time-weighted average (TWAP).

use super::panes::{Panes, Sums};
use super::touch::Touch;
use crate::types::TimeNs;

/// Mid prices, each for as long as it held.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    /// Σ doubled mid × ns.
    value: i128,
    ns: u64,
    is_over: bool,
}

impl Held {
    const fn new(mid_doubled: i128, ns: u64) -> Self {
        match mid_doubled.checked_mul(ns as i128) {
            Some(value) => Self { value, ns, is_over: false },
            None => Self { value: 0, ns, is_over: true },
        }
    }
}

impl Sums for Held {
    fn add(&mut self, more: &Self) {
        let value = self.value.checked_add(more.value);
        self.is_over |= more.is_over || value.is_none();
        self.value = value.unwrap_or(0);
        self.ns += more.ns;
    }
}

/// The mid price of a book, averaged over time: Σ mid·Δt / ΣΔt over a window.
///
/// While the book has no mid (a side is empty, it is crossed or not synced), nothing is added: the average is over
/// the time for which there was one. Exact integers up to the last step.
///
/// Cost: an input adds to one pane, and to each that has passed since the one before, sixteen at most. Allocates
/// nothing.
#[derive(Clone, Debug)]
pub struct HeldPrice {
    panes: Panes<Held>,
    mid_doubled: Option<i128>,
}

impl HeldPrice {
    /// Over a window of so many ns; none below 16.
    #[must_use]
    pub fn new(window_ns: u64) -> Option<Self> {
        Some(Self { panes: Panes::new(window_ns)?, mid_doubled: None })
    }

    /// From this time on the book has this touch, or none.
    #[inline]
    pub fn set(&mut self, touch: Option<Touch>, now: TimeNs) {
        self.pass(now);
        self.mid_doubled = touch.map(Touch::mid_doubled);
    }

    /// Time passes.
    pub fn pass(&mut self, now: TimeNs) {
        match self.mid_doubled {
            Some(mid_doubled) => self.panes.add_along(now, |ns| Held::new(mid_doubled, ns)),
            None => self.panes.advance(now),
        }
    }

    /// Begins again, without a mid.
    pub fn clear(&mut self) {
        self.panes.clear();
        self.mid_doubled = None;
    }

    /// The average up to the time of the last call, in units of the price mantissa. None while there has been no mid
    /// in the window.
    #[must_use]
    pub fn average(&self) -> Option<f64> {
        let Held { value, ns, is_over } = self.panes.sum();
        if is_over || ns == 0 {
            return None;
        }
        let ns = i128::from(ns);
        let (whole, rest) = (value.div_euclid(ns), value.rem_euclid(ns));
        Some((whole as f64 + rest as f64 / ns as f64) / 2.0)
    }

    /// Whether a whole window has passed since the first call.
    #[must_use]
    pub fn is_warm(&self) -> bool {
        self.panes.is_warm()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::Bbo;
    use crate::types::Level;
    use proptest::prelude::*;

    fn touch(bid: i64, ask: i64) -> Option<Touch> {
        Touch::of(Bbo { bid: Some(Level::new(bid, 1)), ask: Some(Level::new(ask, 1)) })
    }

    #[test]
    fn a_price_counts_for_as_long_as_it_held() {
        let mut held = HeldPrice::new(1_600).unwrap();
        assert_eq!(held.average(), None);
        held.set(touch(100, 102), 0);
        assert_eq!(held.average(), None, "it has not held yet");
        held.set(touch(200, 203), 30);
        assert_eq!(held.average(), Some(101.0));
        held.set(None, 40);
        let average = (101.0 * 30.0 + 201.5 * 10.0) / 40.0;
        assert_eq!(held.average(), Some(average));
        held.set(touch(1, 1), 90);
        assert_eq!(held.average(), Some(average), "without a mid no time counts");
        held.pass(1_600);
        assert!(held.is_warm());
        assert_eq!(held.average(), Some(1.0), "the first pane is left");
        held.set(None, 1_600);
        held.pass(10_000);
        assert_eq!(held.average(), None);
    }

    #[test]
    fn the_greatest_price_for_ever_is_a_price() {
        let mut held = HeldPrice::new(u64::MAX).unwrap();
        held.set(touch(i64::MAX, i64::MAX), 0);
        held.pass(u64::MAX);
        assert!(held.average().is_none_or(|average| average == i64::MAX as f64));
    }

    proptest! {
        /// In as many calls or in fewer, the average is the same bits.
        #[test]
        fn calls_between_change_nothing(steps in prop::collection::vec((0_u64..400, 1_i64..1_000, any::<bool>()), 1..60)) {
            let mut often = HeldPrice::new(320).unwrap();
            let mut seldom = often.clone();
            let mut now = 0;
            for (ns, price, is_none) in steps {
                for between in 0..ns.min(50) {
                    often.pass(now + between);
                }
                now += ns;
                let touch = if is_none { None } else { touch(price, price + 1) };
                often.set(touch, now);
                seldom.set(touch, now);
                prop_assert_eq!(often.average(), seldom.average());
            }
        }
    }
}

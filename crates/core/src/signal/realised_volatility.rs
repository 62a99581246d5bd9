//! How far the mid has moved: realised volatility over a window, and what of it jumps do not explain.

use super::panes::{Panes, Sums};
use super::touch::Touch;
use crate::types::TimeNs;

/// 365.25 days: markets that never close have no other year.
const YEAR_NS: f64 = 365.25 * 86_400e9;

/// Log returns of one pane.
#[derive(Clone, Copy, Debug, Default)]
struct Returns {
    squared: f64,
    adjacent: f64,
}

impl Sums for Returns {
    fn add(&mut self, more: &Self) {
        self.squared += more.squared;
        self.adjacent += more.adjacent;
    }
}

/// Volatility of the mid over a window, a year: √(Σr² · year / T), with a log return `r` at each change of the mid
/// and `T` the time that the window covers.
///
/// At every change of the mid, and not on a grid: what bounces between two prices counts. Where the book has no mid
/// (a side is empty, it is crossed or not synced, the mid is 0 or below) there is no return to the next one. The year
/// has 365.25 days.
///
/// Floats come in with each return, a logarithm of a ratio of integers; they are summed in the order of time, so the
/// same inputs give the same bits. (L. Zhang, P. Mykland, Y. Aït-Sahalia, JASA 100 (2005) on what noise adds; O.
/// Barndorff-Nielsen, N. Shephard, J. Financial Econometrics 2 (2004) on bipower variation.)
///
/// Cost: a logarithm at a change of the mid. Allocates nothing.
#[derive(Clone, Debug)]
pub struct RealisedVolatility {
    panes: Panes<Returns>,
    mid_doubled: Option<i128>,
    /// Of the last return; none at the first one.
    last: Option<f64>,
}

impl RealisedVolatility {
    /// Over a window of so many ns; none below 16.
    #[must_use]
    pub fn new(window_ns: u64) -> Option<Self> {
        Some(Self { panes: Panes::new(window_ns)?, mid_doubled: None, last: None })
    }

    /// From this time on the book has this touch, or none.
    #[inline]
    pub fn set(&mut self, touch: Option<Touch>, now: TimeNs) {
        self.panes.advance(now);
        let mid_doubled = touch.map(Touch::mid_doubled).filter(|mid| *mid > 0);
        match (self.mid_doubled, mid_doubled) {
            (Some(before), Some(after)) if before == after => {}
            (Some(before), Some(after)) => {
                let size = libm::log1p((after - before) as f64 / before as f64).abs();
                let adjacent = self.last.replace(size).map_or(0.0, |last| last * size);
                self.panes.add(&Returns { squared: size * size, adjacent });
            }
            _ => self.last = None,
        }
        self.mid_doubled = mid_doubled;
    }

    /// Begins again, without a mid.
    pub fn clear(&mut self) {
        self.panes.clear();
        (self.mid_doubled, self.last) = (None, None);
    }

    /// Time passes.
    pub fn pass(&mut self, now: TimeNs) {
        self.panes.advance(now);
    }

    /// √(Σr² · year / T), 1/√year: 0.5 = 50 % a year. None before any time has passed.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        self.a_year(self.panes.sum().squared)
    }

    /// √(π/2 · Σ|r||r′| · year / T) over neighbouring returns: what remains when single jumps are left out.
    #[must_use]
    pub fn bipower(&self) -> Option<f64> {
        self.a_year(std::f64::consts::FRAC_PI_2 * self.panes.sum().adjacent)
    }

    /// Whether a whole window has passed since the first call.
    #[must_use]
    pub fn is_warm(&self) -> bool {
        self.panes.is_warm()
    }

    fn a_year(&self, variance: f64) -> Option<f64> {
        let covered = self.panes.covered();
        (covered > 0).then(|| (variance * (YEAR_NS / covered as f64)).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::Bbo;
    use crate::types::Level;

    const SECOND_NS: u64 = 1_000_000_000;

    fn touch(price: i64) -> Option<Touch> {
        let level = Some(Level::new(price, 1));
        Touch::of(Bbo { bid: level, ask: level })
    }

    #[test]
    fn a_return_each_second_is_that_much_a_year() {
        let mut volatility = RealisedVolatility::new(160 * SECOND_NS).unwrap();
        assert_eq!(volatility.value(), None);
        for second in 0..400 {
            // Up and down by one in a thousand.
            volatility.set(touch(if second % 2 == 0 { 100_000 } else { 100_100 }), second * SECOND_NS);
        }
        assert!(volatility.is_warm());
        let size = (100_100.0_f64 / 100_000.0).ln();
        // The window covers the pane of ten seconds in which the clock stands, to its ninth, and fifteen before.
        let expected = (160.0 * size * size * (365.25 * 86_400.0) / 159.0).sqrt();
        let value = volatility.value().unwrap();
        assert!((value / expected - 1.0).abs() < 1e-12, "{value} {expected}");
        let bipower = volatility.bipower().unwrap();
        assert!((bipower / expected - (std::f64::consts::FRAC_PI_2).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn one_jump_is_no_bipower_variation() {
        let mut volatility = RealisedVolatility::new(16_000).unwrap();
        for (at, price) in [(0, 100), (1_000, 100), (2_000, 150), (3_000, 150)] {
            volatility.set(touch(price), at);
        }
        assert!(volatility.value().unwrap() > 0.0);
        assert_eq!(volatility.bipower(), Some(0.0));
    }

    #[test]
    fn there_is_no_return_over_a_time_without_a_mid() {
        let mut volatility = RealisedVolatility::new(16_000).unwrap();
        for (at, touch) in [(0, touch(100)), (10, None), (20, touch(200)), (30, touch(-5)), (40, touch(7))] {
            volatility.set(touch, at);
        }
        assert_eq!(volatility.value(), Some(0.0));
        volatility.set(touch(8), 50);
        assert!(volatility.value().unwrap() > 0.0);
        volatility.pass(100_000);
        assert_eq!(volatility.value(), Some(0.0), "the window has left it behind");
    }
}

//! Piecewise linear integer functions: distributions by their quantiles, and book shapes.

use crate::rng::Rng;

/// Arguments of a distribution: parts of a million.
const PPM: i64 = 1_000_000;

/// Points `(x, y)`, x rising; straight between them, the last segment's slope beyond the last point.
///
/// As a distribution, x is the quantile in parts of a million and y the value there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Curve(pub(crate) &'static [(i64, i64)]);

impl Curve {
    /// The value at `x`. Costs one scan over the points, of which there are at most a dozen.
    pub(crate) fn at(self, x: i64) -> i64 {
        match self.segment(x) {
            Some([(x0, y0), (x1, y1)]) => y0 + (y1 - y0) * (x - x0) / (x1 - x0),
            None => self.0.first().map_or(0, |point| point.1),
        }
    }

    /// The rise per unit of x around `x`, at least 1.
    pub(crate) fn slope(self, x: i64) -> i64 {
        match self.segment(x) {
            Some([(x0, y0), (x1, y1)]) => ((y1 - y0) / (x1 - x0)).max(1),
            None => 1,
        }
    }

    /// A value drawn from the distribution.
    pub(crate) fn draw(self, rng: &mut Rng) -> i64 {
        self.at(rng.below(PPM as u64) as i64)
    }

    fn segment(self, x: i64) -> Option<[(i64, i64); 2]> {
        let beyond = self.0.iter().position(|point| point.0 > x).unwrap_or(self.0.len());
        let right = beyond.clamp(1, self.0.len().saturating_sub(1).max(1));
        Some([*self.0.get(right - 1)?, *self.0.get(right)?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_straight_between_points_and_goes_on_after_the_last() {
        let curve = Curve(&[(0, 0), (10, 100), (20, 120)]);
        assert_eq!([0, 5, 10, 15, 20, 25].map(|x| curve.at(x)), [0, 50, 100, 110, 120, 130]);
        assert_eq!([0, 9, 10, 30].map(|x| curve.slope(x)), [10, 10, 2, 2]);
    }

    #[test]
    fn draws_follow_the_quantiles() {
        let curve = Curve(&[(0, 0), (500_000, 10), (1_000_000, 1_000)]);
        let mut rng = Rng::new(1, 1);
        let low = (0..10_000).filter(|_| curve.draw(&mut rng) < 10).count();
        assert!((4_800..5_200).contains(&low), "{low}");
    }
}

//! What volume does to the price: Kyle's lambda.

use super::panes::Sums;

/// Sums over pairs of a signed volume and the change of the mid that came with it: of a session, or of a window as
/// one of its panes.
///
/// Exact integers; floats come in with the last division. Where a sum would leave 128 bits, the slope is absent from
/// there on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PriceImpact {
    pairs: u64,
    volume: i128,
    change: i128,
    volume_squared: i128,
    product: i128,
    is_over: bool,
}

impl PriceImpact {
    /// One event with trades: `volume` bought − sold (quantity mantissa), `change` of the doubled mid (price
    /// mantissa).
    #[must_use]
    pub const fn of(volume: i128, change: i128) -> Self {
        match (volume.checked_mul(volume), volume.checked_mul(change)) {
            (Some(volume_squared), Some(product)) => {
                Self { pairs: 1, volume, change, volume_squared, product, is_over: false }
            }
            _ => Self { pairs: 1, volume: 0, change: 0, volume_squared: 0, product: 0, is_over: true },
        }
    }

    /// Kyle's lambda: the slope of the least-squares line, with an intercept, of the mid's change on signed volume;
    /// price mantissa for a unit of the quantity mantissa. None before two events of different volume. (A. Kyle,
    /// "Continuous auctions and insider trading", Econometrica 53 (1985).)
    #[must_use]
    pub fn lambda(&self) -> Option<f64> {
        if self.is_over || self.pairs < 2 {
            return None;
        }
        let pairs = self.pairs as f64;
        let (volume, change) = (self.volume as f64, self.change as f64);
        let variance = self.volume_squared as f64 - volume * volume / pairs;
        let covariance = self.product as f64 - volume * change / pairs;
        // Of equal volumes the variance is what rounding leaves.
        let has_spread = variance > self.volume_squared as f64 * f64::EPSILON * 4.0;
        has_spread.then(|| covariance / variance / 2.0)
    }
}

impl Sums for PriceImpact {
    #[inline]
    fn add(&mut self, more: &Self) {
        let mut is_over = more.is_over;
        let mut sum = |to: &mut i128, more: i128| match to.checked_add(more) {
            Some(sum) => *to = sum,
            None => is_over = true,
        };
        sum(&mut self.volume, more.volume);
        sum(&mut self.change, more.change);
        sum(&mut self.volume_squared, more.volume_squared);
        sum(&mut self.product, more.product);
        self.is_over |= is_over;
        self.pairs += more.pairs;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn impact(pairs: &[(i128, i128)]) -> PriceImpact {
        let mut sums = PriceImpact::default();
        pairs.iter().for_each(|&(volume, change)| sums.add(&PriceImpact::of(volume, change)));
        sums
    }

    /// ΔM 0.5, −0.25, 1, 0, −0.75 in quarters: doubled, −0.25 is −2 of them.
    #[test]
    fn lambda_is_the_slope() {
        let lambda = impact(&[(10, 4), (-5, -2), (18, 8), (2, 0), (-16, -6)]).lambda().unwrap() / 4.0;
        assert!((lambda - 0.051_024_826_8).abs() < 5e-11, "{lambda}");
    }

    #[test]
    fn one_volume_has_no_slope() {
        assert_eq!(impact(&[]).lambda(), None);
        assert_eq!(impact(&[(5, 1)]).lambda(), None);
        assert_eq!(impact(&[(5, 1), (5, 3), (5, -1)]).lambda(), None);
        assert_eq!(impact(&[(1 << 40, 1); 3]).lambda(), None);
        assert_eq!(impact(&[(0, 0), (2, 8)]).lambda(), Some(2.0));
    }

    #[test]
    fn a_sum_that_cannot_be_held_is_absent() {
        let great = i128::from(i64::MAX);
        assert!(impact(&[(great, 1), (-great, 1)]).lambda().is_some());
        assert_eq!(impact(&[(great, 1); 4]).lambda(), None);
        assert_eq!(impact(&[(i128::MAX, 1), (1, 1)]).lambda(), None);
    }
}

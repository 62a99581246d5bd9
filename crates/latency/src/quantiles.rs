//! What is told of a histogram: always the number of samples, the quantiles to 99.99 % and the greatest.

use hdrhistogram::{Counter, Histogram};
use serde::Serialize;

/// Times in nanoseconds. A quantile is the least value that so many samples do not exceed, to three digits; `p9999` of fewer than
/// 10,000 samples is the greatest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Quantiles {
    /// Samples.
    pub count: u64,
    /// The least.
    pub min: u64,
    /// The mean.
    pub mean: f64,
    /// 50 %.
    pub p50: u64,
    /// 90 %.
    pub p90: u64,
    /// 97.5 %.
    pub p975: u64,
    /// 99 %.
    pub p99: u64,
    /// 99.9 %.
    pub p999: u64,
    /// 99.99 %.
    pub p9999: u64,
    /// The greatest, to three digits too.
    pub max: u64,
}

impl Quantiles {
    /// Of a histogram in nanoseconds.
    #[must_use]
    pub fn of<C: Counter>(histogram: &Histogram<C>) -> Self {
        let at = |quantile| histogram.value_at_quantile(quantile).min(histogram.max());
        Self {
            count: histogram.len(),
            min: if histogram.is_empty() { 0 } else { histogram.min() },
            mean: histogram.mean(),
            p50: at(0.5),
            p90: at(0.9),
            p975: at(0.975),
            p99: at(0.99),
            p999: at(0.999),
            p9999: at(0.9999),
            max: histogram.max(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_sorted_samples() {
        let mut histogram = Histogram::<u64>::new(3).unwrap();
        let mut samples: Vec<u64> = (1..=20_000).map(|n| n * n % 999_983 + 1).collect();
        for &sample in &samples {
            histogram.record(sample).unwrap();
        }
        samples.sort_unstable();
        let found = Quantiles::of(&histogram);
        assert_eq!(found.count, 20_000);
        let told = [(0.5, found.p50), (0.99, found.p99), (0.9999, found.p9999), (1.0, found.max)];
        for (share, got) in told {
            let exact = samples[(share * 20_000.0_f64).ceil() as usize - 1];
            assert!(got.abs_diff(exact) * 1_000 <= exact, "{share}: {got}, exactly {exact}");
        }
    }

    #[test]
    fn nothing_is_nothing() {
        let found = Quantiles::of(&Histogram::<u64>::new(3).unwrap());
        assert_eq!((found.count, found.min, found.p50, found.max), (0, 0, 0, 0));
    }
}

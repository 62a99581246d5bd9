//! How often something happens: events a second, the older the less they count.

use crate::types::TimeNs;

const SECOND_NS: f64 = 1e9;

/// Mean times that have to pass until a rate says how often things happen, and not how lately it was begun: 1 − e^−3
/// = 95 % by then.
const WARM_MEANS: u64 = 3;

/// An exponentially weighted rate: at an event `r ← r·e^(−Δt/θ) + 1/θ`, and `r·e^(−Δt/θ)` at a time Δt behind the
/// last one. The mean of events that come evenly, `rate` a second, is `rate`.
///
/// 0 while nothing has happened; warm when three times θ have passed since it was begun. A time before the last event
/// counts as that event's.
///
/// Cost: an exponential an event. Allocates nothing.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    mean_ns: u64,
    begun: TimeNs,
    per_second: f64,
    at: TimeNs,
}

impl Rate {
    /// A rate that is begun now, of a mean time θ; none where that is 0.
    #[must_use]
    pub const fn new(mean_ns: u64, now: TimeNs) -> Option<Self> {
        if mean_ns == 0 {
            return None;
        }
        Some(Self { mean_ns, begun: now, per_second: 0.0, at: now })
    }

    /// Begins again now.
    pub const fn begin(&mut self, now: TimeNs) {
        (self.begun, self.per_second, self.at) = (now, 0.0, now);
    }

    /// Something happens, so many times at once.
    #[inline]
    pub fn add(&mut self, times: u32, now: TimeNs) {
        let fresh = f64::from(times) * SECOND_NS / self.mean_ns as f64;
        self.per_second = self.per_second(now) + fresh;
        self.at = self.at.max(now);
    }

    /// Events a second.
    #[must_use]
    pub fn per_second(&self, now: TimeNs) -> f64 {
        if self.per_second == 0.0 {
            return 0.0;
        }
        let ns = now.saturating_sub(self.at);
        self.per_second * libm::exp(-(ns as f64) / self.mean_ns as f64)
    }

    /// Whether it was begun long enough ago.
    #[must_use]
    pub const fn is_warm(&self, now: TimeNs) -> bool {
        now.saturating_sub(self.begun) / self.mean_ns >= WARM_MEANS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_halves_in_the_time_that_it_should() {
        let mut rate = Rate::new(1_000_000_000, 0).unwrap();
        assert_eq!(rate.per_second(5), 0.0);
        rate.add(3, 0);
        assert_eq!(rate.per_second(0), 3.0);
        let half = (2_f64.ln() * 1e9) as u64;
        assert!((rate.per_second(half) - 1.5).abs() < 1e-8);
        rate.add(1, half);
        assert!((rate.per_second(half) - 2.5).abs() < 1e-8);
        assert_eq!(rate.per_second(half - 1), rate.per_second(half), "time does not run backward");
        assert!(rate.per_second(u64::MAX) >= 0.0);
    }

    #[test]
    fn of_even_events_it_is_how_often_they_come() {
        let mut rate = Rate::new(2_000_000_000, 0).unwrap();
        let mut sum = 0.0;
        for nth in 1..=4_000_u64 {
            assert_eq!(rate.is_warm(nth * 10_000_000), nth >= 600);
            rate.add(1, nth * 10_000_000);
            // Between an event and the next one.
            sum += if nth > 3_000 { rate.per_second(nth * 10_000_000 + 5_000_000) } else { 0.0 };
        }
        assert!((sum / 1_000.0 - 100.0).abs() < 0.01, "{}", sum / 1_000.0);
    }

    #[test]
    fn a_mean_of_no_time_is_none() {
        assert!(Rate::new(0, 5).is_none());
    }
}

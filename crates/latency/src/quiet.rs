//! Samples that were due while the machine had no hiccup.

use std::collections::VecDeque;

use hdrhistogram::Histogram;

use crate::clock::TickClock;
use crate::hiccup::{Log, STRETCH_NS};
use crate::quantiles::Quantiles;
use crate::timeline::histogram;

/// When it is known, by and by, what the machine did at a sample's time.
const SETTLE_NS: u64 = 5 * STRETCH_NS;

/// Samples that wait to be settled, 16 bytes each. Beyond them the oldest does not count.
const WAITING_MAX: usize = 1 << 20;

/// Of all samples, those that count.
#[derive(Debug)]
pub(crate) struct Quiet {
    kept: Histogram<u64>,
    /// When a sample was due, and its nanoseconds.
    waiting: VecDeque<(u64, u64)>,
    count: u64,
    settle_ticks: u64,
}

impl Quiet {
    pub(crate) fn new(clock: TickClock) -> Self {
        let settle_ticks = clock.ticks_of(SETTLE_NS);
        Self { kept: histogram(), waiting: VecDeque::new(), count: 0, settle_ticks }
    }

    #[inline]
    pub(crate) fn record(&mut self, due: u64, ns: u64) {
        self.count += 1;
        if self.waiting.len() == WAITING_MAX {
            self.waiting.pop_front();
        }
        self.waiting.push_back((due, ns));
    }

    /// Whether the oldest sample is so old that it is worth a look.
    pub(crate) fn is_to_settle(&self, now: u64) -> bool {
        self.waiting.front().is_some_and(|&(due, _)| now > due + self.settle_ticks)
    }

    /// Takes up what the machine did at the time of some samples, oldest first: at most so many, and none of which it is not known yet.
    /// Costs some 30 ns each.
    pub(crate) fn settle(&mut self, log: &Log, count_max: usize) {
        for _ in 0..count_max {
            let Some(&(due, ns)) = self.waiting.front() else { return };
            let Some(is_quiet) = log.is_quiet(due) else { return };
            self.waiting.pop_front();
            if is_quiet {
                self.kept.saturating_record(ns.max(1));
            }
        }
    }

    /// Of those that count.
    pub(crate) fn quantiles(&self) -> Quantiles {
        Quantiles::of(&self.kept)
    }

    /// Their share of all; none of none.
    pub(crate) fn share(&self) -> Option<f64> {
        (self.count > 0).then(|| self.kept.len() as f64 / self.count as f64)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cores::Place;
    use crate::hiccup::HiccupMeter;

    #[test]
    fn what_is_not_known_yet_waits_and_no_more_of_it_than_stated() {
        let clock = TickClock::get();
        let meter = HiccupMeter::start(Duration::from_secs(1), Place::Anywhere, &[]).unwrap();
        let mut quiet = Quiet::new(clock);
        assert_eq!((quiet.share(), quiet.quantiles().count), (None, 0));
        let now = clock.ticks();
        let later = now + clock.ticks_of(3_600_000_000_000);
        for _ in 0..WAITING_MAX + 5 {
            quiet.record(later, 7);
        }
        quiet.settle(&meter.log().unwrap(), usize::MAX);
        assert_eq!((quiet.waiting.len(), quiet.count), (WAITING_MAX, WAITING_MAX as u64 + 5));
        assert!(!quiet.is_to_settle(now) && quiet.is_to_settle(later + clock.ticks_of(SETTLE_NS) + 1));
        // After its end the log tells of all times.
        let found = meter.stop().unwrap();
        quiet.settle(&found.log, 3);
        assert_eq!((quiet.waiting.len(), quiet.quantiles().count), (WAITING_MAX - 3, 3));
        quiet.settle(&found.log, usize::MAX);
        let share = WAITING_MAX as f64 / (WAITING_MAX as f64 + 5.0);
        assert_eq!((quiet.quantiles().count, quiet.share()), (WAITING_MAX as u64, Some(share)));
    }
}

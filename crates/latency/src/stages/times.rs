//! Histograms of stages.

use depthwire_core::types::Stage;
use hdrhistogram::Histogram;

/// Longest time that is told apart, 10 s; longer ones count as that.
const NS_MAX: u64 = 10_000_000_000;

/// Bounds by which times are counted for whoever adds up over time: each is the last nanosecond before a power of two, from 31 ns to
/// 0.54 s, where histograms have an edge, so that the counts are exact.
pub const BOUNDS_NS: [u64; 25] = {
    let mut bounds = [0; 25];
    let mut at = 0;
    while at < bounds.len() {
        bounds[at] = (1 << (5 + at)) - 1;
        at += 1;
    }
    bounds
};

/// Shares of messages of which is told how long they took at most.
pub const QUANTILES: [f64; 5] = [0.5, 0.9, 0.99, 0.999, 0.9999];
/// The same in ten-thousandths.
const PER_10_000: [u64; QUANTILES.len()] = [5_000, 9_000, 9_900, 9_990, 9_999];

/// What is told of one histogram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Messages.
    pub count: u64,
    /// Their times together, exactly.
    pub sum_ns: u64,
    /// The longest, exactly.
    pub max_ns: u64,
    /// Times by [`QUANTILES`], as precise as the histogram.
    pub quantiles_ns: [u64; QUANTILES.len()],
}

/// The times of a set of messages: of each stage, and of the whole from receipt to [`Stage::Encoded`].
#[derive(Debug)]
pub struct Times {
    stages: [Kept; Stage::COUNT],
    whole: Kept,
}

#[derive(Debug)]
struct Kept {
    histogram: Histogram<u64>,
    sum_ns: u64,
    max_ns: u64,
}

impl Times {
    /// To three digits, 200 KiB each of 6.
    pub(super) fn of_all() -> Self {
        Self::with_digits(3)
    }

    /// To two digits, 27 KiB each of 6.
    pub(super) fn of_one() -> Self {
        Self::with_digits(2)
    }

    fn with_digits(digits: u8) -> Self {
        let kept = || Kept { histogram: empty(digits), sum_ns: 0, max_ns: 0 };
        Self { stages: std::array::from_fn(|_| kept()), whole: kept() }
    }

    pub(super) fn add(&mut self, times: &[Option<u64>; Stage::COUNT], whole: u64) {
        for (kept, ns) in self.stages.iter_mut().zip(times) {
            if let Some(ns) = *ns {
                kept.add(ns);
            }
        }
        self.whole.add(whole);
    }

    pub(super) fn add_one(&mut self, stage: Stage, ns: u64) {
        self.stages[stage as usize].add(ns);
    }

    /// What is told of a stage: of the messages that had it. Cost: a pass over the histogram up to the longest time.
    #[must_use]
    pub fn stage(&self, stage: Stage) -> Summary {
        self.stages[stage as usize].summary()
    }

    /// What is told of whole messages, up to [`Stage::Encoded`].
    #[must_use]
    pub fn whole(&self) -> Summary {
        self.whole.summary()
    }

    /// Messages by the time of a stage: up to each of [`BOUNDS_NS`] and above the one before, and longer. Cost: a pass over the
    /// histogram, 25,000 numbers of all messages.
    #[must_use]
    pub fn counts(&self, stage: Stage) -> [u64; BOUNDS_NS.len() + 1] {
        let mut counts = [0; BOUNDS_NS.len() + 1];
        for step in self.stages[stage as usize].histogram.iter_recorded() {
            let ns = step.value_iterated_to();
            counts[BOUNDS_NS.partition_point(|bound| *bound < ns)] += step.count_since_last_iteration();
        }
        counts
    }
}

impl Kept {
    #[inline]
    fn add(&mut self, ns: u64) {
        self.histogram.saturating_record(ns);
        self.sum_ns = self.sum_ns.saturating_add(ns);
        self.max_ns = self.max_ns.max(ns);
    }

    fn summary(&self) -> Summary {
        let count = self.histogram.len();
        let mut quantiles_ns = [0; QUANTILES.len()];
        // One pass finds all of them: each is the first time by which as many messages were through.
        let (mut passed, mut found) = (0, 0);
        for step in self.histogram.iter_recorded() {
            passed += step.count_since_last_iteration();
            while found < PER_10_000.len() && passed >= (count * PER_10_000[found]).div_ceil(10_000) {
                quantiles_ns[found] = step.value_iterated_to().min(self.max_ns);
                found += 1;
            }
        }
        Summary { count, sum_ns: self.sum_ns, max_ns: self.max_ns, quantiles_ns }
    }
}

/// Bounds and digits are right, as a test shows.
#[expect(clippy::expect_used, reason = "constants are wrong or right, whatever comes in")]
fn empty(digits: u8) -> Histogram<u64> {
    Histogram::new_with_bounds(1, NS_MAX, digits).expect("bounds of a histogram")
}

//! Samples that were due while the machine had no hiccup.

use std::collections::VecDeque;

use hdrhistogram::Histogram;

use crate::clock::TickClock;
use crate::hiccup::{Log, STRETCH_NS};
use crate::quantiles::Quantiles;
use crate::timeline::histogram;

/// When it is known, by and by, what the machine did at a sample's time.
const SETTLE_NS: u64 = 5 * STRETCH_NS;

/// Of all samples, those that count. Each takes 16 bytes until it is settled.
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

    /// Their share of all.
    pub(crate) fn share(&self) -> f64 {
        self.kept.len() as f64 / self.count.max(1) as f64
    }
}

//! What the machine itself adds: how late a thread runs that only wants to sleep for a millisecond.
//!
//! The method of jHiccup (giltene/jHiccup, README): a thread that should have run and did not tells of the platform and not of what is
//! measured, so its log stands beside every figure.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use serde::Deserialize;

use crate::arrivals::SECONDS_MAX;
use crate::clock::TickClock;
use crate::fault::Fault;
use crate::timeline::{INTERVAL_NS, Timeline, TimelineReport};

/// How long it sleeps.
const SLEEP: Duration = Duration::from_millis(1);
/// The worst is kept for each such stretch.
const STRETCH_NS: u64 = 50_000_000;
/// Stretches that are kept: a day and an hour. Beyond them only the histogram goes on.
const STRETCHES_MAX: usize = 1_800_000;

/// A thread that measures, until it is asked what it found.
#[derive(Debug)]
pub struct HiccupMeter {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<Hiccups>,
}

/// What was found.
#[derive(Debug)]
pub struct Hiccups {
    /// All of it, by the time since the beginning.
    pub line: Timeline,
    clock: TickClock,
    start: u64,
    worst: Vec<u64>,
}

impl HiccupMeter {
    /// Begins. `length`: what it is expected to run, for the intervals of its line.
    ///
    /// # Errors
    /// The machine gives no thread.
    pub fn start(length: Duration) -> Result<Self, Fault> {
        let is_over = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&is_over);
        let thread = std::thread::Builder::new()
            .name("hiccup".to_owned())
            .spawn(move || measure(length, &seen))
            .map_err(|error| Fault::machine("no thread for the hiccup log", error))?;
        Ok(Self { is_over, thread })
    }

    /// What it found.
    ///
    /// # Errors
    /// The thread ended by a panic.
    pub fn stop(self) -> Result<Hiccups, Fault> {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| Fault::machine("the hiccup log ended", "a panic"))
    }
}

impl Hiccups {
    /// The worst between two readings of the clock, ns.
    #[must_use]
    pub fn worst(&self, from: u64, to: u64) -> u64 {
        let at = |ticks| (self.clock.between(self.start, ticks) / STRETCH_NS) as usize;
        let (from, to) = (at(from).min(self.worst.len()), (at(to) + 1).min(self.worst.len()));
        self.worst[from..to.max(from)].iter().copied().max().unwrap_or(0)
    }
}

/// A log beside something that is measured elsewhere.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HiccupPlan {
    /// How long at most; no more than a run may take.
    pub seconds: f64,
}

/// Keeps a log until it is cancelled, or for as long as the plan says.
///
/// # Errors
/// The machine gives no thread.
pub fn run(plan: &HiccupPlan, is_cancelled: &AtomicBool) -> Result<TimelineReport, Fault> {
    let seconds = plan.seconds.clamp(0.0, SECONDS_MAX);
    let started = SystemTime::now();
    let end = Duration::from_secs_f64(seconds);
    let meter = HiccupMeter::start(end)?;
    let began = Instant::now();
    while began.elapsed() < end && !is_cancelled.load(Ordering::Relaxed) {
        std::thread::sleep(10 * SLEEP);
    }
    meter.stop()?.line.report(started, "hiccups, ns beyond a sleep of a millisecond")
}

fn measure(length: Duration, is_over: &AtomicBool) -> Hiccups {
    let clock = TickClock::get();
    let start = clock.ticks();
    let mut line = Timeline::new(length.as_nanos() as u64, INTERVAL_NS);
    let mut worst = Vec::new();
    // What a sleep takes beyond its time on an idle machine, timer slack included, is no hiccup: the least that was seen.
    let mut least = Duration::MAX;
    while !is_over.load(Ordering::Relaxed) {
        let began = Instant::now();
        std::thread::sleep(SLEEP);
        let took = began.elapsed();
        least = least.min(took);
        let (at, late) = (clock.between(start, clock.ticks()), (took - least).as_nanos() as u64);
        line.record(at, late);
        // A long one was so in every stretch that it covers.
        let (first, last) = (at.saturating_sub(late) / STRETCH_NS, at / STRETCH_NS);
        for stretch in first..=last {
            let stretch = stretch as usize;
            if stretch < STRETCHES_MAX {
                worst.resize(worst.len().max(stretch + 1), 0);
                worst[stretch] = late.max(worst[stretch]);
            }
        }
    }
    Hiccups { line, clock, start, worst }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meter_takes_about_a_sample_a_millisecond() {
        let meter = HiccupMeter::start(Duration::from_secs(1)).unwrap();
        std::thread::sleep(Duration::from_millis(200));
        let found = meter.stop().unwrap();
        let all = found.line.quantiles();
        // Busy machines give fewer.
        assert!((10..=200).contains(&all.count), "{all:?}");
        let whole = found.worst(found.start, u64::MAX);
        assert!(whole <= all.max && whole * 1_001 / 1_000 + 1 >= all.max, "{whole} of {all:?}");
    }

    #[test]
    fn the_worst_is_of_the_stretches_asked_for() {
        let clock = TickClock::system();
        let line = Timeline::new(1, INTERVAL_NS);
        let found = Hiccups { line, clock, start: 100, worst: vec![5, 9, 7] };
        assert_eq!(found.worst(100, 101), 5);
        assert_eq!(found.worst(100, 100 + STRETCH_NS), 9);
        assert_eq!(found.worst(100 + 2 * STRETCH_NS, 100 + 9 * STRETCH_NS), 7);
        assert_eq!(found.worst(100 + 5 * STRETCH_NS, 100 + 9 * STRETCH_NS), 0);
    }
}

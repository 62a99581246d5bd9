//! What the machine itself adds: how late a thread runs that only wants to sleep for a millisecond.
//!
//! The method of jHiccup (giltene/jHiccup, README): a thread that should have run and did not tells of the platform and not of what is
//! measured, so its log stands beside every figure.
//!
//! Where the thread has the cores of a server that is measured, it may be late because the server does not let go of them. That is the
//! server's own, and no hiccup of the machine: what the run's processes used meanwhile is taken off.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

use crate::arrivals::SECONDS_MAX;
use crate::clock::TickClock;
use crate::cores::{Pinned, Place, server_cores};
use crate::cpu_time::CpuTime;
use crate::fault::Fault;
use crate::timeline::{INTERVAL_NS, Timeline, TimelineReport};

/// How long it sleeps.
const SLEEP: Duration = Duration::from_millis(1);
/// A greater one is a hiccup: figures "without hiccups" leave out what was due near it; see [`Log::is_quiet`].
pub const HICCUP_NS_MAX: u64 = 2_000_000;
/// The worst is kept for each such stretch.
pub const STRETCH_NS: u64 = 10_000_000;
/// Stretches that are kept, 4 bytes each: a day and an hour. Beyond them only the histogram goes on, and nothing is quiet.
const STRETCHES_MAX: usize = 9_000_000;

/// A thread that measures, until it is asked what it found.
#[derive(Debug)]
pub struct HiccupMeter {
    is_over: Arc<AtomicBool>,
    log: Arc<Mutex<Log>>,
    thread: JoinHandle<(Timeline, bool)>,
}

/// What was found.
#[derive(Debug)]
pub struct Hiccups {
    /// All of it, by the time since the beginning.
    pub line: Timeline,
    /// Stretch by stretch.
    pub log: Log,
    /// Whether the thread was moved to its place, and was there still at the end.
    pub is_placed: bool,
}

/// The worst hiccup of each stretch, ns.
#[derive(Clone, Debug)]
pub struct Log {
    clock: TickClock,
    start: u64,
    worst: Vec<u32>,
    /// What was before this reading is known.
    known_until: u64,
}

impl HiccupMeter {
    /// Begins. `length`: what it is expected to run, for the intervals of its line. `place`: of which cores it tells; `servers`: the
    /// processes whose own time on them is no hiccup.
    ///
    /// # Errors
    /// The machine gives no thread.
    pub fn start(length: Duration, place: Place, servers: &[u32]) -> Result<Self, Fault> {
        let is_over = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&is_over);
        let clock = TickClock::get();
        let start = clock.ticks();
        let log = Arc::new(Mutex::new(Log { clock, start, worst: Vec::new(), known_until: start }));
        let written = Arc::clone(&log);
        let used = CpuTime::of(servers);
        let thread = std::thread::Builder::new()
            .name("hiccup".to_owned())
            .spawn(move || {
                let pinned = Pinned::at(place);
                let line = measure(length, &written, &seen, &used);
                (line, pinned.holds())
            })
            .map_err(|error| Fault::machine("no thread for the hiccup log", error))?;
        Ok(Self { is_over, log, thread })
    }

    /// What it found.
    ///
    /// # Errors
    /// The thread ended by a panic.
    pub fn stop(self) -> Result<Hiccups, Fault> {
        self.is_over.store(true, Ordering::Relaxed);
        let (line, is_placed) =
            self.thread.join().map_err(|_| Fault::own("the hiccup log ended", "a panic"))?;
        let mut log = locked(&self.log).clone();
        log.known_until = u64::MAX;
        Ok(Hiccups { line, log, is_placed })
    }

    /// What it has found so far, unless it is about to write. It waits while this is held.
    pub fn log(&self) -> Option<MutexGuard<'_, Log>> {
        match self.log.try_lock() {
            Ok(log) => Some(log),
            Err(TryLockError::Poisoned(log)) => Some(log.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// A thread that never sleeps read its clock in two turns of its loop: more than [`HICCUP_NS_MAX`] in between is a hiccup of its core, or of
    /// its own, and none of the server.
    #[inline]
    pub fn spun(&self, clock: TickClock, before: u64, now: u64) {
        let stopped_ns = clock.between(before, now);
        if stopped_ns > HICCUP_NS_MAX {
            locked(&self.log).record(now, stopped_ns);
        }
    }
}

/// A log is whole after each sample, whatever became of who held it.
fn locked(log: &Mutex<Log>) -> MutexGuard<'_, Log> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Log {
    /// The worst between two readings of the clock, ns, as far as it is known; more than 4 s is 4 s.
    #[must_use]
    pub fn worst(&self, from: u64, to: u64) -> u64 {
        let at = |ticks| (self.clock.between(self.start, ticks) / STRETCH_NS) as usize;
        let (from, to) = (at(from).min(self.worst.len()), (at(to) + 1).min(self.worst.len()));
        self.worst[from..to.max(from)].iter().copied().max().unwrap_or(0).into()
    }

    /// Whether a message that was due at a reading had no hiccup above [`HICCUP_NS_MAX`] in the stretches before, at and after that time;
    /// not known before these have passed. How long the message took has no say, or the slow ones would be left out.
    #[must_use]
    pub fn is_quiet(&self, due: u64) -> Option<bool> {
        let stretch = self.clock.ticks_of(STRETCH_NS);
        // The stretch that holds the last of these moments is over one stretch later at the latest.
        let end = due.saturating_add(2 * stretch);
        let is_kept = self.clock.between(self.start, end) / STRETCH_NS < STRETCHES_MAX as u64;
        (end < self.known_until)
            .then(|| is_kept && self.worst(due.saturating_sub(stretch), due + stretch) <= HICCUP_NS_MAX)
    }

    /// What is not quiet, ns from the beginning, in order and apart from one another.
    fn noisy(&self) -> Vec<[u64; 2]> {
        let mut spans: Vec<[u64; 2]> = Vec::new();
        let great = self.worst.iter().enumerate().filter(|&(_, &worst)| u64::from(worst) > HICCUP_NS_MAX);
        for (stretch, _) in great {
            let from = (stretch as u64).saturating_sub(1) * STRETCH_NS;
            let to = (stretch as u64 + 2) * STRETCH_NS;
            match spans.last_mut() {
                Some(last) if last[1] >= from => last[1] = to,
                _ => spans.push([from, to]),
            }
        }
        spans
    }

    /// Something that ended at a reading, `late` ns after its time.
    fn record(&mut self, ended: u64, late: u64) {
        // A long one was so in every stretch that it covers.
        let at = self.clock.between(self.start, ended);
        for stretch in at.saturating_sub(late) / STRETCH_NS..=at / STRETCH_NS {
            let stretch = stretch as usize;
            if stretch < STRETCHES_MAX {
                self.worst.resize(self.worst.len().max(stretch + 1), 0);
                self.worst[stretch] = self.worst[stretch].max(u32::try_from(late).unwrap_or(u32::MAX));
            }
        }
    }
}

/// A log beside something that is measured elsewhere.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HiccupPlan {
    /// How long at most; no more than a run may take.
    pub seconds: f64,
}

/// What such a log found.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HiccupReport {
    /// All of it.
    #[serde(flatten)]
    pub line: TimelineReport,
    /// When it began, ms since the epoch.
    pub started_ms: f64,
    /// What had a hiccup above [`HICCUP_NS_MAX`] in it or a stretch before or behind it, ns from the beginning.
    pub noisy: Vec<[u64; 2]>,
    /// How long it went on, ns; nothing is known of what was later.
    pub length_ns: u64,
    /// Share of the time that had none; none of no time.
    pub quiet_share: Option<f64>,
}

/// Keeps a log until it is cancelled, or for as long as the plan says.
///
/// # Errors
/// The machine gives no thread.
pub fn run(plan: &HiccupPlan, is_cancelled: &AtomicBool) -> Result<HiccupReport, Fault> {
    let seconds = plan.seconds.clamp(0.0, SECONDS_MAX);
    let end = Duration::from_secs_f64(seconds);
    let meter = HiccupMeter::start(end, Place::Anywhere, &[])?;
    // Making it took the time of calibrating the clock.
    let started = SystemTime::now();
    let began = Instant::now();
    while began.elapsed() < end && !is_cancelled.load(Ordering::Relaxed) {
        std::thread::sleep(10 * SLEEP);
    }
    let took = began.elapsed().as_nanos() as u64;
    let Hiccups { line, log, .. } = meter.stop()?;
    let noisy = log.noisy();
    let noisy_ns: u64 = noisy.iter().map(|&[from, to]| to.min(took).saturating_sub(from)).sum();
    Ok(HiccupReport {
        line: line.report(started, "hiccups, ns beyond a sleep of a millisecond")?,
        started_ms: started
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0.0, |since| since.as_secs_f64() * 1e3),
        noisy,
        length_ns: took,
        quiet_share: (took > 0).then(|| 1.0 - noisy_ns as f64 / took as f64),
    })
}

fn measure(length: Duration, log: &Mutex<Log>, is_over: &AtomicBool, servers: &CpuTime) -> Timeline {
    let clock = TickClock::get();
    let start = locked(log).start;
    let mut line = Timeline::new(length.as_nanos() as u64, INTERVAL_NS);
    // What a sleep takes beyond its time on an idle machine, timer slack included, is no hiccup: the least that was seen.
    let mut least = u64::MAX;
    let mut used_before = servers.now_ns();
    while !is_over.load(Ordering::Relaxed) {
        let began = clock.ticks();
        std::thread::sleep(SLEEP);
        let ended = clock.ticks();
        let took = clock.between(began, ended);
        least = least.min(took);
        let used = servers.now_ns();
        let late =
            (took - least).saturating_sub(held_ns(used.saturating_sub(used_before), took, server_cores()));
        used_before = used;
        line.record(clock.between(start, ended), late);
        let mut log = locked(log);
        log.record(ended, late);
        log.known_until = began;
    }
    line
}

/// Of the time that servers used while a sleep took so long, what cannot have been on other cores than the log's.
const fn held_ns(used: u64, took: u64, cores: usize) -> u64 {
    used.saturating_sub(took.saturating_mul(cores.saturating_sub(1) as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meter_takes_about_a_sample_a_millisecond() {
        let meter = HiccupMeter::start(Duration::from_secs(1), Place::Anywhere, &[]).unwrap();
        std::thread::sleep(Duration::from_millis(200));
        let found = meter.stop().unwrap();
        let all = found.line.quantiles();
        // Busy machines give fewer.
        assert!((10..=200).contains(&all.count), "{all:?}");
        let whole = found.log.worst(found.log.start, u64::MAX);
        assert!(whole <= all.max && whole * 1_001 / 1_000 + 1 >= all.max, "{whole} of {all:?}");
    }

    fn log(known_until: u64) -> Log {
        Log { clock: TickClock::system(), start: 100, worst: Vec::new(), known_until }
    }

    #[test]
    fn the_worst_is_of_the_stretches_asked_for() {
        let found = Log { worst: vec![5, 9, 7], ..log(0) };
        assert_eq!(found.worst(100, 101), 5);
        assert_eq!(found.worst(100, 100 + STRETCH_NS), 9);
        assert_eq!(found.worst(100 + 2 * STRETCH_NS, 100 + 9 * STRETCH_NS), 7);
        assert_eq!(found.worst(100 + 5 * STRETCH_NS, 100 + 9 * STRETCH_NS), 0);
    }

    #[test]
    fn a_hiccup_is_in_all_the_time_that_it_took_and_no_more_is_known_than_has_passed() {
        let at = |stretches: u64| 100 + stretches * STRETCH_NS;
        let mut log = log(100);
        assert_eq!(log.is_quiet(at(10)), None);
        // It slept until stretch 10, and woke in stretch 13.
        log.record(at(13) + 5, 3 * STRETCH_NS);
        log.known_until = at(9);
        assert_eq!(log.worst, [[0; 10].as_slice(), &[30_000_000; 4]].concat());
        assert_eq!([6, 7].map(|due| log.is_quiet(at(due))), [Some(true), None]);
        log.record(at(40), HICCUP_NS_MAX);
        log.known_until = at(40);
        let quiet = [7, 8, 9, 14, 15, 37, 38].map(|due| log.is_quiet(at(due) + 3));
        let known = [true, true, false, false, true, true].map(Some);
        assert_eq!((&quiet[..6], quiet[6]), (known.as_slice(), None));
        log.record(at(15), HICCUP_NS_MAX + 1);
        log.record(at(30), HICCUP_NS_MAX + 1);
        assert_eq!(log.noisy(), [[9, 17], [28, 32]].map(|span| span.map(|stretch| stretch * STRETCH_NS)));
        // What was longer than its number holds is long.
        log.record(at(41), u64::MAX / 2);
        assert_eq!(log.worst(at(0), at(1)), u64::from(u32::MAX));
        // Of what is not kept nothing is known.
        log.known_until = u64::MAX;
        assert_eq!(log.is_quiet(at(STRETCHES_MAX as u64 - 3)), Some(true));
        assert_eq!(log.is_quiet(at(STRETCHES_MAX as u64 - 2)), Some(false));
    }

    #[test]
    fn a_report_tells_which_time_was_noisy() {
        let report = run(&HiccupPlan { seconds: 0.2 }, &AtomicBool::new(false)).unwrap();
        let noisy: u64 = report.noisy.iter().map(|[from, to]| to - from).sum();
        assert!(report.line.all.count > 0 && report.started_ms > 1e12);
        let share = report.quiet_share.unwrap();
        assert!((0.0..=1.0).contains(&share) && report.length_ns >= 200_000_000);
        assert_eq!(noisy == 0, share == 1.0, "{report:?}");
    }

    #[test]
    fn what_a_server_holds_is_its_own_as_far_as_it_cannot_have_been_elsewhere() {
        assert_eq!([held_ns(5, 9, 1), held_ns(0, 9, 1), held_ns(9, 9, 2)], [5, 0, 0]);
        assert_eq!([held_ns(12, 9, 2), held_ns(5, 9, 0)], [3, 5]);
    }
}

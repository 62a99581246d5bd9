//! What the machine gives, before anything of ours runs on it: clocks, a system call, another core, the loopback, and its hiccups.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

use crate::arrivals::Arrivals;
use crate::clock::TickClock;
use crate::cores::Place;
use crate::fault::Fault;
use crate::hiccup::HiccupMeter;
use crate::quantiles::Quantiles;
use crate::timeline::{INTERVAL_NS, Interval, Timeline};

/// Calls of a batch, so that the clock that times it does not count.
const BATCH: u32 = 1_000;
/// Batches, of which the median counts.
const BATCHES: usize = 101;
/// A spinning thread that reads its clock so much later than before has been stopped.
const GAP_NS: u64 = 1_000;
/// Messages over the loopback.
const ECHO_RATE: f64 = 2_000.0;
const ECHO_BYTES: usize = 128;
/// Between two looks at whether it is to end.
const LOOK: Duration = Duration::from_millis(20);
/// Messages from core to core and back.
const HANDOVERS: u64 = 20_000;
const HANDOVER_TIME_MAX: Duration = Duration::from_millis(300);

/// One look at the machine.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FloorPlan {
    /// How long hiccups are looked for: a third each asleep, spinning, and over the loopback.
    pub seconds: f64,
}

/// What was found. Times in ns.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FloorReport {
    /// The clock that stamps.
    pub clock: &'static str,
    /// A reading of it.
    pub tick_ns: f64,
    /// A reading of the system's monotonic clock.
    pub monotonic_ns: f64,
    /// A reading of the system's time of day.
    pub time_of_day_ns: f64,
    /// The cheapest system call; absent where none is known.
    pub syscall_ns: Option<f64>,
    /// From one core to another, one way; absent with one core.
    pub core_to_core_ns: Option<f64>,
    /// How late a thread runs that slept for a millisecond.
    pub hiccups: Quantiles,
    /// How long a thread that never sleeps was stopped, where it was for more than a microsecond.
    pub gaps: Quantiles,
    /// Such stops a second.
    pub gaps_per_second: f64,
    /// Share of the time that they took.
    pub gap_share: f64,
    /// 128 bytes to a spinning echo and back, from the planned time.
    pub loopback: Quantiles,
    /// Loopback messages that left late.
    pub loopback_late: u64,
    /// Whether it was ended before its time.
    pub is_cut: bool,
    /// Hiccups second by second.
    pub intervals: Vec<Interval>,
    /// Curve of the hiccups.
    pub hiccup_curve: Vec<(f64, u64)>,
    /// Percentile table of the loopback, µs.
    pub hgrm: String,
    /// Interval log of the hiccups, ns.
    pub hlog: String,
}

/// Looks.
///
/// # Errors
/// `bench.seconds`; the machine gives no thread or no socket.
pub fn run(plan: &FloorPlan, is_cancelled: &AtomicBool) -> Result<FloorReport, Fault> {
    let schedule = Arrivals::Even { rate: ECHO_RATE }.schedule(plan.seconds / 3.0)?;
    let third = Duration::from_secs_f64(plan.seconds / 3.0);
    let clock = TickClock::get();
    let started = SystemTime::now();
    let meter = HiccupMeter::start(third, Place::Anywhere, &[])?;
    let began = Instant::now();
    while began.elapsed() < third && !is_cancelled.load(Ordering::Relaxed) {
        std::thread::sleep(LOOK.min(third.saturating_sub(began.elapsed())));
    }
    let hiccups = meter.stop()?.line;
    let gaps = spin(clock, third, is_cancelled);
    let lost: f64 = gaps.0.mean() * gaps.0.len() as f64;
    let (loopback, loopback_late) = echo(clock, &schedule, third, is_cancelled)?;
    let comment = "depthwire bench floor, ns beyond a sleep of a millisecond";
    Ok(FloorReport {
        clock: clock.source(),
        tick_ns: each(|| clock.ticks()),
        monotonic_ns: each(Instant::now),
        time_of_day_ns: each(SystemTime::now),
        syscall_ns: syscall_ns(),
        core_to_core_ns: core_to_core_ns()?,
        hiccups: hiccups.quantiles(),
        gaps: Quantiles::of(&gaps.0),
        gaps_per_second: gaps.0.len() as f64 * 1e9 / gaps.1 as f64,
        gap_share: lost / gaps.1 as f64,
        loopback: loopback.quantiles(),
        loopback_late,
        is_cut: is_cancelled.load(Ordering::Relaxed),
        intervals: hiccups.intervals(),
        hiccup_curve: hiccups.curve(),
        hgrm: loopback.hgrm(),
        hlog: hiccups.hlog(started, comment, Duration::from_nanos)?,
    })
}

/// Nanoseconds of one call, median of batches.
fn each<T>(mut call: impl FnMut() -> T) -> f64 {
    let mut batches: Vec<f64> = (0..BATCHES)
        .map(|_| {
            let began = Instant::now();
            for _ in 0..BATCH {
                std::hint::black_box(call());
            }
            began.elapsed().as_nanos() as f64 / f64::from(BATCH)
        })
        .collect();
    batches.sort_unstable_by(f64::total_cmp);
    batches[BATCHES / 2]
}

#[cfg(unix)]
fn syscall_ns() -> Option<f64> {
    Some(each(std::os::unix::process::parent_id))
}

#[cfg(not(unix))]
const fn syscall_ns() -> Option<f64> {
    None
}

/// The stops of a thread that never sleeps, and the time that was looked at.
fn spin(clock: TickClock, time: Duration, is_cancelled: &AtomicBool) -> (hdrhistogram::Histogram<u64>, u64) {
    let mut gaps = crate::timeline::histogram();
    let limit = clock.ticks_of(GAP_NS);
    let start = clock.ticks();
    let end = start + clock.ticks_of(time.as_nanos() as u64);
    let mut before = start;
    while before < end && !is_cancelled.load(Ordering::Relaxed) {
        let now = clock.ticks();
        if now.saturating_sub(before) > limit {
            gaps.saturating_record(clock.between(before, now));
        }
        before = now;
    }
    (gaps, clock.between(start, before).max(1))
}

/// Two threads hand a number to and fro.
fn core_to_core_ns() -> Result<Option<f64>, Fault> {
    if std::thread::available_parallelism().map_or(1, usize::from) < 2 {
        return Ok(None);
    }
    let ball = Arc::new(AtomicU64::new(0));
    let over = Arc::new(AtomicBool::new(false));
    let (far_ball, far_over) = (Arc::clone(&ball), Arc::clone(&over));
    let far = std::thread::Builder::new().name("handover".to_owned()).spawn(move || {
        let mut next = 1;
        while !far_over.load(Ordering::Relaxed) {
            if far_ball.load(Ordering::Acquire) == next {
                far_ball.store(next + 1, Ordering::Release);
                next += 2;
            }
            std::hint::spin_loop();
        }
    });
    let far = far.map_err(|error| Fault::machine("no second thread", error))?;
    let began = Instant::now();
    let mut rounds = 0;
    'rounds: while rounds < HANDOVERS {
        ball.store(2 * rounds + 1, Ordering::Release);
        while ball.load(Ordering::Acquire) != 2 * rounds + 2 {
            if began.elapsed() > HANDOVER_TIME_MAX {
                break 'rounds;
            }
        }
        rounds += 1;
    }
    let ns = began.elapsed().as_nanos() as f64;
    over.store(true, Ordering::Relaxed);
    far.join().map_err(|_| Fault::own("the second thread ended", "a panic"))?;
    Ok((rounds > 0).then(|| ns / (2 * rounds) as f64))
}

/// Messages to a spinning echo and back, open loop: this thread sends and receives.
fn echo(
    clock: TickClock,
    schedule: &crate::arrivals::Schedule,
    time: Duration,
    is_cancelled: &AtomicBool,
) -> Result<(Timeline, u64), Fault> {
    let refused = |error| Fault::machine("no loopback connection", error);
    let listener = TcpListener::bind("127.0.0.1:0").map_err(refused)?;
    let mut near = TcpStream::connect(listener.local_addr().map_err(refused)?).map_err(refused)?;
    let (mut far, _) = listener.accept().map_err(refused)?;
    for stream in [&near, &far] {
        stream.set_nodelay(true).map_err(refused)?;
        stream.set_nonblocking(true).map_err(refused)?;
    }
    let echo = std::thread::Builder::new().name("echo".to_owned()).spawn(move || {
        let mut bytes = [0; 16 * ECHO_BYTES];
        loop {
            match far.read(&mut bytes) {
                Ok(0) => return,
                Ok(count) => {
                    // Some hundred bytes of a connection that is read all the time have room.
                    if far.write_all(&bytes[..count]).is_err() {
                        return;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => std::hint::spin_loop(),
                Err(_) => return,
            }
        }
    });
    let echo = echo.map_err(|error| Fault::machine("no echo thread", error))?;
    let mut line = Timeline::new(time.as_nanos() as u64, INTERVAL_NS);
    let (mut sent, mut got, mut late) = (0, 0, 0);
    let mut bytes = [0; 16 * ECHO_BYTES];
    let start = clock.ticks() + clock.ticks_of(1_000_000);
    let due = |message: u64| start + clock.ticks_of(schedule.due_ns(message));
    let deadline = due(schedule.count() - 1) + clock.ticks_of(1_000_000_000);
    let mut filled = 0;
    while got < schedule.count() && clock.ticks() < deadline && !is_cancelled.load(Ordering::Relaxed) {
        let now = clock.ticks();
        if sent < schedule.count() && due(sent) <= now {
            near.write_all(&[0; ECHO_BYTES]).map_err(refused)?;
            late += u64::from(clock.between(due(sent), now) > schedule.grace_ns(sent));
            sent += 1;
        }
        match near.read(&mut bytes) {
            Ok(count) => {
                let now = clock.ticks();
                filled += count;
                while filled >= ECHO_BYTES && got < sent {
                    line.record(schedule.due_ns(got), clock.between(due(got), now));
                    filled -= ECHO_BYTES;
                    got += 1;
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(refused(error)),
        }
    }
    drop(near);
    echo.join().map_err(|_| Fault::own("the echo ended", "a panic"))?;
    Ok((line, late))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_floor_is_complete() {
        let floor = run(&FloorPlan { seconds: 0.6 }, &AtomicBool::new(false)).unwrap();
        assert!(floor.tick_ns > 0.1 && floor.monotonic_ns > 1.0 && floor.syscall_ns.unwrap() > 10.0);
        assert!(floor.hiccups.count > 10 && floor.gap_share < 1.0);
        assert!(floor.loopback.count > 100 && floor.loopback.p50 > 1_000, "{:?}", floor.loopback);
        assert_eq!(floor.hgrm.matches("Total count").count(), 1);
    }

    #[test]
    fn a_floor_of_no_time_is_refused() {
        assert_eq!(
            run(&FloorPlan { seconds: 0.0 }, &AtomicBool::new(false)).unwrap_err().code,
            "bench.seconds"
        );
        let began = Instant::now();
        assert!(run(&FloorPlan { seconds: 60.0 }, &AtomicBool::new(true)).unwrap().is_cut);
        assert!(began.elapsed() < Duration::from_secs(10));
    }
}

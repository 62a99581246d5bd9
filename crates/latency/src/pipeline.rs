//! Bytes in, frames out, in one thread and without a socket: what the engine itself adds to a message, stage by stage, at planned times.
//!
//! Engine and control take turns, a block each. The control is handed the same bytes at the same times and only adds them up: what it
//! takes is the loop, the clock and the machine. Every message is stamped at the end of each stage, which is part of its time.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use depthwire_core::types::{NoClock, Stage};
use serde::{Deserialize, Serialize};

use crate::arrivals::{Arrivals, Schedule};
use crate::clock::TickClock;
use crate::cores::{Pinned, Place};
use crate::fault::Fault;
use crate::frames::FrameMaker;
use crate::hiccup::{HiccupMeter, Hiccups};
use crate::quantiles::Quantiles;
use crate::quiet::Quiet;
use crate::stages::{Ended, QUANTILES, Stages, Summary};
use crate::timeline::{INTERVALS_MAX, Interval, Timeline};
use crate::updates::Updates;

/// Time of a block.
const BLOCK_NS: u64 = 50_000_000;
/// A message may be done so long behind the block in which it was due, before it counts as late.
const LATE_NS: u64 = 1_000_000;
/// Messages of a step whose ways are told: those that took longest.
const WORST: usize = 5;
/// Most steps.
const STEPS_MAX: usize = 100;

/// What to measure.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PipelinePlan {
    /// One after the other.
    pub steps: Vec<Step>,
    /// Counted time of engine and control each, in each step.
    pub seconds: f64,
    /// Levels that a message changes.
    pub changes: u64,
}

/// Messages at a rate.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Messages a second.
    pub rate: f64,
    /// Messages that come at once, and whose frames are published together.
    pub batch: u32,
}

/// What was found.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PipelineReport {
    /// One by one.
    pub steps: Vec<StepReport>,
    /// Messages a second that go through without a pause.
    pub flat_out: f64,
    /// The clock that stamped.
    pub clock: &'static str,
    /// Whether the run was ended before its time.
    pub is_cut: bool,
}

/// What was found of a step.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepReport {
    /// What was asked for.
    #[serde(flatten)]
    pub step: Step,
    /// Messages that each of both was given.
    pub planned: u64,
    /// Messages that the engine had not done a millisecond behind the 50 ms in which they were due: it is given more than it takes.
    pub late: u64,
    /// From a message's time to its frame.
    pub engine: LineReport,
    /// From a message's time to the sum of its bytes.
    pub control: LineReport,
    /// Where the time went.
    pub stages: Vec<StageReport>,
    /// The longest ones, the longest first.
    pub worst: Vec<Way>,
    /// How late a thread ran that slept.
    pub hiccups: Quantiles,
}

/// The times of one of both.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LineReport {
    /// Of all messages, ns.
    pub all: Quantiles,
    /// Of those that were due without a hiccup of the machine; see [`Log::is_quiet`](crate::hiccup::Log::is_quiet).
    pub quiet: Quantiles,
    /// Share of the messages that were so; none of none.
    pub quiet_share: Option<f64>,
    /// By interval.
    pub intervals: Vec<Interval>,
    /// The worst hiccup of each.
    pub interval_hiccups: Vec<u64>,
    /// `[share of messages, ns]`.
    pub curve: Vec<(f64, u64)>,
    /// Percentile table, µs.
    pub hgrm: String,
    /// Interval log, ns.
    pub hlog: String,
}

/// Times of a stage, ns.
#[derive(Debug, Serialize)]
pub struct StageReport {
    /// Its word.
    pub stage: &'static str,
    /// Messages that had it.
    pub count: u64,
    /// Half took no longer.
    pub p50: u64,
    /// 90 %.
    pub p90: u64,
    /// 99 %.
    pub p99: u64,
    /// 99.9 %.
    pub p999: u64,
    /// 99.99 %.
    pub p9999: u64,
    /// The longest.
    pub max: u64,
}

/// The way of one message, ns.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Way {
    /// From its time to its frame.
    pub total: u64,
    /// From its time until it was looked at.
    pub waited: u64,
    /// By stage, up to the encoded one.
    pub stages: [Option<u64>; Stage::COUNT - 1],
}

/// Measures.
///
/// # Errors
/// `bench.plan`, `bench.rate`, `bench.seconds`: what no machine keeps; the machine gives no thread.
pub fn run(plan: &PipelinePlan, is_cancelled: &AtomicBool) -> Result<PipelineReport, Fault> {
    if plan.steps.is_empty() || plan.steps.len() > STEPS_MAX {
        let (expected, got) = (format!("1 to {STEPS_MAX} steps"), plan.steps.len().to_string());
        return Err(Fault::new("bench.plan", "no plan", [&expected, &got], "change the plan"));
    }
    // Refuses what no machine keeps before anything is measured.
    for step in &plan.steps {
        arrivals(*step).schedule(plan.seconds)?;
    }
    let clock = TickClock::get();
    let mut report =
        PipelineReport { steps: Vec::new(), flat_out: 0.0, clock: clock.source(), is_cut: false };
    for step in &plan.steps {
        report.steps.push(measure(*step, plan, clock, is_cancelled)?);
        if is_cancelled.load(Ordering::Relaxed) {
            report.is_cut = true;
            return Ok(report);
        }
    }
    report.flat_out = flat_out(plan, is_cancelled)?;
    Ok(report)
}

/// Both lines of a step, block by block.
struct Lines {
    clock: TickClock,
    maker: FrameMaker,
    stages: Stages<NoClock, TickClock>,
    updates: Updates,
    /// Messages that the engine has been given.
    taken: u64,
    batch: u64,
    engine: Timeline,
    control: Timeline,
    /// Of both, what was due without a hiccup of the machine.
    quiet: [Quiet; 2],
    worst: Vec<Way>,
    /// From when to when each counted block went, by line.
    spans: [Vec<[u64; 2]>; 2],
    late: u64,
}

fn measure(
    step: Step,
    plan: &PipelinePlan,
    clock: TickClock,
    is_cancelled: &AtomicBool,
) -> Result<StepReport, Fault> {
    let schedule = arrivals(step).schedule(plan.seconds)?;
    let planned = schedule.count();
    let blocks = ((plan.seconds * 1e9) as u64).div_ceil(BLOCK_NS);
    // Intervals are whole blocks.
    let interval_ns = BLOCK_NS * blocks.div_ceil(INTERVALS_MAX);
    let mut lines = Lines {
        clock,
        maker: FrameMaker::new()?,
        stages: Stages::new(1, NoClock, clock),
        updates: Updates::new(plan.changes),
        taken: 0,
        batch: u64::from(step.batch.max(1)),
        engine: Timeline::new(blocks * BLOCK_NS, interval_ns),
        control: Timeline::new(blocks * BLOCK_NS, interval_ns),
        quiet: [Quiet::new(clock), Quiet::new(clock)],
        worst: Vec::with_capacity(WORST + 1),
        spans: [Vec::new(), Vec::new()],
        late: 0,
    };
    // The thread that never sleeps has a core, the log the others.
    let _pinned = Pinned::at(Place::Generator);
    let meter = HiccupMeter::start(Duration::from_nanos(2 * (blocks + 1) * BLOCK_NS), Place::Servers, &[])?;
    // One block to warm up.
    lines.run(&schedule, 0, 0, false, &meter)?;
    lines.stages = Stages::new(1, NoClock, clock);
    let mut next = 0;
    let (started, origin) = (SystemTime::now(), clock.ticks());
    for block in 0..blocks {
        lines.run(&schedule, next, block, true, &meter)?;
        next = lines.run_control(&schedule, next, block, &meter);
        if let Some(log) = meter.log() {
            lines.quiet.iter_mut().for_each(|quiet| quiet.settle(&log, usize::MAX));
        }
        if is_cancelled.load(Ordering::Relaxed) {
            break;
        }
    }
    let hiccups = meter.stop()?;
    let comment = |what: &str| format!("depthwire bench pipeline, {what}, ns from the planned time");
    lines.quiet.iter_mut().for_each(|quiet| quiet.settle(&hiccups.log, usize::MAX));
    let line = |timeline: &Timeline, at: usize, what: &str| {
        let (quiet, spans) = (&lines.quiet[at], &lines.spans[at]);
        // The other line has its blocks in between.
        let since_start = |from_ns: u64| {
            let began = spans.get((from_ns / BLOCK_NS) as usize).map_or(origin, |span| span[0]);
            Duration::from_nanos(clock.between(origin, began))
        };
        let hlog = timeline.hlog(started, &comment(what), since_start)?;
        Ok::<_, Fault>(line_report(timeline, quiet, spans, &hiccups, hlog))
    };
    Ok(StepReport {
        step,
        planned,
        late: lines.late,
        engine: line(&lines.engine, 0, "engine")?,
        control: line(&lines.control, 1, "control")?,
        stages: Stage::ALL
            .into_iter()
            .map(|stage| stage_report(stage, lines.stages.all().stage(stage)))
            .collect(),
        worst: lines.worst,
        hiccups: hiccups.line.quantiles(),
    })
}

const fn arrivals(step: Step) -> Arrivals {
    Arrivals::Bursts { rate: step.rate, size: step.batch }
}

impl Lines {
    /// The messages of the engine that are due in a block, from a first one on.
    fn run(
        &mut self,
        schedule: &Schedule,
        first: u64,
        block: u64,
        is_counted: bool,
        meter: &HiccupMeter,
    ) -> Result<(), Fault> {
        let Self { clock, maker, stages, updates, .. } = self;
        let (start, from_ns) = (clock.ticks(), block * BLOCK_NS);
        let late_from = start + clock.ticks_of(BLOCK_NS + LATE_NS);
        let mut message = first;
        while schedule.due_ns(message) < from_ns + BLOCK_NS {
            let due_ns = schedule.due_ns(message);
            let due = start + clock.ticks_of(due_ns - from_ns);
            let mut result = Ok(());
            updates.write(self.taken, |bytes| {
                let began = wait(*clock, due, meter);
                let stamps = stages.begin();
                let mut has_output = false;
                let taken = maker.take_stamped(bytes, stamps, |_, frame| {
                    has_output = true;
                    black_box(frame);
                });
                result = taken.map(|instrument| {
                    stages.end(Ended { instrument, has_output });
                    if is_counted {
                        let ended = clock.ticks();
                        let total = clock.between(due, ended);
                        self.late += u64::from(ended > late_from);
                        self.engine.record(due_ns, total);
                        self.quiet[0].record(due, total);
                        keep_worst(&mut self.worst, stages, total, clock.between(due, began));
                    }
                });
            });
            result?;
            self.taken += 1;
            message += 1;
            if message.is_multiple_of(self.batch) {
                stages.published();
            }
        }
        stages.published();
        if is_counted {
            self.spans[0].push([start, clock.ticks()]);
        }
        Ok(())
    }

    /// The same messages of the control. Answers with the first of the next block.
    fn run_control(&mut self, schedule: &Schedule, first: u64, block: u64, meter: &HiccupMeter) -> u64 {
        let Self { clock, updates, .. } = self;
        let (start, from_ns) = (clock.ticks(), block * BLOCK_NS);
        let mut message = first;
        while schedule.due_ns(message) < from_ns + BLOCK_NS {
            let due_ns = schedule.due_ns(message);
            let due = start + clock.ticks_of(due_ns - from_ns);
            updates.write(message, |bytes| {
                wait(*clock, due, meter);
                black_box(bytes.iter().map(|&byte| u64::from(byte)).sum::<u64>());
            });
            let total = clock.between(due, clock.ticks());
            self.control.record(due_ns, total);
            self.quiet[1].record(due, total);
            message += 1;
        }
        self.spans[1].push([start, clock.ticks()]);
        message
    }
}

/// Waits for a time, and answers with the present one. Being stopped meanwhile is a hiccup of the machine.
#[inline]
fn wait(clock: TickClock, due: u64, meter: &HiccupMeter) -> u64 {
    let mut now = clock.ticks();
    while now < due {
        let before = std::mem::replace(&mut now, clock.ticks());
        meter.spun(clock, before, now);
    }
    now
}

fn keep_worst(worst: &mut Vec<Way>, stages: &Stages<NoClock, TickClock>, total: u64, waited: u64) {
    if worst.len() == WORST && worst.last().is_some_and(|last| last.total >= total) {
        return;
    }
    let stages = std::array::from_fn(|at| stages.last_ns(Stage::ALL[at]));
    let at = worst.partition_point(|way| way.total >= total);
    worst.insert(at, Way { total, waited, stages });
    worst.truncate(WORST);
}

fn line_report(
    timeline: &Timeline,
    quiet: &Quiet,
    spans: &[[u64; 2]],
    hiccups: &Hiccups,
    hlog: String,
) -> LineReport {
    let blocks = (timeline.interval_ns() / BLOCK_NS).max(1) as usize;
    let worst = |chunk: &[[u64; 2]]| chunk.iter().map(|&[from, to]| hiccups.log.worst(from, to)).max();
    let interval_hiccups: Vec<u64> = spans.chunks(blocks).map(|chunk| worst(chunk).unwrap_or(0)).collect();
    LineReport {
        all: timeline.quantiles(),
        quiet: quiet.quantiles(),
        quiet_share: quiet.share(),
        intervals: timeline.intervals(),
        curve: timeline.curve(),
        hgrm: timeline.hgrm(),
        hlog,
        interval_hiccups,
    }
}

fn stage_report(stage: Stage, told: Summary) -> StageReport {
    const { assert!(QUANTILES.len() == 5) };
    let [p50, p90, p99, p999, p9999] = told.quantiles_ns;
    StageReport { stage: stage.name(), count: told.count, p50, p90, p99, p999, p9999, max: told.max_ns }
}

/// Messages a second, one behind the other, without stamps.
fn flat_out(plan: &PipelinePlan, is_cancelled: &AtomicBool) -> Result<f64, Fault> {
    /// Messages between two looks at the clock.
    const TURN: u64 = 256;
    let (mut maker, mut updates) = (FrameMaker::new()?, Updates::new(plan.changes));
    let mut taken = 0;
    let mut turn = |count: u64| -> Result<u64, Fault> {
        for _ in 0..count {
            let mut result = Ok(());
            updates.write(taken, |bytes| {
                result = maker.take(bytes, |_, frame| {
                    black_box(frame);
                });
            });
            result?;
            taken += 1;
        }
        Ok(count)
    };
    turn(TURN)?;
    let began = Instant::now();
    let mut count = 0;
    while began.elapsed().as_secs_f64() < plan.seconds && !is_cancelled.load(Ordering::Relaxed) {
        count += turn(TURN)?;
    }
    Ok(count as f64 / began.elapsed().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(steps: &[(f64, u32)], seconds: f64) -> PipelinePlan {
        let steps = steps.iter().map(|&(rate, batch)| Step { rate, batch }).collect();
        PipelinePlan { steps, seconds, changes: 4 }
    }

    #[test]
    fn every_message_is_counted_and_its_stages_make_up_its_time() {
        let plan = plan(&[(20_000.0, 1), (20_000.0, 16)], 0.15);
        let report = run(&plan, &AtomicBool::new(false)).unwrap();
        assert_eq!(report.steps.len(), 2);
        assert!(report.flat_out > 1_000.0);
        for step in &report.steps {
            assert_eq!([step.planned, step.engine.all.count, step.control.all.count], [3_000; 3]);
            for stage in &step.stages {
                assert_eq!(stage.count, 3_000, "{}", stage.stage);
            }
            assert_eq!(step.worst.len(), WORST);
            assert!(step.worst.is_sorted_by(|a, b| a.total >= b.total));
            assert_eq!(step.engine.intervals.len(), step.engine.interval_hiccups.len());
            for way in &step.worst {
                let stages: u64 = way.stages.iter().flatten().sum();
                assert!(way.waited + stages <= way.total + 10, "{way:?}");
            }
            // Three digits of the histogram, and the longest exactly.
            let longest = step.worst[0].total;
            assert!(step.engine.all.max >= longest && step.engine.all.max <= longest + longest / 500);
        }
        // The frames of sixteen that come at once wait for the last of them.
        let [one, sixteen] = [0, 1].map(|at| report.steps[at].stages[Stage::Published as usize].p50);
        assert!(sixteen > 3 * one, "{one} {sixteen}");
    }

    #[test]
    fn no_message_is_left_out_and_more_than_it_takes_is_late() {
        let seldom = run(&plan(&[(30.0, 1)], 0.4), &AtomicBool::new(false)).unwrap();
        assert_eq!([seldom.steps[0].planned, seldom.steps[0].engine.all.count], [12, 12]);
        let flood = run(&plan(&[(5e6, 1)], 0.05), &AtomicBool::new(false)).unwrap();
        let step = &flood.steps[0];
        assert_eq!(step.engine.all.count, step.planned);
        assert!(step.late > step.planned / 10, "{} of {}", step.late, step.planned);
    }

    #[test]
    fn impossible_plans_are_refused_and_a_run_can_be_cut() {
        let code = |plan: &PipelinePlan| run(plan, &AtomicBool::new(false)).unwrap_err().code;
        assert_eq!(code(&plan(&[], 1.0)), "bench.plan");
        assert_eq!(code(&plan(&[(0.0, 1)], 1.0)), "bench.rate");
        assert_eq!(code(&plan(&[(1e3, 1)], 0.0)), "bench.seconds");
        assert_eq!(code(&plan(&[(1e3, 1), (1e9, 1)], 1.0)), "bench.rate");
        let report = run(&plan(&[(1e4, 1), (1e4, 1)], 60.0), &AtomicBool::new(true)).unwrap();
        assert!(report.is_cut && report.steps.len() == 1);
    }
}

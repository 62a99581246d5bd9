//! What was sent when, what arrived when, and what follows from that.

use std::time::{Duration, SystemTime};

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::arrivals::Schedule;
use crate::clock::TickClock;
use crate::fault::Fault;
use crate::hiccup::Hiccups;
use crate::quantiles::Quantiles;
use crate::quiet::Quiet;
use crate::timeline::{INTERVAL_NS, Interval, Timeline, histogram};

/// Digits of a subscriber's own histogram, some 20 KB each.
const SUBSCRIBER_DIGITS: u8 = 2;
const NS_MAX: u64 = 3_600_000_000_000;

/// How a run is cut: the warm-up belongs to the first block, and each block counts for as long.
///
/// Several targets take turns, a block each, so that what the machine does to one it does to the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    pub(crate) warm_ns: u64,
    pub(crate) counted_ns: u64,
    pub(crate) block_ns: u64,
}

impl Cut {
    pub(crate) fn blocks(&self) -> usize {
        self.counted_ns.div_ceil(self.block_ns).max(1) as usize
    }

    fn block(&self, due_ns: u64) -> usize {
        (due_ns.saturating_sub(self.warm_ns) / self.block_ns) as usize
    }

    /// Where a block begins and ends in the plan, ns.
    fn bounds(&self, block: usize) -> [u64; 2] {
        let end = self.warm_ns + ((block as u64 + 1) * self.block_ns).min(self.counted_ns);
        [if block == 0 { 0 } else { self.warm_ns + block as u64 * self.block_ns }, end]
    }
}

/// The record of one target of a run. Costs some 28 bytes a planned message, and 16 a delivery until it is settled.
#[derive(Debug)]
pub struct Deliveries {
    schedule: Schedule,
    clock: TickClock,
    cut: Cut,
    /// For each block that has begun, when it did and, once it has, when it ended.
    blocks: Vec<[u64; 2]>,
    subscribers: Vec<Histogram<u32>>,
    /// When each message was taken by the system, in order.
    sent_at: Vec<u64>,
    /// When its first frame arrived, when its last, and how many.
    arrived: Vec<Arrived>,
    complete: u64,
    late: u64,
    repeated: u64,
    disordered: u64,
    unknown: u64,
    /// Behind the last message that each subscriber has got.
    next: Vec<u64>,
    from_planned: Timeline,
    from_sent: Timeline,
    lateness: Timeline,
    /// Of those that were due without a hiccup of the machine.
    pub(crate) quiet: Quiet,
    closed_loop: Histogram<u64>,
    /// When a client that waits for its answer would send again.
    is_free_at: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Arrived {
    first: u64,
    last: u64,
    count: u32,
}

/// What a run found. Times in ns; `planned`, `sent`, `lost`, `repeated`, `disordered`, `unknown` and `hiccups` are of the whole run, the others of the counted time.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivered {
    /// Messages of the plan, warm-up included.
    pub planned: u64,
    /// Those that the system has taken.
    pub sent: u64,
    /// Deliveries of what was sent that had not come when the run ended.
    pub lost: u64,
    /// Deliveries of the message that a subscriber had got last.
    pub repeated: u64,
    /// Deliveries of a message behind a later one.
    pub disordered: u64,
    /// Frames of no message that has been sent.
    pub unknown: u64,
    /// Messages that left later than the next one was due, and than a millisecond.
    pub late: u64,
    /// Of the counted time.
    pub counted: u64,
    /// Deliveries, all subscribers together.
    pub deliveries: u64,
    /// From the planned time to the arrival.
    pub from_planned: Quantiles,
    /// The same of those that were due without a hiccup of the machine; see [`Log::is_quiet`](crate::hiccup::Log::is_quiet).
    pub from_planned_quiet: Quantiles,
    /// Share of the deliveries that were so; none of none.
    pub quiet_share: Option<f64>,
    /// From the actual sending to the arrival.
    pub from_sent: Quantiles,
    /// What a client would have seen that waits for each answer before it sends again.
    pub closed_loop: Quantiles,
    /// From the planned time to the actual sending.
    pub lateness: Quantiles,
    /// What the machine itself adds.
    pub hiccups: Quantiles,
    /// Between the first and the last subscriber that got a message; empty with one subscriber.
    pub skew: Quantiles,
    /// Each subscriber's own 50 %: the least, the middle, the greatest.
    pub subscribers_p50: [u64; 3],
    /// The same of 99 %.
    pub subscribers_p99: [u64; 3],
    /// Interval by interval.
    pub intervals: Vec<Interval>,
    /// The worst hiccup of each.
    pub interval_hiccups: Vec<u64>,
    /// `[share of samples, ns]`.
    pub curve: Vec<(f64, u64)>,
    /// The same of the hiccups.
    pub hiccup_curve: Vec<(f64, u64)>,
    /// Percentile table, µs.
    pub hgrm: String,
    /// Interval log, ns.
    pub hlog: String,
}

impl Deliveries {
    pub(crate) fn new(schedule: Schedule, subscribers: usize, cut: Cut, clock: TickClock) -> Self {
        let count = schedule.count() as usize;
        let line =
            || Timeline::new(cut.counted_ns, if cut.blocks() > 1 { cut.block_ns } else { INTERVAL_NS });
        Self {
            schedule,
            clock,
            cut,
            blocks: Vec::with_capacity(cut.blocks()),
            subscribers: (0..subscribers).map(|_| subscriber_histogram()).collect(),
            sent_at: Vec::with_capacity(count),
            arrived: vec![Arrived::default(); count],
            complete: 0,
            late: 0,
            repeated: 0,
            disordered: 0,
            unknown: 0,
            next: vec![0; subscribers],
            from_planned: line(),
            from_sent: line(),
            lateness: line(),
            quiet: Quiet::new(clock),
            closed_loop: histogram(),
            is_free_at: 0,
        }
    }

    /// The next block begins at that moment.
    pub(crate) fn begin(&mut self, at: u64) {
        self.blocks.push([at, at]);
    }

    /// It has ended.
    pub(crate) fn end(&mut self, at: u64) {
        if let Some(block) = self.blocks.last_mut() {
            block[1] = at;
        }
    }

    /// When a message is due, if its block has begun.
    fn due(&self, message: u64) -> Option<u64> {
        let due_ns = self.schedule.due_ns(message);
        let block = self.cut.block(due_ns);
        let [start, _] = self.blocks.get(block)?;
        Some(start + self.clock.ticks_of(due_ns - self.cut.bounds(block)[0]))
    }

    pub(crate) fn is_due(&self, message: u64, now: u64) -> bool {
        self.due(message).is_some_and(|due| due <= now)
    }

    /// When the present block is over by its plan.
    pub(crate) fn planned_end(&self) -> u64 {
        let [from, to] = self.cut.bounds(self.blocks.len().saturating_sub(1));
        self.blocks.last().map_or(0, |[start, _]| start + self.clock.ticks_of(to - from))
    }

    /// Its place in the counted time, ns.
    fn counted(&self, message: u64) -> Option<u64> {
        let at = self.schedule.due_ns(message).checked_sub(self.cut.warm_ns)?;
        (at < self.cut.counted_ns).then_some(at)
    }

    /// The system has taken the next so many messages.
    pub(crate) fn sent(&mut self, count: u64, now: u64) {
        for _ in 0..count {
            let message = self.sent_at.len() as u64;
            let Some(due) = self.due(message) else { return };
            self.sent_at.push(now);
            if let Some(at) = self.counted(message) {
                let late_ns = self.clock.between(due, now);
                self.late += u64::from(late_ns > self.schedule.grace_ns(message));
                self.lateness.record(at, late_ns);
            }
        }
    }

    /// A subscriber has got the frame of a message.
    pub(crate) fn got(&mut self, subscriber: usize, message: u64, now: u64) {
        let Some(&sent) = self.sent_at.get(message as usize) else {
            self.unknown += 1;
            return;
        };
        let Some(due) = self.due(message) else { return };
        let next = &mut self.next[subscriber];
        if message + 1 == *next {
            self.repeated += 1;
            return;
        }
        if message < *next {
            self.disordered += 1;
            return;
        }
        *next = message + 1;
        let of_all = self.subscribers.len() as u32;
        let arrived = &mut self.arrived[message as usize];
        if arrived.count == 0 {
            arrived.first = now;
        }
        arrived.last = now;
        arrived.count += 1;
        self.complete += u64::from(arrived.count == of_all);
        let Some(at) = self.counted(message) else { return };
        let ns = self.clock.between(due, now);
        self.from_planned.record(at, ns);
        self.quiet.record(due, ns);
        self.from_sent.record(at, self.clock.between(sent, now));
        self.subscribers[subscriber].saturating_record(ns.max(1));
        if subscriber == 0 && due >= self.is_free_at {
            self.closed_loop.saturating_record(ns.max(1));
            self.is_free_at = now;
        }
    }

    /// Whether everything that was pushed in the present block has come, or so much time has passed behind its plan that it will not.
    pub(crate) fn is_over(&self, now: u64, drain: u64, pushed: u64) -> bool {
        let end = self.planned_end();
        now >= end && (self.complete >= pushed && !self.is_due(pushed, end) || now >= end + drain)
    }

    pub(crate) fn report(
        &mut self,
        hiccups: &Hiccups,
        started_ms: u64,
        comment: &str,
    ) -> Result<Delivered, Fault> {
        self.quiet.settle(&hiccups.log, usize::MAX);
        let of_all = self.subscribers.len() as u64;
        let planned = self.schedule.count();
        let delivered: u64 = self.arrived.iter().map(|arrived| u64::from(arrived.count)).sum();
        let mut skew = histogram();
        for (message, arrived) in self.arrived.iter().enumerate() {
            if of_all > 1 && arrived.count > 1 && self.counted(message as u64).is_some() {
                skew.saturating_record(self.clock.between(arrived.first, arrived.last).max(1));
            }
        }
        let intervals = self.from_planned.intervals();
        let interval_hiccups: Vec<u64> =
            intervals.iter().map(|interval| self.worst(hiccups, interval.from_ns)).collect();
        let started = SystemTime::UNIX_EPOCH + Duration::from_millis(started_ms);
        Ok(Delivered {
            planned,
            sent: self.sent_at.len() as u64,
            lost: self.sent_at.len() as u64 * of_all - delivered,
            repeated: self.repeated,
            disordered: self.disordered,
            unknown: self.unknown,
            late: self.late,
            counted: self.lateness.quantiles().count,
            deliveries: self.from_planned.quantiles().count,
            from_planned: self.from_planned.quantiles(),
            from_planned_quiet: self.quiet.quantiles(),
            quiet_share: self.quiet.share(),
            from_sent: self.from_sent.quantiles(),
            closed_loop: Quantiles::of(&self.closed_loop),
            lateness: self.lateness.quantiles(),
            hiccups: hiccups.line.quantiles(),
            skew: Quantiles::of(&skew),
            subscribers_p50: spread(&self.subscribers, 0.5),
            subscribers_p99: spread(&self.subscribers, 0.99),
            intervals,
            interval_hiccups,
            curve: self.from_planned.curve(),
            hiccup_curve: hiccups.line.curve(),
            hgrm: self.from_planned.hgrm(),
            hlog: self.from_planned.hlog(started, comment, |from_ns| self.since_start(from_ns))?,
        })
    }

    /// How long after the first block's beginning a place of the counted time was: others had their turns in between.
    fn since_start(&self, from_ns: u64) -> Duration {
        let ns = self.cut.warm_ns + from_ns;
        let block = self.cut.block(ns);
        let begins = |block: usize| self.blocks.get(block).map_or(0, |[start, _]| *start);
        let before = self.clock.between(begins(0), begins(block));
        Duration::from_nanos(before + ns - self.cut.bounds(block)[0])
    }

    /// The worst hiccup of the machine while an interval's messages were under way.
    fn worst(&self, hiccups: &Hiccups, from_ns: u64) -> u64 {
        let interval_ns = self.from_planned.interval_ns();
        let (from, to) = (self.cut.warm_ns + from_ns, self.cut.warm_ns + from_ns + interval_ns);
        let block = self.cut.block(from);
        let Some(&[start, end]) = self.blocks.get(block) else { return 0 };
        let begins = self.cut.bounds(block)[0];
        let at = |ns: u64| start + self.clock.ticks_of(ns - begins);
        // What was sent at the end of a block arrives before it ends.
        hiccups.log.worst(at(from), if self.cut.blocks() > 1 { end } else { at(to) })
    }
}

#[allow(clippy::expect_used, reason = "the bounds are constants")]
fn subscriber_histogram() -> Histogram<u32> {
    Histogram::new_with_bounds(1, NS_MAX, SUBSCRIBER_DIGITS).expect("bounds that are in order")
}

/// The least, the middle and the greatest of a quantile.
fn spread(subscribers: &[Histogram<u32>], quantile: f64) -> [u64; 3] {
    let mut of_each: Vec<u64> =
        subscribers.iter().map(|histogram| histogram.value_at_quantile(quantile)).collect();
    of_each.sort_unstable();
    let at = |place: usize| of_each.get(place).copied().unwrap_or(0);
    [at(0), at(of_each.len() / 2), at(of_each.len().saturating_sub(1))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrivals::Arrivals;
    use crate::cores::Place;
    use crate::hiccup::HiccupMeter;

    /// Ten messages, all due and sent, to two subscribers.
    fn sent(count: u64) -> (Deliveries, u64) {
        let clock = TickClock::get();
        let schedule = Arrivals::Even { rate: 1e6 }.schedule(1e-5).unwrap();
        let cut = Cut { warm_ns: 0, counted_ns: 10_000, block_ns: 10_000 };
        let mut deliveries = Deliveries::new(schedule, 2, cut, clock);
        let start = clock.ticks();
        deliveries.begin(start);
        deliveries.sent(count, start);
        (deliveries, start)
    }

    fn told(mut deliveries: Deliveries) -> Delivered {
        let meter = HiccupMeter::start(Duration::from_millis(1), Place::Anywhere, &[]).unwrap();
        deliveries.report(&meter.stop().unwrap(), 0, "x").unwrap()
    }

    #[test]
    fn one_that_comes_twice_does_not_stand_for_one_that_does_not_come() {
        let (mut deliveries, now) = sent(10);
        for message in 0..10 {
            deliveries.got(0, message, now);
            deliveries.got(0, message, now);
        }
        let told = told(deliveries);
        assert_eq!((told.sent, told.deliveries, told.repeated, told.lost), (10, 10, 10, 10));
        assert!(told.subscribers_p50[0] == 0 && told.quiet_share.is_some());
    }

    #[test]
    fn one_behind_a_later_one_and_one_that_was_not_sent_are_told() {
        let (mut deliveries, now) = sent(4);
        for message in [0, 2, 1, 3, 4, 9, 10, u64::MAX - 1] {
            deliveries.got(1, message, now);
        }
        let told = told(deliveries);
        assert_eq!((told.disordered, told.unknown, told.deliveries), (1, 4, 3));
        // What was never sent cannot be lost.
        assert_eq!((told.planned, told.sent, told.lost), (10, 4, 5));
    }

    #[test]
    fn of_nothing_there_is_no_share() {
        let (deliveries, _) = sent(0);
        let told = told(deliveries);
        assert_eq!((told.lost, told.deliveries, told.quiet_share), (0, 0, None));
    }
}

//! Over the wire: messages leave at planned times on one connection, and one or more subscribers say when their frames arrive.
//!
//! One thread does both, and never sleeps while it counts: a generator of two threads takes on two cores the place of what it measures.
//! A message's number comes back in its frame, so what is lost, repeated or out of order is seen as such.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use mio::{Events, Poll};
use serde::{Deserialize, Serialize};

use crate::arrivals::{Arrivals, Schedule};
use crate::clock::TickClock;
use crate::connections::{Rig, Subscriber, cancelled};
use crate::cores::{Pinned, Place, generator_core};
use crate::deliveries::{Cut, Delivered, Deliveries};
use crate::fault::Fault;
use crate::hiccup::HiccupMeter;
use crate::messages::{Messages, Sends};
use crate::sender::Sender;

/// Subscribers of one run.
pub const SUBSCRIBERS_MAX: usize = 20_000;
/// Messages that go out before it is looked what has come.
const SENDS_MAX: usize = 64;
/// Deliveries that are settled before it is looked again what is due: a microsecond or two.
const SETTLED_MAX: usize = 64;
/// Before a block's first planned time.
const LEAD: Duration = Duration::from_millis(20);

/// One server that is measured.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Target {
    /// What it is called in the report.
    pub name: String,
    /// Where subscribers connect.
    pub feed: SocketAddr,
    /// Path of the WebSocket.
    pub path: String,
    /// Subprotocol that a handshake offers.
    pub protocol: Option<String>,
    /// Text messages that each subscriber sends when it is connected; each is acknowledged by one with `"op":"subscribed"`.
    pub subscribe: Vec<String>,
    /// Where messages go.
    pub input: SocketAddr,
    /// What they are.
    pub sends: Sends,
    /// Further subscribers that never read, once they are in.
    #[serde(default)]
    pub stalled: usize,
    /// The server's process, whose own time is no hiccup of the machine; 0 = not known.
    #[serde(default)]
    pub pid: u32,
}

/// One run.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WirePlan {
    /// Several take turns, a block each.
    pub targets: Vec<Target>,
    /// Subscribers of each that are counted.
    pub subscribers: usize,
    /// When messages leave, for each target alike.
    pub arrivals: Arrivals,
    /// Time before the counted one, of each target.
    pub warm_seconds: f64,
    /// Counted time of each target.
    pub seconds: f64,
    /// Of a block; as long as the counted time where there is one target.
    pub block_seconds: f64,
    /// Levels that a message changes.
    pub changes: u64,
    /// How long after a block's last message its frames are waited for.
    pub drain_seconds: f64,
    /// The generator stands still for so long in the middle of each target's first block, to show what that does to its verdict.
    #[serde(default)]
    pub pause_ms: u64,
}

/// What makes a run impossible before anything is looked at.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Size {
    /// When messages leave.
    pub arrivals: Arrivals,
    /// For how long, warm-up included.
    pub seconds: f64,
    /// Subscribers of a server, those that never read included.
    pub subscribers: usize,
}

impl Size {
    /// Whether a run of it can be begun.
    ///
    /// # Errors
    /// `bench.subscribers`, `bench.rate`, `bench.seconds`.
    pub fn check(&self) -> Result<(), Fault> {
        self.schedule().map(|_| ())
    }

    fn schedule(&self) -> Result<Schedule, Fault> {
        if self.subscribers == 0 || self.subscribers > SUBSCRIBERS_MAX {
            let expected = format!("1 to {SUBSCRIBERS_MAX}");
            let fix = "choose another --subscribers";
            let what = "no such number of subscribers";
            return Err(Fault::new(
                "bench.subscribers",
                what,
                [&expected, &self.subscribers.to_string()],
                fix,
            ));
        }
        self.arrivals.schedule(self.seconds)
    }
}

/// What a run found.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WireReport {
    /// Each target, in the order of the plan.
    pub targets: Vec<TargetReport>,
    /// The clock that stamped.
    pub clock: &'static str,
    /// The core on which the generator was kept, and the log of hiccups off it, and still was at the end; see [`crate::cores`].
    pub generator_core: Option<usize>,
    /// Why it ended before its time.
    pub ended: Option<Fault>,
}

/// What was found of a target.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetReport {
    /// As the plan calls it.
    pub name: String,
    /// When its first block began, ms since the epoch.
    pub started_ms: u64,
    /// Of its deliveries.
    #[serde(flatten)]
    pub delivered: Delivered,
}

/// A target with its connections.
struct Line<'a> {
    target: &'a Target,
    rig: Rig<'a>,
    sender: Sender,
    messages: Messages,
    deliveries: Deliveries,
    /// Never read from.
    _stalled: Vec<Subscriber>,
    pushed: u64,
    started_ms: u64,
}

/// Runs a plan. `is_cancelled` ends it at once.
///
/// # Errors
/// What keeps it from beginning. What ends it later is part of the report.
pub fn run(plan: &WirePlan, is_cancelled: &AtomicBool) -> Result<WireReport, Fault> {
    let most = plan.targets.iter().map(|target| target.stalled).max().unwrap_or(0);
    let warm_seconds = plan.warm_seconds.max(0.0);
    let size = Size {
        arrivals: plan.arrivals.clone(),
        seconds: warm_seconds + plan.seconds,
        subscribers: if plan.subscribers == 0 { 0 } else { plan.subscribers.saturating_add(most) },
    };
    let schedule = size.schedule()?;
    let [warm_ns, counted_ns, block_ns] =
        [warm_seconds, plan.seconds, plan.block_seconds].map(|seconds| (seconds.max(0.0) * 1e9) as u64);
    let block_ns = if plan.targets.len() > 1 && block_ns > 0 { block_ns.min(counted_ns) } else { counted_ns };
    let cut = Cut { warm_ns, counted_ns, block_ns: block_ns.max(1) };
    let pinned = Pinned::at(Place::Generator);
    let mut lines = Vec::new();
    for target in &plan.targets {
        lines.push(Line::open(target, plan, &schedule, cut, is_cancelled)?);
    }
    let length = (warm_ns + counted_ns) * plan.targets.len() as u64;
    let servers: Vec<u32> = plan.targets.iter().map(|target| target.pid).collect();
    let hiccups = HiccupMeter::start(Duration::from_nanos(length), Place::Servers, &servers)?;
    let mut ended = Ok(());
    'blocks: for block in 0..cut.blocks() {
        // Each begins a block as often as the others.
        for turn in 0..lines.len() {
            let at = (block + turn) % lines.len();
            ended = lines[at].block(plan, &hiccups, is_cancelled);
            if ended.is_err() {
                break 'blocks;
            }
        }
    }
    let hiccups = hiccups.stop()?;
    let told = |mut line: Line<'_>| {
        let comment = format!(
            "depthwire bench: {}, ns from the planned time, {} subscribers",
            line.target.name, plan.subscribers
        );
        Ok(TargetReport {
            name: line.target.name.clone(),
            started_ms: line.started_ms,
            delivered: line.deliveries.report(&hiccups, line.started_ms, &comment)?,
        })
    };
    Ok(WireReport {
        targets: lines.into_iter().map(told).collect::<Result<_, Fault>>()?,
        clock: TickClock::get().source(),
        generator_core: generator_core().filter(|_| pinned.holds() && hiccups.is_placed),
        ended: ended.err(),
    })
}

impl<'a> Line<'a> {
    /// Connects everybody and opens the book.
    fn open(
        target: &'a Target,
        plan: &WirePlan,
        schedule: &Schedule,
        cut: Cut,
        is_cancelled: &AtomicBool,
    ) -> Result<Self, Fault> {
        let refused = |error| Fault::machine("no poll", error);
        let mut rig = Rig {
            target,
            poll: Poll::new().map_err(refused)?,
            events: Events::with_capacity(1_024),
            subscribers: Vec::with_capacity(plan.subscribers + target.stalled),
            clock: TickClock::get(),
        };
        rig.join(plan.subscribers + target.stalled, is_cancelled)?;
        let mut messages = Messages::new(target.sends, plan.changes)?;
        let mut sender = rig.sender()?;
        rig.first(&mut messages, &mut sender, is_cancelled)?;
        // What never reads from here on leaves the poll.
        let mut stalled = rig.subscribers.split_off(plan.subscribers);
        for subscriber in &mut stalled {
            rig.poll.registry().deregister(subscriber.socket.stream()).map_err(refused)?;
        }
        let deliveries = Deliveries::new(schedule.clone(), plan.subscribers, cut, rig.clock);
        Ok(Self { target, rig, sender, messages, deliveries, _stalled: stalled, pushed: 0, started_ms: 0 })
    }

    /// Its next block: what is due goes out, what has come is taken.
    fn block(
        &mut self,
        plan: &WirePlan,
        hiccups: &HiccupMeter,
        is_cancelled: &AtomicBool,
    ) -> Result<(), Fault> {
        let Self { rig, sender, messages, deliveries, pushed, .. } = self;
        let clock = rig.clock;
        let start = clock.ticks() + clock.ticks_of(LEAD.as_nanos() as u64);
        if self.started_ms == 0 {
            let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            self.started_ms = since.map_or(0, |since| (since + LEAD).as_millis() as u64);
        }
        deliveries.begin(start);
        let drain = clock.ticks_of((plan.drain_seconds.max(0.0) * 1e9) as u64);
        let middle = start + (deliveries.planned_end() - start) / 2;
        let mut pause = (plan.pause_ms > 0).then_some(middle);
        let mut before = clock.ticks();
        let ended = loop {
            let now = clock.ticks();
            hiccups.spun(clock, before, now);
            before = now;
            if pause.is_some_and(|at| now >= at) {
                pause = None;
                std::thread::sleep(Duration::from_millis(plan.pause_ms));
            }
            let mut sends = 0;
            while sends < SENDS_MAX && deliveries.is_due(*pushed, now) && sender.has_room() {
                // The first message opened the book.
                messages.write(*pushed + 1, |bytes| sender.push(bytes));
                *pushed += 1;
                sends += 1;
            }
            // Before the call: what it takes is part of the way.
            let sent = clock.ticks();
            match sender.flush() {
                Ok(0) => {}
                Ok(taken) => deliveries.sent(taken, sent),
                Err(fault) => break Err(fault),
            }
            if deliveries.is_over(now, drain, *pushed) {
                break Ok(());
            }
            if is_cancelled.load(Ordering::Relaxed) {
                break Err(cancelled());
            }
            if let Err(fault) = rig.take(deliveries) {
                break Err(fault);
            }
            // When nothing is due and nothing has come.
            if sends == 0
                && rig.events.is_empty()
                && deliveries.quiet.is_to_settle(now)
                && let Some(log) = hiccups.log()
            {
                deliveries.quiet.settle(&log, SETTLED_MAX);
            }
        };
        deliveries.end(clock.ticks());
        ended
    }
}

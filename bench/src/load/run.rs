//! The one loop: records that are due go out, what has come is taken.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::client::{Client, Taken};
use super::input::Input;
use super::line::Line;
use super::plan::{Access, Plan};
use super::report::{Flood, Joined, Quantiles, Report, cpu_ns, memory_bytes};

/// Connections that are made before it is looked what has come.
const CONNECTS_MAX: usize = 16;
const JOIN_TIME_MAX: Duration = Duration::from_secs(60);
/// How long after the last record deliveries are waited for.
const GRACE: Duration = Duration::from_secs(5);
/// Sleeping is given up so long before a record is due.
const SPIN: Duration = Duration::from_micros(200);
const INPUT: Token = Token(usize::MAX);
const FLOOD: &str = r#"{"op":"ping","id":1}"#;

struct Rig {
    poll: Poll,
    events: Events,
    clients: Vec<Client>,
    /// Connections that nobody reads.
    stalled: Vec<Client>,
    flooders: Vec<Flooder>,
    /// From a subscriber's connection to its last image, ns.
    joined: Histogram<u64>,
}

/// A client that sends without end, until it is ended.
struct Flooder {
    client: Client,
    since: Option<Instant>,
    end: Option<(u16, Duration)>,
}

/// Runs a plan.
pub fn run(plan: &Plan) -> Result<Report, String> {
    let mut rig = Rig {
        poll: Poll::new().map_err(text)?,
        events: Events::with_capacity(1_024),
        clients: Vec::with_capacity(plan.clients),
        stalled: Vec::new(),
        flooders: Vec::new(),
        joined: Histogram::new_with_bounds(1, 600_000_000_000, 3).map_err(text)?,
    };
    let access = plan.access()?;
    let memory_before = memory_bytes(plan.server_pid);
    let joining = Instant::now();
    rig.join(plan, &access)?;
    let joined_ms = joining.elapsed().as_secs_f64() * 1_000.0;
    rig.stall(plan, &access)?;
    rig.prepare_floods(plan, &access)?;
    let mut input = match (&plan.input, &plan.records) {
        (Some(address), Some(file)) if plan.rate > 0.0 => {
            let mut stream = TcpStream::connect(*address).map_err(text)?;
            rig.poll.registry().register(&mut stream, INPUT, Interest::WRITABLE).map_err(text)?;
            stream.set_nodelay(true).ok();
            Some(Input::new(stream, file)?)
        }
        _ => None,
    };
    rig.settle(Duration::from_millis(300))?;
    let memory_joined = memory_bytes(plan.server_pid);
    for client in &mut rig.clients {
        client.taken = Taken::default();
    }
    let mut measured = Measured::new(plan)?;
    rig.drive(plan, input.as_mut(), &mut measured)?;
    let joined = Joined {
        joined_ms,
        each: Quantiles::of(&rig.joined),
        memory_bytes: [memory_before, memory_joined, memory_bytes(plan.server_pid)],
        floods: rig.flooders.iter().filter_map(|flooder| flooder.end).map(Flood::from).collect(),
    };
    Ok(measured.report(plan, &rig.clients, joined))
}

impl Rig {
    /// Connects and subscribes every client, and waits for its images.
    fn join(&mut self, plan: &Plan, access: &Access) -> Result<(), String> {
        let until = Instant::now() + JOIN_TIME_MAX;
        let mut joining: Vec<Joining> = Vec::with_capacity(plan.clients);
        let mut ready = 0;
        while ready < plan.clients {
            if Instant::now() > until {
                return Err(format!("only {ready} of {} subscribers are in", plan.clients));
            }
            for _ in 0..CONNECTS_MAX {
                if self.clients.len() == plan.clients || self.clients.len() >= ready + plan.joining_max {
                    break;
                }
                let client = self.connect(plan, access, Token(self.clients.len()))?;
                self.clients.push(client);
                joining.push(Joining::since(Instant::now()));
            }
            let has_all = self.clients.len() == plan.clients;
            let wait = Duration::from_millis(if has_all { 50 } else { 0 });
            self.poll.poll(&mut self.events, Some(wait)).map_err(text)?;
            for event in &self.events {
                let at = event.token().0;
                let (Some(client), Some(state)) = (self.clients.get_mut(at), joining.get_mut(at)) else {
                    continue;
                };
                if event.is_writable() && !state.has_greeted {
                    state.has_greeted = true;
                    client.stream().set_nodelay(true).ok();
                    client.shake_hands(plan, access, at)?;
                }
                if event.is_readable() {
                    client.take(|_| {})?;
                }
                if client.is_open() && !state.has_asked {
                    state.has_asked = true;
                    for message in &plan.subscribe {
                        client.send_text(message)?;
                    }
                }
                let is_in = state.has_asked
                    && client.acknowledged >= plan.subscribe.len()
                    && client.taken.images >= plan.images;
                if is_in && !state.is_in {
                    state.is_in = true;
                    ready += 1;
                    self.joined.saturating_record(state.since.elapsed().as_nanos() as u64);
                }
            }
        }
        for (at, client) in self.clients.iter_mut().enumerate() {
            self.poll.registry().reregister(client.stream(), Token(at), Interest::READABLE).map_err(text)?;
        }
        Ok(())
    }

    fn connect(&self, plan: &Plan, access: &Access, token: Token) -> Result<Client, String> {
        let mut client = Client::connect(plan, access)?;
        let both = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(client.stream(), token, both).map_err(text)?;
        Ok(client)
    }

    /// Subscribers beside those that are counted, which never read what comes.
    fn stall(&mut self, plan: &Plan, access: &Access) -> Result<(), String> {
        for _ in 0..plan.stalled {
            let client = subscriber_apart(plan, access)?;
            self.stalled.push(client);
        }
        Ok(())
    }

    fn prepare_floods(&mut self, plan: &Plan, access: &Access) -> Result<(), String> {
        for _ in 0..plan.flooders {
            self.flooders.push(Flooder { client: subscriber_apart(plan, access)?, since: None, end: None });
        }
        Ok(())
    }

    fn flood(&mut self, now: Instant) {
        for Flooder { client, since, end } in &mut self.flooders {
            if end.is_none() {
                let since = *since.get_or_insert(now);
                *end = client.flood(FLOOD).map(|code| (code, since.elapsed()));
            }
        }
    }

    /// Takes what still comes of the images.
    fn settle(&mut self, time: Duration) -> Result<(), String> {
        let until = Instant::now() + time;
        while Instant::now() < until {
            self.poll.poll(&mut self.events, Some(Duration::from_millis(10))).map_err(text)?;
            for event in &self.events {
                if let Some(client) = self.clients.get_mut(event.token().0) {
                    client.take(|_| {})?;
                }
            }
        }
        Ok(())
    }

    fn drive(
        &mut self,
        plan: &Plan,
        mut input: Option<&mut Input>,
        measured: &mut Measured,
    ) -> Result<(), String> {
        let planned = plan.records_planned();
        let start = measured.start;
        let end = start + plan.warm() + plan.counted();
        let mut sent = 0;
        loop {
            let now = Instant::now();
            measured.pass(now, plan, &self.clients);
            if let Some(input) = input.as_deref_mut() {
                while sent < planned && measured.due(sent) <= now {
                    input.push()?;
                    measured.sent(sent, now);
                    sent += 1;
                }
                input.flush()?;
            }
            if now >= start + plan.warm() && now < end {
                self.flood(now);
            }
            let is_over = now >= end && sent >= planned;
            if is_over && (measured.has_all(&self.clients, sent) || now >= end + GRACE) {
                measured.close(plan, &self.clients);
                return Ok(());
            }
            let next = if sent < planned { measured.due(sent) } else { now + Duration::from_millis(5) };
            let wait = next.saturating_duration_since(now).saturating_sub(SPIN);
            // The system sleeps whole milliseconds, and a begun one to its end: rather none than one too many.
            let wait = Duration::from_millis(wait.as_millis() as u64);
            self.poll.poll(&mut self.events, Some(wait)).map_err(text)?;
            for event in &self.events {
                if event.token() == INPUT {
                    continue;
                }
                if let Some(client) = self.clients.get_mut(event.token().0) {
                    let now = Instant::now();
                    client.take(|number| measured.got(number as usize, now))?;
                }
            }
        }
    }
}

/// How far a subscriber is on its way in.
struct Joining {
    since: Instant,
    has_greeted: bool,
    has_asked: bool,
    is_in: bool,
}

impl Joining {
    const fn since(since: Instant) -> Self {
        Self { since, has_greeted: false, has_asked: false, is_in: false }
    }
}

/// A subscriber that no loop looks at, once it is acknowledged.
fn subscriber_apart(plan: &Plan, access: &Access) -> Result<Client, String> {
    let stream = std::net::TcpStream::connect(plan.feed).map_err(text)?;
    stream.set_nonblocking(true).map_err(text)?;
    let mut client = Client::new(Line::new(TcpStream::from_std(stream), access.tls.as_ref())?);
    client.shake_hands(plan, access, plan.clients)?;
    let until = Instant::now() + JOIN_TIME_MAX;
    let mut has_asked = false;
    while client.acknowledged < plan.subscribe.len() {
        if Instant::now() > until {
            return Err("a subscriber beside the others is not let in".to_owned());
        }
        client.take(|_| {})?;
        if client.is_open() && !has_asked {
            has_asked = true;
            for message in &plan.subscribe {
                client.send_text(message)?;
            }
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(client)
}

/// Clocks and counts of a run.
struct Measured {
    start: Instant,
    interval_ns: f64,
    counted_from: Instant,
    counted_until: Instant,
    latency: Histogram<u64>,
    lateness: Histogram<u64>,
    late: u64,
    sent: u64,
    sent_in_all: u64,
    before: Option<Sample>,
    after: Option<Sample>,
}

/// What was so at one moment.
struct Sample {
    at: Instant,
    cpu_ns: u64,
    taken: Taken,
}

impl Sample {
    fn now(plan: &Plan, clients: &[Client]) -> Self {
        Self { at: Instant::now(), cpu_ns: cpu_ns(plan.server_pid), taken: total(clients) }
    }
}

impl Measured {
    fn new(plan: &Plan) -> Result<Self, String> {
        let start = Instant::now() + Duration::from_millis(20);
        let histogram = || Histogram::new_with_bounds(1, 60_000_000_000, 3).map_err(text);
        Ok(Self {
            start,
            interval_ns: if plan.rate > 0.0 { 1e9 / plan.rate } else { 0.0 },
            counted_from: start + plan.warm(),
            counted_until: start + plan.warm() + plan.counted(),
            latency: histogram()?,
            lateness: histogram()?,
            late: 0,
            sent: 0,
            sent_in_all: 0,
            before: None,
            after: None,
        })
    }

    /// The planned time of a record.
    fn due(&self, record: usize) -> Instant {
        self.start + Duration::from_nanos((record as f64 * self.interval_ns) as u64)
    }

    fn is_counted(&self, due: Instant) -> bool {
        due >= self.counted_from && due < self.counted_until
    }

    fn sent(&mut self, record: usize, now: Instant) {
        self.sent_in_all += 1;
        let due = self.due(record);
        if !self.is_counted(due) {
            return;
        }
        let lateness = (now - due).as_nanos() as u64;
        self.sent += 1;
        self.late += u64::from(lateness as f64 > self.interval_ns.max(1e6));
        self.lateness.saturating_record(lateness.max(1));
    }

    fn got(&mut self, record: usize, now: Instant) {
        let due = self.due(record);
        if self.is_counted(due) {
            self.latency.saturating_record((now.saturating_duration_since(due).as_nanos() as u64).max(1));
        }
    }

    /// Takes the samples at the ends of the counted time.
    fn pass(&mut self, now: Instant, plan: &Plan, clients: &[Client]) {
        if self.before.is_none() && now >= self.counted_from {
            self.before = Some(Sample::now(plan, clients));
        } else if self.after.is_none() && now >= self.counted_until {
            self.after = Some(Sample::now(plan, clients));
        }
    }

    fn close(&mut self, plan: &Plan, clients: &[Client]) {
        self.before.get_or_insert_with(|| Sample::now(plan, clients));
        self.after.get_or_insert_with(|| Sample::now(plan, clients));
    }

    fn has_all(&self, clients: &[Client], sent: usize) -> bool {
        clients.iter().all(|client| client.taken.books >= sent as u64)
    }

    fn report(&self, plan: &Plan, clients: &[Client], joined: Joined) -> Report {
        let (Some(before), Some(after)) = (&self.before, &self.after) else { unreachable!("closed") };
        let deliveries = after.taken.books - before.taken.books;
        let cpu_ns = after.cpu_ns - before.cpu_ns;
        let expected = self.sent_in_all * clients.len() as u64;
        let lost = expected.saturating_sub(total(clients).books);
        let seconds = (after.at - before.at).as_secs_f64();
        let is_in_time = self.late as f64 <= self.sent as f64 / 1_000.0;
        Report {
            ok: lost == 0 && is_in_time,
            clients: plan.clients,
            rate: plan.rate,
            sent: self.sent,
            late: self.late,
            deliveries,
            lost,
            messages: after.taken.messages - before.taken.messages,
            bytes: after.taken.bytes - before.taken.bytes,
            cpu_ns,
            deliveries_per_cpu_second: deliveries as f64 * 1e9 / (cpu_ns.max(1)) as f64,
            cpu_ns_per_record: cpu_ns as f64 / (self.sent.max(1)) as f64,
            latency_us: Quantiles::of(&self.latency),
            lateness_us: Quantiles::of(&self.lateness),
            seconds,
            joined,
        }
    }
}

fn total(clients: &[Client]) -> Taken {
    clients.iter().fold(Taken::default(), |sum, Client { taken, .. }| Taken {
        books: sum.books + taken.books,
        images: sum.images + taken.images,
        frames: sum.frames + taken.frames,
        messages: sum.messages + taken.messages,
        bytes: sum.bytes + taken.bytes,
    })
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

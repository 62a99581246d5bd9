//! Clients that connect, are greeted and leave, one after the other in as many places as may join at a time.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use mio::{Events, Interest, Poll, Registry, Token};
use serde::Serialize;

use super::client::Client;
use super::plan::{Access, Plan};
use super::report::{Quantiles, cpu_ns};

const TIME_MAX: Duration = Duration::from_secs(60);
const CLOSE_NORMAL: u16 = 1_000;

/// One line of JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Handshakes {
    /// Everybody was greeted, and left in order.
    pub ok: bool,
    pub handshakes: usize,
    /// Those that were not greeted.
    pub lost: usize,
    pub seconds: f64,
    /// CPU time of the server; 0 = not counted.
    pub cpu_ns: u64,
    pub handshakes_per_second: f64,
    pub handshakes_per_cpu_second: f64,
    /// From the connection to the greeting, µs.
    pub each: Quantiles,
}

impl Handshakes {
    pub fn line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

struct Place {
    client: Client,
    since: Instant,
    has_asked: bool,
    is_leaving: bool,
    has_left: bool,
}

/// Runs a plan with `handshakes`.
pub fn run(plan: &Plan) -> Result<Handshakes, String> {
    let access = plan.access()?;
    let mut poll = Poll::new().map_err(text)?;
    let mut events = Events::with_capacity(1_024);
    let mut greeted = Histogram::new_with_bounds(1, 60_000_000_000, 3).map_err(text)?;
    let cpu_before = cpu_ns(plan.server_pid);
    let start = Instant::now();
    let mut places = Vec::new();
    let mut begun = plan.joining_max.min(plan.handshakes);
    for at in 0..begun {
        places.push(connect(plan, &access, poll.registry(), at)?);
    }
    // Which handshake each place is at, so that each has a token of its own.
    let mut numbers: Vec<usize> = (0..begun).collect();
    let mut left = 0;
    while left < plan.handshakes {
        if start.elapsed() > TIME_MAX {
            return Err(format!("only {left} of {} handshakes", plan.handshakes));
        }
        poll.poll(&mut events, Some(Duration::from_millis(50))).map_err(text)?;
        for event in &events {
            let at = event.token().0;
            let Some(place) = places.get_mut(at) else { continue };
            if event.is_writable() && !place.has_asked {
                place.has_asked = true;
                place.client.stream().set_nodelay(true).ok();
                place.client.shake_hands(plan, &access, numbers[at])?;
            }
            if !event.is_readable() || place.has_left {
                continue;
            }
            let taken = place.client.take(|_| {});
            if place.client.greetings > 0 && !place.is_leaving {
                greeted.saturating_record(place.since.elapsed().as_nanos() as u64);
                place.is_leaving = true;
                place.client.send_close(CLOSE_NORMAL)?;
            }
            let Err(reason) = taken else { continue };
            if place.client.closed_with() != Some(CLOSE_NORMAL) {
                return Err(reason);
            }
            place.has_left = true;
            left += 1;
            if begun < plan.handshakes {
                places[at] = connect(plan, &access, poll.registry(), at)?;
                numbers[at] = begun;
                begun += 1;
            }
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let cpu_ns = cpu_ns(plan.server_pid) - cpu_before;
    let lost = plan.handshakes - greeted.len() as usize;
    Ok(Handshakes {
        ok: lost == 0,
        handshakes: plan.handshakes,
        lost,
        seconds,
        cpu_ns,
        handshakes_per_second: plan.handshakes as f64 / seconds,
        handshakes_per_cpu_second: plan.handshakes as f64 * 1e9 / cpu_ns.max(1) as f64,
        each: Quantiles::of(&greeted),
    })
}

fn connect(plan: &Plan, access: &Access, registry: &Registry, at: usize) -> Result<Place, String> {
    let mut client = Client::connect(plan, access)?;
    let both = Interest::READABLE | Interest::WRITABLE;
    registry.register(client.stream(), Token(at), both).map_err(text)?;
    Ok(Place { client, since: Instant::now(), has_asked: false, is_leaving: false, has_left: false })
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

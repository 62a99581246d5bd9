//! The connection of a feed: attempts, silence, pauses, what goes out.

use std::io::{self, ErrorKind};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Message, WebSocket};

use super::Feed;
use crate::Error;
use crate::address::Address;
use crate::closing::{After, Closing};
use crate::event::Event;
use crate::options::Options;
use crate::pauses::{Pacer, by_chance};
use crate::socket::{Door, Opened, Refusal, Wire};
use crate::token::Asked;

/// Intervals of pings or of the server's heartbeats in which nothing at all arrives before the server is left.
const SILENT_INTERVALS_MAX: u32 = 3;

/// The longest pause that a server may ask for.
const WINDOW_MAX: Duration = Duration::from_secs(600);

/// The client closes with this code when the server breaks the protocol or falls silent.
const CLOSE_PROTOCOL: u16 = 4_000;

pub(super) struct Link {
    door: Door,
    token: Asked,
    phase: Phase,
    attempts_in_row: u32,
    /// Within how long the server wants its clients back.
    window: Option<Duration>,
}

enum Phase {
    /// Until the next attempt.
    Waiting(Instant),
    /// An attempt is under way, and is given up at that time.
    Opening(Receiver<Opened>, Instant),
    Open(Box<Open>),
    /// It is over.
    Ended(Error),
}

struct Open {
    socket: WebSocket<Wire>,
    since: Instant,
    /// Until when the server has to greet; none = it has.
    greet_by: Option<Instant>,
    ping_at: Instant,
    /// What may pass without a word.
    silence_max: Duration,
    /// What has passed so, of the time that was spent listening.
    silence: Duration,
    slice: Duration,
    pacer: Pacer,
    has_unsent: bool,
}

impl Link {
    pub fn new(address: Address, options: &Options) -> Self {
        let door = Door {
            address,
            timeout: options.open_within,
            #[cfg(feature = "tls")]
            tls: options.tls.clone(),
        };
        let phase = Phase::Waiting(Instant::now());
        Self { door, token: Asked::new(options.token.clone()), phase, attempts_in_row: 0, window: None }
    }

    /// Whether the server has greeted, so that it can be asked.
    pub fn is_greeted(&self) -> bool {
        matches!(&self.phase, Phase::Open(open) if open.greet_by.is_none())
    }

    /// The server has greeted, and says how often it will be heard (0 = it does not say) and what it takes a second.
    pub fn greeted(&mut self, heartbeat_ms: u64, per_second: Option<u32>, now: Instant) {
        self.window = None;
        if let Phase::Open(open) = &mut self.phase {
            open.greet_by = None;
            open.pacer = Pacer::new(per_second.unwrap_or(50), now);
            if heartbeat_ms > 0 {
                let heartbeat = Duration::from_millis(heartbeat_ms).saturating_mul(SILENT_INTERVALS_MAX);
                open.silence_max = open.silence_max.min(heartbeat);
            }
        }
    }

    /// The server is about to end and wants its clients back at any time within so many ms.
    pub fn spread_over(&mut self, window_ms: Option<u64>) {
        self.window = window_ms.map(|ms| Duration::from_millis(ms).min(WINDOW_MAX));
    }

    /// Closes in good order.
    pub fn close(self) {
        let Phase::Open(mut open) = self.phase else { return };
        let late = Instant::now() + Duration::from_secs(1);
        let frame = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        let asked = open.socket.close(Some(frame)).and_then(|()| open.socket.flush());
        let _ = open.socket.get_ref().wait_at_most(Duration::from_millis(100));
        let mut is_open = asked.is_ok();
        while is_open && Instant::now() < late {
            is_open = match open.socket.read() {
                Ok(_) => true,
                Err(tungstenite::Error::Io(error)) => is_only_late(&error),
                Err(_) => false,
            };
        }
    }

    /// How long to wait before the next attempt.
    fn pause(&mut self, after: After, options: &Options) -> Duration {
        let least = match after {
            After::Later => options.rest,
            After::Rested => options.rest / 2,
            After::Again | After::Token | After::End => Duration::ZERO,
        };
        let usual = options.pauses.after(self.attempts_in_row);
        self.attempts_in_row = self.attempts_in_row.saturating_add(1);
        match self.window.take() {
            // All clients of a server that stops are told the same: they spread over all of its window.
            Some(window) => by_chance(window, 0),
            None => by_chance(usual.max(least), 50),
        }
    }
}

fn is_only_late(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

/// A read waits for a power of two ms, so that the socket is told another time rarely.
fn slice_of(wait: Duration) -> Duration {
    let ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).clamp(1, 1_024);
    Duration::from_millis(1 << ms.ilog2())
}

impl Feed {
    /// Waits for one thing, for so long at most: a message, an attempt that is over, a timer.
    pub(super) fn turn(&mut self, now: Instant, wait: Duration) -> Result<(), Error> {
        match &mut self.link.phase {
            Phase::Ended(error) => return Err(error.clone()),
            Phase::Waiting(until) => {
                let left = until.saturating_duration_since(now);
                thread::sleep(left.min(wait));
                if left <= wait {
                    let opening = self.link.door.open(self.link.token.clone());
                    self.link.phase = Phase::Opening(opening, Instant::now() + self.options.open_within * 2);
                }
            }
            Phase::Opening(opening, late) => {
                let left = late.saturating_duration_since(now);
                let closing = match opening.recv_timeout(left.min(wait)) {
                    Ok(Ok(socket)) => {
                        self.opened(socket);
                        return Ok(());
                    }
                    Ok(Err(refusal)) => self.refused(refusal),
                    Err(RecvTimeoutError::Timeout) if left > wait => return Ok(()),
                    Err(_) => Closing::of_failure("no answer in time", &self.url),
                };
                return self.lose(closing);
            }
            Phase::Open(_) => {
                let closing = self.send(now).and_then(|()| self.listen(now, wait));
                if let Err(closing) = closing {
                    return self.lose(closing);
                }
            }
        }
        Ok(())
    }

    fn refused(&self, refusal: Refusal) -> Closing {
        match refusal {
            Refusal::Status(status) => Closing::of_status(status, &self.url),
            Refusal::Failed(got) => Closing::of_failure(&got, &self.url),
            Refusal::Token { error, may_come } => {
                Closing { error, after: if may_come { After::Again } else { After::End } }
            }
        }
    }

    fn opened(&mut self, socket: WebSocket<Wire>) {
        let now = Instant::now();
        let ping_each = self.options.ping_each;
        self.link.phase = Phase::Open(Box::new(Open {
            socket,
            since: now,
            greet_by: Some(now + self.options.open_within),
            ping_at: now + ping_each,
            silence_max: ping_each.saturating_mul(SILENT_INTERVALS_MAX),
            silence: Duration::ZERO,
            slice: Duration::ZERO,
            pacer: Pacer::new(50, now),
            has_unsent: false,
        }));
    }

    /// The connection is gone, or never was.
    fn lose(&mut self, closing: Closing) -> Result<(), Error> {
        let Closing { error, after } = closing;
        if after == After::Token {
            self.link.token.refused();
        }
        if let Phase::Open(open) = &mut self.link.phase {
            // A connection that has held is no part of the row of failures.
            if open.greet_by.is_none() && open.since.elapsed() > self.options.pauses.longest {
                self.link.attempts_in_row = 0;
            }
        }
        self.lost();
        if after == After::End || (after == After::Token && !self.link.token.can_renew()) {
            self.link.phase = Phase::Ended(error.clone());
            return Err(error);
        }
        let pause = self.link.pause(after, &self.options);
        self.link.phase = Phase::Waiting(Instant::now() + pause);
        self.counters.reconnects += 1;
        self.events.push_back(Event::Disconnected { error, pause });
        Ok(())
    }

    /// Sends what is due: requests for images, pings, what waits for its turn.
    fn send(&mut self, now: Instant) -> Result<(), Closing> {
        let Phase::Open(open) = &mut self.link.phase else { return Ok(()) };
        if open.greet_by.is_some() {
            return Ok(());
        }
        let pauses = self.options.resync;
        let mut due = Vec::new();
        let Self { mending, roster, .. } = self;
        mending.retain(|id| {
            let Some(each) = roster.get_mut(*id) else { return false };
            if each.granted.is_some() && each.resync.due.is_some_and(|due| due <= now) {
                each.resync.fire(now, pauses);
                due.push(*id);
            }
            each.resync.due.is_some()
        });
        if !due.is_empty() {
            self.counters.resyncs += due.len() as u64;
            self.roster.ask("resync", due);
        }
        if open.ping_at <= now {
            open.ping_at = now + self.options.ping_each;
            self.roster.outgoing.ping();
        }
        let mut sent = Ok(());
        while sent.is_ok() && open.pacer.ready().is_none_or(|ready| ready <= now) {
            let Some(text) = self.roster.outgoing.pop() else { break };
            open.pacer.sent(now);
            sent = open.socket.send(Message::text(text));
            open.has_unsent = sent.is_err();
        }
        if open.has_unsent && sent.is_ok() {
            sent = open.socket.flush();
            open.has_unsent = sent.is_err();
        }
        match sent {
            Ok(()) => Ok(()),
            Err(tungstenite::Error::Io(error)) if is_only_late(&error) => Ok(()),
            Err(error) => Err(Closing::of_code(1006, &error.to_string(), &self.url)),
        }
    }

    /// Reads a message, waiting for so long at most.
    fn listen(&mut self, now: Instant, wait: Duration) -> Result<(), Closing> {
        let next = self.next_due().map(|due| due.saturating_duration_since(now));
        let Phase::Open(open) = &mut self.link.phase else { return Ok(()) };
        let quiet = open.silence_max.saturating_sub(open.silence);
        let slice = slice_of(wait.min(quiet).min(next.unwrap_or(Duration::MAX)));
        if slice != open.slice {
            open.slice = slice;
            let told = open.socket.get_ref().wait_at_most(slice);
            told.map_err(|error| Closing::of_code(1006, &error.to_string(), &self.url))?;
        }
        let message = match open.socket.read() {
            Ok(message) => message,
            Err(tungstenite::Error::Io(error)) if is_only_late(&error) => {
                open.silence += slice;
                let is_ungreeted = open.greet_by.is_some_and(|by| by <= now);
                if is_ungreeted || open.silence >= open.silence_max {
                    let (what, fix) = ("the server is silent", "check that the server runs and answers");
                    let (expected, got) =
                        ("a heartbeat or an answer", format!("nothing for {:?}", open.silence));
                    let error = Error::new("feed.silent", what, &self.url, expected, &got, fix);
                    return Err(self.break_off(error));
                }
                return Ok(());
            }
            Err(error) => return Err(Closing::of_code(1006, &error.to_string(), &self.url)),
        };
        open.silence = Duration::ZERO;
        let taken = match message {
            Message::Text(text) => self.take_text(text.as_str(), now),
            Message::Binary(bytes) => self.take_bytes(&bytes, now),
            Message::Close(frame) => {
                let code = frame.as_ref().map_or(1005, |frame| u16::from(frame.code));
                let reason = frame.map_or_else(String::new, |frame| frame.reason.to_string());
                // The answer to a close is written by the next flush.
                let _ = open.socket.flush();
                return Err(Closing::of_code(code, &reason, &self.url));
            }
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Ok(()),
        };
        taken.map_err(|error| self.break_off(error))
    }

    /// When something has to be done next.
    fn next_due(&self) -> Option<Instant> {
        let Phase::Open(open) = &self.link.phase else { return None };
        let waits = !self.roster.outgoing.is_empty();
        let sends = waits.then(|| open.pacer.ready()).flatten();
        let mut due = [Some(open.ping_at), open.greet_by, sends].into_iter().flatten().min();
        for id in &self.mending {
            let resync = self.roster.get(*id).filter(|each| each.granted.is_some()).map(|each| &each.resync);
            due = resync.and_then(|resync| resync.due).into_iter().chain(due).min();
        }
        due
    }

    /// Leaves the server: what it brings cannot be trusted any more, for a lost frame would go unnoticed.
    fn break_off(&mut self, error: Error) -> Closing {
        if let Phase::Open(open) = &mut self.link.phase {
            let reason = error.code.clone().into();
            let _ = open.socket.close(Some(CloseFrame { code: CloseCode::from(CLOSE_PROTOCOL), reason }));
        }
        Closing::by_client(error)
    }
}

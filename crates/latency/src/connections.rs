//! The connections of one server that is measured: its subscribers, and the one on which messages go to it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::clock::TickClock;
use crate::deliveries::Deliveries;
use crate::fault::Fault;
use crate::frames::see;
use crate::messages::Messages;
use crate::sender::Sender;
use crate::updates::FIRST;
use crate::websocket::{Message, WebSocket};
use crate::wire::Target;

/// Connections that are being made at a time.
const JOINING_MAX: usize = 64;
/// Until everybody is in, and has the first frame.
const JOIN_TIME_MAX: Duration = Duration::from_secs(60);
/// The connection of the messages, in the poll.
const INPUT: Token = Token(usize::MAX);

pub(crate) struct Subscriber {
    pub(crate) socket: WebSocket<TcpStream>,
    pub(crate) acknowledged: usize,
    pub(crate) has_greeted: bool,
    pub(crate) has_asked: bool,
    pub(crate) has_first: bool,
}

pub(crate) struct Rig<'a> {
    pub(crate) target: &'a Target,
    pub(crate) poll: Poll,
    pub(crate) events: Events,
    pub(crate) subscribers: Vec<Subscriber>,
    pub(crate) clock: TickClock,
}

impl Rig<'_> {
    /// Connects and subscribes everybody.
    pub(crate) fn join(&mut self, everybody: usize, is_cancelled: &AtomicBool) -> Result<(), Fault> {
        let plan = self.target;
        let until = Instant::now() + JOIN_TIME_MAX;
        let host = plan.feed.to_string();
        let is_in =
            |subscriber: &Subscriber| subscriber.has_asked && subscriber.acknowledged >= plan.subscribe.len();
        let mut ready = 0;
        while ready < everybody {
            check(until, is_cancelled, || format!("only {ready} of {everybody} subscribers are in"))?;
            while self.subscribers.len() < everybody && self.subscribers.len() < ready + JOINING_MAX {
                let mut stream = connect(plan.feed)?;
                let token = Token(self.subscribers.len());
                let both = Interest::READABLE | Interest::WRITABLE;
                let registered = self.poll.registry().register(&mut stream, token, both);
                registered.map_err(|error| Fault::machine("no poll", error))?;
                self.subscribers.push(Subscriber {
                    socket: WebSocket::new(stream),
                    acknowledged: 0,
                    has_greeted: false,
                    has_asked: false,
                    has_first: false,
                });
            }
            self.wait(Duration::from_millis(10))?;
            for event in &self.events {
                let Some(subscriber) = self.subscribers.get_mut(event.token().0) else { continue };
                let was_in = is_in(subscriber);
                if event.is_writable() && !std::mem::replace(&mut subscriber.has_greeted, true) {
                    subscriber.socket.stream().set_nodelay(true).ok();
                    subscriber.socket.shake_hands(&host, &plan.path, plan.protocol.as_deref(), "")?;
                }
                if event.is_readable() {
                    subscriber.take(|_| {})?;
                }
                if subscriber.socket.is_open() && !std::mem::replace(&mut subscriber.has_asked, true) {
                    for message in &plan.subscribe {
                        subscriber.socket.send_text(message)?;
                    }
                }
                ready += usize::from(is_in(subscriber) && !was_in);
            }
        }
        for (at, subscriber) in self.subscribers.iter_mut().enumerate() {
            let again =
                self.poll.registry().reregister(subscriber.socket.stream(), Token(at), Interest::READABLE);
            again.map_err(|error| Fault::machine("no poll", error))?;
        }
        Ok(())
    }

    pub(crate) fn sender(&mut self) -> Result<Sender, Fault> {
        let mut stream = connect(self.target.input)?;
        let registered = self.poll.registry().register(&mut stream, INPUT, Interest::WRITABLE);
        registered.map_err(|error| Fault::machine("no poll", error))?;
        stream.set_nodelay(true).ok();
        Ok(Sender::new(stream))
    }

    /// Sends the first message, and waits until everybody has its frame.
    pub(crate) fn first(
        &mut self,
        messages: &mut Messages,
        sender: &mut Sender,
        is_cancelled: &AtomicBool,
    ) -> Result<(), Fault> {
        messages.write(0, |bytes| sender.push(bytes));
        let until = Instant::now() + JOIN_TIME_MAX;
        loop {
            let waiting = self.subscribers.iter().filter(|subscriber| !subscriber.has_first).count();
            if waiting == 0 {
                return Ok(());
            }
            check(until, is_cancelled, || format!("{waiting} subscribers have not got the first frame"))?;
            sender.flush()?;
            self.wait(Duration::from_millis(1))?;
            for event in &self.events {
                let Some(subscriber) = self.subscribers.get_mut(event.token().0) else { continue };
                let mut has_first = false;
                subscriber.take(|number| has_first |= number >= FIRST)?;
                subscriber.has_first |= has_first;
            }
        }
    }

    pub(crate) fn wait(&mut self, time: Duration) -> Result<(), Fault> {
        match self.poll.poll(&mut self.events, Some(time)) {
            Err(error) if error.kind() != std::io::ErrorKind::Interrupted => {
                Err(Fault::machine("no poll", error))
            }
            _ => Ok(()),
        }
    }

    /// What has come.
    pub(crate) fn take(&mut self, deliveries: &mut Deliveries) -> Result<(), Fault> {
        self.wait(Duration::ZERO)?;
        for event in &self.events {
            let at = event.token().0;
            let Some(subscriber) = self.subscribers.get_mut(at) else { continue };
            let now = self.clock.ticks();
            subscriber.take(|number| {
                // The first message has no place in the plan.
                if let Some(message) = number.checked_sub(FIRST + 1) {
                    deliveries.got(at, message, now);
                }
            })?;
        }
        Ok(())
    }
}

impl Subscriber {
    /// Takes what has come, and hands out the number of each frame of the book.
    pub(crate) fn take(&mut self, mut on_book: impl FnMut(u64)) -> Result<(), Fault> {
        let Self { socket, acknowledged, .. } = self;
        let mut wrong = None;
        socket.take(|message| match message {
            Message::Binary(mut bytes) => {
                while let Some(seen) = see(bytes) {
                    if seen.is_book {
                        on_book(seen.number);
                    }
                    bytes = &bytes[seen.size..];
                }
                if !bytes.is_empty() {
                    wrong = Some(Fault::server("a frame is cut", "whole frames", bytes.len()));
                }
            }
            Message::Text(text) => {
                *acknowledged += usize::from(holds(text, b"\"op\":\"subscribed\""));
                if holds(text, b"\"op\":\"error\"") {
                    let said = String::from_utf8_lossy(text);
                    wrong = Some(Fault::server("the server refuses a subscription", "subscribed", said));
                }
            }
            Message::Close(code) => {
                wrong = Some(Fault::server("the server said goodbye", "that it stays", code));
            }
        })?;
        wrong.map_or(Ok(()), Err)
    }
}

fn connect(to: SocketAddr) -> Result<TcpStream, Fault> {
    TcpStream::connect(to).map_err(|error| {
        let what = format!("no connection to {to}");
        // Too many open files, of this process or of the system.
        match error.raw_os_error() {
            Some(23 | 24) => Fault::machine(what, error),
            _ => Fault::server(what, "a server", error),
        }
    })
}

fn check(until: Instant, is_cancelled: &AtomicBool, what: impl FnOnce() -> String) -> Result<(), Fault> {
    if is_cancelled.load(Ordering::Relaxed) {
        return Err(cancelled());
    }
    if Instant::now() > until {
        let expected = format!("that it takes {} s at most", JOIN_TIME_MAX.as_secs());
        return Err(Fault::server(what(), &expected, "more"));
    }
    Ok(())
}

pub(crate) fn cancelled() -> Fault {
    let fix = "start it again and let it end";
    Fault::new("bench.cancelled", "the run was ended before its time", ["a whole run", "a part of it"], fix)
}

fn holds(text: &[u8], wanted: &[u8]) -> bool {
    text.windows(wanted.len()).any(|window| window == wanted)
}

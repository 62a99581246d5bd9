//! What a dialect says, frame by frame, each with the book that a reader of it knows.

use std::collections::VecDeque;
use std::rc::Rc;

use depthwire_core::framing::mold;
use depthwire_sim::dialects::{Channel, Dialect, Frames, Truth};

use crate::rooms::Row;

/// When every market begins.
pub const START_NS: u64 = 1_785_552_833_184_216_000;

/// A frame as it is received.
#[derive(Clone)]
pub struct Heard {
    pub bytes: Vec<u8>,
    pub now: u64,
    pub channel: Channel,
    /// The venue's number of the last thing that it tells; 0 where the venue has none.
    pub seq: u64,
    /// The book behind it; none where a later frame belongs to the same event.
    pub truth: Option<Rc<Truth>>,
}

impl Heard {
    /// Whether it may change a book.
    pub const fn is_book(&self) -> bool {
        matches!(self.channel, Channel::Book | Channel::Orders)
    }
}

/// A connection to a dialect.
pub struct Feed {
    pub dialect: Box<dyn Dialect>,
    pub now: u64,
    are_datagrams: bool,
    waiting: VecDeque<Heard>,
}

impl Feed {
    /// One on which everything is said from the beginning.
    pub fn open(row: &Row, seed: u64) -> Self {
        Self::of((row.make)(seed), row.are_datagrams)
    }

    /// One of a dialect.
    pub fn of(dialect: Box<dyn Dialect>, are_datagrams: bool) -> Self {
        let mut feed = Self { dialect, now: START_NS, are_datagrams, waiting: VecDeque::new() };
        feed.reopen(START_NS);
        feed
    }

    /// Another connection.
    pub fn reopen(&mut self, now: u64) {
        self.now = now;
        let mut frames = Frames::new();
        self.dialect.open(now, &mut frames);
        self.take(&frames);
    }

    /// What is told is told anew.
    pub fn resubscribe(&mut self) {
        let mut frames = Frames::new();
        self.dialect.resubscribe(self.now, &mut frames);
        self.take(&frames);
    }

    fn take(&mut self, frames: &Frames) {
        let mut truth = Truth::default();
        self.dialect.truth(&mut truth);
        let begun = self.waiting.len();
        self.waiting.extend(frames.iter().map(|frame| Heard {
            bytes: frame.bytes.to_vec(),
            now: frame.time_ns,
            channel: frame.channel,
            seq: if self.are_datagrams { last_number(frame.bytes) } else { truth.seq },
            truth: None,
        }));
        let last = self.waiting.range_mut(begun..).rev().find(|heard| heard.is_book());
        if let Some(last) = last {
            last.truth = Some(Rc::new(truth));
        }
    }

    /// Whether all that the dialect has said was heard.
    pub fn is_heard(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The next frame, if one is said without time passing.
    pub fn told(&mut self) -> Option<Heard> {
        let heard = self.waiting.pop_front()?;
        self.now = self.now.max(heard.now);
        Some(heard)
    }

    /// The next frame.
    pub fn next(&mut self) -> Heard {
        loop {
            if let Some(heard) = self.told() {
                return heard;
            }
            let mut frames = Frames::new();
            self.dialect.step(u64::MAX, &mut frames);
            assert!(!frames.is_empty(), "a market goes on for ever");
            self.take(&frames);
        }
    }
}

/// The number of the last message of a packet.
fn last_number(packet: &[u8]) -> u64 {
    let packet = mold::decode(packet).unwrap();
    (packet.sequence + u64::from(packet.count)).saturating_sub(1)
}

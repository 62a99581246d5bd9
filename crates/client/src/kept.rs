//! What is kept of a subscription, by its channel.

use depthwire_core::encode::{GapBody, Kind, TickerBody, TradingBody};
use depthwire_core::replica::{
    FeedFrame, Outcome, ReplicaBook, ReplicaError, ReplicaFacts, ReplicaOrders, ReplicaReason, ReplicaState,
    ReplicaTape,
};
use depthwire_core::types::Place;

use crate::topic::{BboSource, Channel, Topic};

/// What the server said last of its own book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// The state.
    pub state: ReplicaState,
    /// Place of the stream `book`.
    pub place: Place,
    /// Of a gap, the venue's number that was due, and the one that came.
    pub expected: u64,
    /// The one that came.
    pub received: u64,
    /// Time since a change was applied last, when the frame was sent, ns.
    pub age_ns: u64,
    /// What was lost of the book when it last was; `mended` 0 = not whole yet.
    pub gap: Option<GapBody>,
}

#[derive(Debug)]
pub(crate) enum Kept {
    Book(Box<ReplicaBook>),
    Orders(Box<ReplicaOrders>),
    Tape(ReplicaTape),
    Ticker(Box<ReplicaFacts<TickerBody>>),
    Trading(ReplicaFacts<TradingBody>),
    Status { last: Option<Status>, doubt: Option<ReplicaReason> },
}

impl Kept {
    pub fn of(topic: &Topic) -> Self {
        match topic.ask.channel {
            Channel::Book | Channel::Depth | Channel::Bbo => Self::Book(Box::default()),
            Channel::Orders => Self::Orders(Box::default()),
            Channel::Trades => Self::Tape(ReplicaTape::new(Kind::Trade)),
            Channel::Liquidations => Self::Tape(ReplicaTape::new(Kind::Liquidation)),
            Channel::Ticker => Self::Ticker(Box::new(ReplicaFacts::ticker())),
            Channel::Trading => Self::Trading(ReplicaFacts::trading()),
            Channel::Status => Self::Status { last: None, doubt: None },
        }
    }

    pub fn state(&self) -> ReplicaState {
        match self {
            Self::Book(book) => book.state(),
            Self::Orders(orders) => orders.state(),
            Self::Tape(tape) => tape.state(),
            Self::Ticker(facts) => facts.state(),
            Self::Trading(facts) => facts.state(),
            Self::Status { last: None, .. } => ReplicaState::Syncing,
            Self::Status { last: Some(_), doubt: Some(reason) } => ReplicaState::Stale(*reason),
            Self::Status { last: Some(status), doubt: None } => status.state,
        }
    }

    /// What to resume from.
    pub fn place(&self) -> Option<Place> {
        match self {
            Self::Book(book) => book.place(),
            Self::Orders(orders) => orders.resume_place(),
            Self::Tape(tape) => tape.place(),
            Self::Ticker(facts) => facts.place(),
            Self::Trading(facts) => facts.place(),
            Self::Status { .. } => None,
        }
    }

    /// What follows is not arriving for now.
    pub fn doubt(&mut self, reason: ReplicaReason) {
        match self {
            Self::Book(book) => book.doubt(reason),
            Self::Orders(orders) => orders.doubt(reason),
            Self::Tape(tape) => tape.doubt(reason),
            Self::Ticker(facts) => facts.doubt(reason),
            Self::Trading(facts) => facts.doubt(reason),
            Self::Status { doubt, .. } => *doubt = Some(reason),
        }
    }

    /// The server brings this to a sequence of the epoch that it has, by what follows.
    pub fn bring_to(&mut self, to: Place, server: ReplicaState) {
        match self {
            Self::Book(book) => book.bring_to(to, server),
            Self::Orders(orders) => orders.bring_to(to, server),
            Self::Tape(tape) => tape.bring_to(to),
            Self::Ticker(facts) => facts.bring_to(to),
            Self::Trading(facts) => facts.bring_to(to),
            Self::Status { .. } => {}
        }
    }

    /// Takes a frame; of a tape only what it does to the sequence is for who has the events, so that is not told here.
    pub fn apply(&mut self, frame: &FeedFrame<'_>) -> Result<Outcome, ReplicaError> {
        match self {
            Self::Book(book) => book.apply(frame),
            Self::Orders(orders) => orders.apply(frame),
            Self::Ticker(facts) => facts.apply(frame),
            Self::Trading(facts) => facts.apply(frame),
            Self::Tape(_) => Ok(Outcome::Ignored),
            Self::Status { last, doubt } => {
                let Some(status) = frame.status() else { return Ok(Outcome::Ignored) };
                *doubt = None;
                *last = Some(Status {
                    state: ReplicaState::of_codes(status.state, status.reason),
                    place: Place { epoch: frame.epoch(), seq: frame.seq() },
                    expected: status.expected,
                    received: status.received,
                    age_ns: status.age_ns,
                    gap: frame.gap(),
                });
                Ok(Outcome::Applied)
            }
        }
    }
}

/// Whether a subscription takes the status frames of its instrument.
pub(crate) fn follows_book(topic: &Topic) -> bool {
    match topic.ask.channel {
        Channel::Book | Channel::Depth | Channel::Orders | Channel::Status => true,
        Channel::Bbo => topic.ask.source != Some(BboSource::Venue),
        Channel::Trades | Channel::Liquidations | Channel::Ticker | Channel::Trading => false,
    }
}

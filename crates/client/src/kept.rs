//! What is kept of a subscription, by its channel.

use depthwire_core::encode::{Flags, GapBody, Kind, Stream, TickerBody, TradingBody};
use depthwire_core::replica::{
    FeedFrame, Outcome, ReplicaBook, ReplicaCosts, ReplicaError, ReplicaFacts, ReplicaOrders, ReplicaReason,
    ReplicaSignals, ReplicaState, ReplicaTape, ReplicaVolumes,
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
    Volumes(Box<ReplicaVolumes>),
    Costs(Box<ReplicaCosts>),
    Signals(Box<ReplicaSignals>),
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
            Channel::Volumes => Self::Volumes(Box::default()),
            Channel::Costs => Self::Costs(Box::default()),
            Channel::Signals => Self::Signals(Box::default()),
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
            Self::Volumes(volumes) => volumes.state(),
            Self::Costs(costs) => costs.state(),
            Self::Signals(signals) => signals.state(),
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
            Self::Volumes(volumes) => volumes.place(),
            Self::Costs(costs) => costs.place(),
            Self::Signals(signals) => signals.place(),
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
            Self::Volumes(volumes) => volumes.doubt(reason),
            Self::Costs(costs) => costs.doubt(reason),
            Self::Signals(signals) => signals.doubt(reason),
            Self::Status { doubt, .. } => *doubt = Some(reason),
        }
    }

    /// The stream that content with a view's number is of: the number of a view may be another one on the next connection.
    pub fn stream(&self) -> Option<Stream> {
        match self {
            Self::Book(book) => Some(book.stream()),
            Self::Volumes(volumes) => Some(volumes.stream()),
            Self::Costs(costs) => Some(costs.stream()),
            Self::Signals(signals) => Some(signals.stream()),
            _ => None,
        }
    }

    /// Nothing of what has such a number can be trusted until the next image.
    pub fn lose(&mut self, reason: ReplicaReason) {
        match self {
            Self::Book(book) => book.lose(reason),
            Self::Volumes(volumes) => volumes.lose(reason),
            Self::Costs(costs) => costs.lose(reason),
            Self::Signals(signals) => signals.lose(reason),
            _ => {}
        }
    }

    /// What the server doubts of a book that it calls synced.
    pub fn doubts(&self) -> Flags {
        match self {
            Self::Book(book) => book.flags().doubts(),
            _ => Flags::NONE,
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
            Self::Volumes(volumes) => volumes.bring_to(to),
            Self::Costs(costs) => costs.bring_to(to, server),
            Self::Signals(signals) => signals.bring_to(to, server),
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
            Self::Volumes(volumes) => volumes.apply(frame),
            Self::Costs(costs) => costs.apply(frame),
            Self::Signals(signals) => signals.apply(frame),
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
        Channel::Book
        | Channel::Depth
        | Channel::Orders
        | Channel::Costs
        | Channel::Signals
        | Channel::Status => true,
        Channel::Bbo => topic.ask.source != Some(BboSource::Venue),
        Channel::Trades | Channel::Liquidations | Channel::Ticker | Channel::Trading | Channel::Volumes => {
            false
        }
    }
}

//! What a snapshot is: how much of the book it makes known, where it comes from, and which part of one a message brings.

/// How much of the venue's book a snapshot, and what follows it, makes known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Coverage {
    /// All of it.
    Whole,
    /// Each side to its worst level: the answer was cut at a limit, and does not say whether there was more.
    ToWorst,
    /// The best so many levels a side. The venue stops naming what falls behind them, so the book is cut to them after
    /// every message.
    Depth(u32),
    /// The same, and it names each level that falls behind them: a book that has more after a message contradicts it.
    ExactDepth(u32),
    /// Of a book of orders the best so many a side, each of which it names when it leaves them: a side with more contradicts
    /// it. Of one that has had as many the worst level may be told in part, so it is known to the level before.
    Orders(u32),
}

impl Coverage {
    /// The levels a side to which the book is cut after every message, where it is.
    #[must_use]
    pub const fn depth(self) -> Option<u32> {
        match self {
            Self::Depth(depth) | Self::ExactDepth(depth) => Some(depth),
            Self::Whole | Self::ToWorst | Self::Orders(_) => None,
        }
    }
}

/// Where a snapshot comes from, which decides what it may do to a book that is synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The venue sent it in its stream: from here on the book is this one.
    Stream,
    /// The venue tells the whole book with each message, and this is one of them: what it says otherwise than the one
    /// before has changed. One with a lower number that is not later is old.
    Restated,
    /// It answers a request, and names its instrument or was asked for by the engine.
    Answer,
    /// It answers a request and names no instrument.
    Anonymous,
}

/// Which part of a snapshot an event brings: order by order they may come in many messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// Its beginning: what was known before is void.
    First,
    /// More of it.
    Middle,
    /// Its end: the book is whole.
    Last,
}

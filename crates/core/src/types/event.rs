//! What a venue's room makes of one frame: events as data, each of one instrument or of all that a connection carries.
//!
//! A room appends events to an arena; the engine reads them and moves books. So a room needs no book, a frame may say several
//! things, and several frames may be read before the first is applied.

use super::{
    Absent, Coverage, Level, LevelSpan, Origin, Part, Slot, Span, StaleReason, TickerAt, TimeNs,
    TradingStatus,
};

/// Where a message stands in its venue's own numbering; all zero where the venue numbers nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VenueSeq {
    /// Number of the first change in the message.
    pub first: u64,
    /// Number of the last one, which the book then stands at.
    pub last: u64,
    /// Number of the message before, where the venue states it.
    pub prev: Option<u64>,
}

impl VenueSeq {
    /// A message with one number.
    #[must_use]
    pub const fn at(number: u64) -> Self {
        Self { first: number, last: number, prev: None }
    }
}

/// Whom a loss or a restart concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One book.
    Book(Slot),
    /// Every book of the connection.
    All,
}

/// The venue's own best bid and ask at a place in its numbering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VenueBbo {
    /// The number that this top of book belongs to; 0 where the venue gives none.
    pub venue_seq: u64,
    /// Best bid; quantity 0 when the side is empty.
    pub bid: Level,
    /// Best ask; quantity 0 when the side is empty.
    pub ask: Level,
    /// The venue's time, 0 where the message carries none.
    pub ts_event: TimeNs,
}

/// What a venue says of an instrument's numbers. 0 = it does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Definition {
    /// Decimals that it prints of a price.
    pub price_digits: u8,
    /// Decimals that it prints of a quantity.
    pub qty_digits: u8,
    /// Price increment, a mantissa at `price_digits`.
    pub tick_size: i64,
    /// Quantity increment, a mantissa at `qty_digits`.
    pub lot_size: i64,
}

/// What an event says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// A whole book, as price levels.
    Book(VenueSeq, LevelSpan, Coverage, Origin),
    /// Levels that changed, absolute; quantity 0 removes.
    Levels(VenueSeq, LevelSpan),
    /// The same, with what the venue says that happens to each: see [`Events::verbs`](super::Events::verbs). A level that comes and is there, or
    /// that changes or goes and is not, contradicts the book.
    VerbedLevels(VenueSeq, LevelSpan, Span),
    /// A whole book, order by order, or a part of one. What it covers is counted in price levels. Where the product numbers
    /// the changes of orders it is whole, and its number says which of them it holds.
    OrderBook(u64, Part, Coverage, Span),
    /// Orders that changed.
    Orders(u64, Span),
    /// The same of a product that numbers them: they continue a book that was asked for, or wait for one.
    NumberedOrders(VenueSeq, Span, Absent),
    /// The venue's checksum of the book as it stands after the event right before, which is of levels or orders of the same
    /// instrument.
    Check(u32),
    /// The same in a message of its own, of a product that numbers no changes: of the book of levels as the messages before
    /// have left it. It disturbs no book that is not synced.
    CheckLevels(u32),
    /// The same of the book of orders.
    CheckOrders(u32),
    /// The venue's own top of book.
    Bbo(VenueBbo),
    /// Trades.
    Trades(Span),
    /// Trades that closed a position by force.
    Liquidations(Span),
    /// Statistics; see [`Events::ticker_added`](super::Events::ticker_added).
    Ticker(TickerAt),
    /// Whether the instrument trades.
    Trading(TradingStatus),
    /// What its numbers mean.
    Definition(Definition),
    /// A book's truth is lost: what was due and what came, 0 where nobody knows.
    Lost {
        /// Whose.
        scope: Scope,
        /// Why.
        reason: StaleReason,
        /// The number that was due.
        expected: u64,
        /// The one that came.
        received: u64,
    },
    /// The venue begins anew: nothing that was known holds.
    Restart(Scope),
}

/// One thing that a frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Of which instrument; of no meaning where the body carries a [`Scope`].
    pub slot: Slot,
    /// Whether the venue's own event ends with it: until then a book may be between two states.
    pub is_last: bool,
    /// The venue's time, 0 where it gives none.
    pub ts_event: TimeNs,
    /// When it was received; 0 = with the frame.
    pub ts_recv: TimeNs,
    /// What it says.
    pub body: Body,
}

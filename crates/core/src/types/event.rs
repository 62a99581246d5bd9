//! What a decoder makes of one venue frame. Levels travel beside the event, in a reusable [`Levels`](super::Levels).

use super::{InstrumentId, Level, Price, Qty, TimeNs};

/// One decoded venue message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A change of the book; its levels are in the decoder's `Levels`.
    Depth(DepthUpdate),
    /// A whole book; its levels are in the decoder's `Levels`, best first.
    Snapshot(Snapshot),
    /// The venue's own best bid and ask.
    Ticker(Ticker),
    /// One trade.
    Trade(Trade),
    /// A message that changes nothing here: an acknowledgement, or a type that this engine does not use.
    Ignored,
}

/// A book change with the venue's sequence fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DepthUpdate {
    /// Whose book.
    pub instrument: InstrumentId,
    /// First update id in this message (Binance `U`).
    pub first_id: u64,
    /// Last update id in this message (Binance `u`).
    pub last_id: u64,
    /// Last update id of the message before, where the venue states it (Binance futures `pu`).
    pub prev_id: Option<u64>,
    /// The venue's time: of the transaction where given, else of the message.
    pub ts_event: TimeNs,
}

/// A whole book at a venue sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Whose book.
    pub instrument: InstrumentId,
    /// The last update id that the snapshot includes (Binance `lastUpdateId`).
    pub last_id: u64,
    /// The venue's time, 0 where the snapshot carries none.
    pub ts_event: TimeNs,
}

/// The venue's own best bid and ask (Binance `bookTicker`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticker {
    /// Whose.
    pub instrument: InstrumentId,
    /// The update id that this top of book belongs to.
    pub last_id: u64,
    /// Best bid; quantity 0 when the side is empty.
    pub bid: Level,
    /// Best ask; quantity 0 when the side is empty.
    pub ask: Level,
    /// The venue's time, 0 where the message carries none (spot).
    pub ts_event: TimeNs,
}

/// One trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trade {
    /// Whose.
    pub instrument: InstrumentId,
    /// Single trades or an aggregate of one order's fills.
    pub kind: TradeKind,
    /// The venue's trade id (of the aggregate for [`TradeKind::Aggregate`]).
    pub id: u64,
    /// Price paid.
    pub price: Price,
    /// Quantity traded.
    pub qty: Qty,
    /// Who took.
    pub aggressor: Aggressor,
    /// The venue's trade time.
    pub ts_event: TimeNs,
}

/// What one trade message stands for. A venue sends both kinds of one trade: a stream carries one of them only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TradeKind {
    /// Binance `trade`.
    Single,
    /// Binance `aggTrade`.
    Aggregate,
}

/// The side that took liquidity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Aggressor {
    /// The venue does not say.
    Unknown = 0,
    /// The taker bought.
    Buy = 1,
    /// The taker sold.
    Sell = 2,
}

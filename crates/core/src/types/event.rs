//! What a venue's room makes of one frame: events as data, in one reusable arena.
//!
//! A room appends events and what they point to; the engine reads them and moves books. So a room needs no book, a
//! frame may say several things, and several frames may be read before the first is applied.

use core::ops::Range;

use super::{
    Level, OrderChange, OrderId, OrderTexts, Price, Qty, Sides, StaleReason, Ticker, TimeNs, ToldOrders,
    TradingStatus, Verb,
};

/// Place of an instrument in its engine, dense from 0. A room gets it from [`Routes`](super::Routes).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Slot(pub u32);

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

/// Where something stands in one of the arena's lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    start: u32,
    end: u32,
}

impl Span {
    const fn new(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32 }
    }

    /// How many items it has.
    #[must_use]
    pub const fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether it has none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.end == self.start
    }

    const fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// Where the levels of one event stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LevelSpan {
    bids: Span,
    asks: Span,
}

impl LevelSpan {
    /// How many levels it has.
    #[must_use]
    pub const fn len(self) -> usize {
        self.bids.len() + self.asks.len()
    }

    /// Whether it has none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// Where statistics stand in an arena. They are long and rare: an event that held them would make every other one longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TickerAt(u32);

/// How much of the venue's book a snapshot, and what follows it, makes known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// What it means that an order is changed or taken away which does not rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// It contradicts the book.
    Contradicts,
    /// Nothing: the venue tells the end of orders that never rested, too. An execution contradicts the book nevertheless.
    Passes,
}

/// Whom a loss or a restart concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One book.
    Book(Slot),
    /// Every book of the connection.
    All,
}

/// A trade's identity, as far as the venue gives it one. Two of one text are equal wherever it stands.
#[derive(Clone, Copy, Debug, Default)]
pub enum TradeId {
    /// The venue names no trades.
    #[default]
    None,
    /// The venue's number.
    Number(u64),
    /// The venue's text.
    Text {
        /// Its 64-bit FNV-1a hash, the number on the wire.
        hash: u64,
        /// Its number in the arena, [`Events::trade_text`]; `u32::MAX` where it stands in none.
        at: u32,
    },
}

impl PartialEq for TradeId {
    fn eq(&self, other: &Self) -> bool {
        (self.kind(), self.value()) == (other.kind(), other.value())
    }
}

impl Eq for TradeId {}

impl TradeId {
    /// The words for [`Self::kind`], by number.
    pub const KINDS: [&str; 3] = ["none", "number", "hash"];

    /// That of a text which stands in no arena.
    #[must_use]
    pub fn of_text(text: &[u8]) -> Self {
        Self::Text { hash: super::fnv1a_64(text), at: u32::MAX }
    }

    /// What the number on the wire is: 0 none, 1 the venue's, 2 a hash of its text.
    #[must_use]
    pub const fn kind(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Number(_) => 1,
            Self::Text { .. } => 2,
        }
    }

    /// The number on the wire; 0 where there is none.
    #[must_use]
    pub const fn value(self) -> u64 {
        match self {
            Self::None => 0,
            Self::Number(value) | Self::Text { hash: value, .. } => value,
        }
    }
}

/// One trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trade {
    /// The venue's name of it.
    pub id: TradeId,
    /// Price paid; of [`Self::resting`] where that is given and this is 0.
    pub price: Price,
    /// Quantity traded.
    pub qty: Qty,
    /// Who took.
    pub aggressor: Aggressor,
    /// The venue's trade time.
    pub ts_event: TimeNs,
    /// The resting order that was hit, where the venue names it instead of saying who took.
    pub resting: Option<OrderId>,
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

impl Aggressor {
    /// Every one, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Unknown, Self::Buy, Self::Sell];

    /// Its word, as it stands in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Buy => "buy",
            Self::Sell => "sell",
        }
    }
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
    /// The same, with what the venue says that happens to each: see [`Events::verbs`]. A level that comes and is there, or
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
    /// Statistics; see [`Events::ticker_added`].
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

/// Events of a frame or of several, and what they point to. Reused: once warm it allocates nothing.
#[derive(Debug, Default)]
pub struct Events {
    list: Vec<Event>,
    bids: Vec<Level>,
    asks: Vec<Level>,
    verbs: Vec<Verb>,
    orders: Vec<OrderChange>,
    trades: Vec<Trade>,
    tickers: Vec<Ticker>,
    texts: OrderTexts,
    /// Texts that name trades; apart, for orders beside them may have numbers.
    trade_texts: OrderTexts,
    /// What is open: where the levels, orders and trades of the next event begin.
    mark: Mark,
    concerned: Option<Scope>,
    subject: Option<Slot>,
}

/// How far an arena was filled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    list: u32,
    bids: u32,
    asks: u32,
    verbs: u32,
    orders: u32,
    trades: u32,
    tickers: u32,
    texts: u32,
    trade_texts: u32,
}

impl Events {
    /// Forgets everything and keeps the memory.
    #[inline]
    pub fn clear(&mut self) {
        self.list.clear();
        self.bids.clear();
        self.asks.clear();
        self.verbs.clear();
        self.orders.clear();
        self.trades.clear();
        self.tickers.clear();
        self.texts.clear();
        self.trade_texts.clear();
        self.mark = Mark::default();
        self.concerned = None;
        self.subject = None;
    }

    /// How far it is filled, for [`Self::undo`].
    #[inline]
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark {
            list: self.list.len() as u32,
            bids: self.bids.len() as u32,
            asks: self.asks.len() as u32,
            verbs: self.verbs.len() as u32,
            orders: self.orders.len() as u32,
            trades: self.trades.len() as u32,
            tickers: self.tickers.len() as u32,
            texts: self.texts.len() as u32,
            trade_texts: self.trade_texts.len() as u32,
        }
    }

    /// Takes back all that came after the mark. Whom the frame concerns stays known.
    pub fn undo(&mut self, to: Mark) {
        self.list.truncate(to.list as usize);
        self.bids.truncate(to.bids as usize);
        self.asks.truncate(to.asks as usize);
        self.verbs.truncate(to.verbs as usize);
        self.orders.truncate(to.orders as usize);
        self.trades.truncate(to.trades as usize);
        self.tickers.truncate(to.tickers as usize);
        self.texts.truncate(to.texts as usize);
        self.trade_texts.truncate(to.trade_texts as usize);
        self.mark = to;
    }

    /// Forgets the levels, orders and trades that were appended for an event which does not come.
    #[inline]
    pub fn forget_added(&mut self) {
        self.bids.truncate(self.mark.bids as usize);
        self.asks.truncate(self.mark.asks as usize);
        self.verbs.truncate(self.mark.verbs as usize);
        self.orders.truncate(self.mark.orders as usize);
        self.trades.truncate(self.mark.trades as usize);
    }

    /// Takes back the last event. What it points to stays, unused, until the arena is cleared.
    pub fn take_back(&mut self) {
        self.list.pop();
    }

    /// Says whose book the frame under way changes, so that its book is stale at once should the rest be unreadable.
    #[inline]
    pub const fn concerns(&mut self, scope: Scope) {
        self.concerned = Some(scope);
    }

    /// Whose book the last frame changes, as far as it could be read. None for frames that change no book.
    #[must_use]
    pub const fn concerned(&self) -> Option<Scope> {
        self.concerned
    }

    /// Says of which instrument the frame under way speaks, should a number of it not fit the instrument's scale.
    #[inline]
    pub const fn speaks_of(&mut self, slot: Slot) {
        self.subject = Some(slot);
    }

    /// Of which instrument the last frame spoke.
    #[must_use]
    pub const fn subject(&self) -> Option<Slot> {
        self.subject
    }

    /// The bids of the next event, to be appended to.
    #[inline]
    pub const fn bids(&mut self) -> &mut Vec<Level> {
        &mut self.bids
    }

    /// The asks of the next event, to be appended to.
    #[inline]
    pub const fn asks(&mut self) -> &mut Vec<Level> {
        &mut self.asks
    }

    /// The verbs of the next event's levels, to be appended to: one for each of its bids, in their order, then of its asks.
    #[inline]
    pub const fn verbs(&mut self) -> &mut Vec<Verb> {
        &mut self.verbs
    }

    /// The order changes of the next event, to be appended to.
    #[inline]
    pub const fn orders(&mut self) -> &mut Vec<OrderChange> {
        &mut self.orders
    }

    /// The trades of the next event, to be appended to.
    #[inline]
    pub const fn trades(&mut self) -> &mut Vec<Trade> {
        &mut self.trades
    }

    /// Keeps statistics for the next event, whose body names their place.
    pub fn ticker_added(&mut self, ticker: Ticker) -> TickerAt {
        self.tickers.push(ticker);
        TickerAt(self.tickers.len() as u32 - 1)
    }

    /// Statistics by their place; empty ones for a place in another arena.
    #[must_use]
    pub fn ticker(&self, at: TickerAt) -> Ticker {
        self.tickers.get(at.0 as usize).copied().unwrap_or_default()
    }

    /// The number within this arena of an order that its venue names by text.
    pub fn name(&mut self, text: &[u8]) -> OrderId {
        self.texts.push(text)
    }

    /// The texts that name orders in it.
    #[must_use]
    pub const fn texts(&self) -> &OrderTexts {
        &self.texts
    }

    /// The identity of a trade that its venue names by text, which is kept.
    pub fn trade_text(&mut self, text: &[u8]) -> TradeId {
        let at = self.trade_texts.push(text).0 as u32;
        TradeId::Text { hash: super::fnv1a_64(text), at }
    }

    /// The text of a trade's identity; none where it has no text, or none in this arena.
    #[must_use]
    pub fn text_of(&self, id: TradeId) -> Option<&[u8]> {
        let TradeId::Text { at, .. } = id else { return None };
        Some(self.trade_texts.text(OrderId(at.into()))).filter(|text| !text.is_empty())
    }

    /// The span of levels appended since the last event.
    #[inline]
    #[must_use]
    pub fn levels_added(&self) -> LevelSpan {
        LevelSpan {
            bids: Span::new(self.mark.bids as usize, self.bids.len()),
            asks: Span::new(self.mark.asks as usize, self.asks.len()),
        }
    }

    /// The span of verbs appended since the last event.
    #[inline]
    #[must_use]
    pub fn verbs_added(&self) -> Span {
        Span::new(self.mark.verbs as usize, self.verbs.len())
    }

    /// The span of orders appended since the last event.
    #[inline]
    #[must_use]
    pub fn orders_added(&self) -> Span {
        Span::new(self.mark.orders as usize, self.orders.len())
    }

    /// The span of trades appended since the last event.
    #[inline]
    #[must_use]
    pub fn trades_added(&self) -> Span {
        Span::new(self.mark.trades as usize, self.trades.len())
    }

    /// Appends an event that stands for itself; see [`Self::push_event`].
    #[inline]
    pub fn push(&mut self, slot: Slot, ts_event: TimeNs, body: Body) {
        self.push_event(Event { slot, is_last: true, ts_event, ts_recv: 0, body });
    }

    /// Appends an event. Levels, orders and trades appended from here on are those of the next.
    #[inline]
    pub fn push_event(&mut self, event: Event) {
        self.list.push(event);
        self.mark.bids = self.bids.len() as u32;
        self.mark.asks = self.asks.len() as u32;
        self.mark.verbs = self.verbs.len() as u32;
        self.mark.orders = self.orders.len() as u32;
        self.mark.trades = self.trades.len() as u32;
    }

    /// Says something else in the place of an event.
    pub fn replace(&mut self, index: usize, slot: Slot, ts_event: TimeNs, body: Body) {
        if let Some(event) = self.list.get_mut(index) {
            *event = Event { slot, ts_event, body, ..*event };
        }
    }

    /// Makes the last event the end of the venue's own.
    pub fn mark_last(&mut self) {
        if let Some(event) = self.list.last_mut() {
            event.is_last = true;
        }
    }

    /// The events, in order.
    #[inline]
    #[must_use]
    pub fn list(&self) -> &[Event] {
        &self.list
    }

    /// The levels of a span.
    #[inline]
    #[must_use]
    pub fn levels(&self, span: LevelSpan) -> Sides<'_> {
        Sides {
            bids: self.bids.get(span.bids.range()).unwrap_or_default(),
            asks: self.asks.get(span.asks.range()).unwrap_or_default(),
        }
    }

    /// The verbs of a span.
    #[inline]
    #[must_use]
    pub fn verbs_of(&self, span: Span) -> &[Verb] {
        self.verbs.get(span.range()).unwrap_or_default()
    }

    /// The order changes of a span.
    #[inline]
    #[must_use]
    pub fn order_changes(&self, span: Span) -> &[OrderChange] {
        self.orders.get(span.range()).unwrap_or_default()
    }

    /// The same, with the texts that name orders.
    #[inline]
    #[must_use]
    pub fn told_orders(&self, span: Span) -> ToldOrders<'_> {
        ToldOrders { list: self.order_changes(span), texts: &self.texts }
    }

    /// The trades of a span.
    #[inline]
    #[must_use]
    pub fn trades_of(&self, span: Span) -> &[Trade] {
        self.trades.get(span.range()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_has_what_was_appended_before_it() {
        let mut events = Events::default();
        events.bids().push(Level::new(1, 1));
        events.verbs().push(Verb::New);
        let (first, first_verbs) = (events.levels_added(), events.verbs_added());
        events.push(Slot(0), 0, Body::VerbedLevels(VenueSeq::at(1), first, first_verbs));
        events.asks().extend([Level::new(2, 2), Level::new(3, 3)]);
        let second = events.levels_added();
        assert!(events.verbs_added().is_empty());
        events.push(Slot(1), 0, Body::Levels(VenueSeq::at(2), second));
        assert_eq!(events.verbs_of(first_verbs), [Verb::New]);
        assert_eq!(events.levels(first), Sides { bids: &[Level::new(1, 1)], asks: &[] });
        assert_eq!(events.levels(second), Sides { bids: &[], asks: &[Level::new(2, 2), Level::new(3, 3)] });
        assert_eq!(events.list().len(), 2);
    }

    #[test]
    fn a_frame_that_fails_leaves_nothing() {
        let mut events = Events::default();
        events.bids().push(Level::new(1, 1));
        events.push(Slot(0), 0, Body::Check(7));
        let mark = events.mark();
        assert_eq!(events.name(b"ab"), OrderId(0));
        events.asks().push(Level::new(1, 1));
        events.verbs().push(Verb::Delete);
        events.concerns(Scope::Book(Slot(0)));
        events.undo(mark);
        assert_eq!(events.mark(), mark);
        assert_eq!(events.levels_added(), events.levels_added());
        assert!(events.levels(events.levels_added()).is_empty());
        assert!(events.verbs_added().is_empty());
        assert_eq!(events.concerned(), Some(Scope::Book(Slot(0))), "the reason stays known");
        assert!(events.texts().is_empty());
    }

    #[test]
    fn texts_of_trades_are_kept_with_their_frame() {
        let mut events = Events::default();
        let first = events.trade_text(b"first");
        let mark = events.mark();
        let second = events.trade_text(b"second");
        assert_eq!(
            (events.text_of(first), events.text_of(second)),
            (Some(&b"first"[..]), Some(&b"second"[..]))
        );
        assert!(events.texts().is_empty(), "orders beside them may have numbers");
        assert_eq!((first, events.text_of(TradeId::of_text(b"first"))), (TradeId::of_text(b"first"), None));
        assert_ne!(first, TradeId::Number(first.value()));
        events.undo(mark);
        assert_eq!((events.text_of(first), events.text_of(second)), (Some(&b"first"[..]), None));
    }
}

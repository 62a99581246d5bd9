//! The arena of events: what frames say, and what that points to, in memory that is used again.
//!
//! A room appends: first the levels, verbs, orders and trades of an event, then the event, which names them by spans. `reading`
//! is what the engine does with it. Appending costs what it copies; once warm nothing is allocated. Spans hold 32-bit places: a
//! frame has a limit of bytes, far below that many items.

mod reading;
mod spans;

pub use spans::{LevelSpan, Span, TickerAt};

use super::{
    Body, Event, Level, OrderChange, OrderId, OrderTexts, Scope, Slot, Ticker, TimeNs, Trade, TradeId, Verb,
};

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

    /// Says of which instrument the frame under way speaks, should a number of it not fit the instrument's scale.
    #[inline]
    pub const fn speaks_of(&mut self, slot: Slot) {
        self.subject = Some(slot);
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

    /// The number within this arena of an order that its venue names by text.
    pub fn name(&mut self, text: &[u8]) -> OrderId {
        self.texts.push(text)
    }

    /// The identity of a trade that its venue names by text, which is kept.
    pub fn trade_text(&mut self, text: &[u8]) -> TradeId {
        let at = self.trade_texts.push(text).0 as u32;
        TradeId::Text { hash: super::fnv1a_64(text), at }
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Sides, VenueSeq};

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

//! Reading an arena: the events in their order, and what each points to. A span of another arena reads as nothing, or as
//! something else: it never fails.

use super::{Events, LevelSpan, Span, TickerAt};
use crate::types::{
    Event, OrderChange, OrderId, OrderTexts, Scope, Sides, Slot, Ticker, ToldOrders, Trade, TradeId, Verb,
};

impl Events {
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

    /// Statistics by their place; empty ones for a place in another arena.
    #[must_use]
    pub fn ticker(&self, at: TickerAt) -> Ticker {
        self.tickers.get(at.0 as usize).copied().unwrap_or_default()
    }

    /// The texts that name orders in it.
    #[must_use]
    pub const fn texts(&self) -> &OrderTexts {
        &self.texts
    }

    /// The text of a trade's identity; none where it has no text, or none in this arena.
    #[must_use]
    pub fn text_of(&self, id: TradeId) -> Option<&[u8]> {
        let TradeId::Text { at, .. } = id else { return None };
        Some(self.trade_texts.text(OrderId(at.into()))).filter(|text| !text.is_empty())
    }

    /// Whose book the last frame changes, as far as it could be read. None for frames that change no book.
    #[must_use]
    pub const fn concerned(&self) -> Option<Scope> {
        self.concerned
    }

    /// Of which instrument the last frame spoke.
    #[must_use]
    pub const fn subject(&self) -> Option<Slot> {
        self.subject
    }
}

//! What is asked of orders that rest: one by its name, its place in its queue, the sums at each price, what it adds to a trade.

use super::OrderBooks;
use crate::book::l3::{BookIndex, Order, QueuePosition};
use crate::types::{Aggressor, Level, OrderId, OrderTexts, Price, Side, Slot, Trade, VenueOrderId};

impl OrderBooks {
    /// An order that rests in the book of an instrument, and its number here.
    pub(in crate::engine) fn order(&self, slot: Slot, id: VenueOrderId<'_>) -> Option<(Order, OrderId)> {
        let book = self.books.get(slot.0 as usize).copied().flatten()?;
        let id = self.id_of(book, id, |id| self.number(slot, id))?;
        self.l3.order(id).filter(|order| order.book == book).map(|order| (order, id))
    }

    /// The book of an instrument, where nothing of an event is under way.
    pub(in crate::engine) fn book_at(&self, slot: Slot) -> Option<BookIndex> {
        let book = self.books.get(slot.0 as usize).copied().flatten()?;
        self.touched[book.0 as usize].is_empty().then_some(book)
    }

    /// All orders of a book, in the order of their queues, by their numbers here.
    pub(in crate::engine) fn orders_of(
        &self,
        book: BookIndex,
    ) -> impl Iterator<Item = (OrderId, Order)> + '_ {
        self.l3.orders(book)
    }

    /// Whether the venue names orders by text.
    pub(in crate::engine) const fn are_named(&self) -> bool {
        self.named.is_some()
    }

    /// The venue's text of an order, by its number here.
    pub(in crate::engine) fn text_of_order(&self, id: OrderId) -> &[u8] {
        self.named.as_ref().map_or(&[], |named| named.name_of(id).1)
    }

    /// The venue's number of an order, by its number here.
    pub(in crate::engine) const fn venue_number(&self, slot: Slot, id: OrderId) -> OrderId {
        // The way there is the way back.
        self.number(slot, id)
    }

    /// What stands before an order in its queue, by its number here.
    pub(in crate::engine) fn queue_position(&self, id: OrderId) -> Option<QueuePosition> {
        self.l3.queue_position(id)
    }

    /// The orders' own sum at every price of a side, best first.
    pub(in crate::engine) fn levels(&self, slot: Slot, side: Side) -> impl Iterator<Item = Level> + '_ {
        let book = self.books.get(slot.0 as usize).copied().flatten();
        book.into_iter().flat_map(move |book| self.l3.levels(book, side))
    }

    /// The trade with what its resting order adds: the price, and the side that took. `None` where its price is that of an
    /// order that nobody knows.
    #[inline]
    pub(in crate::engine) fn complete(&self, slot: Slot, trade: &Trade, texts: &OrderTexts) -> Option<Trade> {
        let Some(id) = trade.resting else { return Some(*trade) };
        let is_named = self.named.is_some();
        let id = if is_named { VenueOrderId::Text(texts.text(id)) } else { VenueOrderId::Number(id) };
        let resting = self.order(slot, id).map(|(order, _)| order);
        if trade.price == Price(0) && resting.is_none() {
            return None;
        }
        let price = if trade.price == Price(0) { resting?.price } else { trade.price };
        let aggressor = resting.map_or(trade.aggressor, |order| match order.side {
            Side::Bid => Aggressor::Sell,
            Side::Ask => Aggressor::Buy,
        });
        Some(Trade { price, aggressor, ..*trade })
    }
}

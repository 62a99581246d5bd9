//! The orders of one connection, as its venue names them, and what they leave at each price, on its way to the
//! instruments. Whether a book of orders may be trusted is decided by the instrument's recovery.

mod named;
mod numbered;
mod told;
mod window;

use std::hash::{BuildHasher, RandomState};

use super::BOOKS_MAX;
use super::instrument::{Context, End, InstrumentState};
use super::proof::TopOrders;
use super::recovery::Gap;
use super::snapshots::known_to;
use super::streams::Stamp;
use crate::book::BookSpec;
use crate::book::l3::{BookIndex, IdOrder, L3Books, L3Error, L3Spec, Order, QueuePosition, Touched};
use crate::encode::OrderBody;
use crate::types::{
    Aggressor, BookState, Clock, Level, Levels, OrderChange, OrderId, OrderTexts, Part, Price, Side, Sides,
    Slot, StaleReason, TimeNs, ToldOrders, Trade, VenueOrderId,
};
use crate::venues::{OrderIds, Product};
use named::NamedOrders;

/// Most orders that one connection may hold, all books together. A day of a whole exchange has had 1.9 million.
pub(super) const ORDERS_MAX: u32 = 1 << 24;

/// Levels that one event of a venue may touch before a part of it is passed on.
const TOUCHED_MAX: usize = 4_096;

/// See the module.
#[derive(Debug)]
pub(super) struct OrderBooks {
    l3: L3Books,
    /// By slot.
    books: Vec<Option<BookIndex>>,
    /// By book: what the event under way has left at the levels that it touched.
    touched: Vec<Levels>,
    /// By book: of those of products with checksums.
    tops: Vec<TopOrders>,
    levels: Levels,
    /// Changes that waited, and the texts of their orders; reused.
    changes: Vec<OrderChange>,
    texts: OrderTexts,
    /// Where the venue names orders by text.
    named: Option<Box<NamedOrders>>,
    /// Orders of an image; reused.
    image: Vec<OrderBody>,
    /// Whether numbers name orders of one book only, so that two books may use the same.
    has_own_numbers: bool,
}

impl OrderBooks {
    /// Without books. `None` where the machine has no room for so many orders.
    pub(super) fn new(product: &Product) -> Option<Self> {
        // Nobody outside knows it, so nobody can choose order numbers that collide. What the books say does not depend on it.
        let hash_seed = RandomState::new().hash_one(ORDERS_MAX);
        let ids = match product.order_ids {
            OrderIds::Ascending | OrderIds::Named => IdOrder::Ascending,
            OrderIds::Arbitrary | OrderIds::None => IdOrder::Arbitrary,
        };
        let spec = L3Spec { orders_max: ORDERS_MAX, books_max: BOOKS_MAX as u32, ids, hash_seed };
        Some(Self {
            l3: L3Books::new(spec).ok()?,
            books: Vec::new(),
            touched: Vec::new(),
            tops: Vec::new(),
            levels: Levels::default(),
            changes: Vec::new(),
            texts: OrderTexts::default(),
            named: (product.order_ids == OrderIds::Named).then(|| Box::new(NamedOrders::new(hash_seed))),
            image: Vec::new(),
            has_own_numbers: product.order_ids == OrderIds::Arbitrary,
        })
    }

    /// An order's number among those of all books, or of that the venue's. Two that meet nevertheless are a contradiction, not a
    /// wrong book.
    #[inline]
    const fn number(&self, slot: Slot, id: OrderId) -> OrderId {
        own_number(slot, id, self.has_own_numbers)
    }

    /// Orders of all books.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.l3.orders_len()
    }

    /// Whose change this is going to be, and which; `None` where the book is not open.
    #[inline]
    pub(super) fn coming(&self, slot: Slot, change: &OrderChange) -> Option<(BookIndex, OrderChange)> {
        let book = (*self.books.get(slot.0 as usize)?)?;
        Some((book, change.with_ids(|id| self.number(slot, id))))
    }

    /// The orders themselves, for what fetches ahead.
    #[inline]
    pub(super) const fn l3(&self) -> &L3Books {
        &self.l3
    }

    /// The book of an instrument, opened if need be. `None` beyond the limit of books.
    #[inline]
    fn book_of<C>(&mut self, instrument: &InstrumentState, cx: &Context<'_, C>) -> Option<BookIndex> {
        match self.books.get(instrument.slot.0 as usize) {
            Some(Some(book)) => Some(*book),
            _ => self.open(instrument, cx),
        }
    }

    #[cold]
    fn open<C>(&mut self, instrument: &InstrumentState, cx: &Context<'_, C>) -> Option<BookIndex> {
        let spec = BookSpec { tick_size: instrument.tick_size, levels_max: cx.config.levels_max };
        let book = self.l3.open(spec).ok()?;
        debug_assert_eq!(book.0 as usize, self.touched.len());
        self.touched.push(Levels::default());
        self.tops.push(TopOrders::default());
        let slot = instrument.slot.0 as usize;
        if self.books.len() <= slot {
            self.books.resize(slot + 1, None);
        }
        self.books[slot] = Some(book);
        Some(book)
    }

    /// A whole book of orders, or a part of one.
    pub(super) fn on_order_book<C: Clock>(
        &mut self,
        instrument: &mut InstrumentState,
        part: Part,
        told: ToldOrders<'_>,
        end: End<'_>,
        stamp: Stamp,
        cx: &mut Context<'_, C>,
    ) {
        instrument.uses_orders = true;
        let Some(book) = self.book_of(instrument, cx) else {
            return instrument.lose_orders(StaleReason::OrdersLimit, (0, 0), stamp.ts_recv, cx);
        };
        if matches!(part, Part::Whole | Part::First) {
            self.forget(book);
            if let Some(proof) = &mut instrument.proof {
                proof.begun();
            }
            instrument.are_orders_cut = [false; 2];
            instrument.begin_orders(stamp.ts_recv, cx);
        }
        let numbered = self.numbers(book, told);
        for change in numbered.as_deref().unwrap_or(told.list) {
            cx.stats.orders.count(change);
            if !instrument.orders.is_building() {
                cx.stats.orders.passed_over += 1;
            } else if *change != OrderChange::Clear
                && let Err(error) =
                    self.l3.apply(book, &change.with_ids(|id| self.number(instrument.slot, id)))
            {
                self.contradicted(instrument, book, error, stamp.ts_recv, cx);
            }
        }
        self.release(numbered);
        self.count_resting(cx);
        if matches!(part, Part::Whole | Part::Last) {
            cx.stats.orders.events += u64::from(part == Part::Last && end.is_last);
            if instrument.orders.orders_whole(stamp.venue_seq) {
                self.cut(instrument, book);
                if self.is_within(instrument, book, stamp.ts_recv, cx)
                    && self.agrees(instrument, book, end.check, stamp.ts_recv, cx)
                {
                    self.whole(instrument, book, stamp, cx);
                }
            }
        }
    }

    /// Orders that changed. A change that contradicts the book is counted, and the book's truth is lost with it.
    #[inline]
    pub(super) fn on_orders<C: Clock>(
        &mut self,
        instrument: &mut InstrumentState,
        told: ToldOrders<'_>,
        end: End<'_>,
        stamp: Stamp,
        cx: &mut Context<'_, C>,
    ) {
        instrument.uses_orders = true;
        cx.stats.orders.untouching += u64::from(told.list.is_empty());
        let Some(book) = self.book_of(instrument, cx) else { return };
        let numbered = self.numbers(book, told);
        for change in numbered.as_deref().unwrap_or(told.list) {
            if !instrument.orders.takes_orders() {
                cx.stats.orders.count(change);
                cx.stats.orders.passed_over += 1;
                continue;
            }
            let change = self.l3.told_apart(change.with_ids(|id| self.number(instrument.slot, id)));
            cx.stats.orders.count(&change);
            let applied = if instrument.tells_orders {
                self.apply_told(instrument, book, &change)
            } else {
                self.l3.apply(book, &change)
            };
            let touched = &mut self.touched[book.0 as usize];
            match applied {
                Ok(Touched::One { side, now }) => touched.side_mut(side).push(now),
                Ok(Touched::Two { side, left, joined }) => touched.side_mut(side).extend([left, joined]),
                Ok(Touched::Book) => {
                    touched.clear();
                    self.whole(instrument, book, stamp, cx);
                }
                Err(error) => self.contradicted(instrument, book, error, stamp.ts_recv, cx),
            }
            if self.touched[book.0 as usize].len() >= TOUCHED_MAX {
                self.tops[book.0 as usize].touched(&self.touched[book.0 as usize]);
                self.settle(instrument, book, false, stamp, cx);
            }
        }
        self.release(numbered);
        self.count_resting(cx);
        if end.is_last {
            self.event_end(instrument, end, stamp, cx);
        }
    }

    fn count_resting<C>(&self, cx: &mut Context<'_, C>) {
        let orders = &mut cx.stats.orders;
        orders.resting_max = orders.resting_max.max(self.l3.orders_len() as u64);
    }

    /// The venue's event ends: what it left goes to the instrument.
    #[inline]
    pub(super) fn event_end<C: Clock>(
        &mut self,
        instrument: &mut InstrumentState,
        end: End<'_>,
        stamp: Stamp,
        cx: &mut Context<'_, C>,
    ) {
        cx.stats.orders.events += 1;
        let Some(Some(book)) = self.books.get(instrument.slot.0 as usize).copied() else { return };
        let is_touched = !self.touched[book.0 as usize].is_empty();
        if is_touched {
            self.cut(instrument, book);
            if !self.is_within(instrument, book, stamp.ts_recv, cx) {
                return;
            }
        }
        if end.check.is_some() && instrument.orders.is_synced() {
            self.tops[book.0 as usize].touched(&self.touched[book.0 as usize]);
            if !self.agrees(instrument, book, end.check, stamp.ts_recv, cx) {
                return;
            }
        }
        if is_touched {
            self.settle(instrument, book, true, stamp, cx);
        }
    }

    /// Cuts a book to the levels that the venue makes known.
    fn cut(&mut self, instrument: &mut InstrumentState, book: BookIndex) {
        if let Some(depth) = instrument.orders_coverage.depth() {
            self.cut_to(instrument, book, depth as usize);
        }
    }

    /// Whether the venue's checksum, where one came, is that of the orders. A book that it contradicts is stale.
    fn agrees<C: Clock>(
        &mut self,
        instrument: &mut InstrumentState,
        book: BookIndex,
        check: Option<u32>,
        now: TimeNs,
        cx: &mut Context<'_, C>,
    ) -> bool {
        let (Some(check), Some(proof)) = (check, &mut instrument.proof) else { return true };
        // Its inverse is itself.
        let (slot, has_own_numbers) = (instrument.slot, self.has_own_numbers);
        let named = |id| own_number(slot, id, has_own_numbers);
        let is_agreed = self.tops[book.0 as usize].agree(check, proof, (&self.l3, book), named);
        instrument.count_checksum(is_agreed, cx);
        if !is_agreed {
            self.disproven(instrument, book, now, cx);
        }
        is_agreed
    }

    /// The venue's checksum of the orders as they stand.
    pub(super) fn on_check<C: Clock>(
        &mut self,
        instrument: &mut InstrumentState,
        check: u32,
        now: TimeNs,
        cx: &mut Context<'_, C>,
    ) {
        let Some(Some(book)) = self.books.get(instrument.slot.0 as usize).copied() else { return };
        if instrument.orders.is_synced() {
            // Nobody has noted what was touched since the last one.
            self.tops[book.0 as usize].forget();
            self.agrees(instrument, book, Some(check), now, cx);
        }
    }

    /// The venue contradicts the book: its orders are not what they should be.
    #[cold]
    fn disproven<C: Clock>(
        &mut self,
        instrument: &mut InstrumentState,
        book: BookIndex,
        now: TimeNs,
        cx: &mut Context<'_, C>,
    ) {
        cx.stats.contradictions += 1;
        self.forget(book);
        instrument.lose_orders(StaleReason::Contradiction, (0, 0), now, cx);
        instrument.ask(now, cx);
    }

    fn settle<C: Clock>(
        &mut self,
        instrument: &mut InstrumentState,
        book: BookIndex,
        is_last: bool,
        stamp: Stamp,
        cx: &mut Context<'_, C>,
    ) {
        match instrument.orders.state() {
            BookState::Synced => {
                let touched = &mut self.touched[book.0 as usize];
                let is_kept = instrument.on_order_levels(touched.view(), stamp, is_last, cx);
                touched.clear();
                if is_kept {
                    instrument.publish_orders(is_last, stamp, cx);
                } else {
                    self.forget(book);
                }
            }
            // Nothing is missing of a feed that goes on: its orders still are the book.
            BookState::Stale(_) if is_last => self.whole(instrument, book, stamp, cx),
            BookState::Stale(_) | BookState::Syncing => {}
        }
    }

    /// The orders are the whole book.
    fn whole<C: Clock>(
        &mut self,
        instrument: &mut InstrumentState,
        book: BookIndex,
        stamp: Stamp,
        cx: &mut Context<'_, C>,
    ) {
        self.touched[book.0 as usize].clear();
        self.levels.clear();
        self.levels.bids.extend(self.l3.levels(book, Side::Bid));
        self.levels.asks.extend(self.l3.levels(book, Side::Ask));
        if !instrument.on_orders_whole(self.levels.view(), stamp, cx) {
            self.forget(book);
        } else if instrument.order_stream.is_open() {
            self.publish_image(instrument, stamp, cx);
        }
    }

    #[cold]
    fn contradicted<C: Clock>(
        &mut self,
        instrument: &mut InstrumentState,
        book: BookIndex,
        error: L3Error,
        now: TimeNs,
        cx: &mut Context<'_, C>,
    ) {
        cx.stats.orders.contradictions += 1;
        self.forget(book);
        instrument.lose_orders(reason_of(error), (0, 0), now, cx);
    }

    /// The truth of a book is lost: where it cannot come back by itself its orders are forgotten.
    #[cold]
    pub(super) fn on_lost<C: Clock>(
        &mut self,
        instrument: &mut InstrumentState,
        reason: StaleReason,
        gap: Gap,
        now: TimeNs,
        cx: &mut Context<'_, C>,
    ) {
        instrument.lose_orders(reason, gap, now, cx);
        if !instrument.orders.takes_orders() {
            self.on_restart(instrument.slot);
        }
    }

    /// What is held of an instrument with other prices and quantities: its orders in the order of their queues, as new ones,
    /// and what the event under way has touched. `None` where a number has no other.
    pub(super) fn rewritten(
        &self,
        slot: Slot,
        rewrite: impl Fn(Level) -> Option<Level>,
    ) -> Option<(Vec<OrderChange>, Levels)> {
        let (mut orders, mut touched) = (Vec::new(), Levels::default());
        let Some(book) = self.books.get(slot.0 as usize).copied().flatten() else {
            return Some((orders, touched));
        };
        for side in [Side::Bid, Side::Ask] {
            for Level { price, .. } in self.l3.levels(book, side) {
                for order in self.l3.queue(book, side, price) {
                    let Level { price, qty } = rewrite(Level { price, qty: order.qty })?;
                    orders.push(OrderChange::Add { id: order.id, side, price, qty });
                }
            }
            for level in self.touched[book.0 as usize].side(side) {
                touched.side_mut(side).push(rewrite(*level)?);
            }
        }
        Some((orders, touched))
    }

    /// Puts that in the place of what is held.
    pub(super) fn rewrite(&mut self, slot: Slot, (orders, touched): (Vec<OrderChange>, Levels)) {
        let Some(book) = self.books.get(slot.0 as usize).copied().flatten() else { return };
        // The numbers stay, and with them the texts.
        let cleared = self.l3.clear(book);
        debug_assert!(cleared.is_ok(), "an open book can be cleared");
        self.tops[book.0 as usize].forget();
        for order in &orders {
            let added = self.l3.apply(book, order);
            debug_assert!(added.is_ok(), "they rested before");
        }
        self.touched[book.0 as usize] = touched;
    }

    /// The orders of an instrument are void.
    pub(super) fn on_restart(&mut self, slot: Slot) {
        if let Some(Some(book)) = self.books.get(slot.0 as usize).copied() {
            self.forget(book);
        }
    }

    /// All orders of a book leave the table.
    fn forget(&mut self, book: BookIndex) {
        self.touched[book.0 as usize].clear();
        self.tops[book.0 as usize].forget();
        self.clear_book(book);
    }

    /// The trade with what its resting order adds: the price, and the side that took. `None` where its price is that of an
    /// order that nobody knows.
    #[inline]
    pub(super) fn complete(&self, slot: Slot, trade: &Trade, texts: &OrderTexts) -> Option<Trade> {
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

    /// An order that rests in the book of an instrument, and its number here.
    pub(super) fn order(&self, slot: Slot, id: VenueOrderId<'_>) -> Option<(Order, OrderId)> {
        let book = self.books.get(slot.0 as usize).copied().flatten()?;
        let id = self.id_of(book, id, |id| self.number(slot, id))?;
        self.l3.order(id).filter(|order| order.book == book).map(|order| (order, id))
    }

    /// What stands before an order in its queue, by its number here.
    pub(super) fn queue_position(&self, id: OrderId) -> Option<QueuePosition> {
        self.l3.queue_position(id)
    }

    /// The orders' own sum at every price of a side, best first.
    pub(super) fn levels(&self, slot: Slot, side: Side) -> impl Iterator<Item = Level> + '_ {
        let book = self.books.get(slot.0 as usize).copied().flatten();
        book.into_iter().flat_map(move |book| self.l3.levels(book, side))
    }
}

impl InstrumentState {
    /// A book of orders begins. It is what readers see as long as the venue sends no levels.
    fn begin_orders<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        let led = self.leads_by_orders;
        self.leads_by_orders = !self.recovery.has_book();
        let before = if led { self.orders.state() } else { self.recovery.state() };
        self.orders.begin_orders();
        self.recount(cx.stats);
        if self.leads_by_orders && before != BookState::Syncing {
            self.say_state(now, cx);
        }
        self.say_orders_lost(now, cx);
    }

    /// The book of orders is whole, and `levels` are its sums. False when the book cannot take them.
    fn on_orders_whole<C: Clock>(
        &mut self,
        levels: Sides<'_>,
        stamp: Stamp,
        cx: &mut Context<'_, C>,
    ) -> bool {
        if !self.leads_by_orders {
            self.orders.synced(stamp.ts_recv);
            return true;
        }
        if self.book.load(levels, known_to(levels, self.orders_coverage)).is_err() {
            self.lose_orders(StaleReason::LevelsLimit, (0, 0), stamp.ts_recv, cx);
            return false;
        }
        self.depth = self.orders_coverage.depth();
        self.know_orders();
        self.book_cursor.at = stamp;
        self.applied_at = stamp.ts_recv;
        self.become_synced(stamp.ts_recv, cx);
        true
    }

    /// What one event left at the levels that it touched, or a part of a long one. False when the book cannot take it.
    #[inline]
    fn on_order_levels<C: Clock>(
        &mut self,
        levels: Sides<'_>,
        stamp: Stamp,
        is_last: bool,
        cx: &mut Context<'_, C>,
    ) -> bool {
        cx.stats.book_messages += 1;
        cx.stats.level_changes += levels.len() as u64;
        if !self.leads_by_orders {
            return true;
        }
        let bbo = self.bbo;
        if !self.take(levels, stamp, cx) {
            self.lose_orders(StaleReason::LevelsLimit, (0, 0), stamp.ts_recv, cx);
            return false;
        }
        self.cut(is_last);
        self.know_orders();
        self.publish_changes(levels, self.bbo != bbo, is_last, stamp.ts_recv, cx);
        true
    }

    /// The truth of the book of orders is lost.
    #[cold]
    fn lose_orders<C: Clock>(&mut self, reason: StaleReason, gap: Gap, now: TimeNs, cx: &mut Context<'_, C>) {
        if self.orders.lose(reason, gap, now) && self.leads_by_orders {
            self.say_state(now, cx);
        }
        self.say_orders_lost(now, cx);
    }
}

/// See [`OrderBooks::number`].
#[inline]
const fn own_number(slot: Slot, id: OrderId, has_own_numbers: bool) -> OrderId {
    // An odd factor spreads slots over all bits, and leaves the numbers of the first book as they are.
    let own = (slot.0 as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    OrderId(if has_own_numbers { id.0 ^ own } else { id.0 })
}

const fn reason_of(error: L3Error) -> StaleReason {
    match error {
        L3Error::OrdersLimit { .. } => StaleReason::OrdersLimit,
        L3Error::LevelsLimit { .. } => StaleReason::LevelsLimit,
        _ => StaleReason::Contradiction,
    }
}

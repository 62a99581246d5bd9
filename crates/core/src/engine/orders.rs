//! The orders of one connection, as its venue names them, and what they leave at each price, on its way to the
//! instruments. Whether a book of orders may be trusted is decided by the instrument's recovery.

mod checksum;
mod named;
mod numbered;
mod queries;
mod rescale;
mod snapshot;
mod told;
mod window;

use std::hash::{BuildHasher, RandomState};

use super::BOOKS_MAX;
use super::instrument::{Context, End, InstrumentState};
use super::proof::TopOrders;
use super::recovery::Gap;
use super::streams::Stamp;
use crate::book::BookSpec;
use crate::book::l3::{BookIndex, IdOrder, L3Books, L3Error, L3Spec, Touched};
use crate::encode::OrderBody;
use crate::types::{
    BookState, Clock, Levels, OrderChange, OrderId, OrderTexts, Sides, Slot, Stage, StaleReason, TimeNs,
    ToldOrders,
};
use crate::venues::{OrderIds, Product};
use named::NamedOrders;
pub(super) use told::check_of;

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

    /// Applies a change of a kind that is seldom: the books' own way is compiled into whoever takes it.
    #[inline(never)]
    fn apply_seldom(&mut self, book: BookIndex, change: &OrderChange) -> Result<Touched, L3Error> {
        self.l3.apply(book, change)
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
        cx.clock.stamp(Stage::Applied);
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
}

impl InstrumentState {
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
        cx.clock.stamp(Stage::Applied);
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

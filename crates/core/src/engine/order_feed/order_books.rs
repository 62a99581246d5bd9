//! The books of one order feed: the orders as the venue names them, and what they leave at each price, on its way to the
//! instruments' pipelines.

use std::hash::{BuildHasher, RandomState};

use super::Pipelines;
use crate::book::BookSpec;
use crate::book::l3::{BookIndex, IdOrder, L3Books, L3Error, L3Spec, Order, QueuePosition, Touched};
use crate::engine::pipeline::Place;
use crate::types::{Clock, Level, Levels, OrderChange, OrderId, Side, StaleReason, TimeNs};

/// Most orders that one feed may hold, all books together. A NASDAQ day has had 1.9 million.
pub(in crate::engine) const ORDERS_MAX: u32 = 1 << 24;

/// Levels that one event of a venue may touch before a part of it is passed on.
const TOUCHED_MAX: usize = 4_096;

/// How much of a book the feed has told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Too little to know the book, or what was known is lost. Changes are passed over.
    Unknown,
    /// A snapshot of it is coming in, order by order.
    Building,
    /// All of it.
    Whole,
}

#[derive(Debug)]
struct Slot {
    pipeline: usize,
    phase: Phase,
    /// What the event under way has left at the levels that it touched; not while the book is being built.
    touched: Levels,
    /// Where the last change stands.
    at: Place,
}

/// See the module.
#[derive(Debug)]
pub(super) struct OrderBooks {
    l3: L3Books,
    slots: Vec<Slot>,
    levels: Levels,
}

impl OrderBooks {
    /// Without books. `books_max` as many as the source has instruments. None where the machine has no room for so many
    /// orders.
    pub(super) fn new(books_max: u32) -> Option<Self> {
        // Nobody outside knows it, so nobody can choose order numbers that collide. What the books say does not depend on it.
        let hash_seed = RandomState::new().hash_one(ORDERS_MAX);
        let spec = L3Spec { orders_max: ORDERS_MAX, books_max, ids: IdOrder::Ascending, hash_seed };
        Some(Self { l3: L3Books::new(spec).ok()?, slots: Vec::new(), levels: Levels::default() })
    }

    /// The book of a pipeline. One that is opened now is not known. None beyond the limit of books.
    pub(super) fn book_of(&mut self, pipeline: usize, spec: BookSpec) -> Option<BookIndex> {
        if let Some(book) = self.find(pipeline) {
            return Some(book);
        }
        let book = self.l3.open(spec).ok()?;
        debug_assert_eq!(book.0 as usize, self.slots.len());
        self.slots.push(Slot {
            pipeline,
            phase: Phase::Unknown,
            touched: Levels::default(),
            at: Place::default(),
        });
        Some(book)
    }

    /// From here on the feed tells the whole book, from nothing.
    pub(super) fn begin<C: Clock>(&mut self, book: BookIndex, at: Place, to: &mut Pipelines<'_, C>) {
        let slot = &mut self.slots[book.0 as usize];
        slot.phase = Phase::Building;
        slot.touched.clear();
        slot.at = at;
        forget(&mut self.l3, book);
        to.pipelines[slot.pipeline].on_orders_begin(at.ts_recv, &mut to.cx);
    }

    /// From here on the feed tells all books, from nothing.
    pub(super) fn begin_all<C: Clock>(&mut self, at: Place, to: &mut Pipelines<'_, C>) {
        for index in 0..self.slots.len() {
            self.begin(BookIndex(index as u32), at, to);
        }
    }

    /// The venue itself doubts the book.
    pub(super) fn doubt<C: Clock>(&mut self, book: BookIndex, to: &mut Pipelines<'_, C>) {
        to.cx.stats.orders.doubts += 1;
        to.pipelines[self.pipeline(book)].on_orders_suspect();
    }

    /// Whether a snapshot of the book is coming in.
    pub(super) fn is_building(&self, book: BookIndex) -> bool {
        self.slots[book.0 as usize].phase == Phase::Building
    }

    /// Whether anything of the book is known.
    pub(super) fn is_begun(&self, book: BookIndex) -> bool {
        self.slots[book.0 as usize].phase != Phase::Unknown
    }

    /// Whether all of the book is known.
    pub(super) fn is_whole(&self, book: BookIndex) -> bool {
        self.slots[book.0 as usize].phase == Phase::Whole
    }

    /// What the feed has told since [`Self::begin`], up to its last change, is the whole book.
    pub(super) fn whole<C: Clock>(&mut self, book: BookIndex, to: &mut Pipelines<'_, C>) {
        let slot = &mut self.slots[book.0 as usize];
        slot.phase = Phase::Whole;
        let at = slot.at;
        self.levels.clear();
        self.levels.bids.extend(self.l3.levels(book, Side::Bid));
        self.levels.asks.extend(self.l3.levels(book, Side::Ask));
        let pipeline = &mut to.pipelines[slot.pipeline];
        pipeline.on_orders_whole(&self.levels, at, &mut to.cx);
        if !pipeline.is_synced() {
            slot.phase = Phase::Unknown;
            forget(&mut self.l3, book);
        }
    }

    /// Applies a change. One that contradicts the book is counted, and the book's truth is lost with it.
    #[inline]
    pub(super) fn change<C: Clock>(
        &mut self,
        book: BookIndex,
        change: &OrderChange,
        at: Place,
        to: &mut Pipelines<'_, C>,
    ) {
        let slot = &mut self.slots[book.0 as usize];
        to.cx.stats.orders.count(change);
        if slot.phase == Phase::Unknown {
            to.cx.stats.orders.passed_over += 1;
            return;
        }
        slot.at = at;
        match self.l3.apply(book, change) {
            Ok(touched) => {
                let resting = self.l3.orders_len() as u64;
                let orders = &mut to.cx.stats.orders;
                orders.resting_max = orders.resting_max.max(resting);
                if slot.phase == Phase::Building {
                    return;
                }
                match touched {
                    Touched::One { side, now } => slot.touched.side_mut(side).push(now),
                    Touched::Two { side, left, joined } => slot.touched.side_mut(side).extend([left, joined]),
                    Touched::Book => return self.whole(book, to),
                }
                if slot.touched.len() >= TOUCHED_MAX {
                    self.pass_on(book, false, to);
                }
            }
            Err(error) => {
                to.cx.stats.orders.contradictions += 1;
                self.lose(book, reason_of(error), (0, 0), at.ts_recv, to);
            }
        }
    }

    /// The venue's event ends: what it left goes to the pipeline.
    #[inline]
    pub(super) fn event_end<C: Clock>(&mut self, book: BookIndex, to: &mut Pipelines<'_, C>) {
        if !self.slots[book.0 as usize].touched.is_empty() {
            self.pass_on(book, true, to);
        }
    }

    fn pass_on<C: Clock>(&mut self, book: BookIndex, is_last: bool, to: &mut Pipelines<'_, C>) {
        let slot = &mut self.slots[book.0 as usize];
        let pipeline = &mut to.pipelines[slot.pipeline];
        pipeline.on_order_levels(&slot.touched, slot.at, is_last, &mut to.cx);
        slot.touched.clear();
        if pipeline.is_silent() {
            // Nothing is missing of a feed that goes on: its orders still are the book.
            if is_last {
                self.whole(book, to);
            }
        } else if !pipeline.is_synced() {
            slot.phase = Phase::Unknown;
            forget(&mut self.l3, book);
        }
    }

    /// The book's truth is lost: its orders are forgotten until the feed tells it anew. One that was lost before stays as
    /// it is.
    #[cold]
    pub(super) fn lose<C: Clock>(
        &mut self,
        book: BookIndex,
        reason: StaleReason,
        gap: (u64, u64),
        now: TimeNs,
        to: &mut Pipelines<'_, C>,
    ) {
        let slot = &mut self.slots[book.0 as usize];
        let pipeline = &mut to.pipelines[slot.pipeline];
        if slot.phase == Phase::Unknown && pipeline.is_stale() {
            return;
        }
        slot.phase = Phase::Unknown;
        slot.touched.clear();
        forget(&mut self.l3, book);
        pipeline.on_orders_lost(reason, gap, now, &mut to.cx);
    }

    /// No book of the feed is known any more.
    #[cold]
    pub(super) fn lose_all<C: Clock>(
        &mut self,
        reason: StaleReason,
        gap: (u64, u64),
        now: TimeNs,
        to: &mut Pipelines<'_, C>,
    ) {
        for index in 0..self.slots.len() {
            self.lose(BookIndex(index as u32), reason, gap, now, to);
        }
    }

    /// The pipeline of a book.
    pub(super) fn pipeline(&self, book: BookIndex) -> usize {
        self.slots[book.0 as usize].pipeline
    }

    /// The book of a pipeline, if it is open.
    pub(super) fn find(&self, pipeline: usize) -> Option<BookIndex> {
        let index = self.slots.iter().position(|slot| slot.pipeline == pipeline)?;
        Some(BookIndex(index as u32))
    }

    /// An order that rests.
    pub(super) fn order(&self, id: OrderId) -> Option<Order> {
        self.l3.order(id)
    }

    /// What stands before an order in its queue.
    pub(super) fn queue_position(&self, id: OrderId) -> Option<QueuePosition> {
        self.l3.queue_position(id)
    }

    /// The orders' own sum at every price of a side, best first.
    pub(super) fn levels(&self, book: BookIndex, side: Side) -> impl Iterator<Item = Level> + '_ {
        self.l3.levels(book, side)
    }
}

const fn reason_of(error: L3Error) -> StaleReason {
    match error {
        L3Error::OrdersLimit { .. } => StaleReason::OrdersLimit,
        L3Error::LevelsLimit { .. } => StaleReason::LevelsLimit,
        _ => StaleReason::Contradiction,
    }
}

/// All orders of a book leave the table.
fn forget(l3: &mut L3Books, book: BookIndex) {
    let cleared = l3.apply(book, &OrderChange::Clear);
    debug_assert!(cleared.is_ok(), "an open book can be cleared");
}

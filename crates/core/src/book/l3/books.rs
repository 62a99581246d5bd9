//! The books that serve: what every change asks for and answers.

use super::book::Book;
use super::level_map::EntryIter;
use super::levels::{LevelNode, LevelPool, reserve};
use super::order_table::OrderTable;
use super::queue::QueueIter;
use super::store::{AtEnd, ByKey, Place, Store};
use super::{
    BOOKS_MAX, Bbo, BookIndex, L3Error, L3Level, L3Spec, NONE, ORDERS_MAX, Order, QueuePosition, QueuedOrder,
    Touched, flip, side_of,
};
use crate::book::BookSpec;
use crate::types::{Level, OrderChange, OrderId, Price, Qty, Side};

/// All order-by-order books of one feed.
///
/// In plain words: find the order by its number; it knows its level; change the level's quantity and queue, both in
/// one cache line; when a level comes or goes, note it in the book's map of prices; keep the best of each side at
/// hand.
#[derive(Debug)]
pub struct L3Books {
    spec: L3Spec,
    pub(super) books: Vec<Book>,
    pub(super) store: Store,
}

impl L3Books {
    /// No book and no order. Reserves address space for the limits; memory is taken as orders come.
    ///
    /// # Errors
    /// [`L3Error::Spec`] for limits above [`ORDERS_MAX`] and [`BOOKS_MAX`], [`L3Error::Memory`] where the machine
    /// refuses the address space.
    pub fn new(spec: L3Spec) -> Result<Self, L3Error> {
        if spec.orders_max > ORDERS_MAX || spec.books_max > BOOKS_MAX {
            return Err(L3Error::Spec { orders_max: spec.orders_max, books_max: spec.books_max });
        }
        Ok(Self { spec, books: reserve(spec.books_max as usize)?, store: Store::new(&spec)? })
    }

    /// Opens an empty book.
    ///
    /// # Errors
    /// [`L3Error::BooksLimit`].
    pub fn open(&mut self, spec: BookSpec) -> Result<BookIndex, L3Error> {
        if self.books.len() >= self.spec.books_max as usize {
            return Err(L3Error::BooksLimit { books_max: self.spec.books_max });
        }
        self.books.push(Book::new(spec, self.books.len() as u32));
        Ok(BookIndex(self.books.len() as u32 - 1))
    }

    /// Applies one change.
    ///
    /// # Errors
    /// See [`L3Error`]; everything is then as before.
    #[inline(always)]
    pub fn apply(&mut self, book: BookIndex, change: &OrderChange) -> Result<Touched, L3Error> {
        match *change {
            OrderChange::Add { id, side, price, qty } => self.add(book, id, side, price, qty),
            OrderChange::Reduce { id, qty } | OrderChange::Execute { id, qty } => self.reduce(book, id, qty),
            OrderChange::Cancel { id, side, price, qty } => self.cancel(book, id, side, price, qty),
            OrderChange::Replace { id, new_id, price, qty } => self.replace(book, id, new_id, price, qty),
            OrderChange::Modify { id, side, price, qty } => self.modify(book, id, side, price, qty),
            OrderChange::Upsert { id, side, price, qty } => self.upsert(book, id, side, price, qty),
            OrderChange::Delete { id } => self.delete(book, id),
            OrderChange::Clear => self.clear(book),
        }
    }

    /// The change; of an [`OrderChange::Upsert`] what it is while no other change is applied.
    #[inline]
    #[must_use]
    pub fn told_apart(&self, change: OrderChange) -> OrderChange {
        match change {
            OrderChange::Upsert { id, side, price, qty } if self.store.orders.find(id.0).is_ok() => {
                OrderChange::Modify { id, side, price, qty }
            }
            OrderChange::Upsert { id, side, price, qty } => OrderChange::Add { id, side, price, qty },
            change => change,
        }
    }

    /// [`Self::modify`] where the order rests, else [`Self::add`].
    ///
    /// # Errors
    /// Theirs; everything is then as before.
    #[inline(never)]
    pub fn upsert(
        &mut self,
        book: BookIndex,
        id: OrderId,
        side: Side,
        price: Price,
        qty: Qty,
    ) -> Result<Touched, L3Error> {
        match self.store.orders.find(id.0) {
            Ok(_) => self.modify(book, id, side, price, qty),
            Err(_) => self.add(book, id, side, price, qty),
        }
    }

    /// A new order at the end of its price's queue.
    ///
    /// # Errors
    /// [`L3Error::UnknownBook`], [`L3Error::BadQty`], [`L3Error::DuplicateOrder`], [`L3Error::OrdersLimit`],
    /// [`L3Error::LevelsLimit`], [`L3Error::QtyOverflow`]; everything is then as before.
    #[inline(always)]
    pub fn add(
        &mut self,
        book: BookIndex,
        id: OrderId,
        side: Side,
        price: Price,
        qty: Qty,
    ) -> Result<Touched, L3Error> {
        self.add_at(book, id, side, (price, qty), AtEnd)
    }

    /// A new order behind the last one of its price's queue whose key is not above its own, for feeds that tell an
    /// order's place by such a key (its time, its number) and not by its arrival. An order that came or moved without a key
    /// has the key 0.
    ///
    /// The first key reserves eight bytes for each record. Costs as [`Self::add`] does where the order stands last, else a
    /// look at each order behind it.
    ///
    /// # Errors
    /// As [`Self::add`], and [`L3Error::Memory`] at the first key; everything is then as before.
    pub fn add_keyed(
        &mut self,
        book: BookIndex,
        id: OrderId,
        side: Side,
        price: Price,
        qty: Qty,
        key: u64,
    ) -> Result<Touched, L3Error> {
        self.store.orders.want_keys()?;
        self.add_at(book, id, side, (price, qty), ByKey(key))
    }

    #[inline(always)]
    fn add_at<P: Place>(
        &mut self,
        book: BookIndex,
        id: OrderId,
        side: Side,
        (price, qty): (Price, Qty),
        place: P,
    ) -> Result<Touched, L3Error> {
        let Self { spec, books, store } = self;
        let Some(of) = books.get_mut(book.0 as usize) else { return Err(L3Error::UnknownBook { book }) };
        above_zero(qty)?;
        let Err(missed) = store.orders.find(id.0) else { return Err(L3Error::DuplicateOrder { id }) };
        if store.orders.len() >= spec.orders_max as usize {
            return Err(L3Error::OrdersLimit { orders_max: spec.orders_max });
        }
        let key = price.0 ^ flip(side);
        let level = of.find(side as usize, key, &store.places);
        store.check_room(of, side, key, level, 0, qty)?;
        let level = store.level_for(of, side as usize, key, level);
        let handle = store.insert(id, missed, level, qty.0);
        let total = store.join(of, side as usize, level, handle, qty.0, place);
        Ok(Touched::One { side, now: Level { price, qty: Qty(total) } })
    }

    /// The order loses a quantity and keeps its place; at nothing left it leaves.
    ///
    /// # Errors
    /// [`L3Error::UnknownBook`], [`L3Error::BadQty`], [`L3Error::UnknownOrder`], [`L3Error::WrongBook`],
    /// [`L3Error::Underflow`]; everything is then as before.
    #[inline(always)]
    pub fn reduce(&mut self, book: BookIndex, id: OrderId, qty: Qty) -> Result<Touched, L3Error> {
        let Self { books, store, .. } = self;
        let Some(of) = books.get_mut(book.0 as usize) else { return Err(L3Error::UnknownBook { book }) };
        above_zero(qty)?;
        let found = store.own(book, id)?;
        store.take_from(of, id, &found, qty)
    }

    /// As [`Self::reduce`], by a message that states where the order rests.
    ///
    /// # Errors
    /// As [`Self::reduce`]; [`L3Error::WrongSide`], [`L3Error::WrongPrice`].
    #[inline(always)]
    pub fn cancel(
        &mut self,
        book: BookIndex,
        id: OrderId,
        side: Side,
        price: Price,
        qty: Qty,
    ) -> Result<Touched, L3Error> {
        let Self { books, store, .. } = self;
        let Some(of) = books.get_mut(book.0 as usize) else { return Err(L3Error::UnknownBook { book }) };
        above_zero(qty)?;
        let found = store.own(book, id)?;
        if side != found.side {
            return Err(L3Error::WrongSide { id, expected: found.side });
        }
        if price != found.price() {
            return Err(L3Error::WrongPrice { id, expected: found.price(), got: price });
        }
        store.take_from(of, id, &found, qty)
    }

    /// As [`Self::reduce`], by a trade.
    ///
    /// # Errors
    /// As [`Self::reduce`].
    #[inline]
    pub fn execute(&mut self, book: BookIndex, id: OrderId, qty: Qty) -> Result<Touched, L3Error> {
        self.reduce(book, id, qty)
    }

    /// The order leaves, and one with a new number takes its side at the end of the queue of `price`. The two numbers
    /// may be the same.
    ///
    /// # Errors
    /// [`L3Error::UnknownBook`], [`L3Error::BadQty`], [`L3Error::UnknownOrder`], [`L3Error::WrongBook`],
    /// [`L3Error::DuplicateOrder`], [`L3Error::LevelsLimit`], [`L3Error::QtyOverflow`]; everything is then as before.
    #[inline(always)]
    pub fn replace(
        &mut self,
        book: BookIndex,
        id: OrderId,
        new_id: OrderId,
        price: Price,
        qty: Qty,
    ) -> Result<Touched, L3Error> {
        let Self { books, store, .. } = self;
        let Some(of) = books.get_mut(book.0 as usize) else { return Err(L3Error::UnknownBook { book }) };
        above_zero(qty)?;
        let found = store.own(book, id)?;
        match store.orders.find(new_id.0) {
            Err(_) => store.replace_order(of, (id, &found), new_id, (price, qty)),
            Ok(_) if id == new_id => store.move_order(of, &found, (price, qty), AtEnd),
            Ok(_) => Err(L3Error::DuplicateOrder { id: new_id }),
        }
    }

    /// The order's price and quantity become these. It keeps its place when the price stays and the quantity does not
    /// grow, else it goes to the end of the queue.
    ///
    /// # Errors
    /// [`L3Error::UnknownBook`], [`L3Error::BadQty`], [`L3Error::UnknownOrder`], [`L3Error::WrongBook`],
    /// [`L3Error::WrongSide`], [`L3Error::LevelsLimit`], [`L3Error::QtyOverflow`]; everything is then as before.
    #[inline(always)]
    pub fn modify(
        &mut self,
        book: BookIndex,
        id: OrderId,
        side: Side,
        price: Price,
        qty: Qty,
    ) -> Result<Touched, L3Error> {
        let Self { books, store, .. } = self;
        let Some(of) = books.get_mut(book.0 as usize) else { return Err(L3Error::UnknownBook { book }) };
        above_zero(qty)?;
        let found = store.own(book, id)?;
        if side != found.side {
            return Err(L3Error::WrongSide { id, expected: found.side });
        }
        if price == found.price() && qty.0 <= found.qty {
            let left = store.set_qty(of, &found, qty.0);
            return Ok(found.one(left));
        }
        store.move_order(of, &found, (price, qty), AtEnd)
    }

    /// The order's price, quantity and key become these. With the same price and the same key it keeps its place,
    /// whatever the quantity; else it goes behind the last order of its price's queue whose key is not above its own.
    ///
    /// # Errors
    /// As [`Self::modify`], and [`L3Error::Memory`] at the first key; everything is then as before.
    pub fn modify_keyed(
        &mut self,
        book: BookIndex,
        id: OrderId,
        side: Side,
        price: Price,
        qty: Qty,
        key: u64,
    ) -> Result<Touched, L3Error> {
        let Self { books, store, .. } = self;
        store.orders.want_keys()?;
        let Some(of) = books.get_mut(book.0 as usize) else { return Err(L3Error::UnknownBook { book }) };
        above_zero(qty)?;
        let found = store.own(book, id)?;
        if side != found.side {
            return Err(L3Error::WrongSide { id, expected: found.side });
        }
        if price != found.price() || key != store.orders.key(found.handle) {
            return store.move_order(of, &found, (price, qty), ByKey(key));
        }
        if (store.levels.get(found.level).qty - found.qty).checked_add(qty.0).is_none() {
            return Err(L3Error::QtyOverflow { side, price });
        }
        let total = store.set_qty(of, &found, qty.0);
        Ok(found.one(total))
    }

    /// The order leaves.
    ///
    /// # Errors
    /// [`L3Error::UnknownBook`], [`L3Error::UnknownOrder`], [`L3Error::WrongBook`]; everything is then as before.
    #[inline(always)]
    pub fn delete(&mut self, book: BookIndex, id: OrderId) -> Result<Touched, L3Error> {
        let Self { books, store, .. } = self;
        let Some(of) = books.get_mut(book.0 as usize) else { return Err(L3Error::UnknownBook { book }) };
        let found = store.own(book, id)?;
        let left = store.remove(of, id, &found);
        Ok(found.one(left))
    }

    /// All orders of the book leave. Costs a few nanoseconds an order.
    ///
    /// # Errors
    /// [`L3Error::UnknownBook`].
    pub fn clear(&mut self, book: BookIndex) -> Result<Touched, L3Error> {
        let Self { books, store, .. } = self;
        let Some(of) = books.get_mut(book.0 as usize) else { return Err(L3Error::UnknownBook { book }) };
        for side in 0..2 {
            while store.remove_first(of, of.tops[side].best_level).is_some() {}
        }
        Ok(Touched::Book)
    }

    /// Keeps the best `depth` levels of each side, for feeds that tell exactly those; returns how many levels left.
    /// `left` is told of each order that leaves with them, worst level first, in a level the first to trade first.
    ///
    /// Costs a compare when nothing leaves, else a few nanoseconds an order.
    ///
    /// # Errors
    /// [`L3Error::UnknownBook`].
    pub fn truncate_levels(
        &mut self,
        book: BookIndex,
        depth: usize,
        mut left: impl FnMut(OrderId, Order),
    ) -> Result<usize, L3Error> {
        let Self { books, store, .. } = self;
        let Some(of) = books.get_mut(book.0 as usize) else { return Err(L3Error::UnknownBook { book }) };
        let mut levels = 0;
        for side in 0..2 {
            levels += store.truncate(of, side, depth, |id, found| {
                let (side, price) = (found.side, found.price());
                left(id, Order { book, side, price, qty: Qty(found.qty) });
            });
        }
        Ok(levels)
    }

    /// The highest bid.
    #[inline]
    #[must_use]
    pub fn best_bid(&self, book: BookIndex) -> Option<Level> {
        self.books.get(book.0 as usize)?.best(Side::Bid)
    }

    /// The lowest ask.
    #[inline]
    #[must_use]
    pub fn best_ask(&self, book: BookIndex) -> Option<Level> {
        self.books.get(book.0 as usize)?.best(Side::Ask)
    }

    /// Both. Reads one cache line.
    #[inline]
    #[must_use]
    pub fn bbo(&self, book: BookIndex) -> Bbo {
        let Some(of) = self.books.get(book.0 as usize) else { return Bbo::default() };
        Bbo { bid: of.best(Side::Bid), ask: of.best(Side::Ask) }
    }

    /// How much stands at a price, 0 = nothing.
    #[inline]
    #[must_use]
    pub fn qty_at(&self, book: BookIndex, side: Side, price: Price) -> Qty {
        Qty(self.level_at(book, side, price).map_or(0, |level| level.qty))
    }

    /// How many orders stand at a price.
    #[inline]
    #[must_use]
    pub fn order_count_at(&self, book: BookIndex, side: Side, price: Price) -> u32 {
        self.level_at(book, side, price).map_or(0, |level| level.orders)
    }

    /// Number of levels of one side.
    #[inline]
    #[must_use]
    pub fn len(&self, book: BookIndex, side: Side) -> usize {
        self.books.get(book.0 as usize).map_or(0, |book| book.tops[side as usize].levels as usize)
    }

    /// Whether neither side has a level.
    #[inline]
    #[must_use]
    pub fn is_empty(&self, book: BookIndex) -> bool {
        self.len(book, Side::Bid) + self.len(book, Side::Ask) == 0
    }

    /// Resting orders of all books.
    #[inline]
    #[must_use]
    pub fn orders_len(&self) -> usize {
        self.store.orders.len()
    }

    /// Levels of all books.
    #[must_use]
    pub fn levels_len(&self) -> usize {
        self.store.levels.len()
    }

    /// Number of open books.
    #[must_use]
    pub fn books_len(&self) -> usize {
        self.books.len()
    }

    /// One side's levels, best first.
    pub fn levels(&self, book: BookIndex, side: Side) -> impl Iterator<Item = Level> + use<'_> {
        self.levels_with_orders(book, side).map(|level| level.level)
    }

    /// One side's levels with their numbers of orders, best first.
    #[must_use]
    pub fn levels_with_orders(&self, book: BookIndex, side: Side) -> L3Levels<'_> {
        let entries =
            self.books.get(book.0 as usize).map(|book| book.entries(side as usize, &self.store.places));
        L3Levels { entries, flip: flip(side), levels: &self.store.levels }
    }

    /// The order of that number.
    #[inline]
    #[must_use]
    pub fn order(&self, id: OrderId) -> Option<Order> {
        let node = self.store.orders.get(self.store.orders.find(id.0).ok()?);
        let level = self.store.levels.get(node.level);
        let side = side_of(level.owner);
        Some(Order {
            book: BookIndex(level.owner >> 1),
            side,
            price: Price(level.key ^ flip(side)),
            qty: Qty(node.qty),
        })
    }

    /// All orders of a book: bids, best price first, each queue from its front, then asks.
    pub fn orders(&self, book: BookIndex) -> impl Iterator<Item = (OrderId, Order)> + use<'_> {
        [Side::Bid, Side::Ask].into_iter().flat_map(move |side| {
            self.levels(book, side).flat_map(move |Level { price, .. }| {
                let order = move |qty| Order { book, side, price, qty };
                self.queue(book, side, price).map(move |queued| (queued.id, order(queued.qty)))
            })
        })
    }

    /// The orders at a price, the first to trade first.
    #[must_use]
    pub fn queue(&self, book: BookIndex, side: Side, price: Price) -> L3Queue<'_> {
        let level = self.level_at(book, side, price);
        let handles = level.map_or(QueueIter::empty(), |level| QueueIter::new(level, &self.store.chunks));
        L3Queue { handles, orders: &self.store.orders }
    }

    /// What stands before an order at its price. Costs a read of each order before it.
    #[must_use]
    pub fn queue_position(&self, id: OrderId) -> Option<QueuePosition> {
        let own = self.store.orders.find(id.0).ok()?;
        let level = self.store.levels.get(self.store.orders.get(own).level);
        let mut position = QueuePosition::default();
        for ahead in QueueIter::new(level, &self.store.chunks).take_while(|ahead| *ahead != own) {
            position.orders_ahead += 1;
            // Cannot overflow: a level's sum fits.
            position.qty_ahead.0 += self.store.orders.get(ahead).qty;
        }
        Some(position)
    }

    /// Memory in use, in bytes, beside what [`L3Books::new`] reserves without touching it.
    ///
    /// At most, for the greatest number of orders that ever rested: 512 bytes an order, 17 KiB a side that ever had
    /// eight levels, 200 bytes a book, 2 MiB; 128 bytes an order more where keys are used. Where the machine grants
    /// large pages, each of the few tables is rounded up to 2 MiB.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.store.orders.memory_bytes()
            + self.store.levels.memory_bytes()
            + self.store.chunks.memory_bytes()
            + self.store.places.memory_bytes()
            + size_of_val(&*self.books)
    }

    /// Checks what must hold between messages, in time linear in all orders; names the rule that does not.
    ///
    /// # Errors
    /// The rule that is broken.
    pub fn check_invariants(&self) -> Result<(), &'static str> {
        self.store.orders.check_invariants()?;
        self.store.levels.check_invariants()?;
        let (mut levels, mut orders, mut chunks) = (0, 0, 0);
        for (index, book) in self.books.iter().enumerate() {
            book.check_invariants(&self.store.places, &self.store.levels)?;
            for side in 0..2 {
                for entry in book.entries(side, &self.store.places) {
                    let level = self.store.levels.get(entry.level);
                    levels += 1;
                    orders += level.orders as usize;
                    chunks += self.store.chunks.check_queue(level)?;
                    if level.key != entry.key || level.owner as usize != index << 1 | side {
                        return Err("a level knows its key, book and side");
                    }
                    let mut left = (level.orders, level.qty);
                    for handle in QueueIter::new(level, &self.store.chunks) {
                        let node = self.store.orders.get(handle);
                        if node.level != entry.level
                            || self.store.orders.find(self.store.orders.id(handle)) != Ok(handle)
                        {
                            return Err("an order of a queue knows its level and is found by its number");
                        }
                        left = (left.0.wrapping_sub(1), left.1.wrapping_sub(node.qty));
                    }
                    if left != (0, 0) || level.orders == 0 {
                        return Err("a level counts its orders and sums their quantities");
                    }
                }
            }
        }
        self.store.chunks.check_all(chunks)?;
        self.store.places.check_all(self.books.iter().flat_map(Book::maps))?;
        if (levels, orders) != (self.store.levels.len(), self.store.orders.len()) {
            return Err("every order and every level is in a book");
        }
        Ok(())
    }

    #[inline]
    fn level_at(&self, book: BookIndex, side: Side, price: Price) -> Option<&LevelNode> {
        let book = self.books.get(book.0 as usize)?;
        let level = book.find(side as usize, price.0 ^ flip(side), &self.store.places);
        (level != NONE).then(|| self.store.levels.get(level))
    }
}

#[inline]
fn above_zero(qty: Qty) -> Result<(), L3Error> {
    if qty.0 > 0 { Ok(()) } else { Err(L3Error::BadQty { qty }) }
}

/// The levels of one side, best first. Allocates nothing.
#[derive(Clone, Debug)]
pub struct L3Levels<'a> {
    entries: Option<EntryIter<'a>>,
    flip: i64,
    levels: &'a LevelPool,
}

impl Iterator for L3Levels<'_> {
    type Item = L3Level;

    #[inline]
    fn next(&mut self) -> Option<L3Level> {
        let entry = self.entries.as_mut()?.next()?;
        let node = self.levels.get(entry.level);
        let level = Level { price: Price(entry.key ^ self.flip), qty: Qty(node.qty) };
        Some(L3Level { level, orders: node.orders })
    }
}

/// The orders of one queue, the first to trade first. Allocates nothing.
#[derive(Clone, Debug)]
pub struct L3Queue<'a> {
    handles: QueueIter<'a>,
    orders: &'a OrderTable,
}

impl Iterator for L3Queue<'_> {
    type Item = QueuedOrder;

    #[inline]
    fn next(&mut self) -> Option<QueuedOrder> {
        let handle = self.handles.next()?;
        Some(QueuedOrder { id: OrderId(self.orders.id(handle)), qty: Qty(self.orders.get(handle).qty) })
    }
}

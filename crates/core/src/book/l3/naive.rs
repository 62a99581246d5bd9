//! The oracle: the same books as plainly as they can be written, in maps and queues. It shares only the vocabulary.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::BuildHasherDefault;

use super::{Bbo, BookIndex, L3Error, L3Level, L3Spec, Order, QueuePosition, QueuedOrder, Touched};
use crate::book::BookSpec;
use crate::types::{Level, OrderChange, OrderId, Price, Qty, Side};

/// The books of one feed in ordered maps of queues, with the surface of [`L3Books`](super::L3Books).
///
/// Serves property tests, fuzzing and the baseline row of benchmarks. A change costs two map look-ups and a search
/// of its queue.
#[derive(Clone, Debug)]
pub struct NaiveL3 {
    spec: L3Spec,
    books: Vec<NaiveBook>,
    /// Hashed without chance, so that a run takes the same steps as the one before.
    orders: HashMap<OrderId, Order, BuildHasherDefault<DefaultHasher>>,
}

#[derive(Clone, Debug)]
struct NaiveBook {
    levels_max: u32,
    sides: [BTreeMap<Price, VecDeque<Queued>>; 2],
}

/// An order in its queue; its key is 0 unless it was given one.
#[derive(Clone, Copy, Debug)]
struct Queued {
    order: QueuedOrder,
    key: u64,
}

impl NaiveL3 {
    /// No book and no order.
    #[must_use]
    pub fn new(spec: L3Spec) -> Self {
        Self { spec, books: Vec::new(), orders: HashMap::default() }
    }

    /// Opens an empty book.
    ///
    /// # Errors
    /// [`L3Error::BooksLimit`].
    pub fn open(&mut self, spec: BookSpec) -> Result<BookIndex, L3Error> {
        if self.books.len() >= self.spec.books_max as usize {
            return Err(L3Error::BooksLimit { books_max: self.spec.books_max });
        }
        self.books.push(NaiveBook { levels_max: spec.levels_max, sides: Default::default() });
        Ok(BookIndex(self.books.len() as u32 - 1))
    }

    /// Applies one change.
    ///
    /// # Errors
    /// See [`L3Error`]; everything is then as before.
    pub fn apply(&mut self, book: BookIndex, change: &OrderChange) -> Result<Touched, L3Error> {
        if self.book(book).is_none() {
            return Err(L3Error::UnknownBook { book });
        }
        match *change {
            OrderChange::Add { id, side, price, qty } => {
                above_zero(qty)?;
                if self.orders.contains_key(&id) {
                    return Err(L3Error::DuplicateOrder { id });
                }
                if self.orders.len() >= self.spec.orders_max as usize {
                    return Err(L3Error::OrdersLimit { orders_max: self.spec.orders_max });
                }
                let order = Order { book, side, price, qty };
                self.check_room(order, None)?;
                self.insert(id, order, None);
                Ok(self.one(order))
            }
            OrderChange::Reduce { id, qty } | OrderChange::Execute { id, qty } => {
                above_zero(qty)?;
                let mut order = self.own(book, id)?;
                if qty > order.qty {
                    return Err(L3Error::Underflow { id, left: order.qty, asked: qty });
                }
                order.qty.0 -= qty.0;
                self.set_qty(id, order.qty);
                if order.qty == Qty(0) {
                    self.remove(id);
                }
                Ok(self.one(order))
            }
            OrderChange::Cancel { id, side, price, qty } => {
                above_zero(qty)?;
                let order = self.own(book, id)?;
                if side != order.side {
                    return Err(L3Error::WrongSide { id, expected: order.side });
                }
                if price != order.price {
                    return Err(L3Error::WrongPrice { id, expected: order.price, got: price });
                }
                self.apply(book, &OrderChange::Reduce { id, qty })
            }
            OrderChange::Replace { id, new_id, price, qty } => {
                above_zero(qty)?;
                let old = self.own(book, id)?;
                if id != new_id && self.orders.contains_key(&new_id) {
                    return Err(L3Error::DuplicateOrder { id: new_id });
                }
                self.move_order(id, old, new_id, Order { price, qty, ..old }, None)
            }
            OrderChange::Modify { id, side, price, qty } => {
                above_zero(qty)?;
                let old = self.own(book, id)?;
                if side != old.side {
                    return Err(L3Error::WrongSide { id, expected: old.side });
                }
                if price == old.price && qty <= old.qty {
                    self.set_qty(id, qty);
                    return Ok(self.one(old));
                }
                self.move_order(id, old, id, Order { price, qty, ..old }, None)
            }
            OrderChange::Upsert { id, side, price, qty } => match self.orders.contains_key(&id) {
                true => self.apply(book, &OrderChange::Modify { id, side, price, qty }),
                false => self.apply(book, &OrderChange::Add { id, side, price, qty }),
            },
            OrderChange::Delete { id } => {
                let order = self.own(book, id)?;
                self.remove(id);
                Ok(self.one(order))
            }
            OrderChange::Clear => {
                self.orders.retain(|_, order| order.book != book);
                if let Some(book) = self.books.get_mut(book.0 as usize) {
                    book.sides = Default::default();
                }
                Ok(Touched::Book)
            }
        }
    }

    /// A new order behind the last one of its price's queue whose key is not above its own.
    ///
    /// # Errors
    /// See [`L3Error`]; everything is then as before.
    pub fn add_keyed(
        &mut self,
        book: BookIndex,
        id: OrderId,
        side: Side,
        price: Price,
        qty: Qty,
        key: u64,
    ) -> Result<Touched, L3Error> {
        let touched = self.apply(book, &OrderChange::Add { id, side, price, qty })?;
        self.remove(id);
        self.insert(id, Order { book, side, price, qty }, Some(key));
        Ok(touched)
    }

    /// The order's price, quantity and key become these; it keeps its place when price and key stay.
    ///
    /// # Errors
    /// See [`L3Error`]; everything is then as before.
    pub fn modify_keyed(
        &mut self,
        book: BookIndex,
        id: OrderId,
        side: Side,
        price: Price,
        qty: Qty,
        key: u64,
    ) -> Result<Touched, L3Error> {
        if self.book(book).is_none() {
            return Err(L3Error::UnknownBook { book });
        }
        above_zero(qty)?;
        let old = self.own(book, id)?;
        if side != old.side {
            return Err(L3Error::WrongSide { id, expected: old.side });
        }
        let new = Order { price, qty, ..old };
        if price != old.price || self.queued(id).map(|queued| queued.key) != Some(key) {
            return self.move_order(id, old, id, new, Some(key));
        }
        self.check_room(new, Some(old))?;
        self.set_qty(id, qty);
        Ok(self.one(new))
    }

    /// Keeps the best `depth` levels of each side; returns how many left. `left` is told of each order that left.
    ///
    /// # Errors
    /// [`L3Error::UnknownBook`].
    pub fn truncate_levels(
        &mut self,
        book: BookIndex,
        depth: usize,
        mut left: impl FnMut(OrderId, Order),
    ) -> Result<usize, L3Error> {
        if self.book(book).is_none() {
            return Err(L3Error::UnknownBook { book });
        }
        let mut levels = 0;
        for side in [Side::Bid, Side::Ask] {
            while self.len(book, side) > depth {
                let Some(worst) = self.levels(book, side).last() else { break };
                let orders: Vec<_> = self.queue(book, side, worst.price).collect();
                for QueuedOrder { id, qty } in orders {
                    self.remove(id);
                    left(id, Order { book, side, price: worst.price, qty });
                }
                levels += 1;
            }
        }
        Ok(levels)
    }

    /// The highest bid.
    #[must_use]
    pub fn best_bid(&self, book: BookIndex) -> Option<Level> {
        self.levels(book, Side::Bid).next()
    }

    /// The lowest ask.
    #[must_use]
    pub fn best_ask(&self, book: BookIndex) -> Option<Level> {
        self.levels(book, Side::Ask).next()
    }

    /// Both.
    #[must_use]
    pub fn bbo(&self, book: BookIndex) -> Bbo {
        Bbo { bid: self.best_bid(book), ask: self.best_ask(book) }
    }

    /// How much stands at a price.
    #[must_use]
    pub fn qty_at(&self, book: BookIndex, side: Side, price: Price) -> Qty {
        Qty(self.queue(book, side, price).map(|order| order.qty.0).sum())
    }

    /// How many orders stand at a price.
    #[must_use]
    pub fn order_count_at(&self, book: BookIndex, side: Side, price: Price) -> u32 {
        self.queue(book, side, price).count() as u32
    }

    /// Number of levels of one side.
    #[must_use]
    pub fn len(&self, book: BookIndex, side: Side) -> usize {
        self.book(book).map_or(0, |book| book.sides[side as usize].len())
    }

    /// Whether neither side has a level.
    #[must_use]
    pub fn is_empty(&self, book: BookIndex) -> bool {
        self.len(book, Side::Bid) + self.len(book, Side::Ask) == 0
    }

    /// Resting orders of all books.
    #[must_use]
    pub fn orders_len(&self) -> usize {
        self.orders.len()
    }

    /// One side's levels, best first.
    pub fn levels(&self, book: BookIndex, side: Side) -> impl Iterator<Item = Level> {
        self.levels_with_orders(book, side).map(|level| level.level)
    }

    /// One side's levels with their numbers of orders, best first.
    pub fn levels_with_orders(&self, book: BookIndex, side: Side) -> impl Iterator<Item = L3Level> {
        let levels = self.book(book).map(|book| &book.sides[side as usize]);
        let bids = levels.filter(|_| side == Side::Bid).map(|levels| levels.iter().rev());
        let asks = levels.filter(|_| side == Side::Ask).map(|levels| levels.iter());
        let both = bids.into_iter().flatten().chain(asks.into_iter().flatten());
        both.map(|(&price, queue)| L3Level {
            level: Level { price, qty: Qty(queue.iter().map(|queued| queued.order.qty.0).sum()) },
            orders: queue.len() as u32,
        })
    }

    /// The order of that number.
    #[must_use]
    pub fn order(&self, id: OrderId) -> Option<Order> {
        self.orders.get(&id).copied()
    }

    /// The orders at a price, the first to trade first.
    pub fn queue(
        &self,
        book: BookIndex,
        side: Side,
        price: Price,
    ) -> impl Iterator<Item = QueuedOrder> + use<'_> {
        let queue = self.book(book).and_then(|book| book.sides[side as usize].get(&price));
        queue.into_iter().flatten().map(|queued| queued.order)
    }

    /// What stands before an order at its price.
    #[must_use]
    pub fn queue_position(&self, id: OrderId) -> Option<QueuePosition> {
        let order = self.order(id)?;
        let mut position = QueuePosition::default();
        for ahead in self.queue(order.book, order.side, order.price).take_while(|ahead| ahead.id != id) {
            position.orders_ahead += 1;
            position.qty_ahead.0 += ahead.qty.0;
        }
        Some(position)
    }

    fn book(&self, book: BookIndex) -> Option<&NaiveBook> {
        self.books.get(book.0 as usize)
    }

    /// The order, if it rests in this book.
    fn own(&self, book: BookIndex, id: OrderId) -> Result<Order, L3Error> {
        let order = self.order(id).ok_or(L3Error::UnknownOrder { id })?;
        if order.book != book {
            return Err(L3Error::WrongBook { id, expected: order.book, got: book });
        }
        Ok(order)
    }

    /// Whether the books can take an order in place of another.
    fn check_room(&self, order: Order, leaving: Option<Order>) -> Result<(), L3Error> {
        let Some(book) = self.book(order.book) else { return Ok(()) };
        let count = |at: Order| self.order_count_at(at.book, at.side, at.price);
        let stays = leaving.filter(|leaving| leaving.price == order.price);
        let empties = leaving.is_some_and(|leaving| leaving.price != order.price && count(leaving) == 1);
        let levels = book.sides[0].len() + book.sides[1].len() - usize::from(empties);
        if count(order) == 0 && levels >= book.levels_max as usize {
            return Err(L3Error::LevelsLimit { levels_max: book.levels_max });
        }
        let there = self.qty_at(order.book, order.side, order.price).0 - stays.map_or(0, |stays| stays.qty.0);
        match there.checked_add(order.qty.0) {
            Some(_) => Ok(()),
            None => Err(L3Error::QtyOverflow { side: order.side, price: order.price }),
        }
    }

    fn move_order(
        &mut self,
        id: OrderId,
        old: Order,
        new_id: OrderId,
        new: Order,
        key: Option<u64>,
    ) -> Result<Touched, L3Error> {
        self.check_room(new, Some(old))?;
        self.remove(id);
        self.insert(new_id, new, key);
        if old.price == new.price {
            return Ok(self.one(new));
        }
        Ok(Touched::Two { side: new.side, left: self.level_at(old), joined: self.level_at(new) })
    }

    /// At the end of its queue, or behind the last order whose key is not above its own.
    fn insert(&mut self, id: OrderId, order: Order, key: Option<u64>) {
        self.orders.insert(id, order);
        if let Some(book) = self.books.get_mut(order.book.0 as usize) {
            let queue = book.sides[order.side as usize].entry(order.price).or_default();
            let at = match key {
                None => queue.len(),
                Some(key) => {
                    queue.iter().rposition(|before| before.key <= key).map_or(0, |before| before + 1)
                }
            };
            queue.insert(at, Queued { order: QueuedOrder { id, qty: order.qty }, key: key.unwrap_or(0) });
        }
    }

    fn remove(&mut self, id: OrderId) {
        let Some(order) = self.orders.remove(&id) else { return };
        let Some(book) = self.books.get_mut(order.book.0 as usize) else { return };
        let side = &mut book.sides[order.side as usize];
        if let Some(queue) = side.get_mut(&order.price) {
            queue.retain(|queued| queued.order.id != id);
            if queue.is_empty() {
                side.remove(&order.price);
            }
        }
    }

    fn set_qty(&mut self, id: OrderId, qty: Qty) {
        let Some(order) = self.orders.get_mut(&id) else { return };
        order.qty = qty;
        let Some(book) = self.books.get_mut(order.book.0 as usize) else { return };
        let queue = book.sides[order.side as usize].get_mut(&order.price);
        if let Some(queued) = queue.into_iter().flatten().find(|queued| queued.order.id == id) {
            queued.order.qty = qty;
        }
    }

    fn queued(&self, id: OrderId) -> Option<Queued> {
        let order = self.order(id)?;
        let queue = self.book(order.book)?.sides[order.side as usize].get(&order.price)?;
        queue.iter().find(|queued| queued.order.id == id).copied()
    }

    fn level_at(&self, at: Order) -> Level {
        Level { price: at.price, qty: self.qty_at(at.book, at.side, at.price) }
    }

    fn one(&self, at: Order) -> Touched {
        Touched::One { side: at.side, now: self.level_at(at) }
    }
}

fn above_zero(qty: Qty) -> Result<(), L3Error> {
    if qty.0 > 0 { Ok(()) } else { Err(L3Error::BadQty { qty }) }
}

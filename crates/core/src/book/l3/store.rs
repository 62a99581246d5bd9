//! The orders of all books: one table, one pool of levels, one of queue chunks, the places of all sides' levels.
//!
//! Every change is checked before anything is written; what is here below the checks cannot fail.

use super::book::Book;
use super::far_lists::Entry;
use super::id_chains::Missed;
use super::level_map::Places;
use super::levels::LevelPool;
use super::order_table::OrderTable;
use super::queue::{self, ChunkPool, QueueIter};
use super::{BookIndex, L3Error, L3Spec, NONE, Touched, flip, side_of};
use crate::types::{Level, OrderId, Price, Qty, Side};

/// What all books of a feed share.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) orders: OrderTable,
    pub(super) levels: LevelPool,
    pub(super) chunks: ChunkPool,
    pub(super) places: Places,
}

/// An order as the table finds it, with what its level says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) handle: u32,
    pub(super) level: u32,
    place: u32,
    pub(super) side: Side,
    pub(super) qty: i64,
    key: i64,
}

impl Found {
    #[inline]
    pub(super) fn price(&self) -> Price {
        Price(self.key ^ flip(self.side))
    }

    /// The answer to a move: what the level that it left has left, `None` where it stays there, and the level that it joined.
    #[inline]
    fn moved(&self, left: Option<i64>, joined: Level) -> Touched {
        match left {
            None => Touched::One { side: self.side, now: joined },
            Some(left) => {
                Touched::Two { side: self.side, left: Level { price: self.price(), qty: Qty(left) }, joined }
            }
        }
    }

    /// The answer to a change within the order's level, which now has `qty`.
    #[inline]
    pub(super) fn one(&self, qty: i64) -> Touched {
        Touched::One { side: self.side, now: Level { price: self.price(), qty: Qty(qty) } }
    }
}

/// Where an order stands in the queue that it joins: known when compiled, so that the usual place costs no question.
pub(super) trait Place: Copy {
    /// Behind the last order whose key is not above this; none = at the end.
    fn key(self) -> Option<u64>;
}

/// At the end.
#[derive(Clone, Copy)]
pub(super) struct AtEnd;

impl Place for AtEnd {
    #[inline(always)]
    fn key(self) -> Option<u64> {
        None
    }
}

/// Behind the last order whose key is not above this.
#[derive(Clone, Copy)]
pub(super) struct ByKey(pub(super) u64);

impl Place for ByKey {
    #[inline(always)]
    fn key(self) -> Option<u64> {
        Some(self.0)
    }
}

impl Store {
    pub(super) fn new(spec: &L3Spec) -> Result<Self, L3Error> {
        Ok(Self {
            orders: OrderTable::new(spec)?,
            levels: LevelPool::new(spec.orders_max)?,
            chunks: ChunkPool::new(spec.orders_max)?,
            places: Places::new(spec)?,
        })
    }

    /// The order, if it rests in this book.
    #[inline(always)]
    pub(super) fn own(&self, book: BookIndex, id: OrderId) -> Result<Found, L3Error> {
        let Ok((handle, cell)) = self.orders.find_cell(id.0) else {
            return Err(L3Error::UnknownOrder { id });
        };
        let level = self.levels.get(cell.level);
        if level.owner >> 1 != book.0 {
            return Err(L3Error::WrongBook { id, expected: BookIndex(level.owner >> 1), got: book });
        }
        let side = side_of(level.owner);
        Ok(Found { handle, level: cell.level, place: cell.place, side, qty: cell.qty, key: level.key })
    }

    /// Whether a quantity may stand at a key, whose level is `level` or not there yet, when `leaving` levels go first.
    #[inline(always)]
    pub(super) fn check_room(
        &self,
        of: &Book,
        side: Side,
        key: i64,
        level: u32,
        leaving: u64,
        qty: Qty,
    ) -> Result<(), L3Error> {
        if level == NONE {
            if of.levels_total() - leaving >= u64::from(of.levels_max()) {
                return Err(L3Error::LevelsLimit { levels_max: of.levels_max() });
            }
        } else if self.levels.get(level).qty.checked_add(qty.0).is_none() {
            return Err(L3Error::QtyOverflow { side, price: Price(key ^ flip(side)) });
        }
        Ok(())
    }

    /// The order leaves its place for another in the queue of a price.
    #[inline(always)]
    pub(super) fn move_order<P: Place>(
        &mut self,
        of: &mut Book,
        found: &Found,
        (price, qty): (Price, Qty),
        to: P,
    ) -> Result<Touched, L3Error> {
        let (level, left) = self.leave_for(of, found, price, qty)?;
        let cell = self.orders.get_mut(found.handle);
        (cell.qty, cell.level) = (qty.0, level);
        let joined = self.join(of, found.side as usize, level, found.handle, qty.0, to);
        Ok(found.moved(left, Level { price, qty: Qty(joined) }))
    }

    /// The order leaves, and another, whose number does not rest, takes the last place in the queue of a price of its side.
    #[inline(always)]
    pub(super) fn replace_order(
        &mut self,
        of: &mut Book,
        (id, found): (OrderId, &Found),
        new_id: OrderId,
        (price, qty): (Price, Qty),
    ) -> Result<Touched, L3Error> {
        let (level, left) = self.leave_for(of, found, price, qty)?;
        self.forget(id, found.handle);
        // Asked for only now: where the new number belongs may have changed with the old one's leaving.
        let missed = self.orders.find(new_id.0).err().unwrap_or(Missed::NOWHERE);
        let handle = self.insert(new_id, missed, level, qty.0);
        let joined = self.join(of, found.side as usize, level, handle, qty.0, AtEnd);
        Ok(found.moved(left, Level { price, qty: Qty(joined) }))
    }

    /// The order leaves its place, so that it or another one may stand at a price of its side: at which level, and what the
    /// level that it left has left, `None` where that is the same.
    #[inline(always)]
    fn leave_for(
        &mut self,
        of: &mut Book,
        found: &Found,
        price: Price,
        qty: Qty,
    ) -> Result<(u32, Option<i64>), L3Error> {
        let side = found.side;
        let key = price.0 ^ flip(side);
        if key == found.key {
            if (self.levels.get(found.level).qty - found.qty).checked_add(qty.0).is_none() {
                return Err(L3Error::QtyOverflow { side, price });
            }
            // The level stays even if this is its only order: it has one again at once.
            self.leave_queue(found);
            return Ok((found.level, None));
        }
        let leaving = u64::from(self.levels.get(found.level).orders == 1);
        let level = of.find(found.side as usize, key, &self.places);
        self.check_room(of, side, key, level, leaving, qty)?;
        let left = self.leave(of, found);
        Ok((self.level_for(of, found.side as usize, key, level), Some(left)))
    }

    /// The order loses a quantity above 0 and keeps its place; at nothing left it leaves for good.
    #[inline(always)]
    pub(super) fn take_from(
        &mut self,
        of: &mut Book,
        id: OrderId,
        found: &Found,
        qty: Qty,
    ) -> Result<Touched, L3Error> {
        if qty.0 > found.qty {
            return Err(L3Error::Underflow { id, left: Qty(found.qty), asked: qty });
        }
        let left = if qty.0 == found.qty {
            self.remove(of, id, found)
        } else {
            self.set_qty(of, found, found.qty - qty.0)
        };
        Ok(found.one(left))
    }

    /// The order keeps its place with another quantity, which its level can take; returns its level's.
    #[inline(always)]
    pub(super) fn set_qty(&mut self, of: &mut Book, found: &Found, qty: i64) -> i64 {
        self.orders.get_mut(found.handle).qty = qty;
        let level = self.levels.get_mut(found.level);
        level.qty += qty - found.qty;
        of.requote(found.side as usize, found.level, level.qty);
        level.qty
    }

    /// The level of a key: `level`, or a new one without orders where that is [`NONE`].
    #[inline(always)]
    pub(super) fn level_for(&mut self, of: &mut Book, side: usize, key: i64, level: u32) -> u32 {
        if level == NONE { self.open_level(of, side, key) } else { level }
    }

    #[inline(never)]
    fn open_level(&mut self, of: &mut Book, side: usize, key: i64) -> u32 {
        let level = self.levels.alloc(key, of.index() << 1 | side as u32);
        of.insert(side, Entry { key, level }, &mut self.places);
        level
    }

    #[inline(never)]
    fn close_level(&mut self, of: &mut Book, side: usize, entry: Entry) {
        of.remove(side, entry, &mut self.places, &self.levels);
        self.levels.free(entry.level);
    }

    /// Puts an order into the table.
    #[inline(always)]
    pub(super) fn insert(&mut self, id: OrderId, missed: Missed, level: u32, qty: i64) -> u32 {
        let (levels, chunks) = (&mut self.levels, &mut self.chunks);
        self.orders.insert(id.0, missed, (qty, level), |cell, from, to| {
            queue::rename(levels.get_mut(cell.level), chunks, cell, from, to);
        })
    }

    /// Takes an order that has left its queue out of the table.
    #[inline(always)]
    fn forget(&mut self, id: OrderId, handle: u32) {
        let (levels, chunks) = (&mut self.levels, &mut self.chunks);
        self.orders.remove(id.0, handle, |cell, from, to| {
            queue::rename(levels.get_mut(cell.level), chunks, cell, from, to);
        });
    }

    /// The order leaves for good; returns what its level has left.
    #[inline(always)]
    pub(super) fn remove(&mut self, of: &mut Book, id: OrderId, found: &Found) -> i64 {
        let left = self.leave(of, found);
        self.forget(id, found.handle);
        left
    }

    /// The first order of a level leaves, if there is one.
    pub(super) fn remove_first(&mut self, of: &mut Book, level: u32) -> Option<(OrderId, Found)> {
        if level == NONE {
            return None;
        }
        let node = self.levels.get(level);
        let handle = QueueIter::new(node, &self.chunks).next()?;
        let cell = self.orders.get(handle);
        let side = side_of(node.owner);
        let found = Found { handle, level, place: cell.place, side, qty: cell.qty, key: node.key };
        let id = OrderId(self.orders.id(handle));
        self.remove(of, id, &found);
        Some((id, found))
    }

    /// The worst levels of a side leave with their orders until `depth` are left; returns how many.
    pub(super) fn truncate(
        &mut self,
        of: &mut Book,
        side: usize,
        depth: usize,
        mut left: impl FnMut(OrderId, &Found),
    ) -> usize {
        let excess = (of.tops[side].levels as usize).saturating_sub(depth);
        for _ in 0..excess {
            let Some(worst) = of.worst(side, &self.places) else { break };
            let orders = self.levels.get(worst.level).orders;
            for _ in 0..orders {
                if let Some((id, found)) = self.remove_first(of, worst.level) {
                    left(id, &found);
                }
            }
        }
        excess
    }

    /// An order of the table takes its place in a level's queue; returns the level's quantity.
    #[inline(always)]
    pub(super) fn join<P: Place>(
        &mut self,
        of: &mut Book,
        side: usize,
        level: u32,
        handle: u32,
        qty: i64,
        to: P,
    ) -> i64 {
        let node = self.levels.get_mut(level);
        // Cannot overflow: the sum was checked.
        node.qty += qty;
        let total = node.qty;
        match to.key() {
            None => {
                queue::push(node, &mut self.chunks, self.orders.cells_mut(), handle);
                self.orders.unset_key(handle);
            }
            Some(key) => {
                self.orders.set_key(handle, key);
                queue::insert_by_key(node, &mut self.chunks, &mut self.orders, handle);
            }
        }
        of.requote(side, level, total);
        total
    }

    /// The order leaves its level, and the level its book when that was the last one; returns what is left.
    #[inline(always)]
    fn leave(&mut self, of: &mut Book, found: &Found) -> i64 {
        let left = self.leave_queue(found);
        if left == 0 {
            self.close_level(of, found.side as usize, Entry { key: found.key, level: found.level });
        } else {
            of.requote(found.side as usize, found.level, left);
        }
        left
    }

    #[inline(always)]
    fn leave_queue(&mut self, found: &Found) -> i64 {
        let level = self.levels.get_mut(found.level);
        level.qty -= found.qty;
        let left = level.qty;
        queue::remove(level, &mut self.chunks, found.handle, found.place);
        left
    }
}

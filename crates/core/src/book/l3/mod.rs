//! Exact order-by-order books: who stands at every price, in which place of its queue, at any moment.
//!
//! [`L3Books`] serves: all books of one feed over one order table, because a feed numbers its orders over all
//! instruments. [`NaiveL3`] is the oracle: ordered maps, queues and the same surface.
//!
//! Venues that name orders by text or UUID go through [`ExternalIds`] first.
//!
//! What a message costs is the number of cold cache lines it touches, so the parts are cut by lines: an order is a
//! quarter of a line, a level with its first eight orders is one line, what a book is read for most is one line.
//!
//! Absences that are promises: no float, no clock, no panic on any input; no allocation after [`L3Books::new`] but for the
//! first key of an order, where the machine grants the address space. A call that returns an error has changed nothing.

mod book;
mod books;
mod cell;
mod error;
mod external_ids;
mod far_lists;
mod id_chains;
mod level_map;
mod levels;
mod lookahead;
mod memory;
mod naive;
mod order_table;
mod pieces;
mod queue;
mod store;
mod touched;

pub use books::{L3Books, L3Levels, L3Queue};
pub use error::L3Error;
pub use external_ids::{EXTERNAL_ID_BYTES_MAX, ExternalIdError, ExternalIds};
pub use lookahead::Lookahead;
pub(crate) use lookahead::ORDERS_MIN;
pub use naive::NaiveL3;
pub use touched::Touched;

use crate::types::{Level, Price, Qty, Side};

/// What a feed's books have to know before they start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct L3Spec {
    /// Most resting orders of all books together, at most [`ORDERS_MAX`].
    pub orders_max: u32,
    /// Most books, at most [`BOOKS_MAX`].
    pub books_max: u32,
    /// How the venue numbers its orders. It decides speed only: either books take any numbers.
    pub ids: IdOrder,
    /// Seed of the id table's hash. Where strangers choose the numbers, let it be a secret of the process, so that
    /// nobody can choose numbers that collide.
    pub hash_seed: u64,
}

/// Most orders that [`L3Spec::orders_max`] may ask for.
pub const ORDERS_MAX: u32 = 1 << 26;

/// Most books that [`L3Spec::books_max`] may ask for.
pub const BOOKS_MAX: u32 = 1 << 20;

/// How a venue numbers its orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdOrder {
    /// Mostly ascending with few gaps (ITCH reference numbers, CME): an order is found at `id − base`.
    Ascending,
    /// Anything: an order is found by hash.
    Arbitrary,
}

/// Number of a book within its [`L3Books`], from 0 in the order of opening.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct BookIndex(pub u32);

/// A resting order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its book.
    pub book: BookIndex,
    /// Its side.
    pub side: Side,
    /// Its price.
    pub price: Price,
    /// What is left of it, above 0.
    pub qty: Qty,
}

/// An order in its queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueuedOrder {
    /// Its number.
    pub id: crate::types::OrderId,
    /// What is left of it, above 0.
    pub qty: Qty,
}

/// What stands before an order at its price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueuePosition {
    /// Orders that trade before it.
    pub orders_ahead: u32,
    /// Their quantity together.
    pub qty_ahead: Qty,
}

/// A price level with the number of its orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct L3Level {
    /// Price and quantity, as an L2 book has them.
    pub level: Level,
    /// Orders that make up the quantity, above 0.
    pub orders: u32,
}

/// The best level of each side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bbo {
    /// The highest bid.
    pub bid: Option<Level>,
    /// The lowest ask.
    pub ask: Option<Level>,
}

/// No order, no level, no chunk, no page: the handle that stands for nothing.
const NONE: u32 = u32::MAX;

/// The side of a level, of what it says of its owner.
#[inline]
const fn side_of(owner: u32) -> Side {
    if owner & 1 == 0 { Side::Bid } else { Side::Ask }
}

/// Both sides run the same code on keys, `key = price ^ flip`: flipping all bits reverses the order of the prices,
/// keeps their distances and overflows nowhere. A greater key is always nearer the top.
#[inline]
const fn flip(side: Side) -> i64 {
    match side {
        Side::Bid => 0,
        Side::Ask => -1,
    }
}

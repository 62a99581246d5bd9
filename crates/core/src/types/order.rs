//! What a venue's message does to the resting orders of one book.

use super::{Level, Price, Qty, Side};

/// A venue's number of an order, unique in its feed while the order rests. Venues that name orders by text or UUID get
/// their numbers at the edge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct OrderId(pub u64);

impl OrderId {
    /// The number of an order that its venue names by text: the 64-bit FNV-1a hash, which any language can compute. Two orders of
    /// one hash among those that rest at a time are a duplicate, which contradicts the book.
    #[must_use]
    pub fn of_text(text: &[u8]) -> Self {
        Self(super::fnv1a_64(text))
    }
}

/// One change of an order-by-order book. Quantities are above 0 where the venue means the change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderChange {
    /// A new order, at the end of its price's queue.
    Add {
        /// Its number.
        id: OrderId,
        /// Where it rests.
        side: Side,
        /// At which price.
        price: Price,
        /// How much.
        qty: Qty,
    },
    /// The order loses `qty` and keeps its place; at nothing left it leaves.
    Reduce {
        /// Whose.
        id: OrderId,
        /// By how much.
        qty: Qty,
    },
    /// As [`OrderChange::Reduce`], by a message that states where the order rests: one that rests elsewhere contradicts the
    /// book.
    Cancel {
        /// Whose.
        id: OrderId,
        /// Its side.
        side: Side,
        /// Its price.
        price: Price,
        /// By how much.
        qty: Qty,
    },
    /// As [`OrderChange::Reduce`], by a trade.
    Execute {
        /// Whose.
        id: OrderId,
        /// How much traded.
        qty: Qty,
    },
    /// The order leaves, and one with a new number takes its side at the end of the queue of `price`.
    Replace {
        /// The order that leaves.
        id: OrderId,
        /// The number of the one that comes.
        new_id: OrderId,
        /// Its price.
        price: Price,
        /// Its quantity.
        qty: Qty,
    },
    /// The order's price and quantity become these. It keeps its place when the price stays and the quantity does not
    /// grow, else it goes to the end of the queue.
    Modify {
        /// Whose.
        id: OrderId,
        /// The side as the venue states it; an order never changes sides.
        side: Side,
        /// Its price from now on.
        price: Price,
        /// Its quantity from now on.
        qty: Qty,
    },
    /// What the venue tells of an order without saying whether it is new: one that rests changes as by
    /// [`OrderChange::Modify`], any other comes as by [`OrderChange::Add`].
    Upsert {
        /// Its number.
        id: OrderId,
        /// Its side, which never changes.
        side: Side,
        /// Its price from now on.
        price: Price,
        /// Its quantity from now on.
        qty: Qty,
    },
    /// The order leaves.
    Delete {
        /// Whose.
        id: OrderId,
    },
    /// All orders of the book leave.
    Clear,
}

impl OrderChange {
    /// The same with another price and quantity; `None` where there are none to take their place.
    #[must_use]
    pub fn rescaled(mut self, rescale: impl Fn(Level) -> Option<Level>) -> Option<Self> {
        match &mut self {
            Self::Add { price, qty, .. }
            | Self::Cancel { price, qty, .. }
            | Self::Replace { price, qty, .. }
            | Self::Modify { price, qty, .. }
            | Self::Upsert { price, qty, .. } => {
                let level = rescale(Level { price: *price, qty: *qty })?;
                (*price, *qty) = (level.price, level.qty);
            }
            Self::Reduce { qty, .. } | Self::Execute { qty, .. } => {
                *qty = rescale(Level { price: Price(0), qty: *qty })?.qty;
            }
            Self::Delete { .. } | Self::Clear => {}
        }
        Some(self)
    }

    /// The same of orders under other numbers.
    #[inline]
    #[must_use]
    pub fn with_ids(mut self, number: impl Fn(OrderId) -> OrderId) -> Self {
        match &mut self {
            Self::Replace { id, new_id, .. } => (*id, *new_id) = (number(*id), number(*new_id)),
            Self::Add { id, .. }
            | Self::Reduce { id, .. }
            | Self::Cancel { id, .. }
            | Self::Execute { id, .. }
            | Self::Modify { id, .. }
            | Self::Upsert { id, .. }
            | Self::Delete { id } => *id = number(*id),
            Self::Clear => {}
        }
        self
    }
}

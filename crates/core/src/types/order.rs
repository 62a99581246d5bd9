//! What a venue's message does to the resting orders of one book.

use super::{Level, Price, Qty, Side};

/// A venue's number of an order, unique in its feed while the order rests. Where the venue names orders by text, a room gives the
/// number of the text among those of its frame; see [`OrderTexts`].
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[repr(transparent)]
pub struct OrderId(pub u64);

/// Longest text that names an order, in bytes.
pub const ORDER_TEXT_BYTES_MAX: usize = 40;

/// An order's id as its venue tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VenueOrderId<'a> {
    /// A number.
    Number(OrderId),
    /// A text.
    Text(&'a [u8]),
}

impl From<OrderId> for VenueOrderId<'_> {
    fn from(id: OrderId) -> Self {
        Self::Number(id)
    }
}

impl<'a> From<&'a [u8]> for VenueOrderId<'a> {
    fn from(text: &'a [u8]) -> Self {
        Self::Text(text)
    }
}

/// Texts that name orders, back to back; the number of one is its place among them.
#[derive(Clone, Debug, Default)]
pub struct OrderTexts {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl OrderTexts {
    /// Appends a text and gives its number.
    pub fn push(&mut self, text: &[u8]) -> OrderId {
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len() as u32);
        OrderId(self.ends.len() as u64 - 1)
    }

    /// The text of a number; empty for another.
    #[must_use]
    pub fn text(&self, id: OrderId) -> &[u8] {
        let Ok(index) = usize::try_from(id.0) else { return &[] };
        let start =
            index.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |&end| end as usize);
        let end = self.ends.get(index).map_or(start, |&end| end as usize);
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Keeps the first `len`.
    pub fn truncate(&mut self, len: usize) {
        self.ends.truncate(len);
        self.bytes.truncate(self.ends.last().map_or(0, |&end| end as usize));
    }

    /// Forgets all and keeps the memory.
    #[inline]
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }
}

/// Changes of orders as a room tells them, with the texts by which they name orders; none where they have numbers.
#[derive(Clone, Copy, Debug)]
pub struct ToldOrders<'a> {
    /// The changes, in order.
    pub list: &'a [OrderChange],
    /// What their ids count.
    pub texts: &'a OrderTexts,
}

/// One change of an order-by-order book. Quantities are above 0 where the venue means the change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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

    /// The orders that it names.
    pub fn ids(&self) -> impl Iterator<Item = OrderId> + use<> {
        let ids = match *self {
            Self::Replace { id, new_id, .. } => [Some(id), Some(new_id)],
            Self::Add { id, .. }
            | Self::Reduce { id, .. }
            | Self::Cancel { id, .. }
            | Self::Execute { id, .. }
            | Self::Modify { id, .. }
            | Self::Upsert { id, .. }
            | Self::Delete { id } => [Some(id), None],
            Self::Clear => [None, None],
        };
        ids.into_iter().flatten()
    }

    /// The same of orders under other numbers.
    #[inline]
    #[must_use]
    pub fn with_ids(mut self, mut number: impl FnMut(OrderId) -> OrderId) -> Self {
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

/// What it means that an order is changed or taken away which does not rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// It contradicts the book.
    Contradicts,
    /// Nothing: the venue tells the end of orders that never rested, too. An execution contradicts the book nevertheless.
    Passes,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_kept_apart() {
        let mut texts = OrderTexts::default();
        let (a, b) = (texts.push(b"first"), texts.push(b"second"));
        assert_eq!((texts.text(a), texts.text(b), texts.len()), (&b"first"[..], &b"second"[..], 2));
        assert_eq!(texts.text(OrderId(2)), b"");
        texts.truncate(1);
        assert_eq!((texts.push(b"other"), texts.text(b), texts.text(a)), (b, &b"other"[..], &b"first"[..]));
        texts.clear();
        assert!(texts.is_empty() && texts.text(a).is_empty());
    }
}

//! Cumulative depth: how much stands from the best level to a price.

use super::{Reach, View};
use crate::book::L2Book;
use crate::types::{Price, Side};

/// A sum of quantities, and whether it is all that stands there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Sum of the quantities of the book's levels, in quantity mantissas. Exact: 2^20 levels of 2^63 fit.
    pub qty: i128,
    /// Whether the venue has made the book known so deep; else there may be more, never less.
    pub is_known: bool,
}

impl Depth {
    /// What stands on a side from its best level to a price, that price included; 0 when the best is worse.
    ///
    /// Costs what [`L2Book::qty_to`] does.
    #[inline]
    #[must_use]
    pub fn to(book: &L2Book, side: Side, price: Price) -> Self {
        Self { qty: book.qty_to(side, price), is_known: book.known_to().covers(side, price) }
    }
}

/// The view of one side's cumulative depth to a price that stays the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DepthTo {
    /// Which side.
    pub side: Side,
    /// The worst price that counts.
    pub price: Price,
}

impl View for DepthTo {
    type Answer = Depth;

    #[inline]
    fn compute(&self, book: &L2Book, answer: &mut Depth) -> Reach {
        *answer = Depth::to(book, self.side, self.price);
        Reach::NOTHING.with(self.side, self.price)
    }
}

//! The book as its subscribers have it: levels or orders.

use super::super::{TrueOrders, Truth};
use super::orders::{self, Orders};
use super::rows::{self, Rows};
use crate::market::book::{Book, Side};

/// What is subscribed, as told.
#[derive(Clone, Debug)]
pub(super) enum Told {
    Levels(Rows),
    Orders(Orders),
}

/// One row of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Row {
    Level(rows::Row),
    Order(orders::Row),
}

impl Told {
    pub(super) const fn is_by_order(&self) -> bool {
        matches!(self, Self::Orders(_))
    }

    /// The venue's word for it.
    pub(super) const fn precision(&self) -> &'static str {
        if self.is_by_order() { "R0" } else { "P0" }
    }

    /// The book is told whole, to a length.
    pub(super) fn begin(&mut self, book: &Book, len: usize) -> Vec<Row> {
        match self {
            Self::Levels(levels) => {
                levels.begin(book, len);
                levels.told().map(Row::Level).collect()
            }
            Self::Orders(orders) => {
                orders.begin(book, len);
                [Side::Bid, Side::Ask]
                    .into_iter()
                    .flat_map(|side| orders.told(side))
                    .map(Row::Order)
                    .collect()
            }
        }
    }

    /// The market has changed, and all rows were told.
    pub(super) fn changed(&mut self, book: &Book, len: usize) {
        match self {
            Self::Levels(levels) => levels.changed(book, len),
            Self::Orders(orders) => orders.changed(book, len),
        }
    }

    /// The next row, which is told from now on.
    pub(super) fn next(&mut self) -> Option<Row> {
        match self {
            Self::Levels(levels) => levels.next().map(Row::Level),
            Self::Orders(orders) => orders.next().map(Row::Order),
        }
    }

    pub(super) fn truth(&self, out: &mut Truth) {
        match self {
            Self::Levels(levels) => levels.truth(out),
            Self::Orders(orders) => orders.truth(out),
        }
    }

    /// False, and `out` empty, where levels are told.
    pub(super) fn true_orders(&self, out: &mut TrueOrders) -> bool {
        match self {
            Self::Levels(_) => {
                out.bids.clear();
                out.asks.clear();
            }
            Self::Orders(orders) => orders.true_orders(out),
        }
        self.is_by_order()
    }
}

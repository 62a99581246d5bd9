//! The book as its subscribers have it: levels or orders.

use super::super::text::javascript;
use super::super::{TrueOrders, Truth};
use super::orders::{self, Orders};
use super::rows::{self, Rows};
use crate::market::book::{Book, Side};
use crate::market::instrument::Profile;

/// Rows a side that a checksum covers.
const CHECKED: usize = 25;

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

    /// What the checksum is of: the best 25 rows of both sides in turn, each by its price or its number, and its amount.
    pub(super) fn checked(&self, profile: &Profile) -> Vec<u8> {
        let printed = |price| {
            let mut text = Vec::new();
            javascript(&mut text, price, profile.price_exponent);
            text
        };
        let of_side = |side: Side| -> Vec<(Vec<u8>, i64)> {
            match self {
                Self::Levels(levels) => {
                    let own = levels.told().filter(|row| row.side == side).take(CHECKED);
                    own.map(|row| (printed(row.price), row.qty)).collect()
                }
                Self::Orders(orders) => {
                    let mut own: Vec<_> = orders.told(side).collect();
                    own.sort_by_key(|row| (side.key(row.price), row.id));
                    let own = own.into_iter().take(CHECKED);
                    own.map(|row| (row.id.to_string().into_bytes(), row.qty)).collect()
                }
            }
        };
        let (bids, asks) = (of_side(Side::Bid), of_side(Side::Ask));
        let mut text = Vec::new();
        for place in 0..CHECKED {
            for (sign, rows) in [("", &bids), ("-", &asks)] {
                let Some((name, qty)) = rows.get(place) else { continue };
                if !text.is_empty() {
                    text.push(b':');
                }
                text.extend_from_slice(name);
                text.push(b':');
                text.extend_from_slice(sign.as_bytes());
                javascript(&mut text, *qty, profile.qty_exponent);
            }
        }
        text
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

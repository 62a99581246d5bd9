//! Why an order book refused a message: a stable code for programs, a sentence and a remedy for people.

use core::fmt;

use super::{BOOKS_MAX, BookIndex, ORDERS_MAX};
use crate::types::{Account, OrderId, Price, Qty, Side};

/// Why an order book refused a message. Everything is as it was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum L3Error {
    /// Limits beyond what the tables can number.
    Spec {
        /// Asked orders.
        orders_max: u32,
        /// Asked books.
        books_max: u32,
    },
    /// The machine refuses the address space for so many orders.
    Memory {
        /// Bytes asked for.
        bytes: u64,
    },
    /// As many books are open as may be.
    BooksLimit {
        /// The limit.
        books_max: u32,
    },
    /// As many orders rest as may.
    OrdersLimit {
        /// The limit.
        orders_max: u32,
    },
    /// The book would hold more price levels than it may.
    LevelsLimit {
        /// The limit.
        levels_max: u32,
    },
    /// No book of that number was opened.
    UnknownBook {
        /// The number.
        book: BookIndex,
    },
    /// No order of that number rests.
    UnknownOrder {
        /// The number.
        id: OrderId,
    },
    /// An order of that number rests already.
    DuplicateOrder {
        /// The number.
        id: OrderId,
    },
    /// The order rests in another book.
    WrongBook {
        /// The order.
        id: OrderId,
        /// Its book.
        expected: BookIndex,
        /// The book that the message names.
        got: BookIndex,
    },
    /// The order rests on the other side.
    WrongSide {
        /// The order.
        id: OrderId,
        /// Its side.
        expected: Side,
    },
    /// The order rests at another price.
    WrongPrice {
        /// The order.
        id: OrderId,
        /// Its price.
        expected: Price,
        /// The price that the message states.
        got: Price,
    },
    /// A quantity of zero or below.
    BadQty {
        /// The quantity.
        qty: Qty,
    },
    /// More was to leave an order than it has.
    Underflow {
        /// The order.
        id: OrderId,
        /// What it has.
        left: Qty,
        /// What was to leave.
        asked: Qty,
    },
    /// The quantity of a level would not fit 63 bits.
    QtyOverflow {
        /// Of which side.
        side: Side,
        /// At which price.
        price: Price,
    },
}

impl L3Error {
    /// Stable code, which reaches JavaScript as `err.code`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Spec { .. } => "l3.spec",
            Self::Memory { .. } => "l3.memory",
            Self::BooksLimit { .. } => "l3.books_limit",
            Self::OrdersLimit { .. } => "l3.orders_limit",
            Self::LevelsLimit { .. } => "l3.levels_limit",
            Self::UnknownBook { .. } => "l3.unknown_book",
            Self::UnknownOrder { .. } => "l3.unknown_order",
            Self::DuplicateOrder { .. } => "l3.duplicate_order",
            Self::WrongBook { .. } => "l3.wrong_book",
            Self::WrongSide { .. } => "l3.wrong_side",
            Self::WrongPrice { .. } => "l3.wrong_price",
            Self::BadQty { .. } => "l3.bad_qty",
            Self::Underflow { .. } => "l3.underflow",
            Self::QtyOverflow { .. } => "l3.qty_overflow",
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn fix(&self) -> &'static str {
        match self {
            Self::Spec { .. } => "ask for fewer orders or books, or split the feed over several engines",
            Self::Memory { .. } => "lower orders_max, or allow the process more address space",
            Self::BooksLimit { .. } => "raise books_max, or open only the books that are wanted",
            Self::OrdersLimit { .. } => {
                "raise orders_max above the venue's greatest number of resting orders"
            }
            Self::LevelsLimit { .. } => "raise levels_max of the instrument",
            Self::UnknownBook { .. } => "open the book first and keep the number that it was given",
            Self::UnknownOrder { .. }
            | Self::DuplicateOrder { .. }
            | Self::WrongBook { .. }
            | Self::WrongSide { .. }
            | Self::WrongPrice { .. }
            | Self::Underflow { .. } => {
                "messages were lost, doubled or reordered before this one: rebuild the book from a snapshot"
            }
            Self::BadQty { .. } | Self::QtyOverflow { .. } => {
                "check the decoder's field and the instrument's qty_exponent"
            }
        }
    }

    /// What, expected and got.
    #[must_use]
    pub fn account(&self) -> Account {
        match *self {
            Self::Spec { orders_max, books_max } => Account::new(
                "limits too large",
                format_args!("at most {ORDERS_MAX} orders and {BOOKS_MAX} books"),
                format_args!("{orders_max} and {books_max}"),
            ),
            Self::Memory { bytes } => {
                Account::new("no address space", format_args!("{bytes} bytes"), "a refusal")
            }
            Self::BooksLimit { books_max } => {
                Account::new("too many books", format_args!("at most {books_max}"), "one more")
            }
            Self::OrdersLimit { orders_max } => {
                Account::new("too many orders", format_args!("at most {orders_max}"), "one more")
            }
            Self::LevelsLimit { levels_max } => {
                Account::new("too many price levels", format_args!("at most {levels_max}"), "one more")
            }
            Self::UnknownBook { book } => Account::new("unknown book", "one that is open", book.0),
            Self::UnknownOrder { id } => Account::new("unknown order", "one that rests", id.0),
            Self::DuplicateOrder { id } => {
                Account::new("duplicate order", "a new number", format_args!("{}, which rests already", id.0))
            }
            Self::WrongBook { id, expected, got } => {
                Account::new(format_args!("wrong book of order {}", id.0), expected.0, got.0)
            }
            Self::WrongSide { id, expected } => Account::new(
                format_args!("wrong side of order {}", id.0),
                format_args!("{expected:?}"),
                "the other",
            ),
            Self::WrongPrice { id, expected, got } => {
                Account::new(format_args!("wrong price of order {}", id.0), expected.0, got.0)
            }
            Self::BadQty { qty } => Account::new("wrong quantity", "above 0", qty.0),
            Self::Underflow { id, left, asked } => Account::new(
                format_args!("order {} has too little left", id.0),
                format_args!("at most {}", left.0),
                asked.0,
            ),
            Self::QtyOverflow { side, price } => Account::new(
                "quantity of a level too large",
                "below 2^63",
                format_args!("more at {side:?} {}", price.0),
            ),
        }
    }
}

impl fmt::Display for L3Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.account().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_says_what_was_expected_and_what_came() {
        let (id, book, qty) = (OrderId(7), BookIndex(3), Qty(5));
        let all = [
            L3Error::Spec { orders_max: u32::MAX, books_max: 1 },
            L3Error::Memory { bytes: 1 << 40 },
            L3Error::BooksLimit { books_max: 1 },
            L3Error::OrdersLimit { orders_max: 1 },
            L3Error::LevelsLimit { levels_max: 1 },
            L3Error::UnknownBook { book },
            L3Error::UnknownOrder { id },
            L3Error::DuplicateOrder { id },
            L3Error::WrongBook { id, expected: book, got: BookIndex(4) },
            L3Error::WrongSide { id, expected: Side::Bid },
            L3Error::WrongPrice { id, expected: Price(1), got: Price(2) },
            L3Error::BadQty { qty: Qty(0) },
            L3Error::Underflow { id, left: qty, asked: Qty(6) },
            L3Error::QtyOverflow { side: Side::Ask, price: Price(-1) },
        ];
        let mut codes: Vec<_> = all.iter().map(L3Error::code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), all.len(), "each has a code of its own");
        for error in all {
            let text = error.to_string();
            assert!(text.contains("expected ") && text.contains(", got "), "{text}");
            assert!(error.code().starts_with("l3.") && !error.fix().is_empty());
        }
    }
}

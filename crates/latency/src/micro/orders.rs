//! Books of orders: each change applied, then the best prices read.

use std::rc::Rc;

use depthwire_core::book::l3::{Bbo, BookIndex, IdOrder, L3Books, L3Spec, NaiveL3};
use depthwire_core::types::OrderChange;

use super::market::{OrderChanges, SPEC};
use super::{Operation, mix};
use crate::fault::Fault;

const L3: L3Spec = L3Spec { orders_max: 1 << 20, books_max: 1, ids: IdOrder::Ascending, hash_seed: 1 };

/// What books that are compared can do.
pub(super) trait OrderBook: Sized {
    /// One empty book.
    fn open() -> Result<Self, Fault>;
    fn change(&mut self, change: &OrderChange) -> bool;
    fn best(&self) -> Bbo;
}

macro_rules! order_book {
    ($books:ty, $open:expr) => {
        impl OrderBook for $books {
            fn open() -> Result<Self, Fault> {
                let refused = |code: &str| Fault::own("a book cannot be opened", code);
                let mut books: Self = $open.map_err(refused)?;
                books.open(SPEC).map_err(|error| refused(error.code()))?;
                Ok(books)
            }

            #[inline]
            fn change(&mut self, change: &OrderChange) -> bool {
                self.apply(BookIndex(0), change).is_ok()
            }

            #[inline]
            fn best(&self) -> Bbo {
                self.bbo(BookIndex(0))
            }
        }
    };
}

order_book!(L3Books, L3Books::new(L3).map_err(|error| error.code()));
order_book!(NaiveL3, Ok(NaiveL3::new(L3)));

pub(super) struct Changed<B> {
    changes: Rc<OrderChanges>,
    books: B,
}

impl<B: OrderBook> Changed<B> {
    pub(super) fn new(changes: Rc<OrderChanges>) -> Result<Self, Fault> {
        Ok(Self { changes, books: B::open()? })
    }
}

impl<B: OrderBook> Operation for Changed<B> {
    fn rewind(&mut self) {
        self.books.change(&OrderChange::Clear);
        for change in &self.changes.lead {
            self.books.change(change);
        }
    }

    fn run(&mut self, things: usize) -> u64 {
        let mut hash = 0;
        for change in self.changes.measured.iter().take(things) {
            let is_applied = self.books.change(change);
            let Bbo { bid, ask, .. } = self.books.best();
            hash = mix(hash, u64::from(is_applied));
            for level in [bid.unwrap_or_default(), ask.unwrap_or_default()] {
                hash = mix(mix(hash, level.price.0 as u64), level.qty.0 as u64);
            }
        }
        hash
    }
}

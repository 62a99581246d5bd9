//! Passes of order-by-order books over a feed's changes, and the answer by which passes are compared.

use depthwire_core::book::BookSpec;
use depthwire_core::book::l3::{Bbo, BookIndex, L3Books, L3Spec, NaiveL3};
use depthwire_core::framing::binary_file::{BinaryFileFramer, LengthPrefix};
use depthwire_core::framing::itch;
use depthwire_core::types::{OrderChange, OrderId, Price, Qty, Side};

use crate::answer::{mix, mix_top};

/// What the books that are compared can do.
pub trait OrderBooks: Sized {
    /// The books of one feed, empty, numbered from 0.
    ///
    /// # Errors
    /// The code of a refusal.
    fn open_all(spec: &L3Spec, books: &[BookSpec]) -> Result<Self, String>;
    /// Applies a change; false when it was refused.
    fn apply(&mut self, book: BookIndex, change: &OrderChange) -> bool;
    /// Best bid and best ask.
    fn bbo(&self, book: BookIndex) -> Bbo;
    /// Hands out the orders of a side, best price and first in time first.
    fn orders(&self, book: BookIndex, side: Side, take: impl FnMut(Price, OrderId, Qty));
}

macro_rules! order_books {
    ($books:ty, $open:expr) => {
        impl OrderBooks for $books {
            fn open_all(spec: &L3Spec, books: &[BookSpec]) -> Result<Self, String> {
                let mut opened: Self = $open(*spec)?;
                for book in books {
                    opened.open(*book).map_err(|error| error.code().to_owned())?;
                }
                Ok(opened)
            }

            #[inline]
            fn apply(&mut self, book: BookIndex, change: &OrderChange) -> bool {
                <$books>::apply(self, book, change).is_ok()
            }

            #[inline]
            fn bbo(&self, book: BookIndex) -> Bbo {
                <$books>::bbo(self, book)
            }

            fn orders(&self, book: BookIndex, side: Side, mut take: impl FnMut(Price, OrderId, Qty)) {
                for level in self.levels(book, side) {
                    for order in self.queue(book, side, level.price) {
                        take(level.price, order.id, order.qty);
                    }
                }
            }
        }
    };
}

order_books!(L3Books, |spec| L3Books::new(spec).map_err(|error| error.code().to_owned()));
order_books!(NaiveL3, |spec| Ok::<_, String>(NaiveL3::new(spec)));

/// Applies every change and reads the exact top of its book after each. Returns a hash over all tops in order; a refused
/// change counts into it.
#[inline(never)]
pub fn replay<B: OrderBooks>(books: &mut B, changes: &[(BookIndex, OrderChange)]) -> u64 {
    let mut hash = 0;
    for (book, change) in changes {
        let applied = books.apply(*book, change);
        hash = mix_bbo(hash, books.bbo(*book), applied);
    }
    hash
}

/// As [`replay`], from a BinaryFILE of ITCH messages, message by message. Returns a hash over the top after each change, and the messages that cannot be read.
#[inline(never)]
pub fn replay_itch<B: OrderBooks>(books: &mut B, bytes: &[u8]) -> (u64, u64) {
    let (mut hash, mut errors) = (0, 0);
    for message in BinaryFileFramer::new(LengthPrefix::Stated).messages(bytes) {
        let Ok(Ok(message)) = message.map(itch::decode) else {
            errors += 1;
            continue;
        };
        if let Some((locate, change)) = message.order_change() {
            let book = BookIndex(locate.into());
            let applied = books.apply(book, &change);
            hash = mix_bbo(hash, books.bbo(book), applied);
        }
    }
    (hash, errors)
}

/// Adds the top of a book to a hash.
#[inline]
#[must_use]
pub fn mix_bbo(hash: u64, bbo: Bbo, applied: bool) -> u64 {
    mix_top(hash, (bbo.bid, bbo.ask), applied)
}

/// Books whose queues count into an answer: the first ones, which are the busiest, so that it does not take longer than
/// what is measured.
const BOOKS_IN_ANSWER: usize = 256;

/// The answer of a finished pass: all tops, and every order in its place in the first books.
pub fn answer_of<B: OrderBooks>(books: &B, tops: u64, books_len: usize) -> String {
    let (mut hash, mut orders) = (0, 0u64);
    for book in 0..books_len.min(BOOKS_IN_ANSWER) {
        for side in [Side::Bid, Side::Ask] {
            books.orders(BookIndex(book as u32), side, |price, id, qty| {
                orders += 1;
                for value in [price.0 as u64, id.0, qty.0 as u64] {
                    hash = mix(hash, value);
                }
            });
        }
    }
    format!("tops {tops:016x}, queues {hash:016x} of {orders} orders")
}

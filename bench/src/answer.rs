//! One pass of a book over a workload's updates, and the answer by which passes are compared.

use depthwire_core::book::{BookError, BookSpec, L2Book, NaiveBook, digest};
use depthwire_core::types::{KnownTo, Level, Levels, Side};

use crate::workload::Workload;

/// What the books that are compared can do.
pub trait Book {
    /// An empty book.
    fn new(spec: BookSpec) -> Self;
    /// Replaces it by a snapshot.
    fn load(&mut self, levels: &Levels, known_to: KnownTo) -> Result<(), BookError>;
    /// Applies a frame; false when it was refused.
    fn apply(&mut self, levels: &Levels) -> bool;
    /// Best bid and best ask.
    fn top(&self) -> (Option<Level>, Option<Level>);
    /// SHA-256 of its text form.
    fn digest(&self, price_exponent: i8, qty_exponent: i8) -> String;
}

macro_rules! book {
    ($book:ty) => {
        impl Book for $book {
            fn new(spec: BookSpec) -> Self {
                <$book>::new(spec)
            }

            fn load(&mut self, levels: &Levels, known_to: KnownTo) -> Result<(), BookError> {
                <$book>::load(self, levels, known_to)
            }

            #[inline]
            fn apply(&mut self, levels: &Levels) -> bool {
                <$book>::apply(self, levels).is_ok()
            }

            #[inline]
            fn top(&self) -> (Option<Level>, Option<Level>) {
                (self.best_bid(), self.best_ask())
            }

            fn digest(&self, price_exponent: i8, qty_exponent: i8) -> String {
                digest(self.levels(Side::Bid), self.levels(Side::Ask), price_exponent, qty_exponent)
            }
        }
    };
}

book!(L2Book);
book!(NaiveBook);

/// Applies every update and reads the exact top after each. Returns a hash over all tops in order, which depends on
/// each of them and costs some nanoseconds a message, and counts a refused update into it.
#[inline(never)]
pub fn replay<B: Book>(book: &mut B, workload: &Workload) -> u64 {
    let mut hash = 0;
    for (_, levels) in &workload.updates {
        let applied = book.apply(levels);
        let (bid, ask) = book.top();
        // No level has quantity 0, so an absent one has a value of its own.
        let (bid, ask) = (bid.unwrap_or_default(), ask.unwrap_or_default());
        for value in [bid.price.0, bid.qty.0, ask.price.0, ask.qty.0, i64::from(applied)] {
            hash = mix(hash, value as u64);
        }
    }
    hash
}

/// The answer of a finished pass: all tops and the whole book at the end.
pub fn of_book<B: Book>(book: &B, tops: u64, workload: &Workload) -> String {
    let digest = book.digest(workload.price_exponent, workload.qty_exponent);
    format!("tops {tops:016x}, digest {digest}")
}

#[inline]
const fn mix(hash: u64, value: u64) -> u64 {
    (hash.rotate_left(5) ^ value).wrapping_mul(0x517c_c1b7_2722_0a95)
}

#[cfg(test)]
mod tests {
    use super::mix;

    #[test]
    fn the_hash_depends_on_values_and_their_order() {
        let hash = |values: &[u64]| values.iter().fold(0, |hash, &value| mix(hash, value));
        assert_eq!(hash(&[1, 2, 3]), hash(&[1, 2, 3]));
        assert_ne!(hash(&[1, 2, 3]), hash(&[1, 3, 2]));
        assert_ne!(hash(&[1, 2, 3]), hash(&[1, 2, 4]));
        assert_ne!(hash(&[7]), hash(&[7, 0]));
    }
}

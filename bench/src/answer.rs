//! What price-level books that are compared can do, and the hash of what they answer.

use depthwire_core::book::{BookError, BookSpec, L2Book, NaiveBook, digest};
use depthwire_core::types::{KnownTo, Level, Side, Sides};

/// What the books that are compared can do.
pub trait Book {
    /// An empty book.
    fn new(spec: BookSpec) -> Self;
    /// Replaces it by a snapshot.
    ///
    /// # Errors
    /// The book's refusal.
    fn load(&mut self, levels: Sides<'_>, known_to: KnownTo) -> Result<(), BookError>;
    /// Applies a frame; false when it was refused.
    fn apply(&mut self, levels: Sides<'_>) -> bool;
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

            fn load(&mut self, levels: Sides<'_>, known_to: KnownTo) -> Result<(), BookError> {
                <$book>::load(self, levels, known_to)
            }

            #[inline]
            fn apply(&mut self, levels: Sides<'_>) -> bool {
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

/// Adds the top of a book to a hash. No level has quantity 0, so an absent one has a value of its own.
#[inline]
#[must_use]
pub fn mix_top(hash: u64, (bid, ask): (Option<Level>, Option<Level>), applied: bool) -> u64 {
    let (bid, ask) = (bid.unwrap_or_default(), ask.unwrap_or_default());
    [bid.price.0, bid.qty.0, ask.price.0, ask.qty.0, i64::from(applied)]
        .into_iter()
        .fold(hash, |hash, value| mix(hash, value as u64))
}

/// Adds a value to a hash.
#[inline]
#[must_use]
pub const fn mix(hash: u64, value: u64) -> u64 {
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

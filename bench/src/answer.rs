//! One pass of books over a stream's updates, and the answer by which passes are compared.

use depthwire_core::book::{BookError, BookSpec, L2Book, NaiveBook, digest};
use depthwire_core::types::{KnownTo, Level, Levels, Side};

use crate::workload::LevelStream;

/// What the books that are compared can do.
pub trait Book {
    /// An empty book.
    fn new(spec: BookSpec) -> Self;
    /// Replaces it by a snapshot.
    ///
    /// # Errors
    /// The book's refusal.
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
                <$book>::load(self, levels.view(), known_to)
            }

            #[inline]
            fn apply(&mut self, levels: &Levels) -> bool {
                <$book>::apply(self, levels.view()).is_ok()
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

/// Applies every update and reads the exact top of its book after each. Returns a hash over all tops in order, which
/// depends on each of them and costs some nanoseconds a message, and counts a refused update into it.
#[inline(never)]
pub fn replay<B: Book>(books: &mut [B], stream: &LevelStream) -> u64 {
    let mut hash = 0;
    for update in &stream.updates {
        let Some(book) = books.get_mut(update.book as usize) else { continue };
        let applied = book.apply(&update.levels);
        hash = mix_top(hash, book.top(), applied);
    }
    hash
}

/// Adds the top of a book to a hash. No level has quantity 0, so an absent one has a value of its own.
#[inline]
#[must_use]
pub fn mix_top(hash: u64, (bid, ask): (Option<Level>, Option<Level>), applied: bool) -> u64 {
    let (bid, ask) = (bid.unwrap_or_default(), ask.unwrap_or_default());
    [bid.price.0, bid.qty.0, ask.price.0, ask.qty.0, i64::from(applied)]
        .into_iter()
        .fold(hash, |hash, value| mix(hash, value as u64))
}

/// The digest of a stream's books at the end: of a single one its SHA-256, of several a hash over theirs.
pub fn of_books<B: Book>(books: &[B], stream: &LevelStream) -> String {
    let digests: Vec<_> = books
        .iter()
        .zip(&stream.books)
        .map(|(book, of)| book.digest(of.price_exponent, of.qty_exponent))
        .collect();
    if let [only] = digests.as_slice() {
        return only.clone();
    }
    let hash = digests.iter().flat_map(|digest| digest.bytes()).fold(0, |hash, byte| mix(hash, byte.into()));
    format!("{hash:016x} of {} books", books.len())
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

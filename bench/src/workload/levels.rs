//! Decoded price-level updates of one or many books, with the oracle's answer.

use depthwire_core::book::{BookSpec, NaiveBook};
use depthwire_core::types::{KnownTo, Levels};

use crate::answer::{Book, mix, mix_top};

/// One of the books that a stream updates, as its snapshot leaves it.
#[derive(Clone, Debug)]
pub struct LevelBook {
    /// How to make a book of it.
    pub spec: BookSpec,
    /// Power of ten of prices.
    pub price_exponent: i8,
    /// Power of ten of quantities.
    pub qty_exponent: i8,
    /// The snapshot.
    pub snapshot: Levels,
    /// How deep it makes the book known.
    pub known_to: KnownTo,
}

/// One message.
#[derive(Clone, Debug)]
pub struct LevelUpdate {
    /// Index of the book.
    pub book: u32,
    /// Absolute quantities.
    pub levels: Levels,
}

/// Snapshots and the updates that belong on top of them.
#[derive(Clone, Debug)]
pub struct LevelStream {
    /// The books, in the order of their indices.
    pub books: Vec<LevelBook>,
    /// The messages, in order.
    pub updates: Vec<LevelUpdate>,
    /// Levels in all messages.
    pub level_changes: u64,
    /// The oracle's hash over the top after each message.
    pub tops: u64,
    /// The oracle's whole answer: all tops and the final books.
    pub answer: String,
    /// The digest within it.
    pub digest: String,
}

impl LevelStream {
    /// Lets the oracle answer.
    ///
    /// # Errors
    /// The code of a refusal of a snapshot.
    pub fn new(books: Vec<LevelBook>, updates: Vec<LevelUpdate>) -> Result<Self, String> {
        let level_changes = updates.iter().map(|update| update.levels.len() as u64).sum();
        let (answer, digest) = Default::default();
        let mut stream = Self { books, updates, level_changes, tops: 0, answer, digest };
        let mut oracle = stream.load::<NaiveBook>()?;
        stream.tops = stream.replay(&mut oracle);
        stream.digest = stream.digest_of(&oracle);
        stream.answer = stream.answer_of(stream.tops, &stream.digest);
        Ok(stream)
    }

    /// New books, each with its snapshot.
    ///
    /// # Errors
    /// The code of a refusal.
    pub fn load<B: Book>(&self) -> Result<Vec<B>, String> {
        let mut books: Vec<B> = self.books.iter().map(|book| B::new(book.spec)).collect();
        self.reload(&mut books)?;
        Ok(books)
    }

    /// Replaces books by their snapshots.
    ///
    /// # Errors
    /// The code of a refusal.
    pub fn reload<B: Book>(&self, books: &mut [B]) -> Result<(), String> {
        for (book, from) in books.iter_mut().zip(&self.books) {
            book.load(from.snapshot.view(), from.known_to).map_err(|error| error.code().to_owned())?;
        }
        Ok(())
    }

    /// Applies every update and reads the exact top of its book after each. Returns a hash over all tops in order, which
    /// depends on each of them and costs some nanoseconds a message, and counts a refused update into it.
    #[inline(never)]
    pub fn replay<B: Book>(&self, books: &mut [B]) -> u64 {
        let mut hash = 0;
        for update in &self.updates {
            let Some(book) = books.get_mut(update.book as usize) else { continue };
            let applied = book.apply(update.levels.view());
            hash = mix_top(hash, book.top(), applied);
        }
        hash
    }

    /// The digest of the books at the end: of a single one its SHA-256, of several a hash over theirs.
    pub fn digest_of<B: Book>(&self, books: &[B]) -> String {
        let digests: Vec<_> = books
            .iter()
            .zip(&self.books)
            .map(|(book, of)| book.digest(of.price_exponent, of.qty_exponent))
            .collect();
        if let [only] = digests.as_slice() {
            return only.clone();
        }
        let hash =
            digests.iter().flat_map(|digest| digest.bytes()).fold(0, |hash, byte| mix(hash, byte.into()));
        format!("{hash:016x} of {} books", books.len())
    }

    /// The text by which finished passes are compared.
    #[must_use]
    pub fn answer_of(&self, tops: u64, digest: &str) -> String {
        format!("tops {tops:016x}, digest {digest}")
    }
}

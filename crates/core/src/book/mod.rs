//! Exact price-level books: what stands at every price, best first, at any moment.
//!
//! [`L2Book`] is the book that serves. Real updates of crypto venues land deep (median 50 to 220 levels behind the
//! best), so a side is a window of slots, one per price step, and not a list searched from the top; what the window
//! cannot hold stands in an ordered far store, and the two always answer as one. A thin side has no window. Where all
//! levels of both sides lie within 48 ticks of the best, the book is compact: one block of slots a side and nothing
//! else. Of other thin sides the far store alone serves, which is as fast there and small. [`NaiveBook`] is the oracle:
//! plain ordered maps and the same surface.
//!
//! What they cost: a thin book (up to 64 levels a side) 3.6 KiB, a window at most 1.1 KiB for each level of its side and
//! 2.1 MiB in all; [`L2Book::memory_bytes`] tells.
//!
//! Absences that are promises: no float, no clock, no `unsafe` but one hint to the processor's cache, no allocation per
//! message once warm, no panic on any input. A call that returns an error has changed nothing.

mod bitset;
mod bucket_run;
mod compact;
mod digest;
mod entries;
mod far;
mod grid;
mod l2_book;
pub mod l3;
mod ladder;
mod naive;
mod placement;
mod prefetch;
mod queries;
mod side;
mod staging;
mod sums;
mod thin_book;
mod verbs;

pub use digest::digest;
pub use entries::LevelIter;
pub use l2_book::L2Book;
pub use naive::NaiveBook;
pub(crate) use prefetch::prefetch;
pub use verbs::VerbCheck;

use crate::types::{KnownTo, Price, Qty, Side};

/// What a book has to know of its instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookSpec {
    /// Price increment in mantissa units. 0 or below = unknown: then it is inferred from the levels, whenever a window
    /// is placed. Levels off the grid are exact as well; they only cost more.
    pub tick_size: i64,
    /// Most levels of both sides together.
    pub levels_max: u32,
}

/// Why a book refused a message. The book is as it was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookError {
    /// The book would hold more levels than it may; its owner marks it stale.
    LevelsLimit {
        /// Levels of both sides after the message.
        levels: usize,
        /// The limit.
        levels_max: u32,
    },
    /// A quantity below zero, which no venue means.
    NegativeQty {
        /// Where it stood.
        side: Side,
        /// At which price.
        price: Price,
    },
}

impl BookError {
    /// Stable code, which reaches JavaScript as `err.code`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::LevelsLimit { .. } => "book.levels_limit",
            Self::NegativeQty { .. } => "book.negative_qty",
        }
    }
}

/// What a frame named: on each side the price nearest the top, whether or not its level changed.
///
/// A view of the best N levels is untouched when these prices are worse than its Nth level: one compare a side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// Highest bid price named.
    pub bid: Option<Price>,
    /// Lowest ask price named.
    pub ask: Option<Price>,
}

/// The answer to "how much stands at this price".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QtyAt {
    /// This much; 0 = the venue has made known that nothing stands there.
    Known(Qty),
    /// The venue has not made the book known that deep.
    Unknown,
}

/// What some best levels of a side hold together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Sum of the quantities; less than asked for when the side holds no more.
    pub qty: Qty,
    /// Sum of price × quantity, mantissa by mantissa. Within ±2^126.
    pub value: i128,
    /// The worst price that was needed; none when nothing was taken.
    pub worst: Option<Price>,
}

/// Where a book keeps its levels; for metrics, and for tests that must know what they reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BookLayout {
    /// Slots of both windows; 0 while both sides are thin, or where no window can stand.
    pub slots: usize,
    /// Levels of both sides outside the windows.
    pub far_levels: usize,
    /// Levels of both sides of a compact book, whose sides are one block of slots each; 0 of another.
    pub compact_levels: usize,
    /// How often updates have moved a window since the book was made.
    pub recentres: u64,
}

/// Before a snapshot nothing is known of either side: the bounds are the best prices that there can be.
const KNOWN_TO_NOTHING: KnownTo = KnownTo { bid: Price(i64::MAX), ask: Price(i64::MIN) };

//! A book as it is read.

use depthwire_core::book::QtyAt;
use depthwire_core::encode::Flags;
use depthwire_core::replica::{ReplicaBook, ReplicaState};
use depthwire_core::types::{Decimal, Level, Place, Price, Qty, Side, TimeNs};

/// The levels of a `book`, `depth` or `bbo` subscription, at this moment.
///
/// Only a book whose [`state`](Self::state) is `Synced` is exactly the server's at its [`place`](Self::place); of any other the
/// levels are the last that were known. Prices and quantities are integers; [`Self::price_text`] and [`Self::qty_text`] print
/// them exactly.
#[derive(Clone, Copy, Debug)]
pub struct Book<'a>(pub(crate) &'a ReplicaBook);

impl<'a> Book<'a> {
    /// Whether it may be trusted, and why not.
    #[must_use]
    pub const fn state(&self) -> ReplicaState {
        self.0.state()
    }

    /// Epoch and sequence that the levels are at.
    #[must_use]
    pub const fn place(&self) -> Place {
        Place { epoch: self.0.epoch(), seq: self.0.seq() }
    }

    /// The venue's own sequence that they reach; 0 = none.
    #[must_use]
    pub const fn venue_seq(&self) -> u64 {
        self.0.venue_seq()
    }

    /// Of the last change: the venue's time, when the server received it, and when it sent it; ns since 1970, 0 = not given.
    #[must_use]
    pub const fn times(&self) -> [TimeNs; 3] {
        self.0.times()
    }

    /// The highest bid.
    #[must_use]
    pub fn best_bid(&self) -> Option<Level> {
        self.0.best(Side::Bid)
    }

    /// The lowest ask.
    #[must_use]
    pub fn best_ask(&self) -> Option<Level> {
        self.0.best(Side::Ask)
    }

    /// The best levels of each side, best first: bids and asks.
    #[must_use]
    pub fn depth(&self, levels: usize) -> [Vec<Level>; 2] {
        [Side::Bid, Side::Ask].map(|side| self.levels(side).take(levels).collect())
    }

    /// One side's levels, best first.
    pub fn levels(&self, side: Side) -> impl Iterator<Item = Level> + use<'a> {
        self.0.book().levels(side)
    }

    /// How many levels a side has.
    #[must_use]
    pub fn len(&self, side: Side) -> usize {
        self.0.book().len(side)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.book().is_empty()
    }

    /// How much stands at a price: `Unknown` where neither the venue nor this subscription reaches that far.
    #[must_use]
    pub fn qty_at(&self, side: Side, price: Price) -> QtyAt {
        self.0.qty_at(side, price)
    }

    /// Whether the best bid is above the best ask.
    #[must_use]
    pub fn is_crossed(&self) -> bool {
        self.0.flags().0 & Flags::CROSSED.0 != 0
    }

    /// Whether the best level (of a depth: the last one) lies where the venue has not made the book known: others may stand
    /// before it.
    #[must_use]
    pub fn is_beyond_known(&self) -> bool {
        self.0.flags().0 & Flags::BEYOND_KNOWN.0 != 0
    }

    /// A price as the shortest exact decimal.
    #[must_use]
    pub fn price_text(&self, price: Price) -> Decimal {
        Decimal { mantissa: price.0, exponent: self.0.exponents().0 }
    }

    /// A quantity likewise.
    #[must_use]
    pub fn qty_text(&self, qty: Qty) -> Decimal {
        Decimal { mantissa: qty.0, exponent: self.0.exponents().1 }
    }

    /// SHA-256 of all levels as text, as `depthwire verify` prints it.
    #[must_use]
    pub fn digest(&self) -> String {
        self.0.digest()
    }
}

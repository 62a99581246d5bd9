//! The oracle: the same book as plainly as it can be written, in ordered maps. It shares no code with the ladder.

use super::{BookError, BookSpec, KNOWN_TO_NOTHING, QtyAt, Touched};
use crate::types::{KnownTo, Level, Price, Qty, Side, Sides};
use std::collections::BTreeMap;

/// A book of absolute quantities per price in two ordered maps, with the surface of [`L2Book`](super::L2Book).
///
/// Serves property tests, fuzzing and the baseline row of benchmarks. A change costs a map lookup.
#[derive(Clone, Debug)]
pub struct NaiveBook {
    bids: BTreeMap<Price, Qty>,
    asks: BTreeMap<Price, Qty>,
    levels_max: u32,
    known_to: KnownTo,
}

impl NaiveBook {
    /// An empty book, of which nothing is known.
    #[must_use]
    pub fn new(spec: BookSpec) -> Self {
        Self {
            bids: BTreeMap::new(),
            asks: BTreeMap::new(),
            levels_max: spec.levels_max,
            known_to: KNOWN_TO_NOTHING,
        }
    }

    /// Replaces the book by a snapshot.
    ///
    /// # Errors
    /// See [`BookError`]; the book is then unchanged.
    pub fn load(&mut self, levels: Sides<'_>, known_to: KnownTo) -> Result<(), BookError> {
        let mut loaded = Self { bids: BTreeMap::new(), asks: BTreeMap::new(), known_to, ..*self };
        loaded.apply(levels)?;
        *self = loaded;
        Ok(())
    }

    /// Applies one whole frame of absolute quantities.
    ///
    /// # Errors
    /// See [`BookError`]; the book is then unchanged.
    pub fn apply(&mut self, levels: Sides<'_>) -> Result<Touched, BookError> {
        for side in [Side::Bid, Side::Ask] {
            if let Some(level) = levels.side(side).iter().find(|level| level.qty < Qty(0)) {
                return Err(BookError::NegativeQty { side, price: level.price });
            }
        }
        // Copying the book is slow, so it is done only where the frame could have to be taken back.
        let before = (self.levels_total() + levels.len() > self.levels_max as usize).then(|| self.clone());
        put_all(&mut self.bids, levels.bids);
        put_all(&mut self.asks, levels.asks);
        let total = self.levels_total();
        if let Some(before) = before
            && total > self.levels_max as usize
        {
            *self = before;
            return Err(BookError::LevelsLimit { levels: total, levels_max: self.levels_max });
        }
        Ok(Touched {
            bid: levels.bids.iter().map(|level| level.price).max(),
            ask: levels.asks.iter().map(|level| level.price).min(),
        })
    }

    /// Keeps the best `depth` levels of each side; returns how many levels left.
    pub fn truncate(&mut self, depth: usize) -> usize {
        let before = self.levels_total();
        while self.bids.len() > depth {
            self.bids.pop_first();
        }
        while self.asks.len() > depth {
            self.asks.pop_last();
        }
        if self.known_to != KNOWN_TO_NOTHING {
            let is_whole = |side: &BTreeMap<_, _>| side.len() < depth;
            let worst_bid = self.bids.first_key_value().map_or(KNOWN_TO_NOTHING.bid, |(price, _)| *price);
            let worst_ask = self.asks.last_key_value().map_or(KNOWN_TO_NOTHING.ask, |(price, _)| *price);
            self.known_to = KnownTo {
                bid: if is_whole(&self.bids) { KnownTo::WHOLE.bid } else { worst_bid },
                ask: if is_whole(&self.asks) { KnownTo::WHOLE.ask } else { worst_ask },
            };
        }
        before - self.levels_total()
    }

    /// A side that is `cut` is known to the price before its worst level, another whole.
    pub fn know_before_worst(&mut self, cut: [bool; 2]) {
        let worst_bid = self.bids.first_key_value().map_or(KNOWN_TO_NOTHING.bid, |(price, _)| *price);
        let worst_ask = self.asks.last_key_value().map_or(KNOWN_TO_NOTHING.ask, |(price, _)| *price);
        self.known_to = KnownTo {
            bid: if cut[0] { Price(worst_bid.0.saturating_add(1)) } else { KnownTo::WHOLE.bid },
            ask: if cut[1] { Price(worst_ask.0.saturating_sub(1)) } else { KnownTo::WHOLE.ask },
        };
    }

    /// The highest bid.
    #[must_use]
    pub fn best_bid(&self) -> Option<Level> {
        self.bids.last_key_value().map(level)
    }

    /// The lowest ask.
    #[must_use]
    pub fn best_ask(&self) -> Option<Level> {
        self.asks.first_key_value().map(level)
    }

    /// Whether the best bid is above the best ask.
    #[must_use]
    pub fn is_crossed(&self) -> bool {
        matches!((self.best_bid(), self.best_ask()), (Some(bid), Some(ask)) if bid.price > ask.price)
    }

    /// One side's levels, best first.
    pub fn levels(&self, side: Side) -> impl Iterator<Item = Level> {
        let bids = (side == Side::Bid).then(|| self.bids.iter().rev());
        let asks = (side == Side::Ask).then(|| self.asks.iter());
        bids.into_iter().flatten().chain(asks.into_iter().flatten()).map(level)
    }

    /// Number of levels of one side.
    #[must_use]
    pub fn len(&self, side: Side) -> usize {
        self.side(side).len()
    }

    /// Whether neither side has a level.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bids.is_empty() && self.asks.is_empty()
    }

    /// How much stands at a price.
    #[must_use]
    pub fn qty_at(&self, side: Side, price: Price) -> QtyAt {
        match self.side(side).get(&price) {
            Some(qty) => QtyAt::Known(*qty),
            None if self.known_to.covers(side, price) => QtyAt::Known(Qty(0)),
            None => QtyAt::Unknown,
        }
    }

    /// How deep the last snapshot, or the last cut to a depth, has left the book known.
    #[must_use]
    pub fn known_to(&self) -> KnownTo {
        self.known_to
    }

    /// Forgets all levels and what was known.
    pub fn clear(&mut self) {
        self.bids.clear();
        self.asks.clear();
        self.known_to = KNOWN_TO_NOTHING;
    }

    fn levels_total(&self) -> usize {
        self.bids.len() + self.asks.len()
    }

    fn side(&self, side: Side) -> &BTreeMap<Price, Qty> {
        match side {
            Side::Bid => &self.bids,
            Side::Ask => &self.asks,
        }
    }
}

fn put_all(side: &mut BTreeMap<Price, Qty>, levels: &[Level]) {
    for level in levels {
        if level.qty == Qty(0) {
            side.remove(&level.price);
        } else {
            side.insert(level.price, level.qty);
        }
    }
}

fn level((price, qty): (&Price, &Qty)) -> Level {
    Level { price: *price, qty: *qty }
}

//! The sequence rules of Binance, which differ between spot and futures.
//!
//! Spot ("How to manage a local order book correctly", web-socket-streams.md), with L = the snapshot's `lastUpdateId`
//! and P = `u` of the update applied last:
//! * S1. Before the first update: drop those with `u ≤ L`.
//! * S2. The first one kept must straddle the snapshot: `U ≤ L + 1 ≤ u`.
//! * S3. Afterwards: drop those with `u ≤ P`; `U > P + 1` is a gap.
//!
//! Futures ("How to manage a local order book correctly", USDⓈ-M and COIN-M):
//! * F1. Before the first update: drop those with `u < L`.
//! * F2. The first one kept must straddle the snapshot, `U ≤ L ≤ u`, or continue it exactly, `pu = L`. The second form is
//!   not in the document; it occurs live when a snapshot falls between two updates.
//! * F3. Afterwards `pu = P` and nothing else: `U` is not contiguous. A repeated or older update (`u ≤ P`) is dropped.

use super::SeqOutcome;
use crate::types::{DepthUpdate, KnownTo, Levels, Venue};

/// Which list of rules a venue follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// S1–S3.
    Spot,
    /// F1–F3.
    Futures,
}

impl Rule {
    /// The rules of a venue; none where updates do not bridge onto snapshots.
    #[must_use]
    pub const fn of(venue: Venue) -> Option<Self> {
        match venue {
            Venue::BinanceSpot | Venue::Sim => Some(Self::Spot),
            Venue::BinanceUsdm | Venue::BinanceCoinm => Some(Self::Futures),
            Venue::Nasdaq | Venue::Databento => None,
        }
    }
}

/// How far a snapshot makes each side known: to its worst level.
///
/// The endpoint cuts a side at the limit that was asked for, and the answer does not say whether it did. So a side is
/// taken as cut unless it is empty: what lies behind its worst level is unknown until a change names it.
#[must_use]
pub fn snapshot_known_to(levels: &Levels) -> KnownTo {
    KnownTo {
        bid: levels.bids.iter().map(|level| level.price).min().unwrap_or(KnownTo::WHOLE.bid),
        ask: levels.asks.iter().map(|level| level.price).max().unwrap_or(KnownTo::WHOLE.ask),
    }
}

/// A book's place in its venue's sequence.
#[derive(Clone, Copy, Debug)]
pub struct Chain {
    rule: Rule,
    /// The snapshot's id until the first update is applied, then that of the last update.
    last_id: u64,
    /// Whether an update has been applied on top of the snapshot.
    bridged: bool,
}

impl Chain {
    /// A chain that starts at a snapshot.
    #[must_use]
    pub const fn new(rule: Rule, snapshot_id: u64) -> Self {
        Self { rule, last_id: snapshot_id, bridged: false }
    }

    /// The venue sequence that the book holds.
    #[must_use]
    pub const fn last_id(&self) -> u64 {
        self.last_id
    }

    /// Whether an update has been applied on top of the snapshot. Until then a gap means that the snapshot is too old.
    #[must_use]
    pub const fn is_bridged(&self) -> bool {
        self.bridged
    }

    /// Judges an update. Changes nothing. Constant time.
    #[inline]
    #[must_use]
    pub fn check(&self, update: &DepthUpdate) -> SeqOutcome {
        let last = self.last_id;
        match (self.rule, self.bridged) {
            // S1 and S3 are one test, as are S2 and S3: the snapshot counts as an update that ends at L.
            (Rule::Spot, _) => {
                if update.last_id <= last {
                    SeqOutcome::Old
                } else if update.first_id <= last + 1 {
                    SeqOutcome::Next
                } else {
                    SeqOutcome::Gap { expected: last + 1, received: update.first_id }
                }
            }
            (Rule::Futures, false) => {
                if update.last_id < last {
                    SeqOutcome::Old // F1
                } else if update.first_id <= last || update.prev_id == Some(last) {
                    SeqOutcome::Next // F2
                } else {
                    SeqOutcome::Gap { expected: last, received: update.prev_id.unwrap_or(update.first_id) }
                }
            }
            // F3. The chain is looked at first: a venue restart may lower `u`, and then only `pu` tells.
            (Rule::Futures, true) => {
                if update.prev_id == Some(last) {
                    SeqOutcome::Next
                } else if update.last_id <= last {
                    SeqOutcome::Old
                } else {
                    SeqOutcome::Gap { expected: last, received: update.prev_id.unwrap_or(update.first_id) }
                }
            }
        }
    }

    /// Moves on to an update that [`Chain::check`] called `Next`.
    #[inline]
    pub fn advance(&mut self, update: &DepthUpdate) {
        debug_assert_eq!(self.check(update), SeqOutcome::Next);
        self.last_id = update.last_id;
        self.bridged = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{InstrumentId, Level, Price};

    const L: u64 = 1_000;

    fn update(first_id: u64, last_id: u64, prev_id: Option<u64>) -> DepthUpdate {
        DepthUpdate { instrument: InstrumentId(1), first_id, last_id, prev_id, ts_event: 0 }
    }

    const fn gap(expected: u64, received: u64) -> SeqOutcome {
        SeqOutcome::Gap { expected, received }
    }

    #[test]
    fn a_snapshot_is_known_to_its_worst_levels() {
        let side = |prices: &[i64]| prices.iter().map(|&price| Level::new(price, 1)).collect::<Vec<_>>();
        let known_to = snapshot_known_to(&Levels { bids: side(&[9, 7, 8]), asks: side(&[11, 13, 12]) });
        assert_eq!(known_to, KnownTo { bid: Price(7), ask: Price(13) });
        assert_eq!(snapshot_known_to(&Levels::default()), KnownTo::WHOLE);
    }

    /// `u` one below, equal to, one and two above the snapshot id, with a `U` that is surely low enough.
    #[test]
    fn bridge_by_the_last_id() {
        use SeqOutcome::{Next, Old};
        for (last_id, spot, futures) in
            [(L - 1, Old, Old), (L, Old, Next), (L + 1, Next, Next), (L + 2, Next, Next)]
        {
            for venue in [Venue::BinanceSpot, Venue::Sim] {
                let chain = Chain::new(Rule::of(venue).unwrap(), L);
                assert_eq!(chain.check(&update(L - 50, last_id, None)), spot, "{venue:?} u = {last_id}");
            }
            for venue in [Venue::BinanceUsdm, Venue::BinanceCoinm] {
                let chain = Chain::new(Rule::of(venue).unwrap(), L);
                let update = update(L - 50, last_id, Some(L - 60));
                assert_eq!(chain.check(&update), futures, "{venue:?} u = {last_id}");
            }
        }
    }

    /// `U` one below, equal to, one and two above the snapshot id, with a `u` that is surely high enough.
    #[test]
    fn bridge_by_the_first_id() {
        use SeqOutcome::Next;
        for (first_id, spot, futures) in [
            (L - 1, Next, Next),
            (L, Next, Next),
            (L + 1, Next, gap(L, L + 40)),
            (L + 2, gap(L + 1, L + 2), gap(L, L + 40)),
        ] {
            let chain = Chain::new(Rule::Spot, L);
            assert_eq!(chain.check(&update(first_id, L + 50, None)), spot, "spot U = {first_id}");
            for venue in [Venue::BinanceUsdm, Venue::BinanceCoinm] {
                let chain = Chain::new(Rule::of(venue).unwrap(), L);
                let broken = update(first_id, L + 50, Some(L + 40));
                assert_eq!(chain.check(&broken), futures, "{venue:?} U = {first_id}, pu beyond the snapshot");
                let exact = update(first_id, L + 50, Some(L));
                assert_eq!(chain.check(&exact), Next, "{venue:?} U = {first_id}, pu = L");
            }
        }
    }

    #[test]
    fn live_rules_differ_by_product() {
        use SeqOutcome::{Next, Old};
        let mut spot = Chain::new(Rule::Spot, L);
        spot.advance(&update(L, L + 5, None));
        assert_eq!(spot.last_id(), L + 5);
        assert_eq!(spot.check(&update(L, L + 5, None)), Old, "a repetition");
        assert_eq!(spot.check(&update(L + 6, L + 9, None)), Next);
        assert_eq!(spot.check(&update(L + 4, L + 9, None)), Next, "an overlap holds nothing unknown");
        assert_eq!(spot.check(&update(L + 7, L + 9, None)), gap(L + 6, L + 7));

        let mut futures = Chain::new(Rule::Futures, L);
        futures.advance(&update(L - 3, L + 5, Some(L - 4)));
        assert!(futures.is_bridged());
        assert_eq!(futures.check(&update(L - 3, L + 5, Some(L - 4))), Old, "a repetition");
        assert_eq!(futures.check(&update(L + 90, L + 99, Some(L + 5))), Next, "U is not contiguous");
        assert_eq!(futures.check(&update(L + 6, L + 99, Some(L + 6))), gap(L + 5, L + 6));
        assert_eq!(futures.check(&update(L + 6, L + 99, None)), gap(L + 5, L + 6), "no pu proves nothing");
        assert_eq!(futures.check(&update(10, 20, Some(L + 5))), Next, "a renumbering that keeps the chain");
    }
}

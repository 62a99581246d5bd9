//! VPIN: how one-sided trading has been, in buckets of equal volume.

use crate::types::{Aggressor, Qty};

/// Buckets of the paper.
pub const BUCKETS: usize = 50;

/// Most buckets over which VPIN is averaged.
pub const BUCKETS_MAX: usize = 256;

/// The volume-synchronised probability of informed trading: Σ |bought − sold| / (n·V) over the last `n` buckets of
/// volume `V`.
///
/// A trade that does not fit into its bucket is split. Trades whose taker the venue does not name are left aside: the
/// bulk classification of the paper is not done, for T. Andersen and O. Bondarenko (CREATES 2013-43) find that what
/// it adds comes from its own errors, which go with volume and volatility.
///
/// From 0 to 1; absent until `n` buckets are full. Exact integers up to the last division. (D. Easley, M. López de
/// Prado, M. O'Hara, "Flow toxicity and liquidity in a high-frequency world", Review of Financial Studies 25 (2012).)
///
/// Cost: a trade adds to one bucket; one that fills several, at most `n` of them. Allocates when it is made.
#[derive(Clone, Debug)]
pub struct Vpin {
    bucket: i64,
    /// |bought − sold| of the last buckets, a ring.
    full: Box<[i64]>,
    next: usize,
    filled: usize,
    /// Their sum.
    imbalance: i128,
    bought: i64,
    sold: i64,
}

impl Vpin {
    /// Over `count` buckets of volume `bucket`; none where a bucket is not above 0, or there are none or more than
    /// [`BUCKETS_MAX`].
    #[must_use]
    pub fn new(bucket: Qty, count: usize) -> Option<Self> {
        let is_possible = bucket.0 > 0 && (1..=BUCKETS_MAX).contains(&count);
        is_possible.then(|| Self {
            bucket: bucket.0,
            full: vec![0; count].into(),
            next: 0,
            filled: 0,
            imbalance: 0,
            bought: 0,
            sold: 0,
        })
    }

    /// A trade.
    pub fn trade(&mut self, qty: Qty, aggressor: Aggressor) {
        let is_buy = match aggressor {
            Aggressor::Buy => true,
            Aggressor::Sell => false,
            Aggressor::Unknown => return,
        };
        let mut rest = qty.0.max(0);
        let room = self.bucket - (self.bought + self.sold);
        if rest >= room {
            rest -= room;
            *self.taken(is_buy) += room;
            self.close((self.bought - self.sold).abs());
            // Whole buckets of one side; those that others push out again are not filled.
            let whole = rest / self.bucket;
            for _ in 0..whole.min(self.full.len() as i64) {
                self.close(self.bucket);
            }
            rest %= self.bucket;
        }
        *self.taken(is_buy) += rest;
    }

    /// Begins again, with empty buckets.
    pub fn clear(&mut self) {
        self.full.fill(0);
        (self.next, self.filled, self.imbalance, self.bought, self.sold) = (0, 0, 0, 0, 0);
    }

    /// The value; none until all buckets are full.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        let volume = self.bucket as i128 * self.full.len() as i128;
        (self.filled == self.full.len()).then(|| self.imbalance as f64 / volume as f64)
    }

    /// What is in the bucket that is not full yet.
    #[must_use]
    pub const fn left_over(&self) -> Qty {
        Qty(self.bought + self.sold)
    }

    fn taken(&mut self, is_buy: bool) -> &mut i64 {
        if is_buy { &mut self.bought } else { &mut self.sold }
    }

    fn close(&mut self, imbalance: i64) {
        let before = std::mem::replace(&mut self.full[self.next], imbalance);
        self.imbalance += i128::from(imbalance) - i128::from(before);
        self.next = (self.next + 1) % self.full.len();
        self.filled = (self.filled + 1).min(self.full.len());
        (self.bought, self.sold) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn given(vpin: &mut Vpin, signed: i64) {
        let aggressor = if signed > 0 { Aggressor::Buy } else { Aggressor::Sell };
        vpin.trade(Qty(signed.abs()), aggressor);
    }

    #[test]
    fn trades_are_split_at_the_edges_of_buckets() {
        let mut vpin = Vpin::new(Qty(100), 3).unwrap();
        for signed in [60, -80, 50, 40] {
            given(&mut vpin, signed);
            assert_eq!(vpin.value(), None);
        }
        given(&mut vpin, -120);
        assert_eq!(vpin.left_over(), Qty(50));
        let value = vpin.value().unwrap();
        assert!((value - 0.266_667).abs() < 5e-7, "{value}");
        vpin.trade(Qty(1_000), Aggressor::Unknown);
        assert_eq!((vpin.value(), vpin.left_over()), (Some(value), Qty(50)));
    }

    #[test]
    fn a_trade_of_many_buckets_fills_them_all() {
        let mut vpin = Vpin::new(Qty(1), BUCKETS_MAX).unwrap();
        given(&mut vpin, i64::MAX);
        assert_eq!((vpin.value(), vpin.left_over()), (Some(1.0), Qty(0)));
        let mut vpin = Vpin::new(Qty(i64::MAX), 1).unwrap();
        for signed in [i64::MAX - 1, -(i64::MAX), 1] {
            given(&mut vpin, signed);
        }
        assert!(vpin.value().is_some());
    }

    #[test]
    fn impossible_buckets_are_none() {
        for (bucket, count) in [(0, 3), (-1, 3), (1, 0), (1, BUCKETS_MAX + 1)] {
            assert!(Vpin::new(Qty(bucket), count).is_none());
        }
    }

    /// Volume unit by unit.
    fn naive(bucket: usize, count: usize, trades: &[i64]) -> (Option<f64>, usize) {
        let units: Vec<i64> =
            trades.iter().flat_map(|&t| vec![t.signum(); t.unsigned_abs() as usize]).collect();
        let full: Vec<i64> =
            units.chunks_exact(bucket).map(|bucket| bucket.iter().sum::<i64>().abs()).collect();
        let last = full.len().checked_sub(count).map(|from| full[from..].iter().sum::<i64>());
        (last.map(|sum| sum as f64 / (bucket * count) as f64), units.len() % bucket)
    }

    proptest! {
        #[test]
        fn it_is_the_same_as_unit_by_unit(
            trades in prop::collection::vec((-90_i64..90).prop_filter("something", |t| *t != 0), 0..60),
            bucket in 1_usize..60,
            count in 1_usize..6,
        ) {
            let mut vpin = Vpin::new(Qty(bucket as i64), count).unwrap();
            trades.iter().for_each(|&signed| given(&mut vpin, signed));
            let (value, left_over) = naive(bucket, count, &trades);
            prop_assert_eq!(vpin.value(), value);
            prop_assert_eq!(vpin.left_over(), Qty(left_over as i64));
        }
    }
}

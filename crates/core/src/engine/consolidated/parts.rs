//! What each member has at each price of a consolidated book, and since when.
//!
//! A price that any member has is found by a hash; behind it stands a row with a share for each member, so that the sum of a
//! price is that of its row. Rows that nobody fills are used again: once warm nothing is allocated.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};

use crate::types::{Price, Qty, Side, TimeNs};

/// What one member has at a price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Share {
    /// 0 = nothing.
    pub(super) qty: Qty,
    /// When the message arrived that told it last.
    pub(super) told_at: TimeNs,
}

/// What a change of a share has made of its price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Changed {
    /// What the member had.
    pub(super) before: Qty,
    /// What all have together now.
    pub(super) sum: Qty,
    /// The share's own number, as long as it is not 0.
    pub(super) number: u64,
    /// Members before this one that have something at the price.
    pub(super) ahead: u32,
}

/// A number from 2^64: any of them, and another in the next process, so that nobody can choose prices that collide.
#[derive(Clone, Debug)]
struct Seed(u64);

impl Default for Seed {
    fn default() -> Self {
        Self(RandomState::new().hash_one(0u8))
    }
}

/// Folds the product of a price and an odd number: all bits of a price reach all bits of its hash.
struct PriceHasher(u64);

impl Hasher for PriceHasher {
    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_i64(byte.into()));
    }

    #[inline]
    fn write_i64(&mut self, price: i64) {
        let product = u128::from(self.0 ^ price as u64) * 0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835;
        self.0 = (product >> 64) as u64 ^ product as u64;
    }
}

impl BuildHasher for Seed {
    type Hasher = PriceHasher;

    #[inline]
    fn build_hasher(&self) -> PriceHasher {
        PriceHasher(self.0)
    }
}

/// The shares of all members of one book.
#[derive(Debug)]
pub(super) struct Parts {
    members: usize,
    /// Of each side the row of a price.
    rows: [HashMap<i64, u32, Seed>; 2],
    /// Row after row.
    shares: Vec<Share>,
    /// Rows that are used again.
    free: Vec<u32>,
}

impl Parts {
    pub(super) fn new(members: usize) -> Self {
        Self { members, rows: Default::default(), shares: Vec::new(), free: Vec::new() }
    }

    /// A member has this at a price from now on, 0 = nothing. `None`, and nothing has changed, where the sum of the price would
    /// not fit 63 bits. Cost: a look into a hash table and at the price's row, the same however many prices there are.
    #[inline]
    pub(super) fn set(&mut self, side: Side, price: Price, member: usize, share: Share) -> Option<Changed> {
        let rows = &mut self.rows[side as usize];
        let row = match rows.get(&price.0) {
            Some(&row) => row,
            None if share.qty.0 == 0 => {
                return Some(Changed { before: Qty(0), sum: Qty(0), number: 0, ahead: 0 });
            }
            None => {
                let row = match self.free.pop() {
                    Some(row) => row,
                    None => {
                        let row = (self.shares.len() / self.members) as u32;
                        self.shares.resize(self.shares.len() + self.members, Share::default());
                        row
                    }
                };
                rows.insert(price.0, row);
                row
            }
        };
        let start = row as usize * self.members;
        let shares = &mut self.shares[start..start + self.members];
        let before = std::mem::replace(&mut shares[member], share);
        let (mut sum, mut ahead) = (Some(0i64), 0);
        for (index, share) in shares.iter().enumerate() {
            sum = sum.and_then(|sum| sum.checked_add(share.qty.0));
            ahead += u32::from(index < member && share.qty.0 != 0);
        }
        if sum == Some(0) {
            self.rows[side as usize].remove(&price.0);
            self.free.push(row);
        }
        let Some(sum) = sum else {
            shares[member] = before;
            return None;
        };
        let number = start as u64 + member as u64;
        Some(Changed { before: before.qty, sum: Qty(sum), number, ahead })
    }

    /// What the members have at a price, with the numbers of the shares, by member. Nothing where nobody has anything.
    pub(super) fn at(&self, side: Side, price: Price) -> impl Iterator<Item = (usize, u64, Share)> + use<'_> {
        let row = self.rows[side as usize].get(&price.0).copied();
        row.into_iter().flat_map(|row| {
            let start = row as usize * self.members;
            let shares = self.shares[start..start + self.members].iter().enumerate();
            shares
                .filter(|(_, share)| share.qty.0 != 0)
                .map(move |(member, share)| (member, (start + member) as u64, *share))
        })
    }

    /// What one member has at a price.
    pub(super) fn share(&self, side: Side, price: Price, member: usize) -> Share {
        let row = self.rows[side as usize].get(&price.0);
        row.map_or_else(Share::default, |&row| self.shares[row as usize * self.members + member])
    }

    /// Nothing that a member has counts any more. Cost: linear in all rows.
    pub(super) fn forget(&mut self, member: usize) {
        let Self { members, rows, shares, free } = self;
        for rows in rows {
            rows.retain(|_, row| {
                let start = *row as usize * *members;
                let of = &mut shares[start..start + *members];
                of[member] = Share::default();
                let is_used = of.iter().any(|share| share.qty.0 != 0);
                if !is_used {
                    free.push(*row);
                }
                is_used
            });
        }
    }

    /// Every price of a side with the sum of its shares, in no order.
    pub(super) fn sums(&self, side: Side) -> impl Iterator<Item = (Price, Qty)> + use<'_> {
        self.rows[side as usize].iter().map(|(&price, &row)| {
            let start = row as usize * self.members;
            let shares = &self.shares[start..start + self.members];
            (Price(price), Qty(shares.iter().map(|share| share.qty.0).sum()))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const fn share(qty: i64, told_at: TimeNs) -> Share {
        Share { qty: Qty(qty), told_at }
    }

    #[test]
    fn a_sum_beyond_63_bits_is_refused_and_changes_nothing() {
        let mut parts = Parts::new(2);
        assert!(parts.set(Side::Bid, Price(5), 0, share(i64::MAX, 1)).is_some());
        assert_eq!(parts.set(Side::Bid, Price(5), 1, share(1, 2)), None);
        assert_eq!(parts.at(Side::Bid, Price(5)).collect::<Vec<_>>(), [(0, 0, share(i64::MAX, 1))]);
        assert_eq!(parts.set(Side::Ask, Price(5), 1, share(1, 2)).map(|now| now.sum), Some(Qty(1)));
    }

    proptest! {
        /// Against plain ordered maps, one a member.
        #[test]
        fn shares_are_those_of_plain_maps(
            changes in prop::collection::vec((0usize..3, any::<bool>(), -8i64..8, 0i64..4, 0u8..40), 1..400)
        ) {
            let mut parts = Parts::new(3);
            let mut plain: [BTreeMap<(Side, i64), Share>; 3] = Default::default();
            for (at, (member, is_bid, price, qty, other)) in changes.into_iter().enumerate() {
                let side = if is_bid { Side::Bid } else { Side::Ask };
                if other == 0 {
                    parts.forget(member);
                    plain[member].clear();
                } else {
                    let told = share(qty, at as u64);
                    let before = plain[member].get(&(side, price)).map_or(Qty(0), |share| share.qty);
                    if qty == 0 {
                        plain[member].remove(&(side, price));
                    } else {
                        plain[member].insert((side, price), told);
                    }
                    let sum = plain.iter().filter_map(|of| of.get(&(side, price))).map(|of| of.qty.0).sum();
                    let ahead = plain[..member].iter().filter(|of| of.contains_key(&(side, price))).count();
                    let changed = parts.set(side, Price(price), member, told).unwrap();
                    prop_assert_eq!((changed.before, changed.sum.0), (before, sum));
                    prop_assert!(qty == 0 || changed.ahead as usize == ahead);
                }
                for side in [Side::Bid, Side::Ask] {
                    let mut sums: Vec<_> = parts.sums(side).map(|(price, qty)| (price.0, qty.0)).collect();
                    sums.sort_unstable();
                    let mut expected = BTreeMap::<i64, i64>::new();
                    for ((of, price), share) in plain.iter().flatten() {
                        if *of == side {
                            *expected.entry(*price).or_default() += share.qty.0;
                        }
                    }
                    prop_assert_eq!(sums, expected.into_iter().collect::<Vec<_>>());
                    for price in -8..8 {
                        for (member, of) in plain.iter().enumerate() {
                            let held = parts.share(side, Price(price), member);
                            prop_assert_eq!(of.get(&(side, price)).map_or(Qty(0), |share| share.qty), held.qty);
                            if held.qty.0 != 0 {
                                prop_assert_eq!(of[&(side, price)], held);
                            }
                        }
                        let numbers: Vec<_> = parts.at(side, Price(price)).map(|(member, number, _)| (member, number)).collect();
                        prop_assert!(numbers.iter().all(|(member, number)| (*number % 3) as usize == *member));
                    }
                }
            }
        }
    }
}

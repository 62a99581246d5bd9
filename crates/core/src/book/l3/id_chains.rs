//! Arbitrary 64-bit order numbers to records: chains through the records themselves, by hash.

use super::cell::Cell;
use super::levels::reserve;
use super::{L3Error, NONE};
use crate::book::prefetch;

/// Buckets of the first table.
const BUCKETS_MIN: usize = 64;

/// A longer chain than an even hash makes even of 2^26 numbers: the numbers were chosen against the seed.
pub(super) const CHAIN_MAX: u32 = 32;

/// Where a number is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Missed {
    /// The vacant record that is the number's own, [`NONE`] = it has none.
    vacant: u32,
    /// How many others stand in the chain of its hash.
    walked: u32,
}

impl Missed {
    /// Where no record was looked for.
    pub(super) const NOWHERE: Self = Self::vacant(NONE);

    #[inline]
    pub(super) const fn vacant(handle: u32) -> Self {
        Self { vacant: handle, walked: 0 }
    }

    /// The number's own record; [`NONE`], which lies beyond all, where it has none.
    #[inline]
    pub(super) const fn handle(self) -> u32 {
        self.vacant
    }
}

/// Heads of chains, at most one number to two buckets.
///
/// A number costs a bucket of four bytes and then the record itself, which the caller needs anyway. The hash is the
/// folded 128-bit product of the number and a seed that nobody outside knows. Should a chain still grow beyond
/// [`CHAIN_MAX`], the table is rebuilt with the next seed, at most once for each half of its numbers inserted into
/// long chains, so chosen collisions cost a constant factor. Doubles in place when it fills and never shrinks; space for the
/// limit of numbers is reserved, so nothing is allocated. A doubling costs a pass over the chains.
#[derive(Clone, Debug)]
pub(super) struct IdChains {
    buckets: Vec<u32>,
    len: usize,
    seed: u64,
    factor: u64,
    /// Inserts into long chains that are borne before the next rebuild.
    patience: usize,
}

impl IdChains {
    /// No number, and space for `len_max`.
    pub(super) fn new(seed: u64, len_max: u32) -> Result<Self, L3Error> {
        // A table doubles at half as many numbers as it has buckets, before one more comes.
        let buckets_max = (len_max as usize * 2).next_power_of_two().max(BUCKETS_MIN);
        let buckets = reserve(buckets_max)?;
        let mut chains = Self { buckets, len: 0, seed, factor: 0, patience: 0 };
        chains.reseed();
        Ok(chains)
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.buckets)
    }

    /// The record of a number, else how it was missed.
    #[inline(always)]
    pub(super) fn find(&self, id: u64, cells: &[Cell]) -> Result<u32, Missed> {
        let mut handle = self.buckets.get(self.home(id)).copied().unwrap_or(NONE);
        let mut walked = 0;
        // A chain ends with `NONE`, which lies beyond all cells.
        while let Some(link) = cells.get(handle as usize + 1) {
            if link.id() == id {
                return Ok(handle);
            }
            handle = link.next();
            walked += 1;
        }
        Err(Missed { vacant: NONE, walked })
    }

    /// Fetches the bucket of a number.
    #[inline]
    pub(super) fn prefetch(&self, id: u64) {
        if let Some(bucket) = self.buckets.get(self.home(id)) {
            prefetch(bucket);
        }
    }

    /// Adds a record under a number that is missed.
    #[inline(always)]
    pub(super) fn insert(&mut self, id: u64, handle: u32, missed: Missed, cells: &mut [Cell]) {
        if self.len * 2 >= self.buckets.len() || missed.walked > CHAIN_MAX {
            self.make_room(cells);
        }
        self.len += 1;
        self.put(id, handle, self.home(id), cells);
    }

    /// Takes a record out.
    #[inline]
    pub(super) fn remove(&mut self, id: u64, handle: u32, cells: &mut [Cell]) {
        let next = cells[handle as usize + 1].next();
        let home = self.home(id);
        self.len -= 1;
        let head = &mut self.buckets[home];
        if *head == handle {
            *head = next;
            return;
        }
        let mut before = *head;
        while let Some(link) = cells.get_mut(before as usize + 1) {
            if link.next() == handle {
                link.set_next(next);
                return;
            }
            before = link.next();
        }
    }

    #[inline(always)]
    fn put(&mut self, id: u64, handle: u32, bucket: usize, cells: &mut [Cell]) {
        let head = core::mem::replace(&mut self.buckets[bucket], handle);
        cells[handle as usize + 1] = Cell::link(id, head);
    }

    /// The bucket of a number; any number while there is no table.
    #[inline]
    fn home(&self, id: u64) -> usize {
        fold(id ^ self.seed, self.factor) as usize & self.buckets.len().wrapping_sub(1)
    }

    #[cold]
    #[inline(never)]
    fn make_room(&mut self, cells: &mut [Cell]) {
        if self.len * 2 >= self.buckets.len() {
            self.rebuild((self.buckets.len() * 2).max(BUCKETS_MIN), cells);
        } else if self.patience == 0 {
            self.reseed();
            self.rebuild(self.buckets.len(), cells);
            self.patience = self.len / 2;
        } else {
            self.patience -= 1;
        }
    }

    /// The next seed and factor: two steps of SplitMix64.
    fn reseed(&mut self) {
        self.factor = split_mix(&mut self.seed) | 1;
        self.seed = split_mix(&mut self.seed);
    }

    /// Puts every record into a chain anew, under the present seed and in so many buckets, not fewer than before.
    fn rebuild(&mut self, buckets: usize, cells: &mut [Cell]) {
        let mut all = NONE;
        for head in &mut self.buckets {
            let mut handle = core::mem::replace(head, NONE);
            while let Some(link) = cells.get_mut(handle as usize + 1) {
                let next = link.next();
                link.set_next(all);
                all = core::mem::replace(&mut handle, next);
            }
        }
        self.buckets.resize(buckets, NONE);
        while let Some(&link) = cells.get(all as usize + 1) {
            self.put(link.id(), all, self.home(link.id()), cells);
            all = link.next();
        }
    }

    /// Checks that every record is in the chain of its number, in time linear in the table.
    pub(super) fn check_invariants(&self, cells: &[Cell]) -> Result<(), &'static str> {
        let mut count = 0;
        for (home, &head) in self.buckets.iter().enumerate() {
            let mut handle = head;
            while let Some(link) = cells.get(handle as usize + 1) {
                if self.home(link.id()) != home {
                    return Err("a record is in the chain of its number");
                }
                count += 1;
                handle = link.next();
            }
        }
        if count == self.len { Ok(()) } else { Err("the chains count their records") }
    }
}

/// The folded 128-bit product, which mixes all bits of both.
#[inline(always)]
pub(super) const fn fold(a: u64, b: u64) -> u64 {
    let product = a as u128 * b as u128;
    (product >> 64) as u64 ^ product as u64
}

/// SplitMix64, whose steps visit every 64-bit state once.
pub(super) const fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn agrees_with_a_hash_map() {
        let mut chains = IdChains::new(1, 3_000).unwrap();
        let reserved = chains.buckets.capacity();
        let mut cells = vec![Cell::link(0, NONE); 2 * 3_000];
        let mut free: Vec<u32> = (0..3_000).map(|handle| handle * 2).collect();
        let mut oracle = HashMap::new();
        let mut state = 7;
        for round in 0..200_000u32 {
            let id = split_mix(&mut state) % 3_000 * if round % 3 == 0 { 1 } else { u64::MAX / 3_000 };
            match chains.find(id, &cells) {
                Ok(handle) => {
                    assert_eq!(oracle.remove(&id), Some(handle));
                    chains.remove(id, handle, &mut cells);
                    free.push(handle);
                }
                Err(missed) => {
                    assert_eq!(oracle.get(&id), None);
                    let Some(handle) = free.pop() else { continue };
                    chains.insert(id, handle, missed, &mut cells);
                    oracle.insert(id, handle);
                }
            }
            assert_eq!(chains.len(), oracle.len());
            if round % 10_000 == 0 {
                assert_eq!(chains.check_invariants(&cells), Ok(()));
                assert!(oracle.iter().all(|(id, handle)| chains.find(*id, &cells) == Ok(*handle)));
            }
        }
        assert!(oracle.len() > 1_000);
        assert_eq!(chains.buckets.capacity(), reserved);
    }

    #[test]
    fn numbers_chosen_against_the_seed_cost_few_rebuilds() {
        let mut chains = IdChains::new(5, 1 << 15).unwrap();
        let mut cells = vec![Cell::link(0, NONE); 2 * 4_000];
        chains.rebuild(1 << 16, &mut cells);
        let chosen: Vec<u64> = (0..1u64 << 30).filter(|id| chains.home(*id) == 77).take(4_000).collect();
        let mut seeds = vec![chains.seed];
        for (at, &id) in chosen.iter().enumerate() {
            let missed = chains.find(id, &cells).unwrap_err();
            chains.insert(id, at as u32 * 2, missed, &mut cells);
            if seeds.last() != Some(&chains.seed) {
                seeds.push(chains.seed);
            }
        }
        assert_eq!((seeds.len(), chains.buckets.len()), (2, 1 << 16), "one other seed is enough");
        assert_eq!(chains.check_invariants(&cells), Ok(()));
        let strangers = (0..100_000).map(|id| chains.find(id << 40 | 1, &cells).unwrap_err().walked);
        assert!(strangers.max() < Some(CHAIN_MAX), "and the chains are short again");
    }
}

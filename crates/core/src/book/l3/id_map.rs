//! Arbitrary 64-bit order numbers to handles: one open-addressed table.

use super::NONE;

/// A slot; `handle` [`NONE`] = free.
#[derive(Clone, Copy, Debug)]
struct Slot {
    id: u64,
    handle: u32,
}

const FREE: Slot = Slot { id: 0, handle: NONE };

/// Slots of the first table.
const SLOTS_MIN: usize = 64;

/// A longer run of full slots than an even hash can make at this load: the numbers were chosen against the seed.
const PROBES_MAX: usize = 512;

/// Numbers to handles, linear probing at a load of at most 5/8, no tombstones.
///
/// The hash is the folded 128-bit product of the number and a seed that nobody outside knows. Should a run of slots
/// still grow beyond [`PROBES_MAX`], the table is rebuilt with the next seed, at most once for each half of its
/// entries inserted, so chosen collisions cost a constant factor. Doubles when it fills and never shrinks, so once
/// warm nothing is allocated; a doubling costs a pass over the table.
#[derive(Clone, Debug)]
pub(super) struct IdMap {
    slots: Vec<Slot>,
    len: usize,
    seed: u64,
    factor: u64,
    /// Inserts that may still happen before the next rebuild for a long run.
    rebuild_after: usize,
}

impl IdMap {
    pub(super) fn new(seed: u64) -> Self {
        let mut map = Self { slots: Vec::new(), len: 0, seed, factor: 0, rebuild_after: 0 };
        map.reseed();
        map
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Slot>()
    }

    /// The handle of a number.
    #[inline]
    pub(super) fn find(&self, id: u64) -> Option<u32> {
        self.position(id).map(|(_, handle)| handle)
    }

    /// The slot where the search for a number begins, to be fetched ahead of time.
    #[inline]
    pub(super) fn prefetch(&self, id: u64) {
        if let Some(slot) = self.slots.get(self.home(id)) {
            super::memory::prefetch(slot);
        }
    }

    #[inline]
    fn position(&self, id: u64) -> Option<(usize, u32)> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = self.home(id);
        // Ends: a table is never full, and an empty one has no slot at all.
        while let Some(slot) = self.slots.get(at) {
            if slot.handle == NONE {
                return None;
            }
            if slot.id == id {
                return Some((at, slot.handle));
            }
            at = (at + 1) & mask;
        }
        None
    }

    /// Adds a number that is not there.
    #[inline]
    pub(super) fn insert(&mut self, id: u64, handle: u32) {
        debug_assert!(self.find(id).is_none() && handle != NONE);
        if (self.len + 1) * 8 > self.slots.len() * 5 {
            self.rebuild((self.slots.len() * 2).max(SLOTS_MIN));
        }
        self.len += 1;
        self.rebuild_after = self.rebuild_after.saturating_sub(1);
        if self.put(Slot { id, handle }) > PROBES_MAX && self.rebuild_after == 0 {
            self.reseed();
            self.rebuild(self.slots.len());
            self.rebuild_after = self.len / 2;
        }
    }

    /// Takes a number out and closes the hole by moving later entries of the run back.
    #[inline]
    pub(super) fn remove(&mut self, id: u64) -> Option<u32> {
        let (mut hole, handle) = self.position(id)?;
        let mask = self.slots.len() - 1;
        let mut at = hole;
        loop {
            at = (at + 1) & mask;
            let slot = self.slots[at];
            if slot.handle == NONE {
                break;
            }
            // It may move back when the hole is not before its home.
            let from_home = at.wrapping_sub(self.home(slot.id)) & mask;
            if from_home >= at.wrapping_sub(hole) & mask {
                self.slots[hole] = slot;
                hole = at;
            }
        }
        self.slots[hole] = FREE;
        self.len -= 1;
        Some(handle)
    }

    /// Puts an entry into the first free slot of its run and returns the length of the walk.
    #[inline]
    fn put(&mut self, entry: Slot) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = self.home(entry.id);
        let mut probes = 0;
        while self.slots[at].handle != NONE {
            at = (at + 1) & mask;
            probes += 1;
        }
        self.slots[at] = entry;
        probes
    }

    /// The home slot of a number; any number while there is no table.
    #[inline]
    fn home(&self, id: u64) -> usize {
        let product = u128::from(id ^ self.seed) * u128::from(self.factor);
        ((product >> 64) as u64 ^ product as u64) as usize & self.slots.len().wrapping_sub(1)
    }

    /// The next seed and factor: two steps of SplitMix64.
    #[cold]
    fn reseed(&mut self) {
        self.factor = split_mix(&mut self.seed) | 1;
        self.seed = split_mix(&mut self.seed);
    }

    #[cold]
    #[inline(never)]
    fn rebuild(&mut self, slots: usize) {
        let old = core::mem::replace(&mut self.slots, vec![FREE; slots]);
        for slot in old.into_iter().filter(|slot| slot.handle != NONE) {
            self.put(slot);
        }
    }

    /// Checks that every entry is found where it stands, in time linear in the table.
    pub(super) fn check_invariants(&self) -> Result<(), &'static str> {
        let used = self.slots.iter().enumerate().filter(|(_, slot)| slot.handle != NONE);
        let (mut count, mut found) = (0, true);
        for (at, slot) in used {
            count += 1;
            found &= self.position(slot.id) == Some((at, slot.handle));
        }
        if count != self.len {
            return Err("the id table counts its entries");
        }
        if !found {
            return Err("every entry of the id table is reached from its home");
        }
        Ok(())
    }
}

/// SplitMix64, whose steps visit every 64-bit state once.
fn split_mix(state: &mut u64) -> u64 {
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
        let mut map = IdMap::new(1);
        let mut oracle = HashMap::new();
        let mut state = 7;
        for round in 0..200_000u32 {
            // A narrow range brings hits, long runs and removals from their middle.
            let id = split_mix(&mut state) % 3_000 * if round % 3 == 0 { 1 } else { u64::MAX / 3_000 };
            assert_eq!(map.find(id), oracle.get(&id).copied());
            if map.find(id).is_some() {
                assert_eq!(map.remove(id), oracle.remove(&id));
            } else {
                map.insert(id, round);
                oracle.insert(id, round);
            }
            assert_eq!(map.len(), oracle.len());
            if round % 10_000 == 0 {
                assert_eq!(map.check_invariants(), Ok(()));
            }
        }
        assert!(oracle.len() > 1_000);
        assert_eq!(map.remove(u64::MAX), None);
    }

    #[test]
    fn numbers_chosen_against_the_seed_cost_one_rebuild() {
        let mut map = IdMap::new(5);
        // As many numbers with the same home as a table of this size can hold apart.
        map.rebuild(1 << 16);
        let chosen: Vec<u64> = (0..1u64 << 28).filter(|id| map.home(*id) >> 3 == 77).take(4_000).collect();
        let seed = map.seed;
        for &id in &chosen {
            map.insert(id, 1);
        }
        assert_ne!(map.seed, seed, "the seed was changed");
        assert!(map.slots.len() == 1 << 16 && map.rebuild_after > 0);
        assert_eq!(map.check_invariants(), Ok(()));
        let longest = chosen.iter().map(|id| {
            let (at, _) = map.position(*id).unwrap();
            at.wrapping_sub(map.home(*id)) & (map.slots.len() - 1)
        });
        assert!(longest.max() < Some(PROBES_MAX), "and the runs are short again");
    }
}

//! The levels that no window holds: of each side an ordered list, all lists in one allocation.

use super::NONE;
use super::levels::reserve;
use super::memory::advise_large_pages;

/// A level by its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: i64,
    /// Its handle; of a free piece's first entry the next free piece.
    pub(super) level: u32,
}

/// Entries of the smallest piece.
const PIECE_MIN: u32 = 4;

/// Sizes of pieces, each twice the one before; the largest holds all levels that there can be.
const SIZES: usize = (super::ORDERS_MAX / PIECE_MIN).ilog2() as usize + 1;

/// Entries that are reserved for each side, and for each order beside.
const RESERVED_PER_SIDE: usize = 32;
const RESERVED_PER_ORDER: usize = 2;

/// One side's list. Ascending, so the best is last and a change near it moves little.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FarList {
    /// Where its piece begins, in pieces of the smallest size.
    at: u32,
    len: u32,
    /// Entries of its piece; 0 = it has none.
    capacity: u32,
}

/// The lists of all sides. A list stands in a piece whose size is a power of two; one that outgrows its piece, or leaves
/// three quarters of it unused, moves to another, so that lists hold at most four times their levels.
#[derive(Debug)]
pub(super) struct FarLists {
    entries: Vec<Entry>,
    /// First free piece of each size.
    free: [u32; SIZES],
}

impl FarLists {
    /// Address space for what sides usually need; where it ends, or is refused, the lists allocate as they grow.
    pub(super) fn new(sides: usize, orders_max: usize) -> Self {
        let reserved =
            sides.saturating_mul(RESERVED_PER_SIDE).saturating_add(orders_max * RESERVED_PER_ORDER);
        Self { entries: reserve(reserved).unwrap_or_default(), free: [NONE; SIZES] }
    }

    /// A side's levels, best last.
    #[inline]
    pub(super) fn entries(&self, list: &FarList) -> &[Entry] {
        let start = start(list.at);
        self.entries.get(start..start + list.len as usize).unwrap_or_default()
    }

    /// The level at a key, [`NONE`] = there is none.
    pub(super) fn find(&self, list: &FarList, key: i64) -> u32 {
        let entries = self.entries(list);
        let found = entries.binary_search_by_key(&key, |entry| entry.key);
        found.ok().and_then(|at| entries.get(at)).map_or(NONE, |entry| entry.level)
    }

    /// Adds a level that is not there. Costs a binary search and a move of the levels better than it.
    #[inline]
    pub(super) fn insert(&mut self, list: &mut FarList, entry: Entry) {
        if list.len == list.capacity {
            self.resize(list, (list.capacity * 2).max(PIECE_MIN));
        }
        list.len += 1;
        let start = start(list.at);
        let Some(places) = self.entries.get_mut(start..start + list.len as usize) else { return };
        let Some((_, before)) = places.split_last() else { return };
        let at = before.partition_point(|before| before.key < entry.key);
        places.copy_within(at..places.len() - 1, at + 1);
        places[at] = entry;
    }

    /// Takes out the level at a key, if it is there. Costs as [`Self::insert`] does.
    #[inline]
    pub(super) fn remove(&mut self, list: &mut FarList, key: i64) {
        let start = start(list.at);
        let Some(entries) = self.entries.get_mut(start..start + list.len as usize) else { return };
        let Ok(at) = entries.binary_search_by_key(&key, |entry| entry.key) else { return };
        entries.copy_within(at + 1.., at);
        list.len -= 1;
        if list.len * 4 <= list.capacity && list.capacity > PIECE_MIN {
            self.resize(list, list.capacity / 2);
        }
    }

    /// Removes all levels and gives back the piece.
    pub(super) fn clear(&mut self, list: &mut FarList) {
        if list.capacity > 0 {
            self.give_back(list.at, list.capacity);
        }
        *list = FarList::default();
    }

    /// Moves a list to a piece of another size, which its levels fit.
    #[cold]
    #[inline(never)]
    fn resize(&mut self, list: &mut FarList, capacity: u32) {
        let to = self.take(capacity);
        let from = start(list.at);
        self.entries.copy_within(from..from + list.len as usize, start(to));
        if list.capacity > 0 {
            self.give_back(list.at, list.capacity);
        }
        (list.at, list.capacity) = (to, capacity);
    }

    fn take(&mut self, capacity: u32) -> u32 {
        let free = &mut self.free[size_of_piece(capacity)];
        let at = *free;
        if let Some(first) = self.entries.get(start(at)) {
            *free = first.level;
            return at;
        }
        let (end, reserved) = (self.entries.len(), self.entries.capacity());
        self.entries.resize(end + capacity as usize, Entry { key: 0, level: NONE });
        if self.entries.capacity() != reserved {
            advise_large_pages(&self.entries);
        }
        (end / PIECE_MIN as usize) as u32
    }

    fn give_back(&mut self, at: u32, capacity: u32) {
        let free = &mut self.free[size_of_piece(capacity)];
        self.entries[start(at)].level = core::mem::replace(free, at);
    }

    pub(super) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.entries)
    }

    /// Checks that the pieces of these lists and the free ones are all there are.
    pub(super) fn check_all<'a>(&self, lists: impl Iterator<Item = &'a FarList>) -> Result<(), &'static str> {
        let in_use: usize = lists.map(|list| list.capacity as usize).sum();
        let mut free = 0;
        for (size, &head) in self.free.iter().enumerate() {
            let mut at = head;
            while let Some(first) = self.entries.get(start(at)).filter(|_| free <= self.entries.len()) {
                (at, free) = (first.level, free + ((PIECE_MIN as usize) << size));
            }
        }
        if in_use + free == self.entries.len() { Ok(()) } else { Err("no piece of a far list is lost") }
    }
}

/// The first entry of a piece; that of [`NONE`] lies beyond all.
#[inline]
const fn start(at: u32) -> usize {
    at as usize * PIECE_MIN as usize
}

/// Which of [`SIZES`] a piece has.
const fn size_of_piece(capacity: u32) -> usize {
    (capacity / PIECE_MIN).ilog2() as usize % SIZES
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::l3::id_chains::split_mix;
    use std::collections::BTreeMap;

    #[test]
    fn lists_that_grow_and_shrink_agree_with_maps() {
        const SIDES: usize = 20;
        let mut lists = FarLists::new(SIDES, 4_000);
        let reserved = lists.entries.capacity();
        let mut sides = [FarList::default(); SIDES];
        let mut oracle = vec![BTreeMap::new(); SIDES];
        let mut state = 3;
        for round in 0..200_000u64 {
            // One side after the other becomes long.
            let long = (round / 5_000) as usize % SIDES;
            let side = if split_mix(&mut state).is_multiple_of(2) {
                long
            } else {
                split_mix(&mut state) as usize % SIDES
            };
            let keys = if side == long { 4_000 } else { 12 };
            let key = (split_mix(&mut state) % keys) as i64 - 6;
            let (list, map) = (&mut sides[side], &mut oracle[side]);
            match lists.find(list, key) {
                NONE => {
                    assert_eq!(map.insert(key, round as u32), None);
                    lists.insert(list, Entry { key, level: round as u32 });
                }
                level => {
                    assert_eq!(map.remove(&key), Some(level));
                    lists.remove(list, key);
                    lists.remove(list, key);
                }
            }
            assert_eq!(list.len as usize, map.len());
            assert!(list.capacity <= (4 * list.len).max(PIECE_MIN));
            if round % 1_000 == 0 {
                let entries = lists.entries(list).iter().map(|entry| (entry.key, entry.level));
                assert!(entries.eq(map.iter().map(|(key, level)| (*key, *level))));
                assert_eq!(lists.check_all(sides.iter()), Ok(()));
            }
            if round % 5_000 == 4_999 {
                lists.clear(&mut sides[long]);
                oracle[long].clear();
            }
        }
        assert_eq!(lists.entries.capacity(), reserved, "what was reserved is enough");
        sides.iter_mut().for_each(|list| lists.clear(list));
        assert_eq!(lists.check_all(sides.iter()), Ok(()));
    }
}

//! The levels that no window holds: of each side an ordered list.
//!
//! A short list is one array, of which a change near the best moves little. A long one is cut into blocks, so that a
//! change anywhere moves at most a block: that is what prices far from each other make of a side, and thousands of levels
//! in one array would be moved by the half at each change.

use super::NONE;
use super::pieces::{PIECE_MIN, Pieces, Unit};

/// A level by its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: i64,
    /// Its handle; of a free piece's first entry the next free piece.
    pub(super) level: u32,
}

impl Unit for Entry {
    fn free(next: u32) -> Self {
        Self { key: 0, level: next }
    }

    #[inline]
    fn next(&self) -> u32 {
        self.level
    }
}

/// Entries of a block, and most of a short list.
const BLOCK: u32 = 64;

/// Two neighbours with no more entries than this become one block.
const MERGED_MAX: u32 = BLOCK / 2;

/// Entries that are reserved for each side, and for each order beside.
const RESERVED_PER_SIDE: usize = 32;
const RESERVED_PER_ORDER: usize = 2;

/// A piece of a long list, above 0 entries.
#[derive(Clone, Copy, Debug)]
struct Block {
    /// Not above its entries' keys, and above those of the blocks before.
    first: i64,
    /// Its piece; of a free piece of blocks the next free one.
    at: u32,
    len: u32,
}

impl Unit for Block {
    fn free(next: u32) -> Self {
        Self { first: 0, at: next, len: 0 }
    }

    #[inline]
    fn next(&self) -> u32 {
        self.at
    }
}

/// One side's list. Ascending, so the best is last.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FarList {
    /// Where its piece begins: of entries, of a long list of blocks.
    at: u32,
    /// What the piece can hold; 0 = there is none.
    capacity: u32,
    /// Entries of a short list, blocks of a long one.
    len: u32,
    is_long: bool,
}

/// The lists of all sides. A short list stands in a piece whose size is a power of two; one that outgrows its piece, or
/// leaves three quarters of it unused, moves to another. Two neighbouring blocks of a long one are full by a quarter
/// together. So lists hold at most four times their levels.
#[derive(Debug)]
pub(super) struct FarLists {
    entries: Pieces<Entry>,
    blocks: Pieces<Block>,
}

impl FarLists {
    /// Address space for what sides usually need; where it ends, or is refused, the lists allocate as they grow.
    pub(super) fn new(sides: usize, orders_max: usize) -> Self {
        let reserved =
            sides.saturating_mul(RESERVED_PER_SIDE).saturating_add(orders_max * RESERVED_PER_ORDER);
        Self { entries: Pieces::new(reserved), blocks: Pieces::new(reserved / MERGED_MAX as usize) }
    }

    /// The worst level of a side.
    #[inline]
    pub(super) fn worst(&self, list: &FarList) -> Option<Entry> {
        let mut piece = (list.at, list.len);
        if list.is_long {
            piece =
                self.blocks.get(list.at, list.len).first().map_or((NONE, 0), |block| (block.at, block.len));
        }
        self.entries.get(piece.0, piece.1).first().copied()
    }

    /// The best level of a side.
    #[inline]
    pub(super) fn best(&self, list: &FarList) -> Option<Entry> {
        self.entries(list).piece.last().copied()
    }

    /// A side's levels, best first.
    #[inline]
    pub(super) fn entries(&self, list: &FarList) -> FarIter<'_> {
        if list.is_long {
            return self.long_entries(list);
        }
        FarIter { piece: self.entries.get(list.at, list.len), blocks: &[], lists: self }
    }

    #[inline(never)]
    fn long_entries(&self, list: &FarList) -> FarIter<'_> {
        let mut entries = FarIter { piece: &[], blocks: self.blocks.get(list.at, list.len), lists: self };
        entries.next_block();
        entries
    }

    /// The level at a key, [`NONE`] = there is none.
    #[inline]
    pub(super) fn find(&self, list: &FarList, key: i64) -> u32 {
        let (mut at, mut len) = (list.at, list.len);
        if list.is_long {
            let blocks = self.blocks.get(at, len);
            let Some(block) = blocks.get(block_of(blocks, key)) else { return NONE };
            (at, len) = (block.at, block.len);
        }
        let entries = self.entries.get(at, len);
        let behind = entries.get(entries.partition_point(|entry| entry.key < key));
        behind.filter(|entry| entry.key == key).map_or(NONE, |entry| entry.level)
    }

    /// Adds a level that is not there. Costs a binary search and a move of the levels better than it, in a long list of
    /// those in its block.
    #[inline]
    pub(super) fn insert(&mut self, list: &mut FarList, entry: Entry) {
        if list.is_long {
            return self.insert_long(list, entry);
        }
        if list.len == list.capacity {
            if list.len == BLOCK {
                self.lengthen(list);
                return self.insert_long(list, entry);
            }
            self.resize(list, (list.capacity * 2).max(PIECE_MIN));
        }
        list.len += 1;
        put(self.entries.get_mut(list.at, list.len), entry);
    }

    /// Takes out the level at a key, if it is there. Costs as [`Self::insert`] does.
    #[inline]
    pub(super) fn remove(&mut self, list: &mut FarList, key: i64) {
        if list.is_long {
            return self.remove_long(list, key);
        }
        list.len -= u32::from(take(self.entries.get_mut(list.at, list.len), key));
        if list.len * 4 <= list.capacity && list.capacity > PIECE_MIN {
            self.resize(list, list.capacity / 2);
        }
    }

    /// Removes all levels and gives back the pieces.
    pub(super) fn clear(&mut self, list: &mut FarList) {
        if list.is_long {
            for block in self.blocks.get(list.at, list.len) {
                self.entries.give_back(block.at, BLOCK);
            }
            self.blocks.give_back(list.at, list.capacity);
        } else {
            self.entries.give_back(list.at, list.capacity);
        }
        *list = FarList::default();
    }

    /// Moves a short list to a piece of another size, which its levels fit.
    #[cold]
    #[inline(never)]
    fn resize(&mut self, list: &mut FarList, capacity: u32) {
        let to = self.entries.take(capacity);
        self.entries.copy(list.at, 0..list.len, to, 0);
        self.entries.give_back(list.at, list.capacity);
        (list.at, list.capacity) = (to, capacity);
    }

    /// Makes the full piece of a short list the only block of a long one.
    #[cold]
    fn lengthen(&mut self, list: &mut FarList) {
        let first = self.entries.get(list.at, 1).first().map_or(i64::MIN, |first| first.key);
        let block = Block { first, at: list.at, len: list.len };
        *list = FarList { at: self.blocks.take(PIECE_MIN), capacity: PIECE_MIN, len: 1, is_long: true };
        self.blocks.get_mut(list.at, 1).copy_from_slice(&[block]);
    }

    #[inline(never)]
    fn insert_long(&mut self, list: &mut FarList, entry: Entry) {
        let blocks = self.blocks.get_mut(list.at, list.len);
        let mut index = block_of(blocks, entry.key);
        if blocks.get(index).is_some_and(|block| block.len == BLOCK) {
            self.split(list, index);
            index = block_of(self.blocks.get(list.at, list.len), entry.key);
        }
        let Some(block) = self.blocks.get_mut(list.at, list.len).get_mut(index) else { return };
        block.len += 1;
        block.first = block.first.min(entry.key);
        put(self.entries.get_mut(block.at, block.len), entry);
    }

    #[inline(never)]
    fn remove_long(&mut self, list: &mut FarList, key: i64) {
        let blocks = self.blocks.get_mut(list.at, list.len);
        let index = block_of(blocks, key);
        let Some(block) = blocks.get_mut(index) else { return };
        if !take(self.entries.get_mut(block.at, block.len), key) {
            return;
        }
        block.len -= 1;
        let len = block.len;
        let len_of = |index: usize| blocks.get(index).map_or(BLOCK, |block| block.len);
        if len == 0 {
            self.entries.give_back(blocks[index].at, BLOCK);
            self.drop_block(list, index);
        } else if len + len_of(index + 1) <= MERGED_MAX {
            self.merge(list, index);
        } else if len + len_of(index.wrapping_sub(1)) <= MERGED_MAX {
            self.merge(list, index - 1);
        }
    }

    /// Cuts a full block into two.
    #[cold]
    #[inline(never)]
    fn split(&mut self, list: &mut FarList, index: usize) {
        if list.len == list.capacity {
            let to = self.blocks.take(list.capacity * 2);
            self.blocks.copy(list.at, 0..list.len, to, 0);
            self.blocks.give_back(list.at, list.capacity);
            (list.at, list.capacity) = (to, list.capacity * 2);
        }
        list.len += 1;
        let blocks = self.blocks.get_mut(list.at, list.len);
        let end = blocks.len() - 1;
        blocks.copy_within(index..end, index + 1);
        let [before, behind] = &mut blocks[index..index + 2] else { return };
        before.len = BLOCK / 2;
        behind.len = BLOCK - before.len;
        behind.at = self.entries.take(BLOCK);
        self.entries.copy(before.at, before.len..BLOCK, behind.at, 0);
        behind.first = self.entries.get(behind.at, 1)[0].key;
    }

    /// Moves the entries of the block behind a block into it.
    #[cold]
    #[inline(never)]
    fn merge(&mut self, list: &mut FarList, index: usize) {
        let blocks = self.blocks.get_mut(list.at, list.len);
        let [before, behind] = &mut blocks[index..index + 2] else { return };
        self.entries.copy(behind.at, 0..behind.len, before.at, before.len);
        self.entries.give_back(behind.at, BLOCK);
        before.len += behind.len;
        self.drop_block(list, index + 1);
    }

    /// Takes a block whose piece is given back out of its list, which becomes short where one is left.
    #[cold]
    #[inline(never)]
    fn drop_block(&mut self, list: &mut FarList, index: usize) {
        let blocks = self.blocks.get_mut(list.at, list.len);
        blocks.copy_within(index + 1.., index);
        list.len -= 1;
        if let [only, _] = *blocks {
            self.blocks.give_back(list.at, list.capacity);
            *list = FarList { at: only.at, capacity: BLOCK, len: only.len, is_long: false };
        } else if list.len * 4 <= list.capacity && list.capacity > PIECE_MIN {
            let to = self.blocks.take(list.capacity / 2);
            self.blocks.copy(list.at, 0..list.len, to, 0);
            self.blocks.give_back(list.at, list.capacity);
            (list.at, list.capacity) = (to, list.capacity / 2);
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.entries.memory_bytes() + self.blocks.memory_bytes()
    }

    /// Checks a list; names the rule that does not hold.
    pub(super) fn check_list(&self, list: &FarList) -> Result<(), &'static str> {
        if !self.entries(list).is_sorted_by(|a, b| a.key > b.key) {
            return Err("a far list gives its levels best first");
        }
        if !list.is_long {
            return if list.len <= list.capacity { Ok(()) } else { Err("a far list fits its piece") };
        }
        let blocks = self.blocks.get(list.at, list.len);
        if blocks.len() < 2 || blocks.iter().any(|block| block.len == 0 || block.len > BLOCK) {
            return Err("a long far list has two blocks, and none is empty");
        }
        if blocks.windows(2).any(|pair| pair[0].len + pair[1].len <= MERGED_MAX) {
            return Err("neighbouring blocks are full by a quarter");
        }
        for (index, block) in blocks.iter().enumerate() {
            let entries = self.entries.get(block.at, block.len);
            if entries.iter().any(|entry| block_of(blocks, entry.key) != index || entry.key < block.first) {
                return Err("a block is found by the keys in it");
            }
        }
        Ok(())
    }

    /// Checks that the pieces of these lists and the free ones are all there are.
    pub(super) fn check_all<'a>(&self, lists: impl Iterator<Item = &'a FarList>) -> Result<(), &'static str> {
        let (mut entries, mut blocks) = (0, 0);
        for list in lists {
            if list.is_long {
                entries += (list.len * BLOCK) as usize;
                blocks += list.capacity as usize;
            } else {
                entries += list.capacity as usize;
            }
        }
        self.entries.check_all(entries)?;
        self.blocks.check_all(blocks)
    }
}

/// Which block a key stands in, or belongs to.
#[inline]
fn block_of(blocks: &[Block], key: i64) -> usize {
    blocks.partition_point(|block| block.first <= key).saturating_sub(1)
}

/// Puts an entry in its place; the last place is free.
#[inline]
fn put(places: &mut [Entry], entry: Entry) {
    let Some((_, before)) = places.split_last() else { return };
    let at = before.partition_point(|before| before.key < entry.key);
    places.copy_within(at..places.len() - 1, at + 1);
    places[at] = entry;
}

/// Takes out the entry of a key and leaves the last place free; false where there is none.
#[inline]
fn take(entries: &mut [Entry], key: i64) -> bool {
    let at = entries.partition_point(|entry| entry.key < key);
    let is_there = entries.get(at).is_some_and(|entry| entry.key == key);
    if is_there {
        entries.copy_within(at + 1.., at);
    }
    is_there
}

/// A side's levels, best first.
#[derive(Clone, Debug)]
pub(super) struct FarIter<'a> {
    /// What is left of the piece at hand, best last; empty only at the end.
    piece: &'a [Entry],
    /// Blocks worse than it.
    blocks: &'a [Block],
    lists: &'a FarLists,
}

impl FarIter<'_> {
    /// The next level, which stays.
    #[inline]
    pub(super) fn peek(&self) -> Option<Entry> {
        self.piece.last().copied()
    }

    fn next_block(&mut self) {
        if let Some((block, rest)) = self.blocks.split_last() {
            self.piece = self.lists.entries.get(block.at, block.len);
            self.blocks = rest;
        }
    }
}

impl Iterator for FarIter<'_> {
    type Item = Entry;

    #[inline]
    fn next(&mut self) -> Option<Entry> {
        let (&entry, rest) = self.piece.split_last()?;
        self.piece = rest;
        if rest.is_empty() {
            self.next_block();
        }
        Some(entry)
    }
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
        let reserved = (lists.entries.reserved(), lists.blocks.reserved());
        let mut sides = [FarList::default(); SIDES];
        let mut oracle = vec![BTreeMap::new(); SIDES];
        let (mut state, mut blocks_max) = (3, 0);
        for round in 0..200_000u64 {
            // One side after the other becomes long: by keys all over its range, in rising order, in falling order.
            let (long, at) = ((round / 5_000) as usize % SIDES, round % 5_000);
            let side = if split_mix(&mut state).is_multiple_of(2) {
                long
            } else {
                split_mix(&mut state) as usize % SIDES
            };
            let key = match (side == long, round / 5_000 % 3) {
                (false, _) => (split_mix(&mut state) % 12) as i64 - 6,
                (true, 0) => (split_mix(&mut state) % 4_000) as i64 - 6,
                (true, 1) => (at * 2) as i64 % 4_000,
                (true, _) => -((at * 2) as i64) % 4_000,
            };
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
            blocks_max = blocks_max.max(if list.is_long { list.len } else { 0 });
            let entry = |(key, level): (&i64, &u32)| Entry { key: *key, level: *level };
            assert_eq!(lists.best(list), map.last_key_value().map(entry));
            assert_eq!(lists.worst(list), map.first_key_value().map(entry));
            if round % 100 == 0 {
                assert!(lists.entries(list).eq(map.iter().rev().map(entry)));
                assert_eq!(lists.check_list(list), Ok(()));
                assert_eq!(lists.check_all(sides.iter()), Ok(()));
            }
            if round % 5_000 == 4_999 {
                lists.clear(&mut sides[long]);
                oracle[long].clear();
            }
        }
        assert!(blocks_max > 30, "{blocks_max}");
        let reserved_now = (lists.entries.reserved(), lists.blocks.reserved());
        assert_eq!(reserved_now, reserved, "what was reserved is enough");
        sides.iter_mut().for_each(|list| lists.clear(list));
        assert_eq!(lists.check_all(sides.iter()), Ok(()));
    }

    #[test]
    fn a_long_list_holds_at_most_four_times_its_levels_while_it_empties() {
        for order in 0..4u64 {
            let mut lists = FarLists::new(1, 10_000);
            let (mut list, mut state) = (FarList::default(), 5);
            let mut keys: Vec<i64> = (0..5_000).map(|key| key * 3 - 7_000).collect();
            keys.iter().for_each(|&key| lists.insert(&mut list, Entry { key, level: 1 }));
            while !keys.is_empty() {
                let at = match order {
                    0 => 0,
                    1 => keys.len() - 1,
                    2 => keys.len() / 2,
                    _ => split_mix(&mut state) as usize % keys.len(),
                };
                lists.remove(&mut list, keys.remove(at));
                let held = if list.is_long { list.len * BLOCK } else { list.capacity };
                assert!(held as usize <= (4 * keys.len()).max(PIECE_MIN as usize) + BLOCK as usize);
                assert_eq!(lists.best(&list).map(|best| best.key), keys.last().copied());
                if keys.len().is_multiple_of(50) {
                    assert_eq!(lists.check_list(&list), Ok(()));
                }
            }
            assert!(!list.is_long);
        }
    }
}

//! The window: one slot per price step around the top of a side, so that a change of a level is one store.

use super::bitset::{BLOCKS_MAX, Bitset, below, highest_bit, lowest_bit, with_bit};
use super::far::{Entry, FarStore};
use super::grid::{Grid, SLOTS_MAX};
use super::placement::Placement;
use super::prefetch::prefetch_at;

/// Slots whose use one word tells and whose sums are kept together.
pub(super) const BLOCK_SLOTS: usize = 64;

/// Quantities below this one are `plain`: a block's sum of them stays below 2^58 and its moment below 2^63. The sums
/// of a window that holds a greater quantity are not read.
const PLAIN_QTY_END: i64 = 1 << 52;

const _: () = assert!(SLOTS_MAX == BLOCKS_MAX * BLOCK_SLOTS);

/// What is kept of 64 slots together.
///
/// The sums run modulo 2^64: whatever passed through them, they are right again while all levels are plain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Block {
    /// Bit `i`: slot `i` of the block holds a level.
    pub(super) used: u64,
    /// Sum of the quantities.
    pub(super) qty: u64,
    /// Sum of `i` × quantity over the slots `i` of the block.
    pub(super) moment: u64,
}

/// A window of slots over one side's keys; a greater key is nearer the top.
///
/// A closed window has no slots, so its owner keeps everything in the far store.
#[derive(Clone, Debug)]
pub(super) struct Ladder {
    pub(super) grid: Grid,
    /// Best keys in `settled_from..settled_to` need no new anchor.
    settled_from: i64,
    settled_to: i64,
    /// Quantity of every slot, 0 = no level. Empty while closed.
    pub(super) qtys: Vec<i64>,
    pub(super) blocks: Vec<Block>,
    /// The blocks that hold a level.
    pub(super) filled: Bitset,
    /// Number of levels.
    len: usize,
    /// Number of levels that are not plain.
    pub(super) huge_len: usize,
}

impl Ladder {
    /// A closed window. Allocates nothing before it is anchored.
    pub(super) const fn new() -> Self {
        Self {
            grid: Grid::UNIT,
            settled_from: 0,
            settled_to: 0,
            qtys: Vec::new(),
            blocks: Vec::new(),
            filled: Bitset::EMPTY,
            len: 0,
            huge_len: 0,
        }
    }

    /// Asks for the memory of a key's slot.
    #[inline]
    pub(super) fn prefetch(&self, key: i64) {
        prefetch_at(&self.qtys, self.grid.slot_of(key));
    }

    /// Sets the quantity of each level, of those without a slot in `far`. 0 removes; of two changes at one key the last wins. `qty_bits` is the union of all quantities' bits, none below 0.
    ///
    /// Per level one store of the quantity and one update of its block. In real streams up to four of five changes
    /// make a level come or go, which is as good as random, so nothing branches on it; only a block that becomes empty
    /// or filled, which is rare, does.
    #[inline]
    pub(super) fn put_all(
        &mut self,
        entries: impl Iterator<Item = Entry>,
        qty_bits: i64,
        far: &mut FarStore,
    ) {
        if qty_bits < PLAIN_QTY_END && self.huge_len == 0 {
            self.put_each::<false>(entries, far)
        } else {
            self.put_each::<true>(entries, far)
        }
    }

    #[inline]
    fn put_each<const COUNTS_HUGE: bool>(
        &mut self,
        entries: impl Iterator<Item = Entry>,
        far: &mut FarStore,
    ) {
        let grid = self.grid;
        let (qtys, blocks) = (self.qtys.as_mut_slice(), self.blocks.as_mut_slice());
        let mut len = self.len;
        for Entry { key, qty } in entries {
            let slot = grid.slot_of(key);
            let (Some(held), Some(block)) = (qtys.get_mut(slot), blocks.get_mut(slot / BLOCK_SLOTS)) else {
                far.put(key, qty);
                continue;
            };
            let was = core::mem::replace(held, qty);
            let used = with_bit(block.used, slot, qty != 0);
            let was_used = core::mem::replace(&mut block.used, used);
            let change = qty.wrapping_sub(was) as u64;
            block.qty = block.qty.wrapping_add(change);
            block.moment = block.moment.wrapping_add(((slot % BLOCK_SLOTS) as u64).wrapping_mul(change));
            len = len + usize::from(qty != 0) - usize::from(was != 0);
            if COUNTS_HUGE {
                let is_huge = |qty| usize::from(qty >= PLAIN_QTY_END);
                self.huge_len = self.huge_len + is_huge(qty) - is_huge(was);
            }
            if (used == 0) != (was_used == 0) {
                self.filled.set(slot / BLOCK_SLOTS, used != 0);
            }
        }
        self.len = len;
    }

    /// The slot of a key, if the window has one.
    #[inline]
    pub(super) fn slot_of(&self, key: i64) -> Option<usize> {
        let slot = self.grid.slot_of(key);
        (slot < self.qtys.len()).then_some(slot)
    }

    /// The quantity at a key, 0 = no level; nothing when the window has no slot for it.
    #[inline]
    pub(super) fn qty_at(&self, key: i64) -> Option<i64> {
        self.qtys.get(self.grid.slot_of(key)).copied()
    }

    /// The best level.
    #[inline]
    pub(super) fn best(&self) -> Option<Entry> {
        let block = self.filled.highest()?;
        let low = highest_bit(self.blocks[block].used)?;
        Some(self.entry(block * BLOCK_SLOTS + low))
    }

    /// The worst level.
    #[inline]
    pub(super) fn worst(&self) -> Option<Entry> {
        let block = self.filled.lowest()?;
        let low = lowest_bit(self.blocks[block].used)?;
        Some(self.entry(block * BLOCK_SLOTS + low))
    }

    /// Removes a level that is there.
    pub(super) fn remove(&mut self, key: i64) {
        self.put_all(core::iter::once(Entry { key, qty: 0 }), 0, &mut FarStore::default());
    }

    /// The level of a slot.
    #[inline]
    pub(super) fn entry(&self, slot: usize) -> Entry {
        Entry { key: self.grid.key_of(slot), qty: self.qtys[slot] }
    }

    /// Number of levels.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Number of slots; 0 while closed.
    #[inline]
    pub(super) fn slots(&self) -> usize {
        self.qtys.len()
    }

    /// Heap bytes.
    pub(super) fn heap_bytes(&self) -> usize {
        self.qtys.capacity() * size_of::<i64>()
            + self.blocks.capacity() * size_of::<Block>()
            + self.filled.heap_bytes()
    }

    /// Whether a best level at this key is neither near nor beyond an edge of the open window.
    #[inline]
    pub(super) fn is_settled_at(&self, best: i64) -> bool {
        self.settled_from <= best && best < self.settled_to
    }

    /// Removes all levels. Writes only slots that hold one.
    pub(super) fn clear(&mut self) {
        while let Some(index) = self.filled.highest() {
            let block = core::mem::take(&mut self.blocks[index]);
            let mut used = block.used;
            while let Some(low) = highest_bit(used) {
                self.qtys[index * BLOCK_SLOTS + low] = 0;
                used &= below(low);
            }
            self.filled.set(index, false);
        }
        self.len = 0;
        self.huge_len = 0;
    }

    /// Places an empty window so that the key `best` lies a quarter below its upper edge. `flip` turns this side's
    /// keys into prices; |price| ≤ [`ANCHOR_MAX`](super::grid::ANCHOR_MAX).
    ///
    /// The best may then rise to a 16th of the window short of the upper edge, or fall by a quarter of the window,
    /// before another anchor is wanted. Keeps a larger window that is there; allocates for a larger one than ever.
    pub(super) fn anchor(&mut self, best: i64, flip: i64, placement: Placement) {
        debug_assert!(self.len == 0);
        let Placement { tick_size, slots } = placement;
        if slots > self.qtys.len() {
            self.qtys = vec![0; slots];
            self.blocks = vec![Block::default(); slots / BLOCK_SLOTS];
            self.filled = Bitset::new(slots / BLOCK_SLOTS);
        }
        let slots = self.qtys.len();
        self.grid = Grid::around(best, flip, tick_size, slots);
        self.settled_from = self.grid.key_of(slots / 2);
        self.settled_to = self.grid.key_of(slots - slots / 16);
    }

    /// Checks what must hold between operations, in time linear in the slots; names the rule that does not.
    pub(super) fn check_invariants(&self) -> Result<(), &'static str> {
        let mut len = 0;
        let mut huge_len = 0;
        for (index, (qtys, block)) in self.qtys.chunks(BLOCK_SLOTS).zip(&self.blocks).enumerate() {
            let mut found = Block::default();
            for (low, &qty) in qtys.iter().enumerate() {
                found.used = with_bit(found.used, low, qty > 0);
                found.qty = found.qty.wrapping_add(qty as u64);
                found.moment = found.moment.wrapping_add((qty as u64).wrapping_mul(low as u64));
                huge_len += usize::from(qty >= PLAIN_QTY_END);
                if self.slot_of(self.entry(index * BLOCK_SLOTS + low).key) != Some(index * BLOCK_SLOTS + low)
                {
                    return Err("the key of a slot leads back to the slot");
                }
            }
            if found != *block {
                return Err("a block holds the use and the sums of its slots");
            }
            if self.filled.contains(index) != (found.used != 0) {
                return Err("the filled blocks are those with a level");
            }
            len += found.used.count_ones() as usize;
        }
        if (len, huge_len) != (self.len, self.huge_len) {
            return Err("the window counts its levels");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::grid::ANCHOR_MAX;
    use super::*;

    const BID: i64 = 0;
    const ASK: i64 = -1;

    fn open(best: i64, flip: i64, tick_size: u64) -> Ladder {
        let mut ladder = Ladder::new();
        ladder.anchor(best, flip, Placement { tick_size, slots: 1 << 14 });
        ladder
    }

    fn put(ladder: &mut Ladder, levels: &[(i64, i64)]) -> FarStore {
        let mut far = FarStore::default();
        let bits = levels.iter().fold(0, |bits, level| bits | level.1);
        ladder.put_all(levels.iter().map(|&(key, qty)| Entry { key, qty }), bits, &mut far);
        far
    }

    #[test]
    fn counts_levels_and_finds_the_next_best() {
        let mut ladder = open(100_000, BID, 1);
        let far =
            put(&mut ladder, &[(100_000, 1), (99_990, 2), (90_000, 3), (1, 9), (100_000, 5), (99_000, 0)]);
        assert_eq!((ladder.len(), far.len()), (3, 1));
        for (key, qty) in [(100_000, 5), (99_990, 2), (90_000, 3)] {
            assert_eq!(ladder.best(), Some(Entry { key, qty }));
            assert_eq!(ladder.worst(), Some(Entry { key: 90_000, qty: 3 }));
            assert_eq!(ladder.check_invariants(), Ok(()));
            put(&mut ladder, &[(key, 0)]);
        }
        assert_eq!((ladder.best(), ladder.len()), (None, 0));
        put(&mut ladder, &[(99_000, 1), (98_000, i64::MAX)]);
        ladder.clear();
        assert_eq!((ladder.best(), ladder.len(), ladder.qty_at(99_000)), (None, 0, Some(0)));
        assert_eq!(ladder.check_invariants(), Ok(()));
    }

    #[test]
    fn sums_are_right_again_after_quantities_beyond_them() {
        let mut ladder = open(100_000, BID, 1);
        put(&mut ladder, &[(99_999, 7), (99_998, i64::MAX), (99_997, PLAIN_QTY_END), (99_996, i64::MAX)]);
        assert_eq!(ladder.huge_len, 3);
        assert_eq!(ladder.check_invariants(), Ok(()));
        put(&mut ladder, &[(99_998, 1), (99_997, 0), (99_996, PLAIN_QTY_END - 1)]);
        assert_eq!(ladder.huge_len, 0);
        assert_eq!(ladder.check_invariants(), Ok(()));
    }

    #[test]
    fn both_sides_lie_on_the_same_price_grid() {
        for flip in [BID, ASK] {
            // The best is off the grid; the slots are not.
            let ladder = open(616_003 ^ flip, flip, 10);
            assert_eq!(ladder.qty_at(616_000 ^ flip), Some(0));
            assert_eq!(ladder.qty_at(616_010 ^ flip), Some(0));
            assert_eq!(ladder.qty_at(616_003 ^ flip), None);
        }
    }

    #[test]
    fn no_price_of_either_end_strays_into_a_window() {
        let limit = ANCHOR_MAX as i64;
        for (best, flip) in
            [(limit, BID), (-limit, BID), (limit - 1, ASK), (-limit - 1, ASK), (0, BID), (0, ASK)]
        {
            for tick_size in [1, 1 << 40] {
                let ladder = open(best, flip, tick_size);
                assert!(ladder.is_settled_at(best), "{best}");
                for stray in [i64::MIN, i64::MIN + 1, i64::MAX - 1, i64::MAX] {
                    assert_eq!(ladder.qty_at(stray), None, "{best} {stray}");
                }
            }
        }
    }

    #[test]
    fn a_closed_window_holds_no_key() {
        let mut ladder = Ladder::new();
        let far = put(&mut ladder, &[(0, 1), (i64::MIN, 2), (i64::MAX, 3)]);
        assert_eq!((far.len(), ladder.len(), ladder.slots(), ladder.best()), (3, 0, 0, None));
        assert_eq!(ladder.qty_at(0), None);
        assert_eq!(ladder.heap_bytes(), 0);
    }
}

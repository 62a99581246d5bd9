//! Sums over price ranges of one side: a few blocks and two edges of the window, and the far levels of the range.

use super::bitset::{below, highest_bit};
use super::entries::Entries;
use super::far::{Entry, FarStore};
use super::ladder::{BLOCK_SLOTS, Block, Ladder};
use super::side::BookSide;

/// Blocks whose sums of plain quantities, each below 2^58, add up within a word.
const BLOCKS_PER_WORD: usize = 64;

impl Ladder {
    /// Sum of the quantities of the slots `from..to`, `to` at most the number of slots.
    #[inline]
    fn qty_of_slots(&self, from: usize, to: usize) -> u128 {
        if self.huge_len > 0 {
            return self.qty_of_slots_one_by_one(from, to);
        }
        let (first, last) = (from / BLOCK_SLOTS, to / BLOCK_SLOTS);
        if first == last {
            return u128::from(self.plain_sum(from, to));
        }
        let head = self.plain_sum(from, (first + 1) * BLOCK_SLOTS);
        let tail = self.plain_sum(last * BLOCK_SLOTS, to);
        let between = self.blocks.get(first + 1..last).unwrap_or_default().chunks(BLOCKS_PER_WORD);
        between.map(|blocks| u128::from(sum_of_blocks(blocks))).sum::<u128>()
            + u128::from(head)
            + u128::from(tail)
    }

    /// Sum of the quantities of the slots `from..to`, at most 64 of them, all plain.
    #[inline]
    pub(super) fn plain_sum(&self, from: usize, to: usize) -> u64 {
        self.qtys.get(from..to).unwrap_or_default().iter().map(|&qty| qty as u64).sum()
    }

    /// Sum of the quantities of a block, while they are plain.
    #[inline]
    pub(super) fn block_qty(&self, block: usize) -> u64 {
        self.blocks.get(block).map_or(0, |block| block.qty)
    }

    /// The same where the sums of the blocks cannot be read.
    #[cold]
    fn qty_of_slots_one_by_one(&self, from: usize, to: usize) -> u128 {
        self.qtys.get(from..to).unwrap_or_default().iter().map(|qty| u128::from(qty.unsigned_abs())).sum()
    }

    /// Sum of the quantities at keys of `low` and above.
    #[inline]
    fn qty_from(&self, low: i64) -> u128 {
        // Above the highest block in use there is nothing to add.
        let slots = self.filled.highest().map_or(0, |block| (block + 1) * BLOCK_SLOTS);
        let from = self.grid.first_slot_from(low, slots);
        if from < slots { self.qty_of_slots(from, slots) } else { 0 }
    }

    /// Sum of the quantities at keys from `low` to `high`, both included.
    #[inline]
    fn qty_between(&self, low: i64, high: i64) -> u128 {
        let slots = self.qtys.len();
        let from = self.grid.first_slot_from(low, slots);
        let to = self.grid.first_slot_above(high, slots);
        if from < to { self.qty_of_slots(from, to) } else { 0 }
    }

    /// The best level at a key below this one.
    #[inline]
    fn best_below(&self, key: i64) -> Option<Entry> {
        let end = self.grid.first_slot_from(key, self.qtys.len());
        self.highest_slot_below(end).map(|slot| self.entry(slot))
    }

    /// The highest slot with a level below this slot.
    #[inline]
    pub(super) fn highest_slot_below(&self, end: usize) -> Option<usize> {
        let mut block = end / BLOCK_SLOTS;
        let mut used = self.blocks.get(block).map_or(0, |found| found.used & below(end));
        if used == 0 {
            block = self.filled.highest_below(block)?;
            used = self.blocks.get(block)?.used;
        }
        Some(block * BLOCK_SLOTS + highest_bit(used)?)
    }
}

/// Sum of the quantities of up to 64 blocks, all plain. Four sums run side by side: one alone would wait for itself.
#[inline]
fn sum_of_blocks(blocks: &[Block]) -> u64 {
    let (quads, rest) = blocks.as_chunks::<4>();
    let mut sums = [0u64; 4];
    for quad in quads {
        for (sum, block) in sums.iter_mut().zip(quad) {
            *sum += block.qty;
        }
    }
    sums.iter().sum::<u64>() + rest.iter().map(|block| block.qty).sum::<u64>()
}

impl FarStore {
    /// Sum of the quantities at keys from `low` to `high`, both included. A step for each level above `low`.
    #[cold]
    fn qty_between(&self, low: i64, high: i64) -> u128 {
        let from_low = self.entries().iter().rev().take_while(|entry| entry.key >= low);
        from_low.filter(|entry| entry.key <= high).map(|entry| u128::from(entry.qty.unsigned_abs())).sum()
    }

    /// The best level at a key below this one.
    #[cold]
    fn best_below(&self, key: i64) -> Option<Entry> {
        let end = self.entries().partition_point(|entry| entry.key < key);
        self.entries().get(end.checked_sub(1)?).copied()
    }
}

impl BookSide {
    /// Sum of the quantities at keys of `low` and above.
    ///
    /// Costs an addition for every 64 ticks and every far level, and for the slots of the edge; where a quantity is
    /// 2^52 or more, an addition for every tick.
    #[inline]
    pub(super) fn qty_from(&self, low: i64) -> u128 {
        if self.is_compact() {
            return self.compact.qty_between(low, i64::MAX);
        }
        let near = self.ladder.qty_from(low);
        if self.has_far_from(low) { near + self.far.qty_between(low, i64::MAX) } else { near }
    }

    /// Sum of the quantities at keys from `low` to `high`, both included. Costs as [`Self::qty_from`] does.
    #[inline]
    pub(super) fn qty_between(&self, low: i64, high: i64) -> u128 {
        if self.is_compact() {
            return self.compact.qty_between(low, high);
        }
        let near = self.ladder.qty_between(low, high);
        if self.has_far_from(low) { near + self.far.qty_between(low, high) } else { near }
    }

    /// The best level at a key below this one.
    #[inline]
    pub(super) fn best_below(&self, key: i64) -> Option<Entry> {
        if self.is_compact() {
            return self.compact.best_below(key);
        }
        let near = self.ladder.best_below(key);
        let far = if self.has_far_from(key) { self.far.best_below(key) } else { self.far.best() };
        match (near, far) {
            (Some(near), Some(far)) if far.key > near.key => Some(far),
            (near, far) => near.or(far),
        }
    }

    /// Whether a far level stands at this key or above: one compare, and rarely so, because they are far.
    #[inline]
    fn has_far_from(&self, key: i64) -> bool {
        self.far.best().is_some_and(|best| best.key >= key)
    }

    /// The sums over the best levels that together hold `qty_max`, the last of them as far as it is needed.
    pub(super) fn take(&self, qty_max: u64) -> Part {
        self.entries().take_qty(qty_max)
    }
}

/// Some levels together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Sum of the quantities.
    pub(super) qty: u64,
    /// Sum of key × quantity: as no more than 2^63 is taken of keys within ±2^63, it is within ±2^126.
    pub(super) weighted: i128,
    /// Key of the worst of them; none without levels.
    pub(super) worst: Option<i64>,
}

impl Entries<'_> {
    /// The sums over the best levels that together hold `qty_max`, the last of them as far as it is needed.
    ///
    /// As long as no far level is due, whole blocks are an addition each and the levels of the last one are counted by their
    /// slots, so that of all of them there is one product of prices.
    pub(super) fn take_qty(mut self, qty_max: u64) -> Part {
        let mut taken = self.take_from_slots(qty_max);
        while taken.qty < qty_max
            && let Some(Entry { key, qty }) = self.next()
        {
            let qty = qty.unsigned_abs().min(qty_max - taken.qty);
            taken.qty += qty;
            taken.weighted += i128::from(key) * i128::from(qty);
            taken.worst = Some(key);
        }
        taken
    }

    /// The levels that come before all far ones, up to `qty_max`.
    #[inline]
    fn take_from_slots(&mut self, qty_max: u64) -> Part {
        let ladder = self.ladder;
        // Of slots: with at most 2^63 of quantity in 2^18 slots below 2^81.
        let (mut qty, mut moment, mut worst) = (0u64, 0u128, None);
        while ladder.huge_len == 0
            && qty < qty_max
            && self.undivided_base().is_some()
            && let Some(&block) = ladder.blocks.get(self.block)
        {
            let first = self.block * BLOCK_SLOTS;
            let (mut part, mut part_moment) = (block.qty, block.moment);
            if part <= qty_max - qty {
                worst = Some(first + block.used.trailing_zeros() as usize);
                self.next_block();
            } else {
                let Some(qtys) = ladder.qtys.get(first..).and_then(|qtys| qtys.first_chunk()) else { break };
                let qtys: &[i64; BLOCK_SLOTS] = qtys;
                (part, part_moment) = (0, 0);
                let mut low = 0;
                while part < qty_max - qty
                    && let Some(next) = highest_bit(self.used)
                {
                    low = next % BLOCK_SLOTS;
                    let level = qtys[low].unsigned_abs().min(qty_max - qty - part);
                    part += level;
                    part_moment += low as u64 * level;
                    self.used &= below(low);
                }
                worst = Some(first + low);
            }
            qty += part;
            moment += u128::from(part) * first as u128 + u128::from(part_moment);
        }
        let grid = ladder.grid;
        Part {
            qty,
            weighted: i128::from(grid.key_of(0)) * i128::from(qty) + i128::from(grid.step()) * moment as i128,
            worst: worst.map(|slot| grid.key_of(slot)),
        }
    }
}

//! The levels of a side in order: the window's and the far store's as one.

use super::bitset::{below, highest_bit};
use super::compact::Open;
use super::far::Entry;
use super::grid::Grid;
use super::ladder::{BLOCK_SLOTS, Ladder};
use crate::types::{Level, Price, Qty};

/// Both stores merged, best first.
#[derive(Clone, Debug)]
pub(super) struct Entries<'a> {
    pub(super) ladder: &'a Ladder,
    /// The slots of the window, or of the one block that a compact side has instead.
    grid: &'a Grid,
    qtys: &'a [i64],
    /// Block of the window's next level.
    pub(super) block: usize,
    /// Slots of the block not yet given; 0 = the window has no more.
    pub(super) used: u64,
    /// Blocks in use below this one, of the 64 to which it belongs.
    blocks_left: u64,
    /// Far levels not yet given, best last.
    pub(super) far: &'a [Entry],
}

impl<'a> Entries<'a> {
    #[inline]
    pub(super) fn new(ladder: &'a Ladder, far: &'a [Entry]) -> Self {
        let block = ladder.blocks.len().next_multiple_of(64);
        let (grid, qtys) = (&ladder.grid, ladder.qtys.as_slice());
        let mut entries = Self { ladder, grid, qtys, block, used: 0, blocks_left: 0, far };
        entries.next_block();
        entries
    }

    /// The levels of one block; the window is closed.
    #[inline]
    pub(super) fn of_block(ladder: &'a Ladder, open: Open<'a>) -> Self {
        let Open { grid, slots, used } = open;
        Self { ladder, grid, qtys: slots, block: 0, used, blocks_left: 0, far: &[] }
    }

    /// Goes on to the next block in use, whatever is left of this one.
    #[inline]
    pub(super) fn next_block(&mut self) {
        self.used = 0;
        if self.blocks_left == 0 {
            let Some((first, blocks)) = self.ladder.filled.word_below(self.block) else { return };
            (self.block, self.blocks_left) = (first, blocks);
        }
        let Some(low) = highest_bit(self.blocks_left) else { return };
        self.blocks_left &= below(low);
        let block = self.block & !63 | low;
        if let Some(found) = self.ladder.blocks.get(block) {
            (self.block, self.used) = (block, found.used);
        }
    }

    /// Key of the block's first slot when every level left in the block comes before every far level; none when a far
    /// level may come between, or without a block.
    #[inline]
    pub(super) fn undivided_base(&self) -> Option<i64> {
        let base = self.grid.key_of(self.block * BLOCK_SLOTS);
        (self.used != 0 && self.far.last().is_none_or(|far| far.key < base)).then_some(base)
    }
}

impl Iterator for Entries<'_> {
    type Item = Entry;

    #[inline]
    fn next(&mut self) -> Option<Entry> {
        let near = highest_bit(self.used).map(|low| {
            let slot = self.block * BLOCK_SLOTS + low;
            (low, Entry { key: self.grid.key_of(slot), qty: self.qtys[slot] })
        });
        if let Some((&far, rest)) = self.far.split_last()
            && near.is_none_or(|(_, near)| far.key > near.key)
        {
            self.far = rest;
            return Some(far);
        }
        let (low, near) = near?;
        self.used &= below(low);
        if self.used == 0 {
            self.next_block();
        }
        Some(near)
    }
}

/// The levels of one side, best first. Costs a few nanoseconds a level and allocates nothing.
#[derive(Clone, Debug)]
pub struct LevelIter<'a> {
    pub(super) flip: i64,
    pub(super) entries: Entries<'a>,
}

impl LevelIter<'_> {
    /// Appends the next levels, at most `count`: what [`Iterator::take`] gives, faster, because the levels of a block
    /// are read without a look at anything else while no far level is due, and the far levels likewise where the window
    /// has no more.
    #[inline]
    pub fn append_to(mut self, count: usize, out: &mut Vec<Level>) {
        let end = out.len().saturating_add(count);
        while out.len() < end {
            if self.entries.used == 0 {
                let flip = self.flip;
                let far = self.entries.far.iter().rev().take(end - out.len());
                out.extend(far.map(|entry| Level { price: Price(entry.key ^ flip), qty: Qty(entry.qty) }));
                return;
            }
            let Some(base) = self.entries.undivided_base() else {
                let Some(level) = self.next() else { return };
                out.push(level);
                continue;
            };
            let Entries { grid, qtys, block, .. } = self.entries;
            let step = grid.step();
            let Some(qtys) = qtys.get(block * BLOCK_SLOTS..).and_then(|qtys| qtys.first_chunk()) else {
                return;
            };
            let qtys: &[i64; BLOCK_SLOTS] = qtys;
            let mut used = self.entries.used;
            while let Some(low) = highest_bit(used) {
                if out.len() == end {
                    return;
                }
                used &= below(low);
                // Cannot wrap: it is the key of a slot.
                let key = base.wrapping_add((low as u64).wrapping_mul(step) as i64);
                out.push(Level { price: Price(key ^ self.flip), qty: Qty(qtys[low % BLOCK_SLOTS]) });
            }
            self.entries.next_block();
        }
    }
}

impl Iterator for LevelIter<'_> {
    type Item = Level;

    #[inline]
    fn next(&mut self) -> Option<Level> {
        let entry = self.entries.next()?;
        Some(Level { price: Price(entry.key ^ self.flip), qty: Qty(entry.qty) })
    }
}

//! All levels of a thin side in one block of slots.

use super::bitset::{below, highest_bit, lowest_bit, with_bit};
use super::far::Entry;
use super::grid::{ANCHOR_MAX, Grid};
use super::ladder::BLOCK_SLOTS;
use super::placement::tick_for;

/// A block of 64 slots, one per price step, in which every level of its side stands; closed while they stand elsewhere.
///
/// Thousands of thin books do not fit the nearer caches, and where among ten levels the next change lies nobody can
/// guess. So a change is one store into a slot and one bit, and nothing is searched, moved or branched on.
///
/// What is asked rarely is kept out of line: other sides ask the same functions of [`BookSide`](super::side::BookSide).
#[derive(Clone, Debug, Default)]
pub(super) struct Compact {
    /// Where the slots stand; none while closed.
    grid: Option<Grid>,
    /// Quantity of every slot, 0 = no level; all 0 while closed. Absent before the first use, and kept from then on.
    slots: Option<Box<[i64; BLOCK_SLOTS]>>,
    /// Bit `i`: slot `i` holds a level.
    used: u64,
}

/// A block that is open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open<'a> {
    pub(super) grid: &'a Grid,
    pub(super) slots: &'a [i64; BLOCK_SLOTS],
    pub(super) used: u64,
}

impl Compact {
    /// A grid on which each of the keys has a slot, with room above and below; none without a key, or where they do not
    /// fit. `flip` turns keys into prices; `tick_size` 0 or below: the step is inferred from the keys.
    pub(super) fn grid_for(
        keys: impl Iterator<Item = i64> + Clone,
        flip: i64,
        tick_size: i64,
    ) -> Option<Grid> {
        let (worst, best) = (keys.clone().min()?, keys.clone().max()?);
        if (best ^ flip).unsigned_abs() > ANCHOR_MAX {
            return None;
        }
        // Most books that do not fit are told by the distance alone.
        if tick_size > 0 && best.abs_diff(worst) / tick_size.unsigned_abs() >= BLOCK_SLOTS as u64 {
            return None;
        }
        let step = tick_for(keys.clone(), flip, tick_size)?;
        let grid = Grid::around(best, flip, step, BLOCK_SLOTS);
        keys.fold(0, |slots, key| slots | grid.slot_of(key)).lt(&BLOCK_SLOTS).then_some(grid)
    }

    /// Opens the block, which is closed, with these levels; of two at one price the last wins, 0 is none.
    pub(super) fn open(&mut self, grid: Grid, entries: impl Iterator<Item = Entry>) {
        debug_assert!(self.grid.is_none() && self.used == 0);
        self.grid = Some(grid);
        self.slots.get_or_insert_with(|| Box::new([0; BLOCK_SLOTS]));
        self.put_all(entries);
    }

    /// Forgets the levels and where the slots stand; keeps the memory.
    pub(super) fn close(&mut self) {
        self.grid = None;
        if let Some(slots) = &mut self.slots {
            **slots = [0; BLOCK_SLOTS];
        }
        self.used = 0;
    }

    /// Whether the levels of the side stand here.
    #[inline]
    pub(super) const fn is_open(&self) -> bool {
        self.grid.is_some()
    }

    /// Where the slots stand; none while closed.
    #[inline]
    pub(super) const fn grid(&self) -> Option<&Grid> {
        self.grid.as_ref()
    }

    /// The block, if it is open.
    #[inline]
    pub(super) fn opened(&self) -> Option<Open<'_>> {
        Some(Open { grid: self.grid.as_ref()?, slots: self.slots.as_deref()?, used: self.used })
    }

    /// Sets the quantity of each level, all of which have a slot; 0 removes.
    #[inline]
    pub(super) fn put_all(&mut self, entries: impl Iterator<Item = Entry>) {
        let (Some(grid), Some(slots)) = (&self.grid, &mut self.slots) else { return };
        let mut used = self.used;
        for Entry { key, qty } in entries {
            let slot = grid.slot_of(key);
            debug_assert!(slot < BLOCK_SLOTS);
            slots[slot % BLOCK_SLOTS] = qty;
            used = with_bit(used, slot, qty != 0);
        }
        self.used = used;
    }

    /// Number of levels.
    #[cold]
    #[inline(never)]
    pub(super) const fn len(&self) -> usize {
        self.used.count_ones() as usize
    }

    /// A level's quantity, 0 when there is none.
    #[cold]
    #[inline(never)]
    pub(super) fn qty_at(&self, key: i64) -> i64 {
        self.opened().and_then(|open| open.slots.get(open.grid.slot_of(key)).copied()).unwrap_or(0)
    }

    /// Sum of the quantities at keys from `low` to `high`, both included.
    #[cold]
    #[inline(never)]
    pub(super) fn qty_between(&self, low: i64, high: i64) -> u128 {
        let Some(Open { grid, slots, .. }) = self.opened() else { return 0 };
        let from = grid.first_slot_from(low, BLOCK_SLOTS);
        let to = grid.first_slot_above(high, BLOCK_SLOTS);
        let slots = slots.get(from..to).unwrap_or_default();
        slots.iter().map(|qty| u128::from(qty.unsigned_abs())).sum()
    }

    /// The best level at a key below this one.
    #[cold]
    #[inline(never)]
    pub(super) fn best_below(&self, key: i64) -> Option<Entry> {
        let open = self.opened()?;
        let end = open.grid.first_slot_from(key, BLOCK_SLOTS);
        let used = if end < BLOCK_SLOTS { self.used & below(end) } else { self.used };
        highest_bit(used).map(|slot| open.entry(slot))
    }

    /// Heap bytes.
    pub(super) fn heap_bytes(&self) -> usize {
        self.slots.as_deref().map_or(0, size_of_val)
    }

    /// Checks what must hold between messages; names the rule that does not.
    pub(super) fn check_invariants(&self) -> Result<(), &'static str> {
        let slots = self.slots.as_deref().map_or(&[] as &[i64], |slots| slots);
        let found = slots.iter().enumerate().fold(0, |found, (slot, &qty)| with_bit(found, slot, qty > 0));
        if found != self.used || slots.iter().any(|qty| *qty < 0) {
            return Err("a used slot of a block holds a quantity above 0, every other 0");
        }
        if self.is_open() && slots.is_empty() || !self.is_open() && self.used != 0 {
            return Err("an open block has slots, a closed one no level");
        }
        Ok(())
    }
}

impl Open<'_> {
    #[inline]
    fn entry(&self, slot: usize) -> Entry {
        Entry { key: self.grid.key_of(slot), qty: self.slots[slot % BLOCK_SLOTS] }
    }

    /// The best level.
    #[inline]
    pub(super) fn best(&self) -> Option<Entry> {
        highest_bit(self.used).map(|slot| self.entry(slot))
    }

    /// The levels, best last.
    pub(super) fn ascending(self) -> impl Iterator<Item = Entry> {
        let mut used = self.used;
        core::iter::from_fn(move || {
            let slot = lowest_bit(used)?;
            used &= used - 1;
            Some(self.entry(slot))
        })
    }
}

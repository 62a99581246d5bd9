//! The best buckets of a side, bucket after bucket down the window.

use super::ladder::{BLOCK_SLOTS, Ladder};
use super::side::BookSide;

/// Slots of the widest bucket that is summed here: 63 blocks of plain quantities, each below 2^58, and one more stay
/// within a word.
const BUCKET_SLOTS_MAX: usize = 63 * BLOCK_SLOTS;

impl BookSide {
    /// Gives the buckets that hold a level, best first, by their lowest keys and sums, until `take` has enough. The
    /// first has its lowest key at `end`, which is that of the bucket of the best level; they are `width` apart.
    ///
    /// Stops short where the window ends, at a far level, and at once where its sums do not serve: the rest is for
    /// [`BookSide::best_below`] and [`BookSide::qty_between`]. Up to 64 slots wide, a bucket is an addition of its
    /// slots; wider ones are differences of the sums down to their ends, half a block and the blocks between for each.
    #[inline]
    pub(super) fn bucket_run(&self, end: i64, width: i64, mut take: impl FnMut(i64, u64) -> bool) {
        let ladder = &self.ladder;
        let (slots, step) = (ladder.slots(), ladder.grid.step());
        let bucket_slots = width.unsigned_abs() / step;
        let mut slot = ladder.grid.slot_of(end);
        if slot >= slots
            || ladder.huge_len > 0
            || bucket_slots > BUCKET_SLOTS_MAX as u64
            || bucket_slots * step != width.unsigned_abs()
        {
            return;
        }
        let bucket_slots = bucket_slots as usize;
        let far = self.far.best().map_or(i64::MIN, |best| best.key);
        let mut down = SumDown { ladder, block: slots / BLOCK_SLOTS, above: 0 };
        if let Some(best) = ladder.filled.highest() {
            down.block = best + 1;
        }
        let mut before = 0u64;
        loop {
            let key = ladder.grid.key_of(slot);
            if far >= key {
                return;
            }
            let qty = if bucket_slots <= BLOCK_SLOTS {
                ladder.plain_sum(slot, (slot + bucket_slots).min(slots))
            } else {
                let sum = down.to(slot);
                sum.wrapping_sub(core::mem::replace(&mut before, sum))
            };
            // Every level has a quantity, so no sum is no level.
            let mut skipped = 0;
            if qty == 0 {
                let Some(next) = ladder.highest_slot_below(slot) else { return };
                skipped = (slot - 1 - next) / bucket_slots;
            } else if !take(key, qty) {
                return;
            }
            let Some(next) = slot.checked_sub((skipped + 1) * bucket_slots) else { return };
            slot = next;
        }
    }
}

/// The sum of all quantities down to a slot, modulo 2^64, for slots that descend.
struct SumDown<'a> {
    ladder: &'a Ladder,
    /// The blocks from this one on are in `above`.
    block: usize,
    above: u64,
}

impl SumDown<'_> {
    /// The sum of the slots from `slot` to the end.
    #[inline]
    fn to(&mut self, slot: usize) -> u64 {
        let block = slot / BLOCK_SLOTS;
        while self.block > block + 1 {
            self.block -= 1;
            self.above = self.above.wrapping_add(self.ladder.block_qty(self.block));
        }
        if self.block <= block {
            // Above the best level.
            return self.above;
        }
        let first = block * BLOCK_SLOTS;
        let of_the_block = if slot - first < BLOCK_SLOTS / 2 {
            self.ladder.block_qty(block).wrapping_sub(self.ladder.plain_sum(first, slot))
        } else {
            self.ladder.plain_sum(slot, first + BLOCK_SLOTS)
        };
        self.above.wrapping_add(of_the_block)
    }
}

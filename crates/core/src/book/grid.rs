//! From a price to its slot without a division.

use core::num::NonZeroU64;

/// Greatest price step of a grid. With it, slots × step stays under 2^58, which the proof of [`Grid::slot_of`] needs.
pub(super) const STEP_MAX: u64 = 1 << 40;

/// Slots of the largest window, 2 MiB of quantities.
pub(super) const SLOTS_MAX: usize = 1 << 18;

/// Greatest magnitude of a best price that a window is anchored on. It keeps the key of slot 0 within ±2^62, without
/// which the wrapping distance of [`Grid::slot_of`] would lie.
pub(super) const ANCHOR_MAX: u64 = 1 << 61;

/// Slots above the best level when slots are placed, for improving prices: one of so many.
const HEADROOM_PART: usize = 4;

const _: () = assert!(SLOTS_MAX as u128 * STEP_MAX as u128 <= 1 << 58);

/// Equally spaced keys: slot `s` stands for key `base + s × step`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    /// Key of slot 0, within ±2^62.
    base: i64,
    /// Step between slots in mantissa units, 1 to [`STEP_MAX`].
    step: u64,
    /// The number that, modulo 2^64, times the odd part of `step` is 1; odd as well, so never 0.
    inverse: NonZeroU64,
    /// Power of two in `step`.
    shift: u32,
}

impl Grid {
    /// Step 1 with slot 0 at key 0: what a closed window has.
    pub(super) const UNIT: Self = Self { base: 0, step: 1, inverse: NonZeroU64::MIN, shift: 0 };

    /// The grid of this step with slot 0 at `base`. A step outside 1 to [`STEP_MAX`] is taken as 1.
    pub(super) fn new(base: i64, step: u64) -> Self {
        let step = if (1..=STEP_MAX).contains(&step) { step } else { 1 };
        let shift = step.trailing_zeros();
        let odd = step >> shift;
        // An odd number is its own inverse modulo 8; each turn doubles the bits that are right: 3, 6, 12, 24, 48, 96.
        let inverse =
            (0..5).fold(odd, |inverse, _| inverse.wrapping_mul(2u64.wrapping_sub(odd.wrapping_mul(inverse))));
        Self { base, step, inverse: NonZeroU64::new(inverse).unwrap_or(NonZeroU64::MIN), shift }
    }

    /// The grid of `slots` slots that stand for multiples of the step by price, with the key `best` a quarter below their
    /// upper end. `flip` turns keys into prices; |price| ≤ [`ANCHOR_MAX`].
    pub(super) fn around(best: i64, flip: i64, step: u64, slots: usize) -> Self {
        // None of these wraps: |price| ≤ 2^61, the rest is below 2^59.
        let (price, signed) = (best ^ flip, step as i64);
        let on_grid = price.wrapping_sub(price.rem_euclid(signed)) ^ flip;
        Self::new(on_grid.wrapping_sub((slots - slots / HEADROOM_PART) as i64 * signed), step)
    }

    /// The slot of a key; 2^18 or more when the key is off the grid or no window of this base can hold it.
    ///
    /// An exact division by the step: multiplied by the inverse of its odd part and rotated by its power of two, the
    /// distance from slot 0 becomes the slot. Let `q` be the result and `d` the distance, both modulo 2^64. If
    /// `q < 2^18`, turning the two steps around gives `d = q × step` modulo 2^64, and `q × step < 2^58` does not wrap,
    /// so `d` is `q` steps. Keys below the base are at least −2^63 − 2^62 away, which modulo 2^64 is 2^62 or more and
    /// no such product. So one compare of the result with the number of slots tests both ends and the grid.
    #[inline]
    pub(super) fn slot_of(&self, key: i64) -> usize {
        let distance = key.wrapping_sub(self.base) as u64;
        let slot = distance.wrapping_mul(self.inverse.get()).rotate_right(self.shift);
        usize::try_from(slot).unwrap_or(usize::MAX)
    }

    /// The key of a slot below 2^18.
    #[inline]
    pub(super) fn key_of(&self, slot: usize) -> i64 {
        // Cannot wrap: |base| ≤ 2^62 and slot × step < 2^58.
        self.base.wrapping_add((slot as u64).wrapping_mul(self.step) as i64)
    }

    /// The first of `slots` slots whose key is `key` or greater, else `slots`.
    #[inline]
    pub(super) fn first_slot_from(&self, key: i64, slots: usize) -> usize {
        let slot = self.slot_of(key);
        if slot < slots { slot } else { self.slots_below(key, slots) }
    }

    /// The first of `slots` slots whose key is above `key`, else `slots`.
    #[inline]
    pub(super) fn first_slot_above(&self, key: i64, slots: usize) -> usize {
        let slot = self.slot_of(key);
        if slot < slots { slot + 1 } else { self.slots_below(key, slots) }
    }

    /// How many of `slots` slots have a key below `key`, by a division: for keys off the grid or outside.
    fn slots_below(&self, key: i64, slots: usize) -> usize {
        if key <= self.base {
            return 0;
        }
        // The true distance of two keys fits an unsigned word.
        let distance = key.wrapping_sub(self.base) as u64;
        usize::try_from(distance.div_ceil(self.step)).unwrap_or(usize::MAX).min(slots)
    }

    /// Step between slots in mantissa units.
    #[inline]
    pub(super) const fn step(&self) -> u64 {
        self.step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOTS: usize = 1 << 18;
    const STEPS: [u64; 12] =
        [1, 2, 3, 7, 10, 25, 1_000, 1 << 20, 999_999_937, 3 << 38, (1 << 40) - 1, 1 << 40];

    #[test]
    fn finds_every_multiple_and_nothing_else() {
        for step in STEPS {
            for base in [0, -61_600_000, 1 << 62, -(1 << 62)] {
                let grid = Grid::new(base, step);
                for slot in (0..SLOTS).step_by(997).chain([SLOTS - 1]) {
                    let key = base + slot as i64 * step as i64;
                    assert_eq!((grid.slot_of(key), grid.key_of(slot)), (slot, key), "step {step}");
                    assert_eq!(grid.first_slot_from(key, SLOTS), slot);
                    assert_eq!(grid.first_slot_above(key, SLOTS), slot + 1);
                    for off_grid in [1, step / 2, step - 1].into_iter().filter(|off| off % step != 0) {
                        assert!(grid.slot_of(key + off_grid as i64) >= SLOTS, "step {step} + {off_grid}");
                        assert_eq!(grid.first_slot_from(key + off_grid as i64, SLOTS), slot + 1);
                        assert_eq!(grid.first_slot_above(key + off_grid as i64, SLOTS), slot + 1);
                    }
                }
                assert!(grid.slot_of(base - step as i64) >= SLOTS);
                assert!(grid.slot_of(base + SLOTS as i64 * step as i64) >= SLOTS);
            }
        }
    }

    #[test]
    fn no_price_of_either_end_strays_onto_a_grid() {
        for step in STEPS {
            for base in [0, 1 << 62, -(1 << 62)] {
                let grid = Grid::new(base, step);
                for stray in [i64::MIN, i64::MIN + 1, i64::MAX - 1, i64::MAX] {
                    assert!(grid.slot_of(stray) >= SLOTS, "step {step}, base {base}, {stray}");
                }
                for (key, slot) in [(i64::MIN, 0), (i64::MAX, SLOTS)] {
                    assert_eq!(grid.first_slot_from(key, SLOTS), slot);
                    assert_eq!(grid.first_slot_above(key, SLOTS), slot);
                }
            }
        }
    }
}

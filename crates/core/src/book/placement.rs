//! Where and how large a window is: from the levels that a side holds when the window is placed.

use super::far::Entry;
use super::grid::{ANCHOR_MAX, SLOTS_MAX, STEP_MAX};

/// Most levels of a side that needs no window: up to here the ordered store is as fast, and 1 KiB.
pub(super) const THIN_LEVELS_MAX: usize = 64;

/// Most levels of a snapshot for which a window that is there is given back. Lower than [`THIN_LEVELS_MAX`], so that a
/// book on the border does not open and close at each snapshot.
pub(super) const CLOSE_LEVELS_MAX: usize = 32;

/// A window reaches so deep that at most this part of the levels lies outside.
pub(super) const FAR_PART: usize = 64;

/// Slots for each level, at most, in windows above [`SLOTS_MIN`]: with 8.4 bytes a slot a window costs 1.1 KiB a level.
const SLOTS_PER_LEVEL_MAX: usize = 128;

/// Slots of the smallest window, 8 KiB of quantities.
const SLOTS_MIN: usize = 1 << 10;

/// Levels from which an unknown tick is inferred.
const TICK_LEVELS_MAX: usize = 256;

/// Step and size of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placement {
    /// Price step between slots, 1 to [`STEP_MAX`].
    pub(super) tick_size: u64,
    /// A power of two.
    pub(super) slots: usize,
}

/// The window for these levels, best first; none where no window can stand: without levels, with a best price beyond
/// ±2^61 or with a step above 2^40. `flip` turns keys into prices.
///
/// Three quarters of the window lie behind the best.
pub(super) fn place(entries: &[Entry], flip: i64, tick_size: i64) -> Option<Placement> {
    let best = entries.first()?.key;
    if (best ^ flip).unsigned_abs() > ANCHOR_MAX {
        return None;
    }
    let keys = entries.iter().take(TICK_LEVELS_MAX).map(|entry| entry.key);
    let tick_size = tick_for(keys, flip, tick_size)?;
    let deepest = entries.get(entries.len() - 1 - entries.len() / FAR_PART)?.key;
    let ticks = usize::try_from(best.abs_diff(deepest) / tick_size).unwrap_or(SLOTS_MAX);
    let wanted = ticks.saturating_mul(4) / 3;
    let slots_max = 1 << entries.len().saturating_mul(SLOTS_PER_LEVEL_MAX).ilog2();
    let slots = wanted.min(SLOTS_MAX).next_power_of_two().min(slots_max).clamp(SLOTS_MIN, SLOTS_MAX);
    Some(Placement { tick_size, slots })
}

/// The step of slots: `tick_size`, or the greatest on which the keys lie when that is 0 or below; none above 2^40 or
/// without one. `flip` turns keys into prices.
pub(super) fn tick_for(keys: impl Iterator<Item = i64>, flip: i64, tick_size: i64) -> Option<u64> {
    let known = u64::try_from(tick_size).ok().filter(|tick| *tick > 0);
    let common = || keys.map(|key| (key ^ flip).unsigned_abs()).fold(0, greatest_common_divisor);
    Some(known.unwrap_or_else(common)).filter(|tick| (1..=STEP_MAX).contains(tick))
}

const fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    const BID: i64 = 0;
    const ASK: i64 = -1;

    /// Levels at these prices, best first.
    fn entries(prices: impl IntoIterator<Item = i64>, flip: i64) -> Vec<Entry> {
        let mut entries: Vec<_> =
            prices.into_iter().map(|price| Entry { key: price ^ flip, qty: 1 }).collect();
        entries.sort_by_key(|entry| core::cmp::Reverse(entry.key));
        entries
    }

    fn slots(prices: impl IntoIterator<Item = i64>, tick_size: i64) -> usize {
        place(&entries(prices, BID), BID, tick_size).unwrap().slots
    }

    #[test]
    fn a_window_reaches_as_deep_as_most_levels_do() {
        assert_eq!(slots((0..100).map(|i| 1_000_000 - i), 1), SLOTS_MIN);
        // 127 of 129 levels lie within 11,340 ticks, which with the headroom are 15,120 slots.
        let outliers = [1, 2];
        assert_eq!(slots((0..127).map(|i| 1_000_000 - i * 90).chain(outliers), 1), 1 << 14);
        assert_eq!(slots((0..127).map(|i| 1_000_000 - i * 90).chain(outliers), 90), SLOTS_MIN);
        assert_eq!(slots((0..10_000).map(|i| 100_000_000 - i * 1_000), 1), SLOTS_MAX);
        assert_eq!(slots([i64::MIN >> 2, 0, 1 << 61], 1), SLOTS_MIN);
    }

    #[test]
    fn a_window_costs_little_for_each_level() {
        for levels in [65, 300, 1_000, 2_047] {
            let slots = slots((0..levels).map(|i| 1_000_000_000 - i * 100_000), 1);
            assert!(slots <= SLOTS_PER_LEVEL_MAX * levels as usize, "{levels}: {slots}");
        }
    }

    #[test]
    fn an_unknown_tick_is_the_step_of_the_best_levels() {
        for flip in [BID, ASK] {
            let tick = |prices: &[i64]| {
                place(&entries(prices.iter().copied(), flip), flip, 0).map(|placement| placement.tick_size)
            };
            assert_eq!(tick(&[6_160_000, 6_159_050, 6_159_000]), Some(50));
            assert_eq!(tick(&[-75, -50, 25]), Some(25));
            assert_eq!(tick(&[0, 7]), Some(7));
            assert_eq!(tick(&[0]), None);
            assert_eq!(tick(&[]), None);
            assert_eq!(tick(&[3 << 41, 1 << 41]), None);
        }
    }

    #[test]
    fn there_is_no_window_where_its_arithmetic_would_end() {
        let limit = ANCHOR_MAX as i64;
        for (price, tick_size, can_stand) in [
            (limit, 1, true),
            (-limit, 1, true),
            (limit + 1, 1, false),
            (-limit - 1, 1, false),
            (i64::MIN, 1, false),
            (i64::MAX, 1, false),
            (0, 1 << 40, true),
            (0, (1 << 40) + 1, false),
            (0, i64::MAX, false),
        ] {
            for flip in [BID, ASK] {
                let placed = place(&entries([price], flip), flip, tick_size);
                assert_eq!(placed.is_some(), can_stand, "{price} / {tick_size}");
            }
        }
    }
}

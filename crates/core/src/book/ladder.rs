//! The window: one slot per price step around the top of a side, so that a change of a level is one store.

use super::bitset::{Bitset, SLOTS_MAX};
use super::far::Entry;

/// Slots of the smallest window, 128 KiB of quantities.
const SLOTS_MIN: usize = 1 << 14;

/// Greatest price step that a window works with. Below it, slots × step stays under 2^58 and the reciprocal is exact.
const TICK_SIZE_MAX: u64 = 1 << 40;

/// Greatest magnitude of a best price that a window is anchored on. It keeps the key of slot 0 within ±2^62, without
/// which the wrapping distance of [`Ladder::slot_of`] would lie.
const ANCHOR_MAX: u64 = 1 << 61;

/// A fresh anchor leaves this part of the window above the best for improving prices.
const HEADROOM_PART: usize = 4;

const _: () = assert!(SLOTS_MIN.is_multiple_of(64) && SLOTS_MIN < SLOTS_MAX);
const _: () = assert!((SLOTS_MAX as u128) * (TICK_SIZE_MAX as u128) <= 1 << 58);

/// A window of slots over one side's keys; a greater key is nearer the top.
///
/// Slot `s` stands for key `base + s × tick_size`. A window that is closed holds no key at all, so its owner keeps
/// everything in the far store: without a tick, with a step above 2^40, or with a best price beyond ±2^61.
#[derive(Clone, Debug)]
pub(super) struct Ladder {
    /// Step between slots in mantissa units, 1 to [`TICK_SIZE_MAX`]; 0 = the window stays closed for ever.
    tick_size: u64,
    /// 2^63 / `tick_size`, rounded up; see [`Ladder::slot_of`].
    reciprocal: u64,
    /// Key of slot 0.
    base: i64,
    /// Slots × `tick_size` while open; 0 while closed, so that no distance is below it.
    span: u64,
    /// Best keys in `settled_from..settled_to` need no new anchor; both equal while closed.
    settled_from: i64,
    settled_to: i64,
    /// Quantity of every slot, 0 = no level.
    qtys: Vec<i64>,
    used: Bitset,
    /// Number of levels.
    len: usize,
    /// Best slot + 1; 0 = no level.
    top: usize,
}

impl Ladder {
    /// A closed window for this price step. Allocates nothing before it is anchored.
    pub(super) fn new(tick_size: i64) -> Self {
        let tick_size = u64::try_from(tick_size).ok().filter(|tick| *tick <= TICK_SIZE_MAX).unwrap_or(0);
        Self {
            tick_size,
            reciprocal: if tick_size == 0 { 0 } else { (1u64 << 63).div_ceil(tick_size) },
            base: 0,
            span: 0,
            settled_from: 0,
            settled_to: 0,
            qtys: Vec::new(),
            used: Bitset::default(),
            len: 0,
            top: 0,
        }
    }

    /// The slot of a key, if the window has one: on the price grid and inside.
    ///
    /// The distance from slot 0 is taken with wrapping and read as unsigned. Keys below the base wrap to at least
    /// 2^64 − 2^63 − 2^62 because |base| ≤ 2^62, which is above any span, so one compare tests both ends.
    ///
    /// The division by the step is a multiplication. With m = ⌈2^63 / t⌉ and e = m·t − 2^63, 0 ≤ e < t, a distance
    /// d = q·t gives d·m / 2^63 = q + q·e / 2^63, and q < 2^18, e < 2^40 keep the rest under 1: the quotient of
    /// every multiple is exact. A distance that is no multiple may be rounded either way, but then q·t ≠ d whatever
    /// q is, so the check sends it off the grid. A slot that passes satisfies slot·t = d < slots·t.
    #[inline]
    pub(super) fn slot_of(&self, key: i64) -> Option<usize> {
        let distance = key.wrapping_sub(self.base) as u64;
        if distance >= self.span {
            return None;
        }
        let slot = ((u128::from(distance) * u128::from(self.reciprocal)) >> 63) as u64;
        // Cannot wrap: slot ≤ slots, so the product is at most the span, below 2^59.
        (slot.wrapping_mul(self.tick_size) == distance).then_some(slot as usize)
    }

    /// Sets the quantity of a slot from [`Self::slot_of`]; 0 removes the level.
    #[inline]
    pub(super) fn put(&mut self, slot: usize, qty: i64) {
        let is_used = qty != 0;
        let was_used = core::mem::replace(&mut self.qtys[slot], qty) != 0;
        self.used.set(slot, is_used);
        self.len = self.len + usize::from(is_used) - usize::from(was_used);
        self.top = self.top.max(if is_used { slot + 1 } else { 0 });
        if !is_used && slot + 1 == self.top {
            self.top = self.used.highest_below(slot).map_or(0, |next| next + 1);
        }
    }

    /// The quantity of a slot, 0 = no level.
    #[inline]
    pub(super) fn qty(&self, slot: usize) -> i64 {
        self.qtys[slot]
    }

    /// The level of a slot.
    #[inline]
    pub(super) fn entry(&self, slot: usize) -> Entry {
        // Cannot wrap while the window is open: |base| ≤ 2^62 and slot × step < 2^58.
        let key = self.base.wrapping_add((slot as u64).wrapping_mul(self.tick_size) as i64);
        Entry { key, qty: self.qtys[slot] }
    }

    /// The best slot.
    #[inline]
    pub(super) fn best(&self) -> Option<usize> {
        self.top.checked_sub(1)
    }

    /// The best slot worse than this one.
    #[inline]
    pub(super) fn next_worse(&self, slot: usize) -> Option<usize> {
        self.used.highest_below(slot)
    }

    /// Number of levels.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Number of slots that the window has memory for.
    pub(super) fn slots(&self) -> usize {
        self.qtys.len()
    }

    /// Whether a best level at this key is neither near nor beyond an edge. Never true while the window is closed.
    #[inline]
    pub(super) fn is_settled_at(&self, best: i64) -> bool {
        self.settled_from <= best && best < self.settled_to
    }

    /// Removes all levels. Writes only slots that hold one.
    pub(super) fn clear(&mut self) {
        let mut next = self.best();
        while let Some(slot) = next {
            self.qtys[slot] = 0;
            next = self.used.highest_below(slot);
        }
        self.used.clear();
        self.len = 0;
        self.top = 0;
    }

    /// Whether [`Self::anchor`] at this best key would open a window.
    pub(super) fn can_anchor(&self, best: i64, flip: i64) -> bool {
        self.placement(best, flip).is_some()
    }

    /// Places an empty window so that the key `best` lies a quarter below its upper edge, or closes the window where
    /// it cannot stand. `flip` turns this side's keys into prices.
    ///
    /// The best may then rise to a 16th of the window short of the upper edge, or fall by a quarter of the window,
    /// before another anchor is wanted. Allocates when the rule of [`slots_for`] asks for more slots than ever before.
    pub(super) fn anchor(&mut self, best: i64, flip: i64) {
        debug_assert!(self.len == 0);
        let Some((base, slots)) = self.placement(best, flip) else {
            self.span = 0;
            self.settled_from = 0;
            self.settled_to = 0;
            return;
        };
        if slots > self.qtys.len() {
            self.qtys = vec![0; slots];
            self.used = Bitset::new(slots);
        }
        // None of these wraps: |base| ≤ 2^62 and span ≤ 2^58.
        self.base = base;
        self.span = slots as u64 * self.tick_size;
        self.settled_from = base.wrapping_add((self.span / 2) as i64);
        self.settled_to = base.wrapping_add((self.span - self.span / 16) as i64);
    }

    /// Key of slot 0 and number of slots for a best level at this key.
    fn placement(&self, best: i64, flip: i64) -> Option<(i64, usize)> {
        let tick_size = i64::try_from(self.tick_size).ok().filter(|tick| *tick > 0)?;
        let price = best ^ flip;
        if price.unsigned_abs() > ANCHOR_MAX {
            return None;
        }
        let slots = slots_for(price, self.tick_size).max(self.qtys.len());
        // Slots stand for multiples of the tick by price. None of these wraps: |price| ≤ 2^61, the rest is below 2^59.
        let on_grid = (price - price.rem_euclid(tick_size)) ^ flip;
        let below = (slots - slots / HEADROOM_PART) as i64 * tick_size;
        Some((on_grid - below, slots))
    }

    /// Checks what must hold between operations, in time linear in the slots; names the rule that does not.
    pub(super) fn check_invariants(&self) -> Result<(), &'static str> {
        let mut len = 0;
        let mut next = self.used.highest();
        if next != self.best() {
            return Err("the cached best slot is the highest used one");
        }
        while let Some(slot) = next {
            len += 1;
            if self.qtys[slot] <= 0 {
                return Err("a used slot holds a quantity above 0");
            }
            if self.slot_of(self.entry(slot).key) != Some(slot) {
                return Err("the key of a slot leads back to the slot");
            }
            next = self.used.highest_below(slot);
        }
        if len != self.len {
            return Err("the window counts its levels");
        }
        if self.qtys.iter().filter(|qty| **qty != 0).count() != len {
            return Err("a slot that is not used holds 0");
        }
        Ok(())
    }
}

/// Slots of the window for a best price: the power of two at or above half of its ticks, 2^14 to 2^18.
///
/// Three quarters of the slots lie behind the best, so the window reaches 37 to 75 % of the price deep. USD-M ETH at
/// 3,418 with tick 0.01 has 2^18 slots, 57 %; USD-M BTC at 61,660 with tick 0.1 is capped at 2^18, 32 %; DOGE at 0.1
/// with tick 0.00001 has 2^14, which hold every bid there can be. The cap is 2 MiB of quantities a side, of which
/// only the pages with levels are ever touched; on recorded streams 1 to 7 % of the changes fall outside.
fn slots_for(best_price: i64, tick_size: u64) -> usize {
    let ticks = best_price.unsigned_abs() / tick_size;
    let wanted = usize::try_from(ticks / 2).unwrap_or(SLOTS_MAX);
    wanted.clamp(SLOTS_MIN, SLOTS_MAX).next_power_of_two()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BID: i64 = 0;
    const ASK: i64 = -1;

    #[test]
    fn the_reciprocal_finds_every_multiple_and_nothing_else() {
        for tick_size in [1, 2, 3, 7, 10, 25, 1_000, 999_999_937, (1 << 40) - 1, 1 << 40] {
            let mut ladder = Ladder::new(tick_size);
            ladder.anchor(0, BID);
            let slots = ladder.slots();
            for slot in (0..slots).step_by(97).chain([slots - 1]) {
                let key = ladder.base + slot as i64 * tick_size;
                assert_eq!(ladder.slot_of(key), Some(slot), "tick {tick_size}");
                assert_eq!(ladder.entry(slot).key, key);
                for off_grid in [1, tick_size / 2, tick_size - 1] {
                    if off_grid % tick_size != 0 {
                        assert_eq!(ladder.slot_of(key + off_grid), None, "tick {tick_size} + {off_grid}");
                    }
                }
            }
            assert_eq!(ladder.slot_of(ladder.base - tick_size), None);
            assert_eq!(ladder.slot_of(ladder.base + slots as i64 * tick_size), None);
            assert_eq!(ladder.check_invariants(), Ok(()));
        }
    }

    #[test]
    fn no_price_of_either_end_strays_into_a_window() {
        let limit = ANCHOR_MAX as i64;
        for (best, flip) in
            [(limit, BID), (-limit, BID), (limit - 1, ASK), (-limit - 1, ASK), (0, BID), (0, ASK)]
        {
            for tick_size in [1, 1 << 40] {
                let mut ladder = Ladder::new(tick_size);
                ladder.anchor(best, flip);
                assert!(ladder.is_settled_at(best), "{best}");
                for stray in [i64::MIN, i64::MIN + 1, i64::MAX - 1, i64::MAX] {
                    assert_eq!(ladder.slot_of(stray), None, "{best} {stray}");
                }
            }
        }
    }

    #[test]
    fn stays_closed_where_no_window_can_stand() {
        for tick_size in [0, -1, i64::MIN, (1 << 40) + 1, i64::MAX] {
            let mut ladder = Ladder::new(tick_size);
            ladder.anchor(6_160_000, BID);
            assert_eq!((ladder.slot_of(6_160_000), ladder.slots()), (None, 0), "tick {tick_size}");
        }
        let mut ladder = Ladder::new(1);
        ladder.anchor(6_160_000, BID);
        for best in [ANCHOR_MAX as i64 + 1, i64::MAX, i64::MIN] {
            assert!(!ladder.can_anchor(best, BID));
            ladder.anchor(best, BID);
            assert_eq!((ladder.slot_of(best), ladder.slot_of(6_160_000)), (None, None));
            assert!(!ladder.is_settled_at(best));
        }
    }

    #[test]
    fn both_sides_lie_on_the_same_price_grid() {
        for flip in [BID, ASK] {
            let mut ladder = Ladder::new(10);
            // The best is off the grid; the slots are not.
            ladder.anchor(616_003 ^ flip, flip);
            assert!(ladder.slot_of(616_000 ^ flip).is_some());
            assert!(ladder.slot_of(616_010 ^ flip).is_some());
            assert_eq!(ladder.slot_of(616_003 ^ flip), None);
        }
    }

    #[test]
    fn slots_follow_the_ticks_of_the_price() {
        for (best_price, tick_size, slots) in [
            (10_000, 1, SLOTS_MIN),
            (0, 1, SLOTS_MIN),
            (-70_000, 1, 1 << 16),
            (6_166_000, 10, SLOTS_MAX),
            (341_863, 1, SLOTS_MAX),
            (15_000, 1, SLOTS_MIN),
            (i64::MIN, 1, SLOTS_MAX),
            (i64::MAX, 1 << 40, SLOTS_MAX),
        ] {
            assert_eq!(slots_for(best_price, tick_size), slots, "{best_price} / {tick_size}");
        }
    }

    #[test]
    fn counts_levels_and_finds_the_next_best() {
        let mut ladder = Ladder::new(1);
        ladder.anchor(100_000, BID);
        for (key, qty) in [(100_000, 1), (99_990, 2), (80_000, 3), (100_000, 5), (99_000, 0)] {
            ladder.put(ladder.slot_of(key).unwrap(), qty);
        }
        assert_eq!(ladder.len(), 3);
        let best = |ladder: &Ladder| ladder.best().map(|slot| ladder.entry(slot));
        for (key, qty) in [(100_000, 5), (99_990, 2), (80_000, 3)] {
            assert_eq!(best(&ladder), Some(Entry { key, qty }));
            assert_eq!(ladder.check_invariants(), Ok(()));
            ladder.put(ladder.slot_of(key).unwrap(), 0);
        }
        assert_eq!((best(&ladder), ladder.len()), (None, 0));
        ladder.put(7, 1);
        ladder.clear();
        assert_eq!((best(&ladder), ladder.len(), ladder.qty(7)), (None, 0, 0));
        assert_eq!(ladder.check_invariants(), Ok(()));
    }
}

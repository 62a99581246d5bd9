//! One side of the book: the window and the far store as one ordered list of levels.

use super::compact::Compact;
use super::entries::{Entries, LevelIter};
use super::far::{Entry, FarStore};
use super::grid::Grid;
use super::ladder::{BLOCK_SLOTS, Ladder};
use super::placement::{CLOSE_LEVELS_MAX, FAR_PART, THIN_LEVELS_MAX, place};
use super::staging::Staging;
use crate::types::{Level, Price, Qty, Side};

/// The levels of one side, best first, exact for every price that an `i64` holds.
///
/// Both sides run the same code on keys: `key = price ^ flip`, with `flip` 0 for bids and −1 for asks. Flipping all
/// bits reverses the order of the prices, keeps their distances and, unlike a sign, overflows nowhere. So a greater
/// key is always nearer the top.
///
/// A key is in the far store exactly when the window has no slot for it; the two never hold one price twice. A thin
/// side has no window: it opens when the levels outnumber [`THIN_LEVELS_MAX`], grows as levels gather outside, and is
/// given back by a snapshot of few levels. A compact side has neither window nor far levels: all of them stand in one
/// block of slots.
///
/// The first cache line and the slots are all that a change of a compact side touches.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub(super) struct BookSide {
    /// All levels of a compact side; closed in others.
    pub(super) compact: Compact,
    /// The best level, kept because it is read more often than it changes; of quantity 0 without levels.
    best: Entry,
    pub(super) flip: i64,
    pub(super) far: FarStore,
    /// Far levels above which a better window is wanted.
    far_len_max: u32,
    /// Level changes since the window was placed; they pay for the next re-centring.
    changes_since_anchor: u32,
    /// Whether the window has slots.
    has_window: bool,
    pub(super) ladder: Ladder,
}

const _: () = assert!(core::mem::offset_of!(BookSide, flip) == 64);

const NO_LEVEL: Entry = Entry { key: i64::MIN, qty: 0 };

/// What one side of a frame holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scan {
    /// Union of the bits of all quantities; below 0 when any of them is.
    pub(super) qty_bits: i64,
    /// Greatest key named.
    nearest: Option<i64>,
}

impl Scan {
    /// The price nearest the top that was read.
    #[inline]
    pub(super) fn nearest(self, flip: i64) -> Option<Price> {
        self.nearest.map(|key| Price(key ^ flip))
    }
}

/// Levels moved by a re-centring for each level change since the last: what keeps a price that jumps to and fro by
/// more than the window's slack from moving the whole side each time.
const MOVES_PER_CHANGE_MAX: usize = 4;

impl BookSide {
    pub(super) fn new(side: Side) -> Self {
        Self {
            compact: Compact::default(),
            best: NO_LEVEL,
            flip: flip_of(side),
            far: FarStore::default(),
            far_len_max: THIN_LEVELS_MAX as u32,
            changes_since_anchor: 0,
            has_window: false,
            ladder: Ladder::new(),
        }
    }

    /// Reads one side of a frame before anything is applied.
    ///
    /// Asks for the memory of every slot on the way: the levels of a frame are spread over the window, so the slots
    /// are not in the nearest cache, and waiting for them was half of the time of a frame of a sparse book.
    #[inline]
    pub(super) fn scan(&self, levels: &[Level]) -> Scan {
        let (mut qty_bits, mut nearest) = (0, i64::MIN);
        for level in levels {
            let key = level.price.0 ^ self.flip;
            self.ladder.prefetch(key);
            qty_bits |= level.qty.0;
            nearest = nearest.max(key);
        }
        Scan { qty_bits, nearest: (!levels.is_empty()).then_some(nearest) }
    }

    /// Applies one side of a frame, level by level; says whether the window should be placed anew.
    ///
    /// A level within the window costs one store of its quantity and one of its block. A level in the far store costs
    /// a binary search and, when it comes or goes, a move of the far levels better than it. The best is looked for
    /// once, at the end, and only when the frame names it or a better price.
    #[inline]
    pub(super) fn apply(&mut self, levels: &[Level], scan: Scan) -> bool {
        let Some(nearest) = scan.nearest else { return false };
        let flip = self.flip;
        let entries = levels.iter().map(|level| Entry { key: level.price.0 ^ flip, qty: level.qty.0 });
        self.count_changes(levels.len());
        self.ladder.put_all(entries, scan.qty_bits, &mut self.far);
        if self.best.qty == 0 || nearest >= self.best.key {
            self.best = self.find_best().unwrap_or(NO_LEVEL);
        }
        self.wants_anchor()
    }

    /// As [`Self::scan`] for a compact side; none for another, or when a level has no slot.
    #[inline]
    pub(super) fn scan_compact(&self, levels: &[Level], flip: i64) -> Option<Scan> {
        let grid = *self.compact.grid()?;
        let (mut qty_bits, mut nearest, mut slots) = (0, i64::MIN, 0);
        for level in levels {
            let key = level.price.0 ^ flip;
            slots |= grid.slot_of(key);
            qty_bits |= level.qty.0;
            nearest = nearest.max(key);
        }
        // The union of numbers below a power of two is below it, and only then.
        let scan = Scan { qty_bits, nearest: (!levels.is_empty()).then_some(nearest) };
        (slots < BLOCK_SLOTS).then_some(scan)
    }

    /// As [`Self::apply`] for a compact side in which every level has a slot.
    #[inline]
    pub(super) fn apply_compact(&mut self, levels: &[Level], flip: i64) {
        self.compact
            .put_all(levels.iter().map(|level| Entry { key: level.price.0 ^ flip, qty: level.qty.0 }));
        self.best = self.compact.opened().and_then(|open| open.best()).unwrap_or(NO_LEVEL);
    }

    /// The grid on which all levels of a side without a window would have a slot of one block, if there is one.
    pub(super) fn compact_grid(&self, tick_size: i64) -> Option<Grid> {
        Compact::grid_for(self.far.entries().iter().map(|entry| entry.key), self.flip, tick_size)
    }

    /// Makes a side without a window compact, on the grid of [`Self::compact_grid`].
    pub(super) fn make_compact(&mut self, grid: Grid) {
        self.compact.open(grid, self.far.entries().iter().copied());
        self.far.clear();
    }

    /// Puts the levels of a compact side where those of other thin sides stand.
    pub(super) fn make_loose(&mut self) {
        if let Some(open) = self.compact.opened() {
            debug_assert!(self.far.len() == 0 && !self.has_window());
            open.ascending().for_each(|entry| self.far.put(entry.key, entry.qty));
            self.compact.close();
        }
    }

    /// As [`Self::scan`] for a side without a window.
    #[inline]
    pub(super) fn scan_thin(&self, levels: &[Level]) -> Scan {
        if !levels.is_empty() {
            self.far.prefetch();
        }
        let (mut qty_bits, mut nearest) = (0, i64::MIN);
        for level in levels {
            qty_bits |= level.qty.0;
            nearest = nearest.max(level.price.0 ^ self.flip);
        }
        Scan { qty_bits, nearest: (!levels.is_empty()).then_some(nearest) }
    }

    /// As [`Self::apply`] for a side without a window, and of few levels: a binary search each, and a move of those
    /// better than it.
    #[inline]
    pub(super) fn apply_thin(&mut self, levels: &[Level]) {
        debug_assert!(!self.has_window());
        if levels.is_empty() {
            return;
        }
        for level in levels {
            self.far.put_among_few(level.price.0 ^ self.flip, level.qty.0);
        }
        self.best = self.far.best().unwrap_or(NO_LEVEL);
        self.count_changes(levels.len());
    }

    #[inline]
    fn count_changes(&mut self, count: usize) {
        self.changes_since_anchor = saturated(self.changes_since_anchor as usize + count);
    }

    /// Keeps the best `depth` levels of a side that is not compact; returns how many left, and tells `left` of each, the
    /// worst first.
    ///
    /// Costs a compare when none does; some nanoseconds for each that leaves the window, and one move of the far levels
    /// that stay.
    #[inline]
    pub(super) fn truncate(&mut self, depth: usize, left: impl FnMut(Level)) -> usize {
        let excess = self.loose_len().saturating_sub(depth);
        if excess > 0 {
            self.remove_worst(excess, left);
        }
        excess
    }

    /// Level changes since the window was placed, or a place for one block was looked for.
    #[inline]
    pub(super) const fn changes_since_anchor(&self) -> usize {
        self.changes_since_anchor as usize
    }

    /// Begins to count changes anew.
    pub(super) const fn forget_changes(&mut self) {
        self.changes_since_anchor = 0;
    }

    #[inline(never)]
    fn remove_worst(&mut self, count: usize, mut left: impl FnMut(Level)) {
        let mut far_count = 0;
        for _ in 0..count {
            let far = self.far.entries().get(far_count).copied();
            match self.ladder.worst() {
                Some(near) if far.is_none_or(|far| near.key < far.key) => {
                    left(self.level(near));
                    self.ladder.remove(near.key);
                }
                _ => {
                    if let Some(far) = far {
                        left(self.level(far));
                    }
                    far_count += 1;
                }
            }
        }
        self.far.remove_worst(far_count);
        if self.loose_len() == 0 {
            self.best = NO_LEVEL;
        }
    }

    /// The worst level of a side that is not compact.
    #[inline]
    pub(super) fn worst(&self) -> Option<Entry> {
        debug_assert!(!self.is_compact());
        match (self.ladder.worst(), self.far.worst()) {
            (Some(near), Some(far)) if far.key < near.key => Some(far),
            (near, far) => near.or(far),
        }
    }

    /// How far a side is known that was just cut to `depth` levels: to the worst of as many, whole when it has fewer.
    #[inline]
    pub(super) fn known_to_depth(&self, depth: usize) -> Price {
        let whole = if self.loose_len() < depth { i64::MIN } else { i64::MAX };
        let worst = self.worst().filter(|_| self.loose_len() >= depth);
        Price(worst.map_or(whole, |worst| worst.key) ^ self.flip)
    }

    /// The first price before that of the worst level; the one that is before all where there is no level.
    #[inline]
    pub(super) fn before_worst(&self) -> Price {
        Price(self.worst().map_or(i64::MAX, |worst| worst.key.saturating_add(1)) ^ self.flip)
    }

    /// Whether the window should be placed anew: the best is near an edge or beyond, or too many levels are outside,
    /// and the changes since the last time pay for a pass over the levels.
    #[inline]
    pub(super) fn wants_anchor(&self) -> bool {
        let is_settled = !self.has_window || self.best.qty == 0 || self.ladder.is_settled_at(self.best.key);
        (!is_settled || self.far.len() > self.far_len_max as usize)
            && (self.changes_since_anchor as usize).saturating_mul(MOVES_PER_CHANGE_MAX) >= self.loose_len()
    }

    /// Places the window anew; false where none can stand. `tick_size` as the catalogue says; 0 or below: it is inferred
    /// from the levels.
    #[cold]
    #[inline(never)]
    pub(super) fn recentre(&mut self, tick_size: i64, staging: &mut Staging) -> bool {
        self.stage(&[], true, staging);
        if place(staging.entries(), self.flip, tick_size).is_none() {
            // Where no window can stand, the next attempt waits until the side has doubled.
            self.far_len_max = saturated(self.far.len().saturating_mul(2));
            self.changes_since_anchor = 0;
            return false;
        }
        self.put_staged(tick_size, staging);
        true
    }

    /// Prepares the result of a message without changing the side, and returns its number of levels. On `keep` the
    /// message changes the levels that are there, otherwise it replaces them.
    pub(super) fn stage(&self, levels: &[Level], keep: bool, staging: &mut Staging) -> usize {
        staging.merge(levels, self.flip, keep.then(|| self.entries()).into_iter().flatten());
        staging.entries().len()
    }

    /// Makes the staged levels the side's levels, with the window placed on the best of them, closed if they are few.
    pub(super) fn commit(&mut self, tick_size: i64, staging: &Staging) {
        if staging.entries().len() <= CLOSE_LEVELS_MAX {
            self.close();
        }
        self.put_staged(tick_size, staging);
    }

    fn put_staged(&mut self, tick_size: i64, staging: &Staging) {
        self.clear_stores();
        let entries = staging.entries();
        let is_wanted = self.has_window() || entries.len() > THIN_LEVELS_MAX;
        if let Some(best) = entries.first()
            && is_wanted
        {
            match place(entries, self.flip, tick_size) {
                Some(placement) => {
                    self.ladder.anchor(best.key, self.flip, placement);
                    self.has_window = true;
                }
                None => self.close(),
            }
        }
        self.ladder.put_all(entries.iter().rev().copied(), i64::MAX, &mut self.far);
        self.best = entries.first().copied().unwrap_or(NO_LEVEL);
        let far_len_max = (self.len() / FAR_PART).max(self.far.len() * 2).max(THIN_LEVELS_MAX);
        self.far_len_max = saturated(far_len_max);
        self.changes_since_anchor = 0;
    }

    /// Replaces the levels of a side that has no window by few others, in place.
    pub(super) fn replace_few(&mut self, levels: &[Level]) {
        debug_assert!(!self.has_window());
        self.clear_stores();
        for level in levels {
            self.far.put(level.price.0 ^ self.flip, level.qty.0);
        }
        self.best = self.far.best().unwrap_or(NO_LEVEL);
        self.far_len_max = THIN_LEVELS_MAX as u32;
        self.changes_since_anchor = 0;
    }

    /// Replaces the levels of a side that has no window by others, all of which have a slot of one block on this grid.
    pub(super) fn replace_compact(&mut self, levels: &[Level], grid: Grid) {
        debug_assert!(!self.has_window());
        self.clear_stores();
        let flip = self.flip;
        let entries = levels.iter().map(|level| Entry { key: level.price.0 ^ flip, qty: level.qty.0 });
        self.compact.open(grid, entries);
        self.best = self.compact.opened().and_then(|open| open.best()).unwrap_or(NO_LEVEL);
    }

    /// Whether the window is open.
    #[inline]
    pub(super) fn has_window(&self) -> bool {
        self.has_window
    }

    /// Whether all levels stand in one block.
    #[inline]
    pub(super) const fn is_compact(&self) -> bool {
        self.compact.is_open()
    }

    /// Closes the window, with all that is in it, and frees its memory.
    fn close(&mut self) {
        self.ladder = Ladder::new();
        self.has_window = false;
    }

    /// Forgets all levels and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.clear_stores();
        self.best = NO_LEVEL;
    }

    fn clear_stores(&mut self) {
        self.ladder.clear();
        self.far.clear();
        self.compact.close();
    }

    fn find_best(&self) -> Option<Entry> {
        if let Some(open) = self.compact.opened() {
            return open.best();
        }
        match (self.ladder.best(), self.far.best()) {
            (Some(near), Some(far)) if far.key > near.key => Some(far),
            (near, far) => near.or(far),
        }
    }

    /// The best level: the better of both stores' bests.
    #[inline]
    pub(super) fn best(&self) -> Option<Entry> {
        (self.best.qty != 0).then_some(self.best)
    }

    /// A level's quantity, 0 when there is none.
    #[inline]
    pub(super) fn qty_at(&self, price: Price) -> i64 {
        let key = self.key(price);
        if self.is_compact() {
            return self.compact.qty_at(key);
        }
        self.ladder.qty_at(key).unwrap_or_else(|| self.far.qty_at(key))
    }

    /// Number of levels.
    #[inline]
    pub(super) fn len(&self) -> usize {
        if self.is_compact() { self.compact.len() } else { self.loose_len() }
    }

    /// Number of levels of a side that is not compact.
    #[inline]
    pub(super) fn loose_len(&self) -> usize {
        self.ladder.len() + self.far.len()
    }

    /// Number of levels in the far store.
    #[inline]
    pub(super) fn far_len(&self) -> usize {
        self.far.len()
    }

    /// Number of slots of the window.
    pub(super) fn slots(&self) -> usize {
        self.ladder.slots()
    }

    /// Heap bytes.
    pub(super) fn heap_bytes(&self) -> usize {
        self.compact.heap_bytes() + self.ladder.heap_bytes() + self.far.heap_bytes()
    }

    /// The levels, best first.
    pub(super) fn levels(&self) -> LevelIter<'_> {
        LevelIter { flip: self.flip, entries: self.entries() }
    }

    /// The level of an entry.
    #[inline]
    pub(super) fn level(&self, entry: Entry) -> Level {
        Level { price: Price(entry.key ^ self.flip), qty: Qty(entry.qty) }
    }

    #[inline]
    pub(super) fn key(&self, price: Price) -> i64 {
        price.0 ^ self.flip
    }

    pub(super) fn entries(&self) -> Entries<'_> {
        match self.compact.opened() {
            Some(open) => Entries::of_block(&self.ladder, open),
            None => Entries::new(&self.ladder, self.far.entries()),
        }
    }

    /// Checks what must hold between messages, in time linear in the window; names the rule that does not.
    pub(super) fn check_invariants(&self) -> Result<(), &'static str> {
        if self.has_window != (self.ladder.slots() > 0) {
            return Err("a window that is there has slots");
        }
        self.ladder.check_invariants()?;
        self.compact.check_invariants()?;
        if self.is_compact() && self.has_window || self.is_compact() && self.far.len() > 0 {
            return Err("all levels of a compact side stand in its block");
        }
        let far = self.far.entries();
        if !far.is_sorted_by(|a, b| a.key < b.key) {
            return Err("the far store ascends strictly");
        }
        if far.iter().any(|entry| entry.qty <= 0) {
            return Err("a far level holds a quantity above 0");
        }
        if self.best() != self.find_best() {
            return Err("the best level kept is the best level");
        }
        if far.iter().any(|entry| self.ladder.slot_of(entry.key).is_some()) {
            return Err("no far level has a slot in the window");
        }
        Ok(())
    }
}

#[inline]
fn saturated(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// What turns prices of a side into keys, and keys into prices.
pub(super) const fn flip_of(side: Side) -> i64 {
    match side {
        Side::Bid => 0,
        Side::Ask => -1,
    }
}

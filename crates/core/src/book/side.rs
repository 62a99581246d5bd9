//! One side of the book: the window and the far store as one ordered list of levels.

use super::far::{Entry, FarStore};
use super::ladder::Ladder;
use crate::types::{Level, Price, Qty, Side};
use core::cmp::Reverse;

/// A set quantity with its place in the frame, so that of two for one price the later wins.
#[derive(Clone, Copy, Debug)]
struct Change {
    entry: Entry,
    order: usize,
}

/// The levels of one side, best first, exact for every price that an `i64` holds.
///
/// Both sides run the same code on keys: `key = price ^ flip`, with `flip` 0 for bids and −1 for asks. Flipping all
/// bits reverses the order of the prices, keeps their distances and, unlike a sign, overflows nowhere. So a greater
/// key is always nearer the top.
///
/// A key is in the far store exactly when the window has no slot for it; the two never hold one price twice.
#[derive(Clone, Debug)]
pub(super) struct BookSide {
    flip: i64,
    ladder: Ladder,
    far: FarStore,
    /// Level changes since the window was placed; they pay for the next re-centring.
    changes_since_anchor: usize,
    recentres: u64,
    /// The side as it will be after [`BookSide::commit`], best first. Only here to keep its memory.
    staged: Vec<Entry>,
    /// The frame's changes in the order of their keys. Only here to keep its memory.
    changes: Vec<Change>,
}

/// Levels moved by a re-centring for each level change since the last: what keeps a price that jumps to and fro by
/// more than the window's slack from moving the whole side each time.
const MOVES_PER_CHANGE_MAX: usize = 4;

impl BookSide {
    pub(super) fn new(side: Side, tick_size: i64) -> Self {
        Self {
            flip: match side {
                Side::Bid => 0,
                Side::Ask => -1,
            },
            ladder: Ladder::new(tick_size),
            far: FarStore::default(),
            changes_since_anchor: 0,
            recentres: 0,
            staged: Vec::new(),
            changes: Vec::new(),
        }
    }

    /// Applies one side of a frame, level by level.
    ///
    /// A level within the window costs one store of its quantity and one of each word of the bitset. A level in the
    /// far store costs a binary search and, when it comes or goes, a move of the far levels better than it.
    #[inline]
    pub(super) fn apply(&mut self, levels: &[Level]) {
        for level in levels {
            let key = self.key(level.price);
            match self.ladder.slot_of(key) {
                Some(slot) => self.ladder.put(slot, level.qty.0),
                None => self.far.put(key, level.qty.0),
            }
        }
        self.settle(levels.len());
    }

    /// Prepares the result of a frame without changing the side, and returns its number of levels. On `keep` the
    /// frame changes the levels that are there, otherwise it replaces them.
    ///
    /// Costs a pass over the side and a sort of the frame, whichever store the levels are in.
    pub(super) fn stage(&mut self, levels: &[Level], keep: bool) -> usize {
        let mut staged = core::mem::take(&mut self.staged);
        let mut changes = core::mem::take(&mut self.changes);
        staged.clear();
        changes.clear();
        changes.extend(levels.iter().enumerate().map(|(order, level)| Change {
            entry: Entry { key: self.key(level.price), qty: level.qty.0 },
            order,
        }));
        // Best first and, within a price, the last of the frame first, which is the one that is kept.
        changes.sort_unstable_by_key(|change| Reverse((change.entry.key, change.order)));
        changes.dedup_by_key(|change| change.entry.key);
        let mut pending = changes.iter().map(|change| change.entry).peekable();
        let there = keep.then(|| self.entries()).into_iter().flatten();
        for entry in there {
            while let Some(change) = pending.next_if(|change| change.key > entry.key) {
                staged.push(change);
            }
            staged.push(pending.next_if(|change| change.key == entry.key).unwrap_or(entry));
        }
        staged.extend(pending);
        staged.retain(|entry| entry.qty != 0);
        self.changes = changes;
        self.staged = staged;
        self.staged.len()
    }

    /// Makes the staged levels the side's levels, with the window anchored on the best of them.
    pub(super) fn commit(&mut self) {
        self.ladder.clear();
        self.far.clear();
        if let Some(best) = self.staged.first() {
            self.ladder.anchor(best.key, self.flip);
        }
        for &entry in self.staged.iter().rev() {
            match self.ladder.slot_of(entry.key) {
                Some(slot) => self.ladder.put(slot, entry.qty),
                None => self.far.push_best(entry),
            }
        }
        self.changes_since_anchor = 0;
    }

    /// Re-centres the window when the best is near an edge or beyond and the changes since the last time pay for it.
    #[inline]
    fn settle(&mut self, changes: usize) {
        self.changes_since_anchor = self.changes_since_anchor.saturating_add(changes);
        if let Some(best) = self.best()
            && !self.ladder.is_settled_at(best.key)
        {
            self.recentre(best.key);
        }
    }

    #[cold]
    #[inline(never)]
    fn recentre(&mut self, best: i64) {
        let paid = self.changes_since_anchor.saturating_mul(MOVES_PER_CHANGE_MAX);
        if paid >= self.len() && self.ladder.can_anchor(best, self.flip) {
            self.stage(&[], true);
            self.commit();
            self.recentres += 1;
        }
    }

    /// Forgets all levels and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.ladder.clear();
        self.far.clear();
    }

    /// The best level: the better of both stores' bests.
    #[inline]
    pub(super) fn best(&self) -> Option<Entry> {
        let far = self.far.best();
        match self.ladder.best() {
            Some(slot) => {
                let near = self.ladder.entry(slot);
                far.filter(|far| far.key > near.key).or(Some(near))
            }
            None => far,
        }
    }

    /// A level's quantity, 0 when there is none.
    #[inline]
    pub(super) fn qty_at(&self, price: Price) -> i64 {
        let key = self.key(price);
        self.ladder.slot_of(key).map_or_else(|| self.far.qty_at(key), |slot| self.ladder.qty(slot))
    }

    /// Number of levels.
    #[inline]
    pub(super) fn len(&self) -> usize {
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

    /// How often the window was moved by updates.
    pub(super) fn recentres(&self) -> u64 {
        self.recentres
    }

    /// The levels, best first.
    pub(super) fn levels(&self) -> LevelIter<'_> {
        LevelIter { flip: self.flip, entries: self.entries() }
    }

    /// The price nearest the top that these levels name.
    #[inline]
    pub(super) fn nearest(&self, levels: &[Level]) -> Option<Price> {
        levels.iter().map(|level| self.key(level.price)).max().map(|key| Price(key ^ self.flip))
    }

    /// The level of an entry.
    #[inline]
    pub(super) fn level(&self, entry: Entry) -> Level {
        Level { price: Price(entry.key ^ self.flip), qty: Qty(entry.qty) }
    }

    #[inline]
    fn key(&self, price: Price) -> i64 {
        price.0 ^ self.flip
    }

    fn entries(&self) -> EntryIter<'_> {
        EntryIter { ladder: &self.ladder, slot: self.ladder.best(), far: self.far.entries() }
    }

    /// Checks what must hold between messages, in time linear in the window; names the rule that does not.
    pub(super) fn check_invariants(&self) -> Result<(), &'static str> {
        self.ladder.check_invariants()?;
        let far = self.far.entries();
        if !far.is_sorted_by(|a, b| a.key < b.key) {
            return Err("the far store ascends strictly");
        }
        if far.iter().any(|entry| entry.qty <= 0) {
            return Err("a far level holds a quantity above 0");
        }
        if far.iter().any(|entry| self.ladder.slot_of(entry.key).is_some()) {
            return Err("no far level has a slot in the window");
        }
        Ok(())
    }
}

/// Both stores merged, best first.
#[derive(Clone, Debug)]
struct EntryIter<'a> {
    ladder: &'a Ladder,
    /// Best slot not yet given.
    slot: Option<usize>,
    /// Far levels not yet given, best last.
    far: &'a [Entry],
}

impl Iterator for EntryIter<'_> {
    type Item = Entry;

    #[inline]
    fn next(&mut self) -> Option<Entry> {
        let near = self.slot.map(|slot| (slot, self.ladder.entry(slot)));
        if let Some((&far, rest)) = self.far.split_last()
            && near.is_none_or(|(_, near)| far.key > near.key)
        {
            self.far = rest;
            return Some(far);
        }
        let (slot, near) = near?;
        self.slot = self.ladder.next_worse(slot);
        Some(near)
    }
}

/// The levels of one side, best first. Costs a few nanoseconds a level and allocates nothing.
#[derive(Clone, Debug)]
pub struct LevelIter<'a> {
    flip: i64,
    entries: EntryIter<'a>,
}

impl Iterator for LevelIter<'_> {
    type Item = Level;

    #[inline]
    fn next(&mut self) -> Option<Level> {
        let entry = self.entries.next()?;
        Some(Level { price: Price(entry.key ^ self.flip), qty: Qty(entry.qty) })
    }
}

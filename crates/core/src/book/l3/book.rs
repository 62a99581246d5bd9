//! One book: the best of each side in the first cache line, each side's map of levels in one more.

use core::hint::select_unpredictable;

use super::far_lists::Entry;
use super::level_map::{EntryIter, Grid, LevelMap, Places};
use super::levels::LevelPool;
use super::{NONE, flip};
use crate::book::{BookSpec, prefetch};
use crate::types::{Level, Price, Qty, Side};

/// What is read of a side after every message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Top {
    /// Key and quantity of the best level; without meaning on an empty side.
    pub(super) best_key: i64,
    pub(super) best_qty: i64,
    /// The best level, [`NONE`] = the side is empty.
    pub(super) best_level: u32,
    /// Number of levels.
    pub(super) levels: u32,
}

const EMPTY: Top = Top { best_key: 0, best_qty: 0, best_level: NONE, levels: 0 };

/// A book without its levels: three cache lines, of which a message touches one or two. Sides are 0 and 1.
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct Book {
    pub(super) tops: [Top; 2],
    grid: Grid,
    maps: [LevelMap; 2],
}

const _: () = assert!(size_of::<Book>() == 192);

impl Book {
    pub(super) fn new(spec: BookSpec, index: u32) -> Self {
        Self {
            tops: [EMPTY; 2],
            grid: Grid::new(spec.tick_size),
            maps: [LevelMap::new(spec.levels_max), LevelMap::new(index)],
        }
    }

    /// Most levels of both sides.
    pub(super) fn levels_max(&self) -> u32 {
        self.maps[0].of_book
    }

    /// The book's number.
    pub(super) fn index(&self) -> u32 {
        self.maps[1].of_book
    }

    /// The best level of a side.
    #[inline]
    pub(super) fn best(&self, side: Side) -> Option<Level> {
        let top = &self.tops[side as usize];
        let level = Level { price: Price(top.best_key ^ flip(side)), qty: Qty(top.best_qty) };
        (top.best_level != NONE).then_some(level)
    }

    /// Number of levels of both sides.
    #[inline]
    pub(super) fn levels_total(&self) -> u64 {
        u64::from(self.tops[0].levels) + u64::from(self.tops[1].levels)
    }

    /// The level at a key, [`NONE`] = there is none.
    #[inline]
    pub(super) fn find(&self, side: usize, key: i64, places: &Places) -> u32 {
        self.maps[side].find(key, self.grid, places)
    }

    /// Adds a level that is not there; its quantity is noted when its first order has joined.
    #[inline]
    pub(super) fn insert(&mut self, side: usize, entry: Entry, places: &mut Places) {
        let top = &mut self.tops[side];
        top.levels += 1;
        if top.best_level == NONE || entry.key > top.best_key {
            top.best_key = entry.key;
            top.best_level = entry.level;
        }
        let (best, levels) = (top.best_key, top.levels as usize);
        self.maps[side].insert(entry, self.grid, -(side as i64), best, levels, places);
    }

    /// Takes out a level that is there.
    #[inline]
    pub(super) fn remove(&mut self, side: usize, entry: Entry, places: &mut Places, levels: &LevelPool) {
        self.maps[side].remove(entry.key, self.grid, places);
        let top = &mut self.tops[side];
        top.levels -= 1;
        if top.best_level == entry.level {
            let next = self.maps[side].best(self.grid, places);
            match next {
                Some(best) => {
                    top.best_key = best.key;
                    top.best_qty = levels.get(best.level).qty;
                    top.best_level = best.level;
                }
                None => top.best_level = NONE,
            }
        }
    }

    /// The worst level of a side.
    pub(super) fn worst(&self, side: usize, places: &Places) -> Option<Entry> {
        self.maps[side].worst(self.grid, places)
    }

    /// Notes the quantity of a level whose orders have changed.
    #[inline]
    pub(super) fn requote(&mut self, side: usize, level: u32, qty: i64) {
        let top = &mut self.tops[side];
        // Nothing predicts whether it is the best.
        top.best_qty = select_unpredictable(top.best_level == level, qty, top.best_qty);
    }

    /// The levels of a side, best first.
    pub(super) fn entries<'a>(&'a self, side: usize, places: &'a Places) -> EntryIter<'a> {
        self.maps[side].entries(self.grid, places)
    }

    /// Fetches the book's lines ahead of their use: the best of both sides, and the map of one side, `None` = of either.
    #[inline(always)]
    pub(super) fn prefetch(&self, side: Option<usize>) {
        prefetch(self);
        let [bids, asks] = &self.maps;
        if side != Some(1) {
            prefetch(bids);
        }
        if side != Some(0) {
            prefetch(asks);
        }
    }

    /// Fetches where a key's level is noted ahead of its use.
    #[inline]
    pub(super) fn prefetch_place(&self, side: usize, key: i64, places: &Places) {
        self.maps[side].prefetch(key, self.grid, places);
    }

    /// Each side's map of levels.
    pub(super) fn maps(&self) -> &[LevelMap; 2] {
        &self.maps
    }

    /// Checks what must hold between messages; names the rule that does not.
    pub(super) fn check_invariants(&self, places: &Places, levels: &LevelPool) -> Result<(), &'static str> {
        for (side, top) in self.tops.iter().enumerate() {
            self.maps[side].check_invariants(self.grid, places)?;
            let mut entries = self.entries(side, places);
            if !self.entries(side, places).is_sorted_by(|a, b| a.key > b.key) {
                return Err("levels come best first");
            }
            if self.entries(side, places).count() != top.levels as usize {
                return Err("levels are counted");
            }
            let is_best = match entries.next() {
                None => top.best_level == NONE,
                Some(best) => {
                    top.best_level == best.level
                        && top.best_key == best.key
                        && top.best_qty == levels.get(best.level).qty
                }
            };
            if !is_best {
                return Err("the noted best is the best");
            }
        }
        Ok(())
    }
}

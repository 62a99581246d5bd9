//! Price → level of one side: a window of slots around the top, an ordered list for what the window cannot hold.

use super::far_lists::{Entry, FarIter, FarList, FarLists};
use super::levels::reserve;
use super::memory::advise_large_pages;
use super::{L3Error, L3Spec, NONE};
use crate::book::prefetch;

/// Slots of the smallest and of the largest window.
const SLOTS_MIN: u32 = 256;
const SLOTS_MAX: u32 = 2_048;

/// A window begins with its bits, one for each slot, in words of 32; the largest needs this many.
const WORDS: usize = SLOTS_MAX as usize / 32;

/// Sizes of windows: 256, 512, 1,024, 2,048.
const SIZES: usize = (SLOTS_MAX / SLOTS_MIN).ilog2() as usize + 1;

/// A side with fewer levels than this has no window: a list of eight is one or two cache lines.
const LEVELS_MIN: usize = 8;

/// Levels that the window missed before it is placed anew, and the part of the side's levels that they must be.
const MISSES_MIN: u32 = 16;
const MISSES_PART: usize = 4;

/// Greatest price step that a window works with. A distance below 0 wraps to at least 2^62, which no window reaches.
const TICK_SIZE_MAX: u64 = 1 << 40;

/// Greatest magnitude of a best price that a window is placed on, so that its base stays within ±2^62.
const ANCHOR_MAX: u64 = 1 << 61;

const _: () = assert!((SLOTS_MAX as u128) * (TICK_SIZE_MAX as u128) < 1 << 62);

/// The price steps of a book.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    /// Step in mantissa units; 0 = unknown, then no price is on the grid.
    tick_size: u64,
    /// 2^63 / `tick_size`, rounded up.
    reciprocal: u64,
}

impl Grid {
    pub(super) fn new(tick_size: i64) -> Self {
        let tick_size = u64::try_from(tick_size).ok().filter(|tick| *tick <= TICK_SIZE_MAX).unwrap_or(0);
        Self { tick_size, reciprocal: if tick_size == 0 { 0 } else { (1u64 << 63).div_ceil(tick_size) } }
    }

    /// The step at this distance from slot 0, if it is one of `slots`.
    ///
    /// The division is a multiplication: with m = ⌈2^63 / t⌉ and e = m·t − 2^63 < t ≤ 2^40, a distance d = q·t gives
    /// d·m / 2^63 = q + q·e / 2^63, whose rest is below 1 for q < 2^23. A distance that is no multiple may come out
    /// either way, and then q·t ≠ d.
    #[inline]
    fn slot(self, distance: u64, slots: u32) -> Option<u32> {
        let slot = ((u128::from(distance) * u128::from(self.reciprocal)) >> 63) as u64;
        // Cannot wrap where it matters: below 2^11 × 2^40.
        let is_on_grid = slot.wrapping_mul(self.tick_size) == distance;
        (slot < u64::from(slots) && is_on_grid).then_some(slot as u32)
    }
}

/// What all sides share: their windows and their far lists, each in one allocation, so that large pages can stand behind
/// them and a side that grows needs no other.
#[derive(Debug)]
pub(super) struct Places {
    /// Each window: [`WORDS`] words of bits, then a level handle for each slot.
    windows: Vec<u32>,
    /// First of the windows that were outgrown, by size; each begins with the next one.
    free: [u32; SIZES],
    far: FarLists,
    /// The side that is being placed anew. Only here to keep its memory.
    scratch: Vec<Entry>,
}

impl Places {
    /// Space for the largest window of every side, the far lists and a side that is placed anew. Where the machine refuses
    /// so much address space for the windows or the lists, they take it as they grow.
    ///
    /// # Errors
    /// [`L3Error::Memory`].
    pub(super) fn new(spec: &L3Spec) -> Result<Self, L3Error> {
        let sides = spec.books_max as usize * 2;
        Ok(Self {
            windows: reserve(sides * (WORDS + SLOTS_MAX as usize)).unwrap_or_default(),
            free: [NONE; SIZES],
            far: FarLists::new(sides, spec.orders_max as usize),
            scratch: reserve(spec.orders_max as usize)?,
        })
    }

    /// A window without levels; none once they cannot be numbered any more.
    fn alloc(&mut self, slots: u32) -> Option<u32> {
        let free = &mut self.free[size_of_window(slots)];
        if let Some(first_word) = self.windows.get_mut(*free as usize) {
            return Some(core::mem::replace(free, core::mem::take(first_word)));
        }
        let (at, capacity) = (self.windows.len(), self.windows.capacity());
        let end = at + WORDS + slots as usize;
        if end >= NONE as usize {
            return None;
        }
        self.windows.resize(at + WORDS, 0);
        self.windows.resize(end, NONE);
        if self.windows.capacity() != capacity {
            advise_large_pages(&self.windows);
        }
        Some(at as u32)
    }

    /// Gives back a window without levels.
    fn free(&mut self, at: u32, slots: u32) {
        let free = &mut self.free[size_of_window(slots)];
        self.windows[at as usize] = core::mem::replace(free, at);
    }

    pub(super) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.windows) + self.far.memory_bytes() + size_of_val(&*self.scratch)
    }

    /// Checks that every window and every piece of the far lists belongs to one of these sides or is free.
    pub(super) fn check_all<'a>(
        &self,
        maps: impl Iterator<Item = &'a LevelMap> + Clone,
    ) -> Result<(), &'static str> {
        let in_use: usize =
            maps.clone().filter(|map| map.slots > 0).map(|map| WORDS + map.slots as usize).sum();
        let mut free = 0;
        for (size, &head) in self.free.iter().enumerate() {
            let mut at = head;
            while let Some(&next) = self.windows.get(at as usize).filter(|_| free <= self.windows.len()) {
                (at, free) = (next, free + WORDS + (SLOTS_MIN << size) as usize);
            }
        }
        if in_use + free != self.windows.len() {
            return Err("no window is lost");
        }
        self.far.check_all(maps.map(|map| &map.far))
    }
}

/// Which of [`SIZES`] a window has.
const fn size_of_window(slots: u32) -> usize {
    (slots / SLOTS_MIN).ilog2() as usize % SIZES
}

/// The levels of one side by key: one cache line, without the window's cells and the far list.
///
/// A key is in the far list exactly when the window has no slot for it. Slot `s` stands for `base + s × tick_size`.
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct LevelMap {
    base: i64,
    /// Where the window stands in [`Windows`], and its slots; 0 = no window.
    at: u32,
    slots: u32,
    /// Bit `w` = word `w` of the window is not zero.
    summary: u64,
    far: FarList,
    /// Levels that came within a window's reach of the best and found no slot, since the window was placed.
    misses: u32,
    /// A figure of the book, which only a coming level asks for: kept here because the line has room.
    pub(super) of_book: u32,
}

const _: () = assert!(size_of::<LevelMap>() == 64);

impl LevelMap {
    pub(super) fn new(of_book: u32) -> Self {
        Self { base: 0, at: 0, slots: 0, summary: 0, far: FarList::default(), misses: 0, of_book }
    }

    #[inline]
    fn slot(&self, key: i64, grid: Grid) -> Option<u32> {
        grid.slot(key.wrapping_sub(self.base) as u64, self.slots)
    }

    #[inline]
    fn cell(&self, slot: u32) -> usize {
        self.at as usize + WORDS + slot as usize
    }

    /// The level at a key, [`NONE`] = there is none.
    #[inline(always)]
    pub(super) fn find(&self, key: i64, grid: Grid, places: &Places) -> u32 {
        match self.slot(key, grid) {
            Some(slot) => places.windows[self.cell(slot)],
            None => places.far.find(&self.far, key),
        }
    }

    /// Fetches the window's cell and word of a key ahead of their use.
    #[inline]
    pub(super) fn prefetch(&self, key: i64, grid: Grid, places: &Places) {
        if let Some(slot) = self.slot(key, grid) {
            prefetch(&places.windows[self.cell(slot)]);
            prefetch(&places.windows[self.at as usize + (slot >> 5) as usize]);
        }
    }

    /// Adds a level that is not there. `best` is the side's best key with this level, `levels` their number.
    #[inline]
    pub(super) fn insert(
        &mut self,
        entry: Entry,
        grid: Grid,
        flip: i64,
        best: i64,
        levels: usize,
        places: &mut Places,
    ) {
        match self.slot(entry.key, grid) {
            Some(slot) => self.set(slot, entry.level, places),
            None => self.insert_far(entry, grid, flip, best, levels, places),
        }
    }

    #[inline]
    fn set(&mut self, slot: u32, level: u32, places: &mut Places) {
        let cell = self.cell(slot);
        places.windows[cell] = level;
        places.windows[self.at as usize + (slot >> 5) as usize] |= 1 << (slot & 31);
        self.summary |= 1 << (slot >> 5);
    }

    #[inline(never)]
    fn insert_far(
        &mut self,
        entry: Entry,
        grid: Grid,
        flip: i64,
        best: i64,
        levels: usize,
        places: &mut Places,
    ) {
        places.far.insert(&mut self.far, entry);
        // Only what a window around the best could have held counts as missed.
        let reach = grid.slot(best.wrapping_sub(entry.key) as u64, SLOTS_MAX);
        self.misses += u32::from(reach.is_some());
        if self.misses >= MISSES_MIN && levels >= LEVELS_MIN && self.misses as usize >= levels / MISSES_PART {
            self.misses = 0;
            self.place(grid, flip, best, places);
        }
    }

    /// Takes out the level at a key that is there.
    #[inline]
    pub(super) fn remove(&mut self, key: i64, grid: Grid, places: &mut Places) {
        let Some(slot) = self.slot(key, grid) else {
            return places.far.remove(&mut self.far, key);
        };
        let cell = self.cell(slot);
        places.windows[cell] = NONE;
        let word = &mut places.windows[self.at as usize + (slot >> 5) as usize];
        *word &= !(1 << (slot & 31));
        self.summary &= !(u64::from(*word == 0) << (slot >> 5));
    }

    /// The best level.
    #[inline]
    pub(super) fn best(&self, grid: Grid, places: &Places) -> Option<Entry> {
        let far = places.far.best(&self.far);
        match self.highest(self.summary, places) {
            Some(slot) => {
                let near = self.entry(slot, grid, places);
                far.filter(|far| far.key > near.key).or(Some(near))
            }
            None => far,
        }
    }

    /// The worst level.
    pub(super) fn worst(&self, grid: Grid, places: &Places) -> Option<Entry> {
        let far = places.far.worst(&self.far);
        if self.summary == 0 {
            return far;
        }
        let word = self.summary.trailing_zeros();
        let bits = places.windows[self.at as usize + word as usize];
        let near = self.entry(word << 5 | bits.trailing_zeros(), grid, places);
        far.filter(|far| far.key < near.key).or(Some(near))
    }

    /// The highest used slot of the words that `summary` names.
    #[inline]
    fn highest(&self, summary: u64, places: &Places) -> Option<u32> {
        let word = summary.checked_ilog2()?;
        let bits = places.windows[self.at as usize + word as usize];
        Some(word << 5 | bits.checked_ilog2()?)
    }

    /// The highest used slot below a slot.
    #[inline]
    fn highest_below(&self, slot: u32, places: &Places) -> Option<u32> {
        let word = slot >> 5;
        let bits = places.windows[self.at as usize + word as usize] & ((1 << (slot & 31)) - 1);
        if let Some(bit) = bits.checked_ilog2() {
            return Some(word << 5 | bit);
        }
        self.highest(self.summary & ((1 << word) - 1), places)
    }

    #[inline]
    fn entry(&self, slot: u32, grid: Grid, places: &Places) -> Entry {
        // Cannot wrap while there is a window: |base| ≤ 2^62 and slot × step < 2^51.
        let key = self.base.wrapping_add((u64::from(slot)).wrapping_mul(grid.tick_size) as i64);
        Entry { key, level: places.windows[self.cell(slot)] }
    }

    /// The levels, best first.
    pub(super) fn entries<'a>(&'a self, grid: Grid, places: &'a Places) -> EntryIter<'a> {
        EntryIter {
            map: self,
            grid,
            places,
            slot: self.highest(self.summary, places),
            far: places.far.entries(&self.far),
        }
    }

    /// Places the window anew: a quarter of it above the best, and large enough for 15 of 16 of the levels that the
    /// largest could hold. It never becomes smaller, so once warm it allocates nothing.
    #[cold]
    #[inline(never)]
    fn place(&mut self, grid: Grid, flip: i64, best: i64, places: &mut Places) {
        let price = best ^ flip;
        if grid.tick_size == 0 || price.unsigned_abs() > ANCHOR_MAX {
            return;
        }
        let tick_size = grid.tick_size as i64;
        let top = (price - price.rem_euclid(tick_size)) ^ flip;
        let mut scratch = core::mem::take(&mut places.scratch);
        scratch.clear();
        scratch.extend(self.entries(grid, places));
        let held_by = |slots: u32| {
            let reach = i128::from(slots / 4 * 3) * i128::from(tick_size);
            scratch.partition_point(|entry| i128::from(top) - i128::from(entry.key) <= reach)
        };
        let enough = held_by(SLOTS_MAX) / 16 * 15;
        let mut slots = SLOTS_MIN.max(self.slots);
        while slots < SLOTS_MAX && held_by(slots) < enough {
            slots *= 2;
        }
        self.clear(places);
        if slots != self.slots {
            if self.slots > 0 {
                places.free(self.at, self.slots);
            }
            (self.at, self.slots) = places.alloc(slots).map_or((0, 0), |at| (at, slots));
        }
        self.base = top - i64::from(slots / 4 * 3) * tick_size;
        for &entry in scratch.iter().rev() {
            match self.slot(entry.key, grid) {
                Some(slot) => self.set(slot, entry.level, places),
                None => places.far.insert(&mut self.far, entry),
            }
        }
        places.scratch = scratch;
    }

    /// Removes all levels and keeps the memory. Writes only cells that are in use.
    pub(super) fn clear(&mut self, places: &mut Places) {
        while let Some(slot) = self.highest(self.summary, places) {
            let cell = self.cell(slot);
            places.windows[cell] = NONE;
            let word = &mut places.windows[self.at as usize + (slot >> 5) as usize];
            *word &= !(1 << (slot & 31));
            self.summary &= !(u64::from(*word == 0) << (slot >> 5));
        }
        places.far.clear(&mut self.far);
    }

    /// Checks what must hold between messages; names the rule that does not.
    pub(super) fn check_invariants(&self, grid: Grid, places: &Places) -> Result<(), &'static str> {
        places.far.check_list(&self.far)?;
        if places.far.entries(&self.far).any(|entry| self.slot(entry.key, grid).is_some()) {
            return Err("no far level has a slot in the window");
        }
        for slot in 0..self.slots {
            let bits = places.windows[self.at as usize + (slot >> 5) as usize];
            if (bits >> (slot & 31) & 1 == 1) != (places.windows[self.cell(slot)] != NONE) {
                return Err("a slot's bit says whether it holds a level");
            }
            if (bits != 0) != (self.summary >> (slot >> 5) & 1 == 1) {
                return Err("the summary says which words are not zero");
            }
        }
        Ok(())
    }
}

/// Window and far list merged, best first.
#[derive(Clone, Debug)]
pub(super) struct EntryIter<'a> {
    map: &'a LevelMap,
    grid: Grid,
    places: &'a Places,
    /// Best slot not yet given.
    slot: Option<u32>,
    /// Far levels not yet given.
    far: FarIter<'a>,
}

impl Iterator for EntryIter<'_> {
    type Item = Entry;

    #[inline]
    fn next(&mut self) -> Option<Entry> {
        let near = self.slot.map(|slot| (slot, self.map.entry(slot, self.grid, self.places)));
        if let Some(far) = self.far.peek()
            && near.is_none_or(|(_, near)| far.key > near.key)
        {
            return self.far.next();
        }
        let (slot, near) = near?;
        self.slot = self.map.highest_below(slot, self.places);
        Some(near)
    }
}

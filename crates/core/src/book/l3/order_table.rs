//! All resting orders of a feed: number → record.
//!
//! Where numbers ascend, a number is an index. The numbers are cut into ranges of 1,024; a range in use has a page
//! of records, and a directory of the last ranges names it. A page that has become sparse gives up its
//! survivors to the hash and is used again, so pages
//! cost at most 256 bytes for each order of the greatest number that ever rested, plus 1 MiB. Everything that the
//! directory does not hold (old survivors, numbers far from the rest) is found by hash.

use super::cell::{Cell, VACANT};
use super::id_chains::{IdChains, Missed};
use super::levels::reserve;
use super::memory::advise_large_pages;
use super::{IdOrder, L3Error, L3Spec, NONE};
use crate::book::prefetch;

/// A page holds 2^10 cells.
const PAGE_BITS: u32 = 10;
const PAGE: usize = 1 << PAGE_BITS;

/// A page with fewer orders than this is sparse.
const PAGE_ORDERS_MIN: usize = PAGE / 16;

/// The newest pages are filling up and count as dense whatever they hold.
const PAGES_FILLING: u64 = 4;

/// Pages that may be open whatever they hold.
const PAGES_SPARE: usize = 64;

/// Most ranges of the directory: it spans 2^26 numbers.
const RANGES_MAX: usize = 1 << 16;

/// Ranges that the directory may move on for each order inserted.
const RANGES_PER_INSERT: u64 = 16;

/// A range of numbers has a page, or from here on the [epoch](OrderTable::epoch) in which its orders went to the hash, all
/// of them: an earlier one = no order of the range rests.
const UNPAGED: u32 = 1 << 31;

/// No order of the range rests, in any epoch.
const EMPTY: u32 = UNPAGED;

/// What [`OrderTable::live`] says of a page whose records are found by hash.
const HASHED: u16 = u16::MAX;

const _: () = assert!(PAGE < HASHED as usize);

/// First range of a directory that has not begun: no range of any number is near it.
const NOWHERE: u64 = 1 << 63;

/// What a page is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Page {
    /// Records of one cell, of the numbers from here.
    Range(u64),
    /// Records of two cells, found by hash.
    Pool,
    /// Nothing.
    Free,
}

/// The orders of a feed by number.
#[derive(Debug)]
pub(super) struct OrderTable {
    cells: Vec<Cell>,
    /// The directory: range `r` stands at `r` modulo its length, which is a power of two, or 0 where all is hashed.
    ranges: Vec<u32>,
    /// Number of the first range of the directory.
    first_range: u64,
    /// Greatest range that ever had a page.
    newest_range: u64,
    /// Orders ever inserted by number, and how many had been at the directory's last move.
    dense_inserted: u64,
    inserted_at_move: u64,
    /// Ranges that the directory may still move on.
    moves_left: u64,
    chains: IdChains,
    /// Greatest number found by hash since there was none.
    hashed_max: u64,
    /// Counts how often the hash lost its last order, from `UNPAGED + 1`, so that a feed that begins anew finds no range that
    /// is still marked. Should it come round, a mark of old is taken for a new one, which is slower and right.
    epoch: u32,
    pages: Vec<Page>,
    /// Orders of each page of a range, [`HASHED`] = of numbers found by hash.
    live: Vec<u16>,
    free_pages: Vec<u32>,
    /// Pages in use for ranges.
    pages_open: usize,
    pool_free: u32,
    /// Orders found by number.
    dense: usize,
    /// Key of each record, which says where its order stands in a queue; 0 of one without. Empty until a key is wanted.
    keys: Vec<u64>,
}

impl OrderTable {
    pub(super) fn new(spec: &L3Spec) -> Result<Self, L3Error> {
        let orders_max = spec.orders_max as usize;
        let is_ascending = spec.ids == IdOrder::Ascending;
        let open_max = if is_ascending { PAGES_SPARE + orders_max / PAGE_ORDERS_MIN } else { 0 };
        let pages_max = open_max + orders_max.div_ceil(PAGE / 2);
        let ranges = (orders_max / PAGE * 64).next_power_of_two().clamp(1 << 10, RANGES_MAX);
        let ranges = vec![EMPTY; if is_ascending { ranges } else { 0 }];
        advise_large_pages(&ranges);
        Ok(Self {
            cells: reserve(pages_max * PAGE)?,
            moves_left: ranges.len() as u64,
            ranges,
            first_range: NOWHERE,
            newest_range: 0,
            dense_inserted: 0,
            inserted_at_move: 0,
            chains: IdChains::new(spec.hash_seed, spec.orders_max)?,
            hashed_max: 0,
            epoch: EMPTY + 1,
            pages: reserve(pages_max)?,
            live: reserve(pages_max)?,
            free_pages: reserve(pages_max)?,
            pages_open: 0,
            pool_free: NONE,
            dense: 0,
            keys: Vec::new(),
        })
    }

    /// Resting orders.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.dense + self.chains.len()
    }

    /// All records, by handle.
    #[inline]
    pub(super) fn cells_mut(&mut self) -> &mut [Cell] {
        &mut self.cells
    }

    #[inline]
    pub(super) fn get(&self, handle: u32) -> Cell {
        self.cells[handle as usize]
    }

    #[inline]
    pub(super) fn get_mut(&mut self, handle: u32) -> &mut Cell {
        &mut self.cells[handle as usize]
    }

    /// Makes room for keys, once; all are 0.
    ///
    /// # Errors
    /// [`L3Error::Memory`].
    #[inline]
    pub(super) fn want_keys(&mut self) -> Result<(), L3Error> {
        if self.keys.capacity() == 0 { self.reserve_keys() } else { Ok(()) }
    }

    #[cold]
    fn reserve_keys(&mut self) -> Result<(), L3Error> {
        self.keys = reserve(self.cells.capacity())?;
        self.keys.resize(self.cells.len(), 0);
        Ok(())
    }

    /// The key of a record.
    #[inline]
    pub(super) fn key(&self, handle: u32) -> u64 {
        self.keys.get(handle as usize).copied().unwrap_or(0)
    }

    /// Forgets the key of a record, where keys are wanted: one compare where they are not.
    #[inline(always)]
    pub(super) fn unset_key(&mut self, handle: u32) {
        if !self.keys.is_empty() {
            self.set_key(handle, 0);
        }
    }

    /// Notes the key of a record, where keys are wanted.
    #[cold]
    #[inline(never)]
    pub(super) fn set_key(&mut self, handle: u32, key: u64) {
        if let Some(place) = self.keys.get_mut(handle as usize) {
            *place = key;
        }
    }

    /// What the directory says of a range, while it holds it.
    #[inline]
    fn range(&self, number: u64) -> Option<u32> {
        let at = (number & (self.ranges.len() as u64).wrapping_sub(1)) as usize;
        if number.wrapping_sub(self.first_range) >= self.ranges.len() as u64 {
            return None;
        }
        self.ranges.get(at).copied()
    }

    fn set_range(&mut self, number: u64, to: u32) {
        let at = (number & (self.ranges.len() as u64).wrapping_sub(1)) as usize;
        if self.range(number).is_some() {
            self.ranges[at] = to;
        }
    }

    /// The record of a number; else how it was missed, which [`Self::insert`] wants to know.
    #[inline(always)]
    pub(super) fn find(&self, id: u64) -> Result<u32, Missed> {
        self.find_cell(id).map(|(handle, _)| handle)
    }

    /// As [`Self::find`], with what stands in the record.
    #[inline(always)]
    pub(super) fn find_cell(&self, id: u64) -> Result<(u32, Cell), Missed> {
        if let Some(range) = self.range(id >> PAGE_BITS) {
            if range < UNPAGED {
                let handle = handle_of(range, id);
                let cell = self.cells[handle as usize];
                return if cell.level != NONE { Ok((handle, cell)) } else { Err(Missed::vacant(handle)) };
            }
            if range != self.epoch {
                return Err(Missed::NOWHERE);
            }
        }
        let handle = self.chains.find(id, &self.cells)?;
        Ok((handle, self.get(handle)))
    }

    /// Fetches the record of a number, or what leads to it, ahead of its use.
    #[inline]
    pub(super) fn prefetch(&self, id: u64) {
        if self.ranges.is_empty() {
            return self.chains.prefetch(id);
        }
        match self.range(id >> PAGE_BITS) {
            Some(range) if range < UNPAGED => prefetch(&self.cells[handle_of(range, id) as usize]),
            Some(range) if range != self.epoch => {}
            _ => self.chains.prefetch(id),
        }
    }

    /// Adds an order whose number does not rest, as [`Self::find`] has `missed` it since the last change; the caller has
    /// seen to the limit. `renamed` is told of every record that had to move.
    #[inline(always)]
    pub(super) fn insert(
        &mut self,
        id: u64,
        missed: Missed,
        (qty, level): (i64, u32),
        renamed: impl FnMut(&Cell, u32, u32),
    ) -> u32 {
        let handle = missed.handle();
        let Some(cell) = self.cells.get_mut(handle as usize) else {
            return self.insert_unpaged(id, missed, Cell { qty, level, place: NONE }, renamed);
        };
        (cell.qty, cell.level, cell.place) = (qty, level, NONE);
        if let Some(live) = self.live.get_mut((handle >> PAGE_BITS) as usize) {
            *live += 1;
        }
        self.dense += 1;
        self.dense_inserted += 1;
        handle
    }

    /// Takes an order out. `renamed` is told of every record that had to move.
    #[inline(always)]
    pub(super) fn remove(&mut self, id: u64, handle: u32, renamed: impl FnMut(&Cell, u32, u32)) {
        match self.live.get_mut((handle >> PAGE_BITS) as usize) {
            Some(live) if *live != HASHED => {
                *live -= 1;
                let is_sparse = usize::from(*live) < PAGE_ORDERS_MIN;
                self.dense -= 1;
                self.cells[handle as usize].level = NONE;
                if is_sparse && (id >> PAGE_BITS) + PAGES_FILLING <= self.newest_range {
                    self.retire(id >> PAGE_BITS, renamed);
                }
            }
            _ => self.remove_hashed(id, handle),
        }
    }

    #[inline(never)]
    fn remove_hashed(&mut self, id: u64, handle: u32) {
        self.chains.remove(id, handle, &mut self.cells);
        self.cells[handle as usize] = Cell { place: self.pool_free, ..VACANT };
        self.pool_free = handle;
        if self.chains.len() == 0 {
            self.epoch = (self.epoch.wrapping_add(1) | UNPAGED).max(EMPTY + 1);
        }
    }

    /// The number of a record.
    #[inline]
    pub(super) fn id(&self, handle: u32) -> u64 {
        let offset = handle as usize % PAGE;
        match self.pages[(handle >> PAGE_BITS) as usize] {
            Page::Range(first) => first + offset as u64,
            Page::Pool => self.cells[handle as usize + 1].id(),
            Page::Free => 0,
        }
    }

    /// Adds an order that the directory does not hold, or holds no page for.
    #[inline]
    fn insert_hashed(&mut self, id: u64, missed: Missed, node: Cell) -> u32 {
        self.hashed_max = if self.chains.len() == 0 { id } else { self.hashed_max.max(id) };
        if self.pool_free == NONE {
            self.add_pool_page();
        }
        let handle = self.pool_free;
        let record = &mut self.cells[handle as usize];
        self.pool_free = record.place;
        *record = node;
        self.chains.insert(id, handle, missed, &mut self.cells);
        handle
    }

    #[cold]
    #[inline(never)]
    fn add_pool_page(&mut self) {
        let page = self.take_page(Page::Pool);
        for pair in (0..PAGE as u64 / 2).rev() {
            let handle = handle_of(page, pair * 2);
            self.cells[handle as usize] = Cell { place: self.pool_free, ..VACANT };
            self.pool_free = handle;
        }
    }

    #[inline(never)]
    fn insert_unpaged(
        &mut self,
        id: u64,
        missed: Missed,
        node: Cell,
        renamed: impl FnMut(&Cell, u32, u32),
    ) -> u32 {
        let number = id >> PAGE_BITS;
        let is_hashed = match self.range(number) {
            Some(range) => range == self.epoch,
            None => number < self.first_range && self.len() > 0 || self.ranges.is_empty(),
        };
        if is_hashed { self.insert_hashed(id, missed, node) } else { self.open_range(id, node, renamed) }
    }

    /// Adds the first order of a range.
    #[cold]
    #[inline(never)]
    fn open_range(&mut self, id: u64, node: Cell, mut renamed: impl FnMut(&Cell, u32, u32)) -> u32 {
        let number = id >> PAGE_BITS;
        if self.range(number).is_none() {
            self.move_directory(number, &mut renamed);
        }
        if self.len() == 0 {
            self.newest_range = number;
        }
        // Numbers far behind the newest, as a snapshot has them, leave pages for those to come.
        let is_late = number + PAGES_FILLING <= self.newest_range;
        let spare = if is_late { PAGES_SPARE / 2 } else { PAGES_SPARE };
        match self.range(number) {
            Some(_) if self.pages_open < spare + self.dense / PAGE_ORDERS_MIN => {
                let page = self.take_page(Page::Range(number << PAGE_BITS));
                self.pages_open += 1;
                self.live[page as usize] = 1;
                self.set_range(number, page);
                self.dense += 1;
                self.dense_inserted += 1;
                let handle = handle_of(page, id);
                self.cells[handle as usize] = node;
                self.age(number, renamed);
                handle
            }
            range => {
                if range.is_some() {
                    self.set_range(number, self.epoch);
                }
                self.insert_hashed(id, Missed::NOWHERE, node)
            }
        }
    }

    /// Moves the directory on so that it holds a range, unless the jump is too far or the range lies before it. An
    /// empty table starts a new directory around the range.
    fn move_directory(&mut self, number: u64, renamed: &mut impl FnMut(&Cell, u32, u32)) {
        let len = self.ranges.len() as u64;
        if self.len() == 0 {
            for page in 0..self.pages.len() {
                if matches!(self.pages[page], Page::Range(_)) {
                    self.free_page(page as u32);
                }
            }
            self.ranges.fill(EMPTY);
            self.first_range = number.saturating_sub(len / 4);
            return;
        }
        let earned = (self.dense_inserted - self.inserted_at_move).saturating_mul(RANGES_PER_INSERT);
        self.moves_left = self.moves_left.saturating_add(earned).min(len);
        self.inserted_at_move = self.dense_inserted;
        let Some(ahead) = number.checked_sub(self.first_range) else { return };
        let moves = ahead - len + 1;
        if moves > self.moves_left {
            return;
        }
        self.moves_left -= moves;
        for _ in 0..moves {
            self.retire(self.first_range, &mut *renamed);
            let entering = self.first_range + len;
            self.first_range += 1;
            let is_clean = self.chains.len() == 0 || entering << PAGE_BITS > self.hashed_max;
            self.set_range(entering, if is_clean { EMPTY } else { self.epoch });
        }
    }

    /// Notes the newest range and retires those that have just stopped filling up without becoming dense.
    fn age(&mut self, number: u64, mut renamed: impl FnMut(&Cell, u32, u32)) {
        if number <= self.newest_range {
            return;
        }
        let filling = self.newest_range.saturating_sub(PAGES_FILLING - 1)..=self.newest_range;
        self.newest_range = number;
        for older in filling.take_while(|older| older + PAGES_FILLING <= number) {
            if self.page_of(older).is_some_and(|page| usize::from(self.live[page as usize]) < PAGE_ORDERS_MIN)
            {
                self.retire(older, &mut renamed);
            }
        }
    }

    /// The page of a range.
    fn page_of(&self, number: u64) -> Option<u32> {
        self.range(number).filter(|range| *range < UNPAGED)
    }

    /// Gives back the page of a range; the orders in it are found by hash from now on.
    #[cold]
    #[inline(never)]
    fn retire(&mut self, number: u64, mut renamed: impl FnMut(&Cell, u32, u32)) {
        let Some(page) = self.page_of(number) else { return };
        let first = handle_of(page, 0);
        let mut from = first;
        for _ in 0..self.live[page as usize] {
            let rest = self.cells.get(from as usize..).unwrap_or_default();
            from += rest.iter().position(|cell| cell.level != NONE).unwrap_or_default() as u32;
            let node = self.cells[from as usize];
            let id = (number << PAGE_BITS) + u64::from(from - first);
            let to = self.insert_hashed(id, Missed::NOWHERE, node);
            self.dense -= 1;
            self.set_key(to, self.key(from));
            renamed(&node, from, to);
            self.cells[from as usize] = VACANT;
        }
        let is_empty = self.live[page as usize] == 0;
        self.free_page(page);
        self.set_range(number, if is_empty { EMPTY } else { self.epoch });
    }

    /// A page of vacant records.
    fn take_page(&mut self, page: Page) -> u32 {
        let live = if page == Page::Pool { HASHED } else { 0 };
        if let Some(free) = self.free_pages.pop() {
            self.pages[free as usize] = page;
            self.live[free as usize] = live;
            return free;
        }
        debug_assert!(self.pages.len() < self.pages.capacity(), "open pages are limited by orders");
        self.cells.resize(self.cells.len() + PAGE, VACANT);
        if self.keys.capacity() > 0 {
            self.keys.resize(self.cells.len(), 0);
        }
        self.pages.push(page);
        self.live.push(live);
        self.pages.len() as u32 - 1
    }

    fn free_page(&mut self, page: u32) {
        self.pages[page as usize] = Page::Free;
        self.pages_open -= 1;
        self.free_pages.push(page);
    }

    /// Memory in use, in bytes.
    pub(super) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.cells)
            + size_of_val(&*self.keys)
            + size_of_val(&*self.ranges)
            + size_of_val(&*self.pages)
            + size_of_val(&*self.live)
            + self.free_pages.len() * size_of::<u32>()
            + self.chains.memory_bytes()
    }

    /// Checks what must hold between messages, in time linear in the table; names the rule that does not.
    pub(super) fn check_invariants(&self) -> Result<(), &'static str> {
        self.chains.check_invariants(&self.cells)?;
        let mut dense = 0;
        let mut open = 0;
        for (page, kind) in self.pages.iter().enumerate() {
            let records = &self.cells[page * PAGE..(page + 1) * PAGE];
            let live = records.iter().filter(|node| node.level != NONE).count();
            match *kind {
                Page::Range(first) => {
                    open += 1;
                    dense += live;
                    let range = self.range(first >> PAGE_BITS);
                    if range != Some(page as u32) || usize::from(self.live[page]) != live {
                        return Err("a page's range names it and counts its orders");
                    }
                }
                Page::Pool => {
                    if self.live[page] != HASHED {
                        return Err("a page says that its records are found by hash");
                    }
                    for (at, pair) in
                        records.chunks_exact(2).enumerate().filter(|(_, pair)| pair[0].level != NONE)
                    {
                        let id = pair[1].id();
                        if self.chains.find(id, &self.cells) != Ok((page * PAGE + at * 2) as u32) {
                            return Err("the hash finds every record of its pages");
                        }
                        if self.range(id >> PAGE_BITS).is_some_and(|range| range != self.epoch) {
                            return Err("no range with orders found by hash is open or empty");
                        }
                    }
                }
                Page::Free if live > 0 => return Err("a free page holds no order"),
                Page::Free => {}
            }
        }
        let (mut at, mut free) = (self.pool_free, 0);
        while let Some(cell) = self.cells.get(at as usize).filter(|_| free <= self.cells.len()) {
            (at, free) = (cell.place, free + 1);
        }
        let pool_pages = self.pages.iter().filter(|page| **page == Page::Pool).count();
        if (self.chains.len() + free) * 2 != pool_pages * PAGE {
            return Err("no record is lost");
        }
        if open != self.pages_open || dense != self.dense {
            return Err("pages and orders are counted");
        }
        Ok(())
    }
}

/// The record of a number in a page.
#[inline]
const fn handle_of(page: u32, id: u64) -> u32 {
    page << PAGE_BITS | (id as u32 & (PAGE as u32 - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(table: &mut OrderTable, id: u64) {
        let missed = table.find(id).unwrap_err();
        let handle = table.insert(id, missed, (1, 0), |_, _, _| {});
        assert_eq!(table.id(handle), id);
    }

    #[test]
    fn a_snapshot_of_old_numbers_leaves_room_for_new_ones_each_time_that_a_feed_begins() {
        const FIRST_NEW: u64 = 6_412_777_264_941;
        let spec = L3Spec { orders_max: 1 << 20, books_max: 1, ids: IdOrder::Ascending, hash_seed: 3 };
        let mut table = OrderTable::new(&spec).unwrap();
        // A snapshot by price: the newest number first, then all over a day and those before it.
        let old = || (0..8_000).map(|at| FIRST_NEW - 100_000 - at * 7_919 % 8_000 * 130_000);
        let new = || (0..20_000).map(|at| FIRST_NEW + at * 3 / 2);
        for round in 0..3 {
            old().for_each(|id| add(&mut table, id));
            assert_eq!(table.check_invariants(), Ok(()), "round {round}");
            new().for_each(|id| add(&mut table, id));
            assert!(table.dense >= new().count(), "round {round}: {} found by number", table.dense);
            assert_eq!(table.check_invariants(), Ok(()), "round {round}");
            for id in old().chain(new()) {
                let handle = table.find(id).unwrap();
                table.remove(id, handle, |_, _, _| {});
            }
            assert_eq!((table.len(), table.check_invariants()), (0, Ok(())), "round {round}");
        }
    }
}

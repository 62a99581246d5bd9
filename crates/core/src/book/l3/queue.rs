//! The queue of a level: in the level's own line up to eight orders, beyond that a list of pooled chunks.
//!
//! Orders come at the end, or where their keys belong. Orders leave from anywhere. In the line, the later ones move up, which touches nothing else; that is what most
//! levels of most markets need. In a long queue an order knows its place, which is left empty behind it, so leaving
//! touches one line whatever the length. A chunk without orders goes back to the pool, so n
//! orders never hold more than n chunks. A long queue that has become short stays one until its level is gone.

use core::hint::select_unpredictable;

use super::cell::Cell;
use super::levels::{INLINE, LevelNode, reserve};
use super::order_table::OrderTable;
use super::{L3Error, NONE};
use crate::book::prefetch;

/// Places of a chunk, which makes it one cache line.
const PLACES: usize = 13;

/// An order of a long queue stands at `chunk << PLACE_BITS | place`.
const PLACE_BITS: u32 = 4;
const PLACE_MASK: u32 = (1 << PLACE_BITS) - 1;

/// A piece of a long queue.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Chunk {
    prev: u32,
    /// The piece behind it; of a free chunk the next free one.
    next: u32,
    /// Places that were ever filled.
    used: u16,
    /// Orders that still stand here, above 0 while in a queue.
    live: u16,
    /// First to trade first; [`NONE`] = its order has left.
    places: [u32; PLACES],
}

const _: () = assert!(size_of::<Chunk>() == 64 && INLINE < PLACES && PLACES < 1 << PLACE_BITS);
const _: () = assert!((super::ORDERS_MAX as u64) << PLACE_BITS <= NONE as u64);

/// The chunks of all long queues. The last freed is the next used.
#[derive(Debug)]
pub(super) struct ChunkPool {
    chunks: Vec<Chunk>,
    free: u32,
}

impl ChunkPool {
    /// Space for `chunks_max` chunks, of which no page is touched before a queue needs it.
    pub(super) fn new(chunks_max: u32) -> Result<Self, L3Error> {
        Ok(Self { chunks: reserve(chunks_max as usize)?, free: NONE })
    }

    pub(super) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.chunks)
    }

    /// Fetches the line of an order's place ahead of its use.
    #[inline]
    pub(super) fn prefetch(&self, place: u32) {
        if let Some(chunk) = self.chunks.get((place >> PLACE_BITS) as usize) {
            prefetch(chunk);
        }
    }

    /// Checks a level's queue, in time linear in it; returns its number of chunks or names the rule that is broken.
    pub(super) fn check_queue(&self, level: &LevelNode) -> Result<usize, &'static str> {
        let (mut at, mut before, mut count) = (level.head, NONE, 0);
        while let Some(chunk) = self.chunks.get(at as usize) {
            let (used, unused) = chunk.places.split_at(usize::from(chunk.used).min(PLACES));
            let live = used.iter().filter(|order| **order != NONE).count();
            if chunk.prev != before || live == 0 || live != usize::from(chunk.live) {
                return Err("a chunk knows the one before it and counts its orders, of which it has some");
            }
            if unused.iter().any(|order| *order != NONE) {
                return Err("a place is empty until it is used");
            }
            (before, at, count) = (at, chunk.next, count + 1);
        }
        if level.tail != before {
            return Err("a queue knows its last chunk");
        }
        Ok(count)
    }

    /// Checks that the chunks in queues and the free ones are all there are.
    pub(super) fn check_all(&self, in_queues: usize) -> Result<(), &'static str> {
        let (mut at, mut free) = (self.free, 0);
        while let Some(chunk) = self.chunks.get(at as usize).filter(|_| free <= self.chunks.len()) {
            (at, free) = (chunk.next, free + 1);
        }
        if in_queues + free == self.chunks.len() { Ok(()) } else { Err("no chunk is lost") }
    }

    /// Adds an empty chunk to a queue behind another of it, or as its first.
    fn insert_after(&mut self, level: &mut LevelNode, prev: u32) -> u32 {
        let next = self.chunks.get(prev as usize).map_or(NONE, |before| before.next);
        let chunk = Chunk { prev, next, used: 0, live: 0, places: [NONE; PLACES] };
        let mut at = self.free;
        match self.chunks.get_mut(at as usize) {
            Some(free) => {
                self.free = free.next;
                *free = chunk;
            }
            None => {
                debug_assert!(self.chunks.len() < self.chunks.capacity(), "a chunk has an order");
                at = self.chunks.len() as u32;
                self.chunks.push(chunk);
            }
        }
        match self.chunks.get_mut(prev as usize) {
            Some(before) => before.next = at,
            None => level.head = at,
        }
        match self.chunks.get_mut(next as usize) {
            Some(behind) => behind.prev = at,
            None => level.tail = at,
        }
        at
    }

    /// Fills a chunk with these orders, at most [`PLACES`], and tells each its place.
    fn fill(&mut self, at: u32, orders: &[u32], cells: &mut [Cell]) {
        let chunk = &mut self.chunks[at as usize];
        chunk.places = [NONE; PLACES];
        (chunk.used, chunk.live) = (orders.len() as u16, orders.len() as u16);
        for (place, (free, &order)) in chunk.places.iter_mut().zip(orders).enumerate() {
            *free = order;
            cells[order as usize].place = at << PLACE_BITS | place as u32;
        }
    }

    /// Takes a chunk without orders out of its queue.
    fn free(&mut self, level: &mut LevelNode, at: u32) {
        let Chunk { prev, next, .. } = self.chunks[at as usize];
        match self.chunks.get_mut(prev as usize) {
            Some(before) => before.next = next,
            None => level.head = next,
        }
        match self.chunks.get_mut(next as usize) {
            Some(behind) => behind.prev = prev,
            None => level.tail = prev,
        }
        self.chunks[at as usize].next = self.free;
        self.free = at;
    }
}

/// Puts an order at the end of a level's queue and counts it.
#[inline(always)]
pub(super) fn push(level: &mut LevelNode, chunks: &mut ChunkPool, cells: &mut [Cell], order: u32) {
    let len = level.orders as usize;
    level.orders += 1;
    if level.head == NONE {
        if let Some(place) = level.inline.get_mut(len) {
            *place = order;
            return;
        }
        spill(level, chunks, cells);
    }
    push_long(level, chunks, cells, order);
}

/// Moves a queue that fills its level's line into a chunk.
#[cold]
#[inline(never)]
fn spill(level: &mut LevelNode, chunks: &mut ChunkPool, cells: &mut [Cell]) {
    let at = chunks.insert_after(level, NONE);
    chunks.fill(at, &level.inline, cells);
}

#[inline(always)]
fn push_long(level: &mut LevelNode, chunks: &mut ChunkPool, cells: &mut [Cell], order: u32) {
    if let Some(tail) = chunks.chunks.get_mut(level.tail as usize)
        && let Some(free) = tail.places.get_mut(usize::from(tail.used))
    {
        *free = order;
        cells[order as usize].place = level.tail << PLACE_BITS | u32::from(tail.used);
        tail.used += 1;
        tail.live += 1;
    } else {
        let at = chunks.insert_after(level, level.tail);
        chunks.fill(at, &[order], cells);
    }
}

/// Puts an order that has a key behind the last one whose key is not above its own, and counts it.
///
/// Costs as [`push`] does where that is the last of all, else a look at each order behind it, from the end, and a move of
/// the orders of a piece.
pub(super) fn insert_by_key(
    level: &mut LevelNode,
    chunks: &mut ChunkPool,
    orders: &mut OrderTable,
    order: u32,
) {
    let key = orders.key(order);
    let len = level.orders as usize;
    if level.head == NONE {
        let queue = level.inline.get(..len).unwrap_or_default();
        let before = queue.iter().rposition(|&before| orders.key(before) <= key);
        let at = before.map_or(0, |before| before + 1);
        if at == len {
            return push(level, chunks, orders.cells_mut(), order);
        }
        if len < INLINE {
            level.inline.copy_within(at..len, at + 1);
            level.inline[at] = order;
            level.orders += 1;
            return;
        }
        spill(level, chunks, orders.cells_mut());
    }
    let (mut at, mut place) = (level.tail, 0);
    while let Some(chunk) = chunks.chunks.get(at as usize) {
        let is_before = |before: &u32| *before != NONE && orders.key(*before) <= key;
        if let Some(before) = chunk.places.iter().rposition(is_before) {
            place = before + 1;
            break;
        }
        if chunk.prev == NONE {
            break;
        }
        at = chunk.prev;
    }
    let chunk = &chunks.chunks[at as usize];
    if at == level.tail && chunk.places[place..].iter().all(|behind| *behind == NONE) {
        return push(level, chunks, orders.cells_mut(), order);
    }
    level.orders += 1;
    let (before, behind) = chunk.places.split_at(place);
    let mut row = [NONE; PLACES + 1];
    let mut count = 0;
    for &next in before.iter().chain([&order]).chain(behind).filter(|next| **next != NONE) {
        row[count] = next;
        count += 1;
    }
    if count <= PLACES {
        return chunks.fill(at, &row[..count], orders.cells_mut());
    }
    let (first, second) = row.split_at(count / 2);
    let behind = chunks.insert_after(level, at);
    chunks.fill(at, first, orders.cells_mut());
    chunks.fill(behind, second, orders.cells_mut());
}

/// Takes an order out of its level's queue and counts it; `place` is where the order says that it stands.
#[inline(always)]
pub(super) fn remove(level: &mut LevelNode, chunks: &mut ChunkPool, order: u32, place: u32) {
    level.orders -= 1;
    if level.head == NONE {
        close_gap(&mut level.inline, order);
        return;
    }
    let at = place >> PLACE_BITS;
    let chunk = &mut chunks.chunks[at as usize];
    if let Some(left) = chunk.places.get_mut((place & PLACE_MASK) as usize) {
        debug_assert!(*left == order);
        *left = NONE;
    }
    chunk.live -= 1;
    if chunk.live == 0 {
        chunks.free(level, at);
    }
}

/// Removes an order that is there by moving the later ones up. Without a branch on where it stands, which nothing
/// predicts.
#[inline]
fn close_gap(orders: &mut [u32; INLINE], order: u32) {
    debug_assert!(orders.contains(&order));
    let before = *orders;
    let mut is_behind = false;
    for (at, there) in orders.iter_mut().take(INLINE - 1).enumerate() {
        // What lies beyond the queue's end may name the order too, so it is the first that counts.
        is_behind |= before[at] == order;
        *there = select_unpredictable(is_behind, before[at + 1], before[at]);
    }
}

/// Renames an order in its place, when its record has moved.
pub(super) fn rename(level: &mut LevelNode, chunks: &mut ChunkPool, cell: &Cell, from: u32, to: u32) {
    let places: &mut [u32] = if level.head == NONE {
        level.inline.get_mut(..level.orders as usize).unwrap_or_default()
    } else {
        &mut chunks.chunks[(cell.place >> PLACE_BITS) as usize].places
    };
    debug_assert!(places.contains(&from));
    if let Some(place) = places.iter_mut().find(|place| **place == from) {
        *place = to;
    }
}

/// The records of a queue, first to trade first.
#[derive(Clone, Debug)]
pub(super) struct QueueIter<'a> {
    /// What is left of the piece at hand.
    piece: &'a [u32],
    chunks: &'a [Chunk],
    /// The piece behind it.
    next: u32,
}

impl<'a> QueueIter<'a> {
    /// The queue of a level.
    #[inline]
    pub(super) fn new(level: &'a LevelNode, chunks: &'a ChunkPool) -> Self {
        let is_short = level.head == NONE;
        let piece = if is_short { &level.inline[..level.orders as usize] } else { &[] };
        Self { piece, chunks: &chunks.chunks, next: level.head }
    }

    /// The queue of no level.
    pub(super) const fn empty() -> Self {
        Self { piece: &[], chunks: &[], next: NONE }
    }
}

impl Iterator for QueueIter<'_> {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        loop {
            while let Some((&order, rest)) = self.piece.split_first() {
                self.piece = rest;
                if order != NONE {
                    return Some(order);
                }
            }
            let chunk = self.chunks.get(self.next as usize)?;
            self.piece = &chunk.places;
            self.next = chunk.next;
        }
    }
}

//! The queue of a level: in the level's own line up to eight orders, beyond that in a list of pooled chunks.
//!
//! Orders leave from anywhere. In the line, the later ones move up, which touches nothing else. A chunk does the same
//! within its own line, and an order knows its chunk, so leaving a queue of any length costs one line. A chunk that
//! becomes empty leaves the list; chunks are never merged, so n orders never need more than n chunks.

use super::levels::{INLINE, LevelNode, reserve};
use super::memory::prefetch;
use super::order_table::OrderNode;
use super::{L3Error, NONE};

/// Orders of a chunk, which makes it one cache line.
const CHUNK: usize = 13;

/// A piece of a long queue.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Chunk {
    prev: u32,
    /// The next piece; of a free chunk the next free one.
    next: u32,
    /// Orders here, above 0 while in a queue.
    len: u32,
    /// First to trade first; what lies beyond `len` has no meaning.
    orders: [u32; CHUNK],
}

const _: () = assert!(size_of::<Chunk>() == 64 && INLINE < CHUNK);

/// The chunks of all long queues.
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
        self.chunks.len() * size_of::<Chunk>()
    }

    #[inline]
    pub(super) fn prefetch(&self, handle: u32) {
        if let Some(chunk) = self.chunks.get(handle as usize) {
            prefetch(chunk);
        }
    }

    fn alloc(&mut self, prev: u32) -> u32 {
        let chunk = Chunk { prev, next: NONE, len: 0, orders: [NONE; CHUNK] };
        let handle = self.free;
        if let Some(free) = self.chunks.get_mut(handle as usize) {
            self.free = free.next;
            *free = chunk;
            return handle;
        }
        debug_assert!(
            self.chunks.len() < self.chunks.capacity(),
            "a chunk has an order, and orders are limited"
        );
        self.chunks.push(chunk);
        self.chunks.len() as u32 - 1
    }

    #[inline]
    fn get_mut(&mut self, handle: u32) -> &mut Chunk {
        &mut self.chunks[handle as usize]
    }
}

/// Puts an order at the end of a level's queue and counts it.
#[inline]
pub(super) fn push(level: &mut LevelNode, chunks: &mut ChunkPool, orders: &mut [OrderNode], order: u32) {
    let len = level.orders as usize;
    level.orders += 1;
    if level.head == NONE {
        if let Some(place) = level.inline.get_mut(len) {
            *place = order;
            return;
        }
        spill(level, chunks, orders);
    }
    push_chunked(level, chunks, orders, order);
}

/// Moves a queue that fills its level's line into a chunk.
#[cold]
#[inline(never)]
fn spill(level: &mut LevelNode, chunks: &mut ChunkPool, orders: &mut [OrderNode]) {
    let handle = chunks.alloc(NONE);
    let chunk = chunks.get_mut(handle);
    chunk.orders[..INLINE].copy_from_slice(&level.inline);
    chunk.len = INLINE as u32;
    for order in level.inline {
        orders[order as usize].chunk = handle;
    }
    level.head = handle;
    level.tail = handle;
}

fn push_chunked(level: &mut LevelNode, chunks: &mut ChunkPool, orders: &mut [OrderNode], order: u32) {
    let mut tail = level.tail;
    if chunks.get_mut(tail).len as usize == CHUNK {
        let next = chunks.alloc(tail);
        chunks.get_mut(tail).next = next;
        level.tail = next;
        tail = next;
    }
    let chunk = chunks.get_mut(tail);
    chunk.orders[chunk.len as usize % CHUNK] = order;
    chunk.len += 1;
    orders[order as usize].chunk = tail;
}

/// Takes an order out of its level's queue and counts it; `chunk` is where the order says that it stands.
#[inline]
pub(super) fn remove(level: &mut LevelNode, chunks: &mut ChunkPool, order: u32, chunk: u32) {
    level.orders -= 1;
    if level.head == NONE {
        close_gap(&mut level.inline, order);
    } else {
        remove_chunked(level, chunks, order, chunk);
    }
}

fn remove_chunked(level: &mut LevelNode, chunks: &mut ChunkPool, order: u32, handle: u32) {
    let chunk = chunks.get_mut(handle);
    debug_assert!(chunk.orders[..chunk.len as usize].contains(&order));
    close_gap(&mut chunk.orders, order);
    chunk.len -= 1;
    if chunk.len > 0 {
        return;
    }
    let Chunk { prev, next, .. } = *chunk;
    let free = core::mem::replace(&mut chunks.free, handle);
    chunks.get_mut(handle).next = free;
    match chunks.chunks.get_mut(prev as usize) {
        Some(chunk) => chunk.next = next,
        None => level.head = next,
    }
    match chunks.chunks.get_mut(next as usize) {
        Some(chunk) => chunk.prev = prev,
        None => level.tail = prev,
    }
}

/// Removes an order that is there by moving the later ones up. Without a branch on where it stands, which nothing
/// predicts.
#[inline]
fn close_gap<const N: usize>(orders: &mut [u32; N], order: u32) {
    debug_assert!(orders.contains(&order));
    let mut is_behind = false;
    for at in 0..N - 1 {
        is_behind |= orders[at] == order;
        orders[at] = if is_behind { orders[at + 1] } else { orders[at] };
    }
}

/// Renames an order in its place, when its record has moved.
pub(super) fn rename(level: &mut LevelNode, chunks: &mut ChunkPool, node: &OrderNode, from: u32, to: u32) {
    let orders: &mut [u32] = if level.head == NONE {
        &mut level.inline[..level.orders as usize]
    } else {
        let chunk = chunks.get_mut(node.chunk);
        &mut chunk.orders[..chunk.len as usize]
    };
    debug_assert!(orders.contains(&from));
    if let Some(place) = orders.iter_mut().find(|place| **place == from) {
        *place = to;
    }
}

/// The handles of a queue, first to trade first.
#[derive(Clone, Debug)]
pub(super) struct QueueIter<'a> {
    chunks: &'a [Chunk],
    /// What is left of the piece at hand.
    piece: &'a [u32],
    /// The piece after it.
    next: u32,
}

impl<'a> QueueIter<'a> {
    /// The queue of a level.
    pub(super) fn new(level: &'a LevelNode, chunks: &'a ChunkPool) -> Self {
        let piece: &[u32] = if level.head == NONE { &level.inline[..level.orders as usize] } else { &[] };
        Self { chunks: &chunks.chunks, piece, next: level.head }
    }

    /// The queue of no level.
    pub(super) const fn empty() -> Self {
        Self { chunks: &[], piece: &[], next: NONE }
    }
}

impl Iterator for QueueIter<'_> {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        if self.piece.is_empty() {
            let chunk = self.chunks.get(self.next as usize)?;
            self.piece = &chunk.orders[..chunk.len as usize];
            self.next = chunk.next;
        }
        let (&first, rest) = self.piece.split_first()?;
        self.piece = rest;
        Some(first)
    }
}

//! The price levels of all books in one pool: one cache line each, with the queue's first orders in it.

use super::L3Error;
use super::NONE;
use super::memory::advise_large_pages;

/// Orders that a level keeps in its own line: what a cache line holds beside the rest.
pub(super) const INLINE: usize = 8;

/// A level: exactly one cache line, so that an order which comes or leaves touches one line here.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(super) struct LevelNode {
    /// The price as its side orders it.
    pub(super) key: i64,
    /// Sum of the orders' quantities, 1 to 2^63 − 1.
    pub(super) qty: i64,
    /// Book × 2 + side.
    pub(super) owner: u32,
    /// Number of orders, above 0; 0 = the node is free.
    pub(super) orders: u32,
    /// First and last chunk of a long queue; [`NONE`] = the queue is in `inline`. Of a free node, `head` is the next free.
    pub(super) head: u32,
    pub(super) tail: u32,
    /// The queue's orders, first to trade first, while `head` is [`NONE`]; what lies beyond `orders` has no meaning.
    pub(super) inline: [u32; INLINE],
}

const _: () = assert!(size_of::<LevelNode>() == 64);

/// Levels by handle. The last freed is the next used, so it is likely still in the cache.
#[derive(Debug)]
pub(super) struct LevelPool {
    nodes: Vec<LevelNode>,
    free: u32,
    len: usize,
}

impl LevelPool {
    /// Space for `levels_max` levels, of which no page is touched before a level needs it.
    pub(super) fn new(levels_max: u32) -> Result<Self, L3Error> {
        Ok(Self { nodes: reserve(levels_max as usize)?, free: NONE, len: 0 })
    }

    /// A level without orders.
    #[inline]
    pub(super) fn alloc(&mut self, key: i64, owner: u32) -> u32 {
        let node =
            LevelNode { key, qty: 0, owner, orders: 0, head: NONE, tail: NONE, inline: [NONE; INLINE] };
        self.len += 1;
        let handle = self.free;
        if let Some(free) = self.nodes.get_mut(handle as usize) {
            self.free = free.head;
            *free = node;
            return handle;
        }
        debug_assert!(
            self.nodes.len() < self.nodes.capacity(),
            "a level has an order, and orders are limited"
        );
        self.nodes.push(node);
        self.nodes.len() as u32 - 1
    }

    /// Gives back a level whose orders have left.
    #[inline]
    pub(super) fn free(&mut self, handle: u32) {
        let node = &mut self.nodes[handle as usize];
        debug_assert!(node.orders == 0);
        node.head = self.free;
        self.free = handle;
        self.len -= 1;
    }

    #[inline]
    pub(super) fn get(&self, handle: u32) -> &LevelNode {
        &self.nodes[handle as usize]
    }

    #[inline]
    pub(super) fn get_mut(&mut self, handle: u32) -> &mut LevelNode {
        &mut self.nodes[handle as usize]
    }

    #[inline]
    pub(super) fn prefetch(&self, handle: u32) {
        if let Some(node) = self.nodes.get(handle as usize) {
            crate::book::prefetch(node);
        }
    }

    /// Number of levels of all books.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Checks that the levels in use and the free ones are all there are.
    pub(super) fn check_invariants(&self) -> Result<(), &'static str> {
        let (mut at, mut free) = (self.free, 0);
        while let Some(node) = self.nodes.get(at as usize).filter(|_| free <= self.nodes.len()) {
            (at, free) = (node.head, free + 1);
        }
        if self.len + free == self.nodes.len() { Ok(()) } else { Err("no level is lost") }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.nodes.len() * size_of::<LevelNode>()
    }
}

/// An empty vector with address space for `len` elements, on large pages where the machine grants them. Memory is
/// taken page by page as the elements come, so the space costs nothing until then.
pub(super) fn reserve<T>(len: usize) -> Result<Vec<T>, L3Error> {
    let mut vec = Vec::new();
    let bytes = (len as u64).saturating_mul(size_of::<T>() as u64);
    vec.try_reserve_exact(len).map_err(|_| L3Error::Memory { bytes })?;
    advise_large_pages(&vec);
    Ok(vec)
}

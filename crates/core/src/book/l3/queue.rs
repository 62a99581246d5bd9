//! The queue of a level: in the level's own line up to eight orders, beyond that a list of pooled links.
//!
//! Orders leave from anywhere. In the line, the later ones move up, which touches nothing else; that is what most
//! levels of most markets need. A long queue is a doubly linked list, and an order knows its link, so leaving costs the
//! same whatever the length. A long queue that has become short stays a list until its level is gone.

use super::levels::{INLINE, LevelNode, reserve};
use super::memory::prefetch;
use super::order_table::Cell;
use super::{L3Error, NONE};

/// One order's place in a long queue.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(16))]
struct Link {
    prev: u32,
    /// The link behind it; of a free link the next free one.
    next: u32,
    /// The order's record.
    order: u32,
}

/// The links of all long queues. The last freed is the next used.
#[derive(Debug)]
pub(super) struct LinkPool {
    links: Vec<Link>,
    free: u32,
}

impl LinkPool {
    /// Space for `links_max` links, of which no page is touched before a queue needs it.
    pub(super) fn new(links_max: u32) -> Result<Self, L3Error> {
        Ok(Self { links: reserve(links_max as usize)?, free: NONE })
    }

    pub(super) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.links)
    }

    #[inline]
    pub(super) fn prefetch(&self, link: u32) {
        if let Some(link) = self.links.get(link as usize) {
            prefetch(link);
        }
    }

    #[inline]
    fn alloc(&mut self, link: Link) -> u32 {
        let at = self.free;
        if let Some(free) = self.links.get_mut(at as usize) {
            self.free = free.next;
            *free = link;
            return at;
        }
        debug_assert!(
            self.links.len() < self.links.capacity(),
            "a link has an order, and orders are limited"
        );
        self.links.push(link);
        self.links.len() as u32 - 1
    }
}

/// Puts an order at the end of a level's queue and counts it.
#[inline(always)]
pub(super) fn push(level: &mut LevelNode, links: &mut LinkPool, cells: &mut [Cell], order: u32) {
    let len = level.orders as usize;
    level.orders += 1;
    if level.head == NONE {
        if let Some(place) = level.inline.get_mut(len) {
            *place = order;
            return;
        }
        spill(level, links, cells);
    }
    push_link(level, links, cells, order);
}

/// Moves a queue that fills its level's line into links.
#[cold]
#[inline(never)]
fn spill(level: &mut LevelNode, links: &mut LinkPool, cells: &mut [Cell]) {
    for order in level.inline {
        push_link(level, links, cells, order);
    }
}

#[inline]
fn push_link(level: &mut LevelNode, links: &mut LinkPool, cells: &mut [Cell], order: u32) {
    let tail = level.tail;
    let link = links.alloc(Link { prev: tail, next: NONE, order });
    match links.links.get_mut(tail as usize) {
        Some(last) => last.next = link,
        None => level.head = link,
    }
    level.tail = link;
    cells[order as usize].link = link;
}

/// Takes an order out of its level's queue and counts it; `link` is where the order says that it stands.
#[inline(always)]
pub(super) fn remove(level: &mut LevelNode, links: &mut LinkPool, order: u32, link: u32) {
    level.orders -= 1;
    if level.head == NONE {
        close_gap(&mut level.inline, order);
        return;
    }
    let Link { prev, next, .. } = links.links[link as usize];
    debug_assert!(links.links[link as usize].order == order);
    match links.links.get_mut(prev as usize) {
        Some(before) => before.next = next,
        None => level.head = next,
    }
    match links.links.get_mut(next as usize) {
        Some(behind) => behind.prev = prev,
        None => level.tail = prev,
    }
    links.links[link as usize].next = links.free;
    links.free = link;
}

/// Removes an order that is there by moving the later ones up. Without a branch on where it stands, which nothing
/// predicts.
#[inline]
fn close_gap(orders: &mut [u32; INLINE], order: u32) {
    debug_assert!(orders.contains(&order));
    let mut places = 0u32;
    for (at, there) in orders.iter().enumerate() {
        places |= u32::from(*there == order) << at;
    }
    // What lies beyond the queue's end may name the order too, so it is the first that counts.
    let place = places.trailing_zeros();
    let mut moved = *orders;
    moved[..INLINE - 1].copy_from_slice(&orders[1..]);
    for (at, there) in orders.iter_mut().enumerate() {
        *there = if at as u32 >= place { moved[at] } else { *there };
    }
}

/// Renames an order in its place, when its record has moved.
pub(super) fn rename(level: &mut LevelNode, links: &mut LinkPool, cell: &Cell, from: u32, to: u32) {
    if level.head != NONE {
        debug_assert!(links.links[cell.link as usize].order == from);
        links.links[cell.link as usize].order = to;
        return;
    }
    let queue = level.inline.iter_mut().take(level.orders as usize);
    if let Some(place) = queue.into_iter().find(|place| **place == from) {
        *place = to;
    }
}

/// The records of a queue, first to trade first.
#[derive(Clone, Debug)]
pub(super) struct QueueIter<'a> {
    /// What is left of a short queue.
    inline: &'a [u32],
    links: &'a [Link],
    /// The next link of a long one.
    next: u32,
}

impl<'a> QueueIter<'a> {
    /// The queue of a level.
    #[inline]
    pub(super) fn new(level: &'a LevelNode, links: &'a LinkPool) -> Self {
        let is_short = level.head == NONE;
        let inline = if is_short { &level.inline[..level.orders as usize] } else { &[] };
        Self { inline, links: &links.links, next: level.head }
    }

    /// The queue of no level.
    pub(super) const fn empty() -> Self {
        Self { inline: &[], links: &[], next: NONE }
    }
}

impl Iterator for QueueIter<'_> {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        if let Some((&first, rest)) = self.inline.split_first() {
            self.inline = rest;
            return Some(first);
        }
        let link = self.links.get(self.next as usize)?;
        self.next = link.next;
        Some(link.order)
    }
}

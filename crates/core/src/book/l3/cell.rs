//! The record of an order.

use super::NONE;

/// Sixteen bytes, a quarter of a cache line. A resting order is one cell; an order that is found by hash has a second
/// one behind it, on the same line, with its number and the next order of its chain.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(16))]
pub(super) struct Cell {
    /// What is left of the order, above 0; of a second cell the number's bits.
    pub(super) qty: i64,
    /// The order's level, [`NONE`] = no order; of a second cell the next order of the chain.
    pub(super) level: u32,
    /// Its place where the queue is long, else without meaning. Of a free record the next free.
    pub(super) place: u32,
}

const _: () = assert!(size_of::<Cell>() == 16);

/// No order.
pub(super) const VACANT: Cell = Cell { qty: 0, level: NONE, place: NONE };

impl Cell {
    /// The second cell of an order.
    #[inline]
    pub(super) const fn link(id: u64, next: u32) -> Self {
        Self { qty: id.cast_signed(), level: next, place: NONE }
    }

    /// Of a second cell, the number.
    #[inline]
    pub(super) const fn id(&self) -> u64 {
        self.qty.cast_unsigned()
    }

    /// Of a second cell, the next order of the chain.
    #[inline]
    pub(super) const fn next(&self) -> u32 {
        self.level
    }

    #[inline]
    pub(super) const fn set_next(&mut self, next: u32) {
        self.level = next;
    }
}

//! Many small arrays in one allocation: pieces whose sizes are powers of two, with a free list for each size.

use super::NONE;
use super::levels::reserve;
use super::memory::advise_large_pages;

/// Units of the smallest piece.
pub(super) const PIECE_MIN: u32 = 4;

/// Sizes of pieces, each twice the one before; the largest holds a unit for each order that there can be.
const SIZES: usize = (super::ORDERS_MAX / PIECE_MIN).ilog2() as usize + 1;

/// What pieces are made of. The first unit of a free piece names the next free one.
pub(super) trait Unit: Copy {
    /// The first unit of a free piece.
    fn free(next: u32) -> Self;
    /// The next free piece.
    fn next(&self) -> u32;
}

/// The pieces of all arrays. The last freed of a size is the next used.
#[derive(Debug)]
pub(super) struct Pieces<T> {
    units: Vec<T>,
    /// First free piece of each size.
    free: [u32; SIZES],
}

impl<T: Unit> Pieces<T> {
    /// Address space for so many units; where it ends, or is refused, the pieces allocate as they come.
    pub(super) fn new(reserved: usize) -> Self {
        Self { units: reserve(reserved).unwrap_or_default(), free: [NONE; SIZES] }
    }

    /// The first units of a piece; none of a piece that is not there.
    #[inline]
    pub(super) fn get(&self, at: u32, len: u32) -> &[T] {
        self.units.get(start(at)..start(at) + len as usize).unwrap_or_default()
    }

    #[inline]
    pub(super) fn get_mut(&mut self, at: u32, len: u32) -> &mut [T] {
        self.units.get_mut(start(at)..start(at) + len as usize).unwrap_or_default()
    }

    /// A piece of a size, a power of two.
    pub(super) fn take(&mut self, capacity: u32) -> u32 {
        let free = &mut self.free[size_of_piece(capacity)];
        let at = *free;
        if let Some(first) = self.units.get(start(at)) {
            *free = first.next();
            return at;
        }
        let (end, reserved) = (self.units.len(), self.units.capacity());
        self.units.resize(end + capacity as usize, T::free(NONE));
        if self.units.capacity() != reserved {
            advise_large_pages(&self.units);
        }
        (end / PIECE_MIN as usize) as u32
    }

    /// Gives back a piece; of size 0 there is none.
    pub(super) fn give_back(&mut self, at: u32, capacity: u32) {
        if capacity > 0 {
            let free = &mut self.free[size_of_piece(capacity)];
            self.units[start(at)] = T::free(core::mem::replace(free, at));
        }
    }

    /// Copies units of a piece into another one, behind the first `behind` of that.
    pub(super) fn copy(&mut self, from: u32, units: core::ops::Range<u32>, to: u32, behind: u32) {
        let (from, len) = (start(from) + units.start as usize, units.len());
        self.units.copy_within(from..from + len, start(to) + behind as usize);
    }

    pub(super) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.units)
    }

    /// Checks that pieces of so many units in use and the free ones are all there are.
    pub(super) fn check_all(&self, in_use: usize) -> Result<(), &'static str> {
        let mut free = 0;
        for (size, &head) in self.free.iter().enumerate() {
            let mut at = head;
            while let Some(first) = self.units.get(start(at)).filter(|_| free <= self.units.len()) {
                (at, free) = (first.next(), free + ((PIECE_MIN as usize) << size));
            }
        }
        if in_use + free == self.units.len() { Ok(()) } else { Err("no piece is lost") }
    }

    #[cfg(test)]
    pub(super) fn reserved(&self) -> usize {
        self.units.capacity()
    }
}

/// The first unit of a piece; that of [`NONE`] lies beyond all.
#[inline]
const fn start(at: u32) -> usize {
    at as usize * PIECE_MIN as usize
}

/// Which of [`SIZES`] a piece has.
const fn size_of_piece(capacity: u32) -> usize {
    (capacity / PIECE_MIN).ilog2() as usize % SIZES
}

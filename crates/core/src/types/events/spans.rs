//! Where what an event points to stands in its arena.

use core::ops::Range;

/// Where something stands in one of the arena's lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    start: u32,
    end: u32,
}

impl Span {
    pub(super) const fn new(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32 }
    }

    /// How many items it has.
    #[must_use]
    pub const fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether it has none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.end == self.start
    }

    pub(super) const fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// Where the levels of one event stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LevelSpan {
    pub(super) bids: Span,
    pub(super) asks: Span,
}

impl LevelSpan {
    /// How many levels it has.
    #[must_use]
    pub const fn len(self) -> usize {
        self.bids.len() + self.asks.len()
    }

    /// Whether it has none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// Where statistics stand in an arena. They are long and rare: an event that held them would make every other one longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TickerAt(pub(super) u32);

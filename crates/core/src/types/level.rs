//! Prices, quantities and price levels, as integers.

/// A price as a mantissa; the instrument's `price_exponent` gives its power of ten.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[repr(transparent)]
pub struct Price(pub i64);

/// A quantity as a mantissa (0 and above); the instrument's `qty_exponent` gives its power of ten.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[repr(transparent)]
pub struct Qty(pub i64);

/// The two sides of resting interest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[repr(u8)]
pub enum Side {
    /// Interest to buy; the highest price is best.
    Bid = 0,
    /// Interest to sell; the lowest price is best.
    Ask = 1,
}

impl Side {
    /// Whether `a` is strictly nearer to the top of this side than `b`.
    #[inline]
    #[must_use]
    pub const fn is_better(self, a: Price, b: Price) -> bool {
        match self {
            Self::Bid => a.0 > b.0,
            Self::Ask => a.0 < b.0,
        }
    }
}

/// One price's interest. In an update the quantity is absolute and zero removes the level.
///
/// 16 bytes, the same layout as the feed's `Level` struct, so a slice of levels is copied into a frame as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[repr(C)]
pub struct Level {
    /// Where.
    pub price: Price,
    /// How much, 0 and above.
    pub qty: Qty,
}

impl Level {
    /// A level from raw mantissas.
    #[must_use]
    pub const fn new(price: i64, qty: i64) -> Self {
        Self { price: Price(price), qty: Qty(qty) }
    }
}

/// What a venue says that an update does to a level, where it says so (FIX tag 279, MDUpdateAction).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Verb {
    /// The level comes: there was none.
    New,
    /// There is one, and it has another quantity.
    Change,
    /// There is one, and it goes: its quantity in the update is 0.
    Delete,
}

/// Both sides' levels of one message. A reusable buffer: stages clear and fill it, so once warm nothing is allocated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    /// Bid levels, in the venue's order.
    pub bids: Vec<Level>,
    /// Ask levels, in the venue's order.
    pub asks: Vec<Level>,
}

impl Levels {
    /// Empties both sides and keeps their memory.
    pub fn clear(&mut self) {
        self.bids.clear();
        self.asks.clear();
    }

    /// Number of levels on both sides.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bids.len() + self.asks.len()
    }

    /// Whether neither side has a level.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Both sides as they are now.
    #[inline]
    #[must_use]
    pub fn view(&self) -> Sides<'_> {
        Sides { bids: &self.bids, asks: &self.asks }
    }

    /// One side's levels, to be filled.
    pub fn side_mut(&mut self, side: Side) -> &mut Vec<Level> {
        match side {
            Side::Bid => &mut self.bids,
            Side::Ask => &mut self.asks,
        }
    }

    /// One side's levels.
    #[must_use]
    pub fn side(&self, side: Side) -> &[Level] {
        self.view().side(side)
    }
}

/// Both sides' levels of one message, borrowed from wherever they lie: a buffer of their own or a run in a larger one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sides<'a> {
    /// Bid levels, in the venue's order.
    pub bids: &'a [Level],
    /// Ask levels, in the venue's order.
    pub asks: &'a [Level],
}

impl<'a> Sides<'a> {
    /// Number of levels on both sides.
    #[inline]
    #[must_use]
    pub const fn len(self) -> usize {
        self.bids.len() + self.asks.len()
    }

    /// Whether neither side has a level.
    #[inline]
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// One side's levels.
    #[inline]
    #[must_use]
    pub const fn side(self, side: Side) -> &'a [Level] {
        match side {
            Side::Bid => self.bids,
            Side::Ask => self.asks,
        }
    }
}

impl<'a> From<&'a Levels> for Sides<'a> {
    fn from(levels: &'a Levels) -> Self {
        levels.view()
    }
}

/// How far a side of a book is known: a snapshot of 1,000 levels says nothing of what lies behind its last one.
///
/// Each bound is the worst price up to which an absent level is truly absent. [`KnownTo::WHOLE`] means no bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownTo {
    /// Lowest bid price that the venue has made known; `i64::MIN` for all.
    pub bid: Price,
    /// Highest ask price that the venue has made known; `i64::MAX` for all.
    pub ask: Price,
}

impl KnownTo {
    /// The venue has made the whole of both sides known.
    pub const WHOLE: Self = Self { bid: Price(i64::MIN), ask: Price(i64::MAX) };

    /// The bound of one side.
    #[must_use]
    pub const fn side(self, side: Side) -> Price {
        match side {
            Side::Bid => self.bid,
            Side::Ask => self.ask,
        }
    }

    /// Whether an absent level at this price is truly absent.
    #[must_use]
    pub const fn covers(self, side: Side, price: Price) -> bool {
        !side.is_better(self.side(side), price)
    }
}

//! What has traded at each price: the volume profile of a session.

use crate::types::{Aggressor, Price, Qty, Trade};

/// Most prices of a profile; a power of ten more of them share a row behind it.
pub const PROFILE_PRICES_MAX: usize = 4_096;

/// Widest buckets: of the greatest power of ten that there is.
const WIDTH_MAX: i64 = 1_000_000_000_000_000_000;

/// What has traded at a price, or in the bucket that begins at it. Sums end at the greatest number that there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traded {
    /// The price, the lowest of a bucket.
    pub price: Price,
    /// Taken by buyers.
    pub bought: Qty,
    /// Taken by sellers.
    pub sold: Qty,
    /// Where the venue does not say.
    pub unknown: Qty,
    /// How many trades that were.
    pub trades: u32,
}

impl Traded {
    /// Adds what has traded at another price.
    #[inline]
    pub fn add(&mut self, other: &Self) {
        let sum = |to: &mut Qty, more: Qty| to.0 = to.0.saturating_add(more.0);
        sum(&mut self.bought, other.bought);
        sum(&mut self.sold, other.sold);
        sum(&mut self.unknown, other.unknown);
        self.trades = self.trades.saturating_add(other.trades);
    }
}

impl From<&Trade> for Traded {
    fn from(trade: &Trade) -> Self {
        let none = Self { price: trade.price, trades: 1, ..Self::default() };
        match trade.aggressor {
            Aggressor::Buy => Self { bought: trade.qty, ..none },
            Aggressor::Sell => Self { sold: trade.qty, ..none },
            Aggressor::Unknown => Self { unknown: trade.qty, ..none },
        }
    }
}

/// The lowest price of the bucket of a price: a whole multiple of the width, or where none can be held the lowest price.
#[inline]
pub(super) const fn bucket_of(price: Price, width: i64) -> Price {
    Price(price.0.saturating_sub(price.0.rem_euclid(width)))
}

/// Volumes by price, each price with a row of its own while there is room.
///
/// At [`PROFILE_PRICES_MAX`] prices the rows become buckets of ten times the width, as often as it takes to leave half of
/// the room: nothing is ever dropped, only told apart less finely.
///
/// Cost of a trade: a compare where it is at the price of the one before, else a binary search; at a new price the
/// rows above it move. Allocates while it grows.
#[derive(Clone, Debug)]
pub struct Profile {
    width: i64,
    /// Lowest price first.
    rows: Vec<Traded>,
    /// Of the last trade.
    last: usize,
}

impl Default for Profile {
    fn default() -> Self {
        Self { width: 1, rows: Vec::new(), last: 0 }
    }
}

impl Profile {
    /// How many mantissa units share a row.
    #[must_use]
    pub const fn width(&self) -> i64 {
        self.width
    }

    /// The rows, lowest price first.
    #[must_use]
    pub fn rows(&self) -> &[Traded] {
        &self.rows
    }

    /// Adds a trade. True where rows have become wider.
    #[inline]
    pub fn add(&mut self, trade: &Trade) -> bool {
        let mut traded = Traded::from(trade);
        traded.price = bucket_of(trade.price, self.width);
        if let Some(row) = self.rows.get_mut(self.last)
            && row.price == traded.price
        {
            row.add(&traded);
            return false;
        }
        self.add_elsewhere(traded)
    }

    fn add_elsewhere(&mut self, mut traded: Traded) -> bool {
        let mut place = self.rows.binary_search_by_key(&traded.price, |row| row.price);
        let is_full = place.is_err() && self.rows.len() == PROFILE_PRICES_MAX;
        if is_full {
            while self.rows.len() > PROFILE_PRICES_MAX / 2 && self.width < WIDTH_MAX {
                self.widen();
            }
            traded.price = bucket_of(traded.price, self.width);
            place = self.rows.binary_search_by_key(&traded.price, |row| row.price);
        }
        match place {
            Ok(at) => {
                self.rows[at].add(&traded);
                self.last = at;
            }
            Err(at) => {
                self.rows.insert(at, traded);
                self.last = at;
            }
        }
        is_full
    }

    /// The row of the last trade; none before the first.
    #[must_use]
    pub fn latest(&self) -> &[Traded] {
        self.rows.get(self.last..=self.last).unwrap_or_default()
    }

    /// Ten rows become one.
    fn widen(&mut self) {
        self.width *= 10;
        let width = self.width;
        for row in &mut self.rows {
            row.price = bucket_of(row.price, width);
        }
        self.rows.dedup_by(|row, kept| {
            let is_same = row.price == kept.price;
            if is_same {
                kept.add(row);
            }
            is_same
        });
    }

    /// What has traded in the bucket of a width that begins at a price. The width is a multiple of the profile's.
    #[must_use]
    pub fn sum(&self, from: Price, width: i64) -> Traded {
        let first = self.rows.partition_point(|row| row.price < from);
        let mut sum = Traded { price: from, ..Traded::default() };
        for row in &self.rows[first..] {
            if bucket_of(row.price, width) != from {
                break;
            }
            sum.add(row);
        }
        sum
    }

    /// Takes the numbers of another scale. False, and nothing has changed, where one of them would not be exact.
    pub fn rescale(&mut self, price: impl Fn(i64) -> Option<i64>, qty: impl Fn(i64) -> Option<i64>) -> bool {
        let scaled = |row: &Traded| {
            let qty = |of: Qty| qty(of.0).map(Qty);
            Some(Traded {
                price: Price(price(row.price.0)?),
                bought: qty(row.bought)?,
                sold: qty(row.sold)?,
                unknown: qty(row.unknown)?,
                trades: row.trades,
            })
        };
        let width = if self.width == 1 { Some(1) } else { price(self.width) };
        let (Some(width), Some(rows)) = (width, self.rows.iter().map(scaled).collect()) else {
            return false;
        };
        (self.width, self.rows) = (width, rows);
        true
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.rows.clear();
        (self.width, self.last) = (1, 0);
    }

    /// What must hold between two calls.
    ///
    /// # Errors
    /// What does not.
    pub fn check_invariants(&self) -> Result<(), &'static str> {
        if self.rows.len() > PROFILE_PRICES_MAX {
            return Err("a profile has more prices than it may");
        }
        if !self.rows.is_sorted_by(|before, after| before.price < after.price) {
            return Err("prices of a profile do not rise");
        }
        if self.rows.iter().any(|row| bucket_of(row.price, self.width) != row.price) {
            return Err("a row of a profile does not begin at a multiple of its width");
        }
        Ok(())
    }
}

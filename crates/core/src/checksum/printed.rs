//! The plain way: levels or orders, one after the other, as a venue prints them.

use super::crc32::{Piece, append};
use super::digits::{Digits, Scale};
use crate::types::{Level, Price, Qty};

/// Levels a side that a checksum covers.
pub const TOP_LEVELS: usize = 10;

/// How a venue prints an instrument's numbers: digits of the price, then of the quantity, nothing between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Printing {
    /// Of prices.
    pub price: Scale,
    /// Of quantities.
    pub qty: Scale,
}

impl Printing {
    /// CRC-32 over levels in the order in which they are printed; none when a number is not to be printed exactly.
    ///
    /// For a checksum over levels: the best ten asks, best first, then the best ten bids, best first. For one over orders:
    /// the orders of these levels, in each the first to trade first, each as a level of its own. Costs some 20 ns for each.
    #[must_use]
    pub fn crc32(self, rows: impl IntoIterator<Item = Level>) -> Option<u32> {
        let register =
            rows.into_iter().try_fold(!0, |register, row| Some(append(register, self.piece(row)?)))?;
        Some(!register)
    }

    /// A level's part in the text.
    #[inline]
    pub(super) fn piece(self, Level { price: Price(price), qty: Qty(qty) }: Level) -> Option<Piece> {
        let (price, qty) = (self.price.printed(price)?, self.qty.printed(qty)?);
        let mut digits = Digits::new();
        digits.put_before(qty);
        digits.put_before(price);
        Some(digits.piece())
    }
}

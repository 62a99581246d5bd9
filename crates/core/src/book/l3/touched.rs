//! What a change did to the price levels, so that an L2 view follows without a look-up.

use crate::types::{Level, Side};

/// The levels that a change touched, with the quantities they have now; 0 = the level is gone.
///
/// Applying these as absolute quantities to an L2 book keeps it equal to the orders' sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touched {
    /// One level: an order came, left, lost quantity or moved within its price.
    One {
        /// Of which side.
        side: Side,
        /// The level now.
        now: Level,
    },
    /// Two levels: an order moved from one price to another.
    Two {
        /// Of which side.
        side: Side,
        /// The level that it left, now.
        left: Level,
        /// The level that it joined, now.
        joined: Level,
    },
    /// All levels are gone.
    Book,
}

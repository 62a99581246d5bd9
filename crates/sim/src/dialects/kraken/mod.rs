//! Kraken spot: what its two WebSocket versions share.
//!
//! Source: docs.kraken.com, "Book (Level 2)", "Orders (Level 3)", "Book checksum (v2)", "L3 checksum (WebSocket v2)",
//! "Trades", "Ticker", "Instruments"; recorded frames decide the order of fields and the printed digits. In short:
//! 1. A subscription has a depth of [`KRAKEN_DEPTHS`]. Levels beyond it are not told.
//! 2. Changes are told in the order in which they happened; one message may name a price several times.
//! 3. A quantity of 0 removes. A level that comes into sight because another left is told whole behind it; one that
//!    a better one pushed out is not told at all, so that both sides are to be cut after each message.
//! 4. The checksum is of the best ten levels whatever the depth, after the whole message and the cut: CRC-32 over
//!    asks from low to high, then bids from high to low, of price and quantity as printed with the pair's digits,
//!    without the point and without leading zeros.

mod day;
mod level3;
mod levels;
mod orders;
mod pair;
mod v1;
mod v2;
#[cfg(test)]
mod vectors;
mod wire;

use super::Truth;
use crate::market::book::{Book, Side};

pub use level3::{KrakenLevel3, Numbers};
pub use pair::KrakenPair;
pub use v1::KrakenV1;
pub use v2::KrakenV2;
pub use wire::kraken_order_id;

/// Levels a side that a subscription may have.
pub const KRAKEN_DEPTHS: [usize; 5] = [10, 25, 100, 500, 1_000];

/// Levels a side that a checksum covers.
const CHECKED_LEVELS: usize = 10;

/// Milliseconds from one heartbeat to the next.
const HEARTBEAT_MS: u64 = 1_000;

/// Milliseconds that a market of version 2 has traded before its first connection, so that there are trades to tell.
const WARM_MS: u64 = 30_000;

/// The least depth of the venue that has `depth` levels, or the deepest.
fn venue_depth(depth: usize) -> usize {
    KRAKEN_DEPTHS.into_iter().find(|&has| has >= depth).unwrap_or(1_000)
}

/// Since when something rests that stood before the first connection at `time_ns`: up to an hour.
fn rests_since(mark: u64, time_ns: u64) -> u64 {
    let age_ns = (mark.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 22) % 3_600_000_000_000;
    time_ns.saturating_sub(age_ns)
}

/// Replaces `out` with the best levels of a market's book.
fn truth(book: &Book, depth: usize, out: &mut Truth) {
    out.seq = 0;
    for (side, levels) in [(Side::Bid, &mut out.bids), (Side::Ask, &mut out.asks)] {
        levels.clear();
        levels.extend(book.levels(side).take(depth).map(|level| (level.price, level.qty)));
    }
}

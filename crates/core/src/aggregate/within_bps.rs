//! Depth within some basis points of the mid price.

use super::{Depth, Reach, View};
use crate::book::L2Book;
use crate::types::{Price, Side};

/// Basis points of the whole.
const WHOLE_BPS: i128 = 10_000;

/// The view of what both sides hold within `bps` basis points (1/10,000) of the mid.
///
/// The mid is (best bid + best ask) / 2, not rounded. A bid counts when bid ≥ mid − |mid| × bps / 10,000, an ask when
/// ask ≤ mid + |mid| × bps / 10,000, both exact: the limits are rounded to the last price that counts. Of a crossed
/// book the levels beyond the mid count as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WithinBps {
    /// Basis points, any number.
    pub bps: u32,
}

/// What stands within the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BandDepth {
    /// Lowest bid price that counts; as far as prices go, if it would be beyond.
    pub bid_limit: Price,
    /// Highest ask price that counts.
    pub ask_limit: Price,
    /// Bids at the limit and above.
    pub bid: Depth,
    /// Asks at the limit and below.
    pub ask: Depth,
}

impl View for WithinBps {
    /// None while a side is empty: without a mid there is no band.
    type Answer = Option<BandDepth>;

    fn compute(&self, book: &L2Book, answer: &mut Self::Answer) -> Reach {
        let (Some(bid), Some(ask)) = (book.best_bid(), book.best_ask()) else {
            *answer = None;
            return Reach::WHOLE;
        };
        let (bid_limit, ask_limit) = self.limits(bid.price, ask.price);
        *answer = Some(BandDepth {
            bid_limit,
            ask_limit,
            bid: Depth::to(book, Side::Bid, bid_limit),
            ask: Depth::to(book, Side::Ask, ask_limit),
        });
        // Another best moves the mid, even where no level is within the band.
        Reach { bid: bid_limit.min(bid.price), ask: ask_limit.max(ask.price) }
    }
}

impl WithinBps {
    fn limits(self, bid: Price, ask: Price) -> (Price, Price) {
        // Twice the mid, times 10,000, and so for the rest: below 2^97 in all.
        let mid = i128::from(bid.0) + i128::from(ask.0);
        let (mid, width) = (mid * WHOLE_BPS, mid.abs() * i128::from(self.bps));
        let unit = 2 * WHOLE_BPS;
        let (low, high) = (mid - width, mid + width);
        let rounded_up = -(-low).div_euclid(unit);
        (price_of(rounded_up), price_of(high.div_euclid(unit)))
    }
}

/// The nearest price that there is.
fn price_of(mantissa: i128) -> Price {
    Price(i64::try_from(mantissa).unwrap_or(if mantissa < 0 { i64::MIN } else { i64::MAX }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_the_last_prices_that_count() {
        for (bid, ask, bps, limits) in [
            (100, 102, 0, (101, 101)),
            (100, 101, 0, (101, 100)),
            (99_999, 100_001, 10, (99_900, 100_100)),
            (99_999, 100_002, 10, (99_901, 100_100)),
            (6_166_000, 6_166_010, 5, (6_162_922, 6_169_088)),
            (100, 102, 10_000, (0, 202)),
            (100, 102, 20_000, (-101, 303)),
            (-102, -100, 10_000, (-202, 0)),
            (0, 0, 500, (0, 0)),
            (i64::MAX, i64::MAX, 1, (9_222_449_699_651_090_330, i64::MAX)),
            (i64::MIN, i64::MIN, u32::MAX, (i64::MIN, i64::MAX)),
        ] {
            let (low, high) = WithinBps { bps }.limits(Price(bid), Price(ask));
            assert_eq!((low.0, high.0), limits, "{bid} {ask} {bps}");
        }
    }
}

//! One line of hex that two books share exactly when every level of them is equal.

use crate::types::{Decimal, Level};
use core::fmt::{self, Write};
use sha2::{Digest, Sha256};

/// SHA-256, in lower-case hex, over `B price qty\n` for each bid and then `A price qty\n` for each ask, both best
/// first, numbers as the shortest plain decimals.
///
/// The exponents are the instrument's. The text does not depend on them: the same book at finer mantissas has the
/// same digest. Costs some 200 ns a level; allocates nothing but the result.
#[must_use]
pub fn digest(
    bids: impl IntoIterator<Item = Level>,
    asks: impl IntoIterator<Item = Level>,
    price_exponent: i8,
    qty_exponent: i8,
) -> String {
    let mut text = HashedText(Sha256::new());
    let lines = bids.into_iter().map(|level| ('B', level)).chain(asks.into_iter().map(|level| ('A', level)));
    for (side, level) in lines {
        let price = Decimal { mantissa: level.price.0, exponent: price_exponent };
        let qty = Decimal { mantissa: level.qty.0, exponent: qty_exponent };
        // The sink takes every text, so there is no error to pass on.
        let _ = writeln!(text, "{side} {price} {qty}");
    }
    text.0.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Text that is hashed instead of kept.
struct HashedText(Sha256);

impl Write for HashedText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.update(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf 'B 61602.01 0.5\nB 61602 12\nA 61602.02 0.00017\n' | sha256sum`.
    const SMALL_BOOK: &str = "2b770e02f1c8761805762f031d7b940eedd3eba417c8afeb1dd1ab0191764092";

    /// `printf '' | sha256sum`.
    const EMPTY_BOOK: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn hashes_the_lines_that_the_definition_names() {
        let bids = [Level::new(6_160_201, 50_000), Level::new(6_160_200, 1_200_000)];
        let asks = [Level::new(6_160_202, 17)];
        assert_eq!(digest(bids, asks, -2, -5), SMALL_BOOK);
        assert_eq!(digest([], [], -2, -5), EMPTY_BOOK);
    }

    #[test]
    fn does_not_depend_on_the_exponents_but_on_every_digit() {
        let bids = [Level::new(616_020_100, 500), Level::new(616_020_000, 12_000)];
        let asks = [Level::new(616_020_200, 17)];
        let finer = |level: Level| Level::new(level.price.0, level.qty.0 * 100);
        assert_eq!(digest(bids, asks, -4, -3), digest(bids.map(finer), asks.map(finer), -4, -5));
        assert_ne!(digest(bids, asks, -4, -3), digest(asks, bids, -4, -3));
        assert_ne!(digest(bids, asks, -4, -3), digest(bids, [Level::new(616_020_200, 18)], -4, -3));
    }
}

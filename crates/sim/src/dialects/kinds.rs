//! The dialects of [`super::all`] by what a subscriber chooses: the venue, levels or orders, and the depth.

use std::sync::OnceLock;

use super::{Dialect, Maker, Renamed, TrueOrders, makers};

/// A dialect that can be made.
#[derive(Clone, Debug)]
pub struct Kind {
    /// As [`Dialect::venue`].
    pub venue: &'static str,
    /// As [`Dialect::code`], unless it is to be another.
    pub code: String,
    /// As [`Dialect::depth`].
    pub depth: Option<usize>,
    /// Whether it tells orders rather than levels.
    pub is_by_order: bool,
    /// As [`Dialect::exponents`].
    pub exponents: (i8, i8),
    make: Maker,
}

impl Kind {
    /// The best kind for a subscription: of that depth, else the next deeper one, else the deepest; of several the
    /// first of [`super::all`]. `None`: the venue has no dialect of orders, or of levels.
    #[must_use]
    pub fn of(venue: &str, is_by_order: bool, depth: usize) -> Option<&'static Self> {
        let rank = |kind: &&Self| match kind.depth {
            Some(has) if has < depth => usize::MAX - has,
            Some(has) => has - depth,
            None => 0,
        };
        kinds().iter().filter(|kind| kind.venue == venue && kind.is_by_order == is_by_order).min_by_key(rank)
    }

    /// A market before its first connection, under that code.
    #[must_use]
    pub fn make(&self, seed: u64, code: &str) -> Box<dyn Dialect> {
        let dialect = (self.make)(seed);
        if code == self.code { dialect } else { Box::new(Renamed::new(dialect, code)) }
    }
}

/// Every kind, in the order of [`super::all`]. The first call makes one market of each, in some milliseconds.
pub fn kinds() -> &'static [Kind] {
    static KINDS: OnceLock<Vec<Kind>> = OnceLock::new();
    KINDS.get_or_init(|| {
        let kind = |&make: &Maker| {
            let dialect = make(0);
            Kind {
                venue: dialect.venue(),
                code: dialect.code().to_owned(),
                depth: dialect.depth(),
                is_by_order: dialect.orders(&mut TrueOrders::default()),
                exponents: dialect.exponents(),
                make,
            }
        };
        makers().iter().map(kind).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscription_finds_the_next_deeper_kind() {
        let depth = |venue, is_by_order, depth| Kind::of(venue, is_by_order, depth).map(|kind| kind.depth);
        for (asked, has) in [(10, 10), (11, 25), (1_000, 1_000), (5_000, 1_000)] {
            assert_eq!(depth("kraken", false, asked), Some(Some(has)), "{asked}");
        }
        assert_eq!(depth("kraken", true, 25), Some(Some(100)));
        assert_eq!(depth("binance", false, 10), Some(None));
        assert_eq!(depth("binance", true, 10), None);
        assert_eq!(depth("nowhere", false, 10), None);
    }
}

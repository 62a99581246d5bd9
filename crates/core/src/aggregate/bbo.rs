//! The best bid and ask.

use crate::types::Level;

/// A top of book; a side without levels is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bbo {
    /// Highest bid.
    pub bid: Option<Level>,
    /// Lowest ask.
    pub ask: Option<Level>,
}

impl Bbo {
    /// Best bid above best ask. Equality is `locked`, which markets allow.
    #[must_use]
    pub fn is_crossed(&self) -> bool {
        matches!((self.bid, self.ask), (Some(bid), Some(ask)) if bid.price > ask.price)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crossed_is_not_locked() {
        let bbo = |bid, ask| Bbo { bid: Some(Level::new(bid, 1)), ask: Some(Level::new(ask, 1)) };
        assert!(bbo(11, 10).is_crossed());
        assert!(!bbo(10, 10).is_crossed());
        assert!(!Bbo { bid: Some(Level::new(11, 1)), ask: None }.is_crossed());
    }
}

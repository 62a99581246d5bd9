//! Where most has traded: the point of control and the value area of a volume profile.

use crate::aggregate::{Profile, Traded};
use crate::types::{Price, Qty, Trade};

/// Share of the volume that the value area holds at least, in tenths.
const AREA_TENTHS: i128 = 7;

/// Prices of a volume profile. Of rows that are buckets each is the lowest of its bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueArea {
    /// Where most has traded, the highest of equal ones: the point of control.
    pub poc: Price,
    /// The lowest price of the value area.
    pub low: Price,
    /// The highest.
    pub high: Price,
}

/// Where what has traded has traded, and the prices at which most of it did.
///
/// The value area grows from the point of control until it holds 70 % of the volume: by the next price that has traded
/// above or below, whichever has more volume, of equal ones the upper one (J. Steidlmayer's market profile; libraries
/// differ in ties, and in whether they compare pairs of prices).
///
/// As many prices as a [`Profile`] holds, which then shares rows among ten times as many: nothing is left aside. Where 64
/// bits do not hold what has traded at one price there are none any more.
/// Cost: of a trade that of the profile; of the first reading after one a step a price of the area. Allocates while
/// more prices trade than ever did before.
#[derive(Clone, Debug, Default)]
pub struct ValueProfile {
    profile: Profile,
    volume: i128,
    /// Of the row with most volume.
    most: i128,
    poc: Price,
    is_over: bool,
    /// Of the last reading; none where something has traded since.
    area: Option<ValueArea>,
}

impl ValueProfile {
    /// A trade. One of no quantity is none.
    #[inline]
    pub fn trade(&mut self, trade: &Trade) {
        if trade.qty.0 <= 0 {
            return;
        }
        self.area = None;
        self.volume += i128::from(trade.qty.0);
        let is_wider = self.profile.add(trade);
        if is_wider {
            self.most = 0;
        }
        let changed = if is_wider { self.profile.rows() } else { self.profile.latest() };
        for row in changed {
            self.is_over |= [row.bought, row.sold, row.unknown].contains(&Qty(i64::MAX));
            (self.most, self.poc) = (self.most, self.poc).max((volume_of(row), row.price));
        }
    }

    /// Begins again with nothing traded, in the memory that there is.
    pub fn clear(&mut self) {
        self.profile.clear();
        (self.volume, self.most, self.poc) = (0, 0, Price(0));
        (self.is_over, self.area) = (false, None);
    }

    /// The prices; none before the first trade.
    pub fn area(&mut self) -> Option<ValueArea> {
        if self.area.is_none() && self.volume > 0 && !self.is_over {
            self.area = Some(self.grow());
        }
        self.area
    }

    fn grow(&self) -> ValueArea {
        let rows = self.profile.rows();
        let mut low = rows.partition_point(|row| row.price < self.poc);
        let (mut high, mut held) = (low, self.most);
        while held * 10 < self.volume * AREA_TENTHS {
            // Every row has volume, so 0 is that of no row. The rows hold all of it, so one is left.
            let below = low.checked_sub(1).and_then(|at| rows.get(at)).map_or(0, volume_of);
            let above = rows.get(high + 1).map_or(0, volume_of);
            debug_assert!(below.max(above) > 0, "rows of a profile hold less than has traded");
            if above >= below {
                high += 1;
            } else {
                low -= 1;
            }
            held += below.max(above);
        }
        let price = |at: usize| rows.get(at).map_or(self.poc, |row| row.price);
        ValueArea { poc: self.poc, low: price(low), high: price(high) }
    }
}

fn volume_of(row: &Traded) -> i128 {
    [row.bought, row.sold, row.unknown].into_iter().map(|qty| i128::from(qty.0)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Aggressor, TradeId};
    use proptest::prelude::*;

    fn profile(trades: &[(i64, i64)]) -> ValueProfile {
        let mut profile = ValueProfile::default();
        trades.iter().for_each(|&(price, qty)| traded(&mut profile, price, qty));
        profile
    }

    fn traded(profile: &mut ValueProfile, price: i64, qty: i64) {
        let aggressor =
            [Aggressor::Buy, Aggressor::Sell, Aggressor::Unknown][(qty % 3).unsigned_abs() as usize];
        let trade = Trade {
            id: TradeId::None,
            price: Price(price),
            qty: Qty(qty),
            aggressor,
            ts_event: 0,
            resting: None,
        };
        profile.trade(&trade);
    }

    fn area(trades: &[(i64, i64)]) -> Option<(i64, i64, i64)> {
        profile(trades).area().map(|ValueArea { poc, low, high }| (poc.0, low.0, high.0))
    }

    #[test]
    fn the_area_grows_by_the_larger_neighbour_and_of_equal_ones_upward() {
        // 70 of 100: 30 + 20 above, 15 below, 10 of each side and the upper one first.
        let day = [(98, 10), (99, 15), (100, 30), (101, 20), (102, 10), (103, 10), (97, 5)];
        assert_eq!(area(&day), Some((100, 99, 102)));
        assert_eq!(area(&[(1, 4), (2, 4), (3, 4)]), Some((3, 1, 3)), "the highest of equal points");
        assert_eq!(area(&[(1, 3), (2, 4), (3, 3)]), Some((2, 2, 3)), "70 % are enough");
        assert_eq!(area(&[(1, 3), (2, 6), (3, 1), (9, 1)]), Some((2, 1, 2)));
        assert_eq!(area(&[(-5, 7)]), Some((-5, -5, -5)));
        assert_eq!(area(&[]), None);
        assert_eq!(area(&[(5, 0)]), None, "nothing has traded");
    }

    #[test]
    fn it_follows_each_trade_and_begins_again() {
        let mut profile = profile(&[(10, 5), (11, 4)]);
        assert_eq!(profile.area().map(|area| area.poc), Some(Price(10)));
        traded(&mut profile, 11, 1);
        assert_eq!(profile.area().map(|area| area.poc), Some(Price(11)), "as much, and higher");
        profile.clear();
        assert_eq!(profile.area(), None);
        traded(&mut profile, 3, 1);
        assert_eq!(profile.area().map(|area| area.poc), Some(Price(3)));
    }

    #[test]
    fn more_prices_than_it_holds_share_buckets() {
        let mut profile = ValueProfile::default();
        (0..5_000).for_each(|price| traded(&mut profile, price, 1));
        traded(&mut profile, 1_234, 50_000);
        let ValueArea { poc, low, high } = profile.area().unwrap();
        assert_eq!((poc, low, high), (Price(1_230), Price(1_230), Price(1_230)));
        let sums = profile.profile.rows().iter().map(volume_of).sum::<i128>();
        assert_eq!(sums, profile.volume);
    }

    #[test]
    fn great_quantities_have_an_area() {
        let most = i64::MAX;
        assert_eq!(area(&[(1, most - 1), (2, most - 2), (3, 2), (i64::MIN, 1)]), Some((1, 1, 2)));
        assert_eq!(area(&[(1, most - 1), (1, 3), (2, 5)]), None, "more than can be held");
    }

    proptest! {
        #[test]
        fn it_is_that_of_the_whole_history(trades in prop::collection::vec((-40_i64..40, 0_i64..50), 0..200)) {
            let mut streamed = ValueProfile::default();
            for at in 0..trades.len() {
                traded(&mut streamed, trades[at].0, trades[at].1);
                let mut whole = profile(&trades[..=at]);
                prop_assert_eq!(streamed.area(), whole.area());
            }
        }
    }
}

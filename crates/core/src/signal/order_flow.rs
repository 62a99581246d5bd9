//! Order flow imbalance: what has come to the best levels of both sides and left them, from one state of a book to
//! the next.

use crate::types::{Level, Price, Qty, Side};

/// Follows the best `LEVELS` levels of a book and says by how much buying interest has gained on selling interest at
/// each of them.
///
/// With `b, B` a bid level's price and quantity, `a, A` an ask's, and a prime for before:
///
/// `e = 1{b ≥ b′}·B − 1{b ≤ b′}·B′ − 1{a ≤ a′}·A + 1{a ≥ a′}·A′`
///
/// Of a level that has moved away it is the quantity *before* that counts, of one that has come nearer the quantity
/// after. A level that is not there counts as one beyond all prices that holds nothing.
///
/// Unit: the instrument's quantity mantissa. Absent at first, and whenever the state before is not known:
/// [`Self::forget`] is to be called when the book is not synced, is another or is crossed.
///
/// Sources: level by level R. Cont, A. Kukanov, S. Stoikov, "The price impact of order book events", J. Financial
/// Econometrics 12 (2014), section 2.1; K. Xu, M. Gould, S. Howison, "Multi-level order-flow imbalance in a limit
/// order book", arXiv 1907.06230.
///
/// Cost: four comparisons a level. Allocates nothing.
#[derive(Clone, Copy, Debug)]
pub struct OrderFlow<const LEVELS: usize> {
    before: Option<[[Level; LEVELS]; 2]>,
}

impl<const LEVELS: usize> Default for OrderFlow<LEVELS> {
    fn default() -> Self {
        Self { before: None }
    }
}

impl<const LEVELS: usize> OrderFlow<LEVELS> {
    /// The book as it is after an event of the venue, best levels first; levels beyond `LEVELS` are left aside. What
    /// has flowed at each level since the event before; none of the first.
    #[inline]
    pub fn step(&mut self, bids: &[Level], asks: &[Level]) -> Option<[i128; LEVELS]> {
        let after = [padded(bids, Side::Bid), padded(asks, Side::Ask)];
        let before = self.before.replace(after)?;
        let [[bids_before, asks_before], [bids, asks]] = [before, after];
        Some(core::array::from_fn(|at| {
            gained(Side::Bid, bids_before[at], bids[at]) - gained(Side::Ask, asks_before[at], asks[at])
        }))
    }

    /// What comes next does not follow what was.
    pub fn forget(&mut self) {
        self.before = None;
    }
}

/// What one level of a side has gained; below 0, lost. Within ±2^64.
#[inline]
fn gained(side: Side, before: Level, after: Level) -> i128 {
    let mut gained = 0;
    if !side.is_better(before.price, after.price) {
        gained += i128::from(after.qty.0);
    }
    if !side.is_better(after.price, before.price) {
        gained -= i128::from(before.qty.0);
    }
    gained
}

/// The first levels of a side; for those that are not there, one that is worse than any and holds nothing.
#[inline]
fn padded<const LEVELS: usize>(levels: &[Level], side: Side) -> [Level; LEVELS] {
    let worst = match side {
        Side::Bid => i64::MIN,
        Side::Ask => i64::MAX,
    };
    let mut padded = [Level { price: Price(worst), qty: Qty(0) }; LEVELS];
    padded.iter_mut().zip(levels).for_each(|(to, from)| *to = *from);
    padded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn level(price: i64, qty: i64) -> Vec<Level> {
        vec![Level::new(price, qty)]
    }

    /// Taking the new quantity of a level that has moved away, as many programs do, gives −12.
    #[test]
    fn a_level_that_moves_away_takes_what_it_held() {
        let path = [
            (100, 10, 101, 8),
            (100, 14, 101, 8),
            (100, 14, 101, 3),
            (100, 9, 102, 6),
            (99, 20, 102, 6),
            (100, 5, 101, 7),
        ];
        let mut flow = OrderFlow::<1>::default();
        let steps: Vec<_> = path
            .iter()
            .map(|&(bid, bid_qty, ask, ask_qty)| flow.step(&level(bid, bid_qty), &level(ask, ask_qty)))
            .collect();
        assert_eq!(steps, [None, Some([4]), Some([5]), Some([-2]), Some([-9]), Some([-2])]);
        assert_eq!(steps.iter().flatten().map(|[step]| step).sum::<i128>(), -4);
    }

    #[test]
    fn a_side_that_empties_loses_all_and_gains_all_again() {
        let mut flow = OrderFlow::<2>::default();
        let both = [Level::new(100, 5), Level::new(99, 7)];
        assert_eq!(flow.step(&both, &level(101, 3)), None);
        assert_eq!(flow.step(&both[..1], &level(101, 3)), Some([0, -7]));
        assert_eq!(flow.step(&[], &level(101, 3)), Some([-5, 0]));
        assert_eq!(flow.step(&[], &[]), Some([3, 0]));
        assert_eq!(flow.step(&both, &[]), Some([5, 7]));
        assert_eq!(flow.step(&both, &level(101, 4)), Some([-4, 0]));
    }

    #[test]
    fn what_does_not_follow_has_no_flow() {
        let mut flow = OrderFlow::<1>::default();
        assert_eq!(flow.step(&level(100, 5), &[]), None);
        flow.forget();
        assert_eq!(flow.step(&level(90, 5), &[]), None);
        assert_eq!(flow.step(&level(90, 6), &[]), Some([1]));
    }

    /// The formula as it is printed, with every indicator written out.
    fn as_printed(before: &[Vec<Level>; 2], after: &[Vec<Level>; 2], at: usize) -> i128 {
        let of =
            |side: &[Level], worst| side.get(at).map_or((worst, 0), |level| (level.price.0, level.qty.0));
        let ((b0, q0), (b, q)) = (of(&before[0], i64::MIN), of(&after[0], i64::MIN));
        let ((a0, p0), (a, p)) = (of(&before[1], i64::MAX), of(&after[1], i64::MAX));
        let term = |holds: bool, qty: i64| if holds { i128::from(qty) } else { 0 };
        term(b >= b0, q) - term(b <= b0, q0) - term(a <= a0, p) + term(a >= a0, p0)
    }

    fn side(is_bid: bool) -> impl Strategy<Value = Vec<Level>> {
        prop::collection::btree_map(90_i64..110, 1_i64..=i64::MAX, 0..5).prop_map(move |levels| {
            let mut side: Vec<_> = levels.into_iter().map(|(price, qty)| Level::new(price, qty)).collect();
            if is_bid {
                side.reverse();
            }
            side
        })
    }

    proptest! {
        #[test]
        fn every_step_is_the_printed_formula(path in prop::collection::vec((side(true), side(false)), 2..12)) {
            let mut flow = OrderFlow::<3>::default();
            let mut before: Option<[Vec<Level>; 2]> = None;
            for (bids, asks) in path {
                let after = [bids, asks];
                let expected = before.as_ref().map(|before| [0, 1, 2].map(|at| as_printed(before, &after, at)));
                prop_assert_eq!(flow.step(&after[0], &after[1]), expected);
                before = Some(after);
            }
        }
    }
}

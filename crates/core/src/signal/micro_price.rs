//! The micro-price: where the mid is expected to be, given how much stands at the touch and how wide it is.

use super::touch::Touch;

/// Buckets of the touch's imbalance, equally wide.
pub const IMBALANCES: usize = 10;

/// Spreads that are told apart: of one tick, of two. A wider one has no micro-price.
pub const SPREADS: usize = 2;

/// States of the touch.
const STATES: usize = IMBALANCES * SPREADS;

/// Moves of the mid that are looked ahead; the paper's author says that six are enough.
const MOVES: usize = 6;

/// What a touch becomes at its next change, counted by state.
///
/// A change counts where the spread is of one or two ticks before and after, and the mid has moved by no more than a
/// tick. Each counts twice, as it was and mirrored, so that what is fitted has no drift: a market that rose while it
/// was watched is not expected to rise on.
///
/// Source: S. Stoikov, "The micro-price: a high-frequency estimator of future prices", Quantitative Finance 18
/// (2018), SSRN 2970694, and its notebook (sstoikov/microprice), whose buckets are deciles where these are equally
/// wide.
///
/// Cost: a division and two additions a change of the touch. Memory: 7 KiB. Allocates when it is made.
#[derive(Clone, Debug)]
pub struct TouchChanges {
    tick: i128,
    before: Option<(usize, i128)>,
    counts: Box<Counts>,
}

#[derive(Clone, Debug)]
struct Counts {
    /// Changes from a state.
    all: [u64; STATES],
    /// Changes from one to another in which the mid stayed, and in which it moved.
    stayed: [[u64; STATES]; STATES],
    moved: [[u64; STATES]; STATES],
    /// Sum of the moves of the doubled mid.
    moves: [i128; STATES],
}

impl TouchChanges {
    /// Of an instrument with that tick, in price mantissa units; none where it is not above 0.
    #[must_use]
    pub fn new(tick_size: i64) -> Option<Self> {
        (tick_size > 0).then(|| Self {
            tick: i128::from(tick_size),
            before: None,
            counts: Box::new(Counts::NONE),
        })
    }

    /// The tick.
    #[must_use]
    pub const fn tick_size(&self) -> i128 {
        self.tick
    }

    /// Begins again, without a touch.
    pub fn clear(&mut self) {
        *self.counts = Counts::NONE;
        self.before = None;
    }

    /// The touch after an event of the venue; none: a side is empty, the book crossed or not synced.
    pub fn set(&mut self, touch: Option<Touch>) {
        let after = touch.and_then(|touch| Some((state_of(touch, self.tick)?, touch.mid_doubled())));
        let before = std::mem::replace(&mut self.before, after);
        let (Some((from, mid_before)), Some((to, mid_after))) = (before, after) else { return };
        if before == after {
            return;
        }
        let moved = mid_after - mid_before;
        if moved.abs() <= 2 * self.tick {
            self.counts.add(from, to, moved);
            self.counts.add(mirrored(from), mirrored(to), -moved);
        }
    }

    /// The fit to what has been counted; none before anything was, or where from some state that was seen the mid
    /// never moves.
    ///
    /// Cost: some 10^5 operations.
    #[must_use]
    pub fn fit(&self) -> Option<MicroPrice> {
        let Counts { all, stayed, moved, moves } = &*self.counts;
        if all.iter().all(|count| *count == 0) {
            return None;
        }
        let share = |count: u64, of: usize| if all[of] == 0 { 0.0 } else { count as f64 / all[of] as f64 };
        let matrix = |counts: &[[u64; STATES]; STATES]| -> Square {
            core::array::from_fn(|from| core::array::from_fn(|to| share(counts[from][to], from)))
        };
        let (stay, go) = (matrix(stayed), matrix(moved));
        let until_moved = inverse(core::array::from_fn(|row| {
            core::array::from_fn(|column| f64::from(u8::from(row == column)) - stay[row][column])
        }))?;
        let mean: [f64; STATES] =
            core::array::from_fn(
                |from| if all[from] == 0 { 0.0 } else { moves[from] as f64 / all[from] as f64 },
            );
        let mut ahead = times(&until_moved, &mean);
        let mut adjustments = ahead;
        for _ in 1..MOVES {
            ahead = times(&until_moved, &times(&go, &ahead));
            adjustments.iter_mut().zip(ahead).for_each(|(sum, more)| *sum += more);
        }
        let adjustments = core::array::from_fn(|state| (all[state] > 0).then_some(adjustments[state] / 2.0));
        Some(MicroPrice { tick: self.tick, adjustments })
    }
}

impl Counts {
    const NONE: Self = Self {
        all: [0; STATES],
        stayed: [[0; STATES]; STATES],
        moved: [[0; STATES]; STATES],
        moves: [0; STATES],
    };

    fn add(&mut self, from: usize, to: usize, moved: i128) {
        self.all[from] += 1;
        self.moves[from] += moved;
        let kind = if moved == 0 { &mut self.stayed } else { &mut self.moved };
        kind[from][to] += 1;
    }
}

/// What is added to the mid, by state.
#[derive(Clone, Debug, PartialEq)]
pub struct MicroPrice {
    tick: i128,
    adjustments: [Option<f64>; STATES],
}

impl MicroPrice {
    /// The micro-price, in units of the price mantissa. None where the spread is wider than two ticks or not of whole
    /// ones, or such a touch was never seen.
    ///
    /// Cost: a division and a look into a table.
    #[must_use]
    pub fn of(&self, touch: Touch) -> Option<f64> {
        Some(touch.mid() + self.adjustments[state_of(touch, self.tick)?]?)
    }
}

/// By the imbalance and the spread in ticks.
fn state_of(touch: Touch, tick: i128) -> Option<usize> {
    let (ticks, rest) = (touch.spread() / tick, touch.spread() % tick);
    if rest != 0 || !(1..=SPREADS as i128).contains(&ticks) {
        return None;
    }
    let (bid, ask) = (i128::from(touch.bid_qty().0), i128::from(touch.ask_qty().0));
    let bucket = (bid * IMBALANCES as i128 / (bid + ask)) as usize;
    Some((ticks as usize - 1) * IMBALANCES + bucket.min(IMBALANCES - 1))
}

/// Bid and ask exchanged.
const fn mirrored(state: usize) -> usize {
    let (spread, imbalance) = (state / IMBALANCES, state % IMBALANCES);
    spread * IMBALANCES + IMBALANCES - 1 - imbalance
}

type Square = [[f64; STATES]; STATES];

fn times(matrix: &Square, vector: &[f64; STATES]) -> [f64; STATES] {
    core::array::from_fn(|row| matrix[row].iter().zip(vector).map(|(a, b)| a * b).sum())
}

/// By elimination with the greatest pivot of each column; none of a matrix that has none.
fn inverse(mut matrix: Square) -> Option<Square> {
    /// Of shares of counts; less is what rounding leaves.
    const PIVOT_MIN: f64 = 1e-12;
    let mut inverse: Square =
        core::array::from_fn(|row| core::array::from_fn(|column| f64::from(u8::from(row == column))));
    for column in 0..STATES {
        let pivot =
            (column..STATES).max_by(|a, b| matrix[*a][column].abs().total_cmp(&matrix[*b][column].abs()))?;
        if matrix[pivot][column].abs() < PIVOT_MIN {
            return None;
        }
        matrix.swap(column, pivot);
        inverse.swap(column, pivot);
        let by = matrix[column][column];
        matrix[column].iter_mut().chain(&mut inverse[column]).for_each(|value| *value /= by);
        let (matrix_row, inverse_row) = (matrix[column], inverse[column]);
        for row in (0..STATES).filter(|row| *row != column) {
            let by = matrix[row][column];
            let both =
                matrix[row].iter_mut().chain(&mut inverse[row]).zip(matrix_row.iter().chain(&inverse_row));
            both.for_each(|(value, pivot)| *value -= by * pivot);
        }
    }
    Some(inverse)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::Bbo;
    use crate::types::Level;

    fn touch(bid: i64, bid_qty: i64, ask: i64, ask_qty: i64) -> Option<Touch> {
        Touch::of(Bbo { bid: Some(Level::new(bid, bid_qty)), ask: Some(Level::new(ask, ask_qty)) })
    }

    #[test]
    fn states_are_spread_and_imbalance() {
        for (at, expected) in [
            (touch(100, 1, 110, 99), Some(0)),
            (touch(100, 99, 110, 1), Some(9)),
            (touch(100, 50, 110, 50), Some(5)),
            (touch(100, 1, 120, 99), Some(10)),
            (touch(100, 1, 130, 1), None),
            (touch(100, 1, 105, 1), None),
            (touch(100, 1, 100, 1), None),
        ] {
            assert_eq!(state_of(at.unwrap(), 10), expected);
        }
        assert_eq!([0, 9, 10, 15].map(mirrored), [9, 0, 19, 14]);
    }

    /// From a heavy bid the mid rises by a tick in one of two changes, to an even touch, and stays in the other; an
    /// even touch becomes a heavy bid in place. So each of the six moves that are looked ahead is one up, whether the
    /// touch is heavy or even.
    #[test]
    fn a_heavy_bid_is_worth_the_moves_that_it_leads_to() {
        let mut changes = TouchChanges::new(1).unwrap();
        let (heavy, even) = ((95, 5), (54, 46));
        let at = |mid: i64, (bid, ask): (i64, i64)| touch(mid, bid, mid + 1, ask);
        let mut mid = 100;
        for _ in 0..50 {
            changes.set(at(mid, heavy));
            changes.set(at(mid, (96, 4)));
            mid += 1;
            changes.set(at(mid, even));
        }
        let fit = changes.fit().unwrap();
        let above = |quantities: (i64, i64)| {
            let touch = at(100, quantities).unwrap();
            fit.of(touch).map(|price| price - touch.mid())
        };
        for (quantities, expected) in [(heavy, 6.0), (even, 6.0), ((5, 95), -6.0), ((46, 54), -6.0)] {
            let above = above(quantities).unwrap();
            assert!((above - expected).abs() < 1e-9, "{quantities:?}: {above}");
        }
        assert_eq!(above((25, 75)), None, "it was never seen");
        assert_eq!(fit.of(touch(100, 1, 105, 1).unwrap()), None);
    }

    /// Six moves by plain repetition, without a matrix inverted.
    #[test]
    fn the_fit_is_what_following_the_chain_gives() {
        let mut changes = TouchChanges::new(2).unwrap();
        // A walk by a plain generator.
        let (mut state, mut mid) = (7_u64, 1_000_i64);
        for _ in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let draw = (state >> 33) as i64;
            let bid_qty = draw % 19 + 1;
            let is_wide = draw % 7 == 0;
            if draw % 5 == 0 {
                mid += if draw % 20 < bid_qty { 2 } else { -2 };
            }
            changes.set(touch(mid, bid_qty, mid + if is_wide { 4 } else { 2 }, 20 - bid_qty));
        }
        let fit = changes.fit().unwrap();
        let Counts { all, stayed, moved, moves } = &*changes.counts;
        // What is expected from each state within so many moves, by going on a step at a time: few changes remain
        // after 2,000.
        let mut expected = [[0.0; STATES]; MOVES + 1];
        for within in 1..=MOVES {
            let mut value = [0.0; STATES];
            for _ in 0..2_000 {
                value = core::array::from_fn(|from| {
                    let sum = moves[from] as f64
                        + (0..STATES)
                            .map(|to| {
                                stayed[from][to] as f64 * value[to]
                                    + moved[from][to] as f64 * expected[within - 1][to]
                            })
                            .sum::<f64>();
                    if all[from] == 0 { 0.0 } else { sum / all[from] as f64 }
                });
            }
            expected[within] = value;
        }
        for (adjustment, expected) in fit.adjustments.iter().zip(expected[MOVES]) {
            let adjustment = adjustment.unwrap() * 2.0;
            assert!((adjustment - expected).abs() < 1e-9, "{adjustment} {expected}");
        }
    }

    #[test]
    fn without_changes_there_is_no_fit() {
        let mut changes = TouchChanges::new(1).unwrap();
        assert!(TouchChanges::new(0).is_none());
        assert_eq!(changes.fit(), None);
        changes.set(touch(100, 1, 101, 1));
        changes.set(None);
        changes.set(touch(100, 1, 101, 1));
        changes.set(touch(100, 1, 101, 1));
        assert_eq!(changes.fit(), None);
        changes.set(touch(200, 1, 201, 1));
        assert_eq!(changes.fit(), None, "a jump counts not");
        changes.set(touch(200, 2, 201, 2));
        assert_eq!(changes.fit(), None, "a mid that never moves says nothing");
    }
}

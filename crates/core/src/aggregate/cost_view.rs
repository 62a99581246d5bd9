//! What a few quantities cost, and what stands within some basis points of the mid, published at an interval.

use super::{CostToFill, Fill, Reach, View, WithinBps};
use crate::book::{L2Book, Touched};
use crate::types::{Instrument, Price, Qty, Side, TimeNs};

/// Most quantities and bands of a view together; each has a row a side.
pub const COSTS_MAX: usize = 16;

/// Widest band: the whole of the mid.
pub const BPS_MAX: u16 = 10_000;

/// Decimals of an average price beyond those of the instrument, where they fit.
const AVERAGE_DECIMALS: u32 = 4;

/// What is told where a cost cannot be.
pub const COST_UNKNOWN: i64 = i64::MIN;

/// What taking a quantity from a side comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// The quantity asked for, or with `bps` all that the side holds within them.
    pub qty: Qty,
    /// What the side holds of it.
    pub filled: Qty,
    /// Σ price × quantity / Σ quantity of what is filled, at `price_exponent`, to nearest, halves upwards; 0 of nothing.
    pub price_average: i64,
    /// Worst price of what is filled; 0 of nothing.
    pub price_worst: Price,
    /// What it comes to, at `cost_exponent`, to nearest; [`COST_UNKNOWN`] where that cannot be told.
    pub cost: i64,
    /// Power of ten of the average price.
    pub price_exponent: i8,
    /// Power of ten of the cost.
    pub cost_exponent: i8,
    /// The side that it is taken from.
    pub side: Side,
    /// Whether all of it is filled.
    pub is_complete: bool,
    /// Whether the venue has made the book known as deep as was needed.
    pub is_known: bool,
    /// Not 0: the quantity is all that the side holds within so many basis points of the mid.
    pub bps: u16,
}

/// The costs of both sides as they were published, and whether the book has touched them since.
///
/// A message is skipped with one compare a side when it lies deeper than every row looked.
#[derive(Clone, Debug)]
pub struct CostView {
    /// Whose book it is: what its quantities are worth.
    instrument: Instrument,
    quantities: Vec<Qty>,
    bps: Vec<u16>,
    interval_ns: u64,
    published: Vec<Cost>,
    current: Vec<Cost>,
    reach: Reach,
    /// Updates that touched it since it was published.
    touches: u32,
    flushed_at: TimeNs,
}

impl CostView {
    /// A view of quantities above 0 and bands of 1 to [`BPS_MAX`] basis points, of both together 1 to [`COSTS_MAX`]; `None` for
    /// others. It publishes at most once every `interval_ns`.
    #[must_use]
    pub fn new(instrument: Instrument, quantities: &[Qty], bps: &[u16], interval_ns: u64) -> Option<Self> {
        let is_right = (1..=COSTS_MAX).contains(&(quantities.len() + bps.len()))
            && quantities.iter().all(|qty| qty.0 > 0)
            && bps.iter().all(|bps| (1..=BPS_MAX).contains(bps));
        is_right.then(|| Self {
            instrument,
            quantities: quantities.to_vec(),
            bps: bps.to_vec(),
            interval_ns,
            published: Vec::with_capacity(2 * COSTS_MAX),
            current: Vec::with_capacity(2 * COSTS_MAX),
            reach: Reach::WHOLE,
            touches: 0,
            flushed_at: 0,
        })
    }

    /// Least time between two publications, ns.
    #[must_use]
    pub const fn interval_ns(&self) -> u64 {
        self.interval_ns
    }

    /// Whether it is of these quantities and bands, at this interval.
    #[must_use]
    pub fn is_of(&self, quantities: &[Qty], bps: &[u16], interval_ns: u64) -> bool {
        (self.quantities.as_slice(), self.bps.as_slice(), self.interval_ns) == (quantities, bps, interval_ns)
    }

    /// Another scale from now on: `qty` gives a quantity at it. What is published stays until the next [`Self::image`].
    pub fn rescale(&mut self, price_exponent: i8, qty_exponent: i8, qty: impl Fn(i64) -> i64) {
        self.instrument.price_exponent = price_exponent;
        self.instrument.qty_exponent = qty_exponent;
        self.quantities.iter_mut().for_each(|of| of.0 = qty(of.0).max(1));
    }

    /// Notes a message.
    #[inline]
    pub fn touch(&mut self, touched: Touched) {
        self.touches = self.touches.saturating_add(u32::from(self.reach.meets(touched)));
    }

    /// Whether a publication is due. A clock that was set back does not hold it up.
    #[inline]
    #[must_use]
    pub const fn is_due(&self, now: TimeNs) -> bool {
        self.touches > 0 && (now < self.flushed_at || now - self.flushed_at >= self.interval_ns)
    }

    /// Takes the book's costs as published state: the view's image.
    pub fn image(&mut self, now: TimeNs, book: &L2Book) {
        self.compute(book);
        std::mem::swap(&mut self.published, &mut self.current);
        (self.touches, self.flushed_at) = (0, now);
    }

    /// Computes the costs anew: whether they are others than those published, and the number of updates that this merges.
    pub fn flush(&mut self, now: TimeNs, book: &L2Book) -> (bool, u32) {
        self.compute(book);
        std::mem::swap(&mut self.published, &mut self.current);
        self.flushed_at = now;
        (self.published != self.current, std::mem::take(&mut self.touches))
    }

    /// The rows as published: of each quantity and then of each band the bids and the asks.
    #[must_use]
    pub fn published(&self) -> &[Cost] {
        &self.published
    }

    fn compute(&mut self, book: &L2Book) {
        self.current.clear();
        let mut reach = Reach::NOTHING;
        let mut widen = |more: Reach| {
            reach = Reach { bid: reach.bid.min(more.bid), ask: reach.ask.max(more.ask) };
        };
        for &qty in &self.quantities {
            for side in [Side::Bid, Side::Ask] {
                let (cost, more) = cost_of(&self.instrument, book, side, qty);
                self.current.push(cost);
                widen(more);
            }
        }
        for &bps in &self.bps {
            let mut band = None;
            widen(WithinBps { bps: u32::from(bps) }.compute(book, &mut band));
            for side in [Side::Bid, Side::Ask] {
                let depth = band.map(|band| if side == Side::Bid { band.bid } else { band.ask });
                let qty = depth.map_or(Qty(0), |depth| Qty(i64::try_from(depth.qty).unwrap_or(i64::MAX)));
                let (cost, _) = cost_of(&self.instrument, book, side, qty);
                let is_known = depth.is_some_and(|depth| depth.is_known);
                self.current.push(Cost { bps, is_known, ..cost });
            }
        }
        self.reach = reach;
    }
}

fn cost_of(instrument: &Instrument, book: &L2Book, side: Side, qty: Qty) -> (Cost, Reach) {
    let mut fill = Fill::default();
    let reach = CostToFill::new(instrument, side, qty).compute(book, &mut fill);
    let value = book.take(side, fill.filled).value;
    let (price_average, price_exponent) = average(value, fill.filled, instrument.price_exponent);
    let (cost, cost_exponent) = match fill.cost {
        Ok(cost) => fitting(cost, CostToFill::cost_exponent(instrument)),
        Err(_) => (COST_UNKNOWN, 0),
    };
    let cost = Cost {
        qty,
        filled: fill.filled,
        price_average,
        price_worst: fill.worst.unwrap_or_default(),
        cost,
        price_exponent,
        cost_exponent,
        side,
        is_complete: fill.filled == qty,
        is_known: fill.is_known,
        bps: 0,
    };
    (cost, reach)
}

/// The average of prices, with as many decimals more as fit.
fn average(value: i128, filled: Qty, price_exponent: i8) -> (i64, i8) {
    if filled.0 <= 0 {
        return (0, price_exponent);
    }
    for decimals in (0..=AVERAGE_DECIMALS).rev() {
        let scaled = value.checked_mul(10i128.pow(decimals));
        let mean = scaled.and_then(|scaled| i64::try_from(nearest(scaled, i128::from(filled.0))).ok());
        if let Some(mean) = mean {
            return (mean, price_exponent - decimals as i8);
        }
    }
    // Between two prices there is one.
    (0, price_exponent)
}

/// A number of 64 bits that is nearest to one of 128, and its power of ten.
fn fitting(value: i128, exponent: i8) -> (i64, i8) {
    let (mut by, mut power) = (1i128, 0i8);
    loop {
        match i64::try_from(nearest(value, by)) {
            // The least is no cost.
            Ok(mantissa) if mantissa != COST_UNKNOWN => return (mantissa, exponent.saturating_add(power)),
            _ => (by, power) = (by * 10, power + 1),
        }
    }
}

/// A quotient to nearest, halves upwards. `by` is above 0.
const fn nearest(value: i128, by: i128) -> i128 {
    let (whole, rest) = (value.div_euclid(by), value.rem_euclid(by));
    if rest >= by - rest { whole + 1 } else { whole }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::BookSpec;
    use crate::types::{KnownTo, Level, Levels};
    use crate::venues;

    fn spot() -> Instrument {
        Instrument { price_exponent: 0, qty_exponent: 0, ..venues::instrument(venues::SIM, "TEST").unwrap() }
    }

    fn book(bids: &[(i64, i64)], asks: &[(i64, i64)]) -> L2Book {
        let levels = |of: &[(i64, i64)]| of.iter().map(|&(price, qty)| Level::new(price, qty)).collect();
        let mut book = L2Book::new(BookSpec { tick_size: 1, levels_max: 100 });
        book.load(Levels { bids: levels(bids), asks: levels(asks) }.view(), KnownTo::WHOLE).unwrap();
        book
    }

    #[test]
    fn an_average_is_to_nearest_and_the_worst_is_the_last_price() {
        // Recomputed in strategies of others: vwap 102.1, worst 104.
        let book = book(&[(100, 1)], &[(101, 3), (102, 5), (104, 10)]);
        let mut view = CostView::new(spot(), &[Qty(10)], &[200], 0).unwrap();
        view.image(0, &book);
        let [bid, ask, low, high] = view.published() else { panic!("four rows") };
        assert_eq!((ask.price_average, ask.price_exponent, ask.price_worst), (1_021_000, -4, Price(104)));
        assert_eq!((ask.cost, ask.cost_exponent, ask.is_complete), (1_021, 0, true));
        assert_eq!((bid.filled, bid.is_complete, bid.price_worst), (Qty(1), false, Price(100)));
        // The mid is 100.5, and 2 % of it 2.01.
        assert_eq!((low.qty, low.bps, high.qty, high.price_worst), (Qty(1), 200, Qty(8), Price(102)));
        assert_eq!((high.price_average, high.is_complete, high.is_known), (1_016_250, true, true));
    }

    #[test]
    fn what_a_message_cannot_change_is_not_computed_again() {
        let full = book(&[(100, 5), (99, 5)], &[(101, 5), (102, 5)]);
        let mut view = CostView::new(spot(), &[Qty(5)], &[], 10).unwrap();
        view.image(0, &full);
        let at = |bid, ask| Touched { bid, ask };
        view.touch(at(Some(Price(99)), Some(Price(102))));
        assert!(!view.is_due(100), "both lie behind what was taken");
        view.touch(at(None, Some(Price(101))));
        assert!(!view.is_due(9) && view.is_due(10));
        assert_eq!(view.flush(10, &full), (false, 1), "it is as it was");
        view.touch(at(Some(Price(100)), None));
        assert_eq!(view.flush(20, &book(&[(100, 4), (99, 5)], &[(101, 5)])), (true, 1));
    }

    #[test]
    fn numbers_that_are_too_large_lose_digits_and_say_so() {
        assert_eq!(fitting(i128::from(i64::MAX) * 100 + 49, -8), (i64::MAX, -6));
        assert_eq!(fitting(-5, -2), (-5, -2));
        assert_eq!(fitting(i128::from(i64::MIN), 0), (i64::MIN / 10 - 1, 1));
        assert_eq!(average(i128::from(i64::MAX) * 7, Qty(7), 0), (i64::MAX, 0));
        assert_eq!(average(-7, Qty(2), 0), (-35_000, -4));
        assert_eq!(average(2, Qty(3), 0), (6_667, -4));
        assert_eq!(average(0, Qty(0), -2), (0, -2));
    }

    #[test]
    fn refuses_what_is_no_quantity_and_no_band() {
        let of = |quantities: &[Qty], bps: &[u16]| CostView::new(spot(), quantities, bps, 0).is_some();
        assert!(of(&[Qty(1)], &[]) && of(&[], &[1, BPS_MAX]) && of(&[Qty(1); 8], &[5; 8]));
        assert!(!of(&[], &[]) && !of(&[Qty(0)], &[]) && !of(&[], &[0]) && !of(&[], &[BPS_MAX + 1]));
        assert!(!of(&[Qty(1); 9], &[5; 8]));
    }
}

//! What a few quantities cost, and what stands within some basis points of the mid, published at an interval.

use super::{CostToFill, Fill, Reach, View, WithinBps};
use crate::book::{L2Book, Touched};
use crate::types::{Decimal, Instrument, Price, Qty, Side, TimeNs};

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

impl Cost {
    /// The average price of what is filled, exactly as it was told; `None` of nothing.
    #[must_use]
    pub fn price_average_text(&self) -> Option<Decimal> {
        (self.filled.0 != 0)
            .then_some(Decimal { mantissa: self.price_average, exponent: self.price_exponent })
    }

    /// What it comes to, likewise, in the asset that the instrument is paid in; `None` where that cannot be told.
    #[must_use]
    pub fn cost_text(&self) -> Option<Decimal> {
        (self.cost != COST_UNKNOWN).then_some(Decimal { mantissa: self.cost, exponent: self.cost_exponent })
    }
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
#[path = "cost_view_tests.rs"]
mod tests;

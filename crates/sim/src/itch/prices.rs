//! Where orders are placed: around a moving fair price, never through the other side.

use super::lifetimes::Stay;
use super::symbols::Symbol;
use crate::curve::Curve;
use crate::market::book::Side;
use crate::rng::Rng;

/// Distance of a resting order from the fair price, in millionths of the reference price, by quantile.
const RESTING_DISTANCE: Curve = Curve(&[
    (0, 0),
    (200_000, 1_000),
    (500_000, 8_000),
    (800_000, 50_000),
    (950_000, 200_000),
    (1_000_000, 600_000),
]);

/// From which distance on resting orders like round prices, in ticks; ten times that, and ten times as round, where
/// the reference price is above [`DEAR_TICKS`].
const ROUND_FROM: i64 = 10;
const DEAR_TICKS: i64 = 30_000;

/// Of 1,000 of those, up to how many stand at a multiple of how many ticks.
const ROUND_PERMILLE: [(u64, i64); 3] = [(200, 100), (450, 10), (550, 5)];

/// Of 1,000,000 resting orders, those that stand where nobody will ever trade.
const STUB_PPM: u64 = 500;

/// Of 1,000 fleeting orders at a side that stands behind fair value, those that step ahead of it.
const IMPROVES_PERMILLE: u64 = 600;

/// Of 1,000 other fleeting orders, those that join the best price.
const JOINS_PERMILLE: u64 = 650;

/// Ticks (of half the usual spread where that is wider) by which the others stand behind the best, by quantile:
/// geometric, a third less each tick.
const BEHIND_TICKS: Curve =
    Curve(&[(0, 1), (330_000, 2), (550_000, 3), (700_000, 4), (870_000, 6), (980_000, 10), (1_000_000, 20)]);

/// A fair price that leaves the book behind by more than this waits, in spreads.
const LEAD_SPREADS_MAX: i64 = 4;

/// The best prices of a book.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tops {
    pub(crate) bid: Option<i64>,
    pub(crate) ask: Option<i64>,
}

impl Symbol {
    /// The best bid and ask that fair value allows.
    const fn quotes(&self) -> (i64, i64) {
        let bid = self.fair / 256 - self.spread / 2;
        (bid, bid + self.spread)
    }

    /// Moves the fair price by a step of a fraction of the spread, back towards the book where that stayed behind.
    pub(crate) fn wander(&mut self, tops: Tops, rng: &mut Rng) {
        let scale = self.spread * 256;
        let mut fair = self.fair + rng.bell() * scale / (297 * 8);
        if let (Some(bid), Some(ask)) = (tops.bid, tops.ask) {
            let lead = LEAD_SPREADS_MAX * scale;
            fair = fair.clamp(bid * 256 - lead, ask * 256 + lead);
        }
        let (reference, range) = (self.reference * 256, self.reference * 256 / 5);
        self.fair = fair.clamp(reference - range, reference + range);
    }

    /// The side that executions take: that which stands on the wrong side of fair value, else either.
    pub(crate) fn taken(&self, tops: Tops, rng: &mut Rng) -> Option<Side> {
        let (bid, ask) = self.quotes();
        match (tops.bid, tops.ask) {
            (None, None) => None,
            (Some(_), None) => Some(Side::Bid),
            (None, Some(_)) => Some(Side::Ask),
            (Some(best), _) if best > bid => Some(Side::Bid),
            (_, Some(best)) if best < ask => Some(Side::Ask),
            _ => Some(if rng.chance(500) { Side::Bid } else { Side::Ask }),
        }
    }

    /// A price for a new order, at least one tick from the other side's best.
    pub(crate) fn price(&self, side: Side, stay: Stay, tops: Tops, rng: &mut Rng) -> u32 {
        // Distances count away from the other side: a bid at `quote - distance`, an ask at `quote + distance`.
        let (bid, ask) = self.quotes();
        let (quote, own, away) = match side {
            Side::Bid => (bid, tops.bid, -1),
            Side::Ask => (ask, tops.ask, 1),
        };
        let price = match stay {
            Stay::Resting if rng.below(1_000_000) < STUB_PPM => match side {
                Side::Bid => 1,
                Side::Ask => self.stub,
            },
            Stay::Resting => {
                let distance = RESTING_DISTANCE.draw(rng) * self.reference / 1_000_000;
                let unit = if self.reference > DEAR_TICKS { 10 } else { 1 };
                self.listed(round(quote + away * distance, distance, away, unit, rng))
            }
            Stay::Fleeting => {
                // How far the best stands behind what fair value allows; below 0 where it is ahead.
                let behind = own.map_or(0, |own| (own - quote) * away);
                let best = quote + behind.max(0) * away;
                let price = if behind > 0 && rng.chance(IMPROVES_PERMILLE) {
                    best - away * (1 + rng.below(behind as u64) as i64)
                } else if rng.chance(JOINS_PERMILLE) {
                    best
                } else {
                    best + away * BEHIND_TICKS.draw(rng) * (self.spread / 2).max(1)
                };
                self.listed(price)
            }
        };
        let free = match side {
            Side::Bid => price.min(tops.ask.map_or(price, |ask| ask - 1)),
            Side::Ask => price.max(tops.bid.map_or(price, |bid| bid + 1)),
        };
        free as u32
    }

    /// The nearest price at which ordinary orders stand. An ask leaves a tick for bids below it.
    fn listed(&self, price: i64) -> i64 {
        price.clamp(2, self.highest)
    }
}

/// The next round price away from the other side, for orders that are far enough away.
fn round(price: i64, distance: i64, away: i64, unit: i64, rng: &mut Rng) -> i64 {
    let draw = rng.below(1_000);
    let units = ROUND_PERMILLE.into_iter().find(|row| draw < row.0).map_or(1, |row| row.1);
    let ticks = units * unit;
    if distance < (ROUND_FROM * unit).max(ticks / 2) {
        return price;
    }
    if away < 0 { price.div_euclid(ticks) * ticks } else { (price + ticks - 1).div_euclid(ticks) * ticks }
}

//! What operations are done to: a book near whose top most happens, made from a seed, so that it is the same everywhere.

use depthwire_core::book::BookSpec;
use depthwire_core::types::{Level, Levels, OrderChange, OrderId, Price, Qty, Side};

use crate::random::Random;

const SEED: u64 = 20_261_130;
/// Levels a side of the first book.
const LEVELS: i64 = 500;
const TICK: i64 = 10;
const BEST_BID: i64 = 6_000_000;
/// Changes lie so many ticks from the top on average.
const DISTANCE_TICKS: f64 = 8.0;
/// Levels that a message changes.
const CHANGES: usize = 4;
/// Orders that rest when changes are counted.
const RESTING: usize = 2_000;

/// What the books have to know of themselves.
pub(super) const SPEC: BookSpec = BookSpec { tick_size: TICK, levels_max: 1 << 20 };

/// Messages of four levels on a book of a thousand.
#[derive(Debug)]
pub(super) struct LevelMarket {
    pub(super) snapshot: Levels,
    pub(super) messages: Vec<Levels>,
}

impl LevelMarket {
    pub(super) fn new(messages: usize) -> Self {
        let mut random = Random(SEED);
        let mut snapshot = Levels::default();
        for side in [Side::Bid, Side::Ask] {
            snapshot.side_mut(side).extend((0..LEVELS).map(|away| level(side, away, 1 + random.below(999))));
        }
        let messages = (0..messages).map(|_| message(&mut random)).collect();
        Self { snapshot, messages }
    }
}

fn message(random: &mut Random) -> Levels {
    let mut levels = Levels::default();
    for _ in 0..CHANGES {
        let side = if random.below(2) == 0 { Side::Bid } else { Side::Ask };
        // A fourth of the changes take a level away.
        let qty = if random.below(4) == 0 { 0 } else { 1 + random.below(999) };
        levels.side_mut(side).push(level(side, away(random), qty));
    }
    levels
}

fn away(random: &mut Random) -> i64 {
    (-random.unit().ln() * DISTANCE_TICKS) as i64
}

const fn level(side: Side, away: i64, qty: u64) -> Level {
    Level { price: price(side, away), qty: Qty(qty as i64) }
}

const fn price(side: Side, away: i64) -> Price {
    Price(match side {
        Side::Bid => BEST_BID - away * TICK,
        Side::Ask => BEST_BID + (1 + away) * TICK,
    })
}

/// Changes of orders.
#[derive(Debug)]
pub(super) struct OrderChanges {
    /// Those that fill the book.
    pub(super) lead: Vec<OrderChange>,
    pub(super) measured: Vec<OrderChange>,
}

impl OrderChanges {
    pub(super) fn new(changes: usize) -> Self {
        let mut random = Random(SEED);
        let mut market = OrderMarket { resting: Vec::new(), last: 0 };
        let lead = (0..RESTING).map(|_| market.add(&mut random)).collect();
        Self { lead, measured: (0..changes).map(|_| market.change(&mut random)).collect() }
    }
}

struct OrderMarket {
    resting: Vec<(OrderId, i64)>,
    last: u64,
}

impl OrderMarket {
    fn add(&mut self, random: &mut Random) -> OrderChange {
        self.last += 1;
        let id = OrderId(self.last);
        let side = if random.below(2) == 0 { Side::Bid } else { Side::Ask };
        let qty = 2 + random.below(500) as i64;
        self.resting.push((id, qty));
        OrderChange::Add { id, side, price: price(side, away(random)), qty: Qty(qty) }
    }

    /// As many come as go; one of ten loses some of its quantity.
    fn change(&mut self, random: &mut Random) -> OrderChange {
        let turn = random.below(100);
        if turn < 45 || self.resting.is_empty() {
            return self.add(random);
        }
        let at = random.below(self.resting.len() as u64) as usize;
        let (id, qty) = self.resting[at];
        if turn < 55 && qty > 1 {
            self.resting[at].1 -= 1;
            return OrderChange::Reduce { id, qty: Qty(1) };
        }
        self.resting.swap_remove(at);
        OrderChange::Delete { id }
    }
}

//! What the traders of one instrument do, and when.
//!
//! In words: a hidden fair price wanders and is drawn back to the reference. Traders act at random, in
//! bursts. Each action does one of four things:
//! 1. While the spread is open, a market maker nearly always closes it, on the side that fair value favours.
//! 2. A taker trades at the touch. One that sees the price well off fair value takes the whole level.
//! 3. At the touch an order joins the favoured side or leaves the other.
//! 4. Away from it a rank is drawn from the recorded distribution and turned into a price. Where no level
//!    stands within reach, an order is placed; where one stands, an order leaves it or joins it. So levels
//!    come and go at equal rates, and their density stays that of the profile's shape.

use crate::curve::Curve;
use crate::market::Bbo;
use crate::market::book::{Book, FILLS_PER_ORDER_MAX, Limits, Remainder, Side};
use crate::market::instrument::{AIMED_RANK, Profile, RESTING_QTY, TAKING_QTY};
use crate::rng::Rng;
use crate::{LEVELS_PER_SIDE_MAX, ORDERS_PER_SIDE_MAX};

/// Milliseconds between two depth messages; activity and fair value change at the same pace.
pub(crate) const WINDOW_MS: u64 = 100;

/// Level changes that one window may hold. The order flow rests until the next window at the limit.
pub(crate) const CHANGES_PER_WINDOW_MAX: usize = 4_096;

/// Actions in one millisecond, at most. What a burst wants beyond that is not done.
const ACTIONS_PER_MS_MAX: i64 = 32;

/// Orders at the best level from which on nobody joins it.
const TOUCH_ORDERS_MAX: u32 = 12;

/// Of 1,000 orders at the best level, those that join the favoured side; the others leave the other side.
const JOINS_PERMILLE: u64 = 580;

/// Of 1,000 actions, those that take while the spread is closed.
const TAKES_PERMILLE: u64 = 25;

/// Of 1,000 actions, those that close the spread while it is open.
const CLOSES_PERMILLE: u64 = 900;

/// Of 1,000 orders placed on a price of their own, those that are cancelled at once.
const FLEETING_PERMILLE: u64 = 110;

/// How far an order looks for a level to leave or join, in tenths of the usual spacing at its rank. At random
/// 1 - e^-0.8 of all looks meet one, and most of those end a level: levels settle at the usual spacing.
const REACH_TENTHS: i64 = 8;

/// What [`Profile::join_weight`] is where every tick is a level, where levels stand apart.
const SPARSE_JOIN_WEIGHT: u64 = 3;

/// Halvings of activity (in 1/256) that the quietest window may reach, and doublings of the busiest.
const ACTIVITY_RANGE: (i64, i64) = (-1_024, 1_400);

/// Windows in which the fair price would return to the reference: 2^15 × 100 ms is about an hour.
const RETURN_WINDOWS: i64 = 1 << 15;

/// Fractions of a tick that the fair price is kept in.
const FAIR_SCALE: i64 = 256;

/// One instrument's book and the traders around it.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    profile: &'static Profile,
    rng: Rng,
    book: Book,
    /// Activity as its binary logarithm in 1/256: 0 is usual, 256 twice as busy.
    activity: i64,
    /// Actions due in one millisecond, in 1/65536.
    actions_per_ms: i64,
    /// In 1/256 ticks.
    fair: i64,
}

impl Flow {
    /// A market in its usual shape: `profile.levels` levels a side around the reference price.
    pub(crate) fn new(profile: &'static Profile, seed: u64, stream: u64) -> Self {
        let limits = Limits { levels: LEVELS_PER_SIDE_MAX, orders: ORDERS_PER_SIDE_MAX };
        let mut flow = Self {
            profile,
            rng: Rng::new(seed, stream),
            book: Book::new(limits),
            activity: 0,
            actions_per_ms: 0,
            fair: profile.reference_price * FAIR_SCALE,
        };
        for side in [Side::Bid, Side::Ask] {
            let best = profile.reference_price + i64::from(side == Side::Ask);
            flow.lay_out(side, best, 0..profile.levels);
        }
        flow.book.open(profile.update_id);
        flow.begin_window();
        flow
    }

    /// The instrument's book.
    pub(crate) const fn book(&self) -> &Book {
        &self.book
    }

    /// The instrument's book, for collecting its touched levels.
    pub(crate) const fn book_mut(&mut self) -> &mut Book {
        &mut self.book
    }

    /// The best of both sides. While one is empty, which takes more than these traders, they rest.
    pub(crate) fn bbo(&self) -> Option<Bbo> {
        self.book.bbo()
    }

    /// Draws how busy the next [`WINDOW_MS`] are, and moves the fair price.
    pub(crate) fn begin_window(&mut self) {
        let (quietest, busiest) = ACTIVITY_RANGE;
        self.activity = (self.activity * 3 / 4 + self.rng.bell()).clamp(quietest, busiest);
        // Quiet windows are less extreme than busy ones, as recorded.
        let exponent = if self.activity < 0 { self.activity * 3 / 4 } else { self.activity * 9 / 8 };
        self.actions_per_ms = self.profile.actions_per_s * exp2(exponent) / 1_000;

        let step = self.rng.bell() * self.profile.fair_step / 297;
        let reference = self.profile.reference_price * FAIR_SCALE;
        self.fair += ((step * exp2(exponent / 2)) >> 16) + (reference - self.fair) / RETURN_WINDOWS;
        self.fair = self.fair.clamp(reference - reference / 10, reference + reference / 10);
    }

    /// Draws how many actions happen in this millisecond: one at least while the spread is open, because
    /// market makers do not sleep.
    pub(crate) fn actions_due(&mut self) -> u32 {
        let whole = self.actions_per_ms >> 16;
        let one_more = self.rng.below(1 << 16) < (self.actions_per_ms & 0xffff) as u64;
        let is_open = self.bbo().is_some_and(|bbo| bbo.ask_price - bbo.bid_price > 1);
        (whole + i64::from(one_more)).clamp(i64::from(is_open), ACTIONS_PER_MS_MAX) as u32
    }

    /// One action of some trader. Returns the aggressor's side where the book's fills are this action's.
    pub(crate) fn act(&mut self) -> Option<Side> {
        if self.book.touched_len() + FILLS_PER_ORDER_MAX + 2 > CHANGES_PER_WINDOW_MAX {
            return None;
        }
        let bbo = self.bbo()?;
        if bbo.ask_price - bbo.bid_price > 1 && self.rng.chance(CLOSES_PERMILLE) {
            self.close_spread(bbo);
            return None;
        }
        if self.rng.chance(TAKES_PERMILLE) {
            return Some(self.take(bbo));
        }
        match AIMED_RANK.draw(&mut self.rng) {
            0 => self.act_at_touch(bbo),
            rank => self.act_at_rank(rank, bbo),
        }
        None
    }

    fn close_spread(&mut self, bbo: Bbo) {
        match self.favoured(bbo) {
            Side::Bid => self.place(Side::Bid, bbo.ask_price - 1),
            Side::Ask => self.place(Side::Ask, bbo.bid_price + 1),
        }
    }

    fn take(&mut self, bbo: Bbo) -> Side {
        let side = self.favoured(bbo);
        let (touch, touch_qty) = match side {
            Side::Bid => (bbo.ask_price, bbo.ask_qty),
            Side::Ask => (bbo.bid_price, bbo.bid_qty),
        };
        let drawn = self.qty(TAKING_QTY);
        let is_far = self.off_fair(bbo).abs() > self.profile.shape.at(4);
        let qty = if is_far { touch_qty } else { drawn };
        let worst = away(side.other(), touch, self.profile.shape.at(4));
        self.book.submit(side, worst, qty, Remainder::Cancelled);
        side
    }

    fn act_at_touch(&mut self, bbo: Bbo) {
        let side = self.favoured(bbo);
        let joins = self.rng.chance(JOINS_PERMILLE);
        let side = if joins { side } else { side.other() };
        let Some(best) = self.book.best(side) else { return };
        if !joins {
            self.leave(side, best.price, best.orders);
        } else if best.orders < TOUCH_ORDERS_MAX {
            self.place(side, best.price);
        }
    }

    fn act_at_rank(&mut self, rank: i64, bbo: Bbo) {
        let (side, best) =
            if self.rng.chance(500) { (Side::Bid, bbo.bid_price) } else { (Side::Ask, bbo.ask_price) };
        let shape = self.profile.shape;
        let spacing = shape.slope(rank);
        let price = away(side, best, shape.at(rank) + self.rng.below(spacing as u64) as i64);
        // A level comes where none stands within reach and goes where one does, so that the two balance.
        match self.book.nearest(side, price, (spacing * REACH_TENTHS / 10).max(1)) {
            None => {
                self.place(side, price);
                if self.rng.chance(FLEETING_PERMILLE) {
                    self.book.cancel(side, price, 0);
                }
            }
            Some(level) => {
                let orders = u64::from(level.orders) * 16;
                // Queues form where every tick is a level. Elsewhere they would keep levels from ending.
                let joins = if spacing == 1 { self.profile.join_weight } else { SPARSE_JOIN_WEIGHT };
                if self.rng.below(orders + joins) < orders {
                    self.leave(side, level.price, level.orders);
                } else {
                    self.place(side, level.price);
                }
            }
        }
    }

    /// Lays out the levels of these ranks of a side again, as at the opening, beginning at `best`.
    pub(crate) fn lay_out(&mut self, side: Side, best: i64, ranks: std::ops::Range<i64>) {
        for rank in ranks {
            self.place(side, away(side, best, self.profile.shape.at(rank)));
        }
    }

    /// The instrument's character.
    pub(crate) const fn profile(&self) -> &'static Profile {
        self.profile
    }

    /// Enters a limit order of a drawn quantity; below one tick nobody bids.
    fn place(&mut self, side: Side, price: i64) {
        let qty = self.qty(RESTING_QTY);
        if price > 0 {
            self.book.submit(side, price, qty, Remainder::Rests);
        }
    }

    fn leave(&mut self, side: Side, price: i64, orders: u32) {
        let newer_than = self.rng.below(u64::from(orders)) as u32;
        self.book.cancel(side, price, newer_than);
    }

    fn qty(&mut self, lots: Curve) -> i64 {
        (lots.draw(&mut self.rng) * self.profile.qty_quarters / 4).max(1)
    }

    /// Ticks by which fair value is above the middle of the book.
    fn off_fair(&self, bbo: Bbo) -> i64 {
        self.fair / FAIR_SCALE - (bbo.bid_price + bbo.ask_price) / 2
    }

    /// The side that fair value speaks for: even chances at the middle, 19 of 20 from eight levels off.
    fn favoured(&mut self, bbo: Bbo) -> Side {
        let pull = (self.off_fair(bbo) * 450 / self.profile.shape.at(8).max(1)).clamp(-450, 450);
        if self.rng.chance((500 + pull) as u64) { Side::Bid } else { Side::Ask }
    }
}

/// The price `distance` ticks from `best`, away from the other side.
const fn away(side: Side, best: i64, distance: i64) -> i64 {
    match side {
        Side::Bid => best - distance,
        Side::Ask => best + distance,
    }
}

/// 2^(x/256) in 1/65536, for x in -2,048..=2,048; straight between whole powers.
const fn exp2(x: i64) -> i64 {
    let whole = x.div_euclid(256);
    let base = if whole < 0 { 65_536 >> -whole } else { 65_536 << whole };
    base + base * x.rem_euclid(256) / 256
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;
    use crate::market::instrument::PROFILES;

    #[test]
    fn powers_of_two_are_exact_at_whole_ones_and_rise_between() {
        assert_eq!([-512, -256, 0, 256, 1_024].map(exp2), [16_384, 32_768, 65_536, 131_072, 1 << 20]);
        assert!((-2_048..2_048).all(|x| exp2(x) < exp2(x + 1)));
    }

    #[test]
    fn the_flow_rests_when_a_message_is_full() {
        let mut flow = Flow::new(&PROFILES[0], 1, 0);
        for _ in 0..2 * CHANGES_PER_WINDOW_MAX {
            flow.act();
        }
        let (touched_len, id) = (flow.book.touched_len(), flow.book.id());
        assert!(
            (CHANGES_PER_WINDOW_MAX - 80..=CHANGES_PER_WINDOW_MAX).contains(&touched_len),
            "{touched_len}"
        );
        flow.act();
        assert_eq!(flow.book.id(), id);
        flow.book.take_touched(&mut Vec::new());
        for _ in 0..10 {
            flow.act();
        }
        assert!(flow.book.id() > id, "and goes on after it");
    }

    #[test]
    fn a_burst_is_bounded() {
        let mut flow = Flow::new(&PROFILES[0], 1, 0);
        flow.actions_per_ms = 1_000 << 16;
        assert_eq!(i64::from(flow.actions_due()), ACTIONS_PER_MS_MAX);
        for _ in 0..100_000 {
            flow.begin_window();
            let most = flow.profile.actions_per_s * exp2(ACTIVITY_RANGE.1 * 9 / 8) / 1_000;
            assert!(flow.actions_per_ms <= most && flow.actions_per_ms > 0);
        }
    }

    #[test]
    fn the_price_follows_fair_value_and_fair_value_returns() {
        for (stream, profile) in PROFILES.iter().enumerate() {
            let mut flow = Flow::new(profile, 1, stream as u64);
            let away = profile.shape.at(60);
            for target in [profile.reference_price + away, profile.reference_price - away] {
                flow.fair = target * FAIR_SCALE;
                for _ in 0..60_000 {
                    flow.act();
                    flow.book.take_touched(&mut Vec::new());
                }
                let off = flow.off_fair(flow.bbo().unwrap());
                assert!(off.abs() < away / 4, "{} is {off} off", profile.symbol);
            }
            flow.fair = i64::from(u32::MAX) * FAIR_SCALE;
            flow.begin_window();
            let reference = profile.reference_price * FAIR_SCALE;
            assert_eq!(flow.fair, reference + reference / 10, "brought into its range at once");
            (0..4 * RETURN_WINDOWS).for_each(|_| flow.begin_window());
            assert!((flow.fair - reference).abs() < reference / 50, "{}", profile.symbol);
        }
    }
}

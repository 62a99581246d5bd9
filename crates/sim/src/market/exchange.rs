//! One instrument's whole life, millisecond by millisecond: the usual flow, and what is rare in it.
//!
//! Beside the traders of [`Flow`], with chances of their own: the best levels vanish, a whole side vanishes for a
//! moment, a taker sweeps several levels, orders of one lot and of a fortune stand somewhere, an order enters and
//! leaves at once, and orders are amended in quantity and in price. So every venue's rule for such things is used.

use crate::curve::Curve;
use crate::market::Trade;
use crate::market::book::{Book, Change, Remainder, Side};
use crate::market::flow::{Flow, WINDOW_MS};
use crate::market::instrument::Profile;
use crate::rng::Rng;

/// Of 1,000,000 milliseconds, those in which a whole side vanishes: some three times in two minutes.
const VANISHES_PPM: u64 = 25;
/// … in which the best levels of a side vanish.
const STRIPS_PPM: u64 = 500;
/// … in which a taker goes through several levels.
const SWEEPS_PPM: u64 = 300;
/// … in which an order of one lot, or of a fortune, is placed.
const ODD_PPM: u64 = 6_000;
/// … in which an order enters at the best price and leaves at once.
const BLINKS_PPM: u64 = 3_000;
/// … in which an order is amended.
const AMENDS_PPM: u64 = 20_000;
/// … from which on nobody acts for a while, where the market sleeps at all: some four times in two minutes.
const SLEEPS_PPM: u64 = 40;
const ALL_PPM: u64 = 1_000_000;

/// Levels that vanish together, by quantile.
const STRIPPED: Curve = Curve(&[(0, 1), (600_000, 4), (950_000, 15), (1_000_000, 60)]);

/// Milliseconds for which a side stays empty, by quantile.
const EMPTY_MS: Curve = Curve(&[(0, 1), (500_000, 60), (1_000_000, 900)]);

/// Milliseconds for which nobody acts, by quantile: as long as a healthy book channel was recorded silent.
const ASLEEP_MS: Curve = Curve(&[(0, 200), (500_000, 900), (1_000_000, 3_300)]);

/// Ranks that come back in one millisecond after a side was empty.
const LAID_OUT_PER_MS: i64 = 40;

/// Rank at which odd orders stand and orders are amended, by quantile.
const ODD_RANK: Curve = Curve(&[(0, 0), (500_000, 6), (900_000, 40), (1_000_000, 900)]);

/// Lots of an order of a fortune: some hundred thousand times a usual one.
const FORTUNE: u64 = 400_000_000_000_000;

/// A side that is coming back.
#[derive(Clone, Copy, Debug)]
struct Return {
    /// When the first level stands again.
    at_ms: u64,
    best: i64,
    /// The first rank that is not laid out yet.
    rank: i64,
}

/// An instrument that lives while it is asked to.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    flow: Flow,
    rare: Rng,
    lived_ms: u64,
    /// Until when nobody acts; `None`: this market never sleeps.
    asleep_until_ms: Option<u64>,
    /// By [`Side`].
    returns: [Option<Return>; 2],
    changes: Vec<Change>,
    trades: Vec<Trade>,
    trade_id: u64,
}

impl Exchange {
    /// A market in its usual shape. `stream` keeps the instruments of one seed apart.
    pub(crate) fn new(profile: &'static Profile, seed: u64, stream: u64) -> Self {
        let mut flow = Flow::new(profile, seed, stream);
        flow.book_mut().keep_journal();
        Self {
            flow,
            rare: Rng::new(seed, stream ^ 0x7a5e),
            lived_ms: 0,
            asleep_until_ms: None,
            returns: [None; 2],
            changes: Vec::new(),
            trades: Vec::new(),
            trade_id: profile.trade_id,
        }
    }

    /// The same market, where nobody acts now and then.
    pub(crate) const fn drowsy(mut self) -> Self {
        self.asleep_until_ms = Some(0);
        self
    }

    pub(crate) const fn book(&self) -> &Book {
        self.flow.book()
    }

    pub(crate) const fn profile(&self) -> &'static Profile {
        self.flow.profile()
    }

    /// The steps of the last millisecond.
    pub(crate) fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The trades of the last millisecond, oldest first.
    pub(crate) fn trades(&self) -> &[Trade] {
        &self.trades
    }

    /// One millisecond more.
    pub(crate) fn live(&mut self) {
        self.changes.clear();
        self.trades.clear();
        self.lived_ms += 1;
        if self.asleep_until_ms.is_some_and(|until_ms| self.lived_ms < until_ms) {
            return;
        }
        if self.lived_ms.is_multiple_of(WINDOW_MS) {
            self.flow.begin_window();
        }
        for _ in 0..self.flow.actions_due() {
            if let Some(aggressor) = self.flow.act() {
                self.told(aggressor);
            }
        }
        self.come_back();
        self.something_rare();
        self.flow.book_mut().take_changes(&mut self.changes);
        self.flow.book_mut().forget_touched();
    }

    /// The next id of a trade that is none of this book's.
    pub(crate) const fn next_trade_id(&mut self) -> u64 {
        self.trade_id += 1;
        self.trade_id
    }

    /// Notes the trades of the order that was entered last.
    fn told(&mut self, aggressor: Side) {
        for at in 0..self.flow.book().fills().len() {
            let id = self.next_trade_id();
            let fill = self.flow.book().fills()[at];
            let buyer_is_maker = aggressor == Side::Ask;
            self.trades.push(Trade { id, price: fill.price, qty: fill.qty, buyer_is_maker });
        }
    }

    fn something_rare(&mut self) {
        let mut draw = self.rare.below(ALL_PPM);
        let mut is = |share: u64| {
            let is = draw < share;
            draw = draw.wrapping_sub(share);
            is
        };
        if self.asleep_until_ms.is_some() && is(SLEEPS_PPM) {
            self.asleep_until_ms = Some(self.lived_ms + ASLEEP_MS.draw(&mut self.rare).unsigned_abs());
        } else if is(VANISHES_PPM) {
            self.vanish();
        } else if is(STRIPS_PPM) {
            let (side, levels) = (self.side(), STRIPPED.draw(&mut self.rare) as usize);
            let room = self.book().levels_len(side) / 2;
            self.flow.book_mut().strip(side, levels.min(room));
        } else if is(SWEEPS_PPM) {
            self.sweep();
        } else if is(ODD_PPM) {
            self.odd();
        } else if is(BLINKS_PPM) {
            let side = self.side();
            if let Some(best) = self.book().best(side) {
                let qty = 1 + self.rare.below(best.qty.unsigned_abs()) as i64;
                self.flow.book_mut().submit(side, best.price, qty, Remainder::Rests);
                self.flow.book_mut().cancel(side, best.price, best.orders);
            }
        } else if is(AMENDS_PPM) {
            self.amend();
        }
    }

    fn side(&mut self) -> Side {
        if self.rare.chance(500) { Side::Bid } else { Side::Ask }
    }

    /// A side vanishes, and begins to come back where it was. Only one at a time.
    fn vanish(&mut self) {
        let side = self.side();
        let Some(best) = self.book().best(side) else { return };
        if self.returns.iter().any(Option::is_some) {
            return;
        }
        self.flow.book_mut().strip(side, usize::MAX);
        let at_ms = self.lived_ms + EMPTY_MS.draw(&mut self.rare).unsigned_abs();
        self.returns[side as usize] = Some(Return { at_ms, best: best.price, rank: 0 });
    }

    fn come_back(&mut self) {
        for side in [Side::Bid, Side::Ask] {
            let Some(back) = &mut self.returns[side as usize] else { continue };
            if self.lived_ms < back.at_ms {
                continue;
            }
            let (best, ranks) = (back.best, back.rank..back.rank + LAID_OUT_PER_MS);
            back.rank = ranks.end;
            if back.rank >= self.flow.profile().levels {
                self.returns[side as usize] = None;
            }
            self.flow.lay_out(side, best, ranks);
        }
    }

    fn sweep(&mut self) {
        let (side, depth) = (self.side(), 1 + self.rare.below(8) as usize);
        let (mut worst, mut qty) = (None, 0);
        for level in self.book().levels(side.other()).take(depth) {
            worst = Some(level.price);
            qty += level.qty;
        }
        let Some(worst) = worst else { return };
        self.flow.book_mut().submit(side, worst, qty, Remainder::Cancelled);
        self.told(side);
    }

    /// An order of one lot or of a fortune; a fortune never stands at the best price, where it would hold it.
    fn odd(&mut self) {
        let (side, rank) = (self.side(), ODD_RANK.draw(&mut self.rare) as usize);
        let is_fortune = self.rare.chance(100);
        let qty = if is_fortune { 1 + self.rare.below(FORTUNE) as i64 } else { 1 };
        let Some(level) = self.book().levels(side).nth(rank.max(if is_fortune { 5 } else { 0 })) else {
            return;
        };
        let price = level.price;
        self.flow.book_mut().submit(side, price, qty, Remainder::Rests);
    }

    fn amend(&mut self) {
        let (side, rank) = (self.side(), ODD_RANK.draw(&mut self.rare) as usize);
        let Some(&level) = self.book().levels(side).nth(rank) else { return };
        let newer_than = self.rare.below(u64::from(level.orders)) as u32;
        if self.rare.chance(500) {
            let qty = 1 + self.rare.below(level.qty.unsigned_abs() / u64::from(level.orders)) as i64;
            self.flow.book_mut().amend_qty(side, level.price, newer_than, qty);
        } else {
            let near = ODD_RANK.draw(&mut self.rare) as usize;
            let Some(other) = self.book().levels(side).nth(near).map(|level| level.price) else { return };
            let price = other + self.rare.below(3) as i64 - 1;
            self.flow.book_mut().amend_price(side, level.price, newer_than, price);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::instrument::PROFILES;

    #[test]
    fn rare_things_happen_and_the_book_stays_sound() {
        let mut exchange = Exchange::new(&PROFILES[2], 3, 0);
        let (mut empty_ms, mut least, mut most, mut trades, mut changes) = (0, i64::MAX, 0, 0, 0);
        let reference = PROFILES[2].reference_price;
        for _ in 0..300_000 {
            exchange.live();
            let book = exchange.book();
            match (book.best(Side::Bid), book.best(Side::Ask)) {
                (Some(bid), Some(ask)) => {
                    assert!(bid.price < ask.price);
                    assert!(bid.price > reference / 2 && ask.price < reference * 2, "{}", bid.price);
                }
                _ => empty_ms += 1,
            }
            for change in exchange.changes() {
                if change.order_qty > 0 {
                    (least, most) = (least.min(change.order_qty), most.max(change.order_qty));
                }
            }
            trades += exchange.trades().len();
            changes += exchange.changes().len();
        }
        assert!((1..30_000).contains(&empty_ms), "{empty_ms} ms with an empty side");
        assert!(least == 1 && most > FORTUNE as i64 / 4, "{least} to {most}");
        assert!(trades > 1_000 && changes > 20_000, "{trades} trades, {changes} changes");
        assert!(exchange.book().levels_len(Side::Bid) > 1_000);
    }
}

//! How fast a book recovers from a trade that has emptied or moved its best price.

use super::touch::Touch;
use crate::types::{Qty, TimeNs};

/// Changes of the best quotes within which a book that recovers has done so (L. Xu and others, "Limit-order book
/// resiliency after effective market orders", Physica A 477 (2017), find it within 20).
pub const UPDATES_MAX: u32 = 20;

/// Recoveries that are kept.
pub const RECOVERIES_MAX: usize = 64;

/// What has come of a trade that took all that stood at the best price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// Changes of the best quotes until then.
    pub updates: u32,
    /// Time until then.
    pub ns: u64,
    /// Whether spread and quantity were back; else [`UPDATES_MAX`] changes had passed, or the book was lost.
    pub has_recovered: bool,
}

/// What the last recoveries say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resiliency {
    /// How many there are.
    pub count: usize,
    /// Middle of the changes that it took, of those that recovered; none when none did.
    pub updates: Option<u32>,
    /// Middle of the time that it took, of the same.
    pub ns: Option<u64>,
    /// Share of those that did not recover.
    pub unrecovered: f64,
}

/// Looks at each event with trades that has moved a best price, and counts until the book is as it was: the spread no
/// wider, and on the side that was taken from at least `share` of the quantity at the best price.
///
/// One such trade is followed at a time; those that come meanwhile are a part of it. Absent until there has been one.
///
/// Cost: two comparisons a change of the best quotes. Allocates when it is made.
#[derive(Clone, Debug)]
pub struct Recoveries {
    /// What has to be back, in 1/1,000 of the quantity before.
    share_per_mille: u32,
    touch: Option<Touch>,
    open: Option<Open>,
    ring: Vec<Recovery>,
    next: usize,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    before: Touch,
    is_bid: bool,
    began: TimeNs,
    updates: u32,
}

impl Recoveries {
    /// `share_per_mille`: 900 = nine tenths of the quantity has to be back. None for 0 and for more than 1,000.
    #[must_use]
    pub fn new(share_per_mille: u32) -> Option<Self> {
        let is_share = (1..=1_000).contains(&share_per_mille);
        let ring = Vec::with_capacity(RECOVERIES_MAX);
        is_share.then_some(Self { share_per_mille, touch: None, open: None, ring, next: 0 })
    }

    /// Begins again, without a book.
    pub fn clear(&mut self) {
        self.ring.clear();
        (self.touch, self.open, self.next) = (None, None, 0);
    }

    /// The book after an event of the venue; `has_traded`: trades were a part of it. No touch: a side is empty, the
    /// book crossed or not synced.
    pub fn set(&mut self, touch: Option<Touch>, has_traded: bool, now: TimeNs) {
        if touch == self.touch {
            return;
        }
        let before = std::mem::replace(&mut self.touch, touch);
        match (&mut self.open, touch) {
            (Some(open), Some(after)) => {
                open.updates += 1;
                let open = *open;
                if self.is_back(open, after) {
                    self.close(open, true, now);
                } else if open.updates >= UPDATES_MAX {
                    self.close(open, false, now);
                }
            }
            (Some(open), None) => {
                let open = *open;
                self.close(open, false, now);
            }
            (None, Some(after)) if has_traded => {
                self.open = before.and_then(|before| {
                    let (bid, ask) = (after.bid() < before.bid(), after.ask() > before.ask());
                    (bid || ask).then_some(Open { before, is_bid: bid, began: now, updates: 0 })
                });
            }
            _ => {}
        }
    }

    /// What the last [`RECOVERIES_MAX`] of them say. Sorts them.
    #[must_use]
    pub fn value(&self) -> Option<Resiliency> {
        let count = self.ring.len();
        if count == 0 {
            return None;
        }
        let recovered = || self.ring.iter().filter(|recovery| recovery.has_recovered);
        let middle = |of: fn(&Recovery) -> u64| {
            let mut values = [0; RECOVERIES_MAX];
            let count = recovered().zip(&mut values).map(|(recovery, to)| *to = of(recovery)).count();
            let values = &mut values[..count];
            values.sort_unstable();
            values.get(count / 2).copied()
        };
        Some(Resiliency {
            count,
            updates: middle(|recovery| u64::from(recovery.updates)).map(|updates| updates as u32),
            ns: middle(|recovery| recovery.ns),
            unrecovered: (count - recovered().count()) as f64 / count as f64,
        })
    }

    fn is_back(&self, open: Open, after: Touch) -> bool {
        let qty = |touch: Touch| if open.is_bid { touch.bid_qty() } else { touch.ask_qty() };
        let (Qty(was), Qty(is)) = (qty(open.before), qty(after));
        let is_enough = i128::from(is) * 1_000 >= i128::from(was) * i128::from(self.share_per_mille);
        is_enough && after.spread() <= open.before.spread()
    }

    fn close(&mut self, open: Open, has_recovered: bool, now: TimeNs) {
        let recovery = Recovery { updates: open.updates, ns: now.saturating_sub(open.began), has_recovered };
        if self.ring.len() < RECOVERIES_MAX {
            self.ring.push(recovery);
        } else {
            self.ring[self.next] = recovery;
        }
        self.next = (self.next + 1) % RECOVERIES_MAX;
        self.open = None;
    }
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
    fn it_counts_until_spread_and_quantity_are_back() {
        let mut recoveries = Recoveries::new(900).unwrap();
        let whole = touch(100, 10, 101, 10);
        recoveries.set(whole, false, 0);
        recoveries.set(touch(100, 10, 102, 4), true, 10);
        recoveries.set(touch(100, 10, 102, 4), false, 15);
        assert_eq!(recoveries.value(), None);
        recoveries.set(touch(100, 10, 101, 8), false, 20);
        recoveries.set(touch(100, 10, 102, 9), true, 30);
        recoveries.set(touch(101, 1, 102, 9), false, 40);
        assert_eq!(
            recoveries.value(),
            Some(Resiliency { count: 1, updates: Some(3), ns: Some(30), unrecovered: 0.0 })
        );
    }

    #[test]
    fn what_does_not_come_back_is_counted() {
        let mut recoveries = Recoveries::new(1_000).unwrap();
        recoveries.set(touch(100, 10, 101, 10), false, 0);
        recoveries.set(touch(99, 10, 101, 10), true, 0);
        for update in 1..=UPDATES_MAX {
            assert_eq!(recoveries.value(), None);
            recoveries.set(touch(99, 10 + i64::from(update), 101, 10), false, 1);
        }
        assert_eq!(recoveries.value().unwrap().unrecovered, 1.0);
        // Another one, during which the book is lost.
        recoveries.set(touch(98, 10, 101, 10), true, 2);
        recoveries.set(None, false, 3);
        let value = recoveries.value().unwrap();
        assert_eq!((value.count, value.updates, value.ns), (2, None, None));
    }

    #[test]
    fn a_price_that_moves_without_a_trade_is_none() {
        let mut recoveries = Recoveries::new(500).unwrap();
        recoveries.set(touch(100, 10, 101, 10), true, 0);
        recoveries.set(touch(99, 10, 101, 10), false, 1);
        recoveries.set(touch(99, 3, 101, 10), true, 2);
        recoveries.set(None, true, 3);
        recoveries.set(touch(90, 3, 101, 10), true, 4);
        assert!(recoveries.open.is_none() && recoveries.value().is_none());
        assert!(Recoveries::new(0).is_none() && Recoveries::new(1_001).is_none());
    }

    #[test]
    fn no_more_are_kept_than_there_is_room_for() {
        let mut recoveries = Recoveries::new(1).unwrap();
        for nth in 0..(RECOVERIES_MAX as u64 + 9) {
            recoveries.set(touch(100, 10, 101, 10), false, nth);
            recoveries.set(touch(99, 10, 101, 10), true, nth);
        }
        let value = recoveries.value().unwrap();
        assert_eq!((value.count, value.updates, value.unrecovered), (RECOVERIES_MAX, Some(1), 0.0));
    }
}

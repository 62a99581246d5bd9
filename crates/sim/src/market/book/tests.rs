//! Matching, queue order, and the policies at the limits.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use super::*;
use crate::rng::Rng;

const LIMITS: Limits = Limits { levels: 40, orders: 100 };

impl Book {
    fn check_invariants(&self) {
        for side in [Side::Bid, Side::Ask] {
            let mut orders_len = 0;
            for (&key, level) in &self.ladder(side).levels {
                assert_eq!(key, side.key(level.price));
                let (mut qty, mut orders, mut slot, mut older) = (0, 0, level.oldest, NONE);
                while slot != NONE {
                    let order = self.pool[slot as usize];
                    assert!(order.qty > 0 && order.older == older);
                    (qty, orders, older, slot) = (qty + order.qty, orders + 1, slot, order.newer);
                }
                assert_eq!((qty, orders, older), (level.qty, level.orders, level.newest));
                orders_len += orders as usize;
            }
            assert_eq!(orders_len, self.orders_len(side));
            assert!(orders_len <= self.limits.orders && self.levels_len(side) <= self.limits.levels);
        }
        assert_eq!(
            self.orders_len(Side::Bid) + self.orders_len(Side::Ask) + self.free.len(),
            self.pool.len()
        );
        if let (Some(bid), Some(ask)) = (self.best(Side::Bid), self.best(Side::Ask)) {
            assert!(bid.price < ask.price);
        }
    }

    fn prices(&self, side: Side) -> Vec<i64> {
        self.levels(side).map(|level| level.price).collect()
    }
}

/// Twenty levels a side of one order of 10, bids down from 1,000 and asks up from 1,001.
fn twenty_levels() -> Book {
    let mut book = Book::new(LIMITS);
    for distance in 0..20 {
        book.submit(Side::Bid, 1_000 - distance, 10, Remainder::Rests);
        book.submit(Side::Ask, 1_001 + distance, 10, Remainder::Rests);
    }
    book.open(500);
    book
}

#[test]
fn an_order_trades_oldest_first_and_the_rest_of_it_rests() {
    let mut book = twenty_levels();
    book.submit(Side::Ask, 1_001, 5, Remainder::Rests);
    book.submit(Side::Bid, 1_002, 40, Remainder::Rests);
    let fill = |price, qty| Fill { price, qty };
    assert_eq!(book.fills(), [fill(1_001, 10), fill(1_001, 5), fill(1_002, 10)]);
    assert_eq!(book.best(Side::Bid).map(|best| (best.price, best.qty)), Some((1_002, 15)));
    assert_eq!(book.best(Side::Ask).map(|best| best.price), Some(1_003));
    // One id for the order that joined, one for each of the two levels taken, one for the order at rest.
    assert_eq!(book.id(), 504);
    book.check_invariants();
}

#[test]
fn a_market_order_leaves_nothing_behind() {
    let mut book = twenty_levels();
    book.submit(Side::Ask, 1_000, 25, Remainder::Cancelled);
    assert_eq!(book.fills().len(), 1);
    assert_eq!(book.best(Side::Bid).map(|best| best.price), Some(999));
    assert_eq!(book.best(Side::Ask).map(|best| (best.price, best.qty)), Some((1_001, 10)));
    book.check_invariants();
}

#[test]
fn cancels_the_order_at_the_asked_place_in_the_queue() {
    let mut book = twenty_levels();
    book.submit(Side::Bid, 1_000, 7, Remainder::Rests);
    book.submit(Side::Bid, 1_000, 3, Remainder::Rests);
    book.cancel(Side::Bid, 1_000, 1);
    assert_eq!(book.qty_at(Side::Bid, 1_000), 13);
    book.submit(Side::Ask, 1_000, 11, Remainder::Cancelled);
    assert_eq!(book.fills(), [Fill { price: 1_000, qty: 10 }, Fill { price: 1_000, qty: 1 }]);
    book.cancel(Side::Bid, 1_000, 9);
    assert_eq!(book.qty_at(Side::Bid, 1_000), 0);
    let id = book.id();
    book.cancel(Side::Bid, 1_000, 0);
    assert_eq!(book.id(), id, "nothing stood there");
    book.check_invariants();
}

#[test]
fn touched_levels_come_once_each_best_first() {
    let mut book = twenty_levels();
    for price in [995, 999, 995] {
        book.submit(Side::Bid, price, 1, Remainder::Rests);
    }
    book.cancel(Side::Ask, 1_010, 0);
    book.cancel(Side::Ask, 1_004, 0);
    let mut touched = Vec::new();
    book.take_touched(&mut touched);
    assert_eq!(touched, [(Side::Bid, 999), (Side::Bid, 995), (Side::Ask, 1_004), (Side::Ask, 1_010)]);
    book.take_touched(&mut touched);
    assert!(touched.is_empty());
}

#[test]
fn at_the_level_limit_the_worst_level_goes_and_a_worse_order_is_refused() {
    let mut book = Book::new(Limits { levels: 3, orders: 100 });
    for price in [100, 98, 96, 96] {
        book.submit(Side::Bid, price, 1, Remainder::Rests);
    }
    book.submit(Side::Bid, 95, 1, Remainder::Rests);
    assert_eq!(book.prices(Side::Bid), [100, 98, 96]);
    book.submit(Side::Bid, 97, 1, Remainder::Rests);
    assert_eq!(book.prices(Side::Bid), [100, 98, 97]);
    book.submit(Side::Bid, 97, 1, Remainder::Rests);
    assert_eq!((book.prices(Side::Bid), book.orders_len(Side::Bid)), (vec![100, 98, 97], 4));
    // Five orders that rested, the one on the new level, and the shed level.
    assert_eq!(book.id(), 7);
    book.check_invariants();
}

#[test]
fn at_the_order_limit_the_worst_level_goes_and_an_order_there_is_refused() {
    let mut book = Book::new(Limits { levels: 10, orders: 4 });
    for price in [200, 201, 202, 202] {
        book.submit(Side::Ask, price, 1, Remainder::Rests);
    }
    book.submit(Side::Ask, 202, 1, Remainder::Rests);
    assert_eq!((book.prices(Side::Ask), book.orders_len(Side::Ask)), (vec![200, 201, 202], 4));
    book.submit(Side::Ask, 200, 1, Remainder::Rests);
    assert_eq!((book.prices(Side::Ask), book.orders_len(Side::Ask)), (vec![200, 201], 3));
    book.check_invariants();
}

#[test]
fn a_side_keeps_its_last_levels() {
    let mut book = twenty_levels();
    book.submit(Side::Bid, 2_000, 1_000, Remainder::Rests);
    assert_eq!(book.levels_len(Side::Ask), LEVELS_PER_SIDE_MIN);
    assert_eq!(book.levels_len(Side::Bid), 20, "what would cross does not rest");
    let best = book.best(Side::Ask).unwrap();
    book.cancel(Side::Ask, best.price, 0);
    assert_eq!(book.levels_len(Side::Ask), LEVELS_PER_SIDE_MIN);
    book.check_invariants();
}

#[test]
fn one_order_trades_with_a_bounded_number_of_others() {
    let mut book = twenty_levels();
    for _ in 0..70 {
        book.submit(Side::Ask, 1_001, 1, Remainder::Rests);
    }
    book.submit(Side::Bid, 1_001, 10_000, Remainder::Rests);
    assert_eq!(book.fills().len(), FILLS_PER_ORDER_MAX);
    assert_eq!(book.qty_at(Side::Ask, 1_001), 7);
    assert_eq!(book.best(Side::Bid).map(|best| best.price), Some(1_000));
    book.check_invariants();
}

#[test]
fn any_orders_leave_a_sound_book() {
    let seed = 20_260_801;
    println!("seed {seed}");
    let (mut rng, mut book) = (Rng::new(seed, 0), twenty_levels());
    for _ in 0..20_000 {
        let side = if rng.chance(500) { Side::Bid } else { Side::Ask };
        let price = 970 + rng.below(60) as i64;
        let id = book.id();
        if rng.chance(450) {
            book.cancel(side, price, rng.below(5) as u32);
            assert!(book.id() <= id + 1);
        } else {
            let remainder = if rng.chance(900) { Remainder::Rests } else { Remainder::Cancelled };
            book.submit(side, price, 1 + rng.below(30) as i64, remainder);
        }
        book.check_invariants();
    }
}

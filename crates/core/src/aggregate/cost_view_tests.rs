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

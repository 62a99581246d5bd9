//! Costs against the plainest computation from the ordered-map book, message by message: a view that is not computed again
//! although a message has changed it gives a wrong row here.
//!
//! A failure names the seed and the message, which is all that is needed to repeat it.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

use depthwire_core::aggregate::{Cost, CostView};
use depthwire_core::book::{BookSpec, L2Book, NaiveBook};
use depthwire_core::types::{Instrument, KnownTo, Level, Levels, Price, Qty, Side};
use depthwire_core::venues;

const SEEDS: u64 = if cfg!(debug_assertions) { 100 } else { 1_000 };
const MESSAGES: u64 = 60;
const SPEC: BookSpec = BookSpec { tick_size: 1, levels_max: 10_000 };

/// A seeded stream of numbers (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % bound
    }
}

/// What taking a quantity comes to, level by level: filled, average in 1e-4 of a unit, worst price, and its cost.
fn taken(levels: &[Level], qty: i128) -> (i128, i128, Price, i128) {
    let (mut left, mut value, mut worst) = (qty, 0i128, Price(0));
    for level in levels {
        if left == 0 {
            break;
        }
        let part = left.min(i128::from(level.qty.0));
        (left, worst) = (left - part, level.price);
        value += part * i128::from(level.price.0);
    }
    let filled = qty - left;
    let average = if filled == 0 { 0 } else { (2 * value * 10_000 + filled).div_euclid(2 * filled) };
    (filled, average, worst, value)
}

fn check(rows: &[Cost], book: &NaiveBook, quantities: &[Qty], bands: &[u16], place: &str) {
    let side = |side: Side| book.levels(side).collect::<Vec<_>>();
    let levels = [side(Side::Bid), side(Side::Ask)];
    let mut expected = Vec::new();
    for qty in quantities {
        for (index, side) in [Side::Bid, Side::Ask].into_iter().enumerate() {
            let (filled, average, worst, cost) = taken(&levels[index], i128::from(qty.0));
            expected.push((side, i128::from(qty.0), filled, average, worst, cost, 0));
        }
    }
    for &bps in bands {
        let mid = match (levels[0].first(), levels[1].first()) {
            (Some(bid), Some(ask)) => Some(i128::from(bid.price.0 + ask.price.0)),
            _ => None,
        };
        for (index, side) in [Side::Bid, Side::Ask].into_iter().enumerate() {
            let within = |level: &&Level| {
                let Some(mid) = mid else { return false };
                let away = i128::from(level.price.0) * 2 - mid;
                let worse = if side == Side::Bid { -away } else { away };
                worse * 10_000 <= mid.abs() * i128::from(bps)
            };
            let inside: Vec<_> = levels[index].iter().filter(within).copied().collect();
            let qty = inside.iter().map(|level| i128::from(level.qty.0)).sum();
            let (filled, average, worst, cost) = taken(&inside, qty);
            expected.push((side, qty, filled, average, worst, cost, bps));
        }
    }
    let told: Vec<_> = rows
        .iter()
        .map(|row| {
            assert!(row.filled.0 == 0 || row.price_exponent == -4, "{place}");
            assert_eq!(row.is_complete, row.filled == row.qty, "{place}");
            let numbers = [row.qty.0, row.filled.0, row.price_average, row.cost].map(i128::from);
            (row.side, numbers[0], numbers[1], numbers[2], row.price_worst, numbers[3], row.bps)
        })
        .collect();
    assert_eq!(told, expected, "{place}");
}

#[test]
fn rows_are_those_of_the_plain_book_after_each_message() {
    let listed = venues::instrument(venues::SIM, "TEST").unwrap();
    let instrument = Instrument { price_exponent: 0, qty_exponent: 0, ..listed };
    let (mut skipped, mut computed) = (0u32, 0u32);
    for seed in 1..=SEEDS {
        let mut random = Random(seed);
        let center = [0, 500, 61_000_000][random.below(3) as usize];
        let spread = [5, 40, 3_000][random.below(3) as usize];
        let mut level = |side: Side| {
            let away = random.below(spread) as i64;
            // Now and then the sides cross.
            let price = if side == Side::Bid { center - away + 1 } else { center + away };
            Level::new(price, random.below(4).min(random.below(9)) as i64 * 10)
        };
        let quantities = [Qty(1), Qty(35), Qty(10_000)];
        let bands = [1, 50, 10_000];
        let mut view = CostView::new(instrument.clone(), &quantities, &bands, 0).unwrap();
        let (mut book, mut naive) = (L2Book::new(SPEC), NaiveBook::new(SPEC));
        let levels = Levels::default();
        book.load(levels.view(), KnownTo::WHOLE).unwrap();
        naive.load(levels.view(), KnownTo::WHOLE).unwrap();
        view.image(0, &book);
        for message in 0..MESSAGES {
            let mut levels = Levels::default();
            for side in [Side::Bid, Side::Ask] {
                levels.side_mut(side).push(level(side));
            }
            let touched = book.apply(levels.view()).unwrap();
            naive.apply(levels.view()).unwrap();
            view.touch(touched);
            if view.is_due(message + 1) {
                view.flush(message + 1, &book);
                computed += 1;
            } else {
                skipped += 1;
            }
            check(view.published(), &naive, &quantities, &bands, &format!("seed {seed}, message {message}"));
        }
    }
    println!("seeds 1 to {SEEDS}: {computed} computed, {skipped} skipped");
    assert!(computed > 1_000);
}

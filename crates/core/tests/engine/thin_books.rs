//! Thin books against the ordered maps: frames that come and go round the number of levels at which a window opens, snapshots
//! that give it back, levels that leave and find the one block of a compact book, limits that a thin book meets, prices that run away or that no window can hold, and every question that
//! a book answers.

use crate::random::Random;
use depthwire_core::book::{BookSpec, L2Book, NaiveBook, QtyAt};
use depthwire_core::types::{KnownTo, Level, Levels, Price, Qty, Side};

const SIDES: [Side; 2] = [Side::Bid, Side::Ask];

/// Up to `count` levels of each side, a few of them off the grid, far away or at either end of all prices.
fn frame(random: &mut Random, center: i64, count: u64, ranks: u64, removed_in: u64) -> Levels {
    let mut levels = Levels::default();
    for side in SIDES {
        for _ in 0..random.below(count + 1) {
            let away = 10 * random.below(ranks) as i64;
            let price = match random.below(8_192) {
                0 => i64::MIN,
                1 => i64::MAX,
                // Those of few ranks are on the grid, so that a compact book stays so for long.
                2..100 if ranks > 12 => center - away + 3,
                _ if side == Side::Bid => center - away,
                _ => center + 10 + away,
            };
            let qty = match random.below(removed_in * 64) {
                0 => i64::MAX,
                drawn if drawn < 64 => 0,
                _ => 1 + random.below(1_000) as i64,
            };
            let list = if side == Side::Bid { &mut levels.bids } else { &mut levels.asks };
            list.push(Level::new(price, qty));
        }
    }
    levels
}

fn assert_equal(book: &L2Book, naive: &NaiveBook, what: &str) {
    for side in SIDES {
        assert!(book.levels(side).eq(naive.levels(side)), "{what}: {side:?}");
        assert_eq!(book.len(side), naive.len(side), "{what}: {side:?}");
    }
    assert_eq!((book.best_bid(), book.best_ask()), (naive.best_bid(), naive.best_ask()), "{what}");
    assert_eq!(book.known_to(), naive.known_to(), "{what}");
    assert_eq!(book.check_invariants(), Ok(()), "{what}");
}

/// Sums, the next level, a level's quantity and what a quantity is taken from, by the ordered map's levels.
fn assert_answers(book: &L2Book, naive: &NaiveBook, random: &mut Random, center: i64, what: &str) {
    for side in SIDES {
        let at = |random: &mut Random| Price(center - 1_500 + random.below(3_000) as i64);
        let (from, to) = (at(random), at(random));
        let reaches = |level: &Level, price| !side.is_better(price, level.price);
        let sum = |holds: &dyn Fn(&Level) -> bool| {
            naive.levels(side).filter(|level| holds(level)).map(|level| i128::from(level.qty.0)).sum::<i128>()
        };
        assert_eq!(book.qty_to(side, to), sum(&|level| reaches(level, to)), "{what}");
        let between = sum(&|level| reaches(level, to) && !side.is_better(level.price, from));
        assert_eq!(book.qty_between(side, from, to), between, "{what}: {from:?} {to:?}");
        let beyond = naive.levels(side).find(|level| side.is_better(from, level.price));
        assert_eq!(book.best_beyond(side, from), beyond, "{what}");
        for price in naive.levels(side).map(|level| level.price).chain([from, to]) {
            assert_eq!(book.qty_at(side, price), naive.qty_at(side, price), "{what}: {price:?}");
        }
        let wanted = Qty(random.below(5_000) as i64);
        let (mut left, mut value, mut worst) = (wanted.0, 0i128, None);
        for level in naive.levels(side) {
            if left > 0 {
                let taken = level.qty.0.min(left);
                (left, worst) = (left - taken, Some(level.price));
                value += i128::from(taken) * i128::from(level.price.0);
            }
        }
        let taken = book.take(side, wanted);
        assert_eq!((taken.qty, taken.value, taken.worst), (Qty(wanted.0 - left), value, worst), "{what}");
        let count = random.below(20) as usize;
        let mut first = Vec::new();
        book.levels(side).append_to(count, &mut first);
        assert!(first.iter().copied().eq(naive.levels(side).take(count)), "{what}: {count}");
    }
}

/// Cuts both to a depth; what left is told, the worst of a side first.
fn truncate(book: &mut L2Book, naive: &mut NaiveBook, depth: usize, what: &str) {
    let behind = SIDES.map(|side| naive.levels(side).skip(depth).collect::<Vec<_>>());
    let mut told = [Vec::new(), Vec::new()];
    let left = book.truncate_with(depth, |side, level| told[usize::from(side == Side::Ask)].insert(0, level));
    assert_eq!((left, told), (naive.truncate(depth), behind), "{what}");
}

#[test]
fn a_thin_book_is_exact_on_both_sides_of_its_border() {
    let (mut opened, mut given_back, mut mixed, mut refused) = (0, 0, 0, 0);
    let (mut compact, mut made_compact, mut made_loose) = (0, 0, 0);
    for seed in 0..400 {
        let random = &mut Random(seed);
        let levels_max = [40, 100, 200, 1_000, 1_000, 1_000][random.below(6) as usize];
        let spec = BookSpec { tick_size: [10, 0, 7][random.below(3) as usize], levels_max };
        let (mut book, mut naive) = (L2Book::new(spec), NaiveBook::new(spec));
        let ranks = [12, 20, 40, 140][random.below(4) as usize];
        let (mut center, trend) = (1_000_000, [0, 0, 10, -30][random.below(4) as usize]);
        for step in 0..200 {
            let what = format!("seed {seed}, step {step}");
            let (slots, was_compact) = (book.layout().slots, book.layout().compact_levels > 0);
            center += trend;
            match random.below(40) {
                0 => {
                    let count = [10, 30, 64, 140][random.below(4) as usize];
                    let levels = frame(random, center, count, ranks, 16);
                    let answers =
                        [book.load(levels.view(), KnownTo::WHOLE), naive.load(levels.view(), KnownTo::WHOLE)];
                    assert_eq!(answers[0], answers[1], "{what}");
                }
                1 if seed % 2 == 0 => truncate(&mut book, &mut naive, random.below(80) as usize, &what),
                2 if random.below(4) == 0 => {
                    book.clear();
                    naive.clear();
                }
                3 if seed % 2 == 0 => {
                    let cut = [random.below(2) == 0, random.below(2) == 0];
                    book.know_before_worst(cut);
                    naive.know_before_worst(cut);
                }
                kind => {
                    let count = if kind < 6 { 40 } else { 4 };
                    let mut levels = frame(random, center, count, ranks, 2 + (seed % 3));
                    if kind == 7 {
                        levels.asks.push(Level::new(1_000_000, -1));
                    }
                    let answers = (book.apply(levels.view()), naive.apply(levels.view()));
                    assert_eq!(answers.0, answers.1, "{what}");
                    refused += usize::from(answers.0.is_err());
                }
            }
            assert_equal(&book, &naive, &what);
            assert_answers(&book, &naive, random, center, &what);
            let layout = book.layout();
            opened += usize::from(slots == 0 && layout.slots > 0);
            given_back += usize::from(slots > 0 && layout.slots == 0);
            mixed += usize::from(layout.slots == 1 << 10);
            let is_compact = layout.compact_levels > 0;
            compact += usize::from(is_compact);
            made_compact += usize::from(is_compact && !was_compact && naive.len(Side::Bid) > 0);
            made_loose += usize::from(was_compact && !is_compact && layout.far_levels > 0);
        }
    }
    assert!(
        opened > 50 && given_back > 20 && mixed > 50 && refused > 100,
        "{opened} {given_back} {mixed} {refused}"
    );
    assert!(
        compact > 3_000 && made_compact > 300 && made_loose > 300,
        "{compact} {made_compact} {made_loose}"
    );
}

#[test]
fn a_refused_frame_leaves_a_thin_book_as_it_was() {
    let spec = BookSpec { tick_size: 10, levels_max: 1_000 };
    let mut book = L2Book::new(spec);
    let levels = Levels { bids: vec![Level::new(600, 1)], asks: vec![Level::new(700, 1)] };
    book.load(levels.view(), KnownTo::WHOLE).unwrap();
    let refused =
        Levels { bids: vec![Level::new(600, 9), Level::new(5, 1)], asks: vec![Level::new(700, -1)] };
    assert!(book.apply(refused.view()).is_err());
    assert!(book.levels(Side::Bid).eq(levels.bids) && book.levels(Side::Ask).eq(levels.asks));
    assert_eq!(book.qty_at(Side::Bid, Price(5)), QtyAt::Known(Qty(0)));
}

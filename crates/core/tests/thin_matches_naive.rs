//! Thin books against the ordered maps: frames that come and go round the number of levels at which a window opens,
//! snapshots that give it back, limits that a thin book meets, and prices that no window can hold.

use depthwire_core::book::{BookSpec, L2Book, NaiveBook};
use depthwire_core::types::{KnownTo, Level, Levels, Side};

/// Splitmix64 (Steele, Lea, Flood).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    /// Up to `count` levels of each side, a few of them off the grid, far away or at either end of all prices.
    fn levels(&mut self, count: u64, ranks: u64, removed_in: u64) -> Levels {
        let mut levels = Levels::default();
        for side in [Side::Bid, Side::Ask] {
            for _ in 0..self.below(count + 1) {
                let away = 10 * self.below(ranks) as i64;
                let price = match self.below(8_192) {
                    0 => i64::MIN,
                    1 => i64::MAX,
                    2..100 => 1_000_000 - away + 3,
                    _ if side == Side::Bid => 1_000_000 - away,
                    _ => 1_000_010 + away,
                };
                let qty = if self.below(removed_in) == 0 { 0 } else { 1 + self.below(1_000) as i64 };
                let list = if side == Side::Bid { &mut levels.bids } else { &mut levels.asks };
                list.push(Level::new(price, qty));
            }
        }
        levels
    }
}

fn assert_equal(book: &L2Book, naive: &NaiveBook, what: &str) {
    for side in [Side::Bid, Side::Ask] {
        assert!(book.levels(side).eq(naive.levels(side)), "{what}: {side:?}");
        assert_eq!(book.len(side), naive.len(side), "{what}: {side:?}");
    }
    assert_eq!((book.best_bid(), book.best_ask()), (naive.best_bid(), naive.best_ask()), "{what}");
    assert_eq!(book.check_invariants(), Ok(()), "{what}");
}

#[test]
fn a_thin_book_is_exact_on_both_sides_of_its_border() {
    let (mut opened, mut given_back, mut mixed, mut refused) = (0, 0, 0, 0);
    for seed in 0..400 {
        let random = &mut Random(seed);
        let levels_max = [40, 100, 200, 1_000, 1_000][random.below(5) as usize];
        let spec = BookSpec { tick_size: [10, 0, 7][random.below(3) as usize], levels_max };
        let (mut book, mut naive) = (L2Book::new(spec), NaiveBook::new(spec));
        let ranks = 20 + random.below(120);
        for step in 0..200 {
            let what = format!("seed {seed}, step {step}");
            let slots = book.layout().slots;
            match random.below(40) {
                0 => {
                    let count = [10, 30, 140][random.below(3) as usize];
                    let levels = random.levels(count, ranks, 16);
                    let answers =
                        [book.load(levels.view(), KnownTo::WHOLE), naive.load(levels.view(), KnownTo::WHOLE)];
                    assert_eq!(answers[0], answers[1], "{what}");
                }
                1 => {
                    let depth = random.below(80) as usize;
                    assert_eq!(book.truncate(depth), naive.truncate(depth), "{what}");
                }
                2 if random.below(4) == 0 => {
                    book.clear();
                    naive.clear();
                }
                kind => {
                    let mut levels = random.levels(if kind < 6 { 40 } else { 4 }, ranks, 2 + (seed % 3));
                    if kind == 7 {
                        levels.asks.push(Level::new(1_000_000, -1));
                    }
                    let answers = (book.apply(levels.view()), naive.apply(levels.view()));
                    assert_eq!(answers.0, answers.1, "{what}");
                    refused += usize::from(answers.0.is_err());
                }
            }
            assert_equal(&book, &naive, &what);
            opened += usize::from(slots == 0 && book.layout().slots > 0);
            given_back += usize::from(slots > 0 && book.layout().slots == 0);
            mixed += usize::from(book.layout().slots == 1 << 10);
        }
    }
    assert!(
        opened > 50 && given_back > 20 && mixed > 50 && refused > 100,
        "{opened} {given_back} {mixed} {refused}"
    );
}

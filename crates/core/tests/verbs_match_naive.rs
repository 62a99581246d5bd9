//! What a venue says of each level, held against the ladder book, and done one by one to the ordered-map book: both find
//! the same updates that do not fit.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test says what went wrong by failing")]

use depthwire_core::book::{BookSpec, L2Book, NaiveBook, QtyAt, VerbCheck};
use depthwire_core::types::{KnownTo, Level, Levels, Price, Side, Sides, Verb};

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

/// The rule in the plainest words: each level after the one before it, on a book of its own.
fn fits_one_by_one(book: &NaiveBook, levels: &Levels, verbs: &[Verb]) -> bool {
    let mut book = book.clone();
    let mut verbs = verbs.iter();
    // What an update has named is known from there on.
    let mut named = Vec::new();
    for side in [Side::Bid, Side::Ask] {
        for level in levels.side(side) {
            let is_there = match book.qty_at(side, level.price) {
                QtyAt::Known(qty) => Some(qty.0 > 0),
                QtyAt::Unknown => named.contains(&(side, level.price)).then_some(false),
            };
            named.push((side, level.price));
            let is_right = match verbs.next().unwrap() {
                Verb::New => is_there != Some(true) && level.qty.0 > 0,
                Verb::Change => is_there != Some(false) && level.qty.0 > 0,
                Verb::Delete => is_there != Some(false) && level.qty.0 == 0,
            };
            if !is_right {
                return false;
            }
            let one = [*level];
            let one = match side {
                Side::Bid => Sides { bids: &one, asks: &[] },
                Side::Ask => Sides { bids: &[], asks: &one },
            };
            book.apply(one).unwrap();
        }
    }
    true
}

/// An update of a few levels, some of them at one price, with the verbs that are right of them.
fn update(random: &mut Random, book: &NaiveBook, levels: &mut Levels, verbs: &mut Vec<Verb>) {
    levels.clear();
    verbs.clear();
    for side in [Side::Bid, Side::Ask] {
        let count = if random.below(50) == 0 { 200 } else { random.below(5) };
        for _ in 0..count {
            let from = if side == Side::Bid { 0 } else { 500 };
            let price = Price(from + random.below(120) as i64);
            let last = levels.side(side).iter().rev().find(|level| level.price == price);
            let is_there = match (last, book.qty_at(side, price)) {
                (Some(last), _) => last.qty.0 > 0,
                (None, QtyAt::Known(qty)) => qty.0 > 0,
                (None, QtyAt::Unknown) => random.below(2) == 0,
            };
            let goes = is_there && random.below(3) == 0;
            let qty = if goes { 0 } else { 1 + random.below(9) as i64 };
            levels.side_mut(side).push(Level::new(price.0, qty));
            verbs.push(match (is_there, goes) {
                (false, _) => Verb::New,
                (true, false) => Verb::Change,
                (true, true) => Verb::Delete,
            });
        }
    }
}

#[test]
fn the_same_updates_do_not_fit() {
    let mut random = Random(8);
    let (mut ladder, mut naive) = (L2Book::new(SPEC), NaiveBook::new(SPEC));
    let (mut levels, mut verbs, mut check) = (Levels::default(), Vec::new(), VerbCheck::default());
    let (mut right, mut wrong, mut unknown) = (0, 0, 0);
    for round in 0..40_000u64 {
        if round % 500 == 0 {
            let bound = |random: &mut Random| random.below(120) as i64;
            let known_to = match random.below(3) {
                0 => KnownTo { bid: Price(bound(&mut random)), ask: Price(500 + bound(&mut random)) },
                _ => KnownTo::WHOLE,
            };
            ladder.load(Sides::default(), known_to).unwrap();
            naive.load(Sides::default(), known_to).unwrap();
        }
        update(&mut random, &naive, &mut levels, &mut verbs);
        let is_damaged = !verbs.is_empty() && random.below(4) == 0;
        if is_damaged {
            let at = random.below(verbs.len() as u64) as usize;
            match random.below(4) {
                0 => verbs[at] = Verb::New,
                1 => verbs[at] = Verb::Change,
                2 => verbs[at] = Verb::Delete,
                _ => {
                    let level = levels.bids.iter_mut().chain(&mut levels.asks).nth(at).unwrap();
                    level.qty.0 = random.below(2) as i64;
                }
            }
        }
        let fits = check.fits(levels.view(), &verbs, &ladder);
        assert_eq!(fits, fits_one_by_one(&naive, &levels, &verbs), "{round}: {levels:?} {verbs:?}");
        assert!(fits || is_damaged, "{round}: a right update does not fit");
        unknown += u64::from(ladder.known_to() != KnownTo::WHOLE);
        if fits {
            right += 1;
            ladder.apply(levels.view()).unwrap();
            naive.apply(levels.view()).unwrap();
        } else {
            wrong += 1;
        }
        assert!(ladder.levels(Side::Bid).eq(naive.levels(Side::Bid)), "{round}");
        assert!(ladder.levels(Side::Ask).eq(naive.levels(Side::Ask)), "{round}");
    }
    assert!(right > 30_000 && wrong > 3_000 && unknown > 5_000, "{right} {wrong} {unknown}");
    // A verb too few or too many is none.
    levels.clear();
    levels.bids.push(Level::new(1, 1));
    assert!(!check.fits(levels.view(), &[], &ladder));
    assert!(!check.fits(levels.view(), &[Verb::New; 2], &ladder));
}

//! Synthetic price-level streams, each of one shape that recordings hold too little of. Made from a seed, integers only.

use depthwire_core::book::BookSpec;
use depthwire_core::types::{KnownTo, Level, Levels, Side};

use super::Size;
use super::levels::{LevelBook, LevelStream, LevelUpdate};

/// What is special about a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One to four levels a message, nearly all within the first eight of a still book.
    Quiet,
    /// 400 to 1,600 levels a message over the first 2,000, while the price runs.
    Burst,
    /// A book of 20,000 levels a side, touched anywhere.
    Deep,
    /// 4,096 option books of at most ten levels a side; each message is another book's.
    Thin,
    /// Prices that jump over the whole range of a price, lie off the grid and never let a window rest.
    Hostile,
}

impl Shape {
    /// The stream in a size, with the oracle's answer.
    pub(super) fn stream(self, size: Size) -> Result<LevelStream, String> {
        let mut random = Random(self as u64 + 1);
        let parts = match size {
            Size::Gate => 1,
            Size::Tiny => 2,
            Size::Quick => 20,
            Size::Full => 40,
        };
        match self {
            Self::Quiet => one_book(&mut random, 1_000, 5_000 * parts, |random, mid| {
                let rank = if random.below(16) == 0 { random.below(1_000) } else { random.below(8) };
                (*mid, 1 + random.below(4), rank as i64, 1)
            }),
            Self::Burst => one_book(&mut random, 2_000, 10 * parts, |random, mid| {
                *mid += random.below(81) as i64 - 40;
                (*mid, 400 + random.below(1_201), 0, 2_000)
            }),
            Self::Deep => one_book(&mut random, 20_000, 250 * parts, |random, mid| {
                (*mid, 20 + random.below(61), 0, 20_000)
            }),
            Self::Thin => thin(&mut random, 5_000 * parts),
            Self::Hostile => hostile(&mut random, 50 * parts),
        }
    }
}

/// Ticks from zero to the middle of a book.
const MID: i64 = 600_000;
const TICK_SIZE: i64 = 10;
const LEVELS_MAX: u32 = 1 << 20;

/// A book of `depth` levels a side around a middle. For each message `next` says the middle in ticks, how many levels
/// change, and the first rank and the number of ranks among which they lie.
fn one_book(
    random: &mut Random,
    depth: i64,
    messages: usize,
    mut next: impl FnMut(&mut Random, &mut i64) -> (i64, u64, i64, u64),
) -> Result<LevelStream, String> {
    let mut mid = MID;
    let at = |mid: i64, side: Side, rank: i64| match side {
        Side::Bid => (mid - 1 - rank) * TICK_SIZE,
        Side::Ask => (mid + 1 + rank) * TICK_SIZE,
    };
    let mut whole = |side| (0..depth).map(|rank| Level::new(at(MID, side, rank), random.qty())).collect();
    let snapshot = Levels { bids: whole(Side::Bid), asks: whole(Side::Ask) };
    let mut updates = Vec::with_capacity(messages);
    for _ in 0..messages {
        let before = mid;
        let (now, changes, first_rank, ranks) = next(random, &mut mid);
        let mut levels = Levels::default();
        // What the price has run through leaves, so that the book never stays crossed.
        for passed in before.min(now)..=before.max(now) {
            match now.cmp(&before) {
                std::cmp::Ordering::Greater => levels.asks.push(Level::new(passed * TICK_SIZE, 0)),
                std::cmp::Ordering::Less => levels.bids.push(Level::new(passed * TICK_SIZE, 0)),
                std::cmp::Ordering::Equal => {}
            }
        }
        for _ in 0..changes {
            let side = if random.below(2) == 0 { Side::Bid } else { Side::Ask };
            let price = at(now, side, first_rank + random.below(ranks) as i64);
            let qty = if random.below(4) == 0 { 0 } else { random.qty() };
            let list = if side == Side::Bid { &mut levels.bids } else { &mut levels.asks };
            list.push(Level::new(price, qty));
        }
        updates.push(LevelUpdate { book: 0, levels });
    }
    LevelStream::new(vec![book(snapshot, TICK_SIZE)], updates)
}

/// Books of an option chain: strikes far apart in price, ticks coarse, sides short and often empty.
fn thin(random: &mut Random, messages: usize) -> Result<LevelStream, String> {
    const BOOKS: u64 = 4_096;
    let mid = |index: u64| (20 + index as i64 * 3 % 1_500) * 50;
    let mut side = |index: u64, step: i64| -> Vec<Level> {
        (1..=random.below(11) as i64).map(|rank| Level::new(mid(index) + step * rank, random.qty())).collect()
    };
    let books =
        (0..BOOKS).map(|index| book(Levels { bids: side(index, -50), asks: side(index, 50) }, 50)).collect();
    let updates = (0..messages).map(|_| {
        let index = random.below(BOOKS);
        let mut levels = Levels::default();
        for _ in 0..=random.below(3) {
            let rank = 1 + random.below(10) as i64;
            let qty = if random.below(3) == 0 { 0 } else { random.qty() };
            if random.below(2) == 0 {
                levels.bids.push(Level::new(mid(index) - 50 * rank, qty));
            } else {
                levels.asks.push(Level::new(mid(index) + 50 * rank, qty));
            }
        }
        LevelUpdate { book: index as u32, levels }
    });
    let updates = updates.collect();
    LevelStream::new(books, updates)
}

/// Every message moves the best prices by up to the range of a price, some of them off the grid; what it adds, the one
/// after the next removes, so the book stays small while nothing about its place can be learned.
fn hostile(random: &mut Random, messages: usize) -> Result<LevelStream, String> {
    let mut updates: Vec<LevelUpdate> = Vec::with_capacity(messages);
    for message in 0..messages {
        let mut levels = Levels::default();
        if let Some(old) = message.checked_sub(2).and_then(|index| updates.get(index)) {
            let removed = |list: &[Level]| -> Vec<Level> {
                let added = list.iter().filter(|level| level.qty.0 > 0);
                added.map(|level| Level { qty: depthwire_core::types::Qty(0), ..*level }).collect()
            };
            levels = Levels { bids: removed(&old.levels.bids), asks: removed(&old.levels.asks) };
        }
        // Up to 62 bits wide, so that both sides stay within the range of a price.
        let mid = (random.bits() >> (2 + random.below(60))) as i64 - (random.bits() >> 3) as i64;
        for _ in 0..40 {
            let away = (random.bits() >> (4 + random.below(60))) as i64;
            levels.bids.push(Level::new(mid - away, random.qty()));
            levels.asks.push(Level::new(mid + 1 + away, random.qty()));
        }
        updates.push(LevelUpdate { book: 0, levels });
    }
    let snapshot = Levels { bids: vec![Level::new(MID, 1)], asks: vec![Level::new(MID + 10, 1)] };
    LevelStream::new(vec![book(snapshot, TICK_SIZE)], updates)
}

fn book(snapshot: Levels, tick_size: i64) -> LevelBook {
    let spec = BookSpec { tick_size, levels_max: LEVELS_MAX };
    LevelBook { spec, price_exponent: -2, qty_exponent: -5, snapshot, known_to: KnownTo::WHOLE }
}

/// Splitmix64 (Steele, Lea, Flood): the next of a sequence that its seed decides.
pub(super) struct Random(pub u64);

impl Random {
    pub(super) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(bound)) >> 64) as u64
    }

    fn qty(&mut self) -> i64 {
        1 + self.below(1_000_000) as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use depthwire_core::book::L2Book;

    const SHAPES: [Shape; 5] = [Shape::Quiet, Shape::Burst, Shape::Deep, Shape::Thin, Shape::Hostile];

    #[test]
    fn every_shape_is_the_same_each_time_and_the_book_agrees_with_the_oracle() {
        for shape in SHAPES {
            let stream = shape.stream(Size::Gate).unwrap();
            assert_eq!(stream.answer, shape.stream(Size::Gate).unwrap().answer, "{shape:?}");
            let mut books = stream.load::<L2Book>().unwrap();
            assert_eq!(stream.replay(&mut books), stream.tops, "{shape:?}");
        }
    }

    #[test]
    fn the_hostile_one_leaves_no_level_within_reach_of_a_window() {
        let stream = Shape::Hostile.stream(Size::Gate).unwrap();
        let mut books = stream.load::<L2Book>().unwrap();
        stream.replay(&mut books);
        let layout = books[0].layout();
        assert!(layout.far_levels > 40, "{layout:?}");
    }
}

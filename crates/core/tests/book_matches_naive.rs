//! The ladder book and the ordered-map book tell the same story, message by message, over markets built to hurt.
//!
//! Each market is a seeded stream of frames. After every message the answers of both books are compared: the result
//! of the call, both best levels, the counts, and every level that the frame named; every 64 messages the whole
//! books. A failure names the market, its seed and the message, which is all that is needed to repeat it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what went wrong by failing")]

use depthwire_core::book::{BookError, BookLayout, BookSpec, L2Book, NaiveBook};
use depthwire_core::types::{KnownTo, Level, Levels, Price, Side};

/// Level changes over all markets: above ten million when optimised, 1.2 million when not.
const CHANGES_PER_MARKET: u64 = if cfg!(debug_assertions) { 100_000 } else { 1_100_000 };

/// Messages between two comparisons of the whole books.
const WHOLE_EVERY: u64 = 64;

/// Prices that break careless arithmetic.
const EXTREMES: [i64; 13] = [
    1,
    0,
    -1,
    i64::MAX,
    i64::MAX - 1,
    i64::MAX / 2,
    i64::MAX / 1_000,
    (1 << 61) - 1,
    1 << 61,
    (1 << 61) + 1,
    (1 << 62) + 1,
    i64::MIN,
    i64::MIN + 1,
];

/// One stream of frames. Chances are out of 1,024.
#[derive(Clone, Copy)]
struct Market {
    name: &'static str,
    seed: u64,
    spec: BookSpec,
    /// Where the price starts, and the increment that the generator quotes in.
    center: i64,
    step: i64,
    /// Levels are quoted up to 2^this increments from the price, most of them near.
    depth_bits: u64,
    /// Increments that the price moves per message, one way for 500 messages and then the other.
    trend: i64,
    /// Increments of a jump, and its chance per message.
    jump: i64,
    jump_chance: u64,
    /// Chances per level.
    off_grid_chance: u64,
    extreme_chance: u64,
    /// Levels of a side that the venue keeps; the rest is removed every 64 messages.
    side_levels: usize,
    /// Largest side of a frame, and the chance of such a frame.
    burst: u64,
    burst_chance: u64,
    /// Chance of a snapshot in place of a frame.
    reload_chance: u64,
    /// Depths to one of which both books are cut after each message; none: they are never cut.
    depths: &'static [usize],
    /// What the run must have met, else the market does not test what it says.
    must_meet: fn(&Met) -> bool,
}

const MARKET: Market = Market {
    name: "quiet",
    seed: 1,
    spec: BookSpec { tick_size: 1, levels_max: 100_000 },
    center: 6_160_000,
    step: 1,
    depth_bits: 16,
    trend: 0,
    jump: 0,
    jump_chance: 0,
    off_grid_chance: 0,
    extreme_chance: 0,
    side_levels: 2_000,
    burst: 0,
    burst_chance: 0,
    reload_chance: 0,
    depths: &[],
    must_meet: |met| met.slots > 0 && met.recentres < 10 && met.far_levels < 200,
};

fn markets() -> [Market; 18] {
    [
        MARKET,
        Market {
            name: "levels beyond the window",
            seed: 2,
            depth_bits: 21,
            reload_chance: 4,
            must_meet: |met| met.far_levels > 500 && met.reloads > 0,
            ..MARKET
        },
        Market {
            name: "off the tick grid",
            seed: 3,
            spec: BookSpec { tick_size: 10, ..MARKET.spec },
            step: 10,
            off_grid_chance: 256,
            trend: 3,
            reload_chance: 4,
            must_meet: |met| met.far_levels > 500 && met.slots > 0,
            ..MARKET
        },
        Market {
            name: "drifting through windows",
            seed: 4,
            center: 3_418_630,
            trend: 300,
            depth_bits: 20,
            must_meet: |met| met.recentres > 10 && met.far_levels > 100,
            ..MARKET
        },
        Market {
            name: "jumping to and fro",
            seed: 5,
            center: 341_863,
            trend: 20,
            jump: 60_000,
            jump_chance: 16,
            off_grid_chance: 16,
            must_meet: |met| met.recentres > 10 && met.far_levels > 0,
            ..MARKET
        },
        Market {
            name: "a catalogue without a tick",
            seed: 6,
            spec: BookSpec { tick_size: 0, ..MARKET.spec },
            trend: 10,
            reload_chance: 4,
            must_meet: |met| met.slots > 0 && met.far_levels > 64,
            ..MARKET
        },
        Market {
            name: "no tick, and prices off the one that it seems to have",
            seed: 13,
            spec: BookSpec { tick_size: 0, ..MARKET.spec },
            center: 6_160_000,
            step: 10,
            off_grid_chance: 2,
            trend: 3,
            reload_chance: 4,
            must_meet: |met| met.slots > 0 && met.recentres > 5 && met.far_levels > 64,
            ..MARKET
        },
        Market {
            name: "a thin book",
            seed: 14,
            depth_bits: 5,
            trend: 0,
            reload_chance: 64,
            must_meet: |met| {
                met.slots == 0 && met.far_levels > 40 && met.compact_levels > 20 && met.reloads > 100
            },
            ..MARKET
        },
        Market {
            name: "now thin, now not",
            seed: 15,
            depth_bits: 8,
            trend: 2,
            side_levels: 8,
            burst: 100,
            burst_chance: 8,
            reload_chance: 16,
            must_meet: |met| met.opened > 5 && met.closed > 2,
            ..MARKET
        },
        Market {
            name: "ten levels a side and no more",
            seed: 16,
            depth_bits: 6,
            trend: 1,
            depths: &[10],
            reload_chance: 8,
            must_meet: |met| met.cut > 10_000 && met.slots == 0 && met.far_levels == 20,
            ..MARKET
        },
        Market {
            name: "a thousand levels a side, some off the grid",
            seed: 17,
            spec: BookSpec { tick_size: 10, ..MARKET.spec },
            step: 10,
            off_grid_chance: 200,
            trend: 2,
            depths: &[1_000],
            reload_chance: 4,
            must_meet: |met| met.cut > 5_000 && met.slots > 0 && met.far_levels > 100,
            ..MARKET
        },
        Market {
            name: "cut to one depth and another",
            seed: 18,
            off_grid_chance: 100,
            depth_bits: 12,
            extreme_chance: 8,
            burst: 300,
            burst_chance: 32,
            depths: &[0, 1, 10, 25, 100, 500, 1_000, usize::MAX, usize::MAX, usize::MAX, usize::MAX],
            reload_chance: 16,
            must_meet: |met| met.cut > 5_000 && met.slots > 0 && met.opened > 5 && met.far_levels > 20,
            ..MARKET
        },
        Market {
            name: "a price of few ticks",
            seed: 7,
            spec: BookSpec { tick_size: 1_000, ..MARKET.spec },
            center: 120_000,
            step: 1_000,
            depth_bits: 8,
            trend: 1,
            off_grid_chance: 4,
            must_meet: |met| met.slots == 2 << 10,
            ..MARKET
        },
        Market {
            name: "at the limit of levels",
            seed: 8,
            spec: BookSpec { levels_max: 700, ..MARKET.spec },
            trend: 5,
            side_levels: 340,
            must_meet: |met| met.refused > 50 && met.reloads > 50,
            ..MARKET
        },
        Market {
            name: "extreme prices",
            seed: 9,
            extreme_chance: 16,
            reload_chance: 4,
            must_meet: |met| met.far_levels > 0 && met.slots > 0 && met.crossed > 0,
            ..MARKET
        },
        Market {
            name: "at the edge of what a window is placed on",
            seed: 10,
            spec: BookSpec { tick_size: 1 << 40, ..MARKET.spec },
            center: (1 << 61) + (1 << 58),
            step: 1 << 40,
            depth_bits: 14,
            trend: -1_000,
            extreme_chance: 1,
            off_grid_chance: 8,
            must_meet: |met| met.slots > 0 && met.recentres > 10 && met.far_levels > 1_000,
            ..MARKET
        },
        Market {
            name: "a tick above the greatest",
            seed: 11,
            spec: BookSpec { tick_size: (1 << 40) + 1, ..MARKET.spec },
            center: 1 << 60,
            step: (1 << 40) + 1,
            depth_bits: 14,
            must_meet: |met| met.slots == 0 && met.far_levels > 2_000,
            ..MARKET
        },
        Market {
            name: "frames larger than the book",
            seed: 12,
            depth_bits: 21,
            off_grid_chance: 512,
            spec: BookSpec { tick_size: 7, ..MARKET.spec },
            step: 7,
            burst: 3_000,
            burst_chance: 64,
            // Above 2,048 levels the square alone exceeds the far moves that a book makes one by one.
            must_meet: |met| met.frame_levels > 2_500,
            ..MARKET
        },
    ]
}

/// What a run has met.
#[derive(Clone, Copy, Debug, Default)]
struct Met {
    changes: u64,
    messages: u64,
    reloads: u64,
    refused: u64,
    crossed: u64,
    /// Levels that fell out of a depth.
    cut: usize,
    recentres: u64,
    far_levels: usize,
    compact_levels: usize,
    slots: usize,
    /// Messages after which there were more slots than before, or none any more.
    opened: u64,
    closed: u64,
    frame_levels: usize,
}

#[test]
fn the_ladder_book_equals_the_ordered_map_book() {
    let mut changes = 0;
    for market in markets() {
        let met = run(&market);
        println!("{} (seed {}): {met:?}", market.name, market.seed);
        assert!((market.must_meet)(&met), "{} did not meet what it is for: {met:?}", market.name);
        changes += met.changes;
    }
    println!("{changes} level changes");
    assert!(cfg!(debug_assertions) || changes >= 10_000_000);
}

fn run(market: &Market) -> Met {
    let (mut rng, mut cuts) = (SplitMix64(market.seed), SplitMix64(!market.seed));
    let mut book = L2Book::new(market.spec);
    let mut oracle = NaiveBook::new(market.spec);
    let mut quotes = Quotes { center: market.center, recent: [Vec::new(), Vec::new()] };
    let mut frame = Levels::default();
    let mut met = Met::default();
    while met.changes < CHANGES_PER_MARKET {
        let at = || format!("{}, seed {}, message {}", market.name, market.seed, met.messages);
        quotes.move_price(market, &mut rng, met.messages);
        quotes.fill(market, &mut rng, &oracle, met.messages, &mut frame);
        let mut refused = false;
        if rng.chance(market.reload_chance) {
            let known_to = snapshot(&mut rng, &oracle, 1_000, &mut frame);
            assert_eq!(book.load(frame.view(), known_to), oracle.load(frame.view(), known_to), "{}", at());
            met.reloads += 1;
        } else {
            let result = oracle.apply(frame.view());
            assert_eq!(book.apply(frame.view()), result, "{}", at());
            refused = matches!(result, Err(BookError::LevelsLimit { .. }));
            met.changes += if refused { 0 } else { frame.len() as u64 };
        }
        if !market.depths.is_empty() {
            let depth = market.depths[rng.below(market.depths.len() as u64) as usize];
            let cut = oracle.truncate(depth);
            assert_eq!(book.truncate(depth), cut, "{}, depth {depth}", at());
            assert_eq!(book.known_to(), oracle.known_to(), "{}, depth {depth}", at());
            met.cut += cut;
        }
        if market.reload_chance > 0 && cuts.chance(64) {
            let cut = [cuts.chance(512), cuts.chance(512)];
            book.know_before_worst(cut);
            oracle.know_before_worst(cut);
            assert_eq!(book.known_to(), oracle.known_to(), "{}, cut {cut:?}", at());
        }
        for side in [Side::Bid, Side::Ask] {
            assert_eq!(book.len(side), oracle.len(side), "{}", at());
            for level in frame.side(side) {
                let expected = oracle.qty_at(side, level.price);
                assert_eq!(book.qty_at(side, level.price), expected, "{} {level:?}", at());
            }
        }
        assert_eq!(book.best_bid(), oracle.best_bid(), "{}", at());
        assert_eq!(book.best_ask(), oracle.best_ask(), "{}", at());
        assert_eq!(book.is_crossed(), oracle.is_crossed(), "{}", at());
        if refused || met.messages.is_multiple_of(WHOLE_EVERY) {
            assert_eq!(book.check_invariants(), Ok(()), "{}", at());
            for side in [Side::Bid, Side::Ask] {
                assert!(book.levels(side).eq(oracle.levels(side)), "{}: the whole {side:?} side", at());
            }
        }
        let BookLayout { slots, far_levels, compact_levels, recentres } = book.layout();
        met.messages += 1;
        met.refused += u64::from(refused);
        met.crossed += u64::from(oracle.is_crossed());
        met.recentres = recentres;
        met.far_levels = met.far_levels.max(far_levels);
        met.compact_levels = met.compact_levels.max(compact_levels);
        met.opened += u64::from(slots > met.slots);
        met.closed += u64::from(slots < met.slots);
        met.slots = slots;
        met.frame_levels = met.frame_levels.max(frame.len());
        if refused {
            // What its owner does: the book is stale until a snapshot is in, here a shallower one.
            let known_to = snapshot(&mut rng, &oracle, 200, &mut frame);
            book.load(frame.view(), known_to).unwrap();
            oracle.load(frame.view(), known_to).unwrap();
            met.reloads += 1;
        }
    }
    met
}

/// The venue's side of the stream: where the price is and what was quoted lately.
struct Quotes {
    center: i64,
    recent: [Vec<i64>; 2],
}

/// Prices a side that are remembered, so that frames change and remove levels that are there.
const RECENT_MAX: usize = 4_096;

impl Quotes {
    fn move_price(&mut self, market: &Market, rng: &mut SplitMix64, message: u64) {
        let way = if (message / 500).is_multiple_of(2) { 1 } else { -1 };
        let mut increments = way * market.trend;
        if rng.chance(market.jump_chance) {
            increments += if rng.chance(512) { market.jump } else { -market.jump };
        }
        let moved = self.center.saturating_add(increments.saturating_mul(market.step));
        // The price turns where it would leave what the market starts from by more than a half.
        if moved.abs_diff(market.center) <= market.center.unsigned_abs() / 2 {
            self.center = moved;
        }
    }

    /// One frame: what the price has passed is removed, some levels change, some come, some go.
    fn fill(
        &mut self,
        market: &Market,
        rng: &mut SplitMix64,
        oracle: &NaiveBook,
        message: u64,
        frame: &mut Levels,
    ) {
        frame.clear();
        for side in [Side::Bid, Side::Ask] {
            let center = Price(self.center);
            let levels = if side == Side::Bid { &mut frame.bids } else { &mut frame.asks };
            // Now and then what the price has passed is left standing, and the book is crossed.
            if rng.chance(768) {
                let passed = oracle.levels(side).take_while(|level| side.is_better(level.price, center));
                levels.extend(passed.map(|level| Level::new(level.price.0, 0)));
            }
            if message % 64 == 63 {
                let worst = oracle.levels(side).skip(market.side_levels);
                levels.extend(worst.map(|level| Level::new(level.price.0, 0)));
            }
            let count = if rng.chance(market.burst_chance) { market.burst } else { rng.below(35) };
            for _ in 0..count {
                let price = self.price(market, rng, side);
                let qty = if rng.chance(400) { 0 } else { rng.quantity() };
                levels.push(Level::new(price, qty));
                if rng.chance(32) {
                    levels.push(Level::new(price, if rng.chance(512) { 0 } else { rng.quantity() }));
                }
            }
        }
    }

    fn price(&mut self, market: &Market, rng: &mut SplitMix64, side: Side) -> i64 {
        let recent = &mut self.recent[side as usize];
        if !recent.is_empty() && rng.chance(512) {
            let again = recent[rng.below(recent.len() as u64) as usize];
            if !side.is_better(Price(again), Price(self.center)) {
                return again;
            }
        }
        let price = if rng.chance(market.extreme_chance) {
            EXTREMES[rng.below(EXTREMES.len() as u64) as usize]
        } else {
            // A random power of two first, so that near prices are as frequent as the many far ones.
            let bits = rng.below(market.depth_bits + 1);
            let mut offset = (rng.below(1 << bits) as i64 + 1).saturating_mul(market.step);
            if rng.chance(market.off_grid_chance) {
                offset = offset.saturating_add(rng.below(market.step as u64) as i64);
            }
            let toward = if side == Side::Bid { -1 } else { 1 };
            self.center.saturating_add(offset.saturating_mul(toward)).max(1)
        };
        if recent.len() < RECENT_MAX {
            recent.push(price);
        } else {
            recent[rng.below(RECENT_MAX as u64) as usize] = price;
        }
        price
    }
}

/// A snapshot of the best levels, known as deep as it reaches; now and then out of order, with duplicates and zeros.
fn snapshot(rng: &mut SplitMix64, oracle: &NaiveBook, depth: usize, out: &mut Levels) -> KnownTo {
    out.clear();
    out.bids.extend(oracle.levels(Side::Bid).take(depth));
    out.asks.extend(oracle.levels(Side::Ask).take(depth));
    let mut known_to = KnownTo::WHOLE;
    if let (Some(bid), Some(ask)) = (out.bids.last(), out.asks.last()) {
        known_to = KnownTo { bid: bid.price, ask: ask.price };
    }
    if rng.chance(256) {
        for levels in [&mut out.bids, &mut out.asks] {
            for _ in 0..levels.len() / 8 {
                let again = levels[rng.below(levels.len() as u64) as usize].price.0;
                levels.push(Level::new(again, if rng.chance(512) { 0 } else { rng.quantity() }));
            }
            for i in (1..levels.len()).rev() {
                levels.swap(i, rng.below(i as u64 + 1) as usize);
            }
        }
    }
    known_to
}

/// A small generator with a public definition (Steele, Lea, Flood 2014).
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    fn chance(&mut self, of_1024: u64) -> bool {
        self.below(1_024) < of_1024
    }

    /// Above 0, now and then the greatest there is.
    fn quantity(&mut self) -> i64 {
        if self.chance(1) { i64::MAX } else { self.below(1 << 40) as i64 + 1 }
    }
}

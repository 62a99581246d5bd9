//! Every depth view against the plainest computation from the ordered-map book, message by message, computed anew and
//! tracked: a tracked view that skips a message it should not have skipped gives a wrong answer here.
//!
//! A failure names the market, its seed and the message, which is all that is needed to repeat it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what went wrong by failing")]

use depthwire_core::aggregate::{
    BandDepth, Bucket, BucketSides, Buckets, CostError, CostToFill, Depth, DepthTo, DepthView, Fill, Reach,
    Tracked, View, WithinBps,
};
use depthwire_core::book::{BookSpec, L2Book, NaiveBook};
use depthwire_core::types::{Decimal, Instrument, KnownTo, Level, Levels, Price, Qty, Side};
use depthwire_core::venues;

/// Small markets, each of another seed and kind.
const MARKETS: u64 = if cfg!(debug_assertions) { 200 } else { 2_000 };

const MESSAGES: u64 = 48;

/// What a market is made of, drawn from its seed.
struct Market {
    rng: SplitMix64,
    tick: i64,
    center: i64,
    /// Levels are quoted up to 2^this ticks from the price.
    depth_bits: u64,
    levels: u64,
    off_grid: bool,
    huge: bool,
    crossing: bool,
    extreme: bool,
}

impl Market {
    fn new(seed: u64) -> Self {
        let mut rng = SplitMix64(seed);
        let tick = [1, 1, 5, 10, 1_000, 1 << 40][rng.below(6) as usize];
        let extreme = rng.chance(64);
        let ticks = [0, 300, 100_000, 6_160_000][rng.below(4) as usize];
        let center = if extreme { [i64::MIN, i64::MAX][rng.below(2) as usize] } else { ticks * tick };
        Self {
            tick,
            center,
            depth_bits: [3, 8, 12, 18, 20][rng.below(5) as usize],
            levels: [3, 20, 120, 400][rng.below(4) as usize],
            off_grid: tick > 1 && rng.chance(256),
            huge: rng.chance(128),
            crossing: rng.chance(256),
            extreme,
            rng,
        }
    }

    fn price(&mut self, side: Side) -> i64 {
        let bits = self.rng.below(self.depth_bits + 1);
        let mut offset = (self.rng.below(1 << bits) as i64).saturating_mul(self.tick);
        if self.off_grid {
            offset = offset.saturating_add(self.rng.below(self.tick as u64) as i64);
        }
        if self.crossing && self.rng.chance(64) {
            offset = -offset;
        }
        match side {
            Side::Bid => self.center.saturating_sub(offset),
            Side::Ask => self.center.saturating_add(self.tick).saturating_add(offset),
        }
    }

    fn qty(&mut self) -> i64 {
        let bits = if self.huge && self.rng.chance(64) { 63 } else { 36 };
        self.rng.below(1 << bits) as i64 + i64::from(bits < 63)
    }

    fn snapshot(&mut self, out: &mut Levels) -> KnownTo {
        out.clear();
        for side in [Side::Bid, Side::Ask] {
            // Now and then a side is empty.
            let count = if self.rng.chance(64) { 0 } else { self.levels };
            for _ in 0..count {
                let level = Level::new(self.price(side), self.qty());
                if side == Side::Bid { out.bids.push(level) } else { out.asks.push(level) }
            }
        }
        match self.rng.below(3) {
            0 => KnownTo::WHOLE,
            _ => KnownTo { bid: Price(self.price(Side::Bid)), ask: Price(self.price(Side::Ask)) },
        }
    }

    fn frame(&mut self, book: &NaiveBook, out: &mut Levels) {
        out.clear();
        // The price moves, now and then by more than a window.
        let ticks = [0, 0, 1, 30, 5_000][self.rng.below(5) as usize];
        let moved = if self.rng.chance(512) { ticks } else { -ticks };
        if !self.extreme {
            self.center += moved * self.tick;
        }
        for side in [Side::Bid, Side::Ask] {
            let limit = Price(self.center);
            let mut levels = Vec::new();
            if !self.crossing {
                let passed = book.levels(side).take_while(|level| side.is_better(level.price, limit));
                levels.extend(passed.map(|level| Level::new(level.price.0, 0)));
            }
            for _ in 0..self.rng.below(12) {
                let qty = if self.rng.chance(300) { 0 } else { self.qty() };
                levels.push(Level::new(self.price(side), qty));
            }
            // The best levels change most.
            if self.rng.chance(512) {
                levels.extend(book.levels(side).take(2).map(|level| Level::new(level.price.0, self.qty())));
            }
            if self.rng.chance(100) {
                let gone = self.rng.below(6) as usize;
                levels.extend(book.levels(side).take(gone).map(|level| Level::new(level.price.0, 0)));
            }
            if side == Side::Bid { out.bids = levels } else { out.asks = levels }
        }
    }
}

/// The views under test, tracked, and what they ask.
struct Views {
    depths: Vec<Tracked<DepthTo>>,
    buckets: Vec<(i64, usize, Tracked<Buckets>)>,
    costs: Vec<(Instrument, Side, i64, Tracked<CostToFill>)>,
    bands: Vec<(u32, Tracked<WithinBps>)>,
    top: DepthView,
    /// Views of buckets, each with what a reader of its changes holds.
    grouped: Vec<(DepthView, Levels)>,
    skipped: u64,
    read: u64,
}

fn instrument(inverse: bool, contract_size: i64) -> Instrument {
    let venue = if inverse { venues::BINANCE_COINM } else { venues::BINANCE_USDM };
    let mut instrument = venues::instrument(venue, "X").unwrap();
    (instrument.price_exponent, instrument.qty_exponent) = (-2, 0);
    instrument.inverse = inverse;
    instrument.contract_size = Decimal { mantissa: contract_size, exponent: 0 };
    instrument
}

impl Views {
    fn new(market: &mut Market) -> Self {
        let mut depths = Vec::new();
        for side in [Side::Bid, Side::Ask] {
            for _ in 0..3 {
                depths.push(Tracked::new(DepthTo { side, price: Price(market.price(side)) }));
            }
        }
        let mut buckets = Vec::new();
        // In ticks: finer than a level, a level, less and more than 64 slots, and more than 63 blocks.
        for ticks in [0, 1, 7, 100, 5_000] {
            let width = market.tick.saturating_mul(ticks).max(1);
            let count = 1 + market.rng.below(12);
            let view = Buckets::new(width, count as u32).unwrap();
            buckets.push((width, count as usize, Tracked::new(view)));
        }
        let mut costs = Vec::new();
        for (inverse, contract_size) in [(false, 1), (false, 100), (true, 10), (false, i64::MAX)] {
            for side in [Side::Bid, Side::Ask] {
                let qty = [0, -3, 1, 1 << 30, 1 << 38, 1 << 44, i64::MAX][market.rng.below(7) as usize];
                let instrument = instrument(inverse, contract_size);
                let view = CostToFill::new(&instrument, side, Qty(qty));
                costs.push((instrument, side, qty, Tracked::new(view)));
            }
        }
        let bands = [0, 3, 250, 20_000].map(|bps| (bps, Tracked::new(WithinBps { bps })));
        let top = DepthView::new(1 + market.rng.below(25) as u32, 0);
        let grouped = [1, 7, 100, 5_000].map(|ticks| {
            let width = market.tick.saturating_mul(ticks);
            (DepthView::grouped(1 + market.rng.below(12) as u32, 0, width), Levels::default())
        });
        let grouped = grouped.into();
        Self { depths, buckets, costs, bands: bands.into(), top, grouped, skipped: 0, read: 0 }
    }

    fn check(&mut self, book: &L2Book, naive: &NaiveBook, at: &str) {
        for tracked in &mut self.depths {
            let DepthTo { side, price } = *tracked.view();
            let expected = naive_depth(naive, side, price);
            check(tracked, book, &expected, &mut self.skipped, &mut self.read, at);
        }
        for (width, count, tracked) in &mut self.buckets {
            let expected = BucketSides {
                bids: naive_buckets(naive, Side::Bid, *width, *count),
                asks: naive_buckets(naive, Side::Ask, *width, *count),
            };
            check(tracked, book, &expected, &mut self.skipped, &mut self.read, at);
        }
        for (instrument, side, qty, tracked) in &mut self.costs {
            let expected = naive_fill(naive, instrument, *side, *qty);
            check(tracked, book, &expected, &mut self.skipped, &mut self.read, at);
        }
        for (bps, tracked) in &mut self.bands {
            let expected = naive_band(naive, *bps);
            check(tracked, book, &expected, &mut self.skipped, &mut self.read, at);
        }
        if self.top.is_due(0) {
            self.top.flush(0, book);
        }
        for side in [Side::Bid, Side::Ask] {
            let expected: Vec<_> = naive.levels(side).take(self.top.depth() as usize).collect();
            assert_eq!(self.top.published().side(side), expected, "{at}");
        }
        for (view, held) in &mut self.grouped {
            if view.is_due(0) {
                let (changes, _) = view.flush(0, book);
                for side in [Side::Bid, Side::Ask] {
                    read_changes(side, changes.side(side), held.side_mut(side));
                }
            }
            for side in [Side::Bid, Side::Ask] {
                let buckets = naive_buckets(naive, side, view.grouping(), view.depth() as usize);
                let level = |bucket: &Bucket| Level {
                    price: bucket.price,
                    qty: Qty(bucket.qty.min(i64::MAX.into()) as i64),
                };
                let expected: Vec<_> = buckets.iter().map(level).collect();
                assert_eq!(view.published().side(side), expected, "{at}: grouped by {}", view.grouping());
                assert_eq!(held.side(side), expected, "{at}: as its reader has it");
            }
        }
    }
}

/// Absolute levels of which 0 removes, as a reader of the feed applies them.
fn read_changes(side: Side, changes: &[Level], held: &mut Vec<Level>) {
    for change in changes {
        let at = held.partition_point(|level| side.is_better(level.price, change.price));
        if held.get(at).is_some_and(|level| level.price == change.price) {
            held.remove(at);
        }
        if change.qty.0 != 0 {
            held.insert(at, *change);
        }
    }
}

fn check<V: View>(
    tracked: &mut Tracked<V>,
    book: &L2Book,
    expected: &V::Answer,
    skipped: &mut u64,
    read: &mut u64,
    at: &str,
) where
    V::Answer: PartialEq + core::fmt::Debug,
{
    let mut anew = V::Answer::default();
    tracked.view().compute(book, &mut anew);
    assert_eq!(anew, *expected, "{at}: computed anew");
    *skipped += u64::from(tracked.is_clean());
    *read += 1;
    assert_eq!(tracked.read(book), expected, "{at}: tracked");
}

fn naive_depth(naive: &NaiveBook, side: Side, price: Price) -> Depth {
    let near = naive.levels(side).filter(|level| !side.is_better(price, level.price));
    Depth {
        qty: near.map(|level| i128::from(level.qty.0)).sum(),
        is_known: naive.known_to().covers(side, price),
    }
}

fn naive_buckets(naive: &NaiveBook, side: Side, width: i64, count: usize) -> Vec<Bucket> {
    let mut buckets: Vec<Bucket> = Vec::new();
    for level in naive.levels(side) {
        let (price, width) = (i128::from(level.price.0), i128::from(width));
        let multiple = match side {
            Side::Bid => price.div_euclid(width) * width,
            Side::Ask => -(-price).div_euclid(width) * width,
        };
        let end = Price(multiple.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64);
        match buckets.last_mut().filter(|last| last.price == end) {
            Some(last) => last.qty += i128::from(level.qty.0),
            None => buckets.push(Bucket {
                price: end,
                qty: i128::from(level.qty.0),
                is_known: naive.known_to().covers(side, end),
            }),
        }
    }
    buckets.truncate(count);
    buckets
}

fn naive_fill(naive: &NaiveBook, instrument: &Instrument, side: Side, qty: i64) -> Fill {
    let mut left = qty.max(0);
    let mut worst = None;
    let mut cost = Ok(0i128);
    for level in naive.levels(side) {
        if left == 0 {
            break;
        }
        let part = left.min(level.qty.0);
        left -= part;
        worst = Some(level.price);
        let size = i128::from(instrument.contract_size.mantissa);
        let (price, part) = (i128::from(level.price.0), i128::from(part));
        let share = if instrument.inverse {
            // Prices have two digits, quantities none: 10^(18 + 2).
            match price {
                ..=0 => Err(CostError::NoValue { price: level.price }),
                _ => part
                    .unsigned_abs()
                    .checked_mul(100_000_000_000_000_000_000 * size.unsigned_abs())
                    .map(|value| (value / price.unsigned_abs()) as i128)
                    .ok_or(CostError::TooLarge),
            }
        } else {
            price.checked_mul(part).ok_or(CostError::TooLarge)
        };
        cost = cost.and_then(|cost| share.map(|share| cost + share));
    }
    if !instrument.inverse {
        let size = i128::from(instrument.contract_size.mantissa);
        cost = cost.and_then(|cost| cost.checked_mul(size).ok_or(CostError::TooLarge));
    }
    let known_to = naive.known_to();
    let is_known = match worst {
        _ if left > 0 => known_to.side(side) == KnownTo::WHOLE.side(side),
        Some(price) => known_to.covers(side, price),
        None => true,
    };
    Fill { filled: Qty(qty.max(0) - left), cost, worst, is_known }
}

fn naive_band(naive: &NaiveBook, bps: u32) -> Option<BandDepth> {
    let (bid, ask) = (naive.best_bid()?.price.0, naive.best_ask()?.price.0);
    let mid = i128::from(bid) + i128::from(ask);
    // A price counts when its distance from the mid is at most mid × bps / 10,000; all of it times 20,000.
    let counts = |side: Side, price: i128| {
        let below = mid * 10_000 - price * 20_000;
        let below = if side == Side::Bid { below } else { -below };
        below <= mid.abs() * i128::from(bps)
    };
    let limit = |side: Side| {
        // The last price that counts, by halving.
        let toward = if side == Side::Bid { -1 } else { 1 };
        let (mut near, mut far) = (mid.div_euclid(2) - toward * 4, toward * (1i128 << 100));
        while (far - near).abs() > 1 {
            let middle = near + (far - near) / 2;
            if counts(side, middle) { near = middle } else { far = middle }
        }
        Price(near.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64)
    };
    let (bid_limit, ask_limit) = (limit(Side::Bid), limit(Side::Ask));
    Some(BandDepth {
        bid_limit,
        ask_limit,
        bid: naive_depth(naive, Side::Bid, bid_limit),
        ask: naive_depth(naive, Side::Ask, ask_limit),
    })
}

#[test]
fn every_view_equals_the_plain_computation() {
    let (mut skipped, mut read, mut windows, mut far, mut recentres, mut unknown) = (0, 0, 0, 0, 0, 0);
    for seed in 1..=MARKETS {
        let mut market = Market::new(seed);
        let spec = BookSpec { tick_size: if seed % 5 == 0 { 0 } else { market.tick }, levels_max: 10_000 };
        let (mut book, mut naive) = (L2Book::new(spec), NaiveBook::new(spec));
        let mut views = Views::new(&mut market);
        let mut levels = Levels::default();
        for message in 0..MESSAGES {
            let at = format!("seed {seed}, message {message}");
            if message == 0 || market.rng.chance(32) {
                let known_to = market.snapshot(&mut levels);
                book.load(levels.view(), known_to).unwrap();
                naive.load(levels.view(), known_to).unwrap();
                views.depths.iter_mut().for_each(Tracked::invalidate);
                views.buckets.iter_mut().for_each(|(.., tracked)| tracked.invalidate());
                views.costs.iter_mut().for_each(|(.., tracked)| tracked.invalidate());
                views.bands.iter_mut().for_each(|(.., tracked)| tracked.invalidate());
                views.top.image(0, &book);
                for (view, held) in &mut views.grouped {
                    held.clone_from(view.image(0, &book));
                }
            } else {
                market.frame(&naive, &mut levels);
                naive.apply(levels.view()).unwrap();
                let touched = book.apply(levels.view()).unwrap();
                views.depths.iter_mut().for_each(|tracked| tracked.touch(touched));
                views.buckets.iter_mut().for_each(|(.., tracked)| tracked.touch(touched));
                views.costs.iter_mut().for_each(|(.., tracked)| tracked.touch(touched));
                views.bands.iter_mut().for_each(|(.., tracked)| tracked.touch(touched));
                views.top.touch(touched.bid, touched.ask);
                views.grouped.iter_mut().for_each(|(view, _)| view.touch(touched.bid, touched.ask));
            }
            assert_eq!(book.check_invariants(), Ok(()), "{at}");
            views.check(&book, &naive, &at);
            unknown += u64::from(!views.depths[0].read(&book).is_known);
        }
        let layout = book.layout();
        windows += u64::from(layout.slots > 0);
        far += u64::from(layout.slots > 0 && layout.far_levels > 0);
        recentres += u64::from(layout.recentres > 0);
        (skipped, read) = (skipped + views.skipped, read + views.read);
    }
    println!(
        "seeds 1 to {MARKETS}: {read} answers, {skipped} of them skipped; {windows} markets with a window, {far} with \
         levels beside it, {recentres} re-centred, {unknown} answers beyond what is known"
    );
    assert!(skipped > read / 10 && skipped < read);
    assert!(windows > MARKETS / 4 && far > MARKETS / 20 && recentres > MARKETS / 20 && unknown > MARKETS);
}

#[test]
fn a_reach_says_how_deep_a_view_looked() {
    let mut book = L2Book::new(BookSpec { tick_size: 1, levels_max: 100 });
    let run = |first: i64, step: i64| (0..5).map(|i| Level::new(first + i * step, 10)).collect::<Vec<_>>();
    book.load(Levels { bids: run(100, -1), asks: run(101, 1) }.view(), KnownTo::WHOLE).unwrap();
    let reach = |view: &CostToFill| view.compute(&book, &mut Fill::default());
    let of = |side, qty| CostToFill::new(&instrument(false, 1), side, Qty(qty));
    assert_eq!(reach(&of(Side::Ask, 25)), Reach::NOTHING.with(Side::Ask, Price(103)));
    assert_eq!(reach(&of(Side::Bid, 51)), Reach::NOTHING.with(Side::Bid, Price(i64::MIN)));
    let buckets = Buckets::new(2, 2).unwrap();
    let found = buckets.compute(&book, &mut BucketSides::default());
    assert_eq!(found, Reach { bid: Price(98), ask: Price(104) });
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
}

//! What a depth view costs after each message: the first 20 levels of both sides, ten price buckets, cumulative depth to a
//! price, the cost of filling a quantity and depth within basis points. Applying the message is not timed; reading the
//! view is, message by message, with what the clock costs taken off.
//!
//! Of each view there is the plain computation over ordered maps, ours from the book as it is, and ours kept and computed
//! again only when the message reached it.

use std::time::Duration;

use depthwire_core::aggregate::{Bucket, Buckets, CostToFill, DepthTo, Reach, Tracked, View, WithinBps};
use depthwire_core::book::{L2Book, NaiveBook, Touched};
use depthwire_core::types::{Instrument, KnownTo, Level, Levels, Price, Qty, Side};

use crate::answer::mix;
use crate::timing::{Contender, Run, timed_short};
use crate::workload::{LevelStream, LevelUpdate, Workload};

/// Levels a side of the first view, and buckets a side of the second.
const TOP: usize = 20;
const BUCKETS: usize = 10;

/// Messages of a pass: the ordered maps walk thousands of levels after each.
const MESSAGES_MAX: usize = 4_000;

/// Basis points of the last view.
const BPS: u32 = 10;

/// Contenders of `view_top20`.
#[must_use]
pub fn top(workload: &Workload) -> Option<Vec<Contender<'_>>> {
    let stream = stream_of(workload)?;
    let plain = |maps: &NaiveBook| {
        let sides = [Side::Bid, Side::Ask].map(|side| maps.levels(side).take(TOP).collect::<Vec<_>>());
        sides.iter().flatten().fold(0, mix_level)
    };
    Some(contenders(stream, TopLevels, plain, |levels| {
        levels.bids.iter().chain(&levels.asks).fold(0, mix_level)
    }))
}

/// Contenders of `view_buckets`: ten of a hundred ticks each.
#[must_use]
pub fn buckets(workload: &Workload) -> Option<Vec<Contender<'_>>> {
    let stream = stream_of(workload)?;
    let width = stream.books.first()?.spec.tick_size.max(1) * 100;
    let plain = move |maps: &NaiveBook| {
        let mut hash = 0;
        for side in [Side::Bid, Side::Ask] {
            let mut buckets: Vec<(i64, i128)> = Vec::with_capacity(BUCKETS);
            for level in maps.levels(side) {
                let end = match side {
                    Side::Bid => level.price.0.div_euclid(width) * width,
                    Side::Ask => -(-level.price.0).div_euclid(width) * width,
                };
                let full = buckets.len() == BUCKETS;
                match buckets.last_mut() {
                    Some((price, qty)) if *price == end => *qty += i128::from(level.qty.0),
                    _ if full => break,
                    _ => buckets.push((end, level.qty.0.into())),
                }
            }
            hash = buckets.iter().fold(hash, |hash, &(price, qty)| mix(mix(hash, price as u64), qty as u64));
        }
        hash
    };
    let mix_bucket = |hash, bucket: &Bucket| mix(mix(hash, bucket.price.0 as u64), bucket.qty as u64);
    Some(contenders(stream, Buckets::new(width, BUCKETS as u32)?, plain, move |sides| {
        sides.bids.iter().chain(&sides.asks).fold(0, mix_bucket)
    }))
}

/// Contenders of `view_depth_to`: bids down to a thousand ticks below the first best.
#[must_use]
pub fn depth_to(workload: &Workload) -> Option<Vec<Contender<'_>>> {
    let stream = stream_of(workload)?;
    let (best, tick_size) = first_best(stream)?;
    let price = Price(best.0 - 1_000 * tick_size);
    let plain = move |maps: &NaiveBook| sum_to(maps, Side::Bid, price) as u64;
    Some(contenders(stream, DepthTo { side: Side::Bid, price }, plain, |depth| depth.qty as u64))
}

/// Contenders of `view_cost`: what it costs to take the quantity of some hundred levels from the asks.
#[must_use]
pub fn cost(workload: &Workload) -> Option<Vec<Contender<'_>>> {
    let stream = stream_of(workload)?;
    let asks = &stream.books.first()?.snapshot.asks;
    let qty = Qty(asks.iter().map(|level| level.qty.0).sum::<i64>() * 100 / (asks.len().max(1) as i64));
    let plain = move |maps: &NaiveBook| {
        let (mut left, mut cost) = (qty.0, 0i128);
        for level in maps.levels(Side::Ask) {
            let taken = level.qty.0.min(left);
            cost += i128::from(taken) * i128::from(level.price.0);
            left -= taken;
            if left == 0 {
                break;
            }
        }
        mix(cost as u64, (qty.0 - left) as u64)
    };
    let view = CostToFill::new(&linear_instrument(), Side::Ask, qty);
    Some(contenders(stream, view, plain, |fill| {
        mix(fill.cost.map_or(u64::MAX, |cost| cost as u64), fill.filled.0 as u64)
    }))
}

/// Contenders of `view_within_bps`: ten basis points of the mid, both sides.
#[must_use]
pub fn within_bps(workload: &Workload) -> Option<Vec<Contender<'_>>> {
    let stream = stream_of(workload)?;
    let plain = |maps: &NaiveBook| {
        let (Some(bid), Some(ask)) = (maps.best_bid(), maps.best_ask()) else { return 0 };
        // Twice the mid times the basis points of the whole, so that nothing is rounded.
        let mid = i128::from(bid.price.0) + i128::from(ask.price.0);
        let (low, high) = (mid * i128::from(10_000 - BPS), mid * i128::from(10_000 + BPS));
        let scaled = |level: &Level| i128::from(level.price.0) * 20_000;
        let bids = maps.levels(Side::Bid).take_while(|level| scaled(level) >= low);
        let asks = maps.levels(Side::Ask).take_while(|level| scaled(level) <= high);
        let sum = |sum: i128, level: Level| sum + i128::from(level.qty.0);
        mix(bids.fold(0, sum) as u64, asks.fold(0, sum) as u64)
    };
    Some(contenders(stream, WithinBps { bps: BPS }, plain, |band| {
        band.map_or(0, |band| mix(band.bid.qty as u64, band.ask.qty as u64))
    }))
}

/// Views are of one book, and of prices that leave room for sums.
fn stream_of(workload: &Workload) -> Option<&LevelStream> {
    let stream = workload.levels.as_ref()?;
    (stream.books.len() == 1 && workload.name != "hostile").then_some(stream)
}

/// The messages of a pass.
fn measured(stream: &LevelStream) -> &[LevelUpdate] {
    stream.updates.get(..MESSAGES_MAX).unwrap_or(&stream.updates)
}

fn first_best(stream: &LevelStream) -> Option<(Price, i64)> {
    let book = stream.books.first()?;
    let best = book.snapshot.bids.iter().map(|level| level.price).max()?;
    Some((best, book.spec.tick_size.max(1)))
}

fn linear_instrument() -> Instrument {
    use depthwire_core::types::{QtyUnit, Venue};
    Instrument {
        venue: Venue::Sim,
        symbol: "BOOK".to_owned(),
        price_exponent: 0,
        qty_exponent: 0,
        tick_size: 1,
        lot_size: 1,
        qty_unit: QtyUnit::Base,
        contract_size: 1,
        inverse: false,
    }
}

fn sum_to(maps: &NaiveBook, side: Side, price: Price) -> i128 {
    let within = maps.levels(side).take_while(|level| !side.is_better(price, level.price));
    within.map(|level| i128::from(level.qty.0)).sum()
}

fn mix_level(hash: u64, level: &Level) -> u64 {
    mix(mix(hash, level.price.0 as u64), level.qty.0 as u64)
}

/// The first levels of both sides, as a view.
struct TopLevels;

impl View for TopLevels {
    type Answer = Levels;

    fn compute(&self, book: &L2Book, answer: &mut Levels) -> Reach {
        answer.clear();
        book.levels(Side::Bid).append_to(TOP, &mut answer.bids);
        book.levels(Side::Ask).append_to(TOP, &mut answer.asks);
        let last = |levels: &[Level], all: Price| match levels.get(TOP - 1) {
            Some(level) => level.price,
            None => all,
        };
        Reach { bid: last(&answer.bids, Reach::WHOLE.bid), ask: last(&answer.asks, Reach::WHOLE.ask) }
    }
}

fn contenders<'a, V: View + 'a>(
    stream: &'a LevelStream,
    view: V,
    plain: impl Fn(&NaiveBook) -> u64 + Copy + 'a,
    hash_of: impl Fn(&V::Answer) -> u64 + Copy + 'a,
) -> Vec<Contender<'a>> {
    let expected = plain_pass(stream, plain).answer;
    let count = measured(stream).len() as u64;
    let mut tracked = Tracked::new(view);
    let mut book = stream.books.first().map(|of| L2Book::new(of.spec));
    let pass = move |is_kept: bool| {
        let (Some(book), Some(of)) = (&mut book, stream.books.first()) else { return Run::failed("no book") };
        if let Err(error) = book.load(of.snapshot.view(), of.known_to) {
            return Run::failed(error.code());
        }
        tracked.invalidate();
        let (mut elapsed, mut hash) = (Duration::ZERO, 0);
        for update in measured(stream) {
            let touched = book.apply(update.levels.view()).unwrap_or(Touched::default());
            let (took, seen) = timed_short(|| {
                if is_kept {
                    tracked.touch(touched);
                } else {
                    tracked.invalidate();
                }
                std::hint::black_box(tracked.read(book))
            });
            elapsed += took;
            hash = mix(hash, hash_of(seen));
        }
        Run { elapsed, answer: answer(hash) }
    };
    let pass = std::rc::Rc::new(std::cell::RefCell::new(pass));
    let kept = pass.clone();
    vec![
        Contender::new("ordered map", count, expected.clone(), move || plain_pass(stream, plain)),
        Contender::new("computed each time", count, expected.clone(), move || pass.borrow_mut()(false)),
        Contender::new("skipped when untouched", count, expected, move || kept.borrow_mut()(true)),
    ]
}

fn plain_pass(stream: &LevelStream, plain: impl Fn(&NaiveBook) -> u64) -> Run {
    let Some(of) = stream.books.first() else { return Run::failed("no book") };
    let mut maps = NaiveBook::new(of.spec);
    if let Err(error) = maps.load(of.snapshot.view(), KnownTo::WHOLE) {
        return Run::failed(error.code());
    }
    let (mut elapsed, mut hash) = (Duration::ZERO, 0);
    for update in measured(stream) {
        if let Err(error) = maps.apply(update.levels.view()) {
            return Run::failed(error.code());
        }
        let (took, seen) = timed_short(|| plain(&maps));
        elapsed += took;
        hash = mix(hash, seen);
    }
    Run { elapsed, answer: answer(hash) }
}

fn answer(hash: u64) -> String {
    format!("views {hash:016x}")
}

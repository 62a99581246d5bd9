//! Volumes at prices against the plainest computation from the trades themselves: what a reader of a view's publications has,
//! and what its image says, is at each sequence the sum of all trades before it.
//!
//! A failure names the seed, which is all that is needed to repeat it.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

use std::collections::BTreeMap;

use depthwire_core::aggregate::{PROFILE_PRICES_MAX, Profile, Traded, VolumeView};
use depthwire_core::types::{Aggressor, Price, Qty, Trade, TradeId};

/// More than a profile has prices.
const TRADES: u64 = 6_000;

const SEEDS: u64 = if cfg!(debug_assertions) { 60 } else { 150 };

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

fn trade(price: i64, qty: i64, aggressor: Aggressor) -> Trade {
    Trade { id: TradeId::None, price: Price(price), qty: Qty(qty), aggressor, ts_event: 0, resting: None }
}

/// The rows of trades in buckets of a width: the lowest price of each, a multiple of the width, and its sums.
fn naive(trades: &[Trade], width: i64) -> Vec<Traded> {
    let mut rows: BTreeMap<i128, [i128; 4]> = BTreeMap::new();
    for trade in trades {
        let (price, width) = (i128::from(trade.price.0), i128::from(width));
        let bucket = (price.div_euclid(width) * width).max(i128::from(i64::MIN));
        let row = rows.entry(bucket).or_default();
        let column = match trade.aggressor {
            Aggressor::Buy => 0,
            Aggressor::Sell => 1,
            Aggressor::Unknown => 2,
        };
        row[column] += i128::from(trade.qty.0);
        row[3] += 1;
    }
    let qty = |sum: i128| Qty(i64::try_from(sum).unwrap_or(i64::MAX));
    let row = |(price, [bought, sold, unknown, trades]): (i128, [i128; 4])| Traded {
        price: Price(price as i64),
        bought: qty(bought),
        sold: qty(sold),
        unknown: qty(unknown),
        trades: trades as u32,
    };
    rows.into_iter().map(row).collect()
}

#[test]
fn a_reader_has_the_sums_of_all_trades() {
    let (mut widened, mut published) = (0, 0);
    for seed in 1..=SEEDS {
        let mut random = Random(seed);
        let spread = [20, 500, 3_000, 40_000, 1 << 40][random.below(5) as usize];
        let base = [0, -300, 6_180_000, i64::MIN, i64::MAX - (1 << 40)][random.below(5) as usize];
        let huge = random.below(8) == 0;
        let asked: Vec<i64> =
            (0..3).map(|_| [0, 1, 5, 10, 25, 250, 1_000, 7][random.below(8) as usize]).collect();
        let mut profile = Profile::default();
        let mut views: Vec<_> = asked.iter().map(|&width| VolumeView::new(width, 10)).collect();
        views.iter_mut().for_each(|view| view.image(0, 1, &profile));
        let mut readers: Vec<BTreeMap<Price, Traded>> = vec![BTreeMap::new(); views.len()];
        let mut away: Vec<Option<(u64, BTreeMap<Price, Traded>)>> = vec![None; views.len()];
        let mut trades = Vec::new();
        let mut at_publication = vec![0; views.len()];
        for now in 1..=TRADES {
            let qty = if huge { i64::MAX / 3 } else { random.below(1_000) as i64 };
            let aggressor = Aggressor::ALL[random.below(3) as usize];
            let next = trade(base.saturating_add(random.below(spread) as i64), qty, aggressor);
            trades.push(next);
            let is_wider = profile.add(&next);
            widened += u32::from(is_wider);
            for (index, view) in views.iter_mut().enumerate() {
                let reader = &mut readers[index];
                if is_wider {
                    view.image(now, now, &profile);
                    away[index] = None;
                    *reader = view.published().iter().map(|row| (row.price, *row)).collect();
                    at_publication[index] = trades.len();
                } else {
                    view.touch(next.price);
                    if view.is_due(now) {
                        let (rows, merged) = view.flush(now, now, &profile);
                        assert_eq!(merged as usize, trades.len() - at_publication[index], "seed {seed}");
                        reader.extend(rows.iter().map(|row| (row.price, *row)));
                        at_publication[index] = trades.len();
                        published += 1;
                    }
                }
                if random.below(100) == 0 || now == TRADES {
                    let expected = naive(&trades[..at_publication[index]], view.width().max(1));
                    assert_eq!(view.published(), expected, "seed {seed}, width {}", asked[index]);
                    let read: Vec<_> = reader.values().copied().collect();
                    assert_eq!(read, expected, "seed {seed}, width {}, as read", asked[index]);
                    // Who has left at a sequence needs only what was published since.
                    if let Some((seq, mut resumed)) = away[index].take() {
                        resumed.extend(view.since(seq).map(|row| (row.price, *row)));
                        assert_eq!(&resumed, reader, "seed {seed}, resumed from {seq}");
                    }
                    away[index] = Some((now, reader.clone()));
                }
            }
            profile.check_invariants().unwrap();
        }
    }
    println!("seeds 1 to {SEEDS}: {published} publications, rows became wider {widened} times");
    assert!(published > 1_000 && widened > 3);
}

#[test]
fn at_its_limit_a_profile_loses_nothing_but_detail() {
    let mut profile = Profile::default();
    let prices = PROFILE_PRICES_MAX as i64;
    for price in 0..prices {
        assert!(!profile.add(&trade(price * 3, 2, Aggressor::Buy)));
    }
    assert_eq!((profile.rows().len(), profile.width()), (PROFILE_PRICES_MAX, 1));
    assert!(!profile.add(&trade(3, 1, Aggressor::Sell)), "a price that it has is no new one");
    assert!(profile.add(&trade(1, 1, Aggressor::Unknown)));
    assert_eq!((profile.rows().len(), profile.width()), (1_229, 10));
    let sums = profile.rows().iter().fold((0, 0, 0, 0), |sum, row| {
        (sum.0 + row.bought.0, sum.1 + row.sold.0, sum.2 + row.unknown.0, sum.3 + row.trades)
    });
    assert_eq!(sums, (2 * prices, 1, 1, prices as u32 + 2));
    // A view whose buckets do not fit is in the next that do.
    let mut view = VolumeView::new(25, 0);
    view.image(0, 1, &profile);
    assert_eq!(view.width(), 50);
    // Prices as far apart as they can be need the widest rows, and end there.
    let mut wide = Profile::default();
    for step in 0..=prices {
        let price = i128::from(i64::MIN) + i128::from(step) * i128::from(u64::MAX) / i128::from(prices);
        wide.add(&trade(price as i64, 1, Aggressor::Buy));
        wide.check_invariants().unwrap();
    }
    assert!(wide.rows().len() <= PROFILE_PRICES_MAX / 2);
}

#[test]
fn another_scale_is_exact_or_refused() {
    let mut profile = Profile::default();
    profile.add(&trade(120, 50, Aggressor::Buy));
    profile.add(&trade(30, 7, Aggressor::Sell));
    let before = profile.rows().to_vec();
    let tenth = |of: i64| (of % 10 == 0).then_some(of / 10);
    assert!(!profile.rescale(tenth, tenth), "7 is no multiple of 10");
    assert_eq!(profile.rows(), before);
    assert!(profile.rescale(tenth, Some));
    assert!(profile.rescale(|of| of.checked_mul(1_000), |of| of.checked_mul(10)));
    assert_eq!(
        profile.rows()[1],
        Traded { price: Price(12_000), bought: Qty(500), trades: 1, ..Traded::default() }
    );
    assert_eq!(profile.width(), 1, "each price has a row of its own, also finer ones");
    assert!(!profile.rescale(|of| of.checked_mul(i64::MAX), Some));
}

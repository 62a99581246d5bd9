//! The listed symbols: names, prices, and how active each is.

use super::wire::Stock;
use crate::curve::Curve;
use crate::rng::Rng;

/// Cents of a reference price, by quantile of the symbols.
const REFERENCE_CENTS: Curve = Curve(&[
    (0, 100),
    (100_000, 500),
    (300_000, 1_200),
    (500_000, 2_500),
    (700_000, 4_500),
    (900_000, 12_000),
    (990_000, 50_000),
    (1_000_000, 250_000),
]);

/// The most active symbols are dear ones, from this quantile on.
const DEAR_RANKS: u64 = 20;
const DEAR_FROM_PPM: u64 = 800_000;

/// Of 1,000 symbols, those that cost less than a dollar.
const SUB_DOLLAR_PERMILLE: u64 = 30;

/// Prices of the wire in a cent, the tick from a dollar up. Below a dollar every price of the wire is a tick.
const CENT: u32 = 100;

/// What is taken from the top of Zipf's law: the rank r has weight 1 / (r + 20), counted from 1. Over 8,900 symbols
/// the first has 0.78 % of all messages and the second 0.75 %, as SPY and AAPL have of a NASDAQ day.
const ZIPF_SHIFT: u64 = 20;

/// The highest price of the wire.
const PRICE_MAX: u32 = 1_999_999_900;

/// What is fixed about a symbol, and where its fair price is. Prices in ticks.
#[derive(Clone, Debug)]
pub(crate) struct Symbol {
    pub(crate) stock: Stock,
    /// Prices of the wire in a tick: 100 or 1.
    pub(crate) tick: u32,
    /// Where the fair price starts; it stays within a fifth of it.
    pub(crate) reference: i64,
    /// The usual spread.
    pub(crate) spread: i64,
    /// The highest price but for stub quotes.
    pub(crate) highest: i64,
    /// The price at which nobody ever trades.
    pub(crate) stub: i64,
    /// Fair price in 1/256 ticks.
    pub(crate) fair: i64,
}

/// `len` symbols, in the order of their locate codes, which is the alphabet's, and how to draw one by its activity.
pub(crate) fn list(len: usize, rng: &mut Rng) -> (Vec<Symbol>, Activity) {
    let mut ranks: Vec<u64> = (1..=len as u64).collect();
    for at in (1..len).rev() {
        ranks.swap(at, rng.below(at as u64 + 1) as usize);
    }
    let symbols = ranks.iter().enumerate().map(|(at, &rank)| symbol(at, len, rank, rng)).collect();
    let weights: Vec<u64> = ranks.iter().map(|rank| (1 << 32) / (rank + ZIPF_SHIFT)).collect();
    (symbols, Activity::new(&weights))
}

fn symbol(at: usize, len: usize, rank: u64, rng: &mut Rng) -> Symbol {
    let is_sub_dollar = rank > DEAR_RANKS && rng.below(1_000) < SUB_DOLLAR_PERMILLE;
    let dear = if rank > DEAR_RANKS { 0 } else { DEAR_FROM_PPM };
    let quantile = (dear + rng.below(1_000_000 - dear)) as i64;
    let (tick, reference) =
        if is_sub_dollar { (1, 500 + rng.below(7_500) as i64) } else { (CENT, REFERENCE_CENTS.at(quantile)) };
    // From 1 basis point for the most active to some 45.
    let spread = (reference * (200 + rank as i64) / 2_000_000).max(1);
    Symbol {
        stock: name(at, len),
        tick,
        reference,
        spread,
        highest: if is_sub_dollar { 9_999 } else { reference * 2 },
        stub: i64::from(PRICE_MAX / tick),
        fair: reference * 256,
    }
}

/// Four letters, evenly spread over the alphabet, so that they rise and differ.
fn name(at: usize, len: usize) -> Stock {
    let mut stock = *b"        ";
    let mut code = at * 26_usize.pow(4) / len;
    for place in (0..4).rev() {
        stock[place] = b'A' + (code % 26) as u8;
        code /= 26;
    }
    stock
}

/// Draws an index by weight in constant time (Walker's alias method, in integers).
#[derive(Clone, Debug)]
pub(crate) struct Activity {
    /// For each index the chance, of `share`, that it stands for itself, and for whom it stands else.
    columns: Vec<(u64, u32)>,
    share: u64,
}

impl Activity {
    /// From weights of which at least one is above 0; their sum times their number must fit 64 bits.
    fn new(weights: &[u64]) -> Self {
        let share: u64 = weights.iter().sum();
        let mut columns: Vec<(u64, u32)> = weights
            .iter()
            .enumerate()
            .map(|(at, weight)| (weight * weights.len() as u64, at as u32))
            .collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) =
            (0..columns.len()).partition(|&at| columns[at].0 < share);
        while let (Some(poor), Some(&rich)) = (small.pop(), large.last()) {
            columns[poor].1 = rich as u32;
            columns[rich].0 -= share - columns[poor].0;
            if columns[rich].0 < share {
                large.pop();
                small.push(rich);
            }
        }
        Self { columns, share }
    }

    pub(crate) fn draw(&self, rng: &mut Rng) -> usize {
        let at = rng.below(self.columns.len() as u64) as usize;
        let (own, other) = self.columns[at];
        if rng.below(self.share) < own { at } else { other as usize }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_drawn_as_often_as_it_weighs() {
        let weights = [1, 0, 5, 10, 4];
        let activity = Activity::new(&weights);
        let mut rng = Rng::new(5, 0);
        let mut counts = [0_u64; 5];
        for _ in 0..200_000 {
            counts[activity.draw(&mut rng)] += 1;
        }
        for (count, weight) in counts.into_iter().zip(weights) {
            assert!(count.abs_diff(weight * 10_000) < 600, "{counts:?}");
        }
    }

    #[test]
    fn names_rise_and_differ() {
        for len in [1, 500, 8_900, u16::MAX as usize] {
            let names: Vec<Stock> = (0..len).map(|at| name(at, len)).collect();
            assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "{len}");
            assert!(names.iter().all(|name| name[..4].iter().all(u8::is_ascii_uppercase)));
        }
    }

    #[test]
    fn the_first_of_the_whole_market_has_less_than_a_hundredth() {
        let mut rng = Rng::new(1, 0);
        let (symbols, activity) = list(8_900, &mut rng);
        assert_eq!(symbols.len(), 8_900);
        let mut counts = vec![0; 8_900];
        for _ in 0..1_000_000 {
            counts[activity.draw(&mut rng)] += 1;
        }
        counts.sort_unstable();
        let (most, middle) = (counts[8_899], counts[4_450]);
        assert!((7_000..8_900).contains(&most) && (20..60).contains(&middle), "{most} {middle}");
    }
}

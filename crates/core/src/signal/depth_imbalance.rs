//! How much more stands on one side than on the other, over some best levels.

use crate::types::Level;

/// (Σ bid quantity − Σ ask quantity) / (Σ bid quantity + Σ ask quantity) over the best `depth` levels of each side,
/// from −1 to 1.
///
/// Levels are best first. Where a side has fewer, it is what it has that counts: who calls says by `is_known` whether
/// the venue has made both sides known so deep, and without that there is no value; nor is there one where nothing
/// stands on either side.
///
/// Exact integers up to the division (as in the order book imbalance of nkaz001/hftbacktest's examples, with weights
/// of 1). Cost: an addition a level.
#[must_use]
pub fn depth_imbalance(bids: &[Level], asks: &[Level], depth: usize, is_known: bool) -> Option<f64> {
    let sum = |side: &[Level]| side.iter().take(depth).map(|level| i128::from(level.qty.0)).sum::<i128>();
    let (bid, ask) = (sum(bids), sum(asks));
    (is_known && bid + ask > 0).then(|| (bid - ask) as f64 / (bid + ask) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_of_the_levels_asked_for() {
        let side =
            |quantities: &[i64]| -> Vec<Level> { quantities.iter().map(|&qty| Level::new(0, qty)).collect() };
        let (bids, asks) = (side(&[5, 1, 100]), side(&[3, 3]));
        for (depth, expected) in [(1, 0.25), (2, 0.0), (3, 100.0 / 112.0), (10, 100.0 / 112.0)] {
            assert_eq!(depth_imbalance(&bids, &asks, depth, true), Some(expected));
        }
        assert_eq!(depth_imbalance(&bids, &[], 1, true), Some(1.0));
        assert_eq!(depth_imbalance(&bids, &asks, 3, false), None);
        assert_eq!(depth_imbalance(&bids, &asks, 0, true), None);
        assert_eq!(depth_imbalance(&[], &[], 1, true), None);
        assert_eq!(depth_imbalance(&side(&[i64::MAX; 9]), &side(&[i64::MAX; 9]), 9, true), Some(0.0));
    }
}

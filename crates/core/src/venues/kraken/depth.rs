//! To how many levels a side the venue cuts a book.

use crate::decode::DecodeError;
use crate::types::{Coverage, TimeNs};

/// Depths that can be subscribed.
const DEPTHS: [u32; 5] = [10, 25, 100, 500, 1_000];

/// Levels a side that a checksum covers.
const CHECKED: usize = 10;

/// What a connection has told of one pair.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Subscribed {
    /// Depth of the book of levels.
    pub(super) levels: Option<u32>,
    /// Depth of the book of orders.
    pub(super) orders: Option<u32>,
    /// Whether a book has come.
    pub(super) has_book: bool,
    /// The venue's time of the last message of levels, and of orders.
    pub(super) levels_at: TimeNs,
    pub(super) orders_at: TimeNs,
    /// Depth to which the book of levels is cut.
    pub(super) cut: Option<u32>,
    /// Depth of the channel of version 1 that the book is of.
    pub(super) channel: Option<u32>,
    /// Depths of shallower channels whose snapshots were passed over, the latest first.
    pub(super) passed_over: [Option<u32>; DEPTHS.len()],
}

/// Whether a message is of before the last one, whose place it takes: doubled or out of turn, it would put older quantities
/// over newer ones, of which a checksum shows those of the best ten levels only.
pub(super) const fn goes_back(last: &mut TimeNs, now: TimeNs) -> bool {
    core::mem::replace(last, now) > now
}

/// What a snapshot covers: the depth that was told, else what its levels show.
///
/// # Errors
/// [`DecodeError::UnknownDepth`].
pub(super) fn coverage(told: Option<u32>, bids: usize, asks: usize) -> Result<Coverage, DecodeError> {
    let longer = bids.max(asks);
    let shown = if longer <= CHECKED {
        DEPTHS.first()
    } else {
        DEPTHS.iter().find(|depth| bids == asks && **depth as usize == bids)
    };
    let depth = told.or(shown.copied()).ok_or(DecodeError::UnknownDepth { levels: longer as u32 })?;
    Ok(Coverage::Depth(depth))
}

/// A depth as it was told. Less than what a checksum covers is none.
pub(super) fn told(depth: u64) -> Option<u32> {
    u32::try_from(depth).ok().filter(|depth| *depth as usize >= CHECKED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_depth_is_told_or_shown_or_refused() {
        for (was_told, bids, asks, depth) in [
            (Some(25), 25, 25, Some(25)),
            (Some(1_000), 10, 10, Some(1_000)),
            (Some(100), 3, 0, Some(100)),
            (None, 10, 10, Some(10)),
            (None, 0, 0, Some(10)),
            (None, 4, 10, Some(10)),
            (None, 25, 25, Some(25)),
            (None, 1_000, 1_000, Some(1_000)),
            (None, 25, 24, None),
            (None, 11, 11, None),
            (None, 10, 25, None),
        ] {
            assert_eq!(coverage(was_told, bids, asks).ok().and_then(Coverage::depth), depth, "{bids} {asks}");
        }
        assert_eq!((told(10), told(9), told(0), told(u64::MAX)), (Some(10), None, None, None));
    }
}

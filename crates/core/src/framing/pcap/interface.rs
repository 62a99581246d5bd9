//! What a capture says of an interface: its link layer and how it counts time.

use super::link::Link;
use crate::types::TimeNs;

/// How an interface's packets are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Interface {
    pub link: Link,
    /// Longest capture, 0 for any; a simple packet block does not say its own.
    pub snap_len: u32,
    pub resolution: Resolution,
    pub offset_s: i64,
}

/// Duration of a tick: 10⁻ⁿ or 2⁻ⁿ seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resolution {
    Decimal(u32),
    Binary(u32),
}

impl Interface {
    /// As far as a file says nothing else: microseconds.
    pub const fn new(link: Link, snap_len: u32) -> Self {
        Self { link, snap_len, resolution: Resolution::Decimal(6), offset_s: 0 }
    }

    /// A count of ticks as nanoseconds, at the nearest end where they do not fit.
    pub fn time_ns(&self, ticks: u64) -> TimeNs {
        let ticks = u128::from(ticks);
        let ns = match self.resolution {
            Resolution::Decimal(digits @ 0..=9) => ticks * 10u128.pow(9 - digits),
            Resolution::Decimal(digits) => 10u128.checked_pow(digits - 9).map_or(0, |parts| ticks / parts),
            Resolution::Binary(bits) => (ticks * 1_000_000_000).checked_shr(bits).unwrap_or(0),
        };
        let ns = ns as i128 + i128::from(self.offset_s) * 1_000_000_000;
        u64::try_from(ns.max(0)).unwrap_or(u64::MAX)
    }
}

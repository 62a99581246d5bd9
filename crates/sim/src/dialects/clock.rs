//! Market time behind a caller's clock.

use crate::venue::{CATCH_UP_MS_MAX, TIME_MS_MAX};

/// Counts the milliseconds that a market is to live through. Stands still before it is started.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    /// The next millisecond to live through, since the epoch.
    next_ms: Option<u64>,
}

impl Clock {
    /// Begins a connection at `now_ns`. Returns the milliseconds that passed unheard since the last one, at most
    /// [`CATCH_UP_MS_MAX`]; none at the first.
    pub(super) fn start(&mut self, now_ns: u64) -> u64 {
        let now_ms = (now_ns / 1_000_000).min(TIME_MS_MAX);
        let unheard_ms = self.next_ms.map_or(0, |next_ms| (now_ms + 1).saturating_sub(next_ms));
        self.next_ms = Some((now_ms + 1).max(self.next_ms.unwrap_or(0)));
        unheard_ms.min(CATCH_UP_MS_MAX)
    }

    /// The next millisecond, where it is over by `now_ns`; none beyond [`TIME_MS_MAX`].
    pub(super) fn take(&mut self, now_ns: u64) -> Option<u64> {
        let next_ms = self.next_ms?;
        if next_ms > TIME_MS_MAX || moment_ns(next_ms) > now_ns {
            return None;
        }
        self.next_ms = Some(next_ms + 1);
        Some(next_ms)
    }
}

/// The nanosecond of a millisecond at which its frames are sent: a different one each time, always the same.
pub(super) const fn moment_ns(time_ms: u64) -> u64 {
    let mixed = (time_ms ^ time_ms >> 7).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    time_ms * 1_000_000 + mixed % 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_begins_with_the_connection_and_never_goes_back() {
        let mut clock = Clock::default();
        assert_eq!(clock.take(u64::MAX), None);
        assert_eq!(clock.start(5_000_000), 0);
        assert_eq!(clock.take(5_999_999), None);
        assert_eq!(
            (clock.take(7_999_999), clock.take(7_999_999), clock.take(7_999_999)),
            (Some(6), Some(7), None)
        );
        assert_eq!(clock.start(10_000_000), 3, "8, 9 and 10 passed unheard");
        assert_eq!(clock.start(1_000_000), 0);
        assert_eq!(clock.take(12_000_000), Some(11));
        assert_eq!(clock.start(u64::MAX), CATCH_UP_MS_MAX);
        assert_eq!(clock.take(u64::MAX), None, "time has ended");
    }

    #[test]
    fn moments_rise() {
        assert!((0..10_000).all(|time_ms| moment_ns(time_ms) < moment_ns(time_ms + 1)));
        assert!((0..10_000).all(|time_ms| moment_ns(time_ms) / 1_000_000 == time_ms));
    }
}

//! How long to wait before the next attempt, and before the next message.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

/// Pauses between attempts: each in a row is twice the one before it, from the first to the longest, and each is shortened by chance
/// to 50–100 %, so that many clients do not come at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pauses {
    /// The first one.
    pub first: Duration,
    /// None is longer.
    pub longest: Duration,
}

impl Pauses {
    /// The pause after so many attempts in a row, as it is before chance.
    pub(crate) fn after(self, attempts: u32) -> Duration {
        self.first.saturating_mul(1 << attempts.min(16)).min(self.longest)
    }
}

/// A share of a duration that chance decides, from `from_percent` of it to all of it.
pub(crate) fn by_chance(duration: Duration, from_percent: u32) -> Duration {
    // A fresh random state is keyed by the system's randomness, which is all that is needed here.
    let random = RandomState::new().hash_one(0u8) % 1_001;
    let thousandths = u128::from(from_percent) * 10;
    let share = thousandths + u128::from(random) * (1_000 - thousandths) / 1_000;
    Duration::from_nanos(u64::try_from(duration.as_nanos() * share / 1_000).unwrap_or(u64::MAX))
}

/// Requests that are repeated, with growing pauses while they follow one another, until what was asked for is there.
#[derive(Debug, Default)]
pub(crate) struct Resync {
    in_row: u32,
    last: Option<Instant>,
    /// When the next one goes out; none = nothing is asked for.
    pub due: Option<Instant>,
}

impl Resync {
    /// Something is needed. Nothing happens while a request is under way or waits for its turn.
    pub fn request(&mut self, now: Instant, pauses: Pauses) {
        if self.due.is_some() {
            return;
        }
        // Requests that lie far apart are no row: the next one goes out at once again.
        if self.last.is_none_or(|last| now.duration_since(last) > pauses.longest * 2) {
            self.in_row = 0;
        }
        let earliest = self.last.filter(|_| self.in_row > 0).map(|last| last + pauses.after(self.in_row));
        self.due = Some(earliest.map_or(now, |earliest| earliest.max(now)));
    }

    /// It goes out now, and again after a pause.
    pub fn fire(&mut self, now: Instant, pauses: Pauses) {
        self.in_row += 1;
        self.last = Some(now);
        self.due = Some(now + pauses.after(self.in_row));
    }

    /// What was asked for is there, or the server has said that it will come.
    pub fn done(&mut self) {
        self.due = None;
    }
}

/// Keeps messages within what a server takes a second.
#[derive(Debug)]
pub(crate) struct Pacer {
    step: Duration,
    /// How far ahead of the pace messages may be.
    burst: Duration,
    /// When the pace is kept by what was sent.
    kept: Instant,
}

impl Pacer {
    /// For a server that takes so many a second: a second's worth at once, and four fifths of the pace from then on.
    pub fn new(per_second: u32, now: Instant) -> Self {
        let step = Duration::from_millis(1_250) / per_second.max(1);
        Self { step, burst: Duration::from_secs(1), kept: now }
    }

    /// When the next message may go.
    pub fn ready(&self) -> Option<Instant> {
        self.kept.checked_sub(self.burst)
    }

    pub fn sent(&mut self, now: Instant) {
        self.kept = self.kept.max(now) + self.step;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSES: Pauses = Pauses { first: Duration::from_millis(100), longest: Duration::from_millis(800) };

    #[test]
    fn pauses_grow_to_the_longest_and_are_shortened_by_half_at_most() {
        let all: Vec<_> = (0..6).map(|attempts| PAUSES.after(attempts).as_millis()).collect();
        assert_eq!(all, [100, 200, 400, 800, 800, 800]);
        assert_eq!(PAUSES.after(u32::MAX), PAUSES.longest);
        let all: Vec<_> = (0..200).map(|_| by_chance(PAUSES.longest, 50)).collect();
        assert!(all.iter().all(|pause| (400..=800).contains(&pause.as_millis())));
        assert!(all.iter().any(|pause| *pause != all[0]), "by chance");
    }

    #[test]
    fn a_request_goes_out_at_once_then_ever_more_rarely_until_it_is_done() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut resync = Resync::default();
        resync.request(start, PAUSES);
        assert_eq!(resync.due, Some(start));
        resync.fire(start, PAUSES);
        assert_eq!(resync.due, Some(at(200)));
        resync.request(at(1), PAUSES);
        assert_eq!(resync.due, Some(at(200)), "one is under way");
        resync.fire(at(200), PAUSES);
        resync.done();
        assert_eq!(resync.due, None);
        resync.request(at(210), PAUSES);
        assert_eq!(resync.due, Some(at(600)), "still a row");
        resync.done();
        resync.request(at(9_000), PAUSES);
        assert_eq!(resync.due, Some(at(9_000)), "a row no more");
    }

    #[test]
    fn messages_keep_to_the_pace_of_the_server() {
        let start = Instant::now();
        let mut pacer = Pacer::new(50, start);
        let mut sent = 0;
        // Ten seconds in steps of a millisecond, always with something to say.
        for ms in 0..10_000 {
            let now = start + Duration::from_millis(ms);
            while pacer.ready().is_none_or(|ready| ready <= now) {
                pacer.sent(now);
                sent += 1;
            }
            assert!(sent <= 50 + 40 * (ms + 1_000) / 1_000, "{sent} after {ms} ms");
        }
        assert!(sent >= 430, "{sent}");
    }
}

//! When to ask for a snapshot: one request in flight a book, repeated with a growing pause.

use crate::types::TimeNs;

/// An unanswered request is given up after this time.
const ANSWER_NS_MAX: u64 = 10_000_000_000;
/// The pause after the first failure; it doubles with each.
const PAUSE_NS: u64 = 250_000_000;
/// The longest pause, 32 s.
const PAUSE_DOUBLINGS_MAX: u32 = 7;

/// The state of one book's wish for a snapshot.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SnapshotRequest {
    wanted: bool,
    attempt: u32,
    /// Not before this time: the end of a pause, or of the wait for an answer.
    due_at: TimeNs,
}

impl SnapshotRequest {
    /// A snapshot is needed. Asking again while one is under way changes nothing.
    pub(super) fn want(&mut self) {
        self.wanted = true;
    }

    /// If it is time to ask, the number of the attempt (1 for the first).
    pub(super) fn poll(&mut self, now: TimeNs) -> Option<u32> {
        if !self.wanted || now < self.due_at {
            return None;
        }
        self.attempt = self.attempt.saturating_add(1);
        self.due_at = now.saturating_add(ANSWER_NS_MAX);
        Some(self.attempt)
    }

    /// The answer failed, or was too old to use: pause.
    pub(super) fn failed(&mut self, now: TimeNs) {
        let doublings = self.attempt.saturating_sub(1).min(PAUSE_DOUBLINGS_MAX);
        self.due_at = now.saturating_add(PAUSE_NS << doublings);
    }

    /// The book is synced.
    pub(super) fn done(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;

    #[test]
    fn one_at_a_time_with_a_growing_pause() {
        let mut request = SnapshotRequest::default();
        assert_eq!(request.poll(0), None);
        request.want();
        assert_eq!(request.poll(S), Some(1));
        request.want();
        assert_eq!(request.poll(2 * S), None, "one is under way");
        request.failed(2 * S);
        assert_eq!(request.poll(2 * S + PAUSE_NS - 1), None);
        assert_eq!(request.poll(2 * S + PAUSE_NS), Some(2));
        assert_eq!(request.poll(12 * S + PAUSE_NS), Some(3), "an answer that never comes is given up");
        for _ in 0..40 {
            request.failed(20 * S);
            assert!(request.poll(20 * S + 33 * S).is_some(), "no pause is longer than 32 s");
        }
        request.done();
        assert_eq!(request.poll(u64::MAX), None);
    }
}

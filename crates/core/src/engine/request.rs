//! When to ask for what mends a book: one request in flight a book, repeated with a growing pause.

use crate::types::TimeNs;

/// An unanswered request is given up after this time. It doubles with each in a row: what is refused in silence must not be
/// asked for at this rate for ever.
const ANSWER_NS_MAX: u64 = 10_000_000_000;
/// The longest is 320 s.
const UNANSWERED_DOUBLINGS_MAX: u32 = 5;
/// The pause after the first failure; it doubles with each.
const PAUSE_NS: u64 = 250_000_000;
/// The longest pause is 32 s.
const PAUSE_DOUBLINGS_MAX: u32 = 7;
/// Behind an update that was waited for it is 2 s at most.
const HEARD_DOUBLINGS_MAX: u32 = 3;
/// A book that was synced for less is lost again at once: that counts as a failure, or a bad line would cost the venue
/// a request with every frame.
const CALM_NS: u64 = 1_000_000_000;

/// One book's wish for what mends a book.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Request {
    is_wanted: bool,
    /// Whether it was asked for since it is wanted: an answer to what was asked before that is another's.
    is_asked: bool,
    /// Names the request in flight, so that an answer to an earlier one, of another numbering perhaps, is not taken.
    ticket: u32,
    /// Since the book was last synced for a while.
    failures: u32,
    /// Whether nothing has come of the last one yet.
    is_open: bool,
    /// In a row, of which nothing came.
    unanswered: u32,
    /// Whether nothing was heard that the last answer could be joined to: another one could not be either.
    awaits_update: bool,
    /// Whether it takes more updates, probably, to see where an answer belongs.
    is_hastened: bool,
    /// Nothing is asked for until `wait_ns` after this time.
    since: TimeNs,
    wait_ns: u64,
    synced_at: Option<TimeNs>,
}

impl Request {
    /// A snapshot is needed. Asking again while one is under way changes nothing.
    pub(super) fn want(&mut self, now: TimeNs) {
        if self.is_wanted {
            return;
        }
        self.is_wanted = true;
        match self.synced_at {
            Some(synced_at) if now.abs_diff(synced_at) < CALM_NS => self.failed(now),
            _ => (self.failures, self.wait_ns) = (0, 0),
        }
    }

    /// If it is time to ask, the ticket of the request.
    pub(super) fn poll(&mut self, now: TimeNs) -> Option<u32> {
        // A clock that was set back must not hold the request until it has caught up.
        let is_due = now < self.since || now - self.since >= self.wait_ns;
        if !self.is_wanted || self.awaits_update || !is_due {
            return None;
        }
        self.unanswered = if self.is_open { self.unanswered.saturating_add(1) } else { 0 };
        self.is_open = true;
        self.is_asked = true;
        self.ticket = self.ticket.wrapping_add(1);
        (self.since, self.wait_ns) = (now, ANSWER_NS_MAX << self.unanswered.min(UNANSWERED_DOUBLINGS_MAX));
        Some(self.ticket)
    }

    /// Whether an answer with this ticket is the one that is waited for.
    pub(super) const fn awaits(&self, ticket: u32) -> bool {
        self.is_wanted && self.is_asked && self.ticket == ticket
    }

    /// The answer failed, or was too old to use: pause.
    pub(super) fn failed(&mut self, now: TimeNs) {
        self.is_open = false;
        (self.since, self.wait_ns) = (now, PAUSE_NS << self.failures.min(PAUSE_DOUBLINGS_MAX));
        self.failures = self.failures.saturating_add(1);
    }

    /// The answer is a book, and nothing was heard that it could be joined to: in a quiet market all others would be of no more
    /// use, so that the next one is asked for behind the first update that comes.
    pub(super) fn unproven(&mut self, now: TimeNs) {
        self.failed(now);
        self.awaits_update = true;
    }

    /// The answer is a book, and what was heard does not show where it belongs. The more is heard the sooner another one does.
    pub(super) fn unplaced(&mut self, now: TimeNs) {
        self.failed(now);
        self.is_hastened = true;
    }

    /// An update came. An answer is to be of behind it, so that the pause begins here.
    pub(super) fn heard(&mut self, now: TimeNs) {
        if std::mem::take(&mut self.awaits_update) || std::mem::take(&mut self.is_hastened) {
            (self.since, self.wait_ns) = (now, self.wait_ns.min(PAUSE_NS << HEARD_DOUBLINGS_MAX));
        }
    }

    /// The book is synced.
    pub(super) fn done(&mut self, now: TimeNs) {
        *self = Self {
            ticket: self.ticket,
            failures: self.failures,
            unanswered: self.unanswered,
            since: self.since,
            wait_ns: self.wait_ns,
            synced_at: Some(now),
            ..Self::default()
        };
    }

    /// The venue starts anew: what is under way is void. Tickets go on.
    pub(super) fn reset(&mut self) {
        *self = Self { ticket: self.ticket.wrapping_add(1), ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;

    #[test]
    fn one_at_a_time_with_a_growing_pause() {
        let mut request = Request::default();
        assert_eq!(request.poll(0), None);
        request.want(S);
        assert_eq!(request.poll(S), Some(1));
        request.want(S);
        assert_eq!(request.poll(2 * S), None, "one is under way");
        request.failed(2 * S);
        assert_eq!(request.poll(2 * S + PAUSE_NS - 1), None);
        assert_eq!(request.poll(2 * S + PAUSE_NS), Some(2));
        assert!(request.awaits(2) && !request.awaits(1));
        assert_eq!(request.poll(12 * S + PAUSE_NS), Some(3), "an answer that never comes is given up");
        for _ in 0..40 {
            request.failed(20 * S);
            assert!(request.poll(20 * S + 33 * S).is_some(), "no pause is longer than 32 s");
        }
        assert!(request.poll(S).is_some(), "the clock was set back");
        request.done(60 * S);
        assert_eq!(request.poll(u64::MAX), None);
    }

    #[test]
    fn a_book_that_is_lost_again_at_once_pauses_longer_each_time() {
        let mut request = Request::default();
        let (mut now, mut asked) = (0, 0);
        while now < 10 * S {
            now += 10_000_000;
            request.want(now);
            if request.poll(now).is_some() {
                asked += 1;
                request.done(now);
            }
        }
        assert!((3..12).contains(&asked), "{asked} requests in 10 s");
        request.want(now + 60 * S);
        assert!(request.poll(now + 60 * S).is_some(), "after a calm time it is asked at once");
    }

    #[test]
    fn an_answer_to_what_was_asked_before_is_anothers() {
        let mut request = Request::default();
        request.want(0);
        assert_eq!(request.poll(0), Some(1));
        request.done(S);
        request.want(10 * S);
        assert!(!request.awaits(1), "the book was mended otherwise meanwhile");
        assert_eq!(request.poll(10 * S), Some(2));
        assert!(request.awaits(2));
    }

    #[test]
    fn what_is_never_answered_is_asked_for_ever_more_rarely() {
        let mut request = Request::default();
        request.want(0);
        let asked: Vec<u64> = (0..2000).filter(|second| request.poll(second * S).is_some()).collect();
        assert_eq!(asked, [0, 10, 30, 70, 150, 310, 630, 950, 1270, 1590, 1910]);
    }

    #[test]
    fn what_nothing_was_heard_for_is_asked_again_behind_the_first_update() {
        let mut request = Request::default();
        request.want(0);
        assert_eq!(request.poll(0), Some(1));
        request.unproven(S);
        assert_eq!(request.poll(3600 * S), None, "as long as nothing comes nothing is asked for");
        request.heard(3601 * S);
        request.heard(3601 * S + 1);
        assert_eq!(request.poll(3601 * S + PAUSE_NS - 1), None);
        assert_eq!(request.poll(3601 * S + PAUSE_NS), Some(2));
        request.heard(3602 * S);
        assert_eq!(request.poll(3602 * S + PAUSE_NS), None, "one is under way");
        request.unproven(3603 * S);
        request.done(3603 * S);
        request.want(3700 * S);
        assert_eq!(request.poll(3700 * S), Some(3), "another loss is another wish");
    }

    #[test]
    fn an_answer_whose_place_does_not_show_is_asked_again_sooner_where_more_is_heard() {
        let mut request = Request::default();
        request.want(0);
        let mut now = S;
        for _ in 0..10 {
            assert!(request.poll(now).is_some());
            request.unplaced(now);
            now += 33 * S;
        }
        now -= 32 * S;
        assert_eq!(request.poll(now), None, "in a quiet market ever more rarely");
        request.heard(now);
        assert_eq!(request.poll(now + S), None);
        assert!(request.poll(now + 2 * S).is_some());
    }

    #[test]
    fn a_reset_voids_the_request_under_way() {
        let mut request = Request::default();
        request.want(0);
        assert_eq!(request.poll(0), Some(1));
        request.reset();
        request.want(0);
        assert!(!request.awaits(1));
        assert_eq!(request.poll(0), Some(3));
    }
}

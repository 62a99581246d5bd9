//! What readers of the feed had of a book, hour by hour: how long it was synced, and where it was not.

use super::{FeedFrame, Outcome, ReplicaState};
use crate::types::TimeNs;

const HOUR_NS: u64 = 3_600_000_000_000;

/// Most hours of a book that are told apart: a year and a day. Those after them are left out, and counted by nothing.
pub const STANDING_HOURS_MAX: usize = 367 * 24;
/// Most holes of a book that are kept one by one; further ones are counted.
pub const STANDING_HOLES_MAX: usize = 1_000;

/// An hour, of the time by which frames were received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StandingHour {
    /// Its begin, ns since the epoch.
    pub begin: TimeNs,
    /// For how long the book was synced, ns.
    pub synced_ns: u64,
    /// For how long it was not, although it had been, ns.
    pub lost_ns: u64,
    /// For how long it had not been yet, ns. The rest of the hour nothing was received.
    pub before_ns: u64,
    /// Frames that changed the book.
    pub changes: u64,
    /// Holes that began in it.
    pub holes: u64,
}

/// A time in which a book that had been synced was not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StandingHole {
    /// When it began, ns since the epoch.
    pub from: TimeNs,
    /// When the book was synced again; 0 = it was not.
    pub until: TimeNs,
    /// What was told first.
    pub state: ReplicaState,
    /// The venue's number that was due, and the one that came; both 0 where it numbers nothing or something else was wrong.
    pub numbers: (u64, u64),
}

/// What readers had of one book. Times that go back are not counted twice.
#[derive(Clone, Debug)]
pub struct Standing {
    hours: Vec<StandingHour>,
    holes: Vec<StandingHole>,
    holes_more: u64,
    /// Counted up to this time; 0 before the first frame.
    at: TimeNs,
    state: ReplicaState,
    was_synced: bool,
    is_in_hole: bool,
}

impl Default for Standing {
    fn default() -> Self {
        Self {
            hours: Vec::new(),
            holes: Vec::new(),
            holes_more: 0,
            at: 0,
            state: ReplicaState::Syncing,
            was_synced: false,
            is_in_hole: false,
        }
    }
}

impl Standing {
    /// The hours in which something was counted, in order.
    #[must_use]
    pub fn hours(&self) -> &[StandingHour] {
        &self.hours
    }

    /// The first holes, in order.
    #[must_use]
    pub fn holes(&self) -> &[StandingHole] {
        &self.holes
    }

    /// Holes beyond those.
    #[must_use]
    pub const fn holes_more(&self) -> u64 {
        self.holes_more
    }

    /// A frame of the instrument, and what the book is with it.
    pub(super) fn take(&mut self, frame: &FeedFrame<'_>, outcome: Outcome, state: ReplicaState) {
        let now = frame.ts_recv();
        self.count_to(now);
        if outcome == Outcome::Applied
            && let Some(hour) = self.hour()
        {
            hour.changes += 1;
        }
        if state == self.state {
            return;
        }
        self.state = state;
        let at = self.at;
        if state == ReplicaState::Synced {
            self.was_synced = true;
            if let Some(hole) = self.holes.last_mut().filter(|hole| hole.until == 0) {
                hole.until = at;
            }
            self.is_in_hole = false;
        } else if self.was_synced && !self.is_in_hole {
            self.is_in_hole = true;
            if let Some(hour) = self.hour() {
                hour.holes += 1;
            }
            if self.holes.len() < STANDING_HOLES_MAX {
                let numbers = frame.status().map_or((0, 0), |told| (told.expected, told.received));
                self.holes.push(StandingHole { from: at, until: 0, state, numbers });
            } else {
                self.holes_more += 1;
            }
        }
    }

    /// Counts the time up to one, in the state that held.
    pub(super) fn count_to(&mut self, now: TimeNs) {
        if self.at == 0 {
            self.at = now;
        }
        while self.at < now {
            let end = now.min((self.at / HOUR_NS + 1) * HOUR_NS);
            let (state, was_synced, counted) = (self.state, self.was_synced, end - self.at);
            let Some(hour) = self.hour() else {
                self.at = now;
                return;
            };
            match state {
                ReplicaState::Synced => hour.synced_ns += counted,
                _ if was_synced => hour.lost_ns += counted,
                _ => hour.before_ns += counted,
            }
            self.at = end;
        }
    }

    /// The hour of the time up to which is counted.
    fn hour(&mut self) -> Option<&mut StandingHour> {
        let begin = self.at / HOUR_NS * HOUR_NS;
        if self.hours.last().is_none_or(|hour| hour.begin != begin) {
            if self.hours.len() >= STANDING_HOURS_MAX {
                return None;
            }
            let hour = StandingHour { begin, synced_ns: 0, lost_ns: 0, before_ns: 0, changes: 0, holes: 0 };
            self.hours.push(hour);
        }
        self.hours.last_mut()
    }
}

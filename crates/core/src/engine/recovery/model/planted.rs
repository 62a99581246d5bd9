//! The machine as it is, or with a bug planted into it: a model that misses one of these proves nothing.

use core::ops::{Deref, DerefMut};

use super::super::{Gap, Recovery, SnapshotOrigin, Verdict};
use crate::sequence::{Chain, Pending, Rule, SeqOutcome, Waits};
use crate::types::{BookState, StaleReason, TimeNs, VenueSeq};
use crate::venues::Product;

/// What somebody might do to the machine by mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bug {
    /// An update behind a gap is applied.
    GapApplied,
    /// The book keeps its place through a gap.
    PlaceKept,
    /// A snapshot is taken though updates behind it are missing.
    HoleIgnored,
    /// A snapshot older than the book that was lost is taken.
    OlderTaken,
    /// An answer to an earlier request is taken.
    LateAnswerTaken,
    /// A doubt about a book without numbers is cleared by any update.
    DoubtCleared,
    /// A doubt is not told.
    DoubtUntold,
    /// A restart of the venue is forgotten.
    RestartForgotten,
    /// Updates of a lower numbering are old for ever.
    OldForEver,
    /// A snapshot in the stream is ignored while the book is synced.
    StreamIgnored,
    /// A book that is told whole is taken though it is old.
    OldRestated,
    /// A book of a snapshot without name is kept where the source speaks of others.
    AnonymousKept,
    /// Updates that waited are forgotten once the snapshot is in.
    WaitingForgotten,
    /// Nothing is ever asked for.
    NeverAsks,
    /// A doubt is never cleared.
    DoubtKept,
    /// Changes of orders are taken before their book is whole, and it counts as whole.
    WholeTooEarly,
}

impl Bug {
    pub(super) const ALL: [Self; 16] = [
        Self::GapApplied,
        Self::PlaceKept,
        Self::HoleIgnored,
        Self::OlderTaken,
        Self::LateAnswerTaken,
        Self::DoubtCleared,
        Self::DoubtUntold,
        Self::RestartForgotten,
        Self::OldForEver,
        Self::StreamIgnored,
        Self::OldRestated,
        Self::AnonymousKept,
        Self::WaitingForgotten,
        Self::NeverAsks,
        Self::DoubtKept,
        Self::WholeTooEarly,
    ];
}

/// See the module.
#[derive(Debug)]
pub(super) struct Machine {
    own: Recovery,
    bug: Option<Bug>,
}

impl Deref for Machine {
    type Target = Recovery;

    fn deref(&self) -> &Recovery {
        &self.own
    }
}

impl DerefMut for Machine {
    fn deref_mut(&mut self) -> &mut Recovery {
        &mut self.own
    }
}

impl Machine {
    pub(super) fn new(product: &Product, bug: Option<Bug>) -> Self {
        Self { own: Recovery::new(product), bug }
    }

    fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    pub(super) fn update(&mut self, seq: &VenueSeq, ts_event: TimeNs, now: TimeNs) -> Verdict {
        let chain = self.own.chain;
        let outcome = chain.map(|chain| chain.check(seq));
        match (self.bug, outcome) {
            (Some(Bug::GapApplied), Some(SeqOutcome::Gap { .. })) if self.own.is_synced() => Verdict::Apply,
            (Some(Bug::OldForEver), Some(SeqOutcome::Old)) => Verdict::Ignore,
            (Some(Bug::DoubtKept), Some(SeqOutcome::Next)) if !self.own.is_synced() => Verdict::Ignore,
            (Some(Bug::PlaceKept), Some(SeqOutcome::Gap { .. })) => {
                let verdict = self.own.update(seq, ts_event, now);
                self.own.chain = chain;
                verdict
            }
            _ => self.own.update(seq, ts_event, now),
        }
    }

    pub(super) fn applied(&mut self, seq: &VenueSeq, ts_event: TimeNs) {
        if self.has(Bug::GapApplied) {
            self.own.chain = Some(Chain::new(self.own.rule, seq.last));
            self.own.last = seq.last;
            return;
        }
        self.own.applied(seq, ts_event);
    }

    pub(super) fn snapshot(
        &mut self,
        at: (u64, TimeNs),
        origin: SnapshotOrigin,
        pending: &Pending,
        widens: bool,
        now: TimeNs,
    ) -> (Verdict, usize) {
        let was_synced = self.own.is_synced();
        if was_synced && origin == SnapshotOrigin::Stream && self.has(Bug::StreamIgnored) {
            return (Verdict::Keep, 0);
        }
        if was_synced && origin == SnapshotOrigin::Restated && self.has(Bug::OldRestated) {
            return (Verdict::Apply, 0);
        }
        let judged = self.own.snapshot(at, origin, pending, widens, now);
        let is_refused = !was_synced && judged.0 != Verdict::Replace;
        let ignores = if pending.is_empty() { Bug::OlderTaken } else { Bug::HoleIgnored };
        if is_refused && self.has(ignores) { (Verdict::Replace, 0) } else { judged }
    }

    pub(super) fn follows(&self, seq: &VenueSeq) -> bool {
        !self.has(Bug::WaitingForgotten) && self.own.follows(seq)
    }

    pub(super) fn lose(&mut self, reason: StaleReason, gap: Gap, now: TimeNs) -> bool {
        if reason.is_doubt() && self.has(Bug::DoubtUntold) {
            return false;
        }
        let chain = self.own.chain;
        let changes = self.own.lose(reason, gap, now);
        let cleared = reason.is_doubt() && self.own.rule == Rule::Unnumbered && self.has(Bug::DoubtCleared);
        if cleared {
            self.own.chain = chain;
        }
        changes
    }

    pub(super) fn lose_anonymous(&mut self, now: TimeNs) -> bool {
        !self.has(Bug::AnonymousKept) && self.own.lose_anonymous(now)
    }

    pub(super) fn restart(&mut self) {
        if !self.has(Bug::RestartForgotten) {
            self.own.restart();
        }
    }

    pub(super) fn begin_orders(&mut self) {
        self.own.begin_orders();
        if self.has(Bug::WholeTooEarly) {
            self.own.orders_whole(0);
            self.own.state = BookState::Synced;
            self.own.has_book = true;
        }
    }

    pub(super) fn ask(&mut self, now: TimeNs) -> Option<u32> {
        if self.has(Bug::NeverAsks) { None } else { self.own.ask(now) }
    }

    pub(super) fn awaits(&self, ticket: u32) -> bool {
        self.has(Bug::LateAnswerTaken) || self.own.awaits(ticket)
    }
}

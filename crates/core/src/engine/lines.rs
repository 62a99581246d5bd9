//! A book that several sources carry: whose messages count, and what waits for another line.

use super::instrument::{Context, InstrumentState};
use super::streams::Stamp;
use crate::sequence::{Rule, WAIT_NS};
use crate::types::{Clock, TimeNs, VenueSeq};

/// What a book is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Levels = 0,
    Orders = 1,
}

impl InstrumentState {
    /// Whether a change of the book from a source counts; of what it tells, whether whole, and at which place. Where several
    /// sources carry it, numbers say which changes it has; without numbers the first source that spoke is the only one that
    /// counts, until it goes or another one succeeds it.
    #[inline]
    pub(super) fn takes(&mut self, said: (Told, bool, VenueSeq), source: usize) -> bool {
        self.recovery.lines() <= 1 || self.takes_of_several(said, source as u32)
    }

    #[cold]
    fn takes_of_several(&mut self, (told, is_whole, seq): (Told, bool, VenueSeq), source: u32) -> bool {
        let is_heir = self.heir == Some(source);
        if told == Told::Levels && self.product.rule.places(&seq) {
            if is_heir {
                self.heir = None;
            }
            return true;
        }
        if is_whole && is_heir {
            self.owners[told as usize] = self.heir;
            self.heir = self.heir.filter(|heir| self.owners.iter().flatten().any(|owner| owner != heir));
        }
        *self.owners[told as usize].get_or_insert(source) == source
    }

    /// Whether a loss or a beginning that a source tells of concerns it.
    pub(super) fn heeds(&self, source: usize) -> bool {
        let is_of = |owner: &u32| *owner == source as u32;
        self.recovery.lines() <= 1
            || self.recovery.is_numbered() && !self.product.numbers_orders()
            || self.owners.iter().flatten().all(is_of)
    }

    /// A source carries it from now on. `before`: the one that did so alone till now.
    pub(super) fn carried(&mut self, before: Option<u32>) {
        self.recovery.carried(true);
        if self.recovery.lines() == 2 {
            let has_levels = self.product.rule == Rule::Unnumbered
                && (self.recovery.is_placed() || self.recovery.has_book());
            self.owners = [before.filter(|_| has_levels), before.filter(|_| self.uses_orders)];
        }
    }

    /// A source carries it no more, or has failed. True where the book, or its orders, were that source's alone.
    pub(super) fn uncarried(&mut self, source: u32) -> bool {
        self.recovery.carried(false);
        if self.recovery.lines() <= 1 || self.heir == Some(source) {
            self.heir = None;
        }
        let was_owner = self.owners.contains(&Some(source));
        for owner in &mut self.owners {
            *owner = owner.filter(|owner| *owner != source);
        }
        self.recovery.lines() == 0 || was_owner
    }

    /// Applies what waited for another line and goes on now.
    #[cold]
    pub(super) fn follow_waiting<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        while let Some(first) = self.pending.front().filter(|first| !self.recovery.is_ahead(&first.seq)) {
            let (seq, check) = (first.seq, first.check);
            let stamp = Stamp { venue_seq: seq.last, ts_event: first.ts_event, ts_recv: now };
            let mut levels = std::mem::take(cx.scratch);
            self.pending.pop(&mut levels);
            let bbo = self.bbo;
            if !self.recovery.follows(&seq) {
                cx.stats.ignored += 1;
            } else if self.apply_waiting(&seq, levels.view(), stamp, cx) {
                self.cut(true);
                if self.agrees(check, now, cx) {
                    self.publish_changes(levels.view(), self.bbo != bbo, true, now, cx);
                }
            }
            *cx.scratch = levels;
            if !self.recovery.is_synced() {
                return;
            }
        }
    }

    /// What has waited for another line long enough shows a gap.
    pub(super) fn miss_waiting<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        if !self.recovery.is_synced() {
            return;
        }
        let Some(first) = self.pending.front() else { return };
        // A clock that was set back ends the wait, too.
        if now.abs_diff(first.ts_recv) < WAIT_NS {
            return;
        }
        let seq = first.seq;
        self.recovery.missed(&seq, now);
        cx.stats.gaps += 1;
        self.say_state(now, cx);
        self.use_spare(cx);
    }
}

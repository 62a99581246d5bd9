//! When a book may be trusted: the state machine alone. It sees numbers, times and reasons, never a level, and answers what
//! is to be done with what came.
//!
//! 1. Updates that continue the book are applied. What the book holds already is ignored.
//! 2. A gap, a contradiction, a limit: the book's place is lost with its truth. Updates wait for a snapshot.
//! 3. A doubt (silence, a message that could not be read, a source that failed, bytes skipped) keeps the place where the
//!    venue numbers its updates: one that continues the book shows that nothing was missed, and the book is synced again.
//! 4. A snapshot that the venue sends in its stream is the book from there on, whatever was before.
//! 5. A snapshot that was asked for must run on into the updates that wait, or be no older than the book that was lost.
//! 6. One that comes while the book is synced is kept: should the book turn out to have gone on elsewhere (a recorder that
//!    restarts, a venue that numbers anew), it is the beginning of what follows. Of two such, each ahead of
//!    what is before it and nothing between them, the second is the book: it has been left behind.
//! 7. An update that the book seems to hold by its number, but which the venue sent later than the last one applied, is of
//!    another numbering.
//! 8. Where several connections carry the book, what one lacks another may bring: an update behind a gap waits for that.
//! 9. Of a snapshot that names no instrument nobody knows whose it is, once the source has spoken of another one.
//! 10. Where the venue tells the whole book with each message, a synced book goes on with each: what differs has changed.
//!     One that is numbered below what was said and is not later is old; any other with a lower number begins a numbering.

use super::request::Request;
use crate::sequence::{Chain, Rule, SeqOutcome, Waiting, Waits};
use crate::types::{BookState, StaleReason, TimeNs, VenueSeq};
use crate::venues::{Detection, Product, Resync};

/// Updates in a row that the book seems to hold already before its own numbering is doubted: a venue that starts
/// again at lower ids would otherwise be ignored for ever.
pub(super) const OLD_IN_ROW_MAX: u32 = 1_000;

/// Snapshots in a row that do not reach the updates that wait before those are given up: one whose number is of another
/// numbering, or damaged, would be waited for for ever.
const REFUSED_IN_ROW_MAX: u32 = 4;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Apply it.
    Apply,
    /// Apply it: the book is synced again with it.
    Resume,
    /// The book holds it, or has no use for it.
    Ignore,
    /// Keep it until a snapshot comes.
    Hold,
    /// The snapshot is the book. Updates that wait follow it.
    Replace,
    /// The snapshot is at the book's own place and knows more: take what it knows beyond the book.
    Widen,
    /// The snapshot is for later; see rule 6.
    Keep,
    /// The book's truth is lost. An update waits for a snapshot.
    Lost,
    /// Updates are missing before it, which another line may still bring: keep it for a while.
    Wait,
}

/// Where a snapshot comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SnapshotOrigin {
    /// The venue's stream.
    Stream,
    /// The same, of a venue that tells the whole book with each message.
    Restated,
    /// The request under way.
    Asked,
    /// A recording holds it, and it names its instrument.
    Recorded,
    /// A recording holds it, and it names none.
    Anonymous,
}

/// What was due and what came; zeros where nobody knows.
pub(super) type Gap = (u64, u64);

/// One book's state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recovery {
    rule: Rule,
    resync: Resync,
    detects: Detection,
    state: BookState,
    gap: Gap,
    /// The book's place. Kept through a doubt.
    chain: Option<Chain>,
    /// The number of the last change that a synced book held.
    last: u64,
    /// The venue's time of it.
    event_at: TimeNs,
    old_in_row: u32,
    refused_in_row: u32,
    /// The number of the last snapshot that came while the book was synced.
    kept: Option<u64>,
    /// A book of orders is coming in part by part.
    is_building: bool,
    /// Whether the book, trusted or not, is one that was synced since the last restart.
    has_book: bool,
    /// Rule 9.
    is_anonymous: bool,
    /// Connections that carry the book.
    lines: u32,
    request: Request,
}

/// Where a synced book stands, as a checkpoint keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct StandsAt {
    chain: Chain,
    last: u64,
    event_at: TimeNs,
    is_anonymous: bool,
}

impl Recovery {
    pub(super) fn new(product: &Product) -> Self {
        Self {
            rule: product.rule,
            resync: product.resync,
            detects: product.detects,
            state: BookState::Syncing,
            gap: (0, 0),
            chain: None,
            last: 0,
            event_at: 0,
            old_in_row: 0,
            refused_in_row: 0,
            kept: None,
            is_building: false,
            has_book: false,
            is_anonymous: false,
            lines: 0,
            request: Request::default(),
        }
    }

    pub(super) const fn state(&self) -> BookState {
        self.state
    }

    pub(super) const fn is_synced(&self) -> bool {
        matches!(self.state, BookState::Synced)
    }

    /// What was due and what came, where a gap is why the book is stale.
    pub(super) const fn gap(&self) -> Gap {
        self.gap
    }

    /// Whether there is a book to show, if only one that was true once.
    pub(super) const fn has_book(&self) -> bool {
        self.has_book
    }

    /// The venue's number that the book stands at, where it has a place.
    pub(super) fn number(&self) -> Option<u64> {
        self.chain.map(|chain| chain.last())
    }

    /// Whether the book stands at a number of the venue's.
    pub(super) fn is_at(&self, number: u64) -> bool {
        self.is_numbered() && self.chain.is_some_and(|chain| chain.last() == number)
    }

    /// Whether the book, if there is one, is numbered.
    pub(super) const fn is_numbered(&self) -> bool {
        match (self.rule, &self.chain) {
            (Rule::LinkedIfNumbered, Some(chain)) => chain.is_numbered(),
            (rule, _) => !matches!(rule, Rule::Unnumbered),
        }
    }

    /// Whether an update is numbered as the book is, or as one may be.
    #[inline]
    pub(super) const fn fits(&self, seq: &VenueSeq) -> bool {
        match &self.chain {
            Some(chain) => chain.fits(seq),
            None => self.rule.fits(seq),
        }
    }

    /// Whether an update begins exactly where the book ends. One that straddles a snapshot tells in part of what that holds.
    pub(super) fn is_joined(&self, seq: &VenueSeq) -> bool {
        let Some(number) = self.number() else { return false };
        match seq.prev {
            _ if self.rule == Rule::Unnumbered => true,
            Some(prev) => prev == number,
            None => seq.first == number.wrapping_add(1),
        }
    }

    /// Whether changes of orders are being collected or applied.
    pub(super) const fn takes_orders(&self) -> bool {
        self.is_building || self.chain.is_some()
    }

    /// Whether the book has a place: it is exact, or in doubt.
    pub(super) const fn is_placed(&self) -> bool {
        self.chain.is_some()
    }

    /// Whether a book of orders is coming in part by part.
    pub(super) const fn is_building(&self) -> bool {
        self.is_building
    }

    /// Judges an update. After [`Verdict::Apply`] and [`Verdict::Resume`] it is to be applied and [`Self::applied`] called;
    /// after [`Verdict::Lost`] and [`Verdict::Hold`] to be kept.
    #[inline]
    pub(super) fn update(&mut self, seq: &VenueSeq, ts_event: TimeNs, now: TimeNs) -> Verdict {
        let Some(chain) = &self.chain else {
            self.want(now);
            // What is not numbered cannot be joined to a snapshot that comes later, and a repetition of what the lost book
            // held would let an older one in.
            let is_repeated = seq.last <= self.last && ts_event > 0 && ts_event <= self.event_at;
            let is_useless = is_repeated || !self.rule.places(seq);
            self.request.heard(now);
            return if is_useless { Verdict::Ignore } else { Verdict::Hold };
        };
        match chain.check(seq) {
            SeqOutcome::Next if self.is_synced() => Verdict::Apply,
            SeqOutcome::Next => Verdict::Resume,
            SeqOutcome::Old => self.old(seq, ts_event, now),
            SeqOutcome::Gap { .. } if self.lines > 1 && self.is_synced() => Verdict::Wait,
            SeqOutcome::Gap { expected, received } => self.broken((expected, received), now),
        }
    }

    /// No line has brought what is missing before an update that waited: the book's truth is lost.
    #[cold]
    pub(super) fn missed(&mut self, seq: &VenueSeq, now: TimeNs) {
        let expected = self.chain.map_or(0, |chain| chain.last());
        self.broken((expected, seq.prev.unwrap_or(seq.first)), now);
    }

    /// Connections that carry the book.
    pub(super) const fn lines(&self) -> u32 {
        self.lines
    }

    /// A connection carries the book from now on, or no more.
    pub(super) fn carried(&mut self, is_carried: bool) {
        self.lines = if is_carried { self.lines + 1 } else { self.lines.saturating_sub(1) };
    }

    #[cold]
    fn old(&mut self, seq: &VenueSeq, ts_event: TimeNs, now: TimeNs) -> Verdict {
        self.old_in_row += 1;
        self.request.heard(now);
        // Rule 7.
        let is_later = self.event_at > 0 && ts_event > self.event_at;
        if !is_later && self.old_in_row < OLD_IN_ROW_MAX {
            return Verdict::Ignore;
        }
        let expected = self.chain.map_or(0, |chain| chain.last());
        self.broken((expected, seq.prev.unwrap_or(seq.first)), now)
    }

    #[cold]
    fn broken(&mut self, gap: Gap, now: TimeNs) -> Verdict {
        self.request.heard(now);
        self.lose(StaleReason::Gap, gap, now);
        Verdict::Lost
    }

    /// An update was applied that [`Self::update`] allowed.
    #[inline]
    pub(super) fn applied(&mut self, seq: &VenueSeq, ts_event: TimeNs) {
        if let Some(chain) = &mut self.chain {
            chain.advance(seq);
        }
        self.last = seq.last;
        self.event_at = ts_event;
        self.old_in_row = 0;
    }

    /// Judges a snapshot, by its number and the venue's time of it, against the updates that wait. `widens`: the best price has passed beyond what the book knows, and
    /// the snapshot knows more. After [`Verdict::Replace`] call [`Self::replaced`] and apply what waits; after
    /// [`Verdict::Lost`] drop `dropped` updates of those that wait: there is a hole among them.
    pub(super) fn snapshot(
        &mut self,
        (number, ts_event): (u64, TimeNs),
        origin: SnapshotOrigin,
        pending: &impl Waits,
        widens: bool,
        now: TimeNs,
    ) -> (Verdict, usize) {
        match origin {
            SnapshotOrigin::Stream => return (Verdict::Replace, 0),
            SnapshotOrigin::Restated => return (self.restated(number, ts_event, pending), 0),
            _ => {}
        }
        if let Some(chain) = self.chain.filter(|_| self.is_synced()) {
            if widens && chain.last() == number {
                self.is_anonymous |= origin == SnapshotOrigin::Anonymous;
                return (Verdict::Widen, 0);
            }
            self.kept = Some(number);
            return (Verdict::Keep, 0);
        }
        if self.is_of_numbering_before(number, ts_event, pending) {
            self.request.failed(now);
            return self.refused(pending);
        }
        let hole = pending.follow(Chain::new(self.rule, number)).err();
        // Without a waiting update, only what came before says how old the answer is.
        let went_back = pending.is_empty() && number < self.last;
        if let Some(hole) = hole {
            self.request.failed(now);
            if hole.is_bridged {
                // No snapshot below the hole can help, and none above needs what stands before it.
                self.gap = (hole.expected, hole.received);
                return (Verdict::Lost, hole.index);
            }
            return self.refused(pending);
        }
        // Of times nothing says whether one more has passed: only an update that was heard before the answer does.
        let is_unproven = self.rule == Rule::Time && origin == SnapshotOrigin::Asked && pending.is_empty();
        if is_unproven {
            self.request.unproven(now);
            return (Verdict::Ignore, 0);
        }
        if went_back {
            self.request.failed(now);
            return (Verdict::Ignore, 0);
        }
        (Verdict::Replace, 0)
    }

    /// Rule 10. After [`Verdict::Apply`] the differences are to be applied and [`Self::goes_on`] called. What waits is of
    /// before any but an old one.
    fn restated(&self, number: u64, ts_event: TimeNs, pending: &impl Waits) -> Verdict {
        let (said_at, said) = self.said(pending);
        let is_lower = number < said;
        let is_old = is_lower && ts_event > 0 && ts_event <= said_at;
        match () {
            () if is_old => Verdict::Ignore,
            () if self.is_synced() && !is_lower => Verdict::Apply,
            () => Verdict::Replace,
        }
    }

    /// A synced book was told whole, and stands at this number.
    pub(super) fn goes_on(&mut self, number: u64, ts_event: TimeNs) {
        self.chain = Some(Chain::new(self.rule, number));
        self.last = number;
        self.event_at = ts_event;
        self.old_in_row = 0;
    }

    /// When the latest update was, of those applied and those that wait, and its number.
    fn said(&self, pending: &impl Waits) -> (TimeNs, u64) {
        let applied = (self.event_at, self.last);
        pending.newest().map_or(applied, |newest| applied.max((newest.ts_event, newest.seq.last)))
    }

    /// A snapshot does not reach the updates that wait. After a few, these are given up.
    fn refused(&mut self, pending: &impl Waits) -> (Verdict, usize) {
        self.refused_in_row += 1;
        if self.refused_in_row < REFUSED_IN_ROW_MAX {
            return (Verdict::Ignore, 0);
        }
        self.refused_in_row = 0;
        // What the venue has said stays said: an answer from before it is not the book.
        (self.event_at, self.last) = self.said(pending);
        (Verdict::Lost, pending.len())
    }

    /// Whether a snapshot is of another numbering than the updates that wait: the newest seems to be held by it, and yet is
    /// later; or the snapshot was kept, and none follows it.
    fn is_of_numbering_before(&self, number: u64, ts_event: TimeNs, pending: &impl Waits) -> bool {
        let chain = Chain::new(self.rule, number);
        let is_held_later = |newest: &Waiting| {
            ts_event > 0 && newest.ts_event > ts_event && chain.check(&newest.seq) == SeqOutcome::Old
        };
        pending.newest().is_some_and(is_held_later)
            || self.kept == Some(number) && !pending.is_empty() && !pending.has_next(chain)
    }

    /// The snapshot was taken: the book stands at its number. It is synced when [`Self::synced`] says so, after what waits.
    pub(super) fn replaced(&mut self, number: u64, ts_event: TimeNs, origin: SnapshotOrigin) {
        self.chain = Some(Chain::new(self.rule, number));
        self.last = number;
        self.event_at = ts_event;
        self.old_in_row = 0;
        self.refused_in_row = 0;
        self.is_building = false;
        self.is_anonymous = origin == SnapshotOrigin::Anonymous;
    }

    /// Where the book stands; none where it is not synced.
    pub(super) fn stands_at(&self) -> Option<StandsAt> {
        let Self { last, event_at, is_anonymous, .. } = *self;
        self.chain.filter(|_| self.is_synced()).map(|chain| StandsAt { chain, last, event_at, is_anonymous })
    }

    /// The book of a checkpoint was taken. It is synced when [`Self::synced`] says so.
    pub(super) fn restored(&mut self, at: StandsAt) {
        let StandsAt { chain, last, event_at, is_anonymous } = at;
        self.replaced(last, event_at, SnapshotOrigin::Stream);
        (self.chain, self.is_anonymous) = (Some(chain), is_anonymous);
    }

    /// Whether an update that waited continues the book.
    pub(super) fn follows(&self, seq: &VenueSeq) -> bool {
        self.chain.is_some_and(|chain| chain.check(seq) == SeqOutcome::Next)
    }

    /// Whether updates are missing before one that waits.
    pub(super) fn is_ahead(&self, seq: &VenueSeq) -> bool {
        self.chain.is_some_and(|chain| matches!(chain.check(seq), SeqOutcome::Gap { .. }))
    }

    /// The book is exact. True where it was stale and had been synced before.
    pub(super) fn synced(&mut self, now: TimeNs) -> bool {
        debug_assert!(self.chain.is_some(), "a book without a place cannot be exact");
        let is_resync = matches!(self.state, BookState::Stale(_)) && self.has_book;
        self.state = BookState::Synced;
        self.gap = (0, 0);
        self.has_book = true;
        self.request.done(now);
        is_resync
    }

    /// The book is in the state that another engine found it in, which published it.
    pub(super) fn follow(&mut self, state: BookState, gap: Gap) {
        let is_synced = state == BookState::Synced;
        self.chain = is_synced.then(|| Chain::new(self.rule, 0));
        (self.state, self.gap) = (state, gap);
        self.has_book |= is_synced;
    }

    /// A book of orders begins, from nothing. True where the state has changed.
    pub(super) fn begin_orders(&mut self) -> bool {
        self.chain = None;
        self.is_building = true;
        self.old_in_row = 0;
        let changes = self.state != BookState::Syncing;
        self.state = BookState::Syncing;
        self.gap = (0, 0);
        changes
    }

    /// The book of orders is whole. False where none was coming in.
    pub(super) fn orders_whole(&mut self, number: u64) -> bool {
        let was_building = std::mem::take(&mut self.is_building);
        if was_building {
            self.chain = Some(Chain::new(Rule::Unnumbered, number));
            self.last = number;
        }
        was_building
    }

    /// The venue, or the engine, says that the book's truth is lost. True where the state has changed: a doubt does not
    /// stand over what is worse.
    #[cold]
    pub(super) fn lose(&mut self, reason: StaleReason, gap: Gap, now: TimeNs) -> bool {
        let keeps_place = self.clears(reason) && self.chain.is_some();
        if !keeps_place {
            self.chain = None;
        }
        let was_building = std::mem::take(&mut self.is_building);
        self.want(now);
        match self.state {
            BookState::Stale(before) if before == reason || reason.is_doubt() || !before.is_doubt() => false,
            // Nothing was known that could be doubted.
            BookState::Syncing if reason.is_doubt() && !was_building => false,
            _ => {
                self.state = BookState::Stale(reason);
                self.gap = gap;
                true
            }
        }
    }

    /// Rule 3.
    const fn clears(&self, reason: StaleReason) -> bool {
        let shows_losses = self.is_numbered() && !matches!(self.rule, Rule::Time);
        match reason {
            StaleReason::Silence => {
                shows_losses
                    || matches!(self.rule, Rule::Unnumbered | Rule::Time)
                        && matches!(self.detects, Detection::Next)
            }
            _ => reason.is_doubt() && shows_losses,
        }
    }

    /// The source has spoken of another instrument: a book of a snapshot without name is nobody's. True where the state
    /// has changed.
    pub(super) fn lose_anonymous(&mut self, now: TimeNs) -> bool {
        std::mem::take(&mut self.is_anonymous) && self.lose(StaleReason::Unattributed, (0, 0), now)
    }

    /// The venue starts anew: all numbers are forgotten.
    pub(super) fn restart(&mut self) {
        self.chain = None;
        self.last = 0;
        self.event_at = 0;
        self.old_in_row = 0;
        self.refused_in_row = 0;
        self.kept = None;
        self.is_building = false;
        self.has_book = false;
        self.is_anonymous = false;
        self.request.reset();
        self.state = BookState::Syncing;
        self.gap = (0, 0);
    }

    /// A snapshot is needed.
    fn want(&mut self, now: TimeNs) {
        if self.resync != Resync::Wait {
            self.request.want(now);
        }
    }

    /// The best price has passed beyond what the book knows: a snapshot would show more.
    pub(super) fn want_more(&mut self, now: TimeNs) {
        self.want(now);
    }

    /// If it is time to ask, the ticket.
    pub(super) fn ask(&mut self, now: TimeNs) -> Option<u32> {
        self.request.poll(now)
    }

    /// Whether an answer with this ticket is the one that is waited for.
    pub(super) const fn awaits(&self, ticket: u32) -> bool {
        self.request.awaits(ticket)
    }

    /// The answer is a book whose place among what waits does not show yet: where nothing does, it takes an update.
    pub(super) fn unplaced(&mut self, pending: &impl Waits, now: TimeNs) {
        if pending.is_empty() {
            self.request.unproven(now);
        } else {
            self.request.unplaced(now);
        }
    }

    /// The answer could not be had, or not be used.
    pub(super) fn failed(&mut self, now: TimeNs) {
        self.request.failed(now);
    }

    /// Nothing more is needed: a wider snapshot was taken.
    pub(super) fn satisfied(&mut self, now: TimeNs) {
        self.request.done(now);
    }

    /// What must hold after every event.
    ///
    /// # Errors
    /// What does not.
    pub(super) const fn check_invariants(&self) -> Result<(), &'static str> {
        match self.state {
            BookState::Synced if self.chain.is_none() => Err("a synced book has no place"),
            BookState::Synced if !self.has_book => Err("a synced book is not there"),
            BookState::Synced if self.is_building => Err("a synced book is being built"),
            BookState::Syncing if self.chain.is_some() => Err("a syncing book has a place"),
            _ if self.is_building && self.chain.is_some() => Err("a book that is built has a place"),
            BookState::Stale(reason) if self.chain.is_some() && !reason.is_doubt() => {
                Err("a book whose place is lost has one")
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod model;

//! Who follows the machine's verdicts as an instrument does, and holds it to the promise after every step.

mod heal;
mod orders;

use super::super::{OLD_IN_ROW_MAX, SnapshotOrigin, Verdict};
use super::planted::{Bug, Machine};
use super::venue::{Book, Kind, PRICES, Snapshot, Update, Venue};
use crate::sequence::{Pending, Rule, Waiting, Waits};
use crate::types::{BookState, Level, Levels, StaleReason, TimeNs};
use crate::venues::Detection;

/// What was broken.
pub(super) type Broken = &'static str;

/// A book, its machine, and what is known about both from outside.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) machine: Machine,
    kind: Kind,
    pub(super) now: TimeNs,
    book: Book,
    /// The change that the book stands at, and the numbering in which it was told.
    place: u32,
    era: u32,
    /// The book came from another instrument's snapshot.
    is_foreign: bool,
    /// The book came from a snapshot without time, and nothing was applied since: what is old cannot be told by time.
    is_timeless: bool,
    /// So was the one that was lost: a repetition of what it held looks like a numbering that begins again.
    is_lost_timeless: bool,
    pending: Pending,
    scratch: Levels,
    spare: Option<(Snapshot, SnapshotOrigin)>,
    /// The number of the last one that came while the book was synced: it may be refused once the book is lost.
    kept: Option<u64>,
    /// The source has spoken of others.
    is_mixed: bool,
    /// The last change of a book without name that turned out to be nobody's, or of updates that were given up. Whether
    /// they were of this instrument and this numbering nobody knows, so a book from before them may be refused.
    unsure: u32,
    pub(super) ticket: Option<u32>,
    /// The last change that any update told, and the latest numbering of any.
    heard: u32,
    heard_era: u32,
    /// Nothing before it counts.
    pub(super) floor: u32,
    /// The book came from a snapshot of an earlier numbering than the updates that waited, and none has come since: the next
    /// one will show it.
    is_of_before: bool,
    /// Updates later than the book that were passed over since it last moved.
    passed_over: u32,
    /// Whether any was, those that waited for the book included.
    has_passed_over: bool,
    /// Updates that came since the place was lost.
    waiting: Vec<Update>,
    /// Orders: the book is coming in.
    is_building: bool,
}

impl Reader {
    pub(super) fn new(kind: Kind, bug: Option<Bug>) -> Self {
        Self {
            machine: Machine::new(&kind.product, bug),
            kind,
            now: 1_000_000_000,
            book: [0; PRICES],
            place: 0,
            era: 0,
            is_foreign: false,
            is_timeless: true,
            is_lost_timeless: true,
            pending: Pending::default(),
            scratch: Levels::default(),
            spare: None,
            kept: None,
            is_mixed: false,
            unsure: 0,
            ticket: None,
            heard: 0,
            heard_era: 0,
            floor: 0,
            is_of_before: false,
            passed_over: 0,
            has_passed_over: false,
            waiting: Vec::new(),
            is_building: false,
        }
    }

    /// Begins anew and keeps the memory.
    pub(super) fn reset(&mut self, kind: Kind, bug: Option<Bug>) {
        self.pending.clear();
        self.waiting.clear();
        let (pending, waiting) = (std::mem::take(&mut self.pending), std::mem::take(&mut self.waiting));
        let scratch = std::mem::take(&mut self.scratch);
        *self = Self { pending, waiting, scratch, ..Self::new(kind, bug) };
    }

    /// No update waits any more.
    fn forget_waiting(&mut self) {
        self.pending.clear();
        self.waiting.clear();
    }

    pub(super) fn is_synced(&self) -> bool {
        self.machine.is_synced()
    }

    /// The promise: the book is exactly the venue's at a stated number, or it is marked.
    pub(super) fn check(&self, venue: &Venue) -> Result<(), Broken> {
        self.machine.check_invariants()?;
        if !self.is_synced() {
            return Ok(());
        }
        if self.is_foreign {
            return if self.is_mixed { Err("a book that is nobody's is synced") } else { Ok(()) };
        }
        if self.book != venue.books[self.place as usize] {
            return Err("a synced book is not the venue's");
        }
        if self.place < self.floor {
            return Err("a synced book is of before the restart");
        }
        let is_untimed = !self.kind.times || self.is_timeless;
        let is_untold = self.is_of_before || is_untimed && self.passed_over < OLD_IN_ROW_MAX;
        if self.place < self.heard && !is_untold {
            return Err("a synced book is behind what its venue has said");
        }
        Ok(())
    }

    /// An update arrives.
    pub(super) fn update(&mut self, venue: &Venue, update: Update) -> Result<(), Broken> {
        if self.kind.by_order {
            return self.orders(venue, update);
        }
        let (was, place) = (self.machine.state(), self.place);
        let had_place = self.machine.is_placed();
        let continues = had_place && !self.is_foreign && update.from <= place && update.to > place;
        let repeats = had_place && !self.is_foreign && update.to <= place;
        let is_linked = venue.is_linked(update.era) && self.era + 1 == update.era;
        let same_era = update.era == self.era || is_linked && continues;
        // What a book that is nobody's has passed over is its own matter.
        let heard = if self.is_foreign && had_place { 0 } else { self.heard };
        self.heard_era = self.heard_era.max(update.era);
        // A repetition shows nothing.
        self.is_of_before &= update.era < self.heard_era || update.to <= place.max(heard);
        self.heard = heard.max(update.to);
        let verdict = self.machine.update(&update.seq, update.ts_event, self.now);
        match verdict {
            Verdict::Apply | Verdict::Resume => {
                self.apply(venue, update)?;
                if verdict == Verdict::Resume {
                    self.machine.synced(self.now);
                }
            }
            Verdict::Lost => {
                self.pending.clear();
                self.waiting.clear();
                self.waiting.push(update);
                self.hold(venue, update);
                self.use_spare(venue)?;
            }
            Verdict::Hold => {
                self.waiting.push(update);
                self.hold(venue, update);
            }
            _ => {
                self.passed_over += u32::from(update.to > place);
                self.has_passed_over |= update.to > place;
            }
        }
        self.check(venue)?;
        if same_era && continues && !self.is_synced() {
            return Err("an update that continues the book has not been taken");
        }
        if same_era && repeats && was == BookState::Synced && self.machine.state() != was {
            return Err("a repetition has cost the book");
        }
        Ok(())
    }

    fn apply(&mut self, venue: &Venue, update: Update) -> Result<(), Broken> {
        if !self.is_foreign && (update.from > self.place || update.to < self.place) {
            return Err("an update was applied that does not continue the book");
        }
        let after = &venue.books[update.to as usize];
        for (held, after) in self.book.iter_mut().zip(after) {
            if *after > update.from {
                *held = *after;
            }
        }
        (self.place, self.era) = (update.to, update.era);
        // What was passed over while no time told its age: the next update names it.
        self.is_of_before |= self.is_timeless && self.has_passed_over && self.place < self.heard;
        (self.is_timeless, self.passed_over, self.has_passed_over) = (false, 0, false);
        self.machine.applied(&update.seq, update.ts_event);
        Ok(())
    }

    fn hold(&mut self, venue: &Venue, update: Update) {
        let waiting = Waiting { seq: update.seq, ts_event: update.ts_event, ts_recv: self.now, check: None };
        let index = venue.updates.iter().rposition(|known| known.to == update.to).unwrap_or_default();
        self.scratch.clear();
        self.scratch.bids.push(Level::new(index as i64, 1));
        self.pending.push(waiting, self.scratch.view(), &[]);
    }

    /// A book arrives.
    pub(super) fn snapshot(
        &mut self,
        venue: &Venue,
        snapshot: Snapshot,
        origin: SnapshotOrigin,
        widens: bool,
    ) -> Result<(), Broken> {
        if origin == SnapshotOrigin::Anonymous && self.is_mixed {
            return Ok(());
        }
        if origin == SnapshotOrigin::Stream {
            self.forget_waiting();
        }
        // Of times only an update that waits shows that an answer reaches what is said.
        let is_reached = self.kind.product.rule != Rule::Time
            || origin != SnapshotOrigin::Asked
            || !self.pending.is_empty();
        let must = origin == SnapshotOrigin::Stream
            // Of the moment of the last update, with a lower number: a late message, or a numbering that has just begun.
            || origin == SnapshotOrigin::Restated && snapshot.at == venue.now() && venue.has_begun() && !self.is_foreign
            || origin != SnapshotOrigin::Restated && is_reached && !self.is_synced() && !snapshot.is_foreign
                && self.kept != Some(snapshot.number) && self.bridges(&snapshot)
                // Where numbers have begun again, only that something mends the book is asked, in the end.
                && venue.era() == 0;
        let judged = self.machine.snapshot(
            (snapshot.number, snapshot.ts_event),
            origin,
            &self.pending,
            widens,
            self.now,
        );
        if origin == SnapshotOrigin::Restated && judged.0 != Verdict::Ignore {
            self.forget_waiting();
        }
        match judged {
            (Verdict::Replace, _) => self.replace(venue, snapshot, origin)?,
            (Verdict::Apply, _) => self.restate(snapshot),
            (Verdict::Widen, _) => {
                if snapshot.is_foreign {
                    self.is_foreign = true;
                } else if snapshot.at != self.place {
                    return Err("a book was widened by one of another place");
                }
                self.machine.satisfied(self.now);
                self.machine.synced(self.now);
            }
            (Verdict::Keep, _) => {
                self.kept = Some(snapshot.number);
                self.spare = Some((snapshot, origin));
            }
            (Verdict::Lost, dropped) => {
                for _ in 0..dropped {
                    self.pending.pop(&mut self.scratch);
                }
                self.waiting.drain(..dropped.min(self.waiting.len()));
                if self.waiting.is_empty() {
                    self.unsure = self.unsure.max(self.heard);
                }
            }
            _ => {}
        }
        self.check(venue)?;
        if must && !self.is_synced() {
            return Err("a book that fits has not been taken");
        }
        Ok(())
    }

    /// Whether the updates that wait run on from a snapshot without a hole, and none tells that it is too old.
    fn bridges(&self, snapshot: &Snapshot) -> bool {
        let mut place = snapshot.at;
        for update in &self.waiting {
            if update.era != snapshot.era {
                return false;
            }
            if update.to > place {
                if update.from > place {
                    return false;
                }
                place = update.to;
            }
        }
        // By numbers alone, a lower numbering looks like the past of the book in doubt.
        let is_anew = self.machine.has_book() && self.waiting.is_empty() && snapshot.era != self.era;
        place >= self.heard.max(self.unsure) && !is_anew && !(self.is_foreign && self.machine.has_book())
    }

    /// A synced book is told whole.
    fn restate(&mut self, snapshot: Snapshot) {
        let goes_on = snapshot.era == self.era && !self.is_foreign;
        self.heard_era = self.heard_era.max(snapshot.era);
        self.heard = if goes_on { self.heard.max(snapshot.at) } else { snapshot.at };
        (self.book, self.place, self.is_foreign) = (snapshot.book, snapshot.at, false);
        self.era = snapshot.era;
        (self.is_timeless, self.passed_over, self.has_passed_over) = (snapshot.ts_event == 0, 0, false);
        self.is_of_before = false;
        self.machine.goes_on(snapshot.number, snapshot.ts_event);
    }

    fn replace(&mut self, venue: &Venue, snapshot: Snapshot, origin: SnapshotOrigin) -> Result<(), Broken> {
        self.spare = None;
        self.heard_era = self.heard_era.max(if snapshot.is_foreign { 0 } else { snapshot.era });
        self.is_of_before =
            self.heard_era > snapshot.era || self.is_lost_timeless && !self.pending.is_empty();
        self.waiting.clear();
        (self.book, self.place, self.is_foreign) = (snapshot.book, snapshot.at, snapshot.is_foreign);
        self.era = snapshot.era;
        (self.is_timeless, self.passed_over, self.has_passed_over) = (snapshot.ts_event == 0, 0, false);
        if matches!(origin, SnapshotOrigin::Stream | SnapshotOrigin::Restated) || snapshot.is_foreign {
            // The venue says where it stands, whatever was; another's book says nothing and is stood upon.
            self.heard = if snapshot.is_foreign { self.floor } else { snapshot.at };
        }
        self.machine.replaced(snapshot.number, snapshot.ts_event, origin);
        while let Some(waiting) = self.pending.pop(&mut self.scratch) {
            let update = venue.updates[self.scratch.bids[0].price.0 as usize];
            if self.machine.follows(&waiting.seq) {
                self.apply(venue, update)?;
            } else {
                self.has_passed_over |= update.to > self.place;
            }
        }
        self.machine.synced(self.now);
        Ok(())
    }

    /// The book is lost: perhaps a snapshot that was kept is where it goes on.
    fn use_spare(&mut self, venue: &Venue) -> Result<(), Broken> {
        let Some((snapshot, origin)) = self.spare.take() else { return Ok(()) };
        let judged = self.machine.snapshot(
            (snapshot.number, snapshot.ts_event),
            origin,
            &self.pending,
            false,
            self.now,
        );
        if judged.0 == Verdict::Replace { self.replace(venue, snapshot, origin) } else { Ok(()) }
    }

    /// The truth is lost or in doubt, as a room or the engine says.
    pub(super) fn lose(&mut self, venue: &Venue, reason: StaleReason) -> Result<(), Broken> {
        let was = self.machine.state();
        let has_begun = self.is_building;
        self.pending.clear();
        self.machine.lose(reason, (0, 0), self.now);
        let expected = match was {
            BookState::Synced => BookState::Stale(reason),
            BookState::Syncing if reason.is_doubt() && !has_begun => was,
            BookState::Stale(before) if reason.is_doubt() || !before.is_doubt() => was,
            BookState::Syncing | BookState::Stale(_) => BookState::Stale(reason),
        };
        if self.kind.by_order && !self.machine.takes_orders() {
            self.is_building = false;
        }
        // What waited is forgotten with the rest: the next update will show what is missing.
        self.waiting.clear();
        let is_own = self.machine.has_book() && !self.is_foreign;
        self.is_lost_timeless = self.is_timeless;
        self.heard = if is_own { self.place } else { self.floor };
        if self.machine.state() != expected {
            return Err("a loss or a doubt is not told as what it is");
        }
        let shows_losses = self.kind.is_numbered() && self.kind.product.rule != Rule::Time;
        let keeps =
            shows_losses || reason == StaleReason::Silence && self.kind.product.detects == Detection::Next;
        if self.machine.is_placed() && !(reason.is_doubt() && keeps) {
            return Err("a place was kept that nothing can prove");
        }
        self.check(venue)
    }

    /// The source speaks of another instrument.
    pub(super) fn foreign_heard(&mut self, venue: &Venue) -> Result<(), Broken> {
        if std::mem::replace(&mut self.is_mixed, true) {
            return Ok(());
        }
        if self.spare.is_some_and(|(_, origin)| origin == SnapshotOrigin::Anonymous) {
            self.spare = None;
        }
        if self.machine.lose_anonymous(self.now) {
            self.unsure = self.unsure.max(self.place);
        }
        self.check(venue)
    }

    /// The venue says that it begins anew.
    pub(super) fn restart(&mut self, venue: &Venue) -> Result<(), Broken> {
        self.machine.restart();
        self.pending.clear();
        self.waiting.clear();
        self.spare = None;
        (self.floor, self.heard) = (venue.now(), venue.now());
        self.is_building = false;
        if self.machine.state() != BookState::Syncing {
            return Err("a restarted book is not syncing");
        }
        self.check(venue)
    }

    /// Asks, if it is time to.
    pub(super) fn ask(&mut self) {
        if let Some(ticket) = self.machine.ask(self.now) {
            self.ticket = Some(ticket);
        }
    }

    /// An answer to the request with a ticket.
    pub(super) fn answer(&mut self, venue: &Venue, ticket: u32, snapshot: Snapshot) -> Result<(), Broken> {
        if !self.machine.awaits(ticket) {
            return Ok(());
        }
        self.snapshot(venue, snapshot, SnapshotOrigin::Asked, false)
    }
}

//! What connections carry, how they begin and end.

use super::instrument::{Context, InstrumentState};
use super::orders::OrderBooks;
use super::source::Source;
use super::tape::Stop;
use super::{BOOKS_MAX, Engine, EngineError, SOURCES_MAX, SourceId};
use crate::recording::Transcript;
use crate::sequence::WAIT_NS;
use crate::types::{Clock, InstrumentId, Scope, Slot, StaleReason, TimeNs, Venue};
use crate::venues::{At, Leave};

impl<C: Clock> Engine<C> {
    /// Opens a source of a venue's bytes, which carries nothing yet.
    ///
    /// # Errors
    /// [`EngineError::Full`].
    pub fn open(&mut self, venue: Venue) -> Result<SourceId, EngineError> {
        if self.sources.len() == SOURCES_MAX {
            return Err(EngineError::Full);
        }
        self.sources.push(Source::new(venue));
        Ok(SourceId(self.sources.len() as u32 - 1))
    }

    /// Lets a source speak for instruments, and makes the books of those that no other source carries. An instrument that
    /// several sources carry has several lines: each message counts once, by the venue's numbers. Where nothing numbers the
    /// changes of a book, the source that spoke first is the only one that counts for it, until it is dropped or fails.
    ///
    /// # Errors
    /// [`EngineError::UnknownSource`], [`EngineError::UnknownInstrument`], [`EngineError::WrongVenue`],
    /// [`EngineError::SourceInstruments`] for a code that two instruments share, or [`EngineError::Full`]; then nothing has
    /// changed.
    pub fn carry(&mut self, source: SourceId, instruments: &[InstrumentId]) -> Result<(), EngineError> {
        self.speak(source, instruments)?;
        let index = source.0 as usize;
        for id in instruments {
            let slot = self.slot_of(*id)?;
            let before = self.sources.iter().position(|source| source.brings(slot) && source.carries(slot));
            if self.sources[index].add_book(slot) {
                let instrument = &mut self.instruments[slot.0 as usize];
                instrument.carried(before.map(|source| source as u32));
                instrument.tapes_beside_book(source.0);
            }
        }
        Ok(())
    }

    /// Lets a source speak for instruments of which it brings everything but the book, such as trades and statistics that a
    /// venue tells on a connection of their own. It is no line of their books, and what it says of them does not count.
    ///
    /// # Errors
    /// As [`Self::carry`].
    pub fn carry_beside_books(
        &mut self,
        source: SourceId,
        instruments: &[InstrumentId],
    ) -> Result<(), EngineError> {
        self.speak(source, instruments)
    }

    /// A source takes the place of another one, which is going to be dropped once it has been subscribed to the same: trades are
    /// not missing between the two then. Books whose changes nothing numbers are its own
    /// from the first whole book on that it brings, so that they need not be lost between the two; those that are numbered
    /// have two lines meanwhile.
    ///
    /// # Errors
    /// [`EngineError::UnknownSource`].
    pub fn succeed(&mut self, source: SourceId, predecessor: SourceId) -> Result<(), EngineError> {
        for known in [source, predecessor] {
            self.sources.get(known.0 as usize).ok_or(EngineError::UnknownSource(known.0))?;
        }
        self.sources[source.0 as usize].succeeds = Some(predecessor.0);
        for slot in &self.sources[source.0 as usize].books {
            if self.sources[predecessor.0 as usize].books.binary_search(slot).is_ok() {
                self.instruments[slot.0 as usize].heir = Some(source.0);
            }
        }
        Ok(())
    }

    /// Books of its predecessor that a source has still to tell: of numbered ones an update, of others the whole.
    ///
    /// # Errors
    /// [`EngineError::UnknownSource`].
    pub fn outstanding(&self, source: SourceId) -> Result<usize, EngineError> {
        let successor = self.sources.get(source.0 as usize).ok_or(EngineError::UnknownSource(source.0))?;
        let is_awaited = |slot: &&Slot| self.instruments[slot.0 as usize].heir == Some(source.0);
        Ok(successor.books.iter().filter(is_awaited).count())
    }

    /// Routes what a source says of instruments to their states, which are made where there are none.
    fn speak(&mut self, source: SourceId, instruments: &[InstrumentId]) -> Result<(), EngineError> {
        let index = source.0 as usize;
        let venue = self.sources.get(index).ok_or(EngineError::UnknownSource(source.0))?.venue;
        if instruments.is_empty() {
            return Err(EngineError::SourceInstruments);
        }
        let mut routes = self.sources[index].routes.clone();
        let mut next = self.instruments.len();
        let mut made = Vec::new();
        let mut slots = Vec::new();
        for &id in instruments {
            let listed = self.catalogue.get(id).ok_or(EngineError::UnknownInstrument(id.0))?;
            if listed.venue != venue {
                return Err(EngineError::WrongVenue);
            }
            if slots.iter().any(|(known, _)| *known == id) {
                return Err(EngineError::SourceInstruments);
            }
            let slot = self.by_id.get(&id).copied().unwrap_or_else(|| {
                made.push(InstrumentState::new(id, Slot(next as u32), listed, &self.config));
                next += 1;
                Slot(next as u32 - 1)
            });
            let state = self.instruments.get(slot.0 as usize).or_else(|| made.last());
            let route = state.map(InstrumentState::route).ok_or(EngineError::UnknownInstrument(id.0))?;
            if !routes.carry(listed.wire_codes(), route) {
                return Err(EngineError::SourceInstruments);
            }
            slots.push((id, slot));
        }
        if next > BOOKS_MAX {
            return Err(EngineError::Full);
        }
        let opened = &mut self.sources[index];
        let product = crate::venues::product(venue);
        if product.is_by_order && opened.orders.is_none() {
            opened.orders = Some(Box::new(OrderBooks::new(product).ok_or(EngineError::Full)?));
        }
        opened.routes = routes;
        self.instruments.append(&mut made);
        for (id, slot) in slots {
            self.by_id.insert(id, slot);
            self.sources[index].add(slot);
            self.instruments[slot.0 as usize].count_in(&mut self.stats);
        }
        self.join_members();
        Ok(())
    }

    /// A source speaks for an instrument no more. Its book is syncing where no other source carries it, or where it was this
    /// source's alone. Subscriptions that only its connections can name are ended here; the others are their maker's to end.
    ///
    /// # Errors
    /// [`EngineError::UnknownSource`], [`EngineError::UnknownInstrument`] for one that it does not carry.
    pub fn drop(
        &mut self,
        source: SourceId,
        instrument: InstrumentId,
        now: TimeNs,
    ) -> Result<(), EngineError> {
        let slot = self.slot_of(instrument)?;
        let opened = self.sources.get_mut(source.0 as usize).ok_or(EngineError::UnknownSource(source.0))?;
        let brought = opened.books.binary_search(&slot).is_ok();
        if !opened.remove(slot) {
            return Err(EngineError::UnknownInstrument(instrument.0));
        }
        self.leave(source.0 as usize, slot, Leave::All);
        self.lose_venue_tops(source.0 as usize, &[slot], now);
        let takes_over = |heir: &Source| {
            heir.succeeds == Some(source.0) && heir.is_live && !heir.has_failed && heir.carries(slot)
        };
        if let Some(heir) = self.sources.iter().position(takes_over) {
            let brings = self.sources[heir].brings(slot);
            self.instruments[slot.0 as usize].hand_tapes_over(source.0 as usize, (heir, brings));
        }
        self.forget_succession(source);
        let opened = &mut self.sources[source.0 as usize];
        if let Some(orders) = &mut opened.orders {
            orders.on_restart(slot);
        }
        let has_failed = opened.has_failed;
        let is_lost = brought && !has_failed && self.instruments[slot.0 as usize].uncarried(source.0);
        if is_lost || !self.sources.iter().any(|source| source.carries(slot)) {
            let (instruments, mut cx) = self.parts();
            instruments[slot.0 as usize].on_restart(now, &mut cx);
        }
        self.stop_tapes(source.0 as usize, (slot, brought), now);
        if !self.sources.iter().any(|source| source.carries(slot)) {
            self.instruments[slot.0 as usize].count_out(&mut self.stats);
        }
        Ok(())
    }

    /// Opens a source that carries instruments from the start.
    ///
    /// # Errors
    /// As [`Self::open`] and [`Self::carry`].
    pub fn open_source(
        &mut self,
        venue: Venue,
        instruments: &[InstrumentId],
    ) -> Result<SourceId, EngineError> {
        let source = self.open(venue)?;
        if let Err(error) = self.carry(source, instruments) {
            self.sources.pop();
            return Err(error);
        }
        Ok(source)
    }

    /// The source will speak of other instruments too: a snapshot that names none is nobody's.
    ///
    /// # Errors
    /// [`EngineError::UnknownSource`].
    pub fn expect_others(&mut self, source: SourceId, now: TimeNs) -> Result<(), EngineError> {
        self.sources.get(source.0 as usize).ok_or(EngineError::UnknownSource(source.0))?;
        self.on_foreign(source.0 as usize, now);
        Ok(())
    }

    /// Nothing more comes from the source: what waits for its other line waits no longer, and is a gap where it is one.
    ///
    /// # Errors
    /// [`EngineError::UnknownSource`].
    pub fn ended(&mut self, source: SourceId, now: TimeNs) -> Result<(), EngineError> {
        self.sources.get(source.0 as usize).ok_or(EngineError::UnknownSource(source.0))?;
        let (index, then) = (source.0 as usize, now.saturating_add(WAIT_NS));
        self.tick_sessions(index, then);
        let Self { sources, instruments, config, clock, outbox, stats, scratch, .. } = self;
        let cx = &mut Context { config, clock, out: outbox, stats, scratch };
        for slot in &sources[index].slots {
            instruments[slot.0 as usize].miss_waiting(then, cx);
        }
        self.each_line(index, |engine, source| engine.ended(source, now))
    }

    /// A connection was opened anew: what the old one told of channels and counters is forgotten. Books go on where the
    /// venue's numbers say so.
    ///
    /// # Errors
    /// [`EngineError::UnknownSource`].
    pub fn opened(&mut self, source: SourceId, now: TimeNs) -> Result<(), EngineError> {
        let opened = self.sources.get_mut(source.0 as usize).ok_or(EngineError::UnknownSource(source.0))?;
        if std::mem::take(&mut opened.has_failed) {
            for slot in &opened.books {
                let instrument = &mut self.instruments[slot.0 as usize];
                instrument.carried(None);
                instrument.tapes_beside_book(source.0);
            }
        }
        opened.heard_at = now;
        opened.is_live = true;
        self.events.clear();
        let at = At { ts_recv: now, line: 0, is_datagram: false };
        opened.sessions.iter_mut().for_each(|session| session.opened(at, &mut self.events));
        self.apply(source.0 as usize, now);
        Ok(())
    }

    /// What was asked of the venue on this connection: the address that it leads to, a subscription that was sent.
    ///
    /// # Errors
    /// [`EngineError::UnknownSource`].
    pub fn asked(&mut self, source: SourceId, text: &[u8]) -> Result<(), EngineError> {
        let asking = self.sources.get_mut(source.0 as usize).ok_or(EngineError::UnknownSource(source.0))?;
        asking.session(0).asked(text);
        Ok(())
    }

    /// The source failed for good: a file that is damaged or cut, a connection that does not come back. The books that no
    /// other one carries are stale, at once, and so are the venue's own tops that it told, and trades that nobody else tells.
    ///
    /// # Errors
    /// [`EngineError::UnknownSource`].
    pub fn source_failed(&mut self, source: SourceId, now: TimeNs) -> Result<(), EngineError> {
        let index = source.0 as usize;
        let failed = self.sources.get_mut(index).ok_or(EngineError::UnknownSource(source.0))?;
        let is_news = !std::mem::replace(&mut failed.has_failed, true);
        let slots = failed.slots.clone();
        self.each_line(index, |engine, source| engine.source_failed(source, now))?;
        self.lose_venue_tops(index, &slots, now);
        for at in 0..self.sources[index].books.len() {
            let slot = self.sources[index].books[at];
            let is_alone = is_news && self.instruments[slot.0 as usize].uncarried(source.0);
            let brings = |source: &Source| !source.has_failed && source.books.binary_search(&slot).is_ok();
            if is_alone || !self.sources.iter().any(brings) {
                self.lose(index, Scope::Book(slot), StaleReason::SourceFailed, (0, 0), now);
            }
        }
        for slot in slots {
            let brings = self.sources[index].brings(slot);
            self.stop_tapes(index, (slot, brings), now);
        }
        Ok(())
    }

    /// The venue behind a source starts anew: its books are `Syncing` until their next snapshots, and answers that are
    /// under way are void.
    ///
    /// # Errors
    /// [`EngineError::UnknownSource`]; [`EngineError::Full`] where the machine has no room for orders any more.
    pub fn reset_source(&mut self, source: SourceId, now: TimeNs) -> Result<(), EngineError> {
        let index = source.0 as usize;
        self.sources.get(index).ok_or(EngineError::UnknownSource(source.0))?;
        self.forget_lines(index, now)?;
        self.forget_published(index, now);
        let anew = self.sources.get_mut(index).ok_or(EngineError::UnknownSource(source.0))?;
        // All is void anyway, whatever the rooms say.
        let at = At { ts_recv: now, line: 0, is_datagram: false };
        anew.sessions.iter_mut().for_each(|session| session.opened(at, &mut self.events));
        self.events.clear();
        anew.transcript = Transcript::default();
        (anew.heard_at, anew.ticked_at, anew.last_ts) = (0, 0, 0);
        if anew.orders.take().is_some() {
            // The old orders' memory goes first: they reserve address space for all that they may hold.
            let product = crate::venues::product(anew.venue);
            anew.orders = Some(Box::new(OrderBooks::new(product).ok_or(EngineError::Full)?));
        }
        let Self { sources, instruments, config, clock, outbox, stats, scratch, .. } = self;
        let cx = &mut Context { config, clock, out: outbox, stats, scratch };
        for slot in &sources[index].slots {
            let instrument = &mut instruments[slot.0 as usize];
            let brings = sources[index].brings(*slot);
            if brings {
                instrument.on_restart(now, cx);
            } else {
                instrument.lose_venue_top(index, now, cx);
            }
            instrument.restart_tapes((index, brings), now, cx);
        }
        Ok(())
    }

    /// A source tells no trades of an instrument for now, and whether it brought its book.
    fn stop_tapes(&mut self, source: usize, (slot, brings): (Slot, bool), now: TimeNs) {
        let (instruments, mut cx) = self.parts();
        instruments[slot.0 as usize].stop_tapes((source, brings), Stop::Silent, now, &mut cx);
    }

    /// A source that speaks for nothing any more is nobody's predecessor: whose place it took, its own successor takes.
    fn forget_succession(&mut self, source: SourceId) {
        if !self.sources[source.0 as usize].slots.is_empty() {
            return;
        }
        let before = self.sources[source.0 as usize].succeeds.take();
        for heir in self.sources.iter_mut().filter(|heir| heir.succeeds == Some(source.0)) {
            heir.succeeds = before;
        }
    }

    /// A source tells nothing more of instruments for now.
    fn lose_venue_tops(&mut self, source: usize, slots: &[Slot], now: TimeNs) {
        let (instruments, mut cx) = self.parts();
        for slot in slots {
            instruments[slot.0 as usize].lose_venue_top(source, now, &mut cx);
        }
    }
}

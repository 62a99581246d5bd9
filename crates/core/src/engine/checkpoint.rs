//! A checkpoint: what a recording of a live engine says at one place, so that it can be read from there on.
//!
//! A recording tells what was heard; a book is what all of it makes. So that a reader need not begin at the beginning, and so
//! that what a hole took comes back behind it, each segment begins with what the engine knew when it began: of each connection
//! what its room remembers ([`SetupKind::Session`]), of each instrument its synced book with its place in the venue's numbering
//! and what else was told last ([`SetupKind::Book`]).
//!
//! 1. A book is kept where it is synced, nothing waits for it, no event of orders is half told, and no connection is about to
//!    take another's place. Every other one is known again when the venue tells it, as ever.
//! 2. A reader takes a kept book only where it has none, on a connection of which it knows all that the engine knew then: since it
//!    was made, or since a checkpoint. Behind a hole no connection is known so, until the next checkpoint.
//! 3. A reader that has the book holds it against the kept one: at the same place they are equal, or the book is stale.
//! 4. What another version has written in another form is passed over.
//!
//! Cost of making one: that of reading every level and order of the engine, some 20 bytes each at most; of taking one: that of a
//! snapshot.

mod book;
mod names;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::instrument::InstrumentState;
use super::lines::Told;
use super::orders::OrderBooks;
use super::{Engine, EngineError, IngestError, SourceId};
use crate::journal::SetupKind;
use crate::types::{BookState, Clock, InstrumentId, Slot, StaleReason, TimeNs};
use names::{named, placed};

/// The name of the instrument whose book is kept so; none of another form.
pub(super) fn kept_name(bytes: &[u8]) -> Option<String> {
    book::head_of(bytes)?.0.map(|head| head.name)
}

/// The form of what is kept. Another form, of a room's memory too, has another number.
const FORM: u32 = 1;

/// A connection.
#[derive(Debug, Serialize, Deserialize)]
struct KeptSession {
    form: u32,
    venue: String,
    /// Whether it is there, and has not failed.
    is_live: bool,
    has_failed: bool,
    is_mixed: bool,
    heard_at: TimeNs,
    room: Value,
}

impl<C: Clock> Engine<C> {
    /// Hands out a checkpoint of the engine as it is: connections, then books, each with the number of its source. Between two
    /// inputs.
    pub fn checkpoint(&mut self, mut tell: impl FnMut(SourceId, SetupKind, &[u8])) {
        for index in 0..self.sources.len() {
            if let Some(text) = self.kept_session(index, 0) {
                tell(SourceId(index as u32), SetupKind::Session, &text);
            }
        }
        let mut bytes = Vec::new();
        for slot in 0..self.instruments.len() {
            if let Some(source) = self.keep_book(slot, &mut bytes) {
                tell(SourceId(source as u32), SetupKind::Book, &bytes);
            }
        }
    }

    /// The same of one instrument of a recording, as far as that was read, so that the rest can be read by itself: of each of its
    /// connections that brings the instrument how it is taken, too. They have the recording's numbers.
    ///
    /// # Errors
    /// [`EngineError::UnknownSource`], [`EngineError::UnknownInstrument`].
    pub fn recorded_checkpoint(
        &mut self,
        source: SourceId,
        instrument: InstrumentId,
        mut tell: impl FnMut(u32, SetupKind, &[u8]),
    ) -> Result<(), EngineError> {
        let slot = self.slot_of(instrument)?;
        let recording = self.sources.get(source.0 as usize).ok_or(EngineError::UnknownSource(source.0))?;
        let unknown = EngineError::UnknownInstrument(instrument.0);
        let listed = self.catalogue.get(instrument).ok_or(unknown)?;
        let (name, listing) = (listed.to_string(), super::listing_of(listed));
        let lines: Vec<_> = match &recording.lines {
            None => (0..recording.sessions.len()).map(|line| (line as u32, source.0 as usize)).collect(),
            Some(lines) => lines.all().filter(|(_, of)| self.sources[*of].carries(slot)).collect(),
        };
        let is_set_up = recording.lines.is_some();
        for (line, of) in &lines {
            if is_set_up {
                let brings = self.sources[*of].brings(slot);
                let carries = if brings { SetupKind::Carries } else { SetupKind::CarriesBesideBooks };
                tell(*line, SetupKind::Instrument, listing.as_bytes());
                tell(*line, SetupKind::Venue, self.sources[*of].venue.name().as_bytes());
                tell(*line, carries, name.as_bytes());
            }
            let session = if is_set_up { 0 } else { *line };
            if let Some(text) = self.kept_session(*of, session) {
                tell(*line, SetupKind::Session, &text);
            }
        }
        let mut bytes = Vec::new();
        let line = self
            .keep_book(slot.0 as usize, &mut bytes)
            .and_then(|keeper| lines.iter().find(|(_, of)| *of == keeper).map(|(line, _)| *line));
        if let Some(line) = line {
            tell(line, SetupKind::Book, &bytes);
        }
        Ok(())
    }

    fn name_of(&self, id: InstrumentId) -> Option<String> {
        self.catalogue.get(id).map(ToString::to_string)
    }

    /// What is kept of a connection, as JSON.
    fn kept_session(&self, index: usize, session: u32) -> Option<Vec<u8>> {
        let source = &self.sources[index];
        if source.slots.is_empty() || source.lines.is_some() {
            return None;
        }
        let room = source.sessions.get(session as usize)?.kept()?;
        let name = |slot: Slot| self.name_of(self.instruments.get(slot.0 as usize)?.id);
        let kept = KeptSession {
            form: FORM,
            venue: source.venue.name().to_owned(),
            is_live: source.is_live,
            has_failed: source.has_failed,
            is_mixed: source.is_mixed,
            heard_at: source.heard_at,
            room: named(room, &name),
        };
        serde_json::to_vec(&kept).ok()
    }

    /// The source that brings a book which is kept, and its bytes in `out`.
    fn keep_book(&mut self, slot: usize, out: &mut Vec<u8>) -> Option<usize> {
        let name = self.name_of(self.instruments[slot].id)?;
        let source = self.keeper_of(&self.instruments[slot])?;
        let orders = self.sources[source].orders.as_deref();
        self.instruments[slot].keep(name, orders, out).then_some(source)
    }

    /// The source whose book an instrument's is: the one that alone counts, or the first that brings it.
    fn keeper_of(&self, instrument: &InstrumentState) -> Option<usize> {
        let owned = instrument.owners.iter().flatten().next().map(|owner| *owner as usize);
        let brings = |source: &super::source::Source| {
            source.books.binary_search(&instrument.slot).is_ok() && !source.has_failed
        };
        owned.or_else(|| self.sources.iter().position(brings))
    }

    /// A recording says what a connection's room remembered. Taken where the connection is not known otherwise.
    ///
    /// # Errors
    /// [`EngineError::Setup`] for what is none.
    pub(super) fn take_session(
        &mut self,
        index: usize,
        line: u32,
        text: &[u8],
        now: TimeNs,
    ) -> Result<(), IngestError> {
        let source = self.source_at(index, line)?;
        if self.is_line_known(index, line) {
            return Ok(());
        }
        let kept: Value = serde_json::from_slice(text).map_err(|_| EngineError::Setup)?;
        if kept.get("form").and_then(Value::as_u64) != Some(u64::from(FORM)) {
            return Ok(());
        }
        let kept: KeptSession = serde_json::from_value(kept).map_err(|_| EngineError::Setup)?;
        let venue = self.sources[source].venue;
        if kept.venue != venue.name() {
            return Ok(());
        }
        let place = |name: &str| Some(*self.by_id.get(&self.named(name)?)?);
        let room = placed(kept.room, &place);
        let is_of_lines = self.sources[index].lines.is_some();
        let session = if is_of_lines { 0 } else { line };
        if !self.sources[source].session(session).restore(venue, room) {
            return Ok(());
        }
        if is_of_lines {
            let taken = &mut self.sources[source];
            (taken.is_live, taken.is_mixed, taken.heard_at) = (kept.is_live, kept.is_mixed, kept.heard_at);
            if kept.has_failed {
                self.source_failed(SourceId(source as u32), now)?;
            }
        }
        self.know_line(index, line);
        Ok(())
    }

    /// A recording says what a book was. Taken where there is none, and held against the one that there is.
    ///
    /// # Errors
    /// [`EngineError::Setup`] for what is none, [`EngineError::Checkpoint`] for another book than the one that there is, which is
    /// stale by that.
    pub(super) fn take_book(
        &mut self,
        index: usize,
        line: u32,
        bytes: &[u8],
        now: TimeNs,
    ) -> Result<(), IngestError> {
        let source = self.source_at(index, line)?;
        let (head, rest) = book::head_of(bytes).ok_or(EngineError::Setup)?;
        let Some(head) = head else { return Ok(()) };
        let slot = self.named(&head.name).and_then(|id| self.by_id.get(&id).copied());
        let Some(slot) = slot.filter(|slot| self.sources[source].brings(*slot)) else { return Ok(()) };
        if !self.is_line_known(index, line) {
            return Ok(());
        }
        let instrument = &self.instruments[slot.0 as usize];
        let has_book = instrument.lead().state() == BookState::Synced;
        let exponents = (instrument.price_exponent, instrument.qty_exponent);
        if exponents != head.exponents && (has_book || !self.rescale_to(slot, head.exponents, now)) {
            return Ok(());
        }
        let kept = book::contents_of(&head, rest, &mut self.events).ok_or(EngineError::Setup)?;
        let Self { sources, instruments, config, clock, outbox, stats, scratch, events, .. } = self;
        let cx = &mut super::Context { config, clock, out: outbox, stats, scratch };
        let instrument = &mut instruments[slot.0 as usize];
        let levels = events.levels(kept.levels);
        if has_book {
            let told = events.told_orders(kept.orders);
            let orders = sources[source].orders.as_deref();
            if !instrument.is_at_kept(&head, source)
                || instrument.is_as_kept(&head, levels, cx)
                    && orders.is_none_or(|orders| orders.are_as_kept(instrument, head.orders.as_ref(), told))
            {
                return Ok(());
            }
            cx.stats.recording_errors += 1;
            if let Some(orders) = sources[source].orders.as_deref_mut() {
                orders.on_lost(instrument, StaleReason::Contradiction, (0, 0), now, cx);
            }
            instrument.contradicted(now, cx);
            return Err(EngineError::Checkpoint(instrument.id.0).into());
        }
        instrument.take_beside_book(&head, now, cx);
        for told in [Told::Levels, Told::Orders] {
            if head.owned[told as usize] {
                instrument.owners[told as usize] = Some(source as u32);
            }
        }
        instrument.take_kept_levels(&head, levels, cx);
        if let Some(kept_orders) = &head.orders {
            let told = events.told_orders(kept.orders);
            let orders = &mut sources[source].orders;
            if orders.is_none() {
                *orders = OrderBooks::new(instrument.product).map(Box::new);
            }
            let Some(orders) = orders else { return Err(EngineError::Full.into()) };
            orders.take_kept(instrument, kept_orders, told, head.stamp(), cx);
        }
        debug_assert_eq!(instrument.check_invariants(), Ok(()));
        Ok(())
    }

    /// The source of a connection of a recording, or the recording's own.
    fn source_at(&self, index: usize, line: u32) -> Result<usize, EngineError> {
        match &self.sources[index].lines {
            None => Ok(index),
            Some(lines) => lines.source_of(line).ok_or(EngineError::Setup),
        }
    }
}

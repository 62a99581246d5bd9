//! A recording that says how its connections were taken: each is a source of its own again, as it was live.
//!
//! Several connections carried the same book, one took another's place, one brought trades alone: what counted then is decided
//! by the same rules here. Connections that a recording says nothing of are passed over, and so are instruments that nobody
//! has asked for.

use super::{Engine, EngineError, IngestError, SourceId, listing};
use crate::journal::SetupKind;
use crate::types::{Clock, InstrumentId, TimeNs, Venue};

/// Whose a recording's connections are.
#[derive(Clone, Debug, Default)]
pub(super) struct RecordedLines {
    /// The instruments that were asked for.
    wanted: Vec<InstrumentId>,
    /// The source of each connection, by its number; none for one that was not set up.
    sources: Vec<Option<u32>>,
    /// Instruments whose listing was taken: segments say again what holds, and a definition would be told again, too.
    listed: Vec<InstrumentId>,
    /// Sources of connections of an earlier pass, to be used again: an engine has a limited number.
    free: Vec<(Venue, u32)>,
}

impl RecordedLines {
    /// The source of a connection.
    #[inline]
    pub(super) fn source_of(&self, line: u32) -> Option<usize> {
        self.sources.get(line as usize).copied().flatten().map(|source| source as usize)
    }

    /// The connections that were set up, and their sources.
    pub(super) fn all(&self) -> impl Iterator<Item = (u32, usize)> + '_ {
        let each = self.sources.iter().enumerate();
        each.filter_map(|(line, source)| Some((line as u32, (*source)? as usize)))
    }
}

impl<C: Clock> Engine<C> {
    /// Opens a recording that says how its connections were taken, and of which products they are
    /// ([`detect`](super::detect) tells). Of what it tells, what concerns these instruments counts.
    ///
    /// # Errors
    /// [`EngineError::UnknownInstrument`], [`EngineError::SourceInstruments`] for none or a code that two of one product
    /// share, [`EngineError::Full`].
    pub fn open_recorded(&mut self, instruments: &[InstrumentId]) -> Result<SourceId, EngineError> {
        let mut products: Vec<(Venue, Vec<InstrumentId>)> = Vec::new();
        for &id in instruments {
            let venue = self.catalogue.get(id).ok_or(EngineError::UnknownInstrument(id.0))?.venue;
            match products.iter_mut().find(|(of, _)| *of == venue) {
                Some((_, ids)) => ids.push(id),
                None => products.push((venue, vec![id])),
            }
        }
        let &(venue, _) = products.first().ok_or(EngineError::SourceInstruments)?;
        let source = self.open(venue)?;
        // Books stand there, syncing, before a connection brings them.
        for (venue, ids) in &products {
            let keeper = self.open(*venue)?;
            self.carry_beside_books(keeper, ids)?;
            // Orders are those of the connection that tells them.
            self.sources[keeper.0 as usize].orders = None;
        }
        let lines = RecordedLines { wanted: instruments.to_vec(), ..RecordedLines::default() };
        self.sources[source.0 as usize].lines = Some(Box::new(lines));
        Ok(source)
    }

    /// A recording says how a connection was taken.
    ///
    /// # Errors
    /// What the engine says to it, and [`EngineError::Setup`] for what nobody can do.
    pub(super) fn set_up(
        &mut self,
        index: usize,
        line: u32,
        kind: SetupKind,
        text: &[u8],
        now: TimeNs,
    ) -> Result<(), IngestError> {
        match kind {
            SetupKind::Session => return self.take_session(index, line, text, now),
            SetupKind::Book => return self.take_book(index, line, text, now),
            SetupKind::Note => return Ok(()),
            _ => {}
        }
        if self.sources[index].lines.is_none() {
            return Ok(());
        }
        let text = core::str::from_utf8(text).map_err(|_| EngineError::Setup)?;
        match kind {
            SetupKind::Session | SetupKind::Book | SetupKind::Note => Ok(()),
            SetupKind::Venue => self.open_line(index, line, text, now),
            SetupKind::Instrument | SetupKind::Defined => {
                let instrument = listing::listed_as(text).ok_or(EngineError::Setup)?;
                let known = self.catalogue.find(instrument.venue, &instrument.symbol);
                let Some(id) = known.filter(|id| self.wants(index, *id)) else { return Ok(()) };
                let is_same = self.catalogue.get(id) == Some(&instrument);
                let Some(lines) = &mut self.sources[index].lines else { return Ok(()) };
                let is_first = !lines.listed.contains(&id);
                if is_first {
                    lines.listed.push(id);
                }
                if kind == SetupKind::Defined || is_first && !is_same {
                    self.define(instrument, now)?;
                }
                Ok(())
            }
            SetupKind::Carries | SetupKind::CarriesBesideBooks => {
                let source = self.line_of(index, line)?;
                let ids: Vec<_> = text
                    .lines()
                    .filter_map(|name| self.named(name))
                    .filter(|id| self.wants(index, *id))
                    .collect();
                if ids.is_empty() {
                    return Ok(());
                }
                if kind == SetupKind::Carries {
                    self.carry(source, &ids)?;
                } else {
                    self.carry_beside_books(source, &ids)?;
                }
                Ok(())
            }
            SetupKind::Drops => {
                let source = self.line_of(index, line)?;
                let carried = self.named(text).filter(|id| {
                    let slot = self.by_id.get(id);
                    slot.is_some_and(|slot| self.sources[source.0 as usize].carries(*slot))
                });
                if let Some(id) = carried {
                    self.drop(source, id, now)?;
                }
                Ok(())
            }
            SetupKind::Succeeds => {
                let source = self.line_of(index, line)?;
                let predecessor = self.line_of(index, text.parse().map_err(|_| EngineError::Setup)?)?;
                self.succeed(source, predecessor)?;
                Ok(())
            }
        }
    }

    /// A snapshot that was asked for by the name of its instrument.
    ///
    /// # Errors
    /// As [`Self::answer`].
    pub(super) fn answered_by_name(
        &mut self,
        index: usize,
        name: &[u8],
        bytes: &[u8],
        now: TimeNs,
    ) -> Result<(), IngestError> {
        let named = core::str::from_utf8(name).ok().and_then(|name| self.named(name));
        match named.filter(|id| self.wants(index, *id)) {
            Some(id) => self.take_answer(id, bytes, now),
            None => Ok(()),
        }
    }

    /// A connection ended, and comes back perhaps.
    pub(super) fn line_closed(&mut self, index: usize, line: u32, now: TimeNs) -> Result<(), IngestError> {
        if self.sources[index].lines.is_some() {
            let source = self.line_of(index, line)?;
            self.source_failed(source, now)?;
        }
        Ok(())
    }

    /// The instruments that were asked for of a recording.
    pub(super) fn wanted(&self, index: usize) -> Vec<InstrumentId> {
        self.sources[index].lines.as_ref().map_or(Vec::new(), |lines| lines.wanted.clone())
    }

    /// Whatever befalls a recording befalls all its connections.
    ///
    /// # Errors
    /// What `befall` says.
    pub(super) fn each_line(
        &mut self,
        index: usize,
        mut befall: impl FnMut(&mut Self, SourceId) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let Some(lines) = &self.sources[index].lines else { return Ok(()) };
        let sources: Vec<_> = lines.sources.iter().flatten().copied().collect();
        for source in sources {
            befall(self, SourceId(source))?;
        }
        Ok(())
    }

    /// The recording begins anew: nothing is set up yet.
    ///
    /// # Errors
    /// None that a connection which is set up can meet.
    pub(super) fn forget_lines(&mut self, index: usize, now: TimeNs) -> Result<(), EngineError> {
        self.forget_known_lines(index);
        let Some(lines) = &mut self.sources[index].lines else { return Ok(()) };
        let sources = std::mem::take(&mut lines.sources);
        lines.listed.clear();
        for source in sources.into_iter().flatten() {
            let slots = self.sources[source as usize].slots.clone();
            for slot in slots {
                self.drop(SourceId(source), self.instruments[slot.0 as usize].id, now)?;
            }
            let venue = self.sources[source as usize].venue;
            if let Some(lines) = &mut self.sources[index].lines {
                lines.free.push((venue, source));
            }
        }
        Ok(())
    }

    fn open_line(&mut self, index: usize, line: u32, venue: &str, now: TimeNs) -> Result<(), IngestError> {
        let venue = crate::venues::from_name(venue).ok_or(EngineError::Setup)?;
        // Each segment says again what holds.
        if self.line_of(index, line).is_ok_and(|source| self.sources[source.0 as usize].venue == venue) {
            return Ok(());
        }
        let Some(lines) = &mut self.sources[index].lines else { return Ok(()) };
        let free = lines.free.iter().position(|(of, _)| *of == venue);
        let source = match free.map(|at| lines.free.swap_remove(at)) {
            Some((_, source)) => SourceId(source),
            None => self.open(venue)?,
        };
        self.opened(source, now)?;
        self.sources[source.0 as usize].is_live = false;
        let Some(lines) = &mut self.sources[index].lines else { return Ok(()) };
        let at = line as usize;
        if lines.sources.len() <= at {
            lines.sources.resize(at + 1, None);
        }
        lines.sources[at] = Some(source.0);
        if let Some(is_known) = self.sources[index].are_lines_known.get_mut(at) {
            *is_known = false;
        }
        Ok(())
    }

    /// Whether all is known that the venue told on a connection, as far as a recording says which connection that is.
    pub(super) fn is_line_known(&self, index: usize, line: u32) -> bool {
        self.sources[index].are_lines_known.get(line as usize).is_some_and(|is| *is)
    }

    /// From here on it is.
    pub(super) fn know_line(&mut self, index: usize, line: u32) {
        let (are_lines_known, at) = (&mut self.sources[index].are_lines_known, line as usize);
        if are_lines_known.len() <= at {
            are_lines_known.resize(at + 1, false);
        }
        are_lines_known[at] = true;
    }

    /// Something is missing on whichever connection: of none it is, any more.
    pub(super) fn forget_known_lines(&mut self, index: usize) {
        self.sources[index].are_lines_known.clear();
    }

    fn line_of(&self, index: usize, line: u32) -> Result<SourceId, EngineError> {
        let lines = self.sources[index].lines.as_deref();
        let source = lines.and_then(|lines| lines.source_of(line)).ok_or(EngineError::Setup)?;
        Ok(SourceId(source as u32))
    }

    fn wants(&self, index: usize, id: InstrumentId) -> bool {
        self.sources[index].lines.as_ref().is_some_and(|lines| lines.wanted.contains(&id))
    }

    pub(super) fn named(&self, name: &str) -> Option<InstrumentId> {
        let (venue, symbol) = crate::venues::split_name(name).ok()?;
        self.catalogue.find(venue, symbol)
    }
}

//! Recordings: the one loop in which time passes as they say.

use super::checkpoint::kept_name;
use super::lookahead::Lookahead;
use super::source::Source;
use super::{Engine, EngineError, IngestError, SourceId};
use crate::encode::Outbox;
use crate::journal::{SEGMENT_HEADER_BYTES, SegmentHeader, SetupKind};
use crate::recording::{Entry, Format, Heard, RecordingError, Transcript};
use crate::types::{Clock, Instrument, TimeNs, Venue};
use crate::venues::{Asked, At, Sightings, every_session};

/// Recorded time between two ticks.
const TICK_NS: u64 = 50_000_000;
/// The same of a source with more books than [`BOOKS_FINE_TICKS`].
const COARSE_TICK_NS: u64 = 1_000_000_000;
const BOOKS_FINE_TICKS: usize = 64;

/// Time that passes backward by so much is told: files in the wrong order, a recorder's clock that was set back.
const BACKWARD_NS: u64 = 1_000_000_000;

/// Most bytes of a recording that are looked at to find out what it holds. One may begin with megabytes of the venue's list of
/// instruments.
const DETECT_BYTES_MAX: usize = 8 << 20;

/// How far a call has read a recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordingProgress {
    /// Bytes used; the rest goes in again, at the head of the next call.
    pub consumed: usize,
    /// Time of the last entry taken; 0 = none.
    pub last_ts: TimeNs,
    /// Time of the entry that is not due yet; 0 when the bytes ended first.
    pub next_ts: TimeNs,
    /// Whether it stopped because the outbox could not be drained.
    pub is_blocked: bool,
    /// The last entry that had no effect because it could not be read.
    pub error: Option<IngestError>,
}

/// The instruments that a recording holds, told from its first bytes, some megabytes. Several of one symbol are
/// alternatives.
///
/// Costs a pass of every room over the bytes.
///
/// # Errors
/// [`IngestError`] where the bytes are of no form that is read, or hold more instruments than are told apart.
pub fn detect(bytes: &[u8]) -> Result<Vec<(Venue, String)>, IngestError> {
    let bytes = bytes.get(..DETECT_BYTES_MAX).unwrap_or(bytes);
    let mut transcript = Transcript::default();
    // Of each connection its own: what was asked of it may say what its frames do not.
    let mut connections = vec![every_session()];
    let mut sightings = Sightings::default();
    // What a recording says of its connections is surer than what their frames look like.
    let (mut carried, mut listed) = (Vec::new(), Vec::new());
    let (mut at, mut refused, mut is_heard) = (0, None, false);
    while let Ok(Entry { end, heard, is_datagram, .. }) = transcript.next(bytes, at, true) {
        at = end;
        is_heard |= heard.is_ok();
        let line =
            match heard {
                Ok(
                    Heard::Received { line, .. } | Heard::Sent { line, .. } | Heard::Connected { line, .. },
                ) if !is_datagram => line as usize,
                Ok(Heard::Setup { kind, bytes, .. }) => {
                    carry_names(kind, bytes, &mut carried);
                    listed.extend(names_of(kind, bytes));
                    continue;
                }
                // What follows is of the instruments that were listed before.
                Ok(Heard::Published { .. }) => return Ok(listed),
                _ => 0,
            };
        if connections.len() <= line {
            connections.resize_with(line + 1, every_session);
        }
        let sessions = connections[line].iter_mut();
        match heard {
            Ok(Heard::Received { bytes, .. } | Heard::Answered { bytes, .. } | Heard::Head { bytes }) => {
                sessions.for_each(|session| session.sight(bytes, &mut sightings));
            }
            Ok(Heard::Sent { bytes: text, .. } | Heard::Connected { address: text, .. }) => {
                sessions.for_each(|session| session.asked(text));
            }
            Ok(_) => {}
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    if !carried.is_empty() {
        return Ok(carried);
    }
    if sightings.is_full() {
        return Err(EngineError::Full.into());
    }
    let format = transcript.format();
    let is_binary = matches!(
        format,
        Some(Format::BinaryFile(_) | Format::Packets | Format::Dbn | Format::Journal | Format::Frames)
    );
    // Bare frames are a recording only of a venue; other forms are one even where no message names an instrument.
    let is_none = format == Some(Format::Json) || !is_heard && (refused.is_some() || !is_binary);
    if !sightings.is_readable() && is_none {
        let is_blank = bytes.iter().all(u8::is_ascii_whitespace);
        let mut got = [0; 4];
        got.iter_mut().zip(bytes.trim_ascii_start()).for_each(|(to, &from)| *to = from);
        let unknown = RecordingError::UnknownFormat { got };
        return Err(if is_blank { RecordingError::Empty } else { refused.unwrap_or(unknown) }.into());
    }
    Ok(sightings.instruments())
}

/// When a segment of a journal was begun, by its first bytes, ns since the epoch; `None` where they are of none.
#[must_use]
pub fn segment_begun(bytes: &[u8]) -> Option<TimeNs> {
    let head = bytes.first_chunk::<SEGMENT_HEADER_BYTES>()?;
    SegmentHeader::read(head).ok().map(|head| head.created)
}

/// The name of an instrument that is listed.
fn names_of(kind: SetupKind, listing: &[u8]) -> Option<(Venue, String)> {
    let Instrument { venue, symbol, .. } = (kind == SetupKind::Instrument)
        .then(|| super::listing::listed_as(core::str::from_utf8(listing).ok()?))
        .flatten()?;
    Some((venue, symbol))
}

/// Adds the instruments that a connection was told to carry, or whose book was kept.
fn carry_names(kind: SetupKind, names: &[u8], carried: &mut Vec<(Venue, String)>) {
    let kept;
    let names = match kind {
        SetupKind::Carries | SetupKind::CarriesBesideBooks => core::str::from_utf8(names).unwrap_or_default(),
        SetupKind::Book => {
            kept = kept_name(names).unwrap_or_default();
            kept.as_str()
        }
        _ => return,
    };
    for name in names.lines() {
        let Ok((venue, symbol)) = crate::venues::split_name(name) else { continue };
        let named = (venue, symbol.to_owned());
        if !carried.contains(&named) {
            carried.push(named);
        }
    }
}

/// The instruments of a recording that says how its connections were taken, as they were listed then; `None` where it does
/// not say. Looks at as many bytes as [`detect`].
#[must_use]
pub fn set_up_for(bytes: &[u8]) -> Option<Vec<Instrument>> {
    let bytes = bytes.get(..DETECT_BYTES_MAX).unwrap_or(bytes);
    let mut transcript = Transcript::default();
    let (mut at, mut listed) = (0, None);
    while let Ok(Entry { end, heard, .. }) = transcript.next(bytes, at, true) {
        at = end;
        let is_frame = matches!(heard, Ok(Heard::Published { .. }));
        if let Ok(Heard::Setup { kind, bytes, .. }) = heard
            && !matches!(kind, SetupKind::Session | SetupKind::Book | SetupKind::Note)
        {
            let listed: &mut Vec<Instrument> = listed.get_or_insert_default();
            if kind == SetupKind::Instrument {
                listed.extend(core::str::from_utf8(bytes).ok().and_then(super::listing::listed_as));
            }
        }
        // What follows frames lists nothing more.
        if !matches!(transcript.format(), Some(Format::Journal | Format::Frames)) || is_frame {
            return listed;
        }
    }
    listed
}

impl<C: Clock> Engine<C> {
    /// Whole entries of a recording up to the first whose time is after `until`; time passes as the recording says, and
    /// where it says none, as what stands in the frames says.
    ///
    /// `drain` is called after each entry that has consequences and answers whether the outbox is empty again; if it is
    /// not, the call ends there, to be made anew with the bytes that are left. `last`: the bytes of this file end here.
    ///
    /// # Errors
    /// [`EngineError::UnknownSource`]. An entry that cannot be read is counted and told in the progress; the next goes on.
    pub fn replay(
        &mut self,
        source: SourceId,
        bytes: &[u8],
        last: bool,
        until: TimeNs,
        mut drain: impl FnMut(&mut Outbox) -> bool,
    ) -> Result<RecordingProgress, EngineError> {
        let index = source.0 as usize;
        let opened = self.sources.get_mut(index).ok_or(EngineError::UnknownSource(source.0))?;
        // Taken out, so that an entry may borrow it while the engine moves.
        let mut transcript = std::mem::take(&mut opened.transcript);
        let mut progress = RecordingProgress { is_blocked: !drain(&mut self.outbox), ..Default::default() };
        let mut lookahead = Lookahead::over(&self.sources[index]);
        while !progress.is_blocked {
            if let Some(lookahead) = &mut lookahead {
                let source = &self.sources[index];
                lookahead.step(&transcript, bytes, progress.consumed, source, &self.instruments);
            }
            let entry = match transcript.next(bytes, progress.consumed, last) {
                Ok(entry) => entry,
                Err(consumed) => {
                    progress.consumed = consumed;
                    break;
                }
            };
            let (start, end) = (entry.start, entry.end);
            let is_answer = matches!(entry.heard, Ok(Heard::Answered { .. }));
            let ts = self.time_of(index, &entry, is_answer);
            if ts > until {
                transcript.put_back();
                progress.next_ts = ts;
                progress.consumed = start;
                break;
            }
            self.pass_time(index, ts, is_answer, &mut progress);
            if let Err(error) = self.heard(index, entry, ts) {
                progress.error = Some(error);
            }
            progress.consumed = end;
            self.sources[index].entries += 1;
            self.ask_venues();
            progress.is_blocked = !self.outbox.is_empty() && !drain(&mut self.outbox);
        }
        if last && progress.consumed == bytes.len() && !progress.is_blocked && progress.next_ts == 0 {
            transcript.file_ended();
        }
        self.sources[index].transcript = transcript;
        Ok(progress)
    }

    /// Entries of a recording that were taken since it was opened.
    ///
    /// # Errors
    /// [`EngineError::UnknownSource`].
    pub fn recorded_entries(&self, source: SourceId) -> Result<u64, EngineError> {
        let source = self.sources.get(source.0 as usize).ok_or(EngineError::UnknownSource(source.0))?;
        Ok(source.entries)
    }

    /// When an entry was heard. A recording that does not say leaves it to what stands in the frame, and that to the entry
    /// before. An answer is written when it is whole, by another writer than that of the frames perhaps, so its place in the
    /// file says more than its time: it was not heard before what stands before it.
    #[inline(always)]
    fn time_of(&mut self, source: usize, entry: &Entry<'_>, is_answer: bool) -> TimeNs {
        if !is_answer && entry.ts != 0 {
            return entry.ts;
        }
        let (Ok(Heard::Received { bytes, .. } | Heard::Answered { bytes, .. }), source) =
            (entry.heard, &mut self.sources[source])
        else {
            return 0;
        };
        let ts = if entry.ts != 0 { entry.ts } else { source.session(0).time(bytes) };
        if is_answer && ts != 0 { ts.max(source.last_ts) } else { ts }
    }

    /// Time passes up to an entry, in ticks of the source's own books. Whether it goes back is told by what was received.
    #[inline(always)]
    fn pass_time(&mut self, index: usize, ts: TimeNs, is_answer: bool, progress: &mut RecordingProgress) {
        if ts == 0 {
            return;
        }
        let source = &mut self.sources[index];
        if ts < source.last_ts && source.last_ts - ts >= BACKWARD_NS {
            self.stats.backward += 1;
        }
        if !is_answer {
            source.last_ts = ts;
        }
        progress.last_ts = ts;
        let step = if source.slots.len() <= BOOKS_FINE_TICKS { TICK_NS } else { COARSE_TICK_NS };
        // One that says how it was taken says, too, when time passed.
        if source.lines.is_none() && ts.abs_diff(source.ticked_at) >= step {
            source.ticked_at = ts;
            self.tick_source(index, ts);
        }
    }

    #[inline(always)]
    fn heard(&mut self, index: usize, entry: Entry<'_>, ts: TimeNs) -> Result<(), IngestError> {
        let is_datagram = entry.is_datagram;
        match entry.heard {
            Ok(Heard::Received { line, bytes }) => {
                let ts_recv = if ts == 0 { self.sources[index].last_ts } else { ts };
                // The lines of datagrams are those of one feed, which one room follows.
                let session = if is_datagram { 0 } else { line };
                let (index, session) = match &self.sources[index].lines {
                    None => (index, session),
                    Some(lines) => match lines.source_of(line) {
                        Some(source) => (source, 0),
                        None => return Ok(()),
                    },
                };
                match self.receive(index, session, bytes, At { ts_recv, line, is_datagram }) {
                    // A recording may hold other instruments too.
                    Err(error) if error.is_foreign() => Ok(()),
                    other => other,
                }
            }
            Ok(Heard::Published { frame }) => self.published(index, frame),
            other => self.heard_aside(index, other, is_datagram, ts),
        }
    }

    #[cold]
    fn heard_aside(
        &mut self,
        index: usize,
        heard: Result<Heard<'_>, RecordingError>,
        is_datagram: bool,
        ts: TimeNs,
    ) -> Result<(), IngestError> {
        let ts_recv = if ts == 0 { self.sources[index].last_ts } else { ts };
        let at = At { ts_recv, line: 0, is_datagram };
        match heard {
            Ok(Heard::Received { .. } | Heard::Published { .. }) => Ok(()),
            Ok(Heard::Ticked) => {
                self.tick_lines(index, ts_recv);
                Ok(())
            }
            Ok(Heard::Setup { line, kind, bytes }) => self.set_up(index, line, kind, bytes, ts_recv),
            Ok(Heard::Sent { line, bytes }) => {
                let Some((index, line)) = self.taken_by(index, line) else { return Ok(()) };
                self.sources[index].session(line).asked(bytes);
                Ok(())
            }
            Ok(Heard::Connected { line, address }) if self.sources[index].lines.is_some() => {
                let Some((source, _)) = self.taken_by(index, line) else { return Ok(()) };
                self.opened(SourceId(source as u32), ts_recv)?;
                self.sources[source].session(0).asked(address);
                self.know_line(index, line);
                Ok(())
            }
            Ok(Heard::Connected { line, address }) => {
                self.events.clear();
                let session = self.sources[index].session(line);
                session.opened(at, &mut self.events);
                session.asked(address);
                self.know_line(index, line);
                self.apply(index, ts_recv);
                Ok(())
            }
            Ok(Heard::Closed { line }) => self.line_closed(index, line, ts_recv),
            Ok(Heard::Head { bytes }) => {
                self.events.clear();
                let Source { sessions, routes, .. } = &mut self.sources[index];
                let Some(session) = sessions.first_mut() else { return Ok(()) };
                let read = session.frame(bytes, at, routes, &mut self.events);
                self.apply(index, ts_recv);
                read.map_err(IngestError::from)
            }
            Ok(Heard::Began) => {
                // Another run has connections of its own.
                self.forget_lines(index, ts_recv)?;
                self.forget_published(index, ts_recv);
                self.tell_session(index, |session, out| session.began(at, out));
                self.apply(index, ts_recv);
                Ok(())
            }
            Ok(Heard::Answered { url, bytes }) if self.sources[index].lines.is_some() => {
                self.answered_by_name(index, url, bytes, ts_recv)
            }
            Ok(Heard::Answered { url, bytes }) => self.answered(index, url, bytes, at),
            Err(error) => {
                self.stats.recording_errors += 1;
                if error.loses_bytes() {
                    self.skipped(index, at);
                }
                Err(error.into())
            }
        }
    }

    /// Bytes of a recording were passed over, on whichever of its connections. One that the recording tells of may have been made
    /// anew there, with other numbers for what it brings: what they meant before is forgotten.
    fn skipped(&mut self, index: usize, at: At) {
        self.forget_known_lines(index);
        self.tell_session(index, |session, out| session.skipped(at, out));
        self.apply(index, at.ts_recv);
        self.published_missed(index, at.ts_recv);
        // Nothing that can fail.
        let _ = self.each_line(index, |engine, source| {
            let line = source.0 as usize;
            engine.tell_session(line, |session, out| session.skipped(at, out));
            engine.apply(line, at.ts_recv);
            engine.opened(source, at.ts_recv)
        });
    }

    fn tick_lines(&mut self, index: usize, now: TimeNs) {
        // Nothing that can fail.
        let _ = self.each_line(index, |engine, source| {
            engine.tick_source(source.0 as usize, now);
            Ok(())
        });
    }

    /// Where what is heard on a connection goes: the source and its session. None where the recording has not said how the
    /// connection was taken, and says it of others.
    fn taken_by(&self, index: usize, line: u32) -> Option<(usize, u32)> {
        match &self.sources[index].lines {
            None => Some((index, line)),
            Some(lines) => lines.source_of(line).map(|source| (source, 0)),
        }
    }

    fn tell_session(
        &mut self,
        index: usize,
        mut tell: impl FnMut(&mut crate::venues::Session, &mut crate::types::Events),
    ) {
        self.events.clear();
        for session in &mut self.sources[index].sessions {
            tell(session, &mut self.events);
        }
    }

    /// A recorded answer: a book, or something else that was asked for, which is passed over.
    fn answered(&mut self, index: usize, url: &[u8], bytes: &[u8], at: At) -> Result<(), IngestError> {
        let error = match self.read_answer(index, url, bytes, at) {
            Ok(()) => {
                self.stats.frames += 1;
                return Ok(());
            }
            Err(error) => error,
        };
        if url.is_empty() && error.code() == "decode.not_snapshot" {
            // A frame that is alone in its file looks like an answer.
            let read = self.receive(index, 0, bytes, at);
            return if read.as_ref().is_err_and(IngestError::is_foreign) { Ok(()) } else { read };
        }
        self.stats.frames += 1;
        if error.is_foreign() {
            self.on_foreign(index, at.ts_recv);
            return Ok(());
        }
        if error.code() == "decode.not_snapshot" {
            self.stats.ignored += 1;
            return Ok(());
        }
        self.stats.decode_errors += 1;
        Err(error)
    }

    /// The room reads an answer, at a finer scale where it needs one, and what it says is applied.
    fn read_answer(&mut self, index: usize, url: &[u8], bytes: &[u8], at: At) -> Result<(), IngestError> {
        for _ in 0..=super::scale::ROUNDS_MAX {
            self.events.clear();
            let Source { sessions, routes, .. } = &mut self.sources[index];
            let Some(session) = sessions.first_mut() else { return Ok(()) };
            match session.answer(&Asked { routes, url }, bytes, at, &mut self.events) {
                Ok(()) => {
                    self.apply(index, at.ts_recv);
                    return Ok(());
                }
                Err(error) if self.rescale(bytes, &error, at.ts_recv) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

//! The exported `Engine`: what it is told, as a journal.

use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use depthwire_core::engine::{Engine as CoreEngine, SourceId, listing_of, segment_begun};
use depthwire_core::journal::{Input, SetupKind};
use depthwire_core::types::{Account, Catalogue, Clock, Instrument, InstrumentId, TimeNs, Venue};
use depthwire_journal::retention::Retention;
use depthwire_journal::{FileError, Options, Recorder, Status, Sync};
use napi::bindgen_prelude::{BigInt, Uint8Array};
use napi_derive::napi;

use crate::argument::{Argument, SAFE_INTEGER_MAX};
use crate::engine::Engine;
use crate::guard::{Code, Result, error};
use crate::state::engine_error;

/// How far a record has come.
#[napi(object)]
pub struct RecordStatus {
    /// Records taken.
    pub records: i64,
    /// The number behind the last one that is kept, as the way of syncing means it.
    pub acknowledged: i64,
    /// Records that are not in the journal, because its files could not take them.
    pub missed: i64,
    /// Bytes written, as they were before they were packed.
    pub bytes: i64,
    /// Segments begun.
    pub segments: i64,
    /// Of these packed.
    pub sealed: i64,
    /// Of these whole and not packed.
    pub unsealed: i64,
    /// Segments that were let go, of earlier runs too.
    pub let_go: i64,
    /// Whether records are being taken.
    pub is_recording: bool,
    /// What went wrong last, whether or not it has been overcome.
    pub failure: Option<RecordFailure>,
}

/// Something that a recording says of a connection.
#[napi(object)]
pub struct RecordedSetup {
    /// The connection's number in the recording.
    pub line: u32,
    /// Of which kind: `session` is what the room of its venue remembers, `book` a synced book.
    pub kind: String,
    /// What.
    pub text: Uint8Array,
}

/// What went wrong with a file of a journal.
#[napi(object)]
pub struct RecordFailure {
    /// `journal.*`.
    pub code: String,
    /// What, for people.
    pub what: String,
    /// The file.
    pub place: String,
    /// What was expected.
    pub expected: String,
    /// What the system said.
    pub got: String,
    /// What to do about it.
    pub fix: String,
}

impl From<Status> for RecordStatus {
    fn from(status: Status) -> Self {
        Self {
            records: status.records as i64,
            acknowledged: status.acknowledged as i64,
            missed: status.missed as i64,
            bytes: status.bytes as i64,
            segments: status.segments as i64,
            sealed: status.sealed as i64,
            unsealed: status.unsealed as i64,
            let_go: status.let_go as i64,
            is_recording: status.is_recording,
            failure: status.failure.map(|failure| RecordFailure {
                code: failure.code().to_owned(),
                what: failure.what().to_owned(),
                place: failure.path.display().to_string(),
                expected: failure.expected().to_owned(),
                got: failure.said.clone(),
                fix: failure.fix().to_owned(),
            }),
        }
    }
}

const SEGMENT_BYTES: RangeInclusive<i64> = 64 << 10..=1 << 32;
const FLUSH_MS: RangeInclusive<i64> = 0..=60_000;
/// A hundred years.
const KEEP_MS: RangeInclusive<i64> = 0..=36_500 * 86_400_000;

#[napi]
impl Engine {
    /// Records from now on what the engine is told, in a folder: connections, frames, answers, ticks, with the times by which it
    /// goes. Before any connection is opened. `sync`: `none`, `group` or `each`. `keepBytes`, `keepMs`: what is let go beyond
    /// that, 0 = nothing. Throws `journal.*`.
    #[napi(
        ts_args_type = "folder: string, journal: bigint, sync: string, segmentBytes: number, flushMs: number, seal: boolean, keepBytes: number, keepMs: number"
    )]
    #[allow(clippy::too_many_arguments, reason = "an object's members would be looked up one by one")]
    pub fn record(
        &self,
        folder: Argument,
        journal: Argument,
        sync: Argument,
        segment_bytes: Argument,
        flush_ms: Argument,
        seal: Argument,
        keep_bytes: Argument,
        keep_ms: Argument,
    ) -> Result<()> {
        self.run(|state| {
            let (named, folder) = (sync.text("sync")?, folder.text("folder")?);
            let options = Options {
                folder: folder.into(),
                journal: journal.u64("journal")?,
                sync: sync_of(&named)?,
                segment_bytes: segment_bytes.integer("segmentBytes", SEGMENT_BYTES)? as u64,
                flush_ns: flush_ms.integer("flushMs", FLUSH_MS)? as u64 * 1_000_000,
                seals: seal.flag("seal")?,
                retention: Retention {
                    bytes_max: keep_bytes.integer("keepBytes", 0..=SAFE_INTEGER_MAX)? as u64,
                    age_max: Duration::from_millis(keep_ms.integer("keepMs", KEEP_MS)? as u64),
                },
            };
            let now = state.now();
            state.record.begin(options, now)
        })
    }

    /// How far the record has come; null where none was begun.
    #[napi]
    pub fn recording(&self) -> Result<Option<RecordStatus>> {
        self.run(|state| Ok(state.record.status().map(RecordStatus::from)))
    }

    /// What a journal of the rest of a recording begins with, as far as that was read and for one instrument: of each of its
    /// connections how it is taken and what is remembered of it, and the book, where it is synced. Throws
    /// `engine.unknown_source`, `engine.unknown_instrument`.
    #[napi(ts_args_type = "source: number, instrument: number")]
    pub fn recorded_checkpoint(&self, source: Argument, instrument: Argument) -> Result<Vec<RecordedSetup>> {
        self.run(|state| {
            let source = SourceId(source.u32("source")?);
            let instrument = InstrumentId(instrument.u32("instrument")?);
            let mut told = Vec::new();
            let tell = |line, kind: SetupKind, text: &[u8]| {
                told.push(RecordedSetup { line, kind: kind.name().to_owned(), text: text.to_vec().into() });
            };
            state.engine.recorded_checkpoint(source, instrument, tell).map_err(engine_error)?;
            Ok(told)
        })
    }

    /// Entries of a recording that were taken since it was opened. Throws `engine.unknown_source`.
    #[napi(ts_args_type = "source: number")]
    pub fn recorded_entries(&self, source: Argument) -> Result<i64> {
        self.run(|state| {
            let entries = state.engine.recorded_entries(SourceId(source.u32("source")?));
            entries.map(|entries| entries as i64).map_err(engine_error)
        })
    }

    /// When a segment of a journal was begun, by its first bytes, ns since the Unix epoch; null where they are of none.
    #[napi(ts_args_type = "bytes: Uint8Array")]
    pub fn segment_begun(&self, bytes: Argument) -> Result<Option<BigInt>> {
        self.run(|_| Ok(segment_begun(&bytes.input("bytes")?).map(BigInt::from)))
    }

    /// Ends the record, and waits until all of it is kept. Null where none is under way.
    #[napi]
    pub fn end_recording(&self) -> Result<Option<RecordStatus>> {
        self.run(|state| Ok(state.record.end().map(RecordStatus::from)))
    }
}

fn sync_of(named: &str) -> Result<Sync> {
    let known = Sync::ALL.iter().find(|(_, name)| *name == named);
    known.map(|(sync, _)| *sync).ok_or_else(|| {
        let account =
            Account::new("unknown way of syncing", "none, group or each", format_args!("“{named}”"));
        error("journal.sync", account, "name one of them")
    })
}

/// What an engine is told, where it is recorded: nothing else of it costs more than a look at this.
#[derive(Default)]
pub(crate) struct Record {
    recorder: Option<Box<Recorder>>,
    /// Instruments that a connection has carried since.
    carried: HashSet<InstrumentId>,
    /// Connections of which nobody has said yet where they lead.
    unnamed: HashSet<u32>,
    /// Whether a connection was opened that no record knows of.
    is_late: bool,
    ended: Option<Status>,
}

impl Record {
    #[inline]
    pub(crate) const fn is_on(&self) -> bool {
        self.recorder.is_some()
    }

    fn begin(&mut self, options: Options, now: TimeNs) -> Result<()> {
        if self.is_on() || self.is_late || self.ended.is_some() {
            let expected = "an engine without connections, and no other record of it";
            let account = Account::new("a record begins too late", expected, "one that has some");
            return Err(error(
                "journal.late",
                account,
                "begin to record before the first connection is opened",
            ));
        }
        self.recorder = Some(Box::new(Recorder::begin(options, now).map_err(refused)?));
        Ok(())
    }

    fn status(&self) -> Option<Status> {
        self.recorder.as_ref().map(|recorder| recorder.status()).or_else(|| self.ended.clone())
    }

    fn end(&mut self) -> Option<Status> {
        self.ended = self.recorder.take().map(|recorder| recorder.end());
        self.ended.clone()
    }

    /// Something is heard, sent or lost on a connection of the engine, which does not know it yet.
    #[inline]
    pub(crate) fn heard<C: Clock>(
        &mut self,
        engine: &mut CoreEngine<C>,
        source: u32,
        now: TimeNs,
        input: &Input<'_>,
    ) {
        if let Some(recorder) = &mut self.recorder {
            if recorder.wants_checkpoint() {
                keep(recorder, engine, now);
            }
            recorder.record(source, now, input);
        }
    }

    pub(crate) fn ticked<C: Clock>(&mut self, engine: &mut CoreEngine<C>, now: TimeNs) {
        self.heard(engine, 0, now, &Input::Ticked);
        if let Some(recorder) = &mut self.recorder {
            recorder.tick(now);
        }
    }

    pub(crate) fn opened(&mut self, source: SourceId, venue: Venue, now: TimeNs) {
        self.is_late = true;
        self.set_up(source.0, now, SetupKind::Venue, venue.name());
    }

    pub(crate) fn connected<C: Clock>(&mut self, engine: &mut CoreEngine<C>, source: u32, now: TimeNs) {
        if self.is_on() {
            self.heard(engine, source, now, &Input::Connected(b""));
            self.unnamed.insert(source);
        }
    }

    /// Something was said to a venue; what is said first of a connection is where it leads.
    pub(crate) fn sent<C: Clock>(
        &mut self,
        engine: &mut CoreEngine<C>,
        source: u32,
        now: TimeNs,
        text: &[u8],
    ) {
        let is_address = self.unnamed.remove(&source);
        if let (true, Some(recorder)) = (is_address, &mut self.recorder) {
            recorder.named(source, now, text);
        }
        self.heard(engine, source, now, &Input::Sent(text));
    }

    pub(crate) fn set_up(&mut self, source: u32, now: TimeNs, kind: SetupKind, text: &str) {
        if let Some(recorder) = &mut self.recorder {
            recorder.set_up(source, now, kind, text);
        }
    }

    pub(crate) fn carries(
        &mut self,
        source: SourceId,
        kind: SetupKind,
        instruments: &[InstrumentId],
        catalogue: &Catalogue,
        now: TimeNs,
    ) {
        if !self.is_on() {
            return;
        }
        for id in instruments {
            self.carried.insert(*id);
            self.lists(*id, catalogue, now);
        }
        let names: Vec<_> = instruments.iter().filter_map(|id| name_of(*id, catalogue)).collect();
        self.set_up(source.0, now, kind, &names.join("\n"));
    }

    /// An instrument is listed so where a connection begins to carry it.
    fn lists(&mut self, id: InstrumentId, catalogue: &Catalogue, now: TimeNs) {
        if let (true, Some(listed)) = (self.is_on(), catalogue.get(id)) {
            self.set_up(0, now, SetupKind::Instrument, &listing_of(listed));
        }
    }

    /// A venue's list defines an instrument anew. One that no connection has carried yet is listed when one does.
    pub(crate) fn defines(&mut self, instrument: &Instrument, catalogue: &Catalogue, now: TimeNs) {
        let known = catalogue.find(instrument.venue, &instrument.symbol);
        if known.is_some_and(|id| self.carried.contains(&id)) {
            self.set_up(0, now, SetupKind::Defined, &listing_of(instrument));
        }
    }

    pub(crate) fn drops(&mut self, source: u32, id: InstrumentId, catalogue: &Catalogue, now: TimeNs) {
        if let (true, Some(name)) = (self.is_on(), name_of(id, catalogue)) {
            self.set_up(source, now, SetupKind::Drops, &name);
        }
    }

    /// A snapshot came that was asked for.
    pub(crate) fn answered<C: Clock>(
        &mut self,
        engine: &mut CoreEngine<C>,
        id: InstrumentId,
        body: &[u8],
        now: TimeNs,
    ) {
        if let (true, Some(name)) = (self.is_on(), name_of(id, engine.catalogue())) {
            self.heard(engine, 0, now, &Input::Answered { url: name.as_bytes(), body });
        }
    }
}

/// A segment says what the engine knows.
#[cold]
fn keep<C: Clock>(recorder: &mut Recorder, engine: &mut CoreEngine<C>, now: TimeNs) {
    recorder.checkpoint(now, |tell| engine.checkpoint(|source, kind, text| tell(source.0, kind, text)));
}

/// What was recorded is kept, whoever forgot to end it.
impl Drop for Record {
    fn drop(&mut self) {
        self.end();
    }
}

fn name_of(id: InstrumentId, catalogue: &Catalogue) -> Option<String> {
    catalogue.get(id).map(|listed| format!("{}:{}", listed.venue.name(), listed.symbol))
}

fn refused(wrong: FileError) -> napi::Error<Code> {
    let expected = format_args!("{}", wrong.expected());
    let account =
        Account::new(wrong.what(), expected, format_args!("{}: {}", wrong.path.display(), wrong.said));
    error(wrong.code(), account, wrong.fix())
}

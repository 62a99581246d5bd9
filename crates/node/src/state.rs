//! An engine and what the addon keeps beside it: the ring, the shared records, the clock and the last error.

use std::time::Instant;

use depthwire_core::encode::ring::{ControlWord as Word, ERROR, MORE, OUTPUT};
use depthwire_core::engine::{self, Brought, EngineConfig, EngineError, IngestError, SourceId};
use depthwire_core::journal::{Input, SetupKind};
use depthwire_core::types::{Account, Clock, InstrumentId, TimeNs, Venue};
use depthwire_core::venues;
use depthwire_latency::clock::TickClock;
use depthwire_latency::stages::{Ended, Stages};
use napi::Env;

use crate::clock::SystemClock;
use crate::guard::{Code, Result, error};
use crate::record::Record;
use crate::ring::OutputRing;
use crate::shared_book::SharedBooks;
use crate::weight::Weight;

/// What an engine holds before it has a book, most of it the decoder's and the outbox's buffers.
const ENGINE_BYTES: usize = 1 << 20;
/// What a book of levels holds.
const BOOK_BYTES: usize = 1 << 20;
/// What a level holds, or the orders behind it.
const LEVEL_BYTES: usize = 1 << 8;

/// What every call on an engine is about.
pub(crate) struct State {
    pub(crate) engine: engine::Engine<SystemClock>,
    pub(crate) shared: SharedBooks,
    pub(crate) last_error: Option<(IngestError, String)>,
    /// What the last call of `bring` wrote.
    pub(crate) brought: Brought,
    ring: OutputRing,
    clock: SystemClock,
    is_replay: bool,
    /// The recording's time and when it was that, when replaying.
    recorded: (TimeNs, Instant),
    books: Vec<InstrumentId>,
    weight: Weight,
    /// Where messages are stamped.
    stages: Option<Box<Stages<SystemClock, TickClock>>>,
    /// What is told to the engine, where it is recorded.
    pub(crate) record: Record,
}

impl State {
    /// `stages_every`: one message in so many is stamped, 0 = none.
    pub(crate) fn new(env: &Env, config: EngineConfig, ring: OutputRing, stages_every: u32) -> Self {
        // The time of what is received and sent: of a recording nobody measures it.
        let clock = if config.is_replay { SystemClock::plain() } else { SystemClock::counted() };
        Self {
            engine: engine::Engine::new(config, venues::catalogue(), clock.clone()),
            shared: SharedBooks::default(),
            last_error: None,
            brought: Brought::Nothing,
            weight: Weight::new(env, ring.bytes() + ENGINE_BYTES),
            ring,
            clock: clock.clone(),
            is_replay: config.is_replay,
            recorded: (0, Instant::now()),
            books: Vec::new(),
            record: Record::default(),
            stages: (stages_every > 0).then(|| Box::new(Stages::new(stages_every, clock, TickClock::get()))),
        }
    }

    /// The times of stages, where messages are stamped.
    pub(crate) fn stages(&self) -> Option<&Stages<SystemClock, TickClock>> {
        self.stages.as_deref()
    }

    /// What the ring has held so far was handed to those who send.
    pub(crate) fn published(&mut self) {
        if let Some(stages) = &mut self.stages {
            stages.published();
            self.ring.set(Word::Stamped, 0);
        }
    }

    /// Opens a recording that says how its connections were taken.
    pub(crate) fn open_recorded(&mut self, instruments: &[InstrumentId]) -> Result<u32> {
        let source = self.engine.open_recorded(instruments).map_err(engine_error)?;
        self.add_books(instruments);
        Ok(source.0)
    }

    pub(crate) fn open(&mut self, venue: Venue) -> Result<u32> {
        let source = self.engine.open(venue).map_err(engine_error)?;
        let now = self.now();
        self.record.opened(source, venue, now);
        Ok(source.0)
    }

    pub(crate) fn open_source(&mut self, venue: Venue, instruments: &[InstrumentId]) -> Result<u32> {
        let source = self.engine.open_source(venue, instruments).map_err(engine_error)?;
        let now = self.now();
        self.record.opened(source, venue, now);
        self.record.carries(source, SetupKind::Carries, instruments, self.engine.catalogue(), now);
        self.add_books(instruments);
        Ok(source.0)
    }

    pub(crate) fn carry(&mut self, source: SourceId, instruments: &[InstrumentId]) -> Result<()> {
        self.engine.carry(source, instruments).map_err(engine_error)?;
        let now = self.now();
        self.record.carries(source, SetupKind::Carries, instruments, self.engine.catalogue(), now);
        self.add_books(instruments);
        Ok(())
    }

    pub(crate) fn carry_beside_books(
        &mut self,
        source: SourceId,
        instruments: &[InstrumentId],
    ) -> Result<()> {
        self.engine.carry_beside_books(source, instruments).map_err(engine_error)?;
        let now = self.now();
        let kind = SetupKind::CarriesBesideBooks;
        self.record.carries(source, kind, instruments, self.engine.catalogue(), now);
        self.add_books(instruments);
        Ok(())
    }

    pub(crate) fn add_books(&mut self, instruments: &[InstrumentId]) {
        for id in instruments {
            if !self.books.contains(id) {
                self.books.push(*id);
            }
        }
        self.weigh();
    }

    /// One received frame.
    #[inline]
    pub(crate) fn ingest(&mut self, source: u32, bytes: &[u8]) -> u32 {
        let now = self.now();
        self.record.heard(&mut self.engine, source, now, &Input::Received(bytes));
        let result = self.engine.ingest(SourceId(source), bytes, now);
        self.settle(bytes.len(), result, || format!("frame of source {source}"))
    }

    /// One received frame where some are stamped: most of them go the way of [`Self::ingest`].
    pub(crate) fn ingest_sampled(&mut self, source: u32, bytes: &[u8]) -> u32 {
        if self.stages.as_deref_mut().is_some_and(|stages| stages.is_due()) {
            self.ingest_stamped(source, bytes)
        } else {
            self.ingest(source, bytes)
        }
    }

    #[inline(never)]
    fn ingest_stamped(&mut self, source: u32, bytes: &[u8]) -> u32 {
        let Some(mut stages) = self.stages.take() else { return self.ingest(source, bytes) };
        let clock = stages.begin();
        let (now, frames) = (self.now(), self.engine.frames());
        self.record.heard(&mut self.engine, source, now, &Input::Received(bytes));
        let result = self.engine.ingest_stamped(SourceId(source), bytes, now, clock);
        let instrument = self.engine.subject();
        let flags = self.settle(bytes.len(), result, || format!("frame of source {source}"));
        let has_output = self.engine.frames() > frames;
        self.ring.set(Word::Stamped, stages.end(Ended { instrument, has_output }));
        self.stages = Some(stages);
        flags
    }

    /// A part of a recording, of which the ring's control block then tells how much was used.
    pub(crate) fn ingest_recording(
        &mut self,
        source: u32,
        bytes: &[u8],
        until: TimeNs,
        last: bool,
    ) -> Result<u32> {
        if u32::try_from(bytes.len()).is_err() {
            let account = Account::new("part of a recording too large", "less than 4 GiB", bytes.len());
            return Err(error("addon.recording_part", account, "hand the file in by chunks of some MiB"));
        }
        let Self { engine, ring, shared, .. } = self;
        let read = engine.replay(SourceId(source), bytes, last, until, |outbox| {
            ring.fill(outbox, |record| shared.note(record))
        });
        let progress = read.map_err(engine_error)?;
        ring.set(Word::Consumed, progress.consumed as u32);
        ring.set_wide(Word::NextTs, progress.next_ts);
        ring.set_wide(Word::LastTs, progress.last_ts);
        if progress.last_ts != 0 {
            self.recorded = (progress.last_ts, Instant::now());
        }
        let result = progress.error.map_or(Ok(()), Err);
        Ok(self.settle(progress.consumed, result, || format!("recording of source {source}")))
    }

    /// Runs an input of that many bytes at this moment, and moves into the ring what it put out.
    #[inline]
    pub(crate) fn input(
        &mut self,
        len: usize,
        call: impl FnOnce(&mut engine::Engine<SystemClock>, TimeNs) -> std::result::Result<(), IngestError>,
        place: impl FnOnce() -> String,
    ) -> u32 {
        let now = self.now();
        self.input_at(now, len, call, place)
    }

    /// The same at a moment that was written down before.
    #[inline]
    pub(crate) fn input_at(
        &mut self,
        now: TimeNs,
        len: usize,
        call: impl FnOnce(&mut engine::Engine<SystemClock>, TimeNs) -> std::result::Result<(), IngestError>,
        place: impl FnOnce() -> String,
    ) -> u32 {
        let result = call(&mut self.engine, now);
        self.settle(len, result, place)
    }

    #[inline]
    fn settle(
        &mut self,
        len: usize,
        result: std::result::Result<(), IngestError>,
        place: impl FnOnce() -> String,
    ) -> u32 {
        let mut flags = 0;
        if let Err(error) = result {
            self.last_error = Some((error, place()));
            flags = ERROR;
        }
        if self.weight.is_due(len) {
            self.weigh();
        }
        flags | self.flush()
    }

    /// Time passes.
    #[inline]
    pub(crate) fn tick(&mut self) -> u32 {
        let now = self.now();
        self.record.ticked(&mut self.engine, now);
        let tick = |engine: &mut engine::Engine<SystemClock>, now| {
            engine.tick(now);
            Ok(())
        };
        self.input_at(now, 0, tick, String::new)
    }

    /// Moves into the ring what waits outside it. Returns what is left to do.
    pub(crate) fn flush(&mut self) -> u32 {
        let Self { engine, ring, shared, .. } = self;
        let mut more = MORE;
        if ring.fill(engine.outbox(), |record| shared.note(record)) {
            shared.write(engine);
            more = 0;
        }
        more | if ring.has_records() { OUTPUT } else { 0 }
    }

    /// The time of the recording that was reached last; 0 = none was.
    pub(crate) const fn recorded(&self) -> TimeNs {
        self.recorded.0
    }

    /// The clock that stamps `ts_send`.
    pub(crate) const fn clock(&self) -> &SystemClock {
        &self.clock
    }

    /// The time by which books age: the machine's, or the recording's, which runs on behind its last line.
    pub(crate) fn now(&self) -> TimeNs {
        if self.is_replay {
            self.recorded.0 + self.recorded.1.elapsed().as_nanos() as u64
        } else {
            self.clock.now()
        }
    }

    fn weigh(&mut self) {
        let now = self.now();
        let levels = |id: &InstrumentId| {
            self.engine.book_info(*id, now).map_or(0, |info| info.bid_count + info.ask_count)
        };
        let books: usize = self.books.iter().map(|id| BOOK_BYTES + levels(id) * LEVEL_BYTES).sum();
        self.weight.tell(self.ring.bytes() + ENGINE_BYTES + books + self.engine.history_bytes());
    }
}

pub(crate) fn engine_error(wrong: EngineError) -> napi::Error<Code> {
    error(wrong.code(), wrong.account(), wrong.fix())
}

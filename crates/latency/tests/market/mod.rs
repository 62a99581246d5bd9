//! A simulated market of four instruments with an engine that follows it, and ticks that pass as a test says.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each program of tests uses a part; a failed unwrap is a failed test"
)]

use std::cell::{Cell, RefCell};

use depthwire_core::encode::{Outbox, RECORD_HEADER_BYTES, RecordType};
use depthwire_core::engine::{Engine, EngineConfig, IngestError, SourceId};
use depthwire_core::types::{InstrumentId, NoClock};
use depthwire_core::venues;
use depthwire_latency::stages::{Ended, StageClock, Stages, Ticks};
use depthwire_sim::Market;

const START_MS: u64 = 1_700_000_000_000;

/// Each reading is later by the next of `steps`, which begin again when they end. A tick is two nanoseconds.
pub struct Scripted<'a> {
    pub now: Cell<u64>,
    pub readings: Cell<usize>,
    pub steps: &'a RefCell<Vec<u64>>,
}

impl<'a> Scripted<'a> {
    pub fn new(steps: &'a RefCell<Vec<u64>>) -> Self {
        Self { now: Cell::new(1_000_000), readings: Cell::new(0), steps }
    }
}

pub const NS_PER_TICK: u64 = 2;

impl Ticks for Scripted<'_> {
    fn ticks(&self) -> u64 {
        let steps = self.steps.borrow();
        let step = steps[self.readings.get() % steps.len()];
        self.readings.set(self.readings.get() + 1);
        self.now.set(self.now.get() + step);
        self.now.get()
    }

    fn ns(&self, ticks: u64) -> u64 {
        ticks * NS_PER_TICK
    }
}

pub struct Rig {
    pub market: Market,
    pub engine: Engine<NoClock>,
    pub source: SourceId,
    pub ids: Vec<InstrumentId>,
    pub frame: Vec<u8>,
}

impl Rig {
    /// Books that are exact.
    pub fn synced(seed: u64) -> Self {
        let market = Market::new(seed, START_MS);
        let catalogue = venues::catalogue();
        let ids: Vec<_> =
            market.symbols().iter().map(|symbol| catalogue.find(venues::SIM, symbol).unwrap()).collect();
        let mut engine = Engine::new(EngineConfig::default(), catalogue, NoClock);
        let source = engine.open_source(venues::SIM, &ids).unwrap();
        let mut rig = Self { market, engine, source, ids, frame: Vec::new() };
        for _ in 0..4_000 {
            rig.next_frame();
            rig.plain().unwrap();
            rig.answer();
        }
        let synced = |id: &InstrumentId| rig.engine.book_info(*id, 0).unwrap().state.name() == "synced";
        assert!(rig.ids.iter().all(synced), "a market whose books do not come");
        rig
    }

    pub fn next_frame(&mut self) {
        self.market.next_frame(&mut self.frame);
    }

    pub fn now(&self) -> u64 {
        self.market.frame_time_ms() * 1_000_000
    }

    pub fn plain(&mut self) -> Result<(), IngestError> {
        let now = self.now();
        self.engine.ingest(self.source, &self.frame, now)
    }

    pub fn stamped<T: Ticks>(&mut self, clock: &StageClock<NoClock, T>) -> Result<(), IngestError> {
        let now = self.now();
        self.engine.ingest_stamped(self.source, &self.frame, now, clock)
    }

    /// One message as the addon takes it. Whether it was stamped.
    pub fn sampled<T: Ticks>(&mut self, stages: &mut Stages<NoClock, T>) -> bool {
        if !stages.is_due() {
            let _ = self.plain();
            self.drain();
            return false;
        }
        let _ = self.stamped(stages.begin());
        let instrument = self.engine.subject();
        let has_output = self.drain();
        stages.end(Ended { instrument, has_output });
        true
    }

    /// Takes all records out. Whether there was one.
    pub fn drain(&mut self) -> bool {
        let outbox: &mut Outbox = self.engine.outbox();
        let mut has_output = false;
        while outbox.front().is_some() {
            has_output = true;
            outbox.take();
        }
        has_output
    }

    fn answer(&mut self) {
        let mut asked = Vec::new();
        let outbox = self.engine.outbox();
        while let Some(record) = outbox.front() {
            if record[4] == RecordType::Ask as u8 {
                let word = |at: usize| u32::from_le_bytes(record[at..at + 4].try_into().unwrap());
                asked.push((InstrumentId(word(8)), word(RECORD_HEADER_BYTES)));
            }
            outbox.take();
        }
        for (id, ticket) in asked {
            let at = self.ids.iter().position(|known| *known == id).unwrap();
            let mut text = Vec::new();
            self.market.snapshot(self.market.symbols()[at], 1_000, &mut text).unwrap();
            let now = self.now();
            let _ = self.engine.answer(id, ticket, &text, now);
        }
        self.engine.tick(self.now());
    }
}

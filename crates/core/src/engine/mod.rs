//! The engine: the one place that knows every stage. Venue bytes in, records (frames, requests) out.
//!
//! An engine owns all its state: N of them run in N threads. It does one thing for each call and keeps nothing half
//! done: a frame that cannot be read changes no book, and is told.

mod asks;
mod bring;
#[cfg(test)]
mod bring_tests;
mod census;
mod checkpoint;
mod connections;
mod consolidated;
mod contents;
mod costs;
mod definitions;
#[cfg(test)]
mod doubt_tests;
mod error;
mod hold;
#[cfg(test)]
mod hold_tests;
mod input;
mod instrument;
mod lines;
mod listing;
mod lookahead;
mod loss;
#[cfg(test)]
mod loss_tests;
mod market;
#[cfg(test)]
mod market_tests;
mod mending;
mod order_stream;
mod orders;
mod proof;
mod published;
mod queries;
mod recorded_lines;
mod recovery;
mod replay;
mod request;
mod scale;
mod signals;
mod snapshots;
mod source;
mod streams;
mod tape;
#[cfg(test)]
mod tape_tests;
mod venue_top;
mod views;
mod volumes;
mod which_clock;

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use crate::aggregate::Bbo;
use crate::encode::{HistoryConfig, Outbox, Stream};
use crate::stats::Stats;
use crate::types::{
    BookState, Catalogue, Clock, Events, Instrument, InstrumentHasher, InstrumentId, KnownTo, Levels, Slot,
    TimeNs,
};
use crate::venues::At;
pub use bring::{Brought, By};
use consolidated::Consolidated;
pub use consolidated::{CONSOLIDATED_MAX, ConsolidatedError, MEMBERS_MAX, Membership, Standing, VenuePart};
pub use contents::{Brings, Contents, Told};
pub use definitions::Listed;
pub use error::{EngineError, IngestError};
use instrument::{Context, InstrumentState};
pub use listing::{listed_as, listing_of};
pub use mending::Mending;
pub use replay::{RecordingProgress, detect, segment_begun, set_up_for};
use source::Source;

/// Most levels that one book may hold, both sides together, unless the configuration says less.
pub const LEVELS_MAX: u32 = 1 << 20;

/// Most books of one engine.
pub const BOOKS_MAX: usize = 16_384;

/// Most sources (venue connections, recordings) of one engine.
pub const SOURCES_MAX: usize = 1_024;

/// Most different depth views of one instrument.
pub const VIEWS_MAX: usize = 32;

/// Most different views of the volumes of one instrument.
pub const VOLUME_VIEWS_MAX: usize = 16;

/// Most different views of the costs of one instrument.
pub const COST_VIEWS_MAX: usize = 16;

/// Most different views of the signals of one instrument.
pub const SIGNAL_VIEWS_MAX: usize = 8;

// Each kind of view has as many numbers of streams as there may be of it.
const _: () = assert!(
    (Stream::VOLUMES_FIRST.0 - Stream::DEPTH_FIRST.0) as usize == VIEWS_MAX
        && (Stream::COSTS_FIRST.0 - Stream::VOLUMES_FIRST.0) as usize == VOLUME_VIEWS_MAX
        && (Stream::SIGNALS_FIRST.0 - Stream::COSTS_FIRST.0) as usize == COST_VIEWS_MAX
        && (Stream::END.0 - Stream::SIGNALS_FIRST.0) as usize == SIGNAL_VIEWS_MAX
);

/// Longest time between two publications of a view.
pub const VIEW_INTERVAL_NS_MAX: u64 = 60_000_000_000;

/// What an engine is told once.
#[derive(Clone, Copy, Debug)]
pub struct EngineConfig {
    /// High half of every epoch: the start of the process.
    pub start_id: u32,
    /// What every instrument's count of resets, the low half, begins from: chance, below 2^31, where processes may have the
    /// same `start_id`.
    pub resets_from: u32,
    /// A synced book whose channel is silent for longer turns stale; 0 = never, `None` = as its product allows.
    pub silence_ns: Option<u64>,
    /// Frames say that they come from a recording.
    pub is_replay: bool,
    /// Most levels that one book may hold, 1 to [`LEVELS_MAX`].
    pub levels_max: u32,
    /// What is kept of the frames published, for readers that come back.
    pub history: HistoryConfig,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            start_id: 0,
            resets_from: 0,
            silence_ns: Some(0),
            is_replay: false,
            levels_max: LEVELS_MAX,
            history: HistoryConfig::default(),
        }
    }
}

/// Number of a source in its engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct SourceId(pub u32);

/// What people and tests ask about a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookInfo {
    /// Whether it may be trusted.
    pub state: BookState,
    /// For a gap: the venue's number that was due, and the one that came.
    pub gap: (u64, u64),
    /// Its epoch.
    pub epoch: u64,
    /// Sequence of its `book` stream.
    pub seq: u64,
    /// The venue sequence that it holds.
    pub venue_seq: u64,
    /// The venue's time of it, 0 where it gives none.
    pub ts_event: TimeNs,
    /// Number of bid levels.
    pub bid_count: usize,
    /// Number of ask levels.
    pub ask_count: usize,
    /// Its top.
    pub bbo: Bbo,
    /// How deep the venue has made each side known.
    pub known_to: KnownTo,
    /// Whether the best price of a side lies beyond that: others may stand before it.
    pub is_beyond_known: bool,
    /// Time since the last change of the book.
    pub age_ns: u64,
    /// How often its truth was lost, and how long that lasted.
    pub mending: Mending,
    /// The venue's checksums of it that were compared, and those that agreed.
    pub checksums: (u64, u64),
    /// The venue's own tops that were compared, and those that agreed.
    pub tops: (u64, u64),
    /// Updates that had to wait for a book: its stream comes in, whether a book does or not.
    pub held: u64,
}

/// See the module.
#[derive(Debug)]
pub struct Engine<C> {
    config: EngineConfig,
    clock: C,
    catalogue: Catalogue,
    sources: Vec<Source>,
    instruments: Vec<InstrumentState>,
    /// Books that are made of others.
    consolidated: Vec<Consolidated>,
    by_id: HashMap<InstrumentId, Slot, BuildHasherDefault<InstrumentHasher>>,
    outbox: Outbox,
    stats: Stats,
    /// What a frame says; reused.
    events: Events,
    scratch: Levels,
    reply: Vec<u8>,
}

impl<C: Clock> Engine<C> {
    /// An engine without sources. `clock` stamps `ts_send` and nothing else.
    #[must_use]
    pub fn new(config: EngineConfig, catalogue: Catalogue, clock: C) -> Self {
        Self {
            config,
            clock,
            catalogue,
            sources: Vec::new(),
            instruments: Vec::new(),
            consolidated: Vec::new(),
            by_id: HashMap::default(),
            outbox: Outbox::with_history(config.history),
            stats: Stats::default(),
            events: Events::default(),
            scratch: Levels::default(),
            reply: Vec::new(),
        }
    }

    /// The instruments that it knows.
    #[must_use]
    pub const fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Adds an instrument, or changes the scale of one that no source carries yet.
    ///
    /// # Errors
    /// [`EngineError::Instrument`], or [`EngineError::InUse`] once it has a book.
    pub fn add_instrument(&mut self, instrument: Instrument) -> Result<InstrumentId, EngineError> {
        let known = self.catalogue.find(instrument.venue, &instrument.symbol);
        if let Some(id) = known.filter(|id| self.by_id.contains_key(id)) {
            let same = self.catalogue.get(id) == Some(&instrument);
            return if same { Ok(id) } else { Err(EngineError::InUse) };
        }
        crate::venues::check_scale(&instrument).map_err(EngineError::Instrument)?;
        self.catalogue.add(instrument).map_err(EngineError::Instrument)
    }

    /// Time passes: silence, check frames, depth views at an interval, repeated requests.
    pub fn tick(&mut self, now: TimeNs) {
        for index in 0..self.sources.len() {
            self.tick_source(index, now);
        }
        // What its members' silence makes of a consolidated book is done before its own views are looked at.
        self.ask_venues();
        self.tick_consolidated(now);
    }

    fn tick_sessions(&mut self, index: usize, now: TimeNs) {
        let at = At { ts_recv: now, line: 0, is_datagram: false };
        self.events.clear();
        let Source { sessions, routes, .. } = &mut self.sources[index];
        for session in sessions {
            session.tick(at, routes, &mut self.events);
        }
        if !self.events.list().is_empty() {
            self.apply(index, now);
        }
    }

    fn tick_source(&mut self, index: usize, now: TimeNs) {
        self.tick_sessions(index, now);
        let Self { sources, instruments, config, clock, outbox, stats, scratch, .. } = self;
        let cx = &mut Context { config, clock, out: outbox, stats, scratch };
        let source = &sources[index];
        for slot in &source.slots {
            let instrument = &mut instruments[slot.0 as usize];
            // A book is as alive as the liveliest of the connections whose word counts for it.
            let heard = |(at, of): (usize, &Source)| {
                (of.books.binary_search(slot).is_ok() && instrument.heeds(at)).then_some(of.heard_at)
            };
            let heard_at = match instrument.recovery.lines() {
                ..=1 if source.brings(*slot) => source.heard_at,
                _ => sources.iter().enumerate().filter_map(heard).max().unwrap_or_default(),
            };
            if source.is_live && source.brings(*slot) {
                instrument.want_first(now);
            }
            instrument.on_tick(now, heard_at, cx);
        }
    }

    fn slot_of(&self, instrument: InstrumentId) -> Result<Slot, EngineError> {
        self.by_id.get(&instrument).copied().ok_or(EngineError::UnknownInstrument(instrument.0))
    }

    fn state_of(&self, instrument: InstrumentId) -> Option<&InstrumentState> {
        self.instruments.get(self.by_id.get(&instrument)?.0 as usize)
    }

    fn parts(&mut self) -> (&mut [InstrumentState], Context<'_, C>) {
        let Self { instruments, config, clock, outbox, stats, scratch, .. } = self;
        (instruments, Context { config, clock, out: outbox, stats, scratch })
    }

    /// What the engine has to say; the caller takes the records out.
    pub fn outbox(&mut self) -> &mut Outbox {
        self.ask_venues();
        &mut self.outbox
    }

    /// Frames that were put out so far.
    #[must_use]
    pub const fn frames(&self) -> u64 {
        self.outbox.frames()
    }

    /// Memory that is allocated for frames that are kept.
    #[must_use]
    pub fn history_bytes(&self) -> usize {
        self.outbox.history_bytes()
    }

    /// The counters. Cost: the same, however many books there are.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut stats = self.stats;
        stats.feed_frames = self.outbox.frames();
        stats.feed_bytes = self.outbox.frame_bytes();
        stats.history = self.outbox.history_stats();
        stats
    }
}

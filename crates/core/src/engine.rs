//! The engine: the one file that knows every stage. Venue bytes in, records (frames, requests) out.
//!
//! An engine owns all its state: N of them run in N threads. It does one thing for each call and keeps nothing half
//! done: a frame that cannot be decoded changes no book.

mod error;
mod order_feed;
mod pipeline;
mod request;

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use crate::aggregate::{Bbo, DEPTH_MAX};
use crate::book::l3::{Order, QueuePosition};
use crate::book::{L2Book, digest};
use crate::decode::{self, DecodeError, LineFramer, Listing, Listings};
use crate::encode::{Outbox, Stream};
use crate::stats::Stats;
use crate::types::{
    BookState, Catalogue, Clock, Event, Instrument, InstrumentHasher, InstrumentId, Levels, OrderId, Side,
    TimeNs, Venue,
};
pub use error::{EngineError, IngestError};
pub use order_feed::FeedError;
use order_feed::{OrderFeed, Pipelines};
use pipeline::{Context, Pipeline};

/// Most levels that one book may hold, both sides together, unless the configuration says less.
pub const LEVELS_MAX: u32 = 1 << 20;

/// Most books of one engine.
pub const BOOKS_MAX: usize = 16_384;

/// Most sources (venue connections, recordings) of one engine.
pub const SOURCES_MAX: usize = 1_024;

/// Most different depth views of one instrument.
pub const VIEWS_MAX: usize = 32;

/// Longest time between two publications of a depth view.
pub const VIEW_INTERVAL_NS_MAX: u64 = 60_000_000_000;

/// Recorded time between two ticks of a recording.
const RECORDING_TICK_NS: u64 = 50_000_000;

/// What an engine is told once.
#[derive(Clone, Copy, Debug)]
pub struct EngineConfig {
    /// High half of every epoch: unique per start of the process.
    pub start_id: u32,
    /// A synced book without input for longer turns stale; 0 = never.
    pub silence_ns: u64,
    /// Frames say that they come from a recording.
    pub is_replay: bool,
    /// Most levels that one book may hold, 1 to [`LEVELS_MAX`].
    pub levels_max: u32,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self { start_id: 0, silence_ns: 0, is_replay: false, levels_max: LEVELS_MAX }
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
    /// Its epoch.
    pub epoch: u64,
    /// Sequence of its `book` stream.
    pub seq: u64,
    /// The venue sequence that it holds.
    pub venue_seq: u64,
    /// Number of bid levels.
    pub bid_count: usize,
    /// Number of ask levels.
    pub ask_count: usize,
    /// Its top.
    pub bbo: Bbo,
    /// Time since the last depth update.
    pub age_ns: u64,
}

/// How far a call has read a recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordingProgress {
    /// Bytes used; the rest goes in again, at the head of the next call.
    pub consumed: usize,
    /// Time of the last line taken; 0 = none.
    pub last_ts: TimeNs,
    /// Time of the line that is not due yet; 0 when the bytes ended first.
    pub next_ts: TimeNs,
    /// Whether it stopped because the outbox could not be drained.
    pub is_blocked: bool,
    /// The last line that had no effect because it could not be read.
    pub error: Option<IngestError>,
}

/// An instrument that a source carries.
#[derive(Debug)]
struct Listed {
    symbol: Box<[u8]>,
    listing: Listing,
    /// Place of its pipeline.
    pipeline: usize,
    tick_size: i64,
    levels_max: u32,
}

/// One connection or recording of one venue.
#[derive(Debug)]
struct Source {
    /// Sorted by symbol.
    listed: Vec<Listed>,
    /// Present when the venue's messages name orders.
    orders: Option<OrderFeed>,
    /// Used when the source is a recording of lines.
    framer: LineFramer,
    /// Time of the last tick made from the recording.
    ticked_at: TimeNs,
}

impl Listings for Source {
    #[inline]
    fn find(&self, symbol: &[u8]) -> Option<Listing> {
        let index = self.listed.binary_search_by(|listed| (*listed.symbol).cmp(symbol)).ok()?;
        Some(self.listed[index].listing)
    }

    fn sole(&self) -> Option<Listing> {
        if let [listed] = self.listed.as_slice() { Some(listed.listing) } else { None }
    }
}

/// See the module.
#[derive(Debug)]
pub struct Engine<C> {
    config: EngineConfig,
    clock: C,
    catalogue: Catalogue,
    sources: Vec<Source>,
    pipelines: Vec<Pipeline>,
    by_id: HashMap<InstrumentId, usize, BuildHasherDefault<InstrumentHasher>>,
    outbox: Outbox,
    stats: Stats,
    /// The decoder's levels, and room for those that waited: both reused.
    levels: Levels,
    scratch: Levels,
}

/// The instruments that a recording holds, told from its first bytes, a megabyte or more: lines of a collector
/// ([`decode::detect`]), an ITCH file, or DBN. Several of one symbol are alternatives.
///
/// # Errors
/// [`IngestError`] where the bytes are of no format, or of one and cannot be read.
pub fn detect(bytes: &[u8]) -> Result<Vec<(Venue, String)>, IngestError> {
    order_feed::detect(bytes).unwrap_or_else(|| decode::detect(bytes).map_err(IngestError::from))
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
            pipelines: Vec::new(),
            by_id: HashMap::default(),
            outbox: Outbox::default(),
            stats: Stats::default(),
            levels: Levels::default(),
            scratch: Levels::default(),
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
        self.catalogue.add(instrument).map_err(EngineError::Instrument)
    }

    /// Opens a source that speaks for the given instruments and makes their books.
    ///
    /// # Errors
    /// [`EngineError::UnknownInstrument`], [`EngineError::WrongVenue`], [`EngineError::SourceInstruments`] or
    /// [`EngineError::Full`]; then nothing has changed.
    pub fn open_source(
        &mut self,
        venue: Venue,
        instruments: &[InstrumentId],
    ) -> Result<SourceId, EngineError> {
        if self.sources.len() == SOURCES_MAX || self.pipelines.len() + instruments.len() > BOOKS_MAX {
            return Err(EngineError::Full);
        }
        if instruments.is_empty() {
            return Err(EngineError::SourceInstruments);
        }
        let mut carried = Vec::with_capacity(instruments.len());
        for &id in instruments {
            let instrument = self.catalogue.get(id).ok_or(EngineError::UnknownInstrument(id.0))?;
            if instrument.venue != venue {
                return Err(EngineError::WrongVenue);
            }
            let Instrument { price_exponent, qty_exponent, tick_size, .. } = *instrument;
            let symbol: Box<[u8]> = instrument.symbol.as_bytes().into();
            let listing = Listing { id, price_exponent, qty_exponent };
            let levels_max = self.config.levels_max;
            carried.push(Listed { symbol, listing, pipeline: 0, tick_size, levels_max });
        }
        carried.sort_by(|a, b| a.symbol.cmp(&b.symbol));
        let repeated = carried.windows(2).any(|pair| pair[0].symbol == pair[1].symbol);
        if repeated || instruments.iter().any(|id| self.by_id.contains_key(id)) {
            return Err(EngineError::SourceInstruments);
        }
        let orders = OrderFeed::new(venue, carried.len());
        if venue.is_order_by_order() && orders.is_none() {
            return Err(EngineError::Full);
        }
        for listed in &mut carried {
            let id = listed.listing.id;
            if let Some(instrument) = self.catalogue.get(id) {
                listed.pipeline = self.pipelines.len();
                self.by_id.insert(id, listed.pipeline);
                self.pipelines.push(Pipeline::new(id, instrument, &self.config));
            }
        }
        self.sources.push(Source { listed: carried, orders, framer: LineFramer::default(), ticked_at: 0 });
        Ok(SourceId(self.sources.len() as u32 - 1))
    }

    /// One frame as it was received. Its consequences wait in [`Engine::outbox`].
    ///
    /// # Errors
    /// A frame that cannot be decoded is counted, changes nothing and is told: [`DecodeError`].
    pub fn ingest(&mut self, source: SourceId, bytes: &[u8], ts_recv: TimeNs) -> Result<(), IngestError> {
        let source = self.sources.get(source.0 as usize).ok_or(EngineError::UnknownSource(source.0))?;
        if source.orders.is_some() {
            return Err(EngineError::ChunksOnly.into());
        }
        if self.outbox.is_full() {
            return Err(EngineError::OutboxFull.into());
        }
        self.stats.frames += 1;
        let event = decode::decode(bytes, source, &mut self.levels);
        self.dispatch(event, ts_recv)
    }

    /// The venue's answer to the snapshot request with this ticket. It need not name its instrument.
    ///
    /// # Errors
    /// [`EngineError::StaleAnswer`] when another request, or none, is under way; else as [`Engine::ingest`]. An answer
    /// that cannot be decoded counts as [`Engine::snapshot_failed`] too.
    pub fn ingest_snapshot(
        &mut self,
        instrument: InstrumentId,
        ticket: u32,
        bytes: &[u8],
        ts_recv: TimeNs,
    ) -> Result<(), IngestError> {
        let unknown = EngineError::UnknownInstrument(instrument.0);
        let pipeline = &mut self.pipelines[*self.by_id.get(&instrument).ok_or(unknown)?];
        let listed = self.catalogue.get(instrument).ok_or(unknown)?;
        if !pipeline.awaits(ticket) {
            return Err(EngineError::StaleAnswer(ticket).into());
        }
        if self.outbox.is_full() {
            return Err(EngineError::OutboxFull.into());
        }
        self.stats.frames += 1;
        let Instrument { price_exponent, qty_exponent, .. } = *listed;
        let listing = Listing { id: instrument, price_exponent, qty_exponent };
        let decoded = decode::decode_snapshot(bytes, listed.symbol.as_bytes(), listing, &mut self.levels);
        if decoded.is_err() {
            pipeline.on_snapshot_failed(ts_recv);
        }
        self.dispatch(decoded.map(Event::Snapshot), ts_recv)
    }

    /// Whole lines of a recording up to the first whose time is after `until`; time passes as the recording says. Of an
    /// order feed: messages of an ITCH file or records of a DBN stream, whatever the first bytes show.
    ///
    /// `drain` is called after each line that has consequences and answers whether the outbox is empty again; if it is
    /// not, the call ends there, to be made anew with the bytes that are left. `last` says that no more bytes follow.
    ///
    /// # Errors
    /// [`EngineError::UnknownSource`]. A line that cannot be read is counted and told in the progress; the next goes on.
    pub fn ingest_recording(
        &mut self,
        source: SourceId,
        bytes: &[u8],
        last: bool,
        until: TimeNs,
        mut drain: impl FnMut(&mut Outbox) -> bool,
    ) -> Result<RecordingProgress, EngineError> {
        let index = source.0 as usize;
        let opened = self.sources.get_mut(index).ok_or(EngineError::UnknownSource(source.0))?;
        if let Some(feed) = &mut opened.orders {
            let Self { pipelines, config, clock, outbox, stats, .. } = self;
            let mut to = Pipelines { pipelines, cx: Context { config, clock, out: outbox, stats } };
            return Ok(feed.ingest(bytes, last, until, &opened.listed, &mut to, &mut drain));
        }
        let mut framer = std::mem::take(&mut opened.framer);
        let mut progress = RecordingProgress::default();
        let mut lines = if last { framer.finish(bytes) } else { framer.lines(bytes) };
        progress.is_blocked = !drain(&mut self.outbox);
        while !progress.is_blocked {
            let Some(line) = lines.next() else { break };
            match line.frame {
                Ok((ts, _)) if ts > until => {
                    progress.next_ts = ts;
                    progress.consumed = line.start;
                    break;
                }
                Ok((ts, frame)) => {
                    self.tick_source_if_due(index, ts);
                    progress.last_ts = ts;
                    if let Err(error) = self.ingest(source, frame, ts) {
                        progress.error = Some(error);
                    }
                }
                Err(error) => {
                    self.stats.frames += 1;
                    self.stats.decode_errors += 1;
                    progress.error = Some(error.into());
                }
            }
            progress.consumed = line.end;
            progress.is_blocked = !self.outbox.is_empty() && !drain(&mut self.outbox);
        }
        if progress.next_ts == 0 && !progress.is_blocked {
            progress.consumed = lines.consumed();
        }
        self.sources[index].framer = framer;
        Ok(progress)
    }

    /// A recording's time moves on with its lines, so ticks are made out of these: for its own books only.
    fn tick_source_if_due(&mut self, index: usize, now: TimeNs) {
        let Self { sources, pipelines, config, clock, outbox, stats, .. } = self;
        let source = &mut sources[index];
        if now.abs_diff(source.ticked_at) >= RECORDING_TICK_NS {
            source.ticked_at = now;
            let cx = &mut Context { config, clock, out: outbox, stats };
            for listed in &source.listed {
                pipelines[listed.pipeline].on_tick(now, cx);
            }
        }
    }

    #[inline]
    fn dispatch(&mut self, event: Result<Event, DecodeError>, ts_recv: TimeNs) -> Result<(), IngestError> {
        let event = match event {
            Ok(event) => event,
            Err(error) => {
                self.stats.decode_errors += 1;
                return Err(error.into());
            }
        };
        let id = match &event {
            Event::Depth(update) => update.instrument,
            Event::Snapshot(snapshot) => snapshot.instrument,
            Event::Ticker(ticker) => ticker.instrument,
            Event::Trade(trade) => trade.instrument,
            Event::Ignored => {
                self.stats.ignored += 1;
                return Ok(());
            }
        };
        // The decoder only returns listings of open sources, and each of those has a book.
        let index = *self.by_id.get(&id).ok_or(EngineError::UnknownInstrument(id.0))?;
        let Self { pipelines, levels, scratch, config, clock, outbox, stats, .. } = self;
        let cx = &mut Context { config, clock, out: outbox, stats };
        let pipeline = &mut pipelines[index];
        match event {
            Event::Depth(update) => pipeline.on_depth(&update, levels, ts_recv, cx),
            Event::Snapshot(snapshot) => pipeline.on_snapshot(&snapshot, levels, ts_recv, scratch, cx),
            Event::Ticker(ticker) => pipeline.on_ticker(ticker, ts_recv, cx),
            Event::Trade(trade) => pipeline.on_trade(&trade, ts_recv, cx),
            Event::Ignored => {}
        }
        Ok(())
    }

    /// The snapshot that was asked for cannot be had; the engine asks again after a pause.
    pub fn snapshot_failed(&mut self, instrument: InstrumentId, now: TimeNs) {
        if let Some(&index) = self.by_id.get(&instrument) {
            self.pipelines[index].on_snapshot_failed(now);
        }
    }

    /// The venue behind a source starts anew: its books are `Syncing` until their next snapshots, and answers that are
    /// under way are void.
    ///
    /// # Errors
    /// [`EngineError::UnknownSource`]; [`EngineError::Full`] where the machine has no room for an order feed any more.
    pub fn reset_source(&mut self, source: SourceId, now: TimeNs) -> Result<(), EngineError> {
        let Self { sources, pipelines, config, clock, outbox, stats, .. } = self;
        let unknown = EngineError::UnknownSource(source.0);
        let source = sources.get_mut(source.0 as usize).ok_or(unknown)?;
        source.framer = LineFramer::default();
        let is_order_feed = source.orders.is_some();
        source.orders = source.orders.take().and_then(OrderFeed::anew);
        let cx = &mut Context { config, clock, out: outbox, stats };
        for listed in &source.listed {
            pipelines[listed.pipeline].on_reset(now, cx);
        }
        if is_order_feed && source.orders.is_none() {
            return Err(EngineError::Full);
        }
        Ok(())
    }

    /// Time passes: silence, check frames, depth views at an interval, repeated snapshot requests.
    pub fn tick(&mut self, now: TimeNs) {
        let Self { pipelines, config, clock, outbox, stats, .. } = self;
        let cx = &mut Context { config, clock, out: outbox, stats };
        for pipeline in pipelines {
            pipeline.on_tick(now, cx);
        }
    }

    /// Hands the current image of a stream to `emit`, frame by frame (the status frame for [`Stream::STATUS`]).
    /// Nothing is handed out when there is none.
    ///
    /// # Errors
    /// [`EngineError::UnknownInstrument`].
    pub fn image(
        &mut self,
        instrument: InstrumentId,
        stream: Stream,
        now: TimeNs,
        emit: impl FnMut(&[u8]),
    ) -> Result<(), EngineError> {
        let index = *self.by_id.get(&instrument).ok_or(EngineError::UnknownInstrument(instrument.0))?;
        self.pipelines[index].image(stream, now, &self.config, &self.clock, emit);
        Ok(())
    }

    /// Opens a view of `depth` levels a side that publishes at most every `interval_ns`; one that is alike is shared.
    ///
    /// # Errors
    /// [`EngineError::UnknownInstrument`], [`EngineError::ViewRange`] or [`EngineError::ViewsFull`].
    pub fn open_depth(
        &mut self,
        instrument: InstrumentId,
        depth: u32,
        interval_ns: u64,
        now: TimeNs,
    ) -> Result<Stream, EngineError> {
        let index = *self.by_id.get(&instrument).ok_or(EngineError::UnknownInstrument(instrument.0))?;
        if !(1..=DEPTH_MAX).contains(&depth) || interval_ns > VIEW_INTERVAL_NS_MAX {
            return Err(EngineError::ViewRange);
        }
        self.pipelines[index].open_view(depth, interval_ns, now).ok_or(EngineError::ViewsFull)
    }

    /// Leaves a depth view; the last one to leave closes it. An unknown stream is left alone.
    pub fn close_depth(&mut self, instrument: InstrumentId, stream: Stream) {
        if let Some(&index) = self.by_id.get(&instrument) {
            self.pipelines[index].close_view(stream);
        }
    }

    /// State, sequence and size of a book.
    #[must_use]
    pub fn book_info(&self, instrument: InstrumentId, now: TimeNs) -> Option<BookInfo> {
        Some(self.pipelines[*self.by_id.get(&instrument)?].info(now, &self.config))
    }

    /// The book itself, whatever its state.
    #[must_use]
    pub fn book(&self, instrument: InstrumentId) -> Option<&L2Book> {
        Some(self.pipelines[*self.by_id.get(&instrument)?].book())
    }

    /// SHA-256 of a book's text form; see [`digest`].
    #[must_use]
    pub fn digest(&self, instrument: InstrumentId) -> Option<String> {
        let (book, instrument) = (self.book(instrument)?, self.catalogue.get(instrument)?);
        let (bids, asks) = (book.levels(Side::Bid), book.levels(Side::Ask));
        Some(digest(bids, asks, instrument.price_exponent, instrument.qty_exponent))
    }

    /// An order that rests in a book of an order feed, and what stands before it in its queue. `None` when there is no
    /// such order, or when the book is not known. Cost: the orders before it at its price.
    ///
    /// # Errors
    /// [`EngineError::UnknownInstrument`], [`EngineError::NoOrders`].
    pub fn order(
        &self,
        instrument: InstrumentId,
        id: OrderId,
    ) -> Result<Option<(Order, QueuePosition)>, EngineError> {
        let (pipeline, feed) = self.feed_of(instrument)?;
        Ok(feed.order(pipeline, id))
    }

    /// SHA-256 of the text form of what a book's own orders add up to: [`Engine::digest`], taken from the orders.
    ///
    /// # Errors
    /// [`EngineError::UnknownInstrument`], [`EngineError::NoOrders`].
    pub fn orders_digest(&self, instrument: InstrumentId) -> Result<String, EngineError> {
        let (pipeline, feed) = self.feed_of(instrument)?;
        let listed = self.catalogue.get(instrument).ok_or(EngineError::UnknownInstrument(instrument.0))?;
        let (bids, asks) = (feed.levels(pipeline, Side::Bid), feed.levels(pipeline, Side::Ask));
        Ok(digest(bids, asks, listed.price_exponent, listed.qty_exponent))
    }

    /// The pipeline of an instrument and the order feed that carries it.
    fn feed_of(&self, instrument: InstrumentId) -> Result<(usize, &OrderFeed), EngineError> {
        let pipeline = *self.by_id.get(&instrument).ok_or(EngineError::UnknownInstrument(instrument.0))?;
        let carries = |source: &&Source| match source.listed.as_slice() {
            [] => false,
            // Pipelines are made in the order of the listing.
            [first, .., last] => (first.pipeline..=last.pipeline).contains(&pipeline),
            [only] => only.pipeline == pipeline,
        };
        let feed = self.sources.iter().find(carries).and_then(|source| source.orders.as_ref());
        Ok((pipeline, feed.ok_or(EngineError::NoOrders(instrument.0))?))
    }

    /// What the engine has to say; the caller takes the records out.
    pub fn outbox(&mut self) -> &mut Outbox {
        &mut self.outbox
    }

    /// The counters.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut stats = self.stats;
        for pipeline in &self.pipelines {
            stats.bbo_checked += pipeline.cross_check().checked;
            stats.bbo_matched += pipeline.cross_check().matched;
        }
        stats.feed_frames = self.outbox.frames();
        stats.feed_bytes = self.outbox.frame_bytes();
        stats
    }
}

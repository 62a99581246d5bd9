//! The exported `Engine`.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use depthwire_core::encode::Stream;
use depthwire_core::engine::{self, EngineConfig, EngineError, IngestError, SourceId};
use depthwire_core::types::{Clock, InstrumentError, InstrumentId, OrderId, ScaleSource, TimeNs};
use depthwire_core::venues;
use napi::Env;
use napi::bindgen_prelude::{BigInt, Object, Uint8Array, Uint32Array, Unknown};
use napi_derive::napi;

use crate::argument::{SAFE_INTEGER_MAX, shared_view, whole};
use crate::guard::{Result, error, guard};
use crate::info::{BookInfo, EngineOptions, EngineStats, ErrorInfo, InstrumentInfo, OrderInfo};
use crate::ingester;
use crate::ring::{OutputRing, Word};
use crate::shared_book::{SharedBook, SharedBooks};

/// Records wait in the ring.
const OUTPUT: u32 = 1;
/// More waits outside it: drain, then pump.
const MORE: u32 = 2;
/// The input had no effect; `lastError` says why.
const ERROR: u32 = 4;

/// The machine's clock, ns since the Unix epoch.
struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> TimeNs {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
    }
}

/// An engine. Not shared between threads; each worker makes its own.
#[napi]
pub struct Engine {
    state: SharedState,
}

/// What the object and its ingester share, on the one thread of both. No borrow is held while JavaScript can run, so none
/// meets another.
pub(crate) type SharedState = Rc<RefCell<State>>;

/// An engine and what it needs beside it.
pub(crate) struct State {
    engine: engine::Engine<SystemClock>,
    ring: OutputRing,
    shared: SharedBooks,
    is_replay: bool,
    /// The recording's time and when it was that, when replaying.
    recorded: (TimeNs, Instant),
    last_error: Option<(IngestError, String)>,
    failed: bool,
}

#[napi]
impl Engine {
    /// `output`: a view of a SharedArrayBuffer, 128 bytes and a power of two from 4 MiB to 1 GiB.
    #[napi(constructor, ts_args_type = "options: EngineOptions, output: Uint8Array")]
    pub fn new(options: EngineOptions, output: Object) -> Result<Self> {
        guard(&mut false, || {
            let ring = shared_view(&output).and_then(OutputRing::new).ok_or_else(|| {
                let what = "wrong output memory; expected a SharedArrayBuffer of 128 bytes and a power of two from 4 MiB to 1 GiB, got another";
                error("addon.output_memory", what, "pass new Uint8Array(new SharedArrayBuffer(size))")
            })?;
            let config = EngineConfig {
                start_id: whole("startId", options.start_id, 0.0, f64::from(u32::MAX))? as u32,
                silence_ns: match options.silence_ms {
                    Some(given) => Some(whole("silenceMs", given, 0.0, 86_400_000.0)? as u64 * 1_000_000),
                    None => None,
                },
                is_replay: options.replay,
                ..EngineConfig::default()
            };
            let engine = engine::Engine::new(config, venues::catalogue(), SystemClock);
            let is_replay = options.replay;
            let state = State {
                engine,
                ring,
                shared: SharedBooks::default(),
                is_replay,
                recorded: (0, Instant::now()),
                last_error: None,
                failed: false,
            };
            Ok(Self { state: Rc::new(RefCell::new(state)) })
        })
    }

    /// The catalogue, by name.
    #[napi]
    pub fn instruments(&self) -> Result<Vec<InstrumentInfo>> {
        self.run(|State { engine, .. }| {
            let mut list: Vec<_> = engine.catalogue().iter().map(InstrumentInfo::from).collect();
            list.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(list)
        })
    }

    /// Adds an instrument, or changes the scale of one without a book. What is not given is as its venue's messages are.
    #[napi]
    pub fn add_instrument(
        &self,
        name: String,
        price_exponent: Option<f64>,
        qty_exponent: Option<f64>,
        tick_size: Option<f64>,
        lot_size: Option<f64>,
    ) -> Result<u32> {
        self.run(|State { engine, .. }| {
            let made = venues::split_name(&name)
                .and_then(|(venue, symbol)| venues::instrument(venue, symbol))
                .map_err(EngineError::Instrument);
            let mut made = made.map_err(engine_error)?;
            if made.scale_source == ScaleSource::Inferred
                && (price_exponent.is_some() || qty_exponent.is_some())
            {
                made.scale_source = ScaleSource::Listed;
            }
            if let Some(given) = price_exponent {
                made.price_exponent = whole("priceExponent", given, -18.0, 0.0)? as i8;
            }
            if let Some(given) = qty_exponent {
                made.qty_exponent = whole("qtyExponent", given, -18.0, 0.0)? as i8;
            }
            if let Some(given) = tick_size {
                made.tick_size = whole("tickSize", given, 0.0, SAFE_INTEGER_MAX)?;
            }
            if let Some(given) = lot_size {
                made.lot_size = whole("lotSize", given, 0.0, SAFE_INTEGER_MAX)?;
            }
            engine.add_instrument(made).map(|id| id.0).map_err(engine_error)
        })
    }

    /// Names of the instruments that the first bytes of a recording hold.
    #[napi]
    pub fn detect(&self, bytes: &[u8]) -> Result<Vec<String>> {
        self.run(|_| {
            let found = engine::detect(bytes).map_err(|e| error(e.code(), e, e.fix()))?;
            Ok(found.iter().map(|(venue, symbol)| format!("{}:{symbol}", venue.name())).collect())
        })
    }

    /// Opens a connection of one venue that speaks for these instruments, and their books.
    #[napi]
    pub fn open_source(&self, venue: String, instruments: Uint32Array) -> Result<u32> {
        self.run(|State { engine, .. }| {
            let unknown = EngineError::Instrument(InstrumentError::UnknownVenue);
            let venue = venues::from_name(&venue).ok_or_else(|| engine_error(unknown))?;
            let ids: Vec<_> = instruments.iter().copied().map(InstrumentId).collect();
            engine.open_source(venue, &ids).map(|source| source.0).map_err(engine_error)
        })
    }

    /// The function that takes one received frame. It returns bits: 1 records wait, 2 drain and pump, 4 see `lastError`.
    #[napi(ts_return_type = "(source: number, bytes: Uint8Array) => number")]
    pub fn ingester<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        ingester::function(env, Rc::clone(&self.state))
    }

    /// The venue's answer to the snapshot request of that ticket.
    #[napi]
    pub fn ingest_snapshot(&self, instrument: u32, ticket: u32, bytes: &[u8]) -> Result<u32> {
        self.state.borrow_mut().input(
            |engine, now| engine.answer(InstrumentId(instrument), ticket, bytes, now),
            || format!("snapshot of instrument {instrument}"),
        )
    }

    /// The snapshot cannot be had; the engine asks again after a pause.
    #[napi]
    pub fn snapshot_failed(&self, instrument: u32) -> Result<()> {
        self.run(|state| {
            let now = state.now();
            let State { engine, .. } = state;
            engine.failed(InstrumentId(instrument), now);
            Ok(())
        })
    }

    /// Whole lines or messages of a recording up to the first after `untilNs`; `last` says that no more bytes follow. The
    /// control block then holds the bytes consumed and the times of the last and of the next line.
    #[napi]
    pub fn ingest_recording(&self, source: u32, bytes: &[u8], until_ns: BigInt, last: bool) -> Result<u32> {
        self.run(|State { engine, ring, shared, recorded, last_error, .. }| {
            let (is_negative, until, is_whole) = until_ns.get_u64();
            if is_negative || !is_whole || u32::try_from(bytes.len()).is_err() {
                let what = "no such part of a recording; expected less than 4 GiB and a time from 0 to 2^64 - 1, got more";
                return Err(error("addon.recording_part", what, "hand the file in by chunks of some MiB"));
            }
            let read = engine.replay(SourceId(source), bytes, last, until, |outbox| {
                ring.fill(outbox, |record| shared.note(record))
            });
            let progress = read.map_err(engine_error)?;
            ring.set(Word::Consumed, progress.consumed as u32);
            ring.set_wide(Word::NextTs, progress.next_ts);
            ring.set_wide(Word::LastTs, progress.last_ts);
            if progress.last_ts != 0 {
                *recorded = (progress.last_ts, Instant::now());
            }
            let error = progress.error.map(|error| (error, format!("recording of source {source}")));
            let flags = if error.is_some() { ERROR } else { 0 };
            *last_error = error.or(last_error.take());
            Ok(flags | flush(engine, ring, shared))
        })
    }

    /// The source failed for good: its books are stale until their venue's numbers, or a new snapshot, say otherwise.
    #[napi]
    pub fn source_failed(&self, source: u32) -> Result<u32> {
        self.state.borrow_mut().input(
            |engine, now| engine.source_failed(SourceId(source), now).map_err(IngestError::from),
            || format!("source {source}"),
        )
    }

    /// The source will speak of instruments that it does not carry: a snapshot that names none is nobody's.
    #[napi]
    pub fn expect_others(&self, source: u32) -> Result<u32> {
        self.state.borrow_mut().input(
            |engine, now| engine.expect_others(SourceId(source), now).map_err(IngestError::from),
            || format!("source {source}"),
        )
    }

    /// The venue starts anew: the source's books are syncing until their next snapshots.
    #[napi]
    pub fn reset_source(&self, source: u32) -> Result<u32> {
        self.state.borrow_mut().input(
            |engine, now| engine.reset_source(SourceId(source), now).map_err(IngestError::from),
            || format!("source {source}"),
        )
    }

    /// Time passes. Live by the machine's clock, on replay by the recording's.
    #[napi]
    pub fn tick(&self) -> Result<u32> {
        self.state.borrow_mut().input(
            |engine, now| {
                engine.tick(now);
                Ok(())
            },
            String::new,
        )
    }

    /// Moves into the ring what waits outside it.
    #[napi]
    pub fn pump(&self) -> Result<u32> {
        self.run(|State { engine, ring, shared, .. }| Ok(flush(engine, ring, shared)))
    }

    /// Writes a stream's image (or the status frame) and returns its bytes: 0 = there is none, negative = minus the bytes that it needs.
    #[napi]
    pub fn image(&self, instrument: u32, stream: u32, mut out: Uint8Array) -> Result<i32> {
        self.run(|state| {
            let now = state.now();
            let State { engine, .. } = state;
            let stream = Stream(u8::try_from(stream).unwrap_or(0));
            // SAFETY:
            // - the view was made by the caller's thread for this call and is not kept;
            // - it is this thread's memory: `images` allocates it and hands it to nobody while the call runs;
            // - nothing below calls back into JavaScript, so it can be neither detached nor read meanwhile.
            let out = unsafe { out.as_mut() };
            let mut size = 0usize;
            let written = engine.image(InstrumentId(instrument), stream, now, |frame| {
                if let Some(room) = out.get_mut(size..size + frame.len()) {
                    room.copy_from_slice(frame);
                }
                size += frame.len();
            });
            written.map_err(engine_error)?;
            let bytes = i32::try_from(size).unwrap_or(i32::MAX);
            Ok(if size <= out.len() { bytes } else { -bytes })
        })
    }

    /// The stream of a depth view; the same arguments share one.
    #[napi]
    pub fn open_depth(&self, instrument: u32, depth: u32, interval_ms: u32) -> Result<u32> {
        self.run(|state| {
            let now = state.now();
            let State { engine, .. } = state;
            let interval_ns = u64::from(interval_ms) * 1_000_000;
            let opened = engine.open_depth(InstrumentId(instrument), depth, interval_ns, now);
            opened.map(|stream| u32::from(stream.0)).map_err(engine_error)
        })
    }

    /// Leaves a depth view.
    #[napi]
    pub fn close_depth(&self, instrument: u32, stream: u32) -> Result<()> {
        self.run(|State { engine, .. }| {
            engine.close_depth(InstrumentId(instrument), Stream(u8::try_from(stream).unwrap_or(0)));
            Ok(())
        })
    }

    /// Keeps the top of a book in memory that any thread may read: a view of a SharedArrayBuffer, 64 bytes and 32 for each
    /// level of 1 to 100. The memory of an earlier call for this book is closed.
    #[napi(ts_args_type = "instrument: number, memory: Uint8Array")]
    pub fn share_book(&self, instrument: u32, memory: Object) -> Result<()> {
        let view = shared_view(&memory);
        self.run(|state| {
            let now = state.now();
            let State { engine, shared, .. } = state;
            let id = InstrumentId(instrument);
            let unknown = || engine_error(EngineError::UnknownInstrument(instrument));
            let listed = engine.catalogue().get(id).ok_or_else(unknown)?;
            let exponents = (listed.price_exponent, listed.qty_exponent);
            let mut book = view.and_then(|view| SharedBook::new(view, id, exponents)).ok_or_else(|| {
                let what = "wrong memory for a book; expected 64 bytes and 32 for each of 1 to 100 levels of a SharedArrayBuffer, 8-aligned, got another";
                error("addon.book_memory", what, "pass what allocateSharedBook returns")
            })?;
            engine.image(id, Stream::STATUS, now, |frame| book.note(frame)).map_err(engine_error)?;
            shared.add(book, engine);
            Ok(())
        })
    }

    /// Where a book stands.
    #[napi]
    pub fn book(&self, instrument: u32) -> Result<BookInfo> {
        self.run(|state| {
            let now = state.now();
            let State { engine, .. } = state;
            let id = InstrumentId(instrument);
            let info = engine.book_info(id, now);
            let info = info.ok_or_else(|| engine_error(EngineError::UnknownInstrument(instrument)))?;
            let exponent = engine.catalogue().get(id).map_or(0, |listed| listed.price_exponent);
            Ok(BookInfo::new(&info, exponent))
        })
    }

    /// The counters.
    #[napi]
    pub fn stats(&self) -> Result<EngineStats> {
        self.run(|State { engine, .. }| Ok(engine.stats().into()))
    }

    /// Why the last input with bit 4 had no effect.
    #[napi]
    pub fn last_error(&self) -> Result<Option<ErrorInfo>> {
        self.run(|State { last_error, .. }| {
            Ok(last_error.as_ref().map(|(error, place)| ErrorInfo::new(error, place)))
        })
    }

    /// SHA-256 of a book's levels as text.
    #[napi]
    pub fn digest(&self, instrument: u32) -> Result<String> {
        self.run(|State { engine, .. }| {
            let digest = engine.digest(InstrumentId(instrument));
            digest.ok_or_else(|| engine_error(EngineError::UnknownInstrument(instrument)))
        })
    }

    /// SHA-256 of what a book's own orders add up to, as text; for instruments of order feeds.
    #[napi]
    pub fn orders_digest(&self, instrument: u32) -> Result<String> {
        self.run(|State { engine, .. }| engine.orders_digest(InstrumentId(instrument)).map_err(engine_error))
    }

    /// An order that rests in a book of an order feed, and what stands before it in its queue; null when there is none.
    #[napi]
    pub fn order(&self, instrument: u32, id: BigInt) -> Result<Option<OrderInfo>> {
        self.run(|State { engine, .. }| {
            let (is_negative, id, is_whole) = id.get_u64();
            if is_negative || !is_whole {
                let what = "wrong order number; expected 0 to 2^64 - 1, got another";
                return Err(error("addon.order_number", what, "pass the venue's number as a BigInt"));
            }
            let found = engine.order(InstrumentId(instrument), OrderId(id)).map_err(engine_error)?;
            Ok(found.map(|(order, position)| OrderInfo::new(order, position)))
        })
    }

    /// The clock that stamps `ts_send`.
    #[napi]
    pub fn now_ns(&self) -> Result<BigInt> {
        self.run(|_| Ok(SystemClock.now().into()))
    }

    fn run<T>(&self, body: impl FnOnce(&mut State) -> Result<T>) -> Result<T> {
        self.state.borrow_mut().run(body)
    }
}

impl State {
    /// Runs an export's body. When it fails for good, the shared records are closed: nothing keeps them true any more.
    #[inline]
    fn run<T>(&mut self, body: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let had_failed = self.failed;
        let mut failed = had_failed;
        let result = guard(&mut failed, || body(self));
        if failed && !had_failed {
            self.failed = true;
            self.shared.clear();
        }
        result
    }

    /// One received frame; see [`Engine::ingester`].
    #[inline]
    pub(crate) fn ingest(&mut self, source: u32, bytes: &[u8]) -> Result<u32> {
        self.input(
            |engine, now| engine.ingest(SourceId(source), bytes, now),
            || format!("frame of source {source}"),
        )
    }

    /// The time by which books age: the machine's, or the recording's, which runs on behind its last line.
    fn now(&self) -> TimeNs {
        if self.is_replay {
            self.recorded.0 + self.recorded.1.elapsed().as_nanos() as u64
        } else {
            SystemClock.now()
        }
    }

    #[inline]
    fn input(
        &mut self,
        call: impl FnOnce(&mut engine::Engine<SystemClock>, TimeNs) -> std::result::Result<(), IngestError>,
        place: impl FnOnce() -> String,
    ) -> Result<u32> {
        self.run(|state| {
            let now = state.now();
            let Self { engine, ring, shared, last_error, .. } = state;
            let mut flags = 0;
            if let Err(error) = call(engine, now) {
                *last_error = Some((error, place()));
                flags = ERROR;
            }
            Ok(flags | flush(engine, ring, shared))
        })
    }
}

fn flush(engine: &mut engine::Engine<SystemClock>, ring: &OutputRing, shared: &mut SharedBooks) -> u32 {
    let mut more = MORE;
    if ring.fill(engine.outbox(), |record| shared.note(record)) {
        shared.write(engine);
        more = 0;
    }
    more | if ring.has_records() { OUTPUT } else { 0 }
}

fn engine_error(wrong: EngineError) -> napi::Error<crate::guard::Code> {
    error(wrong.code(), wrong, wrong.fix())
}

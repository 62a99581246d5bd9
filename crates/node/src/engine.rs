//! The exported `Engine`.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use depthwire_core::decode::detect;
use depthwire_core::encode::Stream;
use depthwire_core::engine::{self, EngineConfig, EngineError, IngestError, SourceId};
use depthwire_core::types::{
    Catalogue, Clock, Decimal, Instrument, InstrumentError, InstrumentId, Level, TimeNs, Venue,
};
use napi::bindgen_prelude::{BigInt, FromNapiValue, JsObjectValue, JsValue, Object, Uint8Array, Uint32Array};
use napi_derive::napi;

use crate::guard::{Result, error, guard};
use crate::ring::{OutputRing, Word};

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

/// An instrument of the catalogue. Exponents are powers of ten; tick and lot are mantissas, 0 = unknown.
#[napi(object)]
pub struct InstrumentInfo {
    /// Number on the wire.
    pub id: u32,
    /// `venue:symbol`.
    pub name: String,
    /// Part of the name before the colon.
    pub venue: String,
    /// Part of the name after it.
    pub symbol: String,
    /// Power of ten of prices.
    pub price_exponent: i32,
    /// Power of ten of quantities.
    pub qty_exponent: i32,
    /// Price increment.
    pub tick_size: i64,
    /// Quantity increment.
    pub lot_size: i64,
    /// `base` or `contracts`.
    pub qty_unit: String,
    /// Quote units that an inverse contract is worth; else 1.
    pub contract_size: i64,
    /// Whether a contract is worth a fixed amount of quote currency.
    pub inverse: bool,
}

/// What an engine is told once.
#[napi(object)]
pub struct EngineOptions {
    /// Unique per start of the process; the high half of every epoch.
    pub start_id: f64,
    /// A synced book without input for longer turns stale; 0 = never.
    pub silence_ms: f64,
    /// Frames say that they come from a recording, whose clock is then the engine's.
    pub replay: bool,
}

/// Where a book stands.
#[napi(object)]
pub struct BookInfo {
    /// `syncing`, `synced` or `stale`.
    pub state: String,
    /// `none`, `gap`, `silence` or `levels_limit`.
    pub reason: String,
    /// Epoch.
    pub epoch: BigInt,
    /// Sequence of the `book` stream.
    pub seq: BigInt,
    /// The venue's sequence.
    pub venue_seq: BigInt,
    /// Number of bid levels.
    pub bids: u32,
    /// Number of ask levels.
    pub asks: u32,
    /// Best bid as the shortest decimal, if the side has a level.
    pub best_bid: Option<String>,
    /// Best ask likewise.
    pub best_ask: Option<String>,
    /// Time since the last depth update.
    pub age_ns: BigInt,
}

/// Counters since the engine was made.
#[napi(object)]
pub struct EngineStats {
    /// Venue frames handed in.
    pub frames: i64,
    /// Depth updates decoded.
    pub book_messages: i64,
    /// Depth updates applied.
    pub applied: i64,
    /// Levels in depth updates decoded.
    pub level_changes: i64,
    /// Levels in depth updates applied.
    pub applied_level_changes: i64,
    /// Snapshots decoded.
    pub snapshots: i64,
    /// Snapshots that were too old to use.
    pub snapshots_old: i64,
    /// Snapshots asked for.
    pub snapshot_requests: i64,
    /// Trades decoded.
    pub trades: i64,
    /// Breaks in a venue's sequence.
    pub gaps: i64,
    /// Stale books that became synced again.
    pub resyncs: i64,
    /// Books that turned stale because nothing arrived.
    pub silences: i64,
    /// Updates that left a book crossed.
    pub crossed: i64,
    /// Frames that could not be decoded.
    pub decode_errors: i64,
    /// Frames that change nothing here.
    pub ignored: i64,
    /// Updates dropped while waiting for a snapshot.
    pub pending_dropped: i64,
    /// Comparisons with the venue's own top of book.
    pub bbo_checked: i64,
    /// Those that agreed.
    pub bbo_matched: i64,
    /// Comparisons with the venue's own checksums.
    pub checksums_checked: i64,
    /// Those that agreed.
    pub checksums_matched: i64,
    /// Feed frames written.
    pub feed_frames: i64,
    /// Their bytes.
    pub feed_bytes: i64,
}

/// Why the last input had no effect.
#[napi(object)]
pub struct ErrorInfo {
    /// Stable code.
    pub code: String,
    /// What is wrong.
    pub what: String,
    /// In which input.
    pub r#where: String,
    /// What was meant.
    pub expected: String,
    /// What came.
    pub got: String,
    /// What to do.
    pub fix: String,
}

/// An engine. Not shared between threads; each worker makes its own.
#[napi]
pub struct Engine {
    engine: engine::Engine<SystemClock>,
    ring: OutputRing,
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
                silence_ns: whole("silenceMs", options.silence_ms, 0.0, 86_400_000.0)? as u64 * 1_000_000,
                is_replay: options.replay,
                ..EngineConfig::default()
            };
            let engine = engine::Engine::new(config, Catalogue::built_in(), SystemClock);
            let is_replay = options.replay;
            Ok(Self {
                engine,
                ring,
                is_replay,
                recorded: (0, Instant::now()),
                last_error: None,
                failed: false,
            })
        })
    }

    /// The catalogue, by name.
    #[napi]
    pub fn instruments(&mut self) -> Result<Vec<InstrumentInfo>> {
        let Self { engine, failed, .. } = self;
        guard(failed, || {
            let mut list: Vec<_> = engine.catalogue().iter().map(instrument_info).collect();
            list.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(list)
        })
    }

    /// Adds an instrument, or changes the scale of one without a book.
    #[napi]
    pub fn add_instrument(
        &mut self,
        name: String,
        price_exponent: f64,
        qty_exponent: f64,
        tick_size: f64,
        lot_size: f64,
    ) -> Result<u32> {
        let Self { engine, failed, .. } = self;
        guard(failed, || {
            let price_exponent = whole("priceExponent", price_exponent, -18.0, 0.0)? as i8;
            let qty_exponent = whole("qtyExponent", qty_exponent, -18.0, 0.0)? as i8;
            let tick_size = whole("tickSize", tick_size, 0.0, SAFE_INTEGER_MAX)?;
            let lot_size = whole("lotSize", lot_size, 0.0, SAFE_INTEGER_MAX)?;
            let made = Instrument::split_name(&name).and_then(|(venue, symbol)| {
                let unlisted = Instrument::unlisted(venue, symbol)?;
                Ok(Instrument { price_exponent, qty_exponent, tick_size, lot_size, ..unlisted })
            });
            let added = made
                .map_err(EngineError::Instrument)
                .and_then(|instrument| engine.add_instrument(instrument));
            added.map(|id| id.0).map_err(engine_error)
        })
    }

    /// Names of the instruments that the first bytes of a recording hold.
    #[napi]
    pub fn detect(&mut self, bytes: &[u8]) -> Result<Vec<String>> {
        guard(&mut self.failed, || {
            let found = detect(bytes).map_err(|e| error(e.code(), e, e.fix()))?;
            Ok(found.iter().map(|(venue, symbol)| format!("{}:{symbol}", venue.name())).collect())
        })
    }

    /// Opens a connection of one venue that speaks for these instruments, and their books.
    #[napi]
    pub fn open_source(&mut self, venue: String, instruments: Uint32Array) -> Result<u32> {
        let Self { engine, failed, .. } = self;
        guard(failed, || {
            let unknown = EngineError::Instrument(InstrumentError::UnknownVenue);
            let venue = Venue::from_name(&venue).ok_or_else(|| engine_error(unknown))?;
            let ids: Vec<_> = instruments.iter().copied().map(InstrumentId).collect();
            engine.open_source(venue, &ids).map(|source| source.0).map_err(engine_error)
        })
    }

    /// One received frame. Returns bits: 1 records wait, 2 drain and pump, 4 see `lastError`.
    #[napi]
    pub fn ingest(&mut self, source: u32, bytes: &[u8]) -> Result<u32> {
        self.input(
            |engine, now| engine.ingest(SourceId(source), bytes, now),
            || format!("frame of source {source}"),
        )
    }

    /// The venue's answer to the snapshot request of that ticket.
    #[napi]
    pub fn ingest_snapshot(&mut self, instrument: u32, ticket: u32, bytes: &[u8]) -> Result<u32> {
        self.input(
            |engine, now| engine.ingest_snapshot(InstrumentId(instrument), ticket, bytes, now),
            || format!("snapshot of instrument {instrument}"),
        )
    }

    /// The snapshot cannot be had; the engine asks again after a pause.
    #[napi]
    pub fn snapshot_failed(&mut self, instrument: u32) -> Result<()> {
        let now = self.now();
        let Self { engine, failed, .. } = self;
        guard(failed, || {
            engine.snapshot_failed(InstrumentId(instrument), now);
            Ok(())
        })
    }

    /// Whole lines of a recording up to the first after `untilNs`. The control block then holds the bytes consumed and the
    /// times of the last and of the next line.
    #[napi]
    pub fn ingest_recording(&mut self, source: u32, bytes: &[u8], until_ns: BigInt) -> Result<u32> {
        let Self { engine, ring, recorded, last_error, failed, .. } = self;
        guard(failed, || {
            let (is_negative, until, is_whole) = until_ns.get_u64();
            if is_negative || !is_whole || u32::try_from(bytes.len()).is_err() {
                let what = "no such part of a recording; expected less than 4 GiB and a time from 0 to 2^64 - 1, got more";
                return Err(error("addon.recording_part", what, "hand the file in by chunks of some MiB"));
            }
            let read =
                engine.ingest_recording(SourceId(source), bytes, false, until, |outbox| ring.fill(outbox));
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
            Ok(flags | flush(engine, ring))
        })
    }

    /// The venue starts anew: the source's books are syncing until their next snapshots.
    #[napi]
    pub fn reset_source(&mut self, source: u32) -> Result<u32> {
        self.input(
            |engine, now| engine.reset_source(SourceId(source), now).map_err(IngestError::from),
            || format!("source {source}"),
        )
    }

    /// Time passes. Live by the machine's clock, on replay by the recording's.
    #[napi]
    pub fn tick(&mut self) -> Result<u32> {
        self.input(
            |engine, now| {
                engine.tick(now);
                Ok(())
            },
            String::new,
        )
    }

    /// Moves into the ring what waits outside it.
    #[napi]
    pub fn pump(&mut self) -> Result<u32> {
        let Self { engine, ring, failed, .. } = self;
        guard(failed, || Ok(flush(engine, ring)))
    }

    /// Writes a stream's image (or the status frame) and returns its bytes: 0 = there is none, negative = minus the bytes that it needs.
    #[napi]
    pub fn image(&mut self, instrument: u32, stream: u32, mut out: Uint8Array) -> Result<i32> {
        let now = self.now();
        let Self { engine, failed, .. } = self;
        guard(failed, || {
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
    pub fn open_depth(&mut self, instrument: u32, depth: u32, interval_ms: u32) -> Result<u32> {
        let now = self.now();
        let Self { engine, failed, .. } = self;
        guard(failed, || {
            let interval_ns = u64::from(interval_ms) * 1_000_000;
            let opened = engine.open_depth(InstrumentId(instrument), depth, interval_ns, now);
            opened.map(|stream| u32::from(stream.0)).map_err(engine_error)
        })
    }

    /// Leaves a depth view.
    #[napi]
    pub fn close_depth(&mut self, instrument: u32, stream: u32) -> Result<()> {
        let Self { engine, failed, .. } = self;
        guard(failed, || {
            engine.close_depth(InstrumentId(instrument), Stream(u8::try_from(stream).unwrap_or(0)));
            Ok(())
        })
    }

    /// Where a book stands.
    #[napi]
    pub fn book(&mut self, instrument: u32) -> Result<BookInfo> {
        let now = self.now();
        let Self { engine, failed, .. } = self;
        guard(failed, || {
            let id = InstrumentId(instrument);
            let info = engine.book_info(id, now);
            let info = info.ok_or_else(|| engine_error(EngineError::UnknownInstrument(instrument)))?;
            let exponent = engine.catalogue().get(id).map_or(0, |listed| listed.price_exponent);
            let price = |level: Level| Decimal { mantissa: level.price.0, exponent }.to_string();
            Ok(BookInfo {
                state: info.state.name().to_owned(),
                reason: info.state.reason_name().to_owned(),
                epoch: info.epoch.into(),
                seq: info.seq.into(),
                venue_seq: info.venue_seq.into(),
                bids: info.bid_count as u32,
                asks: info.ask_count as u32,
                best_bid: info.bbo.bid.map(price),
                best_ask: info.bbo.ask.map(price),
                age_ns: info.age_ns.into(),
            })
        })
    }

    /// The counters.
    #[napi]
    pub fn stats(&mut self) -> Result<EngineStats> {
        let Self { engine, failed, .. } = self;
        guard(failed, || {
            let stats = engine.stats();
            Ok(EngineStats {
                frames: stats.frames as i64,
                book_messages: stats.book_messages as i64,
                applied: stats.applied as i64,
                level_changes: stats.level_changes as i64,
                applied_level_changes: stats.applied_level_changes as i64,
                snapshots: stats.snapshots as i64,
                snapshots_old: stats.snapshots_old as i64,
                snapshot_requests: stats.snapshot_requests as i64,
                trades: stats.trades as i64,
                gaps: stats.gaps as i64,
                resyncs: stats.resyncs as i64,
                silences: stats.silences as i64,
                crossed: stats.crossed as i64,
                decode_errors: stats.decode_errors as i64,
                ignored: stats.ignored as i64,
                pending_dropped: stats.pending_dropped as i64,
                bbo_checked: stats.bbo_checked as i64,
                bbo_matched: stats.bbo_matched as i64,
                checksums_checked: stats.checksums_checked as i64,
                checksums_matched: stats.checksums_matched as i64,
                feed_frames: stats.feed_frames as i64,
                feed_bytes: stats.feed_bytes as i64,
            })
        })
    }

    /// Why the last input with bit 4 had no effect.
    #[napi]
    pub fn last_error(&mut self) -> Result<Option<ErrorInfo>> {
        let Self { last_error, failed, .. } = self;
        guard(failed, || {
            Ok(last_error.as_ref().map(|(error, place)| {
                let text = error.to_string();
                // Every error reads "what; expected …, got …".
                let (what, rest) = text.split_once("; expected ").unwrap_or((&text, ""));
                let (expected, got) = rest.split_once(", got ").unwrap_or((rest, ""));
                ErrorInfo {
                    code: error.code().to_owned(),
                    what: what.to_owned(),
                    r#where: place.clone(),
                    expected: expected.to_owned(),
                    got: got.to_owned(),
                    fix: error.fix().to_owned(),
                }
            }))
        })
    }

    /// SHA-256 of a book's levels as text.
    #[napi]
    pub fn digest(&mut self, instrument: u32) -> Result<String> {
        let Self { engine, failed, .. } = self;
        guard(failed, || {
            let digest = engine.digest(InstrumentId(instrument));
            digest.ok_or_else(|| engine_error(EngineError::UnknownInstrument(instrument)))
        })
    }

    /// The clock that stamps `ts_send`.
    #[napi]
    pub fn now_ns(&mut self) -> Result<BigInt> {
        guard(&mut self.failed, || Ok(SystemClock.now().into()))
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
        let now = self.now();
        let Self { engine, ring, last_error, failed, .. } = self;
        guard(failed, || {
            let mut flags = 0;
            if let Err(error) = call(engine, now) {
                *last_error = Some((error, place()));
                flags = ERROR;
            }
            Ok(flags | flush(engine, ring))
        })
    }
}

/// The largest integer that a JavaScript number holds exactly.
const SAFE_INTEGER_MAX: f64 = 9_007_199_254_740_991.0;

/// A JavaScript number as an integer in a range; napi's own conversions bend what does not fit.
fn whole(name: &str, value: f64, min: f64, max: f64) -> Result<i64> {
    if value.trunc() == value && (min..=max).contains(&value) {
        return Ok(value as i64);
    }
    let what = format!("wrong {name}; expected an integer from {min} to {max}, got {value}");
    Err(error("addon.not_an_integer", what, "pass an integer of that range"))
}

/// The view, if its memory is shared: only such memory can neither be detached nor shrink under the engine.
fn shared_view(view: &Object) -> Option<Uint8Array> {
    let buffer: Object = view.get_named_property("buffer").ok()?;
    if buffer.is_arraybuffer().ok()? {
        return None;
    }
    let value = view.value();
    // SAFETY: the environment and the value are those of the running call, and napi checks the value's type.
    unsafe { Uint8Array::from_napi_value(value.env, value.value) }.ok()
}

fn flush(engine: &mut engine::Engine<SystemClock>, ring: &OutputRing) -> u32 {
    let more = if ring.fill(engine.outbox()) { 0 } else { MORE };
    more | if ring.has_records() { OUTPUT } else { 0 }
}

fn engine_error(wrong: EngineError) -> napi::Error<crate::guard::Code> {
    error(wrong.code(), wrong, wrong.fix())
}

fn instrument_info((id, listed): (InstrumentId, &Instrument)) -> InstrumentInfo {
    InstrumentInfo {
        id: id.0,
        name: listed.to_string(),
        venue: listed.venue.name().to_owned(),
        symbol: listed.symbol.clone(),
        price_exponent: listed.price_exponent.into(),
        qty_exponent: listed.qty_exponent.into(),
        tick_size: listed.tick_size,
        lot_size: listed.lot_size,
        qty_unit: listed.qty_unit.name().to_owned(),
        contract_size: listed.contract_size,
        inverse: listed.inverse,
    }
}

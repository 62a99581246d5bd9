//! The exported `Engine`.

use std::rc::Rc;

use depthwire_core::encode::Stream;
use depthwire_core::engine::{self, EngineConfig, EngineError, IngestError, SourceId};
use depthwire_core::journal::Input;
use depthwire_core::types::{Account, InstrumentError, InstrumentId, OrderId, ScaleSource, VenueOrderId};
use depthwire_core::venues;
use depthwire_latency::stages::EVERY_MAX;
use napi::Env;
use napi::bindgen_prelude::{BigInt, JsValue, This, Unknown};
use napi_derive::napi;

use crate::argument::{Argument, SAFE_INTEGER_MAX};
use crate::bound::{Call, function};
use crate::bringing::history;
use crate::calls::{
    Image, Ingest, IngestRecording, IngestSampled, IngestSnapshot, NowNs, Pump, RecordedNs, Tick, give_all,
};
use crate::clock::SystemClock;
use crate::computed::width;
use crate::feed_frame::touched_by;
use crate::guard::{Result, error, guard};
use crate::holders::{Held, close_unheld};
use crate::info::{BookInfo, EngineStats, ErrorInfo, InstrumentInfo, OrderInfo};
use crate::ring::OutputRing;
use crate::shared_book::SharedBook;
use crate::state::{State, engine_error};

const DAY_MS: i64 = 86_400_000;
/// Leaves as many resets above it.
const RESETS_FROM_MAX: i64 = (1 << 31) - 1;

/// An engine. Not shared between threads; each worker makes its own.
#[napi]
pub struct Engine {
    pub(crate) held: Rc<Held>,
}

#[napi]
impl Engine {
    /// `startId`: the start of the process, the high half of every epoch. `resetsFrom`: what the low half, the count of resets,
    /// begins from, below 2^31; 0 when absent. `silenceMs`: a synced book without input
    /// for longer turns stale; 0 = never; absent: as each product allows. `replay`: frames say that they come from a recording, whose clock is then the
    /// engine's. `historyBytes`: memory for frames that are kept for readers who come back, 0 = none, as when it is absent;
    /// `historyStreamBytes` and `historyMs`: what one stream may keep of it, 1 MiB and 30,000 when absent.
    /// `stagesEvery`: one frame in so many gets stage stamps, up to 1,000,000; 0 = none, as when it is absent.
    /// `output`: a view of a SharedArrayBuffer, 128 bytes and a power of two from 4 MiB to 1 GiB.
    #[napi(
        constructor,
        ts_args_type = "options: { startId: number; resetsFrom?: number; silenceMs?: number; replay: boolean; historyBytes?: number; historyStreamBytes?: number; historyMs?: number; stagesEvery?: number }, output: Uint8Array"
    )]
    pub fn new(env: &Env, this: This, options: Argument, output: Argument) -> Result<Self> {
        guard(|| {
            let ring = output.shared_view().and_then(OutputRing::new).ok_or_else(|| {
                let expected = "a SharedArrayBuffer of 128 bytes and a power of two from 4 MiB to 1 GiB";
                let account = Account::new("wrong output memory", expected, "another");
                error("addon.output_memory", account, "pass new Uint8Array(new SharedArrayBuffer(size))")
            })?;
            let config = EngineConfig {
                start_id: options.field(c"startId").u32("startId")?,
                resets_from: match options.field(c"resetsFrom").given() {
                    Some(given) => given.integer("resetsFrom", 0..=RESETS_FROM_MAX)? as u32,
                    None => 0,
                },
                silence_ns: match options.field(c"silenceMs").given() {
                    Some(given) => Some(given.integer("silenceMs", 0..=DAY_MS)? as u64 * 1_000_000),
                    None => None,
                },
                is_replay: options.field(c"replay").flag("replay")?,
                history: history(&options)?,
                ..EngineConfig::default()
            };
            let stages_every = match options.field(c"stagesEvery").given() {
                Some(given) => given.integer("stagesEvery", 0..=i64::from(EVERY_MAX))? as u32,
                None => 0,
            };
            close_unheld(env);
            let held = Held::new(State::new(env, config, ring, stages_every));
            held.add_holder(env, this.raw());
            give_all(env, &held, this.raw())?;
            Ok(Self { held })
        })
    }

    /// Gives the engine's memory back at once and closes its shared records. Any other use after it throws `addon.closed`.
    #[napi]
    pub fn close(&self) -> Result<()> {
        self.held.close()
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

    /// One instrument, as scaled now.
    #[napi(ts_args_type = "id: number")]
    pub fn instrument(&self, id: Argument) -> Result<InstrumentInfo> {
        self.run(|State { engine, .. }| {
            let id = InstrumentId(id.u32("id")?);
            let listed = engine.catalogue().get(id).ok_or(EngineError::UnknownInstrument(id.0));
            listed.map(|listed| InstrumentInfo::from((id, listed))).map_err(engine_error)
        })
    }

    /// Adds an instrument, or changes the scale of one without a book. What is not given is as its venue's messages are.
    #[napi(
        ts_args_type = "name: string, priceExponent?: number, qtyExponent?: number, tickSize?: number, lotSize?: number"
    )]
    pub fn add_instrument(
        &self,
        name: Argument,
        price_exponent: Argument,
        qty_exponent: Argument,
        tick_size: Argument,
        lot_size: Argument,
    ) -> Result<u32> {
        self.run(|State { engine, .. }| {
            let made = venues::split_name(&name.text("name")?)
                .and_then(|(venue, symbol)| venues::instrument(venue, symbol))
                .map_err(EngineError::Instrument);
            let mut made = made.map_err(engine_error)?;
            let (price_exponent, qty_exponent) = (price_exponent.given(), qty_exponent.given());
            if made.scale_source == ScaleSource::Inferred
                && (price_exponent.is_some() || qty_exponent.is_some())
            {
                made.scale_source = ScaleSource::Listed;
            }
            if let Some(given) = price_exponent {
                made.price_exponent = given.integer("priceExponent", -18..=0)? as i8;
            }
            if let Some(given) = qty_exponent {
                made.qty_exponent = given.integer("qtyExponent", -18..=0)? as i8;
            }
            if let Some(given) = tick_size.given() {
                made.tick_size = given.integer("tickSize", 0..=SAFE_INTEGER_MAX)?;
            }
            if let Some(given) = lot_size.given() {
                made.lot_size = given.integer("lotSize", 0..=SAFE_INTEGER_MAX)?;
            }
            engine.add_instrument(made).map(|id| id.0).map_err(engine_error)
        })
    }

    /// Names of the instruments that the first bytes of a recording hold.
    #[napi(ts_args_type = "bytes: Uint8Array")]
    pub fn detect(&self, bytes: Argument) -> Result<Vec<String>> {
        self.run(|_| {
            let found =
                engine::detect(&bytes.input("bytes")?).map_err(|e| error(e.code(), e.account(), e.fix()))?;
            Ok(found.iter().map(|(venue, symbol)| format!("{}:{symbol}", venue.name())).collect())
        })
    }

    /// Whether a recording says how its connections were taken: it may be of several venues then, and is opened by
    /// `openRecorded`. The catalogue takes over how it lists its instruments, of those that have no book.
    #[napi(ts_args_type = "bytes: Uint8Array")]
    pub fn set_up(&self, bytes: Argument) -> Result<bool> {
        self.run(|State { engine, .. }| {
            let Some(listed) = engine::set_up_for(&bytes.input("bytes")?) else { return Ok(false) };
            for instrument in listed {
                match engine.add_instrument(instrument) {
                    Ok(_) | Err(EngineError::InUse) => {}
                    Err(error) => return Err(engine_error(error)),
                }
            }
            Ok(true)
        })
    }

    /// Opens a recording that says how its connections were taken, for these instruments, of whichever venues.
    #[napi(ts_args_type = "instruments: Uint32Array")]
    pub fn open_recorded(&self, instruments: Argument) -> Result<u32> {
        self.run(|state| {
            let ids: Vec<_> = instruments.numbers("instruments")?.into_iter().map(InstrumentId).collect();
            state.open_recorded(&ids)
        })
    }

    /// Opens a connection of one venue that speaks for these instruments, and their books.
    #[napi(ts_args_type = "venue: string, instruments: Uint32Array")]
    pub fn open_source(&self, venue: Argument, instruments: Argument) -> Result<u32> {
        self.run(|state| {
            let unknown = EngineError::Instrument(InstrumentError::UnknownVenue);
            let venue = venues::from_name(&venue.text("venue")?).ok_or_else(|| engine_error(unknown))?;
            let ids: Vec<_> = instruments.numbers("instruments")?.into_iter().map(InstrumentId).collect();
            state.open_source(venue, &ids)
        })
    }

    /// The function that takes one received frame, and stamps some where the engine was told to. It returns bits: 1 records wait, 2 drain and pump, 4 see `lastError`.
    #[napi(ts_return_type = "(source: number, bytes: Uint8Array) => number")]
    pub fn ingester<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        if self.run(|state| Ok(state.stages().is_some()))? {
            function::<IngestSampled, 2>(env, &self.held)
        } else {
            function::<Ingest, 2>(env, &self.held)
        }
    }

    /// The venue's answer to the snapshot request of that ticket.
    #[napi(ts_args_type = "instrument: number, ticket: number, bytes: Uint8Array")]
    pub fn ingest_snapshot(&self, instrument: Argument, ticket: Argument, bytes: Argument) -> Result<u32> {
        self.run(|state| IngestSnapshot::call(state, [instrument, ticket, bytes]))
    }

    /// The snapshot cannot be had; the engine asks again after a pause.
    #[napi(ts_args_type = "instrument: number")]
    pub fn snapshot_failed(&self, instrument: Argument) -> Result<()> {
        self.run(|state| {
            let now = state.now();
            state.engine.failed(InstrumentId(instrument.u32("instrument")?), now);
            Ok(())
        })
    }

    /// Whole lines or messages of a recording up to the first after `untilNs`; `last` says that no more bytes follow. The
    /// control block then holds the bytes consumed and the times of the last and of the next line.
    #[napi(ts_args_type = "source: number, bytes: Uint8Array, untilNs: bigint, last: boolean")]
    pub fn ingest_recording(
        &self,
        source: Argument,
        bytes: Argument,
        until_ns: Argument,
        last: Argument,
    ) -> Result<u32> {
        self.run(|state| IngestRecording::call(state, [source, bytes, until_ns, last]))
    }

    /// The source failed for good: its books are stale until their venue's numbers, or a new snapshot, say otherwise.
    #[napi(ts_args_type = "source: number")]
    pub fn source_failed(&self, source: Argument) -> Result<u32> {
        self.run(|state| {
            let source = source.u32("source")?;
            let now = state.now();
            state.record.heard(&mut state.engine, source, now, &Input::Closed);
            Ok(state.input_at(
                now,
                0,
                |engine, now| engine.source_failed(SourceId(source), now).map_err(IngestError::from),
                || format!("source {source}"),
            ))
        })
    }

    /// Nothing more comes from the source: what waits for its other line waits no longer.
    #[napi(ts_args_type = "source: number")]
    pub fn source_ended(&self, source: Argument) -> Result<u32> {
        self.run(|state| {
            let source = source.u32("source")?;
            Ok(state.input(
                0,
                |engine, now| engine.ended(SourceId(source), now).map_err(IngestError::from),
                || format!("source {source}"),
            ))
        })
    }

    /// The source will speak of instruments that it does not carry: a snapshot that names none is nobody's.
    #[napi(ts_args_type = "source: number")]
    pub fn expect_others(&self, source: Argument) -> Result<u32> {
        self.run(|state| {
            let source = source.u32("source")?;
            Ok(state.input(
                0,
                |engine, now| engine.expect_others(SourceId(source), now).map_err(IngestError::from),
                || format!("source {source}"),
            ))
        })
    }

    /// The venue starts anew: the source's books are syncing until their next snapshots.
    #[napi(ts_args_type = "source: number")]
    pub fn reset_source(&self, source: Argument) -> Result<u32> {
        self.run(|state| {
            let source = source.u32("source")?;
            Ok(state.input(
                0,
                |engine, now| engine.reset_source(SourceId(source), now).map_err(IngestError::from),
                || format!("source {source}"),
            ))
        })
    }

    /// Every book is syncing to its readers, and nothing is published, until `release`: a recording runs to another time.
    #[napi]
    pub fn hold(&self) -> Result<u32> {
        self.run(|state| {
            let hold = |engine: &mut engine::Engine<SystemClock>, now| {
                engine.hold(now);
                Ok(())
            };
            Ok(state.input(0, hold, String::new))
        })
    }

    /// What is exact opens a new epoch, with an image of every stream.
    #[napi]
    pub fn release(&self) -> Result<u32> {
        self.run(|state| {
            let release = |engine: &mut engine::Engine<SystemClock>, now| {
                engine.release(now);
                Ok(())
            };
            Ok(state.input(0, release, String::new))
        })
    }

    /// The time of the recording that was reached last, ns since the epoch; 0 = none was.
    #[napi]
    pub fn recorded_ns(&self) -> Result<BigInt> {
        self.run(|state| RecordedNs::call(state, []).map(BigInt::from))
    }

    /// Time passes. Live by the machine's clock, on replay by the recording's.
    #[napi]
    pub fn tick(&self) -> Result<u32> {
        self.run(|state| Tick::call(state, []))
    }

    /// Moves into the ring what waits outside it.
    #[napi]
    pub fn pump(&self) -> Result<u32> {
        self.run(|state| Pump::call(state, []))
    }

    /// Writes a stream's image (or the status frame) and returns its bytes: 0 = there is none, negative = minus the bytes
    /// that it needs.
    #[napi(ts_args_type = "instrument: number, stream: number, out: Uint8Array")]
    pub fn image(&self, instrument: Argument, stream: Argument, out: Argument) -> Result<i32> {
        self.run(|state| Image::call(state, [instrument, stream, out]))
    }

    /// The stream of a depth view; the same arguments share one. `grouping`: the width of its price buckets in units of the
    /// instrument's price mantissa, a multiple of its tick; absent or 0 = levels as they are.
    #[napi(ts_args_type = "instrument: number, depth: number, intervalMs: number, grouping?: bigint")]
    pub fn open_depth(
        &self,
        instrument: Argument,
        depth: Argument,
        interval_ms: Argument,
        grouping: Argument,
    ) -> Result<u32> {
        self.run(|state| {
            let now = state.now();
            let id = InstrumentId(instrument.u32("instrument")?);
            let interval_ns = u64::from(interval_ms.u32("intervalMs")?) * 1_000_000;
            let (depth, grouping) = (depth.u32("depth")?, width(grouping)?);
            let opened = state.engine.open_grouped_depth(id, depth, interval_ns, grouping, now);
            opened.map(|stream| u32::from(stream.0)).map_err(engine_error)
        })
    }

    /// Leaves a view.
    #[napi(ts_args_type = "instrument: number, stream: number")]
    pub fn close_view(&self, instrument: Argument, stream: Argument) -> Result<()> {
        self.run(|State { engine, .. }| {
            engine.close_view(InstrumentId(instrument.u32("instrument")?), Stream(stream.u8("stream")?));
            Ok(())
        })
    }

    /// The stream of an instrument's orders, which is written while somebody has opened it.
    #[napi(ts_args_type = "instrument: number")]
    pub fn open_orders(&self, instrument: Argument) -> Result<u32> {
        self.run(|State { engine, .. }| {
            let opened = engine.open_orders(InstrumentId(instrument.u32("instrument")?));
            opened.map(|stream| u32::from(stream.0)).map_err(engine_error)
        })
    }

    /// Leaves the stream of orders.
    #[napi(ts_args_type = "instrument: number")]
    pub fn close_orders(&self, instrument: Argument) -> Result<()> {
        self.run(|State { engine, .. }| {
            engine.close_orders(InstrumentId(instrument.u32("instrument")?));
            Ok(())
        })
    }

    /// Keeps the top of a book in memory that any thread may read: a view of a SharedArrayBuffer, 64 bytes and 32 for each
    /// level of 1 to 100. The memory of an earlier call for this book is closed.
    #[napi(ts_args_type = "instrument: number, memory: Uint8Array")]
    pub fn share_book(&self, instrument: Argument, memory: Argument) -> Result<()> {
        self.run(|state| {
            let now = state.now();
            let State { engine, shared, .. } = state;
            let id = InstrumentId(instrument.u32("instrument")?);
            engine.catalogue().get(id).ok_or_else(|| unknown(id))?;
            let view = memory.shared_view();
            let mut book = view.and_then(|view| SharedBook::new(view, id)).ok_or_else(|| {
                let expected =
                    "64 bytes and 32 for each of 1 to 100 levels of a SharedArrayBuffer, 8-aligned";
                let account = Account::new("wrong memory for a book", expected, "another");
                error("addon.book_memory", account, "pass what allocateSharedBook returns")
            })?;
            engine
                .image(id, Stream::STATUS, now, |frame| book.note(&touched_by(frame)))
                .map_err(engine_error)?;
            shared.add(book, engine);
            Ok(())
        })
    }

    /// Where a book stands.
    #[napi(ts_args_type = "instrument: number")]
    pub fn book(&self, instrument: Argument) -> Result<BookInfo> {
        self.run(|state| {
            let now = state.now();
            let State { engine, .. } = state;
            let id = InstrumentId(instrument.u32("instrument")?);
            let info = engine.book_info(id, now).ok_or_else(|| unknown(id))?;
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
    #[napi(ts_args_type = "instrument: number")]
    pub fn digest(&self, instrument: Argument) -> Result<String> {
        self.run(|State { engine, .. }| {
            let id = InstrumentId(instrument.u32("instrument")?);
            engine.digest(id).ok_or_else(|| unknown(id))
        })
    }

    /// SHA-256 of what a book's own orders add up to, as text; for instruments of order feeds.
    #[napi(ts_args_type = "instrument: number")]
    pub fn orders_digest(&self, instrument: Argument) -> Result<String> {
        self.run(|State { engine, .. }| {
            engine.orders_digest(InstrumentId(instrument.u32("instrument")?)).map_err(engine_error)
        })
    }

    /// An order that rests in a book of an order feed, by the venue's number or text, and what stands before it in its queue; null
    /// when there is none.
    #[napi(ts_args_type = "instrument: number, id: bigint | string")]
    pub fn order(&self, instrument: Argument, id: Argument) -> Result<Option<OrderInfo>> {
        self.run(|State { engine, .. }| {
            let instrument = InstrumentId(instrument.u32("instrument")?);
            let text = id.text("id").ok();
            let id = match &text {
                Some(text) => VenueOrderId::Text(text.as_bytes()),
                None => VenueOrderId::Number(OrderId(id.u64("id")?)),
            };
            let found = engine.order(instrument, id).map_err(engine_error)?;
            Ok(found.map(|(order, position)| OrderInfo::new(order, position)))
        })
    }

    /// The clock that stamps `ts_send`.
    #[napi]
    pub fn now_ns(&self) -> Result<BigInt> {
        self.run(|state| NowNs::call(state, []).map(BigInt::from))
    }

    pub(crate) fn run<T>(&self, body: impl FnOnce(&mut State) -> Result<T>) -> Result<T> {
        self.held.run(body)
    }
}

pub(crate) fn unknown(instrument: InstrumentId) -> napi::Error<crate::guard::Code> {
    engine_error(EngineError::UnknownInstrument(instrument.0))
}

//! The exported `Engine`: what a connection carries, and when it begins anew.

use depthwire_core::engine::{EngineError, IngestError, SourceId};
use depthwire_core::journal::SetupKind;
use depthwire_core::types::{InstrumentError, InstrumentId};
use depthwire_core::venues;
use napi_derive::napi;

use crate::argument::Argument;
use crate::engine::Engine;
use crate::guard::Result;
use crate::state::engine_error;

#[napi]
impl Engine {
    /// Opens a connection of one venue that speaks for no instrument yet.
    #[napi(ts_args_type = "venue: string")]
    pub fn open(&self, venue: Argument) -> Result<u32> {
        self.run(|state| {
            let unknown = EngineError::Instrument(InstrumentError::UnknownVenue);
            let venue = venues::from_name(&venue.text("venue")?).ok_or_else(|| engine_error(unknown))?;
            state.open(venue)
        })
    }

    /// Lets a connection speak for instruments, too. One that several connections carry has several lines.
    #[napi(ts_args_type = "source: number, instruments: Uint32Array")]
    pub fn carry(&self, source: Argument, instruments: Argument) -> Result<()> {
        self.run(|state| {
            let source = SourceId(source.u32("source")?);
            let ids: Vec<_> = instruments.numbers("instruments")?.into_iter().map(InstrumentId).collect();
            state.carry(source, &ids)
        })
    }

    /// Lets a connection speak for what a venue tells of instruments beside their books.
    #[napi(ts_args_type = "source: number, instruments: Uint32Array")]
    pub fn carry_beside_books(&self, source: Argument, instruments: Argument) -> Result<()> {
        self.run(|state| {
            let source = SourceId(source.u32("source")?);
            let ids: Vec<_> = instruments.numbers("instruments")?.into_iter().map(InstrumentId).collect();
            state.carry_beside_books(source, &ids)
        })
    }

    /// A connection takes the place of another one, which is going to be dropped.
    #[napi(ts_args_type = "source: number, predecessor: number")]
    pub fn succeed(&self, source: Argument, predecessor: Argument) -> Result<()> {
        self.run(|state| {
            let (source, predecessor) = (source.u32("source")?, predecessor.u32("predecessor")?);
            state.engine.succeed(SourceId(source), SourceId(predecessor)).map_err(engine_error)?;
            let now = state.now();
            state.record.set_up(source, now, SetupKind::Succeeds, &predecessor.to_string());
            Ok(())
        })
    }

    /// Books of its predecessor that a connection has still to tell.
    #[napi(ts_args_type = "source: number")]
    pub fn outstanding(&self, source: Argument) -> Result<u32> {
        self.run(|state| {
            let source = SourceId(source.u32("source")?);
            state.engine.outstanding(source).map(|count| count as u32).map_err(engine_error)
        })
    }

    /// A connection speaks for an instrument no more.
    #[napi(ts_args_type = "source: number, instrument: number")]
    pub fn drop(&self, source: Argument, instrument: Argument) -> Result<u32> {
        self.run(|state| {
            let (source, instrument) = (source.u32("source")?, instrument.u32("instrument")?);
            let now = state.now();
            state.record.drops(source, InstrumentId(instrument), state.engine.catalogue(), now);
            Ok(state.input_at(
                now,
                0,
                |engine, now| {
                    engine.drop(SourceId(source), InstrumentId(instrument), now).map_err(IngestError::from)
                },
                || format!("source {source}, instrument {instrument}"),
            ))
        })
    }

    /// What was asked of the venue on a connection: its address, a subscription that was sent.
    #[napi(ts_args_type = "source: number, text: Uint8Array")]
    pub fn asked(&self, source: Argument, text: Argument) -> Result<()> {
        self.run(|state| {
            let source = SourceId(source.u32("source")?);
            let text = text.input("text")?;
            let now = state.now();
            state.record.sent(&mut state.engine, source.0, now, &text);
            state.engine.asked(source, &text).map_err(engine_error)
        })
    }

    /// A connection was made anew: what the old one told of channels and counters is forgotten.
    #[napi(ts_args_type = "source: number")]
    pub fn opened(&self, source: Argument) -> Result<u32> {
        self.run(|state| {
            let source = source.u32("source")?;
            let now = state.now();
            // Where it leads is asked next.
            state.record.connected(&mut state.engine, source, now);
            Ok(state.input_at(
                now,
                0,
                |engine, now| engine.opened(SourceId(source), now).map_err(IngestError::from),
                || format!("source {source}"),
            ))
        })
    }
}

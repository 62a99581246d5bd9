//! Lists of instruments: what a venue's endpoint answers, as objects, and taken over by an engine.

use depthwire_core::decode::DecodeError;
use depthwire_core::engine::{EngineError, IngestError, Listed};
use depthwire_core::types::{Definitions, InstrumentError, InstrumentId, Venue};
use depthwire_core::venues;
use napi_derive::napi;

use crate::argument::Argument;
use crate::engine::Engine;
use crate::guard::{Code, Result, error, guard};
use crate::info::InstrumentInfo;
use crate::state::engine_error;

/// An instrument as its venue lists it.
#[napi(object)]
pub struct ListedInstrument {
    /// What it is; `id` is 0, for no engine has it.
    pub instrument: InstrumentInfo,
    /// `unknown`, `trading`, `halted`, `auction`, `limited` or `closed`.
    pub status: String,
}

/// A page of a venue's list.
#[napi(object)]
pub struct InstrumentPage {
    /// In the venue's order.
    pub instruments: Vec<ListedInstrument>,
    /// Entries that are no instruments here.
    pub passed_over: u32,
    /// What the next page is asked for with; absent from the last.
    pub next: Option<String>,
}

/// An instrument that an engine took over from a list.
#[napi(object)]
pub struct DefinedInstrument {
    /// Number on the wire.
    pub id: u32,
    /// Part of the name after the colon.
    pub symbol: String,
    /// What it was before: `new`, `changed` or `same`.
    pub listed: String,
}

/// What became of a list.
#[napi(object)]
pub struct DefinedInstruments {
    /// As inputs return them.
    pub flags: u32,
    /// Those that were named and listed.
    pub instruments: Vec<DefinedInstrument>,
}

/// Reads the untouched answer of a venue's endpoint of instruments. Throws `decode.*`, `instrument.unknown_venue`.
#[napi(ts_args_type = "venue: string, answer: Uint8Array")]
pub fn instrument_page(venue: Argument, answer: Argument) -> Result<InstrumentPage> {
    guard(|| {
        let list = listed(venue_of(&venue)?, &answer)?;
        let entry = |instrument| ListedInstrument {
            instrument: InstrumentInfo::from((InstrumentId(0), instrument)),
            status: instrument.terms.status.name().to_owned(),
        };
        Ok(InstrumentPage {
            instruments: list.list().iter().map(entry).collect(),
            passed_over: list.passed_over(),
            next: list.next().map(str::to_owned),
        })
    })
}

#[napi]
impl Engine {
    /// Takes over from the untouched answer of a venue's endpoint of instruments those whose symbols `symbols` holds, as
    /// UTF-8 with a line each. One with a book keeps its numbers, which become finer where they must.
    #[napi(ts_args_type = "venue: string, answer: Uint8Array, symbols: Uint8Array")]
    pub fn define(&self, venue: Argument, answer: Argument, symbols: Argument) -> Result<DefinedInstruments> {
        self.run(|state| {
            let list = listed(venue_of(&venue)?, &answer)?;
            let symbols = symbols.input("symbols")?;
            let wanted: std::collections::HashSet<&[u8]> = symbols.split(|byte| *byte == b'\n').collect();
            let mut instruments = Vec::new();
            let define = |engine: &mut depthwire_core::engine::Engine<_>, now| {
                for instrument in list.list().iter().filter(|one| wanted.contains(one.symbol.as_bytes())) {
                    let (id, listed) = engine.define(instrument.clone(), now).map_err(IngestError::from)?;
                    let listed = match listed {
                        Listed::New => "new",
                        Listed::Changed => "changed",
                        Listed::Same => "same",
                    };
                    let symbol = instrument.symbol.clone();
                    instruments.push(DefinedInstrument { id: id.0, symbol, listed: listed.to_owned() });
                }
                Ok(())
            };
            let now = state.now();
            for instrument in list.list().iter().filter(|one| wanted.contains(one.symbol.as_bytes())) {
                state.record.defines(instrument, state.engine.catalogue(), now);
            }
            let flags = state.input_at(now, 0, define, || "list of instruments".to_owned());
            Ok(DefinedInstruments { flags, instruments })
        })
    }
}

/// The venue of a name of the table.
pub(crate) fn venue_of(name: &Argument) -> Result<Venue> {
    let unknown = || engine_error(EngineError::Instrument(InstrumentError::UnknownVenue));
    venues::from_name(&name.text("venue")?).ok_or_else(unknown)
}

fn listed(venue: Venue, answer: &Argument) -> Result<Definitions> {
    venues::instruments(venue, &answer.input("answer")?).map_err(decode_error)
}

fn decode_error(wrong: DecodeError) -> napi::Error<Code> {
    error(wrong.code(), wrong.account(), wrong.fix())
}

//! Recordings whose venues send a checksum of the book with every update.

use std::io::Read;
use std::ops::Range;

use depthwire_core::engine::{Engine, EngineConfig, SourceId};
use depthwire_core::recording::{Entry, Heard, Transcript};
use depthwire_core::types::{Instrument, InstrumentId, NoClock, Route, Routes, Slot, Venue};
use depthwire_core::venues;

use super::{LoadError, Size, expected, recorded_file};
use crate::pipeline::drain;

/// Frames of a run, at least; the recordings are begun again as often as that takes.
const FRAMES_MIN: usize = 1_000_000;

/// What one connection was told.
#[derive(Debug)]
pub struct CheckedStream {
    /// Who spoke.
    pub venue: Venue,
    /// Of what, with the digits that the frames have.
    pub instruments: Vec<Instrument>,
    /// Checksums in the frames; all agree.
    pub checksums: u64,
    bytes: Vec<u8>,
    frames: Vec<Range<usize>>,
}

impl CheckedStream {
    /// The frames, in order.
    pub fn frames(&self) -> impl Iterator<Item = &[u8]> {
        self.frames.iter().filter_map(|frame| self.bytes.get(frame.clone()))
    }

    /// The way of its messages: slots as the instruments stand in the list.
    #[must_use]
    pub fn routes(&self) -> Routes {
        let mut routes = Routes::new();
        for (slot, instrument) in (0..).zip(&self.instruments) {
            let Instrument { price_exponent, qty_exponent, .. } = *instrument;
            routes.carry(instrument.wire_codes(), Route { slot: Slot(slot), price_exponent, qty_exponent });
        }
        routes
    }

    /// Opens it as a source of an engine.
    ///
    /// # Errors
    /// What was refused, for people.
    pub fn open(&self, engine: &mut Engine<NoClock>) -> Result<SourceId, String> {
        let add = |instrument: &Instrument| engine.add_instrument(instrument.clone());
        let ids: Result<Vec<InstrumentId>, _> = self.instruments.iter().map(add).collect();
        let opened = ids.and_then(|ids| engine.open_source(self.venue, &ids));
        opened.map_err(|error| error.to_string())
    }
}

/// An engine for streams.
#[must_use]
pub fn checked_engine() -> Engine<NoClock> {
    let config = EngineConfig { silence_ns: None, is_replay: true, ..EngineConfig::default() };
    Engine::new(config, venues::catalogue(), NoClock)
}

/// Connections that are heard side by side.
#[derive(Debug)]
pub struct CheckedStreams {
    /// Each of them.
    pub streams: Vec<CheckedStream>,
    /// How often a run goes through them. Each pass begins with the recordings' snapshots.
    pub passes: usize,
    /// Whose turn it is: a stream and one of its frames.
    turns: Vec<(usize, usize)>,
}

impl CheckedStreams {
    /// All frames with the streams that they are of, each stream's in its order, spread evenly.
    pub fn frames(&self) -> impl Iterator<Item = (usize, &[u8])> {
        self.turns.iter().filter_map(|&(stream, frame)| {
            let of = self.streams.get(stream)?;
            Some((stream, of.bytes.get(of.frames.get(frame)?.clone())?))
        })
    }

    /// Frames of a run.
    #[must_use]
    pub fn frames_in_run(&self) -> u64 {
        (self.turns.len() * self.passes) as u64
    }

    /// Checksums of a run.
    #[must_use]
    pub fn checksums_in_run(&self) -> u64 {
        self.streams.iter().map(|stream| stream.checksums).sum::<u64>() * self.passes as u64
    }
}

/// Reads recordings, each by its name in `test/recordings.json`.
pub(super) fn load(names: &[&str], size: Size) -> Result<CheckedStreams, LoadError> {
    let broken = |name: &str, what: String| LoadError::Broken(format!("{name}: {what}"));
    let read = |name: &&str| {
        let known = expected::checksums(name);
        let mut text = Vec::new();
        for file in &known.files {
            unpack(&recorded_file(file)?, &mut text).map_err(|error| broken(file, error.to_string()))?;
        }
        stream(known, &text).map_err(|what| broken(name, what))
    };
    let streams: Vec<CheckedStream> = names.iter().map(read).collect::<Result<_, _>>()?;
    let mut turns = Vec::new();
    for (at, stream) in streams.iter().enumerate() {
        turns.extend((0..stream.frames.len()).map(|frame| (at, frame)));
    }
    // By how far each stream has come; the sort is stable.
    let share = |&(stream, frame): &(usize, usize)| {
        (frame << 32) / streams.get(stream).map_or(1, |of| of.frames.len())
    };
    turns.sort_by_key(share);
    let frames_min = match size {
        Size::Gate | Size::Tiny => 1,
        Size::Quick => FRAMES_MIN / 10,
        Size::Full => FRAMES_MIN,
    };
    Ok(CheckedStreams { passes: frames_min.div_ceil(turns.len().max(1)), streams, turns })
}

/// The frames of a recording that are of the product that is meant. One pass of an engine tells which: recordings of a
/// whole venue hold other products' too.
fn stream(known: &expected::Checksums, text: &[u8]) -> Result<CheckedStream, String> {
    let named = |name: &String| {
        let (venue, code) = venues::split_name(name).map_err(|error| error.to_string())?;
        let instrument = venues::instrument(venue, code).map_err(|error| error.to_string())?;
        Ok::<_, String>((venue, instrument))
    };
    let named: Vec<_> = known.instruments.iter().map(named).collect::<Result<_, _>>()?;
    let venue = named.first().map(|(venue, _)| *venue).ok_or("no instrument")?;
    let instruments = named.into_iter().map(|(_, instrument)| instrument).collect();
    let checksums = known.checksums;
    let mut stream = CheckedStream { venue, instruments, checksums, bytes: Vec::new(), frames: Vec::new() };
    let mut engine = checked_engine();
    let source = stream.open(&mut engine)?;
    let (mut transcript, mut at) = (Transcript::default(), 0);
    while let Ok(Entry { end, heard, .. }) = transcript.next(text, at, true) {
        at = end;
        let Heard::Received { bytes, .. } = heard.map_err(|error| error.to_string())? else { continue };
        let taken = engine.ingest(source, bytes, 0);
        drain(engine.outbox(), |_| {});
        match taken {
            Ok(()) => {
                let start = stream.bytes.len();
                stream.bytes.extend_from_slice(bytes);
                stream.frames.push(start..stream.bytes.len());
            }
            Err(error) if error.is_foreign() => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    for instrument in &mut stream.instruments {
        let id = engine.catalogue().find(venue, &instrument.symbol);
        let shown = id.and_then(|id| engine.catalogue().get(id)).ok_or("an instrument is lost")?;
        instrument.clone_from(shown);
    }
    Ok(stream)
}

/// Appends a file, unpacked where it is packed.
fn unpack(file: &std::path::Path, text: &mut Vec<u8>) -> std::io::Result<()> {
    let bytes = std::fs::read(file)?;
    if file.extension().is_some_and(|end| end == "zst") {
        zstd::stream::Decoder::new(&*bytes)?.read_to_end(text)?;
    } else {
        text.extend_from_slice(&bytes);
    }
    Ok(())
}

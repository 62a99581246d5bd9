//! Recordings of real venues, and a simulated twin that needs no file.

use std::fs::File;
use std::io::Read;
use std::ops::Range;

use depthwire_core::book::BookSpec;
use depthwire_core::engine::LEVELS_MAX;
use depthwire_core::recording::{Entry, Heard, Transcript};
use depthwire_core::sequence::{Chain, SeqOutcome};
use depthwire_core::types::{
    Body, Event, Events, InstrumentId, KnownTo, Levels, Route, Routes, Slot, Venue, VenueSeq,
};
use depthwire_core::venues::{self, At, FrameError, Session};

use super::levels::{LevelBook, LevelStream, LevelUpdate};
use super::{LoadError, Size, expected, recorded_file};

/// Text of the recordings that instruction gates read.
const GATE_BYTES: u64 = 2 << 20;

/// A recording of one instrument in the collector's text form.
#[derive(Clone, Copy, Debug)]
pub struct Feed {
    /// Where it was recorded.
    pub venue: Venue,
    /// The venue's symbol.
    pub symbol: &'static str,
    /// Where the bytes come from.
    pub origin: Origin,
}

/// Where a recording's bytes come from and what is known of them.
#[derive(Clone, Copy, Debug)]
pub enum Origin {
    /// Files that `test/recordings.json` lists for the workload's name, read one after the other, with what it knows of them.
    Recorded,
    /// Seed and market time in milliseconds.
    Simulated(u64, u64),
}

/// What the checker in another language finds in a recording (`oracle/binance_collector.py` beside the recordings).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known<'a> {
    /// Lines of all kinds.
    pub lines: u64,
    /// Depth messages.
    pub depth_messages: u64,
    /// Levels in them.
    pub level_changes: u64,
    /// Depth messages that belong on top of the snapshot.
    pub applied_messages: u64,
    /// Levels in those.
    pub applied_level_changes: u64,
    /// SHA-256 of the final book's text form.
    pub digest: &'a str,
}

/// Start of the simulated market's time, in milliseconds since the epoch.
const SIM_START_MS: u64 = 1_723_161_254_000;

/// A recording in memory, with the answers that every benchmark must reach.
#[derive(Debug)]
pub struct Recording {
    /// Where it was recorded.
    pub venue: Venue,
    /// The venue's symbol.
    pub symbol: &'static str,
    /// The only instrument that it speaks of, and the way of its messages.
    pub id: InstrumentId,
    /// See [`Self::id`].
    pub routes: Routes,
    /// The bytes: lines `<ns> <JSON>`.
    pub text: Vec<u8>,
    /// Lines in it.
    pub lines: u64,
    /// Depth messages in it, and their levels.
    pub depth_messages: u64,
    /// Levels in all depth messages.
    pub level_changes: u64,
    /// Where the snapshot and the depth frames stand in `text`, in order.
    pub book_frames: Vec<Range<usize>>,
    /// How many of them come up to the snapshot, itself included.
    pub lead_frames: usize,
}

impl Feed {
    /// Reads or generates the bytes, decodes them, and lets the oracle answer. A whole recording must hold what is
    /// known of it. Costs up to a second and some 50 MB.
    pub(super) fn load(self, name: &str, size: Size) -> Result<(Recording, LevelStream), LoadError> {
        let mut text = Vec::new();
        match self.origin {
            Origin::Recorded => {
                for file in &expected::book(name).files {
                    unpack(&recorded_file(file)?, size, &mut text)
                        .map_err(|error| LoadError::Broken(format!("{file}: {error}")))?;
                }
            }
            Origin::Simulated(seed, duration_ms) => {
                let duration_ms = if size == Size::Gate { duration_ms / 10 } else { duration_ms };
                depthwire_sim::recording(self.symbol, seed, SIM_START_MS, duration_ms, &mut text)
                    .map_err(|error| LoadError::Broken(error.to_string()))?;
            }
        }
        let (recording, stream) = self.read(text).map_err(LoadError::Broken)?;
        if matches!(self.origin, Origin::Recorded) && size != Size::Gate {
            let known = expected::book(name);
            let known = Known {
                lines: known.frames,
                depth_messages: known.book_messages,
                level_changes: known.level_changes,
                applied_messages: known.applied,
                applied_level_changes: known.applied_level_changes,
                digest: &known.digest,
            };
            let found = Known {
                lines: recording.lines,
                depth_messages: recording.depth_messages,
                level_changes: recording.level_changes,
                applied_messages: stream.updates.len() as u64,
                applied_level_changes: stream.level_changes,
                digest: &stream.digest,
            };
            if found != known {
                return Err(LoadError::Broken(format!("expected {known:?}, got {found:?}")));
            }
        }
        Ok((recording, stream))
    }

    fn read(self, text: Vec<u8>) -> Result<(Recording, LevelStream), String> {
        let catalogue = venues::catalogue();
        let id = catalogue.find(self.venue, self.symbol).ok_or("not in the catalogue")?;
        let instrument = catalogue.get(id).ok_or("not in the catalogue")?;
        let (price_exponent, qty_exponent) = (instrument.price_exponent, instrument.qty_exponent);
        let spec = BookSpec { tick_size: instrument.tick_size, levels_max: LEVELS_MAX };
        let mut routes = Routes::new();
        routes.carry(
            [self.symbol.as_bytes()].into_iter(),
            Route { slot: Slot(0), price_exponent, qty_exponent },
        );
        let recording = Recording {
            venue: self.venue,
            symbol: self.symbol,
            id,
            routes,
            text: Vec::new(),
            lines: 0,
            depth_messages: 0,
            level_changes: 0,
            book_frames: Vec::new(),
            lead_frames: 0,
        };
        let mut collected = Collected { recording, snapshot: None, updates: Vec::new() };
        collected.collect(&text)?;
        let Collected { mut recording, snapshot, updates } = collected;
        let snapshot = snapshot.ok_or("it holds no snapshot")?;
        recording.text = text;
        let known_to = KnownTo {
            bid: snapshot.bids.iter().map(|level| level.price).min().unwrap_or(KnownTo::WHOLE.bid),
            ask: snapshot.asks.iter().map(|level| level.price).max().unwrap_or(KnownTo::WHOLE.ask),
        };
        let book = LevelBook { spec, price_exponent, qty_exponent, snapshot, known_to };
        Ok((recording, LevelStream::new(vec![book], updates)?))
    }
}

/// A recording while it is read.
struct Collected {
    recording: Recording,
    snapshot: Option<Levels>,
    updates: Vec<LevelUpdate>,
}

impl Collected {
    /// Decodes all lines and keeps the book's.
    fn collect(&mut self, text: &[u8]) -> Result<(), String> {
        let mut reader = FrameReader::new(self.recording.venue);
        let mut chain = None;
        let mut waiting = Vec::new();
        for frame in frames(text)? {
            self.recording.lines += 1;
            let bytes = &text[frame.clone()];
            let event = reader.read(bytes, &self.recording.routes).map_err(|error| error.to_string())?;
            let Some(Event { body: body @ (Body::Levels(..) | Body::Book(..)), .. }) = event else {
                continue;
            };
            self.recording.book_frames.push(frame);
            match body {
                Body::Levels(seq, span) => {
                    let levels = reader.levels(span);
                    self.recording.depth_messages += 1;
                    self.recording.level_changes += levels.len() as u64;
                    match &mut chain {
                        None => waiting.push((seq, levels)),
                        Some(chain) => self.apply(chain, seq, levels)?,
                    }
                }
                Body::Book(seq, span, ..) if chain.is_none() => {
                    self.recording.lead_frames = self.recording.book_frames.len();
                    self.snapshot = Some(reader.levels(span));
                    let mut started = Chain::new(venues::product(self.recording.venue).rule, seq.last);
                    for (seq, levels) in waiting.drain(..) {
                        self.apply(&mut started, seq, levels)?;
                    }
                    chain = Some(started);
                }
                _ => return Err("it holds more than one snapshot".to_owned()),
            }
        }
        Ok(())
    }

    fn apply(&mut self, chain: &mut Chain, seq: VenueSeq, levels: Levels) -> Result<(), String> {
        match chain.check(&seq) {
            SeqOutcome::Old => {}
            SeqOutcome::Next => {
                chain.advance(&seq);
                self.updates.push(LevelUpdate { book: 0, levels });
            }
            SeqOutcome::Gap { expected, received } => {
                return Err(format!("a gap: expected {expected}, received {received}"));
            }
        }
        Ok(())
    }
}

/// Where the frames of a recording stand in its text.
///
/// # Errors
/// The first line that is none.
pub fn frames(text: &[u8]) -> Result<Vec<Range<usize>>, String> {
    let mut transcript = Transcript::default();
    let (mut at, mut frames) = (0, Vec::new());
    while let Ok(Entry { end, heard, .. }) = transcript.next(text, at, true) {
        at = end;
        match heard {
            Ok(Heard::Received { bytes, .. }) => {
                let start = bytes.as_ptr().addr() - text.as_ptr().addr();
                frames.push(start..start + bytes.len());
            }
            Ok(_) => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(frames)
}

/// The room of a venue, and what the last frame said.
#[derive(Debug)]
pub struct FrameReader {
    session: Session,
    /// What the last frame said.
    pub events: Events,
}

impl FrameReader {
    /// A connection to a venue.
    #[must_use]
    pub fn new(venue: Venue) -> Self {
        Self { session: venues::session(venue), events: Events::default() }
    }

    /// What a frame says, which is one thing on the venues of the recordings.
    ///
    /// # Errors
    /// Why it says nothing.
    #[inline]
    pub fn read(&mut self, frame: &[u8], routes: &Routes) -> Result<Option<Event>, FrameError> {
        self.hear(frame, routes)?;
        Ok(self.events.list().first().copied())
    }

    /// Reads a frame into [`Self::events`].
    ///
    /// # Errors
    /// Why it says nothing.
    #[inline]
    pub fn hear(&mut self, frame: &[u8], routes: &Routes) -> Result<(), FrameError> {
        self.events.clear();
        self.session.frame(frame, At::default(), routes, &mut self.events)
    }

    fn levels(&self, span: depthwire_core::types::LevelSpan) -> Levels {
        let sides = self.events.levels(span);
        Levels { bids: sides.bids.to_vec(), asks: sides.asks.to_vec() }
    }
}

impl Recording {
    /// Number of its instrument.
    #[must_use]
    pub const fn instrument(&self) -> InstrumentId {
        self.id
    }
}

/// Appends the lines of a file; an instruction gate wants the first ones.
fn unpack(file: &std::path::Path, size: Size, text: &mut Vec<u8>) -> std::io::Result<()> {
    let bytes_max = if size == Size::Gate { GATE_BYTES.saturating_sub(text.len() as u64) } else { u64::MAX };
    flate2::read::MultiGzDecoder::new(File::open(file)?).take(bytes_max).read_to_end(text)?;
    let end = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    text.truncate(end);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWIN: Feed = Feed { venue: venues::SIM, symbol: "BTCUSDT", origin: Origin::Simulated(7, 3_000) };

    #[test]
    fn the_simulated_twin_needs_no_file_and_is_the_same_each_time() {
        let (_, first) = TWIN.load("twin", Size::Full).map_err(|error| error.to_string()).unwrap();
        let (_, second) = TWIN.load("twin", Size::Full).map_err(|error| error.to_string()).unwrap();
        assert!(first.updates.len() > 10, "{}", first.updates.len());
        assert_eq!(first.answer, second.answer);
    }

    #[test]
    fn a_recording_with_a_hole_is_no_workload() {
        let (whole, _) = TWIN.load("twin", Size::Full).map_err(|error| error.to_string()).unwrap();
        let cut = whole.book_frames[whole.lead_frames + 3].clone();
        let line_start =
            whole.text[..cut.start].iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let text = [&whole.text[..line_start], &whole.text[cut.end + 1..]].concat();
        assert!(TWIN.read(text).is_err_and(|what| what.starts_with("a gap")));
    }
}

//! What a recording tells, frame by frame, for those who tell it again: of which instrument a frame is, and of which channel,
//! by what its venue's room makes of it.

use super::scale::{ROUNDS_MAX, fitting};
use super::{EngineError, IngestError};
use crate::recording::{Entry, Heard, Transcript};
use crate::types::{Body, Events, Instrument, Origin, Route, Routes, Scope, Slot, TimeNs, Venue};
use crate::venues::{Asked, At, FrameError, Session, Sightings};

/// What a frame brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brings {
    /// Nothing of a market: an acknowledgement, a notice, a heartbeat.
    Nothing,
    /// The same, of no instrument and before a connection has told anything of a market: how the venue received its client.
    Greeting,
    /// What an instrument is, or whether it trades.
    Definition,
    /// Levels of a book.
    Book,
    /// Orders.
    Orders,
    /// Trades.
    Trades,
    /// A top of book, statistics, liquidations.
    Ticker,
    /// The answer to a request for a book, whether its recorder kept it as one or among what the connection said.
    Answer,
}

/// A frame of a recording as it was received, or an answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told<'a> {
    /// When; 0 = nothing says.
    pub ts: TimeNs,
    /// Number of its connection within the recording.
    pub line: u32,
    /// Place of its instrument in the list that was given; `None` for one of no instrument, or of several.
    pub subject: Option<u32>,
    /// What it brings.
    pub brings: Brings,
    /// It.
    pub bytes: &'a [u8],
}

/// What is remembered of a connection.
#[derive(Debug)]
struct Line {
    room: Session,
    /// Since it was made it has told something of a market.
    has_told: bool,
}

/// Reads a recording of one product as [`Engine::replay`](super::Engine::replay) does, but keeps no book.
#[derive(Debug)]
pub struct Contents {
    venue: Venue,
    transcript: Transcript,
    lines: Vec<Line>,
    instruments: Vec<Instrument>,
    routes: Routes,
    events: Events,
    last_ts: TimeNs,
}

impl Contents {
    /// Of these instruments, by their symbols or codes. What a recording says of others is passed over.
    ///
    /// # Errors
    /// [`EngineError::Instrument`] for what is no symbol, [`EngineError::SourceInstruments`] for one that is named twice.
    pub fn new(venue: Venue, symbols: &[&str]) -> Result<Self, EngineError> {
        let mut contents = Self {
            venue,
            transcript: Transcript::default(),
            lines: Vec::new(),
            instruments: Vec::with_capacity(symbols.len()),
            routes: Routes::new(),
            events: Events::default(),
            last_ts: 0,
        };
        for (index, symbol) in symbols.iter().enumerate() {
            let instrument = crate::venues::instrument(venue, symbol).map_err(EngineError::Instrument)?;
            let known = contents.routes.len();
            let is_free = contents.routes.carry(instrument.wire_codes(), route(index as u32, &instrument));
            if !is_free || contents.routes.len() == known {
                return Err(EngineError::SourceInstruments);
            }
            contents.instruments.push(instrument);
        }
        Ok(contents)
    }

    /// The scale of an instrument that holds every number of its frames so far: exponents of prices and quantities.
    #[must_use]
    pub fn exponents(&self, index: u32) -> Option<(i8, i8)> {
        self.instruments.get(index as usize).map(|of| (of.price_exponent, of.qty_exponent))
    }

    /// The file is over; what comes next is another one.
    pub fn file_ended(&mut self) {
        self.transcript.file_ended();
    }

    /// Hands `take` what `bytes` hold until it answers false, and returns how many of them were used; the rest goes in again,
    /// at the head of the next call. `last`: the bytes of this file end here. Frames of other instruments and what cannot be
    /// read as a part of a recording are left out; a frame that the venue's room cannot read is not.
    ///
    /// # Errors
    /// What is wrong with the recording's form, where nothing of it can be read.
    pub fn read(
        &mut self,
        bytes: &[u8],
        last: bool,
        mut take: impl FnMut(Told<'_>) -> bool,
    ) -> Result<usize, IngestError> {
        let Self { venue, transcript, lines, instruments, routes, events, last_ts } = self;
        let mut at = 0;
        let mut goes_on = true;
        while goes_on {
            let entry = match transcript.next(bytes, at, last) {
                Ok(entry) => entry,
                Err(used) => return Ok(used),
            };
            let Entry { end, ts, heard, .. } = entry;
            at = end;
            let (line, is_answer, url, frame) = match heard {
                Ok(Heard::Received { line, bytes }) => (line, false, &[][..], bytes),
                Ok(Heard::Answered { url, bytes }) => (0, true, url, bytes),
                Ok(Heard::Sent { line, bytes }) => {
                    line_of(lines, *venue, line).room.asked(bytes);
                    continue;
                }
                Ok(Heard::Connected { line, address }) => {
                    let Line { room, has_told } = line_of(lines, *venue, line);
                    room.opened(At { ts_recv: ts, line, is_datagram: false }, events);
                    room.asked(address);
                    *has_told = false;
                    continue;
                }
                Ok(_) => continue,
                Err(error) if error.code() == "recording.unknown_format" => return Err(error.into()),
                Err(_) => continue,
            };
            let Line { room, has_told } = line_of(lines, *venue, line);
            let ts = if ts == 0 { room.time(frame) } else { ts };
            *last_ts = if ts == 0 { *last_ts } else { ts };
            let at = At { ts_recv: *last_ts, line, is_datagram: false };
            let mut read = |is_answer: bool| {
                fitted(instruments, routes, events, frame, |routes, events| {
                    let asked = Asked { routes, url };
                    if is_answer {
                        room.answer(&asked, frame, at, events)
                    } else {
                        room.frame(frame, at, routes, events)
                    }
                })
            };
            let mut result = read(is_answer);
            let is_no_book = result.as_ref().is_err_and(|error| error.code() == "decode.not_snapshot");
            // A frame that is alone in its file looks like an answer.
            let is_answer = is_answer && !(is_no_book && url.is_empty());
            if is_no_book && !is_answer {
                result = read(false);
            }
            let refused = result.as_ref().map_or_else(FrameError::code, |()| "");
            if refused == "decode.unknown_symbol" {
                continue;
            }
            let (brings, subject) = match of(events) {
                _ if refused == "decode.ambiguous_snapshot" => (Brings::Answer, None),
                (Brings::Nothing, None) if !is_answer => (Brings::Nothing, sighted(room, frame, instruments)),
                known => known,
            };
            // One that brings nothing is a book all the same, which cannot be joined to what was heard here.
            if is_answer && (result.is_err() || subject.is_none()) {
                continue;
            }
            let brings = match (brings, subject) {
                _ if is_answer => Brings::Answer,
                (Brings::Nothing, None) if !*has_told => Brings::Greeting,
                _ => brings,
            };
            *has_told |= !matches!(brings, Brings::Nothing | Brings::Greeting | Brings::Answer);
            let subject = subject.map(|slot| slot.0);
            goes_on = take(Told { ts: *last_ts, line, subject, brings, bytes: frame });
        }
        Ok(at)
    }
}

const fn route(index: u32, of: &Instrument) -> Route {
    Route { slot: Slot(index), price_exponent: of.price_exponent, qty_exponent: of.qty_exponent }
}

fn line_of(lines: &mut Vec<Line>, venue: Venue, line: u32) -> &mut Line {
    let index = line as usize;
    while lines.len() <= index {
        lines.push(Line { room: crate::venues::session(venue), has_told: false });
    }
    &mut lines[index]
}

/// Reads a frame, at a finer scale of its instrument where it needs one.
fn fitted(
    instruments: &mut [Instrument],
    routes: &mut Routes,
    events: &mut Events,
    frame: &[u8],
    mut read: impl FnMut(&Routes, &mut Events) -> Result<(), FrameError>,
) -> Result<(), FrameError> {
    events.clear();
    let mut result = read(routes, events);
    for _ in 0..ROUNDS_MAX {
        let Err(error) = &result else { break };
        let Some(slot) = events.subject() else { break };
        let Some(of) = instruments.get_mut(slot.0 as usize) else { break };
        let Some(to) = fitting(frame, error, of.scale_source, (of.price_exponent, of.qty_exponent)) else {
            break;
        };
        (of.price_exponent, of.qty_exponent) = to;
        routes.rescale(route(slot.0, of));
        events.clear();
        result = read(routes, events);
    }
    result
}

/// What the events of a frame bring, and of which instrument: of several nobody's. Of a frame that cannot be read only whom it
/// concerns is known.
fn of(events: &Events) -> (Brings, Option<Slot>) {
    let mut brings = Brings::Nothing;
    let mut slots = None;
    for event in events.list() {
        let what = match event.body {
            Body::Book(_, _, _, Origin::Answer | Origin::Anonymous) => Brings::Answer,
            Body::Book(..) | Body::Levels(..) | Body::VerbedLevels(..) | Body::CheckLevels(_) => Brings::Book,
            Body::OrderBook(..) | Body::Orders(..) | Body::NumberedOrders(..) | Body::CheckOrders(_) => {
                Brings::Orders
            }
            Body::Trades(_) => Brings::Trades,
            Body::Bbo(_) | Body::Ticker(_) | Body::Liquidations(_) => Brings::Ticker,
            Body::Definition(_) | Body::Trading(_) => Brings::Definition,
            Body::Check(_) | Body::Lost { .. } | Body::Restart(_) => continue,
        };
        // What is told beside a definition is what was subscribed.
        if matches!(brings, Brings::Nothing | Brings::Definition) {
            brings = what;
        }
        let (first, is_one) = slots.unwrap_or((event.slot, true));
        slots = Some((first, is_one && first == event.slot));
    }
    let concerned = match events.concerned() {
        Some(Scope::Book(slot)) => Some(slot),
        _ => None,
    };
    match slots {
        Some((slot, true)) => (brings, Some(slot)),
        Some((_, false)) => (brings, None),
        None => (brings, events.subject().or(concerned)),
    }
}

/// The one carried instrument that a frame names although it says nothing of it, as an acknowledgement does.
fn sighted(room: &mut Session, frame: &[u8], instruments: &[Instrument]) -> Option<Slot> {
    let mut sightings = Sightings::default();
    room.sight(frame, &mut sightings);
    let named = sightings.instruments();
    let (_, first) = named.first()?;
    // Of several venues perhaps, but of one symbol.
    if named.iter().any(|(_, symbol)| symbol != first) {
        return None;
    }
    instruments.iter().position(|of| of.symbol == *first).map(|index| Slot(index as u32))
}

//! The frames of the feed that updates cause, made by the engine itself: what a control publishes, so that it carries the same bytes.

use depthwire_core::encode::{Kind, RECORD_HEADER_BYTES, RecordType, Stream, find_header};
use depthwire_core::engine::{Engine, EngineConfig, IngestError, SourceId};
use depthwire_core::types::{Clock, InstrumentId, NoClock, TimeNs};
use depthwire_core::venues;

use crate::fault::Fault;
use crate::updates::{INSTRUMENT, Updates};

/// Where a header has the venue's number, its stream and its kind; see `schema/feed.fbs`.
const VENUE_SEQ: usize = 24;
const KIND: usize = 60;
const STREAM: usize = 61;

/// What a frame says of itself, as far as a subscriber that measures looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The venue's number: of which update.
    pub number: u64,
    /// Whether it is of the book's stream and shows levels: an image or a change.
    pub is_book: bool,
    /// Whether it is an image.
    pub is_image: bool,
    /// Its bytes.
    pub size: usize,
}

/// Reads the first frame of some bytes. `None` where there is none that is whole.
#[inline]
#[must_use]
pub fn see(bytes: &[u8]) -> Option<Seen> {
    let size = u32::from_le_bytes(*bytes.first_chunk()?) as usize + 4;
    let frame = bytes.get(..size)?;
    let header = frame.get(find_header(frame)?..)?;
    let (kind, stream) = (*header.get(KIND)?, *header.get(STREAM)?);
    let is_image = kind == Kind::Image as u8;
    Some(Seen {
        number: u64::from_le_bytes(*header.get(VENUE_SEQ..)?.first_chunk()?),
        is_book: stream == Stream::BOOK.0 && (is_image || kind == Kind::Delta as u8),
        is_image,
        size,
    })
}

/// Writes another number of the venue into a frame.
pub fn renumber(frame: &mut [u8], number: u64) {
    if let Some(room) = find_header(frame).and_then(|at| frame.get_mut(at + VENUE_SEQ..at + VENUE_SEQ + 8)) {
        room.copy_from_slice(&number.to_le_bytes());
    }
}

/// An engine with the one book.
#[derive(Debug)]
pub struct FrameMaker {
    engine: Engine<NoClock>,
    source: SourceId,
    id: InstrumentId,
    now: TimeNs,
    is_synced: bool,
}

impl FrameMaker {
    /// One without a frame yet.
    ///
    /// # Errors
    /// None that the embedded venue gives cause to.
    pub fn new() -> Result<Self, Fault> {
        let cannot = |error: &dyn std::fmt::Display| Fault::own("the engine cannot be set up", error);
        let mut engine = Engine::new(EngineConfig::default(), venues::catalogue(), NoClock);
        let made = venues::split_name(INSTRUMENT).and_then(|(venue, symbol)| {
            let instrument = venues::instrument(venue, symbol)?;
            Ok((venue, instrument))
        });
        let (venue, instrument) = made.map_err(|error| cannot(&format_args!("{error:?}")))?;
        let id = engine.add_instrument(instrument).map_err(|error| cannot(&format_args!("{error:?}")))?;
        let source = engine.open_source(venue, &[id]).map_err(|error| cannot(&format_args!("{error:?}")))?;
        Ok(Self { engine, source, id, now: 1, is_synced: false })
    }

    /// Takes an update and hands out the book's frames that it caused, with their numbers.
    ///
    /// # Errors
    /// The update is refused.
    pub fn take(&mut self, update: &[u8], to: impl FnMut(u64, &[u8])) -> Result<(), Fault> {
        self.now += 1;
        let taken = self.engine.ingest(self.source, update, self.now);
        self.hand_out(taken, to)
    }

    /// The same with stage stamps; answers for whom they are.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub fn take_stamped(
        &mut self,
        update: &[u8],
        stamps: &impl Clock,
        to: impl FnMut(u64, &[u8]),
    ) -> Result<Option<InstrumentId>, Fault> {
        self.now += 1;
        let taken = self.engine.ingest_stamped(self.source, update, self.now, stamps);
        let subject = self.engine.subject();
        self.hand_out(taken, to)?;
        Ok(subject)
    }

    #[inline]
    fn hand_out(
        &mut self,
        taken: Result<(), IngestError>,
        mut to: impl FnMut(u64, &[u8]),
    ) -> Result<(), Fault> {
        let refused = |error: &dyn std::fmt::Display| {
            Fault::own("the engine refuses what the bench command itself makes", error)
        };
        taken.map_err(|error| refused(&format_args!("{error:?}")))?;
        let mut ticket = None;
        loop {
            let outbox = self.engine.outbox();
            while let Some(record) = outbox.front() {
                let payload = &record[RECORD_HEADER_BYTES..];
                if record[4] == RecordType::Frame as u8 {
                    if let Some(seen) = see(payload).filter(|seen| seen.is_book) {
                        to(seen.number, &payload[..seen.size]);
                    }
                } else if record[4] == RecordType::Ask as u8 {
                    ticket = payload.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
                }
                outbox.take();
            }
            let Some(asked) = ticket.take().filter(|_| !std::mem::replace(&mut self.is_synced, true)) else {
                return Ok(());
            };
            self.engine
                .answer(self.id, asked, &Updates::snapshot(), self.now)
                .map_err(|error| refused(&format_args!("{error:?}")))?;
        }
    }
}

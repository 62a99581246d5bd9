//! Bringing a reader that was away to the present of a stream.

use super::instrument::InstrumentState;
use super::{Engine, EngineConfig, EngineError};
use crate::encode::Stream;
use crate::types::{BookState, Clock, InstrumentId, TimeNs};

/// A place in a stream. Zeros: before everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Epoch of the instrument.
    pub epoch: u64,
    /// Sequence of the stream.
    pub seq: u64,
}

/// What a reader that was away wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Every frame that it missed.
    Range,
    /// The net change.
    Net,
}

/// What brings a reader to the present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brought {
    /// It is there already; or its book is not synced, and then it is told so by the status frame.
    Nothing,
    /// Every frame that it missed, as they were published.
    Range,
    /// One frame with the net change.
    Net,
    /// An image; without bytes where there is none yet, and the next one is to be waited for.
    Image,
}

impl Brought {
    /// Its word in the addon's contract with TypeScript.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Range => "range",
            Self::Net => "net",
            Self::Image => "image",
        }
    }
}

/// Frames on their way into memory that may be too small for them.
struct Writer<'a> {
    out: &'a mut [u8],
    /// Bytes that the frames take, whether or not there is room.
    bytes: usize,
}

impl Writer<'_> {
    fn write(&mut self, part: &[u8]) {
        if let Some(room) = self.out.get_mut(self.bytes..self.bytes + part.len()) {
            room.copy_from_slice(part);
        }
        self.bytes += part.len();
    }
}

impl<C: Clock> Engine<C> {
    /// Where a stream stands; zeros where it has published nothing yet.
    ///
    /// # Errors
    /// [`EngineError::UnknownInstrument`].
    pub fn place(&self, instrument: InstrumentId, stream: Stream) -> Result<Place, EngineError> {
        let slot = self.slot_of(instrument)?;
        Ok(self.instruments[slot.0 as usize].place(stream, &self.config).unwrap_or_default())
    }

    /// Writes the frames that bring a reader from a place of a stream to its present. Returns what they are, and their bytes:
    /// where these are more than `out` has room for, its content is of no use, and the call is to be made again.
    ///
    /// # Errors
    /// [`EngineError::UnknownInstrument`].
    pub fn bring(
        &mut self,
        instrument: InstrumentId,
        stream: Stream,
        from: Place,
        _by: By,
        now: TimeNs,
        out: &mut [u8],
    ) -> Result<(Brought, usize), EngineError> {
        let slot = self.slot_of(instrument)?;
        let Self { instruments, config, clock, stats, .. } = self;
        let state = &mut instruments[slot.0 as usize];
        let mut writer = Writer { out, bytes: 0 };
        let brought = if follows_book(stream) && state.state() != BookState::Synced {
            state.image(Stream::STATUS, now, config, clock, |frame| writer.write(frame));
            Brought::Nothing
        } else if state.place(stream, config) == Some(from) {
            Brought::Nothing
        } else {
            state.image(stream, now, config, clock, |frame| writer.write(frame));
            Brought::Image
        };
        if writer.bytes <= writer.out.len() {
            *match brought {
                Brought::Nothing => &mut stats.brought.nothing,
                Brought::Range => &mut stats.brought.range,
                Brought::Net => &mut stats.brought.net,
                Brought::Image => &mut stats.brought.image,
            } += 1;
        }
        Ok((brought, writer.bytes))
    }
}

/// Whether a stream is told of the state of the book.
fn follows_book(stream: Stream) -> bool {
    matches!(stream, Stream::BOOK | Stream::BBO) || stream >= Stream::DEPTH_FIRST
}

impl InstrumentState {
    /// Where a stream stands. `None` where it has published nothing yet.
    fn place(&self, stream: Stream, config: &EngineConfig) -> Option<Place> {
        let seq = match stream {
            Stream::BOOK | Stream::STATUS => self.book_cursor.seq,
            Stream::BBO => self.bbo_cursor.seq,
            Stream::TRADES => self.trades_cursor.seq,
            Stream::VENUE_BBO => self.venue_bbo_cursor.seq,
            _ => self.views.find(stream)?.cursor.seq,
        };
        let is_there = self.has_epoch() || matches!(stream, Stream::TRADES | Stream::VENUE_BBO);
        (is_there && seq != 0).then(|| Place { epoch: self.epoch(config), seq })
    }
}

//! Calls that an engine cannot do.

use std::fmt;

use super::order_feed::FeedError;
use super::{BOOKS_MAX, SOURCES_MAX, VIEWS_MAX};
use crate::aggregate::DEPTH_MAX;
use crate::decode::DecodeError;
use crate::encode::OUTBOX_BYTES_MAX;
use crate::types::InstrumentError;

/// A call that the engine cannot do. Bytes that cannot be decoded are [`DecodeError`]s instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineError {
    /// No such source.
    UnknownSource(u32),
    /// No such instrument in the catalogue, or no source carries it.
    UnknownInstrument(u32),
    /// The instrument trades elsewhere than the source.
    WrongVenue,
    /// A source without instruments, or an instrument that another source carries already.
    SourceInstruments,
    /// One more than [`SOURCES_MAX`] or [`BOOKS_MAX`].
    Full,
    /// Depth outside 1 to [`DEPTH_MAX`], or an interval above [`super::VIEW_INTERVAL_NS_MAX`].
    ViewRange,
    /// One more than [`VIEWS_MAX`] different depth views of one instrument.
    ViewsFull,
    /// The instrument itself is wrong.
    Instrument(InstrumentError),
    /// Its scale cannot change while a book uses it.
    InUse,
    /// The venue names no orders: its books hold quantities per price only.
    NoOrders(u32),
    /// One frame was handed in of a venue whose bytes come in chunks.
    ChunksOnly,
    /// Nobody takes what the engine has to say.
    OutboxFull,
    /// An answer to a snapshot request that is not under way any more. It is dropped.
    StaleAnswer(u32),
}

impl EngineError {
    /// Stable code, which reaches JavaScript as `err.code`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnknownSource(_) => "engine.unknown_source",
            Self::UnknownInstrument(_) => "engine.unknown_instrument",
            Self::WrongVenue => "engine.wrong_venue",
            Self::SourceInstruments => "engine.source_instruments",
            Self::Full => "engine.full",
            Self::ViewRange => "engine.view_range",
            Self::ViewsFull => "engine.views_full",
            Self::Instrument(error) => error.code(),
            Self::InUse => "engine.instrument_in_use",
            Self::NoOrders(_) => "engine.no_orders",
            Self::ChunksOnly => "engine.chunks_only",
            Self::OutboxFull => "engine.outbox_full",
            Self::StaleAnswer(_) => "engine.stale_answer",
        }
    }

    /// What to do about it, in one line.
    #[must_use]
    pub const fn fix(self) -> &'static str {
        match self {
            Self::UnknownSource(_) => "open the source first and use the number that was returned",
            Self::UnknownInstrument(_) => "use a number that instruments() lists and that a source carries",
            Self::WrongVenue => "open one source for each venue",
            Self::SourceInstruments => {
                "give each source at least one instrument that no other source carries"
            }
            Self::Full => "use another engine, or fewer sources and instruments",
            Self::ViewRange => "ask for 1 to 100 levels and an interval of at most 60 s",
            Self::ViewsFull => "use depth and interval combinations that are open already",
            Self::Instrument(InstrumentError::UnknownVenue) => {
                "use one of binance, binance-usdm, binance-coinm, sim, nasdaq and databento"
            }
            Self::Instrument(_) => {
                "name it venue:SYMBOL, with exponents from -18 to 0 and a tick and lot of 0 or more"
            }
            Self::InUse => "set the scale before the source that carries the instrument is opened",
            Self::NoOrders(_) => "ask for orders of nasdaq and databento instruments only",
            Self::ChunksOnly => "hand in the bytes of this venue as a recording is handed in, chunk by chunk",
            Self::OutboxFull => "drain the output ring after every input and pump while MORE is set",
            Self::StaleAnswer(_) => "answer the latest request only, with its own ticket",
        }
    }
}

/// What, expected and got. The code and the remedy stand beside it, not in it.
impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownSource(number) => {
                write!(f, "unknown source; expected one that is open, got {number}")
            }
            Self::UnknownInstrument(number) => {
                write!(f, "unknown instrument; expected one that a source carries, got {number}")
            }
            Self::WrongVenue => {
                f.write_str("wrong venue; expected an instrument of the source's venue, got another's")
            }
            Self::SourceInstruments => f.write_str(
                "wrong instruments; expected ones that no source carries, got none or one that is carried",
            ),
            Self::Full => {
                write!(
                    f,
                    "engine full; expected at most {SOURCES_MAX} sources and {BOOKS_MAX} books, got one more"
                )
            }
            Self::ViewRange => {
                write!(f, "no such view; expected 1 to {DEPTH_MAX} levels and 0 to 60 s, got a value outside")
            }
            Self::ViewsFull => {
                write!(
                    f,
                    "too many views; expected at most {VIEWS_MAX} different ones an instrument, got one more"
                )
            }
            Self::Instrument(error) => write!(f, "{error}"),
            Self::InUse => f.write_str("instrument in use; expected its present scale, got another"),
            Self::NoOrders(number) => {
                write!(f, "no orders; expected an instrument of an order feed, got {number}")
            }
            Self::ChunksOnly => f.write_str("wrong call; expected a chunk of a stream, got a single frame"),
            Self::OutboxFull => {
                write!(f, "output not taken; expected at most {OUTBOX_BYTES_MAX} bytes waiting, got more")
            }
            Self::StaleAnswer(ticket) => {
                write!(f, "late snapshot; expected the ticket of the request under way, got {ticket}")
            }
        }
    }
}

impl std::error::Error for EngineError {}

/// Why bytes that came in had no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IngestError {
    /// They could not be decoded.
    Decode(DecodeError),
    /// They are no message of their order feed.
    Feed(FeedError),
    /// The call itself was wrong.
    Engine(EngineError),
}

impl IngestError {
    /// Stable code, which reaches JavaScript as `err.code`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Decode(error) => error.code(),
            Self::Feed(error) => error.code(),
            Self::Engine(error) => error.code(),
        }
    }

    /// What to do about it, in one line.
    #[must_use]
    pub const fn fix(&self) -> &'static str {
        match self {
            Self::Decode(error) => error.fix(),
            Self::Feed(error) => error.fix(),
            Self::Engine(error) => error.fix(),
        }
    }
}

impl fmt::Display for IngestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decode(error) => error.fmt(f),
            Self::Feed(error) => error.fmt(f),
            Self::Engine(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for IngestError {}

impl From<DecodeError> for IngestError {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

impl From<FeedError> for IngestError {
    fn from(error: FeedError) -> Self {
        Self::Feed(error)
    }
}

impl From<EngineError> for IngestError {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

//! Calls that an engine cannot do.

use std::fmt;

use super::consolidated::ConsolidatedError;
use super::{BOOKS_MAX, COST_VIEWS_MAX, SIGNAL_VIEWS_MAX, SOURCES_MAX, VIEWS_MAX, VOLUME_VIEWS_MAX};
use crate::aggregate::{BPS_MAX, COSTS_MAX, DEPTH_MAX};
use crate::decode::DecodeError;
use crate::encode::OUTBOX_BYTES_MAX;
use crate::recording::RecordingError;
use crate::replica::ReplicaError;
use crate::signal::{BUCKETS_MAX, SIGNAL_WINDOW_NS};
use crate::types::{Account, InstrumentError};
use crate::venues::FrameError;

/// A call that the engine cannot do. Bytes that cannot be decoded are [`DecodeError`]s instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineError {
    /// No such source.
    UnknownSource(u32),
    /// No such instrument in the catalogue, or no source carries it.
    UnknownInstrument(u32),
    /// The instrument trades elsewhere than the source.
    WrongVenue,
    /// No instruments, one of them twice, or two that share a code.
    SourceInstruments,
    /// One more than [`SOURCES_MAX`] or [`BOOKS_MAX`].
    Full,
    /// Depth outside 1 to [`DEPTH_MAX`], or an interval above [`super::VIEW_INTERVAL_NS_MAX`].
    ViewRange,
    /// A grouping that is no multiple of the tick, both in mantissa units.
    ViewGrouping {
        /// The tick.
        tick: i64,
        /// What was asked for.
        grouping: i64,
    },
    /// One more than [`VIEWS_MAX`] different depth views of one instrument, [`VOLUME_VIEWS_MAX`] of its volumes,
    /// [`COST_VIEWS_MAX`] of its costs or [`SIGNAL_VIEWS_MAX`] of its signals.
    ViewsFull,
    /// So many quantities and bands together: none, or more than [`COSTS_MAX`].
    CostRows(usize),
    /// A quantity of 0 or below, or beyond 63 bits.
    CostQuantity(i128),
    /// A band outside 1 to [`BPS_MAX`].
    CostBand(u32),
    /// A window of signals, in ns, outside [`SIGNAL_WINDOW_NS`].
    SignalWindow(u64),
    /// A volume of a bucket of 0 or below, or beyond 63 bits.
    VpinVolume(i128),
    /// So many buckets: none, or more than [`BUCKETS_MAX`].
    VpinBuckets(u32),
    /// A book cannot be made of these.
    Consolidated(ConsolidatedError),
    /// The instrument itself is wrong.
    Instrument(InstrumentError),
    /// Its scale cannot change while a book uses it.
    InUse,
    /// The venue names no orders: its books hold quantities per price only.
    NoOrders(u32),
    /// Nobody takes what the engine has to say.
    OutboxFull,
    /// An answer to a snapshot request that is not under way any more. It is dropped.
    StaleAnswer(u32),
    /// A recording says of a connection what cannot be done; the rest of it goes on.
    Setup,
    /// A recording has kept another book of this instrument than the one that its messages make.
    Checkpoint(u32),
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
            Self::ViewGrouping { .. } => "engine.view_grouping",
            Self::ViewsFull => "engine.views_full",
            Self::CostRows(_) | Self::CostQuantity(_) | Self::CostBand(_) => "engine.costs",
            Self::SignalWindow(_) | Self::VpinVolume(_) | Self::VpinBuckets(_) => "engine.signals",
            Self::Consolidated(error) => error.code(),
            Self::Instrument(error) => error.code(),
            Self::InUse => "engine.instrument_in_use",
            Self::NoOrders(_) => "engine.no_orders",
            Self::OutboxFull => "engine.outbox_full",
            Self::StaleAnswer(_) => "engine.stale_answer",
            Self::Setup => "engine.setup",
            Self::Checkpoint(_) => "engine.checkpoint",
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
                "give the source at least one instrument, each once, of which no two share a code"
            }
            Self::Full => "use another engine, or fewer sources and instruments",
            Self::ViewRange => "ask for 1 to 100 levels and an interval of at most 60 s",
            Self::ViewGrouping { .. } => {
                "ask for a multiple of the instrument's tick, or for 0: levels as they are"
            }
            Self::ViewsFull => "use depth, grouping and interval combinations that are open already",
            Self::CostRows(_) => "ask for a few quantities, or for bands, and for others in another view",
            Self::CostQuantity(_) => "give a quantity that a book of the instrument can hold",
            Self::CostBand(_) => "ask for a band of 1 to 10000 basis points of the mid",
            Self::SignalWindow(_) => "ask for a window of 1 s to 1 h, such as a minute",
            Self::VpinVolume(_) => "give a volume that an instrument can trade, or leave VPIN out",
            Self::VpinBuckets(_) => "ask for 50 buckets, as the paper does",
            Self::Consolidated(error) => error.fix(),
            Self::Instrument(InstrumentError::UnknownVenue) => "see `depthwire venues` for the names",
            Self::Instrument(InstrumentError::FixedScale) => {
                "leave the exponents out: the format of this venue says what its numbers mean"
            }
            Self::Instrument(_) => {
                "name it venue:SYMBOL, with exponents from -18 to 0 and a tick and lot of 0 or more"
            }
            Self::InUse => "set the scale before the source that carries the instrument is opened",
            Self::NoOrders(_) => "ask for orders of instruments whose venue names them",
            Self::OutboxFull => "drain the output ring after every input and pump while MORE is set",
            Self::StaleAnswer(_) => "answer the latest request only, with its own ticket",
            Self::Setup => {
                "read the recording from its first segment on, by the version that made it or a later one"
            }
            Self::Checkpoint(_) => {
                "read the recording by the version that made it; if it says so, too, tell its makers"
            }
        }
    }

    /// What, expected and got.
    #[must_use]
    pub fn account(&self) -> Account {
        match self {
            Self::UnknownSource(number) => Account::new("unknown source", "one that is open", number),
            Self::UnknownInstrument(number) => {
                Account::new("unknown instrument", "one that a source carries", number)
            }
            Self::WrongVenue => {
                Account::new("wrong venue", "an instrument of the source's venue", "another's")
            }
            Self::SourceInstruments => {
                Account::new("wrong instruments", "one or more, each once", "none or one of them twice")
            }
            Self::Full => Account::new(
                "engine full",
                format_args!("at most {SOURCES_MAX} sources and {BOOKS_MAX} books"),
                "one more",
            ),
            Self::ViewRange => Account::new(
                "no such view",
                format_args!("1 to {DEPTH_MAX} levels and 0 to 60 s"),
                "a value outside",
            ),
            Self::ViewGrouping { tick, grouping } => Account::new(
                "no such grouping",
                format_args!("a multiple of {tick} units of the price"),
                grouping,
            ),
            Self::ViewsFull => Account::new(
                "too many views",
                format_args!(
                    "at most {VIEWS_MAX} different ones of the book of an instrument, {VOLUME_VIEWS_MAX} of its volumes, {COST_VIEWS_MAX} of its costs, {SIGNAL_VIEWS_MAX} of its signals"
                ),
                "one more",
            ),
            Self::CostRows(count) => Account::new(
                "no such number of costs",
                format_args!("1 to {COSTS_MAX} quantities and bands together"),
                count,
            ),
            Self::CostQuantity(qty) => Account::new(
                "no such quantity to take",
                format_args!("1 to {} units of the quantity", i64::MAX),
                qty,
            ),
            Self::CostBand(bps) => {
                Account::new("no such band", format_args!("1 to {BPS_MAX} basis points"), bps)
            }
            Self::SignalWindow(ns) => Account::new(
                "no such window",
                format_args!("{} to {} ns", SIGNAL_WINDOW_NS.start(), SIGNAL_WINDOW_NS.end()),
                ns,
            ),
            Self::VpinVolume(volume) => Account::new(
                "no such volume of a bucket",
                format_args!("1 to {} units of the quantity", i64::MAX),
                volume,
            ),
            Self::VpinBuckets(count) => {
                Account::new("no such number of buckets", format_args!("1 to {BUCKETS_MAX}"), count)
            }
            Self::Consolidated(error) => error.account(),
            Self::Instrument(error) => error.account(),
            Self::InUse => Account::new("instrument in use", "its present scale", "another"),
            Self::NoOrders(number) => Account::new("no orders", "an instrument of an order feed", number),
            Self::OutboxFull => Account::new(
                "output not taken",
                format_args!("at most {OUTBOX_BYTES_MAX} bytes waiting"),
                "more",
            ),
            Self::StaleAnswer(ticket) => {
                Account::new("late snapshot", "the ticket of the request under way", ticket)
            }
            Self::Setup => Account::new(
                "a recording tells of a connection what is not known here",
                "connections, products and instruments that it has named before",
                "others",
            ),
            Self::Checkpoint(number) => Account::new(
                "a book is not the one that the recording has kept of it at this place",
                "the kept one",
                format_args!("another one of instrument {number}"),
            ),
        }
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.account().fmt(f)
    }
}

impl std::error::Error for EngineError {}

/// Why bytes that came in had no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IngestError {
    /// Their room refused them.
    Frame(FrameError),
    /// They are not of the form of their recording.
    Recording(RecordingError),
    /// The call itself was wrong.
    Engine(EngineError),
    /// A frame that was published before is none, or breaks the rules of the feed.
    Published(ReplicaError),
}

impl IngestError {
    /// Whether they are of an instrument that the source does not carry.
    #[must_use]
    pub const fn is_foreign(&self) -> bool {
        matches!(self, Self::Frame(FrameError::Decode(DecodeError::UnknownSymbol { .. })))
    }

    /// Stable code, which reaches JavaScript as `err.code`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Frame(error) => error.code(),
            Self::Recording(error) => error.code(),
            Self::Engine(error) => error.code(),
            Self::Published(error) => error.code(),
        }
    }

    /// What to do about it, in one line.
    #[must_use]
    pub const fn fix(&self) -> &'static str {
        match self {
            Self::Frame(error) => error.fix(),
            Self::Recording(error) => error.fix(),
            Self::Engine(error) => error.fix(),
            Self::Published(error) => error.fix(),
        }
    }

    /// What, expected and got.
    #[must_use]
    pub fn account(&self) -> Account {
        match self {
            Self::Frame(error) => error.account(),
            Self::Recording(error) => error.account(),
            Self::Engine(error) => error.account(),
            Self::Published(error) => error.account(),
        }
    }
}

impl fmt::Display for IngestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.account().fmt(f)
    }
}

impl std::error::Error for IngestError {}

impl From<FrameError> for IngestError {
    fn from(error: FrameError) -> Self {
        Self::Frame(error)
    }
}

impl From<RecordingError> for IngestError {
    fn from(error: RecordingError) -> Self {
        Self::Recording(error)
    }
}

impl From<EngineError> for IngestError {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

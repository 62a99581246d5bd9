//! What the stages exchange: numbers, levels, instruments, events, time. Every stage may import this; it imports none.

mod account;
mod by_slot;
mod decimal;
mod definitions;
mod event;
mod events;
mod fnv1a;
mod instrument;
mod level;
mod order;
mod place;
mod routes;
mod snapshot;
mod stage;
mod state;
mod ticker;
mod time;
mod trade;

pub use account::Account;
pub(crate) use account::Byte;
pub use by_slot::BySlot;
pub(crate) use decimal::POW10;
pub use decimal::{DECIMAL_TEXT_LEN_MAX, Decimal, DecimalError, parse_decimal};
pub use definitions::{Definitions, DefinitionsError, InstrumentKind, OptionTerms, Terms};
pub use event::{Body, Definition, Event, Scope, VenueBbo, VenueSeq};
pub use events::{Events, LevelSpan, Mark, Span, TickerAt};
pub(crate) use fnv1a::{fnv1a_32, fnv1a_64};
pub use instrument::{
    CATALOGUE_LEN_MAX, Catalogue, Instrument, InstrumentError, InstrumentHasher, InstrumentId, QtyUnit,
    SYMBOL_LEN_MAX, ScaleSource, Venue, is_symbol,
};
pub use level::{KnownTo, Level, Levels, Price, Qty, Side, Sides, Verb};
pub use order::{Absent, ORDER_TEXT_BYTES_MAX, OrderChange, OrderId, OrderTexts, ToldOrders, VenueOrderId};
pub use place::Place;
pub use routes::{Likely, Route, Routes, Slot};
pub use snapshot::{Coverage, Origin, Part};
pub use stage::Stage;
pub use state::{BookState, StaleReason};
pub use ticker::{Ticker, TradingStatus};
pub use time::{Clock, NoClock, TimeNs};
pub use trade::{Aggressor, Trade, TradeId};

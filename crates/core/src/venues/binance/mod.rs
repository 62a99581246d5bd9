//! Binance: spot, USDⓈ-M and COIN-M futures, by JSON. The simulated venue speaks the spot form.
//!
//! Source: Binance "Web Socket Streams" and "Market Data endpoints" of the three products. What they say, by number:
//! 1. A message's type is its `e`. Spot `bookTicker` has none and is known by `u`, `b`, `B`, `a` and `A`.
//! 2. A depth snapshot has no `e`; it is known by `lastUpdateId`. Only COIN-M names its `symbol`.
//! 3. Partial books (`depth5`, `depth10`, `depth20`) and RPI books come as `depthUpdate` too but are not changes of the
//!    public book: the name of their stream tells them apart, so they are used only bare or under `depth` itself.
//! 4. Times are milliseconds, on spot microseconds when asked for: below 10^14 a number is taken for milliseconds.
//! 5. A futures trade says in `X` what it is. Only `MARKET` is an execution on the book; `INSURANCE_FUND`, `ADL` and `NA`
//!    are entries of the clearing, whose prices may be off the tick.
//! 6. A venue's trade comes as `trade` and, with the fills of one order together, as `aggTrade`. Of a connection that
//!    carries both for one symbol the kind that comes first is passed on.
//! 7. A snapshot is cut at the limit that was asked for and does not say whether it was: what lies behind its worst level
//!    is unknown.
//! 8. Spot ("How to manage a local order book correctly", web-socket-streams.md): updates state a range, `U` to `u`, that
//!    runs on; the first one after a snapshot straddles its `lastUpdateId` + 1.
//! 9. Futures (the page of the same name): the first update after a snapshot straddles its `lastUpdateId` itself, and from
//!    there each names the one before it in `pu`. One whose `pu` is the `lastUpdateId` continues the snapshot too: that
//!    form is not in the document; it occurs live when a snapshot falls between two updates.
//!
//! 10. Binance.US (binance-us-api-docs, `web-socket-streams.md`, `rest-api.md`) has the messages and the rules of spot, on hosts of its
//!     own: only an address tells them apart. Bare frames are taken for those of spot.
//!
//! Choices where the documents are silent: keys may come in any order; unknown keys are passed over; a needed key that
//! comes twice is an error, since either value could be the wrong one; symbols may hold any script and JSON escapes.

mod fields;
mod instruments;
mod listed;
mod printed;
mod reader;
mod sight;

pub(super) use listed::{instrument, listed};

use fields::Field;
use printed::Said;
use reader::{Frame, TradeKind};

use super::room::{
    Asked, At, Checksum, Detection, Life, OrderIds, Product, Resync, Room, Scale, Sightings, TradeIds,
};
use super::{BINANCE_US, FrameError};
use serde_json::Value;

use crate::decode::{DecodeError, SymbolText};
use crate::sequence::Rule;
use crate::types::{
    Body, BySlot, Definitions, Events, Origin, QtyUnit, Route, Routes, Scope, Slot, TimeNs, Venue,
};

/// Spot.
pub(super) const SPOT: Product = Product {
    rule: Rule::Range,
    resync: Resync::Snapshot,
    is_by_order: false,
    order_ids: OrderIds::None,
    trade_ids: TradeIds::Ascending,
    top_proof: true,
    checksum: Checksum::None,
    silence_ns: 5_000_000_000,
    life: Life::Book,
    detects: Detection::Next,
    scale: Scale::INFERRED,
};

/// Spot of Binance.US.
pub(super) const US: Product = SPOT;

/// Futures that are margined in quote currency.
pub(super) const FUTURES: Product = Product { rule: Rule::Linked, ..SPOT };

/// Futures that are margined in the coin, counted in contracts.
pub(super) const INVERSE: Product = Product {
    rule: Rule::Linked,
    scale: Scale { qty_unit: QtyUnit::Contracts, inverse: true, ..Scale::INFERRED },
    ..SPOT
};

/// One connection.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Binance {
    /// The kind of trade message that came first of each instrument.
    trade_kinds: BySlot<Option<TradeKind>>,
    /// The product of the source, where that is known.
    #[serde(skip)]
    product: Option<Venue>,
    /// Whether that is a product of pairs: those have symbols in common with futures, whose events show that they are.
    is_spot: bool,
    /// Whether its address leads to Binance.US.
    is_us: bool,
    /// Whether streams that are no book of all changes were asked for: a frame that names no stream may be of one.
    has_partial: bool,
    /// Whether the address is of another product than the source's.
    is_others: bool,
}

/// Streams whose frames look like updates of the book and are none: the best few levels, and a book that leaves orders out.
const PARTIAL: [&[u8]; 4] = [b"@depth5", b"@depth10", b"@depth20", b"@rpiDepth"];

impl Binance {
    /// Whether an address is another product's than the source's.
    fn is_others_than(&self, is_us: bool) -> bool {
        self.product.is_some_and(|product| (product == BINANCE_US) != is_us)
    }

    /// Rule 6: whether a trade of that kind is passed on.
    #[inline]
    fn carries(&mut self, route: Route, kind: TradeKind) -> bool {
        *self.trade_kinds.at(route.slot).get_or_insert(kind) == kind
    }

    /// A frame that names no stream on a connection of partial books: all of it counts but changes of the book.
    #[cold]
    fn nameless(&mut self, bytes: &[u8], routes: &Routes, out: &mut Events) -> Result<(), DecodeError> {
        let (mark, first) = (out.mark(), out.list().len());
        self.any(bytes, routes, out)?;
        if out.list().get(first).is_some_and(|event| matches!(event.body, Body::Levels(..))) {
            out.undo(mark);
        }
        Ok(())
    }

    /// A frame of any form.
    #[inline(never)]
    fn any(&mut self, bytes: &[u8], routes: &Routes, out: &mut Events) -> Result<(), DecodeError> {
        let mark = out.mark();
        let mut frame = Frame::new(bytes);
        let said = frame.read(routes, out).and_then(|()| frame.event(self.is_spot, routes, out));
        match said {
            Ok(Some((route, kind))) if !self.carries(route, kind) => out.undo(mark),
            Ok(_) => {}
            Err(error) => {
                out.undo(mark);
                if out.concerned().is_none() && may_change_a_book(&mut frame, bytes, routes) {
                    out.concerns(Scope::All);
                }
                return Err(error);
            }
        }
        Ok(())
    }
}

/// Whether a frame that cannot be read may have been an update of a carried book.
fn may_change_a_book(frame: &mut Frame<'_>, bytes: &[u8], routes: &Routes) -> bool {
    let names = |text: &[u8]| memchr::memmem::find(bytes, text).is_some();
    if frame.has(Field::Symbol)
        && frame.symbol().is_ok_and(|symbol| symbol.is_some_and(|s| routes.find(s).is_none()))
    {
        return false;
    }
    if frame.has(Field::Type) || names(b"\"e\"") {
        return names(b"depthUpdate");
    }
    !(names(b"lastUpdateId") || names(b"\"code\"") || names(b"\"result\"") || frame.message().is_ok())
}

/// Rule 10: whether an address leads to Binance.US; `None` for one of neither, as of a gateway.
fn leads_to_us(address: &[u8]) -> Option<bool> {
    let names = |host: &[u8]| memchr::memmem::find(address, host).is_some();
    if names(b".binance.us") {
        Some(true)
    } else {
        (names(b".binance.com") || names(b".binance.vision")).then_some(false)
    }
}

/// The symbol that an address asks for, in its query.
fn symbol_of(url: &[u8]) -> Option<&[u8]> {
    const KEY: &[u8] = b"symbol=";
    let at = memchr::memmem::find(url, KEY)? + KEY.len();
    url.get(at..)?.split(|byte| *byte == b'&').next().filter(|symbol| !symbol.is_empty())
}

impl Room for Binance {
    fn of(product: Venue) -> Self {
        let is_spot = super::product(product).rule == Rule::Range;
        Self { product: Some(product), is_spot, ..Self::default() }
    }

    #[inline]
    fn frame(&mut self, bytes: &[u8], _at: At, routes: &Routes, out: &mut Events) -> Result<(), FrameError> {
        if self.is_others {
            return Ok(());
        }
        if self.has_partial && memchr::memmem::find(bytes, b"\"stream\"").is_none() {
            return Ok(self.nameless(bytes, routes, out)?);
        }
        match printed::decode(bytes, self.is_spot, routes, out) {
            Some(Said::Event) => Ok(()),
            Some(Said::Trade(route)) => {
                if !self.carries(route, TradeKind::Single) {
                    out.take_back();
                }
                Ok(())
            }
            None => {
                out.forget_added();
                Ok(self.any(bytes, routes, out)?)
            }
        }
    }

    fn instruments(venue: Venue, bytes: &[u8], out: &mut Definitions) -> Result<(), DecodeError> {
        instruments::read(venue, bytes, out)
    }

    fn asked(&mut self, text: &[u8]) {
        if let Some(is_us) = leads_to_us(text) {
            self.is_us = is_us;
            self.is_others = self.is_others_than(is_us);
        }
        self.has_partial |= PARTIAL.iter().any(|stream| memchr::memmem::find(text, stream).is_some());
    }

    fn answer(
        &mut self,
        asked: &Asked<'_>,
        bytes: &[u8],
        at: At,
        out: &mut Events,
    ) -> Result<(), FrameError> {
        // What is asked for may not name its symbol, so the address decides, or the only one that was asked for; where it
        // names one, it must be that.
        let mut named = Routes::new();
        let mut routes = asked.routes;
        let is_others = leads_to_us(asked.url).is_some_and(|is_us| self.is_others_than(is_us));
        if is_others || !asked.url.is_empty() && memchr::memmem::find(asked.url, b"/depth?").is_none() {
            return Err(DecodeError::NotSnapshot.into());
        }
        if let Some(symbol) = symbol_of(asked.url) {
            let Some(route) = asked.routes.find(symbol) else {
                return Err(DecodeError::UnknownSymbol { symbol: SymbolText::new(symbol) }.into());
            };
            named.carry([symbol].into_iter(), route);
            routes = &named;
        }
        let (mark, first) = (out.mark(), out.list().len());
        self.frame(bytes, at, routes, out)?;
        let is_named = !named.is_empty();
        match out.list().get(first).map(|event| event.body) {
            Some(Body::Book(seq, levels, coverage, Origin::Anonymous)) if is_named => {
                let (slot, ts_event) =
                    out.list().get(first).map_or((Slot(0), 0), |event| (event.slot, event.ts_event));
                out.replace(first, slot, ts_event, Body::Book(seq, levels, coverage, Origin::Answer));
                Ok(())
            }
            Some(Body::Book(.., Origin::Answer | Origin::Anonymous)) => Ok(()),
            _ => {
                out.undo(mark);
                Err(DecodeError::NotSnapshot.into())
            }
        }
    }

    fn opened(&mut self, _at: At, _out: &mut Events) {
        // Its memory is kept: a reconnect allocates nothing.
        let mut trade_kinds = core::mem::take(&mut self.trade_kinds);
        trade_kinds.clear();
        let Self { product, is_spot, .. } = *self;
        *self = Self { product, is_spot, trade_kinds, ..Self::default() };
    }

    fn kept(&self) -> Option<Value> {
        serde_json::to_value(self).ok()
    }

    fn restored(product: Venue, kept: Value) -> Option<Self> {
        let Self { product, is_spot, .. } = Self::of(product);
        Some(Self { product, is_spot, ..serde_json::from_value(kept).ok()? })
    }

    fn time(frame: &[u8]) -> TimeNs {
        sight::time(frame)
    }

    fn sight(&mut self, frame: &[u8], out: &mut Sightings) {
        sight::sight(self.is_us, frame, out);
    }
}

#[cfg(test)]
mod tests;

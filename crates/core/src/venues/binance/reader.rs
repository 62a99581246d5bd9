//! Any frame, whatever its order of keys: the general way through one, which names what is wrong with it.

use super::fields::{Field, Fields};
use crate::decode::json::{Kind, Scanner, Token, unescape};
use crate::decode::levels::{decimal, price_above_zero, read_levels};
use crate::decode::{DecodeError, FRAME_BYTES_MAX, SYMBOL_BYTES_MAX, Scaled, SymbolText};
use crate::types::{
    Aggressor, Body, Coverage, Events, Level, Origin, Price, Qty, Route, Routes, Scope, Ticker, TimeNs,
    Trade, TradeId, VenueBbo, VenueSeq,
};
use crate::venues::two_names::FirstName;

/// Longest name of a stream whose letters are escaped.
const STREAM_BYTES_MAX: usize = 2 * SYMBOL_BYTES_MAX;

/// One frame after the pass over its bytes: where its fields stand, and the levels that could be read on the way.
pub(super) struct Frame<'a> {
    bytes: &'a [u8],
    fields: Fields,
    /// The route that levels were read for on the way; None if they wait at their places.
    route: Option<Route>,
    /// The symbol without its escapes, where it has some.
    plain: [u8; SYMBOL_BYTES_MAX],
    plain_len: usize,
}

impl<'a> Frame<'a> {
    /// A frame not read yet.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, fields: Fields::default(), route: None, plain: [0; SYMBOL_BYTES_MAX], plain_len: 0 }
    }

    /// Passes over the whole frame once.
    pub(super) fn read(&mut self, routes: &Routes, out: &mut Events) -> Result<(), DecodeError> {
        let len = self.bytes.len();
        if len > FRAME_BYTES_MAX {
            return Err(DecodeError::FrameTooLarge { len });
        }
        let mut scanner = Scanner::new(self.bytes, 0);
        match scanner.peek()? {
            // A list of events is that of a whole market (`!ticker@arr`): not used.
            b'[' => {
                let token = scanner.value()?;
                self.fields.set(Field::Data, token)?;
            }
            b'{' => self.members(&mut scanner, true, routes, out)?,
            got => return Err(DecodeError::NotJson { at: scanner.at(), expected: "an object", got }),
        }
        scanner.finish()
    }

    /// Passes over the members of one object. Those of a `data`, `error` or `o` count as the
    /// root's own.
    fn members(
        &mut self,
        scanner: &mut Scanner<'_>,
        root: bool,
        routes: &Routes,
        out: &mut Events,
    ) -> Result<(), DecodeError> {
        scanner.open(b'{', "an object")?;
        let mut first = true;
        while scanner.more(first, b'}')? {
            first = false;
            let key = scanner.key()?;
            if key.kind == Kind::EscapedString {
                return Err(DecodeError::Escaped { at: key.start });
            }
            let Some(field) = Field::of_key(key.of(self.bytes), root) else {
                scanner.value()?;
                continue;
            };
            let byte = scanner.peek()?;
            let at = scanner.at();
            match field {
                Field::Data | Field::Error | Field::Order if byte == b'{' => {
                    self.fields.set(field, Token { kind: Kind::Object, start: at, end: at })?;
                    self.members(scanner, false, routes, out)?;
                }
                // Elsewhere it is a price or a word.
                Field::Order => {
                    scanner.value()?;
                }
                Field::Bids | Field::Asks if byte == b'[' && self.levels_can_be_read(routes) => {
                    // The duplicate check comes first: levels of two arrays must not mix.
                    self.fields.set(field, Token { kind: Kind::Array, start: at, end: at })?;
                    self.levels(field, scanner, out)?;
                }
                _ => {
                    let token = scanner.value()?;
                    self.fields.set(field, token)?;
                }
            }
        }
        Ok(())
    }

    /// Whether the fields so far say that levels which come now are wanted and whose they are.
    fn levels_can_be_read(&mut self, routes: &Routes) -> bool {
        if self.route.is_none() && self.is_book_message() && self.is_public_book() == Ok(true) {
            self.route = self.symbol().ok().flatten().and_then(|symbol| routes.find(symbol));
        }
        self.route.is_some()
    }

    fn is_book_message(&self) -> bool {
        let event_type = self.fields.get(Field::Type);
        event_type.of(self.bytes) == b"depthUpdate"
            || (event_type.kind == Kind::Absent && self.fields.has(Field::SnapshotId))
    }

    /// Reads the array that comes next for the route found.
    fn levels(
        &mut self,
        field: Field,
        scanner: &mut Scanner<'_>,
        out: &mut Events,
    ) -> Result<(), DecodeError> {
        let Some(route) = self.route else { return Ok(()) };
        out.concerns(Scope::Book(route.slot));
        out.speaks_of(route.slot);
        let taken = out.levels_added().len();
        let side = if field == Field::Bids { out.bids() } else { out.asks() };
        read_levels(scanner, self.bytes, route, taken, side)
    }

    /// Appends what the frame says, from its fields. Reads the levels that had to wait. `kind` is the kind of trade message
    /// that the stream of an instrument carries, if it is known.
    pub(super) fn event(
        &mut self,
        is_spot: bool,
        routes: &Routes,
        out: &mut Events,
    ) -> Result<Option<(Route, TradeKind)>, DecodeError> {
        let message = self.message()?;
        if self.has(Field::Stream) && self.has(Field::Symbol) && message != Message::Unused {
            let is_book = matches!(message, Message::Depth | Message::Snapshot);
            self.is_of_stream(is_book, routes, out)?;
        }
        // A trade says what it was of futures alone, and a top has the engine's time there alone.
        let shows_futures = match message {
            Message::Bbo => self.has(Field::TransactionTime),
            Message::Trade | Message::AggregateTrade => self.has(Field::Execution),
            Message::MarkPrice | Message::Liquidation => true,
            _ => false,
        };
        if is_spot && shows_futures {
            let symbol = self.symbol()?.unwrap_or_default();
            return Err(DecodeError::UnknownSymbol { symbol: SymbolText::new(symbol) });
        }
        match message {
            Message::Depth => self.depth_update(routes, out)?,
            Message::Snapshot => self.snapshot(routes, out)?,
            Message::Bbo => self.bbo(routes, out)?,
            Message::Trade => return self.trade(routes, TradeKind::Single, Field::TradeId, out),
            // The id of an aggregate is its `a`.
            Message::AggregateTrade => return self.trade(routes, TradeKind::Aggregate, Field::Asks, out),
            Message::MarkPrice => self.mark_price(routes, out)?,
            Message::Liquidation => self.liquidation(routes, out)?,
            Message::VenueError => return Err(DecodeError::Venue { code: self.venue_code()? }),
            Message::Unused => {}
        }
        Ok(None)
    }

    /// Which message the fields make up.
    pub(super) fn message(&self) -> Result<Message, DecodeError> {
        let has = |field| self.fields.has(field);
        let event_type = self.fields.get(Field::Type);
        let message = match event_type.kind {
            Kind::String => match event_type.of(self.bytes) {
                b"depthUpdate" => Message::Depth,
                b"bookTicker" => Message::Bbo,
                b"trade" => Message::Trade,
                b"aggTrade" => Message::AggregateTrade,
                b"markPriceUpdate" => Message::MarkPrice,
                b"forceOrder" => Message::Liquidation,
                _ => Message::Unused,
            },
            Kind::Absent if has(Field::SnapshotId) => Message::Snapshot,
            Kind::Absent if Field::BBO.into_iter().all(has) => Message::Bbo,
            Kind::Absent if has(Field::Code) => Message::VenueError,
            Kind::Absent if has(Field::Result) || has(Field::Id) => Message::Unused,
            Kind::Absent if self.fields.get(Field::Data).kind == Kind::Array => Message::Unused,
            Kind::Absent => return Err(DecodeError::UnknownMessage),
            Kind::EscapedString => return Err(DecodeError::Escaped { at: event_type.start }),
            other => return Err(wrong_type(event_type, Field::Type, "a string", other)),
        };
        if matches!(message, Message::Depth | Message::Snapshot) && !self.is_public_book()? {
            return Ok(Message::Unused);
        }
        Ok(message)
    }

    /// Rule 3: whether the stream, if it is named, carries the book itself.
    fn is_public_book(&self) -> Result<bool, DecodeError> {
        // Only the symbol, in front of the first `@`, may hold escapes.
        let stream = self.fields.get(Field::Stream);
        Ok(stream.of(self.bytes).split(|&byte| byte == b'@').nth(1).is_none_or(|kind| kind == b"depth"))
    }

    /// That the event is of the symbol that its stream names before an `@`, in lower case; a stream of a whole market names none.
    fn is_of_stream(&mut self, is_book: bool, routes: &Routes, out: &mut Events) -> Result<(), DecodeError> {
        let (stream, event) = (self.fields.get(Field::Stream), self.fields.get(Field::Symbol));
        let mut plain = [0; STREAM_BYTES_MAX];
        let stream = match stream.kind {
            Kind::EscapedString => unescape(stream.of(self.bytes), &mut plain)
                .map_err(|_| DecodeError::Escaped { at: stream.start })?,
            _ => stream.of(self.bytes),
        };
        let of_stream = memchr::memchr(b'@', stream).map_or(&b"!"[..], |at| &stream[..at]);
        if of_stream.first() == Some(&b'!') {
            return Ok(());
        }
        let symbol = self.symbol()?.unwrap_or_default();
        if symbol.eq_ignore_ascii_case(of_stream) {
            return Ok(());
        }
        let of_stream = of_stream.to_ascii_uppercase();
        let named = FirstName { name: &of_stream, is_book };
        let (first, second) = (routes.find(&of_stream), routes.find(symbol));
        if first.is_none() && second.is_none() {
            // The event's is foreign.
            return Ok(());
        }
        named.contradicts(first, second, (event, Field::Symbol.key()), out)
    }

    /// The event's symbol, if it names one.
    pub(super) fn symbol(&mut self) -> Result<Option<&[u8]>, DecodeError> {
        let token = self.fields.get(Field::Symbol);
        let text = match token.kind {
            Kind::Absent => return Ok(None),
            Kind::EscapedString => {
                if self.plain_len == 0 {
                    let plain = unescape(token.of(self.bytes), &mut self.plain);
                    self.plain_len = plain.map_err(|_| DecodeError::Escaped { at: token.start })?.len();
                }
                return Ok(self.plain.get(..self.plain_len));
            }
            Kind::String => token.of(self.bytes),
            other => return Err(wrong_type(token, Field::Symbol, "a string", other)),
        };
        if text.len() > SYMBOL_BYTES_MAX {
            return Err(DecodeError::SymbolTooLong { at: token.start, len: text.len() as u32 });
        }
        Ok(Some(text))
    }

    /// Whether a field is there at all.
    pub(super) fn has(&self, field: Field) -> bool {
        self.fields.has(field)
    }

    fn route(&mut self, routes: &Routes) -> Result<Route, DecodeError> {
        if let Some(route) = self.route {
            return Ok(route);
        }
        let symbol = self.symbol()?.ok_or(DecodeError::MissingField { field: Field::Symbol.key() })?;
        routes.find(symbol).ok_or(DecodeError::UnknownSymbol { symbol: SymbolText::new(symbol) })
    }

    /// Makes sure that both sides are in `out`.
    fn waiting_levels(&mut self, route: Route, out: &mut Events) -> Result<(), DecodeError> {
        self.route = Some(route);
        out.concerns(Scope::Book(route.slot));
        out.speaks_of(route.slot);
        for field in [Field::Bids, Field::Asks] {
            let token = self.fields.get(field);
            match token.kind {
                // A place without length: the levels were read on the way.
                Kind::Array if token.start == token.end => {}
                Kind::Array => {
                    self.levels(field, &mut Scanner::new(self.bytes, token.start as usize), out)?
                }
                Kind::Absent => return Err(DecodeError::MissingField { field: field.key() }),
                other => return Err(wrong_type(token, field, "an array of levels", other)),
            }
        }
        Ok(())
    }

    fn depth_update(&mut self, routes: &Routes, out: &mut Events) -> Result<(), DecodeError> {
        let route = self.route(routes)?;
        out.speaks_of(route.slot);
        self.waiting_levels(route, out)?;
        let first = self.id(Field::FirstId)?;
        let last = self.id(Field::LastId)?;
        if last < first {
            return Err(DecodeError::BackwardIds { first, last });
        }
        let prev = if self.fields.has(Field::PrevId) { Some(self.id(Field::PrevId)?) } else { None };
        let ts_event = self.time()?;
        let body = Body::Levels(VenueSeq { first, last, prev }, out.levels_added());
        out.push(route.slot, ts_event, body);
        Ok(())
    }

    fn snapshot(&mut self, routes: &Routes, out: &mut Events) -> Result<(), DecodeError> {
        let (route, origin) = match self.symbol()? {
            Some(_) => (self.route(routes)?, Origin::Answer),
            None => (routes.sole().ok_or(DecodeError::AmbiguousSnapshot)?, Origin::Anonymous),
        };
        self.waiting_levels(route, out)?;
        let number = self.id(Field::SnapshotId)?;
        let ts_event = self.time()?;
        // Snapshots of futures carry times, as their updates carry links; those of spot carry neither.
        let seq = VenueSeq { prev: (ts_event > 0).then_some(number), ..VenueSeq::at(number) };
        let body = Body::Book(seq, out.levels_added(), Coverage::ToWorst, origin);
        out.push(route.slot, ts_event, body);
        Ok(())
    }

    fn bbo(&mut self, routes: &Routes, out: &mut Events) -> Result<(), DecodeError> {
        let route = self.route(routes)?;
        out.speaks_of(route.slot);
        let ts_event = self.time()?;
        let bbo = VenueBbo {
            venue_seq: self.id(Field::LastId)?,
            bid: self.top(route, Field::Bids, Field::BidQty)?,
            ask: self.top(route, Field::Asks, Field::AskQty)?,
            ts_event,
        };
        out.push(route.slot, ts_event, Body::Bbo(bbo));
        Ok(())
    }

    /// One side of a top of book. An empty side prints zeros.
    fn top(&self, route: Route, price: Field, qty: Field) -> Result<Level, DecodeError> {
        let qty = self.qty(qty, route)?;
        let token = self.fields.get(price);
        let price = match self.price(price, route)? {
            Price(0) if qty.0 > 0 => return Err(DecodeError::ZeroPrice { at: token.start }),
            price => price,
        };
        Ok(Level { price, qty })
    }

    fn trade(
        &mut self,
        routes: &Routes,
        kind: TradeKind,
        id: Field,
        out: &mut Events,
    ) -> Result<Option<(Route, TradeKind)>, DecodeError> {
        let execution = self.fields.get(Field::Execution);
        // Rule 5: only an execution on the book is a trade; the price of another may not even be on the tick.
        if execution.kind != Kind::Absent && execution.of(self.bytes) != b"MARKET" {
            return Ok(None);
        }
        let route = self.route(routes)?;
        out.speaks_of(route.slot);
        let maker = self.fields.get(Field::BuyerIsMaker);
        let aggressor = match maker.kind {
            Kind::True => Aggressor::Sell,
            Kind::False => Aggressor::Buy,
            Kind::Absent => return Err(DecodeError::MissingField { field: Field::BuyerIsMaker.key() }),
            other => return Err(wrong_type(maker, Field::BuyerIsMaker, "a boolean", other)),
        };
        let price = self.fields.get(Field::Price);
        let ts_event = self.time()?;
        let trade = Trade {
            id: TradeId::Number(self.id(id)?),
            price: price_above_zero(price, self.bytes, Field::Price.key(), route.price_exponent)?,
            qty: self.qty(Field::Qty, route)?,
            aggressor,
            ts_event,
            resting: None,
        };
        out.trades().push(trade);
        let body = Body::Trades(out.trades_added());
        out.push(route.slot, ts_event, body);
        Ok(Some((route, kind)))
    }

    /// `markPriceUpdate`: mark price `p`, index price `i`, funding rate `r`, next funding `T`.
    fn mark_price(&mut self, routes: &Routes, out: &mut Events) -> Result<(), DecodeError> {
        let route = self.route(routes)?;
        out.speaks_of(route.slot);
        let ticker = Ticker {
            mark: Some(self.price(Field::Price, route)?),
            index: if self.fields.has(Field::IndexPrice) {
                Some(self.price(Field::IndexPrice, route)?)
            } else {
                None
            },
            funding_rate_e9: self.funding_rate()?,
            funding_at: match self.fields.has(Field::TransactionTime) {
                true => Some(self.fields.time_ns(Field::TransactionTime, self.bytes)?).filter(|&at| at > 0),
                false => None,
            },
            ..Ticker::default()
        };
        let ts_event = self.fields.time_ns(Field::EventTime, self.bytes)?;
        let at = out.ticker_added(ticker);
        out.push(route.slot, ts_event, Body::Ticker(at));
        Ok(())
    }

    /// The funding rate in 1e-9, `None` where it is empty, as of contracts that are delivered. It may be negative.
    fn funding_rate(&self) -> Result<Option<i64>, DecodeError> {
        let token = self.fields.get(Field::FundingRate);
        let text = token.of(self.bytes);
        if text.is_empty() {
            return Ok(None);
        }
        let (sign, digits) = match text.strip_prefix(b"-") {
            Some(digits) => (-1, digits),
            None => (1, text),
        };
        let bad = |cause| DecodeError::BadNumber { at: token.start, field: "r", cause, scaled: Scaled::No };
        crate::types::parse_decimal(digits, -9).map(|rate| Some(sign * rate)).map_err(bad)
    }

    /// `forceOrder`: the price and the quantity of the order that closed the position, which stand in its `o`.
    fn liquidation(&mut self, routes: &Routes, out: &mut Events) -> Result<(), DecodeError> {
        let route = self.route(routes)?;
        out.speaks_of(route.slot);
        let ts_event = self.time()?;
        let aggressor = match self.fields.get(Field::OrderSide).of(self.bytes) {
            b"BUY" => Aggressor::Buy,
            b"SELL" => Aggressor::Sell,
            _ => Aggressor::Unknown,
        };
        let price = self.fields.get(Field::Price);
        let trade = Trade {
            id: TradeId::None,
            price: price_above_zero(price, self.bytes, Field::Price.key(), route.price_exponent)?,
            qty: self.qty(Field::Qty, route)?,
            aggressor,
            ts_event,
            resting: None,
        };
        out.trades().push(trade);
        let body = Body::Liquidations(out.trades_added());
        out.push(route.slot, ts_event, body);
        Ok(())
    }

    fn id(&self, field: Field) -> Result<u64, DecodeError> {
        self.fields.unsigned(field, self.bytes)
    }

    fn price(&self, field: Field, route: Route) -> Result<Price, DecodeError> {
        let token = self.fields.get(field);
        decimal(token, self.bytes, field.key(), route.price_exponent, Scaled::Price).map(Price)
    }

    fn qty(&self, field: Field, route: Route) -> Result<Qty, DecodeError> {
        let token = self.fields.get(field);
        decimal(token, self.bytes, field.key(), route.qty_exponent, Scaled::Qty).map(Qty)
    }

    /// The transaction's time, else the message's, else 0.
    pub(super) fn time(&self) -> Result<TimeNs, DecodeError> {
        for field in [Field::TransactionTime, Field::EventTime] {
            if self.fields.has(field) {
                return self.fields.time_ns(field, self.bytes);
            }
        }
        Ok(0)
    }

    fn venue_code(&self) -> Result<i64, DecodeError> {
        let token = self.fields.get(Field::Code);
        core::str::from_utf8(token.of(self.bytes))
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| wrong_type(token, Field::Code, "an integer", token.kind))
    }
}

/// The messages told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Message {
    Depth,
    Snapshot,
    Bbo,
    Trade,
    AggregateTrade,
    MarkPrice,
    Liquidation,
    VenueError,
    Unused,
}

fn wrong_type(token: Token, field: Field, expected: &'static str, got: Kind) -> DecodeError {
    DecodeError::WrongType { at: token.start, field: field.key(), expected, got: got.name() }
}

/// What one trade message stands for. The venue sends both kinds of one trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum TradeKind {
    /// `trade`.
    Single,
    /// `aggTrade`.
    Aggregate,
}

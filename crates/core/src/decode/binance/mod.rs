//! Binance JSON of spot, USDⓈ-M and COIN-M: stream frames, combined (`{"stream":…,"data":{…}}`) or bare, and REST depth
//! answers. The simulated venue speaks the spot form.
//!
//! Source: Binance "Web Socket Streams" and "Market Data endpoints" of the three products. What they say, by number:
//! 1. A message's type is its `e`. Spot `bookTicker` has none and is known by `u`, `b`, `B`, `a` and `A`.
//! 2. A depth snapshot has no `e`; it is known by `lastUpdateId`. Only COIN-M names its `symbol`.
//! 3. Partial books (`depth5`, `depth10`, `depth20`) and RPI books come as `depthUpdate` too but are not changes of the
//!    public book: the name of their stream tells them apart, so they are used only bare or under `depth` itself.
//! 4. Times are milliseconds, on spot microseconds when asked for: below 10^14 a number is taken for milliseconds.
//! 5. A futures trade with `X` = `NA` is a housekeeping entry, not a trade.
//!
//! Choices where the documents are silent: keys may come in any order; unknown keys are passed over; a needed key that
//! comes twice is an error, since either value could be the wrong one.

mod fields;
mod printed;

pub(super) use fields::Field;

use fields::Fields;

use super::json::{Kind, Scanner, Token};
use super::levels::{decimal, price_above_zero, read_levels};
use super::{DecodeError, FRAME_BYTES_MAX, Listing, Listings, SYMBOL_BYTES_MAX, SymbolText};
use crate::types::{
    Aggressor, DepthUpdate, Event, Level, Levels, Price, Qty, Snapshot, Ticker, Trade, TradeKind,
};

/// Decodes one frame. The levels of a depth update or snapshot go to `out`, which is emptied first.
///
/// Depth updates, tickers and trades in the form that the venue prints are read in one pass by `printed`; all else,
/// and all that is refused, goes through the general reader: another pass from the start, in which levels that come
/// before their symbol are passed over and read afterwards. Allocates only where `out` must grow.
///
/// # Errors
/// See [`DecodeError`]. `out` is then empty, as after any event without levels.
pub fn decode(bytes: &[u8], listings: &impl Listings, out: &mut Levels) -> Result<Event, DecodeError> {
    out.clear();
    match printed::decode(bytes, listings, out) {
        Some(event) => Ok(event),
        None => decode_any(bytes, listings, out),
    }
}

/// Decodes a frame of any form, and names what is wrong with one.
#[inline(never)]
fn decode_any(bytes: &[u8], listings: &impl Listings, out: &mut Levels) -> Result<Event, DecodeError> {
    out.clear();
    let mut frame = Frame::new(bytes);
    let event = frame.read(listings, out).and_then(|()| frame.event(listings, out));
    if !matches!(event, Ok(Event::Depth(_) | Event::Snapshot(_))) {
        out.clear();
    }
    event
}

/// Decodes the answer to a depth request for one instrument. Where the answer names its symbol (COIN-M) it must be this one.
///
/// # Errors
/// [`DecodeError::Venue`] when the venue refused, [`DecodeError::NotSnapshot`] for any other message than a snapshot,
/// [`DecodeError::UnknownSymbol`] for another instrument's answer, else as [`decode`].
pub fn decode_snapshot(
    bytes: &[u8],
    symbol: &[u8],
    listing: Listing,
    out: &mut Levels,
) -> Result<Snapshot, DecodeError> {
    match decode(bytes, &Known { symbol, listing }, out)? {
        Event::Snapshot(snapshot) => Ok(snapshot),
        _ => {
            out.clear();
            Err(DecodeError::NotSnapshot)
        }
    }
}

/// The instrument that an answer must be of.
struct Known<'a> {
    symbol: &'a [u8],
    listing: Listing,
}

impl Listings for Known<'_> {
    fn find(&self, symbol: &[u8]) -> Option<Listing> {
        (symbol == self.symbol).then_some(self.listing)
    }

    fn sole(&self) -> Option<Listing> {
        Some(self.listing)
    }
}

/// One frame after the pass over its bytes: where its fields stand, and the levels that could be read on the way.
pub(super) struct Frame<'a> {
    bytes: &'a [u8],
    fields: Fields,
    /// The listing that levels were read for on the way; None if they wait at their places.
    listing: Option<Listing>,
}

impl<'a> Frame<'a> {
    /// A frame not read yet.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, fields: Fields::default(), listing: None }
    }

    /// Passes over the whole frame once.
    pub(super) fn read(&mut self, listings: &impl Listings, out: &mut Levels) -> Result<(), DecodeError> {
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
            b'{' => self.members(&mut scanner, true, listings, out)?,
            got => return Err(DecodeError::NotJson { at: scanner.at(), expected: "an object", got }),
        }
        scanner.finish()
    }

    /// Passes over the members of one object. The root's `data` and `error` objects count as the root's own members.
    fn members(
        &mut self,
        scanner: &mut Scanner<'_>,
        root: bool,
        listings: &impl Listings,
        out: &mut Levels,
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
                Field::Data | Field::Error if byte == b'{' => {
                    self.fields.set(field, Token { kind: Kind::Object, start: at, end: at })?;
                    self.members(scanner, false, listings, out)?;
                }
                Field::Bids | Field::Asks if byte == b'[' && self.levels_can_be_read(listings) => {
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
    fn levels_can_be_read(&mut self, listings: &impl Listings) -> bool {
        if self.listing.is_none() && self.is_book_message() && self.is_public_book() == Ok(true) {
            let symbol = self.fields.get(Field::Symbol);
            if symbol.kind == Kind::String {
                self.listing = listings.find(symbol.of(self.bytes));
            }
        }
        self.listing.is_some()
    }

    fn is_book_message(&self) -> bool {
        let event_type = self.fields.get(Field::Type);
        event_type.of(self.bytes) == b"depthUpdate"
            || (event_type.kind == Kind::Absent && self.fields.has(Field::SnapshotId))
    }

    /// Reads the array that comes next for the listing found.
    fn levels(
        &mut self,
        field: Field,
        scanner: &mut Scanner<'_>,
        out: &mut Levels,
    ) -> Result<(), DecodeError> {
        let Some(listing) = self.listing else { return Ok(()) };
        let taken = out.len();
        let side = if field == Field::Bids { &mut out.bids } else { &mut out.asks };
        read_levels(scanner, self.bytes, listing, taken, side)
    }

    /// What the frame says, from its fields. Reads the levels that had to wait.
    fn event(&mut self, listings: &impl Listings, out: &mut Levels) -> Result<Event, DecodeError> {
        match self.message()? {
            Message::Depth => self.depth_update(listings, out),
            Message::Snapshot => self.snapshot(listings, out),
            Message::Ticker => self.ticker(listings),
            Message::Trade => self.trade(listings, TradeKind::Single, Field::TradeId),
            // The id of an aggregate is its `a`.
            Message::AggregateTrade => self.trade(listings, TradeKind::Aggregate, Field::Asks),
            Message::VenueError => Err(DecodeError::Venue { code: self.venue_code()? }),
            Message::Unused => Ok(Event::Ignored),
        }
    }

    /// Which message the fields make up.
    pub(super) fn message(&self) -> Result<Message, DecodeError> {
        let has = |field| self.fields.has(field);
        let event_type = self.fields.get(Field::Type);
        let message = match event_type.kind {
            Kind::String => match event_type.of(self.bytes) {
                b"depthUpdate" => Message::Depth,
                b"bookTicker" => Message::Ticker,
                b"trade" => Message::Trade,
                b"aggTrade" => Message::AggregateTrade,
                _ => Message::Unused,
            },
            Kind::Absent if has(Field::SnapshotId) => Message::Snapshot,
            Kind::Absent if Field::TICKER.into_iter().all(has) => Message::Ticker,
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
        let stream = self.fields.get(Field::Stream);
        if stream.kind == Kind::EscapedString {
            return Err(DecodeError::Escaped { at: stream.start });
        }
        Ok(stream.of(self.bytes).split(|&byte| byte == b'@').nth(1).is_none_or(|kind| kind == b"depth"))
    }

    /// The event's symbol, if it names one.
    pub(super) fn symbol(&self) -> Result<Option<&'a [u8]>, DecodeError> {
        let token = self.fields.get(Field::Symbol);
        match token.kind {
            Kind::Absent => Ok(None),
            Kind::EscapedString => Err(DecodeError::Escaped { at: token.start }),
            Kind::String => {
                let text = token.of(self.bytes);
                if text.len() > SYMBOL_BYTES_MAX {
                    return Err(DecodeError::SymbolTooLong { at: token.start, len: text.len() as u32 });
                }
                Ok(Some(text))
            }
            other => Err(wrong_type(token, Field::Symbol, "a string", other)),
        }
    }

    /// Whether a field is there at all.
    pub(super) fn has(&self, field: Field) -> bool {
        self.fields.has(field)
    }

    fn listing(&self, listings: &impl Listings) -> Result<Listing, DecodeError> {
        if let Some(listing) = self.listing {
            return Ok(listing);
        }
        let symbol = self.symbol()?.ok_or(DecodeError::MissingField { field: Field::Symbol.key() })?;
        listings.find(symbol).ok_or(DecodeError::UnknownSymbol { symbol: SymbolText::new(symbol) })
    }

    /// Makes sure that both sides are in `out`.
    fn waiting_levels(&mut self, listing: Listing, out: &mut Levels) -> Result<(), DecodeError> {
        self.listing = Some(listing);
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

    fn depth_update(&mut self, listings: &impl Listings, out: &mut Levels) -> Result<Event, DecodeError> {
        let listing = self.listing(listings)?;
        self.waiting_levels(listing, out)?;
        let first = self.id(Field::FirstId)?;
        let last = self.id(Field::LastId)?;
        if last < first {
            return Err(DecodeError::BackwardIds { first, last });
        }
        let prev_id = if self.fields.has(Field::PrevId) { Some(self.id(Field::PrevId)?) } else { None };
        let ts_event = self.time()?;
        Ok(Event::Depth(DepthUpdate {
            instrument: listing.id,
            first_id: first,
            last_id: last,
            prev_id,
            ts_event,
        }))
    }

    fn snapshot(&mut self, listings: &impl Listings, out: &mut Levels) -> Result<Event, DecodeError> {
        let listing = match self.symbol()? {
            Some(_) => self.listing(listings)?,
            None => listings.sole().ok_or(DecodeError::AmbiguousSnapshot)?,
        };
        self.waiting_levels(listing, out)?;
        Ok(Event::Snapshot(Snapshot {
            instrument: listing.id,
            last_id: self.id(Field::SnapshotId)?,
            ts_event: self.time()?,
        }))
    }

    fn ticker(&self, listings: &impl Listings) -> Result<Event, DecodeError> {
        let listing = self.listing(listings)?;
        Ok(Event::Ticker(Ticker {
            instrument: listing.id,
            last_id: self.id(Field::LastId)?,
            bid: self.top(listing, Field::Bids, Field::BidQty)?,
            ask: self.top(listing, Field::Asks, Field::AskQty)?,
            ts_event: self.time()?,
        }))
    }

    /// One side of a ticker. An empty side prints zeros.
    fn top(&self, listing: Listing, price: Field, qty: Field) -> Result<Level, DecodeError> {
        let qty = Qty(self.decimal(qty, listing.qty_exponent)?);
        let token = self.fields.get(price);
        let price = match self.decimal(price, listing.price_exponent)? {
            0 if qty.0 > 0 => return Err(DecodeError::ZeroPrice { at: token.start }),
            price => Price(price),
        };
        Ok(Level { price, qty })
    }

    fn trade(&self, listings: &impl Listings, kind: TradeKind, id: Field) -> Result<Event, DecodeError> {
        if self.fields.get(Field::Execution).of(self.bytes) == b"NA" {
            return Ok(Event::Ignored);
        }
        let listing = self.listing(listings)?;
        let maker = self.fields.get(Field::BuyerIsMaker);
        let aggressor = match maker.kind {
            Kind::True => Aggressor::Sell,
            Kind::False => Aggressor::Buy,
            Kind::Absent => return Err(DecodeError::MissingField { field: Field::BuyerIsMaker.key() }),
            other => return Err(wrong_type(maker, Field::BuyerIsMaker, "a boolean", other)),
        };
        let price = self.fields.get(Field::Price);
        Ok(Event::Trade(Trade {
            instrument: listing.id,
            kind,
            id: self.id(id)?,
            price: price_above_zero(price, self.bytes, Field::Price.key(), listing.price_exponent)?,
            qty: Qty(self.decimal(Field::Qty, listing.qty_exponent)?),
            aggressor,
            ts_event: self.time()?,
        }))
    }

    fn id(&self, field: Field) -> Result<u64, DecodeError> {
        self.fields.unsigned(field, self.bytes)
    }

    fn decimal(&self, field: Field, exponent: i8) -> Result<i64, DecodeError> {
        decimal(self.fields.get(field), self.bytes, field.key(), exponent)
    }

    /// The transaction's time, else the message's, else 0.
    fn time(&self) -> Result<u64, DecodeError> {
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
    Ticker,
    Trade,
    AggregateTrade,
    VenueError,
    Unused,
}

fn wrong_type(token: Token, field: Field, expected: &'static str, got: Kind) -> DecodeError {
    DecodeError::WrongType { at: token.start, field: field.key(), expected, got: got.name() }
}

#[cfg(test)]
mod tests;

//! `orderBookL2` and `orderBookL2_25`: rules 2, 3 and 5.

use super::{Action, Bitmex, Book, Message, is_filtered, lose};
use crate::decode::date_time::{Minute, time};
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::levels::{decimal, price_above_zero};
use crate::decode::members::{each, members, symbol, text, unsigned};
use crate::decode::{DecodeError, FRAME_LEVELS_MAX, Scaled};
use crate::types::{
    Body, Coverage, Event, Events, Level, Origin, Price, Qty, Route, Routes, Scope, Side, Slot, StaleReason,
    TimeNs, VenueSeq, Verb,
};
use crate::venues::room::At;

/// Levels a side of the whole book.
pub(super) const WHOLE: u32 = u32::MAX;
/// Of the book that is cut.
pub(super) const BEST: u32 = 25;
/// Most messages that say together what has become of its best levels: one of each action.
const MESSAGES_MAX: u8 = 3;

/// What a message says of a level.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    route: Route,
    name: (Side, u64),
    price: Option<Price>,
    qty: Option<Qty>,
    ts_event: TimeNs,
}

/// A message of one of the tables.
pub(super) fn read(
    room: &mut Bitmex,
    bytes: &[u8],
    (depth, message): (u32, Message),
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let mut rows = std::mem::take(&mut room.rows);
    rows.clear();
    let read = collect(room.has_all, bytes, message, routes, &mut rows, out)
        .and_then(|()| filtered(message.filter, bytes, routes))
        .map(|filter| tell(room, (depth, message.action), filter, &rows, out));
    room.rows = rows;
    read
}

/// All of it was read.
fn tell(room: &mut Bitmex, (depth, action): (u32, Action), filter: Filter, rows: &[Row], out: &mut Events) {
    let is_partial = action == Action::Partial;
    let are_several = rows.first().map(|row| row.route.slot) != rows.last().map(|row| row.route.slot);
    room.has_all |= is_partial && (filter == Filter::None || are_several);
    if let (Filter::Of(slot), true, true) = (filter, is_partial, rows.is_empty()) {
        // A book that is empty.
        whole(room.book(slot), depth, slot, &[], out);
    }
    for rows in rows.chunk_by(|one, other| one.route.slot == other.route.slot) {
        let slot = rows[0].route.slot;
        let book = room.book(slot);
        if is_partial {
            whole(book, depth, slot, rows, out);
        } else {
            changes(book, depth, action, rows, out);
        }
    }
}

/// What a `partial` is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Filter {
    /// Of all instruments.
    None,
    /// Of one.
    Of(Slot),
    /// Of one that is not carried, or it does not say.
    Other,
}

fn filtered(filter: Token, bytes: &[u8], routes: &Routes) -> Result<Filter, DecodeError> {
    if filter.kind != Kind::Object {
        return Ok(Filter::Other);
    }
    let [name] = members(&mut Scanner::new(bytes, filter.start as usize), bytes, &["symbol"])?;
    if name.kind == Kind::Absent {
        return Ok(Filter::None);
    }
    let (route, _) = symbol(name, bytes, "symbol", routes)?;
    Ok(route.map_or(Filter::Other, |route| Filter::Of(route.slot)))
}

/// Reads the rows of instruments that are carried, those of one together.
fn collect(
    has_all: bool,
    bytes: &[u8],
    message: Message,
    routes: &Routes,
    rows: &mut Vec<Row>,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let mut minute = Minute::default();
    let filter = message.symbol(bytes)?;
    each(message.data, bytes, "data", |scanner| {
        let at = scanner.at();
        let keys = ["symbol", "id", "side", "size", "price", "timestamp"];
        let [name, id, side, size, price, timestamp] = members(scanner, bytes, &keys)?;
        is_filtered(filter.as_ref(), true, name, bytes, routes, out)?;
        let (route, symbol) = symbol(name, bytes, "symbol", routes)?;
        let Some(route) = route else { return Ok(Some(symbol)) };
        if rows.len() >= FRAME_LEVELS_MAX {
            return Err(DecodeError::TooManyLevels { at });
        }
        out.concerns(if has_all { Scope::All } else { Scope::Book(route.slot) });
        out.speaks_of(route.slot);
        rows.push(Row {
            route,
            name: (side_of(side, bytes)?, unsigned(id, bytes, "id")?),
            price: price_of(price, message.action, bytes, route)?,
            qty: qty_of(size, message.action, bytes, route)?,
            ts_event: time(&mut minute, timestamp, bytes, "timestamp")?,
        });
        Ok(None)
    })?;
    if !rows.is_sorted_by_key(|row| row.route.slot.0) {
        rows.sort_by_key(|row| row.route.slot.0);
    }
    Ok(())
}

fn side_of(token: Token, bytes: &[u8]) -> Result<Side, DecodeError> {
    match text(token, bytes, "side")? {
        b"Buy" => Ok(Side::Bid),
        b"Sell" => Ok(Side::Ask),
        _ => {
            let (field, expected) = ("side", "Buy or Sell");
            Err(DecodeError::WrongType { at: token.start, field, expected, got: "another text" })
        }
    }
}

/// Rule 2: only what comes must have one.
fn price_of(token: Token, action: Action, bytes: &[u8], route: Route) -> Result<Option<Price>, DecodeError> {
    let may_be_left_out = matches!(action, Action::Update | Action::Delete);
    match token.kind {
        Kind::Absent | Kind::Null if may_be_left_out => Ok(None),
        _ => price_above_zero(token, bytes, "price", route.price_exponent).map(Some),
    }
}

fn qty_of(token: Token, action: Action, bytes: &[u8], route: Route) -> Result<Option<Qty>, DecodeError> {
    match (action, token.kind) {
        (Action::Delete, _) => return Ok(Some(Qty(0))),
        // Something else of it has changed.
        (Action::Update, Kind::Absent | Kind::Null) => return Ok(None),
        _ => {}
    }
    let qty = decimal(token, bytes, "size", route.qty_exponent, Scaled::Qty)?;
    if qty == 0 {
        let (field, expected) = ("size", "a size above 0");
        return Err(DecodeError::WrongType { at: token.start, field, expected, got: "0" });
    }
    Ok(Some(Qty(qty)))
}

/// The book as it is.
fn whole(book: &mut Book, depth: u32, slot: Slot, rows: &[Row], out: &mut Events) {
    if !book.deepest.counts(depth, true) {
        return;
    }
    book.known.begin(rows.len());
    book.is_begun = true;
    for row in rows {
        let (Some(price), Some(qty)) = (row.price, row.qty) else { continue };
        if !book.known.insert(row.name, price, row.route) {
            return contradicted(book, slot, out);
        }
        push(out, row.name.0, Level { price, qty });
    }
    if depth != WHOLE && is_over(book) {
        return contradicted(book, slot, out);
    }
    (book.cut, book.between) = (SIDES.map(|side| is_full(book, side)), 0);
    let coverage = if depth == WHOLE { Coverage::Whole } else { Coverage::Depth(depth) };
    let body = Body::Book(VenueSeq::at(0), out.levels_added(), coverage, Origin::Stream);
    out.push(slot, rows.last().map_or(0, |row| row.ts_event), body);
}

/// What a message changes of a book that was told.
fn changes(book: &mut Book, depth: u32, action: Action, rows: &[Row], out: &mut Events) {
    let Some(last) = rows.last() else { return };
    let slot = last.route.slot;
    if !book.is_begun || !book.deepest.counts(depth, false) {
        return;
    }
    for row in rows {
        let price = match (action, row.price) {
            (Action::Insert, Some(price)) => {
                Some(price).filter(|price| book.known.insert(row.name, *price, row.route))
            }
            (Action::Delete, said) => book.known.remove(row.name, said, row.route),
            (_, said) => book.known.price(row.name, said, row.route),
        };
        let Some(price) = price else { return contradicted(book, slot, out) };
        if let Some(qty) = row.qty {
            push(out, row.name.0, Level { price, qty });
        }
    }
    let span = out.levels_added();
    if span.is_empty() {
        return;
    }
    let seq = VenueSeq::at(0);
    let (body, is_last) = if depth == WHOLE {
        let verb = match action {
            Action::Delete => Verb::Delete,
            Action::Update => Verb::Change,
            Action::Insert | Action::Partial => Verb::New,
        };
        out.verbs().extend(std::iter::repeat_n(verb, span.len()));
        (Body::VerbedLevels(seq, span, out.verbs_added()), true)
    } else {
        let Some(is_last) = settles(book) else { return contradicted(book, slot, out) };
        // The book is cut where the venue's event ends, so that a level which goes may have left it.
        (Body::Levels(seq, span), is_last)
    };
    out.push_event(Event { slot, is_last, ts_event: last.ts_event, ts_recv: 0, body });
}

const SIDES: [Side; 2] = [Side::Bid, Side::Ask];

/// Whether a message ends what is told of the best levels. `None` where none can have left the book as it is.
fn settles(book: &mut Book) -> Option<bool> {
    let full = SIDES.map(|side| is_full(book, side));
    let is_over = is_over(book);
    let is_short = book.cut.iter().zip(full).any(|(cut, is_full)| *cut && !is_full);
    book.between = if is_over || is_short { book.between + 1 } else { 0 };
    if is_over && book.between > MESSAGES_MAX {
        return None;
    }
    let is_last = !is_over && (!is_short || book.between >= MESSAGES_MAX);
    if is_last {
        (book.cut, book.between) = (full, 0);
    }
    Some(is_last)
}

/// Whether a side has as many of the best levels as are told.
fn is_full(book: &Book, side: Side) -> bool {
    book.known.count(side) >= BEST as usize
}

/// Whether a side has more.
fn is_over(book: &Book) -> bool {
    SIDES.into_iter().any(|side| book.known.count(side) > BEST as usize)
}

/// The venue says of a level what cannot be, or there are too many.
fn contradicted(book: &mut Book, slot: Slot, out: &mut Events) {
    out.forget_added();
    book.is_begun = false;
    let is_full = book.known.is_full();
    let reason = if is_full { StaleReason::LevelsLimit } else { StaleReason::Contradiction };
    lose(slot, reason, At::default(), out);
}

fn push(out: &mut Events, side: Side, level: Level) {
    let of_side = if side == Side::Bid { out.bids() } else { out.asks() };
    of_side.push(level);
}

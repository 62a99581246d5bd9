//! Books: whole ones, what changed of one, and the best levels each time.

use super::Deribit;
use super::channel::{BookChannel, is_combination};
use super::message::{carried, members_of, time};
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::levels::{decimal, price_above_zero, signed_decimal};
use crate::decode::members::{items, text, unsigned};
use crate::decode::{DecodeError, FRAME_LEVELS_MAX, Scaled};
use crate::types::{
    Body, Coverage, Events, Level, Origin, Price, Qty, Route, Routes, Scope, Side, VenueSeq, Verb,
};
use crate::venues::two_names::FirstName;

/// A message of a book's channel.
pub(super) fn book(
    room: &mut Deribit,
    bytes: &[u8],
    data: Token,
    (name, channel): (&[u8], BookChannel),
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let keys = ["type", "timestamp", "instrument_name", "change_id", "prev_change_id", "bids", "asks"];
    let [kind, timestamp, instrument, change_id, prev, bids, asks] = members_of(data, bytes, "data", &keys)?;
    FirstName { name, is_book: true }.agrees(instrument, bytes, "instrument_name", routes, out)?;
    let route = carried(instrument, bytes, routes)?;
    out.concerns(Scope::Book(route.slot));
    out.speaks_of(route.slot);
    let ts_event = time(timestamp, bytes)?;
    let number = unsigned(change_id, bytes, "change_id")?;
    let form = if matches!(channel, BookChannel::Top(_)) { Form::Pairs } else { Form::Verbs };
    levels([bids, asks], bytes, route, name, form, out)?;
    let span = out.levels_added();
    let prev = match prev.kind {
        Kind::Absent | Kind::Null => None,
        _ => Some(unsigned(prev, bytes, "prev_change_id")?),
    };
    let is_snapshot = match (channel, kind.kind) {
        (BookChannel::Top(_), _) => true,
        (_, Kind::Absent) => prev.is_none(),
        _ => match text(kind, bytes, "type")? {
            b"snapshot" => true,
            b"change" => false,
            _ => return Err(DecodeError::UnknownMessage),
        },
    };
    let is_all_new = out.verbs_of(out.verbs_added()).iter().all(|verb| *verb == Verb::New);
    let followed = room.followed(route.slot);
    // A new instrument's book has nothing before it.
    let is_beginning = prev == Some(0) && is_all_new && followed.is_none();
    if is_snapshot || is_beginning {
        if !is_all_new {
            let (field, expected) = ("bids", "a whole book of new levels");
            return Err(DecodeError::WrongType { at: data.start, field, expected, got: "other verbs" });
        }
        if followed.is_some_and(|followed| channel < followed) {
            out.forget_added();
            return Ok(());
        }
        *followed = Some(channel);
        let (coverage, origin) = match channel {
            BookChannel::Top(depth) => (Coverage::Depth(depth), Origin::Restated),
            _ => (Coverage::Whole, Origin::Stream),
        };
        out.push(route.slot, ts_event, Body::Book(VenueSeq::at(number), span, coverage, origin));
        return Ok(());
    }
    let Some(prev) = prev else { return Err(DecodeError::MissingField { field: "prev_change_id" }) };
    if followed.is_some_and(|followed| channel != followed) {
        out.forget_added();
        return Ok(());
    }
    let seq = VenueSeq { first: prev.saturating_add(1), last: number, prev: Some(prev) };
    let body = Body::VerbedLevels(seq, span, out.verbs_added());
    out.push(route.slot, ts_event, body);
    Ok(())
}

/// The answer to `public/get_order_book`, which was cut at the number of levels that was asked for.
pub(super) fn answer(
    bytes: &[u8],
    result: Token,
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let keys = ["timestamp", "instrument_name", "change_id", "bids", "asks"];
    let [timestamp, instrument, change_id, bids, asks] = members_of(result, bytes, "result", &keys)?;
    if change_id.kind == Kind::Absent {
        return Err(DecodeError::NotSnapshot);
    }
    let route = carried(instrument, bytes, routes)?;
    out.speaks_of(route.slot);
    levels([bids, asks], bytes, route, instrument.of(bytes), Form::Pairs, out)?;
    let seq = VenueSeq::at(unsigned(change_id, bytes, "change_id")?);
    let body = Body::Book(seq, out.levels_added(), Coverage::ToWorst, Origin::Answer);
    out.push(route.slot, time(timestamp, bytes)?, body);
    Ok(())
}

/// How a level is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// `[verb, price, amount]`.
    Verbs,
    /// `[price, amount]`.
    Pairs,
}

/// The levels of both sides, with their verbs.
fn levels(
    sides: [Token; 2],
    bytes: &[u8],
    route: Route,
    name: &[u8],
    form: Form,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let is_signed = is_combination(name);
    for (side, token, field) in [(Side::Bid, sides[0], "bids"), (Side::Ask, sides[1], "asks")] {
        items(token, bytes, field, |scanner| {
            let at = scanner.at();
            if out.levels_added().len() >= FRAME_LEVELS_MAX {
                return Err(DecodeError::TooManyLevels { at });
            }
            let (verb, [price, qty]) = match form {
                Form::Verbs => {
                    let [verb, price, qty] = values(scanner)?;
                    (Some(verb), [price, qty])
                }
                Form::Pairs => (None, values(scanner)?),
            };
            if let Some(verb) = verb {
                let verb = verb_of(verb, bytes)?;
                out.verbs().push(verb);
            }
            let price = if is_signed {
                Price(signed_decimal(price, bytes, "price", route.price_exponent, Scaled::Price)?)
            } else {
                price_above_zero(price, bytes, "price", route.price_exponent)?
            };
            let qty = Qty(decimal(qty, bytes, "amount", route.qty_exponent, Scaled::Qty)?);
            let of_side = if side == Side::Bid { out.bids() } else { out.asks() };
            of_side.push(Level { price, qty });
            Ok(())
        })?;
    }
    Ok(())
}

/// Rule 3.
fn verb_of(token: Token, bytes: &[u8]) -> Result<Verb, DecodeError> {
    match text(token, bytes, "verb")? {
        b"new" => Ok(Verb::New),
        b"change" => Ok(Verb::Change),
        b"delete" => Ok(Verb::Delete),
        _ => {
            let (field, expected) = ("verb", "new, change or delete");
            Err(DecodeError::WrongType { at: token.start, field, expected, got: "another" })
        }
    }
}

/// The values of an array of as many.
fn values<const N: usize>(scanner: &mut Scanner<'_>) -> Result<[Token; N], DecodeError> {
    let at = scanner.at();
    scanner.open(b'[', "a level")?;
    let (mut tokens, mut count) = ([Token::default(); N], 0);
    while scanner.more(count == 0, b']')? {
        let token = scanner.value()?;
        *tokens.get_mut(count).ok_or(DecodeError::BadLevel { at })? = token;
        count += 1;
    }
    if count == N { Ok(tokens) } else { Err(DecodeError::BadLevel { at }) }
}

//! Books, in the stream and as answers, and the venue's own top of them.

use super::Okx;
use crate::decode::DecodeError;
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::levels::read_levels;
use crate::decode::members::{is, items, members, milliseconds, symbol, text, unsigned};
use crate::decode::signed_check::signed_check;
use crate::types::{Body, Coverage, Events, Level, Origin, Route, Routes, Scope, TimeNs, VenueBbo, VenueSeq};
use crate::venues::room::Asked;
use crate::venues::two_names::FirstName;

/// A channel that tells a book, the one to be preferred greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub(super) enum Channel {
    Best5,
    Best50,
    Best400,
    Best400Fast,
}

impl Channel {
    /// None of a channel that tells no book.
    #[inline]
    pub(super) fn of(name: &[u8]) -> Option<Self> {
        match name {
            b"books" => Some(Self::Best400),
            b"books-l2-tbt" => Some(Self::Best400Fast),
            b"books50-l2-tbt" => Some(Self::Best50),
            b"books5" => Some(Self::Best5),
            _ => None,
        }
    }

    pub(super) const fn coverage(self) -> Coverage {
        Coverage::Depth(match self {
            Self::Best5 => 5,
            Self::Best50 => 50,
            Self::Best400 | Self::Best400Fast => 400,
        })
    }
}

/// What proves a message of a book.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said {
    /// Its number; 0 where it has none.
    pub(super) number: u64,
    /// That of the message before, where there is one.
    pub(super) before: Option<u64>,
    /// None where it is 0 or absent.
    pub(super) check: Option<u32>,
    pub(super) ts_event: TimeNs,
}

impl Said {
    /// Its place, as one that changes a book.
    #[inline]
    pub(super) fn update(self) -> VenueSeq {
        match self.before {
            // Rule 11. Where numbers begin anew there is nothing between the two.
            Some(before) => {
                let first = before.saturating_add(1).min(self.number);
                VenueSeq { first, last: self.number, prev: Some(before) }
            }
            None => VenueSeq::default(),
        }
    }
}

impl Okx {
    /// A message of a book.
    #[allow(clippy::too_many_arguments, reason = "the parts of one message")]
    pub(super) fn book(
        &mut self,
        channel: Channel,
        bytes: &[u8],
        name: Token,
        action: Token,
        data: Token,
        routes: &Routes,
        out: &mut Events,
    ) -> Result<(), DecodeError> {
        let (route, symbol) = symbol(name, bytes, "instId", routes)?;
        let named = FirstName { name: symbol.as_bytes(), is_book: true };
        let Some(route) = route else { return Err(named.is_foreign(data, bytes, "instId", routes, out)) };
        let is_whole = match channel {
            Channel::Best5 => true,
            _ => match text(action, bytes, "action")? {
                b"snapshot" => true,
                b"update" => false,
                _ => return Err(DecodeError::UnknownMessage),
            },
        };
        if !self.counts(route.slot, channel, is_whole) {
            return Ok(());
        }
        out.concerns(Scope::Book(route.slot));
        out.speaks_of(route.slot);
        items(data, bytes, "data", |scanner| {
            let (said, again) = levels(scanner, bytes, route, channel != Channel::Best5, out)?;
            named.agrees(again, bytes, "instId", routes, out)?;
            let span = out.levels_added();
            let body = match channel {
                Channel::Best5 => {
                    let seq = VenueSeq::at(said.number);
                    Body::Book(seq, span, channel.coverage(), Origin::Restated)
                }
                _ if is_whole => {
                    let seq = VenueSeq::at(said.number);
                    Body::Book(seq, span, channel.coverage(), Origin::Stream)
                }
                _ => Body::Levels(said.update(), span),
            };
            out.push(route.slot, said.ts_event, body);
            if let Some(check) = said.check {
                out.push(route.slot, said.ts_event, Body::Check(check));
            }
            Ok(())
        })
    }
}

/// Both sides and what proves them, and the name of the instrument where it stands beside them. `is_proven`: it must be
/// something.
fn levels(
    scanner: &mut Scanner<'_>,
    bytes: &[u8],
    route: Route,
    is_proven: bool,
    out: &mut Events,
) -> Result<(Said, Token), DecodeError> {
    let keys = ["asks", "bids", "ts", "checksum", "seqId", "prevSeqId", "instId"];
    let [asks, bids, ts, checksum, number, before, name] = members(scanner, bytes, &keys)?;
    side(bids, bytes, "bids", route, 0, out.bids())?;
    let taken = out.levels_added().len();
    side(asks, bytes, "asks", route, taken, out.asks())?;
    let said = Said {
        number: if number.kind == Kind::Absent { 0 } else { unsigned(number, bytes, "seqId")? },
        before: before_of(before, bytes)?,
        // Rule 5.
        check: if checksum.kind == Kind::Absent { None } else { signed_check(checksum, bytes, "checksum")? },
        ts_event: milliseconds(ts, bytes, "ts")?,
    };
    if is_proven && said.number == 0 && said.check.is_none() {
        return Err(DecodeError::MissingField { field: "seqId" });
    }
    if said.before.is_some() && said.number == 0 {
        return Err(DecodeError::MissingField { field: "seqId" });
    }
    Ok((said, name))
}

/// Whether what an answer lists are books.
fn has_sides(data: Token, bytes: &[u8]) -> Result<bool, DecodeError> {
    let mut has_sides = false;
    items(data, bytes, "data", |scanner| {
        let item = scanner.value()?;
        if item.kind == Kind::Object {
            let [asks] = members(&mut Scanner::new(bytes, item.start as usize), bytes, &["asks"])?;
            has_sides |= asks.kind != Kind::Absent;
        }
        Ok(())
    })?;
    Ok(has_sides)
}

fn side(
    token: Token,
    bytes: &[u8],
    field: &'static str,
    route: Route,
    taken: usize,
    out: &mut Vec<Level>,
) -> Result<(), DecodeError> {
    is(token, Kind::Array, field, "an array of levels")?;
    read_levels(&mut Scanner::new(bytes, token.start as usize), bytes, route, taken, out)
}

/// Rule 3: −1 stands for none.
fn before_of(token: Token, bytes: &[u8]) -> Result<Option<u64>, DecodeError> {
    match token.of(bytes) {
        _ if token.kind == Kind::Absent => Ok(None),
        b"-1" => Ok(None),
        _ => unsigned(token, bytes, "prevSeqId").map(Some),
    }
}

/// `bbo-tbt`: an empty side has no level.
pub(super) fn top(
    scanner: &mut Scanner<'_>,
    bytes: &[u8],
    (route, named): (Route, FirstName<'_>),
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let (said, again) = levels(scanner, bytes, route, false, out)?;
    named.agrees(again, bytes, "instId", routes, out)?;
    let sides = out.levels(out.levels_added());
    let best = |side: &[Level]| side.first().copied().unwrap_or_default();
    let (bid, ask) = (best(sides.bids), best(sides.asks));
    out.forget_added();
    let bbo = VenueBbo { venue_seq: said.number, bid, ask, ts_event: said.ts_event };
    out.push(route.slot, said.ts_event, Body::Bbo(bbo));
    Ok(())
}

/// Rule 11. An answer without a number cannot be joined to the stream.
pub(super) fn answer(asked: &Asked<'_>, bytes: &[u8], out: &mut Events) -> Result<(), DecodeError> {
    let mut scanner = Scanner::new(bytes, 0);
    let [code, data] = members(&mut scanner, bytes, &["code", "data"])?;
    scanner.finish()?;
    if data.kind != Kind::Array || code.of(bytes) != b"0" || !has_sides(data, bytes)? {
        return Err(DecodeError::NotSnapshot);
    }
    let named = memchr::memmem::find(asked.url, b"instId=").map(|at| {
        let rest = asked.url.get(at + b"instId=".len()..).unwrap_or_default();
        rest.split(|byte| *byte == b'&').next().unwrap_or_default()
    });
    let (route, origin) = match named {
        Some(name) => (asked.routes.find(name).ok_or(DecodeError::NotSnapshot)?, Origin::Answer),
        None => (asked.routes.sole().ok_or(DecodeError::AmbiguousSnapshot)?, Origin::Anonymous),
    };
    out.speaks_of(route.slot);
    items(data, bytes, "data", |scanner| {
        let (said, _) = levels(scanner, bytes, route, false, out)?;
        if said.number == 0 {
            return Err(DecodeError::NotSnapshot);
        }
        let (seq, span) = (VenueSeq::at(said.number), out.levels_added());
        out.push(route.slot, said.ts_event, Body::Book(seq, span, Coverage::ToWorst, origin));
        Ok(())
    })
}

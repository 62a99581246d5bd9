//! Books, and the venue's own top beside them.

use super::{Arg, Bitget};
use crate::decode::DecodeError;
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::levels::read_levels;
use crate::decode::members::{is, items, members, milliseconds, unsigned};
use crate::decode::signed_check::signed_check;
use crate::types::{
    Body, Coverage, Events, Level, Origin, Route, Routes, Scope, Slot, TimeNs, VenueBbo, VenueSeq,
};

/// A channel of levels, the deeper one greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub(super) enum Channel {
    /// The best bid and ask.
    Top,
    /// The best levels, whole each time.
    Best(u32),
    /// All levels, by updates.
    All,
}

impl Channel {
    /// Rule 2. None of a channel that tells no book.
    #[inline]
    pub(super) fn of(name: &[u8]) -> Option<Self> {
        match name {
            b"books" => Some(Self::All),
            b"books1" => Some(Self::Top),
            b"books5" => Some(Self::Best(5)),
            b"books15" => Some(Self::Best(15)),
            b"books50" => Some(Self::Best(50)),
            _ => None,
        }
    }
}

/// What a message of a channel is to the book.
enum Counts {
    Book,
    Top,
    Not,
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
    /// Its place as one that changes a book: by its link (rule 5), or none, where a checksum proves it (rule 4).
    pub(super) fn update(self) -> Result<VenueSeq, DecodeError> {
        let missing = |field| Err(DecodeError::MissingField { field });
        match (self.number, self.before, self.check) {
            (0, Some(_), _) => missing("seq"),
            (0, None, None) => missing("checksum"),
            (0, None, Some(_)) => Ok(VenueSeq::default()),
            (_, None, _) => missing("pseq"),
            (last, Some(before), _) => {
                Ok(VenueSeq { first: before.saturating_add(1).min(last), last, prev: Some(before) })
            }
        }
    }
}

impl Bitget {
    /// Whether an update is of the book that is followed.
    #[inline]
    pub(super) fn is_followed(&mut self, slot: Slot) -> bool {
        self.followed(slot).is_none_or(|followed| followed == Channel::All)
    }

    fn judge(&mut self, slot: Slot, channel: Channel, is_whole: bool) -> Counts {
        match *self.followed(slot) {
            _ if channel == Channel::Top => Counts::Top,
            Some(deeper) if deeper > channel => Counts::Not,
            Some(other) if other != channel && !is_whole => Counts::Not,
            _ => Counts::Book,
        }
    }

    /// A message of a book.
    #[allow(clippy::too_many_arguments, reason = "the parts of one message")]
    pub(super) fn book(
        &mut self,
        channel: Channel,
        bytes: &[u8],
        arg: Arg<'_>,
        is_whole: bool,
        data: Token,
        routes: &Routes,
        out: &mut Events,
    ) -> Result<(), DecodeError> {
        let route = self.route(arg.inst_type, arg.name, bytes, arg.key, routes)?;
        if channel != Channel::All && !is_whole {
            return Err(DecodeError::UnknownMessage);
        }
        let counts = self.judge(route.slot, channel, is_whole);
        match counts {
            Counts::Book => out.concerns(Scope::Book(route.slot)),
            Counts::Top => {}
            Counts::Not => return Ok(()),
        }
        out.speaks_of(route.slot);
        items(data, bytes, "data", |scanner| {
            let said = levels(scanner, bytes, route, out)?;
            let span = out.levels_added();
            let seq = VenueSeq::at(said.number);
            let body = match (&counts, channel) {
                (Counts::Top | Counts::Not, _) | (_, Channel::Top) => {
                    let sides = out.levels(span);
                    let best = |side: &[Level]| side.first().copied().unwrap_or_default();
                    let (bid, ask) = (best(sides.bids), best(sides.asks));
                    out.forget_added();
                    Body::Bbo(VenueBbo { venue_seq: 0, bid, ask, ts_event: said.ts_event })
                }
                (Counts::Book, Channel::Best(depth)) => {
                    Body::Book(seq, span, Coverage::Depth(depth), Origin::Restated)
                }
                (Counts::Book, Channel::All) if is_whole => {
                    Body::Book(seq, span, Coverage::Whole, Origin::Stream)
                }
                (Counts::Book, Channel::All) => Body::Levels(said.update()?, span),
            };
            out.push(route.slot, said.ts_event, body);
            if let Some(check) = said.check.filter(|_| channel == Channel::All) {
                out.push(route.slot, said.ts_event, Body::Check(check));
            }
            Ok(())
        })?;
        if is_whole && matches!(counts, Counts::Book) {
            *self.followed(route.slot) = Some(channel);
        }
        Ok(())
    }
}

/// Both sides and what proves them.
fn levels(
    scanner: &mut Scanner<'_>,
    bytes: &[u8],
    route: Route,
    out: &mut Events,
) -> Result<Said, DecodeError> {
    let keys = ["asks", "bids", "a", "b", "ts", "checksum", "seq", "pseq"];
    let [asks, bids, a, b, ts, checksum, number, before] = members(scanner, bytes, &keys)?;
    // Rule 3.
    let is_short = a.kind != Kind::Absent || b.kind != Kind::Absent;
    let (bids, asks) = if is_short { ((b, "b"), (a, "a")) } else { ((bids, "bids"), (asks, "asks")) };
    side(bids, bytes, route, 0, out.bids())?;
    let taken = out.levels_added().len();
    side(asks, bytes, route, taken, out.asks())?;
    let is_there = |token: Token| token.kind != Kind::Absent;
    Ok(Said {
        number: if is_there(number) { unsigned(number, bytes, "seq")? } else { 0 },
        before: is_there(before).then(|| unsigned(before, bytes, "pseq")).transpose()?,
        // Rule 4.
        check: if is_there(checksum) { signed_check(checksum, bytes, "checksum")? } else { None },
        ts_event: milliseconds(ts, bytes, "ts")?,
    })
}

fn side(
    (token, field): (Token, &'static str),
    bytes: &[u8],
    route: Route,
    taken: usize,
    out: &mut Vec<Level>,
) -> Result<(), DecodeError> {
    is(token, Kind::Array, field, "an array of levels")?;
    read_levels(&mut Scanner::new(bytes, token.start as usize), bytes, route, taken, out)
}

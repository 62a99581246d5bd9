//! Orders one by one, and the book of orders that they continue (rules 6, 7, 9).

use super::recent::Recent;
use super::{Bitstamp, lose};
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::levels::{decimal, price_above_zero};
use crate::decode::members::{is, items, members, text, unsigned, values};
use crate::decode::{DecodeError, FRAME_LEVELS_MAX, Scaled};
use crate::types::{
    Absent, Body, Coverage, Event, Events, OrderChange, OrderId, Part, Qty, Route, Scope, Side, StaleReason,
    VenueSeq,
};

/// Choices: a taker's order, which does not stay.
const TAKES_ONLY: &[u8] = b"4";

/// What happens to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Created,
    Changed,
    Deleted,
}

impl Verb {
    /// By the name of an event.
    pub(super) const fn of(event: &[u8]) -> Option<Self> {
        match event {
            b"order_created" => Some(Self::Created),
            b"order_changed" => Some(Self::Changed),
            b"order_deleted" => Some(Self::Deleted),
            _ => None,
        }
    }
}

/// The members of an order by which it is read, in the order of [`change`]: id, side, price, what is left.
pub(super) type Order = [(Token, &'static str); 4];

/// What a message does to the book.
pub(super) fn change(
    verb: Verb,
    [id, side, price, qty]: Order,
    bytes: &[u8],
    route: Route,
) -> Result<OrderChange, DecodeError> {
    let id = OrderId(unsigned(id.0, bytes, id.1)?);
    if verb == Verb::Deleted {
        return Ok(OrderChange::Delete { id });
    }
    let (at, field) = (side.0.start, side.1);
    let side = match unsigned(side.0, bytes, field)? {
        0 => Side::Bid,
        1 => Side::Ask,
        _ => return Err(DecodeError::WrongType { at, field, expected: "0 or 1", got: "another number" }),
    };
    let price = price_above_zero(price.0, bytes, price.1, route.price_exponent)?;
    let at = qty.0.start;
    let qty = Qty(decimal(qty.0, bytes, qty.1, route.qty_exponent, Scaled::Qty)?);
    Ok(match verb {
        Verb::Created if qty == Qty(0) => return Err(DecodeError::BadLevel { at }),
        Verb::Created => OrderChange::Add { id, side, price, qty },
        _ if qty == Qty(0) => OrderChange::Delete { id },
        _ => OrderChange::Modify { id, side, price, qty },
    })
}

/// Rules 6 and 7: what it says, its own id, that of the event before.
pub(super) fn event(
    room: &mut Bitstamp,
    verb: Verb,
    [data, id, before]: [Token; 3],
    route: Route,
    bytes: &[u8],
    out: &mut Events,
) -> Result<(), DecodeError> {
    out.concerns(Scope::Book(route.slot));
    out.speaks_of(route.slot);
    is(data, Kind::Object, "data", "an object")?;
    let keys = ["id", "order_type", "order_subtype", "price_str", "amount_str", "microtimestamp", "id_str"];
    let [order, side, subtype, price, qty, time, again] =
        members(&mut Scanner::new(bytes, data.start as usize), bytes, &keys)?;
    if again.kind != Kind::Absent && unsigned(again, bytes, "id_str")? != unsigned(order, bytes, "id")? {
        let (field, expected) = ("id_str", "the number of `id`");
        return Err(DecodeError::WrongType { at: again.start, field, expected, got: "another" });
    }
    let time_us = unsigned(time, bytes, "microtimestamp")?;
    let (number, prev) = (number(id, bytes, "event_id")?, number(before, bytes, "pre_event_id")?);
    if number.0 != time_us {
        let (field, expected, got) = ("event_id", "an id of the event's time", "another time");
        return Err(DecodeError::WrongType { at: id.start, field, expected, got });
    }
    let order = [(order, "id"), (side, "order_type"), (price, "price_str"), (qty, "amount_str")];
    let change = change(verb, order, bytes, route)?;
    let ts_event = time_us.saturating_mul(1_000);
    let (number, prev) = (number.1, prev.1);
    let recent = room.recent(route.slot);
    if prev >= number {
        recent.forget();
        lose(route.slot, StaleReason::Contradiction, ts_event, out);
        return Ok(());
    }
    recent.heard(route, (prev, number), change);
    out.orders().push(change);
    let seq = VenueSeq { first: prev + 1, last: number, prev: Some(prev) };
    let body = Body::NumberedOrders(seq, out.orders_added(), Absent::Contradicts);
    let is_last = verb != Verb::Created || subtype.of(bytes) != TAKES_ONLY;
    out.push_event(Event { slot: route.slot, is_last, ts_event, ts_recv: 0, body });
    Ok(())
}

/// The time in an event's id, in microseconds, and its number: nanoseconds, to which twice its place is added, so that
/// a book has a number between that of the last event which it holds and the next one's.
fn number(token: Token, bytes: &[u8], field: &'static str) -> Result<(u64, u64), DecodeError> {
    let id = text(token, bytes, field)?;
    let bad = DecodeError::WrongType {
        at: token.start,
        field,
        expected: "groups of 8, 4, 4, 4 and 12 hexadecimal digits",
        got: "another text",
    };
    let (mut digits, mut len) = (0u128, 0);
    for (at, byte) in id.iter().enumerate() {
        match (at, char::from(*byte).to_digit(16)) {
            (8 | 13 | 18 | 23, None) if *byte == b'-' => {}
            (8 | 13 | 18 | 23, _) | (36.., _) | (_, None) => return Err(bad),
            (_, Some(digit)) => (digits, len) = (digits << 4 | u128::from(digit), len + 1),
        }
    }
    let (time_us, nth) = ((digits >> 64) as u64, (digits >> 48) as u64 & 0xFFFF);
    match time_us.checked_mul(1_000).and_then(|ns| ns.checked_add(2 * nth)) {
        Some(number) if len == 32 => Ok((time_us, number)),
        _ => Err(bad),
    }
}

/// Rule 9.
pub(super) fn book(
    recent: &mut Recent,
    [time, bids, asks]: [Token; 3],
    route: Route,
    bytes: &[u8],
    out: &mut Events,
) -> Result<(), DecodeError> {
    out.speaks_of(route.slot);
    unsigned(time, bytes, "microtimestamp")?;
    for (side, token, field) in [(Side::Bid, bids, "bids"), (Side::Ask, asks, "asks")] {
        orders(side, token, bytes, field, route, out)?;
    }
    let from = out.orders().len() - out.orders_added().len();
    let orders = out.orders().get(from..).unwrap_or_default();
    let Some(number) = recent.place(route, orders) else {
        out.forget_added();
        return Ok(());
    };
    let number = number + 1;
    let body = Body::OrderBook(number, Part::Whole, Coverage::Whole, out.orders_added());
    out.push(route.slot, number, body);
    Ok(())
}

/// The orders of a side, each `[price, amount, id]`.
fn orders(
    side: Side,
    token: Token,
    bytes: &[u8],
    field: &'static str,
    route: Route,
    out: &mut Events,
) -> Result<(), DecodeError> {
    items(token, bytes, field, |scanner| {
        let at = scanner.at();
        if out.orders_added().len() >= FRAME_LEVELS_MAX {
            return Err(DecodeError::TooManyLevels { at });
        }
        let ([price, qty, id], count) = values(scanner)?;
        if count != 3 {
            return Err(DecodeError::NotSnapshot);
        }
        let id = OrderId(unsigned(id, bytes, "id")?);
        let price = price_above_zero(price, bytes, "price", route.price_exponent)?;
        let qty = Qty(decimal(qty, bytes, "amount", route.qty_exponent, Scaled::Qty)?);
        if qty == Qty(0) {
            return Err(DecodeError::BadLevel { at });
        }
        out.orders().push(OrderChange::Add { id, side, price, qty });
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Price, Routes, Slot};
    use crate::venues::room::{Asked, At, Room};
    use crate::venues::{BITSTAMP, BITSTAMP_ORDERS};

    const US: u64 = 1_787_620_344_640_000;

    fn routes() -> Routes {
        let mut routes = Routes::new();
        let route = Route { slot: Slot(0), price_exponent: -2, qty_exponent: -8 };
        assert!(routes.carry([&b"btcusd"[..]].into_iter(), route));
        routes
    }

    fn id(us: u64, nth: u64) -> String {
        let hex = format!("{us:016x}");
        format!("{}-{}-{}-{nth:04x}-000101000020", &hex[..8], &hex[8..12], &hex[12..])
    }

    /// An event, `ms` behind the beginning, at a place among those of its time.
    fn event(name: &str, order: u64, (ms, nth): (u64, u64), before: (u64, u64)) -> String {
        let us = US + ms * 1_000;
        let (id, before) = (id(us, nth), id(US + before.0 * 1_000, before.1));
        format!(
            r#"{{"data":{{"id":{order},"id_str":"{order}","order_type":0,"order_subtype":5,"microtimestamp":"{us}","amount":0.25,"amount_str":"0.25000000","price":79640.78,"price_str":"79640.78"}},"channel":"live_orders_btcusd","event":"order_{name}","event_id":"{id}","pre_event_id":"{before}","order_source":"orderbook"}}"#
        )
    }

    fn said(room: &mut Bitstamp, frame: &str) -> Result<(Vec<Event>, Vec<OrderChange>), &'static str> {
        let mut events = Events::default();
        let read = room.frame(frame.as_bytes(), At::default(), &routes(), &mut events);
        if read.is_err() {
            assert_eq!(events.concerned(), Some(Scope::Book(Slot(0))));
            assert!(events.list().is_empty());
        }
        read.map_err(|error| error.code())?;
        let changes = events.list().iter().flat_map(|event| match event.body {
            Body::NumberedOrders(_, span, Absent::Contradicts) => events.order_changes(span).to_vec(),
            _ => Vec::new(),
        });
        Ok((events.list().to_vec(), changes.collect()))
    }

    fn seq(room: &mut Bitstamp, frame: &str) -> Option<(u64, Option<u64>, bool)> {
        let (events, _) = said(room, frame).unwrap();
        let [Event { is_last, ts_event, body, .. }] = events[..] else { panic!("{events:?}") };
        assert_eq!(ts_event % 1_000_000, 0);
        match body {
            Body::NumberedOrders(VenueSeq { first, last, prev }, ..) => {
                assert_eq!(Some(first - 1), prev);
                Some((last - US * 1_000, prev.map(|prev| prev - US * 1_000), is_last))
            }
            Body::Lost { reason: StaleReason::Contradiction, .. } => None,
            ref other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_event_has_a_number_and_that_of_the_one_before() {
        let mut room = Bitstamp::of(BITSTAMP_ORDERS);
        let of = |ms: u64, nth: u64| ms * 1_000_000 + 2 * nth;
        assert_eq!(
            seq(&mut room, &event("created", 1, (5, 0), (2, 9))),
            Some((of(5, 0), Some(of(2, 9)), true))
        );
        assert_eq!(
            seq(&mut room, &event("changed", 1, (5, 1), (5, 0))),
            Some((of(5, 1), Some(of(5, 0)), true))
        );
        let taker = event("created", 2, (6, 0), (5, 1)).replace("subtype\":5", "subtype\":4");
        assert_eq!(seq(&mut room, &taker), Some((of(6, 0), Some(of(5, 1)), false)));
        assert_eq!(seq(&mut room, &event("deleted", 2, (6, 0), (6, 0))), None, "it comes before itself");
        let other = event("created", 2, (6, 0), (5, 1)).replace("btcusd", "ethusd");
        let read = room.frame(other.as_bytes(), At::default(), &routes(), &mut Events::default());
        assert_eq!(read.map_err(|error| error.code()), Err("decode.unknown_symbol"));
        let (events, _) = said(&mut Bitstamp::of(BITSTAMP), &taker).unwrap();
        assert!(events.is_empty(), "orders are another product's");
    }

    #[test]
    fn orders_come_change_and_go() {
        let (id, side, price, qty) = (OrderId(7), Side::Bid, Price(7_964_078), Qty(25_000_000));
        for (name, more, expected) in [
            ("created", ("", ""), OrderChange::Add { id, side, price, qty }),
            ("created", ("type\":0", "type\":1"), OrderChange::Add { id, side: Side::Ask, price, qty }),
            ("changed", ("", ""), OrderChange::Modify { id, side, price, qty }),
            ("changed", ("\"0.25000000\"", "\"0\""), OrderChange::Delete { id }),
            ("deleted", ("", ""), OrderChange::Delete { id }),
            ("deleted", ("79640.78\"", "0\""), OrderChange::Delete { id }),
        ] {
            let frame = event(name, 7, (5, 0), (2, 9));
            let frame = if more.0.is_empty() { frame } else { frame.replace(more.0, more.1) };
            let (_, changes) = said(&mut Bitstamp::of(BITSTAMP_ORDERS), &frame).unwrap();
            assert_eq!(changes, [expected], "{frame}");
        }
    }

    #[test]
    fn an_event_that_is_none_is_refused() {
        let good = event("created", 7, (5, 0), (2, 9));
        let own = id(US + 5_000, 0);
        for (from, to, code) in [
            (&own[..], "000659d4cba2b2000000000101000020", "decode.wrong_type"),
            (&own, "000659d4-cba2-b200-0000-0001010000200", "decode.wrong_type"),
            (&own, "000659d4-cba2-b200-0000-00010100002g", "decode.wrong_type"),
            (&own, "ffffffff-ffff-ffff-0000-000101000020", "decode.wrong_type"),
            (&own, &id(US, 0), "decode.wrong_type"),
            ("\"pre_event_id\"", "\"post_event_id\"", "decode.missing_field"),
            ("order_type\":0", "order_type\":2", "decode.wrong_type"),
            ("\"79640.78\"", "\"0\"", "decode.zero_price"),
            ("\"0.25000000\"", "\"-1\"", "decode.negative"),
            ("\"0.25000000\"", "\"0\"", "decode.bad_level"),
        ] {
            let frame = good.replace(from, to);
            assert_ne!(frame, good);
            assert_eq!(said(&mut Bitstamp::of(BITSTAMP_ORDERS), &frame).map(|_| ()), Err(code), "{frame}");
        }
    }

    /// The number at which a book stands, behind the beginning, and its orders; none where it is not joined.
    fn place(room: &mut Bitstamp, ms: u64, orders: &[u64]) -> Option<(u64, usize)> {
        let row = |order: &u64| format!(r#"["79640.78","0.25000000","{order}"]"#);
        let bids = orders.iter().map(row).collect::<Vec<_>>().join(",");
        let us = US + ms * 1_000;
        let text = format!(r#"{{"timestamp":"1","microtimestamp":"{us}","bids":[{bids}],"asks":[]}}"#);
        let mut events = Events::default();
        let asked = Asked { routes: &routes(), url: b"https://x/api/v2/order_book/btcusd/?group=2" };
        let read = room.answer(&asked, text.as_bytes(), At::default(), &mut events);
        read.unwrap();
        match *events.list() {
            [Event { body: Body::OrderBook(number, Part::Whole, Coverage::Whole, span), .. }] => {
                Some((number - US * 1_000, span.len()))
            }
            [] => {
                assert!(events.orders().is_empty());
                None
            }
            ref other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_book_has_the_number_of_the_last_event_that_it_holds() {
        let mut room = Bitstamp::of(BITSTAMP_ORDERS);
        assert_eq!(place(&mut room, 600, &[1]), None, "nothing was heard");
        said(&mut room, &event("created", 8, (200, 0), (100, 0))).unwrap();
        said(&mut room, &event("deleted", 3, (300, 0), (200, 0))).unwrap();
        said(&mut room, &event("created", 9, (590, 0), (300, 0))).unwrap();
        let of = |ms: u64| ms * 1_000_000 + 1;
        assert_eq!(place(&mut room, 600, &[1, 8]), Some((of(300), 2)));
        assert_eq!(place(&mut room, 600, &[1, 3, 8]), Some((of(200), 3)));
        assert_eq!(place(&mut room, 600, &[1, 3]), None, "what came before 200 may be missing");
        assert_eq!(place(&mut room, 600, &[1, 8, 9]), Some((of(590), 3)));
        assert_eq!(place(&mut room, 600, &[1, 3, 8, 9]), None, "3 was gone before 9 came");
        said(&mut room, &event("created", 10, (700, 1), (700, 0))).unwrap();
        assert_eq!(place(&mut room, 700, &[1, 8, 9]), None, "there is a hole");
        assert_eq!(place(&mut room, 700, &[1, 8, 9, 10]), Some((of(700) + 2, 4)));
    }

    #[test]
    fn a_book_of_levels_is_none_of_orders() {
        let mut room = Bitstamp::of(BITSTAMP_ORDERS);
        said(&mut room, &event("created", 8, (200, 0), (100, 0))).unwrap();
        let text =
            r#"{"timestamp":"1","microtimestamp":"1787620345640000","bids":[["1.00","1.0"]],"asks":[]}"#;
        let asked = Asked { routes: &routes(), url: b"" };
        let read = room.answer(&asked, text.as_bytes(), At::default(), &mut Events::default());
        assert_eq!(read.map_err(|error| error.code()), Err("decode.not_snapshot"));
    }
}

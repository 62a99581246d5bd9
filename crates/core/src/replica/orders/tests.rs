use super::*;
use crate::encode::{
    CheckBody, Header, ImageBody, OrderBody, OrderCause, PLACE_LAST, Stream, write_orders, write_orders_image,
};
use crate::replica::Replica;
use crate::types::BookState;
use crate::types::{InstrumentId, KnownTo};

const ID: InstrumentId = InstrumentId(7);

fn header(kind: Kind, seq: u64, prev_seq: u64, flags: Flags) -> Header {
    let (ts_event, ts_recv, ts_send) = (0, 0, 0);
    let stream = Stream::ORDERS;
    Header {
        epoch: 1,
        seq,
        prev_seq,
        venue_seq: seq,
        ts_event,
        ts_recv,
        ts_send,
        instrument: ID.0,
        kind,
        stream,
        flags,
    }
}

fn order(action: OrderAction, number: u64, price: i64, qty: i64, place: u32) -> OrderBody {
    OrderBody {
        name: OrderName::Named(number),
        price: Price(price),
        qty: Qty(qty),
        place,
        action,
        side: Some(Side::Bid),
        cause: OrderCause::Unknown,
    }
}

/// A reader of a book without orders, at sequence 1.
fn reader() -> Replica {
    let body = ImageBody {
        known_to: KnownTo::WHOLE,
        depth: 0,
        price_exponent: 0,
        qty_exponent: 0,
        state: BookState::Synced.code(),
        reason: 0,
        check: CheckBody::default(),
    };
    let mut replica = Replica::default();
    let header = header(Kind::Image, 1, 1, Flags::LAST);
    write_orders_image(
        &mut Vec::new(),
        &header,
        &body,
        &[],
        |_| b"",
        |frame| {
            assert_eq!(replica.apply(frame), Ok(Outcome::Image));
        },
    );
    replica
}

/// A frame of orders, all of whose names come with it.
fn say(replica: &mut Replica, seq: u64, flags: Flags, orders: &[OrderBody]) -> Outcome {
    let text = |order: &OrderBody| match order.name {
        OrderName::Named(number) if order.action == OrderAction::Add => {
            Some((number, TEXTS[number as usize]))
        }
        _ => None,
    };
    let mut frame = Vec::new();
    let header = header(Kind::Orders, seq, seq - 1, flags);
    write_orders(&mut frame, &header, orders, orders.iter().filter_map(text));
    replica.apply(&frame).unwrap()
}

const TEXTS: [&[u8]; 4] = [b"", b"the first of the names", &[b'x'; 55], &[b'y'; 120]];

fn queue(replica: &Replica, price: i64) -> Vec<(OrderName, Qty)> {
    replica.orders(ID).unwrap().queue(Side::Bid, Price(price)).collect()
}

fn named(number: u64, qty: i64) -> (OrderName, Qty) {
    (OrderName::Named(number), Qty(qty))
}

#[test]
fn orders_stand_where_they_are_told_to() {
    use OrderAction::{Add, Change, Move, Remove};
    let mut replica = reader();
    let orders = [1, 2, 3].map(|number| order(Add, number, 10, 5, PLACE_LAST));
    assert_eq!(say(&mut replica, 2, Flags::LAST, &orders), Outcome::Applied);
    assert_eq!(queue(&replica, 10), [named(1, 5), named(2, 5), named(3, 5)]);
    let told = replica.orders(ID).unwrap();
    for (number, text) in (1..).zip(&TEXTS[1..]) {
        assert_eq!(told.text(number), Some(*text));
        assert_eq!(told.named(text), Some(OrderName::Named(number)));
    }
    let moved = [order(Move, 3, 10, 6, 1), order(Change, 2, 10, 1, 0), order(Remove, 1, 10, 0, 0)];
    say(&mut replica, 3, Flags::NONE, &moved);
    assert_eq!(queue(&replica, 10), [named(3, 6), named(2, 1)]);
    assert!(!replica.orders(ID).unwrap().is_event_whole());
    // It goes and comes again, to the front.
    say(&mut replica, 4, Flags::LAST, &[order(Remove, 2, 10, 0, 0), order(Add, 2, 10, 9, 0)]);
    assert_eq!(queue(&replica, 10), [named(2, 9), named(3, 6)]);
    let told = replica.orders(ID).unwrap();
    assert_eq!((told.text(1), told.text(2)), (None, Some(TEXTS[2])));
    let ahead = told.orders_ahead(OrderName::Named(3)).unwrap();
    assert_eq!((ahead.orders_ahead, ahead.qty_ahead), (1, Qty(9)));
    assert!(told.levels(Side::Bid).eq([Level::new(10, 15)]));
    assert_eq!(say(&mut replica, 4, Flags::LAST, &[]), Outcome::Old);
    assert_eq!(say(&mut replica, 6, Flags::LAST, &[]), Outcome::Gap { expected: 4, received: 5 });
    assert_eq!(say(&mut replica, 5, Flags::LAST, &[]), Outcome::Ignored, "it waits for an image");
}

#[test]
fn what_contradicts_the_orders_makes_them_untrue() {
    use OrderAction::{Add, Change, Move, Remove};
    for bad in [
        order(Add, 1, 10, 5, PLACE_LAST),
        order(Add, 2, 10, 5, 2),
        order(Add, 2, 10, 0, 0),
        order(Change, 1, 11, 5, 0),
        order(Change, 2, 10, 5, 0),
        order(Move, 2, 10, 5, 0),
        order(Remove, 2, 10, 0, 0),
        order(Remove, 1, 10, 1, 0),
        OrderBody { side: Some(Side::Ask), ..order(Remove, 1, 10, 0, 0) },
        OrderBody { side: None, ..order(Change, 1, 10, 4, 0) },
        OrderBody { name: OrderName::None, ..order(Add, 2, 10, 4, 0) },
    ] {
        let mut replica = reader();
        say(&mut replica, 2, Flags::LAST, &[order(Add, 1, 10, 5, PLACE_LAST)]);
        assert_eq!(say(&mut replica, 3, Flags::LAST, &[bad]), Outcome::CheckFailed, "{bad:?}");
        assert_eq!(replica.orders(ID).unwrap().state(), ReplicaState::Stale(ReplicaReason::CheckFailed));
    }
}

#[test]
fn a_stream_that_is_stale_says_so() {
    let mut replica = reader();
    say(&mut replica, 2, Flags::LAST, &[order(OrderAction::Add, 1, 10, 5, PLACE_LAST)]);
    let clear = OrderBody { name: OrderName::None, side: None, ..order(OrderAction::Clear, 0, 0, 0, 0) };
    assert_eq!(say(&mut replica, 3, Flags::LAST.with(Flags::STALE), &[clear]), Outcome::Applied);
    let told = replica.orders(ID).unwrap();
    assert_eq!((told.state(), told.is_empty()), (ReplicaState::Stale(ReplicaReason::Unknown), true));
}

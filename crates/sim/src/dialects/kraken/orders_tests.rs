//! Which orders are told when levels come into sight and go out of it.

use super::*;

fn empty(depth: usize) -> Orders {
    Orders { sides: [Window::new(depth), Window::new(depth)], entries: [vec![], vec![]] }
}

/// Bids of one order each: 100, 99, 98, 97 with ids of the same numbers; two levels are shown.
fn four_bids() -> Orders {
    let mut orders = empty(2);
    for price in [100, 99, 98, 97] {
        orders.enter(Side::Bid, -price, Order { id: price as u64, qty: 5, time_ns: 1 });
    }
    orders
}

fn apply(
    orders: &mut Orders,
    price: i64,
    kind: ChangeKind,
    order_id: u64,
    order_qty: i64,
) -> Vec<(Event, u64, i64)> {
    orders.told();
    let change = Change { side: Side::Bid, price, level_qty: 0, kind, order_id, order_qty };
    orders.apply(&change, 2);
    orders.entries(Side::Bid).iter().map(|entry| (entry.event, entry.id, entry.price)).collect()
}

fn shown(orders: &Orders) -> Vec<u64> {
    orders.shown(Side::Bid).map(|order| order.id).collect()
}

#[test]
fn a_level_that_comes_into_sight_is_told_whole() {
    let mut orders = four_bids();
    assert_eq!(apply(&mut orders, 98, ChangeKind::Added, 7, 1), [], "out of sight");
    let told = apply(&mut orders, 100, ChangeKind::Removed, 100, 0);
    assert_eq!(told, [(Event::Delete, 100, 100), (Event::Add, 98, 98), (Event::Add, 7, 98)]);
    assert_eq!(shown(&orders), [99, 98, 7]);
    assert_eq!(apply(&mut orders, 101, ChangeKind::Added, 8, 1), [(Event::Add, 8, 101)]);
    assert_eq!(shown(&orders), [8, 99]);
    assert_eq!(apply(&mut orders, 98, ChangeKind::Removed, 7, 0), [], "out of sight again");
    assert_eq!(apply(&mut orders, 99, ChangeKind::Reduced, 99, 2), [(Event::Modify, 99, 99)]);
}

#[test]
fn an_order_that_moves_is_told_by_where_it_was_and_where_it_is() {
    let moved = |from| ChangeKind::Moved { from, from_level_qty: 0 };
    let mut orders = four_bids();
    assert_eq!(apply(&mut orders, 100, moved(99), 99, 5), [(Event::Add, 98, 98), (Event::Modify, 99, 100)]);
    assert_eq!(shown(&orders), [100, 99, 98]);
    let mut orders = four_bids();
    let told = apply(&mut orders, 98, moved(100), 100, 5);
    assert_eq!(told, [(Event::Add, 98, 98), (Event::Modify, 100, 98)], "behind the one that came into sight");
    assert_eq!(shown(&orders), [99, 98, 100]);
    let mut orders = four_bids();
    let told = apply(&mut orders, 97, moved(100), 100, 5);
    assert_eq!(told, [(Event::Add, 98, 98), (Event::Delete, 100, 100)]);
    let mut orders = four_bids();
    assert_eq!(apply(&mut orders, 99, moved(97), 97, 5), [(Event::Add, 97, 99)]);
    assert_eq!(apply(&mut orders, 96, moved(98), 98, 5), []);
}

#[test]
fn the_checksum_reads_asks_then_bids_each_order_by_itself() {
    let mut orders = four_bids();
    orders.enter(Side::Ask, 102, Order { id: 1, qty: 70, time_ns: 1 });
    orders.enter(Side::Ask, 102, Order { id: 2, qty: 8, time_ns: 1 });
    assert_eq!(orders.checksum((0, 0)), crc32(b"1027010281005995"));
    assert_eq!(orders.checksum((1, 2)), crc32(b"1020700010208001000500990500"));
}

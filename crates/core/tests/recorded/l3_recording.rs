//! A recorded day of a future, order by order: every answer as the oracle's, and the end that its manifest states.

use depthwire_core::book::BookSpec;
use depthwire_core::book::l3::{BookIndex, IdOrder, L3Books, L3Spec, NaiveL3};
use depthwire_core::framing::dbn::{DbnFramer, MboChange, Record};
use depthwire_core::types::{OrderChange, Side, parse_decimal};

use crate::expected::Orders;
use crate::{expected, files};

/// The changes of the recording; `None`, said on standard error, where it is not to be had.
fn load(test: &str, set: &Orders) -> Option<Vec<OrderChange>> {
    let bytes = files::read(&files::root(test)?.join(&set.files[0]))?;
    let mut changes = Vec::new();
    for entry in DbnFramer::new().records(&bytes) {
        let Record::Mbo(order) = entry.record.unwrap() else { panic!("a record that is no order's") };
        match order.change().unwrap() {
            MboChange::Order(change) => changes.push(change),
            MboChange::Nothing => {}
            other => panic!("{other:?}"),
        }
    }
    Some(changes)
}

#[test]
fn a_recorded_future_ends_as_published() {
    let set = expected::orders("es-mbo");
    let Some(changes) = load("a_recorded_future_ends_as_published", set) else { return };
    assert_eq!(changes.len() as u64, set.adds + set.reduces + set.modifies);
    let spec = BookSpec { tick_size: 250_000_000, levels_max: 1 << 20 };
    for ids in [IdOrder::Arbitrary, IdOrder::Ascending] {
        let limits = L3Spec { orders_max: 1 << 16, books_max: 1, ids, hash_seed: 1 };
        let (mut books, mut naive) = (L3Books::new(limits).unwrap(), NaiveL3::new(limits));
        let book = books.open(spec).unwrap();
        assert_eq!((naive.open(spec), book), (Ok(book), BookIndex(0)));
        let mut orders_most = 0;
        for (at, change) in changes.iter().enumerate() {
            let answer = books.apply(book, change);
            assert!(answer.is_ok() && answer == naive.apply(book, change), "change {at}: {change:?}");
            assert_eq!(books.bbo(book), naive.bbo(book), "change {at}: {change:?}");
            orders_most = orders_most.max(books.orders_len());
        }
        assert_eq!(orders_most, set.resting_max);
        let end = books.bbo(book);
        let price = |text: &str| parse_decimal(text.as_bytes(), -9);
        assert_eq!(Ok(end.bid.unwrap().price.0), price(&set.best_bid));
        assert_eq!(Ok(end.ask.unwrap().price.0), price(&set.best_ask));
        assert_eq!((books.len(book, Side::Bid), books.len(book, Side::Ask)), (set.bids, set.asks));
        for side in [Side::Bid, Side::Ask] {
            assert!(books.levels_with_orders(book, side).eq(naive.levels_with_orders(book, side)));
            for level in naive.levels(book, side) {
                assert!(books.queue(book, side, level.price).eq(naive.queue(book, side, level.price)));
            }
        }
        assert_eq!(books.check_invariants(), Ok(()));
    }
}

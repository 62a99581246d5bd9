//! Point 2: every dialect speaks, and the book is its market's after every frame that ends an event.

use depthwire_core::venues::{self, Resync};
use depthwire_sim::dialects::TrueOrders;

use crate::feed::{Feed, START_NS};
use crate::rig::Rig;
use crate::rooms::{Row, rows};

const SECONDS: u64 = if cfg!(debug_assertions) { 5 } else { 40 };

/// A new connection, and a subscription anew, in the middle of it.
fn speaks(row: &Row) -> (u64, u64) {
    let mut feed = Feed::open(row, 2_026);
    let mut rig = Rig::new(row, &feed);
    let product = venues::product(row.venue);
    let mut orders = TrueOrders::default();
    let (mut compared, mut unknown, mut behind) = (0u64, 0u64, 0);
    let mut turns = [3, 6].map(|tenth| START_NS + SECONDS * 100_000_000 * tenth).into_iter().peekable();
    while feed.now < START_NS + SECONDS * 1_000_000_000 {
        let heard = feed.next();
        rig.hear(&heard).unwrap();
        if !rig.is_synced() && product.resync == Resync::Snapshot && heard.is_book() {
            assert!(rig.cure(&mut feed));
        }
        if heard.truth.is_some() {
            assert!(rig.is_synced() || compared == 0, "{}: {:?}", row.name, rig.state());
            match rig.right_levels(&heard).filter(|_| rig.is_synced()) {
                Some(right) => {
                    assert_eq!(right, usize::MAX, "{}", row.name);
                    compared += 1;
                }
                None => unknown += 1,
            }
            if compared % 64 == 0 && rig.is_synced() && feed.dialect.orders(&mut orders) {
                // First the image: what an event under way has done so far is told before it.
                assert!(rig.assert_orders_told(), "{}", row.name);
                behind += rig.queued_orders(&orders, 7).expect(&row.name);
            }
        }
        let is_turn = turns.peek().is_some_and(|at| feed.now >= *at && heard.truth.is_some());
        if is_turn && product.resync != Resync::Wait {
            turns.next();
            if turns.peek().is_some() {
                let now = feed.now + 1_700_000_000;
                rig.engine.opened(rig.source, now).unwrap();
                assert!(row.is_numbered() || !rig.is_synced(), "what is said meanwhile is not told again");
                feed.reopen(now);
            } else {
                feed.resubscribe();
            }
            unknown = 0;
        }
    }
    rig.tick(feed.now);
    rig.assert_told();
    if row.has_orders {
        assert!(rig.assert_orders_told(), "{}", row.name);
    }
    let (stats, sent) = (rig.engine.stats(), feed.dialect.sent());
    assert!(compared > SECONDS && unknown < 20, "{}: {compared} compared, {unknown} not", row.name);
    assert_eq!((stats.contradictions, stats.decode_errors, stats.silences), (0, 0, 0), "{}", row.name);
    assert_eq!((stats.orders.contradictions, stats.orders.doubts, stats.crossed), (0, 0, 0), "{}", row.name);
    assert_eq!(stats.checksums_checked, stats.checksums_matched, "{}", row.name);
    if row.checked_levels > 0 {
        assert!(stats.checksums_checked + 3 >= compared, "{}: {stats:?}", row.name);
    }
    assert_eq!(sent.checksums > 0, stats.checksums_checked > 0, "{}: {sent:?}", row.name);
    // Every channel that is said is read.
    assert!(sent.trades == 0 || stats.trades > 0, "{}: {sent:?}", row.name);
    assert!(sent.tickers == 0 || stats.tickers + stats.bbo_checked > 0, "{}: {sent:?}", row.name);
    assert_eq!(stats.bbo_checked, stats.bbo_matched, "{}", row.name);
    assert!(!row.has_orders || behind > 0 || sent.orders < 2_000, "{}: queues", row.name);
    (compared, stats.checksums_matched)
}

#[test]
fn every_book_is_the_venues_after_every_frame() {
    println!("{:<32} {:>9} {:>9}", "twin", "books", "checksums");
    for row in rows() {
        let (books, checksums) = speaks(&row);
        println!("{:<32} {books:>9} {checksums:>9}", row.name);
    }
}

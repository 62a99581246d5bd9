//! Instruments that a venue lists and changes while books run.

use depthwire_core::engine::{EngineConfig, Listed};
use depthwire_core::types::{BookState, Decimal};
use depthwire_core::venues;

use crate::rig::Rig;

#[test]
fn a_venue_lists_and_changes_instruments_while_books_run() {
    let mut rig = Rig::synced(EngineConfig::default());
    let listed = |symbol: &str, tick: &[u8], lot: &[u8]| {
        let decimal = |text| Decimal::parse(text).unwrap();
        venues::instrument(venues::SIM, symbol).unwrap().listed(decimal(tick), decimal(lot))
    };
    let (id, is) = rig.engine.define(listed("NEWUSDT", b"0.1", b"1"), rig.now).unwrap();
    assert_eq!(is, Listed::New);
    assert_eq!(rig.engine.define(listed("NEWUSDT", b"0.1", b"1"), rig.now), Ok((id, Listed::Same)));
    assert_eq!(rig.engine.define(listed("NEWUSDT", b"0.5", b"1"), rig.now), Ok((id, Listed::Changed)));
    assert_eq!(rig.engine.catalogue().get(id).unwrap().tick_size, 5);
    // Of one that has a book a coarser list changes the increments, a finer one the scale too, in another epoch.
    let held = rig.engine.catalogue().get(rig.id).unwrap().clone();
    assert_eq!((held.price_exponent, held.tick_size), (-2, 1));
    let epoch = |rig: &Rig| rig.engine.book_info(rig.id, rig.now).unwrap().epoch;
    let before = epoch(&rig);
    rig.engine.define(listed("BTCUSDT", b"0.5", b"0.00001"), rig.now).unwrap();
    let held = rig.engine.catalogue().get(rig.id).unwrap();
    assert_eq!((held.price_exponent, held.tick_size, epoch(&rig)), (-2, 50, before));
    rig.engine.define(listed("BTCUSDT", b"0.001", b"0.00001"), rig.now).unwrap();
    let held = rig.engine.catalogue().get(rig.id).unwrap();
    assert_eq!((held.price_exponent, held.tick_size, epoch(&rig)), (-3, 1, before + 1));
    assert_eq!(rig.state(), BookState::Synced);
    rig.depth(101, 101, "[\"10.005\",\"1\"]", "");
    assert_eq!(rig.engine.book_info(rig.id, rig.now).unwrap().bbo.bid.unwrap().price.0, 10_005);
}

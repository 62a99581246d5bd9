//! Depth views, and the checks that are published of books and views.

use depthwire_core::engine::{EngineConfig, EngineError};
use depthwire_core::types::Instrument;

use crate::rig::{CHECK, DELTA, MS, Rig, S, Seen, kinds};

#[test]
fn views_publish_net_changes_at_their_interval() {
    let mut rig = Rig::synced(EngineConfig::default());
    let every = rig.engine.open_depth(rig.id, 1, 0, rig.now).unwrap();
    let slow = rig.engine.open_depth(rig.id, 1, 100 * MS, rig.now).unwrap();
    assert_eq!(rig.engine.open_depth(rig.id, 1, 0, rig.now).unwrap(), every, "alike views are shared");
    assert_eq!((every.0, slow.0), (16, 17));
    assert_eq!(rig.image(slow).len(), 1);
    rig.now += 10 * MS;
    rig.depth(101, 101, "[\"10.00\",\"2\"],[\"9.00\",\"1\"]", "");
    rig.depth(102, 102, "[\"10.00\",\"3\"]", "");
    rig.depth(103, 103, "[\"9.00\",\"3\"]", "");
    let seen = rig.seen();
    assert_eq!(kinds(&seen).iter().filter(|seen| **seen == (DELTA, every.0)).count(), 2, "9.00 is not in it");
    assert!(!kinds(&seen).contains(&(DELTA, slow.0)));
    rig.now += 90 * MS;
    rig.tick();
    let conflated = Seen::Frame { kind: DELTA, stream: slow.0, epoch: 1, seq: 2, prev_seq: 1, flags: 32 | 1 };
    assert!(rig.seen().contains(&conflated));
    rig.engine.close_view(rig.id, slow);
    rig.engine.close_view(rig.id, every);
    rig.engine.close_view(rig.id, every);
    assert_eq!(rig.image(every), [], "the last reader closes it");
    assert_eq!(rig.engine.open_depth(rig.id, 0, 0, 0), Err(EngineError::ViewRange));
    assert_eq!(rig.engine.open_depth(rig.id, 101, 0, 0), Err(EngineError::ViewRange));
    for grouping in [-1, 3] {
        let mut rig = Rig::synced(EngineConfig::default());
        let listed = rig.engine.catalogue().get(rig.id).unwrap().clone();
        assert_eq!((listed.tick_size, listed.price_exponent), (1, -2));
        rig.engine.define(Instrument { tick_size: 2, ..listed }, rig.now).unwrap();
        let opened = rig.engine.open_grouped_depth(rig.id, 1, 0, grouping, 0);
        assert_eq!(opened, Err(EngineError::ViewGrouping { tick: 2, grouping }));
        assert!(rig.engine.open_grouped_depth(rig.id, 1, 0, 4, 0).is_ok());
    }
    assert_eq!(rig.engine.open_depth(rig.id, 1, 61 * S, 0), Err(EngineError::ViewRange));
    for interval_ms in 0..32 {
        rig.engine.open_depth(rig.id, 5, interval_ms * MS, 0).unwrap();
    }
    assert_eq!(rig.engine.open_depth(rig.id, 6, 0, 0), Err(EngineError::ViewsFull));
}

#[test]
fn a_stream_number_used_again_goes_on_behind_the_view_before() {
    let mut rig = Rig::synced(EngineConfig::default());
    let first = rig.engine.open_depth(rig.id, 1, 0, rig.now).unwrap();
    for id in 101..106 {
        rig.depth(id, id, &format!("[\"10.00\",\"{id}\"]"), "");
    }
    rig.engine.close_view(rig.id, first);
    let second = rig.engine.open_depth(rig.id, 2, 0, rig.now).unwrap();
    assert_eq!(first, second);
    rig.seen();
    let image = rig.image(second);
    assert!(matches!(image[..], [Seen::Frame { seq: 7, prev_seq: 7, .. }]), "{image:?}");
    rig.depth(106, 106, "[\"10.00\",\"1\"]", "");
    let delta = Seen::Frame { kind: DELTA, stream: second.0, epoch: 1, seq: 8, prev_seq: 7, flags: 32 };
    assert!(rig.seen().contains(&delta));
}

#[test]
fn a_changed_book_is_checked_once_a_second() {
    let mut rig = Rig::synced(EngineConfig::default());
    rig.now += 2 * S;
    rig.tick();
    assert_eq!(rig.seen(), [], "nothing changed");
    rig.depth(101, 101, "[\"10.00\",\"2\"]", "");
    assert!(kinds(&rig.seen()).contains(&(CHECK, 1)));
    rig.depth(102, 102, "[\"10.00\",\"3\"]", "");
    assert!(!kinds(&rig.seen()).contains(&(CHECK, 1)));
    rig.now += S;
    rig.tick();
    let check = |stream, seq| Seen::Frame { kind: CHECK, stream, epoch: 1, seq, prev_seq: seq, flags: 0 };
    assert_eq!(rig.seen(), [check(1, 3)]);
    let view = rig.engine.open_depth(rig.id, 1, 0, rig.now).unwrap();
    rig.depth(103, 103, "[\"10.00\",\"4\"]", "");
    rig.seen();
    rig.now += S;
    rig.tick();
    assert_eq!(rig.seen(), [check(view.0, 2), check(1, 4)], "a view that changed is checked as well");
}

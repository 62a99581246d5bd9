//! Trades: each is told once, by one kind of message.

use depthwire_core::engine::EngineConfig;

use crate::rig::{Rig, kinds};

#[test]
fn one_kind_of_trade_message_is_passed_on() {
    let mut rig = Rig::new(EngineConfig::default());
    rig.trade("trade", 7);
    rig.trade("aggTrade", 3);
    rig.trade("trade", 8);
    assert_eq!(kinds(&rig.seen()), [(5, 3), (5, 3)]);
    let stats = rig.engine.stats();
    assert_eq!((stats.trades, stats.ignored), (2, 1));
}

#[test]
fn a_trade_is_told_once_and_a_reset_lets_the_other_kind_in() {
    let mut rig = Rig::new(EngineConfig::default());
    for id in [7, 7, 6, 9] {
        rig.trade("trade", id);
    }
    assert_eq!(kinds(&rig.seen()).len(), 2, "7 and 9");
    rig.engine.reset_source(rig.source, rig.now).unwrap();
    rig.seen();
    rig.trade("aggTrade", 1);
    assert_eq!(kinds(&rig.seen()), [(5, 3)]);
}

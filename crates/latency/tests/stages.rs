//! Stages of messages: they add up, each time is of the stage that it passed in, and everything is counted.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod market;

use std::cell::RefCell;

use depthwire_core::engine::{Engine, EngineConfig};
use depthwire_core::types::{InstrumentId, NoClock, Stage};
use depthwire_core::venues;
use depthwire_latency::clock::TickClock;
use depthwire_latency::stages::{BOUNDS_NS, Ended, INSTRUMENTS_MAX, Stages, Times, WAITING_MAX};
use market::{NS_PER_TICK, Rig, Scripted};

const ENGINE_STAGES: [Stage; 4] = [Stage::Decoded, Stage::Sequenced, Stage::Applied, Stage::Encoded];

fn sums(times: &Times) -> [u64; Stage::COUNT] {
    Stage::ALL.map(|stage| times.stage(stage).sum_ns)
}

#[test]
fn stages_of_every_message_add_up_to_its_whole_time() {
    let steps = RefCell::new(vec![3, 500, 1, 77, 12_345, 9]);
    let mut rig = Rig::synced(1);
    let mut stages = Stages::new(1, NoClock, Scripted::new(&steps));
    let mut before = (0, 0);
    for _ in 0..3_000 {
        rig.next_frame();
        assert!(rig.sampled(&mut stages));
        let now: (u64, u64) = (sums(stages.all()).iter().sum(), stages.all().whole().sum_ns);
        assert_eq!(now.0 - before.0, now.1 - before.1);
        assert!(now.1 > before.1);
        before = now;
    }
    let all = stages.all();
    assert_eq!((stages.stamped(), stages.unread()), (3_000, 0));
    assert_eq!(all.stage(Stage::Decoded).count, 3_000);
    assert_eq!(all.stage(Stage::Encoded).count, 3_000);
    assert_eq!(all.whole().count, 3_000);
    // Trades and tops of the venue are neither sequenced nor applied to a book.
    let sequenced = all.stage(Stage::Sequenced).count;
    assert!((100..1_000).contains(&sequenced), "{sequenced}");
    assert_eq!(all.stage(Stage::Applied).count, sequenced);
    // What is counted for instruments is what is counted in all.
    assert_eq!(stages.instruments().map(|(_, times)| times.whole().count).sum::<u64>(), 3_000);
    assert_eq!(stages.instruments().count(), 4);
}

#[test]
fn a_delay_is_found_in_the_stage_that_had_it_and_in_no_other() {
    // Readings of an update of the book: receipt, decoded, sequenced, applied, encoded, and once more when it lies in the ring.
    const QUIET: [u64; 6] = [1; 6];
    for (reading, stage) in [
        (1, Stage::Decoded),
        (2, Stage::Sequenced),
        (3, Stage::Applied),
        (4, Stage::Encoded),
        (5, Stage::Encoded),
    ] {
        let mut script = QUIET;
        script[reading] = 5_000;
        let steps = RefCell::new(script.to_vec());
        let mut rig = Rig::synced(2);
        let mut stages = Stages::new(1, NoClock, Scripted::new(&steps));
        let mut updates = 0u64;
        while updates < 50 {
            rig.next_frame();
            if !String::from_utf8_lossy(&rig.frame).contains("depthUpdate") {
                rig.plain().unwrap();
                rig.drain();
                continue;
            }
            updates += 1;
            assert!(rig.sampled(&mut stages));
        }
        for other in ENGINE_STAGES {
            let summary = stages.all().stage(other);
            assert_eq!(summary.count, 50);
            let quiet = NS_PER_TICK * if other == Stage::Encoded { 2 } else { 1 };
            let expected = if other == stage { quiet + 4_999 * NS_PER_TICK } else { quiet };
            assert_eq!(summary.max_ns, expected, "delay before {stage:?}, time of {other:?}");
            assert_eq!(summary.sum_ns, expected * 50);
        }
    }
}

#[test]
fn one_in_so_many_is_stamped_and_the_books_are_those_of_plain_messages() {
    for every in [1, 7, 16] {
        let steps = RefCell::new(vec![40]);
        let (mut rig, mut twin) = (Rig::synced(3), Rig::synced(3));
        let mut stages = Stages::new(every, NoClock, Scripted::new(&steps));
        for message in 1..=10_000u32 {
            rig.next_frame();
            assert_eq!(rig.sampled(&mut stages), message % every == 0);
            twin.next_frame();
            twin.plain().unwrap();
            twin.drain();
        }
        assert_eq!(stages.stamped(), u64::from(10_000 / every));
        assert_eq!(stages.all().whole().count, stages.stamped());
        let digests = |rig: &Rig| rig.ids.iter().map(|id| rig.engine.digest(*id)).collect::<Vec<_>>();
        assert_eq!(digests(&rig), digests(&twin));
        let counters = |rig: &Rig| format!("{:?}", rig.engine.stats());
        assert_eq!(counters(&rig), counters(&twin));
    }
}

#[test]
fn a_message_that_cannot_be_read_is_counted_and_leaves_nothing_behind() {
    let steps = RefCell::new(vec![10]);
    let mut rig = Rig::synced(4);
    let mut stages = Stages::new(1, NoClock, Scripted::new(&steps));
    let mut damaged = 0;
    for message in 0..400 {
        rig.next_frame();
        let is_damaged = message % 4 == 3;
        if is_damaged {
            damaged += 1;
            let whole =
                std::mem::replace(&mut rig.frame, br#"{"e":"depthUpdate","s":"BTCUSDT","U":"#.to_vec());
            assert!(rig.sampled(&mut stages));
            rig.frame = whole;
        }
        let before = stages.all().whole().sum_ns;
        assert!(rig.sampled(&mut stages));
        // Receipt, decoded, at most one event with three stamps, the ring: nothing of the damaged one.
        let ns = stages.all().whole().sum_ns - before;
        assert!((3 * 10 * NS_PER_TICK..=5 * 10 * NS_PER_TICK).contains(&ns), "{ns}");
    }
    assert_eq!((stages.unread(), stages.stamped()), (damaged, 400 + damaged));
    assert_eq!(stages.all().whole().count, 400);
    assert_eq!(stages.all().stage(Stage::Decoded).count, 400);
}

#[test]
fn what_waits_is_published_once_and_beyond_the_limit_counted() {
    let steps = RefCell::new(vec![1]);
    let mut rig = Rig::synced(5);
    let mut stages = Stages::new(1, NoClock, Scripted::new(&steps));
    let mut outputs = 0u64;
    while outputs < WAITING_MAX as u64 + 10 {
        rig.next_frame();
        let _ = rig.stamped(stages.begin());
        let (instrument, has_output) = (rig.engine.subject(), rig.drain());
        outputs += u64::from(has_output);
        let waiting = stages.end(Ended { instrument, has_output });
        assert_eq!(u64::from(waiting), outputs.min(WAITING_MAX as u64));
    }
    assert_eq!(stages.all().stage(Stage::Published).count, 0);
    stages.published();
    stages.published();
    assert_eq!(stages.all().stage(Stage::Published).count, WAITING_MAX as u64);
    assert_eq!(stages.unpublished(), 10);
    assert_eq!(stages.all().stage(Stage::Published).count + stages.unpublished(), outputs);
}

#[test]
fn instruments_beyond_the_limit_count_together() {
    let steps = RefCell::new(vec![1]);
    let mut rig = Rig::synced(6);
    let mut stages = Stages::new(1, NoClock, Scripted::new(&steps));
    for id in (0..INSTRUMENTS_MAX as u32 + 50).map(InstrumentId) {
        for _ in 0..2 {
            rig.next_frame();
            let _ = rig.stamped(stages.begin());
            rig.drain();
            stages.end(Ended { instrument: Some(id), has_output: false });
        }
    }
    assert_eq!(stages.instruments().count(), INSTRUMENTS_MAX);
    assert!(stages.instruments().all(|(_, times)| times.whole().count == 2));
    assert_eq!(stages.others().whole().count, 100);
    let _ = rig.stamped(stages.begin());
    stages.end(Ended { instrument: None, has_output: false });
    assert_eq!(stages.all().whole().count, 2 * (INSTRUMENTS_MAX as u64 + 50) + 1);
    assert_eq!(stages.others().whole().count, 100);
}

#[test]
fn counts_by_bound_and_quantiles_are_those_of_the_times() {
    let steps = RefCell::new(vec![0]);
    let mut rig = Rig::synced(7);
    let mut stages = Stages::new(1, NoClock, Scripted::new(&steps));
    // Times on both sides of every bound, and one that is longer than any.
    let edges: Vec<u64> = BOUNDS_NS.iter().flat_map(|bound| [bound - 1, bound + 1]).collect();
    for ns in edges.iter().copied().chain([30_000_000_000]) {
        *steps.borrow_mut() = vec![0];
        rig.next_frame();
        let clock = stages.begin();
        *steps.borrow_mut() = vec![ns / NS_PER_TICK];
        depthwire_core::types::Clock::stamp(clock, Stage::Decoded);
        *steps.borrow_mut() = vec![0];
        stages.end(Ended { instrument: None, has_output: false });
    }
    let counts = stages.all().counts(Stage::Decoded);
    // The first bound has the one below it; each other one what is above the bound before, and below it; the last, what is above.
    assert_eq!(counts[0], 1);
    assert!(counts[1..BOUNDS_NS.len()].iter().all(|count| *count == 2), "{counts:?}");
    assert_eq!(counts[BOUNDS_NS.len()], 2);
    let decoded = stages.all().stage(Stage::Decoded);
    assert_eq!(decoded.count, edges.len() as u64 + 1);
    assert_eq!(decoded.max_ns, 30_000_000_000);
    assert_eq!(decoded.sum_ns, edges.iter().sum::<u64>() + 30_000_000_000);
    assert!(decoded.quantiles_ns.is_sorted());
    let middle = edges[edges.len() / 2];
    assert!(decoded.quantiles_ns[0].abs_diff(middle) * 1_000 <= middle, "{:?}", decoded.quantiles_ns);
}

#[test]
fn ticks_that_go_back_are_no_time() {
    struct Jumping(std::cell::Cell<u64>);
    impl depthwire_latency::stages::Ticks for Jumping {
        fn ticks(&self) -> u64 {
            self.0.set(self.0.get() ^ 1);
            100 - self.0.get()
        }
        fn ns(&self, ticks: u64) -> u64 {
            ticks
        }
    }
    let mut rig = Rig::synced(8);
    let mut stages = Stages::new(1, NoClock, Jumping(std::cell::Cell::new(0)));
    for _ in 0..100 {
        rig.next_frame();
        assert!(rig.sampled(&mut stages));
    }
    stages.published();
    assert!(stages.all().whole().max_ns <= 1);
    assert!(stages.all().stage(Stage::Published).max_ns <= 1);
}

#[test]
fn a_recording_passes_without_stamps() {
    let mut text = Vec::new();
    depthwire_sim::recording("BTCUSDT", 1, 1_700_000_000_000, 2_000, &mut text).unwrap();
    let catalogue = venues::catalogue();
    let id = catalogue.find(venues::SIM, "BTCUSDT").unwrap();
    let config = EngineConfig { is_replay: true, ..EngineConfig::default() };
    let mut engine = Engine::new(config, catalogue, NoClock);
    let source = engine.open_source(venues::SIM, &[id]).unwrap();
    let stages = Stages::new(1, NoClock, TickClock::get());
    let taken = engine.replay(source, &text, true, u64::MAX, |outbox| {
        while outbox.front().is_some() {
            outbox.take();
        }
        true
    });
    assert!(taken.unwrap().consumed == text.len() && engine.stats().frames > 100);
    assert_eq!((stages.stamped(), stages.all().whole().count), (0, 0));
}

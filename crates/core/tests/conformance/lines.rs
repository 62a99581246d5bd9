//! Point 8: two lines that lose different frames give what one whole line gives.
//!
//! Lines are joined by numbers. Rooms whose venue numbers nothing have one line; a second one is the same connection again,
//! and what it repeats out of turn contradicts the checksum. Orders that connections tell of are those of one source.

use depthwire_core::engine::SourceId;
use depthwire_core::types::BookState;

use crate::feed::Feed;
use crate::rig::Rig;
use crate::rooms::{Row, rows};

const FRAMES: usize = if cfg!(debug_assertions) { 600 } else { 6_000 };

fn random(state: &mut u64, below: usize) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    ((u128::from(*state ^ (*state >> 31)) * below as u128) >> 64) as usize
}

/// The digest at the end, and the losses. `chance` in a hundred frames is lost on one of two lines.
fn heard(row: &Row, chance: usize) -> (String, u64) {
    let mut feed = Feed::open(row, 808);
    let mut rig = Rig::new(row, &feed);
    // Datagrams of two lines come over one source, connections are sources.
    let second = if row.are_datagrams { rig.source } else { rig.engine.open(row.venue).unwrap() };
    if second != rig.source {
        rig.engine.carry(second, &[rig.id]).unwrap();
    }
    let lines: [(SourceId, u32); 2] = [(rig.source, 0), (second, u32::from(row.are_datagrams))];
    let (mut state, mut lost) = (9, 0);
    for _ in 0..FRAMES {
        let heard = feed.next();
        rig.know(&heard);
        let loser = (random(&mut state, 100) < chance).then(|| random(&mut state, 2));
        for (nth, (source, line)) in lines.into_iter().enumerate() {
            if loser == Some(nth) {
                lost += 1;
            } else {
                rig.ingest_on(source, line, &heard.bytes, heard.now).unwrap();
            }
        }
        if !rig.is_synced() {
            // Only the snapshot at the beginning is asked for.
            assert!(rig.engine.stats().resyncs == 0);
            if let Some((ticket, _)) = rig.asked.take() {
                let mut answer = Vec::new();
                assert!(feed.dialect.snapshot(&mut answer));
                rig.answer(ticket, &answer, feed.now).unwrap();
            }
        }
        if let Some(right) = rig.right_levels(&heard).filter(|_| rig.is_synced()) {
            assert_eq!(right, usize::MAX, "{}", row.name);
        }
    }
    assert_eq!(rig.state(), BookState::Synced, "{}", row.name);
    assert_eq!(rig.engine.stats().gaps, 0, "{}", row.name);
    rig.assert_told();
    (rig.engine.digest(rig.id).unwrap(), lost)
}

#[test]
fn two_lines_with_losses_are_one_whole_line() {
    let mut rooms = 0;
    println!("{:<32} {:>9}", "lines A and B", "lost");
    for row in rows().iter().filter(|row| row.is_numbered() && (row.are_datagrams || !row.has_orders)) {
        let (whole, none) = heard(row, 0);
        let (joined, lost) = heard(row, 30);
        println!("{:<32} {lost:>9}", row.name);
        assert_eq!((none, joined), (0, whole), "{}", row.name);
        assert!(lost > FRAMES as u64 / 5);
        rooms += 1;
    }
    assert!(rooms >= 5, "{rooms}");
}

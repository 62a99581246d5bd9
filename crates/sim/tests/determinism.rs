//! The bytes depend on the seed and the start alone.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use depthwire_sim::{CATCH_UP_MS_MAX, Market, TIME_MS_MAX};
use support::{Body, START_MS, read_frame};

const BYTES: usize = 2_000_000;

/// FNV-1a, 64 bits.
fn hash(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

/// The first [`BYTES`] of a market whose frames are fetched as `fetch` does it.
fn bytes(seed: u64, mut fetch: impl FnMut(&mut Market, &mut Vec<u8>)) -> Vec<u8> {
    let mut market = Market::new(seed, START_MS);
    let (mut all, mut frame) = (Vec::new(), Vec::new());
    while all.len() < BYTES {
        fetch(&mut market, &mut frame);
        all.extend_from_slice(&frame);
    }
    all.truncate(BYTES);
    all
}

#[test]
fn a_seed_gives_the_same_bytes_on_every_machine() {
    let one = bytes(1, Market::next_frame);
    assert_eq!(
        hash(&one),
        13_577_909_873_363_354_377,
        "a change of the market's rules changes its bytes: then put the new hash here"
    );
    assert_ne!(one, bytes(2, Market::next_frame));
}

#[test]
fn the_bytes_do_not_depend_on_when_frames_are_fetched() {
    let expected = bytes(7, Market::next_frame);
    let mut now_ms = START_MS;
    let each_ms = bytes(7, |market, out| {
        if !market.next(now_ms, out) {
            now_ms += 1;
        }
    });
    assert_eq!(hash(&each_ms), hash(&expected), "each millisecond");

    let (mut now_ms, mut calls) = (START_MS, 0_u64);
    let irregular = bytes(7, |market, out| {
        calls += 1;
        // Sometimes a time of the past, sometimes a stall, and snapshots between.
        let found = market.next(now_ms - if calls % 5 == 0 { 40 } else { 0 }, out);
        if calls % 97 == 0 {
            market.snapshot("SOLUSDT", 20, &mut Vec::new()).unwrap();
        }
        if !found {
            now_ms += [1, 0, 250, 3, CATCH_UP_MS_MAX / 2][(calls % 5) as usize];
        }
    });
    assert_eq!(hash(&irregular), hash(&expected), "irregular");
}

#[test]
fn nothing_is_due_before_its_time() {
    let mut market = Market::new(3, START_MS);
    let mut frame = Vec::new();
    assert!(!market.next(START_MS - 1, &mut frame) && frame.is_empty());
    let mut frames = 0;
    for now_ms in START_MS..START_MS + 2_000 {
        while market.next(now_ms, &mut frame) {
            assert_eq!(market.frame_time_ms(), now_ms);
            assert!(!market.next(now_ms - 1, &mut frame), "the rest of this millisecond waits");
            frames += 1;
        }
        assert!(frame.is_empty());
    }
    assert!(frames > 100, "{frames}");
}

/// Times cut out, everything else kept.
fn timeless(frame: &[u8]) -> String {
    let mut read = read_frame(frame);
    if let Body::Depth { time_ms, .. } | Body::Trade { time_ms, .. } = &mut read.body {
        *time_ms = 0;
    }
    format!("{read:?}")
}

#[test]
fn a_caller_far_behind_loses_time_but_no_frame() {
    let mut undisturbed = Market::new(9, START_MS);
    let mut market = Market::new(9, START_MS);
    let (mut frame, mut expected) = (Vec::new(), Vec::new());
    let mut follow = |market: &mut Market, now_ms: u64| {
        let mut frames = 0;
        while market.next(now_ms, &mut frame) {
            undisturbed.next_frame(&mut expected);
            assert_eq!(timeless(&frame), timeless(&expected));
            frames += 1;
        }
        frames
    };
    let awake = follow(&mut market, START_MS + 4_999);
    assert_eq!(market.dropped_ms(), 0);

    // Asleep for an hour.
    let woken_ms = START_MS + 3_605_000;
    let caught_up = follow(&mut market, woken_ms);
    assert_eq!(market.dropped_ms(), 3_600_000 - CATCH_UP_MS_MAX);
    assert!(woken_ms - market.frame_time_ms() < 100, "the market is at the present again");
    assert!(caught_up < awake * 4, "{caught_up} frames against {awake} in five seconds");

    let after = follow(&mut market, woken_ms + 4_000);
    assert!(after > 0 && market.dropped_ms() == 3_600_000 - CATCH_UP_MS_MAX);
}

#[test]
fn time_ends() {
    let mut market = Market::new(4, TIME_MS_MAX - 5_000);
    let mut frame = Vec::new();
    let mut frames = 0;
    while market.next(u64::MAX, &mut frame) {
        assert!(market.frame_time_ms() <= TIME_MS_MAX);
        frames += 1;
    }
    assert!(frames > 100 && market.dropped_ms() == 0, "{frames}");
    assert!(!Market::new(4, u64::MAX).next(TIME_MS_MAX - 1, &mut frame));
}

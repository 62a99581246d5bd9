//! Once warm, a message costs no allocation where books are cut and held to checksums, of levels and of orders.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(unsafe_code, reason = "a global allocator is an unsafe trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

use depthwire_core::engine::{Engine, EngineConfig};
use depthwire_core::types::NoClock;
use depthwire_core::venues::{self, KRAKEN};
use depthwire_sim::dialects::{Dialect, Frames, all};

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

struct Counting;

// SAFETY: every call goes to the system's allocator unchanged; only a counter is added.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's duties are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's duties are passed on.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's duties are passed on.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A message above this may be merged with a thin book in one pass, for which such a book keeps no memory.
const FRAME_BYTES_MAX: usize = 1 << 16;

/// Days of each dialect.
const SEEDS: [u64; 3] = [5, 10, 11];

/// Passes over a day. Allocations of the last of them, and whether a snapshot gave the book's window back in it: one of few
/// levels does, so that the next message of many takes a window anew.
fn day(dialect: &mut dyn Dialect) -> (u64, bool) {
    let mut frames = Frames::new();
    dialect.open(1_785_552_833_184_216_000, &mut frames);
    while frames.len() < 3_000 {
        dialect.step(u64::MAX, &mut frames);
    }
    let mut engine = Engine::new(EngineConfig::default(), venues::catalogue(), NoClock);
    let id = engine.add_instrument(venues::instrument(KRAKEN, dialect.code()).unwrap()).unwrap();
    let source = engine.open_source(KRAKEN, &[id]).unwrap();
    engine.open_depth(id, 20, 0, 0).unwrap();
    let (mut allocated, mut gave_back) = (0, false);
    for _ in 0..5 {
        (allocated, gave_back) = (0, false);
        for frame in frames.iter() {
            let before = ALLOCATIONS.load(Ordering::Relaxed);
            let slots = engine.book(id).unwrap().layout().slots;
            engine.ingest(source, frame.bytes, frame.time_ns).unwrap();
            gave_back |= engine.book(id).unwrap().layout().slots < slots;
            engine.tick(frame.time_ns);
            while engine.outbox().front().is_some() {
                engine.outbox().take();
            }
            if frame.bytes.len() <= FRAME_BYTES_MAX {
                allocated += ALLOCATIONS.load(Ordering::Relaxed) - before;
            }
        }
    }
    let stats = engine.stats();
    assert!(stats.checksums_checked > 5_000 && stats.checksums_checked == stats.checksums_matched);
    (allocated, gave_back)
}

#[test]
fn a_warm_engine_allocates_nothing_per_checked_message() {
    let count = all(0).len();
    let mut kept = vec![0; count];
    for seed in SEEDS {
        for (kept, mut dialect) in kept.iter_mut().zip(all(seed)) {
            if dialect.venue() != "kraken" {
                *kept = usize::MAX;
                continue;
            }
            let (allocated, gave_back) = day(&mut *dialect);
            println!("{} {:?}: {allocated}, {gave_back}", dialect.code(), dialect.depth());
            assert!(gave_back || allocated == 0, "{allocated} allocations");
            *kept += usize::from(!gave_back);
        }
    }
    assert!(kept.iter().all(|kept| *kept > 0), "{kept:?}");
}

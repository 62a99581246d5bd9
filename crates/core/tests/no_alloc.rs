//! Once warm, a message costs no allocation: decode, sequence, book, aggregate, encode and outbox together.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(unsafe_code, reason = "a global allocator is an unsafe trait")]

mod sets;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

use depthwire_core::engine::{Engine, EngineConfig};
use depthwire_core::types::NoClock;
use depthwire_core::venues;
use sets::SIMULATED;
use sets::said::lines;

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

#[test]
fn a_warm_engine_allocates_nothing_per_message() {
    let set = &SIMULATED[0];
    let text = set.load("a_warm_engine_allocates_nothing_per_message").unwrap();
    let lines = lines(&text);
    let mut engine = Engine::new(EngineConfig::default(), venues::catalogue(), NoClock);
    let source = engine.open_source(set.venue, &[set.id()]).unwrap();
    engine.open_depth(set.id(), 20, 0, 0).unwrap();
    let pass = |engine: &mut Engine<NoClock>| {
        engine.reset_source(source, 0).unwrap();
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        for (ts, frame) in &lines {
            engine.ingest(source, frame, *ts).unwrap();
            engine.tick(*ts);
            while engine.outbox().front().is_some() {
                engine.outbox().take();
            }
        }
        ALLOCATIONS.load(Ordering::Relaxed) - before
    };
    let cold = pass(&mut engine);
    let warm = pass(&mut engine);
    println!("{} messages: {cold} allocations cold, {warm} warm", lines.len());
    assert!(cold > 0, "the counter counts");
    assert_eq!(warm, 0);
}

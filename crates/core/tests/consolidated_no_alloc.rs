//! Once warm, a message that a consolidated book follows costs no allocation, with a reader of whose each level is.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(unsafe_code, reason = "a global allocator is an unsafe trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

use depthwire_core::engine::{Engine, EngineConfig};
use depthwire_core::types::NoClock;
use depthwire_core::venues;

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
fn a_warm_consolidated_book_allocates_nothing_per_message() {
    let mut engine = Engine::new(EngineConfig::default(), venues::catalogue(), NoClock);
    let mut add = |symbol: &str| {
        let id = engine.add_instrument(venues::instrument(venues::HYPERLIQUID, symbol).unwrap()).unwrap();
        (id, engine.open_source(venues::HYPERLIQUID, &[id]).unwrap())
    };
    let (first, second) = (add("AAA"), add("BBB"));
    let book = engine.consolidate("X", &[first.0, second.0], &[]).unwrap();
    engine.open_orders(book).unwrap();
    // Levels come, change and go on both sides.
    let frame = |symbol: &str, round: u64| {
        let level = |price: u64| format!("{{\"px\":\"{price}\",\"sz\":\"{}\",\"n\":1}}", 1 + round % 7);
        let side = |from: u64| (0..10).map(|at| level(from + at)).collect::<Vec<_>>();
        let bids: Vec<_> = side(100 + round % 5).into_iter().rev().collect();
        let (bids, asks) = (bids.join(","), side(200 + round % 5).join(","));
        format!(
            "{{\"channel\":\"l2Book\",\"data\":{{\"coin\":\"{symbol}\",\"time\":{},\"levels\":[[{bids}],[{asks}]]}}}}",
            1_000 + round
        )
    };
    let frames: Vec<_> = (0..400)
        .flat_map(|round| [(first.1, frame("AAA", round)), (second.1, frame("BBB", round))])
        .collect();
    let (warming, warm) = frames.split_at(400);
    let hear = |engine: &mut Engine<NoClock>, frames: &[(_, String)]| {
        for (source, frame) in frames {
            engine.ingest(*source, frame.as_bytes(), 1).unwrap();
            while engine.outbox().front().is_some() {
                engine.outbox().take();
            }
        }
    };
    hear(&mut engine, warming);
    let (seq, before) = (engine.book_info(book, 1).unwrap().seq, ALLOCATIONS.load(Ordering::Relaxed));
    hear(&mut engine, warm);
    let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
    assert!(engine.book_info(book, 1).unwrap().seq >= seq + 300, "the book follows");
    assert_eq!(allocations, 0);
}

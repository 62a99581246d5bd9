//! Once warm, a message costs no allocation: decode, sequence, book, aggregate, encode, outbox and what is kept of it together;
//! nor does bringing a reader that was away.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(unsafe_code, reason = "a global allocator is an unsafe trait")]

mod sets;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

use depthwire_core::encode::{HistoryConfig, Stream};
use depthwire_core::engine::{Brought, By, Engine, EngineConfig};
use depthwire_core::signal::{SignalParams, VpinParams};
use depthwire_core::types::{NoClock, Qty};
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
    let history = HistoryConfig { bytes: 1 << 20, stream_bytes: 1 << 16, age_ns: u64::MAX };
    let config = EngineConfig { history, ..EngineConfig::default() };
    let mut engine = Engine::new(config, venues::catalogue(), NoClock);
    let id = set.id();
    let source = engine.open_source(set.venue, &[id]).unwrap();
    let view = engine.open_depth(id, 20, 0, 0).unwrap();
    let volumes = engine.open_volumes(id, 0, 0, 0).unwrap();
    engine.open_volumes(id, 50_000_000, 100, 0).unwrap();
    let costs = engine.open_costs(id, 0, &[Qty(1), Qty(1 << 40)], &[10, 1_000], 0).unwrap();
    let vpin = Some(VpinParams { volume: Qty(1), buckets: 50 });
    let signals = engine.open_signals(id, 0, SignalParams { window_ns: 1_000_000_000, vpin }, 0).unwrap();
    let mut out = vec![0; 1 << 20];
    let mut brought = [0; 4];
    let mut pass = |engine: &mut Engine<NoClock>| {
        engine.reset_source(source, 0).unwrap();
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        let streams = [Stream::BOOK, Stream::BBO, Stream::TRADES, view, volumes, costs, signals];
        let mut places = streams.map(|stream| engine.place(id, stream).unwrap());
        for (index, (ts, frame)) in lines.iter().enumerate() {
            engine.ingest(source, frame, *ts).unwrap();
            engine.tick(*ts);
            while engine.outbox().front().is_some() {
                engine.outbox().take();
            }
            if index % 50 == 0 {
                let by = if index % 100 == 0 { By::Range } else { By::Net };
                for (stream, place) in streams.into_iter().zip(&mut places) {
                    let (by, bytes) = engine.bring(id, stream, *place, by, *ts, &mut out).unwrap();
                    assert!(bytes <= out.len());
                    brought[by as usize] += 1;
                    *place = engine.place(id, stream).unwrap();
                }
            }
        }
        ALLOCATIONS.load(Ordering::Relaxed) - before
    };
    let cold = pass(&mut engine);
    let warm = pass(&mut engine);
    println!("{} messages: {cold} allocations cold, {warm} warm", lines.len());
    println!("brought: {brought:?}");
    assert!(brought[Brought::Range as usize] > 50 && brought[Brought::Net as usize] > 50);
    assert!(cold > 0, "the counter counts");
    assert_eq!(warm, 0);
}

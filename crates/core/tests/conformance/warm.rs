//! Point 6: once warm, a message costs no allocation.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use depthwire_core::venues::{self, Resync};

use crate::feed::Feed;
use crate::rig::Rig;
use crate::rooms::{Row, rows};

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator with a counter a thread.
struct Counting;

// SAFETY: every call goes to the system's allocator unchanged; the counter is a plain cell of the thread, which needs no
// memory of its own.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's duties are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's duties are passed on.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's duties are passed on.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A message above this may be merged with a thin book in one pass, for which such a book keeps no memory.
const FRAME_BYTES_MAX: usize = 1 << 16;

/// Days of each dialect, and frames of a day.
const SEEDS: [u64; 3] = [5, 10, 11];
const FRAMES: usize = if cfg!(debug_assertions) { 1_000 } else { 3_000 };

/// Times that a day is heard, the last of which counts.
const PASSES: u8 = 5;

/// What is heard on a day: frames, and the answers to what is asked for.
enum Said {
    Frame { bytes: Vec<u8>, now: u64, is_counted: bool },
    Answer { bytes: Vec<u8>, now: u64 },
}

fn day(row: &Row, seed: u64) -> Vec<Said> {
    let mut feed = Feed::open(row, seed);
    let mut rig = Rig::new(row, &feed);
    let mut said = Vec::new();
    while said.len() < FRAMES {
        let heard = feed.next();
        rig.hear(&heard).unwrap();
        let is_counted = heard.is_book() && heard.bytes.len() <= FRAME_BYTES_MAX;
        said.push(Said::Frame { bytes: heard.bytes, now: heard.now, is_counted });
        if let Some((ticket, _)) = rig.asked.take() {
            let mut bytes = Vec::new();
            if feed.dialect.snapshot(&mut bytes) {
                let _ = rig.answer(ticket, &bytes, feed.now);
                said.push(Said::Answer { bytes, now: feed.now });
            }
        }
    }
    said
}

/// Allocations of the last pass over a day, and whether a snapshot gave the book's window back in it: one of few levels
/// does, so that the next message of many takes a window anew.
fn last_pass(row: &Row, seed: u64) -> (u64, bool) {
    let mut said = day(row, seed);
    let feed = Feed::open(row, seed);
    let mut rig = Rig::new(row, &feed);
    rig.engine.open_depth(rig.id, 20, 0, 0).unwrap();
    // Where nothing can be asked for, or orders are kept anew, the pass begins with a book from nothing, which grows once more.
    let product = venues::product(row.venue);
    let is_begun_anew = product.resync == Resync::Wait || product.numbers_orders();
    let begun = if is_begun_anew { said.len() / 2 } else { 0 };
    let (mut allocated, mut gave_back) = (0, false);
    for pass in 0..PASSES {
        (allocated, gave_back) = (0, false);
        if venues::product(row.venue).resync == Resync::Snapshot {
            rig.engine.reset_source(rig.source, 0).unwrap();
        }
        for (nth, said) in said.iter_mut().enumerate() {
            if nth == begun {
                (allocated, gave_back) = (0, false);
            }
            match said {
                Said::Frame { bytes, now, is_counted } => {
                    if row.are_datagrams {
                        // Another session: a day begins.
                        bytes[9] = b'0' + pass;
                    }
                    let epoch_of = |rig: &Rig| rig.engine.book_info(rig.id, 0).unwrap().epoch;
                    let (before, epoch) = (ALLOCATIONS.get(), epoch_of(&rig));
                    let slots = rig.engine.book(rig.id).unwrap().layout().slots;
                    rig.ingest_unheard(bytes, *now);
                    gave_back |= rig.engine.book(rig.id).unwrap().layout().slots < slots;
                    // One that opens an epoch loads a book anew, of as many levels as it has.
                    let goes_on = epoch_of(&rig) == epoch;
                    allocated += if *is_counted && goes_on { ALLOCATIONS.get() - before } else { 0 };
                }
                Said::Answer { bytes, now } => {
                    let (ticket, _) = rig.asked.take().unwrap();
                    let slots = rig.engine.book(rig.id).unwrap().layout().slots;
                    let _ = rig.engine.answer(rig.id, ticket, bytes, *now);
                    gave_back |= rig.engine.book(rig.id).unwrap().layout().slots < slots;
                    rig.pass_over();
                }
            }
        }
        assert!(rig.is_synced(), "{}: pass {pass}: {:?}", row.name, rig.state());
    }
    (allocated, gave_back)
}

#[test]
fn a_warm_engine_allocates_nothing_per_message() {
    println!("{:<32} {:>9} {:>9}", "warm", "days", "allocated");
    let before = ALLOCATIONS.get();
    drop(std::hint::black_box(vec![0u8; 9]));
    assert_eq!(ALLOCATIONS.get(), before + 1, "the counter counts");
    for row in rows() {
        let mut days = 0;
        for seed in SEEDS {
            let (allocated, gave_back) = last_pass(&row, seed);
            if !gave_back {
                assert_eq!(allocated, 0, "{} of seed {seed}", row.name);
                days += 1;
            }
        }
        println!("{:<32} {days:>9} {:>9}", row.name, 0);
        assert!(days > 0, "{}", row.name);
    }
}

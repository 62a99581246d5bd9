//! Messages that are stamped allocate no more than others, once every instrument has been heard of.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(unsafe_code, reason = "a global allocator is an unsafe trait")]

mod market;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use depthwire_core::types::NoClock;
use depthwire_latency::clock::TickClock;
use depthwire_latency::stages::Stages;
use market::Rig;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is handed on to `System` as it came; counting touches an integer of the thread and does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promises about `layout` are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: as in `alloc`.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as in `alloc`.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Books grow for as long as a market goes on, with stamps and without: the engine beside it has the same messages and none.
#[test]
fn stamped_messages_allocate_what_others_do_once_every_instrument_is_known() {
    let (mut rig, mut twin) = (Rig::synced(1), Rig::synced(1));
    let mut stages = Stages::new(1, NoClock, TickClock::get());
    let mut counted = (0, 0);
    for message in 0..80_000 {
        rig.next_frame();
        let before = ALLOCATIONS.get();
        assert!(rig.sampled(&mut stages));
        stages.published();
        let stamped = ALLOCATIONS.get() - before;
        twin.next_frame();
        let before = ALLOCATIONS.get();
        twin.plain().unwrap();
        twin.drain();
        let plain = ALLOCATIONS.get() - before;
        if message >= 1_000 {
            counted = (counted.0 + stamped, counted.1 + plain);
        }
    }
    assert_eq!(counted.0, counted.1);
    assert!(counted.1 < 1_000, "this does not show much: {counted:?}");
    assert_eq!(stages.instruments().count(), 4);
    assert_eq!(stages.all().whole().count, 80_000);
}

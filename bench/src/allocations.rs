//! Allocations for each message once warm, counted by an allocator of the program's own. The core promises none.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use depthwire_core::replica::Replica;
use depthwire_core::types::NoClock;

use crate::pipeline::{ingest, open};
use crate::report::Row;
use crate::workload::{Recording, Workload};

/// The system's allocator with a counter.
pub struct Counting;

thread_local! {
    /// Made without allocating and dropped without code, so an allocator may use it at any time.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn note() {
    ALLOCATIONS.with(|allocations| allocations.set(allocations.get().wrapping_add(1)));
}

// SAFETY: every call is handed on to `System` as it came, so its guarantees are this allocator's; counting touches
// an integer of the thread and does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: the caller's promises about `layout` are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: as in `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note();
        // SAFETY: `block` came from `System` through this allocator, with this layout.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as in `realloc`.
        unsafe { System.dealloc(block, layout) }
    }
}

/// Whether the program counts at all: its global allocator must be [`Counting`].
fn is_counting() -> bool {
    let before = allocations();
    drop(std::hint::black_box(Box::new(0u64)));
    allocations() > before
}

/// Allocations and reallocations of this thread so far.
fn allocations() -> u64 {
    ALLOCATIONS.with(Cell::get)
}

/// A way of using the engine.
struct Way {
    name: &'static str,
    /// Whether depth views are open.
    has_views: bool,
    /// Whether a replica reads the feed.
    has_replica: bool,
}

const WAYS: [Way; 3] = [
    Way { name: "engine", has_views: false, has_replica: false },
    Way { name: "engine+views", has_views: true, has_replica: false },
    Way { name: "engine+replica", has_views: false, has_replica: true },
];

/// Ingests a recording twice on one engine and counts the second time: alone, with two depth views open, and with a
/// replica that reads the feed. One allocation is an error, as is a wrong answer.
#[must_use]
pub fn rows(workload: &Workload) -> Option<Result<Vec<Row>, String>> {
    let (recording, digest) = (workload.recording.as_ref()?, &workload.levels.as_ref()?.digest);
    if !is_counting() {
        return Some(Err("this program does not count its allocations".to_owned()));
    }
    let row = |way: &Way| {
        let counted = count(recording, digest, way).map_err(|what| format!("{}: {what}", way.name))?;
        let figure = counted as f64 / recording.lines as f64;
        let answer = format!("allocations {counted}, digest {digest}");
        Ok(Row::counted(("allocations", workload.name), way.name, ("allocations/message", figure), answer))
    };
    Some(WAYS.iter().map(row).collect())
}

fn count(recording: &Recording, digest: &str, way: &Way) -> Result<u64, String> {
    let (mut engine, source) = open(recording, NoClock)?;
    let id = recording.instrument();
    if way.has_views {
        for (depth, interval_ns) in [(20, 0), (100, 100_000_000)] {
            engine.open_depth(id, depth, interval_ns, 0).map_err(|error| error.to_string())?;
        }
    }
    let mut replica = Replica::default();
    let (mut refused, mut counted) = (0u64, 0);
    for _ in 0..2 {
        let before = allocations();
        ingest(&mut engine, source, &recording.text, |frame| {
            if way.has_replica {
                refused += u64::from(replica.apply(frame).is_err());
            }
        })?;
        counted = allocations() - before;
    }
    let found = match replica.book(id) {
        Some(book) => book.digest(),
        None => engine.digest(id).unwrap_or_default(),
    };
    if found != digest || refused > 0 {
        return Err(format!("expected digest {digest}, got {found} and {refused} frames refused"));
    }
    if counted > 0 {
        return Err(format!("expected no allocation in a warm pass, got {counted}"));
    }
    Ok(counted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hint::black_box;

    #[test]
    fn counts_allocations_and_growth() {
        let before = allocations();
        let mut grown: Vec<u64> = black_box(Vec::with_capacity(1));
        grown.extend(black_box([1; 100]));
        assert_eq!(allocations() - before, 2);
    }
}

//! A record costs no allocation, whatever its type and however the bytes are cut; the metadata alone does.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed unwrap is a failed test")]
#![allow(unsafe_code, reason = "a global allocator is an unsafe trait")]

mod dbn_bytes;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use dbn_bytes::{Meta, lengths, mbo, record};
use depthwire_core::framing::dbn::{DbnFramer, Record};
use depthwire_core::types::Levels;

thread_local! {
    /// Of this thread alone: the test's runner allocates beside it.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    ALLOCATIONS.with(|count| count.set(count.get() + 1));
}

struct Counting;

// SAFETY: every call goes to the system's allocator unchanged; only a counter is added.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's duties are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's duties are passed on.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's duties are passed on.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Reads a chunk and takes from each record what a book would. Returns the bytes used up and the records.
fn read(framer: &mut DbnFramer, bytes: &[u8], levels: &mut Levels) -> (usize, u64) {
    let mut count = 0;
    let mut records = framer.records(bytes);
    for entry in records.by_ref() {
        count += 1;
        match entry.record.unwrap() {
            Record::Mbo(order) => drop((order.change().unwrap(), order.trade())),
            Record::Mbp1(change) => change.levels(levels).unwrap(),
            Record::Mbp10(change) => change.levels(levels).unwrap(),
            Record::Definition(definition) => drop(definition.raw_symbol().as_str().unwrap()),
            Record::SymbolMapping(mapping) => drop(mapping.stype_out_symbol().as_str().unwrap()),
            _ => {}
        }
    }
    (records.consumed(), count)
}

#[test]
fn a_million_records_allocate_nothing() {
    let metadata = Meta { symbols: &["ESH4"], ..Meta::new(3) }.bytes();
    let mut records = Vec::new();
    for (rtype, len) in lengths(3) {
        records.extend(mbo(b'A', b'B', 7, 5, 3, 0x80));
        match rtype {
            0xa0 => records.extend(mbo(b'T', b'B', 0, 5, 3, 0)),
            // Levels with a price and a size.
            0x01 | 0x0a => records.extend(record(rtype, len, &[(48, &vec![1; len - 48])])),
            _ => records.extend(record(rtype, len, &[])),
        }
    }
    records.extend(record(0x7e, 64, &[]));
    let mut framer = DbnFramer::new();
    let mut levels = Levels::default();
    let before = ALLOCATIONS.get();
    assert_eq!(read(&mut framer, &metadata, &mut levels), (metadata.len(), 0));
    let cold = ALLOCATIONS.get() - before;
    let (_, per_pass) = read(&mut framer, &records, &mut levels);
    assert_eq!((levels.bids.len(), levels.asks.len()), (10, 10));

    let before = ALLOCATIONS.get();
    let mut total = 0;
    for pass in 0..1_000_000 / per_pass + 1 {
        // The cut moves through the bytes; what the first part leaves goes in again with the rest.
        let cut = (pass * 13) as usize % records.len();
        let (consumed, first) = read(&mut framer, &records[..cut], &mut levels);
        let (rest, second) = read(&mut framer, &records[consumed..], &mut levels);
        assert_eq!((consumed + rest, first + second), (records.len(), per_pass));
        total += per_pass;
    }
    let warm = ALLOCATIONS.get() - before;
    println!("{total} records: {cold} allocations for the metadata, {warm} for the records");
    assert!(cold > 0, "the counter counts");
    assert!(total >= 1_000_000);
    assert_eq!(warm, 0);
}

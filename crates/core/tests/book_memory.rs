//! What a book costs in memory: a thin one 4 KiB, a busy one what its windows reserve, and nothing more once warm, its
//! views included.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(unsafe_code, reason = "a global allocator is an unsafe trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use depthwire_core::aggregate::{Buckets, DepthView, Tracked, WithinBps};
use depthwire_core::book::{BookSpec, L2Book};
use depthwire_core::types::{KnownTo, Level, Levels, Side};

thread_local! {
    /// Bytes in use and allocations of the test's own thread.
    static USED: Cell<(usize, u64)> = const { Cell::new((0, 0)) };
}

struct Counting;

fn count(grown: usize, shrunk: usize, allocations: u64) {
    USED.with(|used| {
        let (bytes, count) = used.get();
        used.set((bytes.wrapping_add(grown).wrapping_sub(shrunk), count + allocations));
    });
}

// SAFETY: every call goes to the system's allocator unchanged; only counters of the thread are kept.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0, 1);
        // SAFETY: the caller's duties are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0, 1);
        // SAFETY: the caller's duties are passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(0, layout.size(), 0);
        // SAFETY: the caller's duties are passed on.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size(), 1);
        // SAFETY: the caller's duties are passed on.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const SPEC: BookSpec = BookSpec { tick_size: 5, levels_max: 1 << 20 };

/// The stated cost of a thin book: up to 64 levels a side.
const THIN_BYTES_MAX: usize = 4 << 10;

/// The stated cost of a busy book: two windows of 2^18 slots (2 MiB of quantities, 96 KiB of blocks, 512 bytes of
/// summary each), and for each level and each change of the largest frame what merging them needs.
const fn busy_bytes_max(levels: usize, frame: usize) -> usize {
    2 * ((2 << 20) + (96 << 10) + 512) + 1_024 + levels * 64 + frame * 64
}

fn fill(levels: &mut Levels, center: i64, side_levels: i64, apart: i64) {
    levels.clear();
    for i in 0..side_levels {
        levels.bids.push(Level::new(center - (i + 1) * apart, 1 + i));
        levels.asks.push(Level::new(center + (i + 1) * apart, 1 + i));
    }
}

#[test]
fn a_thin_book_costs_less_than_four_kibibytes() {
    let mut levels = Levels::default();
    // 5 apart all levels stand in one block of slots, unless they are too many; 50 apart most have no slot.
    for (side_levels, apart) in
        [(0, 50), (1, 50), (20, 50), (30, 50), (64, 50), (1, 5), (20, 5), (45, 5), (64, 5)]
    {
        let before = USED.get().0;
        let mut book = L2Book::new(SPEC);
        fill(&mut levels, 100_000, side_levels, apart);
        let of_the_frame = USED.get().0 - before;
        book.load(levels.view(), KnownTo::WHOLE).unwrap();
        // The market moves on, level by level and snapshot by snapshot.
        for center in (100_000..110_000).step_by(50) {
            fill(&mut levels, center, side_levels, apart);
            let gone: Vec<_> = book.levels(Side::Ask).map(|level| Level::new(level.price.0, 0)).collect();
            book.apply(Levels { bids: Vec::new(), asks: gone }.view()).unwrap();
            book.load(levels.view(), KnownTo::WHOLE).unwrap();
        }
        let heap = USED.get().0 - before - of_the_frame;
        let bytes = size_of::<L2Book>() + heap;
        println!(
            "{side_levels} levels a side, {apart} apart: {bytes} bytes, {} of them the struct",
            size_of::<L2Book>()
        );
        assert_eq!(bytes, book.memory_bytes());
        assert!(bytes <= THIN_BYTES_MAX, "{bytes}");
    }
}

#[test]
fn a_busy_book_keeps_to_what_is_stated() {
    let mut levels = Levels::default();
    fill(&mut levels, 6_000_000, 20_000, 35);
    let before = USED.get().0;
    let mut book = L2Book::new(SPEC);
    book.load(levels.view(), KnownTo::WHOLE).unwrap();
    for center in (6_000_000..7_000_000).step_by(5_000) {
        let frame: Vec<_> = (0..200).map(|i| Level::new(center + 5 * i, i % 3)).collect();
        book.apply(Levels { bids: frame, asks: Vec::new() }.view()).unwrap();
    }
    let bytes = size_of::<L2Book>() + USED.get().0 - before;
    println!("{} levels: {bytes} bytes, {:?}", book.len(Side::Bid) + book.len(Side::Ask), book.layout());
    assert_eq!(bytes, book.memory_bytes());
    assert!(book.layout().recentres > 0);
    assert!(bytes <= busy_bytes_max(80_000, 40_000), "{bytes}");
    // A snapshot of few levels gives it all back.
    fill(&mut levels, 6_000_000, 20, 5);
    book.load(levels.view(), KnownTo::WHOLE).unwrap();
    assert_eq!(book.layout().slots, 0);
    assert!(book.memory_bytes() < bytes / 4, "{}", book.memory_bytes());
}

#[test]
fn once_warm_no_message_allocates() {
    let (mut levels, mut frame) = (Levels::default(), Levels::default());
    let mut book = L2Book::new(SPEC);
    let mut top = DepthView::new(20, 0);
    let mut grouped = DepthView::grouped(20, 0, 50);
    let mut buckets = Tracked::new(Buckets::new(50, 100).unwrap());
    let mut band = Tracked::new(WithinBps { bps: 50 });
    let mut round = |book: &mut L2Book, side_levels: i64| {
        let mut allocations = 0;
        for step in 0..200 {
            // Up by more than a window is wide, and down again.
            let center = 6_000_000 + 10_000 * if step < 100 { step } else { 200 - step };
            fill(&mut levels, center, side_levels, 5);
            // What is there goes in the same frame in which the rest comes.
            frame.clear();
            let gone = |side| book.levels(side).map(|level| Level::new(level.price.0, 0));
            frame.bids.extend(gone(Side::Bid).chain(levels.bids.iter().copied()));
            frame.asks.extend(gone(Side::Ask).chain(levels.asks.iter().copied()));
            let before = USED.get().1;
            if step % 50 == 0 {
                book.load(levels.view(), KnownTo::WHOLE).unwrap();
                buckets.invalidate();
                band.invalidate();
                top.image(0, book);
                grouped.image(0, book);
            } else {
                let touched = book.apply(frame.view()).unwrap();
                buckets.touch(touched);
                band.touch(touched);
                top.flush(0, book);
                grouped.flush(0, book);
            }
            assert_eq!(buckets.read(book).bids.len(), side_levels as usize / 10);
            assert!(band.read(book).is_some());
            allocations += USED.get().1 - before;
        }
        allocations
    };
    for side_levels in [20, 300, 60] {
        book.clear();
        let cold: u64 = (0..3).map(|_| round(&mut book, side_levels)).sum();
        let recentres = book.layout().recentres;
        let warm = round(&mut book, side_levels);
        println!("{side_levels} levels a side: {cold} allocations cold, {warm} warm, {:?}", book.layout());
        assert!(cold > 0 || side_levels == 60);
        assert!(side_levels < 300 || book.layout().recentres > recentres);
        assert_eq!(warm, 0);
    }
}

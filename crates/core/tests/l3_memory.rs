//! Order-by-order books once warm allocate nothing, and hold no more memory than stated, whatever numbers and prices
//! a venue sends.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(unsafe_code, reason = "a global allocator is an unsafe trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use depthwire_core::book::BookSpec;
use depthwire_core::book::l3::{BookIndex, ExternalIds, IdOrder, L3Books, L3Spec};
use depthwire_core::types::{OrderId, Price, Qty, Side};

thread_local! {
    /// Allocations of the test's own thread.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call goes to the system's allocator unchanged; only a counter of the thread is kept.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's duties are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's duties are passed on.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's duties are passed on.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const BOOK: BookSpec = BookSpec { tick_size: 100, levels_max: 1 << 20 };

fn new_books(ids: IdOrder, books: u32) -> L3Books {
    let spec = L3Spec { orders_max: 1 << 20, books_max: books, ids, hash_seed: 7 };
    let mut made = L3Books::new(spec).unwrap();
    for _ in 0..books {
        made.open(BOOK).unwrap();
    }
    made
}

/// A linear congruential generator's high bits.
fn random(state: &mut u64, bound: u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    ((u128::from(*state ^ (*state >> 31)) * u128::from(bound)) >> 64) as u64
}

/// An equity day of some books: adds, deletes, partial executions, replaces and modifies about 20,000 orders.
fn day(books: &mut L3Books, books_len: u32, first_id: u64, messages: u64) -> u64 {
    let mut state = 5;
    let mut resting: Vec<(BookIndex, OrderId)> = Vec::with_capacity(1 << 16);
    let mut last_id = first_id;
    let before = ALLOCATIONS.get();
    for _ in 0..messages {
        let price = |state: &mut u64, side| {
            let reach = 1 << random(state, 10);
            let away = 100 * random(state, reach) as i64;
            Price(if side == Side::Bid { 1_000_000 - away } else { 1_000_100 + away })
        };
        if random(&mut state, 40_000) > resting.len() as u64 {
            let book = BookIndex(random(&mut state, u64::from(books_len)) as u32);
            let side = if random(&mut state, 2) == 0 { Side::Bid } else { Side::Ask };
            last_id += 1 + random(&mut state, 3);
            let price = price(&mut state, side);
            books.add(book, OrderId(last_id), side, price, Qty(100)).unwrap();
            resting.push((book, OrderId(last_id)));
            continue;
        }
        let at = random(&mut state, resting.len() as u64) as usize;
        let (book, id) = resting[at];
        let order = books.order(id).unwrap();
        match random(&mut state, 8) {
            0 if order.qty > Qty(1) => {
                books.execute(book, id, Qty(1)).unwrap();
            }
            1 => {
                last_id += 1;
                let price = price(&mut state, order.side);
                books.replace(book, id, OrderId(last_id), price, Qty(100)).unwrap();
                resting[at].1 = OrderId(last_id);
            }
            2 => {
                let price = price(&mut state, order.side);
                books.modify(book, id, order.side, price, Qty(100)).unwrap();
            }
            _ => {
                books.delete(book, id).unwrap();
                resting.swap_remove(at);
            }
        }
    }
    let allocations = ALLOCATIONS.get() - before;
    for book in 0..books_len {
        books.clear(BookIndex(book)).unwrap();
    }
    allocations
}

#[test]
fn books_allocate_nothing_per_message() {
    for ids in [IdOrder::Ascending, IdOrder::Arbitrary] {
        let mut books = new_books(ids, 100);
        let messages = 1_000_000;
        for first_id in [0, 1 << 32, 2 << 32] {
            assert_eq!(day(&mut books, 100, first_id, messages), 0, "{ids:?}");
        }
        println!("{ids:?}, {messages} messages a day: {} bytes", books.memory_bytes());
    }
    let before = ALLOCATIONS.get();
    drop(std::hint::black_box(vec![0u8; 16]));
    assert!(ALLOCATIONS.get() > before, "the counter counts");
}

#[test]
fn warm_names_allocate_nothing() {
    let mut ids = ExternalIds::new(10_000, 7);
    let pass = |ids: &mut ExternalIds| {
        let before = ALLOCATIONS.get();
        let mut last = OrderId(0);
        for name in 0..10_000u64 {
            last = ids.assign(BookIndex(0), &name.to_le_bytes()).unwrap();
        }
        assert!(ids.release(last) && ids.assign(BookIndex(0), b"another").is_ok());
        let allocations = ALLOCATIONS.get() - before;
        ids.clear();
        allocations
    };
    assert!(pass(&mut ids) > 0);
    assert_eq!(pass(&mut ids), 0);
}

#[test]
fn a_thin_book_costs_little() {
    let empty = new_books(IdOrder::Ascending, 0).memory_bytes();
    let per_empty = (new_books(IdOrder::Ascending, 8_900).memory_bytes() - empty) / 8_900;
    let mut books = new_books(IdOrder::Ascending, 8_900);
    for id in 0..89_000u64 {
        let level = (id / 2 % 5) as i64 * 100;
        let (side, price) = if id % 2 == 0 { (Side::Bid, 5_000 - level) } else { (Side::Ask, 5_100 + level) };
        books.add(BookIndex((id / 10) as u32), OrderId(id), side, Price(price), Qty(1)).unwrap();
    }
    let per_thin = (books.memory_bytes() - empty) / 8_900;
    println!("{per_empty} bytes an empty book, {per_thin} a book of five orders at five prices a side");
    assert_eq!(per_empty, 192);
    assert!(per_thin < 1_536, "{per_thin}");
}

/// The statement of [`L3Books::memory_bytes`].
fn stated_bytes(orders: usize, sides_with_windows: usize, books: usize) -> usize {
    512 * orders + (17 << 10) * sides_with_windows + 200 * books + (2 << 20)
}

/// The number of the nth order.
type Numbering = fn(u64) -> u64;

#[test]
fn hostile_numbers_hold_no_more_memory_than_stated() {
    const ORDERS: u64 = 20_000;
    let numbers: [(&str, Numbering); 8] = [
        ("ascending", |at| at),
        ("descending", |at| u64::MAX - at),
        ("descending by pages", |at| u64::MAX - at * 1_024),
        ("one a page", |at| at * 1_024),
        ("one in forty", |at| at * 40),
        ("one a directory", |at| at << 27),
        ("from both ends", |at| if at % 2 == 0 { at } else { u64::MAX - at }),
        ("scattered", |at| at.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
    ];
    for (name, number) in numbers {
        for ids in [IdOrder::Ascending, IdOrder::Arbitrary] {
            let mut books = new_books(ids, 2);
            // Then as many again in place of those before, nine of ten of which have left.
            for round in 0..4 {
                for at in 0..ORDERS {
                    let id = number(round * ORDERS + at);
                    let (book, price) = (BookIndex((at % 2) as u32), Price(at as i64 % 3_000 * 100));
                    books.add(book, OrderId(id), Side::Bid, price, Qty(1)).unwrap();
                }
                for at in (0..ORDERS).filter(|at| round == 3 || at % 10 > 0) {
                    let id = number(round * ORDERS + at);
                    books.delete(BookIndex((at % 2) as u32), OrderId(id)).unwrap();
                }
                assert_eq!(books.check_invariants(), Ok(()), "{name}");
            }
            let most = ORDERS as usize * 13 / 10;
            let (bytes, stated) = (books.memory_bytes(), stated_bytes(most, 4, 2));
            println!("{name}, {ids:?}: {} bytes an order", bytes / most);
            assert!(bytes <= stated, "{name}, {ids:?}: {bytes} of {stated}");
        }
    }
}

#[test]
fn a_long_queue_that_moves_on_uses_its_memory_again() {
    let mut books = new_books(IdOrder::Arbitrary, 1);
    let book = BookIndex(0);
    let mut bytes = 0;
    for id in 0..200_000u64 {
        books.add(book, OrderId(id), Side::Bid, Price(100), Qty(1)).unwrap();
        if let Some(first) = id.checked_sub(100) {
            books.delete(book, OrderId(first)).unwrap();
        }
        if id == 1_000 {
            bytes = books.memory_bytes();
        }
    }
    assert_eq!((books.orders_len(), books.memory_bytes()), (100, bytes));
    assert_eq!(books.check_invariants(), Ok(()));
}

#[test]
fn long_queues_and_far_prices_hold_no_more_memory_than_stated() {
    const ORDERS: u64 = 60_000;
    let mut books = new_books(IdOrder::Arbitrary, 1);
    let book = BookIndex(0);
    for id in 0..ORDERS {
        books.add(book, OrderId(id), Side::Bid, Price(id as i64 % 8), Qty(1)).unwrap();
    }
    // One order stays of each thirteen, which is as sparse as a queue can be.
    for id in (0..ORDERS).filter(|id| id / 8 % 13 > 0) {
        books.delete(book, OrderId(id)).unwrap();
    }
    assert_eq!(books.check_invariants(), Ok(()));
    for id in ORDERS..2 * ORDERS {
        books.add(book, OrderId(id), Side::Ask, Price(id as i64 * 7_919), Qty(1)).unwrap();
    }
    assert_eq!(books.check_invariants(), Ok(()));
    let (bytes, stated) = (books.memory_bytes(), stated_bytes(books.orders_len(), 2, 1));
    println!("{bytes} of {stated} bytes");
    assert!(bytes <= stated, "{bytes} of {stated}");
}

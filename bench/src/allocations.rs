//! Allocations for each message once warm, counted by an allocator of the program's own. The core promises none.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use depthwire_core::book::l3::{BookIndex, L3Books};
use depthwire_core::framing::dbn::{MboChange, Record};
use depthwire_core::replica::Replica;
use depthwire_core::types::NoClock;

use crate::l3_answer::{OrderBooks, answer_of, mix_bbo, replay_itch};
use crate::l3_apply::empty;
use crate::pipeline::{ingest, open};
use crate::report::Row;
use crate::workload::{DbnStream, ItchStream, OrderStream, Recording, Size, Workload};

/// The system's allocator with counters.
pub struct Counting;

thread_local! {
    /// Made without allocating and dropped without code, so an allocator may use them at any time.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static BYTES: Cell<i64> = const { Cell::new(0) };
}

fn note(allocations: u64, bytes: i64) {
    ALLOCATIONS.with(|so_far| so_far.set(so_far.get().wrapping_add(allocations)));
    BYTES.with(|so_far| so_far.set(so_far.get().wrapping_add(bytes)));
}

// SAFETY: every call is handed on to `System` as it came, so its guarantees are this allocator's; counting touches
// integers of the thread and does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(1, layout.size() as i64);
        // SAFETY: the caller's promises about `layout` are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(1, layout.size() as i64);
        // SAFETY: as in `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(1, size as i64 - layout.size() as i64);
        // SAFETY: `block` came from `System` through this allocator, with this layout.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        note(0, -(layout.size() as i64));
        // SAFETY: as in `realloc`.
        unsafe { System.dealloc(block, layout) }
    }
}

/// Bytes that this thread has allocated and not given back.
pub(crate) fn bytes() -> i64 {
    BYTES.with(Cell::get)
}

/// Whether the program counts at all: its global allocator must be [`Counting`].
pub(crate) fn is_counting() -> bool {
    let before = allocations();
    drop(std::hint::black_box(Box::new(0u64)));
    allocations() > before
}

/// Allocations and reallocations of this thread so far.
fn allocations() -> u64 {
    ALLOCATIONS.with(Cell::get)
}

/// Messages after which a path has shown that it does not allocate.
const fn messages_min(size: Size) -> u64 {
    match size {
        Size::Gate | Size::Tiny => 1,
        Size::Quick => 100_000,
        Size::Full => 1_000_000,
    }
}

/// Passes after which a path is warm. Books that are filled anew find their memory in another order, so that one pass does
/// not show all that they ever want.
const PASSES_WARM: usize = 3;

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

/// Passes over a workload's bytes by every path that it holds bytes for, counted once they are warm. One allocation is an error, as is a wrong answer.
#[must_use]
pub fn rows(workload: &Workload, size: Size) -> Option<Result<Vec<Row>, String>> {
    let mut paths: Vec<Path<'_>> = Vec::new();
    if let (Some(recording), Some(stream)) = (&workload.recording, &workload.levels) {
        paths.extend(WAYS.iter().map(|way| engine(recording, &stream.digest, way)));
    }
    // A side takes memory when it holds more levels than ever before. Of thousands of sides one does so now and then for
    // as long as a day goes on, so the path is shown on the day of one symbol, whose sides reach their most soon.
    if let Some(stream) = workload.itch.as_ref().filter(|stream| stream.symbols == 1) {
        paths.push(itch(stream));
    }
    if let (Some(stream), Some(orders)) = (&workload.dbn, &workload.orders) {
        paths.push(dbn(stream, orders));
    }
    if paths.is_empty() {
        return None;
    }
    if !is_counting() {
        return Some(Err("this program does not count its allocations".to_owned()));
    }
    let row = |Path { name, messages, pass }: Path<'_>| {
        let (counted, passes) = count(pass, messages, size).map_err(|what| format!("{name}: {what}"))?;
        let all = messages * passes;
        let figure = counted as f64 / all as f64;
        let answer = format!("allocations {counted} in {all} messages");
        Ok(Row::counted(("allocations", workload.name), name, ("allocations/message", figure), answer))
    };
    Some(paths.into_iter().map(row).collect())
}

/// A way from bytes to books.
struct Path<'a> {
    name: &'static str,
    messages: u64,
    /// One pass; an error where it came to another answer than it should.
    pass: Box<dyn FnMut() -> Result<u64, String> + 'a>,
}

/// Allocations in the passes after the warm ones, and how many passes these were.
fn count(
    mut pass: Box<dyn FnMut() -> Result<u64, String> + '_>,
    messages: u64,
    size: Size,
) -> Result<(u64, u64), String> {
    for _ in 0..PASSES_WARM {
        pass()?;
    }
    let passes = messages_min(size).div_ceil(messages.max(1)).max(1);
    let mut counted = 0;
    for _ in 0..passes {
        counted += pass()?;
    }
    match counted {
        0 => Ok((counted, passes)),
        _ => Err(format!("expected no allocation in a warm pass, got {counted} in {passes}")),
    }
}

/// The whole engine over a recording.
fn engine<'a>(recording: &'a Recording, digest: &'a str, way: &'static Way) -> Path<'a> {
    let mut opened = None;
    let mut replica = Replica::default();
    let pass = move || {
        if opened.is_none() {
            let (mut engine, source) = open(recording, NoClock)?;
            for (depth, interval_ns) in [(20, 0), (100, 100_000_000)] {
                if way.has_views {
                    let id = recording.instrument();
                    engine.open_depth(id, depth, interval_ns, 0).map_err(|error| error.to_string())?;
                }
            }
            opened = Some((engine, source));
        }
        let Some((engine, source)) = &mut opened else { return Err("no engine".to_owned()) };
        let (before, mut refused) = (allocations(), 0u64);
        ingest(engine, *source, &recording.text, |frame| {
            if way.has_replica {
                refused += u64::from(replica.apply(frame).is_err());
            }
        })?;
        let counted = allocations() - before;
        let found = match replica.book(recording.instrument()) {
            Some(book) => book.digest(),
            None => engine.digest(recording.instrument()).unwrap_or_default(),
        };
        if found != digest || refused > 0 {
            return Err(format!("expected digest {digest}, got {found} and {refused} frames refused"));
        }
        Ok(counted)
    };
    Path { name: way.name, messages: recording.lines, pass: Box::new(pass) }
}

/// ITCH bytes to order-by-order books.
fn itch(stream: &ItchStream) -> Path<'_> {
    let mut opened: Option<L3Books> = None;
    let pass = move || {
        if opened.is_none() {
            opened = Some(L3Books::open_all(&stream.spec, &stream.books)?);
        }
        let Some(books) = &mut opened else { return Err("no books".to_owned()) };
        empty(books, stream.books.len());
        let before = allocations();
        replay_itch(books, stream.lead());
        let (tops, _) = replay_itch(books, stream.measured());
        let counted = allocations() - before;
        same(&stream.answer, &stream.answer_of(books, tops)).map(|()| counted)
    };
    Path { name: "ITCH to L3Books", messages: stream.messages, pass: Box::new(pass) }
}

/// DBN bytes to an order-by-order book.
fn dbn<'a>(stream: &'a DbnStream, orders: &'a OrderStream) -> Path<'a> {
    let mut opened: Option<L3Books> = None;
    let pass = move || {
        if opened.is_none() {
            opened = Some(L3Books::open_all(&orders.spec, &orders.books)?);
        }
        let Some(books) = &mut opened else { return Err("no books".to_owned()) };
        let mut framer = stream.framer.clone();
        empty(books, orders.books.len());
        let before = allocations();
        let mut tops = 0;
        for entry in framer.records(stream.records_bytes()) {
            if let Ok(Record::Mbo(order)) = entry.record
                && let Ok(MboChange::Order(change)) = order.change()
            {
                let applied = books.apply(BookIndex(0), &change).is_ok();
                tops = mix_bbo(tops, books.bbo(BookIndex(0)), applied);
            }
        }
        let counted = allocations() - before;
        same(&orders.answer, &answer_of(books, tops, orders.books.len())).map(|()| counted)
    };
    Path { name: "DBN to L3Books", messages: stream.records, pass: Box::new(pass) }
}

fn same(expected: &str, got: &str) -> Result<(), String> {
    if expected == got { Ok(()) } else { Err(format!("expected {expected}, got {got}")) }
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

//! Tops of books in shared memory: JavaScript of any thread reads them without a call.
//!
//! The record's layout is the core's `encode::book_record`: a header, then rows, best first.
//!
//! One writer, any number of readers. The writer makes the sequence odd, writes, and makes it even again; a reader that
//! sees the same even sequence before and after has read one moment. Prices and quantities are mantissas. A 64-bit float
//! holds those up to 2^53 exactly; one beyond is flagged, and readers refuse it.
//!
//! A record is brought up to date by the feed frames that its book puts out, once all of them are in the output ring. Its
//! place in sequence and time is written each time, its levels only when one of them was touched: most updates are not
//! near the top.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

use depthwire_core::aggregate::DEPTH_MAX;
use depthwire_core::encode::book_record::{self as record, CLOSED, HEADER_BYTES, ROW_BYTES};
use depthwire_core::engine::Engine;
use depthwire_core::types::{BookState, Clock, InstrumentId, Level, Price, Side};
use napi::bindgen_prelude::Uint8Array;

use crate::feed_frame::{Place, Touched, touched_by_record};

/// Word of the sequence, and of state, reason and flags.
const SEQUENCE_WORD: usize = record::SEQUENCE / 4;
const STATE_WORD: usize = record::STATE / 4;
const EXACT_MAX: u64 = 1 << 53;

/// The records of an engine's books. At most one a book.
#[derive(Default)]
pub(crate) struct SharedBooks {
    books: Vec<SharedBook>,
    /// Where a book's record stands in `books`.
    by_id: HashMap<InstrumentId, usize>,
    /// Places of those that a frame was seen of; each once.
    changed: Vec<usize>,
}

impl SharedBooks {
    /// Adds a book's record, in place of the one that it had, and writes it.
    pub(crate) fn add<C: Clock>(&mut self, book: SharedBook, engine: &Engine<C>) {
        let place = *self.by_id.entry(book.instrument).or_insert(self.books.len());
        match self.books.get_mut(place) {
            Some(held) => *held = book,
            None => self.books.push(book),
        }
        // The one before is closed by now. It may have had the very same memory.
        self.books[place].join();
        self.books[place].write(engine);
    }

    /// Notes what a record of the outbox says of its book.
    #[inline]
    pub(crate) fn note(&mut self, record: &[u8]) {
        if self.books.is_empty() {
            return;
        }
        let Some((id, touched)) = touched_by_record(record) else { return };
        if let Some(&place) = self.by_id.get(&id) {
            let book = &mut self.books[place];
            if !book.has_changed {
                book.has_changed = true;
                self.changed.push(place);
            }
            book.note(&touched);
        }
    }

    /// Brings the changed records up to date. Only when every frame has been noted: then the books are where the last of
    /// them says.
    #[inline]
    pub(crate) fn write<C: Clock>(&mut self, engine: &Engine<C>) {
        while let Some(place) = self.changed.pop() {
            self.books[place].write(engine);
        }
    }
}

/// A book's record.
pub(crate) struct SharedBook {
    /// Keeps the memory alive; never read through.
    _memory: Uint8Array,
    base: *mut u8,
    instrument: InstrumentId,
    depth: u8,
    sequence: u32,
    place: Place,
    has_changed: bool,
    /// A level that the record holds is another now.
    is_touched: bool,
    /// The state may be another now. Deltas tell of none: they are those of a synced book.
    is_restated: bool,
    /// Each side's last price when the record is full of levels: what lies behind it does not matter.
    last_bid: Option<Price>,
    last_ask: Option<Price>,
}

impl SharedBook {
    /// Takes the memory over, which must be shared memory. `None` unless it is 8-aligned and a record of 1 to
    /// [`DEPTH_MAX`] levels.
    pub(crate) fn new(memory: Uint8Array, instrument: InstrumentId) -> Option<Self> {
        let rows = memory.len().checked_sub(HEADER_BYTES)?;
        let depth = rows / ROW_BYTES;
        let base = memory.as_ptr().cast_mut();
        let fits = rows % ROW_BYTES == 0 && (1..=DEPTH_MAX as usize).contains(&depth);
        if !fits || base.align_offset(8) != 0 {
            return None;
        }
        Some(Self {
            _memory: memory,
            base,
            instrument,
            depth: depth as u8,
            sequence: 0,
            place: Place::default(),
            has_changed: false,
            is_touched: true,
            is_restated: true,
            last_bid: None,
            last_ask: None,
        })
    }

    /// Goes on counting where the memory's last writer stopped, so that no reader takes two moments for one.
    fn join(&mut self) {
        self.sequence = self.half(SEQUENCE_WORD).load(Ordering::Relaxed).wrapping_add(1) & !1;
    }

    /// Notes what a frame changed.
    pub(crate) fn note(&mut self, touched: &Touched) {
        self.place = touched.place.unwrap_or(self.place);
        self.is_restated |= touched.is_restated;
        let reaches = |side: Side, touched: Option<Price>, last: Option<Price>| {
            touched.is_some_and(|price| last.is_none_or(|last| !side.is_better(last, price)))
        };
        self.is_touched |= touched.is_restated
            || reaches(Side::Bid, touched.bid, self.last_bid)
            || reaches(Side::Ask, touched.ask, self.last_ask);
    }

    /// Writes what has changed. Cost: some ten stores, and when a level was touched two for each level.
    pub(crate) fn write<C: Clock>(&mut self, engine: &Engine<C>) {
        self.has_changed = false;
        self.begin();
        self.put_place();
        if self.is_restated {
            let state = engine.book_info(self.instrument, 0).map(|info| info.state);
            self.put_state(state.map_or(CLOSED, BookState::code), state.map_or(0, BookState::reason_code));
            self.is_restated = false;
        }
        if self.is_touched {
            self.put_levels(engine);
            self.is_touched = false;
        }
        self.end();
    }

    fn begin(&mut self) {
        self.half(SEQUENCE_WORD).store(self.sequence.wrapping_add(1), Ordering::Relaxed);
        // A reader that sees one of the stores below sees the odd sequence too.
        fence(Ordering::Release);
    }

    fn end(&mut self) {
        self.sequence = self.sequence.wrapping_add(2);
        // Whoever sees the even sequence sees all stores before it.
        self.half(SEQUENCE_WORD).store(self.sequence, Ordering::Release);
    }

    fn put_place(&self) {
        let Place { epoch, seq, venue_seq, ts_event, ts_recv, flags } = self.place;
        self.put(record::EPOCH, epoch);
        self.put(record::SEQ, seq);
        self.put(record::VENUE_SEQ, venue_seq);
        self.put(record::TS_EVENT, ts_event);
        self.put(record::TS_RECV, ts_recv);
        let state = self.half(STATE_WORD).load(Ordering::Relaxed) & 0xffff;
        self.half(STATE_WORD).store(state | u32::from(flags) << 16, Ordering::Relaxed);
    }

    fn put_levels<C: Clock>(&mut self, engine: &Engine<C>) {
        let Some(book) = engine.book(self.instrument) else { return };
        let known_to = book.known_to();
        let (mut bids, mut asks) = (book.levels(Side::Bid), book.levels(Side::Ask));
        let mut counts = [0u8; 4];
        let mut inexact = 0u8;
        (self.last_bid, self.last_ask) = (None, None);
        for row in 0..self.depth {
            let (bid, ask) = (bids.next(), asks.next());
            if bid.is_none() && ask.is_none() {
                break;
            }
            for (index, side, level) in [(0, Side::Bid, bid), (1, Side::Ask, ask)] {
                let Level { price, qty } = level.unwrap_or_default();
                let at = HEADER_BYTES + usize::from(row) * ROW_BYTES + index * 16;
                self.put(at, (price.0 as f64).to_bits());
                self.put(at + 8, (qty.0 as f64).to_bits());
                if price.0.unsigned_abs().max(qty.0.unsigned_abs()) > EXACT_MAX {
                    inexact |= record::INEXACT_ANY | if row == 0 { record::INEXACT_BEST } else { 0 };
                }
                if level.is_some() {
                    counts[2 * index] += 1;
                    counts[2 * index + 1] += u8::from(known_to.covers(side, price));
                }
            }
            if row + 1 == self.depth {
                (self.last_bid, self.last_ask) = (bid.map(|level| level.price), ask.map(|level| level.price));
            }
        }
        let [bids, certain_bids, asks, certain_asks] = counts;
        // As they are now: a number that is finer than the ones before refines the scale of the whole book.
        let scale = engine.catalogue().get(self.instrument);
        let (price, qty) =
            scale.map_or((0, 0), |listed| (listed.price_exponent as u8, listed.qty_exponent as u8));
        self.put(
            record::COUNTS,
            u64::from_ne_bytes([bids, certain_bids, asks, certain_asks, inexact, price, qty, 0]),
        );
        self.put(record::INSTRUMENT, u64::from(self.instrument.0));
    }

    fn put_state(&self, state: u8, reason: u8) {
        let flags = self.half(STATE_WORD).load(Ordering::Relaxed) & !0xffff;
        self.half(STATE_WORD).store(flags | u32::from(reason) << 8 | u32::from(state), Ordering::Relaxed);
    }

    fn put(&self, at: usize, value: u64) {
        debug_assert!(
            at >= 8 && at.is_multiple_of(8) && at < HEADER_BYTES + usize::from(self.depth) * ROW_BYTES
        );
        // SAFETY:
        // - `at` is a multiple of 8 inside the record (asserted; the callers pass its fields), which `_memory` keeps alive
        //   for as long as `self`, and `base` is 8-aligned (checked in `new`);
        // - the word is only ever written as an atomic, and readers hold what they read for one moment only when the
        //   sequence says so.
        unsafe { AtomicU64::from_ptr(self.base.add(at).cast::<u64>()) }.store(value, Ordering::Relaxed);
    }

    fn half(&self, index: usize) -> &AtomicU32 {
        debug_assert!(index < 2);
        // SAFETY: as in `put`: the first two u32 words of the record, which are only ever accessed as such.
        unsafe { AtomicU32::from_ptr(self.base.cast::<u32>().add(index)) }
    }
}

/// What nobody brings up to date any more must not look like a book that is.
impl Drop for SharedBook {
    fn drop(&mut self) {
        self.begin();
        self.put_state(CLOSED, 0);
        self.end();
    }
}

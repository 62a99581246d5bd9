//! The bytes of a frame.
//!
//! ```text
//!   0 size of what follows, u32          36 table: distance to its vtable, i32
//!   4 offset of the table from here      40 header, 64 bytes: one cache line
//!   8 "DWF1"                            104 the shape's own structs, then its vector offsets,
//!  12 vtable of seven fields, 18 bytes       then the vectors, each with its elements on a multiple of 8
//! ```
//! Every shape is a multiple of 8 bytes, so frames that follow one another stay aligned.

use crate::types::{KnownTo, Level, TimeNs, Trade};

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Whole state of a stream; opens an epoch, or lets a reader join.
    Image = 1,
    /// Changed levels, absolute.
    Delta = 2,
    /// Checksums of the state at `seq`.
    Check = 3,
    /// A whole top of book.
    Bbo = 4,
    /// Trades.
    Trade = 5,
    /// State of the instrument's book.
    Status = 6,
}

impl Kind {
    /// Every kind, in the order of their numbers.
    pub const ALL: [Self; 6] = [Self::Image, Self::Delta, Self::Check, Self::Bbo, Self::Trade, Self::Status];

    /// The kind's word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Delta => "delta",
            Self::Check => "check",
            Self::Bbo => "bbo",
            Self::Trade => "trade",
            Self::Status => "status",
        }
    }
}

/// Which of an instrument's streams a frame belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Stream(pub u8);

impl Stream {
    /// The full book.
    pub const BOOK: Self = Self(1);
    /// Best bid and ask of the book.
    pub const BBO: Self = Self(2);
    /// Trades.
    pub const TRADES: Self = Self(3);
    /// State changes.
    pub const STATUS: Self = Self(4);
    /// Best bid and ask by the venue's own message.
    pub const VENUE_BBO: Self = Self(5);
    /// The first depth view; the rest follow up to 255.
    pub const DEPTH_FIRST: Self = Self(16);
}

/// Flag bits of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct Flags(pub u16);

impl Flags {
    /// No flag.
    pub const NONE: Self = Self(0);
    /// Several updates are merged.
    pub const CONFLATED: Self = Self(1);
    /// The book behind this frame is not synced.
    pub const STALE: Self = Self(2);
    /// Best bid above best ask.
    pub const CROSSED: Self = Self(8);
    /// From a recording.
    pub const REPLAY: Self = Self(16);
    /// End of the venue's event.
    pub const LAST: Self = Self(32);
    /// This top of book is the venue's own message.
    pub const VENUE: Self = Self(64);

    /// Levels lie beyond what the venue has made known: better or others may exist.
    pub const BEYOND_KNOWN: Self = Self(128);

    /// These bits without those of `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Both sets of bits.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These bits if the condition holds, else none.
    #[must_use]
    pub const fn when(self, condition: bool) -> Self {
        if condition { self } else { Self::NONE }
    }
}

/// The header of every frame, in the order of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Start id (high 32 bits) and reset count (low 32).
    pub epoch: u64,
    /// Sequence of the stream.
    pub seq: u64,
    /// The sequence that this frame follows.
    pub prev_seq: u64,
    /// The venue's own sequence.
    pub venue_seq: u64,
    /// The venue's time, ns.
    pub ts_event: TimeNs,
    /// When the input arrived, ns.
    pub ts_recv: TimeNs,
    /// When the frame was written, ns.
    pub ts_send: TimeNs,
    /// Number of the instrument.
    pub instrument: u32,
    /// What the frame is.
    pub kind: Kind,
    /// Which stream it belongs to.
    pub stream: Stream,
    /// Its flags.
    pub flags: Flags,
}

/// What an image says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageBody {
    /// How far each side is known.
    pub known_to: KnownTo,
    /// Levels per side that the stream carries at most; 0 = all.
    pub depth: u32,
    /// Power of ten of prices.
    pub price_exponent: i8,
    /// Power of ten of quantities.
    pub qty_exponent: i8,
    /// [`BookState::code`](crate::types::BookState::code) of the book.
    pub state: u8,
    /// [`BookState::reason_code`](crate::types::BookState::reason_code) of the book.
    pub reason: u8,
    /// Checksums of the whole image.
    pub check: CheckBody,
}

/// Checksums of a book.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckBody {
    /// CRC32C of the best ten of each side.
    pub top_crc: u32,
    /// CRC32C of all levels.
    pub all_crc: u32,
    /// Number of bid levels.
    pub bid_count: u32,
    /// Number of ask levels.
    pub ask_count: u32,
}

/// What a status frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusBody {
    /// For a gap, the venue sequence that was due.
    pub expected: u64,
    /// For a gap, the one that came.
    pub received: u64,
    /// Time since the last input.
    pub age_ns: u64,
    /// [`BookState::code`](crate::types::BookState::code).
    pub state: u8,
    /// [`BookState::reason_code`](crate::types::BookState::reason_code).
    pub reason: u8,
}

/// Levels of both sides together in one chunk of an image: 32 KiB of levels, so that a chunk never fills an output
/// ring or a socket's buffer by itself.
pub const CHUNK_LEVELS_MAX: usize = 2_048;

/// Bytes before the header.
const PRELUDE_BYTES: usize = 40;
/// Where the table starts.
const TABLE: usize = 36;
/// Where the vtable starts.
const VTABLE: usize = 12;
/// Where the shape's own part starts: behind the header.
const BODY: usize = PRELUDE_BYTES + 64;
const LEVEL_BYTES: usize = 16;
const TRADE_BYTES: usize = 40;

/// The constant bytes of a shape: where its fields lie, counted from the start of the frame, 0 = absent.
struct Shape {
    table_end: usize,
    info: usize,
    check: usize,
    status: usize,
    bids: usize,
    asks: usize,
    trades: usize,
}

const IMAGE: Shape =
    Shape { table_end: 160, info: BODY, check: 136, status: 0, bids: 152, asks: 156, trades: 0 };
const LEVELS: Shape = Shape { table_end: 112, info: 0, check: 0, status: 0, bids: 104, asks: 108, trades: 0 };
const CHECK: Shape = Shape { table_end: 120, info: 0, check: BODY, status: 0, bids: 0, asks: 0, trades: 0 };
const STATUS: Shape = Shape { table_end: 136, info: 0, check: 0, status: BODY, bids: 0, asks: 0, trades: 0 };
const TRADES: Shape = Shape { table_end: 108, info: 0, check: 0, status: 0, bids: 0, asks: 0, trades: BODY };

/// The shape's bytes before the header, with the size still 0.
const fn prelude(shape: &Shape) -> [u8; PRELUDE_BYTES] {
    let mut bytes = [0u8; PRELUDE_BYTES];
    let mut at = 0;
    let halves = [
        (4, TABLE - 4),
        (VTABLE, 18),
        (VTABLE + 2, shape.table_end - TABLE),
        (VTABLE + 4, PRELUDE_BYTES - TABLE),
        (VTABLE + 6, shape.info.saturating_sub(TABLE)),
        (VTABLE + 8, shape.check.saturating_sub(TABLE)),
        (VTABLE + 10, shape.status.saturating_sub(TABLE)),
        (VTABLE + 12, shape.bids.saturating_sub(TABLE)),
        (VTABLE + 14, shape.asks.saturating_sub(TABLE)),
        (VTABLE + 16, shape.trades.saturating_sub(TABLE)),
        (TABLE, TABLE - VTABLE),
    ];
    while at < halves.len() {
        let (offset, value) = halves[at];
        bytes[offset] = value as u8;
        bytes[offset + 1] = (value >> 8) as u8;
        at += 1;
    }
    bytes[8] = b'D';
    bytes[9] = b'W';
    bytes[10] = b'F';
    bytes[11] = b'1';
    bytes
}

const IMAGE_PRELUDE: [u8; PRELUDE_BYTES] = prelude(&IMAGE);
const LEVELS_PRELUDE: [u8; PRELUDE_BYTES] = prelude(&LEVELS);
const CHECK_PRELUDE: [u8; PRELUDE_BYTES] = prelude(&CHECK);
const STATUS_PRELUDE: [u8; PRELUDE_BYTES] = prelude(&STATUS);
const TRADES_PRELUDE: [u8; PRELUDE_BYTES] = prelude(&TRADES);

/// Appends an image of a whole stream, in as many chunks as it takes; hands each chunk to `emit`.
///
/// `scratch` is overwritten. No allocation once it has grown to a chunk. Cost: linear in the levels.
pub fn write_image(
    scratch: &mut Vec<u8>,
    header: &Header,
    body: &ImageBody,
    bids: &[Level],
    asks: &[Level],
    mut emit: impl FnMut(&[u8]),
) {
    let chunks = (bids.len() + asks.len()).div_ceil(CHUNK_LEVELS_MAX).max(1);
    let (mut bids_left, mut asks_left) = (bids, asks);
    for chunk in 0..chunks {
        let (bids_now, rest) = bids_left.split_at(bids_left.len().min(CHUNK_LEVELS_MAX));
        bids_left = rest;
        let (asks_now, rest) = asks_left.split_at(asks_left.len().min(CHUNK_LEVELS_MAX - bids_now.len()));
        asks_left = rest;
        scratch.clear();
        begin(scratch, &IMAGE_PRELUDE, header);
        put(scratch, &body.known_to.bid.0.to_le_bytes());
        put(scratch, &body.known_to.ask.0.to_le_bytes());
        put(scratch, &(chunk as u32).to_le_bytes());
        put(scratch, &(chunks as u32).to_le_bytes());
        put(scratch, &body.depth.to_le_bytes());
        put(scratch, &[body.price_exponent as u8, body.qty_exponent as u8, body.state, body.reason]);
        put_check(scratch, &body.check);
        // Offsets: the bids' vector starts at 164 (its elements at 168), the asks' behind it.
        put(scratch, &(164u32 - 152).to_le_bytes());
        put(scratch, &(164 + 8 + (bids_now.len() * LEVEL_BYTES) as u32 - 156).to_le_bytes());
        put_levels(scratch, bids_now);
        put_levels(scratch, asks_now);
        finish(scratch, 0);
        emit(scratch);
    }
    debug_assert!(bids_left.is_empty() && asks_left.is_empty());
}

/// Appends a frame of changed levels ([`Kind::Delta`]) or a top of book ([`Kind::Bbo`]).
pub fn write_levels(out: &mut Vec<u8>, header: &Header, bids: &[Level], asks: &[Level]) {
    let start = out.len();
    begin(out, &LEVELS_PRELUDE, header);
    put(out, &(116u32 - 104).to_le_bytes());
    put(out, &(116 + 8 + (bids.len() * LEVEL_BYTES) as u32 - 108).to_le_bytes());
    put_levels(out, bids);
    put_levels(out, asks);
    finish(out, start);
}

/// Appends a check frame.
pub fn write_check(out: &mut Vec<u8>, header: &Header, check: &CheckBody) {
    let start = out.len();
    begin(out, &CHECK_PRELUDE, header);
    put_check(out, check);
    finish(out, start);
}

/// Appends a status frame.
pub fn write_status(out: &mut Vec<u8>, header: &Header, status: &StatusBody) {
    let start = out.len();
    begin(out, &STATUS_PRELUDE, header);
    put(out, &status.expected.to_le_bytes());
    put(out, &status.received.to_le_bytes());
    put(out, &status.age_ns.to_le_bytes());
    put(out, &[status.state, status.reason, 0, 0, 0, 0, 0, 0]);
    finish(out, start);
}

/// Appends a frame of trades.
pub fn write_trades(out: &mut Vec<u8>, header: &Header, trades: &[Trade]) {
    let start = out.len();
    begin(out, &TRADES_PRELUDE, header);
    put(out, &4u32.to_le_bytes()); // the vector stands right behind its offset
    put(out, &(trades.len() as u32).to_le_bytes());
    out.reserve(trades.len() * TRADE_BYTES);
    for trade in trades {
        put(out, &trade.price.0.to_le_bytes());
        put(out, &trade.qty.0.to_le_bytes());
        put(out, &trade.id.value().to_le_bytes());
        put(out, &trade.ts_event.to_le_bytes());
        put(out, &[trade.aggressor as u8, trade.id.kind(), 0, 0, 0, 0, 0, 0]);
    }
    finish(out, start);
}

#[inline]
fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(bytes);
}

#[inline]
fn begin(out: &mut Vec<u8>, prelude: &[u8; PRELUDE_BYTES], header: &Header) {
    out.reserve(256);
    put(out, prelude);
    for word in [
        header.epoch,
        header.seq,
        header.prev_seq,
        header.venue_seq,
        header.ts_event,
        header.ts_recv,
        header.ts_send,
    ] {
        put(out, &word.to_le_bytes());
    }
    put(out, &header.instrument.to_le_bytes());
    put(out, &[header.kind as u8, header.stream.0]);
    put(out, &header.flags.0.to_le_bytes());
}

#[inline]
fn put_check(out: &mut Vec<u8>, check: &CheckBody) {
    for word in [check.top_crc, check.all_crc, check.bid_count, check.ask_count] {
        put(out, &word.to_le_bytes());
    }
}

/// Four bytes of padding, the length, the levels: the elements start on a multiple of 8.
#[inline]
fn put_levels(out: &mut Vec<u8>, levels: &[Level]) {
    put(out, &[0; 4]);
    put(out, &(levels.len() as u32).to_le_bytes());
    let start = out.len();
    out.resize(start + levels.len() * LEVEL_BYTES, 0);
    // A level in memory is a level on the wire, so on a little-endian machine this loop is a copy.
    for (bytes, level) in out[start..].chunks_exact_mut(LEVEL_BYTES).zip(levels) {
        let (price, qty) = bytes.split_at_mut(8);
        price.copy_from_slice(&level.price.0.to_le_bytes());
        qty.copy_from_slice(&level.qty.0.to_le_bytes());
    }
}

/// Fills in the size. A frame is far below 4 GiB: its levels are bounded by the decoder and by the chunk.
#[inline]
fn finish(out: &mut [u8], start: usize) {
    let size = out.len() - start;
    debug_assert!(size.is_multiple_of(8) && start.is_multiple_of(8));
    out[start..start + 4].copy_from_slice(&((size - 4) as u32).to_le_bytes());
}

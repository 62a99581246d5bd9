//! Frames of books: images, changed levels, checks, states.

use super::layout::{
    CHUNK_BYTES, Field, Header, LONG, LONG_BODY, SHORT, SHORT_BODY, begin, finish, prelude, put, put_len,
    put_vector_offsets,
};
use crate::types::{KnownTo, Level, TimeNs};

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

/// What a view of a book shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViewBody {
    /// Width of a price bucket, a mantissa; 0 = levels as they are.
    pub grouping: i64,
    /// Least time between two changes.
    pub interval_ns: u64,
    /// Levels a side at most.
    pub depth: u32,
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

/// What was lost of a book when it last was. Times in ns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GapBody {
    /// The venue's number that was due; 0 where the reason has none.
    pub expected: u64,
    /// The one that came.
    pub received: u64,
    /// When the last input arrived that the book was exact at.
    pub lost_from: TimeNs,
    /// When the loss was noticed.
    pub noticed: TimeNs,
    /// When the book was exact again; 0 = not yet.
    pub mended: TimeNs,
    /// Epoch of the last place of the `book` stream that was exact.
    pub epoch_before: u64,
    /// Its sequence.
    pub seq_before: u64,
    /// [`BookState::reason_code`](crate::types::BookState::reason_code) of the loss.
    pub reason: u8,
}

/// Levels of both sides together in one chunk of an image.
pub const CHUNK_LEVELS_MAX: usize = CHUNK_BYTES / LEVEL_BYTES;

const LEVEL_BYTES: usize = 16;

/// Info, check and two vectors, here of levels.
const IMAGE: [u8; SHORT] =
    prelude(160, &[(Field::Info, SHORT_BODY), (Field::Check, 136), (Field::Bids, 152), (Field::Asks, 156)]);
const VIEW_IMAGE: [u8; LONG] = prelude(
    200,
    &[
        (Field::Info, LONG_BODY),
        (Field::Check, 152),
        (Field::View, 168),
        (Field::Bids, 192),
        (Field::Asks, 196),
    ],
);
const LEVELS: [u8; SHORT] = prelude(112, &[(Field::Bids, SHORT_BODY), (Field::Asks, 108)]);
const CHECK: [u8; SHORT] = prelude(120, &[(Field::Check, SHORT_BODY)]);
const STATUS: [u8; SHORT] = prelude(136, &[(Field::Status, SHORT_BODY)]);
const STATUS_WITH_GAP: [u8; SHORT] = prelude(200, &[(Field::Status, SHORT_BODY), (Field::Gap, 136)]);

/// Appends an image of a whole stream, in as many chunks as it takes; hands each chunk to `emit`.
///
/// `view`: of a depth view. `scratch` is overwritten. No allocation once it has grown to a chunk. Cost: linear in the levels.
pub fn write_image(
    scratch: &mut Vec<u8>,
    header: &Header,
    body: &ImageBody,
    view: Option<&ViewBody>,
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
        match view {
            None => begin(scratch, &IMAGE, header),
            Some(_) => begin(scratch, &VIEW_IMAGE, header),
        }
        put_info(scratch, body, chunk, chunks);
        put_check(scratch, &body.check);
        if let Some(view) = view {
            put_view(scratch, view);
        }
        put_vector_offsets(scratch, bids_now.len() * LEVEL_BYTES);
        put_levels(scratch, bids_now);
        put_levels(scratch, asks_now);
        finish(scratch, 0);
        emit(scratch);
    }
    debug_assert!(bids_left.is_empty() && asks_left.is_empty());
}

/// Appends a frame of changed levels ([`Kind::Delta`](super::Kind::Delta)) or a top of book ([`Kind::Bbo`](super::Kind::Bbo)).
pub fn write_levels(out: &mut Vec<u8>, header: &Header, bids: &[Level], asks: &[Level]) {
    let start = out.len();
    begin(out, &LEVELS, header);
    put_vector_offsets(out, bids.len() * LEVEL_BYTES);
    put_levels(out, bids);
    put_levels(out, asks);
    finish(out, start);
}

/// Appends a check frame.
pub fn write_check(out: &mut Vec<u8>, header: &Header, check: &CheckBody) {
    let start = out.len();
    begin(out, &CHECK, header);
    put_check(out, check);
    finish(out, start);
}

/// Appends a status frame; with what was lost, where the book ever was.
pub fn write_status(out: &mut Vec<u8>, header: &Header, status: &StatusBody, gap: Option<&GapBody>) {
    let start = out.len();
    begin(out, if gap.is_some() { &STATUS_WITH_GAP } else { &STATUS }, header);
    put(out, &status.expected.to_le_bytes());
    put(out, &status.received.to_le_bytes());
    put(out, &status.age_ns.to_le_bytes());
    put(out, &[status.state, status.reason, 0, 0, 0, 0, 0, 0]);
    if let Some(gap) = gap {
        let (epoch, seq) = (gap.epoch_before, gap.seq_before);
        for word in [gap.expected, gap.received, gap.lost_from, gap.noticed, gap.mended, epoch, seq] {
            put(out, &word.to_le_bytes());
        }
        put(out, &[gap.reason, 0, 0, 0, 0, 0, 0, 0]);
    }
    finish(out, start);
}

/// What an image says of itself, and which chunk of it this is.
#[inline]
pub(super) fn put_info(out: &mut Vec<u8>, body: &ImageBody, chunk: usize, chunks: usize) {
    put(out, &body.known_to.bid.0.to_le_bytes());
    put(out, &body.known_to.ask.0.to_le_bytes());
    put(out, &(chunk as u32).to_le_bytes());
    put(out, &(chunks as u32).to_le_bytes());
    put(out, &body.depth.to_le_bytes());
    put(out, &[body.price_exponent as u8, body.qty_exponent as u8, body.state, body.reason]);
}

pub(super) fn put_view(out: &mut Vec<u8>, view: &ViewBody) {
    put(out, &view.grouping.to_le_bytes());
    put(out, &view.interval_ns.to_le_bytes());
    put(out, &u64::from(view.depth).to_le_bytes());
}

#[inline]
pub(super) fn put_check(out: &mut Vec<u8>, check: &CheckBody) {
    for word in [check.top_crc, check.all_crc, check.bid_count, check.ask_count] {
        put(out, &word.to_le_bytes());
    }
}

#[inline]
fn put_levels(out: &mut Vec<u8>, levels: &[Level]) {
    put_len(out, levels.len());
    let start = out.len();
    out.resize(start + levels.len() * LEVEL_BYTES, 0);
    // A level in memory is a level on the wire, so on a little-endian machine this loop is a copy.
    for (bytes, level) in out[start..].chunks_exact_mut(LEVEL_BYTES).zip(levels) {
        let (price, qty) = bytes.split_at_mut(8);
        price.copy_from_slice(&level.price.0.to_le_bytes());
        qty.copy_from_slice(&level.qty.0.to_le_bytes());
    }
}

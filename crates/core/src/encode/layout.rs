//! The bytes that every frame has: a constant prelude, the header, and the rules for what follows.
//!
//! ```text
//!   0 size of what follows, u32          36 table: distance to its vtable, i32
//!   4 offset of the table from here      40 header, 64 bytes: one cache line
//!   8 "DWF1"                            104 the shape's own structs, then its vector offsets,
//!  12 vtable of 7 to 10 fields              then the vectors, each with its elements on a multiple of 8
//! ```
//! Shapes with later fields of the schema have a longer vtable and all that follows it 16 bytes further on.
//! Every shape is a multiple of 8 bytes, so frames that follow one another stay aligned.

use super::{Flags, Kind, Stream};
use crate::types::TimeNs;

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

/// Where the header stands in a frame, its size included; shapes differ. `None` for what is no frame.
#[must_use]
pub fn find_header(frame: &[u8]) -> Option<usize> {
    let word = |at: usize| Some(u32::from_le_bytes(*frame.get(at..)?.first_chunk()?) as usize);
    let table = word(4)?.checked_add(4)?;
    let field = table.checked_sub(word(table)?)?.checked_add(4)?;
    let at = table + usize::from(u16::from_le_bytes(*frame.get(field..)?.first_chunk()?));
    (at > table && frame.len() >= at + HEADER_BYTES).then_some(at)
}

/// Bytes before the header, of shapes whose last field is at most `names`.
pub(super) const SHORT: usize = 40;
/// The same of those with later fields.
pub(super) const LONG: usize = 56;
/// Where a shape's own part starts: behind the header.
pub(super) const SHORT_BODY: usize = SHORT + HEADER_BYTES;
/// The same of long shapes.
pub(super) const LONG_BODY: usize = LONG + HEADER_BYTES;
/// Where the header of a frame that was written here starts, by its first eight bytes: right behind the word at which the table
/// begins.
#[inline]
pub(super) const fn own_header_at(first: [u8; 8]) -> usize {
    (u64::from_le_bytes(first) >> 32) as usize + 8
}

/// Where the vtable starts.
const VTABLE: usize = 12;
const HEADER_BYTES: usize = 64;
/// Fields that every vtable has, used or not: those of the first shapes.
const FIELDS_MIN: usize = 7;
/// Bytes of a chunk of an image, about: a chunk must not fill an output ring or a socket's buffer by itself.
pub(super) const CHUNK_BYTES: usize = 32_768;

/// The fields of the table, in the schema's order.
#[derive(Clone, Copy)]
pub(super) enum Field {
    Header,
    Info,
    Check,
    Status,
    Bids,
    Asks,
    Trades,
    Gap,
    Orders,
    Names,
    Ticker,
    Trading,
    View,
    Signals,
    Volumes,
    Costs,
    Session,
}

/// A shape's bytes before the header, with the size still 0: where its fields lie, counted from the start of the
/// frame, and where its inline part ends.
pub(super) const fn prelude<const BYTES: usize>(end: usize, fields: &[(Field, usize)]) -> [u8; BYTES] {
    let mut bytes = [0u8; BYTES];
    let table = BYTES - 4;
    let mut count = FIELDS_MIN;
    let mut next = 0;
    while next < fields.len() {
        let (field, offset) = fields[next];
        let index = field as usize;
        if index >= count {
            count = index + 1;
        }
        bytes = put_u16(bytes, VTABLE + 4 + 2 * index, offset - table);
        next += 1;
    }
    let vtable_bytes = 4 + 2 * count;
    assert!(VTABLE + vtable_bytes <= table, "the vtable ends before the table");
    bytes = put_u16(bytes, 4, table - 4);
    bytes = put_u16(bytes, VTABLE, vtable_bytes);
    bytes = put_u16(bytes, VTABLE + 2, end - table);
    bytes = put_u16(bytes, VTABLE + 4 + 2 * Field::Header as usize, BYTES - table);
    bytes = put_u16(bytes, table, table - VTABLE);
    bytes[8] = b'D';
    bytes[9] = b'W';
    bytes[10] = b'F';
    bytes[11] = b'1';
    bytes
}

const fn put_u16<const BYTES: usize>(mut bytes: [u8; BYTES], at: usize, value: usize) -> [u8; BYTES] {
    bytes[at] = value as u8;
    bytes[at + 1] = (value >> 8) as u8;
    bytes
}

#[inline]
pub(super) fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(bytes);
}

#[inline]
pub(super) fn begin<const BYTES: usize>(out: &mut Vec<u8>, prelude: &[u8; BYTES], header: &Header) {
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

/// The offset of the only vector, which stands right behind it, and its length.
#[inline]
pub(super) fn put_only_vector(out: &mut Vec<u8>, len: usize) {
    put(out, &4u32.to_le_bytes());
    put(out, &(len as u32).to_le_bytes());
}

/// The offsets of two vectors, the first of them of `first_bytes`.
#[inline]
pub(super) fn put_vector_offsets(out: &mut Vec<u8>, first_bytes: usize) {
    put(out, &12u32.to_le_bytes());
    put(out, &(16 + first_bytes as u32).to_le_bytes());
}

/// Padding and the length of one of two vectors: its elements start on a multiple of 8.
#[inline]
pub(super) fn put_len(out: &mut Vec<u8>, len: usize) {
    put(out, &[0; 4]);
    put(out, &(len as u32).to_le_bytes());
}

/// Fills in the size. A frame is far below 4 GiB: what it lists is bounded by the decoder and by the chunk.
#[inline]
pub(super) fn finish(out: &mut [u8], start: usize) {
    let size = out.len() - start;
    debug_assert!(size.is_multiple_of(8) && start.is_multiple_of(8));
    out[start..start + 4].copy_from_slice(&((size - 4) as u32).to_le_bytes());
}

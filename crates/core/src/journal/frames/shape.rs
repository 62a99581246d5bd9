//! What a frame has beside its numbers: the bytes before its header, where its fields lie, how long its vectors are.

use super::schema::{FIELDS, What};

/// Bytes of the header.
pub(super) const HEADER_BYTES: usize = 64;
/// Most bytes before it.
pub(super) const PRELUDE_BYTES_MAX: usize = 64;
/// Most vectors of a frame.
pub(super) const VECTORS_MAX: usize = 3;
/// Most bytes of a frame: the largest of the feed are a fifth of that.
pub(super) const FRAME_BYTES_MAX: usize = 8 << 20;

/// Where the vtable starts: behind the size, the place of the table and the file's identifier.
const VTABLE: usize = 12;
/// The header's field of the table.
const HEADER_FIELD: usize = 0;

/// How frames of some kind lie, told by the bytes before their header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// All bytes before the header, with the size 0.
    pub(super) prelude: Vec<u8>,
    /// The structs behind the header, in the order of their places.
    pub(super) structs: Vec<(usize, What)>,
    /// Where the offsets of vectors stand, and what those hold, in order.
    pub(super) vectors: Vec<(usize, What)>,
    /// Where the part ends that each such frame has.
    pub(super) fixed_bytes: usize,
}

impl Shape {
    /// The shape that begins with these bytes, of which the first four are not looked at. None for one that this file does not
    /// know or that is laid out otherwise.
    pub(super) fn of(prelude: &[u8]) -> Option<Self> {
        let half = |at: usize| Some(usize::from(u16::from_le_bytes(*prelude.get(at..)?.first_chunk()?)));
        let word = |at: usize| Some(u32::from_le_bytes(*prelude.get(at..)?.first_chunk()?) as usize);
        let table = word(4)?.checked_add(4)?;
        // The vtable, the table's word and then the header, with nothing between.
        if prelude.len() > PRELUDE_BYTES_MAX
            || table.checked_add(4)? != prelude.len()
            || !prelude.len().is_multiple_of(8)
            || word(table)? != table - VTABLE
        {
            return None;
        }
        let (vtable_bytes, fixed_bytes) = (half(VTABLE)?, table.checked_add(half(VTABLE + 2)?)?);
        let fields = vtable_bytes.checked_sub(4)? / 2;
        if !vtable_bytes.is_multiple_of(2)
            || VTABLE + vtable_bytes > table
            || half(VTABLE + 4 + 2 * HEADER_FIELD)? != 4
        {
            return None;
        }
        let mut all = Vec::new();
        for field in 1..fields {
            let offset = half(VTABLE + 4 + 2 * field)?;
            if offset != 0 {
                all.push((table.checked_add(offset)?, *FIELDS.get(field - 1)?));
            }
        }
        all.sort_by_key(|(at, _)| *at);
        let (structs, vectors): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, what)| !what.is_vector());
        // Structs, then offsets, one behind the other: no byte is of two fields or of none.
        let mut due = prelude.len() + HEADER_BYTES;
        for (at, what) in &structs {
            if *at != due {
                return None;
            }
            due += what.bytes();
        }
        for (at, _) in &vectors {
            if *at != due {
                return None;
            }
            due += 4;
        }
        if due != fixed_bytes || vectors.len() > VECTORS_MAX {
            return None;
        }
        let mut prelude = prelude.to_vec();
        prelude[..4].fill(0);
        Some(Self { prelude, structs, vectors, fixed_bytes })
    }

    /// Where the header stands.
    pub(super) fn header_at(&self) -> usize {
        self.prelude.len()
    }

    /// Lengths of the vectors of a frame; None where they lie otherwise than [`Self::template`] has it.
    pub(super) fn lens_of(&self, frame: &[u8]) -> Option<[u32; VECTORS_MAX]> {
        let mut lens = [0; VECTORS_MAX];
        let mut end = self.fixed_bytes;
        for ((_, what), len) in self.vectors.iter().zip(&mut lens) {
            let at = elements_at(end);
            *len = u32::from_le_bytes(*frame.get(at - 4..)?.first_chunk()?);
            end = at.checked_add((*len as usize).checked_mul(what.bytes())?)?;
        }
        (end.next_multiple_of(8) == frame.len()).then_some(lens)
    }

    /// Bytes of a frame with vectors of these lengths. None where they are more than a frame may have.
    pub(super) fn bytes(&self, lens: &[u32; VECTORS_MAX]) -> Option<usize> {
        let mut end = self.fixed_bytes;
        for ((_, what), len) in self.vectors.iter().zip(lens) {
            end = elements_at(end).checked_add((*len as usize).checked_mul(what.bytes())?)?;
        }
        let bytes = end.next_multiple_of(8);
        (bytes <= FRAME_BYTES_MAX).then_some(bytes)
    }

    /// Appends such a frame, all numbers of which are 0. Its bytes must be at most [`FRAME_BYTES_MAX`].
    pub(super) fn template(&self, lens: &[u32; VECTORS_MAX], out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.prelude);
        let mut end = self.fixed_bytes;
        for ((offset_at, what), len) in self.vectors.iter().zip(lens) {
            let at = elements_at(end);
            out.resize(start + at, 0);
            let offset = (at - 4 - offset_at) as u32;
            out[start + offset_at..start + offset_at + 4].copy_from_slice(&offset.to_le_bytes());
            out[start + at - 4..start + at].copy_from_slice(&len.to_le_bytes());
            end = at + *len as usize * what.bytes();
            out.resize(start + end, 0);
        }
        out.resize(start + end.next_multiple_of(8), 0);
        let size = (out.len() - start - 4) as u32;
        out[start..start + 4].copy_from_slice(&size.to_le_bytes());
    }
}

/// Where a vector's elements begin that follows what ends there: behind its length, on a multiple of 8.
pub(super) const fn elements_at(end: usize) -> usize {
    (end + 4).next_multiple_of(8)
}

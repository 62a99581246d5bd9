//! What frames have in common but for their numbers: told once in a block, and then by its number.

use super::shape::VECTORS_MAX;
use crate::journal::varint::{put, take};

/// How a word of the header is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(super) enum Mode {
    /// It is what is expected.
    Same = 0,
    /// It is the next number; of the sequence before, the one before.
    Next = 1,
    /// Its difference stands in a column.
    Told = 2,
}

/// A length from this one on stands in a column.
pub(super) const TOLD_LEN: u8 = 8;

/// Most forms of a block.
pub(super) const FORMS_MAX: usize = 4_096;

/// A form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Form {
    /// The number of its shape.
    pub(super) shape: u32,
    /// Lengths of the vectors; [`TOLD_LEN`] = in a column.
    pub(super) lens: [u8; VECTORS_MAX],
    /// Of epoch, sequence, sequence before, the venue's sequence, its time and the delay from it to that of receipt.
    pub(super) modes: [Mode; Self::MODES],
    /// The header's last word: instrument, kind, stream and flags.
    pub(super) which: u64,
}

impl Form {
    /// Words of the header that have a mode.
    pub(super) const MODES: usize = 6;
    pub(super) const SAME: [Mode; Self::MODES] = [Mode::Same; Self::MODES];

    pub(super) const fn instrument(&self) -> u32 {
        self.which as u32
    }

    pub(super) const fn kind(&self) -> u8 {
        (self.which >> 32) as u8
    }

    pub(super) const fn stream(&self) -> u8 {
        (self.which >> 40) as u8
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        put(out, self.shape.into());
        put(out, self.which);
        out.extend_from_slice(&self.lens);
        out.extend(self.modes.map(|mode| mode as u8));
    }

    pub(super) fn read(bytes: &mut &[u8]) -> Option<Self> {
        let (shape, which) = (u32::try_from(take(bytes)?).ok()?, take(bytes)?);
        let (lens, rest) = bytes.split_first_chunk::<VECTORS_MAX>()?;
        let (modes, rest) = rest.split_first_chunk::<{ Self::MODES }>()?;
        *bytes = rest;
        if lens.iter().any(|len| *len > TOLD_LEN) || modes.iter().any(|mode| *mode > Mode::Told as u8) {
            return None;
        }
        let modes = modes.map(|mode| match mode {
            0 => Mode::Same,
            1 => Mode::Next,
            _ => Mode::Told,
        });
        Some(Self { shape, lens: *lens, modes, which })
    }
}

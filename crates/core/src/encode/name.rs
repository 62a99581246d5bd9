//! Texts that ids in frames refer to by a number.

use super::layout::{put, put_len};

/// Bytes of text in one entry.
pub const NAME_TEXT_BYTES: usize = 55;

/// The size that says that the text goes on in the next entry.
pub const NAME_GOES_ON: u8 = 255;

/// Appends a vector of names, each a number and its text.
pub(super) fn put_names<'a>(out: &mut Vec<u8>, names: impl Iterator<Item = (u64, &'a [u8])>) {
    let start = out.len();
    put_len(out, 0);
    let mut entries = 0u32;
    for (number, mut text) in names {
        loop {
            let (part, rest) = text.split_at(text.len().min(NAME_TEXT_BYTES));
            text = rest;
            let mut entry = [0; 1 + NAME_TEXT_BYTES];
            entry[0] = if rest.is_empty() { part.len() as u8 } else { NAME_GOES_ON };
            entry[1..=part.len()].copy_from_slice(part);
            put(out, &number.to_le_bytes());
            put(out, &entry);
            entries += 1;
            if rest.is_empty() {
                break;
            }
        }
    }
    out[start + 4..start + 8].copy_from_slice(&entries.to_le_bytes());
}

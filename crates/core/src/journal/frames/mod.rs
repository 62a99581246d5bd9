//! Frames of the feed in columns: what an engine has published, in a fraction of the bytes, and back again byte for byte but for
//! the time of sending, which is 0.
//!
//! A block is read by itself. It tells first what its frames have in common, then a column for each number of the schema, which
//! holds the differences from what the frames before let expect (`model`):
//!
//! | bytes of a block, numbers as in records | |
//! |---|---|
//! | shapes: how many, then each | its length, and the bytes of a frame before its header, the size 0 |
//! | forms: how many, then each | its shape, the header's last word; a byte for the length of each of three vectors (8 = in a column), one for the mode of each of six words of the header |
//! | units: three of each instrument | by which its prices, quantities and times are divided |
//! | columns, as many as `schema` numbers | its length in bytes, and its numbers, signed ones as zigzag |
//!
//! The column of forms says of each item what it is: [`AS_IT_IS`] and [`INSTRUMENT`] are bytes as they are, from [`FIRST_FORM`]
//! on a frame of that form. A frame that no form fits, of a kind or with fields that this version does not know, is kept as it is.

mod columns;
mod decoder;
mod encoder;
mod form;
mod model;
mod reader;
mod schema;
mod shape;
#[cfg(test)]
mod tests;
mod writer;

pub use reader::{FrameItem, FrameReader, FrameRecorded};
pub use writer::{BLOCK_FRAMES, FrameWriter};

/// A frame as it is.
const AS_IT_IS: u64 = 0;
/// An instrument, in the words of `engine/listing.rs`.
const INSTRUMENT: u64 = 1;
/// The number of the first form.
const FIRST_FORM: u64 = 4;

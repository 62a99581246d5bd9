//! Venues' checksums of a book: CRC-32 over printed digits.
//!
//! A venue prints the numbers of its best levels, joins the digits and sends the CRC-32 of that text with each message.
//! The book holds integers, so the text is made from them ([`Scale`]); and as a message changes few levels, nothing but
//! their texts is made: the CRC of a text follows from those of its parts ([`Piece`]). [`PrintedTop`] joins bare digits side
//! by side, [`InterleavedTop`] whole numbers of both sides in turn, with signs between them.
//!
//! A level's text has some sixteen bytes, which tables are enough for. The texts of many levels are joined by the carry-less
//! multiplication of processors that have it, and by tables elsewhere.
//!
//! Absences that are promises: no float, no allocation, no `unsafe` but one call of what multiplies so, no panic on any input.

mod carryless;
mod crc32;
mod digits;
mod interleaved;
mod number;
mod printed;
mod printed_top;
mod rows;

pub use crc32::{PIECE_BYTES_MAX, Piece, crc32};
pub use digits::Scale;
pub use interleaved::{INTERLEAVED_LEVELS, InterleavedTop, Joining};
pub use number::{Decimals, NumberText};
pub use printed::{Printing, TOP_LEVELS};
pub use printed_top::PrintedTop;

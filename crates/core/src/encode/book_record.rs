//! Layout of a book's record in memory that threads share, on which its writer and its readers agree. Offsets are bytes;
//! 8-aligned; the machine's byte order.

/// Bytes before the first row.
pub const HEADER_BYTES: usize = 64;

/// Bytes of a row: bid price, bid quantity, ask price, ask quantity, each an f64; 0 where a side has no level.
pub const ROW_BYTES: usize = 32;

/// Numbers in a row.
pub const ROW_NUMBERS: usize = ROW_BYTES / 8;

/// Counts writes, u32; even = stable.
pub const SEQUENCE: usize = 0;

/// State u8, reason u8, feed flags u16.
pub const STATE: usize = 4;

/// Bid levels u8, of these certain u8, ask levels u8, of these certain u8.
pub const COUNTS: usize = 8;

/// Inexact bits u8, price exponent i8, quantity exponent i8, zero.
pub const SCALE: usize = 12;

/// The book's epoch, u64.
pub const EPOCH: usize = 16;

/// Sequence of the `book` stream, u64.
pub const SEQ: usize = 24;

/// The venue's own sequence, u64.
pub const VENUE_SEQ: usize = 32;

/// The venue's time of the last update, u64 ns.
pub const TS_EVENT: usize = 40;

/// When the last update arrived, u64 ns.
pub const TS_RECV: usize = 48;

/// Number of the instrument, u32; zeros follow.
pub const INSTRUMENT: usize = 56;

/// Where the used part of the header ends.
pub const USED_BYTES: usize = 60;

/// Inexact bit: of the best levels.
pub const INEXACT_BEST: u8 = 1;

/// Inexact bit: of any level.
pub const INEXACT_ANY: u8 = 2;

/// State of a record that nobody writes: never shared, or its engine has ended.
pub const CLOSED: u8 = 0;

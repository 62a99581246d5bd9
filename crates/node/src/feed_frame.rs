//! Which levels an input touched, read out of the feed frames that go to the output ring.
//!
//! The one place of the addon that looks into a frame. The layout is that of `schema/feed.fbs`: a size, the place of the
//! table, a table whose first field is the header and whose fifth and sixth are vectors of levels.

use depthwire_core::encode::{Kind, RECORD_HEADER_BYTES, RecordType, Stream};
use depthwire_core::types::{InstrumentId, Price, Side};

const HEADER_FIELD: usize = 0;
const BIDS_FIELD: usize = 4;
const ASKS_FIELD: usize = 5;
const LEVEL_BYTES: usize = 16;

/// The header's part that a record in shared memory repeats.
#[derive(Clone, Copy, Default)]
pub(crate) struct Place {
    pub(crate) epoch: u64,
    pub(crate) seq: u64,
    pub(crate) venue_seq: u64,
    pub(crate) ts_event: u64,
    pub(crate) ts_recv: u64,
    pub(crate) flags: u16,
}

/// What one frame changed in its book.
pub(crate) struct Touched {
    /// Where the book stands since; `None` when the frame does not say.
    pub(crate) place: Option<Place>,
    /// The best bid price of which the quantity changed, and the best ask price.
    pub(crate) bid: Option<Price>,
    pub(crate) ask: Option<Price>,
    /// State and levels may be any others now.
    pub(crate) is_restated: bool,
}

/// What a record of the outbox says of a book; `None` when it says nothing of one.
#[inline]
pub(crate) fn touched_by_record(record: &[u8]) -> Option<(InstrumentId, Touched)> {
    let (header, frame) = record.split_first_chunk::<RECORD_HEADER_BYTES>()?;
    let [_, _, _, _, kind, kind_high, stream, stream_high, a, b, c, d, ..] = *header;
    let stream = u16::from_le_bytes([stream, stream_high]);
    let is_of_book = [Stream::BOOK, Stream::STATUS].iter().any(|known| u16::from(known.0) == stream);
    if u16::from_le_bytes([kind, kind_high]) != RecordType::Frame as u16 || !is_of_book {
        return None;
    }
    Some((InstrumentId(u32::from_le_bytes([a, b, c, d])), touched_by(frame)))
}

/// What a frame of the `book` or the `status` stream says. One of another shape may have changed anything.
pub(crate) fn touched_by(frame: &[u8]) -> Touched {
    read(frame).unwrap_or(Touched { place: None, bid: None, ask: None, is_restated: true })
}

fn read(frame: &[u8]) -> Option<Touched> {
    let table = 4 + u32_at(frame, 4)? as usize;
    let header: &[u8; 64] = frame.get(field(frame, table, HEADER_FIELD)?..)?.first_chunk()?;
    let word = |at| u64_at(header, at).unwrap_or_default();
    let place = Some(Place {
        epoch: word(0),
        seq: word(8),
        venue_seq: word(24),
        ts_event: word(32),
        ts_recv: word(40),
        flags: u16::from_le_bytes([header[62], header[63]]),
    });
    let (is_delta, is_check) = (header[60] == Kind::Delta as u8, header[60] == Kind::Check as u8);
    let best = |side, index| if is_delta { best_of(side, frame, table, index) } else { None };
    let (bid, ask) = (best(Side::Bid, BIDS_FIELD), best(Side::Ask, ASKS_FIELD));
    Some(Touched { place, bid, ask, is_restated: !is_delta && !is_check })
}

fn best_of(side: Side, frame: &[u8], table: usize, index: usize) -> Option<Price> {
    let at = field(frame, table, index)?;
    let start = at + u32_at(frame, at)? as usize;
    let len = u32_at(frame, start)? as usize;
    let levels = frame.get(start + 4..)?.get(..len.checked_mul(LEVEL_BYTES)?)?;
    let prices = levels.chunks_exact(LEVEL_BYTES).filter_map(|level| u64_at(level, 0));
    prices
        .map(|price| Price(price as i64))
        .reduce(|best, price| if side.is_better(price, best) { price } else { best })
}

/// Where a table's field stands; `None` when it is absent.
fn field(frame: &[u8], table: usize, index: usize) -> Option<usize> {
    let vtable = table.checked_sub(u32_at(frame, table)? as usize)?;
    let slot = vtable + 4 + 2 * index;
    let offset = u16::from_le_bytes(*frame.get(slot..)?.first_chunk()?);
    (offset != 0).then_some(table + usize::from(offset))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

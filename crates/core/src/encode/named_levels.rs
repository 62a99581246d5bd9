//! The levels of a frame that this process wrote, read where they lie. `replica` reads what others may have written.

use super::generated::Frame;
use super::layout::own_header_at;
use super::{Flags, Kind};
use crate::types::{Level, Side};

const LEVEL_BYTES: usize = 16;

/// A frame of changed levels; `None` for one of another kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeltaFrame<'a> {
    frame: &'a [u8],
    flags: Flags,
}

impl<'a> DeltaFrame<'a> {
    pub(crate) fn new(frame: &'a [u8]) -> Option<Self> {
        let header: [u8; 64] = *frame.get(own_header_at(*frame.first_chunk()?)..)?.first_chunk()?;
        let flags = Flags(u16::from_le_bytes([header[62], header[63]]));
        (header[60] == Kind::Delta as u8).then_some(Self { frame, flags })
    }

    /// Its flags.
    pub(crate) const fn flags(self) -> Flags {
        self.flags
    }

    /// The levels of a side, in their order. None where the bytes are of another shape.
    pub(crate) fn levels(self, side: Side) -> impl Iterator<Item = Level> + use<'a> {
        let field = match side {
            Side::Bid => Frame::VT_BIDS,
            Side::Ask => Frame::VT_ASKS,
        };
        let levels = self.vector(usize::from(field)).unwrap_or_default();
        levels.as_chunks::<LEVEL_BYTES>().0.iter().map(|level| {
            let [price, qty] = [0, 1].map(|half| level.as_chunks::<8>().0[half]).map(i64::from_le_bytes);
            Level::new(price, qty)
        })
    }

    /// The elements of a vector, which the table names by an entry of its vtable.
    fn vector(self, entry: usize) -> Option<&'a [u8]> {
        let half = |at: usize| Some(u16::from_le_bytes(*self.frame.get(at..)?.first_chunk()?) as usize);
        let word = |at: usize| Some(u32::from_le_bytes(*self.frame.get(at..)?.first_chunk()?) as usize);
        let table = 4 + word(4)?;
        let vtable = table.checked_sub(word(table)?)?;
        if entry >= half(vtable)? || half(vtable + entry)? == 0 {
            return None;
        }
        let at = table + half(vtable + entry)?;
        let start = at + word(at)?;
        self.frame.get(start + 4..)?.get(..word(start)? * LEVEL_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::{CheckBody, Header, Stream, write_check, write_levels};

    #[test]
    fn reads_what_was_written() {
        let header = Header {
            epoch: 1,
            seq: 2,
            prev_seq: 1,
            venue_seq: 0,
            ts_event: 0,
            ts_recv: 0,
            ts_send: 0,
            instrument: 7,
            kind: Kind::Delta,
            stream: Stream::BOOK,
            flags: Flags::LAST.with(Flags::CROSSED),
        };
        let bids = [Level::new(i64::MIN, i64::MAX), Level::new(-1, 0)];
        for (bids, asks) in [(&bids[..], &bids[..1]), (&[], &bids[..]), (&bids[..], &[]), (&[], &[])] {
            let mut bytes = Vec::new();
            write_levels(&mut bytes, &header, bids, asks);
            let frame = DeltaFrame::new(&bytes).unwrap();
            assert_eq!(frame.flags(), header.flags);
            assert!(frame.levels(Side::Bid).eq(bids.iter().copied()));
            assert!(frame.levels(Side::Ask).eq(asks.iter().copied()));
        }
        let mut check = Vec::new();
        write_check(&mut check, &Header { kind: Kind::Check, ..header }, &CheckBody::default());
        assert!(DeltaFrame::new(&check).is_none());
    }
}

//! A reader of one stream.

use std::collections::BTreeMap;

use crate::aggregate::checksums;
use crate::encode::generated::size_prefixed_root_as_frame;
use crate::encode::{Flags, Kind, Stream};
use crate::types::{BookState, Level, Place};

/// A stream as its reader has it, by the rules of the protocol.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reader {
    pub(super) place: Place,
    pub(super) is_synced: bool,
    pub(super) flags: u16,
    pub(super) levels: [BTreeMap<i64, i64>; 2],
    pub(super) trades: Vec<u64>,
}

impl Reader {
    /// Applies frames that stand back to back; returns their kinds. Panics where one does not follow.
    pub(super) fn take(&mut self, stream: Stream, mut bytes: &[u8]) -> Vec<Kind> {
        let mut kinds = Vec::new();
        while !bytes.is_empty() {
            let size = 4 + u32::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
            let (frame, rest) = bytes.split_at(size);
            kinds.push(self.take_one(stream, frame));
            bytes = rest;
        }
        kinds
    }

    fn take_one(&mut self, stream: Stream, bytes: &[u8]) -> Kind {
        let frame = size_prefixed_root_as_frame(bytes).unwrap();
        let header = frame.header();
        let kind = Kind::ALL.into_iter().find(|kind| *kind as u8 == header.kind()).unwrap();
        let place = Place { epoch: header.epoch(), seq: header.seq() };
        if kind == Kind::Status {
            self.is_synced &= frame.status().unwrap().state() == BookState::Synced.code();
            return kind;
        }
        assert_eq!(header.stream(), stream.0);
        if kind == Kind::Image {
            if frame.info().unwrap().chunk_index() == 0 {
                self.levels = Default::default();
            }
            self.is_synced = header.flags() & Flags::STALE.0 == 0;
        } else {
            assert_eq!(place.epoch, self.place.epoch, "a frame of another epoch");
            if kind == Kind::Check {
                assert_eq!(place, self.place, "a check is of the state that the reader has");
                let check = frame.check().unwrap();
                let counts = (check.bid_count() as usize, check.ask_count() as usize);
                assert_eq!(counts, (self.levels[0].len(), self.levels[1].len()));
                let side =
                    |side: usize| self.levels[side].iter().map(|(price, qty)| Level::new(*price, *qty));
                let (bids, asks): (Vec<_>, Vec<_>) = (side(0).rev().collect(), side(1).collect());
                let own = checksums(&bids, &asks);
                assert_eq!(own, (check.top_crc(), check.all_crc()), "the checksums agree");
                let flags = Flags(self.flags);
                self.flags = flags.without(flags.doubts()).with(Flags(header.flags()).doubts()).0;
                return kind;
            }
            assert!(header.prev_seq() <= self.place.seq && self.place.seq < place.seq, "it follows");
            assert!(kind != Kind::Trade || header.prev_seq() == self.place.seq, "no trade is lost");
            if kind == Kind::Bbo {
                self.levels = Default::default();
            }
        }
        for (levels, side) in self.levels.iter_mut().zip([frame.bids(), frame.asks()]) {
            for level in side.iter().flatten() {
                match level.qty() {
                    0 => levels.remove(&level.price()),
                    qty => levels.insert(level.price(), qty),
                };
            }
        }
        self.trades.extend(frame.trades().iter().flatten().map(|trade| trade.id()));
        (self.place, self.flags) = (place, header.flags());
        kind
    }
}

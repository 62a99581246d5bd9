//! Hand-written frames against the generated code of the schema: the verifier accepts them and reads the same values.

use super::generated::{Frame, frame_size_prefixed_buffer_has_identifier, size_prefixed_root_as_frame};
use super::*;
use crate::types::{Aggressor, KnownTo, Level, Price, Qty, Trade, TradeId};
use std::iter::empty;

fn header(kind: Kind, stream: Stream) -> Header {
    Header {
        epoch: 1 << 32 | 2,
        seq: 3,
        prev_seq: 4,
        venue_seq: 5,
        ts_event: 6,
        ts_recv: 7,
        ts_send: u64::MAX,
        instrument: 0xDEAD_BEEF,
        kind,
        stream,
        flags: Flags::LAST.with(Flags::REPLAY),
    }
}

fn levels(len: usize, sign: i64) -> Vec<Level> {
    (0..len as i64).map(|i| Level::new(sign * i * 1_000_003, i64::MAX - i)).collect()
}

fn read<'a>(bytes: &'a [u8], expected: &Header) -> Frame<'a> {
    assert_eq!(bytes.len() % 8, 0, "frames stay aligned when they follow one another");
    assert!(frame_size_prefixed_buffer_has_identifier(bytes));
    let frame = size_prefixed_root_as_frame(bytes).unwrap();
    let got = frame.header();
    assert_eq!((got.epoch(), got.seq(), got.prev_seq()), (expected.epoch, expected.seq, expected.prev_seq));
    assert_eq!((got.venue_seq(), got.ts_event()), (expected.venue_seq, expected.ts_event));
    assert_eq!((got.ts_recv(), got.ts_send()), (expected.ts_recv, expected.ts_send));
    assert_eq!((got.instrument(), got.kind()), (expected.instrument, expected.kind as u8));
    assert_eq!((got.stream(), got.flags()), (expected.stream.0, expected.flags.0));
    assert_eq!(got.0.len(), 64, "one cache line");
    frame
}

fn read_levels(side: Option<flatbuffers::Vector<'_, generated::Level>>) -> Vec<Level> {
    side.iter().flatten().map(|level| Level::new(level.price(), level.qty())).collect()
}

#[test]
fn changed_levels() {
    for (bids, asks) in [(0, 0), (1, 0), (0, 1), (3, 4), (1_000, 999)] {
        let (bids, asks) = (levels(bids, -1), levels(asks, 1));
        let header = header(Kind::Delta, Stream::BOOK);
        let mut bytes = Vec::new();
        write_levels(&mut bytes, &header, &bids, &asks);
        let frame = read(&bytes, &header);
        assert_eq!((read_levels(frame.bids()), read_levels(frame.asks())), (bids, asks));
        assert!(frame.info().is_none() && frame.check().is_none() && frame.trades().is_none());
    }
}

#[test]
fn images_whole_and_in_chunks() {
    let lengths = [(0, 0), (5, 0), (CHUNK_LEVELS_MAX, 0), (CHUNK_LEVELS_MAX, 1), (5_000, 3_000), (1, 4_095)];
    for ((bid_len, ask_len), has_view) in lengths.into_iter().flat_map(|len| [(len, false), (len, true)]) {
        let (bids, asks) = (levels(bid_len, -1), levels(ask_len, 1));
        let header = header(Kind::Image, Stream(16));
        let known_to = KnownTo { bid: Price(-7), ask: Price(i64::MAX) };
        let check = CheckBody { top_crc: 1, all_crc: u32::MAX, bid_count: 3, ask_count: 4 };
        let body = ImageBody {
            known_to,
            depth: 9,
            price_exponent: -18,
            qty_exponent: 0,
            state: 2,
            reason: 1,
            check,
        };
        let mut chunks = Vec::new();
        let view = ViewBody { grouping: 50, interval_ns: 1, depth: 9 };
        let view = has_view.then_some(&view);
        write_image(&mut Vec::new(), &header, &body, view, &bids, &asks, |chunk| {
            chunks.push(chunk.to_vec());
        });
        assert_eq!(chunks.len(), (bid_len + ask_len).div_ceil(CHUNK_LEVELS_MAX).max(1));
        let (mut read_bids, mut read_asks) = (Vec::new(), Vec::new());
        for (index, chunk) in chunks.iter().enumerate() {
            let frame = read(chunk, &header);
            let (info, sums) = (frame.info().unwrap(), frame.check().unwrap());
            let view = frame.view().map(|view| (view.grouping(), view.interval_ns(), view.depth()));
            assert_eq!(view, has_view.then_some((50, 1, 9)));
            assert_eq!((info.chunk_index(), info.chunk_count()), (index as u32, chunks.len() as u32));
            assert_eq!((info.bid_known_to(), info.ask_known_to(), info.depth()), (-7, i64::MAX, 9));
            assert_eq!((info.price_exponent(), info.qty_exponent()), (-18, 0));
            assert_eq!((info.state(), info.reason()), (2, 1));
            assert_eq!((sums.top_crc(), sums.all_crc()), (1, u32::MAX));
            assert_eq!((sums.bid_count(), sums.ask_count()), (3, 4));
            read_bids.extend(read_levels(frame.bids()));
            read_asks.extend(read_levels(frame.asks()));
        }
        assert_eq!((read_bids, read_asks), (bids, asks));
    }
}

#[test]
fn checks_status_and_trades() {
    let mut bytes = Vec::new();
    let check = CheckBody { top_crc: 11, all_crc: 12, bid_count: 13, ask_count: 14 };
    write_check(&mut bytes, &header(Kind::Check, Stream::BOOK), &check);
    let got = *read(&bytes, &header(Kind::Check, Stream::BOOK)).check().unwrap();
    assert_eq!((got.top_crc(), got.all_crc(), got.bid_count(), got.ask_count()), (11, 12, 13, 14));

    bytes.clear();
    let status = StatusBody { expected: 21, received: 22, age_ns: 23, state: 3, reason: 1 };
    write_status(&mut bytes, &header(Kind::Status, Stream::STATUS), &status, None);
    let got = *read(&bytes, &header(Kind::Status, Stream::STATUS)).status().unwrap();
    assert_eq!((got.expected(), got.received(), got.age_ns(), got.state(), got.reason()), (21, 22, 23, 3, 1));

    for len in [0, 1, 7] {
        let trades: Vec<_> = (0..len)
            .map(|i| Trade {
                id: TradeId::Number(u64::MAX - i),
                resting: None,
                price: Price(i as i64),
                qty: Qty(31),
                aggressor: if i % 2 == 0 { Aggressor::Buy } else { Aggressor::Sell },
                ts_event: 32 + i,
            })
            .collect();
        bytes.clear();
        write_trades(&mut bytes, &header(Kind::Trade, Stream::TRADES), &trades, empty());
        let got = read(&bytes, &header(Kind::Trade, Stream::TRADES)).trades().unwrap();
        assert_eq!(got.len(), trades.len());
        for (got, trade) in got.iter().zip(&trades) {
            assert_eq!((got.price(), got.qty(), got.id()), (trade.price.0, trade.qty.0, trade.id.value()));
            assert_eq!((got.ts_event(), got.aggressor()), (trade.ts_event, trade.aggressor as u8));
        }
    }
}

#[test]
fn frames_follow_one_another() {
    let mut bytes = Vec::new();
    write_check(&mut bytes, &header(Kind::Check, Stream::BOOK), &CheckBody::default());
    let first = bytes.len();
    write_levels(&mut bytes, &header(Kind::Delta, Stream::BOOK), &levels(2, 1), &levels(3, 1));
    read(&bytes[..first], &header(Kind::Check, Stream::BOOK));
    assert_eq!(read_levels(read(&bytes[first..], &header(Kind::Delta, Stream::BOOK)).asks()), levels(3, 1));
}

//! Readers of what does not follow the book: they are brought while there is none.

use crate::encode::generated::size_prefixed_root_as_frame;
use crate::encode::{Flags, HistoryConfig, Kind, Stream};
use crate::engine::{Brought, By, Engine, EngineConfig};
use crate::types::{Instrument, NoClock, Place, TradingStatus};
use crate::venues;

/// Kind, sequence, the one before and flags of frames that stand back to back.
fn seen(mut bytes: &[u8]) -> Vec<(u8, u64, u64, u16)> {
    let mut seen = Vec::new();
    while let Some(size) = bytes.first_chunk() {
        let (frame, rest) = bytes.split_at(4 + u32::from_le_bytes(*size) as usize);
        let frame = frame.to_vec();
        let header = *size_prefixed_root_as_frame(&frame).unwrap().header();
        seen.push((header.kind(), header.seq(), header.prev_seq(), header.flags()));
        bytes = rest;
    }
    seen
}

#[test]
fn statistics_liquidations_and_trading_are_brought_without_a_book() {
    let venue = venues::from_name("binance-usdm").unwrap();
    let history = HistoryConfig { bytes: 1 << 16, stream_bytes: 1 << 16, age_ns: u64::MAX };
    let config = EngineConfig { history, ..EngineConfig::default() };
    let mut engine = Engine::new(config, venues::catalogue(), NoClock);
    let listed = venues::instrument(venue, "ETHUSDT").unwrap();
    let mut listed = Instrument { price_exponent: -2, qty_exponent: -3, ..listed };
    let id = engine.add_instrument(listed.clone()).unwrap();
    let source = engine.open_source(venue, &[id]).unwrap();
    let statuses = [TradingStatus::Halted, TradingStatus::Auction, TradingStatus::Trading];
    for (now, status) in (1..).zip(statuses) {
        let mark = format!(
            r#"{{"e":"markPriceUpdate","E":5,"s":"ETHUSDT","p":"10.5{now}","i":"10","P":"1","r":"","T":0}}"#
        );
        let forced = format!(
            r#"{{"e":"forceOrder","E":5,"o":{{"s":"ETHUSDT","S":"SELL","p":"10.5{now}","q":"0.5","ap":"10","X":"FILLED","z":"0.5","T":5}}}}"#
        );
        engine.ingest(source, mark.as_bytes(), now).unwrap();
        engine.ingest(source, forced.as_bytes(), now).unwrap();
        listed.terms.status = status;
        engine.define(listed.clone(), now).unwrap();
    }
    let (last, whole) = (Flags::LAST.0, Flags::LAST.with(Flags::CONFLATED).0);
    let mut out = vec![0; 4_096];
    let mut bring = |stream: Stream, seq, by| {
        let from = Place { epoch: engine.place(id, stream).unwrap().epoch, seq };
        let (brought, bytes) = engine.bring(id, stream, from, by, 9, &mut out).unwrap();
        (brought, seen(&out[..bytes]), out[..bytes].to_vec())
    };
    for (stream, kind) in [(Stream::TICKER, Kind::Ticker as u8), (Stream::TRADING, Kind::Trading as u8)] {
        let (brought, frames, bytes) = bring(stream, 1, By::Net);
        assert_eq!((brought, frames), (Brought::Net, vec![(kind, 3, 1, whole)]));
        let frame = size_prefixed_root_as_frame(&bytes).unwrap();
        assert!(frame.ticker().is_none_or(|ticker| ticker.mark() == 1_053));
        assert!(frame.trading().is_none_or(|trading| trading.status() == TradingStatus::Trading as u8));
        assert!(frame.ticker().is_some() != frame.trading().is_some());
        let (brought, frames, _) = bring(stream, 1, By::Range);
        assert_eq!((brought, frames), (Brought::Range, vec![(kind, 2, 1, last), (kind, 3, 2, last)]));
        assert_eq!(bring(stream, 3, By::Net).0, Brought::Nothing);
    }
    for by in [By::Net, By::Range] {
        let (brought, frames, _) = bring(Stream::LIQUIDATIONS, 2, by);
        let kind = Kind::Liquidation as u8;
        assert_eq!((brought, frames), (Brought::Range, vec![(kind, 3, 2, last), (kind, 4, 3, last)]));
    }
    let (brought, frames, _) = bring(Stream::BOOK, 1, By::Net);
    assert_eq!((brought, frames.len()), (Brought::Image, 1), "only the status of a book that is not synced");
}

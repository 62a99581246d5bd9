//! A book rebuilt from the wire by the venue's rules is the venue's book, at every id that the wire names.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use depthwire_sim::{Market, SNAPSHOT_LIMIT_MAX};
use support::{Body, INSTRUMENTS, Level, Rebuilt, START_MS, read_frame, read_snapshot};

const DURATION_MS: u64 = if cfg!(debug_assertions) { 20_000 } else { 120_000 };

/// One instrument's subscriber.
#[derive(Default)]
struct Subscriber {
    book: Rebuilt,
    snapshot_id: u64,
    /// 0 before the first depth frame after the snapshot.
    last_id: u64,
    /// The id that the last depth frame ended with, applied or not.
    wire_id: u64,
    ticker: Option<(u64, Level, Level)>,
    trade_id: u64,
    depths: usize,
    tickers: usize,
    compared: usize,
    trades: usize,
}

fn compare_with_truth(market: &Market, instrument: usize, book: &Rebuilt, id: u64) {
    let truth = market.true_book(INSTRUMENTS[instrument].0).unwrap();
    assert_eq!(truth.id(), id);
    assert!(truth.bids().eq(book.bids.iter().rev().map(|(&price, &qty)| (price, qty))));
    assert!(truth.asks().eq(book.asks.iter().map(|(&price, &qty)| (price, qty))));
}

#[test]
fn snapshot_and_diffs_rebuild_the_true_book_at_every_id() {
    let mut market = Market::new(2_026, START_MS);
    let mut subscribers: [Subscriber; 4] = std::array::from_fn(|_| Subscriber::default());
    let (mut frame, mut answer) = (Vec::new(), Vec::new());
    let mut time_ms = START_MS;
    while market.frame_time_ms() < START_MS + DURATION_MS {
        market.next_frame(&mut frame);
        assert!(market.frame_time_ms() >= time_ms, "frames come in the order of their times");
        time_ms = market.frame_time_ms();
        let read = read_frame(&frame);
        let of = read.instrument;
        let subscriber = &mut subscribers[of];
        // The snapshot is asked for in the middle of a window, so that the next depth frame straddles it.
        if subscriber.snapshot_id == 0 && subscriber.wire_id > 0 && matches!(read.body, Body::Ticker { .. }) {
            market.snapshot(INSTRUMENTS[of].0, SNAPSHOT_LIMIT_MAX, &mut answer).unwrap();
            let (id, bids, asks) = read_snapshot(&answer, of);
            assert!(bids.windows(2).all(|pair| pair[0].0 > pair[1].0), "bids best first");
            assert!(asks.windows(2).all(|pair| pair[0].0 < pair[1].0), "asks best first");
            subscriber.snapshot_id = id;
            subscriber.book.apply(&bids, &asks);
            compare_with_truth(&market, of, &subscriber.book, id);
        }
        match read.body {
            Body::Depth { time_ms: event_ms, first_id, last_id, bids, asks } => {
                assert_eq!(event_ms, time_ms);
                assert!(first_id <= last_id && bids.len() + asks.len() > 0);
                assert!(subscriber.wire_id == 0 || first_id == subscriber.wire_id + 1, "ids are contiguous");
                subscriber.wire_id = last_id;
                subscriber.depths += 1;
                assert!(bids.windows(2).all(|pair| pair[0].0 > pair[1].0), "one entry a price, best first");
                assert!(asks.windows(2).all(|pair| pair[0].0 < pair[1].0), "one entry a price, best first");
                if subscriber.snapshot_id == 0 || last_id <= subscriber.snapshot_id {
                    continue;
                }
                if subscriber.last_id == 0 {
                    assert!(first_id <= subscriber.snapshot_id + 1, "the first frame straddles the snapshot");
                }
                subscriber.book.apply(&bids, &asks);
                subscriber.last_id = last_id;
                compare_with_truth(&market, of, &subscriber.book, last_id);
                if let Some((id, bid, ask)) = subscriber.ticker.filter(|ticker| ticker.0 == last_id) {
                    assert_eq!(
                        (bid, ask),
                        (subscriber.book.best_bid(), subscriber.book.best_ask()),
                        "at {id}"
                    );
                    subscriber.compared += 1;
                }
            }
            Body::Ticker { id, bid, ask } => {
                assert!(bid.0 < ask.0, "crossed or locked at {id}");
                if let Some(before) = subscriber.ticker {
                    assert!(id > before.0 && (bid, ask) != (before.1, before.2), "something changed");
                }
                let truth = market.true_book(INSTRUMENTS[of].0).unwrap();
                assert_eq!(
                    (truth.id(), truth.bids().next(), truth.asks().next()),
                    (id, Some(bid), Some(ask))
                );
                subscriber.ticker = Some((id, bid, ask));
                subscriber.tickers += 1;
            }
            Body::Trade { time_ms: event_ms, id, price, qty, buyer_is_maker } => {
                assert_eq!(event_ms, time_ms);
                assert!(qty > 0 && (subscriber.trade_id == 0 || id == subscriber.trade_id + 1));
                // An order takes the best price first, and from there only worse ones.
                if let Some((_, bid, ask)) = subscriber.ticker {
                    assert!(if buyer_is_maker { price <= bid.0 } else { price >= ask.0 });
                }
                subscriber.trade_id = id;
                subscriber.trades += 1;
            }
        }
    }
    for (subscriber, (symbol, ..)) in subscribers.iter().zip(INSTRUMENTS) {
        let Subscriber { depths, tickers, compared, trades, .. } = subscriber;
        println!(
            "{symbol}: {depths} depth, {tickers} bookTicker ({compared} at a depth's id), {trades} trades"
        );
        assert!(*depths > 100 && *tickers > 50 && *compared > 5 && *trades > 20);
    }
}

#[test]
fn a_snapshot_is_limited_like_the_venues() {
    let market = Market::new(1, START_MS);
    let (mut few, mut all) = (Vec::new(), Vec::new());
    for (instrument, (symbol, ..)) in INSTRUMENTS.iter().enumerate() {
        market.snapshot(symbol, usize::MAX, &mut all).unwrap();
        let (id, bids, asks) = read_snapshot(&all, instrument);
        assert!(bids.len() > 1_000 && asks.len() > 1_000, "deep: {} {}", bids.len(), asks.len());
        for (limit, levels) in [(0, 1), (1, 1), (100, 100)] {
            market.snapshot(symbol, limit, &mut few).unwrap();
            let expected = (id, bids[..levels].to_vec(), asks[..levels].to_vec());
            assert_eq!(read_snapshot(&few, instrument), expected);
        }
    }
    assert_eq!(market.snapshot("XRPUSDT", 5, &mut few).unwrap_err().code(), "sim.unknown_symbol");
    assert!(market.true_book("btcusdt").is_err());
    assert_eq!(market.symbols(), INSTRUMENTS.map(|row| row.0));
}

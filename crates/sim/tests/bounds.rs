//! An hour of market stays within its limits.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use std::time::Instant;

use depthwire_sim::{
    FRAME_BYTES_MAX, LEVELS_PER_SIDE_MAX, Market, ORDERS_PER_SIDE_MAX, SNAPSHOT_BYTES_MAX, SNAPSHOT_LIMIT_MAX,
};
use support::{INSTRUMENTS, START_MS};

const SECONDS: u64 = if cfg!(debug_assertions) { 300 } else { 3_600 };

/// Reference prices, in ticks.
const REFERENCES: [i64; 4] = [6_183_763, 268_412, 15_460, 10_284];

/// The lowest and highest of what was seen.
#[derive(Clone, Copy, Debug)]
struct Range(i64, i64);

impl Range {
    fn see(&mut self, value: usize) {
        *self = Self(self.0.min(value as i64), self.1.max(value as i64));
    }
}

#[test]
fn an_hour_is_never_crossed_and_stays_bounded() {
    let mut market = Market::new(60, START_MS);
    let none = Range(i64::MAX, 0);
    let mut seen = [[none; 4]; 4];
    let (mut frame, mut answer) = (Vec::new(), Vec::new());
    let (mut frame_bytes, mut answer_bytes) = (none, none);
    for second in 1..=SECONDS {
        while market.next(START_MS + second * 1_000, &mut frame) {
            frame_bytes.see(frame.len());
            for (symbol, ..) in INSTRUMENTS {
                let book = market.true_book(symbol).unwrap();
                assert!(book.bids().next().unwrap().0 < book.asks().next().unwrap().0);
            }
        }
        for (of, (symbol, ..)) in INSTRUMENTS.iter().enumerate() {
            let book = market.true_book(symbol).unwrap();
            let [bids, asks, orders, price] = &mut seen[of];
            bids.see(book.bids().count());
            asks.see(book.asks().count());
            orders.see(book.orders_len());
            price.see(book.bids().next().unwrap().0 as usize);
        }
        if second % 60 == 0 {
            market.snapshot("BTCUSDT", SNAPSHOT_LIMIT_MAX, &mut answer).unwrap();
            answer_bytes.see(answer.len());
        }
    }
    println!("frame bytes {frame_bytes:?}, snapshot bytes {answer_bytes:?}");
    for ((symbol, ..), ([bids, asks, orders, price], reference)) in
        INSTRUMENTS.iter().zip(seen.into_iter().zip(REFERENCES))
    {
        println!("{symbol}: bids {bids:?}, asks {asks:?}, orders {orders:?}, best bid {price:?}");
        for side in [bids, asks] {
            assert!(side.0 > 1_000 && side.1 < LEVELS_PER_SIDE_MAX as i64, "{symbol} {side:?}");
        }
        assert!(orders.1 < 2 * ORDERS_PER_SIDE_MAX as i64);
        assert!(price.0 > reference * 97 / 100 && price.1 < reference * 103 / 100, "{symbol} {price:?}");
        assert!(price.1 > price.0, "{symbol} moves");
    }
    assert!(frame_bytes.1 as usize <= FRAME_BYTES_MAX && answer_bytes.1 as usize <= SNAPSHOT_BYTES_MAX);
}

#[test]
fn a_second_of_market_costs_less_than_ten_milliseconds() {
    let mut market = Market::new(61, START_MS);
    let mut frame = Vec::new();
    let mut cheapest_us = u128::MAX;
    // The cheapest of ten stretches: other processes may take the rest of the machine.
    for stretch in 1..=10 {
        let begun = Instant::now();
        for now_ms in START_MS + (stretch - 1) * 4_000..START_MS + stretch * 4_000 {
            while market.next(now_ms, &mut frame) {}
        }
        cheapest_us = cheapest_us.min(begun.elapsed().as_micros() / 4);
    }
    println!("{cheapest_us} us for each second of the four instruments");
    // Unoptimised builds are only told.
    assert!(cfg!(debug_assertions) || cheapest_us < 10_000, "{cheapest_us} us");
}

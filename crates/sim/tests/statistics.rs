//! How much the simulated market resembles the recorded one.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use depthwire_sim::{Market, SNAPSHOT_LIMIT_MAX};
use support::{Body, INSTRUMENTS, Levels, START_MS, read_frame, read_snapshot};

const SECONDS: usize = if cfg!(debug_assertions) { 300 } else { 1_300 };

/// Ranks of the changes of one side: the number of levels between the touched price and the best, counted
/// before the change. `levels` is in the order best first by `key`.
fn ranks(levels: &mut Vec<i64>, changes: &Levels, key: impl Fn(i64) -> i64, out: &mut Vec<usize>) {
    for &(price, qty) in changes {
        let found = levels.binary_search(&key(price));
        out.push(found.unwrap_or_else(|place| place));
        match found {
            Ok(place) if qty == 0 => drop(levels.remove(place)),
            Err(place) if qty > 0 => levels.insert(place, key(price)),
            _ => {}
        }
    }
}

fn percentile(sorted: &[usize], percent: usize) -> usize {
    sorted[sorted.len() * percent / 100]
}

/// Asserts that `measured` is within `band` percent of `recorded`, and says both.
fn resembles(what: &str, measured: usize, recorded: usize, band: usize) {
    println!("{what}: {measured}, recorded {recorded}");
    assert!(measured.abs_diff(recorded) * 100 <= recorded * band, "{what}: {measured} against {recorded}");
}

#[test]
fn message_sizes_and_ranks_resemble_binance_spot_btcusdt() {
    let mut market = Market::new(650, START_MS);
    let (mut frame, mut answer) = (Vec::new(), Vec::new());
    market.snapshot("BTCUSDT", SNAPSHOT_LIMIT_MAX, &mut answer).unwrap();
    let (_, bids, asks) = read_snapshot(&answer, 0);
    let mut bids: Vec<i64> = bids.iter().map(|level| -level.0).collect();
    let mut asks: Vec<i64> = asks.iter().map(|level| level.0).collect();
    let (mut sizes, mut touched) = (Vec::new(), Vec::new());
    while market.frame_time_ms() < START_MS + SECONDS as u64 * 1_000 {
        market.next_frame(&mut frame);
        if !frame.starts_with(b"{\"stream\":\"btcusdt@depth") {
            continue;
        }
        if let Body::Depth { bids: changed_bids, asks: changed_asks, .. } = read_frame(&frame).body {
            sizes.push(changed_bids.len() + changed_asks.len());
            ranks(&mut bids, &changed_bids, |price| -price, &mut touched);
            ranks(&mut asks, &changed_asks, |price| price, &mut touched);
        }
    }
    sizes.sort_unstable();
    touched.sort_unstable();
    // The band is wider in unoptimised builds, because they measure a shorter stretch.
    let band = if cfg!(debug_assertions) { 35 } else { 20 };
    for (percent, recorded) in [(10, 7), (50, 22), (90, 104), (99, 386)] {
        resembles(&format!("levels a message, p{percent}"), percentile(&sizes, percent), recorded, band);
    }
    for (percent, recorded) in [(50, 88), (75, 311), (90, 673)] {
        resembles(&format!("rank, p{percent}"), percentile(&touched, percent), recorded, band);
    }
    for (rank, recorded) in [(8, 17), (32, 33), (128, 57)] {
        let below = touched.partition_point(|&touched| touched < rank);
        resembles(&format!("percent of ranks below {rank}"), below * 100 / touched.len(), recorded, band);
    }
}

#[test]
fn rates_are_what_the_documentation_says() {
    let mut market = Market::new(651, START_MS);
    let seconds = SECONDS / 2;
    let mut counts = [[0; 3]; 4];
    let mut frame = Vec::new();
    loop {
        market.next_frame(&mut frame);
        if market.frame_time_ms() >= START_MS + seconds as u64 * 1_000 {
            break;
        }
        let read = read_frame(&frame);
        let kind = match read.body {
            Body::Depth { .. } => 0,
            Body::Ticker { .. } => 1,
            Body::Trade { .. } => 2,
        };
        counts[read.instrument][kind] += 1;
    }
    // Frames in ten seconds: depth, bookTicker, trade. They are those of the crate's documentation.
    let stated = [[100, 800, 210], [100, 660, 165], [98, 360, 95], [94, 170, 47]];
    for (of, (symbol, ..)) in INSTRUMENTS.iter().enumerate() {
        for (kind, what) in ["depth", "bookTicker", "trade"].into_iter().enumerate() {
            let measured = counts[of][kind] * 10 / seconds;
            let stated = stated[of][kind];
            println!("{symbol} {what}: {measured} in ten seconds, stated {stated}");
            assert!(measured.abs_diff(stated) * 100 <= stated * 30, "{symbol} {what}");
        }
    }
}

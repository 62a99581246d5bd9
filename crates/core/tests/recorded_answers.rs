//! Answers over HTTP among recorded frames, whose times are another writer's: each has its place in the file, and no time goes
//! backward for it.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use depthwire_core::encode::Outbox;
use depthwire_core::engine::{Engine, EngineConfig};
use depthwire_core::types::{BookState, NoClock, Side};
use depthwire_core::venues::{self, BINANCE_SPOT};

fn drain(outbox: &mut Outbox) -> bool {
    while outbox.front().is_some() {
        outbox.take();
    }
    true
}

/// State, best bid, times told backward, and the last time, of a recording replayed in chunks of that size.
fn replayed(text: &str, chunk: usize) -> (BookState, Option<i64>, u64, u64) {
    let mut engine = Engine::new(EngineConfig::default(), venues::catalogue(), NoClock);
    let id = engine.add_instrument(venues::instrument(BINANCE_SPOT, "AUSDT").unwrap()).unwrap();
    let source = engine.open_source(BINANCE_SPOT, &[id]).unwrap();
    let (mut at, mut end, mut last_ts) = (0, 0, 0);
    while end < text.len() {
        end = (end + chunk).min(text.len());
        let last = end == text.len();
        let progress = engine.replay(source, &text.as_bytes()[at..end], last, u64::MAX, drain).unwrap();
        assert_eq!(progress.error, None);
        at += progress.consumed;
        last_ts = progress.last_ts.max(last_ts);
    }
    let info = engine.book_info(id, 0).unwrap();
    let bid = engine.book(id).unwrap().levels(Side::Bid).next().map(|level| level.price.0);
    (info.state, bid, engine.stats().backward, last_ts)
}

#[test]
fn an_answer_has_its_place_and_no_time_goes_backward_for_it() {
    let depth = |ts: &str, number: u64, bids: &str| {
        format!(
            "{ts}: {{\"e\":\"depthUpdate\",\"E\":1,\"s\":\"AUSDT\",\"U\":{number},\"u\":{number},\"b\":[{bids}],\"a\":[]}}\n"
        )
    };
    for answered in ["100.5", "97", "10", "0", "108", "5000"] {
        let text = format!(
            "wss://stream.binance.com:9443/ws/ausdt@depth <-> 99.5\n{}{}https://api.binance.com/api/v3/depth?symbol=AUSDT&limit=5000 -> {answered}: {{\"lastUpdateId\":8,\"bids\":[[\"5\",\"1\"]],\"asks\":[[\"6\",\"1\"]]}}\n{}{}",
            depth("100.25", 7, ""),
            depth("100.5", 8, ""),
            depth("100.75", 9, "[\"4\",\"1\"]"),
            depth("101", 10, "[\"5\",\"0\"]"),
        );
        for chunk in [7, text.len()] {
            let (state, bid, backward, _) = replayed(&text, chunk);
            assert_eq!((state, bid, backward), (BookState::Synced, Some(4), 0), "{answered}");
        }
    }
}

#[test]
fn what_was_received_tells_where_time_goes_backward() {
    let text = "1700000010.5: {\"e\":\"x\",\"E\":1}\n1700000001.5: {\"e\":\"x\",\"E\":1}\n";
    assert_eq!(replayed(text, 9).2, 1);
}

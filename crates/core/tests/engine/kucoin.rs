//! KuCoin's changes of spot and the book that they continue, which may stand in the middle of a message, as a capture tells of both.

use depthwire_core::types::{BookState, StaleReason};
use depthwire_core::venues::KUCOIN;

use crate::captured::{book_after, line};

const GAP: BookState = BookState::Stale(StaleReason::Gap);
const CONTRADICTION: BookState = BookState::Stale(StaleReason::Contradiction);

/// A message of the topic with that name.
fn message(at: u32, topic: &str, data: &str) -> String {
    let text = format!(
        "{{\"data\":{data},\"subject\":\"trade\",\"topic\":\"/market/{topic}:BTC-USDT\",\"type\":\"message\"}}"
    );
    line("recv", at, "", &text)
}

/// Changes of bids, from the sequence of the first row to that of the last one.
fn update(at: u32, rows: &[(&str, &str, u64)]) -> String {
    let (first, last) = (rows.first().unwrap().2, rows.last().unwrap().2);
    let rows: Vec<_> =
        rows.iter().map(|(price, qty, at)| format!("[\"{price}\",\"{qty}\",\"{at}\"]")).collect();
    let data = format!(
        "{{\"sequenceStart\":{first},\"symbol\":\"BTC-USDT\",\"changes\":{{\"asks\":[],\"bids\":[{}]}},\"sequenceEnd\":{last}}}",
        rows.join(",")
    );
    message(at, "level2", &data)
}

/// The best bid with its sequence.
fn top(at: u32, price: &str, qty: &str, number: u64) -> String {
    let data = format!(
        "{{\"sequence\":\"{number}\",\"bestBid\":\"{price}\",\"bestBidSize\":\"{qty}\",\"bestAsk\":\"9\",\"bestAskSize\":\"1\",\"price\":\"5\",\"time\":1}}"
    );
    message(at, "ticker", &data)
}

fn answer(at: u32, number: u64, bids: &str) -> String {
    let url = "\"url\":\"https://api.kucoin.com/api/v1/market/orderbook/level2_100?symbol=BTC-USDT\",";
    let book = format!(
        "{{\"code\":\"200000\",\"data\":{{\"time\":1,\"sequence\":\"{number}\",\"bids\":[{bids}],\"asks\":[[\"9\",\"1\"]]}}}}"
    );
    line("http", at, url, &book)
}

/// The state in which a capture ends, the number of its book, and its best bid.
fn ends(lines: &[String]) -> (BookState, u64, Option<(i64, i64)>) {
    let info = book_after(KUCOIN, "KUCOIN", "BTC-USDT", lines);
    (info.state, info.venue_seq, info.bbo.bid.map(|bid| (bid.price.0, bid.qty.0)))
}

#[test]
fn a_book_may_stand_in_the_middle_of_a_message() {
    let before = [
        update(100, &[("5", "1", 101), ("0", "0", 102), ("6", "1", 103)]),
        update(101, &[("6", "2", 104), ("7", "1", 105), ("7", "0", 106), ("6", "4", 107), ("0", "0", 108)]),
    ];
    for (number, bids) in [
        (100, "[\"4\",\"1\"]"),
        (103, "[\"6\",\"1\"],[\"5\",\"1\"]"),
        (105, "[\"7\",\"1\"],[\"6\",\"2\"],[\"5\",\"1\"]"),
        (107, "[\"6\",\"4\"],[\"5\",\"1\"]"),
    ] {
        let ended = ends(&[&before[..], &[answer(102, number, bids)]].concat());
        assert_eq!(ended, (BookState::Synced, 108, Some((6, 4))), "{number}");
    }
    let old = ends(&[&before[1..], &[answer(102, 102, "[\"4\",\"1\"]")]].concat());
    assert_eq!(old.0, BookState::Syncing, "103 is missing between them");
    let whole = [&before[..], &[answer(102, 105, "[\"7\",\"1\"]"), update(103, &[("6", "3", 109)])]].concat();
    assert_eq!(ends(&whole), (BookState::Synced, 109, Some((6, 3))));
    assert_eq!(ends(&[&whole[..], &[update(104, &[("6", "5", 111)])]].concat()).0, GAP);
    assert_eq!(
        ends(&[&whole[..], &[update(104, &[("6", "5", 108)])]].concat()).2,
        Some((6, 3)),
        "told before"
    );
}

#[test]
fn a_top_proves_the_book_at_its_number() {
    let begin = [answer(100, 100, "[\"5\",\"1\"]"), update(101, &[("6", "1", 101)])];
    for (told, state) in [
        (top(102, "6", "1", 101), BookState::Synced),
        (top(102, "6", "2", 101), CONTRADICTION),
        (top(102, "5", "1", 99), BookState::Synced),
    ] {
        assert_eq!(ends(&[&begin[..], &[told]].concat()).0, state);
    }
}

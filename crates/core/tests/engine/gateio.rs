//! Gate.io's `order_book_update`: updates that wait for the book that REST gives, as a capture tells of both.

use depthwire_core::types::{BookState, StaleReason};
use depthwire_core::venues::GATEIO;

use crate::captured::{book_after, line};

fn update(at: u32, first: u64, last: u64) -> String {
    let data = format!(
        "{{\"time\":{at},\"channel\":\"spot.order_book_update\",\"event\":\"update\",\"result\":{{\"t\":{at}000,\"s\":\"BTC_USDT\",\
         \"U\":{first},\"u\":{last},\"b\":[[\"5.{last}\",\"2\"]],\"a\":[]}}}}"
    );
    line("recv", at, "", &data)
}

fn answer(at: u32, id: u64) -> String {
    let url = "\"url\":\"https://api.gateio.ws/api/v4/spot/order_book?currency_pair=BTC_USDT&limit=100&with_id=true\",";
    line("http", at, url, &format!("{{\"id\":{id},\"asks\":[[\"9\",\"1\"]],\"bids\":[[\"4\",\"1\"]]}}"))
}

/// The state in which a capture ends, and the number of its book.
fn ends(lines: &[String]) -> (BookState, u64) {
    let info = book_after(GATEIO, "GATEIO", "BTC_USDT", lines);
    (info.state, info.venue_seq)
}

#[test]
fn an_answer_is_bridged_onto_the_updates_that_wait() {
    let before = [update(100, 11, 12), update(101, 13, 15), update(102, 16, 16)];
    for (id, last, state) in [
        (9, None, BookState::Syncing),
        (10, Some(16), BookState::Synced),
        (14, Some(16), BookState::Synced),
        (16, Some(16), BookState::Synced),
    ] {
        let (ended, number) = ends(&[&before[..], &[answer(103, id)]].concat());
        assert_eq!((ended, last.filter(|last| *last == number)), (state, last), "{id}");
    }
    let whole = [&before[..], &[answer(103, 14), update(104, 17, 20)]].concat();
    assert_eq!(ends(&whole), (BookState::Synced, 20));
    let broken = [&whole[..], &[update(105, 22, 23)]].concat();
    assert_eq!(ends(&broken).0, BookState::Stale(StaleReason::Gap));
}

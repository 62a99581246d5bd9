//! `order_book_update`, and the book over REST, of contracts.

use super::super::text::{integer, shortest};
use super::{number, texts};
use crate::market::instrument::Profile;

/// Levels a side that REST gives.
pub(super) const REST_LEVELS: usize = 100;

/// Prices and quantities.
fn levels(out: &mut Vec<u8>, profile: &Profile, levels: impl Iterator<Item = (i64, i64)>) {
    for (position, (price, qty)) in levels.enumerate() {
        out.extend_from_slice(if position == 0 { b"{\"p\":\"" } else { b",{\"p\":\"" });
        shortest(out, price, profile.price_exponent);
        number(out, "\",\"s\":", qty as u64);
        out.push(b'}');
    }
}

/// What has changed of both sides, behind the head of a message.
pub(super) fn update(
    out: &mut Vec<u8>,
    profile: &Profile,
    (first, last): (u64, u64),
    [bids, asks]: &[Vec<(i64, i64)>; 2],
    time_ms: u64,
) {
    number(out, "\"result\":{\"t\":", time_ms - 1);
    texts(out, &[",\"s\":\"", profile.symbol, "\""]);
    number(out, ",\"U\":", first);
    number(out, ",\"u\":", last);
    out.extend_from_slice(b",\"b\":[");
    levels(out, profile, bids.iter().copied());
    out.extend_from_slice(b"],\"a\":[");
    levels(out, profile, asks.iter().copied());
    out.extend_from_slice(b"]}}");
}

/// The best levels of a book of that number.
pub(super) fn answer(out: &mut Vec<u8>, profile: &Profile, id: u64, [bids, asks]: &[Vec<(i64, i64)>; 2]) {
    out.extend_from_slice(b"{\"id\":");
    integer(out, id);
    out.extend_from_slice(b",\"current\":1623898993.123,\"update\":1623898993.121,\"asks\":[");
    levels(out, profile, asks.iter().take(REST_LEVELS).copied());
    out.extend_from_slice(b"],\"bids\":[");
    levels(out, profile, bids.iter().take(REST_LEVELS).copied());
    out.extend_from_slice(b"]}");
}

//! Coinbase: what its interfaces share.

mod advanced;
mod exchange;

pub use advanced::CoinbaseAdvanced;
pub use exchange::{CoinbaseExchange, coinbase_order_id};

use super::text::date_time;
use crate::curve::Curve;
use crate::market::instrument::Profile;

/// BTC-USD: two decimals in prices, eight in quantities.
static BTC_USD: Profile = Profile {
    symbol: "BTC-USD",
    price_exponent: -2,
    qty_exponent: -8,
    reference_price: 6_508_366,
    actions_per_s: 130,
    fair_step: 40 * 256,
    shape: Curve(&[
        (0, 0),
        (16, 600),
        (128, 4_000),
        (512, 15_000),
        (1_024, 45_000),
        (1_824, 617_000),
        (3_000, 3_000_000),
    ]),
    levels: 1_400,
    join_weight: 0,
    // Not whole thousands of the least quantity, so that all digits are used.
    qty_quarters: 4_321,
    update_id: 0,
    trade_id: 1_068_572_090,
};

/// The same with fewer levels, for a book of orders.
static BTC_ORDERS: Profile = Profile { levels: 160, join_weight: 24, ..BTC_USD };

/// Milliseconds from one heartbeat to the next.
const HEARTBEAT_MS: u64 = 1_000;

fn put(out: &mut Vec<u8>, texts: &[&str]) {
    texts.iter().for_each(|text| out.extend_from_slice(text.as_bytes()));
}

/// Appends a time with up to `decimals` of the second and no zero at the end, as the venue prints it.
fn stamp(out: &mut Vec<u8>, time_ns: u64, decimals: u32) {
    date_time(out, time_ns, decimals);
    out.pop();
    while out.last() == Some(&b'0') {
        out.pop();
    }
    if out.last() == Some(&b'.') {
        out.pop();
    }
    out.push(b'Z');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_end_with_a_digit_that_counts() {
        for (time_ns, decimals, text) in [
            (1_786_309_548_228_568_804, 9, "2026-08-09T21:05:48.228568804Z"),
            (1_786_309_548_170_300_999, 6, "2026-08-09T21:05:48.1703Z"),
            (1_786_309_550_000_000_999, 6, "2026-08-09T21:05:50Z"),
        ] {
            let mut out = Vec::new();
            stamp(&mut out, time_ns, decimals);
            assert_eq!(String::from_utf8_lossy(&out), text);
        }
    }
}

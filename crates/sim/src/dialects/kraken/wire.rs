//! The parts of version 2 messages that several channels have.

use super::super::text::{date_time, decimal, integer};
use super::KrakenPair;

/// Digits of an order's number after its first letter.
const ORDER_DIGITS: usize = 16;

/// Appends the text of an order's number: `OQ4TJX-2FHLM-ZXKQ2A`. Different for different numbers.
pub fn kraken_order_id(id: u64, out: &mut Vec<u8>) {
    const LETTERS: [u8; 32] = *b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    // An odd factor permutes the numbers of 80 bits, so that neighbours look unlike.
    let mut mixed = u128::from(id + 1).wrapping_mul(0x5851_f42d_4c95_7f2d_1405) & ((1 << 80) - 1);
    let mut digits = [0; ORDER_DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit = LETTERS[(mixed % 32) as usize];
        mixed /= 32;
    }
    out.push(b'O');
    out.extend_from_slice(&digits[..5]);
    out.push(b'-');
    out.extend_from_slice(&digits[5..10]);
    out.push(b'-');
    out.extend_from_slice(&digits[10..]);
}

/// Appends the state of a new connection.
pub(super) fn status(out: &mut Vec<u8>, connection_id: u64) {
    out.extend_from_slice(
        b"{\"channel\":\"status\",\"type\":\"update\",\"data\":[{\"version\":\"2.0.10\",\
          \"system\":\"online\",\"api_version\":\"v2\",\"connection_id\":",
    );
    integer(out, connection_id);
    out.extend_from_slice(b"}]}");
}

/// A subscription as its acknowledgement names it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subscription {
    pub(super) channel: &'static str,
    pub(super) depth: Option<usize>,
    pub(super) symbol: Option<&'static str>,
}

impl Subscription {
    /// Appends the acknowledgement of `subscribe`.
    pub(super) fn subscribed(self, out: &mut Vec<u8>, time_ns: u64) {
        self.acknowledge(out, "subscribe", time_ns);
    }

    /// Appends the acknowledgement of `unsubscribe`.
    pub(super) fn unsubscribed(self, out: &mut Vec<u8>, time_ns: u64) {
        self.acknowledge(out, "unsubscribe", time_ns);
    }

    fn acknowledge(self, out: &mut Vec<u8>, method: &str, time_ns: u64) {
        for text in ["{\"method\":\"", method, "\",\"result\":{\"channel\":\"", self.channel, "\""] {
            out.extend_from_slice(text.as_bytes());
        }
        if let Some(depth) = self.depth {
            out.extend_from_slice(b",\"depth\":");
            integer(out, depth as u64);
        }
        if method == "subscribe" {
            out.extend_from_slice(b",\"snapshot\":true");
        }
        if let Some(symbol) = self.symbol {
            for text in [",\"symbol\":\"", symbol, "\""] {
                out.extend_from_slice(text.as_bytes());
            }
        }
        out.extend_from_slice(b"},\"success\":true,\"time_in\":\"");
        date_time(out, time_ns.saturating_sub(42_000), 6);
        out.extend_from_slice(b"\",\"time_out\":\"");
        date_time(out, time_ns, 6);
        out.extend_from_slice(b"\"}");
    }
}

/// Appends the snapshot of the `instrument` channel: another pair first, then this one.
pub(super) fn instruments(out: &mut Vec<u8>, pair: KrakenPair) {
    let other = match pair {
        KrakenPair::BtcUsd => KrakenPair::PepeUsd,
        KrakenPair::PepeUsd => KrakenPair::BtcUsd,
    };
    out.extend_from_slice(b"{\"channel\":\"instrument\",\"type\":\"snapshot\",\"data\":{\"assets\":[");
    for (position, asset) in ["USD", other.base(), pair.base()].into_iter().enumerate() {
        for text in [
            if position == 0 { "{\"id\":\"" } else { ",{\"id\":\"" },
            asset,
            "\",\"status\":\"enabled\",\"precision\":10,\"precision_display\":5,\"borrowable\":true,\
             \"collateral_value\":1.00,\"margin_rate\":0.020000}",
        ] {
            out.extend_from_slice(text.as_bytes());
        }
    }
    out.extend_from_slice(b"],\"pairs\":[");
    instrument(out, other);
    out.push(b',');
    instrument(out, pair);
    out.extend_from_slice(b"]}}");
}

fn instrument(out: &mut Vec<u8>, pair: KrakenPair) {
    let profile = pair.profile();
    let places = |exponent: i32| exponent.unsigned_abs();
    let increment = |out: &mut Vec<u8>, exponent| decimal(out, 1, exponent, places(exponent));
    for text in ["{\"symbol\":\"", pair.code(), "\",\"base\":\"", pair.base()] {
        out.extend_from_slice(text.as_bytes());
    }
    out.extend_from_slice(b"\",\"quote\":\"USD\",\"status\":\"online\",\"qty_precision\":");
    integer(out, u64::from(places(profile.qty_exponent)));
    out.extend_from_slice(b",\"qty_increment\":");
    increment(out, profile.qty_exponent);
    out.extend_from_slice(b",\"price_precision\":");
    integer(out, u64::from(places(profile.price_exponent)));
    out.extend_from_slice(
        b",\"cost_precision\":5,\"marginable\":true,\"has_index\":true,\"cost_min\":0.50,\
          \"margin_initial\":0.20,\"position_limit_long\":250,\"position_limit_short\":200,\"tick_size\":",
    );
    increment(out, profile.price_exponent);
    out.extend_from_slice(b",\"price_increment\":");
    increment(out, profile.price_exponent);
    out.extend_from_slice(b",\"qty_min\":0.00010}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn acknowledgements_read_like_recorded_ones() {
        let book = Subscription { channel: "book", depth: Some(10), symbol: Some("BTC/USD") };
        let time_ns = 1_785_552_833_184_216_000;
        assert_eq!(
            text(|out| book.subscribed(out, time_ns)),
            "{\"method\":\"subscribe\",\"result\":{\"channel\":\"book\",\"depth\":10,\"snapshot\":true,\
             \"symbol\":\"BTC/USD\"},\"success\":true,\"time_in\":\"2026-08-01T02:53:53.184174Z\",\
             \"time_out\":\"2026-08-01T02:53:53.184216Z\"}"
        );
        assert_eq!(
            text(|out| book.unsubscribed(out, time_ns)),
            "{\"method\":\"unsubscribe\",\"result\":{\"channel\":\"book\",\"depth\":10,\
             \"symbol\":\"BTC/USD\"},\"success\":true,\"time_in\":\"2026-08-01T02:53:53.184174Z\",\
             \"time_out\":\"2026-08-01T02:53:53.184216Z\"}"
        );
    }

    #[test]
    fn an_instrument_has_its_digits() {
        let both = text(|out| instruments(out, KrakenPair::BtcUsd));
        let btc = "{\"symbol\":\"BTC/USD\",\"base\":\"BTC\",\"quote\":\"USD\",\"status\":\"online\",\
                   \"qty_precision\":8,\"qty_increment\":0.00000001,\"price_precision\":1,";
        assert!(both.contains(btc) && both.contains("\"price_increment\":0.000000001,"), "{both}");
    }

    #[test]
    fn orders_have_different_names_of_the_venues_shape() {
        let mut names: Vec<String> = (0..10_000).map(|id| text(|out| kraken_order_id(id, out))).collect();
        assert!(names.iter().all(|name| name.len() == 19 && name.starts_with('O')));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 10_000);
    }
}

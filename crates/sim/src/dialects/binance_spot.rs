//! The venue's JSON, byte for byte in shape: Binance spot combined streams and the REST depth answer.
//!
//! Source: binance-spot-api-docs, `web-socket-streams.md` and `rest-api.md`, and recorded frames.

use super::text::{decimal, integer};
use crate::market::book::{Book, Side};
use crate::market::flow::CHANGES_PER_WINDOW_MAX;
use crate::market::instrument::Profile;
use crate::market::{Bbo, Trade};

/// Decimals that Binance spot prints of every price and quantity, whatever the tick.
const DECIMALS: u32 = 8;

/// Bytes of one level in JSON, at most: two numbers of up to 20 characters in quotes, brackets and commas.
const LEVEL_BYTES_MAX: usize = 48;

/// Bytes that a frame of [`crate::Market::next`] never exceeds.
pub const FRAME_BYTES_MAX: usize = CHANGES_PER_WINDOW_MAX * LEVEL_BYTES_MAX + 256;

/// Bytes that an answer of [`crate::Market::snapshot`] never exceeds.
pub const SNAPSHOT_BYTES_MAX: usize = 2 * crate::LEVELS_PER_SIDE_MAX * LEVEL_BYTES_MAX + 128;

/// Appends a `depthUpdate` of the changes `first_id..=book.id()`. `touched` is in the order of the wire.
pub(crate) fn depth(
    out: &mut Vec<u8>,
    profile: &Profile,
    time_ms: u64,
    first_id: u64,
    book: &Book,
    touched: &[(Side, i64)],
) {
    open_stream(out, profile, "depth@100ms");
    out.extend_from_slice(b"\"e\":\"depthUpdate\",\"E\":");
    integer(out, time_ms);
    symbol(out, profile);
    out.extend_from_slice(b",\"U\":");
    integer(out, first_id);
    out.extend_from_slice(b",\"u\":");
    integer(out, book.id());
    for (side, open) in [(Side::Bid, ",\"b\":["), (Side::Ask, "],\"a\":[")] {
        out.extend_from_slice(open.as_bytes());
        let prices = touched.iter().filter(|change| change.0 == side).map(|change| change.1);
        levels(out, profile, prices.map(|price| (price, book.qty_at(side, price))));
    }
    out.extend_from_slice(b"]}}");
}

/// Appends a `bookTicker`. Spot ones carry neither an event type nor a time.
pub(crate) fn book_ticker(out: &mut Vec<u8>, profile: &Profile, id: u64, bbo: Bbo) {
    open_stream(out, profile, "bookTicker");
    out.extend_from_slice(b"\"u\":");
    integer(out, id);
    symbol(out, profile);
    for (key, mantissa, exponent) in [
        (",\"b\":\"", bbo.bid_price, profile.price_exponent),
        ("\",\"B\":\"", bbo.bid_qty, profile.qty_exponent),
        ("\",\"a\":\"", bbo.ask_price, profile.price_exponent),
        ("\",\"A\":\"", bbo.ask_qty, profile.qty_exponent),
    ] {
        out.extend_from_slice(key.as_bytes());
        decimal(out, mantissa, exponent, DECIMALS);
    }
    out.extend_from_slice(b"\"}}");
}

/// Appends a `trade`.
pub(crate) fn trade(out: &mut Vec<u8>, profile: &Profile, time_ms: u64, trade: Trade) {
    open_stream(out, profile, "trade");
    out.extend_from_slice(b"\"e\":\"trade\",\"E\":");
    integer(out, time_ms);
    symbol(out, profile);
    out.extend_from_slice(b",\"t\":");
    integer(out, trade.id);
    out.extend_from_slice(b",\"p\":\"");
    decimal(out, trade.price, profile.price_exponent, DECIMALS);
    out.extend_from_slice(b"\",\"q\":\"");
    decimal(out, trade.qty, profile.qty_exponent, DECIMALS);
    out.extend_from_slice(b"\",\"T\":");
    integer(out, time_ms);
    out.extend_from_slice(if trade.buyer_is_maker { b",\"m\":true" } else { b",\"m\":false" });
    out.extend_from_slice(b",\"M\":true}}");
}

/// Appends a REST depth answer of at most `limit` levels a side, best first.
pub(crate) fn snapshot(out: &mut Vec<u8>, profile: &Profile, book: &Book, limit: usize) {
    out.extend_from_slice(b"{\"lastUpdateId\":");
    integer(out, book.id());
    for (side, open) in [(Side::Bid, ",\"bids\":["), (Side::Ask, "],\"asks\":[")] {
        out.extend_from_slice(open.as_bytes());
        levels(out, profile, book.levels(side).take(limit).map(|level| (level.price, level.qty)));
    }
    out.extend_from_slice(b"]}");
}

fn open_stream(out: &mut Vec<u8>, profile: &Profile, stream: &str) {
    out.extend_from_slice(b"{\"stream\":\"");
    out.extend(profile.symbol.bytes().map(|byte| byte.to_ascii_lowercase()));
    out.push(b'@');
    out.extend_from_slice(stream.as_bytes());
    out.extend_from_slice(b"\",\"data\":{");
}

fn symbol(out: &mut Vec<u8>, profile: &Profile) {
    out.extend_from_slice(b",\"s\":\"");
    out.extend_from_slice(profile.symbol.as_bytes());
    out.push(b'"');
}

fn levels(out: &mut Vec<u8>, profile: &Profile, levels: impl Iterator<Item = (i64, i64)>) {
    for (position, (price, qty)) in levels.enumerate() {
        out.extend_from_slice(if position == 0 { b"[\"" } else { b",[\"" });
        decimal(out, price, profile.price_exponent, DECIMALS);
        out.extend_from_slice(b"\",\"");
        decimal(out, qty, profile.qty_exponent, DECIMALS);
        out.extend_from_slice(b"\"]");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::book::{Limits, Remainder};
    use crate::market::instrument::PROFILES;

    const BTC: &Profile = &PROFILES[0];

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn a_trade_reads_like_a_recorded_one() {
        let told = Trade { id: 3_735_683_259, price: 6_183_763, qty: 2_000, buyer_is_maker: true };
        assert_eq!(
            text(|out| trade(out, BTC, 1_723_161_255_343, told)),
            "{\"stream\":\"btcusdt@trade\",\"data\":{\"e\":\"trade\",\"E\":1723161255343,\"s\":\"BTCUSDT\",\
             \"t\":3735683259,\"p\":\"61837.63000000\",\"q\":\"0.02000000\",\"T\":1723161255343,\"m\":true,\
             \"M\":true}}"
        );
    }

    #[test]
    fn a_book_ticker_reads_like_a_recorded_one() {
        let bbo = Bbo { bid_price: 6_183_763, bid_qty: 378_826, ask_price: 6_183_764, ask_qty: 154_698 };
        assert_eq!(
            text(|out| book_ticker(out, BTC, 50_093_239_212, bbo)),
            "{\"stream\":\"btcusdt@bookTicker\",\"data\":{\"u\":50093239212,\"s\":\"BTCUSDT\",\
             \"b\":\"61837.63000000\",\"B\":\"3.78826000\",\"a\":\"61837.64000000\",\"A\":\"1.54698000\"}}"
        );
    }

    #[test]
    fn depth_and_snapshot_read_like_recorded_ones() {
        let mut book = Book::new(Limits { levels: 50, orders: 50 });
        book.open(100);
        book.submit(Side::Bid, 6_183_763, 378_826, Remainder::Rests);
        book.submit(Side::Ask, 6_183_764, 154_698, Remainder::Rests);
        assert_eq!(
            text(|out| snapshot(out, BTC, &book, 10)),
            "{\"lastUpdateId\":102,\"bids\":[[\"61837.63000000\",\"3.78826000\"]],\
             \"asks\":[[\"61837.64000000\",\"1.54698000\"]]}"
        );
        let touched = [(Side::Bid, 6_183_763), (Side::Bid, 6_173_763)];
        assert_eq!(
            text(|out| depth(out, BTC, 1_723_161_255_208, 101, &book, &touched)),
            "{\"stream\":\"btcusdt@depth@100ms\",\"data\":{\"e\":\"depthUpdate\",\"E\":1723161255208,\
             \"s\":\"BTCUSDT\",\"U\":101,\"u\":102,\"b\":[[\"61837.63000000\",\"3.78826000\"],\
             [\"61737.63000000\",\"0.00000000\"]],\"a\":[]}}"
        );
    }
}

//! Binance futures' JSON: combined streams and the REST depth answer of USD-M and COIN-M.
//!
//! Source: developers.binance.com, "Diff. Book Depth Streams", "Individual Symbol Book Ticker Streams" and "Order
//! Book" of both products, and recorded frames, which decide the order of the fields. Beside the ids of spot a
//! depth message carries `pu`, the `u` of the one before it; ids are not contiguous, because all symbols share them.

use super::text::{decimal, integer};
use crate::market::book::{Book, Side};
use crate::market::instrument::Profile;
use crate::market::{Bbo, Trade};

/// How a product writes.
#[derive(Debug)]
pub(super) struct Format {
    /// The pair that COIN-M adds to the symbol.
    pub(super) pair: Option<&'static str>,
    /// Decimals printed of prices, which may be more than the tick has.
    pub(super) price_decimals: u32,
    pub(super) qty_decimals: u32,
}

/// What a message among the trades says that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Market,
    InsuranceFund,
    Adl,
    None,
}

impl Kind {
    /// Those that are no execution on the book.
    pub(super) const OTHERS: [Self; 3] = [Self::InsuranceFund, Self::Adl, Self::None];

    const fn text(self) -> &'static str {
        match self {
            Self::Market => "MARKET",
            Self::InsuranceFund => "INSURANCE_FUND",
            Self::Adl => "ADL",
            Self::None => "NA",
        }
    }
}

/// The first id, the last id, and the last id of the message before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ids {
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) before: u64,
}

impl Format {
    /// Appends a `depthUpdate`. `touched` is in the order of the wire.
    pub(super) fn depth(
        &self,
        out: &mut Vec<u8>,
        profile: &Profile,
        time_ms: u64,
        ids: Ids,
        book: &Book,
        touched: &[(Side, i64)],
    ) {
        open_stream(out, profile, "depth@0ms");
        out.extend_from_slice(b"\"e\":\"depthUpdate\"");
        number(out, ",\"E\":", time_ms);
        number(out, ",\"T\":", time_ms - 1);
        self.symbol(out, profile, "ps");
        number(out, ",\"U\":", ids.first);
        number(out, ",\"u\":", ids.last);
        number(out, ",\"pu\":", ids.before);
        for (side, open) in [(Side::Bid, ",\"b\":["), (Side::Ask, "],\"a\":[")] {
            out.extend_from_slice(open.as_bytes());
            let prices = touched.iter().filter(|change| change.0 == side).map(|change| change.1);
            self.levels(out, profile, prices.map(|price| (price, book.qty_at(side, price))));
        }
        out.extend_from_slice(b"]}}");
    }

    /// Appends a `bookTicker`.
    pub(super) fn book_ticker(&self, out: &mut Vec<u8>, profile: &Profile, time_ms: u64, id: u64, bbo: Bbo) {
        open_stream(out, profile, "bookTicker");
        if self.pair.is_some() {
            number(out, "\"u\":", id);
            out.extend_from_slice(b",\"e\":\"bookTicker\"");
        } else {
            out.extend_from_slice(b"\"e\":\"bookTicker\"");
            number(out, ",\"u\":", id);
        }
        self.symbol(out, profile, "ps");
        for (keys, price, qty) in [
            ([",\"b\":\"", "\",\"B\":\""], bbo.bid_price, bbo.bid_qty),
            (["\",\"a\":\"", "\",\"A\":\""], bbo.ask_price, bbo.ask_qty),
        ] {
            out.extend_from_slice(keys[0].as_bytes());
            decimal(out, price, profile.price_exponent, self.price_decimals);
            out.extend_from_slice(keys[1].as_bytes());
            decimal(out, qty, profile.qty_exponent, self.qty_decimals);
        }
        number(out, "\",\"T\":", time_ms - 1);
        number(out, ",\"E\":", time_ms);
        out.extend_from_slice(b"}}");
    }

    /// Appends a `trade`. Those of [`Kind::OTHERS`] have a price of one digit more than the book has.
    pub(super) fn trade(&self, out: &mut Vec<u8>, profile: &Profile, time_ms: u64, trade: Trade, kind: Kind) {
        open_stream(out, profile, "trade");
        out.extend_from_slice(b"\"e\":\"trade\"");
        number(out, ",\"E\":", time_ms);
        number(out, ",\"T\":", time_ms - 1);
        out.extend_from_slice(b",\"s\":\"");
        out.extend_from_slice(profile.symbol.as_bytes());
        number(out, "\",\"t\":", trade.id);
        out.extend_from_slice(b",\"p\":\"");
        decimal(out, trade.price, profile.price_exponent, self.price_decimals);
        if kind != Kind::Market {
            out.push(b'5');
        }
        out.extend_from_slice(b"\",\"q\":\"");
        decimal(out, trade.qty, profile.qty_exponent, self.qty_decimals);
        out.extend_from_slice(b"\",\"X\":\"");
        out.extend_from_slice(kind.text().as_bytes());
        out.extend_from_slice(if trade.buyer_is_maker { b"\",\"m\":true}}" } else { b"\",\"m\":false}}" });
    }

    /// Appends a REST depth answer of at most `limit` levels a side, best first.
    pub(super) fn snapshot(
        &self,
        out: &mut Vec<u8>,
        profile: &Profile,
        time_ms: u64,
        id: u64,
        book: &Book,
        limit: usize,
    ) {
        number(out, "{\"lastUpdateId\":", id);
        number(out, ",\"E\":", time_ms);
        number(out, ",\"T\":", time_ms - 1);
        if let Some(pair) = self.pair {
            out.extend_from_slice(b",\"symbol\":\"");
            out.extend_from_slice(profile.symbol.as_bytes());
            out.extend_from_slice(b"\",\"pair\":\"");
            out.extend_from_slice(pair.as_bytes());
            out.push(b'"');
        }
        for (side, open) in [(Side::Bid, ",\"bids\":["), (Side::Ask, "],\"asks\":[")] {
            out.extend_from_slice(open.as_bytes());
            let levels = book.levels(side).take(limit);
            self.levels(out, profile, levels.map(|level| (level.price, level.qty)));
        }
        out.extend_from_slice(b"]}");
    }

    fn symbol(&self, out: &mut Vec<u8>, profile: &Profile, pair_key: &str) {
        out.extend_from_slice(b",\"s\":\"");
        out.extend_from_slice(profile.symbol.as_bytes());
        out.push(b'"');
        if let Some(pair) = self.pair {
            for text in [",\"", pair_key, "\":\"", pair, "\""] {
                out.extend_from_slice(text.as_bytes());
            }
        }
    }

    fn levels(&self, out: &mut Vec<u8>, profile: &Profile, levels: impl Iterator<Item = (i64, i64)>) {
        for (position, (price, qty)) in levels.enumerate() {
            out.extend_from_slice(if position == 0 { b"[\"" } else { b",[\"" });
            decimal(out, price, profile.price_exponent, self.price_decimals);
            out.extend_from_slice(b"\",\"");
            decimal(out, qty, profile.qty_exponent, self.qty_decimals);
            out.extend_from_slice(b"\"]");
        }
    }
}

fn open_stream(out: &mut Vec<u8>, profile: &Profile, stream: &str) {
    out.extend_from_slice(b"{\"stream\":\"");
    out.extend(profile.symbol.bytes().map(|byte| byte.to_ascii_lowercase()));
    out.push(b'@');
    out.extend_from_slice(stream.as_bytes());
    out.extend_from_slice(b"\",\"data\":{");
}

fn number(out: &mut Vec<u8>, key: &str, value: u64) {
    out.extend_from_slice(key.as_bytes());
    integer(out, value);
}

#[cfg(test)]
mod tests {
    use super::super::binance::BinanceProduct;
    use super::*;
    use crate::market::book::{Limits, Remainder};

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    const USD_M: Format = Format { pair: None, price_decimals: 2, qty_decimals: 3 };
    const COIN_M: Format = Format { pair: Some("BTCUSD"), price_decimals: 1, qty_decimals: 0 };

    #[test]
    fn usd_m_reads_like_recorded_frames() {
        let profile = BinanceProduct::UsdM.profile();
        let bbo = Bbo { bid_price: 618_002, bid_qty: 2_507, ask_price: 618_003, ask_qty: 2_510 };
        assert_eq!(
            text(|out| USD_M.book_ticker(out, profile, 1_723_161_256_314, 5_123_107_839_020, bbo)),
            "{\"stream\":\"btcusdt@bookTicker\",\"data\":{\"e\":\"bookTicker\",\"u\":5123107839020,\
             \"s\":\"BTCUSDT\",\"b\":\"61800.20\",\"B\":\"2.507\",\"a\":\"61800.30\",\"A\":\"2.510\",\
             \"T\":1723161256313,\"E\":1723161256314}}"
        );
        let trade = Trade { id: 5_266_583_935, price: 618_003, qty: 6, buyer_is_maker: false };
        assert_eq!(
            text(|out| USD_M.trade(out, profile, 1_723_161_256_322, trade, Kind::Market)),
            "{\"stream\":\"btcusdt@trade\",\"data\":{\"e\":\"trade\",\"E\":1723161256322,\"T\":1723161256321,\
             \"s\":\"BTCUSDT\",\"t\":5266583935,\"p\":\"61800.30\",\"q\":\"0.006\",\"X\":\"MARKET\",\"m\":false}}"
        );
        assert!(
            text(|out| USD_M.trade(out, profile, 2, trade, Kind::InsuranceFund))
                .ends_with("\"p\":\"61800.305\",\"q\":\"0.006\",\"X\":\"INSURANCE_FUND\",\"m\":false}}")
        );
    }

    #[test]
    fn coin_m_reads_like_recorded_frames() {
        let profile = BinanceProduct::CoinM.profile();
        let mut book = Book::new(Limits { levels: 50, orders: 50 });
        book.submit(Side::Bid, 618_047, 35, Remainder::Rests);
        book.submit(Side::Ask, 618_048, 1_645, Remainder::Rests);
        assert_eq!(
            text(|out| COIN_M.snapshot(out, profile, 1_723_161_257_835, 1_007_198_635_033, &book, 10)),
            "{\"lastUpdateId\":1007198635033,\"E\":1723161257835,\"T\":1723161257834,\
             \"symbol\":\"BTCUSD_PERP\",\"pair\":\"BTCUSD\",\"bids\":[[\"61804.7\",\"35\"]],\
             \"asks\":[[\"61804.8\",\"1645\"]]}"
        );
        let ids = Ids { first: 1_007_198_631_260, last: 1_007_198_631_565, before: 1_007_198_631_198 };
        let touched = [(Side::Bid, 618_047), (Side::Bid, 617_791)];
        assert_eq!(
            text(|out| COIN_M.depth(out, profile, 1_723_161_257_440, ids, &book, &touched)),
            "{\"stream\":\"btcusd_perp@depth@0ms\",\"data\":{\"e\":\"depthUpdate\",\"E\":1723161257440,\
             \"T\":1723161257439,\"s\":\"BTCUSD_PERP\",\"ps\":\"BTCUSD\",\"U\":1007198631260,\
             \"u\":1007198631565,\"pu\":1007198631198,\"b\":[[\"61804.7\",\"35\"],[\"61779.1\",\"0\"]],\
             \"a\":[]}}"
        );
        let bbo = Bbo { bid_price: 618_047, bid_qty: 35, ask_price: 618_048, ask_qty: 1_645 };
        assert_eq!(
            text(|out| COIN_M.book_ticker(out, profile, 1_723_161_257_476, 1_007_198_632_021, bbo)),
            "{\"stream\":\"btcusd_perp@bookTicker\",\"data\":{\"u\":1007198632021,\"e\":\"bookTicker\",\
             \"s\":\"BTCUSD_PERP\",\"ps\":\"BTCUSD\",\"b\":\"61804.7\",\"B\":\"35\",\"a\":\"61804.8\",\
             \"A\":\"1645\",\"T\":1723161257475,\"E\":1723161257476}}"
        );
    }
}

//! The messages as each category prints them.

use super::super::text::{decimal, integer, shortest};
use super::BybitCategory;
use crate::market::Trade;
use crate::market::instrument::Profile;

/// How a category writes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    category: BybitCategory,
    profile: &'static Profile,
    /// Decimals of prices and quantities; spot and options print the shortest text.
    decimals: Option<(u32, u32)>,
}

/// When a message is sent: milliseconds since the epoch, and the matching engine's number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) time_ms: u64,
    pub(super) seq: u64,
}

/// By how many milliseconds the matching engine's stamp is before the gateway's.
const GATEWAY_MS: u64 = 2;

impl Form {
    pub(super) const fn new(category: BybitCategory, profile: &'static Profile) -> Self {
        let decimals = match category {
            BybitCategory::Spot | BybitCategory::Option => None,
            BybitCategory::Linear => Some((2, 3)),
            BybitCategory::Inverse => Some((2, 0)),
        };
        Self { category, profile, decimals }
    }

    const fn is_contract(self) -> bool {
        matches!(self.category, BybitCategory::Linear | BybitCategory::Inverse)
    }

    fn price(self, out: &mut Vec<u8>, price: i64) {
        match self.decimals {
            Some((places, _)) => decimal(out, price, self.profile.price_exponent, places),
            None => shortest(out, price, self.profile.price_exponent),
        }
    }

    fn qty(self, out: &mut Vec<u8>, qty: i64) {
        match self.decimals.filter(|_| qty > 0) {
            Some((_, places)) => decimal(out, qty, self.profile.qty_exponent, places),
            None => shortest(out, qty, self.profile.qty_exponent),
        }
    }

    /// `{"topic":"CHANNEL.NAME",` with type and time where the category prints them before the data.
    fn open(self, out: &mut Vec<u8>, channel: &str, name: &str, kind: &str, moment: Moment) {
        if self.category == BybitCategory::Option {
            texts(out, &["{\"id\":\"", channel, name, "-"]);
            integer(out, moment.seq % 10_000_000_000);
            out.push(b'-');
            integer(out, moment.time_ms);
            texts(out, &["\",\"topic\":\"", channel, name, "\",\"ts\":"]);
            integer(out, moment.time_ms);
            return;
        }
        texts(out, &["{\"topic\":\"", channel, name, "\","]);
        // Contracts print their depth 1 as spot does.
        if self.is_contract() && channel != "orderbook.1." {
            texts(out, &["\"type\":\"", kind, "\",\"ts\":"]);
            integer(out, moment.time_ms);
        } else {
            out.extend_from_slice(b"\"ts\":");
            integer(out, moment.time_ms);
            texts(out, &[",\"type\":\"", kind, "\""]);
        }
    }

    fn close(self, out: &mut Vec<u8>, kind: &str) {
        if self.category == BybitCategory::Option {
            texts(out, &[",\"type\":\"", kind, "\""]);
        }
        out.push(b'}');
    }

    pub(super) fn book(
        self,
        out: &mut Vec<u8>,
        depth: usize,
        is_snapshot: bool,
        sides: &[Vec<(i64, i64)>; 2],
        number: u64,
        moment: Moment,
    ) {
        let kind = if is_snapshot { "snapshot" } else { "delta" };
        self.open(out, &format!("orderbook.{depth}."), self.profile.symbol, kind, moment);
        texts(out, &[",\"data\":{\"s\":\"", self.profile.symbol, "\""]);
        for (key, levels) in [(",\"b\":[", &sides[0]), ("],\"a\":[", &sides[1])] {
            out.extend_from_slice(key.as_bytes());
            for (position, &(price, qty)) in levels.iter().enumerate() {
                out.extend_from_slice(if position == 0 { b"[\"" } else { b",[\"" });
                self.price(out, price);
                out.extend_from_slice(b"\",\"");
                self.qty(out, qty);
                out.extend_from_slice(b"\"]");
            }
        }
        number_of(out, "],\"u\":", number);
        if self.category == BybitCategory::Option {
            out.push(b'}');
        } else {
            number_of(out, ",\"seq\":", moment.seq);
            number_of(out, "},\"cts\":", moment.time_ms - GATEWAY_MS);
        }
        self.close(out, kind);
    }

    /// Trades, or one that was a block's.
    pub(super) fn trades(self, out: &mut Vec<u8>, trades: &[Trade], moment: Moment, is_block: bool) {
        let name = if self.category == BybitCategory::Option { "BTC" } else { self.profile.symbol };
        self.open(out, "publicTrade.", name, "snapshot", moment);
        out.extend_from_slice(b",\"data\":[");
        for (position, &trade) in trades.iter().enumerate() {
            out.extend_from_slice(if position == 0 { b"{" } else { b",{" });
            number_of(out, "\"T\":", moment.time_ms - GATEWAY_MS);
            texts(out, &[",\"s\":\"", self.profile.symbol, "\",\"S\":\"", side(trade), "\",\"v\":\""]);
            self.qty(out, trade.qty);
            out.extend_from_slice(b"\",\"p\":\"");
            self.price(out, trade.price);
            out.extend_from_slice(if self.is_contract() {
                b"\",\"L\":\"ZeroPlusTick\",\"i\":\""
            } else {
                b"\",\"i\":\""
            });
            if self.category == BybitCategory::Spot {
                integer(out, trade.id);
            } else {
                uuid(out, trade.id);
            }
            texts(out, &["\",\"BT\":", if is_block { "true" } else { "false" }, ",\"RPI\":false"]);
            number_of(out, ",\"seq\":", moment.seq);
            out.push(b'}');
        }
        out.push(b']');
        self.close(out, "snapshot");
    }

    pub(super) fn liquidation(self, out: &mut Vec<u8>, trade: Trade, moment: Moment) {
        self.open(out, "allLiquidation.", self.profile.symbol, "snapshot", moment);
        number_of(out, ",\"data\":[{\"T\":", moment.time_ms - GATEWAY_MS);
        let position = if trade.buyer_is_maker { "Buy" } else { "Sell" };
        texts(out, &[",\"s\":\"", self.profile.symbol, "\",\"S\":\"", position, "\",\"v\":\""]);
        self.qty(out, trade.qty);
        out.extend_from_slice(b"\",\"p\":\"");
        self.price(out, trade.price);
        out.extend_from_slice(b"\"}]");
        self.close(out, "snapshot");
    }

    /// Statistics: of contracts what differs from `before`, all of it where that is none.
    pub(super) fn ticker(
        self,
        out: &mut Vec<u8>,
        before: Option<[(i64, i64); 2]>,
        best: [(i64, i64); 2],
        last: i64,
        moment: Moment,
    ) {
        let symbol = self.profile.symbol;
        let text = |out: &mut Vec<u8>, key: &str, price: i64| {
            texts(out, &[",\"", key, "\":\""]);
            self.price(out, price);
            out.push(b'"');
        };
        if !self.is_contract() {
            self.open(out, "tickers.", symbol, "snapshot", moment);
            texts(out, &[",\"data\":{\"symbol\":\"", symbol, "\""]);
            text(out, "lastPrice", last);
            if self.category == BybitCategory::Option {
                for (side, keys) in [["bidPrice", "bidSize"], ["askPrice", "askSize"]].into_iter().enumerate()
                {
                    text(out, keys[0], best[side].0);
                    texts(out, &[",\"", keys[1], "\":\""]);
                    self.qty(out, best[side].1);
                    out.push(b'"');
                }
                text(out, "indexPrice", 87_432);
                text(out, "underlyingPrice", 87_440);
                out.extend_from_slice(
                    b",\"bidIv\":\"0.5211\",\"askIv\":\"0.5309\",\"markPriceIv\":\"0.526\",\"openInterest\":\"49.85\",\
                      \"volume24h\":\"26.55\",\"delta\":\"0.047831\",\"gamma\":\"0.00021453\",\"vega\":\"0.81351067\",\
                      \"theta\":\"-19.9115368\"}",
                );
            } else {
                out.extend_from_slice(b",\"volume24h\":\"2953.835931\",\"usdIndexPrice\":\"65091.459221\"}");
                number_of(out, ",\"cs\":", moment.seq);
            }
            return self.close(out, "snapshot");
        }
        let kind = if before.is_none() { "snapshot" } else { "delta" };
        texts(
            out,
            &[
                "{\"topic\":\"tickers.",
                symbol,
                "\",\"type\":\"",
                kind,
                "\",\"data\":{\"symbol\":\"",
                symbol,
                "\"",
            ],
        );
        if before.is_none() {
            out.extend_from_slice(
                b",\"tickDirection\":\"ZeroPlusTick\",\"openInterest\":\"59891\",\"volume24h\":\"17573.0000\",\
                  \"nextFundingTime\":\"1786320000000\",\"fundingRate\":\"-0.000212\",\"curPreListingPhase\":\"\"",
            );
            text(out, "indexPrice", last);
            text(out, "lastPrice", last);
        }
        text(out, "markPrice", best[0].0.max(1));
        for (side, keys) in [["bid1Price", "bid1Size"], ["ask1Price", "ask1Size"]].into_iter().enumerate() {
            if before.is_none_or(|before| before[side] != best[side]) {
                text(out, keys[0], best[side].0);
                texts(out, &[",\"", keys[1], "\":\""]);
                self.qty(out, best[side].1);
                out.push(b'"');
            }
        }
        number_of(out, "},\"cs\":", moment.seq);
        number_of(out, ",\"ts\":", moment.time_ms);
        out.push(b'}');
    }

    pub(super) fn acknowledged(self, out: &mut Vec<u8>, op: &str) {
        texts(
            out,
            &match self.category {
                BybitCategory::Option => [
                    "{\"success\":true,\"conn_id\":\"aa01fbfffe80af37-00000001-000b37b9-7147f432704fd28c-00e1c172\",\
                     \"data\":{\"failTopics\":[],\"successTopics\":[\"orderbook.",
                    self.profile.symbol,
                    "\"]},\"type\":\"COMMAND_RESP\"}",
                ],
                _ => [
                    "{\"success\":true,\"ret_msg\":\"\",\"conn_id\":\"d8bu1olkndm7crnfs1e0-j6akw\",\"req_id\":\"\",\"op\":\"",
                    op,
                    "\"}",
                ],
            },
        );
    }

    pub(super) fn pong(self, out: &mut Vec<u8>, time_ms: u64) {
        if self.category == BybitCategory::Option {
            number_of(out, "{\"args\":[\"", time_ms);
            return out.extend_from_slice(b"\"],\"op\":\"pong\"}");
        }
        out.extend_from_slice(
            b"{\"success\":true,\"ret_msg\":\"pong\",\"conn_id\":\"d8bu1olkndm7crnfs1e0-j6akw\",\"req_id\":\"\",\"op\":\"ping\"}",
        );
    }
}

const fn side(trade: Trade) -> &'static str {
    if trade.buyer_is_maker { "Sell" } else { "Buy" }
}

fn texts(out: &mut Vec<u8>, texts: &[&str]) {
    texts.iter().for_each(|text| out.extend_from_slice(text.as_bytes()));
}

fn number_of(out: &mut Vec<u8>, key: &str, value: u64) {
    out.extend_from_slice(key.as_bytes());
    integer(out, value);
}

/// Appends a UUID, another for each number.
fn uuid(out: &mut Vec<u8>, id: u64) {
    let mixed = u128::from(id + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    for nibble in (0..32).rev() {
        out.push(b"0123456789abcdef"[(mixed >> (4 * nibble) & 15) as usize]);
        if matches!(nibble, 24 | 20 | 16 | 12) {
            out.push(b'-');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{LINEAR, OPTION, SPOT};
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    const MOMENT: Moment = Moment { time_ms: 1_786_310_818_130, seq: 753_843_913_870 };

    #[test]
    fn contracts_read_like_recorded_frames() {
        let form = Form::new(BybitCategory::Linear, &LINEAR);
        let sides = [vec![(650_953, 5), (650_931, 0)], vec![(651_168, 2)]];
        assert_eq!(
            text(|out| form.book(out, 200, false, &sides, 15_076_953, MOMENT)),
            "{\"topic\":\"orderbook.200.BTCUSDT\",\"type\":\"delta\",\"ts\":1786310818130,\"data\":{\"s\":\"BTCUSDT\",\
             \"b\":[[\"65095.30\",\"0.005\"],[\"65093.10\",\"0\"]],\"a\":[[\"65116.80\",\"0.002\"]],\"u\":15076953,\
             \"seq\":753843913870},\"cts\":1786310818128}"
        );
        let trade = Trade { id: 1, price: 651_142, qty: 4, buyer_is_maker: true };
        assert_eq!(
            text(|out| form.trades(out, &[trade], MOMENT, false)),
            "{\"topic\":\"publicTrade.BTCUSDT\",\"type\":\"snapshot\",\"ts\":1786310818130,\"data\":[{\"T\":1786310818128,\
             \"s\":\"BTCUSDT\",\"S\":\"Sell\",\"v\":\"0.004\",\"p\":\"65114.20\",\"L\":\"ZeroPlusTick\",\
             \"i\":\"3c6ef372-fe94-f82b-e739-80c0b9db906a\",\"BT\":false,\"RPI\":false,\"seq\":753843913870}]}"
        );
        let best = [(651_142, 6_054), (651_143, 10_486)];
        assert_eq!(
            text(|out| form.ticker(out, Some([(1, 1), best[1]]), best, 5, MOMENT)),
            "{\"topic\":\"tickers.BTCUSDT\",\"type\":\"delta\",\"data\":{\"symbol\":\"BTCUSDT\",\"markPrice\":\"65114.20\",\
             \"bid1Price\":\"65114.20\",\"bid1Size\":\"6.054\"},\"cs\":753843913870,\"ts\":1786310818130}"
        );
    }

    #[test]
    fn spot_reads_like_recorded_frames() {
        let form = Form::new(BybitCategory::Spot, &SPOT);
        let sides = [vec![(651_404, 875_077)], vec![(652_390, 155_135), (652_391, 0)]];
        assert_eq!(
            text(|out| form.book(out, 200, false, &sides, 62_505_425, MOMENT)),
            "{\"topic\":\"orderbook.200.BTCUSDT\",\"ts\":1786310818130,\"type\":\"delta\",\"data\":{\"s\":\"BTCUSDT\",\
             \"b\":[[\"65140.4\",\"0.875077\"]],\"a\":[[\"65239\",\"0.155135\"],[\"65239.1\",\"0\"]],\"u\":62505425,\
             \"seq\":753843913870},\"cts\":1786310818128}"
        );
    }

    #[test]
    fn options_read_like_recorded_frames() {
        let form = Form::new(BybitCategory::Option, &OPTION);
        let sides = [vec![], vec![(175, 0), (180, 4_600)]];
        assert_eq!(
            text(|out| form.book(out, 25, false, &sides, 24_642, MOMENT)),
            "{\"id\":\"orderbook.25.BTC-27MAR26-100000-C-USDT-3843913870-1786310818130\",\
             \"topic\":\"orderbook.25.BTC-27MAR26-100000-C-USDT\",\"ts\":1786310818130,\
             \"data\":{\"s\":\"BTC-27MAR26-100000-C-USDT\",\"b\":[],\"a\":[[\"175\",\"0\"],[\"180\",\"46\"]],\"u\":24642},\
             \"type\":\"delta\"}"
        );
    }
}

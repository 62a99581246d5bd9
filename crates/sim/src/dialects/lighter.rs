//! Lighter: `order_book`, `trade`, `ticker` and `market_stats` of one market.
//!
//! Source: apidocs.lighter.xyz, "WebSocket"; the order of members as in the recordings of 2025-12-08 and 2026-04-20.

use std::fmt::Write as _;

use super::clock::{Clock, moment_ns};
use super::text::{decimal, integer};
use super::{Channel, Counts, Dialect, Frames, Truth};
use crate::curve::Curve;
use crate::market::book::{Book, ChangeKind, Side};
use crate::market::exchange::Exchange;
use crate::market::instrument::Profile;
use crate::market::{Bbo, Trade};

/// How updates are linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LighterForm {
    /// By `begin_nonce`, since 2026.
    Nonces,
    /// By an `offset` that counts them; the first one tells again what the book has.
    Offsets,
}

impl LighterForm {
    const fn profile(self) -> &'static Profile {
        match self {
            Self::Nonces => &BTC,
            Self::Offsets => &ETH,
        }
    }

    const fn symbol(self) -> &'static str {
        match self {
            Self::Nonces => "BTC",
            Self::Offsets => "ETH",
        }
    }
}

/// The venue's numbers of markets are their symbols here.
static BTC: Profile = BTC_PROFILE;

const BTC_PROFILE: Profile = Profile {
    symbol: "1",
    price_exponent: -1,
    qty_exponent: -5,
    reference_price: 753_005,
    actions_per_s: 300,
    fair_step: 4 * 256,
    shape: Curve(&[
        (0, 0),
        (16, 18),
        (128, 300),
        (512, 1_500),
        (1_024, 4_500),
        (1_824, 61_700),
        (3_000, 300_000),
    ]),
    levels: 1_600,
    join_weight: 16,
    qty_quarters: 2,
    update_id: 10_382_292_136,
    trade_id: 18_240_999_145,
};

static ETH: Profile = Profile {
    symbol: "0",
    price_exponent: -2,
    qty_exponent: -4,
    reference_price: 230_998,
    update_id: 3_638_975_247,
    trade_id: 650_862_381,
    ..BTC_PROFILE
};

/// A market tells its changes so often (300 in 0.1 s at most were recorded, 3 to 10 ms apart; others wait 50 ms).
const WINDOW_MS: u64 = 50;
/// Statistics come so often.
const STATS_MS: u64 = 500;
/// The venue asks for life so often.
const PING_MS: u64 = 30_000;
/// Nonces that one change takes: other markets use those between.
const NONCES_PER_CHANGE: u64 = 13;

/// Prices and quantities.
type Levels = Vec<(i64, i64)>;

/// One market on a public connection.
#[derive(Clone, Debug)]
pub struct Lighter {
    form: LighterForm,
    exchange: Exchange,
    clock: Clock,
    next_book_ms: u64,
    next_stats_ms: u64,
    next_ping_ms: u64,
    touched: Vec<(Side, i64)>,
    /// Nonce of the last book message, and how many there were.
    nonce: u64,
    offset: u64,
    bbo: Option<Bbo>,
    last_trade: Option<Trade>,
    told: Truth,
    counts: Counts,
}

impl Lighter {
    /// A market before its first connection.
    #[must_use]
    pub fn new(seed: u64, form: LighterForm) -> Self {
        let mut venue = Self {
            form,
            exchange: Exchange::new(form.profile(), seed, 500 + form as u64),
            clock: Clock::default(),
            next_book_ms: 0,
            next_stats_ms: 0,
            next_ping_ms: 0,
            touched: Vec::new(),
            nonce: 0,
            offset: 52_072_043,
            bbo: None,
            last_trade: None,
            told: Truth::default(),
            counts: Counts::default(),
        };
        venue.nonce = venue.nonce_now();
        venue.tell();
        venue
    }

    fn live(&mut self) {
        self.exchange.live();
        for change in self.exchange.changes() {
            self.touched.push((change.side, change.price));
            if let ChangeKind::Moved { from, .. } = change.kind {
                self.touched.push((change.side, from));
            }
        }
    }

    /// The venue's nonce of the market as it stands.
    fn nonce_now(&self) -> u64 {
        let base = self.form.profile().update_id;
        base + (self.exchange.book().id() - base) * NONCES_PER_CHANGE
    }

    fn price(&self, out: &mut Vec<u8>, price: i64) {
        let exponent = self.form.profile().price_exponent;
        decimal(out, price, exponent, exponent.unsigned_abs());
    }

    fn qty(&self, out: &mut Vec<u8>, qty: i64) {
        let exponent = self.form.profile().qty_exponent;
        decimal(out, qty, exponent, exponent.unsigned_abs());
    }

    /// What a message of the book leaves known.
    fn tell(&mut self) {
        let book = self.exchange.book();
        self.told.seq = match self.form {
            LighterForm::Nonces => self.nonce,
            LighterForm::Offsets => self.offset,
        };
        let levels = |side| book.levels(side).map(|level| (level.price, level.qty));
        self.told.bids.clear();
        self.told.bids.extend(levels(Side::Bid));
        self.told.asks.clear();
        self.told.asks.extend(levels(Side::Ask));
    }

    /// A message of the book; `begin` is the nonce of the one before.
    fn book(&self, out: &mut Vec<u8>, kind: &str, levels: [&[(i64, i64)]; 2], begin: u64, time_ms: u64) {
        let mut text = String::new();
        let _ = write!(
            text,
            "{{\"type\":\"{kind}/order_book\",\"channel\":\"order_book:{}\",\"offset\":{},\"timestamp\":{time_ms},\"order_book\":{{\"code\":0",
            self.code(),
            self.offset
        );
        out.extend_from_slice(text.as_bytes());
        for (key, levels) in [(",\"asks\":[", levels[1]), ("],\"bids\":[", levels[0])] {
            out.extend_from_slice(key.as_bytes());
            for (at, &(price, qty)) in levels.iter().enumerate() {
                out.extend_from_slice(if at == 0 { b"{\"price\":\"" } else { b",{\"price\":\"" });
                self.price(out, price);
                out.extend_from_slice(b"\",\"size\":\"");
                self.qty(out, qty);
                out.extend_from_slice(b"\"}");
            }
        }
        out.extend_from_slice(b"],\"offset\":");
        integer(out, self.offset);
        out.extend_from_slice(b",\"nonce\":");
        integer(out, self.nonce);
        if self.form == LighterForm::Nonces {
            out.extend_from_slice(b",\"begin_nonce\":");
            integer(out, begin);
        }
        out.extend_from_slice(b"}}");
    }

    fn snapshot_frame(&mut self, time_ns: u64, out: &mut Frames) {
        let levels = [&*self.told.bids, &*self.told.asks];
        out.push(time_ns, Channel::Book, |out| {
            self.book(out, "subscribed", levels, 0, time_ns / 1_000_000);
        });
        self.counts.snapshots += 1;
        self.counts.levels += (self.told.bids.len() + self.told.asks.len()) as u64;
        if self.form == LighterForm::Offsets {
            // As recorded: the best levels once more, under the book's own number.
            let levels = [&self.told.bids, &self.told.asks].map(|side| &side[..side.len().min(7)]);
            let count = (levels[0].len() + levels[1].len()) as u64;
            out.push(time_ns, Channel::Control, |out| {
                self.book(out, "update", levels, 0, time_ns / 1_000_000)
            });
            self.counts.control += 1;
            self.counts.levels += count;
        }
    }

    /// Ends a window of changes, which all who are subscribed are told of: the levels and the nonce before them.
    fn end_window(&mut self, time_ms: u64) -> Option<(u64, [Levels; 2])> {
        if time_ms < self.next_book_ms {
            return None;
        }
        self.next_book_ms = time_ms + WINDOW_MS;
        if self.touched.is_empty() {
            return None;
        }
        Book::sort_touched(&mut self.touched);
        let book = self.exchange.book();
        let levels = [Side::Bid, Side::Ask].map(|side| {
            let of_side = self.touched.iter().filter(|change| change.0 == side);
            of_side.map(|&(_, price)| (price, book.qty_at(side, price))).collect::<Vec<_>>()
        });
        let begin = self.nonce;
        self.nonce = self.nonce_now();
        self.offset += match self.form {
            LighterForm::Nonces => 12,
            LighterForm::Offsets => 1,
        };
        self.touched.clear();
        self.tell();
        Some((begin, levels))
    }

    fn update(&mut self, time_ms: u64, time_ns: u64, out: &mut Frames) {
        let Some((begin, levels)) = self.end_window(time_ms) else { return };
        out.push(time_ns, Channel::Book, |out| {
            self.book(out, "update", [&levels[0], &levels[1]], begin, time_ms);
        });
        self.counts.updates += 1;
        self.counts.levels += (levels[0].len() + levels[1].len()) as u64;
    }

    /// Time passes that nobody hears of.
    fn live_unheard(&mut self, now_ns: u64) {
        let passed_ms = self.clock.start(now_ns);
        for before_ms in (0..passed_ms).rev() {
            self.live();
            self.end_window((now_ns / 1_000_000).saturating_sub(before_ms));
        }
    }

    fn trades(&mut self, time_ms: u64, time_ns: u64, out: &mut Frames) {
        let trades = self.exchange.trades();
        let Some(last) = trades.last() else { return };
        self.last_trade = Some(*last);
        out.push(time_ns, Channel::Trade, |out| self.trade_message(out, "update", trades, time_ms));
        self.counts.trades += trades.len() as u64;
    }

    /// Trades, newest first, as the venue lists them.
    fn trade_message(&self, out: &mut Vec<u8>, kind: &str, trades: &[Trade], time_ms: u64) {
        let code = self.code();
        texts(
            out,
            &[
                "{\"type\":\"",
                kind,
                "/trade\",\"channel\":\"trade:",
                code,
                "\",\"nonce\":10380969080,\"trades\":[",
            ],
        );
        for (at, trade) in trades.iter().rev().enumerate() {
            out.extend_from_slice(if at == 0 { b"{\"trade_id\":" } else { b",{\"trade_id\":" });
            integer(out, trade.id);
            texts(out, &[",\"type\":\"trade\",\"market_id\":", code, ",\"size\":\""]);
            self.qty(out, trade.qty);
            out.extend_from_slice(b"\",\"price\":\"");
            self.price(out, trade.price);
            out.extend_from_slice(b"\",\"is_maker_ask\":");
            out.extend_from_slice(if trade.buyer_is_maker { b"false" } else { b"true" });
            out.extend_from_slice(b",\"timestamp\":");
            integer(out, time_ms);
            out.push(b'}');
        }
        out.extend_from_slice(b"],\"liquidation_trades\":[]}");
    }

    fn ticker(&mut self, time_ms: u64, time_ns: u64, out: &mut Frames) {
        let bbo = self.exchange.book().bbo();
        if let (true, Some(bbo)) = (bbo != self.bbo, bbo) {
            let nonce = self.nonce_now();
            out.push(time_ns, Channel::Ticker, |out| {
                texts(
                    out,
                    &["{\"type\":\"update/ticker\",\"channel\":\"ticker:", self.code(), "\",\"nonce\":"],
                );
                integer(out, nonce);
                texts(out, &[",\"ticker\":{\"s\":\"", self.form.symbol(), "\",\"a\":{\"price\":\""]);
                self.price(out, bbo.ask_price);
                out.extend_from_slice(b"\",\"size\":\"");
                self.qty(out, bbo.ask_qty);
                out.extend_from_slice(b"\"},\"b\":{\"price\":\"");
                self.price(out, bbo.bid_price);
                out.extend_from_slice(b"\",\"size\":\"");
                self.qty(out, bbo.bid_qty);
                out.extend_from_slice(b"\"}},\"timestamp\":");
                integer(out, time_ms);
                out.push(b'}');
            });
            self.counts.tickers += 1;
        }
        self.bbo = bbo;
    }

    fn stats(&mut self, time_ms: u64, time_ns: u64, out: &mut Frames) {
        let Some(last) = self.last_trade.filter(|_| time_ms >= self.next_stats_ms) else { return };
        self.next_stats_ms = time_ms + STATS_MS;
        out.push(time_ns, Channel::Control, |out| {
            let code = self.code();
            texts(
                out,
                &["{\"type\":\"update/market_stats\",\"channel\":\"market_stats:", code, "\",\"timestamp\":"],
            );
            integer(out, time_ms);
            let symbol = self.form.symbol();
            texts(
                out,
                &[
                    ",\"market_stats\":{\"symbol\":\"",
                    symbol,
                    "\",\"market_id\":",
                    code,
                    ",\"index_price\":\"",
                ],
            );
            self.price(out, self.form.profile().reference_price);
            out.extend_from_slice(b"\",\"mark_price\":\"");
            self.price(out, last.price);
            out.extend_from_slice(b"\",\"open_interest\":\"124496091.756091\",\"last_trade_price\":\"");
            self.price(out, last.price);
            out.extend_from_slice(
                b"\",\"current_funding_rate\":\"0.0012\",\"daily_base_token_volume\":9180.73357}}",
            );
        });
        self.counts.control += 1;
    }
}

fn texts(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}

impl Dialect for Lighter {
    fn venue(&self) -> &'static str {
        "lighter"
    }

    fn code(&self) -> &str {
        self.form.profile().symbol
    }

    fn depth(&self) -> Option<usize> {
        None
    }

    fn open(&mut self, now_ns: u64, out: &mut Frames) {
        self.live_unheard(now_ns);
        let session = b"{\"session_id\":\"7e2cd6c3-1837-4516-a59c-71866f4af2dc\",\"type\":\"connected\"}";
        out.push(now_ns, Channel::Control, |out| out.extend_from_slice(session));
        self.snapshot_frame(now_ns, out);
        let recent: Vec<_> = self.last_trade.into_iter().collect();
        out.push(now_ns, Channel::Control, |out| {
            self.trade_message(out, "subscribed", &recent, now_ns / 1_000_000)
        });
        self.counts.control += 2;
        self.next_ping_ms = now_ns / 1_000_000 + PING_MS;
    }

    fn step(&mut self, now_ns: u64, out: &mut Frames) {
        let begun = out.len();
        while out.len() == begun {
            let Some(time_ms) = self.clock.take(now_ns) else { return };
            self.live();
            let time_ns = moment_ns(time_ms);
            self.trades(time_ms, time_ns, out);
            self.ticker(time_ms, time_ns, out);
            self.stats(time_ms, time_ns, out);
            self.update(time_ms, time_ns, out);
            if time_ms >= self.next_ping_ms {
                self.next_ping_ms = time_ms + PING_MS;
                out.push(time_ns, Channel::Heartbeat, |out| out.extend_from_slice(b"{\"type\":\"ping\"}"));
                self.counts.heartbeats += 1;
            }
        }
    }

    fn snapshot(&mut self, out: &mut Vec<u8>) -> bool {
        out.clear();
        false
    }

    fn resubscribe(&mut self, now_ns: u64, out: &mut Frames) {
        self.live_unheard(now_ns);
        let code = self.code();
        out.push(now_ns, Channel::Control, |out| {
            texts(out, &["{\"type\":\"unsubscribed\",\"channel\":\"order_book:", code, "\"}"]);
        });
        self.counts.control += 1;
        self.snapshot_frame(now_ns, out);
    }

    fn truth(&self, out: &mut Truth) {
        out.clone_from(&self.told);
    }

    fn exponents(&self) -> (i8, i8) {
        self.form.profile().exponents()
    }

    fn sent(&self) -> Counts {
        self.counts
    }
}

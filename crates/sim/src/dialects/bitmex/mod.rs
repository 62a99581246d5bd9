//! BitMEX: a table of books, `trade`, `quote`, `instrument` and `liquidation` of one instrument.
//!
//! Source: bitmex.com, "WebSocket API" and API Explorer; blog.bitmex.com on order book level 2 data, 2022 and 2023. In short:
//! 1. A table begins with a `partial`; then messages insert, update or delete rows, one action each.
//! 2. A row of a book is a level. Its `id` is arbitrary, and its price stands in all messages; before 2023 the price made the
//!    id and stood in what comes alone.
//! 3. `orderBookL2` tells of every change, `orderBookL2_25` from time to time how its best levels have become what they are, and
//!    `orderBook10` its best levels whole.
//! 4. Nothing is numbered.

mod messages;

use std::collections::VecDeque;

use messages::{stamp, texts};

use super::clock::{Clock, moment_ns};
use super::shown::Shown;
use super::text::date_time;
use super::told::{Told, Verb};
use super::{Channel, Counts, Dialect, Frames, Truth};
use crate::curve::Curve;
use crate::market::book::{Book, ChangeKind, Side};
use crate::market::exchange::Exchange;
use crate::market::instrument::Profile;
use crate::market::{Bbo, Trade};

/// What tells the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BitmexBook {
    /// `orderBookL2` of an inverse perpetual.
    Whole,
    /// The same of a quanto one, as until 2023.
    WholeByIds,
    /// `orderBookL2_25`.
    Best25,
    /// `orderBook10`.
    Best10,
    /// `orderBookL2` of a future with few levels, whose whole book is a short message.
    Thin,
}

static XBTUSD: Profile = Profile {
    symbol: "XBTUSD",
    price_exponent: -1,
    qty_exponent: 0,
    reference_price: 120_500,
    actions_per_s: 70,
    fair_step: 2 * 256,
    shape: Curve(&[(0, 0), (16, 20), (128, 250), (512, 1_500), (1_024, 6_000), (1_400, 40_000)]),
    levels: 120,
    join_weight: 24,
    qty_quarters: 1,
    update_id: 0,
    trade_id: 4_100_200,
};

static ETHUSD: Profile =
    Profile { symbol: "ETHUSD", price_exponent: -2, reference_price: 62_003, trade_id: 77_120, ..XBTUSD };

static THIN: Profile = Profile { symbol: "XBTZ26", levels: 5, actions_per_s: 4, trade_id: 12, ..XBTUSD };

/// Between two times at which `orderBookL2_25` tells what has become of it.
const BEST_MS: u64 = 40;
const INSTRUMENT_MS: u64 = 1_000;
/// Funding is paid each eight hours.
const FUNDING_NS: u64 = 28_800_000_000_000;
/// Trades between two that close a position by force.
const LIQUIDATION_EVERY: u64 = 40;
/// … between two that were none on the book.
const SETTLEMENT_EVERY: u64 = 16;

impl BitmexBook {
    fn profile(self) -> &'static Profile {
        match self {
            Self::Whole | Self::Best25 | Self::Best10 => &XBTUSD,
            Self::WholeByIds => &ETHUSD,
            Self::Thin => &THIN,
        }
    }

    const fn table(self) -> &'static str {
        match self {
            Self::Whole | Self::WholeByIds | Self::Thin => "orderBookL2",
            Self::Best25 => "orderBookL2_25",
            Self::Best10 => "orderBook10",
        }
    }

    const fn depth(self) -> Option<usize> {
        match self {
            Self::Whole | Self::WholeByIds | Self::Thin => None,
            Self::Best25 => Some(25),
            Self::Best10 => Some(10),
        }
    }

    /// By how much the market's prices and quantities go up: half dollars and lots of ten, or twentieths and single ones.
    const fn steps(self) -> (i64, i64) {
        if matches!(self, Self::WholeByIds) { (5, 1) } else { (5, 10) }
    }

    /// Which level a price is.
    const fn id(self, price: i64) -> u64 {
        match self {
            Self::WholeByIds => 29_700_000_000 - price as u64 * 5,
            // Any order but that of prices.
            _ => 88_000_000_000 + (price as u64 * 7_919) % 1_000_003,
        }
    }
}

/// What is still to be told of the book: an action with its levels.
#[derive(Clone, Debug)]
struct Waiting {
    verb: Verb,
    levels: Vec<(Side, i64, i64)>,
}

/// One instrument on a connection.
#[derive(Clone, Debug)]
pub struct Bitmex {
    of: BitmexBook,
    exchange: Exchange,
    clock: Clock,
    /// Levels changed in the last millisecond.
    touched: Vec<(Side, i64)>,
    shown: Option<Shown>,
    told: Told,
    waiting: VecDeque<Waiting>,
    waiting_ns: u64,
    bbo: Option<Bbo>,
    last_trade: Option<Trade>,
    next_instrument_ms: u64,
    counts: Counts,
}

impl Bitmex {
    /// A market before its first connection.
    #[must_use]
    pub fn new(seed: u64, of: BitmexBook) -> Self {
        let exchange = Exchange::new(of.profile(), seed, 8_000 + of as u64);
        let shown = of.depth().map(|depth| Shown::new(exchange.book(), depth));
        let mut dialect = Self {
            of,
            clock: Clock::default(),
            touched: Vec::new(),
            shown,
            told: Told::default(),
            waiting: VecDeque::new(),
            waiting_ns: 0,
            bbo: exchange.book().bbo(),
            last_trade: None,
            next_instrument_ms: 0,
            exchange,
            counts: Counts::default(),
        };
        dialect.load();
        dialect
    }

    /// The book is told as it is.
    fn load(&mut self) {
        self.waiting.clear();
        match &mut self.shown {
            None => self.told.load(self.exchange.book()),
            Some(shown) => {
                shown.update(self.exchange.book());
                self.told = Told::default();
                for side in [Side::Bid, Side::Ask] {
                    for &(price, qty) in &shown.levels()[side as usize] {
                        self.told.tell(side, price, qty);
                    }
                }
            }
        }
    }

    /// One millisecond of market, and what is to be told of its book.
    fn live(&mut self, time_ms: u64, time_ns: u64) {
        self.exchange.live();
        self.last_trade = self.exchange.trades().last().copied().or(self.last_trade);
        self.waiting_ns = time_ns;
        let book = self.exchange.book();
        let changes: Vec<_> = match &mut self.shown {
            None => {
                for change in self.exchange.changes() {
                    self.touched.push((change.side, change.price));
                    if let ChangeKind::Moved { from, .. } = change.kind {
                        self.touched.push((change.side, from));
                    }
                }
                Book::sort_touched(&mut self.touched);
                self.touched.drain(..).map(|(side, price)| (side, price, book.qty_at(side, price))).collect()
            }
            Some(shown) => {
                if self.of == BitmexBook::Best25 && !time_ms.is_multiple_of(BEST_MS) || !shown.update(book) {
                    return;
                }
                let changes = shown.changes();
                let of =
                    |side: Side| changes[side as usize].iter().map(move |&(price, qty)| (side, price, qty));
                of(Side::Bid).chain(of(Side::Ask)).collect()
            }
        };
        for verb in [Verb::Delete, Verb::Change, Verb::New] {
            let of =
                |&&(side, price, qty): &&(Side, i64, i64)| self.told.verb(side, price, qty) == Some(verb);
            let levels: Vec<_> = changes.iter().filter(of).copied().collect();
            if !levels.is_empty() {
                self.waiting.push_back(Waiting { verb, levels });
            }
        }
    }

    fn whole(&mut self, now_ns: u64, out: &mut Frames) {
        self.load();
        let count = [Side::Bid, Side::Ask].map(|side| self.told.levels(side).len()).iter().sum::<usize>();
        out.push(now_ns, Channel::Book, |out| {
            if self.of == BitmexBook::Best10 {
                self.partial_head(out, self.of.table(), "\"symbol\"");
                self.top(out, now_ns);
            } else {
                self.partial_head(out, self.of.table(), "\"symbol\",\"id\",\"side\"");
                let mut is_first = true;
                for side in [Side::Ask, Side::Bid] {
                    for (price, qty) in self.told.levels(side) {
                        texts(out, &[if is_first { "" } else { "," }]);
                        is_first = false;
                        self.row(out, Verb::New, (side, price, qty), now_ns);
                    }
                }
            }
            texts(out, &["]}"]);
        });
        self.counts.snapshots += 1;
        self.counts.levels += count as u64;
    }

    /// The next message of the book.
    fn next_levels(&mut self, out: &mut Frames) -> bool {
        let Some(first) = self.waiting.pop_front() else { return false };
        let messages: Vec<_> = match self.of {
            BitmexBook::Best10 => std::iter::once(first).chain(self.waiting.drain(..)).collect(),
            _ => vec![first],
        };
        for &(side, price, qty) in messages.iter().flat_map(|message| &message.levels) {
            self.told.tell(side, price, qty);
        }
        let time_ns = self.waiting_ns;
        let this = &*self;
        out.push(time_ns, Channel::Book, |out| match this.of {
            BitmexBook::Best10 => {
                texts(out, &["{\"table\":\"orderBook10\",\"action\":\"update\",\"data\":["]);
                this.top(out, time_ns);
                texts(out, &["]}"]);
            }
            _ => this.levels(out, messages[0].verb, &messages[0].levels, time_ns),
        });
        self.counts.updates += 1;
        self.counts.levels += match self.of {
            BitmexBook::Best10 => {
                [Side::Bid, Side::Ask].map(|side| self.told.levels(side).len()).iter().sum::<usize>() as u64
            }
            _ => messages[0].levels.len() as u64,
        };
        true
    }

    fn live_unheard(&mut self, now_ns: u64) {
        for _ in 0..self.clock.start(now_ns) {
            self.exchange.live();
        }
        self.bbo = self.exchange.book().bbo();
    }

    fn answered(&mut self, verb: &str, table: &str, now_ns: u64, out: &mut Frames) {
        let code = self.code();
        out.push(now_ns, Channel::Control, |out| {
            texts(
                out,
                &["{\"success\":true,\"", verb, "\":\"", table, ":", code, "\",\"request\":{\"op\":\""],
            );
            texts(out, &[verb, "\",\"args\":[\"", table, ":", code, "\"]}}"]);
        });
        self.counts.control += 1;
    }

    fn trades(&mut self, time_ns: u64, out: &mut Frames) {
        let trades = self.exchange.trades();
        if trades.is_empty() {
            return;
        }
        let is_forced = |trade: &&Trade| trade.id.is_multiple_of(LIQUIDATION_EVERY);
        for trade in trades.iter().filter(is_forced) {
            for action in ["insert", "delete"] {
                out.push(time_ns, Channel::Ticker, |out| self.liquidation(out, trade, action));
                self.counts.tickers += 1;
            }
        }
        let is_settled = |trade: &&Trade| trade.id.is_multiple_of(SETTLEMENT_EVERY);
        out.push(time_ns, Channel::Trade, |out| {
            texts(out, &["{\"table\":\"trade\",\"action\":\"insert\",\"data\":["]);
            let of_book = trades.iter().map(|trade| (trade, "Regular"));
            let others = trades.iter().filter(is_settled).map(|trade| (trade, "Settlement"));
            for (at, (trade, kind)) in of_book.chain(others).enumerate() {
                texts(out, &[if at == 0 { "" } else { "," }]);
                self.trade(out, trade, kind, time_ns);
            }
            texts(out, &["]}"]);
        });
        self.counts.trades += trades.len() as u64;
        self.counts.not_executions += trades.iter().filter(is_settled).count() as u64;
    }

    fn quotes(&mut self, time_ns: u64, out: &mut Frames) {
        let bbo = self.exchange.book().bbo();
        if let (true, Some(bbo)) = (bbo != self.bbo, bbo) {
            out.push(time_ns, Channel::Ticker, |out| {
                texts(out, &["{\"table\":\"quote\",\"action\":\"insert\",\"data\":["]);
                self.quote(out, &bbo, time_ns);
                texts(out, &["]}"]);
            });
            self.counts.tickers += 1;
        }
        self.bbo = bbo;
    }

    /// What has changed of the instrument.
    fn instrument(&mut self, time_ms: u64, time_ns: u64, out: &mut Frames) {
        if time_ms < self.next_instrument_ms {
            return;
        }
        self.next_instrument_ms = time_ms + INSTRUMENT_MS;
        let last = self.last_trade.map_or(self.of.profile().reference_price, |trade| trade.price);
        out.push(time_ns, Channel::Ticker, |out| {
            texts(
                out,
                &[
                    "{\"table\":\"instrument\",\"action\":\"update\",\"data\":[{\"symbol\":\"",
                    self.code(),
                    "\"",
                ],
            );
            texts(out, &[",\"lastPrice\":"]);
            self.price(out, last);
            texts(out, &[",\"indicativeSettlePrice\":"]);
            self.price(out, last + 1);
            texts(out, &[",\"markPrice\":60241.2718,\"openInterest\":589221500,\"volume24h\":7800300"]);
            stamp(out, time_ns);
            texts(out, &["}]}"]);
        });
        self.counts.tickers += 1;
    }

    fn definition(&mut self, now_ns: u64, out: &mut Frames) {
        out.push(now_ns, Channel::Definition, |out| {
            self.partial_head(out, "instrument", "\"symbol\"");
            texts(
                out,
                &["{\"symbol\":\"", self.code(), "\",\"state\":\"Open\",\"typ\":\"FFWCSX\",\"tickSize\":"],
            );
            self.price(out, 1);
            texts(out, &[",\"lotSize\":"]);
            self.qty(out, 1);
            texts(out, &[",\"fundingRate\":0.000075,\"fundingTimestamp\":\""]);
            date_time(out, now_ns - now_ns % FUNDING_NS + FUNDING_NS.min(u64::MAX - now_ns), 3);
            texts(out, &["\",\"bankruptLimitUpPrice\":null"]);
            stamp(out, now_ns);
            texts(out, &["}]}"]);
        });
        self.counts.definitions += 1;
    }
}

impl Dialect for Bitmex {
    fn venue(&self) -> &'static str {
        "bitmex"
    }

    fn code(&self) -> &str {
        self.of.profile().symbol
    }

    fn depth(&self) -> Option<usize> {
        self.of.depth()
    }

    fn open(&mut self, now_ns: u64, out: &mut Frames) {
        self.live_unheard(now_ns);
        out.push(now_ns, Channel::Control, |out| {
            texts(
                out,
                &[
                    "{\"info\":\"Welcome to the BitMEX Realtime API.\",\"version\":\"2.0.0\"",
                    ",\"timestamp\":\"",
                ],
            );
            date_time(out, now_ns, 3);
            texts(out, &["\",\"docs\":\"https://www.bitmex.com/app/wsAPI\",\"heartbeatEnabled\":false"]);
            texts(out, &[",\"limit\":{\"remaining\":39}}"]);
        });
        self.counts.control += 1;
        self.answered("subscribe", self.of.table(), now_ns, out);
        self.whole(now_ns, out);
        self.answered("subscribe", "instrument", now_ns, out);
        self.definition(now_ns, out);
        self.next_instrument_ms = now_ns / 1_000_000;
    }

    fn step(&mut self, now_ns: u64, out: &mut Frames) {
        let begun = out.len();
        while out.len() == begun {
            if self.next_levels(out) {
                return;
            }
            let Some(time_ms) = self.clock.take(now_ns) else { return };
            let time_ns = moment_ns(time_ms);
            self.live(time_ms, time_ns);
            self.trades(time_ns, out);
            self.quotes(time_ns, out);
            self.instrument(time_ms, time_ns, out);
        }
    }

    /// The book of REST has no number.
    fn snapshot(&mut self, out: &mut Vec<u8>) -> bool {
        out.clear();
        false
    }

    fn resubscribe(&mut self, now_ns: u64, out: &mut Frames) {
        self.live_unheard(now_ns);
        self.answered("unsubscribe", self.of.table(), now_ns, out);
        self.answered("subscribe", self.of.table(), now_ns, out);
        self.whole(now_ns, out);
    }

    fn truth(&self, out: &mut Truth) {
        self.told.truth(0, self.of.steps(), out);
    }

    fn exponents(&self) -> (i8, i8) {
        self.of.profile().exponents()
    }

    fn sent(&self) -> Counts {
        self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_has_an_id_of_its_own() {
        for of in [BitmexBook::Whole, BitmexBook::WholeByIds] {
            let ids: std::collections::BTreeSet<_> = (50_000..200_000).map(|price| of.id(price)).collect();
            assert_eq!(ids.len(), 150_000);
        }
    }
}

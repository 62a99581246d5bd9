//! OKX: the WebSocket of version 5.
//!
//! Source: okx.com/docs-v5, "Order book channel", "Trades channel", "Tickers channel", "Instruments channel"; recorded frames
//! decide the order of fields. In short:
//! 1. A book is told to a depth: a snapshot, then what has changed of the best levels, those named that fell behind it.
//! 2. Each message names the one before it (`prevSeqId`, −1 in a snapshot); numbers have holes. Now and then they begin anew,
//!    lower, and the chain goes on. Where nothing changes for long, an empty message repeats the number. Here a second is
//!    long, so that it happens.
//! 3. The form of before 2023 has no numbers and a checksum: CRC-32 over the best 25 bids and asks in turn,
//!    `price:size` joined by `:`, printed as a signed number. Later it is 0.
//! 4. All numbers are printed with as few digits as it takes.

use super::clock::{Clock, moment_ns};
use super::crc32::crc32;
use super::text::{integer, shortest};
use super::{Channel, Counts, Dialect, Frames, Truth};
use crate::curve::Curve;
use crate::market::Bbo;
use crate::market::book::Side;
use crate::market::exchange::Exchange;
use crate::market::instrument::Profile;

/// A channel, with the instrument of which it tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OkxBook {
    /// `books` of BTC-USDT: 400 levels each 100 ms, numbered.
    Books,
    /// `books50-l2-tbt` of ETH-USD-SWAP: 50 levels each 10 ms, numbered.
    Fast50,
    /// `books-l2-tbt` of ETH-USD-SWAP as before 2023: 400 levels each 10 ms, with checksums and without numbers.
    Checked,
}

/// Levels a side that a checksum covers.
const CHECKED_LEVELS: usize = 25;

/// Messages of a numbered book after which numbers begin anew.
const MESSAGES_OF_A_NUMBERING: u64 = 97;

/// How far the numbers of a numbering are from those of the one before.
const NUMBERINGS_APART: u64 = 50_000_000;

/// Milliseconds without a change after which an empty message comes.
const KEEP_ALIVE_MS: u64 = 1_000;

/// Milliseconds from one message of statistics to the next.
const STATISTICS_MS: u64 = 700;

/// Of a step from the matching engine to the connection.
const TRANSIT_MS: u64 = 2;

static BTC_USDT: Profile = Profile {
    symbol: "BTC-USDT",
    price_exponent: -1,
    qty_exponent: -8,
    reference_price: 787_223,
    actions_per_s: 150,
    fair_step: 6 * 256,
    shape: Curve(&[(0, 0), (16, 60), (128, 400), (512, 1_500), (1_024, 4_500), (1_824, 61_700)]),
    levels: 900,
    join_weight: 0,
    qty_quarters: 4_321,
    update_id: 11_000,
    trade_id: 947_611_200,
};

static ETH_SWAP: Profile = Profile {
    symbol: "ETH-USD-SWAP",
    price_exponent: -2,
    qty_exponent: 0,
    reference_price: 309_050,
    actions_per_s: 70,
    fair_step: 5 * 256,
    shape: Curve(&[(0, 0), (16, 18), (128, 300), (512, 1_500), (1_024, 4_500), (1_824, 61_700)]),
    levels: 900,
    join_weight: 16,
    qty_quarters: 1,
    update_id: 21_000,
    trade_id: 173_543_957,
};

impl OkxBook {
    const fn profile(self) -> &'static Profile {
        match self {
            Self::Books => &BTC_USDT,
            Self::Fast50 | Self::Checked => &ETH_SWAP,
        }
    }

    const fn channel(self) -> &'static str {
        match self {
            Self::Books => "books",
            Self::Fast50 => "books50-l2-tbt",
            Self::Checked => "books-l2-tbt",
        }
    }

    const fn depth(self) -> usize {
        match self {
            Self::Books | Self::Checked => 400,
            Self::Fast50 => 50,
        }
    }

    const fn window_ms(self) -> u64 {
        match self {
            Self::Books => 100,
            Self::Fast50 | Self::Checked => 10,
        }
    }

    const fn is_numbered(self) -> bool {
        !matches!(self, Self::Checked)
    }
}

/// One instrument on a connection of its book, `bbo-tbt`, `trades`, `tickers`, `instruments` and, of a swap, `mark-price`.
#[derive(Clone, Debug)]
pub struct Okx {
    book: OkxBook,
    exchange: Exchange,
    clock: Clock,
    time_ms: u64,
    next_book_ms: u64,
    next_statistics_ms: u64,
    told_ms: u64,
    /// The best levels as the last message of the book left them.
    told: Truth,
    /// How many numberings there were before the present one, and its messages.
    numbering: u64,
    messages: u64,
    best: Option<Bbo>,
    last_price: i64,
    volume: i64,
    counts: Counts,
}

impl Okx {
    /// A market before its first connection.
    #[must_use]
    pub fn new(seed: u64, book: OkxBook) -> Self {
        let exchange = Exchange::new(book.profile(), seed, 300 + book as u64);
        Self {
            book,
            clock: Clock::default(),
            time_ms: 0,
            next_book_ms: 0,
            next_statistics_ms: 0,
            told_ms: 0,
            told: Truth::default(),
            numbering: 0,
            messages: 0,
            best: None,
            last_price: book.profile().reference_price,
            volume: 0,
            counts: Counts::default(),
            exchange,
        }
    }

    /// The number of the book as it stands.
    fn number(&self) -> u64 {
        if !self.book.is_numbered() {
            return 0;
        }
        let change = self.exchange.book().id();
        let mixed = change.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        80_274_874_800 + change * 7 + mixed % 7 - self.numbering * NUMBERINGS_APART
    }

    /// The best levels as they stand.
    fn shown(&self, side: Side) -> impl Iterator<Item = (i64, i64)> {
        self.exchange.book().levels(side).take(self.book.depth()).map(|level| (level.price, level.qty))
    }

    /// Takes over what a message tells: the book as it stands.
    fn tell(&mut self, number: u64) {
        let [bids, asks] = [Side::Bid, Side::Ask].map(|side| self.shown(side).collect());
        self.told = Truth { seq: number, bids, asks };
        self.told_ms = self.time_ms;
    }

    /// What has changed of a side since the last message, best price first.
    fn changed(&self, side: Side) -> Vec<(i64, i64)> {
        let told = if side == Side::Bid { &self.told.bids } else { &self.told.asks };
        let mut told = told.iter().copied().peekable();
        let mut changed = Vec::new();
        for (price, qty) in self.shown(side) {
            while let Some((gone, _)) = told.next_if(|level| side.key(level.0) < side.key(price)) {
                changed.push((gone, 0));
            }
            if told.next_if(|level| level.0 == price).is_none_or(|level| level.1 != qty) {
                changed.push((price, qty));
            }
        }
        changed.extend(told.map(|(gone, _)| (gone, 0)));
        changed
    }

    /// Appends a message of the book, which names `before` as the one before it.
    fn message(
        &mut self,
        time_ns: u64,
        action: &str,
        [bids, asks]: [&[(i64, i64)]; 2],
        before: Option<u64>,
        out: &mut Frames,
    ) {
        let (book, told) = (self.book, &self.told);
        let profile = book.profile();
        out.push(time_ns, Channel::Book, |out| {
            begin(out, book.channel(), profile);
            texts(out, &["},\"action\":\"", action, "\",\"data\":[{\"asks\":"]);
            levels(out, profile, asks);
            texts(out, &[",\"bids\":"]);
            levels(out, profile, bids);
            stamp(out, time_ns);
            texts(out, &[",\"checksum\":"]);
            if !book.is_numbered() {
                return texts(out, &[&checksum(told, profile).to_string(), "}]}"]);
            }
            texts(out, &["0,\"seqId\":", &told.seq.to_string(), ",\"prevSeqId\":"]);
            texts(out, &[&before.map_or_else(|| "-1".to_owned(), |before| before.to_string()), "}]}"]);
        });
        self.counts.levels += (bids.len() + asks.len()) as u64;
        self.counts.checksums += u64::from(!book.is_numbered());
    }

    fn snapshot_frame(&mut self, time_ns: u64, out: &mut Frames) {
        self.tell(self.number());
        let Truth { bids, asks, .. } = self.told.clone();
        self.message(time_ns, "snapshot", [&bids, &asks], None, out);
        self.counts.snapshots += 1;
    }

    fn update(&mut self, time_ns: u64, out: &mut Frames) {
        self.next_book_ms = self.time_ms + self.book.window_ms();
        let [bids, asks] = [Side::Bid, Side::Ask].map(|side| self.changed(side));
        let before = self.told.seq;
        if bids.is_empty() && asks.is_empty() {
            if self.book.is_numbered() && self.time_ms >= self.told_ms + KEEP_ALIVE_MS {
                self.told_ms = self.time_ms;
                self.message(time_ns, "update", [&[], &[]], Some(before), out);
                self.counts.updates += 1;
            }
            return;
        }
        self.messages += 1;
        if self.messages.is_multiple_of(MESSAGES_OF_A_NUMBERING) {
            self.numbering += 1;
        }
        self.tell(self.number());
        self.message(time_ns, "update", [&bids, &asks], Some(before), out);
        self.counts.updates += 1;
    }

    fn trades(&mut self, time_ns: u64, out: &mut Frames) {
        let profile = self.exchange.profile();
        for at in 0..self.exchange.trades().len() {
            let trade = self.exchange.trades()[at];
            self.last_price = trade.price;
            self.volume += trade.qty;
            self.counts.trades += 1;
            out.push(time_ns, Channel::Trade, |out| {
                begin(out, "trades", profile);
                texts(out, &["},\"data\":[{\"instId\":\"", profile.symbol, "\",\"tradeId\":\""]);
                integer(out, trade.id);
                texts(out, &["\",\"px\":\""]);
                shortest(out, trade.price, profile.price_exponent);
                texts(out, &["\",\"sz\":\""]);
                shortest(out, trade.qty, profile.qty_exponent);
                let side = if trade.buyer_is_maker { "sell" } else { "buy" };
                texts(out, &["\",\"side\":\"", side, "\""]);
                stamp(out, time_ns);
                texts(out, &[",\"count\":\"1\"}]}"]);
            });
        }
    }

    /// The venue's own top, where it has changed.
    fn top(&mut self, time_ns: u64, out: &mut Frames) {
        let best = |side| self.exchange.book().best(side).map(|level| (level.price, level.qty));
        let (bid, ask) = (best(Side::Bid), best(Side::Ask));
        let now = self.exchange.book().bbo();
        if now == self.best {
            return;
        }
        self.best = now;
        let (profile, number, is_numbered) =
            (self.exchange.profile(), self.number(), self.book.is_numbered());
        out.push(time_ns, Channel::Ticker, |out| {
            begin(out, "bbo-tbt", profile);
            texts(out, &["},\"data\":[{\"asks\":"]);
            levels(out, profile, ask.as_slice());
            texts(out, &[",\"bids\":"]);
            levels(out, profile, bid.as_slice());
            stamp(out, time_ns);
            if is_numbered {
                texts(out, &[",\"seqId\":", &number.to_string()]);
            }
            texts(out, &["}]}"]);
        });
        self.counts.tickers += 1;
    }

    fn statistics(&mut self, time_ns: u64, out: &mut Frames) {
        self.next_statistics_ms = self.time_ms + STATISTICS_MS;
        let (profile, price, volume) = (self.exchange.profile(), self.last_price, self.volume);
        out.push(time_ns, Channel::Ticker, |out| {
            begin(out, "tickers", profile);
            texts(out, &["},\"data\":[{\"instId\":\"", profile.symbol, "\",\"last\":\""]);
            shortest(out, price, profile.price_exponent);
            texts(out, &["\",\"vol24h\":\""]);
            shortest(out, volume, profile.qty_exponent);
            texts(out, &["\""]);
            stamp(out, time_ns);
            texts(out, &["}]}"]);
        });
        self.counts.tickers += 1;
        if self.book == OkxBook::Books {
            return;
        }
        out.push(time_ns, Channel::Ticker, |out| {
            begin(out, "mark-price", profile);
            texts(out, &["},\"data\":[{\"instId\":\"", profile.symbol, "\",\"markPx\":\""]);
            shortest(out, price, profile.price_exponent);
            texts(out, &["\""]);
            stamp(out, time_ns);
            texts(out, &["}]}"]);
        });
        self.counts.tickers += 1;
    }

    fn event(&mut self, time_ns: u64, event: &str, channel: &str, out: &mut Frames) {
        let profile = self.exchange.profile();
        out.push(time_ns, Channel::Control, |out| {
            texts(out, &["{\"event\":\"", event, "\",\"arg\":{\"channel\":\"", channel]);
            texts(out, &["\",\"instId\":\"", profile.symbol, "\"},\"connId\":\"32f4414f\"}"]);
        });
        self.counts.control += 1;
    }

    fn definition(&mut self, time_ns: u64, out: &mut Frames) {
        let (profile, is_spot) = (self.exchange.profile(), self.book == OkxBook::Books);
        out.push(time_ns, Channel::Definition, |out| {
            let kind = if is_spot { "SPOT" } else { "SWAP" };
            texts(out, &["{\"arg\":{\"channel\":\"instruments\",\"instType\":\"", kind, "\"},\"data\":["]);
            texts(out, &["{\"instId\":\"", profile.symbol, "\",\"instType\":\"", kind, "\",\"lotSz\":\""]);
            shortest(out, 1, profile.qty_exponent);
            texts(out, &["\",\"state\":\"live\",\"tickSz\":\""]);
            shortest(out, 1, profile.price_exponent);
            texts(out, &["\"}]}"]);
        });
        self.counts.definitions += 1;
    }
}

fn texts(out: &mut Vec<u8>, texts: &[&str]) {
    texts.iter().for_each(|text| out.extend_from_slice(text.as_bytes()));
}

fn begin(out: &mut Vec<u8>, channel: &str, profile: &Profile) {
    texts(out, &["{\"arg\":{\"channel\":\"", channel, "\",\"instId\":\"", profile.symbol, "\""]);
}

fn stamp(out: &mut Vec<u8>, time_ns: u64) {
    texts(out, &[",\"ts\":\"", &(time_ns / 1_000_000).saturating_sub(TRANSIT_MS).to_string(), "\""]);
}

fn levels(out: &mut Vec<u8>, profile: &Profile, levels: &[(i64, i64)]) {
    out.push(b'[');
    for (position, &(price, qty)) in levels.iter().enumerate() {
        texts(out, &[if position == 0 { "[\"" } else { ",[\"" }]);
        shortest(out, price, profile.price_exponent);
        texts(out, &["\",\""]);
        shortest(out, qty, profile.qty_exponent);
        // A level of one order or of some.
        let orders = if qty == 0 { 0 } else { 1 + qty % 5 };
        texts(out, &["\",\"0\",\"", &orders.to_string(), "\"]"]);
    }
    out.push(b']');
}

/// Rule 3.
fn checksum(told: &Truth, profile: &Profile) -> i32 {
    let mut text = Vec::new();
    for place in 0..CHECKED_LEVELS {
        for &(price, qty) in [told.bids.get(place), told.asks.get(place)].into_iter().flatten() {
            if !text.is_empty() {
                text.push(b':');
            }
            shortest(&mut text, price, profile.price_exponent);
            text.push(b':');
            shortest(&mut text, qty, profile.qty_exponent);
        }
    }
    crc32(&text).cast_signed()
}

impl Dialect for Okx {
    fn venue(&self) -> &'static str {
        "okx"
    }

    fn code(&self) -> &str {
        self.book.profile().symbol
    }

    fn depth(&self) -> Option<usize> {
        Some(self.book.depth())
    }

    fn open(&mut self, now_ns: u64, out: &mut Frames) {
        for _ in 0..self.clock.start(now_ns) {
            self.exchange.live();
        }
        self.time_ms = now_ns / 1_000_000;
        for channel in ["instruments", "trades", "bbo-tbt", self.book.channel(), "tickers"] {
            self.event(now_ns, "subscribe", channel, out);
        }
        self.definition(now_ns, out);
        self.snapshot_frame(now_ns, out);
        self.best = None;
        self.top(now_ns, out);
        self.next_statistics_ms = self.time_ms + STATISTICS_MS;
    }

    fn step(&mut self, now_ns: u64, out: &mut Frames) {
        let begun = out.len();
        while out.len() == begun {
            let Some(time_ms) = self.clock.take(now_ns) else { return };
            self.time_ms = time_ms;
            self.exchange.live();
            let time_ns = moment_ns(time_ms);
            self.trades(time_ns, out);
            self.top(time_ns, out);
            if time_ms >= self.next_book_ms {
                self.update(time_ns, out);
            }
            if time_ms >= self.next_statistics_ms {
                self.statistics(time_ns, out);
            }
        }
    }

    fn snapshot(&mut self, out: &mut Vec<u8>) -> bool {
        out.clear();
        false
    }

    fn resubscribe(&mut self, now_ns: u64, out: &mut Frames) {
        for _ in 0..self.clock.start(now_ns) {
            self.exchange.live();
        }
        self.time_ms = now_ns / 1_000_000;
        self.event(now_ns, "unsubscribe", self.book.channel(), out);
        self.event(now_ns, "subscribe", self.book.channel(), out);
        self.snapshot_frame(now_ns, out);
    }

    fn truth(&self, out: &mut Truth) {
        out.clone_from(&self.told);
    }

    fn exponents(&self) -> (i8, i8) {
        self.exchange.profile().exponents()
    }

    fn sent(&self) -> Counts {
        self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_reads_both_sides_in_turn() {
        let told = Truth { seq: 0, bids: vec![(309_050, 7), (309_000, 40)], asks: vec![(309_105, 5)] };
        assert_eq!(checksum(&told, &ETH_SWAP), crc32(b"3090.5:7:3091.05:5:3090:40").cast_signed());
        assert_eq!(checksum(&Truth::default(), &ETH_SWAP), 0);
    }

    #[test]
    fn what_falls_behind_the_depth_is_named() {
        let mut okx = Okx::new(3, OkxBook::Fast50);
        okx.tell(1);
        okx.told.asks.insert(0, (300_000, 9));
        okx.told.asks.truncate(50);
        let changed = okx.changed(Side::Ask);
        assert_eq!((changed.len(), changed[0]), (2, (300_000, 0)));
        assert!(changed[1].1 > 0, "and what comes into it");
        assert_eq!(okx.changed(Side::Bid), []);
    }

    #[test]
    fn numbers_have_holes_and_begin_anew() {
        let (mut okx, mut frames) = (Okx::new(5, OkxBook::Fast50), Frames::new());
        okx.open(1_000_000_000_000, &mut frames);
        let (mut steps, mut anew, mut last) = (0, 0, okx.told.seq);
        while okx.counts.updates < 300 {
            frames.clear();
            okx.step(u64::MAX, &mut frames);
            steps += u64::from(okx.told.seq > last + 1);
            anew += u64::from(okx.told.seq < last);
            last = okx.told.seq;
        }
        assert!(steps > 100 && anew == 3, "{steps} {anew}");
    }
}

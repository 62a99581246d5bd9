//! Objects and arrays as the venue prints them.

use std::collections::VecDeque;

use super::super::text::{integer, javascript};
use super::super::{Channel, Frames};
use super::BitfinexPair;
use super::book::Row;
use crate::market::book::Side;
use crate::market::{Bbo, Trade};

const SEQ_ALL: u64 = 65_536;
const TIMESTAMP: u64 = 32_768;

/// What is subscribed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channels {
    Book,
    Trades,
    Ticker,
    Status,
}

impl Channels {
    const ALL: [Self; 4] = [Self::Book, Self::Trades, Self::Ticker, Self::Status];

    const fn name(self) -> &'static str {
        match self {
            Self::Book => "book",
            Self::Trades => "trades",
            Self::Ticker => "ticker",
            Self::Status => "status",
        }
    }
}

/// One connection: numbers of channels and of arrays.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    pair: BitfinexPair,
    flags: u64,
    /// What the venue calls the form of the book, its length, and whose frames its rows are.
    book: (&'static str, usize, Channel),
    seed: u64,
    /// By channel: its number, 0 = not subscribed, and when it last spoke.
    channels: [(u64, u64); 4],
    next_channel: u64,
    number: u64,
}

/// Appends texts.
fn texts(out: &mut Vec<u8>, texts: &[&str]) {
    texts.iter().for_each(|text| out.extend_from_slice(text.as_bytes()));
}

impl Wire {
    pub(super) const fn new(
        pair: BitfinexPair,
        flags: u64,
        book: (&'static str, usize, Channel),
        seed: u64,
    ) -> Self {
        let next_channel = 100_000 + seed % 1_000 * 100;
        Self { pair, flags, book, seed, channels: [(0, 0); 4], next_channel, number: 0 }
    }

    /// A connection begins, and `conf` is answered.
    pub(super) fn opened(&mut self, time_ns: u64, out: &mut Frames) {
        (self.channels, self.number) = ([(0, 0); 4], 0);
        let server = self.seed ^ time_ns;
        out.push(time_ns, Channel::Control, |out| {
            texts(out, &["{\"event\":\"info\",\"version\":2,\"serverId\":\""]);
            out.extend_from_slice(format!("{server:016x}").as_bytes());
            texts(out, &["\",\"platform\":{\"status\":1}}"]);
        });
        out.push(time_ns, Channel::Control, |out| {
            texts(out, &["{\"event\":\"conf\",\"status\":\"OK\",\"flags\":"]);
            integer(out, self.flags);
            out.push(b'}');
        });
    }

    /// A channel gets its number.
    pub(super) fn subscribed(&mut self, time_ns: u64, channel: Channels, out: &mut Frames) {
        self.next_channel += 1;
        let (id, symbol) = (self.next_channel, self.pair.code());
        self.channels[channel as usize] = (id, time_ns);
        out.push(time_ns, Channel::Control, |out| {
            texts(out, &["{\"event\":\"subscribed\",\"channel\":\"", channel.name(), "\",\"chanId\":"]);
            integer(out, id);
            match channel {
                Channels::Status => texts(out, &[",\"key\":\"deriv:", symbol, "\"}"]),
                Channels::Book => {
                    let (precision, len, _) = self.book;
                    texts(out, &[",\"symbol\":\"", symbol, "\",\"prec\":\"", precision]);
                    texts(out, &["\",\"freq\":\"F0\",\"len\":\""]);
                    integer(out, len as u64);
                    texts(out, &["\",\"pair\":\"", &symbol[1..], "\"}"]);
                }
                _ => texts(out, &[",\"symbol\":\"", symbol, "\",\"pair\":\"", &symbol[1..], "\"}"]),
            }
        });
    }

    /// The book's channel ends.
    pub(super) fn unsubscribed(&mut self, time_ns: u64, out: &mut Frames) {
        let (id, _) = std::mem::take(&mut self.channels[Channels::Book as usize]);
        out.push(time_ns, Channel::Control, |out| {
            texts(out, &["{\"event\":\"unsubscribed\",\"status\":\"OK\",\"chanId\":"]);
            integer(out, id);
            out.push(b'}');
        });
    }

    /// An array of a channel.
    fn array(
        &mut self,
        time_ns: u64,
        of: Channels,
        kind: Channel,
        out: &mut Frames,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        self.number += 1;
        self.channels[of as usize].1 = time_ns;
        out.push(time_ns, kind, |out| {
            out.push(b'[');
            integer(out, self.channels[of as usize].0);
            out.push(b',');
            write(out);
            if self.flags & SEQ_ALL != 0 {
                out.push(b',');
                integer(out, self.number);
            }
            if self.flags & TIMESTAMP != 0 {
                out.push(b',');
                integer(out, time_ns / 1_000_000);
            }
            out.push(b']');
        });
    }

    /// Rows of the book: a list, or one.
    pub(super) fn rows(&mut self, time_ns: u64, rows: &[Row], is_list: bool, out: &mut Frames) {
        let profile = self.pair.profile();
        self.array(time_ns, Channels::Book, self.book.2, out, |out| {
            if is_list {
                out.push(b'[');
            }
            for (position, row) in rows.iter().enumerate() {
                out.extend_from_slice(if position == 0 { b"[" } else { b",[" });
                let (side, qty, is_gone) = match *row {
                    Row::Level(row) => {
                        javascript(out, row.price, profile.price_exponent);
                        out.push(b',');
                        integer(out, u64::from(row.count));
                        (row.side, row.qty, row.count == 0)
                    }
                    Row::Order(row) => {
                        integer(out, row.id);
                        out.push(b',');
                        javascript(out, row.price, profile.price_exponent);
                        (row.side, row.qty, row.price == 0)
                    }
                };
                let sign: &[u8] = if side == Side::Ask { b",-" } else { b"," };
                out.extend_from_slice(sign);
                if is_gone {
                    out.push(b'1');
                } else {
                    javascript(out, qty, profile.qty_exponent);
                }
                out.push(b']');
            }
            if is_list {
                out.push(b']');
            }
        });
    }

    /// The checksum of the book, as a signed number.
    pub(super) fn check(&mut self, time_ns: u64, check: u32, out: &mut Frames) {
        let signed = check.cast_signed();
        self.array(time_ns, Channels::Book, self.book.2, out, |out| {
            texts(out, &["\"cs\",", if signed < 0 { "-" } else { "" }]);
            integer(out, u64::from(signed.unsigned_abs()));
        });
    }

    fn one_trade(&self, out: &mut Vec<u8>, (trade, time_ms): (Trade, u64)) {
        let profile = self.pair.profile();
        out.push(b'[');
        integer(out, trade.id);
        out.push(b',');
        integer(out, time_ms);
        let sign: &[u8] = if trade.buyer_is_maker { b",-" } else { b"," };
        out.extend_from_slice(sign);
        javascript(out, trade.qty, profile.qty_exponent);
        out.push(b',');
        javascript(out, trade.price, profile.price_exponent);
        out.push(b']');
    }

    /// The last trades, the newest first.
    pub(super) fn recent(&mut self, time_ns: u64, recent: &VecDeque<(Trade, u64)>, out: &mut Frames) {
        let mut list = b"[".to_vec();
        for (position, &trade) in recent.iter().rev().enumerate() {
            list.extend_from_slice(if position == 0 { b"" } else { b"," });
            self.one_trade(&mut list, trade);
        }
        list.push(b']');
        self.array(time_ns, Channels::Trades, Channel::Trade, out, |out| out.extend_from_slice(&list));
    }

    /// A trade by `te` or `tu`.
    pub(super) fn trade(&mut self, time_ns: u64, name: &str, trade: (Trade, u64), out: &mut Frames) {
        let mut row = Vec::new();
        self.one_trade(&mut row, trade);
        self.array(time_ns, Channels::Trades, Channel::Trade, out, |out| {
            texts(out, &["\"", name, "\","]);
            out.extend_from_slice(&row);
        });
    }

    /// Best prices with sums behind them, the day.
    pub(super) fn ticker(
        &mut self,
        time_ns: u64,
        bbo: Option<Bbo>,
        last: i64,
        volume: i64,
        out: &mut Frames,
    ) {
        let profile = self.pair.profile();
        let price = |out: &mut Vec<u8>, price| javascript(out, price, profile.price_exponent);
        let qty = |out: &mut Vec<u8>, qty| javascript(out, qty, profile.qty_exponent);
        self.array(time_ns, Channels::Ticker, Channel::Ticker, out, |out| {
            out.push(b'[');
            for (of_price, of_qty) in
                [bbo.map(|bbo| (bbo.bid_price, bbo.bid_qty)), bbo.map(|bbo| (bbo.ask_price, bbo.ask_qty))]
                    .map(Option::unwrap_or_default)
            {
                price(out, of_price);
                out.push(b',');
                qty(out, of_qty);
                out.push(b',');
            }
            texts(out, &["0,-0.0268,"]);
            price(out, last);
            out.push(b',');
            // As a sum of binary numbers is printed.
            qty(out, volume);
            let is_fraction = volume % 100_000_000 != 0 && volume > 100_000_000;
            texts(out, &[if is_fraction { "00001" } else { "" }, ","]);
            price(out, last);
            out.push(b',');
            price(out, last);
            out.push(b']');
        });
    }

    /// The state of a derivative.
    pub(super) fn status(&mut self, time_ns: u64, last: i64, out: &mut Frames) {
        let time_ms = time_ns / 1_000_000;
        let next_ms = (time_ms / 28_800_000 + 1) * 28_800_000;
        let status = format!(
            "[{time_ms},null,{last}.5,{last}.3333333333333,null,101120.80328179,null,{next_ms},0.00000725,296,null,\
             -1.4e-7,null,null,{last}.893333333333,null,null,3005.25851857,null,null,null,-0.0025,0.0025]"
        );
        self.array(time_ns, Channels::Status, Channel::Ticker, out, |out| texts(out, &[&status]));
    }

    /// Lets channels that are silent for so long say that they live; how many did.
    pub(super) fn heartbeats(&mut self, time_ns: u64, silence_ms: u64, out: &mut Frames) -> u64 {
        let mut count = 0;
        for channel in Channels::ALL {
            let (id, spoke_ns) = self.channels[channel as usize];
            if id != 0 && time_ns.saturating_sub(spoke_ns) >= silence_ms * 1_000_000 {
                self.array(time_ns, channel, Channel::Heartbeat, out, |out| texts(out, &["\"hb\""]));
                count += 1;
            }
        }
        count
    }
}

//! The embedded venue as a dialect: one symbol of its connection.

use depthwire_sim::dialects::{Channel, Counts, Dialect, Frames, Truth};
use depthwire_sim::{Market, SNAPSHOT_LIMIT_MAX};

use crate::rooms::spot_exponents;

const SYMBOL: &str = "BTCUSDT";
const STREAM: &[u8] = b"{\"stream\":\"btcusdt@";

/// See the module.
#[derive(Clone)]
pub struct Embedded {
    seed: u64,
    market: Option<Market>,
    truth: Truth,
    counts: Counts,
}

impl Embedded {
    pub fn new(seed: u64) -> Self {
        Self { seed, market: None, truth: Truth::default(), counts: Counts::default() }
    }

    fn note(&mut self) {
        let Some(market) = &self.market else { return };
        let book = market.true_book(SYMBOL).unwrap();
        let (bids, asks) = (book.bids().collect(), book.asks().collect());
        self.truth = Truth { seq: book.id(), bids, asks };
    }

    /// The next frame of the symbol.
    fn frame(&mut self, out: &mut Vec<u8>) -> (u64, Channel) {
        let Some(market) = &mut self.market else { panic!("it is open") };
        loop {
            market.next_frame(out);
            let Some(stream) = out.strip_prefix(STREAM) else { continue };
            let channel = match stream[0] {
                b'd' => Channel::Book,
                b't' => Channel::Trade,
                _ => Channel::Ticker,
            };
            let time_ns = market.frame_time_ms() * 1_000_000;
            if channel == Channel::Book {
                self.note();
            }
            return (time_ns, channel);
        }
    }
}

impl Dialect for Embedded {
    fn venue(&self) -> &'static str {
        "sim"
    }

    fn code(&self) -> &str {
        SYMBOL
    }

    fn depth(&self) -> Option<usize> {
        None
    }

    fn open(&mut self, now_ns: u64, _: &mut Frames) {
        match self.market {
            None => self.market = Some(Market::new(self.seed, now_ns / 1_000_000)),
            Some(_) => while self.frame(&mut Vec::new()).0 < now_ns {},
        }
    }

    fn step(&mut self, _: u64, out: &mut Frames) {
        let mut bytes = Vec::new();
        let (time_ns, channel) = self.frame(&mut bytes);
        match channel {
            Channel::Book => self.counts.updates += 1,
            Channel::Trade => self.counts.trades += 1,
            _ => self.counts.tickers += 1,
        }
        out.push(time_ns, channel, |out| out.extend_from_slice(&bytes));
    }

    fn snapshot(&mut self, out: &mut Vec<u8>) -> bool {
        let market = self.market.as_ref().unwrap();
        market.snapshot(SYMBOL, SNAPSHOT_LIMIT_MAX, out).unwrap();
        true
    }

    fn resubscribe(&mut self, now_ns: u64, out: &mut Frames) {
        self.open(now_ns, out);
    }

    fn truth(&self, out: &mut Truth) {
        out.clone_from(&self.truth);
    }

    fn exponents(&self) -> (i8, i8) {
        spot_exponents()
    }

    fn sent(&self) -> Counts {
        self.counts
    }
}

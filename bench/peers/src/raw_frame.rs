//! Typed JSON parsers and ordered maps on raw frames: `sonic-rs` and `simd-json` through `serde`, each as it is fastest.
//!
//! A frame's kind is told by its stream's name, so that each kind has a struct of its own; texts are borrowed; the vectors
//! of levels are allocated once a side, with room for most frames; decimals are read exactly, out of the borrowed text
//! and straight into the map. `simd-json` writes in its input, which every run gets anew outside the time, and keeps its
//! buffers.

use std::collections::BTreeMap;
use std::hint::black_box;

use depthwire_bench::raw_frame::{Input, Path, Said, passes};
use depthwire_bench::timing::Contender;
use depthwire_bench::workload::{LevelBook, Workload};
use depthwire_core::sequence::{Chain, SeqOutcome};
use depthwire_core::types::{
    Aggressor, Level, Price, Qty, Route, Trade, TradeId, VenueBbo, VenueSeq, parse_decimal,
};
use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};

/// The contenders.
pub fn contenders(workload: &Workload) -> Vec<Contender<'_>> {
    let Ok(input) = Input::of(workload) else { return Vec::new() };
    let sonic = passes("sonic-rs + BTreeMap", &input, Typed::new(&input, Sonic));
    let simd = passes("simd-json + BTreeMap", &input, Typed::new(&input, Simd::default()));
    let built = if cfg!(target_feature = "avx2") {
        ""
    } else {
        "built without the -C target-cpu=native that it wants"
    };
    [sonic.map(|sonic| sonic.noted(built)), simd].into_iter().flatten().collect()
}

/// A parser of typed messages.
trait Parser {
    fn parse<'a, T: Deserialize<'a>>(&mut self, frame: &'a mut [u8]) -> Option<T>;
}

struct Sonic;

impl Parser for Sonic {
    #[inline]
    fn parse<'a, T: Deserialize<'a>>(&mut self, frame: &'a mut [u8]) -> Option<T> {
        sonic_rs::from_slice(frame).ok()
    }
}

#[derive(Default)]
struct Simd {
    buffers: simd_json::Buffers,
}

impl Parser for Simd {
    #[inline]
    fn parse<'a, T: Deserialize<'a>>(&mut self, frame: &'a mut [u8]) -> Option<T> {
        simd_json::serde::from_slice_with_buffers(frame, &mut self.buffers).ok()
    }
}

/// A combined stream's frame.
#[derive(Deserialize)]
struct Combined<T> {
    data: T,
}

#[derive(Deserialize)]
struct DepthMessage<'a> {
    #[serde(rename = "E")]
    event_time: u64,
    #[serde(rename = "T")]
    transaction_time: Option<u64>,
    #[serde(rename = "U")]
    first_id: u64,
    #[serde(rename = "u")]
    last_id: u64,
    #[serde(rename = "pu")]
    prev_id: Option<u64>,
    #[serde(rename = "b", borrow)]
    bids: Pairs<'a>,
    #[serde(rename = "a", borrow)]
    asks: Pairs<'a>,
}

#[derive(Deserialize)]
struct TickerMessage<'a> {
    #[serde(rename = "u")]
    last_id: u64,
    #[serde(rename = "b")]
    bid_price: &'a str,
    #[serde(rename = "B")]
    bid_qty: &'a str,
    #[serde(rename = "a")]
    ask_price: &'a str,
    #[serde(rename = "A")]
    ask_qty: &'a str,
    #[serde(rename = "T")]
    transaction_time: Option<u64>,
}

#[derive(Deserialize)]
struct TradeMessage<'a> {
    #[serde(rename = "t")]
    id: u64,
    #[serde(rename = "p")]
    price: &'a str,
    #[serde(rename = "q")]
    qty: &'a str,
    #[serde(rename = "T")]
    time: u64,
    #[serde(rename = "m")]
    is_buyer_maker: bool,
}

/// `[["price","qty"],…]`.
struct Pairs<'a>(Vec<(&'a str, &'a str)>);

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Room;
        impl<'de> Visitor<'de> for Room {
            type Value = Pairs<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("levels")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut levels: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::with_capacity(128);
                while let Some(pair) = levels.next_element()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_seq(Room)
    }
}

/// A parser with an ordered map for each side.
struct Typed<P> {
    parser: P,
    route: Route,
    chain: Chain,
    bids: BTreeMap<i64, i64>,
    asks: BTreeMap<i64, i64>,
}

impl<P: Parser> Typed<P> {
    fn new(input: &Input<'_>, parser: P) -> Self {
        let (bids, asks) = Default::default();
        let recording = input.recording;
        let route = recording.routes.find(recording.symbol.as_bytes()).expect("a recording carries its symbol");
        Self { parser, route, chain: input.chain, bids, asks }
    }

    #[inline]
    fn depth(&mut self, frame: &mut [u8], said: &mut Said) -> Option<()> {
        let DepthMessage { event_time, transaction_time, first_id, last_id, prev_id, bids, asks } =
            self.parser.parse::<Combined<_>>(frame)?.data;
        black_box(transaction_time.unwrap_or(event_time) * 1_000_000);
        let update = VenueSeq { first: first_id, last: last_id, prev: prev_id };
        match self.chain.check(&update) {
            SeqOutcome::Old => return Some(()),
            SeqOutcome::Gap { .. } => return None,
            SeqOutcome::Next => self.chain.advance(&update),
        }
        put_all(&mut self.bids, &bids, self.route)?;
        put_all(&mut self.asks, &asks, self.route)?;
        let level = |(&price, &qty): (&i64, &i64)| Level::new(price, qty);
        said.top((self.bids.last_key_value().map(level), self.asks.first_key_value().map(level)));
        Some(())
    }

    #[inline]
    fn ticker(&mut self, frame: &mut [u8], said: &mut Said) -> Option<()> {
        let message: TickerMessage<'_> = self.parser.parse::<Combined<_>>(frame)?.data;
        let level = |price, qty| level(price, qty, self.route);
        said.venue_bbo(&VenueBbo {
            venue_seq: message.last_id,
            bid: level(message.bid_price, message.bid_qty)?,
            ask: level(message.ask_price, message.ask_qty)?,
            ts_event: message.transaction_time.unwrap_or_default() * 1_000_000,
        });
        Some(())
    }

    #[inline]
    fn trade(&mut self, frame: &mut [u8], said: &mut Said) -> Option<()> {
        let message: TradeMessage<'_> = self.parser.parse::<Combined<_>>(frame)?.data;
        let Level { price, qty } = level(message.price, message.qty, self.route)?;
        said.trade(&Trade {
            id: TradeId::Number(message.id),
            price,
            qty,
            aggressor: if message.is_buyer_maker { Aggressor::Sell } else { Aggressor::Buy },
            ts_event: message.time * 1_000_000,
            resting: None,
        });
        Some(())
    }
}

impl<P: Parser> Path for Typed<P> {
    fn load(&mut self, from: &LevelBook, chain: Chain) -> Result<(), String> {
        self.chain = chain;
        let side = |levels: &[Level]| levels.iter().map(|level| (level.price.0, level.qty.0)).collect();
        (self.bids, self.asks) = (side(&from.snapshot.bids), side(&from.snapshot.asks));
        Ok(())
    }

    #[inline]
    fn take(&mut self, frame: &mut [u8], said: &mut Said) {
        // The name is among the first bytes: `{"stream":"btcusdt@depth@100ms",…`.
        let kind = frame.iter().position(|&byte| byte == b'@').and_then(|at| frame.get(at + 1..at + 6));
        let done = match kind {
            Some(b"depth") => self.depth(frame, said),
            Some(b"bookT") => self.ticker(frame, said),
            Some(b"trade") => self.trade(frame, said),
            _ => None,
        };
        if done.is_none() {
            said.failed();
        }
    }
}

#[inline]
fn level(price: &str, qty: &str, route: Route) -> Option<Level> {
    let price = parse_decimal(price.as_bytes(), route.price_exponent).ok()?;
    let qty = parse_decimal(qty.as_bytes(), route.qty_exponent).ok()?;
    Some(Level { price: Price(price), qty: Qty(qty) })
}

#[inline]
fn put_all(side: &mut BTreeMap<i64, i64>, pairs: &Pairs<'_>, route: Route) -> Option<()> {
    for &(price, qty) in &pairs.0 {
        let Level { price, qty } = level(price, qty, route)?;
        if qty.0 == 0 {
            side.remove(&price.0);
        } else {
            side.insert(price.0, qty.0);
        }
    }
    Some(())
}

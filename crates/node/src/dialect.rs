//! The exported `Dialect`: a simulated instrument as one connection to its venue hears it.

use depthwire_core::book::digest;
use depthwire_core::types::{Decimal, Level};
use depthwire_sim::SimError;
use depthwire_sim::dialects::{self, Channel, Dialect as Spoken, Frames, Kind, Truth};
use napi::Env;
use napi::bindgen_prelude::BigInt;
use napi_derive::napi;

use crate::argument::Argument;
use crate::guard::{Owned, Result, guard};
use crate::simulator::{hand_out, natural, refused, too_small};
use crate::weight::Weight;

/// What a market and its told book hold, nearly all of it from the start.
const MARKET_BYTES: usize = 1 << 20;

/// Bytes of frames after which a step ends, until they are fetched.
const FRAMES_BYTES: usize = 1 << 20;

/// Bytes before each frame: its length and its channel, 32 bits each, little-endian.
const HEADER_BYTES: usize = 8;

/// A kind of dialect that can be made.
#[napi(object)]
pub struct DialectInfo {
    /// The part of a name before the colon.
    pub venue: String,
    /// The venue's code of its instrument.
    pub code: String,
    /// Levels a side to which the venue cuts its book; 0 = it tells of all.
    pub depth: u32,
    /// Whether it tells orders rather than levels.
    pub is_by_order: bool,
    /// Exponents of ten of its prices and quantities.
    pub price_exponent: i32,
    pub qty_exponent: i32,
}

/// The venue's own book as its last frame left it.
#[napi(object)]
pub struct TrueBook {
    /// The venue's number of the last change told; 0 where the venue has none.
    pub seq: BigInt,
    /// As the engine's `digest`.
    pub digest: String,
    pub bids: u32,
    pub asks: u32,
}

/// Every dialect of the simulator.
#[napi]
pub fn dialects() -> Result<Vec<DialectInfo>> {
    guard(|| {
        let info = |kind: &Kind| DialectInfo {
            venue: kind.venue.to_owned(),
            code: kind.code.clone(),
            depth: kind.depth.unwrap_or(0) as u32,
            is_by_order: kind.is_by_order,
            price_exponent: kind.exponents.0.into(),
            qty_exponent: kind.exponents.1.into(),
        };
        Ok(dialects::kinds().iter().map(info).collect())
    })
}

/// One instrument, whose market lives while it is stepped.
#[napi]
pub struct Dialect {
    owned: Owned<Connection>,
}

struct Connection {
    dialect: Box<dyn Spoken>,
    /// What was said and is not handed out.
    frames: Frames,
    /// Frames of the list that are.
    handed_out: usize,
    /// The answer that is being handed out.
    answer: Vec<u8>,
    _weight: Weight,
}

#[napi]
impl Dialect {
    /// A market before its first connection: of the depth asked for or the next deeper one that the venue has. `code` is the
    /// venue's code of it, empty = the dialect's own. Throws where no dialect is of that venue.
    #[napi(
        constructor,
        ts_args_type = "venue: string, isByOrder: boolean, depth: number, seed: number, code: string"
    )]
    pub fn new(
        env: &Env,
        venue: Argument,
        is_by_order: Argument,
        depth: Argument,
        seed: Argument,
        code: Argument,
    ) -> Result<Self> {
        guard(|| {
            let (venue, is_by_order) = (venue.text("venue")?, is_by_order.flag("isByOrder")?);
            let (depth, seed) = (depth.u32("depth")?, natural("seed", &seed)?);
            let code = code.text("code")?;
            let kind = Kind::of(&venue, is_by_order, depth as usize, &code);
            let kind = kind.ok_or_else(|| refused(SimError::NoDialect))?;
            Ok(Self::of(env, kind.make(seed, if code.is_empty() { &kind.code } else { &code })))
        })
    }

    fn of(env: &Env, dialect: Box<dyn Spoken>) -> Self {
        let _weight = Weight::unhurried(env, MARKET_BYTES);
        let frames = Frames::new();
        Self {
            owned: Owned::Open(Connection { dialect, frames, handed_out: 0, answer: Vec::new(), _weight }),
        }
    }

    /// Gives the memory back at once. Any other use after it throws `addon.closed`.
    #[napi]
    pub fn close(&mut self) -> Result<()> {
        self.owned.close()
    }

    /// Another connection to the same market, to be opened at the millisecond to which this one was stepped.
    #[napi]
    pub fn fork(&mut self, env: &Env) -> Result<Self> {
        self.owned.run(|connection| Ok(Self::of(env, connection.dialect.fork())))
    }

    /// The same with its book cut to another depth, or the next deeper one that the venue has; null where each depth is a market
    /// of its own.
    #[napi(ts_args_type = "depth: number", ts_return_type = "Dialect | null")]
    pub fn cut(&mut self, env: &Env, depth: Argument) -> Result<Option<Self>> {
        self.owned.run(|connection| {
            let depth = depth.u32("depth")? as usize;
            Ok(connection.dialect.cut(depth).map(|dialect| Self::of(env, dialect)))
        })
    }

    /// Levels a side to which the venue cuts the book; 0 = it tells of all.
    #[napi]
    pub fn depth(&mut self) -> Result<u32> {
        self.owned.run(|connection| Ok(connection.dialect.depth().unwrap_or(0) as u32))
    }

    /// Begins a connection at the end of that millisecond: what the venue says at once. Frames that were not handed out are
    /// lost. Writes and returns as `step`.
    #[napi(ts_args_type = "nowMs: number, out: Uint8Array")]
    pub fn open(&mut self, now_ms: Argument, out: Argument) -> Result<u32> {
        self.owned.run(|connection| {
            connection.frames.clear();
            connection.handed_out = 0;
            Ok(())
        })?;
        self.said(&now_ms, out, |dialect, now_ns, frames| dialect.open(now_ns, frames))
    }

    /// Unsubscribes and subscribes again. Writes and returns as `step`.
    #[napi(ts_args_type = "nowMs: number, out: Uint8Array")]
    pub fn resubscribe(&mut self, now_ms: Argument, out: Argument) -> Result<u32> {
        self.said(&now_ms, out, |dialect, now_ns, frames| dialect.resubscribe(now_ns, frames))
    }

    /// Writes as many frames as fit of those that are due by the end of that millisecond, each behind its length and its
    /// channel (32 bits each, little-endian), and returns the bytes; 0 = no more is due.
    #[napi(ts_args_type = "nowMs: number, out: Uint8Array")]
    pub fn step(&mut self, now_ms: Argument, out: Argument) -> Result<u32> {
        self.said(&now_ms, out, |dialect, now_ns, frames| {
            let mut len = usize::MAX;
            while len != frames.len() && frames.bytes_len() < FRAMES_BYTES {
                len = frames.len();
                dialect.step(now_ns, frames);
            }
        })
    }

    /// Writes the answer to a request for the book and returns its bytes; 0 = the venue has none.
    #[napi(ts_args_type = "out: Uint8Array")]
    pub fn snapshot(&mut self, mut out: Argument) -> Result<u32> {
        self.owned.run(|Connection { dialect, answer, .. }| {
            let out = out.output("out")?;
            if dialect.snapshot(answer) { hand_out(answer, out) } else { Ok(0) }
        })
    }

    /// The venue's own book as the last frame about it left it.
    #[napi]
    pub fn truth(&mut self) -> Result<TrueBook> {
        self.owned.run(|connection| {
            let mut truth = Truth::default();
            connection.dialect.truth(&mut truth);
            let (price, qty) = connection.dialect.exponents();
            let [bids, asks] = [&truth.bids, &truth.asks]
                .map(|levels| levels.iter().map(|&(price, qty)| Level::new(price, qty)));
            Ok(TrueBook {
                seq: BigInt::from(truth.seq),
                digest: digest(bids, asks, price, qty),
                bids: truth.bids.len() as u32,
                asks: truth.asks.len() as u32,
            })
        })
    }

    /// The best of that book's levels, as many a side at most, buyers first: `B 61602.01 0.5`.
    #[napi(ts_args_type = "depth: number")]
    pub fn levels(&mut self, depth: Argument) -> Result<Vec<String>> {
        self.owned.run(|connection| {
            let depth = depth.u32("depth")? as usize;
            let mut truth = Truth::default();
            connection.dialect.truth(&mut truth);
            let (price, qty) = connection.dialect.exponents();
            let text = |side: char, &(of_price, of_qty): &(i64, i64)| {
                let price = Decimal { mantissa: of_price, exponent: price };
                format!("{side} {price} {}", Decimal { mantissa: of_qty, exponent: qty })
            };
            let bids = truth.bids.iter().take(depth).map(|level| text('B', level));
            Ok(bids.chain(truth.asks.iter().take(depth).map(|level| text('A', level))).collect())
        })
    }

    fn said(
        &mut self,
        now_ms: &Argument,
        mut out: Argument,
        say: impl FnOnce(&mut dyn Spoken, u64, &mut Frames),
    ) -> Result<u32> {
        self.owned.run(|Connection { dialect, frames, handed_out, .. }| {
            let (now_ms, out) = (natural("nowMs", now_ms)?, out.output("out")?);
            if *handed_out == frames.len() {
                frames.clear();
                *handed_out = 0;
            }
            say(&mut **dialect, now_ms.saturating_mul(1_000_000).saturating_add(999_999), frames);
            let mut written = 0;
            for frame in frames.iter().skip(*handed_out) {
                let len = HEADER_BYTES + frame.bytes.len();
                let Some(room) = out.get_mut(written..written + len) else {
                    if written == 0 {
                        return Err(too_small(len));
                    }
                    break;
                };
                let (header, place) = room.split_at_mut(HEADER_BYTES);
                let numbers = [frame.bytes.len() as u32, number(frame.channel)];
                header.copy_from_slice(numbers.map(u32::to_le_bytes).as_flattened());
                place.copy_from_slice(frame.bytes);
                written += len;
                *handed_out += 1;
            }
            Ok(written as u32)
        })
    }
}

/// The order of `FRAME_CHANNELS` in TypeScript.
const fn number(channel: Channel) -> u32 {
    match channel {
        Channel::Control => 0,
        Channel::Definition => 1,
        Channel::Book => 2,
        Channel::Orders => 3,
        Channel::Trade => 4,
        Channel::Ticker => 5,
        Channel::Heartbeat => 6,
    }
}

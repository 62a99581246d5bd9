//! The exported `Simulator`: the embedded venue.

use depthwire_core::types::Account;
use depthwire_sim::{Market, SimError};
use napi::Env;
use napi_derive::napi;

use crate::argument::{Argument, SAFE_INTEGER_MAX};
use crate::guard::{Code, Owned, Result, error, guard};
use crate::weight::Weight;

/// What a market's orders hold, nearly all of them from the start.
const MARKET_BYTES: usize = 2 << 20;

/// A deterministic market that speaks the wire format of the embedded venue.
#[napi]
pub struct Simulator {
    owned: Owned<Venue>,
}

struct Venue {
    market: Market,
    /// The frame or snapshot that is being handed out.
    bytes: Vec<u8>,
    _weight: Weight,
}

#[napi]
impl Simulator {
    /// The same seed and start give the same bytes.
    #[napi(constructor, ts_args_type = "seed: number, startMs: number")]
    pub fn new(env: &Env, seed: Argument, start_ms: Argument) -> Result<Self> {
        guard(|| {
            let market = Market::new(natural("seed", &seed)?, natural("startMs", &start_ms)?);
            let _weight = Weight::new(env, MARKET_BYTES);
            Ok(Self { owned: Owned::Open(Venue { market, bytes: Vec::new(), _weight }) })
        })
    }

    /// Gives the memory back at once. Any other use after it throws `addon.closed`.
    #[napi]
    pub fn close(&mut self) -> Result<()> {
        self.owned.close()
    }

    /// The symbols traded here.
    #[napi]
    pub fn symbols(&mut self) -> Result<Vec<String>> {
        self.owned.run(|venue| Ok(venue.market.symbols().iter().map(ToString::to_string).collect()))
    }

    /// Writes the next frame due at or before `nowMs` and returns its bytes; 0 = none is due.
    #[napi(ts_args_type = "nowMs: number, out: Uint8Array")]
    pub fn next(&mut self, now_ms: Argument, mut out: Argument) -> Result<u32> {
        self.owned.run(|Venue { market, bytes, .. }| {
            let (now, out) = (natural("nowMs", &now_ms)?, out.output("out")?);
            if market.next(now, bytes) { hand_out(bytes, out) } else { Ok(0) }
        })
    }

    /// Writes the REST depth answer of this moment and returns its bytes.
    #[napi(ts_args_type = "symbol: string, limit: number, out: Uint8Array")]
    pub fn snapshot(&mut self, symbol: Argument, limit: Argument, mut out: Argument) -> Result<u32> {
        self.owned.run(|Venue { market, bytes, .. }| {
            let (symbol, limit, out) = (symbol.text("symbol")?, limit.u32("limit")?, out.output("out")?);
            let written = market.snapshot(&symbol, limit as usize, bytes);
            written.map_err(refused)?;
            hand_out(bytes, out)
        })
    }
}

/// An integer of 0 or more.
pub(crate) fn natural(name: &str, value: &Argument) -> Result<u64> {
    value.integer(name, 0..=SAFE_INTEGER_MAX).map(|number| number as u64)
}

pub(crate) fn refused(wrong: SimError) -> napi::Error<Code> {
    let [what, expected, got] = wrong.parts();
    error(wrong.code(), Account { what, expected, got }, wrong.fix())
}

/// Writes the bytes and returns how many they are.
pub(crate) fn hand_out(bytes: &[u8], out: &mut [u8]) -> Result<u32> {
    let room = out.get_mut(..bytes.len()).ok_or_else(|| too_small(bytes.len()))?;
    room.copy_from_slice(bytes);
    Ok(bytes.len() as u32)
}

pub(crate) fn too_small(bytes: usize) -> napi::Error<Code> {
    let account = Account::new("the buffer is too small", format_args!("{bytes} bytes"), "fewer");
    error("simulator.buffer_too_small", account, "pass a larger buffer")
}

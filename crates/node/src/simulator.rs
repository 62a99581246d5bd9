//! The exported `Simulator`: the embedded venue.

use depthwire_sim::Market;
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;

use crate::guard::{Result, error, guard};

/// A deterministic market that speaks the Binance spot wire format.
#[napi]
pub struct Simulator {
    market: Market,
    /// The frame or snapshot that is being handed out.
    bytes: Vec<u8>,
    failed: bool,
}

#[napi]
impl Simulator {
    /// The same seed and start give the same bytes.
    #[napi(constructor)]
    pub fn new(seed: f64, start_ms: f64) -> Result<Self> {
        guard(&mut false, || {
            Ok(Self { market: Market::new(seed as u64, start_ms as u64), bytes: Vec::new(), failed: false })
        })
    }

    /// The symbols traded here.
    #[napi]
    pub fn symbols(&mut self) -> Result<Vec<String>> {
        let Self { market, failed, .. } = self;
        guard(failed, || Ok(market.symbols().iter().map(ToString::to_string).collect()))
    }

    /// Writes the next frame due at or before `nowMs` and returns its bytes; 0 = none is due.
    #[napi]
    pub fn next(&mut self, now_ms: f64, out: Uint8Array) -> Result<u32> {
        let Self { market, bytes, failed } = self;
        guard(failed, || if market.next(now_ms as u64, bytes) { hand_out(bytes, out) } else { Ok(0) })
    }

    /// Writes the REST depth answer of this moment and returns its bytes.
    #[napi]
    pub fn snapshot(&mut self, symbol: String, limit: u32, out: Uint8Array) -> Result<u32> {
        let Self { market, bytes, failed } = self;
        guard(failed, || {
            let written = market.snapshot(&symbol, limit as usize, bytes);
            written.map_err(|wrong| error(wrong.code(), wrong, "use a symbol that symbols() lists"))?;
            hand_out(bytes, out)
        })
    }
}

fn hand_out(bytes: &[u8], mut out: Uint8Array) -> Result<u32> {
    // SAFETY: the view was made by the caller's thread for this call, is not kept, and nothing calls back into JavaScript.
    let out = unsafe { out.as_mut() };
    let room = out.get_mut(..bytes.len()).ok_or_else(|| {
        let what = format!("the buffer is too small; expected {} bytes, got fewer", bytes.len());
        error("sim.buffer_too_small", what, "pass a larger buffer")
    })?;
    room.copy_from_slice(bytes);
    Ok(bytes.len() as u32)
}

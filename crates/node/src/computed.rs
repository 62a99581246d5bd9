//! The exported `Engine`: views of what is computed of an instrument.

use depthwire_core::types::{InstrumentId, Qty};
use napi_derive::napi;

use crate::argument::Argument;
use crate::engine::Engine;
use crate::guard::Result;
use crate::state::engine_error;

#[napi]
impl Engine {
    /// The stream of what has traded at prices; the same arguments share one. `grouping`: the width of its price buckets in
    /// units of the instrument's price mantissa, a multiple of its tick; absent or 0 = prices as they are. `closeView` leaves it.
    #[napi(ts_args_type = "instrument: number, intervalMs: number, grouping?: bigint")]
    pub fn open_volumes(
        &self,
        instrument: Argument,
        interval_ms: Argument,
        grouping: Argument,
    ) -> Result<u32> {
        self.run(|state| {
            let now = state.now();
            let id = InstrumentId(instrument.u32("instrument")?);
            let interval_ns = u64::from(interval_ms.u32("intervalMs")?) * 1_000_000;
            let opened = state.engine.open_volumes(id, interval_ns, width(grouping)?, now);
            opened.map(|stream| u32::from(stream.0)).map_err(engine_error)
        })
    }

    /// The stream of what quantities cost on each side, in units of the instrument's quantity mantissa, and of what stands within so
    /// many basis points of the mid; the same arguments share one. `closeView` leaves it.
    #[napi(
        ts_args_type = "instrument: number, intervalMs: number, quantities: BigUint64Array, bps: Uint32Array"
    )]
    pub fn open_costs(
        &self,
        instrument: Argument,
        interval_ms: Argument,
        quantities: Argument,
        bps: Argument,
    ) -> Result<u32> {
        self.run(|state| {
            let now = state.now();
            let id = InstrumentId(instrument.u32("instrument")?);
            let interval_ns = u64::from(interval_ms.u32("intervalMs")?) * 1_000_000;
            let wide = quantities.wide_numbers("quantities")?;
            let quantities: Vec<_> =
                wide.into_iter().map(|qty| Qty(i64::try_from(qty).unwrap_or(i64::MAX))).collect();
            let bands: Vec<_> =
                bps.numbers("bps")?.into_iter().map(|bps| u16::try_from(bps).unwrap_or(u16::MAX)).collect();
            let opened = state.engine.open_costs(id, interval_ns, &quantities, &bands, now);
            opened.map(|stream| u32::from(stream.0)).map_err(engine_error)
        })
    }
}

/// A width of buckets: absent is 0, one beyond 63 bits is as wide as the widest.
pub(crate) fn width(grouping: Argument) -> Result<i64> {
    let width = grouping.given().map_or(Ok(0), |width| width.u64("grouping"))?;
    Ok(i64::try_from(width).unwrap_or(i64::MAX))
}

//! The exported `Engine`: views of what is computed of an instrument.

use depthwire_core::engine::EngineError;
use depthwire_core::signal::{SignalParams, VpinParams};
use depthwire_core::types::{InstrumentId, Qty};
use napi_derive::napi;

use crate::argument::Argument;
use crate::engine::Engine;
use crate::guard::Result;
use crate::state::engine_error;

const NS_PER_MS: u64 = 1_000_000;

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
            let interval_ns = u64::from(interval_ms.u32("intervalMs")?) * NS_PER_MS;
            let opened = state.engine.open_volumes(id, interval_ns, width(grouping)?, now);
            opened.map(|stream| u32::from(stream.0)).map_err(engine_error)
        })
    }

    /// Counts what trades of an instrument from now on, whether or not anybody reads it.
    #[napi(ts_args_type = "instrument: number")]
    pub fn keep_volumes(&self, instrument: Argument) -> Result<()> {
        self.run(|state| {
            let now = state.now();
            let id = InstrumentId(instrument.u32("instrument")?);
            state.engine.keep_volumes(id, now).map_err(engine_error)
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
            let interval_ns = u64::from(interval_ms.u32("intervalMs")?) * NS_PER_MS;
            let qty =
                |qty: u64| i64::try_from(qty).map(Qty).map_err(|_| EngineError::CostQuantity(qty.into()));
            let band = |bps: u32| u16::try_from(bps).map_err(|_| EngineError::CostBand(bps));
            let quantities = quantities.wide_numbers("quantities")?.into_iter().map(qty);
            let quantities = quantities.collect::<std::result::Result<Vec<_>, _>>().map_err(engine_error)?;
            let bands = bps.numbers("bps")?.into_iter().map(band);
            let bands = bands.collect::<std::result::Result<Vec<_>, _>>().map_err(engine_error)?;
            let opened = state.engine.open_costs(id, interval_ns, &quantities, &bands, now);
            opened.map(|stream| u32::from(stream.0)).map_err(engine_error)
        })
    }
}

#[napi]
impl Engine {
    /// The stream of an instrument's signals; the same arguments share one. `vpinVolume`: volume of a bucket of VPIN in units of
    /// the instrument's quantity mantissa, of which it is told over `vpinBuckets`; 0n = not at all. `closeView` leaves it.
    #[napi(
        ts_args_type = "instrument: number, intervalMs: number, windowMs: number, vpinVolume: bigint, vpinBuckets: number"
    )]
    pub fn open_signals(
        &self,
        instrument: Argument,
        interval_ms: Argument,
        window_ms: Argument,
        vpin_volume: Argument,
        vpin_buckets: Argument,
    ) -> Result<u32> {
        self.run(|state| {
            let now = state.now();
            let id = InstrumentId(instrument.u32("instrument")?);
            let interval_ns = u64::from(interval_ms.u32("intervalMs")?) * NS_PER_MS;
            let window_ns = u64::from(window_ms.u32("windowMs")?) * NS_PER_MS;
            let volume = Qty(vpin_volume.u63("vpinVolume")?);
            let buckets = vpin_buckets.u32("vpinBuckets")?;
            let too_many = |_| engine_error(EngineError::VpinBuckets(buckets));
            let buckets = u16::try_from(buckets).map_err(too_many)?;
            let vpin = (volume.0 > 0).then_some(VpinParams { volume, buckets });
            let opened = state.engine.open_signals(id, interval_ns, SignalParams { window_ns, vpin }, now);
            opened.map(|stream| u32::from(stream.0)).map_err(engine_error)
        })
    }
}

/// A width of buckets: absent is 0.
pub(crate) fn width(grouping: Argument) -> Result<i64> {
    grouping.given().map_or(Ok(0), |width| width.u63("grouping"))
}

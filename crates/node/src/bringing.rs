//! The exported `Engine`: bringing readers that were away to the present of a stream.

use depthwire_core::encode::{HISTORY_BYTES_MAX, HistoryConfig, Stream};
use depthwire_core::engine::By;
use depthwire_core::types::{Account, InstrumentId, Place};
use napi::bindgen_prelude::BigInt;
use napi_derive::napi;

use crate::argument::Argument;
use crate::engine::Engine;
use crate::guard::{Result, error};
use crate::state::engine_error;

const DAY_MS: i64 = 86_400_000;
const STREAM_BYTES: i64 = 1 << 20;
const AGE_MS: i64 = 30_000;

/// What an engine's options say of the frames that it keeps.
pub(crate) fn history(options: &Argument) -> Result<HistoryConfig> {
    let bytes_max = HISTORY_BYTES_MAX as i64;
    let number = |name: &std::ffi::CStr, max, absent| match options.field(name).given() {
        Some(given) => given.integer(name.to_str().unwrap_or_default(), 0..=max),
        None => Ok(absent),
    };
    Ok(HistoryConfig {
        bytes: number(c"historyBytes", bytes_max, 0)? as u64,
        stream_bytes: number(c"historyStreamBytes", bytes_max, STREAM_BYTES)? as u64,
        age_ns: number(c"historyMs", DAY_MS, AGE_MS)? as u64 * 1_000_000,
    })
}

/// A place in a stream.
#[napi(object)]
pub struct StreamPlace {
    /// Epoch of the instrument.
    pub epoch: BigInt,
    /// Sequence of the stream.
    pub seq: BigInt,
}

#[napi]
impl Engine {
    /// Where a stream stands; zeros where it has published nothing yet.
    #[napi(ts_args_type = "instrument: number, stream: number")]
    pub fn place(&self, instrument: Argument, stream: Argument) -> Result<StreamPlace> {
        self.run(|state| {
            let (id, stream) = (InstrumentId(instrument.u32("instrument")?), Stream(stream.u8("stream")?));
            let Place { epoch, seq } = state.engine.place(id, stream).map_err(engine_error)?;
            Ok(StreamPlace { epoch: epoch.into(), seq: seq.into() })
        })
    }

    /// Writes the frames that bring a reader from a place of a stream to its present, and returns their bytes: negative =
    /// minus the bytes that they need. `by`: every frame that is missing, or their net change; see `brought`.
    #[napi(
        ts_args_type = "instrument: number, stream: number, epoch: bigint, seq: bigint, by: 'range' | 'net', out: Uint8Array"
    )]
    pub fn bring(
        &self,
        instrument: Argument,
        stream: Argument,
        epoch: Argument,
        seq: Argument,
        by: Argument,
        mut out: Argument,
    ) -> Result<i32> {
        self.run(|state| {
            let now = state.now();
            let (id, stream) = (InstrumentId(instrument.u32("instrument")?), Stream(stream.u8("stream")?));
            let from = Place { epoch: epoch.u64("epoch")?, seq: seq.u64("seq")? };
            let by = match by.text("by")?.as_str() {
                "range" => By::Range,
                "net" => By::Net,
                other => {
                    let got = format_args!("{other:?}");
                    let account = Account::new("a reader is not brought like this", "range or net", got);
                    return Err(error("addon.bring_by", account, "pass 'range' or 'net'"));
                }
            };
            let out = out.output("out")?;
            let (brought, size) = state.engine.bring(id, stream, from, by, now, out).map_err(engine_error)?;
            state.brought = brought;
            let bytes = i32::try_from(size).unwrap_or(i32::MAX);
            Ok(if size <= out.len() { bytes } else { -bytes })
        })
    }

    /// What the last `bring` wrote: `nothing`, for a reader that is there already, or a book that is not synced, of which only
    /// the status frame is told; `range`, `net` or `image`, which is 0 bytes where there is none yet.
    #[napi(ts_return_type = "'nothing' | 'range' | 'net' | 'image'")]
    pub fn brought(&self) -> Result<String> {
        self.run(|state| Ok(state.brought.name().to_owned()))
    }
}

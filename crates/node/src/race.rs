//! The exported `Race`: which of two lines is first.

use depthwire_core::types::Account;
use depthwire_latency::fault::Fault;
use depthwire_latency::race;
use napi_derive::napi;

use crate::argument::Argument;
use crate::guard::{Code, Owned, Result, error, guard};

/// Reads one or two recordings and says which of their lines was first with each message that both had.
#[napi]
pub struct Race {
    owned: Owned<race::Race>,
}

#[napi]
impl Race {
    /// Before the first byte.
    #[napi(constructor)]
    pub fn new() -> Result<Self> {
        guard(|| Ok(Self { owned: Owned::Open(race::Race::default()) }))
    }

    /// Gives the memory back at once. Any other use after it throws `addon.closed`.
    #[napi]
    pub fn close(&mut self) -> Result<()> {
        self.owned.close()
    }

    /// Takes a chunk of the first (0) or second (1) recording, and returns the bytes used: the rest goes in again at the head of the next
    /// one. Throws `bench.recording`.
    #[napi(ts_args_type = "recording: number, bytes: Uint8Array, last: boolean")]
    pub fn take(&mut self, recording: Argument, bytes: Argument, last: Argument) -> Result<u32> {
        self.owned.run(|race| {
            let recording = recording.integer("recording", 0..=1)? as usize;
            let bytes = bytes.input("bytes")?;
            let last = last.flag("last")?;
            // Chunks are some hundred KiB; of larger ones the rest goes in again.
            let part = bytes.get(..u32::MAX as usize).unwrap_or(&bytes);
            let used = race.take(recording, part, last && part.len() == bytes.len()).map_err(refused)?;
            Ok(used as u32)
        })
    }

    /// JSON, see `crates/latency/src/race.rs`. `first`, `second`: names of two lines; both empty = as the recordings have them.
    /// Throws `bench.recording`.
    #[napi(ts_args_type = "first: string, second: string")]
    pub fn report(&mut self, first: Argument, second: Argument) -> Result<String> {
        self.owned.run(|race| {
            let (first, second) = (first.text("first")?, second.text("second")?);
            let names =
                (!first.is_empty() || !second.is_empty()).then_some([first.as_str(), second.as_str()]);
            let report = race.report(names).map_err(refused)?;
            // A report is numbers and texts, which JSON can always say.
            Ok(serde_json::to_string(&report).unwrap_or_default())
        })
    }
}

fn refused(wrong: Fault) -> napi::Error<Code> {
    let Fault { code, what, expected, got, fix } = wrong;
    error(code, Account { what, expected, got }, fix)
}

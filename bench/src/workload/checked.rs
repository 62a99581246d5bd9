//! A recording whose venue sends a checksum of the book with every update.

use std::ops::Range;

use depthwire_core::recording::{Entry, Heard, Transcript};

use super::{LoadError, Size, folder};

/// Kraken's version 2, BTC/USD, 25 levels a side.
const FILE: &str = "kraken_btcusd_sample.cbcap";

/// What the manifest beside the recording says of it, and `oracle/kraken_cbcap.py` prints.
const FRAMES: usize = 2_104;
/// Checksums in it.
pub const CHECKS: u64 = 2_052;

/// Frames of a run, at least; the recording is begun again as often as that takes.
const FRAMES_MIN: usize = 1_000_000;

/// Frames in memory.
#[derive(Debug)]
pub struct CheckedStream {
    bytes: Vec<u8>,
    frames: Vec<Range<usize>>,
    /// How often a run goes through them. Each pass begins with the recording's snapshot.
    pub passes: usize,
}

impl CheckedStream {
    /// The frames, in order.
    pub fn frames(&self) -> impl Iterator<Item = &[u8]> {
        self.frames.iter().filter_map(|frame| self.bytes.get(frame.clone()))
    }

    /// Frames of a run.
    #[must_use]
    pub fn frames_in_run(&self) -> u64 {
        (self.frames.len() * self.passes) as u64
    }
}

/// Reads the recording and finds its frames.
pub(super) fn load(size: Size) -> Result<CheckedStream, LoadError> {
    let file = folder("kraken")?.join(FILE);
    let bytes = std::fs::read(file).map_err(|error| LoadError::Broken(format!("{FILE}: {error}")))?;
    let mut frames = Vec::new();
    let (mut transcript, mut at) = (Transcript::default(), 0);
    while let Ok(Entry { end, heard, .. }) = transcript.next(&bytes, at, true) {
        at = end;
        match heard {
            Ok(Heard::Received { bytes: frame, .. }) => {
                let start = frame.as_ptr() as usize - bytes.as_ptr() as usize;
                frames.push(start..start + frame.len());
            }
            Ok(_) => {}
            Err(error) => return Err(LoadError::Broken(error.to_string())),
        }
    }
    if frames.len() != FRAMES {
        return Err(LoadError::Broken(format!("{FILE}: expected {FRAMES} frames, got {}", frames.len())));
    }
    let frames_min = match size {
        Size::Gate | Size::Tiny => 1,
        Size::Quick => FRAMES_MIN / 10,
        Size::Full => FRAMES_MIN,
    };
    Ok(CheckedStream { bytes, passes: frames_min.div_ceil(frames.len()), frames })
}

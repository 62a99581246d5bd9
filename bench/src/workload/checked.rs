//! A recording whose venue sends a checksum of the book with every update.

use std::ops::Range;

use depthwire_core::recording::{Entry, Heard, Transcript};

use super::{LoadError, Size, expected, recorded_file};

/// Frames of a run, at least; the recording is begun again as often as that takes.
const FRAMES_MIN: usize = 1_000_000;

/// Frames in memory.
#[derive(Debug)]
pub struct CheckedStream {
    bytes: Vec<u8>,
    frames: Vec<Range<usize>>,
    /// Checksums in them.
    pub checks: u64,
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
pub(super) fn load(name: &str, size: Size) -> Result<CheckedStream, LoadError> {
    let known = expected::checksums(name);
    let [file] = &known.files[..] else { return Err(LoadError::Broken("more than one file".to_owned())) };
    let bytes = std::fs::read(recorded_file(file)?);
    let bytes = bytes.map_err(|error| LoadError::Broken(format!("{file}: {error}")))?;
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
    if frames.len() as u64 != known.frames {
        let (expected, got) = (known.frames, frames.len());
        return Err(LoadError::Broken(format!("{file}: expected {expected} frames, got {got}")));
    }
    let frames_min = match size {
        Size::Gate | Size::Tiny => 1,
        Size::Quick => FRAMES_MIN / 10,
        Size::Full => FRAMES_MIN,
    };
    Ok(CheckedStream { bytes, checks: known.checksums, passes: frames_min.div_ceil(frames.len()), frames })
}

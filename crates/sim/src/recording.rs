//! Recordings of the simulated venue, as a collector would have written them.

use std::io::Write;

use crate::error::SimError;
use crate::limits::RECORDING_MS_MAX;
use crate::rng::Rng;
use crate::venue::{Market, TIME_MS_MAX};

/// Levels a side of the REST answer in the recording, as the collector of the real ones asked for.
const SNAPSHOT_LIMIT: usize = 1_000;

/// Milliseconds after the start at which the venue answers the REST request, and at which the answer is in.
/// Between them depth frames arrive, some of which the answer already contains.
const ANSWERED_MS: u64 = 150;
const ARRIVED_MS: u64 = 350;

/// Replaces `out` with a recording of one instrument: lines `<receive time, ns> <frame>`, times rising, the
/// REST depth answer inline. One instrument only, because a REST answer does not name its own.
///
/// The frames are those that a [`Market`] of the same seed and start sends about `symbol` in the first
/// `duration_ms`. A recording shorter than 350 ms ends with the REST answer.
///
/// # Errors
/// [`SimError::UnknownSymbol`]; [`SimError::RecordingTooLong`] above [`RECORDING_MS_MAX`].
pub fn recording(
    symbol: &str,
    seed: u64,
    start_ms: u64,
    duration_ms: u64,
    out: &mut Vec<u8>,
) -> Result<(), SimError> {
    if duration_ms > RECORDING_MS_MAX {
        return Err(SimError::RecordingTooLong { asked_ms: duration_ms });
    }
    let start_ms = start_ms.min(TIME_MS_MAX);
    let mut market = Market::new(seed, start_ms);
    let mut lines = Lines { out, rng: Rng::new(seed, u64::MAX), last_ns: 0 };
    lines.out.clear();
    let stream = format!("{{\"stream\":\"{}@", symbol.to_ascii_lowercase()).into_bytes();
    let (mut frame, mut snapshot) = (Vec::new(), Vec::new());
    market.snapshot(symbol, 1, &mut snapshot)?;
    let mut elapsed_ms = 0;
    let mut rest = Rest::Asked;
    while elapsed_ms < duration_ms || rest != Rest::Arrived {
        let time_ms = start_ms + elapsed_ms;
        while elapsed_ms < duration_ms && market.next(time_ms, &mut frame) {
            if frame.starts_with(&stream) {
                lines.push(time_ms, &frame);
            }
        }
        if rest == Rest::Asked && (elapsed_ms >= ANSWERED_MS || elapsed_ms + 1 >= duration_ms) {
            market.snapshot(symbol, SNAPSHOT_LIMIT, &mut snapshot)?;
            rest = Rest::Answered;
        }
        if rest == Rest::Answered && (elapsed_ms >= ARRIVED_MS || elapsed_ms + 1 >= duration_ms) {
            lines.push(time_ms, &snapshot);
            rest = Rest::Arrived;
        }
        elapsed_ms += 1;
    }
    Ok(())
}

/// Where the REST answer is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    Asked,
    Answered,
    Arrived,
}

struct Lines<'a> {
    out: &'a mut Vec<u8>,
    rng: Rng,
    last_ns: u64,
}

impl Lines<'_> {
    /// One line, received one to two milliseconds after it was sent, and after the line before.
    fn push(&mut self, time_ms: u64, text: &[u8]) {
        let delay_ns = 1_000_000 + self.rng.below(1_000_000);
        let received_ns = time_ms * 1_000_000 + delay_ns;
        self.last_ns = received_ns.max(self.last_ns + 1);
        // Writing into a vector cannot fail.
        let _ = write!(self.out, "{} ", self.last_ns);
        self.out.extend_from_slice(text);
        self.out.push(b'\n');
    }
}

#[cfg(test)]
#[path = "recording_tests.rs"]
mod tests;

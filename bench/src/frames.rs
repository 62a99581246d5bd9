//! The Rust half of the addon's benchmark: hands a workload's book frames to the program that started it and times the
//! same frames in pure Rust, one round for each line on standard input, so that both sides take turns.
//!
//! Standard output: one line of JSON (what the frames are), the frames with a line end after each, then for each
//! round one line of JSON (`ns` of the timed frames, `digest`).

use std::io::{BufRead, Write};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use depthwire_core::types::{Clock, TimeNs};

use crate::pipeline::{drain, open};
use crate::workload::Workload;

/// The machine's clock, read as often as the addon reads it.
#[derive(Clone, Copy)]
struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> TimeNs {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
    }
}

/// Serves until standard input ends.
///
/// # Errors
/// What went wrong, for people.
pub fn serve(workload: &Workload, input: impl BufRead, mut output: impl Write) -> Result<(), String> {
    let said = |error: std::io::Error| error.to_string();
    let (Some(recording), Some(stream)) = (&workload.recording, &workload.levels) else {
        return Err(format!("{} holds no frames", workload.name));
    };
    let frames: Vec<_> = recording.book_frames.iter().map(|range| &recording.text[range.clone()]).collect();
    let mut levels: Vec<_> = stream.updates.iter().map(|update| update.levels.len()).collect();
    levels.sort_unstable();
    writeln!(
        output,
        r#"{{"venue":"{}","symbol":"{}","frames":{},"leadFrames":{},"bytes":{},"levelsMedian":{},"digest":"{}"}}"#,
        recording.venue.name(),
        recording.symbol,
        frames.len(),
        recording.lead_frames,
        frames.iter().map(|frame| frame.len() + 1).sum::<usize>(),
        levels.get(levels.len() / 2).copied().unwrap_or_default(),
        stream.digest,
    )
    .map_err(said)?;
    for frame in &frames {
        output.write_all(frame).and_then(|()| output.write_all(b"\n")).map_err(said)?;
    }
    output.flush().map_err(said)?;
    let (mut engine, source) = open(recording, SystemClock)?;
    let (lead, timed) = frames.split_at(recording.lead_frames);
    for request in input.lines() {
        request.map_err(said)?;
        engine.reset_source(source, SystemClock.now()).map_err(|error| error.to_string())?;
        let mut errors = 0u64;
        let mut ingest = |frames: &[&[u8]]| {
            for frame in frames {
                errors += u64::from(engine.ingest(source, frame, SystemClock.now()).is_err());
                drain(engine.outbox(), |frame| {
                    std::hint::black_box(frame);
                });
            }
        };
        ingest(lead);
        let start = Instant::now();
        ingest(timed);
        let ns = start.elapsed().as_nanos();
        let digest = engine.digest(recording.instrument()).unwrap_or_default();
        writeln!(output, r#"{{"ns":{ns},"errors":{errors},"digest":"{digest}"}}"#).map_err(said)?;
        output.flush().map_err(said)?;
    }
    Ok(())
}

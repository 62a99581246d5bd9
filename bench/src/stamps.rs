//! What stage stamps cost: the frames of a recording handed in one by one, as the addon takes them, without stamps, with one message in
//! 16 stamped, and with every one.

use std::hint::black_box;

use depthwire_core::encode::Outbox;
use depthwire_core::engine::{Engine, SourceId};
use depthwire_core::types::{Clock, NoClock};
use depthwire_latency::clock::TickClock;
use depthwire_latency::stages::{Ended, Stages};

use crate::pipeline::open;
use crate::timing::{Contender, Run, timed};
use crate::workload::{Recording, Workload};

/// Contenders over one workload; plain messages are the baseline. All count the frames behind the snapshot.
#[must_use]
pub fn contenders(workload: &Workload) -> Option<Result<Vec<Contender<'_>>, String>> {
    let (recording, digest) = (workload.recording.as_ref()?, &workload.levels.as_ref()?.digest);
    let all = || {
        Ok(vec![
            contender("plain", recording, digest, None)?,
            contender("1 in 16", recording, digest, Some(16))?,
            contender("each", recording, digest, Some(1))?,
        ])
    };
    Some(all())
}

fn contender<'a>(
    name: &'static str,
    recording: &'a Recording,
    digest: &str,
    every: Option<u32>,
) -> Result<Contender<'a>, String> {
    let (mut engine, source) = open(recording, NoClock)?;
    let frames: Vec<_> = recording.book_frames.iter().map(|range| &recording.text[range.clone()]).collect();
    let count = (frames.len() - recording.lead_frames) as u64;
    let mut stages = every.map(|every| Stages::new(every, NoClock, TickClock::get()));
    let run = move || {
        if let Err(error) = engine.reset_source(source, 0) {
            return Run::failed(error.to_string());
        }
        let (lead, measured) = frames.split_at(recording.lead_frames);
        let mut errors = plain(&mut engine, source, lead);
        let (elapsed, more) = timed(|| match &mut stages {
            None => plain(&mut engine, source, measured),
            Some(stages) => sampled(&mut engine, source, measured, stages),
        });
        errors += more;
        let answer = match errors {
            0 => engine.digest(recording.instrument()).unwrap_or_default(),
            _ => format!("{errors} frames refused"),
        };
        Run { elapsed, answer }
    };
    Ok(Contender::new(name, count, digest.to_owned(), run))
}

fn plain<C: Clock>(engine: &mut Engine<C>, source: SourceId, frames: &[&[u8]]) -> u64 {
    let mut errors = 0;
    for frame in frames {
        errors += u64::from(engine.ingest(source, frame, 1).is_err());
        drain(engine.outbox());
    }
    errors
}

fn sampled(
    engine: &mut Engine<NoClock>,
    source: SourceId,
    frames: &[&[u8]],
    stages: &mut Stages<NoClock, TickClock>,
) -> u64 {
    let mut errors = 0;
    for frame in frames {
        if !stages.is_due() {
            errors += u64::from(engine.ingest(source, frame, 1).is_err());
            drain(engine.outbox());
            continue;
        }
        errors += u64::from(engine.ingest_stamped(source, frame, 1, stages.begin()).is_err());
        let instrument = engine.subject();
        let has_output = drain(engine.outbox());
        if stages.end(Ended { instrument, has_output }) > 0 {
            stages.published();
        }
    }
    errors
}

/// Takes every record out. Whether there was one.
#[inline]
fn drain(outbox: &mut Outbox) -> bool {
    let mut has_output = false;
    while let Some(record) = outbox.front() {
        black_box(record);
        has_output = true;
        outbox.take();
    }
    has_output
}

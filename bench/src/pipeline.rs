//! The whole path over a recording's bytes: framing, decoding, sequence, book, aggregation, encoding, outbox drained;
//! with a floor below it (the same bytes, only framed and added up) and stages beside it.

use std::hint::black_box;

use depthwire_core::encode::{HistoryConfig, Outbox, RECORD_HEADER_BYTES, RecordType};
use depthwire_core::engine::{Engine, EngineConfig, SourceId};
use depthwire_core::recording::{Heard, Transcript};
use depthwire_core::replica::Replica;
use depthwire_core::signal::{SignalParams, VpinParams};
use depthwire_core::types::{Body, Clock, NoClock, Qty, TimeNs};
use depthwire_core::venues;

use crate::timing::{Contender, Run, timed};
use crate::workload::{FrameReader, Recording, Workload};

/// Longest interval of a view: it is computed with each event, and hardly told.
const SELDOM_NS: u64 = 60_000_000_000;

/// Contenders over one workload; the floor is the baseline. All count the recording's frames.
#[must_use]
pub fn contenders(workload: &Workload) -> Option<Result<Vec<Contender<'_>>, String>> {
    let (recording, digest) = (workload.recording.as_ref()?, &workload.levels.as_ref()?.digest);
    let engines = || {
        let floor = vec![framing(recording), decoding(recording)];
        Ok(floor
            .into_iter()
            .chain([
                engine(recording, digest)?,
                engine_that_keeps(recording, digest)?,
                engine_with_signals(recording, digest, ("engine+signals", SELDOM_NS))?,
                engine_with_signals(recording, digest, ("engine+signals told", 0))?,
                engine_and_replica(recording, digest)?,
            ])
            .collect())
    };
    Some(engines())
}

/// An engine with the recording's instrument, as one source.
pub fn open<C: Clock>(recording: &Recording, clock: C) -> Result<(Engine<C>, SourceId), String> {
    open_keeping(recording, HistoryConfig::default(), clock)
}

/// The same, which keeps what it has published.
fn open_keeping<C: Clock>(
    recording: &Recording,
    history: HistoryConfig,
    clock: C,
) -> Result<(Engine<C>, SourceId), String> {
    let config = EngineConfig { start_id: 1, is_replay: true, history, ..EngineConfig::default() };
    let mut engine = Engine::new(config, venues::catalogue(), clock);
    let source =
        engine.open_source(recording.venue, &[recording.instrument()]).map_err(|error| error.to_string())?;
    Ok((engine, source))
}

/// Lets an engine forget its book and ingest the whole recording. `take` sees the payload of each feed frame.
pub fn ingest<C: Clock>(
    engine: &mut Engine<C>,
    source: SourceId,
    text: &[u8],
    mut take: impl FnMut(&[u8]),
) -> Result<(), String> {
    engine.reset_source(source, 0).map_err(|error| error.to_string())?;
    let drain = |outbox: &mut Outbox| {
        drain(outbox, &mut take);
        true
    };
    let progress =
        engine.replay(source, text, true, TimeNs::MAX, drain).map_err(|error| error.to_string())?;
    match progress.error {
        Some(error) => Err(format!("{error:?}")),
        None if progress.consumed != text.len() => Err(format!("stopped at byte {}", progress.consumed)),
        None => Ok(()),
    }
}

/// Takes every record out.
#[inline]
pub fn drain(outbox: &mut Outbox, mut take: impl FnMut(&[u8])) {
    while let Some(record) = outbox.front() {
        if record[4] == RecordType::Frame as u8 {
            take(&record[RECORD_HEADER_BYTES..]);
        }
        outbox.take();
    }
}

fn framing(recording: &Recording) -> Contender<'_> {
    let run = || {
        let (elapsed, (lines, sum)) = timed(|| {
            let (mut lines, mut sum) = (0u64, 0u64);
            let (mut transcript, mut at) = (Transcript::default(), 0);
            while let Ok(entry) = transcript.next(&recording.text, at, true) {
                at = entry.end;
                lines += 1;
                sum += match entry.heard {
                    Ok(Heard::Received { bytes, .. }) => byte_sum(bytes),
                    _ => 0,
                };
            }
            (lines, sum)
        });
        Run { elapsed, answer: format!("lines {lines}, sum {sum}") }
    };
    let frames = recording.text.split(|&byte| byte == b'\n').filter_map(|line| {
        let space = line.iter().position(|&byte| byte == b' ')?;
        Some(&line[space + 1..])
    });
    let sum: u64 = frames.map(byte_sum).sum();
    let expected = format!("lines {}, sum {sum}", recording.lines);
    Contender::new("framing", recording.lines, expected, run)
}

fn decoding(recording: &Recording) -> Contender<'_> {
    let mut reader = FrameReader::new(recording.venue);
    let run = move || {
        let (elapsed, (depth, changes, errors)) = timed(|| {
            let (mut depth, mut changes, mut errors) = (0u64, 0u64, 0u64);
            let (mut transcript, mut at) = (Transcript::default(), 0);
            while let Ok(entry) = transcript.next(&recording.text, at, true) {
                at = entry.end;
                let Ok(Heard::Received { bytes, .. }) = entry.heard else {
                    errors += 1;
                    continue;
                };
                match reader.read(bytes, &recording.routes) {
                    Ok(Some(event)) => {
                        if let Body::Levels(_, span) = black_box(event).body {
                            depth += 1;
                            changes += black_box(reader.events.levels(span)).len() as u64;
                        }
                    }
                    Ok(None) => {}
                    Err(_) => errors += 1,
                }
            }
            (depth, changes, errors)
        });
        Run { elapsed, answer: format!("depth {depth}, level changes {changes}, errors {errors}") }
    };
    let Recording { depth_messages, level_changes, .. } = recording;
    let expected = format!("depth {depth_messages}, level changes {level_changes}, errors 0");
    Contender::new("framing+decode", recording.lines, expected, run)
}

fn engine<'a>(recording: &'a Recording, digest: &str) -> Result<Contender<'a>, String> {
    let (mut engine, source) = open(recording, NoClock)?;
    let run = move || {
        let (elapsed, done) = timed(|| {
            ingest(&mut engine, source, &recording.text, |frame| {
                black_box(frame);
            })
        });
        let digest = |()| engine.digest(recording.instrument()).unwrap_or_default();
        Run { elapsed, answer: done.map_or_else(|what| what, digest) }
    };
    Ok(Contender::new("engine", recording.lines, digest.to_owned(), run))
}

/// What readers that come back cost those who never left: each frame is kept. A stream keeps so little that its memory goes
/// round many times.
fn engine_that_keeps<'a>(recording: &'a Recording, digest: &str) -> Result<Contender<'a>, String> {
    let history = HistoryConfig { bytes: 1 << 20, stream_bytes: 1 << 16, age_ns: u64::MAX };
    let (mut engine, source) = open_keeping(recording, history, NoClock)?;
    let run = move || {
        let (elapsed, done) = timed(|| {
            ingest(&mut engine, source, &recording.text, |frame| {
                black_box(frame);
            })
        });
        let kept = engine.stats().history.bytes;
        let answer = match done {
            Ok(()) if kept == 0 => "nothing is kept".to_owned(),
            Ok(()) => engine.digest(recording.instrument()).unwrap_or_default(),
            Err(what) => what,
        };
        Run { elapsed, answer }
    };
    Ok(Contender::new("engine+history", recording.lines, digest.to_owned(), run))
}

/// What a view of all signals costs beside the book: kept up to date by each event, and told seldom or with each.
fn engine_with_signals<'a>(
    recording: &'a Recording,
    digest: &str,
    (name, interval_ns): (&'static str, u64),
) -> Result<Contender<'a>, String> {
    let (mut engine, source) = open(recording, NoClock)?;
    let vpin = Some(VpinParams { volume: Qty(1_000_000), buckets: 50 });
    let params = SignalParams { window_ns: SELDOM_NS, vpin };
    let instrument = recording.instrument();
    let stream =
        engine.open_signals(instrument, interval_ns, params, 0).map_err(|error| error.to_string())?;
    let run = move || {
        let (elapsed, done) = timed(|| {
            ingest(&mut engine, source, &recording.text, |frame| {
                black_box(frame);
            })
        });
        let told = engine.place(instrument, stream).map_or(0, |place| place.seq);
        let answer = match done {
            Ok(()) if told == 0 => "no signals were told".to_owned(),
            Ok(()) => engine.digest(instrument).unwrap_or_default(),
            Err(what) => what,
        };
        Run { elapsed, answer }
    };
    Ok(Contender::new(name, recording.lines, digest.to_owned(), run))
}

fn engine_and_replica<'a>(recording: &'a Recording, digest: &str) -> Result<Contender<'a>, String> {
    let (mut engine, source) = open(recording, NoClock)?;
    let mut replica = Replica::default();
    let run = move || {
        let mut refused = 0u64;
        let (elapsed, done) = timed(|| {
            ingest(&mut engine, source, &recording.text, |frame| {
                refused += u64::from(replica.apply(frame).is_err());
            })
        });
        let book = replica.book(recording.instrument());
        let failures = refused + book.map_or(1, |book| book.checks().1);
        let answer = match done {
            Ok(()) if failures > 0 => format!("{failures} frames refused or checks failed"),
            Ok(()) => book.map_or_else(String::new, |book| book.digest()),
            Err(what) => what,
        };
        Run { elapsed, answer }
    };
    Ok(Contender::new("engine+replica", recording.lines, digest.to_owned(), run))
}

fn byte_sum(bytes: &[u8]) -> u64 {
    bytes.iter().map(|&byte| u64::from(byte)).sum()
}

//! Frames of venues that send checksums → decoded → books → each checksum compared → feed frames, encoded and taken.
//!
//! Beside it a stage of it: the frames decoded, with nothing done to a book.

use std::hint::black_box;

use depthwire_core::Stats;
use depthwire_core::encode::Outbox;
use depthwire_core::engine::Engine;
use depthwire_core::types::{Body, NoClock};

use crate::pipeline::drain;
use crate::timing::{Contender, Run, timed};
use crate::workload::{CheckedStream, CheckedStreams, FrameReader, Workload, checked_engine};

/// Contenders over one workload; decoding alone is the baseline.
#[must_use]
pub fn contenders(workload: &Workload) -> Option<Result<Vec<Contender<'_>>, String>> {
    let streams = workload.checked.as_ref()?;
    Some(engines(streams).map(|engines| vec![decoding(streams), engines]))
}

fn decoding(streams: &CheckedStreams) -> Contender<'_> {
    let new = |of: &CheckedStream| (FrameReader::new(of.venue), of.routes());
    let mut readers: Vec<_> = streams.streams.iter().map(new).collect();
    let run = move || {
        let (elapsed, read) = timed(|| {
            let mut checksums = 0;
            for _ in 0..streams.passes {
                for (stream, frame) in streams.frames() {
                    let Some((reader, routes)) = readers.get_mut(stream) else { continue };
                    reader.hear(frame, routes).map_err(|error| error.to_string())?;
                    let is_check = |body| matches!(body, Body::Check(_) | Body::CheckLevels(_));
                    let events = black_box(reader.events.list());
                    checksums += events.iter().filter(|event| is_check(event.body)).count() as u64;
                }
            }
            Ok::<_, String>(checksums)
        });
        Run { elapsed, answer: read.map_or_else(|what| what, |read| format!("{read} checksums read")) }
    };
    let expected = format!("{} checksums read", streams.checksums_in_run());
    Contender::new("decode", streams.frames_in_run(), expected, run)
}

fn engines(streams: &CheckedStreams) -> Result<Contender<'_>, String> {
    // As few as hold each instrument once: two recordings may be of the same one, in different years.
    let (mut engines, mut sources) = (Vec::new(), Vec::new());
    for stream in &streams.streams {
        let is_free = |engine: &Engine<NoClock>| {
            stream.instruments.iter().all(|of| {
                engine.catalogue().find(of.venue, &of.symbol).and_then(|id| engine.book(id)).is_none()
            })
        };
        let at = engines.iter().position(is_free).unwrap_or(engines.len());
        if at == engines.len() {
            engines.push(checked_engine());
        }
        sources.push((at, stream.open(&mut engines[at])?));
    }
    let take = |outbox: &mut Outbox| {
        drain(outbox, |frame| {
            black_box(frame);
        });
    };
    let run = move || {
        let before = engines.iter().map(Engine::stats).fold((0, 0), checksums);
        let (elapsed, done) = timed(|| {
            for _ in 0..streams.passes {
                for &(engine, source) in &sources {
                    let engine = &mut engines[engine];
                    engine.reset_source(source, 0).map_err(|error| error.to_string())?;
                }
                for (stream, frame) in streams.frames() {
                    let (engine, source) = sources[stream];
                    let engine = &mut engines[engine];
                    engine.ingest(source, frame, 0).map_err(|error| error.to_string())?;
                    take(engine.outbox());
                }
            }
            Ok::<_, String>(())
        });
        let after = engines.iter().map(Engine::stats).fold((0, 0), checksums);
        let (checked, agreed) = (after.0 - before.0, after.1 - before.1);
        Run { elapsed, answer: done.map_or_else(|what| what, |()| answer(checked, agreed)) }
    };
    let all = streams.checksums_in_run();
    Ok(Contender::new("engine", streams.frames_in_run(), answer(all, all), run))
}

fn checksums((checked, agreed): (u64, u64), stats: Stats) -> (u64, u64) {
    (checked + stats.checksums_checked, agreed + stats.checksums_matched)
}

fn answer(checked: u64, agreed: u64) -> String {
    format!("{agreed} of {checked} checksums agree")
}

//! What a consolidated book costs beyond the venue's own: the frames of a recording handed in one by one, alone, and with a book of three
//! members, of which the recording is one and the other two stand beside it.

use std::hint::black_box;

use depthwire_core::encode::Outbox;
use depthwire_core::engine::{Engine, SourceId, Standing};
use depthwire_core::types::{Clock, Decimal, InstrumentId, NoClock};
use depthwire_core::venues;

use crate::pipeline::open;
use crate::timing::{Contender, Run, timed};
use crate::workload::{Recording, Workload};

/// Contenders over one workload; the venue's book alone is the baseline. All count the level changes behind the snapshot.
#[must_use]
pub fn contenders(workload: &Workload) -> Option<Result<Vec<Contender<'_>>, String>> {
    let (recording, digest) = (workload.recording.as_ref()?, &workload.levels.as_ref()?.digest);
    // Contracts that are worth a fixed amount of the quote asset have no unit in common with others.
    let catalogue = venues::catalogue();
    catalogue.get(recording.instrument()).filter(|listed| !listed.inverse)?;
    let all = || {
        Ok(vec![
            contender("alone", recording, digest, false)?,
            contender("consolidated", recording, digest, true)?,
        ])
    };
    Some(all())
}

fn contender<'a>(
    name: &'static str,
    recording: &'a Recording,
    digest: &str,
    is_consolidated: bool,
) -> Result<Contender<'a>, String> {
    let (mut engine, source) = open(recording, NoClock)?;
    let book = match is_consolidated {
        true => Some(beside(&mut engine, recording.instrument())?),
        false => None,
    };
    let frames: Vec<_> = recording.book_frames.iter().map(|range| &recording.text[range.clone()]).collect();
    let (lead, measured) = (recording.lead_frames, &frames[recording.lead_frames..]);
    ingest(&mut engine, source, &frames[..lead]);
    let before = engine.stats().applied_level_changes;
    ingest(&mut engine, source, measured);
    let count = engine.stats().applied_level_changes - before;
    let run = move || {
        if let Err(error) = engine.reset_source(source, 0) {
            return Run::failed(error.to_string());
        }
        let (lead, measured) = frames.split_at(lead);
        let mut errors = ingest(&mut engine, source, lead);
        let (elapsed, more) = timed(|| ingest(&mut engine, source, measured));
        errors += more;
        let is_in = |members: Vec<_>| members.iter().all(is_member_in);
        let is_whole = book.is_none_or(|book| engine.members(book).is_some_and(is_in));
        let answer = match errors {
            0 if is_whole => engine.digest(recording.instrument()).unwrap_or_default(),
            0 => "a member is out".to_owned(),
            _ => format!("{errors} frames refused"),
        };
        Run { elapsed, answer }
    };
    Ok(Contender::new(name, count, digest.to_owned(), run))
}

fn is_member_in(member: &depthwire_core::engine::Membership) -> bool {
    member.standing == Standing::In
}

/// Two more books, which stay as they are, and one of all three.
fn beside<C: Clock>(engine: &mut Engine<C>, first: InstrumentId) -> Result<InstrumentId, String> {
    let mut members = vec![first];
    let like = engine.catalogue().get(first).cloned().ok_or("the recording's instrument is not listed")?;
    let tick = Decimal { mantissa: like.tick_size, exponent: like.price_exponent };
    let lot = Decimal { mantissa: like.lot_size, exponent: like.qty_exponent };
    for symbol in ["ONE", "TWO"] {
        let listed = venues::instrument(venues::HYPERLIQUID, symbol).map_err(|error| error.to_string())?;
        let id = engine.add_instrument(listed.listed(tick, lot)).map_err(|error| error.to_string())?;
        let source = engine.open_source(venues::HYPERLIQUID, &[id]).map_err(|error| error.to_string())?;
        let text = format!(
            "{{\"channel\":\"l2Book\",\"data\":{{\"coin\":\"{symbol}\",\"time\":1,\"levels\":[[{{\"px\":\"1\",\"sz\":\"1\",\"n\":1}}],[]]}}}}"
        );
        engine.ingest(source, text.as_bytes(), 1).map_err(|error| error.to_string())?;
        members.push(id);
    }
    let book = engine.consolidate("BENCH", &members, &[]).map_err(|error| error.to_string())?;
    drain(engine.outbox());
    Ok(book)
}

fn ingest<C: Clock>(engine: &mut Engine<C>, source: SourceId, frames: &[&[u8]]) -> u64 {
    let mut errors = 0;
    for frame in frames {
        errors += u64::from(engine.ingest(source, frame, 1).is_err());
        drain(engine.outbox());
    }
    errors
}

/// Takes every record out.
#[inline]
fn drain(outbox: &mut Outbox) {
    while let Some(record) = outbox.front() {
        black_box(record);
        outbox.take();
    }
}

//! What a day of orders comes to as a journal of frames: its bytes, and what it costs to read the frames back, packed as they lie on
//! the disk.

use depthwire_core::encode::{Outbox, RECORD_HEADER_BYTES, RecordType};
use depthwire_core::engine::{Engine, EngineConfig, detect};
use depthwire_core::journal::{FrameItem, FrameReader, FrameWriter, Input, SegmentHeader, Writer};
use depthwire_core::recording::{Heard, Transcript};
use depthwire_core::types::NoClock;
use depthwire_core::venues;
use zstd::bulk::{Compressor, Decompressor};

use crate::timing::{Contender, Run, timed};
use crate::workload::Workload;

const HEADER: SegmentHeader = SegmentHeader { journal: 1, number: 0, first_seq: 0, created: 0 };
/// As `depthwire_journal::seal` packs segments, and as Databento's files are packed.
const LEVEL: i32 = 3;

/// Frames of a day read back from its packed journal. The baseline unpacks it and goes over its bytes by their checksum.
#[must_use]
pub fn read(workload: &Workload) -> Option<Result<Vec<Contender<'_>>, String>> {
    let stream = workload.dbn.as_ref()?;
    Some(contenders(&stream.bytes))
}

fn contenders<'a>(day: &'a [u8]) -> Result<Vec<Contender<'a>>, String> {
    let frames = frames_of(day, true)?;
    let count = frames.len() as u64;
    let journal = journal_of(&frames)?;
    let packed = zstd::bulk::compress(&journal, LEVEL).map_err(|error| error.to_string())?;
    let without_orders = journal_of(&frames_of(day, false)?)?;
    let sizes = [packed.len(), packed_len(&without_orders)?, packed_len(day)?, packed_len(&received(day)?)?];
    let [all, levels, plain, raw] = sizes;
    let note = format!(
        "{count} frames in {all} bytes, {levels} without orders; the day in zstd {plain}, as records received {raw}"
    );
    let bytes: usize = frames.iter().map(Vec::len).sum();
    let sum = crc32c::crc32c(&journal);
    let (for_plain, size) = (packed.clone(), journal.len());
    let unpacking = move || {
        let (elapsed, sum) = timed(|| crc32c::crc32c(&unpacked(&for_plain, size)));
        Run { elapsed, answer: format!("sum {sum:08x}") }
    };
    let reading = move || {
        let (elapsed, (count, bytes)) = timed(|| {
            let journal = unpacked(&packed, size);
            let mut reader = FrameReader::default();
            let (mut count, mut bytes, mut at) = (0, 0, 0);
            while let Ok(recorded) = reader.next(&journal, at, true) {
                at = recorded.end;
                if let Ok(FrameItem::Frame(frame)) = recorded.what {
                    count += 1;
                    bytes += frame.len();
                }
            }
            (count, bytes)
        });
        Run { elapsed, answer: format!("frames {count}, bytes {bytes}") }
    };
    let answer = format!("frames {count}, bytes {bytes}");
    Ok(vec![
        Contender::new("unpacking", count, format!("sum {sum:08x}"), unpacking),
        Contender::new("depthwire", count, answer, reading).noted(note),
    ])
}

fn unpacked(packed: &[u8], size: usize) -> Vec<u8> {
    Decompressor::new().and_then(|mut unpacker| unpacker.decompress(packed, size)).unwrap_or_default()
}

fn packed_len(bytes: &[u8]) -> Result<usize, String> {
    let packed = Compressor::new(LEVEL).and_then(|mut packer| packer.compress(bytes));
    packed.map(|packed| packed.len()).map_err(|error| error.to_string())
}

/// What an engine publishes of a day.
fn frames_of(day: &[u8], with_orders: bool) -> Result<Vec<Vec<u8>>, String> {
    let said = |error: &dyn std::fmt::Display| error.to_string();
    let (venue, symbol) = detect(day).map_err(|error| said(&error))?.remove(0);
    let config = EngineConfig { start_id: 7, is_replay: true, ..EngineConfig::default() };
    let mut engine = Engine::new(config, venues::catalogue(), NoClock);
    let listed = venues::instrument(venue, &symbol).map_err(|error| said(&error))?;
    let id = engine.add_instrument(listed).map_err(|error| said(&error))?;
    let source = engine.open_source(venue, &[id]).map_err(|error| said(&error))?;
    if with_orders {
        engine.open_orders(id).map_err(|error| said(&error))?;
    }
    let mut frames = Vec::new();
    let drain = |outbox: &mut Outbox| {
        while let Some((header, payload)) = outbox.front().and_then(|record| record.split_first_chunk()) {
            let header: &[u8; RECORD_HEADER_BYTES] = header;
            let [a, b, c, d, kind, ..] = *header;
            let size = u32::from_le_bytes([a, b, c, d]) as usize;
            if kind == RecordType::Frame as u8 {
                frames.extend(payload.get(..size).map(<[u8]>::to_vec));
            }
            outbox.take();
        }
        true
    };
    engine.replay(source, day, true, u64::MAX, drain).map_err(|error| said(&error))?;
    Ok(frames)
}

fn journal_of(frames: &[Vec<u8>]) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let mut writer = FrameWriter::begin(HEADER, &mut out);
    for frame in frames {
        writer.frame(frame, &mut out).map_err(|error| error.to_string())?;
    }
    writer.close(&mut out);
    Ok(out)
}

/// The day as a journal of what was received.
fn received(day: &[u8]) -> Result<Vec<u8>, String> {
    let (mut transcript, mut at, mut out) = (Transcript::default(), 0, Vec::new());
    let mut writer = Writer::begin(HEADER, &mut out);
    while let Ok(entry) = transcript.next(day, at, true) {
        at = entry.end;
        let input = match entry.heard {
            Ok(Heard::Head { bytes }) => Input::Head(bytes),
            Ok(Heard::Received { bytes, .. }) => Input::Received(bytes),
            other => return Err(format!("{other:?}")),
        };
        writer.append(0, entry.ts, &input, &mut out).map_err(|error| error.to_string())?;
    }
    writer.close(&mut out);
    Ok(out)
}

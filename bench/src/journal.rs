//! What it costs to keep frames in a journal, to read them back, and to pack a segment of them.

use std::ops::Range;

use depthwire_core::journal::{Input, Reader, SegmentHeader, Writer};
use zstd::bulk::Compressor;

use crate::timing::{Contender, Run, timed};
use crate::workload::Workload;

const HEADER: SegmentHeader = SegmentHeader { journal: 1, number: 0, first_seq: 0, created: 0 };
/// Bytes that are written at once: the buffer goes to a thread then.
const BUFFER_BYTES: usize = 1 << 20;
/// As `depthwire_journal::seal` packs them.
const FRAME_BYTES: usize = 4 << 20;
const LEVEL: i32 = 3;

/// Frames of a recording, taken as records: what the thread of an engine pays for each. The baseline copies them.
#[must_use]
pub fn append(workload: &Workload) -> Option<Vec<Contender<'_>>> {
    let (text, frames) = frames_of(workload)?;
    let bytes: usize = frames.iter().map(Range::len).sum();
    let expected = format!("frames {}, bytes {bytes}", frames.len());
    let copying = move || {
        let mut buffer = Vec::with_capacity(2 * BUFFER_BYTES);
        let (elapsed, (count, bytes)) = timed(|| {
            let (mut count, mut bytes) = (0_usize, 0);
            for frame in frames {
                if buffer.len() >= BUFFER_BYTES {
                    buffer.clear();
                }
                buffer.extend_from_slice(&text[frame.clone()]);
                count += 1;
                bytes += frame.len();
            }
            (count, bytes)
        });
        Run { elapsed, answer: format!("frames {count}, bytes {bytes}") }
    };
    let appending = move || {
        let mut buffer = Vec::with_capacity(2 * BUFFER_BYTES);
        let mut writer = Writer::begin(HEADER, &mut buffer);
        let (elapsed, bytes) = timed(|| {
            let mut bytes = 0;
            for (at, frame) in frames.iter().enumerate() {
                if buffer.len() >= BUFFER_BYTES {
                    buffer.clear();
                }
                let input = Input::Received(&text[frame.clone()]);
                if writer.append(1, at as u64 * 1000, &input, &mut buffer).is_ok() {
                    bytes += frame.len();
                }
            }
            bytes
        });
        Run { elapsed, answer: format!("frames {}, bytes {bytes}", writer.next_seq()) }
    };
    let count = frames.len() as u64;
    Some(vec![
        Contender::new("copying", count, expected.clone(), copying),
        Contender::new("depthwire", count, expected, appending),
    ])
}

/// Records read back from a segment in memory, each block checked. The baseline goes over its bytes by their checksum alone.
#[must_use]
pub fn read(workload: &Workload) -> Option<Vec<Contender<'_>>> {
    let (segment, count, bytes) = segment_of(workload)?;
    let plain = segment.clone();
    let sum = plain.chunks(256 << 10).fold(0, |sum, part| sum ^ crc32c::crc32c(part));
    let checking = move || {
        let (elapsed, sum) =
            timed(|| plain.chunks(256 << 10).fold(0, |sum, part| sum ^ crc32c::crc32c(part)));
        Run { elapsed, answer: format!("sum {sum:08x}") }
    };
    let reading = move || {
        let mut reader = Reader::default();
        let (elapsed, (count, bytes)) = timed(|| {
            let (mut count, mut bytes, mut at) = (0, 0, 0);
            while let Ok(recorded) = reader.next(&segment, at, true) {
                at = recorded.end;
                if let Ok(Input::Received(frame)) = recorded.what {
                    count += 1;
                    bytes += frame.len();
                }
            }
            (count, bytes)
        });
        Run { elapsed, answer: format!("frames {count}, bytes {bytes}") }
    };
    Some(vec![
        Contender::new("checksum", count, format!("sum {sum:08x}"), checking),
        Contender::new("depthwire", count, format!("frames {count}, bytes {bytes}"), reading),
    ])
}

/// A segment packed in frames that unpack one by one. The baseline packs it as a whole.
#[must_use]
pub fn seal(workload: &Workload) -> Option<Vec<Contender<'_>>> {
    let (segment, ..) = segment_of(workload)?;
    let count = segment.len() as u64;
    let packed = |part_bytes: usize| {
        let segment = segment.clone();
        let mut out = Vec::new();
        move || {
            let (elapsed, bytes) = timed(|| {
                let Ok(mut compressor) = Compressor::new(LEVEL) else { return 0 };
                let mut bytes = 0;
                for part in segment.chunks(part_bytes) {
                    out.clear();
                    out.reserve(zstd::zstd_safe::compress_bound(part.len()));
                    bytes += compressor.compress_to_buffer(part, &mut out).unwrap_or_default();
                }
                bytes
            });
            Run { elapsed, answer: format!("bytes {bytes}") }
        }
    };
    let (mut whole, mut framed) = (packed(usize::MAX), packed(FRAME_BYTES));
    let (whole_answer, framed_answer) = (whole().answer, framed().answer);
    let note = format!("{count} bytes to {framed_answer}; as a whole to {whole_answer}");
    Some(vec![
        Contender::new("as a whole", count, whole_answer, whole),
        Contender::new("depthwire", count, framed_answer, framed).noted(note),
    ])
}

fn frames_of(workload: &Workload) -> Option<(&[u8], &[Range<usize>])> {
    let recording = workload.recording.as_ref()?;
    Some((&recording.text, &recording.book_frames))
}

/// A segment of a recording's frames, how many those are and their bytes.
fn segment_of(workload: &Workload) -> Option<(Vec<u8>, u64, usize)> {
    let (text, frames) = frames_of(workload)?;
    let mut segment = Vec::new();
    let mut writer = Writer::begin(HEADER, &mut segment);
    let mut bytes = 0;
    for (at, frame) in frames.iter().enumerate() {
        let input = Input::Received(&text[frame.clone()]);
        writer.append(1, at as u64 * 1000, &input, &mut segment).ok()?;
        bytes += frame.len();
    }
    writer.close(&mut segment);
    Some((segment, frames.len() as u64, bytes))
}

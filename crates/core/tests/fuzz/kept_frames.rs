//! Segments of frames in columns, as they are and with every checksum made right, so that what stands behind them is reached.

use depthwire_core::journal::{FrameItem, FrameReader, FrameWriter, JournalError, SegmentHeader};

use crate::chunks::in_chunks;
use crate::frames::frames;
use crate::journal::{journal_fields, mended};
use crate::mutate::Fields;
use crate::random::Random;
use crate::run::{Said, Target};

/// A segment of frames.
pub struct KeptFrames;

/// What was told, by value; or an error.
type Told = Result<(u64, String), JournalError>;

fn next(reader: &mut FrameReader, bytes: &[u8], at: usize, last: bool) -> Result<(usize, Told), usize> {
    let due = reader.next_seq();
    let recorded = match reader.next(bytes, at, last) {
        Ok(recorded) => recorded,
        Err(used) => {
            assert!((at..=bytes.len()).contains(&used), "no more is used than was given");
            return Err(used);
        }
    };
    assert!((at..=recorded.end).contains(&recorded.start) && recorded.end <= bytes.len());
    let end = recorded.end;
    let told = recorded.what.map(|item| (recorded.seq, format!("{item:?}")));
    assert!(end > at || told.is_err() || reader.next_seq() == due.wrapping_add(1), "each takes a number");
    Ok((end, told))
}

/// Reads a segment in every way.
fn read(bytes: &[u8], random: &mut Random, said: &mut Said) {
    let mut reader = FrameReader::default();
    let (mut whole, mut at) = (Vec::new(), 0);
    let used = loop {
        let (end, told) = match next(&mut reader, bytes, at, true) {
            Ok(told) => told,
            Err(used) => break used,
        };
        at = end;
        match &told {
            Ok((_, text)) => said.ok(text.split('(').next().unwrap_or_default()),
            Err(error) => said.error(error.code()),
        }
        if told.is_ok() && random.one_in(5) && !matches!(told, Ok((_, ref text)) if text == "Began") {
            reader.put_back();
            let again = reader.next(bytes, at, true).map(|again| (again.seq, again.what.is_ok()));
            assert_eq!(again, Ok((told.as_ref().map_or(0, |told| told.0), true)), "it comes again");
        }
        whole.push(told);
    };
    assert_eq!(used, bytes.len(), "at the end all is used");
    let (mut fresh, mut cut) = (FrameReader::default(), Vec::new());
    in_chunks(bytes, random, |piece, last| {
        let mut at = 0;
        loop {
            match next(&mut fresh, piece, at, last) {
                Ok((end, told)) => {
                    at = end;
                    cut.push(told);
                }
                Err(used) => return used,
            }
        }
    });
    assert_eq!(cut, whole, "cut anywhere it reads the same");
}

impl Target for KeptFrames {
    const NAME: &'static str = "kept_frames";
    /// What is expected of frames takes room, whatever they are.
    const MEMORY: (usize, usize) = (2 << 20, 1_024);
    const SLOWER: usize = 4;

    fn generate(&mut self, random: &mut Random, out: &mut Vec<u8>) {
        let number = random.below(3) as u64;
        let mut writer = FrameWriter::begin(
            SegmentHeader { journal: 7, number, first_seq: random.any_size(), created: 5 },
            out,
        );
        let known = frames();
        for _ in 0..random.below(12) {
            let frame = &known[random.below(known.len())];
            match random.below(8) {
                0 => writer.instrument(b"venue:SYMBOL", out).unwrap(),
                1 => writer.frame(&frame[..random.below(frame.len())], out).unwrap(),
                _ => writer.frame(frame, out).unwrap(),
            };
            if random.one_in(6) {
                writer.flush(out);
            }
        }
        writer.close(out);
    }

    fn fields(fields: &mut Fields<'_>) {
        journal_fields(fields);
    }

    fn check(&mut self, bytes: &[u8], random: &mut Random, said: &mut Said) {
        read(bytes, random, said);
        let mended = mended(bytes);
        if mended != bytes {
            read(&mended, random, said);
        }
        let mut reader = FrameReader::default();
        if let Ok(recorded) = reader.next(&mended, 0, true)
            && let Ok(FrameItem::Frame(frame)) = recorded.what
        {
            said.size("frame", frame.len());
        }
    }
}

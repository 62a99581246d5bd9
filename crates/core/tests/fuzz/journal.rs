//! Segments of a journal, as they are and with every checksum made right, so that what stands behind them is reached.

use depthwire_core::journal::{
    BLOCK_HEADER_BYTES, Input, JournalError, Reader, SEGMENT_HEADER_BYTES, SegmentHeader, SetupKind, Writer,
};

use crate::chunks::in_chunks;
use crate::mutate::{Fields, Kind};
use crate::random::Random;
use crate::run::{Said, Target};

/// A segment.
pub struct Journal;

/// A record by value: its number, connection, time, and what it is with its bytes; or an error.
type Told = Result<(u64, u32, u64, String), JournalError>;

const BLOCK_MAGIC: &[u8] = b"DWJB";
const SETUPS: [SetupKind; 3] = [SetupKind::Venue, SetupKind::Carries, SetupKind::Instrument];
/// Of the checksum in both heads.
const CRC_AT: usize = 60;

/// Appends a segment of a few records, of what was missed too, if that is wanted.
pub fn segment(random: &mut Random, out: &mut Vec<u8>, has_missed: bool) {
    let header = SegmentHeader {
        journal: 7,
        number: random.below(3) as u64,
        first_seq: random.any_size(),
        created: 5,
    };
    let mut writer = Writer::begin(header, out);
    for _ in 0..random.below(9) {
        let len = random.below(24);
        let (bytes, url) = (random.bytes(len), random.bytes(len / 4));
        let bytes = bytes.as_slice();
        let input = match random.below(14) {
            0 => Input::Began,
            1 => Input::Head(bytes),
            2 => Input::Connected(bytes),
            3 => Input::Closed,
            4 => Input::Sent(bytes),
            5 => Input::Datagram(bytes),
            6 => Input::Answered { url: &url, body: bytes },
            7 if has_missed => Input::Missed { loses: random.one_in(2), code: bytes },
            8 => Input::Named(bytes),
            10 => Input::Ticked,
            9 => Input::Setup { kind: SETUPS[random.below(SETUPS.len())], text: bytes },
            _ => Input::Received(bytes),
        };
        let ts = 1_700_000_000_000_000_000 + random.below(1_000) as u64;
        writer.append(random.below(3) as u32, ts, &input, out).unwrap();
        if random.one_in(3) {
            writer.flush(out);
        }
    }
    if random.one_in(2) {
        writer.close(out);
    } else {
        writer.flush(out);
    }
}

/// Where each block begins, and the bytes behind its head, as far as the heads can be followed.
fn blocks(bytes: &[u8]) -> Vec<(usize, usize)> {
    let (mut blocks, mut at) = (Vec::new(), SEGMENT_HEADER_BYTES);
    while bytes.get(at..at + 4) == Some(BLOCK_MAGIC) && at + BLOCK_HEADER_BYTES <= bytes.len() {
        let records = u32::from_le_bytes(bytes[at + 20..at + 24].try_into().unwrap()) as usize;
        blocks.push((at, records));
        at += BLOCK_HEADER_BYTES + records;
    }
    blocks
}

pub fn journal_fields(fields: &mut Fields<'_>) {
    for (at, len) in [(0, 8), (8, 2), (16, 8), (24, 8), (32, 8), (40, 8), (60, 4)] {
        fields.note(Kind::Little, at, len);
    }
    for (begin, records) in blocks(fields.bytes) {
        fields.note(Kind::Unit, begin, BLOCK_HEADER_BYTES + records);
        for (at, len) in [(8, 8), (16, 4), (20, 4), (28, 4), (36, 4), (40, 8), (48, 8), (60, 4)] {
            fields.note(Kind::Little, begin + at, len);
        }
        fields.note(Kind::Letter, begin + 4, 1);
        fields.note(Kind::Letter, begin + 5, 1);
        for at in 0..records.min(fields.bytes.len()) {
            fields.note(Kind::Text, begin + BLOCK_HEADER_BYTES + at, 1);
        }
    }
}

/// The same with every checksum as its bytes have it.
pub fn mended(bytes: &[u8]) -> Vec<u8> {
    let mut mended = bytes.to_vec();
    let Some(head) = mended.get(..CRC_AT) else { return mended };
    let segment = crc32c::crc32c(head).to_le_bytes();
    if let Some(place) = mended.get_mut(CRC_AT..SEGMENT_HEADER_BYTES) {
        place.copy_from_slice(&segment);
    }
    for (begin, records) in blocks(bytes) {
        let body = begin + BLOCK_HEADER_BYTES;
        if let Some(records) = mended.get(body..body + records) {
            let crc = crc32c::crc32c(records).to_le_bytes();
            mended[begin + 28..begin + 32].copy_from_slice(&crc);
        }
        mended[begin + 36..begin + 40].copy_from_slice(&segment);
        let crc = crc32c::crc32c(&mended[begin..begin + CRC_AT]).to_le_bytes();
        mended[begin + CRC_AT..begin + BLOCK_HEADER_BYTES].copy_from_slice(&crc);
    }
    mended
}

/// Reads one record; what must hold of each holds.
fn next(reader: &mut Reader, bytes: &[u8], at: usize, last: bool) -> Result<(usize, usize, Told), usize> {
    let recorded = match reader.next(bytes, at, last) {
        Ok(recorded) => recorded,
        Err(used) => {
            assert!((at..=bytes.len()).contains(&used), "no more is used than was given");
            return Err(used);
        }
    };
    assert!((at..=recorded.end).contains(&recorded.start) && recorded.end <= bytes.len());
    // A block may have fewer bytes than it says that it has records.
    let takes_none = matches!(recorded.what, Err(JournalError::Gap { .. } | JournalError::BadRecord { .. }));
    assert!(recorded.end > at || takes_none, "each outcome uses bytes up, or says what is missing");
    if recorded.what.is_ok() {
        assert!(recorded.end > recorded.start && reader.next_seq() == recorded.seq.wrapping_add(1));
    }
    let told = recorded.what.map(|input| (recorded.seq, recorded.line, recorded.ts, format!("{input:?}")));
    Ok((recorded.start, recorded.end, told))
}

/// Reads a segment in every way.
fn read(bytes: &[u8], random: &mut Random, said: &mut Said) {
    let mut reader = Reader::default();
    let (mut whole, mut at) = (Vec::new(), 0);
    let used = loop {
        let (start, end, told) = match next(&mut reader, bytes, at, true) {
            Ok(record) => record,
            Err(used) => break used,
        };
        match &told {
            Ok((.., text)) => said.ok(text.split(['(', ' ']).next().unwrap_or_default()),
            Err(error) => said.error(error.code()),
        }
        if told.is_ok() && random.one_in(3) {
            reader.put_back();
            let again = next(&mut reader, bytes, start, true);
            assert_eq!(again, Ok((start, end, told.clone())), "a record put back comes again");
        }
        at = end;
        whole.push(told);
    };
    assert_eq!(used, bytes.len(), "at the end all is used");
    assert_eq!(next(&mut reader, bytes, used, true), Err(used));
    let mut fresh = Reader::default();
    let mut cut = Vec::new();
    in_chunks(bytes, random, |piece, last| {
        let mut at = 0;
        loop {
            match next(&mut fresh, piece, at, last) {
                Ok((_, end, told)) => {
                    at = end;
                    cut.push(told);
                }
                Err(used) => return used,
            }
        }
    });
    assert_eq!(cut, whole, "cut anywhere it reads the same");
    assert_eq!(fresh.was_closed(), reader.was_closed());
}

impl Target for Journal {
    const NAME: &'static str = "journal";
    const MEMORY: (usize, usize) = (64 << 10, 256);

    fn generate(&mut self, random: &mut Random, out: &mut Vec<u8>) {
        segment(random, out, true);
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
    }
}

//! DBN: metadata and records, as a stream and as a fragment.

use depthwire_core::framing::dbn::{
    DbnError, DbnFramer, Entry, MboChange, Metadata, RECORD_BYTES_MAX, Record, Version,
};
use depthwire_core::recording::Format;

use crate::chunks::in_chunks;
use crate::dbn_bytes::{Meta, mbo, record};
use crate::mutate::{Fields, Kind};
use crate::random::{Random, hash};
use crate::recorded::Recordings;
use crate::run::{Said, Target};

/// Types with their bytes in versions 1, 2 and 3.
const TYPES: [(u8, [usize; 3]); 18] = [
    (0x00, [48; 3]),
    (0x01, [80; 3]),
    (0x0a, [368; 3]),
    (0x12, [40; 3]),
    (0x13, [360, 400, 520]),
    (0x14, [112; 3]),
    (0x15, [80, 320, 320]),
    (0x16, [80, 176, 176]),
    (0x17, [80, 320, 320]),
    (0x18, [64, 64, 80]),
    (0x20, [56; 3]),
    (0x24, [56; 3]),
    (0xa0, [56; 3]),
    (0xb1, [80; 3]),
    (0xc0, [80; 3]),
    (0xc2, [80; 3]),
    (0xc3, [80; 3]),
    (0xee, [20; 3]),
];

/// A record of any type that is what its version says.
fn any_record(version: u8, ts_out: bool, random: &mut Random) -> Vec<u8> {
    let &(rtype, lens) = random.pick(&TYPES);
    let len = lens[usize::from(version) - 1];
    let mut bytes = record(rtype, len, &[]);
    for byte in &mut bytes[16..] {
        *byte = if random.one_in(4) { random.below(128) as u8 } else { 0 };
    }
    with_ts_out(bytes, ts_out)
}

fn with_ts_out(mut record: Vec<u8>, ts_out: bool) -> Vec<u8> {
    if ts_out {
        record.extend(1_703_422_805_718_200_300u64.to_le_bytes());
        record[0] += 2;
    }
    record
}

/// Metadata that name one instrument.
pub fn metadata(version: u8, ts_out: bool, random: &mut Random) -> Vec<u8> {
    let mut meta = Meta::new(version);
    meta.ts_out = ts_out;
    if random.one_in(2) {
        meta.symbols = &["ES.FUT"];
        meta.partial = &["ESU4"];
        meta.not_found = &["NONE"];
    }
    meta.mappings = if random.one_in(2) {
        &[("ESH4", &[(20_231_225, 20_231_226, "17077"), (20_231_226, 20_240_229, "")])]
    } else {
        // The number goes from one symbol to another.
        &[
            ("ESH4", &[(20_231_225, 20_231_226, "17077"), (20_231_226, 20_240_229, "9")]),
            ("ID5", &[(20_231_226, 20_240_229, "17077")]),
        ]
    };
    meta.bytes()
}

/// Fields of a stream, its metadata among them.
pub fn dbn_fields(fields: &mut Fields<'_>) {
    let mut at = 0;
    if fields.bytes.starts_with(b"DBN") {
        let len = 8 + fields.little(4, 4).unwrap_or(0);
        let is_first = fields.bytes.get(3) == Some(&1);
        fields.note(Kind::Letter, 3, 1);
        fields.note(Kind::Little, 4, 4);
        fields.note(Kind::Little, 24, 2);
        // The flag of ts_out and the length of symbols.
        let types = if is_first { 58 } else { 50 };
        for offset in 0..3 {
            fields.note(Kind::Letter, types + offset, 1);
        }
        fields.note(Kind::Little, types + 3, 2);
        // The length of the definition, and behind it the counts and dates, wherever they are.
        for offset in (108..len.min(400)).step_by(if len.is_multiple_of(2) { 2 } else { 1 }) {
            fields.note(Kind::Little, offset, 4);
        }
        fields.note(Kind::Text, 8, len.saturating_sub(8));
        fields.note(Kind::Unit, 0, len);
        at = len;
    }
    while let Some(words) = fields.little(at, 1) {
        let len = words * 4;
        fields.note(Kind::Unit, at, len);
        fields.note(Kind::Little, at, 1);
        fields.note(Kind::Letter, at + 1, 1);
        fields.note(Kind::Little, at + 2, 2);
        fields.note(Kind::Little, at + 4, 4);
        fields.note(Kind::Little, at + 8, 8);
        if fields.little(at + 1, 1) == Some(0xa0) {
            fields.note(Kind::Little, at + 16, 8);
            fields.note(Kind::Little, at + 24, 8);
            fields.note(Kind::Little, at + 32, 4);
            fields.note(Kind::Little, at + 36, 1);
            fields.note(Kind::Letter, at + 38, 1);
            fields.note(Kind::Letter, at + 39, 1);
            fields.note(Kind::Little, at + 40, 8);
        } else {
            fields.note(Kind::Text, at + 16, len.saturating_sub(16));
        }
        at += len.max(1);
    }
}

/// What an entry says: where it stands, and its record read aloud where that was asked for; or its error's code and
/// whether the stream ends with it.
type Saying = (usize, usize, u64, Result<u64, (&'static str, bool)>);

fn saying(entry: &Entry<'_>, offset: usize, aloud: bool) -> Saying {
    let record =
        entry.record.as_ref().map_err(|error| (error.code(), error.ends_the_stream())).map(|record| {
            if aloud { hash(format!("{record:?}").as_bytes()) } else { record.header().ts_event }
        });
    (entry.start + offset, entry.end + offset, entry.ts_out, record)
}

/// What is said up to the end of the stream. An error that ends it is told again for what follows, and how far it
/// reaches depends on the chunk.
fn until_the_end(sayings: &[Saying]) -> (&[Saying], Option<&'static str>) {
    let ends = |saying: &Saying| saying.3.err().filter(|(_, ends)| *ends).map(|(code, _)| code);
    let until = sayings.iter().position(|saying| ends(saying).is_some()).unwrap_or(sayings.len());
    (&sayings[..until], sayings.get(until).and_then(ends))
}

/// A stream with its metadata, or a fragment.
pub struct Dbn<const FRAGMENT: bool>;

impl<const FRAGMENT: bool> Dbn<FRAGMENT> {
    /// A fragment's first byte stands for what metadata say.
    fn framer(bytes: &[u8]) -> (DbnFramer, &[u8]) {
        match bytes.split_first() {
            Some((&how, rest)) if FRAGMENT => {
                let version = [Version::V1, Version::V2, Version::V3][usize::from(how % 3)];
                (DbnFramer::fragment(version, how & 0x80 != 0), rest)
            }
            _ => (DbnFramer::new(), bytes),
        }
    }
}

impl<const FRAGMENT: bool> Target for Dbn<FRAGMENT> {
    const NAME: &'static str = if FRAGMENT { "dbn_fragment" } else { "dbn" };
    const INPUT_BYTES_MAX: usize = 3_000;
    const IS_RECORDED: bool = !FRAGMENT;
    // A stream that has ended says so once more for each piece, which may be a byte; the check keeps all of it.
    const MEMORY: (usize, usize) = (64 << 10, 128);

    fn generate(&mut self, random: &mut Random, out: &mut Vec<u8>) {
        let how = random.below(3) as u8;
        let (version, ts_out) = (how + 1, random.one_in(4));
        if FRAGMENT {
            // 129 is a multiple of 3.
            out.push(how + if ts_out { 129 } else { 0 });
        } else {
            out.extend(metadata(version, ts_out, random));
        }
        for _ in 0..random.below(6) {
            out.extend(match random.one_in(2) {
                true => any_record(version, ts_out, random),
                false => {
                    let (action, side) = (*random.pick(b"ACMRTFN"), *random.pick(b"AB"));
                    let (id, price) = (random.any_size() | 1, random.any_size() as i64 >> 1);
                    with_ts_out(
                        mbo(action, side, id, price, 1 + random.below(99) as u32, random.0 as u8),
                        ts_out,
                    )
                }
            });
        }
    }

    fn recorded(&self, recordings: &Recordings) -> Vec<Vec<u8>> {
        recordings.pieces(|form| form == Format::Dbn)
    }

    fn fields(fields: &mut Fields<'_>) {
        if FRAGMENT {
            let mut inner = Vec::new();
            let bytes = fields.bytes.get(1..).unwrap_or_default();
            dbn_fields(&mut Fields { bytes, out: &mut inner });
            fields
                .out
                .extend(inner.into_iter().map(|field| crate::mutate::Field { at: field.at + 1, ..field }));
        } else {
            dbn_fields(fields);
        }
    }

    fn check(&mut self, input: &[u8], random: &mut Random, said: &mut Said) {
        let (mut framer, bytes) = Self::framer(input);
        let aloud = random.one_in(16);
        let mut whole = Vec::new();
        let mut records = framer.finish(bytes);
        let mut end = 0;
        while let Some(entry) = records.next() {
            assert!(entry.start >= end && (entry.end > entry.start || entry.record.is_err()));
            assert_eq!(entry.end, records.consumed());
            end = entry.end;
            match entry.record {
                Ok(record) => {
                    said.size("rtype", usize::from(record.header().rtype));
                    if let Record::Mbo(mbo) = record {
                        match mbo.change() {
                            Ok(MboChange::Order(_)) => said.ok("order"),
                            Ok(MboChange::Nothing) => said.ok("nothing"),
                            Ok(MboChange::Top { .. }) => said.ok("top"),
                            Ok(MboChange::Aggregate) => said.ok("aggregate"),
                            Err(error) => said.ok(error.code()),
                        }
                        assert!(mbo.trade().is_none() || mbo.change() == Ok(MboChange::Nothing));
                    }
                }
                Err(error) => {
                    assert!(!error.ends_the_stream() || end == bytes.len(), "the end uses all bytes up");
                    said.error(error.code());
                    if let DbnError::MetadataTooShort { field, .. } = error {
                        said.ok(field);
                    }
                }
            }
            whole.push(saying(&entry, 0, aloud));
        }
        assert_eq!(records.consumed(), bytes.len());
        let (metadata, unknown) = (framer.metadata().cloned(), framer.unknown());
        if !FRAGMENT {
            let read = Metadata::read(bytes).ok().flatten();
            assert_eq!(read.map(|(metadata, _)| metadata), metadata, "what is read is what is kept");
        }
        let mut framer = Self::framer(input).0;
        let mut cut = Vec::new();
        in_chunks(bytes, random, |piece, last| {
            let offset = piece.as_ptr() as usize - bytes.as_ptr() as usize;
            let mut records = if last { framer.finish(piece) } else { framer.records(piece) };
            cut.extend(records.by_ref().map(|entry| saying(&entry, offset, aloud)));
            let used = records.consumed();
            assert!(!(FRAGMENT || framer.metadata().is_some()) || piece.len() - used < RECORD_BYTES_MAX);
            used
        });
        assert_eq!(until_the_end(&cut), until_the_end(&whole), "cut anywhere it reads the same");
        assert_eq!((framer.metadata().cloned(), framer.unknown()), (metadata, unknown));
    }
}

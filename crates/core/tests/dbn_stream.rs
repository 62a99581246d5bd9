//! Metadata and framing: any cut of the bytes gives the same, and damage is named, never followed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed unwrap is a failed test")]

mod dbn_bytes;

use std::panic::catch_unwind;

use dbn_bytes::{Meta, Random, feed, lengths, mbo, record, words};
use depthwire_core::framing::dbn::{
    Date, DbnError, DbnFramer, METADATA_BYTES_MAX, Metadata, Record, Schema, SymbolType, Version,
};
use depthwire_core::types::Levels;

/// Metadata with something in each list.
fn full(version: u8) -> Meta<'static> {
    Meta {
        symbols: &["ESH4", "NQH4", "1234567890123456789012"],
        partial: &["NQH4"],
        not_found: &["XX", ""],
        mappings: &[("ESH4", &[(20231224, 20231225, "17077"), (20231225, 20240229, "")]), ("NQH4", &[])],
        ..Meta::new(version)
    }
}

#[test]
fn a_day_begins_at_its_midnight() {
    for (number, seconds) in [
        (0, 0),
        (19_691_231, 0),
        (19_700_101, 0),
        (19_700_301, 59 * 86_400),
        (20_000_229, 951_782_400),
        (20_000_301, 951_868_800),
        (20_231_225, 1_703_462_400),
        (20_240_229, 1_709_164_800),
        (21_000_301, 4_107_542_400),
    ] {
        let date = Date::new(number.max(101)).unwrap();
        assert_eq!(date.start_ns(), seconds * 1_000_000_000, "{date}");
    }
    assert_eq!(Date::new(99_991_231).unwrap().start_ns(), u64::MAX);
}

#[test]
fn reads_the_metadata_of_each_version() {
    for version in 1..=3 {
        let mut bytes = full(version).bytes();
        let len = bytes.len();
        bytes.push(0xff);
        let (metadata, consumed) = Metadata::read(&bytes).unwrap().unwrap();
        assert_eq!(consumed, len);
        assert_eq!(metadata.version as u8, version);
        assert_eq!((metadata.dataset.as_str(), metadata.schema), ("GLBX.MDP3", Some(Schema::Mbo)));
        assert_eq!((metadata.start, metadata.end), (1_700_000_000_000_000_000, None));
        assert_eq!((metadata.limit, metadata.ts_out), (Some(7), false));
        let types = (metadata.stype_in, metadata.stype_out);
        assert_eq!(types, (Some(SymbolType::RawSymbol), Some(SymbolType::InstrumentId)));
        assert_eq!(metadata.symbol_len, if version == 1 { 22 } else { 71 });
        assert_eq!(metadata.symbols, ["ESH4", "NQH4", "1234567890123456789012"]);
        assert_eq!(
            (metadata.partial, metadata.not_found),
            (vec!["NQH4".into()], vec!["XX".into(), "".into()])
        );
        let mapping = &metadata.mappings[0];
        assert_eq!((mapping.symbol.as_str(), mapping.intervals[0].symbol.as_str()), ("ESH4", "17077"));
        assert_eq!(mapping.intervals[0].start, Date { year: 2023, month: 12, day: 24 });
        assert_eq!(mapping.intervals[1].end.to_string(), "2024-02-29");
        assert_eq!((metadata.mappings.len(), metadata.mappings[1].intervals.len()), (2, 0));
        for cut in 0..len {
            assert_eq!(Metadata::read(&bytes[..cut]), Ok(None), "cut at {cut}");
        }
    }
}

#[test]
fn codes_of_a_mix_and_codes_unknown_are_told_apart() {
    let read = |at: usize, code: &[u8]| {
        let mut bytes = Meta::new(3).bytes();
        bytes[at..at + code.len()].copy_from_slice(code);
        Metadata::read(&bytes).unwrap().unwrap().0
    };
    assert_eq!(read(24, &[0xff, 0xff]).schema, None);
    assert_eq!(read(24, &[19, 0]).schema, Some(Schema::Bbo1M));
    assert_eq!(read(24, &[20, 0]).schema, Some(Schema::Unknown(20)));
    assert_eq!(read(50, &[0xff]).stype_in, None);
    assert_eq!(read(50, &[4]).stype_in, Some(SymbolType::Parent));
    assert_eq!(read(51, &[9]).stype_out, Some(SymbolType::Other(9)));
    assert!(read(52, &[1]).ts_out);
    assert_eq!(read(34, &1_800u64.to_le_bytes()).end, Some(1_800));
    assert_eq!(read(42, &0u64.to_le_bytes()).limit, None);
}

#[test]
fn metadata_that_lies_is_refused_before_it_costs_anything() {
    let mut bytes = full(2).bytes();
    let error = |bytes: &[u8]| Metadata::read(bytes).unwrap_err();
    let with = |at: usize, field: &[u8]| {
        let mut bytes = full(2).bytes();
        bytes[at..at + field.len()].copy_from_slice(field);
        error(&bytes)
    };
    assert_eq!(with(0, b"DBZ").code(), "decode.dbn_magic");
    assert_eq!(error(b"X"), DbnError::NotDbn { got: [b'X', 0, 0, 0] });
    assert!(error(&[0x28, 0xb5, 0x2f, 0xfd, 4]).fix().contains("Zstandard"));
    assert!(error(b"P*M\x18").fix().contains("DBZ"));
    assert_eq!(with(3, &[0]), DbnError::UnsupportedVersion { got: 0 });
    assert_eq!(with(3, &[4]), DbnError::UnsupportedVersion { got: 4 });
    // A length that could never be buffered, known from the first eight bytes.
    let huge = u32::MAX.to_le_bytes();
    bytes[4..8].copy_from_slice(&huge);
    assert_eq!(error(&bytes[..8]), DbnError::MetadataTooLarge { len: u32::MAX as usize });
    bytes[4..8].copy_from_slice(&(METADATA_BYTES_MAX as u32).to_le_bytes());
    assert_eq!(Metadata::read(&bytes), Ok(None));
    assert_eq!(with(4, &99u32.to_le_bytes()).code(), "decode.dbn_metadata_too_short");
    assert_eq!(with(53, &0u16.to_le_bytes()), DbnError::BadSymbolLen { got: 0 });
    assert_eq!(with(53, &256u16.to_le_bytes()), DbnError::BadSymbolLen { got: 256 });
    assert_eq!(with(108, &1u32.to_le_bytes()), DbnError::SchemaDefinition { len: 1 });
    // Each count in turn: symbols, partial, not found, mappings, intervals.
    let lists = [112, 112 + 4 + 3 * 71, 112 + 8 + 4 * 71, 112 + 12 + 6 * 71, 112 + 16 + 7 * 71];
    for (at, field) in lists.into_iter().zip([
        "symbols",
        "partial symbols",
        "symbols not found",
        "mappings",
        "mapping intervals",
    ]) {
        let DbnError::MetadataTooShort { field: named, expected, got } = with(at, &huge) else {
            panic!("{at}")
        };
        assert!(named == field && expected > got, "{named} {expected} {got}");
    }
    assert_eq!(with(116, &[0xff]), DbnError::NotUtf8 { at: 0 });
    assert_eq!(with(8, &[0xff]), DbnError::NotUtf8 { at: 0 });
    let date = lists[4] + 4;
    for got in [0u32, 20231301, 20230010, 20231200, 20231232, 20230229, 19000229, 100000101] {
        assert_eq!(with(date, &got.to_le_bytes()), DbnError::BadDate { got });
    }
}

/// A stream with a bit of everything that framing meets.
fn stream(version: u8, ts_out: bool) -> Vec<u8> {
    let mut bytes = Meta { ts_out, ..full(version) }.bytes();
    let records = [
        mbo(b'R', b'N', 0, i64::MAX, 0, 0x28),
        record(0x7e, 16, &[]),
        mbo(b'A', b'B', 7, 5, 3, 0xa8),
        record(0xa0, 52, &[]),
        record(0x7f, 1_020, &[]),
        mbo(b'C', b'B', 7, 5, 3, 0x80),
    ];
    for (nth, mut record) in records.into_iter().enumerate() {
        if ts_out && record.len() % 8 == 0 {
            record.extend((1_000 + nth as u64).to_le_bytes());
            record[0] += 2;
        }
        bytes.extend(record);
    }
    bytes
}

#[test]
fn any_cut_of_a_stream_gives_the_same_records() {
    for version in 1..=3 {
        for ts_out in [false, true] {
            let bytes = stream(version, ts_out);
            let whole = words(DbnFramer::new(), &bytes, bytes.len());
            assert_eq!(whole.len(), 6);
            for chunk in (1..300).chain([1_019, 1_020, 1_021]) {
                assert_eq!(words(DbnFramer::new(), &bytes, chunk), whole, "chunks of {chunk}");
            }
            let ends: Vec<_> = whole.iter().map(|said| said.rsplit(' ').next().unwrap()).collect();
            let sent = if ts_out {
                ["1000", "1001", "1002", "44", "0", "1005"]
            } else {
                ["0", "0", "0", "52", "0", "0"]
            };
            assert_eq!(ends, sent);
        }
    }
}

#[test]
fn a_record_of_unknown_type_or_wrong_length_concerns_itself_alone() {
    let bytes = stream(2, false);
    let mut seen = Vec::new();
    let framer = feed(DbnFramer::new(), &bytes, bytes.len(), |entry| {
        seen.push(match entry.record {
            Ok(record) => Ok((record.header().rtype, entry.end - entry.start)),
            Err(error) => Err(error),
        });
    });
    let wrong = Err(DbnError::RecordLen { rtype: 0xa0, expected: 56, got: 52 });
    let expected = [Ok((0xa0, 56)), Ok((0x7e, 16)), Ok((0xa0, 56)), wrong, Ok((0x7f, 1_020)), Ok((0xa0, 56))];
    assert_eq!(seen, expected);
    assert_eq!(framer.unknown(), 2);
}

#[test]
fn a_fragment_needs_its_version_told() {
    let records = [mbo(b'A', b'B', 7, 5, 3, 0), mbo(b'C', b'B', 7, 5, 3, 0x80)].concat();
    let all = words(DbnFramer::fragment(Version::V1, false), &records, 10);
    assert_eq!(all.len(), 2);
    // Taken for a stream, it is refused; so is a stream taken for a fragment.
    let refused = words(DbnFramer::new(), &records, 10);
    assert!(refused[0].starts_with("no DBN stream"), "{refused:?}");
    let mut entries = Vec::new();
    feed(DbnFramer::fragment(Version::V2, false), &stream(2, false), usize::MAX, |entry| {
        entries.push(entry.record.err());
    });
    assert_eq!(entries, [Some(DbnError::MetadataAmongRecords)]);
    // With ts_out wrongly told, every record has a wrong length.
    let mut framer = DbnFramer::fragment(Version::V1, true);
    for entry in framer.finish(&records) {
        assert_eq!(entry.record, Err(DbnError::RecordLen { rtype: 0xa0, expected: 56, got: 48 }));
    }
}

#[test]
fn the_metadata_is_there_before_the_first_record() {
    let bytes = stream(3, false);
    let meta = full(3).bytes().len();
    let mut framer = DbnFramer::new();
    let mut records = framer.records(&bytes[..meta - 1]);
    assert!(records.metadata().is_none() && records.next().is_none());
    assert_eq!(records.consumed(), 0);
    let mut records = framer.records(&bytes[..meta]);
    assert_eq!(records.metadata().unwrap().version, Version::V3);
    assert!(records.next().is_none());
    assert_eq!(records.consumed(), meta);
    let mut records = framer.records(&bytes[meta..]);
    assert_eq!(records.next().map(|entry| (entry.start, entry.end)), Some((0, 56)));
    assert_eq!(records.consumed(), 56);
    assert_eq!(framer.metadata().unwrap().symbols.len(), 3);
}

#[test]
fn a_stream_that_ends_in_the_middle_says_so() {
    let bytes = stream(1, false);
    let meta = full(1).bytes().len();
    let last = |cut: usize| {
        let mut all = Vec::new();
        feed(DbnFramer::new(), &bytes[..cut], 64, |entry| all.push(entry.record.err()));
        all.pop().flatten()
    };
    assert_eq!(last(0), Some(DbnError::Truncated { expected: 8, got: 0 }));
    assert_eq!(last(7), Some(DbnError::Truncated { expected: 8, got: 7 }));
    assert_eq!(last(8), Some(DbnError::Truncated { expected: meta, got: 8 }));
    assert_eq!(last(meta - 1), Some(DbnError::Truncated { expected: meta, got: meta - 1 }));
    assert_eq!(last(meta), None);
    assert_eq!(last(meta + 1), Some(DbnError::Truncated { expected: 56, got: 1 }));
    assert_eq!(last(meta + 55), Some(DbnError::Truncated { expected: 56, got: 55 }));
    assert_eq!(last(meta + 56), None);
}

#[test]
fn after_a_record_without_length_nothing_is_believed() {
    for words in 0..4 {
        let mut bytes = stream(2, false);
        let meta = full(2).bytes().len();
        bytes[meta + 56] = words;
        let error = DbnError::RecordTooShort { len: usize::from(words) * 4 };
        assert!(error.ends_the_stream());
        let mut framer = DbnFramer::new();
        let mut records = framer.records(&bytes);
        assert!(records.next().unwrap().record.is_ok());
        let entry = records.next().unwrap();
        assert_eq!((entry.start, entry.end, entry.record), (meta + 56, bytes.len(), Err(error)));
        assert!(records.next().is_none());
        assert_eq!(records.consumed(), bytes.len());
        // What follows is used up, so that no caller waits or gathers it.
        for bytes in [&bytes[..], &bytes[..1]] {
            let mut records = framer.records(bytes);
            assert_eq!(records.next().map(|entry| entry.record), Some(Err(error)));
            assert!(records.next().is_none());
            assert_eq!(records.consumed(), bytes.len());
        }
        assert!(framer.finish(&[]).next().is_none());
    }
}

/// Everything that can be asked of a stream, asked.
fn ask_all(framer: DbnFramer, bytes: &[u8], chunk: usize) {
    feed(framer, bytes, chunk, |entry| match entry.record {
        Ok(record) => {
            let mut levels = Levels::default();
            let _ = record.header();
            match record {
                Record::Mbo(order) => drop((order.change(), order.trade())),
                Record::Trade(trade) => drop(trade.trade()),
                Record::Mbp1(change) => drop((change.levels(&mut levels), change.trade())),
                Record::Mbp10(change) => drop((change.levels(&mut levels), change.trade())),
                Record::Bbo(bbo) => drop((bbo.levels(&mut levels), bbo.last_trade())),
                Record::ConsolidatedMbp1(change) => drop((change.levels(&mut levels), change.trade())),
                Record::ConsolidatedBbo(bbo) => drop((bbo.levels(&mut levels), bbo.last_trade())),
                Record::Definition(definition) => {
                    let _ = (definition.leg(), definition.raw_symbol().as_str());
                }
                Record::SymbolMapping(mapping) => drop(mapping.stype_out_symbol().as_str()),
                Record::Statistics(statistic) => drop(format!("{statistic:?}")),
                Record::System(system) => drop(format!("{system:?}")),
                Record::GatewayError(error) => drop(format!("{error:?}")),
                _ => {}
            }
        }
        Err(error) => assert!(error.to_string().contains("expected")),
    });
}

/// Reads bytes as a stream and as a fragment; which kind of fragment, the length of the bytes decides.
fn survives(bytes: &[u8], chunk: usize, what: &str) {
    let caught = catch_unwind(|| {
        ask_all(DbnFramer::new(), bytes, chunk);
        let version = [Version::V1, Version::V2, Version::V3][bytes.len() % 3];
        ask_all(DbnFramer::fragment(version, bytes.len() % 2 == 1), bytes, chunk);
    });
    assert!(caught.is_ok(), "{what} panicked on {}", bytes.escape_ascii());
}

/// Streams with a bit of everything, and with each type of record.
fn streams() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for version in 1..=3 {
        for ts_out in [false, true] {
            all.push(stream(version, ts_out));
        }
        let mut bytes = Meta::new(version).bytes();
        for (rtype, len) in lengths(version) {
            bytes.extend(record(rtype, len, &[(16, &[0x7f; 24])]));
        }
        all.push(bytes);
    }
    all
}

#[test]
fn a_stream_cut_anywhere_is_survived() {
    for bytes in streams() {
        for cut in 0..bytes.len() {
            survives(&bytes[..cut], 1 << 20, "a cut");
        }
    }
}

#[test]
fn a_stream_with_any_bit_turned_is_survived() {
    for mut bytes in streams() {
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            survives(&bytes, 1 << 20, "a turned bit");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

#[test]
fn random_damage_is_survived() {
    let inputs = if cfg!(debug_assertions) { 5_000 } else { 50_000 };
    let seed = 0x0db_de5;
    println!("seed {seed:#x}, {inputs} inputs");
    let mut random = Random(seed);
    let streams = streams();
    for _ in 0..inputs {
        let mut bytes = streams[random.below(streams.len())].clone();
        for _ in 0..=random.below(6) {
            let (at, until) = (random.below(bytes.len() + 1), random.below(bytes.len() + 1));
            let (from, to) = (at.min(until), at.max(until));
            match random.below(5) {
                0 if at < bytes.len() => bytes[at] = random.next() as u8,
                1 => bytes.truncate(at),
                2 => drop(bytes.drain(from..to)),
                3 if bytes.len() < 16_384 => {
                    let copy = bytes[from..to].to_vec();
                    bytes.splice(at..at, copy);
                }
                _ => {
                    let other = &streams[random.below(streams.len())];
                    bytes.truncate(at);
                    bytes.extend_from_slice(&other[random.below(other.len())..]);
                }
            }
        }
        survives(&bytes, 1 + random.below(2_000), "random damage");
    }
}

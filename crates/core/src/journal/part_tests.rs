//! Parts of journals, cut and put together.

use proptest::prelude::*;

use super::error::JournalError;
use super::merge::Merge;
use super::part_error::PartError;
use super::reader::Reader;
use super::record::Input;
use super::record::tests::{Told, told};
use super::segment::SegmentHeader;
use super::slice::{Part, Slice};
use super::writer::Writer;

const ALL: (u64, u64) = (0, u64::MAX);

/// A record as it is told: its number, connection and time, and what it says.
type Line = (u64, u32, u64, String);

fn journal(name: u64, records: &[(u32, u64, Input<'_>)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let header = SegmentHeader { journal: name, number: 0, first_seq: 0, created: 1 };
    let mut writer = Writer::begin(header, &mut bytes);
    for (nth, (line, ts, input)) in records.iter().enumerate() {
        writer.append(*line, *ts, input, &mut bytes).unwrap();
        if nth % 3 == 2 {
            writer.flush(&mut bytes);
        }
    }
    writer.close(&mut bytes);
    bytes
}

/// Records of a segment, and how often it said that some are missing.
fn read(bytes: &[u8]) -> (Vec<Line>, usize) {
    let (mut reader, mut at, mut lines, mut gaps) = (Reader::default(), 0, Vec::new(), 0);
    while let Ok(recorded) = reader.next(bytes, at, true) {
        at = recorded.end;
        match recorded.what {
            Ok(input) => lines.push((recorded.seq, recorded.line, recorded.ts, format!("{input:?}"))),
            Err(_) => gaps += 1,
        }
    }
    (lines, gaps)
}

fn sliced(bytes: &[u8], part: Part) -> Vec<u8> {
    let (mut slice, mut out) = (Slice::new(part, 2), Vec::new());
    assert_eq!(slice.take(bytes, true, &mut out), Ok(bytes.len()));
    slice.close(&mut out);
    out
}

fn merged(parts: &[&[u8]]) -> Result<(Vec<u8>, u64, u64), PartError> {
    let (mut merge, mut out) = (Merge::new(parts.len(), 99, 3), Vec::new());
    let mut from = vec![0; parts.len()];
    while let Some(index) = merge.wants() {
        // In small chunks: what comes from where must not depend on them.
        let (part, at) = (parts[index], from[index]);
        if part.is_empty() || at == part.len() {
            merge.ended(index);
        } else {
            let mut to = at;
            let used = loop {
                to = (to + 64).min(part.len());
                let used = merge.take(index, &part[at..to], to == part.len())?;
                if used > 0 || to == part.len() {
                    break used;
                }
            };
            from[index] += used;
        }
        merge.merge(&mut out)?;
    }
    merge.close(&mut out);
    Ok((out, merge.repeated(), merge.faults()))
}

proptest! {
    #[test]
    fn two_halves_are_the_whole(all in prop::collection::vec(told(), 1..40), cut in 0_u64..40, overlap in 0_u64..9) {
        let records: Vec<_> = all.iter().map(|told: &Told| (told.line, told.ts, told.input())).collect();
        let whole = journal(7, &records);
        let first = sliced(&whole, Part { times: ALL, records: (0, cut + overlap) });
        let second = sliced(&whole, Part { times: ALL, records: (cut + 1, u64::MAX) });
        for parts in [[&first[..], &second], [&second, &first]] {
            let (both, _, faults) = merged(&parts).unwrap();
            prop_assert_eq!(faults, 0);
            prop_assert_eq!(read(&both), read(&whole));
        }
    }

    #[test]
    fn different_journals_keep_their_order_and_all_their_records(
        one in prop::collection::vec((0_u32..3, 1_u64..50), 0..30),
        other in prop::collection::vec((0_u32..3, 1_u64..50), 0..30),
    ) {
        let records = |of: &[(u32, u64)]| -> Vec<(u32, u64, Input<'static>)> {
            of.iter().map(|(line, ts)| (*line, *ts, Input::Received(b"x"))).collect()
        };
        let (first, second) = (journal(1, &records(&one)), journal(2, &records(&other)));
        let (both, repeated, faults) = merged(&[&first, &second]).unwrap();
        let (lines, gaps) = read(&both);
        prop_assert_eq!((repeated, faults, gaps), (0, 0, 0));
        prop_assert_eq!(lines.len(), one.len() + other.len());
        // The naive way: a stable sort by the latest time so far.
        let keyed = |of: &[(u32, u64)], which: u8| -> Vec<(u64, u8, u64)> {
            let mut latest = 0;
            of.iter().map(|(_, ts)| { latest = latest.max(*ts); (latest, which, *ts) }).collect()
        };
        let mut expected = [keyed(&one, 0), keyed(&other, 1)].concat();
        expected.sort_by_key(|(latest, which, _)| (*latest, *which));
        let times: Vec<_> = lines.iter().map(|(_, _, ts, _)| *ts).collect();
        prop_assert_eq!(times, expected.iter().map(|(_, _, ts)| *ts).collect::<Vec<_>>());
    }

    #[test]
    fn no_bytes_panic(bytes: Vec<u8>, flip in any::<(prop::sample::Index, u8)>()) {
        let mut whole = journal(7, &[(0, 5, Input::Received(b"abc")), (1, 6, Input::Connected(b"d"))]);
        let (place, mask) = flip;
        let at = place.index(whole.len());
        whole[at] ^= mask;
        for file in [&bytes, &whole] {
            let mut out = Vec::new();
            let _ = Slice::new(Part { times: ALL, records: ALL }, 2).take(file, true, &mut out);
            let _ = merged(&[file, &whole]);
        }
    }
}

#[test]
fn a_part_keeps_what_is_needed_to_read_it() {
    let whole = journal(
        7,
        &[
            (0, 10, Input::Connected(b"wss://a")),
            (0, 11, Input::Sent(b"subscribe")),
            (0, 12, Input::Received(b"old")),
            (1, 13, Input::Named(b"wss://b")),
            (0, 14, Input::Answered { url: b"u", body: b"old" }),
            (0, 20, Input::Received(b"in")),
            (0, 0, Input::Missed { loses: true, code: b"c" }),
            (0, 29, Input::Received(b"in too")),
            (0, 30, Input::Received(b"late")),
            (0, 31, Input::Connected(b"late")),
        ],
    );
    let (lines, gaps) = read(&sliced(&whole, Part { times: (20, 30), records: ALL }));
    let numbers: Vec<_> = lines.iter().map(|(seq, ..)| *seq).collect();
    assert_eq!((numbers, gaps), (vec![0, 1, 3, 5, 6, 7], 2));
    let (lines, gaps) = read(&sliced(&whole, Part { times: ALL, records: (5, 5) }));
    let numbers: Vec<_> = lines.iter().map(|(seq, ..)| *seq).collect();
    assert_eq!((numbers, gaps), (vec![0, 1, 3, 5], 2));
    assert_eq!(sliced(&whole, Part { times: (0, 5), records: ALL }), b"", "nothing is in it");
}

#[test]
fn what_would_lie_is_refused() {
    let text = |what| journal(7, &[(0, 5, Input::Received(what))]);
    let (one, changed) = (text(b"a"), text(b"b"));
    assert_eq!(merged(&[&one, &one]).map(|(_, repeated, _)| repeated), Ok(1));
    assert_eq!(merged(&[&one, &changed]), Err(PartError::Conflict { seq: 0 }));
    let other = journal(8, &[(0, 6, Input::Received(b"c"))]);
    assert_eq!(merged(&[&one, &other, &one]), Err(PartError::Mixed));
    let headed = journal(9, &[(0, 1, Input::Received(b"c")), (0, 1, Input::Head(b"d"))]);
    assert_eq!(merged(&[&one, &headed]), Err(PartError::Headed { seq: 1 }));
    assert!(merged(&[&headed, &headed]).is_ok(), "of itself it says what it said");
    let (mut slice, mut out) = (Slice::new(Part { times: ALL, records: ALL }, 2), Vec::new());
    slice.take(&one, true, &mut out).unwrap();
    assert_eq!(slice.take(&other, true, &mut out), Err(PartError::OtherJournal));
    let none = JournalError::NotJournal { got: *b"1 {}" };
    let text = b"1 {}\n".repeat(20);
    let mut slice = Slice::new(Part { times: ALL, records: ALL }, 2);
    assert_eq!(slice.take(&text, true, &mut out), Err(PartError::Journal(none)));
    let (mut slice, mut out) = (Slice::new(Part { times: ALL, records: ALL }, 2), Vec::new());
    assert_eq!(slice.take(&one, true, &mut out), Ok(one.len()));
    assert_eq!(slice.take(&text, true, &mut out), Ok(text.len()), "the rest of a damaged segment");
    assert_eq!((slice.kept(), slice.faults()), (1, 1));
    assert_eq!(merged(&[&one, &text]), Err(PartError::Journal(none)));
    for error in [PartError::OtherJournal, PartError::Conflict { seq: 3 }, PartError::Mixed] {
        assert!(error.code().starts_with("journal.") && !error.fix().is_empty());
        assert!(error.to_string().contains("expected "), "{error}");
    }
}

#[test]
fn a_hole_that_no_part_fills_stays_one() {
    let records: Vec<_> = (0..9).map(|ts| (0, ts + 1, Input::Received(b"x"))).collect();
    let whole = journal(7, &records);
    let part = |from, to| sliced(&whole, Part { times: ALL, records: (from, to) });
    let (both, repeated, faults) = merged(&[&part(0, 2), &part(5, 8)]).unwrap();
    let (lines, gaps) = read(&both);
    assert_eq!((lines.len(), gaps, repeated, faults), (7, 1, 0, 1));
}

#[test]
fn segments_follow_one_another() {
    let records: Vec<_> = (0..6).map(|ts| (0, ts + 1, Input::Received(b"x"))).collect();
    let whole = journal(7, &records);
    let (mut slice, mut first, mut second) =
        (Slice::new(Part { times: ALL, records: ALL }, 2), Vec::new(), Vec::new());
    slice.turn(3, &mut first, &mut second);
    assert!(first.is_empty() && second.is_empty(), "before the first record there is nothing to end");
    slice.take(&whole, true, &mut first).unwrap();
    slice.turn(3, &mut first, &mut second);
    slice.close(&mut second);
    assert_eq!(read(&first), read(&whole));
    let header = SegmentHeader::read(second.first_chunk().unwrap()).unwrap();
    assert_eq!((header.journal, header.number, header.first_seq), (7, 1, 6));
}

//! What a reader makes of journals that are whole, cut, damaged, and put together wrongly.

use super::record::tests::{Told, told};
use super::*;
use proptest::prelude::*;

/// What was read: a record with its number, connection, time, what it is and its bytes; or an error.
type Read = Result<(u64, u32, u64, u8, Vec<u8>), JournalError>;

fn plain(input: &Input<'_>) -> (u8, Vec<u8>) {
    let (kind, bytes) = match *input {
        Input::Began => (0, &b""[..]),
        Input::Head(bytes) => (1, bytes),
        Input::Connected(bytes) => (2, bytes),
        Input::Closed => (3, &b""[..]),
        Input::Sent(bytes) => (4, bytes),
        Input::Received(bytes) => (5, bytes),
        Input::Datagram(bytes) => (6, bytes),
        Input::Missed { loses: false, code } => (7, code),
        Input::Missed { loses: true, code } => (9, code),
        Input::Named(bytes) => (10, bytes),
        Input::Setup { kind, text } => (11 + kind as u8, text),
        Input::Ticked => (30, &b""[..]),
        Input::Answered { url, body } => {
            return (8, [&(url.len() as u64).to_le_bytes(), url, body].concat());
        }
    };
    (kind, bytes.to_vec())
}

fn message(seq: u64) -> Vec<u8> {
    format!("message {seq}").into_bytes()
}

fn header(number: u64, first_seq: u64) -> SegmentHeader {
    SegmentHeader { journal: 7, number, first_seq, created: 1_000 + number }
}

/// Feeds a segment in chunks of one size, as a reader of files does.
fn read_segment(reader: &mut Reader, segment: &[u8], chunk: usize) -> Vec<Read> {
    let (mut pending, mut read) = (Vec::new(), Vec::new());
    let mut pieces = segment.chunks(chunk.max(1)).peekable();
    while let Some(piece) = pieces.next() {
        pending.extend_from_slice(piece);
        let (mut at, last) = (0, pieces.peek().is_none());
        at = loop {
            let Recorded { start, end, seq, line, ts, what } = match reader.next(&pending, at, last) {
                Ok(recorded) => recorded,
                Err(consumed) => break consumed,
            };
            assert!(at <= start && start <= end && end <= pending.len());
            at = end;
            read.push(what.map(|input| {
                let (kind, bytes) = plain(&input);
                (seq, line, ts, kind, bytes)
            }));
        };
        pending.drain(..at);
    }
    assert!(pending.is_empty(), "the end uses everything up");
    read
}

fn read_all(segments: &[&[u8]]) -> Vec<Read> {
    let mut reader = Reader::default();
    let mut read = Vec::new();
    for segment in segments {
        read.extend(read_segment(&mut reader, segment, segment.len()));
        reader.segment_ended();
    }
    read
}

fn codes(read: &[Read]) -> Vec<&'static str> {
    read.iter().filter_map(|read| Some(read.as_ref().err()?.code())).collect()
}

fn numbers(read: &[Read]) -> Vec<u64> {
    read.iter().flatten().map(|(seq, ..)| *seq).collect()
}

/// A segment of one-record blocks, `closed` in order or not, and where each block begins.
fn blocks(number: u64, first_seq: u64, count: u64, closed: bool) -> (Vec<u8>, Vec<usize>) {
    let mut bytes = Vec::new();
    let mut writer = Writer::begin(header(number, first_seq), &mut bytes);
    let mut begins = Vec::new();
    for seq in first_seq..first_seq + count {
        begins.push(bytes.len());
        writer.append(0, seq, &Input::Received(&message(seq)), &mut bytes).unwrap();
        writer.flush(&mut bytes);
    }
    begins.push(bytes.len());
    if closed {
        writer.close(&mut bytes);
    }
    (bytes, begins)
}

fn expected(all: &[Told]) -> Vec<Read> {
    let read = |(told, seq): (&Told, u64)| {
        let (kind, bytes) = plain(&told.input());
        Ok((seq, told.line, told.ts, kind, bytes))
    };
    all.iter().zip(0..).map(read).collect()
}

proptest! {
    #[test]
    fn what_was_written_is_read(
        all in prop::collection::vec((told(), any::<bool>(), any::<bool>()), 1..60),
        chunk in 1_usize..400,
    ) {
        let mut segments = vec![Vec::new()];
        let mut writer = Writer::begin(header(0, 0), &mut segments[0]);
        for (seq, (told, ends_block, ends_segment)) in all.iter().enumerate() {
            let out = segments.last_mut().unwrap();
            prop_assert_eq!(writer.append(told.line, told.ts, &told.input(), out), Ok(seq as u64));
            if *ends_block {
                writer.flush(out);
            }
            if *ends_segment {
                let next = writer.next_seq();
                writer.close(out);
                let number = segments.len() as u64;
                segments.push(Vec::new());
                writer = Writer::begin(header(number, next), segments.last_mut().unwrap());
            }
        }
        writer.close(segments.last_mut().unwrap());
        let all: Vec<_> = all.into_iter().map(|(told, ..)| told).collect();
        let mut reader = Reader::default();
        let mut read = Vec::new();
        for segment in &segments {
            read.extend(read_segment(&mut reader, segment, chunk));
            prop_assert!(reader.was_closed());
            reader.segment_ended();
        }
        prop_assert_eq!(read, expected(&all));
        prop_assert_eq!(reader.next_seq(), all.len() as u64);
    }

    #[test]
    fn no_bytes_panic_or_are_read_for_ever(
        mut bytes in prop::collection::vec(any::<u8>(), 0..400),
        is_segment: bool,
        chunk in 1_usize..80,
    ) {
        if is_segment {
            bytes.splice(0..0, header(0, 0).to_bytes());
        }
        read_segment(&mut Reader::default(), &bytes, chunk);
    }

    /// Any bytes of a journal in the place of any others: a record that is read is the one of its number.
    #[test]
    fn no_mixture_of_its_bytes_gives_a_wrong_record(
        cuts in prop::collection::vec((0_usize..1_200, 0_usize..1_200), 1..6),
    ) {
        let (segment, _) = blocks(0, 0, 12, true);
        let mut mixed = Vec::new();
        for (from, to) in cuts {
            let (from, to) = (from.min(segment.len()), to.min(segment.len()));
            mixed.extend_from_slice(&segment[from.min(to)..to.max(from)]);
        }
        let mut last = None;
        for (seq, _, ts, _, bytes) in read_segment(&mut Reader::default(), &mixed, 97).into_iter().flatten() {
            prop_assert_eq!(bytes, message(seq));
            prop_assert!(ts == seq && last.is_none_or(|last| seq > last));
            last = Some(seq);
        }
    }
}

/// A journal of 64 KiB in blocks of some 2 KiB, and where each block begins.
fn sixty_four_kib() -> (Vec<u8>, Vec<usize>) {
    let mut bytes = Vec::new();
    let mut writer = Writer::begin(header(0, 0), &mut bytes);
    let (mut begins, mut state) = (vec![bytes.len()], 1_u64);
    while bytes.len() < 64 << 10 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let message = state.to_le_bytes().repeat((state >> 60) as usize + 1);
        let ts = writer.next_seq() * 1_000;
        writer.append((state >> 50) as u32 & 3, ts, &Input::Received(&message), &mut bytes).unwrap();
        if writer.waiting_bytes() > 2 << 10 {
            writer.flush(&mut bytes);
            begins.push(bytes.len());
        }
    }
    (bytes, begins)
}

#[test]
fn a_journal_cut_at_any_byte_is_an_exact_prefix() {
    let (bytes, begins) = sixty_four_kib();
    let whole = read_all(&[&bytes]);
    assert!(whole.iter().all(Result::is_ok));
    // Numbers at which blocks begin.
    let counts: Vec<_> = begins.iter().map(|&begin| read_all(&[&bytes[..begin]]).len()).collect();
    for cut in 0..bytes.len() {
        let read = read_all(&[&bytes[..cut]]);
        let blocks = begins.partition_point(|&begin| begin <= cut);
        let is_between = cut == 0 || begins.contains(&cut);
        let records = if blocks == 0 { 0 } else { counts[blocks - 1] };
        assert_eq!(read[..records], whole[..records], "cut at {cut}");
        let tail: &[&str] = if is_between { &[] } else { &["journal.cut"] };
        assert_eq!(codes(&read[records..]), tail, "cut at {cut}");
        assert_eq!(read.len(), records + tail.len());
    }
}

#[test]
fn a_journal_with_any_bit_flipped_has_no_wrong_record() {
    let (bytes, begins) = sixty_four_kib();
    let whole = read_all(&[&bytes]);
    for bit in 0..SEGMENT_HEADER_BYTES * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let read = read_all(&[&damaged]);
        assert!(numbers(&read).is_empty() && codes(&read).len() == 1);
    }
    // From block to block the reader's place is known: what a bit changes is looked at in its block and the next.
    let mut reader = Reader::default();
    let mut first_seq = 0;
    for at in 0..begins.len() - 1 {
        let end = begins[(at + 2).min(begins.len() - 1)];
        let (begin, block_end) = (begins[at], begins[at + 1]);
        let part_from = if at == 0 { 0 } else { begin };
        let part = &bytes[part_from..end];
        let after = read_segment(&mut reader.clone(), &bytes[part_from..block_end], usize::MAX).len() as u64;
        let mut damaged = part.to_vec();
        for bit in (begin - part_from) * 8..(block_end - part_from) * 8 {
            damaged[bit / 8] ^= 1 << (bit % 8);
            let read = read_segment(&mut reader.clone(), &damaged, usize::MAX);
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(!codes(&read).is_empty(), "block {at}, bit {bit}");
            assert!(read.iter().flatten().all(|record| whole[record.0 as usize].as_ref() == Ok(record)));
            // Only the block's own records are missing.
            let next: Vec<_> = (first_seq + after..).take(numbers(&read).len()).collect();
            assert_eq!(numbers(&read), next, "block {at}, bit {bit}");
        }
        read_segment(&mut reader, &bytes[part_from..block_end], usize::MAX);
        first_seq += after;
    }
    assert_eq!(first_seq, whole.len() as u64);
}

#[test]
fn segments_that_are_missing_doubled_or_out_of_order_are_told() {
    let segments: Vec<_> = (0..4).map(|number| blocks(number, number * 3, 3, true).0).collect();
    let of = |order: &[usize]| read_all(&order.iter().map(|&at| segments[at].as_slice()).collect::<Vec<_>>());
    assert_eq!((numbers(&of(&[0, 1, 2, 3])), codes(&of(&[0, 1, 2, 3]))), ((0..12).collect(), vec![]));
    let missing = of(&[0, 2, 3]);
    assert_eq!(numbers(&missing), [0, 1, 2, 6, 7, 8, 9, 10, 11]);
    assert_eq!(missing[3], Err(JournalError::SegmentOrder { expected: 1, got: 2 }));
    let doubled = of(&[0, 1, 1, 2]);
    assert_eq!(numbers(&doubled), (0..9).collect::<Vec<_>>());
    assert_eq!(codes(&doubled), ["journal.segment_order"]);
    let swapped = of(&[0, 2, 1, 3]);
    assert_eq!(numbers(&swapped), [0, 1, 2, 6, 7, 8, 9, 10, 11]);
    assert_eq!(codes(&swapped), ["journal.segment_order"; 2]);
    assert_eq!(numbers(&of(&[2, 3])), (6..12).collect::<Vec<_>>(), "a part of a journal is one");
    let other = [b'.'; SEGMENT_HEADER_BYTES + 9];
    let foreign = read_all(&[&segments[0], &other, &segments[1]]);
    assert_eq!((numbers(&foreign), codes(&foreign)), ((0..6).collect(), vec!["journal.not_journal"]));
}

#[test]
fn another_journal_begins_anew() {
    let (first, _) = blocks(0, 0, 2, true);
    let segment = |number: u64, first_seq: u64| {
        let mut bytes = Vec::new();
        let mut writer = Writer::begin(SegmentHeader { journal: 8, ..header(number, first_seq) }, &mut bytes);
        writer.append(0, 1, &Input::Received(b"x"), &mut bytes).unwrap();
        writer.close(&mut bytes);
        bytes
    };
    let read = read_all(&[&first, &segment(0, 0), &segment(1, 1), &segment(3, 9)]);
    let kinds: Vec<_> = read.iter().flatten().map(|(seq, _, _, kind, _)| (*seq, *kind)).collect();
    assert_eq!(kinds, [(0, 5), (1, 5), (0, 0), (0, 5), (1, 5), (9, 5)]);
    assert_eq!(read[5], Err(JournalError::SegmentOrder { expected: 2, got: 3 }));
    // A part of another journal is one, too.
    assert_eq!(codes(&read_all(&[&first, &segment(3, 9)])), [""; 0]);
}

#[test]
fn a_segment_that_lost_its_end_is_told_by_the_next() {
    let (first, begins) = blocks(0, 0, 3, true);
    let (second, _) = blocks(1, 3, 2, false);
    let read = read_all(&[&first[..begins[2]], &second]);
    assert_eq!(numbers(&read), [0, 1, 3, 4]);
    assert_eq!(read[2], Err(JournalError::Gap { expected: 2, got: 3 }));
    let mut reader = Reader::default();
    for (segment, is_closed) in [(&first[..], true), (&second[..], false)] {
        read_segment(&mut reader, segment, 10);
        assert_eq!(reader.was_closed(), is_closed);
        reader.segment_ended();
    }
}

#[test]
fn what_follows_an_end_is_read_or_told() {
    let (segment, _) = blocks(0, 0, 2, true);
    let (more, begins) = blocks(0, 0, 4, true);
    let read = read_all(&[&[&segment[..], &more[begins[2]..]].concat()]);
    assert_eq!((numbers(&read), codes(&read)), (vec![0, 1, 2, 3], vec![]));
    for (tail, code) in [(&b"x"[..], "journal.cut"), (&[b'x'; BLOCK_HEADER_BYTES], "journal.damaged_head")] {
        let mut reader = Reader::default();
        let read = read_segment(&mut reader, &[&segment[..], tail].concat(), 1_000);
        assert_eq!((numbers(&read), codes(&read)), (vec![0, 1], vec![code]));
        assert!(!reader.was_closed());
    }
}

#[test]
fn blocks_that_are_missing_doubled_moved_or_foreign_are_told() {
    let (segment, begins) = blocks(0, 0, 4, true);
    let (other, other_begins) = blocks(1, 0, 4, true);
    let head = &segment[..begins[0]];
    let block = |at: usize| &segment[begins[at]..begins[at + 1]];
    let end = &segment[begins[4]..];
    let of = |blocks: &[&[u8]]| read_all(&[&[head, &blocks.concat(), end].concat()]);
    assert_eq!(codes(&of(&[block(0), block(1), block(2), block(3)])), [""; 0]);
    for (read, told, codes_told) in [
        (of(&[block(0), block(2), block(3)]), &[0, 2, 3][..], &["journal.gap"][..]),
        (of(&[block(0), block(0), block(1), block(2), block(3)]), &[0, 1, 2, 3], &["journal.repeated"]),
        (of(&[block(0), block(2), block(1), block(3)]), &[0, 2, 3], &["journal.gap", "journal.repeated"]),
        (of(&[block(0), block(1)]), &[0, 1], &["journal.gap"]),
        (
            of(&[block(0), &other[other_begins[1]..other_begins[2]], block(1), block(2), block(3)]),
            &[0, 1, 2, 3],
            &["journal.foreign_block"],
        ),
        (
            of(&[block(0), b"some bytes that are no block D DW DWJ DWJB", block(1), block(2), block(3)]),
            &[0, 1, 2, 3],
            &["journal.damaged_head"],
        ),
    ] {
        assert_eq!((numbers(&read), codes(&read)), (told.to_vec(), codes_told.to_vec()));
    }
}

#[test]
fn what_a_block_says_besides_is_held_to_it() {
    let (segment, begins) = blocks(0, 0, 2, true);
    let with = |change: &dyn Fn(&mut BlockHeader, &mut Vec<u8>)| {
        let mut bytes = segment[..begins[0]].to_vec();
        let mut header = BlockHeader::read(segment[begins[0]..].first_chunk().unwrap()).unwrap();
        let mut body = segment[begins[0] + BLOCK_HEADER_BYTES..begins[1]].to_vec();
        change(&mut header, &mut body);
        header.bytes = body.len() as u32;
        header.crc = crc32c::crc32c(&body);
        bytes.extend(header.to_bytes());
        bytes.extend(body);
        bytes.extend(&segment[begins[1]..]);
        read_all(&[&bytes])
    };
    assert_eq!(numbers(&with(&|_, _| {})), [0, 1]);
    for (read, code) in [
        (with(&|header, _| header.kind = BlockKind::Frames), "journal.unknown_block"),
        (with(&|_, body| body.push(0)), "journal.bad_record"),
        (with(&|_, body| body[0] = 0x4f), "journal.bad_record"),
        (with(&|header, _| header.count = 0), "journal.bad_record"),
    ] {
        assert_eq!(codes(&read)[0], code);
        assert!(!numbers(&read).contains(&0));
    }
    let two = with(&|header, _| header.count = 2);
    assert_eq!(codes(&two), ["journal.bad_record", "journal.repeated"], "a block that says more than it has");
    let mut newer = segment;
    newer[8] = 2;
    let crc = crc32c::crc32c(&newer[..60]);
    newer[60..64].copy_from_slice(&crc.to_le_bytes());
    assert_eq!(read_all(&[&newer]), [Err(JournalError::UnknownVersion { got: 2 })]);
}

#[test]
fn a_record_that_is_put_back_comes_again() {
    let mut bytes = Vec::new();
    let mut writer = Writer::begin(header(0, 5), &mut bytes);
    for ts in [3, 3, 900, 2, 7, 7] {
        writer.append((ts % 2) as u32, ts, &Input::Sent(b"x"), &mut bytes).unwrap();
        if ts == 2 {
            writer.flush(&mut bytes);
        }
    }
    writer.close(&mut bytes);
    let (mut reader, mut at, mut seqs) = (Reader::default(), 0, Vec::new());
    while let Ok(recorded) = reader.next(&bytes, at, true) {
        reader.put_back();
        let again = reader.next(&bytes, recorded.start, true);
        assert_eq!(again, Ok(recorded));
        at = recorded.end;
        seqs.push(recorded.seq);
    }
    assert_eq!(seqs, (5..11).collect::<Vec<_>>());
    assert!(reader.was_closed());
    reader.put_back();
    assert!(reader.was_closed(), "nothing was handed out");
}

#[test]
fn a_record_that_no_block_holds_is_refused() {
    let mut bytes = Vec::new();
    let mut writer = Writer::begin(header(0, 0), &mut bytes);
    let large = vec![0; BLOCK_BYTES_MAX as usize - BLOCK_BYTES];
    let refused = writer.append(0, 0, &Input::Received(&large), &mut bytes);
    assert!(matches!(refused, Err(JournalError::BlockTooLarge { .. })));
    assert_eq!((writer.next_seq(), writer.waiting_bytes()), (0, 0));
    let most = &large[..large.len() - 32];
    writer.append(0, 0, &Input::Received(&large[..BLOCK_BYTES - 9]), &mut bytes).unwrap();
    writer.append(0, 0, &Input::Received(most), &mut bytes).unwrap();
    writer.append(0, 0, &Input::Closed, &mut bytes).unwrap();
    writer.close(&mut bytes);
    assert_eq!(numbers(&read_all(&[&bytes])), [0, 1, 2]);
}

//! What recordings hold: forms, segments, entries by kind, connections, times, and what is wrong with them.

use super::connections::CONNECTIONS_MAX;
use super::entry::{Entry, Heard};
use super::error::RecordingError;
use super::format::Format;
use super::transcript::Transcript;
use crate::journal::{JournalError, SEGMENT_HEADER_BYTES, SegmentHeader, SetupKind};
use crate::types::TimeNs;

/// Faults of a file that are kept; all are counted.
pub const FAULTS_MAX: usize = 100;

/// Notes of a file that are kept, and the most bytes of one.
pub const NOTES_MAX: usize = 16;
const NOTE_BYTES_MAX: usize = 1 << 20;

/// Entries by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entries {
    /// Files that begin behind another one, as a journal of several says it.
    pub began: u64,
    /// What was said of all that follows.
    pub heads: u64,
    /// Connections made.
    pub connected: u64,
    /// Connections ended.
    pub closed: u64,
    /// Messages sent.
    pub sent: u64,
    /// Messages received, datagrams included.
    pub received: u64,
    /// Of these, datagrams.
    pub datagrams: u64,
    /// Requests over HTTP that were answered.
    pub answered: u64,
    /// How an engine was told to take connections.
    pub setups: u64,
    /// An engine was told that time has passed.
    pub ticks: u64,
    /// Frames that an engine has published.
    pub published: u64,
}

/// What a file, or a connection of it, holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// Entries.
    pub entries: Entries,
    /// Bytes of what was sent, received, answered and said ahead.
    pub bytes: u64,
    /// The earliest time and the latest, ns; 0 = none is known.
    pub first: TimeNs,
    /// The latest.
    pub last: TimeNs,
}

impl Holding {
    fn take(&mut self, ts: TimeNs, heard: &Heard<'_>, is_datagram: bool) {
        let Entries {
            began,
            heads,
            connected,
            closed,
            sent,
            received,
            datagrams,
            answered,
            setups,
            ticks,
            published,
        } = &mut self.entries;
        let (count, bytes) = match heard {
            Heard::Began => (began, 0),
            Heard::Head { bytes } => (heads, bytes.len()),
            Heard::Connected { .. } => (connected, 0),
            Heard::Closed { .. } => (closed, 0),
            Heard::Sent { bytes, .. } => (sent, bytes.len()),
            Heard::Received { bytes, .. } => {
                *datagrams += u64::from(is_datagram);
                (received, bytes.len())
            }
            Heard::Answered { bytes, .. } => (answered, bytes.len()),
            Heard::Setup { bytes, .. } => (setups, bytes.len()),
            Heard::Ticked => (ticks, 0),
            Heard::Published { frame } => (published, frame.len()),
        };
        *count += 1;
        self.bytes += bytes as u64;
        if ts != 0 {
            self.first = if self.first == 0 { ts } else { self.first.min(ts) };
            self.last = self.last.max(ts);
        }
    }
}

/// Something that is wrong with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What.
    pub error: RecordingError,
    /// Of a journal the number of the first record that it is about.
    pub record: Option<u64>,
    /// Entries of the file before it.
    pub entry: u64,
}

/// What a file holds.
#[derive(Clone, Debug, Default)]
pub struct Inspected {
    /// None where it is of no known form.
    pub format: Option<Format>,
    /// Of a journal what the segment says of itself, the number behind its last record, and whether it was closed in order.
    pub segment: Option<(SegmentHeader, u64, bool)>,
    /// All of it.
    pub whole: Holding,
    /// Entries whose time is before that of the one before.
    pub backward: u64,
    /// By the numbers of connections.
    pub lines: Vec<Holding>,
    /// What somebody has noted of it, the first of them.
    pub notes: Vec<Box<[u8]>>,
    /// The first of them.
    pub faults: Vec<Fault>,
    /// All of them.
    pub faults_counted: u64,
}

/// Reads recordings one after the other: segments of a journal are one, so what is missing between two of them is told
/// by the second.
///
/// Cost: that of reading them. Memory: some 150 bytes for each connection of a file.
#[derive(Clone, Debug, Default)]
pub struct Inspection {
    transcript: Transcript,
    file: Inspected,
    entries: u64,
    latest: TimeNs,
    has_begun: bool,
}

impl Inspection {
    /// Takes whole entries of `bytes` and returns the bytes used; the rest goes in again, at the head of the next call.
    /// `last`: the bytes of this file end here, or at a damage behind which it goes on with something else.
    pub fn take(&mut self, bytes: &[u8], last: bool) -> usize {
        if !self.has_begun {
            if bytes.len() < SEGMENT_HEADER_BYTES && !last {
                return 0;
            }
            self.has_begun = true;
            let head = bytes.first_chunk().and_then(|head| {
                SegmentHeader::read(head).or_else(|_| SegmentHeader::read_of_frames(head)).ok()
            });
            self.file.segment = head.map(|head| (head, head.first_seq, false));
        }
        let Self { transcript, file, entries, latest, .. } = self;
        let mut at = 0;
        loop {
            match transcript.next(bytes, at, last) {
                Ok(Entry { end, ts, is_datagram, heard: Ok(heard), .. }) => {
                    at = end;
                    *entries += 1;
                    file.whole.take(ts, &heard, is_datagram);
                    if let Heard::Setup { kind: SetupKind::Note, bytes, .. } = heard
                        && file.notes.len() < NOTES_MAX
                        && bytes.len() <= NOTE_BYTES_MAX
                    {
                        file.notes.push(bytes.into());
                    }
                    if ts != 0 {
                        file.backward += u64::from(ts < *latest);
                        *latest = ts;
                    }
                    if let Some(line) = line_of(&heard) {
                        if file.lines.len() <= line {
                            file.lines.resize(line + 1, Holding::default());
                        }
                        file.lines[line].take(ts, &heard, is_datagram);
                    }
                }
                Ok(Entry { end, heard: Err(error), .. }) => {
                    at = end;
                    let record = transcript.record().map(|due| first_of(error, due));
                    file.faults_counted += 1;
                    if file.faults.len() < FAULTS_MAX {
                        file.faults.push(Fault { error, record, entry: *entries });
                    }
                }
                Err(used) => {
                    file.format = transcript.format().or(file.format);
                    if let (Some((_, next, is_closed)), Some((due, was_closed))) =
                        (&mut file.segment, transcript.segment())
                    {
                        (*next, *is_closed) = (due, was_closed);
                    }
                    if last {
                        transcript.file_ended();
                    }
                    return used;
                }
            }
        }
    }

    /// Where a connection leads; empty where nobody has said it.
    #[must_use]
    pub fn address(&self, line: u32) -> &[u8] {
        self.transcript.address(line)
    }

    /// What the file that was read last holds. Another one follows.
    pub fn file_ended(&mut self) -> Inspected {
        (self.entries, self.latest, self.has_begun) = (0, 0, false);
        std::mem::take(&mut self.file)
    }
}

/// The number of the first record that an error of a journal is about; where it names none, the one that is due.
const fn first_of(error: RecordingError, due: u64) -> u64 {
    match error {
        RecordingError::Journal(JournalError::DamagedBlock { first_seq, .. }) => first_seq,
        _ => due,
    }
}

/// The connection that something happened on.
fn line_of(heard: &Heard<'_>) -> Option<usize> {
    match *heard {
        Heard::Connected { line, .. }
        | Heard::Closed { line }
        | Heard::Sent { line, .. }
        | Heard::Setup { line, .. }
        | Heard::Received { line, .. } => Some(line as usize).filter(|line| *line < CONNECTIONS_MAX),
        Heard::Began
        | Heard::Head { .. }
        | Heard::Answered { .. }
        | Heard::Ticked
        | Heard::Published { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Input, Writer};

    fn inspected(inspection: &mut Inspection, file: &[u8], chunk: usize) -> Inspected {
        let (mut from, mut to) = (0, 0);
        while to < file.len() {
            to = (to + chunk).min(file.len());
            from += inspection.take(&file[from..to], to == file.len());
        }
        assert_eq!(from, file.len());
        inspection.file_ended()
    }

    #[test]
    fn entries_are_counted_by_kind_and_connection() {
        let text =
            b"wss://a <-> 5.5\nwss://a <- 6: {\"c\":3}\n9: {\"d\":4}\n7: {\"d\":5}\nhttps://e -> 10: {}\n";
        for chunk in [1, 7, text.len()] {
            let found = inspected(&mut Inspection::default(), text, chunk);
            assert_eq!(found.format, Some(Format::CaptureText));
            let entries = Entries { connected: 1, sent: 1, received: 2, answered: 1, ..Entries::default() };
            assert_eq!(found.whole.entries, entries);
            assert_eq!((found.whole.bytes, found.backward, found.faults_counted), (23, 1, 0));
            assert_eq!((found.whole.first, found.whole.last), (5_500_000_000, 10_000_000_000));
            assert_eq!(found.lines.len(), 1);
            assert_eq!(found.lines[0].entries, Entries { answered: 0, ..entries });
            assert_eq!(found.segment, None);
        }
    }

    #[test]
    fn a_journal_says_its_segments_and_what_is_missing() {
        let segment = |number, first_seq, records: &[(u64, Input<'_>)], is_closed: bool| {
            let mut bytes = Vec::new();
            let header = SegmentHeader { journal: 7, number, first_seq, created: 3 };
            let mut writer = Writer::begin(header, &mut bytes);
            for (ts, input) in records {
                writer.append(0, *ts, input, &mut bytes).unwrap();
            }
            if is_closed {
                writer.close(&mut bytes)
            } else {
                writer.flush(&mut bytes)
            }
            (header, bytes)
        };
        let first = segment(0, 0, &[(5, Input::Connected(b"a")), (6, Input::Datagram(b"xy"))], true);
        let missed = Input::Missed { loses: true, code: b"recording.truncated" };
        let third = segment(2, 9, &[(8, Input::Received(b"z")), (8, missed)], false);
        let mut inspection = Inspection::default();
        let found = inspected(&mut inspection, &first.1, 10);
        assert_eq!(found.segment, Some((first.0, 2, true)));
        assert_eq!(found.whole.entries.datagrams, 1);
        assert_eq!((found.faults_counted, inspection.address(0)), (0, &b"a"[..]));
        let found = inspected(&mut inspection, &third.1, 10);
        assert_eq!(found.segment, Some((third.0, 11, false)));
        let faults: Vec<_> = found.faults.iter().map(|fault| (fault.record, fault.entry)).collect();
        // Which segment is missing is told where the third begins; what it says itself has a number of its own.
        assert_eq!(faults, [(Some(9), 0), (Some(10), 1)]);
        let order = JournalError::SegmentOrder { expected: 1, got: 2 };
        assert_eq!(found.faults[0].error, RecordingError::Journal(order));
        assert_eq!(found.faults[1].error, RecordingError::Journal(JournalError::Missed { loses: true }));
    }

    #[test]
    fn a_damaged_block_is_named_by_its_first_record() {
        let mut bytes = Vec::new();
        let header = SegmentHeader { journal: 7, number: 0, first_seq: 5, created: 3 };
        let mut writer = Writer::begin(header, &mut bytes);
        for ts in 1..4 {
            writer.append(0, ts, &Input::Received(b"abc"), &mut bytes).unwrap();
        }
        writer.flush(&mut bytes);
        *bytes.last_mut().unwrap() ^= 1;
        writer.close(&mut bytes);
        let found = inspected(&mut Inspection::default(), &bytes, bytes.len());
        let damaged = JournalError::DamagedBlock { first_seq: 5, count: 3 };
        assert_eq!(
            (found.faults[0].error, found.faults[0].record),
            (RecordingError::Journal(damaged), Some(5))
        );
    }

    #[test]
    fn faults_are_counted_beyond_those_that_are_kept() {
        let mut text = b"5 {}\n".to_vec();
        for _ in 0..=FAULTS_MAX {
            text.extend_from_slice(b"no line\n");
        }
        let found = inspected(&mut Inspection::default(), &text, 1000);
        assert_eq!((found.faults.len(), found.faults_counted), (FAULTS_MAX, FAULTS_MAX as u64 + 1));
        assert_eq!(found.faults[0].record, None);
        let none = inspected(&mut Inspection::default(), b"GIF89a", 6);
        assert_eq!((none.format, none.faults_counted), (None, 1));
    }
}

//! Several journals as one.

use std::collections::{BTreeMap, VecDeque};

use super::part_error::PartError;
use super::reader::{Reader, Recorded};
use super::record::{Input, SetupKind};
use super::segment::SegmentHeader;
use super::writer::Writer;

/// Journals at once, at most.
pub const MERGED_MAX: usize = 64;

/// A record that waits for those of the others.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Waiting {
    seq: u64,
    line: u32,
    ts: u64,
    what: What,
    /// No record: why one cannot be read.
    is_fault: bool,
}

/// [`Input`], with bytes of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Began,
    Head(Vec<u8>),
    Connected(Vec<u8>),
    Closed,
    Sent(Vec<u8>),
    Received(Vec<u8>),
    Datagram(Vec<u8>),
    Answered { url: Vec<u8>, body: Vec<u8> },
    Missed { loses: bool, code: Vec<u8> },
    Named(Vec<u8>),
    Setup { kind: SetupKind, text: Vec<u8> },
    Ticked,
}

impl What {
    fn of(input: Input<'_>) -> Self {
        match input {
            Input::Began => Self::Began,
            Input::Head(bytes) => Self::Head(bytes.to_vec()),
            Input::Connected(bytes) => Self::Connected(bytes.to_vec()),
            Input::Closed => Self::Closed,
            Input::Sent(bytes) => Self::Sent(bytes.to_vec()),
            Input::Received(bytes) => Self::Received(bytes.to_vec()),
            Input::Datagram(bytes) => Self::Datagram(bytes.to_vec()),
            Input::Answered { url, body } => Self::Answered { url: url.to_vec(), body: body.to_vec() },
            Input::Missed { loses, code } => Self::Missed { loses, code: code.to_vec() },
            Input::Named(bytes) => Self::Named(bytes.to_vec()),
            Input::Setup { kind, text } => Self::Setup { kind, text: text.to_vec() },
            Input::Ticked => Self::Ticked,
        }
    }

    fn input(&self) -> Input<'_> {
        match self {
            Self::Began => Input::Began,
            Self::Head(bytes) => Input::Head(bytes),
            Self::Connected(bytes) => Input::Connected(bytes),
            Self::Closed => Input::Closed,
            Self::Sent(bytes) => Input::Sent(bytes),
            Self::Received(bytes) => Input::Received(bytes),
            Self::Datagram(bytes) => Input::Datagram(bytes),
            Self::Answered { url, body } => Input::Answered { url, body },
            Self::Missed { loses, code } => Input::Missed { loses: *loses, code },
            Self::Named(bytes) => Input::Named(bytes),
            Self::Setup { kind, text } => Input::Setup { kind: *kind, text },
            Self::Ticked => Input::Ticked,
        }
    }
}

/// One of the journals.
#[derive(Clone, Debug, Default)]
struct Source {
    reader: Reader,
    waiting: VecDeque<Waiting>,
    has_ended: bool,
    /// The latest time of a record that was taken: one without a time, or with an earlier one, comes right behind it.
    latest: u64,
    /// The numbers of its connections in what is written.
    lines: BTreeMap<u32, u32>,
}

impl Source {
    fn is_due(&self) -> bool {
        self.has_ended || !self.waiting.is_empty()
    }
}

/// Puts journals together.
///
/// Parts of one journal are put together by the numbers of their records, each of which comes once: two halves are the
/// whole again, even where they overlap. Different journals become a new one, by time, equal times in the order of the
/// journals; each keeps the order of its own records, and their connections get new numbers. Parts of one journal
/// beside another one are refused, as are parts that say different things under one number.
///
/// Cost: a copy of each record that waits, and one of each that is written. Memory: what was read ahead of each.
#[derive(Clone, Debug)]
pub struct Merge {
    sources: Vec<Source>,
    created: u64,
    /// The name of a new journal.
    journal: u64,
    /// Whether all are of one journal; unknown until each has shown its first segment.
    is_one: Option<bool>,
    writer: Option<Writer>,
    segments: u64,
    lines: u32,
    written: u64,
    repeated: u64,
    faults: u64,
}

impl Merge {
    /// Of so many journals. `journal` names what becomes of different ones, `created` is the time of its first segment.
    #[must_use]
    pub fn new(count: usize, journal: u64, created: u64) -> Self {
        let sources = vec![Source::default(); count.min(MERGED_MAX)];
        Self {
            sources,
            created,
            journal,
            is_one: None,
            writer: None,
            segments: 0,
            lines: 0,
            written: 0,
            repeated: 0,
            faults: 0,
        }
    }

    /// Records that were written.
    #[must_use]
    pub const fn written(&self) -> u64 {
        self.written
    }

    /// Records of several parts that were written once.
    #[must_use]
    pub const fn repeated(&self) -> u64 {
        self.repeated
    }

    /// Places at which records are missing.
    #[must_use]
    pub const fn faults(&self) -> u64 {
        self.faults
    }

    /// The journal that is to be read next, in order that the others can go on; none when all have ended.
    #[must_use]
    pub fn wants(&self) -> Option<usize> {
        self.sources.iter().position(|source| !source.is_due())
    }

    /// Takes a chunk of a journal and returns the bytes used. `last`: this segment ends here.
    ///
    /// # Errors
    /// [`PartError::OtherJournal`] where a part goes on with another journal, [`PartError::Journal`] for what is no segment.
    pub fn take(&mut self, index: usize, bytes: &[u8], last: bool) -> Result<usize, PartError> {
        let Some(source) = self.sources.get_mut(index) else { return Ok(bytes.len()) };
        let mut at = 0;
        loop {
            let of = source.reader.journal();
            match source.reader.next(bytes, at, last) {
                Ok(Recorded { end, seq, line, ts, what, .. }) => {
                    at = end;
                    if of.is_some() && of != source.reader.journal() {
                        return Err(PartError::OtherJournal);
                    }
                    let is_fault = what.is_err();
                    if let Err(error) = what
                        && error.refuses_file(of.is_none())
                    {
                        return Err(error.into());
                    }
                    let what = match what {
                        Ok(input) => What::of(input),
                        Err(error) => What::Missed { loses: true, code: error.code().as_bytes().to_vec() },
                    };
                    source.waiting.push_back(Waiting { seq, line, ts, what, is_fault });
                }
                Err(used) => {
                    if last {
                        source.reader.segment_ended();
                    }
                    return Ok(used);
                }
            }
        }
    }

    /// No more segments of that journal follow.
    pub fn ended(&mut self, index: usize) {
        if let Some(source) = self.sources.get_mut(index) {
            source.has_ended = true;
        }
    }

    /// Writes records as far as it is known which comes next, and appends blocks to `out`.
    ///
    /// # Errors
    /// [`PartError::Conflict`], [`PartError::Mixed`], [`PartError::Headed`]: what was written before is good.
    pub fn merge(&mut self, out: &mut Vec<u8>) -> Result<(), PartError> {
        if self.wants().is_some() {
            return Ok(());
        }
        let is_one = match self.is_one {
            Some(is_one) => is_one,
            None => self.compared()?,
        };
        while self.wants().is_none() && self.sources.iter().any(|source| !source.waiting.is_empty()) {
            if is_one { self.by_number(out)? } else { self.by_time(out)? }
        }
        Ok(())
    }

    /// Ends the segment in `out` and begins the next one, at that time, in `next`. Nothing before the first record.
    pub fn turn(&mut self, created: u64, out: &mut Vec<u8>, next: &mut Vec<u8>) {
        let Some(writer) = self.writer.take() else { return };
        let first_seq = writer.next_seq();
        writer.close(out);
        let header = SegmentHeader { journal: self.name(), number: self.segments, first_seq, created };
        self.segments += 1;
        self.writer = Some(Writer::begin(header, next));
    }

    /// Ends the journal in `out`.
    pub fn close(&mut self, out: &mut Vec<u8>) {
        if let Some(writer) = self.writer.take() {
            writer.close(out);
        }
    }

    /// Whether all are parts of one journal.
    fn compared(&mut self) -> Result<bool, PartError> {
        let mut names: Vec<u64> = self.sources.iter().filter_map(|source| source.reader.journal()).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        let is_one = names.len() <= 1;
        if !is_one && names.len() < count {
            return Err(PartError::Mixed);
        }
        self.is_one = Some(is_one);
        Ok(is_one)
    }

    fn name(&self) -> u64 {
        let of_parts = self.sources.iter().find_map(|source| source.reader.journal());
        if self.is_one == Some(true) { of_parts.unwrap_or(self.journal) } else { self.journal }
    }

    /// Writes the record with the lowest number, or passes over what cannot be read: the numbers say what is missing.
    fn by_number(&mut self, out: &mut Vec<u8>) -> Result<(), PartError> {
        for source in &mut self.sources {
            if source.waiting.front().is_some_and(|front| front.is_fault) {
                source.waiting.pop_front();
                return Ok(());
            }
        }
        let fronts = self.sources.iter().filter_map(|source| source.waiting.front());
        let Some(seq) = fronts.map(|front| front.seq).min() else { return Ok(()) };
        let mut first: Option<Waiting> = None;
        for source in &mut self.sources {
            if source.waiting.front().is_none_or(|front| front.seq != seq) {
                continue;
            }
            let Some(record) = source.waiting.pop_front() else { continue };
            match &first {
                None => first = Some(record),
                Some(same) if *same == record => self.repeated += 1,
                Some(_) => return Err(PartError::Conflict { seq }),
            }
        }
        let Some(Waiting { line, ts, what, .. }) = first else { return Ok(()) };
        if self.writer.as_ref().is_some_and(|writer| seq > writer.next_seq()) {
            self.faults += 1;
        }
        self.write(Some(seq), line, ts, &what.input(), out)
    }

    /// Writes the earliest record.
    fn by_time(&mut self, out: &mut Vec<u8>) -> Result<(), PartError> {
        let due = self.sources.iter().enumerate().filter_map(|(index, source)| {
            source.waiting.front().map(|front| (source.latest.max(front.ts), index))
        });
        let Some((latest, index)) = due.min() else { return Ok(()) };
        let source = &mut self.sources[index];
        let Some(Waiting { seq, line, ts, what, is_fault }) = source.waiting.pop_front() else {
            return Ok(());
        };
        if matches!(what, What::Began | What::Head(_)) {
            return Err(PartError::Headed { seq });
        }
        source.latest = latest;
        self.faults += u64::from(is_fault);
        let lines = &mut self.lines;
        let mut numbered = |line| {
            *source.lines.entry(line).or_insert_with(|| {
                *lines += 1;
                *lines - 1
            })
        };
        let line = numbered(line);
        // It names another connection by its number.
        let what = match what {
            What::Setup { kind: SetupKind::Succeeds, text } => {
                let predecessor = core::str::from_utf8(&text).ok().and_then(|text| text.parse().ok());
                let text = predecessor.map_or(text, |line| numbered(line).to_string().into_bytes());
                What::Setup { kind: SetupKind::Succeeds, text }
            }
            other => other,
        };
        self.write(None, line, ts, &what.input(), out)
    }

    /// Appends a record, with a number of its own where it has one.
    fn write(
        &mut self,
        seq: Option<u64>,
        line: u32,
        ts: u64,
        input: &Input<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), PartError> {
        let journal = self.name();
        let (created, segments) = (self.created, &mut self.segments);
        let writer = self.writer.get_or_insert_with(|| {
            *segments += 1;
            let header = SegmentHeader { journal, number: 0, first_seq: seq.unwrap_or(0), created };
            Writer::begin(header, out)
        });
        if let Some(seq) = seq {
            writer.skip_to(seq, out);
        }
        writer.append(line, ts, input, out)?;
        self.written += 1;
        Ok(())
    }
}

//! A part of a journal, with what is needed to read it.

use super::part_error::PartError;
use super::reader::{Reader, Recorded};
use super::record::{Input, SetupKind};
use super::segment::SegmentHeader;
use super::writer::Writer;

/// Which part: both bounds of each pair hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// From this time on and before that one, ns since the epoch. A record without a time has that of the one before.
    pub times: (u64, u64),
    /// From this record to that one, the last included.
    pub records: (u64, u64),
}

/// Cuts a part out of a journal.
///
/// Records keep the numbers that they have, and the part keeps the journal's, so two parts can be put together again
/// ([`Merge`](super::Merge)). Of what is before the part it keeps what was said, sent and connected, and where
/// connections lead, for what is received is not understood without. What is left out is missing by its numbers: a
/// reader is told, and has no book of before.
///
/// Cost: that of reading the journal, and a copy of what is kept.
#[derive(Clone, Debug)]
pub struct Slice {
    part: Part,
    created: u64,
    reader: Reader,
    writer: Option<Writer>,
    segments: u64,
    latest: u64,
    kept: u64,
    faults: u64,
}

impl Slice {
    /// Of a journal that is still to come; `created` is the time of the part's first segment.
    #[must_use]
    pub fn new(part: Part, created: u64) -> Self {
        let reader = Reader::default();
        Self { part, created, reader, writer: None, segments: 0, latest: 0, kept: 0, faults: 0 }
    }

    /// Records that were kept.
    #[must_use]
    pub const fn kept(&self) -> u64 {
        self.kept
    }

    /// Parts of the journal that could not be read. Their records are missing in the part, too.
    #[must_use]
    pub const fn faults(&self) -> u64 {
        self.faults
    }

    /// Takes a chunk of the journal and appends blocks to `out`; returns the bytes used. `last`: this segment ends here.
    ///
    /// # Errors
    /// [`PartError::OtherJournal`] for a segment of another one, [`PartError::Journal`] for what is no segment. What follows is not to be taken then.
    pub fn take(&mut self, bytes: &[u8], last: bool, out: &mut Vec<u8>) -> Result<usize, PartError> {
        let mut at = 0;
        loop {
            let of = self.reader.journal();
            match self.reader.next(bytes, at, last) {
                Ok(Recorded { end, seq, line, ts, what, .. }) => {
                    at = end;
                    let now = self.reader.journal();
                    if of.is_some() && of != now {
                        return Err(PartError::OtherJournal);
                    }
                    match what {
                        Ok(input) => self.record((seq, line, ts), &input, now.unwrap_or_default(), out)?,
                        Err(error) if error.refuses_file(now.is_none()) => return Err(error.into()),
                        Err(_) => self.faults += 1,
                    }
                }
                Err(used) => {
                    if last {
                        self.reader.segment_ended();
                    }
                    return Ok(used);
                }
            }
        }
    }

    fn record(
        &mut self,
        (seq, line, ts): (u64, u32, u64),
        input: &Input<'_>,
        journal: u64,
        out: &mut Vec<u8>,
    ) -> Result<(), PartError> {
        if ts != 0 {
            self.latest = ts;
        }
        let Part { times: (from, to), records: (first, last) } = self.part;
        if self.latest >= to || seq > last {
            return Ok(());
        }
        let is_before = self.latest < from || seq < first;
        if is_before && !is_context(input) {
            return Ok(());
        }
        let (created, segments) = (self.created, &mut self.segments);
        let writer = self.writer.get_or_insert_with(|| {
            *segments += 1;
            Writer::begin(SegmentHeader { journal, number: 0, first_seq: seq, created }, out)
        });
        writer.skip_to(seq, out);
        writer.append(line, ts, input, out)?;
        self.kept += 1;
        Ok(())
    }

    /// Ends the segment in `out` and begins the next one, at that time, in `next`. Nothing before the first record.
    pub fn turn(&mut self, journal_time: u64, out: &mut Vec<u8>, next: &mut Vec<u8>) {
        let (Some(writer), Some(journal)) = (self.writer.take(), self.reader.journal()) else { return };
        let first_seq = writer.next_seq();
        writer.close(out);
        let header = SegmentHeader { journal, number: self.segments, first_seq, created: journal_time };
        self.segments += 1;
        self.writer = Some(Writer::begin(header, next));
    }

    /// Ends the part in `out`.
    pub fn close(&mut self, out: &mut Vec<u8>) {
        if let Some(writer) = self.writer.take() {
            writer.close(out);
        }
    }
}

/// Whether a record is needed by those that come long after it.
const fn is_context(input: &Input<'_>) -> bool {
    match input {
        Input::Began
        | Input::Head(_)
        | Input::Connected(_)
        | Input::Closed
        | Input::Sent(_)
        | Input::Named(_) => true,
        // What an engine knew at one place is nothing at another.
        Input::Setup { kind, .. } => !matches!(kind, SetupKind::Session | SetupKind::Book | SetupKind::Note),
        Input::Received(_)
        | Input::Datagram(_)
        | Input::Answered { .. }
        | Input::Missed { .. }
        | Input::Ticked => false,
    }
}

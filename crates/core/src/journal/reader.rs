//! Segments into records, in the order of their numbers: exactly what was written, or an error that names what is
//! missing.

use super::block::{BLOCK_HEADER_BYTES, BlockHeader, BlockKind};
use super::error::JournalError;
use super::record::{self, Input, Last};
use super::segment::{MAGIC, SEGMENT_HEADER_BYTES, SegmentHeader};

/// A record and where it stands in the bytes given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded<'a> {
    /// Offset of its first byte.
    pub start: usize,
    /// Offset after its last byte. A caller that took it has consumed the bytes before that.
    pub end: usize,
    /// Its number; of an error that of the record that is due.
    pub seq: u64,
    /// On which connection.
    pub line: u32,
    /// When, ns since the epoch; 0 = it is not known.
    pub ts: u64,
    /// What; or why it is nothing.
    pub what: Result<Input<'a>, JournalError>,
}

/// Where in a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// Before its head.
    #[default]
    Head,
    /// Between two blocks.
    Between,
    /// Within the records of a block whose checksum is right.
    Within(Open),
    /// Behind damage: the next whole block is looked for.
    Lost,
    /// All that follows in this file is passed over.
    Over,
}

/// The rest of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Open {
    bytes: usize,
    count: u32,
    last: Last,
}

/// What stands in bytes.
pub(super) enum Found<'a> {
    /// What is told of the segments themselves: what is missing, or that another journal begins.
    Told(Recorded<'a>),
    /// A block whose checksum is right: its head, and where its bytes begin and end.
    Block(BlockHeader, usize, usize),
}

/// Reads the segments of a journal one after the other, each in chunks cut anywhere; those of another journal may follow,
/// which begins with [`Input::Began`].
///
/// It keeps no bytes: what it has not used goes in again at the head of the next chunk, at most a block. A record is
/// handed out when the checksum of its whole block is right, so never a wrong one; behind damage it goes on with the
/// next block that is whole and of this segment, and says by its number what is missing.
#[derive(Clone, Debug)]
pub struct Reader {
    /// What its segments begin with, and the kind of their blocks.
    magic: [u8; 8],
    kind: BlockKind,
    place: Place,
    /// The place before the last record, for [`Self::put_back`].
    before: Place,
    /// The number of the record that is due; none before the first segment.
    due: Option<u64>,
    /// The number of the segment that is due.
    due_segment: Option<u64>,
    /// The journal that it is of.
    journal: Option<u64>,
    /// The checksum of the head of this one.
    segment: u32,
    /// The last block of it said that no more follows.
    is_closed: bool,
}

impl Default for Reader {
    fn default() -> Self {
        Self::of(MAGIC, BlockKind::Records)
    }
}

impl Reader {
    /// Reads segments that begin so and have blocks of a kind.
    pub(super) const fn of(magic: [u8; 8], kind: BlockKind) -> Self {
        Self {
            magic,
            kind,
            place: Place::Head,
            before: Place::Head,
            due: None,
            due_segment: None,
            journal: None,
            segment: 0,
            is_closed: false,
        }
    }

    /// The number of the record that is due; 0 before the first segment.
    #[must_use]
    pub fn next_seq(&self) -> u64 {
        self.due.unwrap_or_default()
    }

    /// The journal that the segment is of that was begun last.
    #[must_use]
    pub const fn journal(&self) -> Option<u64> {
        self.journal
    }

    /// Whether the segment that was read last was closed in order: else records may be missing at its end, of which
    /// only what follows can tell.
    #[must_use]
    pub const fn was_closed(&self) -> bool {
        self.is_closed
    }

    /// Another segment follows.
    pub fn segment_ended(&mut self) {
        (self.place, self.is_closed) = (Place::Head, false);
    }

    /// The record that was handed out last is not wanted yet: it comes again, from where it begins.
    pub fn put_back(&mut self) {
        if let Place::Within(_) = self.before {
            self.place = std::mem::take(&mut self.before);
            self.due = self.due.map(|due| due.wrapping_sub(1));
        }
    }

    /// The next record of `bytes` from `at` on, or, where they hold no further whole one, the offset from which on
    /// the rest must go in again, unchanged, at the head of the next chunk.
    ///
    /// `last` says that no more bytes of the segment follow: what is cut is then an error, and in the end all bytes
    /// are used. [`Self::segment_ended`] is to be called before the next one.
    ///
    /// Cost: one pass over a block for its checksum, one over the records' heads.
    ///
    /// # Errors
    /// That offset.
    pub fn next<'a>(&mut self, bytes: &'a [u8], mut at: usize, last: bool) -> Result<Recorded<'a>, usize> {
        self.before = Place::Head;
        loop {
            if let Place::Within(open) = self.place {
                return self.record(bytes, at, open, last);
            }
            match self.find(bytes, at, last)? {
                Found::Told(recorded) => return Ok(recorded),
                Found::Block(header, from, to) => {
                    let last = Last { line: 0, ts: header.first_ts };
                    self.place = Place::Within(Open { bytes: to - from, count: header.count, last });
                    at = from;
                }
            }
        }
    }

    /// The next whole block, or what is wrong before it. Cost: a pass over the block for its checksum.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub(super) fn find<'a>(&mut self, bytes: &[u8], mut at: usize, last: bool) -> Result<Found<'a>, usize> {
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            match self.place {
                Place::Over => return Err(bytes.len()),
                Place::Within(_) => return Err(bytes.len()),
                _ if rest.is_empty() => return Err(bytes.len()),
                Place::Head => {
                    let Some(head) = rest.first_chunk::<SEGMENT_HEADER_BYTES>() else {
                        return self.cut(bytes, at, SEGMENT_HEADER_BYTES, last).map(Found::Told);
                    };
                    let header = SegmentHeader::read_behind(self.magic, head);
                    match self.begin(header, SegmentHeader::checksum(head)) {
                        Ok(false) => at += SEGMENT_HEADER_BYTES,
                        Ok(true) => {
                            let (seq, end) = (self.next_seq(), at + SEGMENT_HEADER_BYTES);
                            let what = Ok(Input::Began);
                            return Ok(Found::Told(Recorded { start: at, end, seq, line: 0, ts: 0, what }));
                        }
                        Err(error) => {
                            let passed = match self.place {
                                Place::Over => bytes.len(),
                                _ => at + SEGMENT_HEADER_BYTES,
                            };
                            return Ok(Found::Told(self.refused(at, passed, error)));
                        }
                    }
                }
                Place::Between => {
                    self.is_closed = false;
                    let Some(head) = rest.first_chunk::<BLOCK_HEADER_BYTES>() else {
                        return self.cut(bytes, at, BLOCK_HEADER_BYTES, last).map(Found::Told);
                    };
                    let header = match BlockHeader::read(head) {
                        Ok(header) => header,
                        Err(error) => {
                            self.place = Place::Lost;
                            // The head's first byte is none of another one.
                            return Ok(Found::Told(self.refused(at, at + 1, error)));
                        }
                    };
                    let whole = BLOCK_HEADER_BYTES + header.bytes as usize;
                    let Some(stored) = rest.get(BLOCK_HEADER_BYTES..whole) else {
                        return self.cut(bytes, at, whole, last).map(Found::Told);
                    };
                    match self.open(&header, stored) {
                        // What follows all the same is read, or told.
                        Ok(()) if header.kind == BlockKind::End => {
                            self.is_closed = true;
                            at += whole;
                        }
                        Ok(()) => return Ok(Found::Block(header, at + BLOCK_HEADER_BYTES, at + whole)),
                        // Records are missing before this block, which is read then.
                        Err(error @ JournalError::Gap { got, .. }) => {
                            let refused = self.refused(at, at, error);
                            self.due = Some(got);
                            return Ok(Found::Told(refused));
                        }
                        Err(error) => return Ok(Found::Told(self.refused(at, at + whole, error))),
                    }
                }
                Place::Lost => {
                    at += BlockHeader::find(rest);
                    let rest = bytes.get(at..).unwrap_or_default();
                    let Some(head) = rest.first_chunk::<BLOCK_HEADER_BYTES>() else {
                        return Err(if last { bytes.len() } else { at });
                    };
                    match BlockHeader::read(head) {
                        Ok(header) if header.segment == self.segment => self.place = Place::Between,
                        _ => at += 1,
                    }
                }
            }
        }
    }

    /// Takes the head of a segment; true where it is of another journal than the one before. What it has is read unless
    /// the error leaves the place over.
    fn begin(
        &mut self,
        header: Result<SegmentHeader, JournalError>,
        checksum: u32,
    ) -> Result<bool, JournalError> {
        let header = match header {
            Ok(header) => header,
            Err(error) => {
                self.place = Place::Over;
                return Err(error);
            }
        };
        let is_another = self.journal.replace(header.journal).is_some_and(|before| before != header.journal);
        if is_another {
            (self.due, self.due_segment) = (None, None);
        }
        let expected = self.due_segment.unwrap_or(header.number);
        if header.number < expected {
            self.place = Place::Over;
            return Err(JournalError::SegmentOrder { expected, got: header.number });
        }
        self.place = Place::Between;
        (self.segment, self.is_closed) = (checksum, false);
        self.due_segment = Some(header.number.wrapping_add(1));
        let due = self.due.unwrap_or(header.first_seq);
        self.due = Some(due);
        if header.number > expected {
            // The segments say it; their records need not be told missing again.
            self.due = Some(due.max(header.first_seq));
            return Err(JournalError::SegmentOrder { expected, got: header.number });
        }
        Ok(is_another)
    }

    /// Takes the head of a block, whose records then follow.
    fn open(&mut self, header: &BlockHeader, stored: &[u8]) -> Result<(), JournalError> {
        let BlockHeader { first_seq, count, .. } = *header;
        let expected = self.next_seq();
        if header.segment != self.segment {
            return Err(JournalError::ForeignBlock { first_seq });
        }
        if first_seq < expected {
            return Err(JournalError::Repeated { expected, got: first_seq });
        }
        if first_seq > expected {
            return Err(JournalError::Gap { expected, got: first_seq });
        }
        if crc32c::crc32c(stored) != header.crc {
            self.due = Some(expected.wrapping_add(count.into()));
            return Err(JournalError::DamagedBlock { first_seq, count });
        }
        if header.kind != BlockKind::End && header.kind != self.kind {
            self.due = Some(expected.wrapping_add(count.into()));
            return Err(JournalError::UnknownBlock { kind: header.kind as u16 });
        }
        Ok(())
    }

    /// Hands out the next record of a block.
    fn record<'a>(
        &mut self,
        bytes: &'a [u8],
        start: usize,
        open: Open,
        is_last: bool,
    ) -> Result<Recorded<'a>, usize> {
        let Some(mut block) = bytes.get(start..start.saturating_add(open.bytes)) else {
            // Not what was there when the block's checksum was looked at.
            return self.cut(bytes, start.min(bytes.len()), open.bytes, is_last);
        };
        let mut last = open.last;
        let what = if open.count == 0 { None } else { record::read(&mut block, &mut last) };
        let is_whole = open.count > 1 || block.is_empty();
        let Some(what) = what.filter(|_| is_whole) else {
            let (seq, count) = (self.next_seq(), open.count);
            self.place = Place::Between;
            let refused = self.refused(start, start + open.bytes, JournalError::BadRecord { seq });
            self.due = Some(seq.wrapping_add(count.into()));
            return Ok(refused);
        };
        let (seq, end) = (self.next_seq(), start + open.bytes - block.len());
        self.before = Place::Within(open);
        self.due = Some(seq.wrapping_add(1));
        self.place = match open.count {
            1 => Place::Between,
            count => Place::Within(Open { bytes: block.len(), count: count - 1, last }),
        };
        Ok(Recorded { start, end, seq, line: last.line, ts: last.ts, what: Ok(what) })
    }

    fn cut<'a>(
        &mut self,
        bytes: &[u8],
        at: usize,
        expected: usize,
        last: bool,
    ) -> Result<Recorded<'a>, usize> {
        if !last {
            return Err(at);
        }
        self.place = Place::Over;
        let (expected, got) = (expected as u64, (bytes.len() - at) as u64);
        Ok(self.refused(at, bytes.len(), JournalError::Cut { expected, got }))
    }

    /// So many of what a block that was found holds have been taken.
    pub(super) fn took(&mut self, count: u32) {
        self.due = self.due.map(|due| due.wrapping_add(count.into()));
    }

    fn refused<'a>(&self, start: usize, end: usize, error: JournalError) -> Recorded<'a> {
        Recorded { start, end, seq: self.next_seq(), line: 0, ts: 0, what: Err(error) }
    }
}

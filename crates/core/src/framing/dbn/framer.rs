//! Metadata and records of a stream, out of chunks cut anywhere.

use super::record::HEADER_BYTES;
use super::view::Fields;
use super::{DbnError, MAGIC, Metadata, Record, Version};
use crate::types::TimeNs;

/// One record of a stream and where it stands in the bytes given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Offset of its first byte. A caller that does not want the record yet has consumed the bytes before it.
    pub start: usize,
    /// Offset after its last byte. A caller that took the record has consumed the bytes before that.
    pub end: usize,
    /// When the gateway sent it; 0 where the stream does not carry this.
    pub ts_out: TimeNs,
    /// The record; or why it is none. [`DbnError::ends_the_stream`] tells whether more can follow.
    pub record: Result<Record<'a>, DbnError>,
}

/// Finds the metadata and the records in chunk after chunk of one stream.
///
/// The bytes that a chunk's last record does not consume go in again at the head of the next chunk: less than
/// [`RECORD_BYTES_MAX`](super::RECORD_BYTES_MAX), or the metadata so far, at most
/// [`METADATA_BYTES_MAX`](super::METADATA_BYTES_MAX) and 8. After an error that ends the stream every further chunk is
/// used up by the same error. The metadata is the only thing that allocates.
#[derive(Clone, Debug)]
pub struct DbnFramer {
    state: State,
    metadata: Option<Metadata>,
    unknown: u64,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// The metadata is not whole yet.
    Metadata,
    /// Records follow one another.
    Records { version: Version, ts_out: bool },
    /// Nothing can be found any more.
    Failed(DbnError),
}

impl Default for DbnFramer {
    fn default() -> Self {
        Self::new()
    }
}

impl DbnFramer {
    /// For a stream or file that starts with its metadata.
    #[must_use]
    pub const fn new() -> Self {
        Self { state: State::Metadata, metadata: None, unknown: 0 }
    }

    /// For records without metadata, which otherwise says the version and whether each record ends with `ts_out`.
    #[must_use]
    pub const fn fragment(version: Version, ts_out: bool) -> Self {
        Self { state: State::Records { version, ts_out }, metadata: None, unknown: 0 }
    }

    /// The metadata, once its bytes are in; none in a fragment.
    #[must_use]
    pub const fn metadata(&self) -> Option<&Metadata> {
        self.metadata.as_ref()
    }

    /// How many records of unknown type have been passed over.
    #[must_use]
    pub const fn unknown(&self) -> u64 {
        self.unknown
    }

    /// Whether records can follow: the metadata are in, and no error has ended the stream.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.state, State::Records { .. })
    }

    /// Bytes of the record at the head of `bytes`, if it is whole and what follows the metadata is records.
    #[inline]
    #[must_use]
    pub fn record_len(&self, bytes: &[u8]) -> Option<usize> {
        let State::Records { .. } = self.state else { return None };
        let len = usize::from(*bytes.first()?) * 4;
        // A record of that type would be metadata instead.
        (len >= HEADER_BYTES && len <= bytes.len() && !bytes.starts_with(&MAGIC)).then_some(len)
    }

    /// The whole records of a chunk. What it ends with in the middle is left for the next chunk.
    pub fn records<'f, 'a>(&'f mut self, bytes: &'a [u8]) -> Records<'f, 'a> {
        self.open(bytes, false)
    }

    /// The records of the last chunk, which may not end in the middle of one.
    pub fn finish<'f, 'a>(&'f mut self, bytes: &'a [u8]) -> Records<'f, 'a> {
        self.open(bytes, true)
    }

    fn open<'f, 'a>(&'f mut self, bytes: &'a [u8], last: bool) -> Records<'f, 'a> {
        let mut at = 0;
        if matches!(self.state, State::Metadata) {
            match Metadata::read(bytes) {
                Ok(Some((metadata, len))) => {
                    self.state = State::Records { version: metadata.version, ts_out: metadata.ts_out };
                    self.metadata = Some(metadata);
                    at = len;
                }
                Ok(None) => {}
                Err(error) => self.state = State::Failed(error),
            }
        }
        let (framed, version, ts_out) = match self.state {
            State::Records { version, ts_out } => (bytes, version, ts_out),
            State::Metadata | State::Failed(_) => (&[][..], Version::V1, false),
        };
        Records { framer: self, bytes, framed, at, version, ts_out, last }
    }
}

/// Iterator over the records of a chunk. Cost: a few compares a record; nothing is copied or allocated.
#[derive(Debug)]
pub struct Records<'f, 'a> {
    framer: &'f mut DbnFramer,
    bytes: &'a [u8],
    /// The bytes that hold records: all, or none as long as or as soon as there can be no record.
    framed: &'a [u8],
    at: usize,
    version: Version,
    ts_out: bool,
    last: bool,
}

impl<'a> Records<'_, 'a> {
    /// Bytes used up by the metadata and by the records returned so far.
    #[must_use]
    pub const fn consumed(&self) -> usize {
        self.at
    }

    /// The metadata, once its bytes are in: before the first record. None in a fragment.
    #[must_use]
    pub const fn metadata(&self) -> Option<&Metadata> {
        self.framer.metadata()
    }

    /// Why there is no whole record, where that is an error. It ends the stream.
    #[cold]
    fn tail(&mut self) -> Option<DbnError> {
        let rest = &self.bytes[self.at.min(self.bytes.len())..];
        let error = match self.framer.state {
            State::Failed(error) if !rest.is_empty() => error,
            State::Metadata if self.last => {
                DbnError::Truncated { expected: Metadata::len(rest), got: rest.len() }
            }
            // Metadata that follow are told by their first bytes: as a record they would take more than a short file has.
            State::Records { .. } if rest.starts_with(&MAGIC) => DbnError::MetadataAmongRecords,
            State::Records { .. } if self.last && !rest.is_empty() => DbnError::Truncated {
                expected: rest.first().map_or(0, |&words| usize::from(words) * 4).max(HEADER_BYTES),
                got: rest.len(),
            },
            _ => return None,
        };
        Some(self.fail(error))
    }

    /// Ends the stream by an error, which uses up all bytes.
    #[cold]
    fn fail(&mut self, error: DbnError) -> DbnError {
        self.framer.state = State::Failed(error);
        self.framed = &[];
        self.at = self.bytes.len();
        error
    }

    /// The entry of an error that ended the stream.
    const fn last_entry(&self, start: usize, error: DbnError) -> Entry<'a> {
        Entry { start, end: self.at, ts_out: 0, record: Err(error) }
    }
}

impl<'a> Iterator for Records<'_, 'a> {
    type Item = Entry<'a>;

    /// Inlined wherever records are read, so that a reader of one type pays for no other.
    #[inline(always)]
    fn next(&mut self) -> Option<Entry<'a>> {
        let start = self.at;
        let Some((head, rest)) = self
            .framed
            .get(start..)
            .and_then(|rest| rest.first_chunk::<HEADER_BYTES>().map(|head| (head, rest)))
        else {
            return self.tail().map(|error| self.last_entry(start, error));
        };
        let len = usize::from(head.number::<u8, 0>()) * 4;
        if len < HEADER_BYTES {
            let error = self.fail(DbnError::RecordTooShort { len });
            return Some(self.last_entry(start, error));
        }
        let Some(whole) = rest.get(..len) else {
            return self.tail().map(|error| self.last_entry(start, error));
        };
        let (bytes, ts_out) = match whole.split_last_chunk::<8>() {
            Some((bytes, ts_out)) if self.ts_out => (bytes, ts_out.number::<u64, 0>()),
            _ => (whole, 0),
        };
        let record = Record::read(head, bytes, self.version);
        if let Ok(Record::Unknown(_)) = record {
            if head.starts_with(&MAGIC) {
                let error = self.fail(DbnError::MetadataAmongRecords);
                return Some(self.last_entry(start, error));
            }
            self.framer.unknown += 1;
        }
        self.at = start + len;
        Some(Entry { start, end: self.at, ts_out, record })
    }
}

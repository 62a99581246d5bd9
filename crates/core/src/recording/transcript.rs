//! The entries of a recording, whatever its form.

use std::collections::HashMap;
use std::net::SocketAddr;

use super::array::{self, Values};
use super::blocks::{self, Blocks};
use super::capture::{json_line, text_line};
use super::format::BYTE_ORDER_MARK;
use super::lines::{LineFramer, split};
use super::{FORMAT_BYTES, Format, RecordingError, detect_format};
use crate::decode::FRAME_BYTES_MAX;
use crate::framing::binary_file::{BinaryFileError, BinaryFileFramer};
use crate::framing::dbn::{DbnError, DbnFramer, MAGIC, Metadata};
use crate::framing::pcap::PcapReader;
use crate::types::TimeNs;

/// Most connections, or addresses of datagrams, that are told apart in one recording. Datagrams to further addresses count
/// as those of the last.
pub const LINES_MAX: usize = 1_024;

/// One thing that a recording says happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard<'a> {
    /// Another file begins behind one that has ended.
    Began,
    /// What a file says of what follows.
    Head {
        /// It.
        bytes: &'a [u8],
    },
    /// A connection was opened.
    Connected {
        /// Its number within the recording, from 0.
        line: u32,
        /// What was connected to.
        address: &'a [u8],
    },
    /// A connection ended.
    Closed {
        /// Its number.
        line: u32,
    },
    /// We said something.
    Sent {
        /// On which connection.
        line: u32,
        /// What.
        bytes: &'a [u8],
    },
    /// A frame, a datagram's payload, or a framed message came.
    Received {
        /// On which connection; of datagrams, the number of the address that they went to.
        line: u32,
        /// It.
        bytes: &'a [u8],
    },
    /// Something was asked for, and answered.
    Answered {
        /// The address that was asked; empty where the recording does not say.
        url: &'a [u8],
        /// The answer.
        bytes: &'a [u8],
    },
}

/// An entry and where it stands in the bytes given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Offset of its first byte. A caller that does not want it yet has consumed the bytes before it.
    pub start: usize,
    /// Offset after its last byte. A caller that took it has consumed the bytes before that.
    pub end: usize,
    /// When it was heard; 0 = the recording does not say, and what stands in it must tell.
    pub ts: TimeNs,
    /// Whether what came is a datagram's payload.
    pub is_datagram: bool,
    /// What; or why it is nothing.
    pub heard: Result<Heard<'a>, RecordingError>,
}

/// See the module. Once warm it allocates nothing for an entry.
#[derive(Debug, Default)]
pub struct Transcript {
    form: Form,
    /// Whether a file has ended, so that the next one says that it begins.
    has_ended: bool,
    /// Connections by their names in the recording.
    lines: HashMap<Box<[u8]>, u32>,
    addresses: Vec<SocketAddr>,
    /// A frame without its escapes.
    scratch: Vec<u8>,
}

#[derive(Debug, Default)]
enum Form {
    /// Nothing is known yet.
    #[default]
    Unknown,
    /// Passed over up to its end.
    Foreign,
    Lines(LineFramer),
    Frames(LineFramer),
    Values(Values),
    CaptureText(LineFramer),
    CaptureJson(LineFramer),
    Blocks(Blocks),
    Itch(BinaryFileFramer),
    Pcap(Box<PcapReader>),
    Dbn(Box<DbnFramer>),
}

/// What a look at the bytes came to.
enum Step<'a> {
    Entry(Entry<'a>),
    /// An entry whose frame is in `scratch`.
    InScratch(Entry<'a>),
    /// Nothing up to there.
    On(usize),
}

impl Form {
    fn new(format: Format) -> Self {
        match format {
            Format::Lines => Self::Lines(LineFramer::default()),
            Format::Frames => Self::Frames(LineFramer::default()),
            Format::Values => Self::Values(Values::default()),
            Format::CaptureText => Self::CaptureText(LineFramer::default()),
            Format::CaptureJson => Self::CaptureJson(LineFramer::default()),
            Format::Blocks => Self::Blocks(Blocks::default()),
            Format::Itch(prefix) => Self::Itch(BinaryFileFramer::new(prefix)),
            Format::Pcap | Format::Pcapng => Self::Pcap(Box::default()),
            Format::Dbn => Self::Dbn(Box::default()),
            Format::Dbz | Format::Zstd | Format::Gzip => Self::Foreign,
        }
    }
}

impl Transcript {
    /// Whether the file under way is frames and nothing else.
    #[must_use]
    pub const fn is_bare(&self) -> bool {
        matches!(self.form, Form::Frames(_) | Form::Values(_))
    }

    /// Whether the file under way is of a form that a magic number tells, and not text.
    #[must_use]
    pub const fn is_binary(&self) -> bool {
        matches!(self.form, Form::Itch(_) | Form::Pcap(_) | Form::Dbn(_))
    }

    /// The next entry of `bytes` from `at` on, or the offset from which on the rest must go in again at the head of the next
    /// chunk. `last`: the file's bytes end here; what follows is another file, of any form.
    ///
    /// # Errors
    /// That offset.
    #[inline]
    pub fn next<'t>(&'t mut self, bytes: &'t [u8], at: usize, last: bool) -> Result<Entry<'t>, usize> {
        // The two forms of which a day has hundreds of millions come first.
        match &mut self.form {
            Form::Itch(framer) => {
                let rest = bytes.get(at..).unwrap_or_default();
                if let Some((message, len)) = framer.whole(rest) {
                    let heard = Ok(Heard::Received { line: 0, bytes: message });
                    return Ok(Entry { start: at, end: at + len, ts: 0, is_datagram: false, heard });
                }
            }
            Form::Dbn(framer) if framer.metadata().is_some() => {
                let rest = bytes.get(at..).unwrap_or_default();
                if let Some(len) = framer.record_len(rest) {
                    let heard = Ok(Heard::Received { line: 0, bytes: &rest[..len] });
                    return Ok(Entry { start: at, end: at + len, ts: 0, is_datagram: false, heard });
                }
            }
            _ => {}
        }
        let (mut entry, is_in_scratch) = self.next_of_any(bytes, at, last)?;
        if is_in_scratch
            && let Ok(
                Heard::Received { bytes, .. } | Heard::Sent { bytes, .. } | Heard::Answered { bytes, .. },
            ) = &mut entry.heard
        {
            *bytes = &self.scratch;
        }
        Ok(entry)
    }

    /// The next entry, and whether its frame is in `scratch`.
    #[inline(never)]
    fn next_of_any<'a>(
        &mut self,
        bytes: &'a [u8],
        mut at: usize,
        last: bool,
    ) -> Result<(Entry<'a>, bool), usize> {
        loop {
            let step = match self.form {
                Form::Unknown => self.begin(bytes, at, last)?,
                _ => self.read(bytes, at, last)?,
            };
            match step {
                Step::Entry(entry) => return Ok((entry, false)),
                Step::InScratch(entry) => return Ok((entry, true)),
                Step::On(next) => at = next,
            }
        }
    }

    /// The head of a file: what form it has.
    fn begin<'a>(&mut self, bytes: &'a [u8], at: usize, last: bool) -> Result<Step<'a>, usize> {
        let rest = bytes.get(at..).unwrap_or_default();
        let mark = if rest.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        let blank = rest[mark..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        if rest.len() == mark + blank {
            // White space alone is a file without an entry.
            return Err(if last { bytes.len() } else { at });
        }
        // The first line of text decides, so it must be there, or what is there must be all.
        let text = &rest[mark + blank..];
        let is_text = !text[0].is_ascii_control() && !matches!(text[0], 0x80..);
        let has_line = memchr::memchr(b'\n', text).is_some() || text.len() > FRAME_BYTES_MAX;
        let detected = detect_format(rest);
        let is_decided = last || is_text && has_line;
        if !is_decided && (rest.len() < FORMAT_BYTES || is_text && detected.is_none()) {
            return Err(at);
        }
        let Some(format) = detected else {
            self.form = Form::Foreign;
            let error = RecordingError::UnknownFormat { got: text[0] };
            return Ok(Step::Entry(self.whole(bytes, at, last, error)));
        };
        self.form = Form::new(format);
        if let Form::Foreign = self.form {
            let error = RecordingError::UnknownFormat { got: rest[0] };
            return Ok(Step::Entry(self.whole(bytes, at, last, error)));
        }
        let is_packed = matches!(format, Format::Pcap | Format::Pcapng | Format::Dbn | Format::Itch(_));
        let skip = if is_packed { 0 } else { mark };
        if std::mem::take(&mut self.has_ended) {
            let is_datagram = format.is_datagrams();
            return Ok(Step::Entry(Entry {
                start: at,
                end: at + skip,
                ts: 0,
                is_datagram,
                heard: Ok(Heard::Began),
            }));
        }
        Ok(Step::On(at + skip))
    }

    /// All bytes are used up by an error.
    fn whole<'a>(&mut self, bytes: &[u8], at: usize, last: bool, error: RecordingError) -> Entry<'a> {
        if last {
            self.form = Form::Unknown;
        }
        Entry { start: at, end: bytes.len(), ts: 0, is_datagram: false, heard: Err(error) }
    }

    /// The file's bytes are used up. The next bytes are another file's.
    pub fn file_ended(&mut self) {
        self.form = Form::Unknown;
        self.has_ended = true;
    }

    fn read<'a>(&mut self, bytes: &'a [u8], at: usize, last: bool) -> Result<Step<'a>, usize> {
        let Self { form, lines, addresses, scratch, .. } = self;
        match form {
            Form::Unknown => Err(at),
            Form::Foreign => Err(bytes.len()),
            Form::Lines(framer) => {
                let line = framer.next(bytes, at, last)?;
                let (ts, heard) = match line.text.and_then(split) {
                    Ok((ts, bytes)) => (ts, Ok(Heard::Received { line: 0, bytes })),
                    Err(error) => (0, Err(error)),
                };
                Ok(Step::Entry(Entry { start: line.start, end: line.end, ts, is_datagram: false, heard }))
            }
            Form::Frames(framer) => {
                let line = framer.next(bytes, at, last)?;
                let heard = line.text.map(|bytes| Heard::Received { line: 0, bytes });
                Ok(Step::Entry(Entry { start: line.start, end: line.end, ts: 0, is_datagram: false, heard }))
            }
            Form::Values(values) => match values.next(bytes, at) {
                array::Next::Value { start, end } => {
                    let heard = Ok(Heard::Received { line: 0, bytes: &bytes[start..end] });
                    Ok(Step::Entry(Entry { start: at, end, ts: 0, is_datagram: false, heard }))
                }
                array::Next::Bad { at: bad } => {
                    *form = Form::Foreign;
                    let error =
                        RecordingError::BadLine { at: bad as u32, expected: "a JSON object or array" };
                    Ok(Step::Entry(self.whole(bytes, at, last, error)))
                }
                array::Next::More => more(bytes, at, last),
            },
            Form::CaptureText(framer) => {
                let line = framer.next(bytes, at, last)?;
                let (ts, heard) = match line.text.and_then(text_line) {
                    Ok(Some((ts, heard))) => (ts, Ok(heard)),
                    Ok(None) => return Ok(Step::On(line.end)),
                    Err(error) => (0, Err(error)),
                };
                Ok(Step::Entry(Entry { start: line.start, end: line.end, ts, is_datagram: false, heard }))
            }
            Form::CaptureJson(framer) => {
                let line = framer.next(bytes, at, last)?;
                let (start, end) = (line.start, line.end);
                let read = line.text.and_then(|text| json_line(text, scratch, |conn| number_of(lines, conn)));
                let (ts, heard, is_in_scratch) = match read {
                    Ok(Some((ts, heard, is_in_scratch))) => (ts, Ok(heard), is_in_scratch),
                    Ok(None) => return Ok(Step::On(end)),
                    Err(error) => (0, Err(error), false),
                };
                let entry = Entry { start, end, ts, is_datagram: false, heard };
                Ok(if is_in_scratch { Step::InScratch(entry) } else { Step::Entry(entry) })
            }
            Form::Blocks(blocks) => match blocks.next(bytes, at) {
                blocks::Next::Frame { ts, bytes, start, end } => Ok(Step::Entry(Entry {
                    start,
                    end,
                    ts,
                    is_datagram: false,
                    heard: Ok(Heard::Received { line: 0, bytes }),
                })),
                blocks::Next::Bad(error) => {
                    *form = Form::Foreign;
                    Ok(Step::Entry(self.whole(bytes, at, last, error)))
                }
                blocks::Next::More => more(bytes, at, last),
            },
            Form::Itch(framer) => {
                let rest = bytes.get(at..).unwrap_or_default();
                if framer.is_ended() && !rest.is_empty() {
                    // Sessions one after the other in one file.
                    self.file_ended();
                    return Ok(Step::On(at));
                }
                let mut messages = if last { framer.finish(rest) } else { framer.messages(rest) };
                let next = messages.next();
                let end = at + messages.consumed();
                match next {
                    None => Err(end),
                    Some(Ok(message)) => {
                        let heard = Ok(Heard::Received { line: 0, bytes: message });
                        Ok(Step::Entry(Entry { start: at, end, ts: 0, is_datagram: false, heard }))
                    }
                    Some(Err(BinaryFileError::TrailingBytes { .. })) => {
                        /// Bytes of the length zero that ends a session.
                        const END_BYTES: usize = 2;
                        self.file_ended();
                        Ok(Step::On(at + END_BYTES))
                    }
                    Some(Err(error)) => {
                        let heard = Err(RecordingError::BinaryFile(error));
                        Ok(Step::Entry(Entry { start: at, end, ts: 0, is_datagram: false, heard }))
                    }
                }
            }
            Form::Pcap(reader) => {
                let rest = bytes.get(at..).unwrap_or_default();
                let mut datagrams = if last { reader.finish(rest) } else { reader.datagrams(rest) };
                let next = datagrams.next();
                let (start, end) = (at + datagrams.start(), at + datagrams.consumed());
                match next {
                    None => Err(end),
                    Some(Ok(datagram)) => {
                        let line = line_of(addresses, datagram.destination);
                        let heard = Ok(Heard::Received { line, bytes: datagram.payload });
                        Ok(Step::Entry(Entry { start, end, ts: datagram.ts, is_datagram: true, heard }))
                    }
                    Some(Err(error)) => Ok(Step::Entry(Entry {
                        start,
                        end,
                        ts: 0,
                        is_datagram: true,
                        heard: Err(RecordingError::Pcap(error)),
                    })),
                }
            }
            Form::Dbn(framer) => {
                let rest = bytes.get(at..).unwrap_or_default();
                if framer.is_open() && rest.starts_with(&MAGIC) {
                    // Files one after the other: the next begins here, with metadata of its own.
                    self.file_ended();
                    return Ok(Step::On(at));
                }
                if framer.metadata().is_none() {
                    // The metadata are an entry of their own.
                    match Metadata::read(rest) {
                        Ok(Some((_, len))) => {
                            framer.records(&rest[..len]);
                            let heard = Ok(Heard::Head { bytes: &rest[..len] });
                            return Ok(Step::Entry(Entry {
                                start: at,
                                end: at + len,
                                ts: 0,
                                is_datagram: false,
                                heard,
                            }));
                        }
                        Ok(None) if !last => return Err(at),
                        Ok(None) => {
                            let error =
                                DbnError::Truncated { expected: Metadata::len(rest), got: rest.len() };
                            *form = Form::Foreign;
                            return Ok(Step::Entry(self.whole(bytes, at, last, RecordingError::Dbn(error))));
                        }
                        Err(error) => {
                            *form = Form::Foreign;
                            return Ok(Step::Entry(self.whole(bytes, at, last, RecordingError::Dbn(error))));
                        }
                    }
                }
                let mut records = if last { framer.finish(rest) } else { framer.records(rest) };
                let next = records.next();
                let end = at + records.consumed();
                match next {
                    None => Err(end),
                    Some(entry) => match entry.record {
                        Ok(_) => {
                            let heard = Ok(Heard::Received { line: 0, bytes: &rest[..entry.end] });
                            Ok(Step::Entry(Entry { start: at, end, ts: 0, is_datagram: false, heard }))
                        }
                        // One record that is none: the room says whose it may have been.
                        Err(error) if !error.ends_the_stream() => {
                            let heard = Ok(Heard::Received { line: 0, bytes: &rest[..entry.end] });
                            Ok(Step::Entry(Entry { start: at, end, ts: 0, is_datagram: false, heard }))
                        }
                        Err(error) => Ok(Step::Entry(Entry {
                            start: at,
                            end,
                            ts: 0,
                            is_datagram: false,
                            heard: Err(RecordingError::Dbn(error)),
                        })),
                    },
                }
            }
        }
    }

    /// The address of a line of datagrams.
    #[must_use]
    pub fn address(&self, line: u32) -> Option<SocketAddr> {
        self.addresses.get(line as usize).copied()
    }
}

/// The rest waits for more bytes; where there are none, or too many, it is cut.
fn more<'a>(bytes: &[u8], at: usize, last: bool) -> Result<Step<'a>, usize> {
    let rest = bytes.get(at..).unwrap_or_default();
    let is_blank = rest.iter().all(|byte| byte.is_ascii_whitespace() || matches!(byte, b']' | b','));
    if (last && !is_blank) || rest.len() > FRAME_BYTES_MAX {
        let heard = Err(RecordingError::Cut);
        return Ok(Step::Entry(Entry { start: at, end: bytes.len(), ts: 0, is_datagram: false, heard }));
    }
    Err(if last { bytes.len() } else { at })
}

/// The number of a connection, by its name.
fn number_of(lines: &mut HashMap<Box<[u8]>, u32>, name: &[u8]) -> Result<u32, RecordingError> {
    if let Some(&line) = lines.get(name) {
        return Ok(line);
    }
    if lines.len() == LINES_MAX {
        return Err(RecordingError::TooManyLines);
    }
    let line = lines.len() as u32;
    lines.insert(name.into(), line);
    Ok(line)
}

/// The number of an address, in order of first sight.
fn line_of(addresses: &mut Vec<SocketAddr>, address: SocketAddr) -> u32 {
    let known = addresses.iter().position(|known| *known == address);
    let index = known.unwrap_or_else(|| {
        if addresses.len() < LINES_MAX {
            addresses.push(address);
        }
        addresses.len() - 1
    });
    index as u32
}

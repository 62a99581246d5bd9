//! The entries of a recording, whatever its form.

use super::binary_file::BinaryFile;
use super::capture_jsonl::CaptureJsonl;
use super::capture_text::CaptureText;
use super::cbcap::Cbcap;
use super::collector::Collector;
use super::connections::Connections;
use super::dbn::Dbn;
use super::entry::{Entry, Heard, Span, Step, What};
use super::error::RecordingError;
use super::format::{FORMAT_BYTES_MIN, Format, is_capture_head};
use super::frames::Frames;
use super::journal::Journal;
use super::json::Json;
use super::packets::Packets;
use crate::journal::SetupKind;

/// Reads one recording, chunk after chunk, file after file.
///
/// It keeps no bytes: what it has not used goes in again at the head of the next chunk. That is less than the largest
/// thing of the form: 64 MiB of DBN metadata, 320 KiB of a packet, 64 KiB of an ITCH message,
/// a block of a journal, which is 256 KiB and a record, or some 2 MiB of frames, else some 16 MiB of a line.
/// Memory beside: the connections' addresses, and the text of the largest frame that had to be unescaped. Once warm it
/// allocates nothing.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    form: Form,
    /// A file has ended, so that the next one says that it begins.
    has_ended: bool,
    connections: Connections,
    scratch: Vec<u8>,
    /// Go on from segment to segment.
    journal: Journal,
    frames: Frames,
    /// The form of the file before, where it was a segment.
    was: Option<Format>,
}

#[derive(Clone, Debug, Default)]
enum Form {
    /// Its first bytes have not been seen.
    #[default]
    Undetected,
    /// None of the forms.
    Unknown,
    Collector(Collector),
    Json(Json),
    CaptureText(CaptureText),
    CaptureJsonl(CaptureJsonl),
    Cbcap(Cbcap),
    BinaryFile(BinaryFile),
    Packets(Box<Packets>),
    Dbn(Dbn),
    Journal,
    Frames,
}

impl Form {
    fn new(format: Format) -> Self {
        match format {
            Format::Collector => Self::Collector(Collector::new(false)),
            Format::NamedCollector => Self::Collector(Collector::new(true)),
            Format::Json => Self::Json(Json::default()),
            Format::CaptureText => Self::CaptureText(CaptureText::default()),
            Format::CaptureJsonl => Self::CaptureJsonl(CaptureJsonl::default()),
            Format::Cbcap => Self::Cbcap(Cbcap::default()),
            Format::BinaryFile(prefix) => Self::BinaryFile(BinaryFile::new(prefix)),
            Format::Packets => Self::Packets(Box::default()),
            Format::Dbn => Self::Dbn(Dbn::default()),
            Format::Journal => Self::Journal,
            Format::Frames => Self::Frames,
        }
    }
}

impl Transcript {
    /// A transcript of a file of a known form. [`Transcript::default`] finds out the form by the first bytes.
    #[must_use]
    pub fn new(format: Format) -> Self {
        Self { form: Form::new(format), ..Self::default() }
    }

    /// The form of the file that is being read; `None` before it is known and where it is none of the forms.
    #[must_use]
    pub const fn format(&self) -> Option<Format> {
        Some(match &self.form {
            Form::Undetected | Form::Unknown => return None,
            Form::Collector(collector) if collector.has_names() => Format::NamedCollector,
            Form::Collector(_) => Format::Collector,
            Form::Json(_) => Format::Json,
            Form::CaptureText(_) => Format::CaptureText,
            Form::CaptureJsonl(_) => Format::CaptureJsonl,
            Form::Cbcap(_) => Format::Cbcap,
            Form::BinaryFile(file) => Format::BinaryFile(file.prefix()),
            Form::Packets(_) => Format::Packets,
            Form::Dbn(_) => Format::Dbn,
            Form::Journal => Format::Journal,
            Form::Frames => Format::Frames,
        })
    }

    /// Where a connection leads, as the recording writes it: an address, of a packet capture the destination
    /// (`224.0.31.64:14340`). Empty where the recording does not say.
    #[must_use]
    pub fn address(&self, line: u32) -> &[u8] {
        self.connections.address(line)
    }

    /// Of a journal the number of the record that was told last, of an error that of the record that was due.
    #[must_use]
    pub const fn record(&self) -> Option<u64> {
        match self.form {
            Form::Journal => Some(self.journal.seq()),
            Form::Frames => Some(self.frames.seq()),
            _ => None,
        }
    }

    /// Of a segment of a journal the number of the record that is due, and whether it was closed in order.
    pub(super) fn segment(&self) -> Option<(u64, bool)> {
        match self.form {
            Form::Journal => Some(self.journal.standing()),
            Form::Frames => Some(self.frames.standing()),
            _ => None,
        }
    }

    /// Says that the file is over and what comes next is another one, of any form. Connections keep their numbers.
    pub fn file_ended(&mut self) {
        self.was = self.format().filter(|form| matches!(form, Format::Journal | Format::Frames));
        self.journal.segment_ended();
        self.frames.segment_ended();
        self.form = Form::Undetected;
        self.has_ended = true;
    }

    /// Says that the entry handed out last is not wanted yet: it comes again, from where it begins.
    pub fn put_back(&mut self) {
        self.journal.put_back();
        self.frames.put_back();
    }

    /// The message at the head of some bytes that are still to come, and the bytes that it takes, where the form says so
    /// without being read: ITCH and DBN files.
    #[inline]
    #[must_use]
    pub fn peek<'t>(&self, rest: &'t [u8]) -> Option<(&'t [u8], usize)> {
        match &self.form {
            Form::BinaryFile(file) => file.whole(rest),
            Form::Dbn(dbn) => dbn.whole(rest),
            _ => None,
        }
    }

    /// The next entry of `bytes` from `at` on, or, where they hold no further whole one, the offset from which on the rest
    /// must go in again, unchanged, at the head of the next chunk.
    ///
    /// `last` says that no more bytes of the file follow: what is cut is then an error, and in the end all bytes are used.
    /// [`Transcript::file_ended`] is to be called before the next file.
    ///
    /// Cost: one or two passes over the entry's bytes; of ITCH and DBN no byte but their lengths is looked at.
    ///
    /// # Errors
    /// That offset.
    #[inline]
    pub fn next<'t>(&'t mut self, bytes: &'t [u8], at: usize, last: bool) -> Result<Entry<'t>, usize> {
        // The forms of which a day has hundreds of millions of messages come first.
        let rest = bytes.get(at..).unwrap_or_default();
        let untimed = |(bytes, len)| (0, bytes, len);
        let whole = match &self.form {
            Form::BinaryFile(file) => file.whole(rest).map(untimed),
            Form::Dbn(dbn) => dbn.whole(rest).map(untimed),
            Form::Collector(collector) => collector.whole(rest),
            _ => None,
        };
        if let Some((ts, bytes, len)) = whole {
            let heard = Ok(Heard::Received { line: 0, bytes });
            return Ok(Entry { start: at, end: at + len, ts, is_datagram: false, heard });
        }
        self.next_of_form(bytes, at, last)
    }

    #[inline(never)]
    fn next_of_form<'t>(
        &'t mut self,
        bytes: &'t [u8],
        mut at: usize,
        last: bool,
    ) -> Result<Entry<'t>, usize> {
        let Self { form, connections, scratch, journal, frames, was, .. } = self;
        let at = &mut at;
        let step = loop {
            break match form {
                Form::Undetected => match detect(bytes, at, last) {
                    Some(Ok(format)) => {
                        *form = Form::new(format);
                        // Segments are one recording.
                        let goes_on = *was == Some(format);
                        if std::mem::take(&mut self.has_ended) && !goes_on {
                            Some(Step { start: *at, ts: 0, what: Ok(What::Began) })
                        } else {
                            continue;
                        }
                    }
                    Some(Err(got)) => {
                        *form = Form::Unknown;
                        let start = std::mem::replace(at, bytes.len());
                        Some(Step::refused(start, RecordingError::UnknownFormat { got }))
                    }
                    None => None,
                },
                Form::Unknown => {
                    *at = bytes.len();
                    None
                }
                Form::Collector(form) => form.next(bytes, at, last),
                Form::Json(form) => form.next(bytes, at, last),
                Form::CaptureText(form) => form.next(connections, bytes, at, last),
                Form::CaptureJsonl(form) => form.next(connections, scratch, bytes, at, last),
                Form::Cbcap(form) => form.next(connections, bytes, at, last),
                Form::BinaryFile(form) => form.next(bytes, at, last),
                Form::Packets(form) => form.next(connections, bytes, at, last),
                Form::Dbn(form) => form.next(bytes, at, last),
                Form::Journal => journal.next(connections, bytes, at, last),
                Form::Frames => frames.next(bytes, at, last),
            };
        };
        let Some(Step { start, ts, what }) = step else { return Err(*at) };
        let is_datagram = match self.form {
            Form::Packets(_) => true,
            Form::Journal => self.journal.is_datagram(),
            _ => false,
        };
        let of = |span: Span| span.of(bytes, &self.scratch);
        let heard = what.map(|what| match what {
            What::Began => Heard::Began,
            What::Head(span) => Heard::Head { bytes: of(span) },
            What::Connected(line) => Heard::Connected { line, address: self.connections.address(line) },
            What::Closed(line) => Heard::Closed { line },
            What::Sent(line, span) => Heard::Sent { line, bytes: of(span) },
            What::Received(line, span) => Heard::Received { line, bytes: of(span) },
            What::Answered { url, body } => Heard::Answered { url: of(url), bytes: of(body) },
            What::Ticked => Heard::Ticked,
            What::Setup(line, kind, span) => Heard::Setup { line, kind, bytes: of(span) },
            What::Listed => {
                Heard::Setup { line: 0, kind: SetupKind::Instrument, bytes: self.frames.told_last() }
            }
            What::Published => Heard::Published { frame: self.frames.told_last() },
        });
        Ok(Entry { start, end: *at, ts, is_datagram, heard })
    }
}

/// The form of the file that begins at `at`, or its first bytes; `None` as long as too few are seen. White space in
/// front of text is passed over.
fn detect(bytes: &[u8], at: &mut usize, last: bool) -> Option<Result<Format, [u8; 4]>> {
    let rest = bytes.get(*at..).unwrap_or_default();
    if rest.is_empty() || (rest.len() < FORMAT_BYTES_MIN && !last) {
        return None;
    }
    if !is_capture_head(rest) {
        let space = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        if space > 0 {
            *at += space;
            return detect(bytes, at, last);
        }
    }
    let mut got = [0; 4];
    got.iter_mut().zip(rest).for_each(|(to, &from)| *to = from);
    Some(Format::detect(rest).ok_or(got))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::told::{told, told_cut_anywhere, told_of};

    #[test]
    fn a_file_of_no_form_is_one_error() {
        for file in [&b"hello\n1 {}\n"[..], b"\x1f\x8b\x08\0", &[b'x'; 300], b" ?"] {
            assert_eq!(told_cut_anywhere(file), ["recording.unknown_format"]);
        }
        assert_eq!(told(b"\n \r\n"), [""; 0]);
        assert_eq!(told(b""), [""; 0]);
        for (got, hint) in [
            ([0x1F, 0x8B, 8, 0], "decompress"),
            (*b"PK\x03\x04", "archive"),
            ([0xFF, 0xFE, b'1', 0], "UTF-8"),
        ] {
            assert!(RecordingError::UnknownFormat { got }.fix().contains(hint));
        }
    }

    #[test]
    fn files_of_any_form_may_follow_one_another() {
        let mut transcript = Transcript::default();
        let mut all = Vec::new();
        for (file, format) in [
            (&b"1721347021000000001 {}\n"[..], Some(Format::Collector)),
            (b"hello", None),
            (b"\n\n1721347021002 trade {}", Some(Format::NamedCollector)),
            (b"{\"a\":1}", Some(Format::Json)),
            (b"5 {}\n", Some(Format::Collector)),
            (b"DBN\x01\0\0\0\0", Some(Format::Dbn)),
        ] {
            all.extend(told_of(&mut transcript, file, 3));
            assert_eq!(transcript.format(), format);
            transcript.file_ended();
            assert_eq!(transcript.format(), None);
        }
        assert_eq!(
            all,
            [
                "1721347021000000001 received 0 {}",
                "recording.unknown_format",
                "0 began",
                "1721347021002000000 received 0 trade {}",
                "0 began",
                "0 answered  {\"a\":1}",
                "0 began",
                "5 received 0 {}",
                "0 began",
                "decode.dbn_metadata_too_short",
            ]
        );
    }

    #[test]
    fn an_offset_beyond_the_bytes_is_no_entry() {
        for file in
            [&b"1 {}\n"[..], b"1 a {}\n", b"{}\n{}\n", b"1.5: x\n", b"CBCAP1 v A/B 5\n", b"DBN\x01\0\0\0\0"]
        {
            for last in [false, true] {
                let mut transcript = Transcript::default();
                let _ = transcript.next(file, 0, true);
                let _ = transcript.next(file, file.len() + 1, last);
            }
        }
        assert!(Transcript::new(Format::Packets).next(b"x", 9, true).is_err());
        let prefix = crate::framing::binary_file::LengthPrefix::Stated;
        assert!(Transcript::new(Format::BinaryFile(prefix)).next(b"x", 9, true).is_err());
    }

    #[test]
    fn white_space_in_front_hides_no_form() {
        let text = [&[b'\n'; 500][..], b"\xEF\xBB\xBF1 {}\n"].concat();
        assert_eq!(told_cut_anywhere(&text), ["1 received 0 {}"]);
    }
}

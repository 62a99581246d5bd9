//! Which form a recording has, told from its first bytes.

use crate::framing::binary_file::LengthPrefix;
use crate::journal::{FRAMES_MAGIC, MAGIC};

/// Bytes of a file's head that are enough to tell its form, white space in front not counted; fewer where the file is
/// shorter.
pub const FORMAT_BYTES_MIN: usize = 64;

/// UTF-8's byte order mark. Text is read as without it.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The form of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A line for each frame: receive time, a space, the frame (`1723161256172216566 {…}`).
    Collector,
    /// The same with a word between, which is the name of the event and belongs to what was received
    /// (`1430438404518 order_created {…}`).
    NamedCollector,
    /// JSON without receive times: a frame a line, a list of frames, or one answer that fills the file.
    Json,
    /// A line for each thing heard, connections and HTTP answers included (`ADDR <-> ts`, `ADDR <- ts: …`, `ts: …`,
    /// `URL -> ts: …`).
    CaptureText,
    /// A JSON object a line for each thing heard, behind a header (`{"t":"header",…}`).
    CaptureJsonl,
    /// Frames behind their length and the time of a monotonic clock, under one line with the wall clock (`CBCAP1 …`).
    Cbcap,
    /// ITCH messages behind their lengths.
    BinaryFile(LengthPrefix),
    /// UDP datagrams of a packet capture, pcap or pcapng.
    Packets,
    /// DBN: metadata and records.
    Dbn,
    /// A segment of a journal.
    Journal,
    /// A segment of a journal of frames.
    Frames,
}

impl Format {
    /// The form of a file by its first [`FORMAT_BYTES_MIN`] or more; `None` when it is none of these.
    ///
    /// Magic numbers decide where there is one. A BinaryFILE has none: its first message must begin as one does. Text
    /// is told by what its first line is, as far as it goes; a byte order mark and empty lines may precede.
    #[must_use]
    pub fn detect(head: &[u8]) -> Option<Self> {
        match head {
            [b'D', b'B', b'N', ..] => return Some(Self::Dbn),
            _ if is_capture_head(head) => return Some(Self::Packets),
            _ if head.starts_with(&MAGIC) => return Some(Self::Journal),
            _ if head.starts_with(&FRAMES_MAGIC) => return Some(Self::Frames),
            _ => {}
        }
        if let Some(prefix) = LengthPrefix::detect(head) {
            return Some(Self::BinaryFile(prefix));
        }
        let head = head.trim_ascii_start();
        let text = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head).trim_ascii_start();
        match text.first()? {
            b'{' if is_capture_line(text) => Some(Self::CaptureJsonl),
            b'{' | b'[' => Some(Self::Json),
            b'0'..=b'9' => by_time(text),
            _ if text.starts_with(b"CBCAP1 ") => Some(Self::Cbcap),
            _ => [&b"configuration: "[..], b"wss://", b"ws://", b"https://", b"http://"]
                .iter()
                .any(|begin| text.starts_with(begin))
                .then_some(Self::CaptureText),
        }
    }
}

/// Whether bytes begin as a packet capture does. Only the magic number is looked at.
pub(super) const fn is_capture_head(head: &[u8]) -> bool {
    matches!(
        head,
        [0x0A, 0x0D, 0x0D, 0x0A, ..]
            | [0xA1, 0xB2, 0xC3, 0xD4, ..]
            | [0xD4, 0xC3, 0xB2, 0xA1, ..]
            | [0xA1, 0xB2, 0x3C, 0x4D, ..]
            | [0x4D, 0x3C, 0xB2, 0xA1, ..]
    )
}

/// Whether an object is a line of a capture: it says so in its first member, whichever that is, however it is printed.
fn is_capture_line(text: &[u8]) -> bool {
    let member = |key: &[u8]| {
        let behind = text.strip_prefix(b"{")?.trim_ascii_start().strip_prefix(key)?.trim_ascii_start();
        behind.strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")
    };
    let Some(kind) = member(b"\"t\"") else { return member(b"\"conn\"").is_some() };
    [&b"header\""[..], b"connect\"", b"send\"", b"recv\"", b"http\"", b"close\""]
        .iter()
        .filter_map(|known| kind.strip_prefix(*known))
        .any(|behind| behind.trim_ascii_start().starts_with(b","))
}

/// The form of lines that begin with a number.
fn by_time(text: &[u8]) -> Option<Format> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    match text.get(digits..)? {
        [b' ', b'{' | b'[', ..] if digits <= 20 => Some(Format::Collector),
        [b' ', b'A'..=b'Z' | b'a'..=b'z', name @ ..] if digits <= 20 => {
            let len = name.iter().take_while(|byte| is_name_byte(**byte)).count();
            matches!(name.get(len..), Some([b' ', b'{' | b'[', ..])).then_some(Format::NamedCollector)
        }
        [b'.', fraction @ ..] => {
            let len = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            matches!(fraction.get(len..), Some([b':', b' ', ..])).then_some(Format::CaptureText)
        }
        [b':', b' ', ..] => Some(Format::CaptureText),
        _ => None,
    }
}

/// Whether a byte may stand in the name of an event.
pub(super) const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_each_form_by_its_first_bytes() {
        let itch = |prefix| Some(Format::BinaryFile(prefix));
        for (head, format) in [
            (&b"1723161253937085768 {\"s\":1}\n"[..], Some(Format::Collector)),
            (b"1 []", Some(Format::Collector)),
            (b"\xEF\xBB\xBF1 {}", Some(Format::Collector)),
            (b"\n\r\n 1 {", Some(Format::Collector)),
            (b"1430438404518 order_created {\"a\":1}", Some(Format::NamedCollector)),
            (b"{\"e\":1}", Some(Format::Json)),
            (b"[\n{}]", Some(Format::Json)),
            (b"\xEF\xBB\xBF[8047,\"hb\"]", Some(Format::Json)),
            (b"{\"t\":5,\"x\":1}", Some(Format::Json)),
            (b"{\"t\":\"header\",\"format\":2}", Some(Format::CaptureJsonl)),
            (b"{\"t\":\"recv\",\"conn\":\"A\"}", Some(Format::CaptureJsonl)),
            (b"{\"conn\":\"A\",\"ts\":1}", Some(Format::CaptureJsonl)),
            (b"{\"t\": \"header\", \"format\": 2}", Some(Format::CaptureJsonl)),
            (b"{\n    \"t\" : \"header\" ,\n    \"format\": 2\n}", Some(Format::CaptureJsonl)),
            (b"{ \"conn\": \"A\", \"ts\": 1}", Some(Format::CaptureJsonl)),
            (b"{\"t\": \"other\", \"conn\": \"A\"}", Some(Format::Json)),
            (b"configuration: {}", Some(Format::CaptureText)),
            (b"wss://a <-> 1.5", Some(Format::CaptureText)),
            (b"https://a/b?c=d -> 1.5: {}", Some(Format::CaptureText)),
            (b"1617643607.3363898: {", Some(Format::CaptureText)),
            (b"1617643607: {", Some(Format::CaptureText)),
            (b"CBCAP1 x A/B 1785552832693693000\n", Some(Format::Cbcap)),
            (b"\0\x0cS\0\0\0\0\x0a\x30\x47\x8f\x8f\x96O\0\x27R", itch(LengthPrefix::Stated)),
            (b"\0\0S\0\0\0\0\x0a\x30\x47\x8f\x8f\x96O\0\0R", itch(LengthPrefix::Zero)),
            (b"\xa1\xb2\xc3\xd4\0\x02\0\x04", Some(Format::Packets)),
            (b"\x4d\x3c\xb2\xa1\x02\0\x04\0", Some(Format::Packets)),
            (b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a", Some(Format::Packets)),
            (b"DBN\x01\x97\0\0\0", Some(Format::Dbn)),
            (b"DWJRNL\r\n\x01\0\0\0", Some(Format::Journal)),
            (b"DWJRNL\n\x01\0\0\0\0", None),
            (b"DWFRMS\r\n\x01\0\0\0", Some(Format::Frames)),
            (b"", None),
            (b"hello", None),
            (b"12", None),
            (b"12 name", None),
            (b"123456789012345678901 {}", None),
            (b"\x1f\x8b\x08", None),
            (b"\x28\xb5\x2f\xfd", None),
            (b"GIF89a", None),
        ] {
            assert_eq!(Format::detect(head), format, "{}", head.escape_ascii());
        }
    }
}

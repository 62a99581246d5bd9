//! Which form a recording has, told from its first bytes.

use crate::framing::binary_file::LengthPrefix;

/// Bytes of a file's head that are enough to tell most forms; frames of JSON need their first line.
pub const FORMAT_BYTES: usize = 32;

/// The byte order mark that some editors put before UTF-8 text.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The first bytes of a recording in blocks; see `blocks`.
pub(super) const BLOCKS_MAGIC: &[u8] = b"CBCAP1 ";

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Lines of a receive time and a frame.
    Lines,
    /// Lines of frames.
    Frames,
    /// One JSON array of frames, or JSON values that go over several lines.
    Values,
    /// Lines of what a recorder connected, sent, received and asked for.
    CaptureText,
    /// The same as JSON objects.
    CaptureJson,
    /// Frames with their lengths.
    Blocks,
    /// ITCH messages, read by [`crate::framing::binary_file::BinaryFileFramer`].
    Itch(LengthPrefix),
    /// A packet capture, read by [`crate::framing::pcap::PcapReader`].
    Pcap,
    /// The same in blocks.
    Pcapng,
    /// DBN records behind metadata.
    Dbn,
    /// An older encoding of the same, which is not read.
    Dbz,
    /// Compressed by zstd; what is inside shows after decompression.
    Zstd,
    /// Compressed by gzip; what is inside shows after decompression.
    Gzip,
}

impl Format {
    /// Whether its entries are datagrams, of several lines of one feed.
    #[must_use]
    pub const fn is_datagrams(self) -> bool {
        matches!(self, Self::Pcap | Self::Pcapng)
    }
}

/// The form of a file by its first bytes: [`FORMAT_BYTES`] or more where a magic number tells, the first line where it is
/// text. `None` when it is none of these, or when a longer head is needed.
///
/// Magic numbers decide where there is one. A BinaryFILE has none: its first message must begin as one does (see
/// [`LengthPrefix::detect`]), which no magic number or digit does. Text is told by its first line: a time, a space and a
/// frame; a time, a colon and a frame, or an arrow between an address and a time; a frame alone. A byte order mark and
/// empty lines may precede.
#[must_use]
pub fn detect_format(first: &[u8]) -> Option<Format> {
    match *first {
        // A skippable frame may lead in a zstd file; DBZ is one with a content of its own.
        [0x50..=0x5F, 0x2A, 0x4D, 0x18, _, _, _, _, b'D', b'B', b'Z', ..] => Some(Format::Dbz),
        [0x28, 0xB5, 0x2F, 0xFD, ..] | [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => Some(Format::Zstd),
        [0x1F, 0x8B, 8, ..] => Some(Format::Gzip),
        [b'D', b'B', b'N', ..] => Some(Format::Dbn),
        [0x0A, 0x0D, 0x0D, 0x0A, ..] => Some(Format::Pcapng),
        [0xA1, 0xB2, 0xC3, 0xD4, ..]
        | [0xD4, 0xC3, 0xB2, 0xA1, ..]
        | [0xA1, 0xB2, 0x3C, 0x4D, ..]
        | [0x4D, 0x3C, 0xB2, 0xA1, ..] => Some(Format::Pcap),
        _ => LengthPrefix::detect(first).map(Format::Itch).or_else(|| text_format(first)),
    }
}

fn text_format(first: &[u8]) -> Option<Format> {
    let text = first.strip_prefix(BYTE_ORDER_MARK).unwrap_or(first).trim_ascii_start();
    if text.starts_with(BLOCKS_MAGIC) {
        return Some(Format::Blocks);
    }
    let end = memchr::memchr(b'\n', text);
    let line = end.map_or(text, |end| &text[..end]);
    match *line.first()? {
        b'{' if memchr::memmem::find(line, b"\"t\":\"header\"").is_some() => Some(Format::CaptureJson),
        b'[' if matches!(text[1..].trim_ascii_start().first(), Some(b'{' | b'[')) => Some(Format::Values),
        b'{' | b'[' if is_whole_value(line) => Some(Format::Frames),
        b'{' | b'[' => end.is_some().then_some(Format::Values),
        byte if byte.is_ascii_digit() => {
            let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
            match line.get(digits..) {
                Some([b' ', b'{' | b'[', ..]) if digits <= 20 => Some(Format::Lines),
                Some([b'.', ..]) if is_capture(line) => Some(Format::CaptureText),
                _ => None,
            }
        }
        _ => is_capture(line).then_some(Format::CaptureText),
    }
}

/// Whether a line is one of a recorder's capture: its configuration, an arrow, or a time in seconds and a colon.
fn is_capture(line: &[u8]) -> bool {
    let has = |text: &[u8]| memchr::memmem::find(line, text).is_some();
    let starts_with_seconds = || {
        let len = line.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
        len > 0 && matches!(line.get(len..), Some([b':', b' ', b'{' | b'[', ..]))
    };
    line.starts_with(b"configuration: {")
        || has(b" <-> ")
        || has(b" <- ")
        || has(b" -> ")
        || starts_with_seconds()
}

/// Whether brackets close within a line. A line that is cut by the end of what was read counts as one that does not.
fn is_whole_value(line: &[u8]) -> bool {
    super::array::value_len(line).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ITCH: Format = Format::Itch(LengthPrefix::Stated);

    #[test]
    fn tells_each_format_by_its_first_bytes() {
        for (first, format) in [
            (&b"\0\x0cS\0\0\0\0\x0a\x30\x47\x8f\x8f\x96O\0\x27R"[..], Some(ITCH)),
            (b"\0\0S\0\0\0\0\x0a\x30\x47\x8f\x8f\x96O\0\0R", Some(Format::Itch(LengthPrefix::Zero))),
            (b"\xa1\xb2\xc3\xd4\0\x02\0\x04", Some(Format::Pcap)),
            (b"\xd4\xc3\xb2\xa1\x02\0\x04\0", Some(Format::Pcap)),
            (b"\xa1\xb2\x3c\x4d\0\x02\0\x04", Some(Format::Pcap)),
            (b"\x4d\x3c\xb2\xa1\x02\0\x04\0", Some(Format::Pcap)),
            (b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a", Some(Format::Pcapng)),
            (b"DBN\x01\x97\0\0\0", Some(Format::Dbn)),
            (b"P*M\x18\x90\0\0\0DBZ\x01", Some(Format::Dbz)),
            (b"P*M\x18\x90\0\0\0xxxx", Some(Format::Zstd)),
            (b"\x28\xb5\x2f\xfd\0\x60", Some(Format::Zstd)),
            (b"\x1f\x8b\x08\0\0", Some(Format::Gzip)),
            (b"1723161253000000000 {\"e\":\"depthUpdate\"", Some(Format::Lines)),
            (b"1723161253000000000 [{", Some(Format::Lines)),
            (b"\n\r\n1 {}\n", Some(Format::Lines)),
            (b"", None),
            (b"\n\n", None),
            (b"12", None),
            (b"12 lines of text", None),
            (b"123456789012345678901 {}", None),
            (b"{\"e\":\"depthUpdate\"}", Some(Format::Frames)),
            (b"{\"e\":\"depthUpdate\"}\n{}", Some(Format::Frames)),
            (b"[320,{\"b\":[]}]\n", Some(Format::Frames)),
            (b"\xEF\xBB\xBF1 {}\n", Some(Format::Lines)),
            (b"[{\"e\":1}, {}]", Some(Format::Values)),
            (b"[\n  {\n", Some(Format::Values)),
            (b"{\n  \"bids\": [", Some(Format::Values)),
            (b"{\"t\":\"header\",\"format\":2}\n", Some(Format::CaptureJson)),
            (b"configuration: {}\n", Some(Format::CaptureText)),
            (b"wss://a <-> 1617666422.653664\n", Some(Format::CaptureText)),
            (b"1617666423.12: {}\n", Some(Format::CaptureText)),
            (b"https://a/b -> 1617666423.12: {}\n", Some(Format::CaptureText)),
            (b"CBCAP1 x BTC/USD 1785552832693693000\n", Some(Format::Blocks)),
            (b"time,price\n1,2\n", None),
            (b"GIF89a", None),
            (b"PK\x03\x04", None),
            (b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0", None),
            (&[0; 64], None),
            (&[0xFF; 64], None),
        ] {
            assert_eq!(detect_format(first), format, "{}", first.escape_ascii());
        }
    }

    #[test]
    fn the_bytes_that_are_enough_are_enough() {
        let longest = b"18446744073709551615 {\"stream\":\"btcusdt@depth\"}\n";
        assert_eq!(detect_format(&longest[..FORMAT_BYTES]), Some(Format::Lines));
        let itch = b"\0\x0cS\0\0\0\0\x0a\x30\x47\x8f\x8f\x96O\0\x27R\0\x01\0\0\x0a\x66\xa2\x94\x36\x14ALCXX";
        assert_eq!(detect_format(&itch[..FORMAT_BYTES]), Some(ITCH));
        for len in 0..13 {
            assert_eq!(detect_format(&itch[..len]), None, "{len} bytes tell nothing");
        }
    }

    #[test]
    fn a_magic_number_decides_whatever_follows() {
        let mut state = 0x9E37_79B9_7F4A_7C15u64;
        for len in 0..10_000 {
            let mut first = [0; 40];
            for byte in &mut first {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                *byte = state as u8;
            }
            let _ = detect_format(&first[..len % 41]);
            first[..4].copy_from_slice(b"DBN\x03");
            assert_eq!(detect_format(&first), Some(Format::Dbn));
        }
    }
}

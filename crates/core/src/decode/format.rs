//! Which kind of file it is, told from its first bytes.

use super::binary_file::LengthPrefix;

/// Bytes of a file's head that are enough to tell its format.
pub const FORMAT_BYTES: usize = 32;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Lines of a collector recording, read by [`super::LineFramer`].
    Lines,
    /// ITCH messages, read by [`super::binary_file::BinaryFileFramer`].
    Itch(LengthPrefix),
    /// A packet capture, read by [`super::pcap::PcapReader`].
    Pcap,
    /// The same in blocks, read by [`super::pcap::PcapReader`].
    Pcapng,
    /// Databento Binary Encoding.
    Dbn,
    /// Databento's older encoding, which is not read.
    Dbz,
    /// Compressed by zstd; what is inside shows after decompression.
    Zstd,
    /// Compressed by gzip; what is inside shows after decompression.
    Gzip,
}

/// The format of a file by its first [`FORMAT_BYTES`] or more; fewer where the file is shorter. `None` when it is none
/// of these.
///
/// Magic numbers decide where there is one. A BinaryFILE has none: its first message must begin as one does (see
/// [`LengthPrefix::detect`]), which no magic number or digit does. Lines are told by what the first one is as far as
/// it goes: a receive time in decimal digits, a space, and `{` or `[`; empty lines may precede.
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
        _ => {
            LengthPrefix::detect(first).map(Format::Itch).or_else(|| is_line(first).then_some(Format::Lines))
        }
    }
}

fn is_line(first: &[u8]) -> bool {
    let line = first.trim_ascii_start();
    let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (1..=20).contains(&digits) && matches!(line.get(digits..), Some([b' ', b'{' | b'[', ..]))
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
            (b"{\"e\":\"depthUpdate\"}", None),
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

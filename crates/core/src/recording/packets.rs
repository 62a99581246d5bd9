//! Datagrams of packet captures, each destination a connection.

use super::connections::Connections;
use super::entry::{Span, Step, What};
use super::error::RecordingError;
use crate::framing::pcap::{BLOCK_BYTES_MAX, PcapError, PcapReader};

/// Reads a capture packet by packet, and further captures that follow in the same stream: a recorder that rotates its
/// files writes a header into each. A further section of a pcapng file cannot be told from a further file.
#[derive(Clone, Debug, Default)]
pub(super) struct Packets {
    reader: PcapReader,
    form: Form,
    /// Bytes of a too large packet or block that are still to be passed over.
    skip: u64,
    /// Parts of datagrams that were told of.
    fragments: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Form {
    /// At the first file's head.
    #[default]
    Head,
    /// Before a packet of a pcap file.
    Packets { is_big: bool },
    /// Before a block of a pcapng file.
    Blocks { is_big: bool },
    /// Nothing can be found any more.
    Lost,
}

/// Bytes of a pcap file's header.
const FILE_HEAD_BYTES: usize = 24;
/// Bytes in front of a packet in a pcap file.
const PACKET_HEAD_BYTES: usize = 16;
/// Bytes that tell what is next: of a block its type, its length and, where it begins a section, its byte order; of a
/// pcap file its magic number and version.
const LOOK_BYTES: usize = 12;

const SECTION: [u8; 4] = [0x0A, 0x0D, 0x0D, 0x0A];

impl Packets {
    pub(super) fn next(
        &mut self,
        connections: &mut Connections,
        bytes: &[u8],
        at: &mut usize,
        last: bool,
    ) -> Option<Step> {
        loop {
            let start = *at;
            let rest = bytes.get(start..).unwrap_or_default();
            if self.form == Form::Lost {
                *at = bytes.len();
                return None;
            }
            if rest.is_empty() {
                return (last && self.skip > 0).then(|| self.lose(start, self.skip));
            }
            if self.skip > 0 {
                let here = usize::try_from(self.skip).unwrap_or(usize::MAX).min(rest.len());
                self.skip -= here as u64;
                *at += here;
                // The reader passes over them, too.
                let _ = self.reader.datagrams(&rest[..here]).next();
                continue;
            }
            if rest.len() < LOOK_BYTES && !last {
                return None;
            }
            let before = self.form;
            let is_first = before == Form::Head;
            let begun = begun_form(rest, before);
            if let Some(form) = begun {
                (self.reader, self.form, self.fragments) = (PcapReader::default(), form, 0);
            }
            let len = match self.form {
                Form::Packets { .. } if begun.is_some() => Some(FILE_HEAD_BYTES as u64),
                Form::Packets { is_big } => number(rest, 8, is_big)
                    .filter(|_| rest.len() >= PACKET_HEAD_BYTES)
                    .map(|len| PACKET_HEAD_BYTES as u64 + u64::from(len)),
                Form::Blocks { ref mut is_big } => {
                    if rest.starts_with(&SECTION) {
                        *is_big = rest.get(8) == Some(&0x1A);
                    }
                    // The reader refuses a length that cannot be as soon as it sees it.
                    number(rest, 4, *is_big)
                        .map(|len| u64::from(if len % 4 == 0 { len.max(LOOK_BYTES as u32) } else { 12 }))
                }
                Form::Head | Form::Lost => Some(rest.len() as u64),
            };
            let here = match len {
                Some(len) if len <= rest.len() as u64 => len as usize,
                Some(len) if len > u64::from(BLOCK_BYTES_MAX) => {
                    self.skip = len - rest.len() as u64;
                    rest.len()
                }
                _ if !last => {
                    // The same bytes come again, with more behind them.
                    self.form = before;
                    return None;
                }
                _ => rest.len(),
            };
            *at += here;
            let is_cut = len.is_none_or(|len| len > rest.len() as u64) && self.skip == 0;
            let step = self.feed(connections, &rest[..here], start, is_cut);
            if self.form == Form::Lost {
                (*at, self.skip) = (bytes.len(), 0);
            } else if is_cut {
                // One that is too large was refused before its end was looked for.
                self.skip = len.unwrap_or_default().saturating_sub(rest.len() as u64);
            }
            if step.is_some() {
                return step;
            }
            if begun.is_some() && !is_first {
                return Some(Step { start, ts: 0, what: Ok(What::Began) });
            }
        }
    }

    /// Has the reader look at one packet or block, or at the part of it that there is.
    fn feed(
        &mut self,
        connections: &mut Connections,
        piece: &[u8],
        start: usize,
        is_cut: bool,
    ) -> Option<Step> {
        let mut datagrams = if is_cut { self.reader.finish(piece) } else { self.reader.datagrams(piece) };
        match datagrams.next() {
            Some(Ok(datagram)) => {
                let from = start + (datagram.payload.as_ptr() as usize - piece.as_ptr() as usize);
                let payload = Span::given(from..from + datagram.payload.len());
                let line = connections.destined(datagram.destination);
                Some(Step { start, ts: datagram.ts, what: line.map(|line| What::Received(line, payload)) })
            }
            Some(Err(error)) => {
                if error.is_final() {
                    self.form = Form::Lost;
                }
                Some(Step::refused(start, RecordingError::Packets(error)))
            }
            None => {
                let before = core::mem::replace(&mut self.fragments, self.reader.stats().fragments);
                let count = self.fragments.saturating_sub(before);
                (count > 0).then(|| Step::refused(start, RecordingError::Fragments { count }))
            }
        }
    }

    fn lose(&mut self, start: usize, expected: u64) -> Step {
        self.form = Form::Lost;
        Step::refused(start, RecordingError::Packets(PcapError::Truncated { expected, got: 0 }))
    }
}

/// The form of the file that begins here, if one does. The first file is taken for what its magic number says; a further
/// one must state its version, too, for a packet could begin with the magic number alone.
fn begun_form(rest: &[u8], before: Form) -> Option<Form> {
    let is_first = before == Form::Head;
    let (&magic, behind) = rest.split_first_chunk::<4>()?;
    let is_big = match magic {
        SECTION if is_first => return Some(Form::Blocks { is_big: false }),
        SECTION => {
            let order = behind.get(4..8)?;
            let is_section = matches!(order, [0x1A, 0x2B, 0x3C, 0x4D] | [0x4D, 0x3C, 0x2B, 0x1A]);
            return is_section.then_some(Form::Blocks { is_big: false });
        }
        [0xA1, 0xB2, 0xC3, 0xD4] | [0xA1, 0xB2, 0x3C, 0x4D] => true,
        [0xD4, 0xC3, 0xB2, 0xA1] | [0x4D, 0x3C, 0xB2, 0xA1] => false,
        _ => return None,
    };
    let version: &[u8] = if is_big { &[0, 2, 0, 4] } else { &[2, 0, 4, 0] };
    (is_first || behind.starts_with(version)).then_some(Form::Packets { is_big })
}

fn number(bytes: &[u8], at: usize, is_big: bool) -> Option<u32> {
    let bytes = *bytes.get(at..)?.first_chunk()?;
    Some(if is_big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
}

#[cfg(test)]
mod tests {
    use crate::recording::told::{told_cut_anywhere, told_of};
    use crate::recording::{Format, Transcript};

    /// The Ethernet frame of a datagram to a port of one group.
    fn frame(port: u16, payload: &[u8]) -> Vec<u8> {
        let udp_len = 8 + payload.len() as u16;
        let mut packet = [[2; 6], [4; 6]].concat();
        packet.extend([8, 0, 0x45, 0]);
        packet.extend((20 + udp_len).to_be_bytes());
        packet.extend([0, 0, 0x40, 0, 9, 17, 0, 0, 10, 0, 0, 1, 224, 0, 31, 64, 0x66, 0x77]);
        packet.extend(port.to_be_bytes());
        packet.extend(udp_len.to_be_bytes());
        packet.extend([0, 0]);
        packet.extend(payload);
        packet
    }

    fn number(value: u32, is_big: bool) -> [u8; 4] {
        if is_big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    fn header(is_big: bool) -> Vec<u8> {
        let mut file = number(0xA1B2_C3D4, is_big).to_vec();
        file.extend_from_slice(if is_big { &[0, 2, 0, 4] } else { &[2, 0, 4, 0] });
        file.extend([0; 8]);
        file.extend(number(65_535, is_big));
        file.extend(number(1, is_big));
        file
    }

    fn packet(is_big: bool, micros: u32, frame: &[u8]) -> Vec<u8> {
        let len = frame.len() as u32;
        let head = [1, micros, len, len].map(|value| number(value, is_big)).concat();
        [&head, frame].concat()
    }

    fn block(is_big: bool, block_type: u32, body: &[u8]) -> Vec<u8> {
        let mut padded = body.to_vec();
        padded.resize(body.len().next_multiple_of(4), 0);
        let len = number(12 + padded.len() as u32, is_big);
        [&number(block_type, is_big)[..], &len, &padded, &len].concat()
    }

    fn section(is_big: bool) -> Vec<u8> {
        let mut head = number(0x1A2B_3C4D, is_big).to_vec();
        head.extend_from_slice(if is_big { &[0, 1, 0, 0] } else { &[1, 0, 0, 0] });
        head.extend([0xFF; 8]);
        let link: [u8; 2] = if is_big { [0, 1] } else { [1, 0] };
        [block(is_big, 0x0A0D_0D0A, &head), block(is_big, 1, &[link[0], link[1], 0, 0, 0, 0, 0, 0])].concat()
    }

    fn packet_block(is_big: bool, micros: u32, frame: &[u8]) -> Vec<u8> {
        let len = frame.len() as u32;
        let head = [0, 0, 1_000_000 + micros, len, len].map(|value| number(value, is_big)).concat();
        block(is_big, 6, &[&head, frame].concat())
    }

    #[test]
    fn each_destination_is_a_connection() {
        for is_big in [true, false] {
            let file = [
                header(is_big),
                packet(is_big, 1, &frame(2, b"a")),
                packet(is_big, 2, &frame(3, b"b")),
                packet(is_big, 3, &[0; 30]),
                packet(is_big, 4, &frame(2, b"")),
            ]
            .concat();
            assert_eq!(
                told_cut_anywhere(&file),
                ["1000001000 received 0 a", "1000002000 received 1 b", "1000004000 received 0 "]
            );
        }
        let mut transcript = Transcript::new(Format::Packets);
        let file = [header(true), packet(true, 1, &frame(14_340, b"a"))].concat();
        told_of(&mut transcript, &file, 9);
        assert_eq!(transcript.address(0), b"224.0.31.64:14340");
    }

    #[test]
    fn blocks_are_read_and_a_further_section_is_a_further_file() {
        let file = [
            section(false),
            packet_block(false, 1, &frame(2, b"a")),
            block(false, 5, &[1, 2, 3]),
            section(true),
            packet_block(true, 2, &frame(2, b"b")),
        ]
        .concat();
        assert_eq!(
            told_cut_anywhere(&file),
            ["1000001000 received 0 a", "0 began", "1000002000 received 0 b"]
        );
    }

    #[test]
    fn a_rotated_file_in_the_stream_is_read() {
        for (first, second) in [(true, true), (false, false), (true, false)] {
            let stream = [
                header(first),
                packet(first, 1, &frame(2, b"a")),
                header(second),
                packet(second, 2, &frame(3, b"b")),
                section(first),
                packet_block(first, 3, &frame(2, b"c")),
                header(second),
                packet(second, 4, &frame(3, b"d")),
            ]
            .concat();
            assert_eq!(
                told_cut_anywhere(&stream),
                [
                    "1000001000 received 0 a",
                    "0 began",
                    "1000002000 received 1 b",
                    "0 began",
                    "1000003000 received 0 c",
                    "0 began",
                    "1000004000 received 1 d",
                ]
            );
        }
    }

    #[test]
    fn parts_of_datagrams_are_told_as_a_loss() {
        let mut part = frame(2, b"a");
        part[20] = 0x20;
        let file = [header(false), packet(false, 1, &part), packet(false, 2, &frame(2, b"b"))].concat();
        assert_eq!(told_cut_anywhere(&file), ["recording.fragments", "1000002000 received 0 b"]);
    }

    #[test]
    fn what_is_too_large_is_passed_over_and_the_next_packet_counts() {
        let file = [
            header(false),
            packet(false, 1, &vec![0; 400_000]),
            packet(false, 2, &vec![0; 300_000]),
            packet(false, 3, &frame(2, b"b")),
            header(false),
            packet(false, 4, &frame(2, b"c")),
        ]
        .concat();
        for chunk in [10_000, 70_000, file.len()] {
            let told = told_of(&mut Transcript::new(Format::Packets), &file, chunk);
            assert_eq!(
                told,
                [
                    "pcap.packet_too_large",
                    "pcap.packet_too_large",
                    "1000003000 received 0 b",
                    "0 began",
                    "1000004000 received 0 c",
                ]
            );
        }
        for len in [1_000, 400_100] {
            let cut = told_of(&mut Transcript::new(Format::Packets), &file[..len], 100_000);
            let expected = ["pcap.packet_too_large", "pcap.packet_too_large", "pcap.truncated"];
            assert_eq!(cut, expected[usize::from(len < 400_000)..]);
        }
    }

    #[test]
    fn what_ends_the_reading_is_told_once() {
        let good = [header(false), packet(false, 1, &frame(2, b"a"))].concat();
        for len in 1..16 {
            let cut = [&good[..], &good[24..24 + len]].concat();
            assert_eq!(told_cut_anywhere(&cut), ["1000001000 received 0 a", "pcap.truncated"]);
        }
        assert_eq!(told_cut_anywhere(&good[..20]), ["pcap.truncated"]);
        let foreign = told_of(&mut Transcript::new(Format::Packets), b"GIF89a, a picture", 3);
        assert_eq!(foreign, ["pcap.not_capture"]);
        let mut blocks = [section(false), packet_block(false, 1, &frame(2, b"a"))].concat();
        blocks.extend([6, 0, 0, 0, 5, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]);
        assert_eq!(told_cut_anywhere(&blocks), ["1000001000 received 0 a", "pcap.bad_block"]);
    }
}

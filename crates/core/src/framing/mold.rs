//! MoldUDP64 packets: several messages of one multicast session, with the sequence of the first.
//!
//! A packet is a header of 20 bytes (session, ten ASCII bytes; sequence of the first message, u64; count, u16) and
//! `count` blocks of a length (u16) and that many bytes; all numbers are big-endian. Count 0 is a heartbeat and 0xFFFF
//! the end of the session: both carry the sequence of the message that would be next. A request for retransmission is
//! a header alone, sent the other way.
//!
//! A packet is good as a whole or refused as a whole: what a refused one held shows as a gap in the next one's
//! sequence. Source: MoldUDP64 protocol specification 1.00.

use core::fmt;

use super::binary_file::split_block;
use crate::types::Account;

/// Bytes of a packet's header and of a whole request.
pub const HEADER_BYTES: usize = 20;

/// The count that ends a session.
const END_OF_SESSION: u16 = 0xFFFF;

/// Most messages that a packet holds.
pub const PACKET_MESSAGES_MAX: u16 = END_OF_SESSION - 1;

/// What a packet is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketKind {
    /// It carries messages, 1 to [`PACKET_MESSAGES_MAX`].
    Data,
    /// It carries none and says that the sender lives.
    Heartbeat,
    /// It carries none and says that none will follow in this session.
    EndOfSession,
}

/// One good packet, a view over its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The session's name.
    pub session: [u8; 10],
    /// Sequence of the first message, or of the message that would be next.
    pub sequence: u64,
    /// Messages in the packet. Their last sequence fits 64 bits, and so does the one behind it.
    pub count: u16,
    /// What the packet is for.
    pub kind: PacketKind,
    blocks: &'a [u8],
}

impl<'a> Packet<'a> {
    /// The messages, in sequence. A message may be empty. Cost: constant for each.
    #[inline]
    #[must_use]
    pub const fn messages(&self) -> Messages<'a> {
        Messages { left: self.count, blocks: self.blocks }
    }
}

/// Iterator over the messages of a packet.
#[derive(Clone, Debug)]
pub struct Messages<'a> {
    left: u16,
    blocks: &'a [u8],
}

impl<'a> Iterator for Messages<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        self.left = self.left.checked_sub(1)?;
        let (message, behind) = split_block(self.blocks)?;
        self.blocks = behind;
        Some(message)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::from(self.left), Some(usize::from(self.left)))
    }
}

impl ExactSizeIterator for Messages<'_> {}

/// Reads a packet, the payload of one datagram. Cost: one step a message, no allocation.
///
/// # Errors
/// [`MoldError`] when the header or a message is cut, when bytes follow the last message, or when the sequence runs
/// over.
pub fn decode(datagram: &[u8]) -> Result<Packet<'_>, MoldError> {
    let Some((&header, blocks)) = datagram.split_first_chunk::<HEADER_BYTES>() else {
        return Err(MoldError::ShortHeader { got: datagram.len() });
    };
    let [s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, q0, q1, q2, q3, q4, q5, q6, q7, c0, c1] = header;
    let sequence = u64::from_be_bytes([q0, q1, q2, q3, q4, q5, q6, q7]);
    let (count, kind) = match u16::from_be_bytes([c0, c1]) {
        0 => (0, PacketKind::Heartbeat),
        END_OF_SESSION => (0, PacketKind::EndOfSession),
        count => (count, PacketKind::Data),
    };
    let mut rest = blocks;
    for index in 0..count {
        match split_block(rest) {
            Some((_, behind)) => rest = behind,
            None => return Err(MoldError::Truncated { index, count }),
        }
    }
    if !rest.is_empty() {
        return Err(MoldError::TrailingBytes { count, got: rest.len() });
    }
    if sequence.checked_add(u64::from(count)).is_none() {
        return Err(MoldError::SequenceOverflow { sequence, count });
    }
    let session = [s0, s1, s2, s3, s4, s5, s6, s7, s8, s9];
    Ok(Packet { session, sequence, count, kind, blocks })
}

/// The request for `count` messages from `sequence` on. The server answers with one packet that may hold fewer; ask
/// again for the rest.
#[must_use]
pub fn encode_request(session: [u8; 10], sequence: u64, count: u16) -> [u8; HEADER_BYTES] {
    let mut request = [0; HEADER_BYTES];
    request[..10].copy_from_slice(&session);
    request[10..18].copy_from_slice(&sequence.to_be_bytes());
    request[18..].copy_from_slice(&count.to_be_bytes());
    request
}

/// Why a datagram is no MoldUDP64 packet. It concerns that datagram only; its messages are missing from the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoldError {
    /// Fewer bytes than a header has.
    ShortHeader {
        /// Bytes of the datagram.
        got: usize,
    },
    /// The datagram ends before or within a message.
    Truncated {
        /// Which of its messages, from 0.
        index: u16,
        /// How many it announces.
        count: u16,
    },
    /// Bytes behind the last message.
    TrailingBytes {
        /// How many messages the packet announces.
        count: u16,
        /// Bytes behind them.
        got: usize,
    },
    /// The sequence behind the last message does not fit 64 bits.
    SequenceOverflow {
        /// Sequence of the first message.
        sequence: u64,
        /// How many the packet announces.
        count: u16,
    },
}

impl MoldError {
    /// Stable code, which reaches JavaScript as `err.code`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ShortHeader { .. } => "mold.short_header",
            Self::Truncated { .. } => "mold.truncated",
            Self::TrailingBytes { .. } => "mold.trailing_bytes",
            Self::SequenceOverflow { .. } => "mold.sequence_overflow",
        }
    }

    /// What to do about it, in one line.
    #[must_use]
    pub const fn fix(&self) -> &'static str {
        match self {
            Self::ShortHeader { .. } | Self::TrailingBytes { .. } | Self::SequenceOverflow { .. } => {
                "check that the port carries MoldUDP64, and select the feed's group and port"
            }
            Self::Truncated { .. } => {
                "capture whole datagrams (snap length 0), and check that the port carries MoldUDP64"
            }
        }
    }

    /// What, expected and got.
    #[must_use]
    pub fn account(&self) -> Account {
        match *self {
            Self::ShortHeader { got } => Account::new(
                "datagram shorter than a header",
                format_args!("{HEADER_BYTES} bytes or more"),
                got,
            ),
            Self::Truncated { index, count } => Account::new(
                "packet is cut",
                format_args!("{count} messages"),
                format_args!("{index} whole ones"),
            ),
            Self::TrailingBytes { count, got } => Account::new(
                "bytes behind the last message",
                format_args!("none after {count} messages"),
                got,
            ),
            Self::SequenceOverflow { sequence, count } => Account::new(
                "sequence runs over",
                format_args!("{count} numbers from {sequence}"),
                "the end of 64 bits",
            ),
        }
    }
}

impl fmt::Display for MoldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.account().fmt(f)
    }
}

impl std::error::Error for MoldError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(sequence: u64, count: u16, messages: &[&[u8]]) -> Vec<u8> {
        let mut bytes = b"000010059B".to_vec();
        bytes.extend_from_slice(&sequence.to_be_bytes());
        bytes.extend_from_slice(&count.to_be_bytes());
        for message in messages {
            bytes.extend_from_slice(&(message.len() as u16).to_be_bytes());
            bytes.extend_from_slice(message);
        }
        bytes
    }

    #[test]
    fn reads_the_header_and_the_messages() {
        let bytes = packet(0x0102_0304_0506_0708, 3, &[b"abc", b"", b"d"]);
        let packet = decode(&bytes).unwrap();
        assert_eq!(&packet.session, b"000010059B");
        assert_eq!((packet.sequence, packet.count), (0x0102_0304_0506_0708, 3));
        assert_eq!(packet.kind, PacketKind::Data);
        assert_eq!(packet.messages().len(), 3);
        assert_eq!(packet.messages().collect::<Vec<_>>(), [&b"abc"[..], b"", b"d"]);
    }

    #[test]
    fn heartbeat_and_end_carry_no_message() {
        for (count, kind) in [(0, PacketKind::Heartbeat), (0xFFFF, PacketKind::EndOfSession)] {
            let bytes = packet(7, count, &[]);
            let packet = decode(&bytes).unwrap();
            assert_eq!((packet.sequence, packet.count, packet.kind), (7, 0, kind));
            assert_eq!(packet.messages().next(), None);
        }
    }

    #[test]
    fn a_full_packet_is_read() {
        let bytes = packet(1, PACKET_MESSAGES_MAX, &vec![&b""[..]; usize::from(PACKET_MESSAGES_MAX)]);
        assert_eq!(decode(&bytes).unwrap().messages().count(), 65_534);
    }

    #[test]
    fn a_cut_packet_is_refused_wherever_it_is_cut() {
        let bytes = packet(1, 3, &[b"abc", b"", b"d"]);
        for len in 0..bytes.len() {
            let index = match len {
                0..20 => {
                    assert_eq!(decode(&bytes[..len]), Err(MoldError::ShortHeader { got: len }));
                    continue;
                }
                20..25 => 0,
                25..27 => 1,
                _ => 2,
            };
            assert_eq!(decode(&bytes[..len]), Err(MoldError::Truncated { index, count: 3 }), "{len}");
        }
    }

    #[test]
    fn bytes_behind_the_last_message_are_refused() {
        for (count, messages) in [(1, &[&b"a"[..], b"b"][..]), (0, &[b"b"]), (0xFFFF, &[b"b"])] {
            let expected = if count == 1 { 1 } else { 0 };
            let refused = Err(MoldError::TrailingBytes { count: expected, got: 3 });
            assert_eq!(decode(&packet(1, count, messages)), refused);
        }
    }

    #[test]
    fn the_sequence_behind_the_last_message_must_exist() {
        let good = packet(u64::MAX - 1, 1, &[b"a"]);
        assert_eq!(decode(&good).map(|packet| packet.sequence), Ok(u64::MAX - 1));
        assert_eq!(decode(&packet(u64::MAX, 0, &[])).map(|packet| packet.kind), Ok(PacketKind::Heartbeat));
        let refused = Err(MoldError::SequenceOverflow { sequence: u64::MAX, count: 1 });
        assert_eq!(decode(&packet(u64::MAX, 1, &[b"a"])), refused);
    }

    #[test]
    fn a_request_is_a_header() {
        let request = encode_request(*b"000010059B", 0x0102_0304_0506_0708, 0x090A);
        assert_eq!(&request, b"000010059B\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a");
    }

    #[test]
    fn every_error_says_what_was_expected_and_what_came() {
        let errors = [
            MoldError::ShortHeader { got: 3 },
            MoldError::Truncated { index: 1, count: 2 },
            MoldError::TrailingBytes { count: 1, got: 4 },
            MoldError::SequenceOverflow { sequence: u64::MAX, count: 1 },
        ];
        let mut codes: Vec<_> = errors.iter().map(MoldError::code).collect();
        codes.dedup();
        assert_eq!(codes.len(), errors.len(), "each has a code of its own");
        for error in errors {
            let text = error.to_string();
            assert!(text.contains("expected ") && text.contains(", got "), "{text}");
            assert!(error.code().starts_with("mold.") && !error.fix().is_empty());
        }
    }
}

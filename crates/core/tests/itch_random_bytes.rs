//! Damaged streams: whatever the bytes, each framing gives the same outcomes however the stream is cut, and none
//! panics. The seed of a failure stands in its message.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use depthwire_core::framing::binary_file::{BinaryFileFramer, LengthPrefix};
use depthwire_core::framing::itch::{decode, message_len};
use depthwire_core::framing::{mold, soup};

/// A generator whose seed is all it has.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    /// A message of a known type and otherwise any bytes.
    fn message(&mut self) -> Vec<u8> {
        let message_type = loop {
            let message_type = self.below(256) as u8;
            if message_len(message_type).is_some() {
                break message_type;
            }
        };
        let mut message: Vec<u8> =
            (0..message_len(message_type).unwrap()).map(|_| self.below(256) as u8).collect();
        message[0] = message_type;
        if matches!(message_type, b'A' | b'F' | b'P') && self.below(2) == 0 {
            message[19] = b'S';
        }
        message
    }

    /// A stream of such messages behind a lead each, damaged in a few places.
    fn stream(&mut self, prefix: LengthPrefix, lead: &[u8]) -> Vec<u8> {
        let mut stream = Vec::new();
        for _ in 0..=self.below(6) {
            let message = self.message();
            let len = if prefix == LengthPrefix::Stated { (message.len() + lead.len()) as u16 } else { 0 };
            stream.extend_from_slice(&len.to_be_bytes());
            stream.extend_from_slice(lead);
            stream.extend_from_slice(&message);
        }
        self.damage(&mut stream);
        stream
    }

    fn damage(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..self.below(4) {
            let at = self.below(bytes.len());
            match self.below(4) {
                0 => bytes[at] = self.below(256) as u8,
                1 => bytes[at] = [0, 0xFF][self.below(2)],
                2 => drop(bytes.drain(at..(at + 1 + self.below(9)).min(bytes.len()))),
                _ => bytes.insert(at, self.below(256) as u8),
            }
            if bytes.is_empty() {
                bytes.push(0);
            }
        }
    }
}

/// Reads a message to its last field; what it is, as text.
fn outcome(bytes: &[u8]) -> String {
    match decode(bytes) {
        Ok(message) => {
            assert_eq!(message.as_bytes(), bytes);
            let same = message_len(message.message_type()) == Some(bytes.len());
            assert!(same && (message.order_change().is_none() || b"AFECXDU".contains(&bytes[0])));
            format!("{:?} {:?}", message.order_change(), message.trade())
        }
        Err(error) => format!("{} {error}", error.code()),
    }
}

#[test]
fn a_damaged_file_reads_the_same_however_it_is_cut() {
    for seed in 1..=20_000u64 {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let prefix = [LengthPrefix::Stated, LengthPrefix::Zero][random.below(2)];
        let file = random.stream(prefix, b"");
        let read = |chunk: usize| {
            let mut framer = BinaryFileFramer::new(prefix);
            let (mut pending, mut taken) = (Vec::new(), Vec::new());
            let mut pieces = file.chunks(chunk).peekable();
            while let Some(piece) = pieces.next() {
                pending.extend_from_slice(piece);
                let mut messages =
                    if pieces.peek().is_none() { framer.finish(&pending) } else { framer.messages(&pending) };
                taken.extend(messages.by_ref().map(|message| message.map(outcome)));
                let consumed = messages.consumed();
                pending.drain(..consumed);
            }
            assert!(pending.is_empty(), "seed {seed}");
            taken
        };
        let chunk = random.below(file.len()) + 1;
        assert_eq!(read(chunk), read(file.len()), "seed {seed}, chunks of {chunk}");
    }
}

#[test]
fn a_damaged_socket_stream_reads_the_same_however_it_is_cut() {
    for seed in 1..=20_000u64 {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let letter = b"SU+AJHZLRO"[random.below(10)];
        let stream = random.stream(LengthPrefix::Stated, &[letter]);
        let read = |chunk: usize| {
            let (mut pending, mut taken) = (Vec::new(), Vec::new());
            for piece in stream.chunks(chunk) {
                pending.extend_from_slice(piece);
                let mut packets = soup::packets(&pending);
                taken.extend(packets.by_ref().map(|packet| format!("{packet:?}")));
                let consumed = packets.consumed();
                pending.drain(..consumed);
            }
            (taken, pending)
        };
        let chunk = random.below(stream.len()) + 1;
        assert_eq!(read(chunk), read(stream.len()), "seed {seed}, chunks of {chunk}");
    }
}

/// A packet is taken with as many messages as it announces and with all of its bytes, or not at all.
#[test]
fn a_damaged_packet_is_taken_whole_or_refused() {
    let (mut taken, mut refused) = (0, 0);
    for seed in 1..=50_000u64 {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let count = random.below(5);
        let mut packet = b"SESSION  1\0\0\0\0\0\0\0\x01\0".to_vec();
        packet.push(count as u8);
        for _ in 0..count {
            let message = random.message();
            packet.extend_from_slice(&(message.len() as u16).to_be_bytes());
            packet.extend_from_slice(&message);
        }
        random.damage(&mut packet);
        match mold::decode(&packet) {
            Ok(read) => {
                taken += 1;
                assert_eq!(read.messages().count(), usize::from(read.count), "seed {seed}");
                let bytes: usize = read.messages().map(|message| message.len() + 2).sum();
                assert_eq!(bytes + mold::HEADER_BYTES, packet.len(), "seed {seed}");
                read.messages().for_each(|message| drop(outcome(message)));
                assert!(read.sequence.checked_add(u64::from(read.count)).is_some());
            }
            Err(_) => refused += 1,
        }
    }
    assert!(taken > 10_000 && refused > 10_000, "{taken} taken, {refused} refused");
}

#[test]
fn any_bytes_are_a_message_or_an_error() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut messages = 0;
    for turn in 0..200_000 {
        let mut bytes: Vec<u8> = if turn % 2 == 0 {
            (0..random.below(60)).map(|_| random.below(256) as u8).collect()
        } else {
            random.message()
        };
        if turn % 3 == 0 && !bytes.is_empty() {
            random.damage(&mut bytes);
        }
        messages += u64::from(decode(&bytes).is_ok());
        outcome(&bytes);
    }
    assert!(messages > 50_000, "{messages} were messages");
}

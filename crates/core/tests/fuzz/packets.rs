//! What messages come in over a network: MoldUDP64 packets, equal lines of them, SoupBinTCP.

use depthwire_core::framing::mold::{self, PacketKind};
use depthwire_core::framing::soup::{self, LoginRequest, Packet, SoupSession};
use depthwire_core::sequence::{Arrival, LineArbiter, LineGap, WAIT_NS};

use crate::chunks::in_chunks;
use crate::itch::{block_fields, message, message_fields, read};
use crate::mutate::{Fields, Kind};
use crate::random::Random;
use crate::run::{Said, Target};

/// A packet of MoldUDP64.
pub struct Mold;

/// Fields of the packet at an offset.
pub fn mold_fields(fields: &mut Fields<'_>, at: usize) {
    fields.note(Kind::Text, at, 10);
    fields.note(Kind::Big, at + 10, 8);
    fields.note(Kind::Big, at + 18, 2);
    block_fields(fields, at + 20, true);
}

/// A packet of these messages, or a heartbeat, or the end.
pub fn mold_packet(session: &[u8; 10], sequence: u64, count: u16, messages: &[Vec<u8>]) -> Vec<u8> {
    let mut packet = session.to_vec();
    packet.extend(sequence.to_be_bytes());
    packet.extend(count.to_be_bytes());
    for message in messages {
        packet.extend((message.len() as u16).to_be_bytes());
        packet.extend(message);
    }
    packet
}

impl Target for Mold {
    const NAME: &'static str = "mold";

    fn generate(&mut self, random: &mut Random, out: &mut Vec<u8>) {
        let messages: Vec<_> = (0..random.below(6)).map(|_| message(random)).collect();
        let end = messages.is_empty() && random.one_in(2);
        let count = if end { u16::MAX } else { messages.len() as u16 };
        let sequence = random.any_size().min(u64::MAX - 6);
        out.extend(mold_packet(
            random.pick::<[u8; 10]>(&[*b"000010059B", *b"          "]),
            sequence,
            count,
            &messages,
        ));
    }

    fn fields(fields: &mut Fields<'_>) {
        mold_fields(fields, 0);
    }

    fn check(&mut self, bytes: &[u8], _: &mut Random, said: &mut Said) {
        match mold::decode(bytes) {
            Ok(packet) => {
                assert_eq!(packet.session, bytes[..10]);
                assert_eq!(packet.sequence.to_be_bytes(), bytes[10..18]);
                let stated = u16::from_be_bytes([bytes[18], bytes[19]]);
                let kind = match stated {
                    0 => PacketKind::Heartbeat,
                    u16::MAX => PacketKind::EndOfSession,
                    _ => PacketKind::Data,
                };
                assert_eq!(packet.kind, kind);
                assert_eq!(packet.count, if kind == PacketKind::Data { stated } else { 0 });
                assert!(packet.sequence.checked_add(packet.count.into()).is_some());
                let mut at = mold::HEADER_BYTES;
                for message in packet.messages() {
                    at += 2 + message.len();
                    assert_eq!(message, &bytes[at - message.len()..at]);
                    said.size("message", message.len());
                }
                assert_eq!((packet.messages().count(), at), (packet.count.into(), bytes.len()));
                said.ok(["data", "heartbeat", "end"][kind as usize]);
            }
            Err(error) => said.error(error.code()),
        }
    }
}

/// Packets of equal lines: a line, milliseconds since the packet before, a first number and a count, in 12 bytes.
pub struct Arbiter;

const PACKET_BYTES: usize = 12;

impl Target for Arbiter {
    const NAME: &'static str = "line_arbiter";
    const INPUT_BYTES_MAX: usize = 800;

    fn generate(&mut self, random: &mut Random, out: &mut Vec<u8>) {
        let lines = 1 + random.below(3) as u8;
        let mut next = [if random.one_in(8) { u64::MAX - random.below(40) as u64 } else { 1 }; 3];
        for _ in 0..random.below(40) {
            let line = random.below(lines.into());
            let count = random.below(5) as u16;
            let lost = if random.one_in(5) { random.below(8) as u64 } else { 0 };
            let first = next[line].saturating_add(lost);
            out.extend([line as u8, if random.one_in(6) { random.below(60) as u8 } else { 0 }]);
            out.extend(first.to_be_bytes());
            out.extend(count.to_be_bytes());
            next[line] = first.saturating_add(count.into());
        }
    }

    fn fields(fields: &mut Fields<'_>) {
        for at in (0..fields.bytes.len()).step_by(PACKET_BYTES) {
            fields.note(Kind::Unit, at, PACKET_BYTES);
            fields.note(Kind::Letter, at, 1);
            fields.note(Kind::Big, at + 2, 8);
            fields.note(Kind::Big, at + 10, 2);
        }
    }

    /// What is taken and what is told as a gap is the whole stream, once and in order, and no line brought what a gap
    /// says to be lost. In the end nothing waits.
    fn check(&mut self, bytes: &[u8], _: &mut Random, said: &mut Said) {
        let mut stream = Stream::default();
        let mut now = 0;
        for packet in bytes.chunks_exact(PACKET_BYTES) {
            now += u64::from(packet[1]) * 1_000_000;
            let first = u64::from_be_bytes(packet[2..10].try_into().unwrap());
            let count = u32::from(u16::from_be_bytes([packet[10], packet[11]]));
            stream.offer(packet[0].into(), first, count, now, said);
        }
        stream.lines.tick(now + WAIT_NS);
        stream.settle(said);
        assert!(!stream.lines.is_waiting(), "a hole is given up after a while");
    }
}

/// What comes out of an arbiter, as numbers.
#[derive(Default)]
struct Stream {
    lines: LineArbiter,
    /// What was offered, each from its first number to the one behind it.
    brought: Vec<(u64, u64)>,
    /// The number behind what was taken and what was told to be lost.
    next: u64,
    buffer: Vec<u8>,
}

impl Stream {
    fn offer(&mut self, line: u32, first: u64, count: u32, now: u64, said: &mut Said) {
        let behind = first.saturating_add(count.into());
        self.brought.push((first, behind));
        match self.lines.offer(line, first, count, now, &first.to_be_bytes()) {
            Arrival::Next { skip } => {
                said.ok(if skip > 0 { "across" } else { "next" });
                self.take(first, count, skip);
            }
            Arrival::Old => {
                said.ok("old");
                let holds = |held: &(u64, u64)| held.0 <= first && behind <= held.1;
                let earlier = &self.brought[..self.brought.len() - 1];
                assert!(behind <= self.next || earlier.iter().any(holds), "news is called old");
            }
            Arrival::Held => {
                said.ok("held");
                assert!(first > self.next);
            }
        }
        self.settle(said);
    }

    fn take(&mut self, first: u64, count: u32, skip: u32) {
        assert_eq!(first + u64::from(skip), self.next, "nothing is left out or taken twice");
        assert!(skip < count || (skip, count) == (0, 0));
        self.lines.advance(first, count);
        self.next = first.saturating_add(count.into());
        assert_eq!(self.lines.next(), self.next);
    }

    fn settle(&mut self, said: &mut Said) {
        loop {
            if let Some(LineGap { expected, received }) = self.lines.gap() {
                said.ok("gap");
                assert_eq!(expected, self.next);
                assert!(received > expected);
                let is_of_gap = |&(first, behind): &(u64, u64)| first < received && behind > expected;
                assert!(!self.brought.iter().any(is_of_gap), "what a line brought is not lost");
                self.next = received;
            }
            let Some((first, count, skip)) = self.lines.ready(&mut self.buffer) else { break };
            assert_eq!(self.buffer, first.to_be_bytes());
            said.ok(if skip > 0 { "waited across" } else { "waited" });
            self.take(first, count, skip);
        }
        assert_eq!(self.lines.check_invariants(), Ok(()));
    }
}

/// A stream of SoupBinTCP.
pub struct Soup;

impl Target for Soup {
    const NAME: &'static str = "soup";

    fn generate(&mut self, random: &mut Random, out: &mut Vec<u8>) {
        if random.one_in(4) {
            let sequence = random.any_size();
            out.extend(LoginRequest::new("user", "secret", "", sequence).unwrap().encode());
        }
        let number = random.any_size();
        out.extend(b"\0\x1fA000010059B");
        out.extend(format!("{number:>20}").bytes());
        for _ in 0..random.below(8) {
            let letter = *random.pick(b"SSSSU+HZRO");
            let payload = if b"SU+".contains(&letter) { message(random) } else { Vec::new() };
            out.extend((payload.len() as u16 + 1).to_be_bytes());
            out.push(letter);
            out.extend(payload);
        }
    }

    fn fields(fields: &mut Fields<'_>) {
        let mut at = 0;
        while let Some(len) = fields.big(at, 2) {
            fields.note(Kind::Unit, at, 2 + len);
            fields.note(Kind::Big, at, 2);
            fields.note(Kind::Letter, at + 2, 1);
            match fields.bytes.get(at + 2) {
                Some(b'S' | b'U') => message_fields(fields, at + 3, len.saturating_sub(1)),
                Some(b'A' | b'L') => fields.note(Kind::Text, at + len.saturating_sub(18), 20),
                _ => {}
            }
            at += 2 + len;
        }
    }

    fn check(&mut self, bytes: &[u8], random: &mut Random, said: &mut Said) {
        let (mut session, mut due) = (SoupSession::default(), None);
        let mut whole = Vec::new();
        let mut packets = soup::packets(bytes);
        let mut end = 0;
        while let Some(packet) = packets.next() {
            assert!(packets.consumed() >= end + 2, "each packet uses its length up");
            end = packets.consumed();
            match &packet {
                Ok(packet) => {
                    let number = session.note(packet);
                    said.ok(if number.is_ok() { "noted" } else { "unexpected" });
                    if let (Packet::Sequenced(message), Ok(number)) = (packet, number) {
                        assert!(due.is_none() || due == number, "messages are numbered without a hole");
                        due = number.and_then(|number| number.checked_add(1));
                        read(message, &mut Said::default());
                    }
                }
                Err(error) => said.error(error.code()),
            }
            whole.push(packet);
        }
        assert!(bytes.len() - end < 2 + usize::from(u16::MAX));
        said.size("packets", whole.len());
        let mut cut = Vec::new();
        let mut used = 0;
        in_chunks(bytes, random, |piece, last| {
            let mut packets = soup::packets(piece);
            cut.extend(packets.by_ref());
            used += packets.consumed();
            // The connection ends in the middle of a packet: what is left is nobody's.
            if last { piece.len() } else { packets.consumed() }
        });
        assert_eq!(used, end);
        assert_eq!(cut, whole, "cut anywhere it reads the same");
    }
}

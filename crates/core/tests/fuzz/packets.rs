//! What messages come in over a network: MoldUDP64 packets and their order, SoupBinTCP.

use depthwire_core::framing::mold::{self, PacketKind};
use depthwire_core::framing::soup::{self, LoginRequest, Packet, SoupSession};
use depthwire_core::sequence::{MoldChain, MoldHeader, MoldOutcome};

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

/// The order of packets: headers of 20 bytes, one after the other.
pub struct Chain;

impl Target for Chain {
    const NAME: &'static str = "mold_chain";
    const INPUT_BYTES_MAX: usize = 800;

    fn generate(&mut self, random: &mut Random, out: &mut Vec<u8>) {
        let mut next = if random.one_in(8) { u64::MAX - random.below(40) as u64 } else { 1 };
        for _ in 0..random.below(20) {
            let session = if random.one_in(24) { b"BBBBBBBBBB" } else { b"AAAAAAAAAA" };
            let count = random.below(6) as u16;
            let sequence = next.wrapping_add(random.below(5) as u64).wrapping_sub(2);
            out.extend(mold_packet(session, sequence, count, &[]));
            next = next.max(sequence.saturating_add(count.into()));
        }
    }

    fn fields(fields: &mut Fields<'_>) {
        for at in (0..fields.bytes.len()).step_by(20) {
            fields.note(Kind::Unit, at, 20);
            fields.note(Kind::Letter, at, 1);
            fields.note(Kind::Big, at + 10, 8);
            fields.note(Kind::Big, at + 18, 2);
        }
    }

    /// What is held is what follows without a hole from where the session was taken up, and is taken once.
    fn check(&mut self, bytes: &[u8], _: &mut Random, said: &mut Said) {
        let mut chain = MoldChain::default();
        for header in bytes.chunks_exact(20) {
            let sequence = u64::from_be_bytes(header[10..18].try_into().unwrap());
            let stated = u16::from_be_bytes([header[18], header[19]]);
            let is_end = stated == u16::MAX;
            let count = if is_end { 0 } else { stated };
            let session = header[..10].try_into().unwrap();
            let packet = MoldHeader { session, sequence, count, is_end };
            let (next, behind) = (u128::from(chain.next()), u128::from(sequence) + u128::from(count));
            let outcome = chain.check(&packet);
            if outcome != MoldOutcome::NewSession && chain.session() != Some(session) {
                assert_eq!(outcome, MoldOutcome::Old, "a straggler");
                said.ok("straggler");
                continue;
            }
            match outcome {
                MoldOutcome::Next { skip } => {
                    assert_eq!(
                        u128::from(sequence) + u128::from(skip),
                        next,
                        "nothing is left out or taken twice"
                    );
                    assert!(skip < count || (skip, count) == (0, 0));
                    chain.advance(&packet);
                    assert_eq!(u128::from(chain.next()), behind);
                    said.ok(if skip > 0 { "across" } else { "next" });
                }
                MoldOutcome::Old => {
                    assert!(behind <= next && u128::from(sequence) < next);
                    said.ok("old");
                }
                MoldOutcome::Gap { expected, received } => {
                    assert_eq!((u128::from(expected), received), (next, sequence));
                    assert!(u128::from(sequence) > next || behind > u128::from(u64::MAX));
                    chain.begin(session, sequence);
                    said.ok("gap");
                }
                MoldOutcome::End => {
                    assert!(is_end && u128::from(sequence) == next);
                    said.ok("end");
                }
                MoldOutcome::NewSession => {
                    assert_ne!(chain.session(), Some(session));
                    chain.begin(session, sequence);
                    assert_ne!(chain.check(&packet), MoldOutcome::NewSession);
                    said.ok("session");
                }
            }
        }
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

//! Captures of UDP datagrams, pcap and pcapng.

use depthwire_core::framing::pcap::{BLOCK_BYTES_MAX, Datagram, PcapError, PcapReader};
use depthwire_core::recording::Format;

use crate::chunks::in_chunks;
use crate::itch::day;
use crate::mutate::{Fields, Kind};
use crate::packets::{mold_fields, mold_packet};
use crate::random::Random;
use crate::recorded::Recordings;
use crate::run::{Said, Target};

/// Receive time of the first packet, in s.
const START_S: u32 = 1_704_205_800;

/// The Ethernet frame of a datagram over IPv4 or IPv6, with or without a VLAN tag.
fn ethernet(payload: &[u8], tag: bool, v6: bool) -> Vec<u8> {
    let mut packet = [[2; 6], [4; 6]].concat();
    if tag {
        packet.extend([0x81, 0, 0, 9]);
    }
    let udp_len = 8 + payload.len() as u16;
    if v6 {
        packet.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
        packet.extend(udp_len.to_be_bytes());
        packet.extend([17, 64]);
        packet.extend([7; 32]);
    } else {
        packet.extend([8, 0, 0x45, 0]);
        packet.extend((20 + udp_len).to_be_bytes());
        packet.extend([0, 0, 0x40, 0, 9, 17, 0, 0, 10, 0, 0, 1, 233, 54, 12, 111]);
    }
    packet.extend([0x66, 0x77, 0x66, 0x77]);
    packet.extend(udp_len.to_be_bytes());
    packet.extend([0, 0]);
    packet.extend(payload);
    packet
}

/// The header of a pcap file.
pub fn pcap_header(link: u32) -> Vec<u8> {
    let mut file = 0xa1b2_c3d4u32.to_le_bytes().to_vec();
    file.extend([2, 0, 4, 0]);
    file.extend([0; 8]);
    file.extend(65_535u32.to_le_bytes());
    file.extend(link.to_le_bytes());
    file
}

/// A packet of a pcap file, so many microseconds behind the first.
pub fn pcap_packet(micros: u32, payload: &[u8], random: &mut Random) -> Vec<u8> {
    let packet = ethernet(payload, random.one_in(4), random.one_in(4));
    let mut record = Vec::new();
    for number in [START_S, micros, packet.len() as u32, packet.len() as u32] {
        record.extend(number.to_le_bytes());
    }
    record.extend(packet);
    record
}

fn block(block_type: u32, body: &[u8]) -> Vec<u8> {
    let mut padded = body.to_vec();
    padded.resize(body.len().next_multiple_of(4), 0);
    let len = (12 + padded.len() as u32).to_le_bytes();
    [&block_type.to_le_bytes()[..], &len, &padded, &len].concat()
}

/// A section with one interface.
pub fn section(nanoseconds: bool) -> Vec<u8> {
    let mut head = vec![0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0];
    head.extend([0xff; 8]);
    let mut interface = vec![1, 0, 0, 0, 0, 0, 4, 0];
    if nanoseconds {
        interface.extend([9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0]);
    }
    [block(0x0a0d_0d0a, &head), block(1, &interface)].concat()
}

/// An enhanced packet block, or a simple one.
fn packet_block(micros: u32, payload: &[u8], random: &mut Random) -> Vec<u8> {
    let packet = ethernet(payload, random.one_in(4), random.one_in(4));
    let len = (packet.len() as u32).to_le_bytes();
    if random.one_in(8) {
        return block(3, &[&len[..], &packet].concat());
    }
    let ticks = u64::from(START_S) * 1_000_000 + u64::from(micros);
    let time = [((ticks >> 32) as u32).to_le_bytes(), (ticks as u32).to_le_bytes()].concat();
    block(6, &[&[0; 4], &time[..], &len, &len, &packet].concat())
}

/// Packets of a session, its messages those of a day.
fn payloads(random: &mut Random) -> Vec<Vec<u8>> {
    let mut sequence = 1;
    (0..random.below(6))
        .map(|_| {
            let count = random.below(4);
            let packet =
                mold_packet(b"000010059B", sequence, count as u16, &day(1)[sequence as usize - 1..][..count]);
            sequence += count as u64;
            packet
        })
        .collect()
}

/// Fields of a captured packet: link, network, datagram, payload.
fn packet_fields(fields: &mut Fields<'_>, at: usize) {
    fields.note(Kind::Big, at + 12, 2);
    let tag = if fields.big(at + 12, 2) == Some(0x8100) { 4 } else { 0 };
    fields.note(Kind::Big, at + 12 + tag, 2);
    let ip = at + 14 + tag;
    fields.note(Kind::Letter, ip, 1);
    let udp = match fields.bytes.get(ip).map(|first| first >> 4) {
        Some(6) => {
            fields.note(Kind::Big, ip + 4, 2);
            fields.note(Kind::Letter, ip + 6, 1);
            ip + 40
        }
        _ => {
            fields.note(Kind::Big, ip + 2, 2);
            fields.note(Kind::Big, ip + 6, 2);
            fields.note(Kind::Letter, ip + 9, 1);
            ip + 20
        }
    };
    fields.note(Kind::Big, udp + 4, 2);
    mold_fields(fields, udp + 8);
}

/// Fields of either form.
pub fn capture_fields(fields: &mut Fields<'_>) {
    let is_blocks = fields.bytes.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]);
    let mut at = 0;
    if !is_blocks {
        fields.note(Kind::Little, 0, 4);
        fields.note(Kind::Little, 4, 2);
        fields.note(Kind::Little, 16, 4);
        fields.note(Kind::Little, 20, 4);
        at = 24;
    }
    while at < fields.bytes.len() {
        let (len, numbers, packet) = if is_blocks {
            let Some(len) = fields.little(at + 4, 4) else { return };
            let packet = match fields.little(at, 4) {
                Some(6 | 2) => Some(at + 28),
                Some(3) => Some(at + 12),
                _ => None,
            };
            fields.note(Kind::Little, (at + len).saturating_sub(4), 4);
            (len, if packet.is_some() { 7 } else { 5 }, packet)
        } else {
            let Some(len) = fields.little(at + 8, 4) else { return };
            (16 + len, 4, Some(at + 16))
        };
        fields.note(Kind::Unit, at, len);
        for nth in 0..numbers {
            fields.note(Kind::Little, at + 4 * nth, 4);
        }
        if let Some(packet) = packet {
            packet_fields(fields, packet);
        }
        at += len.max(4);
    }
}

/// A capture file, in blocks or not.
pub struct Capture<const BLOCKS: bool>;

/// A datagram without its bytes: where they stand.
type Place = Result<(u64, usize, usize), PcapError>;

fn place(datagram: Result<Datagram<'_>, PcapError>, bytes: &[u8]) -> Place {
    datagram.map(|datagram| {
        let at = datagram.payload.as_ptr() as usize - bytes.as_ptr() as usize;
        (datagram.ts, at, datagram.payload.len())
    })
}

impl<const BLOCKS: bool> Target for Capture<BLOCKS> {
    const NAME: &'static str = if BLOCKS { "pcapng" } else { "pcap" };
    const IS_RECORDED: bool = true;

    fn generate(&mut self, random: &mut Random, out: &mut Vec<u8>) {
        out.extend(if BLOCKS { section(random.one_in(2)) } else { pcap_header(1) });
        for (nth, payload) in payloads(random).iter().enumerate() {
            let micros = nth as u32;
            let packet = match BLOCKS {
                true => packet_block(micros, payload, random),
                false => pcap_packet(micros, payload, random),
            };
            out.extend(packet);
            if BLOCKS && random.one_in(4) {
                out.extend(if random.one_in(2) { section(true) } else { block(5, &[1, 2, 3]) });
            }
        }
    }

    fn recorded(&self, recordings: &Recordings) -> Vec<Vec<u8>> {
        recordings.pieces(|form| form == Format::Packets)
    }

    fn fields(fields: &mut Fields<'_>) {
        capture_fields(fields);
    }

    fn check(&mut self, bytes: &[u8], random: &mut Random, said: &mut Said) {
        let mut reader = PcapReader::default();
        let (mut whole, mut end) = (Vec::new(), 0);
        let mut datagrams = reader.finish(bytes);
        while let Some(datagram) = datagrams.next() {
            let is_end = datagram.as_ref().is_err_and(PcapError::is_final);
            assert!(datagrams.consumed() > end || is_end, "each outcome uses bytes up");
            assert!(is_end || (end..datagrams.consumed()).contains(&datagrams.start()));
            end = datagrams.consumed();
            match &datagram {
                Ok(_) => said.ok("datagram"),
                Err(error) => said.error(error.code()),
            }
            whole.push(place(datagram, bytes));
        }
        assert_eq!(datagrams.consumed(), bytes.len());
        let stats = *reader.stats();
        assert_eq!(stats.datagrams, whole.iter().filter(|place| place.is_ok()).count() as u64);
        let other = stats.not_ip + stats.not_udp + stats.fragments + stats.unsupported_link;
        assert!(stats.packets >= stats.datagrams + other, "{stats:?}");
        for (of, number) in [
            ("not ip", stats.not_ip),
            ("not udp", stats.not_udp),
            ("fragments", stats.fragments),
            ("link", stats.unsupported_link),
            ("blocks", stats.other_blocks),
        ] {
            said.size(of, number as usize);
        }
        let mut reader = PcapReader::default();
        let mut cut = Vec::new();
        in_chunks(bytes, random, |piece, last| {
            let mut datagrams = if last { reader.finish(piece) } else { reader.datagrams(piece) };
            cut.extend(datagrams.by_ref().map(|datagram| place(datagram, bytes)));
            assert!(piece.len() - datagrams.consumed() <= BLOCK_BYTES_MAX as usize);
            datagrams.consumed()
        });
        assert_eq!(cut, whole, "cut anywhere it reads the same");
        assert_eq!(*reader.stats(), stats);
    }
}

//! The recorded captures of Nasdaq's feeds from file to message: capture, datagram, MoldUDP64 packet, ITCH message.

use std::collections::BTreeMap;
use std::path::Path;

use depthwire_core::framing::itch::{ItchError, Message, decode};
use depthwire_core::framing::mold::{self, PacketKind};
use depthwire_core::framing::pcap::{PcapReader, PcapStats};
use depthwire_core::recording::Format;
use depthwire_core::sequence::{Arrival, LineArbiter, LineGap};

use crate::expected::expected;
use crate::{expected, files};

/// What the captures of one feed hold.
#[derive(Debug, Default, PartialEq, Eq)]
struct Held {
    files: u64,
    datagrams: u64,
    not_udp: u64,
    heartbeats: u64,
    /// Messages by type and length.
    messages: BTreeMap<(u8, usize), u64>,
    refused: BTreeMap<&'static str, u64>,
}

/// 2023-08-22 00:00, New York.
const MIDNIGHT_NS: u64 = 1_692_676_800_000_000_000;

impl Held {
    fn read(&mut self, file: &[u8], is_totalview: bool) {
        self.files += 1;
        let mut reader = PcapReader::default();
        for datagram in reader.finish(file) {
            let datagram = datagram.unwrap();
            let packet = mold::decode(datagram.payload).unwrap();
            self.heartbeats += u64::from(packet.kind == PacketKind::Heartbeat);
            for bytes in packet.messages() {
                match decode(bytes) {
                    Ok(message) => {
                        *self.messages.entry((bytes[0], bytes.len())).or_default() += 1;
                        let sent = MIDNIGHT_NS + message.timestamp_ns();
                        assert!(datagram.ts.abs_diff(sent) < 1_000_000_000, "{} {sent}", datagram.ts);
                    }
                    Err(error) => {
                        assert!(!is_totalview, "{error}");
                        let wrong =
                            matches!(error, ItchError::UnknownType { .. } | ItchError::WrongLength { .. });
                        assert!(wrong, "{error}");
                        *self.refused.entry(error.code()).or_default() += 1;
                    }
                }
            }
        }
        let stats = *reader.stats();
        let PcapStats { packets, datagrams, not_udp, .. } = stats;
        assert_eq!(stats, PcapStats { packets, datagrams, not_udp, ..PcapStats::default() });
        assert_eq!(packets, datagrams + not_udp);
        self.datagrams += datagrams;
        self.not_udp += not_udp;
    }
}

fn read(folder: &Path) -> Held {
    let mut held = Held::default();
    let is_totalview = folder.to_string_lossy().contains("TotalView");
    for entry in std::fs::read_dir(folder).unwrap() {
        held.read(&std::fs::read(entry.unwrap().path()).unwrap(), is_totalview);
    }
    held
}

/// Holds the feeds that are TotalView, or the others, to what was counted in their captures.
fn check(test: &str, is_totalview: bool) {
    let Some(root) = files::root(test) else { return };
    let mut compared = 0;
    for set in expected().captures.iter().filter(|set| set.folder.contains("TotalView") == is_totalview) {
        let expected = Held {
            files: set.files,
            datagrams: set.datagrams,
            not_udp: set.not_udp,
            heartbeats: set.heartbeats,
            messages: set.messages.iter().map(|of| ((of.r#type as u8, of.bytes), of.count)).collect(),
            refused: set.refused.iter().map(|of| (of.code.as_str(), of.count)).collect(),
        };
        assert_eq!(read(&root.join(&set.folder)), expected, "{}", set.name);
        compared += 1;
    }
    assert!(compared > 0);
}

#[test]
fn every_totalview_capture_decodes_to_what_was_counted_in_it() {
    check("every_totalview_capture_decodes_to_what_was_counted_in_it", true);
}

#[test]
fn captures_of_other_feeds_are_refused_by_name() {
    check("captures_of_other_feeds_are_refused_by_name", false);
}

#[test]
fn a_packet_of_many_messages_is_read_whole_and_in_its_place() {
    let Some(root) = files::root("a_packet_of_many_messages_is_read_whole_and_in_its_place") else { return };
    let root = root.join("nasdaq-itch/omi-captures");
    let file = std::fs::read(root.join("Nasdaq.Equities.TotalView.Itch.v5.0/Multiple.Packets.pcap")).unwrap();
    let mut reader = PcapReader::default();
    let datagrams: Vec<_> = reader.finish(&file).map(Result::unwrap).collect();
    let times: Vec<_> = datagrams.iter().map(|datagram| (datagram.ts, datagram.payload.len())).collect();
    assert_eq!(times, [(1_692_711_000_007_661_955, 41), (1_692_711_038_952_561_782, 1_472)]);
    assert!(datagrams.iter().all(|datagram| datagram.source.port() == 49_653));
    assert!(datagrams.iter().all(|datagram| datagram.destination.port() == 26_477));
    let packets: Vec<_> = datagrams.iter().map(|datagram| mold::decode(datagram.payload).unwrap()).collect();
    let heads: Vec<_> =
        packets.iter().map(|packet| (&packet.session, packet.sequence, packet.count)).collect();
    assert_eq!(heads, [(b"000010059B", 14_764_496, 1), (b"000010059B", 19_009_117, 38)]);
    let mut types: BTreeMap<u8, u64> = BTreeMap::new();
    for bytes in packets[1].messages() {
        *types.entry(decode(bytes).unwrap().message_type()).or_default() += 1;
    }
    assert_eq!(types, BTreeMap::from([(b'A', 36), (b'F', 2)]));

    assert_eq!(packets[0].session, packets[1].session);
    let mut lines = LineArbiter::default();
    lines.begin(packets[0].sequence);
    let mut offer = |packet: &mold::Packet<'_>| {
        let arrival = lines.offer(0, packet.sequence, packet.count.into(), 0, &[]);
        lines.advance(packets[0].sequence, packets[0].count.into());
        (arrival, lines.gap())
    };
    assert_eq!(offer(&packets[0]), (Arrival::Next { skip: 0 }, None));
    let gap = LineGap { expected: 14_764_497, received: 19_009_117 };
    assert_eq!(offer(&packets[1]), (Arrival::Held, Some(gap)), "two packets of a day");
}

#[test]
fn a_recorded_pcapng_gives_every_datagram() {
    let Some(root) = files::root("a_recorded_pcapng_gives_every_datagram") else { return };
    let set = expected::datagrams("deribit-pcapng");
    let file = files::read(&root.join(&set.files[0])).unwrap();
    assert_eq!(Format::detect(&file), Some(Format::Packets));
    for chunk in [1_000, 65_537, file.len()] {
        let mut reader = PcapReader::default();
        let (mut payload_bytes, mut times) = (0, 0);
        let mut ports: BTreeMap<u16, u64> = BTreeMap::new();
        let mut at = 0;
        while at < file.len() {
            let mut end = file.len().min(at + chunk);
            loop {
                let mut datagrams = if end == file.len() {
                    reader.finish(&file[at..end])
                } else {
                    reader.datagrams(&file[at..end])
                };
                for datagram in datagrams.by_ref() {
                    let datagram = datagram.unwrap();
                    payload_bytes += datagram.payload.len();
                    times += u128::from(datagram.ts);
                    *ports.entry(datagram.destination.port()).or_default() += 1;
                }
                let consumed = datagrams.consumed();
                if consumed > 0 {
                    at += consumed;
                    break;
                }
                end = file.len().min(end + chunk);
            }
        }
        let stats = PcapStats {
            packets: set.packets,
            datagrams: set.datagrams,
            other_blocks: set.other_blocks,
            ..PcapStats::default()
        };
        assert_eq!(*reader.stats(), stats);
        assert_eq!((payload_bytes, times), (set.payload_bytes, set.times.0));
        assert_eq!(ports, set.ports.iter().map(|of| (of.port, of.count)).collect());
    }
}

/// The twin: a capture made here, of a stream in packets of seven messages over two lines that lose some of them.
#[test]
fn a_made_capture_gives_its_stream_back() {
    let messages: Vec<Vec<u8>> = (1..=500u64)
        .map(|reference| [&b"D\0\x07\0\0\x1e\x1a\x2f\x00\x00\x01"[..], &reference.to_be_bytes()].concat())
        .collect();
    let mut pcap =
        [&0xA1B2_3C4Du32.to_be_bytes()[..], &[0, 2, 0, 4], &[0; 8], &[0, 4, 0, 0, 0, 0, 0, 101]].concat();
    let mut next = 1u64;
    for (index, part) in messages.chunks(7).enumerate() {
        let mut payload = b"SESSION  1".to_vec();
        payload.extend_from_slice(&next.to_be_bytes());
        payload.extend_from_slice(&(part.len() as u16).to_be_bytes());
        for message in part {
            payload.extend_from_slice(&(message.len() as u16).to_be_bytes());
            payload.extend_from_slice(message);
        }
        next += part.len() as u64;
        let udp_len = (payload.len() + 8) as u16;
        let ip_len = udp_len + 20;
        let mut packet = vec![0x45, 0];
        packet.extend_from_slice(&ip_len.to_be_bytes());
        packet.extend_from_slice(&[0, 0, 0, 0, 1, 17, 0, 0, 10, 0, 0, 1, 233, 54, 12, 111, 0, 1, 0, 2]);
        packet.extend_from_slice(&udp_len.to_be_bytes());
        packet.extend_from_slice(&[0, 0]);
        packet.extend_from_slice(&payload);
        // Line A and line B, of which each loses what the other one does not.
        for copy in [index % 5 != 1, index % 5 != 3] {
            if copy {
                for field in [1_692_711_000, index as u32, packet.len() as u32, packet.len() as u32] {
                    pcap.extend_from_slice(&field.to_be_bytes());
                }
                pcap.extend_from_slice(&packet);
            }
        }
    }
    for chunk in [1, 50, 1_000, pcap.len()] {
        let (mut reader, mut lines) = (PcapReader::default(), LineArbiter::default());
        lines.begin(1);
        let mut references = Vec::new();
        let mut pending: Vec<u8> = Vec::new();
        let mut pieces = pcap.chunks(chunk).peekable();
        while let Some(piece) = pieces.next() {
            pending.extend_from_slice(piece);
            let mut datagrams =
                if pieces.peek().is_none() { reader.finish(&pending) } else { reader.datagrams(&pending) };
            for datagram in datagrams.by_ref() {
                let datagram = datagram.unwrap();
                let packet = mold::decode(datagram.payload).unwrap();
                let (sequence, count) = (packet.sequence, packet.count.into());
                match lines.offer(0, sequence, count, datagram.ts, datagram.payload) {
                    Arrival::Next { skip } => {
                        for bytes in packet.messages().skip(skip as usize) {
                            let Message::OrderDelete(delete) = decode(bytes).unwrap() else { panic!() };
                            references.push(delete.reference());
                        }
                        lines.advance(sequence, count);
                    }
                    Arrival::Old => {}
                    Arrival::Held => panic!("each packet is on one line at least"),
                }
            }
            let consumed = datagrams.consumed();
            pending.drain(..consumed);
        }
        assert_eq!(references, (1..=500).collect::<Vec<_>>(), "chunks of {chunk}");
    }
}

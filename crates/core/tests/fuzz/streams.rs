//! The three kinds of order feed, each with streams in which few orders meet often.

use depthwire_core::recording::Format;
use depthwire_core::types::Venue;
use depthwire_core::venues;

use crate::capture::{capture_fields, pcap_header, pcap_packet};
use crate::dbn::{dbn_fields, metadata};
use crate::dbn_bytes::mbo;
use crate::feeds::Feed;
use crate::itch::{block_fields, day};
use crate::model::Model;
use crate::mutate::Fields;
use crate::packets::mold_packet;
use crate::random::Random;
use crate::rules::{tell_dbn, tell_itch};

/// Numbers of orders: few, so that they meet, and the hostile ones, sparse, descending and last of all.
fn reference(random: &mut Random) -> u64 {
    match random.below(8) {
        0 => u64::MAX - random.below(3) as u64,
        1 => 1 << (20 + 4 * random.below(11)),
        2 => 1_000_000 - random.below(8) as u64 * 5_000,
        _ => 1 + random.below(12) as u64,
    }
}

/// A price: near the others, 0 or as high as goes.
fn price(random: &mut Random) -> u32 {
    *random.pick(&[0, 1, 100, 10_000, 10_100, 10_200, 10_300, 10_400, 1_999_990_000, u32::MAX, u32::MAX - 99])
}

/// An ITCH message of an order.
fn order_message(random: &mut Random) -> Vec<u8> {
    let letter = *random.pick(b"AAAFECXDU");
    let mut message = vec![letter, 0, 1 + random.below(3) as u8, 0, 0];
    message.extend(&(34_200_000_000_000u64 + random.any_size() % 1_000_000).to_be_bytes()[2..]);
    message.extend(reference(random).to_be_bytes());
    let shares = (random.any_size() as u32 % 500).to_be_bytes();
    match letter {
        b'A' | b'F' => {
            message.push(*random.pick(b"BS"));
            message.extend(shares);
            message.extend(*random.pick(&[b"AAAA    ", b"AAAB    ", b"ELSE    "]));
            message.extend(price(random).to_be_bytes());
            message.extend_from_slice(if letter == b'F' { b"NITE" } else { b"" });
        }
        b'U' => {
            message.extend(reference(random).to_be_bytes());
            message.extend(shares);
            message.extend(price(random).to_be_bytes());
        }
        b'E' | b'C' | b'X' => {
            message.extend(shares);
            message.extend_from_slice(if letter == b'X' { b"" } else { b"\0\0\0\0\0\0\0\x07" });
            message.extend_from_slice(if letter == b'C' { b"Y\0\0\x27\x10" } else { b"" });
        }
        _ => {}
    }
    message
}

/// A directory message or an event of the day.
fn listing(locate: u8, symbol: &[u8; 8]) -> Vec<u8> {
    let mut message = vec![b'R', 0, locate, 0, 0, 0x1f, 0x1a, 0xce, 0xd6, 0, 0];
    message.extend(symbol);
    message.resize(39, b' ');
    message
}

/// Messages of a day, from its first on.
fn messages(random: &mut Random) -> Vec<Vec<u8>> {
    if random.one_in(3) {
        let len = 1 + random.below(70);
        return day(2)[..len].to_vec();
    }
    let mut messages = vec![b"S\0\0\0\0\x09\xd2\x8b\x4c\x2c\0O".to_vec()];
    for (locate, symbol) in [(1, b"AAAA    "), (2, b"AAAB    "), (3, b"ELSE    ")] {
        messages.push(listing(locate, symbol));
    }
    for _ in 0..random.below(60) {
        messages.push(order_message(random));
    }
    messages
}

const NASDAQ: &[&str] = &["AAAA", "AAAB"];

/// Files.
pub struct ItchFile;

impl Feed for ItchFile {
    const NAME: &'static str = "feed_itch";
    const VENUE: Venue = venues::NASDAQ;
    const SYMBOLS: &'static [&'static str] = NASDAQ;

    fn is_form(form: Format) -> bool {
        matches!(form, Format::BinaryFile(_))
    }

    fn generate(random: &mut Random, out: &mut Vec<u8>) {
        for _ in 0..1 + random.below(2) {
            for message in messages(random) {
                out.extend((message.len() as u16).to_be_bytes());
                out.extend(message);
            }
            out.extend([0, 0]);
        }
    }

    fn fields(fields: &mut Fields<'_>) {
        block_fields(fields, 0, true);
    }

    fn tell(model: &mut Model<'_>, bytes: &[u8]) {
        tell_itch(model, bytes);
    }
}

/// Captures of packets.
pub struct ItchCapture;

impl Feed for ItchCapture {
    const NAME: &'static str = "feed_capture";
    const VENUE: Venue = venues::NASDAQ;
    const SYMBOLS: &'static [&'static str] = NASDAQ;

    fn is_form(form: Format) -> bool {
        form == Format::Packets
    }

    fn generate(random: &mut Random, out: &mut Vec<u8>) {
        out.extend(pcap_header(1));
        let (mut sequence, mut last) = (1, Vec::new());
        for (nth, messages) in messages(random).chunks(1 + random.below(8)).enumerate() {
            let packet = mold_packet(b"000010059B", sequence, messages.len() as u16, messages);
            out.extend(pcap_packet(nth as u32 * 3, &packet, random));
            sequence += messages.len() as u64;
            // The other line repeats it, or nothing happens for a while.
            if random.one_in(4) && !last.is_empty() {
                out.extend(pcap_packet(nth as u32 * 3 + 1, &last, random));
            }
            last = if random.one_in(4) { mold_packet(b"000010059B", sequence, 0, &[]) } else { packet };
        }
        out.extend(pcap_packet(999, &mold_packet(b"000010059B", sequence, u16::MAX, &[]), random));
    }

    fn fields(fields: &mut Fields<'_>) {
        capture_fields(fields);
    }

    fn tell(model: &mut Model<'_>, bytes: &[u8]) {
        tell_itch(model, bytes);
    }
}

/// DBN streams.
pub struct DbnStream;

impl Feed for DbnStream {
    const NAME: &'static str = "feed_dbn";
    const VENUE: Venue = venues::DATABENTO;
    const SYMBOLS: &'static [&'static str] = &["ESH4", "ID5"];

    fn is_form(form: Format) -> bool {
        form == Format::Dbn
    }

    fn generate(random: &mut Random, out: &mut Vec<u8>) {
        for _ in 0..1 + random.below(2) {
            let mut metadata = metadata(1 + random.below(3) as u8, false, random);
            if random.one_in(2) {
                // It ends where it starts, and so the next file goes on from it.
                metadata.copy_within(26..34, 34);
            }
            out.extend(metadata);
            for _ in 0..random.below(24) {
                let (action, side) = (*random.pick(b"AAAACMMRTFN"), *random.pick(b"AB"));
                let price = match random.below(8) {
                    0 => *random.pick(&[0, -1, i64::MIN, i64::MIN + 1, i64::MAX - 1]),
                    _ => 4_810_000_000_000 + 250_000_000 * random.below(6) as i64,
                };
                let flags = *random.pick(&[0, 0x80, 0x80, 0x80, 0x20, 0xa0, 0x84]);
                let size = 1 + random.below(40) as u32;
                let mut record = mbo(action, side, reference(random), price, size, flags);
                // On one of two days.
                let ts = 1_703_462_400_000_000_000 + random.below(172_800) as u64 * 1_000_000_000;
                record[40..48].copy_from_slice(&ts.to_le_bytes());
                if random.one_in(4) {
                    record[4..8].copy_from_slice(&[*random.pick(&[5, 9]), 0, 0, 0]);
                }
                out.extend(record);
            }
        }
    }

    fn fields(fields: &mut Fields<'_>) {
        dbn_fields(fields);
    }

    fn tell(model: &mut Model<'_>, bytes: &[u8]) {
        tell_dbn(model, bytes);
    }
}

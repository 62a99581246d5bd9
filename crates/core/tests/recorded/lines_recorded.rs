//! CME's recorded lines A and B through the line arbiter: what one line loses is not lost, and what both lose is one gap.

use std::ops::Range;

use depthwire_core::framing::pcap::PcapReader;
use depthwire_core::sequence::{Arrival, LineArbiter, LineGap};
use depthwire_core::types::TimeNs;

use crate::expected::Lines;
use crate::{expected, files};

/// What is known of the recorded pair.
fn set() -> &'static Lines {
    expected::lines("cme-mdp3-lines")
}

/// Packet numbers that either line has.
fn numbers() -> Range<u32> {
    set().first..set().behind
}

/// A packet of either line.
struct Packet {
    ts: TimeNs,
    is_a: bool,
    number: u32,
    payload: Vec<u8>,
}

/// The number in a packet's header of 12 bytes: number u32 and time of sending u64, both little-endian.
fn number(payload: &[u8]) -> u32 {
    let header: &[u8; 12] = payload.first_chunk().unwrap();
    u32::from_le_bytes([header[0], header[1], header[2], header[3]])
}

/// The packets of both lines in the order of their capture, which is not the file's.
fn load(test: &str) -> Option<Vec<Packet>> {
    let root = files::root(test)?;
    let set = set();
    let file = files::read(&root.join(&set.files[0]))?;
    let mut packets = Vec::new();
    for datagram in PcapReader::default().finish(&file) {
        let datagram = datagram.unwrap();
        let port = datagram.destination.port();
        assert!(port == set.port_a || port == set.port_b);
        packets.push(Packet {
            ts: datagram.ts,
            is_a: port == set.port_a,
            number: number(datagram.payload),
            payload: datagram.payload.to_vec(),
        });
    }
    assert!(!packets.is_sorted_by_key(|packet| packet.ts), "the file is in time order");
    packets.sort_by_key(|packet| packet.ts);
    Some(packets)
}

/// What a reader behind the arbiter sees.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    numbers: Vec<u32>,
    gaps: Vec<LineGap>,
    /// Of every payload in order.
    crc: u32,
    bytes: usize,
    /// Packets that waited for the other line.
    held: usize,
}

/// Passes packets through an arbiter, but for those that are lost.
fn arbitrate(packets: &[Packet], is_lost: impl Fn(&Packet) -> bool) -> Seen {
    let (mut seen, mut crc, mut waited) = (Seen::default(), flate2::Crc::new(), Vec::new());
    let mut lines = LineArbiter::default();
    lines.begin(numbers().start.into());
    let mut take = |seen: &mut Seen, payload: &[u8]| {
        seen.numbers.push(number(payload));
        seen.bytes += payload.len();
        crc.update(payload);
        seen.crc = crc.sum();
    };
    for packet in packets.iter().filter(|packet| !is_lost(packet)) {
        let first = packet.number.into();
        match lines.offer((!packet.is_a).into(), first, 1, packet.ts, &packet.payload) {
            Arrival::Next { skip } => {
                assert_eq!(skip, 0);
                take(&mut seen, &packet.payload);
                lines.advance(first, 1);
            }
            Arrival::Old => {}
            Arrival::Held => seen.held += 1,
        }
        loop {
            seen.gaps.extend(lines.gap());
            let Some((first, count, skip)) = lines.ready(&mut waited) else { break };
            assert_eq!((u64::from(number(&waited)), count, skip), (first, 1, 0));
            take(&mut seen, &waited);
            lines.advance(first, count);
        }
        assert_eq!(lines.check_invariants(), Ok(()));
    }
    assert!(!lines.is_waiting(), "both lines end at one number");
    seen
}

/// Xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, below: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 32) as u32 % below
    }

    /// Which numbers are lost: about one in `every`, in runs of up to `run_max`. Never the last, behind which nothing shows it.
    fn losses(&mut self, every: u32, run_max: u32) -> Vec<bool> {
        let mut lost = vec![false; numbers().len()];
        let run_mean = run_max.div_ceil(2);
        let mut at = 0;
        while at < lost.len() - 1 {
            if self.below(every * run_mean) == 0 {
                let run = 1 + self.below(run_max) as usize;
                let end = (at + run).min(lost.len() - 1);
                lost[at..end].fill(true);
                at = end;
            }
            at += 1;
        }
        lost
    }
}

/// The gaps that losses are.
fn gaps(lost: &[bool]) -> Vec<LineGap> {
    let mut gaps: Vec<LineGap> = Vec::new();
    let numbers = (u64::from(numbers().start)..).zip(lost).filter(|(_, is_lost)| **is_lost);
    for (number, _) in numbers {
        match gaps.last_mut() {
            Some(gap) if gap.received == number => gap.received += 1,
            _ => gaps.push(LineGap { expected: number, received: number + 1 }),
        }
    }
    gaps
}

fn at(packet: &Packet) -> usize {
    (packet.number - numbers().start) as usize
}

#[test]
fn the_recorded_pair_is_one_line() {
    let Some(packets) = load("the_recorded_pair_is_one_line") else { return };
    let line = |is_a: bool| {
        let mut line: Vec<_> = packets.iter().filter(|packet| packet.is_a == is_a).collect();
        line.sort_by_key(|packet| packet.number);
        assert!(line.iter().map(|packet| packet.number).eq(numbers()));
        line
    };
    let (a, b) = (line(true), line(false));
    assert!(a.iter().zip(&b).all(|(a, b)| a.payload == b.payload));
    let mut behind: Vec<i64> =
        a.iter().zip(&b).map(|(a, b)| a.ts.cast_signed() - b.ts.cast_signed()).collect();
    let b_first = behind.iter().filter(|ns| **ns > 0).count();
    behind.sort_unstable();
    let (least, median, most) = (behind[0], behind[behind.len() / 2], behind[behind.len() - 1]);
    println!("B first {b_first} of {} times; A - B from {least} to {most} ns, median {median}", a.len());
    let Lines { b_first: expected, a_behind_b_ns: spread, .. } = set();
    assert_eq!((b_first, least, most, median), (*expected, spread.least, spread.most, spread.median));

    let seen = arbitrate(&packets, |_| false);
    println!("{} packets, {} bytes, {} held", seen.numbers.len(), seen.bytes, seen.held);
    assert!(seen.numbers.iter().copied().eq(numbers()) && seen.gaps.is_empty());
    let alone = arbitrate(&packets, |packet| packet.is_a);
    assert_eq!((alone.crc, alone.held, alone.gaps), (seen.crc, 0, vec![]));
}

#[test]
fn a_loss_on_one_line_changes_nothing() {
    let Some(packets) = load("a_loss_on_one_line_changes_nothing") else { return };
    let whole = arbitrate(&packets, |_| false);
    let (mut random, mut total, mut runs) = (Random(0x9E37_79B9), 0, 0);
    for (every, run_max) in [(1_000, 1), (100, 1), (20, 5), (10, 50), (3, 1), (2, 200), (2, 2_000)] {
        for _ in 0..8 {
            let lost = random.losses(every, run_max);
            for from_a in [true, false] {
                let seen = arbitrate(&packets, |packet| packet.is_a == from_a && lost[at(packet)]);
                assert_eq!(Seen { held: whole.held, ..seen }, whole, "1 in {every}, runs of {run_max}");
                total += lost.iter().filter(|is_lost| **is_lost).count();
                runs += 1;
            }
        }
    }
    println!("{runs} passes, {total} packets lost on one line, 0 to the reader");
}

#[test]
fn the_same_loss_on_both_lines_is_one_gap() {
    let Some(packets) = load("the_same_loss_on_both_lines_is_one_gap") else { return };
    let (mut random, mut told, mut missing, mut runs) = (Random(0x517C_C1B7), 0, 0, 0);
    for (every, run_max) in [(4_000, 1), (1_000, 1), (100, 1), (100, 20), (20, 5), (10, 200)] {
        for _ in 0..8 {
            let both = random.losses(every, run_max);
            // Line A loses more of its own, beside it and at its edges.
            for more in [vec![false; both.len()], random.losses(10, 3)] {
                let seen = arbitrate(&packets, |packet| both[at(packet)] || packet.is_a && more[at(packet)]);
                assert_eq!(seen.gaps, gaps(&both), "1 in {every}, runs of {run_max}");
                let kept = numbers().zip(&both).filter_map(|(number, is_lost)| (!is_lost).then_some(number));
                assert!(seen.numbers.iter().copied().eq(kept));
                told += seen.gaps.len();
                missing += both.iter().filter(|is_lost| **is_lost).count();
                runs += 1;
            }
        }
    }
    println!("{runs} passes, {missing} packets lost on both lines, {told} gaps told with their bounds");
    assert!(told > 1_000);
}

#[test]
fn each_line_losing_by_itself_leaves_the_gaps_of_both() {
    let Some(packets) = load("each_line_losing_by_itself_leaves_the_gaps_of_both") else { return };
    let (mut random, mut told, mut runs) = (Random(0x2545_F491), 0, 0);
    for (every, run_max) in [(100, 1), (20, 10), (4, 3)] {
        for _ in 0..8 {
            let (a, b) = (random.losses(every, run_max), random.losses(every, run_max));
            let seen = arbitrate(&packets, |packet| if packet.is_a { a[at(packet)] } else { b[at(packet)] });
            let both: Vec<bool> = a.iter().zip(&b).map(|(a, b)| *a && *b).collect();
            assert_eq!(seen.gaps, gaps(&both), "1 in {every}, runs of {run_max}");
            told += seen.gaps.len();
            runs += 1;
        }
    }
    println!("{runs} passes, {told} gaps where both lost by chance");
    assert!(told > 100);
}

//! NASDAQ: TotalView-ITCH 5.0 in MoldUDP64 packets, one symbol of a synthetic day.
//!
//! The packets carry all symbols of the day; the first one is the instrument. Messages have the times of the day
//! from 03:00 on; packets arrive at the caller's times, some each few milliseconds, and after a second without one
//! comes a heartbeat. There is no snapshot: a subscriber who missed the beginning never has the book.

use super::clock::{Clock, moment_ns};
use super::{Channel, Counts, Dialect, Frames, TrueOrder, TrueOrders, Truth};
use crate::curve::Curve;
use crate::itch::{ItchBook, ItchConfig, ItchDay, MoldPacker};
use crate::rng::Rng;

/// Symbols of the day, and the orders that rest in all of them.
const SYMBOLS: usize = 3;
const ORDERS: usize = 1_500;

/// The instrument's locate code.
const LOCATE: u16 = 1;

/// Messages of a packet, by quantile.
const PACKET_MESSAGES: Curve = Curve(&[(0, 1), (600_000, 2), (900_000, 12), (1_000_000, 40)]);

/// Milliseconds to the next packet, by quantile.
const PACKET_MS: Curve = Curve(&[(0, 1), (800_000, 8), (995_000, 60), (1_000_000, 2_500)]);

/// Milliseconds without a packet after which a heartbeat comes.
const HEARTBEAT_MS: u64 = 1_000;

/// A day's packets, as one line of the feed carries them.
#[derive(Clone, Debug)]
pub struct Nasdaq {
    day: ItchDay,
    packer: MoldPacker,
    rng: Rng,
    clock: Clock,
    symbol: String,
    framed: Vec<u8>,
    next_packet_ms: u64,
    next_heartbeat_ms: u64,
    counts: Counts,
}

impl Nasdaq {
    /// A day before its first message.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let config = ItchConfig { seed, symbols: SYMBOLS, orders: ORDERS };
        let day = ItchDay::within_limits(config);
        Self {
            symbol: day.symbol(LOCATE).unwrap_or_default().to_owned(),
            day,
            packer: MoldPacker::new(*b"SYNTHETIC "),
            rng: Rng::new(seed, 0x0a5d),
            clock: Clock::default(),
            framed: Vec::new(),
            next_packet_ms: 0,
            next_heartbeat_ms: 0,
            counts: Counts::default(),
        }
    }

    /// Appends `messages` of the day in as many packets as they take.
    fn packets(&mut self, messages: i64, time_ns: u64, out: &mut Frames) {
        self.framed.clear();
        for _ in 0..messages {
            let begin = self.framed.len();
            self.day.next(&mut self.framed);
            match self.framed.get(begin + 2) {
                Some(b'A' | b'F' | b'D' | b'X' | b'E' | b'C' | b'U') => self.counts.orders += 1,
                Some(b'R') => self.counts.definitions += 1,
                _ => {}
            }
            if let Some(b'E' | b'C' | b'P') = self.framed.get(begin + 2) {
                self.counts.trades += 1;
            }
        }
        let mut rest = self.framed.as_slice();
        let mut packet = Vec::new();
        while !rest.is_empty() {
            rest = &rest[self.packer.pack(rest, &mut packet)..];
            out.push(time_ns, Channel::Orders, |out| out.extend_from_slice(&packet));
            self.counts.updates += 1;
        }
    }

    fn book(&self) -> ItchBook {
        self.day.book(LOCATE).unwrap_or_default()
    }
}

impl Dialect for Nasdaq {
    fn venue(&self) -> &'static str {
        "nasdaq"
    }

    fn code(&self) -> &str {
        &self.symbol
    }

    fn depth(&self) -> Option<usize> {
        None
    }

    /// The first time the day begins. Later, packets of at most five seconds are lost.
    fn open(&mut self, now_ns: u64, out: &mut Frames) {
        let lost_ms = self.clock.start(now_ns);
        let now_ms = now_ns / 1_000_000;
        let sent = self.counts;
        self.packets(lost_ms as i64 / 10, now_ns, &mut Frames::new());
        self.counts = sent;
        if self.day.messages() == 0 {
            self.packets(1, now_ns, out);
        }
        self.next_packet_ms = now_ms + 1;
        self.next_heartbeat_ms = now_ms + HEARTBEAT_MS;
    }

    fn step(&mut self, now_ns: u64, out: &mut Frames) {
        let begun = out.len();
        while out.len() == begun {
            let Some(time_ms) = self.clock.take(now_ns) else { return };
            let time_ns = moment_ns(time_ms);
            if time_ms >= self.next_packet_ms {
                let messages = PACKET_MESSAGES.draw(&mut self.rng);
                self.packets(messages, time_ns, out);
                self.next_packet_ms = time_ms + PACKET_MS.draw(&mut self.rng).unsigned_abs();
                self.next_heartbeat_ms = time_ms + HEARTBEAT_MS;
            } else if time_ms >= self.next_heartbeat_ms {
                let mut packet = Vec::new();
                self.packer.heartbeat(&mut packet);
                out.push(time_ns, Channel::Heartbeat, |out| out.extend_from_slice(&packet));
                self.counts.heartbeats += 1;
                self.next_heartbeat_ms = time_ms + HEARTBEAT_MS;
            }
        }
    }

    fn snapshot(&mut self, out: &mut Vec<u8>) -> bool {
        out.clear();
        false
    }

    fn resubscribe(&mut self, now_ns: u64, out: &mut Frames) {
        self.open(now_ns, out);
    }

    fn truth(&self, out: &mut Truth) {
        out.seq = 0;
        let ItchBook { bids, asks } = self.book();
        for (told, levels) in [(bids, &mut out.bids), (asks, &mut out.asks)] {
            levels.clear();
            levels.extend(told.iter().map(|level| {
                (i64::from(level.price), level.orders.iter().map(|order| i64::from(order.1)).sum())
            }));
        }
    }

    fn orders(&self, out: &mut TrueOrders) -> bool {
        let ItchBook { bids, asks } = self.book();
        for (told, orders) in [(bids, &mut out.bids), (asks, &mut out.asks)] {
            orders.clear();
            for level in told {
                let price = i64::from(level.price);
                let of_level = level.orders.iter();
                orders.extend(of_level.map(|&(id, shares)| TrueOrder { id, price, qty: i64::from(shares) }));
            }
        }
        true
    }

    fn exponents(&self) -> (i8, i8) {
        (-4, 0)
    }

    fn sent(&self) -> Counts {
        self.counts
    }
}

//! From file, capture or socket to order change, nothing is allocated: framings, packets and messages are views. Nor is
//! anything from there to the books of a whole market, from the first message on.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(unsafe_code, reason = "a global allocator is an unsafe trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use depthwire_core::book::BookSpec;
use depthwire_core::book::l3::{BookIndex, IdOrder, L3Books, L3Spec};
use depthwire_core::framing::binary_file::{BinaryFileFramer, LengthPrefix};
use depthwire_core::framing::itch::{decode, message_len};
use depthwire_core::framing::mold;
use depthwire_core::framing::pcap::PcapReader;
use depthwire_core::framing::soup::{self, Packet, SoupSession};
use depthwire_core::recording::Format;
use depthwire_core::sequence::{Arrival, LineArbiter};
use depthwire_sim::itch::{ItchConfig, ItchDay};

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call goes to the system's allocator unchanged; only a counter of the thread is kept.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's duties are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's duties are passed on.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const MESSAGES: usize = 1_000_000;

/// What a stream's messages add up to: changes of the book and shares traded.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sum {
    changes: u64,
    shares: u64,
}

impl Sum {
    fn add(&mut self, bytes: &[u8]) {
        let message = decode(bytes).unwrap();
        self.changes += u64::from(message.order_change().is_some());
        self.shares += message.trade().map_or(0, |(_, trade)| trade.shares);
    }
}

/// One message of each type, with shares where it has them.
fn messages() -> Vec<Vec<u8>> {
    let types = (0..=255).filter(|&message_type| message_len(message_type).is_some());
    let made = types.map(|message_type| {
        let mut message = vec![0; message_len(message_type).unwrap()];
        message[0] = message_type;
        match message_type {
            b'A' | b'F' | b'P' => message[19..23].copy_from_slice(b"B\0\0\x01"),
            b'C' => message[22..32].copy_from_slice(b"\x01\0\0\0\0\0\0\0\0Y"),
            b'E' => message[22] = 1,
            _ => {}
        }
        message
    });
    made.collect()
}

fn framed(message: &[u8], lead: &[u8]) -> Vec<u8> {
    let len = (message.len() + lead.len()) as u16;
    [&len.to_be_bytes()[..], lead, message].concat()
}

#[test]
fn a_million_messages_allocate_nothing() {
    let messages = messages();
    let file: Vec<u8> = messages.iter().flat_map(|message| framed(message, b"")).collect();
    let stream: Vec<u8> = messages.iter().flat_map(|message| framed(message, b"S")).collect();
    let payload_len = file.len() + 20;
    let mut capture = [&0xA1B2_C3D4u32.to_be_bytes()[..], &[0, 2, 0, 4], &[0; 12], &[0, 0, 0, 101]].concat();
    let ip_len = payload_len + 28;
    let lens = [ip_len as u32, ip_len as u32];
    capture.extend_from_slice(&[0; 8]);
    lens.iter().for_each(|len| capture.extend_from_slice(&len.to_be_bytes()));
    capture.extend_from_slice(&[0x45, 0]);
    capture.extend_from_slice(&(ip_len as u16).to_be_bytes());
    capture.extend_from_slice(&[0, 0, 0, 0, 1, 17, 0, 0, 10, 0, 0, 1, 233, 54, 12, 111, 0, 1, 0, 2]);
    capture.extend_from_slice(&(payload_len as u16 + 8).to_be_bytes());
    capture.extend_from_slice(b"\0\0SESSION  1\0\0\0\0\0\0\0\x01\0");
    capture.push(messages.len() as u8);
    capture.extend_from_slice(&file);

    let mut session = SoupSession::default();
    session.note(&Packet::LoginAccepted { session: *b"SESSION  1", sequence: 1 }).unwrap();
    let (mut from_file, mut from_stream, mut from_capture) = (Sum::default(), Sum::default(), Sum::default());
    let rounds = MESSAGES.div_ceil(messages.len());
    let mut lines = LineArbiter::default();
    lines.offer(0, 1, 0, 0, &[]);
    let before = ALLOCATIONS.get();
    for _ in 0..rounds {
        assert!(Format::detect(&capture).is_some());
        for message in BinaryFileFramer::new(LengthPrefix::Stated).finish(&file) {
            from_file.add(message.unwrap());
        }
        for packet in soup::packets(&stream) {
            let packet = packet.unwrap();
            session.note(&packet).unwrap();
            if let Packet::Sequenced(message) = packet {
                from_stream.add(message);
            }
        }
        lines.begin(1);
        for datagram in PcapReader::default().finish(&capture) {
            let datagram = datagram.unwrap();
            let packet = mold::decode(datagram.payload).unwrap();
            let (sequence, count) = (packet.sequence, packet.count.into());
            let arrival = lines.offer(0, sequence, count, datagram.ts, datagram.payload);
            assert_eq!(arrival, Arrival::Next { skip: 0 });
            lines.advance(sequence, count);
            packet.messages().for_each(|message| from_capture.add(message));
        }
    }
    let allocations = ALLOCATIONS.get() - before;
    assert_eq!(session.next(), (rounds * messages.len()) as u64 + 1);
    assert!(from_file.changes > 0 && from_file.shares > 0);
    assert_eq!((&from_stream, &from_capture), (&from_file, &from_file));
    assert_eq!(allocations, 0);
    drop(vec![0u8; 16]);
    assert!(ALLOCATIONS.get() > before, "the counter counts");
}

/// Symbols, orders and messages after the opening of a whole market's day.
const SYMBOLS: usize = 8_900;
const ORDERS: usize = 400_000;
const DAY_MESSAGES: usize = if cfg!(debug_assertions) { 400_000 } else { 4_000_000 };

#[test]
fn a_day_of_a_whole_market_allocates_nothing() {
    let mut day = ItchDay::new(ItchConfig { seed: 11, symbols: SYMBOLS, orders: ORDERS }).unwrap();
    let mut bytes = Vec::new();
    while !day.is_open() {
        day.next(&mut bytes);
    }
    for _ in 0..DAY_MESSAGES {
        day.next(&mut bytes);
    }
    let books_len = SYMBOLS as u32 + 1;
    let spec = L3Spec { orders_max: 1 << 20, books_max: books_len, ids: IdOrder::Ascending, hash_seed: 7 };
    let mut books = L3Books::new(spec).unwrap();
    let before = ALLOCATIONS.get();
    for _ in 0..books_len {
        books.open(BookSpec { tick_size: 100, levels_max: 1 << 20 }).unwrap();
    }
    // The second pass begins with the windows and the tables of the first, so its far levels are others.
    for pass in 0..2 {
        let mut changes = 0;
        for message in BinaryFileFramer::new(LengthPrefix::Stated).finish(&bytes) {
            if let Some((locate, change)) = decode(message.unwrap()).unwrap().order_change() {
                books.apply(BookIndex(locate.into()), &change).unwrap();
                changes += 1;
            }
        }
        assert!(changes > DAY_MESSAGES / 2 && books.orders_len() > ORDERS / 2);
        assert_eq!(ALLOCATIONS.get() - before, 0, "pass {pass}");
        for book in 0..books_len {
            books.clear(BookIndex(book)).unwrap();
        }
        assert_eq!(ALLOCATIONS.get() - before, 0, "emptied after pass {pass}");
    }
    println!("{} bytes", books.memory_bytes());
    assert_eq!(books.check_invariants(), Ok(()));
}

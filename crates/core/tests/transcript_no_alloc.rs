//! Once warm, a transcript allocates nothing for an entry, whatever the form.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(unsafe_code, reason = "a global allocator is an unsafe trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use depthwire_core::framing::binary_file::LengthPrefix;
use depthwire_core::recording::{Format, Transcript};

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call goes to the system's allocator unchanged; only a cell of the thread is added to.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
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

/// Entries of a stream and the allocations that reading it took.
fn read(transcript: &mut Transcript, stream: &[u8]) -> (usize, u64) {
    let (before, mut entries, mut at) = (ALLOCATIONS.get(), 0, 0);
    while let Ok(entry) = transcript.next(stream, at, false) {
        assert!(entry.heard.is_ok());
        (at, entries) = (entry.end, entries + 1);
    }
    (entries, ALLOCATIONS.get() - before)
}

/// A packet of a pcap file, to one of two groups.
fn packet(nth: u8) -> Vec<u8> {
    let mut packet = vec![2; 12];
    packet.extend([8, 0, 0x45, 0, 0, 29, 0, 0, 0x40, 0, 9, 17, 0, 0, 10, 0, 0, 1, 224, 0, 31, nth % 2]);
    packet.extend([0x66, 0x77, 0x66, 0x77, 0, 9, 0, 0, nth]);
    let len = packet.len() as u32;
    [[1, 5, len, len].map(u32::to_le_bytes).concat(), packet].concat()
}

#[test]
fn a_warm_transcript_allocates_nothing() {
    let header = |magic: u32| {
        let mut file = magic.to_le_bytes().to_vec();
        file.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0, 1, 0, 0, 0]);
        file
    };
    let lines = |one: &str| one.repeat(200).into_bytes();
    let captured = "{\"t\":\"connect\",\"conn\":\"V\",\"ts\":1.5,\"addr\":\"wss:\\/\\/a\"}\n\
        {\"t\":\"recv\",\"conn\":\"V\",\"ts\":1.5,\"data\":\"{\\\"a\\\":1}\"}\n\
        {\"t\":\"recv\",\"conn\":\"W\",\"ts\":1.5,\"b64\":\"H4sIAA==\"}\n\
        {\"t\":\"http\",\"conn\":\"H\",\"ts\":1.5,\"url\":\"https:\\/\\/a\",\"data\":\"[\\u0041]\"}\n";
    let text = "wss://a <-> 1.5\nwss://a <- 1.5: x\n1.5: y\nhttps://a -> 1.5: z\n";
    let metadata = [&b"DBN\x01\x78\0\0\0"[..], &[0; 120]].concat();
    for (format, first, more, entries) in [
        (Format::Collector, Vec::new(), lines("1721347021000000000 {}\n"), 200),
        (Format::NamedCollector, Vec::new(), lines("1721347021000 trade {}\n"), 200),
        (Format::Json, b"{}\n{}\n".to_vec(), lines("{\"a\":1}\n"), 200),
        (Format::Json, b"[{},".to_vec(), lines("{\"a\":1},"), 200),
        (Format::CaptureText, Vec::new(), lines(text), 800),
        (Format::CaptureJsonl, Vec::new(), lines(captured), 800),
        (Format::Cbcap, b"CBCAP1 v A/B 1\n".to_vec(), lines("5 2\n{}\n"), 200),
        (Format::Packets, header(0xA1B2_C3D4), (0..200).flat_map(packet).collect(), 200),
        (Format::BinaryFile(LengthPrefix::Stated), Vec::new(), lines("\0\x03abc"), 200),
        (Format::Dbn, metadata, lines("\x04\x2e.............."), 200),
    ] {
        let mut transcript = Transcript::new(format);
        read(&mut transcript, &[&first[..], &more].concat());
        assert_eq!(read(&mut transcript, &more), (entries, 0), "{format:?}");
    }
}

//! What tests of order feeds share: an engine that is watched through its feed, and captures of packets.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses its part; a failed unwrap is a failed test"
)]

use depthwire_core::Stats;
use depthwire_core::encode::{Outbox, RECORD_HEADER_BYTES, RecordType};
use depthwire_core::engine::{Engine, EngineConfig, RecordingProgress, SourceId};
use depthwire_core::replica::Replica;
use depthwire_core::types::{BookState, InstrumentId, NoClock, Venue};
use depthwire_core::venues;

/// An engine with one source and a replica that sees its frames alone.
pub struct Rig {
    pub engine: Engine<NoClock>,
    pub source: SourceId,
    pub ids: Vec<InstrumentId>,
    pub replica: Replica,
    pub refused: u64,
    /// Frames and other records that the engine put out.
    pub frames: u64,
    pub others: u64,
}

impl Rig {
    pub fn new(venue: Venue, symbols: &[&str]) -> Self {
        Self::with(EngineConfig::default(), venue, symbols)
    }

    pub fn with(config: EngineConfig, venue: Venue, symbols: &[&str]) -> Self {
        let mut engine = Engine::new(config, venues::catalogue(), NoClock);
        let add = |symbol: &&str| engine.add_instrument(venues::instrument(venue, symbol).unwrap()).unwrap();
        let ids: Vec<_> = symbols.iter().map(add).collect();
        let source = engine.open_source(venue, &ids).unwrap();
        Self { engine, source, ids, replica: Replica::default(), refused: 0, frames: 0, others: 0 }
    }

    /// All bytes, in chunks; more may follow.
    pub fn feed(&mut self, bytes: &[u8], chunk: usize) -> Vec<RecordingProgress> {
        self.feed_chunks(bytes, chunk, false)
    }

    /// All bytes of a file.
    pub fn feed_file(&mut self, bytes: &[u8], chunk: usize) -> Vec<RecordingProgress> {
        self.feed_chunks(bytes, chunk, true)
    }

    fn feed_chunks(&mut self, bytes: &[u8], chunk: usize, is_file: bool) -> Vec<RecordingProgress> {
        let mut waiting = Vec::new();
        let mut all = Vec::new();
        let mut chunks = bytes.chunks(chunk).peekable();
        while let Some(chunk) = chunks.next() {
            waiting.extend_from_slice(chunk);
            let progress = self.ingest(&waiting, is_file && chunks.peek().is_none(), u64::MAX);
            waiting.drain(..progress.consumed);
            all.push(progress);
        }
        all
    }

    pub fn ingest(&mut self, bytes: &[u8], last: bool, until: u64) -> RecordingProgress {
        let Self { engine, source, replica, refused, frames, others, .. } = self;
        let drain = |outbox: &mut Outbox| {
            while let Some(record) = outbox.front() {
                if record[4] != RecordType::Frame as u8 {
                    *others += 1;
                } else {
                    *frames += 1;
                    *refused += u64::from(replica.apply(&record[RECORD_HEADER_BYTES..]).is_err());
                }
                outbox.take();
            }
            true
        };
        engine.replay(*source, bytes, last, until, drain).unwrap()
    }

    pub fn state(&self, at: usize) -> BookState {
        self.engine.book_info(self.ids[at], 0).unwrap().state
    }

    pub fn stats(&self) -> Stats {
        self.engine.stats()
    }

    /// The book, the sum of its own orders and the replica agree; returns what all three say.
    pub fn agreed_digest(&self, at: usize) -> String {
        assert_eq!(self.refused, 0);
        let id = self.ids[at];
        let book = self.engine.digest(id).unwrap();
        assert_eq!(self.engine.orders_digest(id).as_deref(), Ok(book.as_str()));
        assert_eq!(self.replica.book(id).map(|book| book.digest()).as_deref(), Some(book.as_str()));
        assert_eq!(self.replica.book(id).map(|book| book.checks().1), Some(0));
        book
    }
}

/// A capture of UDP packets over IPv4 and Ethernet, a microsecond apart.
pub fn capture<'a>(packets: impl IntoIterator<Item = &'a Vec<u8>>) -> Vec<u8> {
    let mut file = 0xa1b2_c3d4u32.to_le_bytes().to_vec();
    file.extend([2, 0, 4, 0]);
    file.extend([0; 8]);
    file.extend(65_535u32.to_le_bytes());
    file.extend(1u32.to_le_bytes());
    for (index, payload) in packets.into_iter().enumerate() {
        let mut packet = [[2; 6], [4; 6]].concat();
        packet.extend([8, 0, 0x45, 0]);
        packet.extend((28 + payload.len() as u16).to_be_bytes());
        packet.extend([0, 0, 0x40, 0, 9, 17, 0, 0, 10, 0, 0, 1, 233, 54, 12, 111]);
        packet.extend([0x66, 0x77, 0x66, 0x77]);
        packet.extend((8 + payload.len() as u16).to_be_bytes());
        packet.extend([0, 0]);
        packet.extend(payload);
        file.extend(1_704_205_800u32.to_le_bytes());
        file.extend((index as u32).to_le_bytes());
        file.extend((packet.len() as u32).to_le_bytes());
        file.extend((packet.len() as u32).to_le_bytes());
        file.extend(packet);
    }
    file
}

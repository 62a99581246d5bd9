//! An engine with one book of the embedded venue, fed by hand, and what it says as a test looks at it.

use depthwire_core::encode::{Kind, RECORD_HEADER_BYTES, RecordType, Stream, find_header};
use depthwire_core::engine::{Engine, EngineConfig, IngestError, SourceId};
use depthwire_core::types::{BookState, InstrumentId, NoClock};
use depthwire_core::venues;

pub const MS: u64 = 1_000_000;
pub const S: u64 = 1_000 * MS;

/// One record as a test looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    Frame { kind: u8, stream: u8, epoch: u32, seq: u64, prev_seq: u64, flags: u16 },
    Request { ticket: u32 },
}

pub struct Rig {
    pub engine: Engine<NoClock>,
    pub source: SourceId,
    pub id: InstrumentId,
    pub now: u64,
    /// Of the last request seen.
    pub ticket: u32,
}

impl Rig {
    pub fn new(config: EngineConfig) -> Self {
        let catalogue = venues::catalogue();
        let id = catalogue.find(venues::SIM, "BTCUSDT").unwrap();
        let mut engine = Engine::new(config, catalogue, NoClock);
        let source = engine.open_source(venues::SIM, &[id]).unwrap();
        Self { engine, source, id, now: S, ticket: 0 }
    }

    /// A rig whose book is synced at 100, with one level a side.
    pub fn synced(config: EngineConfig) -> Self {
        let mut rig = Self::new(config);
        rig.depth(99, 100, "", "");
        rig.snapshot(100, "[\"10.00\",\"1\"]", "[\"11.00\",\"1\"]").unwrap();
        assert_eq!(rig.state(), BookState::Synced);
        rig.seen();
        rig
    }

    pub fn snapshot(&mut self, last_id: u64, bids: &str, asks: &str) -> Result<(), IngestError> {
        let text = format!("{{\"lastUpdateId\":{last_id},\"bids\":[{bids}],\"asks\":[{asks}]}}");
        self.answer(text.as_bytes())
    }

    /// Answers the last request.
    fn answer(&mut self, bytes: &[u8]) -> Result<(), IngestError> {
        self.seen();
        self.engine.answer(self.id, self.ticket, bytes, self.now)
    }

    pub fn depth(&mut self, first: u64, last: u64, bids: &str, asks: &str) {
        let text = format!(
            "{{\"stream\":\"btcusdt@depth\",\"data\":{{\"e\":\"depthUpdate\",\"E\":1700000000000,\"s\":\"BTCUSDT\",\"U\":{first},\"u\":{last},\"b\":[{bids}],\"a\":[{asks}]}}}}"
        );
        self.engine.ingest(self.source, text.as_bytes(), self.now).unwrap();
    }

    /// A trade at a price; a buyer took unless `is_sold`.
    pub fn trade_at(&mut self, id: u64, price: &str, qty: &str, is_sold: bool) {
        let text = format!(
            "{{\"e\":\"trade\",\"E\":1700000000000,\"s\":\"BTCUSDT\",\"t\":{id},\"p\":\"{price}\",\"q\":\"{qty}\",\"T\":1700000000000,\"m\":{is_sold}}}"
        );
        self.engine.ingest(self.source, text.as_bytes(), self.now).unwrap();
    }

    /// Takes what the engine has said, and hands its frames to `take`.
    pub fn frames(&mut self, mut take: impl FnMut(&[u8])) {
        let outbox = self.engine.outbox();
        while let Some(record) = outbox.front() {
            if record[4] == RecordType::Frame as u8 {
                let size = u32::from_le_bytes(*record.first_chunk().unwrap()) as usize;
                take(&record[RECORD_HEADER_BYTES..RECORD_HEADER_BYTES + size]);
            } else {
                self.ticket = u32::from_le_bytes(*record[RECORD_HEADER_BYTES..].first_chunk().unwrap());
            }
            outbox.take();
        }
    }

    pub fn trade(&mut self, kind: &str, id: u64) {
        let key = if kind == "trade" { "t" } else { "a" };
        let text = format!(
            "{{\"e\":\"{kind}\",\"E\":1700000000000,\"s\":\"BTCUSDT\",\"{key}\":{id},\"p\":\"10.50\",\"q\":\"0.5\",\"T\":1700000000000,\"m\":true}}"
        );
        self.engine.ingest(self.source, text.as_bytes(), self.now).unwrap();
    }

    pub fn tick(&mut self) {
        self.engine.tick(self.now);
    }

    pub fn state(&self) -> BookState {
        self.engine.book_info(self.id, self.now).unwrap().state
    }

    pub fn seen(&mut self) -> Vec<Seen> {
        let outbox = self.engine.outbox();
        let mut seen = Vec::new();
        while let Some(record) = outbox.front() {
            let payload = &record[RECORD_HEADER_BYTES..];
            seen.push(if record[4] == RecordType::Frame as u8 {
                frame(payload)
            } else {
                Seen::Request { ticket: u32::from_le_bytes(*payload.first_chunk().unwrap()) }
            });
            outbox.take();
        }
        for record in &seen {
            if let Seen::Request { ticket } = record {
                self.ticket = *ticket;
            }
        }
        seen
    }

    pub fn image(&mut self, stream: Stream) -> Vec<Seen> {
        let mut frames = Vec::new();
        self.engine.image(self.id, stream, self.now, |bytes| frames.push(frame(bytes))).unwrap();
        frames
    }
}

fn frame(bytes: &[u8]) -> Seen {
    let header = &bytes[find_header(bytes).unwrap()..];
    let word = |at: usize| u64::from_le_bytes(header[at..8 + at].try_into().unwrap());
    Seen::Frame {
        kind: header[60],
        stream: header[61],
        epoch: word(0) as u32,
        seq: word(8),
        prev_seq: word(16),
        flags: u16::from_le_bytes([header[62], header[63]]),
    }
}

pub fn kinds(seen: &[Seen]) -> Vec<(u8, u8)> {
    seen.iter()
        .filter_map(|seen| match seen {
            Seen::Frame { kind, stream, .. } => Some((*kind, *stream)),
            Seen::Request { .. } => None,
        })
        .collect()
}

pub const IMAGE: u8 = Kind::Image as u8;
pub const DELTA: u8 = Kind::Delta as u8;
pub const BBO: u8 = Kind::Bbo as u8;
pub const CHECK: u8 = Kind::Check as u8;
pub const STATUS: u8 = Kind::Status as u8;

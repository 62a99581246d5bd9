//! The exported `FrameJournal`: what an engine publishes in, the bytes of a journal of frames out.

use std::path::Path;

use depthwire_core::encode::{RECORD_HEADER_BYTES, RecordType};
use depthwire_core::engine::listing_of;
use depthwire_core::journal::{FrameWriter, JournalError, SegmentHeader};
use depthwire_core::types::{Account, InstrumentId};
use depthwire_journal::seal::seal;
use napi_derive::napi;

use crate::argument::Argument;
use crate::engine::{Engine, unknown};
use crate::guard::{Code, Owned, Result, error, guard};
use crate::segment_out::{SegmentOut, ended};

/// Makes a journal of frames.
#[napi]
pub struct FrameJournal {
    owned: Owned<Journal>,
}

struct Journal {
    /// None once it has ended.
    writer: Option<FrameWriter>,
    journal: u64,
    segments: u64,
    /// Frames so far.
    frames: u64,
    /// What each segment begins with.
    listings: Vec<String>,
    out: SegmentOut,
}

#[napi]
impl FrameJournal {
    /// At the beginning of a journal. `journal` tells it from others, `createdNs` is the time, ns since the epoch.
    #[napi(constructor, ts_args_type = "journal: bigint, createdNs: bigint")]
    pub fn new(journal: Argument, created_ns: Argument) -> Result<Self> {
        guard(|| {
            let mut out = SegmentOut::default();
            let (journal, created) = (journal.u64("journal")?, created_ns.u64("createdNs")?);
            let header = SegmentHeader { journal, number: 0, first_seq: 0, created };
            let writer = FrameWriter::begin(header, out.taking()?);
            let journal =
                Journal { writer: Some(writer), journal, segments: 1, frames: 0, listings: Vec::new(), out };
            Ok(Self { owned: Owned::Open(journal) })
        })
    }

    /// Gives the memory back at once. Any other use after it throws `addon.closed`.
    #[napi]
    pub fn close(&mut self) -> Result<()> {
        self.owned.close()
    }

    /// Frames that follow may be of an instrument of this listing, which [`Engine::listing`] makes. Each segment begins with all.
    #[napi(ts_args_type = "listing: string")]
    pub fn list(&mut self, listing: Argument) -> Result<()> {
        self.owned.run(|journal| {
            let listing = listing.text("listing")?;
            let (writer, bytes) = journal.open()?;
            writer.instrument(listing.as_bytes(), bytes).map_err(refused)?;
            journal.listings.push(listing);
            Ok(())
        })
    }

    /// Takes records as they stand in a ring: frames are kept, whatever else passed over. Up to the ring's end at most, where a pad
    /// stands. What it makes of them waits for `drain`. Throws `journal.*`.
    #[napi(ts_args_type = "records: Uint8Array")]
    pub fn take(&mut self, records: Argument) -> Result<()> {
        self.owned.run(|journal| {
            let mut copied = Vec::new();
            records.append_to("records", &mut copied)?;
            let mut records = copied.as_slice();
            while let Some((header, rest)) = records.split_first_chunk::<RECORD_HEADER_BYTES>() {
                let [a, b, c, d, kind, _, ..] = *header;
                let size = u32::from_le_bytes([a, b, c, d]) as usize;
                let payload = rest.get(..size).filter(|_| kind != RecordType::Pad as u8);
                let Some(payload) = payload else { break };
                if kind == RecordType::Frame as u8 {
                    let (writer, bytes) = journal.open()?;
                    writer.frame(payload, bytes).map_err(refused)?;
                    journal.frames += 1;
                }
                records = rest.get(size.next_multiple_of(8)..).unwrap_or_default();
            }
            Ok(())
        })
    }

    /// Ends the segment and begins the next one at that time: `drain` gives the rest of the one, then 0, then the other.
    #[napi(ts_args_type = "createdNs: bigint")]
    pub fn turn(&mut self, created_ns: Argument) -> Result<()> {
        self.owned.run(|journal| {
            let created = created_ns.u64("createdNs")?;
            let Journal { writer, journal, segments, listings, out, .. } = journal;
            let Some(writer) = writer else { return Err(ended()) };
            let (bytes, next) = out.turning()?;
            let header = SegmentHeader { journal: *journal, number: *segments, first_seq: 0, created };
            writer.turn(header, bytes, next);
            *segments += 1;
            for listing in listings {
                writer.instrument(listing.as_bytes(), next).map_err(refused)?;
            }
            Ok(())
        })
    }

    /// Ends the journal.
    #[napi]
    pub fn end(&mut self) -> Result<()> {
        self.owned.run(|journal| {
            let out = journal.out.ending()?;
            if let Some(writer) = journal.writer.take() {
                writer.close(out);
            }
            Ok(())
        })
    }

    /// Writes bytes of the segment that are due and returns how many; 0 = all are out, and behind `turn` what follows is the next
    /// segment's.
    #[napi(ts_args_type = "out: Uint8Array")]
    pub fn drain(&mut self, out: Argument) -> Result<u32> {
        self.owned.run(|journal| journal.out.drain(out))
    }

    /// Packs a segment of it that is whole: `PATH.zst` takes its place once it unpacks to the same. Throws `journal.full`,
    /// `journal.unsealed`; the plain segment is as it was then. Nothing else turns meanwhile.
    #[napi(ts_args_type = "path: string")]
    pub fn pack(&mut self, path: Argument) -> Result<()> {
        self.owned.run(|_| {
            let path = path.text("path")?;
            seal(Path::new(&path)).map_err(|wrong| {
                let expected = format_args!("{}", wrong.expected());
                // A name may hold the end of a line, and each part of an error is one.
                let got = format!("{}: {}", wrong.path.display().to_string().escape_debug(), wrong.said);
                error(wrong.code(), Account::new(wrong.what(), expected, got), wrong.fix())
            })
        })
    }

    /// Frames that were taken.
    #[napi]
    pub fn frames(&mut self) -> Result<i64> {
        self.owned.run(|journal| Ok(journal.frames as i64))
    }
}

impl Journal {
    /// What makes the journal, and where what it makes goes.
    fn open(&mut self) -> Result<(&mut FrameWriter, &mut Vec<u8>)> {
        let Some(writer) = &mut self.writer else { return Err(ended()) };
        Ok((writer, self.out.taking()?))
    }
}

#[napi]
impl Engine {
    /// An instrument as a line of text, in which a journal of frames keeps it.
    #[napi(ts_args_type = "instrument: number")]
    pub fn listing(&self, instrument: Argument) -> Result<String> {
        self.run(|state| {
            let id = InstrumentId(instrument.u32("instrument")?);
            let listed = state.engine.catalogue().get(id).ok_or_else(|| unknown(id))?;
            Ok(listing_of(listed))
        })
    }
}

fn refused(wrong: JournalError) -> napi::Error<Code> {
    error(wrong.code(), wrong.account(), wrong.fix())
}

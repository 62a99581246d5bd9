//! The exported `RecordingInspection`: what recordings hold.

use depthwire_core::recording::{Fault, Format, Holding, Inspected, Inspection};
use napi::bindgen_prelude::BigInt;
use napi_derive::napi;

use crate::argument::Argument;
use crate::guard::{Owned, Result, guard};

/// What a file, or a connection of it, holds.
#[napi(object)]
pub struct HoldingInfo {
    /// Files that begin behind another one, as a journal of several says it.
    pub began: i64,
    /// What was said of all that follows, as DBN's metadata.
    pub heads: i64,
    /// Connections made.
    pub connected: i64,
    /// Connections ended.
    pub closed: i64,
    /// Messages sent.
    pub sent: i64,
    /// Messages received, datagrams included.
    pub received: i64,
    /// Of these, datagrams.
    pub datagrams: i64,
    /// Requests over HTTP that were answered.
    pub answered: i64,
    /// How an engine was told to take connections.
    pub setups: i64,
    /// An engine was told that time has passed.
    pub ticks: i64,
    /// Frames that an engine has published.
    pub published: i64,
    /// Bytes of what was sent, received, answered and said ahead.
    pub bytes: i64,
    /// The earliest time, ns since the Unix epoch; 0 = none is known.
    pub first_ns: BigInt,
    /// The latest.
    pub last_ns: BigInt,
}

/// A connection of a file.
#[napi(object)]
pub struct LineInfo {
    /// Its number among those of all files.
    pub line: u32,
    /// Where it leads; empty where the recording does not say.
    pub address: String,
    /// What happened on it.
    pub holding: HoldingInfo,
}

/// Something that is wrong with a file.
#[napi(object)]
pub struct FaultInfo {
    /// Stable code.
    pub code: String,
    /// What is wrong.
    pub what: String,
    /// What was meant.
    pub expected: String,
    /// What came.
    pub got: String,
    /// What to do.
    pub fix: String,
    /// Of a journal the number of the first record that it is about.
    pub record: Option<BigInt>,
    /// Entries of the file before it.
    pub entry: i64,
}

/// What a segment of a journal says of itself.
#[napi(object)]
pub struct SegmentInfo {
    /// The journal that it is of.
    pub journal: BigInt,
    /// Its number in it.
    pub number: BigInt,
    /// The number of its first record.
    pub first_record: BigInt,
    /// The number behind its last record.
    pub next_record: BigInt,
    /// When it was begun, ns since the Unix epoch.
    pub created_ns: BigInt,
    /// Whether it was closed in order: else records may be missing at its end.
    pub is_closed: bool,
}

/// What a file holds.
#[napi(object)]
pub struct InspectedInfo {
    /// Its form; null where it is of none that is known.
    pub form: Option<String>,
    /// Of a journal alone.
    pub segment: Option<SegmentInfo>,
    /// All of it.
    pub holding: HoldingInfo,
    /// Entries whose time is before that of the one before.
    pub backward: i64,
    /// Its connections.
    pub lines: Vec<LineInfo>,
    /// What somebody has noted of it, as JSON, the first sixteen.
    pub notes: Vec<String>,
    /// What is wrong with it, the first hundred.
    pub faults: Vec<FaultInfo>,
    /// How much is.
    pub faults_counted: i64,
}

/// Finds out what recordings hold, whatever their form.
#[napi]
pub struct RecordingInspection {
    owned: Owned<Inspection>,
}

#[napi]
impl RecordingInspection {
    /// Before the first file.
    #[napi(constructor)]
    pub fn new() -> Result<Self> {
        guard(|| Ok(Self { owned: Owned::Open(Inspection::default()) }))
    }

    /// Gives the memory back at once. Any other use after it throws `addon.closed`.
    #[napi]
    pub fn close(&mut self) -> Result<()> {
        self.owned.close()
    }

    /// Takes whole lines or messages of a recording and returns the bytes used; the rest goes in again, at the head of the next
    /// call. `last`: the bytes of this file end here.
    #[napi(ts_args_type = "bytes: Uint8Array, last: boolean")]
    pub fn take(&mut self, bytes: Argument, last: Argument) -> Result<u32> {
        self.owned.run(|inspection| {
            let (bytes, last) = (bytes.input("bytes")?, last.flag("last")?);
            // Of more than that the rest goes in again.
            let part = bytes.get(..u32::MAX as usize).unwrap_or(&bytes);
            Ok(inspection.take(part, last && part.len() == bytes.len()) as u32)
        })
    }

    /// What the file that was taken last holds. Another one follows.
    #[napi]
    pub fn file_ended(&mut self) -> Result<InspectedInfo> {
        self.owned.run(|inspection| {
            let found = inspection.file_ended();
            Ok(info_of(&found, inspection))
        })
    }
}

fn info_of(found: &Inspected, inspection: &Inspection) -> InspectedInfo {
    let happened = |holding: &&Holding| **holding != Holding::default();
    InspectedInfo {
        form: found.format.map(|format| word_of(format).to_owned()),
        segment: found.segment.map(|(head, next, is_closed)| SegmentInfo {
            journal: head.journal.into(),
            number: head.number.into(),
            first_record: head.first_seq.into(),
            next_record: next.into(),
            created_ns: head.created.into(),
            is_closed,
        }),
        holding: holding_of(&found.whole),
        backward: found.backward as i64,
        lines: (0..)
            .zip(&found.lines)
            .filter(|(_, holding)| happened(holding))
            .map(|(line, holding)| LineInfo {
                line,
                address: String::from_utf8_lossy(inspection.address(line)).into_owned(),
                holding: holding_of(holding),
            })
            .collect(),
        notes: found.notes.iter().map(|note| String::from_utf8_lossy(note).into_owned()).collect(),
        faults: found.faults.iter().map(fault_of).collect(),
        faults_counted: found.faults_counted as i64,
    }
}

fn holding_of(Holding { entries, bytes, first, last }: &Holding) -> HoldingInfo {
    HoldingInfo {
        began: entries.began as i64,
        heads: entries.heads as i64,
        connected: entries.connected as i64,
        closed: entries.closed as i64,
        sent: entries.sent as i64,
        received: entries.received as i64,
        datagrams: entries.datagrams as i64,
        answered: entries.answered as i64,
        setups: entries.setups as i64,
        ticks: entries.ticks as i64,
        published: entries.published as i64,
        bytes: *bytes as i64,
        first_ns: (*first).into(),
        last_ns: (*last).into(),
    }
}

fn fault_of(Fault { error, record, entry }: &Fault) -> FaultInfo {
    let account = error.account();
    FaultInfo {
        code: error.code().to_owned(),
        what: account.what,
        expected: account.expected,
        got: account.got,
        fix: error.fix().to_owned(),
        record: record.map(BigInt::from),
        entry: *entry as i64,
    }
}

const fn word_of(format: Format) -> &'static str {
    match format {
        Format::Collector => "collector",
        Format::NamedCollector => "named-collector",
        Format::Json => "json",
        Format::CaptureText => "capture-text",
        Format::CaptureJsonl => "capture-jsonl",
        Format::Cbcap => "cbcap",
        Format::BinaryFile(_) => "itch",
        Format::Packets => "packets",
        Format::Dbn => "dbn",
        Format::Journal => "journal",
        Format::Frames => "frames",
    }
}

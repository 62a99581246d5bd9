//! The exported `JournalConversion`: recordings in, the bytes of a journal's segments out.

use depthwire_core::journal::{JournalError, SetupKind};
use depthwire_core::recording::{Conversion, Cut};
use depthwire_core::types::Account;
use napi_derive::napi;

use crate::argument::Argument;
use crate::guard::{Code, Owned, Result, error, guard};
use crate::segment_out::{SegmentOut, ended};

/// How far a conversion has come.
#[napi(object)]
pub struct Converted {
    /// Records written.
    pub records: i64,
    /// Parts of the recordings that could not be read, and stand in the journal as missed.
    pub missed: i64,
}

/// Makes a journal of recordings, whatever their form.
#[napi]
pub struct JournalConversion {
    owned: Owned<Journal>,
}

struct Journal {
    /// None once it has ended.
    conversion: Option<Conversion>,
    out: SegmentOut,
    last: Converted,
}

#[napi]
impl JournalConversion {
    /// At the beginning of a journal. `journal` tells it from others, `createdNs` is the time, ns since the epoch.
    #[napi(constructor, ts_args_type = "journal: bigint, createdNs: bigint")]
    pub fn new(journal: Argument, created_ns: Argument) -> Result<Self> {
        guard(|| {
            let mut out = SegmentOut::default();
            let (journal, created) = (journal.u64("journal")?, created_ns.u64("createdNs")?);
            let conversion = Conversion::begin(journal, created, out.taking()?);
            let last = Converted { records: 0, missed: 0 };
            let journal = Journal { conversion: Some(conversion), out, last };
            Ok(Self { owned: Owned::Open(journal) })
        })
    }

    /// Gives the memory back at once. Any other use after it throws `addon.closed`.
    #[napi]
    pub fn close(&mut self) -> Result<()> {
        self.owned.close()
    }

    /// Takes whole lines or messages of a recording and returns the bytes used; the rest goes in again, at the head of the next
    /// call. `last`: the bytes of this file end here. What it makes of them waits for `drain`. Throws `journal.*`.
    #[napi(ts_args_type = "bytes: Uint8Array, last: boolean")]
    pub fn take(&mut self, bytes: Argument, last: Argument) -> Result<u32> {
        self.owned.run(|journal| {
            let (bytes, last) = (bytes.input("bytes")?, last.flag("last")?);
            // Of more than that the rest goes in again.
            let part = bytes.get(..u32::MAX as usize).unwrap_or(&bytes);
            let (conversion, out) = journal.open()?;
            let used = conversion.take(part, last && part.len() == bytes.len(), out).map_err(refused)?;
            Ok(used as u32)
        })
    }

    /// Appends what is said of a connection at that time: `kind` as `Engine.recordedCheckpoint` names it, or `note`. Throws
    /// `journal.setup`.
    #[napi(ts_args_type = "line: number, kind: string, text: Uint8Array, ts: bigint")]
    pub fn set_up(&mut self, line: Argument, kind: Argument, text: Argument, ts: Argument) -> Result<()> {
        self.owned.run(|journal| {
            let at = (line.u32("line")?, ts.u64("ts")?);
            let (named, text) = (kind.text("kind")?, text.input("text")?);
            let kind = SetupKind::of(&named).ok_or_else(|| {
                let account = Account::new(
                    "nothing of this kind is said of a connection",
                    "a kind",
                    format_args!("“{named}”"),
                );
                error("journal.setup", account, "use the kinds that recordedCheckpoint gives, or note")
            })?;
            let (conversion, out) = journal.open()?;
            conversion.set_up(at, kind, &text, out).map_err(refused)
        })
    }

    /// Takes of what follows the entries from one number on and before another, on these connections; none: on all. Of answers
    /// those alone that were asked for by this name; empty: all.
    #[napi(ts_args_type = "firstEntry: bigint, endEntry: bigint, lines: Uint32Array, name: string")]
    pub fn cut(
        &mut self,
        first_entry: Argument,
        end_entry: Argument,
        lines: Argument,
        name: Argument,
    ) -> Result<()> {
        self.owned.run(|Journal { conversion, .. }| {
            let cut = Cut {
                entries: (first_entry.u64("firstEntry")?, end_entry.u64("endEntry")?),
                lines: lines.numbers("lines")?,
                name: name.text("name")?,
            };
            let Some(conversion) = conversion else { return Err(ended()) };
            conversion.cut(cut);
            Ok(())
        })
    }

    /// Whether nothing that follows is taken, for the entries of `cut` are all there.
    #[napi]
    pub fn is_cut_over(&mut self) -> Result<bool> {
        self.owned
            .run(|Journal { conversion, .. }| Ok(conversion.as_ref().is_some_and(Conversion::is_cut_over)))
    }

    /// The file is damaged here, for the reason of that code: what follows does not go on where it ended.
    #[napi(ts_args_type = "code: string")]
    pub fn miss(&mut self, code: Argument) -> Result<()> {
        self.owned.run(|journal| {
            let code = code.text("code")?;
            let (conversion, out) = journal.open()?;
            conversion.miss(&code, out).map_err(refused)
        })
    }

    /// Ends the segment and begins the next one at that time: `drain` gives the rest of the one, then 0, then the other.
    #[napi(ts_args_type = "createdNs: bigint")]
    pub fn turn(&mut self, created_ns: Argument) -> Result<()> {
        self.owned.run(|Journal { conversion, out, .. }| {
            let created = created_ns.u64("createdNs")?;
            let Some(conversion) = conversion else { return Err(ended()) };
            let (bytes, next) = out.turning()?;
            conversion.turn(created, bytes, next);
            Ok(())
        })
    }

    /// Ends the journal.
    #[napi]
    pub fn end(&mut self) -> Result<()> {
        self.owned.run(|journal| {
            let last = journal.converted();
            let out = journal.out.ending()?;
            if let Some(conversion) = journal.conversion.take() {
                conversion.close(out);
            }
            journal.last = last;
            Ok(())
        })
    }

    /// Writes bytes of the segment that are due and returns how many; 0 = all are out, and behind `turn` what follows is the next
    /// segment's.
    #[napi(ts_args_type = "out: Uint8Array")]
    pub fn drain(&mut self, out: Argument) -> Result<u32> {
        self.owned.run(|journal| journal.out.drain(out))
    }

    /// How far it has come.
    #[napi]
    pub fn converted(&mut self) -> Result<Converted> {
        self.owned.run(|journal| Ok(journal.converted()))
    }
}

impl Journal {
    /// What makes the journal, and where what it makes goes.
    fn open(&mut self) -> Result<(&mut Conversion, &mut Vec<u8>)> {
        let Some(conversion) = &mut self.conversion else { return Err(ended()) };
        Ok((conversion, self.out.taking()?))
    }

    fn converted(&self) -> Converted {
        match &self.conversion {
            Some(conversion) => {
                Converted { records: conversion.records() as i64, missed: conversion.missed() as i64 }
            }
            None => Converted { ..self.last },
        }
    }
}

fn refused(wrong: JournalError) -> napi::Error<Code> {
    error(wrong.code(), wrong.account(), wrong.fix())
}

//! The exported `JournalConversion`: recordings in, the bytes of a journal's segments out.

use depthwire_core::journal::{JournalError, SetupKind};
use depthwire_core::recording::{Conversion, Cut};
use depthwire_core::types::Account;
use napi_derive::napi;

use crate::argument::Argument;
use crate::guard::{Code, Owned, Result, error, guard};

/// Bytes that may wait to be drained: some chunks of a recording, however they are packed.
const WAITING_BYTES_MAX: usize = 64 << 20;

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
    /// Bytes of the segment that are to be written, and from where on; then those of the next one.
    bytes: Vec<u8>,
    from: usize,
    next: Vec<u8>,
    last: Converted,
}

#[napi]
impl JournalConversion {
    /// At the beginning of a journal. `journal` tells it from others, `createdNs` is the time, ns since the epoch.
    #[napi(constructor, ts_args_type = "journal: bigint, createdNs: bigint")]
    pub fn new(journal: Argument, created_ns: Argument) -> Result<Self> {
        guard(|| {
            let mut bytes = Vec::new();
            let conversion =
                Conversion::begin(journal.u64("journal")?, created_ns.u64("createdNs")?, &mut bytes);
            let last = Converted { records: 0, missed: 0 };
            let journal = Journal { conversion: Some(conversion), bytes, from: 0, next: Vec::new(), last };
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
            let Journal { conversion, bytes: out, next, .. } = journal;
            let Some(conversion) = conversion else { return Err(ended()) };
            if !next.is_empty() || out.len() > WAITING_BYTES_MAX {
                return Err(undrained());
            }
            let used = conversion.take(part, last && part.len() == bytes.len(), out).map_err(refused)?;
            Ok(used as u32)
        })
    }

    /// Appends what is said of a connection at that time: `kind` as `Engine.recordedCheckpoint` names it, or `note`. Throws
    /// `journal.setup`.
    #[napi(ts_args_type = "line: number, kind: string, text: Uint8Array, ts: bigint")]
    pub fn set_up(&mut self, line: Argument, kind: Argument, text: Argument, ts: Argument) -> Result<()> {
        self.owned.run(|Journal { conversion, bytes, next, .. }| {
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
            let Some(conversion) = conversion else { return Err(ended()) };
            if !next.is_empty() || bytes.len() > WAITING_BYTES_MAX {
                return Err(undrained());
            }
            conversion.set_up(at, kind, &text, bytes).map_err(refused)
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
        self.owned.run(|Journal { conversion, bytes, next, .. }| {
            let code = code.text("code")?;
            let Some(conversion) = conversion else { return Err(ended()) };
            if !next.is_empty() || bytes.len() > WAITING_BYTES_MAX {
                return Err(undrained());
            }
            conversion.miss(&code, bytes).map_err(refused)
        })
    }

    /// Ends the segment and begins the next one at that time: `drain` gives the rest of the one, then 0, then the other.
    #[napi(ts_args_type = "createdNs: bigint")]
    pub fn turn(&mut self, created_ns: Argument) -> Result<()> {
        self.owned.run(|Journal { conversion, bytes, next, .. }| {
            let created = created_ns.u64("createdNs")?;
            let Some(conversion) = conversion else { return Err(ended()) };
            if !next.is_empty() {
                return Err(undrained());
            }
            conversion.turn(created, bytes, next);
            Ok(())
        })
    }

    /// Ends the journal.
    #[napi]
    pub fn end(&mut self) -> Result<()> {
        self.owned.run(|journal| {
            if !journal.next.is_empty() {
                return Err(undrained());
            }
            journal.last = journal.converted();
            if let Some(conversion) = journal.conversion.take() {
                conversion.close(&mut journal.bytes);
            }
            Ok(())
        })
    }

    /// Writes bytes of the segment that are due and returns how many; 0 = all are out, and behind `turn` what follows is the next
    /// segment's.
    #[napi(ts_args_type = "out: Uint8Array")]
    pub fn drain(&mut self, mut out: Argument) -> Result<u32> {
        self.owned.run(|Journal { bytes, from, next, .. }| {
            let out = out.output("out")?;
            let waiting = &bytes[*from..];
            let taken = waiting.len().min(out.len()).min(u32::MAX as usize);
            out[..taken].copy_from_slice(&waiting[..taken]);
            *from += taken;
            if *from == bytes.len() {
                bytes.clear();
                *from = 0;
            }
            if taken == 0 && bytes.is_empty() {
                std::mem::swap(bytes, next);
            }
            Ok(taken as u32)
        })
    }

    /// How far it has come.
    #[napi]
    pub fn converted(&mut self) -> Result<Converted> {
        self.owned.run(|journal| Ok(journal.converted()))
    }
}

impl Journal {
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

fn ended() -> napi::Error<Code> {
    let account = Account::new("this journal has ended", "an open one", "one that has ended");
    error("addon.ended", account, "make a new one")
}

fn undrained() -> napi::Error<Code> {
    let expected = format_args!("at most {WAITING_BYTES_MAX} bytes, all of one segment");
    let account = Account::new("what was converted waits to be written", expected, "more");
    error("addon.undrained", account, "call drain until it returns 0")
}

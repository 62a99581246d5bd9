//! The exported `JournalSlice` and `JournalMerge`: parts of journals, cut and put together.

use depthwire_core::journal::{MERGED_MAX, Merge, Part, PartError, Slice};
use depthwire_core::types::Account;
use napi_derive::napi;

use crate::argument::Argument;
use crate::guard::{Code, Owned, Result, error, guard};
use crate::segment_out::SegmentOut;

/// What has become of a part.
#[napi(object)]
pub struct JournalPartInfo {
    /// Records written.
    pub records: i64,
    /// Records of several parts that were written once.
    pub repeated: i64,
    /// Places at which records are missing that are not left out on purpose.
    pub missing: i64,
}

/// Cuts a part out of a journal.
#[napi]
pub struct JournalSlice {
    owned: Owned<(Slice, SegmentOut)>,
}

#[napi]
impl JournalSlice {
    /// Of records received from one time on and before another, and from one number to another, the last included.
    /// `createdNs` is the time of the part's first segment.
    #[napi(
        constructor,
        ts_args_type = "fromNs: bigint, toNs: bigint, firstRecord: bigint, lastRecord: bigint, createdNs: bigint"
    )]
    pub fn new(
        from_ns: Argument,
        to_ns: Argument,
        first_record: Argument,
        last_record: Argument,
        created_ns: Argument,
    ) -> Result<Self> {
        guard(|| {
            let part = Part {
                times: (from_ns.u64("fromNs")?, to_ns.u64("toNs")?),
                records: (first_record.u64("firstRecord")?, last_record.u64("lastRecord")?),
            };
            let slice = Slice::new(part, created_ns.u64("createdNs")?);
            Ok(Self { owned: Owned::Open((slice, SegmentOut::default())) })
        })
    }

    /// Gives the memory back at once. Any other use after it throws `addon.closed`.
    #[napi]
    pub fn close(&mut self) -> Result<()> {
        self.owned.close()
    }

    /// Takes blocks of the journal and returns the bytes used; the rest goes in again, at the head of the next call. `last`: this
    /// segment ends here. What is kept waits for `drain`. Throws `journal.*`.
    #[napi(ts_args_type = "bytes: Uint8Array, last: boolean")]
    pub fn take(&mut self, bytes: Argument, last: Argument) -> Result<u32> {
        self.owned.run(|(slice, out)| {
            let (bytes, last) = (bytes.input("bytes")?, last.flag("last")?);
            let part = bytes.get(..u32::MAX as usize).unwrap_or(&bytes);
            let whole = last && part.len() == bytes.len();
            Ok(slice.take(part, whole, out.taking()?).map_err(refused)? as u32)
        })
    }

    /// Ends the segment and begins the next one at that time: `drain` gives the rest of the one, then 0, then the other.
    #[napi(ts_args_type = "createdNs: bigint")]
    pub fn turn(&mut self, created_ns: Argument) -> Result<()> {
        self.owned.run(|(slice, out)| {
            let created = created_ns.u64("createdNs")?;
            let (bytes, next) = out.turning()?;
            slice.turn(created, bytes, next);
            Ok(())
        })
    }

    /// Ends the part, and says what became of it.
    #[napi]
    pub fn end(&mut self) -> Result<JournalPartInfo> {
        self.owned.run(|(slice, out)| {
            slice.close(out.ending()?);
            Ok(JournalPartInfo { records: slice.kept() as i64, repeated: 0, missing: slice.faults() as i64 })
        })
    }

    /// Writes bytes of the segment that are due and returns how many; 0 = all are out.
    #[napi(ts_args_type = "out: Uint8Array")]
    pub fn drain(&mut self, out: Argument) -> Result<u32> {
        self.owned.run(|(_, waiting)| waiting.drain(out))
    }
}

/// Puts journals together.
#[napi]
pub struct JournalMerge {
    owned: Owned<(Merge, SegmentOut)>,
}

#[napi]
impl JournalMerge {
    /// Of so many journals, 1 to 64. `journal` names what becomes of different ones, `createdNs` is the time of its first segment.
    /// Throws `journal.too_many`.
    #[napi(constructor, ts_args_type = "count: number, journal: bigint, createdNs: bigint")]
    pub fn new(count: Argument, journal: Argument, created_ns: Argument) -> Result<Self> {
        guard(|| {
            let count = count.u32("count")? as usize;
            if count == 0 || count > MERGED_MAX {
                let expected = format_args!("1 to {MERGED_MAX}");
                let account = Account::new("journals to merge at once", expected, count);
                return Err(error("journal.too_many", account, "merge some of them first, then the results"));
            }
            let merge = Merge::new(count, journal.u64("journal")?, created_ns.u64("createdNs")?);
            Ok(Self { owned: Owned::Open((merge, SegmentOut::default())) })
        })
    }

    /// Gives the memory back at once. Any other use after it throws `addon.closed`.
    #[napi]
    pub fn close(&mut self) -> Result<()> {
        self.owned.close()
    }

    /// The journal that is to be read next; -1 = all have ended.
    #[napi]
    pub fn wants(&mut self) -> Result<i32> {
        self.owned.run(|(merge, _)| Ok(merge.wants().map_or(-1, |index| index as i32)))
    }

    /// Takes blocks of that journal and returns the bytes used; the rest goes in again, at the head of its next call. `last`: this
    /// segment ends here. What is known to come next waits for `drain`. Throws `journal.*`.
    #[napi(ts_args_type = "index: number, bytes: Uint8Array, last: boolean")]
    pub fn take(&mut self, index: Argument, bytes: Argument, last: Argument) -> Result<u32> {
        self.owned.run(|(merge, out)| {
            let (index, bytes, last) = (index.u32("index")?, bytes.input("bytes")?, last.flag("last")?);
            let out = out.taking()?;
            let part = bytes.get(..u32::MAX as usize).unwrap_or(&bytes);
            let whole = last && part.len() == bytes.len();
            let used = merge.take(index as usize, part, whole).map_err(refused)?;
            merge.merge(out).map_err(refused)?;
            Ok(used as u32)
        })
    }

    /// No more segments of that journal follow. Throws `journal.*`.
    #[napi(ts_args_type = "index: number")]
    pub fn ended(&mut self, index: Argument) -> Result<()> {
        self.owned.run(|(merge, out)| {
            merge.ended(index.u32("index")? as usize);
            merge.merge(out.taking()?).map_err(refused)
        })
    }

    /// Ends the segment and begins the next one at that time: `drain` gives the rest of the one, then 0, then the other.
    #[napi(ts_args_type = "createdNs: bigint")]
    pub fn turn(&mut self, created_ns: Argument) -> Result<()> {
        self.owned.run(|(merge, out)| {
            let created = created_ns.u64("createdNs")?;
            let (bytes, next) = out.turning()?;
            merge.turn(created, bytes, next);
            Ok(())
        })
    }

    /// Ends the journal, and says what became of it.
    #[napi]
    pub fn end(&mut self) -> Result<JournalPartInfo> {
        self.owned.run(|(merge, out)| {
            merge.close(out.ending()?);
            Ok(JournalPartInfo {
                records: merge.written() as i64,
                repeated: merge.repeated() as i64,
                missing: merge.faults() as i64,
            })
        })
    }

    /// Writes bytes of the segment that are due and returns how many; 0 = all are out.
    #[napi(ts_args_type = "out: Uint8Array")]
    pub fn drain(&mut self, out: Argument) -> Result<u32> {
        self.owned.run(|(_, waiting)| waiting.drain(out))
    }
}

fn refused(wrong: PartError) -> napi::Error<Code> {
    error(wrong.code(), wrong.account(), wrong.fix())
}

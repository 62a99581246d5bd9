//! What is written of a journal, segment by segment, until it is drained.

use depthwire_core::types::Account;

use crate::argument::Argument;
use crate::guard::{Code, Result, error};

/// Bytes that may wait to be drained, but for those of one call.
const WAITING_BYTES_MAX: usize = 64 << 20;

/// Bytes of the segment that are to be written, and then those of the next one.
#[derive(Default)]
pub struct SegmentOut {
    bytes: Vec<u8>,
    /// Bytes of the segment before this one are drained.
    from: usize,
    next: Vec<u8>,
}

impl SegmentOut {
    /// Where more of the segment goes. Throws `addon.undrained` where too much waits, or all of one segment has to go first.
    pub fn taking(&mut self) -> Result<&mut Vec<u8>> {
        if self.bytes.len() > WAITING_BYTES_MAX {
            return Err(undrained());
        }
        self.ending()
    }

    /// Where the rest of the segment goes, however much waits. Throws `addon.undrained` where all of the one before has to go first.
    pub fn ending(&mut self) -> Result<&mut Vec<u8>> {
        self.turning().map(|(bytes, _)| bytes)
    }

    /// Where the rest of the segment goes, and where the next one begins, which is drained behind it. Throws as [`Self::ending`].
    pub fn turning(&mut self) -> Result<(&mut Vec<u8>, &mut Vec<u8>)> {
        if self.next.is_empty() { Ok((&mut self.bytes, &mut self.next)) } else { Err(undrained()) }
    }

    /// Writes what is due and returns how much; 0 = all of the segment is out, and what follows is the next one's.
    pub fn drain(&mut self, mut out: Argument) -> Result<u32> {
        let out = out.output("out")?;
        let waiting = &self.bytes[self.from..];
        let taken = waiting.len().min(out.len()).min(u32::MAX as usize);
        out[..taken].copy_from_slice(&waiting[..taken]);
        self.from += taken;
        if self.from == self.bytes.len() {
            self.bytes.clear();
            self.from = 0;
        }
        if taken == 0 && self.bytes.is_empty() {
            std::mem::swap(&mut self.bytes, &mut self.next);
        }
        Ok(taken as u32)
    }
}

/// Whoever makes a journal has ended it.
pub fn ended() -> napi::Error<Code> {
    let account = Account::new("this journal has ended", "an open one", "one that has ended");
    error("addon.ended", account, "make a new one")
}

fn undrained() -> napi::Error<Code> {
    let expected = format_args!("at most {WAITING_BYTES_MAX} bytes, all of one segment");
    let account = Account::new("what was written waits to be drained", expected, "more");
    error("addon.undrained", account, "call drain until it returns 0")
}

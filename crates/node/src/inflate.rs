//! The exported `Inflate`: undoes deflate on a thread of its own, into memory that is used again.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{Builder, JoinHandle};

use depthwire_core::types::Account;
use flate2::{Crc, Decompress, FlushDecompress, Status};
use napi_derive::napi;

use crate::argument::Argument;
use crate::guard::{Code, Owned, Result, error, guard};

/// What comes out at once, and how often that may wait: the thread is so far ahead at most.
const OUTPUT_BYTES: usize = 1 << 18;
const OUTPUTS_MAX: usize = 6;
/// Packed blocks that may wait.
const BLOCKS_MAX: u32 = 8;

/// What `take` returns at the end of the deflate stream.
const ENDED: i32 = -1;

/// How a deflate stream ended.
#[napi(object)]
pub struct Inflated {
    /// Packed bytes that belong to the stream.
    pub packed_bytes: i64,
    /// CRC-32 of what came out.
    pub crc: u32,
}

/// Undoes a deflate stream without a header, as gzip holds it, ahead of whoever takes what comes out. Memory: 2 MiB, and the
/// packed blocks that wait.
#[napi]
pub struct Inflate {
    owned: Owned<Stream>,
}

/// What the thread says, in order.
enum Said {
    Output(Vec<u8>),
    /// A packed block is used up.
    Used,
    Ended(Inflated),
    Corrupt(String),
}

struct Stream {
    blocks: Option<Sender<Vec<u8>>>,
    said: Receiver<Said>,
    spent: Sender<Vec<u8>>,
    thread: Option<JoinHandle<()>>,
    /// Packed blocks that are not used up.
    waiting: u32,
    /// What comes out and was not taken whole, and from where on.
    output: (Vec<u8>, usize),
    end: Option<std::result::Result<Inflated, String>>,
}

#[napi]
impl Inflate {
    /// At the beginning of a deflate stream.
    #[napi(constructor)]
    pub fn new() -> Result<Self> {
        guard(|| Stream::start().map(|stream| Self { owned: Owned::Open(stream) }))
    }

    /// Ends the thread and gives the memory back. Any other use after it throws `addon.closed`.
    #[napi]
    pub fn close(&mut self) -> Result<()> {
        self.owned.close()
    }

    /// Hands in the next packed bytes, at most eight times ahead of those of which `take` said that they are used up.
    #[napi(ts_args_type = "packed: Uint8Array")]
    pub fn push(&mut self, packed: Argument) -> Result<()> {
        self.owned.run(|stream| {
            let packed = packed.input("packed")?;
            if stream.waiting == BLOCKS_MAX {
                let account = Account::new("too many packed blocks wait", BLOCKS_MAX - 1, stream.waiting);
                return Err(error("addon.inflate_full", account, "take what comes out of them first"));
            }
            // A stream that has ended takes nothing more, and says so when it is asked.
            if let Some(blocks) = &stream.blocks
                && blocks.send(packed.into_owned()).is_ok()
            {
                stream.waiting += 1;
            }
            Ok(())
        })
    }

    /// Writes what comes out next and returns its bytes; 0 = a block is used up, or none is there; -1 = the stream has ended.
    /// Waits for the thread, never longer than undoing it here would take. Throws `addon.inflate` for damaged bytes, behind all
    /// that stands in front of them.
    #[napi(ts_args_type = "out: Uint8Array")]
    pub fn take(&mut self, mut out: Argument) -> Result<i32> {
        self.owned.run(|stream| stream.take(out.output("out")?))
    }

    /// What the stream was, once it has ended; null before.
    #[napi]
    pub fn ended(&mut self) -> Result<Option<Inflated>> {
        self.owned.run(|stream| {
            let Some(Ok(Inflated { packed_bytes, crc })) = stream.end else { return Ok(None) };
            Ok(Some(Inflated { packed_bytes, crc }))
        })
    }
}

impl Stream {
    fn start() -> Result<Self> {
        let ((blocks, packed), (saying, said)) = (channel(), sync_channel(OUTPUTS_MAX));
        let (spent, returned) = channel();
        let thread = Builder::new()
            .name("inflate".to_owned())
            .spawn(move || run(&packed, &saying, &returned))
            .map_err(|wrong| {
                let account = Account::new("no thread can be had", "a thread", wrong);
                error("addon.no_thread", account, "raise the limit of threads, or end what uses them")
            })?;
        let (output, end) = ((Vec::new(), 0), None);
        Ok(Self { blocks: Some(blocks), said, spent, thread: Some(thread), waiting: 0, output, end })
    }

    fn take(&mut self, out: &mut [u8]) -> Result<i32> {
        loop {
            let (output, from) = &mut self.output;
            let rest = &output[*from..];
            if !rest.is_empty() {
                let bytes = rest.len().min(out.len());
                out[..bytes].copy_from_slice(&rest[..bytes]);
                *from += bytes;
                return Ok(bytes as i32);
            }
            match &self.end {
                Some(Ok(_)) => return Ok(ENDED),
                Some(Err(wrong)) => return Err(corrupt(wrong)),
                None if self.waiting == 0 => return Ok(0),
                None => {}
            }
            let lost = || Said::Corrupt("the thread that undoes it has failed".to_owned());
            match self.said.recv().unwrap_or_else(|_| lost()) {
                Said::Output(output) => {
                    let (spent, _) = std::mem::replace(&mut self.output, (output, 0));
                    // The thread has ended where nobody takes it.
                    let _ = self.spent.send(spent);
                }
                Said::Used => {
                    self.waiting -= 1;
                    return Ok(0);
                }
                Said::Ended(end) => self.end = Some(Ok(end)),
                Said::Corrupt(wrong) => self.end = Some(Err(wrong)),
            }
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.blocks = None;
        // What it still wants to say finds no place, which ends it.
        let (_, nobody) = sync_channel(0);
        self.said = nobody;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The thread: until the stream, the packed bytes or the interest in it ends.
fn run(packed: &Receiver<Vec<u8>>, saying: &SyncSender<Said>, returned: &Receiver<Vec<u8>>) {
    let (mut inflate, mut crc) = (Decompress::new(false), Crc::new());
    for block in packed {
        let mut used = 0;
        loop {
            let mut output = returned.try_recv().unwrap_or_default();
            output.clear();
            output.reserve_exact(OUTPUT_BYTES);
            let before = inflate.total_in();
            let status = inflate.decompress_vec(&block[used..], &mut output, FlushDecompress::None);
            used += (inflate.total_in() - before) as usize;
            let is_full = output.len() == output.capacity();
            if !output.is_empty() {
                crc.update(&output);
                if saying.send(Said::Output(output)).is_err() {
                    return;
                }
            }
            let end = match status {
                Err(wrong) => Said::Corrupt(wrong.message().unwrap_or("data that cannot be read").to_owned()),
                Ok(Status::StreamEnd) => {
                    Said::Ended(Inflated { packed_bytes: inflate.total_in() as i64, crc: crc.sum() })
                }
                // What a full output leaves in the decoder comes with the next round.
                Ok(_) if used < block.len() || is_full => continue,
                Ok(_) => break,
            };
            let _ = saying.send(end);
            return;
        }
        if saying.send(Said::Used).is_err() {
            return;
        }
    }
}

#[cold]
fn corrupt(wrong: &str) -> napi::Error<Code> {
    let account = Account::new("deflate data is damaged", "a whole deflate stream", wrong);
    error("addon.inflate", account, "copy the file again; gzip -t FILE tells whether it is whole")
}

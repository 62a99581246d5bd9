//! The exported `Unzstd`: Node 20 cannot undo zstd by itself.

use depthwire_core::types::Account;
use napi::Env;
use napi_derive::napi;
use zstd::zstd_safe::{DCtx, InBuffer, OutBuffer, get_error_name};

use crate::argument::Argument;
use crate::guard::{Code, Owned, Result, error, guard};
use crate::weight::Weight;

/// How far one call has come.
#[napi(object)]
pub struct Unzstded {
    /// Packed bytes used; the rest goes in again.
    pub consumed: u32,
    /// Bytes written.
    pub produced: u32,
    /// Whether the packed bytes so far are whole frames.
    pub is_whole: bool,
}

/// Undoes zstd, chunk by chunk, one frame after the other. Memory: the frame's window, at most 128 MiB.
#[napi]
pub struct Unzstd {
    owned: Owned<Decoder>,
}

struct Decoder {
    context: DCtx<'static>,
    is_whole: bool,
    weight: Weight,
}

#[napi]
impl Unzstd {
    /// At the start of a file.
    #[napi(constructor)]
    pub fn new(env: &Env) -> Result<Self> {
        guard(|| {
            let context = DCtx::try_create().ok_or_else(|| {
                let account = Account::new("no memory to undo zstd", "room for a decoder", "none");
                error("addon.out_of_memory", account, "close what is no longer used")
            })?;
            let weight = Weight::new(env, context.sizeof());
            Ok(Self { owned: Owned::Open(Decoder { context, is_whole: true, weight }) })
        })
    }

    /// Gives the memory back at once. Any other use after it throws `addon.closed`.
    #[napi]
    pub fn close(&mut self) -> Result<()> {
        self.owned.close()
    }

    /// Reads `packed` into `out` until one of the two is used up. They may be parts of one buffer.
    #[napi(ts_args_type = "packed: Uint8Array, out: Uint8Array")]
    pub fn run(&mut self, packed: Argument, mut out: Argument) -> Result<Unzstded> {
        self.owned.run(|Decoder { context, is_whole, weight }| {
            let packed = packed.input_beside("packed", &out)?;
            let out = out.output("out")?;
            let (packed, out_len) = (packed.get(..u32::MAX as usize).unwrap_or(&packed), out.len());
            let out = &mut out[..out_len.min(u32::MAX as usize)];
            let (mut from, mut to) = (InBuffer::around(packed), OutBuffer::around(out));
            while from.pos() < packed.len() && to.pos() < to.capacity() {
                // 0 = a frame has ended; what follows is the next one's.
                *is_whole = context.decompress_stream(&mut to, &mut from).map_err(refused)? == 0;
            }
            weight.tell(context.sizeof());
            Ok(Unzstded { consumed: from.pos() as u32, produced: to.pos() as u32, is_whole: *is_whole })
        })
    }
}

fn refused(cause: usize) -> napi::Error<Code> {
    let expected = "whole frames of a window up to 128 MiB";
    let account = Account::new("zstd data is damaged", expected, get_error_name(cause));
    error("addon.zstd", account, "copy the file again; zstd -t FILE tells whether it is whole")
}

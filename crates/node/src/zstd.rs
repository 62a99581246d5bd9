//! The exported `Unzstd`: Node 20 cannot undo zstd by itself.

use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;
use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};

use crate::guard::{Result, error, guard};

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
    decoder: Decoder<'static>,
    is_whole: bool,
    failed: bool,
}

#[napi]
impl Unzstd {
    /// At the start of a file.
    #[napi(constructor)]
    pub fn new() -> Result<Self> {
        guard(&mut false, || {
            let decoder = Decoder::new().map_err(refused)?;
            Ok(Self { decoder, is_whole: true, failed: false })
        })
    }

    /// Reads `packed` into `out` until one of the two is used up.
    #[napi]
    pub fn run(&mut self, packed: &[u8], mut out: Uint8Array) -> Result<Unzstded> {
        let Self { decoder, is_whole, failed } = self;
        guard(failed, || {
            // SAFETY:
            // - the view was made by the caller's thread for this call and is not kept;
            // - it is this thread's memory, which the caller hands to nobody while the call runs;
            // - nothing below calls back into JavaScript, so it can be neither detached nor read meanwhile.
            let out = unsafe { out.as_mut() };
            let (mut from, mut to) = (InBuffer::around(packed), OutBuffer::around(out));
            while from.pos() < packed.len() && to.pos() < to.capacity() {
                // 0 = a frame has ended; what follows is the next one's.
                *is_whole = decoder.run(&mut from, &mut to).map_err(refused)? == 0;
            }
            Ok(Unzstded { consumed: from.pos() as u32, produced: to.pos() as u32, is_whole: *is_whole })
        })
    }
}

fn refused(cause: std::io::Error) -> napi::Error<crate::guard::Code> {
    let what = format!("zstd data is damaged; expected whole frames of a window up to 128 MiB, got {cause}");
    error("addon.zstd", what, "copy the file again; zstd -t FILE tells whether it is whole")
}

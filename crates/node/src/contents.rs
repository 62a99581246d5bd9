//! The exported `RecordingContents`: what a recording tells, frame by frame.

use depthwire_core::engine::{Brings, Contents, EngineError, IngestError, Told};
use napi_derive::napi;

use crate::argument::Argument;
use crate::guard::{Code, Owned, Result, error, guard};
use crate::instruments::venue_of;
use crate::simulator::too_small;
use crate::state::engine_error;

/// Bytes before each frame; see [`RecordingContents::read`].
const HEADER_BYTES: usize = 24;

/// Room for the longest line of a recording: while as much is left, another frame is read.
const FRAME_BYTES_MAX: usize = 16 << 20;

/// The place of an instrument where there is none.
const NO_SUBJECT: u32 = u32::MAX;

/// How far one call has come.
#[napi(object)]
pub struct ContentsRead {
    /// Bytes of the recording used; the rest goes in again, at the head of the next call.
    pub consumed: u32,
    /// Bytes written.
    pub produced: u32,
}

/// Reads a recording of one product into frames, each with its instrument and what it brings.
#[napi]
pub struct RecordingContents {
    owned: Owned<Contents>,
}

#[napi]
impl RecordingContents {
    /// At the start of a recording. `symbols` holds those of its instruments that are wanted, as UTF-8 with a line each; what
    /// is said of others is left out. Throws `instrument.*`, `engine.*`.
    #[napi(constructor, ts_args_type = "venue: string, symbols: Uint8Array")]
    pub fn new(venue: Argument, symbols: Argument) -> Result<Self> {
        guard(|| {
            let venue = venue_of(&venue)?;
            let symbols = symbols.input("symbols")?;
            let symbols = String::from_utf8_lossy(&symbols);
            let symbols: Vec<&str> = symbols.lines().collect();
            let contents = Contents::new(venue, &symbols).map_err(engine_error)?;
            Ok(Self { owned: Owned::Open(contents) })
        })
    }

    /// Gives the memory back at once. Any other use after it throws `addon.closed`.
    #[napi]
    pub fn close(&mut self) -> Result<()> {
        self.owned.close()
    }

    /// Writes frames while 16 MiB and 24 bytes of `out` are free. `last`: the bytes of this file end here. Each stands behind
    /// its bytes, its channel, the place of its instrument in the list (4,294,967,295 = of none, or of several), the number of
    /// its connection (32 bits each) and its time in ns, 0 = unknown (64 bits), little-endian. Channels are those of
    /// `Dialect.step`, where 0 says nothing of a market; 7 is the answer to a request for a book, 8 what a connection said to its
    /// client before it told of a market. Throws `recording.*` for what is no recording.
    #[napi(ts_args_type = "bytes: Uint8Array, last: boolean, out: Uint8Array")]
    pub fn read(&mut self, bytes: Argument, last: Argument, mut out: Argument) -> Result<ContentsRead> {
        self.owned.run(|contents| {
            let (bytes, last) = (bytes.input_beside("bytes", &out)?, last.flag("last")?);
            let out = out.output("out")?;
            if out.len() < HEADER_BYTES + FRAME_BYTES_MAX {
                return Err(too_small(HEADER_BYTES + FRAME_BYTES_MAX));
            }
            let (mut written, mut refused) = (0, None);
            let consumed = contents.read(&bytes, last, |told| {
                let len = HEADER_BYTES + told.bytes.len();
                let Some(room) = out.get_mut(written..written + len) else {
                    refused = Some(len);
                    return false;
                };
                let (header, place) = room.split_at_mut(HEADER_BYTES);
                header.copy_from_slice(&header_of(&told));
                place.copy_from_slice(told.bytes);
                written += len;
                out.len() - written >= HEADER_BYTES + FRAME_BYTES_MAX
            });
            if let Some(len) = refused {
                return Err(too_small(len));
            }
            let consumed = consumed.map_err(unread)?;
            if last && consumed == bytes.len() {
                contents.file_ended();
            }
            Ok(ContentsRead { consumed: consumed as u32, produced: written as u32 })
        })
    }

    /// The exponents of ten of an instrument's prices and quantities that hold every number of its frames so far.
    #[napi(ts_args_type = "index: number")]
    pub fn exponents(&mut self, index: Argument) -> Result<Vec<i32>> {
        self.owned.run(|contents| {
            let index = index.u32("index")?;
            let (price, qty) = contents
                .exponents(index)
                .ok_or(EngineError::UnknownInstrument(index))
                .map_err(engine_error)?;
            Ok(vec![price.into(), qty.into()])
        })
    }
}

fn header_of(told: &Told<'_>) -> [u8; HEADER_BYTES] {
    let numbers =
        [told.bytes.len() as u32, number(told.brings), told.subject.unwrap_or(NO_SUBJECT), told.line];
    let mut header = [0; HEADER_BYTES];
    let (front, time) = header.split_at_mut(HEADER_BYTES - 8);
    front.copy_from_slice(numbers.map(u32::to_le_bytes).as_flattened());
    time.copy_from_slice(&told.ts.to_le_bytes());
    header
}

/// The order of `FRAME_CHANNELS` in TypeScript, and what no dialect has.
const fn number(brings: Brings) -> u32 {
    match brings {
        Brings::Nothing => 0,
        Brings::Definition => 1,
        Brings::Book => 2,
        Brings::Orders => 3,
        Brings::Trades => 4,
        Brings::Ticker => 5,
        Brings::Answer => 7,
        Brings::Greeting => 8,
    }
}

fn unread(wrong: IngestError) -> napi::Error<Code> {
    error(wrong.code(), wrong.account(), wrong.fix())
}

//! The exported `Engine`: levels of a book for the thread that runs it.

use std::ffi::CStr;

use depthwire_core::types::{InstrumentId, Side};
use napi_derive::napi;

use crate::argument::Argument;
use crate::bound::Call;
use crate::engine::{Engine, unknown};
use crate::guard::Result;
use crate::state::State;

/// Numbers of 64 bits in front of the levels.
const HEAD: usize = 9;
/// Numbers of 64 bits of a level.
const LEVEL: usize = 2;

#[napi]
impl Engine {
    /// Writes the best levels of a book, whatever its state, as little-endian integers of 64 bits: number of bids, number of
    /// asks, the worst price to which bids are known (the least integer = all), that of asks (the greatest = all), the numbers of
    /// the state and of its reason, epoch, sequence of the `book` stream and the venue's sequence (without signs), then bids
    /// and asks, best first, each as price and quantity. Returns the bytes, negative = minus the bytes that it needs. Cost: the
    /// levels.
    #[napi(ts_args_type = "instrument: number, depth: number, out: Uint8Array")]
    pub fn levels(&self, instrument: Argument, depth: Argument, out: Argument) -> Result<i32> {
        self.run(|state| Levels::call(state, [instrument, depth, out]))
    }
}

/// `(instrument, depth, out)`
pub(crate) struct Levels;

impl Call<3> for Levels {
    const NAME: &'static CStr = c"levels";
    type Answer = i32;

    fn call(state: &mut State, [instrument, depth, mut out]: [Argument; 3]) -> Result<i32> {
        let id = InstrumentId(instrument.u32("instrument")?);
        let depth = depth.u32("depth")? as usize;
        let info = state.engine.book_info(id, state.now()).ok_or_else(|| unknown(id))?;
        let book = state.engine.book(id).ok_or_else(|| unknown(id))?;
        let (bids, asks) = (book.len(Side::Bid).min(depth), book.len(Side::Ask).min(depth));
        let needed = (HEAD + (bids + asks) * LEVEL) * size_of::<i64>();
        // A book has at most 2^20 levels.
        let bytes = i32::try_from(needed).unwrap_or(i32::MAX);
        let Some(room) = out.output("out")?.get_mut(..needed) else { return Ok(-bytes) };
        let known_to = book.known_to();
        let (code, reason) = (info.state.code().into(), info.state.reason_code().into());
        let place = [info.epoch, info.seq, info.venue_seq].map(|number| number as i64);
        let head = [bids as i64, asks as i64, known_to.bid.0, known_to.ask.0, code, reason];
        let levels = book.levels(Side::Bid).take(bids).chain(book.levels(Side::Ask).take(asks));
        let numbers =
            head.into_iter().chain(place).chain(levels.flat_map(|level| [level.price.0, level.qty.0]));
        for (word, number) in room.as_chunks_mut().0.iter_mut().zip(numbers) {
            *word = number.to_le_bytes();
        }
        Ok(bytes)
    }
}

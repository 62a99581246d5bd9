//! What of an engine is called for every frame, tick or read: the bodies of its bound functions, and of the methods of the
//! same names.

use std::ffi::CStr;
use std::rc::Rc;

use depthwire_core::decode::FRAME_BYTES_MAX;
use depthwire_core::encode::Stream;
use depthwire_core::types::{Clock, InstrumentId};
use napi::{Env, sys};

use crate::argument::Argument;
use crate::bound::{Call, give};
use crate::guard::Result;
use crate::holders::Held;
use crate::levels::Levels;
use crate::state::{State, engine_error};

/// Gives an engine's object its bound functions.
pub(crate) fn give_all(env: &Env, held: &Rc<Held>, object: sys::napi_value) -> Result<()> {
    give::<Tick, 0>(env, held, object)?;
    give::<Pump, 0>(env, held, object)?;
    give::<NowNs, 0>(env, held, object)?;
    give::<RecordedNs, 0>(env, held, object)?;
    give::<IngestRecording, 4>(env, held, object)?;
    give::<IngestSnapshot, 3>(env, held, object)?;
    give::<Image, 3>(env, held, object)?;
    give::<Levels, 3>(env, held, object)
}

/// `(source, bytes)`
pub(crate) struct Ingest;

impl Call<2> for Ingest {
    const NAME: &'static CStr = c"ingest";
    type Answer = u32;

    #[inline]
    fn call(state: &mut State, [source, bytes]: [Argument; 2]) -> Result<u32> {
        let source = source.u32("source")?;
        Ok(state.ingest(source, &bytes.input_up_to("bytes", FRAME_BYTES_MAX)?))
    }
}

/// The same where some frames are stamped.
pub(crate) struct IngestSampled;

impl Call<2> for IngestSampled {
    const NAME: &'static CStr = Ingest::NAME;
    type Answer = u32;

    #[inline]
    fn call(state: &mut State, [source, bytes]: [Argument; 2]) -> Result<u32> {
        let source = source.u32("source")?;
        Ok(state.ingest_sampled(source, &bytes.input_up_to("bytes", FRAME_BYTES_MAX)?))
    }
}

/// `(source, bytes, untilNs, last)`
pub(crate) struct IngestRecording;

impl Call<4> for IngestRecording {
    const NAME: &'static CStr = c"ingestRecording";
    type Answer = u32;

    fn call(state: &mut State, [source, bytes, until_ns, last]: [Argument; 4]) -> Result<u32> {
        let (source, until) = (source.u32("source")?, until_ns.u64("untilNs")?);
        state.ingest_recording(source, &bytes.input("bytes")?, until, last.flag("last")?)
    }
}

/// `(instrument, ticket, bytes)`
pub(crate) struct IngestSnapshot;

impl Call<3> for IngestSnapshot {
    const NAME: &'static CStr = c"ingestSnapshot";
    type Answer = u32;

    fn call(state: &mut State, [instrument, ticket, bytes]: [Argument; 3]) -> Result<u32> {
        let (instrument, ticket) = (instrument.u32("instrument")?, ticket.u32("ticket")?);
        let bytes = bytes.input("bytes")?;
        let now = state.now();
        state.record.answered(&mut state.engine, InstrumentId(instrument), &bytes, now);
        Ok(state.input_at(
            now,
            bytes.len(),
            |engine, now| engine.answer(InstrumentId(instrument), ticket, &bytes, now),
            || format!("snapshot of instrument {instrument}"),
        ))
    }
}

pub(crate) struct Tick;

impl Call<0> for Tick {
    const NAME: &'static CStr = c"tick";
    type Answer = u32;

    #[inline]
    fn call(state: &mut State, _: [Argument; 0]) -> Result<u32> {
        Ok(state.tick())
    }
}

pub(crate) struct Pump;

impl Call<0> for Pump {
    const NAME: &'static CStr = c"pump";
    type Answer = u32;

    #[inline]
    fn call(state: &mut State, _: [Argument; 0]) -> Result<u32> {
        Ok(state.flush())
    }
}

pub(crate) struct NowNs;

impl Call<0> for NowNs {
    const NAME: &'static CStr = c"nowNs";
    type Answer = u64;

    #[inline]
    fn call(state: &mut State, _: [Argument; 0]) -> Result<u64> {
        Ok(state.clock().now())
    }
}

pub(crate) struct RecordedNs;

impl Call<0> for RecordedNs {
    const NAME: &'static CStr = c"recordedNs";
    type Answer = u64;

    #[inline]
    fn call(state: &mut State, _: [Argument; 0]) -> Result<u64> {
        Ok(state.recorded())
    }
}

/// `(instrument, stream, out)`
pub(crate) struct Image;

impl Call<3> for Image {
    const NAME: &'static CStr = c"image";
    type Answer = i32;

    fn call(state: &mut State, [instrument, stream, mut out]: [Argument; 3]) -> Result<i32> {
        let now = state.now();
        let (id, stream) = (InstrumentId(instrument.u32("instrument")?), Stream(stream.u8("stream")?));
        let out = out.output("out")?;
        let mut size = 0usize;
        let written = state.engine.image(id, stream, now, |frame| {
            if let Some(room) = out.get_mut(size..size + frame.len()) {
                room.copy_from_slice(frame);
            }
            size += frame.len();
        });
        written.map_err(engine_error)?;
        let bytes = i32::try_from(size).unwrap_or(i32::MAX);
        Ok(if size <= out.len() { bytes } else { -bytes })
    }
}

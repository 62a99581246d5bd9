//! The segments of a journal of frames: what was published, as it was.

use super::entry::{Step, What};
use super::error::RecordingError;
use crate::encode::find_header;
use crate::journal::{FrameItem, FrameReader, FrameRecorded};
use crate::types::TimeNs;

/// Offset of the time of receipt in a frame's header.
const AT_TS_RECV: usize = 40;

/// Reads the segments one after the other: what is missing between two of them is told by the second.
#[derive(Clone, Debug, Default)]
pub(super) struct Frames {
    /// Made with the first segment: it has room for a block.
    reader: Option<Box<FrameReader>>,
    /// Whether the last step was a frame.
    is_frame: bool,
    /// The number of what was told last.
    seq: u64,
}

impl Frames {
    /// The frame, or the text, that was told last.
    pub(super) fn told_last(&self) -> &[u8] {
        self.reader.as_ref().map_or(&[], |reader| reader.told_last())
    }

    /// The number of the frame that was told last; of an error that of the frame that was due.
    pub(super) const fn seq(&self) -> u64 {
        self.seq
    }

    /// The number of the frame that is due, and whether the segment was closed in order.
    pub(super) fn standing(&self) -> (u64, bool) {
        self.reader.as_ref().map_or((0, false), |reader| (reader.next_seq(), reader.was_closed()))
    }

    /// Another segment follows.
    pub(super) fn segment_ended(&mut self) {
        if let Some(reader) = &mut self.reader {
            reader.segment_ended();
        }
    }

    /// What was told last is not wanted yet.
    pub(super) fn put_back(&mut self) {
        if let Some(reader) = self.reader.as_mut().filter(|_| std::mem::take(&mut self.is_frame)) {
            reader.put_back();
        }
    }

    pub(super) fn next(&mut self, bytes: &[u8], at: &mut usize, last: bool) -> Option<Step> {
        self.is_frame = false;
        let reader = self.reader.get_or_insert_default();
        let FrameRecorded { start, end, seq, what } = match reader.next(bytes, *at, last) {
            Ok(recorded) => recorded,
            Err(consumed) => {
                *at = consumed;
                return None;
            }
        };
        (*at, self.seq) = (end, seq);
        let (ts, what) = match what {
            Ok(FrameItem::Frame(frame)) => (received_at(frame), What::Published),
            Ok(FrameItem::Instrument(_)) => (0, What::Listed),
            Ok(FrameItem::Began) => (0, What::Began),
            Err(error) => return Some(Step::refused(start, RecordingError::Journal(error))),
        };
        self.is_frame = matches!(what, What::Published);
        Some(Step { start, ts, what: Ok(what) })
    }
}

/// When the input arrived that a frame was published for; 0 where it does not say.
fn received_at(frame: &[u8]) -> TimeNs {
    let time = find_header(frame).and_then(|at| frame.get(at + AT_TS_RECV..)?.first_chunk());
    time.map_or(0, |time| u64::from_le_bytes(*time))
}

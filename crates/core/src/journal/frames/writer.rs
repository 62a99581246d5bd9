//! Frames into blocks of a segment.

use super::encoder::Encoder;
use super::model::word_at;
use super::shape::FRAME_BYTES_MAX;
use crate::encode::find_header;
use crate::journal::block::{BlockHeader, BlockKind};
use crate::journal::error::JournalError;
use crate::journal::segment::{FRAMES_MAGIC, SegmentHeader};

/// A block ends behind so many frames, or with one that makes it larger than 2 MiB.
pub const BLOCK_FRAMES: u32 = 1 << 16;
/// A block ends when it takes about so many bytes.
pub const BLOCK_BYTES: usize = 2 << 20;

/// Offset of the time of receipt in a frame's header.
const AT_TS_RECV: usize = 40;

/// Writes one segment of frames. It keeps what a block waits for: some 16 MB.
///
/// Frames are kept byte for byte but for their time of sending, which is 0 in what comes back.
#[derive(Clone, Debug)]
pub struct FrameWriter {
    /// The checksum of the segment's head.
    segment: u32,
    next_seq: u64,
    encoder: Encoder,
    first_ts: u64,
    last_ts: u64,
}

impl FrameWriter {
    /// Begins a segment: its head is appended to `out`. The number of its first frame is that of the header.
    #[must_use]
    pub fn begin(header: SegmentHeader, out: &mut Vec<u8>) -> Self {
        let mut writer =
            Self { segment: 0, next_seq: 0, encoder: Encoder::default(), first_ts: 0, last_ts: 0 };
        writer.begin_segment(header, out);
        writer
    }

    fn begin_segment(&mut self, header: SegmentHeader, out: &mut Vec<u8>) {
        let bytes = header.bytes_behind(FRAMES_MAGIC);
        out.extend_from_slice(&bytes);
        (self.segment, self.next_seq) = (SegmentHeader::checksum(&bytes), header.first_seq);
    }

    /// The number of the next frame.
    #[must_use]
    pub const fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Takes a frame, its size in front, and says its number. A block that it fills is appended to `out`. Bytes that are no frame
    /// of the feed come back as they are, too.
    ///
    /// Cost: some hundred nanoseconds, and where a block is full those of packing its numbers.
    ///
    /// # Errors
    /// [`JournalError::BlockTooLarge`] for more bytes than any frame has; nothing has changed then.
    pub fn frame(&mut self, frame: &[u8], out: &mut Vec<u8>) -> Result<u64, JournalError> {
        check_size(frame)?;
        if let Some(at) = find_header(frame) {
            self.last_ts = word_at(frame, at + AT_TS_RECV);
            if self.encoder.count() == 0 {
                self.first_ts = self.last_ts;
            }
        }
        self.encoder.frame(frame);
        Ok(self.took(out))
    }

    /// Takes an instrument as the catalogue has it: frames behind it have its number.
    ///
    /// # Errors
    /// As [`Self::frame`].
    pub fn instrument(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<u64, JournalError> {
        check_size(text)?;
        self.encoder.instrument(text);
        Ok(self.took(out))
    }

    fn took(&mut self, out: &mut Vec<u8>) -> u64 {
        let seq = self.next_seq;
        self.next_seq += 1;
        let encoder = &self.encoder;
        if encoder.count() >= BLOCK_FRAMES || encoder.bytes() >= BLOCK_BYTES || encoder.is_full() {
            self.flush(out);
        }
        seq
    }

    /// Appends the block of all frames that wait to `out`, if there are any.
    pub fn flush(&mut self, out: &mut Vec<u8>) {
        let count = self.encoder.count();
        if count > 0 {
            let mut body = Vec::new();
            self.encoder.finish(&mut body);
            self.put_block(BlockKind::Frames, count, &body, out);
        }
    }

    /// Appends what waits, and the block that says that no more follows.
    pub fn close(mut self, out: &mut Vec<u8>) {
        self.end_segment(out);
    }

    /// Ends the segment in `out` and begins the next one in `next`, whose header has another number and time.
    pub fn turn(&mut self, header: SegmentHeader, out: &mut Vec<u8>, next: &mut Vec<u8>) {
        self.end_segment(out);
        self.begin_segment(SegmentHeader { first_seq: self.next_seq, ..header }, next);
    }

    fn end_segment(&mut self, out: &mut Vec<u8>) {
        self.flush(out);
        self.put_block(BlockKind::End, 0, &[], out);
    }

    fn put_block(&mut self, kind: BlockKind, count: u32, body: &[u8], out: &mut Vec<u8>) {
        let crc = crc32c::crc32c(body);
        let header = BlockHeader {
            kind,
            first_seq: self.next_seq - u64::from(count),
            count,
            bytes: body.len() as u32,
            crc,
            segment: self.segment,
            first_ts: self.first_ts,
            last_ts: self.last_ts,
        };
        out.extend_from_slice(&header.to_bytes());
        out.extend_from_slice(body);
    }
}

fn check_size(bytes: &[u8]) -> Result<(), JournalError> {
    if bytes.len() > FRAME_BYTES_MAX {
        return Err(JournalError::BlockTooLarge { len: u32::try_from(bytes.len()).unwrap_or(u32::MAX) });
    }
    Ok(())
}

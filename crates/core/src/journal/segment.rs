//! The head of a segment: which journal it is of, and its place in it.

use super::error::JournalError;

/// Bytes of the head.
pub const SEGMENT_HEADER_BYTES: usize = 64;
/// First bytes of every segment. A copy that changed line ends does not begin so.
pub const MAGIC: [u8; 8] = *b"DWJRNL\r\n";
/// First bytes of a segment of frames.
pub const FRAMES_MAGIC: [u8; 8] = *b"DWFRMS\r\n";
/// The version that is written, and the only one that is read.
pub const VERSION: u16 = 1;

const CRC_AT: usize = SEGMENT_HEADER_BYTES - 4;

/// What a segment says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentHeader {
    /// The journal that it is of: a number by chance, the same in all of its segments.
    pub journal: u64,
    /// Its number within the journal, from 0.
    pub number: u64,
    /// The number of its first record.
    pub first_seq: u64,
    /// When it was begun, ns since the epoch.
    pub created: u64,
}

impl SegmentHeader {
    /// Its bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; SEGMENT_HEADER_BYTES] {
        self.bytes_behind(MAGIC)
    }

    /// Its bytes in a journal that begins with others than [`MAGIC`].
    pub(super) fn bytes_behind(self, magic: [u8; 8]) -> [u8; SEGMENT_HEADER_BYTES] {
        let mut bytes = [0; SEGMENT_HEADER_BYTES];
        bytes[..8].copy_from_slice(&magic);
        bytes[8..10].copy_from_slice(&VERSION.to_le_bytes());
        for (at, word) in [self.journal, self.number, self.first_seq, self.created].into_iter().enumerate() {
            bytes[16 + 8 * at..24 + 8 * at].copy_from_slice(&word.to_le_bytes());
        }
        let crc = crc32c::crc32c(&bytes[..CRC_AT]);
        bytes[CRC_AT..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// The checksum in the bytes of a head, which every block of the segment names.
    #[must_use]
    pub const fn checksum(bytes: &[u8; SEGMENT_HEADER_BYTES]) -> u32 {
        u32::from_le_bytes([bytes[CRC_AT], bytes[CRC_AT + 1], bytes[CRC_AT + 2], bytes[CRC_AT + 3]])
    }

    /// Reads a head.
    ///
    /// # Errors
    /// [`JournalError::NotJournal`], [`JournalError::UnknownVersion`], [`JournalError::DamagedSegment`].
    pub fn read(bytes: &[u8; SEGMENT_HEADER_BYTES]) -> Result<Self, JournalError> {
        Self::read_behind(MAGIC, bytes)
    }

    /// Reads that of a segment of frames.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_of_frames(bytes: &[u8; SEGMENT_HEADER_BYTES]) -> Result<Self, JournalError> {
        Self::read_behind(FRAMES_MAGIC, bytes)
    }

    /// Reads one that begins with others than [`MAGIC`].
    pub(super) fn read_behind(
        magic: [u8; 8],
        bytes: &[u8; SEGMENT_HEADER_BYTES],
    ) -> Result<Self, JournalError> {
        if bytes[..8] != magic {
            return Err(JournalError::NotJournal { got: [bytes[0], bytes[1], bytes[2], bytes[3]] });
        }
        if Self::checksum(bytes) != crc32c::crc32c(&bytes[..CRC_AT]) {
            return Err(JournalError::DamagedSegment);
        }
        // The checksum is right, so this is what its writer meant.
        let version = u16::from_le_bytes([bytes[8], bytes[9]]);
        if version != VERSION {
            return Err(JournalError::UnknownVersion { got: version });
        }
        let word = |at: usize| {
            let mut word = [0; 8];
            word.copy_from_slice(&bytes[at..at + 8]);
            u64::from_le_bytes(word)
        };
        Ok(Self { journal: word(16), number: word(24), first_seq: word(32), created: word(40) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: SegmentHeader =
        SegmentHeader { journal: 1 << 40, number: 2, first_seq: 3, created: u64::MAX };

    #[test]
    fn a_head_comes_back() {
        let bytes = HEADER.to_bytes();
        assert_eq!(SegmentHeader::read(&bytes), Ok(HEADER));
        assert_eq!(SegmentHeader::checksum(&bytes), crc32c::crc32c(&bytes[..CRC_AT]));
    }

    #[test]
    fn every_flipped_bit_is_seen() {
        for bit in 0..SEGMENT_HEADER_BYTES * 8 {
            let mut bytes = HEADER.to_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let error = SegmentHeader::read(&bytes).unwrap_err();
            let is_magic = bit < 64;
            assert_eq!(matches!(error, JournalError::NotJournal { .. }), is_magic);
            assert_eq!(error == JournalError::DamagedSegment, !is_magic);
        }
    }

    #[test]
    fn another_version_is_refused_by_its_number() {
        let mut bytes = HEADER.to_bytes();
        bytes[8] = 2;
        let crc = crc32c::crc32c(&bytes[..CRC_AT]);
        bytes[CRC_AT..].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(SegmentHeader::read(&bytes), Err(JournalError::UnknownVersion { got: 2 }));
    }
}

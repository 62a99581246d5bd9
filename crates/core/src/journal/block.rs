//! The head of a block: what records it holds, and the checksums by which it is known to be whole.

use super::error::JournalError;

/// Bytes of the head.
pub const BLOCK_HEADER_BYTES: usize = 64;
/// Most bytes of a block's records. A record is never divided; the largest are DBN's metadata of up to 64 MiB.
pub const BLOCK_BYTES_MAX: u32 = (64 << 20) + (1 << 20);

const MAGIC: [u8; 4] = *b"DWJB";
const CRC_AT: usize = BLOCK_HEADER_BYTES - 4;

/// What a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum BlockKind {
    /// Records.
    Records = 0,
    /// Nothing: the segment was closed in order, and no record is missing at its end.
    End = 1,
    /// Frames of the feed, in columns.
    Frames = 2,
}

/// What a block says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockHeader {
    /// What it is.
    pub kind: BlockKind,
    /// The number of its first record; each has the next number.
    pub first_seq: u64,
    /// How many records it holds.
    pub count: u32,
    /// Bytes of the records.
    pub bytes: u32,
    /// CRC32C of the records.
    pub crc: u32,
    /// The checksum of its segment's head: a block of another one shows by it.
    pub segment: u32,
    /// When the first record was heard and the last, ns since the epoch; 0 = it does not say.
    pub first_ts: u64,
    /// The same of the last.
    pub last_ts: u64,
}

impl BlockHeader {
    /// Its bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; BLOCK_HEADER_BYTES] {
        let mut bytes = [0; BLOCK_HEADER_BYTES];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4..6].copy_from_slice(&(self.kind as u16).to_le_bytes());
        for (at, word) in [(8, self.first_seq), (40, self.first_ts), (48, self.last_ts)] {
            bytes[at..at + 8].copy_from_slice(&word.to_le_bytes());
        }
        for (at, word) in [(16, self.count), (20, self.bytes), (28, self.crc), (36, self.segment)] {
            bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
        }
        let crc = crc32c::crc32c(&bytes[..CRC_AT]);
        bytes[CRC_AT..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads a head.
    ///
    /// # Errors
    /// [`JournalError::DamagedHead`] where it is none or not what was written,
    /// [`JournalError::UnknownBlock`], [`JournalError::BlockTooLarge`].
    pub fn read(bytes: &[u8; BLOCK_HEADER_BYTES]) -> Result<Self, JournalError> {
        let crc = crc32c::crc32c(&bytes[..CRC_AT]);
        if bytes[..4] != MAGIC || bytes[CRC_AT..] != crc.to_le_bytes() {
            return Err(JournalError::DamagedHead);
        }
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let wide = |at: usize| u64::from(word(at)) | u64::from(word(at + 4)) << 32;
        let kind = match u16::from_le_bytes([bytes[4], bytes[5]]) {
            0 => BlockKind::Records,
            1 => BlockKind::End,
            2 => BlockKind::Frames,
            kind => return Err(JournalError::UnknownBlock { kind }),
        };
        let header = Self {
            kind,
            first_seq: wide(8),
            count: word(16),
            bytes: word(20),
            crc: word(28),
            segment: word(36),
            first_ts: wide(40),
            last_ts: wide(48),
        };
        if header.bytes > BLOCK_BYTES_MAX {
            return Err(JournalError::BlockTooLarge { len: header.bytes });
        }
        Ok(header)
    }

    /// Where in some bytes the next head of a block may begin: at its magic bytes, or at the last of them that are
    /// there.
    #[must_use]
    pub fn find(bytes: &[u8]) -> usize {
        let mut at = 0;
        while let Some(found) = memchr::memchr(MAGIC[0], &bytes[at..]) {
            at += found;
            let rest = &bytes[at..bytes.len().min(at + MAGIC.len())];
            if MAGIC.starts_with(rest) {
                return at;
            }
            at += 1;
        }
        bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: BlockHeader = BlockHeader {
        kind: BlockKind::Records,
        first_seq: u64::MAX - 1,
        count: 2,
        bytes: 3,
        crc: 5,
        segment: 7,
        first_ts: 1 << 60,
        last_ts: 9,
    };

    #[test]
    fn a_head_comes_back() {
        assert_eq!(BlockHeader::read(&HEADER.to_bytes()), Ok(HEADER));
        let end = BlockHeader { kind: BlockKind::End, ..HEADER };
        assert_eq!(BlockHeader::read(&end.to_bytes()), Ok(end));
        let frames = BlockHeader { kind: BlockKind::Frames, ..end };
        assert_eq!(BlockHeader::read(&frames.to_bytes()), Ok(frames));
    }

    #[test]
    fn every_flipped_bit_is_seen() {
        for bit in 0..BLOCK_HEADER_BYTES * 8 {
            let mut bytes = HEADER.to_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(BlockHeader::read(&bytes), Err(JournalError::DamagedHead));
        }
    }

    #[test]
    fn what_is_not_known_or_too_large_is_refused() {
        let bytes = BlockHeader { bytes: BLOCK_BYTES_MAX + 1, ..HEADER }.to_bytes();
        assert_eq!(BlockHeader::read(&bytes), Err(JournalError::BlockTooLarge { len: BLOCK_BYTES_MAX + 1 }));
        for kind in [3_u16, 0x100, 0xffff] {
            let mut bytes = HEADER.to_bytes();
            bytes[4..6].copy_from_slice(&kind.to_le_bytes());
            let crc = crc32c::crc32c(&bytes[..CRC_AT]);
            bytes[CRC_AT..].copy_from_slice(&crc.to_le_bytes());
            assert_eq!(BlockHeader::read(&bytes), Err(JournalError::UnknownBlock { kind }));
        }
    }

    #[test]
    fn the_next_head_is_found() {
        for (bytes, at) in [
            (&b"DWJB"[..], 0),
            (b"..DWJB..", 2),
            (b"DWJ.DDWJB", 5),
            (b"....DW", 4),
            (b"....D", 4),
            (b"DW.", 3),
            (b"", 0),
        ] {
            assert_eq!(BlockHeader::find(bytes), at, "{}", bytes.escape_ascii());
        }
    }
}

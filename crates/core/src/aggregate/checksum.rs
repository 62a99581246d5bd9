//! Checksums of a book, over integers: CRC32C of the raw little-endian levels, bids best first, then asks best first.

use crate::types::Level;

/// Levels a side that the first checksum covers.
pub const TOP_LEVELS: usize = 10;

/// CRC32C of the best ten of each side, and of all levels. Cost: linear; about a nanosecond a level.
#[must_use]
pub fn checksums(bids: &[Level], asks: &[Level]) -> (u32, u32) {
    let top = |levels: &[Level], crc| append(crc, &levels[..levels.len().min(TOP_LEVELS)]);
    (top(asks, top(bids, 0)), append(append(0, bids), asks))
}

fn append(mut crc: u32, levels: &[Level]) -> u32 {
    // Blocks of 64 levels, so that the hardware instruction runs over a kilobyte at a time.
    let mut block = [0u8; 64 * 16];
    for levels in levels.chunks(64) {
        for (bytes, level) in block.chunks_exact_mut(16).zip(levels) {
            let (price, qty) = bytes.split_at_mut(8);
            price.copy_from_slice(&level.price.0.to_le_bytes());
            qty.copy_from_slice(&level.qty.0.to_le_bytes());
        }
        crc = crc32c::crc32c_append(crc, &block[..levels.len() * 16]);
    }
    crc
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One bit at a time, by the definition of the reflected polynomial 0x82F63B78.
    fn crc32c_slow(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0u32, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0x82F6_3B78 & (crc & 1).wrapping_neg()))
        })
    }

    fn bytes(levels: &[Level]) -> Vec<u8> {
        levels.iter().flat_map(|l| [l.price.0.to_le_bytes(), l.qty.0.to_le_bytes()].concat()).collect()
    }

    #[test]
    fn equals_the_definition() {
        assert_eq!(crc32c_slow(b"123456789"), 0xE306_9283);
        let bids: Vec<_> = (0..150).map(|i| Level::new(10_000 - i, i + 1)).collect();
        let asks: Vec<_> = (0..7).map(|i| Level::new(10_001 + i, i * 3 + 1)).collect();
        let top = [bytes(&bids[..10]), bytes(&asks)].concat();
        let all = [bytes(&bids), bytes(&asks)].concat();
        assert_eq!(checksums(&bids, &asks), (crc32c_slow(&top), crc32c_slow(&all)));
        assert_eq!(checksums(&[], &[]), (0, 0));
    }
}

//! CRC-32 (IEEE 802.3, reflected, as zlib computes it) of a text, and of a text from those of its pieces.

use super::carryless::sum_of_products;

/// The polynomial, reflected: bit 31 − i is the coefficient of x^i.
const POLYNOMIAL: u32 = 0xEDB8_8320;

/// Bytes of the longest [`Piece`] that is printed: two numbers of 20 digits with points, signs and what joins them.
pub const PIECE_BYTES_MAX: usize = 48;

/// Bytes of the longest text that is joined from pieces.
const TEXT_BYTES_MAX: usize = (1 << 12) - 1;

/// The register times x.
const fn times_x(register: u32) -> u32 {
    (register >> 1) ^ (POLYNOMIAL & (register & 1).wrapping_neg())
}

/// `BYTES[n][b]`: the register after byte `b` and `n` zero bytes, from an empty one.
static BYTES: [[u32; 256]; 8] = {
    let mut table = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut register = byte as u32;
        let mut n = 0;
        while n < 8 {
            let mut bit = 0;
            while bit < 8 {
                register = times_x(register);
                bit += 1;
            }
            table[n][byte] = register;
            n += 1;
        }
        byte += 1;
    }
    table
};

/// `ZEROS[n][i][d]`: a register of `d << 4i` after `n` zero bytes. 512 bytes for each length: the few lengths that a
/// book's levels have stay in the nearest cache, which the usual four tables of 256 would not.
static ZEROS: [[[u32; 16]; 8]; PIECE_BYTES_MAX + 1] = {
    let mut table = [[[0; 16]; 8]; PIECE_BYTES_MAX + 1];
    let mut nibble = 0;
    while nibble < 8 {
        let mut digit = 0;
        while digit < 16 {
            let mut register = (digit as u32) << (4 * nibble);
            let mut n = 0;
            while n <= PIECE_BYTES_MAX {
                table[n][nibble][digit] = register;
                let mut bit = 0;
                while bit < 8 {
                    register = times_x(register);
                    bit += 1;
                }
                n += 1;
            }
            digit += 1;
        }
        nibble += 1;
    }
    table
};

/// `POWERS[n]`: x^(8n − 1).
pub(super) static POWERS: [u32; TEXT_BYTES_MAX + 1] = {
    let mut powers = [0; TEXT_BYTES_MAX + 1];
    let mut power = INVERSE_OF_X;
    let mut n = 0;
    while n <= TEXT_BYTES_MAX {
        powers[n] = power;
        let mut bit = 0;
        while bit < 8 {
            power = times_x(power);
            bit += 1;
        }
        n += 1;
    }
    powers
};

/// x^-1: what times x is 1, the highest bit.
const INVERSE_OF_X: u32 = ((1 << 31) ^ POLYNOMIAL) << 1 | 1;
const _: () = assert!(times_x(INVERSE_OF_X) == 1 << 31);

/// A text's part in the CRC of a longer text: the register that it leaves behind when it begins with an empty one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Piece {
    pub(super) register: u32,
    /// Bytes.
    pub(super) len: u32,
}

impl Piece {
    /// Stands for what cannot be printed: longer than all that can.
    pub(super) const UNPRINTABLE: Self = Self { register: 0, len: 1 << 16 };

    /// Stands before the first piece of a text where the register is not empty then.
    pub(super) const fn begin(register: u32) -> Self {
        Self { register, len: 0 }
    }

    /// The piece that pieces make, one behind the other.
    #[inline]
    pub(super) fn of_pieces(pieces: &[Self]) -> Self {
        let len = pieces.iter().fold(0, |len, piece| len + piece.len);
        join(pieces).map_or(Self::UNPRINTABLE, |register| Self { register, len })
    }

    /// The piece that the last `len` bytes make, `len` at most [`PIECE_BYTES_MAX`]. What lies before them is 0 down to
    /// the next multiple of eight: zeros before a text leave an empty register empty, so it is read in whole words.
    #[inline]
    pub(super) fn of_tail<const N: usize>(bytes: &[u8; N], len: usize) -> Self {
        const { assert!(N.is_multiple_of(8) && N >= PIECE_BYTES_MAX) };
        debug_assert!(len <= PIECE_BYTES_MAX);
        let words = bytes.as_chunks::<8>().0;
        let from = words.len().saturating_sub(len.div_ceil(8));
        let register = words
            .get(from..)
            .unwrap_or_default()
            .iter()
            .fold(0, |register, word| append_word(register, u64::from_le_bytes(*word)));
        Self { register, len: len as u32 }
    }
}

/// The register after eight more bytes, the first of them lowest.
#[inline]
fn append_word(register: u32, word: u64) -> u32 {
    let bytes = (word ^ u64::from(register)).to_le_bytes();
    let parts = bytes.iter().zip(BYTES.iter().rev());
    parts.fold(0, |sum, (&byte, table)| sum ^ table[usize::from(byte)])
}

/// The register after a piece. Eight look-ups beside each other for each [`PIECE_BYTES_MAX`] bytes.
#[inline]
pub(super) fn append(mut register: u32, piece: Piece) -> u32 {
    let mut len = piece.len as usize;
    while len > PIECE_BYTES_MAX {
        register = append_zeros(register, PIECE_BYTES_MAX);
        len -= PIECE_BYTES_MAX;
    }
    append_zeros(register, len) ^ piece.register
}

/// The register after zero bytes, at most [`PIECE_BYTES_MAX`].
#[inline]
fn append_zeros(register: u32, bytes: usize) -> u32 {
    let nibbles = ZEROS[bytes.min(PIECE_BYTES_MAX)].iter().enumerate();
    nibbles.fold(0, |sum, (at, table)| sum ^ table[(register >> (4 * at) & 15) as usize])
}

/// The register after pieces of a text, one behind the other. None where the text is too long, as with an
/// [`UNPRINTABLE`](Piece::UNPRINTABLE) piece.
///
/// Each piece is multiplied by the power of x that stands for what is behind it, and only the sum is made a register
/// again. Where the processor does not multiply so, the pieces are appended.
#[inline]
pub(super) fn join(pieces: &[Piece]) -> Option<u32> {
    let Some((sum, len)) = sum_of_products(pieces) else { return appended(pieces) };
    let joined = (len <= TEXT_BYTES_MAX).then(|| reduced(sum));
    debug_assert_eq!(joined, appended(pieces));
    joined
}

/// [`join`] by tables.
fn appended(pieces: &[Piece]) -> Option<u32> {
    let len = pieces.iter().fold(0, |len, piece| len + piece.len as usize);
    let append_all = || pieces.iter().fold(0, |register, piece| append(register, *piece));
    (len <= TEXT_BYTES_MAX).then(append_all)
}

/// The register that a sum of products of two registers is.
///
/// Such a product, with both reflected, has its x^0 in bit 62: as a register of 64 bits it is the product times x, so the
/// [`POWERS`] are one lower. Its lower half is four bytes behind its upper one.
#[inline]
fn reduced(product: u64) -> u32 {
    let [low, high] = [product as u32, (product >> 32) as u32];
    let bytes = low.to_le_bytes();
    let parts = bytes.iter().zip(BYTES[..4].iter().rev());
    parts.fold(high, |sum, (&byte, table)| sum ^ table[usize::from(byte)])
}

/// The register before a byte that leads to `after`.
pub(super) const fn before(after: u32, byte: u8) -> u32 {
    let mut at = 0;
    while at < 256 {
        // The highest bytes of the table are all different.
        if BYTES[0][at] >> 24 == after >> 24 {
            return (after ^ BYTES[0][at]) << 8 | at as u32 ^ byte as u32;
        }
        at += 1;
    }
    0
}

/// CRC-32 of a text. Some cycles for each eight bytes.
#[must_use]
pub fn crc32(text: &[u8]) -> u32 {
    let (words, rest) = text.as_chunks::<8>();
    let register = words.iter().fold(!0, |register, word| append_word(register, u64::from_le_bytes(*word)));
    !rest.iter().fold(register, |register, byte| register >> 8 ^ BYTES[0][usize::from(register as u8 ^ byte)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One bit at a time, by the definition.
    fn register_slow(register: u32, text: &[u8]) -> u32 {
        text.iter().fold(register, |register, &byte| {
            (0..8).fold(register ^ u32::from(byte), |register, _| times_x(register))
        })
    }

    fn piece(text: &[u8]) -> Piece {
        let mut bytes = [0; PIECE_BYTES_MAX];
        bytes[PIECE_BYTES_MAX - text.len()..].copy_from_slice(text);
        Piece::of_tail(&bytes, text.len())
    }

    #[test]
    fn knows_the_published_value() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b""), 0);
    }

    proptest! {
        #[test]
        fn the_pieces_of_a_text_give_its_checksum(
            texts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..=PIECE_BYTES_MAX), 0..60),
            register in any::<u32>(),
        ) {
            let whole = texts.concat();
            let mut pieces = vec![Piece::begin(register)];
            pieces.extend(texts.iter().map(|text| piece(text)));
            let expected = register_slow(register, &whole);
            prop_assert_eq!(appended(&pieces), Some(expected));
            prop_assert_eq!(join(&pieces), Some(expected));
            let (first, last) = pieces.split_at(pieces.len() / 2);
            let both = [first, last].map(Piece::of_pieces);
            prop_assert_eq!((appended(&both), join(&both)), (Some(expected), Some(expected)));
            prop_assert_eq!(crc32(&whole), !register_slow(!0, &whole));
        }

        #[test]
        fn a_byte_is_taken_back(register in any::<u32>(), byte in any::<u8>()) {
            prop_assert_eq!(before(register_slow(register, &[byte]), byte), register);
        }
    }

    #[test]
    fn what_is_too_long_is_not_joined() {
        let long = piece(&[b'7'; PIECE_BYTES_MAX]);
        let mut most = vec![Piece::begin(!0)];
        most.extend([long; TEXT_BYTES_MAX / PIECE_BYTES_MAX]);
        let text = vec![b'7'; (most.len() - 1) * PIECE_BYTES_MAX];
        for join in [join, appended] {
            assert_eq!(join(&most), Some(!crc32(&text)));
            assert_eq!(join(&[&most[..], &[long]].concat()), None);
            assert_eq!(join(&[Piece::begin(7), long, Piece::UNPRINTABLE, long]), None);
            assert_eq!(join(&[Piece::begin(7)]), Some(7));
        }
    }
}

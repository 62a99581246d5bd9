//! CRC-32 (IEEE 802.3, reflected, as zlib computes it) of a text, and of a text from those of its pieces.

/// The polynomial, reflected: bit 31 − i is the coefficient of x^i.
const POLYNOMIAL: u32 = 0xEDB8_8320;

/// Bytes of the longest [`Piece`] that is printed: two numbers of 20 digits with points, signs and what joins them.
pub const PIECE_BYTES_MAX: usize = 48;

/// Bytes of the longest piece of two, for [`append`].
const PAIR_BYTES_MAX: usize = 2 * PIECE_BYTES_MAX;

/// Bytes of the longest piece of pieces, for [`append_long`].
const LONG_BYTES_MAX: usize = 10 * PIECE_BYTES_MAX;

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
static ZEROS: [[[u32; 16]; 8]; PAIR_BYTES_MAX + 1] = {
    let mut table = [[[0; 16]; 8]; PAIR_BYTES_MAX + 1];
    let mut nibble = 0;
    while nibble < 8 {
        let mut digit = 0;
        while digit < 16 {
            let mut register = (digit as u32) << (4 * nibble);
            let mut n = 0;
            while n <= PAIR_BYTES_MAX {
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
static POWERS: [u32; LONG_BYTES_MAX + 1] = {
    let mut powers = [0; LONG_BYTES_MAX + 1];
    let mut power = INVERSE_OF_X;
    let mut n = 0;
    while n <= LONG_BYTES_MAX {
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

/// The register after a piece of up to [`PAIR_BYTES_MAX`] bytes. Eight look-ups beside each other.
#[inline]
pub(super) fn append(register: u32, piece: Piece) -> u32 {
    let zeros = &ZEROS[(piece.len as usize).min(PAIR_BYTES_MAX)];
    let nibbles = zeros.iter().enumerate();
    nibbles.fold(piece.register, |sum, (at, table)| sum ^ table[(register >> (4 * at) & 15) as usize])
}

/// The register after a piece of up to [`LONG_BYTES_MAX`] bytes.
///
/// The product of two registers, with both reflected, has its x^0 in bit 62: as a register of 64 bits it is the product
/// times x, so the power is one lower. Its lower half is four bytes behind its upper one.
#[inline]
pub(super) fn append_long(register: u32, piece: Piece) -> u32 {
    let product = carryless_product(register, POWERS[(piece.len as usize).min(LONG_BYTES_MAX)]);
    let [low, high] = [product as u32, (product >> 32) as u32];
    let bytes = low.to_le_bytes();
    let parts = bytes.iter().zip(BYTES[..4].iter().rev());
    parts.fold(high ^ piece.register, |sum, (&byte, table)| sum ^ table[usize::from(byte)])
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

/// The product of two polynomials over bits, by multiplications of integers: of each factor every fourth bit is taken,
/// so that at most eight ones add up where the next four bits lie free to take the carries.
#[inline]
fn carryless_product(a: u32, b: u32) -> u64 {
    const EVERY_FOURTH: u64 = 0x1111_1111_1111_1111;
    let parts = |factor: u32| [0, 1, 2, 3].map(|at| u64::from(factor) & EVERY_FOURTH << at);
    let (a, b) = (parts(a), parts(b));
    let mut product = 0;
    for at in 0..4 {
        let mut sum = 0;
        for (i, a) in a.iter().enumerate() {
            // Modulo 2^64 nothing is lost: the factors have 32 bits.
            sum ^= a.wrapping_mul(b[(at + 4 - i) % 4]);
        }
        product |= sum & EVERY_FOURTH << at;
    }
    product
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
            texts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..=PIECE_BYTES_MAX), 0..10),
            register in any::<u32>(),
        ) {
            let whole = texts.concat();
            let pieces: Vec<_> = texts.iter().map(|text| piece(text)).collect();
            for pair in pieces.windows(2) {
                let both = Piece { register: append(pair[0].register, pair[1]), len: pair[0].len + pair[1].len };
                prop_assert_eq!(append(register, both), append(append(register, pair[0]), pair[1]));
            }
            let appended = pieces.iter().fold(register, |register, piece| append(register, *piece));
            prop_assert_eq!(appended, register_slow(register, &whole));
            let alone = pieces.iter().fold(0, |register, piece| append(register, *piece));
            prop_assert_eq!(append_long(register, Piece { register: alone, len: whole.len() as u32 }), appended);
            prop_assert_eq!(crc32(&whole), !register_slow(!0, &whole));
        }

        #[test]
        fn a_byte_is_taken_back(register in any::<u32>(), byte in any::<u8>()) {
            prop_assert_eq!(before(register_slow(register, &[byte]), byte), register);
        }

        #[test]
        fn multiplies_without_carries(a in any::<u32>(), b in any::<u32>()) {
            let slow = (0..32).filter(|at| b >> at & 1 == 1).fold(0, |sum, at| sum ^ u64::from(a) << at);
            prop_assert_eq!(carryless_product(a, b), slow);
        }
    }

    #[test]
    fn multiplies_the_greatest() {
        // 32 ones by 32 ones: most carries.
        let slow = (0..32).fold(0, |sum, at| sum ^ u64::from(u32::MAX) << at);
        assert_eq!(carryless_product(u32::MAX, u32::MAX), slow);
    }
}

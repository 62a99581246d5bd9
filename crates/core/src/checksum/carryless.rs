//! Products of polynomials over bits, which processors compute by an instruction.
#![allow(unsafe_code, reason = "not every processor has the instruction, so it stands in an unsafe function")]

use super::crc32::{POWERS, Piece};

/// The sum of the products of pieces' registers with the [`POWERS`] that stand for the bytes behind each; and the bytes of
/// all, without which it means nothing: behind too many there is no power. None where the processor does not multiply so.
#[inline]
pub(super) fn sum_of_products(pieces: &[Piece]) -> Option<(u64, usize)> {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("pclmulqdq") {
        // SAFETY: the function needs nothing but the instruction, and the processor has just been asked for it.
        return Some(unsafe { x86_64::sum_of_products(pieces) });
    }
    let _ = (pieces, &POWERS);
    None
}

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use core::arch::x86_64::{
        _mm_clmulepi64_si128, _mm_cvtsi32_si128, _mm_cvtsi128_si64, _mm_setzero_si128, _mm_xor_si128,
    };

    use super::{POWERS, Piece};

    #[target_feature(enable = "pclmulqdq")]
    pub(super) fn sum_of_products(pieces: &[Piece]) -> (u64, usize) {
        let (mut sum, mut behind) = (_mm_setzero_si128(), 0);
        for piece in pieces.iter().rev() {
            let power = POWERS[behind % POWERS.len()];
            let factors =
                (_mm_cvtsi32_si128(piece.register.cast_signed()), _mm_cvtsi32_si128(power.cast_signed()));
            sum = _mm_xor_si128(sum, _mm_clmulepi64_si128::<0>(factors.0, factors.1));
            behind += piece.len as usize;
        }
        (_mm_cvtsi128_si64(sum).cast_unsigned(), behind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn product_slow(a: u32, b: u32) -> u64 {
        (0..32).filter(|at| b >> at & 1 == 1).fold(0, |sum, at| sum ^ u64::from(a) << at)
    }

    fn sum_slow(pieces: &[Piece]) -> (u64, usize) {
        pieces.iter().rev().fold((0, 0), |(sum, behind), piece| {
            (sum ^ product_slow(piece.register, POWERS[behind]), behind + piece.len as usize)
        })
    }

    proptest! {
        #[test]
        fn a_sum_is_that_of_its_products(
            pieces in proptest::collection::vec(
                (any::<u32>(), 0u32..40).prop_map(|(register, len)| Piece { register, len }), 0..60,
            ),
        ) {
            let slow = sum_slow(&pieces);
            // Nothing is computed where there is no instruction.
            prop_assert_eq!(sum_of_products(&pieces).unwrap_or(slow), slow);
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn nothing_is_computed_only_where_there_is_no_instruction() {
        let most = [Piece { register: u32::MAX, len: 7 }];
        let has_one = std::arch::is_x86_feature_detected!("pclmulqdq");
        assert_eq!(sum_of_products(&most), has_one.then(|| sum_slow(&most)));
    }
}

//! Numbers in as few bytes as they need: seven bits a byte, lowest first, the high bit set where another follows.

/// Bytes of the longest number.
pub(super) const VARINT_BYTES_MAX: usize = 10;

/// Appends a number.
#[inline]
pub(crate) fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Bytes that a number takes.
pub(super) const fn len(value: u64) -> usize {
    match 64 - value.leading_zeros() as usize {
        0 => 1,
        bits => bits.div_ceil(7),
    }
}

/// Takes a number off the front of some bytes. None where they end within it, or it has more than 64 bits or a byte
/// more than it needs: of each number there is one form.
#[inline]
pub(crate) fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for (at, &byte) in bytes.iter().enumerate().take(VARINT_BYTES_MAX) {
        let part = u64::from(byte & 0x7F);
        let shifted = part << (7 * at);
        if shifted >> (7 * at) != part {
            return None;
        }
        value |= shifted;
        if byte & 0x80 == 0 {
            if byte == 0 && at > 0 {
                return None;
            }
            *bytes = &bytes[at + 1..];
            return Some(value);
        }
    }
    None
}

/// A difference as a number that is small where the difference is, whichever its sign.
#[inline]
pub(crate) const fn zigzag(difference: i64) -> u64 {
    ((difference << 1) ^ (difference >> 63)) as u64
}

/// The difference again.
#[inline]
pub(crate) const fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_take_as_few_bytes_as_they_need() {
        for (value, bytes) in
            [(0, 1), (127, 1), (128, 2), (16_383, 2), (16_384, 3), (u64::MAX, VARINT_BYTES_MAX)]
        {
            let mut out = Vec::new();
            put(&mut out, value);
            assert_eq!((out.len(), len(value)), (bytes, bytes));
            assert_eq!(take(&mut out.as_slice()), Some(value));
            for cut in 0..bytes {
                assert_eq!(take(&mut &out[..cut]), None);
            }
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for bytes in [&[][..], &[0x80], &[0x80, 0], &[0xFF; 10], &[0xFF; 11], &[0x80; 10]] {
            assert_eq!(take(&mut &*bytes), None, "{bytes:?}");
        }
        let two = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2];
        assert_eq!(take(&mut two.as_slice()), None, "more than 64 bits");
    }

    proptest! {
        #[test]
        fn a_number_comes_back_and_leaves_the_rest(value: u64, rest: Vec<u8>) {
            let mut out = Vec::new();
            put(&mut out, value);
            out.extend(&rest);
            let mut bytes = out.as_slice();
            prop_assert_eq!(take(&mut bytes), Some(value));
            prop_assert_eq!(bytes, rest.as_slice());
        }

        #[test]
        fn a_difference_comes_back(difference: i64) {
            prop_assert_eq!(unzigzag(zigzag(difference)), difference);
            prop_assert!(difference.unsigned_abs() > 1 << 20 || zigzag(difference) <= 1 << 21);
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let mut rest = bytes.as_slice();
            let _ = take(&mut rest);
        }
    }
}

//! Texts that name orders, in 16 bytes where these hold them without loss.

use super::OrderName;

impl OrderName {
    /// The name that 16 bytes hold: a UUID in lower case, or 1 to 16 bytes without a zero. `None` for any other text, which needs a
    /// number.
    #[must_use]
    pub fn of_text(text: &[u8]) -> Option<Self> {
        if let Some(bytes) = uuid_bytes(text) {
            return Some(Self::Uuid(bytes));
        }
        if text.is_empty() || text.len() > 16 || text.contains(&0) {
            return None;
        }
        let mut bytes = [0; 16];
        bytes[..text.len()].copy_from_slice(text);
        Some(Self::Text(bytes))
    }
}

impl OrderName {
    /// What 16 bytes on the wire name, by their kind; `None` for a kind that there is not.
    #[must_use]
    pub fn of_bytes(kind: u8, bytes: [u8; 16]) -> Option<Self> {
        let number = u128::from_le_bytes(bytes) as u64;
        Some(match kind {
            0 => Self::None,
            1 => Self::Number(number),
            2 => Self::Uuid(bytes),
            3 => Self::Text(bytes),
            4 => Self::Named(number),
            _ => return None,
        })
    }
}

/// The 16 bytes of a UUID in its usual text, 8-4-4-4-12 hexadecimal digits in lower case; `None` for another text, of which the
/// bytes would lose something.
fn uuid_bytes(text: &[u8]) -> Option<[u8; 16]> {
    let text: &[u8; 36] = text.try_into().ok()?;
    let mut bytes = [0u8; 16];
    let mut digits = 0;
    for (at, &byte) in text.iter().enumerate() {
        if matches!(at, 8 | 13 | 18 | 23) {
            if byte != b'-' {
                return None;
            }
            continue;
        }
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return None,
        };
        bytes[digits / 2] = bytes[digits / 2] << 4 | digit;
        digits += 1;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_from_the_wire() {
        for name in [
            OrderName::None,
            OrderName::Number(7),
            OrderName::Uuid([7; 16]),
            OrderName::Text([8; 16]),
            OrderName::Named(u64::MAX),
        ] {
            assert_eq!(OrderName::of_bytes(name.kind(), name.bytes()), Some(name));
        }
        assert_eq!(OrderName::of_bytes(5, [0; 16]), None);
    }

    #[test]
    fn texts_lose_nothing() {
        let text = b"123e4567-e89b-12d3-a456-426614174000";
        let Some(OrderName::Uuid(bytes)) = OrderName::of_text(text) else { panic!("a UUID") };
        assert_eq!((&bytes[..5], bytes[15]), (&[0x12, 0x3e, 0x45, 0x67, 0xe8][..], 0));
        for at in 0..36 {
            let mut bad = *text;
            bad[at] = b'g';
            assert_eq!(OrderName::of_text(&bad), None, "at {at}");
        }
        assert_eq!(OrderName::of_text(b"123E4567-e89b-12d3-a456-426614174000"), None, "another text");
        assert_eq!(OrderName::of_text(b"O-1"), Some(OrderName::Text(*b"O-1\0\0\0\0\0\0\0\0\0\0\0\0\0")));
        assert_eq!(OrderName::of_text(&[b'x'; 16]), Some(OrderName::Text([b'x'; 16])));
        for bad in [&b""[..], &[b'x'; 17], b"a\0"] {
            assert_eq!(OrderName::of_text(bad), None);
        }
    }
}

//! The bytes of ITCH 5.0 messages: big-endian, fixed lengths, each behind its length as BinaryFILE has it.
//!
//! ```text
//! length u16 | type u8 | locate u16 | tracking u16 | nanoseconds since midnight u48 | body
//! ```

use crate::market::book::Side;

/// The longest message with its length.
const FRAME_BYTES_MAX: usize = 52;

/// Bytes of a message up to its body, its length included.
const HEAD_BYTES: usize = 13;

/// A symbol as printed: ASCII, padded with spaces on the right.
pub(crate) type Stock = [u8; 8];

/// One message while its fields are put in, in their order on the wire.
pub(crate) struct Message {
    bytes: [u8; FRAME_BYTES_MAX],
    len: usize,
}

impl Message {
    /// A message of a type about a symbol (locate 0: about none).
    pub(crate) fn new(kind: u8, locate: u16, time_ns: u64) -> Self {
        let mut bytes = [0; FRAME_BYTES_MAX];
        bytes[2] = kind;
        bytes[3..5].copy_from_slice(&locate.to_be_bytes());
        bytes[7..HEAD_BYTES].copy_from_slice(&time_ns.to_be_bytes()[2..]);
        Self { bytes, len: HEAD_BYTES }
    }

    pub(crate) fn text(mut self, text: &[u8]) -> Self {
        self.bytes[self.len..self.len + text.len()].copy_from_slice(text);
        self.len += text.len();
        self
    }

    pub(crate) fn u32(self, value: u32) -> Self {
        self.text(&value.to_be_bytes())
    }

    pub(crate) fn u64(self, value: u64) -> Self {
        self.text(&value.to_be_bytes())
    }

    pub(crate) fn side(self, side: Side) -> Self {
        self.text(match side {
            Side::Bid => b"B",
            Side::Ask => b"S",
        })
    }

    /// Appends the message, its length first.
    pub(crate) fn end(mut self, out: &mut Vec<u8>) {
        let body_len = (self.len - 2) as u16;
        self.bytes[..2].copy_from_slice(&body_len.to_be_bytes());
        out.extend_from_slice(&self.bytes[..self.len]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stand_in_their_places() {
        let mut out = vec![0xff];
        Message::new(b'A', 0x0102, 0x0a0b_0c0d_0e0f)
            .u64(0x1112_1314_1516_1718)
            .side(Side::Ask)
            .u32(100)
            .text(b"AAPL    ")
            .u32(2_900_100)
            .end(&mut out);
        let expected = [
            &[0xff, 0, 36, b'A', 1, 2, 0, 0, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f][..],
            &[0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, b'S', 0, 0, 0, 100],
            b"AAPL    ",
            &[0, 0x2c, 0x40, 0x84],
        ];
        assert_eq!(out, expected.concat());
    }
}

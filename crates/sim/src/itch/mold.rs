//! MoldUDP64 packets: session, number of the first message, count, then the messages as BinaryFILE has them.
//!
//! ```text
//! session 10 × u8 | sequence u64 | count u16 | count × (length u16 | message)
//! ```

/// Bytes of a packet with its 20-byte header, unless a single message is longer: what passes every network whole.
pub const MOLD_PACKET_BYTES_MAX: usize = 1_400;

/// The count that says: no messages, the session has ended.
const END_OF_SESSION: u16 = u16::MAX;

/// Numbers messages, from 1, and packs them.
#[derive(Clone, Debug)]
pub struct MoldPacker {
    session: [u8; 10],
    sequence: u64,
}

impl MoldPacker {
    /// A sender before its first message.
    #[must_use]
    pub const fn new(session: [u8; 10]) -> Self {
        Self { session, sequence: 1 }
    }

    /// Replaces `packet` with one of the first messages of `framed` (BinaryFILE), as many as fit, and returns how
    /// many bytes of `framed` those are. 0, and a heartbeat: it holds no whole message.
    pub fn pack(&mut self, framed: &[u8], packet: &mut Vec<u8>) -> usize {
        let (mut taken, mut count) = (0, 0);
        while let Some((len, rest)) = framed[taken..].split_first_chunk::<2>() {
            let len = usize::from(u16::from_be_bytes(*len));
            let end = taken + 2 + len;
            if rest.len() < len || (count > 0 && 20 + end > MOLD_PACKET_BYTES_MAX) {
                break;
            }
            (taken, count) = (end, count + 1);
        }
        self.header(count, packet);
        packet.extend_from_slice(&framed[..taken]);
        self.sequence += u64::from(count);
        taken
    }

    /// Replaces `packet` with one without messages, which tells the number of the next one.
    pub fn heartbeat(&self, packet: &mut Vec<u8>) {
        self.header(0, packet);
    }

    /// Replaces `packet` with the one that ends the session.
    pub fn end_of_session(&self, packet: &mut Vec<u8>) {
        self.header(END_OF_SESSION, packet);
    }

    fn header(&self, count: u16, packet: &mut Vec<u8>) {
        packet.clear();
        packet.extend_from_slice(&self.session);
        packet.extend_from_slice(&self.sequence.to_be_bytes());
        packet.extend_from_slice(&count.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(lens: &[usize]) -> Vec<u8> {
        lens.iter().flat_map(|&len| [&(len as u16).to_be_bytes()[..], &vec![7; len]].concat()).collect()
    }

    #[test]
    fn packets_are_numbered_and_hold_whole_messages() {
        let mut packer = MoldPacker::new(*b"SYNTHETIC ");
        let mut packet = Vec::new();
        // 20 + 2 × (2 + 688) = 1,400: both fit, a third does not.
        let whole = framed(&[688, 688, 1]);
        assert_eq!(packer.pack(&whole, &mut packet), 1_380);
        assert_eq!(packet[..20], *b"SYNTHETIC \0\0\0\0\0\0\0\x01\0\x02");
        assert_eq!(packet[20..], whole[..1_380]);
        assert_eq!(packer.pack(&whole[1_380..], &mut packet), 3);
        assert_eq!(packet, *b"SYNTHETIC \0\0\0\0\0\0\0\x03\0\x01\0\x01\x07");
        packer.heartbeat(&mut packet);
        assert_eq!(packet, *b"SYNTHETIC \0\0\0\0\0\0\0\x04\0\0");
        packer.end_of_session(&mut packet);
        assert_eq!(packet, *b"SYNTHETIC \0\0\0\0\0\0\0\x04\xff\xff");
    }

    #[test]
    fn a_long_message_goes_alone_and_half_a_one_waits() {
        let mut packer = MoldPacker::new([b' '; 10]);
        let mut packet = Vec::new();
        let long = framed(&[1_500, 4]);
        assert_eq!(packer.pack(&long, &mut packet), 1_502);
        assert_eq!(packet.len(), 1_522);
        for cut in [0, 1, 2, 5] {
            assert_eq!(packer.pack(&long[1_502..1_502 + cut], &mut packet), 0);
            assert_eq!(packet[10..], [0, 0, 0, 0, 0, 0, 0, 2, 0, 0]);
        }
    }
}

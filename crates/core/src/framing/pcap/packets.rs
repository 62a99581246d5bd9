//! The older format, pcap: one header, then packets each behind 16 bytes of their own.

use super::interface::Interface;
use super::link::Link;
use super::{Form, Order, PACKET_BYTES_MAX, PcapError, PcapReader, Piece};

impl PcapReader {
    /// Tells the two formats and the byte orders apart.
    pub(super) fn start<'a>(&mut self, bytes: &'a [u8]) -> Piece<'a> {
        let Some(&magic) = bytes.first_chunk() else { return Piece::Wants(4) };
        let (order, ticks_ns) = match magic {
            [0x0A, 0x0D, 0x0D, 0x0A] => {
                self.form = Form::Blocks { order: Order::Little };
                return Piece::Took { used: 0, found: Ok(None) };
            }
            [0xA1, 0xB2, 0xC3, 0xD4] => (Order::Big, 1_000),
            [0xD4, 0xC3, 0xB2, 0xA1] => (Order::Little, 1_000),
            [0xA1, 0xB2, 0x3C, 0x4D] => (Order::Big, 1),
            [0x4D, 0x3C, 0xB2, 0xA1] => (Order::Little, 1),
            got => return Piece::refused(0, PcapError::NotCapture { got }),
        };
        let header = (order.u16(bytes, 4), order.u32(bytes, 16), order.u32(bytes, 20));
        let (Some(version), Some(snap_len), Some(link_type)) = header else { return Piece::Wants(24) };
        if version != 2 {
            return Piece::refused(0, PcapError::UnsupportedVersion { expected: 2, got: version });
        }
        self.form = Form::Packets { order, ticks_ns };
        // The bits above say whether packets end with a checksum, which their own lengths leave out.
        let link_type = link_type & 0x03FF_FFFF;
        let interface = Interface::new(Link::new(link_type), snap_len);
        Piece::Took { used: 24, found: self.describe(interface, link_type).map(|()| None) }
    }

    pub(super) fn packet_record<'a>(&mut self, order: Order, ticks_ns: u32, bytes: &'a [u8]) -> Piece<'a> {
        const HEADER_BYTES: usize = 16;
        let header = (order.u32(bytes, 0), order.u32(bytes, 4), order.u32(bytes, 8), order.u32(bytes, 12));
        let (Some(seconds), Some(ticks), Some(len), Some(original_len)) = header else {
            return Piece::Wants(HEADER_BYTES as u64);
        };
        let used = HEADER_BYTES as u64 + u64::from(len);
        if len > PACKET_BYTES_MAX {
            self.stats.packets += 1;
            return Piece::refused(used, PcapError::PacketTooLarge { len });
        }
        let Some(packet) = bytes.get(HEADER_BYTES..HEADER_BYTES + len as usize) else {
            return Piece::Wants(used);
        };
        self.stats.packets += 1;
        let ts = u64::from(seconds) * 1_000_000_000 + u64::from(ticks) * u64::from(ticks_ns);
        let interface = self.interfaces[0];
        Piece::Took { used, found: self.packet(&interface, ts, packet, original_len) }
    }
}

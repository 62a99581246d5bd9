//! The newer format, pcapng: blocks that state their length at both ends, in sections of one byte order each.

use super::interface::{Interface, Resolution};
use super::link::Link;
use super::{BLOCK_BYTES_MAX, Datagram, Form, Order, PACKET_BYTES_MAX, PcapError, PcapReader, Piece};

const SECTION: u32 = 0x0A0D_0D0A;
const INTERFACE: u32 = 1;
/// The form of packet block before the enhanced one; old files have it.
const PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

const IF_TSRESOL: u16 = 9;
const IF_TSOFFSET: u16 = 14;

impl PcapReader {
    pub(super) fn block<'a>(&mut self, mut order: Order, bytes: &'a [u8]) -> Piece<'a> {
        let Some(block_type) = order.u32(bytes, 0) else { return Piece::Wants(12) };
        if block_type == SECTION {
            // A section says its byte order itself, and its length is in that order already.
            let Some(magic) = bytes.get(8..12) else { return Piece::Wants(12) };
            order = match magic {
                [0x1A, 0x2B, 0x3C, 0x4D] => Order::Big,
                [0x4D, 0x3C, 0x2B, 0x1A] => Order::Little,
                _ => return Piece::refused(0, PcapError::BadBlock { block_type, len: 0 }),
            };
        }
        let Some(len) = order.u32(bytes, 4) else { return Piece::Wants(12) };
        let bad = PcapError::BadBlock { block_type, len };
        let is_packet = matches!(block_type, ENHANCED_PACKET | SIMPLE_PACKET | PACKET);
        if len < 12 || len % 4 != 0 {
            return Piece::refused(0, bad);
        }
        let used = u64::from(len);
        if len > BLOCK_BYTES_MAX {
            if is_packet {
                self.stats.packets += 1;
                return Piece::refused(used, PcapError::PacketTooLarge { len });
            }
            if matches!(block_type, SECTION | INTERFACE) {
                return Piece::refused(0, bad);
            }
            self.stats.other_blocks += 1;
            return Piece::Took { used, found: Ok(None) };
        }
        let len = len as usize;
        let Some(body) = bytes.get(8..len - 4) else { return Piece::Wants(used) };
        match order.u32(bytes, len - 4) {
            None => return Piece::Wants(used),
            Some(again) if again as usize != len => return Piece::refused(0, bad),
            Some(_) => {}
        }
        self.stats.packets += u64::from(is_packet);
        let found = match block_type {
            SECTION => self.section(order, body).map(|()| None),
            INTERFACE => self.describe_block(order, body, bad).map(|()| None),
            ENHANCED_PACKET | PACKET => self.packet_block(order, body, block_type),
            SIMPLE_PACKET => self.simple_packet(order, body),
            _ => {
                self.stats.other_blocks += 1;
                Ok(None)
            }
        };
        Piece::Took { used, found }
    }

    fn section(&mut self, order: Order, body: &[u8]) -> Result<(), PcapError> {
        let got = order.u16(body, 4).unwrap_or_default();
        if got != 1 {
            return Err(PcapError::UnsupportedVersion { expected: 1, got });
        }
        self.form = Form::Blocks { order };
        self.interface_count = 0;
        Ok(())
    }

    fn describe_block(&mut self, order: Order, body: &[u8], bad: PcapError) -> Result<(), PcapError> {
        let (Some(link_type), Some(snap_len)) = (order.u16(body, 0), order.u32(body, 4)) else {
            return Err(bad);
        };
        let link_type = u32::from(link_type);
        let mut interface = Interface::new(Link::new(link_type), snap_len);
        let mut options = body.get(8..).unwrap_or_default();
        while let (Some(code), Some(len)) = (order.u16(options, 0), order.u16(options, 2)) {
            let len = usize::from(len);
            let value = options.get(4..4 + len).ok_or(bad)?;
            match (code, value) {
                (0, _) => break,
                (IF_TSRESOL, &[resolution]) => {
                    let power = u32::from(resolution & 0x7F);
                    interface.resolution = if resolution < 0x80 {
                        Resolution::Decimal(power)
                    } else {
                        Resolution::Binary(power)
                    };
                }
                (IF_TSOFFSET, _) => interface.offset_s = order.u64(value, 0).ok_or(bad)?.cast_signed(),
                _ => {}
            }
            options = options.get(4 + len.next_multiple_of(4)..).unwrap_or_default();
        }
        self.describe(interface, link_type)
    }

    fn packet_block<'a>(
        &mut self,
        order: Order,
        body: &'a [u8],
        block_type: u32,
    ) -> Result<Option<Datagram<'a>>, PcapError> {
        let bad = bad_packet(body);
        let number = match block_type {
            PACKET => order.u16(body, 0).map(u32::from),
            _ => order.u32(body, 0),
        };
        let header =
            (number, order.u32(body, 4), order.u32(body, 8), order.u32(body, 12), order.u32(body, 16));
        let (Some(number), Some(high), Some(low), Some(len), Some(original_len)) = header else {
            return Err(bad);
        };
        let packet = body.get(20..).and_then(|data| data.get(..len as usize)).ok_or(bad)?;
        if len > PACKET_BYTES_MAX {
            return Err(PcapError::PacketTooLarge { len });
        }
        let interface = self.interface(number)?;
        let ts = interface.time_ns(u64::from(high) << 32 | u64::from(low));
        self.packet(&interface, ts, packet, original_len)
    }

    fn simple_packet<'a>(&mut self, order: Order, body: &'a [u8]) -> Result<Option<Datagram<'a>>, PcapError> {
        let bad = bad_packet(body);
        let interface = self.interface(0)?;
        let original_len = order.u32(body, 0).ok_or(bad)?;
        let len = if interface.snap_len == 0 { original_len } else { original_len.min(interface.snap_len) };
        let packet = body.get(4..).and_then(|data| data.get(..len as usize)).ok_or(bad)?;
        if len > PACKET_BYTES_MAX {
            return Err(PcapError::PacketTooLarge { len });
        }
        self.packet(&interface, 0, packet, original_len)
    }
}

/// A packet block whose packet does not fit into it. Where the next block begins is known all the same.
const fn bad_packet(body: &[u8]) -> PcapError {
    PcapError::BadPacket { part: "a packet block", captured: body.len() as u32 }
}

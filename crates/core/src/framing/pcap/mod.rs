//! UDP datagrams out of capture files, pcap and pcapng, out of chunks cut anywhere.
//!
//! Read are both byte orders, times in microseconds and nanoseconds (pcapng: any resolution and offset), several
//! sections and interfaces; Ethernet with VLAN tags, Linux cooked (both), loopback and bare IP; IPv4 and IPv6 with
//! their options. Whatever is no whole UDP datagram is counted ([`PcapStats`]) and passed over; a datagram that the
//! capture cut is an error. IP fragments are not put together, and checksums are not looked at.
//!
//! Sources: draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng, the tcpdump link-layer registry.

mod blocks;
mod error;
mod interface;
mod link;
mod packets;
#[cfg(test)]
mod tests;

pub use error::PcapError;

use core::net::SocketAddr;

use crate::types::TimeNs;
use interface::Interface;
use link::{Link, Other};

/// Largest packet that is read, in bytes: the largest snap length of tcpdump and Wireshark.
pub const PACKET_BYTES_MAX: u32 = 256 << 10;

/// Largest piece that is looked at whole, a packet with its header and options, in bytes: no more is ever carried over
/// to the next chunk.
pub const BLOCK_BYTES_MAX: u32 = PACKET_BYTES_MAX + (64 << 10);

/// Most interfaces of a section.
pub const INTERFACES_MAX: usize = 64;

/// One UDP datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// When it was captured; 0 where the file does not say.
    pub ts: TimeNs,
    /// Who sent it.
    pub source: SocketAddr,
    /// To whom.
    pub destination: SocketAddr,
    /// What it carries.
    pub payload: &'a [u8],
}

/// What was in a file so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PcapStats {
    /// Packets of any kind, those that were refused included.
    pub packets: u64,
    /// UDP datagrams handed out.
    pub datagrams: u64,
    /// Packets that were neither IPv4 nor IPv6.
    pub not_ip: u64,
    /// IP packets that were not UDP.
    pub not_udp: u64,
    /// Parts of IP packets.
    pub fragments: u64,
    /// Packets of a link layer that is not read.
    pub unsupported_link: u64,
    /// Packets refused with an error.
    pub refused: u64,
    /// pcapng blocks that hold no packet and describe none.
    pub other_blocks: u64,
}

/// Reads one capture file, chunk after chunk.
///
/// The bytes that a chunk's last packet does not consume, at most [`BLOCK_BYTES_MAX`], go in again at the head of the
/// next chunk. Memory: this structure, about 2 KiB.
#[derive(Clone, Debug)]
pub struct PcapReader {
    form: Form,
    /// Bytes of a too large block that are still to be passed over.
    skip: u64,
    interfaces: [Interface; INTERFACES_MAX],
    interface_count: usize,
    stats: PcapStats,
}

/// What the file turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Nothing is known yet.
    Start,
    /// A pcap file behind its header; its one interface is the first.
    Packets { order: Order, ticks_ns: u32 },
    /// A pcapng file, within or before a section.
    Blocks { order: Order },
    /// Nothing more can be read.
    Lost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Big,
    Little,
}

impl Order {
    fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(if self == Self::Big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(if self == Self::Big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    fn u64(self, bytes: &[u8], at: usize) -> Option<u64> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(if self == Self::Big { u64::from_be_bytes(bytes) } else { u64::from_le_bytes(bytes) })
    }
}

impl Default for PcapReader {
    fn default() -> Self {
        Self {
            form: Form::Start,
            skip: 0,
            interfaces: [Interface::new(Link::Unsupported, 0); INTERFACES_MAX],
            interface_count: 0,
            stats: PcapStats::default(),
        }
    }
}

impl PcapReader {
    /// The whole packets of a chunk. A last packet that is cut is left for the next chunk.
    pub const fn datagrams<'r, 'a>(&'r mut self, bytes: &'a [u8]) -> Datagrams<'r, 'a> {
        Datagrams { reader: self, len: bytes.len(), rest: bytes, start: 0, last: false }
    }

    /// The packets of the last chunk, where a cut one is an error.
    pub const fn finish<'r, 'a>(&'r mut self, bytes: &'a [u8]) -> Datagrams<'r, 'a> {
        Datagrams { reader: self, len: bytes.len(), rest: bytes, start: 0, last: true }
    }

    /// What was in the file so far.
    #[must_use]
    pub const fn stats(&self) -> &PcapStats {
        &self.stats
    }

    /// Looks into one captured packet.
    fn packet<'a>(
        &mut self,
        interface: &Interface,
        ts: TimeNs,
        packet: &'a [u8],
        original_len: u32,
    ) -> Result<Option<Datagram<'a>>, PcapError> {
        match link::udp(interface.link, packet, original_len)? {
            Ok(udp) => {
                self.stats.datagrams += 1;
                let link::Udp { source, destination, payload } = udp;
                return Ok(Some(Datagram { ts, source, destination, payload }));
            }
            Err(Other::NotIp) => self.stats.not_ip += 1,
            Err(Other::NotUdp) => self.stats.not_udp += 1,
            Err(Other::Fragment) => self.stats.fragments += 1,
            Err(Other::Link) => self.stats.unsupported_link += 1,
        }
        Ok(None)
    }

    /// Describes a further interface.
    fn describe(&mut self, interface: Interface, link_type: u32) -> Result<(), PcapError> {
        *self.interfaces.get_mut(self.interface_count).ok_or(PcapError::TooManyInterfaces)? = interface;
        self.interface_count += 1;
        if interface.link == Link::Unsupported {
            return Err(PcapError::UnsupportedLink { link_type });
        }
        Ok(())
    }

    fn interface(&self, interface: u32) -> Result<Interface, PcapError> {
        let described = self.interfaces.get(..self.interface_count).unwrap_or_default();
        described
            .get(interface as usize)
            .copied()
            .ok_or(PcapError::UnknownInterface { interface, known: self.interface_count as u32 })
    }

    /// Takes the next piece off the head of `bytes`: a file header, a packet or a block.
    fn piece<'a>(&mut self, bytes: &'a [u8]) -> Piece<'a> {
        match self.form {
            Form::Start => self.start(bytes),
            Form::Packets { order, ticks_ns } => self.packet_record(order, ticks_ns, bytes),
            Form::Blocks { order } => self.block(order, bytes),
            Form::Lost => Piece::Took { used: bytes.len() as u64, found: Ok(None) },
        }
    }
}

/// What stands at the head of some bytes.
enum Piece<'a> {
    /// The beginning of something that has this many bytes or more.
    Wants(u64),
    /// A whole thing of `used` bytes and what it holds; or one to be passed over, whose bytes need not have come yet.
    Took { used: u64, found: Result<Option<Datagram<'a>>, PcapError> },
}

impl Piece<'_> {
    const fn refused(used: u64, error: PcapError) -> Self {
        Self::Took { used, found: Err(error) }
    }
}

/// Iterator over the datagrams of a chunk. Cost: constant for each packet.
#[derive(Debug)]
pub struct Datagrams<'r, 'a> {
    reader: &'r mut PcapReader,
    len: usize,
    rest: &'a [u8],
    start: usize,
    last: bool,
}

impl Datagrams<'_, '_> {
    /// Bytes used up by what was returned so far and by what was passed over between.
    #[must_use]
    pub const fn consumed(&self) -> usize {
        self.len - self.rest.len()
    }

    /// Where the packet begins that was returned last. A caller that does not want it yet has consumed the bytes before
    /// it, headers and descriptions of interfaces among them; when it comes again it is counted again.
    #[must_use]
    pub const fn start(&self) -> usize {
        self.start
    }

    /// Passes over bytes, of which some may still have to come.
    fn advance(&mut self, bytes: u64) {
        let here = usize::try_from(bytes).unwrap_or(usize::MAX).min(self.rest.len());
        self.reader.skip = bytes - here as u64;
        self.rest = self.rest.get(here..).unwrap_or_default();
    }

    fn lose<T>(&mut self, error: PcapError) -> Option<Result<T, PcapError>> {
        self.reader.form = Form::Lost;
        self.reader.skip = 0;
        self.rest = &[];
        Some(Err(error))
    }
}

impl<'a> Iterator for Datagrams<'_, 'a> {
    type Item = Result<Datagram<'a>, PcapError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.advance(self.reader.skip);
            if self.rest.is_empty() {
                let missing = self.reader.skip;
                if self.last && missing > 0 {
                    return self.lose(PcapError::Truncated { expected: missing, got: 0 });
                }
                return None;
            }
            self.start = self.consumed();
            match self.reader.piece(self.rest) {
                Piece::Wants(expected) if self.last => {
                    return self.lose(PcapError::Truncated { expected, got: self.rest.len() as u64 });
                }
                Piece::Wants(_) => return None,
                Piece::Took { used, found } => {
                    self.advance(used);
                    match found {
                        Ok(None) => {}
                        Ok(Some(datagram)) => return Some(Ok(datagram)),
                        Err(error) if error.is_final() => return self.lose(error),
                        Err(error) => {
                            let concerns_packet = !matches!(error, PcapError::UnsupportedLink { .. });
                            self.reader.stats.refused += u64::from(concerns_packet);
                            return Some(Err(error));
                        }
                    }
                }
            }
        }
    }
}

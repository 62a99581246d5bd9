//! Why a capture file, or a packet in it, cannot be read.

use core::fmt;

use super::{BLOCK_BYTES_MAX, INTERFACES_MAX, PACKET_BYTES_MAX};
use crate::types::Account;

/// Why a capture file or a packet of it is refused. Those that [`PcapError::is_final`] end the reading; the others
/// concern one packet or one interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PcapError {
    /// The file begins with no magic number of a capture.
    NotCapture {
        /// Its first four bytes.
        got: [u8; 4],
    },
    /// A file or section of a version that is not read.
    UnsupportedVersion {
        /// The major version that is.
        expected: u16,
        /// The one stated.
        got: u16,
    },
    /// The file ends within a packet or block.
    Truncated {
        /// Bytes of it, header included.
        expected: u64,
        /// Bytes that came.
        got: u64,
    },
    /// A pcapng block whose length cannot be, whose two lengths differ, or whose content breaks off.
    BadBlock {
        /// Type of the block.
        block_type: u32,
        /// Its stated length.
        len: u32,
    },
    /// More than [`INTERFACES_MAX`] interfaces in a section.
    TooManyInterfaces,
    /// An interface whose link layer is not read; its packets are counted and passed over.
    UnsupportedLink {
        /// Number of the link type in the tcpdump registry.
        link_type: u32,
    },
    /// A packet of an interface that was not described.
    UnknownInterface {
        /// The interface.
        interface: u32,
        /// How many were described.
        known: u32,
    },
    /// A packet of more than [`PACKET_BYTES_MAX`] bytes; it is passed over.
    PacketTooLarge {
        /// Its bytes or, of a block, the block's.
        len: u32,
    },
    /// A packet that was captured in part, and the datagram reaches beyond that part.
    Snapped {
        /// Bytes captured.
        captured: u32,
        /// Bytes on the wire.
        original: u32,
    },
    /// A packet whose headers contradict its length.
    BadPacket {
        /// What is damaged.
        part: &'static str,
        /// Bytes captured.
        captured: u32,
    },
}

impl PcapError {
    /// Stable code, which reaches JavaScript as `err.code`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotCapture { .. } => "pcap.not_capture",
            Self::UnsupportedVersion { .. } => "pcap.unsupported_version",
            Self::Truncated { .. } => "pcap.truncated",
            Self::BadBlock { .. } => "pcap.bad_block",
            Self::TooManyInterfaces => "pcap.too_many_interfaces",
            Self::UnsupportedLink { .. } => "pcap.unsupported_link",
            Self::UnknownInterface { .. } => "pcap.unknown_interface",
            Self::PacketTooLarge { .. } => "pcap.packet_too_large",
            Self::Snapped { .. } => "pcap.snapped",
            Self::BadPacket { .. } => "pcap.bad_packet",
        }
    }

    /// Whether nothing more comes from the file.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        matches!(
            self,
            Self::NotCapture { .. }
                | Self::UnsupportedVersion { .. }
                | Self::Truncated { .. }
                | Self::BadBlock { .. }
                | Self::TooManyInterfaces
        )
    }

    /// What to do about it, in one line.
    #[must_use]
    pub const fn fix(&self) -> &'static str {
        match self {
            Self::NotCapture { .. } => "pass a pcap or pcapng file; decompress it first if it is compressed",
            Self::UnsupportedVersion { .. } | Self::UnsupportedLink { .. } => {
                "convert the capture with editcap, or capture on an Ethernet or IP interface"
            }
            Self::Truncated { .. } => "get a new copy of the file; the packets before the cut are good",
            Self::BadBlock { .. } | Self::UnknownInterface { .. } | Self::BadPacket { .. } => {
                "check the file for damage; tcpdump or Wireshark should read it without a complaint"
            }
            Self::TooManyInterfaces => "split the capture by interface",
            Self::PacketTooLarge { .. } => {
                "check the file for damage; captured packets are at most 256 KiB long"
            }
            Self::Snapped { .. } => "capture whole packets: tcpdump -s 0",
        }
    }

    /// What, expected and got.
    #[must_use]
    pub fn account(&self) -> Account {
        match *self {
            Self::NotCapture { got: [a, b, c, d] } => Account::new(
                "not a capture",
                "a magic number of pcap or pcapng",
                format_args!("{a:02x}{b:02x}{c:02x}{d:02x}"),
            ),
            Self::UnsupportedVersion { expected, got } => Account::new("unsupported version", expected, got),
            Self::Truncated { expected, got } => Account::new(
                "file ends within a packet or block",
                format_args!("{expected} bytes of it"),
                got,
            ),
            Self::BadBlock { block_type, len } => Account::new(
                format_args!("bad block of type {block_type:#010x}"),
                "a content that fills it and its length at both ends",
                format_args!("length {len}"),
            ),
            Self::TooManyInterfaces => Account::new(
                "too many interfaces",
                format_args!("at most {INTERFACES_MAX} in a section"),
                "more",
            ),
            Self::UnsupportedLink { link_type } => {
                Account::new("unsupported link layer", "Ethernet, Linux cooked, loopback or IP", link_type)
            }
            Self::UnknownInterface { interface, known } => Account::new(
                "packet of an unknown interface",
                format_args!("one of {known}"),
                format_args!("number {interface}"),
            ),
            Self::PacketTooLarge { len } => Account::new(
                "packet too large",
                format_args!("at most {PACKET_BYTES_MAX} bytes in a block of {BLOCK_BYTES_MAX}"),
                len,
            ),
            Self::Snapped { captured, original } => {
                Account::new("packet captured in part", format_args!("{original} bytes"), captured)
            }
            Self::BadPacket { part, captured } => Account::new(
                "damaged packet",
                format_args!("the whole of {part}"),
                format_args!("{captured} captured bytes"),
            ),
        }
    }
}

impl fmt::Display for PcapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.account().fmt(f)
    }
}

impl std::error::Error for PcapError {}

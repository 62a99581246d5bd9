//! Why a capture file, or a packet in it, cannot be read.

use core::fmt;

use super::{BLOCK_BYTES_MAX, INTERFACES_MAX, PACKET_BYTES_MAX};

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
}

/// What, expected and got. The code and the remedy stand beside it, not in it.
impl fmt::Display for PcapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NotCapture { got: [a, b, c, d] } => {
                write!(
                    f,
                    "not a capture; expected a magic number of pcap or pcapng, got {a:02x}{b:02x}{c:02x}{d:02x}"
                )
            }
            Self::UnsupportedVersion { expected, got } => {
                write!(f, "unsupported version; expected {expected}, got {got}")
            }
            Self::Truncated { expected, got } => {
                write!(f, "file ends within a packet or block; expected {expected} bytes of it, got {got}")
            }
            Self::BadBlock { block_type, len } => {
                write!(
                    f,
                    "bad block of type {block_type:#010x}; expected a content that fills it and its length at both \
                     ends, got length {len}"
                )
            }
            Self::TooManyInterfaces => {
                write!(f, "too many interfaces; expected at most {INTERFACES_MAX} in a section, got more")
            }
            Self::UnsupportedLink { link_type } => {
                write!(
                    f,
                    "unsupported link layer; expected Ethernet, Linux cooked, loopback or IP, got {link_type}"
                )
            }
            Self::UnknownInterface { interface, known } => {
                write!(f, "packet of an unknown interface; expected one of {known}, got number {interface}")
            }
            Self::PacketTooLarge { len } => {
                write!(
                    f,
                    "packet too large; expected at most {PACKET_BYTES_MAX} bytes in a block of {BLOCK_BYTES_MAX}, \
                     got {len}"
                )
            }
            Self::Snapped { captured, original } => {
                write!(f, "packet captured in part; expected {original} bytes, got {captured}")
            }
            Self::BadPacket { part, captured } => {
                write!(f, "damaged packet; expected the whole of {part}, got {captured} captured bytes")
            }
        }
    }
}

impl std::error::Error for PcapError {}

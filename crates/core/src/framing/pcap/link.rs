//! From a captured link-layer packet to the UDP datagram in it.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::PcapError;

/// What lies before the network layer in a captured packet, by the number of the tcpdump registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    Ethernet,
    /// Four bytes of address family, in the order of the machine that captured, or big-endian.
    Loopback,
    /// Nothing: the first byte's high half is the IP version.
    RawIp,
    LinuxCooked,
    LinuxCookedV2,
    Unsupported,
}

impl Link {
    pub(super) const fn new(link_type: u32) -> Self {
        match link_type {
            1 => Self::Ethernet,
            0 | 108 => Self::Loopback,
            12 | 14 | 101 | 228 | 229 => Self::RawIp,
            113 => Self::LinuxCooked,
            276 => Self::LinuxCookedV2,
            _ => Self::Unsupported,
        }
    }
}

/// A UDP datagram without its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Udp<'a> {
    pub source: SocketAddr,
    pub destination: SocketAddr,
    pub payload: &'a [u8],
}

/// What a packet holds if not a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Other {
    /// Neither IPv4 nor IPv6.
    NotIp,
    /// IP, but not UDP.
    NotUdp,
    /// A part of an IP packet.
    Fragment,
    /// A link type that is not read.
    Link,
}

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86DD;

/// The outcome of looking into a packet: a datagram, something else, or damage.
pub(super) type Found<'a> = Result<Result<Udp<'a>, Other>, PcapError>;

/// Finds the datagram of a packet of which `original_len` bytes were on the wire and `packet` were captured.
pub(super) fn udp(link: Link, packet: &[u8], original_len: u32) -> Found<'_> {
    let cut = Cut { captured: packet.len() as u32, original: original_len };
    match network(link, packet) {
        None => Err(cut.error("a link header")),
        Some(Err(other)) => Ok(Err(other)),
        Some(Ok((IPV4, ip))) => ipv4(ip, cut),
        Some(Ok((_, ip))) => ipv6(ip, cut),
    }
}

/// How much of the packet there is, for the error that says so.
#[derive(Clone, Copy)]
struct Cut {
    captured: u32,
    original: u32,
}

impl Cut {
    /// A packet that ends within `part`: snapped if it was longer on the wire, else damaged.
    #[cold]
    const fn error(self, part: &'static str) -> PcapError {
        if self.captured < self.original {
            PcapError::Snapped { captured: self.captured, original: self.original }
        } else {
            PcapError::BadPacket { part, captured: self.captured }
        }
    }
}

/// The network layer and what is above it. `None` when the packet ends before that.
fn network(link: Link, packet: &[u8]) -> Option<Result<(u16, &[u8]), Other>> {
    let (protocol, rest) = match link {
        Link::Unsupported => return Some(Err(Other::Link)),
        Link::Ethernet => {
            let (_, rest) = packet.split_at_checked(12)?;
            split_u16(rest)?
        }
        Link::LinuxCooked => {
            let (_, rest) = packet.split_at_checked(14)?;
            split_u16(rest)?
        }
        Link::LinuxCookedV2 => {
            let (header, rest) = packet.split_at_checked(20)?;
            (split_u16(header)?.0, rest)
        }
        Link::RawIp => (by_version(*packet.first()?), packet),
        // The family's numbers differ between systems, so the version in the IP header decides.
        Link::Loopback => {
            let (_, rest) = packet.split_at_checked(4)?;
            (by_version(*rest.first()?), rest)
        }
    };
    untagged(protocol, rest)
}

/// Takes VLAN tags off: 802.1Q, 802.1ad and the older QinQ number, in any depth.
fn untagged(mut protocol: u16, mut rest: &[u8]) -> Option<Result<(u16, &[u8]), Other>> {
    while matches!(protocol, 0x8100 | 0x88A8 | 0x9100) {
        let (_, behind) = rest.split_at_checked(2)?;
        (protocol, rest) = split_u16(behind)?;
    }
    Some(if matches!(protocol, IPV4 | IPV6) { Ok((protocol, rest)) } else { Err(Other::NotIp) })
}

const fn by_version(first: u8) -> u16 {
    match first >> 4 {
        4 => IPV4,
        6 => IPV6,
        _ => 0,
    }
}

fn ipv4(packet: &[u8], cut: Cut) -> Found<'_> {
    const PART: &str = "an IPv4 header";
    let Some((&[first, _, l0, l1, _, _, f0, f1, _, protocol, _, _, ref addresses @ ..], _)) =
        packet.split_first_chunk::<20>()
    else {
        return Err(cut.error(PART));
    };
    let header_len = usize::from(first & 15) * 4;
    let total_len = usize::from(u16::from_be_bytes([l0, l1]));
    if first >> 4 != 4 || header_len < 20 || total_len < header_len {
        return Err(PcapError::BadPacket { part: PART, captured: cut.captured });
    }
    // The offset's 13 bits and the flag that more follows; the flag against fragmenting says nothing.
    if u16::from_be_bytes([f0, f1]) & 0x3FFF != 0 {
        return Ok(Err(Other::Fragment));
    }
    if protocol != UDP {
        return Ok(Err(Other::NotUdp));
    }
    let Some(body) = packet.get(header_len..total_len) else {
        return Err(cut.error("an IPv4 packet"));
    };
    let [s0, s1, s2, s3, d0, d1, d2, d3] = *addresses;
    datagram(body, Ipv4Addr::new(s0, s1, s2, s3).into(), Ipv4Addr::new(d0, d1, d2, d3).into(), cut)
}

const UDP: u8 = 17;

fn ipv6(packet: &[u8], cut: Cut) -> Found<'_> {
    const PART: &str = "an IPv6 header";
    let Some((&[first, _, _, _, l0, l1, mut next, _, ref addresses @ ..], behind)) =
        packet.split_first_chunk::<40>()
    else {
        return Err(cut.error(PART));
    };
    let bad = PcapError::BadPacket { part: PART, captured: cut.captured };
    if first >> 4 != 6 {
        return Err(bad);
    }
    let whole = behind.get(..usize::from(u16::from_be_bytes([l0, l1])));
    let (mut body, bad) = match whole {
        Some(body) => (body, bad),
        None => (behind, cut.error("an IPv6 packet")),
    };
    // Each turn takes eight bytes or more off the body, which ends the loop.
    while matches!(next, 0 | 43 | 44 | 51 | 60) {
        let Some((&[following, len, o0, o1, ..], _)) = body.split_first_chunk::<8>() else { return Err(bad) };
        let header_len = match next {
            // A fragment header of offset 0 with nothing following is a whole packet.
            44 if u16::from_be_bytes([o0, o1]) & 0xFFF9 != 0 => return Ok(Err(Other::Fragment)),
            44 => 8,
            51 => (usize::from(len) + 2) * 4,
            _ => (usize::from(len) + 1) * 8,
        };
        let Some((_, rest)) = body.split_at_checked(header_len) else { return Err(bad) };
        (next, body) = (following, rest);
    }
    if next != UDP {
        return Ok(Err(Other::NotUdp));
    }
    if whole.is_none() {
        return Err(bad);
    }
    let (source, destination) = addresses.split_at(16);
    let address = |bytes: &[u8]| <[u8; 16]>::try_from(bytes).map_or(Ipv6Addr::UNSPECIFIED, Ipv6Addr::from);
    datagram(body, address(source).into(), address(destination).into(), cut)
}

/// Checksums are not looked at: many cards fill them in after the packet was captured.
fn datagram(body: &[u8], source: IpAddr, destination: IpAddr, cut: Cut) -> Found<'_> {
    let bad = PcapError::BadPacket { part: "a UDP datagram", captured: cut.captured };
    let Some((&[s0, s1, d0, d1, l0, l1, _, _], _)) = body.split_first_chunk::<8>() else { return Err(bad) };
    let Some(payload) = body.get(8..usize::from(u16::from_be_bytes([l0, l1]))) else { return Err(bad) };
    Ok(Ok(Udp {
        source: SocketAddr::new(source, u16::from_be_bytes([s0, s1])),
        destination: SocketAddr::new(destination, u16::from_be_bytes([d0, d1])),
        payload,
    }))
}

fn split_u16(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (&number, rest) = bytes.split_first_chunk()?;
    Some((u16::from_be_bytes(number), rest))
}

use super::interface::Resolution;
use super::*;

/// A number in the byte order of a file.
fn u16_in(order: Order, value: u16) -> [u8; 2] {
    if order == Order::Big { value.to_be_bytes() } else { value.to_le_bytes() }
}

fn u32_in(order: Order, value: u32) -> [u8; 4] {
    if order == Order::Big { value.to_be_bytes() } else { value.to_le_bytes() }
}

/// A UDP datagram of ports 0x1234 → 0x5678.
fn udp_of(payload: &[u8]) -> Vec<u8> {
    let len = (payload.len() + 8) as u16;
    [&[0x12, 0x34, 0x56, 0x78], &len.to_be_bytes()[..], &[0, 0], payload].concat()
}

/// An IPv4 packet 10.0.0.1 → 233.54.12.111.
fn ipv4_of(options: &[u8], flags: u16, protocol: u8, body: &[u8]) -> Vec<u8> {
    let total = (20 + options.len() + body.len()) as u16;
    let mut packet = vec![0x45 + (options.len() / 4) as u8, 0];
    packet.extend_from_slice(&total.to_be_bytes());
    packet.extend_from_slice(&[0, 7]);
    packet.extend_from_slice(&flags.to_be_bytes());
    packet.extend_from_slice(&[64, protocol, 0, 0, 10, 0, 0, 1, 233, 54, 12, 111]);
    packet.extend_from_slice(options);
    packet.extend_from_slice(body);
    packet
}

/// An IPv6 packet 2001:db8::1 → ff02::2.
fn ipv6_of(next: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend_from_slice(&(body.len() as u16).to_be_bytes());
    packet.extend_from_slice(&[next, 64]);
    packet.extend_from_slice(&[0x20, 1, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    packet.extend_from_slice(&[0xFF, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
    packet.extend_from_slice(body);
    packet
}

fn ethernet_of(tags: &[u8], protocol: u16, body: &[u8]) -> Vec<u8> {
    [&[2; 12], tags, &protocol.to_be_bytes()[..], body].concat()
}

fn frame(payload: &[u8]) -> Vec<u8> {
    ethernet_of(&[], 0x0800, &ipv4_of(&[], 0x4000, 17, &udp_of(payload)))
}

/// A pcap file of packets `(seconds, ticks, wire length, bytes)`.
fn pcap_of(order: Order, magic: u32, link: u32, packets: &[(u32, u32, u32, &[u8])]) -> Vec<u8> {
    let n = |value| u32_in(order, value);
    let mut file = n(magic).to_vec();
    file.extend_from_slice(&u16_in(order, 2));
    file.extend_from_slice(&u16_in(order, 4));
    [0, 0, 65_535, link].iter().for_each(|&value| file.extend_from_slice(&n(value)));
    for &(seconds, ticks, wire_len, bytes) in packets {
        [seconds, ticks, bytes.len() as u32, wire_len]
            .iter()
            .for_each(|&value| file.extend_from_slice(&n(value)));
        file.extend_from_slice(bytes);
    }
    file
}

const MICRO: u32 = 0xA1B2_C3D4;
const NANO: u32 = 0xA1B2_3C4D;

/// One packet of a link type in a little-endian file of microseconds.
fn one(link: u32, packet: &[u8]) -> Vec<u8> {
    pcap_of(Order::Little, MICRO, link, &[(1, 2, packet.len() as u32, packet)])
}

fn block(order: Order, block_type: u32, body: &[u8]) -> Vec<u8> {
    let mut padded = body.to_vec();
    padded.resize(body.len().next_multiple_of(4), 0);
    let len = u32_in(order, padded.len() as u32 + 12);
    [&u32_in(order, block_type)[..], &len, &padded, &len].concat()
}

fn section(order: Order) -> Vec<u8> {
    let body = [&u32_in(order, 0x1A2B_3C4D)[..], &u16_in(order, 1), &u16_in(order, 0), &[0xFF; 8]].concat();
    block(order, 0x0A0D_0D0A, &body)
}

fn interface(order: Order, link: u16, snap_len: u32, options: &[(u16, &[u8])]) -> Vec<u8> {
    let mut body = [&u16_in(order, link)[..], &[0, 0], &u32_in(order, snap_len)].concat();
    for (code, value) in options {
        body.extend_from_slice(&u16_in(order, *code));
        body.extend_from_slice(&u16_in(order, value.len() as u16));
        body.extend_from_slice(value);
        body.resize(body.len().next_multiple_of(4), 0);
    }
    block(order, 1, &body)
}

fn enhanced(order: Order, number: u32, ticks: u64, packet: &[u8]) -> Vec<u8> {
    let len = packet.len() as u32;
    let mut body = Vec::new();
    for value in [number, (ticks >> 32) as u32, ticks as u32, len, len] {
        body.extend_from_slice(&u32_in(order, value));
    }
    body.extend_from_slice(packet);
    block(order, 6, &body)
}

/// A datagram by value: time, source, destination, payload.
type Taken = Vec<Result<(u64, String, String, Vec<u8>), PcapError>>;

/// Feeds a file in chunks of one size.
fn take(file: &[u8], chunk: usize) -> (Taken, PcapStats) {
    let mut reader = PcapReader::default();
    let (mut pending, mut taken) = (Vec::new(), Vec::new());
    let mut pieces = file.chunks(chunk).peekable();
    while let Some(piece) = pieces.next() {
        pending.extend_from_slice(piece);
        let mut datagrams =
            if pieces.peek().is_none() { reader.finish(&pending) } else { reader.datagrams(&pending) };
        for datagram in datagrams.by_ref() {
            taken.push(datagram.map(|found| {
                (found.ts, found.source.to_string(), found.destination.to_string(), found.payload.to_vec())
            }));
        }
        let consumed = datagrams.consumed();
        pending.drain(..consumed);
        assert!(pending.len() < BLOCK_BYTES_MAX as usize);
    }
    assert!(pending.is_empty(), "finish uses everything up");
    let stats = *reader.stats();
    let parts = [
        stats.datagrams,
        stats.not_ip,
        stats.not_udp,
        stats.fragments,
        stats.unsupported_link,
        stats.refused,
    ];
    assert_eq!(parts.iter().sum::<u64>(), stats.packets, "each packet is counted once");
    assert_eq!(stats.datagrams, taken.iter().filter(|item| item.is_ok()).count() as u64);
    (taken, stats)
}

/// What a file gives, however it is cut.
fn read(file: &[u8]) -> (Taken, PcapStats) {
    let whole = take(file, file.len().max(1));
    for chunk in (1..file.len().min(40)).chain([61, 100, 1_000]) {
        assert_eq!(take(file, chunk), whole, "chunks of {chunk}");
    }
    whole
}

fn v4(ts: u64, payload: &[u8]) -> Result<(u64, String, String, Vec<u8>), PcapError> {
    Ok((ts, "10.0.0.1:4660".into(), "233.54.12.111:22136".into(), payload.to_vec()))
}

fn v6(ts: u64, payload: &[u8]) -> Result<(u64, String, String, Vec<u8>), PcapError> {
    Ok((ts, "[2001:db8::1]:4660".into(), "[ff02::2]:22136".into(), payload.to_vec()))
}

#[test]
fn both_byte_orders_and_both_clocks_are_read() {
    let packet = frame(b"hello");
    for order in [Order::Big, Order::Little] {
        for (magic, tick) in [(MICRO, 1_000), (NANO, 1)] {
            let packets =
                [(1_692_711_000, 7, packet.len() as u32, &packet[..]), (u32::MAX, 999_999, 47, &packet)];
            let (taken, stats) = read(&pcap_of(order, magic, 1, &packets));
            let times = [1_692_711_000_000_000_000 + 7 * tick, 4_294_967_295_000_000_000 + 999_999 * tick];
            assert_eq!(taken, [v4(times[0], b"hello"), v4(times[1], b"hello")]);
            assert_eq!(stats, PcapStats { packets: 2, datagrams: 2, ..PcapStats::default() });
        }
    }
}

#[test]
fn link_layers_are_taken_off() {
    let ip = ipv4_of(&[], 0, 17, &udp_of(b"x"));
    let ip6 = ipv6_of(17, &udp_of(b"x"));
    let cooked = |protocol: [u8; 2], ip: &[u8]| [&[0; 14], &protocol[..], ip].concat();
    let cooked2 = |protocol: [u8; 2], ip: &[u8]| [&protocol[..], &[0; 18], ip].concat();
    for (link, packet) in [
        (1, ethernet_of(&[], 0x0800, &ip)),
        (1, ethernet_of(&[0x81, 0, 0, 5], 0x0800, &ip)),
        (1, ethernet_of(&[0x88, 0xA8, 0, 5, 0x81, 0, 0, 6], 0x0800, &ip)),
        (1, ethernet_of(&[0x91, 0, 0, 5, 0x81, 0, 0, 6], 0x0800, &ip)),
        (0, [&[2, 0, 0, 0], &ip[..]].concat()),
        (108, [&[0, 0, 0, 2], &ip[..]].concat()),
        (101, ip.clone()),
        (12, ip.clone()),
        (228, ip.clone()),
        (113, cooked([8, 0], &ip)),
        (113, cooked([0x81, 0], &[&[0, 5, 8, 0], &ip[..]].concat())),
        (276, cooked2([8, 0], &ip)),
        (1 | 0x1400_0000, ethernet_of(&[], 0x0800, &ip)),
    ] {
        assert_eq!(read(&one(link, &packet)).0, [v4(1_000_002_000, b"x")], "link {link}");
    }
    for (link, packet) in [
        (1, ethernet_of(&[0x81, 0, 0, 5], 0x86DD, &ip6)),
        (0, [&[30, 0, 0, 0], &ip6[..]].concat()),
        (101, ip6.clone()),
        (229, ip6.clone()),
        (113, cooked([0x86, 0xDD], &ip6)),
        (276, cooked2([0x86, 0xDD], &ip6)),
    ] {
        assert_eq!(read(&one(link, &packet)).0, [v6(1_000_002_000, b"x")], "link {link}");
    }
}

#[test]
fn ip_options_and_extension_headers_are_passed_over() {
    let options = ethernet_of(&[], 0x0800, &ipv4_of(&[1; 40], 0, 17, &udp_of(b"")));
    assert_eq!(read(&one(1, &options)).0, [v4(1_000_002_000, b"")]);
    let udp = udp_of(b"x");
    for (next, headers) in [
        (0, &[17, 0, 0, 0, 0, 0, 0, 0][..]),
        (60, &[17, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        (51, &[17, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        (43, &[0, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0, 0]),
        (44, &[17, 0, 0, 0, 9, 9, 9, 9]),
    ] {
        let packet = ipv6_of(next, &[headers, &udp].concat());
        assert_eq!(read(&one(101, &packet)).0, [v6(1_000_002_000, b"x")], "header {next}");
    }
}

#[test]
fn padding_behind_the_datagram_is_no_payload() {
    let mut packet = frame(b"x");
    packet.resize(60, 0xEE);
    assert_eq!(read(&one(1, &packet)).0, [v4(1_000_002_000, b"x")]);
    // Captured in part, but the datagram whole.
    let file = pcap_of(Order::Little, MICRO, 1, &[(0, 0, 64, &packet)]);
    assert_eq!(read(&file).0, [v4(0, b"x")]);
}

#[test]
fn what_is_no_datagram_is_counted() {
    let counted = PcapStats { packets: 1, ..PcapStats::default() };
    let not_ip = PcapStats { not_ip: 1, ..counted };
    let not_udp = PcapStats { not_udp: 1, ..counted };
    let fragments = PcapStats { fragments: 1, ..counted };
    let udp = udp_of(b"x");
    for (link, packet, expected) in [
        (1, ethernet_of(&[], 0x0806, &[0; 28]), not_ip),
        (1, ethernet_of(&[], 38, &[0; 38]), not_ip),
        (1, ethernet_of(&[0x81, 0, 0, 5], 0x0806, &[]), not_ip),
        (101, vec![0x55; 40], not_ip),
        (1, ethernet_of(&[], 0x0800, &ipv4_of(&[], 0, 6, &[0; 20])), not_udp),
        (101, ipv6_of(6, &[0; 20]), not_udp),
        (101, ipv6_of(59, &[]), not_udp),
        (101, ipv4_of(&[], 0x2000, 17, &udp), fragments),
        (101, ipv4_of(&[], 0x0001, 17, &udp), fragments),
        (101, ipv6_of(44, &[&[17, 0, 0, 1, 0, 0, 0, 0], &udp[..]].concat()), fragments),
        (101, ipv6_of(44, &[&[17, 0, 0, 8, 0, 0, 0, 0], &udp[..]].concat()), fragments),
    ] {
        assert_eq!(read(&one(link, &packet)), (vec![], expected));
    }
}

#[test]
fn a_cut_datagram_is_told_and_the_next_packet_counts() {
    let whole = frame(b"hello");
    for captured in 0..whole.len() {
        let cut = &whole[..captured];
        let file = pcap_of(Order::Big, NANO, 1, &[(0, 1, whole.len() as u32, cut), (0, 2, 0, &whole)]);
        let (taken, stats) = take(&file, file.len());
        let snapped = PcapError::Snapped { captured: captured as u32, original: whole.len() as u32 };
        assert_eq!(taken, [Err(snapped), v4(2, b"hello")], "{captured}");
        assert_eq!((stats.refused, stats.datagrams), (1, 1));
        // The same bytes as the whole packet are damage.
        let file = pcap_of(Order::Big, NANO, 1, &[(0, 1, captured as u32, cut), (0, 2, 0, &whole)]);
        let (taken, _) = take(&file, file.len());
        assert!(matches!(taken[0], Err(PcapError::BadPacket { .. })), "{captured}");
        assert_eq!(taken[1], v4(2, b"hello"));
    }
}

#[test]
fn headers_that_contradict_their_packet_are_told() {
    let mut short_header = ipv4_of(&[], 0, 17, &udp_of(b"x"));
    short_header[0] = 0x44;
    let mut short_total = ipv4_of(&[], 0, 17, &udp_of(b"x"));
    short_total[3] = 19;
    let mut short_udp = ipv4_of(&[], 0, 17, &udp_of(b"x"));
    short_udp[25] = 7;
    let mut long_udp = ipv4_of(&[], 0, 17, &udp_of(b"x"));
    long_udp[25] = 10;
    let mut long_ip = ipv4_of(&[], 0, 17, &udp_of(b"x"));
    long_ip[3] = 30;
    let mut long_ip6 = ipv6_of(17, &udp_of(b"x"));
    long_ip6[5] = 10;
    for packet in [
        short_header,
        short_total,
        short_udp,
        long_udp,
        long_ip,
        long_ip6,
        ipv4_of(&[], 0, 17, &[0; 7]),
        ipv6_of(17, &[0; 7]),
        ipv6_of(0, &[17, 200, 0, 0, 0, 0, 0, 0]),
        ipv6_of(0, &[17]),
        ethernet_of(&[], 0x0800, &ipv6_of(17, &udp_of(b"x"))),
        ethernet_of(&[], 0x86DD, &ipv4_of(&[], 0, 17, &udp_of(&[0; 40]))),
    ] {
        let link = if packet.starts_with(&[2]) { 1 } else { 101 };
        let (taken, stats) = read(&one(link, &packet));
        assert!(matches!(taken[..], [Err(PcapError::BadPacket { .. })]), "{taken:?}");
        assert_eq!(stats.refused, 1);
    }
}

#[test]
fn sections_interfaces_and_clocks_of_pcapng_are_kept_apart() {
    let packet = frame(b"x");
    let ip = ipv4_of(&[], 0, 17, &udp_of(b"y"));
    for (order, other) in [(Order::Big, Order::Little), (Order::Little, Order::Big)] {
        let offset = if order == Order::Big { 5i64.to_be_bytes() } else { 5i64.to_le_bytes() };
        let file = [
            section(order),
            interface(order, 1, 0, &[]),
            interface(order, 101, 0, &[(2, b"eth0"), (9, &[9]), (0, &[])]),
            interface(order, 101, 0, &[(14, &offset), (9, &[0x80 | 30])]),
            interface(order, 101, 0, &[(9, &[12])]),
            enhanced(order, 0, 1_692_711_000_000_007, &packet),
            block(order, 0x0BAD, b"custom"),
            enhanced(order, 1, 1_692_711_000_000_000_007, &ip),
            enhanced(order, 2, 3 << 29, &ip),
            enhanced(order, 3, 7_999, &ip),
            section(other),
            interface(other, 101, 0, &[(9, &[0])]),
            enhanced(other, 0, 3, &ip),
            block(other, 5, &[0; 12]),
        ]
        .concat();
        let (taken, stats) = read(&file);
        assert_eq!(
            taken,
            [
                v4(1_692_711_000_000_007_000, b"x"),
                v4(1_692_711_000_000_000_007, b"y"),
                v4(6_500_000_000, b"y"),
                v4(7, b"y"),
                v4(3_000_000_000, b"y"),
            ]
        );
        assert_eq!(stats, PcapStats { packets: 5, datagrams: 5, other_blocks: 2, ..PcapStats::default() });
    }
}

#[test]
fn the_older_packet_blocks_are_read() {
    let order = Order::Little;
    let ip = ipv4_of(&[], 0, 17, &udp_of(b"y"));
    let len = ip.len() as u32;
    let simple = [&u32_in(order, len)[..], &ip].concat();
    let snapped = [&u32_in(order, 99)[..], &ip[..24]].concat();
    let mut old = [&u16_in(order, 0)[..], &u16_in(order, 9)].concat();
    [0, 7, len, len].iter().for_each(|&value| old.extend_from_slice(&u32_in(order, value)));
    old.extend_from_slice(&ip);
    let file = [
        section(order),
        interface(order, 101, 24, &[]),
        block(order, 3, &snapped),
        block(order, 2, &old),
        section(order),
        interface(order, 101, 0, &[]),
        block(order, 3, &simple),
    ]
    .concat();
    let cut = Err(PcapError::Snapped { captured: 24, original: 99 });
    assert_eq!(read(&file).0, [cut, v4(7_000, b"y"), v4(0, b"y")]);
}

#[test]
fn times_that_do_not_fit_are_set_to_the_nearest() {
    let clock = |resolution, offset_s| Interface { resolution, offset_s, ..Interface::new(Link::RawIp, 0) };
    for (resolution, offset_s, ticks, ns) in [
        (Resolution::Decimal(6), 0, u64::MAX, u64::MAX),
        (Resolution::Decimal(0), 0, 18_446_744_073, 18_446_744_073_000_000_000),
        (Resolution::Decimal(9), i64::MIN, u64::MAX, 0),
        (Resolution::Decimal(9), i64::MAX, u64::MAX, u64::MAX),
        (Resolution::Decimal(9), -1, 1_500_000_000, 500_000_000),
        (Resolution::Decimal(127), 0, u64::MAX, 0),
        (Resolution::Binary(0), 0, 1, 1_000_000_000),
        (Resolution::Binary(64), 0, 1 << 63, 500_000_000),
        (Resolution::Binary(127), 0, u64::MAX, 0),
    ] {
        assert_eq!(clock(resolution, offset_s).time_ns(ticks), ns, "{resolution:?} {offset_s} {ticks}");
    }
}

#[test]
fn what_ends_the_reading_is_told_once() {
    let good = frame(b"x");
    let file = one(1, &good);
    let ng =
        [section(Order::Big), interface(Order::Big, 1, 0, &[]), enhanced(Order::Big, 0, 1, &good)].concat();
    let broken = |at: usize, byte: u8| {
        let mut file = ng.clone();
        file[at] = byte;
        file
    };
    let truncated = |expected, got| PcapError::Truncated { expected, got };
    let block_of = |block_type, len| PcapError::BadBlock { block_type, len };
    let many = [section(Order::Big), interface(Order::Big, 1, 0, &[]).repeat(65)].concat();
    for (bytes, before, error) in [
        (b"GIF89a..".to_vec(), 0, PcapError::NotCapture { got: *b"GIF8" }),
        (vec![0xA1], 0, truncated(4, 1)),
        (file[..23].to_vec(), 0, truncated(24, 23)),
        (file[..30].to_vec(), 0, truncated(16, 6)),
        (file[..60].to_vec(), 0, truncated(16 + good.len() as u64, 36)),
        ([&file[..], &file[24..41]].concat(), 1, truncated(16 + good.len() as u64, 17)),
        (ng[..6].to_vec(), 0, truncated(12, 6)),
        (ng[..27].to_vec(), 0, truncated(28, 27)),
        (ng[..50].to_vec(), 0, truncated(12, 2)),
        (pcap_with_version(3), 0, PcapError::UnsupportedVersion { expected: 2, got: 3 }),
        (broken(13, 2), 0, PcapError::UnsupportedVersion { expected: 1, got: 2 }),
        (broken(8, 0), 0, block_of(0x0A0D_0D0A, 0)),
        (broken(7, 27), 0, block_of(0x0A0D_0D0A, 27)),
        (broken(27, 32), 0, block_of(0x0A0D_0D0A, 28)),
        (broken(35, 8), 0, block_of(1, 8)),
        (many, 0, PcapError::TooManyInterfaces),
        ([&ng[..28], &block(Order::Big, 1, &[0; 4])].concat(), 0, block_of(1, 16)),
        ([&ng[..28], &interface(Order::Big, 1, 0, &[(14, &[0; 4])])].concat(), 0, block_of(1, 28)),
    ] {
        let (taken, _) = read(&bytes);
        assert_eq!(taken.len(), before + 1, "{error}");
        assert_eq!(taken[before], Err(error));
        assert!(error.is_final());
        let mut reader = PcapReader::default();
        assert_eq!(reader.finish(&bytes).count(), before + 1);
        let mut again = reader.datagrams(&file);
        assert_eq!((again.next(), again.consumed()), (None, file.len()), "beyond reading");
    }
}

fn pcap_with_version(version: u8) -> Vec<u8> {
    let mut file = one(1, &frame(b"x"));
    file[4] = version;
    file
}

#[test]
fn one_bad_packet_or_interface_does_not_end_the_reading() {
    let order = Order::Little;
    let ip = ipv4_of(&[], 0, 17, &udp_of(b"y"));
    let head = [section(order), interface(order, 147, 0, &[]), interface(order, 101, 0, &[])].concat();
    let mut misfit = enhanced(order, 1, 0, &ip);
    misfit[20..24].copy_from_slice(&99u32.to_le_bytes());
    let body = (misfit.len() - 12) as u32;
    let file = [
        &head[..],
        &enhanced(order, 0, 0, &ip),
        &enhanced(order, 2, 0, &ip),
        &misfit,
        &block(order, 6, &[0; 12]),
        &enhanced(order, 1, 1, &ip),
    ]
    .concat();
    let (taken, stats) = read(&file);
    let bad = |captured| Err(PcapError::BadPacket { part: "a packet block", captured });
    assert_eq!(
        taken,
        [
            Err(PcapError::UnsupportedLink { link_type: 147 }),
            Err(PcapError::UnknownInterface { interface: 2, known: 2 }),
            bad(body),
            bad(12),
            v4(1_000, b"y"),
        ]
    );
    assert_eq!((stats.unsupported_link, stats.refused, stats.datagrams), (1, 3, 1));
    // The other format has one interface.
    let (taken, stats) = read(&one(147, &ip));
    assert_eq!(taken, [Err(PcapError::UnsupportedLink { link_type: 147 })]);
    assert_eq!((stats.packets, stats.unsupported_link), (1, 1));
}

/// However large a packet or block claims to be, no more is kept than the limit, and the next one is read.
#[test]
fn what_is_too_large_is_passed_over() {
    let good = frame(b"x");
    let order = Order::Little;
    let large = vec![0; PACKET_BYTES_MAX as usize + 1];
    let most = [&frame(b"x")[..], &large[..PACKET_BYTES_MAX as usize - good.len()]].concat();
    let packets = [(0, 0, 9, &large[..]), (0, 1, 9, &most), (0, 2, 9, &good)];
    let too_large = |len| Err(PcapError::PacketTooLarge { len });
    let file = pcap_of(order, NANO, 1, &packets);
    let expected = [too_large(PACKET_BYTES_MAX + 1), v4(1, b"x"), v4(2, b"x")];
    let huge = vec![0; BLOCK_BYTES_MAX as usize];
    let blocks = [
        section(order),
        interface(order, 1, 0, &[(9, &[9])]),
        block(order, 4, &huge),
        enhanced(order, 0, 0, &huge),
        enhanced(order, 0, 0, &large),
        enhanced(order, 0, 1, &most),
        enhanced(order, 0, 2, &good),
    ]
    .concat();
    let expected_blocks =
        [too_large(BLOCK_BYTES_MAX + 32), too_large(PACKET_BYTES_MAX + 1), v4(1, b"x"), v4(2, b"x")];
    for chunk in [4_096, 65_537, 1 << 20] {
        assert_eq!(take(&file, chunk).0, expected, "chunks of {chunk}");
        assert_eq!(take(&blocks, chunk).0, expected_blocks, "chunks of {chunk}");
    }
    // The file ends within what is passed over.
    let (taken, _) = take(&file[..1_000], 100);
    let missing = u64::from(PACKET_BYTES_MAX) + 1 - (1_000 - 24 - 16);
    assert_eq!(taken[0], too_large(PACKET_BYTES_MAX + 1));
    assert_eq!(taken[1..], [Err(PcapError::Truncated { expected: missing, got: 0 })]);
    let oversized_section =
        [&0x0A0D_0D0Au32.to_le_bytes()[..], &u32_in(order, 1 << 30), &u32_in(order, 0x1A2B_3C4D)];
    let (taken, _) = take(&oversized_section.concat(), 12);
    assert_eq!(taken, [Err(PcapError::BadBlock { block_type: 0x0A0D_0D0A, len: 1 << 30 })]);
}

#[test]
fn no_bytes_make_it_panic() {
    let ng = [
        section(Order::Big),
        interface(Order::Big, 1, 0, &[(9, &[9])]),
        enhanced(Order::Big, 0, 1, &frame(b"x")),
    ];
    let seeds = [one(1, &frame(b"hello")), one(101, &ipv6_of(0, &[17, 0, 0, 0])), ng.concat()];
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for turn in 0..20_000 {
        let mut file = seeds[turn % seeds.len()].clone();
        for _ in 0..random(6) {
            let at = random(file.len());
            file[at] = random(256) as u8;
        }
        file.truncate(random(file.len()) + 1);
        let chunk = random(file.len()) + 1;
        assert_eq!(take(&file, file.len()), take(&file, chunk), "{}", file.escape_ascii());
    }
}

#[test]
fn every_error_says_what_was_expected_and_what_came() {
    let errors = [
        PcapError::NotCapture { got: *b"\x1b[2J" },
        PcapError::UnsupportedVersion { expected: 2, got: 3 },
        PcapError::Truncated { expected: 9, got: 3 },
        PcapError::BadBlock { block_type: 6, len: 3 },
        PcapError::TooManyInterfaces,
        PcapError::UnsupportedLink { link_type: 147 },
        PcapError::UnknownInterface { interface: 1, known: 1 },
        PcapError::PacketTooLarge { len: 1 << 30 },
        PcapError::Snapped { captured: 1, original: 2 },
        PcapError::BadPacket { part: "a UDP datagram", captured: 9 },
    ];
    let mut codes: Vec<_> = errors.iter().map(PcapError::code).collect();
    codes.dedup();
    assert_eq!(codes.len(), errors.len(), "each has a code of its own");
    for error in errors {
        let text = error.to_string();
        assert!(text.contains("expected ") && text.contains(", got "), "{text}");
        assert!(!text.contains('\x1b'), "{text}");
        assert!(error.code().starts_with("pcap.") && !error.fix().is_empty());
    }
}

use super::*;

const SESSION: [u8; 10] = *b"000010059B";

fn packet(packet_type: u8, payload: &[u8]) -> Vec<u8> {
    let len = (payload.len() + 1) as u16;
    [&len.to_be_bytes()[..], &[packet_type], payload].concat()
}

fn login() -> LoginRequest {
    LoginRequest::new("user", "secret", "", 42).unwrap()
}

/// Bytes of one packet of each type, and what they are.
fn all() -> Vec<(Vec<u8>, Packet<'static>)> {
    vec![
        (packet(b'+', b"hello"), Packet::Debug(b"hello")),
        (packet(b'+', b""), Packet::Debug(b"")),
        (packet(b'U', b"order"), Packet::Unsequenced(b"order")),
        (
            packet(b'A', b"000010059B                  42"),
            Packet::LoginAccepted { session: SESSION, sequence: 42 },
        ),
        (packet(b'J', b"A"), Packet::LoginRejected { reason: b'A' }),
        (packet(b'S', b"message"), Packet::Sequenced(b"message")),
        (packet(b'S', b""), Packet::Sequenced(b"")),
        (packet(b'H', b""), Packet::ServerHeartbeat),
        (packet(b'Z', b""), Packet::EndOfSession),
        (packet(b'L', b"user  secret                                42"), Packet::LoginRequest(login())),
        (packet(b'R', b""), Packet::ClientHeartbeat),
        (packet(b'O', b""), Packet::Logout),
    ]
}

/// Feeds a stream in chunks of one size; errors by code, packets as they print.
fn take(stream: &[u8], chunk: usize) -> Vec<String> {
    let (mut pending, mut taken) = (Vec::new(), Vec::new());
    for piece in stream.chunks(chunk) {
        pending.extend_from_slice(piece);
        let mut packets = packets(&pending);
        taken.extend(packets.by_ref().map(|packet| match packet {
            Ok(packet) => format!("{packet:?}"),
            Err(error) => error.code().to_owned(),
        }));
        let consumed = packets.consumed();
        pending.drain(..consumed);
        assert!(pending.len() < 2 + 0xFFFF);
    }
    assert!(pending.is_empty());
    taken
}

#[test]
fn every_packet_type_is_read() {
    for (bytes, packet) in all() {
        assert_eq!(packets(&bytes).collect::<Vec<_>>(), [Ok(packet)], "{}", bytes.escape_ascii());
    }
}

#[test]
fn finds_the_same_packets_however_the_bytes_are_cut() {
    let mut stream: Vec<u8> = all().into_iter().flat_map(|(bytes, _)| bytes).collect();
    stream.extend_from_slice(&[0, 0]);
    stream.extend_from_slice(&packet(b'?', b"what"));
    stream.extend_from_slice(&packet(b'H', b"x"));
    stream.extend_from_slice(&packet(b'S', &[7; 0xFFFE]));
    let whole = take(&stream, stream.len());
    assert_eq!(whole.len(), all().len() + 4);
    assert_eq!(whole[all().len()..all().len() + 3], ["soup.empty", "soup.unknown_type", "soup.wrong_length"]);
    for chunk in [1, 2, 3, 5, 48, 49, 1_000, 65_536] {
        assert_eq!(take(&stream, chunk), whole, "chunks of {chunk}");
    }
}

#[test]
fn what_the_client_sends_is_as_published() {
    let bytes = login().encode();
    assert_eq!(&bytes, b"\0\x2fLuser  secret                                42");
    for sequence in [0, 1, 10, u64::MAX] {
        let request = LoginRequest::new("sixsix", "tententent", "000010059B", sequence).unwrap();
        assert_eq!(packets(&request.encode()).next(), Some(Ok(Packet::LoginRequest(request))));
    }
    for (bytes, packet) in [
        (CLIENT_HEARTBEAT, Packet::ClientHeartbeat),
        (SERVER_HEARTBEAT, Packet::ServerHeartbeat),
        (LOGOUT, Packet::Logout),
    ] {
        assert_eq!(packets(&bytes).collect::<Vec<_>>(), [Ok(packet)]);
    }
    assert_eq!(LoginRequest::new("sevenup", "", "", 0), None);
    assert_eq!(LoginRequest::new("", "elevenchars", "", 0), None);
    assert_eq!(LoginRequest::new("", "", "elevenchars", 0), None);
}

#[test]
fn a_password_is_not_printed() {
    assert!(!format!("{:?}", Packet::LoginRequest(login())).contains("secret"));
}

#[test]
fn what_is_no_packet_is_refused_by_name() {
    assert_eq!(decode(b""), Err(SoupError::Empty));
    for got in (0..=255u8).filter(|byte| !b"+UAJSHZLRO".contains(byte)) {
        assert_eq!(decode(&[got, 1, 2]), Err(SoupError::UnknownType { got }));
    }
    for (packet_type, expected) in
        [(b'A', 30), (b'J', 1), (b'H', 0), (b'Z', 0), (b'L', 46), (b'R', 0), (b'O', 0)]
    {
        for got in (0..60).filter(|&len| len != expected) {
            let block = [&[packet_type][..], &vec![b'1'; got]].concat();
            assert_eq!(decode(&block), Err(SoupError::WrongLength { packet_type, expected, got }));
        }
    }
    for (text, sequence) in [
        (b"                   1", Ok(1)),
        (b"1                   ", Ok(1)),
        (b"18446744073709551615", Ok(u64::MAX)),
        (b"18446744073709551616", Err(SoupError::BadSequence)),
        (b"99999999999999999999", Err(SoupError::BadSequence)),
        (b"                    ", Err(SoupError::BadSequence)),
        (b"                 1 2", Err(SoupError::BadSequence)),
        (b"                  -1", Err(SoupError::BadSequence)),
        (b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01", Err(SoupError::BadSequence)),
    ] {
        let block = [&b"A000010059B"[..], text].concat();
        let expected = sequence.map(|sequence| Packet::LoginAccepted { session: SESSION, sequence });
        assert_eq!(decode(&block), expected, "{}", text.escape_ascii());
    }
}

#[test]
fn sequenced_messages_are_counted_from_the_accepted_number() {
    let mut session = SoupSession::default();
    assert_eq!((session.session(), session.next()), (None, 0));
    for (packet, number) in [
        (Packet::Debug(b"welcome"), None),
        (Packet::LoginAccepted { session: SESSION, sequence: 1 }, None),
        (Packet::Sequenced(b"a"), Some(1)),
        (Packet::ServerHeartbeat, None),
        (Packet::Unsequenced(b"x"), None),
        (Packet::Sequenced(b"b"), Some(2)),
        (Packet::EndOfSession, None),
    ] {
        assert!(!session.is_ended());
        assert_eq!(session.note(&packet), Ok(number));
    }
    assert_eq!((session.session(), session.next(), session.is_ended()), (Some(SESSION), 3, true));
}

#[test]
fn a_packet_out_of_place_is_refused_and_changes_nothing() {
    let accepted = Packet::LoginAccepted { session: SESSION, sequence: u64::MAX };
    let at = |packets: &[Packet<'_>]| {
        let mut session = SoupSession::default();
        packets.iter().for_each(|packet| assert_eq!(session.note(packet), Ok(None)));
        session
    };
    let message = Packet::Sequenced(b"");
    for (mut session, packet) in [
        (at(&[]), message),
        (at(&[]), Packet::EndOfSession),
        (at(&[]), Packet::Unsequenced(b"")),
        (at(&[]), Packet::ClientHeartbeat),
        (at(&[]), Packet::LoginRequest(login())),
        (at(&[accepted]), accepted),
        (at(&[accepted]), Packet::LoginRejected { reason: b'S' }),
        (at(&[accepted]), Packet::Logout),
        // The last number of all cannot be passed.
        (at(&[accepted]), message),
        (at(&[accepted, Packet::EndOfSession]), message),
        (at(&[accepted, Packet::EndOfSession]), Packet::EndOfSession),
        (at(&[Packet::LoginRejected { reason: b'A' }]), accepted),
    ] {
        let before = session;
        assert!(matches!(session.note(&packet), Err(SoupError::Unexpected { .. })), "{packet:?}");
        assert_eq!(session, before);
    }
}

#[test]
fn silence_is_broken_after_a_second_and_believed_after_fifteen() {
    let mut timer = SoupTimer::new(100);
    let (beat, lost) = (100 + HEARTBEAT_NS, 100 + PEER_LOST_NS);
    assert_eq!(timer.due(100), SoupDue::Nothing { until: beat });
    assert_eq!(timer.due(beat - 1), SoupDue::Nothing { until: beat });
    assert_eq!(timer.due(beat), SoupDue::Heartbeat);
    timer.sent(beat);
    assert_eq!(timer.due(beat), SoupDue::Nothing { until: beat + HEARTBEAT_NS });
    assert_eq!(timer.due(lost - 1), SoupDue::Heartbeat);
    assert_eq!(timer.due(lost), SoupDue::PeerLost);
    timer.heard(lost);
    timer.sent(lost);
    assert_eq!(timer.due(lost), SoupDue::Nothing { until: lost + HEARTBEAT_NS });
    // A clock that steps back is neither silence nor speech.
    timer.heard(5);
    timer.sent(5);
    assert_eq!(timer.due(5), SoupDue::Nothing { until: lost + HEARTBEAT_NS });
    // Near the end of an outage both are due; a lost peer needs no heartbeat.
    let mut late = SoupTimer::new(u64::MAX - 1);
    late.sent(u64::MAX);
    assert_eq!(late.due(u64::MAX), SoupDue::PeerLost);
}

#[test]
fn every_error_says_what_was_expected_and_what_came() {
    let errors = [
        SoupError::Empty,
        SoupError::UnknownType { got: 0x1b },
        SoupError::WrongLength { packet_type: b'A', expected: 30, got: 1 },
        SoupError::BadSequence,
        SoupError::Unexpected { expected: "messages", got: "a logout" },
    ];
    let mut codes: Vec<_> = errors.iter().map(SoupError::code).collect();
    codes.dedup();
    assert_eq!(codes.len(), errors.len(), "each has a code of its own");
    for error in errors {
        let text = error.to_string();
        assert!(text.contains("expected ") && text.contains(", got "), "{text}");
        assert!(!text.contains('\x1b'), "{text}");
        assert!(error.code().starts_with("soup.") && !error.fix().is_empty());
    }
}

use super::*;
use crate::types::Side;

/// The eleven bytes before the fields: locate 0x0102, tracking 0x0304, time 0x05060708090A.
const HEAD: [u8; 10] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

/// A message out of its type and the parts behind the head.
fn message(message_type: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = vec![message_type];
    bytes.extend_from_slice(&HEAD);
    parts.iter().for_each(|part| bytes.extend_from_slice(part));
    bytes
}

const REFERENCE: &[u8] = &[0x80, 0, 0, 0, 0, 0, 0x12, 0x34];
const SHARES: &[u8] = &[0, 0, 3, 0xE8];
const PRICE: &[u8] = &[0, 0, 0xCF, 0xAF];
const MATCH: &[u8] = &[0, 0, 0, 0, 0, 0, 0x46, 0x81];
const STOCK: &[u8] = b"ALC     ";

/// One message of each type.
fn all() -> Vec<Vec<u8>> {
    vec![
        message(b'S', &[b"O"]),
        message(
            b'R',
            &[
                STOCK,
                b"Q",
                b"N",
                &[0, 0, 0, 100],
                b"N",
                b"C",
                b"Z ",
                b"P",
                b"N",
                b" ",
                b"1",
                b"Y",
                &[0, 0, 0, 3],
                b"N",
            ],
        ),
        message(b'H', &[STOCK, b"T", b" ", b"IPO1"]),
        message(b'Y', &[STOCK, b"2"]),
        message(b'L', &[b"VIRT", STOCK, b"Y", b"N", b"A"]),
        message(b'V', &[&[0, 0, 0, 0, 0, 0, 0, 1], &[0, 0, 0, 0, 0, 0, 1, 0], &[0xFF; 8]]),
        message(b'W', &[b"3"]),
        message(b'K', &[STOCK, &[0, 0, 0x90, 0xD8], b"A", PRICE]),
        message(b'J', &[STOCK, &[0, 0, 0, 1], &[0, 0, 0, 2], &[0, 0, 0, 3], &[0, 0, 0, 4]]),
        message(b'h', &[STOCK, b"X", b"H"]),
        message(b'A', &[REFERENCE, b"B", SHARES, STOCK, PRICE]),
        message(b'F', &[REFERENCE, b"S", SHARES, STOCK, PRICE, b"VIRT"]),
        message(b'E', &[REFERENCE, SHARES, MATCH]),
        message(b'C', &[REFERENCE, SHARES, MATCH, b"Y", PRICE]),
        message(b'X', &[REFERENCE, SHARES]),
        message(b'D', &[REFERENCE]),
        message(b'U', &[REFERENCE, &[0, 0, 0, 0, 0, 0, 0, 9], SHARES, PRICE]),
        message(b'P', &[REFERENCE, b"B", SHARES, STOCK, PRICE, MATCH]),
        message(b'Q', &[&[0, 0, 0, 1, 0, 0, 0, 0], STOCK, PRICE, MATCH, b"O"]),
        message(b'B', &[MATCH]),
        message(
            b'I',
            &[
                &[0, 0, 0, 0, 0, 0, 0, 5],
                &[0, 0, 0, 0, 0, 0, 0, 6],
                b"S",
                STOCK,
                &[0, 0, 0, 7],
                &[0, 0, 0, 8],
                &[0, 0, 0, 9],
                b"C",
                b"L",
            ],
        ),
        message(b'N', &[STOCK, b"A"]),
        message(
            b'O',
            &[
                STOCK,
                b"Y",
                &[0, 0, 0, 1],
                &[0, 0, 0, 2],
                &[0, 0, 0, 3],
                &[0, 0, 0, 0, 0, 0, 0, 4],
                &[0, 0, 0, 5],
                &[0, 0, 0, 6],
            ],
        ),
    ]
}

/// The message of a type among [`all`].
fn one(message_type: u8) -> Vec<u8> {
    all().into_iter().find(|bytes| bytes[0] == message_type).unwrap()
}

#[test]
fn every_type_has_its_published_length() {
    let lens: Vec<_> = all().iter().map(|bytes| (char::from(bytes[0]), bytes.len())).collect();
    let published = [
        ('S', 12),
        ('R', 39),
        ('H', 25),
        ('Y', 20),
        ('L', 26),
        ('V', 35),
        ('W', 12),
        ('K', 28),
        ('J', 35),
        ('h', 21),
        ('A', 36),
        ('F', 40),
        ('E', 31),
        ('C', 36),
        ('X', 23),
        ('D', 19),
        ('U', 35),
        ('P', 44),
        ('Q', 40),
        ('B', 19),
        ('I', 50),
        ('N', 20),
        ('O', 48),
    ];
    assert_eq!(lens, published);
    for message_type in 0..=255 {
        let expected = published.iter().find(|(letter, _)| *letter == char::from(message_type));
        assert_eq!(message_len(message_type), expected.map(|&(_, len)| len));
    }
    assert_eq!(published.iter().map(|&(_, len)| len).max(), Some(MESSAGE_BYTES_MAX));
}

#[test]
fn every_message_keeps_its_bytes_and_its_head() {
    for bytes in all() {
        let message = decode(&bytes).unwrap();
        assert_eq!(message.as_bytes(), bytes);
        assert_eq!(message.message_type(), bytes[0]);
        assert_eq!(message.stock_locate(), 0x0102);
        assert_eq!(message.tracking_number(), 0x0304);
        assert_eq!(message.timestamp_ns(), 0x0506_0708_090A);
    }
}

/// Reads the message of a type and hands its view to the checks.
macro_rules! fields {
    ($name:ident, $letter:literal, $($field:ident == $value:expr),+ $(,)?) => {{
        let bytes = one($letter);
        let Ok(Message::$name(view)) = decode(&bytes) else { panic!("not a {}", stringify!($name)) };
        assert_eq!(view.as_bytes().as_slice(), bytes);
        assert_eq!((view.stock_locate(), view.tracking_number()), (0x0102, 0x0304));
        assert_eq!(view.timestamp_ns(), 0x0506_0708_090A);
        $( assert_eq!(view.$field(), $value, "{} of {}", stringify!($field), stringify!($name)); )+
    }};
}

#[test]
fn administrative_fields_stand_where_the_venue_says() {
    fields!(SystemEvent, b'S', event == b'O');
    fields!(
        StockDirectory,
        b'R',
        stock == b"ALC     ",
        market_category == b'Q',
        financial_status == b'N',
        round_lot_size == 100,
        round_lots_only == b'N',
        issue_classification == b'C',
        issue_sub_type == b"Z ",
        authenticity == b'P',
        short_sale_threshold == b'N',
        ipo_flag == b' ',
        luld_reference_price_tier == b'1',
        etp_flag == b'Y',
        etp_leverage_factor == 3,
        inverse_indicator == b'N',
    );
    fields!(
        TradingAction,
        b'H',
        stock == b"ALC     ",
        trading_state == b'T',
        reserved == b' ',
        reason == b"IPO1"
    );
    fields!(RegShoRestriction, b'Y', stock == b"ALC     ", action == b'2');
    fields!(
        ParticipantPosition,
        b'L',
        mpid == b"VIRT",
        stock == b"ALC     ",
        primary_market_maker == b'Y',
        market_maker_mode == b'N',
        participant_state == b'A',
    );
    fields!(MwcbDeclineLevel, b'V', level_1 == 1, level_2 == 256, level_3 == u64::MAX);
    fields!(MwcbStatus, b'W', breached_level == b'3');
    fields!(
        IpoQuotingPeriod,
        b'K',
        stock == b"ALC     ",
        release_time_s == 37_080,
        release_qualifier == b'A',
        price == 53_167,
    );
    fields!(
        LuldAuctionCollar,
        b'J',
        stock == b"ALC     ",
        reference_price == 1,
        upper_price == 2,
        lower_price == 3,
        extension == 4,
    );
    fields!(OperationalHalt, b'h', stock == b"ALC     ", market == b'X', action == b'H');
    fields!(
        Imbalance,
        b'I',
        paired_shares == 5,
        imbalance_shares == 6,
        imbalance_direction == b'S',
        stock == b"ALC     ",
        far_price == 7,
        near_price == 8,
        reference_price == 9,
        cross_type == b'C',
        price_variation == b'L',
    );
    fields!(RetailInterest, b'N', stock == b"ALC     ", interest == b'A');
    fields!(
        DirectListing,
        b'O',
        stock == b"ALC     ",
        open_eligibility == b'Y',
        minimum_price == 1,
        maximum_price == 2,
        near_execution_price == 3,
        near_execution_time_ns == 4,
        lower_collar == 5,
        upper_collar == 6,
    );
}

#[test]
fn order_and_trade_fields_stand_where_the_venue_says() {
    const REFERENCE: u64 = 0x8000_0000_0000_1234;
    fields!(
        AddOrder,
        b'A',
        reference == REFERENCE,
        side == Side::Bid,
        shares == 1_000,
        stock == b"ALC     ",
        price == 53_167,
    );
    fields!(
        AddOrderAttributed,
        b'F',
        reference == REFERENCE,
        side == Side::Ask,
        shares == 1_000,
        stock == b"ALC     ",
        price == 53_167,
        attribution == b"VIRT",
    );
    fields!(OrderExecuted, b'E', reference == REFERENCE, shares == 1_000, match_number == 0x4681);
    fields!(
        OrderExecutedWithPrice,
        b'C',
        reference == REFERENCE,
        shares == 1_000,
        match_number == 0x4681,
        printable == true,
        price == 53_167,
    );
    fields!(OrderCancel, b'X', reference == REFERENCE, shares == 1_000);
    fields!(OrderDelete, b'D', reference == REFERENCE);
    fields!(
        OrderReplace,
        b'U',
        original_reference == REFERENCE,
        new_reference == 9,
        shares == 1_000,
        price == 53_167,
    );
    fields!(
        NonCrossTrade,
        b'P',
        reference == REFERENCE,
        side == Side::Bid,
        shares == 1_000,
        stock == b"ALC     ",
        price == 53_167,
        match_number == 0x4681,
    );
    fields!(
        CrossTrade,
        b'Q',
        shares == 1 << 32,
        stock == b"ALC     ",
        price == 53_167,
        match_number == 0x4681,
        cross_type == b'O',
    );
    fields!(BrokenTrade, b'B', match_number == 0x4681);
}

#[test]
fn only_seven_types_change_the_book() {
    let (id, price, qty) = (OrderId(0x8000_0000_0000_1234), Price(53_167), Qty(1_000));
    let changes: Vec<_> = all()
        .iter()
        .filter_map(|bytes| {
            decode(bytes).unwrap().order_change().map(|change| (char::from(bytes[0]), change))
        })
        .collect();
    let expected = [
        ('A', OrderChange::Add { id, side: Side::Bid, price, qty }),
        ('F', OrderChange::Add { id, side: Side::Ask, price, qty }),
        ('E', OrderChange::Execute { id, qty }),
        ('C', OrderChange::Execute { id, qty }),
        ('X', OrderChange::Reduce { id, qty }),
        ('D', OrderChange::Delete { id }),
        ('U', OrderChange::Replace { id, new_id: OrderId(9), price, qty }),
    ];
    assert_eq!(changes, expected.map(|(letter, change)| (letter, (0x0102, change))));
}

#[test]
fn volume_is_what_four_types_report() {
    let (order, price) = (Some(OrderId(0x8000_0000_0000_1234)), Some(Price(53_167)));
    let trades: Vec<_> = all()
        .iter()
        .filter_map(|bytes| decode(bytes).unwrap().trade().map(|trade| (char::from(bytes[0]), trade)))
        .collect();
    let expected = [
        ('E', Trade { match_number: 0x4681, order, shares: 1_000, price: None }),
        ('C', Trade { match_number: 0x4681, order, shares: 1_000, price }),
        ('P', Trade { match_number: 0x4681, order: None, shares: 1_000, price }),
        ('Q', Trade { match_number: 0x4681, order: None, shares: 1 << 32, price }),
    ];
    assert_eq!(trades, expected.map(|(letter, trade)| (letter, (0x0102, trade))));
}

#[test]
fn an_execution_that_is_not_printable_changes_the_book_and_is_no_volume() {
    let mut bytes = one(b'C');
    bytes[31] = b'N';
    let message = decode(&bytes).unwrap();
    assert_eq!(message.trade(), None);
    assert!(matches!(message.order_change(), Some((0x0102, OrderChange::Execute { qty: Qty(1_000), .. }))));
}

#[test]
fn a_cross_without_shares_is_no_trade() {
    let mut bytes = one(b'Q');
    bytes[11..19].fill(0);
    assert_eq!(decode(&bytes).unwrap().trade(), None);
}

#[test]
fn extreme_values_are_read_as_they_are() {
    for byte in [0, 0xFF] {
        let wide = |count: u32| if byte == 0 { 0 } else { u64::MAX >> (64 - count) };
        for bytes in all() {
            let mut bytes = bytes;
            bytes[1..].fill(byte);
            match bytes[0] {
                b'A' | b'F' | b'P' => bytes[19] = b'S',
                b'C' => bytes[31] = b'N',
                _ => {}
            }
            let message = decode(&bytes).unwrap();
            assert_eq!(u64::from(message.stock_locate()), wide(16));
            assert_eq!(u64::from(message.tracking_number()), wide(16));
            assert_eq!(message.timestamp_ns(), wide(48));
            match message.order_change() {
                Some((_, OrderChange::Add { id, price, qty, .. })) => {
                    assert_eq!((id.0, price.0 as u64, qty.0 as u64), (wide(64), wide(32), wide(32)));
                }
                Some((_, OrderChange::Replace { id, new_id, price, qty })) => {
                    assert_eq!((id.0, new_id.0), (wide(64), wide(64)));
                    assert_eq!((price.0 as u64, qty.0 as u64), (wide(32), wide(32)));
                }
                Some((_, OrderChange::Execute { id, qty } | OrderChange::Reduce { id, qty })) => {
                    assert_eq!((id.0, qty.0 as u64), (wide(64), wide(32)));
                }
                Some((_, OrderChange::Delete { id })) => assert_eq!(id.0, wide(64)),
                _ => assert!(!b"AFECXDU".contains(&bytes[0])),
            }
        }
    }
}

#[test]
fn what_is_no_message_is_refused_by_name() {
    assert_eq!(decode(b""), Err(ItchError::Empty));
    for got in 0..=255u8 {
        if message_len(got).is_none() {
            assert_eq!(decode(&[got; 36]), Err(ItchError::UnknownType { got }));
        }
    }
    for bytes in all() {
        let (message_type, expected) = (bytes[0], bytes.len());
        let mut longer = bytes;
        longer.extend_from_slice(&[0; 70]);
        for got in (1..expected).chain(expected + 1..=longer.len()) {
            let refused = Err(ItchError::WrongLength { message_type, expected, got });
            assert_eq!(decode(&longer[..got]), refused);
        }
    }
    for message_type in [b'A', b'F', b'P'] {
        let mut bytes = one(message_type);
        for got in 0..=255u8 {
            bytes[19] = got;
            let refused = decode(&bytes).err();
            assert_eq!(refused, (!b"BS".contains(&got)).then_some(ItchError::BadSide { got }));
        }
    }
    let mut bytes = one(b'C');
    for got in 0..=255u8 {
        bytes[31] = got;
        assert_eq!(decode(&bytes).err(), (!b"YN".contains(&got)).then_some(ItchError::BadPrintable { got }));
    }
}

#[test]
fn letters_that_the_venue_may_add_lose_no_message() {
    let mut bytes = one(b'R');
    bytes[31] = b'Z';
    bytes[19] = b'M';
    let Ok(Message::StockDirectory(view)) = decode(&bytes) else { panic!() };
    assert_eq!((view.ipo_flag(), view.market_category()), (b'Z', b'M'));
}

#[test]
fn texts_lose_their_padding_and_nothing_else() {
    for (padded, plain) in [
        (&b"ALC     "[..], &b"ALC"[..]),
        (b"BRK A   ", b"BRK A"),
        (b"ABCDEFGH", b"ABCDEFGH"),
        (b"    ", b""),
        (b"", b""),
    ] {
        assert_eq!(text(padded), plain);
    }
}

#[test]
fn a_beginning_is_told_by_type_and_time() {
    let mut bytes = one(b'S');
    assert!(is_plausible(&bytes));
    assert!(!is_plausible(&bytes[..10]), "too short to tell");
    bytes[5] = 0xFF;
    assert!(!is_plausible(&bytes), "not a time of day");
    bytes[5] = 5;
    bytes[0] = b'?';
    assert!(!is_plausible(&bytes), "not a type");
}

#[test]
fn every_error_says_what_was_expected_and_what_came() {
    let errors = [
        ItchError::Empty,
        ItchError::UnknownType { got: 0x1b },
        ItchError::WrongLength { message_type: b'A', expected: 36, got: 9 },
        ItchError::BadSide { got: b'X' },
        ItchError::BadPrintable { got: 0 },
    ];
    let mut codes: Vec<_> = errors.iter().map(ItchError::code).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), errors.len(), "each has a code of its own");
    for error in errors {
        let text = error.to_string();
        assert!(text.contains("expected ") && text.contains(", got "), "{text}");
        assert!(!text.contains('\x1b'), "{text}");
        assert!(error.code().starts_with("itch.") && !error.fix().is_empty());
    }
}

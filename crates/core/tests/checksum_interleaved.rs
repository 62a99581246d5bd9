//! Checksums over bids and asks in turn: kept up to date beside a book that changes, they equal the text of the whole top,
//! printed and summed one bit at a time.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

use depthwire_core::book::{BookSpec, L2Book, Touched};
use depthwire_core::checksum::Decimals::{Fixed, Script, Shortest};
use depthwire_core::checksum::{Decimals, INTERLEAVED_LEVELS, InterleavedTop, Joining, NumberText, crc32};
use depthwire_core::types::{KnownTo, Level, Levels, OrderId, Price, Qty, Side};

/// Updates of a market.
const UPDATES: u64 = if cfg!(debug_assertions) { 10_000 } else { 100_000 };

/// CRC-32 by its definition, one bit at a time.
fn crc32_slow(text: &str) -> u32 {
    !text.bytes().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| crc >> 1 ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    })
}

/// A number by its digits, one after the other.
fn printed(mantissa: i64, exponent: i32, decimals: Decimals) -> String {
    let places = -exponent as usize;
    let digits = format!("{:0width$}", mantissa.unsigned_abs(), width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    let shortest = fraction.trim_end_matches('0');
    let significant = format!("{whole}{shortest}").trim_start_matches('0').to_owned();
    let sign = if mantissa < 0 { "-" } else { "" };
    match decimals {
        Fixed(0) => format!("{sign}{whole}"),
        Fixed(n) => format!("{sign}{whole}.{shortest:0<width$}", width = usize::from(n)),
        Script if mantissa != 0 && whole == "0" && shortest.starts_with("000000") => {
            let power = shortest.len() - significant.len() + 1;
            match significant.split_at(1) {
                (first, "") => format!("{sign}{first}e-{power}"),
                (first, rest) => format!("{sign}{first}.{rest}e-{power}"),
            }
        }
        Shortest | Script if shortest.is_empty() => format!("{sign}{whole}"),
        Shortest | Script => format!("{sign}{whole}.{shortest}"),
    }
}

/// How the numbers of a market are held and printed.
struct Market {
    price: (i32, Decimals),
    qty: (i32, Decimals),
    negates_asks: bool,
    center: i64,
    /// Steps of prices and quantities.
    steps: (i64, i64),
    depth: usize,
    /// A wide market's changes mostly lie behind the best 25.
    reach: u64,
}

const MARKETS: [Market; 4] = [
    Market {
        price: (-1, Shortest),
        qty: (-8, Shortest),
        negates_asks: false,
        center: 786_123,
        steps: (1, 10),
        depth: 400,
        reach: 9,
    },
    Market {
        price: (-9, Fixed(5)),
        qty: (-4, Fixed(4)),
        negates_asks: false,
        center: 60_000,
        steps: (10_000, 1),
        depth: 1_000,
        reach: 5,
    },
    Market {
        price: (-12, Script),
        qty: (-9, Script),
        negates_asks: true,
        center: 1_000_000,
        steps: (5, 3),
        depth: 25,
        reach: 5,
    },
    Market {
        price: (0, Fixed(0)),
        qty: (0, Shortest),
        negates_asks: false,
        center: 9_000,
        steps: (1, 100),
        depth: 10,
        reach: 3,
    },
];

impl Market {
    fn joining(&self) -> Joining {
        let text = |(exponent, decimals): (i32, Decimals)| NumberText::new(exponent as i8, decimals).unwrap();
        Joining { price: text(self.price), qty: text(self.qty), negates_asks: self.negates_asks }
    }

    /// The checksum of a book by its text.
    fn plain(&self, book: &L2Book) -> u32 {
        let rows = |side| {
            let row = move |level: Level| {
                let sign = if self.negates_asks && side == Side::Ask { -1 } else { 1 };
                let qty = printed(sign * level.qty.0, self.qty.0, self.qty.1);
                printed(level.price.0, self.price.0, self.price.1) + ":" + &qty
            };
            book.levels(side).take(INTERLEAVED_LEVELS).map(row).collect::<Vec<_>>()
        };
        let (bids, asks) = (rows(Side::Bid), rows(Side::Ask));
        let places = 0..INTERLEAVED_LEVELS;
        let both: Vec<&str> =
            places.flat_map(|at| [bids.get(at), asks.get(at)]).flatten().map(String::as_str).collect();
        crc32_slow(&both.join(":"))
    }
}

fn random(state: &mut u64, bound: u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    ((u128::from(*state ^ (*state >> 31)) * u128::from(bound)) >> 64) as u64
}

#[test]
fn a_checksum_kept_up_to_date_equals_the_printed_text() {
    for (seed, market) in MARKETS.iter().enumerate() {
        let mut state = seed as u64;
        let (price_step, qty_step) = market.steps;
        let mut book = L2Book::new(BookSpec { tick_size: price_step, levels_max: 100_000 });
        book.load(Levels::default().view(), KnownTo::WHOLE).unwrap();
        let mut top = InterleavedTop::new(market.joining());
        let (mut frame, mut best) = (Levels::default(), Vec::new());
        let (mut center, mut skipped) = (market.center, 0);
        for update in 0..UPDATES {
            frame.clear();
            center = (center + random(&mut state, 3) as i64 - 1).clamp(market.center / 2, market.center * 2);
            for _ in 0..random(&mut state, 4) {
                let reach = 1 << random(&mut state, market.reach);
                let away = 1 + random(&mut state, reach) as i64;
                let side = if random(&mut state, 2) == 0 { Side::Bid } else { Side::Ask };
                let price = if side == Side::Bid { center - away } else { center + away };
                let digits = 1 << random(&mut state, 40);
                let qty = if random(&mut state, 3) == 0 { 0 } else { 1 + random(&mut state, digits) as i64 };
                frame.side_mut(side).push(Level::new(price * price_step, qty * qty_step));
            }
            let mut touched = book.apply(frame.view()).unwrap();
            if random(&mut state, 1_000) == 0 {
                // A snapshot instead, of which nothing is known to have stayed.
                let level = Level::new(center * price_step, qty_step);
                book.load(Levels { bids: vec![level], asks: Vec::new() }.view(), KnownTo::WHOLE).unwrap();
                touched = Touched { bid: Some(Price(i64::MAX)), ask: Some(Price(i64::MIN)) };
            }
            if book.truncate(market.depth) > 0 && market.depth < INTERLEAVED_LEVELS {
                touched = Touched { bid: Some(Price(i64::MAX)), ask: Some(Price(i64::MIN)) };
            }
            for (side, nearest) in [(Side::Ask, touched.ask), (Side::Bid, touched.bid)] {
                if top.reaches(side, nearest) {
                    best.clear();
                    book.levels(side).append_to(INTERLEAVED_LEVELS, &mut best);
                    top.set(side, &best);
                } else {
                    skipped += u32::from(nearest.is_some());
                }
            }
            // Not each message has a checksum.
            if random(&mut state, 4) == 0 {
                continue;
            }
            let plain = market.plain(&book);
            assert_eq!(top.crc32(), Some(plain), "market {seed}, update {update}: {frame:?}");
            if update % 64 == 0 {
                let whole = market.joining().crc32(book.levels(Side::Bid), book.levels(Side::Ask));
                assert_eq!(whole, Some(plain));
            }
        }
        assert!(market.reach < 9 || skipped > 100, "market {seed}: what lies deep is not printed again");
    }
}

#[test]
fn an_unprintable_level_has_no_checksum_until_it_is_gone() {
    let joining = Joining {
        price: NumberText::new(-2, Fixed(1)).unwrap(),
        qty: NumberText::new(0, Shortest).unwrap(),
        negates_asks: false,
    };
    let levels = |pairs: &[(i64, i64)]| pairs.iter().map(|&(p, q)| Level::new(p, q)).collect::<Vec<_>>();
    let mut top = InterleavedTop::new(joining);
    assert_eq!(top.crc32(), Some(0));
    top.set(Side::Bid, &levels(&[(250, 1), (245, 1), (240, 7)]));
    assert_eq!((top.crc32(), top.crc32()), (None, None));
    top.set(Side::Ask, &levels(&[(260, 3)]));
    assert_eq!(top.crc32(), None);
    top.set(Side::Bid, &levels(&[(250, 1), (240, 7)]));
    assert_eq!(top.crc32(), Some(crc32(b"2.5:1:2.6:3:2.4:7")));
    top.set(Side::Bid, &[]);
    assert_eq!(top.crc32(), Some(crc32(b"2.6:3")));
    top.set(Side::Ask, &[]);
    assert_eq!(top.crc32(), Some(0));
}

#[test]
fn orders_have_their_numbers_and_asks_a_sign() {
    let joining = Joining {
        price: NumberText::new(-5, Script).unwrap(),
        qty: NumberText::new(-8, Script).unwrap(),
        negates_asks: true,
    };
    let orders =
        |list: &[(u64, i64)]| list.iter().map(|&(id, qty)| (OrderId(id), Qty(qty))).collect::<Vec<_>>();
    let bids = orders(&[(34_006_738_527, 21_000_000), (7, 100_000_000)]);
    let asks = orders(&[(u64::MAX, 99)]);
    let text = b"34006738527:0.21:18446744073709551615:-9.9e-7:7:1";
    assert_eq!(joining.crc32_of_orders(bids, asks), Some(crc32(text)));
    let many = vec![(OrderId(1), Qty(100_000_000)); 30];
    let expected = ["1:1"; INTERLEAVED_LEVELS].join(":");
    assert_eq!(joining.crc32_of_orders(many, []), Some(crc32(expected.as_bytes())));
}

//! Checksums over printed digits: kept up to date beside a book that changes, they equal the text of the whole top,
//! printed and summed one bit at a time; and they equal the published examples.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what went wrong by failing")]

use std::path::PathBuf;

use depthwire_core::book::l3::{BookIndex, IdOrder, L3Books, L3Spec};
use depthwire_core::book::{BookSpec, L2Book, Touched};
use depthwire_core::checksum::{PrintedTop, Printing, Scale, TOP_LEVELS, crc32};
use depthwire_core::types::{KnownTo, Level, Levels, OrderId, Price, Qty, Side, parse_decimal};

/// Updates over all markets.
const UPDATES: u64 = if cfg!(debug_assertions) { 40_000 } else { 1_000_000 };

/// CRC-32 by its definition, one bit at a time.
fn crc32_slow(text: &str) -> u32 {
    !text.bytes().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| crc >> 1 ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    })
}

/// A number with `decimals` digits behind the point, as venues print it.
fn printed(mantissa: i64, exponent: i32, decimals: i32) -> String {
    let value = i128::from(mantissa) * 10i128.pow((exponent + decimals).max(0) as u32)
        / 10i128.pow((-exponent - decimals).max(0) as u32);
    let one = 10i128.pow(decimals as u32);
    match decimals {
        0 => format!("{value}"),
        _ => format!("{}.{:0width$}", value / one, value % one, width = decimals as usize),
    }
}

/// A number as it counts: without the point and without leading zeros.
fn digits(text: &str) -> String {
    text.replace('.', "").trim_start_matches('0').to_owned()
}

/// How the numbers of a market are held and printed.
struct Market {
    price_exponent: i32,
    price_decimals: i32,
    qty_exponent: i32,
    qty_decimals: i32,
    center: i64,
    step: i64,
    qty_unit: i64,
    depth: usize,
}

const MARKETS: [Market; 4] = [
    Market {
        price_exponent: -1,
        price_decimals: 1,
        qty_exponent: -8,
        qty_decimals: 8,
        center: 856_004,
        step: 1,
        qty_unit: 1,
        depth: 10,
    },
    Market {
        price_exponent: -9,
        price_decimals: 5,
        qty_exponent: -8,
        qty_decimals: 8,
        center: 60_000,
        step: 10_000,
        qty_unit: 1,
        depth: 25,
    },
    Market {
        price_exponent: 0,
        price_decimals: 2,
        qty_exponent: -2,
        qty_decimals: 8,
        center: 5_000,
        step: 1,
        qty_unit: 1,
        depth: 1_000,
    },
    Market {
        price_exponent: -2,
        price_decimals: 0,
        qty_exponent: 0,
        qty_decimals: 0,
        center: 9_000,
        step: 100,
        qty_unit: 1 << 22,
        depth: 10,
    },
];

impl Market {
    fn printing(&self) -> Printing {
        let scale = |exponent, decimals| Scale::new(exponent as i8, decimals as u8).unwrap();
        Printing {
            price: scale(self.price_exponent, self.price_decimals),
            qty: scale(self.qty_exponent, self.qty_decimals),
        }
    }

    fn text(&self, level: Level) -> String {
        let price = printed(level.price.0, self.price_exponent, self.price_decimals);
        digits(&price) + &digits(&printed(level.qty.0, self.qty_exponent, self.qty_decimals))
    }

    /// The checksum of a book by its text.
    fn plain(&self, book: &L2Book) -> u32 {
        let top = |side| book.levels(side).take(TOP_LEVELS).map(|level| self.text(level));
        crc32_slow(&top(Side::Ask).chain(top(Side::Bid)).collect::<String>())
    }
}

fn random(state: &mut u64, bound: u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    ((u128::from(*state ^ (*state >> 31)) * u128::from(bound)) >> 64) as u64
}

/// What a caller does after each message.
fn follow(top: &mut PrintedTop, book: &L2Book, touched: Touched, best: &mut Vec<Level>) -> u32 {
    let mut sides = 0;
    for (side, nearest) in [(Side::Ask, touched.ask), (Side::Bid, touched.bid)] {
        if top.reaches(side, nearest) {
            best.clear();
            book.levels(side).append_to(TOP_LEVELS, best);
            top.set(side, best);
            sides += 1;
        }
    }
    sides
}

#[test]
fn a_checksum_kept_up_to_date_equals_the_printed_text() {
    for (seed, market) in MARKETS.iter().enumerate() {
        let mut state = seed as u64;
        let mut book = L2Book::new(BookSpec { tick_size: market.step, levels_max: 100_000 });
        book.load(Levels::default().view(), KnownTo::WHOLE).unwrap();
        let mut top = PrintedTop::new(market.printing());
        let (mut frame, mut best) = (Levels::default(), Vec::new());
        let (mut center, mut skipped) = (market.center, 0);
        for update in 0..UPDATES / MARKETS.len() as u64 {
            frame.clear();
            center += random(&mut state, 3) as i64 - 1;
            center = center.clamp(market.center / 2, market.center * 2);
            for _ in 0..1 + random(&mut state, 3) {
                let reach = 1 << random(&mut state, 8);
                let away = 1 + random(&mut state, reach) as i64;
                let side = if random(&mut state, 2) == 0 { Side::Bid } else { Side::Ask };
                let price = if side == Side::Bid { center - away } else { center + away };
                let digits = 1 << random(&mut state, 40);
                let qty = if random(&mut state, 3) == 0 { 0 } else { 1 + random(&mut state, digits) as i64 };
                frame.side_mut(side).push(Level::new(price * market.step, qty * market.qty_unit));
            }
            let mut touched = book.apply(frame.view()).unwrap();
            if random(&mut state, 1_000) == 0 {
                // A snapshot instead, of which nothing is known to have stayed.
                let level = Level::new(center * market.step, market.qty_unit);
                book.load(Levels { bids: vec![level], asks: Vec::new() }.view(), KnownTo::WHOLE).unwrap();
                touched = Touched { bid: Some(Price(i64::MAX)), ask: Some(Price(i64::MIN)) };
            }
            book.truncate(market.depth);
            skipped += u32::from(follow(&mut top, &book, touched, &mut best) == 0);
            let plain = market.plain(&book);
            assert_eq!(top.crc32(), Some(plain), "market {seed}, update {update}: {frame:?}");
            if update % 64 == 0 {
                let rows = |side| book.levels(side).take(TOP_LEVELS);
                assert_eq!(market.printing().crc32(rows(Side::Ask).chain(rows(Side::Bid))), Some(plain));
            }
        }
        assert!(market.depth == 10 || skipped > 100, "market {seed}: what lies deep is not printed again");
    }
}

/// A venue's example: what it says of each side, and the checksum thereafter.
#[derive(Default)]
struct Example {
    /// Price and quantity as printed.
    bids: Vec<[String; 2]>,
    asks: Vec<[String; 2]>,
    crc32: Vec<u32>,
}

/// The parts of a published example, one for each `expected_crc32`; `None`, said on standard error, without the file.
fn examples(test: &str, file: &str) -> Option<Vec<Example>> {
    let root = match std::env::var_os("DEPTHWIRE_DATA") {
        Some(root) => PathBuf::from(root),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
    };
    let Ok(text) = std::fs::read_to_string(root.join("vectors").join(file)) else {
        eprintln!("SKIPPED: {test}: {file}: no recordings here (set DEPTHWIRE_DATA)");
        return None;
    };
    let mut examples = vec![Example::default()];
    let (mut is_bids, mut price) = (false, None::<String>);
    for part in text.split('"').collect::<Vec<_>>().windows(2) {
        let [word, behind] = part else { continue };
        let last = examples.last_mut().unwrap();
        match *word {
            "bids" | "asks" => is_bids = *word == "bids",
            "expected_crc32" => {
                let number: String = behind.chars().filter(char::is_ascii_digit).collect();
                last.crc32.push(number.parse().unwrap());
                if !last.bids.is_empty() || !last.asks.is_empty() {
                    examples.push(Example::default());
                }
            }
            number if !number.is_empty() && number.chars().all(|c| c.is_ascii_digit() || c == '.') => {
                match price.take() {
                    None => price = Some(number.to_owned()),
                    Some(price) => {
                        let side = if is_bids { &mut last.bids } else { &mut last.asks };
                        side.push([price, number.to_owned()]);
                    }
                }
            }
            _ => {}
        }
    }
    examples.retain(|example| !example.crc32.is_empty());
    Some(examples)
}

/// Prices at −1 and quantities at −8.
fn level([price, qty]: &[String; 2]) -> Level {
    let mantissa = |text: &str, exponent| parse_decimal(text.as_bytes(), exponent).unwrap();
    Level::new(mantissa(price, -1), mantissa(qty, -8))
}

#[test]
fn five_published_checksums_of_levels_are_right() {
    let test = "five_published_checksums_of_levels_are_right";
    let Some(examples) = examples(test, "kraken-v2-book-crc32.json") else { return };
    assert_eq!(examples.len(), 5);
    let mut book = L2Book::new(BookSpec { tick_size: 1, levels_max: 1_000 });
    book.load(Levels::default().view(), KnownTo::WHOLE).unwrap();
    let mut top = PrintedTop::new(MARKETS[0].printing());
    let mut cut = 0;
    for example in examples {
        let all = |side: &[[String; 2]]| side.iter().map(level).collect();
        let levels = Levels { bids: all(&example.bids), asks: all(&example.asks) };
        let touched = book.apply(levels.view()).unwrap();
        cut += book.truncate(10);
        follow(&mut top, &book, touched, &mut Vec::new());
        assert_eq!(top.crc32(), example.crc32.first().copied());
    }
    assert_eq!(cut, 1);
}

#[test]
fn a_published_checksum_of_orders_is_right() {
    let test = "a_published_checksum_of_orders_is_right";
    let Some(examples) = examples(test, "kraken-l3-crc32.json") else { return };
    let [example] = examples.as_slice() else { panic!("one example") };
    let spec = L3Spec { orders_max: 100, books_max: 1, ids: IdOrder::Arbitrary, hash_seed: 1 };
    let mut books = L3Books::new(spec).unwrap();
    let book = books.open(BookSpec { tick_size: 1, levels_max: 100 }).unwrap();
    let both = [(Side::Ask, &example.asks), (Side::Bid, &example.bids)];
    let orders = both.iter().flat_map(|(side, orders)| orders.iter().map(|order| (*side, level(order))));
    for (id, (side, Level { price, qty })) in orders.enumerate() {
        books.add(book, OrderId(id as u64), side, price, qty).unwrap();
    }
    let checksum = orders_crc32(&books, book, MARKETS[0].printing());
    assert_eq!(checksum, Some(1_063_832_831));
    assert_eq!(checksum, example.crc32.first().copied());
}

fn orders_crc32(books: &L3Books, book: BookIndex, printing: Printing) -> Option<u32> {
    printing.crc32([Side::Ask, Side::Bid].into_iter().flat_map(|side| {
        books.levels(book, side).take(TOP_LEVELS).flat_map(move |Level { price, .. }| {
            books.queue(book, side, price).map(move |order| Level { price, qty: order.qty })
        })
    }))
}

#[test]
fn a_checksum_of_orders_follows_their_queues() {
    let spec = L3Spec { orders_max: 100, books_max: 1, ids: IdOrder::Arbitrary, hash_seed: 1 };
    let mut books = L3Books::new(spec).unwrap();
    let book = books.open(BookSpec { tick_size: 1, levels_max: 100 }).unwrap();
    let printing = MARKETS[0].printing();
    for (id, price, qty) in [(1, 101, 5), (2, 101, 70), (3, 102, 9)] {
        books.add(book, OrderId(id), Side::Ask, Price(price), Qty(qty)).unwrap();
    }
    books.add(book, OrderId(4), Side::Bid, Price(100), Qty(8)).unwrap();
    assert_eq!(orders_crc32(&books, book, printing), Some(crc32(b"10151017010291008")));
    books.modify(book, OrderId(1), Side::Ask, Price(101), Qty(6)).unwrap();
    assert_eq!(orders_crc32(&books, book, printing), Some(crc32(b"10170101610291008")));
}

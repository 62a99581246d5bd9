//! The venue's own checksums of published books.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::path::PathBuf;

use super::levels::Levels;
use super::orders::Orders;
use crate::market::book::{Book, Change, ChangeKind, Limits, Side};

/// The strings and numbers of a JSON file in their order, brackets and all else left out.
fn tokens(test: &str, file: &str) -> Option<Vec<String>> {
    let root = match std::env::var_os("DEPTHWIRE_DATA") {
        Some(root) => PathBuf::from(root),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
    };
    let Ok(text) = std::fs::read_to_string(root.join("vectors").join(file)) else {
        eprintln!("SKIPPED: {test}: {file}: no recordings here (set DEPTHWIRE_DATA)");
        return None;
    };
    let mut tokens = Vec::new();
    for (at, part) in text.split('"').enumerate() {
        if at % 2 == 1 {
            tokens.push(part.to_owned());
        } else {
            tokens.extend(
                part.split(|c: char| !c.is_ascii_digit()).filter(|s| !s.is_empty()).map(str::to_owned),
            );
        }
    }
    Some(tokens)
}

/// A decimal text of `places` decimals, or fewer, as a mantissa.
fn mantissa(text: &str, places: usize) -> i64 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{fraction:0<places$}").parse().unwrap()
}

fn empty_book() -> Book {
    Book::new(Limits { levels: 1, orders: 1 })
}

#[test]
fn checksums_of_levels_are_the_venues() {
    let Some(tokens) = tokens("checksums_of_levels_are_the_venues", "kraken-v2-book-crc32.json") else {
        return;
    };
    let mut levels = Levels::new(&empty_book(), 10, 0);
    let (mut side, mut price, mut checked) = (Side::Bid, None, 0);
    let mut rest = tokens.iter().skip_while(|token| *token != "snapshot");
    while let Some(token) = rest.next() {
        match token.as_str() {
            "snapshot" | "updates" => {}
            "note" => break,
            "bids" => side = Side::Bid,
            "asks" => side = Side::Ask,
            "expected_crc32" => {
                assert_eq!(levels.checksum((0, 0)).to_string(), *rest.next().unwrap());
                checked += 1;
            }
            text => match price.take() {
                None => price = Some(mantissa(text, 1)),
                Some(price) => {
                    let level_qty = mantissa(text, 8);
                    let kind = ChangeKind::Added;
                    let change = Change { side, price, level_qty, kind, order_id: 0, order_qty: 0 };
                    levels.apply(&change, 0);
                }
            },
        }
    }
    assert_eq!(checked, 5);
}

#[test]
fn the_checksum_of_orders_is_the_venues() {
    let Some(tokens) = tokens("the_checksum_of_orders_is_the_venues", "kraken-l3-crc32.json") else { return };
    let mut orders = Orders::new(&empty_book(), 10, 0);
    let (mut side, mut expected, mut order_id) = (Side::Bid, String::new(), 0);
    let mut order = [0; 2];
    let mut rest = tokens.iter();
    while let Some(token) = rest.next() {
        match token.as_str() {
            "bids" => side = Side::Bid,
            "asks" => side = Side::Ask,
            "expected_crc32" => expected.clone_from(rest.next().unwrap()),
            "limit_price" => order[0] = mantissa(rest.next().unwrap(), 1),
            "order_qty" => {
                order[1] = mantissa(rest.next().unwrap(), 8);
                order_id += 1;
                let [price, order_qty] = order;
                let kind = ChangeKind::Added;
                orders.apply(&Change { side, price, level_qty: 0, kind, order_id, order_qty }, 0);
            }
            _ => {}
        }
    }
    assert_eq!(order_id, 35);
    assert_eq!(orders.checksum((0, 0)).to_string(), expected);
}

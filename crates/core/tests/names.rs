//! No venue's name stands where venues are none of the code's business: what is true of one venue stands in its room.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed unwrap is a failed test"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use depthwire_core::venues;

/// Where no venue may be named, from the root of the repository.
const SEARCHED: [&str; 7] = [
    "crates/core/src",
    "crates/node/src",
    "src/publish",
    "src/wire",
    "src/shared",
    "src/engine",
    "src/engine.ts",
];

/// Where venues are at home, and what a program writes.
const EXCEPTED: [&str; 4] =
    ["crates/core/src/venues", "crates/core/src/encode/generated", "src/wire/generated", "src/native"];

/// Parts of names of products that are words of any market.
const WORDS_OF_MARKETS: [&str; 15] = [
    "us", "spot", "futures", "linear", "inverse", "option", "options", "perp", "swap", "equities",
    "exchange", "orders", "usdt", "usdc", "coin",
];

/// The package of the simulator is no venue.
const PACKAGE: &str = "depthwire_sim";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The names of the table and their parts, in lower case.
fn names() -> BTreeSet<&'static str> {
    let parts = venues::ALL.iter().flat_map(|venue| venue.name().split('-'));
    parts.filter(|part| !WORDS_OF_MARKETS.contains(part)).collect()
}

/// Every file below a path, or the path itself.
fn files(path: &Path, out: &mut Vec<PathBuf>) {
    if path.is_file() {
        return out.push(path.to_owned());
    }
    let mut entries: Vec<PathBuf> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries.iter().for_each(|entry| files(entry, out));
}

/// Whether a file, or a folder that it lies in, holds tests alone: these need some venue's bytes.
fn is_test(path: &Path) -> bool {
    path.with_extension("").iter().any(|part| part.to_string_lossy().ends_with("_tests"))
}

/// The names in a line, whatever their case. A word is letters and digits: `BINANCE_SPOT` is two.
fn named<'a>(line: &str, names: &BTreeSet<&'a str>) -> Vec<&'a str> {
    let line = line.replace(PACKAGE, "");
    let words = line.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.filter_map(|word| names.get(word.to_ascii_lowercase().as_str()).copied()).collect()
}

#[test]
fn words_are_bounded_and_their_case_does_not_matter() {
    let names = BTreeSet::from(["sim", "binance"]);
    for (line, found) in [
        ("a simulated similar sims depthwire_sim::Market Binancecoin", vec![]),
        ("use depthwire_sim; // sim", vec!["sim"]),
        ("venues::BINANCE_SPOT", vec!["binance"]),
        ("'sim:BTCUSDT' as BiNaNcE's", vec!["sim", "binance"]),
    ] {
        assert_eq!(named(line, &names), found, "{line}");
    }
}

#[test]
fn no_venue_is_named_outside_its_room() {
    let (root, names) = (root(), names());
    assert!(names.contains("binance") && names.contains("sim") && names.len() >= 5, "{names:?}");
    let (mut found, mut searched) = (Vec::new(), 0);
    for place in SEARCHED {
        let mut list = Vec::new();
        files(&root.join(place), &mut list);
        assert!(!list.is_empty(), "{place} is not there");
        for file in list {
            let short = file.strip_prefix(&root).unwrap();
            if EXCEPTED.iter().any(|excepted| short.starts_with(excepted)) || is_test(short) {
                continue;
            }
            searched += 1;
            for (index, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
                for name in named(line, &names) {
                    found.push(format!("{}:{}: {name}: {}", short.display(), index + 1, line.trim()));
                }
            }
        }
    }
    println!("{searched} files, {} names: {}", names.len(), names.into_iter().collect::<Vec<_>>().join(" "));
    assert!(found.is_empty(), "venues named outside their rooms:\n{}", found.join("\n"));
}

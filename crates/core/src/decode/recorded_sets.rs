//! The decoder against real recordings: every line decodes, and what comes out agrees with a slow reader of the text.

use std::io::Read;
use std::path::PathBuf;

use super::{LineFramer, Listing, Listings, decode, detect};
use crate::types::{Catalogue, Decimal, Event, Level, Levels, Venue};

/// What a set holds, as counted by a checker in another language.
struct Set {
    files: &'static [&'static str],
    venue: Venue,
    symbol: &'static str,
    lines: u64,
    depth: u64,
    level_changes: u64,
    trades: u64,
    tickers: u64,
}

const SETS: [Set; 4] = [
    Set {
        files: &["spot_btcusdt_20240808.gz", "spot_btcusdt_20240809.gz"],
        venue: Venue::BinanceSpot,
        symbol: "BTCUSDT",
        lines: 99_574,
        depth: 6_495,
        level_changes: 298_111,
        trades: 19_904,
        tickers: 73_174,
    },
    Set {
        files: &["cm_btcusd_perp_20240808.gz", "cm_btcusd_perp_20240809.gz"],
        venue: Venue::BinanceCoinm,
        symbol: "BTCUSD_PERP",
        lines: 98_386,
        depth: 44_795,
        level_changes: 659_671,
        trades: 5_235,
        tickers: 48_355,
    },
    Set {
        files: &["usdm_btcusdt_20240808.gz"],
        venue: Venue::BinanceUsdm,
        symbol: "BTCUSDT",
        lines: 93_954,
        depth: 6_551,
        level_changes: 443_521,
        trades: 21_313,
        tickers: 66_089,
    },
    Set {
        files: &["usdm_ethusdt_20240718.gz", "usdm_ethusdt_20240719.gz"],
        venue: Venue::BinanceUsdm,
        symbol: "ETHUSDT",
        lines: 69_913,
        depth: 8_929,
        level_changes: 355_138,
        trades: 13_655,
        tickers: 47_328,
    },
];

/// The recordings' folder, or why there is none.
fn folder() -> Result<PathBuf, String> {
    let root = match std::env::var_os("DEPTHWIRE_DATA") {
        Some(root) => PathBuf::from(root),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
    };
    let folder = root.join("binance");
    if folder.is_dir() { Ok(folder) } else { Err(format!("no recordings at {}", folder.display())) }
}

/// A connection of one instrument.
struct One {
    symbol: &'static str,
    listing: Listing,
}

impl Listings for One {
    fn find(&self, symbol: &[u8]) -> Option<Listing> {
        (symbol == self.symbol.as_bytes()).then_some(self.listing)
    }

    fn sole(&self) -> Option<Listing> {
        Some(self.listing)
    }
}

#[test]
fn every_recorded_line_decodes_to_what_it_says() {
    let folder = match folder() {
        Ok(folder) => folder,
        Err(reason) => {
            eprintln!("SKIPPED: every_recorded_line_decodes_to_what_it_says: {reason}");
            return;
        }
    };
    let catalogue = Catalogue::built_in();
    let mut levels = Levels::default();
    for set in SETS {
        let id = catalogue.find(set.venue, set.symbol).unwrap();
        let instrument = catalogue.get(id).unwrap();
        let (price_exponent, qty_exponent) = (instrument.price_exponent, instrument.qty_exponent);
        let one = One { symbol: set.symbol, listing: Listing { id, price_exponent, qty_exponent } };
        let (mut lines, mut depth, mut level_changes, mut trades, mut tickers, mut snapshots) =
            (0, 0, 0, 0, 0, 0);
        for file in set.files {
            let mut bytes = Vec::new();
            let packed = std::fs::File::open(folder.join(file)).unwrap();
            flate2::read::MultiGzDecoder::new(packed).read_to_end(&mut bytes).unwrap();
            assert_eq!(detect(&bytes), Ok(vec![(set.venue, set.symbol.to_owned())]), "{file}");
            for line in LineFramer::default().finish(&bytes) {
                lines += 1;
                let (_, frame) = line.frame.unwrap();
                let text = core::str::from_utf8(frame).unwrap();
                let event =
                    decode(frame, &one, &mut levels).unwrap_or_else(|error| panic!("{error}: {text}"));
                // The slow reader costs more than the decoder in a debug build, so it takes every fifth line.
                let compare = lines % 5 == 0;
                match event {
                    Event::Depth(update) => {
                        depth += 1;
                        level_changes += levels.len() as u64;
                        if compare {
                            assert_eq!(number_after(text, r#""U":"#), Some(update.first_id));
                            assert_eq!(number_after(text, r#""u":"#), Some(update.last_id));
                            assert_eq!(number_after(text, r#""pu":"#), update.prev_id);
                        }
                    }
                    Event::Snapshot(snapshot) => {
                        snapshots += 1;
                        assert_eq!(number_after(text, r#""lastUpdateId":"#), Some(snapshot.last_id));
                        assert_eq!((levels.bids.len(), levels.asks.len()), (1_000, 1_000));
                    }
                    Event::Ticker(ticker) => {
                        tickers += 1;
                        assert_eq!(number_after(text, r#""u":"#), Some(ticker.last_id));
                        if compare {
                            let side = |keys: [&str; 2]| keys.map(|key| shortest(text_after(text, key)));
                            assert_eq!(side([r#""b":""#, r#""B":""#]), printed(ticker.bid, one.listing));
                            assert_eq!(side([r#""a":""#, r#""A":""#]), printed(ticker.ask, one.listing));
                        }
                    }
                    Event::Trade(trade) => {
                        trades += 1;
                        assert_eq!(number_after(text, r#""t":"#), Some(trade.id));
                        if compare {
                            let said = [r#""p":""#, r#""q":""#].map(|key| shortest(text_after(text, key)));
                            assert_eq!(
                                said,
                                printed(Level { price: trade.price, qty: trade.qty }, one.listing)
                            );
                        }
                    }
                    Event::Ignored => panic!("ignored: {text}"),
                }
                if let Event::Depth(_) | Event::Snapshot(_) = event
                    && compare
                {
                    let said: Vec<_> = text.split(r#"[""#).skip(1).map(pair).collect();
                    let read: Vec<_> = levels
                        .bids
                        .iter()
                        .chain(&levels.asks)
                        .map(|&level| printed(level, one.listing))
                        .collect();
                    assert_eq!(said, read, "{text}");
                }
            }
        }
        assert_eq!(
            (lines, depth, level_changes, trades, tickers, snapshots),
            (set.lines, set.depth, set.level_changes, set.trades, set.tickers, 1),
            "{}",
            set.symbol
        );
    }
}

/// Prices and quantities of a level as their shortest texts.
fn printed(level: Level, listing: Listing) -> [String; 2] {
    [
        Decimal { mantissa: level.price.0, exponent: listing.price_exponent }.to_string(),
        Decimal { mantissa: level.qty.0, exponent: listing.qty_exponent }.to_string(),
    ]
}

/// `1.5","2.0"],…` as shortest texts.
fn pair(text: &str) -> [String; 2] {
    let mut parts = text.split('"');
    let (price, _comma, qty) = (parts.next().unwrap(), parts.next(), parts.next().unwrap());
    [shortest(price), shortest(qty)]
}

fn shortest(text: &str) -> String {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text.to_owned()
    }
}

fn text_after<'a>(text: &'a str, key: &str) -> &'a str {
    text.split_once(key).unwrap().1.split('"').next().unwrap()
}

fn number_after(text: &str, key: &str) -> Option<u64> {
    let (_, rest) = text.split_once(key)?;
    rest.split([',', '}']).next()?.parse().ok()
}

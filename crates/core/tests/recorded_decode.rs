//! The decoder against whole recordings: every line decodes, and what comes out agrees with a slow reader of the text.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed unwrap is a failed test")]

mod sets;

use depthwire_core::decode::{LineFramer, Listing, decode, detect};
use depthwire_core::types::{Decimal, Event, Level, Levels, Venue};
use sets::{One, RECORDED, SIMULATED, Set};

fn read(set: &Set, bytes: &[u8]) {
    // The simulated venue speaks the spot format, and its bytes cannot be told from spot's.
    let venue = if set.venue == Venue::Sim { Venue::BinanceSpot } else { set.venue };
    assert_eq!(detect(bytes), Ok(vec![(venue, set.symbol.to_owned())]), "{}", set.name);
    let one = One { symbol: set.symbol, listing: set.listing() };
    let mut levels = Levels::default();
    let (mut spaced, mut spaced_levels) = (b" ".to_vec(), Levels::default());
    let (mut lines, mut depth, mut level_changes, mut trades, mut tickers, mut snapshots) =
        (0, 0, 0, 0, 0, 0);
    for line in LineFramer::default().finish(bytes) {
        lines += 1;
        let (_, frame) = line.frame.unwrap();
        let text = core::str::from_utf8(frame).unwrap();
        let event = decode(frame, &one, &mut levels).unwrap_or_else(|error| panic!("{error}: {text}"));
        // The slow reader costs more than the decoder in a debug build, so it takes every fifth line.
        let compare = lines % 5 == 0;
        // White space is not what the venue prints: the same frame goes through the general reader.
        spaced.truncate(1);
        spaced.extend_from_slice(frame);
        assert_eq!(decode(&spaced, &one, &mut spaced_levels), Ok(event), "{text}");
        assert_eq!(spaced_levels, levels, "{text}");
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
                    assert_eq!(said, printed(Level { price: trade.price, qty: trade.qty }, one.listing));
                }
            }
            Event::Ignored => panic!("ignored: {text}"),
        }
        if let Event::Depth(_) | Event::Snapshot(_) = event
            && compare
        {
            let said: Vec<_> = text.split(r#"[""#).skip(1).map(pair).collect();
            let read: Vec<_> =
                levels.bids.iter().chain(&levels.asks).map(|&level| printed(level, one.listing)).collect();
            assert_eq!(said, read, "{text}");
        }
    }
    assert_eq!(snapshots, 1, "{}", set.name);
    if set.lines > 0 {
        assert_eq!(
            (lines, depth, level_changes, trades, tickers),
            (set.lines, set.depth, set.level_changes, set.trades, set.tickers),
            "{}",
            set.name
        );
    }
}

#[test]
fn every_recorded_line_decodes_to_what_it_says() {
    for set in &RECORDED {
        if let Some(text) = set.load("every_recorded_line_decodes_to_what_it_says") {
            read(set, &text);
        }
    }
}

#[test]
fn every_simulated_line_decodes_to_what_it_says() {
    for set in &SIMULATED {
        read(set, &set.load("every_simulated_line_decodes_to_what_it_says").unwrap());
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

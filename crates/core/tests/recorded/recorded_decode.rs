//! The decoder against whole recordings: every line decodes, and what comes out agrees with a slow reader of the text.

use depthwire_core::engine::detect;
use depthwire_core::types::{Decimal, Level, Levels, Route, TradeId};
use depthwire_core::venues;

use crate::sets::said::lines;
use crate::sets::said::{Said, decode};
use crate::sets::{SIMULATED, Set, recorded};

fn read(set: &Set, bytes: &[u8]) {
    // The simulated venue speaks the spot format, and its bytes cannot be told from spot's.
    let venue = if set.venue == venues::SIM { venues::BINANCE_SPOT } else { set.venue };
    assert_eq!(detect(bytes), Ok(vec![(venue, set.symbol.to_owned())]), "{}", set.name);
    let (route, routes) = (set.route(), set.routes());
    let mut levels = Levels::default();
    let (mut spaced, mut spaced_levels) = (b" ".to_vec(), Levels::default());
    let (mut count, mut depth, mut level_changes, mut trades, mut tickers, mut snapshots) =
        (0, 0, 0, 0, 0, 0);
    for (_, frame) in lines(bytes) {
        count += 1;
        let text = core::str::from_utf8(frame).unwrap();
        let event = decode(frame, &routes, &mut levels).unwrap_or_else(|error| panic!("{error}: {text}"));
        // The slow reader costs more than the decoder in a debug build, so it takes every fifth line.
        let compare = count % 5 == 0;
        // White space is not what the venue prints: the same frame goes through the general reader.
        spaced.truncate(1);
        spaced.extend_from_slice(frame);
        assert_eq!(decode(&spaced, &routes, &mut spaced_levels), Ok(event), "{text}");
        assert_eq!(spaced_levels, levels, "{text}");
        match event {
            Said::Depth(_, seq) => {
                depth += 1;
                level_changes += levels.len() as u64;
                if compare {
                    assert_eq!(number_after(text, r#""U":"#), Some(seq.first));
                    assert_eq!(number_after(text, r#""u":"#), Some(seq.last));
                    assert_eq!(number_after(text, r#""pu":"#), seq.prev);
                }
            }
            Said::Snapshot(_, number) => {
                snapshots += 1;
                assert_eq!(number_after(text, r#""lastUpdateId":"#), Some(number));
                assert_eq!((levels.bids.len(), levels.asks.len()), (1_000, 1_000));
            }
            Said::Bbo(_, top) => {
                tickers += 1;
                assert_eq!(number_after(text, r#""u":"#), Some(top.venue_seq));
                if compare {
                    let side = |keys: [&str; 2]| keys.map(|key| shortest(text_after(text, key)));
                    assert_eq!(side([r#""b":""#, r#""B":""#]), printed(top.bid, route));
                    assert_eq!(side([r#""a":""#, r#""A":""#]), printed(top.ask, route));
                }
            }
            Said::Trade(_, trade) => {
                trades += 1;
                assert_eq!(number_after(text, r#""t":"#).map(TradeId::Number), Some(trade.id));
                if compare {
                    let said = [r#""p":""#, r#""q":""#].map(|key| shortest(text_after(text, key)));
                    assert_eq!(said, printed(Level { price: trade.price, qty: trade.qty }, route));
                }
            }
            Said::Other | Said::Nothing => panic!("nothing: {text}"),
        }
        if let Said::Depth(..) | Said::Snapshot(..) = event
            && compare
        {
            let said: Vec<_> = text.split(r#"[""#).skip(1).map(pair).collect();
            let read: Vec<_> =
                levels.bids.iter().chain(&levels.asks).map(|&level| printed(level, route)).collect();
            assert_eq!(said, read, "{text}");
        }
    }
    assert_eq!(snapshots, 1, "{}", set.name);
    if let Some(expected) = set.expected {
        assert_eq!(
            (count, depth, level_changes),
            (expected.frames, expected.book_messages, expected.level_changes),
            "{}",
            set.name
        );
        assert_eq!((trades, tickers), (expected.trades, expected.tickers), "{}", set.name);
    }
}

#[test]
fn every_recorded_line_decodes_to_what_it_says() {
    for set in recorded() {
        if let Some(text) = set.load("every_recorded_line_decodes_to_what_it_says") {
            read(&set, &text);
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
fn printed(level: Level, route: Route) -> [String; 2] {
    [
        Decimal { mantissa: level.price.0, exponent: route.price_exponent }.to_string(),
        Decimal { mantissa: level.qty.0, exponent: route.qty_exponent }.to_string(),
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

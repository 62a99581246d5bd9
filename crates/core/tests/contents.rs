//! What a recording tells, frame by frame, by what the rooms make of it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed unwrap is a failed test"
)]

use depthwire_core::engine::{Contents, EngineError, Told};
use depthwire_core::venues::{BINANCE_SPOT, BITFINEX, BITSTAMP_ORDERS, KRAKEN};

/// What is told: seconds, connection, instrument, what it brings, and the first bytes of it.
fn told(contents: &mut Contents, bytes: &[u8], chunk: usize) -> Vec<String> {
    let mut all = Vec::new();
    let (mut from, mut to) = (0, 0);
    while to < bytes.len() {
        to = (to + chunk).min(bytes.len());
        let used = contents.read(&bytes[from..to], to == bytes.len(), |told| {
            let Told { ts, line, subject, brings, bytes } = told;
            let head: String = String::from_utf8_lossy(bytes).chars().take(12).collect();
            let subject = subject.map_or_else(|| "-".to_owned(), |subject| subject.to_string());
            all.push(format!("{} {line} {subject} {brings:?} {head}", ts / 1_000_000_000));
            true
        });
        from += used.unwrap();
    }
    all
}

const SPOT: &str = r#"1721347021000000000 {"result":null,"id":1}
1721347022000000000 {"stream":"btcusdt@depth","data":{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":5,"u":6,"b":[["60000.123","1"]],"a":[]}}
1721347023000000000 {"stream":"ethusdt@trade","data":{"e":"trade","E":1,"s":"ETHUSDT","t":1,"p":"3000","q":"0.00000001","T":1,"m":true}}
1721347024000000000 {"stream":"ltcusdt@trade","data":{"e":"trade","E":1,"s":"LTCUSDT","t":1,"p":"30","q":"1","T":1,"m":true}}
1721347025000000000 {"stream":"btcusdt@bookTicker","data":{"u":6,"s":"BTCUSDT","b":"60000","B":"1","a":"60001","A":"1"}}
1721347026000000000 {"lastUpdateId":5,"bids":[["60000","1"]],"asks":[["60001","1"]]}
"#;

#[test]
fn frames_are_told_with_their_instruments_and_channels() {
    for chunk in [1, 7, 10_000] {
        let mut contents = Contents::new(BINANCE_SPOT, &["BTCUSDT", "ETHUSDT"]).unwrap();
        assert_eq!(
            told(&mut contents, SPOT.as_bytes(), chunk),
            [
                r#"1721347021 0 - Greeting {"result":nu"#,
                r#"1721347022 0 0 Book {"stream":"b"#,
                r#"1721347023 0 1 Trades {"stream":"e"#,
                r#"1721347025 0 0 Ticker {"stream":"b"#,
                // Nobody's, where there are two.
                r#"1721347026 0 - Answer {"lastUpdate"#,
            ]
        );
        assert_eq!(contents.exponents(0).map(|(price, _)| price), Some(-3), "as fine as its numbers");
        assert_eq!(contents.exponents(1).map(|(_, qty)| qty), Some(-8));
        assert_eq!(contents.exponents(2), None);
    }
    let mut sole = Contents::new(BINANCE_SPOT, &["BTCUSDT"]).unwrap();
    assert_eq!(
        told(&mut sole, SPOT.as_bytes(), 10_000).last().map(String::as_str),
        Some(r#"1721347026 0 0 Answer {"lastUpdate"#)
    );
}

#[test]
fn what_only_a_connection_knows_tells_its_instrument() {
    let text = br#"wss://a <-> 1617643607.0
1617643608.0: {"event":"info","version":2,"serverId":"x"}
1617643609.0: {"event":"subscribed","channel":"book","chanId":17,"symbol":"tBTCUSD","prec":"P0","len":"25"}
1617643610.0: [17,[[60000,1,2],[60001,1,-2]],1]
1617643611.0: [17,"hb",2]
"#;
    let mut contents = Contents::new(BITFINEX, &["tBTCUSD"]).unwrap();
    assert_eq!(
        told(&mut contents, text, 11),
        [
            r#"1617643608 0 - Greeting {"event":"in"#,
            r#"1617643609 0 0 Nothing {"event":"su"#,
            "1617643610 0 0 Book [17,[[60000,",
            r#"1617643611 0 - Nothing [17,"hb",2]"#,
        ]
    );
}

#[test]
fn only_answers_that_are_books_are_told() {
    let text = br#"wss://a <-> 1617643607.0
https://api.binance.com/api/v3/exchangeInfo -> 1617643608.0: {"symbols":[]}
https://api.binance.com/api/v3/depth?symbol=BTCUSDT&limit=1000 -> 1617643609.0: {"lastUpdateId":5,"bids":[["60000","1"]],"asks":[]}
1617643610.0: <html>
"#;
    let mut contents = Contents::new(BINANCE_SPOT, &["ETHUSDT", "BTCUSDT"]).unwrap();
    assert_eq!(
        told(&mut contents, text, 10_000),
        [r#"1617643609 0 1 Answer {"lastUpdate"#, "1617643610 0 - Greeting <html>"]
    );
}

#[test]
fn an_answer_that_cannot_be_joined_is_of_whom_its_address_names() {
    let text = br#"wss://a <-> 1617643607.0
https://www.bitstamp.net/api/v2/order_book/ethusd/?group=2 -> 1617643609.0: {"timestamp":"1","microtimestamp":"1000000","bids":[["3000.5","1.25","7"]],"asks":[]}
https://www.bitstamp.net/api/v2/order_book/ltcusd/?group=2 -> 1617643609.0: {"timestamp":"1","microtimestamp":"1000000","bids":[["30","1","8"]],"asks":[]}
"#;
    let mut contents = Contents::new(BITSTAMP_ORDERS, &["btcusd", "ethusd"]).unwrap();
    assert_eq!(told(&mut contents, text, 10_000), [r#"1617643609 0 1 Answer {"timestamp""#]);
    assert_eq!(contents.exponents(1), Some((-1, -2)));
}

#[test]
fn a_reader_that_has_enough_goes_on_where_it_stopped() {
    let mut contents = Contents::new(BINANCE_SPOT, &["BTCUSDT"]).unwrap();
    let (mut from, mut count) = (0, 0);
    while from < SPOT.len() {
        let used = contents.read(&SPOT.as_bytes()[from..], true, |_| {
            count += 1;
            false
        });
        from += used.unwrap();
    }
    assert_eq!(count, 4);
}

#[test]
fn what_is_no_recording_or_no_list_of_instruments_is_refused() {
    let mut contents = Contents::new(KRAKEN, &["BTC/USD"]).unwrap();
    let refused = contents.read(&[b'x'; 200], true, |_| true);
    assert_eq!(refused.map_err(|error| error.code()), Err("recording.unknown_format"));
    assert!(matches!(Contents::new(KRAKEN, &["a b"]), Err(EngineError::Instrument(_))));
    let twice = Contents::new(KRAKEN, &["BTC/USD", "XBT/USD"]);
    assert!(matches!(twice, Err(EngineError::SourceInstruments)));
}

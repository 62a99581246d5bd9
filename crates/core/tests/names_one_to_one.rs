//! Names of instruments, one to one: codes that differ only in the case of their letters are two instruments, but where the venue
//! itself knows no case.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeSet;

use depthwire_core::engine::{Engine, EngineConfig};
use depthwire_core::types::{Instrument, NoClock, Side, Venue};
use depthwire_core::venues::{
    self, ALL, BITSTAMP, BITSTAMP_ORDERS, GATEIO, GATEIO_DELIVERY, GATEIO_FUTURES, HYPERLIQUID,
    KRAKEN_FUTURES, LIGHTER,
};

/// Products whose codes are those of one case: Bitstamp's channels end with the pair in lower case, and Kraken's futures are named in
/// lower case by old interfaces and in upper case by the socket.
const CASELESS: [Venue; 3] = [BITSTAMP, BITSTAMP_ORDERS, KRAKEN_FUTURES];

fn codes(instrument: &Instrument) -> BTreeSet<Vec<u8>> {
    instrument.wire_codes().map(<[u8]>::to_vec).collect()
}

#[test]
fn case_tells_instruments_apart_where_the_venue_does() {
    for &venue in ALL {
        for (one, other) in
            [("kPEPE", "KPEPE"), ("KPEPE_USDT", "kPEPE_USDT"), ("AAPLx/USD", "AAPLX/USD"), ("ABC-d", "ABC-D")]
        {
            let [one, other] = [one, other].map(|name| venues::instrument(venue, name).unwrap());
            let is_one = CASELESS.contains(&venue);
            assert_eq!(one.symbol == other.symbol, is_one, "{one} {other}");
            assert_eq!(codes(&one).is_disjoint(&codes(&other)), !is_one, "{one} {other}");
            for named in [&one, &other] {
                let again = venues::instrument(venue, &named.symbol).unwrap();
                assert_eq!((&again.symbol, &again.codes), (&named.symbol, &named.codes), "a name is its own");
                // A code of the wire leads to the instrument that it is of, and to no other.
                for code in codes(named) {
                    let code = String::from_utf8(code).unwrap();
                    assert_eq!(venues::instrument(venue, &code).unwrap().symbol, named.symbol, "{code}");
                }
            }
        }
    }
}

/// The best bid of each of two coins, of which only one is spoken of.
fn bids(venue: Venue, names: [&str; 2], frames: &[String]) -> [Option<i64>; 2] {
    let mut engine = Engine::new(EngineConfig::default(), venues::catalogue(), NoClock);
    let ids = names.map(|name| engine.add_instrument(venues::instrument(venue, name).unwrap()).unwrap());
    assert_ne!(ids[0], ids[1]);
    let source = engine.open_source(venue, &ids).unwrap();
    for frame in frames {
        engine.ingest(source, frame.as_bytes(), 1).unwrap();
    }
    ids.map(|id| engine.book(id).unwrap().levels(Side::Bid).next().map(|level| level.price.0))
}

#[test]
fn two_instruments_of_one_name_but_its_case_have_a_book_each() {
    let coin = |name: &str, price: u32| {
        format!(
            r#"{{"channel":"l2Book","data":{{"coin":"{name}","time":5,"levels":[[{{"px":"{price}","sz":"1","n":1}}],[]]}}}}"#
        )
    };
    let names = ["kPEPE", "KPEPE"];
    assert_eq!(bids(HYPERLIQUID, names, &[coin("KPEPE", 7)]), [None, Some(7)]);
    assert_eq!(bids(HYPERLIQUID, names, &[coin("kPEPE", 6), coin("KPEPE", 7)]), [Some(6), Some(7)]);
    let pair = |name: &str, price: u32| {
        format!(
            r#"{{"channel":"spot.obu","event":"update","time_ms":5,"result":{{"s":"ob.{name}.400","t":5,"full":true,"u":7,"b":[["{price}","1"]],"a":[]}}}}"#
        )
    };
    let names = ["kPEPE_USDT", "KPEPE_USDT"];
    assert_eq!(bids(GATEIO, names, &[pair("KPEPE_USDT", 7)]), [None, Some(7)]);
    let future = |name: &str, price: u32| pair(name, price).replace("spot.", "futures.");
    for venue in [GATEIO_FUTURES, GATEIO_DELIVERY] {
        assert_eq!(bids(venue, names, &[future("kPEPE_USDT", 6)]), [Some(6), None]);
    }
}

#[test]
fn markets_that_are_listed_by_number_are_told_apart_by_case_too() {
    let market = |symbol: &str, number: u32| {
        format!(
            r#"{{"symbol":"{symbol}","market_id":{number},"status":"active","size_decimals":0,"price_decimals":6}}"#
        )
    };
    let list = |of: &[String]| format!(r#"{{"code":200,"order_book_details":[{}]}}"#, of.join(","));
    let read = |of: &[String]| venues::instruments(LIGHTER, list(of).as_bytes());
    let definitions = read(&[market("kPEPE", 7), market("KPEPE", 8)]).unwrap();
    let told: Vec<_> = definitions.list().iter().map(|of| (of.symbol.as_str(), codes(of))).collect();
    let code = |text: &str| BTreeSet::from([text.as_bytes().to_vec()]);
    assert_eq!(told, [("kPEPE", code("7")), ("KPEPE", code("8"))]);
    // One market is one instrument.
    let twice = read(&[market("kPEPE", 7), market("KPEPE", 7)]).unwrap_err();
    assert_eq!(twice.code(), "decode.instrument_twice");
}

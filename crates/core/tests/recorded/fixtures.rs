//! Single messages of many venues, of many years, which others keep for their own tests: what is of a venue here is read or
//! passed over, and of what is refused it is known why. What the messages say stands in the tests of each room.

use std::collections::BTreeMap;

use depthwire_core::engine::{Engine, EngineConfig, detect};
use depthwire_core::types::NoClock;
use depthwire_core::venues;
use serde_json::Value;

use crate::files;

/// What is refused: of whom, with which code, how often.
const REFUSED: [(&str, &str, u32); 8] = [
    // Of 2022, before orders told of the one before.
    ("bitstamp ", "decode.missing_field", 1),
    // An exchange of Binance's with messages of its own.
    ("map binance dex messages", "decode.missing_field", 1),
    // Of 2019, without a number.
    ("map binance futures messages", "decode.missing_field", 1),
    // Options, which are no product here: their trades do not say who made them as those of futures do.
    ("map binance-european-options messages", "decode.missing_field", 2),
    // Of 2019, before changes had a time.
    ("map cryptofacilities messages", "decode.missing_field", 1),
    // Binance's forms at another venue, with times in nanoseconds.
    ("map gemini v3 messages", "decode.overflow", 3),
    // Made by hand: without the checksum that each update has.
    ("map kraken v2 messages", "decode.missing_field", 1),
    // Its last number is below its first.
    ("map kucoin messages", "decode.backward_ids", 1),
];

#[test]
fn what_is_refused_is_known() {
    let Some(root) = files::root("what_is_refused_is_known") else { return };
    let mut refused: BTreeMap<(String, &str), u32> = BTreeMap::new();
    let mut read = 0;
    for file in ["crypto-msg-parser-messages.jsonl.zst", "tardis-mapper-messages.jsonl.zst"] {
        let bytes = files::read(&root.join("fixtures").join(file)).unwrap();
        for line in std::str::from_utf8(&bytes).unwrap().lines() {
            let (whose, text) = message(&serde_json::from_str(line).unwrap());
            match hear(text.as_bytes()) {
                Heard::Foreign => {}
                Heard::Read => read += 1,
                Heard::Refused(code) => *refused.entry((whose, code)).or_default() += 1,
            }
        }
    }
    let known = REFUSED.map(|(whose, code, count)| ((whose.to_owned(), code), count));
    assert_eq!(refused, known.into_iter().collect());
    assert_eq!(read, 416);
}

/// Whose a message is, and its text.
fn message(line: &Value) -> (String, String) {
    if let Some(case) = line["case"].as_str().filter(|_| line.get("message").is_some()) {
        return (case.to_owned(), line["message"].to_string());
    }
    let text = line["raw"].as_str().map_or_else(|| line["raw"].to_string(), str::to_owned);
    (format!("{} {}", line["venue"].as_str().unwrap(), line["kind"].as_str().unwrap()), text)
}

enum Heard {
    /// Of no venue here, or of no instrument.
    Foreign,
    Read,
    Refused(&'static str),
}

/// A message by itself, as one of the first product that it may be of.
fn hear(bytes: &[u8]) -> Heard {
    let found = detect(bytes).unwrap_or_default();
    let Some((venue, _)) = found.first() else { return Heard::Foreign };
    let config = EngineConfig { silence_ns: None, is_replay: true, ..EngineConfig::default() };
    let mut engine = Engine::new(config, venues::catalogue(), NoClock);
    let symbols = found.iter().filter(|(of, _)| of == venue);
    let add = |(_, symbol): &(_, String)| {
        engine.add_instrument(venues::instrument(*venue, symbol).unwrap()).unwrap()
    };
    let ids: Vec<_> = symbols.map(add).collect();
    let source = engine.open_source(*venue, &ids).unwrap();
    match engine.ingest(source, bytes, 1) {
        Ok(()) => Heard::Read,
        Err(error) => Heard::Refused(error.code()),
    }
}

//! What the metadata of a stream call an instrument number, and the names of ours that follow.

use crate::framing::dbn::{Metadata, SymbolType};
use crate::types::{SYMBOL_LEN_MAX, TimeNs, is_symbol};

/// The symbol under which the catalogue has an instrument: the venue's own, or `ID` and its number where that breaks the
/// grammar.
pub(super) fn symbol_of(raw: &str, number: u32) -> String {
    if is_symbol(raw) { raw.to_owned() } else { format!("ID{number}") }
}

/// The symbol of the book that one publisher has.
pub(super) fn with_publisher(symbol: &str, publisher: u16) -> String {
    format!("{symbol}@{publisher}")
}

/// A symbol that a number has for some time.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Mapped {
    pub(super) number: u32,
    pub(super) symbol: String,
    pub(super) from: TimeNs,
    pub(super) until: TimeNs,
}

/// The instruments that the metadata name, with their numbers.
pub(super) fn instruments(metadata: &Metadata) -> impl Iterator<Item = Mapped> + '_ {
    let asked_by_number = metadata.stype_in == Some(SymbolType::InstrumentId);
    metadata.mappings.iter().flat_map(move |mapping| {
        mapping.intervals.iter().filter_map(move |interval| {
            // One of the two is the number, whichever way the symbols were asked for.
            let by_number = |number: &str, raw: &str| Some((number.parse().ok()?, raw.to_owned()));
            let (asked, given) = (&mapping.symbol, &interval.symbol);
            let (first, second) = if asked_by_number { (asked, given) } else { (given, asked) };
            let (number, raw) = by_number(first, second).or_else(|| by_number(second, first))?;
            let symbol = symbol_of(&raw, number);
            Some(Mapped { number, symbol, from: interval.start.start_ns(), until: interval.end.start_ns() })
        })
    })
}

const _: () = assert!("ID4294967295@65535".len() <= SYMBOL_LEN_MAX);

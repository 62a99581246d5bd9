//! The table of venues, in words.

use depthwire_core::engine::EngineError;
use depthwire_core::sequence::Rule;
use depthwire_core::types::Venue;
use depthwire_core::venues::{self, Checksum, Detection, Life, Resync};
use napi_derive::napi;

use crate::argument::Argument;
use crate::guard::{Result, guard};
use crate::state::engine_error;

/// How one product of a venue behaves.
#[napi(object)]
pub struct VenueInfo {
    /// The part of a name before the colon.
    pub name: String,
    /// Whether all that it says of a book names orders.
    pub is_by_order: bool,
    /// How it numbers the changes of a book: `range`, `linked`, `linked_if_numbered`, `counter`, `time` or `unnumbered`.
    pub rule: String,
    /// What mends a book: `snapshot`, `resubscribe`, `reconnect` or `wait`.
    pub resync: String,
    /// Whether books are held to the venue's checksums.
    pub has_checksum: bool,
    /// Whether its own best prices carry the number of the book that they belong to.
    pub has_top_proof: bool,
    /// What shows a lost message: the `next` one of the book, a `later` one, or `never`.
    pub detects: String,
    /// How long a healthy book may be quiet; 0 = for ever.
    pub silence_ms: u32,
    /// What counts as life: messages of the `book`, or any of the `connection`.
    pub life: String,
}

/// Every product, in the order of their numbers.
#[napi]
pub fn venues() -> Result<Vec<VenueInfo>> {
    guard(|| {
        let info = |venue: &Venue| {
            let product = venues::product(*venue);
            let rule = match product.rule {
                Rule::Range => "range",
                Rule::Linked => "linked",
                Rule::Counter => "counter",
                Rule::Time => "time",
                Rule::Unnumbered => "unnumbered",
                Rule::LinkedIfNumbered => "linked_if_numbered",
            };
            let resync = match product.resync {
                Resync::Snapshot => "snapshot",
                Resync::Resubscribe => "resubscribe",
                Resync::Reconnect => "reconnect",
                Resync::Wait => "wait",
            };
            let detects = match product.detects {
                Detection::Next => "next",
                Detection::Later => "later",
                Detection::Never => "never",
            };
            let life = match product.life {
                Life::Book => "book",
                Life::Connection => "connection",
            };
            VenueInfo {
                name: venue.name().to_owned(),
                is_by_order: product.is_by_order,
                rule: rule.to_owned(),
                resync: resync.to_owned(),
                has_checksum: product.checksum != Checksum::None,
                has_top_proof: product.top_proof,
                detects: detects.to_owned(),
                silence_ms: (product.silence_ns / 1_000_000) as u32,
                life: life.to_owned(),
            }
        };
        Ok(venues::ALL.iter().map(info).collect())
    })
}

/// The name of an instrument by any of the names that its venue has for it. Throws `instrument.*`.
#[napi(ts_args_type = "name: string")]
pub fn instrument_name(name: Argument) -> Result<String> {
    guard(|| {
        let named = venues::split_name(&name.text("name")?)
            .and_then(|(venue, symbol)| venues::instrument(venue, symbol))
            .map_err(EngineError::Instrument);
        named.map(|instrument| instrument.to_string()).map_err(engine_error)
    })
}

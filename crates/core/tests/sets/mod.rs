//! The recorded Binance sets with what an independent checker found in them, and their twins on simulated data.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses its part; a failed unwrap is a failed test"
)]

pub mod expected;
pub mod files;
#[path = "../said/mod.rs"]
pub mod said;

use depthwire_core::types::{InstrumentId, Levels, Route, Routes, Slot, TimeNs, Venue, VenueSeq};
use depthwire_core::venues;

use expected::Book;
use said::Said;

/// A continuous recording of one instrument.
pub struct Set {
    pub name: &'static str,
    pub venue: Venue,
    pub symbol: &'static str,
    /// What is known of a recorded set; `None` for a simulated twin, whose oracle says it.
    pub expected: Option<&'static Book>,
}

/// The recorded sets.
pub fn recorded() -> impl Iterator<Item = Set> {
    expected::expected().books.iter().map(|book| {
        let (venue, symbol) = venues::split_name(&book.instrument).unwrap();
        Set { name: &book.name, venue, symbol, expected: Some(book) }
    })
}

/// Simulated minutes of the two instruments that differ most, in the spot format.
pub const SIMULATED: [Set; 2] = [twin("sim-btcusdt", "BTCUSDT"), twin("sim-ethusdt", "ETHUSDT")];

const fn twin(name: &'static str, symbol: &'static str) -> Set {
    Set { name, venue: venues::SIM, symbol, expected: None }
}

impl Set {
    /// The text of the recording; `None`, said on standard error as `test`'s skip, where it is not to be had.
    pub fn load(&self, test: &str) -> Option<Vec<u8>> {
        let Some(expected) = self.expected else {
            let mut text = Vec::new();
            depthwire_sim::recording(self.symbol, 7, 1_723_161_253_000, 120_000, &mut text).unwrap();
            return Some(text);
        };
        let root = files::root(test)?;
        let mut text = Vec::new();
        for file in &expected.files {
            text.extend(files::read(&root.join(file))?);
        }
        Some(text)
    }

    /// The instrument in the committed catalogue.
    pub fn id(&self) -> InstrumentId {
        venues::catalogue().find(self.venue, self.symbol).unwrap()
    }

    /// The way of the instrument's messages.
    pub fn route(&self) -> Route {
        let (catalogue, id) = (venues::catalogue(), self.id());
        let instrument = catalogue.get(id).unwrap();
        let (price_exponent, qty_exponent) = (instrument.price_exponent, instrument.qty_exponent);
        Route { slot: Slot(0), price_exponent, qty_exponent }
    }

    /// A connection of the instrument alone.
    pub fn routes(&self) -> Routes {
        said::routes(&[(self.symbol, self.route())])
    }
}

/// A line that a book needs: a snapshot or a depth update, with the update's content.
pub struct BookLine<'a> {
    pub ts: TimeNs,
    pub frame: &'a [u8],
    pub update: Option<(VenueSeq, Levels)>,
}

/// Only the lines that a book needs.
pub fn book_lines<'a>(set: &Set, text: &'a [u8]) -> Vec<BookLine<'a>> {
    let routes = set.routes();
    let mut levels = Levels::default();
    let mut kept = Vec::new();
    for (ts, frame) in said::lines(text) {
        match said::decode(frame, &routes, &mut levels).unwrap() {
            Said::Depth(_, seq) => kept.push(BookLine { ts, frame, update: Some((seq, levels.clone())) }),
            Said::Snapshot(..) => kept.push(BookLine { ts, frame, update: None }),
            _ => {}
        }
    }
    kept
}

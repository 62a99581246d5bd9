//! The table: every room, spoken by a dialect.

use depthwire_core::checksum::{INTERLEAVED_LEVELS, TOP_LEVELS};
use depthwire_core::sequence::Rule;
use depthwire_core::types::Venue;
use depthwire_core::venues::{
    self, BITFINEX, BITMEX, BITSTAMP_ORDERS, COINBASE, Checksum, Detection, HYPERLIQUID, NASDAQ,
};
use depthwire_sim::dialects::{Binance, BinanceProduct, Dialect, Frames, TrueOrders, Truth, all};

use crate::databento::Databento;
use crate::embedded::Embedded;
use crate::feed::START_NS;

/// Makes a market before its first connection.
type Make = Box<dyn Fn(u64) -> Box<dyn Dialect>>;

/// One way in which a room is spoken to.
pub struct Row {
    /// `venue:CODE depth`.
    pub name: String,
    pub venue: Venue,
    pub code: String,
    /// What the instrument is called here.
    pub symbol: String,
    pub has_orders: bool,
    /// Whether its frames are datagrams.
    pub are_datagrams: bool,
    /// Whether each message of the book is the whole of it.
    pub is_restated: bool,
    /// Best levels a side that its checksums cover; 0 where it sends none.
    pub checked_levels: usize,
    /// The same where they are messages of their own.
    pub checked_apart: usize,
    /// Whether its books have numbers, where the venue's may or may not.
    has_numbers: bool,
    pub make: Make,
}

/// Venues that send datagrams.
const DATAGRAMS: [Venue; 1] = [NASDAQ];

/// Venues that count all that a connection says: a loss shows with the next frame of any book, and two connections cannot be
/// put together.
const COUNTED: [Venue; 2] = [BITFINEX, COINBASE];

/// Venues whose checksums are messages of their own: what is damaged may stand until the next one.
const CHECKED_APART: [Venue; 1] = [BITFINEX];

/// Venues that tell the whole book with each message, with the depth at which they do.
const RESTATED: [(Venue, usize); 2] = [(HYPERLIQUID, 20), (BITMEX, 10)];

/// Venues whose answers have no number of what they hold: one may be refused until later ones show its place.
const UNPLACED: [Venue; 1] = [BITSTAMP_ORDERS];

impl Row {
    fn new(make: Make) -> Self {
        let dialect = make(1);
        let venue = venues::from_name(dialect.venue()).unwrap();
        let has_orders = dialect.orders(&mut TrueOrders::default());
        let depth = dialect.depth().map_or_else(|| "whole".to_owned(), |depth| depth.to_string());
        let orders = if has_orders { " orders" } else { "" };
        let name = format!("{}:{} {depth}{orders}", venue.name(), dialect.code());
        let symbol = venues::instrument(venue, dialect.code()).unwrap().symbol;
        let are_datagrams = DATAGRAMS.contains(&venue);
        let is_restated = dialect.depth().is_some_and(|depth| RESTATED.contains(&(venue, depth)));
        let (has_checksums, has_numbers) = said_of_books(make(1));
        let covered = match venues::product(venue).checksum {
            _ if !has_checksums => 0,
            Checksum::None => 0,
            Checksum::PrintedTop => TOP_LEVELS,
            Checksum::Interleaved(_) => INTERLEAVED_LEVELS,
        };
        let is_apart = CHECKED_APART.contains(&venue);
        let (checked_levels, checked_apart) = if is_apart { (0, covered) } else { (covered, 0) };
        Self {
            name,
            venue,
            code: dialect.code().to_owned(),
            symbol,
            has_orders,
            are_datagrams,
            is_restated,
            checked_levels,
            checked_apart,
            has_numbers,
            make,
        }
    }

    /// Whether the numbers are those of the connection.
    pub fn is_counted(&self) -> bool {
        COUNTED.contains(&self.venue)
    }

    /// Whether an answer says what it holds.
    pub fn has_placed_answers(&self) -> bool {
        !UNPLACED.contains(&self.venue)
    }

    /// Whether the venue numbers what it says, so that a loss shows with the next message.
    pub fn is_numbered(&self) -> bool {
        match venues::product(self.venue).rule {
            Rule::Unnumbered => self.are_datagrams,
            Rule::LinkedIfNumbered => self.has_numbers,
            Rule::Range | Rule::Linked | Rule::Counter | Rule::Time => true,
        }
    }

    /// When a loss shows.
    pub fn detects(&self) -> Detection {
        match venues::product(self.venue) {
            // What such a product promises is true of its numbers.
            product if product.rule != Rule::LinkedIfNumbered || self.has_numbers => product.detects,
            _ => Detection::Later,
        }
    }
}

/// Whether the first frames of a dialect have checksums, and its books numbers.
fn said_of_books(mut dialect: Box<dyn Dialect>) -> (bool, bool) {
    let (mut frames, mut truth) = (Frames::new(), Truth::default());
    dialect.open(START_NS, &mut frames);
    for _ in 0..100 {
        dialect.step(u64::MAX, &mut frames);
    }
    dialect.truth(&mut truth);
    (dialect.sent().checksums > 0, truth.seq != 0)
}

/// Every dialect of the simulator, and those that stand here.
pub fn rows() -> Vec<Row> {
    let of_simulator = (0..all(1).len()).map(|at| Row::new(Box::new(move |seed| all(seed).swap_remove(at))));
    let own: [fn(u64) -> Box<dyn Dialect>; 2] =
        [|seed| Box::new(Embedded::new(seed)), |seed| Box::new(Databento::new(seed))];
    of_simulator.chain(own.map(|make| Row::new(Box::new(make)))).collect()
}

/// Exponents of the spot market's truths.
pub fn spot_exponents() -> (i8, i8) {
    Binance::new(1, BinanceProduct::Spot).exponents()
}

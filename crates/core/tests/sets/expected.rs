//! `test/recordings.json`: what independent checkers found in the real recordings. A field that is unknown or missing is
//! a failed test.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test file uses its part, and fails with it"
)]

use std::fmt::Display;
use std::str::FromStr;
use std::sync::LazyLock;

use serde::{Deserialize, Deserializer, de::Error};

const TEXT: &str = include_str!("../../../../test/recordings.json");

/// All that is expected, by the kind of the set.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Expected {
    pub books: Vec<Book>,
    pub final_books: Vec<FinalBooks>,
    pub checksums: Vec<Checksums>,
    pub orders: Vec<Orders>,
    pub order_windows: Vec<OrderWindows>,
    pub rest_books: Vec<RestBooks>,
    pub own_books: Vec<OwnBooks>,
    pub itch: Vec<Itch>,
    pub captures: Vec<Capture>,
    pub datagrams: Vec<Datagrams>,
    pub lines: Vec<Lines>,
    pub transcripts: Vec<Transcript>,
    pub samples: Vec<Samples>,
    pub archives: Vec<Archive>,
}

/// A continuous recording of one instrument by price level: one snapshot, no gap, never crossed.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Book {
    pub name: String,
    pub title: String,
    /// Below the folder of the recordings, in their order.
    pub files: Vec<String>,
    /// Programs that read the files, such as `xz`.
    pub needs: Vec<Program>,
    pub instrument: String,
    pub frames: u64,
    pub book_messages: u64,
    pub applied: u64,
    pub level_changes: u64,
    pub applied_level_changes: u64,
    pub trades: u64,
    pub tickers: u64,
    /// Comparisons with the venue's own top of book; all agree.
    pub tops: u64,
    pub bids: usize,
    pub asks: usize,
    pub best_bid: String,
    pub best_ask: String,
    /// SHA-256 over the last book's levels.
    pub digest: String,
}

/// A recording of one book or several by price level, without a gap, that names its instruments by itself; where it has no
/// address, perhaps only as those of another product of their room.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FinalBooks {
    pub name: String,
    pub files: Vec<String>,
    pub needs: Vec<Program>,
    pub books: Vec<FinalBook>,
}

/// One of its books, and how it ends.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FinalBook {
    pub instrument: String,
    pub snapshots: u64,
    pub updates: u64,
    /// Updates that a book took; the others are of before its snapshot.
    pub applied: u64,
    /// Levels in updates.
    pub level_changes: u64,
    /// Executions on the book.
    pub trades: u64,
    pub bids: usize,
    pub asks: usize,
    /// None of an empty side.
    #[serde(deserialize_with = "nullable")]
    pub best_bid: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub best_ask: Option<String>,
    /// The venue's number of the last change.
    pub venue_seq: Text<u64>,
    /// SHA-256 over the last book's levels.
    pub digest: String,
}

/// The instruments of one product in a recording, whose books a checksum proves.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Checksums {
    pub name: String,
    pub files: Vec<String>,
    pub needs: Vec<Program>,
    pub instruments: Vec<String>,
    pub frames: u64,
    pub snapshots: u64,
    #[serde(deserialize_with = "nullable")]
    pub book_messages: Option<u64>,
    /// All agree. None where the venue proves its books by numbers.
    pub checksums: u64,
    /// Levels of a side that the venue keeps; none where it keeps all.
    #[serde(deserialize_with = "nullable")]
    pub depth: Option<usize>,
    /// Checksums that agree where no book is cut to its depth.
    #[serde(deserialize_with = "nullable")]
    pub checksums_uncut: Option<u64>,
    /// The venue's stamp of the last book, in nanoseconds.
    #[serde(deserialize_with = "nullable")]
    pub book_time: Option<Text<u64>>,
}

/// A recording of one instrument order by order.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Orders {
    pub name: String,
    pub files: Vec<String>,
    pub needs: Vec<Program>,
    pub instrument: String,
    pub frames: u64,
    pub adds: u64,
    pub reduces: u64,
    pub modifies: u64,
    /// Fills, which leave the book alone.
    pub untouching: u64,
    pub events: u64,
    pub trades: u64,
    /// Orders at the end, and most at once.
    pub resting: usize,
    pub resting_max: usize,
    pub bids: usize,
    pub asks: usize,
    pub best_bid: String,
    pub best_ask: String,
    /// A snapshot of the day before: adds alone, in one event.
    pub snapshot_file: String,
    pub snapshot_frames: u64,
}

/// A recording of the best orders of one instrument, which the venue tells up to a number of them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrderWindows {
    pub name: String,
    pub files: Vec<String>,
    pub needs: Vec<Program>,
    pub instrument: String,
    pub frames: u64,
    /// New orders, those of the first book included.
    pub adds: u64,
    /// Orders that rest and change.
    pub modifies: u64,
    pub deletes: u64,
    /// Messages that leave the best bid above the best ask.
    pub crossed: u64,
    /// Most orders at once.
    pub resting_max: u64,
    pub bids: usize,
    pub asks: usize,
    pub best_bid: String,
    pub best_ask: String,
    /// SHA-256 over the last book's levels.
    pub digest: String,
}

/// A REST book, its changes, the next REST book, and changes again.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RestBooks {
    pub name: String,
    pub files: [String; 4],
    pub needs: Vec<Program>,
    pub instrument: String,
    /// Numbers of the two books.
    pub begins: u64,
    pub target: u64,
    /// In the two files of changes.
    pub frames: [usize; 2],
    /// Updates after which both books are at one number.
    pub compared: usize,
    /// Asks of the next book beyond what the first one knows, when they meet.
    pub asks_unknown: usize,
}

/// Orders told one by one without an image, with books of levels that the venue itself made of them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OwnBooks {
    pub name: String,
    pub files: Vec<String>,
    pub needs: Vec<Program>,
    pub instrument: String,
    pub created: u64,
    pub changed: u64,
    pub deleted: u64,
    pub books: u64,
    /// Levels of which all orders are known and in which two books in a row agree.
    pub compared: u64,
    /// Those where the sum of the orders is the venue's level at the moment of the second book.
    pub equal: u64,
    /// Those where it is so at another moment between the book before the two and the book behind them.
    pub explained: u64,
}

/// Messages of a file in BinaryFILE framing, and sums over their fields.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Itch {
    pub name: String,
    pub files: Vec<String>,
    pub needs: Vec<Program>,
    pub messages: u64,
    pub types: Vec<OfType>,
    pub timestamps: Text<u64>,
    pub stock_locates: u64,
    pub added: Added,
    pub deleted_references: u64,
    pub executed: Executed,
    pub cancelled_shares: u64,
    pub replaced: Replaced,
    pub traded_shares: u64,
    pub traded_prices: u64,
    pub match_numbers: u64,
}

/// Messages of a type.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OfType {
    pub r#type: char,
    pub count: u64,
}

/// Sums over new orders.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Added {
    pub references: u64,
    pub buys: u64,
    pub shares: u64,
    pub prices: u64,
}

/// Sums over executions.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Executed {
    pub references: u64,
    pub shares: u64,
}

/// Sums over replacements.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Replaced {
    pub references: u64,
    pub new_references: u64,
    pub shares: u64,
    pub prices: u64,
}

/// The captures of one feed in a folder.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Capture {
    pub name: String,
    pub folder: String,
    /// How many they are.
    pub files: u64,
    pub needs: Vec<Program>,
    pub datagrams: u64,
    pub not_udp: u64,
    pub heartbeats: u64,
    /// What decodes.
    pub messages: Vec<OfLength>,
    /// What is refused.
    pub refused: Vec<Refused>,
}

/// Messages of a type and length.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OfLength {
    pub r#type: char,
    pub bytes: usize,
    pub count: u64,
}

/// Messages that are refused with an error.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Refused {
    pub code: String,
    pub count: u64,
}

/// A capture of datagrams alone.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Datagrams {
    pub name: String,
    pub files: Vec<String>,
    pub needs: Vec<Program>,
    pub packets: u64,
    pub datagrams: u64,
    pub other_blocks: u64,
    pub payload_bytes: usize,
    /// Sum of the receive times in nanoseconds.
    pub times: Text<u128>,
    pub ports: Vec<OfPort>,
}

/// Datagrams to a port.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OfPort {
    pub port: u16,
    pub count: u64,
}

/// Two lines of one feed: each has every packet from `first` up to `behind`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Lines {
    pub name: String,
    pub files: Vec<String>,
    pub needs: Vec<Program>,
    /// Destination ports.
    pub port_a: u16,
    pub port_b: u16,
    pub first: u32,
    pub behind: u32,
    /// Packets that came on line B first.
    pub b_first: usize,
    pub a_behind_b_ns: Spread,
}

/// A distribution.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spread {
    pub least: i64,
    pub median: i64,
    pub most: i64,
}

/// What a reader of one file hears.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Transcript {
    pub name: String,
    pub files: [String; 1],
    pub needs: Vec<Program>,
    pub format: Form,
    pub connected: u32,
    pub sent: u32,
    pub received: u32,
    pub answered: u32,
    /// Connections; 1 for a form that knows of none.
    pub lines: u32,
    pub received_bytes: u64,
    /// IEEE, over a letter for each entry's kind and its bytes.
    pub crc32: Text<Hex>,
    /// Receive times of the first entry and the last in nanoseconds, 0 for a form that has none.
    pub first: Text<u64>,
    pub last: Text<u64>,
    pub errors: Vec<String>,
}

/// The form of a recording.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Form {
    Collector,
    NamedCollector,
    CaptureText,
    CaptureJsonl,
    Json,
    Cbcap,
    Packets,
    Dbn,
    BinaryFileZero,
}

/// Many small files below a folder, by the ends of their names.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Samples {
    pub name: String,
    pub folder: String,
    pub ends: Vec<String>,
    pub needs: Vec<Program>,
    /// How many they are.
    pub files: usize,
    pub received: u64,
    pub answered: u64,
    pub received_bytes: u64,
}

/// A file in an archive.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Archive {
    pub name: String,
    pub files: Vec<String>,
    pub needs: Vec<Program>,
    pub received: u32,
    pub received_bytes: u64,
    pub crc32: Text<Hex>,
}

/// A program that the machine must have, or the set is skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Program {
    Xz,
}

/// A number as text, since not every reader of JSON keeps one of 64 bits.
#[derive(Clone, Copy, Debug)]
pub struct Text<T>(pub T);

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map(Self).map_err(D::Error::custom)
    }
}

/// Eight hexadecimal digits behind `0x`.
#[derive(Clone, Copy, Debug)]
pub struct Hex(pub u32);

impl FromStr for Hex {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix("0x").filter(|digits| digits.len() == 8);
        let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        number.map(Self).ok_or_else(|| format!("expected 0x and 8 hexadecimal digits, got {text}"))
    }
}

/// A field that may be null and must be there: without this, serde takes a missing one as null.
fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(from)
}

/// Reads a text of the form of `test/recordings.json`.
pub fn read(text: &str) -> Result<Expected, serde_json::Error> {
    serde_json::from_str(text)
}

/// The file's text.
pub const fn text() -> &'static str {
    TEXT
}

/// What the file says.
pub fn expected() -> &'static Expected {
    static EXPECTED: LazyLock<Expected> =
        LazyLock::new(|| read(TEXT).unwrap_or_else(|error| panic!("test/recordings.json: {error}")));
    &EXPECTED
}

macro_rules! find {
    ($($find:ident $section:ident $kind:ident),+) => {$(
        /// The set of that name.
        pub fn $find(name: &str) -> &'static $kind {
            let found = expected().$section.iter().find(|set| set.name == name);
            found.unwrap_or_else(|| panic!("test/recordings.json: no {name} in {}", stringify!($section)))
        }
    )+};
}

find! {
    book books Book,
    final_books final_books FinalBooks,
    checksums checksums Checksums,
    orders orders Orders,
    order_window order_windows OrderWindows,
    rest_books rest_books RestBooks,
    own_books own_books OwnBooks,
    itch itch Itch,
    datagrams datagrams Datagrams,
    lines lines Lines,
    transcript transcripts Transcript,
    archive archives Archive
}

//! Prints the numbers and words that TypeScript shares with the core, as a TypeScript module: `npm run generate` writes it
//! to `src/wire/generated/constants.ts`. It imports nothing and names no venue.

use std::fmt::{Display, Write as _};
use std::io::Write as _;

use depthwire_core::aggregate::{BPS_MAX, COSTS_MAX, DEPTH_MAX, TOP_LEVELS};
use depthwire_core::encode::book_record as record;
use depthwire_core::encode::ring::{
    CONTROL_BYTES, ControlWord, ERROR, MORE, OUTPUT, RING_BYTES_MAX, RING_BYTES_MIN,
};
use depthwire_core::encode::{
    Flags, Kind, NAME_GOES_ON, NAME_TEXT_BYTES, OrderAction, OrderCause, OrderName, PLACE_LAST,
    RECORD_HEADER_BYTES, RecordType, Stream,
};
use depthwire_core::engine::{LEVELS_MAX, MEMBERS_MAX, VIEW_INTERVAL_NS_MAX};
use depthwire_core::signal::{BUCKETS, BUCKETS_MAX, SIGNAL_WINDOW_NS, SignalId};
use depthwire_core::types::{Aggressor, BookState, StaleReason, Ticker, TradeId, TradingStatus};
use depthwire_core::venues::Resync;

const NS_PER_MS: u64 = 1_000_000;

fn main() -> std::io::Result<()> {
    let mut out = Module::default();
    feed(&mut out);
    words(&mut out);
    ring(&mut out);
    book_record(&mut out);
    limits(&mut out);
    std::io::stdout().write_all(out.text.as_bytes())
}

fn feed(out: &mut Module) {
    let streams = [
        ("book", Stream::BOOK.0),
        ("bbo", Stream::BBO.0),
        ("trades", Stream::TRADES.0),
        ("status", Stream::STATUS.0),
        ("venueBbo", Stream::VENUE_BBO.0),
        ("orders", Stream::ORDERS.0),
        ("ticker", Stream::TICKER.0),
        ("liquidations", Stream::LIQUIDATIONS.0),
        ("trading", Stream::TRADING.0),
    ];
    out.table("Kind", "Frame kinds, as docs/protocol.md numbers them.", kinds());
    let greatest = kinds().map(|(_, number)| number).max().unwrap_or_default();
    out.value(
        "KIND_MAX",
        "The greatest kind that this reader knows; frames of others are skipped.",
        greatest,
    );
    let what = "Streams with a number of their own; 16 and above are views.";
    out.table("STREAM", what, streams.into_iter());
    let what = "Fixed stream numbers, and the first of views: those of depth, of volumes, of costs and of signals, up to 87.";
    let firsts = [
        ("depthFirst", Stream::DEPTH_FIRST.0),
        ("volumesFirst", Stream::VOLUMES_FIRST.0),
        ("costsFirst", Stream::COSTS_FIRST.0),
        ("signalsFirst", Stream::SIGNALS_FIRST.0),
    ];
    out.table("Stream", what, streams.into_iter().chain(firsts));
    let flags = [
        ("conflated", Flags::CONFLATED.0),
        ("stale", Flags::STALE.0),
        ("crossed", Flags::CROSSED.0),
        ("replay", Flags::REPLAY.0),
        ("last", Flags::LAST.0),
        ("venue", Flags::VENUE.0),
        ("beyondKnown", Flags::BEYOND_KNOWN.0),
    ];
    out.table("Flag", "Flag bits of a frame.", flags.into_iter());
}

fn kinds() -> impl Iterator<Item = (&'static str, u8)> {
    Kind::ALL.into_iter().map(|kind| (kind.name(), kind as u8))
}

fn words(out: &mut Module) {
    let none = BookState::Syncing;
    let states = || [none, BookState::Synced, BookState::Stale(StaleReason::Gap)].into_iter();
    let what = "States of a book; one of another number is not to be trusted.";
    out.table("STATE", what, states().map(|state| (state.name(), state.code())));
    let stale = StaleReason::ALL.map(BookState::Stale).into_iter();
    let reasons = [none].into_iter().chain(stale).map(|state| (state.reason_name(), state.reason_code()));
    out.list("SERVER_REASONS", &server_reasons(), reasons);
    let sides = Aggressor::ALL.into_iter().map(|aggressor| (aggressor.name(), aggressor as u8));
    out.list("AGGRESSORS", "Who took the liquidity of a trade, by number.", sides);
    out.list("TRADE_ID_KINDS", "What the id of a trade is, by number.", TradeId::KINDS.into_iter().zip(0..));
    let actions = OrderAction::ALL.into_iter().map(|action| (action.name(), action as u8));
    out.table("OrderAction", "What happened to an order.", actions);
    out.list("ORDER_SIDES", "Where an order rests, by number.", ["none", "bid", "ask"].into_iter().zip(0..));
    let causes = OrderCause::ALL.into_iter().map(|cause| (cause.name(), cause as u8));
    out.list("ORDER_CAUSES", "Why something happened to an order, by number.", causes);
    let what = "What the 16 bytes that name an order are, by number.";
    out.list("ORDER_NAME_KINDS", what, OrderName::KINDS.into_iter().zip(0..));
    out.value("PLACE_LAST", "The place of an order at the end of its queue.", PLACE_LAST);
    out.value("NAME_TEXT_BYTES", "Bytes of text in an entry of `names`.", NAME_TEXT_BYTES);
    let what = "Size of an entry of `names` whose text goes on in the next one.";
    out.value("NAME_GOES_ON", what, NAME_GOES_ON);
    let what = "Statistics, by the bit of the mask that says that they are known.";
    out.list("TICKER_FIELDS", what, Ticker::FIELDS.into_iter().zip(0..));
    let statuses = TradingStatus::ALL.into_iter().map(|status| (status.name(), status as u8));
    out.list("TRADING_STATUSES", "Whether an instrument trades, by number.", statuses);
    let last = SignalId::ALL.into_iter().map(|id| id as u8).max().unwrap_or_default();
    let of = |word: fn(SignalId) -> &'static str| {
        (0..=last).map(move |number| (SignalId::of(number.into()).map_or("none", word), number))
    };
    out.list("SIGNAL_NAMES", "Signals, by number.", of(SignalId::name));
    out.list("SIGNAL_UNITS", "What the value of each counts, by its number.", of(|id| id.unit().name()));
    let closed = [("closed", record::CLOSED)].into_iter();
    let what = "States of a book's record in shared memory, by number.";
    out.list("RECORD_STATES", what, closed.chain(states().map(|state| (state.name(), state.code()))));
}

fn server_reasons() -> String {
    let mut text = String::from("Why the server's book is not synced, by number.");
    for reason in StaleReason::ALL {
        let _ = write!(text, " `{}`: {}.", reason.name(), reason.meaning());
    }
    text
}

fn ring(out: &mut Module) {
    out.value("OUTPUT", "Return bit of the addon: records wait in the ring.", OUTPUT);
    out.value("MORE", "Return bit of the addon: more waits outside the ring: drain, then pump.", MORE);
    out.value(
        "ERROR",
        "Return bit of the addon: the input had no effect, and the last error says why.",
        ERROR,
    );
    let control = Object::of([
        ("write", ControlWord::Write as usize),
        ("read", ControlWord::Read as usize),
        ("capacity", ControlWord::Capacity as usize),
        ("consumed", ControlWord::Consumed as usize),
        ("nextLow", ControlWord::NextTs as usize),
        ("nextHigh", ControlWord::NextTs as usize + 1),
        ("stamped", ControlWord::Stamped as usize),
    ]);
    let types = Object::of(RecordType::ALL.map(|record| (record.name(), record as u16)));
    let asked = Object::of([
        ("snapshot", Resync::Snapshot as u8),
        ("resubscribe", Resync::Resubscribe as u8),
        ("reconnect", Resync::Reconnect as u8),
    ]);
    let fields = [
        ("controlBytes", CONTROL_BYTES.to_string()),
        ("headerBytes", RECORD_HEADER_BYTES.to_string()),
        ("control", control),
        ("type", types),
        ("asked", asked),
    ];
    let what = "The ring, as the addon writes it: a control block, then records that start 8-aligned and never wrap.";
    out.table("RING", what, fields.into_iter());
}

fn book_record(out: &mut Module) {
    let word = Object::of([
        ("sequence", record::SEQUENCE / 4),
        ("state", record::STATE / 4),
        ("counts", record::COUNTS / 4),
        ("scale", record::SCALE / 4),
        ("epoch", record::EPOCH / 4),
        ("seq", record::SEQ / 4),
        ("venueSeq", record::VENUE_SEQ / 4),
        ("tsEvent", record::TS_EVENT / 4),
        ("tsRecv", record::TS_RECV / 4),
        ("instrument", record::INSTRUMENT / 4),
    ]);
    let fields = [
        ("headerBytes", record::HEADER_BYTES.to_string()),
        ("rowBytes", record::ROW_BYTES.to_string()),
        ("depthMax", DEPTH_MAX.to_string()),
        ("word", word),
        ("words", (record::USED_BYTES / 4).to_string()),
        ("inexact", Object::of([("best", record::INEXACT_BEST), ("any", record::INEXACT_ANY)])),
        ("flag", Object::of([("crossed", Flags::CROSSED.0)])),
    ];
    let what = "Where the fields of a book's record in shared memory stand, as the addon writes them. `word`: 32-bit words of \
                the header, of which `words` are in use. `sequence`: even = stable. `state`: from the lowest byte state, \
                reason, feed flags. `counts`: bid levels, certain bid levels, ask levels, certain ask levels. `scale`: \
                inexact bits, price exponent, quantity exponent.";
    out.table("RECORD", what, fields.into_iter());
    let what = "Numbers in a row: bid price, bid quantity, ask price, ask quantity.";
    out.value("ROW_NUMBERS", what, record::ROW_NUMBERS);
}

fn limits(out: &mut Module) {
    out.value("DEPTH_MAX", "Levels a side that a depth view or a shared book has at most.", DEPTH_MAX);
    out.value("COSTS_MAX", "Quantities and bands of one view of costs together, at most.", COSTS_MAX);
    out.value("MEMBERS_MAX", "Instruments that a consolidated book is made of, at most.", MEMBERS_MAX);
    out.value("BPS_MAX", "Basis points of a band at most.", BPS_MAX);
    let what = "Shortest window of signals.";
    out.value("WINDOW_MS_MIN", what, SIGNAL_WINDOW_NS.start() / NS_PER_MS);
    out.value("WINDOW_MS_MAX", "Longest window of signals.", SIGNAL_WINDOW_NS.end() / NS_PER_MS);
    out.value("VPIN_BUCKETS", "Buckets of VPIN where nothing is asked for.", BUCKETS);
    out.value("VPIN_BUCKETS_MAX", "Buckets of VPIN at most.", BUCKETS_MAX);
    let what = "Longest time between two publications of a view.";
    out.value("INTERVAL_MS_MAX", what, VIEW_INTERVAL_NS_MAX / NS_PER_MS);
    out.value("LEVELS_MAX", "Levels a side that a book holds at most, unless told otherwise.", LEVELS_MAX);
    out.value("TOP_LEVELS", "Levels a side that the first checksum of a book covers.", TOP_LEVELS);
    out.value("RING_BYTES_MIN", "Smallest output ring, a power of two.", RING_BYTES_MIN);
    out.value("RING_BYTES_MAX", "Largest output ring, a power of two.", RING_BYTES_MAX);
}

/// A TypeScript module in the making.
struct Module {
    text: String,
}

impl Default for Module {
    fn default() -> Self {
        Self { text: "// generated from crates/core/examples/constants.rs, do not edit\n".to_owned() }
    }
}

impl Module {
    fn value(&mut self, name: &str, what: &str, value: impl Display) {
        self.constant(name, what, &format!("{value}"));
    }

    /// Names with their values.
    fn table<N: Display>(&mut self, name: &str, what: &str, fields: impl Iterator<Item = (&'static str, N)>) {
        let lines: String = fields.map(|(field, value)| format!("  {field}: {value},\n")).collect();
        self.constant(name, what, &format!("{{\n{lines}}} as const"));
    }

    /// Words by their numbers, which count from 0 without a hole.
    fn list(&mut self, name: &str, what: &str, words: impl Iterator<Item = (&'static str, u8)>) {
        let mut lines = String::new();
        for (place, (word, number)) in words.enumerate() {
            assert_eq!(place, usize::from(number), "{name}: the number of {word}");
            let _ = writeln!(lines, "  '{word}',");
        }
        self.constant(name, what, &format!("[\n{lines}] as const"));
    }

    fn constant(&mut self, name: &str, what: &str, value: &str) {
        let _ = write!(self.text, "\n/**{}\n */\nexport const {name} = {value};\n", wrapped(what));
    }
}

/// An object literal of one line.
struct Object;

impl Object {
    fn of<N: Display, const FIELDS: usize>(fields: [(&'static str, N); FIELDS]) -> String {
        format!("{{ {} }}", fields.map(|(field, value)| format!("{field}: {value}")).join(", "))
    }
}

/// The lines of a comment, of at most 110 letters where words allow it.
fn wrapped(text: &str) -> String {
    let mut lines = String::new();
    let mut length = usize::MAX;
    for word in text.split_whitespace() {
        if length.saturating_add(1 + word.len()) > 110 {
            lines.push_str("\n *");
            length = 2;
        }
        lines.push(' ');
        lines.push_str(word);
        length += 1 + word.len();
    }
    lines
}

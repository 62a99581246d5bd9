//! Frames of a venue, several on one connection: what later ones mean depends on what the first have told.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::{Mutex, OnceLock};

use depthwire_core::types::{Body, Events, Level, OrderChange, Route, Routes, Slot, Venue};
use depthwire_core::venues::{self, At, BITFINEX, BITSTAMP, BITSTAMP_ORDERS, FrameError, Session};
use depthwire_sim::dialects::{Frames, all};

use crate::json::{json_fields, loosened};
use crate::mutate::{Fields, Kind};
use crate::random::Random;
use crate::run::{Said, Target};

/// The longest frame that is one of several.
const FRAME_BYTES: usize = 900;

/// A venue that is spoken.
pub trait Spoken {
    const VENUE: Venue;
    const SYMBOLS: &'static [&'static str];
    /// Frames without which nothing is understood.
    const OPENING: usize;
    /// Frames of a form that no dialect speaks.
    const MORE: &'static [&'static str] = &[];
}

/// See [`BITFINEX`].
pub struct OfBitfinex;

impl Spoken for OfBitfinex {
    const VENUE: Venue = BITFINEX;
    const SYMBOLS: &'static [&'static str] = &["tKNCBTC", "tBTCF0:USTF0"];
    const OPENING: usize = 10;
}

/// See [`BITSTAMP`].
pub struct OfBitstamp;

impl Spoken for OfBitstamp {
    const VENUE: Venue = BITSTAMP;
    const SYMBOLS: &'static [&'static str] = &["btcusd"];
    const OPENING: usize = 0;
    const MORE: &'static [&'static str] = &[
        r#"order_created {"price": "236.47", "amount": "2.00000000", "datetime": "1", "id": 65, "order_type": 0}"#,
        r#"order_book {"bids": [["236.47", "2.00000000"]], "asks": [["236.64", "3.79520000"]]}"#,
        r#"order_changed {"price": "236.47", "amount": "1.78855669", "datetime": "1", "id": 65, "order_type": 0}"#,
        r#"trade {"price": 236.47999999999999, "amount": 0.21144331, "id": 8111041}"#,
        r#"order_deleted {"price": "236.47", "amount": "0.00000000", "datetime": "1", "id": 65, "order_type": 0}"#,
    ];
}

/// See [`BITSTAMP_ORDERS`].
pub struct OfBitstampOrders;

impl Spoken for OfBitstampOrders {
    const VENUE: Venue = BITSTAMP_ORDERS;
    const SYMBOLS: &'static [&'static str] = &["btcusd"];
    const OPENING: usize = 0;
}

/// The frames of each connection.
type Connections = &'static [Vec<Vec<u8>>];

/// Short connections of each dialect of a venue, an answer among the frames of those that give one.
fn connections<V: Spoken>() -> Connections {
    let venue = V::VENUE;
    static CONNECTIONS: OnceLock<Mutex<HashMap<Venue, Connections>>> = OnceLock::new();
    let mut made = CONNECTIONS.get_or_init(Mutex::default).lock().unwrap();
    made.entry(venue).or_insert_with(|| {
        let mut connections = Vec::new();
        for mut dialect in (0..6).flat_map(all).filter(|dialect| dialect.venue() == venue.name()) {
            let mut frames = Frames::new();
            dialect.open(1_785_552_833_184_216_000, &mut frames);
            while frames.len() < 60 {
                dialect.step(u64::MAX, &mut frames);
            }
            let mut frames: Vec<_> = frames.iter().map(|frame| shortened(frame.bytes)).collect();
            let mut answer = Vec::new();
            if dialect.snapshot(&mut answer) {
                frames.insert(frames.len() / 2, shortened(&answer));
            }
            frames.retain(|frame| frame.len() <= FRAME_BYTES);
            connections.push(frames);
        }
        if !V::MORE.is_empty() {
            connections.push(V::MORE.iter().map(|frame| frame.as_bytes().to_vec()).collect());
        }
        connections.leak()
    })
}

/// A frame with lists of which most rows are left out, so that what follows a snapshot can be tried behind it.
fn shortened(frame: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(frame).unwrap();
    let shorter = |list: &str| {
        let step = list.matches("],[").count() / 6 + 1;
        list.split("],[").step_by(step).collect::<Vec<_>>().join("],[")
    };
    let mut parts = text.split("[[");
    let mut short = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (rows, behind) = part.split_once("]]").unwrap_or((part, ""));
        short += &format!("[[{}]]{behind}", shorter(rows));
    }
    short.into_bytes()
}

/// One connection, a line a frame.
pub struct Connection<V> {
    venue: PhantomData<V>,
    routes: Routes,
    events: Events,
    general: Events,
    loose: Vec<u8>,
}

impl<V: Spoken> Default for Connection<V> {
    fn default() -> Self {
        let mut routes = Routes::new();
        for (slot, symbol) in V::SYMBOLS.iter().enumerate() {
            let instrument = venues::instrument(V::VENUE, symbol).unwrap();
            let route = Route { slot: Slot(slot as u32), price_exponent: -8, qty_exponent: -8 };
            assert!(routes.carry(instrument.wire_codes(), route));
        }
        let (events, general, loose) = Default::default();
        Self { venue: PhantomData, routes, events, general, loose }
    }
}

/// Reads a frame: all of it, or nothing.
fn read(session: &mut Session, frame: &[u8], routes: &Routes, events: &mut Events) -> Result<(), FrameError> {
    events.clear();
    let read = session.frame(frame, At::default(), routes, events);
    assert!(read.is_ok() || events.mark() == Events::default().mark(), "all or nothing");
    let is_good = |level: &Level| level.price.0 > 0 && level.qty.0 >= 0;
    let is_order = |change: &OrderChange| match *change {
        OrderChange::Add { price, qty, .. } | OrderChange::Upsert { price, qty, .. } => {
            price.0 > 0 && qty.0 > 0
        }
        _ => true,
    };
    for event in events.list() {
        if let Body::Levels(_, span) | Body::Book(_, span, ..) = event.body {
            let sides = events.levels(span);
            assert!(sides.bids.iter().chain(sides.asks).all(is_good));
        }
        if let Body::OrderBook(_, _, _, span) | Body::Orders(_, span) | Body::NumberedOrders(_, span, _) =
            event.body
        {
            assert!(events.order_changes(span).iter().all(is_order));
        }
    }
    read
}

/// What a frame says, with what its spans hold.
fn words(events: &Events) -> Vec<String> {
    let of = |body: &Body| match *body {
        Body::Levels(seq, span) => format!("{seq:?} {:?}", events.levels(span)),
        Body::Book(seq, span, coverage, _) => format!("{seq:?} {coverage:?} {:?}", events.levels(span)),
        Body::OrderBook(number, part, coverage, span) => {
            format!("{number} {part:?} {coverage:?} {:?}", events.order_changes(span))
        }
        Body::Orders(number, span) => format!("{number} {:?}", events.order_changes(span)),
        Body::Trades(span) | Body::Liquidations(span) => format!("{:?}", events.trades_of(span)),
        Body::Ticker(at) => format!("{:?}", events.ticker(at)),
        Body::NumberedOrders(seq, span, _) => format!("{seq:?} {:?}", events.order_changes(span)),
        body => format!("{body:?}"),
    };
    let list = events.list().iter();
    list.map(|event| format!("{} {} {}", event.slot.0, event.ts_event, of(&event.body))).collect()
}

impl<V: Spoken> Target for Connection<V> {
    const NAME: &'static str = V::VENUE.name();
    const INPUT_BYTES_MAX: usize = 1_536;

    fn generate(&mut self, random: &mut Random, out: &mut Vec<u8>) {
        let connection = random.pick(connections::<V>());
        // Announcements first: without them nothing is understood.
        let mut at = random.below(2);
        while out.len() < Self::INPUT_BYTES_MAX / 2 || random.one_in(2) {
            let Some(frame) = connection.get(at) else { return };
            if out.len() + frame.len() >= Self::INPUT_BYTES_MAX {
                return;
            }
            out.extend_from_slice(frame);
            out.push(b'\n');
            at += 1 + if at + 1 > V::OPENING { random.below(4) } else { 0 };
        }
    }

    fn fields(fields: &mut Fields<'_>) {
        let mut at = 0;
        for line in fields.bytes.split_inclusive(|&byte| byte == b'\n') {
            fields.note(Kind::Unit, at, line.len());
            json_fields(fields, at, at + line.len());
            at += line.len();
        }
    }

    fn check(&mut self, bytes: &[u8], _: &mut Random, said: &mut Said) {
        let Self { routes, events, general, loose, .. } = self;
        let mut sessions = [venues::session(V::VENUE), venues::session(V::VENUE)];
        for frame in bytes.split(|&byte| byte == b'\n').filter(|frame| !frame.is_empty()) {
            let plain = read(&mut sessions[0], frame, routes, events);
            loosened(frame, loose);
            let spaced = read(&mut sessions[1], loose, routes, general);
            assert_eq!(
                plain.map_err(|error| error.code()),
                spaced.map_err(|error| error.code()),
                "white space says nothing"
            );
            assert_eq!(words(events), words(general), "white space says nothing");
            match plain {
                Ok(()) => {
                    said.size("events", events.list().len());
                    for event in events.list() {
                        said.ok(match event.body {
                            Body::Levels(..) => "levels",
                            Body::Book(..) => "book",
                            Body::Orders(..) | Body::NumberedOrders(..) => "orders",
                            Body::OrderBook(..) => "order book",
                            Body::CheckLevels(_) | Body::CheckOrders(_) => "check",
                            Body::Trades(_) => "trades",
                            Body::Ticker(_) => "ticker",
                            Body::Lost { .. } => "lost",
                            _ => "other",
                        });
                    }
                }
                Err(error) => said.error(error.code()),
            }
        }
    }
}

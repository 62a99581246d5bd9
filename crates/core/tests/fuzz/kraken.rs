//! Kraken's frames of both versions, several on one connection, so that what one has told the next one meets.

use std::sync::OnceLock;

use depthwire_core::decode::DecodeError;
use depthwire_core::types::{Body, Event, Events, Level, Route, Routes, Slot};
use depthwire_core::venues::{self, At, FrameError, KRAKEN, Session};
use depthwire_sim::dialects::{Frames, all};

use crate::json::{json_fields, loosened};
use crate::mutate::{Fields, Kind};
use crate::random::Random;
use crate::run::{Said, Target};

/// The longest frame that is one of several.
const FRAME_BYTES: usize = 1_200;

/// Short connections of each dialect, the subscriptions and snapshots of shallow books among them.
fn connections() -> &'static [Vec<Vec<u8>>] {
    static CONNECTIONS: OnceLock<Vec<Vec<Vec<u8>>>> = OnceLock::new();
    CONNECTIONS.get_or_init(|| {
        let mut connections = Vec::new();
        for mut dialect in (0..6).flat_map(all).filter(|dialect| dialect.venue() == KRAKEN.name()) {
            let mut frames = Frames::new();
            dialect.open(1_785_552_833_184_216_000, &mut frames);
            while frames.len() < 60 {
                dialect.step(u64::MAX, &mut frames);
            }
            let frames = frames.iter().filter(|frame| frame.bytes.len() <= FRAME_BYTES);
            connections.push(frames.map(|frame| frame.bytes.to_vec()).collect());
        }
        connections
    })
}

/// One connection, a line a frame.
pub struct Kraken {
    routes: Routes,
    events: Events,
    general: Events,
    loose: Vec<u8>,
}

impl Default for Kraken {
    fn default() -> Self {
        let mut routes = Routes::new();
        for (slot, symbol) in ["BTC/USD", "PEPE/USD"].into_iter().enumerate() {
            let instrument = venues::instrument(KRAKEN, symbol).unwrap();
            let route = Route { slot: Slot(slot as u32), price_exponent: -9, qty_exponent: -8 };
            let codes = instrument.codes.iter().map(|code| &**code);
            assert!(routes.carry(codes, route));
        }
        let (events, general, loose) = Default::default();
        Self { routes, events, general, loose }
    }
}

/// Reads a frame: all of it, or nothing.
fn read(session: &mut Session, frame: &[u8], routes: &Routes, events: &mut Events) -> Result<(), FrameError> {
    events.clear();
    let read = session.frame(frame, At::default(), routes, events);
    assert!(read.is_ok() || events.mark() == Events::default().mark(), "all or nothing");
    let is_good = |level: &Level| level.price.0 > 0 && level.qty.0 >= 0;
    for event in events.list() {
        if let Body::Levels(_, span) | Body::Book(_, span, ..) = event.body {
            let sides = events.levels(span);
            assert!(sides.bids.iter().chain(sides.asks).all(is_good));
        }
    }
    read
}

/// Whether two arenas tell the same.
fn is_alike(one: &Events, other: &Events) -> bool {
    let is_alike = |(a, b): (&Event, &Event)| {
        let is_body = match (a.body, b.body) {
            (Body::Levels(a, of_a), Body::Levels(b, of_b)) => {
                a == b && one.levels(of_a) == other.levels(of_b)
            }
            (Body::Book(a, of_a, told_a, _), Body::Book(b, of_b, told_b, _)) => {
                (a, told_a) == (b, told_b) && one.levels(of_a) == other.levels(of_b)
            }
            (Body::Orders(_, of_a), Body::Orders(_, of_b)) => {
                one.order_changes(of_a) == other.order_changes(of_b)
            }
            (Body::OrderBook(_, part_a, told_a, of_a), Body::OrderBook(_, part_b, told_b, of_b)) => {
                (part_a, told_a) == (part_b, told_b) && one.order_changes(of_a) == other.order_changes(of_b)
            }
            (Body::Trades(of_a), Body::Trades(of_b)) => one.trades_of(of_a) == other.trades_of(of_b),
            (Body::Ticker(of_a), Body::Ticker(of_b)) => one.ticker(of_a) == other.ticker(of_b),
            (a, b) => a == b,
        };
        is_body && (a.slot, a.is_last, a.ts_event) == (b.slot, b.is_last, b.ts_event)
    };
    one.list().len() == other.list().len() && one.list().iter().zip(other.list()).all(is_alike)
}

impl Target for Kraken {
    const NAME: &'static str = "kraken";
    const INPUT_BYTES_MAX: usize = 1_536;

    fn generate(&mut self, random: &mut Random, out: &mut Vec<u8>) {
        let connection = random.pick(connections());
        let mut at = if random.one_in(2) { 0 } else { random.below(connection.len()) };
        for _ in 0..=random.below(3) {
            if let Some(frame) =
                connection.get(at).filter(|frame| out.len() + frame.len() < Self::INPUT_BYTES_MAX)
            {
                out.extend_from_slice(frame);
                out.push(b'\n');
            }
            at += 1 + usize::from(random.one_in(4));
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
        let Self { routes, events, general, loose } = self;
        let mut sessions = [venues::session(KRAKEN), venues::session(KRAKEN)];
        for frame in bytes.split(|&byte| byte == b'\n').filter(|frame| !frame.is_empty()) {
            let short = read(&mut sessions[0], frame, routes, events);
            loosened(frame, loose);
            let long = read(&mut sessions[1], loose, routes, general);
            assert_eq!(
                short.map_err(|error| error.code()),
                long.map_err(|error| error.code()),
                "both ways through the decoder agree"
            );
            assert!(is_alike(events, general), "{:?} {:?}", events.list(), general.list());
            match short {
                Ok(()) => {
                    said.size("events", events.list().len());
                    for event in events.list() {
                        said.ok(match event.body {
                            Body::Levels(..) => "levels",
                            Body::Book(..) => "book",
                            Body::Orders(..) => "orders",
                            Body::OrderBook(..) => "order book",
                            Body::Check(_) => "check",
                            Body::Trades(_) => "trades",
                            Body::Ticker(_) => "ticker",
                            Body::Definition(_) => "definition",
                            _ => "other",
                        });
                    }
                }
                // A connection that is heard from its middle may not know a depth.
                Err(FrameError::Decode(DecodeError::UnknownDepth { .. })) => said.ok("unknown depth"),
                Err(error) => {
                    said.error(error.code());
                    if let FrameError::Decode(
                        DecodeError::MissingField { field } | DecodeError::BadNumber { field, .. },
                    ) = error
                    {
                        said.ok(field);
                    }
                }
            }
        }
    }
}

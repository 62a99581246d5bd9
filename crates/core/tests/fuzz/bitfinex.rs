//! Bitfinex's frames, several on one connection: what later ones mean depends on what the first have announced.

use std::sync::OnceLock;

use depthwire_core::types::{Body, Events, Level, Route, Routes, Slot};
use depthwire_core::venues::{self, At, BITFINEX, FrameError, Session};
use depthwire_sim::dialects::{Frames, all};

use crate::json::{json_fields, loosened};
use crate::mutate::{Fields, Kind};
use crate::random::Random;
use crate::run::{Said, Target};

/// The longest frame that is one of several.
const FRAME_BYTES: usize = 900;

/// Short connections of each dialect.
fn connections() -> &'static [Vec<Vec<u8>>] {
    static CONNECTIONS: OnceLock<Vec<Vec<Vec<u8>>>> = OnceLock::new();
    CONNECTIONS.get_or_init(|| {
        let mut connections = Vec::new();
        for mut dialect in (0..6).flat_map(all).filter(|dialect| dialect.venue() == BITFINEX.name()) {
            let mut frames = Frames::new();
            dialect.open(1_785_552_833_184_216_000, &mut frames);
            while frames.len() < 60 {
                dialect.step(u64::MAX, &mut frames);
            }
            let frames = frames.iter().map(|frame| shortened(frame.bytes));
            connections.push(frames.filter(|frame| frame.len() <= FRAME_BYTES).collect());
        }
        connections
    })
}

/// A frame with a list of which most rows are left out, so that what follows a snapshot can be tried behind it.
fn shortened(frame: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(frame).unwrap();
    let Some((head, rest)) = text.split_once("[[") else { return frame.to_vec() };
    let Some((rows, behind)) = rest.rsplit_once("]]") else { return frame.to_vec() };
    let step = rows.matches("],[").count() / 8 + 1;
    let rows: Vec<_> = rows.split("],[").step_by(step).collect();
    format!("{head}[[{}]]{behind}", rows.join("],[")).into_bytes()
}

/// One connection, a line a frame.
pub struct Bitfinex {
    routes: Routes,
    events: Events,
    general: Events,
    loose: Vec<u8>,
}

impl Default for Bitfinex {
    fn default() -> Self {
        let mut routes = Routes::new();
        for (slot, symbol) in ["tKNCBTC", "tBTCF0:USTF0"].into_iter().enumerate() {
            let instrument = venues::instrument(BITFINEX, symbol).unwrap();
            let route = Route { slot: Slot(slot as u32), price_exponent: -8, qty_exponent: -8 };
            assert!(routes.carry(instrument.codes.iter().map(|code| &**code), route));
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

/// What a frame says, with what its spans hold.
fn words(events: &Events) -> Vec<String> {
    let of = |body: &Body| match *body {
        Body::Levels(seq, span) => format!("{seq:?} {:?}", events.levels(span)),
        Body::Book(seq, span, coverage, _) => format!("{seq:?} {coverage:?} {:?}", events.levels(span)),
        Body::Trades(span) | Body::Liquidations(span) => format!("{:?}", events.trades_of(span)),
        Body::Ticker(at) => format!("{:?}", events.ticker(at)),
        body => format!("{body:?}"),
    };
    let list = events.list().iter();
    list.map(|event| format!("{} {} {}", event.slot.0, event.ts_event, of(&event.body))).collect()
}

impl Target for Bitfinex {
    const NAME: &'static str = "bitfinex";
    const INPUT_BYTES_MAX: usize = 1_536;

    fn generate(&mut self, random: &mut Random, out: &mut Vec<u8>) {
        let connection = random.pick(connections());
        // Announcements first: without them nothing is understood.
        let mut at = random.below(2);
        while out.len() < Self::INPUT_BYTES_MAX / 2 || random.one_in(2) {
            let Some(frame) = connection.get(at) else { return };
            if out.len() + frame.len() >= Self::INPUT_BYTES_MAX {
                return;
            }
            out.extend_from_slice(frame);
            out.push(b'\n');
            at += 1 + if at > 9 { random.below(4) } else { 0 };
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
        let mut sessions = [venues::session(BITFINEX), venues::session(BITFINEX)];
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

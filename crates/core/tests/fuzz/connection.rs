//! Frames of a venue, several on one connection, so that what one has told the next one meets.

use std::marker::PhantomData;

use depthwire_core::decode::DecodeError;
use depthwire_core::types::{Body, Event, Events, Level, OrderChange, Route, Routes, Slot, Venue};
use depthwire_core::venues::{self, At, FrameError, Session};
use depthwire_sim::dialects::{Dialect, Frames, all};

use crate::json::{json_fields, loosened};
use crate::mutate::{Fields, Kind};
use crate::random::Random;
use crate::recorded::{FRAME_BYTES, Recordings, recordings, shortened};
use crate::refusals::REFUSALS;
use crate::rooms::Room;
use crate::run::{Said, Target};

/// The markets of a seed.
fn markets<R: Room>(seed: u64) -> Vec<Box<dyn Dialect>> {
    let is_ours = |name| R::PRODUCTS.iter().any(|product| product.name() == name);
    all(seed).into_iter().chain(R::more(seed)).filter(|dialect| is_ours(dialect.venue())).collect()
}

/// Short connections of each dialect, the subscriptions and snapshots of shallow books among them. The first line of each is
/// the name of its product.
fn connections<R: Room>() -> Vec<Vec<Vec<u8>>> {
    let mut connections = Vec::new();
    for mut dialect in (0..6).flat_map(markets::<R>) {
        let mut frames = Frames::new();
        dialect.open(1_785_552_833_184_216_000, &mut frames);
        while frames.len() < 60 {
            dialect.step(u64::MAX, &mut frames);
        }
        let mut frames: Vec<_> = frames.iter().filter_map(|frame| shortened(frame.bytes)).collect();
        let mut answer = Vec::new();
        if R::TAKES_ANSWERS && dialect.snapshot(&mut answer) {
            frames.insert(frames.len() / 2, shortened(&answer).unwrap());
        }
        frames.retain(|frame| frame.len() <= FRAME_BYTES);
        frames.insert(0, dialect.venue().as_bytes().to_vec());
        connections.push(frames);
    }
    if !R::OTHER_FRAMES.is_empty() {
        let name = R::PRODUCTS[0].name();
        let lines = [name].into_iter().chain(R::OTHER_FRAMES.iter().copied());
        connections.push(lines.map(|line| line.as_bytes().to_vec()).collect());
    }
    connections
}

/// One connection, a line a frame, behind a line that names its product.
pub struct Connection<R> {
    /// By product.
    routes: Vec<Routes>,
    connections: Vec<Vec<Vec<u8>>>,
    events: Events,
    general: Events,
    loose: Vec<u8>,
    room: PhantomData<R>,
}

impl<R: Room> Default for Connection<R> {
    fn default() -> Self {
        let routes_of = |product: &Venue| {
            let mut routes = Routes::new();
            for (slot, dialect) in
                (0..).zip(markets::<R>(0).iter().filter(|dialect| dialect.venue() == product.name()))
            {
                let instrument = venues::instrument(*product, dialect.code()).unwrap();
                let (price_exponent, qty_exponent) = R::EXPONENTS.unwrap_or_else(|| dialect.exponents());
                let route = Route { slot: Slot(slot), price_exponent, qty_exponent };
                if instrument.wire_codes().all(|code| routes.find(code).is_none()) {
                    assert!(routes.carry(instrument.wire_codes(), route));
                }
            }
            if let Some(recordings) = recordings() {
                recordings.carry(*product, &mut routes);
            }
            routes
        };
        let routes = R::PRODUCTS.iter().map(routes_of).collect();
        let (events, general, loose) = Default::default();
        Self { routes, connections: connections::<R>(), events, general, loose, room: PhantomData }
    }
}

/// Reads a frame: all of it, or nothing.
fn read(session: &mut Session, frame: &[u8], routes: &Routes, events: &mut Events) -> Result<(), FrameError> {
    events.clear();
    let read = session.frame(frame, At::default(), routes, events);
    let is_lost = |event: &Event| matches!(event.body, Body::Lost { .. });
    assert!(
        read.is_ok() || events.list().iter().all(is_lost),
        "all or nothing, but for what is missing before it"
    );
    assert_sane(events);
    read
}

/// What holds of levels and orders that are told, whatever the bytes were.
pub fn assert_sane(events: &Events) {
    let is_level = |level: &Level| level.price.0 > 0 && level.qty.0 >= 0;
    let is_order = |change: &OrderChange| match *change {
        OrderChange::Add { price, qty, .. } | OrderChange::Upsert { price, qty, .. } => {
            price.0 > 0 && qty.0 >= 0
        }
        _ => true,
    };
    for event in events.list() {
        match event.body {
            Body::Levels(_, span) | Body::VerbedLevels(_, span, _) | Body::Book(_, span, ..) => {
                let sides = events.levels(span);
                assert!(sides.bids.iter().chain(sides.asks).all(is_level));
            }
            Body::OrderBook(_, _, _, span) | Body::Orders(_, span) | Body::NumberedOrders(_, span, _) => {
                assert!(events.order_changes(span).iter().all(is_order));
            }
            _ => {}
        }
    }
}

/// Whether two arenas tell the same.
pub fn is_alike(one: &Events, other: &Events) -> bool {
    let is_alike = |(a, b): (&Event, &Event)| {
        let is_body = match (a.body, b.body) {
            (Body::Levels(a, of_a), Body::Levels(b, of_b)) => {
                a == b && one.levels(of_a) == other.levels(of_b)
            }
            (Body::VerbedLevels(a, of_a, verbs_a), Body::VerbedLevels(b, of_b, verbs_b)) => {
                (a, one.verbs_of(verbs_a)) == (b, other.verbs_of(verbs_b))
                    && one.levels(of_a) == other.levels(of_b)
            }
            (Body::Book(a, of_a, told_a, _), Body::Book(b, of_b, told_b, _)) => {
                (a, told_a) == (b, told_b) && one.levels(of_a) == other.levels(of_b)
            }
            (Body::Orders(a, of_a), Body::Orders(b, of_b)) => {
                a == b && one.order_changes(of_a) == other.order_changes(of_b)
            }
            (Body::NumberedOrders(a, of_a, absent_a), Body::NumberedOrders(b, of_b, absent_b)) => {
                (a, absent_a) == (b, absent_b) && one.order_changes(of_a) == other.order_changes(of_b)
            }
            (Body::OrderBook(a, part_a, told_a, of_a), Body::OrderBook(b, part_b, told_b, of_b)) => {
                (a, part_a, told_a) == (b, part_b, told_b)
                    && one.order_changes(of_a) == other.order_changes(of_b)
            }
            (Body::Trades(of_a), Body::Trades(of_b))
            | (Body::Liquidations(of_a), Body::Liquidations(of_b)) => {
                one.trades_of(of_a) == other.trades_of(of_b)
            }
            (Body::Ticker(of_a), Body::Ticker(of_b)) => one.ticker(of_a) == other.ticker(of_b),
            (a, b) => a == b,
        };
        is_body && (a.slot, a.is_last, a.ts_event) == (b.slot, b.is_last, b.ts_event)
    };
    one.list().len() == other.list().len() && one.list().iter().zip(other.list()).all(is_alike)
}

/// A word for what an event says.
pub const fn word(body: &Body) -> &'static str {
    match body {
        Body::Levels(..) => "levels",
        Body::VerbedLevels(..) => "verbs",
        Body::Bbo(_) => "bbo",
        Body::Liquidations(_) => "liquidations",
        Body::Trading(_) => "trading",
        Body::Book(..) => "book",
        Body::Orders(..) | Body::NumberedOrders(..) => "orders",
        Body::OrderBook(..) => "order book",
        Body::Check(_) | Body::CheckLevels(_) | Body::CheckOrders(_) => "check",
        Body::Trades(_) => "trades",
        Body::Ticker(_) => "ticker",
        Body::Definition(_) => "definition",
        Body::Lost { .. } | Body::Restart(_) => "lost",
    }
}

impl<R: Room> Target for Connection<R> {
    const NAME: &'static str = R::NAME;
    const INPUT_BYTES_MAX: usize = 1_536;
    const IS_RECORDED: bool = true;

    fn generate(&mut self, random: &mut Random, out: &mut Vec<u8>) {
        let connection = random.pick(&self.connections);
        let (product, frames) = connection.split_first().unwrap();
        out.extend_from_slice(product);
        out.push(b'\n');
        let mut push = |frame: Option<&Vec<u8>>| {
            if let Some(frame) = frame.filter(|frame| out.len() + frame.len() < Self::INPUT_BYTES_MAX) {
                out.extend_from_slice(frame);
                out.push(b'\n');
            }
        };
        let (opening, rest) = frames.split_at(R::OPENING.min(frames.len()));
        opening.iter().for_each(|frame| push(Some(frame)));
        let mut at = if random.one_in(2) { 0 } else { random.below(rest.len()) };
        for _ in 0..=random.below(3) {
            push(rest.get(at));
            at += 1 + usize::from(random.one_in(4));
        }
    }

    fn other_inputs(&self) -> Vec<Vec<u8>> {
        REFUSALS.iter().map(|text| text.to_vec()).collect()
    }

    fn recorded(&self, recordings: &Recordings) -> Vec<Vec<u8>> {
        recordings.connections(R::PRODUCTS)
    }

    fn fields(fields: &mut Fields<'_>) {
        let mut at = 0;
        for line in fields.bytes.split_inclusive(|&byte| byte == b'\n') {
            fields.note(Kind::Unit, at, line.len());
            json_fields(fields, at, at + line.len());
            at += line.len();
        }
    }

    fn check(&mut self, bytes: &[u8], random: &mut Random, said: &mut Said) {
        let Self { routes, events, general, loose, .. } = self;
        let mut lines = bytes.split(|&byte| byte == b'\n').filter(|frame| !frame.is_empty()).peekable();
        let named = |line: &&[u8]| R::PRODUCTS.iter().position(|product| product.name().as_bytes() == *line);
        let product = lines.peek().and_then(named);
        if product.is_some() {
            lines.next();
        }
        let product = product.unwrap_or(0);
        let routes = &routes[product];
        let mut sessions = [R::PRODUCTS[product]; 2].map(venues::session);
        for frame in lines {
            let short = read(&mut sessions[0], frame, routes, events);
            // Half a frame says nothing, and leaves nothing behind.
            if !R::FORGETS && short.is_ok() && !events.list().is_empty() && random.one_in(4) {
                let half = &frame[..random.below(frame.trim_ascii_end().len())];
                let half = read(&mut sessions[1], half, routes, general);
                assert!(half.is_err() && general.list().is_empty(), "half a frame: {:?}", general.list());
            }
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
                    events.list().iter().for_each(|event| said.ok(word(&event.body)));
                }
                // A connection that is heard from its middle may not know a depth; one of several instruments does not know
                // whose an answer is.
                Err(FrameError::Decode(DecodeError::UnknownDepth { .. })) => said.ok("unknown depth"),
                Err(FrameError::Decode(DecodeError::AmbiguousSnapshot)) => said.ok("ambiguous"),
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

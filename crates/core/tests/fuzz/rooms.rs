//! Frames of a venue, several on one connection, so that what one has told the next one meets.

use std::marker::PhantomData;

use depthwire_core::decode::DecodeError;
use depthwire_core::types::{Body, Event, Events, Level, Route, Routes, Slot, Venue};
use depthwire_core::venues::{
    self, At, BITGET, BITGET_COIN_FUTURES, BITGET_USDC_FUTURES, BITGET_USDT_FUTURES, BITMEX, BYBIT,
    BYBIT_INVERSE, BYBIT_LINEAR, BYBIT_OPTION, COINBASE, COINBASE_EXCHANGE, DERIBIT, FrameError, GATEIO,
    GATEIO_DELIVERY, GATEIO_FUTURES, HYPERLIQUID, KRAKEN, KRAKEN_FUTURES, KUCOIN, KUCOIN_FUTURES, LIGHTER,
    OKX, Session,
};
use depthwire_sim::dialects::{
    Bitmex as BitmexDialect, BitmexBook, Bybit as BybitDialect, BybitCategory, Deribit as DeribitDialect,
    DeribitBook, Dialect, Frames, KrakenFutures as KrakenFuturesDialect, KrakenFuturesContract, all,
};

use crate::json::{json_fields, loosened};
use crate::mutate::{Fields, Kind};
use crate::random::Random;
use crate::run::{Said, Target};

/// The longest frame that is one of several.
const FRAME_BYTES: usize = 1_200;

/// A room, by its products.
pub trait Room {
    const NAME: &'static str;
    const PRODUCTS: &'static [Venue];
    /// Exponents of prices and quantities where the markets' own are not as fine as what is printed.
    const EXPONENTS: Option<(i8, i8)> = None;

    /// Markets that are small enough beside those of the conformance suite.
    fn more(seed: u64) -> Vec<Box<dyn Dialect>> {
        let _ = seed;
        Vec::new()
    }
}

pub struct Kraken;

impl Room for Kraken {
    const NAME: &'static str = "kraken";
    const PRODUCTS: &'static [Venue] = &[KRAKEN];
    const EXPONENTS: Option<(i8, i8)> = Some((-9, -8));
}

/// With numbers and with checksums.
pub struct Okx;

impl Room for Okx {
    const NAME: &'static str = "okx";
    const PRODUCTS: &'static [Venue] = &[OKX];
}

pub struct Bybit;

impl Room for Bybit {
    const NAME: &'static str = "bybit";
    const PRODUCTS: &'static [Venue] = &[BYBIT, BYBIT_LINEAR, BYBIT_INVERSE, BYBIT_OPTION];

    fn more(seed: u64) -> Vec<Box<dyn Dialect>> {
        use BybitCategory::{Inverse, Linear, Spot};
        let top = |category| Box::new(BybitDialect::new(seed, category, 1)) as Box<dyn Dialect>;
        [Spot, Linear, Inverse].map(top).into()
    }
}

pub struct Coinbase;

impl Room for Coinbase {
    const NAME: &'static str = "coinbase";
    const PRODUCTS: &'static [Venue] = &[COINBASE];
}

pub struct Deribit;

impl Room for Deribit {
    const NAME: &'static str = "deribit";
    const PRODUCTS: &'static [Venue] = &[DERIBIT];

    fn more(seed: u64) -> Vec<Box<dyn Dialect>> {
        vec![Box::new(DeribitDialect::new(seed, DeribitBook::ThinOption100Ms))]
    }
}

pub struct Lighter;

impl Room for Lighter {
    const NAME: &'static str = "lighter";
    const PRODUCTS: &'static [Venue] = &[LIGHTER];
}

pub struct Hyperliquid;

impl Room for Hyperliquid {
    const NAME: &'static str = "hyperliquid";
    const PRODUCTS: &'static [Venue] = &[HYPERLIQUID];
}

pub struct Gateio;

impl Room for Gateio {
    const NAME: &'static str = "gateio";
    const PRODUCTS: &'static [Venue] = &[GATEIO, GATEIO_FUTURES, GATEIO_DELIVERY];
}

pub struct Bitmex;

impl Room for Bitmex {
    const NAME: &'static str = "bitmex";
    const PRODUCTS: &'static [Venue] = &[BITMEX];

    fn more(seed: u64) -> Vec<Box<dyn Dialect>> {
        vec![Box::new(BitmexDialect::new(seed, BitmexBook::Thin))]
    }
}

pub struct KrakenFutures;

impl Room for KrakenFutures {
    const NAME: &'static str = "kraken_futures";
    const PRODUCTS: &'static [Venue] = &[KRAKEN_FUTURES];

    fn more(seed: u64) -> Vec<Box<dyn Dialect>> {
        vec![Box::new(KrakenFuturesDialect::new(seed, KrakenFuturesContract::ThinFuture))]
    }
}

pub struct Kucoin;

impl Room for Kucoin {
    const NAME: &'static str = "kucoin";
    const PRODUCTS: &'static [Venue] = &[KUCOIN, KUCOIN_FUTURES];
}

/// Of every version.
pub struct Bitget;

impl Room for Bitget {
    const NAME: &'static str = "bitget";
    const PRODUCTS: &'static [Venue] =
        &[BITGET, BITGET_USDT_FUTURES, BITGET_USDC_FUTURES, BITGET_COIN_FUTURES];
}

pub struct CoinbaseExchange;

impl Room for CoinbaseExchange {
    const NAME: &'static str = "coinbase_exchange";
    const PRODUCTS: &'static [Venue] = &[COINBASE_EXCHANGE];
}

/// The markets of a seed.
fn markets<R: Room>(seed: u64) -> Vec<Box<dyn Dialect>> {
    all(seed).into_iter().chain(R::more(seed)).collect()
}

/// Short connections of each dialect, the subscriptions and snapshots of shallow books among them. The first line of each is
/// the name of its product.
fn connections<R: Room>() -> Vec<Vec<Vec<u8>>> {
    let mut connections = Vec::new();
    for mut dialect in (0..6).flat_map(markets::<R>) {
        if !R::PRODUCTS.iter().any(|product| product.name() == dialect.venue()) {
            continue;
        }
        let mut frames = Frames::new();
        dialect.open(1_785_552_833_184_216_000, &mut frames);
        while frames.len() < 60 {
            dialect.step(u64::MAX, &mut frames);
        }
        let mut lines = vec![dialect.venue().as_bytes().to_vec()];
        let frames = frames.iter().filter(|frame| frame.bytes.len() <= FRAME_BYTES);
        lines.extend(frames.map(|frame| frame.bytes.to_vec()));
        connections.push(lines);
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
    let is_good = |level: &Level| level.price.0 > 0 && level.qty.0 >= 0;
    for event in events.list() {
        if let Body::Levels(_, span) | Body::VerbedLevels(_, span, _) | Body::Book(_, span, ..) = event.body {
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
            (Body::VerbedLevels(a, of_a, verbs_a), Body::VerbedLevels(b, of_b, verbs_b)) => {
                (a, one.verbs_of(verbs_a)) == (b, other.verbs_of(verbs_b))
                    && one.levels(of_a) == other.levels(of_b)
            }
            (Body::Book(a, of_a, told_a, _), Body::Book(b, of_b, told_b, _)) => {
                (a, told_a) == (b, told_b) && one.levels(of_a) == other.levels(of_b)
            }
            (Body::Orders(_, of_a), Body::Orders(_, of_b)) => {
                one.order_changes(of_a) == other.order_changes(of_b)
            }
            (Body::NumberedOrders(a, of_a, _), Body::NumberedOrders(b, of_b, _)) => {
                a == b && one.order_changes(of_a) == other.order_changes(of_b)
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

impl<R: Room> Target for Connection<R> {
    const NAME: &'static str = R::NAME;
    const INPUT_BYTES_MAX: usize = 1_536;

    fn generate(&mut self, random: &mut Random, out: &mut Vec<u8>) {
        let connection = random.pick(&self.connections);
        let (product, frames) = connection.split_first().unwrap();
        out.extend_from_slice(product);
        out.push(b'\n');
        let mut at = if random.one_in(2) { 0 } else { random.below(frames.len()) };
        for _ in 0..=random.below(3) {
            if let Some(frame) =
                frames.get(at).filter(|frame| out.len() + frame.len() < Self::INPUT_BYTES_MAX)
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

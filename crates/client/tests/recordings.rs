//! Whole recordings over a real socket: an engine publishes what it makes of them, and the client ends with the engine's digests.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed unwrap is a failed test")]

#[path = "../../core/tests/sets/expected.rs"]
mod expected;
#[path = "../../core/tests/sets/files.rs"]
mod files;
mod server;

use std::thread;
use std::time::{Duration, Instant};

use depthwire_client::core::book::digest;
use depthwire_client::core::encode::{RECORD_HEADER_BYTES, RecordType};
use depthwire_client::core::engine::{Engine, EngineConfig};
use depthwire_client::core::types::{BookState, InstrumentId, NoClock, Venue};
use depthwire_client::core::venues;
use depthwire_client::{Event, Feed, Options, Side, State, SubscriptionId, Topic};
use expected::expected;
use serde_json::json;
use server::{Peer, Server};

/// Bytes of a message, about.
const MESSAGE_BYTES: usize = 200_000;

/// How a book ends: its digest, and that of the sum of its orders.
type End = (String, Option<String>);

/// Grants all that is asked until so many subscriptions stand.
fn grant(peer: &mut Peer, count: usize, id_of: impl Fn(&str) -> InstrumentId) {
    let mut granted = 0;
    while granted < count {
        let asked = peer.hear("subscribe");
        let stream = if asked["channel"] == "orders" { 6 } else { 1 };
        let one = asked.get("instrument").map(|name| vec![name.clone()]);
        for name in one.unwrap_or_else(|| asked["instruments"].as_array().unwrap().clone()) {
            let name = name.as_str().unwrap();
            peer.grant(
                &asked,
                name,
                id_of(name).0,
                &json!({"stream": stream, "state": "syncing", "epoch": "0", "seq": "0"}),
            );
            granted += 1;
        }
    }
}

/// Publishes a recording to one client; returns how each book ends in the engine, where it ends synced.
fn publish(
    server: &Server,
    venue: Venue,
    names: &[String],
    bytes: &[u8],
    has_orders: bool,
) -> Vec<Option<End>> {
    let config = EngineConfig { is_replay: true, ..EngineConfig::default() };
    let mut engine = Engine::new(config, venues::catalogue(), NoClock);
    let add = |name: &String| {
        let (_, symbol) = venues::split_name(name).unwrap();
        engine.add_instrument(venues::instrument(venue, symbol).unwrap()).unwrap()
    };
    let ids: Vec<_> = names.iter().map(add).collect();
    let source = engine.open_source(venue, &ids).unwrap();
    let mut peer = server.greet();
    let id_of = |name: &str| ids[names.iter().position(|other| other == name).unwrap()];
    grant(&mut peer, names.len() * (1 + usize::from(has_orders)), id_of);
    if has_orders {
        for id in &ids {
            engine.open_orders(*id).unwrap();
        }
    }
    let mut message = Vec::new();
    let mut at = 0;
    let mut more = 1 << 20;
    while at < bytes.len() {
        let end = bytes.len().min(at + more);
        let progress = engine
            .replay(source, &bytes[at..end], end == bytes.len(), u64::MAX, |outbox| {
                while let Some(record) = outbox.front() {
                    if record[4] == RecordType::Frame as u8 {
                        message.extend_from_slice(&record[RECORD_HEADER_BYTES..]);
                    }
                    if message.len() > MESSAGE_BYTES {
                        peer.bytes(std::mem::take(&mut message));
                    }
                    outbox.take();
                }
                true
            })
            .unwrap();
        more = if progress.consumed == 0 { more * 2 } else { 1 << 20 };
        at += progress.consumed;
    }
    peer.bytes(message);
    peer.say(&json!({"op": "shutdown", "reason": "the recording is over"}));
    let ends = ids.iter().map(|id| {
        let is_synced = engine.book_info(*id, 0).unwrap().state == BookState::Synced;
        is_synced
            .then(|| (engine.digest(*id).unwrap(), has_orders.then(|| engine.orders_digest(*id).unwrap())))
    });
    let ends = ends.collect();
    peer.left();
    ends
}

/// The client's own end of a book.
fn end_of(feed: &Feed, book: SubscriptionId, orders: Option<SubscriptionId>) -> Option<End> {
    let told = feed.book(book).unwrap();
    let orders = orders.map(|id| {
        let told = feed.orders(id).unwrap();
        let (bids, asks) = (told.levels(Side::Bid), told.levels(Side::Ask));
        assert!(told.state() != State::Synced || told.is_event_whole());
        digest(bids, asks, told.exponents().0, told.exponents().1)
    });
    (told.state() == State::Synced).then(|| (told.digest(), orders))
}

/// Publishes and follows; how many books end synced.
fn follow(venue: Venue, names: Vec<String>, bytes: Vec<u8>, has_orders: bool) -> usize {
    let server = Server::start();
    let mut feed = Feed::open(&server.address(), Options::default()).unwrap();
    let mut subscribe = |topic: Topic| feed.subscribe(topic).unwrap();
    let books: Vec<_> = names.iter().map(|name| subscribe(Topic::book(name))).collect();
    let orders: Vec<_> =
        names.iter().map(|name| has_orders.then(|| subscribe(Topic::orders(name)))).collect();
    let published = thread::spawn({
        let names = names.clone();
        move || publish(&server, venue, &names, &bytes, has_orders)
    });
    let late = Instant::now() + Duration::from_secs(300);
    loop {
        assert!(Instant::now() < late);
        match feed.next(Duration::from_millis(100)).unwrap() {
            Some(Event::Shutdown { .. }) => break,
            Some(
                event @ (Event::Gap(_)
                | Event::CheckFailed(_)
                | Event::Ended(..)
                | Event::Disconnected { .. }),
            ) => {
                panic!("{names:?}: {event:?}")
            }
            _ => {}
        }
    }
    let ends: Vec<_> =
        books.iter().zip(&orders).map(|(book, orders)| end_of(&feed, *book, *orders)).collect();
    assert!(feed.counters().checks > 0);
    feed.close();
    assert_eq!(ends, published.join().unwrap(), "{names:?}");
    ends.iter().flatten().count()
}

#[test]
fn a_simulated_market_ends_as_the_engine_says() {
    let mut text = Vec::new();
    depthwire_sim::recording("BTCUSDT", 7, 1_723_161_253_000, 30_000, &mut text).unwrap();
    assert_eq!(follow(venues::SIM, vec!["sim:BTCUSDT".to_owned()], text, false), 1);
}

#[test]
fn recorded_books_end_as_the_engine_says() {
    let Some(root) = files::root("recorded_books_end_as_the_engine_says") else { return };
    let load = |names: &[String]| {
        let mut bytes = Vec::new();
        for name in names {
            bytes.extend(files::read(&root.join(name)).unwrap());
        }
        bytes
    };
    for set in &expected().books {
        let (venue, _) = venues::split_name(&set.instrument).unwrap();
        assert_eq!(follow(venue, vec![set.instrument.clone()], load(&set.files), false), 1, "{}", set.name);
    }
    for set in &expected().final_books {
        let bytes = load(&set.files);
        for venue in venues::ALL {
            let is_its = |name: &&String| venues::split_name(name).unwrap().0 == *venue;
            let names: Vec<_> =
                set.books.iter().map(|book| &book.instrument).filter(is_its).cloned().collect();
            let count = names.len();
            if count > 0 {
                assert_eq!(follow(*venue, names, bytes.clone(), false), count, "{}", set.name);
            }
        }
    }
    for set in &expected().orders {
        let (venue, _) = venues::split_name(&set.instrument).unwrap();
        assert_eq!(follow(venue, vec![set.instrument.clone()], load(&set.files), true), 1, "{}", set.name);
    }
}

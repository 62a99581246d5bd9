//! The client over real sockets, against a server that a test plays by hand.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed unwrap is a failed test")]

mod server;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use depthwire_client::core::types::{BookState, StaleReason};
use depthwire_client::{
    Brought, Event, Feed, Level, Options, Place, Price, Qty, QtyAt, Reason, Side, State, Topic,
};
use serde_json::json;
use server::{Server, check, delta, end, image, status, until};

const NAME: &str = "sim:BTCUSDT";

fn level(price: i64, qty: i64) -> Level {
    Level::new(price, qty)
}

fn feed(server: &Server) -> Feed {
    Feed::open(&server.address(), Options::default()).unwrap()
}

#[test]
fn a_book_is_followed_and_read() {
    let server = Server::start();
    let mut feed = feed(&server);
    let id = feed.subscribe(Topic::book(NAME)).unwrap();
    assert_eq!(feed.subscribe(Topic::book(NAME)).unwrap_err().code, "client.duplicate_subscription");
    assert_eq!(feed.subscribe(Topic::book("sim:*")).unwrap_err().code, "client.pattern");
    let script = thread::spawn(move || {
        let mut peer = server.greet();
        let asked = peer.grant_next(&json!({}));
        assert_eq!(asked.get("resume"), None);
        let bids = [level(6_180_020, 5), level(6_180_010, 100_000)];
        let frames =
            [image(1, 1, &bids, &[level(6_180_030, 7)]), delta(1, 1, 2, &[level(6_180_020, 0)], &[])];
        peer.bytes(frames.concat());
        peer.bytes(check(1, 2, &bids[1..], &[level(6_180_030, 7)]));
        peer.left();
    });
    let seq = |feed: &Feed| feed.book(id).unwrap().place();
    until(&mut feed, |feed, event| *event == Event::Changed(id) && seq(feed).seq == 2);
    let book = feed.book(id).unwrap();
    assert_eq!(
        (book.state(), book.place(), book.venue_seq()),
        (State::Synced, Place { epoch: 1, seq: 2 }, 2)
    );
    let (bid, ask) = (book.best_bid().unwrap(), book.best_ask().unwrap());
    assert_eq!(
        (book.price_text(bid.price).to_string(), book.qty_text(bid.qty).to_string()),
        ("61800.1".into(), "1".into())
    );
    assert_eq!(book.depth(5), [vec![bid], vec![ask]]);
    assert_eq!((book.len(Side::Bid), book.is_empty(), book.is_crossed()), (1, false, false));
    assert_eq!(book.qty_at(Side::Bid, Price(6_180_020)), QtyAt::Known(Qty(0)));
    assert_eq!(feed.granted(id).unwrap().stream, 1);
    let late = Instant::now() + Duration::from_secs(5);
    while feed.counters().checks < 2 && Instant::now() < late {
        feed.next(Duration::from_millis(10)).unwrap();
    }
    assert_eq!((feed.counters().checks, feed.counters().check_failures), (2, 0));
    feed.close();
    script.join().unwrap();
}

#[test]
fn a_gap_is_mended_by_an_image_and_bad_news_are_told() {
    let server = Server::start();
    let mut feed = feed(&server);
    let id = feed.subscribe(Topic::book(NAME)).unwrap();
    let script = thread::spawn(move || {
        let mut peer = server.greet();
        peer.grant_next(&json!({}));
        peer.bytes(image(1, 1, &[level(100, 1)], &[]));
        peer.bytes(delta(1, 2, 3, &[level(100, 3)], &[]));
        assert_eq!(peer.hear("resync")["instrument"], NAME);
        peer.bytes(image(1, 3, &[level(100, 3)], &[]));
        peer.bytes(check(1, 3, &[level(100, 4)], &[]));
        peer.hear("resync");
        peer.bytes(image(1, 3, &[level(100, 3)], &[]));
        peer.bytes(status(1, 3, BookState::Stale(StaleReason::Silence)));
        peer.bytes(image(2, 1, &[level(100, 9)], &[]));
        peer.left();
    });
    until(&mut feed, |_, event| *event == Event::Gap(id));
    assert_eq!(feed.state(id), Some(State::Stale(Reason::SequenceGap)));
    until(&mut feed, |feed, event| *event == Event::Changed(id) && feed.state(id) == Some(State::Synced));
    until(&mut feed, |_, event| *event == Event::CheckFailed(id));
    until(&mut feed, |feed, _| feed.state(id) == Some(State::Stale(Reason::Server(StaleReason::Silence))));
    until(&mut feed, |feed, _| feed.state(id) == Some(State::Synced));
    assert_eq!(feed.book(id).unwrap().best_bid(), Some(level(100, 9)));
    assert_eq!(feed.counters().resyncs, 2);
    feed.close();
    script.join().unwrap();
}

#[test]
fn a_lost_connection_is_resumed_within_a_second_and_stale_until_all_has_come() {
    let server = Server::start();
    let mut feed = feed(&server);
    let id = feed.subscribe(Topic::book(NAME)).unwrap();
    let script = thread::spawn(move || {
        let mut peer = server.greet();
        peer.grant_next(&json!({}));
        peer.bytes(image(1, 1, &[level(100, 1)], &[]));
        peer.bytes(delta(1, 1, 2, &[level(100, 2)], &[]));
        thread::sleep(Duration::from_millis(50));
        drop(peer);
        let cut = Instant::now();
        let mut peer = server.greet();
        assert!(cut.elapsed() < Duration::from_secs(1), "{:?}", cut.elapsed());
        let resume = json!({"by": "net", "from": "2", "to": "4"});
        let asked = peer.grant_next(&json!({"seq": "4", "resume": resume}));
        assert_eq!(asked["resume"], json!({"epoch": "1", "seq": "2", "by": "net"}));
        thread::sleep(Duration::from_millis(50));
        peer.bytes(delta(1, 2, 4, &[level(100, 4)], &[]));
        peer.left();
    });
    until(&mut feed, |_, event| matches!(event, Event::Disconnected { .. }));
    assert_eq!(feed.state(id), Some(State::Stale(Reason::Disconnected)));
    let brought = Event::Brought { id, by: Brought::Net, from: 2, to: 4 };
    until(&mut feed, |_, event| *event == brought);
    assert_eq!(feed.state(id), Some(State::Stale(Reason::Disconnected)), "what was missed has not come yet");
    until(&mut feed, |feed, _| feed.state(id) == Some(State::Synced));
    assert_eq!(feed.book(id).unwrap().best_bid(), Some(level(100, 4)));
    feed.close();
    script.join().unwrap();
}

#[test]
fn a_server_that_is_there_again_is_found_within_a_second() {
    let server = Server::start();
    let address = server.address();
    let mut feed = feed(&server);
    let peer = thread::spawn(move || drop(server.greet()));
    until(&mut feed, |_, event| matches!(event, Event::Connected { .. }));
    peer.join().unwrap();
    // Away for long enough that pauses are at their longest.
    let away = Instant::now();
    while away.elapsed() < Duration::from_millis(2_500) {
        feed.next(Duration::from_millis(50)).unwrap();
    }
    let listener = std::net::TcpListener::bind(&address).unwrap();
    let back = Instant::now();
    let accepted = thread::spawn(move || listener.accept().map(|_| back.elapsed()).unwrap());
    while !accepted.is_finished() {
        feed.next(Duration::from_millis(20)).unwrap();
    }
    let after = accepted.join().unwrap();
    assert!(after < Duration::from_secs(1), "{after:?}");
    assert!(feed.counters().reconnects >= 3);
}

#[test]
fn what_cannot_be_read_ends_the_connection_with_a_typed_error() {
    for (bad, code) in [
        (vec![1, 2, 3], "replica.truncated"),
        (vec![0; 64], "replica.invalid"),
        (delta(1, 1, 2, &[], &[])[..40].to_vec(), "replica.truncated"),
    ] {
        let server = Server::start();
        let mut feed = feed(&server);
        let id = feed.subscribe(Topic::book(NAME)).unwrap();
        let script = thread::spawn(move || {
            let mut peer = server.greet();
            peer.grant_next(&json!({}));
            peer.bytes(image(1, 1, &[level(100, 1)], &[]));
            peer.bytes(bad);
            peer.left();
            server.greet().grant_next(&json!({}));
        });
        let event = until(&mut feed, |_, event| matches!(event, Event::Disconnected { .. }));
        let Event::Disconnected { error, .. } = event else { panic!("{event:?}") };
        assert_eq!(error.code, code);
        assert_eq!(feed.state(id), Some(State::Stale(Reason::Disconnected)));
        until(&mut feed, |_, event| *event == Event::Granted(id));
        script.join().unwrap();
    }
}

#[test]
fn a_book_that_cannot_be_held_ends_its_subscription_alone() {
    let server = Server::start();
    let mut feed = feed(&server);
    let id = feed.subscribe(Topic::book(NAME)).unwrap();
    let script = thread::spawn(move || {
        let mut peer = server.greet();
        peer.grant_next(&json!({}));
        peer.bytes(image(1, 1, &[level(100, 1)], &[]));
        peer.bytes(delta(1, 1, 2, &[level(100, -1)], &[]));
        assert_eq!(peer.hear("unsubscribe")["instrument"], NAME);
    });
    let event = until(&mut feed, |_, event| matches!(event, Event::Ended(..)));
    assert!(matches!(event, Event::Ended(other, error) if other == id && error.code == "replica.full"));
    assert!(feed.book(id).is_none());
    for _ in 0..20 {
        feed.next(Duration::from_millis(10)).unwrap();
    }
    script.join().unwrap();
}

#[test]
fn a_refused_subscription_is_told_and_others_go_on() {
    let server = Server::start();
    let mut feed = feed(&server);
    let ids = ["sim:NONE", NAME].map(|name| feed.subscribe(Topic::book(name)).unwrap());
    let script = thread::spawn(move || {
        let mut peer = server.greet();
        let asked = peer.hear("subscribe");
        assert_eq!(asked["instruments"], json!(["sim:NONE", NAME]));
        peer.say(&json!({"op": "matched", "id": asked["id"], "channel": "book", "instruments": 1}));
        peer.say(&json!({"op": "error", "id": asked["id"], "instrument": "sim:NONE", "code": "feed.unknown_instrument"}));
        peer.grant(&asked, NAME, server::ID, &json!({}));
        peer.bytes(image(1, 1, &[level(100, 1)], &[]));
        peer.say(&json!({"op": "removed", "channel": "book", "instrument": NAME, "stream": 1, "reason": "not_served"}));
        peer.left();
    });
    let mut ended = Vec::new();
    until(&mut feed, |_, event| {
        if let Event::Ended(id, error) = event {
            ended.push((*id, error.code.clone()));
        }
        ended.len() == 2
    });
    assert_eq!(
        ended,
        [(ids[0], "feed.unknown_instrument".to_owned()), (ids[1], "feed.instrument_removed".to_owned())]
    );
    feed.close();
    script.join().unwrap();
}

#[test]
fn a_token_is_sent_and_asked_for_anew_when_it_is_refused() {
    let server = Server::start();
    let count = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&count);
    let options =
        Options::default().token_from(move || Ok(format!("t{}", counted.fetch_add(1, Ordering::Relaxed))));
    let mut feed = Feed::open(&format!("http://{}/", server.address()), options).unwrap();
    let script = thread::spawn(move || {
        server.refuse(401);
        let peer = server.greet();
        assert_eq!(peer.authorization.as_deref(), Some("Bearer t1"));
        peer.close(4401);
        let peer = server.greet();
        assert_eq!(peer.authorization.as_deref(), Some("Bearer t2"));
        peer.close(4403);
    });
    let error = end(&mut feed);
    assert_eq!(error.code, "feed.not_entitled");
    assert_eq!(end(&mut feed), error, "it is said again");
    script.join().unwrap();

    let server = Server::start();
    let mut feed = Feed::open(&server.address(), Options::default().token("fixed")).unwrap();
    let script = thread::spawn(move || server.refuse(401));
    assert_eq!(end(&mut feed).code, "feed.auth");
    script.join().unwrap();
    let mut feed = Feed::open("127.0.0.1:9", Options::default().token("Bearer x")).unwrap();
    assert_eq!(end(&mut feed).code, "client.bad_token");
}

#[test]
fn a_silent_server_is_left_and_one_that_beats_is_not() {
    let server = Server::start();
    let mut options = Options::default();
    options.ping_each = Duration::from_millis(100);
    let mut feed = Feed::open(&server.address(), options).unwrap();
    let script = thread::spawn(move || {
        let mut peer = server.greet();
        for _ in 0..10 {
            thread::sleep(Duration::from_millis(100));
            peer.say(&json!({"op": "heartbeat", "ts": "1"}));
        }
        let silent = Instant::now();
        peer.left();
        silent.elapsed()
    });
    let event = until(&mut feed, |_, event| matches!(event, Event::Disconnected { .. }));
    let silent = script.join().unwrap();
    assert!(matches!(event, Event::Disconnected { error, .. } if error.code == "feed.silent"));
    assert!((250..1_500).contains(&silent.as_millis()), "{silent:?}");
}

#[test]
fn a_server_that_stops_names_the_window_of_the_return() {
    let server = Server::start();
    let mut feed = feed(&server);
    let script = thread::spawn(move || {
        let mut peer = server.greet();
        peer.say(&json!({"op": "shutdown", "reason": "restart", "reconnectMs": 300}));
        peer.close(1001);
    });
    until(&mut feed, |_, event| *event == Event::Shutdown { reason: "restart".to_owned() });
    let event = until(&mut feed, |_, event| matches!(event, Event::Disconnected { .. }));
    let Event::Disconnected { error, pause } = event else { panic!("{event:?}") };
    assert_eq!((error.code.as_str(), pause <= Duration::from_millis(300)), ("feed.server_stops", true));
    script.join().unwrap();
}

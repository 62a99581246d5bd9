//! Groups: what fits names and patterns, against a server that a test plays.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed unwrap is a failed test")]

mod server;

use std::thread;
use std::time::Duration;

use depthwire_client::core::types::Level;
use depthwire_client::{Event, Feed, Group, GroupId, Mode, Options, State, SubscriptionId, Topic};
use serde_json::{Value, json};
use server::{Peer, Server, until};

const PATTERN: &str = "deribit:BTC-*";

fn feed(server: &Server) -> Feed {
    Feed::open(&server.address(), Options::default()).unwrap()
}

/// Answers a pattern with these instruments, whose numbers are their last digits.
fn match_all(peer: &mut Peer, asked: &Value, names: &[&str]) {
    peer.say(
        &json!({"op": "matched", "id": asked["id"], "channel": asked["channel"], "instruments": names.len()}),
    );
    for name in names {
        peer.grant(asked, name, number(name), &json!({}));
    }
}

fn number(name: &str) -> u32 {
    name[name.len() - 1..].parse().unwrap()
}

/// An image of an instrument.
fn image_of(name: &str, seq: u64, level: (i64, i64)) -> Vec<u8> {
    server::image_of(number(name), 1, seq, &[Level::new(level.0, level.1)], &[])
}

fn names(feed: &Feed, group: GroupId) -> Vec<String> {
    feed.members(group).map(|(name, _)| name.to_owned()).collect()
}

fn member(feed: &Feed, group: GroupId, name: &str) -> SubscriptionId {
    feed.members(group).find(|(other, _)| *other == name).unwrap().1
}

fn wait_for(feed: &mut Feed, group: GroupId, count: usize) {
    if feed.members(group).count() < count {
        until(feed, |feed, event| {
            matches!(event, Event::Added { .. }) && feed.members(group).count() == count
        });
    }
}

#[test]
fn a_group_has_what_fits_what_comes_and_not_what_has_gone() {
    let server = Server::start();
    let mut feed = feed(&server);
    let group = feed.subscribe_all(Group::of(Topic::book(PATTERN)).and("sim:A4").and("sim:A4"));
    let script = thread::spawn(move || {
        let mut peer = server.greet();
        let asked = peer.hear("subscribe");
        assert_eq!((&asked["channel"], &asked["instruments"]), (&json!("book"), &json!([PATTERN, "sim:A4"])));
        assert_eq!(asked.get("resume"), None);
        match_all(&mut peer, &asked, &["deribit:BTC-1", "deribit:BTC-2"]);
        peer.say(&json!({"op": "error", "id": asked["id"], "instrument": "sim:A4", "code": "feed.unknown_instrument"}));
        peer.bytes(image_of("deribit:BTC-2", 9, (100, 5)));
        peer.say(&json!({"op": "removed", "channel": "book", "instrument": "deribit:BTC-1", "stream": 1, "reason": "expired"}));
        peer.grant(&asked, "deribit:BTC-3", 3, &json!({"added": true}));
        peer
    });
    until(&mut feed, |_, event| *event == Event::Matched { group, instruments: 2 });
    wait_for(&mut feed, group, 2);
    let gone = member(&feed, group, "deribit:BTC-1");
    assert_eq!(feed.topic(gone).unwrap().instrument(), "deribit:BTC-1");
    until(
        &mut feed,
        |_, event| matches!(event, Event::GroupRefused(other, error) if *other == group && error.code == "feed.unknown_instrument"),
    );
    let two = member(&feed, group, "deribit:BTC-2");
    until(&mut feed, |feed, _| feed.state(two) == Some(State::Synced));
    assert_eq!(feed.book(two).unwrap().best_bid(), Some(Level::new(100, 5)));
    let removed = Event::Removed {
        group,
        id: gone,
        instrument: "deribit:BTC-1".to_owned(),
        reason: "expired".to_owned(),
    };
    until(&mut feed, |_, event| *event == removed);
    assert!(feed.state(gone).is_none());
    wait_for(&mut feed, group, 2);
    assert_eq!(names(&feed, group), ["deribit:BTC-2", "deribit:BTC-3"]);
    let mut peer = script.join().unwrap();
    // Its end is said once, by its names, and ends what it has made.
    feed.unsubscribe_all(group);
    assert_eq!((names(&feed, group), feed.state(two)), (vec![], None));
    let heard = thread::spawn(move || (peer.hear("unsubscribe"), peer));
    while !heard.is_finished() {
        feed.next(Duration::from_millis(20)).unwrap();
    }
    let (said, _peer) = heard.join().unwrap();
    assert_eq!(said["instruments"], json!([PATTERN, "sim:A4"]));
}

#[test]
fn a_group_goes_on_after_a_lost_connection_where_each_book_stands() {
    let server = Server::start();
    let mut feed = feed(&server);
    let group = feed.subscribe_all(Group::of(Topic::book(PATTERN)));
    let script = thread::spawn(move || {
        let mut peer = server.greet();
        let asked = peer.hear("subscribe");
        assert_eq!(asked["instrument"], PATTERN);
        match_all(&mut peer, &asked, &["deribit:BTC-1", "deribit:BTC-2"]);
        peer.bytes(image_of("deribit:BTC-1", 5, (100, 5)));
        peer.close(1001);
        let mut peer = server.greet();
        let known = peer.hear("subscribe");
        assert_eq!(known["instruments"], json!(["deribit:BTC-1", "deribit:BTC-2"]));
        assert_eq!(
            known["resume"],
            json!([{"instrument": "deribit:BTC-1", "epoch": "1", "seq": "5", "by": "net"}])
        );
        let pattern = peer.hear("subscribe");
        assert_eq!(pattern["instrument"], PATTERN);
        let resume = json!({"resume": {"by": "nothing", "from": "5", "to": "5"}});
        peer.grant(&known, "deribit:BTC-1", 1, &resume);
        // The other one has gone meanwhile, and a new one has come.
        peer.say(&json!({"op": "error", "id": known["id"], "instrument": "deribit:BTC-2", "code": "feed.unknown_instrument"}));
        match_all(&mut peer, &pattern, &["deribit:BTC-1", "deribit:BTC-4"]);
        peer
    });
    wait_for(&mut feed, group, 2);
    let (one, two) = (member(&feed, group, "deribit:BTC-1"), member(&feed, group, "deribit:BTC-2"));
    until(&mut feed, |_, event| matches!(event, Event::Disconnected { .. }));
    let mut removed = false;
    until(&mut feed, |_, event| {
        assert!(!matches!(event, Event::Ended(..) | Event::GroupEnded(..)), "{event:?}");
        removed |= matches!(event, Event::Removed { id, reason, .. } if *id == two && reason == "feed.unknown_instrument");
        matches!(event, Event::Added { .. })
    });
    assert!(removed);
    assert_eq!(names(&feed, group), ["deribit:BTC-1", "deribit:BTC-4"]);
    assert_eq!(member(&feed, group, "deribit:BTC-1"), one);
    assert_eq!(feed.state(one), Some(State::Synced));
    drop(script.join().unwrap());
}

#[test]
fn what_others_have_stays_when_a_group_ends() {
    let server = Server::start();
    let mut feed = feed(&server);
    let alone = feed.subscribe(Topic::trades("a:1")).unwrap();
    let groups = ["a:*", "?:1", "a:2"].map(|pattern| feed.subscribe_all(Group::of(Topic::trades(pattern))));
    let script = thread::spawn(move || {
        let mut peer = server.greet();
        peer.grant_next(&json!({"stream": 3}));
        for _ in 0..3 {
            let asked = peer.hear("subscribe");
            let wanted: &[&str] = match asked["instrument"].as_str().unwrap() {
                "a:*" => &["a:1", "a:2"],
                "?:1" => &["a:1"],
                _ => &["a:2"],
            };
            match_all(&mut peer, &asked, wanted);
        }
        let over = peer.hear("unsubscribe");
        (over, peer.hear("subscribe"), peer)
    });
    for (group, count) in groups.iter().zip([2, 1, 1]) {
        wait_for(&mut feed, *group, count);
    }
    let two = member(&feed, groups[0], "a:2");
    assert_eq!(member(&feed, groups[0], "a:1"), alone);
    feed.unsubscribe_all(groups[0]);
    while !script.is_finished() {
        feed.next(Duration::from_millis(20)).unwrap();
    }
    let (over, again, _peer) = script.join().unwrap();
    assert_eq!((&over["instrument"], &again["instruments"]), (&json!("a:*"), &json!(["a:1", "a:2"])));
    assert!(feed.state(alone).is_some() && feed.state(two).is_some());
    // The last group that has one ends it.
    feed.unsubscribe_all(groups[2]);
    assert!(feed.state(two).is_none());
    feed.unsubscribe_all(groups[1]);
    assert!(feed.state(alone).is_some(), "which a user has asked for alone");
    feed.unsubscribe(alone);
    assert!(feed.state(alone).is_none());
}

#[test]
fn a_group_of_which_all_is_refused_is_over() {
    let server = Server::start();
    let mut feed = feed(&server);
    let group = feed.subscribe_all(Group::of(Topic::costs("x*", &[], &[5])));
    let script = thread::spawn(move || {
        let mut peer = server.greet();
        let asked = peer.hear("subscribe");
        assert_eq!((&asked["bps"], asked.get("quantities")), (&json!([5]), None));
        peer.say(&json!({"op": "error", "id": asked["id"], "code": "feed.subscriptions_full"}));
        peer
    });
    until(
        &mut feed,
        |_, event| matches!(event, Event::GroupEnded(other, error) if *other == group && error.code == "feed.subscriptions_full"),
    );
    assert_eq!(names(&feed, group), [""; 0]);
    drop(script.join().unwrap());
}

#[test]
fn what_is_granted_to_a_group_that_a_refusal_has_ended_is_given_back() {
    let server = Server::start();
    let mut feed = feed(&server);
    let own = feed.subscribe(Topic::book("own:9")).unwrap();
    // More names than a message holds.
    let names = (0..200).map(|at| format!("sim:{at:0>20}"));
    let group = names.fold(Group::of(Topic::book("own:9")), |group, name| group.and(&name));
    let group = feed.subscribe_all(group);
    let script = thread::spawn(move || {
        let mut peer = server.greet();
        peer.grant_next(&json!({}));
        let [first, second] = [0; 2].map(|_| peer.hear("subscribe"));
        peer.say(&json!({"op": "error", "id": first["id"], "code": "feed.subscriptions_full"}));
        match_all(&mut peer, &second, &["own:9", second["instruments"][0].as_str().unwrap()]);
        (peer.hear("unsubscribe"), second, peer)
    });
    until(&mut feed, |_, event| matches!(event, Event::GroupEnded(other, _) if *other == group));
    while !script.is_finished() {
        feed.next(Duration::from_millis(20)).unwrap();
    }
    let (over, second, _peer) = script.join().unwrap();
    assert_eq!((&over["channel"], &over["instrument"]), (&json!("book"), &second["instruments"][0]));
    assert!(feed.granted(own).is_some(), "which a user has asked for alone");
}

#[test]
fn a_book_that_a_group_shares_in_another_mode_is_asked_for_again() {
    let server = Server::start();
    let mut feed = feed(&server);
    let alone = feed.subscribe(Topic::book("a:1")).unwrap();
    let error = feed.subscribe(Topic::book("a:1").mode(Mode::Strict)).unwrap_err();
    assert_eq!(error.code, "client.duplicate_subscription");
    let group = feed.subscribe_all(Group::of(Topic::book("a:*").mode(Mode::Strict)));
    let script = thread::spawn(move || {
        let mut peer = server.greet();
        peer.grant_next(&json!({}));
        let asked = peer.hear("subscribe");
        match_all(&mut peer, &asked, &["a:1"]);
        let over = peer.hear("unsubscribe");
        (over, peer.hear("subscribe"), peer)
    });
    wait_for(&mut feed, group, 1);
    assert_eq!(member(&feed, group, "a:1"), alone);
    feed.unsubscribe_all(group);
    while !script.is_finished() {
        feed.next(Duration::from_millis(20)).unwrap();
    }
    let (over, again, _peer) = script.join().unwrap();
    assert_eq!((&over["instrument"], &again["instrument"]), (&json!("a:*"), &json!("a:1")));
}

#[test]
fn a_subscription_of_a_group_that_cannot_be_held_is_told_once() {
    let server = Server::start();
    let mut feed = feed(&server);
    let group = feed.subscribe_all(Group::of(Topic::book("a:*")));
    let script = thread::spawn(move || {
        let mut peer = server.greet();
        let asked = peer.hear("subscribe");
        match_all(&mut peer, &asked, &["a:7"]);
        peer.bytes(image_of("a:7", 1, (100, 5)));
        peer.bytes(server::delta(1, 1, 2, &[Level::new(100, -5)], &[]));
        let over = peer.hear("unsubscribe");
        peer.say(&json!({"op": "shutdown", "reason": "marker", "reconnectMs": 5}));
        (over, peer)
    });
    let mut removed = 0;
    until(&mut feed, |_, event| {
        assert!(!matches!(event, Event::Ended(..)), "{event:?}");
        removed += usize::from(
            matches!(event, Event::Removed { group: other, reason, .. } if *other == group && reason == "replica.full"),
        );
        matches!(event, Event::Shutdown { .. })
    });
    let (over, _peer) = script.join().unwrap();
    assert_eq!((removed, &over["instrument"]), (1, &json!("a:7")));
}

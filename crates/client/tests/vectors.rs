//! The test vectors of the protocol, read through what this crate hands out of the core.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed unwrap is a failed test")]

use depthwire_client::core::encode::Kind;
use depthwire_client::core::replica::{
    FeedFrame, Outcome, ReplicaBook, ReplicaError, ReplicaOrders, feed_frames,
};
use depthwire_client::core::types::{Level, Ticker};
use depthwire_client::{Costs, Price, Side, State, Volumes};
use serde_json::{Value, json};

struct Vector {
    name: String,
    bytes: Vec<u8>,
    frame: Value,
}

fn vectors() -> Vec<Vector> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../core/schema/vectors.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let byte = |hex: &[u8]| u8::from_str_radix(std::str::from_utf8(hex).unwrap(), 16).unwrap();
    let vector = |vector: &Value| Vector {
        name: vector["name"].as_str().unwrap().to_owned(),
        bytes: vector["hex"].as_str().unwrap().as_bytes().chunks(2).map(byte).collect(),
        frame: vector["frame"].clone(),
    };
    file["vectors"].as_array().unwrap().iter().map(vector).collect()
}

fn read(bytes: &[u8]) -> FeedFrame<'_> {
    let mut frames = feed_frames(bytes);
    let frame = frames.next().unwrap().unwrap();
    assert!(frames.next().is_none());
    frame
}

fn levels(levels: impl Iterator<Item = Level>) -> Vec<Value> {
    levels.map(|level| json!({"price": level.price.0.to_string(), "qty": level.qty.0.to_string()})).collect()
}

fn list(frame: &Value, field: &str) -> Vec<Value> {
    frame.get(field).and_then(Value::as_array).cloned().unwrap_or_default()
}

/// Those fields of an object that a reader is handed.
fn of(value: &Value, fields: &[&str]) -> Value {
    fields
        .iter()
        .map(|field| ((*field).to_owned(), value[*field].clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[test]
fn every_vector_is_read_as_it_says() {
    let all = vectors();
    assert!(all.len() > 25);
    for Vector { name, bytes, frame: told } in &all {
        let frame = read(bytes);
        let header = json!({
            "epoch": frame.epoch().to_string(),
            "seq": frame.seq().to_string(),
            "prev_seq": frame.prev_seq().to_string(),
            "venue_seq": frame.venue_seq().to_string(),
            "ts_event": frame.ts_event().to_string(),
            "ts_recv": frame.ts_recv().to_string(),
            "ts_send": frame.ts_send().to_string(),
            "instrument": frame.instrument().0,
            "kind": frame.kind(),
            "stream": frame.stream().0,
            "flags": frame.flags().0,
        });
        assert_eq!(header, told["header"], "{name}");
        assert_eq!(levels(frame.bids()), list(told, "bids"), "{name}");
        assert_eq!(levels(frame.asks()), list(told, "asks"), "{name}");
        if let Some(status) = frame.status() {
            let own = json!({
                "expected": status.expected.to_string(),
                "received": status.received.to_string(),
                "age_ns": status.age_ns.to_string(),
                "state": status.state,
                "reason": status.reason,
            });
            assert_eq!(own, told["status"], "{name}");
        }
        assert_eq!(frame.gap().is_some(), told.get("gap").is_some(), "{name}");
        if let Some(gap) = frame.gap() {
            let words =
                [gap.expected, gap.received, gap.lost_from, gap.noticed, gap.mended, gap.epoch_before];
            let own: Vec<_> = words.iter().map(u64::to_string).collect();
            let fields = ["expected", "received", "lost_from", "noticed", "mended", "epoch_before"];
            let told: Vec<_> =
                fields.iter().map(|field| told["gap"][field].as_str().unwrap().to_owned()).collect();
            assert_eq!(own, told, "{name}");
        }
        let trades = frame.trades().map(|trade| {
            json!({
                "price": trade.price.0.to_string(),
                "qty": trade.qty.0.to_string(),
                "id": trade.id.value().to_string(),
                "ts_event": trade.ts_event.to_string(),
                "aggressor": trade.aggressor as u8,
                "id_kind": trade.id.kind(),
            })
        });
        let fields = ["price", "qty", "id", "ts_event", "aggressor", "id_kind"];
        let expected: Vec<_> = list(told, "trades").iter().map(|trade| of(trade, &fields)).collect();
        assert_eq!(trades.collect::<Vec<_>>(), expected, "{name}");
        for trade in frame.trades().filter(|trade| trade.id.kind() == 2) {
            let number = trade.id.value().to_string();
            let parts = list(told, "names");
            let parts = parts.iter().filter(|entry| entry["number"] == number.as_str());
            let text: String = parts.map(|entry| entry["text"].as_str().unwrap()).collect();
            assert_eq!(frame.text(trade.id.value()), Some(text.into_bytes()), "{name}");
        }
        let volumes = frame.volumes().map(|row| {
            json!({
                "price": row.price.0.to_string(),
                "bought": row.bought.0.to_string(),
                "sold": row.sold.0.to_string(),
                "unknown": row.unknown.0.to_string(),
                "trades": row.trades,
            })
        });
        assert_eq!(volumes.collect::<Vec<_>>(), list(told, "volumes"), "{name}");
        let session = frame
            .session()
            .map(|it| json!({"since": it.since.to_string(), "missed_at": it.missed_at.to_string()}));
        assert_eq!(session.as_ref(), told.get("session"), "{name}");
        let costs = frame.costs().map(|row| {
            json!({
                "qty": row.qty.0.to_string(),
                "filled": row.filled.0.to_string(),
                "price_average": row.price_average.to_string(),
                "price_worst": row.price_worst.0.to_string(),
                "cost": row.cost.to_string(),
                "price_exponent": row.price_exponent,
                "cost_exponent": row.cost_exponent,
                "side": if row.side == Side::Bid { 1 } else { 2 },
                "is_complete": u8::from(row.is_complete),
                "is_known": u8::from(row.is_known),
                "bps": row.bps,
            })
        });
        assert_eq!(costs.collect::<Vec<_>>(), list(told, "costs"), "{name}");
        if let Some(body) = frame.ticker() {
            let mask = told["ticker"]["mask"].as_u64().unwrap();
            for (bit, (field, value)) in Ticker::FIELDS.iter().zip(body.ticker.values()).enumerate() {
                // Names in the schema are those of JavaScript in another case.
                let snake: String = field
                    .chars()
                    .flat_map(|c| {
                        if c.is_ascii_uppercase() { vec!['_', c.to_ascii_lowercase()] } else { vec![c] }
                    })
                    .collect();
                let told = told["ticker"][&snake].as_str().unwrap().to_owned();
                let expected = (mask >> bit & 1 == 1).then(|| told.parse::<i64>().unwrap());
                assert_eq!(value, expected, "{name}: {field}");
            }
        }
        if let Some(body) = frame.trading() {
            assert_eq!(json!(body.status as u8), told["trading"]["status"], "{name}");
            assert_eq!(json!(body.ts_event.to_string()), told["trading"]["ts_event"], "{name}");
        }
    }
    let kinds = [
        Kind::Status,
        Kind::Trade,
        Kind::Ticker,
        Kind::Trading,
        Kind::Liquidation,
        Kind::Volumes,
        Kind::Costs,
    ];
    for kind in kinds {
        assert!(all.iter().any(|vector| read(&vector.bytes).kind() == kind as u8), "{}", kind.name());
    }
}

#[test]
fn the_first_three_are_a_book_its_change_and_the_check_of_both() {
    let all = vectors();
    let bytes = |name: &str| &all.iter().find(|vector| vector.name == name).unwrap().bytes;
    let mut book = ReplicaBook::new();
    for (vector, outcome) in all.iter().zip([Outcome::Image, Outcome::Applied, Outcome::Checked]) {
        assert_eq!(book.apply(&read(&vector.bytes)), Ok(outcome), "{}", vector.name);
        assert_eq!(book.state(), State::Synced);
    }
    assert_eq!(book.apply(&read(bytes("kind of the future"))), Ok(Outcome::Ignored));
    assert_eq!(book.apply(&read(bytes("delta of the future"))), Ok(Outcome::Applied));
    assert_eq!(book.apply(&read(bytes("book image, chunk 1 of 2"))), Ok(Outcome::Chunk));
    assert_eq!(book.apply(&read(bytes("book image, chunk 2 of 2"))), Ok(Outcome::Image));
    assert_eq!((book.state(), book.seq()), (State::Synced, 7));
    let mut orders = ReplicaOrders::new();
    for name in ["orders image", "orders"] {
        assert!(orders.apply(&read(bytes(name))).is_ok(), "{name}");
        assert_eq!(orders.state(), State::Synced, "{name}");
    }
    assert_eq!(orders.len(), 5);
}

#[test]
fn volumes_and_costs_are_what_their_images_say_and_then_their_frames() {
    let all = vectors();
    let frame = |name: &str| read(&all.iter().find(|vector| vector.name == name).unwrap().bytes);
    let mut volumes = Volumes::new();
    assert_eq!(volumes.apply(&frame("volumes")), Ok(Outcome::Ignored), "nothing before an image");
    assert_eq!(volumes.apply(&frame("volumes image")), Ok(Outcome::Image));
    assert_eq!((volumes.state(), volumes.grouping(), volumes.exponents()), (State::Synced, 10, (-2, -8)));
    assert_eq!(volumes.session().since, 1_700_000_000_000_000_000);
    assert_eq!(volumes.at(Price(6_180_000)).map(|row| row.trades), Some(8));
    let mut costs = Costs::new();
    assert_eq!(costs.apply(&frame("costs image")), Ok(Outcome::Image));
    assert_eq!((costs.state(), costs.exponents(), costs.rows().len()), (State::Synced, (-2, -8), 1));
    let row = &costs.rows()[0];
    let texts = [row.price_average_text(), row.cost_text()].map(|text| text.unwrap().to_string());
    assert_eq!(texts, ["61800.215", "4.32601505"]);
    // The vectors stand for themselves: what follows an image is the next in its sequence.
    assert_eq!(costs.apply(&frame("costs")), follows(&frame("costs image"), &frame("costs")));
}

/// What rule 3 makes of a frame behind an image.
fn follows(image: &FeedFrame<'_>, frame: &FeedFrame<'_>) -> Result<Outcome, ReplicaError> {
    Ok(if frame.seq() <= image.seq() {
        Outcome::Old
    } else if frame.prev_seq() <= image.seq() {
        Outcome::Applied
    } else {
        Outcome::Gap { expected: image.seq(), received: frame.prev_seq() }
    })
}

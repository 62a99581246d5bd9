//! Points 1 and 7: the table of venues is sane and every venue of it is here; a room recognises what is said to it, and
//! nothing that is said to others.

use std::collections::BTreeSet;
use std::mem::discriminant;

use depthwire_core::engine::detect;
use depthwire_core::sequence::Rule;
use depthwire_core::venues::{self, Checksum, Detection, Life, OrderIds, Resync, Sightings};

use crate::feed::Feed;
use crate::rooms::{Row, rows};

/// Frames of each dialect that are looked at.
const FRAMES: usize = 400;

#[test]
fn every_venue_of_the_table_is_here_and_its_facts_agree() {
    let rows = rows();
    let here: BTreeSet<_> = rows.iter().map(|row| row.venue.name()).collect();
    let listed: BTreeSet<_> = venues::ALL.iter().map(|venue| venue.name()).collect();
    assert_eq!(here, listed, "a venue has a row");
    let names: BTreeSet<_> = rows.iter().map(|row| &row.name).collect();
    assert_eq!(names.len(), rows.len(), "a row has a name of its own");
    for row in &rows {
        let product = venues::product(row.venue);
        let name = &row.name;
        let shows_next = row.detects() == Detection::Next;
        let is_timed = product.rule == Rule::Time;
        assert!(shows_next || !row.is_numbered() || is_timed, "{name}: numbers show each loss");
        assert!(!shows_next || row.is_numbered() || row.is_counted(), "{name}: by what, if not by numbers");
        assert!(!product.top_proof || product.rule != Rule::Unnumbered, "{name}: at which number?");
        assert!(product.silence_ns > 0 || product.resync == Resync::Wait, "{name}: silence is a loss");
        // A heartbeat that names the number of a book is life of it.
        let is_named = product.numbers_orders();
        assert!(product.life == Life::Book || product.resync != Resync::Snapshot || is_named, "{name}");
        let has_orders = rows.iter().any(|other| other.venue == row.venue && other.has_orders);
        assert_eq!(product.order_ids != OrderIds::None, has_orders, "{name}: names of no orders");
        assert!(!product.is_by_order || product.checksum == Checksum::None, "{name}: a checksum of levels");
        assert!(!product.is_by_order || row.has_orders, "{name}");
        assert_eq!(venues::from_name(row.venue.name()), Some(row.venue));
        let instrument = venues::instrument(row.venue, &row.code).unwrap();
        assert_eq!(venues::check_scale(&instrument), Ok(()), "{name}");
    }
}

/// Frames of a row.
fn said(row: &Row) -> Vec<(u64, Vec<u8>)> {
    let mut feed = Feed::open(row, 4);
    let mut frames = Vec::new();
    let mut answer = Vec::new();
    while frames.len() < FRAMES {
        let heard = feed.next();
        frames.push((heard.now, heard.bytes));
        if frames.len() == FRAMES / 2 && feed.dialect.snapshot(&mut answer) {
            frames.push((feed.now, std::mem::take(&mut answer)));
        }
    }
    frames
}

#[test]
fn a_room_recognises_its_own_and_nobody_elses() {
    for row in rows() {
        let frames = said(&row);
        let own = discriminant(&venues::session(row.venue));
        let symbol = &row.symbol;
        let mut is_recognised = false;
        for mut session in venues::every_session() {
            let mut sightings = Sightings::default();
            for (_, bytes) in &frames {
                session.sight(bytes, &mut sightings);
            }
            let is_readable = sightings.is_readable();
            let found = sightings.instruments();
            if discriminant(&session) == own {
                is_recognised = is_readable && found.iter().any(|(_, name)| name == symbol);
                let is_of_room = |venue| discriminant(&venues::session(venue)) == own;
                assert!(found.iter().all(|(venue, _)| is_of_room(*venue)), "{}: {found:?}", row.name);
            } else {
                assert_eq!(found, [], "{}", row.name);
            }
        }
        assert!(is_recognised, "{}", row.name);
        if !frames[0].1.starts_with(b"{") && !frames[0].1.starts_with(b"[") {
            continue;
        }
        // As a recording, with times of receipt and without.
        let timed: Vec<_> = frames.iter().flat_map(|(now, bytes)| line(&now.to_string(), bytes)).collect();
        let bare: Vec<_> = frames.iter().flat_map(|(_, bytes)| line("", bytes)).collect();
        for recording in [timed, bare] {
            let found = detect(&recording).unwrap();
            assert!(
                found.iter().all(|(venue, _)| discriminant(&venues::session(*venue)) == own),
                "{found:?}"
            );
            assert!(found.iter().any(|(_, name)| name == symbol), "{}: {found:?}", row.name);
        }
    }
}

fn line(time: &str, bytes: &[u8]) -> Vec<u8> {
    let gap: &[u8] = if time.is_empty() { b"" } else { b" " };
    [time.as_bytes(), gap, bytes, b"\n"].concat()
}

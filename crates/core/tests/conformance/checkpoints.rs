//! Point 10: a journal that is read from a later segment on, or has a hole, tells the same of each book as the engine that was
//! live, from the checkpoint at the segment's beginning: whatever the venue does afterwards.

use std::collections::BTreeSet;

use depthwire_core::encode::{RECORD_HEADER_BYTES, RecordType};
use depthwire_core::engine::{Engine, EngineConfig, SourceId, listing_of};
use depthwire_core::journal::{Input, SegmentHeader, SetupKind, Writer};
use depthwire_core::types::{BookState, InstrumentId, NoClock, StaleReason};
use depthwire_core::venues::{self, Resync};

use crate::feed::Feed;
use crate::rooms::{Row, rows};

const FRAMES: usize = 120;
const SEGMENTS: usize = 4;

/// What an engine says of a book: its state, place and, of each so many, digest.
type Said = (BookState, u64, Option<String>);

/// Records of which one has a digest.
const DIGEST_EVERY: usize = 8;

/// Records with which a segment begins.
const SET_UP: u64 = 3;

/// A live engine and its journal, a block a record; what it says of its book behind each.
struct Live {
    engine: Engine<NoClock>,
    source: SourceId,
    id: InstrumentId,
    name: String,
    writer: Writer,
    segments: Vec<Vec<u8>>,
    /// Of each segment, its bytes up to the end of each record, and the book behind that.
    said: Vec<Vec<(usize, Said)>>,
    seq: u64,
    now: u64,
    ticket: Option<u32>,
    /// What checkpoints said.
    kept: Vec<(SetupKind, Vec<u8>)>,
}

fn engine(row: &Row) -> (Engine<NoClock>, InstrumentId) {
    let config = EngineConfig { silence_ns: None, ..EngineConfig::default() };
    let mut engine = Engine::new(config, venues::catalogue(), NoClock);
    let id = engine.add_instrument(venues::instrument(row.venue, &row.code).unwrap()).unwrap();
    (engine, id)
}

fn said(engine: &Engine<NoClock>, id: InstrumentId, record: usize) -> Said {
    let info = engine.book_info(id, 0).unwrap();
    let has_digest = info.state == BookState::Synced && record.is_multiple_of(DIGEST_EVERY);
    let digest = has_digest.then(|| engine.digest(id).unwrap());
    (info.state, info.venue_seq, digest)
}

impl Live {
    fn new(row: &Row, now: u64) -> Self {
        let (mut engine, id) = engine(row);
        let source = engine.open(row.venue).unwrap();
        let name = engine.catalogue().get(id).unwrap().to_string();
        let mut bytes = Vec::new();
        let writer =
            Writer::begin(SegmentHeader { journal: 1, number: 0, first_seq: 0, created: now }, &mut bytes);
        let (segments, said) = (vec![bytes], vec![Vec::new()]);
        let mut live = Self {
            engine,
            source,
            id,
            name,
            writer,
            segments,
            said,
            seq: 0,
            now,
            ticket: None,
            kept: Vec::new(),
        };
        live.set_up();
        live.engine.carry(source, &[id]).unwrap();
        live.engine.opened(source, now).unwrap();
        live.note(&Input::Connected(b"wss://venue"));
        live
    }

    /// A record, behind what it tells.
    fn note(&mut self, input: &Input<'_>) {
        let bytes = self.segments.last_mut().unwrap();
        self.writer.append(self.source.0, self.now, input, bytes).unwrap();
        self.writer.flush(bytes);
        self.seq += 1;
        while let Some(record) = self.engine.outbox().front() {
            if record[4] == RecordType::Ask as u8 {
                let payload = &record[RECORD_HEADER_BYTES..];
                self.ticket = Some(u32::from_le_bytes(*payload.first_chunk().unwrap()));
            }
            self.engine.outbox().take();
        }
        let record = self.said.last().unwrap().len();
        let said = said(&self.engine, self.id, record);
        self.said.last_mut().unwrap().push((self.segments.last().unwrap().len(), said));
    }

    fn set_up(&mut self) {
        let listing = listing_of(self.engine.catalogue().get(self.id).unwrap());
        let venue = self.engine.catalogue().get(self.id).unwrap().venue.name();
        let name = self.name.clone();
        for (kind, text) in [
            (SetupKind::Instrument, listing.as_str()),
            (SetupKind::Venue, venue),
            (SetupKind::Carries, &name),
        ] {
            let bytes = self.segments.last_mut().unwrap();
            let input = Input::Setup { kind, text: text.as_bytes() };
            self.writer.append(self.source.0, self.now, &input, bytes).unwrap();
            self.writer.flush(bytes);
            self.seq += 1;
        }
    }

    fn keeps_book(&mut self) -> bool {
        let mut is_kept = false;
        self.engine.checkpoint(|_, kind, _| is_kept |= kind == SetupKind::Book);
        is_kept
    }

    /// Another segment begins.
    fn turn(&mut self) {
        let number = self.segments.len() as u64;
        let mut bytes = Vec::new();
        let header = SegmentHeader { journal: 1, number, first_seq: self.seq, created: self.now };
        let next = Writer::begin(header, &mut bytes);
        std::mem::replace(&mut self.writer, next).close(self.segments.last_mut().unwrap());
        self.segments.push(bytes);
        self.said.push(Vec::new());
        self.set_up();
        let mut kept = Vec::new();
        self.engine.checkpoint(|source, kind, text| kept.push((source, kind, text.to_vec())));
        for (source, kind, text) in kept {
            assert_eq!(source, self.source);
            let bytes = self.segments.last_mut().unwrap();
            self.writer.append(source.0, self.now, &Input::Setup { kind, text: &text }, bytes).unwrap();
            self.writer.flush(bytes);
            self.seq += 1;
            self.kept.push((kind, text));
        }
        let record = self.said.last().unwrap().len();
        let said = said(&self.engine, self.id, record);
        self.said.last_mut().unwrap().push((self.segments.last().unwrap().len(), said));
    }

    fn hear(&mut self, row: &Row, bytes: &[u8], now: u64) {
        self.now = self.now.max(now);
        let read = if row.are_datagrams {
            self.engine.ingest_datagram(self.source, 0, bytes, self.now)
        } else {
            self.engine.ingest(self.source, bytes, self.now)
        };
        let _ = read;
        self.note(&if row.are_datagrams { Input::Datagram(bytes) } else { Input::Received(bytes) });
    }

    fn tick(&mut self) {
        self.engine.tick(self.now);
        self.note(&Input::Ticked);
    }

    /// Asks, and is answered, until the book is synced, if it ever is.
    fn cure(&mut self, row: &Row, feed: &mut Feed) {
        for _ in 0..100 {
            if self.engine.book_info(self.id, 0).unwrap().state == BookState::Synced {
                return;
            }
            match venues::product(row.venue).resync {
                Resync::Snapshot => {
                    self.now += 64_000_000_000;
                    self.tick();
                    if let Some(ticket) = self.ticket.take() {
                        let mut answer = Vec::new();
                        assert!(feed.dialect.snapshot(&mut answer));
                        let _ = self.engine.answer(self.id, ticket, &answer, self.now);
                        let name = self.name.clone();
                        self.note(&Input::Answered { url: name.as_bytes(), body: &answer });
                    }
                    let heard = feed.next();
                    self.hear(row, &heard.bytes, heard.now);
                }
                Resync::Wait => return,
                _ => {
                    feed.resubscribe();
                    while let Some(heard) = feed.told() {
                        self.hear(row, &heard.bytes, heard.now);
                    }
                }
            }
        }
    }
}

/// Segments of books that are whole, lost, mended, and of a connection that ends and comes back.
fn day(row: &Row) -> Live {
    let mut feed = Feed::open(row, 77);
    let mut live = Live::new(row, feed.now);
    for segment in 0..SEGMENTS {
        if segment > 0 {
            live.cure(row, &mut feed);
            // In the middle of an event no book of orders is kept.
            for _ in 0..100 {
                if live.keeps_book() {
                    break;
                }
                let heard = feed.next();
                live.hear(row, &heard.bytes, heard.now);
            }
            live.turn();
        }
        for frame in 0..FRAMES {
            let heard = feed.next();
            let is_lost = segment == 2 && frame == FRAMES / 2;
            if !is_lost {
                live.hear(row, &heard.bytes, heard.now);
            }
            if frame % 16 == 0 {
                live.tick();
            }
            if frame == FRAMES / 4 {
                live.cure(row, &mut feed);
            }
        }
        if segment == 1 && venues::product(row.venue).resync != Resync::Wait {
            live.engine.source_failed(live.source, live.now).unwrap();
            live.note(&Input::Closed);
            live.engine.opened(live.source, live.now).unwrap();
            live.note(&Input::Connected(b"wss://venue"));
            feed.reopen(live.now + 1_000_000_000);
        }
    }
    live
}

/// Reads a journal from a segment on, record by record, and compares. `from_start`: segments before that, of which the last is
/// missing. How many synced books were compared.
fn compared(row: &Row, live: &Live, first: usize, before: usize) -> usize {
    let (mut engine, id) = engine(row);
    let source = engine.open_recorded(&[id]).unwrap();
    let replay = |engine: &mut Engine<NoClock>, bytes: &[u8], last: bool| {
        let progress = engine.replay(source, bytes, last, u64::MAX, |outbox| {
            while outbox.front().is_some() {
                outbox.take();
            }
            true
        });
        let progress = progress.unwrap();
        assert_ne!(progress.error.map(|error| error.code()), Some("engine.checkpoint"), "{}", row.name);
        progress
    };
    for segment in &live.segments[..before] {
        replay(&mut engine, segment, true);
    }
    let mut synced = 0;
    for (number, (segment, said_live)) in live.segments.iter().zip(&live.said).enumerate().skip(first) {
        let mut from = 0;
        for (at, (end, expected)) in said_live.iter().enumerate() {
            let progress = replay(&mut engine, &segment[from..*end], false);
            assert_eq!(progress.consumed, end - from, "{}", row.name);
            from = *end;
            let now = said(&engine, id, at);
            // Of a book that was not synced a checkpoint says nothing, not even why.
            if BookState::Synced == now.0 || BookState::Synced == expected.0 {
                assert_eq!(&now, expected, "{}: segment {number}, record {at} of {first} {before}", row.name);
            }
            synced += usize::from(now.0 == BookState::Synced);
        }
        replay(&mut engine, &segment[from..], true);
    }
    synced
}

/// Every place in some JSON at which a value stands, without numbers of lists, and names where those are keys.
fn places(value: &serde_json::Value, at: &str, out: &mut BTreeSet<String>) {
    use serde_json::Value;
    match value {
        Value::Array(items) => items.iter().for_each(|item| places(item, &format!("{at}[]"), out)),
        Value::Object(members) => members.iter().for_each(|(key, member)| {
            let key = if key.bytes().all(|byte| byte.is_ascii_digit()) { "N" } else { key };
            places(member, &format!("{at}.{key}"), out);
        }),
        _ => drop(out.insert(at.to_owned())),
    }
}

/// What is kept has a form, which a reader of another one passes over: whoever changes the one changes its number.
fn assert_form(found: BTreeSet<String>) {
    let found: String = found.into_iter().map(|place| place + "\n").collect();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance/checkpoint_form.txt");
    if std::env::var_os("DEPTHWIRE_CHECKPOINT_FORM").is_some() {
        std::fs::write(file, &found).unwrap();
    }
    let known = std::fs::read_to_string(file).unwrap();
    assert!(
        found == known,
        "raise FORM of engine/checkpoint.rs, and write {file} with DEPTHWIRE_CHECKPOINT_FORM=write"
    );
}

fn note_form(row: &Row, live: &Live, found: &mut BTreeSet<String>) {
    for (kind, text) in &live.kept {
        let json = match kind {
            SetupKind::Book => &text[text.iter().position(|byte| *byte == b'{').unwrap()..],
            _ => text,
        };
        let json = serde_json::Deserializer::from_slice(json).into_iter().next().unwrap();
        let mut json: serde_json::Value = json.unwrap();
        found.insert(format!("form {}", json["form"]));
        if let Some(room) = json.get_mut("room") {
            let room = room.take();
            places(&room, &format!("room of {}: ", row.venue.name()), found);
        }
        places(&json, &format!("{}: ", kind.name()), found);
    }
}

/// Another quantity of the best bid, or another number of the last order where the book is one of orders.
fn alter(book: &mut [u8]) {
    let json = book.iter().position(|byte| *byte == b'{').unwrap();
    let mut head = serde_json::Deserializer::from_slice(&book[json..]).into_iter::<serde_json::Value>();
    let leads_by_orders = head.next().unwrap().unwrap()["leads_by_orders"] == true;
    let levels = &book[json + head.byte_offset()..];
    let mut ends = levels.iter().enumerate().filter(|(_, byte)| **byte < 0x80).map(|(at, _)| at);
    let back = if leads_by_orders { 1 } else { levels.len() - ends.nth(1).unwrap() };
    let at = book.len() - back;
    book[at] = if book[at] & 0x7f == 0x7f { book[at] - 1 } else { book[at] + 1 };
}

/// A reader that has the book, and a checkpoint that says another one of the same place.
fn contradicted(row: &Row, live: &Live) -> (BookState, Option<&'static str>) {
    let (mut engine, id) = engine(row);
    let source = engine.open_recorded(&[id]).unwrap();
    let mut replay = |bytes: &[u8], last: bool| {
        let progress = engine.replay(source, bytes, last, u64::MAX, |outbox| {
            while outbox.front().is_some() {
                outbox.take();
            }
            true
        });
        progress.unwrap().error.map(|error| error.code())
    };
    replay(&live.segments[0], true);
    let mut segment = Vec::new();
    let first_seq = live.said[0].len() as u64 + SET_UP;
    let header = SegmentHeader { journal: 1, number: 1, first_seq, created: live.now };
    let mut writer = Writer::begin(header, &mut segment);
    let is_book = |(kind, _): &(SetupKind, Vec<u8>)| *kind == SetupKind::Book;
    let book = live.kept.iter().position(is_book).unwrap();
    for (kind, text) in &live.kept[..=book] {
        let mut text = text.clone();
        if *kind == SetupKind::Book {
            alter(&mut text);
        }
        writer
            .append(live.source.0, live.now, &Input::Setup { kind: *kind, text: &text }, &mut segment)
            .unwrap();
    }
    writer.flush(&mut segment);
    let code = replay(&segment, false);
    (engine.book_info(id, 0).unwrap().state, code)
}

#[test]
fn a_checkpoint_of_another_book_at_the_same_place_is_told() {
    for row in rows() {
        let told = contradicted(&row, &day(&row));
        let expected = (BookState::Stale(StaleReason::Contradiction), Some("engine.checkpoint"));
        assert_eq!(told, expected, "{}", row.name);
    }
}

#[test]
fn from_a_checkpoint_on_each_book_is_the_one_that_was_live() {
    let mut form = BTreeSet::new();
    println!("{:<32} {:>9} {:>9}", "checkpoints", "whole", "from one");
    for row in rows() {
        let live = day(&row);
        note_form(&row, &live, &mut form);
        let whole = compared(&row, &live, 0, 0);
        let mut from_one = 0;
        for first in 1..SEGMENTS {
            from_one += compared(&row, &live, first, 0) + compared(&row, &live, first, first - 1);
        }
        println!("{:<32} {whole:>9} {from_one:>9}", row.name);
        assert!(whole > FRAMES, "{}", row.name);
        assert!(from_one > FRAMES, "{}", row.name);
    }
    assert_form(form);
}

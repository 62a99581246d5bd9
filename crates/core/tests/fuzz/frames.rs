//! Feed frames, as a replica reads them.

use std::sync::OnceLock;

use depthwire_core::encode::{Outbox, RECORD_HEADER_BYTES, RecordType};
use depthwire_core::engine::{Engine, EngineConfig};
use depthwire_core::replica::{Outcome, Replica, ReplicaState};
use depthwire_core::types::{Level, NoClock, Side};
use depthwire_core::venues;

use crate::itch::day;
use crate::mutate::{Fields, Kind};
use crate::random::Random;
use crate::run::{Said, Target};

/// Frames of an engine that carries one symbol, from before its book is known.
pub fn frames() -> &'static [Vec<u8>] {
    static FRAMES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    FRAMES.get_or_init(|| {
        let mut engine = Engine::new(EngineConfig::default(), venues::catalogue(), NoClock);
        let instrument = venues::instrument(venues::NASDAQ, "AAAA").unwrap();
        let id = engine.add_instrument(instrument).unwrap();
        let source = engine.open_source(venues::NASDAQ, &[id]).unwrap();
        let mut frames = Vec::new();
        let mut bytes = Vec::new();
        for message in &day(1)[..1_500] {
            bytes.extend((message.len() as u16).to_be_bytes());
            bytes.extend(message);
        }
        let drain = |outbox: &mut Outbox| {
            while let Some(record) = outbox.front() {
                if record[4] == RecordType::Frame as u8 {
                    frames.push(record[RECORD_HEADER_BYTES..].to_vec());
                }
                outbox.take();
            }
            true
        };
        engine.replay(source, &bytes, true, u64::MAX, drain).unwrap();
        assert!(frames.len() > 1_000, "{}", frames.len());
        frames
    })
}

/// Frames back to back.
pub struct Frames;

/// Instrument, state, epoch, sequence and sides of a replica's book.
type Book = (u32, ReplicaState, u64, u64, [Vec<Level>; 2]);

fn books(replica: &Replica) -> Vec<Book> {
    let mut books: Vec<_> = replica
        .books()
        .map(|(id, book)| {
            let sides = [Side::Bid, Side::Ask].map(|side| book.book().levels(side).collect::<Vec<_>>());
            (id.0, book.state(), book.epoch(), book.seq(), sides)
        })
        .collect();
    books.sort_by_key(|book| book.0);
    books
}

impl Target for Frames {
    const NAME: &'static str = "frames";
    const INPUT_BYTES_MAX: usize = 3_000;
    // A frame of 104 bytes may open a book, which takes some KiB.
    const MEMORY: (usize, usize) = (256 << 10, 256);

    fn generate(&mut self, random: &mut Random, out: &mut Vec<u8>) {
        let frames = frames();
        let mut at = if random.one_in(2) { 0 } else { random.below(frames.len()) };
        for _ in 0..random.below(14) {
            out.extend(frames.get(at).into_iter().flatten());
            at += 1 + usize::from(random.one_in(9));
        }
    }

    fn fields(fields: &mut Fields<'_>) {
        let mut at = 0;
        while let Some(size) = fields.little(at, 4) {
            let len = size + 4;
            fields.note(Kind::Unit, at, len);
            for offset in [0, 4, 36] {
                fields.note(Kind::Little, at + offset, 4);
            }
            for offset in (12..36).step_by(2) {
                fields.note(Kind::Little, at + offset, 2);
            }
            for offset in [40, 48, 56, 64, 72, 80, 88] {
                fields.note(Kind::Little, at + offset, 8);
            }
            fields.note(Kind::Little, at + 96, 4);
            fields.note(Kind::Little, at + 100, 1);
            fields.note(Kind::Little, at + 101, 1);
            for offset in (104..len.min(400)).step_by(4) {
                fields.note(Kind::Little, at + offset, if offset % 8 == 0 { 8 } else { 4 });
            }
            at += len;
        }
    }

    fn check(&mut self, bytes: &[u8], _: &mut Random, said: &mut Said) {
        let mut whole = Replica::default();
        let applied = whole.apply(bytes);
        // The same, frame after frame.
        let mut single = Replica::default();
        let mut at = 0;
        let mut last = Ok(Outcome::Ignored);
        while at < bytes.len() && last.is_ok() {
            let size =
                bytes[at..].first_chunk().map_or(usize::MAX, |size| u32::from_le_bytes(*size) as usize);
            let end = at.saturating_add(size).saturating_add(4).min(bytes.len());
            let before = books(&single);
            last = single.apply(&bytes[at..end]);
            match last {
                Ok(Outcome::Image) => said.ok("image"),
                Ok(Outcome::Applied) => said.ok("applied"),
                Ok(Outcome::Old) => said.ok("old"),
                Ok(Outcome::Gap { .. }) => said.ok("gap"),
                Ok(Outcome::Checked) => said.ok("checked"),
                Ok(Outcome::CheckFailed) => said.ok("check failed"),
                Ok(Outcome::Chunk) => said.ok("chunk"),
                Ok(Outcome::Discarded) => said.ok("discarded"),
                Ok(Outcome::Status) => said.ok("status"),
                Ok(Outcome::Ignored) => said.ok("ignored"),
                Err(error) => said.error(error.code()),
            }
            let after = books(&single);
            match last {
                Ok(Outcome::Old | Outcome::Checked) => {
                    assert_eq!(after, before, "what is old changes nothing")
                }
                Ok(Outcome::Applied) => {
                    let moved: Vec<_> = before.iter().zip(&after).filter(|(old, new)| old != new).collect();
                    let [(old, new)] = moved[..] else { panic!("one book moves on: {}", moved.len()) };
                    assert!(
                        new.3 > old.3
                            && new.2 == old.2
                            // One that reaches back repairs a gap; one that says so itself is stale.
                            && new.1 != ReplicaState::Syncing
                    );
                }
                Ok(Outcome::Gap { .. } | Outcome::CheckFailed) => {
                    let synced =
                        |books: &[Book]| books.iter().filter(|book| book.1 == ReplicaState::Synced).count();
                    let lost = synced(&before) - synced(&after);
                    assert!(lost <= 1, "what is lost is not synced, and may have been lost before");
                }
                _ => {}
            }
            at = end;
        }
        assert_eq!(applied.map_err(|error| error.code()), last.map_err(|error| error.code()));
        let books = books(&whole);
        assert_eq!(books, self::books(&single), "together they do what they do one by one");
        for (_, state, _, seq, [bids, asks]) in &books {
            said.size(["unknown", "synced"][usize::from(*state == ReplicaState::Synced)], *seq as usize);
            assert!(bids.iter().chain(asks).all(|level| level.qty.0 > 0));
            assert!(bids.windows(2).all(|pair| pair[0].price > pair[1].price));
            assert!(asks.windows(2).all(|pair| pair[0].price < pair[1].price));
        }
        for (_, book) in whole.books() {
            let (checks, failures) = book.checks();
            assert!(failures <= checks);
            said.size("levels", book.digest().len() / 64 * (book.book().levels(Side::Bid).count()));
        }
    }
}

//! The reader's rules of the protocol, one by one, and bytes that are no frames.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed unwrap is a failed test")]

use depthwire_core::aggregate::checksums;
use depthwire_core::encode::{
    CheckBody, Flags, Header, ImageBody, Kind, StatusBody, Stream, write_check, write_image, write_levels,
    write_status,
};
use depthwire_core::replica::{
    Outcome, Replica, ReplicaError, ReplicaReason, ReplicaState, STANDING_HOLES_MAX, STANDING_HOURS_MAX,
    StandingHour,
};
use depthwire_core::types::{BookState, InstrumentId, KnownTo, Level, StaleReason};

const ID: InstrumentId = InstrumentId(7);

fn header(kind: Kind, epoch: u64, prev_seq: u64, seq: u64) -> Header {
    Header {
        epoch,
        seq,
        prev_seq,
        venue_seq: seq * 10,
        ts_event: 0,
        ts_recv: 0,
        ts_send: 0,
        instrument: ID.0,
        kind,
        stream: Stream::BOOK,
        flags: Flags::NONE,
    }
}

fn check_of(bids: &[Level], asks: &[Level]) -> CheckBody {
    let (top_crc, all_crc) = checksums(bids, asks);
    CheckBody { top_crc, all_crc, bid_count: bids.len() as u32, ask_count: asks.len() as u32 }
}

/// The chunks of an image.
fn image(epoch: u64, seq: u64, bids: &[Level], asks: &[Level]) -> Vec<Vec<u8>> {
    let body = ImageBody {
        known_to: KnownTo::WHOLE,
        depth: 0,
        price_exponent: 0,
        qty_exponent: 0,
        state: BookState::Synced.code(),
        reason: 0,
        check: check_of(bids, asks),
    };
    let mut chunks = Vec::new();
    let header = header(Kind::Image, epoch, seq, seq);
    write_image(&mut Vec::new(), &header, &body, None, bids, asks, |chunk| chunks.push(chunk.to_vec()));
    chunks
}

fn delta(epoch: u64, prev_seq: u64, seq: u64, bids: &[Level]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_levels(&mut bytes, &header(Kind::Delta, epoch, prev_seq, seq), bids, &[]);
    bytes
}

fn status(state: BookState, epoch: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let header = Header { stream: Stream::STATUS, ..header(Kind::Status, epoch, 5, 5) };
    let (state, reason) = (state.code(), state.reason_code());
    let body = StatusBody { expected: 0, received: 0, age_ns: 0, state, reason };
    write_status(&mut bytes, &header, &body, None);
    bytes
}

fn levels(len: i64) -> Vec<Level> {
    (0..len).map(|i| Level::new(100_000 - i, i + 1)).collect()
}

/// A replica at epoch 1, sequence 5, with bids 100 and 99.
fn replica() -> Replica {
    let mut replica = Replica::default();
    let bids = [Level::new(100, 1), Level::new(99, 1)];
    assert_eq!(replica.apply(&image(1, 5, &bids, &[])[0]), Ok(Outcome::Image));
    replica
}

fn state(replica: &Replica) -> (ReplicaState, u64, Option<Level>) {
    let book = replica.book(ID).unwrap();
    (book.state(), book.seq(), book.book().best_bid())
}

const fn stale(reason: ReplicaReason) -> ReplicaState {
    ReplicaState::Stale(reason)
}

#[test]
fn deltas_apply_by_their_links() {
    let mut replica = replica();
    let new = |qty| [Level::new(100, qty)];
    assert_eq!(replica.apply(&delta(1, 3, 5, &new(9))), Ok(Outcome::Old));
    assert_eq!(replica.apply(&delta(1, 5, 6, &new(2))), Ok(Outcome::Applied));
    assert_eq!(replica.apply(&delta(1, 4, 9, &new(3))), Ok(Outcome::Applied), "joined in its middle");
    assert_eq!(state(&replica), (ReplicaState::Synced, 9, Some(Level::new(100, 3))));
    assert_eq!(replica.apply(&delta(0, 9, 10, &new(8))), Ok(Outcome::Ignored), "an epoch that is over");
    assert_eq!(replica.apply(&delta(1, 10, 11, &new(8))), Ok(Outcome::Gap { expected: 9, received: 10 }));
    assert_eq!(state(&replica), (stale(ReplicaReason::SequenceGap), 9, Some(Level::new(100, 3))));
    assert_eq!(replica.apply(&delta(1, 9, 12, &new(8))), Ok(Outcome::Applied), "one that reaches back");
    assert_eq!(state(&replica), (ReplicaState::Synced, 12, Some(Level::new(100, 8))));
    assert_eq!(replica.apply(&delta(1, 11, 12, &new(7))), Ok(Outcome::Old), "a double");
    assert_eq!(replica.apply(&image(2, 1, &new(4), &[])[0]), Ok(Outcome::Image));
    assert_eq!(state(&replica), (ReplicaState::Synced, 1, Some(Level::new(100, 4))));
    assert_eq!(replica.apply(&delta(2, 1, 2, &[Level::new(100, 0), Level::new(3, 0)])), Ok(Outcome::Applied));
    assert_eq!(state(&replica).2, None, "0 removes; an unknown level may be removed");
}

#[test]
fn a_newer_epoch_without_its_image_takes_the_trust_away() {
    let mut replica = replica();
    let newer = delta(2, 1, 2, &[Level::new(100, 8)]);
    assert_eq!(replica.apply(&newer), Ok(Outcome::Gap { expected: 5, received: 2 }));
    let lost = (stale(ReplicaReason::SequenceGap), 5, Some(Level::new(100, 1)));
    assert_eq!(state(&replica), lost);
    assert_eq!(replica.apply(&delta(1, 5, 6, &[])), Ok(Outcome::Ignored), "nothing before an image");
    assert_eq!(state(&replica), lost);
    assert_eq!(replica.apply(&image(2, 2, &[Level::new(7, 1)], &[])[0]), Ok(Outcome::Image));
    assert_eq!(state(&replica), (ReplicaState::Synced, 2, Some(Level::new(7, 1))));
}

#[test]
fn what_cannot_be_held_takes_the_trust_away() {
    let mut replica = replica();
    assert_eq!(replica.apply(&delta(1, 5, 6, &[Level::new(1, -1)])), Err(ReplicaError::Full { at: 0 }));
    assert_eq!(state(&replica).0, stale(ReplicaReason::BadFrame));
}

#[test]
fn an_image_takes_effect_at_its_last_chunk() {
    let bids = levels(5_000);
    let chunks = image(1, 3, &bids, &[Level::new(200_000, 1)]);
    assert_eq!(chunks.len(), 3);
    let mut replica = Replica::default();
    replica.apply(&chunks[0]).unwrap();
    replica.apply(&chunks[1]).unwrap();
    assert_eq!(state(&replica), (ReplicaState::Syncing, 0, None));
    replica.apply(&chunks[2]).unwrap();
    assert_eq!(state(&replica), (ReplicaState::Synced, 3, Some(bids[0])));
    assert_eq!(replica.book(ID).unwrap().checks(), (1, 0));

    for wrong in [vec![0, 2], vec![1, 2], vec![0, 1, 0, 2]] {
        let mut replica = Replica::default();
        for index in wrong {
            replica.apply(&chunks[index]).unwrap();
        }
        assert_eq!(state(&replica).0, ReplicaState::Syncing, "a chunk out of turn discards the image");
    }
    // Frames between two chunks do not spoil the image.
    let mut replica = self::replica();
    let mut check = Vec::new();
    let own = check_of(&[Level::new(100, 1), Level::new(99, 1)], &[]);
    write_check(&mut check, &header(Kind::Check, 1, 5, 5), &own);
    replica.apply(&chunks[0]).unwrap();
    assert_eq!(replica.apply(&check), Ok(Outcome::Checked));
    replica.apply(&chunks[1]).unwrap();
    assert_eq!(replica.apply(&chunks[2]), Ok(Outcome::Image));
    assert_eq!(state(&replica), (ReplicaState::Synced, 3, Some(bids[0])));
    let other = image(2, 3, &bids, &[]);
    let mut replica = Replica::default();
    replica.apply(&chunks[0]).unwrap();
    replica.apply(&other[1]).unwrap();
    replica.apply(&chunks[2]).unwrap();
    assert_eq!(state(&replica).0, ReplicaState::Syncing, "chunks of two images do not mix");
}

#[test]
fn a_check_that_disagrees_makes_the_book_stale() {
    let mut replica = replica();
    let frame = |seq: u64, check: &CheckBody| {
        let mut bytes = Vec::new();
        write_check(&mut bytes, &header(Kind::Check, 1, seq, seq), check);
        bytes
    };
    let right = check_of(&[Level::new(100, 1), Level::new(99, 1)], &[]);
    assert_eq!(replica.apply(&frame(5, &right)), Ok(Outcome::Checked));
    let wrong = [
        CheckBody { top_crc: right.top_crc ^ 1, ..right },
        CheckBody { all_crc: right.all_crc ^ 1, ..right },
        CheckBody { bid_count: 3, ..right },
        CheckBody { ask_count: 1, ..right },
    ];
    assert_eq!(replica.apply(&frame(4, &wrong[0])), Ok(Outcome::Ignored), "of an earlier sequence");
    let ahead = Ok(Outcome::Gap { expected: 5, received: 6 });
    assert_eq!(self::replica().apply(&frame(6, &right)), ahead, "of a later one: a delta was lost");
    for wrong in &wrong {
        let mut replica = self::replica();
        assert_eq!(replica.apply(&frame(5, wrong)), Ok(Outcome::CheckFailed));
        assert_eq!(state(&replica).0, stale(ReplicaReason::CheckFailed));
    }
}

#[test]
fn a_status_takes_the_trust_away_and_never_gives_it() {
    let mut replica = replica();
    replica.apply(&status(BookState::Synced, 1)).unwrap();
    assert_eq!(state(&replica).0, ReplicaState::Synced);
    replica.apply(&status(BookState::Syncing, 0)).unwrap();
    assert_eq!(state(&replica).0, ReplicaState::Synced, "of an epoch that is over");
    replica.apply(&status(BookState::Syncing, 1)).unwrap();
    assert_eq!(state(&replica).0, ReplicaState::Syncing);
    replica.apply(&status(BookState::Synced, 2)).unwrap();
    assert_eq!(state(&replica).0, ReplicaState::Syncing, "only an image makes it synced");
    let mut replica = self::replica();
    replica.apply(&status(BookState::Stale(StaleReason::Silence), 2)).unwrap();
    let silence = stale(ReplicaReason::Server(StaleReason::Silence));
    assert_eq!(state(&replica).0, silence, "of the next epoch, whose image may follow");
    assert_eq!(replica.apply(&delta(1, 5, 6, &[])), Ok(Outcome::Ignored), "an image alone helps");
    assert_eq!(state(&replica).0, silence);
}

/// Frames in memory stand on multiples of 8; a mutated copy must as well, which a fresh vector does.
#[test]
fn bytes_that_are_no_frames_are_errors() {
    let frames = [image(1, 5, &levels(3), &levels(2)).concat(), delta(1, 5, 6, &levels(4))];
    for bytes in &frames {
        for len in 0..bytes.len() {
            let cut = bytes[..len].to_vec();
            let outcome = Replica::default().apply(&cut);
            assert_eq!(outcome.is_err(), len != 0, "cut at {len}: {outcome:?}");
        }
        let mut foreign = bytes.clone();
        foreign[8] = b'X';
        assert_eq!(
            Replica::default().apply(&foreign),
            Err(ReplicaError::Invalid { at: 0 }),
            "another protocol"
        );
        let mut seed = 1u64;
        let rounds = if cfg!(debug_assertions) { 2_000 } else { 100_000 };
        for _ in 0..rounds {
            let mut mutated = bytes.clone();
            for _ in 0..1 + seed % 4 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let at = (seed >> 33) as usize % mutated.len();
                mutated[at] = (seed >> 24) as u8;
            }
            // Whatever it does, it returns.
            let _ = replica().apply(&mutated);
        }
    }
    let mut two = frames.concat();
    two.truncate(two.len() - 8);
    let at = frames[0].len();
    assert_eq!(Replica::default().apply(&two), Err(ReplicaError::Truncated { at }), "the first one counts");
}

/// A frame as it was received at a time.
fn at(mut frame: Vec<u8>, ts_recv: u64) -> Vec<u8> {
    let header = depthwire_core::encode::find_header(&frame).unwrap();
    frame[header + 40..header + 48].copy_from_slice(&ts_recv.to_le_bytes());
    frame
}

#[test]
fn hours_say_how_long_a_book_was_synced_and_holes_why_not() {
    const HOUR: u64 = 3_600_000_000_000;
    let begin = 500_000 * HOUR;
    let mut replica = Replica::with_standings();
    let mut take = |frame: Vec<u8>, ts: u64| replica.apply(&at(frame, ts)).unwrap();
    take(status(BookState::Syncing, 1), begin + HOUR / 2);
    take(image(1, 4, &levels(2), &[]).remove(0), begin + HOUR - 10);
    take(delta(1, 4, 5, &levels(1)), begin + HOUR + 20);
    // Times that go back count nothing.
    take(delta(1, 5, 6, &levels(1)), begin + HOUR + 15);
    take(status(BookState::Stale(StaleReason::Gap), 1), begin + HOUR + 30);
    take(status(BookState::Syncing, 1), begin + HOUR + 40);
    take(image(2, 1, &levels(2), &[]).remove(0), begin + 3 * HOUR + 5);
    take(status(BookState::Stale(StaleReason::Silence), 2), begin + 3 * HOUR + 9);
    let standings: Vec<_> = replica.standings().collect();
    let (id, standing) = standings[0];
    assert_eq!((standings.len(), id), (1, ID));
    let hours: Vec<_> = standing
        .hours()
        .iter()
        .map(|hour| {
            let StandingHour { begin: at, synced_ns, lost_ns, before_ns, changes, holes } = *hour;
            ((at - begin) / HOUR, synced_ns, lost_ns, before_ns, changes, holes)
        })
        .collect();
    assert_eq!(
        hours,
        [
            (0, 10, 0, HOUR / 2 - 10, 0, 0),
            (1, 30, HOUR - 30, 0, 2, 1),
            (2, 0, HOUR, 0, 0, 0),
            (3, 4, 5, 0, 0, 1),
        ]
    );
    let holes = [
        (begin + HOUR + 30, begin + 3 * HOUR + 5, stale(ReplicaReason::Server(StaleReason::Gap))),
        (begin + 3 * HOUR + 9, 0, stale(ReplicaReason::Server(StaleReason::Silence))),
    ];
    let found: Vec<_> = standing.holes().iter().map(|hole| (hole.from, hole.until, hole.state)).collect();
    assert_eq!((found.as_slice(), standing.holes_more()), (holes.as_slice(), 0));
}

/// However long it is: hours and holes have a limit.
#[test]
fn hours_and_holes_have_a_limit() {
    let mut replica = Replica::with_standings();
    for nth in 1..=STANDING_HOLES_MAX as u64 + 3 {
        replica.apply(&at(image(nth, 1, &levels(2), &[]).remove(0), nth * 100)).unwrap();
        replica.apply(&at(status(BookState::Stale(StaleReason::Gap), nth), nth * 100 + 50)).unwrap();
    }
    replica.apply(&at(image(9_999_999, 1, &levels(2), &[]).remove(0), u64::MAX)).unwrap();
    let (_, standing) = replica.standings().next().unwrap();
    assert_eq!((standing.holes().len(), standing.holes_more()), (STANDING_HOLES_MAX, 3));
    assert_eq!(standing.hours().len(), STANDING_HOURS_MAX);
}

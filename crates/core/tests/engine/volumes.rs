//! What has traded at prices, as a reader of the feed has it: whole, since when, and where trades may be missing.

use depthwire_core::encode::{HistoryConfig, Kind, Stream};
use depthwire_core::engine::{Brought, By, EngineConfig, EngineError, VOLUME_VIEWS_MAX};
use depthwire_core::replica::{Outcome, ReplicaReason, ReplicaState, ReplicaVolumes, feed_frames};
use depthwire_core::types::Place;

use crate::rig::{MS, Rig, S, Seen};

const HISTORY: HistoryConfig = HistoryConfig { bytes: 1 << 20, stream_bytes: 1 << 16, age_ns: u64::MAX };

/// The reader takes those of some frames that are its; what the last one did.
fn take(reader: &mut ReplicaVolumes, stream: Stream, frames: &[u8]) -> Outcome {
    let frames = feed_frames(frames).map(Result::unwrap).filter(|frame| frame.stream() == stream);
    frames.fold(Outcome::Ignored, |_, frame| reader.apply(&frame).unwrap())
}

/// A rig and a reader of a view.
struct Read {
    rig: Rig,
    stream: Stream,
    reader: ReplicaVolumes,
}

impl Read {
    fn open(mut rig: Rig, interval_ns: u64, grouping: i64) -> Self {
        let stream = rig.engine.open_volumes(rig.id, interval_ns, grouping, rig.now).unwrap();
        let mut read = Self { reader: ReplicaVolumes::new(), rig, stream };
        read.image();
        read
    }

    fn image(&mut self) {
        let Self { rig, stream, reader } = self;
        rig.seen();
        let mut outcome = None;
        rig.engine
            .image(rig.id, *stream, rig.now, |frame| outcome = Some(take(reader, *stream, frame)))
            .unwrap();
        assert_eq!(outcome, Some(Outcome::Image));
    }

    /// Price, bought, sold and trades of each row, as read.
    fn rows(&mut self) -> Vec<(i64, i64, i64, u32)> {
        let Self { rig, stream, reader } = self;
        rig.frames(|frame| {
            take(reader, *stream, frame);
        });
        reader.rows().map(|row| (row.price.0, row.bought.0, row.sold.0, row.trades)).collect()
    }

    fn since(&self) -> (u64, u64) {
        (self.reader.session().since, self.reader.session().missed_at)
    }
}

#[test]
fn rows_come_whole_and_then_by_what_trades() {
    let mut read = Read::open(Rig::synced(EngineConfig::default()), 0, 0);
    assert_eq!(read.stream, Stream::VOLUMES_FIRST);
    assert_eq!((read.rows(), read.since()), (vec![], (0, 0)), "nobody knows yet whether trades are told");
    read.rig.now += MS;
    let first = read.rig.now;
    read.rig.trade_at(7, "10.50", "0.5", true);
    read.rig.trade_at(8, "10.25", "2", false);
    read.rig.trade_at(9, "10.50", "1", false);
    read.rig.trade_at(9, "10.50", "1", false);
    let rows = vec![(1_025, 200_000, 0, 1), (1_050, 100_000, 50_000, 2)];
    assert_eq!((read.rows(), read.since()), (rows.clone(), (first, 0)), "a repetition is no trade");
    read.image();
    assert_eq!((read.rows(), read.since()), (rows, (first, 0)));
}

#[test]
fn buckets_begin_at_their_price_and_are_told_at_their_interval() {
    let mut read = Read::open(Rig::synced(EngineConfig::default()), 100 * MS, 50);
    read.rig.now += 10 * MS;
    for (id, price) in [(1, "10.49"), (2, "10.50"), (3, "10.99"), (4, "11.00"), (5, "10.51")] {
        read.rig.trade_at(id, price, "1", false);
    }
    assert_eq!(read.rows(), [(1_000, 100_000, 0, 1)], "the first of them tells since when");
    read.rig.now += 100 * MS;
    read.rig.tick();
    let seen = read.rig.seen();
    let told = |seen: &Seen| matches!(seen, Seen::Frame { kind: 12, flags: 33, seq: 3, prev_seq: 2, .. });
    assert_eq!(seen.iter().filter(|seen| told(seen)).count(), 1, "{seen:?}");
    read.image();
    let whole = [(1_000, 100_000, 0, 1), (1_050, 300_000, 0, 3), (1_100, 100_000, 0, 1)];
    assert_eq!((read.rows().as_slice(), read.reader.grouping()), (whole.as_slice(), 50));
}

#[test]
fn a_profile_stays_when_its_reader_leaves_and_views_are_shared_and_limited() {
    let mut read = Read::open(Rig::synced(EngineConfig::default()), 0, 0);
    read.rig.trade_at(1, "10.50", "1", false);
    let Read { rig, stream, .. } = &mut read;
    assert_eq!(rig.engine.open_volumes(rig.id, 0, 0, rig.now), Ok(*stream), "alike views are shared");
    rig.engine.close_view(rig.id, *stream);
    rig.engine.close_view(rig.id, *stream);
    assert_eq!(rig.image(*stream), [], "the last reader closes it");
    rig.trade_at(2, "10.50", "1", true);
    rig.seen();
    assert_eq!(rig.engine.open_volumes(rig.id, 0, 0, rig.now), Ok(*stream));
    read.image();
    assert_eq!(read.rows(), [(1_050, 100_000, 100_000, 2)]);
    let Place { seq, .. } = read.reader.place().unwrap();
    assert_eq!(seq, 3, "a stream number used again goes on behind the view before");
    let Read { rig, .. } = &mut read;
    assert_eq!(rig.engine.open_volumes(rig.id, 61 * S, 0, 0), Err(EngineError::ViewRange));
    assert_eq!(
        rig.engine.open_volumes(rig.id, 0, -1, 0),
        Err(EngineError::ViewGrouping { tick: 1, grouping: -1 })
    );
    for grouping in 1..VOLUME_VIEWS_MAX as i64 {
        rig.engine.open_volumes(rig.id, 0, grouping, 0).unwrap();
    }
    assert_eq!(rig.engine.open_volumes(rig.id, 0, 1_000, 0), Err(EngineError::ViewsFull));
}

#[test]
fn a_profile_may_begin_before_anybody_reads_it() {
    let mut rig = Rig::synced(EngineConfig::default());
    rig.engine.keep_volumes(rig.id, rig.now).unwrap();
    rig.now += MS;
    let first = rig.now;
    rig.trade_at(1, "10.50", "1", false);
    rig.now += S;
    rig.engine.keep_volumes(rig.id, rig.now).unwrap();
    rig.trade_at(2, "10.50", "1", false);
    let mut read = Read::open(rig, 0, 0);
    assert_eq!((read.rows(), read.since()), (vec![(1_050, 200_000, 0, 2)], (first, 0)));
}

#[test]
fn a_gap_of_the_book_is_one_of_trades_unless_their_numbers_go_on() {
    let mut read = Read::open(Rig::synced(EngineConfig::default()), 0, 0);
    read.rig.trade_at(7, "10.50", "1", false);
    let since = read.rig.now;
    // A book that is lost again at once is asked for later.
    read.rig.now += 2 * S;
    read.rig.depth(200, 201, "", "");
    read.rig.trade_at(8, "10.50", "1", false);
    assert_eq!((read.rows(), read.since()), (vec![(1_050, 200_000, 0, 2)], (since, 0)), "8 follows 7");
    read.rig.now += MS;
    read.rig.snapshot(210, "[\"10.00\",\"1\"]", "[\"11.00\",\"1\"]").unwrap();
    read.rows();
    assert_eq!(read.reader.place().unwrap().seq, 1, "an epoch begins with an image");
    read.rig.depth(300, 301, "", "");
    read.rig.now += MS;
    read.rig.trade_at(10, "10.50", "1", false);
    assert_eq!(read.rows(), [(1_050, 300_000, 0, 3)]);
    assert_eq!(read.since(), (since, read.rig.now), "there may be a trade 9");
}

#[test]
fn a_venue_that_begins_anew_begins_a_session() {
    let mut read = Read::open(Rig::synced(EngineConfig::default()), 0, 0);
    read.rig.trade_at(7, "10.50", "1", false);
    read.rows();
    read.rig.now += S;
    read.rig.engine.reset_source(read.rig.source, read.rig.now).unwrap();
    assert_eq!((read.rows(), read.since()), (vec![], (0, 0)));
    read.rig.trade_at(1, "10.75", "1", true);
    assert_eq!((read.rows(), read.since()), (vec![(1_075, 0, 100_000, 1)], (read.rig.now, 0)));
}

#[test]
fn a_reader_that_was_away_is_brought_by_its_rows_or_by_every_frame() {
    let config = EngineConfig { history: HISTORY, ..EngineConfig::default() };
    let mut read = Read::open(Rig::synced(config), 0, 0);
    read.rig.trade_at(1, "10.50", "1", false);
    read.rows();
    let Place { epoch, seq } = read.reader.place().unwrap();
    for id in 2..40 {
        read.rig.trade_at(id, if id % 2 == 0 { "10.50" } else { "10.75" }, "1", true);
    }
    read.rig.seen();
    let mut out = vec![0; 1 << 16];
    for (by, brought, bytes_max) in [(By::Net, Brought::Net, 300), (By::Range, Brought::Range, 1 << 16)] {
        let Read { rig, stream, .. } = &mut read;
        let (got, bytes) =
            rig.engine.bring(rig.id, *stream, Place { epoch, seq }, by, rig.now, &mut out).unwrap();
        assert!(got == brought && bytes < bytes_max, "{got:?}, {bytes} bytes");
        let mut at = read_at(&read, epoch, seq);
        assert_eq!(take(&mut at, read.stream, &out[..bytes]), Outcome::Applied);
        let rows: Vec<_> = at.rows().map(|row| (row.price.0, row.sold.0, row.trades)).collect();
        assert_eq!(rows, [(1_050, 1_900_000, 20), (1_075, 1_900_000, 19)]);
    }
    let Read { rig, stream, .. } = &mut read;
    let now = Place { epoch, seq: seq + 38 };
    assert_eq!(rig.engine.place(rig.id, *stream), Ok(now));
    assert_eq!(rig.engine.bring(rig.id, *stream, now, By::Net, rig.now, &mut out), Ok((Brought::Nothing, 0)));
    let other = Place { epoch: epoch + 1, seq };
    assert_eq!(
        rig.engine.bring(rig.id, *stream, other, By::Net, rig.now, &mut out).unwrap().0,
        Brought::Image
    );
}

/// A reader as it was at a place: with the image of then.
fn read_at(read: &Read, epoch: u64, seq: u64) -> ReplicaVolumes {
    assert_eq!(read.reader.place(), Some(Place { epoch, seq }));
    let mut reader = ReplicaVolumes::new();
    // The same trades, told to a book of its own.
    let mut twin = Read::open(Rig::synced(EngineConfig::default()), 0, 0);
    twin.rig.trade_at(1, "10.50", "1", false);
    twin.rig.frames(|_| {});
    twin.rig
        .engine
        .image(twin.rig.id, twin.stream, twin.rig.now, |frame| {
            take(&mut reader, twin.stream, frame);
        })
        .unwrap();
    assert_eq!(reader.place(), Some(Place { epoch, seq }));
    reader
}

#[test]
fn a_large_image_comes_in_chunks() {
    let mut read = Read::open(Rig::synced(EngineConfig::default()), 0, 0);
    for id in 0..2_000u64 {
        read.rig.trade_at(id, &format!("{}.{:02}", 10 + id / 100, id % 100), "1", false);
    }
    read.image();
    assert_eq!(read.rows().len(), 2_000);
    let Read { rig, stream, .. } = &mut read;
    let image = rig.image(*stream);
    let is_image = |seen: &Seen| matches!(seen, Seen::Frame { kind, .. } if *kind == Kind::Image as u8);
    assert_eq!((image.len(), image.iter().filter(|seen| is_image(seen)).count()), (3, 3));
}

#[test]
fn what_trades_while_a_recording_runs_to_another_time_is_counted() {
    let mut read = Read::open(Rig::synced(EngineConfig::default()), 0, 0);
    read.rig.trade_at(1, "10.50", "1", false);
    read.rows();
    read.rig.engine.hold(read.rig.now);
    read.rig.trade_at(2, "10.50", "1", false);
    assert_eq!(read.rig.image(read.stream), [], "there is no present");
    read.rig.engine.release(read.rig.now);
    assert_eq!(read.rows(), [(1_050, 200_000, 0, 2)]);
    assert_eq!((read.reader.place().unwrap().seq, read.since().1), (1, 0), "in a new epoch");
}

#[test]
fn a_reader_misses_nothing_unseen_and_is_stale_while_trades_are_not_told() {
    let mut read = Read::open(Rig::synced(EngineConfig::default()), 0, 0);
    let mut frames = Vec::new();
    for id in 1..=3 {
        read.rig.trade_at(id, "10.50", "1", false);
        let mut told = Vec::new();
        read.rig.frames(|frame| told.extend_from_slice(frame));
        frames.push(told);
    }
    let Read { reader, stream, .. } = &mut read;
    assert_eq!(take(reader, *stream, &frames[0]), Outcome::Applied);
    assert_eq!(take(reader, *stream, &frames[2]), Outcome::Gap { expected: 2, received: 3 });
    assert_eq!(reader.state(), ReplicaState::Stale(ReplicaReason::SequenceGap));
    // Rows are absolute, and the place is what it was: a frame that reaches back to it mends.
    assert_eq!(reader.place().map(|place| place.seq), Some(2));
    assert_eq!(take(reader, *stream, &frames[1]), Outcome::Applied);
    assert_eq!(take(reader, *stream, &frames[2]), Outcome::Applied);
    assert_eq!(take(reader, *stream, &frames[2]), Outcome::Old);
    assert_eq!((reader.state(), read.rows()), (ReplicaState::Synced, vec![(1_050, 300_000, 0, 3)]));
    read.reader.doubt(ReplicaReason::Disconnected);
    let place = read.reader.place().unwrap();
    read.reader.bring_to(Place { seq: place.seq + 1, ..place });
    assert_eq!(
        read.reader.state(),
        ReplicaState::Stale(ReplicaReason::Disconnected),
        "that has not come yet"
    );
    read.rig.trade_at(4, "10.50", "1", false);
    assert_eq!((read.rows().len(), read.reader.state()), (1, ReplicaState::Synced));
}
